//! SCRAM (RFC 5802) as Kafka speaks it: pure, messages in and messages out.
//!
//! Kafka does not run SASLprep: names and passwords are their UTF-8 bytes, on the broker and in the Java client alike, so
//! normalising here would refuse passwords that work there. Only `,` and `=` in names are escaped.

use std::num::NonZeroU32;

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::base::Secret;

/// More iterations than any broker is set to: a server that asks for more wants to keep us busy.
const MOST_ITERATIONS: u32 = 1_000_000;

/// The hash that a mechanism is named after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        }
    }

    fn hmac(self) -> hmac::Algorithm {
        match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        }
    }

    fn pbkdf2(self) -> pbkdf2::Algorithm {
        match self {
            Self::Sha256 => pbkdf2::PBKDF2_HMAC_SHA256,
            Self::Sha512 => pbkdf2::PBKDF2_HMAC_SHA512,
        }
    }
}

/// The first half: what the client said.
pub(super) struct First {
    hash: Hash,
    nonce: String,
    bare: String,
}

/// The second half: what the server must answer.
pub(super) struct Final {
    hash: Hash,
    server_key: Vec<u8>,
    auth_message: String,
    message: String,
}

/// A fresh nonce.
pub(super) fn nonce() -> Result<String, String> {
    let mut bytes = [0_u8; 24];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(BASE64.encode(bytes))
}

impl First {
    pub(super) fn new(hash: Hash, username: &str, nonce: String) -> Self {
        let name = username.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={name},r={nonce}");
        Self { hash, nonce, bare }
    }

    pub(super) fn message(&self) -> String {
        format!("n,,{}", self.bare)
    }

    /// Answers the server's first message with the proof that the password is known.
    pub(super) fn answer(self, server_first: &str, password: &Secret) -> Result<Final, String> {
        let field = |key: &str| server_first.split(',').find_map(|part| part.strip_prefix(key));
        let (Some(nonce), Some(salt), Some(iterations)) = (field("r="), field("s="), field("i=")) else {
            return Err("the broker's SCRAM message is not one".to_owned());
        };
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the broker answered to another login's SCRAM nonce".to_owned());
        }
        let salt = BASE64.decode(salt).map_err(|_| "the broker's SCRAM salt is not base64".to_owned())?;
        let iterations = iterations
            .parse::<u32>()
            .ok()
            .filter(|count| *count <= MOST_ITERATIONS)
            .and_then(NonZeroU32::new)
            .ok_or_else(|| format!("the broker asks for {iterations} SCRAM iterations"))?;

        let mut salted = vec![0_u8; self.hash.digest().output_len()];
        pbkdf2::derive(self.hash.pbkdf2(), iterations, &salt, password.expose().as_bytes(), &mut salted);
        let client_key = self.mac(&salted, b"Client Key");
        let server_key = self.mac(&salted, b"Server Key");
        let stored_key = digest::digest(self.hash.digest(), &client_key);
        let without_proof = format!("c=biws,r={nonce}");
        let auth_message = format!("{},{server_first},{without_proof}", self.bare);
        let signature = self.mac(stored_key.as_ref(), auth_message.as_bytes());
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, sign)| key ^ sign).collect();
        let message = format!("{without_proof},p={}", BASE64.encode(proof));
        Ok(Final { hash: self.hash, server_key, auth_message, message })
    }

    fn mac(&self, key: &[u8], message: &[u8]) -> Vec<u8> {
        mac(self.hash, key, message)
    }
}

impl Final {
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Does the server know the password too?
    pub(super) fn verify(&self, server_final: &str) -> Result<(), String> {
        if let Some(error) = server_final.strip_prefix("e=") {
            return Err(format!("the broker refused the SCRAM proof: {error}"));
        }
        let signature =
            server_final.split(',').find_map(|part| part.strip_prefix("v=")).and_then(|text| BASE64.decode(text).ok());
        let expected = mac(self.hash, &self.server_key, self.auth_message.as_bytes());
        match signature {
            Some(signature) if constant_time::verify_slices_are_equal(&signature, &expected).is_ok() => Ok(()),
            _ => Err("the broker's SCRAM signature is wrong: it does not know the password itself".to_owned()),
        }
    }
}

fn mac(hash: Hash, key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hash.hmac(), key), message).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::{First, Hash};
    use crate::base::Secret;

    /// The exchange of RFC 7677, section 3.
    #[test]
    fn the_exchange_of_the_rfc() {
        let first = First::new(Hash::Sha256, "user", "rOprNGfwEbeRWgbNEkqO".to_owned());
        assert_eq!(first.message(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let server_first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let last = first.answer(server_first, &Secret::new("pencil")).unwrap();
        assert!(last.message().ends_with(",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="));
        last.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        assert!(last.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=").is_err());
        assert!(last.verify("e=invalid-proof").is_err());
    }

    #[test]
    fn names_are_escaped_and_foreign_nonces_refused() {
        let first = First::new(Hash::Sha512, "a=b,c", "abc".to_owned());
        assert_eq!(first.message(), "n,,n=a=3Db=2Cc,r=abc");
        assert!(first.answer("r=xyz,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", &Secret::new("x")).is_err());
    }

    #[test]
    fn a_server_that_wants_to_keep_us_busy_is_refused() {
        let first = First::new(Hash::Sha256, "a", "abc".to_owned());
        assert!(first.answer("r=abcd,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=2000000000", &Secret::new("x")).is_err());
    }
}
