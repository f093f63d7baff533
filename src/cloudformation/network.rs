//! Security groups and the rules between them.

use super::resource::{IngressRule, InlineIngress, Properties, SecurityGroup};
use super::{Builder, Expression};
use crate::stack::{BalancerFact, Ingress, Peer, Port, Protocol};

impl Builder<'_> {
    /// A security group with the rules that let `peers` in. Rules between groups of this stack are resources of their own, so
    /// that two groups may let each other in. Egress is open, which is what a group without egress rules has.
    pub(super) fn security_group(&mut self, id: &str, description: String, name: &str, peers: &[Ingress]) {
        let vpc_id = self.vpc();
        let tags = self.tags(Some(name));
        let mut inline = Vec::new();
        for ingress in peers {
            let stack = self.stack;
            let own = |group: String| Expression::attribute(group, "GroupId");
            let (source, group) = match &ingress.from {
                Peer::Myself => ("Itself".to_owned(), own(id.to_owned())),
                Peer::Family(family) => match stack.family(family) {
                    Some(family) => (family.id.clone(), own(format!("{}SecurityGroup", family.id))),
                    None => continue,
                },
                Peer::Balancer(balancer) => match stack.balancers.iter().find(|candidate| candidate.name == *balancer) {
                    Some(balancer) => match &balancer.existing {
                        Some(lookup) => (balancer.id.clone(), self.balancer_fact(balancer, lookup, BalancerFact::SecurityGroup)),
                        None => (balancer.id.clone(), own(format!("{}SecurityGroup", balancer.id))),
                    },
                    None => continue,
                },
                Peer::Cidr4(_) | Peer::Cidr6(_) | Peer::SecurityGroup(_) | Peer::PrefixList(_) => {
                    inline.push(self.inline_rule(ingress));
                    continue;
                }
            };
            let prefix = id.strip_suffix("SecurityGroup").unwrap_or(id);
            let rule = IngressRule {
                description: described(&ingress.why),
                from_port: ingress.port.number,
                group_id: Expression::attribute(id, "GroupId"),
                ip_protocol: protocol(ingress.port),
                source_security_group_id: group,
                to_port: ingress.port.number,
            };
            let suffix = if ingress.port.protocol == Protocol::Udp { "Udp" } else { "" };
            self.add(&format!("{prefix}From{source}{}{suffix}", ingress.port.number), Properties::SecurityGroupIngress(rule));
        }
        let group = SecurityGroup { group_description: described(&description), security_group_ingress: inline, tags, vpc_id };
        self.add(id, Properties::SecurityGroup(group));
    }

    fn inline_rule(&mut self, ingress: &Ingress) -> InlineIngress {
        let mut rule = InlineIngress {
            cidr_ip: None,
            cidr_ipv6: None,
            description: described(&ingress.why),
            from_port: ingress.port.number,
            ip_protocol: protocol(ingress.port),
            source_prefix_list_id: None,
            source_security_group_id: None,
            source_security_group_owner_id: None,
            to_port: ingress.port.number,
        };
        match &ingress.from {
            Peer::Cidr4(block) => rule.cidr_ip = Some(block.clone()),
            Peer::Cidr6(block) => rule.cidr_ipv6 = Some(block.clone()),
            Peer::SecurityGroup(group) => {
                rule.source_security_group_id = Some(self.group_id(group, false));
                rule.source_security_group_owner_id = group.owner.as_ref().map(Expression::from);
            }
            Peer::PrefixList(list) => rule.source_prefix_list_id = Some(self.group_id(list, true)),
            Peer::Myself | Peer::Family(_) | Peer::Balancer(_) => {}
        }
        rule
    }

    /// The rules on security groups that are not of this stack: those of an MSK cluster, and of file systems.
    pub(super) fn outside_rules(&mut self) {
        let stack = self.stack;
        for rule in &stack.outside_rules {
            let Some(family) = stack.family(&rule.family) else { continue };
            let ingress = IngressRule {
                description: described(&format!("{} of {}", family.name, stack.name)),
                from_port: rule.port,
                group_id: (&rule.group).into(),
                ip_protocol: "tcp",
                source_security_group_id: Expression::attribute(format!("{}SecurityGroup", family.id), "GroupId"),
                to_port: rule.port,
            };
            self.add(&format!("{}From{}{}", rule.behind, family.id, rule.port), Properties::SecurityGroupIngress(ingress));
        }
    }
}

fn protocol(port: Port) -> &'static str {
    match port.protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
    }
}

/// A description in the characters that EC2 allows, no longer than it allows.
fn described(text: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    text.chars().map(|c| if allowed(c) { c } else { ' ' }).take(255).collect()
}
