//! Lines of logs: each with its service and its task, or as data.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Ui, words};
use crate::cli::Output;
use crate::deploy::LogEntry;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    exit_code: u8,
    lines: &'a [LogEntry],
}

impl Ui {
    /// Shows entries on stdout. `whole`: there are no more of them to come.
    pub fn log_entries(&mut self, entries: &[LogEntry], whole: bool) {
        if self.output == Output::Json && whole {
            self.json(&Document { schema: "confluent-ecs/logs/v1", exit_code: 0, lines: entries });
            return;
        }
        if self.output == Output::Jsonl {
            for entry in entries {
                self.json(entry);
            }
            return;
        }
        let mut text = String::new();
        for entry in entries {
            let container = if entry.container == entry.service { String::new() } else { format!("/{}", entry.container) };
            let source = format!("{}{container} {}", entry.service, words::short(&entry.task));
            let _ = writeln!(text, "{} {}", self.result_style.quiet(format!("{source} |")), super::words::printable(&entry.text));
        }
        self.result(&text);
    }
}
