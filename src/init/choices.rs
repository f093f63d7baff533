//! The choices that come of what was given. Everything wrong is told at once.

use x509_parser::pem::Pem;

use super::given::{Given, Missing, REGISTRIES};
use crate::base::{Failure, Result, nearest};
use crate::profile::{Catalogue, ClientCertificate, Component, KafkaFacts, LoginKind, Mechanism, Provider};

/// Everything that a project is written from.
#[derive(Debug, Clone)]
pub struct Choices<'a> {
    /// The components to write.
    pub components: Vec<&'a Component>,
    /// Those that the project has besides.
    pub present: Vec<&'a Component>,
    pub facts: &'a KafkaFacts,
    pub project: String,
    pub env: String,
    pub kafka: &'a Provider,
    pub bootstrap: Vec<String>,
    pub protocol: &'a str,
    /// With SASL.
    pub mechanism: Option<&'a Mechanism>,
    pub client_certificate: bool,
    pub cluster: Option<String>,
    pub kafka_environment: Option<String>,
    /// By client.
    pub principals: Vec<(String, String)>,
    /// PEM of a private authority.
    pub trusted: Option<String>,
    pub admin_config: Option<String>,
    pub security_group: Option<String>,
    pub token_endpoint: Option<String>,
    pub identity_pool: Option<String>,
    pub oauth_scope: Option<String>,
    pub registry: SchemaRegistry,
    pub license: bool,
    pub spot: bool,
    /// By component.
    pub images: Vec<(String, String)>,
    pub vpc_tag: (String, String),
    pub subnet_tag: (String, String),
    pub ecs_cluster: String,
    /// Which of these places were typed: what stands in the files must say the same.
    pub typed: Typed,
}

/// Places on AWS that were typed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Typed {
    pub vpc: bool,
    pub subnets: bool,
    pub cluster: bool,
}

/// The registry that the project's components use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaRegistry {
    None,
    /// The one in the same project.
    Project,
    At {
        url: String,
        login: bool,
    },
    Glue {
        name: String,
    },
}

impl Choices<'_> {
    /// The components of the whole project.
    pub(super) fn everything(&self) -> impl Iterator<Item = &Component> {
        self.components.iter().chain(&self.present).copied()
    }
}

fn is_tls(protocol: &str) -> bool {
    protocol.ends_with("SSL")
}

impl Given {
    /// The choices. `present` are the components that the project has already.
    pub fn settle<'a>(&self, catalogue: &'a Catalogue, present: &[String]) -> Result<Choices<'a>> {
        let mut wrong = Wrong::default();
        let missing = self.missing(catalogue);
        if !missing.is_empty() {
            let flags: Vec<&str> = missing.iter().map(|missing| missing.flag).collect();
            wrong.say(format!("missing: {}", flags.join(", ")));
        }
        let choices = self.chosen(catalogue, present, &mut wrong);
        if let Some(choices) = choices.filter(|_| wrong.0.is_empty()) {
            return Ok(choices);
        }
        let headline = if missing.is_empty() { "the project can't be written" } else { "not all that init needs was given" };
        let failure = Failure::usage(headline).cause(wrong.0.join("\n"));
        Err(failure.help(self.example(catalogue, &missing)).into())
    }

    /// What is wrong with the answer to a question, in words that follow the answer. It is asked for before the next one, and others
    /// that it doesn't fit may still be missing.
    pub fn trouble(&self, missing: &Missing, catalogue: &Catalogue) -> Option<String> {
        let mut wrong = Wrong::default();
        self.chosen(catalogue, &[], &mut wrong);
        let of_it = wrong.0.iter().find_map(|said| said.strip_prefix(missing.flag))?;
        Some(of_it.trim_start_matches([':', ' ']).to_owned())
    }

    /// The choices as far as they can be made; what stands in the way is said.
    fn chosen<'a>(&self, catalogue: &'a Catalogue, present: &[String], wrong: &mut Wrong) -> Option<Choices<'a>> {
        let facts = catalogue.kafka();
        let components = self.components(catalogue, wrong);
        let present: Vec<&Component> = present.iter().filter_map(|name| catalogue.component(name)).collect();
        let kafka = self.kind(facts, wrong);
        let login = self.login(kafka, wrong);
        let mechanism = self.mechanism(facts, kafka, login, wrong);
        let client_certificate = self.certificate(kafka, login, wrong);
        let tls = login.is_none_or(|login| is_tls(&login.protocol));
        let project = Self::named("the project's name (-p)", self.project.as_deref(), wrong);
        let env = Self::named("--env", self.env.as_deref(), wrong);
        let bootstrap = self.bootstrap(facts, kafka, wrong);
        self.cluster(kafka, wrong);
        let principals = self.principals(&components, &present, wrong);
        let trusted = self.trusted(kafka, tls, wrong);
        let everything: Vec<&Component> = components.iter().chain(&present).copied().collect();
        let registry = self.registry(&everything, wrong);
        let images = self.images(&components, wrong);
        let vpc_tag = tag("--vpc-tag", self.vpc_tag.as_deref(), "Name", &env, wrong);
        let subnet_tag = tag("--subnet-tag", self.subnet_tag.as_deref(), "vpc::usage", "application", wrong);
        self.fitting(kafka, mechanism, &components, wrong);
        if self.ecs_cluster.as_deref().is_some_and(|name| !is_cluster(name)) {
            wrong.say("--ecs-cluster takes a name: letters, digits, hyphens and underscores".to_owned());
        }
        let (kafka, login) = (kafka?, login?);
        Some(Choices {
            components,
            present,
            facts,
            project,
            env,
            kafka,
            bootstrap,
            protocol: &login.protocol,
            mechanism,
            client_certificate,
            cluster: self.cluster.clone(),
            kafka_environment: self.kafka_environment.clone(),
            principals,
            trusted,
            admin_config: self.admin_config.clone(),
            security_group: self.security_group.clone(),
            token_endpoint: self.token_endpoint.clone(),
            identity_pool: self.identity_pool.clone(),
            oauth_scope: self.oauth_scope.clone(),
            registry,
            license: self.license,
            spot: self.spot,
            images,
            vpc_tag,
            subnet_tag,
            ecs_cluster: self.ecs_cluster.clone().unwrap_or_else(|| "default".to_owned()),
            typed: Typed { vpc: self.vpc_tag.is_some(), subnets: self.subnet_tag.is_some(), cluster: self.ecs_cluster.is_some() },
        })
    }

    fn components<'a>(&self, catalogue: &'a Catalogue, wrong: &mut Wrong) -> Vec<&'a Component> {
        let known: Vec<&str> = catalogue.components().iter().map(|component| component.name.as_str()).collect();
        let mut found: Vec<&Component> = Vec::new();
        for name in &self.profiles {
            match catalogue.component(name) {
                Some(component) if found.iter().any(|other| other.name == component.name) => {}
                Some(component) => found.push(component),
                None => wrong.unknown("profile", name, &known),
            }
        }
        found
    }

    fn kind<'a>(&self, facts: &'a KafkaFacts, wrong: &mut Wrong) -> Option<&'a Provider> {
        let given = self.kafka.as_deref()?;
        let kinds: Vec<&Provider> = facts.providers.iter().filter(|provider| !provider.logins.is_empty()).collect();
        let found = kinds.iter().find(|provider| provider.name == given).copied();
        if found.is_none() {
            let names: Vec<&str> = kinds.iter().map(|provider| provider.name.as_str()).collect();
            wrong.unknown("--kafka", given, &names);
        }
        found
    }

    fn login<'a>(&self, kafka: Option<&'a Provider>, wrong: &mut Wrong) -> Option<&'a LoginKind> {
        let kafka = kafka?;
        let found = kafka.login(self.security.as_deref());
        if found.is_none() {
            let names: Vec<String> = kafka.logins.iter().map(|login| login.protocol.to_lowercase().replace('_', "-")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            wrong.unknown("--security", self.security.as_deref().unwrap_or_default(), &names);
        }
        found
    }

    fn mechanism<'a>(
        &self,
        facts: &'a KafkaFacts,
        kafka: Option<&Provider>,
        login: Option<&'a LoginKind>,
        wrong: &mut Wrong,
    ) -> Option<&'a Mechanism> {
        let (kafka, login) = (kafka?, login?);
        let usual = login.mechanisms.first().filter(|_| !kafka.listeners.is_empty());
        let given = self.mechanism.as_ref().or(usual)?;
        if login.mechanisms.is_empty() {
            wrong.say(format!("--mechanism: {} has no login of this kind; leave the flag out", login.protocol));
            return None;
        }
        let Some(name) = login.mechanisms.iter().find(|name| name.eq_ignore_ascii_case(given)) else {
            let names: Vec<String> = login.mechanisms.iter().map(|name| name.to_lowercase()).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            wrong.unknown("--mechanism", given, &names);
            return None;
        };
        facts.mechanism(name)
    }

    fn certificate(&self, kafka: Option<&Provider>, login: Option<&LoginKind>, wrong: &mut Wrong) -> bool {
        match (kafka, login.map(|login| login.client_certificate)) {
            (_, Some(ClientCertificate::Always)) => true,
            (Some(kafka), Some(ClientCertificate::Never)) if self.client_certificate => {
                wrong.say(format!("--client-certificate: {} asks for none this way; take --security ssl", kafka.title));
                false
            }
            _ => self.client_certificate,
        }
    }

    /// What doesn't go together.
    fn fitting(&self, kafka: Option<&Provider>, mechanism: Option<&Mechanism>, components: &[&Component], wrong: &mut Wrong) {
        let Some(kafka) = kafka else { return };
        let cloud = kafka.name == "confluent-cloud";
        let msk = kafka.name.starts_with("msk-");
        if self.admin_config.is_some() && (cloud || kafka.name == "msk-iam") {
            let instead = if cloud { "with its own CLI" } else { "by IAM" };
            wrong.say(format!("--admin-config is for kafka-acls: on {} rights are granted {instead}", kafka.title));
        }
        if self.kafka_environment.is_some() && !cloud {
            wrong.say("--kafka-environment is for Confluent Cloud".to_owned());
        }
        if self.security_group.as_deref().is_some_and(|group| !msk || !group.starts_with("sg-")) {
            wrong.say("--kafka-security-group takes the group of an MSK cluster, sg-…".to_owned());
        }
        let oauth = mechanism.is_some_and(|mechanism| mechanism.name == "OAUTHBEARER");
        if !oauth && (self.token_endpoint.is_some() || self.identity_pool.is_some() || self.oauth_scope.is_some()) {
            wrong.say("--token-endpoint, --identity-pool and --oauth-scope go with --mechanism oauthbearer".to_owned());
        }
        if self.token_endpoint.as_deref().is_some_and(|url| !is_url(url)) {
            wrong.say("--token-endpoint takes a URL, https://…".to_owned());
        }
        if self.spot {
            for component in components.iter().filter(|component| component.deployment.spot == crate::profile::Spot::Never) {
                wrong.say(format!("--spot: {} must not run on Spot: {}", component.title, component.sizing.why));
            }
        }
    }

    /// Names that become parts of stack names, topics and secrets' names.
    fn named(what: &str, given: Option<&str>, wrong: &mut Wrong) -> String {
        let given = given.unwrap_or_default();
        if !given.is_empty() && !is_name(given) {
            let text = format!(
                "{what}: `{given}` has to be lower-case letters, digits and hyphens, begin with a letter, and have at most 40"
            );
            wrong.say(text);
        }
        given.to_owned()
    }

    fn bootstrap(&self, facts: &KafkaFacts, kafka: Option<&Provider>, wrong: &mut Wrong) -> Vec<String> {
        let servers: Vec<String> =
            self.bootstrap.iter().flat_map(|text| text.split(',')).map(|server| server.trim().to_owned()).collect();
        for server in &servers {
            if server.contains("://") {
                wrong.say(format!("--bootstrap: `{server}` is a URL; write host:port"));
                continue;
            }
            let host_and_port = server.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
            let sound = |host: &str| !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(c));
            match (host_and_port, kafka) {
                (Some((host, Ok(port))), Some(kafka)) if sound(host) && port > 0 => listener(facts, kafka, host, port, wrong),
                (Some((host, Ok(port))), None) if sound(host) && port > 0 => {}
                _ => wrong.say(format!("--bootstrap: `{server}` is not host:port")),
            }
        }
        servers
    }

    fn cluster(&self, kafka: Option<&Provider>, wrong: &mut Wrong) {
        let Some(cluster) = self.cluster.as_deref() else { return };
        let msk = kafka.is_some_and(|kafka| kafka.name.starts_with("msk-"));
        let sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c) || (msk && ":/".contains(c));
        if cluster.is_empty() || !cluster.chars().all(sound) {
            wrong.say(format!("--cluster: `{cluster}` is no cluster's id"));
        } else if kafka.is_some_and(|kafka| kafka.name == "confluent-cloud") && !cluster.starts_with("lkc-") {
            wrong.say(format!("--cluster: ids on Confluent Cloud begin with lkc-, not as `{cluster}`"));
        } else if msk && cluster.split(['/', ':']).count() < 8 {
            wrong.say(format!("--cluster: `{cluster}` is no ARN of a cluster, arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/ID"));
        }
    }

    fn principals(&self, components: &[&Component], present: &[&Component], wrong: &mut Wrong) -> Vec<(String, String)> {
        let clients: Vec<(&str, &str, bool)> = components
            .iter()
            .flat_map(|component| {
                let first = |name: &str| component.clients.first().is_some_and(|client| client.name == name);
                component.clients.iter().map(move |client| (component.name.as_str(), client.name.as_str(), first(&client.name)))
            })
            .collect();
        let mut names: Vec<&str> = clients.iter().map(|(_, client, _)| *client).collect();
        let others = present.iter().flat_map(|component| &component.clients).map(|client| client.name.as_str());
        names.extend(others);
        let mut found: Vec<(String, String)> = Vec::new();
        for given in &self.principals {
            let (client, principal) = given.split_once('=').map_or((None, given.as_str()), |(client, rest)| (Some(client), rest));
            if principal.is_empty() || principal.contains(char::is_whitespace) {
                wrong.say(format!("--principal: `{given}` names nobody; write sa-… or client=sa-…"));
                continue;
            }
            let Some(client) = client else {
                found = clients.iter().map(|(_, client, _)| ((*client).to_owned(), principal.to_owned())).collect();
                continue;
            };
            let own = client.rsplit_once('.').map_or(client, |(_, own)| own);
            if names.contains(&own) {
                found.retain(|(other, _)| other != client);
                found.push((client.to_owned(), principal.to_owned()));
            } else {
                wrong.unknown("--principal", client, &names);
            }
        }
        // The admin client is the worker to the broker unless somebody says otherwise.
        for component in components {
            let Some(main) = component.clients.first() else { continue };
            let Some((_, worker)) = found.iter().find(|(client, _)| *client == main.name).cloned() else { continue };
            let heirs = component.clients.iter().filter(|client| client.inherits == crate::profile::Inherits::Everything);
            for heir in heirs {
                if !found.iter().any(|(client, _)| *client == heir.name) && found.len() > 1 {
                    found.push((heir.name.clone(), worker.clone()));
                }
            }
        }
        found
    }

    fn registry(&self, everything: &[&Component], wrong: &mut Wrong) -> SchemaRegistry {
        let here = everything.iter().any(|component| component.name == "schema-registry");
        let elsewhere = |login| {
            let url = self.registry_url.clone().unwrap_or_default();
            SchemaRegistry::At { url, login }
        };
        if self.registry_url.as_deref().is_some_and(|url| !url.split(',').all(is_url)) {
            wrong.say("--registry-url takes a URL, https://…".to_owned());
        }
        let given = self.registry.as_deref().or(self.registry_url.as_ref().map(|_| "self-hosted"));
        match given {
            None | Some("project") if here => SchemaRegistry::Project,
            Some("project") => {
                wrong.say("--registry project: the project has none; add it: init schema-registry …".to_owned());
                SchemaRegistry::None
            }
            None | Some("none") => SchemaRegistry::None,
            Some("confluent-cloud") => elsewhere(true),
            Some("self-hosted") => elsewhere(self.registry_login),
            Some("glue") => {
                SchemaRegistry::Glue { name: self.registry_name.clone().unwrap_or_else(|| "default-registry".to_owned()) }
            }
            Some(other) => {
                wrong.unknown("--registry", other, &REGISTRIES);
                SchemaRegistry::None
            }
        }
    }

    fn images(&self, components: &[&Component], wrong: &mut Wrong) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for given in &self.images {
            match given.split_once('=') {
                Some((name, image)) if components.iter().any(|component| component.name == name) && !image.is_empty() => {
                    found.push((name.to_owned(), image.to_owned()));
                }
                _ => wrong.say(format!("--image: write COMPONENT=IMAGE with a component that is asked for, not `{given}`")),
            }
        }
        found
    }

    /// The certificates of `--ca-file`, each checked, and nothing else of the file.
    fn trusted(&self, kafka: Option<&Provider>, tls: bool, wrong: &mut Wrong) -> Option<String> {
        let ca = self.ca.as_ref()?;
        if !tls {
            wrong.say("--ca-file: without TLS nobody shows a certificate; leave the flag out".to_owned());
            return None;
        }
        if kafka.is_some_and(|kafka| kafka.name == "confluent-cloud") {
            wrong.say("--ca-file: Confluent Cloud's certificates are known to Java; leave the flag out".to_owned());
            return None;
        }
        let mut blocks = Vec::new();
        for pem in Pem::iter_from_buffer(ca.text.as_bytes()) {
            match pem {
                Ok(pem) if pem.label == "CERTIFICATE" && pem.parse_x509().is_ok() => blocks.push(pem.contents),
                Ok(pem) if pem.label == "CERTIFICATE" => {
                    wrong.say(format!("--ca-file: {} holds a certificate that can't be read", ca.file));
                    return None;
                }
                Ok(pem) => {
                    let found = pem.label;
                    wrong.say(format!("--ca-file: {} holds a {found}; only certificates belong into it", ca.file));
                    return None;
                }
                Err(_) => {
                    wrong.say(format!("--ca-file: {} is not PEM", ca.file));
                    return None;
                }
            }
        }
        if blocks.is_empty() {
            wrong.say(format!("--ca-file: {} holds no certificate (-----BEGIN CERTIFICATE-----)", ca.file));
            return None;
        }
        Some(certificates(&ca.text))
    }
}

/// What kind of registry a URL is of.
pub(super) fn registry_kind(url: &str) -> &'static str {
    if url.contains(".confluent.cloud") {
        "confluent-cloud"
    } else if url.contains("//schema-registry.") && url.contains(".internal:") {
        "project"
    } else {
        "self-hosted"
    }
}

/// Can it be a part of the names of a stack, a topic and a secret?
pub(super) fn is_name(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let rest = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    starts && rest && text.len() <= 40 && !text.ends_with('-')
}

fn is_cluster(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_url(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
}

/// A port that the provider has something else behind, or another of its kind.
fn listener(facts: &KafkaFacts, kafka: &Provider, host: &str, port: u16, wrong: &mut Wrong) {
    if !kafka.suffix.as_ref().is_some_and(|suffix| host.ends_with(suffix.as_str())) {
        return;
    }
    let at = |provider: &&Provider| {
        provider.suffix == kafka.suffix && provider.listeners.iter().any(|listener| listener.is_at(host, port))
    };
    let own = kafka.listeners.iter().flat_map(|listener| &listener.ports).map(u16::to_string).collect::<Vec<_>>();
    if !at(&kafka) && !kafka.shares_suffix(facts) {
        wrong.say(format!("--bootstrap: {} has no port {port}; it is on {}", kafka.title, own.join(", ")));
    } else if !at(&kafka)
        && let Some(other) = facts.providers.iter().find(at)
    {
        wrong.say(format!("--bootstrap: port {port} is that of {}; {} is on {}", other.title, kafka.title, own.join(", ")));
    }
}

/// The certificates of a PEM text, without what people write between them.
fn certificates(text: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        inside |= line == "-----BEGIN CERTIFICATE-----";
        if inside && !line.is_empty() {
            out.push_str(line);
            out.push('\n');
        }
        inside &= line != "-----END CERTIFICATE-----";
    }
    out
}

fn tag(flag: &str, given: Option<&str>, key: &str, value: &str, wrong: &mut Wrong) -> (String, String) {
    match given.map(|given| given.split_once('=')) {
        None => (key.to_owned(), value.to_owned()),
        Some(Some((key, value))) if !key.is_empty() && !value.is_empty() => (key.to_owned(), value.to_owned()),
        Some(_) => {
            wrong.say(format!("{flag}: write KEY=VALUE, as {key}={}", if value.is_empty() { "dev" } else { value }));
            (String::new(), String::new())
        }
    }
}

#[derive(Default)]
struct Wrong(Vec<String>);

impl Wrong {
    fn say(&mut self, text: String) {
        self.0.push(text);
    }

    fn unknown(&mut self, what: &str, given: &str, known: &[&str]) {
        let meant = nearest(given, known.iter().copied())
            .map_or_else(|| format!("one of {}", known.join(", ")), |near| format!("did you mean {near}?"));
        self.say(format!("{what}: `{given}` is not known; {meant}"));
    }
}
