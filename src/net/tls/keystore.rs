//! Keystores and truststores as Java has them, read into PEM: PEM itself, PKCS12, and JKS.
//!
//! Comes in: a file's bytes, its type and passwords. Goes out: trusted certificates, and a private key with its chain where there is one.
//! Nothing of a password or key is part of an error.

use aws_lc_rs::digest;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use openssl::x509::X509;

use crate::base::Secret;

/// The first bytes of Java's own format.
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];
const PRIVATE_KEY: u32 = 1;
const TRUSTED: u32 = 2;
/// The identifier of JKS's protection of keys, 1.3.6.1.4.1.42.2.17.1.1, as it stands in the key's envelope.
const PROTECTION: [u8; 12] = [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01];

/// What a store holds.
#[derive(Debug, Clone, Default)]
pub struct Store {
    /// PEM certificates of authorities; empty where there are none.
    pub certificates: String,
    /// A certificate chain and its private key, both PEM.
    pub identity: Option<(String, Secret)>,
}

/// Reads a store of the type that a Java client would take it for. JKS stands for both formats: Java looks at the file, too.
pub fn read(kind: &str, bytes: &[u8], password: Option<&Secret>, key_password: Option<&Secret>) -> Result<Store, String> {
    match kind.trim().to_ascii_uppercase().as_str() {
        "PEM" => pem(bytes, key_password.or(password)),
        "JKS" | "PKCS12" if bytes.starts_with(&JKS) => jks(bytes, key_password.or(password)),
        "JKS" | "PKCS12" => pkcs12(bytes, password),
        other => Err(format!("a store of type {other} can't be read here; PEM, PKCS12 and JKS can")),
    }
}

/// A PEM private key without its encryption.
pub fn plain_key(pem: &Secret, password: Option<&Secret>) -> Result<Secret, String> {
    if !pem.expose().contains("ENCRYPTED") {
        return Ok(pem.clone());
    }
    let password = password.ok_or("the private key is encrypted, and ssl.key.password is not set")?;
    let key = PKey::private_key_from_pem_passphrase(pem.expose().as_bytes(), password.expose().as_bytes())
        .map_err(|_| "the private key can't be opened with ssl.key.password")?;
    key_pem(&key)
}

fn pem(bytes: &[u8], password: Option<&Secret>) -> Result<Store, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "this is not PEM")?;
    let certificates = X509::stack_from_pem(bytes).map_err(|_| "the certificates are not readable PEM")?;
    let chain: String = certificates.iter().map(certificate_pem).collect::<Result<_, _>>()?;
    if !text.contains("PRIVATE KEY-----") {
        return Ok(Store { certificates: chain, identity: None });
    }
    let key = PKey::private_key_from_pem_callback(bytes, |buffer| {
        let password = password.map_or("", Secret::expose).as_bytes();
        let length = password.len().min(buffer.len());
        buffer[..length].copy_from_slice(&password[..length]);
        Ok(length)
    });
    let key = key.map_err(|_| "the private key can't be opened: it is no PEM key, or its password is wrong or missing")?;
    Ok(Store { certificates: String::new(), identity: Some((chain, key_pem(&key)?)) })
}

fn pkcs12(bytes: &[u8], password: Option<&Secret>) -> Result<Store, String> {
    let store = Pkcs12::from_der(bytes).map_err(|_| "this is neither PKCS12 nor JKS")?;
    let parsed = store
        .parse2(password.map_or("", Secret::expose))
        .map_err(|_| if password.is_some() { "its password is wrong, or it is damaged" } else { "its password is not set" })?;
    let others: Vec<X509> = parsed.ca.map(|stack| stack.into_iter().collect()).unwrap_or_default();
    let others: String = others.iter().map(certificate_pem).collect::<Result<_, _>>()?;
    match (parsed.cert, parsed.pkey) {
        (Some(own), Some(key)) => {
            let chain = certificate_pem(&own)? + &others;
            Ok(Store { certificates: others, identity: Some((chain, key_pem(&key)?)) })
        }
        (Some(own), None) => Ok(Store { certificates: certificate_pem(&own)? + &others, identity: None }),
        (None, _) => Ok(Store { certificates: others, identity: None }),
    }
}

/// Reads the entries one after the other. The digest at the end needs the store's password and says nothing of its entries.
fn jks(bytes: &[u8], password: Option<&Secret>) -> Result<Store, String> {
    let mut rest = Bytes(&bytes[JKS.len()..]);
    let version = rest.number()?;
    let mut store = Store::default();
    for _ in 0..rest.number()? {
        let kind = rest.number()?;
        rest.text()?;
        rest.take(8)?;
        match kind {
            PRIVATE_KEY => {
                let protected = rest.block()?;
                let mut chain = String::new();
                for _ in 0..rest.number()? {
                    chain += &rest.certificate(version)?;
                }
                if store.identity.is_none() {
                    let password = password.ok_or("its password is not set")?;
                    store.identity = Some((chain, unprotected(protected, password)?));
                }
            }
            TRUSTED => store.certificates += &rest.certificate(version)?,
            _ => return Err("it holds an entry of an unknown kind".to_owned()),
        }
    }
    Ok(store)
}

/// JKS's own protection: the key, mixed with a chain of SHA-1 digests that starts from a salt, and a digest to check it by.
fn unprotected(envelope: &[u8], password: &Secret) -> Result<Secret, String> {
    let damaged = "its private key is damaged";
    let at = envelope.windows(PROTECTION.len()).position(|window| window == PROTECTION).ok_or(damaged)?;
    // After the identifier: NULL, then an octet string with a length of two bytes, or one.
    let after = &envelope[at + PROTECTION.len()..];
    let content = match after {
        [5, 0, 4, 0x82, high, low, content @ ..] if content.len() == usize::from(*high) << 8 | usize::from(*low) => content,
        [5, 0, 4, 0x81, length, content @ ..] if content.len() == usize::from(*length) => content,
        _ => return Err(damaged.to_owned()),
    };
    if content.len() < 40 {
        return Err(damaged.to_owned());
    }
    let (salt, rest) = content.split_at(20);
    let (mixed, check) = rest.split_at(rest.len() - 20);
    let password: Vec<u8> = password.expose().encode_utf16().flat_map(u16::to_be_bytes).collect();
    let sha = |parts: [&[u8]; 2]| digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &parts.concat());
    let mut link = salt.to_vec();
    let mut key = Vec::with_capacity(mixed.len());
    for block in mixed.chunks(20) {
        link = sha([&password, &link]).as_ref().to_vec();
        key.extend(block.iter().zip(&link).map(|(byte, mask)| byte ^ mask));
    }
    if sha([&password, &key]).as_ref() != check {
        return Err("its password is wrong".to_owned());
    }
    let key = PKey::private_key_from_der(&key).map_err(|_| damaged)?;
    key_pem(&key)
}

/// A cursor that never reads past the end.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, String> {
        Ok(self.take(4)?.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn text(&mut self) -> Result<&'a [u8], String> {
        let length = self.take(2)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte));
        self.take(length)
    }

    fn block(&mut self) -> Result<&'a [u8], String> {
        let length = self.number()? as usize;
        self.take(length)
    }

    fn certificate(&mut self, version: u32) -> Result<String, String> {
        if version == 2 {
            self.text()?;
        }
        let certificate = X509::from_der(self.block()?).map_err(|_| "it holds a certificate that can't be read")?;
        certificate_pem(&certificate)
    }
}

fn certificate_pem(certificate: &X509) -> Result<String, String> {
    let pem = certificate.to_pem().ok().and_then(|pem| String::from_utf8(pem).ok());
    pem.ok_or_else(|| "a certificate can't be written as PEM".to_owned())
}

fn key_pem(key: &PKey<openssl::pkey::Private>) -> Result<Secret, String> {
    let pem = key.private_key_to_pem_pkcs8().ok().and_then(|pem| String::from_utf8(pem).ok());
    pem.map(Secret::new).ok_or_else(|| "the private key can't be written as PEM".to_owned())
}
