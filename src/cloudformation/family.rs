//! What one family becomes: task definition, service, roles, security group, log group, name in Cloud Map, scaling.

use std::collections::BTreeSet;

use super::balancer::rule_id;
use super::resource::{
    AwsvpcConfiguration, CapacityProvider, CapacityRange, CircuitBreaker, ClientAlias, ConnectTimeout, DeploymentConfiguration,
    DiscoveryService, DnsConfig, DnsRecord, HealthCheckCustomConfig, LogGroup, NetworkConfiguration, PredefinedMetric, Resource,
    ScalableTarget, ScalingPolicy, ScheduledAction, Service, ServiceConnect, ServiceConnectService, ServiceLoadBalancer,
    ServiceRegistry, TargetTracking,
};
use super::{Builder, DeployedService, Expression, Parameter, ParameterType, Properties};
use crate::stack::{Capacity, ConnectNamespace, Family, Need, Offer, Scaling};

/// How long a resolver may keep the address of a task, in seconds: short, for tasks are replaced.
const DNS_TTL: u32 = 10;

impl Builder<'_> {
    pub(super) fn family(&mut self, family: &Family) -> DeployedService {
        let id = &family.id;
        let [service, task, log_group, group] =
            ["Service", "TaskDefinition", "LogGroup", "SecurityGroup"].map(|suffix| format!("{id}{suffix}"));
        let log_group_name = family.log_group.as_ref().map(Expression::from);
        let log = LogGroup { log_group_name, retention_in_days: family.log_retention_days, tags: self.tags(None) };
        self.resources.insert(
            log_group.clone(),
            Resource { properties: Properties::LogGroup(log), depends_on: Vec::new(), retained: true },
        );
        let execution = self.execution_role(family);
        self.add(&format!("{id}ExecutionRole"), Properties::Role(execution));
        let running = self.task_role(family);
        self.add(&format!("{id}TaskRole"), Properties::Role(running));
        self.security_group(&group, format!("Tasks of {}", family.name), &family.name, &family.ingress);
        let definition = self.task_definition(family);
        self.add(&task, Properties::TaskDefinition(Box::new(definition)));
        let desired_count = self.service(family, &service, &task, &group);
        let scalable_target = family.scaling.as_ref().map(|scaling| self.scaling(family, scaling, &service));
        self.output(format!("{service}Name"), format!("ECS service of {}", family.name), Expression::attribute(&service, "Name"));
        DeployedService {
            family: family.name.clone(),
            containers: family.containers.iter().map(|container| container.name.clone()).collect(),
            service,
            task_definition: task,
            log_group,
            target_groups: self.target_groups(family).map(|(_, target, _)| target.id.clone()).collect(),
            desired_count,
            scalable_target,
            apis: self.apis(family),
        }
    }

    /// The ECS service; gives the name of the parameter that says how many tasks it runs.
    fn service(&mut self, family: &Family, id: &str, task: &str, group: &str) -> String {
        let desired_count = format!("{}DesiredCount", family.id);
        let scaled = family.scaling.is_some();
        let count = self.parameter(&desired_count, || Parameter {
            kind: ParameterType::Number,
            description: if scaled {
                format!("Tasks of {}: where scaling has chosen a number, give that", family.name)
            } else {
                format!("Tasks of {}", family.name)
            },
            default: Some(family.count.to_string()),
            need: Need::DesiredCount { family: family.name.clone(), default: family.count, scaled },
        });
        let stack = self.stack;
        let load_balancers: Vec<ServiceLoadBalancer> = self
            .target_groups(family)
            .map(|(_, target, member)| ServiceLoadBalancer {
                container_name: member.container.clone(),
                container_port: member.port,
                target_group_arn: Expression::reference(&target.id),
            })
            .collect();
        let mut after = self.routes_to(family);
        after.extend(self.ways_out());
        let service_registries = self.registry(family);
        let (launch_type, capacity_provider_strategy) = match &family.capacity {
            Capacity::Fargate => (Some("FARGATE"), Vec::new()),
            Capacity::Providers(providers) => {
                let providers = providers.iter().map(|provider| CapacityProvider {
                    base: provider.base,
                    capacity_provider: provider.name.clone(),
                    weight: provider.weight,
                });
                (None, providers.collect())
            }
        };
        let mut security_groups = vec![Expression::attribute(group, "GroupId")];
        security_groups.extend(family.joined_groups.iter().map(|group| self.group_id(group, false)));
        let service = Service {
            availability_zone_rebalancing: if family.rollout.az_rebalancing { "ENABLED" } else { "DISABLED" },
            capacity_provider_strategy,
            cluster: self.cluster_name(),
            deployment_configuration: DeploymentConfiguration {
                deployment_circuit_breaker: CircuitBreaker { enable: true, rollback: true },
                maximum_percent: family.rollout.maximum_percent,
                minimum_healthy_percent: family.rollout.minimum_percent,
            },
            desired_count: count,
            enable_ecs_managed_tags: true,
            enable_execute_command: family.execute_command.then_some(true),
            health_check_grace_period_seconds: if load_balancers.is_empty() { None } else { family.rollout.grace },
            launch_type,
            load_balancers,
            network_configuration: NetworkConfiguration {
                awsvpc_configuration: AwsvpcConfiguration {
                    assign_public_ip: if family.public_ip { "ENABLED" } else { "DISABLED" },
                    security_groups,
                    subnets: self.subnets(&family.subnets),
                },
            },
            propagate_tags: "SERVICE",
            service_connect_configuration: self.service_connect(family),
            service_registries,
            tags: self.tags(None),
            task_definition: Expression::reference(task),
        };
        debug_assert!(stack.families.iter().any(|candidate| candidate.id == family.id));
        self.add_after(id, Properties::Service(Box::new(service)), after);
        desired_count
    }

    /// The listeners and rules that lead to a family. A target group must hang on one before a service may use it, and nothing
    /// else says so.
    fn routes_to(&self, family: &Family) -> Vec<String> {
        let mut routes = BTreeSet::new();
        for (balancer, target, _) in self.target_groups(family) {
            for listener in &balancer.listeners {
                if listener.default.as_ref().is_some_and(|answer| answer.targets().contains(&target.name)) {
                    routes.insert(format!("{}Listener{}", balancer.id, listener.port));
                }
                let rules = listener.rules.iter().enumerate();
                let rules = rules.filter(|(_, rule)| rule.answer.targets().contains(&target.name));
                routes.extend(rules.map(|(index, _)| rule_id(balancer, listener, index)));
            }
        }
        routes.into_iter().collect()
    }

    /// A family as a client of Service Connect, and its ports that others find there.
    fn service_connect(&mut self, family: &Family) -> Option<ServiceConnect> {
        let stack = self.stack;
        let connect = family.connect.as_ref()?;
        let namespace = match &connect.namespace {
            ConnectNamespace::Other(text) => text.into(),
            ConnectNamespace::Named(key) => {
                let namespace = stack.namespaces.get(key)?;
                match self.namespace_id(namespace) {
                    Expression::Ref(parameter) => Expression::sub(format!(
                        "arn:${{AWS::Partition}}:servicediscovery:${{AWS::Region}}:${{AWS::AccountId}}:namespace/${{{parameter}}}"
                    )),
                    _ => Expression::attribute(&namespace.id, "Arn"),
                }
            }
        };
        let service = |offer: &Offer| ServiceConnectService {
            client_aliases: offer
                .aliases
                .iter()
                .map(|(name, port)| ClientAlias { dns_name: name.clone(), port: *port })
                .collect(),
            discovery_name: offer.discovery_name.clone(),
            ingress_port_override: offer.ingress_port,
            port_name: offer.port_name.clone(),
            timeout: (offer.idle_timeout.is_some() || offer.request_timeout.is_some()).then_some(ConnectTimeout {
                idle_timeout_seconds: offer.idle_timeout,
                per_request_timeout_seconds: offer.request_timeout,
            }),
        };
        Some(ServiceConnect {
            enabled: true,
            log_configuration: Self::log_configuration(family, "service-connect".into()),
            namespace,
            services: connect.offers.iter().map(service).collect(),
        })
    }

    /// The family's name in Cloud Map: one address record a task.
    fn registry(&mut self, family: &Family) -> Vec<ServiceRegistry> {
        let stack = self.stack;
        let Some(registration) = &family.registration else { return Vec::new() };
        let Some(namespace) = stack.namespaces.get(&registration.namespace) else { return Vec::new() };
        let id = format!("{}Discovery", family.id);
        let kinds = std::iter::once("A").chain(registration.port.map(|_| "SRV"));
        let discovery = DiscoveryService {
            dns_config: DnsConfig {
                dns_records: kinds.map(|kind| DnsRecord { ttl: DNS_TTL, kind }).collect(),
                routing_policy: "MULTIVALUE",
            },
            health_check_custom_config: HealthCheckCustomConfig { failure_threshold: 1 },
            name: registration.name.clone(),
            namespace_id: self.namespace_id(namespace),
            tags: self.tags(None),
        };
        self.add(&id, Properties::DiscoveryService(discovery));
        vec![ServiceRegistry { port: registration.port, registry_arn: Expression::attribute(id, "Arn") }]
    }

    /// Its scaling; gives the name of what bounds the count.
    fn scaling(&mut self, family: &Family, scaling: &Scaling, service: &str) -> String {
        let id = format!("{}ScalableTarget", family.id);
        let target = ScalableTarget {
            max_capacity: scaling.maximum,
            min_capacity: scaling.minimum,
            resource_id: Expression::sub(format!("service/${{{}}}/${{{service}.Name}}", self.cluster_id())),
            scalable_dimension: "ecs:service:DesiredCount",
            scheduled_actions: scaling
                .schedule
                .iter()
                .map(|action| ScheduledAction {
                    end_time: action.end.clone(),
                    scalable_target_action: CapacityRange { max_capacity: action.maximum, min_capacity: action.minimum },
                    schedule: action.schedule.clone(),
                    scheduled_action_name: action.name.clone(),
                    start_time: action.start.clone(),
                    timezone: action.timezone.clone(),
                })
                .collect(),
            service_namespace: "ecs",
        };
        self.add(&id, Properties::ScalableTarget(target));
        let metrics = [
            ("Memory", "ECSServiceAverageMemoryUtilization", scaling.memory_percent),
            ("Cpu", "ECSServiceAverageCPUUtilization", scaling.cpu_percent),
        ];
        for (name, metric, percent) in metrics {
            let Some(target_value) = percent else { continue };
            let policy = ScalingPolicy {
                policy_name: name.to_ascii_lowercase(),
                policy_type: "TargetTrackingScaling",
                scaling_target_id: Expression::reference(&id),
                step_scaling_policy_configuration: None,
                target_tracking_scaling_policy_configuration: Some(TargetTracking {
                    disable_scale_in: scaling.disable_scale_in,
                    predefined_metric_specification: PredefinedMetric { predefined_metric_type: metric },
                    scale_in_cooldown: scaling.scale_in_cooldown,
                    scale_out_cooldown: scaling.scale_out_cooldown,
                    target_value,
                }),
            };
            self.add(&format!("{}{name}Scaling", family.id), Properties::ScalingPolicy(policy));
        }
        id
    }
}
