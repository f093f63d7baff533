//! The task definition of a family.

use std::collections::BTreeMap;

use super::resource::{
    Capabilities, ContainerDefinition, ContainerDependency, EfsAuthorization, EfsVolume, EphemeralStorage, HealthCheck,
    LinuxParameters, LogConfiguration, MountPoint, NameValue, PortMapping, RuntimePlatform, SecretVariable, SystemControl,
    TaskDefinition, Tmpfs, Ulimit, Volume, VolumeFrom,
};
use super::{Builder, Expression, Parameter, ParameterType, id_of};
use crate::stack::{
    Architecture, Condition, Container, Efs, Family, Need, Offer, Protocol, SecretSource, StackSecret, Text, VolumeKind,
};

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
            volumes: family.volumes.iter().map(|volume| self.volume(&volume.name, &volume.kind)).collect(),
        }
    }

    fn volume(&mut self, name: &str, kind: &VolumeKind) -> Volume {
        let efs = match kind {
            VolumeKind::Task => None,
            VolumeKind::Efs(efs) => Some(EfsVolume {
                authorization_config: (efs.iam || efs.access_point.is_some()).then(|| EfsAuthorization {
                    access_point_id: efs.access_point.as_ref().map(Expression::from),
                    iam: efs.iam.then_some("ENABLED"),
                }),
                filesystem_id: self.file_system(efs),
                root_directory: efs.root.as_ref().map(Expression::from),
                // What goes over the network is encrypted; access points and IAM need it.
                transit_encryption: "ENABLED",
            }),
        };
        Volume { efs_volume_configuration: efs, name: name.to_owned() }
    }

    /// The id of a file system that is there.
    pub(super) fn file_system(&mut self, efs: &Efs) -> Expression {
        let lookup = &efs.file_system;
        self.parameter(&format!("{}FileSystemId", efs.id), || Parameter {
            kind: ParameterType::String,
            description: format!("Id of the EFS file system {}", lookup.words()),
            default: id_of(lookup),
            need: Need::FileSystem(lookup.clone()),
        })
    }

    /// Where the log of a container goes. `prefix` begins the names of its streams.
    pub(super) fn log_configuration(family: &Family, prefix: Expression) -> LogConfiguration {
        LogConfiguration {
            log_driver: "awslogs",
            options: BTreeMap::from([
                ("awslogs-group".to_owned(), Expression::reference(format!("{}LogGroup", family.id))),
                ("awslogs-region".to_owned(), Expression::reference("AWS::Region")),
                ("awslogs-stream-prefix".to_owned(), prefix),
            ]),
        }
    }

    fn container(&mut self, family: &Family, container: &Container) -> ContainerDefinition {
        let secrets = container
            .secrets
            .iter()
            .map(|(variable, source)| SecretVariable { name: variable.clone(), value_from: self.value_from(source) })
            .collect();
        let mut environment: Vec<NameValue> =
            container.environment.iter().map(|(name, value)| NameValue { name: name.clone(), value: value.into() }).collect();
        for (name, topic) in &container.topics {
            let arn = self.topic_arns(std::slice::from_ref(topic));
            environment.extend(arn.into_iter().map(|value| NameValue { name: name.clone(), value }));
        }
        environment.sort_by(|one, other| one.name.cmp(&other.name));
        ContainerDefinition {
            command: expressions(container.command.as_deref()),
            cpu: container.cpu,
            depends_on: container.depends_on.iter().map(dependency).collect(),
            docker_labels: self.labels(container),
            entry_point: expressions(container.entrypoint.as_deref()),
            environment,
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
            linux_parameters: linux_parameters(container),
            log_configuration: {
                let prefix = container.log_prefix.as_ref().map_or_else(|| family.name.as_str().into(), Expression::from);
                let mut log = Self::log_configuration(family, prefix);
                log.options.extend(container.log_options.iter().map(|(key, value)| (key.clone(), value.into())));
                log
            },
            memory: container.memory,
            memory_reservation: container.memory_reservation,
            mount_points: container
                .mounts
                .iter()
                .map(|mount| MountPoint {
                    container_path: (&mount.path).into(),
                    read_only: mount.read_only,
                    source_volume: mount.volume.clone(),
                })
                .collect(),
            name: container.name.clone(),
            port_mappings: container
                .ports
                .iter()
                .map(|port| (port, offer(family, container, port.number)))
                .map(|(port, offer)| PortMapping {
                    app_protocol: offer.filter(|_| port.protocol == Protocol::Tcp).and_then(|offer| offer.app_protocol),
                    container_port: port.number,
                    // Service Connect finds a port by its name.
                    name: offer.filter(|_| port.protocol == Protocol::Tcp).map(|offer| offer.port_name.clone()),
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
            system_controls: container
                .sysctls
                .iter()
                .map(|(name, value)| SystemControl { namespace: name.clone(), value: value.into() })
                .collect(),
            ulimits: container
                .ulimits
                .iter()
                .map(|limit| Ulimit { hard_limit: limit.hard, name: limit.name.clone(), soft_limit: limit.soft })
                .collect(),
            user: container.user.as_ref().map(Expression::from),
            volumes_from: container
                .mounts_of
                .iter()
                .map(|(source, read_only)| VolumeFrom { read_only: *read_only, source_container: source.clone() })
                .collect(),
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

fn linux_parameters(container: &Container) -> Option<LinuxParameters> {
    let (add, drop) = (&container.capabilities_added, &container.capabilities_dropped);
    let changed = !(add.is_empty() && drop.is_empty());
    (container.init || changed || !container.tmpfs.is_empty()).then(|| LinuxParameters {
        capabilities: changed.then(|| Capabilities { add: add.clone(), drop: drop.clone() }),
        init_process_enabled: container.init.then_some(true),
        tmpfs: container
            .tmpfs
            .iter()
            .map(|mount| Tmpfs {
                container_path: (&mount.path).into(),
                mount_options: mount.options.clone(),
                size: mount.mebibytes,
            })
            .collect(),
    })
}

/// What a family offers of a container's port in Service Connect.
fn offer<'f>(family: &'f Family, container: &Container, port: u16) -> Option<&'f Offer> {
    let mut offers = family.connect.iter().flat_map(|connect| &connect.offers);
    offers.find(|offer| offer.container == container.name && offer.port == port)
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
