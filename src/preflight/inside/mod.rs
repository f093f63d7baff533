//! Preflight from where the service will run: the same checks, in a task with the service's network, roles, environment and secrets.
//!
//! ```text
//! here                                    in the task
//! Input ─► Plan ─► one variable  ─────►   Plan + the task's own environment ─► Input ─► run
//! Report ◄─ Letters ◄─ log stream ◄────   lines ◄─ Messages ◄───────────────────────────┘
//! ```
//!
//! Comes in: the input as it is known here, without a secret in it; in the task, its environment. Goes out: the plan as one text; the
//! checks as lines, and back. Rules: the plan holds names and places, and no value of a variable: those are the task's; what goes into
//! the log is looked through for the values of secrets before it goes; a report that is cut off or comes from another version is told,
//! never taken for whole.

mod plan;
mod wire;

pub use plan::{Faulty, MOST_PLAN, Plan, Variables, Within};
pub use wire::{Letters, Message, PROTOCOL, Seen, Spoilt, lines};

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::input::Input;
use super::report::{Category, Check, Report, Status};
use super::runner::Teller;
use super::{Selection, Vantage, again, checks, planned};

/// The pause between two tries of `--wait`.
const PAUSE: Duration = Duration::from_secs(2);

/// What is told from here, whatever runs in the task: it needs the files, or the caller's rights.
const FROM_HERE: [Category; 2] = [Category::Config, Category::Aws];

/// The part of a selection that is checked from here, and the part that is checked in the task.
pub fn split(selection: &Selection) -> (Selection, Selection) {
    let of = |here: bool| {
        let mut skip = selection.skip.clone();
        skip.extend(Category::ALL.iter().filter(|category| FROM_HERE.contains(category) != here));
        Selection { skip, ..selection.clone() }
    };
    (of(true), of(false))
}

/// Runs in the task: tells each check when it has ended, and gives all of them, with reasons and fixes.
pub async fn run(within: &Within, tell: impl Fn(Message) + Send + Sync + 'static) -> Report {
    let started = Instant::now();
    let tell = Arc::new(tell);
    let told = Arc::clone(&tell);
    let teller: Teller = Arc::new(move |check: &Check| told(Message::Saw(Seen::of(check))));
    let (input, selection) = (&within.input, &within.selection);
    let first = checks(input, selection, Vantage::Inside, |_| true, Some(teller)).await;
    let mut report = Report::new(input, Vantage::Inside, first, started.elapsed());
    while let Some(left) = within.wait.and_then(|wait| wait.checked_sub(started.elapsed())).filter(|left| !left.is_zero()) {
        if !report.checks.iter().any(Check::is_worth_repeating) {
            break;
        }
        tokio::time::sleep(PAUSE.min(left)).await;
        report = again(input, selection, &report).await;
    }
    for check in &report.checks {
        tell(Message::Check { label: check.label.clone(), check: Box::new(check.clone()) });
    }
    tell(Message::Done { checks: report.checks.len() });
    report
}

/// The checks of a selection, none of them done.
pub fn not_done(input: &Input, selection: &Selection, why: &str) -> Vec<Check> {
    let plan = planned(input, selection, Vantage::Inside, |_| true).0;
    let mut checks: Vec<Check> = plan.not_run().into_iter().map(|check| check.ended(Status::Skipped, why)).collect();
    checks.retain(|check| selection.takes(check.category));
    checks
}

/// One report from what was checked here and what came back: in the order of the categories, and within each as it was checked.
pub fn joined(input: &Input, mut checks: Vec<Check>, took: Duration) -> Report {
    checks.sort_by_key(|check| check.category);
    let mut known = BTreeSet::new();
    checks.retain(|check| known.insert(check.id.clone()));
    Report::new(input, Vantage::Inside, checks, took)
}
