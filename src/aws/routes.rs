//! How subnets lead out of a VPC: route tables, NAT gateways, VPC endpoints, as EC2 knows them.

use super::account::Account;
use super::error::CallError;
use super::network::own;
use super::xml::Element;

/// A route table of a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteTable {
    pub id: String,
    /// It holds for the subnets that have no table of their own.
    pub main: bool,
    pub subnets: Vec<String>,
    pub routes: Vec<Route>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// A block of addresses, or the id of a prefix list.
    pub to: String,
    /// `igw-…`, `nat-…`, `tgw-…`, `local`: what it leads through.
    pub through: String,
    /// What it leads through is there.
    pub works: bool,
}

/// A NAT gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NatGateway {
    pub id: String,
    pub state: String,
}

/// A VPC endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcEndpoint {
    pub id: String,
    pub vpc: String,
    /// `com.amazonaws.eu-west-1.secretsmanager`.
    pub service: String,
    pub state: String,
    /// `Interface`, `Gateway`, …
    pub kind: String,
    /// AWS's own names of the service lead to it.
    pub private_dns: bool,
    pub route_tables: Vec<String>,
}

impl Account {
    /// The route tables of a VPC.
    pub async fn route_tables(&self, vpc: &str) -> Result<Vec<RouteTable>, CallError> {
        let items = self.ec2("ec2:DescribeRouteTables", &[("vpc-id", &[vpc])], "routeTableSet").await?;
        Ok(items.iter().map(table).collect())
    }

    /// The NAT gateways of a VPC. This call's filters are called otherwise than those of all others, so all are asked for.
    pub async fn nat_gateways(&self) -> Result<Vec<NatGateway>, CallError> {
        let items = self.ec2("ec2:DescribeNatGateways", &[], "natGatewaySet").await?;
        Ok(items.iter().map(|item| NatGateway { id: own(item, "natGatewayId"), state: own(item, "state") }).collect())
    }

    /// The endpoints of a VPC.
    pub async fn vpc_endpoints(&self, vpc: &str) -> Result<Vec<VpcEndpoint>, CallError> {
        let items = self.ec2("ec2:DescribeVpcEndpoints", &[("vpc-id", &[vpc])], "vpcEndpointSet").await?;
        let found = items.iter().map(|item| VpcEndpoint {
            id: own(item, "vpcEndpointId"),
            vpc: own(item, "vpcId"),
            service: own(item, "serviceName"),
            state: own(item, "state").to_ascii_lowercase(),
            kind: own(item, "vpcEndpointType"),
            private_dns: item.text("privateDnsEnabled") == Some("true"),
            route_tables: texts(item.list("routeTableIdSet")),
        });
        Ok(found.filter(|endpoint| endpoint.vpc == vpc).collect())
    }
}

fn table(item: &Element) -> RouteTable {
    const TARGETS: [&str; 9] = [
        "natGatewayId",
        "gatewayId",
        "transitGatewayId",
        "vpcPeeringConnectionId",
        "networkInterfaceId",
        "instanceId",
        "egressOnlyInternetGatewayId",
        "localGatewayId",
        "coreNetworkArn",
    ];
    let associations = item.list("associationSet");
    let routes = item.list("routeSet").iter().map(|route| Route {
        to: ["destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"]
            .iter()
            .find_map(|name| route.text(name))
            .unwrap_or_default()
            .to_owned(),
        through: TARGETS.iter().find_map(|name| route.text(name)).unwrap_or_default().to_owned(),
        works: route.text("state") != Some("blackhole"),
    });
    RouteTable {
        id: own(item, "routeTableId"),
        main: associations.iter().any(|association| association.text("main") == Some("true")),
        subnets: associations.iter().filter_map(|association| association.text("subnetId").map(str::to_owned)).collect(),
        routes: routes.collect(),
    }
}

fn texts(items: &[Element]) -> Vec<String> {
    items.iter().map(|item| item.own_text().to_owned()).collect()
}
