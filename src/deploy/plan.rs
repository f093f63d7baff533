//! A change set as people read it: what is made, replaced, restarted, changed in place, removed.
//!
//! Comes in: CloudFormation's change set. Goes out: a [`Plan`]. Rules: pure; says what a change means for what runs, not only what
//! CloudFormation calls it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::aws::{Change, ChangeAction, Replacement, Validation};
use crate::base::Operation;

/// What a change means, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    Removes,
    Replaces,
    /// CloudFormation knows only when it gets there.
    MayReplace,
    /// The service's tasks are replaced, a few at a time.
    RestartsTasks,
    Creates,
    InPlace,
    /// Only tags and the like: nothing that runs notices.
    Unnoticed,
}

/// One resource's change with what it means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub effect: Effect,
    #[serde(flatten)]
    pub change: Change,
}

/// What a deploy would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    pub stack: String,
    pub operation: Operation,
    /// The gravest first, then by name.
    pub changes: Vec<Planned>,
    /// What CloudFormation's own validation found, nothing in it where all is well; `None` where it can't be read.
    pub validations: Option<Vec<Validation>>,
}

impl Plan {
    pub fn new(stack: &str, operation: Operation, changes: Vec<Change>) -> Self {
        let mut changes: Vec<Planned> = changes.into_iter().map(|change| Planned { effect: effect(&change), change }).collect();
        changes.sort_by(|a, b| (a.effect, &a.change.logical).cmp(&(b.effect, &b.change.logical)));
        Self { stack: stack.to_owned(), operation, changes, validations: None }
    }

    /// How many changes of each effect, the gravest first.
    pub fn counts(&self) -> BTreeMap<Effect, usize> {
        let mut counts = BTreeMap::new();
        for planned in &self.changes {
            *counts.entry(planned.effect).or_default() += 1;
        }
        counts
    }
}

fn effect(change: &Change) -> Effect {
    let only =
        |words: &[&str]| !change.because.is_empty() && change.because.iter().all(|because| words.contains(&because.as_str()));
    match change.action {
        ChangeAction::Add | ChangeAction::Import => Effect::Creates,
        ChangeAction::Remove => Effect::Removes,
        // A task definition is never changed: a new revision takes its place, and the service's tasks follow.
        ChangeAction::Modify if change.kind == "AWS::ECS::TaskDefinition" => {
            if only(&["Tags"]) {
                Effect::Unnoticed
            } else {
                Effect::RestartsTasks
            }
        }
        ChangeAction::Modify | ChangeAction::Dynamic => match change.replacement {
            Replacement::Always => Effect::Replaces,
            Replacement::Conditional if change.kind == "AWS::ECS::Service" && only(&["TaskDefinition", "Tags"]) => {
                Effect::RestartsTasks
            }
            Replacement::Conditional => Effect::MayReplace,
            Replacement::Never if only(&["Tags", "Metadata"]) => Effect::Unnoticed,
            Replacement::Never if change.kind == "AWS::ECS::Service" && !only(&["DesiredCount", "Tags"]) => Effect::RestartsTasks,
            Replacement::Never if change.action == ChangeAction::Dynamic => Effect::MayReplace,
            Replacement::Never => Effect::InPlace,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{Effect, Plan};
    use crate::aws::{Change, ChangeAction, Replacement};
    use crate::base::Operation;

    fn change(logical: &str, kind: &str, action: ChangeAction, replacement: Replacement, because: &[&str]) -> Change {
        Change {
            logical: logical.to_owned(),
            kind: kind.to_owned(),
            physical: None,
            action,
            replacement,
            because: because.iter().map(|because| (*because).to_owned()).collect(),
            causes: Vec::new(),
        }
    }

    #[test]
    fn the_gravest_comes_first_and_a_new_revision_is_a_restart() {
        use ChangeAction::{Add, Modify, Remove};
        use Replacement::{Always, Conditional, Never};
        let plan = Plan::new(
            "demo-dev",
            Operation::Update,
            vec![
                change("Logs", "AWS::Logs::LogGroup", Modify, Never, &["RetentionInDays"]),
                change("New", "AWS::IAM::Role", Add, Never, &[]),
                change("Service", "AWS::ECS::Service", Modify, Conditional, &["TaskDefinition"]),
                change("Tasks", "AWS::ECS::TaskDefinition", Modify, Always, &["ContainerDefinitions"]),
                change("Old", "AWS::IAM::Role", Remove, Never, &[]),
                change("Group", "AWS::EC2::SecurityGroup", Modify, Always, &["GroupDescription"]),
                change("Role", "AWS::IAM::Role", Modify, Never, &["Tags"]),
                change("Count", "AWS::ECS::Service", Modify, Never, &["DesiredCount"]),
            ],
        );
        let read: Vec<_> = plan.changes.iter().map(|planned| (planned.change.logical.as_str(), planned.effect)).collect();
        assert_eq!(
            read,
            [
                ("Old", Effect::Removes),
                ("Group", Effect::Replaces),
                ("Service", Effect::RestartsTasks),
                ("Tasks", Effect::RestartsTasks),
                ("New", Effect::Creates),
                ("Count", Effect::InPlace),
                ("Logs", Effect::InPlace),
                ("Role", Effect::Unnoticed),
            ]
        );
        assert_eq!(plan.counts()[&Effect::RestartsTasks], 2);
    }
}
