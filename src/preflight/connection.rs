//! The way to the cluster, layer by layer: DNS, TCP, TLS, login, every advertised broker, the cluster's id.
//!
//! Each layer leaves for the next what it has opened, so that nothing is opened twice. What the last one leaves is the [`Session`]
//! in which rights are asked for.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use super::cluster::ClusterFacts;
use super::report::{Category, Check, Origin, Part, Status, Vantage};
use super::runner::{Plan, StepId};
use super::target::{Obstacle, Target};
use super::{fix, remedy};
use crate::base::{Cause, Code, Deadline, Fault};
use crate::kafka::{self, Broker, Cluster, Connection, Settings};
use crate::net::{self, Endpoint, Reach};

/// The longest that one layer may take: a black hole costs this, once.
const LAYER_LIMIT: Duration = Duration::from_secs(4);
/// A certificate that ends sooner is worth a warning.
const CERTIFICATE_DAYS: i64 = 7;

/// What is open after a login.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// By broker; the one that was opened first is number -1.
    pub(super) connections: Mutex<Vec<(i32, Connection)>>,
    pub(super) cluster: Mutex<Option<Cluster>>,
}

/// The end of the way.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) login: StepId,
    pub(super) brokers: StepId,
    pub(super) session: Arc<Session>,
}

/// What a layer leaves for the next.
#[derive(Default)]
struct Way {
    resolved: Mutex<Vec<(Endpoint, Vec<SocketAddr>)>>,
    stream: Mutex<Option<(Endpoint, TcpStream)>>,
    greeted: Mutex<Option<(Endpoint, Connection)>>,
}

/// What every step of a target holds.
#[derive(Clone)]
struct Ladder {
    target: Arc<Target>,
    cluster: Arc<ClusterFacts>,
    vantage: Vantage,
    way: Arc<Way>,
    session: Arc<Session>,
}

/// Plans the way of one target.
pub(super) fn plan(target: &Target, cluster: &ClusterFacts, vantage: Vantage, plan: &mut Plan) -> Connected {
    let ladder = Ladder {
        target: Arc::new(target.clone()),
        cluster: Arc::new(cluster.clone()),
        vantage,
        way: Arc::default(),
        session: Arc::default(),
    };
    let settings = match &target.settings {
        Ok(settings) => settings.clone(),
        Err(error) => {
            // The finding on the settings is the failure; nothing below can be tried.
            let skip = |code, name, label| ladder.check(code, name, label).ended(Status::Skipped, error.clone());
            let mut last = plan.known(skip(Code::DNS, "dns", "DNS"));
            for (code, name, label) in [(Code::TCP, "tcp", "TCP"), (Code::TLS, "tls", "TLS"), (Code::SASL, "sasl", "SASL")] {
                last = plan.known(skip(code, name, label));
            }
            let brokers = plan.known(skip(Code::BROKERS, "brokers", "brokers"));
            plan.known(skip(Code::CLUSTER_ID, "cluster-id", "cluster id"));
            return Connected { login: last, brokers, session: ladder.session };
        }
    };
    let settings = Arc::new(settings);
    let (at, with) = (ladder.clone(), settings.clone());
    let dns =
        plan.step(ladder.check(Code::DNS, "dns", "DNS"), &[], &[], LAYER_LIMIT, move |check, limit| at.dns(check, with, limit));
    let at = ladder.clone();
    let tcp =
        plan.step(ladder.check(Code::TCP, "tcp", "TCP"), &[dns], &[], LAYER_LIMIT, move |check, limit| at.tcp(check, limit));
    let (at, with) = (ladder.clone(), settings.clone());
    let tls = plan
        .step(ladder.check(Code::TLS, "tls", "TLS"), &[tcp], &[], LAYER_LIMIT, move |check, limit| at.tls(check, with, limit));
    let (at, with) = (ladder.clone(), settings.clone());
    let login = plan.step(ladder.check(Code::SASL, "sasl", "SASL"), &[tls], &[], LAYER_LIMIT, move |check, limit| {
        at.sasl(check, with, limit)
    });
    let (at, with) = (ladder.clone(), settings);
    let brokers = ladder.check(Code::BROKERS, "brokers", "brokers");
    let brokers = plan.step(brokers, &[login], &[], LAYER_LIMIT, move |check, limit| at.brokers(check, with, limit));
    let at = ladder.clone();
    let id = ladder.check(Code::CLUSTER_ID, "cluster-id", "cluster id");
    plan.step(id, &[login], &[], LAYER_LIMIT, move |check, _| at.cluster_id(check));
    Connected { login, brokers, session: ladder.session }
}

/// A check of a target, before it has run.
pub(super) fn check_of(target: &Target, category: Category, code: Code, name: &str, label: &str) -> Check {
    let mut check = Check::new(code, category, format!("{}/{name}", target.id()), label);
    check.service = Some(target.service.clone());
    check.clients.clone_from(&target.clients);
    check.ran_as = Some(target.shown.clone());
    check.origin = target.place.as_ref().map(Origin::from);
    check
}

impl Ladder {
    fn check(&self, code: Code, name: &str, label: &str) -> Check {
        let mut check = check_of(&self.target, Category::Kafka, code, name, label);
        let clients = self.target.clients.join(", ");
        check.title = format!("{label} of {} ({clients})", self.target.service);
        check
    }

    fn failed(&self, check: Check, fault: &Fault, endpoint: Option<&Endpoint>) -> Check {
        let mut check = check.ended(Status::Failed, fault.message.clone()).because(fault.cause);
        check.why = Some(remedy::why(fault.cause).to_owned());
        check.fixes = remedy::fixes(fault, &self.target, &self.cluster, endpoint);
        check
    }

    async fn dns(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
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
                    let list: Vec<String> = addresses.iter().map(ToString::to_string).collect();
                    parts.push(Part { name: endpoint.to_string(), cause: None, message: list.join(", ") });
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
            (0, Some((endpoint, error))) => self.failed(check, error, Some(endpoint)),
            (known, Some((endpoint, error))) => {
                let check = self.failed(check, error, Some(endpoint));
                check.ended(Status::Warned, format!("{known} of {names} bootstrap servers resolve; {}", error.message))
            }
            (_, None) => check.passed(format!("{hosts}, {total} address{}", if total == 1 { "" } else { "es" })),
        };
        check.parts = parts;
        *self.way.resolved.lock().await = resolved;
        check
    }

    async fn tcp(self, check: Check, deadline: Deadline) -> Check {
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
                let check = self.failed(check, error, Some(endpoint));
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
        *self.way.stream.lock().await = reached.into_iter().next();
        check
    }

    /// Nothing answered. From outside its VPC that says nothing of a private cluster.
    fn unreached(&self, check: Check, fault: &Fault, endpoint: &Endpoint, private: bool) -> Check {
        if private && self.vantage == Vantage::Outside && fault.cause != Cause::Refused {
            let message = format!("{endpoint} has a private address, which can't be reached from here: run this inside the VPC");
            let mut check = check.ended(Status::Unknown, message).because(Cause::OutsideVpc);
            check.why = Some(remedy::why(Cause::OutsideVpc).to_owned());
            return check;
        }
        self.failed(check, fault, Some(endpoint))
    }

    async fn tls(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        let Some((endpoint, stream)) = self.way.stream.lock().await.take() else {
            return check.ended(Status::Unknown, "there is no connection to secure");
        };
        match kafka::hello(&settings, &endpoint.host, stream, deadline).await {
            Ok(hello) => {
                let check = match hello.certificate {
                    None => check.passed(format!("not used: the protocol is {}", settings.protocol)),
                    Some(certificate) => {
                        let days = certificate.days_left(now());
                        let mut check = if days < CERTIFICATE_DAYS {
                            let mut check =
                                check.ended(Status::Warned, format!("verified, but the certificate ends in {days} days"));
                            check.fixes = vec![fix::Fix::advice("renew the brokers' certificate")];
                            check
                        } else {
                            check.passed(format!("verified, certificate ends in {days} days"))
                        };
                        check.evidence = Some(format!("issued for {} by {}", certificate.issued_for(), certificate.issuer));
                        check
                    }
                };
                *self.way.greeted.lock().await = Some((endpoint, hello.connection));
                check
            }
            Err((fault, certificate)) => {
                let mut check = self.failed(check, &fault, Some(&endpoint));
                check.evidence =
                    certificate.map(|certificate| format!("issued for {} by {}", certificate.issued_for(), certificate.issuer));
                if let (Cause::TlsUntrusted, Some(file)) = (fault.cause, &self.target.hidden_truststore) {
                    let message =
                        format!("not trusted by this machine; the container trusts {file}, which can't be read from here");
                    check = check.ended(Status::Unknown, message);
                }
                check
            }
        }
    }

    async fn sasl(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        match &self.target.obstacle {
            Some(Obstacle::Unread(what)) => return check.ended(Status::Skipped, what.clone()),
            Some(Obstacle::Malformed(what)) => return check.ended(Status::Skipped, format!("there is no login to try: {what}")),
            Some(Obstacle::Unspoken(mechanism)) => {
                return check.ended(Status::Unknown, format!("this program can't log in with {mechanism}"));
            }
            None => {}
        }
        let Some((endpoint, mut connection)) = self.way.greeted.lock().await.take() else {
            return check.ended(Status::Unknown, "there is no connection to log in on");
        };
        if let Err(fault) = kafka::authenticate(&mut connection, &settings, &endpoint.host, deadline).await {
            return self.failed(check, &fault, Some(&endpoint));
        }
        match kafka::cluster(&mut connection, deadline).await {
            Ok(cluster) => *self.session.cluster.lock().await = Some(cluster),
            Err(fault) => return self.failed(check, &fault, Some(&endpoint)),
        }
        self.session.connections.lock().await.push((-1, connection));
        let how = match &settings.login {
            Some(login) => format!("{} accepted", login.mechanism),
            None => format!("not used: the protocol is {}", settings.protocol),
        };
        // The same login once more by a client that is not ours.
        let mut here = (*settings).clone();
        here.bootstrap = vec![endpoint];
        match kafka::login(&here, deadline).await {
            Ok(_) => {
                let mut check = check.passed(how);
                check.evidence = Some("SaslAuthenticate, and a login by librdkafka".to_owned());
                check
            }
            Err(fault) => check.ended(Status::Warned, format!("{how}, but librdkafka could not log in: {}", fault.message)),
        }
    }

    async fn brokers(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        let Some(cluster) = self.session.cluster.lock().await.clone() else {
            return check.ended(Status::Unknown, "the cluster named no brokers");
        };
        let mut tries = JoinSet::new();
        for broker in cluster.brokers {
            let settings = settings.clone();
            tries.spawn(async move {
                let result = kafka::open(&settings, &broker.endpoint, deadline).await;
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
        let mut check = match faults.first() {
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
        if network && fault.cause != Cause::Refused && self.vantage == Vantage::Outside && is_private(&broker.endpoint).await {
            let mut check = check.ended(Status::Unknown, message).because(Cause::OutsideVpc);
            check.why = Some(remedy::why(Cause::OutsideVpc).to_owned());
            return check;
        }
        let cause = if network { Cause::BrokerUnreachable } else { fault.cause };
        let mut check = self.failed(check, fault, Some(&broker.endpoint)).because(cause);
        check.message = message;
        check.why = Some(
            "the first connection only finds the others: a client must reach every broker by the address that the cluster advertises"
                .to_owned(),
        );
        check
    }

    async fn cluster_id(self, check: Check) -> Check {
        let id = self.session.cluster.lock().await.as_ref().and_then(|cluster| cluster.id.clone());
        let mut check = match (id, self.cluster.expected_id()) {
            (None, _) => check.ended(Status::Unknown, "the cluster has no id to show"),
            (Some(id), Some(expected)) if id != expected => {
                let fault = Fault::new(Cause::WrongCluster, format!("this is {id}; x-kafka says {expected}"));
                let mut check = self.failed(check, &fault, None);
                check.expected = vec![expected.to_owned()];
                check.observed = Some(vec![id]);
                check
            }
            (Some(id), _) => check.passed(id),
        };
        if let Some(place) = &self.cluster.place {
            check.origin = Some(Origin::from(place));
        }
        check
    }
}

/// Does the name of a broker lead to a private network?
async fn is_private(endpoint: &Endpoint) -> bool {
    match net::resolve(&endpoint.host, Deadline::after(Duration::from_millis(500))).await {
        Ok(addresses) => !addresses.is_empty() && addresses.iter().all(|address| net::reach(*address) == Reach::Private),
        Err(_) => false,
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}
