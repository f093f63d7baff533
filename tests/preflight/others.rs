//! Who else is there, with real workers: somebody else's in our group, our own that are only deployed again, and none of them disturbed.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use confluent_ecs::preflight::{Own, Report, Selection};
use serde_json::{Value, json};

use super::{Case, expect, state, text};
use crate::support::PATIENCE;
use crate::support::bed::{all_brokers, bed};

/// A worker of the case's own group and topics, that says it is at `advertised`.
pub(super) fn worker(case: &Case, advertised: &str) -> Value {
    let env: BTreeMap<String, String> = case
        .input()
        .services
        .remove(0)
        .environment
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_secret().unwrap().expose().to_owned()))
        .collect();
    bed().call("connect/start", &json!({ "env": env, "advertised": advertised }))
}

fn run_with(case: &Case, own: Own) -> Report {
    let mut input = case.input();
    input.own.insert("connect".into(), own);
    case.judged(&input, &Selection::default())
}

fn members(report: &Report) -> String {
    report.checks.iter().find(|check| check.code.to_string() == "CE409").unwrap().message.clone()
}

#[test]
fn members_of_the_group_are_told_apart_and_left_alone() {
    let _brokers = all_brokers();
    let case = Case::granted("members");
    // What the worker needs beside, while it runs.
    case.acls("add", "CLUSTER", "kafka-cluster", &["IDEMPOTENT_WRITE"]);
    expect(&case.run(), &[]);
    let address = "10.0.1.5";
    let running = worker(&case, address);
    let mut other = Case::granted("others");
    other.settings.insert("CONNECT_GROUP_ID".into(), case.group.clone());
    other.acls("add", "GROUP", &case.group, &["READ"]);
    let before = state(&case);
    let at = |address: &str| Own::Known([address.parse().unwrap()].into());

    // The project's own tasks: a redeploy is no finding.
    let report = run_with(&case, at(address));
    expect(&report, &[]);
    assert_eq!(members(&report), "1 member, this project's own");
    // Another stack's, or none of this project's yet.
    for own in [at("10.0.1.6"), Own::Known([].into())] {
        let report = run_with(&case, own);
        expect(&report, &["CE409 failed"]);
        assert!(members(&report).contains("http://10.0.1.5:"), "{}", members(&report));
    }
    // Nobody could be asked.
    let report = run_with(&case, Own::Unknown("no credentials".into()));
    expect(&report, &["CE409 unknown"]);
    assert!(
        members(&report).contains("http://10.0.1.5:") && members(&report).ends_with("no credentials"),
        "{}",
        members(&report)
    );
    // Nobody could be asked, but it is clear: its topics are others than this project's.
    let report = other.run();
    expect(&report, &["CE409 failed"]);
    assert!(members(&report).contains("which does not exist"), "{}", members(&report));

    assert_eq!(state(&case), before, "preflight disturbed a running worker");
    bed().call("connect/stop", &json!({ "id": running["id"] }));
}

#[test]
fn a_worker_on_somebodys_desk_is_no_task() {
    let _brokers = all_brokers();
    let case = Case::granted("desk");
    let running = worker(&case, "127.0.0.1");
    let report = case.run();
    expect(&report, &["CE409 failed"]);
    assert!(members(&report).contains(text(&running["rest"]).as_str()), "{}", members(&report));
    bed().call("connect/stop", &json!({ "id": running["id"] }));
    // It has left: nobody is in the group any more.
    expect(&case.run(), &[]);
}

/// An application's consumers are in the group that the workers are to form: in the classic way, and in the newer one.
#[test]
fn a_group_of_consumers_is_none_of_workers() {
    let _brokers = all_brokers();
    for (protocol, says) in [("classic", "members are of consumer, not of connect"), ("consumer", "of the kind consumer")] {
        let case = Case::granted("consumers");
        let data = format!("{}-data", case.group);
        bed().call("kafka/topics", &json!({ "create": [{ "name": data, "partitions": 1 }] }));
        let facts = bed().facts("kafka");
        let mut consumer = std::process::Command::new(format!("{}/kafka-console-consumer", text(&facts["bin"])))
            .args(["--bootstrap-server", &text(&facts["bootstrap"]["SASL_SSL"]), "--topic", &data, "--group", &case.group])
            .args(["--command-config", &text(&facts["command_config"])])
            .args(["--command-property", &format!("group.protocol={protocol}")])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let end = Instant::now() + PATIENCE;
        let mut report = case.run();
        while !members(&report).contains(says) && Instant::now() < end && consumer.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(250));
            report = case.run();
        }
        let ended = consumer.try_wait().unwrap();
        consumer.kill().unwrap();
        consumer.wait().unwrap();
        assert_eq!(ended, None, "the consumer has ended");
        expect(&report, &["CE409 failed"]);
        assert!(members(&report).contains(says), "{protocol}: {}", members(&report));
    }
}

/// A consumer's group of the same name speaks another protocol; nobody of it needs to be there.
#[test]
fn a_group_with_offsets_alone_is_nobodys() {
    let _brokers = all_brokers();
    let case = Case::granted("offsets");
    let [configs, ..] = case.topics();
    bed().call(
        "kafka/topics",
        &json!({ "create": [{ "name": configs, "partitions": 1, "configs": { "cleanup.policy": "compact" } }] }),
    );
    bed().call("kafka/commit", &json!({ "group": case.group, "offsets": [{ "topic": configs, "offset": 0 }] }));
    let before = state(&case);
    expect(&case.run(), &[]);
    assert_eq!(state(&case), before);
}
