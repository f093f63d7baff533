//! Whether versions go together: an image and its settings, the images of a project, a component and a kind of cluster.
//!
//! Comes in: services as the files describe them, and what profiles say of lines. Goes out: findings with the place of the variable.
//! Rules: pure; nothing is said of an image of people's own, whose tag may count anything.

use super::client::KafkaClient;
use super::properties::{Properties, Property};
use super::settings::Service;
use super::{is_confluents_own, line, version};
use crate::base::{Code, Finding};
use crate::profile::{Component, Provider, SettingRange};

/// Everything about one service.
pub(super) fn findings(
    service: &Service<'_>,
    properties: &Properties,
    clients: &[KafkaClient],
    providers: &[&Provider],
) -> Vec<Finding> {
    let mut found = Vec::new();
    for rule in &service.component.versions.clusters {
        let on = |provider: &&&Provider| rule.kafka.contains(&provider.name);
        if providers.is_empty() || providers.iter().filter(on).count() < providers.len() || properties.is_open() {
            continue;
        }
        let property = properties.get(&rule.property);
        if property.is_some_and(|property| property.value.raw().is_none_or(|value| value.trim() == rule.must_be)) {
            continue;
        }
        let variable = super::variable_name(&service.component.environment, &rule.property);
        let message = format!("{variable} is not {}, and the cluster is {}: {}", rule.must_be, providers[0].title, rule.why);
        let finding = Finding::error(Code::VERSIONS, message).help(format!("write {variable}: {}", rule.must_be));
        found.push(service.placed(finding, &variable, property.and_then(|property| property.value.place.as_ref())));
    }
    let Some(line) = line(service.image).filter(|_| is_confluents_own(service.image)) else { return found };
    let of_component = &service.component.versions;
    for range in &of_component.settings {
        for (name, property) in properties.iter().filter(|(name, _)| range.is_about(name)) {
            found.extend(outside(service, range, name, property, line));
        }
    }
    // Clients of a component with lines of its own have Kafka's own version, which those lines don't tell.
    if of_component.platform.is_empty() {
        for (client, range) in
            clients.iter().flat_map(|client| service.catalogue.kafka().client_versions.iter().map(move |range| (client, range)))
        {
            let name = client.property(&range.property);
            let Some(property) = properties.get(&name) else { continue };
            found.extend(outside(service, range, &name, property, line));
        }
    }
    found
}

/// A setting that this line doesn't know.
fn outside(service: &Service<'_>, range: &SettingRange, name: &str, property: &Property, line: (u32, u32)) -> Option<Finding> {
    let value = property.value.raw()?.trim();
    if !range.is.is_empty() && !range.is.iter().any(|known| known.eq_ignore_ascii_case(value)) {
        return None;
    }
    let too_old = range.since.as_deref().and_then(version).is_some_and(|since| line < since);
    let too_new = range.until.as_deref().and_then(version).is_some_and(|until| line > until);
    let what = if range.is.is_empty() { name.to_owned() } else { format!("{name}={value}") };
    let (major, minor) = line;
    let message = match (too_old, too_new) {
        (true, _) => {
            format!("{what} is known from {} on, and the image is of {major}.{minor}", range.since.as_deref().unwrap_or_default())
        }
        (_, true) => format!(
            "{what} is known up to {} only, and the image is of {major}.{minor}",
            range.until.as_deref().unwrap_or_default()
        ),
        _ => return None,
    };
    let help = match &range.instead {
        Some(instead) => format!("write {}: {instead}", property.variable),
        None if too_old => format!(
            "take {}:{}, or leave {} out",
            service.component.image.repository, service.component.image.tag, property.variable
        ),
        None => format!("leave {} out", property.variable),
    };
    let finding = Finding::error(Code::VERSIONS, message).help(help);
    Some(service.placed(finding, &property.variable, property.value.place.as_ref()))
}

/// Why there is no image of this line, and what to take.
pub fn no_such_line(component: &Component, image: &str) -> Option<(String, String)> {
    let (major, minor) = line(image).filter(|_| is_confluents_own(image))?;
    let bound = |text: &Option<String>| text.as_deref().and_then(version);
    let versions = &component.versions;
    let below = bound(&versions.first).is_some_and(|first| (major, minor) < first);
    let above = bound(&versions.last).is_some_and(|last| (major, minor) > last);
    if !below && !above {
        return None;
    }
    let limit = if above {
        format!("ended with {}", versions.last.as_deref().unwrap_or_default())
    } else {
        format!("began with {}", versions.first.as_deref().unwrap_or_default())
    };
    let help = versions.instead.clone().unwrap_or_else(|| format!("take {}:{}", component.image.repository, component.image.tag));
    Some((format!("there is no {} {major}.{minor}: it {limit}", component.title), help))
}

/// Why two components of one project don't go together: in words, and what to do. The first is the one to change.
pub fn apart(one: (&Component, &str), other: (&Component, &str)) -> Option<(String, String)> {
    let of = |(component, image): (&Component, &str)| {
        let line = line(image).filter(|_| is_confluents_own(image))?;
        Some((line, component.title.clone()))
    };
    let ((line, title), (others, other_title)) = (of(one)?, of(other)?);
    let (versions, theirs) = (&one.0.versions, &other.0.versions);
    let shown = |(major, minor): (u32, u32)| format!("{major}.{minor}");
    if !versions.platform.is_empty() && theirs.platform.is_empty() {
        let range = versions.platform.iter().find(|range| version(&range.line) == Some(line))?;
        let (first, last) = (version(&range.first)?, version(&range.last)?);
        if (first..=last).contains(&others) {
            return None;
        }
        let mut fitting = versions.platform.iter().filter(|range| {
            version(&range.first).zip(version(&range.last)).is_some_and(|(first, last)| (first..=last).contains(&others))
        });
        let help = match fitting.next_back() {
            Some(range) => format!("take {title} {}, which works with {} to {}", range.line, range.first, range.last),
            None => format!("take {other_title} {} to {}", range.first, range.last),
        };
        return Some((
            format!(
                "{title} {} works with Confluent Platform {} to {}, and {other_title} is {}",
                shown(line),
                range.first,
                range.last,
                shown(others)
            ),
            help,
        ));
    }
    // Components of one release are tested with each other; across a major version nobody promises it.
    if versions.platform.is_empty() && theirs.platform.is_empty() && line.0 != others.0 {
        let message = format!(
            "{title} {} and {other_title} {} are of different major versions of Confluent Platform",
            shown(line),
            shown(others)
        );
        return Some((message, "take images of one release".to_owned()));
    }
    None
}

/// The tag that an image beside a component must have, where it has another.
pub fn other_tag<'i>(component: &Component, image: &'i str, beside: &'i str) -> Option<&'i str> {
    let name = super::repository(beside).rsplit('/').next().unwrap_or_default();
    if !component.versions.same_tag.iter().any(|known| known == name) {
        return None;
    }
    let tag = |image| super::tag(image).filter(|tag| version(tag).is_some());
    let (own, theirs) = (tag(image)?, tag(beside)?);
    (own != theirs).then_some(own)
}

#[cfg(test)]
mod tests {
    use super::{apart, no_such_line, other_tag};
    use crate::profile::Catalogue;

    fn component(name: &str) -> &'static crate::profile::Component {
        Catalogue::builtin().expect("profiles").component(name).expect(name)
    }

    #[test]
    fn lines_that_ended_or_never_began_are_told() {
        let (legacy, next) = (component("control-center-legacy"), component("control-center"));
        for (component, image, said) in [
            (legacy, "confluentinc/cp-enterprise-control-center:8.0.0", Some("ended with 7.9")),
            (legacy, "1.dkr.ecr.eu-west-1.amazonaws.com/confluentinc/cp-enterprise-control-center:5.5.1", None),
            (next, "confluentinc/cp-enterprise-control-center-next-gen:2.6.0", None),
            (next, "confluentinc/cp-enterprise-control-center-next-gen:8.0.0", Some("ended with")),
            (next, "acme/cp-enterprise-control-center-next-gen:8.0.0", None),
            (next, "confluentinc/cp-enterprise-control-center-next-gen:latest", None),
        ] {
            let found = no_such_line(component, image).map(|(message, _)| message);
            assert_eq!(found.is_some(), said.is_some(), "{image}: {found:?}");
            assert!(said.is_none_or(|said| found.is_some_and(|found| found.contains(said))), "{image}");
        }
    }

    #[test]
    fn components_of_one_project_go_together() {
        let (next, connect, registry) = (component("control-center"), component("connect"), component("schema-registry"));
        let console = |tag: &str| format!("confluentinc/cp-enterprise-control-center-next-gen:{tag}");
        let worker = |tag: &str| format!("confluentinc/cp-kafka-connect:{tag}");
        let said = |tag: &str, other: &str| {
            apart((next, &console(tag)), (connect, &worker(other))).map(|(message, help)| message + "; " + &help)
        };
        assert_eq!((said("2.6.0", "8.3.1"), said("2.2.2", "7.9.8"), said("2.9.0", "9.0.0")), (None, None, None));
        let found = said("2.2.2", "8.3.1").expect("2.2 is older than 8.3");
        assert!(
            found.contains("works with Confluent Platform 7.7 to 8.0") && found.contains("take Control Center 2.6"),
            "{found}"
        );
        let schemas = |tag: &str| format!("confluentinc/cp-schema-registry:{tag}");
        assert!(apart((connect, &worker("7.9.8")), (registry, &schemas("8.0.7"))).is_some());
        assert!(apart((connect, &worker("8.0.7")), (registry, &schemas("8.3.1"))).is_none());
        assert!(apart((connect, "acme/cp-kafka-connect:1.0"), (registry, &schemas("8.3.1"))).is_none());
        let beside = "confluentinc/cp-enterprise-prometheus:2.5.1";
        assert_eq!(other_tag(next, &console("2.6.0"), beside), Some("2.6.0"));
        assert_eq!(other_tag(next, &console("2.5.1"), beside), None);
        assert_eq!(other_tag(next, &console("2.6.0"), "prom/prometheus:3.0.0"), None);
    }
}
