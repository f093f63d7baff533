//! What each principal may do, by asking the broker as that principal: granted, denied or unknown, never a guess.
//!
//! Topics, groups and transactional ids need not exist. Where a name is a prefix, a name under it is asked for. Of every answer the
//! check says which request gave it; [`reasons`](super::reasons) adds what the cluster's ACLs tell, where they may be listed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::acls::Book;
use super::asker::{Asker, Questions};
use super::cluster::{ClusterFacts, Provider};
use super::connection::{Connected, check_of};
use super::fix::Fix;
use super::report::{Category, Check, Status, Subject};
use super::runner::{Plan, StepId};
use super::shape;
use super::target::Target;
use crate::base::{Cause, Code, Deadline, Fault};
use crate::confluent::grant::{Grant, On};
use crate::confluent::{AclNeed, Need};
use crate::kafka::{ConfigAccess, Creation, Existence, NewTopic, Operation, Rights, TopicAnswer};
use crate::profile::{Level, Pattern, Resource};

pub(super) const LIMIT: Duration = Duration::from_secs(4);
/// Stands under a prefix for the names that will be there.
const UNDER_PREFIX: &str = "confluent-ecs-preflight";
/// A topic that nobody has granted anything on: who may use it may use everything.
const NOBODYS: &str = "confluent-ecs-preflight-granted-to-nobody";

/// A right that was asked about, for what comes after: reasons and fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Right {
    /// All that is needed on the resource by this check.
    pub(super) grant: Grant,
    /// What of it is missing.
    pub(super) missing: BTreeSet<crate::profile::Operation>,
    /// The name that the broker was asked for.
    pub(super) asked: String,
    /// Where the client starts from, for an administrator whose address is not known.
    pub(super) bootstrap: String,
    /// The cluster's own id.
    pub(super) cluster: Option<String>,
}

impl Right {
    /// The same on a topic that is there: nobody creates it any more.
    fn existing(&self) -> Self {
        let mut right = self.clone();
        right.grant.operations.remove(&crate::profile::Operation::Create);
        right
    }
}

/// A need as it is checked: one resource, the operations that belong together.
#[derive(Clone)]
struct Wanted {
    need: AclNeed,
    clients: Vec<String>,
    operations: Vec<Operation>,
    right: Right,
}

/// Plans the checks of one target's needs; gives the asker, for other questions to the same cluster.
pub(super) fn plan(
    target: &Target,
    connected: &Connected,
    cluster: &ClusterFacts,
    book: &Arc<Book>,
    plan: &mut Plan,
) -> Arc<Asker> {
    let mut wanted: Vec<Wanted> = Vec::new();
    for need in &target.needs {
        let same = wanted.iter_mut().find(|other| {
            let other = &other.need;
            (other.resource, &other.name, other.pattern, other.need) == (need.resource, &need.name, need.pattern, need.need)
                && other.operations == need.operations
        });
        match same {
            Some(same) if same.clients.contains(&need.client) => {}
            Some(same) => same.clients.push(need.client.clone()),
            None => wanted.push(self::wanted(target, need)),
        }
    }
    let asker = Arc::new(Asker::new(connected.session.clone(), questions(&wanted), book.clone()));
    if !wanted.is_empty() {
        enforced(target, connected, cluster, &asker, plan);
    }
    for wanted in wanted {
        step(target, connected, &asker, wanted, plan);
    }
    asker
}

fn questions(wanted: &[Wanted]) -> Questions {
    let names = |resource| {
        let of_kind = wanted.iter().filter(|wanted| wanted.need.resource == resource && wanted.need.unresolved.is_empty());
        let names: BTreeSet<String> = of_kind.map(|wanted| wanted.right.asked.clone()).collect();
        names.into_iter().collect::<Vec<_>>()
    };
    let mut topics = names(Resource::Topic);
    topics.push(NOBODYS.to_owned());
    let mut new: Vec<NewTopic> = Vec::new();
    for wanted in wanted.iter().filter(|wanted| wanted.need.resource == Resource::Topic && wanted.need.unresolved.is_empty()) {
        let creates = wanted.operations.contains(&Operation::Create);
        if creates && new.iter().all(|topic| topic.name != wanted.right.asked) {
            new.push(shape::new_topic(&wanted.right.asked, wanted.need.creates));
        }
    }
    Questions { topics, new, groups: names(Resource::Group), transactional_ids: names(Resource::TransactionalId) }
}

fn wanted(target: &Target, need: &AclNeed) -> Wanted {
    let operations = need.operations.iter().filter_map(|operation| Operation::parse(operation.word())).collect();
    let asked = match need.pattern {
        // No topic is called so: the entry stands for every name.
        Pattern::Literal if need.name == "*" => UNDER_PREFIX.to_owned(),
        Pattern::Literal => need.name.clone(),
        Pattern::Prefixed => format!("{}{UNDER_PREFIX}", need.name),
    };
    let bootstrap = target.settings.as_ref().ok().and_then(|settings| settings.bootstrap.first());
    let right = Right {
        grant: Grant {
            holder: target.holder(),
            on: On { resource: need.resource, name: need.name.clone(), pattern: need.pattern },
            operations: need.operations.iter().copied().collect(),
        },
        missing: BTreeSet::new(),
        asked,
        bootstrap: bootstrap.map(ToString::to_string).unwrap_or_default(),
        cluster: None,
    };
    Wanted { need: need.clone(), clients: vec![need.client.clone()], operations, right }
}

/// Does the cluster refuse what nobody granted? Where it doesn't, every other answer is weak.
fn enforced(target: &Target, connected: &Connected, cluster: &ClusterFacts, asker: &Arc<Asker>, plan: &mut Plan) -> StepId {
    let mut check = check_of(target, Category::KafkaAcls, Code::RIGHTS_ENFORCED, "enforced", "ACLs");
    "rights end where nobody granted any".clone_into(&mut check.title);
    let asker = asker.clone();
    let provider = cluster.provider;
    plan.step(check, &[connected.login], &[], LIMIT, move |check, deadline| async move {
        asker.list_acls(deadline).await;
        let answer = match asker.rights(deadline).await {
            Ok(answers) => answers.get(NOBODYS).map(|answer| answer.rights.clone()),
            Err(fault) => return unanswered(check, fault),
        };
        let mut check = check;
        check.evidence = Some("Metadata authorized operations of a topic that nobody has".to_owned());
        match answer {
            Some(Rights::NoDescribe) => check.passed("enforced: what nobody granted is refused"),
            Some(rights @ Rights::Known(_)) if rights.allows(Operation::Write) != Some(true) => {
                check.passed("enforced: what nobody granted is refused")
            }
            Some(Rights::Known(_)) if provider == Provider::Msk => {
                check.why = Some(
                    "MSK allows everybody what no ACL names (allow.everyone.if.no.acl.found): the rights below may go with the first \
                     ACL that somebody adds on the same topic or group"
                        .to_owned(),
                );
                check.ended(Status::Warned, "not enforced: this principal may do what nobody granted")
            }
            Some(Rights::Known(_) | Rights::Partly { .. }) => check.passed(
                "this principal may do everything: a super user, a right on every name, or a cluster that allows what no ACL names",
            ),
            Some(Rights::Unknown(why)) => check.ended(Status::Unknown, why),
            None => check.ended(Status::Unknown, "the broker did not answer"),
        }
    })
}

fn step(target: &Target, connected: &Connected, asker: &Arc<Asker>, wanted: Wanted, plan: &mut Plan) -> StepId {
    let need = &wanted.need;
    let names = words(&wanted.operations);
    let code = match need.resource {
        Resource::Group => Code::GROUP_RIGHTS,
        Resource::Topic if wanted.operations == [Operation::DescribeConfigs] => Code::CONFIG_RIGHTS,
        Resource::Topic => Code::TOPIC_RIGHTS,
        Resource::TransactionalId => Code::TRANSACTIONAL_ID_RIGHTS,
        Resource::Cluster => Code::CLUSTER_RIGHTS,
    };
    let star = if need.pattern == Pattern::Prefixed { "*" } else { "" };
    let label =
        if need.resource == Resource::Cluster { "cluster".to_owned() } else { format!("{} {}{star}", need.resource, need.name) };
    let id = format!("{}/{}{star}/{}", need.resource, need.name, names.join("-"));
    let mut check = check_of(target, Category::KafkaAcls, code, &id, &label);
    check.clients.clone_from(&wanted.clients);
    check.title = format!("{} on {label}", names.join(", "));
    check.expected.clone_from(&names);
    check.why = Some(need.why.clone());
    check.subject =
        Some(Subject { kind: need.resource.to_string(), name: need.name.clone(), pattern: Some(need.pattern.to_string()) });
    if !need.unresolved.is_empty() {
        return plan.known(check.ended(Status::Skipped, format!("{} is not known", need.unresolved.join(", "))));
    }
    let asker = asker.clone();
    // A group's coordinator may be any broker: they are asked on the connections that the brokers' check leaves.
    let after: &[StepId] = if need.resource == Resource::Group { &[connected.brokers] } else { &[] };
    plan.step(check, &[connected.login], after, LIMIT, move |check, deadline| async move {
        asker.list_acls(deadline).await;
        let mut wanted = wanted;
        wanted.right.cluster = asker.cluster_id().await;
        match (wanted.need.resource, wanted.need.need) {
            (Resource::Topic, Need::WhileMissing) => creation(&asker, check, &wanted, deadline).await,
            (Resource::Topic, Need::Always) => topic(&asker, check, &wanted, deadline).await,
            (Resource::Group, _) => match asker.groups(deadline).await {
                Err(fault) => unanswered(check, fault),
                Ok(answers) => match answers.get(&wanted.right.asked) {
                    Some(answer) => judged(check, &wanted, &answer.rights, answer.evidence),
                    None => check.ended(Status::Unknown, "no broker answered for this group"),
                },
            },
            (Resource::Cluster, _) => judged(check, &wanted, &asker.cluster().await, "Metadata authorized operations"),
            (Resource::TransactionalId, _) => match asker.transactional_ids(deadline).await {
                Err(fault) => unanswered(check, fault),
                Ok(answers) => match answers.get(&wanted.right.asked) {
                    Some(rights) => judged(check, &wanted, rights, "InitProducerId that can't succeed, DescribeTransactions"),
                    None => check.ended(Status::Unknown, "no broker answered for this transactional id"),
                },
            },
        }
    })
}

async fn topic(asker: &Asker, check: Check, wanted: &Wanted, deadline: Deadline) -> Check {
    let answer = match asker.rights(deadline).await {
        Ok(answers) => answers.get(&wanted.right.asked),
        Err(fault) => return unanswered(check, fault),
    };
    // Nobody creates what is there.
    let there = matches!(answer, Some(TopicAnswer { existence: Existence::Exists { .. }, .. }));
    let existing = Wanted { operations: without_create(&wanted.operations), right: wanted.right.existing(), ..wanted.clone() };
    let wanted = if there { &existing } else { wanted };
    let missing = || Rights::Unknown("the broker did not answer for this topic".to_owned());
    let rights = answer.map_or_else(missing, |answer| answer.rights.clone());
    // Create may be granted on the cluster, of which a topic's own rights tell nothing.
    let mut create = rights.allows(Operation::Create);
    if wanted.operations.contains(&Operation::Create) && create != Some(true) {
        create = match asker.creations(deadline).await {
            Ok(answers) => match answers.get(&wanted.right.asked) {
                Some(answer) if answer.is_authorized() => Some(true),
                Some(Creation::Denied) => Some(false),
                _ => create,
            },
            Err(fault) => return unanswered(check, fault),
        };
    }
    let told = |operation| if operation == Operation::Create { create } else { rights.allows(operation) };
    if !wanted.operations.contains(&Operation::DescribeConfigs) {
        return verdicts(check, wanted, told, &rights, "Metadata authorized operations");
    }
    // Where Describe is denied, Metadata tells nothing of the right to read the configuration: it is asked for by itself.
    let config = match asker.configs(deadline).await {
        Ok(answers) => answers.get(&wanted.right.asked),
        Err(fault) => return unanswered(check, fault),
    };
    let granted = match config {
        Some(ConfigAccess::Allowed { .. }) => Some(true),
        Some(ConfigAccess::Denied) => Some(false),
        Some(ConfigAccess::Unknown(_)) | None => None,
    };
    let verdict = |operation| if operation == Operation::DescribeConfigs { granted } else { told(operation) };
    verdicts(check, wanted, verdict, &rights, "DescribeConfigs, Metadata authorized operations")
}

/// May the topic be created? Where it is there already: can the component use it as it is?
async fn creation(asker: &Asker, check: Check, wanted: &Wanted, deadline: Deadline) -> Check {
    let existence = match asker.rights(deadline).await {
        Ok(answers) => answers.get(&wanted.right.asked).map_or(Existence::Undisclosed, |answer| answer.existence.clone()),
        Err(fault) => return unanswered(check, fault),
    };
    if let Existence::Exists { partitions, replication, leaderless, .. } = existence {
        if leaderless > 0 {
            return shape::leaderless(check, leaderless, partitions, asker.missing_brokers(usize::MAX).await);
        }
        let policy = match asker.configs(deadline).await {
            Ok(answers) => answers.get(&wanted.right.asked).cloned(),
            Err(_) => None,
        };
        return shape::judged(check, &wanted.need, partitions, replication, policy.as_ref(), &wanted.right.bootstrap);
    }
    let creation = match asker.creations(deadline).await {
        Ok(answers) => answers.get(&wanted.right.asked).cloned().unwrap_or(Creation::Elsewhere),
        Err(fault) => return uncontrolled(asker, check, fault).await,
    };
    let shape = wanted.need.creates.filter(|topic| topic.replication_factor > 0);
    let shape = shape.map_or_else(String::new, |topic| format!(" with replication factor {}", topic.replication_factor));
    let mut check = check;
    check.evidence = Some("CreateTopics, only validated".to_owned());
    match (creation, existence) {
        (Creation::Allowed, _) => passed(check, wanted, format!("may be created{shape}")),
        (Creation::AlreadyExists, _) => check.passed("is there"),
        (Creation::Denied, Existence::Missing) if wanted.right.asked != wanted.need.name => {
            let message = "create is missing: none of these topics can be made, those that are there can be used";
            let check = denied(check, wanted, &[Operation::Create], message.to_owned());
            check.ended(Status::Warned, message)
        }
        (Creation::Denied, Existence::Missing) => {
            denied(check, wanted, &[Operation::Create], "create is missing, and the topic does not exist yet".to_owned())
        }
        (Creation::Denied, _) => {
            let check = denied(check, wanted, &[Operation::Create], String::new());
            let message = "create is missing; without describe nobody tells whether the topic is there already";
            check.ended(Status::Unknown, message)
        }
        (Creation::Refused(said), _) => refused(check, wanted, &shape, &said),
        (Creation::BadName(said), _) => {
            let mut check = refused(check, wanted, "", &said);
            check.fixes = vec![shape::another_name(&wanted.need, &said)];
            check
        }
        (Creation::BadPartitions(said), _) => {
            let count = wanted.need.creates.map_or(-1, |topic| topic.partitions);
            let mut check = refused(check, wanted, &format!(" with {count} partitions"), &said);
            check.fixes = vec![shape::another_count(&wanted.need)];
            check
        }
        (Creation::TooFewBrokers(said), _) => {
            let copies = wanted.need.creates.map_or(1, |topic| usize::try_from(topic.replication_factor).unwrap_or(1));
            let check = refused(check, wanted, &shape, &said);
            match asker.missing_brokers(copies).await {
                None => check,
                Some(which) => {
                    let mut check = check.because(Cause::BrokerUnreachable);
                    check.message.extend(["; ", &which]);
                    check.fixes = vec![Fix::advice("bring the missing brokers back, then run this again")];
                    check
                }
            }
        }
        (Creation::NoController(said), _) => {
            let message = format!("the cluster's controller gave no answer: {said}");
            check.ended(Status::Unknown, message).because(Cause::BrokerUnreachable)
        }
        (Creation::Throttled(said), _) => {
            let message = format!("a quota of the cluster holds back who asks this: {said}");
            check.ended(Status::Unknown, message).because(Cause::Throttled)
        }
        (Creation::Unknown(said), _) => check.ended(Status::Unknown, said),
        (Creation::Elsewhere, _) => check.ended(Status::Unknown, "only the controller answers this, and it was not reached"),
    }
}

/// A broker answers everything but this, which it hands on to the controller: where brokers are missed, that is why.
async fn uncontrolled(asker: &Asker, check: Check, fault: &Fault) -> Check {
    let check = unanswered(check, fault);
    let Some(which) = asker.missing_brokers(usize::MAX).await.filter(|_| fault.cause == Cause::TimedOut) else { return check };
    let mut check = check.because(Cause::BrokerUnreachable);
    check.message = format!("the broker has no controller that could answer: {which}");
    check.fixes = vec![Fix::advice("bring the missing brokers back, then run this again")];
    check
}

/// The cluster would not make the topic as the component wants it.
fn refused(mut check: Check, wanted: &Wanted, shape: &str, said: &str) -> Check {
    check.code = Code::TOPIC_REFUSED;
    check.why = Some("the component creates this topic at its first start, and would be refused".to_owned());
    check.fixes = shape::refused(&wanted.need);
    check.ended(Status::Failed, format!("may not be created{shape}: {said}"))
}

fn without_create(operations: &[Operation]) -> Vec<Operation> {
    operations.iter().copied().filter(|operation| *operation != Operation::Create).collect()
}

fn words(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(ToString::to_string).collect()
}

/// The broker gave no answer at all.
pub(super) fn unanswered(check: Check, fault: &Fault) -> Check {
    check.ended(Status::Unknown, fault.message.clone()).because(fault.cause)
}

fn judged(check: Check, wanted: &Wanted, rights: &Rights, evidence: &str) -> Check {
    verdicts(check, wanted, |operation| rights.allows(operation), rights, evidence)
}

fn verdicts(
    mut check: Check,
    wanted: &Wanted,
    verdict: impl Fn(Operation) -> Option<bool>,
    rights: &Rights,
    evidence: &str,
) -> Check {
    check.evidence = Some(evidence.to_owned());
    let of = |wanted_verdict: Option<bool>| -> Vec<Operation> {
        wanted.operations.iter().copied().filter(|operation| verdict(*operation) == wanted_verdict).collect()
    };
    let (missing, untold) = (of(Some(false)), of(None));
    let has = match rights {
        Rights::Known(granted) | Rights::Partly { granted, .. } => {
            let has: Vec<String> = granted.iter().map(ToString::to_string).collect();
            check.observed = Some(has.clone());
            if has.is_empty() { " (has nothing)".to_owned() } else { format!(" (has {})", has.join(", ")) }
        }
        Rights::NoDescribe => {
            check.observed = Some(Vec::new());
            String::new()
        }
        Rights::Unknown(_) => String::new(),
    };
    if !missing.is_empty() {
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let has = if wanted.operations == [Operation::DescribeConfigs] { "" } else { &has };
        let mut message = format!("{} {verb} missing{has}", words(&missing).join(", "));
        if !untold.is_empty() {
            message.extend(["; without it the broker does not tell of ", &words(&untold).join(", ")]);
        }
        let mut check = denied(check, wanted, &missing, message);
        if let Some(right) = &mut check.right {
            // What it doesn't tell of is needed all the same, and granted with the rest.
            right.missing.extend(named(&wanted.need, &untold));
        }
        return check;
    }
    if !untold.is_empty() {
        let why = match rights {
            Rights::Unknown(why) => why.clone(),
            Rights::NoDescribe => format!("without describe the broker does not tell of {}", words(&untold).join(", ")),
            Rights::Known(_) => format!("the broker does not tell of {}", words(&untold).join(", ")),
            Rights::Partly { .. } => format!("no broker tells of {} while the group doesn't exist", words(&untold).join(", ")),
        };
        return check.ended(Status::Unknown, why);
    }
    // A topic that is there was to be created, and nothing else.
    let message = if wanted.operations.is_empty() { "is there".to_owned() } else { words(&wanted.operations).join(", ") };
    passed(check, wanted, message)
}

fn passed(check: Check, wanted: &Wanted, message: impl Into<String>) -> Check {
    let mut check = check.passed(message);
    check.right = Some(wanted.right.clone());
    check
}

/// Rights are missing: the check fails, or warns where the component does without.
fn denied(check: Check, wanted: &Wanted, missing: &[Operation], message: String) -> Check {
    let status = if wanted.need.level == Level::Advised { Status::Warned } else { Status::Failed };
    let mut check = check.ended(status, message);
    check.missing = words(missing);
    let mut right = wanted.right.clone();
    right.missing = named(&wanted.need, missing).collect();
    check.right = Some(right);
    check
}

/// The operations of a need in the profile's own type.
fn named<'a>(need: &'a AclNeed, operations: &'a [Operation]) -> impl Iterator<Item = crate::profile::Operation> + 'a {
    let wanted = |operation: &crate::profile::Operation| operations.iter().any(|wanted| wanted.as_str() == operation.word());
    need.operations.iter().copied().filter(wanted)
}
