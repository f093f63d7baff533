//! The tree that every stage works on: YAML's values, each with the place it was written at.
//!
//! Comes in: nothing. Goes out: [`Node`]. Rules: a node keeps its place through merging, `extends` and `include`, so that
//! a finding about a merged value points into the file that the value came from. A value that already has a finding
//! becomes [`Value::Invalid`]; later stages pass over it, so that one mistake is reported once.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::map::Map;
use super::number;
use super::timestamp::Timestamp;

/// Where a value was written: a file of [`super::files::Files`], line and column from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    pub(super) file: u32,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// Compose's own tags, which act on the merge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Tag {
    #[default]
    None,
    /// `!reset`: the value is left out, here and in the files before.
    Reset,
    /// `!override`: the value replaces that of the files before.
    Override,
}

/// A value and where it was written.
#[derive(Debug, Clone, Default)]
pub struct Node {
    pub value: Value,
    pub span: Span,
    pub(super) tag: Tag,
}

/// What the user typed for a number or a boolean, where the value alone doesn't tell (`0777`, `1_000`, `True`).
pub(super) type Written = Option<Box<str>>;

/// A YAML value after YAML's own rules for plain scalars.
#[derive(Debug, Clone, Default)]
pub enum Value {
    #[default]
    Null,
    Bool(bool, Written),
    Int(i64, Written),
    /// An integer above the range of [`Value::Int`].
    Uint(u64, Written),
    Float(f64, Written),
    Time(Box<Timestamp>),
    Str(String),
    Seq(Vec<Node>),
    Map(Box<Map>),
    /// A finding was made about it; it counts as present and is not looked at again.
    Invalid,
}

/// A key and where it was written. Two keys are equal when their texts are.
#[derive(Debug, Clone)]
pub struct Key {
    pub text: Box<str>,
    pub span: Span,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.text
    }
}

impl Node {
    pub fn new(value: Value, span: Span) -> Self {
        Self { value, span, tag: Tag::None }
    }

    pub(super) fn string(text: impl Into<String>, span: Span) -> Self {
        Self::new(Value::Str(text.into()), span)
    }

    pub(super) fn bool(value: bool, span: Span) -> Self {
        Self::new(Value::Bool(value, None), span)
    }

    pub(super) fn int(value: i64, span: Span) -> Self {
        Self::new(Value::Int(value, None), span)
    }

    pub(super) fn map(map: Map, span: Span) -> Self {
        Self::new(Value::Map(Box::new(map)), span)
    }

    pub(super) fn seq(items: Vec<Node>, span: Span) -> Self {
        Self::new(Value::Seq(items), span)
    }

    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    pub fn as_bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value, _) => Some(value),
            _ => None,
        }
    }

    pub fn as_i64(&self) -> Option<i64> {
        match self.value {
            Value::Int(value, _) => Some(value),
            _ => None,
        }
    }

    /// An integer or a floating-point number.
    #[allow(clippy::cast_precision_loss)]
    pub fn as_f64(&self) -> Option<f64> {
        match self.value {
            Value::Int(value, _) => Some(value as f64),
            Value::Uint(value, _) => Some(value as f64),
            Value::Float(value, _) => Some(value),
            _ => None,
        }
    }

    pub fn as_map(&self) -> Option<&Map> {
        match &self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub fn as_seq(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn as_map_mut(&mut self) -> Option<&mut Map> {
        match &mut self.value {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    pub(super) fn as_seq_mut(&mut self) -> Option<&mut Vec<Node>> {
        match &mut self.value {
            Value::Seq(items) => Some(items),
            _ => None,
        }
    }

    /// The value under a key, where this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_map()?.get(key)
    }

    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    pub(super) fn is_invalid(&self) -> bool {
        matches!(self.value, Value::Invalid)
    }

    /// Roughly the bytes that a copy takes.
    pub(super) fn cost(&self) -> usize {
        const NODE: usize = 96;
        NODE + match &self.value {
            Value::Str(text) => text.len(),
            Value::Seq(items) => items.iter().map(Self::cost).sum(),
            Value::Map(map) => map.iter().map(|(key, node)| NODE + key.text.len() + node.cost()).sum(),
            _ => 0,
        }
    }

    /// A scalar as the user typed it, also where YAML reads it as a number, a boolean or a date.
    pub fn written(&self) -> Option<String> {
        match &self.value {
            Value::Bool(_, Some(raw)) | Value::Int(_, Some(raw)) | Value::Uint(_, Some(raw)) | Value::Float(_, Some(raw)) => {
                Some(raw.to_string())
            }
            Value::Time(time) => Some(time.written.to_string()),
            _ => self.rendered(),
        }
    }

    /// A scalar as the text it becomes where a text is wanted, as in `environment`: `0777` is "511", `1.50` is "1.5".
    pub(super) fn rendered(&self) -> Option<String> {
        match &self.value {
            Value::Bool(value, _) => Some(value.to_string()),
            Value::Int(value, _) => Some(value.to_string()),
            Value::Uint(value, _) => Some(value.to_string()),
            Value::Float(value, _) => Some(number::general(*value)),
            Value::Time(time) => Some(time.spaced()),
            Value::Str(text) => Some(text.clone()),
            Value::Null | Value::Seq(_) | Value::Map(_) | Value::Invalid => None,
        }
    }

    /// The value in the words of a finding: `"many"`, `5`, a mapping.
    pub fn found(&self) -> String {
        const LONGEST: usize = 60;
        match &self.value {
            Value::Null => "nothing".to_owned(),
            Value::Seq(_) => "a list".to_owned(),
            Value::Map(_) => "a mapping".to_owned(),
            Value::Str(text) if text.chars().count() > LONGEST => {
                format!("\"{}…\"", text.chars().take(LONGEST).collect::<String>())
            }
            Value::Str(text) => format!("\"{text}\""),
            _ => self.written().unwrap_or_default(),
        }
    }

    /// The kind of the value in the words of a finding.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "empty",
            Value::Bool(..) => "a boolean",
            Value::Int(..) | Value::Uint(..) | Value::Float(..) => "a number",
            Value::Time(_) => "a date",
            Value::Str(_) => "a string",
            Value::Seq(_) => "a list",
            Value::Map(_) => "a mapping",
            Value::Invalid => "invalid",
        }
    }
}

/// One step of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// A path as findings show it: `services.web.ports[0].target`.
pub(super) fn show(path: &[Step<'_>]) -> String {
    Shown(path).to_string()
}

struct Shown<'a>(&'a [Step<'a>]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) if index == 0 => f.write_str(key)?,
                Step::Key(key) => write!(f, ".{key}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}
