//! The change set: made, waited for, executed, or taken away again with what was made for it.

use std::time::Duration;

use super::plan::Plan;
use super::state::Beginning;
use crate::aws::{Account, Capability, ChangeKind, ChangeSet, ChangeSetRequest, ChangeSetState, Parameter};
use crate::base::{Deadline, Exit, Failure, Moment, Operation, Result};
use crate::cloudformation::Template;

/// CloudFormation takes a template of this many bytes in a call; a larger one must lie in a bucket.
const INLINE_LIMIT: usize = 51_200;
const POLL: Duration = Duration::from_millis(500);
/// A change set is ready after some seconds; a large one may take a minute.
const READY_LIMIT: Duration = Duration::from_mins(5);

/// A change set that can be executed, and what it would do.
#[derive(Debug)]
pub struct Prepared {
    pub plan: Plan,
    pub stack_id: String,
    change_set: String,
    /// The empty stack was made for this change set, and goes with it.
    made_stack: bool,
}

/// What came of asking for a change set.
#[derive(Debug)]
pub enum Preparation {
    Ready(Prepared),
    /// There is nothing to do. The change set is gone again.
    NoChanges,
}

/// Makes a change set and waits until it says what it would do.
pub async fn prepare(
    account: &Account,
    template: &Template,
    parameters: &[Parameter],
    beginning: Beginning,
) -> Result<Preparation> {
    let body = body(template)?;
    let operation = beginning.operation();
    let name = format!("confluent-ecs-{}", Moment::now().millis());
    let request = ChangeSetRequest {
        stack: &template.stack_name,
        name: &name,
        kind: if operation == Operation::Create { ChangeKind::Create } else { ChangeKind::Update },
        template: &body,
        parameters,
        capabilities: &[Capability::NamedIam],
        tags: &template.tags,
        description: "made by confluent-ecs",
    };
    let (change_set, stack_id) = account.create_change_set(&request).await?;
    let mut prepared = Prepared {
        plan: Plan::new(&template.stack_name, operation, Vec::new()),
        stack_id,
        change_set,
        made_stack: matches!(beginning, Beginning::Create { empty: false } | Beginning::DeleteFirst),
    };
    let refused = match ready(account, &prepared.change_set).await {
        Ok(ChangeSet { state: ChangeSetState::Ready, changes, .. }) => {
            prepared.plan = Plan::new(&template.stack_name, operation, changes);
            return Ok(Preparation::Ready(prepared));
        }
        Ok(ChangeSet { state: ChangeSetState::NoChanges, .. }) => {
            prepared.discard(account).await?;
            return Ok(Preparation::NoChanges);
        }
        Ok(ChangeSet { state: ChangeSetState::Failed(reason), .. }) => {
            Failure::usage(format!("CloudFormation refuses the change set for {}", template.stack_name)).cause(reason).into()
        }
        Ok(ChangeSet { state: ChangeSetState::Pending, .. }) => Failure::new(Exit::Retry, "the change set was not ready in time")
            .cause(format!("CloudFormation was still at work on it after {} s", READY_LIMIT.as_secs()))
            .help("run the same command again")
            .into(),
        Err(error) => error,
    };
    // What stopped us says more than a second failure while cleaning up after it.
    let _ = prepared.discard(account).await;
    Err(refused)
}

/// Waits for a change set; still pending when the limit is over.
async fn ready(account: &Account, id: &str) -> Result<ChangeSet> {
    let deadline = Deadline::after(READY_LIMIT);
    loop {
        let set = account.change_set(id).await?;
        if set.state != ChangeSetState::Pending || deadline.passed() {
            return Ok(set);
        }
        tokio::time::sleep(POLL).await;
    }
}

impl Prepared {
    pub async fn execute(&self, account: &Account) -> Result<()> {
        Ok(account.execute_change_set(&self.change_set).await?)
    }

    /// Takes away what was made for the plan, and only that: the change set, and the stack if it is empty and came with it.
    pub async fn discard(&self, account: &Account) -> Result<()> {
        account.delete_change_set(&self.change_set).await?;
        if !self.made_stack {
            return Ok(());
        }
        let empty = account.stack(&self.stack_id).await?.is_some_and(|stack| stack.status.is_review());
        // Someone else may have gone on with it meanwhile. Our own change set may still be listed for a moment.
        if empty && account.change_sets(&self.stack_id).await?.iter().all(|id| *id == self.change_set) {
            account.delete_stack(&self.stack_id).await?;
        }
        Ok(())
    }
}

fn body(template: &Template) -> Result<String> {
    let body = template.to_json_minified();
    if body.len() <= INLINE_LIMIT {
        return Ok(body);
    }
    Err(Failure::usage(format!("the template has {} bytes; CloudFormation takes {INLINE_LIMIT} in one call", body.len()))
        .cause(format!("it holds {} services in {} resources", template.services.len(), template.resources.len()))
        .help("split the project: put some of its services under another `name:`")
        .into())
}
