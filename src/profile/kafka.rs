//! Facts about Kafka clients and kinds of cluster: `profiles/kafka.yaml`, typed.

use serde::Deserialize;

/// What every component shares.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaFacts {
    pub providers: Vec<Provider>,
    pub mechanisms: Vec<Mechanism>,
    /// Settings that every Java client knows.
    pub client_settings: Vec<String>,
    /// Settings whose value is a credential.
    pub secret_settings: Vec<String>,
}

impl KafkaFacts {
    pub fn provider(&self, name: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.name == name)
    }

    /// A mechanism by its name; Kafka compares the names letter by letter.
    pub fn mechanism(&self, name: &str) -> Option<&Mechanism> {
        self.mechanisms.iter().find(|mechanism| mechanism.name == name)
    }
}

/// A kind of cluster.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    pub name: String,
    pub title: String,
    /// The only replication factor that the provider takes.
    pub replication_factor: Option<u16>,
    /// What it listens on; empty where any port may carry any protocol.
    pub listeners: Vec<Listener>,
    /// How its brokers' names end.
    pub suffix: Option<String>,
}

impl Provider {
    /// Whether another kind of cluster has brokers' names that end alike.
    pub fn shares_suffix(&self, facts: &KafkaFacts) -> bool {
        facts.providers.iter().any(|other| other.name != self.name && other.suffix.is_some() && other.suffix == self.suffix)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub ports: Vec<u16>,
    pub protocol: String,
    pub mechanisms: Vec<String>,
}

/// A SASL mechanism and its Java login module.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mechanism {
    pub name: String,
    pub module: String,
    pub credentials: Credentials,
    /// Brokers refuse a user name with other letters.
    #[serde(default)]
    pub ascii_username: bool,
}

/// What a login is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credentials {
    UsernamePassword,
    /// The task's own role.
    None,
    /// Something that we don't compose: a token endpoint, a keytab.
    Other,
}
