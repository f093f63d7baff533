//! `Resources`: raw CloudFormation that is laid over the template, last of all.

use std::collections::BTreeMap;

use serde_json::Value;

use super::reader::{Item, Key, Placed, Reader};
use crate::base::{Code, Finding, Place};
use crate::compose::Node;

/// A resource as the files write it: a new one, or changes to one of the template's.
#[derive(Debug, Clone)]
pub struct OverlayResource {
    pub id: Placed<String>,
    pub value: Value,
    /// Where each value stands, by its path below the resource: `Properties.Tags[0].Key`.
    pub places: BTreeMap<String, Place>,
}

impl OverlayResource {
    /// Where a value stands; of one that nobody wrote, what is around it.
    pub fn place(&self, path: &str) -> Place {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return place.clone();
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return self.id.place.clone(),
            }
        }
    }
}

/// What may stand beside a resource's properties.
const KEYS: &[Key] = &[
    &["Type"],
    &["Properties"],
    &["DependsOn"],
    &["Metadata"],
    &["DeletionPolicy"],
    &["UpdateReplacePolicy"],
    &["CreationPolicy"],
    &["UpdatePolicy"],
];

impl Reader<'_> {
    pub(super) fn overlay(&mut self, item: &Item<'_>) -> Vec<OverlayResource> {
        let mut resources = Vec::new();
        for (name, resource) in self.entries(item).unwrap_or_default() {
            let id = Placed { value: name.to_owned(), place: self.key_place(&resource), path: resource.path.clone() };
            if !name.chars().all(|c| c.is_ascii_alphanumeric()) {
                let message = format!("\"{name}\" can't be the name of a resource");
                let finding = Finding::error(Code::OVERLAY, message).at(id.place).path(id.path);
                self.findings.push(finding.help("letters and digits only"));
                continue;
            }
            if self.fields(&resource, KEYS, &["Condition"]).is_none() {
                continue;
            }
            let mut places = BTreeMap::new();
            self.places(resource.node, String::new(), &mut places);
            resources.push(OverlayResource { id, value: super::json(resource.node), places });
        }
        resources
    }

    fn places(&self, node: &Node, path: String, places: &mut BTreeMap<String, Place>) {
        for (key, node) in node.as_map().into_iter().flat_map(crate::compose::Map::iter) {
            let below = if path.is_empty() { key.text.to_string() } else { format!("{path}.{}", key.text) };
            self.places(node, below, places);
        }
        for (index, node) in node.as_seq().into_iter().flatten().enumerate() {
            self.places(node, format!("{path}[{index}]"), places);
        }
        places.insert(path, self.project.place_of(node));
    }
}
