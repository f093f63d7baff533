//! What the cluster's ACLs add to the answers of its brokers, where one of the principals could list them: the DENY that stands over an
//! ALLOW, the entry that was meant and doesn't fit, the right that holds from one host only.

use super::acls::{Book, Ground, Question, denials, ground, near, place};
use super::cluster::ClusterFacts;
use super::fix::Gap;
use super::report::{Check, Status};
use super::rights::Right;
use crate::confluent::grant::Holder;
use crate::kafka::{AclEntry, AclOperation, Acls, Operation};
use crate::profile;

/// Reads the ACLs into a check of a right; gives what is to be mended.
pub(super) fn read(check: &mut Check, book: &Book, cluster: &ClusterFacts) -> Option<Gap> {
    let right = check.right.clone()?;
    let acls = book.of(right.cluster.as_deref());
    let (Holder::Principal(principal), Some(acls)) = (&right.grant.holder, acls) else {
        return gap(&right, right.missing.iter().copied(), Vec::new(), false);
    };
    match acls {
        Acls::Listed(entries) if right.missing.is_empty() => granted(check, &right, principal, &entries, cluster),
        Acls::Listed(entries) => denied(check, &right, principal, &entries),
        Acls::Off => {
            add(&mut check.evidence, "the cluster has no authorizer");
            None
        }
        Acls::Denied | Acls::Unknown(_) => gap(&right, right.missing.iter().copied(), Vec::new(), false),
    }
}

fn question<'a>(right: &'a Right, principal: &'a str, operation: Operation) -> Question<'a> {
    Question { principal, on: &right.grant.on, asked: &right.asked, operation }
}

fn asked(operations: impl IntoIterator<Item = profile::Operation>) -> Vec<(profile::Operation, Operation)> {
    operations.into_iter().filter_map(|operation| Some((operation, Operation::parse(operation.word())?))).collect()
}

fn denied(check: &mut Check, right: &Right, principal: &str, entries: &[AclEntry]) -> Option<Gap> {
    let mut stops: Vec<AclEntry> = Vec::new();
    let mut alike: Vec<String> = Vec::new();
    let mut lacking = Vec::new();
    for (needed, operation) in asked(right.missing.iter().copied()) {
        let question = question(right, principal, operation);
        for entry in denials(question, entries) {
            if !stops.contains(&entry) {
                stops.push(entry);
            }
        }
        if ground(question, entries) == Ground::Entry {
            continue;
        }
        lacking.push(needed);
        for told in near(question, entries) {
            if !alike.contains(&told) {
                alike.push(told);
            }
        }
    }
    for told in stops.iter().map(|entry| format!("a DENY stands over every ALLOW: {}", shown(entry))).chain(alike) {
        check.message.extend(["; ", &told]);
    }
    add(&mut check.evidence, "DescribeAcls");
    // Neither a DENY nor a missing ALLOW is in the list: what decided is not an ACL, and an ALLOW is still what may help.
    let lacking = if stops.is_empty() && lacking.is_empty() { right.missing.iter().copied().collect() } else { lacking };
    gap(right, lacking, stops, true)
}

fn granted(check: &mut Check, right: &Right, principal: &str, entries: &[AclEntry], cluster: &ClusterFacts) -> Option<Gap> {
    let mut bound = Vec::new();
    let mut hosts: Vec<String> = Vec::new();
    let mut groundless = false;
    for (needed, operation) in asked(right.grant.operations.iter().copied()) {
        match ground(question(right, principal, operation), entries) {
            Ground::Entry => {}
            Ground::Hosts(of) => {
                bound.push(needed);
                hosts.extend(of.into_iter().filter(|host| !hosts.contains(host)).collect::<Vec<_>>());
            }
            Ground::None => groundless = true,
        }
    }
    add(&mut check.evidence, "DescribeAcls");
    for (operation, host) in elsewhere(right, principal, entries) {
        let told = ["; a DENY of ", operation.as_str(), " holds from host ", &host, ", which a task must not have"];
        check.message.extend(told);
    }
    if !bound.is_empty() && check.status == Status::Passed {
        let words: Vec<&str> = bound.iter().map(|operation| operation.word()).collect();
        check.status = Status::Warned;
        check.message = format!("{} granted from host {} only: a task has another address", words.join(", "), hosts.join(", "));
        return gap(right, bound, Vec::new(), true);
    }
    if groundless {
        let why = match cluster.provider {
            super::Provider::ConfluentCloud => "no ACL grants it: a role binding does",
            _ => "no ACL grants it: a super user, or a cluster that allows what no ACL names",
        };
        add(&mut check.evidence, why);
    }
    None
}

/// Entries that deny a granted right, and do so from other hosts than this one: each operation with its host.
fn elsewhere(right: &Right, principal: &str, entries: &[AclEntry]) -> Vec<(Operation, String)> {
    let mut found = Vec::new();
    for (_, operation) in asked(right.grant.operations.iter().copied()) {
        for entry in denials(question(right, principal, operation), entries).into_iter().filter(|entry| entry.host != "*") {
            let told = (operation, entry.host);
            if !found.contains(&told) {
                found.push(told);
            }
        }
    }
    found
}

fn gap(
    right: &Right,
    lacking: impl IntoIterator<Item = profile::Operation>,
    denials: Vec<AclEntry>,
    listed: bool,
) -> Option<Gap> {
    let mut grant = right.grant.clone();
    grant.operations = lacking.into_iter().collect();
    let denials = denials.into_iter().map(|entry| (place(&entry), entry)).collect::<Vec<_>>();
    let gap = Gap { grant, denials, listed, bootstrap: right.bootstrap.clone() };
    (!gap.grant.operations.is_empty() || !gap.denials.is_empty()).then_some(gap)
}

fn shown(entry: &AclEntry) -> String {
    let operation = match entry.operation {
        AclOperation::All => "all".to_owned(),
        AclOperation::One(operation) => operation.to_string(),
    };
    let host = if entry.host == "*" { String::new() } else { format!(" from {}", entry.host) };
    let on = place(entry);
    let star = if entry.prefixed { "*" } else { "" };
    format!("{operation} for {}{host} on {} {}{star}", entry.principal, on.resource, entry.name)
}

fn add(text: &mut Option<String>, more: &str) {
    *text = Some(match text.take() {
        Some(text) => format!("{text}; {more}"),
        None => more.to_owned(),
    });
}
