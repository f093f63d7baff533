//! The arguments of `preflight`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration::duration;
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
