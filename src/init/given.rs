//! What was typed or answered, and what is still missing.

use crate::profile::Catalogue;

/// Certificates of an authority that Java doesn't know.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The file, for messages.
    pub file: String,
    pub text: String,
}

/// What was typed or answered so far.
#[derive(Debug, Clone, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Given {
    pub profiles: Vec<String>,
    pub project: Option<String>,
    pub env: Option<String>,
    pub kafka: Option<String>,
    pub bootstrap: Option<String>,
    pub security: Option<String>,
    pub mechanism: Option<String>,
    /// Clients show a certificate.
    pub client_certificate: bool,
    pub cluster: Option<String>,
    pub kafka_environment: Option<String>,
    /// `sa-…` for every client, `client=sa-…`, or `component.client=sa-…`.
    pub principals: Vec<String>,
    pub ca: Option<Certificate>,
    pub admin_config: Option<String>,
    pub security_group: Option<String>,
    pub token_endpoint: Option<String>,
    pub identity_pool: Option<String>,
    pub oauth_scope: Option<String>,
    pub registry: Option<String>,
    pub registry_url: Option<String>,
    /// A registry of one's own that asks for user name and password.
    pub registry_login: bool,
    pub registry_name: Option<String>,
    pub license: bool,
    pub spot: bool,
    /// `component=image`.
    pub images: Vec<String>,
    pub vpc_tag: Option<String>,
    pub subnet_tag: Option<String>,
    pub ecs_cluster: Option<String>,
}

/// Something that has to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// As it is typed, for who can't be asked.
    pub flag: &'static str,
    pub question: &'static str,
    /// The answers it takes; empty when it is free text.
    pub options: Vec<String>,
}

/// The registries that a project can use.
pub(super) const REGISTRIES: [&str; 5] = ["none", "project", "confluent-cloud", "self-hosted", "glue"];

impl Given {
    /// What is still missing. What depends on a missing answer comes when that one is given.
    pub fn missing(&self, catalogue: &Catalogue) -> Vec<Missing> {
        let mut missing = Vec::new();
        let mut need = |absent: bool, flag: &'static str, question: &'static str, options: Vec<String>| {
            if absent {
                missing.push(Missing { flag, question, options });
            }
        };
        let components = catalogue.components().iter().map(|component| component.name.clone()).collect();
        need(self.profiles.is_empty(), "PROFILE", "Which component?", components);
        need(self.env.is_none(), "--env", "Name of the environment, as dev", Vec::new());
        let kinds = catalogue.kafka().providers.iter().filter(|provider| !provider.logins.is_empty());
        let kinds = kinds.map(|provider| provider.name.clone()).collect();
        need(self.kafka.is_none(), "--kafka", "What kind of Kafka cluster?", kinds);
        need(self.bootstrap.is_none(), "--bootstrap", "Bootstrap servers, host:port", Vec::new());
        let kind = self.kafka.as_deref().and_then(|kind| catalogue.kafka().provider(kind));
        if kind.is_some_and(|kind| kind.name == "confluent-cloud") {
            need(self.cluster.is_none(), "--cluster", "Id of the cluster, lkc-…", Vec::new());
        }
        let login = kind.and_then(|kind| kind.login(self.security.as_deref()));
        // Where a cluster has one usual way, it is taken; brokers of one's own have none.
        if let Some(login) = login.filter(|_| kind.is_some_and(|kind| kind.listeners.is_empty())) {
            let mechanisms: Vec<String> = login.mechanisms.iter().map(|name| name.to_lowercase()).collect();
            need(self.mechanism.is_none() && !mechanisms.is_empty(), "--mechanism", "How do clients log in?", mechanisms);
        }
        let oauth = self.mechanism.as_deref().is_some_and(|mechanism| mechanism.eq_ignore_ascii_case("OAUTHBEARER"));
        need(oauth && self.token_endpoint.is_none(), "--token-endpoint", "URL of the token endpoint", Vec::new());
        let elsewhere = matches!(self.registry.as_deref(), Some("confluent-cloud" | "self-hosted"));
        need(elsewhere && self.registry_url.is_none(), "--registry-url", "URL of the schema registry", Vec::new());
        missing
    }

    /// Takes an answer to something missing.
    pub fn answer(&mut self, missing: &Missing, answer: String) {
        match missing.flag {
            "--env" => self.env = Some(answer),
            "--kafka" => self.kafka = Some(answer),
            "--bootstrap" => self.bootstrap = Some(answer),
            "--cluster" => self.cluster = Some(answer),
            "--mechanism" => self.mechanism = Some(answer),
            "--token-endpoint" => self.token_endpoint = Some(answer),
            "--registry-url" => self.registry_url = Some(answer),
            _ => self.profiles.push(answer),
        }
    }

    /// A whole call of the kind that is asked for, with places to fill in.
    pub(super) fn example(&self, catalogue: &Catalogue, missing: &[Missing]) -> String {
        let known = self.profiles.iter().filter(|name| catalogue.component(name).is_some());
        let mut profiles: Vec<&str> = known.map(String::as_str).collect();
        if profiles.is_empty() {
            profiles.push("connect");
        }
        let named = self.kafka.as_deref().and_then(|kind| catalogue.kafka().provider(kind));
        let kind = named.filter(|kind| !kind.logins.is_empty()).map_or("confluent-cloud", |kind| kind.name.as_str());
        let port = named.and_then(|kind| kind.listeners.first()?.ports.first().copied());
        let cluster = match (kind, port) {
            ("confluent-cloud", _) => "--bootstrap pkc-….confluent.cloud:9092 --cluster lkc-…".to_owned(),
            (_, Some(port)) => format!("--bootstrap b-1.….amazonaws.com:{port}"),
            (_, None) => "--bootstrap broker-1.example.com:9093 --security sasl-ssl --mechanism scram-sha-512".to_owned(),
        };
        let lacks = |flag: &str| missing.iter().any(|missing| missing.flag == flag);
        let mut cluster = cluster;
        if lacks("--token-endpoint") {
            cluster = cluster.replace("scram-sha-512", "oauthbearer");
            if !cluster.contains("oauthbearer") {
                cluster += " --mechanism oauthbearer";
            }
            cluster += " --token-endpoint https://…";
        }
        if lacks("--registry-url") {
            cluster.extend([" --registry ", self.registry.as_deref().unwrap_or_default(), " --registry-url https://…"]);
        }
        let env = self.env.as_deref().filter(|env| super::choices::is_name(env)).unwrap_or("dev");
        format!("confluent-ecs init {} --env {env} --kafka {kind} {cluster}", profiles.join(" "))
    }
}
