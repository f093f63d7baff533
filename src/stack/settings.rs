//! What `confluent` finds in the settings of a component, with the environment that the task will have.

use std::collections::BTreeMap;

use super::build::Builder;
use super::family::Member;
use crate::base::Code;
use crate::confluent::{self, Environment, fit, versions};
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
        self.together(member, component);
        self.one_address(member, component, &environment);
    }

    /// Versions that don't go together, in one project.
    fn together(&mut self, member: &Member<'_>, component: &Component) {
        let (project, name) = (self.project, member.name);
        let image = member.service.image.as_deref().unwrap_or_default();
        let at = ["services", name, "image"];
        if let Some((message, help)) = versions::no_such_line(component, image) {
            self.error(Code::VERSIONS, &at, message).help = Some(help);
        }
        for (other, described) in project.services.iter().filter(|(other, _)| other.as_str() != name) {
            let beside = described.image.as_deref().unwrap_or_default();
            if let Some(tag) = versions::other_tag(component, image, beside) {
                let message = format!("{other} is not of the version of {name}, which is {tag}: they speak to each other as one");
                let finding = self.error(Code::VERSIONS, &["services", other, "image"], message);
                finding.help = Some(format!("give both the tag {tag}"));
            }
            let theirs = confluent::component(self.catalogue, described, self.extensions.services.get(other));
            // Each pair once: from Control Center's side, which has lines of its own, or in the order of names.
            let Some(theirs) = theirs.filter(|_| !component.versions.platform.is_empty() || other.as_str() > name) else {
                continue;
            };
            if let Some((message, help)) = versions::apart((component, image), (theirs, beside)) {
                self.warn(Code::VERSIONS, &at, format!("{name} and {other}: {message}")).help = Some(help);
            }
        }
    }

    /// One address for several tasks: what is forwarded to one of them comes out at another.
    fn one_address(&mut self, member: &Member<'_>, component: &Component, environment: &Environment) {
        let Some(variable) = &component.start.advertised_host else { return };
        let most = member.extensions.scaling.as_ref().map_or(0, |scaling| scaling.maximum);
        let tasks = u32::try_from(member.service.replicas()).unwrap_or_default().max(most);
        let set = environment.get(variable).and_then(|text| text.plain_text()).map(str::trim).filter(|value| !value.is_empty());
        let Some(value) = set.filter(|_| tasks > 1 && !confluent::sets_address(member.service, component)) else { return };
        if !confluent::settings::is_shared_address(value) {
            let message = format!("{variable} is {value} for each of {tasks} tasks: what is forwarded to one comes out at any");
            let finding = self.warn(Code::ADVERTISED_HOST, &["services", member.name, "environment", variable], message);
            finding.help = Some(
                "leave it out, and `command`, `entrypoint` and `build`: then each task advertises its own address".to_owned(),
            );
        }
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
        for name_twice in fit::twice(component, &own) {
            let message = format!("{name} keeps two things in the topic {name_twice}: each needs one of its own");
            let finding = self.error(Code::SHARED_NAMES, &["services", name, "environment"], message);
            finding.help = Some("give each internal topic another name".to_owned());
        }
        for (other, described) in self.project.services.iter().filter(|(other, _)| other.as_str() > name) {
            let extensions = self.extensions.services.get(other);
            if confluent::component(self.catalogue, described, extensions).is_none_or(|found| found.name != component.name) {
                continue;
            }
            let theirs = confluent::environment(self.project, self.extensions, other, &BTreeMap::new());
            let theirs = confluent::properties(component, described.image.as_deref().unwrap_or_default(), &theirs);
            let shared = fit::shared(component, &own, &theirs);
            if fit::is_twin(component, &own, &theirs) {
                let message = format!("{name} and {other} share their group and all internal topics: they are one cluster");
                let finding = self.warn(Code::SHARED_NAMES, &["services", name, "environment"], message);
                finding.help = Some("where two clusters are meant, give each names of its own".to_owned());
            }
            if !shared.is_empty() {
                let message = format!("{name} and {other} share {}, but not the rest of a cluster's names", shared.join(", "));
                let finding = self.error(Code::SHARED_NAMES, &["services", name, "environment"], message);
                finding.help = Some("one cluster shares its group and all its topics, two share none of them".to_owned());
            }
        }
    }
}
