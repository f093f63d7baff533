//! The names that lead to what the stack itself deploys, each with the ports behind it and who is let in: for preflight, which can't ask
//! there yet and looks at the wiring instead.

use std::collections::{BTreeMap, BTreeSet};

use crate::preflight::OwnHost;
use crate::stack::{Balancer, Connect, Family, Ingress, Peer, Stack};

/// The names of the stack's containers, those in its namespaces and in Service Connect, and those of its load balancers.
pub(super) fn own_hosts(stack: &Stack) -> BTreeMap<String, OwnHost> {
    let mut hosts = BTreeMap::new();
    for family in &stack.families {
        let host = |service: &str, found: bool| OwnHost {
            service: service.to_owned(),
            found,
            known_to: None,
            ports: family.ports().iter().map(|port| port.number).collect(),
            lets_in: let_in(stack, &family.name, &family.ingress),
        };
        for container in &family.containers {
            hosts.entry(container.name.clone()).or_insert_with(|| host(&container.name, false));
        }
        if let Some(connect) = &family.connect {
            for (name, host) in in_service_connect(stack, family, connect) {
                hosts.insert(name, host);
            }
        }
        let Some(registration) = &family.registration else { continue };
        let zone = stack.namespaces.get(&registration.namespace).and_then(|namespace| namespace.name.literal());
        hosts.extend(zone.map(|zone| (format!("{}.{zone}", registration.name), host(&family.name, true))));
    }
    for balancer in &stack.balancers {
        let names = balancer.aliases.iter().filter_map(|alias| alias.name.literal());
        hosts.extend(names.map(|name| (name.to_owned(), behind(stack, balancer))));
    }
    hosts
}

/// A name of Service Connect: only who takes part in its namespace knows it, and its port may be another than the container's.
fn in_service_connect(stack: &Stack, family: &Family, connect: &Connect) -> BTreeMap<String, OwnHost> {
    let takes_part = |other: &&Family| other.connect.as_ref().is_some_and(|other| other.namespace == connect.namespace);
    let known_to: BTreeSet<String> = stack.families.iter().filter(takes_part).flat_map(containers).collect();
    let let_in = let_in(stack, &family.name, &family.ingress);
    let mut hosts: BTreeMap<String, OwnHost> = BTreeMap::new();
    for offer in &connect.offers {
        for (name, port) in &offer.aliases {
            let host = hosts.entry(name.clone()).or_insert_with(|| OwnHost {
                service: family.name.clone(),
                found: true,
                known_to: Some(known_to.clone()),
                ..OwnHost::default()
            });
            host.ports.insert(*port);
            let may = let_in.iter().filter(|(_, open)| *open == offer.port);
            host.lets_in.extend(may.map(|(service, _)| (service.clone(), *port)));
        }
    }
    hosts
}

/// A load balancer, by a name of its own.
fn behind(stack: &Stack, balancer: &Balancer) -> OwnHost {
    let ports = || balancer.listeners.iter().map(|listener| listener.port);
    let lets_in = if balancer.existing.is_some() {
        // Whom one that is there lets in only the account knows.
        let all = stack.families.iter().flat_map(containers);
        all.flat_map(|service| ports().map(move |port| (service.clone(), port))).collect()
    } else {
        let_in(stack, "", &balancer.ingress)
    };
    OwnHost {
        service: format!("the load balancer {}", balancer.name),
        found: true,
        known_to: None,
        ports: ports().collect(),
        lets_in,
    }
}

/// The services that rules let in, by port.
fn let_in(stack: &Stack, itself: &str, rules: &[Ingress]) -> BTreeSet<(String, u16)> {
    let of = |rule: &Ingress| -> Vec<String> {
        let of_family = |name: &str| stack.family(name).into_iter().flat_map(containers).collect();
        match &rule.from {
            Peer::Myself => of_family(itself),
            Peer::Family(name) => of_family(name),
            // Tasks that stand behind a balancer don't come from it.
            Peer::Balancer(_) => Vec::new(),
            // Addresses and groups of the account: whether the tasks' are among them only the account knows.
            Peer::Cidr4(_) | Peer::Cidr6(_) | Peer::SecurityGroup(_) | Peer::PrefixList(_) => {
                stack.families.iter().flat_map(containers).collect()
            }
        }
    };
    rules.iter().flat_map(|rule| of(rule).into_iter().map(|service| (service, rule.port.number))).collect()
}

fn containers(family: &Family) -> impl Iterator<Item = String> {
    family.containers.iter().map(|container| container.name.clone())
}
