//! CloudFormation: stacks, change sets and events.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudformation::types::{
    Capability as SdkCapability, Change as SdkChange, ChangeSetType, Parameter as SdkParameter, Stack as SdkStack, Tag,
};
use serde::Serialize;

use super::account::{Account, call};
use super::error::{CallError, ErrorKind};
use super::{Tags, moment};
use crate::base::Moment;

/// A stack's status, as CloudFormation writes it, with the questions that are asked of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct StackStatus(String);

impl StackStatus {
    pub fn new(status: impl Into<String>) -> Self {
        Self(status.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// CloudFormation is at work on it. A stack under review is not: nothing was executed yet.
    pub fn is_running(&self) -> bool {
        self.0.ends_with("_IN_PROGRESS") && !self.is_review()
    }

    /// It has a name and change sets, and no resource.
    pub fn is_review(&self) -> bool {
        self.0 == "REVIEW_IN_PROGRESS"
    }

    /// Its first creation failed. It can only be deleted.
    pub fn is_dead(&self) -> bool {
        matches!(self.0.as_str(), "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" | "DELETE_FAILED")
    }

    pub fn is_deleted(&self) -> bool {
        self.0 == "DELETE_COMPLETE"
    }

    /// What was asked for is there.
    pub fn is_success(&self) -> bool {
        matches!(
            self.0.as_str(),
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "IMPORT_COMPLETE" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        )
    }

    /// CloudFormation took back, or takes back, what was asked for.
    pub fn is_rollback(&self) -> bool {
        self.0.contains("ROLLBACK")
    }

    /// A change set can be made for it.
    pub fn can_update(&self) -> bool {
        matches!(
            self.0.as_str(),
            "CREATE_COMPLETE" | "UPDATE_COMPLETE" | "UPDATE_ROLLBACK_COMPLETE" | "IMPORT_COMPLETE" | "IMPORT_ROLLBACK_COMPLETE"
        )
    }
}

impl fmt::Display for StackStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A stack as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    pub id: String,
    pub name: String,
    pub status: StackStatus,
    pub reason: Option<String>,
    pub created: Option<Moment>,
    pub updated: Option<Moment>,
    pub outputs: Vec<Output>,
    pub parameters: BTreeMap<String, String>,
    pub tags: Tags,
    pub termination_protection: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Output {
    pub key: String,
    pub value: String,
    pub description: Option<String>,
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    pub logical: String,
    pub kind: String,
    pub physical: Option<String>,
    pub status: String,
    pub reason: Option<String>,
    pub updated: Option<Moment>,
}

/// One event of a stack. The stack itself has events too: their `logical` is its name, their `kind` is `AWS::CloudFormation::Stack`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    pub id: String,
    pub at: Moment,
    pub logical: String,
    pub kind: String,
    pub physical: Option<String>,
    pub status: String,
    pub reason: Option<String>,
}

/// What a change set is made from.
#[derive(Debug, Clone)]
pub struct ChangeSetRequest<'a> {
    pub stack: &'a str,
    pub name: &'a str,
    pub kind: ChangeKind,
    pub template: &'a str,
    pub parameters: &'a [Parameter],
    pub capabilities: &'a [Capability],
    pub tags: &'a Tags,
    pub description: &'a str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeKind {
    Create,
    Update,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    Iam,
    NamedIam,
    AutoExpand,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub key: String,
    pub value: String,
}

/// A change set, with what it would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    pub id: String,
    pub stack_id: String,
    pub state: ChangeSetState,
    pub changes: Vec<Change>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeSetState {
    Pending,
    Ready,
    /// The template and the parameters are what the stack has already.
    NoChanges,
    Failed(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeAction {
    Add,
    Modify,
    Remove,
    Import,
    /// CloudFormation knows only when it gets there.
    Dynamic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Replacement {
    Never,
    /// It depends on a value that is known only when CloudFormation gets there.
    Conditional,
    Always,
}

/// What happens to one resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    pub logical: String,
    pub kind: String,
    pub physical: Option<String>,
    pub action: ChangeAction,
    pub replacement: Replacement,
    /// The properties that are the reason, in order, each once; `Tags`, `Metadata` and other attributes by their own name.
    pub because: Vec<String>,
}

impl Account {
    /// A stack by name or id; `None` when there is none, or it was deleted.
    pub async fn stack(&self, name: &str) -> Result<Option<Stack>, CallError> {
        let request = self.cloudformation.describe_stacks().stack_name(name);
        match call!(self, "cloudformation:DescribeStacks", name, request.send()) {
            Ok(answer) => Ok(answer.stacks().first().map(stack)),
            // There is no code of its own for it.
            Err(error) if error.is_code("ValidationError") && error.message.contains("does not exist") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Every resource of a stack, in CloudFormation's order.
    pub async fn stack_resources(&self, name: &str) -> Result<Vec<StackResource>, CallError> {
        let mut pages = self.cloudformation.list_stack_resources().stack_name(name).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| self.named(CallError::of("cloudformation:ListStackResources", error).about(name)))?;
            found.push(StackResource {
                logical: item.logical_resource_id().unwrap_or_default().to_owned(),
                kind: item.resource_type().unwrap_or_default().to_owned(),
                physical: item.physical_resource_id().map(str::to_owned),
                status: item.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
                reason: item.resource_status_reason().filter(|reason| !reason.is_empty()).map(str::to_owned),
                updated: item.last_updated_timestamp().map(moment),
            });
        }
        Ok(found)
    }

    /// The events after the one with the id `after`, oldest first; all of them without it.
    pub async fn stack_events(&self, stack: &str, after: Option<&str>) -> Result<Vec<StackEvent>, CallError> {
        let mut pages = self.cloudformation.describe_stack_events().stack_name(stack).into_paginator().items().send();
        let mut events = Vec::new();
        // They come newest first.
        while let Some(item) = pages.next().await {
            let item =
                item.map_err(|error| self.named(CallError::of("cloudformation:DescribeStackEvents", error).about(stack)))?;
            let id = item.event_id().unwrap_or_default();
            if after == Some(id) {
                break;
            }
            events.push(StackEvent {
                id: id.to_owned(),
                at: item.timestamp().map(moment).unwrap_or_default(),
                logical: item.logical_resource_id().unwrap_or_default().to_owned(),
                kind: item.resource_type().unwrap_or_default().to_owned(),
                physical: item.physical_resource_id().filter(|id| !id.is_empty()).map(str::to_owned),
                status: item.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
                reason: item.resource_status_reason().filter(|reason| !reason.is_empty()).map(str::to_owned),
            });
        }
        events.reverse();
        Ok(events)
    }

    /// The id of the newest event; events that come later belong to what is done later.
    pub async fn newest_event(&self, stack: &str) -> Result<Option<String>, CallError> {
        let request = self.cloudformation.describe_stack_events().stack_name(stack);
        let answer = call!(self, "cloudformation:DescribeStackEvents", stack, request.send())?;
        Ok(answer.stack_events().first().and_then(|event| event.event_id()).map(str::to_owned))
    }

    /// Makes a change set, and for a new stack the empty stack that it belongs to. Gives the change set's id and the stack's.
    pub async fn create_change_set(&self, wanted: &ChangeSetRequest<'_>) -> Result<(String, String), CallError> {
        let request = self
            .cloudformation
            .create_change_set()
            .stack_name(wanted.stack)
            .change_set_name(wanted.name)
            .change_set_type(match wanted.kind {
                ChangeKind::Create => ChangeSetType::Create,
                ChangeKind::Update => ChangeSetType::Update,
            })
            .description(wanted.description)
            .template_body(wanted.template)
            .set_parameters(Some(wanted.parameters.iter().map(parameter).collect()))
            .set_capabilities(Some(wanted.capabilities.iter().map(|capability| capability.sdk()).collect()))
            .set_tags(Some(wanted.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()));
        let answer = call!(self, "cloudformation:CreateChangeSet", wanted.stack, request.send())?;
        match (answer.id(), answer.stack_id()) {
            (Some(id), Some(stack)) => Ok((id.to_owned(), stack.to_owned())),
            _ => Err(self.named(CallError::local(ErrorKind::Other, "cloudformation:CreateChangeSet", "the answer has no id"))),
        }
    }

    /// A change set by its id.
    pub async fn change_set(&self, id: &str) -> Result<ChangeSet, CallError> {
        let mut pages = self.cloudformation.describe_change_set().change_set_name(id).into_paginator().send();
        let mut found: Option<ChangeSet> = None;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.named(CallError::of("cloudformation:DescribeChangeSet", error).about(id)))?;
            let changes = page.changes().iter().filter_map(change);
            match &mut found {
                Some(set) => set.changes.extend(changes),
                None => {
                    found = Some(ChangeSet {
                        id: id.to_owned(),
                        stack_id: page.stack_id().unwrap_or_default().to_owned(),
                        state: state(
                            page.status().map(aws_sdk_cloudformation::types::ChangeSetStatus::as_str),
                            page.status_reason(),
                        ),
                        changes: changes.collect(),
                    });
                }
            }
        }
        found.ok_or_else(|| {
            self.named(CallError::local(ErrorKind::Other, "cloudformation:DescribeChangeSet", "the answer is empty"))
        })
    }

    /// The ids of a stack's change sets.
    pub async fn change_sets(&self, stack: &str) -> Result<Vec<String>, CallError> {
        let mut pages = self.cloudformation.list_change_sets().stack_name(stack).into_paginator().items().send();
        let mut ids = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| self.named(CallError::of("cloudformation:ListChangeSets", error).about(stack)))?;
            ids.extend(item.change_set_id().map(str::to_owned));
        }
        Ok(ids)
    }

    pub async fn execute_change_set(&self, id: &str) -> Result<(), CallError> {
        let request = self.cloudformation.execute_change_set().change_set_name(id);
        call!(self, "cloudformation:ExecuteChangeSet", id, request.send()).map(drop)
    }

    pub async fn delete_change_set(&self, id: &str) -> Result<(), CallError> {
        let request = self.cloudformation.delete_change_set().change_set_name(id);
        call!(self, "cloudformation:DeleteChangeSet", id, request.send()).map(drop)
    }

    /// Starts the deletion of a stack, by its id, so that a new stack of the same name is never meant.
    pub async fn delete_stack(&self, id: &str) -> Result<(), CallError> {
        let request = self.cloudformation.delete_stack().stack_name(id);
        call!(self, "cloudformation:DeleteStack", id, request.send()).map(drop)
    }
}

impl Capability {
    fn sdk(self) -> SdkCapability {
        match self {
            Self::Iam => SdkCapability::CapabilityIam,
            Self::NamedIam => SdkCapability::CapabilityNamedIam,
            Self::AutoExpand => SdkCapability::CapabilityAutoExpand,
        }
    }
}

fn parameter(parameter: &Parameter) -> SdkParameter {
    SdkParameter::builder().parameter_key(&parameter.key).parameter_value(&parameter.value).build()
}

fn stack(stack: &SdkStack) -> Stack {
    Stack {
        id: stack.stack_id().unwrap_or_default().to_owned(),
        name: stack.stack_name().unwrap_or_default().to_owned(),
        status: StackStatus::new(
            stack.stack_status().map(aws_sdk_cloudformation::types::StackStatus::as_str).unwrap_or_default(),
        ),
        reason: stack.stack_status_reason().filter(|reason| !reason.is_empty()).map(str::to_owned),
        created: stack.creation_time().map(moment),
        updated: stack.last_updated_time().map(moment),
        outputs: stack
            .outputs()
            .iter()
            .map(|output| Output {
                key: output.output_key().unwrap_or_default().to_owned(),
                value: output.output_value().unwrap_or_default().to_owned(),
                description: output.description().map(str::to_owned),
            })
            .collect(),
        parameters: stack
            .parameters()
            .iter()
            .filter_map(|p| Some((p.parameter_key()?.to_owned(), p.parameter_value().unwrap_or_default().to_owned())))
            .collect(),
        tags: stack.tags().iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value()?.to_owned()))).collect(),
        termination_protection: stack.enable_termination_protection().unwrap_or_default(),
    }
}

/// CloudFormation has no status for "nothing to do": the change set fails, and only its reason tells.
fn state(status: Option<&str>, reason: Option<&str>) -> ChangeSetState {
    let reason = reason.unwrap_or_default();
    match status {
        Some("CREATE_COMPLETE") => ChangeSetState::Ready,
        Some("FAILED") if reason.contains("didn't contain changes") || reason.contains("No updates are to be performed") => {
            ChangeSetState::NoChanges
        }
        Some(status @ ("FAILED" | "DELETE_COMPLETE" | "DELETE_FAILED" | "DELETE_PENDING" | "DELETE_IN_PROGRESS")) => {
            ChangeSetState::Failed(if reason.is_empty() { format!("its status is {status}") } else { reason.to_owned() })
        }
        _ => ChangeSetState::Pending,
    }
}

fn change(change: &SdkChange) -> Option<Change> {
    let resource = change.resource_change()?;
    let mut because: Vec<String> = resource
        .details()
        .iter()
        .filter_map(|detail| {
            let target = detail.target()?;
            target.name().map(str::to_owned).or_else(|| target.attribute().map(|attribute| attribute.as_str().to_owned()))
        })
        .collect();
    because.sort();
    because.dedup();
    Some(Change {
        logical: resource.logical_resource_id().unwrap_or_default().to_owned(),
        kind: resource.resource_type().unwrap_or_default().to_owned(),
        physical: resource.physical_resource_id().map(str::to_owned),
        action: match resource.action().map(aws_sdk_cloudformation::types::ChangeAction::as_str) {
            Some("Add") => ChangeAction::Add,
            Some("Modify") => ChangeAction::Modify,
            Some("Remove") => ChangeAction::Remove,
            Some("Import") => ChangeAction::Import,
            _ => ChangeAction::Dynamic,
        },
        replacement: match resource.replacement().map(aws_sdk_cloudformation::types::Replacement::as_str) {
            Some("True") => Replacement::Always,
            Some("Conditional") => Replacement::Conditional,
            _ => Replacement::Never,
        },
        because,
    })
}

#[cfg(test)]
mod tests {
    use super::{ChangeSetState, StackStatus, state};

    #[test]
    fn a_change_set_without_changes_is_no_failure() {
        let reason = "The submitted information didn't contain changes. Submit different information to create a change set.";
        assert_eq!(state(Some("FAILED"), Some(reason)), ChangeSetState::NoChanges);
        assert_eq!(state(Some("FAILED"), Some("No updates are to be performed.")), ChangeSetState::NoChanges);
        assert_eq!(state(Some("FAILED"), Some("Template error")), ChangeSetState::Failed("Template error".to_owned()));
        assert_eq!(state(Some("CREATE_PENDING"), None), ChangeSetState::Pending);
    }

    #[test]
    fn statuses_answer_what_is_asked_of_them() {
        let is = |status: &str| StackStatus::new(status);
        assert!(is("UPDATE_ROLLBACK_IN_PROGRESS").is_running());
        assert!(!is("REVIEW_IN_PROGRESS").is_running());
        assert!(is("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").is_running() && is("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS").is_success());
        assert!(is("ROLLBACK_COMPLETE").is_dead() && !is("ROLLBACK_COMPLETE").can_update());
        assert!(is("UPDATE_ROLLBACK_COMPLETE").can_update() && !is("UPDATE_ROLLBACK_FAILED").can_update());
    }
}
