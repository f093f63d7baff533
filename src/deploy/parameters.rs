//! What the stack needs of an account, looked up: the values of the template's parameters.
//!
//! Comes in: the template's parameters with their needs, an account, the stack as it is. Goes out: values, or one failure that names
//! everything that isn't there or is there twice, with what there is instead. Rules: reads only.

use std::collections::BTreeMap;

use super::fold::service_key;
use crate::aws::{Account, Found, Lookup as Search, Parameter, SecretFacts, Stack, Tags};
use crate::base::{Failure, Result};
use crate::cloudformation::Template;
use crate::stack::{Lookup, Need, Part, SecretLookup, Text};

/// One thing that could not be told, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Missing {
    what: String,
    why: String,
    fix: String,
}

/// A value, or why there is none.
type Value = std::result::Result<String, Missing>;

/// Looks up every parameter that needs an account.
pub async fn parameters(account: &Account, template: &Template, current: Option<&Stack>) -> Result<Vec<Parameter>> {
    let mut search = Searcher { account, template, current, secrets: BTreeMap::new() };
    let mut values = Vec::new();
    let mut missing = Vec::new();
    for (name, parameter) in &template.parameters {
        if parameter.default.is_some() && !is_looked_up(&parameter.need) {
            continue;
        }
        match search.value(&parameter.need).await? {
            Some(Ok(value)) => values.push(Parameter { key: name.clone(), value }),
            Some(Err(gap)) => missing.push(gap),
            None => {}
        }
    }
    if missing.is_empty() { Ok(values) } else { Err(failure(&missing).into()) }
}

/// What the account says counts more than the template's default; and what the files name must be there all the same.
fn is_looked_up(need: &Need) -> bool {
    let scaled = matches!(need, Need::DesiredCount { scaled: true, .. });
    scaled || matches!(need, Need::SecretVersion { .. } | Need::SecretArn { .. } | Need::Cluster { .. })
}

struct Searcher<'a> {
    account: &'a Account,
    template: &'a Template,
    current: Option<&'a Stack>,
    secrets: BTreeMap<String, std::result::Result<SecretFacts, Missing>>,
}

impl Searcher<'_> {
    /// `None`: the template's default is right.
    async fn value(&mut self, need: &Need) -> Result<Option<Value>> {
        Ok(match need {
            Need::Vpc(lookup) => Some(self.one("VPC", "ec2:vpc", "x-vpc", lookup).await?),
            Need::SecurityGroup(lookup) => Some(self.one("security group", "ec2:security-group", "x-vpc", lookup).await?),
            Need::Subnets { usage, lookup } => Some(self.subnets(usage, lookup).await?),
            Need::Cluster { name } => Some(self.cluster(name).await?),
            Need::Namespace { name } => Some(Err(Missing {
                what: format!("the id of the Cloud Map namespace {}", resolve(name, self.account)),
                why: "it can't be looked up by its name".to_owned(),
                fix: "write its id under x-cloudmap: Lookup: { NamespaceId: ns-… }".to_owned(),
            })),
            Need::SecretArn { lookup, .. } => Some(self.secret(lookup).await?.map(|facts| facts.arn)),
            // A secret without a version fails by its ARN's need, or is one that nobody has filled yet.
            Need::SecretVersion { lookup, .. } => self.secret(lookup).await?.ok().and_then(|facts| facts.version).map(Ok),
            Need::DesiredCount { family, scaled: true, .. } => self.running_count(family).await?.map(Ok),
            Need::DesiredCount { .. } => None,
        })
    }

    /// The one resource of a kind that a lookup means.
    async fn one(&self, what: &str, kind: &str, key: &str, lookup: &Lookup) -> Result<Value> {
        Ok(match self.all(what, kind, key, lookup).await? {
            Ok(ids) if ids.len() == 1 => Ok(ids.into_iter().collect()),
            Ok(ids) => Err(Missing {
                what: format!("the {what} {}", lookup.words()),
                why: format!("there are {}: {}", ids.len(), ids.join(", ")),
                fix: format!("add a tag to the lookup under {key} that only one of them has, or write its id (Use: {})", ids[0]),
            }),
            Err(missing) => Err(missing),
        })
    }

    async fn subnets(&self, usage: &str, lookup: &Lookup) -> Result<Value> {
        Ok(self.all(&format!("subnets ({usage})"), "ec2:subnet", "x-vpc", lookup).await?.map(|ids| ids.join(",")))
    }

    /// The ids that a lookup means; at least one.
    async fn all(&self, what: &str, kind: &str, key: &str, lookup: &Lookup) -> Result<std::result::Result<Vec<String>, Missing>> {
        let tags: Tags = match lookup {
            Lookup::Id(id) => return Ok(Ok(vec![resolve(id, self.account)])),
            Lookup::Tags(tags) => tags.iter().cloned().collect(),
            Lookup::Unsaid => {
                return Ok(Err(Missing {
                    what: format!("the {what}"),
                    why: "the compose files don't say which".to_owned(),
                    fix: format!("write {key} with a Lookup by tags, or with Use and the id, into envs/<env>.yml"),
                }));
            }
        };
        let found = self.account.find(&Search { kind, tags: &tags }).await?;
        if !found.is_empty() {
            return Ok(Ok(found.into_iter().map(|found| found.id).collect()));
        }
        let others = self.account.find(&Search { kind, tags: &Tags::new() }).await?;
        Ok(Err(Missing {
            what: format!("the {what} {}", lookup.words()),
            why: format!("none in {}; {}", self.account.region, there_is(&others)),
            fix: format!("correct the lookup under {key}, or tag what it shall find"),
        }))
    }

    async fn cluster(&self, name: &Text) -> Result<Value> {
        let name = resolve(name, self.account);
        if self.account.cluster(&name).await?.is_some() {
            return Ok(Ok(name));
        }
        let others = self.account.cluster_names().await?;
        let there = if others.is_empty() { "there is none".to_owned() } else { format!("there are: {}", others.join(", ")) };
        Ok(Err(Missing {
            what: format!("the ECS cluster {name}"),
            why: format!("none of this name in {}; {there}", self.account.region),
            fix: format!("correct x-cluster, or make it: aws ecs create-cluster --cluster-name {name}"),
        }))
    }

    async fn secret(&mut self, lookup: &SecretLookup) -> Result<std::result::Result<SecretFacts, Missing>> {
        let words = lookup.words();
        if let Some(known) = self.secrets.get(&words) {
            return Ok(known.clone());
        }
        let found = self.find_secret(lookup).await?;
        self.secrets.insert(words, found.clone());
        Ok(found)
    }

    async fn find_secret(&self, lookup: &SecretLookup) -> Result<std::result::Result<SecretFacts, Missing>> {
        let what = format!("the secret {}", lookup.words());
        let fix = "store it with `confluent-ecs secrets put`; `confluent-ecs secrets list` shows what is there".to_owned();
        let facts = match lookup {
            SecretLookup::Name(id) | SecretLookup::Arn(id) => {
                let id = resolve(id, self.account);
                let Some(facts) = self.account.secret_facts(&id).await? else {
                    let why = format!("none of this name in {}", self.account.region);
                    return Ok(Err(Missing { what, why, fix }));
                };
                facts
            }
            SecretLookup::Tags(tags) => {
                let mut found = self.account.secrets_tagged(&tags.iter().cloned().collect()).await?;
                match (found.pop(), found.len()) {
                    (Some(facts), 0) => facts,
                    (None, _) => {
                        let why = format!("none in {}", self.account.region);
                        return Ok(Err(Missing { what, why, fix }));
                    }
                    (Some(last), _) => {
                        let names = found.iter().chain([&last]).map(|facts| facts.name.as_str()).collect::<Vec<_>>().join(", ");
                        let why = format!("there are {}: {names}", found.len() + 1);
                        let fix = "add a tag to the lookup that only one of them has, or write its name (Name: …)".to_owned();
                        return Ok(Err(Missing { what, why, fix }));
                    }
                }
            }
        };
        Ok(match facts.deleted {
            Some(at) => Err(Missing {
                what,
                why: format!("it is to be deleted (asked for on {at})"),
                fix: format!("aws secretsmanager restore-secret --secret-id {}", facts.name),
            }),
            None => Ok(facts),
        })
    }

    /// How many tasks a family has now, so that a deploy never resets what scaling chose.
    async fn running_count(&self, family: &str) -> Result<Option<String>> {
        let (Some(stack), Some(service)) = (self.current, self.template.services.iter().find(|service| service.family == family))
        else {
            return Ok(None);
        };
        let resources = self.account.stack_resources(&stack.id).await?;
        let physical = resources.iter().find(|resource| resource.logical == service.service).and_then(|r| r.physical.as_deref());
        let Some(key) = physical.and_then(service_key) else { return Ok(None) };
        let found = self.account.services(&key.cluster, std::slice::from_ref(&key.name)).await?;
        // One that was scaled to nothing is deployed with its default: a count of 0 says nothing of the load.
        Ok(found.first().filter(|service| service.desired > 0).map(|service| service.desired.to_string()))
    }
}

/// The text with what only the account knows filled in.
pub fn resolve(text: &Text, account: &Account) -> String {
    text.parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::AccountId => &account.caller.account,
            Part::Region => &account.region,
        })
        .collect()
}

/// What there is instead, the first ten.
fn there_is(others: &[Found]) -> String {
    const SHOWN: usize = 10;
    if others.is_empty() {
        return "nothing of the kind has a tag".to_owned();
    }
    let mut shown: Vec<String> = others
        .iter()
        .take(SHOWN)
        .map(|found| {
            let tags: Vec<String> = found
                .tags
                .iter()
                .filter(|(key, _)| !key.starts_with("aws:"))
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            format!("{} ({})", found.id, tags.join(", "))
        })
        .collect();
    if others.len() > SHOWN {
        shown.push(format!("and {} more", others.len() - SHOWN));
    }
    format!("there is: {}", shown.join("; "))
}

fn failure(missing: &[Missing]) -> Failure {
    if let [gap] = missing {
        return Failure::usage(format!("{} can't be found", gap.what)).cause(&gap.why).help(&gap.fix);
    }
    let causes: Vec<String> = missing.iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect();
    let mut failure =
        Failure::usage(format!("{} things that the stack needs can't be found", missing.len())).cause(causes.join("\n"));
    for gap in missing {
        if !failure.help.contains(&gap.fix) {
            failure = failure.help(&gap.fix);
        }
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::{Missing, failure, there_is};
    use crate::aws::{Found, Tags};

    fn gap(what: &str, fix: &str) -> Missing {
        Missing { what: what.to_owned(), why: "none".to_owned(), fix: fix.to_owned() }
    }

    #[test]
    fn everything_that_is_missing_is_said_at_once_and_each_fix_once() {
        let failure =
            failure(&[gap("the VPC", "correct x-vpc"), gap("the subnets", "correct x-vpc"), gap("the secret", "store it")]);
        assert_eq!(failure.headline, "3 things that the stack needs can't be found");
        assert_eq!(failure.cause.unwrap().lines().count(), 3);
        assert_eq!(failure.help, ["correct x-vpc", "store it"]);
    }

    #[test]
    fn what_there_is_is_shown_without_the_tags_of_aws() {
        let tags =
            Tags::from([("Name".to_owned(), "main".to_owned()), ("aws:cloudformation:stack-name".to_owned(), "x".to_owned())]);
        let found = Found { arn: "arn".to_owned(), id: "vpc-1".to_owned(), tags };
        assert_eq!(there_is(&[found]), "there is: vpc-1 (Name=main)");
        assert_eq!(there_is(&[]), "nothing of the kind has a tag");
    }
}
