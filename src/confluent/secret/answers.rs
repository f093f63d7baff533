//! Plain answers, and the document that is composed from them.

use std::collections::BTreeMap;

use super::document::SecretDocument;
use super::structure::{Composition, IdentityPart, Structure};
use crate::base::{Failure, Result, Secret, nearest};
use crate::confluent::jaas::Jaas;
use crate::confluent::properties::escape;

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
        // What other editors put before the first letter is no part of a name.
        let text = text.expose().trim_start_matches('\u{feff}');
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
        Ok(Self(document.into_entries().collect()))
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
                    if key.required && !missing.contains(&name) {
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
            Composition::ClientCredentials { client, module, options } => {
                let (id, secret) = (answer(Some(client), "", "client-id"), answer(Some(client), "", "client-secret"));
                id.zip(secret).map(|(id, secret)| {
                    let options = options.iter().map(|(name, value)| (name.as_str(), Secret::new(value.clone())));
                    let own = [("clientId", id), ("clientSecret", secret)].into_iter().chain(options);
                    Secret::new(escape(Jaas::with_options(module, own).compose().expose()))
                })
            }
            Composition::Identity { client, part } => {
                answer(Some(client), "", part.answer()).and_then(|given| match pem(*part, given.expose()) {
                    Ok(pem) => Some(Secret::new(escape(&pem))),
                    Err(trouble) => {
                        wrong.push(format!("{} {trouble}", part.answer()));
                        None
                    }
                })
            }
            Composition::RegistryUrl { registry, property } => {
                let given = answers.get(&key.name).filter(|url| !url.expose().is_empty()).cloned();
                given.or_else(|| answer(Some(registry), "registry", "url")).map(|url| escaped(url, *property))
            }
            Composition::License { property } => {
                let given = answers.get(&key.name).filter(|license| !license.expose().is_empty()).cloned();
                given.or_else(|| answer(None, "", "license")).map(|license| escaped(license, *property))
            }
            Composition::UserInfo { registry, property } => {
                let username = answer(Some(registry), "registry", "username");
                let password = answer(Some(registry), "registry", "password");
                username.zip(password).and_then(|(username, password)| {
                    if username.expose().contains(':') {
                        wrong.push("registry.username holds a colon, which ends the name in user:password".to_owned());
                        return None;
                    }
                    Some(escaped(Secret::new(format!("{}:{}", username.expose(), password.expose())), *property))
                })
            }
            Composition::AsGiven { property } => answer(None, "", &key.name).map(|value| escaped(value, *property)),
        };
        entries.extend(value.map(|value| (key.name.clone(), value)));
    }
    if !missing.is_empty() {
        wrong.insert(0, format!("missing: {}", missing.join(", ")));
    }
    wrong.dedup();
    if wrong.is_empty() {
        Ok(SecretDocument::new(entries))
    } else {
        let failure = Failure::usage("the secret can't be composed from these answers").cause(wrong.join("\n"));
        Err(failure.help("give the answers as name=value lines, from a file or standard input").into())
    }
}

/// A value as the start script hands it on: through a properties file, or as it is.
fn escaped(value: Secret, property: bool) -> Secret {
    if property { Secret::new(escape(value.expose())) } else { value }
}

/// The blocks of a PEM text that belong into a key store, as Kafka reads them. Kafka takes a key in PKCS #8 only.
fn pem(part: IdentityPart, text: &str) -> std::result::Result<String, &'static str> {
    let mut blocks = String::new();
    let mut count = 0;
    let mut label: Option<&str> = None;
    for line in text.lines().map(str::trim) {
        let marked = |edge: &str| line.strip_prefix(edge).and_then(|rest| rest.strip_suffix("-----"));
        if let Some(begun) = marked("-----BEGIN ") {
            let fits = match part {
                IdentityPart::Certificate => begun == "CERTIFICATE",
                IdentityPart::PrivateKey => matches!(begun, "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY"),
            };
            match (fits, begun) {
                (true, _) => label = Some(begun),
                (false, "RSA PRIVATE KEY" | "EC PRIVATE KEY") if part == IdentityPart::PrivateKey => {
                    return Err("is not in PKCS #8, and Kafka reads no other: openssl pkcs8 -topk8 -nocrypt -in KEY");
                }
                (false, "PRIVATE KEY" | "ENCRYPTED PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY") => {
                    return Err("holds a private key; only certificates belong into it");
                }
                (false, _) => continue,
            }
        }
        if label.is_some() && !line.is_empty() {
            blocks.push_str(line);
            blocks.push('\n');
        }
        if marked("-----END ").is_some_and(|ended| Some(ended) == label) {
            count += 1;
            label = None;
        }
    }
    match (part, count, label) {
        (_, _, Some(_)) => Err("ends in the middle of a block"),
        (IdentityPart::Certificate, 0, None) => Err("holds no certificate (-----BEGIN CERTIFICATE-----)"),
        (IdentityPart::PrivateKey, 0, None) => Err("holds no private key (-----BEGIN PRIVATE KEY-----)"),
        (IdentityPart::PrivateKey, 2.., None) => Err("holds several private keys"),
        _ => Ok(blocks),
    }
}
