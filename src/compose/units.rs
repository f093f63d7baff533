//! Quantities with units: durations, byte sizes, shares of a CPU, file modes. Text → value by the reference's rules, and
//! back in its form.

use std::fmt;

/// A span of time in nanoseconds; may be negative, as `stop_grace_period: -1s` is accepted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(i64);

const SECOND: i64 = 1_000_000_000;

impl Duration {
    pub fn nanoseconds(self) -> i64 {
        self.0
    }

    /// Whole seconds, what is left cut off.
    pub fn seconds(self) -> i64 {
        self.0 / SECOND
    }

    /// `1m30s`, `2.5h`, `500ms`, `1d`, `2w`, `0`. Every number needs its unit.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let negative = text.starts_with('-');
        let mut rest = text.strip_prefix(['-', '+']).unwrap_or(text);
        if rest == "0" {
            return Some(Self(0));
        }
        if rest.is_empty() {
            return None;
        }
        let mut total: i64 = 0;
        while !rest.is_empty() {
            let whole_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let whole: i64 = if whole_digits == 0 { 0 } else { rest[..whole_digits].parse().ok()? };
            rest = &rest[whole_digits..];
            let mut fraction = "";
            if let Some(after) = rest.strip_prefix('.') {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                fraction = &after[..digits];
                rest = &after[digits..];
            }
            if whole_digits == 0 && fraction.is_empty() {
                return None;
            }
            let unit_length = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
            let unit = unit(&rest[..unit_length])?;
            rest = &rest[unit_length..];
            total = total.checked_add(whole.checked_mul(unit)?)?.checked_add(part(fraction, unit)?)?;
        }
        Some(Self(if negative { -total } else { total }))
    }
}

fn unit(name: &str) -> Option<i64> {
    Some(match name {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => SECOND,
        "m" => 60 * SECOND,
        "h" => 3_600 * SECOND,
        "d" => 86_400 * SECOND,
        "w" => 604_800 * SECOND,
        _ => return None,
    })
}

/// The digits after a decimal point, in nanoseconds.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn part(fraction: &str, unit: i64) -> Option<i64> {
    // More digits than this don't change a nanosecond.
    let digits = &fraction[..fraction.len().min(18)];
    if digits.is_empty() {
        return Some(0);
    }
    let scale = 10f64.powi(i32::try_from(digits.len()).ok()?);
    Some((digits.parse::<i64>().ok()? as f64 * (unit as f64 / scale)) as i64)
}

impl fmt::Display for Duration {
    /// `1m30s`, `2.5s`, `500ms`, `0s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanoseconds = self.0.unsigned_abs();
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let scaled = |value: u64, unit: u64| {
            let text = format!("{}.{:0width$}", value / unit, value % unit, width = unit.ilog10() as usize);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        };
        match nanoseconds {
            0 => f.write_str("0s"),
            1..1_000 => write!(f, "{nanoseconds}ns"),
            1_000..1_000_000 => write!(f, "{}µs", scaled(nanoseconds, 1_000)),
            1_000_000..1_000_000_000 => write!(f, "{}ms", scaled(nanoseconds, 1_000_000)),
            _ => {
                const SECOND: u64 = 1_000_000_000;
                let (hours, minutes) = (nanoseconds / (3_600 * SECOND), nanoseconds / (60 * SECOND) % 60);
                if hours > 0 {
                    write!(f, "{hours}h")?;
                }
                if hours > 0 || minutes > 0 {
                    write!(f, "{minutes}m")?;
                }
                let seconds = nanoseconds % (60 * SECOND);
                if seconds == 0 { f.write_str("0s") } else { write!(f, "{}s", scaled(seconds, SECOND)) }
            }
        }
    }
}

/// A number of bytes. `512m` is 512 × 1024²; -1 stands for "no limit" where the field knows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(i64);

impl Bytes {
    pub fn new(bytes: i64) -> Self {
        Self(bytes)
    }

    pub fn get(self) -> i64 {
        self.0
    }

    /// `1073741824`, `1g`, `1.5gb`, `64 MiB`; k, m, g, t and p are powers of 1024 in upper or lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(bytes) = super::number::decimal(text) {
            return Some(Self(bytes));
        }
        let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ')?;
        let suffix = &text[last + 1..];
        let number = if text[last..].starts_with(' ') { &text[..last] } else { &text[..=last] };
        let number = super::number::float(number)?;
        if number < 0.0 || !number.is_finite() {
            return None;
        }
        let suffix = suffix.to_ascii_lowercase();
        let power = match suffix.chars().next() {
            None => 0,
            Some('b') if suffix == "b" => 0,
            Some('k') => 1,
            Some('m') => 2,
            Some('g') => 3,
            Some('t') => 4,
            Some('p') => 5,
            Some(_) => return None,
        };
        if power > 0 && !matches!(&suffix[1..], "" | "b" | "ib") {
            return None;
        }
        Some(Self(super::number::truncated(number * 1024f64.powi(power))))
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A number of CPUs, as `0.5`.
#[derive(Debug, Clone, Copy, Default, PartialEq, PartialOrd)]
pub struct Cpus(f32);

impl Cpus {
    pub(super) fn new(cpus: f32) -> Self {
        Self(cpus)
    }

    pub fn get(self) -> f32 {
        self.0
    }
}

/// A file mode; written in octal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileMode(i64);

impl FileMode {
    pub(super) fn new(mode: i64) -> Self {
        Self(mode)
    }

    pub fn get(self) -> i64 {
        self.0
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        i64::from_str_radix(text, 8).ok().map(Self)
    }
}

impl fmt::Display for FileMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "0{sign}{:o}", self.0.unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Duration};

    #[test]
    fn durations_read_and_print() {
        for (text, printed) in [
            ("1m30s", "1m30s"),
            ("90s", "1m30s"),
            ("2500ms", "2.5s"),
            ("500ms", "500ms"),
            ("1d", "24h0m0s"),
            ("1.5h", "1h30m0s"),
            ("0", "0s"),
            ("1us", "1µs"),
            ("-1s", "-1s"),
        ] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), printed, "{text}");
        }
        for wrong in ["", "10", "abc", "1y", "s", ".s", "1 s", "99999999999999h"] {
            assert_eq!(Duration::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024() {
        for (text, bytes) in
            [("1g", 1 << 30), ("1.5k", 1536), ("64 MiB", 64 << 20), ("10b", 10), ("-1", -1), ("2GB", 2 << 30), ("7", 7)]
        {
            assert_eq!(Bytes::parse(text), Some(Bytes(bytes)), "{text}");
        }
        for wrong in ["", "lots", "1x", "1kk", "-1k", "k", "1 gbb"] {
            assert_eq!(Bytes::parse(wrong), None, "{wrong}");
        }
    }
}
