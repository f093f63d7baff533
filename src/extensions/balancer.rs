//! `x-elbv2`: load balancers.

use std::collections::BTreeMap;

use super::ingress::Ingress;
use super::reader::{Item, Key, Placed, Reader};
use crate::base::Place;

#[derive(Debug, Clone)]
pub struct Balancer {
    pub place: Place,
    pub path: String,
    pub network: bool,
    pub internet_facing: bool,
    /// The usage of the subnets it stands in, where the files say.
    pub subnets: Option<Placed<String>>,
    pub idle_timeout: Option<u32>,
    /// Other attributes by their keys.
    pub attributes: BTreeMap<String, String>,
    pub ingress: Ingress,
    pub listeners: Vec<Listener>,
    pub services: Vec<Target>,
}

#[derive(Debug, Clone)]
pub struct Listener {
    pub port: Placed<u16>,
    pub protocol: &'static str,
    pub certificates: Vec<Placed<String>>,
    pub ssl_policy: Option<String>,
    /// The services behind it, as `family:container` or by one name.
    pub targets: Vec<Placed<String>>,
}

/// A service behind the balancer.
#[derive(Debug, Clone)]
pub struct Target {
    /// `family:container`, or one name for both.
    pub name: Placed<String>,
    pub port: Placed<u16>,
    pub protocol: &'static str,
    pub health_check: HealthCheck,
    pub attributes: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthCheck {
    pub port: Option<u16>,
    pub protocol: Option<&'static str>,
    pub healthy: Option<u32>,
    pub unhealthy: Option<u32>,
    pub interval: Option<u32>,
    pub timeout: Option<u32>,
    pub path: Option<String>,
    pub codes: Option<String>,
}

const PROTOCOLS: [&str; 6] = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"];
/// Form of a short health check.
const SHORT: &str = "port:protocol:healthy:unhealthy:interval:timeout:path:codes, for example 8080:HTTP:4:2:15:5:/:200";

impl Reader<'_> {
    pub(super) fn balancer(&mut self, item: &Item<'_>) -> Option<Balancer> {
        let keys: &[Key] = &[&["Properties"], &["MacroParameters"], &["Settings"], &["Listeners"], &["Services"]];
        let fields = self.fields(item, keys, &["Lookup", "DnsAliases", "TargetGroups"])?;
        let mut balancer = Balancer {
            place: self.key_place(item),
            path: item.path.clone(),
            network: false,
            internet_facing: true,
            subnets: None,
            idle_timeout: None,
            attributes: BTreeMap::new(),
            ingress: Ingress::default(),
            listeners: Vec::new(),
            services: Vec::new(),
        };
        if let Some(properties) = fields.get("Properties") {
            self.balancer_properties(properties, &mut balancer);
        }
        for key in ["MacroParameters", "Settings"] {
            if let Some(settings) = fields.get(key) {
                self.balancer_settings(settings, &mut balancer);
            }
        }
        for (name, service) in self.named(fields.get("Services")) {
            balancer.services.extend(self.target(name, &service));
        }
        for (port, listener) in self.named(fields.get("Listeners")) {
            balancer.listeners.extend(self.listener(port, &listener));
        }
        Some(balancer)
    }

    /// A list of mappings, or a mapping by name: both are written.
    fn named<'n>(&mut self, item: Option<&Item<'n>>) -> Vec<(Option<Placed<String>>, Item<'n>)> {
        let Some(item) = item else { return Vec::new() };
        if item.node.as_seq().is_some() {
            return self.items(item).into_iter().map(|item| (None, item)).collect();
        }
        let entries = self.entries(item).unwrap_or_default();
        let named = |(name, item): (&str, Item<'n>)| {
            let name = Placed { value: name.to_owned(), place: self.key_place(&item), path: item.path.clone() };
            (Some(name), item)
        };
        entries.into_iter().map(named).collect()
    }

    fn balancer_properties(&mut self, item: &Item<'_>, balancer: &mut Balancer) {
        let later = ["Name", "IpAddressType", "SubnetMappings", "Subnets", "SecurityGroups", "Tags"];
        let keys: &[Key] = &[&["Scheme"], &["Type"], &["LoadBalancerAttributes"]];
        let Some(fields) = self.fields(item, keys, &later) else { return };
        if let Some(scheme) = fields.get("Scheme").and_then(|item| self.choice(item, &["internet-facing", "internal"])) {
            balancer.internet_facing = scheme.value == "internet-facing";
        }
        if let Some(kind) = fields.get("Type").and_then(|item| self.choice(item, &["application", "network"])) {
            balancer.network = kind.value == "network";
        }
        if let Some(item) = fields.get("LoadBalancerAttributes") {
            balancer.attributes.extend(self.tags(item).into_iter().map(|(key, value)| (key, value.value)));
        }
    }

    fn balancer_settings(&mut self, item: &Item<'_>, balancer: &mut Balancer) {
        let later = ["NoAllocateEips", "RetainEips"];
        let keys: &[Key] = &[
            &["Ingress"],
            &["Subnets"],
            &["timeout_seconds"],
            &["drop_invalid_header_fields"],
            &["desync_mitigation_mode"],
            &["cross_zone"],
            &["http2"],
        ];
        let Some(fields) = self.fields(item, keys, &later) else { return };
        if let Some(ingress) = fields.get("Ingress") {
            balancer.ingress = self.ingress(ingress);
        }
        if let Some(subnets) = fields.get("Subnets") {
            balancer.subnets = self.word(subnets);
        }
        if let Some(seconds) = fields.get("timeout_seconds").and_then(|item| self.number(item, 1..=4000)) {
            balancer.idle_timeout = Some(seconds.value);
        }
        let switches = [
            ("drop_invalid_header_fields", "routing.http.drop_invalid_header_fields.enabled"),
            ("cross_zone", "load_balancing.cross_zone.enabled"),
            ("http2", "routing.http2.enabled"),
        ];
        for (key, attribute) in switches {
            if let Some(flag) = fields.get(key).and_then(|item| self.flag(item)) {
                balancer.attributes.insert(attribute.to_owned(), flag.value.to_string());
            }
        }
        let modes = ["defensive", "strictest", "monitor"];
        if let Some(mode) = fields.get("desync_mitigation_mode").and_then(|item| self.choice(item, &modes)) {
            balancer.attributes.insert("routing.http.desync_mitigation_mode".to_owned(), mode.value.to_owned());
        }
    }

    fn listener(&mut self, port: Option<Placed<String>>, item: &Item<'_>) -> Option<Listener> {
        let keys: &[Key] =
            &[&["Port", "port"], &["Protocol", "protocol"], &["Certificates"], &["SslPolicy"], &["Targets", "targets"]];
        let fields = self.fields(item, keys, &["DefaultActions", "AlpnPolicy", "Conditions"])?;
        let port = match (fields.get("Port"), port) {
            (Some(port), _) => self.port(port)?,
            (None, Some(name)) => {
                let Ok(value) = name.value.parse() else {
                    self.wrong(item, format!("\"{}\" is not a port", name.value), "name listeners by their port");
                    return None;
                };
                Placed { value, place: name.place, path: name.path }
            }
            (None, None) => {
                self.wrong(item, "the listener has no port", "add Port");
                return None;
            }
        };
        let certificates = fields.get("Certificates").map(|item| self.certificates(item)).unwrap_or_default();
        let protocol = match fields.get("Protocol") {
            Some(protocol) => self.choice(protocol, &PROTOCOLS)?.value,
            None if certificates.is_empty() => "HTTP",
            None => "HTTPS",
        };
        if matches!(protocol, "HTTPS" | "TLS") && certificates.is_empty() {
            self.wrong(item, format!("an {protocol} listener needs a certificate"), "add Certificates with the ARN of one");
        }
        let ssl_policy = fields.get("SslPolicy").and_then(|policy| self.word(policy)).map(|policy| policy.value);
        let mut targets = Vec::new();
        for target in fields.get("Targets").map(|list| self.items(list)).unwrap_or_default() {
            if target.node.as_str().is_some() {
                targets.extend(self.word(&target));
                continue;
            }
            let later = ["Conditions", "access", "CreateCognitoClient", "AuthenticateCognitoConfig", "AuthenticateOidcConfig"];
            let Some(fields) = self.fields(&target, &[&["name", "Name"]], &later) else { continue };
            let Some(name) = fields.get("name") else {
                self.wrong(&target, "the target names no service", "add name with one of this balancer's Services");
                continue;
            };
            targets.extend(self.word(name));
        }
        Some(Listener { port, protocol, certificates, ssl_policy, targets })
    }

    fn certificates(&mut self, item: &Item<'_>) -> Vec<Placed<String>> {
        let mut arns = Vec::new();
        for entry in self.items(item) {
            let arn = if entry.node.as_map().is_some() {
                let fields = self.fields(&entry, &[&["CertificateArn"]], &["x-acm"]);
                fields.and_then(|fields| fields.get("CertificateArn").cloned())
            } else {
                Some(entry)
            };
            let Some(item) = arn else { continue };
            let Some(arn) = self.word(&item) else { continue };
            if arn.value.starts_with("arn:") {
                arns.push(arn);
            } else {
                self.wrong(&item, format!("\"{}\" is not the ARN of a certificate", arn.value), "it starts with arn:aws:acm:");
            }
        }
        arns
    }

    fn target(&mut self, name: Option<Placed<String>>, item: &Item<'_>) -> Option<Target> {
        let keys: &[Key] = &[
            &["name", "Name"],
            &["port", "Port"],
            &["protocol", "Protocol"],
            &["healthcheck", "HealthCheck"],
            &["TargetGroupAttributes"],
        ];
        let fields = self.fields(item, keys, &["ProtocolVersion", "access"])?;
        let name = match (fields.get("name"), name) {
            (Some(name), _) => self.word(name)?,
            (None, Some(name)) => name,
            (None, None) => {
                self.wrong(item, "the entry names no service", "add name, as in `name: family:service`");
                return None;
            }
        };
        let Some(port) = fields.get("port") else {
            self.wrong(item, "the service behind the balancer has no port", "add port: the one its container listens on");
            return None;
        };
        let port = self.port(port)?;
        let protocol = match fields.get("protocol") {
            Some(protocol) => self.choice(protocol, &PROTOCOLS)?.value,
            None => "HTTP",
        };
        let health_check = match fields.get("healthcheck") {
            Some(check) if check.node.as_map().is_some() => self.long_check(check)?,
            Some(check) => self.short_check(check)?,
            None => HealthCheck::default(),
        };
        let attributes = fields.get("TargetGroupAttributes").map(|item| self.tags(item)).unwrap_or_default();
        let attributes = attributes.into_iter().map(|(key, value)| (key, value.value)).collect();
        Some(Target { name, port, protocol, health_check, attributes })
    }

    /// `8080:HTTP:4:2:15:5:/:200`: at least port and protocol, the rest as far as it goes.
    fn short_check(&mut self, item: &Item<'_>) -> Option<HealthCheck> {
        let text = self.word(item)?.value;
        let parts: Vec<&str> = text.splitn(8, ':').collect();
        let mut check = HealthCheck::default();
        if parts.len() < 2 || parts.len() == 3 || parts.len() == 5 {
            self.wrong(item, format!("\"{text}\" has {} parts", parts.len()), format!("the parts are {SHORT}"));
            return None;
        }
        let mut wrong = Vec::new();
        match parts[0] {
            "traffic-port" => {}
            port => match port.parse::<u16>() {
                Ok(port) if port > 0 => check.port = Some(port),
                _ => wrong.push(format!("port \"{port}\"")),
            },
        }
        check.protocol = PROTOCOLS.into_iter().find(|known| known.eq_ignore_ascii_case(parts[1]));
        if check.protocol.is_none() {
            wrong.push(format!("protocol \"{}\"", parts[1]));
        }
        let numbers = [("healthy", 2..=10), ("unhealthy", 2..=10), ("interval", 5..=300), ("timeout", 2..=120)];
        let mut read = [None; 4];
        for (index, (name, range)) in numbers.into_iter().enumerate() {
            let Some(part) = parts.get(index + 2) else { continue };
            match part.parse::<u32>() {
                Ok(number) if range.contains(&number) => read[index] = Some(number),
                _ => wrong.push(format!("{name} \"{part}\", which is from {} to {}", range.start(), range.end())),
            }
        }
        [check.healthy, check.unhealthy, check.interval, check.timeout] = read;
        check.path = parts.get(6).map(|path| (*path).to_owned());
        check.codes = parts.get(7).map(|codes| (*codes).to_owned());
        if check.path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            wrong.push("a path that doesn't start with /".to_owned());
        }
        if let Some((interval, timeout)) = check.interval.zip(check.timeout).filter(|(interval, timeout)| timeout >= interval) {
            wrong.push(format!("a timeout of {timeout} that is not below the interval of {interval}"));
        }
        if !wrong.is_empty() {
            self.wrong(item, format!("the health check has {}", wrong.join(", ")), format!("the parts are {SHORT}"));
            return None;
        }
        Some(check)
    }

    fn long_check(&mut self, item: &Item<'_>) -> Option<HealthCheck> {
        let keys: &[Key] = &[
            &["HealthCheckPort"],
            &["HealthCheckProtocol"],
            &["HealthyThresholdCount"],
            &["UnhealthyThresholdCount"],
            &["HealthCheckIntervalSeconds"],
            &["HealthCheckTimeoutSeconds"],
            &["HealthCheckPath"],
            &["Matcher"],
        ];
        let fields = self.fields(item, keys, &["HealthCheckEnabled"])?;
        let mut number = |key: &str, range| fields.get(key).and_then(|item| self.number(item, range)).map(|number| number.value);
        let (healthy, unhealthy) = (number("HealthyThresholdCount", 2..=10), number("UnhealthyThresholdCount", 2..=10));
        let (interval, timeout) = (number("HealthCheckIntervalSeconds", 5..=300), number("HealthCheckTimeoutSeconds", 2..=120));
        let port = fields.get("HealthCheckPort").and_then(|item| self.port(item)).map(|port| port.value);
        let protocol = fields.get("HealthCheckProtocol").and_then(|item| self.choice(item, &PROTOCOLS)).map(|word| word.value);
        let path = fields.get("HealthCheckPath").and_then(|item| self.word(item)).map(|path| path.value);
        let mut codes = None;
        if let Some(matcher) = fields.get("Matcher") {
            let fields = self.fields(matcher, &[&["HttpCode"]], &["GrpcCode"])?;
            codes = fields.get("HttpCode").and_then(|item| self.word(item)).map(|codes| codes.value);
        }
        Some(HealthCheck { port, protocol, healthy, unhealthy, interval, timeout, path, codes })
    }
}
