//! What was polled → what changed. The memory of a watch.
//!
//! Comes in: stack events, services, tasks, log lines, as AWS gave them, again and again. Goes out: an [`Event`] for each change,
//! once; and how it ended, when it has. Rules: pure, no clock of its own; the same polls give the same events.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::cause;
use super::outcome::Ending;
use crate::aws::{Service, Stack, StackEvent, StackStatus, Task};
use crate::base::{
    Event, Failing, Message, Moment, Operation, Progress, ResourceChange, ServiceChange, StackChange, StoppedContainer,
    StoppedTask, TaskChange,
};

const STACK: &str = "AWS::CloudFormation::Stack";
const SERVICE: &str = "AWS::ECS::Service";

/// The last lines of a stopped task's containers, by container.
pub type Logs = BTreeMap<String, Vec<String>>;

/// An ECS service as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ServiceKey {
    pub cluster: String,
    pub name: String,
}

/// What a watch found when it began: none of it is news.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Tasks with their state and health.
    pub tasks: BTreeMap<String, (String, Option<String>)>,
    pub stopped: Vec<String>,
    pub messages: Vec<String>,
}

/// All that was seen so far.
#[derive(Debug, Clone)]
pub struct Watch {
    operation: Operation,
    stack_id: String,
    /// Logical id of a service → the name that people know it by.
    names: BTreeMap<String, String>,
    last_event: Option<String>,
    status: Option<String>,
    resources: BTreeMap<String, Seen>,
    services: BTreeMap<ServiceKey, Watched>,
    messages: BTreeSet<String>,
    tasks: BTreeMap<String, (String, Option<String>)>,
    stopped: BTreeSet<String>,
    failures: Vec<ResourceChange>,
    failed_tasks: Vec<StoppedTask>,
    /// After so many failed tasks of one service somebody should decide; again after as many more.
    patience: usize,
    ending: Option<Ending>,
}

#[derive(Debug, Clone)]
struct Seen {
    verb: String,
    progress: Progress,
    began: Moment,
}

#[derive(Debug, Clone)]
struct Watched {
    label: String,
    /// The newest task definition's.
    revision: String,
    last: Option<ServiceChange>,
}

impl Watch {
    /// Watches `operation` on a stack, from the event after `marker` on.
    pub fn new(operation: Operation, stack_id: &str, marker: Option<String>, names: BTreeMap<String, String>) -> Self {
        Self {
            operation,
            stack_id: stack_id.to_owned(),
            names,
            last_event: marker,
            status: None,
            resources: BTreeMap::new(),
            services: BTreeMap::new(),
            messages: BTreeSet::new(),
            tasks: BTreeMap::new(),
            stopped: BTreeSet::new(),
            failures: Vec::new(),
            failed_tasks: Vec::new(),
            patience: usize::MAX,
            ending: None,
        }
    }

    /// Says after how many failed tasks of one service [`Event::Failing`] comes.
    pub fn set_patience(&mut self, tasks: usize) {
        self.patience = tasks.max(1);
    }

    /// Takes in what an earlier watch of the same run has told, as if it had been seen by this one. Nothing of it is told again.
    pub fn recall(&mut self, event: &Event) {
        match event {
            Event::Stack(change) => {
                self.status = Some(change.status.clone());
                self.ending = ending(self.operation, &StackStatus::new(&change.status));
                self.last_event = change.id.clone().or(self.last_event.take());
            }
            Event::Resource(change) => {
                let (verb, progress) = read_status(&change.status, change.reason.as_deref());
                let seen = Seen { verb: verb.to_owned(), progress, began: change.began };
                self.resources.insert(change.logical.clone(), seen);
                self.last_event = Some(change.id.clone());
                if progress == Progress::Failed {
                    self.failures.push(change.clone());
                }
            }
            Event::Service(change) => {
                if let Some(watched) = self.services.values_mut().find(|watched| watched.label == change.service) {
                    watched.last = Some(change.clone());
                }
            }
            Event::Message(message) => {
                self.messages.insert(message.id.clone());
            }
            Event::Task(change) => {
                self.tasks.insert(change.task.clone(), (change.status.clone(), change.health.clone()));
            }
            Event::TaskStopped(stopped) => {
                self.stopped.insert(stopped.task.clone());
                if stopped.failed {
                    self.failed_tasks.push(stopped.clone());
                }
            }
            Event::Started(_) | Event::Failing(_) | Event::Blind(_) | Event::Sighted { .. } | Event::Looked { .. } => {}
        }
    }

    /// What was there before it began.
    pub fn before(&self) -> Known {
        Known {
            tasks: self.tasks.clone(),
            stopped: self.stopped.iter().cloned().collect(),
            messages: self.messages.iter().cloned().collect(),
        }
    }

    /// Takes up what [`Watch::before`] gave.
    pub fn known_before(&mut self, known: &Known) {
        self.tasks.clone_from(&known.tasks);
        self.stopped.extend(known.stopped.iter().cloned());
        self.messages.extend(known.messages.iter().cloned());
    }

    /// Takes what was there before as known, so that only what comes later is news.
    pub fn known(&mut self, logical: &str, service: &Service, tasks: &[Task]) {
        if let Some(key) = service_key(&service.arn) {
            self.add_service(logical, key);
        }
        self.messages.extend(service.messages.iter().map(|message| message.id.clone()));
        for task in tasks {
            if is_over(task) {
                self.stopped.insert(task.id.clone());
            } else {
                self.tasks.insert(task.id.clone(), (task.status.clone(), health(task)));
            }
        }
    }

    /// Ask for the events after this one.
    pub fn last_event(&self) -> Option<&str> {
        self.last_event.as_deref()
    }

    /// Ask for these services.
    pub fn services(&self) -> impl Iterator<Item = &ServiceKey> {
        self.services.keys()
    }

    /// The name that people know a service by.
    pub fn label<'a>(&'a self, key: &'a ServiceKey) -> &'a str {
        self.services.get(key).map_or(&key.name, |watched| &watched.label)
    }

    /// The service that people know by this name.
    pub fn key(&self, label: &str) -> Option<&ServiceKey> {
        self.services.iter().find(|(_, watched)| watched.label == label).map(|(key, _)| key)
    }

    /// How it ended, once it has.
    pub fn ending(&self) -> Option<Ending> {
        self.ending
    }

    pub fn status(&self) -> Option<&str> {
        self.status.as_deref()
    }

    /// The resources that failed of themselves, first cause first.
    pub fn failures(&self) -> &[ResourceChange] {
        &self.failures
    }

    /// The tasks that failed, in the order in which they were seen to.
    pub fn failed_tasks(&self) -> &[StoppedTask] {
        &self.failed_tasks
    }

    /// Whether a service deploys this revision now.
    pub fn deploys(&self, service: &str, wanted: &str) -> bool {
        self.services.values().any(|watched| watched.label == service && watched.revision == wanted)
    }

    /// CloudFormation takes back what it did.
    pub fn is_rolling_back(&self) -> bool {
        self.status.as_deref().is_some_and(|status| status.contains("ROLLBACK"))
    }

    /// The resource has a service by now; its name in the template.
    pub fn found(&mut self, logical: &str, service_arn: &str) {
        if let Some(key) = service_key(service_arn) {
            self.add_service(logical, key);
        }
    }

    /// Of these tasks, those whose last log lines are worth keeping: they failed, and were not yet told of.
    pub fn wants_logs<'a>(&self, tasks: &'a [Task]) -> Vec<&'a Task> {
        tasks.iter().filter(|task| is_over(task) && !self.stopped.contains(&task.id) && failed(task)).collect()
    }

    /// Folds in the stack and its new events, oldest first.
    pub fn stack(&mut self, at: Moment, stack: Option<&Stack>, events: &[StackEvent]) -> Vec<Event> {
        let mut news = Vec::new();
        for event in events {
            // What comes after the end belongs to somebody else's operation.
            if self.ending.is_some() {
                break;
            }
            self.last_event = Some(event.id.clone());
            if event.kind == STACK && event.physical.as_deref().is_none_or(|physical| physical == self.stack_id) {
                self.stack_event(event, &mut news);
            } else {
                self.resource_event(event, &mut news);
            }
        }
        // Somebody may have deleted it under us, and its events with it.
        let gone = stack.is_none_or(|stack| stack.status.is_deleted());
        if gone && self.ending.is_none() {
            let status = StackStatus::new("DELETE_COMPLETE");
            self.ending = ending(self.operation, &status);
            self.status = Some(status.to_string());
            news.push(Event::Stack(StackChange { id: None, at, status: status.to_string(), reason: None, rolling_back: false }));
        }
        news
    }

    fn stack_event(&mut self, event: &StackEvent, news: &mut Vec<Event>) {
        let status = StackStatus::new(&event.status);
        self.ending = ending(self.operation, &status);
        if self.status.as_ref() == Some(&event.status) {
            return;
        }
        self.status = Some(event.status.clone());
        news.push(Event::Stack(StackChange {
            id: Some(event.id.clone()),
            at: event.at,
            status: event.status.clone(),
            reason: event.reason.clone(),
            rolling_back: status.is_rollback(),
        }));
    }

    fn resource_event(&mut self, event: &StackEvent, news: &mut Vec<Event>) {
        if event.kind == SERVICE
            && let Some(key) = event.physical.as_deref().and_then(service_key)
        {
            self.add_service(&event.logical, key);
        }
        let (verb, progress) = read_status(&event.status, event.reason.as_deref());
        let before = self.resources.get(&event.logical).filter(|seen| seen.verb == verb);
        if before.is_some_and(|seen| seen.progress == progress) {
            return;
        }
        let began = match before {
            Some(seen) if seen.progress == Progress::Working => seen.began,
            _ => event.at,
        };
        self.resources.insert(event.logical.clone(), Seen { verb: verb.to_owned(), progress, began });
        let change = ResourceChange {
            id: event.id.clone(),
            at: event.at,
            logical: event.logical.clone(),
            kind: event.kind.clone(),
            status: event.status.clone(),
            progress,
            reason: event.reason.clone(),
            began,
        };
        if progress == Progress::Failed {
            self.failures.push(change.clone());
        }
        news.push(Event::Resource(change));
    }

    fn add_service(&mut self, logical: &str, key: ServiceKey) {
        let label = self.names.get(logical).map_or(logical, String::as_str).to_owned();
        self.services.entry(key).or_insert(Watched { label, revision: String::new(), last: None });
    }

    /// Folds in the services as they are now.
    pub fn service(&mut self, at: Moment, service: &Service) -> Vec<Event> {
        let mut news = Vec::new();
        let Some(watched) = service_key(&service.arn).and_then(|key| self.services.get_mut(&key)) else { return news };
        revision(&service.task_definition).clone_into(&mut watched.revision);
        for message in &service.messages {
            if self.messages.insert(message.id.clone()) {
                news.push(Event::Message(Message {
                    id: message.id.clone(),
                    at: message.at,
                    service: watched.label.clone(),
                    text: message.text.clone(),
                }));
            }
        }
        let primary = service.primary();
        let change = ServiceChange {
            at,
            service: watched.label.clone(),
            desired: service.desired,
            running: service.running,
            pending: service.pending,
            failed: primary.map_or(0, |deployment| deployment.failed),
            rollout: primary.and_then(|deployment| deployment.rollout.clone()),
            reason: primary.and_then(|deployment| deployment.rollout_reason.clone()),
        };
        if watched.last.as_ref().is_none_or(|last| ServiceChange { at, ..last.clone() } != change) {
            watched.last = Some(change.clone());
            news.push(Event::Service(change));
        }
        news
    }

    /// Folds in a service's tasks, with the log lines that were kept of those that [`Watch::wants_logs`] named.
    pub fn tasks(&mut self, at: Moment, key: &ServiceKey, tasks: &[Task], logs: &BTreeMap<String, Logs>) -> Vec<Event> {
        let mut news = Vec::new();
        let service = self.label(key).to_owned();
        for task in tasks {
            let revision = revision(&task.task_definition).to_owned();
            if is_over(task) {
                if self.stopped.insert(task.id.clone()) {
                    let stopped = stopped_task(at, &service, task, revision, logs.get(&task.id));
                    let failing = stopped.failed.then(|| {
                        self.failed_tasks.push(stopped.clone());
                        self.failing(at, &stopped)
                    });
                    news.push(Event::TaskStopped(stopped));
                    news.extend(failing.flatten());
                }
                continue;
            }
            let now = (task.status.clone(), health(task));
            if self.tasks.get(&task.id) != Some(&now) {
                self.tasks.insert(task.id.clone(), now.clone());
                news.push(Event::Task(TaskChange {
                    at,
                    service: service.clone(),
                    task: task.id.clone(),
                    status: now.0,
                    health: now.1,
                    revision,
                    created: task.created,
                }));
            }
        }
        news
    }
}

impl Watch {
    /// Whether this failed task is one too many for its service. What is being taken back already needs no decision.
    fn failing(&self, at: Moment, last: &StoppedTask) -> Option<Event> {
        let of_it = |task: &&StoppedTask| task.service == last.service && task.revision == last.revision;
        let tasks = self.failed_tasks.iter().filter(of_it).count();
        let too_many = tasks % self.patience == 0 && self.deploys(&last.service, &last.revision) && !self.is_rolling_back();
        let diagnosis = last.diagnosis.clone();
        too_many.then(|| Event::Failing(Failing { at, service: last.service.clone(), tasks, diagnosis }))
    }
}

/// The verb and how far it is: `CREATE_FAILED` is (`CREATE`, Failed).
fn read_status<'a>(status: &'a str, reason: Option<&str>) -> (&'a str, Progress) {
    if let Some(verb) = status.strip_suffix("_IN_PROGRESS") {
        (verb, Progress::Working)
    } else if let Some(verb) = status.strip_suffix("_FAILED") {
        // CloudFormation stops what is under way when something else fails, and calls that a failure too.
        let cancelled = reason.is_some_and(|reason| reason.starts_with("Resource ") && reason.ends_with(" cancelled"));
        (verb, if cancelled { Progress::Cancelled } else { Progress::Failed })
    } else {
        (status.strip_suffix("_COMPLETE").or_else(|| status.strip_suffix("_SKIPPED")).unwrap_or(status), Progress::Done)
    }
}

fn ending(operation: Operation, status: &StackStatus) -> Option<Ending> {
    if status.is_running() || status.is_review() {
        None
    } else if status.as_str().ends_with("_FAILED") {
        Some(Ending::Stuck)
    } else if status.is_deleted() {
        Some(if operation == Operation::Delete { Ending::Complete } else { Ending::RolledBack })
    } else if status.is_rollback() {
        Some(Ending::RolledBack)
    } else {
        Some(Ending::Complete)
    }
}

/// `arn:aws:ecs:eu-west-1:111122223333:service/cluster/name`; the short form without a cluster means the default one.
pub(super) fn service_key(arn: &str) -> Option<ServiceKey> {
    let (_, path) = arn.split_once(":service/")?;
    let (cluster, name) = path.split_once('/').unwrap_or(("default", path));
    Some(ServiceKey { cluster: cluster.to_owned(), name: name.to_owned() })
}

/// A task is over when its containers are: ECS knows the reason then, and only takes the network interface away yet.
fn is_over(task: &Task) -> bool {
    matches!(task.status.as_str(), "STOPPED" | "DEPROVISIONING" | "DELETED")
}

fn failed(task: &Task) -> bool {
    cause::is_failure(task.stop_code.as_deref(), task.stop_reason.as_deref())
}

fn health(task: &Task) -> Option<String> {
    task.health.clone().filter(|health| health != "UNKNOWN")
}

/// `connect:12` of a task definition's ARN.
pub(super) fn revision(task_definition: &str) -> &str {
    task_definition.rsplit('/').next().unwrap_or(task_definition)
}

/// The containers of a task that stopped, each with its last lines where they were read.
pub(super) fn stopped_containers(task: &Task, logs: Option<&Logs>) -> Vec<StoppedContainer> {
    let last_lines = |name: &String| logs.and_then(|logs| logs.get(name)).cloned().unwrap_or_default();
    task.containers
        .iter()
        .map(|container| StoppedContainer {
            name: container.name.clone(),
            exit_code: container.exit_code,
            reason: container.reason.clone(),
            log: last_lines(&container.name),
        })
        .collect()
}

fn stopped_task(at: Moment, service: &str, task: &Task, revision: String, logs: Option<&Logs>) -> StoppedTask {
    let containers = stopped_containers(task, logs);
    let failed = failed(task);
    StoppedTask {
        at: task.stopped.unwrap_or(at),
        service: service.to_owned(),
        task: task.id.clone(),
        revision,
        stop_code: task.stop_code.clone(),
        reason: task.stop_reason.clone(),
        failed,
        diagnosis: if failed { cause::diagnose(task.stop_reason.as_deref(), &containers) } else { None },
        containers,
    }
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
