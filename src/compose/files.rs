//! The files of a project: read once, with limits, and kept for the lines that findings show.
//!
//! Comes in: paths. Goes out: text and a number for each file. Rules: only regular files are opened (a FIFO would wait for
//! ever), none larger than [`MAX_BYTES`]; text is UTF-8 without control characters.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::node::Span;
use crate::base::{Code, Finding, Place, Sources};

/// No compose or env file is larger. The largest real ones have a few hundred kilobytes.
pub(super) const MAX_BYTES: u64 = 16 << 20;

/// The name that stands for standard input.
pub(super) const STDIN: &str = "-";

/// Files by number, in the order they were read.
#[derive(Debug)]
pub(super) struct Files {
    entries: Vec<Entry>,
    by_path: HashMap<PathBuf, u32>,
    /// Names are shown relative to it.
    current_dir: PathBuf,
}

#[derive(Debug)]
struct Entry {
    name: Arc<str>,
    text: Arc<str>,
}

impl Files {
    pub(super) fn new(current_dir: PathBuf) -> Self {
        // Number 0 is for values that stand in no file.
        let none = Entry { name: "".into(), text: "".into() };
        Self { entries: vec![none], by_path: HashMap::new(), current_dir }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        let name = self.entries.get(span.file as usize).map_or_else(|| "".into(), |entry| entry.name.clone());
        Place::new(name, span.line, span.column)
    }

    /// The texts for the lines under findings.
    pub(super) fn sources(&self) -> Sources {
        let mut sources = Sources::default();
        for entry in self.entries.iter().skip(1) {
            sources.insert(entry.name.clone(), entry.text.clone());
        }
        sources
    }

    /// How a path is shown: relative to the current folder when it is under it.
    pub(super) fn name(&self, path: &Path) -> Arc<str> {
        let shown = path.strip_prefix(&self.current_dir).unwrap_or(path);
        shown.to_string_lossy().into()
    }

    pub(super) fn is_known(&self, path: &Path) -> bool {
        self.by_path.contains_key(path)
    }

    /// Reads a file, or gives the text that was read before. `Ok(None)`: there is no such file.
    pub(super) fn read(&mut self, path: &Path) -> Result<Option<(u32, Arc<str>)>, Finding> {
        if let Some(&number) = self.by_path.get(path) {
            return Ok(self.entries.get(number as usize).map(|entry| (number, entry.text.clone())));
        }
        let name = self.name(path);
        let bytes = if path == Path::new(STDIN) {
            limited(io::stdin().lock(), &name)?
        } else {
            let metadata = match fs::metadata(path) {
                Ok(metadata) => metadata,
                Err(error) if error.kind() == io::ErrorKind::NotFound || error.kind() == io::ErrorKind::NotADirectory => {
                    return Ok(None);
                }
                Err(error) => return Err(unreadable(&name, &reason(&error))),
            };
            if !metadata.is_file() {
                let kind = if metadata.is_dir() { "a directory" } else { "a pipe, socket or device" };
                let finding = unreadable(&name, &format!("it is {kind}, not a file"));
                return Err(if metadata.is_dir() { finding } else { finding.help("pipe a compose file in with -f -") });
            }
            if metadata.len() > MAX_BYTES {
                return Err(too_large(&name));
            }
            let file = File::open(path).map_err(|error| unreadable(&name, &reason(&error)))?;
            limited(file, &name)?
        };
        let text: Arc<str> = match checked(&bytes, &name) {
            Ok(text) => text.into(),
            Err(finding) => {
                // The finding's line is shown all the same.
                self.entries.push(Entry { name, text: String::from_utf8_lossy(&bytes).into() });
                return Err(finding);
            }
        };
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        self.entries.push(Entry { name, text: text.clone() });
        self.by_path.insert(path.to_owned(), number);
        Ok(Some((number, text)))
    }
}

fn limited(reader: impl Read, name: &str) -> Result<Vec<u8>, Finding> {
    let mut bytes = Vec::new();
    reader.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(name, &reason(&error)))?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(too_large(name));
    }
    Ok(bytes)
}

fn unreadable(name: &str, reason: &str) -> Finding {
    Finding::error(Code::UNREADABLE_FILE, format!("{name} can't be read: {reason}")).at(Place::file(name))
}

fn too_large(name: &str) -> Finding {
    let message = format!("{name} is larger than {} MiB, the limit for one file", MAX_BYTES >> 20);
    Finding::error(Code::TOO_LARGE, message).at(Place::file(name))
}

/// The system's reason, without its error number.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// UTF-8 without a byte order mark and without characters that YAML doesn't allow.
fn checked(bytes: &[u8], name: &str) -> Result<String, Finding> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let place = |offset: usize| {
        let before = bytes.get(..offset).unwrap_or_default();
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        let line = before.split(|byte| *byte == b'\n').count();
        let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count() + 1;
        Place::new(name, u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
    };
    let text = std::str::from_utf8(bytes).map_err(|error| {
        Finding::error(Code::UNREADABLE_FILE, "these bytes are not valid UTF-8").at(place(error.valid_up_to()))
    })?;
    let control = |byte: &u8| (*byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r')) || *byte == 0x7F;
    if let Some(offset) = bytes.iter().position(control) {
        let message = format!("a control character (0x{:02x}) is not allowed in text", bytes[offset]);
        return Err(Finding::error(Code::UNREADABLE_FILE, message).at(place(offset)));
    }
    Ok(text.to_owned())
}

/// Is it a reference to git, an OCI registry or the web instead of a file?
pub(super) fn is_remote(reference: &str) -> bool {
    ["oci://", "git://", "git@", "ssh://", "http://", "https://", "github.com/"]
        .iter()
        .any(|scheme| reference.starts_with(scheme))
}

/// A path with its `.` and `..` worked out by text alone, as the reference does.
pub(super) fn clean(path: &Path) -> PathBuf {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match cleaned.components().next_back() {
                Some(Component::Normal(_)) => {
                    cleaned.pop();
                }
                Some(Component::RootDir) => {}
                _ => cleaned.push(".."),
            },
            other => cleaned.push(other),
        }
    }
    if cleaned.as_os_str().is_empty() { PathBuf::from(".") } else { cleaned }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{checked, clean};

    #[test]
    fn bytes_that_are_not_text_have_a_place() {
        let finding = checked(b"a: 1\nb: \xff\n", "x.yml").unwrap_err();
        assert_eq!(finding.place.unwrap().to_string(), "x.yml:2:4");
        assert_eq!(checked(b"a\x00", "x.yml").unwrap_err().place.unwrap().column, 2);
        assert_eq!(checked(b"\xEF\xBB\xBFa: \xc3\xa9", "x.yml").unwrap(), "a: é");
    }

    #[test]
    fn paths_are_cleaned_by_text() {
        for (path, cleaned) in [("/a/./b/../c", "/a/c"), ("../x", "../x"), ("/..", "/"), ("a/..", "."), ("", ".")] {
            assert_eq!(clean(Path::new(path)), Path::new(cleaned), "{path}");
        }
    }
}
