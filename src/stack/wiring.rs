//! Who may reach whom: found from `depends_on`, from addresses in plain values, from `x-network`, and from what is known of a
//! component. Each rule says why it is there.

use std::collections::BTreeMap;

use super::build::Builder;
use super::container::listening;
use super::{Family, Ingress, Namespace, Peer, Port, Protocol, Text};
use crate::base::{Code, nearest};

/// An address found in a value: at which of the names, and the port it says.
struct Address {
    bare: bool,
    port: Option<u16>,
}

impl Builder<'_> {
    /// Gives every family its rules. They are sorted, and of two for the same peer and port the first to say why stays.
    pub(super) fn wiring(&mut self, families: &mut [Family], namespaces: &BTreeMap<String, Namespace>) {
        let mut found: Vec<(String, Ingress)> = Vec::new();
        for family in families.iter() {
            self.addresses(family, families, namespaces, &mut found);
            self.dependencies(family, families, &mut found);
            self.written(family, families, &mut found);
            self.group_members(family, &mut found);
        }
        for family in families {
            let new = found.iter().filter(|(target, _)| *target == family.name).map(|(_, ingress)| ingress.clone());
            for ingress in new {
                let known = family.ingress.iter().any(|other| other.from == ingress.from && other.port == ingress.port);
                if !known {
                    family.ingress.push(ingress);
                }
            }
            family.ingress.sort();
        }
    }

    /// A value that holds another family's host and port.
    fn addresses(
        &mut self,
        family: &Family,
        families: &[Family],
        namespaces: &BTreeMap<String, Namespace>,
        found: &mut Vec<(String, Ingress)>,
    ) {
        for target in families.iter().filter(|target| target.name != family.name) {
            let full = target.registration.as_ref().and_then(|registration| {
                let zone = namespaces.get(&registration.namespace)?.name.literal()?;
                Some(format!("{}.{zone}", registration.name))
            });
            let bare: Vec<&str> = target.containers.iter().map(|container| container.name.as_str()).collect();
            for container in &family.containers {
                let variables = container.environment.iter().map(|(name, value)| (vec!["environment", name.as_str()], value));
                let words = |key: &'static str, words: &'_ Option<Vec<Text>>| -> Vec<(Vec<&str>, Text)> {
                    words.iter().flatten().map(|word| (vec![key], word.clone())).collect()
                };
                let command = [words("command", &container.command), words("entrypoint", &container.entrypoint)].concat();
                let values = variables.map(|(path, value)| (path, value.clone())).chain(command);
                for (path, value) in values {
                    let Some(value) = value.literal() else { continue };
                    for address in addresses(value, &bare, full.as_deref()) {
                        self.address(family, container.name.as_str(), &path, target, full.as_deref(), &address, found);
                    }
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

    fn dependencies(&mut self, family: &Family, families: &[Family], found: &mut Vec<(String, Ingress)>) {
        for container in &family.containers {
            let Some(service) = self.project.services.get(&container.name) else { continue };
            for name in service.depends_on.keys() {
                let Some(target) = family_of(families, name).filter(|target| target.name != family.name) else { continue };
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
    fn written(&mut self, family: &Family, families: &[Family], found: &mut Vec<(String, Ingress)>) {
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
                let from = family_of(families, &source.name.value);
                if let Some(from) = from {
                    let peer = if from.name == family.name { Peer::Myself } else { Peer::Family(from.name.clone()) };
                    add(peer, &source.ports, &format!("{} may reach {}", from.name, family.name));
                }
            }
            for source in &ingress.services {
                if family_of(families, &source.name.value).is_none() {
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
fn addresses(value: &str, bare: &[&str], full: Option<&str>) -> Vec<Address> {
    let mut found = Vec::new();
    let names = bare.iter().map(|name| (*name, true)).chain(full.map(|name| (name, false)));
    for (name, bare) in names {
        for (start, _) in value.match_indices(name) {
            let before = value[..start].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_')) {
                continue;
            }
            let rest = &value[start + name.len()..];
            let scheme = value[..start].strip_suffix("://").map(|before| {
                let word: String = before.chars().rev().take_while(char::is_ascii_alphanumeric).collect();
                word.chars().rev().collect::<String>()
            });
            let digits: String = rest.strip_prefix(':').unwrap_or_default().chars().take_while(char::is_ascii_digit).collect();
            let after = rest.get(if digits.is_empty() { 0 } else { digits.len() + 1 }..).unwrap_or_default().chars().next();
            let ends = after.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '.' | '-' | '_')));
            if !ends {
                continue;
            }
            let port = match (digits.parse(), scheme.as_deref()) {
                (Ok(port), _) => Some(port),
                (Err(_), Some("http")) => Some(80),
                (Err(_), Some("https")) => Some(443),
                (Err(_), Some(_)) => None,
                (Err(_), None) => continue,
            };
            found.push(Address { bare, port });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::addresses;

    fn ports(value: &str) -> Vec<(bool, Option<u16>)> {
        addresses(value, &["connect"], Some("connect.dev.lan")).iter().map(|address| (address.bare, address.port)).collect()
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
