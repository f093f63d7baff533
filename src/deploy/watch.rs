//! The watch itself: asks AWS again and again, lets [`fold`](super::fold) say what changed, and hands each change on.
//!
//! Comes in: an account, what is watched, how long at most, a way to be told to stop. Goes out: [`Event`]s, and an [`Outcome`].
//! Rules: throttling and a network that drops are ridden out; nothing is cancelled by leaving.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::fold::{Logs, ServiceKey, Watch, service_key};
use super::journal::{Header, Run};
use super::outcome::{Ending, Outcome, Trouble};
use super::pace::Pace;
use super::verify::{Verification, verify};
use crate::aws::{Account, CallError, Deployment, ErrorKind, Service, Stack, Task};
use crate::base::{Blind, Deadline, Event, Failing, Moment, Operation, Result, Started, redact};
use crate::cloudformation::DeployedService;

/// What two clocks may differ by, in milliseconds.
const CLOCKS: i64 = 5_000;
/// How long is looked often.
const FAST_FOR: Duration = Duration::from_mins(2);
/// So many services are asked for at a time, and so many are no reason to look less often.
const AT_ONCE: usize = 4;
const SERVICES_A_LOOK: usize = 6;
/// How often an empty log is asked for.
const LOG_ROUNDS: usize = 3;
/// What is said of a service that the stack has and ECS has not, and what brings it back.
pub const GONE: &str = "ECS has no such service any more; it was deleted past CloudFormation, which doesn't know of it";
pub const BACK: &str = "`confluent-ecs down`, then `confluent-ecs up` makes it anew; logs, secrets and topics stay";
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
    pub services: Vec<DeployedService>,
    /// The stack's newest event before it began.
    pub marker: Option<String>,
    /// The services whose count was set to nothing meanwhile, on request.
    pub stopped: Vec<String>,
    /// Services that start their tasks anew, past CloudFormation; then their rollouts are watched, and not the stack.
    pub rolling: Vec<String>,
    pub(super) pace: Pace,
    /// It is the way back that is watched, as was asked for.
    pub way_back: bool,
    /// ECS may not be asked; what CloudFormation says is all there is.
    without_services: bool,
    told: bool,
}

/// Why a watch came back.
#[derive(Debug)]
pub enum Pause {
    Ended(Ending, Option<Trouble>),
    /// Somebody should decide whether to wait on.
    Failing(Failing),
    /// `leave` said so.
    Left,
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
        let marker = account.newest_event(stack_id).await?;
        let mut target = Self::new(operation, stack, stack_id, services, marker, Moment::now());
        let resources = account.stack_resources(stack_id).await?;
        let of_services = resources.iter().filter(|resource| resource.kind == "AWS::ECS::Service");
        let keys = of_services.filter_map(|resource| Some((&resource.logical, service_key(resource.physical.as_deref()?)?)));
        let (logical, keys): (Vec<&String>, Vec<ServiceKey>) = keys.unzip();
        for (logical, (service, tasks)) in logical.into_iter().zip(look_at_all(account, &keys).await?) {
            if let Some(service) = service {
                target.watch.known(logical, &service, &tasks);
            }
        }
        Ok(target)
    }

    /// Takes up a run where its journal ends.
    pub async fn resumed(account: &Account, run: &Run) -> Result<Self> {
        let Header { operation, stack, stack_id, services, marker, .. } = &run.header;
        let mut target = Self::new(*operation, stack, stack_id, services, marker.clone(), run.header.at);
        target.watch.known_before(&run.header.known);
        target.way_back = run.header.way_back;
        target.rolling.clone_from(&run.header.rolling);
        target.find_services(account).await?;
        for event in &run.events {
            target.watch.recall(event);
        }
        target.told = true;
        Ok(target)
    }

    /// Whether something else was begun on the stack after a run: then the run is over, whoever watched it.
    pub async fn is_overtaken(account: &Account, run: &Run) -> Result<bool> {
        let Header { stack_id, marker, rolling, .. } = &run.header;
        if !rolling.is_empty() {
            return Ok(false);
        }
        let events = account.stack_events(stack_id, marker.as_deref()).await?;
        let begun = events.iter().filter(|event| event.begins(stack_id) && event.status != "REVIEW_IN_PROGRESS");
        Ok(begun.count() > 1)
    }

    /// The operation that is under way on a stack, or was the last one, from its beginning on, whoever began it.
    pub async fn under_way(account: &Account, stack: &Stack, services: &[DeployedService]) -> Result<Self> {
        let first = account.last_beginning(&stack.id).await?;
        let operation = match first.as_ref().map(|first| first.status.as_str()) {
            Some("CREATE_IN_PROGRESS" | "REVIEW_IN_PROGRESS") => Operation::Create,
            Some("DELETE_IN_PROGRESS") => Operation::Delete,
            _ => Operation::Update,
        };
        let events = account.stack_events(&stack.id, None).await?;
        let place = first.as_ref().and_then(|first| events.iter().position(|event| event.id == first.id));
        let marker = place.and_then(|place| place.checked_sub(1)).map(|before| events[before].id.clone());
        let began = first.map_or_else(Moment::now, |first| first.at);
        let mut target = Self::new(operation, &stack.name, &stack.id, services, marker, began);
        target.find_services(account).await?;
        Ok(target)
    }

    fn new(
        operation: Operation,
        stack: &str,
        stack_id: &str,
        services: &[DeployedService],
        marker: Option<String>,
        began: Moment,
    ) -> Self {
        let names = services.iter().map(|service| (service.service.clone(), service.family.clone())).collect();
        Self {
            operation,
            stack: stack.to_owned(),
            stack_id: stack_id.to_owned(),
            watch: Watch::new(operation, stack_id, marker.clone(), names),
            began,
            services: services.to_vec(),
            marker,
            stopped: Vec::new(),
            rolling: Vec::new(),
            pace: Pace::of_environment(),
            way_back: false,
            without_services: false,
            told: false,
        }
    }

    /// The services that the stack has by now.
    async fn find_services(&mut self, account: &Account) -> Result<()> {
        for resource in account.stack_resources(&self.stack_id).await? {
            if resource.kind == "AWS::ECS::Service"
                && let Some(arn) = &resource.physical
            {
                self.watch.found(&resource.logical, arn);
            }
        }
        Ok(())
    }

    /// How the names of a family's resources begin → what people call it.
    pub fn families(&self) -> BTreeMap<String, String> {
        let prefix = |service: &DeployedService| service.service.strip_suffix("Service").unwrap_or(&service.service).to_owned();
        self.services.iter().map(|service| (prefix(service), service.family.clone())).collect()
    }
}

/// Watches until it has ended, the deadline has passed, somebody should decide, or `leave` says to stop watching. It can be called again
/// to go on.
pub async fn watch(
    account: &Account,
    target: &mut Target,
    deadline: Deadline,
    leave: impl Future<Output = ()>,
    tell: &mut dyn FnMut(&Event),
) -> Pause {
    if !std::mem::replace(&mut target.told, true) {
        tell(&Event::Started(Started {
            at: target.began,
            operation: target.operation,
            stack: target.stack.clone(),
            region: account.region.clone(),
            families: target.families(),
        }));
    }
    tokio::select! {
        pause = until_it_ends(account, target, deadline, tell) => pause,
        () = leave => Pause::Left,
    }
}

/// What came of it, with what runs otherwise than it should.
pub async fn conclude(
    account: &Account,
    target: &mut Target,
    ending: Ending,
    trouble: Option<Trouble>,
    tell: &mut dyn FnMut(&Event),
) -> Outcome {
    let mut ending = ending;
    let mut outputs = Vec::new();
    let mut verdict = Verification::default();
    if ending == Ending::RolledBack && target.way_back {
        ending = Ending::TakenBack;
    }
    if matches!(ending, Ending::Complete | Ending::NoChanges) && target.operation != Operation::Delete {
        // What can't be read after the end doesn't turn a deploy that is done into one that failed.
        outputs = account.stack(&target.stack_id).await.ok().flatten().map(|stack| stack.outputs).unwrap_or_default();
        verdict = verify(account, target, &outputs, tell).await;
        if !verdict.differences.is_empty() {
            ending = Ending::Differs;
        }
    }
    Outcome {
        status: target.watch.status().map(str::to_owned),
        seconds: Moment::now().since(target.began).as_secs(),
        failures: target.watch.failures().to_vec(),
        failed_tasks: target.watch.failed_tasks().to_vec(),
        outputs,
        verified: verdict.verified,
        differences: verdict.differences,
        unverified: verdict.unverified,
        trouble,
        ..Outcome::of(&target.stack, target.operation, ending)
    }
}

async fn until_it_ends(account: &Account, target: &mut Target, deadline: Deadline, tell: &mut dyn FnMut(&Event)) -> Pause {
    let mut blind = false;
    loop {
        let mut failing = None;
        let mut tell_and_note = |event: &Event| {
            if let Event::Failing(said) = event {
                failing = Some(said.clone());
            }
            tell(event);
        };
        let looked = if target.rolling.is_empty() {
            look(account, target, &mut tell_and_note).await.map(|()| target.watch.ending().map(|ending| (ending, None)))
        } else {
            look_at_rollouts(account, target, &mut tell_and_note).await
        };
        let mut ended = None;
        match looked {
            Ok(found) => {
                ended = found;
                if std::mem::take(&mut blind) {
                    tell(&Event::Sighted { at: Moment::now() });
                }
            }
            Err(error) if error.may_pass() => {
                if !std::mem::replace(&mut blind, true) {
                    tell(&Event::Blind(Blind { at: Moment::now(), why: error.to_string() }));
                }
            }
            Err(error) => {
                return Pause::Ended(Ending::LostSight, Some(Trouble { what: error.to_string(), help: error.help() }));
            }
        }
        if let Some((ending, trouble)) = ended {
            return Pause::Ended(ending, trouble);
        }
        let now = Moment::now();
        tell(&Event::Looked { at: now });
        if deadline.passed() {
            return Pause::Ended(Ending::TimedOut, None);
        }
        if let Some(failing) = failing {
            return Pause::Failing(failing);
        }
        let pause = if now.since(target.began) < FAST_FOR { target.pace.fast } else { target.pace.slow };
        // ECS counts who asks much, and every service is asked for.
        let pause = pause * u32::try_from(target.watch.services().count().div_ceil(SERVICES_A_LOOK)).unwrap_or(1).max(1);
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
    // That it is gone may have been told after its events were: then the last of them are still to come.
    let gone = stack.as_ref().is_none_or(|stack| stack.status.is_deleted());
    let events = if gone { account.stack_events(&target.stack_id, watch.last_event()).await } else { events };
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
    let looked =
        if target.without_services { Ok(()) } else { look_at_services(account, watch, target.pace, &mut tell_all).await };
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

pub(super) async fn look_at_services(
    account: &Account,
    watch: &mut Watch,
    pace: Pace,
    tell_all: &mut impl FnMut(Vec<Event>),
) -> std::result::Result<(), CallError> {
    let keys: Vec<ServiceKey> = watch.services().cloned().collect();
    let found = look_at_all(account, &keys).await?;
    for (key, (service, tasks)) in keys.into_iter().zip(found) {
        if let Some(service) = service {
            tell_all(watch.service(Moment::now(), &service));
        }
        let logs = kept_logs(account, watch.wants_logs(&tasks), pace).await;
        tell_all(watch.tasks(Moment::now(), &key, &tasks, &logs));
    }
    Ok(())
}

/// Services and their tasks as they are now, in the order of the keys; several are asked for at a time.
async fn look_at_all(
    account: &Account,
    keys: &[ServiceKey],
) -> std::result::Result<Vec<(Option<Service>, Vec<Task>)>, CallError> {
    let asked = stream::iter(keys).map(async |key| {
        let name = std::slice::from_ref(&key.name);
        let (mut services, tasks) =
            tokio::try_join!(account.services(&key.cluster, name), account.tasks(&key.cluster, &key.name))?;
        Ok((services.pop(), tasks))
    });
    asked.buffered(AT_ONCE).try_collect().await
}

/// One look at services that start their tasks anew. It ends when all of their rollouts have, or can't.
async fn look_at_rollouts(
    account: &Account,
    target: &mut Target,
    tell: &mut dyn FnMut(&Event),
) -> std::result::Result<Option<(Ending, Option<Trouble>)>, CallError> {
    let mut tell_all = |events: Vec<Event>| events.iter().for_each(&mut *tell);
    look_at_services(account, &mut target.watch, target.pace, &mut tell_all).await?;
    let mut all_done = true;
    for family in &target.rolling {
        let service = match target.watch.key(family) {
            Some(key) => account.services(&key.cluster, std::slice::from_ref(&key.name)).await?.pop(),
            None => None,
        };
        match service.filter(Service::is_active).map(|service| rollout(&service, target.began)) {
            Some(Some(true)) => {}
            Some(Some(false)) => return Ok(Some((Ending::RolledBack, None))),
            Some(None) => all_done = false,
            None => {
                let trouble = Trouble { what: format!("{family}: {GONE}"), help: vec![BACK.to_owned()] };
                return Ok(Some((Ending::Stuck, Some(trouble))));
            }
        }
    }
    if all_done {
        // They may have come to their end after the look above: what it was is told as well.
        look_at_services(account, &mut target.watch, target.pace, &mut tell_all).await?;
    }
    Ok(all_done.then_some((Ending::Complete, None)))
}

/// Whether the rollout that was begun at a moment is done, well or not; `None` while it goes on.
fn rollout(service: &Service, began: Moment) -> Option<bool> {
    // AWS's clock and ours may differ a little.
    let since = Moment::from_millis(began.millis() - CLOCKS);
    let new = |deployment: &&Deployment| deployment.created.is_some_and(|created| created >= since);
    if service.deployments.iter().filter(new).any(|deployment| deployment.rollout.as_deref() == Some("FAILED")) {
        return Some(false);
    }
    let primary = service.primary().filter(new)?;
    // After a failed rollout ECS's circuit breaker makes one of its own, which succeeds.
    if primary.rollout_reason.as_deref().is_some_and(|reason| reason.contains("rolling back")) {
        return Some(false);
    }
    let done = primary.rollout.as_deref() == Some("COMPLETED") && service.running >= service.desired;
    done.then_some(true)
}

/// The last lines of these tasks' containers. What a container wrote last may reach CloudWatch a moment after ECS has called it stopped:
/// an empty log is asked for again. One that can't be read is an empty one: the stop reason still says something.
async fn kept_logs(account: &Account, tasks: Vec<&Task>, pace: Pace) -> BTreeMap<String, Logs> {
    let mut kept: BTreeMap<String, Logs> = BTreeMap::new();
    for round in 0..LOG_ROUNDS {
        // One that never began has nothing to say.
        let silent = |task: &&&Task| {
            let ran = task.containers.iter().any(|container| container.exit_code.is_some());
            kept.get(&task.id).is_none_or(|logs| ran && logs.values().all(Vec::is_empty))
        };
        let left: Vec<&Task> = tasks.iter().filter(silent).copied().collect();
        if left.is_empty() {
            break;
        }
        if round > 0 {
            tokio::time::sleep(pace.fast).await;
        }
        for task in left {
            let mut logs = Logs::new();
            for stream in account.log_streams(&task.task_definition, &task.id).await.unwrap_or_default() {
                let lines = account.last_lines(&stream, KEPT_LINES).await.unwrap_or_default();
                // Whatever a container logged: it goes to a terminal and into the journal.
                logs.insert(stream.container, lines.iter().map(|line| redact(line)).collect());
            }
            kept.insert(task.id.clone(), logs);
        }
    }
    kept
}
