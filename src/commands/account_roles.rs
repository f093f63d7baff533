//! The roles of a family as the template makes them, with what an account says of the policies that they name: for preflight, which judges.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::account_facts::{Values, within};
use super::project::Ready;
use crate::aws::Account;
use crate::deploy;
use crate::preflight::{Read, RoleFacts, resolved};
use crate::stack::{Family, PolicyName, Stack};

/// Both roles, each with the secrets that it must be able to read.
pub(super) async fn of_family(
    account: &Account,
    ready: &Ready,
    family: &Family,
    values: &Values,
    roles: [(&'static str, &BTreeSet<&String>); 2],
) -> Vec<RoleFacts> {
    let boundary = match &family.iam.boundary {
        None => None,
        Some(policy) => {
            let arn = policy_arn(policy, account, values);
            let document = managed(account, &arn).await;
            Some((arn, document))
        }
    };
    let resources = ready.template.resource_values();
    let mut values = values.clone();
    values.insert(format!("{}LogGroup.Arn", family.id), log_group(ready, family, &values));
    let mut found = Vec::new();
    for (kind, secrets) in roles {
        let suffix = if kind == "task" { "TaskRole" } else { "ExecutionRole" };
        let Some(resource) = resources.get(&format!("{}{suffix}", family.id)) else { continue };
        let properties = &resource["Properties"];
        let inline = properties["Policies"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut policies: Vec<Value> = inline.iter().map(|policy| resolved(&policy["PolicyDocument"], &values)).collect();
        let mut unread = Vec::new();
        for arn in properties["ManagedPolicyArns"].as_array().map(Vec::as_slice).unwrap_or_default() {
            let Value::String(arn) = resolved(arn, &values) else { continue };
            match managed(account, &arn).await {
                Ok(document) => policies.push(document),
                Err(why) => unread.push(format!("{arn}: {why}")),
            }
        }
        found.push(RoleFacts {
            kind,
            name_start: name_start(resource, &ready.stack, &values),
            whole_name: properties["RoleName"].is_string(),
            policies,
            unread,
            boundary: boundary.clone(),
            secrets: secrets.iter().map(|name| (*name).clone()).collect(),
        });
    }
    found
}

async fn managed(account: &Account, arn: &str) -> Read<Value> {
    let document = within(account.managed_policy(arn)).await;
    document.and_then(|found| found.ok_or_else(|| "there is no such policy".to_owned()))
}

/// The ARN that the family's log group has, or will have: the end of its name is CloudFormation's to choose.
pub(super) fn log_group(ready: &Ready, family: &Family, values: &Values) -> String {
    let id = format!("{}LogGroup", family.id);
    let resources = ready.template.resource_values();
    let name = resources.get(&id).map(|resource| resolved(&resource["Properties"]["LogGroupName"], values));
    let name = match name {
        Some(Value::String(name)) => name,
        _ => format!("{}-{id}-000000000000", ready.stack.name),
    };
    let known = |name: &str| values.get(name).map_or("", String::as_str);
    let (partition, region, account) = (known("AWS::Partition"), known("AWS::Region"), known("AWS::AccountId"));
    format!("arn:{partition}:logs:{region}:{account}:log-group:{name}:*")
}

/// The repositories of ECR that its images are pulled from: the ARN of each, by its name.
pub(super) fn repositories(account: &Account, family: &Family, values: &Values) -> BTreeMap<String, String> {
    let partition = values.get("AWS::Partition").map_or("aws", String::as_str);
    let found = family.containers.iter().filter_map(|container| container.repository.as_ref());
    let of = |text| deploy::resolve(text, account);
    found
        .map(|repository| {
            let (region, owner, name) = (of(&repository.region), of(&repository.account), of(&repository.name));
            (name.clone(), format!("arn:{partition}:ecr:{region}:{owner}:repository/{name}"))
        })
        .collect()
}

/// A role's own name, or the start that CloudFormation gives it: the stack's name, cut where IAM would find it too long.
fn name_start(resource: &Value, stack: &Stack, values: &Values) -> String {
    match resolved(&resource["Properties"]["RoleName"], values) {
        Value::String(name) => name,
        _ => stack.name.chars().take(20).collect(),
    }
}

fn policy_arn(policy: &PolicyName, account: &Account, values: &Values) -> String {
    match policy {
        PolicyName::Arn(arn) => deploy::resolve(arn, account),
        PolicyName::Own(name) => {
            let partition = values.get("AWS::Partition").map_or("aws", String::as_str);
            format!("arn:{partition}:iam::{}:policy/{}", account.caller.account, deploy::resolve(name, account))
        }
    }
}
