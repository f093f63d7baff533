//! How things of AWS are called in front of a person, and how long something took.

use std::time::Duration;

use crate::base::{Diagnosis, Operation, ServiceChange, StoppedTask};

/// A resource by its name in the template: `ConnectTaskDefinition` is `connect task definition`.
pub(super) fn resource(logical: &str) -> String {
    let mut words = String::new();
    let mut before: Option<char> = None;
    let mut letters = logical.chars().peekable();
    while let Some(c) = letters.next() {
        // A word begins at a capital after a small letter, and at the last capital of a run: `DNSName` is two words.
        let begins = c.is_uppercase()
            && before.is_some_and(|before| !before.is_uppercase() || letters.peek().is_some_and(|next| next.is_lowercase()));
        // Three digits or more are a port, a word of its own; fewer belong to a name, as in `kafka2`.
        let port = c.is_ascii_digit()
            && before.is_some_and(|before| !before.is_ascii_digit())
            && letters.clone().take(2).filter(char::is_ascii_digit).count() == 2;
        if begins || port {
            words.push(' ');
        }
        let shouted = c.is_uppercase()
            && (letters.peek().is_some_and(|next| next.is_uppercase()) || before.is_some_and(char::is_uppercase) && !begins);
        if shouted {
            words.push(c);
        } else {
            words.extend(c.to_lowercase());
        }
        before = Some(c);
    }
    words
}

/// A resource type: `AWS::ECS::TaskDefinition` is `task definition`.
pub(super) fn kind(kind: &str) -> String {
    resource(kind.rsplit("::").next().unwrap_or(kind))
}

/// CloudFormation's status of a resource: `CREATE_IN_PROGRESS` is `creating`.
pub(super) fn status(status: &str) -> String {
    let (verb, rest) = status
        .rsplit_once("_IN_")
        .map_or_else(|| status.rsplit_once('_').unwrap_or((status, "")), |(verb, _)| (verb, "PROGRESS"));
    let stem = match verb {
        "CREATE" => "creat",
        "UPDATE" => "updat",
        "DELETE" => "delet",
        "IMPORT" => "import",
        "ROLLBACK" | "UPDATE_ROLLBACK" => match rest {
            "PROGRESS" => return "rolling back".to_owned(),
            "COMPLETE" => return "rolled back".to_owned(),
            _ => return "rollback failed".to_owned(),
        },
        "UPDATE_COMPLETE_CLEANUP" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP" => return "cleaning up".to_owned(),
        "REVIEW" => return "planned".to_owned(),
        _ => return status.to_lowercase().replace('_', " "),
    };
    match rest {
        "PROGRESS" => format!("{stem}ing"),
        "COMPLETE" => format!("{stem}ed"),
        "SKIPPED" => "kept".to_owned(),
        _ => format!("{} failed", verb.to_lowercase()),
    }
}

/// `7s`, `2m 05s`, `1h 03m`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m {seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h {minutes:02}m"),
    }
}

/// The start of a long id, enough to tell tasks apart.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// The ids of tasks in a text, each cut as [`short`] cuts it.
pub(super) fn without_long_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 32 && word.chars().all(|c| c.is_ascii_hexdigit());
    let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    words
        .map(|word| {
            let bare = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if is_id(bare) { format!("{}{}", short(bare), &word[bare.len()..]) } else { word.to_owned() }
        })
        .collect()
}

/// `1 task`, `2 tasks`.
pub(super) fn count(count: impl TryInto<u64>, noun: &str) -> String {
    let count = count.try_into().unwrap_or_default();
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// What goes on with a stack.
pub(super) fn doing(operation: Operation) -> &'static str {
    match operation {
        Operation::Create => "creating",
        Operation::Update => "updating",
        Operation::Delete => "deleting",
    }
}

/// Why a task stopped, in ECS's words.
pub(super) fn why(stopped: &StoppedTask) -> String {
    let said = [stopped.stop_code.as_deref(), stopped.reason.as_deref()].into_iter().flatten();
    one_line(&said.collect::<Vec<_>>().join(": "))
}

/// A text of AWS's or of a container's, as one line that a terminal only shows.
pub(super) fn one_line(text: &str) -> String {
    printable(&text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A container may log anything; what moves the cursor or changes colours stays out of the terminal.
pub(super) fn printable(text: &str) -> String {
    console::strip_ansi_codes(text).chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
}

/// How many of a service's tasks run, start and have failed.
pub(super) fn counts(change: &ServiceChange) -> String {
    let some = |count: i32, word: &str| if count > 0 { format!(", {count} {word}") } else { String::new() };
    let (pending, failed) = (some(change.pending, "pending"), some(change.failed, "failed"));
    format!("{} of {} running{pending}{failed}", change.running, change.desired)
}

/// A known cause, line by line.
pub(super) fn diagnosis(found: &Diagnosis) -> Vec<String> {
    let mut lines = vec![format!("cause  {}", found.cause), format!("fix    {}", found.fix)];
    lines.extend(found.code.as_ref().map(|code| format!("more   confluent-ecs explain {code}")));
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration, resource, status, without_long_ids};

    #[test]
    fn logical_ids_read_as_words() {
        assert_eq!(resource("ConnectTaskDefinition"), "connect task definition");
        assert_eq!(resource("SchemaRegistryDNSName"), "schema registry DNS name");
        assert_eq!(resource("ConnectFromItself8083"), "connect from itself 8083");
        assert_eq!(resource("Kafka2Service"), "kafka2 service");
    }

    #[test]
    fn statuses_read_as_words() {
        for (given, read) in [
            ("CREATE_IN_PROGRESS", "creating"),
            ("UPDATE_COMPLETE", "updated"),
            ("DELETE_SKIPPED", "kept"),
            ("CREATE_FAILED", "create failed"),
            ("UPDATE_ROLLBACK_IN_PROGRESS", "rolling back"),
            ("ROLLBACK_COMPLETE", "rolled back"),
            ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "cleaning up"),
            ("REVIEW_IN_PROGRESS", "planned"),
        ] {
            assert_eq!(status(given), read);
        }
    }

    #[test]
    fn ids_of_tasks_are_cut() {
        let said = "has started 1 tasks: (task fd31eddff58145acb6b299485573088f).";
        assert_eq!(without_long_ids(said), "has started 1 tasks: (task fd31eddf).");
    }

    #[test]
    fn durations_are_short() {
        assert_eq!(duration(Duration::from_secs(7)), "7s");
        assert_eq!(duration(Duration::from_secs(125)), "2m 05s");
        assert_eq!(duration(Duration::from_mins(63)), "1h 03m");
    }
}
