//! `x-` keys, and trees as they are.

use std::borrow::Cow;

use crate::compose::map::Map;
use crate::compose::node::{Node, Value};
use crate::compose::out::Out;

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

    pub(in crate::compose) fn write_into<'o>(&'o self, out: &mut Vec<(Cow<'o, str>, Out<'o>)>) {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by_key(|(key, _)| &key.text);
        out.extend(entries.into_iter().map(|(key, node)| (Cow::Borrowed(&*key.text), tree(node))));
    }
}

/// A tree as it is, keys sorted.
pub(in crate::compose) fn tree(node: &Node) -> Out<'_> {
    match &node.value {
        Value::Null | Value::Invalid => Out::Null,
        Value::Bool(value, _) => Out::Bool(*value),
        Value::Int(value, _) => Out::Int(*value),
        Value::Uint(value, _) => Out::Uint(*value),
        Value::Float(value, _) => Out::number(*value),
        Value::Time(time) => Out::Text(time.rfc3339().into()),
        Value::Str(text) => Out::text(text),
        Value::Seq(items) => Out::List(items.iter().map(tree).collect()),
        Value::Map(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| &key.text);
            Out::Map(entries.into_iter().map(|(key, node)| (Cow::Borrowed(&*key.text), tree(node))).collect())
        }
    }
}

/// The shortest digits that a single-precision number reads back from.
pub(super) fn single(value: f32) -> Out<'static> {
    value.to_string().parse().map_or(Out::Null, Out::number)
}
