//! The cluster's ACLs, where the caller may list them: never to judge a right by, only to explain why one is missing.

use kafka_protocol::messages::DescribeAclsRequest;

use super::{CLUSTER_AUTHORIZATION_FAILED, NONE, SECURITY_DISABLED, error_name};
use crate::base::{Deadline, Fault};
use crate::kafka::link::request_fault;
use crate::kafka::operation::Operation;
use crate::kafka::wire::Connection;

const ANY: i8 = 1;
const DENY: i8 = 2;
const PREFIXED: i8 = 4;
const ALL: i8 = 2;

/// What an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AclResource {
    Topic,
    Group,
    Cluster,
    TransactionalId,
}

/// Which operations an entry is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AclOperation {
    All,
    One(Operation),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclEntry {
    pub principal: String,
    pub host: String,
    pub operation: AclOperation,
    pub denies: bool,
    pub resource: AclResource,
    pub name: String,
    pub prefixed: bool,
}

/// What came of asking for the ACLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acls {
    Listed(Vec<AclEntry>),
    /// Describe on the cluster is missing.
    Denied,
    /// The cluster has no authorizer: everybody may do everything.
    Off,
    Unknown(String),
}

/// Every ACL of the cluster.
pub async fn acls(connection: &mut Connection, deadline: Deadline) -> Result<Acls, Fault> {
    let request = DescribeAclsRequest::default()
        .with_resource_type_filter(ANY)
        .with_resource_name_filter(None)
        .with_pattern_type_filter(ANY)
        .with_principal_filter(None)
        .with_host_filter(None)
        .with_operation(ANY)
        .with_permission_type(ANY);
    let (answer, _) = connection.call(&request, 3, deadline).await.map_err(|error| request_fault("DescribeAcls", &error))?;
    Ok(match answer.error_code {
        NONE => {
            let mut entries = Vec::new();
            for about in &answer.resources {
                let Some(resource) = resource(about.resource_type) else { continue };
                for acl in &about.acls {
                    let operation = match acl.operation {
                        ALL => AclOperation::All,
                        code => match Operation::from_code(code) {
                            Some(operation) => AclOperation::One(operation),
                            None => continue,
                        },
                    };
                    entries.push(AclEntry {
                        principal: acl.principal.to_string(),
                        host: acl.host.to_string(),
                        operation,
                        denies: acl.permission_type == DENY,
                        resource,
                        name: about.resource_name.to_string(),
                        prefixed: about.pattern_type == PREFIXED,
                    });
                }
            }
            Acls::Listed(entries)
        }
        CLUSTER_AUTHORIZATION_FAILED => Acls::Denied,
        SECURITY_DISABLED => Acls::Off,
        code => Acls::Unknown(error_name(code)),
    })
}

fn resource(code: i8) -> Option<AclResource> {
    Some(match code {
        2 => AclResource::Topic,
        3 => AclResource::Group,
        4 => AclResource::Cluster,
        5 => AclResource::TransactionalId,
        _ => return None,
    })
}
