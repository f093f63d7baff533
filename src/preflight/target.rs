//! Clients → targets: each principal with its settings once, whichever clients share it.

use crate::base::Place;
use crate::confluent::grant::Holder;
use crate::confluent::{self, AclNeed, KafkaClient};
use crate::kafka::{Login, Mechanism, Protocol, Settings};
use crate::net::{Endpoint, tls};

use super::cluster::{ClusterFacts, Provider};
use super::input::{Input, Service};

/// What stands between the settings and a login.
#[derive(Debug, Clone)]
pub(super) enum Obstacle {
    /// The secret with the login was not read.
    Unread(String),
    /// The login is missing or malformed; a finding on the settings says more.
    Malformed(String),
    /// A mechanism that this program can't speak.
    Unspoken(String),
}

/// One principal with one set of settings.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) service: String,
    pub(super) clients: Vec<String>,
    /// An error says what is wrong with the settings themselves.
    pub(super) settings: Result<Settings, String>,
    pub(super) obstacle: Option<Obstacle>,
    /// A truststore in a file of the container, which can't be read from here.
    pub(super) hidden_truststore: Option<String>,
    /// `User:…`, where it is known.
    pub(super) principal: Option<String>,
    /// How reports name the identity.
    pub(super) shown: String,
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
const CHANGEABLE: [&str; 8] = [
    "bootstrap.servers",
    "security.protocol",
    "sasl.mechanism",
    "sasl.jaas.config",
    "ssl.truststore.type",
    "ssl.truststore.certificates",
    "ssl.keystore.type",
    "ssl.keystore.certificate.chain",
];

/// Every client of every service, those with the same principal and settings put together.
pub(super) fn targets(input: &Input) -> Vec<Target> {
    input.services.iter().flat_map(|service| of_service(service, &input.cluster)).collect()
}

fn of_service(service: &Service, cluster: &ClusterFacts) -> Vec<Target> {
    let properties = confluent::properties(&service.component, &service.image, &service.environment);
    let needs = confluent::acl_needs(&service.component, &properties);
    let mut targets: Vec<Target> = Vec::new();
    for client in confluent::clients(&service.component, &properties) {
        let own: Vec<AclNeed> = needs.iter().filter(|need| need.client == client.name).cloned().collect();
        let target = of_client(service, &client, own, cluster);
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

fn of_client(service: &Service, client: &KafkaClient, needs: Vec<AclNeed>, cluster: &ClusterFacts) -> Target {
    let rule = &service.component.environment;
    let variable = |name: &str| {
        let written = client.setting(name).filter(|setting| !setting.inherited).map(|setting| setting.variable.clone());
        written.unwrap_or_else(|| confluent::variable_name(rule, &client.property(name)))
    };
    let (settings, obstacle) = match settings(client) {
        Ok((settings, obstacle)) => (Ok(settings), obstacle),
        Err(error) => (Err(error), None),
    };
    let login = settings.as_ref().ok().and_then(|settings| settings.login.as_ref());
    let username = login.map(|login| login.username.clone());
    let named = cluster.principal(&service.name, &client.name);
    let key_start = username.as_ref().map(|name| name.chars().take(4).collect::<String>());
    let principal = named.clone().or_else(|| {
        // An API key is not its principal; elsewhere the user name is.
        let speaks = username.as_ref().filter(|_| cluster.provider != Provider::ConfluentCloud);
        speaks.map(|name| format!("User:{name}")).or_else(|| {
            let anonymous = settings.as_ref().is_ok_and(|settings| settings.protocol == Protocol::Plaintext);
            anonymous.then(|| "User:ANONYMOUS".to_owned())
        })
    });
    let key = key_start.as_ref().filter(|_| cluster.provider == Provider::ConfluentCloud).map(|start| format!("key {start}…"));
    let shown = match (&principal, key) {
        (Some(principal), Some(key)) => format!("{principal} ({key})"),
        (Some(principal), None) => principal.clone(),
        (None, Some(key)) => key,
        (None, None) => "an unknown principal".to_owned(),
    };
    Target {
        service: service.name.clone(),
        clients: vec![client.name.clone()],
        hidden_truststore: hidden_truststore(client),
        settings,
        obstacle,
        principal,
        shown,
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
fn settings(client: &KafkaClient) -> Result<(Settings, Option<Obstacle>), String> {
    let servers = client.bootstrap_servers().filter(|servers| !servers.is_empty());
    let servers = servers.ok_or_else(|| match client.setting("bootstrap.servers") {
        Some(_) => "bootstrap.servers is in a secret that was not read".to_owned(),
        None => "bootstrap.servers is not set".to_owned(),
    })?;
    let bootstrap: Vec<Endpoint> = servers.iter().map(|server| Endpoint::parse(server)).collect::<Result<_, _>>()?;
    let word = client.protocol().map_err(|word| format!("Kafka knows no security protocol `{word}`"))?;
    let protocol = Protocol::parse(word.name()).ok_or_else(|| format!("Kafka knows no security protocol `{word}`"))?;
    let tls = tls::Settings {
        authorities: client.trusted_pem().map(str::to_owned),
        identity: client.identity_pem().map(|(chain, key)| (chain.to_owned(), key)),
        ignore_host_name: !client.verifies_host_name(),
    };
    let (login, obstacle) = if protocol.has_sasl() { login(client) } else { (None, None) };
    Ok((Settings { bootstrap, protocol, login, tls }, obstacle))
}

fn login(client: &KafkaClient) -> (Option<Login>, Option<Obstacle>) {
    let Some(mechanism) = Mechanism::parse(client.mechanism()) else {
        return (None, Some(Obstacle::Unspoken(client.mechanism().to_owned())));
    };
    let jaas = match client.jaas() {
        Some(Ok(jaas)) => jaas,
        Some(Err(error)) => return (None, Some(Obstacle::Malformed(format!("sasl.jaas.config: {error}")))),
        None => {
            let obstacle = match client.setting("sasl.jaas.config") {
                Some(setting) => Obstacle::Unread(match &setting.value.origin {
                    confluent::Origin::Secret { name, .. } => format!("the secret {name} was not read"),
                    _ => "the login was not read".to_owned(),
                }),
                None => Obstacle::Malformed("sasl.jaas.config is not set".to_owned()),
            };
            return (None, Some(obstacle));
        }
    };
    match (jaas.username(), jaas.password()) {
        (Some(username), Some(password)) => {
            (Some(Login { mechanism, username: username.expose().to_owned(), password: password.clone() }), None)
        }
        _ => (None, Some(Obstacle::Malformed("sasl.jaas.config has no username or no password".to_owned()))),
    }
}

/// A truststore that is a file in the container: what it trusts can't be known here.
fn hidden_truststore(client: &KafkaClient) -> Option<String> {
    let location = client.setting("ssl.truststore.location")?.value.plain_text()?.trim().to_owned();
    (!location.is_empty()).then_some(location)
}
