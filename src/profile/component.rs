//! One component: `profiles/<name>.yaml`, typed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rights::Acl;
use super::versions::Versions;

/// A component of Confluent Platform, as its image runs it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Component {
    pub name: String,
    pub title: String,
    /// What to know before one takes it, by kind of cluster: `init` says it.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Last path segments of the repositories that hold it.
    pub images: Vec<String>,
    /// The image that `init` writes.
    pub image: Image,
    #[serde(default)]
    pub versions: Versions,
    pub environment: EnvironmentRule,
    pub start: Start,
    pub health: Health,
    pub clients: Vec<Client>,
    #[serde(default)]
    pub registries: Vec<Registry>,
    /// Other components of the same project that it calls.
    #[serde(default)]
    pub links: Vec<Link>,
    pub secret: SecretShape,
    #[serde(default)]
    pub acls: Vec<Acl>,
    /// What connectors need beside, for who runs any.
    #[serde(default)]
    pub connectors: ConnectorRights,
    /// What properties are that nobody sets, for names that rights are on.
    #[serde(default)]
    pub property_defaults: BTreeMap<String, String>,
    /// What `init` sets.
    #[serde(default)]
    pub defaults: Vec<Defaults>,
    /// Properties that hold the replication factor of an internal topic.
    #[serde(default)]
    pub replication_factors: Vec<String>,
    pub sizing: Sizing,
    pub deployment: Deployment,
    /// The component's own settings.
    #[serde(default)]
    pub settings: Vec<String>,
    /// What it checks of their values as it starts.
    #[serde(default)]
    pub values: Vec<ValueFacts>,
    /// Settings that only one client's prefix takes, by client.
    #[serde(default)]
    pub client_settings: BTreeMap<String, Vec<String>>,
}

impl Component {
    /// Whether it runs connectors, which have rights of their own.
    pub fn has_connectors(&self) -> bool {
        !self.connectors.source.is_empty() || !self.connectors.sink.is_empty()
    }

    pub fn client(&self, name: &str) -> Option<&Client> {
        self.clients.iter().find(|client| client.name == name)
    }
}

impl Component {
    /// A profile's text, one that was looked through before.
    pub fn parse(text: &str) -> Result<Self, String> {
        serde_yaml::from_str(text).map_err(|error| error.to_string())
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    pub repository: String,
    pub tag: String,
    /// Where it was seen that this tag is a release.
    pub source: String,
    /// The newest release seen of each line, the oldest line first.
    pub known: Vec<String>,
}

/// Something to know before one takes a component.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The kinds of cluster that it is about; all when none is named.
    #[serde(default)]
    pub kafka: Vec<String>,
    pub text: String,
}

/// How the start script reads the environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentRule {
    /// Variables with one of these prefixes become properties; of two that fit, the longer one counts. The first is the component's own.
    pub prefixes: Vec<Prefix>,
    /// Properties that have variables of their own, whatever their prefix.
    #[serde(default)]
    pub named: Vec<Named>,
    /// First line (`major.minor`) whose images use the newer tool for names.
    pub newer_tool_since: String,
    /// Variables that the older tool leaves out.
    #[serde(default)]
    pub older_tool_excludes: Vec<String>,
    /// What the image sets where the service sets nothing.
    #[serde(default)]
    pub image: BTreeMap<String, String>,
    pub required: Vec<Required>,
    /// Variables with which the start script ends at once.
    #[serde(default)]
    pub refused: Vec<Refused>,
}

/// `CONNECT_` → nothing, `CONTROL_CENTER_` → `confluent.controlcenter.`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefix {
    pub variable: String,
    #[serde(default)]
    pub property: String,
}

/// A property with variables of its own; of several that are set, the first counts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub property: String,
    pub variables: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    pub variable: String,
    pub instead: String,
}

/// A property whose value the component checks as it starts: one of these words, in any case, or a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueFacts {
    pub property: String,
    #[serde(default)]
    pub is: Vec<String>,
    /// The smallest number.
    pub least: Option<i64>,
    /// … and one beside.
    pub or: Option<i64>,
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
    /// The variable with the address that it tells the others of its group; none where tasks don't call each other.
    pub advertised_host: Option<String>,
    /// What its tasks do with each other's addresses, for comments.
    pub why_address: Option<String>,
    /// The variable with further options of the JVM.
    pub jvm_options: String,
    /// The folder whose jars it loads beside its own.
    pub jars: String,
    /// The variable whose class path takes the place of that folder, where one does.
    pub jars_variable: Option<String>,
    /// Where it looks for plugins; none where it has none.
    pub plugins: Option<PluginPath>,
    /// The numeric user it runs as.
    pub user: u32,
}

/// Folders with one plugin each.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginPath {
    pub folder: String,
    /// The variable that takes the place of the image's own list.
    pub variable: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Health {
    pub path: String,
    /// What earlier lines answer on.
    pub older: Option<OlderHealth>,
    pub interval_seconds: u32,
    pub timeout_seconds: u32,
    pub retries: u32,
    pub start_period_seconds: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OlderHealth {
    /// The first line (`major.minor`) that has the present path.
    pub until: String,
    pub path: String,
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
    /// The property that says where the login comes from: `USER_INFO`.
    pub credentials_source: String,
    /// What keeps its schemas in it, where that is chosen.
    pub used_by: Option<Condition>,
    /// What `init` sets for it; without this it leaves the client alone.
    pub init: Option<RegistryChoice>,
}

/// The properties that `init` sets for a client of a registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistryChoice {
    pub why: String,
    /// Beside the URL of a registry with Confluent's interface.
    #[serde(default)]
    pub confluent: BTreeMap<String, String>,
    /// For AWS Glue, with `{region}` and `{registry}`; none where the component can't use it.
    pub glue: Option<BTreeMap<String, String>>,
}

/// A component of the same project that this one calls.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub component: String,
    /// The property that takes its address.
    pub property: String,
    pub why: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SecretShape {
    pub keys: Vec<SecretKey>,
    /// Names that the image reads nothing from and scripts of people's own may, as Confluent's examples have them: for a secret that is
    /// injected whole.
    #[serde(default)]
    pub of_scripts: Vec<SecretKey>,
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
    /// The certificate chain that this client shows, PEM on one line.
    Certificate(String),
    /// The private key of that certificate, PEM on one line.
    PrivateKey(String),
    /// `user:password` for this registry.
    UserInfo(String),
    /// The address of this registry.
    RegistryUrl(String),
    /// The licence, as Confluent gave it.
    License,
}

/// What connectors need, by their kind: a source writes topics, a sink reads them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectorRights {
    #[serde(default)]
    pub source: Vec<Acl>,
    #[serde(default)]
    pub sink: Vec<Acl>,
}

/// Variables that belong together, and why they have these values.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    pub why: String,
    /// The kinds of cluster that it is for; all when none is named. What is for some stands in the environment's file.
    #[serde(default)]
    pub kafka: Vec<String>,
    pub variables: Vec<DefaultValue>,
}

/// A variable and its value; `{name}` in it is the project and the environment.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DefaultValue {
    pub name: String,
    pub value: String,
}

/// What `init` starts with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sizing {
    /// Why so many tasks, and of this size.
    pub why: String,
    pub cpu: f64,
    /// As Compose writes sizes.
    pub memory: String,
    pub replicas: u32,
    /// Gibibytes of the task's own disk, where the 20 that it always has aren't enough.
    pub storage: Option<u32>,
    pub heap: Heap,
}

impl Sizing {
    /// The memory: whole gibibytes or mebibytes, as `2G` or `512M`.
    pub fn mebibytes(&self) -> Option<u64> {
        let (number, unit) = self.memory.split_at_checked(self.memory.len().checked_sub(1)?)?;
        let number: u64 = number.parse().ok()?;
        match unit {
            "G" => number.checked_mul(1024),
            "M" => Some(number),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heap {
    pub variable: String,
    pub percent_of_memory: u8,
    /// What the rest of the memory is for.
    pub why: String,
}

/// How ECS should replace its tasks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    pub minimum_percent: u16,
    pub maximum_percent: u16,
    pub stop_timeout_seconds: u32,
    /// What it does in that time.
    pub why_stop: String,
    /// How long a load balancer's verdict is ignored after a start.
    pub grace_period_seconds: u32,
    pub availability_zone_rebalancing: bool,
    pub spot: Spot,
    /// Variables that a task on Fargate needs, where nobody sets them.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spot {
    Allowed,
    Never,
}
