//! The catalogue of a run: what is built in, and the profiles that the project brings.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::base::{Error, Failure, Result};
use crate::cli::ProjectArgs;
use crate::profile::Catalogue;

/// Where a project keeps profiles of its own.
const OWN: &str = ".confluent-ecs/profiles";

/// The catalogue for a project; a run has one project.
pub(super) fn catalogue(args: &ProjectArgs) -> Result<&'static Catalogue> {
    static CATALOGUE: OnceLock<Catalogue> = OnceLock::new();
    if let Some(known) = CATALOGUE.get() {
        return Ok(known);
    }
    let builtin = Catalogue::builtin()?;
    let Some(folder) = folder(args)? else { return Ok(builtin) };
    let catalogue = builtin.with_own(&folder).map_err(Error::Findings)?;
    Ok(CATALOGUE.get_or_init(|| catalogue))
}

/// The folder that was named, else the project's, where it has one: beside its first file, or in a folder above.
fn folder(args: &ProjectArgs) -> Result<Option<PathBuf>> {
    if let Some(named) = &args.profiles_dir {
        if named.is_dir() {
            return Ok(Some(named.clone()));
        }
        return Err(Failure::usage(format!("--profiles-dir: {} is no folder", named.display())).into());
    }
    let beside = args.files.iter().find(|file| *file != "-").and_then(|file| Path::new(file).parent());
    let start = match (&args.project_directory, beside) {
        (Some(folder), _) => folder.clone(),
        (None, Some(folder)) if !folder.as_os_str().is_empty() => folder.to_owned(),
        (None, _) => PathBuf::new(),
    };
    let Ok(current) = env::current_dir() else { return Ok(None) };
    let found = current.join(&start).ancestors().map(|folder| folder.join(OWN)).find(|folder| folder.is_dir());
    // A path that leads down from here is shown as people write it.
    Ok(found.map(|folder| folder.strip_prefix(&current).map_or_else(|_| folder.clone(), Path::to_owned)))
}
