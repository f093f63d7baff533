//! The small stack beside the service's: looked at, shown, made with consent, and what it gives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::image::Source;
use super::pulling::EcrRepository;
use super::{Asked, resources};
use crate::aws::{Account, Parameter, Stack};
use crate::base::{Code, Deadline, Error, Event, Exit, Failure, Findings, Result};
use crate::cloudformation::{Parts, Pulled, REPOSITORY, StandIn, Template, There};
use crate::commands::project::{Ready, placed};
use crate::commands::world::Interrupt;
use crate::deploy::one_off::Known;
use crate::deploy::{self, Beginning, Ending, Pause, Preparation, Target, Wanted, What};
use crate::ui::Ui;

/// A repository, some roles and a log group are made in a minute or two.
const LIMIT: std::time::Duration = std::time::Duration::from_mins(10);

/// What the tasks are made of.
pub(in crate::commands) struct Support {
    /// Everything that the template's expressions may name, copies included.
    pub(super) known: Known,
    /// By logical id, what stands in for a resource that the service's stack doesn't have yet.
    pub(super) copies: BTreeMap<String, String>,
    /// Policies that a copy lacks: the role's logical id and the policy's name.
    pub(super) left_out: Vec<(String, String)>,
    /// The repository for our image.
    pub(super) repository: Option<String>,
    /// All that the small stack has, by logical id.
    pub(super) made: BTreeSet<String>,
    /// The small stack's name, where there is one.
    stack: Option<String>,
}

/// Whether there is all that is needed.
pub(super) enum Ensured {
    There(Box<Support>),
    /// Somebody said no, or left; what that leaves as it is.
    Stopped(String),
}

impl Support {
    /// What stays of a run that was broken off.
    pub(super) fn stays(&self, what: &str) -> String {
        match &self.stack {
            Some(stack) => format!("{what}; the stack {stack} stays for the next run"),
            None => what.to_owned(),
        }
    }

    /// Makes what is missing, with consent.
    #[allow(clippy::too_many_arguments, reason = "what a run is about, each once")]
    pub(super) async fn ensure(
        asked: &Asked<'_>,
        ready: &Ready,
        services: &[(String, Parts)],
        account: &Account,
        known: Known,
        gaps: Option<&Findings>,
        source: &Source,
        ui: &mut Ui,
    ) -> Result<Ensured> {
        let args = asked.args;
        let has = |id: &String| known.physical.contains_key(id);
        let mut parts: Vec<Parts> = services.iter().map(|(_, parts)| parts.clone()).collect();
        let all = |of: fn(&Parts) -> Vec<&String>| parts.iter().flat_map(of).all(has);
        let there = There {
            execution_role: args.parts.in_vpc_execution_role.is_some(),
            log_group: args.parts.in_vpc_log_group.is_some(),
            cluster: args.parts.in_vpc_cluster.is_some() || all(|parts| parts.cluster.iter().collect()),
            groups: !args.parts.in_vpc_security_group.is_empty() || all(|parts| parts.groups.iter().collect()),
            task_role: args.parts.in_vpc_task_role.is_some() || all(|parts| parts.task_role.iter().collect()),
        };
        let mut pulled = pulled(source, &known);
        if let (Pulled::Repository { by }, Some(named)) = (&mut pulled, &args.parts.in_vpc_execution_role) {
            by.push(named.clone());
        }
        if !there.execution_role {
            let own = own_roles(account, ready, &parts, &known, &pulled).await?;
            if let Pulled::Repository { by } = &mut pulled {
                by.extend(own.iter().filter_map(|role| known.physical.get(role)).map(|name| role_arn(&known, name)));
            }
            for parts in &mut parts {
                if parts.execution_role.as_ref().is_some_and(|role| own.contains(role)) {
                    // It writes into the service's own log, where its streams have a name of their own.
                    (parts.execution_role, parts.log_group) = (None, None);
                }
            }
        }
        let Some(StandIn { template, left_out }) = ready.template.stand_in(&parts, there, &pulled) else {
            let (copies, left_out) = (BTreeMap::new(), Vec::new());
            let support = Self { known, copies, left_out, repository: None, made: BTreeSet::new(), stack: None };
            return Ok(Ensured::There(Box::new(support)));
        };
        let current = account.stack(&template.stack_name).await?.filter(|stack| !stack.status.is_deleted());
        let parameters = parameters(&template, &known, gaps, ready)?;
        if let Some(failure) = template.overlaid.iter().find_map(|(id, resource)| foreign(id, resource, &template, ready)) {
            return Err(failure.into());
        }
        if !is_as_wanted(account, current.as_ref(), &template, &parameters).await?
            && let Some(why) = make(asked, account, &template, &parameters, current.as_ref(), ui).await?
        {
            return Ok(Ensured::Stopped(why));
        }
        let stack = account.stack(&template.stack_name).await?;
        let copies = match &stack {
            Some(stack) => resources(account, &stack.id).await?,
            None => BTreeMap::new(),
        };
        let repository = copies.get(REPOSITORY).cloned();
        let mut known = known;
        let stood_in: BTreeMap<String, String> = copies
            .iter()
            .filter(|(id, _)| !known.physical.contains_key(*id))
            .map(|(id, name)| (id.clone(), name.clone()))
            .collect();
        // A copy that is there because it was needed once gives way to the service's own; the execution role's may pull our image.
        for (id, name) in &copies {
            let ours = parts.iter().any(|parts| [&parts.execution_role, &parts.log_group].contains(&&Some(id.clone())));
            if ours || !known.physical.contains_key(id) {
                known.physical.insert(id.clone(), name.clone());
            }
        }
        let made = copies.into_keys().collect();
        let stack = Some(template.stack_name);
        Ok(Ensured::There(Box::new(Self { known, copies: stood_in, left_out, repository, made, stack })))
    }
}

/// Makes the stack, or changes it, with consent; why that was left off, where it was.
async fn make(
    asked: &Asked<'_>,
    account: &Account,
    template: &Template,
    parameters: &[Parameter],
    current: Option<&Stack>,
    ui: &mut Ui,
) -> Result<Option<String>> {
    let (args, interrupt) = (asked.args, asked.interrupt);
    let beginning = deploy::beginning(current, &template.tags, false)?;
    if let Some(stack) = current
        && let Some(mut failure) = deploy::way_out(beginning, stack)
    {
        // What it says to do is for the service's stack.
        let name = &template.stack_name;
        failure.help = match beginning {
            Beginning::Busy => vec![format!(
                "wait until it is done (aws cloudformation describe-stack-events --stack-name {name}), then run the same command again"
            )],
            _ => {
                vec![format!("aws cloudformation delete-stack --stack-name {name}"), "then run the same command again".to_owned()]
            }
        };
        return Err(failure.into());
    }
    if !asked.yes && !ui.can_ask() {
        return Err(Failure::usage(format!("`--in-vpc` needs the stack {}, and there is nobody to ask", template.stack_name))
            .cause("it holds a repository for the program, and copies of the service's roles")
            .help("say yes beforehand with --yes, or name existing ones with --in-vpc-image, --in-vpc-execution-role, …")
            .into());
    }
    let wanted = Wanted { template, parameters, beginning, current, bucket: None, what: What::Files };
    match deploy::prepare(account, wanted, interrupt.wait()).await? {
        Preparation::NoChanges => {}
        Preparation::Refused(refusal) => return Err(refusal.failure().into()),
        Preparation::Ready(prepared) => {
            let made: Vec<(String, String)> = template
                .overlaid
                .iter()
                .map(|(id, value)| (id.clone(), value["Type"].as_str().unwrap_or_default().to_owned()))
                .collect();
            ui.support_stack(&template.stack_name, &made);
            let agreed = asked.yes || ui.confirm_unless("make it?", interrupt.wait()).await? == Some(true);
            if !agreed || interrupt.happened() {
                prepared.discard(account).await?;
                return Ok(Some("nothing was changed".to_owned()));
            }
            let operation = beginning.operation();
            let name = &template.stack_name;
            let mut target = Target::before(account, operation, name, &prepared.stack_id, &[]).await?;
            prepared.execute(account).await?;
            let goes_on = format!("the stack {name} goes on being made; run the same command again when it is there");
            let limit = args.in_vpc_timeout.unwrap_or(LIMIT);
            interrupt.would_leave(name, vec![goes_on.clone()]);
            if !watched(account, &mut target, limit, interrupt, ui).await? {
                return Ok(Some(goes_on));
            }
            interrupt.would_leave(name, Vec::new());
        }
    }
    Ok(None)
}

/// A value for each parameter, of those that are known.
fn parameters(template: &Template, known: &Known, gaps: Option<&Findings>, ready: &Ready) -> Result<Vec<Parameter>> {
    let mut parameters = Vec::new();
    for (key, parameter) in &template.parameters {
        match (known.values.get(key), gaps) {
            (Some(value), _) => parameters.push(Parameter { key: key.clone(), value: value.clone() }),
            // What isn't there says more than what needs it.
            (None, Some(gaps)) => return Err(placed(Error::Findings(gaps.clone()), &ready.project)),
            (None, None) => {
                let failure = Failure::usage(format!("the stack {} needs {key}, which nothing tells", template.stack_name));
                return Err(failure.code(Code::IN_VPC_UNSAID).cause(&parameter.description).into());
            }
        }
    }
    Ok(parameters)
}

/// What ECS will pull, and who must be let do so.
fn pulled(source: &Source, known: &Known) -> Pulled {
    let Source::Image(program) = source else { return Pulled::Repository { by: Vec::new() } };
    let repository = EcrRepository::of(&program.image);
    repository.map_or(Pulled::Elsewhere, |repository| Pulled::Named { arn: repository.arn(&known.partition) })
}

fn role_arn(known: &Known, name: &str) -> String {
    format!("arn:{}:iam::{}:role/{name}", known.partition, known.account)
}

/// The execution roles of the deployed services that can start the task as they are: the next deploy changes nothing of them, and they
/// may log in to ECR, where the repository itself then lets them pull. By logical id.
async fn own_roles(
    account: &Account,
    ready: &Ready,
    parts: &[Parts],
    known: &Known,
    pulled: &Pulled,
) -> Result<BTreeSet<String>> {
    let there = |id: &&String| known.physical.contains_key(*id);
    let candidates = parts.iter().filter(|parts| parts.log_group.as_ref().as_ref().is_some_and(there));
    let candidates: Vec<&String> = candidates.filter_map(|parts| parts.execution_role.as_ref().filter(there)).collect();
    if candidates.is_empty() || matches!(pulled, Pulled::Named { .. }) {
        return Ok(BTreeSet::new());
    }
    let Ok(deployed) = account.stack_template(&ready.template.stack_name).await else { return Ok(BTreeSet::new()) };
    // What we deploy is JSON; what anybody else has deployed is not looked into.
    let deployed: Value = serde_json::from_str(&deployed).unwrap_or(Value::Null);
    let wanted = ready.template.resource_values();
    let fits = |id: &&String| {
        let role = &wanted[*id];
        deployed["Resources"][*id] == *role && (matches!(pulled, Pulled::Elsewhere) || logs_in_to_ecr(role))
    };
    Ok(candidates.into_iter().filter(fits).cloned().collect())
}

fn logs_in_to_ecr(role: &Value) -> bool {
    let policies = role["Properties"]["Policies"].as_array().into_iter().flatten();
    let statements = policies.flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().into_iter().flatten());
    let mut allowed = statements.filter(|statement| statement["Effect"] == "Allow");
    allowed.any(|statement| {
        statement["Action"].as_array().is_some_and(|list| list.iter().any(|action| action == "ecr:GetAuthorizationToken"))
    })
}

/// The small stack as it is made while nothing of the service is there: what `render --in-vpc` shows.
pub(super) fn small_stack(template: &Template, services: &[&str]) -> Option<Template> {
    let families =
        template.services.iter().filter(|family| family.containers.iter().any(|name| services.contains(&name.as_str())));
    let parts: Vec<Parts> = families.filter_map(|family| template.parts(&family.family)).collect();
    if parts.is_empty() {
        return None;
    }
    let made = template.stand_in(&parts, There::default(), &Pulled::Repository { by: Vec::new() });
    made.map(|made| made.template)
}

/// What a copy refers to and that is neither copied nor a parameter: the copy can't be made before the service's stack is.
fn foreign(id: &str, resource: &Value, template: &Template, ready: &Ready) -> Option<Failure> {
    let missing = crate::cloudformation::referred(resource).into_iter().find(|name| {
        !name.starts_with("AWS::") && !template.parameters.contains_key(name) && !template.overlaid.contains_key(name)
    })?;
    let kind = ready.template.resource_values().get(&missing).and_then(|resource| resource["Type"].as_str().map(str::to_owned));
    let failure = Failure::usage(format!("{missing} is made by this very stack, and isn't there yet")).code(Code::IN_VPC_UNSAID);
    Some(match kind.as_deref() {
        Some("AWS::EC2::VPC") | None => failure
            .cause("a task needs a network to run in")
            .help("deploy once with `confluent-ecs up`, or make the network first and name it in the files"),
        Some(kind) => failure
            .cause(format!("the copy of {id} that the task needs refers to it ({kind})"))
            .help("deploy once with `confluent-ecs up`, or name what is there by a flag (--in-vpc-task-role, …)"),
    })
}

/// Whether the stack is there just so: then no change set need be made to see it.
async fn is_as_wanted(
    account: &Account,
    current: Option<&Stack>,
    template: &crate::cloudformation::Template,
    parameters: &[Parameter],
) -> Result<bool> {
    let Some(stack) = current.filter(|stack| stack.status.is_success() && !stack.status.is_rollback()) else { return Ok(false) };
    if !parameters.iter().all(|parameter| stack.parameters.get(&parameter.key) == Some(&parameter.value)) {
        return Ok(false);
    }
    let deployed = account.stack_template(&stack.id).await?;
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    Ok(read(&deployed).is_some_and(|deployed| read(&template.to_json_minified()) == Some(deployed)))
}

/// Watches the stack being made; whether anybody still does at its end.
async fn watched(
    account: &Account,
    target: &mut Target,
    limit: std::time::Duration,
    interrupt: &Interrupt,
    ui: &mut Ui,
) -> Result<bool> {
    let mut progress = ui.progress();
    let deadline = Deadline::after(limit);
    let (ending, trouble) = loop {
        let mut tell = |event: &Event| progress.show(event);
        match deploy::watch(account, target, deadline, interrupt.wait(), &mut tell).await {
            Pause::Ended(ending, trouble) => break (ending, trouble),
            Pause::Failing(_) => {}
            Pause::Left => {
                progress.finish();
                return Ok(false);
            }
        }
    };
    let mut tell = |event: &Event| progress.show(event);
    let outcome = deploy::conclude(account, target, ending, trouble, &mut tell).await;
    progress.finish();
    if outcome.ending == Ending::Complete {
        return Ok(true);
    }
    let stack = &target.stack;
    if outcome.ending.exit() == Exit::TimedOut {
        let failure = Failure::new(Exit::TimedOut, format!("the stack {stack} is not ready after {} s", limit.as_secs()));
        return Err(failure
            .cause("CloudFormation goes on with it, and no task was started")
            .help(format!("aws cloudformation describe-stack-events --stack-name {stack}"))
            .help("run the same command again when it is there; --in-vpc-timeout waits longer")
            .into());
    }
    let why: Vec<String> = target
        .watch
        .failures()
        .iter()
        .map(|change| format!("{}: {}", change.logical, change.reason.as_deref().unwrap_or("no reason given")))
        .collect();
    Err(Failure::new(outcome.ending.exit(), format!("the stack {stack} could not be made"))
        .cause(why.join("\n"))
        .help(format!("mend that, then: aws cloudformation delete-stack --stack-name {stack}"))
        .into())
}
