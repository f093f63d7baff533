//! The users that Amazon MSK reads from secrets of its own: name and password, as the clients' logins have them.
//!
//! Comes in: a structure, and a document of it, composed or stored. Goes out: each user once. So both secrets come from one answer, and
//! what is stored can be held against each other.

use super::document::SecretDocument;
use super::structure::{Composition, Structure};
use crate::base::Secret;
use crate::confluent::jaas::Jaas;
use crate::confluent::properties::unescape;

/// Amazon MSK takes secrets whose names begin so.
const SCRAM_PREFIX: &str = "AmazonMSK_";

/// A user of the cluster.
#[derive(Debug, Clone)]
pub struct ScramUser {
    /// The first client that has an account apart from the clients before it; `None` for the first user.
    pub client: Option<String>,
    pub username: Secret,
    pub password: Secret,
}

impl ScramUser {
    /// As Amazon MSK takes it.
    pub fn document(&self) -> SecretDocument {
        let entry = |name: &str, value: &Secret| (name.to_owned(), value.clone());
        SecretDocument::new(vec![entry("username", &self.username), entry("password", &self.password)])
    }

    /// Whether a document has the same under this key, `username` or `password`.
    pub fn is_said_by(&self, document: &SecretDocument, key: &str) -> bool {
        let own = if key == "username" { &self.username } else { &self.password };
        document.get(key).is_some_and(|value| value.expose() == own.expose())
    }

    /// The name of its secret, of those of one stack: `AmazonMSK_orders-dev-connect`.
    pub fn secret_name(&self, stack: &str, secret: &str) -> String {
        let client = self.client.as_ref().map(|client| format!("-{client}")).unwrap_or_default();
        format!("{}{client}", scram_secret_name(stack, secret))
    }
}

/// The name of the secret with the first user of a component.
pub fn scram_secret_name(stack: &str, secret: &str) -> String {
    format!("{SCRAM_PREFIX}{stack}-{secret}")
}

/// The users of a document's SCRAM logins, in the order of its keys. A login that can't be read has none: `secrets check` says so.
pub fn scram_users(structure: &Structure, document: &SecretDocument) -> Vec<ScramUser> {
    let mut users: Vec<ScramUser> = Vec::new();
    for key in &structure.keys {
        let Composition::Login { client, module, .. } = &key.composition else { continue };
        if !module.ends_with("ScramLoginModule") {
            continue;
        }
        let login = document.get(&key.name).and_then(|value| unescape(value.expose()).ok());
        let Some(Ok(jaas)) = login.map(|login| Jaas::parse(&login)) else { continue };
        let (Some(username), Some(password)) = (jaas.username(), jaas.password()) else { continue };
        if users.iter().any(|user| user.username.expose() == username.expose()) {
            continue;
        }
        let client = (!users.is_empty()).then(|| client.clone());
        users.push(ScramUser { client, username: username.clone(), password: password.clone() });
    }
    users
}
