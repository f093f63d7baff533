//! Who may reach whom: found from `depends_on`, from addresses in plain values, from `x-network`, and from what is known of a
//! component. Each rule says why it is there.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::build::Builder;
use super::container::listening;
use super::{Family, Ingress, Namespace, Peer, Port, Protocol, Text};
use crate::base::{Code, nearest};

/// An address found in a value: at which of the names, and the port it says.
struct Address {
    bare: bool,
    port: Option<u16>,
}

/// The families by every name that an address or a rule can give them.
struct Hosts {
    /// Families by their own name, or by that of a service in them.
    families: HashMap<String, usize>,
    /// What can stand in an address: the names of services, which are no names on ECS, and full names.
    addresses: HashMap<String, Vec<(usize, bool)>>,
    /// The full name of each family, where it has one.
    full: Vec<Option<String>>,
}

impl Hosts {
    fn of(families: &[Family], namespaces: &BTreeMap<String, Namespace>) -> Self {
        let mut hosts = Self { families: HashMap::new(), addresses: HashMap::new(), full: Vec::with_capacity(families.len()) };
        for (index, family) in families.iter().enumerate() {
            for container in &family.containers {
                hosts.families.entry(container.name.clone()).or_insert(index);
                hosts.addresses.entry(container.name.clone()).or_default().push((index, true));
            }
            let full = family.registration.as_ref().and_then(|registration| {
                let zone = namespaces.get(&registration.namespace)?.name.literal()?;
                Some(format!("{}.{zone}", registration.name))
            });
            if let Some(full) = &full {
                hosts.addresses.entry(full.clone()).or_default().push((index, false));
            }
            hosts.full.push(full);
        }
        // A family's own name goes before that of a service in another.
        hosts.families.extend(families.iter().enumerate().map(|(index, family)| (family.name.clone(), index)));
        hosts
    }

    fn family<'f>(&self, families: &'f [Family], name: &str) -> Option<&'f Family> {
        families.get(*self.families.get(name)?)
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
            let variables = container.environment.iter().map(|(name, value)| (vec!["environment", name.as_str()], value));
            let words = |key: &'static str, words: &'_ Option<Vec<Text>>| -> Vec<(Vec<&str>, Text)> {
                words.iter().flatten().map(|word| (vec![key], word.clone())).collect()
            };
            let command = [words("command", &container.command), words("entrypoint", &container.entrypoint)].concat();
            let values = variables.map(|(path, value)| (path, value.clone())).chain(command);
            for (path, value) in values {
                let Some(value) = value.literal() else { continue };
                for (index, address) in addresses(value, &hosts.addresses) {
                    let Some(target) = families.get(index).filter(|target| target.name != family.name) else { continue };
                    let full = hosts.full.get(index).and_then(Option::as_deref);
                    self.address(family, container.name.as_str(), &path, target, full, &address, found);
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
        address: &Address,
        found: &mut Vec<(String, Ingress)>,
    ) {
        let mut path = vec!["services", service];
        path.extend(key);
        let name = key.last().copied().unwrap_or_default();
        if address.bare {
            let message = format!("{name} names {}, which is no name on ECS", target.name);
            let help = match full {
                Some(full) => format!("write {full}"),
                None => "add x-cloudmap with a namespace, and write the service's name in it".to_owned(),
            };
            self.warn(Code::ADDRESS, &path, message).help = Some(help);
        }
        let Some(number) = address.port else { return };
        let port = Port { number, protocol: Protocol::Tcp };
        if !target.ports().contains(&port) {
            let message = format!("{name} names port {number} of {}, which opens no such port", target.name);
            let opens = target.ports().iter().map(|port| port.number.to_string()).collect::<Vec<_>>().join(", ");
            self.warn(Code::ADDRESS, &path, message).help = Some(format!("{} opens {opens}", target.name));
        }
        let why = format!("{} of {} names {}", name, family.name, target.name);
        found.push((target.name.clone(), Ingress { from: Peer::Family(family.name.clone()), port, why }));
    }

    fn dependencies(&mut self, family: &Family, families: &[Family], hosts: &Hosts, found: &mut Vec<(String, Ingress)>) {
        for container in &family.containers {
            let Some(service) = self.project.services.get(&container.name) else { continue };
            for name in service.depends_on.keys() {
                let Some(target) = hosts.family(families, name).filter(|target| target.name != family.name) else { continue };
                let why = format!("{} depends on {name}", family.name);
                let from = Peer::Family(family.name.clone());
                found.extend(
                    target
                        .ports()
                        .into_iter()
                        .map(|port| (target.name.clone(), Ingress { from: from.clone(), port, why: why.clone() })),
                );
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
            for group in &ingress.groups {
                let id = Text::from(&group.id.value);
                let peer = if group.prefix_list { Peer::PrefixList(id) } else { Peer::SecurityGroup(id) };
                add(peer, &group.ports, &format!("{} may reach {}", group.id.value, family.name));
            }
            for source in &ingress.services {
                let from = hosts.family(families, &source.name.value);
                if let Some(from) = from {
                    let peer = if from.name == family.name { Peer::Myself } else { Peer::Family(from.name.clone()) };
                    add(peer, &source.ports, &format!("{} may reach {}", from.name, family.name));
                }
            }
            for source in &ingress.services {
                if hosts.family(families, &source.name.value).is_none() {
                    let known: Vec<&str> = families.iter().map(|family| family.name.as_str()).collect();
                    let help = nearest(&source.name.value, known.iter().copied())
                        .map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean {near}?"));
                    let message = format!("there is no service {}", source.name.value);
                    self.error_at(Code::INGRESS, &source.name, message).help = Some(help);
                }
            }
            for block in ingress.blocks.iter().filter(|block| block.is_world()) {
                self.world_open(&block.cidr, &family.name, &own(&block.ports));
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
    ports.iter().map(|number| Port { number: *number, protocol: Protocol::Tcp }).collect()
}

/// A family by its own name or by that of a service in it.
pub(super) fn family_of<'f>(families: &'f [Family], name: &str) -> Option<&'f Family> {
    let own = families.iter().find(|family| family.name == name);
    own.or_else(|| families.iter().find(|family| family.containers.iter().any(|container| container.name == name)))
}

/// Every place in a value where one of the names stands as a host: with a port behind it, or behind a scheme.
fn addresses(value: &str, names: &HashMap<String, Vec<(usize, bool)>>) -> Vec<(usize, Address)> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_');
    let mut found = Vec::new();
    let mut rest = value;
    while let Some(start) = rest.find(is_part) {
        let begins = value.len() - rest.len() + start;
        let length = rest[start..].find(|c| !is_part(c)).unwrap_or(rest.len() - start);
        rest = &rest[start + length..];
        let Some(targets) = names.get(&value[begins..begins + length]) else { continue };
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
        found.extend(targets.iter().map(|(target, bare)| (*target, Address { bare: *bare, port })));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::addresses;

    fn ports(value: &str) -> Vec<(bool, Option<u16>)> {
        let names = [("connect", true), ("connect.dev.lan", false)].map(|(name, bare)| (name.to_owned(), vec![(0, bare)])).into();
        addresses(value, &names).iter().map(|(_, address)| (address.bare, address.port)).collect()
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
