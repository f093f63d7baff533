//! `init`: what was typed.

use std::path::PathBuf;

use clap::Args;

/// The environment's name is the global `--env`, the project's the global `-p`.
#[derive(Debug, Clone, Default, Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct InitArgs {
    /// Components: connect, schema-registry, control-center, control-center-legacy, or one of your own
    #[arg(value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// Kind of cluster: confluent-cloud, msk-scram, msk-iam, msk-tls, self-managed
    #[arg(long, value_name = "KIND", help_heading = "Cluster")]
    pub kafka: Option<String>,
    /// Bootstrap servers, separated by commas
    #[arg(long, value_name = "HOST:PORT", help_heading = "Cluster")]
    pub bootstrap: Option<String>,
    /// What the brokers speak: sasl-ssl, sasl-plaintext, ssl, plaintext [default: the cluster's usual way]
    #[arg(long, value_name = "PROTOCOL", help_heading = "Cluster")]
    pub security: Option<String>,
    /// How clients log in: plain, scram-sha-256, scram-sha-512, oauthbearer
    #[arg(long, value_name = "MECHANISM", help_heading = "Cluster")]
    pub mechanism: Option<String>,
    /// Clients show a certificate (with --security ssl; on msk-tls always)
    #[arg(long, help_heading = "Cluster")]
    pub client_certificate: bool,
    /// Id of the cluster: on Confluent Cloud lkc-…, on MSK its ARN
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub cluster: Option<String>,
    /// Confluent Cloud environment, env-…, for the commands that preflight prints
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub kafka_environment: Option<String>,
    /// Security group of an MSK cluster, sg-…: it will let the services in
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub kafka_security_group: Option<String>,
    /// Who the clients are to the broker, as sa-…; for one of them CLIENT=PRINCIPAL; may be repeated
    #[arg(long = "principal", value_name = "PRINCIPAL", help_heading = "Cluster")]
    pub principals: Vec<String>,
    /// PEM file with the certificates of a private authority
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub ca_file: Option<PathBuf>,
    /// Properties file of an administrator, for the kafka-acls commands that preflight prints
    #[arg(long, value_name = "FILE", help_heading = "Cluster")]
    pub admin_config: Option<String>,
    /// With oauthbearer: where tokens are had
    #[arg(long, value_name = "URL", help_heading = "Cluster")]
    pub token_endpoint: Option<String>,
    /// With oauthbearer on Confluent Cloud: the identity pool, pool-…
    #[arg(long, value_name = "ID", help_heading = "Cluster")]
    pub identity_pool: Option<String>,
    /// With oauthbearer: the scope to ask for
    #[arg(long, value_name = "SCOPE", help_heading = "Cluster")]
    pub oauth_scope: Option<String>,
    /// Registry that the components use: none, project, confluent-cloud, self-hosted, glue [default: that of the project, if it has one]
    #[arg(long, value_name = "KIND", help_heading = "Schema registry")]
    pub registry: Option<String>,
    /// Its URL
    #[arg(long, value_name = "URL", help_heading = "Schema registry")]
    pub registry_url: Option<String>,
    /// A self-hosted registry asks for user name and password
    #[arg(long, help_heading = "Schema registry")]
    pub registry_login: bool,
    /// Name of the registry in AWS Glue [default: default-registry]
    #[arg(long, value_name = "NAME", help_heading = "Schema registry")]
    pub registry_name: Option<String>,
    /// Give the component's licence a key in the secret
    #[arg(long, help_heading = "Deployment")]
    pub license: bool,
    /// Run one task of three on Fargate Spot
    #[arg(long, help_heading = "Deployment")]
    pub spot: bool,
    /// Image of your own for a component in this environment; may be repeated
    #[arg(long = "image", value_name = "COMPONENT=IMAGE", help_heading = "Deployment")]
    pub images: Vec<String>,
    /// Tag of the VPC [default: Name=<env>]
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Deployment")]
    pub vpc_tag: Option<String>,
    /// Tag of the subnets to run in [default: vpc::usage=application]
    #[arg(long, value_name = "KEY=VALUE", help_heading = "Deployment")]
    pub subnet_tag: Option<String>,
    /// Name of the ECS cluster [default: default]
    #[arg(long, value_name = "NAME", help_heading = "Deployment")]
    pub ecs_cluster: Option<String>,
    /// Also write a GitHub Actions workflow: preflight on each pull request, up on main
    #[arg(long)]
    pub github_actions: bool,
    /// Replace files that are there with another text
    #[arg(long)]
    pub force: bool,
}
