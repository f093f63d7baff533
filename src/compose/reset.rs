//! `!reset` and `!override`: what they tag is taken out of the files before. A reset value is also left out itself.

use super::map::Map;
use super::node::{Node, Tag, Value};

/// Paths of keys that a document takes out of what came before it. Values inside lists can't be taken out.
#[derive(Debug, Clone, Default)]
pub(super) struct Resets(Vec<Vec<Box<str>>>);

impl Resets {
    /// Collects the tags of a document and leaves its reset values out.
    pub(super) fn collect(root: &mut Node) -> Self {
        let mut resets = Self::default();
        // Hardly any document has a tag, and to look for one costs less than to walk with paths.
        if is_tagged(root) {
            collect(root, &mut Vec::new(), false, &mut resets.0);
        }
        resets
    }

    /// Takes the paths out of a tree that begins at the top level.
    pub(super) fn apply(&self, root: &mut Map) {
        for path in &self.0 {
            remove(root, path);
        }
    }

    /// Takes the paths below `prefix` out of one entry, as `["services", "web"]`.
    pub(super) fn apply_below(&self, prefix: [&str; 2], entry: &mut Node) {
        for path in &self.0 {
            if let [section, name, rest @ ..] = path.as_slice()
                && **section == *prefix[0]
                && **name == *prefix[1]
                && let Some(map) = entry.as_map_mut()
            {
                remove(map, rest);
            }
        }
    }
}

fn is_tagged(node: &Node) -> bool {
    node.tag != Tag::None
        || match &node.value {
            Value::Map(map) => map.iter().any(|(_, value)| is_tagged(value)),
            Value::Seq(items) => items.iter().any(is_tagged),
            _ => false,
        }
}

fn collect(node: &mut Node, path: &mut Vec<Box<str>>, in_list: bool, resets: &mut Vec<Vec<Box<str>>>) {
    match &mut node.value {
        Value::Map(map) => map.retain(|key, value| {
            path.push(key.text.clone());
            if value.tag != Tag::None && !in_list {
                resets.push(path.clone());
            }
            match value.tag {
                // What stands below an override is taken as it is.
                Tag::None => collect(value, path, in_list, resets),
                Tag::Reset | Tag::Override => {}
            }
            path.pop();
            value.tag != Tag::Reset
        }),
        Value::Seq(items) => items.retain_mut(|item| {
            if item.tag == Tag::None {
                collect(item, path, true, resets);
            }
            item.tag != Tag::Reset
        }),
        _ => {}
    }
}

fn remove(map: &mut Map, path: &[Box<str>]) {
    match path {
        [] => {}
        [last] => {
            map.remove(last);
        }
        [first, rest @ ..] => {
            if let Some(below) = map.get_mut(first).and_then(Node::as_map_mut) {
                remove(below, rest);
            }
        }
    }
}
