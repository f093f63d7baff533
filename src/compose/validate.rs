//! Checks of a merged file that its schema can't express: settings that exclude each other, sources that are missing.

use super::map::Map;
use super::node::Step::{self, Item as I, Key as K};
use super::node::{Node, Value};
use super::port_spec;
use super::report::Report;
use crate::base::{Code, nearest};

/// Says that a secret is one of Secrets Manager.
const X_SECRETS: &str = "x-secrets";

/// Checks resources and services.
pub(super) fn check(root: &mut Map, report: &mut Report) {
    for (name, volume) in entries(root, "volumes") {
        external(volume, &[K("volumes"), K(name)], report);
    }
    // A key that is not known may be the one that is missed.
    let misspelt_configs = report.entries_with(Code::UNKNOWN_KEY, "configs.");
    let misspelt_secrets = report.entries_with(Code::UNKNOWN_KEY, "secrets.");
    for (name, config) in entries(root, "configs") {
        source(config, &["file", "environment", "content"], &[K("configs"), K(name)], misspelt_configs.contains(name), report);
    }
    for (name, secret) in entries(root, "secrets") {
        source(secret, &["file", "environment"], &[K("secrets"), K(name)], misspelt_secrets.contains(name), report);
    }
    for (name, service) in entries(root, "services") {
        check_service(name, service, report);
    }
}

fn entries<'m>(root: &'m mut Map, section: &str) -> impl Iterator<Item = (&'m str, &'m mut Node)> {
    root.get_mut(section).and_then(Node::as_map_mut).into_iter().flat_map(Map::iter_mut).map(|(key, node)| (&*key.text, node))
}

/// What exists already has a name and nothing else.
fn external(volume: &Node, path: &[Step<'_>], report: &mut Report) {
    let Some(volume) = volume.as_map() else { return };
    if volume.get("external").and_then(Node::as_bool) != Some(true) {
        return;
    }
    for (key, _) in volume.iter() {
        if !matches!(&*key.text, "name" | "external") && !key.text.starts_with("x-") {
            let message = format!("external and \"{}\" exclude each other (conflicting parameters)", key.text);
            report.error(Code::CONTRADICTION, key.span, path, message);
        }
    }
}

/// A secret or config comes from one place. One with `x-secrets` comes from Secrets Manager and needs none.
fn source(resource: &Node, keys: &[&str], path: &[Step<'_>], misspelt: bool, report: &mut Report) {
    let Some(map) = resource.as_map() else { return };
    let there: Vec<&str> = keys.iter().copied().filter(|key| map.contains(key)).collect();
    match there.as_slice() {
        [] => {
            if !misspelt && !["driver", "external", X_SECRETS].iter().any(|key| map.contains(key)) {
                let message = format!("one of {} must be set", keys.join(", "));
                let mut others = map.iter().filter(|(key, _)| key.text.starts_with("x-"));
                let near = others.find_map(|(key, _)| Some((key, nearest(&key.text, [X_SECRETS])?)));
                let span = near.map_or(resource.span, |(key, _)| key.span);
                report.error(Code::MISSING_KEY, span, path, message).help =
                    near.map(|(key, known)| format!("{} is not known: did you mean {known}?", key.text));
            }
        }
        [_] => {}
        [first, ..] => {
            let span = map.get(first).map_or(resource.span, |node| node.span);
            let message = format!("{} exclude each other (attributes are mutually exclusive)", there.join(" and "));
            report.error(Code::CONTRADICTION, span, path, message);
        }
    }
}

fn check_service(name: &str, service: &mut Node, report: &mut Report) {
    let Some(service) = service.as_map_mut() else { return };
    for (index, port) in service.get_mut("ports").and_then(Node::as_seq_mut).into_iter().flatten().enumerate() {
        let Some(host) = port.as_map_mut().and_then(|port| port.get_mut("host_ip")) else { continue };
        if host.as_str().is_some_and(|host| port_spec::address(host).is_none()) {
            let path = [K("services"), K(name), K("ports"), I(index), K("host_ip")];
            report.error(
                Code::BAD_PORT,
                host.span,
                &path,
                format!("{} is not a valid IP address (invalid ip address)", host.found()),
            );
            host.value = Value::Invalid;
        }
    }
    let watch = service.get("develop").and_then(|develop| develop.get("watch")?.as_seq());
    for (index, trigger) in watch.unwrap_or_default().iter().enumerate() {
        if trigger.get("path").and_then(Node::as_str) == Some("") {
            let path = [K("services"), K(name), K("develop"), K("watch"), I(index), K("path")];
            report.error(Code::WRONG_VALUE, trigger.span, &path, "the path can't be blank");
        }
    }
    let at = |rest: &[Step<'static>]| [&[K("services"), K(name)], rest].concat();
    let reserved = service.get("deploy").and_then(|deploy| deploy.get("resources")?.get("reservations")?.get("devices"));
    exclusive_devices(reserved, &at(&[K("deploy"), K("resources"), K("reservations"), K("devices")]), report);
    exclusive_devices(service.get("gpus"), &at(&[K("gpus")]), report);
}

fn exclusive_devices(requests: Option<&Node>, path: &[Step<'_>], report: &mut Report) {
    for (index, request) in requests.and_then(Node::as_seq).unwrap_or_default().iter().enumerate() {
        if request.get("count").is_some() && request.get("device_ids").is_some() {
            let mut path = path.to_vec();
            path.push(I(index));
            report.error(
                Code::CONTRADICTION,
                request.span,
                &path,
                "\"count\" and \"device_ids\" exclude each other (are exclusive)",
            );
        }
    }
}
