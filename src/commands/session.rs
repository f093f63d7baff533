//! What the verbs that change a stack share: the account, the project, consent, the watch and its end.

use super::project::Ready;
use super::steer;
use super::world::{Interrupt, connect};
use crate::aws::{Account, Stack};
use crate::base::{Deadline, Event, Exit, Failure, Moment, Operation, Result};
use crate::cli::{Cli, WatchArgs};
use crate::deploy::journal::{Header, Journal, Note};
use crate::deploy::{self, Beginning, Ending, Outcome, Pause, Plan, Target};
use crate::ui::{Progress, Ui};

/// One run of a verb on one stack.
pub(super) struct Session<'a> {
    pub(super) account: Account,
    pub(super) ready: &'a Ready,
    verb: &'static str,
    /// How the same project and stack are typed again.
    again: String,
    pub(super) yes: bool,
    pub(super) interrupt: Interrupt,
    pub(super) watching: WatchArgs,
}

impl<'a> Session<'a> {
    /// Connects, and takes Ctrl-C into its own hands. Inside the runtime.
    pub(super) async fn begin(
        verb: &'static str,
        cli: &Cli,
        name: Option<&str>,
        ready: &'a Ready,
        watching: &WatchArgs,
    ) -> Result<Self> {
        let account = connect().await?;
        let again = cli.project.again(name);
        let interrupt = Interrupt::listen();
        Ok(Self { account, ready, verb, again, yes: cli.display.yes, interrupt, watching: watching.clone() })
    }

    /// Whether the user says yes; a Ctrl-C is a no.
    pub(super) async fn agreed(&self, question: &str, ui: &mut Ui) -> Result<bool> {
        let agreed = self.yes || ui.confirm_unless(question, self.interrupt.wait()).await? == Some(true);
        Ok(agreed && !self.interrupt.happened())
    }

    /// Watches what was begun to its end, or until the user leaves, and keeps a journal of it.
    pub(super) async fn watch(&self, target: Target, ui: &mut Ui) -> Outcome {
        let header = Header {
            at: target.began,
            verb: self.verb.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            operation: target.operation,
            stack: target.stack.clone(),
            stack_id: target.stack_id.clone(),
            account: self.account.caller.account.clone(),
            region: self.account.region.clone(),
            caller: self.account.caller.arn.clone(),
            marker: target.marker.clone(),
            services: target.services.clone(),
            known: target.watch.before(),
        };
        let journal = Journal::begin(&self.ready.project.directory, header).unwrap_or_else(|refused| {
            let (none, error) = *refused;
            ui.note(&format!("no journal of this run is kept: .confluent-ecs/runs can't be written ({error})"));
            none
        });
        self.follow(target, journal, ui.progress(), ui).await
    }

    /// Watches on, with a journal and a view that may have begun earlier.
    pub(super) async fn follow(&self, mut target: Target, mut journal: Journal, mut progress: Progress, ui: &mut Ui) -> Outcome {
        let deadline = Deadline::after(self.watching.timeout);
        target.watch.set_patience(self.watching.failing_tasks.into());
        let (ending, trouble) = loop {
            let mut tell = |event: &Event| {
                journal.event(event);
                progress.show(event);
            };
            let pause = deploy::watch(&self.account, &mut target, deadline, self.interrupt.wait(), &mut tell).await;
            match pause {
                Pause::Ended(ending, trouble) => break (ending, trouble),
                Pause::Failing(failing) => steer::decide(self, &mut target, &failing, &mut progress, ui).await,
                Pause::Left => {
                    if steer::leave(self, &mut target, &mut progress, ui).await {
                        break (Ending::Detached, None);
                    }
                }
            }
        };
        let mut tell = |event: &Event| {
            journal.event(event);
            progress.show(event);
        };
        let outcome = deploy::conclude(&self.account, &mut target, ending, trouble, &mut tell).await;
        progress.finish();
        journal.note(Note::Ended { at: Moment::now(), ending: outcome.ending, exit_code: outcome.ending.exit() as u8 });
        Outcome { run: Some(journal.id).filter(|id| !id.is_empty()), ..outcome }
    }

    /// Deletes a stack and watches it go.
    pub(super) async fn delete(&self, stack: &Stack, ui: &mut Ui) -> Result<Outcome> {
        let services = &self.ready.template.services;
        let target = Target::before(&self.account, Operation::Delete, &stack.name, &stack.id, services).await?;
        self.account.delete_stack(&stack.id, &deploy::token(&self.account)).await?;
        Ok(self.watch(target, ui).await)
    }

    /// Brings a rollback to its end, one that failed half way or one that was never begun, and watches it.
    pub(super) async fn roll_back(&self, stack: &Stack, beginning: Beginning, ui: &mut Ui) -> Result<Outcome> {
        let services = &self.ready.template.services;
        let target = Target::before(&self.account, Operation::Update, &stack.name, &stack.id, services).await?;
        let token = deploy::token(&self.account);
        match beginning {
            Beginning::ContinueRollback => self.account.continue_rollback(&stack.id, &token).await?,
            _ => self.account.roll_back(&stack.id, &token).await?,
        }
        Ok(self.watch(target, ui).await)
    }

    /// Ends at a Ctrl-C.
    pub(super) async fn interrupted(&self) {
        self.interrupt.wait().await;
    }

    /// Shows an outcome and gives its exit code.
    pub(super) fn end(&self, plan: Option<&Plan>, outcome: &Outcome, ui: &mut Ui) -> Exit {
        ui.outcome(self.verb, plan, outcome, &self.again);
        outcome.ending.exit()
    }

    /// The end of a run in which nothing was done.
    pub(super) fn end_early(&self, operation: Operation, ending: Ending, plan: Option<&Plan>, ui: &mut Ui) -> Exit {
        self.end(plan, &Outcome::of(&self.ready.template.stack_name, operation, ending), ui)
    }
}

/// A verb that will ask must have somebody to ask, or an answer; it stops here, before it touches anything.
pub(super) fn must_be_answerable(verb: &str, cli: &Cli, ui: &Ui) -> Result<()> {
    if cli.display.yes || ui.can_ask() {
        return Ok(());
    }
    Err(Failure::usage(format!("`{verb}` asks before it acts, and there is nobody to ask"))
        .cause("standard input or standard error is not a terminal")
        .help("say yes beforehand with --yes")
        .into())
}
