//! Checks a merged tree against [`super::spec`]: unknown keys, wrong types, words that are not allowed, missing keys.
//!
//! Everything wrong is found in one walk. A wrong value becomes invalid and an unknown key is taken out, so that no later
//! stage speaks of it again.

use std::collections::HashSet;

use super::field;
use super::map::Map;
use super::node::Step::{self, Item as I, Key as K};
use super::node::{Key, Node, Value};
use super::report::Report;
use super::shape::{BOOL, DATE, INT, Mapping, NULL, NUM, Names, STR, Shape, TextRule};
use super::spec;
use super::touched::{SECTIONS, Touched};
use crate::base::{Code, Severity, nearest};

/// Checks what a document wrote, in the tree that it was merged into.
pub(super) fn document(root: &mut Map, touched: &Touched, report: &mut Report) {
    let Some(project) = spec::ROOT.map else { return };
    for name in &touched.top {
        check_key(root, name, project, report);
    }
    let sections: HashSet<&str> = touched.entries.iter().map(|(section, _)| *section).collect();
    for section in sections {
        let Some((names, shape)) = project.shape(section).and_then(|shape| shape.map?.names.as_ref()) else { continue };
        let Some(entries) = root.get_mut(section).and_then(Node::as_map_mut) else { continue };
        for (_, name) in touched.entries.iter().filter(|(of, _)| *of == section) {
            check_entry(entries, section, name, *names, shape, report);
        }
    }
}

/// A top-level key that is no section with entries.
fn check_key(root: &mut Map, name: &str, project: &'static Mapping, report: &mut Report) {
    let Some(key) = root.key(name).cloned() else { return };
    let Some(shape) = known(&key, project, &[], report) else {
        root.remove(name);
        return;
    };
    if let Some(node) = root.get_mut(name) {
        check(node, shape, &mut vec![K(&key.text)], report);
        if SECTIONS.contains(&name) && node.is_invalid() {
            node.value = Value::Map(Box::default());
        }
    }
}

fn check_entry(entries: &mut Map, section: &str, name: &str, names: Names, shape: &'static Shape, report: &mut Report) {
    let Some(key) = entries.key(name).cloned() else { return };
    if !named(&key, names, &[K(section)], report) {
        entries.remove(name);
        return;
    }
    if let Some(node) = entries.get_mut(name) {
        check(node, shape, &mut vec![K(section), K(name)], report);
    }
}

/// Checks one value and what is below it.
pub(super) fn check<'n>(node: &'n mut Node, shape: &'static Shape, path: &mut Vec<Step<'n>>, report: &mut Report) {
    if shape.any {
        finite(node, path, report);
        return;
    }
    let fits = match &node.value {
        Value::Invalid => return,
        Value::Null => shape.scalars & NULL != 0,
        Value::Bool(..) => shape.scalars & BOOL != 0,
        Value::Int(..) | Value::Uint(..) => shape.scalars & INT != 0,
        Value::Float(value, _) if !value.is_finite() => false,
        Value::Float(value, _) if value.fract() == 0.0 => shape.scalars & INT != 0,
        Value::Float(..) => shape.scalars & NUM == NUM,
        Value::Str(_) => shape.scalars & STR != 0,
        Value::Time(_) => shape.scalars & DATE != 0,
        Value::Seq(_) => shape.list.is_some(),
        Value::Map(_) => shape.map.is_some(),
    };
    if !fits {
        let found = match node.value {
            Value::Null => "it is empty".to_owned(),
            Value::Seq(_) | Value::Map(_) => format!("it is {}", node.kind()),
            _ => format!("{} is {}", node.found(), node.kind()),
        };
        let message = format!("{found}; expected {}", shape.expected());
        report.error(Code::WRONG_TYPE, node.span, path, message).help = remedy(node, shape, path);
        node.value = Value::Invalid;
        return;
    }
    let wrong = match &node.value {
        Value::Str(text) => wrong_text(text, shape),
        value => shape.range.and_then(|range| Some((out_of_range(value, range)?, None))),
    };
    if let Some((message, help)) = wrong {
        report.error(Code::WRONG_VALUE, node.span, path, message).help = help;
        node.value = Value::Invalid;
        return;
    }
    match &mut node.value {
        Value::Seq(items) => {
            let Some(list) = shape.list else { return };
            let mut below: Vec<Step<'_>> = path.clone();
            for (index, item) in items.iter_mut().enumerate() {
                below.push(I(index));
                check(item, &list.item, &mut below, report);
                below.pop();
            }
            if list.unique {
                check_unique(items, path, report);
            }
        }
        Value::Map(map) => {
            if let Some(mapping) = shape.map {
                check_mapping(map, mapping, node.span, path, report);
            }
        }
        _ => {}
    }
}

/// What to write in place of a value of the wrong type, where that is plain.
fn remedy(node: &Node, shape: &Shape, path: &[Step<'_>]) -> Option<String> {
    let takes_text = shape.scalars & STR != 0;
    match &node.value {
        Value::Int(..) | Value::Uint(..) | Value::Float(..) if matches!(shape.text, Some(TextRule::Duration)) => {
            Some(format!("write it with a unit, as {}s", node.written()?))
        }
        // Where a number or a boolean may stand beside a text, the text would have to say the same.
        Value::Int(..) | Value::Uint(..) | Value::Float(..) | Value::Bool(..) | Value::Time(_)
            if takes_text && shape.scalars & (NUM | BOOL) == 0 && shape.words.is_empty() =>
        {
            Some("put it in quotes".to_owned())
        }
        Value::Str(text) if shape.list.is_some() && !text.contains('\n') => Some(format!("write it as a list: [\"{text}\"]")),
        Value::Seq(_) if shape.map.is_some() && shape.list.is_none() => Some("write each as a key, without its dash".to_owned()),
        Value::Map(map) if takes_text && shape.map.is_none() && matches!(path.last(), Some(I(_))) => {
            let mut entries = map.iter();
            let (Some((key, value)), None) = (entries.next(), entries.next()) else { return None };
            let (key, value) = (&key.text, value.written()?);
            Some(format!("a colon and a blank make a mapping: write {key}={value}, or put \"{key}: {value}\" in quotes"))
        }
        _ => None,
    }
}

/// Infinity and "not a number" can't be written as JSON.
fn finite(node: &mut Node, path: &[Step<'_>], report: &mut Report) {
    match &mut node.value {
        Value::Float(value, _) if !value.is_finite() => {
            let message = format!("unsupported value {}: only finite numbers are", node.found());
            report.error(Code::WRONG_TYPE, node.span, path, message).help = Some("put it in quotes".to_owned());
            node.value = Value::Invalid;
        }
        Value::Seq(items) => items.iter_mut().for_each(|item| finite(item, path, report)),
        Value::Map(map) => map.iter_mut().for_each(|(_, value)| finite(value, path, report)),
        _ => {}
    }
}

#[allow(clippy::cast_precision_loss, reason = "no bound is that large")]
fn out_of_range(value: &Value, (lowest, highest): (i64, i64)) -> Option<String> {
    let number = match value {
        Value::Int(number, _) => *number as f64,
        Value::Uint(number, _) => *number as f64,
        Value::Float(number, _) => *number,
        _ => return None,
    };
    let bound = match highest {
        i64::MAX if number < lowest as f64 => format!("{lowest} or more"),
        i64::MAX => return None,
        _ if number < lowest as f64 || number > highest as f64 => format!("between {lowest} and {highest}"),
        _ => return None,
    };
    Some(format!("{number} is not allowed; it must be {bound}"))
}

fn wrong_text(text: &str, shape: &Shape) -> Option<(String, Option<String>)> {
    if !shape.words.is_empty() && !shape.words.contains(&text) {
        // `healthy` is part of the word that was meant, and far from it letter by letter.
        let holding = || shape.words.iter().copied().find(|word| text.len() > 2 && word.contains(text));
        let help = nearest(text, shape.words.iter().copied()).or_else(holding).map(|word| format!("did you mean \"{word}\"?"));
        return Some((format!("\"{text}\" is not allowed; it must be one of {}", shape.words.join(", ")), help));
    }
    let rule = shape.text?;
    let (fits, expected) = match rule {
        TextRule::ContainerName => {
            (container_name(text), "two or more letters, digits, _, . and -, the first a letter or a digit")
        }
        TextRule::PullPolicy => (
            ["always", "never", "build", "if_not_present", "missing", "refresh", "daily", "weekly"]
                .into_iter()
                .any(|word| text.contains(word))
                || text.split("every_").skip(1).any(|rest| {
                    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                    digits > 0 && rest[digits..].starts_with(['w', 'd', 'h', 'm', 's'])
                }),
            "one of always, never, missing, build, refresh, daily, weekly, every_<duration>",
        ),
        TextRule::Duration => return None,
    };
    (!fits).then(|| (format!("\"{text}\" is not allowed; it must be {expected}"), None))
}

/// Somewhere in it a letter or digit is followed by another character that is allowed.
fn container_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    text.as_bytes().windows(2).any(|pair| pair[0].is_ascii_alphanumeric() && allowed(pair[1]))
}

fn check_unique(items: &mut [Node], path: &[Step<'_>], report: &mut Report) {
    if items.len() < 2 {
        return;
    }
    let mut seen: HashSet<String> = HashSet::with_capacity(items.len());
    for (index, item) in items.iter_mut().enumerate() {
        let same = match &item.value {
            Value::Invalid => continue,
            // A number and its digits as a text are the same.
            Value::Str(_) | Value::Int(..) => format!("\"{}", item.rendered().unwrap_or_default()),
            _ => serde_json::to_string(&field::tree(item)).unwrap_or_default(),
        };
        if !seen.insert(same) {
            let mut path = path.to_vec();
            path.push(I(index));
            let message = format!("{} stands in this list twice", item.found());
            report.error(Code::DUPLICATE_VALUE, item.span, &path, message).help = Some("remove one of the two".to_owned());
            item.value = Value::Invalid;
        }
    }
}

fn check_mapping<'n>(
    map: &'n mut Map,
    mapping: &'static Mapping,
    span: super::node::Span,
    path: &mut Vec<Step<'n>>,
    report: &mut Report,
) {
    for required in mapping.required {
        if !map.contains(required) {
            report.error(Code::MISSING_KEY, span, path, format!("the key \"{required}\" is missing"));
        }
    }
    let shape = |(key, _): (&Key, &Node)| match &mapping.names {
        Some((names, _)) if !named(key, *names, path, report) => None,
        Some((Names::Letters, _)) if !key.text.bytes().all(|byte| byte.is_ascii_lowercase()) => Some(&Shape::ANY),
        Some((_, shape)) => Some(shape),
        None => known(key, mapping, path, report),
    };
    let shapes: Vec<Option<&'static Shape>> = map.iter().map(shape).collect();
    if shapes.iter().any(Option::is_none) {
        let mut each = shapes.iter();
        map.retain(|_, _| each.next().is_some_and(Option::is_some));
    }
    for ((key, value), shape) in map.iter_mut().zip(shapes.into_iter().flatten()) {
        path.push(K(&key.text));
        check(value, shape, path, report);
        path.pop();
    }
}

/// The shape of a key that may stand in a mapping.
fn known(key: &Key, mapping: &'static Mapping, path: &[Step<'_>], report: &mut Report) -> Option<&'static Shape> {
    if let Some(shape) = mapping.shape(&key.text) {
        return Some(shape);
    }
    if mapping.extensible && key.text.starts_with("x-") {
        return Some(&Shape::ANY);
    }
    let mut path = path.to_vec();
    path.push(K(&key.text));
    // In capitals, or with an underscore: a key of ours or of another tool.
    let extension = key.text.get(..2).filter(|start| mapping.extensible && matches!(*start, "X-" | "x_" | "X_"));
    let help = match extension {
        Some(_) => Some(format!("did you mean \"x-{}\"?", &key.text[2..])),
        None => {
            nearest(&key.text, mapping.keys.iter().map(|(known, _)| *known)).map(|known| format!("did you mean \"{known}\"?"))
        }
    };
    let finding = report.error(Code::UNKNOWN_KEY, key.span, &path, format!("unknown key \"{}\"", key.text));
    if mapping.open {
        finding.severity = Severity::Warning;
    }
    finding.help = help.or_else(|| mapping.extensible.then(|| "keys of other tools begin with x-".to_owned()));
    None
}

fn named(key: &Key, names: Names, path: &[Step<'_>], report: &mut Report) -> bool {
    let (fits, expected) = match names {
        Names::Any | Names::Letters => (true, ""),
        Names::Word => (
            !key.text.is_empty()
                && key.text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')),
            "letters, digits, \".\", \"_\" and \"-\"",
        ),
    };
    if !fits {
        let mut path = path.to_vec();
        path.push(K(&key.text));
        let message = format!("the name \"{}\" is not allowed: names consist of {expected}", key.text);
        report.error(Code::WRONG_VALUE, key.span, &path, message);
    }
    fits
}
