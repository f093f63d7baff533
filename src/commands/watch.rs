//! `watch`: takes up the watch of a run that goes on in AWS, from its journal or from the stack's own events.

use super::project::{Ready, Request, load};
use super::session::Session;
use super::world::block_on;
use crate::base::{Exit, Failure, Result};
use crate::cli::{Cli, WatchVerbArgs};
use crate::deploy::Target;
use crate::deploy::journal::{self, Journal, Run};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &WatchVerbArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    block_on(async {
        let session = Session::begin("watch", cli, name, &ready, &args.watching).await?;
        watch(&session, args, &ready, ui).await
    })
}

async fn watch(session: &Session<'_>, args: &WatchVerbArgs, ready: &Ready, ui: &mut Ui) -> Result<Exit> {
    let account = &session.account;
    let name = &ready.template.stack_name;
    let mine = |run: &Run| {
        run.header.stack == *name && run.header.account == account.caller.account && run.header.region == account.region
    };
    let directory = &ready.project.directory;
    let run = match &args.run {
        Some(id) => Some(journal::read(directory, id).filter(mine).ok_or_else(|| {
            Failure::usage(format!("there is no run {id} of {name} in this account"))
                .cause("none of this name under .confluent-ecs/runs is about this stack")
                .help("leave the name out: the newest one is taken")
        })?),
        None => journal::runs(directory).into_iter().find(mine),
    };
    let running = account.stack(name).await?.filter(|stack| stack.status.is_running());
    let mut run = run.filter(Run::is_open);
    if let (Some(open), Some(_), None) = (&run, &running, &args.run)
        && Target::is_overtaken(account, open).await?
    {
        ui.note(&format!("{} is over, and something else is under way", open.id));
        run = None;
    }
    if let Some(run) = run {
        ui.note(&format!("taking up {}", run.id));
        let target = Target::resumed(account, &run).await?;
        let mut progress = ui.progress();
        for event in &run.events {
            progress.recall(event);
        }
        let mut journal = Journal::resume(&run);
        if let Some(error) = journal.lost() {
            ui.note(&format!("the journal of {} is not gone on with: it can't be written ({error})", run.id));
        }
        let outcome = session.follow(target, journal, progress, ui).await;
        return Ok(session.end(None, &outcome, ui));
    }
    let Some(stack) = running else {
        return Err(Failure::usage(format!("nothing is under way on {name}"))
            .cause("no run of this project goes on, and CloudFormation is not at work on the stack")
            .help("`confluent-ecs status` shows how the stack is")
            .into());
    };
    let target = Target::under_way(account, &stack, &ready.template.services).await?;
    let outcome = session.watch(target, ui).await;
    Ok(session.end(None, &outcome, ui))
}
