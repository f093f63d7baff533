//! Short syntaxes → long: after it every entry has one form, which the next document is merged over and the model reads.

use super::map::Map;
use super::node::Step::{self, Item as I, Key as K};
use super::node::{Key, Node, Span, Value};
use super::report::Report;
use super::{merge, port_spec, volume_spec};
use crate::base::Code;

/// Rewrites one entry of a section in place.
pub(super) fn entry(section: &str, name: &str, entry: &mut Node, report: &mut Report) {
    let path = [K(section), K(name)];
    match section {
        "services" => service(entry, &path, report),
        "networks" | "volumes" | "secrets" | "configs" => external(entry, &path, report),
        _ => {}
    }
}

fn service(entry: &mut Node, path: &[Step<'_>; 2], report: &mut Report) {
    let Some(service) = entry.as_map_mut() else { return };
    let at = |key| [path[0], path[1], K(key)];
    if let Some(node) = service.get_mut("build") {
        build(node, &at("build"), report);
    }
    if let Some(node) = service.get_mut("depends_on") {
        depends_on(node);
    }
    if let Some(node) = service.get_mut("env_file") {
        if node.is_null() {
            // Of a file with base services, which no schema was applied to.
            report.error(Code::WRONG_TYPE, node.span, &at("env_file"), "it is empty; expected a string or a list");
            node.value = Value::Invalid;
        }
        env_files(node);
    }
    for key in ["label_file", "dns"] {
        if let Some(node) = service.get_mut(key) {
            single_to_list(node);
        }
    }
    if let Some(items) = service.get_mut("dns").and_then(Node::as_seq_mut) {
        items.retain(|item| !item.is_null() && item.as_str() != Some(""));
    }
    for key in ["networks", "models"] {
        if let Some(node) = service.get_mut(key) {
            names_to_map(node);
        }
    }
    for key in ["secrets", "configs"] {
        if let Some(node) = service.get_mut(key) {
            file_mounts(node);
        }
    }
    if let Some(node) = service.get_mut("gpus")
        && node.as_str().is_some()
    {
        let mut all = Map::default();
        all.set("count", Node::string("all", node.span));
        *node = Node::seq(vec![Node::map(all, node.span)], node.span);
    }
    if let Some(node) = service.get_mut("volumes") {
        volumes(node, &at("volumes"), report);
    }
    if let Some(node) = service.get_mut("devices") {
        devices(node, &at("devices"), report);
    }
    if let Some(node) = service.get_mut("ports") {
        ports(node, &at("ports"), report);
    }
    let triggers = service.get_mut("develop").and_then(|develop| develop.as_map_mut()?.get_mut("watch")?.as_seq_mut());
    for trigger in triggers.into_iter().flatten() {
        for key in ["ignore", "include"] {
            if let Some(node) = trigger.as_map_mut().and_then(|trigger| trigger.get_mut(key)) {
                single_to_list(node);
            }
        }
    }
}

fn build(node: &mut Node, path: &[Step<'_>; 3], report: &mut Report) {
    if node.as_str().is_some() {
        let mut map = Map::default();
        let context = std::mem::take(node);
        let span = context.span;
        map.set("context", context);
        *node = Node::map(map, span);
        return;
    }
    let Some(build) = node.as_map_mut() else { return };
    if let Some(node) = build.get_mut("secrets") {
        file_mounts(node);
    }
    for key in ["provenance", "sbom"] {
        if let Some(node) = build.get_mut(key)
            && node.as_str().is_none()
            && let Some(text) = node.rendered()
        {
            node.value = Value::Str(text);
        }
    }
    if let Some(node) = build.get_mut("additional_contexts") {
        pairs(node, &[path[0], path[1], path[2], K("additional_contexts")], report);
    }
    if let Some(node) = build.get_mut("ssh") {
        ssh(node, &[path[0], path[1], path[2], K("ssh")], report);
    }
}

fn single_to_list(node: &mut Node) {
    if node.as_str().is_some() {
        let span = node.span;
        *node = Node::seq(vec![std::mem::take(node)], span);
    }
}

fn names_to_map(node: &mut Node) {
    if let Value::Seq(items) = &mut node.value {
        let named = std::mem::take(items).into_iter().filter_map(|item| {
            let key = Key { text: item.as_str()?.into(), span: item.span };
            Some((key, Node::new(Value::Null, item.span)))
        });
        node.value = Value::Map(Box::new(named.collect()));
    }
}

fn depends_on(node: &mut Node) {
    match &mut node.value {
        Value::Seq(items) => {
            let named = std::mem::take(items).into_iter().filter_map(|item| {
                let key = Key { text: item.as_str()?.into(), span: item.span };
                Some((key, merge::dependency(item.span)))
            });
            node.value = Value::Map(Box::new(named.collect()));
        }
        Value::Map(map) => {
            for (_, dependency) in map.iter_mut() {
                let span = dependency.span;
                if let Some(dependency) = dependency.as_map_mut() {
                    dependency.set_default("condition", Node::string("service_started", span));
                    dependency.set_default("required", Node::bool(true, span));
                }
            }
        }
        _ => {}
    }
}

fn env_files(node: &mut Node) {
    single_to_list(node);
    for item in node.as_seq_mut().into_iter().flatten() {
        let span = item.span;
        match &mut item.value {
            Value::Str(_) => {
                let mut map = Map::default();
                map.set("path", std::mem::take(item));
                map.set("required", Node::bool(true, span));
                *item = Node::map(map, span);
            }
            Value::Map(map) => map.set_default("required", Node::bool(true, span)),
            _ => {}
        }
    }
}

fn file_mounts(node: &mut Node) {
    for item in node.as_seq_mut().into_iter().flatten() {
        if item.as_str().is_some() {
            let source = std::mem::take(item);
            let span = source.span;
            let mut map = Map::default();
            map.set("source", source);
            *item = Node::map(map, span);
        }
    }
}

/// `key=value` lines as a mapping.
fn pairs(node: &mut Node, path: &[Step<'_>], report: &mut Report) {
    let Value::Seq(items) = &mut node.value else { return };
    let mut map = Map::default();
    for (index, item) in std::mem::take(items).into_iter().enumerate() {
        if item.is_invalid() {
            continue;
        }
        if let Some((name, value)) = item.as_str().and_then(|line| line.split_once('=')) {
            map.insert(Key { text: name.into(), span: item.span }, Node::string(value, item.span));
        } else {
            let mut path = path.to_vec();
            path.push(I(index));
            report.error(Code::WRONG_VALUE, item.span, &path, format!("{} is not written as name=value", item.found()));
        }
    }
    node.value = Value::Map(Box::new(map));
}

fn ssh(node: &mut Node, path: &[Step<'_>], report: &mut Report) {
    let Value::Seq(items) = &mut node.value else { return };
    let mut map = Map::default();
    for (index, item) in std::mem::take(items).into_iter().enumerate() {
        if item.is_invalid() {
            continue;
        }
        let line = item.as_str().unwrap_or_default();
        let (id, value) = match line.split_once('=') {
            Some((id, path)) => (id, Node::string(path, item.span)),
            None if line == "default" => (line, Node::new(Value::Null, item.span)),
            None => {
                let mut path = path.to_vec();
                path.push(I(index));
                let message = format!("{} is not an SSH key: write default, or id=path", item.found());
                report.error(Code::WRONG_VALUE, item.span, &path, message);
                continue;
            }
        };
        map.insert(Key { text: id.into(), span: item.span }, value);
    }
    node.value = Value::Map(Box::new(map));
}

fn volumes(node: &mut Node, path: &[Step<'_>; 3], report: &mut Report) {
    for (index, item) in node.as_seq_mut().into_iter().flatten().enumerate() {
        let Some(spec) = item.as_str() else { continue };
        match volume_spec::parse(spec) {
            Ok(volume) => *item = Node::map(volume_map(&volume, item.span), item.span),
            Err(wrong) => {
                let path = [path[0], path[1], path[2], I(index)];
                let message = format!("invalid volume {}: {wrong}", item.found());
                report.error(Code::WRONG_VALUE, item.span, &path, message).help =
                    Some("write source:target or source:target:ro".to_owned());
                item.value = Value::Invalid;
            }
        }
    }
}

fn volume_map(volume: &volume_spec::VolumeSpec, span: Span) -> Map {
    let mut map = Map::default();
    map.set("type", Node::string(if volume.is_bind { "bind" } else { "volume" }, span));
    if !volume.source.is_empty() {
        map.set("source", Node::string(volume.source.as_str(), span));
    }
    let target = super::paths::clean_text(&volume.target);
    map.set("target", Node::string(target, span));
    if volume.read_only {
        map.set("read_only", Node::bool(true, span));
    }
    if volume.is_bind || volume.propagation.is_some() || volume.selinux.is_some() {
        let mut bind = Map::default();
        for (key, value) in [("propagation", &volume.propagation), ("selinux", &volume.selinux)] {
            if let Some(value) = value {
                bind.set(key, Node::string(value.as_str(), span));
            }
        }
        if volume.is_bind {
            bind.set("create_host_path", Node::bool(true, span));
        }
        map.set("bind", Node::map(bind, span));
    }
    if volume.nocopy || !(volume.is_bind || volume.bare) {
        let mut options = Map::default();
        if volume.nocopy {
            options.set("nocopy", Node::bool(true, span));
        }
        map.set("volume", Node::map(options, span));
    }
    map
}

fn devices(node: &mut Node, path: &[Step<'_>; 3], report: &mut Report) {
    for (index, item) in node.as_seq_mut().into_iter().flatten().enumerate() {
        let Some(spec) = item.as_str() else { continue };
        let span = item.span;
        let parts: Vec<&str> = spec.split(':').collect();
        let (source, target, permissions) = match parts.as_slice() {
            [source] => (*source, *source, "rwm"),
            [source, target] => (*source, *target, "rwm"),
            [source, target, permissions] => (*source, *target, *permissions),
            _ => {
                let path = [path[0], path[1], path[2], I(index)];
                let message = format!("{} has too many colons for a device", item.found());
                report.error(Code::WRONG_VALUE, span, &path, message).help =
                    Some("write source:target:permissions, or the long form".to_owned());
                item.value = Value::Invalid;
                continue;
            }
        };
        let target = if target.is_empty() { source } else { target };
        let mut map = Map::default();
        map.set("source", Node::string(source, span));
        map.set("target", Node::string(target, span));
        map.set("permissions", Node::string(permissions, span));
        *item = Node::map(map, span);
    }
}

fn ports(node: &mut Node, path: &[Step<'_>; 3], report: &mut Report) {
    let Value::Seq(items) = &mut node.value else { return };
    let mut ports = Vec::with_capacity(items.len());
    for (index, mut item) in std::mem::take(items).into_iter().enumerate() {
        let spec = match &item.value {
            Value::Str(spec) => spec.clone(),
            Value::Int(port, _) => port.to_string(),
            Value::Map(_) | Value::Invalid => {
                ports.push(item);
                continue;
            }
            // With a fraction or an exponent it is no port.
            _ => item.written().unwrap_or_default(),
        };
        match port_spec::parse(&spec) {
            Ok(specs) => ports.extend(specs.into_iter().map(|port| Node::map(port_map(port, item.span), item.span))),
            Err(wrong) => {
                let path = [path[0], path[1], path[2], I(index)];
                let message = format!("invalid port {}: {wrong}", item.found());
                report.error(Code::BAD_PORT, item.span, &path, message).help =
                    Some("write \"target\", \"published:target\" or \"address:published:target/protocol\"".to_owned());
                item.value = Value::Invalid;
                ports.push(item);
            }
        }
    }
    node.value = Value::Seq(ports);
}

fn port_map(port: port_spec::PortSpec, span: Span) -> Map {
    let mut map = Map::default();
    map.set("mode", Node::string("ingress", span));
    if !port.host_ip.is_empty() {
        map.set("host_ip", Node::string(port.host_ip, span));
    }
    map.set("target", Node::int(i64::from(port.target), span));
    if !port.published.is_empty() {
        map.set("published", Node::string(port.published, span));
    }
    map.set("protocol", Node::string(port.protocol, span));
    map
}

/// `external: {name: x}`, the old form, as `external: true` and `name: x`.
fn external(entry: &mut Node, path: &[Step<'_>; 2], report: &mut Report) {
    let Some(resource) = entry.as_map_mut() else { return };
    let Some(old) = resource.get("external").filter(|external| external.as_map().is_some()).cloned() else { return };
    resource.set("external", Node::bool(true, old.span));
    let Some(name) = old.get("name") else { return };
    let at = [path[0], path[1], K("external"), K("name")];
    report.warning(Code::DEPRECATED, name.span, &at, "external.name is the old form").help =
        Some("write name: and external: true beside each other".to_owned());
    match resource.get("name") {
        None => resource.set("name", name.clone()),
        Some(other) if other.written() != name.written() => {
            report.error(Code::CONTRADICTION, name.span, &at, "name and external.name conflict; write only name");
        }
        Some(_) => {}
    }
}
