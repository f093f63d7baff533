//! A client's login and keystores, from its settings and from files of this machine: what our own client shows to a broker.

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use super::input::Service;
use super::target::Obstacle;
use crate::base::Secret;
use crate::confluent::{Jaas, KafkaClient, Origin, RegistryClient};
use crate::kafka::{AwsKeys, Login, Mechanism, Oidc, Proof, Unsecured};
use crate::net::http;
use crate::net::tls::{self, keystore};

/// What keystores and truststores in files held.
#[derive(Debug, Default)]
pub(super) struct Stores {
    pub(super) authorities: Option<String>,
    pub(super) identity: Option<(String, Secret)>,
}

/// The login, or what stands between the settings and one.
pub(super) fn login(client: &KafkaClient, aws: &Result<AwsKeys, String>) -> (Option<Login>, Option<Obstacle>) {
    match wanted(client, aws) {
        Ok(login) => (Some(login), None),
        Err(obstacle) => (None, Some(obstacle)),
    }
}

fn wanted(client: &KafkaClient, aws: &Result<AwsKeys, String>) -> Result<Login, Obstacle> {
    let Some(mechanism) = Mechanism::parse(client.mechanism()) else {
        return Err(Obstacle::Unspoken(client.mechanism().to_owned()));
    };
    let handler = word(client, "sasl.login.callback.handler.class");
    let handler = handler.as_deref().map(|class| class.rsplit('.').next().unwrap_or(class));
    let by_aws = mechanism == Mechanism::AwsMskIam
        || (mechanism == Mechanism::OauthBearer && handler == Some("IAMOAuthBearerLoginCallbackHandler"));
    if by_aws {
        return match aws {
            Ok(keys) => Ok(Login { mechanism, proof: Proof::Aws(keys.clone()) }),
            Err(why) => Err(Obstacle::Unread(format!("a login with AWS credentials: {why}"))),
        };
    }
    let jaas = match client.jaas() {
        Some(Ok(jaas)) => jaas,
        Some(Err(error)) => return Err(Obstacle::Malformed(format!("sasl.jaas.config: {error}"))),
        None => {
            return Err(match client.setting("sasl.jaas.config") {
                Some(setting) => Obstacle::Unread(match &setting.value.origin {
                    Origin::Secret { name, .. } => format!("the secret {name} was not read"),
                    _ => "the login was not read".to_owned(),
                }),
                None => Obstacle::Malformed("sasl.jaas.config is not set".to_owned()),
            });
        }
    };
    if mechanism == Mechanism::OauthBearer {
        return bearer(client, &jaas, handler).map(|proof| Login { mechanism, proof });
    }
    match (jaas.username(), jaas.password()) {
        (Some(username), Some(password)) => Ok(Login::password(mechanism, username.expose(), password.clone())),
        _ => Err(Obstacle::Malformed("sasl.jaas.config has no username or no password".to_owned())),
    }
}

/// Where an OAUTHBEARER client has its token from, by the handler that is set.
fn bearer(client: &KafkaClient, jaas: &Jaas, handler: Option<&str>) -> Result<Proof, Obstacle> {
    let extensions = with_prefix(jaas, "extension_");
    match handler {
        None | Some("OAuthBearerUnsecuredLoginCallbackHandler") => {
            let claims = with_prefix(jaas, "unsecuredLoginStringClaim_");
            if claims.is_empty() {
                let missing = "sasl.login.callback.handler.class is not set, and sasl.jaas.config has no unsecured token either";
                return Err(Obstacle::Malformed(missing.to_owned()));
            }
            let lifetime = option(jaas, "unsecuredLoginLifetimeSeconds").and_then(|seconds| seconds.parse().ok());
            Ok(Proof::Unsecured(Unsecured { claims, lifetime, extensions: with_prefix(jaas, "unsecuredLoginExtension_") }))
        }
        Some("OAuthBearerLoginCallbackHandler") => {
            let endpoint = word(client, "sasl.oauthbearer.token.endpoint.url")
                .ok_or_else(|| Obstacle::Malformed("sasl.oauthbearer.token.endpoint.url is not set".to_owned()))?;
            if endpoint.starts_with("file:") {
                return Err(Obstacle::Unspoken(format!("OAUTHBEARER and a token from {endpoint}, a file in the container")));
            }
            let endpoint = http::url(&endpoint)
                .map_err(|error| Obstacle::Malformed(format!("sasl.oauthbearer.token.endpoint.url: {error}")))?;
            let named = |option: &str, property: &str| {
                let set = client.setting(property).and_then(|setting| setting.value.to_secret());
                jaas.option(option).cloned().or(set).filter(|value| !value.expose().is_empty())
            };
            let id = named("clientId", "sasl.oauthbearer.client.credentials.client.id");
            let secret = named("clientSecret", "sasl.oauthbearer.client.credentials.client.secret");
            let (Some(id), Some(secret)) = (id, secret) else {
                return Err(Obstacle::Malformed("sasl.jaas.config has no clientId or no clientSecret".to_owned()));
            };
            let mut oidc = Oidc::new(endpoint, id.expose(), secret);
            oidc.scope = option(jaas, "scope").or_else(|| word(client, "sasl.oauthbearer.scope"));
            oidc.extensions = extensions;
            // The endpoint is judged by the login's own trust settings, not by the client's.
            if option(jaas, "ssl.truststore.type").is_some_and(|kind| kind.eq_ignore_ascii_case("PEM")) {
                oidc.trust = tls::Settings {
                    authorities: option(jaas, "ssl.truststore.certificates").map(|pem| tls::blocks(&pem)),
                    ..tls::Settings::default()
                };
            }
            Ok(Proof::Oidc(Arc::new(oidc)))
        }
        Some(other) => Err(Obstacle::Unspoken(format!("OAUTHBEARER and a token from {other}"))),
    }
}

fn option(jaas: &Jaas, name: &str) -> Option<String> {
    jaas.option(name).map(|value| value.expose().to_owned()).filter(|value| !value.is_empty())
}

fn with_prefix(jaas: &Jaas, prefix: &str) -> BTreeMap<String, String> {
    let named = jaas.options.iter().filter_map(|(name, value)| Some((name.strip_prefix(prefix)?, value)));
    named.map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect()
}

/// A setting that is no secret, wherever it stands.
fn word(client: &KafkaClient, name: &str) -> Option<String> {
    let value = client.setting(name)?.value.to_secret()?;
    let value = value.expose().trim();
    (!value.is_empty()).then(|| value.to_owned())
}

/// What a registry's certificate is judged by: the converter's own settings.
pub(super) fn registry_trust(service: &Service, client: &RegistryClient) -> tls::Settings {
    let text = |name: &str| {
        let setting = client.settings.get(&format!("schema.registry.{name}"))?;
        setting.value.to_secret().map(|value| value.expose().trim().to_owned()).filter(|value| !value.is_empty())
    };
    let kind = text("ssl.truststore.type").unwrap_or_else(|| "JKS".to_owned());
    let inline = text("ssl.truststore.certificates").filter(|_| kind.eq_ignore_ascii_case("PEM")).map(|pem| tls::blocks(&pem));
    let from_file = || {
        let bytes = fs::read(service.file(&text("ssl.truststore.location")?)?).ok()?;
        let password = text("ssl.truststore.password").map(Secret::new);
        Some(keystore::read(&kind, &bytes, password.as_ref(), None).ok()?.certificates)
    };
    let verifies = text("ssl.endpoint.identification.algorithm").is_some()
        || !client.settings.contains_key("schema.registry.ssl.endpoint.identification.algorithm");
    tls::Settings { authorities: inline.or_else(from_file), identity: None, ignore_host_name: !verifies, versions: Vec::new() }
}

/// The certificate and key that stand in the settings themselves, and why they can't be used.
pub(super) fn inline_identity(client: &KafkaClient) -> (Option<(String, Secret)>, Option<String>) {
    let Some((chain, key)) = client.identity_pem() else { return (None, None) };
    let (chain, key) = (tls::blocks(chain), Secret::new(tls::blocks(key.expose())));
    let opened = keystore::plain_key(&key, client.key_password().as_ref());
    match opened.and_then(|key| tls::fits(&chain, &key).map(|()| key)) {
        Ok(key) => (Some((chain, key)), None),
        Err(why) => (None, Some(why)),
    }
}

/// What the client's keystore and truststore files hold, and why a keystore can't be read.
pub(super) fn stores(service: &Service, client: &KafkaClient) -> (Stores, Option<String>) {
    let open = |which: &str| -> Option<Result<keystore::Store, String>> {
        let location = word(client, &format!("ssl.{which}.location"))?;
        let kind = word(client, &format!("ssl.{which}.type")).unwrap_or_else(|| "JKS".to_owned());
        let setting = |name: &str| client.setting(name).and_then(|setting| setting.value.to_secret());
        let (password, of_key) = (setting(&format!("ssl.{which}.password")), setting("ssl.key.password"));
        let Some(file) = service.file(&location) else {
            return Some(Err(format!("{location} is a file in the container, which can't be read from here")));
        };
        let shown = file.display().to_string();
        let read = fs::read(&file).map_err(|error| format!("{shown} can't be read: {error}"));
        Some(read.and_then(|bytes| {
            keystore::read(&kind, &bytes, password.as_ref(), of_key.as_ref()).map_err(|error| format!("{shown}: {error}"))
        }))
    };
    let mut stores = Stores::default();
    if let Some(Ok(store)) = open("truststore") {
        stores.authorities = Some(store.certificates).filter(|pem| !pem.is_empty());
    }
    match open("keystore") {
        None => (stores, None),
        Some(Ok(store)) => {
            let missing = store.identity.is_none().then(|| "the keystore holds no private key with its certificate".to_owned());
            stores.identity = store.identity;
            (stores, missing)
        }
        Some(Err(why)) => (stores, Some(why)),
    }
}
