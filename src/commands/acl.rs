//! `acl list` and `acl commands`: the project and what was typed → needs by principal → text, commands, statements.

use std::collections::BTreeMap;

use super::catalogue::catalogue;
use super::project;
use crate::base::{Exit, Failure, Result, nearest};
use crate::cli::{AclArgs, AclCommandsArgs, AclTool, AclVerb, AclWanted, ProjectArgs};
use crate::confluent::grant::{self, Access, Admin, Grant, Holder, Reach};
use crate::confluent::{self, ConfluentService, Connector, ConnectorKind};
use crate::preflight::{ClusterFacts, Provider, cluster};
use crate::ui::{Commands, Ui};

pub(super) fn run(typed: &ProjectArgs, args: &AclArgs, ui: &mut Ui) -> Result<Exit> {
    let (wanted, commands) = match &args.verb {
        AclVerb::List(wanted) => (wanted, None),
        AclVerb::Commands(args) => (&args.wanted, Some(args)),
    };
    let catalogue = catalogue(typed)?;
    let (project, extensions) = project::written(typed, ui)?;
    let mut services = confluent::services(catalogue, &project, &extensions, &BTreeMap::new());
    let cluster = cluster(&extensions, catalogue.kafka(), &services);
    only(&mut services, wanted)?;
    add_connectors(&mut services, wanted)?;
    add_features(&mut services, &wanted.features)?;
    let principals = principals(&services, &wanted.principals)?;
    let accesses = grant::accesses(&services, |service, client| holder(&cluster, &principals, service, client));
    let admin = admin(&cluster, &services);
    match commands {
        None => ui.acl_list(&cluster, &accesses, &typed.again(None)),
        Some(args) => {
            let commands = of_tool(args, &cluster, &admin, &accesses);
            ui.acl_commands(&commands, &accesses);
        }
    }
    Ok(Exit::Done)
}

/// The services that were asked for, or all; there must be one.
fn only(services: &mut Vec<ConfluentService<'_>>, wanted: &AclWanted) -> Result<()> {
    let known: Vec<&str> = services.iter().map(|service| service.name).collect();
    for name in &wanted.services {
        if !known.contains(&name.as_str()) {
            let help = match nearest(name, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("there are {}", known.join(", ")),
            };
            return Err(Failure::usage(format!("no service {name} runs a component that is known here")).help(help).into());
        }
    }
    if known.is_empty() {
        return Err(Failure::usage("no service of the project runs a component that is known here")
            .help("for an image with another name, write x-confluent: { component: connect } into the service")
            .into());
    }
    services.retain(|service| wanted.services.is_empty() || wanted.services.iter().any(|name| name == service.name));
    Ok(())
}

/// Adds the connectors that were typed to the one service that runs any.
fn add_connectors(services: &mut [ConfluentService<'_>], wanted: &AclWanted) -> Result<()> {
    let mut typed: Vec<Connector> = Vec::new();
    for (flag, kind, entries) in
        [("--source", ConnectorKind::Source, &wanted.sources), ("--sink", ConnectorKind::Sink, &wanted.sinks)]
    {
        for entry in entries {
            let (name, topics) = pair(flag, entry, "NAME=TOPIC,…")?;
            let topics = topics.split(',').map(|topic| Connector::topic(topic.trim())).collect();
            typed.push(Connector {
                name: name.to_owned(),
                kind,
                topics,
                group: None,
                dead_letters: None,
                exactly_once: false,
                offsets_topic: None,
            });
        }
    }
    let runners: Vec<usize> = (0..services.len()).filter(|index| services[*index].component.has_connectors()).collect();
    let more = wanted.dead_letters.len() + wanted.groups.len();
    if typed.is_empty() && more == 0 {
        return Ok(());
    }
    let [runner] = runners[..] else {
        let message = if runners.is_empty() { "no service runs connectors" } else { "several services run connectors" };
        return Err(Failure::usage(message).help("name the service that is meant, or describe them under x-confluent").into());
    };
    let connectors = &mut services[runner].connectors;
    for connector in typed {
        connectors.retain(|other| other.name != connector.name);
        connectors.push(connector);
    }
    for (flag, entries) in [("--dead-letters", &wanted.dead_letters), ("--group", &wanted.groups)] {
        for entry in entries {
            let (name, value) = pair(flag, entry, "NAME=VALUE")?;
            let sink = connectors.iter_mut().find(|connector| connector.name == name && connector.kind == ConnectorKind::Sink);
            let Some(sink) = sink else {
                let failure = Failure::usage(format!("{flag} {entry}: there is no sink {name}"));
                return Err(failure.help(format!("describe it: --sink {name}=TOPIC")).into());
            };
            let field = if flag == "--group" { &mut sink.group } else { &mut sink.dead_letters };
            *field = Some(value.to_owned());
        }
    }
    Ok(())
}

fn pair<'a>(flag: &str, entry: &'a str, form: &str) -> Result<(&'a str, &'a str)> {
    match entry.split_once('=') {
        Some((name, value)) if !name.is_empty() && !value.is_empty() => Ok((name, value)),
        _ => Err(Failure::usage(format!("{flag}: `{entry}` is not {form}")).into()),
    }
}

/// Adds the features that were typed to the services that know them; one must.
fn add_features(services: &mut [ConfluentService<'_>], typed: &[String]) -> Result<()> {
    let needs: Vec<_> =
        services.iter().flat_map(|service| confluent::feature_needs(service.component, &service.properties)).collect();
    let mut known: Vec<&str> = needs.iter().filter_map(|need| need.feature.as_deref()).collect();
    known.sort_unstable();
    known.dedup();
    for feature in typed {
        if !known.contains(&feature.as_str()) {
            let help = match nearest(feature, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None if known.is_empty() => "these components have none with rights of their own".to_owned(),
                None => format!("one of {}", known.join(", ")),
            };
            return Err(Failure::usage(format!("--with: {feature} is no feature of these components")).help(help).into());
        }
    }
    Ok(())
}

/// The principals that were typed: one for all, or by client.
fn principals(services: &[ConfluentService<'_>], typed: &[String]) -> Result<BTreeMap<Option<String>, String>> {
    let mut found = BTreeMap::new();
    let clients: Vec<&str> = services.iter().flat_map(|service| &service.clients).map(|client| client.name.as_str()).collect();
    for entry in typed {
        // A principal may hold an equals sign (User:CN=connect): only a client's name before it is one.
        let (client, principal) = match entry.split_once('=') {
            Some((client, principal)) if clients.contains(&client) => (Some(client.to_owned()), principal),
            Some((client, _)) if !client.contains(':') => {
                let help = nearest(client, clients.iter().copied()).map(|near| format!("did you mean {near}?"));
                let failure = Failure::usage(format!("--principal: there is no client {client}"));
                return Err(failure.help(help.unwrap_or_else(|| format!("one of {}", clients.join(", ")))).into());
            }
            _ => (None, entry.as_str()),
        };
        if principal.is_empty() {
            return Err(Failure::usage(format!("--principal: `{entry}` names nobody")).into());
        }
        let principal = if principal.contains(':') { principal.to_owned() } else { format!("User:{principal}") };
        found.insert(client, principal);
    }
    Ok(found)
}

fn holder(cluster: &ClusterFacts, typed: &BTreeMap<Option<String>, String>, service: &str, client: &str) -> Holder {
    if cluster.provider == Provider::MskIam {
        return Holder::Principal(format!("the task role of {service}"));
    }
    let typed = typed.get(&Some(client.to_owned())).or_else(|| typed.get(&None)).cloned();
    typed.or_else(|| cluster.principal(service, client)).map_or(Holder::Unknown, Holder::Principal)
}

/// Where an administrator finds the cluster: as `x-kafka` says, else where the clients do.
pub(super) fn admin(cluster: &ClusterFacts, services: &[ConfluentService<'_>]) -> Admin {
    let servers = services.iter().flat_map(|service| &service.clients).find_map(confluent::KafkaClient::bootstrap_servers);
    cluster.admin(&servers.map(|servers| servers.join(",")).unwrap_or_default())
}

/// What the chosen tool takes.
fn of_tool(args: &AclCommandsArgs, cluster: &ClusterFacts, admin: &Admin, accesses: &[Access<'_>]) -> Commands {
    let grants = || accesses.iter().flat_map(Access::grants);
    let tool = args.tool.unwrap_or(match cluster.provider {
        Provider::ConfluentCloud => AclTool::ConfluentCli,
        Provider::MskIam => AclTool::MskIam,
        Provider::Msk | Provider::SelfManaged => AclTool::KafkaAcls,
    });
    // Each service has a role of its own.
    let roles = || {
        let mut of_service: BTreeMap<&str, Vec<Grant>> = BTreeMap::new();
        for access in accesses {
            of_service.entry(access.service).or_default().extend(access.grants());
        }
        of_service.into_iter().map(|(service, grants)| (service.to_owned(), grant::msk_iam(&grants, cluster.id.as_deref())))
    };
    match tool {
        AclTool::ConfluentCli => Commands::Argv {
            tool: "confluent-cli",
            commands: grant::bundles(grants(), Reach::Resource)
                .iter()
                .flat_map(|bundle| grant::confluent_cli(bundle, admin))
                .collect(),
        },
        AclTool::KafkaAcls => Commands::Argv {
            tool: "kafka-acls",
            commands: grant::bundles(grants(), Reach::Operations).iter().map(|bundle| grant::kafka_acls(bundle, admin)).collect(),
        },
        AclTool::MskIam => Commands::Policies(roles().collect()),
        AclTool::Terraform => {
            let bundles = grant::bundles(grants(), Reach::Resource);
            Commands::Terraform(match cluster.provider {
                Provider::ConfluentCloud => grant::terraform_confluent("kafka", &bundles, admin),
                Provider::MskIam => roles()
                    .map(|(service, statements)| {
                        grant::terraform_iam(&format!("kafka_{}", service.replace('-', "_")), &statements)
                    })
                    .collect::<Vec<_>>()
                    .join("\n"),
                Provider::Msk | Provider::SelfManaged => grant::terraform_kafka("kafka", &bundles),
            })
        }
    }
}
