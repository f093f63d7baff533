//! Every exit code of the program, in one place. Scripts rely on them: a number never changes its meaning.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Done = 0,
    /// A fault of ours: something that the program should have handled. Also where standard output takes no more, as on a full disk.
    Fault = 1,
    /// Wrong usage or wrong configuration; nothing was touched.
    Usage = 2,
    /// Preflight found something that would fail.
    PreflightFailed = 3,
    /// Warnings or unknowns, and `--strict` was given.
    Strict = 4,
    /// There are changes, and `plan --detailed-exitcode` asked to be told so.
    Changes = 5,
    /// The deploy failed and was rolled back.
    DeployFailed = 6,
    /// Stuck: a person is needed.
    Stuck = 7,
    /// Our wait is over, the work still runs.
    TimedOut = 8,
    /// Every failure is one that may go away by itself: worth a retry.
    Retry = 9,
    /// Interrupted by the user.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
