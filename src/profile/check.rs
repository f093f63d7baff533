//! What a profile must be beside well typed: what it refers to exists, and what it says can be read.

use super::{Acl, Catalogue, Component, KeySource};

/// Something wrong, and a word of the file to find it by.
pub(super) struct Trouble {
    pub(super) word: String,
    pub(super) message: String,
}

/// Everything wrong with a profile of the catalogue.
pub(super) fn troubles(component: &Component, catalogue: &Catalogue) -> Vec<Trouble> {
    let mut found = Vec::new();
    let mut say = |word: &str, message: String| found.push(Trouble { word: word.to_owned(), message });
    let client = |name: &str| component.clients.iter().any(|client| client.name == name);
    let registry = |name: &str| component.registries.iter().any(|registry| registry.name == name);
    if component.clients.is_empty() {
        say("clients", "it has no Kafka client".to_owned());
    }
    if component.images.is_empty() {
        say("images", "it names no image".to_owned());
    }
    let own = component.images.iter().any(|image| component.image.repository.rsplit('/').next() == Some(image));
    if !own {
        say(&component.image.repository, format!("{} is none of its images", component.image.repository));
    }
    if !component.image.known.contains(&component.image.tag) {
        say(&component.image.tag, format!("{} is not among the known tags", component.image.tag));
    }
    let connectors = component.connectors.source.iter().chain(&component.connectors.sink);
    for acl in component.acls.iter().chain(connectors) {
        let Acl { client: name, why, source, .. } = acl;
        if !client(name) {
            say(name, format!("no client {name}, whose right this would be"));
        }
        if why.is_empty() || source.is_empty() {
            say(&acl.name, format!("the right on {} doesn't say why, or who says so", acl.name));
        }
    }
    for key in component.secret.keys.iter().chain(&component.secret.of_scripts) {
        let named = component.environment.named.iter().any(|named| named.variables.contains(&key.variable));
        let fits = component.environment.prefixes.iter().any(|prefix| key.variable.starts_with(&prefix.variable));
        let of_script = component.secret.of_scripts.iter().any(|other| other.variable == key.variable);
        if !named && !fits && !of_script {
            say(&key.variable, format!("{} has none of the prefixes, and sets nothing", key.variable));
        }
        match &key.from {
            KeySource::Jaas(name) | KeySource::Certificate(name) | KeySource::PrivateKey(name) if !client(name) => {
                say(&key.variable, format!("no client {name}, whose login this would be"));
            }
            KeySource::UserInfo(name) | KeySource::RegistryUrl(name) if !registry(name) => {
                say(&key.variable, format!("no registry {name}, whose login this would be"));
            }
            _ => {}
        }
    }
    for link in &component.links {
        if catalogue.component(&link.component).is_none() {
            say(&link.component, format!("no component {}, which it would call", link.component));
        }
    }
    let notes = component.notes.iter().flat_map(|note| &note.kafka);
    for kind in component.defaults.iter().flat_map(|defaults| &defaults.kafka).chain(notes) {
        if catalogue.kafka().provider(kind).is_none() {
            say(kind, format!("there is no kind of cluster {kind}"));
        }
    }
    for value in component.values.iter().filter(|value| value.is.is_empty() == value.least.is_none()) {
        say(&value.property, format!("{} takes either words or a least number", value.property));
    }
    for name in component.client_settings.keys() {
        if !client(name) {
            say(name, format!("no client {name}, whose settings these would be"));
        }
    }
    let lines = [&component.versions.first, &component.versions.last].into_iter().flatten();
    let lines = lines.chain(component.versions.platform.iter().flat_map(|range| [&range.line, &range.first, &range.last]));
    let ranges = component.versions.settings.iter().flat_map(|range| [&range.since, &range.until]).flatten();
    for line in lines.chain(ranges) {
        let parts = line.split_once('.').map(|(major, minor)| (major.parse::<u32>(), minor.parse::<u32>()));
        if !matches!(parts, Some((Ok(_), Ok(_)))) {
            say(line, format!("{line} is no line; write it as \"8.0\""));
        }
    }
    for rule in &component.versions.clusters {
        for kind in rule.kafka.iter().filter(|kind| catalogue.kafka().provider(kind).is_none()) {
            say(kind, format!("there is no kind of cluster {kind}"));
        }
    }
    if component.sizing.mebibytes().is_none() {
        say(
            &component.sizing.memory,
            format!("{} is no size; write whole gibibytes or mebibytes, 2G or 512M", component.sizing.memory),
        );
    }
    found
}
