//! `status`: how a stack is now, with an exit code for monitoring.

use super::project::{Request, load};
use super::world::{block_on, connect};
use crate::base::{Exit, Result};
use crate::cli::{Cli, StatusArgs};
use crate::deploy::{self, Verdict};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &StatusArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    let template = &ready.template;
    let status = block_on(async {
        let account = connect().await?;
        let mut status = deploy::status(&account, template).await?;
        if args.drift && status.verdict != Verdict::Absent {
            status.drift = Some(deploy::drift(&account, &template.stack_name).await?);
        }
        Ok(status)
    })?;
    ui.status(&status, &cli.project.again(name));
    Ok(status.verdict.exit())
}
