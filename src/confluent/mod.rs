//! What a container will really do. Comes in: an image's name, its environment, the catalogue. Goes out: the Java properties that
//! the image's own start script would write, the Kafka clients inside with their effective settings, the rights they need,
//! findings on settings, and the structure of the secret.
//!
//! The layers of a value, from the inside out, each with one owner and an inverse that reads it back:
//!
//! ```text
//! user name, password ─► jaas (quoting) ─► properties (escaping) ─► secret (JSON) ─► variable in the container
//!                                               variable ─► name of the property, by the image's rule ─► naming
//! ```
//!
//! [`services`] gives each service of a project with all of it.
//!
//! Rules: pure, no file and no network; a value that came from a secret stays a [`Secret`](crate::base::Secret) all the way;
//! what the profile says is never repeated in code.

mod acl;
mod client;
mod environment;
pub mod fit;
pub mod grant;
mod jaas;
mod login_module;
mod naming;
mod properties;
mod schemas;
pub mod secret;
mod service;
pub mod settings;
pub mod stored;
mod stores;
mod values;
pub mod versions;

use crate::profile::{Catalogue, Component};

pub use acl::{AclNeed, Connector, ConnectorKind, Need, NewTopic, acl_needs, connector_needs, feature_needs, own_topics};
pub use client::{KafkaClient, Protocol, RegistryClient, Setting, clients, registries};
pub use environment::{Environment, Origin, Text};
pub use jaas::{Jaas, JaasError};
pub use naming::{Tool, variable_name};
pub use properties::{Properties, Property, escape, properties, unescape};
pub use service::{
    ConfluentService, ServiceSecret, component, environment, has_own_start_script, is_as_made, secret_of, services, sets_address,
};

/// The component that an image holds, by the last segment of its repository, whatever the registry, tag or digest.
///
/// A variable in the name that nobody set doesn't matter: `${ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/confluentinc/cp-kafka-connect:5.5.1`
/// is Connect all the same.
pub fn recognise<'a>(catalogue: &'a Catalogue, image: &str) -> Option<&'a Component> {
    let name = last_segment(image);
    catalogue.components().iter().find(|component| component.images.iter().any(|known| known == name))
}

/// Whether an image is one of the component's, by its name.
pub fn holds(component: &Component, image: &str) -> bool {
    let name = last_segment(image);
    component.images.iter().any(|known| known == name)
}

fn last_segment(image: &str) -> &str {
    repository(image).rsplit('/').next().unwrap_or_default()
}

/// Whether an image is Confluent's own, bare or mirrored: the repository still ends as Confluent names it.
pub fn is_confluents_own(image: &str) -> bool {
    let repository = repository(image);
    let mut segments = repository.rsplit('/');
    segments.next().is_some_and(|name| name.starts_with("cp-")) && segments.next() == Some("confluentinc")
}

/// The line of an image, `(major, minor)`, from its tag; `None` for `latest`, a digest alone, or a tag of the user's own.
pub fn line(image: &str) -> Option<(u32, u32)> {
    version(tag(image)?)
}

/// The tag of an image.
fn tag(image: &str) -> Option<&str> {
    let without_digest = image.split('@').next()?;
    Some(without_digest.rsplit('/').next()?.split_once(':')?.1)
}

/// Reads the start of `8.0.7-1-ubi9` as `(8, 0)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let (major, rest) = text.split_once('.')?;
    let minor: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((major.parse().ok()?, minor.parse().ok()?))
}

/// The image's name without tag and digest. A colon before the last slash belongs to a registry's port or to a `${NAME:-default}`.
fn repository(image: &str) -> &str {
    let without_digest = image.split('@').next().unwrap_or(image);
    let last = without_digest.rfind('/').map_or(0, |slash| slash + 1);
    match without_digest[last..].find(':') {
        Some(colon) => &without_digest[..last + colon],
        None => without_digest,
    }
}

/// The component's translation tool in this image, where the tag tells.
pub fn tool(component: &Component, image: &str) -> Option<Tool> {
    let since = version(&component.environment.newer_tool_since)?;
    line(image).map(|line| if line >= since { Tool::Ub } else { Tool::Dub })
}

/// The start command that advertises the task's own address and then becomes the image's own, so that SIGTERM reaches the JVM.
///
/// Nothing in a task definition can say the address: only the container knows it, when it starts. `hostname` and `cut` are in every
/// image of Confluent's; curl and jq are not. Written for a task definition; in a compose file every `$` is doubled.
///
/// `None` for a component whose tasks don't call each other: the image starts by itself.
pub fn start_command(component: &Component) -> Option<Vec<String>> {
    let variable = component.start.advertised_host.as_deref()?;
    Some(vec!["bash".into(), "-c".into(), advertising_script(variable, &component.start.command)])
}

/// Sets the task's own address and becomes the image's own start.
fn advertising_script(variable: &str, command: &str) -> String {
    format!("export {variable}=$(hostname -i | cut -d' ' -f1); exec {command}")
}

/// The path that a running component answers with 200, by the line that its image is of.
pub fn health_path<'a>(component: &'a Component, image: &str) -> &'a str {
    let older = component.health.older.as_ref().and_then(|older| Some((version(&older.until)?, &older.path)));
    match (line(image), older) {
        (Some(line), Some((until, path))) if line < until => path,
        _ => &component.health.path,
    }
}

/// The command of a health check that needs neither curl nor a shell other than bash: it asks with bash's own `/dev/tcp`.
///
/// Written for an ECS task definition; in a compose file every `$` is doubled.
pub fn health_command(component: &Component, image: &str, port: u16) -> Vec<String> {
    let path = health_path(component, image);
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port} && printf 'GET {path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 \
         && read -r _ status _ <&3 && [[ $status == 200 ]]"
    );
    vec!["CMD".into(), "bash".into(), "-c".into(), script]
}

#[cfg(test)]
mod tests {
    use super::{Tool, is_confluents_own, line, recognise, tool};
    use crate::profile::Catalogue;

    #[test]
    fn a_component_is_recognised_by_its_image() {
        let catalogue = Catalogue::builtin().expect("profiles");
        for image in [
            "confluentinc/cp-kafka-connect:8.0.7",
            "docker.io/confluentinc/cp-server-connect",
            "localhost:5000/cp-kafka-connect",
            "${AWS_ACCOUNT_ID}.dkr.ecr.${AWS_DEFAULT_REGION}.amazonaws.com/confluentinc/cp-kafka-connect:5.5.1",
            "${REGISTRY:-ghcr.io}/mirror/cp-kafka-connect-base@sha256:0123",
            "mirror/cp-kafka-connect:8.1.0@sha256:0123",
        ] {
            assert_eq!(recognise(catalogue, image).map(|component| component.name.as_str()), Some("connect"), "{image}");
        }
        for image in ["confluentinc/cp-kafka:8.0.0", "cp-kafka-connect/other", "my-cp-kafka-connect", ""] {
            assert!(recognise(catalogue, image).is_none(), "{image}");
        }
    }

    #[test]
    fn the_tag_tells_the_line_and_the_tool() {
        let catalogue = Catalogue::builtin().expect("profiles");
        let connect = catalogue.component("connect").expect("connect");
        for (image, expected) in [
            ("a/cp-kafka-connect:8.0.7", Some(Tool::Dub)),
            ("a/cp-kafka-connect:8.10.0", Some(Tool::Ub)),
            ("a:5000/cp-kafka-connect:8.3.1-1-ubi9@sha256:00", Some(Tool::Ub)),
            ("a:5000/cp-kafka-connect", None),
            ("cp-kafka-connect:latest", None),
        ] {
            assert_eq!(tool(connect, image), expected, "{image}");
        }
        assert_eq!(line("x/cp-kafka-connect:5.5.1"), Some((5, 5)));
    }

    #[test]
    fn a_derived_image_is_not_confluents_own() {
        assert!(is_confluents_own("confluentinc/cp-kafka-connect:8.0.7"));
        assert!(is_confluents_own("1.dkr.ecr.eu-west-1.amazonaws.com/confluentinc/cp-kafka-connect:5.5.1"));
        assert!(!is_confluents_own("acme/cp-kafka-connect"));
        assert!(!is_confluents_own("confluentinc/connect-with-plugins"));
    }
}
