//! The only room that talks to AWS.
//!
//! Comes in: names, tags, documents. Goes out: facts as plain types of ours, or a [`CallError`] that says which action failed, of
//! what kind, and under which request id.
//!
//! Rules: no SDK type leaves this room; every call has time limits of ours and is tried again where that is safe; "not there" is an
//! answer (`None`), not an error; nothing here decides what to do about an answer. A secret's value leaves only as a
//! [`Secret`](crate::base::Secret).

mod account;
mod balancers;
mod buckets;
mod changes;
mod drift;
mod ecr;
mod endpoint;
mod error;
mod logs;
mod lookup;
mod names;
mod network;
mod one_off;
mod policies;
mod routes;
mod scram;
mod secrets;
mod services;
mod signed;
mod stacks;
mod targets;
mod tasks;
mod xml;

pub use account::{Account, Caller, CallerKeys};
pub use balancers::{Listener, LoadBalancer};
pub use buckets::StoredTemplate;
pub use changes::{
    Capability, Cause, Change, ChangeAction, ChangeKind, ChangeSet, ChangeSetRequest, ChangeSetState, Execution, Parameter,
    Replacement, TemplateSource, Validation,
};
pub use drift::{Drift, DriftDetection};
pub use ecr::{EcrLogin, EcrRepository, EcrScan};
pub use endpoint::Api;
pub use error::{CallError, ErrorKind};
pub use logs::{LogLine, LogStream};
pub use lookup::{Found, Lookup};
pub use names::{Certificate, HostedZone, Namespace};
pub use network::{FileSystem, Filter, Named, Subnet};
pub use one_off::{Definition, LogPage, OneOff, Placement};
pub use policies::{IamRole, KmsKey};
pub use routes::{NatGateway, Route, RouteTable, VpcEndpoint};
pub use scram::Key;
pub use secrets::{NewVersion, SecretFacts, StoredSecret, Written};
pub use services::{ClusterProviders, Deployment, Service, ServiceMessage};
pub use stacks::{Output, Stack, StackEvent, StackResource, StackStatus};
pub use targets::TargetHealth;
pub use tasks::{Container, Task};

use std::collections::BTreeMap;

use aws_sdk_sts::primitives::DateTime;

use crate::base::Moment;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

fn moment(at: &DateTime) -> Moment {
    Moment::from_millis(at.to_millis().unwrap_or_default())
}
