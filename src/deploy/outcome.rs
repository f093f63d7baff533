//! How a deploy ended, as data with its exit code.

use serde::{Deserialize, Serialize};

use super::farewell::Farewell;
use crate::aws::Output;
use crate::base::{Code, Exit, Operation, ResourceChange, StoppedTask};

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The stack was as asked for already.
    NoChanges,
    Complete,
    /// CloudFormation calls it complete, but something else runs than was asked for.
    Differs,
    /// It failed, and CloudFormation took it back.
    RolledBack,
    /// CloudFormation took it back, as was asked for.
    TakenBack,
    /// CloudFormation can't go on by itself.
    Stuck,
    /// Our time is over; CloudFormation goes on.
    TimedOut,
    /// AWS could not be asked any more; CloudFormation goes on.
    LostSight,
    /// The user stopped watching; CloudFormation goes on.
    Detached,
    /// The user said no; nothing was changed.
    Declined,
}

impl Ending {
    pub fn exit(self) -> Exit {
        match self {
            Self::NoChanges | Self::Complete | Self::TakenBack => Exit::Done,
            Self::RolledBack | Self::Differs => Exit::DeployFailed,
            Self::Stuck => Exit::Stuck,
            Self::TimedOut | Self::LostSight => Exit::TimedOut,
            Self::Detached | Self::Declined => Exit::Interrupted,
        }
    }

    /// The page that says what it means, where it isn't what was asked for.
    pub fn code(self) -> Option<Code> {
        match self {
            Self::NoChanges | Self::Complete | Self::TakenBack | Self::Detached | Self::Declined => None,
            Self::RolledBack => Some(Code::DEPLOY_FAILED),
            Self::Differs => Some(Code::NOT_AS_ASKED),
            Self::Stuck => Some(Code::STUCK),
            Self::TimedOut | Self::LostSight => Some(Code::UNWATCHED),
        }
    }

    /// Whether CloudFormation is still at work.
    pub fn still_runs(self) -> bool {
        matches!(self, Self::TimedOut | Self::LostSight | Self::Detached)
    }
}

/// Why AWS could not be asked, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    pub what: String,
    pub help: Vec<String>,
}

impl Outcome {
    /// One in which nothing happened that could be told of.
    pub fn of(stack: &str, operation: Operation, ending: Ending) -> Self {
        Self {
            stack: stack.to_owned(),
            operation,
            ending,
            status: None,
            seconds: 0,
            failures: Vec::new(),
            failed_tasks: Vec::new(),
            outputs: Vec::new(),
            verified: Vec::new(),
            differences: Vec::new(),
            unverified: Vec::new(),
            trouble: None,
            farewell: None,
            run: None,
        }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    pub stack: String,
    pub operation: Operation,
    pub ending: Ending,
    /// CloudFormation's last word.
    pub status: Option<String>,
    pub seconds: u64,
    /// The resources that failed of themselves, first cause first.
    pub failures: Vec<ResourceChange>,
    /// The tasks that failed meanwhile.
    pub failed_tasks: Vec<StoppedTask>,
    pub outputs: Vec<Output>,
    /// What was looked at after CloudFormation had called it complete, and is as it should be.
    pub verified: Vec<String>,
    /// What runs otherwise than the template says.
    pub differences: Vec<String>,
    /// What could not be looked at, and why.
    pub unverified: Vec<String>,
    /// Why AWS could not be asked any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Of a deletion: what goes, and what stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub farewell: Option<Farewell>,
    /// The name of its journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}
