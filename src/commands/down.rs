//! `down`: shows what goes and what stays, asks, deletes, watches.

use super::project::{Ready, Request, load};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::base::{Code, Exit, Failure, Operation, Result};
use crate::cli::{Cli, DownArgs};
use crate::deploy::{self, Ending};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &DownArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    must_be_answerable("down", cli, ui)?;
    block_on(async {
        let session = Session::begin("down", cli, name, &ready, &args.watching).await?;
        down(&session, &ready, ui).await
    })
}

async fn down(session: &Session<'_>, ready: &Ready, ui: &mut Ui) -> Result<Exit> {
    let (account, template) = (&session.account, &ready.template);
    let name = &template.stack_name;
    let Some(stack) = account.stack(name).await?.filter(|stack| !stack.status.is_deleted()) else {
        return Ok(session.end_early(Operation::Delete, Ending::NoChanges, None, ui));
    };
    // A stack that was planned and never made may have no tags yet, and has nothing in it.
    if !(stack.status.is_review() && stack.tags.is_empty()) {
        deploy::ours(&stack, &template.tags)?;
    }
    if stack.status.is_running() {
        return Err(deploy::busy(account, &stack).await.into());
    }
    if stack.termination_protection {
        let remedy = "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name";
        return Err(Failure::usage(format!("the stack {name} is protected against deletion"))
            .code(Code::PROTECTED)
            .cause("its termination protection is on")
            .help(format!("if it shall go: {remedy} {name}"))
            .into());
    }
    ui.farewell(&deploy::farewell(account, &stack, &ready.stack, template).await?);
    if !session.agreed(&format!("delete {name}?"), ui).await? {
        return Ok(session.end_early(Operation::Delete, Ending::Declined, None, ui));
    }
    let outcome = session.delete(&stack, ui).await?;
    Ok(session.end(None, &outcome, ui))
}
