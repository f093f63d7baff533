//! The start command, and the address that a task tells its group.
//!
//! Connect workers and registries forward requests to their leader at the address it advertises, so each task must advertise
//! its own. Nothing in a task definition can say it: only the container knows it when it starts. Where the image is as
//! Confluent made it, its command is wrapped; everywhere else the user's own command must do it, and a finding says so.

use super::Text;
use super::build::Builder;
use crate::base::Code;
use crate::compose::Service;
use crate::confluent;
use crate::profile::Component;

/// The command of a container where it isn't the image's own.
pub(super) struct Start {
    pub(super) entrypoint: Option<Vec<Text>>,
    pub(super) command: Option<Vec<Text>>,
    /// The variable that our command sets.
    pub(super) sets: Option<String>,
}

impl Builder<'_> {
    pub(super) fn start(&mut self, name: &str, service: &Service, component: Option<&Component>) -> Start {
        let texts = |words: &Option<Vec<String>>| words.as_ref().map(|words| words.iter().map(Text::from).collect());
        let own = Start { entrypoint: texts(&service.entrypoint), command: texts(&service.command), sets: None };
        let Some(component) = component else { return own };
        let Some(variable) = &component.start.advertised_host else { return own };
        let key = if service.command.is_some() {
            "command"
        } else if service.entrypoint.is_some() {
            "entrypoint"
        } else if service.build.is_some() {
            "build"
        } else {
            "image"
        };
        if confluent::is_as_made(service) {
            // The service's name is right for Docker's network, and what `init` writes for it.
            let written = service.environment.get(variable).and_then(Option::as_ref).filter(|value| ***value != *name);
            if let Some(value) = written {
                let message =
                    format!("{variable} is \"{}\" for every task; each will advertise its own address instead", &**value);
                let finding = self.warn(Code::START_COMMAND, &["services", name, "environment", variable], message);
                finding.help = Some("leave it out of the files: the start command sets it".to_owned());
            }
            return Start {
                entrypoint: None,
                command: confluent::start_command(component).map(|words| words.into_iter().map(Text::from).collect()),
                sets: Some(variable.clone()),
            };
        }
        if confluent::sets_address(service, component) || service.environment.get(variable).is_some_and(Option::is_some) {
            return own;
        }
        let what = match key {
            "build" => "its image is built from a Dockerfile of its own",
            "image" => "its image is not Confluent's own",
            _ => "it has a start command of its own",
        };
        let message = format!("{name} must set {variable} itself at its start: {what}");
        let finding = self.warn(Code::START_COMMAND, &["services", name, key], message);
        finding.help = Some(format!(
            "before it runs {}: export {variable}=$(hostname -i | cut -d' ' -f1), and start it with exec",
            component.start.command
        ));
        own
    }
}
