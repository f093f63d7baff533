//! `restart`: starts the tasks of services anew, a few at a time. A secret that was stored meanwhile is read again.
//!
//! Where a secret has a newer version than the stack knows, a stack update of that parameter rolls the tasks, so that the stack knows which
//! one they run with. The other services are rolled by ECS itself.

use std::collections::BTreeMap;

use super::project::{Request, load};
use super::scale::family;
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::aws::{Parameter, Stack};
use crate::base::{Code, Exit, Failure, Operation, Result};
use crate::cli::{Cli, RestartArgs};
use crate::deploy::{self, Beginning, Ending, Preparation, Status, Target, Wanted, What};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &RestartArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    let mut families: Vec<String> = Vec::new();
    for wanted in &args.services {
        let family = &family(&ready, wanted)?.family;
        if !families.contains(family) {
            families.push(family.clone());
        }
    }
    if args.services.is_empty() {
        families = ready.template.services.iter().map(|service| service.family.clone()).collect();
    }
    must_be_answerable("restart", cli, ui)?;
    block_on(async {
        let session = Session::begin("restart", cli, name, &ready, &args.watching).await?;
        restart(&session, families, ui).await
    })
}

async fn restart(session: &Session<'_>, families: Vec<String>, ui: &mut Ui) -> Result<Exit> {
    let stack = session.updatable().await?;
    let before = task_definitions(deploy::status(&session.account, &session.ready.template).await?);
    if let Some(exit) = with_new_secrets(session, &stack, ui).await?
        && exit != Exit::Done
    {
        return Ok(exit);
    }
    let status = deploy::status(&session.account, &session.ready.template).await?;
    let is_gone = |family: &&String| status.services.iter().any(|service| service.gone && service.service == **family);
    let gone: Vec<&str> = families.iter().filter(is_gone).map(String::as_str).collect();
    if !gone.is_empty() {
        return Err(Failure::new(Exit::Stuck, format!("{} can't be restarted", gone.join(", ")))
            .code(Code::STACK_STATE)
            .cause(deploy::GONE)
            .help(deploy::BACK)
            .into());
    }
    // What the stack update has rolled already need not be rolled again; what is in the files only is not deployed yet.
    let after = task_definitions(status);
    let left: Vec<String> =
        families.into_iter().filter(|family| after.contains_key(family) && after.get(family) == before.get(family)).collect();
    if left.is_empty() {
        return Ok(Exit::Done);
    }
    if !session.agreed(&format!("restart the tasks of {}?", left.join(", ")), ui).await? {
        return Ok(session.end_early(Operation::Update, Ending::Declined, None, ui));
    }
    let services = &session.ready.template.services;
    let mut target = Target::before(&session.account, Operation::Update, &stack.name, &stack.id, services).await?;
    for family in &left {
        if let Some(key) = target.watch.key(family) {
            session.account.restart_service(&key.cluster, &key.name).await?;
        }
    }
    target.rolling = left;
    let outcome = session.watch(target, ui).await;
    Ok(session.end(None, &outcome, ui))
}

/// Updates the versions of the secrets that the stack knows, where there are newer ones. `None`: there are none.
async fn with_new_secrets(session: &Session<'_>, stack: &Stack, ui: &mut Ui) -> Result<Option<Exit>> {
    let newest = deploy::secret_versions(&session.account, &session.ready.template).await?;
    let mut values = stack.parameters.clone();
    for (key, version) in newest {
        if let Some(value) = values.get_mut(&key) {
            *value = version;
        }
    }
    if values == stack.parameters {
        return Ok(None);
    }
    let parameters: Vec<Parameter> = values.into_iter().map(|(key, value)| Parameter { key, value }).collect();
    let request = Wanted {
        template: &session.ready.template,
        parameters: &parameters,
        beginning: Beginning::Update,
        current: Some(stack),
        bucket: None,
        what: What::Same,
    };
    match deploy::prepare(&session.account, request, session.interrupted()).await? {
        Preparation::Ready(prepared) => Ok(Some(session.carry_out(&prepared, "restart them with the new secret?", ui).await?)),
        Preparation::NoChanges => Ok(None),
        Preparation::Refused(refusal) => Err(refusal.failure().into()),
    }
}

/// What each family's service runs.
fn task_definitions(status: Status) -> BTreeMap<String, String> {
    let there = status.services.into_iter().filter(|service| !service.gone);
    there.map(|service| (service.service, service.revision)).collect()
}
