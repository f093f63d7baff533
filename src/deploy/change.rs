//! The change set: made or taken up, waited for, executed, or taken away again with what was made for it.
//!
//! Rules: nothing is executed on a stack that has moved since the plan was made; what a plan made, and only that, goes with it.

use std::future::Future;
use std::time::Duration;

use super::pace::Pace;
use super::plan::Plan;
use super::state::{Beginning, busy, running};
use super::storage::is_inline;
use super::whose::{token, who};
use crate::aws::{
    Account, CallError, Capability, ChangeKind, ChangeSet, ChangeSetRequest, ChangeSetState, Execution, Parameter, Stack,
    StoredTemplate, TemplateSource, Validation,
};
use crate::base::{Code, Deadline, Error, Exit, Failure, Moment, Operation, Result};
use crate::cloudformation::Template;

/// A change set of ours is named by this and the moment it was made in.
const NAME_PREFIX: &str = "confluent-ecs-";
/// A change set is ready after some seconds; a large one may take a minute.
const READY_LIMIT: Duration = Duration::from_mins(5);

/// What a change set is made from.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub template: &'a Template,
    pub parameters: &'a [Parameter],
    pub beginning: Beginning,
    /// The stack as it was when the parameters were looked up.
    pub current: Option<&'a Stack>,
    /// Where a template lies that is too large for a call.
    pub bucket: Option<&'a str>,
    pub what: What<'a>,
}

/// Which template a change set is to deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What<'a> {
    /// The one that the compose files give.
    Files,
    /// The one that the stack has: only parameters change. It keeps its tags.
    Same,
    /// One that was deployed before. The stack keeps its tags.
    Earlier(&'a str),
}

/// A change set that can be executed, and what it would do.
#[derive(Debug)]
pub struct Prepared {
    pub plan: Plan,
    pub stack_id: String,
    pub name: String,
    change_set: String,
    /// The empty stack was made for this change set, and goes with it.
    made_stack: bool,
    /// Somebody asked for it to be kept: it stays where it is not executed.
    kept: bool,
    /// The template, where it had to lie in a bucket.
    stored: Option<StoredTemplate>,
    seen: Seen,
}

/// What tells whether a stack has moved.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    status: String,
    updated: Option<Moment>,
}

/// What came of asking for a change set.
#[derive(Debug)]
pub enum Preparation {
    Ready(Box<Prepared>),
    /// There is nothing to do. The change set is gone again.
    NoChanges,
    /// CloudFormation would not execute it. The change set is gone again.
    Refused(Refusal),
}

/// Why CloudFormation would not execute a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub stack: String,
    pub operation: Operation,
    pub reason: String,
    pub validations: Vec<Validation>,
    /// Why CloudFormation's own findings could not be read.
    pub unread: Option<String>,
}

impl Refusal {
    pub fn failure(&self) -> Failure {
        let mut cause = vec![self.reason.clone()];
        cause.extend(self.validations.iter().map(|found| {
            let place = found.path.as_deref().or(found.logical.as_deref()).unwrap_or("the template");
            format!("{place}: {} ({})", found.reason, found.name)
        }));
        let failure = Failure::usage(format!("CloudFormation refuses the change set for {}", self.stack))
            .code(Code::CHANGE_SET_REFUSED)
            .cause(cause.join("\n"));
        match &self.unread {
            Some(why) => failure.help(format!("what it found could not be read: {why}")),
            None => failure,
        }
    }
}

/// Makes a change set and waits until it says what it would do, or until `leave` ends.
pub async fn prepare(account: &Account, wanted: Wanted<'_>, leave: impl Future<Output = ()>) -> Result<Preparation> {
    let template = wanted.template;
    let body = match wanted.what {
        What::Earlier(body) => body.to_owned(),
        What::Files | What::Same => template.to_json_minified(),
    };
    let stored = match wanted.bucket {
        Some(bucket) if wanted.what != What::Same && !is_inline(&body) => {
            Some(account.store_template(bucket, &template.stack_name, &body).await?)
        }
        _ => None,
    };
    let operation = wanted.beginning.operation();
    let name = format!("{NAME_PREFIX}{}", Moment::now().millis());
    let request = ChangeSetRequest {
        stack: &template.stack_name,
        name: &name,
        kind: if operation == Operation::Create { ChangeKind::Create } else { ChangeKind::Update },
        template: match &stored {
            _ if wanted.what == What::Same => TemplateSource::Previous,
            Some(stored) => TemplateSource::Url(&stored.url),
            None => TemplateSource::Body(&body),
        },
        parameters: wanted.parameters,
        capabilities: &[Capability::NamedIam],
        tags: wanted.current.filter(|_| wanted.what != What::Files).map_or(&template.tags, |stack| &stack.tags),
        description: &format!("made by confluent-ecs for {}", account.caller.arn),
    };
    let (change_set, stack_id) = match account.create_change_set(&request).await {
        Ok(made) => made,
        Err(error) => {
            if let Some(stored) = &stored {
                // What stopped us says more than a second failure while cleaning up after it.
                let _ = account.remove_template(stored).await;
            }
            return Err(not_made(account, &template.stack_name, operation, error).await);
        }
    };
    let mut prepared = Prepared {
        plan: Plan::new(&template.stack_name, operation, Vec::new()),
        stack_id,
        name,
        change_set,
        stored,
        made_stack: wanted.beginning == (Beginning::Create { empty: false }),
        kept: false,
        seen: wanted.current.filter(|_| operation == Operation::Update).map_or_else(Seen::nothing, Seen::of),
    };
    let readied = tokio::select! {
        readied = ready(account, &prepared.stack_id, &prepared.change_set) => readied,
        () = leave => Err(Failure::new(Exit::Interrupted, "interrupted; nothing was changed").into()),
    };
    let refused = match readied {
        Ok(ChangeSet { state: ChangeSetState::Ready, changes, .. }) => {
            prepared.plan = Plan::new(&template.stack_name, operation, changes);
            // Its warnings; who may not read them deploys all the same.
            prepared.plan.validations = account.validations(&prepared.change_set).await.ok();
            return Ok(Preparation::Ready(Box::new(prepared)));
        }
        Ok(ChangeSet { state: ChangeSetState::NoChanges, .. }) => {
            prepared.discard(account).await?;
            return Ok(Preparation::NoChanges);
        }
        Ok(ChangeSet { state: ChangeSetState::Failed(reason), .. }) => {
            let (validations, unread) = match account.validations(&prepared.change_set).await {
                Ok(validations) => (validations, None),
                Err(error) => (Vec::new(), Some(error.to_string())),
            };
            let _ = prepared.discard(account).await;
            let stack = template.stack_name.clone();
            return Ok(Preparation::Refused(Refusal { stack, operation, reason, validations, unread }));
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

/// Why there is no change set. Somebody may have been faster than we, since the stack was looked at.
async fn not_made(account: &Account, stack: &str, operation: Operation, error: CallError) -> Error {
    if !tells_of_another(&error) {
        return error.into();
    }
    match account.stack(stack).await {
        Ok(Some(stack)) if stack.status.is_running() => busy(account, &stack).await.into(),
        Ok(Some(stack)) if operation == Operation::Create => moved(account, &stack, None).await,
        Ok(_) => error.into(),
        Err(unseen) => unseen.into(),
    }
}

/// Whether a change set is refused because somebody else is at work, or has made the stack meanwhile.
fn tells_of_another(error: &CallError) -> bool {
    let refused = error.is_code("ValidationError") || error.is_code("AlreadyExistsException");
    refused && ["_IN_PROGRESS", "already exists and cannot be created again"].iter().any(|words| error.message.contains(words))
}

/// Takes up the change set that an earlier plan has kept.
pub async fn take_up(account: &Account, stack: Option<&Stack>, stack_name: &str, name: &str) -> Result<Prepared> {
    let missing = |there: &str| {
        Failure::usage(format!("there is no change set {name} for {stack_name}")).code(Code::CHANGE_SET).cause(there).help(
            "make one with `confluent-ecs plan --keep`; CloudFormation takes a stack's change sets away when the stack changes",
        )
    };
    let Some(stack) = stack else { return Err(missing("the stack is not there").into()) };
    let sets = account.change_sets(&stack.id).await?;
    let Some((id, found)) = sets.iter().find(|(id, known)| id == name || known == name) else {
        // CloudFormation takes a stack's change sets away when it executes one of them. Ours have the time in their name.
        let planned = name.strip_prefix(NAME_PREFIX).and_then(|millis| millis.parse().ok()).map(Moment::from_millis);
        if planned.is_some_and(|planned| stack.updated.max(stack.created).is_some_and(|updated| updated > planned)) {
            return Err(moved(account, stack, planned).await);
        }
        let names: Vec<&str> = sets.iter().map(|(_, name)| name.as_str()).collect();
        let there = if names.is_empty() { "it has none".to_owned() } else { format!("there are: {}", names.join(", ")) };
        return Err(missing(&there).into());
    };
    let set = account.change_set(id).await?;
    let moved_later =
        !stack.status.is_review() && stack.updated.zip(set.created).is_some_and(|(updated, created)| updated > created);
    if set.execution == Execution::Obsolete || set.execution == Execution::Begun || moved_later {
        return Err(moved(account, stack, set.created).await);
    }
    if set.execution == Execution::Unavailable || set.state != ChangeSetState::Ready {
        let state = match set.state {
            ChangeSetState::Failed(reason) => reason,
            ChangeSetState::NoChanges => "it holds no changes".to_owned(),
            ChangeSetState::Pending | ChangeSetState::Ready => "CloudFormation is not done with it yet".to_owned(),
        };
        return Err(Failure::usage(format!("the change set {name} can't be executed"))
            .code(Code::CHANGE_SET)
            .cause(state)
            .into());
    }
    let operation = if stack.status.is_review() { Operation::Create } else { Operation::Update };
    let mut plan = Plan::new(stack_name, operation, set.changes);
    plan.validations = account.validations(id).await.ok();
    Ok(Prepared {
        plan,
        stack_id: stack.id.clone(),
        name: found.clone(),
        change_set: id.clone(),
        made_stack: false,
        kept: true,
        stored: None,
        seen: Seen::of(stack),
    })
}

/// Whether a change set deploys this template.
pub async fn holds(account: &Account, prepared: &Prepared, template: &Template) -> Result<bool> {
    let theirs = account.change_set_template(&prepared.change_set).await?;
    let parsed: Option<serde_json::Value> = serde_json::from_str(&theirs).ok();
    let ours: Option<serde_json::Value> = serde_json::from_str(&template.to_json_minified()).ok();
    Ok(parsed.is_some() && parsed == ours)
}

/// Waits for a change set; still pending when the limit is over.
async fn ready(account: &Account, stack_id: &str, id: &str) -> Result<ChangeSet> {
    let deadline = Deadline::after(READY_LIMIT);
    let longest = Pace::of_environment().change_set;
    // A small one is ready in moments.
    let mut pause = longest / 8;
    loop {
        let set = match account.change_set(id).await {
            Ok(set) => set,
            // Who executes a change set takes all others of its stack away: somebody was faster than we.
            Err(error) if error.is_code("ChangeSetNotFound") => {
                return Err(match account.stack(stack_id).await? {
                    Some(stack) if stack.status.is_running() => busy(account, &stack).await.into(),
                    Some(stack) => moved(account, &stack, None).await,
                    None => error.into(),
                });
            }
            Err(error) => return Err(error.into()),
        };
        if set.state != ChangeSetState::Pending || deadline.passed() {
            return Ok(set);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(longest);
    }
}

impl Seen {
    fn of(stack: &Stack) -> Self {
        Self { status: stack.status.to_string(), updated: stack.updated }
    }

    /// An empty stack that waits for its first change set.
    fn nothing() -> Self {
        Self { status: "REVIEW_IN_PROGRESS".to_owned(), updated: None }
    }

    /// An empty stack can't move: what is in it comes with its first execution.
    fn still_holds(&self, stack: &Stack) -> bool {
        self.status == stack.status.as_str() && (stack.status.is_review() || self.updated == stack.updated)
    }
}

impl Prepared {
    /// Executes it, if the stack is still as it was when the plan was made.
    pub async fn execute(&self, account: &Account) -> Result<()> {
        let Some(stack) = account.stack(&self.stack_id).await? else {
            return Err(Failure::usage(format!("the stack {} is gone since the plan was made", self.plan.stack))
                .code(Code::STACK_MOVED)
                .help("run the same command again: it makes a new plan")
                .into());
        };
        if stack.status.is_running() {
            return Err(busy(account, &stack).await.into());
        }
        if !self.seen.still_holds(&stack) {
            return Err(moved(account, &stack, None).await);
        }
        match account.execute_change_set(&self.change_set, &token(account)).await {
            Err(error) if error.is_code("InvalidChangeSetStatus") || error.is_code("ChangeSetNotFound") => {
                let now = account.stack(&self.stack_id).await?;
                match now {
                    Some(now) if now.status.is_running() => Err(busy(account, &now).await.into()),
                    Some(now) if !self.seen.still_holds(&now) => Err(moved(account, &now, None).await),
                    _ => Err(error.into()),
                }
            }
            executed => Ok(executed?),
        }
    }

    /// Leaves the change set, and the stack that came with it, for a later run.
    pub fn keep(&mut self) {
        self.kept = true;
    }

    /// Takes away what was made for the plan, and only that: the change set, and the stack if it is empty and came with it. What was
    /// asked to be kept stays.
    pub async fn discard(&self, account: &Account) -> Result<()> {
        if self.kept {
            return Ok(());
        }
        account.delete_change_set(&self.change_set).await?;
        if let Some(stored) = &self.stored {
            account.remove_template(stored).await?;
        }
        if !self.made_stack {
            return Ok(());
        }
        let empty = account.stack(&self.stack_id).await?.is_some_and(|stack| stack.status.is_review());
        // Someone else may have gone on with it meanwhile. Our own change set may still be listed for a moment.
        if empty && account.change_sets(&self.stack_id).await?.iter().all(|(id, _)| *id == self.change_set) {
            account.delete_stack(&self.stack_id, &token(account)).await?;
        }
        Ok(())
    }
}

/// The stack is another one than the plan was made for.
async fn moved(account: &Account, stack: &Stack, planned: Option<Moment>) -> crate::base::Error {
    // Only for the message: what can't be read now leaves it shorter.
    let begun = account.last_beginning(&stack.id).await.ok().flatten();
    if stack.status.is_running() {
        return running(stack, begun.as_ref()).into();
    }
    let by = begun.as_ref().and_then(who).map(|who| format!(" by {who}")).unwrap_or_default();
    let at = stack.updated.max(stack.created).map(|at| format!(" at {at}")).unwrap_or_default();
    let planned = planned.map(|at| format!("; the plan was made at {at}")).unwrap_or_default();
    Failure::usage(format!("the stack {} has moved since the plan was made", stack.name))
        .code(Code::STACK_MOVED)
        .cause(format!("changed{by}{at}, now {}{planned}", stack.status))
        .help("make a new plan and look at it: the old one may do something else now")
        .into()
}
