//! What preflight wants to know of an account, gathered by calls that read and nothing else, all at the same time. What can't be read is
//! said where it is missed; nothing here judges.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::timeout;

use super::project::Ready;
use super::{account_roles, images};
use crate::aws::{Account, Subnet};
use crate::base::{Error, ecr_registry};
use crate::deploy;
use crate::images::Outcome;
use crate::preflight::{AccountFacts, FamilyFacts, ImageFacts, ImageState, KeyAccess, Own, Read, Roads, SecretAccess, Validated};
use crate::stack::{Capacity, Cluster, Family, Need, Stack, Text};

/// The longest that one part may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Registries are other people's servers, and need not be reachable from here at all.
const REGISTRIES_LIMIT: Duration = Duration::from_secs(4);
/// A call of CloudFormation takes no longer template.
const LONGEST_BODY: usize = 51_200;

/// The template's parameters, as far as they are known.
pub(super) type Values = BTreeMap<String, String>;

/// Asks for everything. `own` are the addresses of the tasks that run already.
pub(super) async fn gather(account: &Account, ready: &Ready, own: &BTreeMap<String, Own>) -> AccountFacts {
    let (stack, template) = (&ready.stack, &ready.template);
    let looked_up = within(async {
        let current = account.stack(&template.stack_name).await?;
        deploy::look_up(account, template, current.as_ref()).await
    });
    let looked_up = looked_up.await;
    let mut values: Values = template
        .parameters
        .iter()
        .filter_map(|(name, parameter)| Some((name.clone(), parameter.default.clone()?)))
        .chain(pseudo_parameters(account, stack))
        .collect();
    if let Ok((found, _)) = &looked_up {
        values.extend(found.iter().map(|parameter| (parameter.key.clone(), parameter.value.clone())));
    }
    let (subnets, roads, secrets, images, cluster, validation) = tokio::join!(
        subnets(account, ready, &values),
        roads(account, ready, &values),
        secrets(account, ready, &values),
        looked_at(account, ready),
        cluster(account, ready, &values),
        validation(account, ready),
    );
    let mut families = Vec::new();
    for family in &stack.families {
        families.push(of_family(account, ready, family, own, &values).await);
    }
    AccountFacts {
        account: account.caller.account.clone(),
        region: account.region.clone(),
        lookups: looked_up.map(|(found, findings)| {
            let Error::Findings(findings) = super::project::placed(Error::Findings(findings), &ready.project) else {
                return (found.len(), crate::base::Findings::default());
            };
            (found.len(), findings)
        }),
        families,
        subnets,
        roads,
        secrets,
        images,
        cluster,
        validation,
    }
}

/// Not longer than our limit; an error in one line.
pub(super) async fn within<T, E: Into<Error>>(work: impl Future<Output = Result<T, E>>) -> Read<T> {
    match timeout(LIMIT, work).await {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(match error.into() {
            Error::Failure(failure) => failure.headline,
            Error::Findings(findings) => findings.iter().next().map_or_else(String::new, |finding| finding.message.clone()),
        }),
        Err(_) => Err("AWS gave no answer in time".to_owned()),
    }
}

fn pseudo_parameters(account: &Account, stack: &Stack) -> impl Iterator<Item = (String, String)> {
    let region = account.region.as_str();
    let (partition, suffix) = match region {
        region if region.starts_with("cn-") => ("aws-cn", "amazonaws.com.cn"),
        region if region.starts_with("us-gov-") => ("aws-us-gov", "amazonaws.com"),
        region if region.starts_with("eusc-") => ("aws-eusc", "amazonaws.eu"),
        _ => ("aws", "amazonaws.com"),
    };
    [
        ("AWS::AccountId", account.caller.account.as_str()),
        ("AWS::Region", region),
        ("AWS::Partition", partition),
        ("AWS::URLSuffix", suffix),
        ("AWS::StackName", &stack.name),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into_iter()
}

/// The value of the parameter with a need.
fn value_of<'v>(ready: &Ready, values: &'v Values, is_it: impl Fn(&Need) -> bool) -> Option<&'v String> {
    let (name, _) = ready.template.parameters.iter().find(|(_, parameter)| is_it(&parameter.need))?;
    values.get(name).filter(|value| !value.is_empty())
}

async fn subnets(account: &Account, ready: &Ready, values: &Values) -> Option<Read<BTreeMap<String, Vec<Subnet>>>> {
    if !matches!(ready.stack.vpc, crate::stack::VpcSource::Existing(_)) {
        return None;
    }
    let mut found = BTreeMap::new();
    for usage in ready.stack.subnets.keys() {
        let is_it = |need: &Need| matches!(need, Need::Subnets { usage: of, .. } if of == usage);
        let Some(ids) = value_of(ready, values, is_it) else { continue };
        let ids: Vec<&str> = ids.split(',').collect();
        match within(account.subnets(&[("subnet-id", &ids)])).await {
            Ok(subnets) => drop(found.insert(usage.clone(), subnets)),
            Err(why) => return Some(Err(why)),
        }
    }
    Some(Ok(found))
}

async fn roads(account: &Account, ready: &Ready, values: &Values) -> Read<Roads> {
    let Some(vpc) = value_of(ready, values, |need| matches!(need, Need::Vpc(_))) else {
        return Err("the VPC was not found".to_owned());
    };
    let (tables, nat_gateways, endpoints) =
        tokio::join!(within(account.route_tables(vpc)), within(account.nat_gateways()), within(account.vpc_endpoints(vpc)),);
    Ok(Roads { tables: tables?, nat_gateways: nat_gateways?, endpoints: endpoints? })
}

async fn secrets(account: &Account, ready: &Ready, values: &Values) -> BTreeMap<String, Read<SecretAccess>> {
    let mut found = BTreeMap::new();
    for name in ready.stack.secrets.keys() {
        let is_it = |need: &Need| matches!(need, Need::SecretArn { secret, .. } if secret == name);
        if let Some(arn) = value_of(ready, values, is_it) {
            found.insert(name.clone(), secret(account, arn).await);
        }
    }
    found
}

async fn secret(account: &Account, arn: &str) -> Read<SecretAccess> {
    let facts = within(account.secret_facts(arn)).await?.ok_or_else(|| format!("there is no secret {arn}"))?;
    let policy = within(account.secret_policy(arn)).await;
    let key = match facts.kms_key.as_deref().filter(|key| !key.is_empty() && !key.ends_with("alias/aws/secretsmanager")) {
        None => KeyAccess::Default,
        Some(id) => match within(account.kms_key(id)).await {
            Ok(None) => KeyAccess::Missing(id.to_owned()),
            Err(why) => KeyAccess::Unread(why),
            Ok(Some(key)) => {
                let policy = if key.by_aws { Ok(None) } else { within(account.kms_key_policy(&key.arn)).await };
                KeyAccess::Key { key, policy }
            }
        },
    };
    Ok(SecretAccess { arn: facts.arn, name: facts.name, policy, key })
}

async fn looked_at(account: &Account, ready: &Ready) -> Read<Vec<ImageFacts>> {
    let late = || Err("the images' registries gave no answer in time; `confluent-ecs images check` waits longer".to_owned());
    let Ok(checked) = timeout(REGISTRIES_LIMIT, within(images::looked_at(account, ready))).await else { return late() };
    let checked = checked?;
    let found = checked.into_iter().map(|checked| {
        let state = match &checked.outcome {
            Outcome::Found(_) if checked.holds_others() => ImageState::OtherPlugins,
            Outcome::Found(facts) if facts.runs_on(checked.wanted.architecture) => {
                ImageState::There { digest: facts.digest.to_string() }
            }
            Outcome::Found(facts) => ImageState::OtherPlatforms(facts.platforms.iter().map(ToString::to_string).collect()),
            Outcome::Missing => ImageState::Missing,
            Outcome::NoName(why) => ImageState::NoName(why.clone()),
            // This machine's way and login are not the task's.
            Outcome::Failed(error) => ImageState::Unasked(format!("could not be asked for from here: {error}")),
            Outcome::Unasked(why) => ImageState::Unasked(why.clone()),
        };
        let wanted = checked.wanted;
        ImageFacts {
            image: wanted.image,
            services: wanted.services,
            architecture: wanted.architecture,
            built: wanted.built,
            plugins: wanted.plugins.is_some(),
            state,
            place: wanted.places.into_iter().next(),
        }
    });
    Ok(found.collect())
}

async fn cluster(account: &Account, ready: &Ready, values: &Values) -> Option<(String, Read<crate::aws::ClusterProviders>)> {
    if !matches!(ready.stack.cluster, Cluster::Existing(_)) {
        return None;
    }
    let Some(name) = value_of(ready, values, |need| matches!(need, Need::Cluster(_))) else {
        return Some((String::new(), Err("the cluster was not found".to_owned())));
    };
    let found = within(account.cluster_providers(name)).await;
    Some((name.clone(), found.and_then(|found| found.ok_or_else(|| format!("there is no active cluster {name}")))))
}

async fn validation(account: &Account, ready: &Ready) -> Validated {
    let body = ready.template.to_json_minified();
    if body.len() > LONGEST_BODY {
        let why = format!(
            "the template is too large for a call ({} bytes), and nothing is stored for a check; `plan` asks",
            body.len()
        );
        return Validated::Unasked(why);
    }
    match timeout(LIMIT, account.validate_template(&body)).await {
        Ok(Ok(())) => Validated::Yes,
        Ok(Err(error)) if error.is_code("ValidationError") => Validated::No(error.message),
        Ok(Err(error)) => Validated::Unasked(error.headline()),
        Err(_) => Validated::Unasked("CloudFormation gave no answer in time".to_owned()),
    }
}

async fn of_family(
    account: &Account,
    ready: &Ready,
    family: &Family,
    own: &BTreeMap<String, Own>,
    values: &Values,
) -> FamilyFacts {
    let count = family.scaling.as_ref().map_or(family.count, |scaling| scaling.maximum.max(family.count));
    let running = family.containers.iter().filter_map(|container| match own.get(&container.name) {
        Some(Own::Known(addresses)) => Some(addresses.len()),
        _ => None,
    });
    let read: BTreeSet<&String> =
        family.containers.iter().flat_map(|container| container.secrets.values()).map(|source| &source.secret).collect();
    let by_itself: BTreeSet<&String> = family.containers.iter().flat_map(|container| &container.read_by_itself).collect();
    let mut asks: BTreeSet<&'static str> = ["logs"].into();
    if !read.is_empty() {
        asks.insert("secretsmanager");
    }
    if family.containers.iter().any(|container| container.repository.is_some()) {
        asks.extend(["ecr.api", "ecr.dkr", "s3"]);
    }
    let elsewhere = family.containers.iter().find(|container| !is_in_ecr(&container.image));
    let roles = account_roles::of_family(account, ready, family, values, [("execution", &read), ("task", &by_itself)]).await;
    FamilyFacts {
        name: family.name.clone(),
        usage: family.subnets.clone(),
        public_ip: family.public_ip,
        count,
        most: (count * family.rollout.maximum_percent).div_ceil(100).max(count),
        running: running.max().and_then(|running| u32::try_from(running).ok()).unwrap_or_default(),
        asks,
        pulls_elsewhere: elsewhere.map(|container| container.image.to_string()),
        providers: match &family.capacity {
            Capacity::Fargate => Vec::new(),
            Capacity::Providers(providers) => providers.iter().map(|provider| provider.name.clone()).collect(),
        },
        log_group: account_roles::log_group(ready, family, values),
        repositories: account_roles::repositories(account, family, values),
        roles,
        place: family.containers.first().map(|container| ready.project.key_place(&["services", &container.name])),
    }
}

/// A task pulls through the endpoints of ECR what lies there.
fn is_in_ecr(image: &Text) -> bool {
    image.to_string().split('/').next().and_then(ecr_registry).is_some()
}
