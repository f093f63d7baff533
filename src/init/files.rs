//! Puts files into a folder: all or none, and nothing that is there is overwritten unless asked.
//!
//! Everything is written into a staging folder first, in the same file system, where it is checked. Then each file takes its place with one
//! system call that fails when something is there. When one can't, those before it are taken back.

use std::fmt::Write;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_yaml::Value;

use super::{File, How, Wanted, insert};
use crate::base::{Exit, Failure, Result};

/// What became of a file, or would.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Created,
    /// It was there, and has all that is wanted.
    Unchanged,
    /// Lines were put in, and none that was there changed.
    Extended,
    /// It was there with another text, and was replaced because that was asked for.
    Replaced,
    /// It is there with another text.
    Different,
}

/// A file and what became of it.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub path: PathBuf,
    pub state: State,
    /// The text that stands there now, or would.
    #[serde(skip)]
    pub text: String,
    /// Paths of the entries that were put in.
    #[serde(skip)]
    added: Vec<Vec<String>>,
    /// What couldn't be put in, as it would be.
    #[serde(skip)]
    pub refused: String,
}

impl Outcome {
    /// Whether this entry is new.
    pub(super) fn added(&self, path: &[&str]) -> bool {
        matches!(self.state, State::Created | State::Replaced) || self.added.iter().any(|added| added == path)
    }
}

/// Writes the files into a folder. `check` sees them in the staging folder, before anything is in its place. Where a file is there
/// with another text and `force` isn't given, nothing is written and the outcomes say which.
pub fn write(
    folder: &Path,
    files: &[File],
    force: bool,
    check: impl FnOnce(&Path, &[Outcome]) -> Result<()>,
) -> Result<Vec<Outcome>> {
    let outcomes = files.iter().map(|file| outcome(folder, file, force)).collect::<Result<Vec<_>>>()?;
    if outcomes.iter().any(|outcome| outcome.state == State::Different) {
        return Ok(outcomes);
    }
    let staging = tempfile::Builder::new()
        .prefix(".confluent-ecs-init-")
        .tempdir_in(folder)
        .map_err(|error| failure(folder, "can't be written to", &error))?;
    for outcome in &outcomes {
        let path = staging.path().join(&outcome.path);
        make_parent(&path)
            .and_then(|()| fs::write(&path, &outcome.text))
            .map_err(|error| failure(&path, "can't be written", &error))?;
    }
    check(staging.path(), &outcomes)?;
    let kept = staging.path().join(".replaced");
    let mut placed: Vec<Placed> = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.state != State::Unchanged) {
        let target = folder.join(&outcome.path);
        let backup = (outcome.state != State::Created).then(|| kept.join(&outcome.path));
        if let Err(error) = place(&staging.path().join(&outcome.path), &target, backup.as_deref()) {
            take_back(&placed);
            return Err(failure(&target, "can't be written", &error).help("nothing was changed").into());
        }
        placed.push(Placed { target, backup });
    }
    Ok(outcomes)
}

struct Placed {
    target: PathBuf,
    /// What stood there before.
    backup: Option<PathBuf>,
}

fn outcome(folder: &Path, file: &File, force: bool) -> Result<Outcome> {
    let path = folder.join(&file.path);
    let present = match fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(failure(&path, "can't be read", &error).into()),
    };
    let (mut added, mut refused) = (Vec::new(), String::new());
    let (state, text) = match (present, &file.how) {
        (None, _) => (State::Created, file.text.clone()),
        (Some(present), How::Lines) => with_lines(present, &file.text),
        (Some(present), _) if present == file.text => (State::Unchanged, present),
        (Some(present), How::Entries(wanted)) => {
            let text = with_entries(&present, wanted, &mut added, &mut refused);
            match (refused.is_empty(), text == present) {
                (true, true) => (State::Unchanged, present),
                (true, false) => (State::Extended, text),
                (false, _) if force => (State::Replaced, file.text.clone()),
                (false, _) => (State::Different, present),
            }
        }
        (Some(_), How::Whole) if force => (State::Replaced, file.text.clone()),
        (Some(present), How::Whole) => {
            refused.clone_from(&file.text);
            (State::Different, present)
        }
    };
    Ok(Outcome { path: file.path.clone(), state, text, added, refused })
}

/// A text with the entries that it lacks. What is there and says otherwise, and what can't be put in safely, is refused.
fn with_entries(present: &str, wanted: &[Wanted], added: &mut Vec<Vec<String>>, refused: &mut String) -> String {
    let mut text = present.to_owned();
    for Wanted { entry, keeps } in wanted {
        let path = entry.full_path();
        let document = insert::parse(&text);
        let there = document.as_ref().map(|document| insert::at(document, &path));
        let inserted = match there {
            Some(Some(there)) if *keeps || entry.value().is_some_and(|own| holds(there, &own)) => continue,
            Some(None) => insert::insert(&text, entry),
            Some(Some(_)) | None => None,
        };
        if let Some(inserted) = inserted {
            text = inserted;
            added.push(path);
        } else {
            if !entry.path.is_empty() {
                let _ = writeln!(refused, "# at {}", entry.path.join("."));
            }
            refused.push_str(&entry.lines);
        }
    }
    text
}

/// Whether a value says all that another says; it may say more. A variable may say anything.
fn holds(there: &Value, own: &Value) -> bool {
    match (there, own) {
        (Value::Mapping(there), Value::Mapping(own)) => {
            own.iter().all(|(key, own)| there.get(key).is_some_and(|there| holds(there, own)))
        }
        (Value::String(there), Value::String(own)) => there == own || (there.contains("${") && !own.contains("${")),
        _ => there == own,
    }
}

/// A text with the lines that it lacks added at its end.
fn with_lines(present: String, lines: &str) -> (State, String) {
    let lacking: Vec<&str> = lines.lines().filter(|line| !present.lines().any(|there| there.trim() == *line)).collect();
    if lacking.is_empty() {
        return (State::Unchanged, present);
    }
    let mut text = present;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for line in lacking {
        text.push_str(line);
        text.push('\n');
    }
    (State::Extended, text)
}

fn make_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

fn place(staged: &Path, target: &Path, backup: Option<&Path>) -> io::Result<()> {
    make_parent(target)?;
    if let Some(backup) = backup {
        make_parent(backup)?;
        fs::copy(target, backup)?;
        return fs::rename(staged, target);
    }
    // A second name fails when something is there; a rename would overwrite it.
    match fs::hard_link(staged, target) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists && !target.exists() => fs::rename(staged, target),
        result => result,
    }
}

fn take_back(placed: &[Placed]) {
    for file in placed.iter().rev() {
        // Should this fail as well, the folder is beyond our help; the first failure is the one to tell.
        let _undone = match &file.backup {
            Some(backup) => fs::rename(backup, &file.target),
            None => fs::remove_file(&file.target),
        };
    }
}

fn failure(path: &Path, what: &str, error: &io::Error) -> Failure {
    Failure::new(Exit::Usage, format!("{} {what}", path.display())).cause(error)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::{State, write};
    use crate::base::{Failure, Result};
    use crate::init::{File, How};

    fn file(path: &str, text: &str) -> File {
        File {
            path: PathBuf::from(path),
            text: text.to_owned(),
            how: if path.starts_with(".git") { How::Lines } else { How::Whole },
        }
    }

    fn states(folder: &Path, files: &[File], force: bool) -> Vec<State> {
        write(folder, files, force, |_, _| Ok(())).expect("write").iter().map(|outcome| outcome.state).collect()
    }

    fn listed(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> =
            fs::read_dir(folder).expect("read").map(|entry| entry.expect("entry").file_name().to_string_lossy().into()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_second_run_changes_nothing() {
        let folder = tempfile::tempdir().expect("folder");
        let files = [file("a.yml", "1\n"), file("envs/b.yml", "2\n"), file(".gitignore", "/x\n/y\n")];
        assert_eq!(states(folder.path(), &files, false), [State::Created; 3]);
        assert_eq!(states(folder.path(), &files, false), [State::Unchanged; 3]);
        assert_eq!(listed(folder.path()), [".gitignore", "a.yml", "envs"]);
    }

    #[test]
    fn one_file_in_the_way_stops_all_of_them_unless_forced() {
        let folder = tempfile::tempdir().expect("folder");
        fs::write(folder.path().join("a.yml"), "mine\n").expect("write");
        let files = [file("envs/b.yml", "2\n"), file("a.yml", "1\n")];
        assert_eq!(states(folder.path(), &files, false), [State::Created, State::Different]);
        assert_eq!(listed(folder.path()), ["a.yml"]);
        assert_eq!(fs::read_to_string(folder.path().join("a.yml")).expect("read"), "mine\n");
        assert_eq!(states(folder.path(), &files, true), [State::Created, State::Replaced]);
        assert_eq!(fs::read_to_string(folder.path().join("a.yml")).expect("read"), "1\n");
    }

    #[test]
    fn lines_are_added_to_what_is_there() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join(".gitignore");
        fs::write(&path, "target\n/y").expect("write");
        assert_eq!(states(folder.path(), &[file(".gitignore", "/x\n/y\n")], false), [State::Extended]);
        assert_eq!(fs::read_to_string(&path).expect("read"), "target\n/y\n/x\n");
    }

    #[test]
    fn nothing_is_written_when_the_check_fails_or_a_file_cannot_be_placed() {
        let folder = tempfile::tempdir().expect("folder");
        let refuse = |_: &Path, _: &[super::Outcome]| -> Result<()> { Err(Failure::fault("wrong").into()) };
        assert!(write(folder.path(), &[file("a.yml", "1\n")], false, refuse).is_err());
        assert!(listed(folder.path()).is_empty());
        // A file stands where a folder has to be.
        fs::write(folder.path().join("envs"), "").expect("write");
        let result = write(folder.path(), &[file("a.yml", "1\n"), file("envs/b.yml", "2\n")], false, |_, _| Ok(()));
        assert!(result.is_err());
        assert_eq!(listed(folder.path()), ["envs"]);
    }
}
