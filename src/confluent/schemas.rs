//! The clients of a schema registry inside a component: a converter without its registry, and a login that isn't one.
//!
//! Comes in: a service with its properties. Goes out: findings with the place of the variable. Where a secret hasn't been read, nothing
//! is called missing.

use super::properties::{Properties, Property};
use super::settings::Service;
use super::variable_name;
use crate::base::{Code, Finding};
use crate::profile::Registry;

/// What says that a login is in `user_info`.
const USER_INFO: &str = "USER_INFO";

pub(super) fn findings(service: &Service<'_>, properties: &Properties) -> Vec<Finding> {
    let mut found = Vec::new();
    for registry in &service.component.registries {
        let check = Check { service, properties, registry };
        check.address(&mut found);
        check.login(&mut found);
    }
    found
}

struct Check<'a> {
    service: &'a Service<'a>,
    properties: &'a Properties,
    registry: &'a Registry,
}

impl Check<'_> {
    fn variable(&self, property: &str) -> String {
        variable_name(&self.service.component.environment, property)
    }

    fn lacks(&self, message: String, property: &str, help: String) -> Finding {
        self.service.placed(Finding::error(Code::REGISTRY_SETTINGS, message).help(help), &self.variable(property), None)
    }

    fn at(&self, finding: Finding, property: &Property) -> Finding {
        self.service.placed(finding, &property.variable, property.value.place.as_ref())
    }

    /// The converter that needs a registry, where one is chosen.
    fn converter(&self) -> Option<(&Property, &str)> {
        let used_by = self.registry.used_by.as_ref()?;
        let property = self.properties.get(&used_by.property)?;
        let class = property.value.raw()?.trim();
        used_by.is.iter().any(|known| known == class).then_some((property, class))
    }

    fn address(&self, found: &mut Vec<Finding>) {
        let url = self.properties.get(&self.registry.url);
        match (url, self.converter()) {
            (None, Some((property, class))) if !self.properties.is_open() => {
                // What the start script itself asks for is found as a missing setting.
                let variable = self.variable(&self.registry.url);
                let required =
                    self.service.component.environment.required.iter().filter(|required| required.variable == variable);
                if required.filter_map(|required| required.when.as_ref()).any(|when| when.is.iter().any(|is| is == class)) {
                    return;
                }
                let class = class.rsplit('.').next().unwrap_or(class);
                let message =
                    format!("{class} keeps its schemas in a registry, and {variable} says none: the worker does not start");
                found.push(
                    self.at(
                        Finding::error(Code::REGISTRY_SETTINGS, message).help(format!("write {variable}: https://…")),
                        property,
                    ),
                );
            }
            (Some(property), _) => {
                let urls = property.value.raw().unwrap_or_default().split(',').map(str::trim).filter(|url| !url.is_empty());
                for url in urls.filter(|url| !url.starts_with("http://") && !url.starts_with("https://") && !url.contains("${")) {
                    let message = format!("`{url}` is no address of a registry");
                    let finding = Finding::error(Code::REGISTRY_SETTINGS, message).help("it begins with https:// or http://");
                    found.push(self.at(finding, property));
                }
            }
            _ => {}
        }
    }

    fn login(&self, found: &mut Vec<Finding>) {
        let source = self.properties.get(&self.registry.credentials_source);
        let user_info = self.registry.user_info.iter().find_map(|name| self.properties.get(name));
        let word = source.and_then(|source| source.value.raw()).map(str::trim);
        let used = self.properties.get(&self.registry.url).is_some() || self.converter().is_some();
        if self.properties.is_open() || !used {
            return;
        }
        let names = || self.registry.user_info.first().map(|name| self.variable(name)).unwrap_or_default();
        match (source, word, user_info) {
            (_, Some(USER_INFO), None) => {
                let variable = names();
                let message = format!(
                    "{} is USER_INFO, and {variable} is missing: the client does not start",
                    self.variable(&self.registry.credentials_source)
                );
                let help = format!("add {variable} to the secret's keys; `secrets compose` and `secrets put` write its value");
                found.extend(source.map(|source| self.at(Finding::error(Code::REGISTRY_SETTINGS, message).help(help), source)));
            }
            (None, _, Some(given)) => {
                let variable = self.variable(&self.registry.credentials_source);
                let message = format!("{} is not looked at: {variable} is not set", given.variable);
                let finding = Finding::error(Code::REGISTRY_SETTINGS, message).help(format!("write {variable}: {USER_INFO}"));
                found.push(self.at(finding, given));
            }
            (None, _, None) if self.is_on_confluent_cloud() && !self.has_another_login() => {
                let variable = self.variable(&self.registry.credentials_source);
                let message = format!(
                    "the registry on Confluent Cloud asks for a login, and the {} has none",
                    self.registry.name.replace('-', " ")
                );
                let help = format!("write {variable}: {USER_INFO}, and add {} to the secret's keys", names());
                found.push(self.lacks(message, &self.registry.url, help));
            }
            _ => {}
        }
    }

    fn is_on_confluent_cloud(&self) -> bool {
        let url = self.properties.get(&self.registry.url).and_then(|property| property.value.raw()).unwrap_or_default();
        // A login may also stand in the address.
        url.split(',').any(|url| url.contains(".confluent.cloud") && !url.contains('@'))
    }

    /// Any other setting of a login under the same prefix, as a token's.
    fn has_another_login(&self) -> bool {
        let prefix = self.registry.credentials_source.strip_suffix("basic.auth.credentials.source").unwrap_or_default();
        !prefix.is_empty()
            && self.properties.iter().any(|(name, _)| name.strip_prefix(prefix).is_some_and(|own| own.contains("bearer.auth")))
    }
}
