//! `x-network.x-ecs_connect`: Service Connect, in CloudFormation's own words or in the short form.

use super::reader::{Item, Key, Placed, Reader};

/// A service as a client of a Service Connect namespace, and what it offers there.
#[derive(Debug, Clone)]
pub struct Connect {
    /// A key of `x-cloudmap`, or the name or ARN of a namespace that is there.
    pub namespace: Placed<String>,
    pub offers: Vec<Offer>,
}

/// A port that clients find by a name.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The port's own name, `tcp_8083`, or its number.
    pub port: Placed<String>,
    /// The name in Cloud Map; else it is made from the service's name and the port.
    pub discovery_name: Option<Placed<String>>,
    /// The names and ports that clients use.
    pub aliases: Vec<(Option<Placed<String>>, Option<u16>)>,
    pub app_protocol: Option<&'static str>,
    pub ingress_port: Option<u16>,
    pub idle_timeout: Option<u32>,
    pub request_timeout: Option<u32>,
}

const APP_PROTOCOLS: [&str; 3] = ["http", "http2", "grpc"];

impl Reader<'_> {
    pub(super) fn connect(&mut self, item: &Item<'_>) -> Option<Connect> {
        let fields = self.fields(item, &[&["Properties"], &["MacroParameters"]], &[])?;
        match (fields.get("Properties"), fields.get("MacroParameters")) {
            (Some(properties), None) => self.connect_properties(properties),
            (None, Some(short)) => self.connect_short(short),
            _ => {
                let help = "add MacroParameters with x-cloudmap and service_ports, or Properties, not both";
                self.wrong(item, "x-ecs_connect doesn't say which namespace", help);
                None
            }
        }
    }

    fn connect_short(&mut self, item: &Item<'_>) -> Option<Connect> {
        let fields = self.fields(item, &[&["x-cloudmap"], &["service_ports"]], &[])?;
        let Some(namespace) = fields.get("x-cloudmap") else {
            self.wrong(item, "x-ecs_connect doesn't say which namespace", "add x-cloudmap with a key of x-cloudmap");
            return None;
        };
        let namespace = self.word(namespace)?;
        let mut offers = Vec::new();
        let ports = match fields.get("service_ports") {
            Some(ports) => self.entries(ports)?,
            None => Vec::new(),
        };
        for (name, value) in ports.into_iter().filter(|(name, _)| !name.starts_with("x-")) {
            let keys: &[Key] = &[
                &["DnsName"],
                &["CloudMapServiceName"],
                &["appProtocol", "AppProtocol"],
                &["IngressPortOverride"],
                &["Timeout"],
            ];
            let Some(fields) = self.fields(&value, keys, &[]) else { continue };
            let port = Placed { value: name.to_owned(), place: self.key_place(&value), path: value.path.clone() };
            let alias = fields.get("DnsName").and_then(|name| self.dns_name(name)).map(|name| (Some(name), None));
            let (idle_timeout, request_timeout) = self.timeouts(fields.get("Timeout"));
            offers.push(Offer {
                port,
                discovery_name: fields.get("CloudMapServiceName").and_then(|name| self.discovery_name(name)),
                aliases: alias.into_iter().collect(),
                app_protocol: fields.get("appProtocol").and_then(|word| self.choice(word, &APP_PROTOCOLS)).map(|word| word.value),
                ingress_port: fields.get("IngressPortOverride").and_then(|port| self.port(port)).map(|port| port.value),
                idle_timeout,
                request_timeout,
            });
        }
        Some(Connect { namespace, offers })
    }

    fn connect_properties(&mut self, item: &Item<'_>) -> Option<Connect> {
        let fields = self.fields(item, &[&["Enabled"], &["Namespace"], &["Services"]], &["LogConfiguration"])?;
        if fields.get("Enabled").and_then(|item| self.flag(item)).is_some_and(|flag| !flag.value) {
            return None;
        }
        let Some(namespace) = fields.get("Namespace") else {
            self.wrong(item, "x-ecs_connect doesn't say which namespace", "add Namespace with a key of x-cloudmap");
            return None;
        };
        let namespace = self.word(namespace)?;
        let mut offers = Vec::new();
        for service in fields.get("Services").map(|list| self.items(list)).unwrap_or_default() {
            let keys: &[Key] = &[&["PortName"], &["DiscoveryName"], &["ClientAliases"], &["IngressPortOverride"], &["Timeout"]];
            let Some(fields) = self.fields(&service, keys, &["Tls"]) else { continue };
            let Some(port) = fields.get("PortName").and_then(|name| self.word(name)) else {
                self.wrong(&service, "the service offers no port", "add PortName with the name of a port");
                continue;
            };
            let mut aliases = Vec::new();
            for alias in fields.get("ClientAliases").map(|list| self.items(list)).unwrap_or_default() {
                let Some(fields) = self.fields(&alias, &[&["DnsName"], &["Port"]], &[]) else { continue };
                let name = fields.get("DnsName").and_then(|name| self.dns_name(name));
                aliases.push((name, fields.get("Port").and_then(|port| self.port(port)).map(|port| port.value)));
            }
            let (idle_timeout, request_timeout) = self.timeouts(fields.get("Timeout"));
            offers.push(Offer {
                port,
                discovery_name: fields.get("DiscoveryName").and_then(|name| self.discovery_name(name)),
                aliases,
                app_protocol: None,
                ingress_port: fields.get("IngressPortOverride").and_then(|port| self.port(port)).map(|port| port.value),
                idle_timeout,
                request_timeout,
            });
        }
        Some(Connect { namespace, offers })
    }

    fn timeouts(&mut self, item: Option<&Item<'_>>) -> (Option<u32>, Option<u32>) {
        let Some(fields) =
            item.and_then(|item| self.fields(item, &[&["IdleTimeoutSeconds"], &["PerRequestTimeoutSeconds"]], &[]))
        else {
            return (None, None);
        };
        let mut seconds = |key: &str| fields.get(key).and_then(|item| self.number(item, 0..=86_400)).map(|number| number.value);
        (seconds("IdleTimeoutSeconds"), seconds("PerRequestTimeoutSeconds"))
    }

    /// What Service Connect takes as the name of a service: at most 64 letters of the small kind, digits, hyphens, underscores.
    fn discovery_name(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let name = self.word(item)?;
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        if name.value.len() <= 64 && name.value.chars().all(good) {
            return Some(name);
        }
        let help = "at most 64 small letters, digits, hyphens and underscores";
        self.wrong(item, format!("\"{}\" can't be the name of a service in Service Connect", name.value), help);
        None
    }
}
