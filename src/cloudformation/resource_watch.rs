//! The resources that watch: alarms, and the topics that hear of them.

// The names are CloudFormation's.
#![allow(clippy::struct_field_names)]

use serde::Serialize;
use serde_json::{Map, Value};

use super::Expression;
use super::resource::Tag;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MetricAlarm {
    pub alarm_actions: Vec<Expression>,
    pub alarm_description: String,
    pub comparison_operator: &'static str,
    pub datapoints_to_alarm: u32,
    pub dimensions: Vec<Dimension>,
    pub evaluation_periods: u32,
    pub metric_name: &'static str,
    pub namespace: &'static str,
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<Expression>,
    pub period: u32,
    pub statistic: &'static str,
    pub tags: Vec<Tag>,
    pub threshold: u32,
    pub treat_missing_data: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Dimension {
    pub name: &'static str,
    pub value: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CompositeAlarm {
    pub alarm_actions: Vec<Expression>,
    pub alarm_description: String,
    pub alarm_rule: Expression,
    #[serde(rename = "OKActions")]
    pub ok_actions: Vec<Expression>,
    pub tags: Vec<Tag>,
    /// What the files say besides.
    #[serde(flatten)]
    pub written: Map<String, Value>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Topic {
    pub content_based_deduplication: Option<bool>,
    pub display_name: Option<String>,
    pub fifo_topic: Option<bool>,
    pub kms_master_key_id: Option<Expression>,
    pub subscription: Vec<Subscription>,
    pub tags: Vec<Tag>,
    pub topic_name: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Subscription {
    pub endpoint: Expression,
    pub protocol: String,
}
