//! The typed values of a project: what its files have to say, apart from how they say it.

use serde::Serialize;

use super::choices::{Choices, SchemaRegistry, Typed};
use super::service::{self, Jar, Service};
use crate::base::Result;
use crate::extensions;
use crate::profile::{Component, Credentials, KeySource, Lack};

/// What the templates read, and what the files are held against when they are read back.
#[derive(Debug, Clone, Serialize)]
pub struct Model {
    pub project: String,
    pub env: String,
    pub services: Vec<Service>,
    pub secrets: Vec<Secret>,
    pub kafka: Kafka,
    /// The zone of names, where services call each other.
    pub namespace: Option<String>,
    /// Services of the project that get a name because those above call them: their own names, and what they are called by.
    pub named: Vec<(String, String)>,
    pub vpc_tag: Tag,
    pub subnet_tag: Tag,
    pub ecs_cluster: String,
    #[serde(skip)]
    pub typed: Typed,
    /// What to know before it is deployed.
    pub notes: Vec<String>,
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
    pub identity_pool: Option<String>,
    pub oauth_scope: Option<String>,
    pub security_group: Option<String>,
    pub admin_config: Option<String>,
    pub principals: Vec<Principal>,
}

impl Kafka {
    /// What `x-kafka` says, key by key, but for the principals.
    pub(super) fn words(&self) -> Vec<(&'static str, &str)> {
        let optional = [
            ("cluster", &self.cluster),
            ("environment", &self.environment),
            ("identity-pool", &self.identity_pool),
            ("oauth-scope", &self.oauth_scope),
            ("security-group", &self.security_group),
            ("admin-config", &self.admin_config),
        ];
        let given = optional.into_iter().filter_map(|(key, value)| Some((key, value.as_deref()?)));
        [("provider", self.provider.as_str()), ("bootstrap", self.bootstrap.as_str())].into_iter().chain(given).collect()
    }
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
pub(super) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// The names that are made from the project and the environment.
pub(super) struct Names {
    /// `orders-dev`.
    pub(super) name: String,
    /// `orders-dev.internal`.
    pub(super) zone: String,
}

impl Names {
    fn of(choices: &Choices<'_>) -> Self {
        let name = format!("{}-{ENV_NAME}", choices.project);
        Self { zone: format!("{name}.internal"), name }
    }

    /// Where a service is reached by others of the project.
    pub(super) fn host(&self, service: &str) -> String {
        format!("{service}.{}", self.zone)
    }
}

impl Model {
    pub fn new(choices: &Choices<'_>) -> Result<Self> {
        let names = Names::of(choices);
        let called = called(choices);
        let mut ca_named = false;
        let mut services = Vec::new();
        let mut secrets = Vec::new();
        for component in &choices.components {
            let keys = secret_keys(component, choices);
            let host = called.contains(&component.name).then(|| names.host(&component.name));
            services.push(service::service(component, choices, &names, !keys.is_empty(), host, &mut ca_named)?);
            if !keys.is_empty() {
                let stored_name = format!("/kafka/{}/{}/{}", cluster_name(choices), names.name, component.name);
                secrets.push(Secret { name: component.name.clone(), stored_name, keys });
            }
        }
        let present = choices.present.iter().filter(|present| called.contains(&present.name));
        let by_name: Vec<(String, String)> = present.map(|present| (present.name.clone(), names.host(&present.name))).collect();
        let tag = |(key, value): &(String, String)| Tag { key: literal(key), value: literal(value) };
        let principal =
            |(client, principal): &(String, String)| Principal { client: client.clone(), principal: literal(principal) };
        Ok(Self {
            project: choices.project.clone(),
            env: choices.env.clone(),
            namespace: (!called.is_empty()).then(|| names.zone.clone()),
            named: by_name,
            services,
            secrets,
            kafka: Kafka {
                provider: choices.kafka.name.clone(),
                bootstrap: choices.bootstrap.join(","),
                cluster: choices.cluster.clone(),
                environment: choices.kafka_environment.as_deref().map(literal),
                identity_pool: choices.identity_pool.as_deref().map(literal),
                oauth_scope: choices.oauth_scope.as_deref().map(literal),
                security_group: choices.security_group.clone(),
                admin_config: choices.admin_config.as_deref().map(literal),
                principals: choices.principals.iter().map(principal).collect(),
            },
            vpc_tag: tag(&choices.vpc_tag),
            subnet_tag: tag(&choices.subnet_tag),
            ecs_cluster: literal(&choices.ecs_cluster),
            typed: choices.typed,
            notes: notes(choices).into_iter().chain(unwired(choices, &names)).collect(),
        })
    }

    /// What Compose makes of a text in this environment.
    pub(super) fn resolved(&self, text: &str) -> String {
        text.replace(ENV_NAME, &self.env).replace("$$", "$")
    }
}

/// The components of the project that those to be written call by name.
fn called(choices: &Choices<'_>) -> Vec<String> {
    let everything: Vec<&str> = choices.everything().map(|component| component.name.as_str()).collect();
    let mut called = Vec::new();
    for component in &choices.components {
        let links = component.links.iter().map(|link| link.component.as_str());
        let registry = component.registries.iter().any(|registry| registry.init.is_some());
        let registry = (registry && choices.registry == SchemaRegistry::Project).then_some("schema-registry");
        called.extend(links.filter(|name| everything.contains(name)).chain(registry).map(str::to_owned));
    }
    called.sort_unstable();
    called.dedup();
    called
}

/// A cluster's name as a part of others: its id, or of an ARN the name in it.
fn cluster_name<'a>(choices: &'a Choices<'_>) -> &'a str {
    let Some(cluster) = choices.cluster.as_deref() else { return &choices.kafka.name };
    if cluster.contains(':') { cluster.split('/').nth(1).unwrap_or(cluster) } else { cluster }
}

/// The keys of a component's secret, as the clients log in.
fn secret_keys(component: &Component, choices: &Choices<'_>) -> Vec<String> {
    let credentials = choices.mechanism.map(|mechanism| mechanism.credentials);
    let login = matches!(credentials, Some(Credentials::UsernamePassword | Credentials::ClientCredentials | Credentials::Other));
    let rule = &component.environment;
    let registry = matches!(choices.registry, SchemaRegistry::At { login: true, .. });
    let wanted = component.secret.keys.iter().filter(|key| match &key.from {
        KeySource::RegistryUrl(_) => false,
        KeySource::Jaas(_) => login,
        KeySource::Certificate(_) | KeySource::PrivateKey(_) => choices.client_certificate,
        KeySource::UserInfo(name) => {
            let own = component.registries.iter().find(|own| own.name == *name && own.init.is_some());
            let present = own.and_then(|own| own.user_info.first());
            registry && present.is_some_and(|property| crate::confluent::variable_name(rule, property) == key.variable)
        }
        KeySource::License => choices.license,
    });
    wanted.map(|key| key.variable.clone()).collect()
}

/// Components that were there before the project had a registry: their lines are not changed, and so they don't use it.
fn unwired(choices: &Choices<'_>, names: &Names) -> Vec<String> {
    if choices.registry != SchemaRegistry::Project
        || !choices.components.iter().any(|component| component.name == "schema-registry")
    {
        return Vec::new();
    }
    let mut notes = Vec::new();
    for component in &choices.present {
        for registry in &component.registries {
            let Some(init) = &registry.init else { continue };
            let url = (registry.url.clone(), format!("http://{}:8081", names.host("schema-registry")));
            let lines: Vec<String> = init
                .confluent
                .iter()
                .map(|(property, value)| (property.clone(), value.clone()))
                .chain([url])
                .map(|(property, value)| {
                    format!("    {}: {value}", crate::confluent::variable_name(&component.environment, &property))
                })
                .collect();
            notes.push(format!(
                "{} was there before the registry, and is left as it is. To use it, set in envs/{}.yml:\n{}",
                component.name,
                choices.env,
                lines.join("\n")
            ));
        }
    }
    notes
}

/// What is to be known of these components on this kind of cluster, and what their images lack, with the way out.
fn notes(choices: &Choices<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    // Who a provider's certificates are from is known; whose a cluster of one's own are, nobody can tell from here.
    if choices.protocol.ends_with("SSL") && choices.kafka.suffix.is_none() && choices.trusted.is_none() {
        notes.push(
            "Java trusts the brokers' certificates only where a public authority signed them. For one of your own, run it again with\n\
             --ca-file ca.pem: its PEM then stands in the environment, on one line, and no file is needed."
                .to_owned(),
        );
    }
    for component in &choices.components {
        let fitting = component.notes.iter().filter(|note| note.kafka.is_empty() || note.kafka.contains(&choices.kafka.name));
        notes.extend(fitting.map(|note| note.text.clone()));
        notes.extend(lacking(component, choices).iter().map(|lacking| lacking.note(component, &choices.env)));
        let own_image = choices.images.iter().any(|(name, _)| *name == component.name);
        if let (SchemaRegistry::Glue { .. }, false) = (&choices.registry, own_image) {
            let clients = component.registries.iter().filter_map(|registry| registry.init.as_ref());
            let without = clients.filter(|client| client.glue.is_none());
            notes.extend(without.map(|_| format!("{} can't use AWS Glue's registry: it is left without one.", component.title)));
        }
    }
    notes
}

/// Something that a component's image lacks on this cluster.
pub(super) struct Lacking<'a> {
    lack: &'a Lack,
    into: &'static str,
    what_for: &'static str,
}

/// What the component's own image lacks; what somebody else's holds is theirs to know.
pub(super) fn lacking<'a>(component: &Component, choices: &'a Choices<'_>) -> Vec<Lacking<'a>> {
    let mut found = Vec::new();
    if choices.images.iter().any(|(name, _)| *name == component.name) {
        return found;
    }
    if let Some(lack) = choices.mechanism.and_then(|mechanism| mechanism.lacks.as_ref()) {
        found.push(Lacking { lack, into: "worker", what_for: "without which nothing logs in" });
    }
    let mut clients = component.registries.iter().filter_map(|registry| registry.init.as_ref());
    if matches!(choices.registry, SchemaRegistry::Glue { .. }) && clients.any(|client| client.glue.is_some()) {
        found.push(Lacking { lack: &choices.facts.glue, into: "plugin", what_for: "the converter for AWS Glue" });
    }
    found
}

impl Lacking<'_> {
    /// As it is written into the file: only with a hash, for nothing is laid on an image without one.
    pub(super) fn jar(&self) -> Option<Jar> {
        let sha256 = self.lack.sha256.clone()?;
        Some(Jar { maven: self.lack.maven.clone(), sha256, into: self.into })
    }

    /// What is left to do about it.
    fn note(&self, component: &Component, env: &str) -> String {
        let Self { lack: Lack { what, maven, sha256, .. }, into, what_for } = self;
        let name = &component.name;
        let image = format!("{}:{}", component.image.repository, component.image.tag);
        let push = format!("confluent-ecs images push {name} --env {env}");
        if sha256.is_some() {
            return format!(
                "{image} lacks {what}, {what_for}: it stands under {name} in envs/{env}.yml, with its hash.\nPut the image with it \
                 into ECR before the first deploy: {push}"
            );
        }
        let hash = extensions::maven_url(maven).map(|url| format!("; this prints its hash:\n    curl -sSfL {url} | sha256sum"));
        format!(
            "{image} lacks {what}, {what_for}. Look at it{}\nThen write under {name} in envs/{env}.yml\n    x-confluent:\n      \
             plugins:\n        - maven: {maven}\n          sha256: (the hash)\n          into: {into}\nand put the image with it into \
             ECR: {push}",
            hash.unwrap_or_default()
        )
    }
}
