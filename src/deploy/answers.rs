//! Whether the components of a deploy answer on their own interfaces, as far as they can be reached from here.
//!
//! Comes in: the interfaces of a family with the ways to them, the stack's outputs, the addresses of its tasks. Goes out: of each what it
//! said. Rules: only an answer can be a wrong one; what can't be reached is told and is no failure; an answer counts as the component's
//! only where nobody else could have given it: a proxy on the way, or another host with the same private address, is not the component.

use std::net::IpAddr;
use std::time::Duration;

use serde_json::Value;

use super::pace::Pace;
use crate::aws::Output;
use crate::base::Deadline;
use crate::cloudformation::{DeployedApi, DeployedService, Way};
use crate::net::http::{self, Answer, Client, Request, Url};
use crate::net::tls;

/// The longest that one question may take: through a load balancer, and to a task itself, which is seldom reached from outside.
const THROUGH: Duration = Duration::from_secs(5);
const DIRECT: Duration = Duration::from_secs(2);
/// No answer is looked at further.
const LONGEST: usize = 64 << 10;

/// What an interface said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    Answers(String),
    Wrong(String),
    /// Nothing that could be taken for its answer.
    Nothing(String),
}

/// Asks every interface of a family. A wrong answer is asked for again until its time is over: a worker that joins says so.
pub(super) async fn ask(service: &DeployedService, outputs: &[Output], tasks: &[IpAddr], pace: Pace) -> Vec<Said> {
    let client = match Client::new(&tls::Settings::default()) {
        Ok(client) => client,
        Err(why) => return vec![Said::Nothing(format!("{}: was not asked: {why}", service.family))],
    };
    let mut said = Vec::new();
    for api in &service.apis {
        let deadline = Deadline::after(pace.register);
        let found = loop {
            let found = one(&client, api, outputs, tasks).await;
            if !matches!(found, Said::Wrong(_)) || deadline.passed() {
                break found;
            }
            tokio::time::sleep(pace.fast).await;
        };
        said.push(match found {
            Said::Answers(text) => Said::Answers(format!("{}: {} {text}", service.family, api.title)),
            Said::Wrong(text) => Said::Wrong(format!("{}: {} {text}", service.family, api.title)),
            Said::Nothing(text) => Said::Nothing(format!("{}: {} {text}", service.family, api.title)),
        });
    }
    said
}

/// Through every load balancer that leads there; where none could be asked, the tasks themselves.
async fn one(client: &Client, api: &DeployedApi, outputs: &[Output], tasks: &[IpAddr]) -> Said {
    let mut heard = Vec::new();
    for way in &api.ways {
        let address = outputs.iter().find(|output| output.key == way.address).map(|output| output.value.as_str());
        heard.push(through(client, api, way, address).await);
    }
    if heard.iter().all(|said| matches!(said, Said::Nothing(_))) {
        let asked = tasks.iter().map(|address| direct(client, api, *address));
        heard.extend(futures_util::future::join_all(asked).await);
    }
    together(heard)
}

/// One wrong answer is enough, and so is one good one where none is wrong.
fn together(heard: Vec<Said>) -> Said {
    let wrong = heard.iter().find(|said| matches!(said, Said::Wrong(_)));
    let good = heard.iter().find(|said| matches!(said, Said::Answers(_)));
    match (wrong.or(good), heard.first()) {
        (Some(said), _) => said.clone(),
        (None, Some(Said::Nothing(why))) => Said::Nothing(why.clone()),
        (None, _) => Said::Nothing("was not asked: no load balancer leads to it, and no task of it runs".to_owned()),
    }
}

async fn through(client: &Client, api: &DeployedApi, way: &Way, address: Option<&str>) -> Said {
    let mut unreached = Vec::new();
    for (host, named) in names(way, address) {
        let Some(url) = url(&way.scheme, &host, way.port, &api.path) else { continue };
        let mut request = Request::get(url.clone()).header("accept", "application/json, */*").at_most(LONGEST);
        if let Some(named) = named {
            request = request.header("host", named);
        }
        match client.send(request, Deadline::after(THROUGH)).await {
            Ok(answer) => return judge(&answer, &url, Asked::Through { login: way.login }),
            Err(fault) => unreached.push(fault.to_string()),
        }
    }
    let why = unreached.pop().unwrap_or_else(|| "its address is not among the stack's outputs".to_owned());
    Said::Nothing(format!("is not reachable from here through {}, and was not asked: {why}", way.balancer))
}

/// The hosts to connect to, each with the name to ask for where that is another one.
fn names<'a>(way: &'a Way, address: Option<&str>) -> Vec<(String, Option<&'a str>)> {
    let mut names: Vec<(String, Option<&str>)> = way.hosts.iter().map(|host| (host.clone(), None)).collect();
    let name = if way.only_hosts { way.hosts.first().map(String::as_str) } else { None };
    // The balancer's own name is in no certificate of ours, and a rule for names sends it elsewhere.
    let leads_there = !way.only_hosts || (way.scheme == "http" && name.is_some());
    names.extend(address.filter(|_| leads_there).map(|address| (address.to_owned(), name)));
    names
}

async fn direct(client: &Client, api: &DeployedApi, address: IpAddr) -> Said {
    let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    let Some(url) = url("http", &host, api.port, &api.path) else {
        return Said::Nothing(format!("was not asked: {address} is no address"));
    };
    let request = Request::get(url.clone()).header("accept", "application/json, */*").at_most(LONGEST);
    match client.send(request, Deadline::after(DIRECT)).await {
        Ok(answer) => judge(&answer, &url, Asked::Directly),
        Err(fault) => Said::Nothing(format!("is not reachable from here, and was not asked: {fault}")),
    }
}

fn url(scheme: &str, host: &str, port: u16, path: &str) -> Option<Url> {
    let default = matches!((scheme, port), ("http", 80) | ("https", 443));
    let port = if default { String::new() } else { format!(":{port}") };
    http::url(&format!("{scheme}://{host}{port}{path}")).ok()
}

/// Who may have given an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// The load balancer, or the component behind it.
    Through { login: bool },
    /// Whoever has this address in the network that we are in.
    Directly,
}

/// What an answer says of the component.
fn judge(answer: &Answer, url: &Url, asked: Asked) -> Said {
    let status = answer.status;
    match status {
        200..=299 => Said::Answers(format!("answers at {url}")),
        // What a proxy says of its own is not what the component says.
        _ if answer.proxy.is_some() && (status >= 500 || matches!(status, 403 | 407)) => {
            Said::Nothing(format!("was not asked: the proxy on the way to {url} answers with status {status}"))
        }
        300..=399 if asked == (Asked::Through { login: true }) => Said::Answers(format!("is behind a login at {url}")),
        300..=399 => {
            let to = answer.location.as_ref().map(|to| format!(" to {}", http::endpoint(to))).unwrap_or_default();
            Said::Nothing(format!("was not asked: {url} sends us on{to}"))
        }
        401 | 403 => Said::Answers(format!("answers at {url}, and wants a login")),
        _ if asked == Asked::Directly && answer.json().is_none() => {
            Said::Nothing(format!("was not asked: something else answers at {url}, with status {status}"))
        }
        _ => Said::Wrong(format!("answers at {url} with status {status}{}", words(answer))),
    }
}

/// Its own words, where it has any.
fn words(answer: &Answer) -> String {
    let document = answer.json();
    let word = |key: &str| document.as_ref()?.get(key)?.as_str().map(str::to_owned);
    match word("message").or_else(|| word("status")) {
        Some(said) => format!(": {said}"),
        None if matches!(document, Some(Value::Object(_))) => String::new(),
        None if matches!(answer.status, 502..=504) => ": the load balancer gets no answer from its tasks".to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
