//! Project and knowledge → [`Stack`]: every decision that a template needs.
//!
//! Comes in: the merged project, its x- vocabulary, the catalogue. Goes out: the stack and findings. Rules: pure; no account,
//! no clock, no secret value; what an account must supply is a [`Need`].

mod alarms;
mod attributes;
mod balancing;
mod build;
mod command;
mod connecting;
mod container;
mod dockerfile;
mod family;
mod front;
mod health;
mod image;
mod kafka;
mod listening;
mod model;
mod names;
mod need;
mod plugins;
mod publishing;
mod rollout;
mod secrets;
mod settings;
mod size;
mod standing;
mod storage;
mod tags;
mod text;
mod tmpfs;
mod unique;
mod unsupported;
mod volumes;
mod watch;
mod wiring;

pub use plugins::{ClassPath, Layered, Piece};
pub use text::url_suffix;

pub use build::{Identity, build};
pub use dockerfile::dockerfile;
pub use front::{
    Alias, Answer, Balancer, BalancerKind, Certificate, CertificateSource, Listener, Rule, TargetGroup, TargetHealthCheck,
    TargetMember, Zone,
};
pub use listening::pattern_fits;
pub use model::{
    Api, Architecture, Capacity, Cluster, Condition, Container, Family, Group, HealthCheck, Iam, Ingress, Namespace, OutsideRule,
    Peer, PolicyName, Port, Protocol, Provider, Registration, Repository, Rollout, Scaling, ScheduledAction, SecretSource, Size,
    Stack, StackSecret, Ulimit, VpcSource,
};
pub use names::logical;
pub use need::{BalancerFact, Lookup, Need, SecretLookup};
pub use storage::{Efs, Mount, Tmpfs, Volume, VolumeKind};
pub use tags::{ENV_TAG, PROJECT_TAG, VERSION_TAG};
pub use text::{Part, Text, without_marks};
pub use watch::{Alarm, AlarmKind, Connect, ConnectNamespace, Offer, RulePart, ServiceMetric, StepScaling, Topic, TopicSource};

// What others say in full, and nothing is left to decide about.
pub use crate::confluent::grant::{MskResource, MskRight};
pub use crate::extensions::{
    Conditions, Dhcp, ExecLogging, IdentityProvider, Login, Nat, NewCluster, NewTopic, NewVpc, OverlayResource, Reply,
    ScalingStep,
};

#[cfg(test)]
mod front_tests;
#[cfg(test)]
mod tests;
