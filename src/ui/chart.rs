//! A run as one HTML file: what happened, when, how long it took, and why what failed did.
//!
//! Comes in: a journal. Goes out: a document that needs nothing else, no script and no network. Rules: pure; every text from outside is
//! escaped; colour never carries the meaning alone.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::words;
use crate::base::{Event, Moment, Progress, ResourceChange, StoppedTask};
use crate::deploy::Ending;
use crate::deploy::journal::Run;

const STYLE: &str = "
:root { color-scheme: light dark; --line: #8884; --done: #2f6fb5; --bad: #c23b22; --work: #b58900; --gone: #777; }
body { font: 14px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.facts { color: #888; } .bad { color: var(--bad); font-weight: 600; }
.row { display: grid; grid-template-columns: 19rem 1fr; align-items: center; border-top: 1px solid var(--line); }
.row > .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; padding: 2px 8px 2px 0; }
.row.task > .name { padding-left: 1.5rem; color: #888; }
.lane { position: relative; height: 1.5rem; }
.bar { position: absolute; top: .25rem; height: 1rem; border-radius: 3px; min-width: 3px; background: var(--done); }
.bar.bad { background: repeating-linear-gradient(45deg, var(--bad) 0 6px, #8d2a18 6px 12px); }
.bar.work { background: var(--work); } .bar.gone { background: var(--gone); }
.bar > span { position: absolute; left: calc(100% + 6px); white-space: nowrap; font-size: 12px; line-height: 1rem; color: CanvasText; font-weight: 400; }
.bar.late > span { left: auto; right: calc(100% + 6px); }
.tick { position: absolute; top: 0; bottom: 0; border-left: 1px dashed var(--line); font-size: 11px; color: #888; padding-left: 3px; }
pre { background: #8882; padding: .6rem; overflow-x: auto; border-radius: 4px; }
table { border-collapse: collapse; } td, th { text-align: left; padding: 2px 12px 2px 0; vertical-align: top; }
";

/// One bar: from, to, what it is called, how it ended.
struct Bar {
    name: String,
    task: bool,
    from: Moment,
    to: Moment,
    class: &'static str,
    says: String,
}

pub(super) fn html(run: &Run) -> String {
    let header = &run.header;
    let last = run.events.iter().map(Event::at).chain(run.ending.map(|(at, _)| at)).max();
    let end = last.unwrap_or(header.at).max(header.at);
    let verb = words::doing(header.operation);
    let ending = run.ending.map_or("this watch was cut off", |(_, ending)| said(ending));
    let took = words::duration(end.since(header.at));
    let mut body = String::new();
    let _ = writeln!(body, "<h1>{}: {verb}, {} in {took}</h1>", escape(&header.stack), escape(ending));
    let _ = writeln!(
        body,
        "<p class=facts>{} by {}<br>{} · account {} · {} · confluent-ecs {}</p>",
        header.at,
        escape(&header.caller),
        escape(&run.id),
        escape(&header.account),
        escape(&header.region),
        escape(&header.version)
    );
    failures(&mut body, run);
    chart(&mut body, &bars(run, end), header.at, end);
    stopped_tasks(&mut body, run);
    messages(&mut body, run);
    format!(
        "<!doctype html>\n<html lang=en>\n<meta charset=utf-8>\n<meta name=viewport content=\"width=device-width\">\n<title>{}</title>\n\
         <style>{STYLE}</style>\n<body>\n{body}</body>\n</html>\n",
        escape(&run.id)
    )
}

fn said(ending: Ending) -> &'static str {
    match ending {
        Ending::NoChanges => "nothing to change",
        Ending::Complete => "done",
        Ending::Differs => "done, but not what was asked for",
        Ending::RolledBack => "failed and taken back",
        Ending::TakenBack => "taken back, as asked for",
        Ending::Stuck => "stuck",
        Ending::TimedOut => "not done when the time was over",
        Ending::LostSight => "lost sight of",
        Ending::Detached => "left while it went on",
        Ending::Declined => "not begun",
    }
}

/// The resources in the order in which work on them began, each service followed by its tasks.
fn bars(run: &Run, end: Moment) -> Vec<Bar> {
    let mut resources: Vec<Vec<&ResourceChange>> = Vec::new();
    for event in &run.events {
        let Event::Resource(change) = event else { continue };
        // A piece of work: the same resource may be created, and deleted again by the rollback.
        match resources.iter_mut().rev().find(|piece| piece[0].logical == change.logical && piece[0].began == change.began) {
            Some(piece) => piece.push(change),
            None => resources.push(vec![change]),
        }
    }
    let names: BTreeMap<&str, &str> =
        run.header.services.iter().map(|service| (service.service.as_str(), service.family.as_str())).collect();
    let mut with_tasks: Vec<&str> = Vec::new();
    let mut bars = Vec::new();
    for piece in resources {
        let (Some(first), Some(last)) = (piece.first(), piece.last()) else { continue };
        bars.push(resource_bar(first, last, end));
        if let Some(service) = names.get(first.logical.as_str())
            && !with_tasks.contains(service)
        {
            with_tasks.push(service);
            bars.extend(task_bars(run, service, end));
        }
    }
    // Tasks of a service that CloudFormation did not touch.
    for service in names.values().filter(|service| !with_tasks.contains(service)) {
        bars.extend(task_bars(run, service, end));
    }
    bars
}

fn resource_bar(first: &ResourceChange, last: &ResourceChange, end: Moment) -> Bar {
    let over = last.progress != Progress::Working;
    let to = if over { last.at } else { end };
    let class = match last.progress {
        Progress::Working => "work",
        Progress::Done => "",
        Progress::Failed => "bad",
        Progress::Cancelled => "gone",
    };
    let state = if last.progress == Progress::Cancelled { "cancelled".to_owned() } else { words::status(&last.status) };
    let says = format!("{state} {}", words::duration(to.since(first.began)));
    Bar { name: words::resource(&first.logical), task: false, from: first.began, to, class, says }
}

fn task_bars(run: &Run, service: &str, end: Moment) -> Vec<Bar> {
    let mut tasks: BTreeMap<&str, Bar> = BTreeMap::new();
    let mut order: Vec<&str> = Vec::new();
    for event in &run.events {
        let (id, at, says, class, over) = match event {
            Event::Task(change) if change.service == service => {
                let health = change.health.as_deref().map(|health| format!(", {}", health.to_lowercase())).unwrap_or_default();
                let at = change.created.unwrap_or(change.at);
                (change.task.as_str(), at, format!("{}{health}", change.status.to_lowercase()), "", None)
            }
            Event::TaskStopped(stopped) if stopped.service == service => {
                let class = if stopped.failed { "bad" } else { "gone" };
                let says = if stopped.failed { "failed" } else { "stopped" };
                (stopped.task.as_str(), stopped.at, says.to_owned(), class, Some(stopped.at))
            }
            _ => continue,
        };
        let bar = tasks.entry(id).or_insert_with(|| {
            order.push(id);
            Bar { name: format!("task {}", words::short(id)), task: true, from: at, to: end, class, says: String::new() }
        });
        bar.says = says;
        bar.class = class;
        bar.to = over.unwrap_or(end);
    }
    order.into_iter().filter_map(|id| tasks.remove(id)).collect()
}

fn chart(body: &mut String, bars: &[Bar], began: Moment, end: Moment) {
    if bars.is_empty() {
        return;
    }
    let whole = u32::try_from(end.since(began).as_millis()).unwrap_or(u32::MAX).max(1_000);
    let percent = |at: Moment| {
        let millis = u32::try_from(at.since(began).as_millis()).unwrap_or(u32::MAX).min(whole);
        f64::from(millis) * 100.0 / f64::from(whole)
    };
    let _ = writeln!(body, "<h2>What took how long</h2>\n<div class=row><div class=name></div><div class=lane>");
    let step = step(whole / 1_000);
    for second in (0..=whole / 1_000).step_by(step as usize) {
        let left = f64::from(second) * 100_000.0 / f64::from(whole);
        let _ = writeln!(
            body,
            "<div class=tick style=\"left:{left:.2}%\">{}</div>",
            words::duration(std::time::Duration::from_secs(second.into()))
        );
    }
    body.push_str("</div></div>\n");
    for bar in bars {
        let (left, right) = (percent(bar.from), percent(bar.to));
        // What ends far to the right has its words on the left, or they would leave the page.
        let late = if right > 75.0 { " late" } else { "" };
        let task = if bar.task { " task" } else { "" };
        let _ = writeln!(
            body,
            "<div class=\"row{task}\"><div class=name>{}</div><div class=lane><div class=\"bar {}{late}\" \
             style=\"left:{left:.2}%;width:{:.2}%\"><span>{}</span></div></div></div>",
            escape(&bar.name),
            bar.class,
            (right - left).max(0.2),
            escape(&bar.says)
        );
    }
}

/// A round number of seconds that gives about eight ticks.
fn step(seconds: u32) -> u32 {
    const STEPS: [u32; 12] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800];
    STEPS.into_iter().find(|step| seconds / step <= 8).unwrap_or(3_600)
}

fn failures(body: &mut String, run: &Run) {
    let failed: Vec<&ResourceChange> = run
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Resource(change) if change.progress == Progress::Failed => Some(change),
            _ => None,
        })
        .collect();
    if failed.is_empty() {
        return;
    }
    body.push_str("<h2>What failed</h2>\n<table>\n");
    for change in failed {
        let reason = change.reason.as_deref().unwrap_or("CloudFormation gives no reason");
        let name = words::resource(&change.logical);
        let _ = writeln!(body, "<tr><td class=bad>× {}<td>{}", escape(&name), escape(reason));
    }
    body.push_str("</table>\n");
}

/// Failed tasks, those of one service with the same reason together; each group with the log of one of them.
fn stopped_tasks(body: &mut String, run: &Run) {
    let mut groups: Vec<(String, Vec<&StoppedTask>)> = Vec::new();
    for event in &run.events {
        let Event::TaskStopped(stopped) = event else { continue };
        if !stopped.failed {
            continue;
        }
        let why = [stopped.stop_code.as_deref(), stopped.reason.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let key = format!("{}: {why}", stopped.service);
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, tasks)) => tasks.push(stopped),
            None => groups.push((key, vec![stopped])),
        }
    }
    if groups.is_empty() {
        return;
    }
    body.push_str("<h2>Tasks that failed</h2>\n");
    for (why, tasks) in groups {
        let Some(last) = StoppedTask::telling(&tasks) else { continue };
        let _ = writeln!(body, "<h3 class=bad>× {} — {}</h3>", escape(&why), words::count(tasks.len(), "task"));
        if let Some(diagnosis) = &last.diagnosis {
            let more = diagnosis.code.as_ref().map(|code| format!("<br>more: confluent-ecs explain {code}")).unwrap_or_default();
            let (cause, fix) = (escape(&diagnosis.cause), escape(&diagnosis.fix));
            let _ = writeln!(body, "<p>cause: {cause}<br>fix: {fix}{more}</p>");
        }
        for container in &last.containers {
            let code = container.exit_code.map(|code| format!(", exit code {code}")).unwrap_or_default();
            let reason = container.reason.as_deref().map(|reason| format!(", {reason}")).unwrap_or_default();
            let _ = writeln!(body, "<p>container {}{code}{}</p>", escape(&container.name), escape(&reason));
            if !container.log.is_empty() {
                let _ = writeln!(body, "<pre>{}</pre>", escape(&container.log.join("\n")));
            }
        }
    }
}

fn messages(body: &mut String, run: &Run) {
    let mut rows = String::new();
    for event in &run.events {
        let (at, what) = match event {
            Event::Message(message) => (message.at, format!("{}: {}", message.service, message.text)),
            Event::Stack(change) => {
                let reason = change.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
                (change.at, format!("stack {}{reason}", words::status(&change.status)))
            }
            Event::Blind(blind) => (blind.at, format!("AWS could not be asked: {}", blind.why)),
            Event::Failing(failing) => (failing.at, format!("{}: {} tasks had failed", failing.service, failing.tasks)),
            _ => continue,
        };
        let since = words::duration(at.since(run.header.at));
        let _ = writeln!(rows, "<tr><td>{since}<td>{}", escape(&words::without_long_ids(&what)));
    }
    if !rows.is_empty() {
        let _ = writeln!(body, "<h2>What CloudFormation and ECS said</h2>\n<table>\n{rows}</table>");
    }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in console::strip_ansi_codes(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() && c != '\n' && c != '\t' => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{escape, step};

    #[test]
    fn what_a_container_logged_is_text_and_nothing_else() {
        assert_eq!(escape("<script>\"&\u{1b}[31m\u{7}"), "&lt;script&gt;&quot;&amp;");
    }

    #[test]
    fn an_axis_has_about_eight_ticks() {
        assert_eq!([5, 60, 600, 10_800].map(step), [1, 10, 120, 1_800]);
        assert_eq!(step(100_000), 3_600);
    }
}
