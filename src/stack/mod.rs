//! Project and knowledge → [`Stack`]: every decision that a template needs.
//!
//! Comes in: the merged project, its x- vocabulary, the catalogue. Goes out: the stack and findings. Rules: pure; no account,
//! no clock, no secret value; what an account must supply is a [`Need`].

mod balancing;
mod build;
mod command;
mod container;
mod family;
mod health;
mod image;
mod kafka;
mod model;
mod names;
mod need;
mod rollout;
mod secrets;
mod settings;
mod size;
mod standing;
mod tags;
mod text;
mod unsupported;
mod wiring;

pub use build::{Identity, build};
pub use model::{
    Architecture, Balancer, BalancerKind, Capacity, Condition, Container, Family, HealthCheck, Iam, Ingress, KafkaRule, Listener,
    Namespace, Peer, Port, Protocol, Provider, Registration, Repository, Rollout, Scaling, ScheduledAction, SecretSource, Size,
    Stack, StackSecret, TargetGroup, TargetHealthCheck, Ulimit,
};
pub use names::logical;
pub use need::{Lookup, Need, SecretLookup};
pub use tags::{ENV_TAG, PROJECT_TAG, VERSION_TAG};
pub use text::{Part, Text, without_marks};

#[cfg(test)]
mod tests;
