//! What the verbs that change a stack share: the account, the project, consent, the watch and its end.

use super::project::Ready;
use super::steer;
use super::world::{Interrupt, connect_unless};
use crate::aws::{Account, Stack};
use crate::base::{Deadline, Event, Exit, Failure, Moment, Operation, Result};
use crate::cli::{Cli, WatchArgs};
use crate::deploy::journal::{Header, Journal, Note};
use crate::deploy::{self, Beginning, Ending, Outcome, Pause, Plan, Prepared, Target};
use crate::ui::{Place, Progress, Ui};

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
    /// Where what was deployed is kept beside the journal, if a bucket was named.
    bucket: Option<String>,
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
        let interrupt = Interrupt::listen();
        let account = connect_unless(&interrupt).await?;
        let again = cli.project.again(name);
        Ok(Self { account, ready, verb, again, yes: cli.display.yes, interrupt, watching: watching.clone(), bucket: None })
    }

    /// How the same project and stack are typed again.
    pub(super) fn again(&self) -> &str {
        &self.again
    }

    /// … and keeps what it deploys in this bucket, too.
    pub(super) fn kept_in(self, bucket: Option<&str>) -> Self {
        Self { bucket: bucket.map(str::to_owned), ..self }
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
            way_back: target.way_back,
            rolling: target.rolling.clone(),
        };
        let mut journal = Journal::begin(&self.ready.project.directory, header);
        if let Some(error) = journal.lost() {
            ui.note(&format!("no journal of this run is kept: .confluent-ecs/runs can't be written ({error})"));
        }
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
        let deployed = target.operation != Operation::Delete && target.rolling.is_empty();
        if outcome.ending == Ending::Complete && deployed {
            self.keep_verified(&target.stack_id, &journal.id, ui).await;
        }
        journal.note(Note::Ended { at: Moment::now(), ending: outcome.ending, exit_code: outcome.ending.exit() as u8 });
        if let Some(error) = journal.lost() {
            ui.note(&format!("the journal of this run is not whole: .confluent-ecs/runs can't be written any more ({error})"));
        }
        let kept = journal.is_kept();
        Outcome { run: Some(journal.id).filter(|_| kept), ..outcome }
    }

    /// Shows what a change set would do, executes it with consent, and watches it to its end.
    pub(super) async fn carry_out(&self, prepared: &Prepared, question: &str, ui: &mut Ui) -> Result<Exit> {
        let place = Place { account: &self.account.caller.account, region: &self.account.region };
        ui.plan(&prepared.plan, &place);
        match self.execute_if_agreed(prepared, question, ui).await {
            Ok(Some(target)) => {
                let outcome = self.watch(target, ui).await;
                Ok(self.end(Some(&prepared.plan), &outcome, ui))
            }
            Ok(None) => {
                prepared.discard(&self.account).await?;
                Ok(self.end_early(prepared.plan.operation, Ending::Declined, Some(&prepared.plan), ui))
            }
            Err(error) => {
                // What stopped us says more than a second failure while cleaning up after it.
                let _ = prepared.discard(&self.account).await;
                Err(error)
            }
        }
    }

    /// Keeps what was deployed, for a later `rollback`. What can't be kept is no reason to call a deploy failed.
    async fn keep_verified(&self, stack_id: &str, run: &str, ui: &mut Ui) {
        let kept = deploy::keep(&self.account, &self.ready.project.directory, self.bucket.as_deref(), stack_id, run).await;
        if let Err(why) = kept {
            ui.note(&format!("what was deployed could not be kept, and `rollback` may not find it: {why}"));
        }
    }

    /// Executes with consent, and gives what is to be watched.
    async fn execute_if_agreed(&self, prepared: &Prepared, question: &str, ui: &mut Ui) -> Result<Option<Target>> {
        if !self.agreed(question, ui).await? {
            return Ok(None);
        }
        let template = &self.ready.template;
        let operation = prepared.plan.operation;
        let target =
            Target::before(&self.account, operation, &template.stack_name, &prepared.stack_id, &template.services).await?;
        prepared.execute(&self.account).await?;
        Ok(Some(target))
    }

    /// There is nothing to deploy. Whether what was asked for is what runs is looked at all the same: CloudFormation has no change either
    /// where ECS has rolled a service back, or somebody has deleted it.
    pub(super) async fn unchanged(&self, stack: &Stack, operation: Operation, ui: &mut Ui) -> Result<Exit> {
        let services = &self.ready.template.services;
        let mut target = Target::before(&self.account, operation, &stack.name, &stack.id, services).await?;
        let outcome = deploy::conclude(&self.account, &mut target, Ending::NoChanges, None, &mut |_| {}).await;
        Ok(self.end(None, &outcome, ui))
    }

    /// The stack, if it is this project's and can be updated now; otherwise what stands in the way.
    pub(super) async fn updatable(&self) -> Result<Stack> {
        let template = &self.ready.template;
        let Some(stack) = self.account.stack(&template.stack_name).await?.filter(|stack| !stack.status.is_deleted()) else {
            return Err(Failure::usage(format!("{} is not deployed", template.stack_name))
                .help(format!("deploy it with `confluent-ecs up{}`", self.again))
                .into());
        };
        let beginning = deploy::beginning(Some(&stack), &template.tags, false)?;
        match deploy::way_out(beginning, &stack) {
            Some(_) if beginning == Beginning::Busy => Err(deploy::busy(&self.account, &stack).await.into()),
            Some(failure) => Err(failure.into()),
            None if beginning == Beginning::Update => Ok(stack),
            None => Err(Failure::usage(format!("{} is planned, and not deployed yet", stack.name))
                .help(format!("deploy it with `confluent-ecs up{}`", self.again))
                .into()),
        }
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
        let mut target = Target::before(&self.account, Operation::Update, &stack.name, &stack.id, services).await?;
        target.way_back = true;
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
