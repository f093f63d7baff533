//! Defaults of the specification for what was written: they stand at the place of the mapping that lacks them.

use super::map::Map;
use super::node::Node;
use super::node::Step::{Item as I, Key as K};
use super::report::Report;
use crate::base::Code;

/// Sets them in all services.
pub(super) fn set(root: &mut Map, report: &mut Report) {
    let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) else { return };
    for (name, service) in services.iter_mut() {
        if let Some(service) = service.as_map_mut() {
            set_service(&name.text, service, report);
        }
    }
}

fn set_service(name: &str, service: &mut Map, report: &mut Report) {
    if let Some(build) = service.get_mut("build") {
        let span = build.span;
        if let Some(build) = build.as_map_mut() {
            build.set_default("context", Node::string(".", span));
        }
    }
    each(service, "secrets", |secret| {
        let span = secret.span;
        let Some(map) = secret.as_map_mut() else { return };
        let source = map.get("source").and_then(Node::written).unwrap_or_default();
        map.set_default("target", Node::string(format!("/run/secrets/{source}"), span));
    });
    each(service, "ports", |port| {
        let span = port.span;
        let Some(port) = port.as_map_mut() else { return };
        port.set_default("protocol", Node::string("tcp", span));
        port.set_default("mode", Node::string("ingress", span));
    });
    each(service, "volumes", |volume| {
        let Some(bind) = volume.as_map_mut().and_then(|volume| volume.get_mut("bind")) else { return };
        let span = bind.span;
        if let Some(bind) = bind.as_map_mut() {
            bind.set_default("create_host_path", Node::bool(true, span));
        }
    });
    let reserved = service
        .get_mut("deploy")
        .and_then(|deploy| deploy.as_map_mut()?.get_mut("resources")?.as_map_mut()?.get_mut("reservations")?.as_map_mut());
    if let Some(reservations) = reserved {
        each(reservations, "devices", all_devices);
    }
    each(service, "gpus", all_devices);
    // The reference takes it; nothing listens there.
    for (index, port) in service.get("ports").and_then(Node::as_seq).unwrap_or_default().iter().enumerate() {
        if let Some(target) = port.get("target").filter(|target| target.as_i64() == Some(0)) {
            let path = [K("services"), K(name), K("ports"), I(index), K("target")];
            report.warning(Code::BAD_PORT, target.span, &path, "no container listens on port 0");
        }
    }
}

fn each(map: &mut Map, key: &str, mut visit: impl FnMut(&mut Node)) {
    for item in map.get_mut(key).and_then(Node::as_seq_mut).into_iter().flatten() {
        visit(item);
    }
}

fn all_devices(request: &mut Node) {
    let span = request.span;
    if let Some(request) = request.as_map_mut()
        && !request.contains("device_ids")
    {
        request.set_default("count", Node::string("all", span));
    }
}
