//! The replication factors that no other check asks the cluster about: those of topics whose names only the component knows, as
//! Control Center's internal ones and a licence's.
//!
//! Comes in: what the service sets, and how many brokers the cluster names. A topic that is there already stays as it is, but none can
//! be created with more copies than there are brokers.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::asker::Asker;
use super::connection::{Connected, check_of};
use super::fix::Fix;
use super::input::{Input, Service};
use super::report::{Category, Check, Origin, Status};
use super::rights::LIMIT;
use super::runner::Plan;
use super::target::Target;
use crate::base::{Cause, Code, Place};
use crate::confluent;

/// Plans the check of one service, with the first of its targets.
pub(super) fn plan(target: &Target, connected: &Connected, asker: &Arc<Asker>, input: &Input, plan: &mut Plan) {
    let Some(service) = input.services.iter().find(|service| service.name == target.service) else { return };
    let wanted = wanted(service);
    if wanted.is_empty() {
        return;
    }
    let mut check = check_of(target, Category::KafkaAcls, Code::REPLICATION_FACTOR, "copies", "copies of other topics");
    check.title = format!("brokers for the copies that {} asks for", target.service);
    check.clients.clear();
    let asker = asker.clone();
    plan.step(check, &[connected.brokers], &[], LIMIT, move |check, deadline| async move {
        let Some(brokers) = asker.brokers().await else {
            return check.ended(Status::Unknown, "the cluster named no brokers");
        };
        let most = wanted.iter().map(|wanted| wanted.copies).max().unwrap_or_default();
        if most <= brokers {
            return check.passed(format!("{most} of each, on {brokers} brokers"));
        }
        // Asked for what they tell of brokers that are missing.
        let _told = asker.rights(deadline).await;
        judged(check, &wanted, brokers, asker.missing_brokers(most).await)
    });
}

/// A variable, and how many copies it asks for.
struct Wanted {
    variable: String,
    copies: usize,
    place: Option<Place>,
}

/// The factors above one that the service sets, but for those of topics that are asked for by their names.
fn wanted(service: &Service) -> Vec<Wanted> {
    let component = &service.component;
    let by_name: BTreeSet<&str> =
        component.acls.iter().filter_map(|right| right.creates.as_ref()?.replication_factor.property.as_deref()).collect();
    let properties = confluent::properties(component, &service.image, &service.environment);
    let mut wanted: Vec<Wanted> = Vec::new();
    for name in component.replication_factors.iter().filter(|name| !by_name.contains(name.as_str())) {
        let Some(property) = properties.get(name) else { continue };
        let copies = property.value.plain_text().and_then(|text| text.trim().parse().ok()).unwrap_or_default();
        // One variable of Control Center's image sets several.
        if copies > 1 && wanted.iter().all(|other| other.variable != property.variable) {
            wanted.push(Wanted { variable: property.variable.clone(), copies, place: property.value.place.clone() });
        }
    }
    wanted
}

fn judged(check: Check, wanted: &[Wanted], brokers: usize, missing: Option<String>) -> Check {
    let too_many: Vec<&Wanted> = wanted.iter().filter(|wanted| wanted.copies > brokers).collect();
    let asks: Vec<String> = too_many.iter().map(|wanted| format!("{} is {}", wanted.variable, wanted.copies)).collect();
    let has = if brokers == 1 { "1 broker".to_owned() } else { format!("{brokers} brokers") };
    let message = format!("{}, and the cluster has {has}", asks.join(", "));
    if let Some(which) = missing {
        let mut check = check.ended(Status::Unknown, format!("{message}; {which}")).because(Cause::BrokerUnreachable);
        check.fixes = vec![Fix::advice("bring the missing brokers back, then run this again")];
        return check;
    }
    let mut check = check.ended(Status::Failed, message);
    check.why = Some("Kafka creates no topic with more copies than there are brokers".to_owned());
    let variables = too_many.iter().map(|wanted| wanted.variable.clone()).collect();
    check.fixes = vec![Fix::Setting { variables, value: brokers.to_string() }];
    check.expected = vec![format!("{brokers} or less")];
    check.observed = Some(too_many.iter().map(|wanted| wanted.copies.to_string()).collect());
    check.origin = too_many.first().and_then(|first| first.place.as_ref()).map(Origin::from).or(check.origin);
    check
}
