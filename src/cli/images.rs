//! `images`: what was typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
pub struct ImagesArgs {
    #[command(subcommand)]
    pub verb: ImagesVerb,
}

#[derive(Debug, Subcommand)]
pub enum ImagesVerb {
    /// Ask each image's registry: is it there, for the task's processor, which digest, how old, what did ECR's scan find
    Check(ImagesCheckArgs),
    /// Copy images into the account's ECR, every platform with the same digest; lay plugins on those of x-confluent.plugins
    Push(ImagesPushArgs),
    /// Write a Dockerfile that lays the same plugins on a service's image, each proven by its hash
    Dockerfile(ImagesDockerfileArgs),
}

#[derive(Debug, Clone, Args)]
pub struct ImagesCheckArgs {
    /// Only the images of these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Write each digest that was found beside its tag in the compose files; nothing else of them is changed
    #[arg(long)]
    pub pin: bool,
}

#[derive(Debug, Clone, Args)]
pub struct ImagesDockerfileArgs {
    /// The service
    #[arg(value_name = "SERVICE")]
    pub service: String,
    /// File to write; one that is there is not overwritten [default: standard output]
    #[arg(short = 'o', long = "output-file", value_name = "FILE")]
    pub output_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Args)]
pub struct ImagesPushArgs {
    /// Only the images of these services
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Image to copy from, for one service whose image is to be in ECR and isn't yet
    #[arg(long, value_name = "IMAGE")]
    pub from: Option<String>,
    /// What the repositories' names in ECR begin with [default: nothing: they are named as at the source]
    #[arg(long, value_name = "PREFIX")]
    pub prefix: Option<String>,
    /// KMS key for repositories that are made [default: ECR's own encryption]
    #[arg(long, value_name = "ARN")]
    pub kms_key: Option<String>,
}
