//! The subnets of the tasks: is there room, and does a way lead to what a task needs before it runs?

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{AccountFacts, FamilyFacts, Roads};
use crate::aws::{RouteTable, Subnet};
use crate::base::Code;
use crate::preflight::fix::Fix;
use crate::preflight::report::{Category, Check, Origin, Status};
use crate::preflight::runner::Plan;

/// How a subnet leads out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Through(String),
    /// What the route leads through is gone.
    Nowhere(String),
    /// To the internet gateway, which wants a public address of the task.
    ForPublicAddresses(String),
    None,
}

pub(super) fn plan(facts: &AccountFacts, plan: &mut Plan) {
    let subnets = match &facts.subnets {
        None => {
            plan.known(check(Code::SUBNET_ROOM, "subnets", "subnets").ended(Status::Skipped, "deployed by this stack"));
            plan.known(check(Code::WAY_OUT, "way-out", "way out").ended(Status::Skipped, "deployed by this stack"));
            return;
        }
        Some(Err(why)) => {
            plan.known(check(Code::SUBNET_ROOM, "subnets", "subnets").ended(Status::Unknown, why.clone()));
            plan.known(check(Code::WAY_OUT, "way-out", "way out").ended(Status::Unknown, why.clone()));
            return;
        }
        Some(Ok(subnets)) => subnets,
    };
    let usages: BTreeSet<&str> = facts.families.iter().map(|family| family.usage.as_str()).collect();
    for usage in usages {
        plan.known(room(usage, facts, subnets));
    }
    for family in &facts.families {
        plan.known(way_out(family, facts, subnets));
    }
}

fn check(code: Code, id: &str, label: &str) -> Check {
    Check::new(code, Category::Aws, id, label)
}

fn room(usage: &str, facts: &AccountFacts, subnets: &BTreeMap<String, Vec<Subnet>>) -> Check {
    let mut check = check(Code::SUBNET_ROOM, &format!("subnets/{usage}"), usage);
    check.title = format!("room for the tasks in {usage}");
    let Some(subnets) = subnets.get(usage).filter(|subnets| !subnets.is_empty()) else {
        return check.ended(Status::Skipped, "the subnets were not found");
    };
    let families = facts.families.iter().filter(|family| family.usage == usage);
    let (now, most) = families.fold((0, 0), |(now, most), family| {
        (now + family.count.saturating_sub(family.running), most + family.most.saturating_sub(family.running))
    });
    let free: u32 = subnets.iter().map(|subnet| subnet.free).sum();
    let zones: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    let vpc = subnets.first().map_or("", |subnet| subnet.vpc.as_str());
    let there = format!(
        "{vpc}, {} subnet{} in {} zone{}, {most} free addresses needed, {free} there",
        subnets.len(),
        if subnets.len() == 1 { "" } else { "s" },
        zones.len(),
        if zones.len() == 1 { "" } else { "s" },
    );
    check.evidence = Some("ec2:DescribeSubnets".to_owned());
    if free >= most {
        return check.passed(there);
    }
    let status = if free < now { Status::Failed } else { Status::Warned };
    let mut check = check.ended(status, there);
    check.why = Some(
        "each task takes an address of its subnet, and while a deployment replaces tasks the old and the new have one".to_owned(),
    );
    check.fixes = vec![Fix::advice(format!("let the lookup of {usage} find larger subnets or more of them, or run fewer tasks"))];
    check
}

fn way_out(family: &FamilyFacts, facts: &AccountFacts, subnets: &BTreeMap<String, Vec<Subnet>>) -> Check {
    let mut check = check(Code::WAY_OUT, &format!("way-out/{}", family.name), "way out");
    check.title = format!("the way out of {} for {}", family.usage, family.name);
    check.service = Some(family.name.clone());
    check.origin = family.place.as_ref().map(Origin::from);
    check.evidence = Some("ec2:DescribeRouteTables, ec2:DescribeNatGateways, ec2:DescribeVpcEndpoints".to_owned());
    let roads = match &facts.roads {
        Ok(roads) => roads,
        Err(why) => return check.ended(Status::Unknown, why.clone()),
    };
    let Some(subnets) = subnets.get(&family.usage).filter(|subnets| !subnets.is_empty()) else {
        return check.ended(Status::Skipped, "the subnets were not found");
    };
    let mut through: BTreeSet<String> = BTreeSet::new();
    for subnet in subnets {
        match open(family, subnet, roads) {
            Ok(by) => drop(through.insert(by)),
            Err((why, fix)) => {
                let mut check = check.ended(Status::Failed, format!("{} ({}): {why}", subnet.id, subnet.zone));
                check.why = Some(
                    "before a container runs, the task itself fetches its image and its secrets: without a way there it never starts".to_owned(),
                );
                check.fixes = vec![Fix::advice(fix)];
                return check;
            }
        }
    }
    check.passed(format!("through {}", through.into_iter().collect::<Vec<_>>().join(", ")))
}

/// Through what a subnet leads to all that a task asks for; or what is wrong, and what to do.
fn open(family: &FamilyFacts, subnet: &Subnet, roads: &Roads) -> Result<String, (String, String)> {
    let own = roads.tables.iter().find(|table| table.subnets.contains(&subnet.id));
    let table = own.or_else(|| roads.tables.iter().find(|table| table.main));
    let way = table.map_or(Way::None, |table| way(table, roads, family.public_ip));
    let (why, fix) = match way {
        Way::Through(what) => return Ok(what),
        Way::Nowhere(what) => {
            let why = format!("the default route leads to {what}, which is not there or not ready");
            (why, "let the default route lead to a NAT gateway that is available".to_owned())
        }
        Way::ForPublicAddresses(what) => (
            format!("the default route leads to {what}, and a task without a public address doesn't get through"),
            "use private subnets with a NAT gateway, or set x-network.AssignPublicIp: true".to_owned(),
        ),
        Way::None => (
            "no route leads out of the VPC".to_owned(),
            "let a default route lead to a NAT gateway, or make the VPC endpoints".to_owned(),
        ),
    };
    if let Some(image) = &family.pulls_elsewhere {
        return Err((
            format!("{why}; {image} is not in ECR, so no VPC endpoint helps"),
            format!("{fix}; for endpoints alone, copy the image: confluent-ecs images push"),
        ));
    }
    let missing: Vec<&str> = family.asks.iter().copied().filter(|service| !has_endpoint(service, table, roads)).collect();
    if missing.is_empty() {
        return Ok("VPC endpoints".to_owned());
    }
    let list = missing.join(", ");
    Err((
        format!("{why}, and there is no VPC endpoint for {list}"),
        format!("{fix} for {list} (interfaces with private DNS; s3 as a gateway)"),
    ))
}

fn way(table: &RouteTable, roads: &Roads, public_ip: bool) -> Way {
    let Some(route) = table.routes.iter().find(|route| route.to == "0.0.0.0/0") else { return Way::None };
    let through = route.through.clone();
    let nat = roads.nat_gateways.iter().find(|nat| nat.id == through);
    let is_gone = !route.works || (through.starts_with("nat-") && nat.is_none_or(|nat| nat.state != "available"));
    match through.starts_with("igw-") {
        _ if is_gone => Way::Nowhere(through),
        true if !public_ip => Way::ForPublicAddresses(through),
        _ => Way::Through(through),
    }
}

fn has_endpoint(service: &str, table: Option<&RouteTable>, roads: &Roads) -> bool {
    roads.endpoints.iter().any(|endpoint| {
        let leads_there = match endpoint.kind.as_str() {
            "Gateway" => table.is_some_and(|table| endpoint.route_tables.contains(&table.id)),
            _ => endpoint.private_dns,
        };
        endpoint.service.ends_with(&format!(".{service}")) && endpoint.state == "available" && leads_there
    })
}

#[cfg(test)]
#[path = "network_tests.rs"]
mod tests;
