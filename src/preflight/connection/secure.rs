//! TLS, the token where there is one, and the login.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Ladder, untold};
use crate::base::{Cause, Deadline, Fault, Moment};
use crate::kafka::{self, Hello, Oidc, Proof, Settings};
use crate::net::tls::Certificate;
use crate::net::{Endpoint, http};
use crate::preflight::clock;
use crate::preflight::fix::Fix;
use crate::preflight::report::{Check, Origin, Status};
use crate::preflight::target::{Obstacle, Target};

/// A certificate that ends sooner is worth a warning.
const CERTIFICATE_DAYS: i64 = 7;
/// How long a server of the list is waited for before the next is asked beside it.
const PATIENCE: Duration = Duration::from_secs(1);

impl Ladder {
    pub(super) async fn tls(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        let Some(first) = self.way.stream.lock().await.take() else {
            return check.ended(Status::Unknown, "there is no connection to secure");
        };
        let others = self.way.others.lock().await.clone();
        let (greeted, passed_over) = greet(&settings, first, others, deadline).await;
        match greeted {
            Ok((endpoint, hello)) => {
                let check = match hello.certificate {
                    None => check.passed(format!("not used: the protocol is {}", settings.protocol)),
                    Some(certificate) => verified(check, &certificate),
                };
                let check = match passed_over.first() {
                    Some((dead, fault)) => self.one_is_dead(check, dead, &endpoint, fault),
                    None => check,
                };
                let is_done = |other: &Endpoint| *other == endpoint || passed_over.iter().any(|(dead, _)| dead == other);
                self.way.others.lock().await.retain(|other| !is_done(other));
                *self.way.greeted.lock().await = Some((endpoint, hello.connection));
                check
            }
            Err((endpoint, fault, certificate)) => {
                let fault = match &certificate {
                    Some(certificate) if fault.cause == Cause::TlsExpired => self.clock.judge(fault, certificate, deadline).await,
                    _ => fault,
                };
                if fault.is_ours {
                    return untold(check, fault.message);
                }
                let mut check = self.failed(check, &fault, Some(&endpoint));
                check.evidence = certificate.as_ref().map(facts);
                if let (Cause::ClientCertificateRequired, Some(Obstacle::Hidden(why))) = (fault.cause, &self.target.obstacle) {
                    check.message.extend(["; ", why]);
                }
                if let (Cause::TlsUntrusted, Some(file)) = (fault.cause, &self.target.hidden_truststore) {
                    let message =
                        format!("not trusted by this machine; the container trusts {file}, which can't be read from here");
                    check = check.ended(Status::Unknown, message);
                }
                check
            }
        }
    }

    /// A server of the list took the connection and no more: clients go on to the next, each time they begin with it.
    fn one_is_dead(&self, check: Check, dead: &Endpoint, next: &Endpoint, fault: &Fault) -> Check {
        let seen = (check.message.clone(), check.evidence.clone());
        let mut check = self.failed(check, fault, Some(dead));
        check.evidence = seen.1;
        check.fixes = vec![self.without(dead)];
        check.ended(Status::Warned, format!("{dead}: {}; {next} is good: {}", fault.message, seen.0))
    }

    pub(super) async fn sasl(self, check: Check, settings: Arc<Settings>, deadline: Deadline) -> Check {
        match &self.target.obstacle {
            Some(Obstacle::Unread(what)) => return check.ended(Status::Skipped, what.clone()),
            Some(Obstacle::Malformed(what)) => return self.no_login(check, what),
            Some(Obstacle::Unspoken(mechanism)) if self.target.login_is_told => {
                return check.ended(Status::Skipped, format!("there is no login to try by {mechanism}"));
            }
            Some(Obstacle::Unspoken(mechanism)) => {
                return check.ended(Status::Unknown, format!("this program can't log in with {mechanism}"));
            }
            Some(Obstacle::Hidden(why)) => {
                return check.ended(Status::Unknown, format!("there is no client certificate to show: {why}"));
            }
            None => {}
        }
        let Some((endpoint, mut connection)) = self.way.greeted.lock().await.take() else {
            return check.ended(Status::Unknown, "there is no connection to log in on");
        };
        if let Err(fault) = kafka::authenticate(&mut connection, &settings, &endpoint.host, deadline).await {
            let mut check = self.failed(check, &with_blanks(fault, &settings), Some(&endpoint));
            if let (Some(Cause::BadCredentials), Some(place)) = (check.cause, &self.target.login_place) {
                check.origin = Some(Origin::from(place));
            }
            return check;
        }
        match kafka::cluster(&mut connection, deadline).await {
            Ok(cluster) => *self.session.cluster.lock().await = Some(cluster),
            Err(fault) => return self.failed(check, &fault, Some(&endpoint)),
        }
        self.session.connections.lock().await.push((-1, connection));
        *self.way.entered.lock().await = Some(endpoint.clone());
        let how = match &settings.login {
            Some(login) => format!("{} accepted", login.mechanism),
            None => format!("not used: the protocol is {}", settings.protocol),
        };
        if let Some(Proof::Aws(keys)) = settings.login.as_ref().map(|login| &login.proof) {
            let (who, whose) = if self.target.as_caller {
                (format!("{}; the task has a role of its own", keys.caller), "who runs this")
            } else {
                (keys.caller.clone(), "the task's role")
            };
            let mut check = check.passed(format!("{how} for {who}"));
            check.evidence = Some(format!("SaslAuthenticate with the credentials of {whose}"));
            return check;
        }
        if !kafka::speaks(&settings) {
            let mut check = check.passed(how);
            check.evidence = Some("SaslAuthenticate".to_owned());
            return check;
        }
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

    /// The settings bring no login. Where a finding says so already, there is nothing to add.
    fn no_login(&self, check: Check, what: &str) -> Check {
        let message = format!("there is no login to try: {what}");
        if self.target.login_is_told {
            return check.ended(Status::Skipped, message);
        }
        let mut check = self.failed(check, &Fault::new(Cause::BadCredentials, message), None);
        check.why = Some("the client ends before it has asked any broker".to_owned());
        let variables = &self.target.variables;
        let handler = "sasl.login.callback.handler.class";
        check.fixes = if what.starts_with(handler) {
            let asks = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler";
            let endpoint = variables.of("sasl.oauthbearer.token.endpoint.url").join(", ");
            vec![
                Fix::Setting { variables: variables.of(handler), value: asks.to_owned() },
                Fix::advice(format!("set {endpoint} to the token endpoint of the identity provider")),
            ]
        } else {
            vec![Fix::advice(format!("complete the settings beside {}: {what}", variables.of("sasl.jaas.config").join(", ")))]
        };
        check
    }

    /// The token of a token endpoint: another server, with layers of its own.
    pub(super) async fn token(self, check: Check, oidc: Arc<Oidc>, deadline: Deadline) -> Check {
        let host = http::endpoint(&oidc.endpoint).host;
        match oidc.token(deadline).await {
            Ok(token) => {
                if let Some(ahead) = token.clock_ahead {
                    self.clock.heard(&host, ahead);
                }
                let mut check = match token.lifetime {
                    Some(seconds) if seconds <= 0 => {
                        let fault = Fault::new(Cause::BadCredentials, format!("{host} gave a token that has ended already"));
                        return self.failed(check, &fault, None);
                    }
                    Some(seconds) => check.passed(format!("{host} gave one for {} minutes", (seconds + 59) / 60)),
                    None => check.passed(format!("{host} gave one")),
                };
                let subject = token.subject.as_ref().map(|subject| format!("a token for {subject}"));
                check.evidence = subject.or_else(|| token.certificate.as_ref().map(facts));
                check
            }
            Err(fault) => {
                let mut check = self.failed(check, &fault, Some(&http::endpoint(&oidc.endpoint)));
                check.fixes = token_fixes(&fault, &oidc, &self.target);
                check
            }
        }
    }
}

/// What one server gave; a fault with its certificate.
type Told = Result<Hello, (Fault, Option<Certificate>)>;
/// A server that greets; or the fault of the first one, with its certificate.
type Greeted = Result<(Endpoint, Hello), (Endpoint, Fault, Option<Certificate>)>;

/// Shakes hands with the servers of the list as a client does: one that hangs up or says nothing is passed over, any other fault ends it.
async fn greet(
    settings: &Arc<Settings>,
    first: (Endpoint, TcpStream),
    others: Vec<Endpoint>,
    deadline: Deadline,
) -> (Greeted, Vec<(Endpoint, Fault)>) {
    let mut tries = JoinSet::new();
    let mut waiting: VecDeque<Endpoint> = others.into();
    let mut begun: Vec<Endpoint> = vec![first.0.clone()];
    let mut passed_over: BTreeMap<usize, (Fault, Option<Certificate>)> = BTreeMap::new();
    let mut decided: Option<(usize, Told)> = None;
    let with = settings.clone();
    tries.spawn(async move { (0, kafka::hello(&with, &first.0.host, first.1, deadline).await) });
    loop {
        // Each that stands before it in the list has the time of this layer: a server that is slow is not dead.
        match decided.take_if(|(at, _)| tries.is_empty() || passed_over.range(..*at).count() == *at) {
            Some((at, Ok(hello))) => {
                let dead = (0..at).map(|index| (begun[index].clone(), silent_or(passed_over.remove(&index))));
                return (Ok((begun[at].clone(), hello)), dead.collect());
            }
            Some((at, Err((fault, certificate)))) => return (Err((begun[at].clone(), fault, certificate)), Vec::new()),
            None => {}
        }
        let done = tokio::select! {
            Some(done) = tries.join_next() => Some(done),
            () = tokio::time::sleep(PATIENCE), if decided.is_none() && !waiting.is_empty() => None,
        };
        match done {
            Some(Ok((at, _))) if decided.as_ref().is_some_and(|(first, _)| at > *first) => {}
            Some(Ok((at, Err((fault, certificate))))) if is_passed_over(&fault) => {
                passed_over.insert(at, (fault, certificate));
            }
            Some(Ok(told)) => decided = Some(told),
            Some(Err(_)) | None => {}
        }
        if decided.is_some() {
            continue;
        }
        if let Some(endpoint) = waiting.pop_front() {
            let (at, with) = (begun.len(), settings.clone());
            begun.push(endpoint.clone());
            tries.spawn(async move { (at, kafka::reached(&with, &endpoint, deadline).await) });
        } else if tries.is_empty() {
            let broke_off = || (Fault::new(Cause::BrokerUnreachable, "the handshake broke off"), None);
            let (fault, certificate) = passed_over.remove(&0).unwrap_or_else(broke_off);
            return (Err((begun[0].clone(), fault, certificate)), Vec::new());
        }
    }
}

/// What a client goes on to the next server from.
fn is_passed_over(fault: &Fault) -> bool {
    matches!(fault.cause, Cause::BrokerUnreachable | Cause::TimedOut)
}

/// Why a server was passed over. One that took the connection and said nothing has said nothing of why either.
fn silent_or(passed_over: Option<(Fault, Option<Certificate>)>) -> Fault {
    match passed_over {
        Some((fault, _)) if fault.cause != Cause::TimedOut => fault,
        _ => Fault::new(Cause::TimedOut, "the listener took the connection and then said nothing"),
    }
}

/// TLS stands; how long will it?
fn verified(check: Check, certificate: &Certificate) -> Check {
    let days = certificate.days_left(clock::now());
    let mut check = if days < CERTIFICATE_DAYS {
        let mut check = check.ended(Status::Warned, format!("verified, but the certificate ends in {days} days"));
        check.fixes = vec![Fix::advice("renew the brokers' certificate")];
        check
    } else {
        check.passed(format!("verified, certificate ends in {days} days"))
    };
    check.evidence = Some(facts(certificate));
    check
}

/// What to do about a token endpoint, which is neither the cluster nor in its network.
fn token_fixes(fault: &Fault, oidc: &Oidc, target: &Target) -> Vec<Fix> {
    let login = target.variables.of("sasl.jaas.config").join(", ");
    let url = target.variables.of("sasl.oauthbearer.token.endpoint.url").join(", ");
    let host = http::endpoint(&oidc.endpoint);
    let advice = match fault.cause {
        Cause::BadCredentials => {
            format!("compare clientId, clientSecret and scope in {login} with the identity provider's application")
        }
        Cause::AccessDenied => format!("let the identity provider give {} a token, or give the proxy its login", oidc.client_id),
        Cause::NotKafka | Cause::NameNotFound | Cause::Refused | Cause::PlaintextListener | Cause::TlsListener => {
            format!("set {url} to the token endpoint that the identity provider names")
        }
        Cause::TlsUntrusted | Cause::TlsHostname | Cause::TlsExpired => {
            format!("put ssl.truststore.type='PEM' and ssl.truststore.certificates into {login}, or have the certificate renewed")
        }
        _ => format!("look at the way to {host}: proxies (HTTPS_PROXY), routes, and its own state"),
    };
    vec![Fix::advice(advice)]
}

/// Says of a refused password what pasting may have spoilt.
fn with_blanks(fault: Fault, settings: &Settings) -> Fault {
    let Some(Proof::Password { username, password }) = settings.login.as_ref().map(|login| &login.proof) else { return fault };
    let trouble = if username.trim().len() == username.len() {
        password.trouble().map(|how| format!("the password {how}"))
    } else {
        Some("the user name has blanks around it".to_owned())
    };
    match trouble {
        Some(trouble) if fault.cause == Cause::BadCredentials => {
            Fault { message: format!("{}; {trouble}", fault.message), ..fault }
        }
        _ => fault,
    }
}

/// A certificate in one line.
fn facts(certificate: &Certificate) -> String {
    let day = |seconds: i64| Moment::from_millis(seconds.saturating_mul(1_000)).to_string().chars().take(10).collect::<String>();
    format!(
        "issued for {} by {}, valid from {} to {}",
        certificate.issued_for(),
        certificate.issuer,
        day(certificate.not_before),
        day(certificate.not_after)
    )
}
