//! The x- vocabulary, typed: the names and shapes of ECS Compose-X, those of 2020 and the present ones, and our own.
//!
//! Comes in: the merged project. Goes out: [`Extensions`] and findings. Rules: both spellings mean the same and neither is
//! ignored; an unknown key inside the vocabulary is an error with the nearest known one; an x- key that is none of it is a
//! warning, or an error where it is near to one that is, for it may hold an anchor. Nothing is decided here.

mod balancer;
mod confluent;
mod ingress;
mod reader;
mod secret;
mod service;
mod top;

use std::collections::BTreeMap;

use crate::base::{Code, Finding, Findings, nearest};
use crate::compose::{Map, Node, Project, Value};

pub use balancer::{Balancer, HealthCheck, Listener, Target};
pub use confluent::{Confluent, Connector, SINK, SOURCE};
pub use ingress::{AwsSource, Block, Ingress, ServiceSource};
pub use reader::Placed;
pub use secret::{JsonKey, SecretExtension};
pub use service::{CapacityProvider, CloudMap, Ecs, Iam, Network, Scaling, ScheduledAction, ServiceExtensions};
pub use top::{Kafka, Namespace, PROVIDERS, Vpc, Wanted};

use reader::{Item, Reader};

/// Everything that the files say beyond Compose.
#[derive(Debug, Clone, Default)]
pub struct Extensions {
    pub vpc: Option<Vpc>,
    pub cluster: Option<Placed<String>>,
    /// By the key that services name them with.
    pub namespaces: BTreeMap<String, Namespace>,
    pub balancers: BTreeMap<String, Balancer>,
    pub tags: Vec<(String, Placed<String>)>,
    pub kafka: Option<Kafka>,
    /// One for each service that runs.
    pub services: BTreeMap<String, ServiceExtensions>,
    pub secrets: BTreeMap<String, SecretExtension>,
    /// `networks.*.x-vpc`: the usage of the subnets that stand for a network.
    pub networks: BTreeMap<String, Placed<String>>,
    /// The namespace was written in the form of 2020, in which every service is registered.
    pub registers_all: bool,
}

const TOP: [&str; 7] = ["x-vpc", "x-cluster", "x-elbv2", "x-cloudmap", "x-dns", "x-tags", "x-kafka"];
/// Of the vocabulary, and not rendered yet.
const TOP_LATER: [&str; 2] = ["x-sns", "x-alarms"];
const SERVICE: [&str; 6] = ["x-scaling", "x-network", "x-ecs", "x-iam", "x-logging", "x-confluent"];
const SERVICE_LATER: [&str; 1] = ["x-alarms"];

/// Reads the vocabulary of a project.
pub fn read(project: &Project) -> (Extensions, Findings) {
    let mut reader = Reader::new(project);
    let mut extensions = Extensions::default();
    for (key, node) in known(&mut reader, &project.extensions, "", &TOP, &TOP_LATER) {
        let item = Item::new(node, key);
        match key {
            "x-vpc" => extensions.vpc = reader.vpc(&item),
            "x-cluster" => extensions.cluster = reader.cluster(&item),
            "x-cloudmap" => extensions.namespaces.extend(reader.cloudmap(&item)),
            "x-dns" => {
                extensions.registers_all = true;
                extensions.namespaces.extend(reader.dns(&item));
            }
            "x-tags" => extensions.tags = reader.tags(&item),
            "x-kafka" => extensions.kafka = reader.kafka(&item),
            "x-elbv2" => {
                for (name, value) in reader.entries(&item).unwrap_or_default() {
                    extensions.balancers.extend(reader.balancer(&value).map(|balancer| (name.to_owned(), balancer)));
                }
            }
            _ => {}
        }
    }
    for (name, service) in &project.services {
        let path = format!("services.{name}");
        let mut read = ServiceExtensions::default();
        for (key, node) in known(&mut reader, &service.extensions, &path, &SERVICE, &SERVICE_LATER) {
            let item = Item::new(node, format!("{path}.{key}"));
            match key {
                "x-scaling" => read.scaling = reader.scaling(&item),
                "x-network" => read.network = reader.network(&item),
                "x-ecs" => read.ecs = reader.ecs(&item),
                "x-iam" => read.iam = reader.iam(&item),
                "x-logging" => read.retention = reader.retention(&item),
                "x-confluent" => read.confluent = reader.confluent(&item),
                _ => {}
            }
        }
        extensions.services.insert(name.clone(), read);
    }
    for (name, secret) in &project.secrets {
        let path = format!("secrets.{name}");
        for (key, node) in known(&mut reader, &secret.extensions, &path, &["x-secrets"], &[]) {
            let read = reader.secret(&Item::new(node, format!("{path}.{key}")));
            extensions.secrets.extend(read.map(|secret| (name.clone(), secret)));
        }
    }
    for (name, network) in &project.networks {
        let path = format!("networks.{name}");
        for (key, node) in known(&mut reader, &network.extensions, &path, &["x-vpc"], &[]) {
            let read = reader.word(&Item::new(node, format!("{path}.{key}")));
            extensions.networks.extend(read.map(|usage| (name.clone(), usage)));
        }
    }
    (extensions, reader.findings)
}

/// The keys of a spot that the vocabulary knows, with findings for the others.
fn known<'n>(
    reader: &mut Reader<'_>,
    map: &'n Map,
    path: &str,
    keys: &[&'static str],
    later: &[&'static str],
) -> Vec<(&'static str, &'n Node)> {
    let mut found = Vec::new();
    for (key, node) in map.iter().filter(|(_, node)| !node.is_null()) {
        if let Some(name) = keys.iter().find(|name| **name == &*key.text) {
            found.push((*name, node));
            continue;
        }
        let text = &key.text;
        let (severity, message, help): (fn(Code, String) -> Finding, _, _) = if later.contains(&&**text) {
            let message = format!("{text} is not rendered yet: the template is without it");
            (Finding::warning, message, "make that part in a template of your own".to_owned())
        } else if let Some(near) = nearest(text, keys.iter().chain(later).copied()) {
            (Finding::error, format!("unknown key {text}"), format!("did you mean {near}?"))
        } else {
            let help = format!("known here: {}; if it only holds an anchor, ignore this", keys.join(", "));
            (Finding::warning, format!("{text} has no meaning here"), help)
        };
        let code = if later.contains(&&**text) { Code::UNRENDERED } else { Code::UNKNOWN_EXTENSION };
        let path = if path.is_empty() { text.to_string() } else { format!("{path}.{text}") };
        let place = reader.project.place_at(key.span);
        reader.findings.push(severity(code, message).at(place).path(path).help(help));
    }
    found
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
