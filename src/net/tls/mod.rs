//! TLS by rustls, judged as a Java client judges it: a truststore stands instead of the system's authorities, never beside them.
//!
//! Comes in: a stream, the host it was opened for, trust settings. Goes out: a secured stream with the facts of the server's
//! certificate, or a failure that says which of the many things went wrong. What the server said first is kept, so that a
//! server that speaks no TLS is told apart from one whose TLS fails.

mod certificate;
mod failure;
pub mod keystore;
mod pem;
mod recorder;
mod second;
mod spoken;
mod verifier;

use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{Error as PemError, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, SupportedProtocolVersion};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::base::{Cause, Deadline, Fault, Secret};
pub use certificate::{Certificate, subject};
pub(super) use failure::certificate_fault;
pub use failure::{Failure, Talk, refused_after_handshake};
pub use pem::blocks;
pub use recorder::Recorder;
pub use spoken::{Spoken, spoken};
pub(super) use verifier::Witness;
use verifier::{Identity, Verifier};

/// What a client trusts and shows.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// PEM certificates that stand instead of the system's authorities, as a Java truststore does.
    pub authorities: Option<String>,
    /// The client's own certificate chain (PEM) and its private key (PEM).
    pub identity: Option<(String, Secret)>,
    /// `ssl.endpoint.identification.algorithm` set to nothing: the host name is not compared.
    pub ignore_host_name: bool,
    /// `ssl.enabled.protocols`; without one that is known, all.
    pub versions: Vec<String>,
}

/// A TLS client, its authorities and keys read once.
#[derive(Debug, Clone)]
pub struct Client {
    provider: Arc<CryptoProvider>,
    verifier: Arc<Verifier>,
    identity: Option<Arc<CertifiedKey>>,
    versions: Vec<&'static SupportedProtocolVersion>,
}

/// A secured stream.
#[derive(Debug)]
pub struct Secured {
    pub stream: TlsStream<Recorder>,
    pub certificate: Option<Certificate>,
    /// The server asked for a client certificate; it may refuse the connection only later.
    pub asked_for_identity: bool,
}

impl Client {
    /// Reads authorities and keys. What is wrong with them is a sentence for the user's configuration.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let authorities = match &settings.authorities {
            Some(pem) => certificates(pem, "the truststore")?,
            None => native().to_vec(),
        };
        let verifier = Verifier::new(authorities, settings.ignore_host_name, &provider)?.ok_or_else(|| {
            let none = match settings.authorities {
                Some(_) => "the truststore holds no certificate that can be read",
                None => "no trusted certificate authority was found: install ca-certificates, or name a truststore",
            };
            none.to_owned()
        })?;
        let verifier = Arc::new(verifier);
        let versions = versions(&settings.versions);
        let identity = match &settings.identity {
            Some((chain, key)) => Some(Arc::new(certified(chain, key, &provider)?)),
            None => None,
        };
        Ok(Self { provider, verifier, identity, versions })
    }

    pub fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// For HTTP: the same judgement of certificates, and who saw the last one.
    pub(super) fn for_http(&self) -> Result<(ClientConfig, Arc<Witness>), String> {
        let witness = Arc::new(Witness::new(self.verifier.clone()));
        let mut config = self.config(&witness, &Arc::new(Identity::new(self.identity.clone())))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok((config, witness))
    }

    fn config(&self, witness: &Arc<Witness>, identity: &Arc<Identity>) -> Result<ClientConfig, String> {
        let config = ClientConfig::builder_with_provider(self.provider.clone())
            .with_protocol_versions(&self.versions)
            .map_err(|error| format!("TLS can't be set up: {error}"))?;
        let config = config.dangerous().with_custom_certificate_verifier(witness.clone());
        Ok(config.with_client_cert_resolver(identity.clone()))
    }

    /// Shakes hands as a client of `host`.
    pub async fn handshake(&self, tcp: TcpStream, host: &str, deadline: Deadline) -> Result<Secured, Box<Failure>> {
        let (recorder, heard) = Recorder::new(tcp);
        let Ok(name) = ServerName::try_from(host.to_owned()) else {
            let fault = Fault::new(Cause::TlsHostname, format!("`{host}` is not a name that a certificate can be issued for"));
            return Err(Box::new(Failure { fault, certificate: None, talk: Talk::Silent, closed: false, unshared: false }));
        };
        let witness = Arc::new(Witness::new(self.verifier.clone()));
        let identity = Arc::new(Identity::new(self.identity.clone()));
        let mut config = match self.config(&witness, &identity) {
            Ok(config) => config,
            Err(message) => return Err(Box::new(Failure::unclassified(message))),
        };
        config.resumption = Resumption::disabled();
        let shake = TlsConnector::from(Arc::new(config)).connect(name, recorder);
        let result = timeout(deadline.remaining(), shake).await;
        let certificate = witness.certificate();
        match result {
            Ok(Ok(stream)) => Ok(Secured { stream, certificate, asked_for_identity: identity.was_asked() }),
            Ok(Err(error)) => {
                let seen = failure::Seen {
                    certificate,
                    heard: heard.bytes(),
                    asked_for_identity: identity.was_asked(),
                    has_identity: self.has_identity(),
                };
                Err(Box::new(failure::classify(host, &error, seen)))
            }
            Err(_) => Err(Box::new(failure::timed_out(certificate, &heard.bytes()))),
        }
    }
}

/// Whether a client's certificate and its key can be used together; says what is wrong otherwise.
pub fn fits(chain: &str, key: &Secret) -> Result<(), String> {
    certified(chain, key, &aws_lc_rs::default_provider()).map(drop)
}

/// The system's authorities as PEM, in an order that is always the same.
pub fn authorities_pem() -> String {
    let mut encoded: Vec<String> = native().iter().map(|certificate| BASE64_STANDARD.encode(certificate)).collect();
    encoded.sort();
    encoded.dedup();
    let mut pem = String::new();
    for text in encoded {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem
}

/// The system's authorities, read once: every connection is judged by them.
fn native() -> &'static [CertificateDer<'static>] {
    static NATIVE: OnceLock<Vec<CertificateDer<'static>>> = OnceLock::new();
    NATIVE.get_or_init(|| rustls_native_certs::load_native_certs().certs)
}

fn certificates(pem: &str, what: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(format!("{what} holds no PEM certificate")),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(format!("{what} is not readable PEM: {}", trouble(&error))),
    }
}

/// What is wrong with PEM, without its bytes.
fn trouble(error: &PemError) -> &'static str {
    match error {
        PemError::MissingSectionEnd { .. } => "a block has no end (-----END …-----)",
        PemError::IllegalSectionStart { .. } => "a block's first line is not ended by five hyphens",
        PemError::Base64Decode(_) => "what stands in a block is not base64",
        _ => "it is damaged",
    }
}

/// The versions that a client allows, of those that there are; all of them where it names none.
fn versions(names: &[String]) -> Vec<&'static SupportedProtocolVersion> {
    let known = [("TLSv1.3", &rustls::version::TLS13), ("TLSv1.2", &rustls::version::TLS12)];
    let is_known = names.iter().any(|name| known.iter().any(|(known, _)| known == name));
    let allowed = |name: &str| !is_known || names.iter().any(|allowed| allowed == name);
    known.into_iter().filter(|(name, _)| allowed(name)).map(|(_, version)| version).collect()
}

fn certified(chain: &str, key: &Secret, provider: &CryptoProvider) -> Result<CertifiedKey, String> {
    let chain = certificates(chain, "the client certificate")?;
    let key = PrivateKeyDer::from_pem_slice(key.expose().as_bytes())
        .map_err(|_| "the client's private key is not a PEM private key".to_owned())?;
    CertifiedKey::from_der(chain, key, provider)
        .map_err(|_| "the client's certificate and its private key don't belong together".to_owned())
}
