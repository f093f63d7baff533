//! YAML text → one tree a document.
//!
//! The parser's events build the tree as they come: plain scalars get their meaning, an alias becomes a copy of what its
//! anchor names (within the budget), merge keys are applied when their mapping ends. Rules: mapping keys are strings, each
//! once; nesting ends at [`MAX_DEPTH`], aliases included; an alias inside its own anchor is a cycle. What is wrong becomes
//! a finding, the rest is kept.

use std::collections::HashMap;
use std::iter::{Enumerate, Peekable};
use std::str::Lines;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span as ParserSpan, StrInput};

use super::layout::Layout;
use super::map::Map;
use super::node::{Key, Node, Span, Step, Tag, Value};
use super::report::Report;
use super::scalar;
use super::syntax;
use crate::base::Code;

/// Deeper nesting is refused; it also bounds every recursion over a tree.
const MAX_DEPTH: usize = 128;
/// Below this key at the top, a number may be a key: ECS Compose-X names listeners by their port.
const BY_PORT: &str = "x-elbv2";

/// All documents of a file, in order. After a syntax error these are the ones before it.
pub(super) fn parse(text: &str, file: u32, report: &mut Report) -> Vec<Node> {
    let mut layout = Layout::of(text);
    loop {
        let text = layout.text();
        let before = report.mark();
        let anchors = HashMap::new();
        let open_end = (!text.ends_with(['\n', '\r'])).then(|| text.chars().count());
        let mut composer = Composer {
            file,
            text: &text,
            layout: &layout,
            open_end,
            lines: text.lines().enumerate().peekable(),
            ended: None,
            stack: Vec::new(),
            anchors,
            documents: Vec::new(),
            report,
        };
        let refused = composer.read();
        let in_flow = composer.in_flow();
        let documents = composer.documents;
        match refused {
            Some(error) if layout.mend(&error, in_flow) => report.back_to(before),
            _ => return documents,
        }
    }
}

/// What YAML says about a node beside its value.
struct Marks {
    span: Span,
    tag: Option<RawTag>,
    /// The parser's number of its anchor; 0 is none.
    anchor: usize,
}

enum RawTag {
    /// One of YAML's own, by its short name.
    Yaml(String),
    Reset,
    Override,
    /// A function of CloudFormation in its short form, as its long form: `!Sub` is `Fn::Sub`.
    Function(&'static str),
    /// Any other; a scalar under it is a string.
    Other,
}

/// An anchor that can be named.
enum Anchor {
    /// What it stands for is still being read.
    Open,
    /// … and how deep it nests.
    Done(Node, usize),
}

/// A collection that is being read.
struct Open {
    marks: Marks,
    /// Depth of what is nested in it so far.
    height: usize,
    kind: Kind,
}

enum Kind {
    Seq(Vec<Node>),
    Map {
        map: Map,
        key: Expected,
        /// The value of `<<`, and where its key stands.
        merged: Option<(Node, Span)>,
    },
}

/// What the next node in a mapping is.
enum Expected {
    Key,
    /// The value of this key; `true` for the merge key.
    Value(Key, bool),
    /// A value whose key was wrong.
    Nothing,
}

struct Composer<'c> {
    file: u32,
    text: &'c str,
    layout: &'c Layout<'c>,
    /// How many characters the text has, where no line break ends it.
    open_end: Option<usize>,
    /// Those that were not looked at for directives.
    lines: Peekable<Enumerate<Lines<'c>>>,
    /// The line on which the last document ended.
    ended: Option<usize>,
    stack: Vec<Open>,
    anchors: HashMap<usize, Anchor>,
    documents: Vec<Node>,
    report: &'c mut Report,
}

impl Composer<'_> {
    /// Reads to the end, or to a syntax error, which comes back.
    fn read(&mut self) -> Option<ScanError> {
        let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(self.text);
        while let Some(event) = parser.next_event() {
            let (event, at) = match event {
                Ok(event) => event,
                Err(error) => {
                    self.syntax_error(&error);
                    return Some(error);
                }
            };
            let span = self.span(at);
            let go_on = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let text = self.layout.restored(text);
                    let text = match style {
                        ScalarStyle::Literal | ScalarStyle::Folded => self.block(&text, at),
                        _ => &text,
                    };
                    self.scalar(text, matches!(style, ScalarStyle::Plain), Self::marks(span, tag.as_deref(), anchor))
                }
                Event::Alias(anchor) => self.alias(anchor, span),
                Event::SequenceStart(anchor, tag) => self.open(Self::marks(span, tag.as_deref(), anchor), Kind::Seq(Vec::new())),
                Event::MappingStart(anchor, tag) => {
                    let kind = Kind::Map { map: Map::default(), key: Expected::Key, merged: None };
                    self.open(Self::marks(span, tag.as_deref(), anchor), kind)
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(),
                Event::DocumentStart(explicit) => self.begin(explicit, span),
                Event::DocumentEnd => {
                    self.ended = Some(at.start.line());
                    true
                }
                // Anchors outlive their document, as in the reference.
                Event::Nothing | Event::StreamStart | Event::StreamEnd => true,
            };
            if !go_on {
                break;
            }
        }
        None
    }

    /// A document begins; what stands between it and the one before are comments and directives.
    fn begin(&mut self, explicit: bool, span: Span) -> bool {
        if !explicit {
            if self.ended.is_some() {
                let message = "a further document begins here: expected <document start>".to_owned();
                self.error(Code::YAML_SYNTAX, span, message, Some("write a line with --- before it"));
            }
            return self.ended.is_none();
        }
        let ended = self.ended.unwrap_or_default();
        let start = span.line as usize;
        // Each line is looked at once, however many documents there are.
        while let Some((index, line)) = self.lines.next_if(|(index, _)| index + 1 < start) {
            if index < ended || !line.starts_with('%') {
                continue;
            }
            let mut words = line.split_whitespace();
            let wrong = match (words.next(), words.next()) {
                (Some("%YAML"), Some("1.1")) | (Some("%TAG"), _) => continue,
                (Some("%YAML"), Some(version)) => {
                    format!("not valid YAML: incompatible YAML document: version {version}; Compose files are of version 1.1")
                }
                (name, _) => format!("not valid YAML: unknown directive name {}", name.unwrap_or_default()),
            };
            let span = Span { line: u32::try_from(index + 1).unwrap_or(u32::MAX), column: 1, ..span };
            self.error(Code::YAML_SYNTAX, span, wrong, Some("remove the line"));
        }
        true
    }

    /// A block scalar without the line break that the parser puts to the end of a text that has none.
    fn block<'s>(&self, scalar: &'s str, at: ParserSpan) -> &'s str {
        if self.open_end != Some(at.end.index()) {
            return scalar;
        }
        let Some(content) = scalar.strip_suffix('\n') else { return scalar };
        let last = self.text.rsplit('\n').next().unwrap_or_default();
        // Blanks at the end are content where they go further than the first line's indentation, or where they are all.
        let is_content = match content {
            "" => at.start.line() + 1 == at.end.line(),
            _ => last.len() > at.start.col(),
        };
        if !last.trim().is_empty() || is_content { content } else { scalar }
    }

    /// Is a `{}` or `[]` open where the reading stands?
    fn in_flow(&self) -> bool {
        let Some(Open { marks, .. }) = self.stack.last() else { return false };
        let (line, column) = (marks.span.line as usize, marks.span.column as usize);
        let first = self.text.lines().nth(line - 1).and_then(|text| text.chars().nth(column - 1 + self.layout.shift(line)));
        matches!(first, Some('{' | '['))
    }

    fn span(&self, span: ParserSpan) -> Span {
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        let (line, column) = (span.start.line(), span.start.col());
        Span { file: self.file, line: number(line), column: number(column - self.layout.shift(line).min(column) + 1) }
    }

    fn marks(span: Span, tag: Option<&saphyr_parser::Tag>, anchor: usize) -> Marks {
        const YAML: &str = "tag:yaml.org,2002:";
        let tag = tag.map(|tag| match (tag.handle.as_str(), tag.suffix.as_str()) {
            (YAML, name) => RawTag::Yaml(name.to_owned()),
            ("!", "reset") => RawTag::Reset,
            ("!", "override") => RawTag::Override,
            ("!", name) => function(name).map_or(RawTag::Other, RawTag::Function),
            ("", name) => name.strip_prefix(YAML).map_or(RawTag::Other, |name| RawTag::Yaml(name.to_owned())),
            _ => RawTag::Other,
        });
        Marks { span, tag, anchor }
    }

    fn syntax_error(&mut self, error: &ScanError) {
        let at = error.marker();
        let mut span = self.span(ParserSpan::empty(*at));
        // The parser's own limit on nesting is reached before ours.
        if error.info().contains("recursion limit") {
            self.too_deep(span);
            return;
        }
        let offset = self.text.char_indices().nth(at.index()).map_or(self.text.len(), |(offset, _)| offset);
        let (before, rest) = self.text.split_at(offset);
        let mut near = rest.lines().next().unwrap_or_default();
        let mut said = error.info();
        // A key without a colon is told of where the next line begins, and whatever is open at the end behind the last line.
        let no_colon = said.starts_with("simple key expect");
        if (no_colon || rest.is_empty())
            && let Some((line, indent, text)) = syntax::last_line(before)
        {
            let column = if no_colon { indent } else { indent + text.chars().count() };
            span = self.span(ParserSpan::empty(Marker::new(0, line, column)));
            if no_colon {
                (near, said) = (text, "could not find expected ':' behind a key");
            }
        }
        if said.split(' ').any(|word| word.starts_with("tab")) {
            span = self.first_tab(span);
        }
        let near: String = near.chars().take(30).collect();
        let near = if near.trim().is_empty() { String::new() } else { format!(", at \"{}\"", near.trim()) };
        let message = format!("not valid YAML: {said}{near}");
        self.report.error(Code::YAML_SYNTAX, span, &[], message).help = syntax::remedy(error.info()).map(str::to_owned);
    }

    /// The tab that indents the line where the reading stands, or a line soon after it.
    fn first_tab(&self, span: Span) -> Span {
        let mut lines = self.text.lines().enumerate().skip(span.line.saturating_sub(1) as usize).take(3);
        let indentation = |line: &str| line.chars().take_while(|c| matches!(c, ' ' | '\t')).position(|c| c == '\t');
        let found = lines.find_map(|(index, line)| Some((index + 1, indentation(line)? + 1)));
        let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
        found.map_or(span, |(line, column)| Span { line: number(line), column: number(column), ..span })
    }

    fn too_deep(&mut self, span: Span) -> bool {
        let message = format!("nested more than {MAX_DEPTH} levels deep");
        self.error(Code::TOO_LARGE, span, message, None);
        false
    }

    /// A finding about where the reading stands.
    fn error(&mut self, code: Code, span: Span, message: String, help: Option<&str>) {
        let path: Vec<Step<'_>> = self
            .stack
            .iter()
            .filter_map(|open| match &open.kind {
                Kind::Seq(items) => Some(Step::Item(items.len())),
                Kind::Map { key: Expected::Value(key, _), .. } => Some(Step::Key(&key.text)),
                Kind::Map { .. } => None,
            })
            .collect();
        self.report.error(code, span, &path, message).help = help.map(str::to_owned);
    }

    /// Is the next node the key of a mapping?
    fn key_is_next(&self) -> bool {
        matches!(self.stack.last(), Some(Open { kind: Kind::Map { key: Expected::Key, .. }, .. }))
    }

    /// Reads a scalar, as a key or as a value. False when the reading ends here, as with all that follow.
    fn scalar(&mut self, text: &str, plain: bool, marks: Marks) -> bool {
        let value = match &marks.tag {
            None if plain => Ok(scalar::resolve(text)),
            None | Some(RawTag::Other | RawTag::Override | RawTag::Reset | RawTag::Function(_)) => {
                Ok(Value::Str(text.to_owned()))
            }
            Some(RawTag::Yaml(tag)) => scalar::tagged(text, tag),
        };
        let value = value.unwrap_or_else(|wrong| {
            self.error(Code::WRONG_TYPE, marks.span, format!("\"{text}\" {wrong}"), None);
            Value::Invalid
        });
        let is_key = self.key_is_next();
        let merge_tag = marks.tag.as_ref().is_none_or(|tag| matches!(tag, RawTag::Yaml(name) if name == "merge"));
        let merge_key = plain && merge_tag && text == "<<";
        let node = self.called(Self::node(value, &marks), &marks);
        if marks.anchor > 0 {
            let known = if is_key { Node::new(node.value.clone(), node.span) } else { node.clone() };
            self.anchors.insert(marks.anchor, Anchor::Done(known, 0));
        }
        match (is_key, merge_key) {
            (true, _) => self.key(node, merge_key),
            (false, true) => self.leave_out(node),
            (false, false) => self.attach(node, 0),
        }
    }

    /// A `<<` that is no key: the reference leaves its entry out of the mapping or list.
    fn leave_out(&mut self, node: Node) -> bool {
        match self.stack.last_mut().map(|open| &mut open.kind) {
            Some(Kind::Map { key: key @ Expected::Value(_, false), .. }) => *key = Expected::Key,
            Some(Kind::Seq(_)) => {}
            _ => return self.attach(node, 0),
        }
        let message = "<< without quotes is no value: what it stands for is left out";
        self.report.warning(Code::YAML_SYNTAX, node.span, &[], message).help = Some("put it in quotes".to_owned());
        true
    }

    fn node(value: Value, marks: &Marks) -> Node {
        let tag = match marks.tag {
            Some(RawTag::Reset) => Tag::Reset,
            Some(RawTag::Override) => Tag::Override,
            _ => Tag::None,
        };
        Node { value, span: marks.span, tag }
    }

    /// In raw CloudFormation, a function in its short form is its long form; elsewhere such a tag means nothing.
    fn called(&self, node: Node, marks: &Marks) -> Node {
        let Some(RawTag::Function(name)) = marks.tag else { return node };
        if !self.is_below("Resources") {
            return node;
        }
        let span = node.span;
        let argument = match node.as_str().filter(|_| name == "Fn::GetAtt").and_then(|text| text.split_once('.')) {
            Some((resource, attribute)) => {
                let part = |text: &str| Node::new(Value::Str(text.to_owned()), span);
                Node::seq(vec![part(resource), part(attribute)], span)
            }
            None => node,
        };
        let mut map = Map::default();
        map.insert(Key { text: name.into(), span }, argument);
        Node::map(map, span)
    }

    /// Whether what is read stands below this key at the top of the file.
    fn is_below(&self, top: &str) -> bool {
        let first = self.stack.first().map(|open| &open.kind);
        matches!(first, Some(Kind::Map { key: Expected::Value(key, _), .. }) if &*key.text == top)
    }

    /// A copy of what an anchor names.
    fn alias(&mut self, anchor: usize, span: Span) -> bool {
        let (node, height) = match self.anchors.get(&anchor) {
            Some(Anchor::Done(node, height)) => {
                let (cost, height) = (node.cost(), *height);
                if !self.report.spend(cost, span, &[]) {
                    return false;
                }
                // It was free until now, and is there still.
                let Some(Anchor::Done(node, _)) = self.anchors.get(&anchor) else { return false };
                (node.clone(), height)
            }
            Some(Anchor::Open) => {
                let message = "an alias inside its own anchor: a cycle without an end".to_owned();
                self.error(Code::CYCLE, span, message, None);
                (Node::new(Value::Invalid, span), 0)
            }
            // The parser knows the anchors.
            None => return true,
        };
        if self.key_is_next() {
            let node = Node { span, ..node };
            return self.key(node, false);
        }
        if self.stack.len() + height > MAX_DEPTH {
            return self.too_deep(span);
        }
        self.attach(node, height)
    }

    fn open(&mut self, marks: Marks, kind: Kind) -> bool {
        if self.stack.len() >= MAX_DEPTH {
            return self.too_deep(marks.span);
        }
        if marks.anchor > 0 {
            self.anchors.insert(marks.anchor, Anchor::Open);
        }
        self.stack.push(Open { marks, height: 0, kind });
        true
    }

    fn close(&mut self) -> bool {
        let Some(Open { marks, height, kind }) = self.stack.pop() else { return true };
        let value = match kind {
            Kind::Seq(items) => Value::Seq(items),
            Kind::Map { mut map, merged, .. } => {
                if let Some((source, _)) = merged {
                    self.merge(&mut map, source);
                }
                Value::Map(Box::new(map))
            }
        };
        let height = height + 1;
        let node = self.called(Self::node(value, &marks), &marks);
        if marks.anchor > 0 {
            if !self.report.spend(node.cost(), marks.span, &[]) {
                return false;
            }
            self.anchors.insert(marks.anchor, Anchor::Done(node.clone(), height));
        }
        if self.key_is_next() { self.key(node, false) } else { self.attach(node, height) }
    }

    /// Puts a value into the collection that is open, or ends a document with it.
    fn attach(&mut self, node: Node, height: usize) -> bool {
        let Some(open) = self.stack.last_mut() else {
            self.documents.push(node);
            return true;
        };
        open.height = open.height.max(height);
        match &mut open.kind {
            Kind::Seq(items) => items.push(node),
            Kind::Map { map, key, merged } => match std::mem::replace(key, Expected::Key) {
                Expected::Value(key, false) => map.insert(key, node),
                Expected::Value(key, true) => *merged = Some((node, key.span)),
                Expected::Key | Expected::Nothing => {}
            },
        }
        true
    }

    /// Takes a node as the key of the mapping that is open.
    fn key(&mut self, mut node: Node, merge_key: bool) -> bool {
        let span = node.span;
        if let Value::Int(port, _) = node.value
            && self.is_below(BY_PORT)
        {
            node.value = Value::Str(port.to_string());
        }
        let Value::Str(text) = node.value else {
            if !node.is_invalid() {
                let shown = node.written().map(|text| format!(" {text}")).unwrap_or_default();
                let message = format!("non-string key{shown}: it is {}; keys must be strings", node.kind());
                self.error(Code::KEY_NOT_STRING, node.span, message, Some("put it in quotes"));
            }
            self.expect(Expected::Nothing);
            return true;
        };
        let first = match self.stack.last().map(|open| &open.kind) {
            Some(Kind::Map { merged, .. }) if merge_key => merged.as_ref().map(|(_, span)| *span),
            Some(Kind::Map { map, .. }) => map.key(&text).map(|key| key.span),
            _ => None,
        };
        if let Some(first) = first {
            let message = format!("the key \"{text}\" is already defined on line {}", first.line);
            self.error(Code::DUPLICATE_KEY, span, message, Some("remove one of the two"));
        }
        self.expect(Expected::Value(Key { text: text.into(), span }, merge_key));
        true
    }

    fn expect(&mut self, next: Expected) {
        if let Some(Open { kind: Kind::Map { key, .. }, .. }) = self.stack.last_mut() {
            *key = next;
        }
    }

    /// `<<`: a mapping, or a list of mappings of which the first that has a key wins. Keys that stand beside `<<` win.
    fn merge(&mut self, map: &mut Map, mut source: Node) {
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
                    self.error(Code::WRONG_TYPE, source.span, message, None);
                }
            }
        }
    }
}

/// A function of CloudFormation by its short name.
fn function(name: &str) -> Option<&'static str> {
    const FUNCTIONS: [(&str, &str); 18] = [
        ("And", "Fn::And"),
        ("Base64", "Fn::Base64"),
        ("Cidr", "Fn::Cidr"),
        ("Condition", "Condition"),
        ("Equals", "Fn::Equals"),
        ("FindInMap", "Fn::FindInMap"),
        ("GetAZs", "Fn::GetAZs"),
        ("GetAtt", "Fn::GetAtt"),
        ("If", "Fn::If"),
        ("ImportValue", "Fn::ImportValue"),
        ("Join", "Fn::Join"),
        ("Not", "Fn::Not"),
        ("Or", "Fn::Or"),
        ("Ref", "Ref"),
        ("Select", "Fn::Select"),
        ("Split", "Fn::Split"),
        ("Sub", "Fn::Sub"),
        ("Transform", "Fn::Transform"),
    ];
    FUNCTIONS.into_iter().find(|(short, _)| *short == name).map(|(_, long)| long)
}
