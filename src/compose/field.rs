//! How a typed field is read from the tree and written for `config`. The records themselves are in [`super::model`].
//!
//! Comes in: a canonical tree (long syntax everywhere, checked against the schema). Goes out: typed values, and findings
//! for what only the typed form shows: a bad duration, size or number. What is wrong stays at its default.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::node::{Map, Node, Step, Value};
use super::number;
use super::report::Report;
use super::units::{Bytes, Cpus, Duration, FileMode};
use crate::base::Code;

/// Which of the two output forms is written. They differ where Docker's do: only YAML shows `x-` keys below the top level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Json,
    Yaml,
}

/// Reads a tree into typed values; knows the path it stands at.
pub(super) struct Reader<'r, 'n> {
    pub(super) report: &'r mut Report,
    pub(super) path: Vec<Step<'n>>,
}

impl<'n> Reader<'_, 'n> {
    fn wrong(&mut self, code: Code, node: &Node, expected: &str) {
        let message = format!("invalid value {}: it is not {expected}", node.found());
        self.report.error(code, node.span, &self.path, message);
    }

    pub(super) fn under<T>(&mut self, step: Step<'n>, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let value = read(self);
        self.path.pop();
        value
    }
}

/// A value that a record can hold.
pub(super) trait Field: Default {
    /// Reads a node that is neither null nor invalid.
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self;

    /// Is it left out of the output?
    fn unset(&self, view: View) -> bool;

    fn write(&self, view: View) -> Json;
}

/// A pointer of the reference: absent or there, zero included.
impl<T: Field> Field for Option<T> {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Some(T::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        self.is_none()
    }

    fn write(&self, view: View) -> Json {
        self.as_ref().map_or(Json::Null, |value| value.write(view))
    }
}

impl Field for String {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        match &node.value {
            Value::Str(text) => text.clone(),
            Value::Int(number, _) => number.to_string(),
            _ => {
                reader.wrong(Code::WRONG_TYPE, node, "a string");
                Self::default()
            }
        }
    }

    fn unset(&self, _: View) -> bool {
        self.is_empty()
    }

    fn write(&self, _: View) -> Json {
        Json::from(self.as_str())
    }
}

/// Text that counts as absent when it is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text(Option<String>);

impl Text {
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl std::ops::Deref for Text {
    type Target = Option<String>;

    fn deref(&self) -> &Option<String> {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self((!text.is_empty()).then(|| text.to_owned()))
    }
}

impl Field for Text {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(Some(String::read(node, reader)).filter(|text| !text.is_empty()))
    }

    fn unset(&self, _: View) -> bool {
        self.0.is_none()
    }

    fn write(&self, _: View) -> Json {
        self.0.as_deref().map_or(Json::Null, Json::from)
    }
}

impl Field for bool {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        match &node.value {
            Value::Bool(value, _) => *value,
            Value::Str(text) => {
                if let Some(value) = super::interpolate::boolean(text) {
                    return value;
                }
                reader.wrong(Code::WRONG_TYPE, node, "a boolean (true or false)");
                false
            }
            _ => {
                reader.wrong(Code::WRONG_TYPE, node, "a boolean (true or false)");
                false
            }
        }
    }

    fn unset(&self, _: View) -> bool {
        !*self
    }

    fn write(&self, _: View) -> Json {
        Json::Bool(*self)
    }
}

impl Field for i64 {
    #[allow(clippy::cast_possible_truncation)]
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let value = match &node.value {
            Value::Int(value, _) => Some(*value),
            Value::Float(value, _) if value.is_finite() => Some(*value as i64),
            Value::Str(text) => number::decimal(text),
            _ => None,
        };
        value.unwrap_or_else(|| {
            reader.wrong(Code::WRONG_TYPE, node, "a whole number");
            0
        })
    }

    fn unset(&self, _: View) -> bool {
        *self == 0
    }

    fn write(&self, _: View) -> Json {
        Json::from(*self)
    }
}

impl Field for u64 {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        match node.value {
            Value::Uint(value, _) => return value,
            Value::Str(_) => {
                reader.wrong(Code::WRONG_TYPE, node, "a number");
                return 0;
            }
            _ => {}
        }
        u64::try_from(i64::read(node, reader)).unwrap_or_else(|_| {
            reader.wrong(Code::WRONG_VALUE, node, "a whole number of 0 or more");
            0
        })
    }

    fn unset(&self, _: View) -> bool {
        *self == 0
    }

    fn write(&self, _: View) -> Json {
        Json::from(*self)
    }
}

impl Field for f32 {
    #[allow(clippy::cast_possible_truncation)]
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let value = node.as_f64().or_else(|| node.as_str().and_then(number::float));
        value.map_or_else(
            || {
                reader.wrong(Code::WRONG_TYPE, node, "a number");
                0.0
            },
            |value| value as f32,
        )
    }

    fn unset(&self, _: View) -> bool {
        *self == 0.0
    }

    fn write(&self, _: View) -> Json {
        single(*self)
    }
}

impl Field for Cpus {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self::new(f32::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        self.get() == 0.0
    }

    fn write(&self, _: View) -> Json {
        single(self.get())
    }
}

impl Field for Bytes {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let bytes = match &node.value {
            Value::Int(value, _) => Some(Self::new(*value)),
            Value::Str(text) => Self::parse(text),
            // The reference takes a fraction of a byte for nothing at all.
            Value::Float(..) => Some(Self::default()),
            _ => None,
        };
        bytes.unwrap_or_else(|| {
            let message = format!("invalid size {}", node.found());
            reader.report.error(Code::BAD_QUANTITY, node.span, &reader.path, message).help =
                Some("write a number of bytes, or one with a unit (b, k, m, g, t, p), as 512m or 1.5g".to_owned());
            Self::default()
        })
    }

    fn unset(&self, _: View) -> bool {
        self.get() == 0
    }

    fn write(&self, _: View) -> Json {
        Json::from(self.to_string())
    }
}

impl Field for Duration {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        node.rendered().and_then(|text| Self::parse(&text)).unwrap_or_else(|| {
            let message = format!("invalid duration {}", node.found());
            reader.report.error(Code::BAD_QUANTITY, node.span, &reader.path, message).help =
                Some("write numbers with units (ns, us, ms, s, m, h, d, w), as 90s or 1m30s".to_owned());
            Self::default()
        })
    }

    fn unset(&self, _: View) -> bool {
        self.nanoseconds() == 0
    }

    fn write(&self, _: View) -> Json {
        Json::from(self.to_string())
    }
}

impl Field for FileMode {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let mode = match &node.value {
            Value::Int(value, _) => Some(Self::new(*value)),
            Value::Str(text) => Self::parse(text),
            _ => None,
        };
        mode.unwrap_or_else(|| {
            reader.wrong(Code::WRONG_VALUE, node, "a file mode in octal, as 0440");
            Self::default()
        })
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, _: View) -> Json {
        Json::from(self.to_string())
    }
}

/// A boolean that is true unless the file says otherwise; true is not printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptOut(pub bool);

impl Default for OptOut {
    fn default() -> Self {
        Self(true)
    }
}

impl Field for OptOut {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(bool::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        self.0
    }

    fn write(&self, _: View) -> Json {
        Json::Bool(self.0)
    }
}

/// A value that is printed also when it is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Shown<T>(pub T);

impl<T: Field> Field for Shown<T> {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(T::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, view: View) -> Json {
        self.0.write(view)
    }
}

/// A command line. Absent (`None`) is the image's own; an empty list clears it. JSON shows both, YAML only the second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine(Option<Vec<String>>);

impl std::ops::Deref for CommandLine {
    type Target = Option<Vec<String>>;

    fn deref(&self) -> &Option<Vec<String>> {
        &self.0
    }
}

impl Field for CommandLine {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        if let Some(line) = node.as_str() {
            let words = super::shell_words::split(line);
            if words.is_none() {
                let message =
                    format!("{} can't be split into words: a quote, a parenthesis or a trailing \\ is open", node.found());
                reader.report.error(Code::WRONG_VALUE, node.span, &reader.path, message);
            }
            return Self(words);
        }
        Self(Some(Vec::read(node, reader)))
    }

    fn unset(&self, view: View) -> bool {
        view == View::Yaml && self.0.is_none()
    }

    fn write(&self, view: View) -> Json {
        self.0.as_ref().map_or(Json::Null, |words| words.write(view))
    }
}

impl<T: Field> Field for Vec<T> {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let Some(items) = node.as_seq() else {
            // A single value stands for a list of one.
            return vec![T::read(node, reader)];
        };
        let mut read = Self::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            // Null and invalid items keep their number, so that positions stay those of the tree.
            read.push(match item.value {
                Value::Null | Value::Invalid => T::default(),
                _ => reader.under(Step::Item(index), |reader| T::read(item, reader)),
            });
        }
        read
    }

    fn unset(&self, _: View) -> bool {
        self.is_empty()
    }

    fn write(&self, view: View) -> Json {
        Json::Array(self.iter().map(|item| item.write(view)).collect())
    }
}

/// Text or a number, taken as text.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scalar(pub String);

impl std::ops::Deref for Scalar {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Field for Scalar {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(node.rendered().unwrap_or_else(|| {
            reader.wrong(Code::WRONG_TYPE, node, "a string or a number");
            String::new()
        }))
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, _: View) -> Json {
        Json::from(self.0.as_str())
    }
}

/// By name, in the order of the names. A name without a value keeps the default.
impl<T: Field> Field for BTreeMap<String, T> {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let Some(map) = node.as_map() else {
            reader.wrong(Code::WRONG_TYPE, node, "a mapping");
            return Self::new();
        };
        map.iter()
            .map(|(key, value)| {
                let read = match value.value {
                    Value::Null | Value::Invalid => T::default(),
                    _ => reader.under(Step::Key(&key.text), |reader| T::read(value, reader)),
                };
                (key.text.to_string(), read)
            })
            .collect()
    }

    fn unset(&self, _: View) -> bool {
        self.is_empty()
    }

    fn write(&self, view: View) -> Json {
        Json::Object(self.iter().map(|(key, value)| (key.clone(), value.write(view))).collect())
    }
}

/// `x-` keys, as trees with their places: later rooms give them a meaning.
#[derive(Debug, Clone, Default)]
pub struct Extensions(pub(super) Map);

impl std::ops::Deref for Extensions {
    type Target = Map;

    fn deref(&self) -> &Map {
        &self.0
    }
}

impl Extensions {
    pub(super) fn of(map: &Map) -> Self {
        Self(map.iter().filter(|(key, _)| key.text.starts_with("x-")).map(|(key, node)| (key.clone(), node.clone())).collect())
    }

    pub(super) fn write_into(&self, out: &mut serde_json::Map<String, Json>) {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(key, _)| &key.text);
        out.extend(entries.into_iter().map(|(key, node)| (key.text.to_string(), tree(node))));
    }
}

/// A tree as it is, keys sorted.
pub(super) fn tree(node: &Node) -> Json {
    match &node.value {
        Value::Null | Value::Invalid => Json::Null,
        Value::Bool(value, _) => Json::Bool(*value),
        Value::Int(value, _) => Json::from(*value),
        Value::Uint(value, _) => Json::from(*value),
        Value::Float(value, _) => double(*value),
        Value::Time(time) => Json::from(time.rfc3339()),
        Value::Str(text) => Json::from(text.as_str()),
        Value::Seq(items) => Json::Array(items.iter().map(tree).collect()),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| &key.text);
            Json::Object(entries.into_iter().map(|(key, node)| (key.text.to_string(), tree(node))).collect())
        }
    }
}

/// A number without a fraction is written as an integer.
#[allow(clippy::cast_possible_truncation)]
fn double(value: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT { Json::from(value as i64) } else { Json::from(value) }
}

/// The shortest digits that a single-precision number reads back from.
fn single(value: f32) -> Json {
    value.to_string().parse().map_or(Json::Null, double)
}

/// Declares a record: the struct with its `x-` keys, how it is read, and how it is written in the order of its fields.
macro_rules! record {
    ($(#[$meta:meta])* $record:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty = $key:literal,)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Default)]
        pub struct $record {
            $($(#[$field_meta])* pub $field: $type,)*
            /// `x-` keys of this mapping.
            pub extensions: Extensions,
        }

        impl Field for $record {
            fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
                let mut record = Self::default();
                let Some(map) = node.as_map() else {
                    let message = format!("{} is not a mapping", node.found());
                    reader.report.error(Code::WRONG_TYPE, node.span, &reader.path, message);
                    return record;
                };
                let mut extended = false;
                for (key, value) in map.iter() {
                    if matches!(value.value, Value::Null | Value::Invalid) {
                        extended |= key.text.starts_with("x-");
                        continue;
                    }
                    match &*key.text {
                        $($key => record.$field = reader.under(Step::Key($key), |reader| Field::read(value, reader)),)*
                        other => extended |= other.starts_with("x-"),
                    }
                }
                if extended {
                    record.extensions = Extensions::of(map);
                }
                record
            }

            /// A record that is part of another is always shown in JSON, and in YAML when something in it is.
            fn unset(&self, view: View) -> bool {
                view == View::Yaml && self.extensions.is_empty() $(&& self.$field.unset(view))*
            }

            fn write(&self, view: View) -> Json {
                let mut out = serde_json::Map::new();
                $(if !self.$field.unset(view) {
                    out.insert($key.to_owned(), self.$field.write(view));
                })*
                if view == View::Yaml {
                    self.extensions.write_into(&mut out);
                }
                Json::Object(out)
            }
        }
    };
}
pub(super) use record;
