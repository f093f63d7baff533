//! A stored secret: one JSON object of strings.

use std::fmt::Write as _;

use crate::base::Secret;

/// A stored secret: keys and values, in order.
#[derive(Debug, Clone)]
pub struct SecretDocument {
    entries: Vec<(String, Secret)>,
    /// Keys whose value isn't a string, by name.
    pub odd: Vec<String>,
}

/// Values as a parameter file of CloudFormation.
pub fn parameter_file(values: &[(String, Secret)]) -> Secret {
    let list: Vec<serde_json::Value> = values
        .iter()
        .map(|(name, value)| serde_json::json!({ "ParameterKey": name, "ParameterValue": value.expose() }))
        .collect();
    Secret::new(serde_json::Value::Array(list).to_string())
}

/// Why a stored secret is no document. It quotes nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    #[error("it is not JSON (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    #[error("it begins with a byte order mark, which is no part of JSON: save it as UTF-8 without one")]
    ByteOrderMark,
    #[error("it is JSON, but no object with keys")]
    NotAnObject,
}

impl SecretDocument {
    pub(super) fn new(entries: Vec<(String, Secret)>) -> Self {
        Self { entries, odd: Vec::new() }
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = (String, Secret)> {
        self.entries.into_iter()
    }

    /// Reads a stored secret. A value that is no string is kept as its JSON text, and its key is in `odd`.
    pub fn parse(stored: &Secret) -> std::result::Result<Self, DocumentError> {
        if stored.expose().starts_with('\u{feff}') {
            return Err(DocumentError::ByteOrderMark);
        }
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

    /// The same in ASCII, for what takes no other letters.
    pub fn to_ascii_json(&self) -> Secret {
        let mut ascii = String::new();
        for letter in self.to_json().expose().chars() {
            // A letter outside ASCII can only stand inside a string, where its escape means the same.
            if matches!(letter, ' '..='~') {
                ascii.push(letter);
            } else {
                let mut units = [0; 2];
                for unit in letter.encode_utf16(&mut units) {
                    let _ = write!(ascii, "\\u{unit:04x}");
                }
            }
        }
        Secret::new(ascii)
    }

    /// The JSON to store.
    pub fn to_json(&self) -> Secret {
        let object: serde_json::Map<String, serde_json::Value> =
            self.entries.iter().map(|(key, value)| (key.clone(), value.expose().into())).collect();
        Secret::new(serde_json::Value::Object(object).to_string())
    }
}
