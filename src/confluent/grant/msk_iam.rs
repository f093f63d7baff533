//! Amazon MSK with IAM: statements for the policy of a role. Each action brings its required companions.
//!
//! Source: Amazon MSK developer guide, "Semantics of IAM authorization policy actions and resources".

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize};

use super::Grant;
use crate::profile::{Operation, Pattern, Resource};

/// A statement that allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    pub effect: &'static str,
    pub action: Vec<String>,
    pub resource: Vec<String>,
}

/// A statement as it is read back; ours all allow.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Allowed {
    action: Vec<String>,
    resource: Vec<String>,
}

impl<'de> Deserialize<'de> for Statement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Allowed { action, resource } = Allowed::deserialize(deserializer)?;
        Ok(Self { effect: "Allow", action, resource })
    }
}

/// The cluster itself, or something in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct MskResource {
    /// As ARNs name it: `cluster`, `topic`, `group`, `transactional-id`.
    pub kind: &'static str,
    /// As IAM matches it: a star stands for anything. `None` for the cluster.
    pub name: Option<String>,
}

/// Actions that are allowed on resources of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MskRight {
    pub actions: Vec<&'static str>,
    pub on: Vec<MskResource>,
}

/// The fewest rights that grant all of these to one role, the cluster's first. The holders are not looked at: a policy belongs to its
/// role.
pub fn msk_rights(grants: &[Grant]) -> Vec<MskRight> {
    let mut by_resource: BTreeMap<MskResource, BTreeSet<&'static str>> = BTreeMap::new();
    let cluster = || MskResource { kind: CLUSTER, name: None };
    let mut add = |resource: MskResource, actions: &[&'static str]| {
        by_resource.entry(resource).or_default().extend(actions);
    };
    for grant in grants {
        add(cluster(), &[CONNECT]);
        for operation in &grant.operations {
            if (grant.on.resource, *operation) == (Resource::Cluster, Operation::Create) {
                // To Kafka's ACLs a right on the cluster, to IAM one on every topic.
                add(MskResource { kind: TOPIC, name: Some("*".to_owned()) }, &["kafka-cluster:CreateTopic"]);
            }
            let Some((actions, on_cluster)) = actions(grant.on.resource, *operation) else { continue };
            add(resource(grant), actions);
            if !on_cluster.is_empty() {
                add(cluster(), on_cluster);
            }
        }
    }
    let mut by_actions: BTreeMap<BTreeSet<&'static str>, Vec<MskResource>> = BTreeMap::new();
    for (resource, actions) in by_resource {
        by_actions.entry(actions).or_default().push(resource);
    }
    let mut rights: Vec<MskRight> =
        by_actions.into_iter().map(|(actions, on)| MskRight { actions: actions.into_iter().collect(), on }).collect();
    rights.sort_by(|a, b| a.on.cmp(&b.on));
    rights
}

/// The same as statements of a policy, with the ARNs of a cluster.
pub fn msk_iam(grants: &[Grant], cluster: Option<&str>) -> Vec<Statement> {
    let cluster = cluster.filter(|arn| arn.contains(":cluster/"));
    let cluster = cluster.unwrap_or("arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>");
    let statement = |right: MskRight| Statement {
        effect: "Allow",
        action: right.actions.into_iter().map(str::to_owned).collect(),
        resource: right.on.iter().map(|on| on.arn(cluster)).collect(),
    };
    msk_rights(grants).into_iter().map(statement).collect()
}

const CLUSTER: &str = "cluster";
const TOPIC: &str = "topic";
const CONNECT: &str = "kafka-cluster:Connect";

impl MskResource {
    /// Its ARN, from that of the cluster, which has the region, the account, and the cluster's name with its uuid.
    pub fn arn(&self, cluster: &str) -> String {
        match &self.name {
            None => cluster.to_owned(),
            Some(name) => format!("{}/{name}", cluster.replacen(":cluster/", &format!(":{}/", self.kind), 1)),
        }
    }
}

fn resource(grant: &Grant) -> MskResource {
    let kind = match grant.on.resource {
        Resource::Topic => TOPIC,
        Resource::Group => "group",
        Resource::TransactionalId => "transactional-id",
        Resource::Cluster => return MskResource { kind: CLUSTER, name: None },
    };
    let star = if grant.on.pattern == Pattern::Prefixed { "*" } else { "" };
    // To Kafka, a literal star is every name.
    let every = grant.on.pattern == Pattern::Literal && grant.on.name == "*";
    let name = if every { "*".to_owned() } else { literal(&grant.on.name) + star };
    MskResource { kind, name: Some(name) }
}

/// The actions on the resource itself, with their companions, and those on the cluster that go with them. `None`: IAM knows no such
/// right.
fn actions(resource: Resource, operation: Operation) -> Option<(&'static [&'static str], &'static [&'static str])> {
    use Operation as O;
    use Resource as R;
    Some(match (resource, operation) {
        (R::Topic, O::Read) => (&["kafka-cluster:DescribeTopic", "kafka-cluster:ReadData"], &[]),
        (R::Topic, O::Write) => (&["kafka-cluster:DescribeTopic", "kafka-cluster:WriteData"], &[]),
        // A client asks for the topic that it has just created.
        (R::Topic, O::Create) => (&["kafka-cluster:CreateTopic", "kafka-cluster:DescribeTopic"], &[]),
        (R::Topic, O::Describe) => (&["kafka-cluster:DescribeTopic"], &[]),
        (R::Topic, O::Delete) => (&["kafka-cluster:DeleteTopic", "kafka-cluster:DescribeTopic"], &[]),
        (R::Topic, O::Alter) => (&["kafka-cluster:AlterTopic", "kafka-cluster:DescribeTopic"], &[]),
        (R::Topic, O::DescribeConfigs) => (&["kafka-cluster:DescribeTopicDynamicConfiguration"], &[]),
        (R::Topic, O::AlterConfigs) => {
            (&["kafka-cluster:AlterTopicDynamicConfiguration", "kafka-cluster:DescribeTopicDynamicConfiguration"], &[])
        }
        (R::Group, O::Read) => (&["kafka-cluster:AlterGroup", "kafka-cluster:DescribeGroup"], &[]),
        (R::Group, O::Describe) => (&["kafka-cluster:DescribeGroup"], &[]),
        (R::Group, O::Delete) => (&["kafka-cluster:DeleteGroup", "kafka-cluster:DescribeGroup"], &[]),
        (R::TransactionalId, O::Write) => (
            &["kafka-cluster:AlterTransactionalId", "kafka-cluster:DescribeTransactionalId"],
            &["kafka-cluster:WriteDataIdempotently"],
        ),
        (R::TransactionalId, O::Describe) => (&["kafka-cluster:DescribeTransactionalId"], &[]),
        (R::Cluster, O::Describe) => (&["kafka-cluster:DescribeCluster"], &[]),
        (R::Cluster, O::Alter) => (&["kafka-cluster:AlterCluster", "kafka-cluster:DescribeCluster"], &[]),
        (R::Cluster, O::DescribeConfigs) => (&["kafka-cluster:DescribeClusterDynamicConfiguration"], &[]),
        (R::Cluster, O::AlterConfigs) => {
            (&["kafka-cluster:AlterClusterDynamicConfiguration", "kafka-cluster:DescribeClusterDynamicConfiguration"], &[])
        }
        (R::Cluster, O::IdempotentWrite) => (&["kafka-cluster:WriteDataIdempotently"], &[]),
        _ => return None,
    })
}

/// A name in which IAM finds no wildcard and no variable.
fn literal(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '*' | '?' | '$' => out.extend(["${", c.encode_utf8(&mut [0; 4]), "}"]),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::tests::grant;
    use super::{Statement, msk_iam};
    use crate::profile::{Operation, Resource};

    const ARN: &str = "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/1234-5";

    #[test]
    fn actions_bring_their_companions_and_equal_ones_are_one_statement() {
        let grants = [
            grant("", Resource::Topic, "configs", &[Operation::Read, Operation::Write]),
            grant("", Resource::Topic, "status", &[Operation::Write, Operation::Read]),
            grant("", Resource::Group, "a*b", &[Operation::Read]),
        ];
        let statement = |action: &[&str], resource: &[&str]| Statement {
            effect: "Allow",
            action: action.iter().map(|action| format!("kafka-cluster:{action}")).collect(),
            resource: resource.iter().map(|end| format!("arn:aws:kafka:eu-west-1:111122223333:{end}")).collect(),
        };
        assert_eq!(
            msk_iam(&grants, Some(ARN)),
            [
                statement(&["Connect"], &["cluster/orders/1234-5"]),
                statement(&["AlterGroup", "DescribeGroup"], &["group/orders/1234-5/a${*}b"]),
                statement(
                    &["DescribeTopic", "ReadData", "WriteData"],
                    &["topic/orders/1234-5/configs", "topic/orders/1234-5/status"]
                ),
            ]
        );
    }
}
