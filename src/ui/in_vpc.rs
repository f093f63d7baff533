//! What happens while a task checks in the VPC: one line each, on stderr.

use super::Ui;
use crate::preflight::Status;
use crate::preflight::inside::Seen;

/// News of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InsideNews {
    /// ECS's word for its state.
    Status(String),
    /// A check has ended in it.
    Saw(Seen),
    Note(String),
}

impl Ui {
    /// Shows what a service's task says.
    pub fn inside(&mut self, service: &str, news: &InsideNews) {
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
