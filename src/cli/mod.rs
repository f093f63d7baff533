//! What was typed. Arguments in, typed arguments out; no decision is made here.
//!
//! Global flags keep Docker Compose's names and may stand before or after the verb.

mod acl;
mod deploy;
mod duration;
mod explain;
mod images;
mod in_vpc;
mod init;
mod preflight;
mod profiles;
mod render;
mod secrets;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::base::shell;

pub use acl::{AclArgs, AclCommandsArgs, AclTool, AclVerb, AclWanted};
pub use deploy::{
    DownArgs, LogsArgs, OnFailing, PlanArgs, ReportArgs, RestartArgs, RollbackArgs, ScaleArgs, ServiceCount, StatusArgs, UpArgs,
    WatchArgs, WatchVerbArgs,
};
pub use explain::ExplainArgs;
pub use images::{ImagesArgs, ImagesCheckArgs, ImagesDockerfileArgs, ImagesPushArgs, ImagesVerb};
pub use in_vpc::{InVpcArgs, InVpcParts};
pub use init::InitArgs;
pub use preflight::{CheckCategory, PreflightArgs};
pub use profiles::{ProfilesArgs, ProfilesVerb};
pub use render::{IamPolicyArgs, RenderArgs, RenderFormat, StackArgs};
pub use secrets::{AnswersArgs, ComposeArgs, PutArgs, SecretsArgs, SecretsTemplateArgs, SecretsVerb};

/// What to type in an empty folder.
const BEGINNING: &str = "\
From an empty folder:
  confluent-ecs init connect --env dev   asks what it needs to know of the cluster
  confluent-ecs preflight --env dev      will it work? and if not, why, and what to type
  confluent-ecs up --env dev             one change set, watched until it stands";

/// Deploy Confluent components to Amazon ECS from Docker Compose files, with Kafka checked first.
#[derive(Debug, Parser)]
#[command(name = "confluent-ecs", version, max_term_width = 100, propagate_version = false, subcommand_required = true)]
#[command(after_help = BEGINNING)]
pub struct Cli {
    #[command(flatten)]
    pub project: ProjectArgs,
    #[command(flatten)]
    pub display: DisplayArgs,
    #[command(subcommand)]
    pub verb: Verb,
}

/// Which files make up the project.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Project")]
pub struct ProjectArgs {
    /// Environment: reads docker-compose.yml and envs/NAME.yml, with ENV_NAME=NAME
    #[arg(long, global = true, value_name = "NAME")]
    pub env: Option<String>,
    /// Compose file, `-` for standard input; may be repeated, later ones override
    #[arg(short = 'f', long = "file", global = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Project name
    #[arg(short = 'p', long = "project-name", global = true, value_name = "NAME")]
    pub project_name: Option<String>,
    /// File with variables, instead of .env; may be repeated, later ones win
    #[arg(long = "env-file", global = true, value_name = "FILE")]
    pub env_files: Vec<PathBuf>,
    /// Compose profile to switch on; may be repeated
    #[arg(long = "profile", global = true, value_name = "PROFILE")]
    pub profiles: Vec<String>,
    /// Folder that relative paths start from [default: the first compose file's]
    #[arg(long, global = true, value_name = "DIR")]
    pub project_directory: Option<PathBuf>,
    /// Folder with profiles of components that aren't built in [default: .confluent-ecs/profiles of the project]
    #[arg(long, global = true, value_name = "DIR")]
    pub profiles_dir: Option<PathBuf>,
}

impl ProjectArgs {
    /// The same choice of project, to be typed after another verb; begins with a blank where there is something to type.
    pub fn again(&self, stack: Option<&str>) -> String {
        let one = |flag: &str, value: Option<&str>| value.map(|value| format!(" {flag} {}", shell(value)));
        let directory = self.project_directory.as_deref().map(|directory| directory.to_string_lossy());
        let mut typed = Vec::new();
        typed.extend(one("--env", self.env.as_deref()));
        typed.extend(self.files.iter().filter_map(|file| one("-f", Some(file))));
        typed.extend(one("-p", self.project_name.as_deref()));
        typed.extend(self.env_files.iter().filter_map(|file| one("--env-file", Some(&file.to_string_lossy()))));
        typed.extend(self.profiles.iter().filter_map(|profile| one("--profile", Some(profile))));
        typed.extend(one("--project-directory", directory.as_deref()));
        let own = self.profiles_dir.as_deref().map(|folder| folder.to_string_lossy());
        typed.extend(one("--profiles-dir", own.as_deref()));
        typed.extend(one("-n", stack));
        typed.concat()
    }
}

/// How the result is shown.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Display")]
pub struct DisplayArgs {
    /// Colours and drawings
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t, env = "CONFLUENT_ECS_COLOR")]
    pub color: When,
    /// Form of the result on standard output
    #[arg(long, global = true, value_enum, value_name = "FORM", default_value_t)]
    pub output: Output,
    /// Answer every question with yes
    #[arg(long, global = true)]
    pub yes: bool,
}

/// The form of a verb's result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Output {
    #[default]
    Text,
    /// One document at the end
    Json,
    /// What happens as one line each, and the document as the last line
    Jsonl,
}

/// When to use what only a terminal can show.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    #[default]
    Auto,
    Always,
    Never,
}

/// In the order of their use: from an empty folder to a stack, then its days, then what stands beside them.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write compose files that are right for your Kafka cluster
    Init(Box<InitArgs>),
    /// Check settings, secrets, network, login and rights before anything is deployed
    Preflight(PreflightArgs),
    /// Show what a deploy would change, and what each change means for what runs
    Plan(PlanArgs),
    /// Deploy: check, plan, ask, execute and watch
    Up(UpArgs),
    /// Go on watching what is under way
    Watch(WatchVerbArgs),
    /// How the stack, its services and their tasks are now
    Status(StatusArgs),
    /// What the containers write, of all tasks together
    Logs(LogsArgs),
    /// Change how many tasks run, and nothing else
    Scale(ScaleArgs),
    /// Start the tasks anew, a few at a time, with the newest secrets
    Restart(RestartArgs),
    /// Go back: cancel what is under way, or deploy again what was verified last
    Rollback(RollbackArgs),
    /// Write what a run did as one HTML file, with a chart of what took how long
    Report(ReportArgs),
    /// Delete the stack, after showing what goes and what stays
    Down(DownArgs),
    /// Compose, store, check and list the secrets that the services read
    Secrets(SecretsArgs),
    /// Show the rights that each principal needs, and the commands that grant them
    Acl(AclArgs),
    /// Look whether the services' images are there, and copy them into ECR without a Docker daemon
    Images(ImagesArgs),
    /// Print the least IAM policy that deploying this project needs
    IamPolicy(IamPolicyArgs),
    /// Print the merged project as Docker Compose would, and everything that is wrong with it
    Config(ConfigArgs),
    /// Print the CloudFormation template, or write it with its parameters into a folder; needs no AWS account
    Render(RenderArgs),
    /// Show what is known of the components
    Profiles(ProfilesArgs),
    /// Explain the code of a finding or a check, or find the causes in a log on standard input
    Explain(ExplainArgs),
    /// Print what completes commands and flags in a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Shell to print them for
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: Shell,
}

/// The shells that completions are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    Bash,
    Elvish,
    Fish,
    #[value(name = "powershell")]
    PowerShell,
    Zsh,
}

#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Output format
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub format: ConfigFormat,
    /// Write to a file instead of standard output
    #[arg(short = 'o', long = "output-file", value_name = "FILE")]
    pub output_file: Option<PathBuf>,
    /// Only these services and what they depend on
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ConfigFormat {
    #[default]
    Yaml,
    Json,
}

#[cfg(test)]
mod tests {
    use super::ProjectArgs;

    #[test]
    fn what_was_typed_can_be_typed_again() {
        let args = ProjectArgs {
            env: Some("dev".to_owned()),
            files: vec!["a b.yml".to_owned(), "it's.yml".to_owned()],
            ..ProjectArgs::default()
        };
        assert_eq!(args.again(Some("demo")), r" --env dev -f 'a b.yml' -f 'it'\''s.yml' -n demo");
        assert_eq!(ProjectArgs::default().again(None), "");
    }
}
