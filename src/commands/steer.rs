//! What a person can decide while a stack is watched: to leave it to itself, to cancel it, to stop a service that only fails.

use std::time::Duration;

use super::session::Session;
use crate::base::{Failing, Operation};
use crate::cli::OnFailing;
use crate::deploy::{self, Target};
use crate::ui::{Progress, Ui};

/// A second Ctrl-C within this offers to cancel.
const SECOND: Duration = Duration::from_secs(3);

/// After a Ctrl-C: whether to leave. The operation goes on in AWS either way, unless the user cancels it; then it is watched to its end.
pub(super) async fn leave(session: &Session<'_>, target: &mut Target, progress: &mut Progress, ui: &mut Ui) -> bool {
    // A deletion can't be cancelled, and a rollback is what a cancellation leads to.
    let can_cancel = target.operation != Operation::Delete && !target.watch.is_rolling_back();
    if !(ui.can_ask() && can_cancel) {
        return true;
    }
    session.interrupt.take();
    progress.pause();
    ui.note("no longer watching; press Ctrl-C again now to cancel what is going on in AWS");
    tokio::select! {
        () = session.interrupt.wait() => {}
        () = tokio::time::sleep(SECOND) => return true,
    }
    session.interrupt.take();
    let question = match target.operation {
        Operation::Create => "delete what was created so far?",
        _ => "cancel the update, and have what it did rolled back?",
    };
    let cancelled = match ui.confirm_unless(question, session.interrupt.wait()).await {
        Ok(Some(true)) => cancel(session, target, ui).await,
        _ => false,
    };
    progress.resume();
    !cancelled
}

/// After too many failed tasks: what the arguments say, or the user.
pub(super) async fn decide(session: &Session<'_>, target: &mut Target, failing: &Failing, progress: &mut Progress, ui: &mut Ui) {
    if target.operation == Operation::Delete || target.stopped.contains(&failing.service) {
        return;
    }
    let way = match session.watching.on_failing {
        OnFailing::Ask if ui.can_ask() && !session.yes => {
            progress.pause();
            let ways = [
                ('w', "wait on"),
                ('s', "stop its tasks: set the count to 0, so that CloudFormation can end"),
                ('c', "cancel: have CloudFormation take back what it did"),
            ];
            let tasks = if failing.tasks == 1 { "1 task".to_owned() } else { format!("{} tasks", failing.tasks) };
            let question = format!("{tasks} of {} failed. What now?", failing.service);
            let chosen = ui.decide_unless(&question, &ways, session.interrupt.wait()).await;
            progress.resume();
            match chosen {
                Ok(Some('s')) => OnFailing::Stop,
                Ok(Some('c')) => OnFailing::Cancel,
                _ => OnFailing::Wait,
            }
        }
        OnFailing::Ask => OnFailing::Wait,
        said => said,
    };
    match way {
        OnFailing::Stop => stop(session, target, &failing.service, ui).await,
        OnFailing::Cancel => {
            cancel(session, target, ui).await;
        }
        OnFailing::Wait | OnFailing::Ask => {}
    }
}

/// Cancels what is going on. What can't be cancelled goes on being watched, and why it can't is said.
async fn cancel(session: &Session<'_>, target: &Target, ui: &mut Ui) -> bool {
    let token = deploy::token(&session.account);
    let asked = match target.operation {
        Operation::Create => session.account.delete_stack(&target.stack_id, &token).await,
        _ => session.account.cancel_update(&target.stack_id, &token).await,
    };
    if let Err(error) = &asked {
        ui.failure(&error.failure());
    }
    asked.is_ok()
}

/// Sets a service's count to nothing.
async fn stop(session: &Session<'_>, target: &mut Target, service: &str, ui: &mut Ui) {
    let Some(key) = target.watch.key(service) else { return };
    match session.account.set_desired_count(&key.cluster, &key.name, 0).await {
        Ok(()) => target.stopped.push(service.to_owned()),
        Err(error) => ui.failure(&error.failure()),
    }
}
