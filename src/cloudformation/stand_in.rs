//! The small stack of a preflight that runs in the VPC: a repository for our own image, and copies of what the service's stack has, or
//! will have: the execution role (which may pull our image beside), the log group, and where the service is not deployed yet the task
//! role, a security group that lets nobody in, and the cluster.
//!
//! Comes in: the service's template, and what is there already. Goes out: another [`Template`], with the parameters that it needs of the
//! first, and what was left out of a copy. Rules: nothing is in it that the preflight doesn't need; a policy that names what only the
//! service's stack makes is left out, and told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::Template;
use crate::base::Findings;

/// The repository's logical id.
pub const REPOSITORY: &str = "PreflightRepository";
/// What is behind the service's stack's name in ours.
pub const SUFFIX: &str = "-preflight";

/// The resources of a family that a one-off task has to do with, by their logical ids; `None` where the template has none of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    pub execution_role: Option<String>,
    pub task_role: Option<String>,
    pub log_group: Option<String>,
    pub groups: Vec<String>,
    pub cluster: Option<String>,
}

/// What is there or was named, and needs no copy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "things that are there or not")]
pub struct There {
    pub execution_role: bool,
    pub log_group: bool,
    pub cluster: bool,
    pub groups: bool,
    pub task_role: bool,
}

/// What ECS pulls for the task, and who must be let do so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    /// Our image, from the repository that is made; beside the copies of execution roles these roles may pull it, by their ARNs.
    Repository { by: Vec<String> },
    /// An image of ECR, from the repository of this ARN.
    Named { arn: String },
    /// An image of another registry.
    Elsewhere,
}

/// The stack, and what its copies lack.
#[derive(Debug, Clone)]
pub struct StandIn {
    pub template: Template,
    /// Policies that were left out of a role: the role's logical id and the policy's name.
    pub left_out: Vec<(String, String)>,
}

impl Template {
    /// The parts of the template that a family's task is made of.
    pub fn parts(&self, family: &str) -> Option<Parts> {
        let deployed = self.services.iter().find(|service| service.family == family)?;
        let resources = self.resource_values();
        let definition = &resources.get(&deployed.task_definition)?["Properties"];
        let service = &resources.get(&deployed.service)?["Properties"];
        let own = |value: &Value| referred(value).into_iter().find(|id| resources.contains_key(id));
        let groups = service["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"].as_array();
        Some(Parts {
            execution_role: own(&definition["ExecutionRoleArn"]),
            task_role: own(&definition["TaskRoleArn"]),
            log_group: Some(deployed.log_group.clone()).filter(|id| resources.contains_key(id)),
            groups: groups.into_iter().flatten().filter_map(own).collect(),
            cluster: own(&service["Cluster"]),
        })
    }

    /// The small stack, for these families; `None` where everything is there.
    pub fn stand_in(&self, families: &[Parts], there: There, pulled: &Pulled) -> Option<StandIn> {
        let resources = self.resource_values();
        let mut wanted: BTreeSet<&String> = BTreeSet::new();
        for parts in families {
            let lists: [(bool, Vec<&String>); 5] = [
                (there.execution_role, parts.execution_role.iter().collect()),
                (there.log_group, parts.log_group.iter().collect()),
                (there.task_role, parts.task_role.iter().collect()),
                (there.groups, parts.groups.iter().collect()),
                (there.cluster, parts.cluster.iter().collect()),
            ];
            wanted.extend(lists.into_iter().filter(|(there, _)| !there).flat_map(|(_, ids)| ids));
            // The copy of the execution role writes into the copy of the log group.
            if !there.execution_role {
                wanted.extend(parts.log_group.iter());
            }
        }
        let mut made: BTreeMap<String, Value> = BTreeMap::new();
        let mut left_out = Vec::new();
        for id in &wanted {
            let Some(resource) = resources.get(*id) else { continue };
            let mut copy = resource.clone();
            if let Some(map) = copy.as_object_mut() {
                // It goes with its stack.
                for key in ["DeletionPolicy", "UpdateReplacePolicy", "DependsOn"] {
                    map.remove(key);
                }
            }
            if let Some(properties) = copy.pointer_mut("/Properties").and_then(Value::as_object_mut) {
                // A name of its own is the service's: two can't have it.
                for key in ["ClusterName", "GroupName", "LogGroupName", "RoleName"] {
                    properties.remove(key);
                }
            }
            match copy["Type"].as_str() {
                Some("AWS::IAM::Role") => {
                    let known = |name: &str| {
                        name.starts_with("AWS::") || self.parameters.contains_key(name) || wanted.iter().any(|id| *id == name)
                    };
                    left_out.extend(without_foreign(&mut copy, known).into_iter().map(|policy| ((*id).clone(), policy)));
                    if families.iter().any(|parts| parts.execution_role.as_ref() == Some(*id)) {
                        match pulled {
                            Pulled::Repository { .. } => pulling(&mut copy, &json!({ "Fn::GetAtt": [REPOSITORY, "Arn"] })),
                            Pulled::Named { arn } => pulling(&mut copy, &arn.as_str().into()),
                            Pulled::Elsewhere => {}
                        }
                    }
                }
                Some("AWS::EC2::SecurityGroup") => {
                    if let Some(properties) = copy.pointer_mut("/Properties").and_then(Value::as_object_mut) {
                        properties.remove("SecurityGroupIngress");
                        properties.insert("GroupDescription".to_owned(), "The task of a preflight: lets nobody in".into());
                    }
                }
                Some("AWS::Logs::LogGroup") => {
                    if let Some(properties) = copy.pointer_mut("/Properties").and_then(Value::as_object_mut) {
                        // Nobody looks at a preflight's log for long.
                        properties.insert("RetentionInDays".to_owned(), 7.into());
                    }
                }
                Some("AWS::ECS::Cluster") => {
                    if let Some(properties) = copy.pointer_mut("/Properties").and_then(Value::as_object_mut) {
                        // One task runs in it, by itself.
                        properties.retain(|key, _| ["ClusterSettings", "Tags"].contains(&key.as_str()));
                    }
                }
                _ => {}
            }
            made.insert((*id).clone(), copy);
        }
        if let Pulled::Repository { by } = pulled {
            made.insert(REPOSITORY.to_owned(), self.repository(by));
        }
        if made.is_empty() {
            return None;
        }
        let named: BTreeSet<String> = made.values().flat_map(referred).collect();
        let parameters = self.parameters.iter().filter(|(name, _)| named.contains(*name));
        let template = Template {
            stack_name: format!("{}{SUFFIX}", self.stack_name),
            description: format!("What preflight --in-vpc needs for {}. Written by confluent-ecs.", self.stack_name),
            parameters: parameters.map(|(name, parameter)| (name.clone(), parameter.clone())).collect(),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
            tags: self.tags.clone(),
            services: Vec::new(),
            overlaid: made,
            overlaid_at: BTreeMap::new(),
            findings: Findings::default(),
        };
        Some(StandIn { template, left_out })
    }

    /// For our own image: scanned when it is pushed, never overwritten, encrypted, old ones gone by themselves, all of them with the stack.
    fn repository(&self, by: &[String]) -> Value {
        let rule = json!({ "rules": [{ "rulePriority": 1, "description": "the newest few", "selection": {
            "tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 3 }, "action": { "type": "expire" } }] });
        let tags: Vec<Value> = self.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
        let mut properties = json!({
            "EmptyOnDelete": true,
            "EncryptionConfiguration": { "EncryptionType": "AES256" },
            "ImageScanningConfiguration": { "ScanOnPush": true },
            "ImageTagMutability": "IMMUTABLE",
            "LifecyclePolicy": { "LifecyclePolicyText": rule.to_string() },
            "Tags": tags,
        });
        if !by.is_empty() {
            properties["RepositoryPolicyText"] = json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "AWS": by }, "Action": PULLING }] });
        }
        json!({ "Type": "AWS::ECR::Repository", "Properties": properties })
    }
}

/// What pulling an image needs, of its repository.
const PULLING: [&str; 3] = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"];

/// Lets a role pull the images of one repository.
fn pulling(role: &mut Value, repository: &Value) {
    let policy = json!({ "PolicyName": "preflight-image", "PolicyDocument": { "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": PULLING, "Resource": [repository] },
        // It knows no resource.
        { "Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": ["*"] },
    ] } });
    let properties = role.pointer_mut("/Properties").and_then(Value::as_object_mut);
    let policies = properties.map(|properties| properties.entry("Policies").or_insert_with(|| json!([])));
    if let Some(list) = policies.and_then(Value::as_array_mut) {
        list.push(policy);
    }
}

/// Takes policies out of a role that name what isn't known; their names.
fn without_foreign(role: &mut Value, known: impl Fn(&str) -> bool) -> Vec<String> {
    let mut gone = Vec::new();
    if let Some(managed) = role.pointer_mut("/Properties/ManagedPolicyArns").and_then(Value::as_array_mut) {
        managed.retain(|arn| {
            let foreign = referred(arn).into_iter().find(|name| !known(name));
            let fits = foreign.is_none();
            gone.extend(foreign);
            fits
        });
    }
    // Not by index: that would put a null where nothing is.
    if let Some(policies) = role.pointer_mut("/Properties/Policies").and_then(Value::as_array_mut) {
        policies.retain(|policy| {
            let fits = referred(policy).iter().all(|name| known(name));
            if !fits {
                gone.push(policy["PolicyName"].as_str().unwrap_or_default().to_owned());
            }
            fits
        });
    }
    gone
}

/// The names that a value refers to, by `Ref`, `Fn::GetAtt` and `Fn::Sub`.
pub fn referred(value: &Value) -> BTreeSet<String> {
    fn walk(value: &Value, names: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => object.iter().for_each(|(key, inner)| of(object, key, inner, names)),
            Value::Array(values) => values.iter().for_each(|value| walk(value, names)),
            _ => {}
        }
    }
    fn of(object: &Map<String, Value>, key: &str, inner: &Value, names: &mut BTreeSet<String>) {
        match (key, inner) {
            ("Ref", Value::String(name)) if object.len() == 1 => {
                names.insert(name.clone());
            }
            ("Fn::GetAtt", Value::Array(path)) => names.extend(path.first().and_then(Value::as_str).map(str::to_owned)),
            ("Fn::GetAtt", Value::String(path)) => names.extend(path.split('.').next().map(str::to_owned)),
            ("Fn::Sub", Value::String(text)) => in_text(text, names),
            ("Fn::Sub", Value::Array(parts)) => {
                parts.first().and_then(Value::as_str).into_iter().for_each(|text| in_text(text, names));
                parts.iter().skip(1).for_each(|value| walk(value, names));
            }
            _ => walk(inner, names),
        }
    }
    fn in_text(text: &str, names: &mut BTreeSet<String>) {
        for part in text.split("${").skip(1) {
            let name = part.split('}').next().unwrap_or_default();
            if !name.starts_with('!') {
                names.extend(name.split('.').next().map(str::to_owned));
            }
        }
    }
    let mut names = BTreeSet::new();
    walk(value, &mut names);
    names
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{referred, without_foreign};

    #[test]
    fn what_is_referred_to_is_found_in_every_form() {
        let value = json!({ "a": [{ "Ref": "One" }], "b": { "Fn::GetAtt": ["Two", "Arn"] }, "c": { "Fn::Sub": "${Three}:${Four.Arn}:${!No}" },
            "d": { "Fn::Join": ["", [{ "Fn::GetAtt": "Five.Arn" }]] } });
        let names: Vec<String> = referred(&value).into_iter().collect();
        assert_eq!(names, ["Five", "Four", "One", "Three", "Two"]);
    }

    #[test]
    fn a_policy_on_what_is_not_there_is_left_out() {
        let policy = |name: &str, on: &str| json!({ "PolicyName": name, "PolicyDocument": { "Statement": [{ "Resource": { "Ref": on } }] } });
        let mut role = json!({ "Properties": { "Policies": [policy("secrets", "SecretArn"), policy("topics", "Topic")] } });
        role["Properties"]["ManagedPolicyArns"] = json!(["arn:aws:iam::aws:policy/A", { "Ref": "OwnPolicy" }]);
        assert_eq!(without_foreign(&mut role, |name| name == "SecretArn"), ["OwnPolicy", "topics"]);
        assert_eq!(role["Properties"]["ManagedPolicyArns"], json!(["arn:aws:iam::aws:policy/A"]));
        assert_eq!(role["Properties"]["Policies"].as_array().unwrap().len(), 1);
        let mut none = json!({ "Properties": { "Description": "x" } });
        assert!(without_foreign(&mut none, |_| true).is_empty());
        assert_eq!(none, json!({ "Properties": { "Description": "x" } }));
    }
}
