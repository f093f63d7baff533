//! Arguments of the verbs that touch a stack.

use std::time::Duration;

use clap::Args;

use super::StackArgs;

#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Take over a stack that was not made by this project
    #[arg(long)]
    pub adopt: bool,
    /// Deploy without looking at Kafka, network and secrets first
    #[arg(long)]
    pub skip_preflight: bool,
    /// Stop at warnings and at what preflight could not tell, too
    #[arg(long)]
    pub strict: bool,
    /// Stop watching after this long (90s, 45m, 2h); the deploy itself goes on
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub timeout: Duration,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub stack: StackArgs,
}

#[derive(Debug, Args)]
pub struct DownArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Stop watching after this long (90s, 45m, 2h); the deletion itself goes on
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub timeout: Duration,
}

/// Reads `90s`, `45m`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    const EXPECTED: &str = "expected a number with s, m or h, as in 90s, 45m or 1h30m";
    let mut total = Duration::ZERO;
    let mut number = String::new();
    for c in text.chars() {
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
    if number.is_empty() && !total.is_zero() { Ok(total) } else { Err(EXPECTED.to_owned()) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_need_a_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("1h30m"), Ok(Duration::from_mins(90)));
        for wrong in ["", "90", "m", "1x", "0s", "-1s"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
