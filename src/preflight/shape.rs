//! An internal topic as its component needs it: the cleanup policy, the number of partitions, the copies and how many must be there.

use super::fix::Fix;
use super::report::{Check, Status};
use crate::base::{Cause, Code};
use crate::confluent::{AclNeed, NewTopic as Wanted};
use crate::kafka::{ConfigAccess, NewTopic};

/// The topic as the component would create it.
pub(super) fn new_topic(name: &str, creates: Option<Wanted>) -> NewTopic {
    let (partitions, replication) = creates.map_or((-1, -1), |topic| (topic.partitions, topic.replication_factor));
    NewTopic { name: name.to_owned(), partitions, replication, compacted: creates.is_some_and(|topic| topic.compacted) }
}

/// A topic that is there: is it one that the component can use?
pub(super) fn judged(
    check: Check,
    need: &AclNeed,
    partitions: usize,
    replication: usize,
    config: Option<&ConfigAccess>,
    bootstrap: &str,
) -> Check {
    let (policy, min_in_sync) = match config {
        Some(ConfigAccess::Allowed { cleanup_policy, min_in_sync }) => (cleanup_policy.as_deref(), *min_in_sync),
        _ => (None, None),
    };
    let told = policy.map(|policy| format!(", cleanup.policy={policy}")).unwrap_or_default();
    let is_there = format!("is there: partitions {partitions}, replication factor {replication}{told}");
    let mut check = check;
    check.evidence = Some("Metadata, DescribeConfigs".to_owned());
    let Some(wanted) = need.creates else { return check.passed(is_there) };
    let mut wrong = Vec::new();
    let mut fixes = Vec::new();
    if wanted.one_partition && partitions != 1 {
        wrong.push(format!("has {partitions} partitions, and must have one"));
        fixes.push(Fix::advice(format!(
            "partitions can't be taken away: delete {name} if nothing in it is needed (the component creates it anew), or set another \
             name for it",
            name = need.name
        )));
    }
    if wanted.compacted && policy.is_some_and(|policy| policy != "compact") {
        wrong.push(format!("has cleanup.policy={}, and must be compacted only", policy.unwrap_or_default()));
        check.topic_config = Some(TopicConfig {
            topic: need.name.clone(),
            setting: "cleanup.policy=compact".to_owned(),
            bootstrap: bootstrap.to_owned(),
        });
    }
    if let Some(wanted) = min_in_sync.filter(|wanted| *wanted > replication) {
        check.code = Code::TOPIC_SHAPE;
        check.why = Some("nothing can be written: a broker takes a record only when so many copies have it".to_owned());
        check.topic_config = Some(TopicConfig {
            topic: need.name.clone(),
            setting: format!("min.insync.replicas={}", replication.saturating_sub(1).max(1)),
            bootstrap: bootstrap.to_owned(),
        });
        let copies = if replication == 1 { "copy" } else { "copies" };
        return check
            .ended(Status::Failed, format!("has {replication} {copies}, and min.insync.replicas={wanted} asks for more"));
    }
    if !wrong.is_empty() {
        check.code = Code::TOPIC_SHAPE;
        check.why = Some(
            "records of the component's own state are kept here: with another policy they are deleted while they are needed, over \
             several partitions they lose their order, and so the component refuses to start"
                .to_owned(),
        );
        check.fixes = fixes;
        return check.ended(Status::Failed, wrong.join("; "));
    }
    let copies = usize::try_from(wanted.replication_factor).unwrap_or_default();
    if replication < copies {
        check.code = Code::TOPIC_SHAPE;
        check.why = Some("with fewer copies than are meant, the loss of brokers stops or empties it".to_owned());
        check.fixes = vec![Fix::advice(format!(
            "give {} more copies with kafka-reassign-partitions, or delete it if nothing in it is needed: the component creates it anew",
            need.name
        ))];
        return check.ended(Status::Warned, format!("{is_there}; {copies} copies are meant"));
    }
    check.passed(is_there)
}

/// A setting of a topic that has to change; the command follows the kind of cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicConfig {
    pub(super) topic: String,
    pub(super) setting: String,
    pub(super) bootstrap: String,
}

/// A topic that is there, and that nobody can use now.
pub(super) fn leaderless(check: Check, leaderless: usize, partitions: usize, missing: Option<String>) -> Check {
    let which = missing.map(|which| format!("; {which}")).unwrap_or_default();
    let message = format!("is there, and {leaderless} of {partitions} partitions have no leader{which}");
    let mut check = check.ended(Status::Failed, message).because(Cause::BrokerUnreachable);
    check.code = Code::TOPIC_SHAPE;
    check.evidence = Some("Metadata".to_owned());
    check.why =
        Some("what is in them can't be read and nothing can be written until a broker that holds a copy is back".to_owned());
    check.fixes = vec![Fix::advice("bring the missing brokers back, then run this again")];
    check
}

/// A name that the cluster doesn't take.
pub(super) fn another_name(need: &AclNeed, said: &str) -> Fix {
    let name = &need.name;
    if said.contains("collides") {
        return Fix::advice(format!("take another name than {name}: two topics may not differ by a dot and an underscore alone"));
    }
    Fix::advice(format!("take another name than {name}: letters of ASCII, digits, `.`, `_` and `-`, at most 249 of them"))
}

/// A number of partitions that the cluster doesn't take.
pub(super) fn another_count(need: &AclNeed) -> Fix {
    Fix::advice(format!("set another number of partitions for {}: one or more, or -1 for the broker's own default", need.name))
}

/// What mends a topic that the cluster would not create.
pub(super) fn refused(need: &AclNeed) -> Vec<Fix> {
    let numbers = need.creates.map(|topic| format!(" (now {})", topic.replication_factor)).unwrap_or_default();
    vec![Fix::advice(format!("set the replication factor of {}{numbers} to what the cluster takes", need.name))]
}
