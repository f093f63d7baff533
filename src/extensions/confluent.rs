//! `services.*.x-confluent`: what only the user knows of a component: its name where the image doesn't tell, and the connectors that it
//! will run, whose rights depend on their topics, the features with rights of their own that are used, and the plugins that are laid on
//! its image ([`super::plugin`]).
//!
//! ```yaml
//! x-confluent:
//!   connectors:
//!     orders-in:  { type: source, topics: [orders] }
//!     orders-out: { type: sink, topics: [orders, payments-*], dead-letters: orders-dlq }
//!   features: [topic-browser]
//! ```

use super::plugin::Plugin;
use super::reader::{Item, Key, Placed, Reader};

#[derive(Debug, Clone, Default)]
pub struct Confluent {
    /// The component that the image holds, where its name doesn't tell.
    pub component: Option<Placed<String>>,
    pub connectors: Vec<Connector>,
    /// Features of the component with rights of their own, as `acl list` names them.
    pub features: Vec<Placed<String>>,
    /// What its image gets beside what it has.
    pub plugins: Vec<Plugin>,
}

/// A connector, as far as rights depend on it.
#[derive(Debug, Clone)]
pub struct Connector {
    pub name: Placed<String>,
    pub kind: Placed<&'static str>,
    /// Names; one that ends in `*` stands for all that begin so.
    pub topics: Vec<Placed<String>>,
    /// A sink's `consumer.override.group.id`.
    pub group: Option<Placed<String>>,
    /// A sink's `errors.deadletterqueue.topic.name`.
    pub dead_letters: Option<Placed<String>>,
    /// A source whose records must arrive exactly once.
    pub exactly_once: Option<Placed<bool>>,
    /// A source's `offsets.storage.topic`.
    pub offsets_topic: Option<Placed<String>>,
}

pub const SOURCE: &str = "source";
pub const SINK: &str = "sink";

impl Reader<'_> {
    pub(super) fn confluent(&mut self, item: &Item<'_>) -> Confluent {
        let Some(fields) = self.fields(item, &[&["component"], &["connectors"], &["features"], &["plugins"]], &[]) else {
            return Confluent::default();
        };
        let component = fields.get("component").and_then(|name| self.word(name));
        let entries = fields.get("connectors").and_then(|item| self.entries(item)).unwrap_or_default();
        let connectors = entries.into_iter().filter_map(|(name, item)| self.connector(name, &item)).collect();
        let features = fields.get("features").map(|list| self.texts(list)).unwrap_or_default();
        let plugins = fields.get("plugins").map(|list| self.plugins(list)).unwrap_or_default();
        Confluent { component, connectors, features, plugins }
    }

    fn connector(&mut self, name: &str, item: &Item<'_>) -> Option<Connector> {
        let keys: &[Key] =
            &[&["type", "kind"], &["topics"], &["group"], &["dead-letters"], &["exactly-once"], &["offsets-topic"]];
        let fields = self.fields(item, keys, &[])?;
        let Some(kind) = fields.get("type") else {
            self.wrong(item, "the connector doesn't say which way it goes", "add `type: source` or `type: sink`");
            return None;
        };
        let kind = self.choice(kind, &[SOURCE, SINK])?;
        let topics = fields.get("topics").map(|topics| self.topics(topics)).unwrap_or_default();
        if topics.is_empty() {
            let help = "add `topics: […]`; a name that ends in * stands for all that begin so";
            self.wrong(item, format!("the {} names no topic", kind.value), help);
        }
        let other = if kind.value == SOURCE { SINK } else { SOURCE };
        let of_other: &[&str] =
            if kind.value == SOURCE { &["group", "dead-letters"] } else { &["exactly-once", "offsets-topic"] };
        for key in of_other {
            if let Some(item) = fields.get(key) {
                self.wrong(item, format!("{key} belongs to a {other}, and this is a {}", kind.value), "leave it out");
            }
        }
        let name = self.placed(item, name.to_owned());
        let mut topic = |key: &str| fields.get(key).and_then(|item| self.topic(item, false));
        let (dead_letters, offsets_topic) = (topic("dead-letters"), topic("offsets-topic"));
        let group = fields.get("group").and_then(|group| self.word(group));
        let exactly_once = fields.get("exactly-once").and_then(|flag| self.flag(flag));
        Some(Connector { name, kind, topics, group, dead_letters, exactly_once, offsets_topic })
    }

    /// One name, or a list of names.
    fn topics(&mut self, item: &Item<'_>) -> Vec<Placed<String>> {
        if item.node.as_seq().is_none() {
            return self.topic(item, true).into_iter().collect();
        }
        self.items(item).iter().filter_map(|item| self.topic(item, true)).collect()
    }

    /// A name that Kafka takes for a topic.
    fn topic(&mut self, item: &Item<'_>, may_be_prefix: bool) -> Option<Placed<String>> {
        let written = self.word(item)?;
        let name = written.value.strip_suffix('*').filter(|_| may_be_prefix).unwrap_or(&written.value);
        let fits = name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) && name.len() <= 249;
        if !fits || name == "." || name == ".." || (name.is_empty() && !may_be_prefix) {
            let help = "letters, digits, dots, hyphens and underscores, at most 249; a * at the end for a prefix";
            self.wrong(item, format!("\"{}\" can't be the name of a topic", written.value), help);
            return None;
        }
        Some(written)
    }
}
