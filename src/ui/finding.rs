//! Findings and failures as text, in three forms.

use std::fmt::Write;

use super::style::Style;
use crate::base::{Failure, Finding, Findings, Severity, Sources};

/// A line longer than this is shown in part, around the place.
const LINE_WIDTH: usize = 120;

fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The finding with the user's line under it.
pub(super) fn drawn(out: &mut String, finding: &Finding, sources: &Sources, style: Style) {
    let label = match finding.severity {
        Severity::Error => style.bad("error"),
        Severity::Warning => style.doubtful("warning"),
    };
    let _ = writeln!(out, "{label} {} {}", style.quiet(finding.code), style.strong(&finding.message));
    if let Some(place) = &finding.place {
        let key = finding.path.as_deref().map(|path| format!("  {path}")).unwrap_or_default();
        let _ = writeln!(out, "  {} {place}{}", style.quiet("-->"), style.quiet(key));
        if let Some(line) = sources.line(place) {
            let (shown, caret) = excerpt(line, place.column as usize);
            let number = place.line.to_string();
            let _ = writeln!(out, "  {} {} {shown}", style.quiet(&number), style.quiet("|"));
            let _ = writeln!(out, "  {:width$} {} {:caret$}{}", "", style.quiet("|"), "", style.bad("^"), width = number.len());
        }
    } else if let Some(path) = &finding.path {
        let _ = writeln!(out, "  {} {path}", style.quiet("-->"));
    }
    if let Some(help) = &finding.help {
        let _ = writeln!(out, "  {} {help}", style.quiet("="));
    }
    out.push('\n');
}

/// Where more is said of the findings, in one line for all of them.
pub(super) fn more(out: &mut String, findings: &Findings, style: Style) {
    let mut codes: Vec<String> = findings.iter().map(|finding| finding.code.to_string()).collect();
    codes.sort();
    codes.dedup();
    let Some((first, others)) = codes.split_first() else { return };
    let others = if others.is_empty() { String::new() } else { format!("  (and {})", others.join(", ")) };
    let _ = writeln!(out, "{} confluent-ecs explain {first}{others}", style.quiet("more "));
}

/// The part of a line that fits, with tabs and control characters as blanks, and how far right the caret stands in it.
fn excerpt(line: &str, column: usize) -> (String, usize) {
    let at = column.saturating_sub(1);
    let start = if at < LINE_WIDTH { 0 } else { at - LINE_WIDTH / 2 };
    let shown = line.chars().skip(start).take(LINE_WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
    (shown, at - start)
}

/// One line: `file:line:column: error[CE105]: message (key); help`.
pub(super) fn plain(out: &mut String, finding: &Finding) {
    if let Some(place) = &finding.place {
        let _ = write!(out, "{place}: ");
    }
    let _ = write!(out, "{}[{}]: ", word(finding.severity), finding.code);
    if let Some(path) = &finding.path {
        let _ = write!(out, "{path}: ");
    }
    out.push_str(&one_line(&finding.message));
    if let Some(help) = &finding.help {
        let _ = write!(out, "; {}", one_line(help));
    }
    out.push('\n');
}

fn one_line(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\n', '\r'], " ")
}

/// A workflow command of GitHub Actions, which shows the finding beside the line of the pull request.
pub(super) fn github(out: &mut String, finding: &Finding) {
    let _ = write!(out, "::{} title={}", word(finding.severity), property(&finding.code.to_string()));
    if let Some(place) = &finding.place {
        let _ = write!(out, ",file={}", property(&place.file));
        if place.line > 0 {
            let _ = write!(out, ",line={},col={}", place.line, place.column);
        }
    }
    let mut message = String::new();
    if let Some(path) = &finding.path {
        let _ = write!(message, "{path}: ");
    }
    message.push_str(&finding.message);
    if let Some(help) = &finding.help {
        let _ = write!(message, "\n{help}");
    }
    let _ = writeln!(out, "::{}", data(&message));
}

pub(super) fn github_failure(out: &mut String, failure: &Failure) {
    let cause = failure.cause.as_deref().map(|cause| format!("\n{cause}")).unwrap_or_default();
    let title = failure.code.map(|code| format!(" title={code}")).unwrap_or_default();
    let _ = writeln!(out, "::error{title}::{}", data(&format!("{}{cause}", failure.headline)));
}

/// What GitHub's runner asks to be escaped in a message.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// … and in a property.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

pub(super) fn counted(out: &mut String, errors: usize, warnings: usize) {
    let plural = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
    let parts: Vec<String> = [(errors, "error"), (warnings, "warning")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| plural(count, word))
        .collect();
    let _ = writeln!(out, "{}", parts.join(", "));
}

pub(super) fn failure(out: &mut String, failure: &Failure, style: Style) {
    let code = failure.code.map(|code| format!(" {code}")).unwrap_or_default();
    let _ = writeln!(out, "{}{}: {}", style.bad("error"), style.quiet(code), style.strong(&failure.headline));
    if let Some(cause) = &failure.cause {
        let _ = writeln!(out, "  cause    {}", cause.replace('\n', "\n           "));
    }
    for (index, help) in failure.help.iter().enumerate() {
        let _ = writeln!(out, "  {} {}", if index == 0 { "to do   " } else { "        " }, help.replace('\n', "\n           "));
    }
    if let Some(id) = &failure.request_id {
        let _ = writeln!(out, "  request  {id}");
    }
    if let Some(code) = &failure.code {
        let _ = writeln!(out, "  more     confluent-ecs explain {code}");
    }
}

#[cfg(test)]
mod tests {
    use super::{github, plain};
    use crate::base::{Code, Finding, Place};

    fn example() -> Finding {
        Finding::error(Code::YAML_SYNTAX, "50% done:\nno").at(Place::new("a,b.yml", 3, 7)).path("services.web").help("write it")
    }

    #[test]
    fn a_plain_finding_is_one_line() {
        let mut out = String::new();
        plain(&mut out, &example());
        assert_eq!(out, "a,b.yml:3:7: error[CE102]: services.web: 50% done: no; write it\n");
    }

    #[test]
    fn an_annotation_is_escaped() {
        let mut out = String::new();
        github(&mut out, &example());
        assert_eq!(out, "::error title=CE102,file=a%2Cb.yml,line=3,col=7::services.web: 50%25 done:%0Ano%0Awrite it\n");
    }
}
