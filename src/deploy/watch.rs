//! The watch itself: asks AWS again and again, lets [`fold`](super::fold) say what changed, and hands each change on.
//!
//! Comes in: an account, what is watched, how long at most, a way to be told to stop. Goes out: [`Event`]s, and an [`Outcome`].
//! Rules: throttling and a network that drops are ridden out; nothing is cancelled by leaving.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use super::fold::{Logs, ServiceKey, Watch, revision, service_key};
use super::outcome::{Ending, Outcome, Trouble};
use crate::aws::{Account, CallError, ErrorKind, Stack, Task};
use crate::base::{Blind, Deadline, Event, Moment, Operation, Result, Started};
use crate::cloudformation::DeployedService;

/// Often at first, when most happens; then as often as is polite.
const FAST: Duration = Duration::from_secs(1);
const SLOW: Duration = Duration::from_secs(3);
/// How long a service that had crashes is looked at after CloudFormation has called it stable.
const SETTLE: Duration = Duration::from_secs(20);
const FAST_FOR: Duration = Duration::from_mins(2);
/// The last lines of a container that are kept when its task fails.
const KEPT_LINES: i32 = 20;

/// What is watched.
#[derive(Debug)]
pub struct Target {
    pub operation: Operation,
    pub stack: String,
    pub stack_id: String,
    pub watch: Watch,
    pub began: Moment,
    services: Vec<DeployedService>,
    /// ECS may not be asked; what CloudFormation says is all there is.
    without_services: bool,
}

impl Target {
    /// What is about to happen to a stack. Taken before it happens: what the stack has now is known, what comes later is news.
    pub async fn before(
        account: &Account,
        operation: Operation,
        stack: &str,
        stack_id: &str,
        services: &[DeployedService],
    ) -> Result<Self> {
        let names = services.iter().map(|service| (service.service.clone(), service.family.clone())).collect();
        let marker = account.newest_event(stack_id).await?;
        let mut watch = Watch::new(operation, stack_id, marker, names);
        for resource in account.stack_resources(stack_id).await? {
            if resource.kind != "AWS::ECS::Service" {
                continue;
            }
            let Some(key) = resource.physical.as_deref().and_then(service_key) else { continue };
            for service in account.services(&key.cluster, std::slice::from_ref(&key.name)).await? {
                let tasks = account.tasks(&key.cluster, &key.name).await?;
                watch.known(&resource.logical, &service, &tasks);
            }
        }
        Ok(Self {
            operation,
            stack: stack.to_owned(),
            stack_id: stack_id.to_owned(),
            watch,
            began: Moment::now(),
            services: services.to_vec(),
            without_services: false,
        })
    }
}

/// Watches until it has ended, the deadline has passed, or `leave` says to stop watching.
pub async fn watch(
    account: &Account,
    mut target: Target,
    deadline: Deadline,
    leave: impl Future<Output = ()>,
    tell: &mut dyn FnMut(&Event),
) -> Outcome {
    tell(&Event::Started(Started {
        at: target.began,
        operation: target.operation,
        stack: target.stack.clone(),
        region: account.region.clone(),
    }));
    let (mut ending, trouble) = tokio::select! {
        ended = until_it_ends(account, &mut target, deadline, tell) => ended,
        () = leave => (Ending::Detached, None),
    };
    let mut outputs = Vec::new();
    let mut differences = Vec::new();
    if ending == Ending::Complete && target.operation != Operation::Delete {
        // What can't be read after the end doesn't turn a deploy that is done into one that failed.
        outputs = account.stack(&target.stack_id).await.ok().flatten().map(|stack| stack.outputs).unwrap_or_default();
        differences = differences_from_template(account, &target).await.unwrap_or_default();
        if differences.is_empty() {
            differences = still_failing(account, &mut target, tell).await;
        }
        if !differences.is_empty() {
            ending = Ending::Differs;
        }
    }
    Outcome {
        status: target.watch.status().map(str::to_owned),
        seconds: Moment::now().since(target.began).as_secs(),
        failures: target.watch.failures().to_vec(),
        failed_tasks: target.watch.failed_tasks().to_vec(),
        outputs,
        differences,
        trouble,
        ..Outcome::of(&target.stack, target.operation, ending)
    }
}

async fn until_it_ends(
    account: &Account,
    target: &mut Target,
    deadline: Deadline,
    tell: &mut dyn FnMut(&Event),
) -> (Ending, Option<Trouble>) {
    let mut blind = false;
    loop {
        match look(account, target, tell).await {
            Ok(()) => {
                if std::mem::take(&mut blind) {
                    tell(&Event::Sighted { at: Moment::now() });
                }
            }
            Err(error) if error.may_pass() => {
                if !std::mem::replace(&mut blind, true) {
                    tell(&Event::Blind(Blind { at: Moment::now(), why: error.to_string() }));
                }
            }
            Err(error) => return (Ending::LostSight, Some(Trouble { what: error.to_string(), help: error.help() })),
        }
        if let Some(ending) = target.watch.ending() {
            return (ending, None);
        }
        let now = Moment::now();
        tell(&Event::Looked { at: now });
        if deadline.passed() {
            return (Ending::TimedOut, None);
        }
        let pause = if now.since(target.began) < FAST_FOR { FAST } else { SLOW };
        tokio::time::sleep(pause.min(deadline.remaining())).await;
    }
}

/// One look at everything: the stack, then the services that it has by now, then their tasks.
async fn look(account: &Account, target: &mut Target, tell: &mut dyn FnMut(&Event)) -> std::result::Result<(), CallError> {
    let watch = &mut target.watch;
    let mut tell_all = |events: Vec<Event>| events.iter().for_each(&mut *tell);
    let (events, stack) =
        tokio::join!(account.stack_events(&target.stack_id, watch.last_event()), account.stack(&target.stack_id));
    let stack: Option<Stack> = stack?;
    // The events of a stack that is gone may be gone with it.
    let events = match (events, &stack) {
        (Err(_), None) => Vec::new(),
        (events, _) => events?,
    };
    let ended_before = watch.ending().is_some();
    let news = watch.stack(Moment::now(), stack.as_ref(), &events);
    // The word that all is over comes last, after what the services and tasks have to say.
    let (last, news): (Vec<Event>, Vec<Event>) =
        news.into_iter().partition(|event| !ended_before && watch.ending().is_some() && matches!(event, Event::Stack(_)));
    tell_all(news);
    let looked = if target.without_services { Ok(()) } else { look_at_services(account, watch, &mut tell_all).await };
    tell_all(last);
    match looked {
        Err(error) if error.kind == ErrorKind::AccessDenied => {
            target.without_services = true;
            tell(&Event::Blind(Blind { at: Moment::now(), why: format!("{error}; going on with what CloudFormation says") }));
            Ok(())
        }
        looked => looked,
    }
}

async fn look_at_services(
    account: &Account,
    watch: &mut Watch,
    tell_all: &mut impl FnMut(Vec<Event>),
) -> std::result::Result<(), CallError> {
    let keys: Vec<ServiceKey> = watch.services().cloned().collect();
    for key in keys {
        for service in account.services(&key.cluster, std::slice::from_ref(&key.name)).await? {
            tell_all(watch.service(Moment::now(), &service));
        }
        let tasks = account.tasks(&key.cluster, &key.name).await?;
        let logs = kept_logs(account, watch.wants_logs(&tasks)).await;
        tell_all(watch.tasks(Moment::now(), &key, &tasks, &logs));
    }
    Ok(())
}

/// Where what runs is not what the template says, though CloudFormation calls the stack complete: after ECS's circuit breaker has rolled
/// a service back, CloudFormation may take that for success.
async fn differences_from_template(account: &Account, target: &Target) -> std::result::Result<Vec<String>, CallError> {
    let resources = account.stack_resources(&target.stack_id).await?;
    let physical = |logical: &str| {
        resources.iter().find(|resource| resource.logical == logical).and_then(|resource| resource.physical.as_deref())
    };
    let mut differences = Vec::new();
    for deployed in &target.services {
        let (Some(service), Some(wanted)) = (physical(&deployed.service), physical(&deployed.task_definition)) else { continue };
        let Some(key) = service_key(service) else { continue };
        for service in account.services(&key.cluster, std::slice::from_ref(&key.name)).await? {
            let (runs, wanted) = (revision(&service.task_definition), revision(wanted));
            if runs != wanted {
                differences.push(format!("{} runs {runs}, not {wanted}: ECS has rolled it back", deployed.family));
            } else if service.primary().is_some_and(|primary| primary.rollout.as_deref() == Some("FAILED")) {
                differences.push(format!("{}: its rollout of {wanted} failed", deployed.family));
            }
        }
    }
    Ok(differences)
}

/// A service may count as stable between two crashes. Where tasks of what was deployed have failed, this looks on for a while, and says
/// which services go on failing.
async fn still_failing(account: &Account, target: &mut Target, tell: &mut dyn FnMut(&Event)) -> Vec<String> {
    let crashed = |watch: &Watch| -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for task in watch.failed_tasks().iter().filter(|task| watch.deploys(&task.service, &task.revision)) {
            *counts.entry(task.service.clone()).or_default() += 1;
        }
        counts
    };
    let before = crashed(&target.watch);
    let deadline = Deadline::after(if before.is_empty() { Duration::ZERO } else { SETTLE });
    while !deadline.passed() && crashed(&target.watch) == before {
        tokio::time::sleep(FAST).await;
        let mut tell_all = |events: Vec<Event>| events.iter().for_each(&mut *tell);
        // What can't be seen any more can't turn a deploy that is done into one that failed.
        if look_at_services(account, &mut target.watch, &mut tell_all).await.is_err() {
            return Vec::new();
        }
    }
    let after = crashed(&target.watch);
    let failing = after.iter().filter(|(service, count)| before.get(*service) != Some(count));
    failing.map(|(service, count)| format!("{service}: its tasks go on failing, {count} so far")).collect()
}

/// The last lines of these tasks' containers. A log that can't be read is an empty one: the stop reason still says something.
async fn kept_logs(account: &Account, tasks: Vec<&Task>) -> BTreeMap<String, Logs> {
    let mut kept = BTreeMap::new();
    for task in tasks {
        let mut logs = Logs::new();
        for stream in account.log_streams(&task.task_definition, &task.id).await.unwrap_or_default() {
            let lines = account.last_lines(&stream, KEPT_LINES).await.unwrap_or_default();
            logs.insert(stream.container, lines);
        }
        kept.insert(task.id.clone(), logs);
    }
    kept
}
