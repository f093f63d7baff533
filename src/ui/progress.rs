//! What happens, while it happens. On a terminal a tree at the bottom shows how all stands, and what goes wrong stays above it;
//! elsewhere there is one plain line a change, and a heartbeat when nothing changes.

use std::collections::BTreeMap;
use std::time::Duration;

use super::screen::Live;
use super::style::Style;
use super::{Ui, aside, words, write_all};
use crate::base::{Event, Failing, Moment, Progress as State, ResourceChange, ServiceChange, StoppedTask};
use crate::cli::Output;

/// On plain output something is said at least this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// Of a failed container's log while other things go on; the end shows more.
const LOG_LINES: usize = 5;

/// The view of one watch.
pub struct Progress {
    style: Style,
    live: Option<Live>,
    /// Events go to standard output as they are.
    jsonl: bool,
    began: Moment,
    stack: String,
    operation: &'static str,
    /// The last moment at which a line was printed.
    spoke: Moment,
    open: BTreeMap<String, ResourceChange>,
    services: BTreeMap<String, ServiceChange>,
    /// What was said of failed tasks: each reason once in full, then counted.
    reasons: BTreeMap<(String, String), usize>,
}

impl Ui {
    /// A view for one watch: live on a terminal, plain lines elsewhere.
    pub fn progress(&self) -> Progress {
        Progress {
            style: self.style,
            live: self.drawn().then(|| Live::new(self.style)),
            jsonl: self.output == Output::Jsonl,
            began: Moment::now(),
            stack: String::new(),
            operation: "",
            spoke: Moment::now(),
            open: BTreeMap::new(),
            services: BTreeMap::new(),
            reasons: BTreeMap::new(),
        }
    }
}

impl Progress {
    pub fn show(&mut self, event: &Event) {
        if self.jsonl && !matches!(event, Event::Looked { .. }) {
            // An event has string keys and finite numbers: there is nothing that could fail.
            let line = serde_json::to_string(event).unwrap_or_default();
            // The document at the end goes the same way, and tells when that is closed.
            let _unwritten = write_all(&mut std::io::stdout().lock(), &format!("{line}\n"));
        }
        let lines = self.lines(event);
        if !lines.is_empty() {
            self.spoke = Moment::now();
        }
        let text = lines.iter().fold(String::new(), |text, line| text + line + "\n");
        match &self.live {
            Some(live) => {
                live.take(event);
                live.show(&text);
            }
            None => aside(&text),
        }
    }

    /// Takes in what an earlier view has shown.
    pub fn recall(&mut self, event: &Event) {
        let _shown = self.lines(event);
        if let Some(live) = &self.live {
            live.take(event);
        }
    }

    /// Makes room for a question.
    pub fn pause(&self) {
        if let Some(live) = &self.live {
            live.pause();
        }
    }

    pub fn resume(&self) {
        if let Some(live) = &self.live {
            live.resume();
        }
    }

    /// Ends the view; what it showed stays.
    pub fn finish(self) {
        if let Some(live) = self.live {
            live.finish();
        }
    }

    /// The lines that stay, for one event.
    fn lines(&mut self, event: &Event) -> Vec<String> {
        match event {
            Event::Started(started) => {
                self.began = started.at;
                self.stack.clone_from(&started.stack);
                self.operation = words::doing(started.operation);
                vec![format!("{} {} in {}", self.style.strong(&started.stack), self.operation, started.region)]
            }
            Event::Stack(change) => {
                if change.rolling_back {
                    self.operation = "rolling back";
                }
                let reason = change.reason.as_deref().filter(|reason| *reason != "User Initiated");
                // The first line has said so.
                if matches!(change.status.as_str(), "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS") {
                    return Vec::new();
                }
                vec![self.line(change.at, &words::status(&change.status), "stack", reason, change.rolling_back)]
            }
            Event::Resource(change) => self.resource(change).into_iter().collect(),
            Event::Service(change) => {
                let line = self.service(change);
                self.services.insert(change.service.clone(), change.clone());
                line.into_iter().collect()
            }
            Event::Message(message) => {
                vec![self.line(message.at, "ECS", &message.service, Some(&words::without_long_ids(&message.text)), false)]
            }
            // The tree has a row for it.
            Event::Task(_) if self.live.is_some() => Vec::new(),
            Event::Task(change) => {
                let health = change.health.as_deref().map(|health| format!(", {}", health.to_lowercase())).unwrap_or_default();
                let what = format!("{} task {}", change.service, words::short(&change.task));
                vec![self.line(change.at, &change.status.to_lowercase(), &format!("{what}{health}"), None, false)]
            }
            Event::TaskStopped(stopped) if self.live.is_some() && !stopped.failed => Vec::new(),
            Event::TaskStopped(stopped) => self.stopped(stopped),
            Event::Failing(failing) => self.failing(failing),
            Event::Blind(blind) => vec![self.line(blind.at, "waiting", "AWS", Some(&blind.why), true)],
            Event::Sighted { at } => vec![self.line(*at, "back", "AWS answers again", None, false)],
            Event::Looked { at } => self.heartbeat(*at).into_iter().collect(),
        }
    }

    fn line(&self, at: Moment, state: &str, what: &str, why: Option<&str>, bad: bool) -> String {
        let since = self.style.quiet(format!("{:>7}", words::duration(at.since(self.began))));
        let state = format!("{state:<13}");
        let state = if bad { self.style.bad(state) } else { state };
        let why = why.map(|why| format!(": {}", words::one_line(why))).unwrap_or_default();
        format!("{since}  {state} {what}{why}")
    }

    fn resource(&mut self, change: &ResourceChange) -> Option<String> {
        let name = words::resource(&change.logical);
        let failed = change.progress == State::Failed;
        if change.progress == State::Working {
            let began = self.open.insert(change.logical.clone(), change.clone());
            // The tree has a line for it.
            return (self.live.is_none() && began.is_none())
                .then(|| self.line(change.at, &words::status(&change.status), &name, None, false));
        }
        self.open.remove(&change.logical);
        if self.live.is_some() && !failed {
            return None;
        }
        let state = if change.progress == State::Cancelled { "cancelled".to_owned() } else { words::status(&change.status) };
        let took = change.at.since(change.began);
        let took = if took.as_secs() > 0 {
            format!(" {}", self.style.quiet(format!("({})", words::duration(took))))
        } else {
            String::new()
        };
        let why = change.reason.as_deref().filter(|_| failed);
        Some(self.line(change.at, &state, &format!("{name}{took}"), why, failed))
    }

    /// A live view shows the counts below; a line stays only for what is news in the long run.
    fn service(&self, change: &ServiceChange) -> Option<String> {
        let before = self.services.get(&change.service);
        let turned = before.is_none_or(|before| before.rollout != change.rollout);
        let bad = change.rollout.as_deref() == Some("FAILED");
        if self.live.is_some() && !(turned && bad) {
            return None;
        }
        let reason = change.reason.as_deref().filter(|_| turned && bad);
        Some(self.line(change.at, "tasks", &format!("{} {}", change.service, words::counts(change)), reason, bad))
    }

    fn stopped(&mut self, stopped: &StoppedTask) -> Vec<String> {
        let what = format!("{} task {}", stopped.service, words::short(&stopped.task));
        let why = words::why(stopped);
        if !stopped.failed {
            return vec![self.line(
                stopped.at,
                "stopped",
                &what,
                Some(&why).filter(|why| !why.is_empty()).map(String::as_str),
                false,
            )];
        }
        let seen = self.reasons.entry((stopped.service.clone(), why.clone())).or_default();
        *seen += 1;
        if *seen > 1 {
            let again = format!("as before, {} times now", *seen);
            return vec![self.line(stopped.at, "failed", &what, Some(&again), true)];
        }
        let mut lines = vec![self.line(stopped.at, "failed", &what, Some(&why), true)];
        lines.extend(task_details(stopped, LOG_LINES, self.style).into_iter().map(|line| format!("{:9}{line}", "")));
        lines
    }

    fn failing(&self, failing: &Failing) -> Vec<String> {
        let have = if failing.tasks == 1 { "has" } else { "have" };
        let what = format!("{}: {} {have} failed so far", failing.service, words::count(failing.tasks, "task"));
        let cause = failing.diagnosis.as_ref().map(|diagnosis| diagnosis.cause.as_str());
        let mut lines = vec![self.line(failing.at, "failing", &what, cause, true)];
        if self.live.is_none() {
            let ways = "--on-failing stop sets its count to 0, --on-failing cancel takes the deploy back";
            lines.push(format!("{:9}{ways}", ""));
        }
        lines
    }

    fn heartbeat(&self, at: Moment) -> Option<String> {
        if self.live.is_some() || at.since(self.spoke) < HEARTBEAT {
            return None;
        }
        let waiting: Vec<String> = self.open.keys().take(3).map(|logical| words::resource(logical)).collect();
        let more = self.open.len().saturating_sub(waiting.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let what = if waiting.is_empty() { "CloudFormation".to_owned() } else { format!("{}{more}", waiting.join(", ")) };
        Some(self.line(at, "waiting for", &what, None, false))
    }
}

/// What is known of a failed task: its containers with exit code and last lines, the cause and the fix.
pub(super) fn task_details(stopped: &StoppedTask, log_lines: usize, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    for container in &stopped.containers {
        let exit = container.exit_code.map(|code| format!(" exit code {code}")).unwrap_or_default();
        let reason = container.reason.as_deref().map(|reason| format!(" {}", words::one_line(reason))).unwrap_or_default();
        if exit.is_empty() && reason.is_empty() && container.log.is_empty() {
            continue;
        }
        lines.push(format!("container {}:{exit}{reason}", container.name));
        let skipped = container.log.len().saturating_sub(log_lines);
        lines.extend(container.log.iter().skip(skipped).map(|line| format!("  {} {}", style.quiet("|"), words::printable(line))));
    }
    if let Some(diagnosis) = &stopped.diagnosis {
        lines.extend(words::diagnosis(diagnosis));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Progress, Ui};
    use crate::base::{
        Diagnosis, Event, Moment, Operation, Progress as State, ResourceChange, Started, StoppedContainer, StoppedTask,
    };
    use crate::cli::DisplayArgs;

    fn at(second: i64) -> Moment {
        Moment::from_millis(second * 1_000)
    }

    fn plain() -> Progress {
        let mut progress = Progress { live: None, spoke: at(0), ..Ui::new(&DisplayArgs::default()).progress() };
        let started = Started {
            at: at(0),
            operation: Operation::Create,
            stack: "demo".to_owned(),
            region: "eu-west-1".to_owned(),
            families: BTreeMap::new(),
        };
        assert_eq!(progress.lines(&Event::Started(started)), ["demo creating in eu-west-1"]);
        progress
    }

    fn resource(second: i64, status: &str, state: State) -> Event {
        Event::Resource(ResourceChange {
            id: second.to_string(),
            at: at(second),
            logical: "ConnectService".to_owned(),
            kind: "AWS::ECS::Service".to_owned(),
            status: status.to_owned(),
            progress: state,
            reason: None,
            began: at(1),
        })
    }

    #[test]
    fn a_heartbeat_says_what_is_waited_for_and_only_when_nothing_else_was_said() {
        let mut progress = plain();
        assert_eq!(
            progress.lines(&resource(1, "CREATE_IN_PROGRESS", State::Working)),
            ["     1s  creating      connect service"]
        );
        assert!(progress.lines(&Event::Looked { at: at(29) }).is_empty());
        assert_eq!(progress.lines(&Event::Looked { at: at(30) }), ["    30s  waiting for   connect service"]);
        assert_eq!(
            progress.lines(&resource(75, "CREATE_COMPLETE", State::Done)),
            [" 1m 15s  created       connect service (1m 14s)"]
        );
    }

    #[test]
    fn a_failed_task_is_told_in_full_once_and_then_counted() {
        let mut progress = plain();
        let stopped = |task: &str| {
            Event::TaskStopped(StoppedTask {
                at: at(9),
                service: "connect".to_owned(),
                task: task.to_owned(),
                revision: "connect:1".to_owned(),
                stop_code: Some("EssentialContainerExited".to_owned()),
                reason: Some("Essential container in task exited".to_owned()),
                failed: true,
                containers: vec![StoppedContainer {
                    name: "connect".to_owned(),
                    exit_code: Some(1),
                    reason: None,
                    log: vec!["\u{1b}[31mred\u{1b}[0m\u{7}".to_owned()],
                }],
                diagnosis: Some(Diagnosis { cause: "why".to_owned(), fix: "how".to_owned(), code: None }),
            })
        };
        assert_eq!(
            progress.lines(&stopped("0123456789")),
            [
                "     9s  failed        connect task 01234567: EssentialContainerExited: Essential container in task exited",
                "         container connect: exit code 1",
                "           | red",
                "         cause  why",
                "         fix    how",
            ]
        );
        assert_eq!(progress.lines(&stopped("abcdef")), ["     9s  failed        connect task abcdef: as before, 2 times now"]);
    }
}
