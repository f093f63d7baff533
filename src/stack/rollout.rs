//! How new tasks replace old ones: the component's way, or for plain services Compose's `update_config`.

use super::Rollout;
use crate::compose::{Service, UpdateConfig};
use crate::profile::Component;

/// How long a balancer's verdict on a new task is not listened to where nobody says.
const GRACE: u32 = 60;

pub(super) fn rollout(service: &Service, component: Option<&Component>) -> Rollout {
    if let Some(component) = component {
        let deployment = &component.deployment;
        return Rollout {
            minimum_percent: deployment.minimum_percent.into(),
            maximum_percent: deployment.maximum_percent.into(),
            az_rebalancing: deployment.availability_zone_rebalancing,
            grace: Some(deployment.grace_period_seconds),
        };
    }
    let update = service.deploy.as_ref().and_then(|deploy| deploy.update_config.as_ref());
    let (minimum_percent, maximum_percent) = update.map_or((100, 200), |update| percents(update, service.replicas()));
    let start = service.healthcheck.as_ref().and_then(|check| check.start_period);
    Rollout {
        minimum_percent,
        maximum_percent,
        // ECS moves a task by starting its successor first, for which there must be room.
        az_rebalancing: maximum_percent > 100,
        grace: Some(start.and_then(|period| u32::try_from(period.seconds()).ok()).unwrap_or(GRACE)),
    }
}

/// `parallelism` of `replicas` tasks at a time, 0 for all; before or after their successors have started.
fn percents(update: &UpdateConfig, replicas: i64) -> (u32, u32) {
    let replicas = u64::try_from(replicas.max(1)).unwrap_or(1);
    let at_once = match update.parallelism.unwrap_or(1) {
        0 => replicas,
        parallelism => parallelism.min(replicas),
    };
    // ECS rounds the least number of tasks up and the largest down; so do these, the other way, to land on the number meant.
    let percent = |tasks: u64| tasks.saturating_mul(100) / replicas;
    let part = u32::try_from(percent(replicas - at_once)).unwrap_or(0);
    if update.order.as_deref() == Some("start-first") {
        let more = u32::try_from((at_once * 100).div_ceil(replicas)).unwrap_or(100);
        (100, 100 + more)
    } else {
        (part, 100)
    }
}

#[cfg(test)]
mod tests {
    use super::percents;
    use crate::compose::UpdateConfig;

    #[test]
    fn percents_land_on_the_number_of_tasks_that_was_meant() {
        for (replicas, parallelism, expected) in [(3, 1, 2), (3, 2, 1), (1, 1, 0), (4, 0, 0), (7, 3, 4)] {
            let update = UpdateConfig { parallelism: Some(parallelism), ..UpdateConfig::default() };
            let (least, most) = percents(&update, replicas);
            let tasks = (least * u32::try_from(replicas).unwrap()).div_ceil(100);
            assert_eq!((tasks, most), (expected, 100), "{replicas} {parallelism}");
        }
    }
}
