//! The end of a deploy: what came of it on stdout, and for a failure all that a person needs on stderr.

use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::finding::github_failure;
use super::progress::task_details;
use super::style::Style;
use super::{Form, Ui, summary, words};
use crate::base::{Code, Exit, Failure, Operation, StoppedTask};
use crate::deploy::{Ending, Outcome, Plan};

/// Of a failed container's log at the end.
const LOG_LINES: usize = 20;

#[derive(Serialize)]
struct Document<'a> {
    schema: String,
    exit_code: u8,
    /// What `explain` says more about.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<&'a Plan>,
    #[serde(flatten)]
    outcome: &'a Outcome,
}

impl Ui {
    /// Shows an outcome. `again` is how the same command is typed for this stack: `--env dev`.
    pub fn outcome(&mut self, verb: &str, plan: Option<&Plan>, outcome: &Outcome, again: &str) {
        if self.wants_json() {
            let schema = format!("confluent-ecs/{verb}/v1");
            self.json(&Document { schema, exit_code: outcome.ending.exit() as u8, code: outcome.ending.code(), plan, outcome });
        }
        let text = outcome_text(outcome, again, self.style);
        summary::add(&format!("{verb}: {}", outcome.stack), &outcome_text(outcome, again, Style::new(false)));
        if self.form == Form::GitHub && !matches!(outcome.ending.exit(), Exit::Done | Exit::Interrupted) {
            let (headline, rest) = text.split_once('\n').unwrap_or((&text, ""));
            let mut annotation = String::new();
            let failure = Failure::new(outcome.ending.exit(), headline).cause(rest.trim_end());
            let failure = Failure { code: outcome.ending.code(), ..failure };
            github_failure(&mut annotation, &failure);
            self.note(annotation.trim_end());
        }
        match outcome.ending {
            Ending::NoChanges | Ending::Complete | Ending::TakenBack if !self.wants_json() => self.result(&text),
            _ => self.note(text.trim_end()),
        }
    }
}

fn outcome_text(outcome: &Outcome, again: &str, style: Style) -> String {
    let mut text = String::new();
    let stack = &outcome.stack;
    let took = words::duration(Duration::from_secs(outcome.seconds));
    let (doing, done) = match outcome.operation {
        Operation::Create => ("creating", "created"),
        Operation::Update => ("updating", "updated"),
        Operation::Delete => ("deleting", "deleted"),
    };
    let _ = match outcome.ending {
        Ending::NoChanges if outcome.operation == Operation::Delete => {
            writeln!(text, "{stack} is not there: nothing to delete")
        }
        Ending::NoChanges => writeln!(text, "{stack} is up to date: nothing to change"),
        Ending::Complete => writeln!(text, "{stack} {done} in {took}"),
        Ending::Differs => {
            writeln!(text, "{}: {stack}: CloudFormation calls it done, but it is not what was asked for", style.bad("failed"))
        }
        Ending::RolledBack if outcome.status.as_deref() == Some("DELETE_COMPLETE") => {
            writeln!(text, "{}: {doing} {stack} ended after {took}: the stack was deleted", style.bad("failed"))
        }
        Ending::RolledBack => {
            writeln!(text, "{}: {doing} {stack} failed after {took}; CloudFormation has taken it back", style.bad("failed"))
        }
        Ending::TakenBack => writeln!(text, "{stack} is back at what it was before, after {took}"),
        Ending::Stuck => match &outcome.status {
            Some(status) => writeln!(
                text,
                "{}: {doing} {stack} failed after {took}, and CloudFormation can't go on by itself ({status})",
                style.bad("stuck")
            ),
            None => writeln!(text, "{}: {doing} {stack} can't go on by itself, after {took}", style.bad("stuck")),
        },
        Ending::TimedOut => {
            writeln!(text, "{}: {doing} {stack} is not done after {took}; it goes on in AWS", style.doubtful("timed out"))
        }
        Ending::LostSight => {
            writeln!(text, "{}: {doing} {stack} goes on in AWS, but can't be watched any more", style.doubtful("lost sight"))
        }
        Ending::Detached => writeln!(text, "no longer watching; {doing} {stack} goes on in AWS, nothing was cancelled"),
        Ending::Declined => writeln!(text, "nothing was changed"),
    };
    if let Some(trouble) = &outcome.trouble {
        let _ = writeln!(text, "  cause    {}", trouble.what);
        for help in &trouble.help {
            let _ = writeln!(text, "  to do    {help}");
        }
    }
    for verified in &outcome.verified {
        let _ = writeln!(text, "  ✓ {verified}");
    }
    for unverified in &outcome.unverified {
        let _ = writeln!(text, "  – {unverified}");
    }
    for difference in &outcome.differences {
        let _ = writeln!(text, "  × {difference}");
    }
    if !matches!(outcome.ending, Ending::NoChanges | Ending::Complete | Ending::TakenBack | Ending::Declined) {
        failures(&mut text, outcome, style);
    }
    if !outcome.outputs.is_empty() {
        let width = outcome.outputs.iter().map(|output| output.key.len()).max().unwrap_or_default();
        let _ = writeln!(text, "outputs");
        for output in &outcome.outputs {
            let _ = writeln!(text, "  {:<width$}  {}", output.key, output.value);
        }
    }
    if let Some(code) = outcome.ending.code() {
        let _ = writeln!(text, "more: confluent-ecs explain {code}");
    }
    if let Some(next) = next(outcome.ending, outcome.operation, again) {
        let _ = writeln!(text, "next: {next}");
    }
    text
}

fn failures(text: &mut String, outcome: &Outcome, style: Style) {
    for failure in &outcome.failures {
        let reason = failure.reason.as_deref().unwrap_or("CloudFormation gives no reason");
        let _ = writeln!(text, "  × {}: {}", words::resource(&failure.logical), reason);
    }
    // One failed task of each service, the last service first; the others are counted.
    let mut services: Vec<&str> = Vec::new();
    for task in outcome.failed_tasks.iter().rev() {
        if !services.contains(&task.service.as_str()) {
            services.push(&task.service);
        }
    }
    for service in services {
        let tasks: Vec<&StoppedTask> = outcome.failed_tasks.iter().filter(|task| task.service == service).collect();
        let Some(task) = StoppedTask::telling(&tasks) else { continue };
        let which = if tasks.last().is_some_and(|last| last.task == task.task) { "the last one" } else { "one of them" };
        let why = [task.stop_code.as_deref(), task.reason.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let _ = writeln!(
            text,
            "  × {}: {} failed; {which}, {}: {why}",
            task.service,
            words::count(tasks.len(), "task"),
            words::short(&task.task)
        );
        for line in task_details(task, LOG_LINES, style) {
            let _ = writeln!(text, "      {line}");
        }
    }
}

/// The next command to type.
fn next(ending: Ending, operation: Operation, again: &str) -> Option<String> {
    let verb = if operation == Operation::Delete { "down" } else { "up" };
    match ending {
        Ending::NoChanges | Ending::Declined => None,
        Ending::Complete if operation == Operation::Delete => None,
        Ending::Complete | Ending::TakenBack => Some(format!("confluent-ecs status{again}")),
        Ending::RolledBack | Ending::Differs => {
            Some(format!("mend the cause, then  confluent-ecs preflight{again}  and  confluent-ecs {verb}{again}"))
        }
        Ending::TimedOut | Ending::LostSight | Ending::Detached => Some(format!("confluent-ecs watch{again}  goes on watching")),
        Ending::Stuck => Some(format!("confluent-ecs status{again}  shows how far it is")),
    }
}
