//! `images check --pin`: the digests that were found, beside the tags in the compose files. Nothing else of a file is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use crate::base::{Failure, Place, Result};
use crate::images::{Checked, Outcome, Standing};
use crate::ui::Ui;

/// Writes the digest of each image that passed where its name stands. What isn't written as one plain name is left, and told.
pub(super) fn pin(checked: &[Checked], folder: &Path, ui: &mut Ui) -> Result<()> {
    let mut files: BTreeMap<String, BTreeSet<(u32, u32, String, String)>> = BTreeMap::new();
    for image in checked.iter().filter(|image| image.standing() == Standing::Passed && image.pinned().is_some()) {
        let Outcome::Found(facts) = &image.outcome else { continue };
        for Place { file, line, column } in &image.wanted.places {
            let edit = (*line, *column, image.wanted.image.clone(), facts.digest.to_string());
            files.entry(file.to_string()).or_default().insert(edit);
        }
    }
    for (file, edits) in files {
        let path = folder.join(&file);
        let failed = |error: io::Error| Failure::usage(format!("{file} can't be changed")).cause(error);
        let mut text = fs::read_to_string(&path).map_err(failed)?;
        let mut said = Vec::new();
        // From the end, so that the places before stay where they are.
        for (line, column, image, digest) in edits.into_iter().rev() {
            match pinned(&text, line, column, &image, &digest) {
                Some(changed) => {
                    text = changed;
                    said.push(format!("pinned    {file}:{line}  {image}@{digest}"));
                }
                None => said
                    .push(format!("left      {file}:{line}  {image} is not written there as it is; write it by hand: @{digest}")),
            }
        }
        replace(&path, &text).map_err(failed)?;
        for line in said.iter().rev() {
            ui.note(line);
        }
    }
    Ok(())
}

/// The text with a digest behind the name at a place; `None`: something else is written there.
fn pinned(text: &str, line: u32, column: u32, image: &str, digest: &str) -> Option<String> {
    let mut begin = 0;
    for _ in 1..line {
        begin += text[begin..].find('\n')? + 1;
    }
    let (at, _) = text[begin..].char_indices().nth(usize::try_from(column).ok()?.checked_sub(1)?)?;
    let at = begin + at;
    let rest = &text[at..];
    let name = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let behind = name.strip_prefix(image)?;
    // A longer name begins the same way.
    if !behind.is_empty() && !behind.starts_with(['"', '\'', ' ', '\t', '\r', '\n', ',', '}']) {
        return None;
    }
    let end = text.len() - behind.len();
    Some(format!("{}@{digest}{}", &text[..end], &text[end..]))
}

/// Puts a new text in the place of a file, whole or not at all.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut fresh = tempfile::Builder::new().prefix(".pin-").tempfile_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
    fresh.persist(&path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::pinned;

    #[test]
    fn a_digest_is_put_behind_the_name_and_nothing_else_changes() {
        let text =
            "services:\n  a: { image: 'x/y:1', init: true }\n  b:\n    image: x/y:1 # for now\n    c: ${X}/y:1\n    d: x/y:12\n";
        let of = |line, column| pinned(text, line, column, "x/y:1", "sha256:0");
        assert_eq!(of(2, 15).unwrap(), text.replace("'x/y:1'", "'x/y:1@sha256:0'"));
        assert_eq!(of(4, 12).unwrap(), text.replace("x/y:1 #", "x/y:1@sha256:0 #"));
        assert_eq!((of(5, 8), of(6, 8), of(9, 1), of(4, 90)), (None, None, None, None));
    }
}
