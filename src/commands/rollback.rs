//! `rollback`: cancels an update that is under way, brings a failed one back, or deploys again what was verified before.

use super::project::{Request, load};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::aws::{Parameter, Stack};
use crate::base::{Code, Exit, Failure, Operation, Result};
use crate::cli::{Cli, RollbackArgs};
use crate::deploy::{self, Beginning, Ending, Preparation, Storage, Target, Wanted, What};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &RollbackArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    must_be_answerable("rollback", cli, ui)?;
    block_on(async {
        let session = Session::begin("rollback", cli, name, &ready, &args.watching).await?;
        let session = session.kept_in(args.bucket.as_deref());
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
            Ok(session.end(None, &outcome, ui))
        }
        Beginning::Busy if stack.status.as_str() == "UPDATE_IN_PROGRESS" => cancel(session, &stack, ui).await,
        Beginning::Busy => Err(deploy::busy(account, &stack).await.into()),
        Beginning::Create { .. } | Beginning::DeleteFirst => {
            Err(Failure::usage(format!("there is nothing that {} could go back to ({})", stack.name, stack.status))
                .code(Code::NOTHING_TO_GO_BACK_TO)
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
    let mut target = Target::under_way(&session.account, stack, &session.ready.template.services).await?;
    target.way_back = true;
    session.account.cancel_update(&stack.id, &deploy::token(&session.account)).await?;
    let outcome = session.watch(target, ui).await;
    Ok(session.end(None, &outcome, ui))
}

/// Deploys again what was verified before what the stack has now.
async fn to_the_last_verified(session: &Session<'_>, args: &RollbackArgs, stack: &Stack, ui: &mut Ui) -> Result<Exit> {
    let account = &session.account;
    let now = account.stack_template(&stack.id).await?;
    let (directory, bucket) = (&session.ready.project.directory, args.bucket.as_deref());
    let kept = deploy::last_other(account, directory, bucket, stack, &now).await;
    let Some(verified) = kept.found else {
        return Err(Failure::usage(format!("nothing else than what {} has now is known to have been verified", stack.name))
            .code(Code::NOTHING_TO_GO_BACK_TO)
            .cause(format!("looked in {}", kept.looked.join(", and in ")))
            .help("take the compose files of then, and run `up`")
            .into());
    };
    ui.note(&format!("going back to what {} has deployed and verified at {}", verified.run, verified.at));
    let bucket = match deploy::storage(account, &verified.template, args.bucket.as_deref()).await? {
        Storage::Inline => None,
        Storage::Bucket(bucket) => Some(bucket),
        Storage::NewBucket(bucket) => return Err(deploy::needs_a_bucket(&session.ready.template, &bucket).into()),
    };
    let parameters: Vec<Parameter> = verified.parameters.into_iter().map(|(key, value)| Parameter { key, value }).collect();
    let request = Wanted {
        template: &session.ready.template,
        parameters: &parameters,
        beginning: Beginning::Update,
        current: Some(stack),
        bucket: bucket.as_deref(),
        what: What::Earlier(&verified.template),
    };
    match deploy::prepare(account, request, session.interrupted()).await? {
        Preparation::Ready(prepared) => session.carry_out(&prepared, "go back so?", ui).await,
        Preparation::NoChanges => Ok(session.end_early(Operation::Update, Ending::NoChanges, None, ui)),
        Preparation::Refused(refusal) => Err(refusal.failure().into()),
    }
}
