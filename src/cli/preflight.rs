//! The arguments of `preflight`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{InVpcArgs, StackArgs};

// Each is a switch of its own on the command line.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Args)]
pub struct PreflightArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// JSON file with the secrets, instead of Secrets Manager: one document, or one under each secret's name
    #[arg(long, value_name = "FILE")]
    pub secrets_file: Option<PathBuf>,
    /// Only checks of these categories, and what they need
    #[arg(long, value_enum, value_name = "CATEGORY", num_args = 1.., value_delimiter = ',')]
    pub only: Vec<CheckCategory>,
    /// No checks of these categories
    #[arg(long, value_enum, value_name = "CATEGORY", num_args = 1.., value_delimiter = ',')]
    pub skip: Vec<CheckCategory>,
    /// Fail also on warnings and on what could not be found out (exit status 4)
    #[arg(long)]
    pub strict: bool,
    /// Repeat for up to DURATION (as in 90s, 2m) what may pass on a later try
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Leave out what passed
    #[arg(long)]
    pub short: bool,
    /// Print only the commands that mend what was found, ready to be pasted
    #[arg(long, conflicts_with = "short")]
    pub fixes: bool,
    #[command(flatten)]
    pub in_vpc: InVpcArgs,
    /// Runs in the task that `--in-vpc` starts
    #[arg(long, hide = true)]
    pub inside: bool,
}

/// A group of checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CheckCategory {
    Config,
    Aws,
    Secrets,
    Kafka,
    KafkaAcls,
    SchemaRegistry,
    Urls,
    Collisions,
}

/// `90s`, `2m`, `1h`; a bare number is seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, factor) = match text.trim() {
        text if text.ends_with('s') => (&text[..text.len() - 1], 1),
        text if text.ends_with('m') => (&text[..text.len() - 1], 60),
        text if text.ends_with('h') => (&text[..text.len() - 1], 3600),
        text => (text, 1),
    };
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor)).filter(|seconds| *seconds <= 86_400);
    seconds.map(|seconds| Duration::from_secs(seconds.into())).ok_or_else(|| "write it as 90s, 2m or 1h, at most 24h".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::duration;

    #[test]
    fn durations_are_read() {
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        assert_eq!(duration("90"), Ok(Duration::from_secs(90)));
        for wrong in ["", "m", "-1s", "2 m", "1d", "99999h"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
