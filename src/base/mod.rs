//! What every room speaks: findings with codes and places, failures, exit codes, the secret type, deadlines.
//!
//! Comes in: nothing. Goes out: vocabulary. Rules: imports no other room, touches neither files nor network, prints nothing.

mod cause;
mod code;
mod deadline;
mod ecr;
mod event;
mod exit;
mod failure;
mod finding;
mod mark;
mod moment;
mod place;
mod redact;
mod secret;
mod shell;
pub mod yaml;

pub use cause::{Cause, Fault};
pub use code::{CODES, Code, CodeFacts};
pub use deadline::Deadline;
pub use ecr::ecr_registry;
pub use event::{
    Blind, Diagnosis, Event, Failing, Message, Operation, Progress, ResourceChange, ServiceChange, StackChange, Started,
    StoppedContainer, StoppedTask, TaskChange,
};
pub use exit::Exit;
pub use failure::{Error, Failure, Result};
pub use finding::{Finding, Findings, Severity};
pub use mark::{ACCOUNT_MARK, REGION_MARK, SUFFIX_MARK, is_mark};
pub use moment::Moment;
pub use place::{Place, Sources};
pub use redact::redact;
pub use secret::Secret;
pub use shell::shell;

/// How this program calls itself in front of servers.
pub const AGENT: &str = concat!("confluent-ecs/", env!("CARGO_PKG_VERSION"));

/// The candidate that is nearest to a misspelt word, if one is near enough to be worth offering.
///
/// "Near" means an edit distance (with transpositions) of at most a third of the word's length, and at least one.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = word.chars().count();
    let limit = (length / 3).max(1);
    let word = word.to_lowercase();
    candidates
        .into_iter()
        // Words that differ in length by more can't be near; a large project has many of them.
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= limit)
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_near_word_is_offered_and_a_far_one_is_not() {
        let keys = ["environment", "env_file", "entrypoint", "ports"];
        assert_eq!(nearest("enviroment", keys), Some("environment"));
        assert_eq!(nearest("prots", keys), Some("ports"));
        assert_eq!(nearest("colour", keys), None);
    }
}
