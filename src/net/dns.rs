//! A name's addresses, by the system's resolver: the same way a Java client on this machine asks.

use std::net::IpAddr;
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupError, LookupErrorKind, SockType, getaddrinfo};
use tokio::time::timeout;

use super::{Reach, reach};
use crate::base::{Cause, Deadline, Fault};

/// For a second look at a name that was resolved a moment ago.
const SOON: Duration = Duration::from_millis(500);

/// Every address of a host, in the resolver's order. An address needs no resolver.
pub async fn resolve(host: &str, deadline: Deadline) -> Result<Vec<IpAddr>, Fault> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let name = host.to_owned();
    // The system's resolver can't be interrupted: past the deadline its thread is left to end by itself.
    let lookup = tokio::task::spawn_blocking(move || lookup(&name));
    match timeout(deadline.remaining(), lookup).await {
        Err(_) => Err(Fault::new(Cause::ResolverUnavailable, format!("the resolver gave no answer for {host} in time"))),
        Ok(Err(_)) => Err(Fault::new(Cause::ResolverUnavailable, format!("looking up {host} was broken off"))),
        Ok(Ok(Err(error))) => Err(fault(host, &error)),
        Ok(Ok(Ok(addresses))) => Ok(addresses),
    }
}

/// Does a name lead to private addresses only? Where it can't be told soon, no.
pub async fn leads_to_private(host: &str) -> bool {
    match resolve(host, Deadline::after(SOON)).await {
        Ok(addresses) => !addresses.is_empty() && addresses.iter().all(|address| reach(*address) == Reach::Private),
        Err(_) => false,
    }
}

fn lookup(host: &str) -> Result<Vec<IpAddr>, LookupError> {
    let hints = AddrInfoHints { socktype: SockType::Stream.into(), ..AddrInfoHints::default() };
    let mut addresses: Vec<IpAddr> = Vec::new();
    for answer in getaddrinfo(Some(host), None, Some(hints))?.flatten() {
        let address = answer.sockaddr.ip();
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// "There is no such name" is an answer; everything else means that nobody answered.
fn fault(host: &str, error: &LookupError) -> Fault {
    match error.kind() {
        LookupErrorKind::NoName | LookupErrorKind::NoData => {
            Fault::new(Cause::NameNotFound, format!("the resolver knows no name {host}"))
        }
        LookupErrorKind::Again => Fault::new(
            Cause::ResolverUnavailable,
            format!(
                "the resolver can't answer for {host} now: no name server answers, or the one that does fails itself (SERVFAIL)"
            ),
        ),
        LookupErrorKind::Fail => Fault::new(
            Cause::ResolverUnavailable,
            format!("the name server failed on {host}: a failure of its own, not an answer"),
        ),
        kind => Fault::new(Cause::ResolverUnavailable, format!("looking up {host} failed: {kind:?}")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{fault, resolve};
    use crate::base::{Cause, Deadline};
    use dns_lookup::{LookupError, LookupErrorKind};

    #[tokio::test]
    async fn an_address_needs_no_resolver() {
        let limit = Deadline::after(Duration::from_secs(1));
        assert_eq!(resolve("::1", limit).await.unwrap()[0].to_string(), "::1");
        assert_eq!(resolve("127.0.0.1", limit).await.unwrap()[0].to_string(), "127.0.0.1");
        assert!(!resolve("localhost", limit).await.unwrap().is_empty());
    }

    #[test]
    fn no_such_name_is_told_from_no_answer() {
        // The numbers of <netdb.h> on Linux: EAI_NONAME, EAI_NODATA, EAI_AGAIN, EAI_FAIL.
        for (number, cause) in [
            (-2, Cause::NameNotFound),
            (-5, Cause::NameNotFound),
            (-3, Cause::ResolverUnavailable),
            (-4, Cause::ResolverUnavailable),
        ] {
            let error = LookupError::new(number);
            assert!(!matches!(error.kind(), LookupErrorKind::IO), "{number} is known");
            assert_eq!(fault("x", &error).cause, cause);
        }
    }
}
