//! CloudFormation's change sets: made, read, judged, executed, deleted.

use aws_sdk_cloudformation::types::{
    Capability as SdkCapability, Change as SdkChange, ChangeSetType, EventFilter, ExecutionStatus, Parameter as SdkParameter,
    ResourceChangeDetail, Tag,
};
use serde::Serialize;

use super::account::{Account, call};
use super::error::{CallError, ErrorKind};
use super::{Tags, moment};
use crate::base::Moment;

/// What a change set is made from.
#[derive(Debug, Clone)]
pub struct ChangeSetRequest<'a> {
    pub stack: &'a str,
    pub name: &'a str,
    pub kind: ChangeKind,
    pub template: TemplateSource<'a>,
    pub parameters: &'a [Parameter],
    pub capabilities: &'a [Capability],
    pub tags: &'a Tags,
    pub description: &'a str,
}

/// Where CloudFormation reads the template.
#[derive(Debug, Clone, Copy)]
pub enum TemplateSource<'a> {
    /// In the call itself.
    Body(&'a str),
    /// In a bucket.
    Url(&'a str),
    /// The stack has it already.
    Previous,
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
    pub name: String,
    pub stack_id: String,
    pub created: Option<Moment>,
    pub state: ChangeSetState,
    pub execution: Execution,
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

/// Whether a change set can be executed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Execution {
    Available,
    /// It was executed, or is being executed.
    Begun,
    /// The stack has moved since it was made.
    Obsolete,
    Unavailable,
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
    /// Each reason with all that CloudFormation says of it.
    pub causes: Vec<Cause>,
}

/// One property that makes a resource change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Cause {
    pub property: String,
    /// The place inside of the property: `/Properties/ContainerDefinitions/0/Image`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The parameter or the resource whose change is behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// It forces a new resource: for certain, perhaps, or not.
    pub recreates: Replacement,
}

/// What CloudFormation found wrong with a change set before it would execute it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Validation {
    /// `PROPERTY_VALIDATION`, `NAME_CONFLICT_VALIDATION`, …; a hook's type where a hook spoke.
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logical: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    pub reason: String,
    /// It stops the change set; otherwise it is a warning.
    pub fails: bool,
}

impl Account {
    /// Makes a change set, and for a new stack the empty stack that it belongs to. Gives the change set's id and the stack's.
    pub async fn create_change_set(&self, wanted: &ChangeSetRequest<'_>) -> Result<(String, String), CallError> {
        let (body, url, previous) = match wanted.template {
            TemplateSource::Body(body) => (Some(body.to_owned()), None, None),
            TemplateSource::Url(url) => (None, Some(url.to_owned()), None),
            TemplateSource::Previous => (None, None, Some(true)),
        };
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
            .set_template_body(body)
            .set_template_url(url)
            .set_use_previous_template(previous)
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
        let request = self.cloudformation.describe_change_set().change_set_name(id).include_property_values(true);
        let mut pages = request.into_paginator().send();
        let mut found: Option<ChangeSet> = None;
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.named(CallError::of("cloudformation:DescribeChangeSet", error).about(id)))?;
            let changes = page.changes().iter().filter_map(change);
            match &mut found {
                Some(set) => set.changes.extend(changes),
                None => {
                    found = Some(ChangeSet {
                        id: page.change_set_id().unwrap_or(id).to_owned(),
                        name: page.change_set_name().unwrap_or_default().to_owned(),
                        stack_id: page.stack_id().unwrap_or_default().to_owned(),
                        created: page.creation_time().map(moment),
                        state: state(
                            page.status().map(aws_sdk_cloudformation::types::ChangeSetStatus::as_str),
                            page.status_reason(),
                        ),
                        execution: execution(page.execution_status()),
                        changes: changes.collect(),
                    });
                }
            }
        }
        found.ok_or_else(|| {
            self.named(CallError::local(ErrorKind::Other, "cloudformation:DescribeChangeSet", "the answer is empty"))
        })
    }

    /// A stack's change sets: each id with its name.
    pub async fn change_sets(&self, stack: &str) -> Result<Vec<(String, String)>, CallError> {
        let mut pages = self.cloudformation.list_change_sets().stack_name(stack).into_paginator().items().send();
        let mut sets = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| self.named(CallError::of("cloudformation:ListChangeSets", error).about(stack)))?;
            let Some(id) = item.change_set_id() else { continue };
            sets.push((id.to_owned(), item.change_set_name().unwrap_or_default().to_owned()));
        }
        Ok(sets)
    }

    /// What CloudFormation's validation and its hooks say of a change set.
    pub async fn validations(&self, change_set: &str) -> Result<Vec<Validation>, CallError> {
        let request = self
            .cloudformation
            .describe_events()
            .change_set_name(change_set)
            .filters(EventFilter::builder().failed_events(true).build());
        let mut pages = request.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item =
                item.map_err(|error| self.named(CallError::of("cloudformation:DescribeEvents", error).about(change_set)))?;
            let (name, reason, mode) = match item.validation_name() {
                Some(name) => (name, item.validation_status_reason(), item.validation_failure_mode()),
                None => match item.hook_type() {
                    Some(hook) => (hook, item.hook_status_reason(), item.hook_failure_mode()),
                    None => continue,
                },
            };
            found.push(Validation {
                name: name.to_owned(),
                logical: item.logical_resource_id().filter(|id| !id.is_empty()).map(str::to_owned),
                path: item.validation_path().filter(|path| !path.is_empty()).map(str::to_owned),
                reason: reason.unwrap_or("CloudFormation gives no reason").to_owned(),
                fails: mode.is_none_or(|mode| mode.as_str() != "WARN"),
            });
        }
        found.sort_by(|a, b| (!a.fails, &a.logical, &a.path, &a.reason).cmp(&(!b.fails, &b.logical, &b.path, &b.reason)));
        found.dedup();
        Ok(found)
    }

    /// Executes a change set. The events of what follows carry `token`.
    pub async fn execute_change_set(&self, id: &str, token: &str) -> Result<(), CallError> {
        let request = self.cloudformation.execute_change_set().change_set_name(id).client_request_token(token);
        call!(self, "cloudformation:ExecuteChangeSet", id, request.send()).map(drop)
    }

    pub async fn delete_change_set(&self, id: &str) -> Result<(), CallError> {
        let request = self.cloudformation.delete_change_set().change_set_name(id);
        call!(self, "cloudformation:DeleteChangeSet", id, request.send()).map(drop)
    }

    /// The template that a change set would deploy, as it was given.
    pub async fn change_set_template(&self, id: &str) -> Result<String, CallError> {
        let request = self.cloudformation.get_template().change_set_name(id);
        let answer = call!(self, "cloudformation:GetTemplate", id, request.send())?;
        Ok(answer.template_body().unwrap_or_default().to_owned())
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

fn execution(status: Option<&ExecutionStatus>) -> Execution {
    match status.map(ExecutionStatus::as_str) {
        Some("AVAILABLE") => Execution::Available,
        Some("OBSOLETE") => Execution::Obsolete,
        Some(status) if status.starts_with("EXECUTE_") => Execution::Begun,
        _ => Execution::Unavailable,
    }
}

fn change(change: &SdkChange) -> Option<Change> {
    let resource = change.resource_change()?;
    let mut causes: Vec<Cause> = resource.details().iter().filter_map(cause).collect();
    causes.sort();
    causes.dedup();
    let mut because: Vec<String> = causes.iter().map(|cause| cause.property.clone()).collect();
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
        causes,
    })
}

fn cause(detail: &ResourceChangeDetail) -> Option<Cause> {
    let target = detail.target()?;
    let property =
        target.name().map(str::to_owned).or_else(|| target.attribute().map(|attribute| attribute.as_str().to_owned()))?;
    let said = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Some(Cause {
        property,
        path: said(target.path()),
        before: said(target.before_value()),
        after: said(target.after_value()),
        by: said(detail.causing_entity()),
        recreates: match target.requires_recreation().map(aws_sdk_cloudformation::types::RequiresRecreation::as_str) {
            Some("Always") => Replacement::Always,
            Some("Conditionally") => Replacement::Conditional,
            _ => Replacement::Never,
        },
    })
}

impl Account {
    /// Has CloudFormation read a template, and nothing more; an error says what is wrong with it.
    pub async fn validate_template(&self, body: &str) -> Result<(), CallError> {
        let request = self.cloudformation.validate_template().template_body(body);
        call!(self, "cloudformation:ValidateTemplate", "the template", request.send()).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::{ChangeSetState, state};

    #[test]
    fn a_change_set_without_changes_is_no_failure() {
        let reason = "The submitted information didn't contain changes. Submit different information to create a change set.";
        assert_eq!(state(Some("FAILED"), Some(reason)), ChangeSetState::NoChanges);
        assert_eq!(state(Some("FAILED"), Some("No updates are to be performed.")), ChangeSetState::NoChanges);
        assert_eq!(state(Some("FAILED"), Some("Template error")), ChangeSetState::Failed("Template error".to_owned()));
        assert_eq!(state(Some("CREATE_PENDING"), None), ChangeSetState::Pending);
    }
}
