//! `scale SERVICE=COUNT`: a stack update in which only the parameters with the counts change; where x-scaling rules a count, its bounds in
//! the template that the stack has.

use std::collections::BTreeMap;
use std::env;

use serde_json::Value;

use super::project::{Ready, Request, load};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::aws::Parameter;
use crate::base::{Exit, Failure, Operation, Result, nearest};
use crate::cli::{Cli, ScaleArgs, ServiceCount};
use crate::cloudformation::DeployedService;
use crate::deploy::{self, Beginning, Ending, Outcome, Preparation, Storage, What};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &ScaleArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    let wanted: Vec<Wanted<'_>> = args.counts.iter().map(|count| Wanted::read(&ready, count)).collect::<Result<_>>()?;
    must_be_answerable("scale", cli, ui)?;
    block_on(async {
        let session = Session::begin("scale", cli, name, &ready, &args.watching).await?;
        scale(&session, &wanted, ui).await
    })
}

/// The family that is meant by its own name or by that of a compose service in it.
pub(super) fn family<'a>(ready: &'a Ready, wanted: &str) -> Result<&'a DeployedService> {
    let services = &ready.template.services;
    let own = services.iter().find(|service| service.family == wanted);
    let inside: Vec<&DeployedService> =
        services.iter().filter(|service| service.containers.iter().any(|name| name == wanted)).collect();
    if let (None, [first, _, ..]) = (own, inside.as_slice()) {
        let names: Vec<&str> = inside.iter().map(|service| service.family.as_str()).collect();
        return Err(Failure::usage(format!("{wanted} is a container of several services: {}", names.join(", ")))
            .help(format!("name one of them, as in {}", first.family))
            .into());
    }
    let found = own.or(inside.first().copied());
    let names: Vec<&str> = services.iter().map(|service| service.family.as_str()).collect();
    found.ok_or_else(|| {
        let failure = Failure::usage(format!("the project has no service {wanted}"));
        match nearest(wanted, names.iter().copied()) {
            Some(near) => failure.help(format!("did you mean {near}?")).into(),
            None => failure.help(format!("there are {}", names.join(", "))).into(),
        }
    })
}

/// What shall be of one service.
struct Wanted<'a> {
    service: &'a DeployedService,
    fewest: u16,
    most: u16,
}

impl<'a> Wanted<'a> {
    fn read(ready: &'a Ready, count: &ServiceCount) -> Result<Self> {
        let service = family(ready, &count.service)?;
        if service.scalable_target.is_none() && count.fewest != count.most {
            return Err(Failure::usage(format!("{} has no x-scaling, and so no bounds", service.family))
                .help(format!("give it one count, as in {}={}", service.family, count.most))
                .help("or add x-scaling with a Range, and run `up`")
                .into());
        }
        Ok(Self { service, fewest: count.fewest, most: count.most })
    }

    /// Sets the count; and the bounds in the template that the stack has, where scaling rules it. `running` is what it has chosen.
    fn set(&self, change: &mut Change, running: Option<u16>) -> std::result::Result<(), String> {
        let count = match &self.service.scalable_target {
            None => Some(self.fewest),
            Some(target) => {
                let properties = change.template.pointer_mut(&format!("/Resources/{target}/Properties"));
                let properties = properties.and_then(Value::as_object_mut).ok_or_else(|| format!("no resource {target}"))?;
                properties.insert("MinCapacity".to_owned(), self.fewest.into());
                properties.insert("MaxCapacity".to_owned(), self.most.into());
                // What scaling has chosen stays, as far as the new bounds let it.
                let outside = |running: &u16| !(self.fewest..=self.most).contains(running);
                running.filter(outside).map(|running| running.clamp(self.fewest, self.most))
            }
        };
        let Some(count) = count else { return Ok(()) };
        let key = &self.service.desired_count;
        let value = change.parameters.get_mut(key).ok_or_else(|| format!("no parameter {key}"))?;
        *value = count.to_string();
        Ok(())
    }
}

/// What the stack has, and then what it shall have.
#[derive(Clone, PartialEq)]
struct Change {
    template: Value,
    parameters: BTreeMap<String, String>,
}

async fn scale(session: &Session<'_>, wanted: &[Wanted<'_>], ui: &mut Ui) -> Result<Exit> {
    let stack = session.updatable().await?;
    let (account, template) = (&session.account, &session.ready.template);
    let text = account.stack_template(&stack.id).await?;
    let now = Change { template: serde_json::from_str(&text).unwrap_or_default(), parameters: stack.parameters.clone() };
    let mut then = now.clone();
    for wanted in wanted {
        let family = &wanted.service.family;
        let running = deploy::running_count(account, template, Some(&stack), family).await?;
        wanted.set(&mut then, running.and_then(|count| count.parse().ok())).map_err(|lacks| {
            Failure::usage(format!("the stack {} has {lacks} for {family}", stack.name))
                .cause("it was deployed from other files")
                .help("deploy these files with `up` first")
        })?;
    }
    if then == now {
        let outcome = Outcome { outputs: stack.outputs, ..Outcome::of(&stack.name, Operation::Update, Ending::NoChanges) };
        return Ok(session.end(None, &outcome, ui));
    }
    let parameters: Vec<Parameter> = then.parameters.into_iter().map(|(key, value)| Parameter { key, value }).collect();
    let bounded = (then.template != now.template).then(|| then.template.to_string());
    let bucket = match bounded.as_deref() {
        Some(text) => place(session, text).await?,
        None => None,
    };
    let request = deploy::Wanted {
        template,
        parameters: &parameters,
        beginning: Beginning::Update,
        current: Some(&stack),
        bucket: bucket.as_deref(),
        what: bounded.as_deref().map_or(What::Same, What::Earlier),
    };
    match deploy::prepare(account, request, session.interrupted()).await? {
        Preparation::Ready(prepared) => {
            let exit = session.carry_out(&prepared, "scale it so?", ui).await?;
            if exit == Exit::Done {
                let said = if bounded.is_some() { "deploy.replicas, and Range under x-scaling" } else { "deploy.replicas" };
                ui.note(&format!("the next `up` sets the counts that the compose files say ({said})"));
            }
            Ok(exit)
        }
        Preparation::NoChanges => Ok(session.end_early(Operation::Update, Ending::NoChanges, None, ui)),
        Preparation::Refused(refusal) => Err(refusal.failure().into()),
    }
}

/// The bucket for a template that is too large for a call: the one that `up` has made or was told of.
async fn place(session: &Session<'_>, text: &str) -> Result<Option<String>> {
    let named = env::var("CONFLUENT_ECS_BUCKET").ok().filter(|name| !name.is_empty());
    match deploy::storage(&session.account, text, named.as_deref()).await? {
        Storage::Inline => Ok(None),
        Storage::Bucket(bucket) => Ok(Some(bucket)),
        Storage::NewBucket(bucket) => Err(deploy::needs_a_bucket(&session.ready.template, &bucket).into()),
    }
}
