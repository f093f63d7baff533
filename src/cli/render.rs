//! `render`: what was typed.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::InVpcParts;

/// The CloudFormation stack's name, for every verb that has to do with one.
#[derive(Debug, Clone, Default, Args)]
pub struct StackArgs {
    /// CloudFormation stack [default: PROJECT-ENV, without --env PROJECT]
    #[arg(short = 'n', long, value_name = "STACK")]
    pub name: Option<String>,
}

#[derive(Debug, Args)]
pub struct RenderArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Write STACK.template.yml and STACK.parameters.json into this folder, instead of the template to standard output
    #[arg(short, long, value_name = "DIR")]
    pub directory: Option<PathBuf>,
    /// Look up in the AWS account what the parameters need, and write it into the parameter file
    #[arg(long, requires = "directory")]
    pub resolve: bool,
    /// Form of the template
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: RenderFormat,
    /// The small stack that `preflight --in-vpc` makes before the first deploy, instead of the service's
    #[arg(long, conflicts_with = "resolve")]
    pub in_vpc: bool,
}

#[derive(Debug, Args)]
pub struct IamPolicyArgs {
    #[command(flatten)]
    pub stack: StackArgs,
    /// Account that it is for [default: AWS_ACCOUNT_ID, else any]
    #[arg(long, value_name = "ID")]
    pub account: Option<String>,
    /// Region that it is for [default: AWS_REGION, else any]
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,
    /// Allow what `preflight --in-vpc` needs too; with its flags, what it needs with them
    #[arg(long)]
    pub in_vpc: bool,
    #[command(flatten)]
    pub in_vpc_parts: InVpcParts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum RenderFormat {
    #[default]
    Yaml,
    Json,
}
