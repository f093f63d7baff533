//! After CloudFormation has called a stack complete: whether what was asked for is what runs, and is well.
//!
//! CloudFormation may take it for success when ECS's circuit breaker has rolled a service back, and a service may count as stable between
//! two crashes. So the running task definitions, the tasks and the load balancers' targets are looked at.
//!
//! And what has an interface of its own is asked there ([`answers`]).
//!
//! Rules: reads only; what can't be read is said, and turns nothing into a failure.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use super::answers::{self, Said};
use super::fold::{ServiceKey, Watch, revision, service_key};
use super::pace::Pace;
use super::watch::{GONE, Target, look_at_services};
use crate::aws::{Account, CallError, Output, Service, StackResource, TargetHealth, Task};
use crate::base::{Deadline, Event, StoppedTask};
use crate::cloudformation::DeployedService;

/// What was looked at.
#[derive(Debug, Default)]
pub(super) struct Verification {
    /// As it should be.
    pub(super) verified: Vec<String>,
    /// Otherwise than it should be.
    pub(super) differences: Vec<String>,
    /// What could not be looked at, and why.
    pub(super) unverified: Vec<String>,
}

/// Looks at every service of the template.
pub(super) async fn verify(
    account: &Account,
    target: &mut Target,
    outputs: &[Output],
    tell: &mut dyn FnMut(&Event),
) -> Verification {
    let mut verdict = Verification::default();
    let resources = match account.stack_resources(&target.stack_id).await {
        Ok(resources) => resources,
        Err(error) => {
            verdict.unverified.push(format!("what runs: {error}"));
            return verdict;
        }
    };
    for deployed in &target.services {
        match look(account, deployed, &resources, target.pace).await {
            Ok(Looked::Found(found)) => {
                found.judge(deployed, &mut verdict);
                // One that shall not run has nobody to ask.
                if found.service.desired > 0 {
                    verdict.take(answers::ask(deployed, outputs, &found.addresses(), target.pace).await);
                }
            }
            Ok(Looked::Gone) => verdict.differences.push(format!("{}: {GONE}", deployed.family)),
            Ok(Looked::NotInStack) => {}
            Err(error) => verdict.unverified.push(format!("{}: {error}", deployed.family)),
        }
    }
    let failing = still_failing(account, target, tell).await;
    verdict.verified.retain(|said| !failing.iter().any(|(service, _)| said.starts_with(&format!("{service}: "))));
    verdict
        .differences
        .extend(failing.into_iter().map(|(service, count)| format!("{service}: its tasks go on failing, {count} so far")));
    let stopped = target.stopped.iter().map(|service| format!("{service}: its count was set to 0, as asked for"));
    verdict.differences.extend(stopped);
    verdict
}

/// A service as it is after the deploy.
struct Found {
    service: Service,
    /// The task definition that it should run.
    wanted: String,
    tasks: Vec<Task>,
    /// Of each target group, or why it could not be asked.
    targets: Vec<Result<Vec<TargetHealth>, CallError>>,
}

/// What came of a look.
enum Looked {
    Found(Box<Found>),
    /// The stack has it, and ECS has not.
    Gone,
    NotInStack,
}

async fn look(
    account: &Account,
    deployed: &DeployedService,
    resources: &[StackResource],
    pace: Pace,
) -> Result<Looked, CallError> {
    let physical = |logical: &str| {
        resources.iter().find(|resource| resource.logical == logical).and_then(|resource| resource.physical.as_deref())
    };
    let (Some(service), Some(wanted)) = (physical(&deployed.service), physical(&deployed.task_definition)) else {
        return Ok(Looked::NotInStack);
    };
    let Some(ServiceKey { cluster, name }) = service_key(service) else { return Ok(Looked::NotInStack) };
    let deadline = Deadline::after(pace.register);
    let (service, tasks) = loop {
        let found = account.services(&cluster, std::slice::from_ref(&name)).await?.pop();
        let Some(service) = found.filter(Service::is_active) else { return Ok(Looked::Gone) };
        let tasks = account.tasks(&cluster, &name).await?;
        // Scaling may have asked for one more just now, and a task may be on its way.
        let coming = revision(&service.task_definition) == revision(wanted) && too_few(&service, &tasks, wanted);
        if !coming || deadline.passed() {
            break (service, tasks);
        }
        tokio::time::sleep(pace.fast).await;
    };
    let mut targets = Vec::new();
    for group in deployed.target_groups.iter().filter_map(|group| physical(group)) {
        targets.push(settled(account, group, service.desired, pace).await);
    }
    Ok(Looked::Found(Box::new(Found { wanted: wanted.to_owned(), service, tasks, targets })))
}

/// The tasks that run what was asked for.
fn of_this<'a>(tasks: &'a [Task], wanted: &str) -> Vec<&'a Task> {
    let mine = |task: &&Task| task.status == "RUNNING" && revision(&task.task_definition) == revision(wanted);
    tasks.iter().filter(mine).collect()
}

fn too_few(service: &Service, tasks: &[Task], wanted: &str) -> bool {
    i32::try_from(of_this(tasks, wanted).len()).unwrap_or(i32::MAX) < service.desired
}

/// The targets of a group, when none of them is on its way any more.
async fn settled(account: &Account, group: &str, desired: i32, pace: Pace) -> Result<Vec<TargetHealth>, CallError> {
    let deadline = Deadline::after(pace.register);
    loop {
        let targets = account.target_health(group).await?;
        let on_their_way = targets.iter().any(|target| target.state == "initial");
        let missing = i32::try_from(targets.len()).unwrap_or(i32::MAX) < desired;
        if !(on_their_way || missing) || deadline.passed() {
            return Ok(targets);
        }
        tokio::time::sleep(pace.fast).await;
    }
}

impl Verification {
    fn take(&mut self, said: Vec<Said>) {
        for said in said {
            match said {
                Said::Answers(text) => self.verified.push(text),
                Said::Wrong(text) => self.differences.push(text),
                Said::Nothing(text) => self.unverified.push(text),
            }
        }
    }
}

impl Found {
    /// Where the tasks that run what was asked for can be asked themselves.
    fn addresses(&self) -> Vec<IpAddr> {
        let mine = of_this(&self.tasks, &self.wanted).into_iter();
        mine.flat_map(|task| &task.addresses).filter_map(|address| address.parse().ok()).collect()
    }

    fn judge(&self, deployed: &DeployedService, verdict: &mut Verification) {
        let family = &deployed.family;
        let (runs, wanted) = (revision(&self.service.task_definition), revision(&self.wanted));
        let mut wrong = Vec::new();
        if runs != wanted {
            wrong.push(format!("{family} runs {runs}, not {wanted}: ECS has rolled it back"));
        } else if self.service.primary().is_some_and(|primary| primary.rollout.as_deref() == Some("FAILED")) {
            wrong.push(format!("{family}: its rollout of {wanted} failed"));
        }
        let running = of_this(&self.tasks, &self.wanted);
        let count = i32::try_from(running.len()).unwrap_or(i32::MAX);
        let desired = self.service.desired;
        if wrong.is_empty() && too_few(&self.service, &self.tasks, &self.wanted) {
            wrong.push(format!("{family}: {count} of {desired} tasks of {wanted} run"));
        }
        let ill = running.iter().filter(|task| task.health.as_deref() == Some("UNHEALTHY")).count();
        if ill > 0 {
            wrong.push(format!("{family}: {ill} of {count} tasks are unhealthy by their own health check"));
        }
        let mut healthy_targets = None;
        for group in &self.targets {
            match group {
                Ok(targets) => {
                    let (well, said) = judge_targets(targets);
                    healthy_targets = Some(healthy_targets.unwrap_or(0) + well);
                    wrong.extend(said.map(|said| format!("{family}: {said}")));
                    if desired > 0 && targets.is_empty() {
                        wrong.push(format!("{family}: its load balancer has no target"));
                    }
                }
                Err(error) => verdict.unverified.push(format!("{family}: its load balancer's targets: {error}")),
            }
        }
        if wrong.is_empty() {
            let targets = healthy_targets.map(|count| format!(", {count} healthy targets")).unwrap_or_default();
            verdict.verified.push(format!("{family}: {count} of {desired} tasks run {wanted}{targets}"));
        }
        verdict.differences.extend(wrong);
    }
}

/// How many targets are healthy, and what is wrong with the others. Those that drain belong to tasks that go.
fn judge_targets(targets: &[TargetHealth]) -> (usize, Option<String>) {
    let well = targets.iter().filter(|target| target.state == "healthy").count();
    let mut ill = targets.iter().filter(|target| !matches!(target.state.as_str(), "healthy" | "draining"));
    let said = ill.next().map(|first| {
        let why = [first.reason.as_deref(), first.description.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let why = if why.is_empty() { String::new() } else { format!(" ({why})") };
        format!("{} of {} targets are not healthy; {} is {}{why}", 1 + ill.count(), targets.len(), first.id, first.state)
    });
    (well, said)
}

/// A service may count as stable between two crashes. Where tasks of what was deployed have failed, this looks on for a while, and gives
/// the services that go on failing, with how often.
async fn still_failing(account: &Account, target: &mut Target, tell: &mut dyn FnMut(&Event)) -> Vec<(String, usize)> {
    // What was stopped on request fails no more.
    let stopped = target.stopped.clone();
    let crashed = |watch: &Watch| -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        let of_this = |task: &&StoppedTask| watch.deploys(&task.service, &task.revision) && !stopped.contains(&task.service);
        for task in watch.failed_tasks().iter().filter(of_this) {
            *counts.entry(task.service.clone()).or_default() += 1;
        }
        counts
    };
    let before = crashed(&target.watch);
    let deadline = Deadline::after(if before.is_empty() { Duration::ZERO } else { target.pace.settle });
    while !deadline.passed() && crashed(&target.watch) == before {
        tokio::time::sleep(target.pace.fast).await;
        let mut tell_all = |events: Vec<Event>| events.iter().for_each(&mut *tell);
        // What can't be seen any more can't turn a deploy that is done into one that failed.
        if look_at_services(account, &mut target.watch, target.pace, &mut tell_all).await.is_err() {
            return Vec::new();
        }
    }
    crashed(&target.watch).into_iter().filter(|(service, count)| before.get(service) != Some(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::{Found, Verification, judge_targets};
    use crate::aws::{Deployment, Service, TargetHealth, Task};
    use crate::cloudformation::DeployedService;

    fn target(id: &str, state: &str) -> TargetHealth {
        let reason = (state == "unhealthy").then(|| "Target.FailedHealthChecks".to_owned());
        TargetHealth { id: id.to_owned(), state: state.to_owned(), reason, description: None }
    }

    fn task(revision: &str, health: &str) -> Task {
        Task {
            arn: String::new(),
            id: String::new(),
            group: String::new(),
            started_by: String::new(),
            task_definition: format!("arn:aws:ecs:eu-west-1:1:task-definition/{revision}"),
            status: "RUNNING".to_owned(),
            wanted: "RUNNING".to_owned(),
            health: Some(health.to_owned()),
            zone: None,
            created: None,
            started: None,
            stopped: None,
            stop_code: None,
            stop_reason: None,
            containers: Vec::new(),
            addresses: Vec::new(),
        }
    }

    fn found(runs: &str, tasks: Vec<Task>, targets: Vec<TargetHealth>) -> Verification {
        let service = Service {
            arn: String::new(),
            name: String::new(),
            cluster: String::new(),
            status: "ACTIVE".to_owned(),
            desired: 2,
            running: 2,
            pending: 0,
            task_definition: format!("arn:aws:ecs:eu-west-1:1:task-definition/{runs}"),
            deployments: Vec::<Deployment>::new(),
            messages: Vec::new(),
        };
        let deployed = DeployedService {
            family: "connect".to_owned(),
            containers: Vec::new(),
            service: String::new(),
            task_definition: String::new(),
            log_group: String::new(),
            target_groups: Vec::new(),
            desired_count: String::new(),
            scalable_target: None,
            apis: Vec::new(),
        };
        let wanted = "arn:aws:ecs:eu-west-1:1:task-definition/c:2".to_owned();
        let mut verdict = Verification::default();
        Found { service, wanted, tasks, targets: vec![Ok(targets)] }.judge(&deployed, &mut verdict);
        verdict
    }

    #[test]
    fn what_was_asked_for_runs_and_is_well_or_it_is_said_what_does_not() {
        let well = || vec![task("c:2", "HEALTHY"), task("c:2", "UNKNOWN")];
        let targets = || vec![target("10.0.0.1", "healthy"), target("10.0.0.2", "healthy"), target("10.0.0.3", "draining")];
        let verdict = found("c:2", well(), targets());
        assert_eq!(verdict.verified, ["connect: 2 of 2 tasks run c:2, 2 healthy targets"]);
        assert!(verdict.differences.is_empty());
        let rolled_back = found("c:1", vec![task("c:1", "HEALTHY"), task("c:1", "HEALTHY")], targets());
        assert_eq!(rolled_back.differences, ["connect runs c:1, not c:2: ECS has rolled it back"]);
        let fewer = found("c:2", vec![task("c:2", "HEALTHY"), task("c:1", "HEALTHY")], targets());
        assert_eq!(fewer.differences, ["connect: 1 of 2 tasks of c:2 run"]);
        let ill = found("c:2", vec![task("c:2", "UNHEALTHY"), task("c:2", "HEALTHY")], targets());
        assert_eq!(ill.differences, ["connect: 1 of 2 tasks are unhealthy by their own health check"]);
        assert_eq!(found("c:2", well(), Vec::new()).differences, ["connect: its load balancer has no target"]);
    }

    #[test]
    fn a_target_that_is_not_healthy_is_named_with_its_reason() {
        let (well, said) = judge_targets(&[target("10.0.0.1", "healthy"), target("10.0.0.2", "unhealthy")]);
        assert_eq!(well, 1);
        assert_eq!(said.as_deref(), Some("1 of 2 targets are not healthy; 10.0.0.2 is unhealthy (Target.FailedHealthChecks)"));
    }
}
