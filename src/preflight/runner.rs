//! Runs steps: each waits for what it needs, and independent ones run at the same time. The order of the plan is the order of the report.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

use super::patience::Patience;
use super::report::{Check, Status, millis};
use crate::base::{Code, Deadline};

/// A step that overruns its own deadline is broken off this much later.
const GRACE: Duration = Duration::from_secs(1);

type Running = Pin<Box<dyn Future<Output = Check> + Send>>;

/// What a step does: takes its check and a deadline, and gives the check with what came of it.
pub(super) type Action = Box<dyn FnOnce(Check, Deadline) -> Running + Send>;

/// Who is told of each check as it ends.
pub(super) type Teller = Arc<dyn Fn(&Check) + Send + Sync>;

/// A step of the plan, to be named as a need of later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct StepId(usize);

struct Step {
    check: Check,
    /// Must hold, or this step is skipped.
    needs: Vec<StepId>,
    /// Must have ended, however it ended.
    after: Vec<StepId>,
    limit: Duration,
    action: Action,
}

/// Steps in the order of the report.
#[derive(Default)]
pub(super) struct Plan(Vec<Option<Step>>);

/// What others must know of a step that has ended.
#[derive(Clone)]
struct Ended {
    status: Status,
    code: Code,
    label: String,
}

impl Plan {
    /// Something that is known already.
    pub(super) fn known(&mut self, check: Check) -> StepId {
        self.step(check, &[], &[], Duration::ZERO, |check, _| std::future::ready(check))
    }

    pub(super) fn step<F, R>(
        &mut self,
        mut check: Check,
        needs: &[StepId],
        after: &[StepId],
        limit: Duration,
        action: F,
    ) -> StepId
    where
        F: FnOnce(Check, Deadline) -> R + Send + 'static,
        R: Future<Output = Check> + Send + 'static,
    {
        check.needs = needs.iter().filter_map(|need| self.0[need.0].as_ref().map(|step| step.check.code)).collect();
        let action: Action = Box::new(move |check, deadline| Box::pin(action(check, deadline)));
        self.0.push(Some(Step { check, needs: needs.to_vec(), after: after.to_vec(), limit, action }));
        StepId(self.0.len() - 1)
    }

    /// Drops every step that is neither wanted nor needed.
    pub(super) fn keep(&mut self, wanted: impl Fn(&Check) -> bool) {
        let mut kept: BTreeSet<usize> = BTreeSet::new();
        for (index, step) in self.0.iter().enumerate().rev() {
            let Some(step) = step else { continue };
            if kept.contains(&index) || wanted(&step.check) {
                kept.insert(index);
                kept.extend(step.needs.iter().chain(&step.after).map(|need| need.0));
            }
        }
        for (index, step) in self.0.iter_mut().enumerate() {
            if !kept.contains(&index) {
                *step = None;
            }
        }
    }

    pub(super) fn wait_longer(&mut self, patience: Patience) {
        for step in self.0.iter_mut().flatten() {
            step.limit = patience.of(step.limit);
        }
    }

    /// The checks as they stand before anything is done.
    pub(super) fn not_run(self) -> Vec<Check> {
        self.0.into_iter().flatten().map(|step| step.check).collect()
    }

    /// Runs everything; no step outlives the deadline by more than a moment.
    pub(super) async fn run(self, deadline: Deadline, tell: Option<Teller>) -> Vec<Check> {
        let (tellers, listeners): (Vec<_>, Vec<_>) = self.0.iter().map(|_| watch::channel(None::<Ended>)).unzip();
        let mut tasks = Vec::new();
        for (step, teller) in self.0.into_iter().zip(tellers) {
            let Some(step) = step else { continue };
            let told = |ids: &[StepId]| ids.iter().map(|id| listeners[id.0].clone()).collect::<Vec<_>>();
            let (needs, after) = (told(&step.needs), told(&step.after));
            let template = step.check.clone();
            let tell = tell.clone();
            let task = tokio::spawn(async move {
                let check = one(step, needs, after, deadline).await;
                let ended = Ended { status: check.status, code: check.code, label: check.label.clone() };
                teller.send_replace(Some(ended));
                if let Some(tell) = tell {
                    tell(&check);
                }
                check
            });
            tasks.push((template, task));
        }
        let mut checks = Vec::new();
        for (template, task) in tasks {
            checks.push(
                task.await.unwrap_or_else(|_| template.ended(Status::Unknown, "the check broke off: a fault of this program")),
            );
        }
        checks
    }
}

async fn one(
    step: Step,
    needs: Vec<watch::Receiver<Option<Ended>>>,
    after: Vec<watch::Receiver<Option<Ended>>>,
    deadline: Deadline,
) -> Check {
    for mut other in after {
        let _ended_or_gone = other.wait_for(Option::is_some).await;
    }
    for mut need in needs {
        let ended = need.wait_for(Option::is_some).await.ok().and_then(|ended| ended.clone());
        let reason = match ended {
            Some(ended) if ended.status.holds() => continue,
            Some(ended) => {
                let how = match ended.status {
                    Status::Failed => "failed",
                    Status::Skipped => "was skipped",
                    _ => "is unknown",
                };
                format!("needs {} ({}), which {how}", ended.code, ended.label)
            }
            None => "what it needs broke off".to_owned(),
        };
        return step.check.ended(Status::Skipped, reason);
    }
    let started = Instant::now();
    let limit = deadline.at_most(step.limit);
    let template = step.check.clone();
    let mut check = match timeout(limit.remaining() + GRACE, (step.action)(step.check, limit)).await {
        Ok(check) => check,
        Err(_) => template.ended(Status::Unknown, "the check did not end in time"),
    };
    check.duration_ms = millis(started.elapsed());
    check
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{GRACE, Plan};
    use crate::base::{Code, Deadline};
    use crate::preflight::report::{Category, Check, Status};

    fn check(id: &str, category: Category) -> Check {
        Check::new(Code::DNS, category, id, id)
    }

    fn run(plan: Plan) -> Vec<Check> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(plan.run(Deadline::after(Duration::from_secs(5)), None))
    }

    #[test]
    fn what_needs_a_failed_check_is_skipped_and_says_why() {
        let mut plan = Plan::default();
        let first = plan.known(check("first", Category::Kafka).ended(Status::Failed, "broken"));
        let second = plan.step(check("second", Category::Kafka), &[first], &[], Duration::ZERO, |c, _| async { c.passed("") });
        plan.step(check("third", Category::Kafka), &[second], &[], Duration::ZERO, |c, _| async { c.passed("") });
        plan.step(check("free", Category::Kafka), &[], &[first], Duration::ZERO, |c, _| async { c.passed("") });
        let checks = run(plan);
        let statuses: Vec<Status> = checks.iter().map(|check| check.status).collect();
        assert_eq!(statuses, [Status::Failed, Status::Skipped, Status::Skipped, Status::Passed]);
        assert_eq!(checks[1].message, "needs CE301 (first), which failed");
        assert_eq!(checks[2].message, "needs CE301 (second), which was skipped");
    }

    #[test]
    fn independent_steps_run_at_the_same_time_and_a_hanging_one_ends() {
        let mut plan = Plan::default();
        for number in 0..60 {
            plan.step(check(&number.to_string(), Category::Kafka), &[], &[], Duration::ZERO, |_, _| std::future::pending());
        }
        let started = Instant::now();
        assert!(run(plan).iter().all(|check| check.status == Status::Unknown));
        assert!(started.elapsed() < GRACE * 30, "one after the other");
    }

    #[test]
    fn a_check_that_breaks_off_is_unknown_and_frees_those_that_wait() {
        let mut plan = Plan::default();
        let broken = plan.step(check("broken", Category::Kafka), &[], &[], Duration::ZERO, |c: Check, _| async move {
            assert!(c.id.is_empty(), "a fault");
            c
        });
        plan.step(check("next", Category::Kafka), &[broken], &[], Duration::ZERO, |c, _| async { c.passed("") });
        let statuses: Vec<Status> = run(plan).iter().map(|check| check.status).collect();
        assert_eq!(statuses, [Status::Unknown, Status::Skipped]);
    }

    #[test]
    fn what_a_kept_step_needs_is_kept() {
        let mut plan = Plan::default();
        let need = plan.known(check("need", Category::Kafka).passed(""));
        plan.known(check("other", Category::Secrets).passed(""));
        plan.step(check("wanted", Category::KafkaAcls), &[need], &[], Duration::ZERO, |c, _| async { c.passed("") });
        plan.keep(|check| check.category == Category::KafkaAcls);
        let ids: Vec<String> = run(plan).into_iter().map(|check| check.id).collect();
        assert_eq!(ids, ["kafka/need", "kafka-acls/wanted"]);
    }
}
