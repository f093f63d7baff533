//! What the verbs that change a stack share: the account, the project, consent, the watch and its end.

use std::time::Duration;

use super::project::Ready;
use super::world::{Interrupt, connect};
use crate::aws::{Account, Stack};
use crate::base::{Deadline, Exit, Failure, Operation, Result};
use crate::cli::Cli;
use crate::deploy::{self, Ending, Outcome, Plan, Target};
use crate::ui::Ui;

/// One run of a verb on one stack.
pub(super) struct Session<'a> {
    pub(super) account: Account,
    pub(super) ready: &'a Ready,
    schema: &'static str,
    /// How the same project and stack are typed again.
    again: String,
    yes: bool,
    interrupt: Interrupt,
    timeout: Duration,
}

impl<'a> Session<'a> {
    /// Connects, and takes Ctrl-C into its own hands. Inside the runtime.
    pub(super) async fn begin(
        schema: &'static str,
        cli: &Cli,
        name: Option<&str>,
        ready: &'a Ready,
        timeout: Duration,
    ) -> Result<Self> {
        let account = connect().await?;
        let again = cli.project.again(name);
        Ok(Self { account, ready, schema, again, yes: cli.display.yes, interrupt: Interrupt::listen(), timeout })
    }

    /// Whether the user says yes; a Ctrl-C is a no.
    pub(super) async fn agreed(&self, question: &str, ui: &mut Ui) -> Result<bool> {
        let agreed = self.yes || ui.confirm_unless(question, self.interrupt.wait()).await? == Some(true);
        Ok(agreed && !self.interrupt.happened())
    }

    /// Watches to the end, or until Ctrl-C.
    pub(super) async fn watch(&self, target: Target, ui: &mut Ui) -> Outcome {
        let mut progress = ui.progress();
        let deadline = Deadline::after(self.timeout);
        let outcome =
            deploy::watch(&self.account, target, deadline, self.interrupt.wait(), &mut |event| progress.show(event)).await;
        progress.finish();
        outcome
    }

    /// Deletes a stack and watches it go.
    pub(super) async fn delete(&self, stack: &Stack, ui: &mut Ui) -> Result<Outcome> {
        let services = &self.ready.template.services;
        let target = Target::before(&self.account, Operation::Delete, &stack.name, &stack.id, services).await?;
        self.account.delete_stack(&stack.id).await?;
        Ok(self.watch(target, ui).await)
    }

    /// Shows an outcome and gives its exit code.
    pub(super) fn end(&self, plan: Option<&Plan>, outcome: &Outcome, ui: &mut Ui) -> Exit {
        ui.outcome(self.schema, plan, outcome, &self.again);
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
