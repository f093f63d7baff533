//! A mapping with places, in the order it was written.
//!
//! Most mappings of a compose file have a handful of keys: those are searched one by one. Larger ones have an index.

use std::slice;
use std::vec;

use indexmap::{IndexMap, map};

use super::node::{Key, Node};

/// Up to this size keys are compared one by one.
const SMALL: usize = 16;

/// A mapping, in the order it was written.
#[derive(Debug, Clone)]
pub struct Map(Entries);

#[derive(Debug, Clone)]
enum Entries {
    Small(Vec<(Key, Node)>),
    /// Boxed, for it is large itself, and most mappings are small.
    Large(Box<IndexMap<Key, Node>>),
}

impl Default for Map {
    fn default() -> Self {
        Self(Entries::Small(Vec::new()))
    }
}

impl Map {
    fn position(&self, key: &str) -> Option<usize> {
        match &self.0 {
            Entries::Small(entries) => entries.iter().position(|(known, _)| *known.text == *key),
            Entries::Large(entries) => entries.get_index_of(key),
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.0 {
            Entries::Small(entries) => entries.iter().find(|(known, _)| *known.text == *key).map(|(_, node)| node),
            Entries::Large(entries) => entries.get(key),
        }
    }

    /// The key as it was written, for its place.
    pub fn key(&self, key: &str) -> Option<&Key> {
        match &self.0 {
            Entries::Small(entries) => entries.iter().find(|(known, _)| *known.text == *key).map(|(key, _)| key),
            Entries::Large(entries) => entries.get_key_value(key).map(|(key, _)| key),
        }
    }

    pub fn contains(&self, key: &str) -> bool {
        self.position(key).is_some()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Key, &Node)> {
        match &self.0 {
            Entries::Small(entries) => Iter::Small(entries.iter()),
            Entries::Large(entries) => Iter::Large(entries.iter()),
        }
    }

    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|(key, _)| &*key.text)
    }

    pub fn len(&self) -> usize {
        match &self.0 {
            Entries::Small(entries) => entries.len(),
            Entries::Large(entries) => entries.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn with_capacity(capacity: usize) -> Self {
        if capacity <= SMALL {
            Self(Entries::Small(Vec::with_capacity(capacity)))
        } else {
            Self(Entries::Large(Box::new(IndexMap::with_capacity(capacity))))
        }
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        match &mut self.0 {
            Entries::Small(entries) => entries.iter_mut().find(|(known, _)| *known.text == *key).map(|(_, node)| node),
            Entries::Large(entries) => entries.get_mut(key),
        }
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&Key, &mut Node)> {
        match &mut self.0 {
            Entries::Small(entries) => IterMut::Small(entries.iter_mut()),
            Entries::Large(entries) => IterMut::Large(entries.iter_mut()),
        }
    }

    /// Sets a key. An existing key keeps its position in the order, and its place.
    pub(super) fn insert(&mut self, key: Key, node: Node) {
        match &mut self.0 {
            Entries::Small(entries) => {
                if let Some((_, known)) = entries.iter_mut().find(|(known, _)| known.text == key.text) {
                    *known = node;
                } else if entries.len() < SMALL {
                    entries.push((key, node));
                } else {
                    let mut large: IndexMap<Key, Node> = std::mem::take(entries).into_iter().collect();
                    large.insert(key, node);
                    self.0 = Entries::Large(Box::new(large));
                }
            }
            Entries::Large(entries) => {
                entries.insert(key, node);
            }
        }
    }

    /// Sets a key that stands at the place of its value.
    pub(super) fn set(&mut self, key: &str, node: Node) {
        let span = node.span;
        self.insert(Key { text: key.into(), span }, node);
    }

    /// Sets a key unless it is there.
    pub(super) fn set_default(&mut self, key: &str, node: Node) {
        if !self.contains(key) {
            self.set(key, node);
        }
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Node> {
        let position = self.position(key)?;
        match &mut self.0 {
            Entries::Small(entries) => Some(entries.remove(position).1),
            Entries::Large(entries) => entries.shift_remove_index(position).map(|(_, node)| node),
        }
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Key, &mut Node) -> bool) {
        match &mut self.0 {
            Entries::Small(entries) => entries.retain_mut(|(key, node)| keep(key, node)),
            Entries::Large(entries) => entries.retain(|key, node| keep(key, node)),
        }
    }

    pub(super) fn into_entries(self) -> impl Iterator<Item = (Key, Node)> {
        match self.0 {
            Entries::Small(entries) => IntoEntries::Small(entries.into_iter()),
            Entries::Large(entries) => IntoEntries::Large(Box::new(entries.into_iter())),
        }
    }
}

impl FromIterator<(Key, Node)> for Map {
    fn from_iter<T: IntoIterator<Item = (Key, Node)>>(iter: T) -> Self {
        let iter = iter.into_iter();
        let mut map = Self::with_capacity(iter.size_hint().0);
        for (key, node) in iter {
            map.insert(key, node);
        }
        map
    }
}

/// Entries by reference.
#[derive(Debug)]
enum Iter<'m> {
    Small(slice::Iter<'m, (Key, Node)>),
    Large(map::Iter<'m, Key, Node>),
}

impl<'m> Iterator for Iter<'m> {
    type Item = (&'m Key, &'m Node);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Small(entries) => entries.next().map(|(key, node)| (key, node)),
            Self::Large(entries) => entries.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Small(entries) => entries.size_hint(),
            Self::Large(entries) => entries.size_hint(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

/// Entries whose values can be changed.
#[derive(Debug)]
enum IterMut<'m> {
    Small(slice::IterMut<'m, (Key, Node)>),
    Large(map::IterMut<'m, Key, Node>),
}

impl<'m> Iterator for IterMut<'m> {
    type Item = (&'m Key, &'m mut Node);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Small(entries) => entries.next().map(|(key, node)| (&*key, node)),
            Self::Large(entries) => entries.next(),
        }
    }
}

/// Entries taken out.
enum IntoEntries {
    Small(vec::IntoIter<(Key, Node)>),
    Large(Box<map::IntoIter<Key, Node>>),
}

impl Iterator for IntoEntries {
    type Item = (Key, Node);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Small(entries) => entries.next(),
            Self::Large(entries) => entries.next(),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Small(entries) => entries.size_hint(),
            Self::Large(entries) => entries.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, SMALL};
    use crate::compose::node::{Key, Node, Span};

    #[test]
    fn small_and_large_are_one() {
        let mut map = Map::default();
        for number in 0..3 * SMALL {
            let key = Key { text: format!("k{number}").into(), span: Span::default() };
            map.insert(key, Node::int(0, Span::default()));
            assert_eq!(map.len(), number + 1);
        }
        map.set("k1", Node::int(1, Span::default()));
        assert_eq!(map.get("k1").and_then(Node::as_i64), Some(1));
        assert_eq!(map.remove("k2").and_then(|node| node.as_i64()), Some(0));
        assert!(map.get("k2").is_none() && map.contains("k40"));
        map.retain(|key, _| key.text.len() == 2);
        assert_eq!(map.keys().collect::<Vec<_>>(), ["k0", "k1", "k3", "k4", "k5", "k6", "k7", "k8", "k9"]);
    }
}
