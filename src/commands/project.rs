//! The project that a verb works on: what was typed and the environment → a loaded project, its findings shown.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::base::{Error, Failure, Result};
use crate::cli::ProjectArgs;
use crate::compose::{LoadOptions, Project, load};
use crate::ui::Ui;

/// What to load, from the global flags and the process's environment.
///
/// `--env dev` stands for `-f docker-compose.yml -f envs/dev.yml` with `ENV_NAME=dev`; files that are named replace these.
pub(super) fn options(args: &ProjectArgs) -> Result<LoadOptions> {
    let current_dir = std::env::current_dir().map_err(|error| Failure::usage("the current folder can't be read").cause(error))?;
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    let mut environment: BTreeMap<String, String> = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    environment.entry("PWD".to_owned()).or_insert_with(|| current_dir.to_string_lossy().into_owned());
    let mut files: Vec<PathBuf> = args.files.iter().map(PathBuf::from).collect();
    if let Some(env) = &args.env {
        environment.insert("ENV_NAME".to_owned(), env.clone());
        if files.is_empty() {
            let folder = args.project_directory.clone().unwrap_or_default();
            files = vec![folder.join("docker-compose.yml"), folder.join("envs").join(format!("{env}.yml"))];
        }
    }
    Ok(LoadOptions {
        files,
        project_name: args.project_name.clone(),
        env_files: args.env_files.clone(),
        profiles: args.profiles.clone(),
        project_directory: args.project_directory.clone(),
        environment,
        current_dir,
        ..LoadOptions::default()
    })
}

/// Loads the project. Warnings are shown; errors come back together with them.
pub(super) fn loaded(options: &LoadOptions, ui: &mut Ui) -> Result<Project> {
    let loaded = load(options);
    ui.set_sources(loaded.sources);
    match loaded.project {
        Some(project) => {
            ui.findings(&loaded.findings);
            Ok(project)
        }
        None => Err(Error::Findings(loaded.findings)),
    }
}
