//! One service's task: its definition, its run, and the checks that it comes to.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tokio::sync::mpsc::UnboundedSender;

use super::image::Program;
use super::support::Support;
use super::{Asked, PLAN, Service, tags};
use crate::aws::{Account, CallError, OneOff, Placement};
use crate::base::{Cause, Code, Diagnosis, Failure};
use crate::commands::project::Ready;
use crate::commands::world::Interrupt;
use crate::deploy::one_off::{Ended, Happening, Late, Limits, OneOffRun, RUN_TAG, Run, RunId, of_service, sweep};
use crate::preflight::inside::{Letters, MOST_PLAN, Message, Plan, Spoilt, not_done};
use crate::preflight::{Category, Check, Fix, Input, Selection, Status, Subject};
use crate::stack::Container;
use crate::ui::InsideNews;

/// Something that a person may want to see now.
pub(super) struct Told {
    pub(super) service: String,
    pub(super) what: InsideNews,
}

/// What stands in for what the service will have, in words.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    pub(super) groups: Vec<String>,
    pub(super) task_role: Option<String>,
    pub(super) left_out: Vec<String>,
    /// The execution role is a copy.
    pub(super) execution_role: bool,
    /// The execution role is one that a flag names.
    pub(super) named_execution_role: Option<String>,
}

/// How long is waited for a task.
pub(super) fn patience(asked: &Asked<'_>) -> Limits {
    let mut limits = Limits::default();
    if let Some(wait) = asked.wait {
        limits.quiet += wait;
        limits.overall += wait;
    }
    match asked.args.in_vpc_timeout {
        Some(timeout) => limits.at_most(timeout),
        None => limits,
    }
}

/// A task to be run.
pub(super) struct Work {
    service: String,
    definition: OneOff,
    placement: Placement,
    run: RunId,
    limits: Limits,
    standing: Standing,
}

/// What came of it.
pub(super) struct Outcome {
    checks: Vec<Check>,
    /// `None`: the whole report is here.
    trouble: Option<Trouble>,
    /// What could not be taken away.
    left: Vec<String>,
}

impl Outcome {
    pub(super) fn left(&self) -> &[String] {
        &self.left
    }
}

enum Trouble {
    /// It never said a word.
    NotStarted {
        why: String,
        /// Its cause and what mends it, where they are known.
        diagnosis: Option<Diagnosis>,
        /// What to do, where they aren't.
        advice: Vec<String>,
        may_pass: bool,
    },
    Report(Spoilt, Vec<String>),
}

impl Work {
    #[allow(clippy::too_many_arguments, reason = "what a run is about, each once")]
    pub(super) fn of(
        asked: &Asked<'_>,
        ready: &Ready,
        input: &Input,
        there: &Selection,
        service: &Service,
        container: &Container,
        support: &Support,
        program: &Program,
        run: &RunId,
    ) -> Result<Self, Failure> {
        let whole: BTreeMap<String, String> = container
            .secrets
            .iter()
            .filter(|(_, source)| source.key.is_none())
            .map(|(variable, source)| (source.secret.clone(), variable.clone()))
            .collect();
        let plan = Plan::of(input, &service.name, ready.catalogue, &whole, there, asked.wait, &run.to_string());
        let packed = plan.map(|plan| plan.packed()).transpose();
        let packed = packed.map_err(|error| Failure::fault("the task's plan can't be written").cause(error))?.unwrap_or_default();
        let (size, name) = (packed.len(), &service.name);
        if size > MOST_PLAN {
            let headline = format!("what is to be checked of {name} is too much for a task definition");
            return Err(Failure::usage(headline)
                .code(Code::IN_VPC_UNSAID)
                .cause(format!("it takes {size} bytes, and {MOST_PLAN} have room beside the service's own environment")));
        }
        let args = asked.args;
        let mut tags = tags(ready, &support.known);
        tags.insert(RUN_TAG.to_owned(), run.to_string());
        let wanted = Run {
            service: name,
            image: &program.image,
            command: vec!["preflight".to_owned(), "--inside".to_owned()],
            variable: (PLAN.to_owned(), packed),
            arm: program.arm,
            execution_role: args.parts.in_vpc_execution_role.as_deref(),
            task_role: args.parts.in_vpc_task_role.as_deref(),
            log_group: args.parts.in_vpc_log_group.as_deref(),
            groups: &args.parts.in_vpc_security_group,
            cluster: args.parts.in_vpc_cluster.as_deref(),
            tags,
        };
        let (definition, placement) =
            of_service(&ready.template, &service.deployed, &support.known, &wanted).map_err(|unsaid| {
                Failure::usage(format!("what the task of {name} needs can't be told before the service is deployed"))
                    .code(Code::IN_VPC_UNSAID)
                    .cause(unsaid)
            })?;
        let copy = |id: &String| support.copies.get(id).cloned();
        let standing = Standing {
            groups: if args.parts.in_vpc_security_group.is_empty() {
                service.parts.groups.iter().filter_map(copy).collect()
            } else {
                args.parts.in_vpc_security_group.clone()
            },
            task_role: args.parts.in_vpc_task_role.clone().or_else(|| service.parts.task_role.as_ref().and_then(copy)),
            left_out: support
                .left_out
                .iter()
                .filter(|(role, _)| service.parts.task_role.as_ref() == Some(role) && support.copies.contains_key(role))
                .map(|(_, policy)| policy.clone())
                .collect(),
            named_execution_role: args.parts.in_vpc_execution_role.clone(),
            execution_role: args.parts.in_vpc_execution_role.is_none()
                && service.parts.execution_role.as_ref().is_some_and(|role| support.made.contains(role)),
        };
        Ok(Self { service: name.clone(), definition, placement, run: run.clone(), limits: patience(asked), standing })
    }

    /// Runs the task and takes it away again, however it ends.
    pub(super) async fn carry_out(&self, account: &Account, interrupt: &Interrupt, tell: UnboundedSender<Told>) -> Outcome {
        let say = |what: InsideNews| {
            let _ = tell.send(Told { service: self.service.clone(), what });
        };
        match sweep(account, &self.placement.cluster, &self.definition.family, &self.run).await {
            Ok(gone) => gone.iter().for_each(|arn| say(InsideNews::Note(format!("took away what an earlier run left: {arn}")))),
            Err(error) => say(InsideNews::Note(format!("what earlier runs left was not looked for: {}", error.headline()))),
        }
        if interrupt.happened() {
            return Outcome { checks: Vec::new(), trouble: None, left: Vec::new() };
        }
        let family = &self.definition.family;
        let would_leave = |what| interrupt.would_leave(&format!("task of {}", self.service), what);
        would_leave(vec![format!("aws ecs list-task-definitions --family-prefix {family}  (none may be there yet)")]);
        let registered = OneOffRun::register(account, self.definition.clone(), &self.placement.cluster).await;
        let mut task = match registered {
            Ok(task) => task,
            Err(error) => {
                would_leave(Vec::new());
                return Outcome { checks: Vec::new(), trouble: Some(refused(&error)), left: Vec::new() };
            }
        };
        would_leave(task.stays(&self.run));
        let (checks, trouble) = self.followed(account, &mut task, interrupt, &say, &would_leave).await;
        if interrupt.happened() {
            say(InsideNews::Note("stopping the task; Ctrl-C again leaves it to the next run".to_owned()));
        }
        let left = task.clean(account).await;
        would_leave(Vec::new());
        for what in &left {
            say(InsideNews::Note(format!("not taken away: {what}")));
        }
        Outcome { checks, trouble, left }
    }

    async fn followed(
        &self,
        account: &Account,
        task: &mut OneOffRun,
        interrupt: &Interrupt,
        say: &impl Fn(InsideNews),
        would_leave: &impl Fn(Vec<String>),
    ) -> (Vec<Check>, Option<Trouble>) {
        let run = self.run.to_string();
        if let Err(error) = task.start(account, &self.placement, &run, &self.definition.tags).await {
            return (Vec::new(), Some(refused(&error)));
        }
        would_leave(task.stays(&self.run));
        let letters = RefCell::new(Letters::of(&run));
        let mut checks = Vec::new();
        let mut spoilt = None;
        let mut tell = |happening: Happening| {
            let line = match happening {
                Happening::Status(status) => {
                    say(InsideNews::Status(status));
                    return false;
                }
                Happening::Line(line) => line,
            };
            match letters.borrow_mut().line(&line) {
                Ok(messages) => {
                    for message in messages {
                        match message {
                            Message::Saw(seen) => say(InsideNews::Saw(seen)),
                            Message::Check { check, .. } => checks.push(*check),
                            Message::Begin { .. } | Message::Done { .. } | Message::Fault { .. } => {}
                        }
                    }
                }
                Err(error) => spoilt = Some(error),
            }
            spoilt.is_some() || letters.borrow().is_whole()
        };
        let ended = task.follow(account, self.limits, interrupt.wait(), &mut tell).await;
        let letters = letters.into_inner();
        let others = letters.others.clone();
        let trouble = match (spoilt, ended) {
            (Some(spoilt), _) => Some(Trouble::Report(spoilt, others)),
            (None, Ok(Ended::Enough | Ended::Left)) => None,
            (None, Err(error)) => Some(refused(&error)),
            (None, Ok(Ended::Late(late))) => Some(match letters.end() {
                Err(spoilt) if letters.has_begun() => {
                    Trouble::Report(spoilt, others.into_iter().chain([late.to_string()]).collect())
                }
                _ => late_start(&late, others.last()),
            }),
            (None, Ok(Ended::Stopped { reason, container, exit_code, diagnosis })) => {
                let mut why = reason;
                if let Some(container) = container.filter(|container| !why.contains(container.as_str())) {
                    why = format!("{why}; {container}");
                }
                if let Some(code) = exit_code {
                    why = format!("{why}; exit code {code}");
                }
                Some(match letters.end() {
                    Err(spoilt) if letters.has_begun() => {
                        Trouble::Report(spoilt, others.into_iter().chain([format!("the task stopped: {why}")]).collect())
                    }
                    _ => {
                        let may_pass = why.contains("try again later");
                        let why = others.last().map_or(why.clone(), |last| format!("{why}; it wrote: {last}"));
                        let diagnosis = diagnosis.map(|diagnosis| self.own(diagnosis));
                        Trouble::NotStarted { why, diagnosis, advice: Vec::new(), may_pass }
                    }
                })
            }
        };
        (checks, trouble)
    }

    /// What is known of a service's task that stopped so, said of ours.
    fn own(&self, diagnosis: Diagnosis) -> Diagnosis {
        let is = |code: Code| diagnosis.code.as_deref() == Some(&code.to_string());
        let fix = if is(Code::TASK_KILLED) {
            format!(
                "it was the check that was killed, of {} MiB: run it again, or with less to do (--only, --skip)",
                self.definition.memory
            )
        } else if is(Code::TASK_COMMAND) {
            "take an image whose entry point is confluent-ecs of this version (--in-vpc-image), or leave it to the program"
                .to_owned()
        } else if is(Code::TASK_RIGHTS) && self.standing.execution_role {
            format!(
                "{}; the task had a copy of it, which a policy that names the service's own role does not let in",
                diagnosis.fix
            )
        } else {
            return diagnosis;
        };
        let cause =
            if is(Code::TASK_KILLED) { "the preflight's own container was killed".to_owned() } else { diagnosis.cause.clone() };
        Diagnosis { cause, fix, ..diagnosis }
    }

    /// What is to be shown of it: the task, its report, what stood in, and the checks.
    pub(super) fn checks(&self, input: &Input, there: &Selection, outcome: Outcome) -> Vec<Check> {
        let Outcome { checks: mut came, trouble, left } = outcome;
        let mut checks = Vec::new();
        let about = |code: Code, name: &str, title: &str| {
            let mut check = Check::of_run(code, Category::Aws, format!("{}/in-vpc/{name}", self.service), title);
            check.service = Some(self.service.clone());
            check
        };
        let mut task = about(Code::IN_VPC_TASK, "task", &format!("{}: task in the VPC", self.service));
        task.subject = Some(Subject { kind: "cluster".to_owned(), name: self.placement.cluster.clone(), pattern: None });
        task.ran_as.clone_from(&self.definition.task_role);
        task.evidence = Some(format!(
            "subnets {}, security groups {}, started by {}{}",
            self.placement.subnets.join(", "),
            self.placement.groups.join(", "),
            self.definition.execution_role,
            if self.standing.execution_role { ", a copy of the service's execution role that may pull the program" } else { "" }
        ));
        let Standing { groups, task_role, named_execution_role, .. } = &self.standing;
        let own = groups.is_empty() && task_role.is_none() && named_execution_role.is_none();
        let with = if own { "subnets, security groups, secrets and roles" } else { "subnets and secrets" };
        let ran = format!("ran with the service's {with}, and is gone again");
        match &trouble {
            Some(Trouble::NotStarted { why, diagnosis, advice, may_pass }) => {
                task.status = Status::Failed;
                task.message = if left.is_empty() { why.clone() } else { format!("{why}; not taken away: {}", left.join("; ")) };
                task.cause = may_pass.then_some(Cause::TimedOut);
                if let Some(diagnosis) = diagnosis {
                    task.why = Some(diagnosis.cause.clone());
                    task.fixes = vec![Fix::Advice { text: diagnosis.fix.clone() }];
                } else {
                    task.fixes = advice.iter().map(|text| Fix::Advice { text: text.clone() }).collect();
                }
            }
            _ if left.is_empty() => {
                task.status = Status::Passed;
                task.message = ran;
            }
            _ => {
                task.status = Status::Warned;
                task.message = format!("ran, and was not taken away: {}", left.join("; "));
            }
        }
        checks.push(task);
        if let Some(Trouble::Report(spoilt, others)) = &trouble {
            let mut report = about(Code::IN_VPC_REPORT, "report", &format!("{}: report of the task", self.service));
            report.status = Status::Failed;
            report.message = spoilt.to_string();
            report.evidence = Some(others.join("\n")).filter(|text| !text.is_empty());
            let advice = match spoilt {
                Spoilt::OtherVersion { .. } | Spoilt::OtherProtocol { .. } => {
                    "take an image or a program of this very version: --in-vpc-image, --in-vpc-binary"
                }
                _ => "run it again; if it stays so, read the task's log with `aws logs tail`",
            };
            report.fixes = vec![Fix::Advice { text: advice.to_owned() }];
            checks.push(report);
        }
        checks.extend(self.stood_in(&about));
        if trouble.is_some() {
            let known: Vec<String> = came.iter().map(|check| check.id.clone()).collect();
            let own: Vec<Check> = not_done(input, there, "the task in the VPC did not come to it");
            came.extend(own.into_iter().filter(|check| {
                check.service.as_ref().is_none_or(|service| *service == self.service) && !known.contains(&check.id)
            }));
        }
        if !self.standing.groups.is_empty() {
            // Who is let in was asked of another group than the service's.
            for check in came.iter_mut().filter(|check| check.status == Status::Failed) {
                if matches!(check.cause, Some(Cause::TimedOut | Cause::OutsideVpc | Cause::BrokerUnreachable)) {
                    check.status = Status::Unknown;
                    check.message =
                        format!("{}; the task had not the service's own security group, which may be let in", check.message);
                }
            }
        }
        checks.extend(came);
        checks
    }

    /// What the service will have and the task had not: what that leaves open is unknown.
    fn stood_in(&self, about: &impl Fn(Code, &str, &str) -> Check) -> Vec<Check> {
        let mut checks = Vec::new();
        let mut say = |name: &str, what: &str, message: String| {
            let mut check = about(Code::IN_VPC_STAND_IN, name, &format!("{}: {what}", self.service));
            check.status = Status::Unknown;
            check.message = message;
            checks.push(check);
        };
        if !self.standing.groups.is_empty() {
            let groups = self.standing.groups.join(", ");
            let message = format!("the task had {groups}; whether the service's own is let in by others is not proven");
            say("security-group", "security group", message);
        }
        if let Some(role) = &self.standing.task_role {
            let mut message = format!("the task had {role}; what others grant to the service's own by name is not proven");
            if !self.standing.left_out.is_empty() {
                message = format!("{message}; without its policies {}", self.standing.left_out.join(", "));
            }
            say("task-role", "task role", message);
        }
        if let Some(role) = &self.standing.named_execution_role {
            let message =
                format!("{role} started the task; what the service's own may read is judged from the template, not proven");
            say("execution-role", "execution role", message);
        }
        checks
    }
}

fn refused(error: &CallError) -> Trouble {
    let failure = error.failure();
    let why = failure.cause.iter().fold(failure.headline, |why, cause| format!("{why}: {cause}"));
    Trouble::NotStarted { why, diagnosis: None, advice: failure.help, may_pass: error.may_pass() }
}

/// No word of ours came in time; a last word of somebody else's may say why.
fn late_start(late: &Late, other: Option<&String>) -> Trouble {
    let why = other.map_or_else(|| late.to_string(), |other| format!("{late}; it wrote: {other}"));
    Trouble::NotStarted { why, diagnosis: None, advice: vec![late.advice().to_owned()], may_pass: true }
}
