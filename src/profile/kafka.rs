//! Facts about Kafka clients and kinds of cluster: `profiles/kafka.yaml`, typed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::versions::SettingRange;

/// What every component shares.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KafkaFacts {
    pub providers: Vec<Provider>,
    pub mechanisms: Vec<Mechanism>,
    /// What the client of AWS Glue's registry needs and no image has.
    pub glue: Lack,
    /// Client settings that only some lines of Confluent Platform know.
    pub client_versions: Vec<SettingRange>,
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
    /// How the names end of those that only a private network reaches.
    #[serde(default)]
    pub private_suffixes: Vec<String>,
    /// How clients may log in, the usual way first; empty where `init` writes no project for it.
    #[serde(default)]
    pub logins: Vec<LoginKind>,
}

/// A protocol with what goes with it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginKind {
    pub protocol: String,
    /// The usual one first.
    #[serde(default)]
    pub mechanisms: Vec<String>,
    #[serde(default)]
    pub client_certificate: ClientCertificate,
}

/// Whether a client shows a certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientCertificate {
    #[default]
    Never,
    Optional,
    Always,
}

impl Provider {
    /// The way to log in that has this protocol, written as Kafka writes it or as a flag; the usual one when none is named.
    pub fn login(&self, protocol: Option<&str>) -> Option<&LoginKind> {
        let Some(wanted) = protocol else { return self.logins.first() };
        let wanted = wanted.replace('-', "_");
        self.logins.iter().find(|login| login.protocol.eq_ignore_ascii_case(&wanted))
    }

    /// Whether another kind of cluster has brokers' names that end alike.
    pub fn shares_suffix(&self, facts: &KafkaFacts) -> bool {
        facts.providers.iter().any(|other| other.name != self.name && other.suffix.is_some() && other.suffix == self.suffix)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    pub ports: Vec<u16>,
    /// Further ports, told apart by a label in the broker's name.
    pub labelled: Option<LabelledPorts>,
    pub protocol: String,
    pub mechanisms: Vec<String>,
}

/// `b-1.scram.….amazonaws.com:14001`: the port counts the brokers, the label says what is behind it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LabelledPorts {
    pub label: String,
    pub first: u16,
    pub last: u16,
}

impl Listener {
    /// Whether this listener is at the address.
    pub fn is_at(&self, host: &str, port: u16) -> bool {
        self.ports.contains(&port)
            || self.labelled.as_ref().is_some_and(|labelled| {
                (labelled.first..=labelled.last).contains(&port) && host.split('.').nth(1) == Some(labelled.label.as_str())
            })
    }
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
    /// Settings that each client needs beside the login.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// What Confluent's images don't have and this needs.
    pub lacks: Option<Lack>,
    /// The option of the JVM that names the addresses which it may call.
    pub allowed_urls: Option<AllowedUrls>,
}

/// An address in a setting that the JVM must be told of, or no client calls it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowedUrls {
    /// The setting with the address.
    pub of: String,
    pub option: String,
    /// The first line that asks for it.
    pub since: String,
}

/// A jar that an image needs and doesn't have, and the way to it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lack {
    pub what: String,
    /// Its coordinates, as x-confluent.plugins takes them.
    pub maven: String,
    /// Of the jar; none where nobody has looked at it yet.
    pub sha256: Option<String>,
    pub source: String,
}

/// What a login is made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Credentials {
    UsernamePassword,
    /// An OAuth client's id and secret, for which a token endpoint gives tokens.
    ClientCredentials,
    /// The task's own role.
    None,
    /// Something that we don't compose: a keytab.
    Other,
}
