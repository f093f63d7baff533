//! The last change of the tree before it is typed: implicit networks and dependencies, names of resources, variables
//! without a value, and every list of `KEY=value` as a mapping.

use super::map::Map;
use super::node::Step::{self, Item as I, Key as K};
use super::node::{Key, Node, Span, Value};
use super::paths::clean_text;
use super::report::Report;
use super::template::Variables;
use crate::base::Code;

/// Gives variables in lists (`- NAME`) the value that they have where the file was read.
pub(super) fn resolve_lists(root: &mut Map, variables: &Variables) {
    let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) else { return };
    for (_, service) in services.iter_mut() {
        let lines = service.as_map_mut().and_then(|service| service.get_mut("environment")?.as_seq_mut());
        for line in lines.into_iter().flatten() {
            if let Value::Str(name) = &mut line.value
                && let Some(value) = variables.get(name.as_str())
            {
                *name = format!("{name}={value}");
            }
        }
    }
}

/// Normalises a merged project.
pub(super) fn project(root: &mut Map, name: &str, variables: &Variables, report: &mut Report) {
    networks(root);
    if let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) {
        for (key, node) in services.iter_mut() {
            let span = key.span;
            if let Some(map) = node.as_map_mut() {
                service(map, &key.text, span, variables, report);
            }
        }
    }
    resources(root, name);
}

/// Services without networks share the one called `default`.
fn networks(root: &mut Map) {
    let mut uses_default = false;
    if let Some(services) = root.get_mut("services").and_then(Node::as_map_mut) {
        for (key, node) in services.iter_mut() {
            let span = key.span;
            let Some(service) = node.as_map_mut() else { continue };
            if service.contains("provider") || service.contains("network_mode") {
                continue;
            }
            match service.get("networks").map(|networks| (networks.is_invalid(), networks.as_map())) {
                Some((true, _)) => {}
                Some((_, Some(networks))) if !networks.is_empty() => uses_default |= networks.contains("default"),
                _ => {
                    let mut implicit = Map::default();
                    implicit.set("default", Node::new(Value::Null, span));
                    service.set("networks", Node::map(implicit, span));
                    uses_default = true;
                }
            }
        }
    }
    if uses_default {
        root.set_default("networks", Node::map(Map::default(), Span::default()));
        if let Some(networks) = root.get_mut("networks").and_then(Node::as_map_mut) {
            networks.set_default("default", Node::new(Value::Null, Span::default()));
        }
    }
}

fn service(service: &mut Map, name: &str, span: Span, variables: &Variables, report: &mut Report) {
    let mut path = vec![K("services"), K(name)];
    if service.get("pull_policy").and_then(Node::as_str) == Some("if_not_present") {
        let span = service.get("pull_policy").map_or(span, |node| node.span);
        service.set("pull_policy", Node::string("missing", span));
    }
    if let Some(node) = service.get_mut("build") {
        let span = node.span;
        if let Some(build) = node.as_map_mut() {
            if !build.contains("dockerfile_inline") {
                build.set_default("dockerfile", Node::string("Dockerfile", span));
            }
            path.push(K("build"));
            declared(build, "args", &mut path, report);
            path.pop();
            if let Some(args) = build.get_mut("args").and_then(Node::as_map_mut) {
                fill(args, variables);
                args.retain(|_, value| !value.is_null());
            }
            for key in ["labels", "additional_contexts"] {
                texts(build, key);
            }
        }
    }
    declared(service, "environment", &mut path, report);
    if let Some(environment) = service.get_mut("environment").and_then(Node::as_map_mut) {
        fill(environment, variables);
    }
    implicit_dependencies(service, span);
    for volume in service.get_mut("volumes").and_then(Node::as_seq_mut).into_iter().flatten() {
        let Some(volume) = volume.as_map_mut() else { continue };
        if let Some(Value::Str(target)) = volume.get_mut("target").map(|target| &mut target.value) {
            *target = clean_text(target);
        }
        if let Some(options) = volume.get_mut("volume").and_then(Node::as_map_mut) {
            texts(options, "labels");
        }
    }
    hooks(service, &path, report);
    for key in ["annotations", "labels", "sysctls"] {
        texts(service, key);
    }
    if let Some(deploy) = service.get_mut("deploy").and_then(Node::as_map_mut) {
        texts(deploy, "labels");
        let devices = deploy.get_mut("resources").and_then(|resources| {
            resources.as_map_mut()?.get_mut("reservations")?.as_map_mut()?.get_mut("devices")?.as_seq_mut()
        });
        for device in devices.into_iter().flatten().filter_map(Node::as_map_mut) {
            forget_extensions(device);
            texts(device, "options");
        }
    }
    for device in service.get_mut("gpus").and_then(Node::as_seq_mut).into_iter().flatten().filter_map(Node::as_map_mut) {
        forget_extensions(device);
        texts(device, "options");
    }
    if let Some(logging) = service.get_mut("logging").and_then(Node::as_map_mut) {
        texts(logging, "options");
    }
    let attached = service.get_mut("networks").and_then(Node::as_map_mut).into_iter().flat_map(Map::iter_mut);
    for (_, network) in attached {
        if let Some(network) = network.as_map_mut() {
            texts(network, "driver_opts");
        }
    }
}

/// Hooks have an environment of their own, and run in the service's image unless they name one.
fn hooks(service: &mut Map, path: &[Step<'_>], report: &mut Report) {
    let image = service.get("image").filter(|image| image.as_str().is_some_and(|image| !image.is_empty())).cloned();
    for key in ["pre_start", "post_start", "pre_stop"] {
        for (index, hook) in service.get_mut(key).and_then(Node::as_seq_mut).into_iter().flatten().enumerate() {
            let Some(hook) = hook.as_map_mut() else { continue };
            let mut path = path.to_vec();
            path.extend([K(key), I(index)]);
            declared(hook, "environment", &mut path, report);
            if key == "pre_start"
                && let Some(image) = &image
            {
                hook.set_default("image", image.clone());
            }
        }
    }
    let triggers = service.get_mut("develop").and_then(|develop| develop.as_map_mut()?.get_mut("watch")?.as_seq_mut());
    for (index, trigger) in triggers.into_iter().flatten().enumerate() {
        if let Some(hook) = trigger.as_map_mut().and_then(|trigger| trigger.get_mut("exec")?.as_map_mut()) {
            let mut path = path.to_vec();
            path.extend([K("develop"), K("watch"), I(index), K("exec")]);
            declared(hook, "environment", &mut path, report);
        }
    }
}

/// Links, shared namespaces and `volumes_from` make a service depend on another.
fn implicit_dependencies(service: &mut Map, span: Span) {
    let mut implied: Vec<(String, Span, bool)> = Vec::new();
    for link in service.get("links").and_then(Node::as_seq).unwrap_or_default() {
        let Some(text) = link.as_str() else { continue };
        let mut parts = text.split(':');
        let first = parts.next().unwrap_or_default();
        let name = if parts.count() == 1 { first } else { text };
        implied.push((name.to_owned(), link.span, true));
    }
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        if let Some(node) = service.get(key)
            && let Some(name) = node.as_str().and_then(|text| text.strip_prefix("service:"))
        {
            implied.push((name.to_owned(), node.span, true));
        }
    }
    for source in service.get("volumes_from").and_then(Node::as_seq).unwrap_or_default() {
        if let Some(text) = source.as_str().filter(|text| !text.starts_with("container:")) {
            let name = text.split(':').next().unwrap_or_default();
            implied.push((name.to_owned(), source.span, false));
        }
    }
    if implied.is_empty() || service.get("depends_on").is_some_and(Node::is_invalid) {
        return;
    }
    service.set_default("depends_on", Node::map(Map::default(), span));
    let Some(dependencies) = service.get_mut("depends_on").and_then(Node::as_map_mut) else { return };
    for (name, span, restart) in implied {
        let mut dependency = Map::default();
        dependency.set("condition", Node::string("service_started", span));
        dependency.set("restart", Node::bool(restart, span));
        dependency.set("required", Node::bool(true, span));
        dependencies.set_default(&name, Node::map(dependency, span));
    }
}

/// Resources without a name are called after the project and their key.
fn resources(root: &mut Map, project: &str) {
    for section in ["networks", "volumes", "configs", "secrets"] {
        let Some(entries) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (key, node) in entries.iter_mut() {
            let span = if node.span == Span::default() { key.span } else { node.span };
            if node.is_null() {
                *node = Node::map(Map::default(), span);
            }
            let Some(resource) = node.as_map_mut() else { continue };
            let is_external = resource.get("external").is_some_and(|external| match &external.value {
                Value::Bool(external, _) => *external,
                Value::Str(text) => super::profiles::truth(text),
                _ => false,
            });
            if resource.get("name").is_none_or(Node::is_null) {
                let name = if is_external { key.text.to_string() } else { format!("{project}_{}", key.text) };
                resource.set("name", Node::string(name, span));
            }
            for key in ["labels", "driver_opts"] {
                texts(resource, key);
            }
            if let Some(ipam) = resource.get_mut("ipam").and_then(Node::as_map_mut) {
                texts(ipam, "options");
                for pool in ipam.get_mut("config").and_then(Node::as_seq_mut).into_iter().flatten().filter_map(Node::as_map_mut) {
                    forget_extensions(pool);
                }
            }
        }
    }
}

/// The reference keeps no `x-` keys of address pools and devices.
fn forget_extensions(map: &mut Map) {
    map.retain(|key, _| !key.text.starts_with("x-"));
}

/// Turns `KEY=value` lines into a mapping; a line without `=` has no value.
fn declared<'p>(map: &mut Map, key: &'p str, path: &mut Vec<Step<'p>>, report: &mut Report) {
    let Some(node) = map.get_mut(key) else { return };
    let Value::Seq(lines) = &mut node.value else { return };
    let mut declared = Map::default();
    for (index, line) in std::mem::take(lines).into_iter().enumerate() {
        let Some(text) = line.rendered() else { continue };
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Value::Str(value.to_owned())),
            None => (text.as_str(), Value::Null),
        };
        if name.ends_with(|c: char| c.is_ascii_whitespace()) {
            path.extend([K(key), I(index)]);
            let message = format!("the variable \"{name}\" is declared with a trailing space");
            report.error(Code::WRONG_VALUE, line.span, path, message);
            path.truncate(path.len() - 2);
            continue;
        }
        declared.insert(Key { text: name.into(), span: line.span }, Node::new(value, line.span));
    }
    node.value = Value::Map(Box::new(declared));
}

/// Gives variables without a value the one that they have outside.
fn fill(map: &mut Map, variables: &Variables) {
    for (key, value) in map.iter_mut() {
        if value.is_null()
            && let Some(known) = variables.get(&*key.text)
        {
            value.value = Value::Str(known.clone());
        }
    }
}

/// Makes a mapping of texts: lines are split at `=`, scalars rendered, nothing is an empty text.
fn texts(map: &mut Map, key: &str) {
    let Some(node) = map.get_mut(key) else { return };
    match &mut node.value {
        Value::Seq(lines) => {
            let mut texts = Map::default();
            for line in std::mem::take(lines) {
                let Some(text) = line.rendered() else { continue };
                let (name, value) = text.split_once('=').unwrap_or((&text, ""));
                texts.insert(Key { text: name.into(), span: line.span }, Node::string(value, line.span));
            }
            node.value = Value::Map(Box::new(texts));
        }
        Value::Map(texts) => {
            for (_, value) in texts.iter_mut() {
                match value.value {
                    Value::Str(_) | Value::Invalid => {}
                    _ => value.value = Value::Str(value.rendered().unwrap_or_default()),
                }
            }
        }
        _ => {}
    }
}
