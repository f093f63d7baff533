//! The preflight report as text: groups in a fixed order, one line a check, and under what did not pass the reason and the way out.
//!
//! A mark says how a check ended; where the terminal has no UTF-8 it is a word. Colour only repeats it.

use std::collections::HashSet;
use std::env;
use std::fmt::Write as _;

use console::Term;

use super::style::Style;
use super::wrap::columns;
use super::{Form, Ui, summary, words};
use crate::base::{Finding, Place, shell};
use crate::preflight::{Category, Check, Fix, Report, Status};

/// Where the column of codes begins, unless a line of the group is longer …
const LINE_WIDTH: usize = 82;
/// … up to here. What is longer still stands out of its column, and moves no other line.
const WIDEST: usize = 120;
/// A longer label moves its own message only.
const LABEL_WIDTH: usize = 60;
/// A command is broken before an option that would pass this column.
const COMMAND_WIDTH: usize = 78;

/// How much of a report is shown, and what its last line offers.
#[derive(Debug, Clone, Copy)]
pub struct ReportView<'a> {
    /// Leave out what passed.
    pub short: bool,
    /// The arguments that name the project again.
    pub again: &'a str,
}

impl Ui {
    /// Shows a report: on stdout, as text or as JSON.
    pub fn report(&mut self, report: &Report, view: ReportView<'_>) {
        if self.form == Form::GitHub {
            self.annotations(report);
        }
        let plain = Drawing { style: Style::new(false), utf8: true, columns: None, view: ReportView { short: true, ..view } };
        summary::add("preflight", &plain.report(report));
        if self.wants_json() {
            self.json(report);
        } else {
            let columns = columns(&Term::stdout());
            let text = Drawing { style: self.result_style, utf8: has_utf8(), columns, view }.report(report);
            self.result(&text);
        }
    }

    /// Shows a report beside the result of something else: on stderr, as text.
    pub fn report_aside(&mut self, report: &Report, view: ReportView<'_>) {
        if self.form == Form::GitHub {
            self.annotations(report);
        }
        let columns = columns(&Term::stderr());
        let text = Drawing { style: self.style, utf8: has_utf8(), columns, view }.report(report);
        self.note(text.trim_end());
    }

    /// What did not pass, beside the line of the file that it is about.
    fn annotations(&mut self, report: &Report) {
        for check in report.checks.iter().filter(|check| matches!(check.status, Status::Failed | Status::Warned)) {
            let message = format!("{}: {}", check.title, check.message);
            let make = if check.status == Status::Failed { Finding::error } else { Finding::warning };
            let mut finding = make(check.code, message);
            if let Some(origin) = &check.origin {
                finding = finding.at(Place::new(origin.file.as_str(), origin.line, 1));
            }
            self.findings(&finding.into());
        }
    }
}

/// POSIX: the first of these that is set rules. Where none is, as on most build machines, UTF-8 is what is there.
fn has_utf8() -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
    locale.is_none_or(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

struct Drawing<'a> {
    style: Style,
    utf8: bool,
    /// Of the terminal, where it is one.
    columns: Option<usize>,
    view: ReportView<'a>,
}

/// A check's line, before it is known where the others of its group end.
struct Line<'a> {
    check: &'a Check,
    text: String,
    time: String,
}

impl Line<'_> {
    /// What it takes, with a gap before its time.
    fn width(&self) -> usize {
        chars(&self.text) + if self.time.is_empty() { 0 } else { self.time.len() + 2 }
    }
}

impl Drawing<'_> {
    fn report(&self, report: &Report) -> String {
        let mut text = String::new();
        self.head(&mut text, report);
        let mut shown = HashSet::new();
        for category in Category::ALL {
            let mut rest: Vec<&Check> = report.checks.iter().filter(|check| check.category == *category).collect();
            if rest.is_empty() {
                continue;
            }
            while let Some(first) = rest.first() {
                let heading = heading(first);
                let (group, others): (Vec<&Check>, Vec<&Check>) = rest.iter().partition(|check| self::heading(check) == heading);
                rest = others;
                self.group(&mut text, *category, &heading, &group, &mut shown);
            }
        }
        self.foot(&mut text, report);
        text
    }

    fn head(&self, text: &mut String, report: &Report) {
        let target = &report.target;
        let env = target.env.as_ref().map(|env| format!("-{env}")).unwrap_or_default();
        let mut parts = vec![self.style.strong(format!("{}{env}", target.project)), target.services.join(", ")];
        if let Some(kafka) = &target.kafka {
            let cluster = kafka.cluster.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            parts.push(format!("{}{cluster}", kafka.title));
        }
        if let Some(aws) = &target.aws {
            parts.push(format!("AWS {} {}", aws.account, aws.region));
        }
        parts.retain(|part| !part.is_empty());
        let _ = writeln!(text, "{}\n", parts.join("   "));
    }

    fn group(&self, text: &mut String, category: Category, heading: &str, checks: &[&Check], shown: &mut HashSet<String>) {
        let checks: Vec<&&Check> = checks.iter().filter(|check| !self.view.short || check.status != Status::Passed).collect();
        if checks.is_empty() {
            return;
        }
        let heading = if heading.is_empty() { String::new() } else { format!("   {heading}") };
        let _ = writeln!(text, "{}{heading}", self.style.strong(category.as_str()));
        let label =
            checks.iter().map(|check| chars(&check.label)).filter(|width| *width <= LABEL_WIDTH).max().unwrap_or_default();
        let lines: Vec<Line<'_>> = checks.into_iter().map(|check| line(check, label)).collect();
        let room = self.room();
        let longest = lines.iter().map(Line::width).filter(|width| *width <= room).max().unwrap_or_default();
        let width = longest.max(LINE_WIDTH.min(room));
        for line in &lines {
            self.line(text, line, width);
            if !matches!(line.check.status, Status::Passed | Status::Skipped) {
                self.details(text, line.check, shown);
            }
        }
    }

    /// How long a line may become before the column of codes.
    fn room(&self) -> usize {
        // Two blanks, the mark and another before it; two blanks and the code after it.
        let around = self.mark_width() + 3 + 2 + "CE000".len();
        self.columns.map_or(WIDEST, |columns| columns.saturating_sub(around).min(WIDEST))
    }

    fn line(&self, text: &mut String, line: &Line<'_>, width: usize) {
        let Line { check, text: said, time } = line;
        let least = if time.is_empty() { 0 } else { 2 };
        let gap = width.saturating_sub(chars(said) + time.len()).max(least);
        let (plain, painted) = self.mark(check.status);
        let mark = painted + &" ".repeat(self.mark_width().saturating_sub(plain));
        let _ = writeln!(text, "  {mark} {said}{}{}  {}", " ".repeat(gap), self.style.quiet(time), self.style.quiet(check.code));
    }

    /// The mark's width and its painted form.
    fn mark(&self, status: Status) -> (usize, String) {
        let mark = match (status, self.utf8) {
            (Status::Passed, true) => "✓",
            (Status::Passed, false) => "ok",
            (Status::Warned, true) => "‼",
            (Status::Warned, false) => "WARN",
            (Status::Failed, true) => "×",
            (Status::Failed, false) => "FAIL",
            (Status::Skipped, true) => "–",
            (Status::Skipped, false) => "-",
            (Status::Unknown, _) => "?",
        };
        let painted = match status {
            Status::Failed => self.style.bad(mark),
            Status::Warned | Status::Unknown => self.style.doubtful(mark),
            Status::Skipped => self.style.quiet(mark),
            Status::Passed => mark.to_owned(),
        };
        (chars(mark), painted)
    }

    fn mark_width(&self) -> usize {
        if self.utf8 { 1 } else { 4 }
    }

    fn details(&self, text: &mut String, check: &Check, shown: &mut HashSet<String>) {
        let indent = " ".repeat(self.mark_width() + 5);
        let mut detail = |word: &str, body: &str| {
            let _ = writeln!(text, "{indent}{} {}", self.style.quiet(format!("{word:<5}")), clean(body));
        };
        if let Some(cause) = check.cause {
            detail("cause", cause.as_str());
        }
        // Rights are needed because of a component, not of a line.
        if let Some(origin) = check.origin.as_ref().filter(|_| check.category != Category::KafkaAcls) {
            detail("at", &format!("{}:{}", origin.file, origin.line));
        }
        if check.parts.len() > 1 {
            for part in check.parts.iter().filter(|part| part.cause.is_some()) {
                detail("", &format!("{}: {}", part.name, part.message));
            }
        }
        if let Some(evidence) = check.evidence.as_ref().filter(|_| check.cause.is_some()) {
            detail("saw", evidence);
        }
        if let Some(why) = &check.why {
            detail("why", why);
        }
        for fix in &check.fixes {
            let lines = fix_lines(fix, check);
            // What is said beside a command is not to be run.
            let beside =
                matches!(fix, Fix::Advice { .. }) && check.fixes.iter().any(|other| matches!(other, Fix::Command { .. }));
            let first = if beside { "note" } else { "fix" };
            if shown.insert(lines.join("\n")) {
                for (index, line) in lines.iter().enumerate() {
                    detail(if index == 0 { first } else { "" }, line);
                }
            } else if !matches!(fix, Fix::Advice { .. }) {
                detail("fix", "the one above");
            }
        }
        if check.status == Status::Failed {
            detail("more", &format!("confluent-ecs explain {}", check.code));
        }
    }

    fn foot(&self, text: &mut String, report: &Report) {
        let summary = &report.summary;
        let mut parts = vec![format!("{} passed", summary.passed)];
        if summary.warned > 0 {
            parts.push(self.style.doubtful(words::count(summary.warned, "warning")));
        }
        if summary.failed > 0 {
            parts.push(self.style.bad(format!("{} failed", summary.failed)));
        }
        for (count, word) in [(summary.skipped, "skipped"), (summary.unknown, "unknown")] {
            if count > 0 {
                parts.push(format!("{count} {word}"));
            }
        }
        let (seconds, tenths) = (report.duration_ms / 1000, report.duration_ms % 1000 / 100);
        let status = if report.exit_code == 0 { String::new() } else { format!("   exit status {}", report.exit_code) };
        let _ = writeln!(text, "\n{} in {seconds}.{tenths}s{status}", parts.join(", "));
        let failed: Vec<&Check> = report.checks.iter().filter(|check| check.status == Status::Failed).collect();
        if failed.iter().any(|check| !check.fixes.is_empty()) {
            let only = match failed.iter().map(|check| check.category).collect::<HashSet<_>>().into_iter().collect::<Vec<_>>()[..]
            {
                [Category::KafkaAcls] => " --only kafka-acls --wait 2m",
                _ => "",
            };
            let _ = writeln!(text, "next: run the fix, then  confluent-ecs preflight{}{only}", self.view.again);
        }
    }
}

/// What is said of a check, its label as wide as those of its group.
fn line(check: &Check, label: usize) -> Line<'_> {
    let word = match check.status {
        Status::Skipped => "skipped: ",
        Status::Unknown => "unknown: ",
        _ => "",
    };
    let text = format!("{}  {word}{}", pad(&clean(&check.label), label), clean(&check.message));
    let time = if check.duration_ms > 0 { format!("{}ms", check.duration_ms) } else { String::new() };
    Line { check, text, time }
}

/// Who the checks of a group ran as. A service's only client often has its name.
fn heading(check: &Check) -> String {
    let (Some(service), Some(who)) = (&check.service, &check.ran_as) else { return String::new() };
    let clients = check.clients.join(", ");
    if clients.is_empty() || clients == *service {
        format!("{service}, {}", clean(who))
    } else {
        format!("{service} {clients}, {}", clean(who))
    }
}

fn fix_lines(fix: &Fix, check: &Check) -> Vec<String> {
    match fix {
        Fix::Command { argv } => command_lines(argv),
        Fix::Setting { variables, value } => {
            let at = check.origin.as_ref().map(|origin| format!(" ({})", origin.file)).unwrap_or_default();
            vec![format!("set {} to {value}{at}", variables.join(", "))]
        }
        Fix::Advice { text } => vec![text.clone()],
        Fix::Policy { statements } => super::fixes::policy(statements).lines().map(str::to_owned).collect(),
    }
}

/// A command as a shell takes it, broken before options.
pub(super) fn command_lines(argv: &[String]) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut words = argv.iter().peekable();
    while let Some(word) = words.next() {
        let mut piece = shell(word);
        if word.starts_with('-') {
            while let Some(value) = words.next_if(|next| !next.starts_with('-')) {
                piece.push(' ');
                piece.push_str(&shell(value));
            }
        }
        let Some(line) = lines.last_mut() else { continue };
        if line.is_empty() {
            *line = piece;
        } else if chars(line) + 1 + chars(&piece) <= COMMAND_WIDTH {
            line.push(' ');
            line.push_str(&piece);
        } else {
            line.push_str(" \\");
            lines.push(format!("  {piece}"));
        }
    }
    lines
}

fn chars(text: &str) -> usize {
    text.chars().count()
}

fn pad(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(chars(text))))
}

/// What a broker said may hold anything: no control character reaches the terminal.
fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Drawing, ReportView, clean, command_lines, heading};
    use crate::preflight::{Category, Check};
    use crate::ui::style::Style;

    fn check(label: &str, message: &str, took: u64) -> Check {
        let mut check: Check = serde_json::from_value(serde_json::json!({
            "id": "", "code": "CE402", "category": "kafka-acls", "status": "passed", "title": "", "message": message,
            "fixes": [], "needs": [], "attempts": 1, "duration_ms": took,
        }))
        .unwrap();
        label.clone_into(&mut check.label);
        check
    }

    fn drawn(checks: &[Check], columns: Option<usize>) -> Vec<String> {
        let view = ReportView { short: false, again: "" };
        let drawing = Drawing { style: Style::new(false), utf8: true, columns, view };
        let mut text = String::new();
        drawing.group(&mut text, Category::KafkaAcls, "", &checks.iter().collect::<Vec<_>>(), &mut HashSet::new());
        text.lines().skip(1).map(str::to_owned).collect()
    }

    fn column(line: &str, of: &str) -> usize {
        line[..line.find(of).unwrap()].chars().count()
    }

    #[test]
    fn a_group_has_one_column_of_codes_also_where_a_line_is_long() {
        let checks = [check("group a", "read", 7), check("topic orders", &"é".repeat(84), 1_234), check("b", "read", 0)];
        let lines = drawn(&checks, None);
        let columns: Vec<usize> = lines.iter().map(|line| column(line, "CE402")).collect();
        assert_eq!(columns, [columns[0]; 3], "{lines:#?}");
        assert!(lines[1].contains("é  1234ms  CE402"), "{lines:#?}");
        // One that is far too long moves no other line.
        let lines = drawn(&[check("a", "read", 0), check("b", &"x".repeat(300), 0)], None);
        assert_eq!(column(&lines[0], "CE402"), 4 + 82 + 2, "{lines:#?}");
        assert!(lines[1].ends_with("x  CE402"), "{lines:#?}");
    }

    #[test]
    fn on_a_narrow_terminal_no_line_is_filled_up_beyond_its_edge() {
        let lines = drawn(&[check("a", "read", 3), check("topic b", "a message that is longer than this", 0)], Some(40));
        assert_eq!(lines[0].chars().count(), 40, "{lines:#?}");
        assert!(lines[1].ends_with("this  CE402"), "{lines:#?}");
    }

    #[test]
    fn a_heading_names_a_client_only_where_the_service_has_not_said_it() {
        let of = |clients: &[&str]| {
            let mut check = check("", "", 0);
            (check.service, check.ran_as) = (Some("connect".to_owned()), Some("User:a".to_owned()));
            check.clients = clients.iter().map(|client| (*client).to_owned()).collect();
            heading(&check)
        };
        assert_eq!(of(&["worker", "admin"]), "connect worker, admin, User:a");
        assert_eq!(of(&["connect"]), "connect, User:a");
        assert_eq!(of(&[]), "connect, User:a");
    }

    #[test]
    fn a_long_command_is_broken_before_options_and_stays_one_command() {
        let argv = [
            "kafka-acls",
            "--bootstrap-server",
            "broker.example.com:9092",
            "--command-config",
            "admin.properties",
            "--add",
            "--topic",
            "a b",
        ];
        let lines = command_lines(&argv.map(str::to_owned));
        assert_eq!(
            lines,
            [
                "kafka-acls --bootstrap-server broker.example.com:9092 \\",
                "  --command-config admin.properties --add --topic 'a b'"
            ]
        );
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\x1b[31mb\nc"), "a [31mb c");
    }
}
