//! `scale SERVICE=COUNT`: a stack update in which only the parameters with the counts change.

use super::project::{Ready, Request, load};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::aws::Parameter;
use crate::base::{Exit, Failure, Operation, Result, nearest};
use crate::cli::{Cli, ScaleArgs, ServiceCount};
use crate::cloudformation::DeployedService;
use crate::deploy::{self, Beginning, Ending, Outcome, Preparation, Wanted, What};
use crate::stack::Need;
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &ScaleArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    let wanted: Vec<(String, u16)> = args.counts.iter().map(|count| parameter(&ready, count)).collect::<Result<_>>()?;
    must_be_answerable("scale", cli, ui)?;
    block_on(async {
        let session = Session::begin("scale", cli, name, &ready, &args.watching).await?;
        scale(&session, &wanted, ui).await
    })
}

/// The family that is meant by its own name or by that of a compose service in it.
pub(super) fn family<'a>(ready: &'a Ready, wanted: &str) -> Result<&'a DeployedService> {
    let services = &ready.template.services;
    let found = services.iter().find(|service| service.family == wanted || service.containers.iter().any(|name| name == wanted));
    let names: Vec<&str> = services.iter().map(|service| service.family.as_str()).collect();
    found.ok_or_else(|| {
        let failure = Failure::usage(format!("the project has no service {wanted}"));
        match nearest(wanted, names.iter().copied()) {
            Some(near) => failure.help(format!("did you mean {near}?")).into(),
            None => failure.help(format!("there are {}", names.join(", "))).into(),
        }
    })
}

/// The parameter with a service's count.
fn parameter(ready: &Ready, count: &ServiceCount) -> Result<(String, u16)> {
    let service = family(ready, &count.service)?;
    let need = ready.template.parameters.get(&service.desired_count).map(|parameter| &parameter.need);
    if matches!(need, Some(Need::DesiredCount { scaled: true, .. })) {
        return Err(Failure::usage(format!("the count of {} is ruled by its x-scaling", service.family))
            .cause("Application Auto Scaling would set it back")
            .help("change Range under x-scaling, then run `up`")
            .into());
    }
    Ok((service.desired_count.clone(), count.count))
}

async fn scale(session: &Session<'_>, wanted: &[(String, u16)], ui: &mut Ui) -> Result<Exit> {
    let stack = session.updatable().await?;
    let mut values = stack.parameters.clone();
    for (key, count) in wanted {
        let Some(value) = values.get_mut(key) else {
            return Err(Failure::usage(format!("the stack {} has no parameter {key}", stack.name))
                .cause("it was deployed from other files")
                .help("deploy these files with `up` first")
                .into());
        };
        *value = count.to_string();
    }
    if values == stack.parameters {
        let outcome = Outcome { outputs: stack.outputs, ..Outcome::of(&stack.name, Operation::Update, Ending::NoChanges) };
        return Ok(session.end(None, &outcome, ui));
    }
    let parameters: Vec<Parameter> = values.into_iter().map(|(key, value)| Parameter { key, value }).collect();
    let request = Wanted {
        template: &session.ready.template,
        parameters: &parameters,
        beginning: Beginning::Update,
        current: Some(&stack),
        bucket: None,
        what: What::Same,
    };
    match deploy::prepare(&session.account, request, session.interrupted()).await? {
        Preparation::Ready(prepared) => {
            let exit = session.carry_out(&prepared, "scale it so?", ui).await?;
            ui.note("the next `up` sets the counts that the compose files say (deploy.replicas)");
            Ok(exit)
        }
        Preparation::NoChanges => Ok(session.end_early(Operation::Update, Ending::NoChanges, None, ui)),
        Preparation::Refused(refusal) => Err(refusal.failure().into()),
    }
}
