//! The arguments of a preflight that runs in the VPC.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::duration::duration;
use crate::base::shell;

/// Where the checks run, and what the task is made of.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Inside the VPC")]
pub struct InVpcArgs {
    /// Check from a task of ECS that has the service's subnets, security group, roles and secrets
    #[arg(long)]
    pub in_vpc: bool,
    /// Statically linked confluent-ecs of this version for the task [default: this program, where it is one]
    #[arg(long, value_name = "FILE", requires = "in_vpc", conflicts_with = "in_vpc_image")]
    pub in_vpc_binary: Option<PathBuf>,
    #[command(flatten)]
    pub parts: InVpcParts,
    /// Longest wait for the stack that is made, and again for a task [default: 10m, and 15m; a third of it, or 5m, until it runs]
    #[arg(long, value_name = "DURATION", requires = "in_vpc", value_parser = duration)]
    pub in_vpc_timeout: Option<Duration>,
}

/// What is there already and is taken for the task.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Inside the VPC")]
pub struct InVpcParts {
    /// Image whose entry point is confluent-ecs of this version, instead of one that is pushed from here
    #[arg(long, value_name = "IMAGE", requires = "in_vpc")]
    pub in_vpc_image: Option<String>,
    /// Execution role of the task, instead of a copy of the service's
    #[arg(long, value_name = "ARN", requires = "in_vpc")]
    pub in_vpc_execution_role: Option<String>,
    /// Role of the task, instead of the service's
    #[arg(long, value_name = "ARN", requires = "in_vpc")]
    pub in_vpc_task_role: Option<String>,
    /// Security group of the task, instead of the service's; may be repeated
    #[arg(long, value_name = "ID", requires = "in_vpc", value_delimiter = ',')]
    pub in_vpc_security_group: Vec<String>,
    /// Cluster that the task runs in, instead of the service's
    #[arg(long, value_name = "NAME", requires = "in_vpc")]
    pub in_vpc_cluster: Option<String>,
    /// Log group of the task, instead of one that is made
    #[arg(long, value_name = "NAME", requires = "in_vpc")]
    pub in_vpc_log_group: Option<String>,
}

impl InVpcArgs {
    /// The same, to be typed again; begins with a blank where there is something to type.
    pub fn again(&self) -> String {
        if !self.in_vpc {
            return String::new();
        }
        let binary = self.in_vpc_binary.as_deref().map(|file| file.to_string_lossy().into_owned());
        let timeout = self.in_vpc_timeout.map(|timeout| format!("{}s", timeout.as_secs()));
        let mut typed = " --in-vpc".to_owned();
        let named = [
            ("binary", binary.as_ref()),
            ("image", self.parts.in_vpc_image.as_ref()),
            ("execution-role", self.parts.in_vpc_execution_role.as_ref()),
            ("task-role", self.parts.in_vpc_task_role.as_ref()),
            ("cluster", self.parts.in_vpc_cluster.as_ref()),
            ("log-group", self.parts.in_vpc_log_group.as_ref()),
            ("timeout", timeout.as_ref()),
        ];
        let groups = self.parts.in_vpc_security_group.iter().map(|group| ("security-group", Some(group)));
        for (flag, value) in named.into_iter().chain(groups) {
            if let Some(value) = value {
                typed.extend([" --in-vpc-", flag, " ", &shell(value)]);
            }
        }
        typed
    }
}
