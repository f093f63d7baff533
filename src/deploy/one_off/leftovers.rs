//! What a run that was killed has left: a definition with our tag, and perhaps a task of it.
//!
//! Rules: only what bears the tag is touched, and only where its run is surely over: its process is gone on this very machine, or it is
//! older than any run.

use std::path::Path;
use std::time::Duration;
use std::{fmt, fs, process};

use crate::aws::{Account, CallError};
use crate::base::Moment;

/// The tag on everything that a run starts; its value says which run.
pub const RUN_TAG: &str = "confluent-ecs:preflight";
/// Beside what a run waits for its task: stack, image, cleaning up.
const BESIDE: Duration = Duration::from_mins(30);

/// A run: the machine, the process on it, when it began, and after how many minutes it is surely over. Letters, digits and dashes only,
/// as ECS takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunId {
    host: String,
    process: u32,
    began: i64,
    minutes: u32,
}

impl RunId {
    /// The run of this process, which waits for its task so long at most.
    pub fn now(patience: Duration) -> Self {
        let host = fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
        let host: String = host.unwrap_or_default().trim().chars().filter(char::is_ascii_alphanumeric).take(20).collect();
        let minutes = u32::try_from((patience + BESIDE).as_secs().div_ceil(60)).unwrap_or(u32::MAX);
        Self { host, process: process::id(), began: Moment::now().millis(), minutes }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (host, process, began, minutes) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (process, began, minutes) = (process.parse().ok()?, began.parse().ok()?, minutes.parse().ok()?);
        let run = Self { host: host.to_owned(), process, began, minutes };
        parts.next().is_none().then_some(run)
    }

    /// Whether nobody carries it on.
    fn is_over(&self, now: &Self) -> bool {
        if now.began - self.began > i64::from(self.minutes) * 60_000 {
            return true;
        }
        // A name of ten thousand containers says nothing of where it ran.
        let here = self.host == now.host && !self.host.is_empty() && Path::new("/proc/self").exists();
        here && self.process != now.process && !Path::new(&format!("/proc/{}", self.process)).exists()
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.host, self.process, self.began, self.minutes)
    }
}

/// Stops and takes away what runs that are over have left of a family; the definitions that went.
pub async fn sweep(account: &Account, cluster: &str, family: &str, now: &RunId) -> Result<Vec<String>, CallError> {
    let mut gone = Vec::new();
    for definition in account.definitions(family).await? {
        let Some(run) = definition.tags.get(RUN_TAG).and_then(|tag| RunId::parse(tag)) else { continue };
        if !run.is_over(now) {
            continue;
        }
        for task in account.tasks_of_family(cluster, family).await? {
            if task.task_definition == definition.arn {
                account.stop_task(cluster, &task.arn, "left by a preflight that was killed").await?;
            }
        }
        account.remove_definition(&definition.arn).await?;
        gone.push(definition.arn);
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::RunId;

    #[test]
    fn a_run_is_over_when_its_process_is_gone_or_its_time() {
        let now = RunId::now(Duration::from_mins(15));
        assert_eq!(now.minutes, 45);
        assert_eq!(RunId::parse(&now.to_string()), Some(now.clone()));
        assert!(!now.is_over(&now));
        let other =
            |host: &str, process: u32, before: i64| RunId { host: host.into(), process, began: now.began - before, minutes: 45 };
        // No process has this number: Linux ends at 4194304.
        assert!(other(&now.host, u32::MAX, 1).is_over(&now));
        assert!(!other(&now.host, 1, 1).is_over(&now));
        assert!(!other("elsewhere", u32::MAX, 1).is_over(&now));
        assert!(other("elsewhere", 1, 45 * 60_000 + 1).is_over(&now));
        // One that waits longer is left alone longer.
        let patient = RunId { minutes: 120, ..other("elsewhere", 1, 100 * 60_000) };
        assert!(!patient.is_over(&now) && patient.to_string().ends_with("-120"));
        assert_eq!(RunId::parse("by-hand"), None);
    }
}
