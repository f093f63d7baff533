//! Findings on keystores and truststores: settings that Kafka's client refuses together, before it has asked any broker.
//!
//! Comes in: one client. Goes out: what is wrong, each with the property at fault. Looks at what is set and at public words; a key or a
//! password is never read. Source: Apache Kafka, DefaultSslEngineFactory.

use super::client::KafkaClient;

/// A property at fault, what is wrong with it, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoreFault {
    pub(super) property: String,
    /// What all properties of the store begin with.
    pub(super) store: &'static str,
    pub(super) message: String,
    pub(super) help: String,
}

/// What is wrong with the stores of a client that speaks TLS.
pub(super) fn faults(client: &KafkaClient) -> Vec<StoreFault> {
    let mut found: Vec<StoreFault> = outdated(client).into_iter().collect();
    let truststore = Store { client, which: "truststore", inline: &["certificates"] };
    let keystore = Store { client, which: "keystore", inline: &["key", "certificate.chain"] };
    for store in [truststore, keystore] {
        found.extend(store.fault());
    }
    found
}

/// A client that allows no version of TLS that is left in Java. Source: JDK-8202343.
fn outdated(client: &KafkaClient) -> Option<StoreFault> {
    let versions = client.tls_versions();
    if versions.is_empty() || versions.iter().any(|version| ["TLSv1.2", "TLSv1.3"].contains(&version.as_str())) {
        return None;
    }
    let property = "ssl.enabled.protocols".to_owned();
    let message = format!("{property} allows {} and nothing that Java still speaks", versions.join(", "));
    let help = "leave it out: TLSv1.2 and TLSv1.3 are allowed then".to_owned();
    Some(StoreFault { property, store: "ssl.enabled.", message, help })
}

struct Store<'a> {
    client: &'a KafkaClient,
    which: &'static str,
    /// The properties that hold it themselves.
    inline: &'static [&'static str],
}

impl Store<'_> {
    fn property(&self, name: &str) -> String {
        format!("ssl.{}.{name}", self.which)
    }

    fn has(&self, name: &str) -> bool {
        self.client.setting(&self.property(name)).is_some_and(|setting| setting.value.raw() != Some(""))
    }

    fn fault(&self) -> Option<StoreFault> {
        let fault = |name: &str, message: String, help: String| {
            let store = if self.which == "keystore" { "ssl.keystore." } else { "ssl.truststore." };
            Some(StoreFault { property: self.property(name), store, message, help })
        };
        let kind = self.client.setting(&self.property("type")).map(|setting| setting.value.raw().map(str::trim));
        // A type that isn't read may be any.
        let is_pem = match kind {
            Some(None) => return None,
            Some(Some(kind)) => kind == "PEM",
            None => false,
        };
        let set: Vec<&str> = self.inline.iter().copied().filter(|name| self.has(name)).collect();
        let Some(first) = set.first().copied() else {
            return self.file_fault(is_pem).and_then(|(name, message, help)| fault(name, message, help));
        };
        let inline = self.property(first);
        if !is_pem {
            let now = kind.flatten().unwrap_or("JKS");
            let message = format!("{inline} takes PEM, and {} is {now}", self.property("type"));
            return fault("type", message, "write PEM, in capital letters".to_owned());
        }
        if let Some(missing) = self.inline.iter().find(|name| !set.contains(name)) {
            let message = format!("{inline} is set, and {} is not", self.property(missing));
            return fault(first, message, format!("set {} too", self.property(missing)));
        }
        if self.has("location") {
            let message = format!("{inline} and {} are both set", self.property("location"));
            return fault("location", message, "leave one of them out".to_owned());
        }
        self.has("password").then_some(())?;
        let message = format!("{} is set, and PEM has no password of its own", self.property("password"));
        fault("password", message, self.without_password())
    }

    /// A store that is a file, or none.
    fn file_fault(&self, is_pem: bool) -> Option<(&'static str, String, String)> {
        let (location, password) = (self.property("location"), self.property("password"));
        match (self.has("location"), self.has("password")) {
            (false, true) => Some((
                "password",
                format!("{password} is set, and {location} is not"),
                format!("set {location}, or leave both out"),
            )),
            (true, true) if is_pem => {
                Some(("password", format!("{password} is set, and PEM has no password of its own"), self.without_password()))
            }
            (true, false) if !is_pem && self.which == "keystore" => {
                Some(("location", format!("{location} is set, and {password} is not"), format!("set {password} too")))
            }
            _ => None,
        }
    }

    fn without_password(&self) -> String {
        let of_key = if self.which == "keystore" { "; the password of an encrypted key is ssl.key.password" } else { "" };
        format!("leave it out{of_key}")
    }
}
