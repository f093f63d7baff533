//! What `init` has to know: what was given, what is missing, and the choices that come of it.

use x509_parser::pem::Pem;

use crate::base::{Failure, Result, nearest};
use crate::profile::{Catalogue, Component, Mechanism};

/// The kinds of cluster that `init` writes projects for, with their titles.
pub const KAFKA_KINDS: [(&str, &str); 2] = [("confluent-cloud", "Confluent Cloud"), ("self-managed", "a self-managed cluster")];

/// Mechanisms of a self-managed cluster as they are typed.
const MECHANISMS: [(&str, &str); 2] = [("plain", "PLAIN"), ("scram-sha-512", "SCRAM-SHA-512")];

/// Certificates of an authority that Java doesn't know.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The file, for messages.
    pub file: String,
    pub text: String,
}

/// What was typed or answered so far.
#[derive(Debug, Clone, Default)]
pub struct Given {
    pub profiles: Vec<String>,
    pub project: Option<String>,
    pub env: Option<String>,
    pub kafka: Option<String>,
    pub bootstrap: Option<String>,
    pub mechanism: Option<String>,
    pub cluster: Option<String>,
    pub kafka_environment: Option<String>,
    /// `sa-…` for every client, or `client=sa-…`.
    pub principals: Vec<String>,
    pub ca: Option<Certificate>,
    pub admin_config: Option<String>,
    pub vpc_tag: Option<String>,
    pub subnet_tag: Option<String>,
    pub ecs_cluster: Option<String>,
}

/// Something that has to be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// As it is typed, for who can't be asked.
    pub flag: &'static str,
    pub question: &'static str,
    /// The answers it takes; empty when it is free text.
    pub options: &'static [&'static str],
}

const PROFILE: Missing = Missing { flag: "PROFILE", question: "Which component?", options: &["connect"] };
const ENV: Missing = Missing { flag: "--env", question: "Name of the environment, as dev", options: &[] };
const KAFKA: Missing =
    Missing { flag: "--kafka", question: "What kind of Kafka cluster?", options: &["confluent-cloud", "self-managed"] };
const BOOTSTRAP: Missing = Missing { flag: "--bootstrap", question: "Bootstrap servers, host:port", options: &[] };
const CLUSTER: Missing = Missing { flag: "--cluster", question: "Id of the cluster, lkc-…", options: &[] };
const MECHANISM: Missing =
    Missing { flag: "--mechanism", question: "How do clients log in?", options: &["plain", "scram-sha-512"] };

impl Given {
    /// What is still missing. What depends on a missing answer comes when that one is given.
    pub fn missing(&self) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut need = |absent: bool, what: Missing| {
            if absent {
                missing.push(what);
            }
        };
        need(self.profiles.is_empty(), PROFILE);
        need(self.env.is_none(), ENV);
        need(self.kafka.is_none(), KAFKA);
        need(self.bootstrap.is_none(), BOOTSTRAP);
        match self.kafka.as_deref() {
            Some("confluent-cloud") => need(self.cluster.is_none(), CLUSTER),
            Some("self-managed") => need(self.mechanism.is_none(), MECHANISM),
            _ => {}
        }
        missing
    }

    /// Takes an answer to something missing.
    pub fn answer(&mut self, missing: Missing, answer: String) {
        match missing.flag {
            "--env" => self.env = Some(answer),
            "--kafka" => self.kafka = Some(answer),
            "--bootstrap" => self.bootstrap = Some(answer),
            "--cluster" => self.cluster = Some(answer),
            "--mechanism" => self.mechanism = Some(answer),
            _ => self.profiles.push(answer),
        }
    }

    /// The choices; everything wrong is told at once.
    pub fn settle<'a>(&self, catalogue: &'a Catalogue) -> Result<Choices<'a>> {
        let mut wrong = Wrong::default();
        let missing: Vec<&str> = self.missing().iter().map(|missing| missing.flag).collect();
        if !missing.is_empty() {
            wrong.say(format!("missing: {}", missing.join(", ")));
        }
        let components = self.components(catalogue, &mut wrong);
        let kafka = self.kind(&mut wrong);
        let mechanism = self.mechanism(catalogue, kafka, &mut wrong);
        let project = Self::named("the project's name (-p)", self.project.as_deref(), &mut wrong);
        let env = Self::named("--env", self.env.as_deref(), &mut wrong);
        let bootstrap = self.bootstrap(&mut wrong);
        self.cluster(kafka, &mut wrong);
        let principals = self.principals(&components, &mut wrong);
        let trusted = self.trusted(kafka, &mut wrong);
        let vpc_tag = tag("--vpc-tag", self.vpc_tag.as_deref(), "Name", &env, &mut wrong);
        let subnet_tag = tag("--subnet-tag", self.subnet_tag.as_deref(), "vpc::usage", "application", &mut wrong);
        let cloud = kafka == Some("confluent-cloud");
        if self.admin_config.is_some() && cloud {
            wrong.say(
                "--admin-config is for self-managed clusters: Confluent Cloud's rights are granted with its own CLI".to_owned(),
            );
        }
        if self.kafka_environment.is_some() && kafka.is_some() && !cloud {
            wrong.say("--kafka-environment is for Confluent Cloud".to_owned());
        }
        if let (true, Some(kafka), Some(mechanism)) = (wrong.0.is_empty(), kafka, mechanism) {
            return Ok(Choices {
                components,
                project,
                env,
                kafka,
                bootstrap,
                mechanism,
                cluster: self.cluster.clone(),
                kafka_environment: self.kafka_environment.clone(),
                principals,
                trusted,
                admin_config: self.admin_config.clone(),
                vpc_tag,
                subnet_tag,
                ecs_cluster: self.ecs_cluster.clone().unwrap_or_else(|| "default".to_owned()),
            });
        }
        let headline = if missing.is_empty() { "the project can't be written" } else { "not all that init needs was given" };
        let failure = Failure::usage(headline).cause(wrong.0.join("\n"));
        Err(failure.help("confluent-ecs init connect --env dev --kafka confluent-cloud --bootstrap pkc-….confluent.cloud:9092 --cluster lkc-…").into())
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

    fn kind(&self, wrong: &mut Wrong) -> Option<&'static str> {
        let given = self.kafka.as_deref()?;
        let names = KAFKA_KINDS.map(|(name, _)| name);
        let found = names.into_iter().find(|name| *name == given);
        if found.is_none() {
            wrong.unknown("--kafka", given, &names);
        }
        found
    }

    fn mechanism<'a>(&self, catalogue: &'a Catalogue, kafka: Option<&str>, wrong: &mut Wrong) -> Option<&'a Mechanism> {
        let given = match (self.mechanism.as_deref(), kafka) {
            (None, Some("confluent-cloud")) => "plain",
            (given, _) => given?,
        };
        let names = MECHANISMS.map(|(name, _)| name);
        let Some((_, name)) = MECHANISMS.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(given)) else {
            wrong.unknown("--mechanism", given, &names);
            return None;
        };
        if kafka == Some("confluent-cloud") && name != "PLAIN" {
            wrong.say("--mechanism: Confluent Cloud takes API keys with plain; leave the flag out".to_owned());
        }
        catalogue.kafka().mechanism(name)
    }

    /// Names that become parts of stack names, topics and secrets' names.
    fn named(what: &str, given: Option<&str>, wrong: &mut Wrong) -> String {
        let given = given.unwrap_or_default();
        let starts = given.starts_with(|c: char| c.is_ascii_lowercase());
        let rest = given.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        let sound = starts && rest && given.len() <= 40 && !given.ends_with('-');
        if !given.is_empty() && !sound {
            let text = format!(
                "{what}: `{given}` has to be lower-case letters, digits and hyphens, begin with a letter, and have at most 40"
            );
            wrong.say(text);
        }
        given.to_owned()
    }

    fn bootstrap(&self, wrong: &mut Wrong) -> Vec<String> {
        let servers: Vec<String> =
            self.bootstrap.iter().flat_map(|text| text.split(',')).map(|server| server.trim().to_owned()).collect();
        for server in &servers {
            if server.contains("://") {
                wrong.say(format!("--bootstrap: `{server}` is a URL; write host:port"));
                continue;
            }
            let host_and_port = server.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
            let sound = |host: &str| !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(c));
            if !matches!(host_and_port, Some((host, Ok(port))) if sound(host) && port > 0) {
                wrong.say(format!("--bootstrap: `{server}` is not host:port"));
            }
        }
        servers
    }

    fn cluster(&self, kafka: Option<&str>, wrong: &mut Wrong) {
        let Some(cluster) = self.cluster.as_deref() else { return };
        if cluster.is_empty() || !cluster.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
            wrong.say(format!("--cluster: `{cluster}` is no cluster's id"));
        } else if kafka == Some("confluent-cloud") && !cluster.starts_with("lkc-") {
            wrong.say(format!("--cluster: ids on Confluent Cloud begin with lkc-, not as `{cluster}`"));
        }
    }

    fn principals(&self, components: &[&Component], wrong: &mut Wrong) -> Vec<(String, String)> {
        let mut clients: Vec<&str> = Vec::new();
        for client in components.iter().flat_map(|component| &component.clients) {
            if !clients.contains(&client.name.as_str()) {
                clients.push(&client.name);
            }
        }
        let mut found: Vec<(String, String)> = Vec::new();
        for given in &self.principals {
            let (client, principal) = given.split_once('=').map_or((None, given.as_str()), |(client, rest)| (Some(client), rest));
            if principal.is_empty() || principal.contains(char::is_whitespace) {
                wrong.say(format!("--principal: `{given}` names nobody; write sa-… or client=sa-…"));
                continue;
            }
            match client {
                Some(client) if clients.contains(&client) => {
                    found.retain(|(other, _)| other != client);
                    found.push((client.to_owned(), principal.to_owned()));
                }
                Some(client) => wrong.unknown("--principal", client, &clients),
                None => found = clients.iter().map(|client| ((*client).to_owned(), principal.to_owned())).collect(),
            }
        }
        found
    }

    /// The certificates of `--ca-file`, each checked, and nothing else of the file.
    fn trusted(&self, kafka: Option<&str>, wrong: &mut Wrong) -> Option<String> {
        let ca = self.ca.as_ref()?;
        if kafka == Some("confluent-cloud") {
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

/// Everything that a project is written from.
#[derive(Debug, Clone)]
pub struct Choices<'a> {
    pub components: Vec<&'a Component>,
    pub project: String,
    pub env: String,
    pub kafka: &'static str,
    pub bootstrap: Vec<String>,
    pub mechanism: &'a Mechanism,
    pub cluster: Option<String>,
    pub kafka_environment: Option<String>,
    /// By client.
    pub principals: Vec<(String, String)>,
    /// PEM of a private authority.
    pub trusted: Option<String>,
    pub admin_config: Option<String>,
    pub vpc_tag: (String, String),
    pub subnet_tag: (String, String),
    pub ecs_cluster: String,
}
