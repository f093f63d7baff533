//! The typed values of a project: what its files have to say, apart from how they say it.

use serde::Serialize;
use serde_json::{Value, json};

use super::choices::Choices;
use crate::base::{Failure, Result};
use crate::confluent;
use crate::profile::{Component, KeySource};

/// What the templates read, and what the files are held against when they are read back.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    pub project: String,
    pub env: String,
    pub services: Vec<Service>,
    pub secrets: Vec<Secret>,
    pub kafka: Kafka,
    pub vpc_tag: Tag,
    pub subnet_tag: Tag,
    pub ecs_cluster: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Service {
    pub name: String,
    pub image: String,
    pub image_source: String,
    pub port: String,
    pub groups: Vec<Group>,
    pub command: Vec<String>,
    pub health: Health,
    pub stop_grace_period: String,
    /// The settings of the environment.
    pub env_groups: Vec<Group>,
    pub secret: Option<String>,
    pub replicas: u32,
    pub cpus: String,
    pub memory: String,
}

/// Variables with the reason for their values.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub why: String,
    pub variables: Vec<Variable>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Variable {
    pub name: String,
    /// As Compose reads it: a dollar that is meant stands twice.
    pub value: String,
    /// The value is written here under this name …
    pub anchor: Option<&'static str>,
    /// … or was written elsewhere.
    pub alias: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Health {
    pub test: Vec<String>,
    pub interval: String,
    pub timeout: String,
    pub retries: u32,
    pub start_period: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Secret {
    pub name: String,
    /// Its name in Secrets Manager.
    pub stored_name: String,
    pub keys: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Kafka {
    pub provider: String,
    pub bootstrap: String,
    pub cluster: Option<String>,
    pub environment: Option<String>,
    pub admin_config: Option<String>,
    pub principals: Vec<Principal>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Principal {
    pub client: String,
    pub principal: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

/// The variable that `--env` sets. Where it isn't set, a name would end up without its environment: so that is an error, also for Docker.
const ENV_NAME: &str = "${ENV_NAME:?}";

/// Text that Compose must take as it is.
fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

impl Model {
    pub fn new(choices: &Choices<'_>) -> Result<Self> {
        let name = format!("{}-{ENV_NAME}", choices.project);
        let cluster = choices.cluster.as_deref().unwrap_or(choices.kafka);
        let mut services = Vec::new();
        let mut secrets = Vec::new();
        for component in &choices.components {
            let keys = secret_keys(component);
            services.push(service(component, choices, &name, !keys.is_empty())?);
            if !keys.is_empty() {
                let stored_name = format!("/kafka/{cluster}/{name}/{}", component.name);
                secrets.push(Secret { name: component.name.clone(), stored_name, keys });
            }
        }
        let tag = |(key, value): &(String, String)| Tag { key: literal(key), value: literal(value) };
        let principal =
            |(client, principal): &(String, String)| Principal { client: client.clone(), principal: literal(principal) };
        Ok(Self {
            project: choices.project.clone(),
            env: choices.env.clone(),
            services,
            secrets,
            kafka: Kafka {
                provider: choices.kafka.to_owned(),
                bootstrap: choices.bootstrap.join(","),
                cluster: choices.cluster.clone(),
                environment: choices.kafka_environment.as_deref().map(literal),
                admin_config: choices.admin_config.as_deref().map(literal),
                principals: choices.principals.iter().map(principal).collect(),
            },
            vpc_tag: tag(&choices.vpc_tag),
            subnet_tag: tag(&choices.subnet_tag),
            ecs_cluster: literal(&choices.ecs_cluster),
        })
    }

    /// Parts of the merged project by JSON pointer, as they have to come out.
    pub fn expected(&self) -> Vec<(String, Value)> {
        let text = |text: &str| Value::from(self.resolved(text));
        let mut expected = vec![("/name".to_owned(), self.project.clone().into())];
        for service in &self.services {
            let at = |rest: &str| format!("/services/{}/{rest}", service.name);
            let groups = service.groups.iter().chain(&service.env_groups);
            let variables = groups.flat_map(|group| &group.variables);
            let environment: serde_json::Map<String, Value> =
                variables.map(|variable| (variable.name.clone(), text(&variable.value))).collect();
            expected.push((at("image"), text(&service.image)));
            expected.push((at("environment"), environment.into()));
            expected.push((at("command"), service.command.iter().map(|word| text(word)).collect()));
            expected.push((at("healthcheck/test"), service.health.test.iter().map(|word| text(word)).collect()));
            expected.push((at("deploy/replicas"), service.replicas.into()));
        }
        let kafka = &self.kafka;
        let mut section = json!({ "provider": text(&kafka.provider), "bootstrap": text(&kafka.bootstrap) });
        let optional = [("cluster", &kafka.cluster), ("environment", &kafka.environment), ("admin-config", &kafka.admin_config)];
        for (key, value) in optional {
            if let Some(value) = value {
                section[key] = text(value);
            }
        }
        if !kafka.principals.is_empty() {
            let principals = kafka.principals.iter().map(|who| (who.client.clone(), text(&who.principal)));
            section["principals"] = principals.collect::<serde_json::Map<String, Value>>().into();
        }
        expected.push(("/x-kafka".to_owned(), section));
        let tags = |tag: &Tag| {
            let pair = std::iter::once((self.resolved(&tag.key), text(&tag.value)));
            json!({ "Tags": [pair.collect::<serde_json::Map<String, Value>>()] })
        };
        let lookup = json!({ "Lookup": { "VpcId": tags(&self.vpc_tag), "AppSubnets": tags(&self.subnet_tag) } });
        expected.push(("/x-vpc".to_owned(), lookup));
        expected.push(("/x-cluster".to_owned(), json!({ "Lookup": text(&self.ecs_cluster) })));
        expected
    }

    /// What Compose makes of a text in this environment.
    pub(super) fn resolved(&self, text: &str) -> String {
        text.replace(ENV_NAME, &self.env).replace("$$", "$")
    }
}

/// The keys of a component's secret on a cluster with user names and passwords.
fn secret_keys(component: &Component) -> Vec<String> {
    let logins = component.secret.keys.iter().filter(|key| matches!(key.from, KeySource::Jaas(_)));
    logins.map(|key| key.variable.clone()).collect()
}

fn service(component: &Component, choices: &Choices<'_>, name: &str, secret: bool) -> Result<Service> {
    let image = format!("{}:{}", component.image.repository, component.image.tag);
    let seconds = |seconds: u32| format!("{seconds}s");
    let test = confluent::health_command(component, &image, component.start.port);
    let groups = component
        .defaults
        .iter()
        .map(|group| Group {
            why: group.why.clone(),
            variables: group
                .variables
                .iter()
                .map(|variable| plain(&variable.name, literal(&variable.value).replace("{name}", name)))
                .collect(),
        })
        .collect();
    Ok(Service {
        name: component.name.clone(),
        image_source: component.image.source.clone(),
        port: component.start.port.to_string(),
        groups,
        command: confluent::start_command(component).iter().flatten().map(|word| literal(word)).collect(),
        health: Health {
            test: test.iter().map(|word| literal(word)).collect(),
            interval: seconds(component.health.interval_seconds),
            timeout: seconds(component.health.timeout_seconds),
            retries: component.health.retries,
            start_period: seconds(component.health.start_period_seconds),
        },
        stop_grace_period: seconds(component.deployment.stop_timeout_seconds),
        env_groups: env_groups(component, choices)?,
        secret: secret.then(|| component.name.clone()),
        replicas: component.sizing.replicas,
        cpus: format!("{:.2}", component.sizing.cpu),
        memory: component.sizing.memory.clone(),
        image,
    })
}

fn plain(name: &str, value: String) -> Variable {
    Variable { name: name.to_owned(), value, anchor: None, alias: None }
}

/// The connection of every client to the cluster, and the heap.
fn env_groups(component: &Component, choices: &Choices<'_>) -> Result<Vec<Group>> {
    let rule = &component.environment;
    let variable = |client: &str, name: &str| confluent::variable_name(rule, &format!("{client}{name}"));
    let mut bootstrap = plain(&variable("", "bootstrap.servers"), choices.bootstrap.join(","));
    bootstrap.alias = Some("bootstrap");
    let mut groups = vec![Group {
        why: "The cluster. Every client inside takes the addresses from here.".to_owned(),
        variables: vec![bootstrap],
    }];
    for client in &component.clients {
        let mut variables = vec![
            plain(&variable(&client.prefix, "security.protocol"), "SASL_SSL".to_owned()),
            plain(&variable(&client.prefix, "sasl.mechanism"), choices.mechanism.name.clone()),
        ];
        if let Some(pem) = &choices.trusted {
            variables.push(plain(&variable(&client.prefix, "ssl.truststore.type"), "PEM".to_owned()));
            let mut certificates =
                plain(&variable(&client.prefix, "ssl.truststore.certificates"), literal(&confluent::escape(pem)));
            let first = client.prefix.is_empty();
            (certificates.anchor, certificates.alias) = if first { (Some("ca"), None) } else { (None, Some("ca")) };
            variables.push(certificates);
        }
        groups.push(Group { why: format!("The {}: {}.", client.name, client.why), variables });
    }
    let memory = mebibytes(&component.sizing.memory)
        .ok_or_else(|| Failure::fault("a profile's memory size can't be read").cause(&component.sizing.memory))?;
    let heap = memory * u64::from(component.sizing.heap.percent_of_memory) / 100;
    groups.push(Group {
        why: format!(
            "{} % of the memory above: plugins keep buffers beside the heap. Change both together.",
            component.sizing.heap.percent_of_memory
        ),
        variables: vec![plain(&component.sizing.heap.variable, format!("-Xms{heap}m -Xmx{heap}m"))],
    });
    Ok(groups)
}

/// A profile's size: whole gibibytes or mebibytes, as `2G` or `512M`.
fn mebibytes(size: &str) -> Option<u64> {
    let (number, unit) = size.split_at_checked(size.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok()?;
    match unit {
        "G" => Some(number * 1024),
        "M" => Some(number),
        _ => None,
    }
}
