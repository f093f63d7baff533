//! Which keys a secret has, and what each is made from.

use crate::confluent::client::KafkaClient;
use crate::confluent::naming::{Tool, property_name};
use crate::confluent::properties::Properties;
use crate::confluent::{Protocol, variable_name};
use crate::profile::{Catalogue, Component, Credentials, KeySource};

/// The setting that holds a login.
const LOGIN: &str = "sasl.jaas.config";

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
    let shape = Shape { catalogue, component, clients, properties };
    let key = |name: &str, variable: &str| Key {
        name: name.to_owned(),
        variable: variable.to_owned(),
        composition: shape.composition(variable),
    };
    let keys = match json_keys {
        Some(named) => named.iter().map(|named| key(&named.secret_key, &named.variable)).collect(),
        None => shape.lacking().iter().map(|variable| key(variable, variable)).collect(),
    };
    Structure { keys }
}

struct Shape<'a> {
    catalogue: &'a Catalogue,
    component: &'a Component,
    clients: &'a [KafkaClient],
    properties: &'a Properties,
}

impl Shape<'_> {
    fn prefix(&self) -> &str {
        &self.component.environment.prefix
    }

    fn composition(&self, variable: &str) -> Composition {
        let known = self.component.secret.keys.iter().find(|key| key.variable == variable);
        if let Some(KeySource::UserInfo(registry)) = known.map(|key| &key.from) {
            return Composition::UserInfo { registry: registry.clone() };
        }
        let property = variable.strip_prefix(self.prefix()).map(|rest| property_name(Tool::Dub, rest));
        let login = property.as_deref().and_then(|property| self.login(property.strip_suffix(LOGIN)?));
        login.unwrap_or(Composition::AsGiven { property: property.is_some() })
    }

    /// The login of whatever has its settings under a prefix: a client, or something inside of one, as an interceptor of the
    /// producer, which is the producer to the broker unless answers say otherwise.
    fn login(&self, prefix: &str) -> Option<Composition> {
        let around = self.clients.iter().filter(|client| prefix.starts_with(&client.prefix));
        let client = around.max_by_key(|client| client.prefix.len())?;
        let own = self.properties.word(&format!("{prefix}sasl.mechanism"));
        let mechanism = self.catalogue.kafka().mechanism(own.unwrap_or_else(|| client.mechanism()))?;
        (mechanism.credentials == Credentials::UsernamePassword).then(|| Composition::Login {
            client: client.name.clone(),
            module: mechanism.module.clone(),
            ascii_username: mechanism.ascii_username,
        })
    }

    /// The variables that a secret without named keys has to bring.
    fn lacking(&self) -> Vec<String> {
        let required =
            self.component.environment.required.iter().filter(|required| required.when.is_none() && !required.advertised);
        let mut wanted: Vec<String> = required.map(|required| required.variable.clone()).collect();
        wanted.extend(self.logins().iter().map(|prefix| variable_name(self.prefix(), &format!("{prefix}{LOGIN}"))));
        for registry in &self.component.registries {
            let source = self.properties.word(&format!("{}basic.auth.credentials.source", registry.prefix));
            if source == Some("USER_INFO") {
                wanted.push(variable_name(self.prefix(), &registry.url));
                let set = registry.user_info.iter().any(|name| self.properties.get(name).is_some());
                wanted.extend(registry.user_info.first().filter(|_| !set).map(|name| variable_name(self.prefix(), name)));
            }
        }
        wanted.retain(|variable| !self.properties.iter().any(|(_, property)| property.variable == *variable));
        wanted
    }

    /// The prefixes under which something logs in with user name and password: clients, and what is inside of them.
    fn logins(&self) -> Vec<String> {
        let sasl = |client: &&KafkaClient| client.protocol().is_ok_and(Protocol::sasl);
        let mut prefixes: Vec<String> = self.clients.iter().filter(sasl).map(|client| client.prefix.clone()).collect();
        for (name, _) in self.properties.iter() {
            let Some(prefix) = name.strip_suffix("sasl.mechanism") else { continue };
            let protocol = self.properties.word(&format!("{prefix}security.protocol")).and_then(Protocol::parse);
            if protocol.is_some_and(Protocol::sasl) && !prefixes.iter().any(|known| known == prefix) {
                prefixes.push(prefix.to_owned());
            }
        }
        prefixes.retain(|prefix| self.login(prefix).is_some());
        prefixes
    }
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
    pub(super) fn names(&self) -> Vec<String> {
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
