//! What `confluent` finds in the settings of a component, with the environment that the task will have.

use std::collections::BTreeMap;

use super::build::Builder;
use super::family::Member;
use crate::confluent;

impl Builder<'_> {
    pub(super) fn settings(&mut self, member: &Member<'_>) {
        let Some(component) = member.component else { return };
        let environment = confluent::environment(self.project, self.extensions, member.name, &BTreeMap::new());
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
            advertised_by_command: confluent::sets_address(member.service, component),
            provider: provider.map(|provider| provider.value),
        });
        self.findings.extend(findings);
    }
}
