//! The one integration binary: one link, one bed, all tests side by side.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod architecture;
mod bed;
mod compose;
mod init;
mod kafka;
mod render;
mod support;
mod worker;
