//! `report`: what a run did, from its journal, as one HTML file.

use std::fs;
use std::path::{Path, PathBuf};

use super::project::{options, stack_name, written};
use crate::base::{Exit, Failure, Result};
use crate::cli::{Cli, ReportArgs};
use crate::deploy::journal;
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &ReportArgs, ui: &mut Ui) -> Result<Exit> {
    let (project, _) = written(&cli.project, ui)?;
    let directory = &project.directory;
    let run = if let Some(id) = &args.run {
        journal::read(directory, id).ok_or_else(|| missing(directory, &format!("there is no run {id}")))?
    } else {
        let stack = stack_name(&cli.project, args.stack.name.as_deref(), &project);
        let newest = journal::runs(directory).into_iter().find(|run| run.header.stack == stack);
        newest.ok_or_else(|| missing(directory, &format!("there is no run of {stack} to report")))?
    };
    let current_dir = options(&cli.project)?.current_dir;
    let file = args.output_file.clone().unwrap_or_else(|| PathBuf::from(format!("{}.html", run.id)));
    let path = current_dir.join(&file);
    fs::write(&path, ui.report_of(&run))
        .map_err(|error| Failure::usage(format!("{} can't be written", file.display())).cause(error))?;
    ui.run_reported(&run, &file.display().to_string());
    Ok(Exit::Done)
}

fn missing(directory: &Path, headline: &str) -> Failure {
    let known: Vec<String> = journal::runs(directory).into_iter().take(5).map(|run| run.id).collect();
    let unreadable = journal::unreadable(directory);
    let cause = match (known.is_empty(), unreadable.is_empty()) {
        (false, _) => format!("the last ones: {}", known.join(", ")),
        (true, false) => format!("this version can't read {}", unreadable.join(", ")),
        (true, true) => "nothing was deployed from this folder".to_owned(),
    };
    Failure::usage(headline).cause(cause)
}
