//! What tests share.

pub(crate) mod bed;
pub(crate) mod deployment;
pub(crate) mod golden;
pub(crate) mod http;
pub(crate) mod program;
pub(crate) mod schema;
pub(crate) mod terminal;
pub(crate) mod tmux;
pub(crate) mod worker;
