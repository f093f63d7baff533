//! The cluster itself and its topics: who is there, what the caller may do, what a topic would be or is like.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{CreateTopicsRequest, DescribeConfigsRequest, MetadataRequest, MetadataResponse, TopicName};
use kafka_protocol::protocol::StrBytes;

use super::{
    BROKER_NOT_AVAILABLE, CLUSTER_AUTHORIZATION_FAILED, INVALID_CONFIG, INVALID_PARTITIONS, INVALID_REPLICATION_FACTOR,
    INVALID_TOPIC, NONE, NOT_CONTROLLER, POLICY_VIOLATION, REQUEST_TIMED_OUT, THROTTLING_QUOTA_EXCEEDED, TOPIC_ALREADY_EXISTS,
    TOPIC_AUTHORIZATION_FAILED, UNKNOWN_TOPIC_OR_PARTITION, error_name,
};
use crate::base::{Deadline, Fault};
use crate::kafka::link::request_fault;
use crate::kafka::operation::Rights;
use crate::kafka::wire::Connection;
use crate::net::Endpoint;

/// A broker as the cluster advertises it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    pub id: i32,
    pub endpoint: Endpoint,
}

/// What the cluster says of itself.
#[derive(Debug, Clone)]
pub struct Cluster {
    pub id: Option<String>,
    /// By id.
    pub brokers: Vec<Broker>,
    pub controller: i32,
    /// On the cluster itself.
    pub rights: Rights,
}

/// The cluster's id and the brokers that it advertises on this listener.
pub async fn cluster(connection: &mut Connection, deadline: Deadline) -> Result<Cluster, Fault> {
    let answer = metadata(connection, &[], deadline).await?;
    let mut brokers: Vec<Broker> = answer
        .brokers
        .iter()
        .map(|broker| Broker {
            id: broker.node_id.0,
            endpoint: Endpoint::new(broker.host.as_str(), u16::try_from(broker.port).unwrap_or_default()),
        })
        .collect();
    brokers.sort_by_key(|broker| broker.id);
    // Without Describe on the cluster the broker hides everything else behind an empty set.
    let rights = match answer.cluster_authorized_operations {
        0 => Rights::NoDescribe,
        bits => Rights::from_bits(bits),
    };
    Ok(Cluster { id: answer.cluster_id.as_ref().map(ToString::to_string), brokers, controller: answer.controller_id.0, rights })
}

async fn metadata(connection: &mut Connection, topics: &[String], deadline: Deadline) -> Result<MetadataResponse, Fault> {
    let topics_wanted = topics.len();
    let topics = topics.iter().map(|name| MetadataRequestTopic::default().with_name(Some(topic_name(name)))).collect();
    let request = MetadataRequest::default()
        .with_topics(Some(topics))
        .with_allow_auto_topic_creation(false)
        .with_include_cluster_authorized_operations(topics_wanted == 0)
        .with_include_topic_authorized_operations(true);
    connection.call(&request, 10, deadline).await.map(|(answer, _)| answer).map_err(|error| request_fault("Metadata", &error))
}

/// Is the topic there?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Existence {
    Exists {
        partitions: usize,
        replication: usize,
        /// Brokers that hold copies of it and are not there.
        absent: BTreeSet<i32>,
        /// Partitions that nobody can read or write now.
        leaderless: usize,
    },
    Missing,
    /// The broker does not tell a caller without Describe.
    Undisclosed,
}

/// A topic as its caller sees it.
#[derive(Debug, Clone)]
pub struct TopicAnswer {
    pub existence: Existence,
    pub rights: Rights,
}

/// Existence and the caller's rights on each topic, by one Metadata request. Topics that don't exist are answered too.
pub async fn topics(
    connection: &mut Connection,
    names: &[String],
    deadline: Deadline,
) -> Result<BTreeMap<String, TopicAnswer>, Fault> {
    let answer = metadata(connection, names, deadline).await?;
    let there: BTreeSet<i32> = answer.brokers.iter().map(|broker| broker.node_id.0).collect();
    let answers = answer.topics.iter().filter_map(|topic| {
        let name = topic.name.as_ref()?.to_string();
        let rights = || Rights::from_bits(topic.topic_authorized_operations);
        let answer = match topic.error_code {
            // A name that Kafka does not allow has its rights all the same; asked to be created it is refused.
            UNKNOWN_TOPIC_OR_PARTITION | INVALID_TOPIC => TopicAnswer { existence: Existence::Missing, rights: rights() },
            TOPIC_AUTHORIZATION_FAILED => TopicAnswer { existence: Existence::Undisclosed, rights: Rights::NoDescribe },
            // NONE, and states of partitions that a caller's rights don't depend on.
            _ => {
                let replication =
                    topic.partitions.iter().map(|partition| partition.replica_nodes.len()).min().unwrap_or_default();
                let absent = topic.partitions.iter().flat_map(|partition| &partition.replica_nodes);
                let absent = absent.map(|id| id.0).filter(|id| !there.contains(id)).collect();
                let leaderless = topic.partitions.iter().filter(|partition| partition.leader_id.0 < 0).count();
                let existence = Existence::Exists { partitions: topic.partitions.len(), replication, absent, leaderless };
                TopicAnswer { existence, rights: rights() }
            }
        };
        Some((name, answer))
    });
    Ok(answers.collect())
}

/// A topic that would be created, as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// -1 stands for the broker's default.
    pub partitions: i32,
    pub replication: i16,
    /// With `cleanup.policy=compact`.
    pub compacted: bool,
}

/// What the cluster says to creating a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Creation {
    Allowed,
    AlreadyExists,
    Denied,
    /// The caller may create topics, but not this one as it is: a policy of the cluster, a setting.
    Refused(String),
    /// … because of its name.
    BadName(String),
    /// … because of its number of partitions.
    BadPartitions(String),
    /// … because it has fewer brokers than the topic shall have copies.
    TooFewBrokers(String),
    /// The broker asked the controller, and had no answer.
    NoController(String),
    /// A quota holds the caller back; nothing was decided.
    Throttled(String),
    Unknown(String),
    /// Ask the controller.
    Elsewhere,
}

impl Creation {
    /// Does the answer show that the caller may create the topic, whatever else there is to it?
    pub fn is_authorized(&self) -> bool {
        matches!(
            self,
            Self::Allowed
                | Self::AlreadyExists
                | Self::Refused(_)
                | Self::BadName(_)
                | Self::BadPartitions(_)
                | Self::TooFewBrokers(_)
        )
    }
}

/// Would these topics be created? Only validated, never done.
pub async fn creatable(
    connection: &mut Connection,
    topics: &[NewTopic],
    deadline: Deadline,
) -> Result<BTreeMap<String, Creation>, Fault> {
    let compact = CreatableTopicConfig::default()
        .with_name(StrBytes::from_static_str("cleanup.policy"))
        .with_value(Some(StrBytes::from_static_str("compact")));
    let wanted = topics
        .iter()
        .map(|topic| {
            CreatableTopic::default()
                .with_name(topic_name(&topic.name))
                .with_num_partitions(topic.partitions)
                .with_replication_factor(topic.replication)
                .with_configs(if topic.compacted { vec![compact.clone()] } else { Vec::new() })
        })
        .collect();
    let limit = i32::try_from(deadline.remaining().as_millis()).unwrap_or(i32::MAX);
    let request = CreateTopicsRequest::default().with_topics(wanted).with_validate_only(true).with_timeout_ms(limit);
    let (answer, _) = connection.call(&request, 7, deadline).await.map_err(|error| request_fault("CreateTopics", &error))?;
    let verdicts = answer.topics.iter().map(|topic| {
        let said = || {
            topic
                .error_message
                .as_ref()
                .filter(|text| !text.is_empty())
                .map_or_else(|| error_name(topic.error_code), ToString::to_string)
        };
        let verdict = match topic.error_code {
            NONE => Creation::Allowed,
            TOPIC_ALREADY_EXISTS => Creation::AlreadyExists,
            TOPIC_AUTHORIZATION_FAILED | CLUSTER_AUTHORIZATION_FAILED => Creation::Denied,
            NOT_CONTROLLER => Creation::Elsewhere,
            THROTTLING_QUOTA_EXCEEDED => Creation::Throttled(said()),
            INVALID_REPLICATION_FACTOR => Creation::TooFewBrokers(said()),
            REQUEST_TIMED_OUT | BROKER_NOT_AVAILABLE => Creation::NoController(said()),
            // All of them are judged after the authorizer.
            INVALID_TOPIC => Creation::BadName(said()),
            INVALID_PARTITIONS => Creation::BadPartitions(said()),
            INVALID_CONFIG | POLICY_VIOLATION => Creation::Refused(said()),
            _ => Creation::Unknown(said()),
        };
        (topic.name.to_string(), verdict)
    });
    Ok(verdicts.collect())
}

/// May the caller read a topic's configuration, and what does it say?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigAccess {
    Allowed { cleanup_policy: Option<String>, min_in_sync: Option<usize> },
    Denied,
    Unknown(String),
}

/// The configuration of topics. A missing topic is answered too: the authorizer comes first.
pub async fn configs(
    connection: &mut Connection,
    names: &[String],
    deadline: Deadline,
) -> Result<BTreeMap<String, ConfigAccess>, Fault> {
    const TOPIC: i8 = 2;
    let keys = ["cleanup.policy", "min.insync.replicas"].map(StrBytes::from_static_str);
    let resources = names
        .iter()
        .map(|name| {
            DescribeConfigsResource::default()
                .with_resource_type(TOPIC)
                .with_resource_name(StrBytes::from_string(name.clone()))
                .with_configuration_keys(Some(keys.to_vec()))
        })
        .collect();
    let request = DescribeConfigsRequest::default().with_resources(resources);
    let (answer, _) = connection.call(&request, 4, deadline).await.map_err(|error| request_fault("DescribeConfigs", &error))?;
    let verdicts = answer.results.iter().map(|result| {
        let verdict = match result.error_code {
            NONE => {
                let value = |key: &StrBytes| result.configs.iter().find(|entry| entry.name == *key)?.value.as_ref();
                let [policy, min_in_sync] = &keys;
                ConfigAccess::Allowed {
                    cleanup_policy: value(policy).map(ToString::to_string),
                    min_in_sync: value(min_in_sync).and_then(|value| value.parse().ok()),
                }
            }
            UNKNOWN_TOPIC_OR_PARTITION | INVALID_TOPIC => ConfigAccess::Allowed { cleanup_policy: None, min_in_sync: None },
            TOPIC_AUTHORIZATION_FAILED => ConfigAccess::Denied,
            code => ConfigAccess::Unknown(error_name(code)),
        };
        (result.resource_name.to_string(), verdict)
    });
    Ok(verdicts.collect())
}

fn topic_name(name: &str) -> TopicName {
    TopicName(StrBytes::from_string(name.to_owned()))
}
