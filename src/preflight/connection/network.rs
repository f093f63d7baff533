//! Names and addresses: every bootstrap server, every answer of the resolver, every address tried at once.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Ladder, seen_from_outside};
use crate::base::{Cause, Deadline, Fault};
use crate::kafka::Settings;
use crate::net::{self, Endpoint, Reach};
use crate::preflight::fix::Fix;
use crate::preflight::report::{Check, Part, Status, Vantage};

impl Ladder {
    pub(super) async fn dns(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        let mut lookups = JoinSet::new();
        for (index, endpoint) in settings.bootstrap.iter().cloned().enumerate() {
            lookups.spawn(async move { (index, net::resolve(&endpoint.host, deadline).await, endpoint) });
        }
        let mut answers = lookups.join_all().await;
        answers.sort_by_key(|(index, _, _)| *index);
        let mut resolved = Vec::new();
        let mut parts = Vec::new();
        let mut fault = None;
        for (_, answer, endpoint) in answers {
            match answer {
                Ok(addresses) => {
                    let list: Vec<String> = addresses.iter().map(|address| shown(*address)).collect();
                    let misled = misled(self.cluster.is_private(&endpoint.host), &endpoint.host, &addresses);
                    let cause = misled.as_ref().map(|fault| fault.cause);
                    parts.push(Part { name: endpoint.to_string(), cause, message: list.join(", ") });
                    if let Some(misled) = misled {
                        fault.get_or_insert((endpoint, misled));
                        continue;
                    }
                    resolved.push((
                        endpoint.clone(),
                        addresses.into_iter().map(|address| SocketAddr::new(address, endpoint.port)).collect::<Vec<_>>(),
                    ));
                }
                Err(error) => {
                    parts.push(Part { name: endpoint.to_string(), cause: Some(error.cause), message: error.message.clone() });
                    fault.get_or_insert((endpoint, error));
                }
            }
        }
        let total: usize = resolved.iter().map(|(_, addresses)| addresses.len()).sum();
        let names = settings.bootstrap.len();
        let hosts = match &settings.bootstrap[..] {
            [one] => one.host.clone(),
            many => format!("{} names", many.len()),
        };
        let mut check = match (resolved.len(), &fault) {
            (0, Some((endpoint, error))) if self.may_be_hidden(endpoint, error) => {
                seen_from_outside(check, format!("{} is a private name, and not known here: {}", endpoint.host, error.message))
            }
            (0, Some((endpoint, error))) => self.failed(check, error, Some(endpoint)),
            (known, Some((endpoint, error))) => {
                let mut check = self.failed(check, error, Some(endpoint));
                check.fixes = vec![self.without(endpoint)];
                check.ended(Status::Warned, format!("{known} of {names} bootstrap servers resolve; {}", error.message))
            }
            (_, None) => check.passed(format!("{hosts}, {total} address{}", if total == 1 { "" } else { "es" })),
        };
        check.parts = parts;
        *self.way.resolved.lock().await = resolved;
        check
    }

    pub(super) async fn tcp(self, check: Check, deadline: Deadline) -> Check {
        let resolved = std::mem::take(&mut *self.way.resolved.lock().await);
        let names = resolved.len();
        let mut tries = JoinSet::new();
        for (index, (endpoint, addresses)) in resolved.into_iter().enumerate() {
            tries.spawn(async move { (index, net::connect(&addresses, deadline).await, endpoint) });
        }
        // The first server in the list that answers goes on; the others may still say that they don't.
        let mut results = tries.join_all().await;
        results.sort_by_key(|(index, _, _)| *index);
        let mut parts = Vec::new();
        let mut reached = Vec::new();
        let mut fault: Option<(Endpoint, Fault, bool)> = None;
        for (_, result, endpoint) in results {
            if result.is_err() {
                self.session.missed.lock().await.push(endpoint.clone());
            }
            let attempts = match result {
                Ok(found) => {
                    reached.push((endpoint.clone(), found.stream));
                    found.attempts
                }
                Err(missed) => {
                    let private = missed.attempts.iter().all(|attempt| net::reach(attempt.address.ip()) == Reach::Private);
                    fault.get_or_insert((endpoint.clone(), missed.fault, private));
                    missed.attempts
                }
            };
            for attempt in attempts {
                let (cause, message) = match &attempt.outcome {
                    Ok(took) => (None, format!("reached in {} ms", took.as_millis())),
                    Err(error) => (Some(error.cause), error.message.clone()),
                };
                parts.push(Part { name: attempt.address.to_string(), cause, message });
            }
        }
        let silent = parts.iter().any(|part| part.cause == Some(Cause::TimedOut));
        let mut check = match (reached.len(), &fault) {
            (0, Some((endpoint, error, private))) => self.unreached(check, error, endpoint, *private),
            (0, None) => check.ended(Status::Unknown, "there was no address to try"),
            (known, Some((endpoint, error, _))) => {
                let mut check = self.failed(check, error, Some(endpoint));
                check.fixes = vec![self.without(endpoint)];
                check.ended(Status::Warned, format!("{known} of {names} bootstrap servers answer; {endpoint}: {}", error.message))
            }
            (_, None) if silent => {
                check.ended(Status::Warned, "an address of the name gives no answer; clients wait for it each time")
            }
            (_, None) => {
                let open: BTreeSet<u16> = reached.iter().map(|(endpoint, _)| endpoint.port).collect();
                let open: Vec<String> = open.iter().map(ToString::to_string).collect();
                check.passed(format!("port {}", open.join(", ")))
            }
        };
        check.parts = parts;
        let mut reached = reached.into_iter();
        *self.way.stream.lock().await = reached.next();
        *self.way.others.lock().await = reached.map(|(endpoint, _)| endpoint).collect();
        check
    }

    /// One of several servers is no good: the client goes on with the others.
    pub(super) fn without(&self, endpoint: &Endpoint) -> Fix {
        let bootstrap = self.target.variables.of("bootstrap.servers").join(", ");
        Fix::advice(format!("bring the broker at {endpoint} back, or take it out of {bootstrap}"))
    }

    /// Nothing answered. From outside its VPC that says nothing of a private cluster.
    fn unreached(&self, check: Check, fault: &Fault, endpoint: &Endpoint, private: bool) -> Check {
        if private && self.vantage != Vantage::Inside && fault.cause != Cause::Refused {
            return seen_from_outside(check, format!("{endpoint} has a private address, which can't be reached from here"));
        }
        self.failed(check, fault, Some(endpoint))
    }

    /// A private cluster's name need not be known outside its VPC.
    fn may_be_hidden(&self, endpoint: &Endpoint, fault: &Fault) -> bool {
        self.vantage != Vantage::Inside
            && fault.cause == Cause::NameNotFound
            && self.cluster.may_be_unknown_outside(&endpoint.host)
    }
}

/// A private cluster's name that leads to the internet: clients would go round the private way, or nowhere.
pub(super) fn misled(private: bool, host: &str, addresses: &[IpAddr]) -> Option<Fault> {
    let public: Vec<String> =
        addresses.iter().filter(|address| net::reach(**address) == Reach::Public).map(ToString::to_string).collect();
    (private && !public.is_empty()).then(|| {
        let list = public.join(", ");
        Fault::new(Cause::PublicAddress, format!("{host} is the name of a private cluster and leads to a public address: {list}"))
    })
}

/// An address, and where it can be reached from.
fn shown(address: IpAddr) -> String {
    match net::reach(address) {
        Reach::Loopback => format!("{address} (this machine)"),
        Reach::Private => format!("{address} (private)"),
        Reach::Public => format!("{address} (public)"),
    }
}

#[cfg(test)]
mod tests {
    use super::misled;
    use crate::base::Cause;

    #[test]
    fn a_private_name_may_lead_to_private_addresses_only() {
        let addresses = |list: &[&str]| list.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        assert!(misled(true, "x", &addresses(&["10.0.0.1", "fd00::1"])).is_none());
        assert!(misled(false, "x", &addresses(&["52.1.1.1"])).is_none());
        let fault = misled(true, "x", &addresses(&["10.0.0.1", "52.1.1.1"])).unwrap();
        assert!(fault.cause == Cause::PublicAddress && fault.message.ends_with("52.1.1.1"), "{fault}");
    }
}
