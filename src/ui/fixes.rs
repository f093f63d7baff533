//! Only what mends the gaps of a report: commands and policy documents on stdout, ready to be pasted, each once.
//!
//! What can't be pasted (a setting to change, advice) is not for a shell, and goes to stderr.

use std::fmt::Write as _;

use serde::Serialize;

use super::Ui;
use super::report::command_lines;
use crate::confluent::grant::Statement;
use crate::preflight::{Fix, Report};

/// The fixes as a document.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    fixes: Vec<&'a Fix>,
}

impl Ui {
    /// Shows the fixes of a report, and nothing else.
    pub fn fixes(&mut self, report: &Report) {
        let mut fixes: Vec<&Fix> = Vec::new();
        for fix in report.checks.iter().flat_map(|check| &check.fixes) {
            if !fixes.contains(&fix) {
                fixes.push(fix);
            }
        }
        if self.wants_json() {
            self.json(&Document { schema: "confluent-ecs/preflight-fixes/v1", fixes });
            return;
        }
        let (mut commands, mut rest) = (String::new(), String::new());
        for fix in fixes {
            let _ = match fix {
                Fix::Command { argv } => writeln!(commands, "{}", command_lines(argv).join("\n")),
                Fix::Policy { statements } => writeln!(commands, "{}", policy(statements)),
                Fix::Setting { variables, value } => writeln!(rest, "set {} to {value}", variables.join(", ")),
                Fix::Advice { text } => writeln!(rest, "{text}"),
            };
        }
        self.result(&commands);
        if !rest.is_empty() {
            self.note(rest.trim_end());
        }
    }
}

/// A whole policy document.
pub(super) fn policy(statements: &[Statement]) -> String {
    let document = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
    serde_json::to_string_pretty(&document).unwrap_or_default()
}
