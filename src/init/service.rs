//! One service: from its profile and the choices to what its part of the files says.

use serde::Serialize;

use super::choices::{Choices, SchemaRegistry};
use super::model::{Names, lacking, literal};
use crate::base::{Failure, Result};
use crate::confluent;
use crate::profile::{Client, Component, Credentials, Spot};

#[derive(Debug, Clone, Serialize)]
pub struct Service {
    pub name: String,
    pub image: String,
    pub image_source: String,
    pub port: String,
    pub groups: Vec<Group>,
    /// Its tasks call each other.
    pub member: bool,
    pub why_address: Option<String>,
    pub command: Vec<String>,
    pub health: Health,
    pub stop_grace_period: String,
    pub why_stop: String,
    /// What stands in the environment's file.
    pub env_image: Option<String>,
    /// The component, where that image's name doesn't tell.
    pub component: Option<String>,
    /// What its image lacks on this cluster, where its hash is known.
    pub plugins: Vec<Jar>,
    pub env_groups: Vec<Group>,
    pub secret: Option<String>,
    /// What other services call it.
    pub host: Option<String>,
    pub why_size: String,
    pub replicas: u32,
    pub cpus: String,
    pub memory: String,
    pub storage: Option<String>,
    pub spot: bool,
    pub policies: Vec<Policy>,
}

impl Service {
    /// The service as it is put into a file that is there: with names of its own for its values.
    pub(super) fn alone(&self, with_aliases: bool) -> Self {
        let mut service = self.clone();
        let own = |name: String| if name == "bootstrap" { name } else { format!("{name}-{}", self.name) };
        for variable in service.env_groups.iter_mut().flat_map(|group| &mut group.variables) {
            variable.anchor = variable.anchor.take().map(own);
            variable.alias = variable.alias.take().map(own).filter(|name| with_aliases || name != "bootstrap");
        }
        service.names_value_first();
        service
    }

    /// A value that is named by a service before this one is named here.
    fn names_value_first(&mut self) {
        let mut named = Vec::new();
        for variable in self.env_groups.iter_mut().flat_map(|group| &mut group.variables) {
            if let Some(anchor) = &variable.anchor {
                named.push(anchor.clone());
            } else if let Some(alias) = variable.alias.take_if(|alias| alias != "bootstrap" && !named.contains(alias)) {
                named.push(alias.clone());
                variable.anchor = Some(alias);
            }
        }
    }
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
    pub anchor: Option<String>,
    /// … or was written elsewhere.
    pub alias: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Health {
    pub test: Vec<String>,
    pub interval: String,
    pub timeout: String,
    pub retries: u32,
    pub start_period: String,
}

/// A jar that is laid on the image, as `x-confluent.plugins` names it.
#[derive(Debug, Clone, Serialize)]
pub struct Jar {
    pub maven: String,
    pub sha256: String,
    pub into: &'static str,
}

/// What the task's role may do beside.
#[derive(Debug, Clone, Serialize)]
pub struct Policy {
    pub why: String,
    pub name: String,
    pub actions: Vec<String>,
    pub resources: Vec<String>,
}

pub(super) fn service(
    component: &Component,
    choices: &Choices<'_>,
    names: &Names,
    secret: bool,
    host: Option<String>,
    ca_named: &mut bool,
) -> Result<Service> {
    let image = format!("{}:{}", component.image.repository, component.image.tag);
    let seconds = |seconds: u32| format!("{seconds}s");
    let test = confluent::health_command(component, &image, component.start.port);
    let glue = match &choices.registry {
        SchemaRegistry::Glue { name } => component
            .registries
            .iter()
            .any(|registry| registry.init.as_ref().is_some_and(|init| init.glue.is_some()))
            .then(|| glue_policy(name)),
        _ => None,
    };
    let own_image = choices.images.iter().find(|(name, _)| *name == component.name).map(|(_, image)| image.clone());
    Ok(Service {
        name: component.name.clone(),
        image_source: component.image.source.clone(),
        port: component.start.port.to_string(),
        groups: default_groups(component, choices, names, false),
        member: component.start.advertised_host.is_some(),
        why_address: component.start.why_address.clone(),
        command: confluent::start_command(component).iter().flatten().map(|word| literal(word)).collect(),
        health: Health {
            test: test.iter().map(|word| literal(word)).collect(),
            interval: seconds(component.health.interval_seconds),
            timeout: seconds(component.health.timeout_seconds),
            retries: component.health.retries,
            start_period: seconds(component.health.start_period_seconds),
        },
        stop_grace_period: seconds(component.deployment.stop_timeout_seconds),
        why_stop: component.deployment.why_stop.clone(),
        component: own_image.as_ref().filter(|image| !confluent::holds(component, image)).map(|_| component.name.clone()),
        env_image: own_image,
        plugins: lacking(component, choices).into_iter().filter_map(|lacking| lacking.jar()).collect(),
        env_groups: env_groups(component, choices, names, ca_named)?,
        secret: secret.then(|| component.name.clone()),
        host,
        why_size: component.sizing.why.clone(),
        replicas: component.sizing.replicas,
        cpus: format!("{:.2}", component.sizing.cpu),
        memory: component.sizing.memory.clone(),
        storage: component.sizing.storage.map(|storage| storage.to_string()),
        spot: choices.spot && component.deployment.spot == Spot::Allowed,
        policies: glue.into_iter().collect(),
        image,
    })
}

/// The profile's defaults: those for every kind of cluster, or those for this kind only.
fn default_groups(component: &Component, choices: &Choices<'_>, names: &Names, of_kind: bool) -> Vec<Group> {
    let wanted = component
        .defaults
        .iter()
        .filter(|group| if of_kind { group.kafka.contains(&choices.kafka.name) } else { group.kafka.is_empty() });
    wanted
        .map(|group| Group {
            why: group.why.clone(),
            variables: group
                .variables
                .iter()
                .map(|variable| plain(&variable.name, literal(&variable.value).replace("{name}", &names.name)))
                .collect(),
        })
        .collect()
}

fn plain(name: &str, value: String) -> Variable {
    Variable { name: name.to_owned(), value, anchor: None, alias: None }
}

/// The connection of every client to the cluster, the registry, the others of the project, and the heap.
fn env_groups(component: &Component, choices: &Choices<'_>, names: &Names, ca_named: &mut bool) -> Result<Vec<Group>> {
    let rule = &component.environment;
    let variable = |property: &str| confluent::variable_name(rule, property);
    // Where a component has addresses for all its clients, they take them from there.
    let shared =
        component.clients.iter().any(|client| client.prefix.is_empty() || client.inherits != crate::profile::Inherits::Nothing);
    let addresses: Vec<String> = if shared {
        vec![variable("bootstrap.servers")]
    } else {
        component.clients.iter().map(|client| variable(&format!("{}bootstrap.servers", client.prefix))).collect()
    };
    let address = |name: &String| Variable { alias: Some("bootstrap".to_owned()), ..plain(name, choices.bootstrap.join(",")) };
    let mut groups = vec![Group {
        why: "The cluster. Every client inside takes the addresses from here.".to_owned(),
        variables: addresses.iter().map(address).collect(),
    }];
    for client in &component.clients {
        let variables = connection(component, client, choices, ca_named);
        groups.push(Group { why: format!("The {}: {}.", client.name, client.why), variables });
    }
    groups.extend(token_endpoint(component, choices));
    groups.extend(default_groups(component, choices, names, true));
    groups.extend(registries(component, choices, names));
    for link in &component.links {
        let Some(target) = choices.everything().find(|target| target.name == link.component) else { continue };
        let url = format!("http://{}:{}", names.host(&target.name), target.start.port);
        groups.push(Group { why: link.why.clone(), variables: vec![plain(&variable(&link.property), url)] });
    }
    let memory = component
        .sizing
        .mebibytes()
        .ok_or_else(|| Failure::fault("a profile's memory size can't be read").cause(&component.sizing.memory))?;
    let heap = &component.sizing.heap;
    let size = memory * u64::from(heap.percent_of_memory) / 100;
    groups.push(Group {
        why: format!("{} % of the memory above: {}. Change both together.", heap.percent_of_memory, heap.why),
        variables: vec![plain(&heap.variable, format!("-Xms{size}m -Xmx{size}m"))],
    });
    Ok(groups)
}

/// What one client needs to reach the cluster and to log in, but for what is in the secret.
fn connection(component: &Component, client: &Client, choices: &Choices<'_>, ca_named: &mut bool) -> Vec<Variable> {
    let variable = |name: &str| confluent::variable_name(&component.environment, &format!("{}{name}", client.prefix));
    let set = |name: &str, value: &str| plain(&variable(name), literal(value));
    let mut variables = vec![set("security.protocol", choices.protocol)];
    if let Some(mechanism) = choices.mechanism {
        variables.push(set("sasl.mechanism", &mechanism.name));
        variables.extend(mechanism.settings.iter().map(|(name, value)| set(name, value)));
        if let Some(url) = &choices.token_endpoint {
            variables.push(set("sasl.oauthbearer.token.endpoint.url", &confluent::escape(url)));
        }
        if mechanism.credentials == Credentials::None {
            variables.push(set("sasl.jaas.config", &format!("{} required;", mechanism.module)));
        }
    }
    if let Some(pem) = &choices.trusted {
        variables.push(set("ssl.truststore.type", "PEM"));
        let mut certificates = set("ssl.truststore.certificates", &confluent::escape(pem));
        if std::mem::replace(ca_named, true) {
            certificates.alias = Some("ca".to_owned());
        } else {
            certificates.anchor = Some("ca".to_owned());
        }
        variables.push(certificates);
    }
    if choices.client_certificate {
        variables.push(set("ssl.keystore.type", "PEM"));
    }
    variables
}

/// Kafka's clients ask only token endpoints that the JVM is told of.
fn token_endpoint(component: &Component, choices: &Choices<'_>) -> Option<Group> {
    let url = choices.token_endpoint.as_ref()?;
    let option = literal(&format!("-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={url}"));
    let mut variables = vec![plain(&component.start.jvm_options, option.clone())];
    // The start script's own check of the cluster is another program.
    if component.start.jvm_options != "KAFKA_OPTS" {
        variables.push(plain("KAFKA_OPTS", option));
    }
    Some(Group { why: "The one address that tokens may be had from: Kafka asks no other.".to_owned(), variables })
}

fn registries(component: &Component, choices: &Choices<'_>, names: &Names) -> Vec<Group> {
    let rule = &component.environment;
    let set = |property: &str, value: &str| plain(&confluent::variable_name(rule, property), value.to_owned());
    let mut groups = Vec::new();
    for registry in &component.registries {
        let Some(init) = &registry.init else { continue };
        let with = |url: &str, login: bool| {
            let mut variables: Vec<Variable> =
                init.confluent.iter().map(|(property, value)| set(property, &literal(value))).collect();
            variables.push(set(&registry.url, url));
            if login {
                variables.push(set(&registry.credentials_source, "USER_INFO"));
            }
            variables
        };
        let variables = match &choices.registry {
            SchemaRegistry::None => continue,
            SchemaRegistry::Project => with(&format!("http://{}:8081", names.host("schema-registry")), false),
            SchemaRegistry::At { url, login } => with(&literal(&confluent::escape(url)), *login),
            SchemaRegistry::Glue { name } => match &init.glue {
                Some(settings) => settings
                    .iter()
                    .map(|(property, value)| {
                        set(property, &literal(value).replace("{region}", "${AWS_REGION}").replace("{registry}", &literal(name)))
                    })
                    .collect(),
                None => continue,
            },
        };
        groups.push(Group { why: init.why.clone(), variables });
    }
    groups
}

/// What the client of AWS Glue asks for. Source: AWS Glue developer guide, IAM policies for the registry.
fn glue_policy(registry: &str) -> Policy {
    let arn = |rest: String| format!("arn:aws:glue:${{AWS_REGION}}:${{AWS_ACCOUNT_ID}}:{rest}");
    let actions = [
        "GetSchema",
        "GetSchemaByDefinition",
        "GetSchemaVersion",
        "CreateSchema",
        "RegisterSchemaVersion",
        "PutSchemaVersionMetadata",
        "QuerySchemaVersionMetadata",
    ];
    Policy {
        why: "AWS Glue's registry knows clients by the task's role.".to_owned(),
        name: "GlueSchemas".to_owned(),
        actions: actions.iter().map(|action| format!("glue:{action}")).collect(),
        resources: vec![arn(format!("registry/{}", literal(registry))), arn(format!("schema/{}/*", literal(registry)))],
    }
}
