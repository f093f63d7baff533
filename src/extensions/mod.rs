//! The x- vocabulary, typed: the names and shapes of ECS Compose-X, those of 2020 and the present ones, and our own.
//!
//! Comes in: the merged project. Goes out: [`Extensions`] and findings. Rules: both spellings mean the same and neither is
//! ignored; an unknown key inside the vocabulary is an error with the nearest known one; an x- key that is none of it is a
//! warning, or an error where it is near to one that is, for it may hold an anchor. Nothing is decided here.

mod account;
mod alarm;
mod balancer;
mod condition;
mod confluent;
mod connect;
mod exec_logging;
mod ingress;
mod listener;
mod metric;
mod overlay;
mod plugin;
mod policy;
mod reader;
mod scaling;
mod schedule;
mod secret;
mod service;
mod target;
mod top;
mod values;
mod volume;
mod vpc;

use std::collections::BTreeMap;

use crate::base::{Code, Finding, Findings, nearest};
use crate::compose::{Map, Node, Project, Value};

pub use account::{Certificate, HostedZone, NewTopic, Topic, TopicUser};
pub use alarm::{Alarm, AlarmKind, PredefinedAlarm, ScaledByAlarm, ScalingStep, TopicRef, TopicUse};
pub use balancer::{Alias, Balancer};
pub use condition::Conditions;
pub use confluent::{Confluent, Connector, SINK, SOURCE};
pub use connect::{Connect, Offer};
pub use exec_logging::ExecLogging;
pub use ingress::{AwsSource, Block, Ingress, ServiceSource};
pub use listener::{CertificateSource, IdentityProvider, Listener, ListenerTarget, Login, Reply};
pub use overlay::OverlayResource;
pub use plugin::{Plugin, PluginInto, PluginSource, maven_url};
pub use reader::Placed;
pub use scaling::{Scaling, ScheduledAction};
pub(crate) use secret::is_variable;
pub use secret::{JsonKey, SecretExtension};
pub use service::{CapacityProvider, CloudMap, Ecs, Iam, Network, ServiceExtensions};
pub use target::{HealthCheck, Member, Target};
pub use top::{Cluster, Kafka, Namespace, NewCluster, PROVIDERS, Wanted};
pub use volume::Efs;
pub use vpc::{Dhcp, Nat, NewVpc, Vpc};

use reader::{Item, Reader};

/// Everything that the files say beyond Compose.
#[derive(Debug, Clone, Default)]
pub struct Extensions {
    pub vpc: Option<Vpc>,
    pub cluster: Option<Cluster>,
    /// By the key that services name them with.
    pub namespaces: BTreeMap<String, Namespace>,
    pub balancers: BTreeMap<String, Balancer>,
    pub certificates: BTreeMap<String, Certificate>,
    pub zones: BTreeMap<String, HostedZone>,
    pub topics: BTreeMap<String, Topic>,
    /// Who publishes to a topic, by its key.
    pub publishers: BTreeMap<String, Vec<TopicUser>>,
    pub alarms: BTreeMap<String, Alarm>,
    pub tags: Vec<(String, Placed<String>)>,
    pub kafka: Option<Kafka>,
    /// One for each service that runs.
    pub services: BTreeMap<String, ServiceExtensions>,
    pub secrets: BTreeMap<String, SecretExtension>,
    /// `volumes.*.x-efs`.
    pub file_systems: BTreeMap<String, Efs>,
    /// `Resources`, in the order of the files.
    pub overlay: Vec<OverlayResource>,
    /// `networks.*.x-vpc`: the usage of the subnets that stand for a network.
    pub networks: BTreeMap<String, Placed<String>>,
    /// The namespace was written in the form of 2020, in which every service is registered.
    pub registers_all: bool,
}

const TOP: [&str; 11] =
    ["x-vpc", "x-cluster", "x-elbv2", "x-cloudmap", "x-dns", "x-tags", "x-kafka", "x-acm", "x-route53", "x-sns", "x-alarms"];
const SERVICE: [&str; 7] = ["x-scaling", "x-network", "x-ecs", "x-iam", "x-logging", "x-alarms", "x-confluent"];

/// Reads the vocabulary of a project.
pub fn read(project: &Project) -> (Extensions, Findings) {
    let mut reader = Reader::new(project);
    let mut extensions = Extensions::default();
    for (key, node) in known(&mut reader, &project.extensions, "", &TOP) {
        let item = Item::new(node, key);
        match key {
            "x-vpc" => extensions.vpc = reader.vpc(&item),
            "x-cluster" => extensions.cluster = reader.cluster(&item),
            "x-cloudmap" => extensions.namespaces.extend(reader.cloudmap(&item)),
            "x-dns" => {
                extensions.registers_all = true;
                let (namespace, zone) = reader.dns(&item);
                extensions.namespaces.extend(namespace.map(|namespace| ("PrivateNamespace".to_owned(), namespace)));
                extensions.zones.extend(zone.map(|zone| ("PublicZone".to_owned(), zone)));
            }
            "x-tags" => extensions.tags = reader.tags(&item),
            "x-kafka" => extensions.kafka = reader.kafka(&item),
            "x-elbv2" => extensions.balancers = each(&mut reader, &item, Reader::balancer),
            "x-acm" => extensions.certificates = each(&mut reader, &item, Reader::certificate),
            "x-route53" => extensions.zones.extend(each(&mut reader, &item, Reader::hosted_zone)),
            "x-sns" => {
                for (name, (topic, users)) in reader.sns_topics(&item) {
                    extensions.topics.insert(name.clone(), topic);
                    extensions.publishers.insert(name, users);
                }
            }
            "x-alarms" => extensions.alarms = each(&mut reader, &item, Reader::alarm),
            _ => {}
        }
    }
    if let Some(node) = project.resources.as_ref().filter(|node| !node.is_null()) {
        extensions.overlay = reader.overlay(&Item::new(node, "Resources"));
    }
    for (name, service) in &project.services {
        let path = format!("services.{name}");
        let mut read = ServiceExtensions::default();
        for (key, node) in known(&mut reader, &service.extensions, &path, &SERVICE) {
            let item = Item::new(node, format!("{path}.{key}"));
            match key {
                "x-scaling" => read.scaling = reader.scaling(&item),
                "x-network" => read.network = reader.network(&item),
                "x-ecs" => read.ecs = reader.ecs(&item),
                "x-iam" => read.iam = reader.iam(&item),
                "x-logging" => read.retention = reader.retention(&item),
                "x-alarms" => read.alarms = reader.predefined_alarms(&item),
                "x-confluent" => read.confluent = reader.confluent(&item),
                _ => {}
            }
        }
        extensions.services.insert(name.clone(), read);
    }
    for (name, secret) in &project.secrets {
        let path = format!("secrets.{name}");
        for (key, node) in known(&mut reader, &secret.extensions, &path, &["x-secrets"]) {
            let read = reader.secret(&Item::new(node, format!("{path}.{key}")));
            extensions.secrets.extend(read.map(|secret| (name.clone(), secret)));
        }
    }
    for (name, network) in &project.networks {
        let path = format!("networks.{name}");
        for (key, node) in known(&mut reader, &network.extensions, &path, &["x-vpc"]) {
            let read = reader.word(&Item::new(node, format!("{path}.{key}")));
            extensions.networks.extend(read.map(|usage| (name.clone(), usage)));
        }
    }
    for (name, volume) in &project.volumes {
        let path = format!("volumes.{name}");
        for (key, node) in known(&mut reader, &volume.extensions, &path, &["x-efs"]) {
            let read = reader.efs(&Item::new(node, format!("{path}.{key}")));
            extensions.file_systems.extend(read.map(|efs| (name.clone(), efs)));
        }
    }
    (extensions, reader.findings)
}

/// A mapping of named things of one kind; `x-` keys in it hold anchors.
fn each<'p, T>(
    reader: &mut Reader<'p>,
    item: &Item<'_>,
    read: impl Fn(&mut Reader<'p>, &Item<'_>) -> Option<T>,
) -> BTreeMap<String, T> {
    let entries = reader.entries(item).unwrap_or_default().into_iter();
    let named = entries.filter(|(name, _)| !name.starts_with("x-"));
    named.filter_map(|(name, value)| Some((name.to_owned(), read(reader, &value)?))).collect()
}

/// The keys of a spot that the vocabulary knows, with findings for the others.
fn known<'n>(reader: &mut Reader<'_>, map: &'n Map, path: &str, keys: &[&'static str]) -> Vec<(&'static str, &'n Node)> {
    let mut found = Vec::new();
    for (key, node) in map.iter().filter(|(_, node)| !node.is_null()) {
        if let Some(name) = keys.iter().find(|name| **name == &*key.text) {
            found.push((*name, node));
            continue;
        }
        let text = &key.text;
        let near = if elsewhere(text).is_some() { None } else { nearest(text, keys.iter().copied()) };
        let message = format!("{text} has no meaning here");
        let finding = if let Some(near) = near {
            Finding::error(Code::UNKNOWN_EXTENSION, format!("unknown key {text}")).help(format!("did you mean {near}?"))
        } else {
            match elsewhere(text) {
                // At the top, a name of a service's keys may hold an anchor for them.
                Some(there) if path.is_empty() => Finding::warning(Code::UNKNOWN_EXTENSION, message)
                    .help(format!("it belongs {there}; if it only holds an anchor, ignore this")),
                Some(there) => Finding::error(Code::UNKNOWN_EXTENSION, message).help(format!("it belongs {there}")),
                None => Finding::warning(Code::UNKNOWN_EXTENSION, message)
                    .help(format!("known here: {}; if it only holds an anchor, ignore this", keys.join(", "))),
            }
        };
        let path = if path.is_empty() { text.to_string() } else { format!("{path}.{text}") };
        reader.findings.push(finding.at(reader.project.place_at(key.span)).path(path));
    }
    found
}

/// Where a key of the vocabulary belongs.
fn elsewhere(key: &str) -> Option<&'static str> {
    match key {
        _ if TOP.contains(&key) => Some("at the top of the file"),
        _ if SERVICE.contains(&key) => Some("on a service"),
        "x-secrets" => Some("on an entry of secrets"),
        "x-efs" => Some("on an entry of volumes"),
        "x-ecs_connect" => Some("below x-network of a service"),
        _ => None,
    }
}

/// A tree as JSON, for what is handed on as it was written.
fn json(node: &Node) -> serde_json::Value {
    match &node.value {
        Value::Null | Value::Invalid => serde_json::Value::Null,
        Value::Bool(value, _) => (*value).into(),
        Value::Int(value, _) => (*value).into(),
        Value::Uint(value, _) => (*value).into(),
        Value::Float(value, _) => (*value).into(),
        Value::Time(_) => node.written().unwrap_or_default().into(),
        Value::Str(text) => text.clone().into(),
        Value::Seq(items) => items.iter().map(json).collect(),
        Value::Map(map) => map.iter().map(|(key, node)| (key.text.to_string(), json(node))).collect(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
