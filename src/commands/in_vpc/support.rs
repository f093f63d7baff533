//! The small stack beside the service's: looked at, shown, made with consent, and what it gives.

use std::collections::BTreeMap;

use super::{Asked, resources};
use crate::aws::{Account, Parameter, Stack};
use crate::base::{Code, Deadline, Event, Failure, Result};
use crate::cloudformation::{Parts, REPOSITORY, StandIn, There};
use crate::commands::project::Ready;
use crate::commands::world::Interrupt;
use crate::deploy::one_off::Known;
use crate::deploy::{self, Ending, Pause, Preparation, Target, Wanted, What};
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
}

impl Support {
    /// Makes what is missing, with consent; `None` where somebody said no, or left.
    pub(super) async fn ensure(
        asked: &Asked<'_>,
        ready: &Ready,
        services: &[(String, Parts)],
        account: &Account,
        known: Known,
        interrupt: &Interrupt,
        ui: &mut Ui,
    ) -> Result<Option<Self>> {
        let args = asked.args;
        let has = |id: &String| known.physical.contains_key(id);
        let parts: Vec<Parts> = services.iter().map(|(_, parts)| parts.clone()).collect();
        let all = |of: fn(&Parts) -> Vec<&String>| parts.iter().flat_map(of).all(has);
        let there = There {
            repository: args.in_vpc_image.is_some(),
            execution_role: args.in_vpc_execution_role.is_some(),
            log_group: args.in_vpc_log_group.is_some(),
            cluster: args.in_vpc_cluster.is_some() || all(|parts| parts.cluster.iter().collect()),
            groups: !args.in_vpc_security_group.is_empty() || all(|parts| parts.groups.iter().collect()),
            task_role: args.in_vpc_task_role.is_some() || all(|parts| parts.task_role.iter().collect()),
        };
        let Some(StandIn { template, left_out }) = ready.template.stand_in(&parts, there) else {
            return Ok(Some(Self { known, copies: BTreeMap::new(), left_out: Vec::new(), repository: None }));
        };
        let current = account.stack(&template.stack_name).await?.filter(|stack| !stack.status.is_deleted());
        let mut parameters = Vec::new();
        for key in template.parameters.keys() {
            let Some(value) = known.values.get(key) else { continue };
            parameters.push(Parameter { key: key.clone(), value: value.clone() });
        }
        if let Some(foreign) = template.overlaid.values().find_map(|resource| foreign(resource, &template)) {
            return Err(Failure::usage(format!("{foreign} is made by this very stack, and isn't there yet"))
                .code(Code::IN_VPC_UNSAID)
                .cause("a task needs a network to run in")
                .help("deploy once with `confluent-ecs up`, or make the network first and name it in the files")
                .into());
        }
        if !is_as_wanted(account, current.as_ref(), &template, &parameters).await? {
            let beginning = deploy::beginning(current.as_ref(), &template.tags, false)?;
            if let Some(stack) = &current
                && let Some(failure) = deploy::way_out(beginning, stack)
            {
                let help = format!("aws cloudformation delete-stack --stack-name {}", template.stack_name);
                return Err(failure.help(help).into());
            }
            if !asked.yes && !ui.can_ask() {
                return Err(Failure::usage(format!(
                    "`--in-vpc` needs the stack {}, and there is nobody to ask",
                    template.stack_name
                ))
                .cause("it holds a repository for the program, and copies of the service's roles")
                .help("say yes beforehand with --yes, or name existing ones with --in-vpc-image, --in-vpc-execution-role, …")
                .into());
            }
            let wanted = Wanted {
                template: &template,
                parameters: &parameters,
                beginning,
                current: current.as_ref(),
                bucket: None,
                what: What::Files,
            };
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
                        return Ok(None);
                    }
                    let operation = beginning.operation();
                    let name = &template.stack_name;
                    let mut target = Target::before(account, operation, name, &prepared.stack_id, &[]).await?;
                    prepared.execute(account).await?;
                    if !watched(account, &mut target, interrupt, ui).await? {
                        return Ok(None);
                    }
                }
            }
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
        Ok(Some(Self { known, copies: stood_in, left_out, repository }))
    }
}

/// A resource that a copy refers to and that is neither copied nor a parameter.
fn foreign(resource: &serde_json::Value, template: &crate::cloudformation::Template) -> Option<String> {
    crate::cloudformation::referred(resource).into_iter().find(|name| {
        !name.starts_with("AWS::") && !template.parameters.contains_key(name) && !template.overlaid.contains_key(name)
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
async fn watched(account: &Account, target: &mut Target, interrupt: &Interrupt, ui: &mut Ui) -> Result<bool> {
    let mut progress = ui.progress();
    let deadline = Deadline::after(LIMIT);
    let (ending, trouble) = loop {
        let mut tell = |event: &Event| progress.show(event);
        match deploy::watch(account, target, deadline, interrupt.wait(), &mut tell).await {
            Pause::Ended(ending, trouble) => break (ending, trouble),
            Pause::Failing(_) => {}
            Pause::Left => {
                progress.finish();
                ui.note(&format!("{} goes on being made; run the same command again", target.stack));
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
    let why: Vec<String> = target
        .watch
        .failures()
        .iter()
        .map(|change| format!("{}: {}", change.logical, change.reason.as_deref().unwrap_or("no reason given")))
        .collect();
    Err(Failure::new(outcome.ending.exit(), format!("the stack {} could not be made", target.stack)).cause(why.join("\n")).into())
}
