//! `init`: answers → a project that is right for the cluster.
//!
//! Comes in: what was typed or answered ([`Given`]), the catalogue. Goes out: commented compose files, written all or none.
//!
//! ```text
//! Given ─► missing (asked for, or named) ─► Choices ─► Model (typed values) ─► text (Handlebars) ─► loaded again and compared ─► files
//! ```
//!
//! Rules: what stands in the files comes from the profile and the choices, never from a template; every value goes through one
//! helper that quotes YAML; text that doesn't read back as the typed values is a fault of ours and is not written; nothing that is
//! there is overwritten unless asked; no secret value is asked for or written. docker-compose.yml holds the component and is the same
//! for every kind of cluster; envs/<env>.yml holds everything of the cluster.

mod choices;
mod files;
mod model;
mod text;
mod verify;

pub use choices::{Certificate, Choices, Given, KAFKA_KINDS, Missing};
pub use files::{Outcome, State, write};
pub use model::Model;
pub use verify::verify;

use std::fs;
use std::path::{Path, PathBuf};

use crate::base::{Failure, Result};

/// A file of the project, relative to its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub path: PathBuf,
    pub text: String,
    /// Lines that are added where they are missing, rather than a file of its own.
    pub lines: bool,
}

/// The files of a model, ready to be checked and written.
pub fn files(model: &Model) -> Result<Vec<File>> {
    let own = |path: PathBuf, text: String| File { path, text, lines: false };
    Ok(vec![
        own(PathBuf::from("docker-compose.yml"), text::compose_file(model)?),
        own(PathBuf::from("envs").join(format!("{}.yml", model.env)), text::env_file(model)?),
        File { path: PathBuf::from(".gitignore"), text: IGNORED.to_owned(), lines: true },
    ])
}

/// What must not get into version control: values of variables, answers for `secrets put --from`.
const IGNORED: &str = "/.env\n/secrets/\n";

/// Refuses a folder in which another file would be read instead of docker-compose.yml: Docker looks for these names first.
pub fn check_folder(folder: &Path) -> Result<()> {
    let first = ["compose.yaml", "compose.yml"].into_iter().find(|name| folder.join(name).exists());
    first.map_or(Ok(()), |name| {
        let failure = Failure::usage(format!("{name} is there, and would be read instead of docker-compose.yml"));
        Err(failure.help("write the project into a folder of its own, or rename that file to docker-compose.yml").into())
    })
}

/// The project's name when none is given: what docker-compose.yml says, else the folder's name with what a name can't hold left out.
pub fn project_name(folder: &Path) -> String {
    #[derive(serde::Deserialize)]
    struct Named {
        name: String,
    }
    let written = fs::read_to_string(folder.join("docker-compose.yml")).ok();
    if let Some(named) = written.and_then(|text| serde_yaml::from_str::<Named>(&text).ok()) {
        return named.name;
    }
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = folder.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name: String = words.join("-").trim_start_matches(|c: char| !c.is_ascii_lowercase()).chars().take(40).collect();
    let name = name.trim_end_matches('-');
    if name.is_empty() { "kafka".to_owned() } else { name.to_owned() }
}
