//! What a load says besides its result: the findings so far, the files that they point into, and what is left of the
//! budget that keeps a hostile file from taking all memory.

use std::collections::HashSet;

use super::files::Files;
use super::node::{Span, Step, show};
use crate::base::{Code, Finding, Findings, Place, Severity};

/// Collects findings while the stages run.
pub(super) struct Report {
    pub(super) files: Files,
    findings: Vec<Finding>,
    budget: Budget,
}

/// Bytes that a load may copy: aliases, `extends`, repeated includes and interpolated text. Grows with what was read, so
/// that large projects pass and a small file that multiplies itself doesn't.
struct Budget {
    left: usize,
    exceeded: bool,
}

impl Budget {
    const BASE: usize = 64 << 20;
    const PER_BYTE_READ: usize = 16;
}

impl Report {
    pub(super) fn new(files: Files) -> Self {
        Self { files, findings: Vec::new(), budget: Budget { left: Budget::BASE, exceeded: false } }
    }

    /// An error about a value: message, and where it is. More is added to the finding that comes back.
    pub(super) fn error(&mut self, code: Code, span: Span, path: &[Step<'_>], message: impl Into<String>) -> &mut Finding {
        let path = show(path);
        let finding = Finding::error(code, message).at(self.place(span));
        self.push(if path.is_empty() { finding } else { finding.path(path) })
    }

    pub(super) fn warning(&mut self, code: Code, span: Span, path: &[Step<'_>], message: impl Into<String>) -> &mut Finding {
        let finding = self.error(code, span, path, message);
        finding.severity = Severity::Warning;
        finding
    }

    pub(super) fn push(&mut self, finding: Finding) -> &mut Finding {
        let index = self.findings.len();
        self.findings.push(finding);
        &mut self.findings[index]
    }

    /// How far the findings go, for [`Report::back_to`].
    pub(super) fn mark(&self) -> usize {
        self.findings.len()
    }

    /// Forgets the findings since a mark.
    pub(super) fn back_to(&mut self, mark: usize) {
        self.findings.truncate(mark);
    }

    pub(super) fn place(&self, span: Span) -> Place {
        self.files.place(span)
    }

    pub(super) fn has_errors(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }

    /// The names of the entries below a prefix that have a finding with this code.
    pub(super) fn entries_with(&self, code: Code, prefix: &str) -> HashSet<String> {
        let paths = self.findings.iter().filter(|finding| finding.code == code).filter_map(|finding| finding.path.as_deref());
        let below = paths.filter_map(|path| path.strip_prefix(prefix));
        below.filter_map(|path| path.rsplit_once('.')).map(|(name, _)| name.to_owned()).collect()
    }

    /// Makes room for what a file of this size may ask for.
    pub(super) fn grant(&mut self, bytes_read: usize) {
        self.budget.left = self.budget.left.saturating_add(bytes_read.saturating_mul(Budget::PER_BYTE_READ));
    }

    /// Takes from the budget. When nothing is left, one finding says so and every further call fails.
    pub(super) fn spend(&mut self, bytes: usize, span: Span, path: &[Step<'_>]) -> bool {
        if self.budget.exceeded {
            return false;
        }
        if let Some(left) = self.budget.left.checked_sub(bytes) {
            self.budget.left = left;
            return true;
        }
        self.budget.exceeded = true;
        self.error(
            Code::TOO_LARGE,
            span,
            path,
            "here the project grows past what its files can ask for: aliases, extends, includes or variables multiply each other",
        )
        .help = Some("repeat less: each use of an anchor, a base service or a variable makes a copy".to_owned());
        false
    }

    pub(super) fn into_parts(self) -> (Files, Findings) {
        (self.files, self.findings.into_iter().collect::<Findings>().sorted())
    }
}
