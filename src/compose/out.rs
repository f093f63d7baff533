//! What is printed, before it is text: borrowed from the model, in the order of its fields.

use std::borrow::Cow;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::field::{Field, View};
use super::model::{Named, Service};

/// A value to print.
#[derive(Debug, Clone)]
pub(super) enum Out<'o> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Float(f64),
    Text(Cow<'o, str>),
    List(Vec<Out<'o>>),
    Map(Vec<(Cow<'o, str>, Out<'o>)>),
    /// The services, of which each is written out only when its turn comes: thousands at once would fill the memory.
    Services(&'o Named<Service>, View),
}

impl<'o> Out<'o> {
    pub(super) fn text(text: &'o str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// A number without a fraction is written as an integer.
    #[allow(clippy::cast_possible_truncation)]
    pub(super) fn number(value: f64) -> Self {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() < EXACT { Self::Int(value as i64) } else { Self::Float(value) }
    }
}

impl Serialize for Out<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Uint(value) => serializer.serialize_u64(*value),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Services(services, view) => {
                let mut map = serializer.serialize_map(Some(services.len()))?;
                for (name, service) in *services {
                    map.serialize_entry(name, &service.write(*view))?;
                }
                map.end()
            }
        }
    }
}
