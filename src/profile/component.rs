//! One component: `profiles/<name>.yaml`, typed.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A component of Confluent Platform, as its image runs it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub name: String,
    pub title: String,
    /// Last path segments of the repositories that hold it.
    pub images: Vec<String>,
    /// The image that `init` writes.
    pub image: Image,
    pub environment: EnvironmentRule,
    pub start: Start,
    pub health: Health,
    pub clients: Vec<Client>,
    pub registries: Vec<Registry>,
    pub secret: SecretShape,
    pub acls: Vec<Acl>,
    /// What `init` sets in every project.
    pub defaults: Vec<Defaults>,
    /// Properties that hold the replication factor of an internal topic.
    pub replication_factors: Vec<String>,
    pub sizing: Sizing,
    pub deployment: Deployment,
    /// The component's own settings.
    pub settings: Vec<String>,
    /// Settings that only one client's prefix takes, by client.
    pub client_settings: BTreeMap<String, Vec<String>>,
}

impl Component {
    pub fn client(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.name == name)
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    pub repository: String,
    pub tag: String,
    /// Where it was seen that this tag is a release.
    pub source: String,
}

/// How the start script reads the environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRule {
    /// Variables with this prefix become properties.
    pub prefix: String,
    /// First line (`major.minor`) whose images use the newer tool for names.
    pub newer_tool_since: String,
    /// Variables that the older tool leaves out.
    pub older_tool_excludes: Vec<String>,
    /// What the image sets where the service sets nothing.
    pub image: BTreeMap<String, String>,
    pub required: Vec<Required>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Required {
    pub variable: String,
    pub when: Option<Condition>,
    /// The command that we generate sets it.
    #[serde(default)]
    pub advertised: bool,
}

/// Holds when a property has one of these values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    pub property: String,
    pub is: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The image's own command.
    pub command: String,
    /// The port it listens on unless it is told otherwise.
    pub port: u16,
    /// The variable with the address that it tells the others.
    pub advertised_host: String,
    /// The numeric user it runs as.
    pub user: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    pub path: String,
    /// First line (`major.minor`) that has `path` …
    pub since: String,
    /// … and what earlier ones answer on.
    pub before: String,
    pub interval_seconds: u32,
    pub timeout_seconds: u32,
    pub retries: u32,
    pub start_period_seconds: u32,
}

/// A Kafka client inside the component.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    pub name: String,
    /// Prefix of its properties; empty for the component's own.
    pub prefix: String,
    pub inherits: Inherits,
    /// It has to be able to log in for the component to do its work.
    pub required: bool,
    pub why: String,
}

/// What a client takes from the settings without a prefix when its own prefix doesn't set it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Inherits {
    Nothing,
    /// `bootstrap.servers` alone.
    Bootstrap,
    /// Every setting that has no client's prefix.
    Everything,
}

/// A client of a schema registry inside the component.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    pub name: String,
    pub prefix: String,
    /// The property with the registry's URL.
    pub url: String,
    /// The properties that may hold `user:password`, the present spelling first.
    pub user_info: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretShape {
    pub keys: Vec<SecretKey>,
}

/// A key of the stored secret. The key has the name of the variable that takes its value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretKey {
    pub variable: String,
    #[serde(with = "serde_yaml::with::singleton_map")]
    pub from: KeySource,
}

/// How a key's value is composed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeySource {
    /// A complete `sasl.jaas.config` for this client.
    Jaas(String),
    /// `user:password` for this registry.
    UserInfo(String),
}

/// Variables that belong together, and why they have these values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    pub why: String,
    pub variables: Vec<DefaultValue>,
}

/// A variable and its value; `{name}` in it is the project and the environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultValue {
    pub name: String,
    pub value: String,
}

/// A right that a client needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acl {
    pub client: String,
    pub resource: Resource,
    /// With properties in `{braces}`.
    pub name: String,
    #[serde(default)]
    pub pattern: Pattern,
    pub operations: Vec<Operation>,
    #[serde(default, deserialize_with = "when")]
    pub when: When,
    #[serde(default)]
    pub level: Level,
    /// What goes wrong without it.
    pub why: String,
    pub source: String,
    pub proof: Proof,
    /// How the component creates the object, for a topic that is created when it is missing.
    pub creates: Option<Creates>,
}

/// The topic that a component creates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creates {
    pub replication_factor: Number,
    pub partitions: Number,
}

/// A number that a property may set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    pub property: Option<String>,
    /// What the component takes when nobody sets it.
    pub default: i32,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What an ACL is about.
    Resource {
        Topic = "topic",
        Group = "group",
        TransactionalId = "transactional-id",
        Cluster = "cluster",
    }
}

words! {
    /// Kafka's operations that our components need.
    Operation {
        Read = "read",
        Write = "write",
        Create = "create",
        Delete = "delete",
        Describe = "describe",
        Alter = "alter",
        DescribeConfigs = "describe-configs",
        AlterConfigs = "alter-configs",
        IdempotentWrite = "idempotent-write",
    }
}

words! {
    /// How an ACL's name is matched.
    #[derive(Default)]
    Pattern {
        #[default]
        Literal = "literal",
        Prefixed = "prefixed",
    }
}

words! {
    /// What happens without the right: something fails, or something is quietly left out.
    #[derive(Default)]
    Level {
        #[default]
        Required = "required",
        Advised = "advised",
    }
}

words! {
    /// How the entry is known: a worker without the right was watched, or source code was read.
    Proof {
        WorkerTest = "worker-test",
        Source = "source",
        Unproven = "unproven",
    }
}

/// When a right is needed.
#[derive(Debug, Clone, Default)]
pub enum When {
    #[default]
    Always,
    /// Only while the object doesn't exist.
    Missing,
    /// Only with this setting.
    Setting(Condition),
}

fn when<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Word {
        Always,
        Missing,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Word(Word),
        Setting(Condition),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Word(Word::Always) => When::Always,
        Written::Word(Word::Missing) => When::Missing,
        Written::Setting(condition) => When::Setting(condition),
    })
}

/// What `init` starts with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizing {
    pub cpu: f64,
    /// As Compose writes sizes.
    pub memory: String,
    pub replicas: u32,
    pub heap: Heap,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heap {
    pub variable: String,
    pub percent_of_memory: u8,
}

/// How ECS should replace its tasks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    pub minimum_percent: u16,
    pub maximum_percent: u16,
    pub stop_timeout_seconds: u32,
    /// How long a load balancer's verdict is ignored after a start.
    pub grace_period_seconds: u32,
    pub availability_zone_rebalancing: bool,
    pub spot: Spot,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    Allowed,
    Never,
}
