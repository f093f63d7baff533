//! The resources that we emit, typed: what is not here cannot be written.
//!
//! Fields stand in the order of the alphabet, as in the template. `None` and empty lists are left out.

// The names are CloudFormation's.
#![allow(clippy::struct_field_names)]

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Expression;
pub(super) use super::resource_ecs::{
    AwsvpcConfiguration, Capabilities, CapacityProvider, CircuitBreaker, ClientAlias, Cluster, ClusterConfiguration,
    ClusterSetting, ConnectTimeout, ContainerDefinition, ContainerDependency, DeploymentConfiguration, EfsAuthorization,
    EfsVolume, EphemeralStorage, ExecLogConfiguration, ExecuteCommandConfiguration, HealthCheck, LinuxParameters,
    LogConfiguration, MountPoint, NetworkConfiguration, PortMapping, RuntimePlatform, SecretVariable, Service, ServiceConnect,
    ServiceConnectService, ServiceLoadBalancer, ServiceRegistry, SystemControl, TaskDefinition, Tmpfs, Ulimit, Volume,
    VolumeFrom,
};
pub(super) use super::resource_front::{
    Action, AliasTarget, AuthenticateCognito, AuthenticateOidc, Certificate, CertificateRequest, DomainValidation, FixedResponse,
    ForwardConfig, HttpHeader, Listener, ListenerCertificate, ListenerRule, LoadBalancer, Matcher, QueryString, QueryStringValue,
    RecordSet, Redirect, RuleCondition, TargetGroup, Values, WeightedTarget,
};
pub(super) use super::resource_vpc::{
    Address, DhcpAssociation, DhcpOptions, Endpoint, FlowLog, GatewayAttachment, InternetGateway, NatGateway, Route, RouteTable,
    RouteTableAssociation, Subnet, Vpc,
};
pub(super) use super::resource_watch::{CompositeAlarm, Dimension, MetricAlarm, Subscription, Topic};

/// A resource with what stands around its properties.
#[derive(Debug, Clone)]
pub struct Resource {
    pub properties: Properties,
    pub depends_on: Vec<String>,
    /// Kept when the stack goes or an update replaces it, unless its own creation failed.
    pub retained: bool,
}

impl Resource {
    /// Its type.
    pub(super) fn kind(&self) -> String {
        let value = serde_json::to_value(&self.properties).unwrap_or_default();
        value.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned()
    }

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
    #[serde(rename = "AWS::CertificateManager::Certificate")]
    CertificateRequest(CertificateRequest),
    #[serde(rename = "AWS::CloudWatch::Alarm")]
    MetricAlarm(Box<MetricAlarm>),
    /// An alarm in CloudFormation's own words.
    #[serde(rename = "AWS::CloudWatch::Alarm")]
    WrittenAlarm(Map<String, Value>),
    #[serde(rename = "AWS::CloudWatch::CompositeAlarm")]
    CompositeAlarm(CompositeAlarm),
    #[serde(rename = "AWS::EC2::DHCPOptions")]
    DhcpOptions(DhcpOptions),
    #[serde(rename = "AWS::EC2::EIP")]
    Address(Address),
    #[serde(rename = "AWS::EC2::FlowLog")]
    FlowLog(FlowLog),
    #[serde(rename = "AWS::EC2::InternetGateway")]
    InternetGateway(InternetGateway),
    #[serde(rename = "AWS::EC2::NatGateway")]
    NatGateway(NatGateway),
    #[serde(rename = "AWS::EC2::Route")]
    Route(Route),
    #[serde(rename = "AWS::EC2::RouteTable")]
    RouteTable(RouteTable),
    #[serde(rename = "AWS::EC2::Subnet")]
    Subnet(Subnet),
    #[serde(rename = "AWS::EC2::SubnetRouteTableAssociation")]
    RouteTableAssociation(RouteTableAssociation),
    #[serde(rename = "AWS::EC2::VPC")]
    Vpc(Vpc),
    #[serde(rename = "AWS::EC2::VPCDHCPOptionsAssociation")]
    DhcpAssociation(DhcpAssociation),
    #[serde(rename = "AWS::EC2::VPCEndpoint")]
    Endpoint(Endpoint),
    #[serde(rename = "AWS::EC2::VPCGatewayAttachment")]
    GatewayAttachment(GatewayAttachment),
    #[serde(rename = "AWS::EC2::SecurityGroup")]
    SecurityGroup(SecurityGroup),
    #[serde(rename = "AWS::EC2::SecurityGroupIngress")]
    SecurityGroupIngress(IngressRule),
    #[serde(rename = "AWS::ECS::Cluster")]
    Cluster(Cluster),
    #[serde(rename = "AWS::ECS::Service")]
    Service(Box<Service>),
    #[serde(rename = "AWS::ECS::TaskDefinition")]
    TaskDefinition(Box<TaskDefinition>),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::Listener")]
    Listener(Listener),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::ListenerCertificate")]
    ListenerCertificate(ListenerCertificate),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::ListenerRule")]
    ListenerRule(Box<ListenerRule>),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::LoadBalancer")]
    LoadBalancer(LoadBalancer),
    #[serde(rename = "AWS::ElasticLoadBalancingV2::TargetGroup")]
    TargetGroup(Box<TargetGroup>),
    #[serde(rename = "AWS::IAM::Role")]
    Role(Role),
    #[serde(rename = "AWS::Logs::LogGroup")]
    LogGroup(LogGroup),
    #[serde(rename = "AWS::Route53::RecordSet")]
    RecordSet(RecordSet),
    #[serde(rename = "AWS::SNS::Topic")]
    Topic(Topic),
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
    pub source_security_group_owner_id: Option<Expression>,
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
    pub log_group_name: Option<Expression>,
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
    pub description: Option<Expression>,
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
    pub step_scaling_policy_configuration: Option<StepScaling>,
    pub target_tracking_scaling_policy_configuration: Option<TargetTracking>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StepScaling {
    pub adjustment_type: &'static str,
    pub cooldown: u32,
    pub step_adjustments: Vec<StepAdjustment>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct StepAdjustment {
    pub metric_interval_lower_bound: Option<u32>,
    pub metric_interval_upper_bound: Option<u32>,
    pub scaling_adjustment: u32,
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
