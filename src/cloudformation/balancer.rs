//! Load balancers with their listeners and target groups.

use super::resource::{
    Action, Attribute, Certificate, ForwardConfig, Listener, LoadBalancer, Matcher, Properties, TargetGroup, WeightedTarget,
};
use super::{Builder, Expression};
use crate::stack::{self, Balancer, BalancerKind, Family};

impl Builder<'_> {
    pub(super) fn balancer(&mut self, balancer: &Balancer) {
        let id = &balancer.id;
        let group = format!("{id}SecurityGroup");
        self.security_group(&group, format!("Load balancer {}", balancer.name), &balancer.name, &balancer.ingress);
        let load_balancer = LoadBalancer {
            load_balancer_attributes: attributes(&balancer.attributes),
            scheme: if balancer.internet_facing { "internet-facing" } else { "internal" },
            security_groups: vec![Expression::attribute(&group, "GroupId")],
            subnets: self.subnets(&balancer.subnets),
            tags: self.tags(Some(&balancer.name)),
            kind: match balancer.kind {
                BalancerKind::Application => "application",
                BalancerKind::Network => "network",
            },
        };
        self.add(id, Properties::LoadBalancer(load_balancer));
        for target in &balancer.targets {
            let group = self.target_group(target);
            self.add(&target.id, Properties::TargetGroup(Box::new(group)));
        }
        for listener in &balancer.listeners {
            let groups: Vec<Expression> = balancer
                .targets
                .iter()
                .filter(|target| listener.targets.contains(&target.name))
                .map(|target| Expression::reference(&target.id))
                .collect();
            let resource = Listener {
                certificates: listener.certificates.iter().map(|arn| Certificate { certificate_arn: arn.into() }).collect(),
                default_actions: vec![forward(groups)],
                load_balancer_arn: Expression::reference(id),
                port: listener.port,
                protocol: listener.protocol.clone(),
                ssl_policy: listener.ssl_policy.clone(),
            };
            self.add(&format!("{id}Listener{}", listener.port), Properties::Listener(resource));
        }
        self.output(
            format!("{id}DnsName"),
            format!("Address of the load balancer {}", balancer.name),
            Expression::attribute(id, "DNSName"),
        );
    }

    fn target_group(&mut self, target: &stack::TargetGroup) -> TargetGroup {
        let check = &target.health_check;
        TargetGroup {
            health_check_interval_seconds: check.interval,
            health_check_path: check.path.clone(),
            health_check_port: check.port.map(|port| port.to_string()),
            health_check_protocol: check.protocol.clone(),
            health_check_timeout_seconds: check.timeout,
            healthy_threshold_count: check.healthy,
            matcher: check.codes.clone().map(|http_code| Matcher { http_code }),
            port: target.port,
            protocol: target.protocol.clone(),
            tags: self.tags(None),
            target_group_attributes: attributes(&target.attributes),
            target_type: "ip",
            unhealthy_threshold_count: check.unhealthy,
            vpc_id: self.vpc(),
        }
    }

    /// The target groups that a family's tasks stand in, each with its balancer.
    pub(super) fn target_groups(&self, family: &Family) -> impl Iterator<Item = (&Balancer, &stack::TargetGroup)> {
        let name = family.name.clone();
        self.stack.balancers.iter().flat_map(move |balancer| {
            let name = name.clone();
            balancer.targets.iter().filter(move |target| target.family == name).map(move |target| (balancer, target))
        })
    }
}

fn attributes(attributes: &std::collections::BTreeMap<String, stack::Text>) -> Vec<Attribute> {
    attributes.iter().map(|(key, value)| Attribute { key: key.clone(), value: value.into() }).collect()
}

/// To one group, or to several with the same weight.
fn forward(mut groups: Vec<Expression>) -> Action {
    if groups.len() == 1 {
        return Action { kind: "forward", target_group_arn: groups.pop(), forward_config: None };
    }
    let target_groups = groups.into_iter().map(|target_group_arn| WeightedTarget { target_group_arn, weight: 1 }).collect();
    Action { kind: "forward", target_group_arn: None, forward_config: Some(ForwardConfig { target_groups }) }
}
