//! This machine's clock, compared with what servers of HTTP say. A wrong one makes good certificates look expired, and signatures and
//! tokens fail; so it is a cause of its own, wherever a server tells the time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::fix::Fix;
use super::remedy;
use super::report::{Category, Check, Status};
use super::runner::{Plan, StepId};
use crate::base::{Cause, Code, Deadline, Fault, Moment};
use crate::net::tls::Certificate;

/// AWS refuses signatures that are further off, and brokers tokens.
const TOO_FAR: i64 = 300;
const WORTH_SAYING: i64 = 30;

/// What servers have said of the time; shared by all who ask them.
#[derive(Debug, Clone)]
pub(super) struct Clock {
    said: Arc<Mutex<Vec<(String, i64)>>>,
    /// Its other end is dropped when nobody is left who might tell the time.
    telling: watch::Receiver<()>,
}

/// Held for as long as a server may tell the time.
#[derive(Debug)]
pub(super) struct Telling(#[expect(dead_code, reason = "its end is what is listened for")] watch::Sender<()>);

impl Clock {
    pub(super) fn new() -> (Self, Telling) {
        let (sender, telling) = watch::channel(());
        (Self { said: Arc::default(), telling }, Telling(sender))
    }

    /// A server whose clock is so many seconds ahead of ours.
    pub(super) fn heard(&self, host: &str, ahead: i64) {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).push((host.to_owned(), ahead));
    }

    /// The server that is nearest to us: if even that one is far off, it is we who are wrong.
    fn nearest(&self) -> Option<(String, i64)> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).iter().min_by_key(|(_, ahead)| ahead.abs()).cloned()
    }

    /// A certificate is outside its time. By whose clock? Whoever may tell the time is waited for: the cause must not depend on who
    /// answers first.
    pub(super) async fn judge(&self, fault: Fault, certificate: &Certificate, deadline: Deadline) -> Fault {
        let mut telling = self.telling.clone();
        let _late = timeout(deadline.remaining(), telling.changed()).await;
        let Some((host, ahead)) = self.nearest().filter(|(_, ahead)| ahead.abs() > TOO_FAR) else { return fault };
        let there = now() + ahead;
        if (certificate.not_before..=certificate.not_after).contains(&there) {
            let message = format!("the certificate is good by the clock of {host}; this machine's is {}", off(ahead));
            return Fault::new(Cause::ClockSkew, message);
        }
        fault
    }

    /// Plans the check, after all who may have heard the time. A step that isn't wanted is dropped, and what it holds with it.
    pub(super) fn plan(self, telling: Telling, tellers: &[StepId], plan: &mut Plan) {
        if tellers.is_empty() {
            return;
        }
        let mut check = Check::new(Code::CLOCK, Category::Kafka, "clock", "this machine's clock");
        "clock".clone_into(&mut check.label);
        plan.step(check, &[], tellers, Duration::ZERO, move |check, _| {
            drop(telling);
            std::future::ready(self.check(check))
        });
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
    use std::time::Duration;

    use super::{Clock, now};
    use crate::base::{Cause, Deadline, Fault};
    use crate::net::tls::Certificate;

    fn certificate(from: i64) -> Certificate {
        Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            common_name: None,
            not_before: from,
            not_after: from + 3_600,
        }
    }

    async fn judged(clock: &Clock, certificate: &Certificate) -> Cause {
        let expired = Fault::new(Cause::TlsExpired, "not valid yet");
        clock.judge(expired, certificate, Deadline::after(Duration::from_mins(1))).await.cause
    }

    #[tokio::test]
    async fn a_certificate_that_is_good_elsewhere_is_a_matter_of_the_clock() {
        let certificate = certificate(now() + 3_600);
        let (clock, telling) = Clock::new();
        drop(telling);
        assert_eq!(judged(&clock, &certificate).await, Cause::TlsExpired);
        clock.heard("near", 2);
        assert_eq!(judged(&clock, &certificate).await, Cause::TlsExpired);
        let (clock, telling) = Clock::new();
        drop(telling);
        clock.heard("far", 4_000);
        assert_eq!(judged(&clock, &certificate).await, Cause::ClockSkew);
        clock.heard("further", 40_000);
        assert_eq!(judged(&clock, &certificate).await, Cause::ClockSkew);
    }

    #[tokio::test]
    async fn who_may_still_tell_the_time_is_waited_for() {
        let certificate = certificate(now() + 3_600);
        let (clock, telling) = Clock::new();
        let tell = async {
            tokio::task::yield_now().await;
            clock.heard("slow", 4_000);
            drop(telling);
        };
        let (cause, ()) = tokio::join!(judged(&clock, &certificate), tell);
        assert_eq!(cause, Cause::ClockSkew);
    }
}
