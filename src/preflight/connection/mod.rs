//! The way to the cluster, layer by layer: DNS, TCP, TLS, login, every advertised broker, the cluster's id.
//!
//! Each layer leaves for the next what it has opened, so that nothing is opened twice. What the last one leaves is the [`Session`]
//! in which rights are asked for. `network` has names and addresses, `secure` TLS, tokens and the login, `brokers` what comes after it.

mod brokers;
mod network;
mod secure;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::clock::Clock;
use super::cluster::ClusterFacts;
use super::fix::Fix;
use super::input::{Input, OwnHost};
use super::remedy;
use super::report::{Category, Check, Origin, Status, Vantage};
use super::runner::{Plan, StepId};
use super::target::Target;
use super::wiring;
use crate::base::{Cause, Code, Fault};
use crate::kafka::{Cluster, Connection, Proof};
use crate::net::Endpoint;

/// The longest that one layer may take: a black hole costs this, once.
const LAYER_LIMIT: Duration = Duration::from_secs(4);

/// What is open after a login.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// By broker; the one that was opened first is number -1.
    pub(super) connections: Mutex<Vec<(i32, Connection)>>,
    pub(super) cluster: Mutex<Option<Cluster>>,
    /// Bootstrap servers that didn't answer.
    pub(super) missed: Mutex<Vec<Endpoint>>,
}

/// The end of the way.
#[derive(Debug, Clone)]
pub(super) struct Connected {
    pub(super) login: StepId,
    pub(super) brokers: StepId,
    pub(super) session: Arc<Session>,
    /// The step that asks a token endpoint, which also tells the time.
    pub(super) token: Option<StepId>,
}

/// What a layer leaves for the next.
#[derive(Default)]
struct Way {
    resolved: Mutex<Vec<(Endpoint, Vec<SocketAddr>)>>,
    stream: Mutex<Option<(Endpoint, TcpStream)>>,
    greeted: Mutex<Option<(Endpoint, Connection)>>,
    /// The bootstrap server that was logged in to, and the others that answered.
    entered: Mutex<Option<Endpoint>>,
    others: Mutex<Vec<Endpoint>>,
}

/// What every step of a target holds.
#[derive(Clone)]
struct Ladder {
    target: Arc<Target>,
    cluster: Arc<ClusterFacts>,
    vantage: Vantage,
    clock: Clock,
    way: Arc<Way>,
    session: Arc<Session>,
}

/// Plans the way of one target.
pub(super) fn plan(target: &Target, input: &Input, vantage: Vantage, clock: &Clock, plan: &mut Plan) -> Connected {
    let ladder = Ladder {
        target: Arc::new(target.clone()),
        cluster: Arc::new(input.cluster.clone()),
        vantage,
        clock: clock.clone(),
        way: Arc::default(),
        session: Arc::default(),
    };
    let settings = match &target.settings {
        Ok(settings) => settings.clone(),
        // The finding on the settings is the failure; nothing below can be tried.
        Err(error) => return untried(&ladder, error, plan),
    };
    let servers = settings.bootstrap.iter();
    let own: Vec<(&Endpoint, &OwnHost)> =
        servers.filter_map(|endpoint| Some((endpoint, input.own_hosts.get(&endpoint.host)?))).collect();
    if !own.is_empty() && own.len() == settings.bootstrap.len() {
        for (endpoint, host) in own {
            let check = ladder.check(Code::OWN_ADDRESS, &format!("own/{endpoint}"), "own address");
            plan.known(wiring::check(check, &target.service, endpoint, host));
        }
        return untried(&ladder, wiring::DEPLOYED_HERE, plan);
    }
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
    let mut needed = vec![tls];
    let mut token_step = None;
    if let Some(Proof::Oidc(oidc)) = settings.login.as_ref().map(|login| &login.proof) {
        let (at, from) = (ladder.clone(), oidc.clone());
        let token = ladder.check(Code::TOKEN, "token", "token");
        // Beside the way to the brokers, not after it: it is another server.
        let step = plan.step(token, &[], &[], LAYER_LIMIT, move |check, limit| at.token(check, from, limit));
        needed.push(step);
        token_step = Some(step);
    }
    let (at, with) = (ladder.clone(), settings.clone());
    let login = plan.step(ladder.check(Code::SASL, "sasl", "SASL"), &needed, &[], LAYER_LIMIT, move |check, limit| {
        at.sasl(check, with, limit)
    });
    let (at, with) = (ladder.clone(), settings.clone());
    let brokers = ladder.check(Code::BROKERS, "brokers", "brokers");
    let brokers = plan.step(brokers, &[login], &[], LAYER_LIMIT, move |check, limit| at.brokers(check, with, limit));
    let (at, with) = (ladder.clone(), settings);
    let id = ladder.check(Code::CLUSTER_ID, "cluster-id", "cluster id");
    plan.step(id, &[login], &[], LAYER_LIMIT, move |check, limit| at.cluster_id(check, with, limit));
    let at = ladder.clone();
    let quota = ladder.check(Code::QUOTA, "quota", "quota");
    plan.step(quota, &[brokers], &[], LAYER_LIMIT, move |check, _| at.quota(check));
    Connected { login, brokers, session: ladder.session, token: token_step }
}

/// Skips every layer, for one reason.
fn untried(ladder: &Ladder, why: &str, plan: &mut Plan) -> Connected {
    let skip = |code, name, label| ladder.check(code, name, label).ended(Status::Skipped, why);
    let mut last = plan.known(skip(Code::DNS, "dns", "DNS"));
    for (code, name, label) in [(Code::TCP, "tcp", "TCP"), (Code::TLS, "tls", "TLS"), (Code::SASL, "sasl", "SASL")] {
        last = plan.known(skip(code, name, label));
    }
    let brokers = plan.known(skip(Code::BROKERS, "brokers", "brokers"));
    plan.known(skip(Code::CLUSTER_ID, "cluster-id", "cluster id"));
    Connected { login: last, brokers, session: ladder.session.clone(), token: None }
}

/// A check of a target, before it has run.
pub(super) fn check_of(target: &Target, category: Category, code: Code, name: &str, label: &str) -> Check {
    let mut check = Check::new(code, category, format!("{}/{name}", target.id()), label);
    check.service = Some(target.service.clone());
    check.clients.clone_from(&target.clients);
    check.ran_as = Some(target.shown.clone());
    check.as_caller = target.as_caller;
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
}

/// It is this program that can't go on: no verdict on who will run there.
fn untold(check: Check, message: String) -> Check {
    let mut check = check.ended(Status::Unknown, message);
    check.fixes =
        vec![Fix::advice("try it with a client in Java, or let the listener offer a cipher with forward secrecy and AEAD too")];
    check
}

/// Something private, asked from where it need not be reachable: no verdict, and the ways on.
fn seen_from_outside(check: Check, message: String) -> Check {
    let mut check = check.ended(Status::Unknown, message).because(Cause::OutsideVpc);
    check.why = Some(remedy::why(Cause::OutsideVpc).to_owned());
    check.fixes = vec![Fix::advice(remedy::WAYS_IN)];
    check
}
