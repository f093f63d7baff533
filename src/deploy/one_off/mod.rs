//! A task that runs once in a service's place: with its network, roles, environment and secrets.
//!
//! ```text
//! template + values + what is there ─► definition (pure) ─► run ─► lines, states ─► clean up
//! ```
//!
//! Comes in: the template with its parameters' values, the resources that are there, what the task is to run. Goes out: what it writes,
//! line by line, and how it ended. Rules: every wait has a limit; whatever was started is stopped and taken away, also after a Ctrl-C;
//! what a killed run left is known by its tag, and taken away by the next.

mod definition;
mod leftovers;
mod run;

pub use definition::{Known, Run, Unsaid, of_service, subnets};
pub use leftovers::{RUN_TAG, RunId, sweep};
pub use run::{Ended, Happening, Late, Limits, OneOffRun};
