//! The values of the template's parameters, from an account and the stack as it is.
//!
//! Comes in: the template's parameters with their needs, an account, the stack as it is. Goes out: values, or the findings on
//! everything that isn't there, is there twice or can't be used, with what there is instead. Rules: reads only; what the files name is
//! looked up even where they give an id, for a wrong one would fail the deploy half-way.

use std::collections::BTreeMap;

use super::fold::service_key;
use super::lookup::Lookups;
use crate::aws::{Account, Parameter, SecretFacts, Stack};
use crate::base::{Error, Findings, Result};
use crate::cloudformation::Template;
use crate::stack::{Need, Part, Text, url_suffix};

/// Looks up every parameter that needs an account; all that is missing is an error.
pub async fn parameters(account: &Account, template: &Template, current: Option<&Stack>) -> Result<Vec<Parameter>> {
    let (values, findings) = look_up(account, template, current).await?;
    if findings.is_empty() { Ok(values) } else { Err(Error::Findings(findings)) }
}

/// The values that were found, and what is to be said of the others.
pub async fn look_up(account: &Account, template: &Template, current: Option<&Stack>) -> Result<(Vec<Parameter>, Findings)> {
    let vpc = template.parameters.values().find_map(|parameter| match &parameter.need {
        Need::Vpc(lookup) => Some(lookup),
        _ => None,
    });
    let mut lookups = Lookups::new(account, vpc);
    let mut values = Vec::new();
    let mut findings = Findings::default();
    for (name, parameter) in &template.parameters {
        let found = match &parameter.need {
            Need::DesiredCount { family, scaled: true, .. } => running_count(account, template, current, family).await?.map(Ok),
            Need::DesiredCount { .. } => None,
            need @ (Need::LoadBalancer { .. } | Need::Listener { .. } | Need::RulePriority { .. }) => {
                lookups.of_balancer(name, need, current).await?
            }
            need => lookups.value(need).await?,
        };
        match found {
            Some(Ok(value)) => values.push(Parameter { key: name.clone(), value }),
            Some(Err(gap)) => {
                // Several parameters of one secret, one finding.
                let finding = gap.finding();
                if !findings.iter().any(|known| *known == finding) {
                    findings.push(finding);
                }
            }
            // The template's default is right.
            None => {}
        }
    }
    Ok((values, findings))
}

/// The newest version of each secret, by the parameter that carries it; secrets that nobody has stored are left out.
pub async fn secret_versions(account: &Account, template: &Template) -> Result<BTreeMap<String, String>> {
    let facts = secret_facts(account, template).await?;
    Ok(facts.into_iter().filter_map(|(parameter, facts)| Some((parameter, facts.version?))).collect())
}

/// The secrets that the template's parameters carry the versions of, by parameter; those that are not there are left out.
pub(super) async fn secret_facts(account: &Account, template: &Template) -> Result<Vec<(String, SecretFacts)>> {
    let mut lookups = Lookups::new(account, None);
    let mut found = Vec::new();
    for (name, parameter) in &template.parameters {
        if let Need::SecretVersion { secret, lookup } = &parameter.need
            && let Ok(facts) = lookups.secret(secret, lookup).await?
        {
            found.push((name.clone(), facts));
        }
    }
    Ok(found)
}

/// How many tasks a family has now, so that a deploy never resets what scaling chose.
pub async fn running_count(
    account: &Account,
    template: &Template,
    current: Option<&Stack>,
    family: &str,
) -> Result<Option<String>> {
    let (Some(stack), Some(service)) = (current, template.services.iter().find(|service| service.family == family)) else {
        return Ok(None);
    };
    let resources = account.stack_resources(&stack.id).await?;
    let physical = resources.iter().find(|resource| resource.logical == service.service).and_then(|r| r.physical.as_deref());
    let Some(key) = physical.and_then(service_key) else { return Ok(None) };
    let found = account.services(&key.cluster, std::slice::from_ref(&key.name)).await?;
    // One that was scaled to nothing is deployed with its default: a count of 0 says nothing of the load.
    Ok(found.first().filter(|service| service.desired > 0).map(|service| service.desired.to_string()))
}

/// The text with what only the account knows filled in.
pub fn resolve(text: &Text, account: &Account) -> String {
    text.parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::AccountId => &account.caller.account,
            Part::Region => &account.region,
            Part::UrlSuffix => url_suffix(&account.region),
        })
        .collect()
}
