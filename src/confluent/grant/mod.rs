//! Rights that somebody lacks → the fewest commands or statements that grant them, in the words of each kind of cluster.
//!
//! Comes in: [`Grant`]s, one a principal and resource, in any order, also several on one resource. Goes out: [`Bundle`]s, what one
//! command can grant at once, and each as an argument list ([`kafka_acls`], [`confluent_cli`]) or as statements ([`msk_iam`]).
//! `preflight` prints them for what is missing, `acl commands` for everything: there is one mechanism.
//!
//! Rules: an argument list, never a shell string. What isn't known stands in `<angle brackets>` and is never guessed. The order is
//! fixed: the same rights make the same text.

mod access;
mod confluent_cli;
mod kafka_acls;
mod msk_iam;
mod terraform;

use std::collections::{BTreeMap, BTreeSet};

pub use access::{Access, accesses};
pub use confluent_cli::{confluent_cli, confluent_list, confluent_topic_deletion, confluent_undeny};
pub use kafka_acls::{kafka_acls, kafka_acls_list, kafka_acls_undeny, kafka_tool, kafka_topic_deletion};
pub use msk_iam::{MskResource, MskRight, Statement, msk_iam, msk_rights};
pub use terraform::{terraform_confluent, terraform_iam, terraform_kafka};

use crate::profile::{Operation, Pattern, Resource};

/// Who gets a right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// `User:…`.
    Principal(String),
    /// Only the cluster knows who owns the key that begins so.
    KeyOwner(String),
    Unknown,
}

impl Holder {
    /// As ACLs name it.
    pub fn principal(&self) -> String {
        match self {
            Self::Principal(principal) => principal.clone(),
            Self::KeyOwner(start) => format!("<User:owner of the key {start}…>"),
            Self::Unknown => "<User:…>".to_owned(),
        }
    }
}

/// What an ACL is about, with how its name is matched.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct On {
    pub resource: Resource,
    pub name: String,
    pub pattern: Pattern,
}

/// Operations that somebody lacks on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub holder: Holder,
    pub on: On,
    pub operations: BTreeSet<Operation>,
}

/// Where an administrator's tools find the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admin {
    /// For Kafka's own tools, `host:port,…`.
    pub bootstrap: Option<String>,
    /// The file for their `--command-config`.
    pub config: Option<String>,
    /// `lkc-…`, or the ARN of an MSK cluster.
    pub cluster: Option<String>,
    /// Confluent Cloud's `env-…`.
    pub environment: Option<String>,
}

/// How much one command can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// One holder and one resource.
    Resource,
    /// Any holders and resources that get the same operations.
    Operations,
}

/// What one command grants: each operation to each holder on each resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    pub holders: BTreeSet<Holder>,
    pub on: BTreeSet<On>,
    pub operations: BTreeSet<Operation>,
}

impl Bundle {
    pub fn covers(&self, holder: &Holder, on: &On) -> bool {
        self.holders.contains(holder) && self.on.contains(on)
    }
}

/// Puts together what one command can grant.
pub fn bundles(grants: impl IntoIterator<Item = Grant>, reach: Reach) -> Vec<Bundle> {
    let mut wanted: BTreeMap<(Holder, On), BTreeSet<Operation>> = BTreeMap::new();
    for grant in grants {
        wanted.entry((grant.holder, grant.on)).or_default().extend(grant.operations);
    }
    if reach == Reach::Resource {
        let single = |((holder, on), operations)| Bundle { holders: [holder].into(), on: [on].into(), operations };
        return wanted.into_iter().map(single).collect();
    }
    // First the resources on which one holder gets the same, then the holders who get the same on the same.
    let mut resources: BTreeMap<(Holder, Pattern, BTreeSet<Operation>), BTreeSet<On>> = BTreeMap::new();
    for ((holder, on), operations) in wanted {
        resources.entry((holder, on.pattern, operations)).or_default().insert(on);
    }
    let mut holders: BTreeMap<(BTreeSet<On>, BTreeSet<Operation>), BTreeSet<Holder>> = BTreeMap::new();
    for ((holder, _, operations), on) in resources {
        holders.entry((on, operations)).or_default().insert(holder);
    }
    holders.into_iter().map(|((on, operations), holders)| Bundle { holders, on, operations }).collect()
}

#[cfg(test)]
mod tests {
    use super::{Bundle, Grant, Holder, On, Reach, bundles};
    use crate::profile::{Operation, Pattern, Resource};

    pub(super) fn grant(who: &str, resource: Resource, name: &str, operations: &[Operation]) -> Grant {
        let on = On { resource, name: name.into(), pattern: Pattern::Literal };
        Grant { holder: Holder::Principal(who.into()), on, operations: operations.iter().copied().collect() }
    }

    fn sizes(bundles: &[Bundle]) -> Vec<(usize, usize, usize)> {
        bundles.iter().map(|bundle| (bundle.holders.len(), bundle.on.len(), bundle.operations.len())).collect()
    }

    #[test]
    fn what_gets_the_same_is_one_bundle() {
        use Operation::{Create, Read, Write};
        let grants = || {
            [
                grant("User:a", Resource::Topic, "x", &[Read]),
                grant("User:a", Resource::Topic, "x", &[Write]),
                grant("User:a", Resource::Topic, "y", &[Write, Read]),
                grant("User:b", Resource::Topic, "x", &[Read, Write]),
                grant("User:b", Resource::Topic, "y", &[Read, Write]),
                grant("User:b", Resource::Group, "g", &[Read]),
                grant("User:b", Resource::Topic, "z", &[Create]),
            ]
        };
        assert_eq!(sizes(&bundles(grants(), Reach::Operations)), [(2, 2, 2), (1, 1, 1), (1, 1, 1)]);
        assert_eq!(bundles(grants(), Reach::Resource).len(), 6);
    }

    #[test]
    fn a_prefix_is_never_put_together_with_a_name() {
        let mut prefixed = grant("User:a", Resource::Topic, "x", &[Operation::Read]);
        prefixed.on.pattern = Pattern::Prefixed;
        let grants = [grant("User:a", Resource::Topic, "x", &[Operation::Read]), prefixed];
        assert_eq!(bundles(grants, Reach::Operations).len(), 2);
    }
}
