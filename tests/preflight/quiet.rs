//! Nothing is created, committed, fenced or rebalanced, and no run leaves anything behind: what the administrator sees of the whole
//! cluster, before and after.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Case, Project, expect, state, text, troubles};
use crate::support::PATIENCE;
use crate::support::bed::{all_brokers, bed, brokers_alone, unique};
use crate::support::program::PATIENT;

/// A cluster in use: a transaction is open, a group has offsets, and the id that preflight asks about is the one in use.
#[test]
fn a_cluster_in_use_stays_as_it_is() {
    let _brokers = all_brokers();
    let mut case = Case::granted("used");
    case.settings.insert("CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT".into(), "enabled".into());
    let id = format!("connect-cluster-{}", case.group);
    case.acls("add", "TRANSACTIONAL_ID", &id, &["WRITE"]);
    let [configs, ..] = case.topics();
    bed().call(
        "kafka/topics",
        &json!({ "create": [{ "name": configs, "partitions": 1, "configs": { "cleanup.policy": "compact" } }] }),
    );
    bed().call("kafka/commit", &json!({ "group": case.group, "offsets": [{ "topic": configs, "offset": 0 }] }));
    let data = unique("used-data");
    bed().call("kafka/topics", &json!({ "create": [{ "name": data, "partitions": 1 }] }));
    bed().call("kafka/begin", &json!({ "id": id, "topic": data }));
    let transactions = || bed().call("kafka/state", &json!({ "prefix": id }))["transactions"].clone();
    let (before, open) = (state(&case), transactions());
    assert_eq!(open[&id]["state"], "Ongoing");
    expect(&case.run(), &[]);
    case.acls("remove", "TRANSACTIONAL_ID", &id, &["WRITE"]);
    expect(&case.run(), &["CE404 failed"]);
    case.acls("add", "TRANSACTIONAL_ID", &id, &["WRITE"]);
    assert_eq!(state(&case), before, "preflight changed the cluster");
    assert_eq!(transactions(), open, "preflight touched a transaction");
    // Its producer can still commit: nobody has fenced it.
    bed().call("kafka/end", &json!({ "id": id }));
}

/// Whatever moment it is caught in, a run ends in time and says nothing that isn't so.
#[test]
fn a_broker_that_goes_away_in_the_middle_is_never_a_missing_right() {
    let alone = brokers_alone();
    let case = Case::granted("middle");
    let stopped = AtomicBool::new(false);
    let mut said = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            alone.stop(2);
            stopped.store(true, Ordering::Release);
        });
        loop {
            // `run` holds the time and the schema.
            let report = case.run();
            let missing: Vec<String> = report.checks.iter().flat_map(|check| check.missing.clone()).collect();
            said.push((troubles(&report), missing));
            if stopped.load(Ordering::Acquire) {
                break;
            }
        }
    });
    alone.restart();
    for (troubles, missing) in said {
        assert!(missing.is_empty(), "{missing:?} is granted");
        for trouble in troubles {
            let network = ["refused", "broker-unreachable", "timed-out", "unknown"].iter().any(|end| trouble.ends_with(end));
            // With two brokers no topic of three copies can be made, for as long as it lasts.
            assert!(network || trouble == "CE403 failed", "{trouble}");
        }
    }
    expect(&case.run(), &[]);
}

fn start(project: &Project, more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_confluent-ecs"))
        .current_dir(project.folder.path())
        .args(["preflight", "--env", "dev", "--secrets-file", "secret.json"])
        .args(more)
        .env_remove("GITHUB_ACTIONS")
        .envs([PATIENT])
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

/// The exit status, and what was printed on both ways.
fn ended(mut child: Child) -> (i32, String) {
    let end = Instant::now() + PATIENCE;
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < end, "it did not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    let mut text = String::new();
    let streams = [child.stdout.take().map(|it| Box::new(it) as Box<dyn Read>), child.stderr.take().map(|it| Box::new(it) as _)];
    for mut stream in streams.into_iter().flatten() {
        stream.read_to_string(&mut text).unwrap();
    }
    (child.wait().unwrap().code().unwrap(), text)
}

/// All the `BOOTSTRAP` variables of the project's environment file lead elsewhere.
fn redirect(project: &Project, address: &str) {
    let path = project.folder.path().join("envs/dev.yml");
    let facts = bed().facts("kafka");
    let text = std::fs::read_to_string(&path).unwrap().replace(&text(&facts["bootstrap"]["SASL_SSL"]), address);
    std::fs::write(path, text).unwrap();
}

#[test]
fn an_interrupt_ends_it_at_once() {
    let _brokers = all_brokers();
    // While it waits for an answer that never comes …
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let project = Project::new("interrupt");
    redirect(&project, &silent.local_addr().unwrap().to_string());
    let child = start(&project, &[]);
    let _taken = silent.accept().unwrap();
    interrupt(&child);
    let (code, text) = ended(child);
    assert_eq!(code, 130, "{text}");
    assert!(text.contains("interrupted; nothing was changed"), "{text}");
    // … and while it waits for the next try.
    let project = Project::new("interrupt");
    project.store("a-password-of-nobody");
    let mut child = start(&project, &["--wait", "60s"]);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let line = lines.next().unwrap().unwrap();
    assert!(line.contains("trying again"), "{line}");
    interrupt(&child);
    let (code, text) = ended(child);
    assert_eq!(code, 130, "{text}");
}

#[test]
fn two_runs_at_once_and_a_reader_that_goes_away() {
    let _brokers = all_brokers();
    let project = Project::new("twice");
    let files = || std::fs::read_dir(project.folder.path()).unwrap().count();
    let (before, written) = (state(&project.case), files());
    let (first, second) = (start(&project, &[]), start(&project, &["--output", "json"]));
    let mut deaf = start(&project, &[]);
    drop(deaf.stdout.take());
    for child in [first, second, deaf] {
        let (code, text) = ended(child);
        assert_eq!(code, 3, "{text}");
        assert!(!text.contains("panicked") && !text.contains("roken pipe"), "{text}");
    }
    assert_eq!(state(&project.case), before);
    assert_eq!(files(), written, "a run left a file behind");
}

/// A cluster without a group has no `__consumer_offsets`, and none of the internal topics may come of it: the whole of it is compared.
#[test]
fn a_cluster_that_nobody_has_used_stays_so_with_transactions_too() {
    let mut case = Case::on("kafka_virgin", "virgin-transactions");
    for topic in ["CONFIG", "OFFSET", "STATUS"] {
        case.settings.insert(format!("CONNECT_{topic}_STORAGE_REPLICATION_FACTOR"), "1".to_owned());
    }
    case.settings.insert("CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT".into(), "enabled".into());
    case.grant();
    let id = format!("connect-cluster-{}", case.group);
    let before: Value = bed().call("kafka_virgin/state", &json!({}));
    assert!(before["topics"].as_object().unwrap().keys().all(|name| !name.starts_with("__")), "the cluster was used before");
    expect(&case.run(), &["CE404 failed"]);
    let after = bed().call("kafka_virgin/state", &json!({}));
    for part in ["topics", "groups", "transactions"] {
        assert_eq!(after[part], before[part], "preflight changed the cluster");
    }
    case.acls("add", "TRANSACTIONAL_ID", &id, &["WRITE"]);
    expect(&case.run(), &[]);
    assert_eq!(bed().call("kafka_virgin/state", &json!({}))["topics"], before["topics"], "preflight changed the cluster");
}
