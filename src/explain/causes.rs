//! What is known of lines in logs: `templates/explain/causes.yaml`, typed.
//!
//! A [`Sign`] is a part of one line, with `{gaps}` for what changes. It is found by its fixed parts, in their order; there is no pattern
//! language to learn or to get wrong.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::{Failure, Result};

const CAUSES: &str = include_str!("../../templates/explain/causes.yaml");

static KNOWN: LazyLock<std::result::Result<Vec<Known>, String>> =
    LazyLock::new(|| serde_yaml::from_str(CAUSES).map_err(|error| format!("templates/explain/causes.yaml: {error}")));

/// A cause that logs show.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Known {
    pub id: String,
    pub title: String,
    pub signs: Vec<Sign>,
    /// With one of these in the same line it is something else.
    #[serde(default)]
    pub unless: Vec<String>,
    /// So many lines have to show it; fewer are nothing.
    #[serde(default)]
    pub at_least: u64,
    /// It only follows from something else, and is no diagnosis.
    #[serde(default)]
    pub follows: bool,
    pub causes: Vec<String>,
    /// How to tell them from each other, and from what looks alike.
    pub apart: String,
    pub fix: Vec<String>,
    /// The code of the finding or check that is about the same.
    pub code: Option<String>,
}

impl Known {
    /// Where its sign stands in a line, from and to.
    pub(super) fn find(&self, line: &str) -> Option<(usize, usize)> {
        let place = self.signs.iter().find_map(|sign| sign.find(line))?;
        (!self.unless.iter().any(|other| line.contains(other.as_str()))).then_some(place)
    }
}

/// All that is known. It fails only when the embedded table is malformed, which a test rules out.
pub(super) fn known() -> Result<&'static [Known]> {
    match &*KNOWN {
        Ok(known) => Ok(known),
        Err(cause) => Err(Failure::fault("the built-in table of causes is malformed").cause(cause).into()),
    }
}

/// The fixed parts of a line, in their order.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Sign(Vec<String>);

impl TryFrom<String> for Sign {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            let Some((gap, after)) = after.split_once('}') else { return Err(format!("a gap isn't closed in \"{text}\"")) };
            if gap.is_empty() || !gap.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(format!("a gap has no name in \"{text}\""));
            }
            parts.push(before.to_owned());
            rest = after;
        }
        parts.push(rest.to_owned());
        parts.retain(|part| !part.is_empty());
        if parts.iter().map(String::len).max().unwrap_or_default() < 6 {
            return Err(format!("\"{text}\" is too short to be a sign of anything"));
        }
        Ok(Self(parts))
    }
}

impl Sign {
    fn find(&self, line: &str) -> Option<(usize, usize)> {
        let mut start = None;
        let mut at = 0;
        for part in &self.0 {
            let found = at + line.get(at..)?.find(part.as_str())?;
            start.get_or_insert(found);
            at = found + part.len();
        }
        Some((start?, at))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Sign, known};
    use crate::base::CODES;

    #[test]
    fn the_table_is_well_formed() {
        let known = known().expect("table");
        let ids: BTreeSet<&str> = known.iter().map(|known| known.id.as_str()).collect();
        assert_eq!(ids.len(), known.len(), "an id is there twice");
        for entry in known {
            assert!(!entry.signs.is_empty() && !entry.causes.is_empty() && !entry.fix.is_empty(), "{}", entry.id);
            if let Some(code) = &entry.code {
                assert!(CODES.iter().any(|known| known.code.to_string() == *code), "{}: no code {code}", entry.id);
            }
        }
    }

    #[test]
    fn a_sign_is_its_fixed_parts_in_their_order() {
        let sign = Sign::try_from("Connection to node {node} ({address}) could".to_owned()).expect("sign");
        let line = "[x] Connection to node -1 (a/10.0.0.1:9092) could not";
        assert_eq!(sign.find(line), Some((4, 49)));
        assert_eq!(sign.find("(a) could: Connection to node -1"), None);
        for wrong in ["a {gap that isn't closed", "an unnamed {} gap", "{all} {gaps}", "ab"] {
            assert!(Sign::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
