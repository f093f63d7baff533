//! The record of a run: JSON lines under `.confluent-ecs/runs/`, one file a run. The first line says what is done to which stack and
//! where its events begin, then come the events as they were seen, and at the end how it ended.
//!
//! Rules: each line is written whole and at once, so that a run that was killed can be taken up again and reported; a line that can't be
//! read, of a newer version or cut in half, is skipped; no secret is in it, for none is in an event; a folder that can't be written never
//! stops a deploy, and is told.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::fold::Known;
use super::outcome::Ending;
use crate::base::{Event, Moment, Operation};
use crate::cloudformation::DeployedService;

/// Where the runs of a project are, from its folder.
pub(super) const FOLDER: &str = ".confluent-ecs/runs";
const ENDING: &str = ".jsonl";

/// The first line of a journal: all that a watch needs to be taken up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    pub at: Moment,
    pub verb: String,
    pub version: String,
    pub operation: Operation,
    pub stack: String,
    pub stack_id: String,
    pub account: String,
    pub region: String,
    pub caller: String,
    /// The stack's newest event before it began; what comes after it belongs to the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
    pub services: Vec<DeployedService>,
    pub known: Known,
    /// What is watched is the way back, asked for: to have gone back is to have done it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub way_back: bool,
    /// Services that start their tasks anew, past CloudFormation: their rollouts are what is watched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rolling: Vec<String>,
}

/// One line of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Line {
    Note(Note),
    Event(Box<Event>),
}

/// A line that no view shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Note {
    Run(Box<Header>),
    /// This watch ended; a run that goes on in AWS can be taken up again.
    Ended {
        at: Moment,
        ending: Ending,
        exit_code: u8,
    },
}

/// A journal that is being written, or one that could not be written any more and takes nothing.
#[derive(Debug)]
pub struct Journal {
    /// The run's, also where nothing is kept of it.
    pub id: String,
    file: Option<File>,
    lost: Option<io::Error>,
}

impl Journal {
    /// Begins the journal of a run. Where there can be none the run goes on without, and [`Journal::lost`] says why.
    pub fn begin(project: &Path, header: Header) -> Self {
        match create(project, &header) {
            Ok((id, file)) => {
                let mut journal = Self { id, file: Some(file), lost: None };
                journal.line(&Line::Note(Note::Run(Box::new(header))));
                journal
            }
            Err(error) => Self { id: id(&header), file: None, lost: Some(error) },
        }
    }

    /// Goes on with a journal, or without where it can't be written any more.
    pub fn resume(run: &Run) -> Self {
        let (file, lost) = match reopen(&run.path) {
            Ok(file) => (Some(file), None),
            Err(error) => (None, Some(error)),
        };
        Self { id: run.id.clone(), file, lost }
    }

    /// Whether something of the run is kept.
    pub fn is_kept(&self) -> bool {
        self.file.is_some()
    }

    /// Why nothing more is kept; said once.
    pub fn lost(&mut self) -> Option<io::Error> {
        self.lost.take()
    }

    /// Writes an event. That nothing has changed is not worth a line.
    pub fn event(&mut self, event: &Event) {
        if !matches!(event, Event::Looked { .. }) {
            self.line(&Line::Event(Box::new(event.clone())));
        }
    }

    pub fn note(&mut self, note: Note) {
        self.line(&Line::Note(note));
    }

    /// A journal that can't be written any more (a full disk) is left as it is.
    fn line(&mut self, line: &Line) {
        let Some(file) = &mut self.file else { return };
        let Ok(mut text) = serde_json::to_string(line) else { return };
        text.push('\n');
        if let Err(error) = file.write_all(text.as_bytes()) {
            self.file = None;
            self.lost = Some(error);
        }
    }
}

fn create(project: &Path, header: &Header) -> io::Result<(String, File)> {
    let folder = project.join(FOLDER);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
    // Whoever keeps the project in git doesn't keep its runs there by accident.
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        fs::write(ignore, "*\n")?;
    }
    let first = id(header);
    let mut number = 1;
    loop {
        let more = if number > 1 { format!("-{number}") } else { String::new() };
        let id = format!("{first}{more}");
        match OpenOptions::new().append(true).create_new(true).mode(0o600).open(folder.join(format!("{id}{ENDING}"))) {
            Ok(file) => return Ok((id, file)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => number += 1,
            Err(error) => return Err(error),
        }
    }
}

/// `20261126T042234Z-shop-dev-up`.
fn id(header: &Header) -> String {
    let stamp: String = header.at.to_string().chars().take(19).filter(|c| !matches!(c, '-' | ':')).collect();
    format!("{stamp}Z-{}-{}", header.stack, header.verb)
}

/// Opens a journal for more lines, the first of them on a line of its own: what wrote it may have been killed in the middle of one.
fn reopen(path: &Path) -> io::Result<File> {
    let mut file = OpenOptions::new().read(true).append(true).open(path)?;
    if file.seek(SeekFrom::End(-1)).is_ok() {
        let mut last = [b'\n'];
        file.read_exact(&mut last)?;
        if last != [b'\n'] {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

/// A run as its journal has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub id: String,
    pub path: PathBuf,
    pub header: Header,
    pub events: Vec<Event>,
    /// How the last watch of it ended.
    pub ending: Option<(Moment, Ending)>,
}

impl Run {
    /// Whether it may still be going on in AWS, as far as the journal knows.
    pub fn is_open(&self) -> bool {
        self.ending.is_none_or(|(_, ending)| ending.still_runs())
    }
}

/// The runs of a project, the newest first. Files that are no journals are none.
pub fn runs(project: &Path) -> Vec<Run> {
    names(project).iter().rev().filter_map(|name| read(project, name)).collect()
}

/// The journals of which nothing can be said: a newer version has written them, or the disk was full at their first line.
pub fn unreadable(project: &Path) -> Vec<String> {
    names(project).into_iter().filter(|name| read(project, name).is_none()).collect()
}

fn names(project: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(project.join(FOLDER))
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok()?.strip_suffix(ENDING).map(str::to_owned))
        .collect();
    names.sort();
    names
}

/// One run by its id.
pub fn read(project: &Path, id: &str) -> Option<Run> {
    let path = project.join(FOLDER).join(format!("{id}{ENDING}"));
    let text = fs::read(&path).ok()?;
    parse(id, path, &String::from_utf8_lossy(&text))
}

fn parse(id: &str, path: PathBuf, text: &str) -> Option<Run> {
    let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
    let Some(Line::Note(Note::Run(header))) = lines.next() else { return None };
    let mut run = Run { id: id.to_owned(), path, header: *header, events: Vec::new(), ending: None };
    for line in lines {
        match line {
            Line::Event(event) => run.events.push(*event),
            Line::Note(Note::Ended { at, ending, .. }) => run.ending = Some((at, ending)),
            Line::Note(Note::Run(_)) => {}
        }
    }
    Some(run)
}

#[cfg(test)]
mod tests {
    use super::{Header, Journal, Note, read, runs, unreadable};
    use crate::base::{Event, Moment, Operation, Progress, ResourceChange};
    use crate::deploy::Ending;
    use crate::deploy::Known;

    fn header(second: i64) -> Header {
        Header {
            at: Moment::from_millis(second * 1_000),
            verb: "up".to_owned(),
            version: "0.1.0".to_owned(),
            operation: Operation::Create,
            stack: "demo-dev".to_owned(),
            stack_id: "arn".to_owned(),
            account: "111122223333".to_owned(),
            region: "eu-west-1".to_owned(),
            caller: "arn:aws:iam::111122223333:user/ana".to_owned(),
            marker: Some("m0".to_owned()),
            services: Vec::new(),
            known: Known { stopped: vec!["t0".to_owned()], ..Known::default() },
            way_back: false,
            rolling: Vec::new(),
        }
    }

    fn change() -> Event {
        Event::Resource(ResourceChange {
            at: Moment::from_millis(5_000),
            id: "e1".to_owned(),
            logical: "Role".to_owned(),
            kind: "AWS::IAM::Role".to_owned(),
            status: "CREATE_IN_PROGRESS".to_owned(),
            progress: Progress::Working,
            reason: None,
            began: Moment::from_millis(5_000),
        })
    }

    #[test]
    fn a_run_that_was_killed_in_the_middle_of_a_line_is_read_up_to_there() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::begin(folder.path(), header(1));
        journal.event(&change());
        journal.event(&Event::Looked { at: Moment::default() });
        let run = read(folder.path(), &journal.id).unwrap();
        assert_eq!((run.events.as_slice(), run.header), ([change()].as_slice(), header(1)));
        let run = read(folder.path(), &journal.id).unwrap();
        assert!(run.is_open());
        std::fs::write(&run.path, format!("{}{{\"event\":\"resou", std::fs::read_to_string(&run.path).unwrap())).unwrap();
        assert_eq!(read(folder.path(), &journal.id).unwrap().events, [change()]);
        // What is written after half a line is not lost with it.
        Journal::resume(&run).event(&change());
        assert_eq!(read(folder.path(), &journal.id).unwrap().events, [change(), change()]);
    }

    #[test]
    fn of_a_newer_version_s_journal_is_read_what_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::begin(folder.path(), header(1));
        let run = read(folder.path(), &journal.id).unwrap();
        let text = std::fs::read_to_string(&run.path).unwrap();
        let known = serde_json::to_string(&change()).unwrap().replacen('{', "{\"colour\":\"red\",", 1);
        let later = format!("{}{{\"event\":\"dream\",\"of\":1}}\n{known}\n", text.replacen('{', "{\"mood\":\"good\",", 1));
        std::fs::write(&run.path, later).unwrap();
        assert_eq!(read(folder.path(), &journal.id).unwrap().events, [change()]);
        std::fs::write(&run.path, text.replace("\"create\"", "\"conjure\"")).unwrap();
        assert!(runs(folder.path()).is_empty());
        assert_eq!(unreadable(folder.path()), [journal.id]);
    }

    #[test]
    fn a_folder_that_can_t_be_written_is_told_once_and_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(".confluent-ecs"), "no folder").unwrap();
        let mut journal = Journal::begin(folder.path(), header(1));
        journal.event(&change());
        assert_eq!((journal.is_kept(), journal.id.as_str()), (false, "19700101T000001Z-demo-dev-up"));
        assert!(journal.lost().is_some() && journal.lost().is_none());
        // The device that is always full.
        let full =
            super::Run { id: "full".to_owned(), path: "/dev/full".into(), header: header(1), events: Vec::new(), ending: None };
        let mut journal = Journal::resume(&full);
        journal.event(&change());
        assert!(!journal.is_kept() && journal.lost().is_some());
    }

    #[test]
    fn runs_come_newest_first_and_end() {
        let folder = tempfile::tempdir().unwrap();
        let mut begun: Vec<Journal> =
            [1, 1, 90].into_iter().map(|second| Journal::begin(folder.path(), header(second))).collect();
        begun[2].note(Note::Ended { at: Moment::default(), ending: Ending::Complete, exit_code: 0 });
        let found = runs(folder.path());
        let ids: Vec<&str> = found.iter().map(|run| run.id.as_str()).collect();
        assert_eq!(ids, ["19700101T000130Z-demo-dev-up", "19700101T000001Z-demo-dev-up-2", "19700101T000001Z-demo-dev-up"]);
        assert_eq!(found.iter().map(super::Run::is_open).collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(std::fs::read_to_string(folder.path().join(".confluent-ecs/runs/.gitignore")).unwrap(), "*\n");
    }
}
