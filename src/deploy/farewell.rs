//! What goes with a stack, and what stays when it is gone, each with the command that would remove it.

use serde::Serialize;

use super::parameters::resolve;
use crate::aws::{Account, Stack};
use crate::base::Result;
use crate::cloudformation::{SUFFIX, Template};
use crate::stack::{SecretLookup, Stack as Decided};

/// What a deletion would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Farewell {
    pub stack: String,
    pub region: String,
    pub account: String,
    /// Resources by type, as CloudFormation names them, with how many.
    pub goes: Vec<(String, usize)>,
    pub stays: Vec<Remains>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Remains {
    pub what: String,
    /// What removes it.
    pub removal: String,
}

/// Looks at what there is. `decided` is the stack as the files have it: it names the secrets; `elsewhere` is what stays outside of AWS.
pub async fn farewell(
    account: &Account,
    stack: &Stack,
    decided: &Decided,
    template: &Template,
    elsewhere: Vec<Remains>,
) -> Result<Farewell> {
    let mut goes: Vec<(String, usize)> = Vec::new();
    let mut stays = Vec::new();
    for resource in account.stack_resources(&stack.id).await? {
        if resource.status == "DELETE_COMPLETE" {
            continue;
        }
        if template.resources.get(&resource.logical).is_some_and(|resource| resource.retained) {
            let name = resource.physical.as_deref().unwrap_or(&resource.logical);
            stays.push(match resource.kind.as_str() {
                "AWS::Logs::LogGroup" => Remains {
                    what: format!("log group {name}"),
                    removal: format!("aws logs delete-log-group --log-group-name {name}"),
                },
                kind => Remains { what: format!("{kind} {name}"), removal: "AWS's own tools".to_owned() },
            });
            continue;
        }
        match goes.iter_mut().find(|(kind, _)| *kind == resource.kind) {
            Some((_, count)) => *count += 1,
            None => goes.push((resource.kind, 1)),
        }
    }
    for secret in decided.secrets.values() {
        let (SecretLookup::Name(id) | SecretLookup::Arn(id)) = &secret.lookup else { continue };
        let id = resolve(id, account);
        stays.push(Remains {
            what: format!("secret {id}"),
            removal: format!("aws secretsmanager delete-secret --secret-id {id}"),
        });
    }
    stays.extend(beside(account, &stack.name).await?);
    stays.extend(elsewhere);
    Ok(Farewell {
        stack: stack.name.clone(),
        region: account.region.clone(),
        account: account.caller.account.clone(),
        goes,
        stays,
    })
}

/// The stack that `preflight --in-vpc` has made beside a service's own, which may be there without it.
pub async fn beside(account: &Account, stack: &str) -> Result<Option<Remains>> {
    let name = format!("{stack}{SUFFIX}");
    let there = account.stack(&name).await?.is_some_and(|found| !found.status.is_deleted());
    Ok(there.then(|| Remains {
        what: format!("stack {name}, which preflight --in-vpc has made"),
        removal: format!("aws cloudformation delete-stack --stack-name {name}"),
    }))
}
