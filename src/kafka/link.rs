//! From a TCP stream to a logged-in connection, layer by layer, each with its own fault.
//!
//! A listener that hangs up says nothing of why. So it is asked again in another way: a listener that was asked for TLS is asked
//! in the clear, one that was asked in the clear is asked for TLS. Only its answer decides between the causes.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::sasl;
use super::settings::Settings;
use super::wire::{Connection, WireError};
use crate::base::{Cause, Deadline, Fault};
use crate::net::http::speaks_http;
use crate::net::{Endpoint, connect, resolve, tls};

/// The part of a deadline that the first words may take; the rest is for finding out why they failed.
const SHARE: f64 = 0.7;

/// What the first words with a broker brought.
#[derive(Debug)]
pub struct Hello {
    pub connection: Connection,
    /// The server's certificate, where there is TLS.
    pub certificate: Option<tls::Certificate>,
}

/// TLS where the settings want it, then the greeting of Kafka's protocol. No credentials are sent.
pub async fn hello(
    settings: &Settings,
    host: &str,
    stream: TcpStream,
    deadline: Deadline,
) -> Result<Hello, (Fault, Option<tls::Certificate>)> {
    let unreachable = |error: io::Error| (Fault::new(Cause::BrokerUnreachable, format!("the connection is gone: {error}")), None);
    let peer = stream.peer_addr().map_err(unreachable)?;
    let first = Deadline::after(deadline.remaining().mul_f64(SHARE));
    if !settings.protocol.has_tls() {
        return match Connection::greet(Box::new(stream), peer, first).await {
            Ok(connection) if !connection.serves_clients() => Err((is_controller(), None)),
            Ok(connection) => Ok(Hello { connection, certificate: None }),
            Err(error) => Err((plain_fault(peer, host, &error, deadline).await, None)),
        };
    }
    let client = tls::Client::new(&settings.tls).map_err(|message| (Fault::new(Cause::TlsUntrusted, message), None))?;
    let secured = match client.handshake(stream, host, first).await {
        Ok(secured) => secured,
        Err(failure) => {
            let certificate = failure.certificate.clone();
            return Err((tls_fault(peer, host, &settings.tls.versions, *failure, deadline).await, certificate));
        }
    };
    let certificate = secured.certificate;
    match Connection::greet(Box::new(secured.stream), peer, first).await {
        Ok(connection) if !connection.serves_clients() => Err((is_controller(), certificate)),
        Ok(connection) => Ok(Hello { connection, certificate }),
        Err(WireError::TimedOut) => {
            let again = match connect(&[peer], deadline).await {
                Ok(reached) => client.handshake(reached.stream, host, deadline).await.ok(),
                Err(_) => None,
            };
            let http = match again {
                Some(secured) => speaks_http(secured.stream, &endpoint(peer, host), deadline).await,
                None => false,
            };
            Err((if http { is_http() } else { first_words_fault(&WireError::TimedOut) }, certificate))
        }
        Err(error) => {
            let refused = match &error {
                WireError::Closed(error) => {
                    tls::refused_after_handshake(error, secured.asked_for_identity, client.has_identity())
                }
                _ => None,
            };
            Err((refused.unwrap_or_else(|| first_words_fault(&error)), certificate))
        }
    }
}

/// Shows who we are. Without SASL, finds out whether the listener lets us in.
pub async fn authenticate(connection: &mut Connection, settings: &Settings, host: &str, deadline: Deadline) -> Result<(), Fault> {
    if let Some(login) = &settings.login {
        let Err(fault) = sasl::authenticate(connection, login, host, deadline).await else { return Ok(()) };
        if !connection.is_closed() || !matches!(fault.cause, Cause::BadCredentials | Cause::AccessDenied) {
            return Err(fault);
        }
        // It hung up on the credentials: as a broker that dislikes them may, and as one that is being stopped does. The second is gone when
        // it is asked again, or has come to itself.
        let peer = connection.peer;
        let gone =
            |why: &Fault| Fault::new(Cause::BrokerUnreachable, format!("the broker hung up during the login; {}", why.message));
        let reached = connect(&[peer], deadline).await.map_err(|unreached| gone(&unreached.fault))?;
        let mut again = hello(settings, host, reached.stream, deadline).await.map_err(|(why, _)| gone(&why))?.connection;
        let second = sasl::authenticate(&mut again, login, host, deadline).await;
        let is_closed_again = again.is_closed();
        *connection = again;
        return if is_closed_again { Err(fault) } else { second };
    }
    let Err(error) = sasl::first_request(connection, deadline).await else { return Ok(()) };
    let fault = request_fault("the first request", &error);
    if !matches!(error, WireError::Closed(_)) {
        return Err(fault);
    }
    // A listener that wants SASL greets, and then hangs up on the first real request. Asked for its mechanisms, it tells.
    let Ok(reached) = connect(&[connection.peer], deadline).await else { return Err(fault) };
    let Ok(mut again) = hello(settings, host, reached.stream, deadline).await else { return Err(fault) };
    match sasl::mechanisms(&mut again.connection, deadline).await {
        Some(offered) => {
            let message = format!("the listener lets nobody in without SASL; it offers {}", offered.join(", "));
            Err(Fault::new(Cause::SaslRequired, message).offering(offered))
        }
        None => Err(fault),
    }
}

/// DNS, TCP, TLS and greeting at once.
pub async fn reached(
    settings: &Settings,
    endpoint: &Endpoint,
    deadline: Deadline,
) -> Result<Hello, (Fault, Option<tls::Certificate>)> {
    let addresses = resolve(&endpoint.host, deadline).await.map_err(|fault| (fault, None))?;
    let addresses: Vec<SocketAddr> = addresses.into_iter().map(|address| SocketAddr::new(address, endpoint.port)).collect();
    let reached = connect(&addresses, deadline).await.map_err(|unreached| (unreached.fault, None))?;
    hello(settings, &endpoint.host, reached.stream, deadline).await
}

/// All layers at once: DNS, TCP, TLS, greeting, login.
pub async fn open(settings: &Settings, endpoint: &Endpoint, deadline: Deadline) -> Result<Connection, Fault> {
    let mut hello = reached(settings, endpoint, deadline).await.map_err(|(fault, _)| fault)?;
    authenticate(&mut hello.connection, settings, &endpoint.host, deadline).await?;
    Ok(hello.connection)
}

/// A TLS handshake failed. Where the server only hung up: does it speak Kafka in the clear?
async fn tls_fault(peer: SocketAddr, host: &str, allowed: &[String], failure: tls::Failure, deadline: Deadline) -> Fault {
    if failure.unshared {
        return unshared(peer, host, allowed, deadline).await.unwrap_or(failure.fault);
    }
    if failure.fault.cause == Cause::TimedOut && failure.talk == tls::Talk::Silent && waits_for_http(peer, deadline).await {
        return is_http();
    }
    if !failure.closed && failure.talk != tls::Talk::Other {
        return failure.fault;
    }
    let Ok(reached) = connect(&[peer], deadline).await else { return failure.fault };
    match Connection::greet(Box::new(reached.stream), peer, deadline).await {
        Ok(connection) if !connection.serves_clients() => is_controller(),
        Ok(_) => Fault::new(Cause::PlaintextListener, "the listener speaks Kafka without TLS"),
        Err(_) if failure.closed && answers_as_zookeeper(peer, deadline).await => is_zookeeper(),
        Err(_) => failure.fault,
    }
}

/// Both sides speak TLS, and have no version or no cipher in common. Which does the listener speak?
async fn unshared(peer: SocketAddr, host: &str, allowed: &[String], deadline: Deadline) -> Option<Fault> {
    let reached = connect(&[peer], deadline).await.ok()?;
    let spoken = tls::spoken(reached.stream, host, deadline).await?;
    let message = if spoken.is_outdated() {
        format!("the listener speaks {} and nothing newer, which Java has given up", spoken.version)
    } else if !allowed.is_empty() && !allowed.contains(&spoken.version) {
        format!("the listener speaks {}, and ssl.enabled.protocols allows {} only", spoken.version, allowed.join(", "))
    } else {
        let message = format!(
            "the listener speaks {} with {} only, which Java may take and this program doesn't have",
            spoken.version, spoken.cipher
        );
        return Some(Fault::new(Cause::BrokerUnreachable, message).of_ours());
    };
    Some(Fault::new(Cause::BrokerUnreachable, message))
}

/// A greeting in the clear failed. Does the listener speak TLS?
async fn plain_fault(peer: SocketAddr, host: &str, error: &WireError, deadline: Deadline) -> Fault {
    if matches!(error, WireError::TimedOut) && waits_for_http(peer, deadline).await {
        return is_http();
    }
    if !matches!(error, WireError::Closed(_) | WireError::Foreign(_)) {
        return first_words_fault(error);
    }
    let speaks_tls = match (connect(&[peer], deadline).await, tls::Client::new(&tls::Settings::default())) {
        (Ok(reached), Ok(client)) => match client.handshake(reached.stream, host, deadline).await {
            Ok(_) => true,
            Err(failure) => failure.talk == tls::Talk::Tls,
        },
        _ => false,
    };
    if speaks_tls {
        return Fault::new(Cause::TlsListener, "the listener speaks TLS");
    }
    if matches!(error, WireError::Closed(_)) && answers_as_zookeeper(peer, deadline).await {
        return is_zookeeper();
    }
    first_words_fault(error)
}

/// A listener that says nothing to Kafka or TLS may be waiting for a line of HTTP.
async fn waits_for_http(peer: SocketAddr, deadline: Deadline) -> bool {
    match connect(&[peer], deadline).await {
        Ok(reached) => speaks_http(reached.stream, &endpoint(peer, &peer.ip().to_string()), deadline).await,
        Err(_) => false,
    }
}

/// ZooKeeper hangs up on what is no session of its own, and answers four letters, if only that it won't.
async fn answers_as_zookeeper(peer: SocketAddr, deadline: Deadline) -> bool {
    let Ok(mut reached) = connect(&[peer], deadline).await else { return false };
    let ask = async {
        reached.stream.write_all(b"srvr").await?;
        let mut answer = vec![0; 64];
        let length = reached.stream.read(&mut answer).await?;
        answer.truncate(length);
        Ok::<_, io::Error>(String::from_utf8_lossy(&answer).to_lowercase())
    };
    match timeout(deadline.remaining(), ask).await {
        Ok(Ok(answer)) => answer.starts_with("zookeeper version") || answer.contains("not in the whitelist"),
        _ => false,
    }
}

fn is_zookeeper() -> Fault {
    Fault::new(Cause::NotKafka, "this is ZooKeeper, not a broker: clients of Kafka start from the brokers' own port")
}

fn is_controller() -> Fault {
    Fault::new(
        Cause::NotKafka,
        "this is a controller of the cluster, which serves no clients: they start from the brokers' own port",
    )
}

fn endpoint(peer: SocketAddr, host: &str) -> Endpoint {
    Endpoint::new(host, peer.port())
}

fn is_http() -> Fault {
    Fault::new(Cause::NotKafka, "the listener answers with HTTP, not with Kafka's protocol")
}

/// The greeting found no Kafka.
fn first_words_fault(error: &WireError) -> Fault {
    match error {
        WireError::TimedOut | WireError::Held => {
            Fault::new(Cause::TimedOut, "the listener took the connection and then said nothing to Kafka's greeting")
        }
        WireError::Closed(error) => {
            Fault::new(Cause::BrokerUnreachable, format!("the listener hung up at Kafka's greeting: {}", reason(error)))
        }
        WireError::Foreign([b'H', b'T', b'T', b'P']) => is_http(),
        WireError::Unreadable(why) => {
            Fault::new(Cause::NotKafka, format!("the listener's answer is not Kafka's protocol: {why}"))
        }
        WireError::Foreign(_) | WireError::Unsupported => {
            Fault::new(Cause::NotKafka, "the listener's answer is not Kafka's protocol")
        }
    }
}

/// A request after the greeting has no answer.
pub(super) fn request_fault(what: &str, error: &WireError) -> Fault {
    match error {
        WireError::TimedOut => Fault::new(Cause::TimedOut, format!("the broker did not answer {what} in time")),
        WireError::Held => Fault::new(
            Cause::Throttled,
            format!("a quota of the cluster holds this client back: {what} was not answered in time"),
        ),
        WireError::Closed(error) => {
            Fault::new(Cause::BrokerUnreachable, format!("the broker hung up on {what}: {}", reason(error)))
        }
        WireError::Unsupported => Fault::new(Cause::BrokerUnreachable, format!("the broker does not speak {what}")),
        WireError::Unreadable(why) => Fault::new(Cause::NotKafka, format!("the answer to {what} can't be read: {why}")),
        WireError::Foreign(_) => Fault::new(Cause::NotKafka, format!("the answer to {what} is not Kafka's protocol")),
    }
}

fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "connection closed".to_owned(),
        _ => error.to_string(),
    }
}
