//! Clients → targets: each principal with its settings once, whichever clients share it.

use std::collections::BTreeSet;

use crate::base::{Code, Place, Severity};
use crate::confluent::grant::Holder;
use crate::confluent::{self, AclNeed, KafkaClient};
use crate::kafka::{AwsKeys, Proof, Protocol, Settings};
use crate::net::{Endpoint, tls};

use super::cluster::Provider;
use super::credentials;
use super::input::{Input, Service};

/// What stands between the settings and a login.
#[derive(Debug, Clone)]
pub(super) enum Obstacle {
    /// The secret with the login was not read.
    Unread(String),
    /// The login is missing or malformed.
    Malformed(String),
    /// A mechanism that this program can't speak.
    Unspoken(String),
    /// A keystore that can't be read from here; why.
    Hidden(String),
}

/// One principal with one set of settings.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) service: String,
    pub(super) clients: Vec<String>,
    /// An error says what is wrong with the settings themselves.
    pub(super) settings: Result<Settings, String>,
    pub(super) obstacle: Option<Obstacle>,
    /// A finding on the settings has said already what is wrong with the login.
    pub(super) login_is_told: bool,
    /// Where the login comes from, in the files.
    pub(super) login_place: Option<Place>,
    /// A truststore in a file of the container, which can't be read from here.
    pub(super) hidden_truststore: Option<String>,
    /// `User:…`, where it is known.
    pub(super) principal: Option<String>,
    /// How reports name the identity.
    pub(super) shown: String,
    /// It is not the identity that the task will have, but that of who runs this.
    pub(super) as_caller: bool,
    /// The start of the user name, for who looks for its owner.
    pub(super) key_start: Option<String>,
    pub(super) needs: Vec<AclNeed>,
    pub(super) variables: Variables,
    pub(super) place: Option<Place>,
}

impl Target {
    /// Who a right is granted to.
    pub(super) fn holder(&self) -> Holder {
        match (&self.principal, &self.key_start) {
            (Some(principal), _) => Holder::Principal(principal.clone()),
            (None, Some(start)) => Holder::KeyOwner(start.clone()),
            (None, None) => Holder::Unknown,
        }
    }

    /// `connect/worker`: the first part of the checks' ids.
    pub(super) fn id(&self) -> String {
        format!("{}/{}", self.service, self.clients.first().map_or("", String::as_str))
    }
}

/// The variables that set a property, one for each client of the target.
#[derive(Debug, Clone, Default)]
pub(super) struct Variables(Vec<(String, String)>);

impl Variables {
    /// Those that set `property`, each once.
    pub(super) fn of(&self, property: &str) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        for (name, variable) in &self.0 {
            if name == property && !found.contains(variable) {
                found.push(variable.clone());
            }
        }
        found
    }
}

/// The properties that a fix may want changed.
const CHANGEABLE: [&str; 10] = [
    "bootstrap.servers",
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.oauthbearer.token.endpoint.url",
    "ssl.truststore.type",
    "ssl.truststore.certificates",
    "ssl.keystore.type",
    "ssl.keystore.certificate.chain",
];

/// The codes of findings that leave nothing to log in with.
const OF_LOGINS: [Code; 3] = [Code::CLIENT_WITHOUT_LOGIN, Code::LOGIN_MALFORMED, Code::UNKNOWN_PROTOCOL];

/// … or nowhere to go with it.
pub(super) const LEAVE_NO_CLIENT: [Code; 4] =
    [Code::CLIENT_WITHOUT_LOGIN, Code::LOGIN_MALFORMED, Code::UNKNOWN_PROTOCOL, Code::BOOTSTRAP_ADDRESS];

/// Every client of every service, those with the same principal and settings put together.
pub(super) fn targets(input: &Input) -> Vec<Target> {
    input.services.iter().flat_map(|service| of_service(service, input)).collect()
}

/// The names by which a service logs in to Kafka.
pub(super) fn names(service: &Service, input: &Input) -> BTreeSet<String> {
    let targets = of_service(service, input);
    let logins = targets.iter().filter_map(|target| target.settings.as_ref().ok()?.login.as_ref()?.name());
    logins.map(str::to_owned).collect()
}

fn of_service(service: &Service, input: &Input) -> Vec<Target> {
    let properties = confluent::properties(&service.component, &service.image, &service.environment);
    let mut needs = confluent::acl_needs(&service.component, &properties);
    let of_connectors = service.connectors.iter();
    needs.extend(of_connectors.flat_map(|connector| confluent::connector_needs(&service.component, &properties, connector)));
    let mut targets: Vec<Target> = Vec::new();
    for client in confluent::clients(&service.component, &properties) {
        let own: Vec<AclNeed> = needs.iter().filter(|need| need.client == client.name).cloned().collect();
        let target = of_client(service, &client, own, input);
        let same = targets.iter_mut().find(|other| {
            let settings = match (&other.settings, &target.settings) {
                (Ok(a), Ok(b)) => a.same_client(b),
                (Err(a), Err(b)) => a == b,
                _ => false,
            };
            settings && other.principal == target.principal && other.obstacle.is_some() == target.obstacle.is_some()
        });
        match same {
            Some(other) => {
                other.clients.extend(target.clients);
                other.needs.extend(target.needs);
                other.variables.0.extend(target.variables.0);
            }
            None => targets.push(target),
        }
    }
    targets
}

fn of_client(service: &Service, client: &KafkaClient, needs: Vec<AclNeed>, input: &Input) -> Target {
    let cluster = &input.cluster;
    let rule = &service.component.environment;
    let variable = |name: &str| {
        // All clients of a service go to one cluster: its addresses are changed where they stand. Other settings that a client has from
        // the worker get a variable of its own, so that a change is none for the worker.
        let rules = |setting: &&confluent::Setting| !setting.inherited || name == "bootstrap.servers";
        let written = client.setting(name).filter(rules).map(|setting| setting.variable.clone());
        written.unwrap_or_else(|| confluent::variable_name(rule, &client.property(name)))
    };
    let (settings, obstacle) = match settings(service, client, &input.aws_keys) {
        Ok((settings, obstacle)) => (Ok(settings), obstacle),
        Err(error) => (Err(error), None),
    };
    let login = settings.as_ref().ok().and_then(|settings| settings.login.as_ref());
    let username = login.and_then(|login| login.name().map(str::to_owned));
    let proof = login.map(|login| &login.proof);
    let named = cluster.principal(&service.name, &client.name);
    let key_start = username.as_ref().map(|name| name.chars().take(4).collect::<String>());
    let principal = named.clone().or_else(|| {
        // An API key is not its principal; elsewhere the user name is.
        let speaks =
            username.as_ref().filter(|_| cluster.provider != Provider::ConfluentCloud && !matches!(proof, Some(Proof::Oidc(_))));
        speaks.map(|name| format!("User:{name}")).or_else(|| {
            let anonymous = settings.as_ref().is_ok_and(|settings| settings.protocol == Protocol::Plaintext);
            let by_certificate = settings.as_ref().ok().filter(|settings| settings.protocol == Protocol::Ssl);
            let subject = by_certificate.and_then(|settings| tls::subject(&settings.tls.identity.as_ref()?.0));
            anonymous.then(|| "User:ANONYMOUS".to_owned()).or_else(|| subject.map(|name| format!("User:{name}")))
        })
    });
    let key = key_start.as_ref().filter(|_| cluster.provider == Provider::ConfluentCloud).map(|start| format!("key {start}…"));
    let shown = match (&principal, key) {
        (Some(principal), Some(key)) => format!("{principal} ({key})"),
        (Some(principal), None) => principal.clone(),
        (None, Some(key)) => key,
        (None, None) => match proof {
            Some(Proof::Oidc(oidc)) => format!("client {}", oidc.client_id),
            _ => "an unknown principal".to_owned(),
        },
    };
    // Whatever the project calls the principal: it is the caller who is asked, and the task has a role of its own.
    let shown = match proof {
        Some(Proof::Aws(keys)) if input.as_task => keys.caller.clone(),
        Some(Proof::Aws(keys)) => format!("{} (who runs this, not the task's role)", keys.caller),
        _ => shown,
    };
    let as_caller = matches!(proof, Some(Proof::Aws(_))) && !input.as_task;
    Target {
        service: service.name.clone(),
        clients: vec![client.name.clone()],
        hidden_truststore: hidden_truststore(service, client),
        settings,
        obstacle,
        login_place: client.setting("sasl.jaas.config").and_then(|setting| setting.value.place.clone()),
        login_is_told: service
            .findings
            .iter()
            .any(|finding| OF_LOGINS.contains(&finding.code) && finding.severity == Severity::Error),
        principal,
        shown,
        as_caller,
        key_start,
        needs,
        variables: Variables(CHANGEABLE.iter().map(|name| ((*name).to_owned(), variable(name))).collect()),
        place: client
            .setting("bootstrap.servers")
            .and_then(|setting| setting.value.place.clone())
            .or_else(|| service.place.clone()),
    }
}

/// The client's settings as our own client takes them, and what keeps it from logging in.
fn settings(
    service: &Service,
    client: &KafkaClient,
    aws: &Result<AwsKeys, String>,
) -> Result<(Settings, Option<Obstacle>), String> {
    let servers = client.bootstrap_servers().filter(|servers| !servers.is_empty());
    let servers = servers.ok_or_else(|| match client.setting("bootstrap.servers") {
        Some(_) => "bootstrap.servers is in a secret that was not read".to_owned(),
        None => "bootstrap.servers is not set".to_owned(),
    })?;
    let bootstrap: Vec<Endpoint> = servers.iter().map(|server| Endpoint::parse(server)).collect::<Result<_, _>>()?;
    let word = client.protocol().map_err(|word| format!("Kafka knows no security protocol `{word}`"))?;
    let protocol = Protocol::parse(word.name()).ok_or_else(|| format!("Kafka knows no security protocol `{word}`"))?;
    let (stores, hidden) = credentials::stores(service, client);
    let (inline, locked) = credentials::inline_identity(client);
    let hidden = hidden.or(locked);
    let tls = tls::Settings {
        authorities: client.trusted_pem().map(tls::blocks).or(stores.authorities),
        identity: inline.or(stores.identity),
        ignore_host_name: !client.verifies_host_name(),
        versions: client.tls_versions(),
    };
    let (login, obstacle) = if protocol.has_sasl() { credentials::login(client, aws) } else { (None, None) };
    let hidden = hidden.filter(|_| protocol.has_tls()).map(Obstacle::Hidden);
    Ok((Settings { bootstrap, protocol, login, tls }, obstacle.or(hidden)))
}

/// A truststore that is a file in the container: what it trusts can't be known here.
fn hidden_truststore(service: &Service, client: &KafkaClient) -> Option<String> {
    let location = client.setting("ssl.truststore.location")?.value.plain_text()?.trim().to_owned();
    (!location.is_empty() && service.file(&location).is_none()).then_some(location)
}
