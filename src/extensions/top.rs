//! The keys at the top of the files: where the stack stands, its names, its tags, its Kafka.

use std::collections::BTreeMap;

use super::reader::{Item, Key, Placed, Reader};

/// How the files say which thing of the account is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Ids, names or ARNs.
    Ids(Vec<Placed<String>>),
    /// Tags that it carries.
    Tags(Vec<(String, String)>),
}

/// `x-vpc`: a VPC that is there.
#[derive(Debug, Clone)]
pub struct Vpc {
    pub id: Option<Wanted>,
    /// By their usage: `AppSubnets`, `PublicSubnets`, `StorageSubnets`, and names of the user's own.
    pub subnets: BTreeMap<String, Wanted>,
}

/// A Cloud Map namespace: `x-cloudmap`, formerly `x-dns`.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Its DNS name.
    pub name: Placed<String>,
    /// It is there and is looked up, by this id where one is given.
    pub existing: Option<Option<Placed<String>>>,
}

/// `x-kafka`: the cluster that the project belongs to, as far as the settings don't say.
#[derive(Debug, Clone, Default)]
pub struct Kafka {
    pub provider: Option<Placed<&'static str>>,
    pub bootstrap: Option<Placed<String>>,
    /// `lkc-…`, or the ARN of an MSK cluster.
    pub cluster: Option<Placed<String>>,
    /// `env-…`.
    pub environment: Option<Placed<String>>,
    /// The security group of an MSK cluster.
    pub security_group: Option<Placed<String>>,
    /// The file for `kafka-acls --command-config`.
    pub admin_config: Option<Placed<String>>,
    /// `pool-…`: as which identity pool an OAuth client of Confluent Cloud comes.
    pub identity_pool: Option<Placed<String>>,
    /// What an OAuth client asks its token endpoint for.
    pub oauth_scope: Option<Placed<String>>,
    /// Who a client is to the broker, by the client's name: `worker` or `connect.worker`.
    pub principals: BTreeMap<String, Placed<String>>,
}

/// The kinds of cluster.
pub const PROVIDERS: [&str; 5] = ["confluent-cloud", "msk-scram", "msk-iam", "msk-tls", "self-managed"];

const LOOKUP: &[Key] = &[&["Tags", "tags"], &["Identifier", "Id"], &["Arn"], &["Name"]];

impl Reader<'_> {
    pub(super) fn vpc(&mut self, item: &Item<'_>) -> Option<Vpc> {
        let fields = self.fields(item, &[&["Lookup"], &["Use"]], &["Properties", "Create", "RoleArn"])?;
        let Some(lookup) = fields.get("Lookup").or_else(|| fields.get("Use")) else {
            self.wrong(item, "x-vpc doesn't say which VPC", "add Lookup with VpcId and AppSubnets");
            return None;
        };
        let mut vpc = Vpc { id: None, subnets: BTreeMap::new() };
        for (key, value) in self.entries(lookup)? {
            if key == "RoleArn" {
                self.wrong(&value, "RoleArn is not used: lookups run as who runs the deploy", "leave it out");
            } else if key == "VpcId" {
                vpc.id = self.wanted(&value);
            } else if let Some(wanted) = self.wanted(&value) {
                vpc.subnets.insert(key.to_owned(), wanted);
            }
        }
        Some(vpc)
    }

    /// An id, a list of ids, or a mapping with `Tags`.
    pub(super) fn wanted(&mut self, item: &Item<'_>) -> Option<Wanted> {
        if item.node.as_seq().is_some() {
            let ids = self.texts(item);
            return (!ids.is_empty()).then_some(Wanted::Ids(ids));
        }
        if item.node.as_map().is_none() {
            return self.word(item).map(|id| Wanted::Ids(vec![id]));
        }
        let fields = self.fields(item, LOOKUP, &["RoleArn"])?;
        if let Some(tags) = fields.get("Tags") {
            let tags: Vec<(String, String)> = self.tags(tags).into_iter().map(|(key, value)| (key, value.value)).collect();
            if !tags.is_empty() {
                return Some(Wanted::Tags(tags));
            }
        }
        let id = ["Arn", "Identifier", "Name"].iter().find_map(|key| fields.get(key));
        let Some(id) = id else {
            self.wrong(item, "the lookup says neither tags nor an id", "add Tags, for example `- Name: demo`");
            return None;
        };
        self.word(id).map(|id| Wanted::Ids(vec![id]))
    }

    pub(super) fn cluster(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        if item.node.as_str().is_some() {
            return self.word(item);
        }
        let fields = self.fields(item, &[&["Lookup"], &["Use"]], &["Properties", "MacroParameters"])?;
        let lookup = fields.get("Lookup").or_else(|| fields.get("Use"))?;
        if lookup.node.as_map().is_none() {
            return self.word(lookup);
        }
        let fields = self.fields(lookup, &[&["ClusterName"]], &["RoleArn", "Tags"])?;
        fields.get("ClusterName").and_then(|name| self.word(name))
    }

    /// `x-dns`, the form of 2020: one private namespace.
    pub(super) fn dns(&mut self, item: &Item<'_>) -> Option<(String, Namespace)> {
        let fields = self.fields(item, &[&["PrivateNamespace"]], &["PublicNamespace", "PublicZone"])?;
        let namespace = self.namespace(fields.get("PrivateNamespace")?)?;
        Some(("PrivateNamespace".to_owned(), namespace))
    }

    pub(super) fn cloudmap(&mut self, item: &Item<'_>) -> BTreeMap<String, Namespace> {
        let entries = self.entries(item).unwrap_or_default();
        entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), self.namespace(&value)?))).collect()
    }

    fn namespace(&mut self, item: &Item<'_>) -> Option<Namespace> {
        let keys: &[Key] = &[&["Name", "ZoneName"], &["Lookup", "Use"], &["Properties"], &["MacroParameters"]];
        let fields = self.fields(item, keys, &[])?;
        for key in ["Properties", "MacroParameters"] {
            if let Some(extra) = fields.get(key).filter(|extra| extra.node.as_map().is_none_or(|map| !map.is_empty())) {
                self.wrong(extra, format!("{key} of a namespace is not rendered"), "say the namespace by Name and Lookup");
            }
        }
        let Some(name) = fields.get("Name") else {
            self.wrong(item, "the namespace has no name", "add Name, for example `Name: dev.internal`");
            return None;
        };
        let name = self.word(name)?;
        if !is_dns_name(&name.value) {
            let item = fields.get("Name").unwrap_or(item).clone();
            self.wrong(&item, format!("\"{}\" is not a DNS name", name.value), "letters, digits and hyphens between dots");
            return None;
        }
        let existing = match fields.get("Lookup") {
            None => None,
            Some(lookup) if lookup.node.as_map().is_some() => {
                let fields = self.fields(lookup, &[&["NamespaceId"]], &["RoleArn"])?;
                Some(fields.get("NamespaceId").and_then(|id| self.word(id)))
            }
            Some(lookup) if lookup.node.as_bool().is_some() => lookup.node.as_bool().filter(|wanted| *wanted).map(|_| None),
            Some(lookup) => Some(self.word(lookup)),
        };
        Some(Namespace { name, existing })
    }

    pub(super) fn kafka(&mut self, item: &Item<'_>) -> Option<Kafka> {
        let keys: &[Key] = &[
            &["provider"],
            &["bootstrap"],
            &["cluster"],
            &["environment"],
            &["security-group"],
            &["admin-config"],
            &["identity-pool"],
            &["oauth-scope"],
            &["principals"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let mut word = |key: &str| fields.get(key).and_then(|value| self.word(value));
        let [bootstrap, cluster, environment, security_group, admin_config, identity_pool, oauth_scope] =
            ["bootstrap", "cluster", "environment", "security-group", "admin-config", "identity-pool", "oauth-scope"]
                .map(&mut word);
        let provider = fields.get("provider").and_then(|value| self.choice(value, &PROVIDERS));
        let mut principals = BTreeMap::new();
        if let Some(value) = fields.get("principals") {
            for (client, principal) in self.entries(value).unwrap_or_default() {
                principals.extend(self.word(&principal).map(|principal| (client.to_owned(), principal)));
            }
        }
        Some(Kafka {
            provider,
            bootstrap,
            cluster,
            environment,
            security_group,
            admin_config,
            identity_pool,
            oauth_scope,
            principals,
        })
    }
}

fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}
