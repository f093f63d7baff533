//! What we know of Confluent's components, as data. Comes in: `profiles/*.yaml`, embedded. Goes out: a typed [`Catalogue`].
//!
//! Rules: a profile holds facts and no user's values; every type here refuses a key that it doesn't know, so that a typo
//! in a profile fails a test; a new component is a new file and one line in [`COMPONENTS`]. A project may bring files of its own
//! ([`Catalogue::with_own`]), which are no less checked.

mod check;
mod component;
mod kafka;
mod own;
mod rights;
mod versions;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::base::{Failure, Result};

pub use component::{
    Client, Component, Condition, ConnectorRights, DefaultValue, Defaults, Deployment, EnvironmentRule, Health, Heap, Image,
    Inherits, KeySource, Link, Named, Note, OlderHealth, Prefix, Refused, Registry, RegistryChoice, Required, SecretKey,
    SecretShape, Sizing, Spot, Start, ValueFacts,
};
pub use kafka::{
    AllowedUrls, ClientCertificate, Credentials, KafkaFacts, LabelledPorts, Lack, Listener, LoginKind, Mechanism, Provider,
};
pub use rights::{Acl, Creates, Level, Members, Number, Operation, Pattern, Proof, Resource, When};
pub use versions::{ClusterRule, PlatformRange, SettingRange, Versions};

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
    /// The texts of those that aren't built in, by their names.
    own: BTreeMap<String, String>,
    kafka: KafkaFacts,
}

impl Catalogue {
    /// The built-in knowledge. It fails only when a built-in profile is malformed, which a test rules out.
    pub fn builtin() -> Result<&'static Catalogue> {
        BUILTIN.as_ref().map_err(|cause| Failure::fault("a built-in profile is malformed").cause(cause).into())
    }

    /// The text of a profile, as it is written.
    pub fn text(&self, name: &str) -> Option<&str> {
        let is_named =
            |text: &str| text.lines().any(|line| line.strip_prefix("name: ").is_some_and(|found| found.trim() == name));
        let builtin = || COMPONENTS.iter().map(|(_, text)| *text).find(|text| is_named(text));
        self.own.get(name).map(String::as_str).or_else(builtin)
    }

    /// The text of a profile that is the project's own.
    pub fn own_text(&self, name: &str) -> Option<&str> {
        self.own.get(name).map(String::as_str)
    }

    fn read<'a>(components: impl Iterator<Item = (&'a str, &'a str)>, kafka: (&str, &str)) -> std::result::Result<Self, String> {
        let components = components
            .map(|(file, text)| serde_yaml::from_str(text).map_err(|error| format!("{file}: {error}")))
            .collect::<std::result::Result<_, _>>()?;
        let facts = serde_yaml::from_str(kafka.1).map_err(|error| format!("{}: {error}", kafka.0))?;
        Ok(Self { components, own: BTreeMap::new(), kafka: facts })
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
    use super::{COMPONENTS, Catalogue, KAFKA, check};

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
        let troubles = catalogue.components().iter().flat_map(|component| check::troubles(component, catalogue));
        assert_eq!(troubles.map(|trouble| trouble.message).collect::<Vec<_>>(), Vec::<String>::new());
    }
}
