//! `env_file` and `label_file`: read for the services that are on, and merged under what they declare themselves.

use std::collections::BTreeMap;
use std::path::Path;

use super::dotenv::{self, Assigned, Wrong};
use super::field::Scalar;
use super::interpolate::{Unset, boolean};
use super::map::Map;
use super::node::Step::{self, Item as I, Key as K};
use super::node::{Key, Node, Span, Value};
use super::project::Project;
use super::report::Report;
use super::template::Variables;
use crate::base::Code;

/// Puts variables of env files into the services that are on, in the model and in the tree, where each has its place in
/// the env file. A second run does it for those that were switched on since.
pub(super) fn environments(project: &mut Project, unset: &mut Unset, report: &mut Report) {
    for (name, service) in &mut project.services {
        let Some(tree) = keys_of(&mut project.tree, name) else { continue };
        let Some(files) = tree.remove("env_file") else { continue };
        let merged = environment(name, &files, tree.get("environment"), &project.variables, unset, report);
        service.environment = merged.iter().map(|(key, node)| (key.text.to_string(), node.rendered().map(Scalar))).collect();
        tree.set("environment", Node::map(merged, files.span));
    }
}

/// … and the labels of label files.
pub(super) fn label_files(project: &mut Project, unset: &mut Unset, report: &mut Report) {
    for (name, service) in &mut project.services {
        let Some(tree) = keys_of(&mut project.tree, name) else { continue };
        let Some(files) = tree.remove("label_file") else { continue };
        let merged = labels(name, &files, tree.get("labels"), unset, report);
        service.label_file.clear();
        service.labels = merged.iter().map(|(key, node)| (key.text.to_string(), node.rendered().unwrap_or_default())).collect();
        tree.set("labels", Node::map(merged, files.span));
    }
}

fn keys_of<'t>(tree: &'t mut Node, service: &str) -> Option<&'t mut Map> {
    tree.as_map_mut()?.get_mut("services")?.as_map_mut()?.get_mut(service)?.as_map_mut()
}

/// What a file set, with its place.
type Read = BTreeMap<String, (Assigned, u32)>;

fn environment(
    name: &str,
    files: &Node,
    declared: Option<&Node>,
    variables: &Variables,
    unset: &mut Unset,
    report: &mut Report,
) -> Map {
    let declared = declared.and_then(Node::as_map);
    let own = |key: &str| declared.and_then(|map| map.get(key)).and_then(Node::rendered);
    let mut values: Read = declared
        .into_iter()
        .flat_map(Map::iter)
        .filter_map(|(key, node)| Some((key.text.to_string(), (Assigned { value: node.rendered()?, line: 0 }, 0))))
        .collect();
    for (index, entry) in files.as_seq().unwrap_or_default().iter().enumerate() {
        let Some(path) = entry.get("path").filter(|path| path.as_str().is_some()) else { continue };
        let at = [K("services"), K(name), K("env_file"), I(index)];
        let required = required(entry, &at, report);
        let format = entry.get("format").and_then(Node::as_str).unwrap_or_default();
        if !matches!(format, "" | ".env" | "raw") {
            let span = entry.get("format").map_or(entry.span, |format| format.span);
            let message = format!("unsupported env_file format \"{format}\"; write raw, or leave it out");
            report.error(Code::WRONG_VALUE, span, &at, message);
            continue;
        }
        let lookup = |key: &str| variables.get(key).cloned().or_else(|| own(key));
        read(path, required, format == "raw", &at, &lookup, &mut values, unset, report);
    }
    merged(values, declared)
}

/// Must the file be there? Only in a list of env files is a text taken for a boolean this late.
fn required(entry: &Node, at: &[Step<'_>; 4], report: &mut Report) -> bool {
    let Some(node) = entry.get("required") else { return true };
    node.as_bool().or_else(|| boolean(node.as_str()?)).unwrap_or_else(|| {
        if node.as_str().is_some() {
            let message = format!("invalid value {}: it is not a boolean (true or false)", node.found());
            report.error(Code::WRONG_TYPE, node.span, &[at[0], at[1], at[2], at[3], K("required")], message);
        }
        // With a finding about the word, none about the file.
        false
    })
}

fn labels(name: &str, files: &Node, declared: Option<&Node>, unset: &mut Unset, report: &mut Report) -> Map {
    let mut values = Read::new();
    for (index, path) in files.as_seq().unwrap_or_default().iter().enumerate() {
        let at = [K("services"), K(name), K("label_file"), I(index)];
        read(path, true, false, &at, &|_| None, &mut values, unset, report);
    }
    merged(values, declared.and_then(Node::as_map))
}

/// Reads one file over what is known.
#[allow(clippy::too_many_arguments)]
fn read(
    path: &Node,
    required: bool,
    raw: bool,
    at: &[Step<'_>],
    lookup: &dyn Fn(&str) -> Option<String>,
    values: &mut Read,
    unset: &mut Unset,
    report: &mut Report,
) {
    let Some(file_path) = path.as_str().map(Path::new) else { return };
    let (file, text) = match report.files.read(file_path) {
        Ok(Some(read)) => read,
        Ok(None) => {
            if required {
                let of_labels = at.contains(&K("label_file"));
                let what = if of_labels { "label file" } else { "env file" };
                let message = format!("{what} {} not found: no such file or directory", report.files.name(file_path));
                report.error(Code::UNREADABLE_FILE, path.span, at, message).help =
                    (!of_labels).then(|| "write required: false beside its path if it may be missing".to_owned());
            }
            return;
        }
        Err(finding) => {
            report.push(finding);
            return;
        }
    };
    let mut known: BTreeMap<String, Assigned> =
        values.iter().map(|(key, (assigned, _))| (key.clone(), assigned.clone())).collect();
    let mut missing = Vec::new();
    let result =
        if raw { dotenv::parse_raw(&text, &mut known, lookup) } else { dotenv::parse(&text, &mut known, lookup, &mut missing) };
    for (name, line) in missing {
        unset.note(name, Span { file, line, column: 1 }, &[]);
    }
    if let Err(Wrong { line, message }) = result {
        report.error(Code::ENV_FILE, Span { file, line, column: 1 }, at, message);
    }
    for (key, assigned) in known {
        match values.get(&key) {
            Some((before, _)) if *before == assigned => {}
            _ => {
                values.insert(key, (assigned, file));
            }
        }
    }
}

/// What is declared beats what was read.
fn merged(values: Read, declared: Option<&Map>) -> Map {
    let mut merged: Map = values
        .into_iter()
        .filter(|(key, _)| !declared.is_some_and(|declared| declared.contains(key)))
        .map(|(key, (assigned, file))| {
            let span = Span { file, line: assigned.line, column: 1 };
            (Key { text: key.into(), span }, Node::new(Value::Str(assigned.value), span))
        })
        .collect();
    for (key, node) in declared.into_iter().flat_map(Map::iter) {
        merged.insert(key.clone(), node.clone());
    }
    merged
}
