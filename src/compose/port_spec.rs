//! The short syntax of a port: `[[host:]published:]target[/protocol]`, each port a number or a range.

use std::net::IpAddr;

/// One port that came of a spec.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct PortSpec {
    pub(super) host_ip: String,
    /// A number, a range, or nothing.
    pub(super) published: String,
    pub(super) target: u32,
    pub(super) protocol: String,
}

/// Reads a spec, or says what is wrong with which part of it.
pub(super) fn parse(spec: &str) -> Result<Vec<PortSpec>, String> {
    let mut fields = spec.rsplitn(3, ':');
    let target = fields.next().unwrap_or_default();
    let published = fields.next().unwrap_or_default();
    let host = fields.next().unwrap_or_default();
    let (target, protocol) = target.split_once('/').unwrap_or((target, ""));
    if target.is_empty() {
        return Err("the container's port is missing".to_owned());
    }
    let protocol = if protocol.is_empty() { "tcp".to_owned() } else { protocol.to_lowercase() };
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(format!("\"{protocol}\" is not a protocol: write tcp, udp or sctp"));
    }
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if !bare.is_empty() && address(bare).is_none() {
        return Err(format!("\"{host}\" is not a valid IP address"));
    }
    let (first, last) = range(target).map_err(|wrong| format!("the container's port \"{target}\" {wrong}"))?;
    if first == 0 {
        return Err("the container's port can't be 0".to_owned());
    }
    let published = match published {
        "" => None,
        range_text => Some(range(range_text).map_err(|wrong| format!("the published port \"{range_text}\" {wrong}"))?),
    };
    if let Some((published_first, published_last)) = published
        && first != last
        && last - first != published_last - published_first
    {
        return Err("the ranges of published and container's ports differ in length".to_owned());
    }
    let mut ports: Vec<PortSpec> = (first..=last)
        .map(|target| PortSpec {
            host_ip: bare.to_owned(),
            published: match published {
                None => String::new(),
                Some((from, to)) if first == last && from != to => format!("{from}-{to}"),
                Some((from, _)) => (from + target - first).to_string(),
            },
            target,
            protocol: protocol.clone(),
        })
        .collect();
    // The reference sorts by the port's text, so that 10 comes before 8.
    ports.sort_by_cached_key(|port| format!("{}/{}", port.target, port.protocol));
    Ok(ports)
}

/// An address, also an IPv6 one with a zone.
pub(super) fn address(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

fn range(text: &str) -> Result<(u32, u32), String> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first_port, last_port) = (number(first)?, number(last)?);
    if last_port < first_port {
        return Err("ends before it begins".to_owned());
    }
    Ok((first_port, last_port))
}

fn number(text: &str) -> Result<u32, String> {
    let number = super::number::decimal(text).ok_or("is not a number")?;
    u32::try_from(number).ok().filter(|port| *port <= 65_535).ok_or_else(|| "is not between 0 and 65535".to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn shown(spec: &str) -> Vec<String> {
        let ports = parse(spec).unwrap();
        ports.iter().map(|port| format!("{}|{}|{}/{}", port.host_ip, port.published, port.target, port.protocol)).collect()
    }

    #[test]
    fn forms() {
        assert_eq!(shown("80"), ["||80/tcp"]);
        assert_eq!(shown("8080:80/UDP"), ["|8080|80/udp"]);
        assert_eq!(shown("127.0.0.1::80"), ["127.0.0.1||80/tcp"]);
        assert_eq!(shown("[::1]:1:2"), ["::1|1|2/tcp"]);
        assert_eq!(shown("8000-8002:80"), ["|8000-8002|80/tcp"]);
        assert_eq!(shown("18-20:8-10"), ["|20|10/tcp", "|18|8/tcp", "|19|9/tcp"]);
        for wrong in ["http", "80:", "1:2:3:4", "70000", "0", "80:0", "5-1", "1-2:3-9", "80/foo", "x:80", ""] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
