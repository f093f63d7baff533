//! `acl`: what was typed.

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub struct AclArgs {
    #[command(subcommand)]
    pub verb: AclVerb,
}

#[derive(Debug, Subcommand)]
pub enum AclVerb {
    /// Show what each principal needs, and what goes wrong without it
    List(AclWanted),
    /// Print the fewest commands that grant all of it, ready to paste
    Commands(AclCommandsArgs),
}

/// Whose rights, and what the files don't say about them.
#[derive(Debug, Clone, Args)]
pub struct AclWanted {
    /// Only these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Who a client is to the broker, as sa-3kd9wq or producer=sa-3kd9wq; wins over x-kafka.principals
    #[arg(long = "principal", value_name = "[CLIENT=]PRINCIPAL")]
    pub principals: Vec<String>,
    /// A source connector and the topics it writes; a name that ends in * stands for all that begin so
    #[arg(long = "source", value_name = "NAME=TOPIC,…")]
    pub sources: Vec<String>,
    /// A sink connector and the topics it reads
    #[arg(long = "sink", value_name = "NAME=TOPIC,…")]
    pub sinks: Vec<String>,
    /// The dead letter queue of a sink
    #[arg(long, value_name = "NAME=TOPIC")]
    pub dead_letters: Vec<String>,
    /// The consumer group of a sink that overrides its own
    #[arg(long = "group", value_name = "NAME=GROUP")]
    pub groups: Vec<String>,
    /// A feature that is used and has rights of its own; `list` names them
    #[arg(long = "with", value_name = "FEATURE")]
    pub features: Vec<String>,
}

#[derive(Debug, Clone, Args)]
pub struct AclCommandsArgs {
    #[command(flatten)]
    pub wanted: AclWanted,
    /// The tool that grants [default: by the kind of cluster]
    #[arg(long = "for", value_enum, value_name = "TOOL")]
    pub tool: Option<AclTool>,
}

/// What grants rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AclTool {
    ConfluentCli,
    KafkaAcls,
    MskIam,
    Terraform,
}
