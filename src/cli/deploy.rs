//! Arguments of the verbs that touch a stack.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::duration::duration;
use super::{InVpcArgs, StackArgs};

#[derive(Debug, Args)]
pub struct PlanArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Exit with 5 when there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Leave the change set in the account, for `up --change-set`
    #[arg(long)]
    pub keep: bool,
    /// Plan also for a stack that was not made by this project
    #[arg(long)]
    pub adopt: bool,
    /// Bucket for a template that is too large for a call [default: confluent-ecs-ACCOUNT-REGION]
    #[arg(long, value_name = "NAME", env = "CONFLUENT_ECS_BUCKET")]
    pub bucket: Option<String>,
}

#[derive(Debug, Args)]
pub struct UpArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Execute the change set that `plan --keep` has left, instead of making one
    #[arg(long, value_name = "NAME")]
    pub change_set: Option<String>,
    /// Take over a stack that was not made by this project
    #[arg(long)]
    pub adopt: bool,
    /// Bucket for a template that is too large for a call [default: confluent-ecs-ACCOUNT-REGION]
    #[arg(long, value_name = "NAME", env = "CONFLUENT_ECS_BUCKET")]
    pub bucket: Option<String>,
    /// Deploy without looking at Kafka, network and secrets first
    #[arg(long, conflicts_with = "in_vpc")]
    pub skip_preflight: bool,
    /// Stop at warnings and at what preflight could not tell, too
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub in_vpc: InVpcArgs,
    #[command(flatten)]
    pub watching: WatchArgs,
}

/// How a stack is watched.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Watching")]
pub struct WatchArgs {
    /// Stop watching after this long (90s, 45m, 2h); what is watched goes on
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub timeout: Duration,
    /// What to do when a service's tasks only fail
    #[arg(long, value_enum, value_name = "WHAT", default_value_t)]
    pub on_failing: OnFailing,
    /// After so many failed tasks of one service
    #[arg(long, value_name = "COUNT", default_value = "5", value_parser = clap::value_parser!(u16).range(1..))]
    pub failing_tasks: u16,
}

/// What to do when a service can't become stable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OnFailing {
    /// Ask on a terminal; elsewhere, and with --yes, wait
    #[default]
    Ask,
    /// Wait on, until CloudFormation or ECS gives up
    Wait,
    /// Set the service's count to 0, so that CloudFormation can end
    Stop,
    /// Cancel: have CloudFormation take back what it did
    Cancel,
}

#[derive(Debug, Args)]
pub struct WatchVerbArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Run to take up, by its name under .confluent-ecs/runs [default: the newest one that goes on]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    #[command(flatten)]
    pub watching: WatchArgs,
}

#[derive(Debug, Args)]
pub struct ScaleArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Services with the count of tasks that each shall have; where x-scaling rules it, its bounds (connect=2-6; connect=3 is 3-3)
    #[arg(value_name = "SERVICE=COUNT", required = true, value_parser = service_count)]
    pub counts: Vec<ServiceCount>,
    #[command(flatten)]
    pub watching: WatchArgs,
}

#[derive(Debug, Args)]
pub struct RestartArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Compose services or task families [default: all]
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    #[command(flatten)]
    pub watching: WatchArgs,
}

#[derive(Debug, Args)]
pub struct RollbackArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Bucket for a template that is too large for a call [default: confluent-ecs-ACCOUNT-REGION]
    #[arg(long, value_name = "NAME", env = "CONFLUENT_ECS_BUCKET")]
    pub bucket: Option<String>,
    #[command(flatten)]
    pub watching: WatchArgs,
}

/// `connect=3`, which is `connect=3-3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCount {
    pub service: String,
    pub fewest: u16,
    pub most: u16,
}

#[derive(Debug, Args)]
pub struct LogsArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Compose service or task family [default: all]
    #[arg(value_name = "SERVICE")]
    pub service: Option<String>,
    /// Only this container
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// Lines from this long ago on (90s, 45m, 2h)
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = duration)]
    pub since: Duration,
    /// Only lines with this text in them
    #[arg(long, value_name = "TEXT")]
    pub grep: Option<String>,
    /// The last so many lines only
    #[arg(long, value_name = "COUNT")]
    pub tail: Option<usize>,
    /// Go on with what comes, until Ctrl-C
    #[arg(long)]
    pub follow: bool,
}

#[derive(Debug, Args)]
pub struct ReportArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Run to report, by its name under .confluent-ecs/runs [default: the newest one of this stack]
    #[arg(value_name = "RUN")]
    pub run: Option<String>,
    /// Where to write it [default: RUN.html]
    #[arg(short = 'o', long = "output-file", value_name = "FILE")]
    pub output_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub struct StatusArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Look also for what was changed past CloudFormation; takes some seconds a resource
    #[arg(long)]
    pub drift: bool,
}

#[derive(Debug, Args)]
pub struct DownArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    #[command(flatten)]
    pub watching: WatchArgs,
}

/// Reads `connect=3` and `connect=2-6`.
fn service_count(text: &str) -> Result<ServiceCount, String> {
    let read = text.split_once('=').filter(|(service, _)| !service.is_empty()).and_then(|(service, counts)| {
        let (fewest, most) = counts.split_once('-').unwrap_or((counts, counts));
        Some(ServiceCount { service: service.to_owned(), fewest: fewest.parse().ok()?, most: most.parse().ok()? })
    });
    match read {
        Some(read) if read.fewest <= read.most => Ok(read),
        Some(_) => Err("the fewest come first, as in connect=2-6".to_owned()),
        None => {
            Err("expected a service and a count, as in connect=3, or the bounds of its scaling, as in connect=2-6".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::service_count;

    #[test]
    fn a_count_may_be_two_bounds() {
        let read = |text: &str| service_count(text).map(|read| (read.service, read.fewest, read.most)).ok();
        assert_eq!(read("connect=3"), Some(("connect".to_owned(), 3, 3)));
        assert_eq!(read("connect=2-6"), Some(("connect".to_owned(), 2, 6)));
        for wrong in ["connect", "=3", "connect=", "connect=6-2", "connect=2-", "connect=a", "connect=70000"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
