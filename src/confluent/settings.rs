//! Findings on a service's settings: what the image, the worker or the cluster will refuse, before anything is sent.
//!
//! Comes in: a [`Service`], as the caller read it. Goes out: findings with the place of the variable. No value is quoted that came
//! from a secret. Where a whole secret hasn't been read, nothing is called missing: it may be in there.

use std::collections::BTreeSet;

use super::client::{KafkaClient, Protocol};
use super::environment::{Environment, Origin, Text};
use super::naming::{Tool, meant_property, property_name, property_names, variable_name};
use super::properties::{EscapeError, Properties, Property, properties};
use crate::base::{Code, Finding, Findings, Place};
use crate::profile::{Catalogue, Component, EnvironmentRule, Provider};

/// A service that runs a component.
#[derive(Debug, Clone, Copy)]
pub struct Service<'a> {
    /// Its name in the compose files.
    pub name: &'a str,
    pub catalogue: &'a Catalogue,
    pub component: &'a Component,
    pub image: &'a str,
    pub environment: &'a Environment,
    /// Where `environment` or the service stands, for what is missing.
    pub place: Option<&'a Place>,
    /// The command sets the advertised address: it is the generated one, or names the variable itself.
    pub advertised_by_command: bool,
    /// What starts the container is the user's own, in an image of theirs: nobody can tell from here what it sets.
    pub own_start_script: bool,
    /// The cluster's kind, where `x-kafka` tells it.
    pub provider: Option<&'a str>,
}

impl Service<'_> {
    /// A finding about a variable, where it stands, or else where it would.
    pub(super) fn placed(&self, finding: Finding, variable: &str, place: Option<&Place>) -> Finding {
        let finding = finding.path(format!("services.{}.environment.{variable}", self.name));
        match place.or(self.place) {
            Some(place) => finding.at(place.clone()),
            None => finding,
        }
    }
}

/// Everything that is wrong with the settings of a service.
pub fn findings(service: &Service<'_>) -> Findings {
    let properties = properties(service.component, service.image, service.environment);
    let clients = super::clients(service.component, &properties);
    let check = Check { service, properties: &properties, clients: &clients };
    let mut found = Vec::new();
    check.required(&mut found);
    check.refused(&mut found);
    check.names(&mut found);
    check.values(&mut found);
    check.checked_values(&mut found);
    check.replication_factors(&mut found);
    check.advertised_host(&mut found);
    check.credentials(&mut found);
    for client in &clients {
        check.client(client, &mut found);
    }
    found.extend(super::schemas::findings(service, &properties));
    found.extend(super::versions::findings(service, &properties, &clients, &check.providers()));
    found.into_iter().collect()
}

struct Check<'a> {
    service: &'a Service<'a>,
    properties: &'a Properties,
    clients: &'a [KafkaClient],
}

/// Addresses that mean the task itself.
const OWN_ADDRESSES: [&str; 5] = ["localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]"];

impl Check<'_> {
    fn place(&self, finding: Finding, variable: &str, place: Option<&Place>) -> Finding {
        self.service.placed(finding, variable, place)
    }

    fn at(&self, finding: Finding, property: &Property) -> Finding {
        self.place(finding, &property.variable, property.value.place.as_ref())
    }

    fn rule(&self) -> &EnvironmentRule {
        &self.service.component.environment
    }

    fn variable(&self, property: &str) -> String {
        variable_name(self.rule(), property)
    }

    fn required(&self, found: &mut Vec<Finding>) {
        if self.properties.is_open() {
            return;
        }
        for required in &self.service.component.environment.required {
            let wanted = required.when.as_ref().is_none_or(|condition| {
                self.properties.word(&condition.property).is_some_and(|value| condition.is.iter().any(|is| is == value))
            });
            let by_command = required.advertised && self.service.advertised_by_command;
            let set = self.service.environment.get(&required.variable).is_some_and(|text| text.raw() != Some(""));
            if wanted && !by_command && !set {
                let message = format!("{} is missing: the image refuses to start without it", required.variable);
                let mut finding = Finding::error(Code::SETTING_MISSING, message);
                if required.advertised && self.service.own_start_script {
                    let message = format!("{} is set nowhere here: the image's own start script has to", required.variable);
                    finding = Finding::warning(Code::SETTING_MISSING, message);
                }
                if required.advertised {
                    finding = finding.help(format!(
                        "a command has to set it to the task's own address: bash -c \"{}\"",
                        super::advertising_script(&required.variable, &self.service.component.start.command)
                    ));
                }
                found.push(self.place(finding, &required.variable, None));
            }
        }
    }

    /// Variables with which the image refuses to start.
    fn refused(&self, found: &mut Vec<Finding>) {
        for refused in &self.rule().refused {
            let Some(text) = self.service.environment.get(&refused.variable) else { continue };
            if text.raw() == Some("") {
                continue;
            }
            let message = format!("{} is set: the image refuses to start with it", refused.variable);
            let finding = Finding::error(Code::SETTING_REFUSED, message).help(&refused.instead);
            found.push(self.place(finding, &refused.variable, text.place.as_ref()));
        }
    }

    /// Names that are nearly a known one, or that the newer tool breaks.
    fn names(&self, found: &mut Vec<Finding>) {
        let known = self.known();
        for (variable, text) in self.service.environment.iter() {
            if matches!(text.origin, Origin::Image) {
                continue;
            }
            if property_names(self.rule(), Tool::Dub, variable).is_empty() {
                self.misspelt_prefix(variable, text, &known, found);
                continue;
            }
            // A variable that sets several properties is one that the profile names.
            let Some(meant) = meant_property(self.rule(), variable) else { continue };
            let newer = property_names(self.rule(), Tool::Ub, variable).into_iter().map(|(name, _)| name).collect::<String>();
            if meant != newer && super::tool(self.service.component, self.service.image) != Some(Tool::Dub) {
                let message = format!("{variable} becomes {newer} in images from {}, not {meant}", self.newer_since());
                let finding = Finding::warning(Code::NAME_BROKEN_BY_TOOL, message);
                let finding =
                    finding.help("give every part of the name at least two letters, as in the alias of a config provider");
                found.push(self.place(finding, variable, text.place.as_ref()));
            }
            if let Some(near) = near(&meant, &known) {
                let message = format!("{variable} sets {meant}, which no component knows");
                let finding = Finding::warning(Code::SETTING_MISSPELT, message);
                let finding = finding.help(format!("did you mean {}?", self.variable(near)));
                found.push(self.place(finding, variable, text.place.as_ref()));
            }
        }
    }

    fn newer_since(&self) -> &str {
        &self.service.component.environment.newer_tool_since
    }

    /// `CONECT_GROUP_ID`: nearly a prefix, and then a setting that is known.
    fn misspelt_prefix(&self, variable: &str, text: &Text, known: &BTreeSet<String>, found: &mut Vec<Finding>) {
        for prefix in &self.rule().prefixes {
            let words = prefix.variable.matches('_').count();
            let Some((end, _)) = variable.match_indices('_').nth(words.saturating_sub(1)) else { continue };
            let (first, rest) = (&variable[..=end], &variable[end + 1..]);
            let property = format!("{}{}", prefix.property, property_name(Tool::Dub, rest));
            if strsim::damerau_levenshtein(first, &prefix.variable) == 1 && known.contains(&property) {
                let finding = Finding::warning(Code::SETTING_MISSPELT, format!("{variable} is not read by the image"));
                let finding = finding.help(format!("did you mean {}{rest}?", prefix.variable));
                found.push(self.place(finding, variable, text.place.as_ref()));
                return;
            }
        }
    }

    /// Every property that is known, those of the clients under their prefixes.
    fn known(&self) -> BTreeSet<String> {
        let component = self.service.component;
        let shared = &self.service.catalogue.kafka().client_settings;
        let mut known: BTreeSet<String> = component.settings.iter().cloned().collect();
        known.extend(component.replication_factors.iter().cloned());
        known.extend(self.rule().named.iter().map(|named| named.property.clone()));
        known.extend(component.links.iter().map(|link| link.property.clone()));
        for client in &component.clients {
            let own = component.client_settings.get(&client.name).into_iter().flatten();
            known.extend(shared.iter().chain(own).map(|name| format!("{}{name}", client.prefix)));
        }
        for registry in &component.registries {
            known.extend(registry.user_info.iter().chain([&registry.url, &registry.credentials_source]).cloned());
        }
        known
    }

    /// Values that Java reads otherwise than they are written.
    fn values(&self, found: &mut Vec<Finding>) {
        for (name, property) in self.properties.iter() {
            let Some(trouble) = property.trouble else { continue };
            let message = format!("{name} is not read as it is written: {trouble}");
            let finding = match trouble {
                EscapeError::Encoding => Finding::warning(Code::VALUE_NOT_ESCAPED, message),
                EscapeError::LineBreak | EscapeError::Continuation | EscapeError::Unicode => {
                    Finding::error(Code::VALUE_NOT_ESCAPED, message)
                }
            };
            let help = match trouble {
                EscapeError::LineBreak => "write a line break as \\n",
                EscapeError::Continuation | EscapeError::Unicode => "write a backslash as \\\\",
                EscapeError::Encoding => "write such a letter as \\uXXXX",
            };
            let by_us = if property.value.is_secret() { "; `secrets compose` and `secrets put` escape it" } else { "" };
            found.push(self.at(finding.help(format!("{help}{by_us}")), property));
        }
    }

    /// The kinds of cluster that it may be: as the files say, else those whose brokers have such names.
    fn providers(&self) -> Vec<&Provider> {
        let kafka = self.service.catalogue.kafka();
        if let Some(name) = self.service.provider {
            return kafka.provider(name).into_iter().collect();
        }
        let servers = self.clients.first().and_then(KafkaClient::bootstrap_servers).unwrap_or_default();
        let Some((host, _)) = servers.first().and_then(|server| server.rsplit_once(':')) else { return Vec::new() };
        // Those that `init` writes no project for are no kinds of their own.
        let known = |provider: &&Provider| {
            !provider.logins.is_empty() && provider.suffix.as_ref().is_some_and(|suffix| host.ends_with(suffix.as_str()))
        };
        kafka.providers.iter().filter(known).collect()
    }

    fn provider(&self) -> Option<&Provider> {
        match self.providers()[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Values that the component checks as it starts.
    fn checked_values(&self, found: &mut Vec<Finding>) {
        for fault in super::values::faults(&self.service.component.values, self.properties) {
            found.push(self.at(Finding::error(Code::SETTING_REFUSED, fault.message).help(fault.help), fault.property));
        }
    }

    fn replication_factors(&self, found: &mut Vec<Finding>) {
        let provider = self.provider();
        for name in &self.service.component.replication_factors {
            let Some(property) = self.properties.get(name) else { continue };
            let Some(value) = property.value.plain_text().map(str::trim) else { continue };
            let number = value.parse::<i32>();
            let wanted = provider.and_then(|provider| provider.replication_factor);
            let finding = match (number, wanted, provider) {
                (Err(_), ..) => Finding::error(Code::REPLICATION_FACTOR, format!("{name} is no number: `{value}`")),
                (Ok(-1), ..) => continue,
                (Ok(number), Some(wanted), Some(provider)) if number != i32::from(wanted) => {
                    let message = format!("{name} is {number}: {} takes {wanted} and nothing else", provider.title);
                    Finding::error(Code::REPLICATION_FACTOR, message)
                }
                (Ok(1), ..) => {
                    let message = format!("{name} is 1: the topic is gone with the broker that holds it");
                    Finding::warning(Code::REPLICATION_FACTOR, message)
                }
                (Ok(number), ..) if number < 1 => {
                    Finding::error(Code::REPLICATION_FACTOR, format!("{name} is {number}: Kafka takes 1 and more, or -1"))
                }
                _ => continue,
            };
            let help = format!("write {}: \"{}\"", property.variable, wanted.unwrap_or(3));
            found.push(self.at(finding.help(help), property));
        }
    }

    fn advertised_host(&self, found: &mut Vec<Finding>) {
        let Some(variable) = &self.service.component.start.advertised_host else { return };
        if self.service.advertised_by_command {
            return;
        }
        let Some(text) = self.service.environment.get(variable) else { return };
        let Some(value) = text.plain_text().map(str::trim) else { return };
        if is_a_balancer(value) {
            let message = format!("{variable} is {value}, a load balancer: what is forwarded to one task comes out at any");
            let finding = Finding::error(Code::ADVERTISED_HOST, message).help(
                "leave it out, and `command`, `entrypoint` and `build`: then the generated command sets the task's own address",
            );
            found.push(self.place(finding, variable, text.place.as_ref()));
        } else if OWN_ADDRESSES.contains(&value) {
            let message = format!("{variable} is {value}: the other workers would forward requests to themselves");
            let finding = Finding::warning(Code::ADVERTISED_HOST, message)
                .help("leave out `command`, `entrypoint` and `build`: then the generated command sets the task's own address");
            found.push(self.place(finding, variable, text.place.as_ref()));
        }
    }

    /// Credentials that everyone who may describe the task definition can read.
    fn credentials(&self, found: &mut Vec<Finding>) {
        let kinds = &self.service.catalogue.kafka().secret_settings;
        for (variable, text) in self.service.environment.iter() {
            let Some(value) = text.plain_text() else { continue };
            // A reference is resolved by the worker, from somewhere else.
            if value.trim().is_empty() || value.contains("${") {
                continue;
            }
            let property = meant_property(self.rule(), variable);
            let setting = property.as_deref().is_some_and(|name| {
                kinds.iter().any(|kind| name == kind || name.strip_suffix(kind.as_str()).is_some_and(|rest| rest.ends_with('.')))
            });
            let named = ["_PASSWORD", "_PASSPHRASE", "_SECRET"].iter().any(|end| variable.ends_with(end));
            let no_login = property.as_deref().is_some_and(|name| name.ends_with("sasl.jaas.config"))
                && super::Jaas::parse(value).is_ok_and(|jaas| !jaas.options.iter().any(|(name, _)| holds_credential(name)));
            if (setting || named) && !no_login {
                let message =
                    format!("{variable} holds a credential in plain text: whoever may describe the task definition can read it");
                let finding = Finding::warning(Code::PLAIN_CREDENTIAL, message)
                    .help(format!("take it from a secret: a key under `x-secrets.JsonKeys` with `VarName: {variable}`"));
                found.push(self.place(finding, variable, text.place.as_ref()));
            }
        }
    }

    fn client(&self, client: &KafkaClient, found: &mut Vec<Finding>) {
        self.addresses(client, found);
        let protocol = match client.protocol() {
            Ok(protocol) => protocol,
            Err(word) => {
                let message = format!("{}: Kafka knows no security protocol `{word}`", client.name);
                let finding =
                    Finding::error(Code::UNKNOWN_PROTOCOL, message).help("one of SASL_SSL, SSL, SASL_PLAINTEXT, PLAINTEXT");
                found.push(self.of_client(finding, client, "security.protocol"));
                return;
            }
        };
        self.as_the_worker(client, protocol, found);
        if protocol.tls() {
            for fault in super::stores::faults(client) {
                let own = |(name, setting): (&str, &super::Setting)| name.starts_with(fault.store) && !setting.inherited;
                if client.settings().any(own) {
                    let message = format!("the {} refuses its settings of TLS: {}", client.name, fault.message);
                    let finding = Finding::error(Code::SETTING_REFUSED, message).help(fault.help);
                    found.push(self.of_client(finding, client, &fault.property));
                }
            }
        }
        if protocol.sasl() {
            self.login(client, found);
        }
        self.listener(client, protocol, found);
    }

    /// A finding at the variable that sets something for a client; one that was taken over is the worker's matter.
    fn of_client(&self, finding: Finding, client: &KafkaClient, name: &str) -> Finding {
        match client.setting(name) {
            Some(setting) => self.place(finding, &setting.variable, setting.value.place.as_ref()),
            None => self.place(finding, &self.variable(&client.property(name)), None),
        }
    }

    fn inherited(client: &KafkaClient, name: &str) -> bool {
        client.setting(name).is_some_and(|setting| setting.inherited)
    }

    fn addresses(&self, client: &KafkaClient, found: &mut Vec<Finding>) {
        if Self::inherited(client, "bootstrap.servers") {
            return;
        }
        for server in client.bootstrap_servers().unwrap_or_default() {
            let port =
                server.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok()).flatten());
            if port.is_none_or(|port| port == 0) {
                let finding = Finding::error(Code::BOOTSTRAP_ADDRESS, format!("`{server}` has no port, or no host"));
                let finding = finding.help("write host:port, several separated by commas");
                found.push(self.of_client(finding, client, "bootstrap.servers"));
            }
        }
    }

    /// A client on the worker's brokers needs what the worker needs there. The producer's and the consumer's settings are apart from the
    /// worker's, and people forget one.
    fn as_the_worker(&self, client: &KafkaClient, protocol: Protocol, found: &mut Vec<Finding>) {
        let Some(worker) = self.clients.iter().find(|client| client.prefix.is_empty()) else { return };
        let same_brokers =
            Self::inherited(client, "bootstrap.servers") || client.bootstrap_servers() == worker.bootstrap_servers();
        if client.prefix.is_empty() || !same_brokers || self.properties.is_open() {
            return;
        }
        let Ok(wanted) = worker.protocol() else { return };
        if protocol != wanted {
            let message = format!("the {} speaks {protocol}, but the worker {wanted} to the same brokers", client.name);
            let variable = self.variable(&client.property("security.protocol"));
            let finding = Finding::error(Code::CLIENT_WITHOUT_LOGIN, message);
            let finding =
                finding.help(format!("the {} does not take it over from the worker: write {variable}: {wanted}", client.name));
            found.push(self.of_client(finding, client, "security.protocol"));
        }
        for name in ["ssl.truststore.certificates", "ssl.truststore.location", "ssl.keystore.key", "ssl.keystore.location"] {
            let kind = &name[..name.rfind('.').unwrap_or(name.len())];
            let other = |client: &KafkaClient| {
                client.settings().any(|(setting, _)| setting.starts_with(kind) && !setting.ends_with("type"))
            };
            if protocol.tls() && worker.setting(name).is_some() && !other(client) {
                let message = format!("the {} has no {name}, which the worker has for the same brokers", client.name);
                let variable = self.variable(&client.property(name));
                let finding =
                    Finding::error(Code::CLIENT_WITHOUT_LOGIN, message).help(format!("set {variable} as for the worker"));
                found.push(self.of_client(finding, client, name));
            }
        }
    }

    fn login(&self, client: &KafkaClient, found: &mut Vec<Finding>) {
        let name = "sasl.jaas.config";
        let kafka = self.service.catalogue.kafka();
        let own_mechanism = !Self::inherited(client, "sasl.mechanism");
        let mechanism = kafka.mechanism(client.mechanism());
        if mechanism.is_none() && own_mechanism && !self.properties.is_open() {
            let known: Vec<&str> = kafka.mechanisms.iter().map(|mechanism| mechanism.name.as_str()).collect();
            let word = client.mechanism();
            let letters = |word: &str| word.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_uppercase();
            let near = known.iter().find(|known| letters(known) == letters(word));
            let help = near.map_or_else(|| format!("one of {}", known.join(", ")), |near| format!("did you mean {near}?"));
            let finding = Finding::error(Code::UNKNOWN_PROTOCOL, format!("Kafka knows no SASL mechanism `{word}`")).help(help);
            found.push(self.of_client(finding, client, "sasl.mechanism"));
        }
        self.allowed_urls(client, found);
        match client.jaas() {
            None if client.setting(name).is_none() && !self.properties.is_open() => {
                let variable = self.variable(&client.property(name));
                let message = format!("the {} has no login: {variable} is missing", client.name);
                let finding = Finding::error(Code::CLIENT_WITHOUT_LOGIN, message);
                let finding = finding.help("add it to the secret's keys; `secrets compose` and `secrets put` write its value");
                found.push(self.of_client(finding, client, name));
            }
            Some(Err(error)) if !Self::inherited(client, name) => {
                let finding =
                    Finding::error(Code::LOGIN_MALFORMED, format!("the login of the {} can't be read: {error}", client.name));
                let finding = finding.help("org.apache.kafka.….PlainLoginModule required username=\"…\" password=\"…\";");
                found.push(self.of_client(finding, client, name));
            }
            Some(Ok(jaas)) => {
                let by_handler = client.setting("sasl.client.callback.handler.class").is_some();
                let finding = super::login_module::finding(&jaas, &client.name, mechanism, &kafka.mechanisms);
                if let Some(finding) = finding.filter(|_| !by_handler && !Self::inherited(client, name)) {
                    found.push(self.of_client(finding, client, name));
                    return;
                }
                if let Some(mechanism) = mechanism
                    && jaas.module_name() != mechanism.module.rsplit('.').next().unwrap_or_default()
                    && (own_mechanism || !Self::inherited(client, name))
                    && kafka.mechanisms.iter().any(|other| other.module == jaas.module)
                {
                    let message = format!(
                        "the {} logs in with {}, but its mechanism is {}",
                        client.name,
                        jaas.module_name(),
                        mechanism.name
                    );
                    let finding = Finding::error(Code::LOGIN_MALFORMED, message).help(format!("that takes {}", mechanism.module));
                    found.push(self.of_client(finding, client, name));
                }
            }
            _ => {}
        }
    }

    /// The address that tokens are had from: newer clients call none that the JVM isn't told of.
    fn allowed_urls(&self, client: &KafkaClient, found: &mut Vec<Finding>) {
        let service = self.service;
        let mechanism = service.catalogue.kafka().mechanism(client.mechanism());
        let Some(allowed) = mechanism.and_then(|mechanism| mechanism.allowed_urls.as_ref()) else { return };
        let Some(setting) = client.setting(&allowed.of).filter(|setting| !setting.inherited) else { return };
        // A component with lines of its own has clients of the newest ones.
        let asked = super::line(service.image).zip(super::version(&allowed.since)).is_some_and(|(line, since)| line >= since)
            || !service.component.versions.platform.is_empty();
        if !asked || service.own_start_script || !super::is_confluents_own(service.image) || self.properties.is_open() {
            return;
        }
        let names = [service.component.start.jvm_options.as_str(), "KAFKA_OPTS"];
        let told = |name: &str| match service.environment.get(name).map(Text::raw) {
            // One from a secret that isn't read here may say anything.
            Some(None) => true,
            Some(Some(options)) => {
                let url = setting.value.raw().unwrap_or_default().trim();
                options
                    .split_whitespace()
                    .filter_map(|option| option.strip_prefix(&*allowed.option)?.strip_prefix('='))
                    .any(|urls| urls.split(',').any(|known| known == url))
            }
            None => false,
        };
        if let Some(missing) = names.into_iter().find(|name| !told(name)) {
            let message =
                format!("{missing} doesn't name the address of {}: the {} may not call it", setting.variable, client.name);
            let url = setting.value.plain_text().unwrap_or("…").trim();
            let finding =
                Finding::error(Code::CLIENT_WITHOUT_LOGIN, message).help(format!("write {missing}: {}={url}", allowed.option));
            found.push(self.of_client(finding, client, &allowed.of));
        }
    }

    /// The port against what the provider has behind it.
    fn listener(&self, client: &KafkaClient, protocol: Protocol, found: &mut Vec<Finding>) {
        if Self::inherited(client, "bootstrap.servers") && Self::inherited(client, "security.protocol") {
            return;
        }
        let kafka = self.service.catalogue.kafka();
        for server in client.bootstrap_servers().unwrap_or_default() {
            let Some((host, port)) = server.rsplit_once(':') else { continue };
            let Ok(port) = port.parse::<u16>() else { continue };
            let of_host = |provider: &&Provider| provider.suffix.as_ref().is_some_and(|suffix| host.ends_with(suffix.as_str()));
            let candidates: Vec<&Provider> = kafka.providers.iter().filter(of_host).collect();
            let Some((provider, listener)) = candidates.iter().find_map(|provider| {
                provider.listeners.iter().find(|listener| listener.is_at(host, port)).map(|l| (provider, l))
            }) else {
                if let [only] = candidates[..] {
                    let ports: Vec<String> =
                        only.listeners.iter().flat_map(|listener| &listener.ports).map(u16::to_string).collect();
                    let message = format!("{} has no port {port}: it is on {}", only.title, ports.join(", "));
                    let finding = Finding::warning(Code::PORT_AND_PROTOCOL, message);
                    let finding = finding.help(format!("write {host}:{}", ports.first().map_or("…", String::as_str)));
                    found.push(self.of_client(finding, client, "bootstrap.servers"));
                    return;
                }
                continue;
            };
            let mechanism = client.mechanism();
            let mut message = None;
            if listener.protocol != protocol.name() {
                message = Some(format!(
                    "port {port} of {} speaks {}, the {} {protocol}",
                    provider.title, listener.protocol, client.name
                ));
            } else if !listener.mechanisms.is_empty() && !listener.mechanisms.iter().any(|known| known == mechanism) {
                let offered = listener.mechanisms.join(" and ");
                message =
                    Some(format!("port {port} of {} takes {offered}, the {} uses {mechanism}", provider.title, client.name));
            }
            if let Some(message) = message {
                let finding = Finding::error(Code::PORT_AND_PROTOCOL, message);
                let others: Vec<String> = candidates
                    .iter()
                    .flat_map(|provider| &provider.listeners)
                    .filter(|other| other.protocol == protocol.name() && other.ports != listener.ports)
                    .filter_map(|other| Some(format!("{} {}", other.ports.first()?, other.mechanisms.join(", "))))
                    .collect();
                let mut help = format!("set security.protocol to {}", listener.protocol);
                if !others.is_empty() {
                    help = format!("{help}, or take the port that speaks {protocol}: {}", others.join("; "));
                }
                found.push(self.of_client(finding.help(help.trim_end()), client, "bootstrap.servers"));
                return;
            }
        }
    }
}

/// An address that is wrong for one task already: the task itself, or a load balancer.
pub fn is_shared_address(host: &str) -> bool {
    OWN_ADDRESSES.contains(&host) || is_a_balancer(host)
}

/// Names that AWS gives its load balancers.
fn is_a_balancer(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    host.contains(".elb.") && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"))
}

/// Options of a login module that hold a credential.
fn holds_credential(option: &str) -> bool {
    let option = option.to_lowercase();
    option.contains("password") || option.contains("secret")
}

/// The known name that an unknown one was probably meant to be. Long names allow two slips, short ones one.
fn near<'a>(name: &str, known: &'a BTreeSet<String>) -> Option<&'a str> {
    if known.contains(name) {
        return None;
    }
    let allowed = if name.len() > 8 { 2 } else { 1 };
    let distance = |candidate: &&String| strsim::damerau_levenshtein(name, candidate);
    known.iter().filter(|candidate| distance(candidate) <= allowed).min_by_key(distance).map(String::as_str)
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
