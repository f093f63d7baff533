//! Verification as a Java client does it, and a witness of what the server showed and asked for.
//!
//! Java differs from webpki in three places that people meet: a certificate that itself stands in the truststore is trusted, the common
//! name counts when the certificate lists no names, and certificates of version 1 or with short keys are read (`second`).

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::{Certificate, second};

pub(super) struct Verifier {
    webpki: Arc<WebPkiServerVerifier>,
    trusted: Vec<CertificateDer<'static>>,
    ignore_host_name: bool,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({} authorities)", self.trusted.len())
    }
}

impl Verifier {
    /// Nothing where none of the authorities can be read.
    pub(super) fn new(
        trusted: Vec<CertificateDer<'static>>,
        ignore_host_name: bool,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Option<Self>, String> {
        let mut roots = RootCertStore::empty();
        let (added, _unreadable) = roots.add_parsable_certificates(trusted.iter().cloned());
        if added == 0 {
            return Ok(None);
        }
        let webpki = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
            .build()
            .map_err(|error| format!("the trusted authorities can't be used: {error}"))?;
        Ok(Some(Self { webpki, trusted, ignore_host_name }))
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<(), Error> {
        let verdict = if self.trusted.iter().any(|trusted| trusted == end_entity) {
            ParsedCertificate::try_from(end_entity).and_then(|certificate| verify_server_name(&certificate, name))
        } else {
            self.webpki.verify_server_cert(end_entity, intermediates, name, ocsp, now).map(|_| ())
        };
        let verdict = match verdict {
            Err(error) if second::is_worth_asking(&error) => {
                second::chain(end_entity, intermediates, &self.trusted, &name.to_str(), error)
            }
            verdict => verdict,
        };
        match verdict {
            // webpki looks at the name last: the chain itself holds.
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) if self.ignore_host_name
                || Certificate::read(end_entity).is_some_and(|facts| facts.is_for_by_common_name(&name.to_str())) =>
            {
                Ok(())
            }
            verdict => verdict,
        }
    }
}

/// A [`Verifier`] for one handshake, which keeps the certificate also when it is refused.
#[derive(Debug)]
pub(in crate::net) struct Witness {
    verifier: Arc<Verifier>,
    seen: Mutex<Option<Certificate>>,
}

impl Witness {
    pub(super) fn new(verifier: Arc<Verifier>) -> Self {
        Self { verifier, seen: Mutex::new(None) }
    }

    pub(in crate::net) fn certificate(&self) -> Option<Certificate> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Certificate::read(end_entity);
        self.verifier.verify(end_entity, intermediates, name, ocsp, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = self.verifier.webpki.verify_tls12_signature(message, certificate, signed);
        verdict.or_else(|error| heard_again(certificate, message, signed, error))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verdict = self.verifier.webpki.verify_tls13_signature(message, certificate, signed);
        verdict.or_else(|error| heard_again(certificate, message, signed, error))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.verifier.webpki.supported_verify_schemes()
    }
}

/// The key of a certificate that webpki can't read is read by OpenSSL.
fn heard_again(
    certificate: &CertificateDer<'_>,
    message: &[u8],
    signed: &DigitallySignedStruct,
    first: Error,
) -> Result<HandshakeSignatureValid, Error> {
    if second::has_signed(certificate, message, signed) { Ok(HandshakeSignatureValid::assertion()) } else { Err(first) }
}

/// Shows the client's certificate, and notes that it was asked for.
#[derive(Debug)]
pub(super) struct Identity {
    key: Option<Arc<CertifiedKey>>,
    asked: AtomicBool,
}

impl Identity {
    pub(super) fn new(key: Option<Arc<CertifiedKey>>) -> Self {
        Self { key, asked: AtomicBool::new(false) }
    }

    pub(super) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _authorities: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.key.clone()
    }

    /// Always: rustls asks `resolve` only then, and the question is what we want to know of.
    fn has_certs(&self) -> bool {
        true
    }
}
