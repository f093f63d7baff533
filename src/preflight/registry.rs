//! Schema registries: is one there, does it take the key, may schemas be written, what does it hold them to?
//!
//! Comes in: the registry clients of each service. Goes out: steps, one server asked once whoever shares it. The first request carries
//! no credentials: a login page or another server must not be shown them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use super::fix::Fix;
use super::input::{Input, Service};
use super::remedy;
use super::report::{Category, Check, Origin, Status, Vantage};
use super::runner::{Plan, StepId};
use super::{credentials, target, wiring};
use crate::base::{Cause, Code, Deadline, Fault, Secret};
use crate::confluent::{self, RegistryClient, Setting};
use crate::net::http::{self, Answer, Client, Request, Url};
use crate::net::{self, tls};

/// The longest that one question may take.
const LIMIT: Duration = Duration::from_secs(4);
/// No answer of a registry is looked at further.
const LONGEST: usize = 64 << 10;

/// How a client shows who it is.
#[derive(Debug, Clone)]
enum Login {
    None,
    Basic(String, Secret),
    /// In a way that can't be tried here; which.
    Other(String),
    /// Not read, or not to be read; why.
    Unread(String),
}

/// A registry as one client of a service sees it.
struct Desk {
    url: Url,
    login: Login,
    trust: tls::Settings,
    /// The variable of the URL, and that of the login.
    url_variable: String,
    login_variable: Option<String>,
    /// The names by which the same project logs in to Kafka.
    kafka_names: BTreeSet<String>,
    vantage: Vantage,
    clock: Clock,
}

/// Plans every registry once; gives the steps that may hear the time.
pub(super) fn plan(input: &Input, vantage: Vantage, clock: &Clock, plan: &mut Plan) -> Vec<StepId> {
    let mut tellers = Vec::new();
    let mut seen: Vec<(String, Option<String>)> = Vec::new();
    for service in &input.services {
        let properties = confluent::properties(&service.component, &service.image, &service.environment);
        let kafka_names: BTreeSet<String> = target::names(service, input);
        for client in confluent::registries(&service.component, &properties) {
            if client.urls.is_empty() {
                let why = "the URL is in a secret that was not read";
                plan.known(check(service, &client.name, Code::REGISTRY, "reached", "registry").ended(Status::Skipped, why));
            }
            for text in &client.urls {
                let login = login_of(&client);
                let name = match &login {
                    Login::Basic(name, _) => Some(name.clone()),
                    _ => None,
                };
                let known = (text.clone(), name);
                if seen.contains(&known) {
                    continue;
                }
                seen.push(known);
                let trust = credentials::registry_trust(service, &client);
                let variables = (client.url.variable.clone(), client.user_info.as_ref().map(|setting| setting.variable.clone()));
                let what = What { service, client: &client, text, login, trust, variables, kafka_names: kafka_names.clone() };
                tellers.extend(one(what, input, vantage, clock, plan));
            }
        }
    }
    tellers
}

struct What<'a> {
    service: &'a Service,
    client: &'a RegistryClient,
    text: &'a str,
    login: Login,
    trust: tls::Settings,
    variables: (String, Option<String>),
    kafka_names: BTreeSet<String>,
}

fn one(what: What<'_>, input: &Input, vantage: Vantage, clock: &Clock, plan: &mut Plan) -> Option<StepId> {
    let What { service, client, text, login, trust, variables, kafka_names } = what;
    let of = |code, name: &str, label: &str| {
        let mut check = check(service, &client.name, code, name, label);
        check.origin = client.url.value.place.as_ref().map(Origin::from);
        check
    };
    let reached = of(Code::REGISTRY, "reached", "registry");
    let url = match http::url(text) {
        Ok(url) => url,
        Err(error) => {
            let mut check = reached.ended(Status::Failed, error);
            check.why = Some("the client gives up before it has asked anybody".to_owned());
            check.fixes = vec![set(&variables.0, "the registry's URL, as in https://psrc-….confluent.cloud")];
            plan.known(check);
            return None;
        }
    };
    let host = http::endpoint(&url).host;
    if let Some(own) = input.own_hosts.get(&host) {
        let address = of(Code::OWN_ADDRESS, "own", "own address");
        plan.known(wiring::check(address, &service.name, &http::endpoint(&url), own));
        plan.known(reached.ended(Status::Skipped, wiring::DEPLOYED_HERE));
        return None;
    }
    let desk = Arc::new(Desk {
        url,
        login,
        trust,
        url_variable: variables.0,
        login_variable: variables.1,
        kafka_names,
        vantage,
        clock: clock.clone(),
    });
    let at = desk.clone();
    let first = plan.step(reached, &[], &[], LIMIT, move |check, limit| async move { at.reached(check, limit).await });
    let at = desk.clone();
    let key = plan.step(of(Code::REGISTRY_KEY, "key", "key"), &[first], &[], LIMIT, move |check, limit| async move {
        at.key(check, limit).await
    });
    let at = desk.clone();
    plan.step(of(Code::REGISTRY_MODE, "mode", "mode"), &[key], &[], LIMIT, move |check, limit| async move {
        at.mode(check, limit).await
    });
    plan.step(of(Code::COMPATIBILITY, "compatibility", "compatibility"), &[key], &[], LIMIT, move |check, limit| async move {
        desk.compatibility(check, limit).await
    });
    Some(first)
}

fn check(service: &Service, client: &str, code: Code, name: &str, label: &str) -> Check {
    let id = format!("{}/{client}/{name}", service.name);
    let mut check = Check::new(code, Category::SchemaRegistry, id, format!("{label} of {}'s {client}", service.name));
    label.clone_into(&mut check.label);
    check.service = Some(service.name.clone());
    check.clients = vec![client.to_owned()];
    check
}

/// The login of a client, by the rule of Confluent's own: the source says where it comes from, and without one it is the URL.
fn login_of(client: &RegistryClient) -> Login {
    let text = |name: &str| {
        let setting: &Setting = client.settings.get(name).or_else(|| client.settings.get(&format!("schema.registry.{name}")))?;
        setting.value.to_secret()
    };
    if let Some(source) = text("bearer.auth.credentials.source").filter(|source| !source.expose().trim().is_empty()) {
        return Login::Other(format!("bearer.auth.credentials.source {}", source.expose().trim()));
    }
    let source = text("basic.auth.credentials.source").map(|source| source.expose().trim().to_ascii_uppercase());
    match source.as_deref() {
        Some("USER_INFO") => match (&client.user_info, text("basic.auth.user.info")) {
            (_, Some(info)) => match info.expose().split_once(':') {
                Some((name, password)) => Login::Basic(name.to_owned(), Secret::new(password)),
                None => Login::Unread("basic.auth.user.info is not written as key:secret".to_owned()),
            },
            (Some(_), None) => Login::Unread("the secret with basic.auth.user.info was not read".to_owned()),
            (None, None) => Login::None,
        },
        Some("URL") | None => client
            .urls
            .first()
            .and_then(|text| http::url(text).ok())
            .filter(|url| !url.username().is_empty())
            .map_or(Login::None, |url| Login::Basic(url.username().to_owned(), Secret::new(url.password().unwrap_or_default()))),
        Some(other) => Login::Other(format!("basic.auth.credentials.source {other}")),
    }
}

impl Desk {
    async fn ask(&self, path: &str, with_login: bool, deadline: Deadline) -> Result<Answer, Fault> {
        let client = Client::new(&self.trust).map_err(|message| Fault::new(Cause::TlsUntrusted, message))?;
        let mut url = self.url.clone();
        let _no_credentials = (url.set_username(""), url.set_password(None));
        url.set_path(&format!("{}{path}", url.path().trim_end_matches('/')));
        url.set_query(None);
        let mut request =
            Request::get(url).header("accept", "application/vnd.schemaregistry.v1+json, application/json").at_most(LONGEST);
        if let (true, Login::Basic(name, password)) = (with_login, &self.login) {
            request = request.basic(name, password);
        }
        let answer = client.send(request, deadline).await?;
        if let Some(ahead) = answer.clock_ahead() {
            self.clock.heard(&http::endpoint(&self.url).host, ahead);
        }
        Ok(answer)
    }

    /// What stands in the way of any answer, whoever asks.
    fn in_the_way(&self, answer: &Answer) -> Option<Fault> {
        let host = http::endpoint(&self.url).host;
        if let Some(to) = &answer.location {
            let to = http::endpoint(to);
            return Some(Fault::new(
                Cause::NotKafka,
                format!("{host} sends us on to {to}: a login page, a proxy, or http instead of https"),
            ));
        }
        let by = answer.proxy.as_ref().map(|proxy| format!(" (through the proxy {proxy})")).unwrap_or_default();
        match answer.status {
            407 => Some(Fault::new(Cause::AccessDenied, format!("the proxy wants a login{by}"))),
            429 => Some(Fault::new(Cause::Throttled, format!("{host} holds requests back{by}"))),
            500.. => Some(Fault::new(
                Cause::BrokerUnreachable,
                format!("{host} answers with status {}: it is not ready{by}", answer.status),
            )),
            401 | 403 => None,
            _ if answer.json().is_some() => None,
            _ => {
                let kind = answer
                    .header("content-type")
                    .unwrap_or("nothing that is JSON")
                    .split(';')
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                Some(Fault::new(
                    Cause::NotKafka,
                    format!("{host} answers with {kind}, not as a registry does: a login page or another service{by}"),
                ))
            }
        }
    }

    async fn reached(&self, check: Check, deadline: Deadline) -> Check {
        let target = http::endpoint(&self.url);
        match self.ask("/", false, deadline).await {
            Ok(answer) => {
                if let Some(fault) = self.in_the_way(&answer) {
                    self.failed(check, &fault)
                } else {
                    let mut check = check.passed(format!("{} answers", target.host));
                    check.evidence = answer
                        .certificate
                        .map(|certificate| format!("issued for {} by {}", certificate.issued_for(), certificate.issuer));
                    check
                }
            }
            Err(fault) => {
                let private = match fault.cause {
                    Cause::NameNotFound => net::is_private_name(&target.host),
                    Cause::TimedOut | Cause::BrokerUnreachable => net::leads_to_private(&target.host).await,
                    _ => false,
                };
                let hidden = private && self.vantage != Vantage::Inside;
                if hidden {
                    let mut check = check
                        .ended(Status::Unknown, format!("{target} is private, and can't be reached from here"))
                        .because(Cause::OutsideVpc);
                    check.why = Some(remedy::why(Cause::OutsideVpc).to_owned());
                    check.fixes = vec![Fix::advice(remedy::WAYS_IN)];
                    return check;
                }
                self.failed(check, &fault)
            }
        }
    }

    async fn key(&self, check: Check, deadline: Deadline) -> Check {
        match &self.login {
            Login::Unread(why) => return check.ended(Status::Skipped, why.clone()),
            Login::Other(how) => return check.ended(Status::Unknown, format!("this program can't log in by {how}")),
            Login::None | Login::Basic(..) => {}
        }
        let answer = match self.ask("/subjects", true, deadline).await {
            Ok(answer) => answer,
            Err(fault) => return self.failed(check, &fault),
        };
        let mut check = match (answer.status, &self.login) {
            (401, Login::Basic(name, _)) if self.kafka_names.contains(name) => {
                let message = "this is the key of the Kafka cluster; a registry has keys of its own";
                self.failed(check, &Fault::new(Cause::BadCredentials, message))
            }
            (401, Login::Basic(_, password)) => {
                let blanks = password.trouble().map(|how| format!("; the secret {how}")).unwrap_or_default();
                self.failed(check, &Fault::new(Cause::BadCredentials, format!("the registry refused the key{blanks}")))
            }
            (401, _) => {
                let message = match &self.login_variable {
                    Some(variable) => format!(
                        "the registry wants a key, and {variable} is not used: basic.auth.credentials.source is not USER_INFO"
                    ),
                    None => "the registry wants a key, and none is set".to_owned(),
                };
                self.failed(check, &Fault::new(Cause::BadCredentials, message))
            }
            (403, _) => {
                let fault = Fault::new(Cause::AccessDenied, "the key is good, and may not list subjects");
                self.failed(check, &fault)
            }
            (404, _) if answer.json().is_some() => {
                let message = "there is no registry at this path: GET /subjects is answered with 404";
                self.failed(check, &Fault::new(Cause::NotKafka, message))
            }
            (200, Login::None) => check.passed("open to everybody"),
            (200, _) => check.passed("accepted"),
            (status, _) => match self.in_the_way(&answer) {
                Some(fault) => self.failed(check, &fault),
                None => check.ended(Status::Unknown, format!("the registry answers with status {status}")),
            },
        };
        check.evidence = Some("GET /subjects".to_owned());
        check
    }

    async fn mode(&self, check: Check, deadline: Deadline) -> Check {
        let (check, found) = self.word(check, "/mode", "mode", deadline).await;
        let Some(mode) = found else { return check };
        if matches!(mode.as_str(), "READWRITE" | "READWRITE_OVERRIDE") {
            return check.passed(mode);
        }
        let mut check = check.ended(Status::Warned, format!("{mode}: no new schema can be registered"));
        check.why = Some("a converter that meets a new schema fails its task".to_owned());
        check.fixes =
            vec![Fix::advice("let who owns the registry set its mode to READWRITE, or register the schemas beforehand")];
        check
    }

    async fn compatibility(&self, check: Check, deadline: Deadline) -> Check {
        let (check, found) = self.word(check, "/config", "compatibilityLevel", deadline).await;
        let Some(level) = found else { return check };
        check.passed(level)
    }

    /// One word of the registry's settings, where it tells.
    async fn word(&self, check: Check, path: &str, name: &str, deadline: Deadline) -> (Check, Option<String>) {
        let answer = match self.ask(path, true, deadline).await {
            Ok(answer) => answer,
            Err(fault) => return (self.failed(check, &fault), None),
        };
        let found = answer.json().and_then(|body| body[name].as_str().map(str::to_owned));
        match (answer.status, found) {
            (200, Some(word)) => (check, Some(word)),
            (403, _) => (check.ended(Status::Unknown, "the key may not read it"), None),
            (status, _) => (check.ended(Status::Unknown, format!("the registry does not tell (status {status})")), None),
        }
    }

    fn failed(&self, check: Check, fault: &Fault) -> Check {
        let mut check = check.ended(Status::Failed, fault.message.clone()).because(fault.cause);
        check.why = Some(why(fault.cause).to_owned());
        let login = self.login_variable.clone().unwrap_or_else(|| "basic.auth.user.info".to_owned());
        let target = http::endpoint(&self.url);
        check.fixes = vec![match fault.cause {
            Cause::BadCredentials if self.login_variable.is_some() && matches!(self.login, Login::None) => {
                let source = login.replace("USER_INFO", "CREDENTIALS_SOURCE").replace("SCHEMA_REGISTRY_BASIC", "BASIC");
                Fix::Setting { variables: vec![source], value: "USER_INFO".to_owned() }
            }
            Cause::BadCredentials => set(&login, "a key and its secret of the registry itself, as KEY:SECRET"),
            Cause::AccessDenied => {
                Fix::advice("give the key's owner a role on the registry's subjects (DeveloperRead and DeveloperWrite)")
            }
            Cause::TlsUntrusted => Fix::advice(format!(
                "give the converter the authority's certificate: schema.registry.ssl.truststore.type=PEM beside {}",
                self.url_variable
            )),
            Cause::NotKafka
            | Cause::NameNotFound
            | Cause::Refused
            | Cause::TlsListener
            | Cause::PlaintextListener
            | Cause::TlsHostname => set(&self.url_variable, "the URL that the registry's own page shows"),
            Cause::TlsExpired => {
                Fix::advice("renew the registry's certificate; if its dates look right, set this machine's clock")
            }
            Cause::TimedOut => Fix::advice(format!(
                "allow TCP {} from the tasks' security group to the registry, and look at routes and proxies",
                target.port
            )),
            _ => Fix::advice(format!("look at {target} itself, and at proxies and load balancers in between")),
        }];
        check
    }
}

fn set(variable: &str, to: &str) -> Fix {
    Fix::advice(format!("set {variable} to {to}"))
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::BadCredentials | Cause::AccessDenied => "network and TLS are good; converters fail at the first record",
        Cause::NotKafka => "a converter takes the page for a registry's answer, and fails at the first record",
        Cause::TlsListener | Cause::PlaintextListener => "http and https are mixed up",
        cause => remedy::why(cause),
    }
}
