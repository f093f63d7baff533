//! A stored secret against what is to be stored, and against what the running configuration reads: by key, never by value.
//!
//! Comes in: documents, the keys that containers read. Goes out: what changes, what is missing, unused or malformed. Rules: pure; a
//! value is looked at, never quoted.

use std::collections::BTreeSet;

use serde::Serialize;

use super::jaas::Jaas;
use super::properties::unescape;
use super::secret::SecretDocument;

/// What putting a new version does to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyChange {
    Added,
    Changed,
    Unchanged,
}

/// What becomes of each key when `new` takes the place of `stored`. A `new` made by [`SecretDocument::with`] drops none.
pub fn compare<'a>(stored: Option<&SecretDocument>, new: &'a SecretDocument) -> Vec<(&'a str, KeyChange)> {
    new.iter()
        .map(|(key, value)| {
            let change = match stored.and_then(|stored| stored.get(key)) {
                None => KeyChange::Added,
                Some(old) if old.expose() == value.expose() => KeyChange::Unchanged,
                Some(_) => KeyChange::Changed,
            };
            (key, change)
        })
        .collect()
}

/// What is wrong with a key of a stored secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyFault {
    /// A container reads it, and it isn't there: its task can't start.
    Missing,
    /// Nothing in it.
    Empty,
    /// A blank or a line break at its start or end, as pasting leaves it.
    Blanks,
    /// A login that Kafka can't read, or a `user:password` without its colon.
    Shape,
    /// A user name or password that begins or ends with a blank. It may be meant.
    LoginBlanks,
    /// Another secret says otherwise of the same login.
    Differs,
    /// A number, a list or the like; a container gets its JSON text.
    NotText,
    /// No container reads it.
    Unused,
}

impl KeyFault {
    /// Whether what runs would not work with it.
    pub fn is_error(self) -> bool {
        matches!(self, Self::Missing | Self::Empty | Self::Blanks | Self::Shape | Self::Differs)
    }
}

/// Checks a stored secret against the keys that containers read of it, in the order of the keys.
pub fn check(document: &SecretDocument, read: &BTreeSet<String>) -> Vec<(String, KeyFault)> {
    let missing = read.iter().filter(|key| document.get(key).is_none()).map(|key| (key.clone(), KeyFault::Missing));
    let wrong = document.iter().filter_map(|(key, value)| {
        let value = value.expose();
        let fault = if !read.contains(key) {
            KeyFault::Unused
        } else if value.is_empty() {
            KeyFault::Empty
        } else if value.trim() != value {
            KeyFault::Blanks
        } else if is_misshapen(key, value) {
            KeyFault::Shape
        } else if has_blanks(key, value) {
            KeyFault::LoginBlanks
        } else if document.odd.iter().any(|odd| odd == key) {
            KeyFault::NotText
        } else {
            return None;
        };
        Some((key.to_owned(), fault))
    });
    let mut found: Vec<(String, KeyFault)> = missing.chain(wrong).collect();
    found.sort();
    found
}

/// What a key's name says that its value must be. The key has the name of its variable.
fn is_misshapen(key: &str, value: &str) -> bool {
    if key.ends_with("SASL_JAAS_CONFIG") {
        return unescape(value).map_or(true, |login| Jaas::parse(&login).is_err());
    }
    key.ends_with("BASIC_AUTH_USER_INFO") && !value.contains(':')
}

/// Does a login hold what pasting leaves around a name or a password?
fn has_blanks(key: &str, value: &str) -> bool {
    let around = |text: &str| text.trim() != text;
    if key.ends_with("BASIC_AUTH_USER_INFO") {
        return value.split_once(':').is_some_and(|(name, password)| around(name) || around(password));
    }
    let login = || Jaas::parse(&unescape(value).ok()?).ok();
    key.ends_with("SASL_JAAS_CONFIG")
        && login().is_some_and(|login| {
            ["username", "password", "clientId", "clientSecret"]
                .iter()
                .any(|option| login.option(option).is_some_and(|value| around(value.expose())))
        })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{KeyChange, KeyFault, check, compare};
    use crate::base::Secret;
    use crate::confluent::secret::SecretDocument;

    fn document(json: &str) -> SecretDocument {
        SecretDocument::parse(&Secret::new(json)).unwrap()
    }

    #[test]
    fn each_key_says_what_becomes_of_it() {
        let new = document(r#"{"a": "1", "b": "2", "c": "3"}"#);
        assert_eq!(
            compare(Some(&document(r#"{"a": "1", "b": "old"}"#)), &new),
            [("a", KeyChange::Unchanged), ("b", KeyChange::Changed), ("c", KeyChange::Added)]
        );
        assert!(compare(None, &new).iter().all(|(_, change)| *change == KeyChange::Added));
    }

    #[test]
    fn what_is_put_leaves_other_keys_alone() {
        let stored = document(r#"{"a": "1", "mine": "x"}"#);
        let merged = stored.with(&document(r#"{"a": "2", "b": "3"}"#));
        assert_eq!(merged.keys().collect::<Vec<_>>(), ["a", "mine", "b"]);
        assert_eq!(merged.get("a").unwrap().expose(), "2");
        assert_eq!(merged.get("mine").unwrap().expose(), "x");
    }

    #[test]
    fn faults_are_found_by_key() {
        let stored = document(r#"{"good": "v", "pasted": "v\n", "empty": "", "port": 8083, "old": "v"}"#);
        let read = ["good", "pasted", "empty", "port", "absent"].map(str::to_owned).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(
            check(&stored, &read),
            [
                ("absent".to_owned(), KeyFault::Missing),
                ("empty".to_owned(), KeyFault::Empty),
                ("old".to_owned(), KeyFault::Unused),
                ("pasted".to_owned(), KeyFault::Blanks),
                ("port".to_owned(), KeyFault::NotText),
            ]
        );
        let logins = document(
            r#"{"A_SASL_JAAS_CONFIG": "m required username=\"u\" password=\"p\"", "B_BASIC_AUTH_USER_INFO": "nobody",
                "C_SASL_JAAS_CONFIG": "m required username=\"u\" password=\"p\";"}"#,
        );
        let read = logins.keys().map(str::to_owned).collect::<BTreeSet<_>>();
        let faults: Vec<(String, KeyFault)> = check(&logins, &read);
        assert_eq!(
            faults,
            [("A_SASL_JAAS_CONFIG".to_owned(), KeyFault::Shape), ("B_BASIC_AUTH_USER_INFO".to_owned(), KeyFault::Shape)]
        );
        let pasted =
            document(r#"{"A_SASL_JAAS_CONFIG": "m required username=\"u\" password=\" p\";", "B_BASIC_AUTH_USER_INFO": "a: b"}"#);
        let read = pasted.keys().map(str::to_owned).collect::<BTreeSet<_>>();
        assert!(check(&pasted, &read).iter().all(|(_, fault)| *fault == KeyFault::LoginBlanks && !fault.is_error()));
        assert_eq!(check(&pasted, &read).len(), 2);
        assert!(!KeyFault::Unused.is_error() && KeyFault::Missing.is_error());
    }
}
