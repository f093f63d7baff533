//! Alarms and the topics that hear of them, decided.

use serde_json::{Map, Value};

use super::{Lookup, Text};
use crate::extensions::{NewTopic, ScalingStep};

/// An alarm of CloudWatch.
#[derive(Debug, Clone)]
pub struct Alarm {
    pub id: String,
    pub description: String,
    pub kind: AlarmKind,
    /// Keys of [`Stack::topics`](super::Stack::topics).
    pub on_alarm: Vec<String>,
    pub on_ok: Vec<String>,
    /// The families whose tasks follow it.
    pub scales: Vec<StepScaling>,
}

/// As many tasks as the step says while an alarm is on, and the least when it is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepScaling {
    pub family: String,
    pub steps: Vec<ScalingStep>,
    pub scale_in_cooldown: u32,
    pub scale_out_cooldown: u32,
}

#[derive(Debug, Clone)]
pub enum AlarmKind {
    /// A metric of a family's service over a threshold.
    Service(ServiceMetric),
    /// CloudFormation's properties as written, with the dimensions of a family's service where one is named.
    Written { properties: Map<String, Value>, family: Option<String> },
    /// A rule over alarms of this stack, by their ids: text, and in between the alarms.
    Composite { rule: Vec<RulePart>, properties: Map<String, Value> },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceMetric {
    pub family: String,
    pub namespace: &'static str,
    pub metric: &'static str,
    pub statistic: &'static str,
    /// The alarm is on from this value up.
    pub threshold: u32,
    pub period: u32,
    pub evaluation_periods: u32,
    pub datapoints: u32,
}

impl ServiceMetric {
    /// What a time without data is taken for.
    pub const MISSING: &'static str = "notBreaching";
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RulePart {
    Text(String),
    /// An alarm's id.
    Alarm(String),
}

/// A topic of SNS.
#[derive(Debug, Clone)]
pub struct Topic {
    /// The start of its logical ids.
    pub id: String,
    pub source: TopicSource,
}

#[derive(Debug, Clone)]
pub enum TopicSource {
    /// By its ARN or its tags.
    Existing(Lookup),
    New(NewTopic),
}

/// A family in Service Connect.
#[derive(Debug, Clone)]
pub struct Connect {
    pub namespace: ConnectNamespace,
    pub offers: Vec<Offer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConnectNamespace {
    /// A key of [`Stack::namespaces`](super::Stack::namespaces).
    Named(String),
    /// The name or ARN of one that is there.
    Other(Text),
}

/// A port that clients find by a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub container: String,
    pub port: u16,
    pub port_name: String,
    pub discovery_name: String,
    /// The names and ports that clients use.
    pub aliases: Vec<(String, u16)>,
    pub app_protocol: Option<&'static str>,
    pub ingress_port: Option<u16>,
    pub idle_timeout: Option<u32>,
    pub request_timeout: Option<u32>,
}
