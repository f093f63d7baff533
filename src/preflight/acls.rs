//! Why a right is missing, or on how weak feet it stands, by the cluster's ACLs where one of the principals may list them.
//!
//! Whether a right is there is never judged by this: only the broker's answer counts. ACLs don't show role bindings, super users,
//! nor what an authorizer of the provider's own adds.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::confluent::grant::On;
use crate::kafka::{AclEntry, AclOperation, AclResource, Acls, Operation};
use crate::profile::{Pattern, Resource};

/// At most so many entries that look like what was meant are told.
const NEAR_TOLD: usize = 2;

/// The ACLs of each cluster, by its id.
#[derive(Debug, Default)]
pub(super) struct Book(Mutex<BTreeMap<String, Acls>>);

impl Book {
    pub(super) fn write(&self, cluster: String, acls: Acls) {
        if let Ok(mut book) = self.0.lock() {
            book.insert(cluster, acls);
        }
    }

    pub(super) fn of(&self, cluster: Option<&str>) -> Option<Acls> {
        self.0.lock().ok()?.get(cluster?).cloned()
    }
}

/// Whose right on what is in question.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) principal: &'a str,
    pub(super) on: &'a On,
    /// The name that the broker was asked for: `on`'s, or one under it.
    pub(super) asked: &'a str,
    pub(super) operation: Operation,
}

impl Question<'_> {
    fn resource(&self) -> AclResource {
        of(self.on.resource)
    }

    /// As the broker matches names.
    fn is_covered_by(&self, entry: &AclEntry) -> bool {
        entry.resource == self.resource()
            && match (entry.resource, entry.prefixed) {
                (AclResource::Cluster, _) => true,
                (_, true) => self.asked.starts_with(&entry.name),
                (_, false) => entry.name == self.asked || entry.name == "*",
            }
    }

    fn is_of(&self, entry: &AclEntry) -> bool {
        entry.principal == self.principal || entry.principal == "User:*"
    }

    /// Does an entry that allows bring the operation? Some bring others with them.
    fn is_brought_by(&self, entry: &AclEntry) -> bool {
        match entry.operation {
            AclOperation::All => true,
            AclOperation::One(operation) => {
                operation == self.operation
                    || match self.operation {
                        Operation::Describe => operation.implies_describe(),
                        Operation::DescribeConfigs => operation == Operation::AlterConfigs,
                        _ => false,
                    }
            }
        }
    }

    /// Does an entry that denies stand in the way? What is not seen can't be used: a denied Describe takes the others with it.
    fn is_stopped_by(&self, entry: &AclEntry) -> bool {
        match entry.operation {
            AclOperation::All => true,
            AclOperation::One(operation) => {
                operation == self.operation || (operation == Operation::Describe && self.operation.implies_describe())
            }
        }
    }
}

/// The entries that deny what is in question, whatever else allows it.
pub(super) fn denials(question: Question<'_>, entries: &[AclEntry]) -> Vec<AclEntry> {
    let stops = |entry: &&AclEntry| {
        entry.denies && question.is_of(entry) && question.is_covered_by(entry) && question.is_stopped_by(entry)
    };
    entries.iter().filter(stops).cloned().collect()
}

/// What a granted right rests on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ground {
    /// An entry that holds from every host.
    Entry,
    /// Entries that hold from these hosts only.
    Hosts(Vec<String>),
    /// No entry: a super user, a role, or a cluster that allows what has no ACL.
    None,
}

pub(super) fn ground(question: Question<'_>, entries: &[AclEntry]) -> Ground {
    let mut hosts = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.denies) {
        if question.is_of(entry) && question.is_covered_by(entry) && question.is_brought_by(entry) {
            if entry.host == "*" {
                return Ground::Entry;
            }
            hosts.push(entry.host.clone());
        }
    }
    hosts.sort();
    hosts.dedup();
    if hosts.is_empty() { Ground::None } else { Ground::Hosts(hosts) }
}

/// Entries that look as if they were meant to grant what is missing, each with what keeps it from doing so.
pub(super) fn near(question: Question<'_>, entries: &[AclEntry]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.denies && question.is_brought_by(entry)) {
        let Some(told) = why_not(question, entry) else { continue };
        if !found.contains(&told) {
            found.push(told);
        }
    }
    found.truncate(NEAR_TOLD);
    found
}

fn why_not(question: Question<'_>, entry: &AclEntry) -> Option<String> {
    let operation = question.operation;
    let kind = question.on.resource;
    if question.is_covered_by(entry) {
        if question.is_of(entry) {
            return (entry.host != "*").then(|| format!("an ALLOW of {operation} holds from host {} only", entry.host));
        }
        return (is_alike(&entry.principal, question.principal) || is_reordered(&entry.principal, question.principal))
            .then(|| format!("an ALLOW of {operation} is there for {}, which is not {}", entry.principal, question.principal));
    }
    if entry.principal != question.principal {
        return None;
    }
    if entry.resource != question.resource() {
        return (entry.name == question.on.name && !entry.name.is_empty()).then(|| {
            format!("an ALLOW of {operation} is there on the {} of this name, not on the {kind}", word(entry.resource))
        });
    }
    let (name, wanted) = (entry.name.as_str(), question.on.name.as_str());
    if let Some(start) = name.strip_suffix('*').filter(|start| !start.is_empty() && wanted.starts_with(start)) {
        return Some(format!(
            "an ALLOW of {operation} is there on {kind} `{name}`, where the star is a letter like any other: the pattern \
             `prefixed` on `{start}` was meant"
        ));
    }
    if !entry.prefixed && wanted.starts_with(name) && !name.is_empty() {
        return Some(format!("an ALLOW of {operation} is there on the literal name `{name}`: the pattern `prefixed` was meant"));
    }
    if entry.prefixed && name.starts_with(wanted) && name != wanted {
        return Some(format!("an ALLOW of {operation} is there on names that begin with `{name}`, which `{wanted}` does not"));
    }
    if entry.prefixed && starts_alike(wanted, name) {
        return Some(format!("an ALLOW of {operation} is there on names that begin with `{name}`, in other letters"));
    }
    if entry.prefixed && is_start_misspelt(wanted, name) {
        return Some(format!("an ALLOW of {operation} is there on names that begin with `{name}`, which `{wanted}` does not"));
    }
    is_alike(name, wanted).then(|| format!("an ALLOW of {operation} is there on {kind} `{name}`, which is not `{wanted}`"))
}

fn of(resource: Resource) -> AclResource {
    match resource {
        Resource::Topic => AclResource::Topic,
        Resource::Group => AclResource::Group,
        Resource::TransactionalId => AclResource::TransactionalId,
        Resource::Cluster => AclResource::Cluster,
    }
}

fn word(resource: AclResource) -> &'static str {
    match resource {
        AclResource::Topic => "topic",
        AclResource::Group => "group",
        AclResource::TransactionalId => "transactional id",
        AclResource::Cluster => "cluster",
    }
}

/// An entry's own place, to take it away.
pub(super) fn place(entry: &AclEntry) -> On {
    let resource = match entry.resource {
        AclResource::Topic => Resource::Topic,
        AclResource::Group => Resource::Group,
        AclResource::TransactionalId => Resource::TransactionalId,
        AclResource::Cluster => Resource::Cluster,
    };
    On { resource, name: entry.name.clone(), pattern: if entry.prefixed { Pattern::Prefixed } else { Pattern::Literal } }
}

/// Different, and the same but for upper and lower case, or for one letter.
fn is_alike(a: &str, b: &str) -> bool {
    a != b && (a.to_lowercase() == b.to_lowercase() || is_one_letter_off(a, b))
}

fn starts_alike(text: &str, start: &str) -> bool {
    !text.starts_with(start) && text.to_lowercase().starts_with(&start.to_lowercase())
}

/// A prefix that would fit but for one letter. Short ones fit too much.
fn is_start_misspelt(text: &str, start: &str) -> bool {
    let length = start.chars().count();
    let begins = |length: usize| text.chars().take(length).collect::<String>();
    length > 3 && (length - 1..=length + 1).any(|length| is_one_letter_off(start, &begins(length)))
}

/// The same parts of a certificate's name, in another order or with other blanks: Kafka compares the whole, letter by letter.
fn is_reordered(a: &str, b: &str) -> bool {
    let parts = |name: &str| {
        let name = name.split_once(':').map_or(name, |(_, name)| name);
        let mut parts: Vec<String> = name.split(',').map(|part| part.trim().to_lowercase()).collect();
        parts.sort_unstable();
        parts
    };
    a != b && b.contains('=') && parts(a) == parts(b)
}

/// One letter more, less, other, or two neighbours exchanged.
fn is_one_letter_off(left: &str, right: &str) -> bool {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let start = left.iter().zip(&right).take_while(|(left, right)| left == right).count();
    let (left, right) = (&left[start..], &right[start..]);
    let exchanged = || left.len() > 1 && right.len() > 1 && left[0] == right[1] && left[1] == right[0] && left[2..] == right[2..];
    match left.len().abs_diff(right.len()) {
        0 => !left.is_empty() && (left[1..] == right[1..] || exchanged()),
        1 if left.len() > right.len() => left[1..] == *right,
        1 => *left == right[1..],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Ground, Question, denials, ground, is_alike, is_reordered, is_start_misspelt, near};
    use crate::confluent::grant::On;
    use crate::kafka::{AclEntry, AclOperation, AclResource, Operation};
    use crate::profile::{Pattern, Resource};

    fn entry(principal: &str, name: &str, operation: AclOperation) -> AclEntry {
        AclEntry {
            principal: principal.into(),
            host: "*".into(),
            operation,
            denies: false,
            resource: AclResource::Topic,
            name: name.into(),
            prefixed: false,
        }
    }

    fn write(principal: &str, name: &str) -> AclEntry {
        entry(principal, name, AclOperation::One(Operation::Write))
    }

    fn on() -> On {
        On { resource: Resource::Topic, name: "connect-dev-offsets".into(), pattern: Pattern::Literal }
    }

    fn question(on: &On, operation: Operation) -> Question<'_> {
        Question { principal: "User:connect", on, asked: &on.name, operation }
    }

    #[test]
    fn a_deny_is_found_whatever_it_matches_by() {
        let on = on();
        let deny = |entry: AclEntry| AclEntry { denies: true, ..entry };
        let prefixed = AclEntry { prefixed: true, ..entry("User:*", "connect-", AclOperation::All) };
        let entries = [
            deny(write("User:connect", "connect-dev-offsets")),
            deny(entry("User:connect", "*", AclOperation::One(Operation::Describe))),
            deny(prefixed),
            deny(write("User:other", "connect-dev-offsets")),
            deny(entry("User:connect", "connect-dev-offsets", AclOperation::One(Operation::Read))),
            write("User:connect", "connect-dev-offsets"),
        ];
        assert_eq!(denials(question(&on, Operation::Write), &entries), entries[..3]);
        assert_eq!(denials(question(&on, Operation::DescribeConfigs), &entries), entries[2..3]);
    }

    #[test]
    fn what_was_meant_is_told() {
        let on = on();
        let told = |entry: AclEntry| near(question(&on, Operation::Write), &[entry]).pop().unwrap_or_default();
        let host = AclEntry { host: "10.0.0.5".into(), ..write("User:connect", "connect-dev-offsets") };
        let prefixed = |name: &str| AclEntry { prefixed: true, ..write("User:connect", name) };
        let group = AclEntry { resource: AclResource::Group, ..write("User:connect", "connect-dev-offsets") };
        for (entry, part) in [
            (host, "from host 10.0.0.5 only"),
            (write("user:connect", "connect-dev-offsets"), "for user:connect, which is not User:connect"),
            (write("User:conect", "*"), "for User:conect"),
            (write("User:connect", "connect-*"), "on `connect-` was meant"),
            (write("User:connect", "connect-dev-"), "`prefixed` was meant"),
            (prefixed("connect-dev-offsets-"), "begin with `connect-dev-offsets-`"),
            (prefixed("Connect-"), "in other letters"),
            (prefixed("conect-dev-"), "begin with `conect-dev-`"),
            (write("User:connect", "connect-dev-Offsets"), "which is not `connect-dev-offsets`"),
            (write("User:connect", "connect-dev-ofsets"), "which is not `connect-dev-offsets`"),
            (group, "on the group of this name"),
        ] {
            let told = told(entry.clone());
            assert!(told.contains(part), "{entry:?}: {told:?}");
        }
        assert_eq!(told(write("User:somebody", "connect-dev-offsets")), "");
        assert_eq!(told(write("User:connect", "orders")), "");
    }

    #[test]
    fn a_right_rests_on_an_entry_on_hosts_or_on_nothing() {
        let on = on();
        let bound = AclEntry { host: "10.0.0.5".into(), ..write("User:connect", "connect-dev-offsets") };
        let describe = question(&on, Operation::Describe);
        assert_eq!(ground(describe, std::slice::from_ref(&bound)), Ground::Hosts(vec!["10.0.0.5".into()]));
        assert_eq!(ground(describe, &[bound, write("User:*", "*")]), Ground::Entry);
        assert_eq!(ground(question(&on, Operation::Read), &[write("User:connect", "connect-dev-offsets")]), Ground::None);
    }

    #[test]
    fn the_parts_of_a_certificates_name_have_an_order() {
        assert!(is_reordered("User:O=Shop, CN=connect", "User:CN=connect,O=Shop"));
        assert!(!is_reordered("User:CN=connect,O=Shop", "User:CN=connect,O=Shop"));
        assert!(!is_reordered("User:connect", "User:worker"));
        assert!(!is_start_misspelt("connect-dev-offsets", "con") && !is_start_misspelt("orders", "connect-"));
    }

    #[test]
    fn names_that_differ_by_a_slip_are_alike() {
        for (a, b) in [("abc", "abd"), ("abc", "ab"), ("abc", "acb"), ("abc", "xabc"), ("abc", "ABC")] {
            assert!(is_alike(a, b) && is_alike(b, a), "{a} {b}");
        }
        for (a, b) in [("abc", "abc"), ("abc", "axy"), ("abc", "a"), ("abcd", "badc")] {
            assert!(!is_alike(a, b), "{a} {b}");
        }
    }
}
