//! After the login: every advertised broker, and which cluster this is.

use std::sync::Arc;

use tokio::task::JoinSet;

use super::{Ladder, seen_from_outside, untold};
use crate::base::{Cause, Deadline, Fault};
use crate::kafka::{self, Broker, Settings};
use crate::net::{self, Endpoint};
use crate::preflight::remedy;
use crate::preflight::report::{Check, Origin, Part, Status, Vantage};

impl Ladder {
    pub(super) async fn brokers(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        let Some(cluster) = self.session.cluster.lock().await.clone() else {
            return check.ended(Status::Unknown, "the cluster named no brokers");
        };
        let mut tries = JoinSet::new();
        let elsewhere = self.comes_from_elsewhere().await;
        for broker in cluster.brokers {
            let (settings, id) = (settings.clone(), cluster.id.clone());
            tries.spawn(async move {
                let own = async {
                    let mut connection = kafka::open(&settings, &broker.endpoint, deadline).await?;
                    let there = kafka::cluster(&mut connection, deadline).await?;
                    Ok::<_, Fault>((connection, there.id))
                };
                let result = own.await.and_then(|(connection, there)| match (there, &id) {
                    (Some(there), Some(id)) if there != *id => {
                        Err(Fault::new(Cause::WrongCluster, format!("this leads into another cluster, {there}")))
                    }
                    _ => Ok(connection),
                });
                (broker, result)
            });
        }
        let mut results = tries.join_all().await;
        results.sort_by_key(|(broker, _)| broker.id);
        let total = results.len();
        let mut parts = Vec::new();
        let mut faults: Vec<(Broker, Fault)> = Vec::new();
        let mut connections = self.session.connections.lock().await;
        for (broker, result) in results {
            let (cause, message) = match result {
                Ok(_) if elsewhere && net::means_oneself(&broker.endpoint.host) => {
                    let fault = Fault::new(
                        Cause::BrokerUnreachable,
                        format!("{}: to a task that is the task itself", broker.endpoint.host),
                    );
                    let said = (Some(fault.cause), fault.message.clone());
                    faults.push((broker.clone(), fault));
                    said
                }
                Ok(connection) => {
                    connections.push((broker.id, connection));
                    (None, "logged in".to_owned())
                }
                Err(fault) => {
                    let said = (Some(fault.cause), fault.message.clone());
                    faults.push((broker.clone(), fault));
                    said
                }
            };
            parts.push(Part { name: format!("broker {} at {}", broker.id, broker.endpoint), cause, message });
        }
        drop(connections);
        let reached = total - faults.len();
        // What stays wrong by itself comes first.
        let worst = faults.iter().find(|(_, fault)| !fault.cause.is_transient() && !fault.is_ours).or(faults.first());
        let mut check = match worst {
            None => check.passed(format!("{reached} of {total} advertised brokers reached")),
            Some((broker, fault)) => self.broker_fault(check, reached, total, broker, fault).await,
        };
        check.parts = parts;
        check
    }

    async fn broker_fault(&self, check: Check, reached: usize, total: usize, broker: &Broker, fault: &Fault) -> Check {
        let network = matches!(fault.cause, Cause::Refused | Cause::TimedOut | Cause::BrokerUnreachable);
        let message = format!(
            "{reached} of {total} advertised brokers reached; broker {} at {}: {}",
            broker.id, broker.endpoint, fault.message
        );
        let silent = network && fault.cause != Cause::Refused && net::leads_to_private(&broker.endpoint.host).await;
        let hidden = fault.cause == Cause::NameNotFound && self.cluster.may_be_unknown_outside(&broker.endpoint.host);
        if self.vantage != Vantage::Inside && (silent || hidden) {
            return seen_from_outside(check, message);
        }
        if fault.is_ours {
            return untold(check, message);
        }
        let cause = if network { Cause::BrokerUnreachable } else { fault.cause };
        let mut check = self.failed(check, fault, Some(&broker.endpoint)).because(cause);
        check.message = message;
        check.fixes = remedy::of_broker(fault, broker, check.fixes, &self.cluster);
        check.why = Some(
            "the first connection only finds the others: a client must reach every broker by the address that the cluster advertises"
                .to_owned(),
        );
        check
    }

    /// Did the way in lead over another address than this machine's own? Then one that leads back here is of no use to a task.
    async fn comes_from_elsewhere(&self) -> bool {
        self.way.entered.lock().await.as_ref().is_some_and(|entered| !net::means_oneself(&entered.host))
    }

    pub(super) async fn cluster_id(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        let id = self.session.cluster.lock().await.as_ref().and_then(|cluster| cluster.id.clone());
        let (strangers, dead) = match &id {
            Some(id) => self.strangers(id, settings, deadline).await,
            None => (Vec::new(), None),
        };
        let mut check = match (id, self.cluster.expected_id(), strangers.first()) {
            (None, _, _) => check.ended(Status::Unknown, "the cluster has no id to show"),
            (Some(id), _, Some((endpoint, other))) => {
                let message = format!("the bootstrap servers belong to two clusters: {endpoint} to {other}, the others to {id}");
                let mut check = self.failed(check, &Fault::new(Cause::WrongCluster, message), Some(endpoint));
                check.observed = Some(vec![id, other.clone()]);
                check
            }
            (Some(id), Some(expected), None) if id != expected => {
                let fault = Fault::new(Cause::WrongCluster, format!("this is {id}; x-kafka says {expected}"));
                let mut check = self.failed(check, &fault, None);
                check.expected = vec![expected.to_owned()];
                check.observed = Some(vec![id]);
                check
            }
            (Some(id), _, None) => match dead {
                Some((endpoint, fault)) => self.one_is_none(check, &id, &endpoint, &fault),
                None => check.passed(id),
            },
        };
        if let Some(place) = &self.cluster.place {
            check.origin = Some(Origin::from(place));
        }
        check
    }

    /// Does the cluster hold this client back? Shown only where it does.
    pub(super) async fn quota(self, check: Check) -> Check {
        let held = self.session.connections.lock().await.iter().map(|(_, connection)| connection.held_back()).max();
        match held.unwrap_or_default() {
            held if held.is_zero() => check.passed("no request was held back"),
            held => {
                let message = format!("a request was held back for {} ms: the principal is over a quota", held.as_millis());
                let fault = Fault::new(Cause::Throttled, message);
                self.failed(check, &fault, None).ended(Status::Warned, fault.message)
            }
        }
    }

    /// A bootstrap server that is no way into this cluster: a client that happens to begin with it fails.
    fn one_is_none(&self, check: Check, id: &str, endpoint: &Endpoint, fault: &Fault) -> Check {
        let check = self.failed(check, fault, Some(endpoint));
        let message = format!("{id}; but the bootstrap server {endpoint} is no way there: {}", fault.message);
        // What hangs up or says nothing is passed over for the next.
        let is_passed_over = fault.cause.is_transient();
        check.ended(if is_passed_over { Status::Warned } else { Status::Failed }, message)
    }

    /// Bootstrap servers that lead into another cluster, and the first that leads nowhere. Those that the cluster itself advertises are
    /// its own.
    async fn strangers(
        &self,
        id: &str,
        settings: Arc<Settings>,
        deadline: Deadline,
    ) -> (Vec<(Endpoint, String)>, Option<(Endpoint, Fault)>) {
        let entered = self.way.entered.lock().await.clone();
        let own: Vec<Endpoint> = match &*self.session.cluster.lock().await {
            Some(cluster) => cluster.brokers.iter().map(|broker| broker.endpoint.clone()).chain(entered).collect(),
            None => return (Vec::new(), None),
        };
        let mut tries = JoinSet::new();
        let others = self.way.others.lock().await.clone();
        for (index, endpoint) in others.into_iter().filter(|endpoint| !own.contains(endpoint)).enumerate() {
            let settings = settings.clone();
            tries.spawn(async move {
                let id = async {
                    let mut connection = kafka::open(&settings, &endpoint, deadline).await?;
                    kafka::cluster(&mut connection, deadline).await
                };
                let id = id.await.map(|cluster| cluster.id);
                (index, endpoint, id)
            });
        }
        let mut answers = tries.join_all().await;
        answers.sort_by_key(|(index, _, _)| *index);
        let mut strangers = Vec::new();
        let mut dead = None;
        for (_, endpoint, answer) in answers {
            match answer {
                Ok(Some(other)) if other != id => strangers.push((endpoint, other)),
                Ok(_) => {}
                Err(fault) => drop(dead.get_or_insert((endpoint, fault))),
            }
        }
        (strangers, dead)
    }
}
