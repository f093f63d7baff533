//! Writes a JSON value as YAML that every reader reads back the same, those of YAML 1.1 included.
//!
//! Comes in: a value, its keys in the order they shall stand in. Goes out: block-style YAML. Rule: a string stands without
//! quotes only where no reader, old or new, can take it for anything else; `yes`, `on`, `1:30`, `0o7`, `2012-10-17` and `1_000`
//! are quoted. A quoted string uses JSON's escapes, which are YAML's too.

use std::fmt::Write;

use serde_json::Value;

/// Words that some reader takes for a boolean or for null, whatever their case.
const WORDS: [&str; 10] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"];

/// The value as a YAML document, with a line break at its end.
pub fn to_string(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(&mut out, value, 0),
        Value::Array(items) if !items.is_empty() => block(&mut out, value, 0),
        _ => {
            scalar(&mut out, value);
            out.push('\n');
        }
    }
    out
}

/// A mapping or a list that is not empty, each entry on lines of its own.
fn block(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) => {
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 || at_line_start(out) {
                    pad(out, indent);
                }
                text(out, key);
                out.push(':');
                entry(out, value, indent);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                if index > 0 || at_line_start(out) {
                    pad(out, indent);
                }
                out.push('-');
                if is_block(item) {
                    out.push(' ');
                    block(out, item, indent + 2);
                } else {
                    out.push(' ');
                    scalar(out, item);
                    out.push('\n');
                }
            }
        }
        _ => scalar(out, value),
    }
}

/// What stands behind a key and its colon.
fn entry(out: &mut String, value: &Value, indent: usize) {
    if is_block(value) {
        out.push('\n');
        // A list may stand under its key without being indented; with the indent it is easier to read.
        block(out, value, indent + 2);
    } else {
        out.push(' ');
        scalar(out, value);
        out.push('\n');
    }
}

fn at_line_start(out: &str) -> bool {
    out.is_empty() || out.ends_with('\n')
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn scalar(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        // A number with an exponent and no point is a string to a YAML 1.1 reader; with the point both kinds agree.
        Value::Number(number) => {
            let written = number.to_string();
            match written.split_once(['e', 'E']) {
                Some((digits, exponent)) => {
                    let point = if digits.contains('.') { "" } else { ".0" };
                    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
                    let _ = write!(out, "{digits}{point}e{sign}{exponent}");
                }
                None => out.push_str(&written),
            }
        }
        Value::String(value) => text(out, value),
        Value::Array(_) => out.push_str("[]"),
        Value::Object(_) => out.push_str("{}"),
    }
}

fn text(out: &mut String, value: &str) {
    if is_plain(value) {
        out.push_str(value);
    } else {
        quoted(out, value);
    }
}

/// Whether no reader can take the string for anything but itself.
fn is_plain(value: &str) -> bool {
    let Some(first) = value.chars().next() else { return false };
    if !(first.is_ascii_alphabetic() || first == '/' || first == '_') {
        return false;
    }
    if WORDS.contains(&value.to_ascii_lowercase().as_str()) || value.ends_with([' ', ':']) {
        return false;
    }
    // `_` may stand anywhere in the numbers of YAML 1.1.
    if first == '_' && value.chars().all(|c| matches!(c, '_' | '.' | ':' | '0'..='9' | 'e' | 'E' | '+' | '-')) {
        return false;
    }
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '.' | '/' | '-' | '+' | '@' | '(' | ')' | '=' | ':' | ';');
    value.chars().all(allowed) && !value.contains(": ")
}

/// The string between double quotes. What is no printable character of YAML is escaped.
fn quoted(out: &mut String, value: &str) {
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}' => {
                out.push(c);
            }
            c if u32::from(c) < 0x100 => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c if u32::from(c) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => {
                let _ = write!(out, "\\U{:08x}", u32::from(c));
            }
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::to_string;
    use serde_json::json;

    #[test]
    fn what_an_old_reader_takes_for_something_else_is_quoted() {
        for word in [
            "yes",
            "On",
            "NO",
            "y",
            "null",
            "~",
            "1:30",
            "2012-10-17",
            "1_000",
            "0x1F",
            "0777",
            ".5",
            "",
            " a",
            "a ",
            "a: b",
            "# x",
            "- x",
            "=",
            "<<",
            "_1",
            "{a",
            "*x",
            "a #b",
        ] {
            assert!(to_string(&json!(word)).starts_with('"'), "{word}");
        }
        for word in ["AWS::Region", "/kafka/x", "http://a:8083/b", "cluster-1", "a b", "arn:aws:iam::1:role/x"] {
            assert_eq!(to_string(&json!(word)), format!("{word}\n"));
        }
    }

    #[test]
    fn blocks_are_indented_and_empty_ones_stand_in_line() {
        let value = json!({ "a": [ { "b": 1, "c": [ "x", [ "z" ] ] }, [] ], "d": {}, "e": "l1\nl2\u{7f}\u{1f600}" });
        let expected = "a:\n  - b: 1\n    c:\n      - x\n      - - z\n  - []\nd: {}\ne: \"l1\\nl2\\x7f\\U0001f600\"\n";
        assert_eq!(to_string(&value), expected);
    }

    #[test]
    fn what_was_written_reads_back() {
        let value =
            json!({ "yes": [1, 1.5, -3, true, null, 1e30, "1e3", { "k: v": "a\"b\\c\té\u{85}" }], "z": { "y": { "x": [] } } });
        let read: serde_json::Value = serde_yaml::from_str(&to_string(&value)).unwrap();
        assert_eq!(read, value);
    }
}
