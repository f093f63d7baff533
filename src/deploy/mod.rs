//! From a template to a running stack, and back: plan, execute, watch, look, remove.
//!
//! Comes in: a template with its parameters' needs, an account. Goes out: a [`Plan`], [`Event`](crate::base::Event)s while it
//! happens, and an [`Outcome`] with its exit code. Rules: what decides is pure ([`fold`], [`plan`], [`state`], [`cause`]), what asks AWS
//! decides nothing; nothing that was made and not executed stays behind; a stack that isn't ours is left alone.

mod answers;
mod balancers;
mod cause;
mod change;
mod farewell;
mod fold;
mod gap;
pub mod journal;
mod kept;
mod logs;
mod lookup;
pub mod one_off;
mod outcome;
mod pace;
mod parameters;
mod plan;
mod policy;
mod policy_rows;
mod scram;
mod secrets;
mod state;
mod status;
mod storage;
mod tasks;
mod verify;
mod watch;
mod whose;

pub use crate::aws::{Cause, Validation};
pub use change::{Preparation, Prepared, Refusal, Wanted, What, holds, prepare, take_up};
pub use farewell::{Farewell, Remains, beside, farewell};
pub use fold::{Known, Logs, ServiceKey, Watch};
pub use kept::{Kept, Verified, keep, last_other};
pub use logs::{LogEntry, LogSource, log_entries, log_sources};
pub use outcome::{Ending, Outcome, Trouble};
pub use parameters::{look_up, parameters, resolve, running_count, secret_versions};
pub use plan::{Effect, Plan, Planned};
pub use policy::{DeployerPolicy, InVpc, NamedImage, Scope, deployer_policy};
pub use scram::{ScramFacts, ScramPlace, ScramSecret, scram_secrets, scram_states, store_scram};
pub use secrets::{
    FaultyKey, ListedSecret, Presence, Reads, SecretState, check_secrets, list_secrets, reads, secret_by, secret_tags,
};
pub use state::{Beginning, beginning, busy, ours, running, way_out};
pub use status::{Drifts, SecretAge, ServiceStatus, Status, TaskStatus, Verdict, drift, status};
pub use storage::{Storage, needs_a_bucket, storage};
pub use tasks::task_addresses;
pub use watch::{BACK, GONE, Pause, Target, conclude, watch};
pub use whose::token;
