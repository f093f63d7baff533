//! The resources of a VPC.

// The names are CloudFormation's.
#![allow(clippy::struct_field_names)]

use serde::Serialize;

use super::Expression;
use super::resource::Tag;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Vpc {
    pub cidr_block: String,
    pub enable_dns_hostnames: bool,
    pub enable_dns_support: bool,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DhcpOptions {
    pub domain_name: Option<String>,
    pub domain_name_servers: Vec<String>,
    pub ntp_servers: Vec<String>,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DhcpAssociation {
    pub dhcp_options_id: Expression,
    pub vpc_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct InternetGateway {
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GatewayAttachment {
    pub internet_gateway_id: Expression,
    pub vpc_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Subnet {
    pub availability_zone: Expression,
    pub cidr_block: String,
    pub tags: Vec<Tag>,
    pub vpc_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RouteTable {
    pub tags: Vec<Tag>,
    pub vpc_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct RouteTableAssociation {
    pub route_table_id: Expression,
    pub subnet_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Route {
    pub destination_cidr_block: &'static str,
    pub gateway_id: Option<Expression>,
    pub nat_gateway_id: Option<Expression>,
    pub route_table_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Address {
    pub domain: &'static str,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct NatGateway {
    pub allocation_id: Expression,
    pub subnet_id: Expression,
    pub tags: Vec<Tag>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Endpoint {
    pub private_dns_enabled: Option<bool>,
    pub route_table_ids: Vec<Expression>,
    pub security_group_ids: Vec<Expression>,
    pub service_name: Expression,
    pub subnet_ids: Vec<Expression>,
    pub vpc_endpoint_type: &'static str,
    pub vpc_id: Expression,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FlowLog {
    pub deliver_logs_permission_arn: Expression,
    pub log_group_name: Expression,
    pub resource_id: Expression,
    pub resource_type: &'static str,
    pub tags: Vec<Tag>,
    pub traffic_type: &'static str,
}
