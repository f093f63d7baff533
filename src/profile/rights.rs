//! A right that a client needs: `acls` of a profile, typed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::component::Condition;

/// A right that a client needs.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Acl {
    pub client: String,
    pub resource: Resource,
    /// With properties in `{braces}`; of a connector, with its own settings, and `{connector}` for its name.
    pub name: String,
    #[serde(default)]
    pub pattern: Pattern,
    pub operations: Vec<Operation>,
    #[serde(default, deserialize_with = "when")]
    pub when: When,
    #[serde(default)]
    pub level: Level,
    /// What goes wrong without it.
    pub why: String,
    pub source: String,
    pub proof: Proof,
    /// How the component creates the object, for a topic that is created when it is missing.
    pub creates: Option<Creates>,
    /// For a group that the component's own instances are members of: the type of their protocol, by which its members are told from
    /// others.
    pub members: Option<Members>,
    /// For a group whose name is a prefix: which part of the names, between dashes, is the instance's own.
    pub instance: Option<String>,
}

/// The topic that a component creates.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Creates {
    pub replication_factor: Number,
    pub partitions: Number,
    /// The component does not start with any other cleanup policy than `compact`.
    #[serde(default)]
    pub compacted: bool,
    /// … nor with more than one partition.
    #[serde(default)]
    pub one_partition: bool,
}

/// A number that a property may set.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    pub property: Option<String>,
    /// What the component takes when nobody sets it.
    pub default: i32,
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

words! {
    /// What an ACL is about.
    Resource {
        Topic = "topic",
        Group = "group",
        TransactionalId = "transactional-id",
        Cluster = "cluster",
    }
}

words! {
    /// Kafka's operations that our components need.
    Operation {
        Read = "read",
        Write = "write",
        Create = "create",
        Delete = "delete",
        Describe = "describe",
        Alter = "alter",
        DescribeConfigs = "describe-configs",
        AlterConfigs = "alter-configs",
        ClusterAction = "cluster-action",
        IdempotentWrite = "idempotent-write",
    }
}

words! {
    /// How an ACL's name is matched.
    #[derive(Default)]
    Pattern {
        #[default]
        Literal = "literal",
        Prefixed = "prefixed",
    }
}

words! {
    /// The protocol by which members of a group speak to each other.
    Members {
        Connect = "connect",
        Registry = "sr",
        Consumer = "consumer",
    }
}

words! {
    /// What happens without the right: something fails, or something is quietly left out.
    #[derive(Default)]
    Level {
        #[default]
        Required = "required",
        Advised = "advised",
    }
}

words! {
    /// How the entry is known: a worker without the right was watched, or source code was read.
    Proof {
        WorkerTest = "worker-test",
        Source = "source",
        Unproven = "unproven",
    }
}

/// When a right is needed.
#[derive(Debug, Clone, Default)]
pub enum When {
    #[default]
    Always,
    /// Only while the object doesn't exist.
    Missing,
    /// Only with this setting.
    Setting(Condition),
    /// Only for who uses this: no setting tells.
    Feature(String),
}

fn when<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<When, D::Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Word {
        Always,
        Missing,
    }
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Word(Word),
        Feature(Feature),
        Setting(Condition),
    }
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Feature {
        feature: String,
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::Word(Word::Always) => When::Always,
        Written::Word(Word::Missing) => When::Missing,
        Written::Feature(Feature { feature }) => When::Feature(feature),
        Written::Setting(condition) => When::Setting(condition),
    })
}
