//! Which entries a document wrote. What is done after each document is done for these alone, so that many documents cost
//! no more than one large one.

use super::map::Map;
use super::node::Node;

/// Top-level keys whose values are entries by name.
pub(super) const SECTIONS: [&str; 6] = ["services", "networks", "volumes", "secrets", "configs", "models"];

/// Keys of a document: section by section with its entries, and the other top-level keys.
#[derive(Debug, Default)]
pub(super) struct Touched {
    pub(super) entries: Vec<(&'static str, Box<str>)>,
    pub(super) top: Vec<Box<str>>,
}

impl Touched {
    pub(super) fn of(document: &Map) -> Self {
        let mut touched = Self::default();
        for (key, value) in document.iter() {
            let section = SECTIONS.into_iter().find(|section| **section == *key.text);
            match (section, value.as_map()) {
                (Some(section), Some(map)) => touched.entries.extend(map.keys().map(|name| (section, name.into()))),
                _ => touched.top.push(key.text.clone()),
            }
        }
        touched
    }

    /// Visits the entries that are there.
    pub(super) fn each(&self, root: &mut Map, mut visit: impl FnMut(&'static str, &str, &mut Node)) {
        for (section, name) in &self.entries {
            if let Some(entry) = root.get_mut(section).and_then(|section| section.as_map_mut()?.get_mut(name)) {
                visit(section, name, entry);
            }
        }
    }
}
