//! Why a connection did not come about: the causes that a report names, each told apart from its neighbours by asking the wire.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

macro_rules! causes {
    ($($name:ident = $word:literal, $meaning:literal;)*) => {
        /// The cause of a connection that failed. The words are part of the interface and never change.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Cause {
            $(#[doc = $meaning] $name,)*
        }

        impl Cause {
            /// Every cause, in the order of the layers.
            pub const ALL: &'static [Cause] = &[$(Cause::$name),*];

            /// The word in reports.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Cause::$name => $word,)*
                }
            }
        }
    };
}

causes! {
    ResolverUnavailable = "resolver-unavailable", "the resolver gave no answer, so nothing is known of the name";
    NameNotFound = "name-not-found", "the resolver answered: there is no such name";
    PublicAddress = "public-address", "a private cluster's name leads to a public address";
    Refused = "refused", "the host is there, nothing listens on the port";
    TimedOut = "timed-out", "no answer within our limit";
    OutsideVpc = "outside-vpc", "a private address that can't be reached from where this ran";
    BrokerUnreachable = "broker-unreachable", "the broker can't be reached or breaks the connection off";
    PlaintextListener = "plaintext-listener", "TLS was asked for and the listener speaks none";
    TlsListener = "tls-listener", "the listener speaks TLS and TLS was not asked for";
    NotKafka = "not-kafka", "something else than Kafka answers";
    TlsUntrusted = "tls-untrusted", "no trusted authority signed the certificate";
    TlsHostname = "tls-hostname", "the certificate is for other names";
    TlsExpired = "tls-expired", "the certificate's time is over or has not come";
    ClockSkew = "clock-skew", "this machine's clock is wrong";
    ClientCertificateRequired = "client-certificate-required", "the listener wants a client certificate, or another one";
    SaslRequired = "sasl-required", "the listener wants SASL and none was set";
    MechanismNotOffered = "mechanism-not-offered", "the listener does not offer the mechanism";
    BadCredentials = "bad-credentials", "the broker refused user name and password";
    AccessDenied = "access-denied", "the identity is known and may not connect";
    WrongCluster = "wrong-cluster", "the cluster is another one than the project names";
    Throttled = "throttled", "the broker holds requests back";
}

impl Cause {
    /// May it go away by itself, so that a retry is worth it?
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Refused | Self::TimedOut | Self::BrokerUnreachable | Self::ResolverUnavailable | Self::Throttled)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Cause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let known = Self::ALL.iter().copied().find(|cause| cause.as_str() == text);
        known.ok_or_else(|| D::Error::custom(format!("no cause {text}")))
    }
}

/// A connection or an exchange that failed: its cause, and what was seen. Never holds a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub cause: Cause,
    /// What was seen, as a sentence without its full stop.
    pub message: String,
    /// What the other side takes instead, where it says so.
    pub offered: Vec<String>,
    /// It is this program that can't go on; a client may well.
    pub is_ours: bool,
}

impl Fault {
    pub fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into(), offered: Vec::new(), is_ours: false }
    }

    #[must_use]
    pub fn offering(mut self, offered: Vec<String>) -> Self {
        self.offered = offered;
        self
    }

    #[must_use]
    pub fn of_ours(mut self) -> Self {
        self.is_ours = true;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.cause)
    }
}
