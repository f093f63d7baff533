//! The only code that talks to Kafka. Comes in: a client's [`Settings`] and a deadline. Goes out: what the broker said, as data,
//! or a [`Fault`](crate::base::Fault) with the one cause.
//!
//! Two clients stand side by side, each for what it does best.
//!
//! - A small wire client (`wire`, `link`, `sasl`, `probe`): it sends single requests with the codecs of `kafka-protocol` and hears every
//!   error code. librdkafka hides what a diagnosis lives from: the mechanisms that a listener offers, the rights on a topic
//!   that does not exist yet, the difference between a listener without TLS and a dropped connection.
//! - librdkafka through rdkafka's safe API (`login`): an independent client in wide use logs in with the same
//!   settings, so that a login which passes here is not only our own reading of the protocol.
//!
//! Rules: nothing that is sent may create, move or change anything in the cluster. No FindCoordinator (it creates
//! `__consumer_offsets` where it is missing), no JoinGroup, no Metadata with topic auto-creation; CreateTopics with
//! `validate_only` alone, InitProducerId only in a form that is always refused. Every call has a deadline.

mod aws;
mod link;
mod login;
mod oauth;
mod operation;
mod probe;
mod sasl;
mod scram;
mod settings;
mod wire;

pub use aws::{AwsKeys, region_of};
pub use link::{Hello, authenticate, hello, open, reached};
pub use login::{login, speaks};
pub use oauth::{Oidc, Token, Unsecured};
pub use operation::{Operation, Rights};
pub use probe::{
    AclEntry, AclOperation, AclResource, Acls, Broker, Cluster, ConfigAccess, Creation, Existence, GroupAnswer, ListedGroup,
    Member, NewTopic, TopicAnswer, acls, cluster, configs, creatable, groups, listed_groups, topics, transactional_ids,
};
pub use settings::{Login, Mechanism, Proof, Protocol, Settings};
pub use wire::Connection;
