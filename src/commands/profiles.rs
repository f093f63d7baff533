//! `profiles list` and `profiles show`: the catalogue, as it is, with the profiles of the project's own.

use super::catalogue::catalogue;
use crate::base::{Exit, Failure, Result, nearest};
use crate::cli::{ProfilesArgs, ProfilesVerb, ProjectArgs};
use crate::confluent;
use crate::ui::Ui;

pub(super) fn run(project: &ProjectArgs, args: &ProfilesArgs, ui: &mut Ui) -> Result<Exit> {
    let catalogue = catalogue(project)?;
    match &args.verb {
        ProfilesVerb::List => ui.profiles(catalogue.components()),
        ProfilesVerb::Show { name } => {
            let found = catalogue.component(name).or_else(|| confluent::recognise(catalogue, name));
            let Some(text) = found.and_then(|component| catalogue.text(&component.name)) else {
                let known: Vec<&str> = catalogue.components().iter().map(|component| component.name.as_str()).collect();
                let help = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("there are {}", known.join(", ")),
                };
                return Err(Failure::usage(format!("there is no profile {name}")).help(help).into());
            };
            ui.profile(text)?;
        }
    }
    Ok(Exit::Done)
}
