//! ECS tasks, running and stopped, and where their containers log to.

use aws_sdk_ecs::types::{Container as SdkContainer, DesiredStatus, LogDriver, Task as SdkTask};

use super::account::{Account, call};
use super::error::CallError;
use super::logs::LogStream;
use super::moment;
use crate::base::Moment;

/// A task as it is now. ECS forgets a stopped one after about an hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    pub arn: String,
    pub id: String,
    /// `service:name` for a service's task.
    pub group: String,
    /// The id of the deployment that started it.
    pub started_by: String,
    pub task_definition: String,
    pub status: String,
    pub wanted: String,
    pub health: Option<String>,
    pub zone: Option<String>,
    /// Its own in the VPC.
    pub addresses: Vec<String>,
    pub created: Option<Moment>,
    pub started: Option<Moment>,
    pub stopped: Option<Moment>,
    pub stop_code: Option<String>,
    pub stop_reason: Option<String>,
    pub containers: Vec<Container>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    pub name: String,
    pub status: String,
    pub exit_code: Option<i32>,
    pub reason: Option<String>,
    pub health: Option<String>,
    pub image: Option<String>,
}

impl Account {
    /// A service's tasks: those that run or start, and those that stopped lately.
    pub async fn tasks(&self, cluster: &str, service: &str) -> Result<Vec<Task>, CallError> {
        let (mut arns, stopped) = tokio::try_join!(
            self.task_arns(cluster, service, DesiredStatus::Running),
            self.task_arns(cluster, service, DesiredStatus::Stopped)
        )?;
        arns.extend(stopped);
        let mut tasks = Vec::new();
        for some in arns.chunks(100) {
            let request = self.ecs.describe_tasks().cluster(cluster).set_tasks(Some(some.to_vec()));
            let answer = call!(self, "ecs:DescribeTasks", service, request.send())?;
            tasks.extend(answer.tasks().iter().map(task));
        }
        tasks.sort_by(|a: &Task, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(tasks)
    }

    async fn task_arns(&self, cluster: &str, service: &str, wanted: DesiredStatus) -> Result<Vec<String>, CallError> {
        let request = self.ecs.list_tasks().cluster(cluster).service_name(service).desired_status(wanted);
        let mut pages = request.into_paginator().items().send();
        let mut arns = Vec::new();
        while let Some(arn) = pages.next().await {
            match arn.map_err(|error| self.named(CallError::of("ecs:ListTasks", error).about(service))) {
                Ok(arn) => arns.push(arn),
                // The service is gone, and its tasks with it.
                Err(error) if error.is_code("ServiceNotFoundException") || error.is_code("ClusterNotFoundException") => break,
                Err(error) => return Err(error),
            }
        }
        Ok(arns)
    }

    /// Where each container of a task logs to, for those that log to CloudWatch with a stream prefix: only then is the stream's name known.
    pub async fn log_streams(&self, task_definition: &str, task_id: &str) -> Result<Vec<LogStream>, CallError> {
        let request = self.ecs.describe_task_definition().task_definition(task_definition);
        let answer = call!(self, "ecs:DescribeTaskDefinition", task_definition, request.send())?;
        let containers =
            answer.task_definition().map(aws_sdk_ecs::types::TaskDefinition::container_definitions).unwrap_or_default();
        Ok(containers
            .iter()
            .filter_map(|container| {
                let name = container.name()?;
                let logging = container.log_configuration().filter(|logging| *logging.log_driver() == LogDriver::Awslogs)?;
                let options = logging.options()?;
                let prefix = options.get("awslogs-stream-prefix")?;
                Some(LogStream {
                    container: name.to_owned(),
                    group: options.get("awslogs-group")?.clone(),
                    stream: format!("{prefix}/{name}/{task_id}"),
                })
            })
            .collect())
    }
}

pub(super) fn task(task: &SdkTask) -> Task {
    let arn = task.task_arn().unwrap_or_default();
    Task {
        arn: arn.to_owned(),
        id: arn.rsplit('/').next().unwrap_or(arn).to_owned(),
        group: task.group().unwrap_or_default().to_owned(),
        started_by: task.started_by().unwrap_or_default().to_owned(),
        task_definition: task.task_definition_arn().unwrap_or_default().to_owned(),
        status: task.last_status().unwrap_or_default().to_owned(),
        wanted: task.desired_status().unwrap_or_default().to_owned(),
        health: task.health_status().map(|health| health.as_str().to_owned()),
        zone: task.availability_zone().map(str::to_owned),
        addresses: addresses(task),
        created: task.created_at().map(moment),
        started: task.started_at().map(moment),
        stopped: task.stopped_at().map(moment),
        stop_code: task.stop_code().map(|code| code.as_str().to_owned()),
        stop_reason: task.stopped_reason().map(str::to_owned),
        containers: task.containers().iter().map(container).collect(),
    }
}

/// With awsvpc all containers of a task share its network interface; the task tells it too, before the containers do.
fn addresses(task: &SdkTask) -> Vec<String> {
    let of_containers = task.containers().iter().flat_map(SdkContainer::network_interfaces).flat_map(|interface| {
        [interface.private_ipv4_address(), interface.ipv6_address()].into_iter().flatten().map(str::to_owned)
    });
    let of_task = task.attachments().iter().flat_map(aws_sdk_ecs::types::Attachment::details).filter_map(|detail| {
        let is_address = matches!(detail.name(), Some("privateIPv4Address" | "privateIPv6Address"));
        is_address.then(|| detail.value().map(str::to_owned)).flatten()
    });
    let mut found: Vec<String> = of_containers.chain(of_task).collect();
    found.sort();
    found.dedup();
    found
}

fn container(container: &SdkContainer) -> Container {
    Container {
        name: container.name().unwrap_or_default().to_owned(),
        status: container.last_status().unwrap_or_default().to_owned(),
        exit_code: container.exit_code(),
        reason: container.reason().map(str::to_owned),
        health: container.health_status().map(|health| health.as_str().to_owned()),
        image: container.image().map(str::to_owned),
    }
}
