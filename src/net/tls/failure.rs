//! Why a handshake failed.

use std::io;
use std::time::{SystemTime, UNIX_EPOCH};

use rustls::{AlertDescription, CertificateError, Error};

use super::Certificate;
use crate::base::{Cause, Fault};

/// A handshake that failed.
#[derive(Debug)]
pub struct Failure {
    pub fault: Fault,
    /// The server's certificate, if it came so far.
    pub certificate: Option<Certificate>,
    /// What the server spoke.
    pub talk: Talk,
    /// The server closed the connection without a word of explanation: worth asking again without TLS.
    pub closed: bool,
    /// Server and client share no version or cipher: worth asking what the server speaks.
    pub unshared: bool,
}

/// What the server's first bytes were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    Silent,
    Tls,
    Http,
    Other,
}

impl Talk {
    fn of(heard: &[u8]) -> Self {
        match heard {
            [] => Self::Silent,
            // A record of TLS: change cipher spec, alert, handshake or data, of a version 3.x.
            [20..=23, 3, ..] => Self::Tls,
            _ if heard.starts_with(b"HTTP/") => Self::Http,
            _ => Self::Other,
        }
    }
}

impl Failure {
    pub(super) fn unclassified(message: String) -> Self {
        Self {
            fault: Fault::new(Cause::BrokerUnreachable, message),
            certificate: None,
            talk: Talk::Silent,
            closed: false,
            unshared: false,
        }
    }
}

/// What was seen of a handshake that failed.
pub(super) struct Seen {
    pub(super) certificate: Option<Certificate>,
    pub(super) heard: Vec<u8>,
    pub(super) asked_for_identity: bool,
    pub(super) has_identity: bool,
}

pub(super) fn timed_out(certificate: Option<Certificate>, heard: &[u8]) -> Failure {
    let talk = Talk::of(heard);
    let message = match talk {
        Talk::Silent => "the listener took the connection and then said nothing to a TLS handshake",
        _ => "the TLS handshake began and did not end in time",
    };
    Failure { fault: Fault::new(Cause::TimedOut, message), certificate, talk, closed: false, unshared: false }
}

pub(super) fn classify(host: &str, error: &io::Error, seen: Seen) -> Failure {
    let talk = Talk::of(&seen.heard);
    let rustls = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    let mut closed = false;
    let unshared = seen.certificate.is_none() && rustls.is_some_and(shares_nothing);
    let fault = match (talk, rustls) {
        (Talk::Http, _) => Fault::new(Cause::NotKafka, "the listener answers with plain HTTP"),
        (Talk::Other, _) => Fault::new(Cause::NotKafka, "the listener answers with something that is not TLS"),
        (_, Some(Error::InvalidCertificate(error))) => certificate_fault(host, error, seen.certificate.as_ref()),
        (_, Some(Error::AlertReceived(alert))) => {
            refusal(*alert, seen.asked_for_identity, seen.has_identity).unwrap_or_else(|| {
                Fault::new(Cause::BrokerUnreachable, format!("the server broke the TLS handshake off: {alert:?}"))
            })
        }
        (Talk::Tls, None) if seen.asked_for_identity && !seen.has_identity => missing_identity(),
        (Talk::Tls, Some(error)) => Fault::new(Cause::BrokerUnreachable, format!("the TLS handshake failed: {error}")),
        (_, _) => {
            closed = true;
            Fault::new(Cause::BrokerUnreachable, "the server closed the connection during the TLS handshake")
        }
    };
    Failure { fault, certificate: seen.certificate, talk, closed, unshared }
}

/// Did it end before a certificate could be shown, because there was nothing to agree on?
fn shares_nothing(error: &Error) -> bool {
    use AlertDescription as A;
    matches!(
        error,
        Error::PeerIncompatible(_) | Error::AlertReceived(A::ProtocolVersion | A::HandshakeFailure | A::InsufficientSecurity)
    )
}

/// In TLS 1.3 the client is done before the server has looked at the client's certificate: its refusal comes with the first answer.
pub fn refused_after_handshake(error: &io::Error, asked_for_identity: bool, has_identity: bool) -> Option<Fault> {
    if !asked_for_identity {
        return None;
    }
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::AlertReceived(alert)) => refusal(*alert, asked_for_identity, has_identity),
        // Some servers only hang up.
        _ if !has_identity => Some(missing_identity()),
        _ => None,
    }
}

fn missing_identity() -> Fault {
    Fault::new(Cause::ClientCertificateRequired, "the listener wants a client certificate and none is set")
}

fn refusal(alert: AlertDescription, asked: bool, has_identity: bool) -> Option<Fault> {
    use AlertDescription as A;
    match (alert, asked, has_identity) {
        (A::CertificateRequired, _, false) => Some(missing_identity()),
        (A::BadCertificate | A::HandshakeFailure | A::CertificateUnknown | A::AccessDenied | A::NoCertificate, true, false) => {
            Some(missing_identity())
        }
        (
            A::CertificateRequired
            | A::BadCertificate
            | A::UnsupportedCertificate
            | A::CertificateRevoked
            | A::CertificateExpired
            | A::CertificateUnknown
            | A::UnknownCA
            | A::AccessDenied
            | A::DecryptError,
            true,
            true,
        ) => {
            Some(Fault::new(Cause::ClientCertificateRequired, format!("the listener refused the client certificate: {alert:?}")))
        }
        _ => None,
    }
}

pub(in crate::net) fn certificate_fault(host: &str, error: &CertificateError, certificate: Option<&Certificate>) -> Fault {
    use CertificateError as E;
    let issuer = certificate.map_or("an unknown issuer", |certificate| certificate.issuer.as_str());
    match error {
        E::Expired | E::ExpiredContext { .. } => match certificate {
            Some(certificate) if certificate.not_after < now() => {
                Fault::new(Cause::TlsExpired, format!("the certificate ended {}", ago(now() - certificate.not_after)))
            }
            _ => Fault::new(Cause::TlsExpired, "a certificate of the chain has ended"),
        },
        E::NotValidYet | E::NotValidYetContext { .. } => {
            Fault::new(Cause::TlsExpired, "the certificate is not valid yet by this machine's clock; look at the clock first")
        }
        E::NotValidForName | E::NotValidForNameContext { .. } => Fault::new(
            Cause::TlsHostname,
            format!(
                "the certificate is for {}, not for {host}",
                certificate.map_or_else(|| "other names".to_owned(), Certificate::issued_for)
            ),
        ),
        E::UnknownIssuer => {
            Fault::new(Cause::TlsUntrusted, format!("no trusted authority signed the certificate; its issuer is {issuer}"))
        }
        other => Fault::new(Cause::TlsUntrusted, format!("the certificate (issuer {issuer}) is refused: {other}")),
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn ago(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} seconds ago"),
        120..7_200 => format!("{} minutes ago", seconds / 60),
        7_200..172_800 => format!("{} hours ago", seconds / 3_600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}
