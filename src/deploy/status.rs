//! How a stack is now: its last operation, its services and their tasks, and a verdict with an exit code for monitoring.
//!
//! Comes in: an account and a stack. Goes out: [`Status`]. Rules: reads only.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use super::cause;
use super::fold::{Watch, revision, service_key};
use super::parameters::secret_facts;
use crate::aws::{Account, Drift, DriftDetection, Output, Service, Stack, StackEvent, Task};
use crate::base::{Deadline, Event, Exit, Message, Moment, Operation, ResourceChange, Result, StoppedTask};
use crate::cloudformation::Template;

/// A task that failed within this time says that its service is not well, even if another one has taken its place.
const CRASH_LOOP: Duration = Duration::from_mins(2);

/// Drift is looked for within this.
const DRIFT_LIMIT: Duration = Duration::from_mins(3);
const POLL: Duration = Duration::from_secs(1);

/// The verdict, from good to bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// All that shall run runs.
    Healthy,
    /// Something is being changed, or tasks are still coming.
    Working,
    /// The last change failed and was taken back; what ran before runs.
    RolledBack,
    /// Less runs than shall, or CloudFormation needs a person.
    Broken,
    Absent,
}

impl Verdict {
    pub fn exit(self) -> Exit {
        match self {
            Self::Healthy => Exit::Done,
            Self::Working => Exit::TimedOut,
            Self::RolledBack => Exit::DeployFailed,
            Self::Broken => Exit::Stuck,
            Self::Absent => Exit::Usage,
        }
    }
}

/// A stack as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    pub stack: String,
    pub region: String,
    pub account: String,
    pub verdict: Verdict,
    /// CloudFormation's word for it.
    pub status: Option<String>,
    pub changed: Option<Moment>,
    pub services: Vec<ServiceStatus>,
    /// What failed in the last operation, first cause first.
    pub failures: Vec<ResourceChange>,
    pub outputs: Vec<Output>,
    pub secrets: Vec<SecretAge>,
    /// What was changed past CloudFormation, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drift: Option<Drifts>,
}

/// A secret beside what the running tasks have read of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretAge {
    pub secret: String,
    /// When its newest version was stored.
    pub changed: Option<Moment>,
    /// The stack was deployed with an older version.
    pub stale: bool,
}

/// What a look for drift has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drifts {
    pub found: Vec<Drift>,
    /// Why not everything could be looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incomplete: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceStatus {
    pub service: String,
    /// The stack has it, and ECS has not: it was deleted past CloudFormation.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
    pub desired: i32,
    pub running: i32,
    pub pending: i32,
    pub rollout: Option<String>,
    pub revision: String,
    /// What its tasks run, each image once; where two revisions run there may be two of one container.
    pub images: Vec<String>,
    pub tasks: Vec<TaskStatus>,
    /// Tasks that failed lately, the newest last; ECS remembers them for about an hour.
    pub failed: Vec<StoppedTask>,
    /// What ECS said last.
    pub message: Option<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaskStatus {
    pub task: String,
    pub status: String,
    pub health: Option<String>,
    pub revision: String,
    pub zone: Option<String>,
    pub started: Option<Moment>,
}

/// Looks at a stack.
pub async fn status(account: &Account, template: &Template) -> Result<Status> {
    let (name, deployed) = (&template.stack_name, &template.services);
    let mut status = Status {
        stack: name.clone(),
        region: account.region.clone(),
        account: account.caller.account.clone(),
        verdict: Verdict::Absent,
        status: None,
        changed: None,
        services: Vec::new(),
        failures: Vec::new(),
        outputs: Vec::new(),
        secrets: Vec::new(),
        drift: None,
    };
    let Some(stack) = account.stack(name).await? else { return Ok(status) };
    status.status = Some(stack.status.to_string());
    status.changed = stack.updated.max(stack.created);
    let events = account.stack_events(&stack.id, None).await?;
    status.failures = failures_of_last_operation(&stack, &events);
    for resource in account.stack_resources(&stack.id).await? {
        if resource.kind != "AWS::ECS::Service" {
            continue;
        }
        let Some(key) = resource.physical.as_deref().and_then(service_key) else { continue };
        let family = deployed.iter().find(|deployed| deployed.service == resource.logical);
        let label = family.map_or(resource.logical.as_str(), |deployed| &deployed.family);
        let found = account.services(&key.cluster, std::slice::from_ref(&key.name)).await?.pop();
        let Some(service) = found.filter(Service::is_active) else {
            // One that CloudFormation has deleted, or deletes now, is meant to be gone.
            if matches!(resource.status.as_str(), "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_FAILED" | "IMPORT_COMPLETE") {
                status.services.push(ServiceStatus::gone(label));
            }
            continue;
        };
        let tasks = account.tasks(&key.cluster, &key.name).await?;
        status.services.push(ServiceStatus {
            service: label.to_owned(),
            gone: false,
            desired: service.desired,
            running: service.running,
            pending: service.pending,
            rollout: service.primary().and_then(|primary| primary.rollout.clone()),
            revision: revision(&service.task_definition).to_owned(),
            images: images(&tasks),
            failed: failed_tasks(&stack, &resource.logical, label, &service, &tasks),
            tasks: tasks.iter().filter(|task| task.status != "STOPPED").map(task_status).collect(),
            message: service.messages.last().map(|message| Message {
                id: message.id.clone(),
                at: message.at,
                service: label.to_owned(),
                text: message.text.clone(),
            }),
        });
    }
    status.verdict = verdict(Moment::now(), &stack, &status.services);
    // Who may not look at secrets still learns how the stack is.
    for (parameter, facts) in secret_facts(account, template).await.unwrap_or_default() {
        let Some(deployed) = stack.parameters.get(&parameter) else { continue };
        let stale = facts.version.as_ref().is_some_and(|newest| newest != deployed);
        status.secrets.push(SecretAge { secret: facts.name, changed: facts.changed.or(facts.created), stale });
    }
    status.outputs = stack.outputs;
    Ok(status)
}

impl ServiceStatus {
    fn gone(label: &str) -> Self {
        Self {
            service: label.to_owned(),
            gone: true,
            desired: 0,
            running: 0,
            pending: 0,
            rollout: None,
            revision: String::new(),
            images: Vec::new(),
            tasks: Vec::new(),
            failed: Vec::new(),
            message: None,
        }
    }
}

/// Has CloudFormation look for what was changed past it.
pub async fn drift(account: &Account, name: &str) -> Result<Drifts> {
    let id = account.detect_drift(name).await?;
    let deadline = Deadline::after(DRIFT_LIMIT);
    let incomplete = loop {
        match account.drift_detection(&id).await? {
            DriftDetection::Done => break None,
            DriftDetection::Incomplete(why) => break Some(why),
            DriftDetection::Working if deadline.passed() => {
                break Some(format!("CloudFormation was still at work on it after {} s", DRIFT_LIMIT.as_secs()));
            }
            DriftDetection::Working => tokio::time::sleep(POLL).await,
        }
    };
    Ok(Drifts { found: account.drifts(name).await?, incomplete })
}

fn verdict(now: Moment, stack: &Stack, services: &[ServiceStatus]) -> Verdict {
    let wanting = |service: &ServiceStatus| service.running < service.desired;
    // Between two crashes all tasks may run for a moment.
    let crashed = |service: &ServiceStatus| {
        service.failed.iter().any(|task| task.revision == service.revision && now.since(task.at) < CRASH_LOOP)
    };
    let failing = |service: &ServiceStatus| {
        service.gone || crashed(service) || wanting(service) && service.rollout.as_deref() == Some("FAILED")
    };
    if stack.status.is_running() || stack.status.is_review() {
        Verdict::Working
    } else if stack.status.as_str().ends_with("_FAILED") || services.iter().any(failing) {
        Verdict::Broken
    } else if stack.status.is_rollback() {
        Verdict::RolledBack
    } else if services.iter().any(|s| wanting(s) || s.rollout.as_deref() == Some("IN_PROGRESS")) {
        Verdict::Working
    } else {
        Verdict::Healthy
    }
}

/// The events from the last beginning on, through the same fold as a watch.
fn failures_of_last_operation(stack: &Stack, events: &[StackEvent]) -> Vec<ResourceChange> {
    let begins = |event: &StackEvent| {
        event.physical.as_deref() == Some(stack.id.as_str())
            && matches!(event.status.as_str(), "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS")
    };
    let start = events.iter().rposition(begins).unwrap_or_default();
    let mut watch = Watch::new(Operation::Update, &stack.id, None, BTreeMap::new());
    watch.stack(Moment::now(), Some(stack), &events[start..]);
    watch.failures().to_vec()
}

/// Stopped tasks that failed, by the fold of a watch; without log lines, which only a watch keeps.
fn failed_tasks(stack: &Stack, logical: &str, label: &str, service: &Service, tasks: &[Task]) -> Vec<StoppedTask> {
    let Some(key) = service_key(&service.arn) else { return Vec::new() };
    let names = BTreeMap::from([(logical.to_owned(), label.to_owned())]);
    let mut watch = Watch::new(Operation::Update, &stack.id, None, names);
    watch.known(logical, service, &[]);
    let failed: Vec<Task> =
        tasks.iter().filter(|task| cause::is_failure(task.stop_code.as_deref(), task.stop_reason.as_deref())).cloned().collect();
    let events = watch.tasks(Moment::now(), &key, &failed, &BTreeMap::new());
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::TaskStopped(stopped) if stopped.failed => Some(stopped),
            _ => None,
        })
        .collect()
}

fn images(tasks: &[Task]) -> Vec<String> {
    let running = tasks.iter().filter(|task| task.status == "RUNNING").flat_map(|task| &task.containers);
    let images: BTreeSet<&String> = running.filter_map(|container| container.image.as_ref()).collect();
    images.into_iter().cloned().collect()
}

fn task_status(task: &Task) -> TaskStatus {
    TaskStatus {
        task: task.id.clone(),
        status: task.status.clone(),
        health: task.health.clone().filter(|health| health != "UNKNOWN"),
        revision: revision(&task.task_definition).to_owned(),
        zone: task.zone.clone(),
        started: task.started,
    }
}

#[cfg(test)]
mod tests {
    use super::{ServiceStatus, Verdict, verdict};
    use crate::aws::{Stack, StackStatus, Tags};
    use crate::base::Moment;

    fn stack(status: &str) -> Stack {
        Stack {
            id: "id".to_owned(),
            name: "demo".to_owned(),
            status: StackStatus::new(status),
            reason: None,
            created: None,
            updated: None,
            outputs: Vec::new(),
            parameters: Tags::new(),
            tags: Tags::new(),
            termination_protection: false,
        }
    }

    fn service(running: i32, rollout: &str) -> ServiceStatus {
        ServiceStatus {
            service: "connect".to_owned(),
            gone: false,
            desired: 2,
            running,
            pending: 0,
            rollout: Some(rollout.to_owned()),
            revision: String::new(),
            images: Vec::new(),
            tasks: Vec::new(),
            failed: Vec::new(),
            message: None,
        }
    }

    #[test]
    fn the_verdict_is_about_what_runs_and_what_cloudformation_says() {
        for (status, services, wanted) in [
            ("CREATE_COMPLETE", vec![service(2, "COMPLETED")], Verdict::Healthy),
            ("CREATE_COMPLETE", vec![service(1, "COMPLETED")], Verdict::Working),
            ("CREATE_COMPLETE", vec![service(1, "FAILED")], Verdict::Broken),
            ("UPDATE_IN_PROGRESS", vec![service(2, "COMPLETED")], Verdict::Working),
            ("UPDATE_ROLLBACK_COMPLETE", vec![service(2, "COMPLETED")], Verdict::RolledBack),
            ("UPDATE_ROLLBACK_FAILED", vec![], Verdict::Broken),
            ("CREATE_COMPLETE", vec![ServiceStatus::gone("connect")], Verdict::Broken),
            ("UPDATE_IN_PROGRESS", vec![ServiceStatus::gone("connect")], Verdict::Working),
        ] {
            assert_eq!(verdict(Moment::default(), &stack(status), &services), wanted, "{status}");
        }
    }
}
