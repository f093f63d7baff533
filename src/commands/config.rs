//! `config`: the merged project as Docker Compose prints it, and all findings.

use std::fs;

use super::project;
use crate::base::{Exit, Failure, Result};
use crate::cli::{ConfigArgs, ConfigFormat, ProjectArgs};
use crate::compose::Format;
use crate::ui::Ui;

pub(super) fn run(args: &ProjectArgs, config: &ConfigArgs, ui: &mut Ui) -> Result<Exit> {
    let mut options = project::options(args)?;
    options.services.clone_from(&config.services);
    options.unset_is_blank = true;
    let format = match config.format {
        ConfigFormat::Yaml => Format::Yaml,
        ConfigFormat::Json => Format::Json,
    };
    let text = project::printed(args, &options, ui, |project| project.print(format))?;
    if let Some(path) = &config.output_file {
        fs::write(path, text).map_err(|error| Failure::usage(format!("{} can't be written", path.display())).cause(error))?;
    } else {
        ui.result(&text);
    }
    Ok(Exit::Done)
}
