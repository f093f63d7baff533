//! The task definition of a family.

use std::collections::BTreeMap;

use super::resource::{
    ContainerDefinition, ContainerDependency, EphemeralStorage, HealthCheck, LinuxParameters, LogConfiguration, NameValue,
    PortMapping, RuntimePlatform, SecretVariable, TaskDefinition, Ulimit,
};
use super::{Builder, Expression, Parameter, ParameterType};
use crate::stack::{Architecture, Condition, Container, Family, Need, Protocol, SecretSource, StackSecret, Text};

/// The label that shows which version of a secret a task was started with. It is there so that a new version makes a new
/// revision of the task definition, which rolls the tasks: ECS reads a secret only when a task starts.
const VERSION_LABEL: &str = "confluent-ecs.secret-version.";

impl Builder<'_> {
    pub(super) fn task_definition(&mut self, family: &Family) -> TaskDefinition {
        TaskDefinition {
            container_definitions: family.containers.iter().map(|container| self.container(family, container)).collect(),
            cpu: family.size.cpu.to_string(),
            ephemeral_storage: family.ephemeral_gib.map(|size_in_gib| EphemeralStorage { size_in_gib }),
            execution_role_arn: Expression::attribute(format!("{}ExecutionRole", family.id), "Arn"),
            memory: family.size.memory.to_string(),
            network_mode: "awsvpc",
            requires_compatibilities: vec!["FARGATE"],
            runtime_platform: RuntimePlatform {
                cpu_architecture: match family.architecture {
                    Architecture::X86_64 => "X86_64",
                    Architecture::Arm64 => "ARM64",
                },
                operating_system_family: "LINUX",
            },
            tags: self.tags(None),
            task_role_arn: Expression::attribute(format!("{}TaskRole", family.id), "Arn"),
        }
    }

    fn container(&mut self, family: &Family, container: &Container) -> ContainerDefinition {
        let secrets = container
            .secrets
            .iter()
            .map(|(variable, source)| SecretVariable { name: variable.clone(), value_from: self.value_from(source) })
            .collect();
        ContainerDefinition {
            command: expressions(container.command.as_deref()),
            cpu: container.cpu,
            depends_on: container.depends_on.iter().map(dependency).collect(),
            docker_labels: self.labels(container),
            entry_point: expressions(container.entrypoint.as_deref()),
            environment: container
                .environment
                .iter()
                .map(|(name, value)| NameValue { name: name.clone(), value: value.into() })
                .collect(),
            essential: container.essential,
            health_check: container.health_check.as_ref().map(|check| HealthCheck {
                command: expressions(Some(&check.command)),
                interval: check.interval,
                retries: check.retries,
                start_period: check.start_period,
                timeout: check.timeout,
            }),
            image: (&container.image).into(),
            interactive: container.interactive.then_some(true),
            linux_parameters: container.init.then_some(LinuxParameters { init_process_enabled: true }),
            log_configuration: LogConfiguration {
                log_driver: "awslogs",
                options: BTreeMap::from([
                    ("awslogs-group", Expression::reference(format!("{}LogGroup", family.id))),
                    ("awslogs-region", Expression::reference("AWS::Region")),
                    ("awslogs-stream-prefix", Expression::from(family.name.as_str())),
                ]),
            },
            memory: container.memory,
            memory_reservation: container.memory_reservation,
            name: container.name.clone(),
            port_mappings: container
                .ports
                .iter()
                .map(|port| PortMapping {
                    container_port: port.number,
                    name: None,
                    protocol: match port.protocol {
                        Protocol::Tcp => "tcp",
                        Protocol::Udp => "udp",
                    },
                })
                .collect(),
            pseudo_terminal: container.tty.then_some(true),
            readonly_root_filesystem: container.read_only.then_some(true),
            secrets,
            stop_timeout: container.stop_timeout,
            ulimits: container
                .ulimits
                .iter()
                .map(|limit| Ulimit { hard_limit: limit.hard, name: limit.name.clone(), soft_limit: limit.soft })
                .collect(),
            user: container.user.as_ref().map(Expression::from),
            working_directory: container.working_dir.as_ref().map(Expression::from),
        }
    }

    /// The secret whole by its ARN; one key of it as `ARN:KEY::`, where the two colons leave stage and version unsaid, so
    /// that ECS takes the current one.
    fn value_from(&mut self, source: &SecretSource) -> Expression {
        let stack = self.stack;
        let Some(secret) = stack.secrets.get(&source.secret) else { return Expression::from("") };
        let arn = self.secret_arn(&source.secret, secret);
        match (&source.key, arn) {
            (Some(key), Expression::Ref(parameter)) => {
                Expression::Sub(format!("${{{parameter}}}:{}::", key.replace("${", "${!")))
            }
            (_, arn) => arn,
        }
    }

    pub(super) fn secret_arn(&mut self, name: &str, secret: &StackSecret) -> Expression {
        self.parameter(&format!("{}SecretArn", secret.id), || Parameter::secret_arn(name, &secret.lookup))
    }

    fn labels(&mut self, container: &Container) -> Option<BTreeMap<String, Expression>> {
        let stack = self.stack;
        let mut labels: BTreeMap<String, Expression> =
            container.labels.iter().map(|(key, value)| (key.clone(), value.into())).collect();
        for source in container.secrets.values() {
            let Some(secret) = stack.secrets.get(&source.secret) else { continue };
            let version = self.parameter(&format!("{}SecretVersion", secret.id), || Parameter {
                kind: ParameterType::String,
                description: format!(
                    "Id of the current version of the secret {}; a new one rolls the tasks",
                    secret.lookup.words()
                ),
                default: Some(String::new()),
                need: Need::SecretVersion { secret: source.secret.clone(), lookup: secret.lookup.clone() },
            });
            labels.insert(format!("{VERSION_LABEL}{}", source.secret), version);
        }
        (!labels.is_empty()).then_some(labels)
    }
}

fn expressions(texts: Option<&[Text]>) -> Vec<Expression> {
    texts.unwrap_or_default().iter().map(Expression::from).collect()
}

fn dependency((container, condition): &(String, Condition)) -> ContainerDependency {
    ContainerDependency {
        condition: match condition {
            Condition::Start => "START",
            Condition::Complete => "COMPLETE",
            Condition::Success => "SUCCESS",
            Condition::Healthy => "HEALTHY",
        },
        container_name: container.clone(),
    }
}
