//! A task that runs once and belongs to no service: its definition, its start, its end, and the lines that it writes.

use std::collections::BTreeMap;

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, Compatibility, ContainerDefinition, CpuArchitecture, DesiredStatus, KeyValuePair,
    LaunchType, LogConfiguration, LogDriver, NetworkConfiguration, NetworkMode, OsFamily, PropagateTags, RuntimePlatform, Secret,
    Tag, TaskDefinitionField, TaskDefinitionStatus,
};

use super::account::{Account, call};
use super::error::{CallError, ErrorKind};
use super::logs::LogStream;
use super::tasks::{Task, task};
use super::{Tags, moment};
use crate::base::Moment;

/// A task definition with one container, on Fargate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOff {
    pub family: String,
    pub container: String,
    pub image: String,
    pub command: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Where each secret variable comes from, as ECS takes it.
    pub secrets: BTreeMap<String, String>,
    pub execution_role: String,
    pub task_role: Option<String>,
    pub log_group: String,
    pub log_prefix: String,
    /// It runs on ARM.
    pub arm: bool,
    pub cpu: u32,
    /// MiB.
    pub memory: u32,
    pub tags: Tags,
}

/// Where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    pub cluster: String,
    pub subnets: Vec<String>,
    pub groups: Vec<String>,
    pub public_ip: bool,
}

/// A task definition that was registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    pub arn: String,
    pub registered: Option<Moment>,
    pub tags: Tags,
}

/// A piece of a log stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogPage {
    pub lines: Vec<String>,
    /// Where to go on.
    pub next: Option<String>,
}

impl Account {
    /// Registers a definition; its ARN.
    pub async fn register_one_off(&self, wanted: &OneOff) -> Result<String, CallError> {
        let pair = |(name, value): (&String, &String)| KeyValuePair::builder().name(name).value(value).build();
        let secrets: Result<Vec<Secret>, _> =
            wanted.secrets.iter().map(|(name, from)| Secret::builder().name(name).value_from(from).build()).collect();
        let malformed = |error: aws_sdk_ecs::error::BuildError| {
            CallError::local(ErrorKind::Other, "ecs:RegisterTaskDefinition", error.to_string())
        };
        let logging = LogConfiguration::builder()
            .log_driver(LogDriver::Awslogs)
            .options("awslogs-group", &wanted.log_group)
            .options("awslogs-region", &self.region)
            .options("awslogs-stream-prefix", &wanted.log_prefix)
            // What it writes is its report: ECS's own default drops lines when the log is slow.
            .options("mode", "blocking")
            .build()
            .map_err(malformed)?;
        let container = ContainerDefinition::builder()
            .name(&wanted.container)
            .image(&wanted.image)
            .essential(true)
            .readonly_root_filesystem(true)
            .set_command(Some(wanted.command.clone()))
            .set_environment(Some(wanted.environment.iter().map(pair).collect()))
            .set_secrets(Some(secrets.map_err(malformed)?))
            .log_configuration(logging)
            .build();
        let architecture = if wanted.arm { CpuArchitecture::Arm64 } else { CpuArchitecture::X8664 };
        let platform = RuntimePlatform::builder().cpu_architecture(architecture).operating_system_family(OsFamily::Linux).build();
        let request = self
            .ecs
            .register_task_definition()
            .family(&wanted.family)
            .requires_compatibilities(Compatibility::Fargate)
            .network_mode(NetworkMode::Awsvpc)
            .cpu(wanted.cpu.to_string())
            .memory(wanted.memory.to_string())
            .execution_role_arn(&wanted.execution_role)
            .set_task_role_arn(wanted.task_role.clone())
            .runtime_platform(platform)
            .container_definitions(container)
            .set_tags(Some(tags(&wanted.tags)));
        let answer = call!(self, "ecs:RegisterTaskDefinition", wanted.family.as_str(), request.send())?;
        let arn = answer.task_definition().and_then(|definition| definition.task_definition_arn()).map(str::to_owned);
        arn.ok_or_else(|| CallError::local(ErrorKind::Other, "ecs:RegisterTaskDefinition", "ECS gave no ARN"))
    }

    /// Starts one task. `token` makes a second call with it the same call.
    pub async fn run_one_off(
        &self,
        definition: &str,
        placement: &Placement,
        started_by: &str,
        token: &str,
        with: &Tags,
    ) -> Result<Task, CallError> {
        let public = if placement.public_ip { AssignPublicIp::Enabled } else { AssignPublicIp::Disabled };
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(placement.subnets.clone()))
            .set_security_groups(Some(placement.groups.clone()))
            .assign_public_ip(public)
            .build()
            .map_err(|error| CallError::local(ErrorKind::Other, "ecs:RunTask", error.to_string()))?;
        let request = self
            .ecs
            .run_task()
            .cluster(&placement.cluster)
            .task_definition(definition)
            .count(1)
            .launch_type(LaunchType::Fargate)
            .network_configuration(NetworkConfiguration::builder().awsvpc_configuration(network).build())
            .started_by(started_by)
            .client_token(token)
            .enable_execute_command(false)
            .propagate_tags(PropagateTags::TaskDefinition)
            .set_tags(Some(tags(with)));
        let answer = call!(self, "ecs:RunTask", definition, request.send())?;
        if let Some(started) = answer.tasks().first() {
            return Ok(task(started));
        }
        let said = answer.failures().iter().map(|failure| {
            let parts = [failure.reason(), failure.detail()];
            parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
        });
        let why = said.collect::<Vec<_>>().join("; ");
        let why = if why.is_empty() { "ECS started no task and said nothing of why".to_owned() } else { why };
        Err(self.named(CallError::local(ErrorKind::Other, "ecs:RunTask", why).about(definition)))
    }

    /// A task by its ARN; `None` where ECS knows it no longer.
    pub async fn task(&self, cluster: &str, arn: &str) -> Result<Option<Task>, CallError> {
        let request = self.ecs.describe_tasks().cluster(cluster).tasks(arn);
        let answer = call!(self, "ecs:DescribeTasks", arn, request.send())?;
        Ok(answer.tasks().first().map(task))
    }

    /// The tasks of a family of definitions that run or start.
    pub async fn tasks_of_family(&self, cluster: &str, family: &str) -> Result<Vec<Task>, CallError> {
        let request = self.ecs.list_tasks().cluster(cluster).family(family).desired_status(DesiredStatus::Running);
        let answer = match call!(self, "ecs:ListTasks", family, request.send()) {
            Ok(answer) => answer,
            Err(error) if error.is_code("ClusterNotFoundException") => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        if answer.task_arns().is_empty() {
            return Ok(Vec::new());
        }
        let request = self.ecs.describe_tasks().cluster(cluster).set_tasks(Some(answer.task_arns().to_vec()));
        let answer = call!(self, "ecs:DescribeTasks", family, request.send())?;
        Ok(answer.tasks().iter().map(task).collect())
    }

    /// Asks a task to stop. One that is gone already is fine.
    pub async fn stop_task(&self, cluster: &str, arn: &str, reason: &str) -> Result<(), CallError> {
        let request = self.ecs.stop_task().cluster(cluster).task(arn).reason(reason);
        match call!(self, "ecs:StopTask", arn, request.send()) {
            Ok(_) => Ok(()),
            Err(error) if error.is_code("InvalidParameterException") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The definitions of a family that can be run, with their tags.
    pub async fn definitions(&self, family: &str) -> Result<Vec<Definition>, CallError> {
        let request = self.ecs.list_task_definitions().family_prefix(family).status(TaskDefinitionStatus::Active);
        let answer = call!(self, "ecs:ListTaskDefinitions", family, request.send())?;
        let mut found = Vec::new();
        for arn in answer.task_definition_arns() {
            let request = self.ecs.describe_task_definition().task_definition(arn).include(TaskDefinitionField::Tags);
            let answer = call!(self, "ecs:DescribeTaskDefinition", arn.as_str(), request.send())?;
            let Some(definition) = answer.task_definition().filter(|found| found.family() == Some(family)) else { continue };
            let tags = answer.tags().iter();
            found.push(Definition {
                arn: arn.clone(),
                registered: definition.registered_at().map(moment),
                tags: tags.filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect(),
            });
        }
        Ok(found)
    }

    /// Takes a definition away: no task can be started from it any more.
    pub async fn remove_definition(&self, arn: &str) -> Result<(), CallError> {
        let request = self.ecs.deregister_task_definition().task_definition(arn);
        call!(self, "ecs:DeregisterTaskDefinition", arn, request.send())?;
        // What is deregistered can be deleted, and is in nobody's way where it can't.
        let request = self.ecs.delete_task_definitions().task_definitions(arn);
        let _ = call!(self, "ecs:DeleteTaskDefinitions", arn, request.send());
        Ok(())
    }

    /// The lines of a stream from its start, or from where the last page ended. Empty while nobody has written a line.
    pub async fn log_page(&self, from: &LogStream, next: Option<&str>) -> Result<LogPage, CallError> {
        let request = self
            .logs
            .get_log_events()
            .log_group_name(&from.group)
            .log_stream_name(&from.stream)
            .start_from_head(true)
            .set_next_token(next.map(str::to_owned));
        match call!(self, "logs:GetLogEvents", from.group.as_str(), request.send()) {
            Ok(answer) => Ok(LogPage {
                lines: answer.events().iter().filter_map(|event| event.message().map(str::to_owned)).collect(),
                next: answer.next_forward_token().map(str::to_owned).or_else(|| next.map(str::to_owned)),
            }),
            Err(error) if error.is_code("ResourceNotFoundException") => {
                Ok(LogPage { lines: Vec::new(), next: next.map(str::to_owned) })
            }
            Err(error) => Err(error),
        }
    }
}

fn tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
