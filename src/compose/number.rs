//! Numbers as the reference reads and writes them: its integer and float syntax, and its shortest decimal form.

/// A float as the reference turns it into text: the shortest digits that read back the same, with an exponent below 1e-4
/// and from 1e6 upwards (`1e+06`, `1e-05`).
pub(super) fn general(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        format!("{value}")
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

/// A float as the reference puts it into an integer field: without its fraction, and the lowest integer where it doesn't fit.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
pub(super) fn truncated(value: f64) -> i64 {
    const BEYOND: f64 = -(i64::MIN as f64);
    if (-BEYOND..BEYOND).contains(&value) { value as i64 } else { i64::MIN }
}

/// … and into one that is never negative.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
pub(super) fn truncated_unsigned(value: f64) -> u64 {
    const BEYOND: f64 = 2.0 * (1u64 << 63) as f64;
    if (0.0..BEYOND).contains(&value) { value as u64 } else { 1 << 63 }
}

/// An integer in base 10 with an optional sign, as a cast to a typed field takes it.
pub(super) fn decimal(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A float as a cast takes it: decimal with optional exponent, `_` between digits, and `inf`, `infinity` and `nan` in any case.
pub(super) fn float(text: &str) -> Option<f64> {
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let named = ["inf", "infinity", "nan"].iter().any(|name| body.eq_ignore_ascii_case(name));
    let bytes = body.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let allowed = |(at, byte): (usize, &u8)| match byte {
        b'_' => digit(at.checked_sub(1)) && digit(Some(at + 1)),
        _ => byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-'),
    };
    let decimal = body.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && bytes.iter().any(u8::is_ascii_digit)
        && bytes.iter().enumerate().all(allowed);
    if !named && !decimal {
        return None;
    }
    let value: f64 = if decimal { text.replace('_', "").parse().ok()? } else { text.parse().ok()? };
    // Out of range is an error, not infinity.
    (named || value.is_finite()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{float, truncated};

    #[test]
    fn floats_beyond_integers() {
        for (value, integer) in
            [(1.9, 1), (-1.9, -1), (1e20, i64::MIN), (9_223_372_036_854_775_808.0, i64::MIN), (f64::NAN, i64::MIN)]
        {
            assert_eq!(truncated(value), integer, "{value}");
        }
    }

    #[test]
    fn floats_of_casts() {
        for (text, value) in [("1.5", 1.5), ("1_000", 1000.0), (".5", 0.5), ("1e-1", 0.1), ("+2", 2.0), ("5.", 5.0)] {
            assert_eq!(float(text), Some(value), "{text}");
        }
        for wrong in ["", "_1", "1_", "1__0", "1_.5", "0x1F", "1e999", "half", "1,5", "--1"] {
            assert_eq!(float(wrong), None, "{wrong}");
        }
        assert!(float("inf").is_some_and(f64::is_infinite));
    }
}
