//! One thing of an account, looked up as the files say: by tags, by name, by id or ARN.
//!
//! Comes in: a need. Goes out: its value or the [`Gap`]. Rules: each kind has one way, and in every kind "not there" shows what there
//! is; the answer is the same whichever of several needs asks first.

use std::collections::{BTreeMap, BTreeSet};

use super::gap::{Candidate, Gap, Wanted};
use super::parameters::resolve;
use crate::aws::{Account, Filter, Listener, LoadBalancer, Lookup as Search, SecretFacts, Tags};
use crate::base::Result;
use crate::stack::{Lookup, Need, SecretLookup, Text};

/// A value, or why there is none.
pub(super) type Value = std::result::Result<String, Gap>;

pub(super) struct Lookups<'a> {
    pub(super) account: &'a Account,
    pub(super) vpc: Option<&'a Lookup>,
    /// The VPC, once it was asked for: subnets and groups are looked for in it.
    found_vpc: Option<Value>,
    secrets: BTreeMap<String, std::result::Result<SecretFacts, Gap>>,
    /// What was asked of load balancers, their listeners and those's rules.
    pub(super) load_balancers: Option<Vec<LoadBalancer>>,
    pub(super) listeners: BTreeMap<String, Vec<Listener>>,
    pub(super) priorities: BTreeMap<String, BTreeSet<u32>>,
}

/// A lookup with what only the account knows filled in.
pub(super) enum Key {
    Ids(Vec<String>),
    Tags(Tags),
    Unsaid,
}

impl<'a> Lookups<'a> {
    pub(super) fn new(account: &'a Account, vpc: Option<&'a Lookup>) -> Self {
        Self {
            account,
            vpc,
            found_vpc: None,
            secrets: BTreeMap::new(),
            load_balancers: None,
            listeners: BTreeMap::new(),
            priorities: BTreeMap::new(),
        }
    }

    /// `None`: the template's default is right.
    pub(super) async fn value(&mut self, need: &Need) -> Result<Option<Value>> {
        Ok(match need {
            Need::Vpc(lookup) => Some(self.vpc(lookup).await?),
            Need::Subnets { usage, lookup } => Some(self.subnets(usage, lookup).await?),
            Need::SecurityGroup(lookup) => Some(self.security_group(lookup).await?),
            Need::PrefixList(lookup) => Some(self.prefix_list(lookup).await?),
            Need::Cluster(lookup) => Some(self.cluster(lookup).await?),
            Need::Namespace { name } => Some(self.namespace(name).await?),
            // An ARN is what the listener takes; CloudFormation judges it.
            Need::Certificate(Lookup::Id(arn)) if arn.to_string().starts_with("arn:") => None,
            Need::Certificate(lookup) => Some(self.certificate(lookup).await?),
            // One that the files name by its id.
            Need::HostedZone { name, .. } if name.literal() == Some("") => None,
            Need::HostedZone { name, private } => Some(self.hosted_zone(name, *private).await?),
            Need::FileSystem(lookup) => Some(self.file_system(lookup).await?),
            // There is no lookup for it: the files name it.
            Need::MskCluster => Some(Err(Gap::unsaid_msk_cluster())),
            // What is in another account can't be listed.
            Need::Topic(Lookup::Id(arn)) if self.is_elsewhere(&resolve(arn, self.account)) => None,
            Need::Topic(lookup) => Some(self.topic(lookup).await?),
            Need::SecretArn { secret, lookup } => Some(self.secret(secret, lookup).await?.map(|facts| facts.arn)),
            // A secret without a version fails by its ARN's need, or is one that nobody has filled yet.
            Need::SecretVersion { secret, lookup } => {
                self.secret(secret, lookup).await?.ok().and_then(|facts| facts.version).map(Ok)
            }
            // These hang on the stack as it is, and are asked for with it.
            Need::LoadBalancer { .. } | Need::Listener { .. } | Need::RulePriority { .. } | Need::DesiredCount { .. } => None,
        })
    }

    pub(super) fn key(&self, lookup: &Lookup) -> Key {
        match lookup {
            Lookup::Id(id) => Key::Ids(resolve(id, self.account).split(',').map(|id| id.trim().to_owned()).collect()),
            Lookup::Tags(tags) => Key::Tags(
                tags.iter()
                    .map(|(key, value)| (resolve(&Text::from(key), self.account), resolve(&Text::from(value), self.account)))
                    .collect(),
            ),
            Lookup::Unsaid => Key::Unsaid,
        }
    }

    /// An ARN of another account, or of another region.
    fn is_elsewhere(&self, arn: &str) -> bool {
        let here = format!(":{}:{}:", self.account.region, self.account.caller.account);
        arn.starts_with("arn:") && !arn.contains(&here)
    }

    pub(super) fn wanted(&self, kind: &'static str, lookup: &Lookup, path: &str) -> Wanted {
        Wanted {
            kind,
            words: resolve(&Text::from(lookup.words()), self.account),
            path: path.to_owned(),
            scope: self.account.region.clone(),
            make: matches!(lookup, Lookup::Tags(_)).then(|| "tag what it shall find".to_owned()),
        }
    }

    pub(super) async fn vpc(&mut self, lookup: &Lookup) -> Result<Value> {
        if let Some(known) = &self.found_vpc {
            return Ok(known.clone());
        }
        let wanted = self.wanted("VPC", lookup, "x-vpc");
        let value = self.in_ec2(&wanted, lookup, ("vpc-", "vpc-id", "tag:Name"), None, Self::vpcs).await?;
        let value = value.and_then(|found| wanted.one(found, &[]));
        self.found_vpc = Some(value.clone());
        Ok(value)
    }

    async fn subnets(&mut self, usage: &str, lookup: &Lookup) -> Result<Value> {
        let mut wanted = self.wanted("subnet", lookup, "x-vpc");
        let vpc = self.scope(&mut wanted).await?;
        let keys = ("subnet-", "subnet-id", "tag:Name");
        let found = self.in_ec2(&wanted, lookup, keys, vpc.as_deref(), Self::subnets_of).await?;
        let found = found.map(|found| found.into_iter().map(|subnet| subnet.value).collect::<Vec<_>>().join(","));
        Ok(found.map_err(|gap| Gap { message: format!("{} ({usage})", gap.message), ..gap }))
    }

    async fn security_group(&mut self, lookup: &Lookup) -> Result<Value> {
        let mut wanted = self.wanted("security group", lookup, "services");
        let vpc = self.scope(&mut wanted).await?;
        let keys = ("sg-", "group-id", "group-name");
        let found = self.in_ec2(&wanted, lookup, keys, vpc.as_deref(), Self::groups).await?;
        Ok(found.and_then(|found| wanted.one(found, &[])))
    }

    /// The VPC that subnets and groups must be in. One that isn't there is the VPC's own finding.
    async fn scope(&mut self, wanted: &mut Wanted) -> Result<Option<String>> {
        let Some(lookup) = self.vpc else { return Ok(None) };
        let vpc = self.vpc(lookup).await?.ok();
        if let Some(vpc) = &vpc {
            wanted.scope.clone_from(vpc);
        }
        Ok(vpc)
    }

    async fn vpcs(account: &Account, filters: &[Filter<'_>]) -> Result<Vec<Candidate>> {
        Ok(account.vpcs(filters).await?.iter().map(|vpc| Candidate::tagged(&vpc.id, &vpc.tags)).collect())
    }

    async fn subnets_of(account: &Account, filters: &[Filter<'_>]) -> Result<Vec<Candidate>> {
        Ok(account.subnets(filters).await?.iter().map(|subnet| Candidate::tagged(&subnet.id, &subnet.tags)).collect())
    }

    async fn groups(account: &Account, filters: &[Filter<'_>]) -> Result<Vec<Candidate>> {
        let found = account.security_groups(filters).await?;
        Ok(found.iter().map(|group| Candidate::named(&group.id, group.name.as_deref().unwrap_or_default())).collect())
    }

    /// What EC2 has for a lookup; at least one. `keys`: how an id begins, the filter by id, the filter by name.
    async fn in_ec2<'s>(
        &'s self,
        wanted: &Wanted,
        lookup: &Lookup,
        (prefix, by_id, by_name): (&str, &str, &str),
        vpc: Option<&str>,
        ask: impl AsyncFn(&Account, &[Filter<'_>]) -> Result<Vec<Candidate>>,
    ) -> Result<std::result::Result<Vec<Candidate>, Gap>> {
        let in_vpc: Vec<&str> = vpc.into_iter().collect();
        let scope: Vec<Filter<'_>> = vpc.iter().map(|_| ("vpc-id", in_vpc.as_slice())).collect();
        let there = async || ask(self.account, &scope).await;
        match self.key(lookup) {
            Key::Unsaid => Ok(Err(wanted.unsaid(&there().await?))),
            Key::Tags(tags) => {
                let tags: Vec<(String, [&str; 1])> =
                    tags.iter().map(|(key, value)| (format!("tag:{key}"), [value.as_str()])).collect();
                let mut filters: Vec<Filter<'_>> = tags.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
                filters.extend(&scope);
                let found = ask(self.account, &filters).await?;
                if found.is_empty() { Ok(Err(wanted.missing(&there().await?))) } else { Ok(Ok(found)) }
            }
            Key::Ids(ids) => {
                let mut found = Vec::new();
                for id in &ids {
                    // An ARN ends in the id.
                    let id = id.rsplit('/').next().unwrap_or(id);
                    let is_id = id.starts_with(prefix);
                    let value = [id];
                    let mut filters: Vec<Filter<'_>> = vec![(if is_id { by_id } else { by_name }, &value)];
                    filters.extend(&scope);
                    let some = ask(self.account, &filters).await?;
                    if some.is_empty() {
                        let one = Wanted { words: id.to_owned(), ..wanted.clone() };
                        return Ok(Err(one.missing(&there().await?)));
                    }
                    found.extend(some);
                }
                Ok(Ok(found))
            }
        }
    }

    async fn cluster(&self, lookup: &Lookup) -> Result<Value> {
        let mut wanted = self.wanted("ECS cluster", lookup, "x-cluster");
        let name_of = |arn: &str| arn.rsplit_once("cluster/").map_or(arn, |(_, name)| name).to_owned();
        let candidates = match self.key(lookup) {
            Key::Ids(ids) => ids.iter().map(|id| Candidate::plain(&name_of(id))).collect(),
            Key::Tags(tags) => self.tagged("ecs:cluster", &tags, |arn| name_of(arn)).await?,
            Key::Unsaid => Vec::new(),
        };
        let name = match candidates.as_slice() {
            [only] => only.value.clone(),
            [] => return Ok(Err(wanted.missing(&self.clusters().await?))),
            _ => return Ok(Err(wanted.ambiguous(&candidates))),
        };
        if self.account.cluster(&name).await?.is_some() {
            return Ok(Ok(name));
        }
        wanted.make = Some(format!("make it: aws ecs create-cluster --cluster-name {name}"));
        Ok(Err(wanted.missing(&self.clusters().await?)))
    }

    async fn clusters(&self) -> Result<Vec<Candidate>> {
        Ok(self.account.cluster_names().await?.iter().map(|name| Candidate::plain(name)).collect())
    }

    async fn namespace(&self, name: &Text) -> Result<Value> {
        let lookup = Lookup::Id(name.clone());
        let wanted = Wanted {
            make: Some("leave Lookup out, so that the stack makes it".to_owned()),
            ..self.wanted("Cloud Map namespace", &lookup, "x-cloudmap")
        };
        let name = resolve(name, self.account);
        let all = self.account.namespaces().await?;
        let named: Vec<_> = all.iter().filter(|space| space.name == name || space.id == name || space.arn == name).collect();
        if !named.is_empty() && named.iter().all(|space| space.kind == "HTTP") {
            return Ok(Err(wanted.unusable("it has no DNS", "name one of the kind DNS_PRIVATE, in which tasks get addresses")));
        }
        let shown = |space: &&crate::aws::Namespace| Candidate::named(&space.id, &format!("{}, {}", space.name, space.kind));
        let found = named.into_iter().filter(|space| space.kind != "HTTP").map(|space| shown(&space)).collect();
        Ok(wanted.one(found, &all.iter().map(|space| shown(&space)).collect::<Vec<_>>()))
    }

    async fn certificate(&self, lookup: &Lookup) -> Result<Value> {
        let wanted = self.wanted("certificate", lookup, "x-acm");
        let all = self.account.certificates().await?;
        let tagged = match self.key(lookup) {
            Key::Tags(tags) => Some(self.tagged("acm:certificate", &tags, str::to_owned).await?),
            _ => None,
        };
        let ids = match self.key(lookup) {
            Key::Ids(ids) => ids,
            _ => Vec::new(),
        };
        let fits = |certificate: &&crate::aws::Certificate| match &tagged {
            Some(tagged) => tagged.iter().any(|candidate| candidate.value == certificate.arn),
            None => ids.iter().any(|id| certificate.arn == *id || covers(certificate, id)),
        };
        let shown = |certificate: &crate::aws::Certificate| {
            let domains = std::iter::once(certificate.domain.as_str())
                .chain(certificate.alternatives.iter().map(String::as_str).filter(|name| *name != certificate.domain));
            let domains = domains.collect::<Vec<_>>().join(" ");
            Candidate::named(&certificate.arn, &format!("{domains}, {}", certificate.status))
        };
        let found: Vec<_> = all.iter().filter(fits).collect();
        let issued: Vec<_> = found.iter().filter(|certificate| certificate.status == "ISSUED").map(|it| shown(it)).collect();
        match found.first() {
            Some(first) if issued.is_empty() => {
                let why = format!("its status is {}", first.status);
                Ok(Err(wanted.unusable(&why, format!("aws acm describe-certificate --certificate-arn {}", first.arn))))
            }
            _ => Ok(wanted.one(issued, &all.iter().map(shown).collect::<Vec<_>>())),
        }
    }

    async fn hosted_zone(&self, name: &Text, private: bool) -> Result<Value> {
        let kind = if private { "private hosted zone" } else { "public hosted zone" };
        let lookup = Lookup::Id(name.clone());
        let wanted = Wanted { scope: "Route 53".to_owned(), ..self.wanted(kind, &lookup, "x-route53") };
        let name = resolve(name, self.account).trim_end_matches('.').to_lowercase();
        let shown = |zone: &crate::aws::HostedZone| {
            Candidate::named(&zone.id, &format!("{}, {}", zone.name, if zone.private { "private" } else { "public" }))
        };
        let near = self.account.hosted_zones(Some(&name)).await?;
        let found: Vec<_> = near.iter().filter(|zone| zone.name == name && zone.private == private).map(shown).collect();
        let others = if found.is_empty() { self.account.hosted_zones(None).await? } else { Vec::new() };
        Ok(wanted.one(found, &others.iter().map(shown).collect::<Vec<_>>()))
    }

    async fn file_system(&self, lookup: &Lookup) -> Result<Value> {
        let wanted = self.wanted("EFS file system", lookup, "volumes");
        let all = self.account.file_systems().await?;
        let key = self.key(lookup);
        let fits = |system: &&crate::aws::FileSystem| match &key {
            Key::Ids(ids) => ids.iter().any(|id| *id == system.id || *id == system.arn || system.name.as_ref() == Some(id)),
            Key::Tags(tags) => tags.iter().all(|(key, value)| system.tags.get(key) == Some(value)),
            Key::Unsaid => false,
        };
        let shown = |system: &crate::aws::FileSystem| Candidate::tagged(&system.id, &system.tags);
        let found = all.iter().filter(fits).map(shown).collect();
        Ok(wanted.one(found, &all.iter().map(shown).collect::<Vec<_>>()))
    }

    async fn topic(&self, lookup: &Lookup) -> Result<Value> {
        let wanted = self.wanted("SNS topic", lookup, "x-sns");
        let all: Vec<_> = self.account.topics().await?.iter().map(|arn| Candidate::plain(arn)).collect();
        let found = match self.key(lookup) {
            Key::Ids(ids) => all
                .iter()
                .filter(|topic| ids.iter().any(|id| topic.value == *id || topic.value.rsplit(':').next() == Some(id)))
                .cloned()
                .collect(),
            Key::Tags(tags) => self.tagged("sns", &tags, str::to_owned).await?,
            Key::Unsaid => Vec::new(),
        };
        Ok(wanted.one(found, &all))
    }

    async fn prefix_list(&self, lookup: &Lookup) -> Result<Value> {
        let wanted = self.wanted("prefix list", lookup, "services");
        let id = |arn: &str| arn.rsplit('/').next().unwrap_or(arn).to_owned();
        let all = self.tagged("ec2:prefix-list", &Tags::new(), id).await?;
        let found = match self.key(lookup) {
            Key::Ids(ids) => return Ok(Ok(ids.join(","))),
            Key::Tags(tags) => self.tagged("ec2:prefix-list", &tags, id).await?,
            Key::Unsaid => Vec::new(),
        };
        Ok(wanted.one(found, &all))
    }

    /// What the tagging API has of a kind with all these tags.
    async fn tagged(&self, kind: &str, tags: &Tags, value: impl Fn(&str) -> String) -> Result<Vec<Candidate>> {
        let found = self.account.find(&Search { kind, tags }).await?;
        Ok(found.iter().map(|found| Candidate::tagged(&value(&found.arn), &found.tags)).collect())
    }

    pub(super) async fn secret(&mut self, name: &str, lookup: &SecretLookup) -> Result<std::result::Result<SecretFacts, Gap>> {
        let words = lookup.words();
        if let Some(known) = self.secrets.get(&words) {
            return Ok(known.clone());
        }
        let wanted = Wanted {
            kind: "secret",
            words: resolve(&Text::from(&words), self.account),
            path: format!("secrets.{name}"),
            scope: self.account.region.clone(),
            make: Some("store it with `confluent-ecs secrets put`".to_owned()),
        };
        let found = self.find_secret(&wanted, lookup).await?;
        self.secrets.insert(words, found.clone());
        Ok(found)
    }

    async fn find_secret(&self, wanted: &Wanted, lookup: &SecretLookup) -> Result<std::result::Result<SecretFacts, Gap>> {
        let shown = |facts: &SecretFacts| Candidate::plain(&facts.name);
        let facts = match lookup {
            SecretLookup::Name(id) | SecretLookup::Arn(id) => {
                let id = resolve(id, self.account);
                match self.account.secret_facts(&id).await? {
                    Some(facts) => facts,
                    None => return Ok(Err(wanted.missing(&self.secrets_beside(&id).await?))),
                }
            }
            SecretLookup::Tags(tags) => {
                let tags = tags.iter().map(|(key, value)| (key.clone(), resolve(&Text::from(value), self.account))).collect();
                let mut found = self.account.secrets_tagged(&tags).await?;
                match (found.pop(), found.is_empty()) {
                    (Some(facts), true) => facts,
                    (None, _) => return Ok(Err(wanted.missing(&self.secrets_beside("").await?))),
                    (Some(last), false) => {
                        let all: Vec<_> = found.iter().chain([&last]).map(shown).collect();
                        return Ok(Err(wanted.ambiguous(&all)));
                    }
                }
            }
        };
        Ok(match facts.deleted {
            Some(at) => {
                let why = format!("it is to be deleted (asked for on {at})");
                Err(wanted.unusable(&why, format!("aws secretsmanager restore-secret --secret-id {}", facts.name)))
            }
            None => Ok(facts),
        })
    }

    /// The secrets whose names begin like this one's, up to its last slash; all of them where it has none.
    async fn secrets_beside(&self, id: &str) -> Result<Vec<Candidate>> {
        let folder = id.rsplit_once('/').map_or("", |(folder, _)| folder);
        let found = self.account.secrets_under(folder).await?;
        Ok(found.iter().map(|facts| Candidate::plain(&facts.name)).collect())
    }
}

/// A certificate is for a name, or for every name one step below a domain.
fn covers(certificate: &crate::aws::Certificate, name: &str) -> bool {
    let below = name.split_once('.').map(|(_, domain)| format!("*.{domain}"));
    std::iter::once(&certificate.domain)
        .chain(&certificate.alternatives)
        .any(|domain| domain.eq_ignore_ascii_case(name) || below.as_ref().is_some_and(|below| domain.eq_ignore_ascii_case(below)))
}

#[cfg(test)]
mod tests {
    use super::covers;
    use crate::aws::Certificate;

    #[test]
    fn a_wildcard_covers_one_step() {
        let certificate = |domain: &str, alternatives: &[&str]| Certificate {
            arn: String::new(),
            domain: domain.to_owned(),
            alternatives: alternatives.iter().map(|name| (*name).to_owned()).collect(),
            status: "ISSUED".to_owned(),
        };
        assert!(covers(&certificate("*.example.com", &[]), "control.example.com"));
        assert!(covers(&certificate("example.com", &["Control.example.com"]), "control.example.com"));
        assert!(!covers(&certificate("*.example.com", &[]), "a.control.example.com"));
        assert!(!covers(&certificate("*.example.com", &[]), "example.com"));
    }
}
