//! `rollback`: cancels an update that is under way, brings a failed one back, or deploys again what was verified before.

use super::project::{Request, load};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::aws::{Parameter, Stack};
use crate::base::{Exit, Failure, Operation, Result};
use crate::cli::{Cli, RollbackArgs};
use crate::deploy::journal::{self, Verified};
use crate::deploy::{self, Beginning, Ending, Preparation, Storage, Target, Wanted, What};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &RollbackArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    must_be_answerable("rollback", cli, ui)?;
    block_on(async {
        let session = Session::begin("rollback", cli, name, &ready, &args.watching).await?;
        rollback(&session, args, ui).await
    })
}

async fn rollback(session: &Session<'_>, args: &RollbackArgs, ui: &mut Ui) -> Result<Exit> {
    let (account, template) = (&session.account, &session.ready.template);
    let Some(stack) = account.stack(&template.stack_name).await?.filter(|stack| !stack.status.is_deleted()) else {
        return Err(Failure::usage(format!("{} is not deployed", template.stack_name)).into());
    };
    match deploy::beginning(Some(&stack), &template.tags, false)? {
        Beginning::Update => to_the_last_verified(session, args, &stack, ui).await,
        beginning @ (Beginning::ContinueRollback | Beginning::RollBackFirst) => {
            ui.note(&format!("{} is in {}", stack.name, stack.status));
            if !session.agreed("bring it back to what it was?", ui).await? {
                return Ok(session.end_early(Operation::Update, Ending::Declined, None, ui));
            }
            let outcome = session.roll_back(&stack, beginning, ui).await?;
            let exit = session.end(None, &outcome, ui);
            Ok(if outcome.ending == Ending::RolledBack { Exit::Done } else { exit })
        }
        Beginning::Busy if stack.status.as_str() == "UPDATE_IN_PROGRESS" => cancel(session, &stack, ui).await,
        Beginning::Busy => Err(deploy::busy(account, &stack).await.into()),
        Beginning::Create { .. } | Beginning::DeleteFirst => {
            Err(Failure::usage(format!("there is nothing that {} could go back to ({})", stack.name, stack.status))
                .help("`confluent-ecs up` makes it anew, `confluent-ecs down` clears it away")
                .into())
        }
    }
}

/// Cancels the update that is under way, whoever began it, and watches it go back.
async fn cancel(session: &Session<'_>, stack: &Stack, ui: &mut Ui) -> Result<Exit> {
    ui.note(&format!("an update of {} is under way", stack.name));
    if !session.agreed("cancel it, and have what it did rolled back?", ui).await? {
        return Ok(session.end_early(Operation::Update, Ending::Declined, None, ui));
    }
    let target = Target::under_way(&session.account, stack, &session.ready.template.services).await?;
    session.account.cancel_update(&stack.id, &deploy::token(&session.account)).await?;
    let outcome = session.watch(target, ui).await;
    let exit = session.end(None, &outcome, ui);
    Ok(if outcome.ending == Ending::RolledBack { Exit::Done } else { exit })
}

/// Deploys again what was verified before what the stack has now.
async fn to_the_last_verified(session: &Session<'_>, args: &RollbackArgs, stack: &Stack, ui: &mut Ui) -> Result<Exit> {
    let account = &session.account;
    let now = account.stack_template(&stack.id).await?;
    let other = |kept: &Verified| {
        let here = kept.stack == stack.name && kept.account == account.caller.account && kept.region == account.region;
        here && (kept.template != now || kept.parameters != stack.parameters)
    };
    let Some(kept) = journal::verified(&session.ready.project.directory).into_iter().find(other) else {
        return Err(Failure::usage(format!("nothing else than what {} has now was verified from this folder", stack.name))
            .cause("what `up` has deployed and verified is kept under .confluent-ecs/runs, where it ran")
            .help("take the compose files of then, and run `up`")
            .into());
    };
    ui.note(&format!("going back to what {} has deployed and verified at {}", kept.run, kept.at));
    let bucket = match deploy::storage(account, &kept.template, args.bucket.as_deref()).await? {
        Storage::Inline => None,
        Storage::Bucket(bucket) => Some(bucket),
        Storage::NewBucket(bucket) => return Err(deploy::needs_a_bucket(&session.ready.template, &bucket).into()),
    };
    let parameters: Vec<Parameter> = kept.parameters.into_iter().map(|(key, value)| Parameter { key, value }).collect();
    let request = Wanted {
        template: &session.ready.template,
        parameters: &parameters,
        beginning: Beginning::Update,
        current: Some(stack),
        bucket: bucket.as_deref(),
        what: What::Earlier(&kept.template),
    };
    match deploy::prepare(account, request, session.interrupted()).await? {
        Preparation::Ready(prepared) => session.carry_out(&prepared, "go back so?", ui).await,
        Preparation::NoChanges => Ok(session.end_early(Operation::Update, Ending::NoChanges, None, ui)),
        Preparation::Refused(refusal) => Err(refusal.failure().into()),
    }
}
