//! Findings: what is wrong in the user's files, one value each, collected so that all of them are reported in one run.

use serde::Serialize;

use super::{Code, Place};

/// How bad a finding is. Errors end a run with exit 2; warnings only with `--strict`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
}

/// One thing wrong: what, where, what was found, what was expected, what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// The matter in one line, in the user's words. No trailing full stop.
    pub message: String,
    /// Where the wrong value was written, also if it came there through merging, `extends` or `include`.
    pub place: Option<Place>,
    /// Path of the key, as in `services.connect.ports[0].target`.
    pub path: Option<String>,
    /// What to write instead, or what to do.
    pub help: Option<String>,
}

impl Finding {
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), place: None, path: None, help: None }
    }

    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = Some(place);
        self
    }

    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Findings in the order they were made. A stage adds to it and goes on as far as it makes sense.
#[derive(Debug, Default, Clone)]
pub struct Findings(Vec<Finding>);

impl Findings {
    pub fn push(&mut self, finding: Finding) {
        self.0.push(finding);
    }

    /// Adds one and gives it back, for what is still to be said.
    pub fn add(&mut self, finding: Finding) -> &mut Finding {
        let index = self.0.len();
        self.0.push(finding);
        &mut self.0[index]
    }

    pub fn extend(&mut self, other: Findings) {
        self.0.extend(other.0);
    }

    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Finding> {
        self.0.iter()
    }

    /// By file and line, errors and warnings alike, each once: the order a person walks through a file.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.0.sort_by(|a, b| a.place.cmp(&b.place));
        let mut kept: Vec<Finding> = Vec::with_capacity(self.0.len());
        for finding in self.0 {
            let here = kept.iter().rev().take_while(|known| known.place == finding.place);
            if !here.into_iter().any(|known| *known == finding) {
                kept.push(finding);
            }
        }
        Self(kept)
    }
}

impl IntoIterator for Findings {
    type Item = Finding;
    type IntoIter = std::vec::IntoIter<Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Finding> for Findings {
    fn from_iter<T: IntoIterator<Item = Finding>>(iter: T) -> Self {
        Self(iter.into_iter().collect())
    }
}

impl From<Finding> for Findings {
    fn from(finding: Finding) -> Self {
        Self(vec![finding])
    }
}
