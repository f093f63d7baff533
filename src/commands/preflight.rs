//! `preflight`: project and secrets → what is known → the report.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs};

use super::account_facts;
use super::catalogue::catalogue;
use super::in_vpc;
use super::own_hosts::own_hosts;
use super::project::{self, Examined, Ready, Request};
use super::world::{Interrupt, block_on};
use crate::aws::{Account, CallError};
use crate::base::{Deadline, Error, Exit, Failure, Result, Secret};
use crate::cli::{CheckCategory, Cli, InVpcArgs, PreflightArgs, ProjectArgs, UpArgs};
use crate::confluent::secret::SecretDocument;
use crate::deploy;
use crate::extensions::{Extensions, SecretExtension, Wanted};
use crate::kafka::AwsKeys;
use crate::preflight::{self, Aws, Category, Gathered, Input, Own, Patience, Report, Selection, Stored, Vantage};
use crate::profile::Catalogue;
use crate::ui::{ReportView, Ui};

/// Region, credentials and caller must be known within this, and each secret be read.
const AWS_LIMIT: Duration = Duration::from_secs(10);
/// The pause between two tries of `--wait`.
const PAUSE: Duration = Duration::from_secs(2);

/// What is looked at.
struct Look<'a> {
    project: &'a ProjectArgs,
    /// `-n`.
    name: Option<&'a str>,
    secrets_file: Option<&'a Path>,
    selection: Selection,
    wait: Option<Duration>,
    in_vpc: &'a InVpcArgs,
    yes: bool,
}

/// How a look ended.
enum Looked {
    Report(Box<Report>),
    /// The project runs nothing that is known here.
    NothingKnown,
    /// What that leaves as it is.
    Interrupted(String),
}

/// How the first part of a look ended.
enum Looking {
    Ended(Looked),
    /// The checks are to run in the VPC.
    Inside(Box<(Input, Account)>),
}

pub(super) fn run(cli: &Cli, preflight: &PreflightArgs, ui: &mut Ui) -> Result<Exit> {
    if preflight.inside {
        return in_vpc::inside(ui);
    }
    let (args, name) = (&cli.project, preflight.stack.name.as_deref());
    if preflight.in_vpc.in_vpc && preflight.secrets_file.is_some() {
        return Err(Failure::usage("--in-vpc takes the secrets as ECS hands them to the task: leave --secrets-file out").into());
    }
    let look = Look {
        project: args,
        name,
        secrets_file: preflight.secrets_file.as_deref(),
        selection: Selection {
            only: categories(&preflight.only),
            skip: categories(&preflight.skip),
            patience: Patience::of_environment(),
        },
        wait: preflight.wait,
        in_vpc: &preflight.in_vpc,
        yes: cli.display.yes,
    };
    match look_now(&look, ui)? {
        Looked::Report(report) => {
            let report = report.closed(preflight.strict);
            if preflight.fixes {
                ui.fixes(&report);
            } else {
                ui.report(
                    &report,
                    ReportView { short: preflight.short, again: &format!("{}{}", args.again(name), preflight.in_vpc.again()) },
                );
            }
            Ok(report.exit(preflight.strict))
        }
        Looked::NothingKnown => Err(Failure::usage("no service of the project runs a component that is known here")
            .help("known images: cp-kafka-connect, cp-server-connect and their bases, whatever the registry")
            .help("for an image with another name, write x-confluent: { component: connect } into the service")
            .into()),
        Looked::Interrupted(what) => {
            ui.note(&format!("interrupted; {what}"));
            Ok(Exit::Interrupted)
        }
    }
}

/// Preflight as the first part of a deploy: shows what it found, and gives an exit where the deploy must not go on. What could not be
/// told stops it only with `strict`, or where somebody is there to ask and says no.
pub(super) fn before_deploy(cli: &Cli, up: &UpArgs, ui: &mut Ui) -> Result<Option<Exit>> {
    let (args, name, strict, yes) = (&cli.project, up.stack.name.as_deref(), up.strict, cli.display.yes);
    let selection = Selection { patience: Patience::of_environment(), ..Selection::default() };
    let look = Look { project: args, name, secrets_file: None, selection, wait: None, in_vpc: &up.in_vpc, yes };
    let again = format!("{}{}", args.again(name), up.in_vpc.again());
    match look_now(&look, ui)? {
        Looked::Report(report) => {
            let report = report.closed(strict);
            let exit = report.exit(strict);
            if exit != Exit::Done {
                ui.report(&report, ReportView { short: true, again: &again });
                ui.note("nothing was deployed; --skip-preflight deploys all the same");
                return Ok(Some(exit));
            }
            ui.report_aside(&report, ReportView { short: true, again: &again });
            let unknown = report.summary.unknown;
            if unknown == 0 || yes || !ui.can_ask() {
                return Ok(None);
            }
            let question = format!("{unknown} could not be told; go on?");
            let agreed = block_on(async {
                let interrupt = Interrupt::listen();
                Ok(ui.confirm_unless(&question, interrupt.wait()).await? == Some(true))
            })?;
            if agreed {
                return Ok(None);
            }
            ui.note("nothing was deployed");
            Ok(Some(Exit::Interrupted))
        }
        Looked::NothingKnown => {
            ui.note("preflight: the project runs no component that is known here, nothing was checked");
            Ok(None)
        }
        Looked::Interrupted(what) => {
            ui.note(&format!("interrupted; {what}"));
            Ok(Some(Exit::Interrupted))
        }
    }
}

fn look_now(look: &Look<'_>, ui: &mut Ui) -> Result<Looked> {
    let catalogue = catalogue(look.project)?;
    let mut examined = examine(look, None, ui)?;
    block_on(async {
        // Before the first packet leaves: whoever sees that it has begun may want to stop it.
        let interrupt = Interrupt::listen();
        let looked = tokio::select! {
            looked = looking(look, catalogue, &mut examined, ui) => looked?,
            () = interrupt.wait() => return Ok(Looked::Interrupted("nothing was changed".to_owned())),
        };
        match looked {
            Looking::Ended(looked) => Ok(looked),
            Looking::Inside(inside) => {
                let (args, selection, interrupt) = (look.in_vpc, &look.selection, &interrupt);
                let asked = in_vpc::Asked { args, selection, wait: look.wait, yes: look.yes, interrupt };
                Ok(match Box::pin(in_vpc::check(&asked, &examined.ready, &inside.0, &inside.1, ui)).await? {
                    in_vpc::Checked::Report(report) => Looked::Report(report),
                    in_vpc::Checked::Stopped(what) => Looked::Interrupted(what),
                })
            }
        }
    })
}

/// Asks the account for what it knows, and runs the checks from here unless they are to run in the VPC.
async fn looking(look: &Look<'_>, catalogue: &Catalogue, examined: &mut Examined, ui: &mut Ui) -> Result<Looking> {
    let started = Instant::now();
    let account = match look.secrets_file {
        None => connected().await,
        _ if wants_account(&examined.ready) => connected().await,
        Some(_) => Err("not asked: the secrets come from a file".to_owned()),
    };
    if let Ok(account) = &account {
        // The account's number and region may be part of a secret's name.
        *examined = examine(look, Some(account), ui)?;
    }
    let stored = match (look.secrets_file, &account) {
        (Some(path), _) => from_file(path, &examined.ready.extensions)?,
        (None, Ok(account)) => from_account(account, &examined.ready.extensions).await,
        (None, Err(why)) => unread(&examined.ready.extensions, &format!("{why}; --secrets-file reads a file instead")),
    };
    let aws =
        account.as_ref().ok().map(|account| Aws { account: account.caller.account.clone(), region: account.region.clone() });
    let aws_keys = match &account {
        Ok(account) => keys(account).await,
        Err(why) => Err(why.clone()),
    };
    let own = match &account {
        Ok(account) => own_tasks(account, &examined.ready).await,
        Err(_) => BTreeMap::new(),
    };
    let Ready { project, extensions, stack, .. } = &examined.ready;
    let own_hosts = own_hosts(stack);
    let mut findings = examined.of_files.clone();
    findings.extend(examined.of_stack.clone());
    let env = stack.env.as_deref();
    let mut input = preflight::gather(&Gathered {
        project,
        extensions,
        catalogue,
        findings: &findings,
        stored: &stored,
        env,
        own: &own,
        aws,
        aws_keys,
        account: None,
        own_hosts,
    });
    if input.services.is_empty() {
        return Ok(Looking::Ended(Looked::NothingKnown));
    }
    let facts = async {
        match &account {
            Ok(account) if look.selection.takes(Category::Aws) => {
                Some(Box::pin(account_facts::gather(account, &examined.ready, &own)).await)
            }
            _ => None,
        }
    };
    if look.in_vpc.in_vpc {
        input.account = facts.await;
        return match account {
            Ok(account) => Ok(Looking::Inside(Box::new((input, account)))),
            Err(why) => Err(Failure::usage("--in-vpc needs an AWS account")
                .cause(why)
                .help("log in (`aws sso login`), name the profile in AWS_PROFILE and the region in AWS_REGION")
                .help("aws sts get-caller-identity shows whether that is enough")
                .into()),
        };
    }
    let first = preflight::run_beside(&mut input, &look.selection, vantage(), facts).await;
    let report = checked(first, &input, &look.selection, look.wait, ui).await;
    Ok(Looking::Ended(Looked::Report(Box::new(report.since(started)))))
}

/// The project with what is wrong with it; files that can't be relied on end the run.
fn examine(look: &Look<'_>, account: Option<&Account>, ui: &mut Ui) -> Result<Examined> {
    let account = account.map(|account| project::Account { id: account.caller.account.clone(), region: account.region.clone() });
    let examined = project::examine(&Request { project: look.project, name: look.name, account, touches_stack: false }, ui)?;
    if examined.of_files.has_errors() {
        return Err(Error::Findings(examined.of_files));
    }
    Ok(examined)
}

/// Repeats what may pass later, for as long as was asked.
async fn checked(mut report: Report, input: &Input, selection: &Selection, wait: Option<Duration>, ui: &mut Ui) -> Report {
    let started = Instant::now();
    while let Some(left) = wait.and_then(|wait| wait.checked_sub(started.elapsed())).filter(|left| !left.is_zero()) {
        let open = report.checks.iter().filter(|check| check.is_worth_repeating()).count();
        if open == 0 {
            break;
        }
        ui.note(&format!("{open} not passed yet, trying again for {} s", left.as_secs()));
        tokio::time::sleep(PAUSE.min(left)).await;
        report = preflight::again(input, selection, &report).await;
    }
    report
}

/// ECS gives every container the address of its task's metadata. A machine of EC2 stands in some VPC, and nobody knows in which.
fn vantage() -> Vantage {
    if env::var_os("ECS_CONTAINER_METADATA_URI_V4").is_some() {
        return Vantage::Inside;
    }
    let vendor = fs::read_to_string("/sys/devices/virtual/dmi/id/sys_vendor").unwrap_or_default();
    if vendor.trim() == "Amazon EC2" { Vantage::Unknown } else { Vantage::Outside }
}

/// Does a Kafka client log in with AWS credentials? Then they are needed also where the secrets come from a file.
fn wants_account(ready: &Ready) -> bool {
    ready.project.services.values().any(|service| {
        service.environment.iter().any(|(_, value)| {
            value.as_deref().is_some_and(|value| value == "AWS_MSK_IAM" || value.ends_with("IAMOAuthBearerLoginCallbackHandler"))
        })
    })
}

async fn connected() -> std::result::Result<Account, String> {
    Account::connect(Deadline::after(AWS_LIMIT)).await.map_err(|error| error.headline())
}

async fn keys(account: &Account) -> std::result::Result<AwsKeys, String> {
    let credentials = account.credentials().await.map_err(|error| error.headline())?;
    Ok(AwsKeys {
        access_key: credentials.access_key,
        secret_key: credentials.secret_key,
        session_token: credentials.session_token,
        expires: credentials.expires,
        region: account.region.clone(),
        caller: account.caller.arn.clone(),
    })
}

fn categories(typed: &[CheckCategory]) -> BTreeSet<Category> {
    let of = |category: &CheckCategory| match category {
        CheckCategory::Config => Category::Config,
        CheckCategory::Aws => Category::Aws,
        CheckCategory::Secrets => Category::Secrets,
        CheckCategory::Kafka => Category::Kafka,
        CheckCategory::KafkaAcls => Category::KafkaAcls,
        CheckCategory::SchemaRegistry => Category::SchemaRegistry,
        CheckCategory::Urls => Category::Urls,
        CheckCategory::Collisions => Category::Collisions,
    };
    typed.iter().map(of).collect()
}

/// The secrets from a file: one document for the only secret, or one under each secret's name, that of the compose files or
/// that of Secrets Manager.
fn from_file(path: &Path, extensions: &Extensions) -> Result<BTreeMap<String, Stored>> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| Failure::usage(format!("{shown} can't be read")).cause(error))?;
    let whole = SecretDocument::parse(&Secret::new(text)).map_err(|error| Failure::usage(format!("{shown}: {error}")))?;
    let source = format!("from {shown}");
    let mut found = BTreeMap::new();
    for (name, extension) in &extensions.secrets {
        let stored_as = extension.name.as_ref().map(|name| name.value.as_str());
        let nested = whole.get(name).or_else(|| whole.get(stored_as?)).filter(|_| !whole.odd.is_empty());
        let Some(nested) = nested else { continue };
        let document = SecretDocument::parse(nested).map_err(|error| Failure::usage(format!("{shown}: {name}: {error}")))?;
        found.insert(name.clone(), Stored::Read { document, source: source.clone() });
    }
    match (found.is_empty(), extensions.secrets.len()) {
        (true, 1) => {
            found.extend(
                extensions
                    .secrets
                    .keys()
                    .map(|name| (name.clone(), Stored::Read { document: whole.clone(), source: source.clone() })),
            );
        }
        (true, 2..) => {
            let names: Vec<&str> = extensions.secrets.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!("{shown} doesn't say which of the project's secrets it holds"))
                .help(format!("write each document under its secret's name: {}", names.join(", ")))
                .into());
        }
        _ => {}
    }
    let missing: Vec<String> = extensions.secrets.keys().filter(|name| !found.contains_key(*name)).cloned().collect();
    found.extend(missing.into_iter().map(|name| (name, Stored::Unread(format!("{shown} does not hold it")))));
    Ok(found)
}

/// The addresses of the stack's own tasks, by which the members of a group are told from others.
async fn own_tasks(account: &Account, ready: &Ready) -> BTreeMap<String, Own> {
    let template = &ready.template;
    let asking = deploy::task_addresses(account, &template.stack_name, &template.services);
    let why = match tokio::time::timeout(AWS_LIMIT, asking).await {
        Ok(Ok(found)) => return found.into_iter().map(|(service, addresses)| (service, Own::Known(addresses))).collect(),
        Ok(Err(error)) => error.headline(),
        Err(_) => "ECS gave no answer in time".to_owned(),
    };
    let services = template.services.iter().flat_map(|family| &family.containers);
    services.map(|service| (service.clone(), Own::Unknown(why.clone()))).collect()
}

fn unread(extensions: &Extensions, why: &str) -> BTreeMap<String, Stored> {
    extensions.secrets.keys().map(|name| (name.clone(), Stored::Unread(why.to_owned()))).collect()
}

/// The secrets from Secrets Manager.
async fn from_account(account: &Account, extensions: &Extensions) -> BTreeMap<String, Stored> {
    let mut found = BTreeMap::new();
    for (name, extension) in &extensions.secrets {
        let reading = tokio::time::timeout(AWS_LIMIT, stored(account, extension));
        let stored = match reading.await {
            Ok(Ok(stored)) => stored,
            Ok(Err(error)) => Stored::Unread(error.headline()),
            Err(_) => Stored::Unread("Secrets Manager gave no answer in time".to_owned()),
        };
        found.insert(name.clone(), stored);
    }
    found
}

async fn stored(account: &Account, extension: &SecretExtension) -> std::result::Result<Stored, CallError> {
    let id = match (&extension.name, &extension.lookup) {
        (Some(name), _) => name.value.clone(),
        (None, Some(Wanted::Ids(ids))) => ids.first().map(|id| id.value.clone()).unwrap_or_default(),
        (None, Some(Wanted::Tags(tags))) => {
            let tags = tags.iter().cloned().collect();
            match &account.secrets_tagged(&tags).await?[..] {
                [one] => one.arn.clone(),
                [] => return Ok(Stored::Broken("no secret of the account has these tags".to_owned())),
                many => return Ok(Stored::Broken(format!("{} secrets of the account have these tags", many.len()))),
            }
        }
        (None, None) => return Ok(Stored::Unread("x-secrets doesn't say which secret".to_owned())),
    };
    let Some(secret) = account.secret(&id).await? else {
        return Ok(Stored::Broken(format!("there is no value of {id} in Secrets Manager")));
    };
    Ok(match SecretDocument::parse(&secret.value) {
        Ok(document) => Stored::Read { document, source: format!("Secrets Manager, version {}", secret.version) },
        Err(error) => Stored::Broken(error.to_string()),
    })
}
