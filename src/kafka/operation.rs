//! The operations that an ACL grants, and the set of them that a broker says the caller has.

use std::collections::BTreeSet;
use std::fmt;

/// An operation on a resource, by Kafka's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    Read,
    Write,
    Create,
    Delete,
    Alter,
    Describe,
    ClusterAction,
    DescribeConfigs,
    AlterConfigs,
    IdempotentWrite,
}

impl Operation {
    const ALL: [(Operation, u32, &'static str); 10] = [
        (Operation::Read, 3, "read"),
        (Operation::Write, 4, "write"),
        (Operation::Create, 5, "create"),
        (Operation::Delete, 6, "delete"),
        (Operation::Alter, 7, "alter"),
        (Operation::Describe, 8, "describe"),
        (Operation::ClusterAction, 9, "cluster-action"),
        (Operation::DescribeConfigs, 10, "describe-configs"),
        (Operation::AlterConfigs, 11, "alter-configs"),
        (Operation::IdempotentWrite, 12, "idempotent-write"),
    ];

    /// By its code in the protocol.
    pub(super) fn from_code(code: i8) -> Option<Self> {
        Self::ALL.iter().find(|(_, bit, _)| i64::from(*bit) == i64::from(code)).map(|(operation, _, _)| *operation)
    }

    /// The name as both `confluent kafka acl` and reports write it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(operation, _, _)| *operation == self).map_or("", |(_, _, name)| name)
    }

    /// Reads a name in any of its spellings: `DESCRIBE_CONFIGS`, `describe-configs`, `DescribeConfigs`.
    pub fn parse(text: &str) -> Option<Self> {
        let plain = |text: &str| text.replace(['_', '-'], "").to_ascii_lowercase();
        Self::ALL.iter().find(|(_, _, name)| plain(name) == plain(text)).map(|(operation, _, _)| *operation)
    }

    /// The name as Kafka's own `kafka-acls` writes it.
    pub fn kafka_name(self) -> String {
        self.as_str().split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]).collect()
    }

    /// The broker grants Describe with any of these.
    pub fn implies_describe(self) -> bool {
        matches!(self, Self::Read | Self::Write | Self::Delete | Self::Alter | Self::Describe)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the broker says the caller may do with one resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rights {
    /// Exactly these.
    Known(BTreeSet<Operation>),
    /// Of these it is known; the answer tells nothing of others.
    Partly { granted: BTreeSet<Operation>, denied: BTreeSet<Operation> },
    /// Not even Describe, and so nothing that implies it. Of the rest nothing is known.
    NoDescribe,
    /// The broker gave no answer to this; why.
    Unknown(String),
}

impl Rights {
    /// The bit field of the protocol; its smallest value stands for "not told".
    pub(super) fn from_bits(bits: i32) -> Self {
        if bits == i32::MIN {
            return Self::Unknown("the broker does not tell the caller's rights".to_owned());
        }
        let granted = Operation::ALL.iter().filter(|(_, bit, _)| bits & (1 << bit) != 0).map(|(operation, _, _)| *operation);
        Self::Known(granted.collect())
    }

    /// Granted, denied, or `None` where this answer says nothing of the operation.
    pub fn allows(&self, operation: Operation) -> Option<bool> {
        match self {
            Self::Known(granted) => Some(granted.contains(&operation)),
            Self::Partly { granted, .. } if granted.contains(&operation) => Some(true),
            Self::Partly { denied, .. } => denied.contains(&operation).then_some(false),
            Self::NoDescribe => operation.implies_describe().then_some(false),
            Self::Unknown(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Operation, Rights};

    #[test]
    fn bits_are_the_codes_of_the_protocol() {
        let rights = Rights::from_bits((1 << 3) | (1 << 8));
        assert_eq!(rights.allows(Operation::Read), Some(true));
        assert_eq!(rights.allows(Operation::Describe), Some(true));
        assert_eq!(rights.allows(Operation::Write), Some(false));
        assert_eq!(Rights::from_bits(i32::MIN).allows(Operation::Read), None);
    }

    #[test]
    fn without_describe_only_what_implies_it_is_denied() {
        assert_eq!(Rights::NoDescribe.allows(Operation::Write), Some(false));
        assert_eq!(Rights::NoDescribe.allows(Operation::Create), None);
        assert_eq!(Rights::NoDescribe.allows(Operation::DescribeConfigs), None);
    }

    #[test]
    fn names_are_read_in_every_spelling() {
        for text in ["DESCRIBE_CONFIGS", "describe-configs", "DescribeConfigs"] {
            assert_eq!(Operation::parse(text), Some(Operation::DescribeConfigs));
        }
        assert_eq!(Operation::DescribeConfigs.kafka_name(), "DescribeConfigs");
        assert_eq!(Operation::parse("fly"), None);
    }
}
