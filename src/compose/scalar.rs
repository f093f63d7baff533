//! What a plain YAML scalar means. The rules are those of the reference's YAML library, which stand between YAML 1.1 and
//! 1.2: `0777` is octal and `1_000` a number, but `yes`, `on` and `1:30` are strings, and `2012-10-17` is a date.

use super::node::Value;
use super::number;
use super::timestamp::Timestamp;

/// The value of a plain scalar without a tag.
pub(super) fn resolve(text: &str) -> Value {
    let written = || Some(text.into());
    let Some(first) = text.bytes().next() else { return Value::Null };
    match first {
        b't' | b'T' | b'f' | b'F' | b'n' | b'N' | b'~' => match text {
            "true" => Value::Bool(true, None),
            "false" => Value::Bool(false, None),
            "True" | "TRUE" => Value::Bool(true, written()),
            "False" | "FALSE" => Value::Bool(false, written()),
            "~" | "null" | "Null" | "NULL" => Value::Null,
            _ => Value::Str(text.to_owned()),
        },
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN, written()),
            ".inf" | ".Inf" | ".INF" => Value::Float(f64::INFINITY, written()),
            _ => number::float(text).map_or_else(|| Value::Str(text.to_owned()), |value| Value::Float(value, written())),
        },
        b'0'..=b'9' | b'+' | b'-' => numeric(text),
        _ => Value::Str(text.to_owned()),
    }
}

fn numeric(text: &str) -> Value {
    let written = || Some(text.into());
    match text {
        "-0" | "-0.0" => return Value::Float(-0.0, written()),
        "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY, written()),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY, written()),
        _ => {}
    }
    if let Some(time) = Timestamp::parse(text) {
        return Value::Time(Box::new(time));
    }
    let plain = if text.contains('_') { text.replace('_', "") } else { text.to_owned() };
    if let Some(value) = integer(&plain) {
        return match i64::try_from(value) {
            Ok(value) => Value::Int(value, if value.to_string() == text { None } else { written() }),
            Err(_) => u64::try_from(value).map_or_else(|_| Value::Str(text.to_owned()), |value| Value::Uint(value, written())),
        };
    }
    if is_float(&plain)
        && let Some(value) = number::float(&plain)
    {
        return Value::Float(value, written());
    }
    Value::Str(text.to_owned())
}

/// With a sign and a prefix `0x`, `0o`, `0b` or a leading zero for octal, within 64 bits.
fn integer(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (digits, radix) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&unsigned[2..], 16),
        [b'0', b'o' | b'O', ..] => (&unsigned[2..], 8),
        [b'0', b'b' | b'B', ..] => (&unsigned[2..], 2),
        [b'0', _, ..] => (&unsigned[1..], 8),
        _ => (unsigned, 10),
    };
    // A second sign is no digit.
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if text.starts_with('-') { -magnitude } else { magnitude };
    if i64::try_from(value).is_ok() {
        return Some(value);
    }
    // Above the signed range only without a sign.
    (value > 0 && unsigned.len() == text.len()).then_some(value)
}

/// `[-+]? (\.[0-9]+ | [0-9]+(\.[0-9]*)?) ([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mantissa_fits =
        all_digits(whole) && all_digits(fraction) && (!whole.is_empty() || (!fraction.is_empty() && mantissa.starts_with('.')));
    let exponent_fits = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && all_digits(digits)
    });
    mantissa_fits && exponent_fits
}

/// The value of a scalar under one of YAML's own tags, or what is wrong with it.
pub(super) fn tagged(text: &str, tag: &str) -> Result<Value, String> {
    let plain = resolve(text);
    match (tag, plain) {
        ("binary", _) => base64(text).map(Value::Str).ok_or_else(|| "is not valid base64".to_owned()),
        ("int", value @ (Value::Int(..) | Value::Uint(..)))
        | ("float", value @ Value::Float(..))
        | ("bool", value @ Value::Bool(..))
        | ("null", value @ Value::Null)
        | ("timestamp", value @ Value::Time(_)) => Ok(value),
        #[allow(clippy::cast_precision_loss)]
        ("float", Value::Int(value, _)) => Ok(Value::Float(value as f64, Some(text.into()))),
        ("int" | "float" | "bool" | "null" | "timestamp", _) => Err(format!("is not a valid !!{tag}")),
        _ => Ok(Value::Str(text.to_owned())),
    }
}

/// The text of standard base64. A byte that is no text becomes U+FFFD, as where the reference prints it.
fn base64(text: &str) -> Option<String> {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')).collect();
    let padding = symbols.iter().rev().take_while(|byte| **byte == b'=').count();
    if !symbols.len().is_multiple_of(4) || padding > 2 {
        return None;
    }
    let (mut bits, mut held, mut bytes) = (0u32, 0u32, Vec::with_capacity(symbols.len() / 4 * 3));
    for symbol in &symbols[..symbols.len() - padding] {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).unwrap_or_default());
        }
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, chunk.invalid().len()));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::{resolve, tagged};
    use crate::compose::node::{Node, Span, Value};

    fn rendered(text: &str) -> String {
        Node::new(resolve(text), Span::default()).rendered().unwrap_or_else(|| "null".to_owned())
    }

    #[test]
    fn numbers_are_rendered_as_the_reference_does() {
        for (text, expected) in [
            ("0777", "511"),
            ("0x1F", "31"),
            ("1_000", "1000"),
            ("1.50", "1.5"),
            ("1e3", "1000"),
            ("1e6", "1e+06"),
            ("0o17", "15"),
            ("0b11", "3"),
            ("08", "8"),
            ("-0", "-0"),
            ("+5", "5"),
            (".5", "0.5"),
            ("18446744073709551615", "18446744073709551615"),
            ("99999999999999999999", "1e+20"),
            ("2012-10-17", "2012-10-17 00:00:00 +0000 UTC"),
            ("2001-12-14T21:59:43.10-05:00", "2001-12-14 21:59:43.1 -0500 -0500"),
            (".inf", "+Inf"),
            ("True", "true"),
            ("~", "null"),
            ("", "null"),
        ] {
            assert_eq!(rendered(text), expected, "{text}");
        }
    }

    #[test]
    fn words_and_near_numbers_are_strings() {
        for text in ["yes", "on", "1:30", "y", "0x", "0o8", "--1", "1e", "2012-13-17", "=", "nan", "1.2.3", "+", "-", "0xg"] {
            assert!(matches!(resolve(text), Value::Str(_)), "{text}");
        }
    }

    #[test]
    fn yamls_own_tags() {
        assert!(matches!(tagged("123", "str"), Ok(Value::Str(text)) if text == "123"));
        assert!(matches!(tagged("aGk=", "binary"), Ok(Value::Str(text)) if text == "hi"));
        assert!(matches!(tagged("5", "float"), Ok(Value::Float(value, _)) if (value - 5.0).abs() < f64::EPSILON));
        assert!(matches!(tagged("wygh", "binary"), Ok(Value::Str(text)) if text == "\u{fffd}(!"));
        assert!(tagged("a", "binary").is_err() && tagged("yes", "bool").is_err());
    }
}
