//! Values as YAML text that a reader of YAML 1.1 and one of 1.2 take for the same: a string that either would read
//! as anything else is quoted.

use std::fmt::Write;

use super::field::Field;
use super::out::Out;

/// A whole document.
pub(super) fn document(value: &Out<'_>) -> String {
    let mut out = String::new();
    match value {
        Out::Map(map) if !map.is_empty() => mapping(&mut out, map, 0, false),
        Out::List(items) if !items.is_empty() => sequence(&mut out, items, 0),
        _ => {
            scalar(&mut out, value, 0);
            out.push('\n');
        }
    }
    out
}

fn indent(out: &mut String, width: usize) {
    const BLANKS: &str = "                                ";
    let mut left = width;
    while left > 0 {
        let some = left.min(BLANKS.len());
        out.push_str(&BLANKS[..some]);
        left -= some;
    }
}

/// Entries at a depth; the first may stand on the line of a dash.
fn mapping(out: &mut String, map: &[(std::borrow::Cow<'_, str>, Out<'_>)], width: usize, after_dash: bool) {
    for (index, (name, value)) in map.iter().enumerate() {
        if index > 0 || !after_dash {
            indent(out, width);
        }
        key(out, name, width);
        entry(out, value, width);
    }
}

/// A key and its colon.
fn key(out: &mut String, name: &str, width: usize) {
    /// Readers look no further than twice as far for the colon after a key.
    const LONGEST_KEY: usize = 450;
    let start = out.len();
    string(out, name);
    if out.len() - start > LONGEST_KEY && out[start..].chars().count() > LONGEST_KEY {
        out.insert_str(start, "? ");
        out.push('\n');
        indent(out, width);
    }
    out.push(':');
}

/// What follows a colon.
fn entry(out: &mut String, value: &Out<'_>, width: usize) {
    match value {
        Out::Map(map) if !map.is_empty() => {
            out.push('\n');
            mapping(out, map, width + 2, false);
        }
        Out::List(items) if !items.is_empty() => {
            out.push('\n');
            sequence(out, items, width + 2);
        }
        Out::Services(services, view) if !services.is_empty() => {
            out.push('\n');
            for (name, service) in *services {
                indent(out, width + 2);
                key(out, name, width + 2);
                entry(out, &service.write(*view), width + 2);
            }
        }
        _ => {
            out.push(' ');
            scalar(out, value, width + 2);
            out.push('\n');
        }
    }
}

fn sequence(out: &mut String, items: &[Out<'_>], width: usize) {
    for item in items {
        indent(out, width);
        out.push('-');
        match item {
            Out::Map(map) if !map.is_empty() => {
                out.push(' ');
                mapping(out, map, width + 2, true);
            }
            Out::List(items) if !items.is_empty() => {
                out.push('\n');
                sequence(out, items, width + 2);
            }
            _ => {
                out.push(' ');
                scalar(out, item, width + 2);
                out.push('\n');
            }
        }
    }
}

fn scalar(out: &mut String, value: &Out<'_>, width: usize) {
    match value {
        Out::Null => out.push_str("null"),
        Out::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Out::Int(number) => {
            let _ = write!(out, "{number}");
        }
        Out::Uint(number) => {
            let _ = write!(out, "{number}");
        }
        Out::Float(number) => out.push_str(&numeral(&format!("{number:?}"))),
        Out::Text(text) if is_block(text) => block(out, text, width),
        Out::Text(text) => string(out, text),
        Out::List(_) => out.push_str("[]"),
        Out::Map(_) | Out::Services(..) => out.push_str("{}"),
    }
}

/// YAML 1.1 wants a point before, and a sign in, an exponent.
fn numeral(text: &str) -> String {
    let Some((mantissa, exponent)) = text.split_once('e') else { return text.to_owned() };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

fn string(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else {
        quoted(out, text);
    }
}

/// Words that some reader takes for a boolean, a null or a number.
const WORDS: [&str; 13] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "infinity", "none"];

const LONGEST_WORD: usize = 8;

/// Is a string the same to every reader without quotes? Only what surely is.
fn is_plain(text: &str) -> bool {
    let starts_like_a_word = text.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '_' | '$'))
        || text.starts_with("./")
        || text.starts_with("../");
    let allowed = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b' ' | b'_' | b'.' | b'/' | b'-' | b':' | b'@' | b'%' | b'+' | b',' | b'=' | b'$')
            || matches!(byte, b'(' | b')' | b';' | b'\\')
    };
    starts_like_a_word
        && text.bytes().all(allowed)
        && !text.as_bytes().windows(2).any(|pair| pair == b": ")
        && !text.ends_with([':', ' '])
        && (text.len() > LONGEST_WORD || !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word)))
}

fn quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_printable(c) => out.push(c),
            c => {
                let code = u32::from(c);
                let _ = match code {
                    0..=0xFF => write!(out, "\\x{code:02x}"),
                    0x100..=0xFFFF => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
}

/// What may stand in YAML text as it is.
fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' | '\u{10000}'..)
}

/// May a text stand line by line under a `|`?
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && text.chars().all(|c| c == '\n' || is_printable(c))
        && !text.starts_with(['\n', ' '])
        && text.lines().any(|line| !line.trim().is_empty())
        && text.split('\n').all(|line| line.is_empty() || !line.trim().is_empty())
}

fn block(out: &mut String, text: &str, width: usize) {
    let body = text.trim_end_matches('\n');
    let breaks = text.len() - body.len();
    out.push_str(match breaks {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            indent(out, width);
            out.push_str(line);
        }
    }
    // The caller ends the last line.
    out.extend(std::iter::repeat_n('\n', breaks.saturating_sub(1)));
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Out;

    fn out(value: &Value) -> Out<'_> {
        match value {
            Value::Null => Out::Null,
            Value::Bool(value) => Out::Bool(*value),
            Value::Number(number) => Out::number(number.as_f64().unwrap()),
            Value::String(text) => Out::text(text),
            Value::Array(items) => Out::List(items.iter().map(out).collect()),
            Value::Object(map) => Out::Map(map.iter().map(|(key, value)| (key.as_str().into(), out(value))).collect()),
        }
    }

    fn document(value: &Value) -> String {
        super::document(&out(value))
    }

    #[test]
    fn strings_that_look_like_something_else_are_quoted() {
        for text in [
            "yes",
            "On",
            "y",
            "1:30",
            "2012-10-17",
            "1_000",
            "0x1f",
            ".inf",
            "~",
            "=",
            "<<",
            "",
            " a",
            "a: b",
            "a #b",
            "- a",
            "null",
            "0o7",
        ] {
            assert_eq!(document(&json!({ "k": text })), format!("k: \"{text}\"\n"), "{text}");
        }
        for text in ["nginx:1.27", "/var/lib", "./x", "a b", "A=b", "sh -c (x); y"] {
            assert_eq!(document(&json!({ "k": text })), format!("k: {text}\n"), "{text}");
        }
    }

    #[test]
    fn layout() {
        let value = json!({ "a": { "b": [1, { "c": "x\ny\n", "d": [] }, ["e"]] }, "f": {}, "g": null });
        let text = "a:\n  b:\n    - 1\n    - c: |\n        x\n        y\n      d: []\n    -\n      - e\nf: {}\ng: null\n";
        assert_eq!(document(&value), text);
    }
}
