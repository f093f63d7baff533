//! What an account says of what would be deployed. Each part was read by itself: an error says why it was not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::aws::{ClusterProviders, KmsKey, NatGateway, RouteTable, Subnet, VpcEndpoint};
use crate::base::{Findings, Place};

/// Read, or why not.
pub type Read<T> = Result<T, String>;

/// All that was asked of an account, beside its secrets' values.
#[derive(Debug, Clone)]
pub struct AccountFacts {
    pub account: String,
    pub region: String,
    /// How many things the files look up and the account has, and what is to be said of the others.
    pub lookups: Read<(usize, Findings)>,
    pub families: Vec<FamilyFacts>,
    /// By usage. `None`: the stack makes them itself.
    pub subnets: Option<Read<BTreeMap<String, Vec<Subnet>>>>,
    pub roads: Read<Roads>,
    /// By their names in the compose files.
    pub secrets: BTreeMap<String, Read<SecretAccess>>,
    pub images: Read<Vec<ImageFacts>>,
    /// The name of the cluster, and what it is associated with. `None`: the stack makes it itself.
    pub cluster: Option<(String, Read<ClusterProviders>)>,
    pub validation: Validated,
}

/// What becomes one ECS service.
#[derive(Debug, Clone)]
pub struct FamilyFacts {
    pub name: String,
    /// The usage of its subnets.
    pub usage: String,
    pub public_ip: bool,
    /// Tasks that run when all is well, and while a deployment replaces them.
    pub count: u32,
    pub most: u32,
    /// Tasks that run already.
    pub running: u32,
    /// What a task asks of AWS before it runs: the last parts of the services' names.
    pub asks: BTreeSet<&'static str>,
    /// An image that is not in ECR.
    pub pulls_elsewhere: Option<String>,
    /// Capacity providers, where it names them.
    pub providers: Vec<String>,
    /// The ARN of the log group that its tasks write to.
    pub log_group: String,
    /// The repositories of ECR that its images come from: the ARN of each, by its name.
    pub repositories: BTreeMap<String, String>,
    pub roles: Vec<RoleFacts>,
    pub place: Option<Place>,
}

/// A role of a family, as the template makes it.
#[derive(Debug, Clone)]
pub struct RoleFacts {
    /// `execution` or `task`.
    pub kind: &'static str,
    /// The start of its name, which CloudFormation makes.
    pub name_start: String,
    /// That is the whole of it.
    pub whole_name: bool,
    /// Its inline policies, with the parameters' values in them, and the managed ones.
    pub policies: Vec<Value>,
    /// Managed policies that could not be read, each with the reason.
    pub unread: Vec<String>,
    /// The permissions boundary: its ARN and document.
    pub boundary: Option<(String, Read<Value>)>,
    /// The secrets that it must be able to read, by their names in the compose files.
    pub secrets: Vec<String>,
}

/// How the VPC's subnets lead out.
#[derive(Debug, Clone, Default)]
pub struct Roads {
    pub tables: Vec<RouteTable>,
    pub nat_gateways: Vec<NatGateway>,
    pub endpoints: Vec<VpcEndpoint>,
}

/// Who may read a stored secret, as far as the secret itself says.
#[derive(Debug, Clone)]
pub struct SecretAccess {
    pub arn: String,
    pub name: String,
    pub policy: Read<Option<Value>>,
    pub key: KeyAccess,
}

/// The key that a secret is encrypted with.
#[derive(Debug, Clone)]
pub enum KeyAccess {
    /// The account's own for Secrets Manager: whoever may read the secret may use it.
    Default,
    Key {
        key: KmsKey,
        policy: Read<Option<Value>>,
    },
    /// There is none of this id.
    Missing(String),
    Unread(String),
}

/// An image that tasks run.
#[derive(Debug, Clone)]
pub struct ImageFacts {
    pub image: String,
    pub services: Vec<String>,
    /// `amd64`, `arm64`.
    pub architecture: &'static str,
    /// The project builds it.
    pub built: bool,
    /// `images push` puts it together.
    pub plugins: bool,
    pub state: ImageState,
    pub place: Option<Place>,
}

#[derive(Debug, Clone)]
pub enum ImageState {
    There {
        digest: String,
    },
    /// It is there for other processors.
    OtherPlatforms(Vec<String>),
    /// It holds others than the files name.
    OtherPlugins,
    Missing,
    NoName(String),
    /// Its registry could not be asked from here.
    Unasked(String),
}

/// What CloudFormation said of the template.
#[derive(Debug, Clone)]
pub enum Validated {
    Yes,
    No(String),
    Unasked(String),
}
