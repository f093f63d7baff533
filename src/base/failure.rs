//! What ends a run early: findings in the configuration, or one failure of something we asked the world to do.

use super::{Code, Exit, Finding, Findings};

/// Why a verb stopped.
#[derive(Debug)]
pub enum Error {
    /// The configuration is wrong; every finding of it.
    Findings(Findings),
    /// Something could not be done.
    Failure(Box<Failure>),
}

pub type Result<T> = std::result::Result<T, Error>;

/// One failure: headline, cause, what to do, and AWS's request id where there is one.
#[derive(Debug, Clone)]
pub struct Failure {
    pub exit: Exit,
    pub code: Option<Code>,
    /// What could not be done, in one line.
    pub headline: String,
    /// Why, as far as we know.
    pub cause: Option<String>,
    /// What to do, one step a line.
    pub help: Vec<String>,
    pub request_id: Option<String>,
}

impl Failure {
    pub fn new(exit: Exit, headline: impl Into<String>) -> Self {
        Self { exit, code: None, headline: headline.into(), cause: None, help: Vec::new(), request_id: None }
    }

    /// Wrong usage: the user can mend it by typing something else.
    pub fn usage(headline: impl Into<String>) -> Self {
        Self::new(Exit::Usage, headline)
    }

    /// A fault of ours.
    pub fn fault(headline: impl Into<String>) -> Self {
        Self::new(Exit::Fault, headline)
    }

    #[must_use]
    pub fn code(mut self, code: Code) -> Self {
        self.code = Some(code);
        self
    }

    #[must_use]
    pub fn cause(mut self, cause: impl ToString) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    #[must_use]
    pub fn request_id(mut self, id: Option<&str>) -> Self {
        self.request_id = id.map(str::to_owned);
        self
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl From<Findings> for Error {
    fn from(findings: Findings) -> Self {
        Self::Findings(findings)
    }
}

impl From<Finding> for Error {
    fn from(finding: Finding) -> Self {
        Self::Findings(finding.into())
    }
}
