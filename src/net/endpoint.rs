//! `host:port`, and from how far away an address can be reached.

use std::fmt;
use std::net::IpAddr;

/// A host name or address with its port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Without the brackets of an IPv6 address.
    pub host: String,
    pub port: u16,
}

impl Endpoint {
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Self { host: host.into(), port }
    }

    /// Reads `host:port` and `[v6]:port`; says what is wrong otherwise. A `PROTOCOL://` in front is allowed, as Kafka's clients do.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
        let Some((host, port)) = bare.rsplit_once(':') else {
            return Err(format!("`{text}` has no port: write host:port"));
        };
        let (bracketed, host) = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
            Some(inner) => (true, inner),
            None => (false, host),
        };
        if host.is_empty() {
            return Err(format!("`{text}` has no host: write host:port"));
        }
        if host.contains(':') && !bracketed {
            return Err(format!("`{text}`: an IPv6 address stands in brackets, as in [::1]:9092"));
        }
        if host.contains(char::is_whitespace) || host.contains('/') {
            return Err(format!("`{text}` is not host:port"));
        }
        match port.parse::<u16>() {
            Ok(port) if port > 0 => Ok(Self::new(host, port)),
            _ => Err(format!("`{text}`: `{port}` is not a port (1 to 65535)")),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// From where an address can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// This machine only.
    Loopback,
    /// A private network: RFC 1918, RFC 6598, RFC 4193, link-local.
    Private,
    Public,
}

/// Does a host, as it is written, mean whoever reads it?
pub fn means_oneself(host: &str) -> bool {
    let is_unset = |address: IpAddr| address.is_unspecified() || reach(address) == Reach::Loopback;
    host.trim_end_matches('.').eq_ignore_ascii_case("localhost") || host.parse().is_ok_and(is_unset)
}

/// How far away an address can be reached from.
pub fn reach(address: IpAddr) -> Reach {
    let v4 = match address {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped(),
    };
    match (v4, address) {
        (Some(v4), _) if v4.is_loopback() => Reach::Loopback,
        (Some(v4), _) => {
            let shared = v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64;
            if v4.is_private() || v4.is_link_local() || shared { Reach::Private } else { Reach::Public }
        }
        (None, IpAddr::V6(v6)) if v6.is_loopback() => Reach::Loopback,
        (None, IpAddr::V6(v6)) if v6.is_unique_local() || v6.is_unicast_link_local() => Reach::Private,
        _ => Reach::Public,
    }
}

/// Is this a name that only a private network's own resolver knows? `.internal` is set aside for that, the others are in use for it.
pub fn is_private_name(host: &str) -> bool {
    const PRIVATE: [&str; 8] = ["internal", "local", "lan", "corp", "home", "intranet", "private", "home.arpa"];
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    PRIVATE.iter().any(|ending| host.strip_suffix(ending).is_some_and(|name| name.ends_with('.')))
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Reach, is_private_name, reach};

    #[test]
    fn host_and_port_are_read() {
        let read = |text| Endpoint::parse(text).map(|endpoint| endpoint.to_string());
        assert_eq!(read(" pkc-1.aws.confluent.cloud:9092 ").unwrap(), "pkc-1.aws.confluent.cloud:9092");
        assert_eq!(read("SASL_SSL://broker:9092").unwrap(), "broker:9092");
        assert_eq!(read("[::1]:9092").unwrap(), "[::1]:9092");
        for wrong in ["broker", "broker:", ":9092", "broker:0", "broker:70000", "::1:9092", "a b:1", "broker:9092/x"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn private_names_are_known() {
        assert!(is_private_name("connect.dev.lan.internal") && is_private_name("Kafka.LOCAL."));
        assert!(!is_private_name("internal") && !is_private_name("kafka.example.com") && !is_private_name("myinternal"));
    }

    #[test]
    fn private_addresses_are_known() {
        let of = |text: &str| reach(text.parse().unwrap());
        assert_eq!(of("127.0.0.1"), Reach::Loopback);
        assert_eq!(of("::1"), Reach::Loopback);
        for private in ["10.1.2.3", "172.31.0.1", "192.168.9.9", "100.64.0.1", "fd00::1", "169.254.1.1", "::ffff:10.0.0.1"] {
            assert_eq!(of(private), Reach::Private, "{private}");
        }
        for public in ["172.32.0.1", "100.128.0.1", "52.1.1.1", "2600::1"] {
            assert_eq!(of(public), Reach::Public, "{public}");
        }
    }
}
