//! `profiles list` and `profiles show`: the catalogue, as it is.

use crate::base::{Exit, Failure, Result, nearest};
use crate::cli::{ProfilesArgs, ProfilesVerb};
use crate::confluent;
use crate::profile::Catalogue;
use crate::ui::Ui;

pub(super) fn run(args: &ProfilesArgs, ui: &mut Ui) -> Result<Exit> {
    let catalogue = Catalogue::builtin()?;
    match &args.verb {
        ProfilesVerb::List => ui.profiles(catalogue.components()),
        ProfilesVerb::Show { name } => {
            let found = catalogue.component(name).or_else(|| confluent::recognise(catalogue, name));
            let Some(text) = found.and_then(|component| Catalogue::builtin_text(&component.name)) else {
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
