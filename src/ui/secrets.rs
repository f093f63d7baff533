//! `secrets`: keys and what becomes of them, never a value.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Ui, words};
use crate::base::Moment;
use crate::confluent::stored::{KeyChange, KeyFault};
use crate::deploy::{ListedSecret, Presence, SecretState};

#[derive(Serialize)]
struct Checked<'a> {
    schema: &'static str,
    exit_code: u8,
    secrets: &'a [SecretState],
}

#[derive(Serialize)]
struct Listed<'a> {
    schema: &'static str,
    secrets: &'a [ListedSecret],
}

#[derive(Serialize)]
struct Put<'a> {
    schema: &'static str,
    name: &'a str,
    changed: bool,
    version: Option<&'a str>,
    /// The secrets that Amazon MSK reads.
    #[serde(skip_serializing_if = "<[ScramPut]>::is_empty")]
    scram: &'a [ScramPut],
}

/// What became of a secret that Amazon MSK reads.
#[derive(Debug, Clone, Serialize)]
pub struct ScramPut {
    pub name: String,
    /// `None`: it held all of it already.
    pub version: Option<String>,
    /// The cluster takes the user from it.
    pub associated: bool,
}

impl Ui {
    /// What putting a secret would change, by key.
    pub fn secret_changes(&mut self, name: &str, is_new: bool, changes: &[(&str, KeyChange)]) {
        let mut text = String::new();
        let _ = writeln!(text, "{} {}", if is_new { "new secret" } else { "secret" }, self.style.strong(name));
        for (key, change) in changes {
            let mark = match change {
                KeyChange::Added => self.style.strong("+ added    "),
                KeyChange::Changed => self.style.doubtful("~ changed  "),
                KeyChange::Unchanged => self.style.quiet("= unchanged"),
            };
            let _ = writeln!(text, "  {mark}  {key}");
        }
        self.note(text.trim_end());
    }

    /// What was stored; no version: nothing had to be.
    pub fn secret_put(&mut self, name: &str, version: Option<&str>, had_previous: bool, scram: &[ScramPut], again: &str) {
        if self.wants_json() {
            self.json(&Put { schema: "confluent-ecs/secrets-put/v1", name, changed: version.is_some(), version, scram });
            return;
        }
        let mut text = String::new();
        for user in scram {
            let stored = user.version.as_ref().map_or("unchanged".to_owned(), |version| format!("stored, version {version}"));
            let given = if user.associated { "; the cluster has it" } else { "" };
            let _ = writeln!(text, "{} {stored}{given}", user.name);
        }
        let _ = match version {
            None => writeln!(text, "{name} holds all of it already: nothing was stored"),
            Some(version) => {
                let previous = if had_previous { "; the one before stays readable as AWSPREVIOUS" } else { "" };
                writeln!(text, "{name} stored, version {version}{previous}\nnext: confluent-ecs preflight{again}")
            }
        };
        self.result(&text);
    }

    pub fn secrets_checked(&mut self, states: &[SecretState], exit_code: u8) {
        if self.wants_json() {
            self.json(&Checked { schema: "confluent-ecs/secrets-check/v1", exit_code, secrets: states });
            return;
        }
        let mut text = String::new();
        for state in states {
            self.checked(&mut text, state);
        }
        if states.is_empty() {
            text.push_str("no service reads a secret\n");
        }
        self.result(&text);
    }

    fn checked(&self, text: &mut String, state: &SecretState) {
        let (mark, what) = match &state.presence {
            Presence::Stored { changed, .. } => {
                let age =
                    changed.map(|at| format!(", stored {} ago", words::duration(Moment::now().since(at)))).unwrap_or_default();
                let keys =
                    if state.read > 0 { format!("{} read", words::count(state.read, "key")) } else { "read whole".to_owned() };
                (
                    if state.is_bad() {
                        "×"
                    } else if state.faults.is_empty() {
                        "✓"
                    } else {
                        "‼"
                    },
                    format!("{keys}{age}"),
                )
            }
            Presence::Absent => ("×", format!("not stored; confluent-ecs secrets put {}", state.secret)),
            Presence::ToBeDeleted { since } => ("×", format!("to be deleted (asked for on {since})")),
            Presence::NotKeyed { why } => ("×", format!("keys are read from it, but {why}")),
        };
        let _ = writeln!(text, "{mark} {}  {what}", state.name);
        for (bad, what) in state.scram.iter().flat_map(|scram| {
            let asked = "is not encrypted with a key of the account's own: Amazon MSK can't read it";
            let given = "is not given to the cluster: aws kafka batch-associate-scram-secret";
            [(!scram.own_key, asked), (scram.associated == Some(false), given)]
        }) {
            if bad {
                let _ = writeln!(text, "  {} {what}", self.style.bad("×"));
            }
        }
        for faulty in &state.faults {
            let what = match faulty.fault {
                KeyFault::Missing => "is missing",
                KeyFault::Empty => "is empty",
                KeyFault::Blanks => "begins or ends with a blank or a line break",
                KeyFault::Shape => "is not what its name says: a login that Kafka can read, or user:password",
                KeyFault::LoginBlanks => "holds a user name or a password that begins or ends with a blank: is it meant?",
                KeyFault::Differs => "differs from the login that the component's secret holds",
                KeyFault::NotText => "is not text: the container gets its JSON",
                KeyFault::Unused => "is read by nothing",
            };
            let mark = if faulty.fault.is_error() { self.style.bad("×") } else { self.style.doubtful("‼") };
            let by =
                if faulty.services.is_empty() { String::new() } else { format!("  (read by {})", faulty.services.join(", ")) };
            let meant = faulty.meant.as_ref().map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            let _ = writeln!(text, "  {mark} {} {what}{meant}{by}", faulty.key);
        }
    }

    pub fn secrets_listed(&mut self, listed: &[ListedSecret]) {
        if self.wants_json() {
            self.json(&Listed { schema: "confluent-ecs/secrets-list/v1", secrets: listed });
            return;
        }
        let mut text = String::new();
        let width = listed.iter().map(|secret| secret.name.chars().count()).max().unwrap_or_default();
        for secret in listed {
            let state = match (secret.to_be_deleted, secret.stored, secret.changed) {
                (true, ..) => "to be deleted".to_owned(),
                (_, false, _) => "not stored".to_owned(),
                (_, true, Some(at)) => format!("stored {} ago", words::duration(Moment::now().since(at))),
                (_, true, None) => "stored".to_owned(),
            };
            let used = secret.secret.as_deref().map_or("named by no compose file".to_owned(), |name| format!("secret {name}"));
            let _ = writeln!(text, "{:<width$}  {state}  {}", secret.name, self.style.quiet(used));
        }
        if listed.is_empty() {
            text.push_str("no service reads a secret, and none is stored for this project\n");
        }
        self.result(&text);
    }
}
