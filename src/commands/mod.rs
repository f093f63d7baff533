//! One file a verb: arguments → stages → ui. Nothing here computes; nothing else imports this room.

mod account_facts;
mod account_roles;
mod acl;
mod answers;
mod catalogue;
mod completions;
mod config;
mod down;
mod explain;
mod iam_policy;
mod images;
mod in_vpc;
mod init;
mod layers;
mod logs;
mod own_hosts;
mod pin;
mod plan;
mod preflight;
mod profiles;
mod project;
mod registries;
mod render;
mod report;
mod restart;
mod rollback;
mod scale;
mod scram;
mod secrets;
mod session;
mod status;
mod steer;
mod stored;
mod template;
mod up;
mod watch;
mod world;

use std::process::ExitCode;

use clap::Parser;

use crate::base::{Error, Exit};
use crate::cli::{Cli, Verb};
use crate::ui::{Ui, end_at_panics};

/// Parses the arguments, runs the verb, shows what it said, and gives its exit code.
pub fn main() -> ExitCode {
    end_at_panics();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return Ui::usage(&error).into(),
    };
    let mut ui = Ui::new(&cli.display);
    let exit = match run(&cli, &mut ui) {
        Ok(exit) => exit,
        Err(Error::Findings(findings)) => {
            ui.findings(&findings);
            Exit::Usage
        }
        Err(Error::Failure(failure)) => {
            ui.failure(&failure);
            failure.exit
        }
    };
    ui.ended(exit).into()
}

fn run(cli: &Cli, ui: &mut Ui) -> crate::base::Result<Exit> {
    match &cli.verb {
        Verb::Config(args) => config::run(&cli.project, args, ui),
        Verb::Init(args) => init::run(&cli.project, args, ui),
        Verb::Preflight(args) => preflight::run(cli, args, ui),
        Verb::IamPolicy(args) => iam_policy::run(&cli.project, args, ui),
        Verb::Acl(args) => acl::run(&cli.project, args, ui),
        Verb::Profiles(args) => profiles::run(&cli.project, args, ui),
        Verb::Explain(args) => explain::run(args, ui),
        Verb::Render(args) => render::run(&cli.project, args, ui),
        Verb::Plan(args) => plan::run(cli, args, ui),
        Verb::Up(args) => up::run(cli, args, ui),
        Verb::Watch(args) => watch::run(cli, args, ui),
        Verb::Logs(args) => logs::run(cli, args, ui),
        Verb::Scale(args) => scale::run(cli, args, ui),
        Verb::Restart(args) => restart::run(cli, args, ui),
        Verb::Rollback(args) => rollback::run(cli, args, ui),
        Verb::Report(args) => report::run(cli, args, ui),
        Verb::Status(args) => status::run(cli, args, ui),
        Verb::Down(args) => down::run(cli, args, ui),
        Verb::Secrets(args) => secrets::run(cli, args, ui),
        Verb::Images(args) => images::run(cli, args, ui),
        Verb::Completions(args) => Ok(completions::shell(args, ui)),
        Verb::Man => completions::man(ui),
    }
}
