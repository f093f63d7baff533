//! The Java properties that the start script writes, and their escaping.
//!
//! The script writes `key=value` with the variable's value as it is, and Java reads the file with `Properties.load`: ISO-8859-1,
//! with backslash escapes. So a value has to be escaped *in the variable*. [`escape`] is the one function that does it, for login
//! configurations as for inline PEM, and [`unescape`] reads a variable as the worker will.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::environment::{Environment, Text};
use super::naming::{Tool, property_names};
use crate::base::{ACCOUNT_MARK, REGION_MARK};
use crate::profile::Component;

/// A property of the file.
#[derive(Debug, Clone)]
pub struct Property {
    /// The value as Java reads it.
    pub value: Text,
    /// The variable that sets it.
    pub variable: String,
    /// What is wrong with how the variable is written.
    pub trouble: Option<EscapeError>,
}

/// The properties by name.
#[derive(Debug, Clone, Default)]
pub struct Properties {
    properties: BTreeMap<String, Property>,
    open: bool,
}

impl Properties {
    pub fn get(&self, name: &str) -> Option<&Property> {
        self.properties.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &Property)> {
        self.properties.iter().map(|(name, property)| (name.as_str(), property))
    }

    /// Whether a whole secret that hasn't been read may hold more.
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// The text of a property that is no credential, wherever it is kept: people put addresses and names into secrets too.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(|property| property.value.raw()).map(str::trim)
    }
}

/// The properties file that `image` makes of an environment. Where the tag doesn't tell the line, the older tool's rule is taken: it is
/// the documented one, and where the two differ there is a finding.
pub fn properties(component: &Component, image: &str, environment: &Environment) -> Properties {
    let rule = &component.environment;
    let tool = super::tool(component, image).unwrap_or(Tool::Dub);
    let mut found = Properties { open: environment.is_open(), ..Properties::default() };
    let of_image = rule
        .image
        .iter()
        .filter(|(name, _)| environment.get(name).is_none())
        .map(|(name, value)| (name.as_str(), Text::of_image(value)));
    let of_service = environment.iter().map(|(name, value)| (name, value.clone()));
    let mut ranks: BTreeMap<String, usize> = BTreeMap::new();
    for (variable, text) in of_image.chain(of_service) {
        let names = property_names(rule, tool, variable);
        if names.is_empty() {
            continue;
        }
        if tool == Tool::Dub && rule.older_tool_excludes.iter().any(|name| name == variable) {
            continue;
        }
        let (mut trouble, read) = (None, text.raw().map(read));
        let value = match read {
            Some(Ok(value)) => text.map(|_| value),
            Some(Err((value, error))) => {
                trouble = Some(error);
                text.map(|_| value)
            }
            None => text,
        };
        for (name, rank) in names {
            // Of the variables for one property, the profile says which counts.
            if ranks.get(&name).is_none_or(|known| rank <= *known) {
                let property = Property { value: value.clone(), variable: variable.to_owned(), trouble };
                found.properties.insert(name.clone(), property);
                ranks.insert(name, rank);
            }
        }
    }
    found
}

/// Why a variable doesn't become the property that its author meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EscapeError {
    #[error("a line break ends the value, and what follows becomes properties of its own")]
    LineBreak,
    #[error("a backslash at the end takes in the next property")]
    Continuation,
    #[error("`\\u` isn't followed by four hexadecimal digits, and Java refuses the whole file")]
    Unicode,
    #[error("Java reads the file as ISO-8859-1, so a letter outside ASCII arrives as two or more others")]
    Encoding,
}

/// A value as it has to stand in the variable, on one line and in ASCII.
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for (index, character) in value.chars().enumerate() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            '\u{c}' => escaped.push_str("\\f"),
            // Java skips blanks between the equals sign and the value.
            ' ' if index == 0 => escaped.push_str("\\ "),
            ' '..='~' => escaped.push(character),
            other => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    let _ = write!(escaped, "\\u{unit:04X}");
                }
            }
        }
    }
    escaped
}

/// As [`unescape`], but for the marks that stand for an account and a region until somebody knows them: those are in ASCII then.
fn read(written: &str) -> Result<String, (String, EscapeError)> {
    let (mut value, mut trouble) = (String::new(), None);
    for part in written.split_inclusive([ACCOUNT_MARK, REGION_MARK]) {
        let text = part.trim_end_matches([ACCOUNT_MARK, REGION_MARK]);
        match unescape(text) {
            Ok(read) => value.push_str(&read),
            Err((read, error)) => {
                value.push_str(&read);
                trouble = Some(error);
            }
        }
        value.push_str(&part[text.len()..]);
    }
    trouble.map_or(Ok(value.clone()), |error| Err((value, error)))
}

/// The value that Java reads from a variable; with an error, also what it makes of it nevertheless.
pub fn unescape(written: &str) -> Result<String, (String, EscapeError)> {
    // The file is bytes, and each byte is a letter.
    let letters: Vec<char> = written.bytes().map(char::from).collect();
    let mut trouble = (!written.is_ascii()).then_some(EscapeError::Encoding);
    let start = letters.iter().take_while(|letter| matches!(letter, ' ' | '\t' | '\u{c}')).count();
    let end = letters.iter().position(|letter| matches!(letter, '\n' | '\r')).unwrap_or(letters.len());
    if letters[end..].iter().any(|letter| !letter.is_ascii_whitespace()) {
        trouble = Some(EscapeError::LineBreak);
    }
    let mut units: Vec<u16> = Vec::with_capacity(end);
    let mut rest = letters[start.min(end)..end].iter().copied();
    while let Some(letter) = rest.next() {
        if letter != '\\' {
            units.push(letter as u16);
            continue;
        }
        match rest.next() {
            None => trouble = Some(EscapeError::Continuation),
            Some('t') => units.push(u16::from(b'\t')),
            Some('n') => units.push(u16::from(b'\n')),
            Some('r') => units.push(u16::from(b'\r')),
            Some('f') => units.push(0xc),
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                match u16::from_str_radix(&digits, 16) {
                    Ok(unit) if digits.len() == 4 && !digits.starts_with('+') => units.push(unit),
                    _ => trouble = Some(EscapeError::Unicode),
                }
            }
            Some(other) => units.push(other as u16),
        }
    }
    let value = String::from_utf16_lossy(&units);
    match trouble {
        None => Ok(value),
        Some(error) => Err((value, error)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{EscapeError, escape, properties, unescape};
    use crate::base::Secret;
    use crate::confluent::{Environment, Text};
    use crate::profile::Catalogue;

    #[test]
    fn the_environment_becomes_properties_by_the_images_rule() {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let environment: Environment = [
            ("CONNECT_GROUP_ID", Text::plain("g", None)),
            ("CONNECT_CONFIG_PROVIDERS_S_CLASS", Text::plain("c", None)),
            ("CONNECT_METRIC_REPORTERS", Text::plain("m", None)),
            ("CONNECT_SASL_JAAS_CONFIG", Text::secret("connect", Some("K"), Some(Secret::new("a\\\\b")), None)),
            ("CONNECT_REST_PORT", Text::plain("8084", None)),
            ("TZ", Text::plain("UTC", None)),
        ]
        .into_iter()
        .collect();
        let names = |image| properties(connect, image, &environment).iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(
            names("cp-kafka-connect:8.0.7"),
            ["config.providers.s.class", "group.id", "plugin.path", "rest.port", "sasl.jaas.config"]
        );
        assert!(names("cp-kafka-connect:8.3.1").contains(&"config.providers.s_class".to_owned()));
        let found = properties(connect, "cp-kafka-connect:8.0.7", &environment);
        assert_eq!(found.word("rest.port"), Some("8084"));
        assert_eq!(found.word("sasl.jaas.config"), Some("a\\b"));
        assert!(found.get("sasl.jaas.config").expect("jaas").value.plain_text().is_none());
    }

    #[test]
    fn what_java_makes_of_a_careless_value() {
        for (written, value, error) in [
            ("two\nlines", "two", EscapeError::LineBreak),
            ("end\\", "end", EscapeError::Continuation),
            ("\\u00zz", "", EscapeError::Unicode),
            ("é", "Ã©", EscapeError::Encoding),
        ] {
            assert_eq!(unescape(written), Err((value.to_owned(), error)), "{written}");
        }
        assert_eq!(unescape("  a b \t"), Ok("a b \t".to_owned()));
        assert_eq!(unescape("with a line break at the end\n"), Ok("with a line break at the end".to_owned()));
        assert_eq!(unescape("C:\\temp"), Ok("C:\temp".to_owned()));
    }

    proptest! {
        #[test]
        fn every_value_survives(value in any::<String>()) {
            let escaped = escape(&value);
            prop_assert!(escaped.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
            prop_assert_eq!(unescape(&escaped), Ok(value));
        }
    }
}
