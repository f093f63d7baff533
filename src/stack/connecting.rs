//! Service Connect: which namespace a family is a client of, and which of its ports it offers there.

use std::collections::BTreeMap;

use super::build::Builder;
use super::family::Member;
use super::{Connect, ConnectNamespace, Container, Namespace, Offer, Protocol, Registration, Text};
use crate::base::{Code, nearest};
use crate::extensions;

impl Builder<'_> {
    pub(super) fn connect(
        &mut self,
        family: &str,
        members: &[Member<'_>],
        containers: &[Container],
        registration: Option<&Registration>,
        namespaces: &BTreeMap<String, Namespace>,
    ) -> Option<Connect> {
        let mut asked = members.iter().filter_map(|member| member.extensions.network.connect.as_ref());
        let written = asked.next()?;
        if let Some(second) = asked.next() {
            let message = "Service Connect can be set once only in a family";
            self.error_at(Code::CONNECT, &second.namespace, message).help = Some("keep it at one of its services".to_owned());
        }
        let namespace = self.connect_namespace(written, namespaces)?;
        let mut offers: Vec<Offer> = Vec::new();
        for offer in &written.offers {
            let Some((container, port, port_name)) = self.offered(offer, members, containers) else { continue };
            if offers.iter().any(|other| other.port_name == port_name) {
                let message = format!("{port_name} is offered twice");
                self.error_at(Code::CONNECT, &offer.port, message).help = Some("write its names under one entry".to_owned());
                continue;
            }
            let taken = |name: &str, offers: &[Offer]| {
                let in_cloud_map = registration.is_some_and(|registration| {
                    namespace == ConnectNamespace::Named(registration.namespace.clone()) && registration.name == name
                });
                in_cloud_map || offers.iter().any(|other| other.discovery_name == name)
            };
            let discovery_name = if let Some(name) = &offer.discovery_name {
                if taken(&name.value, &offers) {
                    let message = format!("{} is a name in the namespace already", name.value);
                    self.error_at(Code::CONNECT, name, message).help =
                        Some("leave CloudMapServiceName out: DnsName is what clients use".to_owned());
                }
                name.value.clone()
            } else {
                let plain = discovery(family);
                if taken(&plain, &offers) { discovery(&format!("{family}-{port}")) } else { plain }
            };
            let aliases = offer.aliases.iter().map(|(name, number)| {
                (name.as_ref().map_or_else(|| discovery_name.clone(), |name| name.value.clone()), number.unwrap_or(port))
            });
            offers.push(Offer {
                container,
                port,
                port_name,
                aliases: aliases.collect(),
                discovery_name,
                app_protocol: offer.app_protocol,
                ingress_port: offer.ingress_port,
                idle_timeout: offer.idle_timeout,
                request_timeout: offer.request_timeout,
            });
        }
        Some(Connect { namespace, offers })
    }

    fn connect_namespace(
        &mut self,
        written: &extensions::Connect,
        namespaces: &BTreeMap<String, Namespace>,
    ) -> Option<ConnectNamespace> {
        let wanted = &written.namespace.value;
        let key = wanted.strip_prefix("x-cloudmap::").unwrap_or(wanted);
        if namespaces.contains_key(key) {
            return Some(ConnectNamespace::Named(key.to_owned()));
        }
        if wanted.starts_with("arn:") {
            return Some(ConnectNamespace::Other(Text::from(wanted)));
        }
        let help = match nearest(key, namespaces.keys().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None if namespaces.is_empty() => "add the namespace to x-cloudmap at the top".to_owned(),
            None => format!("x-cloudmap has {}", namespaces.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        };
        self.error_at(Code::NAMESPACE, &written.namespace, format!("there is no namespace {key}")).help = Some(help);
        None
    }

    /// The container and port that an offer names: by the port's own name, as `tcp_8083`, or by its number.
    fn offered(
        &mut self,
        offer: &extensions::Offer,
        members: &[Member<'_>],
        containers: &[Container],
    ) -> Option<(String, u16, String)> {
        let wanted = &offer.port.value;
        for member in members {
            let named = member.service.ports.iter().find(|port| port.name.as_deref() == Some(wanted));
            if let Some(number) = named.and_then(|port| u16::try_from(port.target).ok()) {
                return Some((member.name.to_owned(), number, wanted.clone()));
            }
        }
        let number = wanted.strip_prefix("tcp_").unwrap_or(wanted).parse::<u16>().ok();
        let opens = |container: &&Container| {
            container.ports.iter().any(|port| Some(port.number) == number && port.protocol == Protocol::Tcp)
        };
        if let (Some(container), Some(number)) = (containers.iter().find(opens), number) {
            return Some((container.name.clone(), number, format!("tcp_{number}")));
        }
        let opened: Vec<String> = containers
            .iter()
            .flat_map(|container| &container.ports)
            .filter(|port| port.protocol == Protocol::Tcp)
            .map(|port| format!("tcp_{}", port.number))
            .collect();
        let help = match nearest(wanted, opened.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None if opened.is_empty() => "add ports to the service".to_owned(),
            None => format!("it has {}", opened.join(", ")),
        };
        self.error_at(Code::CONNECT, &offer.port, format!("the service has no TCP port {wanted}")).help = Some(help);
        None
    }
}

/// A name as Service Connect takes it.
fn discovery(name: &str) -> String {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    name.to_ascii_lowercase().chars().map(|c| if good(c) { c } else { '-' }).take(64).collect()
}
