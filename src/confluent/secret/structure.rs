//! Which keys a secret has, and what each is made from.

use crate::confluent::client::KafkaClient;
use crate::confluent::naming::{Tool, meant_property, property_names};
use crate::confluent::properties::Properties;
use crate::confluent::{Protocol, variable_name};
use crate::profile::{Catalogue, Component, Credentials, EnvironmentRule, KeySource};

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
    /// A complete `sasl.jaas.config` for an OAuth client: its id and secret, and what else the token endpoint wants to know.
    ClientCredentials { client: String, module: String, options: Vec<(String, String)> },
    /// The certificate chain that this client shows, or its private key: PEM, which ends up on one line.
    Identity { client: String, part: IdentityPart },
    /// `user:password` for this registry client.
    UserInfo { registry: String },
    /// The answer itself, under the key's own name; escaped where the start script makes a property of it.
    AsGiven { property: bool },
}

/// One half of what a client proves itself with on a TLS listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityPart {
    Certificate,
    PrivateKey,
}

impl IdentityPart {
    /// The name of its answer.
    pub fn answer(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::PrivateKey => "key",
        }
    }
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
/// lack for a login, and what the start script requires and nobody sets. `oauth` are the options of an OAuth login that are no secret.
pub fn structure(
    catalogue: &Catalogue,
    component: &Component,
    clients: &[KafkaClient],
    properties: &Properties,
    json_keys: Option<&[JsonKey]>,
    oauth: &[(String, String)],
) -> Structure {
    let shape = Shape { catalogue, component, clients, properties, oauth };
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
    oauth: &'a [(String, String)],
}

impl Shape<'_> {
    fn rule(&self) -> &EnvironmentRule {
        &self.component.environment
    }

    fn composition(&self, variable: &str) -> Composition {
        let known = self.component.secret.keys.iter().find(|key| key.variable == variable);
        let identity = |client: &String, part| Composition::Identity { client: client.clone(), part };
        match known.map(|key| &key.from) {
            Some(KeySource::UserInfo(registry)) => return Composition::UserInfo { registry: registry.clone() },
            Some(KeySource::Certificate(client)) => return identity(client, IdentityPart::Certificate),
            Some(KeySource::PrivateKey(client)) => return identity(client, IdentityPart::PrivateKey),
            Some(KeySource::Jaas(_) | KeySource::License) | None => {}
        }
        let property = meant_property(self.rule(), variable);
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
        let (client, module) = (client.name.clone(), mechanism.module.clone());
        match mechanism.credentials {
            Credentials::UsernamePassword => {
                Some(Composition::Login { client, module, ascii_username: mechanism.ascii_username })
            }
            Credentials::ClientCredentials => {
                Some(Composition::ClientCredentials { client, module, options: self.oauth.to_vec() })
            }
            Credentials::None | Credentials::Other => None,
        }
    }

    /// The variables that a secret without named keys has to bring.
    fn lacking(&self) -> Vec<String> {
        let required =
            self.component.environment.required.iter().filter(|required| required.when.is_none() && !required.advertised);
        let mut wanted: Vec<String> = required.map(|required| required.variable.clone()).collect();
        wanted.extend(self.logins().iter().map(|prefix| variable_name(self.rule(), &format!("{prefix}{LOGIN}"))));
        for registry in &self.component.registries {
            let source = self.properties.word(&registry.credentials_source);
            if source == Some("USER_INFO") {
                wanted.push(variable_name(self.rule(), &registry.url));
                let set = registry.user_info.iter().any(|name| self.properties.get(name).is_some());
                wanted.extend(registry.user_info.first().filter(|_| !set).map(|name| variable_name(self.rule(), name)));
            }
        }
        // One variable may set several properties, each of which may have a variable of its own too.
        let is_set = |variable: &String| {
            let sets = property_names(self.rule(), Tool::Dub, variable);
            !sets.is_empty() && sets.iter().all(|(name, _)| self.properties.get(name).is_some())
        };
        wanted.retain(|variable| !is_set(variable));
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
                Composition::ClientCredentials { .. } => {
                    ask("client-id", "OAuth client id".to_owned(), false);
                    ask("client-secret", "OAuth client secret".to_owned(), true);
                }
                Composition::Identity { part, .. } => {
                    let label = match part {
                        IdentityPart::Certificate => "Client certificate with its chain, PEM",
                        IdentityPart::PrivateKey => "Private key of the client certificate, PEM (PKCS #8)",
                    };
                    ask(part.answer(), label.to_owned(), *part == IdentityPart::PrivateKey);
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
            let (own, parts): (_, &[&str]) = match &key.composition {
                Composition::Login { client, .. } => (client, &["username", "password"]),
                Composition::UserInfo { registry } => (registry, &["username", "password"]),
                Composition::ClientCredentials { client, .. } => (client, &["client-id", "client-secret"]),
                Composition::Identity { client, .. } => (client, &["certificate", "key"]),
                Composition::AsGiven { .. } => continue,
            };
            for part in parts {
                let name = format!("{own}.{part}");
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }
}
