//! ECS services: counts, deployments and messages. And clusters, by name.

use aws_sdk_ecs::types::{Deployment as SdkDeployment, Service as SdkService};

use super::account::{Account, call};
use super::error::CallError;
use super::moment;
use crate::base::Moment;

/// A service as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    pub arn: String,
    pub name: String,
    pub cluster: String,
    pub status: String,
    pub desired: i32,
    pub running: i32,
    pub pending: i32,
    pub task_definition: String,
    pub deployments: Vec<Deployment>,
    /// What ECS says about it, oldest first; it keeps the last 100.
    pub messages: Vec<ServiceMessage>,
}

/// One deployment of a service; the one that ECS works towards is `PRIMARY`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    pub id: String,
    pub status: String,
    pub task_definition: String,
    pub desired: i32,
    pub running: i32,
    pub pending: i32,
    pub failed: i32,
    /// `COMPLETED`, `IN_PROGRESS` or `FAILED`, where ECS says.
    pub rollout: Option<String>,
    pub rollout_reason: Option<String>,
    pub created: Option<Moment>,
}

/// The capacity providers that a cluster is associated with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterProviders {
    pub names: Vec<String>,
    /// Its default strategy, as the AWS CLI takes it: `capacityProvider=FARGATE,weight=1,base=0`.
    pub default_strategy: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceMessage {
    pub id: String,
    pub at: Moment,
    pub text: String,
}

impl Service {
    /// One that was deleted drains, and is described for a while yet.
    pub fn is_active(&self) -> bool {
        self.status == "ACTIVE"
    }

    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|deployment| deployment.status == "PRIMARY")
    }
}

impl Account {
    /// The services of one cluster, by name or ARN; those that are not there are left out. ECS takes ten a call.
    pub async fn services(&self, cluster: &str, services: &[String]) -> Result<Vec<Service>, CallError> {
        let mut found = Vec::new();
        for some in services.chunks(10) {
            let request = self.ecs.describe_services().cluster(cluster).set_services(Some(some.to_vec()));
            let answer = match call!(self, "ecs:DescribeServices", some.join(", "), request.send()) {
                Ok(answer) => answer,
                // Its cluster went with it.
                Err(error) if error.is_code("ClusterNotFoundException") => return Ok(found),
                Err(error) => return Err(error),
            };
            found.extend(answer.services().iter().map(service));
        }
        Ok(found)
    }

    /// Says how many tasks of a service shall run, past CloudFormation: only for a service that it waits for in vain.
    pub async fn set_desired_count(&self, cluster: &str, service: &str, count: i32) -> Result<(), CallError> {
        let request = self.ecs.update_service().cluster(cluster).service(service).desired_count(count);
        call!(self, "ecs:UpdateService", service, request.send()).map(drop)
    }

    /// Has a service start its tasks anew, a few at a time, with what it has: they read their secrets again.
    pub async fn restart_service(&self, cluster: &str, service: &str) -> Result<(), CallError> {
        let request = self.ecs.update_service().cluster(cluster).service(service).force_new_deployment(true);
        call!(self, "ecs:UpdateService", service, request.send()).map(drop)
    }

    /// The ARN of an active cluster; `None` when there is none of this name.
    pub async fn cluster(&self, name: &str) -> Result<Option<String>, CallError> {
        let request = self.ecs.describe_clusters().clusters(name);
        let answer = call!(self, "ecs:DescribeClusters", name, request.send())?;
        let active = answer.clusters().iter().find(|cluster| cluster.status() == Some("ACTIVE"));
        Ok(active.and_then(|cluster| cluster.cluster_arn()).map(str::to_owned))
    }

    /// The capacity providers of a cluster; `None` when there is no active one of this name.
    pub async fn cluster_providers(&self, name: &str) -> Result<Option<ClusterProviders>, CallError> {
        let request = self.ecs.describe_clusters().clusters(name);
        let answer = call!(self, "ecs:DescribeClusters", name, request.send())?;
        let active = answer.clusters().iter().find(|cluster| cluster.status() == Some("ACTIVE"));
        Ok(active.map(|cluster| ClusterProviders {
            names: cluster.capacity_providers().to_vec(),
            default_strategy: cluster
                .default_capacity_provider_strategy()
                .iter()
                .map(|item| {
                    format!("capacityProvider={},weight={},base={}", item.capacity_provider(), item.weight(), item.base())
                })
                .collect(),
        }))
    }

    /// The names of the region's clusters.
    pub async fn cluster_names(&self) -> Result<Vec<String>, CallError> {
        let mut pages = self.ecs.list_clusters().into_paginator().items().send();
        let mut names = Vec::new();
        while let Some(arn) = pages.next().await {
            let arn = arn.map_err(|error| self.named(CallError::of("ecs:ListClusters", error)))?;
            names.push(arn.rsplit('/').next().unwrap_or(&arn).to_owned());
        }
        names.sort();
        Ok(names)
    }
}

fn service(service: &SdkService) -> Service {
    let mut messages: Vec<ServiceMessage> = service
        .events()
        .iter()
        .map(|event| ServiceMessage {
            id: event.id().unwrap_or_default().to_owned(),
            at: event.created_at().map(moment).unwrap_or_default(),
            text: without_name(event.message().unwrap_or_default()).to_owned(),
        })
        .collect();
    messages.reverse();
    Service {
        arn: service.service_arn().unwrap_or_default().to_owned(),
        name: service.service_name().unwrap_or_default().to_owned(),
        cluster: service.cluster_arn().unwrap_or_default().to_owned(),
        status: service.status().unwrap_or_default().to_owned(),
        desired: service.desired_count(),
        running: service.running_count(),
        pending: service.pending_count(),
        task_definition: service.task_definition().unwrap_or_default().to_owned(),
        deployments: service.deployments().iter().map(deployment).collect(),
        messages,
    }
}

/// ECS begins each message with `(service name) `; who asked for a service's messages knows its name.
fn without_name(message: &str) -> &str {
    match message.strip_prefix("(service ").and_then(|rest| rest.split_once(") ")) {
        Some((_, said)) => said,
        None => message,
    }
}

fn deployment(deployment: &SdkDeployment) -> Deployment {
    Deployment {
        id: deployment.id().unwrap_or_default().to_owned(),
        status: deployment.status().unwrap_or_default().to_owned(),
        task_definition: deployment.task_definition().unwrap_or_default().to_owned(),
        desired: deployment.desired_count(),
        running: deployment.running_count(),
        pending: deployment.pending_count(),
        failed: deployment.failed_tasks(),
        rollout: deployment.rollout_state().map(|state| state.as_str().to_owned()),
        rollout_reason: deployment.rollout_state_reason().map(str::to_owned),
        created: deployment.created_at().map(moment),
    }
}

#[cfg(test)]
mod tests {
    use super::without_name;

    #[test]
    fn a_message_is_what_is_said_of_the_service() {
        assert_eq!(without_name("(service a-b) has reached a steady state."), "has reached a steady state.");
        assert_eq!(without_name("service a was unable to place a task"), "service a was unable to place a task");
    }
}
