//! `acl`: what each principal needs and why; the commands that grant it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::Serialize;

use super::Ui;
use super::fixes::policy;
use super::report::command_lines;
use super::wrap::{width, wrapped};
use crate::confluent::grant::{Access, Holder, Statement};
use crate::confluent::{AclNeed, Need};
use crate::preflight::ClusterFacts;
use crate::profile::{Level, Pattern, Proof, Resource};

/// What grants all that was asked for.
#[derive(Debug)]
pub enum Commands {
    Argv {
        tool: &'static str,
        commands: Vec<Vec<String>>,
    },
    /// Statements by the service whose task role they belong to.
    Policies(Vec<(String, Vec<Statement>)>),
    Terraform(String),
}

#[derive(Serialize)]
struct Listed<'a> {
    schema: &'static str,
    kafka: Cluster<'a>,
    principals: Vec<Who<'a>>,
}

#[derive(Serialize)]
struct Cluster<'a> {
    provider: &'a str,
    cluster: Option<&'a str>,
}

#[derive(Serialize)]
struct Who<'a> {
    /// `null` where the files don't say.
    principal: Option<&'a str>,
    service: &'a str,
    clients: &'a [&'a str],
    needs: &'a [AclNeed],
    if_used: &'a [AclNeed],
}

#[derive(Serialize)]
struct Granted<'a> {
    schema: &'static str,
    #[serde(rename = "for")]
    tool: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    commands: Vec<Command<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policies: Vec<Policy<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    /// Properties whose values aren't known, so that rights are left out.
    left_out: Vec<&'a str>,
}

#[derive(Serialize)]
struct Command<'a> {
    argv: &'a [String],
}

#[derive(Serialize)]
struct Policy<'a> {
    service: &'a str,
    statements: &'a [Statement],
}

impl Ui {
    /// What each principal needs, resource by resource. `again`: the arguments that name the project.
    pub fn acl_list(&mut self, cluster: &ClusterFacts, accesses: &[Access<'_>], again: &str) {
        if self.wants_json() {
            let principals = accesses.iter().map(|access| Who {
                principal: match &access.holder {
                    Holder::Principal(principal) => Some(principal),
                    Holder::KeyOwner(_) | Holder::Unknown => None,
                },
                service: access.service,
                clients: &access.clients,
                needs: &access.needs,
                if_used: &access.if_used,
            });
            let kafka = Cluster { provider: &cluster.provider_name, cluster: cluster.id.as_deref() };
            self.json(&Listed { schema: "confluent-ecs/acl-list/v1", kafka, principals: principals.collect() });
            return;
        }
        let mut text = String::new();
        for access in accesses {
            let id = cluster.id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
            let who = match &access.holder {
                Holder::Principal(principal) => principal.clone(),
                Holder::KeyOwner(start) => format!("the owner of the key {start}…"),
                Holder::Unknown => "a principal that x-kafka.principals doesn't name".to_owned(),
            };
            let heading = format!("{} {}", access.service, access.clients.join(", "));
            let _ = writeln!(text, "{}   {who}   {}{id}", self.result_style.strong(heading), cluster.title);
            self.needs(&mut text, &access.needs);
            if access.needs.is_empty() {
                text.push_str("  nothing\n");
            }
            let features: BTreeSet<&str> = access.if_used.iter().filter_map(|need| need.feature.as_deref()).collect();
            for feature in features {
                let _ = writeln!(text, "  {} --with {feature}", self.result_style.quiet("only if used:"));
                let of_feature: Vec<AclNeed> =
                    access.if_used.iter().filter(|need| need.feature.as_deref() == Some(feature)).cloned().collect();
                self.needs(&mut text, &of_feature);
            }
            text.push('\n');
        }
        let _ = writeln!(text, "as commands: confluent-ecs acl commands{again}");
        self.result(&text);
    }

    fn needs(&self, text: &mut String, needs: &[AclNeed]) {
        let mut order: Vec<(Resource, &str, Pattern)> = Vec::new();
        for need in needs {
            let key = (need.resource, need.name.as_str(), need.pattern);
            if !order.contains(&key) {
                order.push(key);
            }
        }
        for (resource, name, pattern) in order {
            let star = if pattern == Pattern::Prefixed { "*" } else { "" };
            let name = if resource == Resource::Cluster { "" } else { name };
            let _ = writeln!(text, "  {resource} {name}{star}");
            for need in needs.iter().filter(|need| {
                need.resource == resource && need.pattern == pattern && (resource == Resource::Cluster || need.name == name)
            }) {
                let operations: Vec<&str> = need.operations.iter().map(|operation| operation.word()).collect();
                let mut about = Vec::new();
                about.extend(need.connector.as_ref().map(|connector| format!("connector {connector}")));
                about.extend((need.need == Need::WhileMissing).then(|| "until it is there".to_owned()));
                about.extend((need.level == Level::Advised).then(|| "advised".to_owned()));
                about.extend((need.proof == Proof::Unproven).then(|| "unproven".to_owned()));
                let about = if about.is_empty() { String::new() } else { format!("  ({})", about.join(", ")) };
                let _ = writeln!(text, "    {}{}", operations.join(", "), self.result_style.quiet(about));
                text.push_str(&wrapped(&need.why, width(), "      ", "      "));
            }
        }
    }

    /// The commands on stdout and nothing else, so that they can be run as they are; the rest on stderr.
    pub fn acl_commands(&mut self, commands: &Commands, accesses: &[Access<'_>]) {
        let left_out: BTreeSet<&str> = accesses.iter().flat_map(Access::unresolved).collect();
        if self.wants_json() {
            let mut document = Granted {
                schema: "confluent-ecs/acl-commands/v1",
                tool: "msk-iam",
                commands: Vec::new(),
                policies: Vec::new(),
                text: None,
                left_out: left_out.into_iter().collect(),
            };
            match commands {
                Commands::Argv { tool, commands } => {
                    document.tool = tool;
                    document.commands = commands.iter().map(|argv| Command { argv }).collect();
                }
                Commands::Policies(policies) => {
                    document.policies = policies.iter().map(|(service, statements)| Policy { service, statements }).collect();
                }
                Commands::Terraform(text) => {
                    document.tool = "terraform";
                    document.text = Some(text);
                }
            }
            self.json(&document);
            return;
        }
        let text = match commands {
            Commands::Argv { commands, .. } => {
                commands.iter().flat_map(|argv| [command_lines(argv).join("\n"), "\n".to_owned()]).collect::<String>()
            }
            Commands::Policies(policies) => {
                if let [(_, statements)] = &policies[..] {
                    format!("{}\n", policy(statements))
                } else {
                    let documents = policies.iter().map(|(service, statements)| format!("# {service}\n{}\n", policy(statements)));
                    documents.collect::<String>()
                }
            }
            Commands::Terraform(text) => text.clone(),
        };
        self.result(&text);
        if !left_out.is_empty() {
            let names = left_out.into_iter().collect::<Vec<_>>().join(", ");
            self.note(&format!("left out is what depends on {names}: not set, or in a secret that isn't read here"));
        }
        let unknown: Vec<&str> = accesses
            .iter()
            .filter(|access| !matches!(access.holder, Holder::Principal(_)))
            .flat_map(|access| access.clients.iter().copied())
            .collect();
        if !unknown.is_empty() {
            let names = unknown.join(", ");
            self.note(&format!("who {names} is to the broker stands in <angle brackets>: --principal, or x-kafka.principals"));
        }
    }
}
