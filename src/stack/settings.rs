//! What `confluent` finds in the settings of a component, with the environment that the task will have.

use super::build::Builder;
use super::family::Member;
use crate::confluent::{self, Environment, Text};

impl Builder<'_> {
    pub(super) fn settings(&mut self, member: &Member<'_>) {
        let Some(component) = member.component else { return };
        let environment = self.environment_of(member.name);
        let image = member.service.image.as_deref().unwrap_or_default();
        let place = self.project.key_place(&["services", member.name, "environment"]);
        let provider = self.extensions.kafka.as_ref().and_then(|kafka| kafka.provider.as_ref());
        let findings = confluent::settings::findings(&confluent::settings::Service {
            name: member.name,
            catalogue: self.catalogue,
            component,
            image,
            environment: &environment,
            place: Some(&place),
            advertised_by_command: super::command::sets_address(member.service, component),
            provider: provider.map(|provider| provider.value),
        });
        self.findings.extend(findings);
    }

    /// The variables of a service as `confluent` reads them; what a secret holds is unread.
    fn environment_of(&self, name: &str) -> Environment {
        let mut environment = Environment::default();
        let Some(service) = self.project.services.get(name) else { return environment };
        for (variable, value) in &service.environment {
            let Some(value) = value else { continue };
            let place = self.project.place(&["services", name, "environment", variable]);
            environment.insert(variable, Text::plain(&**value, Some(place)));
        }
        for source in service.secrets.iter().filter_map(|mount| mount.source.as_deref()) {
            let Some(extension) = self.extensions.secrets.get(source) else { continue };
            if extension.keys.is_empty() {
                environment.set_open();
            }
            for key in &extension.keys {
                let place = Some(key.key.place.clone());
                environment.insert(&key.variable, Text::secret(source, Some(&key.key.value), None, place));
            }
        }
        environment
    }
}
