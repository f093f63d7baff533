//! `x-elbv2` → load balancers, with the rules that let them reach their targets.

use std::collections::BTreeMap;

use super::build::Builder;
use super::wiring::family_of;
use super::{
    Balancer, BalancerKind, Family, Ingress, Listener, Peer, Port, Protocol, TargetGroup, TargetHealthCheck, Text, logical,
    standing,
};
use crate::base::{Code, Finding, nearest};
use crate::extensions;

/// Seconds that a connection may be idle: long enough for the streams of Control Center.
const IDLE_TIMEOUT: u32 = 300;
/// TLS 1.2 and 1.3 without weak ciphers.
const SSL_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-2021-06";

impl Builder<'_> {
    pub(super) fn balancers(&mut self, families: &mut [Family]) -> Vec<Balancer> {
        let extensions = self.extensions;
        extensions.balancers.iter().map(|(name, written)| self.balancer(name, written, families)).collect()
    }

    fn balancer(&mut self, name: &str, written: &extensions::Balancer, families: &mut [Family]) -> Balancer {
        let id = format!("{}LoadBalancer", logical(name));
        let default = if written.internet_facing { standing::PUBLIC } else { standing::TASKS };
        let targets: Vec<TargetGroup> =
            written.services.iter().filter_map(|target| self.target(&id, target, written, families)).collect();
        let listeners: Vec<Listener> =
            written.listeners.iter().filter_map(|listener| self.listener(name, listener, written, &targets)).collect();
        self.unused(written, &targets, &listeners);
        for target in &targets {
            let Some(family) = families.iter_mut().find(|family| family.name == target.family) else { continue };
            let ports = [Some(target.port), target.health_check.port];
            for number in ports.into_iter().flatten() {
                let port = Port { number, protocol: Protocol::Tcp };
                let rule = Ingress { from: Peer::Balancer(name.to_owned()), port, why: format!("load balancer {name}") };
                if !family.ingress.contains(&rule) {
                    family.ingress.push(rule);
                }
            }
        }
        let subnets = written.subnets.as_ref().map_or(default, |usage| usage.value.as_str());
        Balancer {
            name: name.to_owned(),
            id,
            kind: if written.network { BalancerKind::Network } else { BalancerKind::Application },
            internet_facing: written.internet_facing,
            subnets: subnets.to_owned(),
            attributes: attributes(written),
            ingress: self.balancer_ingress(name, written, &listeners),
            listeners,
            targets,
        }
    }

    fn target(
        &mut self,
        balancer: &str,
        written: &extensions::Target,
        of: &extensions::Balancer,
        families: &[Family],
    ) -> Option<TargetGroup> {
        let name = &written.name.value;
        let (family_name, container_name) = name.split_once(':').unwrap_or((name, name));
        let Some(family) = family_of(families, family_name) else {
            let known: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
            let help = nearest(family_name, known.iter().copied())
                .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
            self.error_at(Code::BALANCER, &written.name, format!("there is no service {family_name}")).help = Some(help);
            return None;
        };
        let Some(container) = family.containers.iter().find(|container| container.name == container_name) else {
            let known: Vec<&str> = family.containers.iter().map(|container| container.name.as_str()).collect();
            let message = format!("{family_name} has no container {container_name}");
            self.error_at(Code::BALANCER, &written.name, message).help = Some(format!("it has {}", known.join(", ")));
            return None;
        };
        if !container.ports.iter().any(|port| port.number == written.port.value) {
            let opened: Vec<String> = container.ports.iter().map(|port| port.number.to_string()).collect();
            let opened = if opened.is_empty() { "no port".to_owned() } else { opened.join(", ") };
            let message = format!("{container_name} doesn't open port {}; it opens {opened}", written.port.value);
            self.error_at(Code::BALANCER, &written.port, message).help =
                Some(format!("add the port to services.{container_name}.ports, or correct it here"));
            return None;
        }
        if of.network == matches!(written.protocol, "HTTP" | "HTTPS") {
            let message = format!("{} doesn't go with {}", written.protocol, kind(of));
            self.error_at(Code::BALANCER, &written.name, message).help = Some(protocols(of).to_owned());
        }
        let check = &written.health_check;
        Some(TargetGroup {
            name: name.clone(),
            id: format!("{balancer}{}{}", logical(container_name), written.port.value),
            family: family.name.clone(),
            container: container.name.clone(),
            port: written.port.value,
            protocol: written.protocol.to_owned(),
            health_check: TargetHealthCheck {
                port: check.port,
                protocol: check.protocol.map(str::to_owned),
                healthy: check.healthy,
                unhealthy: check.unhealthy,
                interval: check.interval,
                timeout: check.timeout,
                path: check.path.clone(),
                codes: check.codes.clone(),
            },
            attributes: written.attributes.iter().map(|(key, value)| (key.clone(), Text::from(value))).collect(),
        })
    }

    fn listener(
        &mut self,
        balancer: &str,
        written: &extensions::Listener,
        of: &extensions::Balancer,
        targets: &[TargetGroup],
    ) -> Option<Listener> {
        if of.network == matches!(written.protocol, "HTTP" | "HTTPS") {
            let message = format!("{} doesn't go with {}", written.protocol, kind(of));
            self.error_at(Code::BALANCER, &written.port, message).help = Some(protocols(of).to_owned());
        }
        let mut names = Vec::new();
        for wanted in &written.targets {
            let family = wanted.value.split(':').next().unwrap_or_default();
            let found = targets
                .iter()
                .find(|target| target.name == wanted.value)
                .or_else(|| targets.iter().find(|target| target.family == family || target.container == wanted.value));
            if let Some(found) = found {
                names.push(found.name.clone());
            } else if !of.services.iter().any(|service| service.name.value == wanted.value) {
                let known: Vec<&str> = of.services.iter().map(|service| service.name.value.as_str()).collect();
                let help = nearest(&wanted.value, known.iter().copied())
                    .map_or_else(|| format!("its Services are {}", known.join(", ")), |near| format!("did you mean {near}?"));
                let message = format!("{} is none of the Services of {balancer}", wanted.value);
                self.error_at(Code::BALANCER, wanted, message).help = Some(help);
            }
        }
        // One service and a listener that names none: it can only mean that one.
        if let ([only], true) = (targets, written.targets.is_empty()) {
            names.push(only.name.clone());
        }
        if names.is_empty() {
            if written.targets.is_empty() {
                let message = format!("the listener on {} sends its requests nowhere", written.port.value);
                self.error_at(Code::BALANCER, &written.port, message).help = Some("add Targets".to_owned());
            }
            return None;
        }
        names.sort();
        names.dedup();
        let secure = matches!(written.protocol, "HTTPS" | "TLS");
        Some(Listener {
            port: written.port.value,
            protocol: written.protocol.to_owned(),
            certificates: written.certificates.iter().map(|arn| Text::from(&arn.value)).collect(),
            ssl_policy: written.ssl_policy.clone().or_else(|| secure.then(|| SSL_POLICY.to_owned())),
            targets: names,
        })
    }

    /// ECS refuses a service whose target group no listener uses.
    fn unused(&mut self, written: &extensions::Balancer, targets: &[TargetGroup], listeners: &[Listener]) {
        for target in targets {
            if listeners.iter().any(|listener| listener.targets.contains(&target.name)) {
                continue;
            }
            let Some(service) = written.services.iter().find(|service| service.name.value == target.name) else { continue };
            let message = format!("no listener sends requests to {}", target.name);
            self.error_at(Code::BALANCER, &service.name, message).help = Some("name it in the Targets of a listener".to_owned());
        }
    }

    fn balancer_ingress(&mut self, name: &str, written: &extensions::Balancer, listeners: &[Listener]) -> Vec<Ingress> {
        let all: Vec<u16> = listeners.iter().map(|listener| listener.port).collect();
        let ports = |named: &[u16]| -> Vec<Port> {
            let numbers = if named.is_empty() { all.clone() } else { named.to_vec() };
            numbers.into_iter().map(|number| Port { number, protocol: Protocol::Tcp }).collect()
        };
        let mut rules = Vec::new();
        let mut add = |from: Peer, ports: Vec<Port>, why: &str| {
            rules.extend(ports.into_iter().map(|port| Ingress { from: from.clone(), port, why: why.to_owned() }));
        };
        for block in &written.ingress.blocks {
            let cidr = block.cidr.value.clone();
            let why = block.why.clone().unwrap_or_else(|| format!("{cidr} may reach {name}"));
            add(if block.v6 { Peer::Cidr6(cidr) } else { Peer::Cidr4(cidr) }, ports(&block.ports), &why);
        }
        for group in &written.ingress.groups {
            let id = Text::from(&group.id.value);
            let from = if group.prefix_list { Peer::PrefixList(id) } else { Peer::SecurityGroup(id) };
            add(from, ports(&group.ports), &format!("{} may reach {name}", group.id.value));
        }
        for block in written.ingress.blocks.iter().filter(|block| block.is_world()) {
            let who = format!("the load balancer {name}");
            self.world_open(&block.cidr, &who, &ports(&block.ports));
        }
        if rules.is_empty() {
            let finding = Finding::warning(Code::BALANCER, format!("nobody may reach the load balancer {name}"));
            let finding = finding.at(written.place.clone()).path(&written.path);
            self.findings.push(finding.help("add MacroParameters.Ingress.ExtSources with the addresses that need it"));
        }
        rules.sort();
        rules.dedup_by(|a, b| a.from == b.from && a.port == b.port);
        rules
    }
}

fn attributes(written: &extensions::Balancer) -> BTreeMap<String, Text> {
    let mut attributes = BTreeMap::new();
    if !written.network {
        let idle = written.idle_timeout.unwrap_or(IDLE_TIMEOUT);
        attributes.insert("idle_timeout.timeout_seconds".to_owned(), Text::from(idle.to_string()));
        attributes.insert("routing.http.drop_invalid_header_fields.enabled".to_owned(), Text::from("true"));
    }
    attributes.extend(written.attributes.iter().map(|(key, value)| (key.clone(), Text::from(value))));
    attributes
}

fn kind(balancer: &extensions::Balancer) -> &'static str {
    if balancer.network { "a network load balancer" } else { "an application load balancer" }
}

fn protocols(balancer: &extensions::Balancer) -> &'static str {
    if balancer.network {
        "it speaks TCP, TLS, UDP or TCP_UDP"
    } else {
        "it speaks HTTP or HTTPS; for others set Properties.Type: network"
    }
}
