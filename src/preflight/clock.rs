//! This machine's clock, compared with what servers of HTTP say. A wrong one makes good certificates look expired, and signatures and
//! tokens fail; so it is a cause of its own, wherever a server tells the time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::fix::Fix;
use super::remedy;
use super::report::{Category, Check, Status};
use super::runner::{Plan, StepId};
use crate::base::{Cause, Code, Fault, Moment};
use crate::net::tls::Certificate;

/// AWS refuses signatures that are further off, and brokers tokens.
const TOO_FAR: i64 = 300;
const WORTH_SAYING: i64 = 30;

/// What servers have said of the time; shared by all who ask them.
#[derive(Debug, Clone, Default)]
pub(super) struct Clock(Arc<Mutex<Vec<(String, i64)>>>);

impl Clock {
    /// A server whose clock is so many seconds ahead of ours.
    pub(super) fn heard(&self, host: &str, ahead: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((host.to_owned(), ahead));
    }

    /// The server that is nearest to us: if even that one is far off, it is we who are wrong.
    fn nearest(&self) -> Option<(String, i64)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().min_by_key(|(_, ahead)| ahead.abs()).cloned()
    }

    /// A certificate is outside its time. By whose clock?
    pub(super) fn judge(&self, fault: Fault, certificate: &Certificate) -> Fault {
        let Some((host, ahead)) = self.nearest().filter(|(_, ahead)| ahead.abs() > TOO_FAR) else { return fault };
        let there = now() + ahead;
        if (certificate.not_before..=certificate.not_after).contains(&there) {
            let message = format!("the certificate is good by the clock of {host}; this machine's is {}", off(ahead));
            return Fault::new(Cause::ClockSkew, message);
        }
        fault
    }

    /// Plans the check, after all who may have heard the time.
    pub(super) fn plan(&self, tellers: &[StepId], plan: &mut Plan) {
        if tellers.is_empty() {
            return;
        }
        let clock = self.clone();
        let mut check = Check::new(Code::CLOCK, Category::Kafka, "clock", "this machine's clock");
        "clock".clone_into(&mut check.label);
        plan.step(check, &[], tellers, Duration::ZERO, move |check, _| std::future::ready(clock.check(check)));
    }

    fn check(&self, check: Check) -> Check {
        let Some((host, ahead)) = self.nearest() else {
            return check.ended(Status::Skipped, "no server told the time");
        };
        let message = format!("this machine's clock is {} by the clock of {host}", off(ahead));
        let status = match ahead.abs() {
            0..=WORTH_SAYING => return check.passed(format!("within {WORTH_SAYING} s of {host}")),
            ..=TOO_FAR => Status::Warned,
            _ => Status::Failed,
        };
        let mut check = check.ended(status, message).because(Cause::ClockSkew);
        check.why = Some(remedy::why(Cause::ClockSkew).to_owned());
        check.fixes = vec![Fix::advice(
            "set this machine's clock, and keep it right (chrony, systemd-timesyncd); tasks on ECS have the right time",
        )];
        check
    }
}

/// Seconds since 1970, by our own clock.
pub(super) fn now() -> i64 {
    Moment::now().millis() / 1_000
}

fn off(ahead: i64) -> String {
    format!("{} s {}", ahead.abs(), if ahead > 0 { "slow" } else { "fast" })
}

#[cfg(test)]
mod tests {
    use super::{Clock, now};
    use crate::base::{Cause, Fault};
    use crate::net::tls::Certificate;

    #[test]
    fn a_certificate_that_is_good_elsewhere_is_a_matter_of_the_clock() {
        let clock = Clock::default();
        let now = now();
        let certificate = Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            common_name: None,
            not_before: now + 3_600,
            not_after: now + 7_200,
        };
        let expired = || Fault::new(Cause::TlsExpired, "not valid yet");
        assert_eq!(clock.judge(expired(), &certificate).cause, Cause::TlsExpired);
        clock.heard("near", 2);
        assert_eq!(clock.judge(expired(), &certificate).cause, Cause::TlsExpired);
        let clock = Clock::default();
        clock.heard("far", 4_000);
        assert_eq!(clock.judge(expired(), &certificate).cause, Cause::ClockSkew);
        clock.heard("further", 40_000);
        assert_eq!(clock.judge(expired(), &certificate).cause, Cause::ClockSkew);
    }
}
