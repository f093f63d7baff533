//! The rights that a component's clients need, with the names of its own groups and topics filled in.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::properties::Properties;
use crate::extensions;
use crate::profile::{Acl, Component, Creates, Level, Members, Number, Operation, Pattern, Proof, Resource, When};

/// When a right is needed, as far as the configuration can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    Always,
    /// Only while the object doesn't exist.
    WhileMissing,
}

/// A topic as the component would create it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct NewTopic {
    pub partitions: i32,
    pub replication_factor: i16,
    /// The component takes no other cleanup policy.
    pub compacted: bool,
    /// The component takes one partition and no more.
    pub one_partition: bool,
}

/// A right that one client needs.
#[derive(Debug, Clone, Serialize)]
pub struct AclNeed {
    pub client: String,
    /// The connector that needs it, where it isn't the component itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector: Option<String>,
    /// Only who uses this needs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feature: Option<String>,
    pub resource: Resource,
    /// A property that nobody set, or whose secret wasn't read, still stands in `{braces}`, and its name is in `unresolved`.
    pub name: String,
    pub pattern: Pattern,
    pub operations: Vec<Operation>,
    pub need: Need,
    pub level: Level,
    pub why: String,
    pub source: String,
    pub proof: Proof,
    pub unresolved: Vec<String>,
    /// What is created where the object is missing; `None` too when a number for it can't be read.
    pub creates: Option<NewTopic>,
    /// For a group that the component's own instances join: by which protocol.
    pub members: Option<Members>,
    /// … and the part of their groups' names that is this instance's own.
    pub instance: Option<String>,
}

/// The rights that this configuration needs, in the profile's order. What is needed only with a setting that isn't set, or by who uses
/// a feature, is left out.
pub fn acl_needs(component: &Component, properties: &Properties) -> Vec<AclNeed> {
    let names = Names { component, properties, connector: None };
    component.acls.iter().filter(|acl| !matches!(acl.when, When::Feature(_))).filter_map(|acl| names.need(acl)).collect()
}

/// The topics that a component makes for itself, by name or by how their names begin; those whose names are not known are left out.
pub fn own_topics(component: &Component, properties: &Properties) -> BTreeSet<(String, Pattern)> {
    let own = |need: &AclNeed| {
        need.resource == Resource::Topic
            && need.operations.contains(&Operation::Create)
            && need.name != "*"
            && need.unresolved.is_empty()
    };
    let needs = acl_needs(component, properties).into_iter().filter(own);
    needs.map(|need| (need.name, need.pattern)).collect()
}

/// The rights that only those need who use a feature: no setting tells. Each names its feature.
pub fn feature_needs(component: &Component, properties: &Properties) -> Vec<AclNeed> {
    let names = Names { component, properties, connector: None };
    component.acls.iter().filter(|acl| matches!(acl.when, When::Feature(_))).filter_map(|acl| names.need(acl)).collect()
}

/// The rights that a connector needs beside, by its topics, its group and its dead letters.
pub fn connector_needs(component: &Component, properties: &Properties, connector: &Connector) -> Vec<AclNeed> {
    let names = Names { component, properties, connector: Some(connector) };
    let rights = match connector.kind {
        ConnectorKind::Source => &component.connectors.source,
        ConnectorKind::Sink => &component.connectors.sink,
    };
    let mut needs = Vec::new();
    for acl in rights {
        let used = match &acl.when {
            When::Feature(feature) if feature == DEAD_LETTERS => connector.dead_letters.is_some(),
            When::Feature(_) => false,
            _ => true,
        };
        let Some(need) = names.need(acl).filter(|_| used) else { continue };
        let need = AclNeed { connector: Some(connector.name.clone()), feature: None, ..need };
        if acl.name == "{topics}" {
            needs.extend(connector.topics.iter().map(|(topic, pattern)| AclNeed {
                name: topic.clone(),
                pattern: *pattern,
                unresolved: Vec::new(),
                ..need.clone()
            }));
        } else if let Some(group) = connector.group.as_ref().filter(|_| acl.resource == Resource::Group) {
            needs.push(AclNeed { name: group.clone(), unresolved: Vec::new(), ..need });
        } else {
            needs.push(need);
        }
    }
    needs
}

/// The feature of a sink that has a dead letter queue.
const DEAD_LETTERS: &str = "dead-letters";

/// A connector, as far as rights depend on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connector {
    pub name: String,
    pub kind: ConnectorKind,
    pub topics: Vec<(String, Pattern)>,
    /// The group of a sink that overrides its own.
    pub group: Option<String>,
    pub dead_letters: Option<String>,
    pub exactly_once: bool,
    /// The offsets topic of a source that has one of its own.
    pub offsets_topic: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectorKind {
    Source,
    Sink,
}

impl Connector {
    /// A topic as people write it: a star at its end stands for all that begin so.
    pub fn topic(written: &str) -> (String, Pattern) {
        match written.strip_suffix('*') {
            Some("") => ("*".to_owned(), Pattern::Literal),
            Some(prefix) => (prefix.to_owned(), Pattern::Prefixed),
            None => (written.to_owned(), Pattern::Literal),
        }
    }
}

impl From<&extensions::Connector> for Connector {
    fn from(written: &extensions::Connector) -> Self {
        let text = |placed: &Option<extensions::Placed<String>>| placed.as_ref().map(|placed| placed.value.clone());
        Self {
            name: written.name.value.clone(),
            kind: if written.kind.value == extensions::SOURCE { ConnectorKind::Source } else { ConnectorKind::Sink },
            topics: written.topics.iter().map(|topic| Self::topic(&topic.value)).collect(),
            group: text(&written.group),
            dead_letters: text(&written.dead_letters),
            exactly_once: written.exactly_once.as_ref().is_some_and(|flag| flag.value),
            offsets_topic: text(&written.offsets_topic),
        }
    }
}

/// Where the names in braces come from: the connector first, then the component's properties, then what it takes when nobody sets them.
struct Names<'a> {
    component: &'a Component,
    properties: &'a Properties,
    connector: Option<&'a Connector>,
}

impl<'a> Names<'a> {
    fn word(&self, name: &str) -> Option<&'a str> {
        let own = self.connector.and_then(|connector| match name {
            "connector" => Some(connector.name.as_str()),
            "errors.deadletterqueue.topic.name" => connector.dead_letters.as_deref(),
            "offset.storage.topic" => connector.offsets_topic.as_deref(),
            "exactly.once.source.support" if connector.exactly_once => Some("enabled"),
            _ => None,
        });
        let set = || self.properties.word(name).filter(|value| !value.is_empty());
        own.or_else(set).or_else(|| self.component.property_defaults.get(name).map(String::as_str))
    }

    fn need(&self, acl: &Acl) -> Option<AclNeed> {
        let mut feature = None;
        let need = match &acl.when {
            When::Always => Need::Always,
            When::Missing => Need::WhileMissing,
            When::Setting(condition) => {
                let value = self.word(&condition.property)?;
                condition.is.iter().any(|wanted| wanted.eq_ignore_ascii_case(value)).then_some(Need::Always)?
            }
            When::Feature(name) => {
                feature = Some(name.clone());
                Need::Always
            }
        };
        let (name, unresolved) = self.fill(&acl.name);
        Some(AclNeed {
            client: acl.client.clone(),
            connector: None,
            feature,
            resource: acl.resource,
            name,
            pattern: acl.pattern,
            operations: acl.operations.clone(),
            need,
            level: acl.level,
            why: acl.why.clone(),
            source: acl.source.clone(),
            proof: acl.proof,
            unresolved,
            creates: acl.creates.as_ref().and_then(|creates| new_topic(creates, self.properties)),
            members: acl.members,
            instance: acl.instance.as_ref().map(|instance| self.fill(instance).0),
        })
    }

    /// Puts the values of properties for their names in braces; gives the names that have none.
    fn fill(&self, template: &str) -> (String, Vec<String>) {
        let mut filled = String::new();
        let mut unresolved = Vec::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else { break };
            filled.push_str(before);
            if let Some(value) = self.word(name) {
                filled.push_str(value);
            } else {
                filled.extend(["{", name, "}"]);
                unresolved.push(name.to_owned());
            }
            rest = after;
        }
        filled.push_str(rest);
        (filled, unresolved)
    }
}

fn new_topic(creates: &Creates, properties: &Properties) -> Option<NewTopic> {
    let read = |number: &Number| match number.property.as_deref().and_then(|name| properties.word(name)) {
        Some(text) => text.parse::<i32>().ok(),
        None => Some(number.default),
    };
    let replication_factor = i16::try_from(read(&creates.replication_factor)?).ok()?;
    Some(NewTopic {
        partitions: read(&creates.partitions)?,
        replication_factor,
        compacted: creates.compacted,
        one_partition: creates.one_partition,
    })
}

#[cfg(test)]
mod tests {
    use super::{Need, acl_needs};
    use crate::confluent::{Environment, Text, properties};
    use crate::profile::{Catalogue, Operation, Resource};

    fn names(variables: &[(&str, &str)]) -> Vec<(Resource, String, Vec<Operation>, Need)> {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let environment: Environment = variables.iter().map(|(name, value)| (*name, Text::plain(*value, None))).collect();
        acl_needs(connect, &properties(connect, "cp-kafka-connect:8.0.7", &environment))
            .into_iter()
            .map(|need| (need.resource, need.name, need.operations, need.need))
            .collect()
    }

    #[test]
    fn names_are_filled_in() {
        let needs = names(&[("CONNECT_GROUP_ID", "connect-dev"), ("CONNECT_CONFIG_STORAGE_TOPIC", "connect-dev-configs")]);
        assert!(needs.contains(&(Resource::Group, "connect-dev".into(), vec![Operation::Read], Need::Always)));
        assert!(needs.contains(&(Resource::Topic, "connect-dev-configs".into(), vec![Operation::Create], Need::WhileMissing)));
        assert!(needs.iter().any(|need| need.1 == "{offset.storage.topic}"));
        assert!(!needs.iter().any(|need| need.0 == Resource::TransactionalId));
    }

    #[test]
    fn exactly_once_needs_a_transactional_id() {
        let needs = names(&[("CONNECT_GROUP_ID", "g"), ("CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT", "enabled")]);
        let expected = (
            Resource::TransactionalId,
            "connect-cluster-g".to_owned(),
            vec![Operation::Write, Operation::Describe],
            Need::Always,
        );
        assert!(needs.contains(&expected));
    }
}
