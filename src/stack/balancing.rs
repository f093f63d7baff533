//! `x-elbv2` → load balancers, with the rules that let them reach their targets. Listeners are in [`super::listening`].

use std::collections::BTreeMap;

use super::build::Builder;
use super::wiring::{families_of, family_of};
use super::{
    Alias, Balancer, BalancerKind, Family, Group, Ingress, Listener, Peer, Port, Protocol, TargetGroup, TargetHealthCheck,
    TargetMember, Text, logical, standing,
};
use crate::base::{Code, Finding, nearest};
use crate::extensions::{self, Placed};

/// Whether a code of the list, single or the end of a range, is above this.
fn above(codes: &str, most: u32) -> bool {
    codes.split([',', '-']).any(|code| code.trim().parse::<u32>().is_ok_and(|code| code > most))
}

/// Seconds that a connection may be idle: long enough for the streams of Control Center.
const IDLE_TIMEOUT: u32 = 300;
/// In how many target groups ECS registers one service.
const GROUPS_OF_A_SERVICE: usize = 5;

impl Builder<'_> {
    pub(super) fn balancers(&mut self, families: &mut [Family]) -> Vec<Balancer> {
        let extensions = self.extensions;
        let balancers: Vec<Balancer> =
            extensions.balancers.iter().map(|(name, written)| self.balancer(name, written, families)).collect();
        for family in families.iter() {
            let groups = balancers.iter().flat_map(|balancer| &balancer.targets);
            let count = groups.filter(|group| group.members.iter().any(|member| member.family == family.name)).count();
            if count > GROUPS_OF_A_SERVICE {
                let message = format!("{} stands in {count} target groups: ECS takes {GROUPS_OF_A_SERVICE}", family.name);
                let finding = self.error(Code::BALANCER, &["x-elbv2"], message);
                finding.help = Some("let several listeners share a target group".to_owned());
            }
        }
        balancers
    }

    fn balancer(&mut self, name: &str, written: &extensions::Balancer, families: &mut [Family]) -> Balancer {
        let id = format!("{}LoadBalancer", logical(name));
        let default = if written.internet_facing { standing::PUBLIC } else { standing::TASKS };
        let targets: Vec<TargetGroup> =
            written.targets.iter().filter_map(|target| self.target(&id, target, written, families)).collect();
        let listeners = self.listeners(name, &id, written, &targets);
        self.unused(written, &targets, &listeners);
        let existing = written.existing.as_ref().map(standing::looked_up);
        // A network load balancer that is there may have no security group: the services say who may reach them.
        let lets_in = existing.is_none() || !written.network;
        if !lets_in {
            self.reached_through(written, &targets);
        }
        for target in targets.iter().filter(|_| lets_in) {
            let check = (target.health_check.port, target.health_check.protocol.as_deref().unwrap_or("TCP"));
            for member in &target.members {
                let ports = ports_of(member.port, &target.protocol);
                let asked = check.0.map(|number| ports_of(number, check.1)).unwrap_or_default();
                let Some(family) = families.iter_mut().find(|family| family.name == member.family) else { continue };
                for port in ports.into_iter().chain(asked) {
                    let rule = Ingress { from: Peer::Balancer(name.to_owned()), port, why: format!("load balancer {name}") };
                    if !family.ingress.contains(&rule) {
                        family.ingress.push(rule);
                    }
                }
            }
        }
        let subnets = written.subnets.as_ref().map_or(default, |usage| usage.value.as_str());
        let tags = written.tags.iter().map(|(key, value)| (key.clone(), Text::from(&value.value))).collect();
        Balancer {
            name: name.to_owned(),
            id,
            kind: if written.network { BalancerKind::Network } else { BalancerKind::Application },
            existing,
            physical_name: written.name.as_ref().map(Text::from),
            internet_facing: written.internet_facing,
            dual_stack: written.dual_stack,
            subnets: subnets.to_owned(),
            attributes: if written.existing.is_some() { BTreeMap::new() } else { self.attributes(written) },
            tags,
            ingress: match written.existing {
                Some(_) => Vec::new(),
                None => self.balancer_ingress(name, written, &listeners, &targets, families),
            },
            aliases: self.aliases(written),
            listeners,
            targets,
        }
    }

    /// Who comes through a network load balancer that is looked up must be let in by the services behind it.
    fn reached_through(&mut self, written: &extensions::Balancer, targets: &[TargetGroup]) {
        let mut named: Vec<&str> = targets.iter().flat_map(|target| &target.members).map(|it| it.container.as_str()).collect();
        named.sort_unstable();
        named.dedup();
        for name in named {
            let ingress = self.extensions.services.get(name).map(|service| &service.network.ingress);
            if ingress.is_some_and(|ingress| ingress.blocks.is_empty() && ingress.groups.is_empty()) {
                let message = format!("nobody may reach {name} through the load balancer, not its health check either");
                let finding = Finding::error(Code::BALANCER, message).at(written.place.clone()).path(&written.path);
                let help = format!(
                    "add services.{name}.x-network.Ingress: AwsSources with the balancer's security group, or ExtSources with its subnets"
                );
                self.findings.push(finding.help(help));
            }
        }
    }

    fn target(
        &mut self,
        balancer: &str,
        written: &extensions::Target,
        of: &extensions::Balancer,
        families: &[Family],
    ) -> Option<TargetGroup> {
        let members: Vec<TargetMember> = written.members.iter().filter_map(|member| self.member(member, families)).collect();
        if members.len() < written.members.len() || members.is_empty() {
            return None;
        }
        if of.network == matches!(written.protocol, "HTTP" | "HTTPS") {
            let message = format!("{} doesn't go with {}", written.protocol, kind(of));
            self.error_at(Code::BALANCER, &written.name, message).help = Some(protocols(of).to_owned());
        }
        self.target_attributes(&written.attributes, of.network);
        self.version(written, of);
        let check = &written.health_check;
        self.check_fits(written, of);
        if let Some(number) = check.port {
            let opens = |member: &TargetMember| {
                family_of(families, &member.family).is_some_and(|family| family.ports().iter().any(|port| port.number == number))
            };
            if !members.iter().all(opens) {
                let message = format!("the health check of {} asks port {number}, which nothing opens", written.name.value);
                self.warn_at(Code::BALANCER, &written.name, message).help =
                    Some("add the port to the service's ports".to_owned());
            }
        }
        let suffix = match (written.members.as_slice(), members.as_slice()) {
            ([one], [member]) if one.name.value == written.name.value => {
                // A container of several families stands behind the balancer once for each.
                let holds = |family: &&Family| family.containers.iter().any(|container| container.name == member.container);
                let several = families.iter().filter(holds).count() > 1;
                let family = if several { logical(&member.family) } else { String::new() };
                format!("{family}{}{}", logical(&member.container), member.port)
            }
            _ => format!("{}TargetGroup", logical(&written.name.value)),
        };
        Some(TargetGroup {
            name: written.name.value.clone(),
            id: format!("{balancer}{suffix}"),
            members,
            port: written.port.value,
            protocol: written.protocol.to_owned(),
            version: written.version,
            health_check: TargetHealthCheck {
                port: check.port,
                protocol: check.protocol.map(str::to_owned),
                healthy: check.healthy,
                unhealthy: check.unhealthy,
                interval: check.interval,
                timeout: check.timeout,
                path: check.path.clone(),
                codes: check.codes.clone(),
                grpc: check.grpc,
            },
            attributes: written.attributes.iter().map(|(key, value)| (key.clone(), Text::from(&value.value))).collect(),
            tags: written.tags.iter().map(|(key, value)| (key.clone(), Text::from(&value.value))).collect(),
        })
    }

    /// HTTP/2 and gRPC to the tasks, which only an HTTPS listener of an application load balancer speaks.
    fn version(&mut self, written: &extensions::Target, of: &extensions::Balancer) {
        let Some(version) = written.version else { return };
        if of.network {
            let message = format!("{version} doesn't go with a network load balancer");
            self.error_at(Code::BALANCER, &written.name, message).help = Some("leave ProtocolVersion out".to_owned());
            return;
        }
        let name = &written.name.value;
        let leads = |listener: &&extensions::Listener| {
            listener.protocol == "HTTP" && listener.targets.iter().any(|target| target.name.value == *name)
        };
        if let Some(listener) = of.listeners.iter().find(leads).filter(|_| version != "HTTP1") {
            let message = format!("{name} speaks {version}, which needs an HTTPS listener; port {} is HTTP", listener.port.value);
            self.error_at(Code::BALANCER, &written.name, message).help = Some("add Certificates to the listener".to_owned());
        }
    }

    /// What the balancer's kind can't ask its targets.
    fn check_fits(&mut self, written: &extensions::Target, of: &extensions::Balancer) {
        let check = &written.health_check;
        let grpc = written.version == Some("GRPC");
        let fault = match (check.protocol, check.codes.as_deref()) {
            (Some("TCP"), _) if !of.network => {
                Some("an application load balancer asks with HTTP or HTTPS, not with TCP".to_owned())
            }
            (_, Some(codes)) if !of.network && !check.grpc && above(codes, 499) => {
                Some(format!("an application load balancer takes codes from 200 to 499, not {codes}"))
            }
            (_, Some(_)) if check.grpc && !grpc => Some("GrpcCode goes with ProtocolVersion: GRPC".to_owned()),
            (_, Some(_)) if !check.grpc && grpc => Some("ProtocolVersion: GRPC goes with GrpcCode".to_owned()),
            _ => None,
        };
        if let Some(message) = fault {
            self.error_at(Code::BALANCER, &written.name, message).help = Some("correct its health check".to_owned());
        }
    }

    fn member(&mut self, written: &extensions::Member, families: &[Family]) -> Option<TargetMember> {
        let name = &written.name.value;
        let mut parts = name.splitn(3, ':');
        let family_name = parts.next().unwrap_or_default();
        let container_name = parts.next().unwrap_or(family_name);
        let Some(family) = family_of(families, family_name) else {
            let known: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
            let help = nearest(family_name, known.iter().copied())
                .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
            self.error_at(Code::BALANCER, &written.name, format!("there is no service {family_name}")).help = Some(help);
            return None;
        };
        self.one_family(&written.name, family_name, families);
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
        Some(TargetMember { family: family.name.clone(), container: container.name.clone(), port: written.port.value })
    }

    /// ECS refuses a service whose target group no listener uses.
    fn unused(&mut self, written: &extensions::Balancer, targets: &[TargetGroup], listeners: &[Listener]) {
        // One that a target is lacking of, which was said, may have meant it.
        if written.listeners.iter().any(|listener| listener.unread_targets) {
            return;
        }
        for target in targets {
            if listeners.iter().any(|listener| listener.leads_to(&target.name)) {
                continue;
            }
            let Some(service) = written.targets.iter().find(|service| service.name.value == target.name) else { continue };
            let message = format!("no listener sends requests to {}", target.name);
            self.error_at(Code::BALANCER, &service.name, message).help = Some("name it in the Targets of a listener".to_owned());
        }
    }

    fn balancer_ingress(
        &mut self,
        name: &str,
        written: &extensions::Balancer,
        listeners: &[Listener],
        targets: &[TargetGroup],
        families: &[Family],
    ) -> Vec<Ingress> {
        let all: Vec<Port> = listeners.iter().flat_map(|listener| ports_of(listener.port, &listener.protocol)).collect();
        let ports = |named: &[u16]| -> Vec<Port> {
            all.iter().copied().filter(|port| named.is_empty() || named.contains(&port.number)).collect()
        };
        let mut rules = Vec::new();
        let mut add = |from: Peer, ports: Vec<Port>, why: &str| {
            rules.extend(ports.into_iter().map(|port| Ingress { from: from.clone(), port, why: why.to_owned() }));
        };
        let mut ingress = written.ingress.clone();
        // ECS Compose-X gives a network load balancer no security group: who may reach it stands on its services.
        let said = |ingress: &extensions::Ingress| {
            !(ingress.blocks.is_empty() && ingress.groups.is_empty() && ingress.services.is_empty())
        };
        if written.network && !said(&ingress) {
            let behind = targets.iter().flat_map(|target| &target.members).map(|member| &member.container);
            for service in behind.filter_map(|container| self.extensions.services.get(container)) {
                let own = &service.network.ingress;
                ingress.blocks.extend(own.blocks.iter().cloned().map(|block| extensions::Block { ports: Vec::new(), ..block }));
                ingress
                    .groups
                    .extend(own.groups.iter().cloned().map(|group| extensions::AwsSource { ports: Vec::new(), ..group }));
            }
        }
        for block in &ingress.blocks {
            let cidr = block.cidr.value.clone();
            let why = block.why.clone().unwrap_or_else(|| format!("{cidr} may reach {name}"));
            add(if block.v6 { Peer::Cidr6(cidr) } else { Peer::Cidr4(cidr) }, ports(&block.ports), &why);
        }
        for source in &ingress.groups {
            let group = group(source);
            let why = format!("{} may reach {name}", group.lookup.words());
            add(
                if source.prefix_list { Peer::PrefixList(group) } else { Peer::SecurityGroup(group) },
                ports(&source.ports),
                &why,
            );
        }
        for source in &ingress.services {
            for family in families_of(families, &source.name.value) {
                add(Peer::Family(family.name.clone()), ports(&source.ports), &format!("{} may reach {name}", family.name));
            }
        }
        for source in &ingress.services {
            self.known_family(&source.name, families);
        }
        for block in ingress.blocks.iter().filter(|block| block.is_world()) {
            let who = format!("the load balancer {name}");
            self.world_open(&block.cidr, &who, &ports(&block.ports));
        }
        if rules.is_empty() && !listeners.is_empty() {
            let finding = Finding::warning(Code::BALANCER, format!("nobody may reach the load balancer {name}"));
            let finding = finding.at(written.place.clone()).path(&written.path);
            self.findings.push(finding.help("add MacroParameters.Ingress.ExtSources with the addresses that need it"));
        }
        rules.sort();
        rules.dedup_by(|a, b| a.from == b.from && a.port == b.port);
        rules
    }

    /// A finding where a rule names a service that isn't there.
    pub(super) fn known_family(&mut self, name: &Placed<String>, families: &[Family]) {
        if family_of(families, &name.value).is_some() {
            return;
        }
        let known: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
        let help = nearest(&name.value, known.iter().copied())
            .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
        self.error_at(Code::INGRESS, name, format!("there is no service {}", name.value)).help = Some(help);
    }

    /// A finding where a name stands for one family, and the service stands in several.
    pub(super) fn one_family(&mut self, at: &Placed<String>, name: &str, families: &[Family]) {
        let found = families_of(families, name);
        if let [first, _, ..] = found.as_slice() {
            let names = found.iter().map(|family| family.name.as_str()).collect::<Vec<_>>().join(", ");
            let message = format!("{name} stands in several families: {names}");
            self.error_at(Code::FAMILY, at, message).help = Some(format!("say which, as in {}:{name}", first.name));
        }
    }

    fn attributes(&mut self, written: &extensions::Balancer) -> BTreeMap<String, Text> {
        let mut attributes = BTreeMap::new();
        if !written.network {
            let idle = written.idle_timeout.unwrap_or(IDLE_TIMEOUT);
            attributes.insert("idle_timeout.timeout_seconds".to_owned(), Text::from(idle.to_string()));
            attributes.insert("routing.http.drop_invalid_header_fields.enabled".to_owned(), Text::from("true"));
        }
        if written.idle_timeout.is_some() && written.network {
            let finding = Finding::error(Code::BALANCER, "timeout_seconds is nothing that a network load balancer has");
            self.findings.push(finding.at(written.place.clone()).path(&written.path).help("leave it out"));
        }
        self.balancer_attributes(&written.attributes, written.network);
        attributes.extend(written.attributes.iter().map(|(key, value)| (key.clone(), Text::from(&value.value))));
        attributes
    }

    fn aliases(&mut self, written: &extensions::Balancer) -> Vec<Alias> {
        let mut aliases: Vec<Alias> = Vec::new();
        for alias in &written.aliases {
            let Some(zone) = self.zone(&alias.zone) else { continue };
            for name in &alias.names {
                self.inside(name, &zone);
                let alias = Alias { name: Text::from(&name.value), zone: zone.clone() };
                if aliases.contains(&alias) {
                    self.error_at(Code::ALIAS, name, format!("{} leads to the balancer twice", name.value)).help =
                        Some("keep one of the two".to_owned());
                } else {
                    aliases.push(alias);
                }
            }
        }
        aliases
    }
}

/// A source of `AwsSources` as the group or list that it is.
pub(super) fn group(source: &extensions::AwsSource) -> Group {
    let lookup = standing::looked_up(&source.wanted);
    Group { id: standing::lookup_id(&lookup), owner: source.owner.as_ref().map(Text::from), lookup }
}

/// What a protocol of a balancer opens on a port.
pub(super) fn ports_of(number: u16, protocol: &str) -> Vec<Port> {
    let protocols: &[Protocol] = match protocol {
        "UDP" => &[Protocol::Udp],
        "TCP_UDP" => &[Protocol::Tcp, Protocol::Udp],
        _ => &[Protocol::Tcp],
    };
    protocols.iter().map(|protocol| Port { number, protocol: *protocol }).collect()
}

pub(super) fn kind(balancer: &extensions::Balancer) -> &'static str {
    if balancer.network { "a network load balancer" } else { "an application load balancer" }
}

pub(super) fn protocols(balancer: &extensions::Balancer) -> &'static str {
    if balancer.network {
        "it speaks TCP, TLS, UDP or TCP_UDP"
    } else {
        "it speaks HTTP or HTTPS; for others set Properties.Type: network"
    }
}
