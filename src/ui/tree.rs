//! The live view as a value: events in, a frame of lines out.
//!
//! Comes in: the events of one watch, the moment, the size of the terminal. Goes out: lines that fit. Rules: pure; what is wrong is never
//! left out for what is well; a frame is never wider or higher than it is told.

use std::collections::BTreeMap;
use std::time::Duration;

use super::style::Style;
use super::words;
use crate::base::{Event, Moment, Progress, ResourceChange, ServiceChange, StoppedTask, TaskChange};

/// What a line is worth when there is no room for all: the smaller stays longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Head,
    /// What went wrong, and its cause.
    Wrong,
    Family,
    /// What mends it.
    Fix,
    Working,
    Task,
    Done,
}

/// Reasons of stopped tasks that are shown for a service; earlier ones are in the lines above.
const REASONS: usize = 2;
/// Of the moment that a watch is quiet, something must move.
const SPINNER: [char; 8] = ['⠋', '⠙', '⠹', '⠼', '⠴', '⠦', '⠧', '⠇'];

/// All that the view knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Tree {
    stack: String,
    operation: &'static str,
    began: Moment,
    /// How the names of a family's resources begin → its name.
    families: BTreeMap<String, String>,
    resources: BTreeMap<String, ResourceChange>,
    services: BTreeMap<String, Service>,
    blind: Option<String>,
    rolling_back: bool,
}

#[derive(Debug, Clone, Default)]
struct Service {
    counts: Option<ServiceChange>,
    tasks: BTreeMap<String, TaskChange>,
    /// Why tasks stopped: the last reason last, each with how often and the last task that it is about.
    reasons: Vec<(String, usize, StoppedTask)>,
}

impl Tree {
    pub(super) fn take(&mut self, event: &Event) {
        match event {
            Event::Started(started) => {
                self.stack.clone_from(&started.stack);
                self.began = started.at;
                self.operation = words::doing(started.operation);
                self.families.clone_from(&started.families);
            }
            Event::Stack(change) => self.rolling_back |= change.rolling_back,
            Event::Resource(change) => {
                self.resources.insert(change.logical.clone(), change.clone());
            }
            Event::Service(change) => self.service(&change.service).counts = Some(change.clone()),
            Event::Task(change) => {
                self.service(&change.service).tasks.insert(change.task.clone(), change.clone());
            }
            Event::TaskStopped(stopped) => {
                let service = self.service(&stopped.service);
                service.tasks.remove(&stopped.task);
                if stopped.failed {
                    service.failed(stopped);
                }
            }
            Event::Blind(blind) => self.blind = Some(blind.why.clone()),
            Event::Sighted { .. } => self.blind = None,
            Event::Message(_) | Event::Failing(_) | Event::Looked { .. } => {}
        }
    }

    fn service(&mut self, name: &str) -> &mut Service {
        self.services.entry(name.to_owned()).or_default()
    }

    /// The frame at a moment: at most `height` lines of at most `width` columns.
    pub(super) fn frame(&self, now: Moment, width: usize, height: usize, style: Style) -> Vec<String> {
        let mut lines = vec![(Worth::Head, self.head(now, style))];
        if let Some(why) = &self.blind {
            lines.push((Worth::Wrong, format!("  {} {why}", style.doubtful("AWS can't be asked:"))));
        }
        for (family, members) in self.members() {
            self.family(&mut lines, &family, &members, now, style);
        }
        fit(lines, height).into_iter().map(|line| console::truncate_str(&line, width, "…").into_owned()).collect()
    }

    fn head(&self, now: Moment, style: Style) -> String {
        let count = |wanted: Progress| self.resources.values().filter(|change| change.progress == wanted).count();
        let operation = if self.rolling_back { style.bad("rolling back") } else { style.strong(self.operation) };
        let took = words::duration(now.since(self.began));
        let failed = match count(Progress::Failed) {
            0 => String::new(),
            failed => style.bad(format!(", {failed} failed")),
        };
        let (done, working) = (count(Progress::Done), count(Progress::Working));
        format!("{}  {operation}  {took}   {done} done, {working} under way{failed}", style.strong(&self.stack))
    }

    /// The families in the order of their names, each with its resources; what belongs to none comes last, without a name.
    fn members(&self) -> Vec<(String, Vec<&ResourceChange>)> {
        let mut members: BTreeMap<(bool, String), Vec<&ResourceChange>> = BTreeMap::new();
        for change in self.resources.values() {
            let family = self.family_of(&change.logical).unwrap_or_default();
            members.entry((family.is_empty(), family)).or_default().push(change);
        }
        for service in self.services.keys() {
            members.entry((false, service.clone())).or_default();
        }
        members.into_iter().map(|((_, family), members)| (family, members)).collect()
    }

    /// The family with the longest prefix: `Connect` and `ConnectSink` may both be families.
    fn family_of(&self, logical: &str) -> Option<String> {
        let fits = |prefix: &str| {
            logical.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(|c: char| c.is_uppercase()))
        };
        let longest = self.families.iter().filter(|(prefix, _)| fits(prefix)).max_by_key(|(prefix, _)| prefix.len());
        longest.map(|(_, family)| family.clone())
    }

    fn family(&self, lines: &mut Vec<(Worth, String)>, family: &str, members: &[&ResourceChange], now: Moment, style: Style) {
        let done = members.iter().filter(|change| change.progress == Progress::Done).count();
        let name = if family.is_empty() { "shared" } else { family };
        let service = self.services.get(family);
        let failing = service.is_some_and(|service| !service.reasons.is_empty())
            || members.iter().any(|change| change.progress == Progress::Failed);
        let mark = if failing {
            style.bad("×")
        } else if done == members.len() {
            "✓".to_owned()
        } else {
            spinner(now).to_string()
        };
        let began = members.iter().map(|change| change.began).min();
        let ended = members.iter().map(|change| change.at).max().filter(|_| done == members.len());
        let took = began.map(|began| words::duration(ended.unwrap_or(now).since(began))).unwrap_or_default();
        let counts = if members.is_empty() { String::new() } else { format!("  {done} of {}", members.len()) };
        lines.push((Worth::Family, format!("{mark} {}{counts}  {}", style.strong(name), style.quiet(took))));
        let mut ordered = members.to_vec();
        ordered.sort_by_key(|change| (rank(change.progress), change.logical.clone()));
        for change in ordered {
            lines.push(self.resource(change, family, now, style));
        }
        if let Some(service) = service {
            service.lines(lines, now, style);
        }
    }

    fn resource(&self, change: &ResourceChange, family: &str, now: Moment, style: Style) -> (Worth, String) {
        let prefix = self.families.iter().find(|(_, name)| *name == family).map_or("", |(prefix, _)| prefix);
        let rest = change.logical.strip_prefix(prefix).filter(|rest| !rest.is_empty()).unwrap_or(&change.logical);
        let name = words::resource(rest);
        let state = words::status(&change.status);
        let (worth, mark, state, end) = match change.progress {
            Progress::Working => (Worth::Working, spinner(now).to_string(), state, now),
            Progress::Done => (Worth::Done, "✓".to_owned(), state, change.at),
            Progress::Failed => (Worth::Wrong, style.bad("×"), style.bad(state), change.at),
            Progress::Cancelled => (Worth::Done, "–".to_owned(), "cancelled".to_owned(), change.at),
        };
        let took = style.quiet(words::duration(end.since(change.began)));
        let reason = change.reason.as_deref().filter(|_| change.progress == Progress::Failed);
        let reason = reason.map(|reason| format!("  {}", words::one_line(reason))).unwrap_or_default();
        (worth, format!("  {mark} {name:<28} {state:<14} {took}{reason}"))
    }
}

impl Service {
    fn failed(&mut self, stopped: &StoppedTask) {
        let why = why(stopped);
        let before = self.reasons.iter().position(|(reason, _, _)| *reason == why);
        let times = before.map_or(0, |at| self.reasons.remove(at).1);
        self.reasons.push((why, times + 1, stopped.clone()));
    }

    fn lines(&self, lines: &mut Vec<(Worth, String)>, now: Moment, style: Style) {
        if let Some(counts) = &self.counts {
            let running = words::counts(counts);
            let running = if counts.failed > 0 { style.bad(running) } else { running };
            let rollout = match counts.rollout.as_deref() {
                Some("FAILED") => style.bad("   rollout failed"),
                Some("IN_PROGRESS") => "   rolling out".to_owned(),
                _ => String::new(),
            };
            let well = rollout.is_empty() && counts.failed == 0 && counts.running >= counts.desired;
            let worth = if well { Worth::Task } else { Worth::Family };
            lines.push((worth, format!("    tasks  {running}{rollout}")));
        }
        for (id, task) in &self.tasks {
            let health = task.health.as_deref().map(str::to_lowercase).unwrap_or_default();
            let age = task.created.map(|created| words::duration(now.since(created))).unwrap_or_default();
            let state = task.status.to_lowercase();
            let text = format!(
                "      {}  {state:<14} {health:<10} {:>7}  {}",
                words::short(id),
                age,
                style.quiet(revision(&task.revision))
            );
            lines.push((Worth::Task, text));
        }
        let skipped = self.reasons.len().saturating_sub(REASONS);
        for (why, times, last) in self.reasons.iter().skip(skipped) {
            let times = if *times > 1 { format!("{times} tasks") } else { "1 task".to_owned() };
            lines.push((Worth::Wrong, format!("    {} {times} stopped: {why}", style.bad("×"))));
            if let Some(diagnosis) = &last.diagnosis {
                for (index, line) in words::diagnosis(diagnosis).into_iter().enumerate() {
                    lines.push((if index == 0 { Worth::Wrong } else { Worth::Fix }, format!("      {line}")));
                }
            }
        }
    }
}

/// The stop code, the reason, and what the containers ended with.
fn why(stopped: &StoppedTask) -> String {
    let ends = stopped.containers.iter().filter_map(|container| {
        let code = container.exit_code.filter(|code| *code != 0)?;
        Some(format!("{} exited with {code}", container.name))
    });
    let said = Some(words::why(stopped)).filter(|why| !why.is_empty());
    said.into_iter().chain(ends).collect::<Vec<_>>().join(": ")
}

/// `worker:12` of a task definition whose name may be long.
fn revision(revision: &str) -> String {
    match revision.rsplit_once(':') {
        Some((_, number)) => format!("revision {number}"),
        None => revision.to_owned(),
    }
}

fn rank(progress: Progress) -> u8 {
    match progress {
        Progress::Failed => 0,
        Progress::Working => 1,
        Progress::Cancelled => 2,
        Progress::Done => 3,
    }
}

fn spinner(now: Moment) -> char {
    let step = usize::try_from(now.millis() / 250).unwrap_or_default();
    SPINNER[step % SPINNER.len()]
}

/// Leaves out the least worthy lines, the last of them first, until the rest fits; a last line counts what isn't shown.
fn fit(lines: Vec<(Worth, String)>, height: usize) -> Vec<String> {
    let hidden = (lines.len() + usize::from(lines.len() > height)).saturating_sub(height.max(1));
    let mut by_worth: Vec<usize> = (0..lines.len()).collect();
    by_worth.sort_by_key(|index| (std::cmp::Reverse(lines[*index].0), std::cmp::Reverse(*index)));
    let left_out: Vec<usize> = by_worth.into_iter().take(hidden.min(lines.len().saturating_sub(1))).collect();
    let mut shown: Vec<String> = Vec::new();
    for (index, (_, line)) in lines.into_iter().enumerate() {
        if !left_out.contains(&index) {
            shown.push(line);
        }
    }
    if !left_out.is_empty() && height > 1 {
        let lines = if left_out.len() == 1 { "line" } else { "lines" };
        shown.push(format!("  … {} more {lines}", left_out.len()));
    }
    shown
}

/// How long ago something must have moved for a frame to be drawn again.
pub(super) const TICK: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Tree;
    use crate::base::{
        Diagnosis, Event, Moment, Operation, Progress, ResourceChange, ServiceChange, Started, StoppedContainer, StoppedTask,
        TaskChange,
    };
    use crate::ui::style::Style;

    fn at(second: i64) -> Moment {
        Moment::from_millis(second * 1_000)
    }

    fn resource(logical: &str, second: i64, status: &str, progress: Progress) -> Event {
        Event::Resource(ResourceChange {
            id: format!("{logical}{second}"),
            at: at(second),
            logical: logical.to_owned(),
            kind: String::new(),
            status: status.to_owned(),
            progress,
            reason: None,
            began: at(1),
        })
    }

    fn stopped(task: &str) -> Event {
        Event::TaskStopped(StoppedTask {
            at: at(9),
            service: "connect".to_owned(),
            task: task.to_owned(),
            revision: "connect:1".to_owned(),
            stop_code: Some("EssentialContainerExited".to_owned()),
            reason: Some("Essential container in task exited".to_owned()),
            failed: true,
            containers: vec![StoppedContainer { name: "connect".to_owned(), exit_code: Some(1), reason: None, log: Vec::new() }],
            diagnosis: Some(Diagnosis { cause: "the password is wrong".to_owned(), fix: "store another".to_owned(), code: None }),
        })
    }

    fn tree() -> Tree {
        let mut tree = Tree::default();
        let families =
            BTreeMap::from([("Connect".to_owned(), "connect".to_owned()), ("ConnectSink".to_owned(), "sink".to_owned())]);
        for event in [
            Event::Started(Started {
                at: at(0),
                operation: Operation::Create,
                stack: "demo-dev".to_owned(),
                region: "eu-west-1".to_owned(),
                families,
            }),
            resource("ConnectTaskRole", 3, "CREATE_COMPLETE", Progress::Done),
            resource("ConnectService", 4, "CREATE_IN_PROGRESS", Progress::Working),
            resource("ConnectSinkTaskRole", 2, "CREATE_COMPLETE", Progress::Done),
            resource("LoadBalancer", 2, "CREATE_IN_PROGRESS", Progress::Working),
            Event::Service(ServiceChange {
                at: at(5),
                service: "connect".to_owned(),
                desired: 2,
                running: 1,
                pending: 1,
                failed: 2,
                rollout: Some("IN_PROGRESS".to_owned()),
                reason: None,
            }),
            Event::Task(TaskChange {
                at: at(6),
                service: "connect".to_owned(),
                task: "0123456789abcdef".to_owned(),
                status: "RUNNING".to_owned(),
                health: Some("HEALTHY".to_owned()),
                revision: "demo-connect:1".to_owned(),
                created: Some(at(4)),
            }),
            stopped("t1"),
            stopped("t2"),
        ] {
            tree.take(&event);
        }
        tree
    }

    #[test]
    fn what_belongs_together_stands_together_with_its_tasks_and_reasons() {
        let frame = tree().frame(at(10), 100, 50, Style::new(false));
        let trimmed: Vec<&str> = frame.iter().map(|line| line.trim_end()).collect();
        assert_eq!(
            trimmed,
            [
                "demo-dev  creating  10s   2 done, 2 under way",
                "× connect  1 of 2  9s",
                "  ⠋ service                      creating       9s",
                "  ✓ task role                    created        2s",
                "    tasks  1 of 2 running, 1 pending, 2 failed   rolling out",
                "      01234567  running        healthy         6s  revision 1",
                "    × 2 tasks stopped: EssentialContainerExited: Essential container in task exited: connect exited…",
                "      cause  the password is wrong",
                "      fix    store another",
                "✓ sink  1 of 1  1s",
                "  ✓ task role                    created        1s",
                "⠋ shared  0 of 1  9s",
                "  ⠋ load balancer                creating       9s",
            ]
        );
    }

    #[test]
    fn a_frame_never_exceeds_the_terminal_and_keeps_what_is_wrong() {
        let mut tree = tree();
        for number in 0..40 {
            tree.take(&resource(&format!("Rule{number}"), 2, "CREATE_IN_PROGRESS", Progress::Working));
            tree.take(&resource(&format!("Role{number}"), 3, "CREATE_COMPLETE", Progress::Done));
        }
        for (width, height) in [(80, 24), (200, 50), (40, 10), (20, 3), (10, 1), (80, 0)] {
            let frame = tree.frame(at(10), width, height, Style::new(true));
            assert!(frame.len() <= height.max(1), "{width}x{height}: {}", frame.len());
            assert!(frame.iter().all(|line| console::measure_text_width(line) <= width), "{width}x{height}");
        }
        let frame = tree.frame(at(10), 80, 12, Style::new(false));
        let has = |part: &str| frame.iter().any(|line| line.contains(part));
        assert!(has("tasks stopped") && has("tasks  1 of 2") && has("more lines") && !has("✓ role"), "{frame:#?}");
    }

    #[test]
    fn the_cause_of_one_service_s_failures_stays_when_eight_are_deployed_on_a_small_terminal() {
        let mut tree = tree();
        for number in 1..=8 {
            let family = format!("worker{number}");
            tree.families.insert(format!("Worker{number}"), family.clone());
            for part in ["Service", "TaskRole", "ExecutionRole", "LogGroup", "SecurityGroup", "TaskDefinition"] {
                let logical = format!("Worker{number}{part}");
                tree.take(&resource(&logical, 3, "CREATE_COMPLETE", Progress::Done));
            }
            tree.take(&Event::Service(ServiceChange {
                at: at(5),
                service: family,
                desired: 1,
                running: 1,
                pending: 0,
                failed: 0,
                rollout: Some("COMPLETED".to_owned()),
                reason: None,
            }));
        }
        tree.take(&stopped("t1"));
        let frame = tree.frame(at(10), 80, 23, Style::new(false));
        let has = |part: &str| frame.iter().any(|line| line.contains(part));
        assert!(has("stopped: Essential") && has("cause  the password is wrong") && has("fix    store another"), "{frame:#?}");
        assert!((1..=8).all(|number| has(&format!("worker{number}  "))), "{frame:#?}");
    }

    /// What the README shows is a frame as it is drawn.
    #[test]
    fn the_readme_shows_a_frame() {
        let mut tree = Tree::default();
        let started = Started {
            at: at(0),
            operation: Operation::Create,
            stack: "shop-dev".to_owned(),
            region: "eu-west-1".to_owned(),
            families: BTreeMap::from([("Worker".to_owned(), "worker".to_owned())]),
        };
        tree.take(&Event::Started(started));
        for (logical, began, ended) in [
            ("WorkerLogGroup", 1, 2),
            ("WorkerTaskRole", 1, 3),
            ("WorkerSecurityGroup", 1, 3),
            ("WorkerExecutionRole", 1, 4),
            ("WorkerTaskDefinition", 4, 5),
            ("WorkerService", 5, 0),
        ] {
            let (status, progress, end) = match ended {
                0 => ("CREATE_IN_PROGRESS", Progress::Working, began),
                ended => ("CREATE_COMPLETE", Progress::Done, ended),
            };
            let Event::Resource(change) = resource(logical, end, status, progress) else { continue };
            tree.take(&Event::Resource(ResourceChange { began: at(began), ..change }));
        }
        let counts = ServiceChange {
            at: at(30),
            service: "worker".to_owned(),
            desired: 2,
            running: 1,
            pending: 1,
            failed: 2,
            rollout: Some("IN_PROGRESS".to_owned()),
            reason: None,
        };
        tree.take(&Event::Service(counts));
        for (id, status, health, created) in
            [("4ec8a6f0c0de4b0f", "RUNNING", Some("HEALTHY"), 11), ("9cf831b2c0de4b0f", "PROVISIONING", None, 40)]
        {
            tree.take(&Event::Task(TaskChange {
                at: at(created),
                service: "worker".to_owned(),
                task: id.to_owned(),
                status: status.to_owned(),
                health: health.map(str::to_owned),
                revision: "worker:1".to_owned(),
                created: Some(at(created)),
            }));
        }
        for task in ["a", "b"] {
            let Event::TaskStopped(stopped) = stopped(task) else { continue };
            let diagnosis = Diagnosis {
                cause: "the Kafka cluster refuses the user name or the password".to_owned(),
                fix: "confluent-ecs preflight --only kafka, then confluent-ecs secrets put with the right key".to_owned(),
                code: Some("CE304".to_owned()),
            };
            let containers =
                stopped.containers.iter().map(|container| StoppedContainer { name: "worker".to_owned(), ..container.clone() });
            let containers = containers.collect();
            let service = "worker".to_owned();
            tree.take(&Event::TaskStopped(StoppedTask { service, containers, diagnosis: Some(diagnosis), ..stopped }));
        }
        let frame = tree.frame(at(42), 120, 40, Style::new(false)).join("\n");
        assert!(
            include_str!("../../README.md").contains(&format!("```text\n{frame}\n```")),
            "the README shows another one than\n{frame}"
        );
    }
}
