//! The questions to a cluster about rights, each asked once for all checks of a target.
//!
//! One request answers for all topics, one a broker for all groups, and those for transactional ids are sent without waiting for
//! each other's answers: what is asked for never costs a round trip each. A connection that breaks is left, and the next is asked.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::acls::Book;
use super::connection::Session;
use crate::base::{Cause, Deadline, Fault};
use crate::kafka::{
    self, Acls, ConfigAccess, Connection, Creation, Existence, GroupAnswer, ListedGroup, NewTopic, Operation, Rights, TopicAnswer,
};

type Answer<T> = OnceCell<Result<BTreeMap<String, T>, Fault>>;

/// What is asked about: the names in all needs of a target.
#[derive(Debug, Default)]
pub(super) struct Questions {
    pub(super) topics: Vec<String>,
    pub(super) new: Vec<NewTopic>,
    pub(super) groups: Vec<String>,
    pub(super) transactional_ids: Vec<String>,
}

pub(super) struct Asker {
    session: Arc<Session>,
    questions: Questions,
    /// Takes the ACLs that this target may list.
    book: Arc<Book>,
    rights: Answer<TopicAnswer>,
    configs: Answer<ConfigAccess>,
    creations: Answer<Creation>,
    groups: Answer<GroupAnswer>,
    transactional_ids: Answer<Rights>,
    all_groups: OnceCell<Result<Vec<ListedGroup>, Fault>>,
    listed: OnceCell<()>,
}

/// Asks one broker; where its connection breaks, the next.
macro_rules! any {
    ($asker:ident, $connection:ident => $question:expr) => {{
        let mut connections = $asker.session.connections.lock().await;
        loop {
            let Some((_, $connection)) = connections.first_mut() else {
                break Err(Fault::new(Cause::BrokerUnreachable, "no broker is connected any more"));
            };
            match $question.await {
                Err(fault) if fault.cause == Cause::BrokerUnreachable && connections.len() > 1 => drop(connections.remove(0)),
                answer => break answer,
            }
        }
    }};
}

impl Asker {
    pub(super) fn new(session: Arc<Session>, questions: Questions, book: Arc<Book>) -> Self {
        Self {
            session,
            questions,
            book,
            rights: OnceCell::new(),
            configs: OnceCell::new(),
            creations: OnceCell::new(),
            groups: OnceCell::new(),
            transactional_ids: OnceCell::new(),
            all_groups: OnceCell::new(),
            listed: OnceCell::new(),
        }
    }

    /// The id that the cluster gave, under which its ACLs are kept.
    pub(super) async fn cluster_id(&self) -> Option<String> {
        self.session.cluster.lock().await.as_ref().and_then(|cluster| cluster.id.clone())
    }

    /// Writes the cluster's ACLs into the book, where this principal may list them. A refusal would stand in the brokers' log: who
    /// lacks Describe on the cluster does not ask.
    pub(super) async fn list_acls(&self, deadline: Deadline) {
        let list = async {
            let cluster = self.session.cluster.lock().await.clone();
            let Some(cluster) = cluster.filter(|cluster| cluster.rights.allows(Operation::Describe) == Some(true)) else {
                return;
            };
            let Ok(acls) = any!(self, connection => kafka::acls(connection, deadline)) else { return };
            if let (Some(id), Acls::Listed(_) | Acls::Off) = (cluster.id, &acls) {
                self.book.write(id, acls);
            }
        };
        self.listed.get_or_init(|| list).await;
    }

    pub(super) async fn rights(&self, deadline: Deadline) -> &Result<BTreeMap<String, TopicAnswer>, Fault> {
        let topics = &self.questions.topics;
        let ask = || async { any!(self, connection => kafka::topics(connection, topics, deadline)) };
        self.rights.get_or_init(ask).await
    }

    pub(super) async fn configs(&self, deadline: Deadline) -> &Result<BTreeMap<String, ConfigAccess>, Fault> {
        let topics = &self.questions.topics;
        let ask = || async { any!(self, connection => kafka::configs(connection, topics, deadline)) };
        self.configs.get_or_init(ask).await
    }

    pub(super) async fn creations(&self, deadline: Deadline) -> &Result<BTreeMap<String, Creation>, Fault> {
        self.creations.get_or_init(|| self.ask_creations(deadline)).await
    }

    /// Asked last: where a quota on changes is used up, the broker holds back whatever comes after on the same connection. In a
    /// cluster with ZooKeeper only the controller answers.
    async fn ask_creations(&self, deadline: Deadline) -> Result<BTreeMap<String, Creation>, Fault> {
        let _told_elsewhere = (self.configs(deadline).await, self.transactional_ids(deadline).await);
        let new = &self.questions.new;
        let answer = any!(self, connection => kafka::creatable(connection, new, deadline))?;
        if !answer.values().any(|creation| *creation == Creation::Elsewhere) {
            return Ok(answer);
        }
        let controller = self.session.cluster.lock().await.as_ref().map(|cluster| cluster.controller);
        let mut connections = self.session.connections.lock().await;
        match connections.iter_mut().find(|(broker, _)| Some(*broker) == controller) {
            Some((_, connection)) => kafka::creatable(connection, new, deadline).await,
            None => Ok(answer),
        }
    }

    pub(super) async fn groups(&self, deadline: Deadline) -> &Result<BTreeMap<String, GroupAnswer>, Fault> {
        let ask = || async {
            let mut connections = self.session.connections.lock().await;
            kafka::groups(&mut brokers(&mut connections), &self.questions.groups, deadline).await
        };
        self.groups.get_or_init(ask).await
    }

    /// … and of groups that were found only now.
    pub(super) async fn members(&self, groups: &[String], deadline: Deadline) -> Result<BTreeMap<String, GroupAnswer>, Fault> {
        let mut connections = self.session.connections.lock().await;
        kafka::groups(&mut brokers(&mut connections), groups, deadline).await
    }

    /// The groups that this principal can see.
    async fn listed(&self, deadline: Deadline) -> &Result<Vec<ListedGroup>, Fault> {
        let list = || async {
            let mut connections = self.session.connections.lock().await;
            kafka::listed_groups(&mut brokers(&mut connections), deadline).await
        };
        self.all_groups.get_or_init(list).await
    }

    /// The groups of one protocol that this principal can see and that somebody is in.
    pub(super) async fn groups_of_protocol(&self, protocol: &str, deadline: Deadline) -> Result<Vec<String>, Fault> {
        let listed = self.listed(deadline).await.as_ref().map_err(Clone::clone)?;
        Ok(listed.iter().filter(|group| group.protocol == protocol && group.in_use).map(|group| group.name.clone()).collect())
    }

    /// The kind of a group that somebody is in and that no classic client may join; `None` for any other.
    pub(super) async fn newer_kind(&self, name: &str, deadline: Deadline) -> Option<String> {
        let listed = self.listed(deadline).await.as_ref().ok()?;
        listed.iter().find(|group| group.name == name && group.in_use)?.newer_kind.clone()
    }

    pub(super) async fn transactional_ids(&self, deadline: Deadline) -> &Result<BTreeMap<String, Rights>, Fault> {
        let ids = &self.questions.transactional_ids;
        let ask = || async { any!(self, connection => kafka::transactional_ids(connection, ids, deadline)) };
        self.transactional_ids.get_or_init(ask).await
    }

    /// How many brokers the cluster names.
    pub(super) async fn brokers(&self) -> Option<usize> {
        self.session.cluster.lock().await.as_ref().map(|cluster| cluster.brokers.len())
    }

    /// Whether each broker that the cluster named is connected.
    pub(super) async fn every_broker(&self) -> bool {
        let named = self.session.cluster.lock().await.as_ref().map(|cluster| cluster.brokers.len());
        let connected = self.session.connections.lock().await.iter().filter(|(broker, _)| *broker >= 0).count();
        named == Some(connected)
    }

    /// Whether the cluster has fewer brokers now than it will have again: which are missed. `copies`: more than it says it can hold.
    pub(super) async fn missing_brokers(&self, copies: usize) -> Option<String> {
        if let Some(first) = self.session.missed.lock().await.first() {
            return Some(format!("{first} is a broker of the cluster, and does not answer"));
        }
        let answers = self.rights.get().and_then(|answers| answers.as_ref().ok());
        let absent = answers.into_iter().flat_map(BTreeMap::values).find_map(|topic| match &topic.existence {
            Existence::Exists { absent, .. } => absent.first().copied(),
            _ => None,
        });
        if let Some(id) = absent {
            return Some(format!("broker {id} holds copies of other topics, and is not there"));
        }
        // The controller counts those that stay; the list shows one that is about to go, or has just come.
        let named = self.session.cluster.lock().await.as_ref().map_or(0, |cluster| cluster.brokers.len());
        (named >= copies).then(|| format!("{named} brokers are listed, so one is on its way out or in"))
    }

    pub(super) async fn cluster(&self) -> Rights {
        let rights = self.session.cluster.lock().await.as_ref().map(|cluster| cluster.rights.clone());
        rights.unwrap_or_else(|| Rights::Unknown("the cluster did not answer".to_owned()))
    }
}

/// A connection to each broker. The one that was opened first leads to one of those that were opened later.
fn brokers(connections: &mut [(i32, Connection)]) -> Vec<&mut Connection> {
    let several = connections.len() > 1;
    connections.iter_mut().filter(|(broker, _)| *broker >= 0 || !several).map(|(_, connection)| connection).collect()
}
