//! What each principal may do, by asking the broker as that principal: granted, denied or unknown, never a guess.
//!
//! One request answers for all topics. Topics and groups need not exist. Where a name is a prefix, a name under it is asked for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::OnceCell;

use super::connection::{Connected, Session, check_of};
use super::fix::Grant;
use super::report::{Category, Check, Status, Subject};
use super::runner::{Plan, StepId};
use super::target::Target;
use crate::base::{Cause, Code, Deadline, Fault};
use crate::confluent::{AclNeed, Need};
use crate::kafka::{self, ConfigAccess, Creation, Existence, NewTopic, Operation, Rights, TopicAnswer};
use crate::profile::{Level, Pattern, Resource};

const LIMIT: Duration = Duration::from_secs(4);
/// Stands under a prefix for the names that will be there.
const UNDER_PREFIX: &str = "confluent-ecs-preflight";

type Answer<T> = OnceCell<Result<BTreeMap<String, T>, Fault>>;

/// Asks each question once for all checks of a target.
struct Asker {
    session: Arc<Session>,
    topics: Vec<String>,
    new: Vec<NewTopic>,
    rights: Answer<TopicAnswer>,
    configs: Answer<ConfigAccess>,
    creations: Answer<Creation>,
}

/// A right as it is checked: one resource, the operations that belong together.
#[derive(Clone)]
struct Wanted {
    need: AclNeed,
    operations: Vec<Operation>,
    /// The name that is asked for.
    asked: String,
    bootstrap: String,
    principal: Option<String>,
    key_start: Option<String>,
}

pub(super) fn plan(target: &Target, connected: &Connected, plan: &mut Plan) {
    let wanted: Vec<Wanted> = target.needs.iter().map(|need| wanted(target, need)).collect();
    let on_topics =
        || wanted.iter().filter(|wanted| wanted.need.resource == Resource::Topic && wanted.need.unresolved.is_empty());
    let mut topics: Vec<String> = on_topics().map(|wanted| wanted.asked.clone()).collect();
    topics.sort();
    topics.dedup();
    let mut new: Vec<NewTopic> = Vec::new();
    for wanted in on_topics().filter(|wanted| wanted.operations.contains(&Operation::Create)) {
        if new.iter().all(|topic| topic.name != wanted.asked) {
            let shape = wanted.need.creates.map_or((-1, -1), |topic| (topic.partitions, topic.replication_factor));
            new.push(NewTopic { name: wanted.asked.clone(), partitions: shape.0, replication: shape.1 });
        }
    }
    let asker = Arc::new(Asker {
        session: connected.session.clone(),
        topics,
        new,
        rights: OnceCell::new(),
        configs: OnceCell::new(),
        creations: OnceCell::new(),
    });
    for wanted in wanted {
        step(target, connected, &asker, wanted, plan);
    }
}

fn wanted(target: &Target, need: &AclNeed) -> Wanted {
    let operations = need.operations.iter().filter_map(|operation| Operation::parse(operation.word())).collect();
    let asked = match need.pattern {
        Pattern::Literal => need.name.clone(),
        Pattern::Prefixed => format!("{}{UNDER_PREFIX}", need.name),
    };
    let bootstrap = target.settings.as_ref().ok().and_then(|settings| settings.bootstrap.first());
    Wanted {
        need: need.clone(),
        operations,
        asked,
        bootstrap: bootstrap.map(ToString::to_string).unwrap_or_default(),
        principal: target.principal.clone(),
        key_start: target.key_start.clone(),
    }
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
    let label = format!("{} {}{star}", need.resource, need.name);
    let id = format!("{}/{}/{}", need.resource, need.name, names.join("-"));
    let mut check = check_of(target, Category::KafkaAcls, code, &id, &label);
    check.clients = vec![need.client.clone()];
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
        match (wanted.need.resource, wanted.need.need) {
            (Resource::Topic, Need::WhileMissing) => asker.creation(check, &wanted, deadline).await,
            (Resource::Topic, Need::Always) => asker.topic(check, &wanted, deadline).await,
            (Resource::Group, _) => asker.group(check, &wanted, deadline).await,
            (Resource::Cluster, _) => asker.cluster(check, &wanted).await,
            (Resource::TransactionalId, _) => {
                check.ended(Status::Unknown, "a transactional id's rights can't be asked for without touching it")
            }
        }
    })
}

impl Asker {
    async fn first<T, F>(&self, ask: F) -> Result<T, Fault>
    where
        F: AsyncFnOnce(&mut kafka::Connection) -> Result<T, Fault>,
    {
        let mut connections = self.session.connections.lock().await;
        match connections.first_mut() {
            Some((_, connection)) => ask(connection).await,
            None => Err(Fault::new(Cause::BrokerUnreachable, "no broker is connected")),
        }
    }

    async fn rights(&self, deadline: Deadline) -> &Result<BTreeMap<String, TopicAnswer>, Fault> {
        let ask = || self.first(async |connection| kafka::topics(connection, &self.topics, deadline).await);
        self.rights.get_or_init(ask).await
    }

    async fn configs(&self, deadline: Deadline) -> &Result<BTreeMap<String, ConfigAccess>, Fault> {
        let ask = || self.first(async |connection| kafka::configs(connection, &self.topics, deadline).await);
        self.configs.get_or_init(ask).await
    }

    async fn creations(&self, deadline: Deadline) -> &Result<BTreeMap<String, Creation>, Fault> {
        self.creations.get_or_init(|| self.ask_creations(deadline)).await
    }

    /// In a cluster with ZooKeeper only the controller answers.
    async fn ask_creations(&self, deadline: Deadline) -> Result<BTreeMap<String, Creation>, Fault> {
        let answer = self.first(async |connection| kafka::creatable(connection, &self.new, deadline).await).await?;
        if !answer.values().any(|creation| *creation == Creation::Elsewhere) {
            return Ok(answer);
        }
        let controller = self.session.cluster.lock().await.as_ref().map(|cluster| cluster.controller);
        let mut connections = self.session.connections.lock().await;
        match connections.iter_mut().find(|(broker, _)| Some(*broker) == controller) {
            Some((_, connection)) => kafka::creatable(connection, &self.new, deadline).await,
            None => Ok(answer),
        }
    }

    async fn topic(&self, check: Check, wanted: &Wanted, deadline: Deadline) -> Check {
        let mut verdicts = Vec::new();
        let mut evidence = "Metadata authorized operations";
        let answer = match self.rights(deadline).await {
            Ok(answers) => answers.get(&wanted.asked),
            Err(fault) => return unanswered(check, fault),
        };
        let rights = answer.map_or_else(
            || Rights::Unknown("the broker did not answer for this topic".to_owned()),
            |answer| answer.rights.clone(),
        );
        for operation in &wanted.operations {
            let verdict = if *operation == Operation::DescribeConfigs {
                evidence = "DescribeConfigs";
                match self.configs(deadline).await {
                    Ok(answers) => match answers.get(&wanted.asked) {
                        Some(ConfigAccess::Allowed { .. }) => Some(true),
                        Some(ConfigAccess::Denied) => Some(false),
                        Some(ConfigAccess::Unknown(_)) | None => None,
                    },
                    Err(fault) => return unanswered(check, fault),
                }
            } else {
                rights.allows(*operation)
            };
            verdicts.push((*operation, verdict));
        }
        judged(check, wanted, &verdicts, &rights, evidence)
    }

    async fn creation(&self, check: Check, wanted: &Wanted, deadline: Deadline) -> Check {
        let existence = match self.rights(deadline).await {
            Ok(answers) => answers.get(&wanted.asked).map_or(Existence::Undisclosed, |answer| answer.existence.clone()),
            Err(fault) => return unanswered(check, fault),
        };
        if let Existence::Exists { partitions, replication } = existence {
            let mut check = check.passed(format!("is there: partitions {partitions}, replication factor {replication}"));
            check.evidence = Some("Metadata".to_owned());
            return check;
        }
        let creation = match self.creations(deadline).await {
            Ok(answers) => answers.get(&wanted.asked).cloned().unwrap_or(Creation::Elsewhere),
            Err(fault) => return unanswered(check, fault),
        };
        let shape = wanted.need.creates.filter(|topic| topic.replication_factor > 0);
        let shape = shape.map_or_else(String::new, |topic| format!(" with replication factor {}", topic.replication_factor));
        let mut check = check;
        check.evidence = Some("CreateTopics, only validated".to_owned());
        match (creation, existence) {
            (Creation::Allowed, _) => check.passed(format!("may be created{shape}")),
            (Creation::AlreadyExists, _) => check.passed("is there"),
            (Creation::Denied, Existence::Missing) => {
                denied(check, wanted, &[Operation::Create], "create is missing, and the topic does not exist yet".to_owned())
            }
            (Creation::Denied, _) => {
                let check = denied(check, wanted, &[Operation::Create], String::new());
                let message = "create is missing; without describe nobody tells whether the topic is there already";
                check.ended(Status::Unknown, message)
            }
            (Creation::Refused(said), _) => {
                check.code = Code::TOPIC_REFUSED;
                check.why = Some("the component creates this topic at its first start, and would be refused".to_owned());
                check.ended(Status::Failed, format!("may not be created{shape}: {said}"))
            }
            (Creation::Unknown(said), _) => check.ended(Status::Unknown, said),
            (Creation::Elsewhere, _) => check.ended(Status::Unknown, "only the controller answers this, and it was not reached"),
        }
    }

    async fn group(&self, check: Check, wanted: &Wanted, deadline: Deadline) -> Check {
        let mut connections = self.session.connections.lock().await;
        // The connection that was opened first leads to one of the brokers that were opened later.
        let several = connections.len() > 1;
        let mut asked: Vec<&mut kafka::Connection> =
            connections.iter_mut().filter(|(broker, _)| *broker >= 0 || !several).map(|(_, connection)| connection).collect();
        let answer = kafka::group(&mut asked, &wanted.asked, deadline).await;
        match answer {
            Err(fault) => unanswered(check, &fault),
            Ok(answer) => {
                let verdicts: Vec<_> =
                    wanted.operations.iter().map(|operation| (*operation, answer.rights.allows(*operation))).collect();
                judged(check, wanted, &verdicts, &answer.rights, answer.evidence)
            }
        }
    }

    async fn cluster(&self, check: Check, wanted: &Wanted) -> Check {
        let rights = self.session.cluster.lock().await.as_ref().map(|cluster| cluster.rights.clone());
        let rights = rights.unwrap_or_else(|| Rights::Unknown("the cluster did not answer".to_owned()));
        let verdicts: Vec<_> = wanted.operations.iter().map(|operation| (*operation, rights.allows(*operation))).collect();
        judged(check, wanted, &verdicts, &rights, "Metadata authorized operations")
    }
}

fn words(operations: &[Operation]) -> Vec<String> {
    operations.iter().map(ToString::to_string).collect()
}

/// The broker gave no answer at all.
fn unanswered(check: Check, fault: &Fault) -> Check {
    check.ended(Status::Unknown, fault.message.clone()).because(fault.cause)
}

fn judged(mut check: Check, wanted: &Wanted, verdicts: &[(Operation, Option<bool>)], rights: &Rights, evidence: &str) -> Check {
    check.evidence = Some(evidence.to_owned());
    let of = |wanted: Option<bool>| {
        verdicts.iter().filter(|(_, verdict)| *verdict == wanted).map(|(operation, _)| *operation).collect::<Vec<_>>()
    };
    let (missing, untold) = (of(Some(false)), of(None));
    let has = match rights {
        Rights::Known(granted) => {
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
        let message = format!(
            "{} {verb} missing{}",
            words(&missing).join(", "),
            if wanted.operations == [Operation::DescribeConfigs] { "" } else { &has }
        );
        return denied(check, wanted, &missing, message);
    }
    if !untold.is_empty() {
        let why = match rights {
            Rights::Unknown(why) => why.clone(),
            _ => format!("the broker does not tell of {}", words(&untold).join(", ")),
        };
        return check.ended(Status::Unknown, why);
    }
    check.passed(words(&wanted.operations).join(", "))
}

/// Rights are missing: the check fails, or warns where the component does without.
fn denied(check: Check, wanted: &Wanted, missing: &[Operation], message: String) -> Check {
    let status = if wanted.need.level == Level::Advised { Status::Warned } else { Status::Failed };
    let mut check = check.ended(status, message);
    check.missing = words(missing);
    check.grant = Some(Grant {
        principal: wanted.principal.clone(),
        key_start: wanted.key_start.clone(),
        resource: wanted.need.resource,
        name: wanted.need.name.clone(),
        pattern: wanted.need.pattern,
        operations: missing.iter().copied().collect(),
        bootstrap: wanted.bootstrap.clone(),
    });
    check
}
