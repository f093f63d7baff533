//! Groups: what the caller may do with them, and who is a member. Nothing joins, commits or makes a group.
//!
//! Only a group's coordinator knows it, and asking who that is would create `__consumer_offsets` on a cluster that has none. So every
//! broker is asked about every group, at the same time, in one request each. Where no coordinator answers, the heartbeat of a member
//! that does not exist tells whether the caller has Read: the authorizer is asked first, and whatever comes after it refuses the
//! member and changes nothing.

use std::collections::BTreeMap;

use bytes::Buf;
use futures_util::future::join_all;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::{DescribeGroupsRequest, GroupId, HeartbeatRequest, ListGroupsRequest};
use kafka_protocol::protocol::StrBytes;

use super::{
    COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, GROUP_AUTHORIZATION_FAILED, ILLEGAL_GENERATION, NONE,
    NOT_COORDINATOR, REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID, error_name,
};
use crate::base::{Cause, Deadline, Fault};
use crate::kafka::link::request_fault;
use crate::kafka::operation::{Operation, Rights};
use crate::kafka::wire::Connection;

/// Who is in a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub client_id: String,
    /// Whence it came to the broker: behind a NAT or an endpoint that is not its own address.
    pub from: String,
    /// Where it says that others find it: a worker's URL, a registry's address.
    pub url: Option<String>,
}

/// A group as its caller sees it.
#[derive(Debug, Clone)]
pub struct GroupAnswer {
    pub rights: Rights,
    /// Which request said so.
    pub evidence: &'static str,
    /// Of the members: `connect`, `sr`, `consumer`; empty for a group without any.
    pub protocol: String,
    /// `None` where nobody told.
    pub members: Option<Vec<Member>>,
}

/// The caller's rights on each group, and its members.
pub async fn groups(
    connections: &mut [&mut Connection],
    names: &[String],
    deadline: Deadline,
) -> Result<BTreeMap<String, GroupAnswer>, Fault> {
    let mut found = BTreeMap::new();
    if names.is_empty() {
        return Ok(found);
    }
    let mut last = Fault::new(Cause::BrokerUnreachable, "no broker is connected");
    let mut reachable = None;
    let mut asked = Vec::new();
    for connection in connections.iter_mut() {
        asked.push(describe(connection, names, deadline));
    }
    for (index, answer) in join_all(asked).await.into_iter().enumerate() {
        match answer {
            Ok(groups) => {
                reachable.get_or_insert(index);
                found.extend(groups.iter().filter_map(|group| Some((group.group_id.to_string(), answered(group)?))));
            }
            Err(fault) => last = fault,
        }
    }
    let open: Vec<&String> = names.iter().filter(|name| !found.contains_key(*name)).collect();
    if open.is_empty() {
        return Ok(found);
    }
    let Some(connection) = reachable.and_then(|index| connections.get_mut(index)) else { return Err(last) };
    for (name, answer) in open.iter().zip(heartbeats(connection, &open, deadline).await?) {
        found.insert((*name).clone(), answer);
    }
    Ok(found)
}

async fn describe(connection: &mut Connection, names: &[String], deadline: Deadline) -> Result<Vec<DescribedGroup>, Fault> {
    let groups = names.iter().map(|name| group_id(name)).collect();
    let request = DescribeGroupsRequest::default().with_groups(groups).with_include_authorized_operations(true);
    // From version 6 on an unknown group is an error, and its rights are not told.
    let answer = connection.call(&request, 5, deadline).await;
    answer.map(|(answer, _)| answer.groups).map_err(|error| request_fault("DescribeGroups", &error))
}

/// What a broker says that knows the group; `None` from any other.
fn answered(group: &DescribedGroup) -> Option<GroupAnswer> {
    match (group.error_code, group.authorized_operations) {
        (NONE, bits) if bits != i32::MIN => Some(GroupAnswer {
            rights: Rights::from_bits(bits),
            evidence: "DescribeGroups authorized operations",
            protocol: group.protocol_type.to_string(),
            members: Some(group.members.iter().map(|member| self::member(&group.protocol_type, member)).collect()),
        }),
        (GROUP_AUTHORIZATION_FAILED, _) => Some(GroupAnswer {
            rights: Rights::NoDescribe,
            evidence: "DescribeGroups was refused",
            protocol: String::new(),
            members: None,
        }),
        _ => None,
    }
}

fn member(protocol: &str, member: &DescribedGroupMember) -> Member {
    let url = match protocol {
        "connect" => worker_url(&member.member_metadata),
        "sr" => registry_url(&member.member_metadata),
        _ => None,
    };
    Member {
        client_id: member.client_id.to_string(),
        from: member.client_host.trim_start_matches('/').to_owned(),
        url: url.map(|url| url.chars().filter(|c| !c.is_control()).collect()),
    }
}

/// A Connect worker's subscription begins with a version and the worker's URL, in every version of its protocol.
fn worker_url(metadata: &[u8]) -> Option<String> {
    let mut rest = metadata;
    if rest.remaining() < 4 {
        return None;
    }
    let _version = rest.get_i16();
    let length = usize::try_from(rest.get_i16()).ok()?;
    rest.get(..length).and_then(|url| String::from_utf8(url.to_vec()).ok())
}

/// A registry's subscription is JSON with its scheme, host and port.
fn registry_url(metadata: &[u8]) -> Option<String> {
    let identity: serde_json::Value = serde_json::from_slice(metadata).ok()?;
    let scheme = identity["scheme"].as_str().unwrap_or("http");
    Some(format!("{scheme}://{}:{}", identity["host"].as_str()?, identity["port"].as_u64()?))
}

async fn heartbeats(connection: &mut Connection, names: &[&String], deadline: Deadline) -> Result<Vec<GroupAnswer>, Fault> {
    let requests: Vec<HeartbeatRequest> = names
        .iter()
        .map(|name| {
            HeartbeatRequest::default()
                .with_group_id(group_id(name))
                .with_generation_id(-1)
                .with_member_id(StrBytes::from_static_str("confluent-ecs-preflight-no-such-member"))
        })
        .collect();
    let answers = connection.pipeline(&requests, 3, deadline).await.map_err(|error| request_fault("Heartbeat", &error))?;
    let judged = answers.iter().map(|answer| {
        let rights = match answer.error_code {
            GROUP_AUTHORIZATION_FAILED => {
                Rights::Partly { granted: [Operation::Describe].into(), denied: [Operation::Read].into() }
            }
            // A coordinator that is still loading the group answers without an error, to keep its members.
            NONE
            | COORDINATOR_NOT_AVAILABLE
            | NOT_COORDINATOR
            | COORDINATOR_LOAD_IN_PROGRESS
            | ILLEGAL_GENERATION
            | UNKNOWN_MEMBER_ID
            | REBALANCE_IN_PROGRESS => {
                Rights::Partly { granted: [Operation::Describe, Operation::Read].into(), denied: [].into() }
            }
            code => Rights::Unknown(error_name(code)),
        };
        GroupAnswer { rights, evidence: "Heartbeat of a member that does not exist", protocol: String::new(), members: None }
    });
    Ok(judged.collect())
}

/// A group in the list of all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedGroup {
    pub name: String,
    /// `connect`, `sr`, `consumer`.
    pub protocol: String,
    /// Somebody is in it, as far as its broker tells: one before 2.6 doesn't.
    pub in_use: bool,
    /// `consumer`, `share` or `streams`, where the brokers keep it in their newer way: then it is not described as a classic one.
    pub newer_kind: Option<String>,
}

/// The groups that the caller can see, on the brokers that are connected.
pub async fn listed_groups(connections: &mut [&mut Connection], deadline: Deadline) -> Result<Vec<ListedGroup>, Fault> {
    let request = ListGroupsRequest::default();
    let mut asked = Vec::new();
    for connection in connections.iter_mut() {
        // Version 5 brings the kind.
        asked.push(connection.call(&request, 5, deadline));
    }
    let mut found = Vec::new();
    for answer in join_all(asked).await {
        let (answer, _) = answer.map_err(|error| request_fault("ListGroups", &error))?;
        found.extend(answer.groups.iter().map(|group| {
            let kind = group.group_type.to_ascii_lowercase();
            ListedGroup {
                name: group.group_id.to_string(),
                protocol: group.protocol_type.to_string(),
                in_use: !matches!(group.group_state.as_str(), "Empty" | "Dead"),
                newer_kind: (!matches!(kind.as_str(), "" | "classic" | "unknown")).then_some(kind),
            }
        }));
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn group_id(name: &str) -> GroupId {
    GroupId(StrBytes::from_string(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{registry_url, worker_url};

    #[test]
    fn a_member_says_where_it_is() {
        let mut metadata = vec![0, 2, 0, 21];
        metadata.extend(b"http://10.0.1.5:8083/");
        metadata.extend([0; 12]);
        assert_eq!(worker_url(&metadata).as_deref(), Some("http://10.0.1.5:8083/"));
        let identity = br#"{"version":1,"host":"10.0.1.6","port":8081,"master_eligibility":true,"scheme":"https"}"#;
        assert_eq!(registry_url(identity).as_deref(), Some("https://10.0.1.6:8081"));
        for odd in [&b""[..], b"\0", b"\0\0\xff\xff", b"\0\0\0\x09abc", b"{}"] {
            assert_eq!((worker_url(odd), registry_url(odd)), (None, None));
        }
    }
}
