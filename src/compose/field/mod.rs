//! How a typed field is read from the tree and written for `config`. The records themselves are in [`super::model`].
//!
//! Comes in: a canonical tree (long syntax everywhere, checked against the schema). Goes out: typed values, and findings
//! for what only the typed form shows: a bad duration, size or number. What is wrong stays at its default.

mod forms;
mod numbers;
mod tree;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use forms::{CommandLine, OptOut, Scalar, Shown, Text};
pub use tree::Extensions;
pub(super) use tree::tree;

use super::node::{Node, Step, Value};
use super::report::Report;
use crate::base::Code;
use crate::compose::out::Out;
use tree::single;

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
    pub(super) fn wrong(&mut self, code: Code, node: &Node, expected: &str) {
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

    fn write(&self, view: View) -> Out<'_>;
}

/// A pointer of the reference: absent or there, zero included.
impl<T: Field> Field for Option<T> {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Some(T::read(node, reader))
    }

    fn unset(&self, _: View) -> bool {
        self.is_none()
    }

    fn write(&self, view: View) -> Out<'_> {
        self.as_ref().map_or(Out::Null, |value| value.write(view))
    }
}

/// A large record that most others do without.
impl<T: Field> Field for Box<T> {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self::new(T::read(node, reader))
    }

    fn unset(&self, view: View) -> bool {
        self.as_ref().unset(view)
    }

    fn write(&self, view: View) -> Out<'_> {
        self.as_ref().write(view)
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

    fn write(&self, _: View) -> Out<'_> {
        Out::text(self)
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

    fn write(&self, view: View) -> Out<'_> {
        Out::List(self.iter().map(|item| item.write(view)).collect())
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

    fn write(&self, view: View) -> Out<'_> {
        Out::Map(self.iter().map(|(key, value)| (Cow::Borrowed(key.as_str()), value.write(view))).collect())
    }
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

            fn write(&self, view: View) -> Out<'_> {
                let mut out: Vec<(std::borrow::Cow<'_, str>, Out<'_>)> = Vec::new();
                $(if !self.$field.unset(view) {
                    out.push((std::borrow::Cow::Borrowed($key), self.$field.write(view)));
                })*
                if view == View::Yaml {
                    self.extensions.write_into(&mut out);
                }
                Out::Map(out)
            }
        }
    };
}
pub(super) use record;
