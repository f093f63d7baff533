//! `logs`: what the containers of the services write, of all tasks together.

use std::collections::BTreeSet;
use std::time::Duration;

use super::project::{Request, load};
use super::world::{Interrupt, block_on, connect};
use crate::aws::Account;
use crate::base::{Exit, Failure, Moment, Result};
use crate::cli::{Cli, LogsArgs, Output};
use crate::cloudformation::Template;
use crate::deploy::{self, LogEntry, LogSource};
use crate::ui::Ui;

/// How often a follower looks.
const PAUSE: Duration = Duration::from_secs(2);
/// CloudWatch may show a line some seconds after an older look has passed its moment.
const LATE: i64 = 15_000;

pub(super) fn run(cli: &Cli, args: &LogsArgs, ui: &mut Ui) -> Result<Exit> {
    if args.follow && cli.display.output == Output::Json {
        return Err(Failure::usage("a document that never ends can't be printed")
            .help("use --output jsonl with --follow")
            .into());
    }
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    let template = &ready.template;
    block_on(async {
        // From before the first line: who has seen enough then ends it in good order, too.
        let interrupt = args.follow.then(Interrupt::listen);
        let enough = async {
            match &interrupt {
                Some(interrupt) => interrupt.wait().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            shown = show(args, template, ui) => shown,
            () = enough => Ok(Exit::Done),
        }
    })
}

async fn show(args: &LogsArgs, template: &Template, ui: &mut Ui) -> Result<Exit> {
    let account = connect().await?;
    let (service, container) = (args.service.as_deref(), args.container.as_deref());
    let sources = deploy::log_sources(&account, &template.stack_name, &template.services, service, container).await?;
    let since = Moment::from_millis(Moment::now().millis() - i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX));
    let mut seen = BTreeSet::new();
    let mut entries = read(&account, &sources, args, since, &mut seen).await?;
    let skipped = entries.len().saturating_sub(args.tail.unwrap_or(usize::MAX));
    entries.drain(..skipped);
    ui.log_entries(&entries, !args.follow);
    if !args.follow {
        return Ok(Exit::Done);
    }
    let mut last = entries.last().map_or(since, |entry| entry.at);
    loop {
        tokio::time::sleep(PAUSE).await;
        let from = Moment::from_millis(last.millis() - LATE);
        match read(&account, &sources, args, from, &mut seen).await {
            Ok(entries) => {
                last = entries.iter().map(|entry| entry.at).max().unwrap_or(last).max(last);
                ui.log_entries(&entries, false);
            }
            Err(error) if error.may_pass() => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The entries that were not seen yet, oldest first.
async fn read(
    account: &Account,
    sources: &[LogSource],
    args: &LogsArgs,
    from: Moment,
    seen: &mut BTreeSet<String>,
) -> std::result::Result<Vec<LogEntry>, crate::aws::CallError> {
    let mut entries = Vec::new();
    for source in sources {
        for entry in deploy::log_entries(account, source, from).await? {
            let wanted = args.grep.as_ref().is_none_or(|text| entry.text.contains(text.as_str()));
            if seen.insert(entry.id.clone()) && wanted {
                entries.push(entry);
            }
        }
    }
    entries.sort_by_key(|entry| entry.at);
    Ok(entries)
}
