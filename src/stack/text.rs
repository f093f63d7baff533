//! Text that may hold what only the account knows.
//!
//! The loader is given marks in place of `AWS_ACCOUNT_ID` and `AWS_REGION` where those are not set. Here they become typed
//! parts, and in the template `AWS::AccountId` and `AWS::Region`.

use std::fmt;

use crate::base::{ACCOUNT_MARK, REGION_MARK, SUFFIX_MARK, is_mark};

/// A string of the stack.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(Vec<Part>);

/// A piece of a [`Text`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    Literal(String),
    AccountId,
    Region,
    /// What AWS's names end in: `amazonaws.com`, in China `amazonaws.com.cn`.
    UrlSuffix,
}

impl Text {
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The string, where the account has no part in it.
    pub fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

impl From<&str> for Text {
    fn from(value: &str) -> Self {
        // No mark is ASCII, and nearly every text is.
        if value.is_ascii() {
            return Self(if value.is_empty() { Vec::new() } else { vec![Part::Literal(value.to_owned())] });
        }
        let mut parts = Vec::new();
        let mut literal = String::new();
        for c in value.chars() {
            let part = match c {
                ACCOUNT_MARK => Part::AccountId,
                REGION_MARK => Part::Region,
                SUFFIX_MARK => Part::UrlSuffix,
                _ => {
                    literal.push(c);
                    continue;
                }
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(part);
        }
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        Self(parts)
    }
}

impl From<String> for Text {
    fn from(value: String) -> Self {
        Self::from(value.as_str())
    }
}

impl From<&String> for Text {
    fn from(value: &String) -> Self {
        Self::from(value.as_str())
    }
}

/// As the user wrote it.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|part| match part {
            Part::Literal(text) => f.write_str(text),
            Part::AccountId => f.write_str("${AWS_ACCOUNT_ID}"),
            Part::Region => f.write_str("${AWS_REGION}"),
            Part::UrlSuffix => f.write_str(url_suffix("")),
        })
    }
}

/// What AWS's names end in, in a region.
pub fn url_suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// A text with its marks as the variables that the user knows: for messages.
pub fn without_marks(text: String) -> String {
    if text.contains(is_mark) { Text::from(text).to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{Part, Text};
    use crate::base::{ACCOUNT_MARK, REGION_MARK};

    #[test]
    fn marks_become_parts_and_read_as_variables() {
        let text = Text::from(format!("{ACCOUNT_MARK}.dkr.ecr.{REGION_MARK}.amazonaws.com/x"));
        assert_eq!(text.parts().len(), 4);
        assert_eq!(text.parts()[0], Part::AccountId);
        assert_eq!(text.to_string(), "${AWS_ACCOUNT_ID}.dkr.ecr.${AWS_REGION}.amazonaws.com/x");
        assert_eq!(text.literal(), None);
        assert_eq!(Text::from("a${AWS::Region}").literal(), Some("a${AWS::Region}"));
    }
}
