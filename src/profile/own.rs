//! Profiles of the project's own: components that aren't built in, one file each.
//!
//! Comes in: a folder. Goes out: the catalogue with them, or findings with file and line, all of them at once. A file stands for a
//! component as a built-in one does, and may refer to those.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Catalogue, Component, check};
use crate::base::{Code, Finding, Findings, Place};

impl Catalogue {
    /// This catalogue and the profiles of a folder: every file in it whose name ends in .yaml or .yml.
    pub fn with_own(&self, folder: &Path) -> Result<Self, Findings> {
        let mut catalogue = self.clone();
        let mut findings = Findings::default();
        let mut read: Vec<(PathBuf, String, Component)> = Vec::new();
        for path in files(folder, &mut findings) {
            let shown = path.display().to_string();
            let text = match fs::read_to_string(&path) {
                Ok(text) => text,
                Err(error) => {
                    let finding = Finding::error(Code::PROFILE, format!("the profile can't be read: {error}"));
                    findings.push(finding.at(Place::file(shown)));
                    continue;
                }
            };
            match serde_yaml::from_str::<Component>(&text) {
                Ok(component) => {
                    findings.extend(taken(&catalogue, &component, &shown, &text));
                    catalogue.own.insert(component.name.clone(), text.clone());
                    catalogue.components.push(component.clone());
                    read.push((path, text, component));
                }
                Err(error) => findings.push(malformed(&shown, &error)),
            }
        }
        for (path, text, component) in &read {
            let shown = path.display().to_string();
            for trouble in check::troubles(component, &catalogue) {
                let place = line_of(text, &trouble.word);
                let finding = Finding::error(Code::PROFILE, trouble.message);
                findings.push(finding.at(Place::new(shown.as_str(), place.0, place.1)));
            }
        }
        if findings.has_errors() { Err(findings) } else { Ok(catalogue) }
    }
}

fn files(folder: &Path, findings: &mut Findings) -> Vec<PathBuf> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let finding = Finding::error(Code::PROFILE, format!("the folder of profiles can't be read: {error}"));
            findings.push(finding.at(Place::file(folder.display().to_string())));
            return Vec::new();
        }
    };
    let profile = |path: &PathBuf| path.extension().is_some_and(|end| end == "yaml" || end == "yml");
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).filter(profile).collect();
    files.sort();
    files
}

fn malformed(file: &str, error: &serde_yaml::Error) -> Finding {
    let text = error.to_string();
    // The place stands before the message, not in it.
    let message = text.split(" at line ").next().unwrap_or(&text);
    let place = error.location().map_or_else(
        || Place::file(file),
        |at| {
            let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
            Place::new(file, number(at.line()), number(at.column()))
        },
    );
    Finding::error(Code::PROFILE, format!("not a profile: {message}")).at(place)
}

/// Names that somebody else has.
fn taken(catalogue: &Catalogue, component: &Component, file: &str, text: &str) -> Findings {
    let mut findings = Findings::default();
    let mut say = |word: &str, message: String| {
        let (line, column) = line_of(text, word);
        findings.push(Finding::error(Code::PROFILE, message).at(Place::new(file, line, column)));
    };
    if catalogue.component(&component.name).is_some() {
        say(&component.name, format!("there is a profile {} already; give this one another name", component.name));
    }
    for image in &component.images {
        if let Some(other) = catalogue.components().iter().find(|other| other.images.contains(image)) {
            say(image, format!("the image {image} is that of {}", other.name));
        }
    }
    findings
}

/// The first line that has a word, and the word's column in it; the file as a whole where none has.
fn line_of(text: &str, word: &str) -> (u32, u32) {
    let found = text.lines().enumerate().find_map(|(index, line)| Some((index, line[..line.find(word)?].chars().count())));
    let number = |number: usize| u32::try_from(number + 1).unwrap_or(u32::MAX);
    found.map_or((0, 0), |(line, column)| (number(line), number(column)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::profile::Catalogue;

    const REST: &str = include_str!("../../examples/rest-proxy.yaml");

    /// The findings of a folder with this file in it, as they are shown.
    fn findings(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("own.yaml"), text).unwrap();
        match Catalogue::builtin().unwrap().with_own(folder.path()) {
            Ok(_) => Vec::new(),
            Err(findings) => findings
                .iter()
                .map(|finding| {
                    let place = finding.place.clone().unwrap();
                    assert!(place.file.ends_with("own.yaml"));
                    format!("{}:{}: {}", place.line, place.column, finding.message)
                })
                .collect(),
        }
    }

    #[test]
    fn a_component_is_a_file() {
        assert_eq!(findings(REST), Vec::<String>::new());
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("rest-proxy.yml"), REST).unwrap();
        fs::write(folder.path().join("notes.txt"), "no profile").unwrap();
        let catalogue = Catalogue::builtin().unwrap().with_own(folder.path()).unwrap();
        assert!(catalogue.component("rest-proxy").is_some() && catalogue.component("connect").is_some());
    }

    #[test]
    fn what_is_wrong_with_it_is_said_with_its_line() {
        for (from, to, said) in [
            ("title:", "titel:", "unknown field `titel`"),
            ("inherits: bootstrap", "inherits: bootstraps", "unknown variant `bootstraps`"),
            ("from: { jaas: proxy }", "from: { jaas: prxy }", "no client prxy"),
            ("name: rest-proxy", "name: connect", "there is a profile connect already"),
            ("  - cp-kafka-rest", "  - cp-kafka-connect", "the image cp-kafka-connect is that of connect"),
            ("memory: 1G", "memory: 1Z", "1Z is no size"),
            ("why: ", "wyh: ", "wyh"),
        ] {
            assert!(REST.contains(from), "{from}");
            let found = findings(&REST.replacen(from, to, 1));
            let hit = found.iter().find(|finding| finding.contains(said)).unwrap_or_else(|| panic!("{to}: {found:#?}"));
            assert!(!hit.starts_with("0:"), "{hit}");
        }
        assert!(!findings("- a list\n").is_empty() && !findings("").is_empty() && !findings("a: [\n").is_empty());
    }
}
