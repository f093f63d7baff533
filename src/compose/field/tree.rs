//! `x-` keys, and trees as they are.

use serde_json::Value as Json;

use crate::compose::node::{Map, Node, Value};

/// `x-` keys, as trees with their places: later rooms give them a meaning.
#[derive(Debug, Clone, Default)]
pub struct Extensions(Map);

impl std::ops::Deref for Extensions {
    type Target = Map;

    fn deref(&self) -> &Map {
        &self.0
    }
}

impl Extensions {
    pub(in crate::compose) fn of(map: &Map) -> Self {
        Self(map.iter().filter(|(key, _)| key.text.starts_with("x-")).map(|(key, node)| (key.clone(), node.clone())).collect())
    }

    pub(in crate::compose) fn write_into(&self, out: &mut serde_json::Map<String, Json>) {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(key, _)| &key.text);
        out.extend(entries.into_iter().map(|(key, node)| (key.text.to_string(), tree(node))));
    }
}

/// A tree as it is, keys sorted.
pub(in crate::compose) fn tree(node: &Node) -> Json {
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
pub(super) fn double(value: f64) -> Json {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() < EXACT { Json::from(value as i64) } else { Json::from(value) }
}

/// The shortest digits that a single-precision number reads back from.
pub(super) fn single(value: f32) -> Json {
    value.to_string().parse().map_or(Json::Null, double)
}
