//! `up`: preflight → plan → confirm → deploy → watch.

use super::preflight;
use super::project::{Ready, Request, load, placed};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::aws::Stack;
use crate::base::{Exit, Operation, Result};
use crate::cli::{Cli, UpArgs};
use crate::deploy::{self, Beginning, Ending, Outcome, Preparation, Prepared, Target};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &UpArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    must_be_answerable("up", cli, ui)?;
    if args.skip_preflight {
        ui.note("preflight skipped, as asked for: nothing is known of Kafka, network and secrets");
    } else if let Some(exit) = preflight::before_deploy(&cli.project, name, args.strict, cli.display.yes, ui)? {
        return Ok(exit);
    }
    block_on(async {
        let session = Session::begin("confluent-ecs/up/v1", cli, name, &ready, args.timeout).await?;
        up(&session, args, &ready, ui).await
    })
}

async fn up(session: &Session<'_>, args: &UpArgs, ready: &Ready, ui: &mut Ui) -> Result<Exit> {
    let (account, template) = (&session.account, &ready.template);
    let current = account.stack(&template.stack_name).await?;
    let beginning = deploy::beginning(&template.stack_name, current.as_ref(), &template.tags, args.adopt)?;
    let parameters = deploy::parameters(account, template, current.as_ref()).await;
    let parameters = parameters.map_err(|error| placed(error, &ready.project))?;
    if beginning == Beginning::DeleteFirst
        && let Some(stack) = &current
        && let Some(exit) = delete_remains(session, stack, ui).await?
    {
        return Ok(exit);
    }
    let operation = beginning.operation();
    let prepared = match deploy::prepare(account, template, &parameters, beginning).await? {
        Preparation::Ready(prepared) => prepared,
        Preparation::NoChanges => {
            let outputs = current.map(|stack| stack.outputs).unwrap_or_default();
            let outcome = Outcome { outputs, ..Outcome::of(&template.stack_name, operation, Ending::NoChanges) };
            return Ok(session.end(None, &outcome, ui));
        }
    };
    ui.plan(&prepared.plan);
    match execute_if_agreed(session, &prepared, operation, ui).await {
        Ok(Some(target)) => {
            let outcome = session.watch(target, ui).await;
            Ok(session.end(Some(&prepared.plan), &outcome, ui))
        }
        Ok(None) => {
            prepared.discard(account).await?;
            Ok(session.end_early(operation, Ending::Declined, Some(&prepared.plan), ui))
        }
        Err(error) => {
            // What stopped us says more than a second failure while cleaning up after it.
            let _ = prepared.discard(account).await;
            Err(error)
        }
    }
}

/// Executes with consent, and gives what is to be watched.
async fn execute_if_agreed(
    session: &Session<'_>,
    prepared: &Prepared,
    operation: Operation,
    ui: &mut Ui,
) -> Result<Option<Target>> {
    if !session.agreed("deploy this?", ui).await? {
        return Ok(None);
    }
    let template = &session.ready.template;
    let target =
        Target::before(&session.account, operation, &template.stack_name, &prepared.stack_id, &template.services).await?;
    prepared.execute(&session.account).await?;
    Ok(Some(target))
}

/// Deletes what a failed first creation has left, with consent. Gives the exit where the deploy ends with it.
async fn delete_remains(session: &Session<'_>, stack: &Stack, ui: &mut Ui) -> Result<Option<Exit>> {
    ui.note(&format!("the creation of {} failed ({}); what is left of it must be deleted first", stack.name, stack.status));
    if !session.agreed("delete what is left of it?", ui).await? {
        return Ok(Some(session.end_early(Operation::Delete, Ending::Declined, None, ui)));
    }
    let outcome = session.delete(stack, ui).await?;
    Ok((outcome.ending != Ending::Complete).then(|| session.end(None, &outcome, ui)))
}
