//! The network: security groups, and a VPC of the stack's own.

use super::{ANY, Row, on, row};

const SECURITY_GROUP: &[&str] = &["arn:{p}:ec2:{r}:{a}:security-group/*"];
const NEW_SECURITY_GROUP: &[&str] = &["arn:{p}:ec2:{r}:{a}:security-group/*", "arn:{p}:ec2:{r}:{a}:vpc/*"];
const GROUP_RULE: &[&str] = &["arn:{p}:ec2:{r}:{a}:security-group/*", "arn:{p}:ec2:{r}:{a}:security-group-rule/*"];
const ADDRESS: &[&str] = &["arn:{p}:ec2:{r}:{a}:elastic-ip/*"];
const FLOW_LOG: &[&str] = &["arn:{p}:ec2:{r}:{a}:vpc-flow-log/*"];
const NEW_FLOW_LOG: &[&str] = &["arn:{p}:ec2:{r}:{a}:vpc/*", "arn:{p}:ec2:{r}:{a}:vpc-flow-log/*"];
const INTERNET_GATEWAY: &[&str] = &["arn:{p}:ec2:{r}:{a}:internet-gateway/*"];
const ATTACHMENT: &[&str] = &["arn:{p}:ec2:{r}:{a}:internet-gateway/*", "arn:{p}:ec2:{r}:{a}:vpc/*"];
const NAT_GATEWAY: &[&str] = &["arn:{p}:ec2:{r}:{a}:natgateway/*"];
const NEW_NAT_GATEWAY: &[&str] =
    &["arn:{p}:ec2:{r}:{a}:elastic-ip/*", "arn:{p}:ec2:{r}:{a}:natgateway/*", "arn:{p}:ec2:{r}:{a}:subnet/*"];
const ROUTE_TABLE: &[&str] = &["arn:{p}:ec2:{r}:{a}:route-table/*"];
const NEW_ROUTE_TABLE: &[&str] = &["arn:{p}:ec2:{r}:{a}:route-table/*", "arn:{p}:ec2:{r}:{a}:vpc/*"];
const SUBNET: &[&str] = &["arn:{p}:ec2:{r}:{a}:subnet/*"];
const NEW_SUBNET: &[&str] = &["arn:{p}:ec2:{r}:{a}:subnet/*", "arn:{p}:ec2:{r}:{a}:vpc/*"];
const ASSOCIATION: &[&str] = &["arn:{p}:ec2:{r}:{a}:route-table/*", "arn:{p}:ec2:{r}:{a}:subnet/*"];
const VPC: &[&str] = &["arn:{p}:ec2:{r}:{a}:vpc/*"];
const ENDPOINT: &[&str] = &["arn:{p}:ec2:{r}:{a}:vpc-endpoint/*"];
const NEW_ENDPOINT: &[&str] = &[
    "arn:{p}:ec2:{r}:{a}:route-table/*",
    "arn:{p}:ec2:{r}:{a}:security-group/*",
    "arn:{p}:ec2:{r}:{a}:subnet/*",
    "arn:{p}:ec2:{r}:{a}:vpc/*",
    "arn:{p}:ec2:{r}:{a}:vpc-endpoint/*",
];
const DHCP: &[&str] = &["arn:{p}:ec2:{r}:{a}:dhcp-options/*"];
const DHCP_OF_VPC: &[&str] = &["arn:{p}:ec2:{r}:{a}:dhcp-options/*", "arn:{p}:ec2:{r}:{a}:vpc/*"];

pub(super) const ROWS: &[Row] = &[
    row(
        "AWS::EC2::DHCPOptions",
        None,
        &[
            on(DHCP, &["ec2:CreateDhcpOptions", "ec2:CreateTags", "ec2:DeleteDhcpOptions", "ec2:DeleteTags"]),
            on(ANY, &["ec2:DescribeDhcpOptions", "ec2:DescribeTags"]),
        ],
    ),
    row(
        "AWS::EC2::EIP",
        None,
        &[
            on(ADDRESS, &["ec2:AllocateAddress", "ec2:CreateTags", "ec2:DeleteTags", "ec2:ReleaseAddress"]),
            on(ANY, &["ec2:DescribeAddresses"]),
        ],
    ),
    row(
        "AWS::EC2::FlowLog",
        None,
        &[
            on(NEW_FLOW_LOG, &["ec2:CreateFlowLogs"]),
            on(FLOW_LOG, &["ec2:CreateTags", "ec2:DeleteFlowLogs", "ec2:DeleteTags"]),
            on(ANY, &["ec2:DescribeFlowLogs"]),
        ],
    ),
    row(
        "AWS::EC2::InternetGateway",
        None,
        &[
            on(INTERNET_GATEWAY, &["ec2:CreateInternetGateway", "ec2:CreateTags", "ec2:DeleteInternetGateway", "ec2:DeleteTags"]),
            on(ANY, &["ec2:DescribeInternetGateways"]),
        ],
    ),
    row(
        "AWS::EC2::NatGateway",
        None,
        &[
            on(NEW_NAT_GATEWAY, &["ec2:CreateNatGateway"]),
            on(NAT_GATEWAY, &["ec2:CreateTags", "ec2:DeleteNatGateway", "ec2:DeleteTags"]),
            on(ANY, &["ec2:DescribeNatGateways"]),
        ],
    ),
    row(
        "AWS::EC2::Route",
        None,
        &[
            on(ROUTE_TABLE, &["ec2:CreateRoute", "ec2:DeleteRoute", "ec2:ReplaceRoute"]),
            on(ANY, &["ec2:DescribeNetworkInterfaces", "ec2:DescribeRouteTables"]),
        ],
    ),
    row(
        "AWS::EC2::RouteTable",
        None,
        &[
            on(NEW_ROUTE_TABLE, &["ec2:CreateRouteTable"]),
            on(ROUTE_TABLE, &["ec2:CreateTags", "ec2:DeleteRouteTable", "ec2:DeleteTags"]),
            on(ANY, &["ec2:DescribeRouteTables"]),
        ],
    ),
    row(
        "AWS::EC2::SecurityGroup",
        None,
        &[
            on(NEW_SECURITY_GROUP, &["ec2:CreateSecurityGroup"]),
            on(
                SECURITY_GROUP,
                &[
                    "ec2:CreateTags",
                    "ec2:DeleteSecurityGroup",
                    "ec2:DeleteTags",
                    "ec2:RevokeSecurityGroupEgress",
                    "ec2:RevokeSecurityGroupIngress",
                    "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
                    "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
                ],
            ),
            on(GROUP_RULE, &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]),
            on(ANY, &["ec2:DescribeInstances", "ec2:DescribeSecurityGroups"]),
        ],
    ),
    row(
        "AWS::EC2::SecurityGroupIngress",
        None,
        &[
            on(GROUP_RULE, &["ec2:AuthorizeSecurityGroupIngress"]),
            on(SECURITY_GROUP, &["ec2:RevokeSecurityGroupIngress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress"]),
            on(ANY, &["ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"]),
        ],
    ),
    row(
        "AWS::EC2::Subnet",
        None,
        &[
            on(NEW_SUBNET, &["ec2:CreateSubnet"]),
            on(SUBNET, &["ec2:CreateTags", "ec2:DeleteSubnet", "ec2:DeleteTags", "ec2:ModifySubnetAttribute"]),
            on(ANY, &["ec2:DescribeAvailabilityZones", "ec2:DescribeNetworkAcls", "ec2:DescribeSubnets"]),
        ],
    ),
    row(
        "AWS::EC2::SubnetRouteTableAssociation",
        None,
        &[
            on(ASSOCIATION, &["ec2:AssociateRouteTable", "ec2:DisassociateRouteTable", "ec2:ReplaceRouteTableAssociation"]),
            on(ANY, &["ec2:DescribeRouteTables", "ec2:DescribeSubnets"]),
        ],
    ),
    row(
        "AWS::EC2::VPC",
        None,
        &[
            on(
                VPC,
                &[
                    "ec2:CreateTags",
                    "ec2:CreateVpc",
                    "ec2:DeleteTags",
                    "ec2:DeleteVpc",
                    "ec2:DescribeVpcAttribute",
                    "ec2:ModifyVpcAttribute",
                ],
            ),
            on(ANY, &["ec2:DescribeNetworkAcls", "ec2:DescribeSecurityGroups", "ec2:DescribeVpcs"]),
        ],
    ),
    row(
        "AWS::EC2::VPCDHCPOptionsAssociation",
        None,
        &[on(DHCP_OF_VPC, &["ec2:AssociateDhcpOptions"]), on(ANY, &["ec2:DescribeVpcs"])],
    ),
    row(
        "AWS::EC2::VPCEndpoint",
        None,
        &[
            on(NEW_ENDPOINT, &["ec2:CreateVpcEndpoint", "ec2:ModifyVpcEndpoint"]),
            on(ENDPOINT, &["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteVpcEndpoints"]),
            on(ANY, &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcEndpoints", "ec2:DescribeVpcs"]), // An interface that answers to the service's own name.
            on(&["arn:{p}:route53:::hostedzone/*"], &["route53:AssociateVPCWithHostedZone"]),
        ],
    ),
    row(
        "AWS::EC2::VPCGatewayAttachment",
        None,
        &[
            on(ATTACHMENT, &["ec2:AttachInternetGateway", "ec2:DetachInternetGateway"]),
            on(ANY, &["ec2:DescribeInternetGateways"]),
        ],
    ),
];
