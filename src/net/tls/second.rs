//! A second opinion on a certificate that webpki can't read or won't weigh: of version 1, as `openssl x509 -req` makes them, with a short
//! key, with an odd extension. Java and OpenSSL take them, and what a client would take must not be called a fault.
//!
//! Comes in: what the server showed, and the authorities. Goes out: OpenSSL's verdict in the words of the first one. Dates, chain and
//! host name are looked at here as there.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Public};
use openssl::rsa::Padding;
use openssl::sign::{RsaPssSaltlen, Verifier};
use openssl::stack::Stack;
use openssl::x509::store::X509StoreBuilder;
use openssl::x509::verify::X509VerifyFlags;
use openssl::x509::{X509, X509StoreContext, X509VerifyResult};
use rustls::pki_types::CertificateDer;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::Certificate;

/// Is this an error of reading rather than a verdict on what was read?
pub(super) fn is_worth_asking(error: &Error) -> bool {
    use CertificateError as E;
    match error {
        Error::InvalidCertificate(error) => !matches!(
            error,
            E::Expired
                | E::ExpiredContext { .. }
                | E::NotValidYet
                | E::NotValidYetContext { .. }
                | E::NotValidForName
                | E::NotValidForNameContext { .. }
                | E::UnknownIssuer
                | E::Revoked
                | E::InvalidPurpose
                | E::InvalidPurposeContext { .. }
        ),
        _ => false,
    }
}

/// Judges a chain. What OpenSSL can't read either keeps its `first` verdict.
pub(super) fn chain(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    trusted: &[CertificateDer<'_>],
    host: &str,
    first: Error,
) -> Result<(), Error> {
    match verified(end_entity, intermediates, trusted) {
        Some(X509VerifyResult::OK) => {}
        Some(other) => return Err(in_other_words(other).map_or(first, Error::InvalidCertificate)),
        None => return Err(first),
    }
    match Certificate::read(end_entity) {
        Some(facts) if facts.is_for(host) => Ok(()),
        _ => Err(Error::InvalidCertificate(CertificateError::NotValidForName)),
    }
}

fn verified(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    trusted: &[CertificateDer<'_>],
) -> Option<X509VerifyResult> {
    let mut store = X509StoreBuilder::new().ok()?;
    for authority in trusted.iter().filter_map(|der| X509::from_der(der).ok()) {
        store.add_cert(authority).ok()?;
    }
    // As in Java, whatever stands in the truststore is trusted, signed by itself or not.
    store.set_flags(X509VerifyFlags::PARTIAL_CHAIN).ok()?;
    let mut chain = Stack::new().ok()?;
    for between in intermediates.iter().filter_map(|der| X509::from_der(der).ok()) {
        chain.push(between).ok()?;
    }
    let certificate = X509::from_der(end_entity).ok()?;
    let mut context = X509StoreContext::new().ok()?;
    context
        .init(&store.build(), &certificate, &chain, |context| {
            context.verify_cert()?;
            Ok(context.error())
        })
        .ok()
}

/// The numbers of <openssl/x509_vfy.h>.
fn in_other_words(result: X509VerifyResult) -> Option<CertificateError> {
    match result.as_raw() {
        2 | 18..=21 => Some(CertificateError::UnknownIssuer),
        7 => Some(CertificateError::BadSignature),
        9 => Some(CertificateError::NotValidYet),
        10 => Some(CertificateError::Expired),
        _ => None,
    }
}

/// Has the owner of the certificate signed the handshake?
pub(super) fn has_signed(certificate: &CertificateDer<'_>, message: &[u8], signed: &DigitallySignedStruct) -> bool {
    let key = X509::from_der(certificate).and_then(|certificate| certificate.public_key());
    key.is_ok_and(|key| is_signature(&key, message, signed).unwrap_or(false))
}

fn is_signature(key: &PKey<Public>, message: &[u8], signed: &DigitallySignedStruct) -> Result<bool, openssl::error::ErrorStack> {
    use SignatureScheme as S;
    let (digest, is_pss) = match signed.scheme {
        S::RSA_PSS_SHA256 => (MessageDigest::sha256(), true),
        S::RSA_PSS_SHA384 => (MessageDigest::sha384(), true),
        S::RSA_PSS_SHA512 => (MessageDigest::sha512(), true),
        S::RSA_PKCS1_SHA256 | S::ECDSA_NISTP256_SHA256 => (MessageDigest::sha256(), false),
        S::RSA_PKCS1_SHA384 | S::ECDSA_NISTP384_SHA384 => (MessageDigest::sha384(), false),
        S::RSA_PKCS1_SHA512 | S::ECDSA_NISTP521_SHA512 => (MessageDigest::sha512(), false),
        S::ED25519 => return Verifier::new_without_digest(key)?.verify_oneshot(signed.signature(), message),
        _ => return Ok(false),
    };
    let mut verifier = Verifier::new(digest, key)?;
    if is_pss {
        verifier.set_rsa_padding(Padding::PKCS1_PSS)?;
        verifier.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH)?;
    }
    verifier.verify_oneshot(signed.signature(), message)
}
