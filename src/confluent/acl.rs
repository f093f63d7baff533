//! The rights that a component's clients need, with the names of its own groups and topics filled in.

use serde::Serialize;

use super::properties::Properties;
use crate::profile::{Component, Creates, Level, Members, Number, Operation, Pattern, Proof, Resource, When};

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

/// The rights that this configuration needs, in the profile's order. What is needed only with a setting that isn't set is left out.
pub fn acl_needs(component: &Component, properties: &Properties) -> Vec<AclNeed> {
    component
        .acls
        .iter()
        .filter_map(|acl| {
            let need = match &acl.when {
                When::Always => Need::Always,
                When::Missing => Need::WhileMissing,
                When::Setting(condition) => {
                    let value = word(component, properties, &condition.property)?;
                    condition.is.iter().any(|wanted| wanted.eq_ignore_ascii_case(value)).then_some(Need::Always)?
                }
                // Nothing in the configuration tells whether it is used.
                When::Feature(_) => return None,
            };
            let (name, unresolved) = fill(&acl.name, component, properties);
            Some(AclNeed {
                client: acl.client.clone(),
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
                creates: acl.creates.as_ref().and_then(|creates| new_topic(creates, properties)),
                members: acl.members,
                instance: acl.instance.as_ref().map(|instance| fill(instance, component, properties).0),
            })
        })
        .collect()
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

/// A property, or what the component takes when nobody sets it.
fn word<'a>(component: &'a Component, properties: &'a Properties, name: &str) -> Option<&'a str> {
    properties.word(name).or_else(|| component.property_defaults.get(name).map(String::as_str))
}

/// Puts the values of properties for their names in braces; gives the names that have none.
fn fill(template: &str, component: &Component, properties: &Properties) -> (String, Vec<String>) {
    let mut filled = String::new();
    let mut unresolved = Vec::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, after)) = after.split_once('}') else { break };
        filled.push_str(before);
        if let Some(value) = word(component, properties, name) {
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
