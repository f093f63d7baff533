//! Env files. Two formats: the usual one (quotes, `export`, comments, variables in values) and `raw` (each line as it is).
//!
//! Comes in: text. Goes out: assignments in order, each with its line. The usual format's corners are the reference's:
//! `KEY: value` is accepted, a lone `KEY` takes its value from the environment, a comment after an unquoted value needs
//! a blank before its `#`.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::template::{Fault, substitute};

/// A value can't grow longer by variables that contain each other.
const MAX_VALUE: usize = 1 << 20;

/// A value and the line that it was set on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) value: String,
    pub(super) line: u32,
}

/// What is wrong, and on which line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: u32,
    pub(super) message: String,
}

/// Variables used without a value, with the lines.
pub(super) type Missing = Vec<(String, u32)>;

/// Reads the usual format into `values`, which may hold those of files before; `lookup` is asked first.
pub(super) fn parse(
    text: &str,
    values: &mut BTreeMap<String, Assigned>,
    lookup: &dyn Fn(&str) -> Option<String>,
    missing: &mut Missing,
) -> Result<(), Wrong> {
    let mut parser = Parser { rest: text, text, counted: Cell::new((0, 1)), values, lookup, missing };
    while parser.skip_to_statement() {
        parser.statement()?;
    }
    Ok(())
}

/// Reads the format that `docker run --env-file` knows: no quotes, no variables, comments only at the start of a line.
pub(super) fn parse_raw(
    text: &str,
    values: &mut BTreeMap<String, Assigned>,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<(), Wrong> {
    for (number, line) in (1u32..).zip(text.split('\n')) {
        let line = line.strip_suffix('\r').unwrap_or(line).trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |message: String| Wrong { line: number, message };
        let (name, value) = match line.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (line, lookup(line)),
        };
        if name.is_empty() {
            return Err(wrong("there is no name before the =".to_owned()));
        }
        if name.contains([' ', '\t']) {
            return Err(wrong(format!("the name \"{name}\" contains a blank")));
        }
        if let Some(value) = value {
            values.insert(name.to_owned(), Assigned { value, line: number });
        }
    }
    Ok(())
}

struct Parser<'p> {
    rest: &'p str,
    text: &'p str,
    /// An offset and its line, from which later lines are counted.
    counted: Cell<(usize, usize)>,
    values: &'p mut BTreeMap<String, Assigned>,
    lookup: &'p dyn Fn(&str) -> Option<String>,
    missing: &'p mut Missing,
}

/// Blanks within a line.
fn is_blank(c: char) -> bool {
    matches!(c, '\t' | '\u{b}' | '\u{c}' | '\r' | ' ' | '\u{85}' | '\u{a0}')
}

impl Parser<'_> {
    /// The line that `at` begins on; `at` is a tail of the text.
    fn line(&self, at: &str) -> u32 {
        let offset = self.text.len() - at.len();
        let (from, line) = self.counted.get();
        let (from, line) = if from <= offset { (from, line) } else { (0, 1) };
        let line = line + self.text[from..offset].matches('\n').count();
        self.counted.set((offset, line));
        u32::try_from(line).unwrap_or(u32::MAX)
    }

    fn wrong(&self, at: &str, message: impl Into<String>) -> Wrong {
        Wrong { line: self.line(at), message: message.into() }
    }

    /// Over blanks, empty lines and comments; false at the end.
    fn skip_to_statement(&mut self) -> bool {
        loop {
            self.rest = self.rest.trim_start();
            if !self.rest.starts_with('#') {
                return !self.rest.is_empty();
            }
            self.rest = self.rest.find('\n').map_or("", |newline| &self.rest[newline..]);
        }
    }

    fn statement(&mut self) -> Result<(), Wrong> {
        let start = self.rest;
        let (name, separator) = self.name()?;
        if name.contains(' ') {
            return Err(self.wrong(start, format!("the key \"{name}\" cannot contain a space")));
        }
        let line = self.line(start);
        if separator == Some('\n') {
            if let Some(value) = (self.lookup)(&name) {
                self.values.insert(name, Assigned { value, line });
            }
            return Ok(());
        }
        let value = self.value()?;
        if value.len() > MAX_VALUE {
            return Err(self.wrong(start, format!("the value of {name} grows beyond 1 MiB")));
        }
        self.values.insert(name, Assigned { value, line });
        Ok(())
    }

    /// The name, and what ended it: `=`, `:`, the end of the line, or the end of the file.
    fn name(&mut self) -> Result<(String, Option<char>), Wrong> {
        if let Some(after) = self.rest.strip_prefix("export")
            && after.starts_with(char::is_whitespace)
        {
            self.rest = after.trim_start_matches(is_blank);
        }
        let source = self.rest;
        for (index, c) in source.char_indices() {
            match c {
                '=' | ':' | '\n' => {
                    self.rest = source[index + 1..].trim_start_matches(is_blank);
                    return Ok((source[..index].trim_end().to_owned(), Some(c)));
                }
                '_' | '.' | '-' | '[' | ']' => {}
                c if is_blank(c) || c.is_alphanumeric() => {}
                c => {
                    let line = source.lines().next().unwrap_or_default();
                    let shown: String = line.chars().take(40).collect();
                    return Err(
                        self.wrong(&source[index..], format!("unexpected character '{c}' in the name of a variable: {shown}"))
                    );
                }
            }
        }
        // The last line without a line break has no name; what stands there is its value.
        self.rest = source.trim_start_matches(is_blank);
        Ok((String::new(), None))
    }

    fn value(&mut self) -> Result<String, Wrong> {
        let source = self.rest;
        let quote = match source.as_bytes().first() {
            Some(b'"') => '"',
            Some(b'\'') => '\'',
            _ => {
                let (line, rest) = source.split_once('\n').unwrap_or((source, ""));
                self.rest = rest;
                let line = line.split_once(" #").map_or(line, |(value, _)| value);
                return self.expand(line.trim_end(), source);
            }
        };
        let mut value = String::new();
        let mut escaped = false;
        for (index, c) in source.char_indices().skip(1) {
            if c == quote && !escaped {
                self.rest = &source[index + 1..];
                return if quote == '"' { self.expand(&unescape(&value), source) } else { Ok(value) };
            }
            if c == '\\' && !escaped {
                escaped = true;
                continue;
            }
            if escaped && c != quote {
                value.push('\\');
            }
            escaped = false;
            value.push(c);
        }
        Err(self.wrong(source, format!("unterminated quoted value: the quote ({quote}) is never closed")))
    }

    fn expand(&mut self, value: &str, at: &str) -> Result<String, Wrong> {
        let values = &*self.values;
        let lookup = |name: &str| (self.lookup)(name).or_else(|| values.get(name).map(|known| known.value.clone()));
        let mut unset = Vec::new();
        let expanded = substitute(value, &lookup, &mut unset);
        let line = self.line(at);
        self.missing.extend(unset.into_iter().map(|name| (name, line)));
        expanded.map_err(|fault| {
            let message = match fault {
                Fault::Invalid { at } => format!("\"{at}\" is not a variable: write ${{NAME}}, or $$ for a dollar sign"),
                Fault::Required { variable, reason } if reason.is_empty() => {
                    format!("the required variable {variable} is missing a value")
                }
                Fault::Required { variable, reason } => format!("the required variable {variable} is missing a value: {reason}"),
                Fault::TooDeep => "defaults are nested too deep".to_owned(),
            };
            Wrong { line, message }
        })
    }
}

/// Escapes in double quotes; what is none stays as it is. `\$` becomes `$$`, which interpolation makes a dollar sign.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let single = match after.bytes().next() {
            Some(b'a') => Some("\u{7}"),
            Some(b'b') => Some("\u{8}"),
            Some(b'f') => Some("\u{c}"),
            Some(b'n') => Some("\n"),
            Some(b'r') => Some("\r"),
            Some(b't') => Some("\t"),
            Some(b'v') => Some("\u{b}"),
            Some(b'$') => Some("$$"),
            Some(b'"') => Some("\""),
            Some(b'\\') => Some("\\"),
            Some(b'c') => Some("\\c"),
            _ => None,
        };
        if let Some(single) = single {
            out.push_str(single);
            rest = &after[1..];
        } else if let Some(octal) = after.strip_prefix('0') {
            let digits = octal.bytes().take(3).take_while(u8::is_ascii_digit).count();
            let code = u32::from_str_radix(&octal[..digits], 8).ok().filter(|code| digits == 3 && *code <= 255);
            if let Some(c) = code.and_then(char::from_u32) {
                out.push(c);
            } else {
                out.push('\\');
                out.push_str(&octal[..digits]);
            }
            rest = &octal[digits..];
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{parse, parse_raw};

    fn read(text: &str) -> BTreeMap<String, String> {
        let mut values = BTreeMap::new();
        let lookup = |name: &str| (name == "SHELL_VAR").then(|| "shell".to_owned());
        parse(text, &mut values, &lookup, &mut Vec::new()).unwrap();
        values.into_iter().map(|(name, assigned)| (name, assigned.value)).collect()
    }

    #[test]
    fn values() {
        let values = read(concat!(
            "# comment\nPLAIN=abc\nSPACED = a b \nDQ=\"l1\\nl2 $PLAIN \\$x\"\nSQ='raw\\n $PLAIN'\nexport E=1\n",
            "C=v # c\nH=v#h\nREF=${PLAIN}-${NO:-d}\nEMPTY=\nY: colon\nM=\"one\ntwo\"\nSHELL_VAR\nUNKNOWN\nQ='it\\'s'\nO=\"\\0101\"\n",
        ));
        for (name, value) in [
            ("PLAIN", "abc"),
            ("SPACED", "a b"),
            ("DQ", "l1\nl2 abc $x"),
            ("SQ", "raw\\n $PLAIN"),
            ("E", "1"),
            ("C", "v"),
            ("H", "v#h"),
            ("REF", "abc-d"),
            ("EMPTY", ""),
            ("Y", "colon"),
            ("M", "one\ntwo"),
            ("SHELL_VAR", "shell"),
            ("Q", "it's"),
            ("O", "A"),
        ] {
            assert_eq!(values.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert!(!values.contains_key("UNKNOWN"));
    }

    #[test]
    fn mistakes_have_lines() {
        let wrong = |text: &str| parse(text, &mut BTreeMap::new(), &|_| None, &mut Vec::new()).unwrap_err().line;
        assert_eq!(wrong("A=1\nB!=2\n"), 2);
        assert_eq!(wrong("A=1\n\nB=\"open\n"), 3);
        assert_eq!(wrong("A B=1\n"), 1);
        assert_eq!(wrong("A=${1}\n"), 1);
    }

    #[test]
    fn values_that_contain_each_other_end() {
        let line = |i: usize| format!("A{}=${{A{i}}}${{A{i}}}\n", i + 1);
        let text = "A0=0123456789abcdef\n".to_owned() + &(0..40).map(line).collect::<String>();
        assert!(parse(&text, &mut BTreeMap::new(), &|_| None, &mut Vec::new()).is_err());
    }

    #[test]
    fn raw_lines_are_as_they_are() {
        let mut values = BTreeMap::new();
        parse_raw("A=\"q\" # no comment\n#c\nB\n", &mut values, &|_| Some("env".to_owned())).unwrap();
        assert_eq!(values["A"].value, "\"q\" # no comment");
        assert_eq!(values["B"].value, "env");
    }
}
