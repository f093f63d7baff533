//! The template as a value, its parameters with their needs, and its text.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Expression;
use super::resource::Resource;
use crate::base::{Findings, Place, yaml};
use crate::stack::{Need, SecretLookup};

/// A CloudFormation template with what a deploy needs to know of it. The same stack gives the same bytes.
#[derive(Debug, Clone)]
pub struct Template {
    /// The CloudFormation stack's name.
    pub stack_name: String,
    pub description: String,
    pub parameters: BTreeMap<String, Parameter>,
    pub resources: BTreeMap<String, Resource>,
    pub outputs: BTreeMap<String, Output>,
    /// Tags for the stack itself. CloudFormation hands them on to what cannot be tagged in the template.
    pub tags: BTreeMap<String, String>,
    /// The ECS services, in the order of their families.
    pub services: Vec<DeployedService>,
    /// What `Resources` of the files changes or adds, whole: these stand in the template instead of, or besides, [`Self::resources`].
    pub overlaid: BTreeMap<String, Value>,
    /// Where the files say so.
    pub overlaid_at: BTreeMap<String, Place>,
    /// What is to be said about it.
    pub findings: Findings,
}

/// Where a family stands in the template: for watching and asking after it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedService {
    pub family: String,
    /// The compose services in it.
    pub containers: Vec<String>,
    /// Logical ids.
    pub service: String,
    pub task_definition: String,
    pub log_group: String,
    pub target_groups: Vec<String>,
    /// The parameter that says how many tasks run.
    pub desired_count: String,
    /// What bounds the count, where scaling rules it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scalable_target: Option<String>,
    /// What of it can be asked whether it answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apis: Vec<DeployedApi>,
}

/// A component's own interface, and the ways that lead to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeployedApi {
    pub container: String,
    /// `Kafka Connect`.
    pub title: String,
    pub port: u16,
    /// What it answers with 200.
    pub path: String,
    pub ways: Vec<Way>,
}

/// A listener of a load balancer that sends requests for this path to the component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// As the files name it.
    pub balancer: String,
    /// The output of the stack with the balancer's address.
    pub address: String,
    /// `http` or `https`.
    pub scheme: String,
    pub port: u16,
    /// The names that people reach it by; the balancer's own address where there are none.
    pub hosts: Vec<String>,
    /// The listener sends only requests for these names there.
    pub only_hosts: bool,
    /// The balancer asks for a login first.
    pub login: bool,
}

/// A parameter: what it is for, and where `up` finds its value.
#[derive(Debug, Clone)]
pub struct Parameter {
    pub kind: ParameterType,
    pub description: String,
    /// The value where no account is needed to know it.
    pub default: Option<String>,
    pub need: Need,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    String,
    Number,
    VpcId,
    SubnetIds,
    SecurityGroupId,
    HostedZoneId,
}

impl ParameterType {
    pub fn name(self) -> &'static str {
        match self {
            Self::String => "String",
            Self::Number => "Number",
            Self::VpcId => "AWS::EC2::VPC::Id",
            Self::SubnetIds => "List<AWS::EC2::Subnet::Id>",
            Self::SecurityGroupId => "AWS::EC2::SecurityGroup::Id",
            Self::HostedZoneId => "AWS::Route53::HostedZone::Id",
        }
    }
}

#[derive(Debug, Clone)]
pub struct Output {
    pub description: String,
    pub value: Expression,
}

impl Template {
    /// The capabilities that CloudFormation asks to be acknowledged: roles without names of their own.
    pub const CAPABILITIES: [&str; 1] = ["CAPABILITY_IAM"];

    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.to_value()).unwrap_or_default();
        text.push('\n');
        text
    }

    /// As short as it can be: what a call to CloudFormation carries.
    pub fn to_json_minified(&self) -> String {
        self.to_value().to_string()
    }

    pub fn to_yaml(&self) -> String {
        yaml::to_string(&self.to_value())
    }

    /// The parameter file in the form that AWS's own tools take, with the values that `looked_up` has. What only an account knows is an
    /// empty string without it.
    pub fn parameters_json<'a>(&'a self, looked_up: impl Fn(&str) -> Option<&'a str>) -> String {
        let value = |key: &str, parameter: &'a Parameter| looked_up(key).or(parameter.default.as_deref()).unwrap_or_default();
        let list: Vec<Value> = self
            .parameters
            .iter()
            .map(|(key, parameter)| json!({ "ParameterKey": key, "ParameterValue": value(key, parameter) }))
            .collect();
        let mut text = serde_json::to_string_pretty(&list).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The parameters that have no value without an account.
    pub fn open_parameters(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.parameters
            .iter()
            .filter(|(_, parameter)| parameter.default.is_none())
            .map(|(name, parameter)| (name.as_str(), parameter))
    }

    /// Every resource as it stands in the template, by its logical id.
    pub fn resource_values(&self) -> BTreeMap<String, Value> {
        let ours = self.resources.iter().filter(|(id, _)| !self.overlaid.contains_key(*id));
        let ours = ours.map(|(id, resource)| (id.clone(), resource.to_value()));
        ours.chain(self.overlaid.iter().map(|(id, value)| (id.clone(), value.clone()))).collect()
    }

    pub(super) fn to_value(&self) -> Value {
        let section = |entries: Vec<(&String, Value)>| {
            Value::Object(entries.into_iter().map(|(name, value)| (name.clone(), value)).collect::<Map<_, _>>())
        };
        let mut template = Map::new();
        template.insert("AWSTemplateFormatVersion".to_owned(), "2010-09-09".into());
        template.insert("Description".to_owned(), self.description.clone().into());
        if !self.parameters.is_empty() {
            let parameters = self.parameters.iter().map(|(name, parameter)| (name, parameter.to_value())).collect();
            template.insert("Parameters".to_owned(), section(parameters));
        }
        template.insert("Resources".to_owned(), Value::Object(self.resource_values().into_iter().collect()));
        if !self.outputs.is_empty() {
            let outputs = self.outputs.iter().map(|(name, output)| (name, output.to_value())).collect();
            template.insert("Outputs".to_owned(), section(outputs));
        }
        Value::Object(template)
    }
}

impl Parameter {
    fn to_value(&self) -> Value {
        let mut value = Map::new();
        value.insert("Type".to_owned(), self.kind.name().into());
        value.insert("Description".to_owned(), self.description.clone().into());
        if let Some(default) = &self.default {
            value.insert("Default".to_owned(), default.clone().into());
        }
        if matches!(self.need, Need::SecretArn { .. }) {
            value.insert("AllowedPattern".to_owned(), "arn:[^:]+:secretsmanager:[^:]+:[0-9]{12}:secret:.+".into());
        }
        if matches!(self.need, Need::DesiredCount { .. }) {
            value.insert("MinValue".to_owned(), 0.into());
        }
        Value::Object(value)
    }

    /// The parameter of a secret's ARN, with its value where the files hold the ARN.
    pub(super) fn secret_arn(secret: &str, lookup: &SecretLookup) -> Self {
        let default = match lookup {
            SecretLookup::Arn(arn) => arn.literal().map(str::to_owned),
            _ => None,
        };
        Self {
            kind: ParameterType::String,
            description: format!("ARN of the secret {}, with the six characters at its end", lookup.words()),
            default,
            need: Need::SecretArn { secret: secret.to_owned(), lookup: lookup.clone() },
        }
    }
}

impl Output {
    fn to_value(&self) -> Value {
        json!({ "Description": self.description, "Value": self.value })
    }
}
