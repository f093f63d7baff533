//! What a preflight is about, gathered from the project, the catalogue and the stored secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::aws::AccountFacts;
use super::cluster::ClusterFacts;
use super::report::{Aws, Kafka, TargetFacts};
use crate::base::{Findings, Place};
use crate::confluent::{Connector, Environment};
use crate::kafka::AwsKeys;
use crate::profile::Component;

/// A stored secret, as far as it was read. Values are in the services' environments; here are only names.
#[derive(Debug, Clone)]
pub struct StoredKeys {
    pub keys: BTreeSet<String>,
    /// Keys whose value is empty or has blanks around it.
    pub spoilt: BTreeMap<String, &'static str>,
    /// Where it came from, in words.
    pub source: String,
}

/// What became of reading a secret.
#[derive(Debug, Clone)]
pub enum SecretState {
    Read(StoredKeys),
    /// Not read; the sentence says why. Nothing is wrong with the secret as far as we know.
    Unread(String),
    /// It is not there or can't be used.
    Broken(String),
}

/// A secret that services read.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its name in the compose files.
    pub name: String,
    /// Its name in Secrets Manager.
    pub stored_as: Option<String>,
    pub service: String,
    /// The keys that the service takes, with their variables. Empty: the whole secret is one variable.
    pub keys: BTreeMap<String, String>,
    pub state: SecretState,
    pub place: Option<Place>,
}

/// A service that runs a known component.
#[derive(Debug, Clone)]
pub struct Service {
    pub name: String,
    pub component: Component,
    pub image: String,
    /// As the container will have it, with the secrets that could be read.
    pub environment: Environment,
    /// As the files describe them.
    pub connectors: Vec<Connector>,
    /// What is wrong with its settings.
    pub findings: Findings,
    pub place: Option<Place>,
    /// Files and folders of this machine by where they are in the container.
    pub files: BTreeMap<String, PathBuf>,
}

impl Service {
    /// A file of the container as it is on this machine, where it is mounted from here.
    pub(super) fn file(&self, inside: &str) -> Option<PathBuf> {
        self.files.iter().find_map(|(target, source)| {
            let rest = inside.strip_prefix(target.trim_end_matches('/'))?;
            match rest.strip_prefix('/') {
                Some(rest) => Some(source.join(rest)),
                None => rest.is_empty().then(|| source.clone()),
            }
        })
    }
}

/// The addresses of a service's own running tasks, by which its members of a group are told from others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Own {
    /// All of them; none where it does not run yet.
    Known(BTreeSet<IpAddr>),
    /// Nobody knows; why.
    Unknown(String),
}

/// A name that leads to a service of this very stack, and how the template wires it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnHost {
    /// The service that answers there.
    pub service: String,
    /// Other tasks find the name: in Cloud Map, in Service Connect, in a hosted zone.
    pub found: bool,
    /// The services for which Service Connect knows the name; `None`: everybody finds it.
    pub known_to: Option<BTreeSet<String>>,
    pub ports: BTreeSet<u16>,
    /// Who is let in by its security group, on which port.
    pub lets_in: BTreeSet<(String, u16)>,
}

/// Everything that is known before anything is asked.
#[derive(Debug, Clone)]
pub struct Input {
    pub project: String,
    pub env: Option<String>,
    pub files: Vec<String>,
    /// What is wrong with the project as a whole.
    pub findings: Findings,
    pub cluster: ClusterFacts,
    pub services: Vec<Service>,
    pub secrets: Vec<Secret>,
    /// By service. One that is missing was not asked about.
    pub own: BTreeMap<String, Own>,
    pub aws: Option<Aws>,
    /// The caller's AWS credentials, for a login with them; or why there are none.
    pub aws_keys: Result<AwsKeys, String>,
    /// Those credentials are the task's own, and not somebody's who stands for it.
    pub as_task: bool,
    /// What the account says; `None` where it was not asked.
    pub account: Option<AccountFacts>,
    /// Names that lead to what this very stack deploys.
    pub own_hosts: BTreeMap<String, OwnHost>,
}

impl Input {
    pub(super) fn facts(&self) -> TargetFacts {
        TargetFacts {
            project: self.project.clone(),
            env: self.env.clone(),
            services: self.services.iter().map(|service| service.name.clone()).collect(),
            kafka: Some(Kafka {
                provider: self.cluster.provider_name.clone(),
                title: self.cluster.title.clone(),
                cluster: self.cluster.id.clone(),
            }),
            aws: self.aws.clone(),
        }
    }
}
