//! The stack: every decision made. No secret value, no blank: what an account must supply is a [`Need`](super::Need).

use std::collections::BTreeMap;

use super::{Alarm, Balancer, Certificate, Connect, Layered, Lookup, Mount, SecretLookup, Text, Tmpfs, Topic, Volume, Zone};
use crate::confluent::grant::MskRight;
use crate::extensions::{NewCluster, NewVpc, OverlayResource};

/// One CloudFormation stack.
#[derive(Debug, Clone)]
pub struct Stack {
    /// The CloudFormation stack's name.
    pub name: String,
    pub project: String,
    pub env: Option<String>,
    /// The user's and our own, on everything.
    pub tags: BTreeMap<String, Text>,
    pub vpc: VpcSource,
    /// Only the usages that something stands in.
    pub subnets: BTreeMap<String, Lookup>,
    pub cluster: Cluster,
    /// By the name of the namespace.
    pub namespaces: BTreeMap<String, Namespace>,
    /// By their names in the compose files; only those that a container reads.
    pub secrets: BTreeMap<String, StackSecret>,
    /// By name.
    pub families: Vec<Family>,
    /// By name.
    pub balancers: Vec<Balancer>,
    /// By their keys; only those that a listener uses.
    pub certificates: BTreeMap<String, Certificate>,
    /// By their keys; only those that something uses.
    pub zones: BTreeMap<String, Zone>,
    /// By their keys: those that an alarm uses, and those that this stack makes.
    pub topics: BTreeMap<String, Topic>,
    pub alarms: Vec<Alarm>,
    /// Raw CloudFormation that is laid over the template, last of all.
    pub overlay: Vec<OverlayResource>,
    /// The ARN of the MSK cluster whose rights are in task roles, where one has any.
    pub msk_cluster: Option<Lookup>,
    /// Rules on security groups that are not of this stack, for the families that are clients behind them.
    pub outside_rules: Vec<OutsideRule>,
}

/// The VPC that everything stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VpcSource {
    Existing(Lookup),
    /// Only where the files ask for one.
    New(NewVpc),
}

/// The ECS cluster that the services run in.
#[derive(Debug, Clone)]
pub enum Cluster {
    /// By its name, or its tags.
    Existing(Lookup),
    New(Box<NewCluster>),
}

/// A family that a security group of an MSK cluster or of a file system lets in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutsideRule {
    /// What stands behind the group: the start of the rule's name.
    pub behind: &'static str,
    pub group: Text,
    pub family: String,
    pub port: u16,
}

/// A Cloud Map private DNS namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    pub id: String,
    pub name: Text,
    /// It is there already and is looked up; else this stack makes it.
    pub existing: bool,
    /// Its own id, where the files give it.
    pub namespace_id: Option<Text>,
    pub description: Option<Text>,
}

/// A secret of Secrets Manager that this stack reads and never makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackSecret {
    /// The start of its logical ids.
    pub id: String,
    pub lookup: SecretLookup,
    /// Also readable by the running container itself, not only by ECS for it.
    pub task_may_read: bool,
}

/// What becomes one task definition and one ECS service.
#[derive(Debug, Clone)]
pub struct Family {
    pub name: String,
    /// The start of its logical ids.
    pub id: String,
    /// In the order in which they stand in the task definition.
    pub containers: Vec<Container>,
    pub size: Size,
    pub architecture: Architecture,
    pub ephemeral_gib: Option<u32>,
    pub count: u32,
    pub scaling: Option<Scaling>,
    pub rollout: Rollout,
    pub capacity: Capacity,
    pub execute_command: bool,
    pub public_ip: bool,
    /// The usage of the subnets that its tasks stand in.
    pub subnets: String,
    /// Security groups of the account that its tasks join besides their own.
    pub joined_groups: Vec<Group>,
    /// Who may open a connection to it.
    pub ingress: Vec<Ingress>,
    pub registration: Option<Registration>,
    /// Service Connect.
    pub connect: Option<Connect>,
    pub log_retention_days: u32,
    /// The log group's name, only where the files ask for one.
    pub log_group: Option<Text>,
    /// What its containers mount.
    pub volumes: Vec<Volume>,
    /// Topics that its tasks publish to: keys of [`Stack::topics`].
    pub publishes: Vec<String>,
    pub iam: Iam,
    /// What its task role is allowed on an MSK cluster that asks IAM.
    pub kafka_rights: Vec<MskRight>,
}

/// Additions of the user to the task role, and the boundary of both roles.
#[derive(Debug, Clone, Default)]
pub struct Iam {
    pub managed_policies: Vec<PolicyName>,
    /// Name and document, as written.
    pub policies: Vec<(String, serde_json::Value)>,
    pub boundary: Option<PolicyName>,
}

/// A policy of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyName {
    Arn(Text),
    /// Of one of this account's own, with its path.
    Own(Text),
}

/// A security group that is there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// The start of its parameter's name, where it is looked up.
    pub id: String,
    pub lookup: Lookup,
    /// The account that it belongs to, where it is another.
    pub owner: Option<Text>,
}

/// CPU units and MiB of a task: a pair that Fargate has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    pub cpu: u32,
    pub memory: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Architecture {
    #[default]
    X86_64,
    Arm64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capacity {
    /// Launch type FARGATE.
    Fargate,
    /// The strategy as written.
    Providers(Vec<Provider>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    pub name: String,
    pub base: u32,
    pub weight: u32,
}

/// How one set of tasks replaces another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rollout {
    pub minimum_percent: u32,
    pub maximum_percent: u32,
    pub az_rebalancing: bool,
    /// Seconds in which a load balancer's verdict is not listened to.
    pub grace: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scaling {
    pub minimum: u32,
    pub maximum: u32,
    pub memory_percent: Option<u32>,
    pub cpu_percent: Option<u32>,
    pub scale_in_cooldown: u32,
    pub scale_out_cooldown: u32,
    pub disable_scale_in: bool,
    pub schedule: Vec<ScheduledAction>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledAction {
    pub name: String,
    pub schedule: String,
    pub timezone: Option<String>,
    pub start: Option<String>,
    pub end: Option<String>,
    pub minimum: Option<u32>,
    pub maximum: Option<u32>,
}

// The booleans are independent switches of a task definition.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone)]
pub struct Container {
    /// The compose service's name.
    pub name: String,
    pub image: Text,
    /// Where the image is in ECR, whose rights the execution role then needs.
    pub repository: Option<Repository>,
    /// What is laid on the image that the files name, where anything is.
    pub layered: Option<Layered>,
    pub entrypoint: Option<Vec<Text>>,
    pub command: Option<Vec<Text>>,
    pub environment: BTreeMap<String, Text>,
    /// Variables that hold the ARN of a topic: its key, by variable.
    pub topics: BTreeMap<String, String>,
    /// By variable.
    pub secrets: BTreeMap<String, SecretSource>,
    /// Secrets that stand in no variable: what runs in the container fetches them.
    pub read_by_itself: Vec<String>,
    pub ports: Vec<Port>,
    /// What a component answers on, where the container runs one.
    pub api: Option<Api>,
    /// The task stops when it stops.
    pub essential: bool,
    pub health_check: Option<HealthCheck>,
    pub stop_timeout: Option<u32>,
    pub labels: BTreeMap<String, Text>,
    /// CPU units, where the files say.
    pub cpu: Option<u32>,
    /// MiB it may not go over.
    pub memory: Option<u32>,
    /// MiB kept for it.
    pub memory_reservation: Option<u32>,
    pub user: Option<Text>,
    pub working_dir: Option<Text>,
    pub read_only: bool,
    pub init: bool,
    pub tty: bool,
    pub interactive: bool,
    pub ulimits: Vec<Ulimit>,
    /// Containers of the same task that must have come this far first.
    pub depends_on: Vec<(String, Condition)>,
    pub mounts: Vec<Mount>,
    pub tmpfs: Vec<Tmpfs>,
    /// Containers of the same task whose mounts it takes, and whether for reading only.
    pub mounts_of: Vec<(String, bool)>,
    pub capabilities_added: Vec<String>,
    pub capabilities_dropped: Vec<String>,
    /// Parameters of the kernel.
    pub sysctls: BTreeMap<String, Text>,
    /// Options of the log driver besides group, region and prefix.
    pub log_options: BTreeMap<String, Text>,
    /// The start of the names of its log streams.
    pub log_prefix: Option<Text>,
}

/// A component's own HTTP interface: what a running one answers with 200.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    /// `Kafka Connect`.
    pub title: String,
    pub port: u16,
    pub path: String,
}

/// A repository of ECR.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Repository {
    pub account: Text,
    pub region: Text,
    pub name: Text,
}

/// Where the value of a variable comes from: a secret, whole or one key of its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretSource {
    /// The secret's name in the compose files.
    pub secret: String,
    pub key: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port {
    pub number: u16,
    pub protocol: Protocol,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    Tcp,
    Udp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthCheck {
    /// `CMD` or `CMD-SHELL` first.
    pub command: Vec<Text>,
    pub interval: Option<u32>,
    pub timeout: Option<u32>,
    pub retries: Option<u32>,
    pub start_period: Option<u32>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ulimit {
    pub name: String,
    pub soft: i64,
    pub hard: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    Start,
    Complete,
    Success,
    Healthy,
}

/// A rule that lets somebody in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ingress {
    pub from: Peer,
    pub port: Port,
    /// Why it is there; shown in the rule.
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// The family itself.
    Myself,
    Family(String),
    Balancer(String),
    Cidr4(String),
    Cidr6(String),
    SecurityGroup(Group),
    PrefixList(Group),
}

/// A family's name in a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub namespace: String,
    pub name: String,
    /// Shown besides the address, where the files ask for it.
    pub port: Option<u16>,
}

impl Stack {
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.name == name)
    }
}

impl Family {
    /// Every port that a container of it opens, each once.
    pub fn ports(&self) -> Vec<Port> {
        let mut ports: Vec<Port> = self.containers.iter().flat_map(|container| container.ports.iter().copied()).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} vCPU with {} GB", f64::from(self.cpu) / 1024.0, f64::from(self.memory) / 1024.0)
    }
}
