//! `secrets`: the verbs by name, and `compose`: plain answers in, the finished JSON out.

use std::collections::BTreeMap;

use crate::base::{Exit, Failure, Result};
use crate::cli::{Cli, ComposeArgs, SecretsArgs, SecretsVerb};
use crate::confluent;
use crate::ui::Ui;

use super::catalogue::catalogue;
use super::{answers, project, stored, template};

pub(super) fn run(cli: &Cli, args: &SecretsArgs, ui: &mut Ui) -> Result<Exit> {
    match &args.verb {
        SecretsVerb::Compose(args) => compose(cli, args, ui),
        SecretsVerb::Template(args) => template::run(cli, args, ui),
        SecretsVerb::Put(args) => stored::put(cli, args, ui),
        SecretsVerb::Check => stored::check(cli, ui),
        SecretsVerb::List => stored::list(cli, ui),
    }
}

fn compose(cli: &Cli, args: &ComposeArgs, ui: &mut Ui) -> Result<Exit> {
    let (project, extensions) = project::written(&cli.project, ui)?;
    let services = confluent::services(catalogue(&cli.project)?, &project, &extensions, &BTreeMap::new());
    let secret = confluent::secret_of(&project, &services, &args.answers.service)?;
    let answers = answers::gather(&secret.structure, args.answers.from.as_deref(), ui)?;
    let document = confluent::secret::compose(&secret.structure, &answers)?;
    let seen = ui.result_is_seen() && !cli.display.yes;
    if seen && !(ui.can_ask() && ui.confirm("The values would be shown on this terminal. Show them?")?) {
        let failure = Failure::usage("the values were not shown: the result would go to a terminal");
        return Err(failure.help("pipe it to where it belongs, or `secrets put` to store it; --yes shows it").into());
    }
    let result = if args.parameters { template::parameters(secret, &document, &extensions)? } else { document.to_json() };
    ui.secret_result(&result);
    Ok(Exit::Done)
}
