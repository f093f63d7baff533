//! Mistakes in a finished template that CloudFormation and cfn-lint let through, and that fail the deploy later or leave a hole.
//!
//! Comes in: the template as it will be sent, overlay and all; where the overlay's resources were written. Goes out: findings. Rules:
//! what can't be read because it is an expression is taken for right; what the stack was already warned of is not said twice, so world-open
//! rules and plain credentials are looked for in the overlay's resources alone.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Template;
use crate::base::{Code, Finding, Findings, Place};

/// Seconds and counts that ECS takes: property, least, most.
const HEALTH_CHECK: [(&str, i64, i64); 4] =
    [("Interval", 5, 300), ("Timeout", 2, 60), ("Retries", 1, 10), ("StartPeriod", 0, 300)];
const LONGEST_STOP: i64 = 120;

/// Actions that know no resource, besides those that only list or describe.
const NO_RESOURCE: [&str; 19] = [
    "cloudwatch:PutMetricData",
    "ecr-public:GetAuthorizationToken",
    "ecr:GetAuthorizationToken",
    "ecs:DiscoverPollEndpoint",
    "s3:GetAccountPublicAccessBlock",
    "servicediscovery:DiscoverInstances",
    "ses:GetSendQuota",
    "sts:GetCallerIdentity",
    "sts:GetServiceBearerToken",
    "tag:GetResources",
    "xray:GetSamplingRules",
    "xray:GetSamplingStatisticSummaries",
    "xray:GetSamplingTargets",
    "xray:PutTelemetryRecords",
    "xray:PutTraceSegments",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

/// Every mistake of these kinds. `overlaid`: the resources that an overlay wrote or changed, each with its place.
pub fn mistakes(template: &Template, overlaid: &BTreeMap<String, Place>) -> Findings {
    in_value(&template.to_value(), overlaid)
}

pub(super) fn in_value(template: &Value, overlaid: &BTreeMap<String, Place>) -> Findings {
    let Some(resources) = template["Resources"].as_object() else { return Findings::default() };
    let mut look = Look { resources, overlaid, findings: Findings::default() };
    for (id, resource) in resources {
        let properties = &resource["Properties"];
        match resource["Type"].as_str().unwrap_or_default() {
            "AWS::ECS::TaskDefinition" => look.task_definition(id, properties),
            "AWS::ECS::Service" => look.service(id, properties),
            "AWS::EC2::SecurityGroup" => {
                for (index, rule) in items(&properties["SecurityGroupIngress"]).enumerate() {
                    look.open(id, &format!("SecurityGroupIngress[{index}]"), rule);
                }
            }
            "AWS::EC2::SecurityGroupIngress" => look.open(id, "", properties),
            "AWS::IAM::Role" => {
                for (index, policy) in items(&properties["Policies"]).enumerate() {
                    look.policy(id, &format!("Policies[{index}].PolicyDocument"), &policy["PolicyDocument"]);
                }
            }
            "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy" | "AWS::IAM::RolePolicy" => {
                look.policy(id, "PolicyDocument", &properties["PolicyDocument"]);
            }
            _ => {}
        }
    }
    look.findings
}

struct Look<'a> {
    resources: &'a serde_json::Map<String, Value>,
    overlaid: &'a BTreeMap<String, Place>,
    findings: Findings,
}

impl<'a> Look<'a> {
    fn found(&mut self, finding: Finding, id: &str, property: &str, help: impl Into<String>) {
        let dot = if property.is_empty() { "" } else { "." };
        let finding = finding.path(format!("Resources.{id}.Properties{dot}{property}")).help(help);
        self.findings.push(match self.overlaid.get(id) {
            Some(place) if finding.place.is_none() => finding.at(place.clone()),
            _ => finding,
        });
    }

    fn task_definition(&mut self, id: &str, task: &Value) {
        for (index, container) in items(&task["ContainerDefinitions"]).enumerate() {
            let at = |property: &str| format!("ContainerDefinitions[{index}].{property}");
            let name = container["Name"].as_str().unwrap_or_default();
            let mut secrets = items(&container["Secrets"]).peekable();
            if secrets.peek().is_some() && task["ExecutionRoleArn"].is_null() {
                let message = format!("{name} reads secrets, and the task has no execution role to read them with");
                let help = "add ExecutionRoleArn, with secretsmanager:GetSecretValue on these secrets";
                self.found(Finding::error(Code::EXECUTION_ROLE, message), id, &at("Secrets"), help);
            }
            for secret in secrets {
                if let Some((text, key)) =
                    secret["ValueFrom"].as_str().or_else(|| secret["ValueFrom"]["Fn::Sub"].as_str()).and_then(cut_short)
                {
                    let message = format!("{text} names the key {key} without two colons after it");
                    let help = "write ARN:KEY:: — the colons stand for the stage and the version that are not said";
                    self.found(Finding::error(Code::SECRET_REFERENCE, message), id, &at("Secrets"), help);
                }
            }
            if let Some(stop) = number(&container["StopTimeout"]).filter(|stop| *stop > LONGEST_STOP) {
                let message = format!("{name} asks for {stop} s to stop; Fargate gives {LONGEST_STOP}");
                self.found(Finding::error(Code::TASK_LIMIT, message), id, &at("StopTimeout"), "120 or less");
            }
            for (property, least, most) in HEALTH_CHECK {
                let Some(value) = number(&container["HealthCheck"][property]) else { continue };
                if !(least..=most).contains(&value) {
                    let message = format!("the health check's {property} is {value}; ECS takes {least} to {most}");
                    let help = format!("{least} to {most}");
                    self.found(Finding::error(Code::TASK_LIMIT, message), id, &at(&format!("HealthCheck.{property}")), help);
                }
            }
            if self.overlaid.contains_key(id) {
                for variable in items(&container["Environment"]) {
                    let (key, value) = (variable["Name"].as_str().unwrap_or_default(), variable["Value"].as_str());
                    if is_credential(key) && value.is_some_and(|value| !value.is_empty()) {
                        let message =
                            format!("{key} stands in plain environment, where everybody who may describe the task reads it");
                        let help = "move it to Secrets Manager, and name it under Secrets";
                        self.found(Finding::error(Code::PLAIN_CREDENTIAL, message), id, &at("Environment"), help);
                    }
                }
            }
        }
    }

    fn service(&mut self, id: &str, service: &'a Value) {
        if !service["LaunchType"].is_null() && items(&service["CapacityProviderStrategy"]).next().is_some() {
            let message = "a launch type and a capacity provider strategy exclude each other";
            self.found(Finding::error(Code::LAUNCH, message), id, "LaunchType", "leave one of them out");
        }
        let Some(task) = self.referred(&service["TaskDefinition"]) else { return };
        let containers: Vec<&Value> = items(&task["ContainerDefinitions"]).collect();
        let awsvpc = task["NetworkMode"] == "awsvpc";
        for (index, balancer) in items(&service["LoadBalancers"]).enumerate() {
            let at = |property: &str| format!("LoadBalancers[{index}].{property}");
            let Some(name) = balancer["ContainerName"].as_str() else { continue };
            let Some(container) = containers.iter().find(|container| container["Name"] == name) else {
                let there = containers.iter().filter_map(|container| container["Name"].as_str()).collect::<Vec<_>>().join(", ");
                let message = format!("the task has no container {name}");
                self.found(Finding::error(Code::BALANCER_TARGET, message), id, &at("ContainerName"), format!("there is {there}"));
                continue;
            };
            let ports: BTreeSet<i64> =
                items(&container["PortMappings"]).filter_map(|mapping| number(&mapping["ContainerPort"])).collect();
            if let Some(port) = number(&balancer["ContainerPort"]).filter(|port| !ports.contains(port)) {
                let there = ports.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
                let message = format!("{name} doesn't open port {port}");
                self.found(Finding::error(Code::BALANCER_TARGET, message), id, &at("ContainerPort"), format!("it opens {there}"));
            }
            let group = self.referred(&balancer["TargetGroupArn"]);
            if awsvpc && group.is_some_and(|group| group["TargetType"] != "ip") {
                let message = "the target group is for instances; a task of Fargate is a target by its address";
                let of_group = balancer["TargetGroupArn"]["Ref"].as_str().and_then(|group| self.overlaid.get(group)).cloned();
                let mut finding = Finding::error(Code::TARGET_TYPE, message);
                finding.place = of_group;
                self.found(finding, id, &at("TargetGroupArn"), "TargetType: ip");
            }
        }
        let named: BTreeSet<&str> = containers
            .iter()
            .flat_map(|container| items(&container["PortMappings"]))
            .filter_map(|mapping| mapping["Name"].as_str())
            .collect();
        for (index, offer) in items(&service["ServiceConnectConfiguration"]["Services"]).enumerate() {
            let Some(port) = offer["PortName"].as_str().filter(|port| !named.contains(port)) else { continue };
            let help = format!("the task names {}", named.iter().copied().collect::<Vec<_>>().join(", "));
            let at = format!("ServiceConnectConfiguration.Services[{index}].PortName");
            let message = format!("Service Connect offers the port {port}, which no container names");
            self.found(Finding::error(Code::SERVICE_CONNECT_PORT, message), id, &at, help);
        }
    }

    /// The properties of what a `Ref` names in the same template.
    fn referred(&self, reference: &Value) -> Option<&'a Value> {
        self.resources.get(reference["Ref"].as_str()?).map(|resource| &resource["Properties"])
    }

    fn open(&mut self, id: &str, at: &str, rule: &Value) {
        let open = rule["CidrIp"] == "0.0.0.0/0" || rule["CidrIpv6"] == "::/0";
        if open && self.overlaid.contains_key(id) {
            let finding = Finding::warning(Code::WORLD_OPEN, "open to the whole internet");
            self.found(finding, id, at, "name the addresses that may come in");
        }
    }

    fn policy(&mut self, id: &str, at: &str, document: &Value) {
        let statements = items(&document["Statement"]).enumerate().filter(|(_, statement)| statement["Effect"] == "Allow");
        let statements: Vec<(usize, &Value)> = statements.collect();
        for (index, statement) in statements {
            let actions: Vec<&str> = items(&statement["Action"]).filter_map(Value::as_str).collect();
            let at = format!("{at}.Statement[{index}]");
            if let Some(all) = actions.iter().find(|action| **action == "*" || action.ends_with(":*")) {
                let message = format!("the policy allows every action: {all}");
                self.found(Finding::warning(Code::IAM_STAR, message), id, &at, "name the actions that are needed");
            } else if items(&statement["Resource"]).any(|resource| resource == "*")
                && let Some(action) = actions.iter().find(|action| knows_resources(action))
            {
                let message = format!("the policy allows {action} on everything");
                self.found(Finding::warning(Code::IAM_STAR, message), id, &at, "name the ARNs that it is needed on");
            }
        }
    }
}

/// The one value, or each of the list's.
fn items(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Null => Box::new(std::iter::empty()),
        Value::Array(list) => Box::new(list.iter()),
        one => Box::new(std::iter::once(one)),
    }
}

/// Numbers may be written as text.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn knows_resources(action: &str) -> bool {
    let operation = action.split_once(':').map_or(action, |(_, operation)| operation);
    !operation.starts_with("List") && !operation.starts_with("Describe") && !NO_RESOURCE.contains(&action)
}

fn is_credential(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "JAAS_CONFIG", "PRIVATE_KEY"].iter().any(|word| name.contains(word))
}

/// A reference to one key of a secret that ends before its two colons, and the key. An ARN of a secret has seven parts; the key, the stage
/// and the version follow.
fn cut_short(reference: &str) -> Option<(&str, &str)> {
    let (parts, whole) = match reference.strip_prefix("${").and_then(|rest| rest.split_once('}')) {
        // One parameter or attribute that is the ARN.
        Some((_, rest)) if rest.is_empty() || rest.starts_with(':') => (rest.split(':').collect::<Vec<_>>(), 1),
        None if reference.contains(":secretsmanager:") => (reference.split(':').collect(), 7),
        Some(_) | None => return None,
    };
    let further = parts.len().saturating_sub(whole);
    (further == 1 || further == 2).then(|| (reference, parts[whole]))
}

#[cfg(test)]
#[path = "mistakes_tests.rs"]
mod tests;
