//! The environment of a container: each variable with its value, where the value is written, and whether it is secret.

use std::collections::BTreeMap;

use crate::base::{Place, Secret};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// `environment` or `env_file` in the compose files.
    Environment,
    /// The image or its start script sets it when nobody else does.
    Image,
    /// A key of a stored secret.
    Secret {
        /// The secret's name in the compose files.
        name: String,
        /// The JSON key; `None` when the secret isn't JSON and the variable takes all of it.
        key: Option<String>,
    },
}

#[derive(Debug, Clone)]
enum Content {
    Plain(String),
    Secret(Secret),
    /// It is set, but the stored secret hasn't been read.
    Unread,
}

/// A value with its origin. What came from a secret can be read by this room only.
#[derive(Debug, Clone)]
pub struct Text {
    content: Content,
    pub origin: Origin,
    /// Where it is written; for a secret's key, where the compose files name it.
    pub place: Option<Place>,
}

impl Text {
    pub fn plain(value: impl Into<String>, place: Option<Place>) -> Self {
        Self { content: Content::Plain(value.into()), origin: Origin::Environment, place }
    }

    /// A value of a stored secret; `None` where it hasn't been read.
    pub fn secret(name: impl Into<String>, key: Option<&str>, value: Option<Secret>, place: Option<Place>) -> Self {
        let origin = Origin::Secret { name: name.into(), key: key.map(str::to_owned) };
        Self { content: value.map_or(Content::Unread, Content::Secret), origin, place }
    }

    pub(super) fn of_image(value: &str) -> Self {
        Self { content: Content::Plain(value.to_owned()), origin: Origin::Image, place: None }
    }

    /// The value, where it isn't secret.
    pub fn plain_text(&self) -> Option<&str> {
        match &self.content {
            Content::Plain(text) => Some(text),
            Content::Secret(_) | Content::Unread => None,
        }
    }

    /// The value as a secret, wherever it came from; `None` where it hasn't been read.
    pub fn to_secret(&self) -> Option<Secret> {
        match &self.content {
            Content::Plain(text) => Some(Secret::new(text.clone())),
            Content::Secret(secret) => Some(secret.clone()),
            Content::Unread => None,
        }
    }

    pub fn is_read(&self) -> bool {
        !matches!(self.content, Content::Unread)
    }

    pub fn is_secret(&self) -> bool {
        matches!(self.origin, Origin::Secret { .. })
    }

    /// The text itself, for this room to compute with.
    pub(super) fn raw(&self) -> Option<&str> {
        match &self.content {
            Content::Plain(text) => Some(text),
            Content::Secret(secret) => Some(secret.expose()),
            Content::Unread => None,
        }
    }

    /// The same value after a change of its text, as secret as before.
    pub(super) fn map(&self, change: impl FnOnce(&str) -> String) -> Self {
        let content = match &self.content {
            Content::Plain(text) => Content::Plain(change(text)),
            Content::Secret(secret) => Content::Secret(Secret::new(change(secret.expose()))),
            Content::Unread => Content::Unread,
        };
        Self { content, origin: self.origin.clone(), place: self.place.clone() }
    }
}

/// Variables by name. A later one with the same name replaces the earlier, as a container's does.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, Text>,
    open: bool,
}

impl Environment {
    pub fn insert(&mut self, name: impl Into<String>, value: Text) {
        self.variables.insert(name.into(), value);
    }

    /// Says that a secret is injected whole and hasn't been read: there may be more variables than are known.
    pub fn set_open(&mut self) {
        self.open = true;
    }

    /// Whether variables may be set that we can't see.
    pub fn is_open(&self) -> bool {
        self.open
    }

    pub fn get(&self, name: &str) -> Option<&Text> {
        self.variables.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value))
    }
}

impl<N: Into<String>> FromIterator<(N, Text)> for Environment {
    fn from_iter<T: IntoIterator<Item = (N, Text)>>(iter: T) -> Self {
        Self { variables: iter.into_iter().map(|(name, value)| (name.into(), value)).collect(), open: false }
    }
}
