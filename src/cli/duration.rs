//! How long something may take, as it is typed.

use std::time::Duration;

/// Reads `90s`, `45m`, `1h30m`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a number with s, m or h, as in 90s, 45m or 1h30m";
    let mut total = Duration::ZERO;
    let mut number = String::new();
    // What has no unit at its end gets one.
    for c in text.chars().chain(text.ends_with(|c: char| c.is_ascii_digit()).then_some('s')) {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        let unit = match c {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            _ => return Err(EXPECTED.to_owned()),
        };
        let count: u32 = std::mem::take(&mut number).parse().map_err(|_| EXPECTED.to_owned())?;
        total += Duration::from_secs(u64::from(count) * unit);
    }
    match total {
        Duration::ZERO if text.is_empty() => Err(EXPECTED.to_owned()),
        Duration::ZERO => Err("nothing is done in no time".to_owned()),
        total => Ok(total),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [("90s", 90), ("90", 90), ("2m", 120), ("1h30m", 5_400), ("1m30", 90)] {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for wrong in ["", "m", "1x", "1d", "2 m", "0s", "-1s", "99999999999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
