//! A layer of our own: comes in what files it holds, goes out one compressed archive, the same bytes for the same files on every
//! machine.
//!
//! Rules: entries in the order of their paths; no time, no owner and no right but what is said here; one setting of the compressor.
//! What is large is read from its file while the archive is written to another, so that no layer is ever in memory.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use tar::{EntryType, Header};

use super::Digest;
use super::digest::Hasher;

/// Jars are compressed already: more effort would shrink them by nothing.
const LEVEL: u32 = 6;
/// The compressor's word for a system that it doesn't name.
const NO_SYSTEM: u8 = 255;
const BUFFER: usize = 128 * 1024;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    Folder,
    Bytes(Vec<u8>),
    /// The bytes of this file.
    File(PathBuf),
    /// A symbolic link to here, read from the folder that it stands in.
    Link(String),
}

/// One entry of a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From the root, without the slash that begins it: `usr/share/x.jar`.
    pub path: String,
    pub mode: u32,
    pub content: Content,
}

/// A layer that is written. Its file goes when it goes.
#[derive(Debug)]
pub struct Layer {
    /// Of the compressed bytes, as registries name it.
    pub digest: Digest,
    /// Of the bytes before the compression, as an image's configuration names it.
    pub diff_id: Digest,
    /// Of the compressed bytes.
    pub size: u64,
    file: tempfile::TempPath,
}

impl Layer {
    /// Writes a layer into a file of `folder`. Two entries of one path, and a path that leaves the root, are errors.
    pub fn write(entries: Vec<Entry>, folder: &Path) -> io::Result<Self> {
        let mut sorted: BTreeMap<String, Entry> = BTreeMap::new();
        for entry in entries {
            if !is_inside(&entry.path) {
                return Err(wrong(format!("{} is no path for a layer", entry.path)));
            }
            if let Some(twice) = sorted.insert(entry.path.clone(), entry) {
                return Err(wrong(format!("{} is there twice", twice.path)));
            }
        }
        let file = tempfile::Builder::new().prefix("layer-").tempfile_in(folder)?;
        let (file, path) = file.into_parts();
        let packed = Counted::new(BufWriter::with_capacity(BUFFER, file));
        let packed = GzBuilder::new().mtime(0).operating_system(NO_SYSTEM).write(packed, Compression::new(LEVEL));
        let mut archive = tar::Builder::new(Counted::new(packed));
        for entry in sorted.values() {
            append(&mut archive, entry)?;
        }
        let (diff_id, _, packed) = archive.into_inner()?.ended();
        let (digest, size, mut file) = GzEncoder::finish(packed)?.ended();
        file.flush()?;
        Ok(Self { digest, diff_id, size, file: path })
    }

    pub(super) fn file(&self) -> &Path {
        &self.file
    }
}

/// Whether a path names something below the root, in one way only.
pub(super) fn is_inside(path: &str) -> bool {
    !path.is_empty() && !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn append<W: Write>(archive: &mut tar::Builder<W>, entry: &Entry) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mode(entry.mode & 0o777);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    match &entry.content {
        Content::Folder => {
            header.set_entry_type(EntryType::Directory);
            archive.append_data(&mut header, format!("{}/", entry.path), io::empty())
        }
        Content::Bytes(bytes) => {
            header.set_entry_type(EntryType::Regular);
            header.set_size(bytes.len() as u64);
            archive.append_data(&mut header, &entry.path, bytes.as_slice())
        }
        Content::File(path) => {
            let file = File::open(path)?;
            let size = file.metadata()?.len();
            header.set_entry_type(EntryType::Regular);
            header.set_size(size);
            let mut read = Measured { inner: BufReader::with_capacity(BUFFER, file).take(size), read: 0 };
            archive.append_data(&mut header, &entry.path, &mut read)?;
            // The header has said how long it is; an archive with another length can't be read.
            if read.read == size { Ok(()) } else { Err(wrong(format!("{} became shorter", path.display()))) }
        }
        Content::Link(target) => {
            header.set_entry_type(EntryType::Symlink);
            archive.append_link(&mut header, &entry.path, target)
        }
    }
}

fn wrong(why: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

/// Counts what is read through it.
struct Measured<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}

/// Hashes and counts what is written through it.
struct Counted<W> {
    inner: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> Counted<W> {
    fn new(inner: W) -> Self {
        Self { inner, hasher: Hasher::default(), size: 0 }
    }

    fn ended(self) -> (Digest, u64, W) {
        (self.hasher.finish(), self.size, self.inner)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;

    use super::{Content, Entry, Layer};
    use crate::images::Digest;

    fn entry(path: &str, mode: u32, content: Content) -> Entry {
        Entry { path: path.to_owned(), mode, content }
    }

    fn entries(file: &std::path::Path) -> Vec<Entry> {
        vec![
            entry("opt/x/b.jar", 0o644, Content::File(file.to_owned())),
            entry("opt/x", 0o755, Content::Folder),
            entry("opt/x/run", 0o755, Content::Bytes(b"#!/bin/sh\n".to_vec())),
            entry("opt/x/same.jar", 0o777, Content::Link("b.jar".to_owned())),
            entry(&format!("opt/x/{}/deep", "long".repeat(40)), 0o600, Content::Bytes(b"deep".to_vec())),
        ]
    }

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source");
        fs::write(&file, "jar".repeat(1000)).unwrap();
        let one = Layer::write(entries(&file), folder.path()).unwrap();
        let other = folder.path().join("elsewhere");
        fs::copy(&file, &other).unwrap();
        let mut reversed = entries(&other);
        reversed.reverse();
        let two = Layer::write(reversed, folder.path()).unwrap();
        assert_eq!((&one.digest, &one.diff_id, one.size), (&two.digest, &two.diff_id, two.size));
        let bytes = fs::read(one.file()).unwrap();
        assert_eq!((Digest::of(&bytes), bytes.len() as u64), (one.digest.clone(), one.size));
        // What every machine must come to: another version of the compressor that changes it changes every image that is made anew.
        assert_eq!((one.diff_id.short(), one.digest.short()), ("sha256:e60410800147", "sha256:1abdbfcbc855"));
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("source");
        fs::write(&file, "jar".repeat(1000)).unwrap();
        let layer = Layer::write(entries(&file), folder.path()).unwrap();
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(fs::File::open(layer.file()).unwrap()).read_to_end(&mut plain).unwrap();
        assert_eq!(Digest::of(&plain), layer.diff_id);
        let mut archive = tar::Archive::new(plain.as_slice());
        let read: Vec<(String, u32, u64)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                assert_eq!((header.uid().unwrap(), header.gid().unwrap(), header.mtime().unwrap()), (0, 0, 0));
                (entry.path().unwrap().display().to_string(), header.mode().unwrap(), header.size().unwrap())
            })
            .collect();
        let long = format!("opt/x/{}/deep", "long".repeat(40));
        let expected = [
            ("opt/x/", 0o755, 0),
            ("opt/x/b.jar", 0o644, 3000),
            (&long, 0o600, 4),
            ("opt/x/run", 0o755, 10),
            ("opt/x/same.jar", 0o777, 0),
        ];
        assert_eq!(read, expected.map(|(path, mode, size)| (path.to_owned(), mode, size)));
        let gone = layer.file().to_owned();
        drop(layer);
        assert!(!gone.exists());
    }

    #[test]
    fn a_path_that_is_none_or_is_there_twice_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        for wrong in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a/"] {
            let error = Layer::write(vec![entry(wrong, 0o644, Content::Bytes(Vec::new()))], folder.path()).unwrap_err();
            assert!(error.to_string().ends_with("is no path for a layer"), "{wrong}");
        }
        let twice = vec![entry("a", 0o644, Content::Bytes(Vec::new())), entry("a", 0o644, Content::Folder)];
        assert_eq!(Layer::write(twice, folder.path()).unwrap_err().to_string(), "a is there twice");
    }
}
