//! The resources of ECS: task definitions, services, clusters.

// The names are CloudFormation's.
#![allow(clippy::struct_field_names)]

use std::collections::BTreeMap;

use serde::Serialize;

use super::Expression;
use super::resource::{NameValue, Tag};

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
    pub volumes: Vec<Volume>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Volume {
    #[serde(rename = "EFSVolumeConfiguration")]
    pub efs_volume_configuration: Option<EfsVolume>,
    pub name: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EfsVolume {
    pub authorization_config: Option<EfsAuthorization>,
    pub filesystem_id: Expression,
    pub root_directory: Option<Expression>,
    pub transit_encryption: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct EfsAuthorization {
    pub access_point_id: Option<Expression>,
    #[serde(rename = "IAM")]
    pub iam: Option<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Cluster {
    pub cluster_name: Option<String>,
    pub cluster_settings: Vec<ClusterSetting>,
    pub configuration: Option<ClusterConfiguration>,
    pub capacity_providers: Vec<&'static str>,
    pub default_capacity_provider_strategy: Vec<CapacityProvider>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClusterConfiguration {
    pub execute_command_configuration: ExecuteCommandConfiguration,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecuteCommandConfiguration {
    pub kms_key_id: Option<Expression>,
    pub log_configuration: Option<ExecLogConfiguration>,
    pub logging: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ExecLogConfiguration {
    pub cloud_watch_encryption_enabled: Option<bool>,
    pub cloud_watch_log_group_name: Option<Expression>,
    #[serde(rename = "S3BucketName")]
    pub s3_bucket_name: Option<Expression>,
    #[serde(rename = "S3EncryptionEnabled")]
    pub s3_encryption_enabled: Option<bool>,
    #[serde(rename = "S3KeyPrefix")]
    pub s3_key_prefix: Option<Expression>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClusterSetting {
    pub name: &'static str,
    pub value: &'static str,
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
    pub mount_points: Vec<MountPoint>,
    pub name: String,
    pub port_mappings: Vec<PortMapping>,
    pub pseudo_terminal: Option<bool>,
    pub readonly_root_filesystem: Option<bool>,
    pub secrets: Vec<SecretVariable>,
    pub stop_timeout: Option<u32>,
    pub system_controls: Vec<SystemControl>,
    pub ulimits: Vec<Ulimit>,
    pub user: Option<Expression>,
    pub volumes_from: Vec<VolumeFrom>,
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
    pub capabilities: Option<Capabilities>,
    pub init_process_enabled: Option<bool>,
    pub tmpfs: Vec<Tmpfs>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Tmpfs {
    pub container_path: Expression,
    pub mount_options: Vec<String>,
    pub size: u32,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Capabilities {
    pub add: Vec<String>,
    pub drop: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct MountPoint {
    pub container_path: Expression,
    pub read_only: bool,
    pub source_volume: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct VolumeFrom {
    pub read_only: bool,
    pub source_container: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct SystemControl {
    pub namespace: String,
    pub value: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LogConfiguration {
    pub log_driver: &'static str,
    pub options: BTreeMap<String, Expression>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PortMapping {
    pub app_protocol: Option<&'static str>,
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
    pub service_connect_configuration: Option<ServiceConnect>,
    pub service_registries: Vec<ServiceRegistry>,
    pub tags: Vec<Tag>,
    pub task_definition: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceConnect {
    pub enabled: bool,
    pub log_configuration: LogConfiguration,
    pub namespace: Expression,
    pub services: Vec<ServiceConnectService>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ServiceConnectService {
    pub client_aliases: Vec<ClientAlias>,
    pub discovery_name: String,
    pub ingress_port_override: Option<u16>,
    pub port_name: String,
    pub timeout: Option<ConnectTimeout>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ClientAlias {
    pub dns_name: String,
    pub port: u16,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConnectTimeout {
    pub idle_timeout_seconds: Option<u32>,
    pub per_request_timeout_seconds: Option<u32>,
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
    pub port: Option<u16>,
    pub registry_arn: Expression,
}
