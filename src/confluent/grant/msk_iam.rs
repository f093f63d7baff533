//! Amazon MSK with IAM: statements for the policy of a role. Each action brings its required companions.
//!
//! Source: Amazon MSK developer guide, "Semantics of IAM authorization policy actions and resources".

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

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

/// The fewest statements that grant all of these to one role. The holders are not looked at: a policy belongs to its role.
pub fn msk_iam(grants: &[Grant], cluster: Option<&str>) -> Vec<Statement> {
    let arns = Arns::of(cluster);
    let mut by_resource: BTreeMap<String, BTreeSet<&'static str>> = BTreeMap::new();
    let mut add = |resource: String, actions: &[&'static str]| {
        by_resource.entry(resource).or_default().extend(actions);
    };
    for grant in grants {
        add(arns.cluster.clone(), &["Connect"]);
        for operation in &grant.operations {
            let Some((actions, on_cluster)) = actions(grant.on.resource, *operation) else { continue };
            let arn = if grant.on.resource == Resource::Cluster { arns.cluster.clone() } else { arns.of_grant(grant) };
            add(arn, actions);
            if !on_cluster.is_empty() {
                add(arns.cluster.clone(), on_cluster);
            }
        }
    }
    let mut by_actions: BTreeMap<BTreeSet<&str>, Vec<String>> = BTreeMap::new();
    for (resource, actions) in by_resource {
        by_actions.entry(actions).or_default().push(resource);
    }
    let mut statements: Vec<Statement> = by_actions
        .into_iter()
        .map(|(actions, resource)| Statement {
            effect: "Allow",
            action: actions.iter().map(|action| format!("kafka-cluster:{action}")).collect(),
            resource,
        })
        .collect();
    statements.sort_by(|a, b| a.resource.cmp(&b.resource));
    statements
}

/// The actions on the resource itself, with their companions, and those on the cluster that go with them. `None`: IAM knows no such
/// right.
fn actions(resource: Resource, operation: Operation) -> Option<(&'static [&'static str], &'static [&'static str])> {
    use Operation as O;
    use Resource as R;
    Some(match (resource, operation) {
        (R::Topic, O::Read) => (&["DescribeTopic", "ReadData"], &[]),
        (R::Topic, O::Write) => (&["DescribeTopic", "WriteData"], &[]),
        // A client asks for the topic that it has just created.
        (R::Topic, O::Create) => (&["CreateTopic", "DescribeTopic"], &[]),
        (R::Topic, O::Describe) => (&["DescribeTopic"], &[]),
        (R::Topic, O::Delete) => (&["DeleteTopic", "DescribeTopic"], &[]),
        (R::Topic, O::Alter) => (&["AlterTopic", "DescribeTopic"], &[]),
        (R::Topic, O::DescribeConfigs) => (&["DescribeTopicDynamicConfiguration"], &[]),
        (R::Topic, O::AlterConfigs) => (&["AlterTopicDynamicConfiguration", "DescribeTopicDynamicConfiguration"], &[]),
        (R::Group, O::Read) => (&["AlterGroup", "DescribeGroup"], &[]),
        (R::Group, O::Describe) => (&["DescribeGroup"], &[]),
        (R::Group, O::Delete) => (&["DeleteGroup", "DescribeGroup"], &[]),
        (R::TransactionalId, O::Write) => (&["AlterTransactionalId", "DescribeTransactionalId"], &["WriteDataIdempotently"]),
        (R::TransactionalId, O::Describe) => (&["DescribeTransactionalId"], &[]),
        (R::Cluster, O::Describe) => (&["DescribeCluster"], &[]),
        (R::Cluster, O::Alter) => (&["AlterCluster", "DescribeCluster"], &[]),
        (R::Cluster, O::DescribeConfigs) => (&["DescribeClusterDynamicConfiguration"], &[]),
        (R::Cluster, O::AlterConfigs) => (&["AlterClusterDynamicConfiguration", "DescribeClusterDynamicConfiguration"], &[]),
        (R::Cluster, O::IdempotentWrite) => (&["WriteDataIdempotently"], &[]),
        _ => return None,
    })
}

/// The ARN of a cluster, and what stands before the names of its topics and groups.
struct Arns {
    cluster: String,
    before: String,
    within: String,
}

impl Arns {
    fn of(cluster: Option<&str>) -> Self {
        let known = cluster.and_then(|arn| arn.split_once(":cluster/").map(|(before, within)| (arn, before, within)));
        let (arn, before, within) = known.unwrap_or((
            "arn:aws:kafka:<region>:<account>:cluster/<name>/<uuid>",
            "arn:aws:kafka:<region>:<account>",
            "<name>/<uuid>",
        ));
        Self { cluster: arn.to_owned(), before: before.to_owned(), within: within.to_owned() }
    }

    fn of_grant(&self, grant: &Grant) -> String {
        let kind = match grant.on.resource {
            Resource::Topic => "topic",
            Resource::Group => "group",
            Resource::TransactionalId => "transactional-id",
            Resource::Cluster => "cluster",
        };
        let star = if grant.on.pattern == Pattern::Prefixed { "*" } else { "" };
        // To Kafka, a literal star is every name.
        let every = grant.on.pattern == Pattern::Literal && grant.on.name == "*";
        let name = if every { "*".to_owned() } else { literal(&grant.on.name) };
        format!("{}:{kind}/{}/{name}{star}", self.before, self.within)
    }
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
