//! What CloudFormation would refuse of a raw resource before it makes anything: its type, what becomes of it, and the attributes that it
//! asks of resources of ours.
//!
//! Comes in: the overlay and the template that it lies over. Goes out: findings at the places of the files. A type that we don't know may be
//! new; one that is near to a known one is misspelt.

use std::collections::BTreeMap;

use serde_json::Value;

use super::overlay::at;
use super::template::Template;
use crate::base::{Code, Finding, Findings, nearest};
use crate::stack::OverlayResource;

/// The types of resources that CloudFormation has, as its schemas list them.
const TYPES: &str = include_str!("resource_types.txt");

const POLICIES: [(&str, &[&str]); 2] = [
    ("DeletionPolicy", &["Delete", "Retain", "RetainExceptOnCreate", "Snapshot"]),
    ("UpdateReplacePolicy", &["Delete", "Retain", "Snapshot"]),
];

/// What `Fn::GetAtt` finds on the types that a template of ours is mostly made of.
const ATTRIBUTES: [(&str, &[&str]); 12] = [
    ("AWS::EC2::SecurityGroup", &["GroupId", "Id", "VpcId"]),
    ("AWS::ECS::Cluster", &["Arn"]),
    ("AWS::ECS::Service", &["Name", "ServiceArn"]),
    ("AWS::ECS::TaskDefinition", &["TaskDefinitionArn"]),
    ("AWS::ElasticLoadBalancingV2::Listener", &["ListenerArn"]),
    (
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        &["CanonicalHostedZoneID", "DNSName", "LoadBalancerArn", "LoadBalancerFullName", "LoadBalancerName", "SecurityGroups"],
    ),
    (
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        &["LoadBalancerArns", "TargetGroupArn", "TargetGroupFullName", "TargetGroupName"],
    ),
    ("AWS::IAM::Role", &["Arn", "RoleId"]),
    ("AWS::Logs::LogGroup", &["Arn"]),
    ("AWS::SNS::Topic", &["TopicArn", "TopicName"]),
    ("AWS::ServiceDiscovery::PrivateDnsNamespace", &["Arn", "HostedZoneId", "Id"]),
    ("AWS::ServiceDiscovery::Service", &["Arn", "Id", "Name"]),
];

pub(super) fn check(template: &Template, overlay: &[OverlayResource], changed: &BTreeMap<String, Value>) -> Findings {
    let mut findings = Findings::default();
    for resource in overlay {
        if let Some(kind) = resource.value.get("Type").and_then(Value::as_str)
            && let Some(finding) = unknown_type(kind)
        {
            findings.push(at(resource, "Type", finding));
        }
        for (key, known) in POLICIES {
            let Some(word) = resource.value.get(key).and_then(Value::as_str).filter(|word| !known.contains(word)) else {
                continue;
            };
            let help = match nearest(word, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("one of {}", known.join(", ")),
            };
            findings.push(at(resource, key, Finding::error(Code::OVERLAY, format!("{key} can't be {word}")).help(help)));
        }
        attributes(&resource.value, "", &mut |name, attribute, path| {
            let kind = match changed.get(name) {
                Some(value) => value.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned(),
                None => template.resources.get(name).map(super::Resource::kind).unwrap_or_default(),
            };
            let Some((_, known)) = ATTRIBUTES.iter().find(|(of, _)| *of == kind) else { return };
            if !known.contains(&attribute) {
                let help = match nearest(attribute, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("it has {}", known.join(", ")),
                };
                let message = format!("{name} has no attribute {attribute}");
                findings.push(at(resource, path, Finding::error(Code::OVERLAY, message).help(help)));
            }
        });
    }
    findings
}

fn unknown_type(kind: &str) -> Option<Finding> {
    if TYPES.lines().any(|known| known == kind) || kind.starts_with("Custom::") {
        return None;
    }
    let parts = kind.split("::").collect::<Vec<_>>();
    let word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    if parts.len() < 3 || !parts.iter().all(word) {
        let message = format!("\"{kind}\" is no type of a resource");
        return Some(Finding::error(Code::OVERLAY, message).help("as in AWS::SNS::Topic, or Custom:: with a name of your own"));
    }
    let ours = parts[0] == "AWS";
    let near = nearest(kind, TYPES.lines()).filter(|_| ours);
    let message = format!("CloudFormation's list of types has no {kind}");
    match near {
        Some(near) => Some(Finding::error(Code::OVERLAY, message).help(format!("did you mean {near}?"))),
        None if ours => Some(Finding::warning(Code::OVERLAY, message).help("it may be newer than this program")),
        // A type of somebody else, registered in the account.
        None => None,
    }
}

/// Every attribute that a value asks for: of what, which, and the path of where.
fn attributes(value: &Value, path: &str, found: &mut impl FnMut(&str, &str, &str)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                match (key.as_str(), value) {
                    ("Fn::GetAtt", Value::String(text)) => {
                        text.split_once('.').into_iter().for_each(|(name, attribute)| found(name, attribute, &path));
                    }
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        if let [Value::String(name), Value::String(attribute)] = parts.as_slice() {
                            found(name, attribute, &path);
                        }
                    }
                    ("Fn::Sub", Value::String(text)) => {
                        for part in text.split("${").skip(1).filter_map(|part| part.split_once('}')) {
                            part.0.split_once('.').into_iter().for_each(|(name, attribute)| found(name, attribute, &path));
                        }
                    }
                    _ => attributes(value, &path, found),
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| attributes(item, &format!("{path}[{index}]"), found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{TYPES, unknown_type};
    use crate::base::Severity;

    #[test]
    fn a_misspelt_type_is_told_from_a_new_one() {
        assert!(TYPES.lines().count() > 1000);
        for good in ["AWS::SNS::Topic", "Custom::Mine", "Acme::Data::Stream"] {
            assert!(unknown_type(good).is_none(), "{good}");
        }
        let severity = |kind: &str| unknown_type(kind).map(|finding| finding.severity);
        assert_eq!(severity("AWS::SNS::Topik"), Some(Severity::Error));
        assert_eq!(severity("SNS"), Some(Severity::Error));
        assert_eq!(severity("AWS::QuantumThings::EntangledResource"), Some(Severity::Warning));
    }
}
