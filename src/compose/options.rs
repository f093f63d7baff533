//! What a load is asked for.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::project::Project;
use crate::base::{Findings, Sources};

/// What was typed, and the world around it. Relative paths start from [`LoadOptions::current_dir`].
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// `-f`, in order; `-` is standard input. Empty: `COMPOSE_FILE`, else the default names here or in a folder above.
    pub files: Vec<PathBuf>,
    /// `-p`.
    pub project_name: Option<String>,
    /// `--env-file`, in order; later ones win. Empty: `.env` beside the first compose file.
    pub env_files: Vec<PathBuf>,
    /// `--profile`. Empty: `COMPOSE_PROFILES`.
    pub profiles: Vec<String>,
    /// `--project-directory`.
    pub project_directory: Option<PathBuf>,
    /// Only these services (`*` and `?` match) and what they depend on. Empty: all.
    pub services: Vec<String>,
    /// The process's environment.
    pub environment: BTreeMap<String, String>,
    pub current_dir: PathBuf,
    /// Values for variables that neither the environment nor an env file sets.
    pub fallbacks: BTreeMap<String, String>,
    /// An unset variable without a default is blank, with a warning, as Docker does; otherwise it is an error.
    pub unset_is_blank: bool,
}

/// What came of a load.
#[derive(Debug)]
pub struct Loaded {
    /// There when no finding is an error.
    pub project: Option<Project>,
    pub findings: Findings,
    /// The texts for the lines under findings.
    pub sources: Sources,
}
