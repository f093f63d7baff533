//! The keys at the top of the files: where the stack stands, its names, its tags, its Kafka.

use std::collections::BTreeMap;

use super::account::HostedZone;
use super::exec_logging::ExecLogging;
use super::reader::{Fields, Item, Key, Placed, Reader};
use super::service::CapacityProvider;

/// How the files say which thing of the account is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Ids, names or ARNs.
    Ids(Vec<Placed<String>>),
    /// Tags that it carries.
    Tags(Vec<(String, String)>),
}

impl Wanted {
    /// Ids alone, also where ARNs are written: those of EC2 end in the id.
    pub(super) fn without_arns(mut self) -> Self {
        if let Self::Ids(ids) = &mut self {
            for id in ids.iter_mut().filter(|id| id.value.starts_with("arn:")) {
                id.value = id.value.rsplit('/').next().unwrap_or_default().to_owned();
            }
        }
        self
    }
}

/// `x-cluster`.
#[derive(Debug, Clone)]
pub enum Cluster {
    /// By its name, its ARN or its tags.
    Existing(Wanted),
    New(Box<NewCluster>),
}

#[derive(Debug, Clone)]
pub struct NewCluster {
    /// Only where the files ask for one.
    pub name: Option<String>,
    pub strategy: Vec<CapacityProvider>,
    /// Container Insights.
    pub insights: Option<&'static str>,
    /// Where what is typed into containers is kept, where the files say.
    pub exec: Option<ExecLogging>,
    /// Its own tags, besides those of the stack.
    pub tags: Vec<(String, Placed<String>)>,
}

/// A Cloud Map namespace: `x-cloudmap`, formerly `x-dns`.
#[derive(Debug, Clone)]
pub struct Namespace {
    /// Its DNS name.
    pub name: Placed<String>,
    /// It is there and is looked up, by this id where one is given.
    pub existing: Option<Option<Placed<String>>>,
    pub description: Option<String>,
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
    /// An id, a list of ids, or a mapping with `Tags`.
    pub(super) fn wanted(&mut self, item: &Item<'_>) -> Option<Wanted> {
        if item.node.as_seq().is_some() {
            let ids = self.texts(item);
            return (!ids.is_empty()).then_some(Wanted::Ids(ids));
        }
        if item.node.as_map().is_none() {
            return self.word(item).map(|id| Wanted::Ids(vec![id]));
        }
        let fields = self.fields(item, LOOKUP, &["RoleArn", "Region"])?;
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

    pub(super) fn cluster(&mut self, item: &Item<'_>) -> Option<Cluster> {
        let named = |name| Cluster::Existing(Wanted::Ids(vec![name]));
        if item.node.as_str().is_some() {
            return self.word(item).map(named);
        }
        let fields = self.fields(item, &[&["Lookup", "Use"], &["Properties"], &["MacroParameters"]], &[])?;
        let (properties, short) = (fields.get("Properties"), fields.get("MacroParameters"));
        if let Some(written) = short.filter(|_| fields.get("Lookup").is_some()) {
            self.wrong(written, "the logging of a cluster that is looked up is its owner's", "leave MacroParameters out");
            return None;
        }
        if properties.is_some() || short.is_some() {
            return self.new_cluster(properties, short).map(|cluster| Cluster::New(Box::new(cluster)));
        }
        let Some(lookup) = fields.get("Lookup") else {
            self.wrong(item, "x-cluster doesn't say which cluster", "add Lookup with its name, or Properties to make one");
            return None;
        };
        if lookup.node.as_map().is_none() {
            return self.word(lookup).map(named);
        }
        let fields = self.fields(lookup, &[&["ClusterName"], &["Tags"]], &["RoleArn"])?;
        if let Some(name) = fields.get("ClusterName") {
            return self.word(name).map(named);
        }
        let tags = fields.get("Tags").map(|tags| self.tags(tags)).unwrap_or_default();
        if tags.is_empty() {
            self.wrong(lookup, "the lookup says neither a name nor tags", "add ClusterName");
            return None;
        }
        Some(Cluster::Existing(Wanted::Tags(tags.into_iter().map(|(key, value)| (key, value.value)).collect())))
    }

    /// A cluster is for Fargate; what it would be for EC2 is not rendered.
    fn new_cluster(&mut self, properties: Option<&Item<'_>>, short: Option<&Item<'_>>) -> Option<NewCluster> {
        let keys: &[Key] = &[
            &["ClusterName"],
            &["CapacityProviders"],
            &["DefaultCapacityProviderStrategy"],
            &["ClusterSettings"],
            &["Configuration"],
            &["Tags"],
        ];
        let fields = match properties {
            Some(item) => self.fields(item, keys, &["ServiceConnectDefaults"])?,
            None => Fields::default(),
        };
        let name = fields.get("ClusterName").and_then(|name| self.name(name, "a cluster", "-_", 255)).map(|name| name.value);
        for provider in fields.get("CapacityProviders").map(|list| self.items(list)).unwrap_or_default() {
            let _known = self.choice(&provider, &["FARGATE", "FARGATE_SPOT"]);
        }
        let strategy = fields.get("DefaultCapacityProviderStrategy").map(|list| self.strategy(list)).unwrap_or_default();
        let mut insights = None;
        for setting in fields.get("ClusterSettings").map(|list| self.items(list)).unwrap_or_default() {
            let fields = self.fields(&setting, &[&["Name"], &["Value"]], &[])?;
            if let (Some(name), Some(value)) = (fields.get("Name"), fields.get("Value")) {
                self.choice(name, &["containerInsights"])?;
                insights = Some(self.choice(value, &["enabled", "enhanced", "disabled"])?.value);
            }
        }
        let exec = self.exec_logging(fields.get("Configuration"), short);
        let tags = fields.get("Tags").map(|tags| self.tags(tags)).unwrap_or_default();
        Some(NewCluster { name, strategy, insights, exec, tags })
    }

    /// `x-dns`, the form of 2020: one private namespace, and a public zone.
    pub(super) fn dns(&mut self, item: &Item<'_>) -> (Option<Namespace>, Option<HostedZone>) {
        let Some(fields) = self.fields(item, &[&["PrivateNamespace"], &["PublicZone"]], &["PublicNamespace"]) else {
            return (None, None);
        };
        let namespace = fields.get("PrivateNamespace").and_then(|namespace| self.namespace(namespace));
        let zone = fields.get("PublicZone").and_then(|zone| self.hosted_zone(zone));
        (namespace, zone)
    }

    pub(super) fn cloudmap(&mut self, item: &Item<'_>) -> BTreeMap<String, Namespace> {
        let entries = self.entries(item).unwrap_or_default();
        entries.into_iter().filter_map(|(name, value)| Some((name.to_owned(), self.namespace(&value)?))).collect()
    }

    fn namespace(&mut self, item: &Item<'_>) -> Option<Namespace> {
        let keys: &[Key] = &[&["Name", "ZoneName"], &["Lookup", "Use"], &["Properties"]];
        let fields = self.fields(item, keys, &["MacroParameters"])?;
        let mut description = None;
        if let Some(properties) = fields.get("Properties") {
            let fields = self.fields(properties, &[&["Description"]], &["Name", "Vpc", "Tags", "Properties"])?;
            description = fields.get("Description").and_then(|text| self.word(text)).map(|text| text.value);
        }
        // In 2020 a Lookup was the domain; Use, then as now, an id.
        let domain = fields.get("Lookup").filter(|it| it.node.as_str().is_some_and(|text| !text.starts_with("ns-")));
        let Some(named) = fields.get("Name").or(domain) else {
            self.wrong(item, "the namespace has no name", "add Name, for example `Name: dev.internal`");
            return None;
        };
        let name = self.dns_name(named)?;
        if let Some(domain) = domain.filter(|domain| domain.node.as_str() != Some(name.value.as_str())) {
            self.wrong(domain, format!("this is neither {} nor an id", name.value), "the id of a namespace begins with ns-");
            return None;
        }
        let existing = match fields.get("Lookup") {
            None => None,
            Some(lookup) if lookup.node.as_map().is_some() => {
                let fields = self.fields(lookup, &[&["NamespaceId"]], &["RoleArn"])?;
                Some(fields.get("NamespaceId").and_then(|id| self.word(id)))
            }
            Some(lookup) if lookup.node.as_bool().is_some() => lookup.node.as_bool().filter(|wanted| *wanted).map(|_| None),
            Some(_) if domain.is_some() => Some(None),
            Some(lookup) => Some(self.word(lookup)),
        };
        Some(Namespace { name, existing, description })
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
        if let (Some(item), Some(servers)) = (fields.get("bootstrap"), &bootstrap) {
            for server in servers.value.split(',') {
                let server = server.trim();
                let server = server.split_once("://").map_or(server, |(_, server)| server);
                let port = server.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
                if !port.is_some_and(|(host, port)| !host.is_empty() && port > 0) {
                    self.wrong(
                        item,
                        format!("\"{server}\" is no address of a broker"),
                        "write host:port, with commas between several",
                    );
                }
            }
        }
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

pub(super) fn is_dns_name(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(label)
}
