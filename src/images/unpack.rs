//! An archive, taken apart for a layer. Comes in: a file whose digest is proven, and the folder that its content goes to. Goes out: the
//! entries of a layer, all below that folder, the same ones for the same content however it was packed.
//!
//! Rules: no name of the archive touches this machine's file system: its files are kept here by number. A name that leaves its folder, a
//! link that does, a device, one name twice, too many files and too many bytes are refused with the name. The folder that every entry
//! stands in is left out, times and owners are forgotten, and of the rights only whether a file is a program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::EntryType;
use zip::ZipArchive;

use super::layer::{Content, Entry, is_inside};

/// The largest connectors have a few hundred files and 300 MiB.
const MOST: Limits = Limits { files: 50_000, bytes: 4 * 1024 * 1024 * 1024 };
const MOST_LINK: u64 = 4096;
/// What a jar begins with.
const ZIP: &[u8] = b"PK\x03\x04";

/// The entries that a file becomes below `folder` (`usr/share/x`, without a slash at either end). `name` is what it is called at its
/// source: a jar stays as it is, an archive is unpacked into files of `work`. An error is a sentence.
pub fn unpack(file: &Path, name: &str, folder: &str, work: &Path) -> Result<Vec<Entry>, String> {
    unpack_within(MOST, file, name, folder, work)
}

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
struct Limits {
    files: usize,
    bytes: u64,
}

fn unpack_within(most: Limits, file: &Path, name: &str, folder: &str, work: &Path) -> Result<Vec<Entry>, String> {
    let unread = |error: io::Error| format!("it can't be read: {error}");
    let mut opened = BufReader::new(File::open(file).map_err(unread)?);
    let found = if name.strip_suffix(".jar").is_some() {
        let mut begin = [0; 4];
        if opened.read_exact(&mut begin).is_err() || begin != ZIP {
            return Err("it is no jar: it doesn't begin as one".to_owned());
        }
        BTreeMap::from([(name.to_owned(), Piece::File { from: file.to_owned(), program: false })])
    } else {
        let mut taken = Taken { work, most, pieces: BTreeMap::new(), bytes: 0 };
        if name.strip_suffix(".zip").is_some() {
            taken.zip(opened)?;
        } else {
            taken.tar(opened)?;
        }
        without_top(taken.pieces)
    };
    if found.is_empty() {
        return Err("it holds no file".to_owned());
    }
    for (path, piece) in &found {
        if let Some(above) = above(path).find(|above| found.contains_key(*above)) {
            return Err(format!("it holds {path}, and {above} as a file"));
        }
        if let Piece::Link(target) = piece
            && !stays(path, target)
        {
            return Err(format!("{path} is a link to {target}, out of its folder"));
        }
    }
    let mut entries: Vec<Entry> = Vec::new();
    let folders: BTreeSet<&str> = found.keys().flat_map(|path| above(path)).collect();
    entries.push(Entry { path: folder.to_owned(), mode: 0o755, content: Content::Folder });
    entries.extend(folders.iter().map(|path| Entry { path: format!("{folder}/{path}"), mode: 0o755, content: Content::Folder }));
    entries.extend(found.into_iter().map(|(path, piece)| {
        let (mode, content) = match piece {
            Piece::File { from, program } => (if program { 0o755 } else { 0o644 }, Content::File(from)),
            Piece::Link(target) => (0o777, Content::Link(target)),
        };
        Entry { path: format!("{folder}/{path}"), mode, content }
    }));
    Ok(entries)
}

#[derive(Debug, Clone)]
enum Piece {
    File { from: PathBuf, program: bool },
    Link(String),
}

/// What was taken out of an archive so far.
struct Taken<'a> {
    work: &'a Path,
    most: Limits,
    pieces: BTreeMap<String, Piece>,
    bytes: u64,
}

impl Taken<'_> {
    fn zip(&mut self, file: BufReader<File>) -> Result<(), String> {
        let unread = |error: &dyn std::fmt::Display| format!("it is no archive that can be read: {error}");
        let mut archive = ZipArchive::new(file).map_err(|error| unread(&error))?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index).map_err(|error| unread(&error))?;
            let name = entry.name().map_err(|error| unread(&error))?.into_owned();
            if entry.is_dir() {
                named(&name)?;
                continue;
            }
            let path = self.path(&name)?;
            let piece = if entry.is_symlink() {
                Piece::Link(link(&path, &mut entry)?)
            } else {
                let program = entry.unix_mode().is_some_and(|mode| mode & 0o100 != 0);
                Piece::File { from: self.keep(&path, &mut entry)?, program }
            };
            self.pieces.insert(path, piece);
        }
        Ok(())
    }

    fn tar(&mut self, file: BufReader<File>) -> Result<(), String> {
        let unread = |error: io::Error| format!("it is no archive that can be read: {error}");
        // Also what is skipped counts: a name may be as long as an archive.
        let plain = MultiGzDecoder::new(file).take(self.most.bytes + self.most.bytes / 4);
        let mut archive = tar::Archive::new(plain);
        for entry in archive.entries().map_err(unread)? {
            let mut entry = entry.map_err(unread)?;
            let name = String::from_utf8(entry.path_bytes().into_owned()).map_err(|_| "it holds a name that is no text")?;
            let kind = entry.header().entry_type();
            let target = |bytes: Option<std::borrow::Cow<'_, [u8]>>| {
                bytes.and_then(|bytes| String::from_utf8(bytes.into_owned()).ok()).ok_or(format!("{name} is a link to nothing"))
            };
            match kind {
                EntryType::XGlobalHeader => {}
                EntryType::Directory => {
                    named(&name)?;
                }
                EntryType::Regular | EntryType::Continuous => {
                    let path = self.path(&name)?;
                    let program = entry.header().mode().map_err(unread)? & 0o100 != 0;
                    let from = self.keep(&path, &mut entry)?;
                    self.pieces.insert(path, Piece::File { from, program });
                }
                EntryType::Symlink => {
                    let path = self.path(&name)?;
                    let target = target(entry.link_name_bytes())?;
                    self.pieces.insert(path, Piece::Link(target));
                }
                // The same file under a second name: what it names must have come before.
                EntryType::Link => {
                    let path = self.path(&name)?;
                    let first = named(&target(entry.link_name_bytes())?)?;
                    let same = self.pieces.get(&first).cloned();
                    let same = same.ok_or_else(|| format!("{name} is a link to {first}, which it doesn't hold"))?;
                    self.pieces.insert(path, same);
                }
                _ => return Err(format!("{name} is neither a file nor a folder nor a link")),
            }
        }
        Ok(())
    }

    /// The path of a new entry.
    fn path(&self, name: &str) -> Result<String, String> {
        let path = named(name)?;
        if self.pieces.contains_key(&path) {
            return Err(format!("it holds {path} twice"));
        }
        if self.pieces.len() >= self.most.files {
            return Err(format!("it holds more than {} files, {path} and others", self.most.files));
        }
        Ok(path)
    }

    /// Keeps the bytes of an entry in a file of ours.
    fn keep(&mut self, path: &str, from: &mut impl Read) -> Result<PathBuf, String> {
        let kept = tempfile::Builder::new().prefix("piece-").tempfile_in(self.work).and_then(|file| Ok(file.keep()?));
        let (mut file, kept) = kept.map_err(|error| format!("{path} can't be kept on this machine: {error}"))?;
        let left = self.most.bytes - self.bytes;
        let written =
            io::copy(&mut from.take(left + 1), &mut file).map_err(|error| format!("{path} can't be unpacked: {error}"))?;
        if written > left {
            return Err(format!("unpacked it is longer than {} bytes, at {path}", self.most.bytes));
        }
        self.bytes += written;
        Ok(kept)
    }
}

/// A name of an archive as a path below its folder.
fn named(name: &str) -> Result<String, String> {
    let path = name.strip_prefix("./").unwrap_or(name).trim_end_matches('/');
    // `./` is the folder itself.
    if path.is_empty() || path == "." {
        return if name.starts_with('/') { Err(format!("it holds {name}, which leaves its folder")) } else { Ok(String::new()) };
    }
    if !is_inside(path) || path.contains('\\') || path.chars().any(char::is_control) {
        return Err(format!("it holds {name}, which leaves its folder or is no name"));
    }
    Ok(path.to_owned())
}

fn link(path: &str, from: &mut impl Read) -> Result<String, String> {
    let mut target = String::new();
    from.take(MOST_LINK).read_to_string(&mut target).map_err(|error| format!("the link {path} can't be read: {error}"))?;
    Ok(target)
}

/// Without the one folder that everything stands in, where there is one.
fn without_top(pieces: BTreeMap<String, Piece>) -> BTreeMap<String, Piece> {
    let top = |path: &str| path.split_once('/').map(|(top, _)| top.to_owned());
    let Some(first) = pieces.keys().next().and_then(|path| top(path)) else { return pieces };
    if !pieces.keys().all(|path| top(path).as_ref() == Some(&first)) {
        return pieces;
    }
    pieces.into_iter().map(|(path, piece)| (path[first.len() + 1..].to_owned(), piece)).collect()
}

/// The folders that a path stands in.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(slash, _)| &path[..slash])
}

/// Whether a link leads to something of the same folder.
fn stays(path: &str, target: &str) -> bool {
    if target.is_empty() || target.starts_with('/') || target.contains(['\\', '\0']) {
        return false;
    }
    let mut depth = path.matches('/').count();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if depth == 0 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::path::Path;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::write::SimpleFileOptions;

    use super::{Limits, unpack, unpack_within};
    use crate::images::layer::{Content, Entry, Layer};

    /// Mode, path from the root, content or link's target.
    type Held<'a> = (u32, &'a str, &'a str);

    fn zip(path: &Path, held: &[Held<'_>]) {
        let mut archive = zip::ZipWriter::new(File::create(path).unwrap());
        for (mode, name, content) in held {
            let options = SimpleFileOptions::default().unix_permissions(*mode);
            if name.ends_with('/') {
                archive.add_directory(*name, options).unwrap();
            } else if *mode == 0o777 {
                archive.add_symlink(*name, *content, options).unwrap();
            } else {
                archive.start_file(*name, options).unwrap();
                archive.write_all(content.as_bytes()).unwrap();
            }
        }
        archive.finish().unwrap();
    }

    fn tar(path: &Path, held: &[Held<'_>]) {
        let packed = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
        let mut archive = tar::Builder::new(packed);
        for (mode, name, content) in held {
            let mut header = tar::Header::new_ustar();
            header.set_mode(*mode);
            header.set_mtime(1_700_000_000);
            header.set_uid(1000);
            // The crate would not write the names that are to be refused.
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            let kind = match (mode, name.ends_with('/')) {
                (_, true) => tar::EntryType::Directory,
                (0o777, _) => tar::EntryType::Symlink,
                (0o666, _) => tar::EntryType::Link,
                (0o000, _) => tar::EntryType::Fifo,
                _ => tar::EntryType::Regular,
            };
            header.set_entry_type(kind);
            if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
                header.as_mut_bytes()[157..157 + content.len()].copy_from_slice(content.as_bytes());
            }
            let content = if kind == tar::EntryType::Regular { *content } else { "" };
            header.set_size(content.len() as u64);
            header.set_cksum();
            archive.append(&header, content.as_bytes()).unwrap();
        }
        archive.into_inner().unwrap().finish().unwrap();
    }

    fn entries(held: &[Held<'_>], kind: &str, work: &Path) -> Result<Vec<Entry>, String> {
        let name = format!("x.{kind}");
        let path = work.join(&name);
        if kind == "zip" {
            zip(&path, held);
        } else {
            tar(&path, held);
        }
        unpack(&path, &name, "opt/x", work)
    }

    fn shown(entries: &[Entry]) -> Vec<String> {
        let line = |entry: &Entry| {
            let content = match &entry.content {
                Content::Folder => "/".to_owned(),
                Content::Bytes(_) => "?".to_owned(),
                Content::File(path) => fs::read_to_string(path).unwrap(),
                Content::Link(target) => format!("-> {target}"),
            };
            format!("{:o} {} {content}", entry.mode, entry.path)
        };
        let mut lines: Vec<String> = entries.iter().map(line).collect();
        lines.sort();
        lines
    }

    #[test]
    fn the_same_content_is_the_same_layer_however_it_was_packed() {
        let held = [
            (0o755, "top-1.0/", ""),
            (0o644, "top-1.0/lib/a.jar", "a"),
            (0o750, "top-1.0/bin/run", "run"),
            (0o777, "top-1.0/lib/same.jar", "../lib/a.jar"),
        ];
        let mut turned = [held[3], held[2], held[1]];
        turned[1].0 = 0o755;
        let work = tempfile::tempdir().unwrap();
        let one = entries(&held, "zip", work.path()).unwrap();
        let expected = [
            "644 opt/x/lib/a.jar a",
            "755 opt/x /",
            "755 opt/x/bin /",
            "755 opt/x/bin/run run",
            "755 opt/x/lib /",
            "777 opt/x/lib/same.jar -> ../lib/a.jar",
        ];
        assert_eq!(shown(&one), expected);
        let digest = |entries| Layer::write(entries, work.path()).unwrap().digest;
        let first = digest(one);
        assert_eq!(digest(entries(&turned, "zip", work.path()).unwrap()), first);
        assert_eq!(digest(entries(&held, "tar.gz", work.path()).unwrap()), first);
        assert_eq!(digest(entries(&turned, "tgz", work.path()).unwrap()), first);
    }

    #[test]
    fn what_would_leave_its_folder_is_refused_with_its_name() {
        let work = tempfile::tempdir().unwrap();
        let both = ["zip", "tar.gz"];
        let tar_only = ["tar.gz"];
        let cases: [(&[Held<'_>], &[&str], &str); 8] = [
            (&[(0o644, "../etc/passwd", "x")], &both, "it holds ../etc/passwd, which leaves its folder"),
            (&[(0o644, "a/../../b", "x")], &both, "it holds a/../../b, which leaves its folder"),
            (&[(0o644, "/etc/passwd", "x")], &both, "it holds /etc/passwd, which leaves its folder"),
            (&[(0o644, "a", "x"), (0o777, "b", "../../etc")], &both, "b is a link to ../../etc, out of its folder"),
            (&[(0o644, "a", "x"), (0o777, "b", "/etc/passwd")], &both, "b is a link to /etc/passwd, out of its folder"),
            (&[(0o644, "a", "x"), (0o644, "a/b", "x")], &both, "it holds a/b, and a as a file"),
            (&[(0o644, "a", "x"), (0o644, "a", "y")], &tar_only, "it holds a twice"),
            (&[(0o644, "a", "x"), (0o000, "b", "")], &tar_only, "b is neither a file nor a folder nor a link"),
        ];
        for (held, kinds, why) in cases {
            for kind in kinds {
                let said = entries(held, kind, work.path()).unwrap_err();
                assert!(said.starts_with(why), "{kind}: {said}");
            }
        }
        let hard = entries(&[(0o644, "d/a", "x"), (0o666, "d/b", "d/a")], "tar.gz", work.path()).unwrap();
        assert_eq!(shown(&hard), ["644 opt/x/a x", "644 opt/x/b x", "755 opt/x /"]);
        for wrong in [&[][..], &[(0o755, "a/", "")]] {
            assert_eq!(entries(wrong, "zip", work.path()).unwrap_err(), "it holds no file");
        }
        let page = work.path().join("page.zip");
        fs::write(&page, "<html>").unwrap();
        assert!(unpack(&page, "page.zip", "opt", work.path()).unwrap_err().starts_with("it is no archive that can be read"));
        assert!(unpack(&page, "page.jar", "opt", work.path()).unwrap_err().starts_with("it is no jar"));
    }

    #[test]
    fn an_archive_that_grows_too_large_is_refused_where_it_does() {
        let work = tempfile::tempdir().unwrap();
        let long = "x".repeat(5000);
        let held: [Held<'_>; 3] = [(0o644, "t/a", "a"), (0o644, "t/b", &long), (0o644, "t/c", "c")];
        for kind in ["zip", "tar.gz"] {
            entries(&held, kind, work.path()).unwrap();
            let (path, name) = (work.path().join(format!("x.{kind}")), format!("x.{kind}"));
            let within = |files, bytes| unpack_within(Limits { files, bytes }, &path, &name, "opt/x", work.path());
            assert_eq!(within(3, 50_000).unwrap().len(), 4, "{kind}");
            assert_eq!(within(2, 50_000).unwrap_err(), "it holds more than 2 files, t/c and others", "{kind}");
            // What is packed well is no way around it. A tar's own blocks count as well, and end it earlier.
            let said = within(3, 4500).unwrap_err();
            assert!(said.contains("t/b") || said.contains("it is no archive that can be read"), "{kind}: {said}");
        }
    }

    #[test]
    fn a_jar_stays_as_it_is() {
        let work = tempfile::tempdir().unwrap();
        let path = work.path().join("kept");
        zip(&path, &[(0o644, "META-INF/MANIFEST.MF", "x")]);
        let found = unpack(&path, "own-1.0.jar", "opt/x", work.path()).unwrap();
        let paths: Vec<&str> = found.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(paths, ["opt/x", "opt/x/own-1.0.jar"]);
    }
}
