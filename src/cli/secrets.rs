//! `secrets`: what was typed.

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct SecretsArgs {
    #[command(subcommand)]
    pub verb: SecretsVerb,
}

#[derive(Debug, Subcommand)]
pub enum SecretsVerb {
    /// Print the finished JSON of a service's secret, for a pipe: the one verb that prints values
    Compose(ComposeArgs),
    /// Print a CloudFormation template that makes the secrets, with their values as parameters that are never shown
    Template(SecretsTemplateArgs),
    /// Store a service's secret, composed from plain answers; shows by key what changes, never a value
    Put(PutArgs),
    /// Compare the keys of the stored secrets with what the running configuration reads
    Check,
    /// List the project's secrets, stored or not, without their values
    List,
}

#[derive(Debug, Clone, Args)]
pub struct ComposeArgs {
    #[command(flatten)]
    pub answers: AnswersArgs,
    /// As the parameter file for the template that `secrets template` prints
    #[arg(long)]
    pub parameters: bool,
}

#[derive(Debug, Clone, Args)]
pub struct PutArgs {
    #[command(flatten)]
    pub answers: AnswersArgs,
    /// KMS key of the secret that Amazon MSK reads: id, ARN or alias [default: one of the project's own, which is made once]
    #[arg(long, value_name = "KEY")]
    pub kms_key: Option<String>,
}

#[derive(Debug, Clone, Args)]
pub struct SecretsTemplateArgs {
    /// Only the secrets of these compose services, or these secrets
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Take the single values as parameters instead of the finished JSON
    #[arg(long)]
    pub plain_parameters: bool,
}

/// Whose secret it is, and where its answers come from.
#[derive(Debug, Clone, Args)]
pub struct AnswersArgs {
    /// Compose service whose secret it is, or the secret's own name
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// Answers as name=value lines or one JSON object; `-` is standard input [default: asked for]
    #[arg(long, value_name = "FILE")]
    pub from: Option<String>,
}
