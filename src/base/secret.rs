//! The type of every secret value. It cannot be printed, logged or serialised: there is no `Display`, no `Serialize`,
//! `Debug` shows nothing, and the memory is wiped when it is dropped.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A secret value. The only way to its text is [`Secret::expose`], so that a search for that word finds every use.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The text, for the one call that needs it. Never for a message.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// How many bytes it has: that tells nothing of what they are.
    pub fn length(&self) -> usize {
        self.expose().len()
    }

    /// What typing or pasting may have spoilt: said without the value.
    pub fn trouble(&self) -> Option<&'static str> {
        let value = self.expose();
        match value.trim() {
            "" => Some("is empty"),
            trimmed if trimmed.len() < value.len() => Some("has blanks or a line break around it"),
            _ => None,
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret");
    }
}
