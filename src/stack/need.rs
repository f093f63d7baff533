//! What the stack needs of an account: named and typed, so that `render` works without one and `up` looks exactly this up.

use super::Text;

/// How the files say which thing of the account is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Lookup {
    /// By its id, name or ARN, as written.
    Id(Text),
    /// By tags, all of which it must carry.
    Tags(Vec<(String, String)>),
    /// Not at all: the user must give the parameter.
    #[default]
    Unsaid,
}

/// One thing that an account must supply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The VPC's id.
    Vpc(Lookup),
    /// The ids of the subnets of one usage in that VPC (`AppSubnets`, `PublicSubnets`, …).
    Subnets { usage: String, lookup: Lookup },
    /// The name of an ECS cluster that is there.
    Cluster(Lookup),
    /// The id of a Cloud Map private namespace that is there.
    Namespace { name: Text },
    /// The id of a security group that is there.
    SecurityGroup(Lookup),
    /// The id of a prefix list that is there.
    PrefixList(Lookup),
    /// The ARN of a certificate that was issued; by its ARN, a domain that it is for, or tags.
    Certificate(Lookup),
    /// The id of a hosted zone that is there.
    HostedZone { name: Text, private: bool },
    /// What is known of a load balancer that is there.
    LoadBalancer { lookup: Lookup, network: bool, fact: BalancerFact },
    /// The ARN of one of its listeners: the one on this port, which must fit the lookup where there is one.
    Listener { balancer: Lookup, network: bool, port: u16, lookup: Lookup },
    /// The place of a rule among the rules of such a listener: the `index`th of `count` of this stack, from `first` on where that is free.
    RulePriority { balancer: Lookup, port: u16, lookup: Lookup, index: usize, count: usize, first: u32 },
    /// The id of an EFS file system that is there.
    FileSystem(Lookup),
    /// The ARN of an MSK cluster, which the files don't name.
    MskCluster,
    /// The ARN of an SNS topic that is there.
    Topic(Lookup),
    /// The whole ARN of a secret, with the six characters at its end. `name` is its name in Secrets Manager.
    SecretArn { secret: String, lookup: SecretLookup },
    /// The id of the secret's current version (AWSCURRENT).
    SecretVersion { secret: String, lookup: SecretLookup },
    /// How many tasks of a family shall run: `default`, or where a scalable target rules (`scaled`) what runs now.
    DesiredCount { family: String, default: u32, scaled: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalancerFact {
    Arn,
    DnsName,
    /// The hosted zone of its name, for alias records.
    HostedZone,
    /// One of its security groups.
    SecurityGroup,
}

/// How a secret is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretLookup {
    Name(Text),
    Arn(Text),
    Tags(Vec<(String, String)>),
}

impl Lookup {
    /// The lookup in the words of a description: `tagged Name=demo`.
    pub fn words(&self) -> String {
        match self {
            Self::Id(id) => id.to_string(),
            Self::Tags(tags) => format!("tagged {}", tag_words(tags)),
            Self::Unsaid => "that the compose files don't name".to_owned(),
        }
    }
}

impl SecretLookup {
    pub fn words(&self) -> String {
        match self {
            Self::Name(name) => name.to_string(),
            Self::Arn(arn) => arn.to_string(),
            Self::Tags(tags) => format!("tagged {}", tag_words(tags)),
        }
    }
}

fn tag_words(tags: &[(String, String)]) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}
