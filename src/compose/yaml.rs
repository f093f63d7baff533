//! YAML text → one tree a document.
//!
//! The parser's events become a flat list first, then each document is unfolded from it: aliases are copied (within the
//! budget), merge keys applied, plain scalars given their meaning. Rules: mapping keys are strings, each once; nesting
//! ends at [`MAX_DEPTH`]; an alias inside its own anchor is a cycle. What is wrong becomes a finding, the rest is kept.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span as ParserSpan, StrInput};

use super::node::{Key, Map, Node, Span, Step, Tag, Value};
use super::report::Report;
use super::scalar;
use crate::base::Code;

/// Deeper nesting is refused; it also bounds every recursion over a tree.
const MAX_DEPTH: usize = 128;
/// What a copied node costs beside its text.
const NODE_COST: usize = 96;

/// All documents of a file, in order. After a syntax error these are the ones before it.
pub(super) fn parse(text: &str, file: u32, report: &mut Report) -> Vec<Node> {
    let mut composer = Composer { file, nodes: Vec::new(), roots: Vec::new() };
    composer.read(text, report);
    let mut unfolder = Unfolder { nodes: &composer.nodes, open: vec![false; composer.nodes.len()], path: Vec::new(), aliases: 0 };
    composer.roots.iter().filter_map(|root| unfolder.unfold(*root, report)).collect()
}

/// A node as it was written.
struct Raw<'i> {
    span: Span,
    tag: Option<RawTag>,
    kind: Kind<'i>,
    /// Depth of what is nested in it.
    height: usize,
}

enum RawTag {
    /// One of YAML's own, by its short name.
    Yaml(String),
    Reset,
    Override,
    /// Any other; a scalar under it is a string.
    Other,
}

enum Kind<'i> {
    Scalar(std::borrow::Cow<'i, str>, bool),
    Seq(Vec<usize>),
    Map(Vec<(usize, usize)>),
    Alias(usize),
}

struct Composer<'i> {
    file: u32,
    nodes: Vec<Raw<'i>>,
    roots: Vec<usize>,
}

/// A collection that is being read.
struct Open {
    node: usize,
    key: Option<usize>,
}

impl<'i> Composer<'i> {
    fn span(&self, span: ParserSpan) -> Span {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        Span { file: self.file, line: number(span.start.line()), column: number(span.start.col() + 1) }
    }

    fn read(&mut self, text: &'i str, report: &mut Report) {
        let mut parser: Parser<'i, StrInput<'i>> = Parser::new_from_str(text);
        let mut open: Vec<Open> = Vec::new();
        let mut anchors: HashMap<usize, usize> = HashMap::new();
        while let Some(event) = parser.next_event() {
            let (event, span) = match event {
                Ok(event) => event,
                Err(error) => return self.syntax_error(&error, text, report),
            };
            let span = self.span(span);
            let (anchor, node) = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let plain = matches!(style, ScalarStyle::Plain);
                    (anchor, self.add(span, tag.as_deref(), Kind::Scalar(text, plain)))
                }
                Event::Alias(anchor) => {
                    let Some(&target) = anchors.get(&anchor) else { continue };
                    (0, self.add(span, None, Kind::Alias(target)))
                }
                Event::SequenceStart(anchor, tag) => (anchor, self.add(span, tag.as_deref(), Kind::Seq(Vec::new()))),
                Event::MappingStart(anchor, tag) => (anchor, self.add(span, tag.as_deref(), Kind::Map(Vec::new()))),
                Event::SequenceEnd | Event::MappingEnd => {
                    let Some(closed) = open.pop() else { continue };
                    let height = self.nodes[closed.node].height + 1;
                    if let Some(parent) = open.last() {
                        let parent = &mut self.nodes[parent.node];
                        parent.height = parent.height.max(height);
                    }
                    continue;
                }
                Event::DocumentStart(_) => {
                    anchors.clear();
                    continue;
                }
                Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => continue,
            };
            if anchor > 0 {
                anchors.insert(anchor, node);
            }
            self.attach(node, open.last_mut());
            if matches!(self.nodes[node].kind, Kind::Seq(_) | Kind::Map(_)) {
                open.push(Open { node, key: None });
                if open.len() > MAX_DEPTH {
                    let message = format!("nested more than {MAX_DEPTH} levels deep");
                    report.error(Code::TOO_LARGE, span, &[], message);
                    self.roots.pop();
                    return;
                }
            }
        }
    }

    fn syntax_error(&mut self, error: &ScanError, text: &str, report: &mut Report) {
        let at = error.marker();
        let span = self.span(ParserSpan::empty(*at));
        // The parser's own limit on nesting is reached before ours.
        if error.info().contains("recursion limit") {
            report.error(Code::TOO_LARGE, span, &[], format!("nested more than {MAX_DEPTH} levels deep"));
            self.roots.pop();
            return;
        }
        let rest: String = text.chars().skip(at.index()).take_while(|c| *c != '\n').take(30).collect();
        let near = if rest.trim().is_empty() { String::new() } else { format!(", at \"{}\"", rest.trim()) };
        report.error(Code::YAML_SYNTAX, span, &[], format!("not valid YAML: {}{near}", error.info()));
        // The document that it is in is not whole.
        self.roots.pop();
    }

    fn add(&mut self, span: Span, tag: Option<&saphyr_parser::Tag>, kind: Kind<'i>) -> usize {
        let tag = tag.map(|tag| match (tag.handle.as_str(), tag.suffix.as_str()) {
            ("tag:yaml.org,2002:", name) => RawTag::Yaml(name.to_owned()),
            ("!", "reset") => RawTag::Reset,
            ("!", "override") => RawTag::Override,
            ("", name) if name.starts_with("tag:yaml.org,2002:") => RawTag::Yaml(name["tag:yaml.org,2002:".len()..].to_owned()),
            _ => RawTag::Other,
        });
        let height = match kind {
            Kind::Alias(target) => self.nodes[target].height,
            _ => 0,
        };
        self.nodes.push(Raw { span, tag, kind, height });
        self.nodes.len() - 1
    }

    /// Puts a node into the collection that is open, or makes it the root of a document.
    fn attach(&mut self, node: usize, parent: Option<&mut Open>) {
        let Some(parent) = parent else {
            self.roots.push(node);
            return;
        };
        let height = self.nodes[node].height;
        let raw = &mut self.nodes[parent.node];
        raw.height = raw.height.max(height + 1);
        match &mut raw.kind {
            Kind::Seq(items) => items.push(node),
            Kind::Map(entries) => match parent.key.take() {
                None => parent.key = Some(node),
                Some(key) => entries.push((key, node)),
            },
            Kind::Scalar(..) | Kind::Alias(_) => {}
        }
    }
}

struct Unfolder<'r> {
    nodes: &'r [Raw<'r>],
    /// Nodes that are being unfolded, to see an alias inside its own anchor.
    open: Vec<bool>,
    path: Vec<Step<'r>>,
    /// How many aliases we are inside of.
    aliases: usize,
}

impl<'r> Unfolder<'r> {
    /// None when the budget is used up.
    fn unfold(&mut self, index: usize, report: &mut Report) -> Option<Node> {
        let raw = &self.nodes[index];
        if self.aliases > 0 && !report.spend(NODE_COST, raw.span, &self.path) {
            return None;
        }
        if let Kind::Alias(target) = raw.kind {
            return self.unfold_alias(raw.span, target, report);
        }
        if self.path.len() + self.aliases > MAX_DEPTH {
            let message = format!("aliases nest it more than {MAX_DEPTH} levels deep");
            report.error(Code::TOO_LARGE, raw.span, &self.path, message);
            return Some(Node::new(Value::Invalid, raw.span));
        }
        self.open[index] = true;
        let value = match &raw.kind {
            Kind::Scalar(text, plain) => {
                let spent = self.aliases == 0 || report.spend(text.len(), raw.span, &self.path);
                spent.then(|| self.scalar(raw, text, *plain, report))
            }
            Kind::Seq(items) => self.sequence(items, report),
            Kind::Map(entries) => self.mapping(entries, report),
            Kind::Alias(_) => Some(Value::Null),
        };
        self.open[index] = false;
        let tag = match raw.tag {
            Some(RawTag::Reset) => Tag::Reset,
            Some(RawTag::Override) => Tag::Override,
            _ => Tag::None,
        };
        Some(Node { value: value?, span: raw.span, tag })
    }

    fn unfold_alias(&mut self, span: Span, target: usize, report: &mut Report) -> Option<Node> {
        if self.open[target] {
            report.error(Code::CYCLE, span, &self.path, "an alias inside its own anchor: a cycle without an end");
            return Some(Node::new(Value::Invalid, span));
        }
        self.aliases += 1;
        let node = self.unfold(target, report);
        self.aliases -= 1;
        node
    }

    fn scalar(&mut self, raw: &Raw<'_>, text: &str, plain: bool, report: &mut Report) -> Value {
        let value = match &raw.tag {
            None if plain => Ok(scalar::resolve(text)),
            None | Some(RawTag::Other | RawTag::Override | RawTag::Reset) => Ok(Value::Str(text.to_owned())),
            Some(RawTag::Yaml(tag)) => scalar::tagged(text, tag),
        };
        value.unwrap_or_else(|wrong| {
            report.error(Code::WRONG_TYPE, raw.span, &self.path, format!("\"{text}\" {wrong}"));
            Value::Invalid
        })
    }

    fn sequence(&mut self, items: &[usize], report: &mut Report) -> Option<Value> {
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            self.path.push(Step::Item(index));
            let node = self.unfold(*item, report);
            self.path.pop();
            list.push(node?);
        }
        Some(Value::Seq(list))
    }

    fn mapping(&mut self, entries: &'r [(usize, usize)], report: &mut Report) -> Option<Value> {
        let mut map = Map::default();
        let mut merged: Option<(usize, Span)> = None;
        for &(key, value) in entries {
            let Some((text, key_span, plain)) = self.key(key, report) else { continue };
            let merge = plain && text == "<<";
            let first = if merge { merged.map(|(_, span)| span) } else { map.key(text).map(|key| key.span) };
            if let Some(first) = first {
                self.duplicate(text, key_span, first, report);
                if merge {
                    continue;
                }
            }
            if merge {
                merged = Some((value, key_span));
                continue;
            }
            self.path.push(Step::Key(text));
            let node = self.unfold(value, report);
            self.path.pop();
            map.insert(Key { text: text.into(), span: key_span }, node?);
        }
        if let Some((value, _)) = merged {
            self.merge(&mut map, value, report)?;
        }
        Some(Value::Map(Box::new(map)))
    }

    /// A key's text, its place, and whether it was written without quotes.
    fn key(&mut self, index: usize, report: &mut Report) -> Option<(&'r str, Span, bool)> {
        let raw = &self.nodes[index];
        let scalar = match &raw.kind {
            Kind::Alias(target) => &self.nodes[*target],
            _ => raw,
        };
        let found = match &scalar.kind {
            Kind::Scalar(text, plain) => {
                let is_string = match &scalar.tag {
                    None => !*plain || matches!(scalar::resolve(text), Value::Str(_)),
                    Some(RawTag::Yaml(tag)) => tag == "str" || tag == "merge",
                    Some(_) => true,
                };
                if is_string {
                    return Some((text, raw.span, *plain && scalar.tag.is_none()));
                }
                let node = Node::new(scalar::resolve(text), raw.span);
                format!("non-string key {text}: it is {}", if text.is_empty() { "empty" } else { node.kind() })
            }
            Kind::Seq(_) => "non-string key: it is a list".to_owned(),
            Kind::Map(_) => "non-string key: it is a mapping".to_owned(),
            Kind::Alias(_) => "non-string key: it is an alias".to_owned(),
        };
        if self.aliases == 0 {
            let finding = report.error(Code::KEY_NOT_STRING, raw.span, &self.path, format!("{found}; keys must be strings"));
            finding.help = Some("put it in quotes".to_owned());
        }
        None
    }

    fn duplicate(&mut self, text: &str, span: Span, first: Span, report: &mut Report) {
        // Inside an alias it was reported at the anchor.
        if self.aliases == 0 {
            let message = format!("the key \"{text}\" is already defined on line {}", first.line);
            report.error(Code::DUPLICATE_KEY, span, &self.path, message).help = Some("remove one of the two".to_owned());
        }
    }

    /// `<<`: a mapping, or a list of mappings of which the first that has a key wins. Keys that stand beside `<<` win.
    fn merge(&mut self, map: &mut Map, value: usize, report: &mut Report) -> Option<()> {
        let mut source = self.unfold(value, report)?;
        let sources = match &mut source.value {
            Value::Seq(items) => std::mem::take(items),
            _ => vec![source],
        };
        for source in sources {
            match source.value {
                Value::Map(entries) => {
                    for (key, node) in entries.into_entries() {
                        match map.get_mut(&key.text) {
                            None => map.insert(key, node),
                            // The tag acts on the files before also when another value stands here.
                            Some(kept) if node.tag != Tag::None && kept.tag == Tag::None => kept.tag = Tag::Override,
                            Some(_) => {}
                        }
                    }
                }
                Value::Invalid => {}
                _ => {
                    let message = format!("{} can't be merged: << takes a mapping or a list of mappings", source.found());
                    report.error(Code::WRONG_TYPE, source.span, &self.path, message);
                }
            }
        }
        Some(())
    }
}
