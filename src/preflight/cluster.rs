//! The kind of cluster, and what the project says of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::Place;
use crate::net;

/// A kind of cluster; fixes follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Provider {
    ConfluentCloud,
    Msk,
    MskIam,
    SelfManaged,
}

impl Provider {
    /// By the names of `x-kafka`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "confluent-cloud" => Some(Self::ConfluentCloud),
            "msk-scram" | "msk-tls" => Some(Self::Msk),
            "msk-iam" => Some(Self::MskIam),
            "self-managed" => Some(Self::SelfManaged),
            _ => None,
        }
    }
}

/// `x-kafka`, and what can be told without it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClusterFacts {
    pub provider: Provider,
    /// The name in `x-kafka`'s words.
    pub provider_name: String,
    /// In a person's words.
    pub title: String,
    /// `lkc-…`, an MSK cluster's ARN, or Kafka's own id.
    pub id: Option<String>,
    pub environment: Option<String>,
    /// Where an administrator's tools start from.
    pub bootstrap: Option<String>,
    pub admin_config: Option<String>,
    /// Principals by `client` or `service.client`.
    pub principals: BTreeMap<String, String>,
    pub place: Option<Place>,
    /// How the names of clusters end that are only reached privately.
    pub private_names: Vec<String>,
}

impl ClusterFacts {
    /// Is this a name that only a private network reaches?
    pub(super) fn is_private(&self, host: &str) -> bool {
        self.private_names.iter().any(|ending| host.trim_end_matches('.').to_ascii_lowercase().ends_with(ending.as_str()))
    }

    /// Need this name not be known outside its network?
    pub(super) fn may_be_unknown_outside(&self, host: &str) -> bool {
        self.is_private(host) || net::is_private_name(host)
    }

    /// The principal that the project names for a client, with its `User:`.
    pub fn principal(&self, service: &str, client: &str) -> Option<String> {
        let named = self.principals.get(&format!("{service}.{client}")).or_else(|| self.principals.get(client))?;
        Some(if named.contains(':') { named.clone() } else { format!("User:{named}") })
    }

    /// What the broker must call itself: an id that Kafka knows, not an ARN.
    pub(super) fn expected_id(&self) -> Option<&str> {
        self.id.as_deref().filter(|id| !id.starts_with("arn:"))
    }
}
