//! What stands behind a load balancer: the containers of `Services` and `TargetGroups`, with their health checks.

use std::collections::BTreeMap;

use super::reader::{Item, Key, Placed, Reader};

/// A target group: the tasks that a listener can send requests to.
#[derive(Debug, Clone)]
pub struct Target {
    /// As listeners name it.
    pub name: Placed<String>,
    /// One under `Services`, any number under `TargetGroups`.
    pub members: Vec<Member>,
    pub port: Placed<u16>,
    pub protocol: &'static str,
    /// Of HTTP between balancer and container: `HTTP1`, `HTTP2` or `GRPC`.
    pub version: Option<&'static str>,
    pub health_check: HealthCheck,
    pub attributes: BTreeMap<String, Placed<String>>,
    /// Its own tags, besides those of the stack.
    pub tags: Vec<(String, Placed<String>)>,
}

impl Target {
    /// Only a network load balancer speaks it.
    pub(super) fn is_of_network(&self) -> bool {
        !matches!(self.protocol, "HTTP" | "HTTPS")
    }
}

/// A container of a family: `family:container`, or one name for both.
#[derive(Debug, Clone)]
pub struct Member {
    pub name: Placed<String>,
    pub port: Placed<u16>,
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
    /// The codes are those of gRPC.
    pub grpc: bool,
}

pub(super) const PROTOCOLS: [&str; 6] = ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"];
/// What a balancer can ask a target with.
const CHECKS: [&str; 3] = ["HTTP", "HTTPS", "TCP"];
const VERSIONS: [&str; 3] = ["HTTP1", "HTTP2", "GRPC"];
/// Form of a short health check.
const SHORT: &str = "port:protocol[:healthy:unhealthy:interval:timeout][:path][:codes], for example 8080:HTTP:4:2:15:5:/:200";

impl Reader<'_> {
    /// An entry of `Services`: one container.
    pub(super) fn target(&mut self, name: Option<Placed<String>>, item: &Item<'_>) -> Option<Target> {
        let keys: &[Key] = &[
            &["name", "Name"],
            &["port", "Port"],
            &["protocol", "Protocol"],
            &["ProtocolVersion", "protocol_version"],
            &["healthcheck", "HealthCheck"],
            &["TargetGroupAttributes"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let name = match (fields.get("name"), name) {
            (Some(item), _) => self.word(item)?,
            (None, Some(name)) => name,
            (None, None) => {
                self.wrong(item, "the entry names no service", "add name with family:container, or one name for both");
                return None;
            }
        };
        // `family:container:port` says the port in its name.
        let in_name = name.value.splitn(3, ':').nth(2).and_then(|port| port.parse::<u16>().ok());
        let port = match (fields.get("port"), in_name) {
            (Some(port), _) => self.port(port)?,
            (None, Some(port)) => Placed { value: port, place: name.place.clone(), path: name.path.clone() },
            (None, None) => {
                self.wrong(item, "the service behind the balancer has no port", "add port: the one its container listens on");
                return None;
            }
        };
        let protocol = match fields.get("protocol") {
            Some(protocol) => self.choice(protocol, &PROTOCOLS)?.value,
            None => "HTTP",
        };
        let version = fields.get("ProtocolVersion").and_then(|item| self.choice(item, &VERSIONS)).map(|word| word.value);
        let health_check = self.check(fields.get("healthcheck"))?;
        let attributes = self.attributes(fields.get("TargetGroupAttributes"));
        let members = vec![Member { name: name.clone(), port: port.clone() }];
        Some(Target { name, members, port, protocol, version, health_check, attributes, tags: Vec::new() })
    }

    /// An entry of `TargetGroups`: containers of several services under one name.
    pub(super) fn target_group(&mut self, name: Placed<String>, item: &Item<'_>) -> Option<Target> {
        let keys: &[Key] = &[
            &["Port", "port"],
            &["Protocol", "protocol"],
            &["ProtocolVersion"],
            &["HealthCheck", "healthcheck"],
            &["TargetGroupAttributes"],
            &["Services"],
            &["Tags"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let (Some(port), Some(protocol), Some(services)) = (fields.get("Port"), fields.get("Protocol"), fields.get("Services"))
        else {
            self.wrong(item, "the target group lacks Port, Protocol or Services", "all three are needed");
            return None;
        };
        let port = self.port(port)?;
        let protocol = self.choice(protocol, &PROTOCOLS)?.value;
        let version = fields.get("ProtocolVersion").and_then(|item| self.choice(item, &VERSIONS)).map(|word| word.value);
        let health_check = self.check(fields.get("HealthCheck"))?;
        let attributes = self.attributes(fields.get("TargetGroupAttributes"));
        let mut members = Vec::new();
        for entry in self.items(services) {
            let Some(fields) = self.fields(&entry, &[&["Name", "name"], &["Port", "port"]], &[]) else { continue };
            let Some(item) = fields.get("Name") else {
                self.wrong(&entry, "the entry names no service", "add Name with family:container");
                continue;
            };
            let Some(name) = self.word(item) else { continue };
            let port = fields.get("Port").map_or(Some(port.clone()), |item| self.port(item));
            members.extend(port.map(|port| Member { name, port }));
        }
        let tags = fields.get("Tags").map(|tags| self.tags(tags)).unwrap_or_default();
        Some(Target { name, members, port, protocol, version, health_check, attributes, tags })
    }

    fn attributes(&mut self, item: Option<&Item<'_>>) -> BTreeMap<String, Placed<String>> {
        item.map(|item| self.tags(item)).unwrap_or_default().into_iter().collect()
    }

    fn check(&mut self, item: Option<&Item<'_>>) -> Option<HealthCheck> {
        let Some(item) = item else { return Some(HealthCheck::default()) };
        let check = if item.node.as_map().is_some() { self.long_check(item)? } else { self.short_check(item)? };
        let wrong = if check.path.as_ref().is_some_and(|path| !path.starts_with('/')) {
            Some("a path that doesn't start with /".to_owned())
        } else if let Some((interval, timeout)) = apart(&check) {
            Some(format!("a timeout of {timeout} that is not below the interval of {interval}"))
        } else if check.protocol == Some("TCP") && (check.path.is_some() || check.codes.is_some()) {
            Some("a path or codes, which a check over TCP doesn't ask for".to_owned())
        } else {
            codes(&check)
        };
        if let Some(wrong) = wrong {
            self.wrong(item, format!("the health check has {wrong}"), format!("the parts are {SHORT}"));
            return None;
        }
        Some(check)
    }

    /// `8080:HTTP:4:2:15:5:/:200`: port and protocol; four numbers or none of them; a path, codes, or a path and codes.
    fn short_check(&mut self, item: &Item<'_>) -> Option<HealthCheck> {
        let text = self.word(item)?.value;
        let parts: Vec<&str> = text.split(':').collect();
        let path = parts.iter().position(|part| part.starts_with('/'));
        let codes_alone = path.is_none() && matches!(parts.len(), 3 | 7) && parts.last().is_some_and(|part| are_codes(part));
        let numbers_end = path.unwrap_or(parts.len() - usize::from(codes_alone));
        let fits = matches!(numbers_end, 2 | 6) && parts.len() <= numbers_end + 2;
        if !fits {
            let (few, count) = (numbers_end < 6, parts.len());
            let much = if few { "too few parts" } else { "too many parts" };
            self.wrong(item, format!("the health check \"{text}\" has {count} parts: {much}"), format!("the parts are {SHORT}"));
            return None;
        }
        let mut check = HealthCheck::default();
        let mut wrong = Vec::new();
        match parts[0] {
            "traffic-port" => {}
            port => match port.parse::<u16>() {
                Ok(port) if port > 0 => check.port = Some(port),
                _ => wrong.push(format!("port \"{port}\"")),
            },
        }
        check.protocol = CHECKS.into_iter().find(|known| known.eq_ignore_ascii_case(parts[1]));
        if check.protocol.is_none() {
            wrong.push(format!("protocol \"{}\", which is one of {}", parts[1], CHECKS.join(", ")));
        }
        let numbers = [("healthy", 2..=10), ("unhealthy", 2..=10), ("interval", 5..=300), ("timeout", 2..=120)];
        let mut read = [None; 4];
        for (index, (name, range)) in numbers.into_iter().enumerate() {
            let Some(part) = parts[..numbers_end].get(index + 2) else { continue };
            match part.parse::<u32>() {
                Ok(number) if range.contains(&number) => read[index] = Some(number),
                _ => wrong.push(format!("{name} \"{part}\", which is from {} to {}", range.start(), range.end())),
            }
        }
        [check.healthy, check.unhealthy, check.interval, check.timeout] = read;
        check.path = path.and_then(|at| parts.get(at)).map(|path| (*path).to_owned());
        let codes = parts.get(numbers_end + usize::from(path.is_some()));
        check.codes = codes.map(|codes| (*codes).to_owned());
        if !wrong.is_empty() {
            self.wrong(item, format!("the health check has {}", wrong.join(", ")), format!("the parts are {SHORT}"));
            return None;
        }
        Some(check)
    }

    fn long_check(&mut self, item: &Item<'_>) -> Option<HealthCheck> {
        let keys: &[Key] = &[
            &["HealthCheckEnabled"],
            &["HealthCheckPort"],
            &["HealthCheckProtocol"],
            &["HealthyThresholdCount"],
            &["UnhealthyThresholdCount"],
            &["HealthCheckIntervalSeconds"],
            &["HealthCheckTimeoutSeconds"],
            &["HealthCheckPath"],
            &["Matcher"],
        ];
        let fields = self.fields(item, keys, &[])?;
        if let Some(enabled) = fields.get("HealthCheckEnabled").filter(|item| item.node.written().as_deref() != Some("true")) {
            let _flag = self.flag(enabled)?;
            self.wrong(enabled, "the check of a task can't be switched off", "leave HealthCheckEnabled out");
        }
        let mut number = |key: &str, range| fields.get(key).and_then(|item| self.number(item, range)).map(|number| number.value);
        let (healthy, unhealthy) = (number("HealthyThresholdCount", 2..=10), number("UnhealthyThresholdCount", 2..=10));
        let (interval, timeout) = (number("HealthCheckIntervalSeconds", 5..=300), number("HealthCheckTimeoutSeconds", 2..=120));
        let port = match fields.get("HealthCheckPort") {
            Some(item) if item.node.written().as_deref() == Some("traffic-port") => None,
            Some(item) => self.port(item).map(|port| port.value),
            None => None,
        };
        let protocol = fields.get("HealthCheckProtocol").and_then(|item| self.choice(item, &CHECKS)).map(|word| word.value);
        let path = fields.get("HealthCheckPath").and_then(|item| self.word(item)).map(|path| path.value);
        let (mut codes, mut grpc) = (None, false);
        if let Some(matcher) = fields.get("Matcher") {
            let fields = self.fields(matcher, &[&["HttpCode"], &["GrpcCode"]], &[])?;
            grpc = fields.get("GrpcCode").is_some();
            if grpc && fields.get("HttpCode").is_some() {
                self.wrong(matcher, "HttpCode and GrpcCode exclude each other", "keep the one of the protocol's version");
            }
            let written = fields.get("HttpCode").or_else(|| fields.get("GrpcCode"));
            codes = written.and_then(|item| self.word(item)).map(|codes| codes.value);
        }
        Some(HealthCheck { port, protocol, healthy, unhealthy, interval, timeout, path, codes, grpc })
    }
}

/// Codes of HTTP, which have three digits, and no number of a check.
fn are_codes(text: &str) -> bool {
    let code = |code: &str| code.len() == 3 && code.chars().all(|c| c.is_ascii_digit());
    text.split([',', '-']).all(code)
}

/// Interval and timeout that leave no time between two checks; what isn't written is what AWS takes then.
fn apart(check: &HealthCheck) -> Option<(u32, u32)> {
    if check.interval.is_none() && check.timeout.is_none() {
        return None;
    }
    let slow = matches!(check.protocol, Some("TCP" | "HTTPS"));
    let (interval, timeout) = (check.interval.unwrap_or(30), check.timeout.unwrap_or(if slow { 10 } else { 6 }));
    let overlap = if check.protocol == Some("TCP") { timeout > interval } else { timeout >= interval };
    overlap.then_some((interval, timeout))
}

/// What is wrong with the codes: single ones or ranges between commas, of HTTP 200 to 599, of gRPC 0 to 99.
fn codes(check: &HealthCheck) -> Option<String> {
    let codes = check.codes.as_deref()?;
    let (least, most) = if check.grpc { (0, 99) } else { (200, 599) };
    let code = |text: &str| text.trim().parse::<u32>().ok().filter(|code| (least..=most).contains(code));
    let fits = |part: &str| match part.split_once('-') {
        Some((from, to)) => code(from).zip(code(to)).is_some_and(|(from, to)| from <= to),
        None => code(part).is_some(),
    };
    (!codes.split(',').all(fits)).then(|| format!("codes \"{codes}\", which are from {least} to {most}, as in 200,301-308"))
}
