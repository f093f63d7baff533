//! `report`: what a run did, from its journal, as one HTML file.

use std::fs;
use std::path::PathBuf;

use super::project::{options, written};
use crate::base::{Exit, Failure, Result};
use crate::cli::{Cli, ReportArgs};
use crate::deploy::journal;
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &ReportArgs, ui: &mut Ui) -> Result<Exit> {
    let (project, _) = written(&cli.project, ui)?;
    let directory = &project.directory;
    let run = match &args.run {
        Some(id) => journal::read(directory, id).ok_or_else(|| missing(directory, Some(id)))?,
        None => journal::runs(directory).into_iter().next().ok_or_else(|| missing(directory, None))?,
    };
    let current_dir = options(&cli.project)?.current_dir;
    let file = args.output_file.clone().unwrap_or_else(|| PathBuf::from(format!("{}.html", run.id)));
    let path = current_dir.join(&file);
    fs::write(&path, ui.report_of(&run))
        .map_err(|error| Failure::usage(format!("{} can't be written", file.display())).cause(error))?;
    ui.run_reported(&run, &file.display().to_string());
    Ok(Exit::Done)
}

fn missing(directory: &std::path::Path, id: Option<&str>) -> Failure {
    let known: Vec<String> = journal::runs(directory).into_iter().take(5).map(|run| run.id).collect();
    let headline = match id {
        Some(id) => format!("there is no run {id}"),
        None => "there is no run to report".to_owned(),
    };
    let cause = if known.is_empty() {
        "nothing was deployed from this folder".to_owned()
    } else {
        format!("the last ones: {}", known.join(", "))
    };
    Failure::usage(headline).cause(cause)
}
