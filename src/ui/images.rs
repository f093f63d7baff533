//! `images`: what is there of each image, and a copy while it is under way.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::{Ui, aside, words};
use crate::base::{Moment, Place};
use crate::images::{Checked, Copied, Digest, Event, ImageFacts, Outcome, Reference, Scan, Standing};

/// On plain output something is said at least this often.
const HEARTBEAT: Duration = Duration::from_secs(30);
/// An image says when it was made; makers who want the same bytes every time say a time long past.
const LONG_PAST: i64 = 946_684_800_000;

#[derive(Serialize)]
struct CheckedDocument<'a> {
    schema: &'static str,
    exit_code: u8,
    images: Vec<CheckedImage<'a>>,
}

#[derive(Serialize)]
struct CheckedImage<'a> {
    image: &'a str,
    services: &'a [String],
    architecture: &'a str,
    status: Standing,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(flatten)]
    facts: Option<&'a ImageFacts>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pinned: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scan: Option<&'a Scan>,
    /// The base of its plugins by its digest of today, where that is another one than then.
    #[serde(skip_serializing_if = "Option::is_none")]
    newer_base: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
}

#[derive(Serialize)]
struct Origin {
    file: String,
    line: u32,
}

/// One image that was copied.
#[derive(Debug)]
pub struct Pushed {
    pub services: Vec<String>,
    pub source: Reference,
    pub target: Reference,
    pub copied: Copied,
    /// How many plugins were laid on it; 0: it is a copy.
    pub plugins: usize,
    pub places: Vec<Place>,
}

/// What the name stands for that an image is copied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Free,
    Same,
    /// Another image, which loses its tag.
    Other(Digest),
}

#[derive(Serialize)]
struct PushedDocument<'a> {
    schema: &'static str,
    images: Vec<PushedImage<'a>>,
}

#[derive(Serialize)]
struct PushedImage<'a> {
    services: &'a [String],
    source: String,
    target: String,
    digest: &'a Digest,
    was_there: bool,
    layers: usize,
    bytes: u64,
    mounted: usize,
    plugins: usize,
}

impl Ui {
    pub fn images_checked(&mut self, images: &[Checked], exit_code: u8) {
        if self.wants_json() {
            let images = images.iter().map(document).collect();
            self.json(&CheckedDocument { schema: "confluent-ecs/images-check/v1", exit_code, images });
            return;
        }
        let mut text = String::new();
        for image in images {
            self.image(&mut text, image);
        }
        if images.is_empty() {
            text.push_str("no service runs an image\n");
        }
        self.result(&text);
    }

    fn image(&self, text: &mut String, checked: &Checked) {
        let style = self.result_style;
        let wanted = &checked.wanted;
        let mark = match checked.standing() {
            Standing::Passed => "✓".to_owned(),
            Standing::Failed => style.bad("×"),
            Standing::Unknown => style.doubtful("?"),
        };
        let _ = writeln!(text, "{mark} {}  {}", style.strong(&wanted.image), style.quiet(wanted.services.join(", ")));
        if let Outcome::Found(facts) = &checked.outcome {
            let _ = writeln!(text, "    {}", seen(facts));
        }
        if let Some(why) = reason(checked) {
            let _ = writeln!(text, "    {why}");
        }
        if let Some(help) = help(checked) {
            let _ = writeln!(text, "    fix  {help}");
        }
        if let Some(scan) = &checked.scan {
            let _ = writeln!(text, "    scan {}", found(scan));
        }
        if let Some(now) = &checked.newer_base {
            let _ = writeln!(
                text,
                "    base is another image by now; to take it: image: {now}{}",
                style.quiet(shown(&wanted.places))
            );
        }
        if let Some(pinned) = checked.pinned().filter(|_| checked.standing() == Standing::Passed) {
            let at = shown(&wanted.places);
            let _ = writeln!(text, "    pin  image: {pinned}{}", style.quiet(at));
        }
    }

    /// What a push would do, before it is asked about.
    pub fn images_planned(
        &mut self,
        copies: &[(&Reference, &Reference, Target)],
        built: &[(&Reference, &Reference, Vec<String>)],
        repositories: &[String],
    ) {
        let mut text = String::new();
        for (source, target, standing) in copies {
            let _ = writeln!(text, "copy {source}\n  to {}", self.style.strong(target));
            match standing {
                Target::Free => {}
                Target::Same => text.push_str("     where it is already\n"),
                Target::Other(there) => {
                    let _ = writeln!(
                        text,
                        "     {} there, which this tag stands for now",
                        self.style.doubtful(format!("instead of {there}"))
                    );
                }
            }
        }
        for (source, target, plugins) in built {
            let _ = writeln!(text, "make {}\n  of {source}", self.style.strong(target));
            for plugin in plugins {
                let _ = writeln!(text, "  with {plugin}");
            }
        }
        for name in repositories {
            let _ = writeln!(
                text,
                "new  repository {}  {}",
                self.style.strong(name),
                self.style.quiet("tags never change, scanned on push, encrypted")
            );
        }
        self.note(text.trim_end());
    }

    pub fn images_pushed(&mut self, pushed: &[Pushed], again: &str) {
        if self.wants_json() {
            let images = pushed
                .iter()
                .map(|image| PushedImage {
                    services: &image.services,
                    source: image.source.to_string(),
                    target: image.target.to_string(),
                    digest: &image.copied.digest,
                    was_there: image.copied.was_there,
                    layers: image.copied.layers,
                    bytes: image.copied.bytes,
                    mounted: image.copied.mounted,
                    plugins: image.plugins,
                })
                .collect();
            self.json(&PushedDocument { schema: "confluent-ecs/images-push/v1", images });
            return;
        }
        let mut text = String::new();
        for image in pushed {
            let copied = &image.copied;
            let what = if copied.was_there {
                "was there already".to_owned()
            } else {
                let mounted =
                    if copied.mounted > 0 { format!(", {} taken over inside of ECR", copied.mounted) } else { String::new() };
                format!("{} sent, {}{mounted}", words::count(copied.layers, "blob"), HumanBytes(copied.bytes))
            };
            let _ = writeln!(text, "{}  {}  {what}", image.target, copied.digest.short());
        }
        let moved: Vec<&Pushed> =
            pushed.iter().filter(|image| image.plugins == 0 && image.source.registry != image.target.registry).collect();
        if !moved.is_empty() {
            text.push_str("in the compose files:\n");
        }
        for image in moved {
            let at = shown(&image.places);
            let _ = writeln!(text, "  image: {}{at}", image.target.pinned(&image.copied.digest));
        }
        let _ = writeln!(text, "next: confluent-ecs images check{again}");
        self.result(&text);
    }

    /// A view for one copy: bars on a terminal, plain lines elsewhere.
    pub fn copy_progress(&self, target: &Reference) -> CopyProgress {
        let screen = self.drawn().then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        let head = screen.as_ref().map(|screen| screen.add(ProgressBar::new(0).with_style(bar_style())));
        if let Some(head) = &head {
            head.set_message(target.to_string());
        }
        let state = State { bars: BTreeMap::new(), files: BTreeMap::new(), total: 0, sent: 0, spoke: Instant::now() };
        CopyProgress { screen, head, target: target.to_string(), state: Mutex::new(state) }
    }
}

/// The view of one copy. Layers report from several tasks at once.
pub struct CopyProgress {
    screen: Option<MultiProgress>,
    head: Option<ProgressBar>,
    target: String,
    state: Mutex<State>,
}

struct State {
    bars: BTreeMap<Digest, ProgressBar>,
    /// Of files that are fetched before there is a layer.
    files: BTreeMap<String, ProgressBar>,
    total: u64,
    sent: u64,
    spoke: Instant,
}

impl CopyProgress {
    pub fn show(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Planned { layers, bytes, there } => {
                state.total = *bytes;
                if let Some(head) = &self.head {
                    head.set_length(*bytes);
                }
                let there = if *there > 0 { format!(", {} there already", words::count(*there, "blob")) } else { String::new() };
                self.say(
                    &mut state,
                    &format!("{}: {} to send, {}{there}", self.target, words::count(*layers, "blob"), HumanBytes(*bytes)),
                );
            }
            Event::Began { digest, size } => {
                if let Some(screen) = &self.screen {
                    let bar = screen.add(ProgressBar::new(*size).with_style(bar_style()));
                    bar.set_message(format!("  {}", digest.short()));
                    state.bars.insert(digest.clone(), bar);
                }
            }
            Event::Advanced { digest, bytes } => {
                state.sent += bytes;
                if let Some(head) = &self.head {
                    head.inc(*bytes);
                }
                if let Some(bar) = state.bars.get(digest) {
                    bar.inc(*bytes);
                }
                if self.screen.is_none() && state.spoke.elapsed() >= HEARTBEAT {
                    let line = format!("{}: {} of {}", self.target, HumanBytes(state.sent), HumanBytes(state.total));
                    self.say(&mut state, &line);
                }
            }
            Event::Fetching { name, at, of } => match &self.screen {
                Some(screen) => {
                    let bar = state.files.entry(name.clone()).or_insert_with(|| {
                        screen.add(ProgressBar::new(0).with_style(bar_style()).with_message(format!("  {name}")))
                    });
                    bar.set_length(of.unwrap_or(*at));
                    bar.set_position(*at);
                }
                None if state.spoke.elapsed() >= HEARTBEAT => {
                    let of = of.map(|of| format!(" of {}", HumanBytes(of))).unwrap_or_default();
                    self.say(&mut state, &format!("{}: {name}, {}{of}", self.target, HumanBytes(*at)));
                }
                None => {}
            },
            Event::Fetched { name, size } => {
                if let (Some(bar), Some(screen)) = (state.files.remove(name), &self.screen) {
                    bar.finish_and_clear();
                    screen.remove(&bar);
                }
                self.say(&mut state, &format!("{}: {name}, {}, its hash is right", self.target, HumanBytes(*size)));
            }
            Event::Resumed { digest, at, why } => {
                self.say(&mut state, &format!("{}: {why}; {} goes on from {}", self.target, digest.short(), HumanBytes(*at)));
            }
            Event::Ended { digest, .. } => {
                if let (Some(bar), Some(screen)) = (state.bars.remove(digest), &self.screen) {
                    bar.finish_and_clear();
                    screen.remove(&bar);
                }
            }
        }
    }

    fn say(&self, state: &mut State, line: &str) {
        state.spoke = Instant::now();
        match &self.screen {
            Some(screen) => {
                let _gone = screen.println(line);
            }
            None => aside(&format!("{line}\n")),
        }
    }

    /// Takes the bars away.
    pub fn finish(&self) {
        if let Some(screen) = &self.screen {
            let _gone = screen.clear();
        }
    }
}

fn bar_style() -> ProgressStyle {
    let template = "{msg:44!} {bar:24} {bytes:>10} of {total_bytes:>10} {binary_bytes_per_sec:>13} {eta:>4}";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸ ")
}

fn document(checked: &Checked) -> CheckedImage<'_> {
    CheckedImage {
        image: &checked.wanted.image,
        services: &checked.wanted.services,
        architecture: checked.wanted.architecture,
        status: checked.standing(),
        reason: reason(checked),
        facts: match &checked.outcome {
            Outcome::Found(facts) => Some(facts),
            _ => None,
        },
        pinned: checked.pinned(),
        scan: checked.scan.as_ref(),
        newer_base: checked.newer_base.as_deref(),
        origin: checked.wanted.places.first().map(|place| Origin { file: place.file.to_string(), line: place.line }),
    }
}

/// What a scan found, the worst first.
fn found(scan: &Scan) -> String {
    let worst = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNDEFINED", "UNTRIAGED"];
    let counts: Vec<String> = worst
        .iter()
        .filter_map(|severity| scan.findings.get(*severity).map(|count| format!("{count} {}", severity.to_lowercase())))
        .collect();
    match scan.status.as_str() {
        _ if !counts.is_empty() => counts.join(", "),
        "COMPLETE" | "ACTIVE" => "nothing found".to_owned(),
        other => other.to_lowercase().replace('_', " "),
    }
}

/// Where something is written, behind what is said of it.
fn shown(places: &[Place]) -> String {
    let mut places: Vec<&Place> = places.iter().collect();
    places.sort();
    let places: Vec<String> = places.into_iter().map(ToString::to_string).collect();
    if places.is_empty() { String::new() } else { format!("  ({})", places.join(", ")) }
}

/// Why an image doesn't pass.
fn reason(checked: &Checked) -> Option<String> {
    match &checked.outcome {
        Outcome::Found(_) if checked.holds_others() => Some("it holds other plugins than the files name".to_owned()),
        Outcome::Found(facts) if facts.runs_on(checked.wanted.architecture) => None,
        Outcome::Found(facts) => {
            let has = if facts.platforms.is_empty() { "nothing that runs".to_owned() } else { platforms(facts) };
            Some(format!("nothing for linux/{}, which the task runs on; it has {has}", checked.wanted.architecture))
        }
        Outcome::Missing => Some("the registry has no such image".to_owned()),
        Outcome::NoName(why) | Outcome::Unasked(why) => Some(why.clone()),
        Outcome::Failed(error) => Some(error.to_string()),
    }
}

fn help(checked: &Checked) -> Option<String> {
    let wanted = &checked.wanted;
    match &checked.outcome {
        Outcome::Found(facts) if !facts.runs_on(wanted.architecture) => Some(if wanted.built {
            format!(
                "build it for both: docker buildx build --platform linux/{} --push -t {} …",
                wanted.architecture, wanted.image
            )
        } else {
            let (other, word) = if wanted.architecture == "arm64" { ("amd64", "X86_64") } else { ("arm64", "ARM64") };
            let or = if facts.runs_on(other) { format!(", or set x-ecs.CpuArchitecture: {word}") } else { String::new() };
            format!("take a tag that has it{or}")
        }),
        Outcome::Found(_) if checked.holds_others() => {
            Some("somebody has put another image there: take it out of ECR, then confluent-ecs images push".to_owned())
        }
        Outcome::Missing if wanted.plugins.is_some() => Some(format!("confluent-ecs images push {}", wanted.services.join(" "))),
        Outcome::Missing if wanted.built => {
            let services = wanted.services.join(" ");
            Some(format!("docker compose build {services} && docker compose push {services}"))
        }
        Outcome::Missing => Some("look the tag up; or bring it there: confluent-ecs images push --from IMAGE SERVICE".to_owned()),
        Outcome::Failed(error) => Some(error.help()),
        _ => None,
    }
}

fn platforms(facts: &ImageFacts) -> String {
    facts.platforms.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn seen(facts: &ImageFacts) -> String {
    let age = facts.created.as_deref().and_then(moment).filter(|at| at.millis() > LONG_PAST);
    let age = age.map(|at| format!("  {} old", days(Moment::now().since(at)))).unwrap_or_default();
    let size = facts.size.map(|bytes| format!("  {}", HumanBytes(bytes))).unwrap_or_default();
    format!("{}  {}{age}{size}", facts.digest.short(), platforms(facts))
}

fn days(age: Duration) -> String {
    words::count(age.as_secs() / 86_400, "day")
}

/// The day of an RFC 3339 time.
fn moment(text: &str) -> Option<Moment> {
    let mut parts = text.split(['-', 'T', 't']).map(str::parse::<i64>);
    let (year, month, day) = (parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?);
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let date = time::Date::from_calendar_date(i32::try_from(year).ok()?, month, u8::try_from(day).ok()?).ok()?;
    Some(Moment::from_millis(date.midnight().assume_utc().unix_timestamp() * 1000))
}

#[cfg(test)]
mod tests {
    use super::{document, help, moment};
    use crate::images::{Checked, Digest, ImageFacts, Outcome, Platform, Wanted};

    #[test]
    fn another_processor_is_named_where_the_image_has_it() {
        let of = |architectures: &[&str]| {
            let on = |word: &&str| Platform { os: "linux".to_owned(), architecture: (*word).to_owned(), variant: None };
            let platforms = architectures.iter().map(on).collect();
            let (digest, labels) = (Digest::of(b""), std::collections::BTreeMap::new());
            let facts = ImageFacts { digest, platform_digest: None, platforms, created: None, size: None, labels };
            let (image, places) = ("a/b:1".to_owned(), Vec::new());
            let wanted =
                Wanted { image, services: Vec::new(), architecture: "amd64", built: false, plugins: None, unasked: None, places };
            Checked { wanted, outcome: Outcome::Found(Box::new(facts)), scan: None, newer_base: None }
        };
        assert_eq!(help(&of(&["arm64"])).unwrap(), "take a tag that has it, or set x-ecs.CpuArchitecture: ARM64");
        // An artefact that is no image, or one for Windows.
        assert_eq!(help(&of(&[])).unwrap(), "take a tag that has it");
        let shown = serde_json::to_value(document(&of(&["arm64"]))).unwrap();
        assert_eq!((&shown["status"], shown.get("newer_base")), (&"failed".into(), None));
    }

    #[test]
    fn the_day_of_an_image_is_read() {
        assert_eq!(moment("2026-11-23T00:00:00Z").unwrap().to_string(), "2026-11-23T00:00:00.000Z");
        assert_eq!(moment("2026-11-23T21:15:08.123456789+02:00").unwrap().to_string(), "2026-11-23T00:00:00.000Z");
        assert_eq!(moment("yesterday"), None);
        assert_eq!(moment("2026-13-01T"), None);
    }
}
