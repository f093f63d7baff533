//! CloudFormation: stacks, their resources and events.

use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_cloudformation::types::{Stack as SdkStack, StackEvent as SdkStackEvent};
use serde::Serialize;

use super::account::{Account, call};
use super::error::CallError;
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
    /// What the caller of the operation gave it as a name.
    pub token: Option<String>,
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
            if after.is_some() && after == item.event_id() {
                break;
            }
            events.push(event(&item));
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

    /// The template that a stack was deployed from, as it was given.
    pub async fn stack_template(&self, stack: &str) -> Result<String, CallError> {
        let request = self.cloudformation.get_template().stack_name(stack);
        let answer = call!(self, "cloudformation:GetTemplate", stack, request.send())?;
        Ok(answer.template_body().unwrap_or_default().to_owned())
    }

    /// The event with which the stack's last operation began.
    pub async fn last_beginning(&self, stack: &str) -> Result<Option<StackEvent>, CallError> {
        let mut pages = self.cloudformation.describe_stack_events().stack_name(stack).into_paginator().items().send();
        while let Some(item) = pages.next().await {
            let item =
                item.map_err(|error| self.named(CallError::of("cloudformation:DescribeStackEvents", error).about(stack)))?;
            let event = event(&item);
            if event.begins(item.stack_id().unwrap_or_default()) {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    /// Starts the deletion of a stack, by its id, so that a new stack of the same name is never meant.
    pub async fn delete_stack(&self, id: &str, token: &str) -> Result<(), CallError> {
        let request = self.cloudformation.delete_stack().stack_name(id).client_request_token(token);
        call!(self, "cloudformation:DeleteStack", id, request.send()).map(drop)
    }

    /// Goes on with a rollback that failed half way.
    pub async fn continue_rollback(&self, id: &str, token: &str) -> Result<(), CallError> {
        let request = self.cloudformation.continue_update_rollback().stack_name(id).client_request_token(token);
        call!(self, "cloudformation:ContinueUpdateRollback", id, request.send()).map(drop)
    }

    /// Rolls a stack back whose update failed and was left as it was.
    pub async fn roll_back(&self, id: &str, token: &str) -> Result<(), CallError> {
        let request = self.cloudformation.rollback_stack().stack_name(id).client_request_token(token);
        call!(self, "cloudformation:RollbackStack", id, request.send()).map(drop)
    }

    /// Cancels an update that is under way; what it did is rolled back.
    pub async fn cancel_update(&self, id: &str, token: &str) -> Result<(), CallError> {
        let request = self.cloudformation.cancel_update_stack().stack_name(id).client_request_token(token);
        call!(self, "cloudformation:CancelUpdateStack", id, request.send()).map(drop)
    }
}

impl StackEvent {
    /// An operation on the stack with this id begins here.
    pub fn begins(&self, stack_id: &str) -> bool {
        self.physical.as_deref() == Some(stack_id)
            && matches!(
                self.status.as_str(),
                "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS" | "IMPORT_IN_PROGRESS" | "REVIEW_IN_PROGRESS"
            )
    }
}

fn event(event: &SdkStackEvent) -> StackEvent {
    let said = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    StackEvent {
        id: event.event_id().unwrap_or_default().to_owned(),
        at: event.timestamp().map(moment).unwrap_or_default(),
        logical: event.logical_resource_id().unwrap_or_default().to_owned(),
        kind: event.resource_type().unwrap_or_default().to_owned(),
        physical: said(event.physical_resource_id()),
        status: event.resource_status().map(|status| status.as_str().to_owned()).unwrap_or_default(),
        reason: said(event.resource_status_reason()),
        token: said(event.client_request_token()),
    }
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

#[cfg(test)]
mod tests {
    use super::StackStatus;

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
