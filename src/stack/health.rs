//! The health check of a container: the file's, else the component's. ECS ignores the one in the image.

use super::build::Builder;
use super::{HealthCheck, Text};
use crate::base::Code;
use crate::compose::{Duration, Service};
use crate::confluent;
use crate::profile::Component;

impl Builder<'_> {
    pub(super) fn health(
        &mut self,
        name: &str,
        service: &Service,
        component: Option<&Component>,
        port: Option<u16>,
    ) -> Option<HealthCheck> {
        let Some(check) = service.healthcheck.as_ref() else { return of_component(service, component?, port?) };
        let test = &*check.test;
        if check.disable || test.first().is_some_and(|word| word == "NONE") {
            return None;
        }
        let ours = component.zip(port).and_then(|(component, port)| of_component(service, component, port));
        let command = match (test.is_empty(), &ours) {
            (false, _) => test.iter().map(Text::from).collect(),
            // The file only says how often.
            (true, Some(ours)) => ours.command.clone(),
            (true, None) => {
                let message = "the health check has no test: ECS doesn't know the one in the image";
                self.warn(Code::HEALTH_CHECK, &["services", name, "healthcheck"], message).help =
                    Some("write the test here too".to_owned());
                return None;
            }
        };
        let mut seconds = |key: &str, duration: Option<Duration>, least: i64, most: i64| {
            let seconds = duration?.seconds();
            if (least..=most).contains(&seconds) {
                return u32::try_from(seconds).ok();
            }
            let message = format!("ECS takes {key} from {least} s to {most} s, not {seconds} s");
            self.error(Code::HEALTH_CHECK, &["services", name, "healthcheck", key], message);
            None
        };
        let interval = seconds("interval", check.interval, 5, 300);
        let timeout = seconds("timeout", check.timeout, 2, 60);
        let start_period = seconds("start_period", check.start_period, 0, 300);
        let retries = check.retries.and_then(|retries| u32::try_from(retries).ok());
        if retries.is_some_and(|retries| !(1..=10).contains(&retries)) {
            let message = "ECS takes 1 to 10 retries".to_owned();
            self.error(Code::HEALTH_CHECK, &["services", name, "healthcheck", "retries"], message);
            return None;
        }
        Some(HealthCheck {
            command,
            interval: interval.or_else(|| ours.as_ref()?.interval),
            timeout: timeout.or_else(|| ours.as_ref()?.timeout),
            retries: retries.or_else(|| ours.as_ref()?.retries),
            start_period: start_period.or_else(|| ours.as_ref()?.start_period),
        })
    }
}

fn of_component(service: &Service, component: &Component, port: u16) -> Option<HealthCheck> {
    let image = service.image.as_deref()?;
    let health = &component.health;
    Some(HealthCheck {
        command: confluent::health_command(component, image, port).into_iter().map(Text::from).collect(),
        interval: Some(health.interval_seconds),
        timeout: Some(health.timeout_seconds),
        retries: Some(health.retries),
        start_period: Some(health.start_period_seconds),
    })
}
