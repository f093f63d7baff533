//! A VPC that the files ask for: two zones, each with a public subnet, one for tasks and one for storage. Half of the addresses
//! are for tasks, a quarter each for the others.

use std::net::Ipv4Addr;

use super::resource::{
    DhcpAssociation, DhcpOptions, Endpoint, FlowLog, GatewayAttachment, InlineIngress, InternetGateway, LogGroup, NatGateway,
    Policy, Properties, Resource, Role, Route, RouteTable, RouteTableAssociation, SecurityGroup, Subnet, Vpc,
};
use super::roles::{allow, policy, policy_arn, trusted};
use super::{Builder, Expression};
use crate::stack::{Dhcp, Nat, NewVpc, PolicyName, Text};

pub(super) const VPC: &str = "Vpc";
const PUBLIC: &str = "PublicSubnet";
const TASKS: &str = "AppSubnet";
const STORAGE: &str = "StorageSubnet";
/// In every region there are two at least.
const ZONES: u32 = 2;
/// Endpoints of these are routes and cost nothing; those of others are addresses in the subnets.
const GATEWAYS: [&str; 2] = ["s3", "dynamodb"];

/// The logical ids of the subnets of a usage, where the new VPC has such.
pub(super) fn subnets(usage: &str) -> Option<Vec<String>> {
    let start = match usage {
        "PublicSubnets" => PUBLIC,
        "AppSubnets" => TASKS,
        "StorageSubnets" => STORAGE,
        _ => return None,
    };
    Some((1..=ZONES).map(|zone| format!("{start}{zone}")).collect())
}

impl Builder<'_> {
    pub(super) fn new_vpc(&mut self, new: &NewVpc) {
        let (first, length) = new.block;
        let tags = self.tags(Some("vpc"));
        let block = |first: u32, length: u32| format!("{}/{length}", Ipv4Addr::from_bits(first));
        self.add(
            VPC,
            Properties::Vpc(Vpc { cidr_block: block(first, length), enable_dns_hostnames: true, enable_dns_support: true, tags }),
        );
        let tags = self.tags(None);
        self.add("InternetGateway", Properties::InternetGateway(InternetGateway { tags }));
        let attachment = GatewayAttachment {
            internet_gateway_id: Expression::reference("InternetGateway"),
            vpc_id: Expression::reference(VPC),
        };
        self.add("InternetGatewayAttachment", Properties::GatewayAttachment(attachment));
        // Halves of each part: the first half of the block for tasks, then a quarter for storage and one for what is public.
        let size = |length: u32| 1_u32 << (32 - length);
        let quarter = first + size(length + 1);
        for (start, base, length) in
            [(TASKS, first, length + 2), (STORAGE, quarter, length + 3), (PUBLIC, quarter + size(length + 2), length + 3)]
        {
            for zone in 0..ZONES {
                let id = format!("{start}{}", zone + 1);
                let subnet = Subnet {
                    availability_zone: Expression::Zone(zone),
                    cidr_block: block(base + zone * size(length), length),
                    tags: self.tags(Some(&id)),
                    vpc_id: Expression::reference(VPC),
                };
                self.add(&id, Properties::Subnet(subnet));
            }
        }
        self.route_table("PublicRouteTable", &[format!("{PUBLIC}1"), format!("{PUBLIC}2")]);
        self.route("PublicRoute", "PublicRouteTable", Some(Expression::reference("InternetGateway")), None);
        self.route_table("StorageRouteTable", &[format!("{STORAGE}1"), format!("{STORAGE}2")]);
        let gateways = match new.nat {
            Nat::None => 0,
            Nat::One => 1,
            Nat::EachZone => ZONES,
        };
        for zone in 1..=gateways {
            let address = format!("NatAddress{zone}");
            let tags = self.tags(Some(&format!("nat-{zone}")));
            self.add_after(
                &address,
                Properties::Address(super::resource::Address { domain: "vpc", tags: tags.clone() }),
                vec!["InternetGatewayAttachment".to_owned()],
            );
            let gateway = NatGateway {
                allocation_id: Expression::attribute(address, "AllocationId"),
                subnet_id: Expression::reference(format!("{PUBLIC}{zone}")),
                tags,
            };
            self.add_after(&format!("NatGateway{zone}"), Properties::NatGateway(gateway), vec!["PublicRoute".to_owned()]);
        }
        for zone in 1..=ZONES {
            let table = format!("AppRouteTable{zone}");
            self.route_table(&table, &[format!("{TASKS}{zone}")]);
            if gateways > 0 {
                let gateway = Expression::reference(format!("NatGateway{}", zone.min(gateways)));
                self.route(&format!("AppRoute{zone}"), &table, None, Some(gateway));
            }
        }
        if let Some(dhcp) = &new.dhcp {
            self.dhcp(dhcp);
        }
        self.endpoints(new, &block(first, length));
        if new.flow_logs {
            self.flow_logs(new);
        }
    }

    fn dhcp(&mut self, dhcp: &Dhcp) {
        let tags = self.tags(None);
        let options = DhcpOptions {
            domain_name: dhcp.domain.clone(),
            domain_name_servers: dhcp.name_servers.clone(),
            ntp_servers: dhcp.time_servers.clone(),
            tags,
        };
        self.add("DhcpOptions", Properties::DhcpOptions(options));
        let association =
            DhcpAssociation { dhcp_options_id: Expression::reference("DhcpOptions"), vpc_id: Expression::reference(VPC) };
        self.add("DhcpOptionsOfVpc", Properties::DhcpAssociation(association));
    }

    fn route_table(&mut self, id: &str, subnets: &[String]) {
        let tags = self.tags(Some(id));
        self.add(id, Properties::RouteTable(RouteTable { tags, vpc_id: Expression::reference(VPC) }));
        for subnet in subnets {
            let association =
                RouteTableAssociation { route_table_id: Expression::reference(id), subnet_id: Expression::reference(subnet) };
            self.add(&format!("{subnet}RouteTable"), Properties::RouteTableAssociation(association));
        }
    }

    /// The way to everywhere else.
    fn route(&mut self, id: &str, table: &str, gateway_id: Option<Expression>, nat_gateway_id: Option<Expression>) {
        let route = Route {
            destination_cidr_block: "0.0.0.0/0",
            gateway_id,
            nat_gateway_id,
            route_table_id: Expression::reference(table),
        };
        self.add_after(id, Properties::Route(route), vec!["InternetGatewayAttachment".to_owned()]);
    }

    fn endpoints(&mut self, new: &NewVpc, block: &str) {
        let tables: Vec<Expression> =
            ["AppRouteTable1", "AppRouteTable2", "PublicRouteTable"].into_iter().map(Expression::reference).collect();
        let group = "EndpointSecurityGroup";
        if new.endpoints.iter().any(|name| !GATEWAYS.contains(&name.as_str())) {
            let ingress = InlineIngress {
                cidr_ip: Some(block.to_owned()),
                cidr_ipv6: None,
                description: "the VPC may reach its endpoints".to_owned(),
                from_port: 443,
                ip_protocol: "tcp",
                source_prefix_list_id: None,
                source_security_group_id: None,
                source_security_group_owner_id: None,
                to_port: 443,
            };
            let tags = self.tags(Some("endpoints"));
            let vpc_id = Expression::reference(VPC);
            let description = "Endpoints of AWS services".to_owned();
            self.add(
                group,
                Properties::SecurityGroup(SecurityGroup {
                    group_description: description,
                    security_group_ingress: vec![ingress],
                    tags,
                    vpc_id,
                }),
            );
        }
        for name in &new.endpoints {
            let gateway = GATEWAYS.contains(&name.as_str());
            let endpoint = Endpoint {
                private_dns_enabled: (!gateway).then_some(true),
                route_table_ids: if gateway { tables.clone() } else { Vec::new() },
                security_group_ids: if gateway { Vec::new() } else { vec![Expression::attribute(group, "GroupId")] },
                service_name: Expression::sub(format!("com.amazonaws.${{AWS::Region}}.{name}")),
                subnet_ids: if gateway {
                    Vec::new()
                } else {
                    vec![Expression::reference(format!("{TASKS}1")), Expression::reference(format!("{TASKS}2"))]
                },
                vpc_endpoint_type: if gateway { "Gateway" } else { "Interface" },
                vpc_id: Expression::reference(VPC),
            };
            self.add(&format!("{}Endpoint", crate::stack::logical(name)), Properties::Endpoint(endpoint));
        }
    }

    fn flow_logs(&mut self, new: &NewVpc) {
        let log = LogGroup { log_group_name: None, retention_in_days: 30, tags: self.tags(None) };
        self.resources.insert(
            "FlowLogGroup".to_owned(),
            Resource { properties: Properties::LogGroup(log), depends_on: Vec::new(), retained: true },
        );
        let actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];
        let boundary = new.boundary.as_ref().map(|written| {
            let text = Text::from(&written.value);
            policy_arn(&if written.value.starts_with("arn:") { PolicyName::Arn(text) } else { PolicyName::Own(text) })
        });
        let policies: Vec<Policy> =
            vec![policy("logs", vec![allow(&actions, vec![Expression::attribute("FlowLogGroup", "Arn")])])];
        let role = Role {
            assume_role_policy_document: trusted("vpc-flow-logs.amazonaws.com"),
            description: "Writes the flow logs of the VPC".to_owned(),
            managed_policy_arns: Vec::new(),
            permissions_boundary: boundary,
            policies,
            tags: self.tags(None),
        };
        self.add("FlowLogRole", Properties::Role(role));
        let log = FlowLog {
            deliver_logs_permission_arn: Expression::attribute("FlowLogRole", "Arn"),
            log_group_name: Expression::reference("FlowLogGroup"),
            resource_id: Expression::reference(VPC),
            resource_type: "VPC",
            tags: self.tags(None),
            traffic_type: "ALL",
        };
        self.add("FlowLog", Properties::FlowLog(log));
    }

    /// What must be there before a task in the new VPC can pull its image, and nothing else says so.
    pub(super) fn ways_out(&self) -> Vec<String> {
        let routes = ["PublicRoute", "AppRoute1", "AppRoute2"].into_iter().map(str::to_owned);
        let associations =
            [TASKS, PUBLIC].into_iter().flat_map(|start| (1..=ZONES).map(move |zone| format!("{start}{zone}RouteTable")));
        routes.chain(associations).filter(|id| self.resources.contains_key(id)).collect()
    }
}
