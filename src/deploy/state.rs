//! In what state the stack is, and whether a deploy may begin.
//!
//! Comes in: the stack as CloudFormation describes it. Goes out: how to begin, or what stands in the way with the way out. Rules: pure;
//! a stack that isn't this project's is left alone unless it is adopted.

use super::whose::who;
use crate::aws::{Account, Stack, StackEvent, Tags};
use crate::base::{Code, Exit, Failure, Operation};
use crate::stack::{ENV_TAG, PROJECT_TAG};

/// How a deploy begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With a first change set. `empty`: a stack of that name is there already, without a resource in it.
    Create {
        empty: bool,
    },
    Update,
    /// A creation or a deletion failed. What is left must be deleted before the next creation.
    DeleteFirst,
    /// A rollback failed half way. It must be brought to its end before the next update.
    ContinueRollback,
    /// An update failed and was left as it is. It must be rolled back before the next one.
    RollBackFirst,
    /// CloudFormation is at work on it.
    Busy,
}

impl Beginning {
    pub fn operation(self) -> Operation {
        match self {
            Self::Create { .. } | Self::DeleteFirst => Operation::Create,
            Self::Update | Self::ContinueRollback | Self::RollBackFirst | Self::Busy => Operation::Update,
        }
    }
}

/// How a deploy of something with these tags may begin on this stack. `adopt`: also on one that has other tags or none.
pub fn beginning(stack: Option<&Stack>, tags: &Tags, adopt: bool) -> Result<Beginning, Failure> {
    let Some(stack) = stack.filter(|stack| !stack.status.is_deleted()) else { return Ok(Beginning::Create { empty: false }) };
    let status = &stack.status;
    // A stack under review may not have its tags yet, and nothing in it that could be lost.
    if status.is_review() && stack.tags.is_empty() {
        return Ok(Beginning::Create { empty: true });
    }
    if !adopt {
        ours(stack, tags)?;
    }
    Ok(if status.is_review() {
        Beginning::Create { empty: true }
    } else if status.is_running() {
        Beginning::Busy
    } else if status.can_update() {
        Beginning::Update
    } else if status.is_dead() {
        Beginning::DeleteFirst
    } else {
        match status.as_str() {
            "UPDATE_ROLLBACK_FAILED" => Beginning::ContinueRollback,
            "UPDATE_FAILED" => Beginning::RollBackFirst,
            _ => return Err(unknown(stack)),
        }
    })
}

/// Refuses a stack that isn't this project's, and of this environment.
pub fn ours(stack: &Stack, tags: &Tags) -> Result<(), Failure> {
    let differs = [PROJECT_TAG, ENV_TAG].into_iter().find(|tag| stack.tags.get(*tag) != tags.get(*tag));
    let Some(tag) = differs else { return Ok(()) };
    let has = stack.tags.get(tag).map_or("none".to_owned(), |value| format!("`{value}`"));
    let wanted = tags.get(tag).map_or("none".to_owned(), |value| format!("`{value}`"));
    Err(Failure::usage(format!("the stack {} is not this project's", stack.name))
        .code(Code::STACK_OF_OTHERS)
        .cause(format!("its tag {tag}: {has}; this project's: {wanted}"))
        .help("take another name with -n/--name")
        .help("or, if it shall become this project's, run `up` with --adopt once"))
}

/// CloudFormation is at work on it: since when, and for whom as far as its first event tells.
pub fn running(stack: &Stack, begun: Option<&StackEvent>) -> Failure {
    let at = begun.map(|begun| begun.at).or(stack.updated.max(stack.created));
    let since = at.map(|at| format!(" since {at}")).unwrap_or_default();
    let by = begun.and_then(who).map(|who| format!(", begun by {who}")).unwrap_or_default();
    Failure::new(Exit::TimedOut, format!("something else is at work on the stack {}", stack.name))
        .code(Code::STACK_BUSY)
        .cause(format!("{}{since}{by}", stack.status))
        .help("wait until it is done (`confluent-ecs status` shows it), then run the same command again")
}

/// As [`running`], with a look at who it is; what can't be looked at leaves the message shorter.
pub async fn busy(account: &Account, stack: &Stack) -> Failure {
    let begun = account.last_beginning(&stack.id).await.ok().flatten();
    running(stack, begun.as_ref())
}

/// The way out of a state in which no change set can be made, for a run that may not take it.
pub fn way_out(beginning: Beginning, stack: &Stack) -> Option<Failure> {
    let name = &stack.name;
    let blocked = || {
        let failure = Failure::new(Exit::Stuck, format!("the stack {name} is in {} and can't be updated", stack.status))
            .code(Code::STACK_STATE);
        match &stack.reason {
            Some(reason) => failure.cause(reason),
            None => failure,
        }
    };
    Some(match beginning {
        Beginning::Create { .. } | Beginning::Update => return None,
        Beginning::Busy => running(stack, None),
        Beginning::DeleteFirst => blocked()
            .help("`confluent-ecs up` deletes what is left of it first, when you agree")
            .help("or delete it yourself with `confluent-ecs down`"),
        Beginning::ContinueRollback => blocked()
            .help("mend what the rollback failed on (`confluent-ecs status` names it)")
            .help("then `confluent-ecs up` continues the rollback first, when you agree"),
        Beginning::RollBackFirst => blocked().help("`confluent-ecs up` rolls it back first, when you agree"),
    })
}

/// A state that none of ours leads to: an import, for instance.
fn unknown(stack: &Stack) -> Failure {
    Failure::new(Exit::Stuck, format!("the stack {} is in {} and can't be updated", stack.name, stack.status))
        .code(Code::STACK_STATE)
        .help("see what is in it with `confluent-ecs status`")
        .help("bring it to an end with AWS's own tools, then run the same command again")
}

#[cfg(test)]
mod tests {
    use super::{Beginning, beginning};
    use crate::aws::{Stack, StackStatus, Tags};
    use crate::base::Exit;

    fn tags(project: &str) -> Tags {
        Tags::from([("confluent-ecs:project".to_owned(), project.to_owned()), ("confluent-ecs:env".to_owned(), "dev".to_owned())])
    }

    fn stack(status: &str, tags: Tags) -> Stack {
        Stack {
            id: "id".to_owned(),
            name: "demo-dev".to_owned(),
            status: StackStatus::new(status),
            reason: None,
            created: None,
            updated: None,
            outputs: Vec::new(),
            parameters: Tags::new(),
            tags,
            termination_protection: false,
        }
    }

    fn begin(status: &str, theirs: Tags, adopt: bool) -> Result<Beginning, Exit> {
        beginning(Some(&stack(status, theirs)), &tags("demo"), adopt).map_err(|failure| failure.exit)
    }

    #[test]
    fn each_state_has_its_beginning_or_its_way_out() {
        let ours = || tags("demo");
        assert_eq!(beginning(None, &ours(), false).unwrap(), Beginning::Create { empty: false });
        assert_eq!(begin("REVIEW_IN_PROGRESS", Tags::new(), false), Ok(Beginning::Create { empty: true }));
        assert_eq!(begin("UPDATE_ROLLBACK_COMPLETE", ours(), false), Ok(Beginning::Update));
        assert_eq!(begin("ROLLBACK_COMPLETE", ours(), false), Ok(Beginning::DeleteFirst));
        assert_eq!(begin("UPDATE_IN_PROGRESS", ours(), false), Ok(Beginning::Busy));
        assert_eq!(begin("UPDATE_ROLLBACK_FAILED", ours(), false), Ok(Beginning::ContinueRollback));
        assert_eq!(begin("UPDATE_FAILED", ours(), false), Ok(Beginning::RollBackFirst));
        for status in ["DELETE_FAILED", "ROLLBACK_FAILED", "CREATE_FAILED"] {
            assert_eq!(begin(status, ours(), false), Ok(Beginning::DeleteFirst), "{status}");
        }
        assert_eq!(begin("IMPORT_ROLLBACK_FAILED", ours(), false), Err(Exit::Stuck));
    }

    #[test]
    fn a_stack_that_is_not_ours_is_left_alone() {
        assert_eq!(begin("CREATE_COMPLETE", tags("other"), false), Err(Exit::Usage));
        assert_eq!(begin("CREATE_COMPLETE", Tags::new(), false), Err(Exit::Usage));
        assert_eq!(begin("ROLLBACK_COMPLETE", tags("other"), false), Err(Exit::Usage));
        assert_eq!(begin("REVIEW_IN_PROGRESS", tags("other"), false), Err(Exit::Usage));
        assert_eq!(begin("CREATE_COMPLETE", Tags::new(), true), Ok(Beginning::Update));
    }
}
