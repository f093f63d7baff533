//! Project, vocabulary, catalogue and stored secrets → [`Input`]: pure, nothing is asked yet.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::aws::AccountFacts;
use super::cluster::{ClusterFacts, Provider};
use super::input::{Input, Own, OwnHost, Secret, SecretState, Service, StoredKeys};
use super::report::Aws;
use crate::base::{Code, Finding, Findings};
use crate::compose::Project;
use crate::confluent::secret::SecretDocument;
use crate::confluent::{self, ConfluentService};
use crate::extensions::{Extensions, Wanted};
use crate::kafka::AwsKeys;
use crate::net::Endpoint;
use crate::profile::{Catalogue, KafkaFacts};

/// The codes of findings on a component's settings.
const SETTINGS: RangeInclusive<Code> = Code::SETTING_MISSING..=Code::BOOTSTRAP_ADDRESS;

/// What became of reading a secret, by its name in the compose files.
#[derive(Debug, Clone)]
pub enum Stored {
    Read {
        document: SecretDocument,
        /// Where it came from, in words.
        source: String,
    },
    /// Not read; why.
    Unread(String),
    /// Not there, or no document; what is wrong.
    Broken(String),
}

/// All that is known of a project.
#[derive(Debug)]
pub struct Gathered<'a> {
    pub project: &'a Project,
    pub extensions: &'a Extensions,
    pub catalogue: &'a Catalogue,
    /// Of the project as a whole.
    pub findings: &'a Findings,
    /// By the secret's name in the compose files.
    pub stored: &'a BTreeMap<String, Stored>,
    pub env: Option<&'a str>,
    /// By service: the addresses of its own running tasks.
    pub own: &'a BTreeMap<String, Own>,
    pub aws: Option<Aws>,
    pub aws_keys: Result<AwsKeys, String>,
    pub account: Option<AccountFacts>,
    /// Names that lead to what this very stack deploys.
    pub own_hosts: BTreeMap<String, OwnHost>,
}

/// Puts together what a preflight is about.
pub fn gather(gathered: &Gathered<'_>) -> Input {
    let Gathered { project, extensions, catalogue, stored, .. } = *gathered;
    let documents: BTreeMap<String, SecretDocument> = stored
        .iter()
        .filter_map(|(name, stored)| match stored {
            Stored::Read { document, .. } => Some((name.clone(), document.clone())),
            Stored::Unread(_) | Stored::Broken(_) => None,
        })
        .collect();
    let found = confluent::services(catalogue, project, extensions, &documents);
    let cluster = cluster(extensions, catalogue.kafka(), &found);
    let mut services = Vec::new();
    let mut secrets = Vec::new();
    for service in &found {
        let place = project.key_place(&["services", service.name, "environment"]);
        let written = project.services.get(service.name);
        let findings = confluent::settings::findings(&confluent::settings::Service {
            name: service.name,
            catalogue,
            component: service.component,
            image: service.image,
            environment: &service.environment,
            place: Some(&place),
            advertised_by_command: written.is_some_and(|written| confluent::sets_address(written, service.component)),
            own_start_script: written.is_some_and(confluent::has_own_start_script),
            provider: extensions.kafka.as_ref().and_then(|kafka| kafka.provider.as_ref()).map(|provider| provider.value),
        });
        secrets.extend(of_service(service, extensions, stored));
        services.push(Service {
            name: service.name.to_owned(),
            component: service.component.clone(),
            image: service.image.to_owned(),
            environment: service.environment.clone(),
            connectors: service.connectors.clone(),
            findings: once(findings),
            place: Some(place),
            files: files(project, service.name),
        });
    }
    Input {
        project: project.name.clone(),
        env: gathered.env.map(str::to_owned),
        findings: of_project(gathered.findings, &services),
        files: project.files.iter().map(|file| project.shown(file)).collect(),
        cluster,
        services,
        secrets,
        own: gathered.own.clone(),
        aws: gathered.aws.clone(),
        aws_keys: gathered.aws_keys.clone(),
        as_task: false,
        account: gathered.account.clone(),
        own_hosts: gathered.own_hosts.clone(),
    }
}

/// What is left of the project's findings: the settings are looked at again for each service, with the secrets that were read.
fn of_project(findings: &Findings, services: &[Service]) -> Findings {
    let said_again = |finding: &Finding| {
        let mut of_services = services.iter().flat_map(|service| service.findings.iter());
        of_services.any(|other| (other.code, &other.message, &other.path) == (finding.code, &finding.message, &finding.path))
    };
    findings.iter().filter(|finding| !SETTINGS.contains(&finding.code) && !said_again(finding)).cloned().collect()
}

/// What a service has from this machine: folders that are bound, configs and secrets from files.
fn files(project: &Project, service: &str) -> BTreeMap<String, PathBuf> {
    let Some(service) = project.services.get(service) else { return BTreeMap::new() };
    let bound = service.volumes.iter().filter(|volume| volume.r#type.as_deref() == Some("bind"));
    let mut files: BTreeMap<String, PathBuf> = bound
        .filter_map(|volume| Some((volume.target.as_deref()?.to_owned(), PathBuf::from(volume.source.as_deref()?))))
        .collect();
    let file = |source: &str, secret: bool| {
        if secret { project.secrets.get(source)?.file.as_deref() } else { project.configs.get(source)?.file.as_deref() }
    };
    for (mounts, secret, root) in [(&service.configs, false, "/"), (&service.secrets, true, "/run/secrets/")] {
        for mount in mounts {
            let Some(source) = mount.source.as_deref() else { continue };
            let Some(from) = file(source, secret) else { continue };
            let target = mount.target.as_deref().unwrap_or(source);
            let target = if target.starts_with('/') { target.to_owned() } else { format!("{root}{target}") };
            files.insert(target, PathBuf::from(from));
        }
    }
    files
}

/// A client that takes a setting over has the finding of the one it comes from.
fn once(findings: Findings) -> Findings {
    let mut kept: Vec<crate::base::Finding> = Vec::new();
    for finding in findings.iter() {
        if !kept.contains(finding) {
            kept.push(finding.clone());
        }
    }
    kept.into_iter().collect()
}

fn of_service(service: &ConfluentService<'_>, extensions: &Extensions, stored: &BTreeMap<String, Stored>) -> Vec<Secret> {
    let mut secrets = Vec::new();
    for taken in &service.secrets {
        let Some(extension) = extensions.secrets.get(taken.name) else { continue };
        let state = match stored.get(taken.name) {
            Some(Stored::Read { document, source }) => SecretState::Read(StoredKeys {
                keys: document.keys().map(str::to_owned).collect(),
                spoilt: spoilt(document),
                source: source.clone(),
            }),
            Some(Stored::Unread(why)) => SecretState::Unread(why.clone()),
            Some(Stored::Broken(what)) => SecretState::Broken(what.clone()),
            None => SecretState::Unread("it was not read".to_owned()),
        };
        let named = extension.name.as_ref().map(|name| name.value.clone());
        let looked_up = || match &extension.lookup {
            Some(Wanted::Ids(ids)) => ids.first().map(|id| id.value.clone()),
            Some(Wanted::Tags(_)) | None => None,
        };
        secrets.push(Secret {
            name: taken.name.to_owned(),
            stored_as: named.or_else(looked_up),
            service: service.name.to_owned(),
            keys: extension.keys.iter().map(|key| (key.key.value.clone(), key.variable.clone())).collect(),
            state,
            place: Some(extension.place.clone()),
        });
    }
    secrets
}

/// Keys that hold nothing, or what pasting left around the value.
fn spoilt(document: &SecretDocument) -> BTreeMap<String, &'static str> {
    document.iter().filter_map(|(key, value)| Some((key.to_owned(), value.trouble()?))).collect()
}

/// The kind of cluster and what the files say of it.
pub fn cluster(extensions: &Extensions, facts: &KafkaFacts, services: &[ConfluentService<'_>]) -> ClusterFacts {
    let written = extensions.kafka.as_ref();
    let text = |of: fn(&crate::extensions::Kafka) -> &Option<crate::extensions::Placed<String>>| {
        written.and_then(|kafka| of(kafka).as_ref()).map(|placed| placed.value.clone())
    };
    let name =
        written.and_then(|kafka| kafka.provider.as_ref()).map_or_else(|| inferred(facts, services), |provider| provider.value);
    ClusterFacts {
        provider: Provider::parse(name).unwrap_or(Provider::SelfManaged),
        provider_name: name.to_owned(),
        title: facts.provider(name).map_or_else(|| name.to_owned(), |provider| provider.title.clone()),
        id: text(|kafka| &kafka.cluster),
        environment: text(|kafka| &kafka.environment),
        bootstrap: text(|kafka| &kafka.bootstrap),
        admin_config: text(|kafka| &kafka.admin_config),
        principals: written
            .map(|kafka| kafka.principals.iter().map(|(client, principal)| (client.clone(), principal.value.clone())).collect())
            .unwrap_or_default(),
        place: written.and_then(|kafka| kafka.cluster.as_ref()).map(|cluster| cluster.place.clone()),
        private_names: facts.providers.iter().flat_map(|provider| &provider.private_suffixes).cloned().collect(),
    }
}

/// The kind of cluster by its brokers' names, and by the port where several kinds share a domain.
fn inferred<'a>(facts: &'a KafkaFacts, services: &[ConfluentService<'_>]) -> &'a str {
    let server =
        services.iter().flat_map(|service| &service.clients).find_map(|client| client.bootstrap_servers()?.into_iter().next());
    let Some(endpoint) = server.and_then(|server| Endpoint::parse(&server).ok()) else { return "self-managed" };
    let provider = facts.providers.iter().find(|provider| {
        let suffix = provider.suffix.as_ref().is_some_and(|suffix| endpoint.host.ends_with(suffix.as_str()));
        let port = provider.listeners.iter().any(|listener| listener.ports.contains(&endpoint.port));
        suffix && (port || !provider.shares_suffix(facts))
    });
    provider.map_or("self-managed", |provider| provider.name.as_str())
}
