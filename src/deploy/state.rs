//! In what state the stack is, and whether a deploy may begin.
//!
//! Comes in: the stack as CloudFormation describes it. Goes out: how to begin, or what stands in the way with the way out. Rules: pure;
//! a stack that isn't this project's is left alone unless it is adopted.

use crate::aws::{Stack, Tags};
use crate::base::{Exit, Failure, Operation};
use crate::stack::{ENV_TAG, PROJECT_TAG};

/// How a deploy begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With a first change set. `empty`: a stack of that name is there already, without a resource in it.
    Create {
        empty: bool,
    },
    Update,
    /// The first creation failed. What is left must be deleted before the next one.
    DeleteFirst,
}

impl Beginning {
    pub fn operation(self) -> Operation {
        match self {
            Self::Create { .. } | Self::DeleteFirst => Operation::Create,
            Self::Update => Operation::Update,
        }
    }
}

/// Whether a deploy of something with these tags may begin on this stack. `adopt`: also on one that has other tags or none.
pub fn beginning(name: &str, stack: Option<&Stack>, tags: &Tags, adopt: bool) -> Result<Beginning, Failure> {
    let Some(stack) = stack.filter(|stack| !stack.status.is_deleted()) else { return Ok(Beginning::Create { empty: false }) };
    let status = &stack.status;
    // A stack under review may not have its tags yet, and nothing in it that could be lost.
    if status.is_review() && stack.tags.is_empty() {
        return Ok(Beginning::Create { empty: true });
    }
    if !adopt {
        ours(stack, tags)?;
    }
    if status.is_review() {
        Ok(Beginning::Create { empty: true })
    } else if status.is_running() {
        Err(running(stack))
    } else if status.can_update() {
        Ok(Beginning::Update)
    } else if status.as_str() == "ROLLBACK_COMPLETE" {
        Ok(Beginning::DeleteFirst)
    } else {
        Err(stuck(name, stack))
    }
}

/// Refuses a stack that isn't this project's, and of this environment.
pub fn ours(stack: &Stack, tags: &Tags) -> Result<(), Failure> {
    let differs = [PROJECT_TAG, ENV_TAG].into_iter().find(|tag| stack.tags.get(*tag) != tags.get(*tag));
    let Some(tag) = differs else { return Ok(()) };
    let has = stack.tags.get(tag).map_or("none".to_owned(), |value| format!("`{value}`"));
    let wanted = tags.get(tag).map_or("none".to_owned(), |value| format!("`{value}`"));
    Err(Failure::usage(format!("the stack {} is not this project's", stack.name))
        .cause(format!("its tag {tag}: {has}; this project's: {wanted}"))
        .help("take another name with -n/--name")
        .help("or, if it shall become this project's, run `up` with --adopt once"))
}

/// CloudFormation is at work on it.
pub fn running(stack: &Stack) -> Failure {
    let since = stack.updated.max(stack.created).map_or("now".to_owned(), |at| format!("since {at}"));
    Failure::new(Exit::TimedOut, format!("something else is at work on the stack {}", stack.name))
        .cause(format!("{} {since}", stack.status))
        .help("wait until it is done (`confluent-ecs status` shows it), then run the same command again")
}

fn stuck(name: &str, stack: &Stack) -> Failure {
    let failure = Failure::new(Exit::Stuck, format!("the stack {name} is in {} and can't be updated", stack.status));
    let failure = match &stack.reason {
        Some(reason) => failure.cause(reason),
        None => failure,
    };
    match stack.status.as_str() {
        "UPDATE_ROLLBACK_FAILED" => failure
            .help("mend what the rollback failed on (`confluent-ecs status` names it)")
            .help(format!("then run `aws cloudformation continue-update-rollback --stack-name {name}`, and `up` again")),
        "UPDATE_FAILED" => failure.help(format!("run `aws cloudformation rollback-stack --stack-name {name}`, and `up` again")),
        _ => failure
            .help("see what is left of it with `confluent-ecs status`")
            .help("delete it with `confluent-ecs down`, then run `up` again"),
    }
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
        beginning("demo-dev", Some(&stack(status, theirs)), &tags("demo"), adopt).map_err(|failure| failure.exit)
    }

    #[test]
    fn each_state_has_its_beginning_or_its_way_out() {
        let ours = || tags("demo");
        assert_eq!(beginning("demo-dev", None, &ours(), false).unwrap(), Beginning::Create { empty: false });
        assert_eq!(begin("REVIEW_IN_PROGRESS", Tags::new(), false), Ok(Beginning::Create { empty: true }));
        assert_eq!(begin("UPDATE_ROLLBACK_COMPLETE", ours(), false), Ok(Beginning::Update));
        assert_eq!(begin("ROLLBACK_COMPLETE", ours(), false), Ok(Beginning::DeleteFirst));
        assert_eq!(begin("UPDATE_IN_PROGRESS", ours(), false), Err(Exit::TimedOut));
        for status in ["UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED", "CREATE_FAILED"] {
            assert_eq!(begin(status, ours(), false), Err(Exit::Stuck), "{status}");
        }
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
