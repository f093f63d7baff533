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
    /// Without it something doesn't start. Else it is there when its answer is.
    pub required: bool,
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
    /// `user:password` for this registry client; escaped where the start script makes a property of it.
    UserInfo { registry: String, property: bool },
    /// The address of this registry client's registry.
    RegistryUrl { registry: String, property: bool },
    /// The licence.
    License { property: bool },
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

/// How a container gets a secret.
#[derive(Debug, Clone, Copy)]
pub enum Injected<'a> {
    /// Key by key, as the compose files name them.
    Keys(&'a [JsonKey]),
    /// In one variable that a start script splits: the keys are what the clients lack for a login, and what the image requires and nobody
    /// sets. A script of the user's own may read more.
    Whole { own_script: bool },
}

/// The structure of a service's secret. `oauth` are the options of an OAuth login that are no secret.
pub fn structure(
    catalogue: &Catalogue,
    component: &Component,
    clients: &[KafkaClient],
    properties: &Properties,
    injected: Injected<'_>,
    oauth: &[(String, String)],
) -> Structure {
    let shape = Shape { catalogue, component, clients, properties, oauth };
    let key = |name: &str, variable: &str, required: bool| Key {
        name: name.to_owned(),
        variable: variable.to_owned(),
        composition: shape.composition(variable),
        required,
    };
    let keys = match injected {
        Injected::Keys(named) => named.iter().map(|named| key(&named.secret_key, &named.variable, true)).collect(),
        Injected::Whole { own_script } => {
            let mut keys: Vec<Key> = shape.lacking().iter().map(|variable| key(variable, variable, true)).collect();
            let own = component.secret.keys.iter().filter(|key| key.from == KeySource::License);
            let of_scripts = component.secret.of_scripts.iter().filter(|_| own_script);
            for more in own.chain(of_scripts) {
                let more = key(&more.variable, &more.variable, false);
                let known = keys.iter().any(|known| known.composition.asks_as(&more.composition));
                if known || matches!(more.composition, Composition::License { .. }) {
                    keys.push(more);
                }
            }
            keys
        }
    };
    Structure { keys }
}

impl Composition {
    /// Whether another key is made from the same answers.
    fn asks_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::UserInfo { registry, .. }, Self::UserInfo { registry: others, .. })
            | (Self::RegistryUrl { registry, .. }, Self::RegistryUrl { registry: others, .. }) => registry == others,
            _ => false,
        }
    }
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
        let keys = &self.component.secret;
        let known = keys.keys.iter().chain(&keys.of_scripts).find(|key| key.variable == variable);
        let identity = |client: &String, part| Composition::Identity { client: client.clone(), part };
        let meant = meant_property(self.rule(), variable);
        let property = meant.is_some();
        match known.map(|key| &key.from) {
            Some(KeySource::UserInfo(registry)) => return Composition::UserInfo { registry: registry.clone(), property },
            Some(KeySource::RegistryUrl(registry)) => return Composition::RegistryUrl { registry: registry.clone(), property },
            Some(KeySource::License) => return Composition::License { property },
            Some(KeySource::Certificate(client)) => return identity(client, IdentityPart::Certificate),
            Some(KeySource::PrivateKey(client)) => return identity(client, IdentityPart::PrivateKey),
            Some(KeySource::Jaas(_)) | None => {}
        }
        if let Some(registry) = self.component.registries.iter().find(|registry| meant.as_ref() == Some(&registry.url)) {
            return Composition::RegistryUrl { registry: registry.name.clone(), property };
        }
        let login = meant.as_deref().and_then(|property| self.login(property.strip_suffix(LOGIN)?));
        login.unwrap_or(Composition::AsGiven { property })
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
                // The spelling that every line of the images reads, and Confluent's own examples have.
                wanted.extend(registry.user_info.last().filter(|_| !set).map(|name| variable_name(self.rule(), name)));
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
        // What a client takes over from the component, it takes with the login.
        let own = |client: &&KafkaClient| {
            let inherits = |name: &str| client.setting(name).is_some_and(|setting| setting.inherited);
            client.prefix.is_empty() || !(inherits("security.protocol") && inherits("sasl.mechanism"))
        };
        let sasl = |client: &&KafkaClient| client.protocol().is_ok_and(Protocol::sasl) && own(client);
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
    /// The same without the keys that a licence is in, where it can be without them.
    #[must_use]
    pub fn without_license(&self) -> Self {
        let is_one = |key: &Key| !key.required && matches!(key.composition, Composition::License { .. });
        Self { keys: self.keys.iter().filter(|key| !is_one(key)).cloned().collect() }
    }

    /// The keys that something doesn't start without, and those that it can be without.
    pub fn key_names(&self) -> (Vec<String>, Vec<String>) {
        let (required, other): (Vec<&Key>, Vec<&Key>) = self.keys.iter().partition(|key| key.required);
        let names = |keys: Vec<&Key>| keys.into_iter().map(|key| key.name.clone()).collect();
        (names(required), names(other))
    }

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
                Composition::RegistryUrl { .. } => ask("registry.url", "Schema registry URL".to_owned(), false),
                Composition::License { .. } => {
                    let none = if key.required { "" } else { ", empty for none" };
                    ask("license", format!("Licence of Confluent Platform{none}"), true);
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
                Composition::UserInfo { registry, .. } => (registry, &["username", "password"]),
                Composition::RegistryUrl { registry, .. } => {
                    names.push(key.name.clone());
                    (registry, &["url"])
                }
                Composition::ClientCredentials { client, .. } => (client, &["client-id", "client-secret"]),
                Composition::Identity { client, .. } => (client, &["certificate", "key"]),
                Composition::License { .. } => {
                    names.push(key.name.clone());
                    continue;
                }
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
