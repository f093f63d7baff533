//! The report: typed, complete, without layout. `tests/schema/preflight.v1.json` describes its JSON.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::fix::Fix;
use super::input::Input;
use super::rights::Right;
use super::shape::TopicConfig;
use crate::base::{Cause, Code, Exit, Place};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Passed,
    /// It will run, and something will be missing or weak.
    Warned,
    Failed,
    /// Not done, because something it needs did not pass or is not there.
    Skipped,
    /// Asked, and no answer can be given.
    Unknown,
}

impl Status {
    /// May what needs this check go on?
    pub fn holds(self) -> bool {
        matches!(self, Self::Passed | Self::Warned)
    }

    pub fn is_trouble(self) -> bool {
        matches!(self, Self::Failed | Self::Unknown)
    }
}

macro_rules! categories {
    ($($name:ident = $word:literal,)*) => {
        /// A group of checks, in the order in which they are shown.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Category {
            $(#[serde(rename = $word)] $name,)*
        }

        impl Category {
            pub const ALL: &'static [Category] = &[$(Category::$name),*];

            pub fn as_str(self) -> &'static str {
                match self {
                    $(Category::$name => $word,)*
                }
            }
        }
    };
}

categories! {
    Config = "config",
    Aws = "aws",
    Secrets = "secrets",
    Kafka = "kafka",
    KafkaAcls = "kafka-acls",
    SchemaRegistry = "schema-registry",
    Urls = "urls",
    Collisions = "collisions",
}

/// From where the checks ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Vantage {
    /// In a task on ECS.
    Inside,
    /// On a machine of nobody knows which network: on EC2, but not as a task.
    Unknown,
    /// Anywhere else.
    Outside,
}

/// What a check is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
}

/// Where the setting that a check is about was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    pub file: String,
    pub line: u32,
}

impl From<&Place> for Origin {
    fn from(place: &Place) -> Self {
        Self { file: place.file.to_string(), line: place.line }
    }
}

/// One address of several that a check tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    pub message: String,
}

/// One check and what came of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Check {
    pub id: String,
    pub code: Code,
    pub category: Category,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The clients inside the service that this holds for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<String>,
    pub status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
    pub title: String,
    /// The short name in a column of its own; the title says it in full.
    #[serde(skip)]
    pub label: String,
    /// What was seen; for a skipped check, why it was skipped.
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ran_as: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Subject>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    pub fixes: Vec<Fix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The codes of the checks that had to pass before.
    pub needs: Vec<Code>,
    pub attempts: u32,
    pub duration_ms: u64,
    /// Asked as who runs this, not as the task will be.
    #[serde(skip)]
    pub(super) as_caller: bool,
    /// The right that was asked about, before reasons and fixes are put into words.
    #[serde(skip)]
    pub(super) right: Option<Right>,
    /// A setting of a topic that has to change.
    #[serde(skip)]
    pub(super) topic_config: Option<TopicConfig>,
}

impl Check {
    pub(super) fn new(code: Code, category: Category, id: impl Into<String>, title: impl Into<String>) -> Self {
        let title = title.into();
        Self {
            id: format!("{}/{}", category.as_str(), id.into()),
            code,
            category,
            service: None,
            clients: Vec::new(),
            status: Status::Unknown,
            cause: None,
            label: title.clone(),
            title,
            message: String::new(),
            ran_as: None,
            subject: None,
            expected: Vec::new(),
            observed: None,
            missing: Vec::new(),
            parts: Vec::new(),
            evidence: None,
            why: None,
            fixes: Vec::new(),
            origin: None,
            needs: Vec::new(),
            attempts: 1,
            duration_ms: 0,
            as_caller: false,
            right: None,
            topic_config: None,
        }
    }

    /// A check of the run itself, by who carries it out.
    pub fn of_run(code: Code, category: Category, id: impl Into<String>, title: impl Into<String>) -> Self {
        Self::new(code, category, id, title)
    }

    pub(super) fn ended(mut self, status: Status, message: impl Into<String>) -> Self {
        self.status = status;
        self.message = message.into();
        self
    }

    pub(super) fn passed(self, message: impl Into<String>) -> Self {
        self.ended(Status::Passed, message)
    }

    /// A right of who runs this, granted or not, is none of the task's.
    pub(super) fn not_credited_to_the_task(&mut self) {
        if self.as_caller && self.category == Category::KafkaAcls && !matches!(self.status, Status::Skipped | Status::Unknown) {
            self.status = Status::Unknown;
            self.message = format!("{}, as who runs this; the task's role is another", self.message);
        }
    }

    pub(super) fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// May the next try end otherwise without a change to the project's files?
    pub fn is_worth_repeating(&self) -> bool {
        self.status.is_trouble()
            && match self.cause {
                Some(cause) => cause.is_transient() || cause == Cause::BadCredentials,
                // Who is in a group may leave it; whose it is nobody will tell by being asked again.
                None => match self.category {
                    Category::Collisions => self.status == Status::Failed,
                    category => category == Category::KafkaAcls,
                },
            }
    }
}

/// How many checks ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub passed: usize,
    pub warned: usize,
    pub failed: usize,
    pub skipped: usize,
    pub unknown: usize,
}

/// The cluster that the project names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kafka {
    pub provider: String,
    /// The provider in a person's words.
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,
}

/// The account that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aws {
    pub account: String,
    pub region: String,
}

/// What the report is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TargetFacts {
    pub project: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    pub services: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kafka: Option<Kafka>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aws: Option<Aws>,
}

/// Everything that was checked.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub schema: &'static str,
    pub vantage: Vantage,
    pub target: TargetFacts,
    pub summary: Summary,
    pub exit_code: u8,
    pub duration_ms: u64,
    pub checks: Vec<Check>,
}

impl Report {
    pub(super) fn new(input: &Input, vantage: Vantage, checks: Vec<Check>, took: Duration) -> Self {
        let mut report = Self {
            schema: "confluent-ecs/preflight/v1",
            vantage,
            target: input.facts(),
            summary: Summary::default(),
            exit_code: 0,
            duration_ms: millis(took),
            checks,
        };
        report.count();
        report
    }

    /// What led up to the checks is part of how long they took: files, credentials, secrets, the tasks that run already.
    #[must_use]
    pub fn since(mut self, started: Instant) -> Self {
        self.duration_ms = millis(started.elapsed());
        self
    }

    fn count(&mut self) {
        let of = |status| self.checks.iter().filter(|check| check.status == status).count();
        self.summary = Summary {
            passed: of(Status::Passed),
            warned: of(Status::Warned),
            failed: of(Status::Failed),
            skipped: of(Status::Skipped),
            unknown: of(Status::Unknown),
        };
    }

    /// How the run ends. Every failure worth a retry: 9. Warnings and unknowns count only when they are asked to.
    pub fn exit(&self, strict: bool) -> Exit {
        let mut failed = self.checks.iter().filter(|check| check.status == Status::Failed).peekable();
        if failed.peek().is_some() {
            let transient = failed.all(|check| check.cause.is_some_and(Cause::is_transient));
            return if transient { Exit::Retry } else { Exit::PreflightFailed };
        }
        if strict && self.summary.warned + self.summary.unknown > 0 { Exit::Strict } else { Exit::Done }
    }

    /// Puts the exit code into the document.
    #[must_use]
    pub fn closed(mut self, strict: bool) -> Self {
        self.exit_code = self.exit(strict) as u8;
        self
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
