//! `completions` and `man`: from the arguments' own definitions, so that neither can be out of step with them.

use clap::CommandFactory as _;

use crate::base::{Exit, Failure, Result};
use crate::cli::{Cli, CompletionsArgs, Shell};
use crate::ui::Ui;

pub(super) fn shell(args: &CompletionsArgs, ui: &mut Ui) -> Exit {
    let shell = match args.shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Elvish => clap_complete::Shell::Elvish,
        Shell::Fish => clap_complete::Shell::Fish,
        Shell::PowerShell => clap_complete::Shell::PowerShell,
        Shell::Zsh => clap_complete::Shell::Zsh,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "confluent-ecs", &mut text);
    ui.result(&String::from_utf8_lossy(&text));
    Exit::Done
}

pub(super) fn man(ui: &mut Ui) -> Result<Exit> {
    let mut text = Vec::new();
    let written = clap_mangen::Man::new(Cli::command()).render(&mut text);
    written.map_err(|error| Failure::fault("the manual page can't be made").cause(error))?;
    ui.result(&String::from_utf8_lossy(&text));
    Ok(Exit::Done)
}
