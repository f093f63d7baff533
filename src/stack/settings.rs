//! What `confluent` finds in the settings of a component, with the environment that the task will have.

use std::collections::BTreeMap;

use super::build::Builder;
use super::family::Member;
use crate::base::Code;
use crate::confluent::{self, Environment, fit};
use crate::profile::Component;

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
            own_start_script: confluent::has_own_start_script(member.service),
            provider: provider.map(|provider| provider.value),
        });
        self.findings.extend(findings);
        self.fit(member, component, &environment);
    }

    /// What doesn't fit to the memory, the image, or another service.
    fn fit(&mut self, member: &Member<'_>, component: &Component, environment: &Environment) {
        let (name, service) = (member.name, member.service);
        let limits = service.deploy.as_ref().and_then(|deploy| deploy.resources.limits.as_ref());
        let memory = limits.map_or_else(|| service.mem_limit.get(), |limits| limits.memory.get());
        let memory = u64::try_from(memory).unwrap_or_default() >> 20;
        if let Some((message, fatal)) = fit::heap(component, environment, memory) {
            let variable = component.sizing.heap.variable.as_str();
            let path = ["services", name, "environment", variable];
            let finding = if fatal { self.error(Code::HEAP, &path, message) } else { self.warn(Code::HEAP, &path, message) };
            let percent = component.sizing.heap.percent_of_memory;
            finding.help = Some(format!("leave it out: then it is {percent} % of the memory"));
        }
        let image = service.image.as_deref().unwrap_or_default();
        let test = service.healthcheck.iter().filter(|check| !check.disable).flat_map(|check| check.test.iter());
        if let Some(program) = fit::missing_program(image, test.map(|word| &**word)) {
            let message =
                format!("the health check calls {program}, which {image} doesn't have: every task would be replaced as sick");
            let finding = self.error(Code::CHECK_PROGRAM, &["services", name, "healthcheck", "test"], message);
            finding.help = Some("leave the test out: the generated one needs bash alone".to_owned());
        }
        let own = confluent::properties(component, image, environment);
        for (other, described) in self.project.services.iter().filter(|(other, _)| other.as_str() > name) {
            let extensions = self.extensions.services.get(other);
            if confluent::component(self.catalogue, described, extensions).is_none_or(|found| found.name != component.name) {
                continue;
            }
            let theirs = confluent::environment(self.project, self.extensions, other, &BTreeMap::new());
            let theirs = confluent::properties(component, described.image.as_deref().unwrap_or_default(), &theirs);
            let shared = fit::shared(component, &own, &theirs);
            if !shared.is_empty() {
                let message = format!("{name} and {other} share {}, but not the rest of a cluster's names", shared.join(", "));
                let finding = self.error(Code::SHARED_NAMES, &["services", name, "environment"], message);
                finding.help = Some("one cluster shares its group and all its topics, two share none of them".to_owned());
            }
        }
    }
}
