//! The one integration binary: one link, one bed, all tests side by side.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod account;
mod acl;
mod architecture;
mod astray;
mod balancers;
mod bed;
mod completions;
mod compose;
mod day_two;
mod deploy;
mod explain;
mod images;
mod init;
mod init_matrix;
mod kafka;
mod live;
mod lookups;
mod net;
mod plan;
mod plugins;
mod preflight;
mod profiles;
mod readme;
mod render;
mod replay;
mod secrets;
mod secrets_compose;
mod secrets_template;
mod support;
mod template;
mod verify;
mod worker;
mod wrong_projects;
mod wrong_settings;
mod wrong_values;
