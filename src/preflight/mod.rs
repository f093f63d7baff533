//! Says before anything is deployed whether settings, secrets, network, login and rights will hold.
//!
//! Comes in: the services that run a known component, each with the environment its container will have ([`Input`]). Goes out:
//! a [`Report`]: what was checked, what came of it, why it matters and the command that mends it. Data only, no layout.
//!
//! ```text
//! Input ─► targets (one per principal and settings) ─► steps with their needs ─► runner ─► checks ─► fixes merged ─► Report
//! ```
//!
//! With `--wait` the checks that may end otherwise are run [`again`].
//!
//! Rules: a check never ends the run; what depends on a failed one is skipped, with the reason. Unknown is never a pass. Every
//! step has a limit of ours. Nothing that is sent changes anything. No text quotes a secret: of a key, its first four letters.

mod acls;
mod asker;
mod aws;
mod clock;
mod cluster;
mod collisions;
mod config;
mod connection;
mod copies;
mod credentials;
mod fix;
mod gather;
mod input;
pub mod inside;
mod patience;
mod reasons;
mod registry;
mod remedy;
mod report;
mod rights;
mod runner;
mod secrets;
mod shape;
mod target;
mod urls;
mod wiring;

pub use aws::{
    AccountFacts, FamilyFacts, ImageFacts, ImageState, KeyAccess, LOG_RIGHTS, LOGIN_RIGHT, May, PULL_RIGHTS, Read, Roads,
    RoleFacts, SecretAccess, Validated, may, resolved,
};
pub use cluster::{ClusterFacts, Provider};
pub use fix::Fix;
pub use gather::{Gathered, Stored, cluster, gather};
pub use input::{Input, Own, OwnHost, Secret, SecretState, Service, StoredKeys};
pub use patience::Patience;
pub use report::{Aws, Category, Check, Kafka, Origin, Report, Status, Subject, Summary, TargetFacts, Vantage};

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::clock::Clock;
use crate::base::{Code, Deadline};

/// No run is longer, whatever the limits of its steps add up to.
const OVERALL_LIMIT: Duration = Duration::from_secs(30);

/// What to check, and how long that may take.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Empty: everything.
    pub only: BTreeSet<Category>,
    pub skip: BTreeSet<Category>,
    pub patience: Patience,
}

impl Selection {
    /// Whether checks of a category are wanted.
    pub fn takes(&self, category: Category) -> bool {
        (self.only.is_empty() || self.only.contains(&category)) && !self.skip.contains(&category)
    }
}

/// Runs the checks that are selected, and what they need.
pub async fn run(input: &Input, selection: &Selection, vantage: Vantage) -> Report {
    let started = Instant::now();
    let checks = checks(input, selection, vantage, |_| true, None).await;
    Report::new(input, vantage, checks, started.elapsed())
}

/// … while the account is still asked: it has nothing to tell to the others. What it said stands in `input` afterwards.
pub async fn run_beside(
    input: &mut Input,
    selection: &Selection,
    vantage: Vantage,
    account: impl Future<Output = Option<AccountFacts>>,
) -> Report {
    let started = Instant::now();
    let mut others = selection.clone();
    others.skip.insert(Category::Aws);
    let (facts, mut merged) = tokio::join!(account, checks(input, &others, vantage, |_| true, None));
    input.account = facts;
    let mut plan = runner::Plan::default();
    aws::plan(input, &mut plan);
    plan.keep(|check| selection.takes(check.category));
    plan.wait_longer(selection.patience);
    let of_account = plan.run(Deadline::after(selection.patience.of(OVERALL_LIMIT)), None).await;
    // The report's order is that of the categories, as a plan of all has them.
    let at = merged.iter().take_while(|check| check.category < Category::Aws).count();
    merged.splice(at..at, of_account);
    Report::new(input, vantage, merged, started.elapsed())
}

/// Runs again what may end otherwise now, and what was skipped because of it; the rest stays as it was.
pub async fn again(input: &Input, selection: &Selection, earlier: &Report) -> Report {
    let started = Instant::now();
    let open: BTreeSet<&str> = earlier
        .checks
        .iter()
        .filter(|check| check.is_worth_repeating() || check.status == Status::Skipped)
        .map(|check| check.id.as_str())
        .collect();
    let mut fresh = checks(input, selection, earlier.vantage, |check| open.contains(check.id.as_str()), None).await;
    for check in &mut fresh {
        let before = earlier.checks.iter().find(|other| other.id == check.id);
        check.attempts += before.map_or(0, |before| before.attempts);
    }
    let mut merged: Vec<Check> = Vec::new();
    for before in &earlier.checks {
        let now = fresh.iter().position(|check| check.id == before.id).map(|at| fresh.remove(at));
        merged.push(now.unwrap_or_else(|| before.clone()));
    }
    // What only shows now: a layer that held before.
    merged.extend(fresh);
    // A check that only stood there as a reason has gone with its trouble.
    merged.retain(|check| selection.takes(check.category) || check.status.is_trouble());
    Report::new(input, earlier.vantage, merged, Duration::from_millis(earlier.duration_ms) + started.elapsed())
}

/// Settings with which no broker can be asked: the reason for whatever is skipped then, also where settings aren't asked for.
fn explains(check: &Check, selection: &Selection) -> bool {
    let of_brokers = [Category::Kafka, Category::KafkaAcls, Category::Collisions];
    check.category == Category::Config
        && check.status == Status::Failed
        && target::LEAVE_NO_CLIENT.contains(&check.code)
        && of_brokers.iter().any(|category| selection.takes(*category))
}

/// The steps of a run that are wanted, and what is known of ACLs while they run.
fn planned(
    input: &Input,
    selection: &Selection,
    vantage: Vantage,
    wanted: impl Fn(&Check) -> bool,
) -> (runner::Plan, Arc<acls::Book>) {
    let mut plan = runner::Plan::default();
    config::plan(input, &mut plan);
    aws::plan(input, &mut plan);
    secrets::plan(input, &mut plan);
    let (clock, telling) = Clock::new();
    let book = Arc::<acls::Book>::default();
    let mut tellers = Vec::new();
    let mut services = BTreeSet::new();
    for target in target::targets(input) {
        let connected = connection::plan(&target, input, vantage, &clock, &mut plan);
        tellers.extend(connected.token);
        let asker = rights::plan(&target, &connected, &input.cluster, &book, &mut plan);
        if services.insert(target.service.clone()) {
            copies::plan(&target, &connected, &asker, input, &mut plan);
        }
        collisions::plan(&target, &connected, &asker, input, &mut plan);
    }
    tellers.extend(registry::plan(input, vantage, &clock, &mut plan));
    urls::plan(input, vantage, &mut plan);
    clock.plan(telling, &tellers, &mut plan);
    plan.keep(|check| (selection.takes(check.category) || explains(check, selection)) && wanted(check));
    plan.wait_longer(selection.patience);
    (plan, book)
}

async fn checks(
    input: &Input,
    selection: &Selection,
    vantage: Vantage,
    wanted: impl Fn(&Check) -> bool,
    tell: Option<runner::Teller>,
) -> Vec<Check> {
    let (plan, book) = planned(input, selection, vantage, wanted);
    let mut checks = plan.run(Deadline::after(selection.patience.of(OVERALL_LIMIT)), tell).await;
    fix::attach(&mut checks, &input.cluster, &book);
    checks.iter_mut().for_each(Check::not_credited_to_the_task);
    // What only ran because something else needs it is shown where it is the reason.
    checks.retain(|check| selection.takes(check.category) || check.status.is_trouble());
    // A quota is worth a line where it was felt.
    checks.retain(|check| check.code != Code::QUOTA || check.status == Status::Warned);
    checks
}
