//! What we know of Confluent's components, as data. Comes in: `profiles/*.yaml`, embedded. Goes out: a typed [`Catalogue`].
//!
//! Rules: a profile holds facts and no user's values; every type here refuses a key that it doesn't know, so that a typo
//! in a profile fails a test; a new component is a new file and one line in [`COMPONENTS`].

mod component;
mod kafka;
mod rights;

use std::sync::LazyLock;

use crate::base::{Failure, Result};

pub use component::{
    Client, Component, Condition, ConnectorRights, DefaultValue, Defaults, Deployment, EnvironmentRule, Health, Heap, Image,
    Inherits, KeySource, Link, Named, Note, OlderHealth, Prefix, Refused, Registry, RegistryChoice, Required, SecretKey,
    SecretShape, Sizing, Spot, Start,
};
pub use kafka::{ClientCertificate, Credentials, KafkaFacts, LabelledPorts, Lack, Listener, LoginKind, Mechanism, Provider};
pub use rights::{Acl, Creates, Level, Members, Number, Operation, Pattern, Proof, Resource, When};

/// The embedded profiles: file name, for messages, and text.
const COMPONENTS: &[(&str, &str)] = &[
    ("profiles/connect.yaml", include_str!("../../profiles/connect.yaml")),
    ("profiles/schema-registry.yaml", include_str!("../../profiles/schema-registry.yaml")),
    ("profiles/control-center.yaml", include_str!("../../profiles/control-center.yaml")),
    ("profiles/control-center-legacy.yaml", include_str!("../../profiles/control-center-legacy.yaml")),
];
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

    /// The text of a built-in profile, as it is written.
    pub fn builtin_text(name: &str) -> Option<&'static str> {
        let is_named =
            |text: &str| text.lines().any(|line| line.strip_prefix("name: ").is_some_and(|found| found.trim() == name));
        COMPONENTS.iter().map(|(_, text)| *text).find(|text| is_named(text))
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
        for (right, wrong) in [("  prefixes:", "  prefxes:"), ("inherits: bootstrap", "inherits: bootstraps")] {
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
            let connectors = component.connectors.source.iter().chain(&component.connectors.sink);
            for acl in component.acls.iter().chain(connectors) {
                assert!(clients.contains(acl.client.as_str()), "{}: no client {}", component.name, acl.client);
                assert!(!acl.why.is_empty() && !acl.source.is_empty());
            }
            for key in &component.secret.keys {
                let named = component.environment.named.iter().any(|named| named.variables.contains(&key.variable));
                let fits = component.environment.prefixes.iter().any(|prefix| key.variable.starts_with(&prefix.variable));
                assert!(named || fits, "{}: {} is no setting", component.name, key.variable);
                match &key.from {
                    KeySource::Jaas(client) | KeySource::Certificate(client) | KeySource::PrivateKey(client) => {
                        assert!(clients.contains(client.as_str()), "{}: no client {client}", key.variable);
                    }
                    KeySource::UserInfo(name) => {
                        assert!(registries.contains(name.as_str()), "{}: no registry {name}", key.variable);
                    }
                    KeySource::License => {}
                }
            }
            for link in &component.links {
                assert!(catalogue.component(&link.component).is_some(), "{}: no component {}", component.name, link.component);
            }
            assert!(component.image.known.contains(&component.image.tag), "{}: its own tag is not known", component.name);
            let notes = component.notes.iter().flat_map(|note| &note.kafka);
            for kind in component.defaults.iter().flat_map(|defaults| &defaults.kafka).chain(notes) {
                assert!(catalogue.kafka().provider(kind).is_some(), "{}: no kind of cluster {kind}", component.name);
            }
            for client in component.client_settings.keys() {
                assert!(clients.contains(client.as_str()), "{}: no client {client}", component.name);
            }
            assert!(component.image.repository.ends_with(&component.images[0]));
        }
    }
}
