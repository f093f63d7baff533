//! The stored secret of a service: which keys it has, and how each is composed from plain answers.
//!
//! Comes in: the component, the service's clients, the keys that the compose files name, answers (user names and passwords).
//! Goes out: a [`SecretDocument`], whose JSON only [`SecretDocument::to_json`] gives, and as a [`Secret`].
//!
//! ECS can't put a secret inside another value, so every key holds the whole setting: a login configuration quoted for JAAS and
//! escaped for the properties file, `user:password` escaped likewise. `verbs secrets compose` and `put` share this.

use std::collections::BTreeMap;

use super::client::KafkaClient;
use super::jaas::Jaas;
use super::properties::{Properties, escape};
use crate::base::{Failure, Result, Secret, nearest};
use crate::profile::{Catalogue, Component, Credentials, KeySource, Mechanism, SecretKey};

/// The keys of a service's secret.
#[derive(Debug, Clone)]
pub struct Structure {
    pub keys: Vec<Key>,
}

/// A key of the stored JSON.
#[derive(Debug, Clone)]
pub struct Key {
    /// The JSON key.
    pub name: String,
    /// The variable that takes its value.
    pub variable: String,
    pub composition: Composition,
}

/// What a key's value is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Composition {
    /// A complete `sasl.jaas.config` with this login module, for this client.
    Login { client: String, module: String, ascii_username: bool },
    /// `user:password` for this registry client.
    UserInfo { registry: String },
    /// The answer itself, under the key's own name; escaped where the start script makes a property of it.
    AsGiven { property: bool },
}

/// A key of the JSON and the variable that takes it, as `JsonKeys` in the compose files has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonKey {
    pub secret_key: String,
    pub variable: String,
}

/// The structure of a service's secret.
///
/// `json_keys` are those that the compose files name. A secret that is injected whole has none: then the keys are what the clients
/// lack for a login, and what the start script requires and nobody sets.
pub fn structure(
    catalogue: &Catalogue,
    component: &Component,
    clients: &[KafkaClient],
    properties: &Properties,
    json_keys: Option<&[JsonKey]>,
) -> Structure {
    let composition = |variable: &str| composition(catalogue, component, clients, variable);
    let keys = match json_keys {
        Some(named) => named
            .iter()
            .map(|key| Key {
                name: key.secret_key.clone(),
                variable: key.variable.clone(),
                composition: composition(&key.variable),
            })
            .collect(),
        None => needed(catalogue, component, clients, properties)
            .into_iter()
            .map(|variable| Key { name: variable.clone(), composition: composition(&variable), variable })
            .collect(),
    };
    Structure { keys }
}

fn composition(catalogue: &Catalogue, component: &Component, clients: &[KafkaClient], variable: &str) -> Composition {
    let known = component.secret.keys.iter().find(|key| key.variable == variable);
    match known.map(|key| &key.from) {
        Some(KeySource::UserInfo(registry)) => return Composition::UserInfo { registry: registry.clone() },
        Some(KeySource::Jaas(name)) => {
            let client = clients.iter().find(|client| client.name == *name);
            if let Some(mechanism) = client.and_then(|client| mechanism(catalogue, client)) {
                let module = mechanism.module.clone();
                return Composition::Login { client: name.clone(), module, ascii_username: mechanism.ascii_username };
            }
        }
        None => {}
    }
    Composition::AsGiven { property: variable.starts_with(&component.environment.prefix) }
}

/// The mechanism of a client that logs in with user name and password.
fn mechanism<'a>(catalogue: &'a Catalogue, client: &KafkaClient) -> Option<&'a Mechanism> {
    let mechanism = catalogue.kafka().mechanism(client.mechanism())?;
    (mechanism.credentials == Credentials::UsernamePassword).then_some(mechanism)
}

/// The variables that a secret without named keys has to bring.
fn needed(catalogue: &Catalogue, component: &Component, clients: &[KafkaClient], properties: &Properties) -> Vec<String> {
    let set = |variable: &str| properties.iter().any(|(_, property)| property.variable == variable);
    let mut registries = Vec::new();
    let wanted = |key: &SecretKey, registries: &mut Vec<String>| match &key.from {
        KeySource::Jaas(name) => clients.iter().find(|client| client.name == *name).is_some_and(|client| {
            let sasl = client.protocol().is_ok_and(super::Protocol::sasl);
            sasl && mechanism(catalogue, client).is_some()
        }),
        KeySource::UserInfo(name) => {
            component.registries.iter().find(|registry| registry.name == *name).is_some_and(|registry| {
                let source = properties.word(&format!("{}basic.auth.credentials.source", registry.prefix));
                let first = !registries.contains(name);
                registries.push(name.clone());
                first && source == Some("USER_INFO") && !registry.user_info.iter().any(|name| properties.get(name).is_some())
            })
        }
    };
    let required = component.environment.required.iter().filter(|required| required.when.is_none() && !required.advertised);
    let required: Vec<String> = required.map(|required| required.variable.clone()).filter(|variable| !set(variable)).collect();
    let logins = component.secret.keys.iter().filter(|key| wanted(key, &mut registries)).map(|key| key.variable.clone());
    let logins: Vec<String> = logins.filter(|variable| !set(variable)).collect();
    required.into_iter().chain(logins).collect()
}

/// Something to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name of the answer.
    pub name: String,
    /// What it is, for a person.
    pub label: String,
    /// Not to be shown while it is typed.
    pub hidden: bool,
}

impl Structure {
    /// What has to be asked for, each once. Answers under a client's own name (`producer.username`) may be given as well, and win.
    pub fn questions(&self) -> Vec<Question> {
        let mut questions: Vec<Question> = Vec::new();
        let mut ask = |name: &str, label: String, hidden: bool| {
            if !questions.iter().any(|question| question.name == name) {
                questions.push(Question { name: name.to_owned(), label, hidden });
            }
        };
        for key in &self.keys {
            match &key.composition {
                Composition::Login { .. } => {
                    ask("username", "Kafka user name or API key".to_owned(), false);
                    ask("password", "Kafka password or API secret".to_owned(), true);
                }
                Composition::UserInfo { .. } => {
                    ask("registry.username", "Schema registry user name or API key".to_owned(), false);
                    ask("registry.password", "Schema registry password or API secret".to_owned(), true);
                }
                Composition::AsGiven { .. } => ask(&key.name, format!("Value of {}", key.name), true),
            }
        }
        questions
    }

    /// Every name that an answer may have.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.questions().into_iter().map(|question| question.name).collect();
        for key in &self.keys {
            let own = match &key.composition {
                Composition::Login { client, .. } => client,
                Composition::UserInfo { registry } => registry,
                Composition::AsGiven { .. } => continue,
            };
            for part in ["username", "password"] {
                let name = format!("{own}.{part}");
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}

/// Plain answers by name.
#[derive(Debug, Clone, Default)]
pub struct Answers(BTreeMap<String, Secret>);

impl Answers {
    pub fn insert(&mut self, name: impl Into<String>, value: Secret) {
        self.0.insert(name.into(), value);
    }

    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// Reads `name=value` lines, or one JSON object of strings. A value is taken as it stands, blanks included; lines that are
    /// empty or begin with `#` are skipped.
    pub fn parse(text: &Secret) -> Result<Self> {
        let text = text.expose();
        if text.trim_start().starts_with('{') {
            return Self::parse_json(text);
        }
        let mut answers = Self::default();
        let mut wrong = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.trim().is_empty() || line.trim_start().starts_with('#') {
                continue;
            }
            let number = index + 1;
            match line.split_once('=') {
                None => wrong.push(format!("line {number} has no `=`: write name=value")),
                Some((name, _)) if name.trim().is_empty() => wrong.push(format!("line {number} has no name before `=`")),
                Some((name, value)) => {
                    let name = name.trim().to_owned();
                    if answers.0.contains_key(&name) {
                        wrong.push(format!("line {number}: {name} is given twice"));
                    }
                    answers.insert(name, Secret::new(value));
                }
            }
        }
        if wrong.is_empty() {
            Ok(answers)
        } else {
            Err(Failure::usage("the answers can't be read").cause(wrong.join("\n")).into())
        }
    }

    fn parse_json(text: &str) -> Result<Self> {
        let document = SecretDocument::parse(&Secret::new(text)).map_err(|error| {
            Failure::usage("the answers can't be read").cause(error).help("write name=value lines, or one JSON object")
        })?;
        if !document.odd.is_empty() {
            let cause = format!("not a string: {}", document.odd.join(", "));
            return Err(Failure::usage("the answers can't be read").cause(cause).help("put the values into quotes").into());
        }
        Ok(Self(document.entries.into_iter().collect()))
    }
}

/// Composes the document of a structure from plain answers. Everything wrong is told at once, and no value is named.
pub fn compose(structure: &Structure, answers: &Answers) -> Result<SecretDocument> {
    let mut entries = Vec::new();
    let mut missing: Vec<String> = Vec::new();
    let mut wrong: Vec<String> = Vec::new();
    let names = structure.names();
    for given in answers.0.keys().filter(|given| !names.contains(given)) {
        let meant = nearest(given, names.iter().map(String::as_str)).map(|name| format!(", did you mean {name}?"));
        wrong.push(format!("{given} is not asked for{}", meant.unwrap_or_default()));
    }
    for key in &structure.keys {
        let mut answer = |own: Option<&str>, shared: &str, part: &str| {
            let own = own.and_then(|own| answers.get(&format!("{own}.{part}")));
            let name = if shared.is_empty() { part.to_owned() } else { format!("{shared}.{part}") };
            match own.or_else(|| answers.get(&name)) {
                Some(value) if value.expose().contains('\0') => {
                    wrong.push(format!("{name} holds a NUL character"));
                    None
                }
                Some(value) if !value.expose().is_empty() => Some(value.clone()),
                _ => {
                    if !missing.contains(&name) {
                        missing.push(name);
                    }
                    None
                }
            }
        };
        let value = match &key.composition {
            Composition::Login { client, module, ascii_username } => {
                let (username, password) = (answer(Some(client), "", "username"), answer(Some(client), "", "password"));
                if *ascii_username && username.as_ref().is_some_and(|name| !name.expose().is_ascii()) {
                    wrong.push(format!("username of the {client}: brokers take ASCII letters only with SCRAM"));
                }
                username.zip(password).map(|(username, password)| {
                    let login = Jaas::login(module, &username, &password).compose();
                    Secret::new(escape(login.expose()))
                })
            }
            Composition::UserInfo { registry } => {
                let username = answer(Some(registry), "registry", "username");
                let password = answer(Some(registry), "registry", "password");
                username.zip(password).and_then(|(username, password)| {
                    if username.expose().contains(':') {
                        wrong.push("registry.username holds a colon, which ends the name in user:password".to_owned());
                        return None;
                    }
                    Some(Secret::new(escape(&format!("{}:{}", username.expose(), password.expose()))))
                })
            }
            Composition::AsGiven { property } => {
                answer(None, "", &key.name).map(|value| if *property { Secret::new(escape(value.expose())) } else { value })
            }
        };
        entries.extend(value.map(|value| (key.name.clone(), value)));
    }
    if !missing.is_empty() {
        wrong.insert(0, format!("missing: {}", missing.join(", ")));
    }
    wrong.dedup();
    if wrong.is_empty() {
        Ok(SecretDocument { entries, odd: Vec::new() })
    } else {
        let failure = Failure::usage("the secret can't be composed from these answers").cause(wrong.join("\n"));
        Err(failure.help("give the answers as name=value lines, from a file or standard input").into())
    }
}

/// A stored secret: keys and values, in order.
#[derive(Debug, Clone)]
pub struct SecretDocument {
    entries: Vec<(String, Secret)>,
    /// Keys whose value isn't a string, by name.
    pub odd: Vec<String>,
}

/// Why a stored secret is no document. It quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("it is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("it is JSON, but no object with keys")]
    NotAnObject,
}

impl SecretDocument {
    /// Reads a stored secret. A value that is no string is kept as its JSON text, and its key is in `odd`.
    pub fn parse(stored: &Secret) -> std::result::Result<Self, DocumentError> {
        let parsed: serde_json::Value = serde_json::from_str(stored.expose())
            .map_err(|error| DocumentError::NotJson { line: error.line(), column: error.column() })?;
        let serde_json::Value::Object(object) = parsed else { return Err(DocumentError::NotAnObject) };
        let mut document = Self { entries: Vec::new(), odd: Vec::new() };
        for (key, value) in object {
            let text = if let serde_json::Value::String(text) = value {
                text
            } else {
                document.odd.push(key.clone());
                value.to_string()
            };
            document.entries.push((key, Secret::new(text)));
        }
        Ok(document)
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(key, _)| key.as_str())
    }

    pub fn get(&self, key: &str) -> Option<&Secret> {
        self.entries.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Secret)> {
        self.entries.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// This document with the keys of a newer one put over it; keys that only this one has stay.
    #[must_use]
    pub fn with(&self, newer: &Self) -> Self {
        let mut merged = self.clone();
        for (key, value) in &newer.entries {
            merged.odd.retain(|odd| odd != key);
            match merged.entries.iter_mut().find(|(name, _)| name == key) {
                Some(entry) => entry.1 = value.clone(),
                None => merged.entries.push((key.clone(), value.clone())),
            }
        }
        merged
    }

    /// The JSON to store.
    pub fn to_json(&self) -> Secret {
        let object: serde_json::Map<String, serde_json::Value> =
            self.entries.iter().map(|(key, value)| (key.clone(), value.expose().into())).collect();
        Secret::new(serde_json::Value::Object(object).to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Answers, Composition, DocumentError, JsonKey, SecretDocument, Structure, compose, structure};
    use crate::base::{Error, Secret};
    use crate::confluent::{Environment, Text, clients, properties};
    use crate::profile::Catalogue;

    const IMAGE: &str = "cp-kafka-connect:8.0.7";

    fn structured(variables: &[(&str, &str)], keys: Option<&[&str]>) -> Structure {
        let catalogue = Catalogue::builtin().expect("profiles");
        let connect = catalogue.component("connect").expect("connect");
        let environment: Environment = variables.iter().map(|(name, value)| (*name, Text::plain(*value, None))).collect();
        let found = properties(connect, IMAGE, &environment);
        let keys: Option<Vec<JsonKey>> = keys
            .map(|keys| keys.iter().map(|key| JsonKey { secret_key: (*key).to_owned(), variable: (*key).to_owned() }).collect());
        structure(catalogue, connect, &clients(connect, &found), &found, keys.as_deref())
    }

    fn sasl(mechanism: &str) -> Structure {
        let clients = ["", "PRODUCER_", "CONSUMER_", "ADMIN_"];
        let names: Vec<(String, &str)> = clients
            .iter()
            .flat_map(|client| {
                [
                    (format!("CONNECT_{client}SECURITY_PROTOCOL"), "SASL_SSL"),
                    (format!("CONNECT_{client}SASL_MECHANISM"), mechanism),
                ]
            })
            .collect();
        let variables: Vec<(&str, &str)> = names.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let keys = [
            "CONNECT_SASL_JAAS_CONFIG",
            "CONNECT_PRODUCER_SASL_JAAS_CONFIG",
            "CONNECT_CONSUMER_SASL_JAAS_CONFIG",
            "CONNECT_ADMIN_SASL_JAAS_CONFIG",
            "CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO",
            "CONNECTOR_PASSWORD",
        ];
        structured(&variables, Some(&keys))
    }

    fn answers(pairs: &[(&str, &str)]) -> Answers {
        let mut answers = Answers::default();
        for (name, value) in pairs {
            answers.insert(*name, Secret::new(*value));
        }
        answers
    }

    #[test]
    fn the_mechanism_decides_the_login_module() {
        for (mechanism, module) in [("PLAIN", "plain.PlainLoginModule"), ("SCRAM-SHA-512", "scram.ScramLoginModule")] {
            let keys = sasl(mechanism).keys;
            let Composition::Login { client, module: found, .. } = &keys[1].composition else { panic!("no login") };
            assert_eq!(
                (client.as_str(), found.as_str()),
                ("producer", format!("org.apache.kafka.common.security.{module}").as_str())
            );
        }
        assert_eq!(sasl("OAUTHBEARER").keys[0].composition, Composition::AsGiven { property: true });
    }

    #[test]
    fn everything_missing_and_misspelt_is_told_at_once_without_a_value() {
        let given = answers(&[("usernam", "hunter2"), ("registry.username", "a:b"), ("registry.password", "x")]);
        let Err(Error::Failure(failure)) = compose(&sasl("PLAIN"), &given) else { panic!("composed") };
        let cause = failure.cause.expect("cause");
        for part in ["missing: username, password, CONNECTOR_PASSWORD", "did you mean username?", "holds a colon"] {
            assert!(cause.contains(part), "{cause}");
        }
        assert!(!cause.contains("hunter2"));
    }

    #[test]
    fn scram_takes_ascii_names_only() {
        let mut given = answers(&[("username", "käthe"), ("password", "ü")]);
        for (name, value) in [("registry.username", "r"), ("registry.password", "s"), ("CONNECTOR_PASSWORD", "x")] {
            given.insert(name, Secret::new(value));
        }
        assert!(compose(&sasl("PLAIN"), &given).is_ok());
        let Err(Error::Failure(failure)) = compose(&sasl("SCRAM-SHA-512"), &given) else { panic!("composed") };
        assert!(failure.cause.is_some_and(|cause| cause.contains("ASCII letters only")));
    }

    #[test]
    fn a_client_may_have_an_account_of_its_own() {
        let given = answers(&[
            ("username", "u"),
            ("password", "p"),
            ("producer.username", "pu"),
            ("producer.password", "pp"),
            ("registry.username", "r"),
            ("registry.password", "s"),
            ("CONNECTOR_PASSWORD", "ü\\"),
        ]);
        let document = compose(&sasl("PLAIN"), &given).expect("compose");
        let get = |key: &str| document.get(key).expect(key).expose().to_owned();
        assert!(get("CONNECT_SASL_JAAS_CONFIG").ends_with("PlainLoginModule required username=\"u\" password=\"p\";"));
        assert!(get("CONNECT_PRODUCER_SASL_JAAS_CONFIG").ends_with("username=\"pu\" password=\"pp\";"));
        assert_eq!(get("CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO"), "r:s");
        assert_eq!(get("CONNECTOR_PASSWORD"), "ü\\", "a variable that is no property is not escaped");
    }

    #[test]
    fn a_secret_without_named_keys_brings_what_is_lacking() {
        let found = structured(
            &[
                ("CONNECT_BOOTSTRAP_SERVERS", "a:9092"),
                ("CONNECT_SECURITY_PROTOCOL", "SASL_SSL"),
                ("CONNECT_SASL_MECHANISM", "PLAIN"),
                ("CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE", "USER_INFO"),
            ],
            None,
        );
        let names: Vec<&str> = found.keys.iter().map(|key| key.name.as_str()).collect();
        assert!(names.contains(&"CONNECT_SASL_JAAS_CONFIG") && names.contains(&"CONNECT_ADMIN_SASL_JAAS_CONFIG"));
        assert!(names.contains(&"CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO") && names.contains(&"CONNECT_GROUP_ID"));
        assert!(!names.contains(&"CONNECT_BOOTSTRAP_SERVERS") && !names.contains(&"CONNECT_PRODUCER_SASL_JAAS_CONFIG"));
    }

    #[test]
    fn answers_are_read_from_lines_and_from_json() {
        let lines = Answers::parse(&Secret::new("# a comment\nusername=u\r\npassword= a=b \n\n")).expect("lines");
        assert_eq!(lines.get("username").expect("username").expose(), "u");
        assert_eq!(lines.get("password").expect("password").expose(), " a=b ");
        let json = Answers::parse(&Secret::new("{\"username\": \"u\", \"password\": \"a\\nb\"}")).expect("json");
        assert_eq!(json.get("password").expect("password").expose(), "a\nb");
        for wrong in ["nothing", "=x", "a=1\na=2", "{\"a\": 1}", "{", "{\"a\": \"hunter2\""] {
            let Err(Error::Failure(failure)) = Answers::parse(&Secret::new(wrong)) else { panic!("{wrong}") };
            assert!(!format!("{failure:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_stored_secret_is_read_with_what_is_odd_about_it() {
        let document = SecretDocument::parse(&Secret::new("{\"a\": \"x\", \"b\": 5}")).expect("document");
        assert_eq!((document.keys().collect::<Vec<_>>(), document.odd.as_slice()), (vec!["a", "b"], &["b".to_owned()][..]));
        assert!(matches!(SecretDocument::parse(&Secret::new("plain text")), Err(DocumentError::NotJson { .. })));
        assert!(matches!(SecretDocument::parse(&Secret::new("[1]")), Err(DocumentError::NotAnObject)));
    }

    proptest! {
        /// answers → JAAS → properties → JSON → container's variable → the image's rule → JAAS: the password comes through.
        #[test]
        fn a_password_survives_every_layer(username in "[ -~]{1,12}", password in "[\"'\\\\$;=#:{}% \t\n\rA-Za-z0-9é😀]{1,20}|[^\0]{1,20}") {
            let catalogue = Catalogue::builtin().expect("profiles");
            let connect = catalogue.component("connect").expect("connect");
            let given = answers(&[
                ("username", &username), ("password", &password), ("registry.username", "r"), ("registry.password", &password),
                ("CONNECTOR_PASSWORD", &password),
            ]);
            let stored = compose(&sasl("SCRAM-SHA-512"), &given).expect("compose").to_json();
            let document = SecretDocument::parse(&stored).expect("document");
            let environment: Environment = document
                .iter()
                .map(|(key, value)| (key, Text::secret("connect", Some(key), Some(value.clone()), None)))
                .collect();
            let found = properties(connect, IMAGE, &environment);
            for client in clients(connect, &found) {
                let jaas = client.jaas().expect("set").expect("valid");
                prop_assert_eq!(jaas.username().expect("username").expose(), &username);
                prop_assert_eq!(jaas.password().expect("password").expose(), &password);
            }
            let registry = found.get("value.converter.basic.auth.user.info").expect("user info").value.to_secret().expect("read");
            prop_assert_eq!(registry.expose(), format!("r:{password}"));
            prop_assert_eq!(document.get("CONNECTOR_PASSWORD").expect("given").expose(), &password);
        }
    }
}
