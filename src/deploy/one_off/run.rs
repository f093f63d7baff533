//! Starts a one-off task, tells what becomes of it, and takes it away.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::aws::{Account, CallError, LogStream, OneOff, Placement, Tags, Task};
use crate::base::{Diagnosis, StoppedContainer};
use crate::deploy::cause::diagnose;
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
    Stopped { reason: String, container: Option<String>, exit_code: Option<i32>, diagnosis: Option<Diagnosis> },
    /// A limit passed; which.
    Late(String),
    /// Somebody left.
    Left,
}

/// A task that was started, with what has to be taken away after it.
#[derive(Debug, Clone)]
pub struct OneOffRun {
    pub definition: String,
    pub task: Option<String>,
    pub cluster: String,
    stream: Option<LogStream>,
    wanted: OneOff,
}

impl OneOffRun {
    /// Registers the definition. What is made here is taken away by [`Self::clean`].
    pub async fn register(account: &Account, wanted: OneOff, cluster: &str) -> Result<Self, CallError> {
        let definition = account.register_one_off(&wanted).await?;
        Ok(Self { definition, task: None, cluster: cluster.to_owned(), stream: None, wanted })
    }

    pub async fn start(&mut self, account: &Account, placement: &Placement, run: &str, tags: &Tags) -> Result<(), CallError> {
        let token: String = format!("{run}-{}", self.wanted.container).chars().take(64).collect();
        let task = account.run_one_off(&self.definition, placement, run, &token, tags).await?;
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
        let (Some(arn), Some(stream)) = (&self.task, &self.stream) else { return Ok(Ended::Late("it never started".to_owned())) };
        let pause = Pace::of_environment().fast;
        let began = Instant::now();
        let (mut heard, mut running, mut stopped) = (None::<Instant>, None::<Instant>, None::<(Instant, Task)>);
        let (mut status, mut next) = (String::new(), None::<String>);
        loop {
            let looked = self.look(account, arn, stream, next.as_deref()).await;
            let (task, page) = match looked {
                Ok(looked) => looked,
                Err(error) if error.may_pass() && began.elapsed() < limits.overall => {
                    tokio::time::sleep(pause).await;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if let Some(task) = &task {
                if task.status != status {
                    status.clone_from(&task.status);
                    tell(Happening::Status(status.clone()));
                }
                if status == "RUNNING" {
                    running.get_or_insert_with(Instant::now);
                }
            }
            let fresh = !page.lines.is_empty();
            next = page.next;
            for line in page.lines {
                heard = Some(Instant::now());
                if tell(Happening::Line(line)) {
                    return Ok(Ended::Enough);
                }
            }
            match task {
                Some(task) if task.status == "STOPPED" || task.wanted == "STOPPED" && task.stopped.is_some() => {
                    let since = stopped.get_or_insert_with(|| (Instant::now(), task.clone())).0;
                    // One that never ran has written nothing.
                    let silent = running.is_none() && heard.is_none() && task.started.is_none();
                    if !fresh && (silent || since.elapsed() >= limits.last_lines) {
                        return Ok(ended(&task));
                    }
                }
                None if running.is_some() && stopped.is_none() => {
                    return Ok(Ended::Late("ECS knows the task no longer".to_owned()));
                }
                _ => {}
            }
            if stopped.is_none() {
                let minutes = |limit: Duration| limit.as_secs();
                if running.is_none() && began.elapsed() >= limits.start {
                    return Ok(Ended::Late(format!("it was still {status} after {} s", minutes(limits.start))));
                }
                let since = heard.or(running);
                if let Some(since) = since.filter(|since| since.elapsed() >= limits.quiet) {
                    return Ok(Ended::Late(format!("it runs, and wrote no line for {} s", since.elapsed().as_secs())));
                }
                if began.elapsed() >= limits.overall {
                    return Ok(Ended::Late(format!("it was not done after {} s", minutes(limits.overall))));
                }
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
    ) -> Result<(Option<Task>, crate::aws::LogPage), CallError> {
        // The task first: lines that it wrote before it stopped are on the page then.
        let task = account.task(&self.cluster, arn).await?;
        let page = account.log_page(stream, next).await?;
        Ok((task, page))
    }

    /// Stops the task and takes the definition away; what could not be done, with what would do it.
    pub async fn clean(&self, account: &Account) -> Vec<String> {
        let mut left = Vec::new();
        if let Some(task) = &self.task
            && let Err(error) = account.stop_task(&self.cluster, task, "its preflight is over").await
        {
            let command = format!("aws ecs stop-task --cluster {} --task {task}", self.cluster);
            left.push(format!("{}; {command}", error.headline()));
        }
        if let Err(error) = account.remove_definition(&self.definition).await {
            let command = format!("aws ecs deregister-task-definition --task-definition {}", self.definition);
            left.push(format!("{}; {command}", error.headline()));
        }
        left
    }
}

/// Why a task stopped, in ECS's words and in ours.
fn ended(task: &Task) -> Ended {
    let containers: Vec<StoppedContainer> = task
        .containers
        .iter()
        .map(|container| StoppedContainer {
            name: container.name.clone(),
            exit_code: container.exit_code,
            reason: container.reason.clone(),
            log: Vec::new(),
        })
        .collect();
    let words = [task.stop_code.as_deref(), task.stop_reason.as_deref()];
    let reason: Vec<&str> = words.into_iter().flatten().filter(|word| !word.is_empty()).collect();
    Ended::Stopped {
        reason: if reason.is_empty() { "ECS gives no reason".to_owned() } else { reason.join(": ") },
        container: task.containers.iter().find_map(|container| container.reason.clone()),
        exit_code: task.containers.iter().find_map(|container| container.exit_code),
        diagnosis: diagnose(task.stop_reason.as_deref(), &containers),
    }
}
