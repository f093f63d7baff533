//! What happens while a task checks in the VPC: one line each, on stderr; with `--output jsonl` an event on stdout too.

use serde::Serialize;

use super::Ui;
use crate::base::{Code, Moment};
use crate::cli::Output;
use crate::preflight::inside::Seen;
use crate::preflight::{Category, Status};

/// News of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsideNews {
    /// ECS's word for its state.
    Status(String),
    /// A check has ended in it.
    Saw(Seen),
    Note(String),
}

/// The same as an event, beside those of a stack.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[allow(clippy::enum_variant_names, reason = "the names of the events")]
enum InsideEvent<'a> {
    InsideTask { at: Moment, service: &'a str, status: &'a str },
    InsideCheck { at: Moment, service: &'a str, code: Code, category: Category, status: Status, label: &'a str, message: &'a str },
    InsideNote { at: Moment, service: &'a str, text: &'a str },
}

impl<'a> InsideEvent<'a> {
    fn of(service: &'a str, news: &'a InsideNews) -> Self {
        let at = Moment::now();
        match news {
            InsideNews::Status(status) => Self::InsideTask { at, service, status },
            InsideNews::Note(text) => Self::InsideNote { at, service, text },
            InsideNews::Saw(Seen { code, category, status, label, message }) => {
                Self::InsideCheck { at, service, code: *code, category: *category, status: *status, label, message }
            }
        }
    }
}

impl Ui {
    /// Shows what a service's task says.
    pub fn inside(&mut self, service: &str, news: &InsideNews) {
        if self.output == Output::Jsonl {
            // It has string keys and no numbers: there is nothing that could fail.
            let line = serde_json::to_string(&InsideEvent::of(service, news)).unwrap_or_default();
            self.result(&format!("{line}\n"));
        }
        let text = match news {
            InsideNews::Status(status) => format!("{service}  task {}", status.to_lowercase()),
            InsideNews::Note(note) => format!("{service}  {note}"),
            InsideNews::Saw(seen) => {
                let word = match seen.status {
                    Status::Passed => "✓",
                    Status::Warned => "‼",
                    Status::Failed => "×",
                    Status::Skipped => "–",
                    Status::Unknown => "?",
                };
                format!("{service}  {word} {}  {}  {}", seen.label, seen.message, seen.code)
            }
        };
        self.note(&text);
    }

    /// What would be made so that a task can check in the VPC.
    pub fn support_stack(&mut self, name: &str, resources: &[(String, String)]) {
        self.note(&format!("--in-vpc makes or changes the stack {name}, beside the service's own:"));
        for (id, kind) in resources {
            self.note(&format!("  {kind}  {id}"));
        }
        self.note(&format!("it stays for the next run; aws cloudformation delete-stack --stack-name {name} removes it"));
    }
}
