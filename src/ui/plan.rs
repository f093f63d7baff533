//! What a deploy would do, the gravest first, each change with the property that causes it, and a last line that counts.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use super::style::Style;
use super::{Ui, summary, words};

use crate::base::{Exit, Operation};
use crate::deploy::{Cause, Effect, Plan, Planned, Refusal, Validation};

/// Values of a property are shown up to this length; longer ones only by their place.
const LONGEST_VALUE: usize = 40;
/// Causes of one resource that are shown; all of them are in the JSON document.
const MOST_CAUSES: usize = 4;

/// Where it would be done.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub account: &'a str,
    pub region: &'a str,
}

/// What a plan is about.
pub struct PlanView<'a> {
    pub place: Place<'a>,
    pub stack: &'a str,
    pub operation: Operation,
    /// How the same project and stack are typed again.
    pub again: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    exit_code: u8,
    stack: &'a str,
    operation: Operation,
    /// `changes`, `none` or `refused`.
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    changes: &'a [Planned],
    counts: BTreeMap<Effect, usize>,
    /// `null` where the account may not read them.
    validations: Option<&'a [Validation]>,
    /// The name of the change set, where it was kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    change_set: Option<&'a str>,
}

impl Ui {
    /// Shows a plan on stderr: what is asked about next.
    pub fn plan(&mut self, plan: &Plan, place: &Place<'_>) {
        let text = text(plan, place, self.style);
        self.note(text.trim_end());
    }

    /// A plan as the result of the run.
    pub fn plan_result(&mut self, view: &PlanView<'_>, plan: &Plan, kept: Option<&str>, exit: Exit) {
        if self.wants_json() {
            let document = Document {
                verdict: "changes",
                changes: &plan.changes,
                counts: plan.counts(),
                validations: plan.validations.as_deref(),
                change_set: kept,
                ..Document::empty(view, exit)
            };
            self.json(&document);
        } else {
            self.result(&text(plan, &view.place, self.result_style));
        }
        summary::add(&format!("plan: {}", view.stack), &text(plan, &view.place, Style::new(false)));
        if let Some(name) = kept {
            self.note(&format!("next: confluent-ecs up{} --change-set {name}", view.again));
        }
    }

    /// A plan in which there is nothing to do.
    pub fn no_changes(&mut self, view: &PlanView<'_>) {
        let text = format!("{} is up to date: nothing to change", view.stack);
        if self.wants_json() {
            self.json(&Document { verdict: "none", validations: Some(&[]), ..Document::empty(view, Exit::Done) });
        } else {
            self.result(&format!("{text}\n"));
        }
        summary::add(&format!("plan: {}", view.stack), &text);
    }

    /// The document of a plan that CloudFormation refuses; the failure itself is shown like any other.
    pub fn refused_plan(&mut self, view: &PlanView<'_>, refusal: &Refusal) {
        if self.wants_json() {
            self.json(&Document {
                verdict: "refused",
                reason: Some(&refusal.reason),
                validations: Some(&refusal.validations),
                ..Document::empty(view, Exit::Usage)
            });
        }
        summary::add(&format!("plan: {}", view.stack), &format!("CloudFormation refuses it: {}", refusal.reason));
    }
}

impl<'a> Document<'a> {
    fn empty(view: &PlanView<'a>, exit: Exit) -> Self {
        Self {
            schema: "confluent-ecs/plan/v1",
            exit_code: exit as u8,
            stack: view.stack,
            operation: view.operation,
            verdict: "",
            reason: None,
            changes: &[],
            counts: BTreeMap::new(),
            validations: None,
            change_set: None,
        }
    }
}

fn text(plan: &Plan, place: &Place<'_>, style: Style) -> String {
    let mut text = String::new();
    let what = if plan.operation == Operation::Create { "new stack" } else { "changes to" };
    let _ = writeln!(text, "{what} {}   AWS {} {}", style.strong(&plan.stack), place.account, place.region);
    let mut heading = None;
    for planned in &plan.changes {
        if heading != Some(planned.effect) {
            heading = Some(planned.effect);
            let _ = writeln!(text, "  {}", effect(planned.effect, style));
        }
        let _ = writeln!(text, "    {}", change(planned, style));
    }
    for found in plan.validations.iter().flatten() {
        let place = found.path.as_deref().or(found.logical.as_deref()).unwrap_or("the template");
        let _ = writeln!(text, "  {} {place}: {} ({})", style.doubtful("‼"), found.reason, found.name);
    }
    if plan.validations.is_none() {
        let _ = writeln!(text, "  – CloudFormation's warnings: unknown, cloudformation:DescribeEvents could not be called");
    }
    let counts: Vec<String> = plan.counts().into_iter().map(|(effect, count)| format!("{count} {}", counted(effect))).collect();
    let _ = writeln!(text, "{}", if counts.is_empty() { "no resource changes".to_owned() } else { counts.join(", ") });
    text
}

fn effect(effect: Effect, style: Style) -> String {
    match effect {
        Effect::Removes => style.bad("- removed"),
        Effect::Replaces => style.bad("± replaced: the old one goes when the new one is there"),
        Effect::MayReplace => style.doubtful("± perhaps replaced"),
        Effect::RestartsTasks => style.doubtful("↻ tasks restart"),
        Effect::Creates => style.strong("+ new"),
        Effect::InPlace => style.strong("~ changed in place"),
        Effect::Unnoticed => style.quiet("· nothing that runs notices"),
    }
}

fn change(planned: &Planned, style: Style) -> String {
    let change = &planned.change;
    let name = words::resource(&change.logical);
    let mut causes: Vec<String> = if change.causes.is_empty() {
        change.because.clone()
    } else {
        change.causes.iter().filter(|cause| !is_shadowed(cause, &change.causes)).map(cause).collect()
    };
    causes.dedup();
    if causes.len() > MOST_CAUSES {
        let more = causes.len() - MOST_CAUSES;
        causes.truncate(MOST_CAUSES);
        causes.push(format!("and {more} more"));
    }
    if causes.is_empty() { name } else { format!("{name}  {}", style.quiet(format!("({})", causes.join(", ")))) }
}

/// Whether another entry says the same and more: CloudFormation lists a property once for the template and once for each reference.
fn is_shadowed(cause: &Cause, all: &[Cause]) -> bool {
    let says = |cause: &Cause| usize::from(cause.by.is_some()) + usize::from(cause.path.is_some());
    all.iter().any(|other| other.property == cause.property && says(other) > says(cause))
}

/// `DesiredCount: 2 → 3`, `TaskDefinition, by worker task definition`.
fn cause(cause: &Cause) -> String {
    let place = cause.path.as_deref().map(|path| path.trim_start_matches("/Properties/")).filter(|path| !path.is_empty());
    let mut text = place.unwrap_or(&cause.property).to_owned();
    if let (Some(before), Some(after)) = (&cause.before, &cause.after)
        && is_showable(place.unwrap_or_default(), before)
        && is_showable(place.unwrap_or_default(), after)
    {
        let _ = write!(text, ": {before} → {after}");
    }
    if let Some(by) = &cause.by {
        let resource = by.split('.').next().unwrap_or(by);
        let _ = write!(text, ", by {}", words::resource(resource));
    }
    text
}

/// An environment may hold what nobody should see in a terminal or a build log; a long value helps nobody there.
fn is_showable(place: &str, value: &str) -> bool {
    let private = ["Environment", "Command", "EntryPoint", "Secret"].iter().any(|word| place.contains(word));
    !private && value.len() <= LONGEST_VALUE && !value.contains(['\n', '{', '['])
}

fn counted(effect: Effect) -> &'static str {
    match effect {
        Effect::Removes => "removed",
        Effect::Replaces => "replaced",
        Effect::MayReplace => "perhaps replaced",
        Effect::RestartsTasks => "with a restart of tasks",
        Effect::Creates => "new",
        Effect::InPlace => "in place",
        Effect::Unnoticed => "unnoticed",
    }
}

#[cfg(test)]
mod tests {
    use super::{cause, change};
    use crate::aws::{Cause, Change, ChangeAction, Replacement};
    use crate::deploy::Plan;
    use crate::ui::style::Style;

    fn because(property: &str, path: Option<&str>, values: Option<(&str, &str)>, by: Option<&str>) -> Cause {
        Cause {
            property: property.to_owned(),
            path: path.map(str::to_owned),
            before: values.map(|(before, _)| before.to_owned()),
            after: values.map(|(_, after)| after.to_owned()),
            by: by.map(str::to_owned),
            recreates: Replacement::Never,
        }
    }

    #[test]
    fn a_cause_names_the_property_its_values_and_what_is_behind_it() {
        let count = because("DesiredCount", Some("/Properties/DesiredCount"), Some(("2", "3")), Some("WorkerCount"));
        assert_eq!(cause(&count), "DesiredCount: 2 → 3, by worker count");
        let by = because("TaskDefinition", None, None, Some("WorkerTaskDefinition"));
        assert_eq!(cause(&by), "TaskDefinition, by worker task definition");
    }

    #[test]
    fn what_may_be_private_is_named_and_not_shown() {
        let path = "/Properties/ContainerDefinitions/0/Environment/3/Value";
        let private = because("ContainerDefinitions", Some(path), Some(("old", "new")), None);
        assert_eq!(cause(&private), "ContainerDefinitions/0/Environment/3/Value");
    }

    #[test]
    fn a_property_is_named_once_with_the_entry_that_says_most() {
        let causes = vec![
            because("TaskDefinition", None, None, None),
            because("TaskDefinition", None, None, Some("WorkerTaskDefinition")),
        ];
        let plan = Plan::new(
            "demo",
            crate::base::Operation::Update,
            vec![Change {
                logical: "WorkerService".to_owned(),
                kind: "AWS::ECS::Service".to_owned(),
                physical: None,
                action: ChangeAction::Modify,
                replacement: Replacement::Conditional,
                because: vec!["TaskDefinition".to_owned()],
                causes,
            }],
        );
        assert_eq!(change(&plan.changes[0], Style::new(false)), "worker service  (TaskDefinition, by worker task definition)");
    }
}
