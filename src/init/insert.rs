//! Adds an entry to a YAML text: lines are put in, and none that is there is changed.
//!
//! Comes in: a text, the path of a mapping, an entry. Goes out: the text with the entry at the end of that mapping, or a refusal: where
//! the mapping is written in braces, stands behind an alias, or where reading the result back shows anything else than the old
//! values and the new one.

use std::iter::Peekable;

use saphyr_parser::{Event, Parser, Span};
use serde_yaml::{Mapping, Value};

/// An entry of a mapping.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Keys down to the mapping; empty for the top of the file.
    pub(super) path: Vec<String>,
    pub(super) key: String,
    /// Its lines, `key:` first, without indentation.
    pub(super) lines: String,
    /// The same with names of values that may stand in the file already (`*bootstrap`): tried first.
    pub(super) with_aliases: Option<String>,
}

impl Entry {
    pub(super) fn new(path: &[&str], key: &str, lines: String) -> Self {
        let path = path.iter().map(|key| (*key).to_owned()).collect();
        Self { path, key: key.to_owned(), lines, with_aliases: None }
    }

    /// Keys down to the entry itself.
    pub(super) fn full_path(&self) -> Vec<String> {
        self.path.iter().chain([&self.key]).cloned().collect()
    }

    /// Its value.
    pub(super) fn value(&self) -> Option<Value> {
        parse(&self.lines)?.as_mapping()?.get(self.key.as_str()).cloned()
    }
}

/// What stands at a path.
pub(super) fn at<'v>(document: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(document, |value, key| value.as_mapping()?.get(key.as_str()))
}

/// A document with its merge keys and aliases resolved. `None` when it isn't one mapping, or isn't YAML.
pub(super) fn parse(text: &str) -> Option<Value> {
    let mut value: Value = serde_yaml::from_str(text).ok()?;
    value.apply_merge().ok()?;
    match value {
        Value::Null => Some(Value::Mapping(Mapping::new())),
        Value::Mapping(_) => Some(value),
        _ => None,
    }
}

/// The text with the entry in it; `None` where that can't be done safely.
pub(super) fn insert(text: &str, entry: &Entry) -> Option<String> {
    let with_aliases = entry.with_aliases.iter().chain([&entry.lines]);
    with_aliases.into_iter().find_map(|lines| insert_lines(text, entry, lines))
}

fn insert_lines(text: &str, entry: &Entry, lines: &str) -> Option<String> {
    let before = parse(text)?;
    let mut wanted = before.clone();
    put(&mut wanted, entry)?;
    let (level, opening) = opening(text, &before, entry, lines)?;
    let ending = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let new: Vec<String> = opening.lines().map(|line| format!("{:level$}{line}{ending}", "")).collect();
    let at = end_of_mapping(text, &entry.path[..entry.path.len() - missing(&before, entry)], level, &mut lines)?;
    let mut out: String = lines[..at].concat();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push_str(ending);
    }
    // Sections at the top stand apart.
    if level == 0 && !out.is_empty() {
        out.push_str(ending);
    }
    out.push_str(&new.concat());
    out.push_str(&lines[at..].concat());
    (parse(&out)? == wanted).then_some(out)
}

/// The lines of an entry one level down: `inner` below `outer` in a text of ours.
pub(super) fn piece(text: &str, outer: &str, inner: &str) -> String {
    let top = |line: &str| !line.starts_with([' ', '#']);
    let below = text.lines().skip_while(|line| *line != format!("{outer}:")).skip(1).take_while(|line| !top(line));
    let below: Vec<&str> = below.map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    // A comment before the entry goes with it, but an entry begins with its key.
    let start = below.iter().position(|line| line.starts_with(&format!("{inner}:"))).unwrap_or(0);
    below[start..].iter().flat_map(|line| [line, "\n"]).collect()
}

/// How many mappings of the entry's path aren't there yet.
fn missing(document: &Value, entry: &Entry) -> usize {
    let there = (0..=entry.path.len()).rev().find(|length| at(document, &entry.path[..*length]).is_some_and(Value::is_mapping));
    entry.path.len() - there.unwrap_or(0)
}

/// Puts the entry into the values, as the text has to come out.
fn put(document: &mut Value, entry: &Entry) -> Option<()> {
    let mut value = document;
    for key in &entry.path {
        let map = value.as_mapping_mut()?;
        value = map.entry(Value::from(key.as_str())).or_insert_with(|| Value::Mapping(Mapping::new()));
    }
    let map = value.as_mapping_mut()?;
    map.insert(Value::from(entry.key.as_str()), entry.value()?).is_none().then_some(())
}

/// The lines with the parents that are missing, and the column that they begin at.
fn opening(text: &str, document: &Value, entry: &Entry, lines: &str) -> Option<(usize, String)> {
    let missing = missing(document, entry);
    let there = entry.path.len() - missing;
    // A key without a value would have to get one.
    if missing > 0 && at(document, &entry.path[..=there]).is_some() {
        return None;
    }
    let mut lines = lines.to_owned();
    for key in entry.path[there..].iter().rev() {
        let indented: Vec<String> = lines.lines().map(|line| format!("  {line}\n")).collect();
        lines = format!("{key}:\n{}", indented.concat());
    }
    let column = match at(document, &entry.path[..there]).and_then(Value::as_mapping) {
        Some(map) if map.is_empty() => (there == 0).then_some(0)?,
        _ => column_of(text, &entry.path[..there])?.0,
    };
    Some((column, lines))
}

/// The line after the last one of a mapping whose keys stand at `column`.
fn end_of_mapping(text: &str, path: &[String], column: usize, lines: &mut [&str]) -> Option<usize> {
    let Some((_, last)) = column_of(text, path) else { return path.is_empty().then_some(lines.len()) };
    let mut end = last;
    for (index, line) in lines.iter().enumerate().skip(last) {
        let content = line.trim();
        let indent = line.len() - line.trim_start().len();
        // A comment at the keys' own column ends the mapping that it stands in; at the top it heads the next section.
        let at_keys = content.starts_with("- ") || (column > 0 && content.starts_with('#'));
        let inside = indent > column || (indent == column && at_keys);
        if !content.is_empty() && !inside {
            break;
        }
        if !content.is_empty() {
            end = index + 1;
        }
    }
    Some(end)
}

/// The column of a mapping's keys and the line (from 1) of its last one. `None` when it isn't written in lines of its own.
fn column_of(text: &str, path: &[String]) -> Option<(usize, usize)> {
    let events: Vec<(Event<'_>, Span)> = Parser::new_from_str(text).collect::<Result<_, _>>().ok()?;
    let mut walk = Walk { text, events: events.into_iter().peekable(), found: None };
    while matches!(walk.events.peek()?.0, Event::StreamStart | Event::DocumentStart(_) | Event::Nothing) {
        walk.events.next();
    }
    walk.node(Some(path));
    walk.found
}

struct Walk<'t, I: Iterator<Item = (Event<'t>, Span)>> {
    text: &'t str,
    events: Peekable<I>,
    found: Option<(usize, usize)>,
}

impl<'t, I: Iterator<Item = (Event<'t>, Span)>> Walk<'t, I> {
    /// Passes over one node; `path` is the rest of the way where the node is on it.
    fn node(&mut self, path: Option<&[String]>) -> Option<()> {
        let (event, span) = self.events.next()?;
        match event {
            Event::SequenceStart(..) => {
                while !matches!(self.events.peek()?.0, Event::SequenceEnd) {
                    self.node(None)?;
                }
                self.events.next();
            }
            Event::MappingStart(..) => {
                let wanted = path.is_some_and(<[String]>::is_empty);
                let braces = wanted && self.text.chars().nth(span.start.index()) == Some('{');
                loop {
                    let (key, span) = self.events.peek()?;
                    let here = (span.start.col(), span.start.line());
                    let rest = match (key, path) {
                        (Event::MappingEnd, _) => break,
                        (Event::Scalar(key, ..), Some([first, rest @ ..])) if **key == **first => Some(rest),
                        _ => None,
                    };
                    if wanted && !braces {
                        self.found = Some(here);
                    }
                    self.node(None)?;
                    self.node(rest)?;
                }
                self.events.next();
            }
            _ => {}
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, insert};

    fn entry(path: &[&str], key: &str, lines: &str) -> Entry {
        Entry::new(path, key, lines.to_owned())
    }

    #[test]
    fn an_entry_goes_to_the_end_of_its_mapping_and_changes_no_line() {
        let text = "# mine\nname: x\n\nservices:\n    a: # first\n        image: i\n        command: [x,\n          y]\n        # its end\n\n# the rest\nsecrets:\n  s: {external: true}\n";
        let out = insert(text, &entry(&["services"], "b", "b:\n  image: j\n")).unwrap();
        assert_eq!(out, text.replace("# its end\n", "# its end\n    b:\n      image: j\n"));
        let out = insert(text, &entry(&["services", "a", "x-network"], "x-cloudmap", "x-cloudmap: internal\n")).unwrap();
        assert_eq!(out, text.replace("# its end\n", "# its end\n        x-network:\n          x-cloudmap: internal\n"));
        let out = insert(text, &entry(&["x-cloudmap"], "n", "n:\n  Name: d\n")).unwrap();
        assert_eq!(out, format!("{text}\nx-cloudmap:\n  n:\n    Name: d\n"));
        let out = insert(text, &entry(&["secrets"], "t", "t: {}\n")).unwrap();
        assert_eq!(out, format!("{text}  t: {{}}\n"));
    }

    #[test]
    fn line_endings_block_scalars_and_lists_at_the_keys_own_column_survive() {
        let text = "services:\r\n  a:\r\n    command: |\r\n      # no comment\r\n      x\r\n    ports:\r\n    - 1\r\n    - 2";
        let out = insert(text, &entry(&["services"], "b", "b:\n  image: j\n")).unwrap();
        assert_eq!(out, format!("{text}\r\n  b:\r\n    image: j\r\n"));
        let out = insert(text, &entry(&["services", "a"], "image", "image: i\n")).unwrap();
        assert_eq!(out, format!("{text}\r\n    image: i\r\n"));
    }

    #[test]
    fn what_cannot_be_done_safely_is_refused() {
        for text in [
            "services: {a: {image: i}}\n",
            "x: &x {a: {image: i}}\nservices: *x\n",
            "services:\n  a: {}\n---\nservices: {}\n",
            "services:\n",
            "- services\n",
            "services: [\n",
            "services:\n  a: |+\n    text\n\n\nlast: 1\n",
            "services:\n  b: {}\n",
        ] {
            let out = insert(text, &entry(&["services"], "b", "b:\n  image: j\n"));
            assert_eq!(out, None, "{text}");
        }
    }

    #[test]
    fn a_name_for_a_value_is_used_where_it_stands_for_the_same() {
        let mut new = entry(&["services"], "b", "b:\n  x: 1\n");
        new.with_aliases = Some("b:\n  x: *one\n".to_owned());
        let text = "one: &one 1\nservices:\n  a: {}\n";
        assert_eq!(insert(text, &new).unwrap(), format!("{text}  b:\n    x: *one\n"));
        for other in ["one: &one 2\nservices:\n  a: {}\n", "services:\n  a: {}\nlater: &one 1\n"] {
            assert!(insert(other, &new).unwrap().contains("  b:\n    x: 1\n"), "{other}");
        }
    }

    #[test]
    fn an_empty_text_becomes_the_entry() {
        assert_eq!(insert("", &entry(&["services"], "b", "b: 1\n")).unwrap(), "services:\n  b: 1\n");
        assert_eq!(insert("# only a comment\n", &entry(&[], "b", "b: 1\n")).unwrap(), "# only a comment\n\nb: 1\n");
    }
}
