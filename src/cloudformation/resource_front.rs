//! The resources in front of services: load balancers, certificates, names in a hosted zone.

// The names are CloudFormation's.
#![allow(clippy::struct_field_names)]

use std::collections::BTreeMap;

use serde::Serialize;

use super::Expression;
use super::resource::{Attribute, Tag};

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct LoadBalancer {
    pub ip_address_type: Option<&'static str>,
    pub load_balancer_attributes: Vec<Attribute>,
    pub name: Option<Expression>,
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
    pub alpn_policy: Vec<&'static str>,
    pub certificates: Vec<Certificate>,
    pub default_actions: Vec<Action>,
    pub load_balancer_arn: Expression,
    pub port: u16,
    pub protocol: String,
    pub ssl_policy: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListenerCertificate {
    pub certificates: Vec<Certificate>,
    pub listener_arn: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Certificate {
    pub certificate_arn: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListenerRule {
    pub actions: Vec<Action>,
    pub conditions: Vec<RuleCondition>,
    pub listener_arn: Expression,
    /// A number, or the parameter that holds it.
    pub priority: serde_json::Value,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RuleCondition {
    pub field: &'static str,
    pub host_header_config: Option<Values>,
    pub http_header_config: Option<HttpHeader>,
    pub http_request_method_config: Option<Values>,
    pub path_pattern_config: Option<Values>,
    pub query_string_config: Option<QueryString>,
    pub source_ip_config: Option<Values>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Values {
    pub values: Vec<Expression>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct HttpHeader {
    pub http_header_name: String,
    pub values: Vec<Expression>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueryString {
    pub values: Vec<QueryStringValue>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct QueryStringValue {
    pub key: Option<String>,
    pub value: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Action {
    pub authenticate_cognito_config: Option<AuthenticateCognito>,
    pub authenticate_oidc_config: Option<AuthenticateOidc>,
    pub fixed_response_config: Option<FixedResponse>,
    pub forward_config: Option<ForwardConfig>,
    pub order: Option<u32>,
    pub redirect_config: Option<Redirect>,
    pub target_group_arn: Option<Expression>,
    #[serde(rename = "Type")]
    pub kind: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthenticateOidc {
    pub authentication_request_extra_params: Option<BTreeMap<String, Expression>>,
    pub authorization_endpoint: Expression,
    pub client_id: Expression,
    pub client_secret: Expression,
    pub issuer: Expression,
    pub on_unauthenticated_request: Option<&'static str>,
    pub scope: Option<Expression>,
    pub session_cookie_name: Option<Expression>,
    pub session_timeout: Option<u32>,
    pub token_endpoint: Expression,
    pub user_info_endpoint: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AuthenticateCognito {
    pub authentication_request_extra_params: Option<BTreeMap<String, Expression>>,
    pub on_unauthenticated_request: Option<&'static str>,
    pub scope: Option<Expression>,
    pub session_cookie_name: Option<Expression>,
    pub session_timeout: Option<u32>,
    pub user_pool_arn: Expression,
    pub user_pool_client_id: Expression,
    pub user_pool_domain: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Redirect {
    pub host: String,
    pub path: String,
    pub port: String,
    pub protocol: String,
    pub query: String,
    pub status_code: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FixedResponse {
    pub content_type: Option<String>,
    pub message_body: Option<String>,
    pub status_code: String,
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
    pub protocol_version: Option<&'static str>,
    pub tags: Vec<Tag>,
    pub target_group_attributes: Vec<Attribute>,
    pub target_type: &'static str,
    pub unhealthy_threshold_count: Option<u32>,
    pub vpc_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Matcher {
    pub grpc_code: Option<String>,
    pub http_code: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct CertificateRequest {
    pub domain_name: Expression,
    pub domain_validation_options: Vec<DomainValidation>,
    pub subject_alternative_names: Vec<Expression>,
    pub tags: Vec<Tag>,
    pub validation_method: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DomainValidation {
    pub domain_name: Expression,
    pub hosted_zone_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RecordSet {
    pub alias_target: AliasTarget,
    pub hosted_zone_id: Expression,
    pub name: Expression,
    #[serde(rename = "Type")]
    pub kind: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct AliasTarget {
    #[serde(rename = "DNSName")]
    pub dns_name: Expression,
    pub evaluate_target_health: bool,
    pub hosted_zone_id: Expression,
}
