//! Questions to a broker that change nothing, and its answers as data.

mod acls;
mod groups;
mod topics;
mod transactions;

use kafka_protocol::ResponseError;

pub use acls::{AclEntry, AclOperation, AclResource, Acls, acls};
pub use groups::{GroupAnswer, ListedGroup, Member, groups, listed_groups};
pub use topics::{
    Broker, Cluster, ConfigAccess, Creation, Existence, NewTopic, TopicAnswer, cluster, configs, creatable, topics,
};
pub use transactions::transactional_ids;

const NONE: i16 = 0;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const REQUEST_TIMED_OUT: i16 = 7;
const BROKER_NOT_AVAILABLE: i16 = 8;
const COORDINATOR_LOAD_IN_PROGRESS: i16 = 14;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;
const INVALID_TOPIC: i16 = 17;
const ILLEGAL_GENERATION: i16 = 22;
const UNKNOWN_MEMBER_ID: i16 = 25;
const REBALANCE_IN_PROGRESS: i16 = 27;
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
const GROUP_AUTHORIZATION_FAILED: i16 = 30;
const CLUSTER_AUTHORIZATION_FAILED: i16 = 31;
const TOPIC_ALREADY_EXISTS: i16 = 36;
const INVALID_PARTITIONS: i16 = 37;
const INVALID_REPLICATION_FACTOR: i16 = 38;
const INVALID_CONFIG: i16 = 40;
const NOT_CONTROLLER: i16 = 41;
const POLICY_VIOLATION: i16 = 44;
const INVALID_TRANSACTION_TIMEOUT: i16 = 50;
const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: i16 = 53;
const SECURITY_DISABLED: i16 = 54;
const THROTTLING_QUOTA_EXCEEDED: i16 = 89;
const TRANSACTIONAL_ID_NOT_FOUND: i16 = 105;

/// How an error code of the protocol is called.
pub(super) fn error_name(code: i16) -> String {
    ResponseError::try_from_code(code).map_or_else(|| "no error".to_owned(), |error| error.to_string())
}
