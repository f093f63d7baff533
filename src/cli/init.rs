//! `init`: what was typed.

use std::path::PathBuf;

use clap::Args;

/// The environment's name is the global `--env`, the project's the global `-p`.
#[derive(Debug, Clone, Default, Args)]
pub struct InitArgs {
    /// Component to write a project for: connect
    #[arg(value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// Kind of cluster: confluent-cloud, self-managed
    #[arg(long, value_name = "KIND")]
    pub kafka: Option<String>,
    /// Bootstrap servers, separated by commas
    #[arg(long, value_name = "HOST:PORT")]
    pub bootstrap: Option<String>,
    /// How clients log in to a self-managed cluster: plain, scram-sha-512
    #[arg(long, value_name = "MECHANISM")]
    pub mechanism: Option<String>,
    /// Id of the cluster; on Confluent Cloud lkc-…
    #[arg(long, value_name = "ID")]
    pub cluster: Option<String>,
    /// Confluent Cloud environment, env-…, for the commands that preflight prints
    #[arg(long, value_name = "ID")]
    pub kafka_environment: Option<String>,
    /// Who the clients are to the broker, as sa-…; for one of them CLIENT=PRINCIPAL; may be repeated
    #[arg(long = "principal", value_name = "PRINCIPAL")]
    pub principals: Vec<String>,
    /// PEM file with the certificates of a private authority
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Properties file of an administrator, for the kafka-acls commands that preflight prints
    #[arg(long, value_name = "FILE")]
    pub admin_config: Option<String>,
    /// Tag of the VPC [default: Name=<env>]
    #[arg(long, value_name = "KEY=VALUE")]
    pub vpc_tag: Option<String>,
    /// Tag of the subnets to run in [default: vpc::usage=application]
    #[arg(long, value_name = "KEY=VALUE")]
    pub subnet_tag: Option<String>,
    /// Name of the ECS cluster [default: default]
    #[arg(long, value_name = "NAME")]
    pub ecs_cluster: Option<String>,
    /// Replace files that are there with another text
    #[arg(long)]
    pub force: bool,
}
