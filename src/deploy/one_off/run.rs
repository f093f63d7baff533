//! Starts a one-off task, tells what becomes of it, and takes it away.

use std::fmt;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use super::leftovers::RunId;
use crate::aws::{Account, CallError, LogPage, LogStream, OneOff, Placement, Tags, Task};
use crate::base::Diagnosis;
use crate::deploy::cause::diagnose;
use crate::deploy::fold::stopped_containers;
use crate::deploy::pace::Pace;

/// How long is waited for what.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// From the call until the container runs: placement, network interface, image, secrets.
    pub start: Duration,
    /// Without a new line, while it runs.
    pub quiet: Duration,
    /// After it has stopped, for its last lines: they come a few seconds later.
    pub last_lines: Duration,
    /// In all.
    pub overall: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            start: Duration::from_mins(5),
            quiet: Duration::from_secs(90),
            last_lines: Duration::from_secs(15),
            overall: Duration::from_mins(15),
        }
    }
}

impl Limits {
    /// With as much patience as somebody has: nothing is waited for longer, and where it is more than ours, its third for the start.
    #[must_use]
    pub fn at_most(self, patience: Duration) -> Self {
        Self {
            start: self.start.min(patience).max(patience / 3),
            quiet: self.quiet.min(patience),
            last_lines: self.last_lines.min(patience),
            overall: patience,
        }
    }
}

/// What became of a task a moment ago.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// ECS's word for its state.
    Status(String),
    Line(String),
}

/// How it ended for whoever followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Everything was said.
    Enough,
    /// It stopped by itself, before that.
    Stopped {
        reason: String,
        container: Option<String>,
        exit_code: Option<i32>,
        diagnosis: Option<Diagnosis>,
    },
    Late(Late),
    /// Somebody left.
    Left,
}

/// A limit that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Late {
    /// It didn't come to run. ECS's word for how far it came; empty where ECS never knew it.
    Start {
        status: String,
        after: Duration,
    },
    /// It runs, and writes nothing (more).
    Silent {
        after: Duration,
    },
    Overall {
        after: Duration,
    },
    /// ECS knows it no longer.
    Gone,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start { status, after } if status.is_empty() => {
                write!(f, "ECS started it, and knew no such task after {} s", after.as_secs())
            }
            Self::Start { status, after } => write!(f, "it was still {status} after {} s", after.as_secs()),
            Self::Silent { after } => write!(f, "it runs, and wrote no line for {} s", after.as_secs()),
            Self::Overall { after } => write!(f, "it was not done after {} s", after.as_secs()),
            Self::Gone => f.write_str("ECS knows the task no longer"),
        }
    }
}

impl Late {
    /// What to look at.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Start { status, .. } if status == "PENDING" || status == "ACTIVATING" => {
                "ECS fetches the image and the secrets then: look whether the subnets have a way to ECR, S3, Secrets Manager and CloudWatch Logs"
            }
            Self::Start { .. } => {
                "ECS looks for room and makes the network interface then: run it again, and look at the free addresses of the subnets"
            }
            Self::Silent { .. } => {
                "look whether the execution role may write into the log group, and whether the subnets have a way to CloudWatch Logs"
            }
            Self::Overall { .. } => "run it again; --in-vpc-timeout gives it more time, --only and --skip give it less to do",
            Self::Gone => "run it again",
        }
    }
}

/// A task that was started, with what has to be taken away after it.
#[derive(Debug, Clone)]
pub struct OneOffRun {
    pub definition: String,
    pub task: Option<String>,
    pub cluster: String,
    stream: Option<LogStream>,
    wanted: OneOff,
    /// Its start was asked for, and no answer came: it may run all the same.
    unanswered: bool,
}

impl OneOffRun {
    /// Registers the definition. What is made here is taken away by [`Self::clean`].
    pub async fn register(account: &Account, wanted: OneOff, cluster: &str) -> Result<Self, CallError> {
        let definition = account.register_one_off(&wanted).await?;
        Ok(Self { definition, task: None, cluster: cluster.to_owned(), stream: None, wanted, unanswered: false })
    }

    pub async fn start(&mut self, account: &Account, placement: &Placement, run: &str, tags: &Tags) -> Result<(), CallError> {
        let token = token(run, &self.definition);
        self.unanswered = true;
        let started = account.run_one_off(&self.definition, placement, run, &token, tags).await;
        self.unanswered = started.as_ref().is_err_and(CallError::may_pass);
        let task = started?;
        self.stream = Some(LogStream {
            container: self.wanted.container.clone(),
            group: self.wanted.log_group.clone(),
            stream: format!("{}/{}/{}", self.wanted.log_prefix, self.wanted.container, task.id),
        });
        self.task = Some(task.arn);
        Ok(())
    }

    /// Follows it until `tell` has had enough, it stops, a limit passes, or `leave` ends. An error that may pass is borne for a while.
    pub async fn follow(
        &self,
        account: &Account,
        limits: Limits,
        leave: impl Future<Output = ()>,
        tell: &mut impl FnMut(Happening) -> bool,
    ) -> Result<Ended, CallError> {
        tokio::select! {
            ended = self.follow_on(account, limits, tell) => ended,
            () = leave => Ok(Ended::Left),
        }
    }

    async fn follow_on(
        &self,
        account: &Account,
        limits: Limits,
        tell: &mut impl FnMut(Happening) -> bool,
    ) -> Result<Ended, CallError> {
        let (Some(arn), Some(stream)) = (&self.task, &self.stream) else { return Ok(Ended::Late(Late::Gone)) };
        let pause = Pace::of_environment().fast;
        let began = Instant::now();
        let mut course = Course::new(limits, began);
        let (mut next, mut again) = (None::<String>, true);
        loop {
            match self.look(account, arn, stream, next.as_deref()).await {
                Ok((task, page)) => {
                    next = page.next;
                    if let Some(ended) = course.seen(Instant::now(), task.as_ref(), page.lines, tell) {
                        return Ok(ended);
                    }
                    // A page that was asked for while lines were on their way may lack some: at the end all of them are read again.
                    if course.stopped.is_some() && std::mem::take(&mut again) {
                        next = None;
                    }
                }
                Err(error) if error.may_pass() && began.elapsed() < limits.overall => {}
                Err(error) => return Err(error),
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn look(
        &self,
        account: &Account,
        arn: &str,
        stream: &LogStream,
        next: Option<&str>,
    ) -> Result<(Option<Task>, LogPage), CallError> {
        // The task first: lines that it wrote before it stopped are on the page then.
        let task = account.task(&self.cluster, arn).await?;
        let page = account.log_page(stream, next).await?;
        Ok((task, page))
    }

    /// Stops the task and takes the definition away; what could not be done, with what would do it.
    pub async fn clean(&self, account: &Account) -> Vec<String> {
        let mut left = Vec::new();
        let mut tasks: Vec<String> = self.task.iter().cloned().collect();
        if self.unanswered {
            match account.tasks_of_family(&self.cluster, &self.wanted.family).await {
                Ok(found) => {
                    let own = found.into_iter().filter(|task| task.task_definition == self.definition);
                    tasks.extend(own.map(|task| task.arn));
                }
                Err(error) => left.push(format!("{}; {}", error.headline(), listing(&self.cluster, &self.wanted.family))),
            }
        }
        for task in &tasks {
            if let Err(error) = account.stop_task(&self.cluster, task, "its preflight is over").await {
                left.push(format!("{}; {}", error.headline(), stopping(&self.cluster, task)));
            }
        }
        if let Err(error) = account.remove_definition(&self.definition).await {
            left.push(format!("{}; {}", error.headline(), deregistering(&self.definition)));
        }
        left
    }

    /// What is there of it now, each with the command that takes it away: for whoever leaves at once.
    pub fn stays(&self, run: &RunId) -> Vec<String> {
        let task = match &self.task {
            Some(task) => stopping(&self.cluster, task),
            None => format!("aws ecs list-tasks --cluster {} --started-by {run}  (none may have started yet)", self.cluster),
        };
        vec![task, deregistering(&self.definition)]
    }
}

/// What makes a repeated start the same start: of this run and this definition, for a run may start several tasks. ECS takes 64 characters.
fn token(run: &str, definition: &str) -> String {
    let mut hasher = DefaultHasher::new();
    definition.hash(&mut hasher);
    format!("{:016x}-{run}", hasher.finish()).chars().take(64).collect()
}

fn listing(cluster: &str, family: &str) -> String {
    format!("aws ecs list-tasks --cluster {cluster} --family {family}  (one may run)")
}

fn stopping(cluster: &str, task: &str) -> String {
    format!("aws ecs stop-task --cluster {cluster} --task {task}")
}

fn deregistering(definition: &str) -> String {
    format!("aws ecs deregister-task-definition --task-definition {definition}")
}

/// What was seen of a task so far: looks come in, each with its moment, and how it ended goes out. Pure.
struct Course {
    limits: Limits,
    began: Instant,
    /// When it was first seen running, when it last wrote, when it was first seen stopped.
    running: Option<Instant>,
    heard: Option<Instant>,
    stopped: Option<Instant>,
    status: String,
}

impl Course {
    fn new(limits: Limits, began: Instant) -> Self {
        Self { limits, began, running: None, heard: None, stopped: None, status: String::new() }
    }

    /// Takes one look: the task as ECS has it, and its new lines.
    fn seen(
        &mut self,
        now: Instant,
        task: Option<&Task>,
        lines: Vec<String>,
        tell: &mut impl FnMut(Happening) -> bool,
    ) -> Option<Ended> {
        if let Some(task) = task.filter(|task| task.status != self.status) {
            self.status.clone_from(&task.status);
            tell(Happening::Status(self.status.clone()));
        }
        if self.status == "RUNNING" {
            self.running.get_or_insert(now);
        }
        let fresh = !lines.is_empty();
        for line in lines {
            self.heard = Some(now);
            if tell(Happening::Line(line)) {
                return Some(Ended::Enough);
            }
        }
        match task {
            Some(task) if task.status == "STOPPED" || task.wanted == "STOPPED" && task.stopped.is_some() => {
                let since = *self.stopped.get_or_insert(now);
                // One that never ran has written nothing.
                let silent = self.running.is_none() && self.heard.is_none() && task.started.is_none();
                return (!fresh && (silent || now - since >= self.limits.last_lines)).then(|| ended(task));
            }
            None if self.running.is_some() && self.stopped.is_none() => return Some(Ended::Late(Late::Gone)),
            _ => {}
        }
        if self.stopped.is_some() { None } else { self.late(now).map(Ended::Late) }
    }

    /// The limit that has passed by now.
    fn late(&self, now: Instant) -> Option<Late> {
        let whole = now - self.began;
        if self.running.is_none() && whole >= self.limits.start {
            return Some(Late::Start { status: self.status.clone(), after: whole });
        }
        let silent = self.heard.or(self.running).map(|since| now - since);
        match silent {
            Some(after) if after >= self.limits.quiet => Some(Late::Silent { after }),
            // Of one that never wrote a word that says more.
            Some(after) if whole >= self.limits.overall && self.heard.is_none() => Some(Late::Silent { after }),
            _ => (whole >= self.limits.overall).then_some(Late::Overall { after: whole }),
        }
    }
}

/// Why a task stopped, in ECS's words and in ours.
fn ended(task: &Task) -> Ended {
    let containers = stopped_containers(task, None);
    let words = [task.stop_code.as_deref(), task.stop_reason.as_deref()];
    let reason: Vec<&str> = words.into_iter().flatten().filter(|word| !word.is_empty()).collect();
    Ended::Stopped {
        reason: if reason.is_empty() { "ECS gives no reason".to_owned() } else { reason.join(": ") },
        container: task.containers.iter().find_map(|container| container.reason.clone()),
        exit_code: task.containers.iter().find_map(|container| container.exit_code),
        diagnosis: diagnose(task.stop_reason.as_deref(), &containers),
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
