//! `$NAME` and `${NAME…}` in text.
//!
//! Comes in: a text and the variables. Goes out: the text with values in it, and the names that had none. The rules are
//! those of the reference, its corners included: the word after an operator reaches to the last `}` on the line and is
//! then cut at the brace that balances; a `$` before anything but a name, `$` or `{` stands for itself.

use std::collections::BTreeMap;

/// Variables by name.
pub(super) type Variables = BTreeMap<String, String>;

/// Deeper nesting of defaults is refused.
const MAX_DEPTH: usize = 64;

/// Why a text can't be interpolated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// A `${` that doesn't begin a variable.
    Invalid { at: String },
    /// `${NAME:?reason}` or `${NAME?reason}` and no value.
    Required { variable: String, reason: String },
    /// Defaults nested too deep.
    TooDeep,
}

/// Puts values in; names without a value are added to `unset`.
pub(super) fn substitute(text: &str, lookup: &dyn Fn(&str) -> Option<String>, unset: &mut Vec<String>) -> Result<String, Fault> {
    Substitution { lookup, unset, depth: 0 }.run(text)
}

struct Substitution<'s> {
    lookup: &'s dyn Fn(&str) -> Option<String>,
    unset: &'s mut Vec<String>,
    depth: usize,
}

/// What a `$` begins.
enum Token<'t> {
    /// `$$`
    Escaped,
    /// `$NAME`
    Named(&'t str),
    /// `${…}` up to the last brace on the line.
    Braced(&'t str),
    /// `${` and nothing that fits.
    Invalid,
    /// A `$` that stands for itself.
    Literal,
}

fn name_length(text: &str) -> usize {
    let mut bytes = text.bytes();
    match bytes.next() {
        Some(first) if first == b'_' || first.is_ascii_alphabetic() => {
            1 + bytes.take_while(|byte| *byte == b'_' || byte.is_ascii_alphanumeric()).count()
        }
        _ => 0,
    }
}

/// The operator that a text begins with.
fn operator(text: &str) -> Option<&'static str> {
    [":?", ":-", ":+", "?", "-", "+"].into_iter().find(|operator| text.starts_with(operator))
}

/// Reads what stands at a `$`. `last_brace` is the offset of the last `}` on the line, within `text`.
fn token(text: &str, last_brace: Option<usize>) -> Token<'_> {
    let rest = &text[1..];
    if rest.starts_with('$') {
        return Token::Escaped;
    }
    let Some(inside) = rest.strip_prefix('{') else {
        let length = name_length(rest);
        return if length > 0 { Token::Named(&rest[..length]) } else { Token::Literal };
    };
    let length = name_length(inside);
    let after = &inside[length..];
    if length == 0 {
        return Token::Invalid;
    }
    if after.starts_with('}') {
        return Token::Braced(&text[..length + 3]);
    }
    match (operator(after), last_brace) {
        (Some(operator), Some(brace)) if brace >= 2 + length + operator.len() => Token::Braced(&text[..=brace]),
        _ => Token::Invalid,
    }
}

/// The offset of the brace that closes the first one. The character after an opening brace is never looked at.
fn closing_brace(text: &str) -> Option<usize> {
    let mut open = 0usize;
    let mut skip = false;
    for (index, byte) in text.bytes().enumerate() {
        if skip {
            skip = false;
            continue;
        }
        match byte {
            b'}' => {
                open = open.checked_sub(1)?;
                if open == 0 {
                    return Some(index);
                }
            }
            b'{' => {
                open += 1;
                skip = true;
            }
            _ => {}
        }
    }
    None
}

impl Substitution<'_> {
    fn run(&mut self, text: &str) -> Result<String, Fault> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        // The last closing brace of the line that `rest` stands in, as a distance from the end of the text.
        let mut line: Option<(usize, Option<usize>)> = None;
        while let Some(dollar) = rest.find('$') {
            out.push_str(&rest[..dollar]);
            rest = &rest[dollar..];
            let (line_end, last) = match line {
                Some((end, last)) if rest.len() > end => (end, last),
                _ => {
                    let length = rest.find('\n').unwrap_or(rest.len());
                    let last = rest[..length].rfind('}').map(|brace| rest.len() - brace);
                    (rest.len() - length, last)
                }
            };
            line = Some((line_end, last));
            let last_brace = last.and_then(|from_end| rest.len().checked_sub(from_end));
            let length = match token(rest, last_brace) {
                Token::Literal => {
                    out.push('$');
                    1
                }
                Token::Escaped => {
                    out.push('$');
                    2
                }
                Token::Named(name) => {
                    out.push_str(&self.value(name));
                    1 + name.len()
                }
                Token::Braced(whole) => {
                    let part = closing_brace(whole).map_or(whole, |closing| &whole[..=closing]);
                    out.push_str(&self.braced(&part[2..part.len() - 1])?);
                    part.len()
                }
                Token::Invalid => return Err(Fault::Invalid { at: rest.chars().take(40).collect() }),
            };
            rest = &rest[length..];
        }
        out.push_str(rest);
        Ok(out)
    }

    fn value(&mut self, name: &str) -> String {
        (self.lookup)(name).unwrap_or_else(|| {
            self.unset.push(name.to_owned());
            String::new()
        })
    }

    /// What stands between the braces: a name, and perhaps an operator and a word.
    fn braced(&mut self, inside: &str) -> Result<String, Fault> {
        let length = name_length(inside);
        let (name, after) = inside.split_at(length);
        let Some(operator) = operator(after) else { return Ok(self.value(name)) };
        let word = &after[operator.len()..];
        let value = (self.lookup)(name);
        let there = match &value {
            None => false,
            Some(value) => !operator.starts_with(':') || !value.is_empty(),
        };
        match (operator.trim_start_matches(':'), there) {
            ("+", true) | ("-", false) => self.nested(word),
            ("?", false) => Err(Fault::Required { variable: name.to_owned(), reason: self.nested(word)? }),
            _ => Ok(value.unwrap_or_default()),
        }
    }

    fn nested(&mut self, word: &str) -> Result<String, Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.depth += 1;
        let value = self.run(word);
        self.depth -= 1;
        value
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, substitute};

    fn run(text: &str) -> Result<String, Fault> {
        let lookup = |name: &str| match name {
            "SET" => Some("ok".to_owned()),
            "EMPTY" => Some(String::new()),
            "MAJOR" => Some("3".to_owned()),
            _ => None,
        };
        substitute(text, &lookup, &mut Vec::new())
    }

    #[test]
    fn every_form() {
        for (text, expected) in [
            ("$SET ${SET} $$SET $${SET}", "ok ok $SET ${SET}"),
            ("${NO:-d} ${NO-d} ${EMPTY:-d} ${EMPTY-d}", "d d d "),
            ("${SET:+a}${NO:+a}${EMPTY:+a}${EMPTY+a}${NO+a}", "aa"),
            ("${SET:?x} ${EMPTY?x}", "ok "),
            ("${NO:-${MAJOR}.${MINOR:-0}}", "3.0"),
            ("${NO:-{\"a\":\"b\"}}", "{\"a\":\"b\"}"),
            ("${NO:-http://${HOST:-localhost}:${PORT:-8080}/x}", "http://localhost:8080/x"),
            ("cost 5$ $1 $(date) $", "cost 5$ $1 $(date) $"),
            ("${NO:-1}-${NO:-2}", "1-2"),
            ("${NO-a:-b}", "a:-b"),
            ("${NO:-{}}", "{}"),
            ("a${NO:-}b", "ab"),
        ] {
            assert_eq!(run(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong() {
        for text in ["${1NVALID}", "${", "${}", "${SET", "${SET:x}", "${NO:-a\nb}", "${SET }"] {
            assert!(matches!(run(text), Err(Fault::Invalid { .. })), "{text}");
        }
        let required = Fault::Required { variable: "NO".to_owned(), reason: "set ok".to_owned() };
        assert_eq!(run("${NO:?set ${SET}}"), Err(required));
        let deep = "${A:-".repeat(100) + &"}".repeat(100);
        assert_eq!(run(&deep), Err(Fault::TooDeep));
    }

    #[test]
    fn a_line_of_a_million_variables_is_linear() {
        let text = "${NO:-x}".repeat(200_000);
        assert_eq!(run(&text).unwrap().len(), 200_000);
    }
}
