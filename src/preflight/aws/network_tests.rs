//! Route tables, gateways and endpoints in, the way out.

use std::collections::BTreeMap;

use super::super::facts::{FamilyFacts, Roads};
use super::{check, open};
use crate::aws::{NatGateway, Route, RouteTable, Subnet, VpcEndpoint};
use crate::base::Code;

fn family(public_ip: bool, elsewhere: Option<&str>) -> FamilyFacts {
    FamilyFacts {
        name: "connect".into(),
        usage: "AppSubnets".into(),
        public_ip,
        count: 1,
        most: 2,
        running: 0,
        asks: ["ecr.api", "s3"].into(),
        pulls_elsewhere: elsewhere.map(str::to_owned),
        providers: Vec::new(),
        log_group: String::new(),
        repositories: BTreeMap::new(),
        roles: Vec::new(),
        place: None,
    }
}

fn subnet() -> Subnet {
    Subnet {
        id: "subnet-1".into(),
        vpc: "vpc-1".into(),
        zone: "eu-west-1a".into(),
        cidr: String::new(),
        free: 5,
        public_addresses: false,
        tags: [].into(),
    }
}

fn roads(through: &str, works: bool) -> Roads {
    let local = Route { to: "10.0.0.0/16".into(), through: "local".into(), works: true };
    let default = Route { to: "0.0.0.0/0".into(), through: through.into(), works };
    let routes = if through.is_empty() { vec![local] } else { vec![local, default] };
    let own = RouteTable { id: "rtb-1".into(), main: false, subnets: vec!["subnet-1".into()], routes };
    let main = RouteTable { id: "rtb-0".into(), main: true, subnets: Vec::new(), routes: Vec::new() };
    let nat = NatGateway { id: "nat-1".into(), state: "available".into() };
    Roads { tables: vec![main, own], nat_gateways: vec![nat], endpoints: Vec::new() }
}

fn endpoint(service: &str, kind: &str) -> VpcEndpoint {
    VpcEndpoint {
        id: "vpce-1".into(),
        vpc: "vpc-1".into(),
        service: format!("com.amazonaws.eu-west-1.{service}"),
        state: "available".into(),
        kind: kind.into(),
        private_dns: kind == "Interface",
        route_tables: if kind == "Gateway" { vec!["rtb-1".into()] } else { Vec::new() },
    }
}

#[test]
fn a_default_route_leads_out_through_what_is_there() {
    for (through, works, public_ip, expected) in [
        ("nat-1", true, false, Ok("nat-1")),
        ("tgw-1", true, false, Ok("tgw-1")),
        ("igw-1", true, true, Ok("igw-1")),
        ("igw-1", true, false, Err("without a public address")),
        ("nat-1", false, false, Err("not there or not ready")),
        ("nat-2", true, false, Err("not there or not ready")),
        ("", true, false, Err("no route leads out")),
    ] {
        match (open(&family(public_ip, None), &subnet(), &roads(through, works)), expected) {
            (Ok(by), Ok(expected)) => assert_eq!(by, expected),
            (Err((why, _)), Err(part)) => assert!(why.contains(part), "{why}"),
            (found, _) => panic!("{through}: {found:?}"),
        }
    }
}

#[test]
fn the_main_table_holds_for_who_has_none() {
    let mut roads = roads("nat-1", true);
    roads.tables[1].subnets.clear();
    assert!(open(&family(false, None), &subnet(), &roads).is_err());
    roads.tables[0].routes.push(Route { to: "0.0.0.0/0".into(), through: "nat-1".into(), works: true });
    assert!(open(&family(false, None), &subnet(), &roads).is_ok());
}

#[test]
fn endpoints_stand_in_for_a_way_out_where_they_are_all_there() {
    let mut roads = roads("", true);
    roads.endpoints = vec![endpoint("ecr.api", "Interface")];
    let (why, fix) = open(&family(false, None), &subnet(), &roads).unwrap_err();
    assert!(why.ends_with("no VPC endpoint for s3") && fix.contains("s3"), "{why}");
    roads.endpoints.push(endpoint("s3", "Gateway"));
    assert_eq!(open(&family(false, None), &subnet(), &roads).unwrap(), "VPC endpoints");
    let (why, _) = open(&family(false, Some("confluentinc/cp-kafka-connect:8.0.7")), &subnet(), &roads).unwrap_err();
    assert!(why.contains("is not in ECR"), "{why}");
    // A gateway of other tables, and an interface that no name leads to.
    roads.endpoints[1].route_tables = vec!["rtb-0".into()];
    assert!(open(&family(false, None), &subnet(), &roads).is_err());
    roads.endpoints[1] = endpoint("s3", "Gateway");
    roads.endpoints[0].private_dns = false;
    assert!(open(&family(false, None), &subnet(), &roads).is_err());
}

#[test]
fn checks_of_the_account_stand_in_their_own_group() {
    assert_eq!(check(Code::WAY_OUT, "way-out", "way out").id, "aws/way-out");
}
