//! The facts of a certificate that a person wants to see.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};

/// Who a certificate is for, who signed it, and when it is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub subject: String,
    pub issuer: String,
    /// The names and addresses it is issued for (subject alternative names).
    pub names: Vec<String>,
    pub common_name: Option<String>,
    /// Seconds since 1970.
    pub not_before: i64,
    pub not_after: i64,
}

impl Certificate {
    pub(in crate::net) fn read(der: &CertificateDer<'_>) -> Option<Self> {
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = certificate
            .subject_alternative_name()
            .ok()
            .flatten()
            .map_or_else(Vec::new, |extension| extension.value.general_names.iter().filter_map(name).collect());
        let common_name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).map(str::to_owned);
        Some(Self {
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            names,
            common_name,
            not_before: certificate.validity().not_before.timestamp(),
            not_after: certificate.validity().not_after.timestamp(),
        })
    }

    /// Whole days until it ends; negative when it has ended.
    pub fn days_left(&self, now: i64) -> i64 {
        (self.not_after - now).div_euclid(86_400)
    }

    /// What it is issued for, as a short list.
    pub fn issued_for(&self) -> String {
        let names: Vec<&str> = match (&self.names[..], &self.common_name) {
            ([], Some(common)) => vec![common],
            (names, _) => names.iter().map(String::as_str).collect(),
        };
        match names.len() {
            0 => "no name".to_owned(),
            1..=4 => names.join(", "),
            more => format!("{}, and {} more", names[..3].join(", "), more - 3),
        }
    }

    /// Is it issued for this host, by its names or else by its common name?
    pub(super) fn is_for(&self, host: &str) -> bool {
        self.names.iter().any(|name| covers(name, host)) || self.is_for_by_common_name(host)
    }

    /// Java compares the common name when the certificate lists no host name at all.
    pub(super) fn is_for_by_common_name(&self, host: &str) -> bool {
        self.names.is_empty() && self.common_name.as_deref().is_some_and(|common| covers(common, host))
    }
}

/// The name of the first certificate of a chain as Java writes it (RFC 2253), which is what Kafka makes a principal of.
pub fn subject(pem: &str) -> Option<String> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
    let (_, certificate) = X509Certificate::from_der(&der).ok()?;
    let mut parts = Vec::new();
    for rdn in certificate.subject().iter_rdn() {
        let mut pairs = Vec::new();
        for attribute in rdn.iter() {
            let key = match attribute.attr_type().to_id_string().as_str() {
                "2.5.4.3" => "CN",
                "2.5.4.6" => "C",
                "2.5.4.7" => "L",
                "2.5.4.8" => "ST",
                "2.5.4.9" => "STREET",
                "2.5.4.10" => "O",
                "2.5.4.11" => "OU",
                "0.9.2342.19200300.100.1.25" => "DC",
                "0.9.2342.19200300.100.1.1" => "UID",
                // Java writes any other as a number and its bytes: not a name that we would guess.
                _ => return None,
            };
            pairs.push(format!("{key}={}", escaped(attribute.as_str().ok()?)));
        }
        parts.push(pairs.join("+"));
    }
    parts.reverse();
    (!parts.is_empty()).then(|| parts.join(","))
}

fn escaped(text: &str) -> String {
    let mut out = String::new();
    let last = text.chars().count().saturating_sub(1);
    for (index, c) in text.chars().enumerate() {
        let at_edge = (c == ' ' && (index == 0 || index == last)) || (c == '#' && index == 0);
        if at_edge || ",+\"\\<>;".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// One label may be a `*`, and only the first.
fn covers(pattern: &str, host: &str) -> bool {
    if pattern.eq_ignore_ascii_case(host) {
        return true;
    }
    match (pattern.strip_prefix("*."), host.split_once('.')) {
        (Some(rest), Some((label, parent))) => !label.is_empty() && rest.contains('.') && rest.eq_ignore_ascii_case(parent),
        _ => false,
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(dns) => Some((*dns).to_owned()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|octets| std::net::Ipv4Addr::from(octets).to_string()),
            16 => <[u8; 16]>::try_from(*bytes).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_stands_for_one_label() {
        assert!(covers("*.eu-west-1.aws.confluent.cloud", "pkc-1.eu-west-1.aws.confluent.cloud"));
        assert!(covers("Broker", "broker"));
        assert!(!covers("*.cloud", "confluent.cloud"));
        assert!(!covers("*.confluent.cloud", "a.b.confluent.cloud"));
    }
}
