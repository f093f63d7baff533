//! Where a stack's tasks are: by compose service, the addresses of those that run or start.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::fold::service_key;
use crate::aws::{Account, CallError};
use crate::cloudformation::DeployedService;

/// The addresses of all tasks of each compose service; none where the stack or the service isn't there.
pub async fn task_addresses(
    account: &Account,
    stack: &str,
    deployed: &[DeployedService],
) -> Result<BTreeMap<String, BTreeSet<IpAddr>>, CallError> {
    let containers = deployed.iter().flat_map(|family| &family.containers);
    let mut found: BTreeMap<String, BTreeSet<IpAddr>> =
        containers.map(|container| (container.clone(), BTreeSet::new())).collect();
    let Some(stack) = account.stack(stack).await? else { return Ok(found) };
    for resource in account.stack_resources(&stack.id).await? {
        if resource.kind != "AWS::ECS::Service" {
            continue;
        }
        let Some(family) = deployed.iter().find(|deployed| deployed.service == resource.logical) else { continue };
        let Some(key) = resource.physical.as_deref().and_then(service_key) else { continue };
        let tasks = account.tasks(&key.cluster, &key.name).await?;
        let running = tasks.iter().filter(|task| task.status != "STOPPED").flat_map(|task| &task.addresses);
        let addresses: BTreeSet<IpAddr> = running.filter_map(|address| address.parse().ok()).collect();
        for container in &family.containers {
            found.entry(container.clone()).or_default().extend(&addresses);
        }
    }
    Ok(found)
}
