//! What happens while something runs, as facts: one event a change, no layout, no colour. `deploy` makes them, `ui` shows them,
//! and as JSON lines they are the record of a run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Moment;

/// One change that somebody who waits wants to know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The wait began.
    Started(Started),
    /// CloudFormation says something new of the stack as a whole.
    Stack(StackChange),
    /// … or of one resource.
    Resource(ResourceChange),
    /// A service's counts or its rollout changed.
    Service(ServiceChange),
    /// ECS says something of a service in its own words.
    Message(Message),
    /// A task came, or came further.
    Task(TaskChange),
    /// A task stopped.
    TaskStopped(StoppedTask),
    /// So many tasks of a service have failed that it will hardly become stable by itself.
    Failing(Failing),
    /// AWS can't be asked right now; we go on trying.
    Blind(Blind),
    /// AWS answers again.
    Sighted { at: Moment },
    /// One look is done, whether or not something changed.
    Looked { at: Moment },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Operation {
    Create,
    Update,
    Delete,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    pub at: Moment,
    pub operation: Operation,
    pub stack: String,
    pub region: String,
    /// The families of services: how the names of their resources begin, and what people call them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub families: BTreeMap<String, String>,
}

/// How far something is. CloudFormation's own word stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Progress {
    Working,
    Done,
    Failed,
    /// Given up because something else failed.
    Cancelled,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackChange {
    /// CloudFormation's event; none where only the stack's own description tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub at: Moment,
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// CloudFormation takes back what it did.
    pub rolling_back: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceChange {
    /// CloudFormation's event.
    pub id: String,
    pub at: Moment,
    /// Its name in the template.
    pub logical: String,
    /// `AWS::ECS::Service`.
    #[serde(rename = "type")]
    pub kind: String,
    pub status: String,
    pub progress: Progress,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When work on it began.
    pub began: Moment,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceChange {
    pub at: Moment,
    pub service: String,
    pub desired: i32,
    pub running: i32,
    pub pending: i32,
    /// Tasks of the newest deployment that failed.
    pub failed: i32,
    /// `IN_PROGRESS`, `COMPLETED` or `FAILED`, where ECS says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// ECS's own id of it.
    pub id: String,
    pub at: Moment,
    pub service: String,
    pub text: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskChange {
    pub at: Moment,
    pub service: String,
    pub task: String,
    pub status: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<String>,
    /// The revision of its task definition.
    pub revision: String,
    /// When ECS made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Moment>,
}

/// A task that stopped, with all that ECS forgets after an hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedTask {
    pub at: Moment,
    pub service: String,
    pub task: String,
    pub revision: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// It stopped because something is wrong, not because it was no longer needed.
    pub failed: bool,
    pub containers: Vec<StoppedContainer>,
    /// What we make of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
}

impl StoppedTask {
    fn left_a_log(&self) -> bool {
        self.containers.iter().any(|container| !container.log.is_empty())
    }

    /// The one that says most: the last that left a log, else the last. A rollback may take the log group away before the last lines
    /// were read.
    pub fn telling<'a>(tasks: &[&'a Self]) -> Option<&'a Self> {
        tasks.iter().rev().find(|task| task.left_a_log()).or(tasks.last()).copied()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedContainer {
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The last lines that it wrote, oldest first.
    pub log: Vec<String>,
}

/// A known cause, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnosis {
    pub cause: String,
    pub fix: String,
    /// What `explain` says more about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    pub at: Moment,
    pub service: String,
    /// Tasks of what is being deployed that have failed so far.
    pub tasks: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<Diagnosis>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    pub at: Moment,
    pub why: String,
}

impl Event {
    pub fn at(&self) -> Moment {
        match self {
            Self::Started(event) => event.at,
            Self::Stack(event) => event.at,
            Self::Resource(event) => event.at,
            Self::Service(event) => event.at,
            Self::Message(event) => event.at,
            Self::Task(event) => event.at,
            Self::TaskStopped(event) => event.at,
            Self::Failing(event) => event.at,
            Self::Blind(event) => event.at,
            Self::Sighted { at } | Self::Looked { at } => *at,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Event, Operation, Started};
    use crate::base::Moment;

    #[test]
    fn an_event_is_one_line_of_json_with_its_name_first() {
        let event = Event::Started(Started {
            at: Moment::default(),
            operation: Operation::Create,
            stack: "demo-dev".to_owned(),
            region: "eu-west-1".to_owned(),
            families: BTreeMap::new(),
        });
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"started","at":"1970-01-01T00:00:00.000Z","operation":"create","stack":"demo-dev","region":"eu-west-1"}"#
        );
    }
}
