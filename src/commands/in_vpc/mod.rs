//! `--in-vpc`: what is known here → a task for each service → its report → one report.

mod image;
mod inside;
mod named;
mod pulling;
mod support;
mod task;

pub(super) use inside::run as inside;
pub(super) use pulling::EcrRepository;

use std::time::Instant;

use futures_util::future::join_all;
use tokio::sync::mpsc;

use self::image::Source;
use self::support::{Ensured, Support};
use self::task::{Told, Work, patience};
use super::project::{Ready, placed};
use super::world::Interrupt;
use crate::aws::Account;
use crate::base::{Code, Error, Failure, Result};
use crate::cli::InVpcArgs;
use crate::cloudformation::{Parts, Template};
use crate::confluent;
use crate::deploy;
use crate::deploy::one_off::{Known, RunId, Unsaid, subnets};
use crate::preflight::inside::split;
use crate::preflight::{self, Input, Report, Selection, Vantage};
use crate::stack::{Part, Text};
use crate::ui::Ui;

/// The variable that holds the task's plan.
const PLAN: &str = "CONFLUENT_ECS_INSIDE_PLAN";

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) args: &'a InVpcArgs,
    pub(super) selection: &'a Selection,
    pub(super) wait: Option<std::time::Duration>,
    pub(super) yes: bool,
    pub(super) interrupt: &'a Interrupt,
}

/// How it ended.
pub(super) enum Checked {
    Report(Box<Report>),
    /// Somebody said no, or left; what that leaves as it is.
    Stopped(String),
}

/// Runs the checks that need no VPC from here and the others in it.
pub(super) async fn check(asked: &Asked<'_>, ready: &Ready, input: &Input, account: &Account, ui: &mut Ui) -> Result<Checked> {
    let started = Instant::now();
    let interrupt = asked.interrupt;
    let (here, there) = split(asked.selection);
    if !preflight::Category::ALL.iter().any(|category| there.takes(*category)) {
        ui.note("none of these checks needs the VPC: no task is started");
        return Ok(Checked::Report(Box::new(preflight::run(input, &here, Vantage::Unknown).await)));
    }
    let mut source = image::source(asked.args)?;
    let services = families(&ready.template, input)?;
    let looking = async {
        let (known, gaps) = known(account, &ready.template).await?;
        let subnets = placed_in(&services, ready, &known, gaps.as_ref())?;
        let program = match &mut source {
            Source::Image(program) => Some(program),
            Source::File { .. } => None,
        };
        named::must_fit(asked.args, account, &known, &subnets, program, ui).await?;
        Ok::<_, Error>((known, gaps))
    };
    let (known, gaps) = tokio::select! {
        looked = looking => looked?,
        () = interrupt.wait() => return Ok(Checked::Stopped("nothing was changed".to_owned())),
    };
    let parts: Vec<(String, Parts)> = services.iter().map(|service| (service.name.clone(), service.parts.clone())).collect();
    let support = match Support::ensure(asked, ready, &parts, account, known, gaps.as_ref(), &source, ui).await? {
        Ensured::There(support) => support,
        Ensured::Stopped(what) => return Ok(Checked::Stopped(what)),
    };
    let image = tokio::select! {
        pushed = image::push(account, &support, source, ui) => pushed?,
        () = interrupt.wait() => {
            let what = "layers that have arrived are not sent a second time";
            return Ok(Checked::Stopped(support.stays(what)));
        }
    };
    let run = RunId::now(patience(asked).overall);
    let (tell, mut told) = mpsc::unbounded_channel::<Told>();
    let mut works = Vec::new();
    for service in &services {
        let container = service.container(ready)?;
        let work = Work::of(asked, ready, input, &there, service, container, &support, &image, &run);
        works.push(work?);
    }
    let tasks = join_all(works.iter().map(|work| work.carry_out(account, interrupt, tell.clone())));
    let from_here = async {
        tokio::select! {
            report = preflight::run(input, &here, Vantage::Unknown) => report.checks,
            () = interrupt.wait() => Vec::new(),
        }
    };
    let running = async {
        let both = futures_util::future::join(tasks, from_here).await;
        drop(tell);
        both
    };
    let mut running = Box::pin(running);
    let (ended, from_here) = loop {
        tokio::select! {
            both = &mut running => break both,
            Some(told) = told.recv() => ui.inside(&told.service, &told.what),
        }
    };
    while let Ok(told) = told.try_recv() {
        ui.inside(&told.service, &told.what);
    }
    if interrupt.happened() {
        let left: Vec<String> = ended.iter().flat_map(task::Outcome::left).cloned().collect();
        let what =
            if left.is_empty() { "no task is left of it".to_owned() } else { format!("not taken away: {}", left.join("; ")) };
        return Ok(Checked::Stopped(support.stays(&what)));
    }
    let mut checks = from_here;
    for (work, ended) in works.iter().zip(ended) {
        checks.extend(work.checks(input, &there, ended));
    }
    Ok(Checked::Report(Box::new(preflight::inside::joined(input, checks, started.elapsed()))))
}

/// The small stack as it is made while nothing of the service is there.
pub(super) fn small_stack(ready: &Ready) -> Result<Template> {
    let Ready { project, extensions, catalogue, template, .. } = ready;
    let known = confluent::services(catalogue, project, extensions, &std::collections::BTreeMap::new());
    let names: Vec<&str> = known.iter().map(|service| service.name).collect();
    support::small_stack(template, &names).ok_or_else(|| {
        let failure = Failure::usage("no service of the project runs a component that is known here");
        failure.help("--in-vpc checks those, and makes nothing for others").into()
    })
}

/// A service that a task stands for.
pub(super) struct Service {
    name: String,
    deployed: crate::cloudformation::DeployedService,
    parts: Parts,
}

impl Service {
    fn container<'a>(&self, ready: &'a Ready) -> Result<&'a crate::stack::Container> {
        let containers = ready.stack.families.iter().flat_map(|family| &family.containers);
        let found = containers.into_iter().find(|container| container.name == self.name);
        found.ok_or_else(|| Failure::fault(format!("{} is in no task definition", self.name)).into())
    }
}

fn families(template: &Template, input: &Input) -> Result<Vec<Service>> {
    let mut found = Vec::new();
    for service in &input.services {
        let deployed = template.services.iter().find(|deployed| deployed.containers.contains(&service.name));
        let parts = deployed.and_then(|deployed| template.parts(&deployed.family));
        let (Some(deployed), Some(parts)) = (deployed, parts) else {
            let failure = Failure::usage(format!("{} has no task definition of its own in the template", service.name));
            return Err(failure.code(Code::IN_VPC_UNSAID).into());
        };
        found.push(Service { name: service.name.clone(), deployed: deployed.clone(), parts });
    }
    Ok(found)
}

/// The subnets of all services' tasks: without a network there is nothing to make anything for.
fn placed_in(services: &[Service], ready: &Ready, known: &Known, gaps: Option<&crate::base::Findings>) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for service in services {
        match (subnets(&ready.template, &service.deployed, known), gaps) {
            (Ok(subnets), _) => found.extend(subnets),
            // What isn't there says more than what refers to it.
            (Err(_), Some(findings)) => return Err(placed(Error::Findings(findings.clone()), &ready.project)),
            (Err(unsaid), None) => return Err(unplaced(&unsaid).into()),
        }
    }
    Ok(found)
}

fn unplaced(unsaid: &Unsaid) -> Failure {
    Failure::usage("the task has no network to run in yet")
        .code(Code::IN_VPC_UNSAID)
        .cause(unsaid)
        .help("deploy once with `confluent-ecs up`, or make the network first and name it in the files")
}

/// What the template's expressions stand for in this account: parameters by their lookups, resources by what the service's stack has.
/// Beside, what the lookups did not find.
async fn known(account: &Account, template: &Template) -> Result<(Known, Option<crate::base::Findings>)> {
    let current = account.stack(&template.stack_name).await?;
    let current = current.filter(|stack| !stack.status.is_deleted() && !stack.status.is_review());
    let (found, gaps) = deploy::look_up(account, template, current.as_ref()).await?;
    let mut values: std::collections::BTreeMap<String, String> =
        found.into_iter().map(|parameter| (parameter.key, parameter.value)).collect();
    for (name, parameter) in &template.parameters {
        if let Some(default) = &parameter.default {
            values.entry(name.clone()).or_insert_with(|| default.clone());
        }
    }
    let physical = match &current {
        Some(stack) => resources(account, &stack.id).await?,
        None => std::collections::BTreeMap::new(),
    };
    let caller = account.caller.arn.split(':').nth(1).filter(|partition| !partition.is_empty());
    let known = Known {
        account: account.caller.account.clone(),
        region: account.region.clone(),
        partition: caller.unwrap_or("aws").to_owned(),
        stack: template.stack_name.clone(),
        values,
        physical,
        kinds: template
            .resource_values()
            .into_iter()
            .filter_map(|(id, resource)| Some((id, resource["Type"].as_str()?.to_owned())))
            .collect(),
    };
    Ok((known, Some(gaps).filter(|gaps| !gaps.is_empty())))
}

/// What a stack has, by logical id.
async fn resources(account: &Account, stack: &str) -> Result<std::collections::BTreeMap<String, String>> {
    let resources = account.stack_resources(stack).await?;
    let there = resources.into_iter().filter(|resource| {
        !resource.status.starts_with("DELETE") && resource.status != "CREATE_FAILED" && resource.status != "CREATE_IN_PROGRESS"
    });
    Ok(there.filter_map(|resource| Some((resource.logical, resource.physical?))).collect())
}

/// The tags of what a run starts.
fn tags(ready: &Ready, known: &Known) -> crate::aws::Tags {
    let text = |value: &Text| {
        let parts = value.parts().iter().map(|part| match part {
            Part::Literal(text) => text.as_str(),
            Part::AccountId => &known.account,
            Part::Region => &known.region,
            Part::UrlSuffix => known.url_suffix(),
        });
        parts.collect::<String>()
    };
    ready.stack.tags.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}
