//! The other URLs that services are told: Connect's REST interface, ksqlDB, whatever else stands in a setting. Does somebody answer, and
//! is it who was meant, or a login page, a proxy, another service?
//!
//! One request each, without credentials and following nothing. What this stack itself deploys is judged by its wiring instead.

use std::sync::Arc;
use std::time::Duration;

use super::fix::Fix;
use super::input::Input;
use super::remedy;
use super::report::{Category, Check, Origin, Status, Vantage};
use super::runner::Plan;
use super::wiring;
use crate::base::{Cause, Code, Deadline, Fault};
use crate::confluent::{self, Setting};
use crate::net::http::{self, Answer, Client, Request, Url};
use crate::net::{self, tls};
use crate::profile::Component;

const LIMIT: Duration = Duration::from_secs(4);
const LONGEST: usize = 64 << 10;

/// Who must answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Connect,
    Ksql,
    Anybody,
}

impl Who {
    /// By the setting's name, as Confluent's components call them.
    fn of(property: &str) -> Self {
        let words: Vec<&str> = property.split('.').collect();
        match () {
            () if words.contains(&"connect") && words.last() == Some(&"cluster") => Self::Connect,
            () if words.contains(&"ksql") && words.last() == Some(&"url") => Self::Ksql,
            () => Self::Anybody,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Connect => "/",
            Self::Ksql => "/info",
            Self::Anybody => "",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Connect => "Kafka Connect",
            Self::Ksql => "ksqlDB",
            Self::Anybody => "a server",
        }
    }

    /// Is this its answer? The version that it says.
    fn recognises(self, answer: &Answer) -> Option<String> {
        let body = answer.json();
        let text = |key: &str| body.as_ref()?.get(key)?.as_str().map(str::to_owned);
        match self {
            Self::Connect => text("version").filter(|_| text("kafka_cluster_id").is_some() || text("commit").is_some()),
            Self::Ksql => body.as_ref()?.get("KsqlServerInfo")?.get("version")?.as_str().map(str::to_owned),
            Self::Anybody => Some(String::new()),
        }
    }
}

/// A URL in a setting.
struct Place {
    url: Url,
    who: Who,
    variable: String,
    vantage: Vantage,
}

pub(super) fn plan(input: &Input, vantage: Vantage, plan: &mut Plan) {
    let mut seen: Vec<String> = Vec::new();
    for service in &input.services {
        let properties = confluent::properties(&service.component, &service.image, &service.environment);
        for (name, property) in properties.iter() {
            if !is_asked(&service.component, name) {
                continue;
            }
            let setting = Setting { value: property.value.clone(), variable: property.variable.clone(), inherited: false };
            for url in urls(&setting) {
                let shown = http::endpoint(&url).to_string();
                if seen.contains(&format!("{name} {url}")) {
                    continue;
                }
                seen.push(format!("{name} {url}"));
                let of = |code, what: &str| {
                    let id = format!("{}/{name}/{shown}/{what}", service.name);
                    let mut check = Check::new(code, Category::Urls, id, format!("{name} of {}", service.name));
                    name.clone_into(&mut check.label);
                    check.service = Some(service.name.clone());
                    check.origin = setting.value.place.as_ref().map(Origin::from);
                    check
                };
                if let Some(own) = input.own_hosts.get(&http::endpoint(&url).host) {
                    plan.known(wiring::check(of(Code::OWN_ADDRESS, "own"), &service.name, &http::endpoint(&url), own));
                    plan.known(of(Code::OTHER_URL, "reached").ended(Status::Skipped, wiring::DEPLOYED_HERE));
                    continue;
                }
                let place = Arc::new(Place { url, who: Who::of(name), variable: setting.variable.clone(), vantage });
                plan.step(of(Code::OTHER_URL, "reached"), &[], &[], LIMIT, move |check, limit| async move {
                    place.check(check, limit).await
                });
            }
        }
    }
}

/// Settings whose URLs are a client's way to somebody else. What a component listens on or calls itself is none; registries and token
/// endpoints have checks of their own.
fn is_asked(component: &Component, property: &str) -> bool {
    let own = ["listener", "advertised", "oauthbearer", "schema.registry", "proxy"];
    !own.iter().any(|word| property.contains(word)) && component.registries.iter().all(|registry| registry.url != property)
}

fn urls(setting: &Setting) -> Vec<Url> {
    let found = setting.urls().into_iter().filter_map(|url| http::url(&url).ok());
    // Of this machine or of any: never somebody else.
    let is_somewhere = |url: &Url| {
        let host = http::endpoint(url).host;
        let here = host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified());
        !here && !host.eq_ignore_ascii_case("localhost")
    };
    found.filter(is_somewhere).collect()
}

impl Place {
    async fn check(&self, check: Check, deadline: Deadline) -> Check {
        let target = http::endpoint(&self.url);
        match self.ask(deadline).await {
            Ok(answer) => self.judged(check, &answer),
            Err(fault) => {
                let private = match fault.cause {
                    Cause::NameNotFound => net::is_private_name(&target.host),
                    Cause::TimedOut | Cause::BrokerUnreachable => net::leads_to_private(&target.host).await,
                    _ => false,
                };
                if private && self.vantage != Vantage::Inside {
                    let mut check = check.ended(Status::Unknown, format!("{target} is private, and can't be reached from here"));
                    check.why = Some(remedy::why(Cause::OutsideVpc).to_owned());
                    check.fixes = vec![Fix::advice(remedy::WAYS_IN)];
                    return check.because(Cause::OutsideVpc);
                }
                self.failed(check, &fault)
            }
        }
    }

    async fn ask(&self, deadline: Deadline) -> Result<Answer, Fault> {
        let client = Client::new(&tls::Settings::default()).map_err(|message| Fault::new(Cause::TlsUntrusted, message))?;
        let mut url = self.url.clone();
        if self.who != Who::Anybody {
            url.set_path(&format!("{}{}", url.path().trim_end_matches('/'), self.who.path()));
        }
        client.send(Request::get(url).header("accept", "application/json, */*").at_most(LONGEST), deadline).await
    }

    fn judged(&self, check: Check, answer: &Answer) -> Check {
        let host = http::endpoint(&self.url).host;
        if let Some(to) = answer.location.as_ref().map(http::endpoint).filter(|to| to.host != host) {
            let message = format!("{host} sends us on to {to}: a login page or a proxy");
            return self.failed(check, &Fault::new(Cause::NotKafka, message));
        }
        let name = self.who.name();
        match (answer.status, self.who.recognises(answer)) {
            (407, _) => self.failed(check, &Fault::new(Cause::AccessDenied, "the proxy wants a login")),
            (429, _) => self.failed(check, &Fault::new(Cause::Throttled, format!("{host} holds requests back"))),
            (500.., _) => {
                let message = format!("{host} answers with status {}: it is not ready", answer.status);
                self.failed(check, &Fault::new(Cause::BrokerUnreachable, message))
            }
            (401 | 403, _) => check.passed(format!("{host} answers, and wants a login")),
            (status, Some(_)) if self.who == Who::Anybody => check.passed(format!("{host} answers with status {status}")),
            (200, Some(version)) => check.passed(format!("{name} {version} answers")),
            (status, _) => {
                let kind = answer.header("content-type").unwrap_or("no content").split(';').next().unwrap_or_default();
                let message =
                    format!("{host} answers with {kind} (status {status}), not as {name} does: a login page or another service");
                self.failed(check, &Fault::new(Cause::NotKafka, message))
            }
        }
    }

    fn failed(&self, check: Check, fault: &Fault) -> Check {
        let target = http::endpoint(&self.url);
        let mut check = check.ended(Status::Failed, fault.message.clone()).because(fault.cause);
        check.why = Some(match fault.cause {
            Cause::NotKafka => "the component takes the page for an answer, and shows nothing or fails".to_owned(),
            Cause::TlsListener | Cause::PlaintextListener => "http and https are mixed up".to_owned(),
            cause => remedy::why(cause).to_owned(),
        });
        check.fixes = vec![Fix::advice(match fault.cause {
            Cause::NotKafka | Cause::NameNotFound | Cause::Refused | Cause::TlsListener | Cause::PlaintextListener => {
                format!("set {} to the address of {} itself", self.variable, self.who.name())
            }
            Cause::TimedOut => {
                format!(
                    "allow TCP {} from the tasks' security group to {}, and look at routes and proxies",
                    target.port, target.host
                )
            }
            _ => format!("look at {target} itself, and at proxies and load balancers in between"),
        })];
        check
    }
}

#[cfg(test)]
mod tests {
    use super::{Who, is_asked, urls};
    use crate::confluent::{Setting, Text};
    use crate::profile::Catalogue;

    #[test]
    fn who_must_answer_is_told_by_the_settings_name() {
        assert_eq!(Who::of("confluent.controlcenter.connect.dev.cluster"), Who::Connect);
        assert_eq!(Who::of("confluent.controlcenter.ksql.dev.url"), Who::Ksql);
        assert_eq!(Who::of("confluent.controlcenter.prometheus.url"), Who::Anybody);
        let center = Catalogue::builtin().unwrap();
        let center = center.component("control-center").unwrap();
        for own in
            ["confluent.controlcenter.rest.listeners", "confluent.controlcenter.schema.registry.url", "rest.advertised.url"]
        {
            assert!(!is_asked(center, own), "{own}");
        }
        assert!(is_asked(center, "confluent.controlcenter.connect.dev.cluster"));
    }

    #[test]
    fn urls_are_those_that_lead_to_somebody_else() {
        let of = |text: &str| {
            let setting = Setting { value: Text::plain(text, None), variable: String::new(), inherited: false };
            urls(&setting).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of("http://a:8083,http://b:8083"), ["http://a:8083/", "http://b:8083/"]);
        assert_eq!(of("https://me:hunter2@a/x@y"), ["https://a/x@y"]);
        assert!(of("http://0.0.0.0:8083, http://localhost:1, plain, ftp://x").is_empty());
    }
}
