//! Login: is the mechanism offered, are the credentials good?

use kafka_protocol::messages::{MetadataRequest, SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;

use super::aws::AwsKeys;
use super::link::request_fault;
use super::scram::{self, Hash};
use super::settings::{Login, Mechanism, Proof};
use super::wire::{Connection, WireError};
use crate::base::{Cause, Deadline, Fault, Secret};

const ILLEGAL_SASL_STATE: i16 = 34;
const UNSUPPORTED_SASL_MECHANISM: i16 = 33;
const SASL_AUTHENTICATION_FAILED: i16 = 58;

/// Shows the credentials. After this the connection may ask what its principal may ask.
pub(super) async fn authenticate(
    connection: &mut Connection,
    login: &Login,
    host: &str,
    deadline: Deadline,
) -> Result<(), Fault> {
    match offered(connection, login.mechanism.as_str(), deadline).await? {
        Offer::Accepted => {}
        Offer::NoSasl => {
            return Err(Fault::new(
                Cause::MechanismNotOffered,
                "the listener knows no SASL: its security.protocol is PLAINTEXT or SSL",
            ));
        }
        Offer::Others(mechanisms) => {
            let offered = if mechanisms.is_empty() { "none".to_owned() } else { mechanisms.join(", ") };
            let message = format!("the listener does not offer {}; it offers {offered}", login.mechanism);
            return Err(Fault::new(Cause::MechanismNotOffered, message).offering(mechanisms));
        }
    }
    match &login.proof {
        Proof::Password { username, password } => match login.mechanism {
            Mechanism::ScramSha256 => scram_login(connection, username, password, Hash::Sha256, deadline).await,
            Mechanism::ScramSha512 => scram_login(connection, username, password, Hash::Sha512, deadline).await,
            _ => {
                let token = format!("\0{username}\0{}", password.expose());
                send(connection, login.mechanism, token.into_bytes(), deadline).await.map(|_| ())
            }
        },
        Proof::Oidc(oidc) => {
            let message = oidc.token(deadline).await?.message(&oidc.extensions);
            bearer_login(connection, message, deadline).await
        }
        Proof::Unsecured(token) => bearer_login(connection, token.message(), deadline).await,
        Proof::Aws(keys) => aws_login(connection, login.mechanism, keys, host, deadline).await,
    }
}

/// OAUTHBEARER: a broker that refuses says why in its first answer, and fails the login after a second word from us (RFC 7628, 3.2.3).
async fn bearer_login(connection: &mut Connection, message: Secret, deadline: Deadline) -> Result<(), Fault> {
    let said = send(connection, Mechanism::OauthBearer, message.expose().as_bytes().to_vec(), deadline).await?;
    if said.is_empty() {
        return Ok(());
    }
    match send(connection, Mechanism::OauthBearer, vec![1], deadline).await {
        Err(fault) if fault.cause == Cause::BadCredentials || fault.cause == Cause::AccessDenied => Err(fault),
        _ => Err(Fault::new(Cause::BadCredentials, format!("the broker refused the token: {}", plain(&said)))),
    }
}

/// What Amazon MSK refuses it refuses with one word. What is left is found out from what we know ourselves.
async fn aws_login(
    connection: &mut Connection,
    mechanism: Mechanism,
    keys: &AwsKeys,
    host: &str,
    deadline: Deadline,
) -> Result<(), Fault> {
    let unsigned = |message: String| Fault::new(Cause::BadCredentials, message);
    let result = if mechanism == Mechanism::AwsMskIam {
        let payload = keys.payload(host).map_err(unsigned)?;
        send(connection, mechanism, payload.expose().as_bytes().to_vec(), deadline).await.map(|_| ())
    } else {
        bearer_login(connection, keys.token().map_err(unsigned)?, deadline).await
    };
    result.map_err(|fault| match fault.cause {
        Cause::BadCredentials | Cause::AccessDenied => keys.refusal(mechanism, host, &fault),
        _ => fault,
    })
}

/// The first request that needs a login, where a login is needed: it asks for nothing.
pub(super) async fn first_request(connection: &mut Connection, deadline: Deadline) -> Result<(), WireError> {
    let nothing = MetadataRequest::default().with_topics(Some(Vec::new())).with_allow_auto_topic_creation(false);
    connection.call(&nothing, 9, deadline).await.map(|_| ())
}

/// The mechanisms that a listener offers; `None` where it knows no SASL.
pub(super) async fn mechanisms(connection: &mut Connection, deadline: Deadline) -> Option<Vec<String>> {
    // A name that no listener offers: the answer is the list.
    match offered(connection, "NONE", deadline).await {
        Ok(Offer::Others(mechanisms)) => Some(mechanisms),
        Ok(Offer::Accepted | Offer::NoSasl) | Err(_) => None,
    }
}

enum Offer {
    Accepted,
    Others(Vec<String>),
    NoSasl,
}

async fn offered(connection: &mut Connection, mechanism: &str, deadline: Deadline) -> Result<Offer, Fault> {
    let request = SaslHandshakeRequest::default().with_mechanism(StrBytes::from_string(mechanism.to_owned()));
    let (answer, _) = connection.call(&request, 1, deadline).await.map_err(|error| match error {
        // Some listeners without SASL do not even list the request.
        WireError::Unsupported => Fault::new(Cause::MechanismNotOffered, "the listener knows no SASL"),
        error => request_fault("the SASL handshake", &error),
    })?;
    match answer.error_code {
        0 => Ok(Offer::Accepted),
        UNSUPPORTED_SASL_MECHANISM => Ok(Offer::Others(answer.mechanisms.iter().map(ToString::to_string).collect())),
        ILLEGAL_SASL_STATE => Ok(Offer::NoSasl),
        code => {
            Err(Fault::new(Cause::BrokerUnreachable, format!("the SASL handshake failed: {}", super::probe::error_name(code))))
        }
    }
}

async fn scram_login(
    connection: &mut Connection,
    username: &str,
    password: &Secret,
    hash: Hash,
    deadline: Deadline,
) -> Result<(), Fault> {
    let mechanism = if hash == Hash::Sha256 { Mechanism::ScramSha256 } else { Mechanism::ScramSha512 };
    let odd = |message: String| Fault::new(Cause::BadCredentials, message);
    let first = scram::First::new(hash, username, scram::nonce().map_err(odd)?);
    let answer = send(connection, mechanism, first.message().into_bytes(), deadline).await?;
    let password = password.clone();
    // Thousands of hashes: not on the runtime's own threads.
    let last = tokio::task::spawn_blocking(move || first.answer(&answer, &password));
    let last = last.await.map_err(|_| odd("the SCRAM proof could not be computed".to_owned()))?.map_err(odd)?;
    let answer = send(connection, mechanism, last.message().as_bytes().to_vec(), deadline).await?;
    last.verify(&answer).map_err(odd)
}

async fn send(connection: &mut Connection, mechanism: Mechanism, bytes: Vec<u8>, deadline: Deadline) -> Result<String, Fault> {
    let request = SaslAuthenticateRequest::default().with_auth_bytes(bytes.into());
    let (answer, _) = connection.call(&request, 2, deadline).await.map_err(|error| match error {
        // Everything before went well, so the broker dislikes what it was just told.
        WireError::Closed(_) => {
            Fault::new(Cause::BadCredentials, format!("the broker hung up when it was shown the {mechanism} credentials"))
        }
        error => request_fault("the login", &error),
    })?;
    match answer.error_code {
        0 => Ok(String::from_utf8_lossy(&answer.auth_bytes).into_owned()),
        SASL_AUTHENTICATION_FAILED => {
            let said = answer.error_message.as_ref().map_or("", |message| message.as_str());
            let cause = if said.contains("Too many connects") {
                Cause::Throttled
            } else if said.contains("Access denied") {
                Cause::AccessDenied
            } else {
                Cause::BadCredentials
            };
            let said = if said.is_empty() { String::new() } else { format!(": {}", plain(said)) };
            Err(Fault::new(cause, format!("the broker refused the {mechanism} login{said}")))
        }
        code => Err(Fault::new(Cause::BadCredentials, format!("the login failed: {}", super::probe::error_name(code)))),
    }
}

/// A broker's words, on one line and no longer than one.
fn plain(said: &str) -> String {
    said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}
