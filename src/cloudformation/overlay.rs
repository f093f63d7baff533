//! `Resources` of the files, laid over the template last of all.
//!
//! Rules: mappings are merged key by key; lists whose items have a `Name` or a `Key` by that, others are replaced; an empty value
//! takes away. What replaces or takes away something of ours is said, and so is a reference that leads nowhere.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::template::Template;
use super::{overlay_check, written};
use crate::base::{Code, Finding, Findings, nearest};
use crate::stack::OverlayResource;

/// What an item of a list is known by.
const IDENTITIES: [&str; 2] = ["Name", "Key"];

/// The resources that the overlay changes or adds, whole, and what is to be said about it.
pub(super) fn lay_over(template: &Template, overlay: &[OverlayResource]) -> (BTreeMap<String, Value>, Findings) {
    let mut changed = BTreeMap::new();
    let mut findings = Findings::default();
    for resource in overlay {
        let id = &resource.id.value;
        let kind = resource.value.get("Type").and_then(Value::as_str);
        let Some(base) = template.resources.get(id) else {
            if kind.is_none() {
                let known = template.resources.keys().map(String::as_str);
                let help = match nearest(id, known) {
                    Some(near) => format!("did you mean {near}? A new one needs Type"),
                    None => "add Type to make a new one".to_owned(),
                };
                findings.push(at(resource, "", Finding::error(Code::OVERLAY, format!("there is no resource {id}")).help(help)));
                continue;
            }
            changed.insert(id.clone(), without_nulls(written(&resource.value)));
            continue;
        };
        let mut value = base.to_value();
        let ours = value.get("Type").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some(kind) = kind.filter(|kind| *kind != ours) {
            let message = format!("{id} is of the type {ours}, not {kind}");
            let finding = Finding::error(Code::OVERLAY, message).help("leave Type out to change it, or give it another name");
            findings.push(at(resource, "Type", finding));
            continue;
        }
        merge(&mut value, &written(&resource.value), resource, "", &mut findings);
        changed.insert(id.clone(), value);
    }
    for resource in overlay {
        let known = |name: &str| {
            name.starts_with("AWS::")
                || template.parameters.contains_key(name)
                || template.resources.contains_key(name)
                || changed.contains_key(name)
        };
        let mut missing = Vec::new();
        references(&resource.value, "", &mut |name, path| {
            if !known(name) {
                missing.push((name.to_owned(), path.to_owned()));
            }
        });
        let names = || template.resources.keys().chain(template.parameters.keys()).chain(changed.keys()).map(String::as_str);
        for (name, path) in missing {
            let help = match nearest(&name, names()) {
                Some(near) => format!("did you mean {near}?"),
                None => "`confluent-ecs render` shows the resources and parameters that there are".to_owned(),
            };
            let message = format!("there is neither a resource nor a parameter {name}");
            findings.push(at(resource, &path, Finding::error(Code::OVERLAY, message).help(help)));
        }
    }
    findings.extend(overlay_check::check(template, overlay, &changed));
    (changed, findings)
}

pub(super) fn at(resource: &OverlayResource, path: &str, finding: Finding) -> Finding {
    let shown = match path {
        "" => resource.id.path.clone(),
        path => format!("{}.{path}", resource.id.path),
    };
    let place = if path.is_empty() { resource.id.place.clone() } else { resource.place(path) };
    finding.at(place).path(shown)
}

fn below(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn merge(base: &mut Value, over: &Value, resource: &OverlayResource, path: &str, findings: &mut Findings) {
    match (base, over) {
        // A function is one value: `Ref` and `Fn::Sub` side by side would be none.
        (Value::Object(base), Value::Object(over)) if !is_function(base) && !is_function(over) => {
            for (key, value) in over {
                let path = below(path, key);
                match base.get_mut(key) {
                    _ if value.is_null() => {
                        if base.remove(key).is_some() {
                            findings.push(at(resource, &path, collision(resource, &path, "takes away")));
                        }
                    }
                    Some(known) => merge(known, value, resource, &path, findings),
                    None => {
                        base.insert(key.clone(), without_nulls(value.clone()));
                    }
                }
            }
        }
        (Value::Array(base), Value::Array(over)) if identity(base, over).is_some() => {
            let identity = identity(base, over).unwrap_or_default();
            for (index, item) in over.iter().enumerate() {
                let path = format!("{path}[{index}]");
                match base.iter_mut().find(|known| known.get(identity) == item.get(identity)) {
                    Some(known) => merge(known, item, resource, &path, findings),
                    None => base.push(without_nulls(item.clone())),
                }
            }
        }
        (base, over) => {
            let over = without_nulls(over.clone());
            if *base != over {
                findings.push(at(resource, path, collision(resource, path, "replaces")));
                *base = over;
            }
        }
    }
}

fn collision(resource: &OverlayResource, path: &str, does: &str) -> Finding {
    let message = format!("Resources {does} {}.{path} of the template", resource.id.value);
    let help = "where an x- key says the same, use that: it is checked, and the rest of the template follows it";
    Finding::warning(Code::OVERLAY, message).help(help)
}

fn is_function(map: &Map<String, Value>) -> bool {
    map.len() == 1 && map.keys().all(|key| key == "Ref" || key.starts_with("Fn::"))
}

/// The key that the items of both lists are known by.
fn identity(base: &[Value], over: &[Value]) -> Option<&'static str> {
    let all = |key: &str| {
        let named = |item: &Value| item.get(key).is_some_and(Value::is_string);
        !over.is_empty() && base.iter().all(named) && over.iter().all(named)
    };
    IDENTITIES.into_iter().find(|key| all(key))
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key, without_nulls(value))).collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(without_nulls).collect()),
        other => other,
    }
}

/// Every name that a value refers to, with the path of where.
fn references(value: &Value, path: &str, found: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let path = below(path, key);
                match (key.as_str(), value) {
                    ("Ref", Value::String(name)) => found(name, &path),
                    ("Fn::GetAtt", Value::String(text)) => found(text.split('.').next().unwrap_or_default(), &path),
                    ("Fn::GetAtt", Value::Array(parts)) => {
                        parts.first().and_then(Value::as_str).into_iter().for_each(|name| found(name, &path));
                    }
                    ("Fn::Sub", Value::String(text)) => pattern(text, &Map::new(), &path, found),
                    ("Fn::Sub", Value::Array(parts)) => {
                        let own = parts.get(1).and_then(Value::as_object).cloned().unwrap_or_default();
                        parts.first().and_then(Value::as_str).into_iter().for_each(|text| pattern(text, &own, &path, found));
                        parts.iter().skip(1).for_each(|part| references(part, &path, found));
                    }
                    ("DependsOn", Value::String(name)) if path == "DependsOn" => found(name, &path),
                    ("DependsOn", Value::Array(names)) if path == "DependsOn" => {
                        names.iter().filter_map(Value::as_str).for_each(|name| found(name, &path));
                    }
                    _ => references(value, &path, found),
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| references(item, &format!("{path}[{index}]"), found));
        }
        _ => {}
    }
}

/// The names in a pattern of `Fn::Sub`, but those that it brings itself and `${!…}`.
fn pattern(text: &str, own: &Map<String, Value>, path: &str, found: &mut impl FnMut(&str, &str)) {
    for part in text.split("${").skip(1) {
        let Some((name, _)) = part.split_once('}') else { continue };
        let name = name.split('.').next().unwrap_or_default().trim();
        if !name.starts_with('!') && !own.contains_key(name) {
            found(name, path);
        }
    }
}
