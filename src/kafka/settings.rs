//! What a Kafka client is told: where to go, how to secure the connection, who to be.

use std::fmt;
use std::sync::Arc;

use super::aws::AwsKeys;
use super::oauth::{Oidc, Unsecured};
use crate::base::Secret;
use crate::net::{Endpoint, tls};

/// `security.protocol`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Protocol {
    /// Reads Kafka's name, in any case, as Kafka does.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim().to_ascii_uppercase().as_str() {
            "PLAINTEXT" => Some(Self::Plaintext),
            "SSL" => Some(Self::Ssl),
            "SASL_PLAINTEXT" => Some(Self::SaslPlaintext),
            "SASL_SSL" => Some(Self::SaslSsl),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    pub fn has_tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    pub fn has_sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// `sasl.mechanism`, as far as this client can speak it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mechanism {
    Plain,
    ScramSha256,
    ScramSha512,
    OauthBearer,
    AwsMskIam,
}

impl Mechanism {
    /// Reads Kafka's name; mechanisms are compared exactly, as Kafka does.
    pub fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            "PLAIN" => Some(Self::Plain),
            "SCRAM-SHA-256" => Some(Self::ScramSha256),
            "SCRAM-SHA-512" => Some(Self::ScramSha512),
            "OAUTHBEARER" => Some(Self::OauthBearer),
            "AWS_MSK_IAM" => Some(Self::AwsMskIam),
            _ => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::OauthBearer => "OAUTHBEARER",
            Self::AwsMskIam => "AWS_MSK_IAM",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Who a client says it is.
#[derive(Debug, Clone)]
pub struct Login {
    pub mechanism: Mechanism,
    pub proof: Proof,
}

/// How a client shows who it is.
#[derive(Debug, Clone)]
pub enum Proof {
    /// PLAIN and SCRAM.
    Password { username: String, password: Secret },
    /// OAUTHBEARER with a token that a token endpoint gives out for an id and a secret. Asked for once, whoever shares it.
    Oidc(Arc<Oidc>),
    /// OAUTHBEARER with a token that nobody has signed.
    Unsecured(Unsecured),
    /// AWS_MSK_IAM, or OAUTHBEARER as Amazon MSK takes it: signed with AWS credentials.
    Aws(AwsKeys),
}

impl Login {
    pub fn password(mechanism: Mechanism, username: impl Into<String>, password: Secret) -> Self {
        Self { mechanism, proof: Proof::Password { username: username.into(), password } }
    }

    /// The name that stands in the settings, whatever it is called there.
    pub fn name(&self) -> Option<&str> {
        match &self.proof {
            Proof::Password { username, .. } => Some(username),
            Proof::Oidc(oidc) => Some(&oidc.client_id),
            Proof::Unsecured(token) => token.subject(),
            Proof::Aws(_) => None,
        }
    }

    fn is_same(&self, other: &Self) -> bool {
        let same = |a: &Secret, b: &Secret| a.expose() == b.expose();
        self.mechanism == other.mechanism
            && match (&self.proof, &other.proof) {
                (Proof::Password { username: a, password: b }, Proof::Password { username: c, password: d }) => {
                    a == c && same(b, d)
                }
                (Proof::Oidc(a), Proof::Oidc(b)) => a.is_same(b),
                (Proof::Unsecured(a), Proof::Unsecured(b)) => a == b,
                (Proof::Aws(a), Proof::Aws(b)) => a.access_key == b.access_key && a.region == b.region,
                _ => false,
            }
    }
}

/// The settings of one client.
#[derive(Debug, Clone)]
pub struct Settings {
    pub bootstrap: Vec<Endpoint>,
    pub protocol: Protocol,
    /// Set exactly when the protocol has SASL.
    pub login: Option<Login>,
    pub tls: tls::Settings,
}

impl Settings {
    /// Would the broker see the same client, secured the same way?
    pub fn same_client(&self, other: &Self) -> bool {
        let login = match (&self.login, &other.login) {
            (Some(a), Some(b)) => a.is_same(b),
            (None, None) => true,
            _ => false,
        };
        let identity = match (&self.tls.identity, &other.tls.identity) {
            (Some((chain, key)), Some((other_chain, other_key))) => chain == other_chain && key.expose() == other_key.expose(),
            (None, None) => true,
            _ => false,
        };
        login
            && identity
            && self.bootstrap == other.bootstrap
            && self.protocol == other.protocol
            && self.tls.authorities == other.tls.authorities
            && self.tls.ignore_host_name == other.tls.ignore_host_name
            && self.tls.versions == other.tls.versions
    }
}
