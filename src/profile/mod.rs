//! What we know of Confluent's components, as data. Comes in: `profiles/*.yaml`, embedded. Goes out: a typed [`Catalogue`].
//!
//! Rules: a profile holds facts and no user's values; every type here refuses a key that it doesn't know, so that a typo
//! in a profile fails a test; a new component is a new file and one line in [`COMPONENTS`].

mod component;
mod kafka;

use std::sync::LazyLock;

use crate::base::{Failure, Result};

pub use component::{
    Acl, Client, Component, Condition, Creates, DefaultValue, Defaults, Deployment, EnvironmentRule, Health, Heap, Image,
    Inherits, KeySource, Level, Number, Operation, Pattern, Proof, Registry, Required, Resource, SecretKey, SecretShape, Sizing,
    Spot, Start, When,
};
pub use kafka::{Credentials, KafkaFacts, Listener, Mechanism, Provider};

/// The embedded profiles: file name, for messages, and text.
const COMPONENTS: &[(&str, &str)] = &[("profiles/connect.yaml", include_str!("../../profiles/connect.yaml"))];
const KAFKA: (&str, &str) = ("profiles/kafka.yaml", include_str!("../../profiles/kafka.yaml"));

static BUILTIN: LazyLock<std::result::Result<Catalogue, String>> =
    LazyLock::new(|| Catalogue::read(COMPONENTS.iter().copied(), KAFKA));

/// Every component that is known, and what is known of Kafka itself.
#[derive(Debug, Clone)]
pub struct Catalogue {
    components: Vec<Component>,
    kafka: KafkaFacts,
}

impl Catalogue {
    /// The built-in knowledge. It fails only when a built-in profile is malformed, which a test rules out.
    pub fn builtin() -> Result<&'static Catalogue> {
        BUILTIN.as_ref().map_err(|cause| Failure::fault("a built-in profile is malformed").cause(cause).into())
    }

    fn read<'a>(components: impl Iterator<Item = (&'a str, &'a str)>, kafka: (&str, &str)) -> std::result::Result<Self, String> {
        let components = components
            .map(|(file, text)| serde_yaml::from_str(text).map_err(|error| format!("{file}: {error}")))
            .collect::<std::result::Result<_, _>>()?;
        let facts = serde_yaml::from_str(kafka.1).map_err(|error| format!("{}: {error}", kafka.0))?;
        Ok(Self { components, kafka: facts })
    }

    pub fn components(&self) -> &[Component] {
        &self.components
    }

    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }

    pub fn kafka(&self) -> &KafkaFacts {
        &self.kafka
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{COMPONENTS, Catalogue, KAFKA, KeySource};

    #[test]
    fn the_built_in_profiles_are_well_formed() {
        let catalogue = Catalogue::builtin().expect("profiles");
        assert_eq!(catalogue.components().len(), COMPONENTS.len());
    }

    #[test]
    fn a_typo_in_a_profile_is_refused_with_its_file_and_place() {
        let (file, text) = COMPONENTS[0];
        for (right, wrong) in [("  prefix: CONNECT_", "  prefx: CONNECT_"), ("inherits: bootstrap", "inherits: bootstraps")] {
            let broken = text.replacen(right, wrong, 1);
            assert_ne!(broken, text);
            let error = Catalogue::read([(file, broken.as_str())].into_iter(), KAFKA).expect_err("accepted a typo");
            assert!(error.starts_with(file) && error.contains("line"), "{error}");
        }
    }

    #[test]
    fn what_a_profile_refers_to_exists() {
        let catalogue = Catalogue::builtin().expect("profiles");
        for component in catalogue.components() {
            let clients: BTreeSet<&str> = component.clients.iter().map(|client| client.name.as_str()).collect();
            let registries: BTreeSet<&str> = component.registries.iter().map(|registry| registry.name.as_str()).collect();
            for acl in &component.acls {
                assert!(clients.contains(acl.client.as_str()), "{}: no client {}", component.name, acl.client);
                assert!(!acl.why.is_empty() && !acl.source.is_empty());
            }
            for key in &component.secret.keys {
                assert!(key.variable.starts_with(&component.environment.prefix), "{}", key.variable);
                match &key.from {
                    KeySource::Jaas(client) => assert!(clients.contains(client.as_str()), "{}: no client {client}", key.variable),
                    KeySource::UserInfo(name) => {
                        assert!(registries.contains(name.as_str()), "{}: no registry {name}", key.variable);
                    }
                }
            }
            for client in component.client_settings.keys() {
                assert!(clients.contains(client.as_str()), "{}: no client {client}", component.name);
            }
            assert!(component.image.repository.ends_with(&component.images[0]));
        }
    }
}
