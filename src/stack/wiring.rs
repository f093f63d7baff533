//! Who may reach whom: found from `depends_on`, from addresses in plain values, from `x-network`, and from what is known of a
//! component. Each rule says why it is there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::balancing::group;
use super::build::Builder;
use super::container::listening;
use super::{Connect, ConnectNamespace, Family, Ingress, Namespace, Offer, Peer, Port, Protocol};
use crate::base::Code;

/// What a name in an address is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    /// A service's own, which is no name on ECS.
    Bare,
    /// In Cloud Map.
    Full,
    /// In Service Connect, for the clients of its namespace.
    Connect,
}

/// An address found in a value: at which of the names, and the port it says.
struct Address<'v> {
    host: &'v str,
    name: Name,
    port: Option<u16>,
}

/// The families by every name that an address or a rule can give them.
struct Hosts {
    /// Families by their own name, or by that of a service in them, which may stand in several.
    families: HashMap<String, Vec<usize>>,
    /// What can stand in an address.
    addresses: HashMap<String, Vec<(usize, Name)>>,
    /// The full name of each family, where it has one.
    full: Vec<Option<String>>,
}

impl Hosts {
    fn of(families: &[Family], namespaces: &BTreeMap<String, Namespace>) -> Self {
        let mut hosts = Self { families: HashMap::new(), addresses: HashMap::new(), full: Vec::with_capacity(families.len()) };
        for (index, family) in families.iter().enumerate() {
            for container in &family.containers {
                hosts.families.entry(container.name.clone()).or_default().push(index);
                hosts.addresses.entry(container.name.clone()).or_default().push((index, Name::Bare));
            }
            let full = family.registration.as_ref().and_then(|registration| {
                let zone = namespaces.get(&registration.namespace)?.name.literal()?;
                Some(format!("{}.{zone}", registration.name))
            });
            if let Some(full) = &full {
                hosts.addresses.entry(full.clone()).or_default().push((index, Name::Full));
            }
            for alias in family.connect.iter().flat_map(|connect| connected_names(connect, namespaces)) {
                hosts.addresses.entry(alias).or_default().push((index, Name::Connect));
            }
            hosts.full.push(full);
        }
        // A family's own name goes before that of a service in another.
        hosts.families.extend(families.iter().enumerate().map(|(index, family)| (family.name.clone(), vec![index])));
        hosts
    }

    fn families<'f>(&self, families: &'f [Family], name: &str) -> impl Iterator<Item = &'f Family> {
        self.families.get(name).into_iter().flatten().filter_map(|index| families.get(*index))
    }
}

impl Builder<'_> {
    /// Gives every family its rules. They are sorted, and of two for the same peer and port the first to say why stays.
    pub(super) fn wiring(&mut self, families: &mut [Family], namespaces: &BTreeMap<String, Namespace>) {
        let mut found: Vec<(String, Ingress)> = Vec::new();
        let hosts = Hosts::of(families, namespaces);
        for family in families.iter() {
            self.addresses(family, families, &hosts, &mut found);
            self.dependencies(family, families, &hosts, &mut found);
            self.written(family, families, &hosts, &mut found);
            self.group_members(family, &mut found);
        }
        let mut by_target: HashMap<String, Vec<Ingress>> = HashMap::new();
        for (target, ingress) in found {
            by_target.entry(target).or_default().push(ingress);
        }
        for family in families {
            let mut known: BTreeSet<(Peer, Port)> =
                family.ingress.iter().map(|ingress| (ingress.from.clone(), ingress.port)).collect();
            for ingress in by_target.remove(&family.name).unwrap_or_default() {
                if known.insert((ingress.from.clone(), ingress.port)) {
                    family.ingress.push(ingress);
                }
            }
            family.ingress.sort();
        }
    }

    /// A value that holds another family's host and port.
    fn addresses(&mut self, family: &Family, families: &[Family], hosts: &Hosts, found: &mut Vec<(String, Ingress)>) {
        for container in &family.containers {
            let variables = container.environment.iter().map(|(name, value)| ("environment", Some(name.as_str()), value));
            let command = container.command.iter().flatten().map(|word| ("command", None, word));
            let entrypoint = container.entrypoint.iter().flatten().map(|word| ("entrypoint", None, word));
            for (key, variable, value) in variables.chain(command).chain(entrypoint) {
                let path = [key, variable.unwrap_or_default()];
                let path = &path[..=usize::from(variable.is_some())];
                let Some(value) = value.literal() else { continue };
                let found_here = addresses(value, &hosts.addresses);
                for (index, address) in &found_here {
                    let Some(target) = families.get(*index).filter(|target| target.name != family.name) else { continue };
                    // A container of the same task is meant, whatever other tasks have it too.
                    if address.name == Name::Bare && family.containers.iter().any(|other| other.name == address.host) {
                        continue;
                    }
                    // One word may be a service's name and, for clients of Service Connect, a name that leads there.
                    let better = |other: &(usize, Address<'_>)| other.0 == *index && other.1.host == address.host;
                    let connected = namespace_shared(family, target);
                    let shadowed = match address.name {
                        Name::Bare => connected && found_here.iter().any(|other| better(other) && other.1.name == Name::Connect),
                        Name::Connect => {
                            !connected && found_here.iter().any(|other| better(other) && other.1.name != Name::Connect)
                        }
                        Name::Full => false,
                    };
                    if shadowed {
                        continue;
                    }
                    let full = hosts.full.get(*index).and_then(Option::as_deref);
                    self.address(family, container.name.as_str(), path, target, full, address, found);
                }
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn address(
        &mut self,
        family: &Family,
        service: &str,
        key: &[&str],
        target: &Family,
        full: Option<&str>,
        address: &Address<'_>,
        found: &mut Vec<(String, Ingress)>,
    ) {
        let mut path = vec!["services", service];
        path.extend(key);
        let name = key.last().copied().unwrap_or_default();
        if address.name == Name::Bare {
            let message = format!("{name} names {}, which is no name on ECS", target.name);
            let help = match full {
                Some(full) => format!("write {full}"),
                None => "add x-cloudmap with a namespace, and write the service's name in it".to_owned(),
            };
            self.warn(Code::ADDRESS, &path, message).help = Some(help);
        }
        if address.name == Name::Connect && !namespace_shared(family, target) {
            let message = format!("{name} names {}, which only clients of Service Connect know", address.host);
            self.warn(Code::ADDRESS, &path, message).help =
                Some(format!("add x-network.x-ecs_connect with the same namespace to {}", family.name));
        }
        let Some(mut number) = address.port else { return };
        let mut opens: Vec<u16> = target.ports().iter().map(|port| port.number).collect();
        if address.name == Name::Connect {
            // Clients use the alias's port; the proxy beside the container listens on its own.
            let offers = || target.connect.iter().flat_map(|connect| &connect.offers);
            opens = offers().flat_map(alias_ports).collect();
            if let Some(offer) = offers().find(|offer| alias_ports(offer).contains(&number)) {
                number = offer.ingress_port.unwrap_or(offer.port);
                opens.push(number);
            }
        }
        let port = Port { number, protocol: Protocol::Tcp };
        if !opens.contains(&number) {
            let message = format!("{name} names port {number} of {}, which opens no such port", target.name);
            let opens = opens.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
            self.warn(Code::ADDRESS, &path, message).help = Some(format!("{} opens {opens}", target.name));
        }
        let why = format!("{} of {} names {}", name, family.name, target.name);
        found.push((target.name.clone(), Ingress { from: Peer::Family(family.name.clone()), port, why }));
    }

    fn dependencies(&mut self, family: &Family, families: &[Family], hosts: &Hosts, found: &mut Vec<(String, Ingress)>) {
        for container in &family.containers {
            let Some(service) = self.project.services.get(&container.name) else { continue };
            for name in service.depends_on.keys() {
                // One in the same task is meant, whatever other tasks have it too.
                if family.containers.iter().any(|other| other.name == *name) {
                    continue;
                }
                for target in hosts.families(families, name) {
                    let why = format!("{} depends on {name}", family.name);
                    let from = Peer::Family(family.name.clone());
                    let mut ports = target.ports();
                    if namespace_shared(family, target) {
                        let offers = target.connect.iter().flat_map(|connect| &connect.offers);
                        let numbers = offers.filter_map(|offer| offer.ingress_port);
                        ports.extend(numbers.map(|number| Port { number, protocol: Protocol::Tcp }));
                    }
                    let rule = |port| (target.name.clone(), Ingress { from: from.clone(), port, why: why.clone() });
                    found.extend(ports.into_iter().map(rule));
                }
            }
        }
    }

    /// `x-network.Ingress`.
    fn written(&mut self, family: &Family, families: &[Family], hosts: &Hosts, found: &mut Vec<(String, Ingress)>) {
        let extensions = self.extensions;
        for container in &family.containers {
            let Some(service) = extensions.services.get(&container.name) else { continue };
            let ingress = &service.network.ingress;
            let own = |ports: &[u16]| ports_or(ports, family);
            let mut add = |from: Peer, ports: &[u16], why: &str| {
                let rules = own(ports).into_iter().map(|port| Ingress { from: from.clone(), port, why: why.to_owned() });
                found.extend(rules.map(|rule| (family.name.clone(), rule)));
            };
            if ingress.myself {
                add(Peer::Myself, &[], &format!("tasks of {} reach each other", family.name));
            }
            for block in &ingress.blocks {
                let why = block.why.clone().unwrap_or_else(|| format!("{} may reach {}", block.cidr.value, family.name));
                let cidr = block.cidr.value.clone();
                add(if block.v6 { Peer::Cidr6(cidr) } else { Peer::Cidr4(cidr) }, &block.ports, &why);
            }
            for source in &ingress.groups {
                let group = group(source);
                let why = format!("{} may reach {}", group.lookup.words(), family.name);
                let peer = if source.prefix_list { Peer::PrefixList(group) } else { Peer::SecurityGroup(group) };
                add(peer, &source.ports, &why);
            }
            for source in &ingress.services {
                for from in hosts.families(families, &source.name.value) {
                    let peer = if from.name == family.name { Peer::Myself } else { Peer::Family(from.name.clone()) };
                    add(peer, &source.ports, &format!("{} may reach {}", from.name, family.name));
                }
            }
            for source in &ingress.services {
                self.known_family(&source.name, families);
            }
            self.opened(family, ingress);
            for block in ingress.blocks.iter().filter(|block| block.is_world()) {
                self.world_open(&block.cidr, &family.name, &own(&block.ports));
            }
        }
    }

    /// A rule for a port that nothing listens on does nothing.
    fn opened(&mut self, family: &Family, ingress: &crate::extensions::Ingress) {
        let opens: Vec<u16> = family.ports().iter().map(|port| port.number).collect();
        let blocks = ingress.blocks.iter().map(|block| (block.cidr.place.clone(), block.cidr.path.clone(), &block.ports));
        let groups = ingress.groups.iter().map(|group| (group.at.place.clone(), group.at.path.clone(), &group.ports));
        let services = ingress.services.iter().map(|source| (source.name.place.clone(), source.name.path.clone(), &source.ports));
        for (place, path, ports) in blocks.chain(groups).chain(services) {
            for port in ports.iter().filter(|port| !opens.contains(port)) {
                let at = crate::extensions::Placed { value: (), place: place.clone(), path: path.clone() };
                let opened = opens.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
                let message = format!("{} opens no port {port}: the rule lets nobody in", family.name);
                self.warn_at(Code::INGRESS, &at, message).help = Some(format!("{} opens {opened}", family.name));
            }
        }
    }

    /// A rule for the whole internet is made when the files say so, and said.
    pub(super) fn world_open(&mut self, cidr: &crate::extensions::Placed<String>, who: &str, ports: &[Port]) {
        let ports = ports.iter().map(|port| port.number.to_string()).collect::<Vec<_>>().join(", ");
        let message = format!("{who} is open to the whole internet on port {ports}");
        self.warn_at(Code::WORLD_OPEN, cidr, message).help = Some("name the addresses that need it".to_owned());
    }

    /// Members of a group that forward requests to each other.
    fn group_members(&mut self, family: &Family, found: &mut Vec<(String, Ingress)>) {
        for container in &family.containers {
            let Some(component) = self.components.get(&container.name).copied() else { continue };
            if component.start.advertised_host.is_none() {
                continue;
            }
            let number = listening(component, &container.ports);
            let why = format!("{} tasks forward requests to their leader", component.title);
            let port = Port { number, protocol: Protocol::Tcp };
            found.push((family.name.clone(), Ingress { from: Peer::Myself, port, why }));
        }
    }
}

/// The ports that a rule names, or all of the family.
fn ports_or(ports: &[u16], family: &Family) -> Vec<Port> {
    if ports.is_empty() {
        return family.ports();
    }
    let own = family.ports();
    let of = |number: u16| {
        let known: Vec<Port> = own.iter().copied().filter(|port| port.number == number).collect();
        if known.is_empty() { vec![Port { number, protocol: Protocol::Tcp }] } else { known }
    };
    ports.iter().flat_map(|number| of(*number)).collect()
}

/// Whether two families meet in a namespace of Service Connect.
fn namespace_shared(one: &Family, other: &Family) -> bool {
    let namespace = |family: &Family| family.connect.as_ref().map(|connect| connect.namespace.clone());
    namespace(one).is_some_and(|namespace_of_one| namespace(other) == Some(namespace_of_one))
}

/// The ports that clients of Service Connect use: those of its names, else the container's own.
fn alias_ports(offer: &Offer) -> Vec<u16> {
    if offer.aliases.is_empty() { vec![offer.port] } else { offer.aliases.iter().map(|(_, port)| *port).collect() }
}

/// The names that clients of Service Connect know a family by.
fn connected_names(connect: &Connect, namespaces: &BTreeMap<String, Namespace>) -> Vec<String> {
    let zone = match &connect.namespace {
        ConnectNamespace::Named(key) => namespaces.get(key).and_then(|namespace| namespace.name.literal()),
        ConnectNamespace::Other(_) => None,
    };
    let names = |offer: &Offer| {
        let default = zone.filter(|_| offer.aliases.is_empty()).map(|zone| format!("{}.{zone}", offer.discovery_name));
        offer.aliases.iter().map(|(name, _)| name.clone()).chain(default).collect::<Vec<_>>()
    };
    connect.offers.iter().flat_map(names).collect()
}

/// A family by its own name or by that of a service in it; of several with the service, the first.
pub(super) fn family_of<'f>(families: &'f [Family], name: &str) -> Option<&'f Family> {
    families_of(families, name).first().copied()
}

/// The family of this name, else those with a service of this name.
pub(super) fn families_of<'f>(families: &'f [Family], name: &str) -> Vec<&'f Family> {
    match families.iter().find(|family| family.name == name) {
        Some(own) => vec![own],
        None => families.iter().filter(|family| family.containers.iter().any(|container| container.name == name)).collect(),
    }
}

/// Every place in a value where one of the names stands as a host: with a port behind it, or behind a scheme.
fn addresses<'v>(value: &'v str, names: &HashMap<String, Vec<(usize, Name)>>) -> Vec<(usize, Address<'v>)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.find(is_part) {
        let begins = value.len() - rest.len() + start;
        let length = rest[start..].find(|c| !is_part(c)).unwrap_or(rest.len() - start);
        rest = &rest[start + length..];
        let host = &value[begins..begins + length];
        let Some(targets) = names.get(host) else { continue };
        let scheme = value[..begins].strip_suffix("://").map(|before| {
            let word: String = before.chars().rev().take_while(char::is_ascii_alphanumeric).collect();
            word.chars().rev().collect::<String>()
        });
        let digits: String = rest.strip_prefix(':').unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
        let after = rest.get(if digits.is_empty() { 0 } else { digits.len() + 1 }..).unwrap_or_default().chars().next();
        if after.is_some_and(is_part) {
            continue;
        }
        let port = match (digits.parse(), scheme.as_deref()) {
            (Ok(port), _) => Some(port),
            (Err(_), Some("http")) => Some(80),
            (Err(_), Some("https")) => Some(443),
            (Err(_), Some(_)) => None,
            (Err(_), None) => continue,
        };
        found.extend(targets.iter().map(|(target, name)| (*target, Address { host, name: *name, port })));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{Name, addresses};

    fn ports(value: &str) -> Vec<(bool, Option<u16>)> {
        let names = [("connect", Name::Bare), ("connect.dev.lan", Name::Full)];
        let names = names.map(|(name, kind)| (name.to_owned(), vec![(0, kind)])).into();
        addresses(value, &names).iter().map(|(_, address)| (address.name == Name::Bare, address.port)).collect()
    }

    #[test]
    fn an_address_is_a_name_with_a_port_or_a_scheme() {
        assert_eq!(ports("dev::http://connect.dev.lan:8083"), [(false, Some(8083))]);
        assert_eq!(ports("connect:8083,connect:8084"), [(true, Some(8083)), (true, Some(8084))]);
        assert_eq!(ports("https://connect/x"), [(true, Some(443))]);
        assert_eq!(ports("jdbc:x://connect/y"), [(true, None)]);
        for other in ["connect", "connect-configs:1", "my-connect:8083", "connect.prod.lan:8083", "connect:8083x", "x.connect:1"]
        {
            assert_eq!(ports(other), [], "{other}");
        }
    }
}
