//! Whether a service's settings fit what is around them: its memory, its image, the other services of the project.
//!
//! Comes in: services as the files describe them. Goes out: what doesn't fit, in words. Rules: pure; nothing is said of what can't be known.

use std::collections::{BTreeMap, BTreeSet};

use super::acl::{AclNeed, acl_needs};
use super::environment::Environment;
use super::properties::Properties;
use crate::profile::{Component, Resource};

/// First line of Confluent's images without curl. Source: confluentinc/common-docker, base-java-micro/Dockerfile of 8.3.
const WITHOUT_CURL: (u32, u32) = (8, 3);
/// What a JVM keeps outside of its heap needs at least so much of a container's memory.
const LEAST_OUTSIDE_PERCENT: u64 = 15;

/// Why the heap doesn't fit into a memory of so many MiB, and whether the container can't live so.
pub fn heap(component: &Component, environment: &Environment, memory: u64) -> Option<(String, bool)> {
    let variable = &component.sizing.heap.variable;
    let most = environment.get(variable)?.plain_text().and_then(most_heap)?;
    if memory == 0 || most * 100 <= memory * (100 - LEAST_OUTSIDE_PERCENT) {
        return None;
    }
    let fatal = most >= memory;
    let message = if fatal {
        format!("{variable} allows a heap of {most} MiB, and the container has {memory} MiB: it will be ended for its memory")
    } else {
        format!(
            "{variable} allows a heap of {most} MiB of {memory} MiB: threads, buffers and classes need what is left, and more"
        )
    };
    Some((message, fatal))
}

/// The heap that a Java command line allows, in MiB; of several the last counts.
fn most_heap(options: &str) -> Option<u64> {
    let written = options.split_whitespace().filter_map(|option| option.strip_prefix("-Xmx")).next_back()?;
    let digits: String = written.chars().take_while(char::is_ascii_digit).collect();
    let number = digits.parse::<u64>().ok()?;
    Some(match written[digits.len()..].to_ascii_lowercase().as_str() {
        "" => number >> 20,
        "k" => number >> 10,
        "m" => number,
        "g" => number.checked_shl(10)?,
        _ => return None,
    })
}

/// The program that a health check calls and the image doesn't have.
pub fn missing_program<'t>(image: &str, test: impl IntoIterator<Item = &'t str>) -> Option<&'static str> {
    if super::line(image).is_none_or(|line| line < WITHOUT_CURL) || !super::is_confluents_own(image) {
        return None;
    }
    let words: Vec<&str> = test.into_iter().flat_map(|word| word.split(|c: char| !c.is_ascii_alphanumeric())).collect();
    ["curl", "wget"].into_iter().find(|program| words.contains(program))
}

/// The groups and internal topics that two services of the same component share, where they don't share all of them: half of a cluster each.
pub fn shared(component: &Component, one: &Properties, other: &Properties) -> Vec<String> {
    let (one, other) = (own_names(component, one), own_names(component, other));
    if one == other {
        return Vec::new();
    }
    one.intersection(&other).map(|(resource, name)| format!("{resource} {name}")).collect()
}

/// Whether two services of the same component are one cluster: they share every name that a cluster has.
pub fn is_twin(component: &Component, one: &Properties, other: &Properties) -> bool {
    let (one, other) = (own_names(component, one), own_names(component, other));
    !one.is_empty() && one == other
}

/// Topics that a service keeps two things in.
pub fn twice(component: &Component, properties: &Properties) -> BTreeSet<String> {
    let mut seen = BTreeMap::new();
    for acl in component.acls.iter().filter(|acl| acl.creates.is_some() && acl.resource == Resource::Topic) {
        let Some(name) = acl.name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) else { continue };
        if let Some(topic) = properties.word(name) {
            seen.entry(topic.to_owned()).or_insert_with(BTreeSet::new).insert(name);
        }
    }
    seen.into_iter().filter(|(_, names)| names.len() > 1).map(|(topic, _)| topic).collect()
}

/// The group and the internal topics of a service, where their names are known.
fn own_names(component: &Component, properties: &Properties) -> BTreeSet<(Resource, String)> {
    let own = |need: &AclNeed| (need.creates.is_some() || need.members.is_some()) && need.unresolved.is_empty();
    acl_needs(component, properties).into_iter().filter(own).map(|need| (need.resource, need.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::{heap, missing_program, most_heap, shared};
    use crate::confluent::{Environment, Properties, Text, properties};
    use crate::profile::Catalogue;

    #[test]
    fn a_heap_leaves_room_beside_it() {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let of = |options: &str, memory| {
            let environment: Environment = [("KAFKA_HEAP_OPTS", Text::plain(options, None))].into_iter().collect();
            heap(connect, &environment, memory).map(|(_, fatal)| fatal)
        };
        assert_eq!(of("-Xms1g -Xmx1g", 2048), None);
        assert_eq!(of("-Xmx1900m", 2048), Some(false));
        assert_eq!(of("-Xmx2G", 2048), Some(true));
        assert_eq!(
            (most_heap("-Xmx1g -Xmx512m"), most_heap("-Xmx1073741824"), most_heap("-Xmx"), most_heap("-Xms1g")),
            (Some(512), Some(1024), None, None)
        );
    }

    #[test]
    fn a_health_check_calls_what_the_image_has() {
        let test = ["CMD-SHELL", "curl -f http://localhost:8083/"];
        assert_eq!(missing_program("confluentinc/cp-kafka-connect:8.3.1", test), Some("curl"));
        assert_eq!(missing_program("confluentinc/cp-kafka-connect:8.2.3", test), None);
        assert_eq!(missing_program("acme/cp-kafka-connect:8.3.1", test), None);
        assert_eq!(missing_program("confluentinc/cp-kafka-connect:8.3.1", ["CMD", "bash", "-c", "curly"]), None);
    }

    #[test]
    fn half_a_cluster_is_shared_by_mistake() {
        let connect = Catalogue::builtin().expect("profiles").component("connect").expect("connect");
        let of = |group: &str, topics: &str| -> Properties {
            let environment: Environment = [
                ("CONNECT_GROUP_ID", group.to_owned()),
                ("CONNECT_CONFIG_STORAGE_TOPIC", format!("{topics}-c")),
                ("CONNECT_OFFSET_STORAGE_TOPIC", format!("{topics}-o")),
                ("CONNECT_STATUS_STORAGE_TOPIC", format!("{topics}-s")),
            ]
            .into_iter()
            .map(|(name, value)| (name, Text::plain(value, None)))
            .collect();
            properties(connect, "cp-kafka-connect:8.0.7", &environment)
        };
        assert!(shared(connect, &of("a", "a"), &of("a", "a")).is_empty(), "two services of one cluster");
        assert!(shared(connect, &of("a", "a"), &of("b", "b")).is_empty());
        assert_eq!(shared(connect, &of("a", "a"), &of("a", "b")), ["group a"]);
        assert_eq!(shared(connect, &of("a", "a"), &of("b", "a")), ["topic a-c", "topic a-o", "topic a-s"]);
    }
}
