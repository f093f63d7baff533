//! What tests share.

use std::time::Duration;

pub(crate) mod bed;
pub(crate) mod deployment;
pub(crate) mod golden;
pub(crate) mod http;
pub(crate) mod program;
pub(crate) mod schema;
pub(crate) mod terminal;
pub(crate) mod tmux;
pub(crate) mod worker;

/// How long what must happen may take, on a machine that is busy elsewhere. Nobody waits that long for what has happened.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);
