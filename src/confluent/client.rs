//! The Kafka and registry clients inside a component, each with its effective settings, by Kafka's own rules of inheritance.

use std::collections::BTreeMap;
use std::fmt;

use super::environment::Text;
use super::jaas::{Jaas, JaasError};
use super::properties::Properties;
use crate::profile::{Component, Inherits};

/// A setting of a client: its value, and which variable it comes from.
#[derive(Debug, Clone)]
pub struct Setting {
    pub value: Text,
    pub variable: String,
    /// It was set for the worker, and the client took it over.
    pub inherited: bool,
}

impl Setting {
    /// The URLs of HTTP in the value. A login that stands in one is left out: the address alone is no credential.
    pub fn urls(&self) -> Vec<String> {
        let words = self.value.raw().unwrap_or_default().split([',', ' ']);
        let bare = |word: &str| {
            let (scheme, rest) = word.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
            let end = rest.find('/').unwrap_or(rest.len());
            let start = rest[..end].rfind('@').map_or(0, |at| at + 1);
            Some(format!("{scheme}://{}", &rest[start..]))
        };
        words.filter_map(bare).collect()
    }
}

/// What a client speaks. The default of every Java client is `PLAINTEXT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Plaintext,
    Ssl,
    SaslPlaintext,
    SaslSsl,
}

impl Protocol {
    /// Kafka takes the name in any case.
    pub fn parse(text: &str) -> Option<Self> {
        let all = [Self::Plaintext, Self::Ssl, Self::SaslPlaintext, Self::SaslSsl];
        all.into_iter().find(|protocol| protocol.name().eq_ignore_ascii_case(text.trim()))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Plaintext => "PLAINTEXT",
            Self::Ssl => "SSL",
            Self::SaslPlaintext => "SASL_PLAINTEXT",
            Self::SaslSsl => "SASL_SSL",
        }
    }

    pub fn tls(self) -> bool {
        matches!(self, Self::Ssl | Self::SaslSsl)
    }

    pub fn sasl(self) -> bool {
        matches!(self, Self::SaslPlaintext | Self::SaslSsl)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Kafka client inside a component.
#[derive(Debug, Clone)]
pub struct KafkaClient {
    /// `worker`, `producer`, …
    pub name: String,
    /// The prefix of its properties, `producer.`; empty for the component's own.
    pub prefix: String,
    /// What it is for.
    pub why: String,
    settings: BTreeMap<String, Setting>,
}

impl KafkaClient {
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        self.settings.get(name)
    }

    pub fn settings(&self) -> impl Iterator<Item = (&str, &Setting)> {
        self.settings.iter().map(|(name, setting)| (name.as_str(), setting))
    }

    /// The property that sets something for this client, as in `producer.sasl.mechanism`.
    pub fn property(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The addresses to start from, `host:port`. `None` when nothing is set or its secret wasn't read. An address is no
    /// credential, also where people keep it in a secret.
    pub fn bootstrap_servers(&self) -> Option<Vec<String>> {
        let text = self.word("bootstrap.servers")?;
        Some(text.split(',').map(str::trim).filter(|server| !server.is_empty()).map(str::to_owned).collect())
    }

    /// The protocol; an error holds a word that Kafka doesn't know. Unset it is `PLAINTEXT`.
    pub fn protocol(&self) -> Result<Protocol, String> {
        match self.word("security.protocol") {
            None => Ok(Protocol::Plaintext),
            Some(word) => Protocol::parse(word).ok_or_else(|| word.to_owned()),
        }
    }

    /// The SASL mechanism. Unset it is `GSSAPI`, Kafka's own default.
    pub fn mechanism(&self) -> &str {
        self.word("sasl.mechanism").unwrap_or("GSSAPI")
    }

    /// The login, read as Kafka reads it. `None` when nothing is set or its secret wasn't read.
    pub fn jaas(&self) -> Option<Result<Jaas, JaasError>> {
        self.setting("sasl.jaas.config")?.value.raw().map(Jaas::parse)
    }

    /// Whether broker certificates are checked for the host's name: Kafka's default, switched off by an empty value.
    pub fn verifies_host_name(&self) -> bool {
        self.word("ssl.endpoint.identification.algorithm").is_none_or(|word| !word.is_empty())
    }

    /// The versions of TLS that the client allows; empty where nothing is set.
    pub fn tls_versions(&self) -> Vec<String> {
        let names = self.word("ssl.enabled.protocols").unwrap_or_default().split(',').map(str::trim);
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    /// Certificates to trust instead of Java's own, where they are inline PEM. They are public.
    pub fn trusted_pem(&self) -> Option<&str> {
        self.pem("ssl.truststore.type").then(|| self.word("ssl.truststore.certificates")).flatten()
    }

    /// The client's own certificate chain and its key, where they are inline PEM.
    pub fn identity_pem(&self) -> Option<(&str, crate::base::Secret)> {
        let chain = self.pem("ssl.keystore.type").then(|| self.word("ssl.keystore.certificate.chain")).flatten()?;
        Some((chain, self.setting("ssl.keystore.key")?.value.to_secret()?))
    }

    /// The password of an inline key.
    pub fn key_password(&self) -> Option<crate::base::Secret> {
        self.setting("ssl.key.password")?.value.to_secret()
    }

    fn pem(&self, kind: &str) -> bool {
        self.word(kind).is_some_and(|word| word.eq_ignore_ascii_case("PEM"))
    }

    /// Whether all that a connection takes has been read.
    pub fn is_read(&self) -> bool {
        self.settings.values().all(|setting| setting.value.is_read())
    }

    fn word(&self, name: &str) -> Option<&str> {
        self.setting(name)?.value.raw().map(str::trim)
    }
}

/// The Kafka clients of a component, in the profile's order.
pub fn clients(component: &Component, properties: &Properties) -> Vec<KafkaClient> {
    let prefixes: Vec<&str> =
        component.clients.iter().map(|client| client.prefix.as_str()).filter(|prefix| !prefix.is_empty()).collect();
    component
        .clients
        .iter()
        .map(|client| {
            let mut settings = BTreeMap::new();
            for (name, property) in properties.iter() {
                let inherited = match client.inherits {
                    Inherits::Nothing => false,
                    Inherits::Bootstrap => name == "bootstrap.servers",
                    Inherits::Everything => !prefixes.iter().any(|prefix| name.starts_with(prefix)),
                };
                if inherited {
                    let setting = Setting { value: property.value.clone(), variable: property.variable.clone(), inherited };
                    settings.insert(name.to_owned(), setting);
                }
            }
            for (name, property) in properties.iter() {
                if let Some(own) = name.strip_prefix(&client.prefix) {
                    let setting =
                        Setting { value: property.value.clone(), variable: property.variable.clone(), inherited: false };
                    settings.insert(own.to_owned(), setting);
                }
            }
            KafkaClient { name: client.name.clone(), prefix: client.prefix.clone(), why: client.why.clone(), settings }
        })
        .collect()
}

/// A client of a schema registry inside a component, where a URL is set for it.
#[derive(Debug, Clone)]
pub struct RegistryClient {
    pub name: String,
    /// Several may be set, separated by commas.
    pub urls: Vec<String>,
    pub url: Setting,
    /// `user:password`, where the client logs in.
    pub user_info: Option<Setting>,
    /// All that is set for it, without its prefix.
    pub settings: BTreeMap<String, Setting>,
}

/// The registry clients of a component that have a URL.
pub fn registries(component: &Component, properties: &Properties) -> Vec<RegistryClient> {
    let setting = |name: &str| {
        let property = properties.get(name)?;
        Some(Setting { value: property.value.clone(), variable: property.variable.clone(), inherited: false })
    };
    component
        .registries
        .iter()
        .filter_map(|registry| {
            let url = setting(&registry.url)?;
            let urls = url.value.raw().map(|text| text.split(',').map(|url| url.trim().to_owned()).collect()).unwrap_or_default();
            let user_info = registry.user_info.iter().find_map(|name| setting(name));
            let settings = properties.iter().filter_map(|(name, _)| {
                let own = name.strip_prefix(registry.prefix.as_str()).filter(|_| !registry.prefix.is_empty())?;
                Some((own.to_owned(), setting(name)?))
            });
            let settings = settings.collect();
            Some(RegistryClient { name: registry.name.clone(), urls, url, user_info, settings })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Protocol, clients, registries};
    use crate::base::Secret;
    use crate::confluent::{Environment, Properties, Text, properties};
    use crate::profile::Catalogue;

    const IMAGE: &str = "cp-kafka-connect:8.0.7";

    fn read(variables: &[(&str, &str)]) -> Properties {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let environment: Environment = variables.iter().map(|(name, value)| (*name, Text::plain(*value, None))).collect();
        properties(connect, IMAGE, &environment)
    }

    /// Apache Kafka's Worker: a producer takes over the addresses and nothing else, an admin client everything.
    #[test]
    fn clients_inherit_as_the_worker_lets_them() {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let found = read(&[
            ("CONNECT_BOOTSTRAP_SERVERS", "a:9092, b:9092"),
            ("CONNECT_SECURITY_PROTOCOL", "sasl_ssl"),
            ("CONNECT_SASL_MECHANISM", "PLAIN"),
            ("CONNECT_SASL_JAAS_CONFIG", "m required username=\"w\" password=\"p\";"),
            ("CONNECT_PRODUCER_SASL_MECHANISM", "SCRAM-SHA-512"),
            ("CONNECT_CONSUMER_BOOTSTRAP_SERVERS", "c:9093"),
            ("CONNECT_ADMIN_SASL_JAAS_CONFIG", "m required username=\"a\" password=\"p\";"),
        ]);
        let [worker, producer, consumer, admin] = clients(connect, &found).try_into().expect("four clients");
        assert_eq!(worker.bootstrap_servers().expect("bootstrap"), ["a:9092", "b:9092"]);
        assert_eq!(worker.protocol(), Ok(Protocol::SaslSsl));
        assert_eq!(producer.bootstrap_servers().expect("bootstrap"), ["a:9092", "b:9092"]);
        assert_eq!(producer.protocol(), Ok(Protocol::Plaintext));
        assert_eq!(producer.mechanism(), "SCRAM-SHA-512");
        assert!(producer.jaas().is_none());
        assert_eq!(consumer.bootstrap_servers().expect("bootstrap"), ["c:9093"]);
        assert_eq!((admin.protocol(), admin.mechanism()), (Ok(Protocol::SaslSsl), "PLAIN"));
        let login =
            |client: &super::KafkaClient| client.jaas().expect("set").expect("valid").username().map(|u| u.expose().to_owned());
        assert_eq!((login(&worker), login(&admin)), (Some("w".to_owned()), Some("a".to_owned())));
        assert!(admin.setting("producer.sasl.mechanism").is_none());
        assert!(admin.setting("security.protocol").expect("protocol").inherited);
    }

    #[test]
    fn pem_on_one_line_is_read_back_as_lines() {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
        let found =
            read(&[("CONNECT_SSL_TRUSTSTORE_TYPE", "PEM"), ("CONNECT_SSL_TRUSTSTORE_CERTIFICATES", &super::super::escape(pem))]);
        assert_eq!(clients(connect, &found)[0].trusted_pem(), Some(pem.trim()));
    }

    #[test]
    fn a_registry_client_is_there_when_it_has_a_url() {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let environment: Environment = [
            ("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL", Text::plain("https://a, https://b", None)),
            ("CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO", Text::secret("s", None, Some(Secret::new("u:p")), None)),
        ]
        .into_iter()
        .collect();
        let found = registries(connect, &properties(connect, IMAGE, &environment));
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].name.as_str(), found[0].urls.as_slice()),
            ("value-converter", &["https://a".into(), "https://b".into()][..])
        );
        assert_eq!(found[0].user_info.as_ref().expect("user info").variable, "CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO");
    }
}
