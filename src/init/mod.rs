//! `init`: answers → a project that is right for the cluster.
//!
//! Comes in: what was typed or answered ([`Given`]), the catalogue. Goes out: commented compose files, written all or none.
//!
//! ```text
//! Given ◄─ what the project says already (Present)
//!   └─► missing (asked for, or named) ─► Choices ─► Model (typed values) ─► text (Handlebars) ─► loaded again and compared ─► files
//! ```
//!
//! Rules: what stands in the files comes from the profile and the choices, never from a template; every value goes through one
//! helper that quotes YAML; text that doesn't read back as the typed values is a fault of ours and is not written; nothing that is
//! there is overwritten unless asked; no secret value is asked for or written. docker-compose.yml holds the component and is the same
//! for every kind of cluster; envs/<env>.yml holds everything of the cluster. Into files that are there, entries are put where they
//! are missing, and no line is changed; where that can't be done safely, the text is shown and nothing is written.

mod choices;
mod files;
mod given;
mod insert;
mod model;
mod present;
mod service;
mod text;
mod verify;

pub use choices::{Choices, SchemaRegistry};
pub use files::{Outcome, State, write};
pub use given::{Certificate, Given, Missing};
pub use model::Model;
pub use present::Present;
pub use service::{Group, Service};
pub use verify::verify;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use self::insert::Entry;
use crate::base::{Failure, Result, yaml};

/// A file of the project, relative to its folder.
#[derive(Debug, Clone)]
pub struct File {
    pub path: PathBuf,
    /// The text where it isn't there yet.
    pub text: String,
    pub how: How,
}

/// What is done to a file that is there.
#[derive(Debug, Clone)]
pub enum How {
    /// It is ours or in the way.
    Whole,
    /// Lines are added where they are missing.
    Lines,
    /// Entries are put in where they are missing.
    Entries(Vec<Wanted>),
}

/// An entry that a file must have.
#[derive(Debug, Clone)]
pub struct Wanted {
    entry: Entry,
    /// What is there may be anything; else it has to say the same.
    keeps: bool,
}

/// The files of a model, ready to be checked and written.
pub fn files(model: &Model, github_actions: bool) -> Result<Vec<File>> {
    let file = |path: PathBuf, text: String, how: How| File { path, text, how };
    let env = PathBuf::from("envs").join(format!("{}.yml", model.env));
    let mut files = vec![
        file("docker-compose.yml".into(), text::compose_file(model)?, How::Entries(compose_entries(model)?)),
        file(env, text::env_file(model)?, How::Entries(env_entries(model)?)),
    ];
    if !model.secrets.is_empty() {
        files.push(file("local.yml".into(), text::local_file(model)?, How::Entries(local_entries(model)?)));
    }
    files.push(file(".gitignore".into(), IGNORED.to_owned(), How::Lines));
    if github_actions {
        let path = format!(".github/workflows/confluent-ecs-{}.yml", model.env);
        files.push(file(path.into(), text::workflow(model)?, How::Whole));
    }
    Ok(files)
}

/// A service that is there is the user's.
fn compose_entries(model: &Model) -> Result<Vec<Wanted>> {
    let entry = |service: &Service| {
        let entry = Entry::new(&["services"], &service.name, text::compose_service(service)?);
        Ok(Wanted { entry, keeps: true })
    };
    model.services.iter().map(entry).collect()
}

fn local_entries(model: &Model) -> Result<Vec<Wanted>> {
    let entry = |name: &String| Ok(Wanted { entry: Entry::new(&["services"], name, text::local_service(name)?), keeps: true });
    model.secrets.iter().map(|secret| entry(&secret.name)).collect()
}

fn env_entries(model: &Model) -> Result<Vec<Wanted>> {
    let line = |key: &str, value: &str| yaml::to_string(&json!({ key: value }));
    let same = |entry: Entry| Wanted { entry, keeps: false };
    let keeps = |entry: Entry| Wanted { entry, keeps: true };
    let words = model.kafka.words().into_iter();
    let mut entries: Vec<Wanted> = words.map(|(key, value)| same(Entry::new(&["x-kafka"], key, line(key, value)))).collect();
    for who in &model.kafka.principals {
        entries.push(same(Entry::new(&["x-kafka", "principals"], &who.client, line(&who.client, &who.principal))));
    }
    for service in &model.services {
        let mut entry = Entry::new(&["services"], &service.name, text::env_service(&service.alone(false))?);
        entry.with_aliases = Some(text::env_service(&service.alone(true))?);
        entries.push(same(entry));
    }
    for (service, host) in &model.named {
        let names = text::names(host)?;
        for (key, inner) in [("x-network", "x-cloudmap"), ("networks", "default")] {
            let lines = insert::piece(&names, key, inner);
            entries.push(keeps(Entry::new(&["services", service, key], inner, lines)));
        }
    }
    for secret in &model.secrets {
        entries.push(same(Entry::new(&["secrets"], &secret.name, text::env_secret(secret)?)));
    }
    if let Some(zone) = &model.namespace {
        entries.push(keeps(Entry::new(&["x-cloudmap"], "internal", text::namespace(zone))));
    }
    let [vpc, cluster] = text::places(model);
    entries.push(keeps(Entry::new(&[], "x-vpc", vpc)));
    entries.push(Wanted { entry: Entry::new(&[], "x-cluster", cluster), keeps: !model.typed.cluster });
    for (typed, key, tag) in [(model.typed.vpc, "VpcId", &model.vpc_tag), (model.typed.subnets, "AppSubnets", &model.subnet_tag)]
    {
        let lines = yaml::to_string(&json!({ key: text::tags(tag) }));
        entries.extend(typed.then(|| same(Entry::new(&["x-vpc", "Lookup"], key, lines))));
    }
    Ok(entries)
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
