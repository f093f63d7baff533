//! Which files make up the project, which variables they are read with, and what the project is called.
//!
//! Comes in: what was typed and the process's environment. Goes out: [`Setting`]. Rules: the environment beats env files,
//! of which a later one beats an earlier; `--env-file` replaces `.env`; `COMPOSE_FILE`, `COMPOSE_PROFILES` and
//! `COMPOSE_PROJECT_NAME` may stand in either.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::dotenv::{self, Assigned};
use super::files::{STDIN, clean};
use super::interpolate::Unset;
use super::node::Span;
use super::options::LoadOptions;
use super::paths::expand_home;
use super::report::Report;
use super::template::Variables;
use crate::base::{Code, Finding, Place};

const FILES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
const OVERRIDES: [&str; 4] =
    ["compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"];

/// The frame of a load.
#[derive(Debug)]
pub(super) struct Setting {
    /// Compose files, absolute, or `-`.
    pub(super) files: Vec<PathBuf>,
    /// Relative paths start from it.
    pub(super) directory: PathBuf,
    pub(super) variables: Variables,
    pub(super) profiles: Vec<String>,
}

/// Finds files and variables. None when there is nothing to load; a finding says why.
pub(super) fn settle(options: &LoadOptions, unset: &mut Unset, report: &mut Report) -> Option<Setting> {
    let absolute = |path: &Path| clean(&options.current_dir.join(path));
    let mut variables: Variables = options.environment.clone();
    let given: Vec<PathBuf> =
        options.files.iter().map(|file| if file == Path::new(STDIN) { file.clone() } else { absolute(file) }).collect();
    let fixed = options.project_directory.as_deref().map(absolute);
    let directory_of = |files: &[PathBuf]| {
        let first = files.iter().find(|file| *file != Path::new(STDIN));
        fixed.clone().or_else(|| Some(first?.parent()?.to_owned())).unwrap_or_else(|| options.current_dir.clone())
    };

    let directory = directory_of(&given);
    let env_files = env_files(options);
    load_env_files(&env_files, &directory, &mut variables, unset, report);
    let files = if given.is_empty() { find(&directory, &variables, options, report) } else { given };
    if files.is_empty() {
        if !report.has_errors() {
            let finding = Finding::error(Code::NO_PROJECT, "no configuration file provided, and none of the usual names is here");
            let help = format!("`confluent-ecs init` writes one; -f names another; {} are found by themselves", FILES.join(", "));
            report.push(finding.help(help));
        }
        return None;
    }
    let found_in = directory_of(&files);
    if found_in != directory {
        load_env_files(&env_files, &found_in, &mut variables, unset, report);
    }
    for (name, value) in &options.fallbacks {
        if !variables.contains_key(name) {
            variables.insert(name.clone(), value.clone());
        }
    }
    let profiles = if options.profiles.is_empty() {
        // Without any the list has one empty name, as in the reference.
        let list = variables.get("COMPOSE_PROFILES").map(String::as_str).unwrap_or_default();
        list.split(',').map(|name| name.trim().to_owned()).collect()
    } else {
        options.profiles.clone()
    };
    Some(Setting { files, directory: found_in, variables, profiles })
}

/// What was asked for by `--env-file` or `COMPOSE_ENV_FILES`.
fn env_files(options: &LoadOptions) -> Vec<PathBuf> {
    let home = options.environment.get("HOME").map(String::as_str);
    let typed: Vec<PathBuf> = if options.env_files.is_empty() {
        let listed = options.environment.get("COMPOSE_ENV_FILES").map(String::as_str).unwrap_or_default();
        listed.split(',').filter(|file| !file.is_empty()).map(PathBuf::from).collect()
    } else {
        options.env_files.clone()
    };
    typed.iter().map(|file| clean(&options.current_dir.join(expand_home(&file.to_string_lossy(), home)))).collect()
}

/// Reads env files under what is known: those asked for, else `.env` of the folder if it is there.
fn load_env_files(asked: &[PathBuf], directory: &Path, variables: &mut Variables, unset: &mut Unset, report: &mut Report) {
    let default = [directory.join(".env")];
    let files = if asked.is_empty() {
        if env_file_is_disabled(variables, report) || !default[0].is_file() {
            return;
        }
        &default
    } else {
        asked
    };
    let mut values = BTreeMap::new();
    for file in files {
        read_env_file(file, &mut values, variables, unset, report);
    }
    for (name, Assigned { value, .. }) in values {
        variables.entry(name).or_insert(value);
    }
}

/// `COMPOSE_DISABLE_ENV_FILE` as a word that means yes or no.
fn env_file_is_disabled(variables: &Variables, report: &mut Report) -> bool {
    let Some(word) = variables.get("COMPOSE_DISABLE_ENV_FILE") else { return false };
    let disabled = super::profiles::truth(word);
    if !disabled && !matches!(word.as_str(), "0" | "f" | "F" | "false" | "FALSE" | "False") {
        let message = format!("COMPOSE_DISABLE_ENV_FILE is \"{word}\", which is neither true nor false");
        report.push(Finding::error(Code::WRONG_VALUE, message));
    }
    disabled
}

/// Reads one env file for interpolation; a finding when it is missing or wrong.
pub(super) fn read_env_file(
    path: &Path,
    values: &mut BTreeMap<String, Assigned>,
    variables: &Variables,
    unset: &mut Unset,
    report: &mut Report,
) {
    let (file, text) = match report.files.read(path) {
        Ok(Some(read)) => read,
        Ok(None) => {
            let name = report.files.name(path);
            report.push(Finding::error(Code::UNREADABLE_FILE, format!("couldn't find env file {name}")).at(Place::file(name)));
            return;
        }
        Err(finding) => {
            report.push(finding);
            return;
        }
    };
    report.grant(text.len());
    let mut missing = Vec::new();
    let read = dotenv::parse(&text, values, &|name| variables.get(name).cloned(), &mut missing);
    for (name, line) in missing {
        unset.note(name, Span { file, line, column: 1 }, &[]);
    }
    if let Err(wrong) = read {
        report.error(Code::ENV_FILE, Span { file, line: wrong.line, column: 1 }, &[], wrong.message);
    }
}

/// `COMPOSE_FILE`, else the first default name in this folder or one above, with its override beside it.
fn find(directory: &Path, variables: &Variables, options: &LoadOptions, report: &mut Report) -> Vec<PathBuf> {
    if let Some(list) = variables.get("COMPOSE_FILE") {
        let separator = variables.get("COMPOSE_PATH_SEPARATOR").filter(|separator| !separator.is_empty());
        let separator = separator.map_or(":", String::as_str);
        let file = |file: &str| if file == STDIN { PathBuf::from(file) } else { clean(&options.current_dir.join(file)) };
        if list.split(separator).any(str::is_empty) {
            let message =
                format!("COMPOSE_FILE is \"{list}\": its empty part is a directory, the one that this runs in, and no file");
            let finding = Finding::error(Code::NO_PROJECT, message);
            report.push(finding.help(format!("leave out the {separator} that stands too much")));
            return list.split(separator).filter(|part| !part.is_empty()).map(file).collect();
        }
        return list.split(separator).map(file).collect();
    }
    for folder in directory.ancestors() {
        let present =
            |names: &[&str]| names.iter().map(|name| folder.join(name)).filter(|file| file.exists()).collect::<Vec<_>>();
        let mut files = Vec::new();
        for names in [&FILES, &OVERRIDES] {
            let found = present(names);
            let Some(first) = found.first() else { break };
            if found.len() > 1 {
                let names: Vec<String> = found.iter().map(|file| report.files.name(file).to_string()).collect();
                let message = format!("there are several compose files here: {}; {} is used", names.join(", "), names[0]);
                report.push(Finding::warning(Code::NO_PROJECT, message).at(Place::file(names[0].as_str())));
            }
            files.push(first.clone());
        }
        if !files.is_empty() {
            return files;
        }
    }
    Vec::new()
}

/// A name as Compose allows it: lower case, digits, `_` and `-`, the first a letter or a digit; the rest is left out.
pub(super) fn normalized(name: &str) -> String {
    let kept: String =
        name.to_lowercase().chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-')).collect();
    kept.trim_start_matches(['_', '-']).to_owned()
}
