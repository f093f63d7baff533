//! TCP, with our own limit: refused, timed out and unreachable are three different things.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::base::{Cause, Deadline, Fault};

/// How long the other addresses of a name may still take once one has answered.
const GRACE: Duration = Duration::from_millis(500);

/// What became of one address.
#[derive(Debug, Clone)]
pub struct Attempt {
    pub address: SocketAddr,
    pub outcome: Result<Duration, Fault>,
}

/// A stream, and what became of every address of the name.
#[derive(Debug)]
pub struct Reached {
    pub stream: TcpStream,
    pub attempts: Vec<Attempt>,
}

/// No address answered.
#[derive(Debug)]
pub struct Unreached {
    pub fault: Fault,
    pub attempts: Vec<Attempt>,
}

/// Connects to all addresses at once and keeps the stream that came first.
pub async fn connect(addresses: &[SocketAddr], deadline: Deadline) -> Result<Reached, Unreached> {
    let started = Instant::now();
    let mut tries = JoinSet::new();
    for (index, address) in addresses.iter().copied().enumerate() {
        let limit = deadline.remaining();
        tries.spawn(async move { (index, timeout(limit, TcpStream::connect(address)).await, started.elapsed()) });
    }
    let mut outcomes: Vec<Option<Result<Duration, Fault>>> = vec![None; addresses.len()];
    let mut first: Option<TcpStream> = None;
    loop {
        let limit = if first.is_some() { deadline.at_most(GRACE).remaining() } else { deadline.remaining() + GRACE };
        let Ok(Some(joined)) = timeout(limit, tries.join_next()).await else { break };
        let Ok((index, result, took)) = joined else { continue };
        outcomes[index] = Some(match result {
            Ok(Ok(stream)) => {
                let _best_effort = stream.set_nodelay(true);
                first.get_or_insert(stream);
                Ok(took)
            }
            Ok(Err(error)) => Err(fault(addresses[index], &error)),
            Err(_) => Err(timed_out(addresses[index])),
        });
    }
    let attempts: Vec<Attempt> = addresses
        .iter()
        .zip(outcomes)
        .map(|(address, outcome)| Attempt { address: *address, outcome: outcome.unwrap_or_else(|| Err(timed_out(*address))) })
        .collect();
    match first {
        Some(stream) => Ok(Reached { stream, attempts }),
        None => Err(Unreached { fault: summary(&attempts), attempts }),
    }
}

/// The one fault of a name none of whose addresses answered: a definite answer says more than silence.
fn summary(attempts: &[Attempt]) -> Fault {
    let faults: Vec<&Fault> = attempts.iter().filter_map(|attempt| attempt.outcome.as_ref().err()).collect();
    let definite = faults
        .iter()
        .find(|fault| fault.cause == Cause::Refused)
        .or_else(|| faults.iter().find(|fault| fault.cause == Cause::TimedOut));
    match definite.or(faults.first()) {
        Some(fault) => (*fault).clone(),
        None => Fault::new(Cause::NameNotFound, "the name has no address"),
    }
}

fn timed_out(address: SocketAddr) -> Fault {
    Fault::new(Cause::TimedOut, format!("{address} gave no answer: something on the way drops the packets"))
}

fn fault(address: SocketAddr, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            Fault::new(Cause::Refused, format!("{address} refused: the host is there, nothing listens on the port"))
        }
        io::ErrorKind::TimedOut => timed_out(address),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Fault::new(Cause::BrokerUnreachable, format!("there is no route to {address}"))
        }
        _ => Fault::new(Cause::BrokerUnreachable, format!("connecting to {address} failed: {error}")),
    }
}

/// A port that refuses for as long as the first is kept: it is taken, so that no other test gets it, and nobody listens.
#[cfg(test)]
pub(super) fn refusing() -> (tokio::net::TcpSocket, SocketAddr) {
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = taken.local_addr().unwrap();
    (taken, address)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::net::TcpListener;

    use super::{connect, refusing};
    use crate::base::{Cause, Deadline};

    #[tokio::test]
    async fn a_closed_port_is_refused_at_once() {
        let (_taken, address) = refusing();
        let (started, limit) = (Instant::now(), Duration::from_mins(1));
        let unreached = connect(&[address], Deadline::after(limit)).await.unwrap_err();
        assert_eq!(unreached.fault.cause, Cause::Refused);
        assert!(started.elapsed() < limit / 2);
    }

    #[tokio::test]
    async fn one_open_address_of_two_is_enough() {
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (_taken, closed) = refusing();
        let reached = connect(&[closed, open.local_addr().unwrap()], Deadline::after(Duration::from_mins(1))).await.unwrap();
        assert_eq!(reached.stream.peer_addr().unwrap(), open.local_addr().unwrap());
        assert!(reached.attempts[0].outcome.is_err());
        assert!(reached.attempts[1].outcome.is_ok());
    }
}
