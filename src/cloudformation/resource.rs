//! The resources that we emit, typed: what is not here cannot be written.
//!
//! Fields stand in the order of the alphabet, as in the template. `None` and empty lists are left out.

// The names are CloudFormation's.
#![allow(clippy::struct_field_names)]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Expression;

/// A resource with what stands around its properties.
#[derive(Debug, Clone)]
pub struct Resource {
    pub properties: Properties,
    pub depends_on: Vec<String>,
    /// Kept when the stack goes or an update replaces it, unless its own creation failed.
    pub retained: bool,
}

impl Resource {
    pub fn to_value(&self) -> Value {
        let mut value = pruned(serde_json::to_value(&self.properties).unwrap_or_default());
        if let Value::Object(map) = &mut value {
            let properties = map.remove("Properties");
            if !self.depends_on.is_empty() {
                map.insert("DependsOn".to_owned(), self.depends_on.clone().into());
            }
            if self.retained {
                map.insert("DeletionPolicy".to_owned(), "RetainExceptOnCreate".into());
                map.insert("UpdateReplacePolicy".to_owned(), "Retain".into());
            }
            if let Some(properties) = properties {
                map.insert("Properties".to_owned(), properties);
            }
        }
        value
    }
}

/// Without nulls and empty lists, which stand for "not said".
fn pruned(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .filter(|(_, value)| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty()))
                .map(|(key, value)| (key, pruned(value)))
                .collect::<Map<_, _>>(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(pruned).collect()),
        scalar => scalar,
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(tag = "Type", content = "Properties")]
pub enum Properties {
    #[serde(rename = "AWS::ApplicationAutoScaling::ScalableTarget")]
    ScalableTarget(ScalableTarget),
    #[serde(rename = "AWS::ApplicationAutoScaling::ScalingPolicy")]
    ScalingPolicy(ScalingPolicy),
    #[serde(rename = "AWS::EC2::SecurityGroup")]
    SecurityGroup(SecurityGroup),
    #[serde(rename = "AWS::EC2::SecurityGroupIngress")]
    SecurityGroupIngress(IngressRule),
    #[serde(rename = "AWS::ECS::Service")]
    Service(Box<Service>),
    #[serde(rename = "AWS::ECS::TaskDefinition")]
    TaskDefinition(Box<TaskDefinition>),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::Listener")]
    Listener(Listener),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::LoadBalancer")]
    LoadBalancer(LoadBalancer),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::TargetGroup")]
    TargetGroup(Box<TargetGroup>),
    #[serde(rename = "AWS::IAM::Role")]
    Role(Role),
    #[serde(rename = "AWS::Logs::LogGroup")]
    LogGroup(LogGroup),
    #[serde(rename = "AWS::ServiceDiscovery::PrivateDnsNamespace")]
    PrivateDnsNamespace(PrivateDnsNamespace),
    #[serde(rename = "AWS::ServiceDiscovery::Service")]
    DiscoveryService(DiscoveryService),
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tag {
    pub key: String,
    pub value: Expression,
}

/// `Name` and `Value`: environment variables and the `awsvpc`-less rest of ECS.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NameValue {
    pub name: String,
    pub value: Expression,
}

/// `Key` and `Value`: attributes of load balancers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Attribute {
    pub key: String,
    pub value: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskDefinition {
    pub container_definitions: Vec<ContainerDefinition>,
    pub cpu: String,
    pub ephemeral_storage: Option<EphemeralStorage>,
    pub execution_role_arn: Expression,
    pub memory: String,
    pub network_mode: &'static str,
    pub requires_compatibilities: Vec<&'static str>,
    pub runtime_platform: RuntimePlatform,
    pub tags: Vec<Tag>,
    pub task_role_arn: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EphemeralStorage {
    #[serde(rename = "SizeInGiB")]
    pub size_in_gib: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuntimePlatform {
    pub cpu_architecture: &'static str,
    pub operating_system_family: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerDefinition {
    pub command: Vec<Expression>,
    pub cpu: Option<u32>,
    pub depends_on: Vec<ContainerDependency>,
    pub docker_labels: Option<BTreeMap<String, Expression>>,
    pub entry_point: Vec<Expression>,
    pub environment: Vec<NameValue>,
    pub essential: bool,
    pub health_check: Option<HealthCheck>,
    pub image: Expression,
    pub interactive: Option<bool>,
    pub linux_parameters: Option<LinuxParameters>,
    pub log_configuration: LogConfiguration,
    pub memory: Option<u32>,
    pub memory_reservation: Option<u32>,
    pub name: String,
    pub port_mappings: Vec<PortMapping>,
    pub pseudo_terminal: Option<bool>,
    pub readonly_root_filesystem: Option<bool>,
    pub secrets: Vec<SecretVariable>,
    pub stop_timeout: Option<u32>,
    pub ulimits: Vec<Ulimit>,
    pub user: Option<Expression>,
    pub working_directory: Option<Expression>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ContainerDependency {
    pub condition: &'static str,
    pub container_name: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthCheck {
    pub command: Vec<Expression>,
    pub interval: Option<u32>,
    pub retries: Option<u32>,
    pub start_period: Option<u32>,
    pub timeout: Option<u32>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LinuxParameters {
    pub init_process_enabled: bool,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogConfiguration {
    pub log_driver: &'static str,
    pub options: BTreeMap<&'static str, Expression>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortMapping {
    pub container_port: u16,
    pub name: Option<String>,
    pub protocol: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecretVariable {
    pub name: String,
    pub value_from: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Ulimit {
    pub hard_limit: i64,
    pub name: String,
    pub soft_limit: i64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Service {
    pub availability_zone_rebalancing: &'static str,
    pub capacity_provider_strategy: Vec<CapacityProvider>,
    pub cluster: Expression,
    pub deployment_configuration: DeploymentConfiguration,
    pub desired_count: Expression,
    #[serde(rename = "EnableECSManagedTags")]
    pub enable_ecs_managed_tags: bool,
    pub enable_execute_command: Option<bool>,
    pub health_check_grace_period_seconds: Option<u32>,
    pub launch_type: Option<&'static str>,
    pub load_balancers: Vec<ServiceLoadBalancer>,
    pub network_configuration: NetworkConfiguration,
    pub propagate_tags: &'static str,
    pub service_registries: Vec<ServiceRegistry>,
    pub tags: Vec<Tag>,
    pub task_definition: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CapacityProvider {
    pub base: u32,
    pub capacity_provider: String,
    pub weight: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DeploymentConfiguration {
    pub deployment_circuit_breaker: CircuitBreaker,
    pub maximum_percent: u32,
    pub minimum_healthy_percent: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CircuitBreaker {
    pub enable: bool,
    pub rollback: bool,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceLoadBalancer {
    pub container_name: String,
    pub container_port: u16,
    pub target_group_arn: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NetworkConfiguration {
    pub awsvpc_configuration: AwsvpcConfiguration,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AwsvpcConfiguration {
    pub assign_public_ip: &'static str,
    pub security_groups: Vec<Expression>,
    /// A parameter that is a list.
    pub subnets: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceRegistry {
    pub registry_arn: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SecurityGroup {
    pub group_description: String,
    pub security_group_ingress: Vec<InlineIngress>,
    pub tags: Vec<Tag>,
    pub vpc_id: Expression,
}

/// A rule inside a security group: for peers that are no security groups of this stack.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InlineIngress {
    pub cidr_ip: Option<String>,
    pub cidr_ipv6: Option<String>,
    pub description: String,
    pub from_port: u16,
    pub ip_protocol: &'static str,
    pub source_prefix_list_id: Option<Expression>,
    pub source_security_group_id: Option<Expression>,
    pub to_port: u16,
}

/// A rule between two security groups, apart from both, so that they may point at each other.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct IngressRule {
    pub description: String,
    pub from_port: u16,
    pub group_id: Expression,
    pub ip_protocol: &'static str,
    pub source_security_group_id: Expression,
    pub to_port: u16,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogGroup {
    pub retention_in_days: u32,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Role {
    pub assume_role_policy_document: PolicyDocument,
    pub description: String,
    pub managed_policy_arns: Vec<Expression>,
    pub permissions_boundary: Option<Expression>,
    pub policies: Vec<Policy>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Policy {
    /// A [`PolicyDocument`], or one as the user wrote it.
    pub policy_document: Value,
    pub policy_name: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    pub version: &'static str,
    pub statement: Vec<Statement>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Statement {
    pub sid: Option<&'static str>,
    pub effect: &'static str,
    pub principal: Option<BTreeMap<&'static str, &'static str>>,
    pub action: Vec<&'static str>,
    pub resource: Vec<Expression>,
    pub condition: Option<BTreeMap<&'static str, BTreeMap<&'static str, Vec<Expression>>>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PrivateDnsNamespace {
    pub name: Expression,
    pub tags: Vec<Tag>,
    pub vpc: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DiscoveryService {
    pub dns_config: DnsConfig,
    pub health_check_custom_config: HealthCheckCustomConfig,
    pub name: String,
    pub namespace_id: Expression,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DnsConfig {
    pub dns_records: Vec<DnsRecord>,
    pub routing_policy: &'static str,
}

#[derive(Debug, Clone, Serialize)]
pub struct DnsRecord {
    #[serde(rename = "TTL")]
    pub ttl: u32,
    #[serde(rename = "Type")]
    pub kind: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HealthCheckCustomConfig {
    pub failure_threshold: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScalableTarget {
    pub max_capacity: u32,
    pub min_capacity: u32,
    pub resource_id: Expression,
    pub scalable_dimension: &'static str,
    pub scheduled_actions: Vec<ScheduledAction>,
    pub service_namespace: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScheduledAction {
    pub end_time: Option<String>,
    pub scalable_target_action: CapacityRange,
    pub schedule: String,
    pub scheduled_action_name: String,
    pub start_time: Option<String>,
    pub timezone: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CapacityRange {
    pub max_capacity: Option<u32>,
    pub min_capacity: Option<u32>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ScalingPolicy {
    pub policy_name: String,
    pub policy_type: &'static str,
    pub scaling_target_id: Expression,
    pub target_tracking_scaling_policy_configuration: TargetTracking,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetTracking {
    pub disable_scale_in: bool,
    pub predefined_metric_specification: PredefinedMetric,
    pub scale_in_cooldown: u32,
    pub scale_out_cooldown: u32,
    pub target_value: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PredefinedMetric {
    pub predefined_metric_type: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoadBalancer {
    pub load_balancer_attributes: Vec<Attribute>,
    pub scheme: &'static str,
    pub security_groups: Vec<Expression>,
    pub subnets: Expression,
    pub tags: Vec<Tag>,
    #[serde(rename = "Type")]
    pub kind: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Listener {
    pub certificates: Vec<Certificate>,
    pub default_actions: Vec<Action>,
    pub load_balancer_arn: Expression,
    pub port: u16,
    pub protocol: String,
    pub ssl_policy: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Certificate {
    pub certificate_arn: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Action {
    #[serde(rename = "Type")]
    pub kind: &'static str,
    pub target_group_arn: Option<Expression>,
    pub forward_config: Option<ForwardConfig>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ForwardConfig {
    pub target_groups: Vec<WeightedTarget>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct WeightedTarget {
    pub target_group_arn: Expression,
    pub weight: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TargetGroup {
    pub health_check_interval_seconds: Option<u32>,
    pub health_check_path: Option<String>,
    pub health_check_port: Option<String>,
    pub health_check_protocol: Option<String>,
    pub health_check_timeout_seconds: Option<u32>,
    pub healthy_threshold_count: Option<u32>,
    pub matcher: Option<Matcher>,
    pub port: u16,
    pub protocol: String,
    pub tags: Vec<Tag>,
    pub target_group_attributes: Vec<Attribute>,
    pub target_type: &'static str,
    pub unhealthy_threshold_count: Option<u32>,
    pub vpc_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Matcher {
    pub http_code: String,
}
