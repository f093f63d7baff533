//! Load balancers, decided: listeners with their rules, target groups, names; and what they need of an account.

use std::collections::BTreeMap;

use super::{Ingress, Lookup, Text};
use crate::extensions::{Conditions, Login, Reply};

#[derive(Debug, Clone)]
pub struct Balancer {
    pub name: String,
    pub id: String,
    pub kind: BalancerKind,
    /// It is there, and this stack adds to it.
    pub existing: Option<Lookup>,
    /// Its name in the account, only where the files ask for one.
    pub physical_name: Option<Text>,
    pub internet_facing: bool,
    /// IPv6 as well.
    pub dual_stack: bool,
    pub subnets: String,
    /// Its attributes: ours, and those written.
    pub attributes: BTreeMap<String, Text>,
    /// Its own, besides those of the stack.
    pub tags: BTreeMap<String, Text>,
    pub ingress: Vec<Ingress>,
    pub listeners: Vec<Listener>,
    pub targets: Vec<TargetGroup>,
    pub aliases: Vec<Alias>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalancerKind {
    Application,
    Network,
}

/// A name in a hosted zone that leads to the balancer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    pub name: Text,
    /// A key of [`Stack::zones`](super::Stack::zones).
    pub zone: String,
}

#[derive(Debug, Clone)]
pub struct Listener {
    pub port: u16,
    /// It is there; [`Lookup::Unsaid`] is the one on this port.
    pub existing: Option<Lookup>,
    pub protocol: String,
    /// Keys of [`Stack::certificates`](super::Stack::certificates), the default one first.
    pub certificates: Vec<String>,
    pub ssl_policy: Option<String>,
    pub alpn_policy: Option<&'static str>,
    /// What requests get that no rule takes; nothing where the listener is there and has its own.
    pub default: Option<Answer>,
    /// In the order in which they are asked.
    pub rules: Vec<Rule>,
}

/// Where requests go, or what they get.
#[derive(Debug, Clone)]
pub enum Answer {
    /// To these target groups, by their names and weighted equally, after a login where one is asked for.
    Forward {
        targets: Vec<String>,
        login: Option<Login>,
    },
    Reply(Reply),
}

#[derive(Debug, Clone)]
pub struct Rule {
    pub conditions: Conditions,
    pub answer: Answer,
}

/// The tasks behind a balancer that share a port.
#[derive(Debug, Clone)]
pub struct TargetGroup {
    /// As the listener names it: `family:container`.
    pub name: String,
    pub id: String,
    pub members: Vec<TargetMember>,
    pub port: u16,
    pub protocol: String,
    /// Of HTTP between balancer and container.
    pub version: Option<&'static str>,
    pub health_check: TargetHealthCheck,
    pub attributes: BTreeMap<String, Text>,
    /// Its own tags, besides those of the stack.
    pub tags: BTreeMap<String, Text>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetMember {
    pub family: String,
    pub container: String,
    pub port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetHealthCheck {
    pub port: Option<u16>,
    pub protocol: Option<String>,
    pub healthy: Option<u32>,
    pub unhealthy: Option<u32>,
    pub interval: Option<u32>,
    pub timeout: Option<u32>,
    pub path: Option<String>,
    pub codes: Option<String>,
    /// The codes are those of gRPC.
    pub grpc: bool,
}

/// A certificate of ACM.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The start of its logical ids.
    pub id: String,
    pub source: CertificateSource,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CertificateSource {
    /// By its ARN, its domain or its tags.
    Existing(Lookup),
    /// This stack asks for it; records in the zone, a key of [`Stack::zones`](super::Stack::zones), validate it.
    New { domains: Vec<Text>, zone: String },
}

/// A hosted zone that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    /// The start of its parameter's name.
    pub id: String,
    /// Its domain, where the files say it.
    pub name: Option<Text>,
    /// `Z…`, where the files give it.
    pub zone_id: Option<Text>,
    pub private: bool,
}

impl Answer {
    /// The target groups that requests go to.
    pub fn targets(&self) -> &[String] {
        match self {
            Self::Forward { targets, .. } => targets,
            Self::Reply(_) => &[],
        }
    }
}
