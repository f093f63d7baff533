//! Text laid out as the YAML parser wants it, where it is stricter than the reference.
//!
//! The parser refuses lines inside `{}`, `[]` or quotes that begin further left than the mapping around them, or with a tab,
//! and a tab after the colon of a key. Blanks mean nothing in these places: such lines are moved to the right, such tabs
//! become spaces, and the text is read again. It also refuses a comment right behind a quote or a bracket, which is taken
//! out, a `%YAML 1.1` before a document without the end of the one before, and a dash alone in a list (`[-]`), which is read
//! as another character and given back. Lines keep their numbers, and columns are taken back by what was put in.
//!
//! In other corners the parser reads YAML 1.2 where the reference refuses it: a tab before a comment or behind a dash,
//! `\/` in quotes, a colon on the line after its key. That is let be: what is read means what it says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use saphyr_parser::ScanError;

/// Each try reads the text from its beginning.
const MAX_TRIES: usize = 64;

/// How far a line is moved at a time.
const STEP: usize = 64;

/// What a dash is read as where the parser would refuse it. No text has this character: Unicode keeps it for such use.
const DASH: char = '\u{fdd2}';

/// One character that is written otherwise.
#[derive(Debug, Clone, Copy)]
enum Edit {
    /// A tab becomes a blank.
    Blank,
    /// A dash becomes [`DASH`].
    Dash,
    /// A comment is left out, to the end of its line.
    Comment,
}

/// A text, and what was changed in it.
#[derive(Debug)]
pub(super) struct Layout<'t> {
    original: &'t str,
    /// How far lines were moved.
    moved: BTreeMap<usize, usize>,
    /// By their offsets.
    edits: BTreeMap<usize, Edit>,
    tries: usize,
}

impl<'t> Layout<'t> {
    pub(super) fn of(original: &'t str) -> Self {
        Self { original, moved: BTreeMap::new(), edits: BTreeMap::new(), tries: 0 }
    }

    /// The text as it is read.
    pub(super) fn text(&self) -> Cow<'t, str> {
        if self.tries == 0 {
            return Cow::Borrowed(self.original);
        }
        let added: usize = self.moved.values().sum();
        let mut text = String::with_capacity(self.original.len() + added);
        let mut start = 0;
        for (index, line) in self.original.split_inclusive('\n').enumerate() {
            text.extend(std::iter::repeat_n(' ', self.shift(index + 1)));
            let mut from = start;
            for (at, edit) in self.edits.range(start..start + line.len()) {
                text.push_str(&self.original[from..*at]);
                from = at + 1;
                match edit {
                    Edit::Blank => text.push(' '),
                    Edit::Dash => text.push(DASH),
                    Edit::Comment => {
                        from = start + line.trim_end_matches(['\n', '\r']).len();
                        break;
                    }
                }
            }
            start += line.len();
            text.push_str(&self.original[from..start]);
        }
        Cow::Owned(text)
    }

    /// A scalar of the text as it was written.
    pub(super) fn restored<'s>(&self, scalar: Cow<'s, str>) -> Cow<'s, str> {
        if self.tries > 0 && scalar.contains(DASH) { scalar.replace(DASH, "-").into() } else { scalar }
    }

    /// How far a line was moved.
    pub(super) fn shift(&self, line: usize) -> usize {
        self.moved.get(&line).copied().unwrap_or_default()
    }

    /// Changes the text where the parser refused it, inside a `{}` or `[]` or not. False when that is no help.
    pub(super) fn mend(&mut self, error: &ScanError, in_flow: bool) -> bool {
        self.tries += 1;
        if self.tries > MAX_TRIES {
            return false;
        }
        let (line, column) = (error.marker().line(), error.marker().col());
        let Some(at) = self.offset(line, column) else { return false };
        match error.info() {
            "invalid indentation" | "invalid indentation in flow construct" => {
                let further = lines_of_flow(&self.original[at..]);
                self.shift_lines(line, line + further, STEP);
            }
            "invalid indentation in quoted scalar" => {
                let Some(end) = end_of_quoted(&self.original[at..]) else { return false };
                let last = line + self.original[at..at + end].matches('\n').count();
                // The lines that it goes on; when they stand deep enough, where it begins is the matter.
                let deep = column.max(STEP);
                if self.shift(last) < deep && last > line {
                    self.shift_lines(line + 1, last, deep);
                } else {
                    self.shift_lines(line, line, STEP);
                }
            }
            "':' must be followed by a valid YAML whitespace" => {
                let before = &self.original[..at];
                let blanks = before.trim_end_matches([' ', '\t']).len();
                self.blank_tabs(blanks, before.len());
            }
            "tab cannot be used as indentation" => self.blank_indentation(line, line),
            "tabs disallowed within this context (block indentation)"
                // The parser looks ahead: it may not have told of the bracket yet.
                if in_flow || self.original[..at].trim_end().ends_with(['[', '{', ',']) =>
            {
                self.blank_indentation(line, line + lines_of_flow(&self.original[at..]));
            }
            "comments must be separated from other tokens by whitespace" if self.original[at..].starts_with('#') => {
                self.edits.insert(at, Edit::Comment);
            }
            "missing explicit document end marker before directive"
                if self.original[at..].starts_with("%YAML 1.1")
                    && self.original[at..].lines().nth(1).is_some_and(|next| next.starts_with("---")) =>
            {
                self.edits.insert(at, Edit::Comment);
            }
            "plain scalar cannot start with '-' followed by ,[]{}"
                if self.original[at..].starts_with('-') && !self.original.contains(DASH) =>
            {
                self.edits.insert(at, Edit::Dash);
            }
            _ => return false,
        }
        true
    }

    fn shift_lines(&mut self, first: usize, last: usize, by: usize) {
        for line in first..=last {
            *self.moved.entry(line).or_default() += by;
        }
    }

    /// Makes the tabs before the first character of some lines blanks.
    fn blank_indentation(&mut self, first: usize, last: usize) {
        let mut start = 0;
        for (index, line) in self.original.split_inclusive('\n').enumerate().take(last) {
            if index + 1 >= first {
                self.blank_tabs(start, start + line.len() - line.trim_start_matches([' ', '\t']).len());
            }
            start += line.len();
        }
    }

    fn blank_tabs(&mut self, from: usize, to: usize) {
        let tabs = self.original[from..to].match_indices('\t').map(|(offset, _)| (from + offset, Edit::Blank));
        self.edits.extend(tabs);
    }

    /// Where a line and a column of the changed text lie in the original one.
    fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start: usize = self.original.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum();
        let rest = self.original.get(start..)?;
        let within = rest.char_indices().nth(column.saturating_sub(self.shift(line))).map_or(rest.len(), |(offset, _)| offset);
        Some(start + within)
    }
}

/// On how many further lines the `{}` or `[]` goes on that a text stands in, at the beginning of a word.
fn lines_of_flow(text: &str) -> usize {
    let (mut lines, mut depth) = (0, 1usize);
    // Only there a quote opens a scalar, only after a blank a # opens a comment, and a colon ends a quoted key at once.
    let (mut word_may_begin, mut after_blank, mut after_quoted) = (true, true, false);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut length = c.len_utf8();
        let is_quoted = word_may_begin && matches!(c, '"' | '\'');
        match c {
            '\n' => lines += 1,
            '#' if after_blank => length = rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' if is_quoted => {
                let Some(end) = end_of_quoted(rest) else { return lines };
                length = end;
                lines += rest[..end].matches('\n').count();
            }
            // A tag or an anchor stands before its word.
            '!' | '&' if word_may_begin => {
                length = rest.find(|c: char| c.is_whitespace() || ",[]{}".contains(c)).unwrap_or(rest.len());
            }
            '{' | '[' => depth += 1,
            '}' | ']' => {
                depth -= 1;
                if depth == 0 {
                    return lines;
                }
            }
            _ => {}
        }
        rest = &rest[length..];
        let ends_key = |c| c == ':' && (after_quoted || rest.starts_with(char::is_whitespace));
        word_may_begin = matches!(c, '{' | '[' | ',')
            || ends_key(c)
            || (word_may_begin && (c.is_whitespace() || matches!(c, '!' | '&' | '#' | '?')));
        after_blank = c.is_whitespace();
        after_quoted = is_quoted || (after_quoted && after_blank);
    }
    lines
}

/// Where a quoted scalar ends that a text begins with.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut characters = text.char_indices();
    let (_, quote) = characters.next()?;
    while let Some((index, c)) = characters.next() {
        match c {
            '\\' if quote == '"' => {
                characters.next();
            }
            c if c == quote => return Some(index + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{end_of_quoted, lines_of_flow};

    #[test]
    fn where_quotes_end() {
        for (text, end) in
            [("'a' b", Some(3)), ("\"a\\\"b\" c", Some(6)), ("'it''s'", Some(4)), ("\"a\nb\"", Some(5)), ("'open", None)]
        {
            assert_eq!(end_of_quoted(text), end, "{text}");
        }
    }

    #[test]
    fn where_flow_collections_end() {
        for (text, lines) in [
            ("a,\nb\n]\nc: d\n", 2),
            ("a, # ]\nb]\n", 1),
            ("a#]\n", 0),
            ("it's,\nb]\nc: 'x\n'", 1),
            ("'a]\nb',\nc]", 2),
            ("\"k\":'v]\n'\n}", 2),
            ("k: !t 'v]\n'\n}", 2),
            ("a: {b: [c,\nd]\n}\n}\n", 3),
            ("http://x:'y,\nz]", 1),
            ("never", 0),
        ] {
            assert_eq!(lines_of_flow(text), lines, "{text}");
        }
    }
}
