//! String values of a template: literals and the intrinsic functions that we use.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::stack::{Part, Text};

/// A string, or what CloudFormation makes one of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Expression {
    Literal(String),
    /// `Ref`: a parameter's value, or what a resource is known by.
    Ref(String),
    /// `Fn::GetAtt`.
    Attribute(String, &'static str),
    /// `Fn::Sub`, with `${…}` already in its form.
    Sub(String),
    /// Several, where a list is wanted.
    List(Vec<Expression>),
    /// What a parameter holds, with one text in it replaced by another, and more behind it.
    Replaced {
        parameter: String,
        text: &'static str,
        by: String,
        behind: String,
    },
    /// An availability zone of the region, by its number.
    Zone(u32),
}

impl Expression {
    pub fn reference(name: impl Into<String>) -> Self {
        Self::Ref(name.into())
    }

    pub fn attribute(resource: impl Into<String>, attribute: &'static str) -> Self {
        Self::Attribute(resource.into(), attribute)
    }

    /// `Fn::Sub` over our own text, which holds no `${` but those that are meant.
    pub fn sub(text: impl Into<String>) -> Self {
        Self::Sub(text.into())
    }
}

impl From<&Text> for Expression {
    fn from(text: &Text) -> Self {
        match text.literal() {
            Some(literal) => Self::Literal(literal.to_owned()),
            None => Self::Sub(substitution(text)),
        }
    }
}

impl From<Text> for Expression {
    fn from(text: Text) -> Self {
        Self::from(&text)
    }
}

impl From<&str> for Expression {
    fn from(text: &str) -> Self {
        Self::Literal(text.to_owned())
    }
}

impl From<String> for Expression {
    fn from(text: String) -> Self {
        Self::Literal(text)
    }
}

/// A text as `Fn::Sub` wants it: `${` of the user's own is written `${!`.
pub(super) fn substitution(text: &Text) -> String {
    text.parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.replace("${", "${!"),
            Part::AccountId => "${AWS::AccountId}".to_owned(),
            Part::Region => "${AWS::Region}".to_owned(),
            Part::UrlSuffix => "${AWS::URLSuffix}".to_owned(),
        })
        .collect()
}

/// A pattern of the user's own for `Fn::Sub`, with the account's marks as what CloudFormation calls them.
pub(super) fn marks_substituted(pattern: &str) -> String {
    Text::from(pattern)
        .parts()
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::AccountId => "${AWS::AccountId}",
            Part::Region => "${AWS::Region}",
            Part::UrlSuffix => "${AWS::URLSuffix}",
        })
        .collect()
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Literal(text) => serializer.serialize_str(text),
            Self::Ref(name) => one(serializer, "Ref", name),
            Self::Attribute(resource, attribute) => one(serializer, "Fn::GetAtt", &[resource.as_str(), attribute]),
            Self::Sub(text) => one(serializer, "Fn::Sub", text),
            Self::List(items) => items.serialize(serializer),
            Self::Replaced { parameter, text, by, behind } => {
                let split = serde_json::json!({ "Fn::Split": [text, { "Ref": parameter }] });
                let replaced = serde_json::json!({ "Fn::Join": [by, split] });
                one(serializer, "Fn::Join", &serde_json::json!(["", [replaced, behind]]))
            }
            Self::Zone(number) => {
                let zones = serde_json::json!({ "Fn::GetAZs": { "Ref": "AWS::Region" } });
                one(serializer, "Fn::Select", &serde_json::json!([number, zones]))
            }
        }
    }
}

fn one<S: Serializer, V: Serialize + ?Sized>(serializer: S, function: &str, value: &V) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(Some(1))?;
    map.serialize_entry(function, value)?;
    map.end()
}

#[cfg(test)]
mod tests {
    use super::Expression;
    use crate::base::ACCOUNT_MARK;
    use crate::stack::Text;
    use serde_json::{json, to_value};

    #[test]
    fn a_dollar_of_the_users_stays_what_it_is() {
        let plain = Text::from("echo ${HOME}");
        assert_eq!(to_value(Expression::from(&plain)).unwrap(), json!("echo ${HOME}"));
        let mixed = Text::from(format!("{ACCOUNT_MARK} ${{HOME}} $(id)"));
        assert_eq!(to_value(Expression::from(&mixed)).unwrap(), json!({ "Fn::Sub": "${AWS::AccountId} ${!HOME} $(id)" }));
    }
}
