//! `--fixes`: nothing but what can be pasted, and pasted as it is it mends what was found, whatever the fault.

use std::process::Command;

use serde_json::{Value, json};

use super::{Project, state, text};
use crate::support::bed::{all_brokers, bed};
use crate::support::program::run;

/// Pastes commands into a shell that has Kafka's own tools.
fn paste(commands: &str) {
    let path = format!("{}:{}", text(&bed().facts("kafka")["bin"]), std::env::var("PATH").unwrap());
    let ran = Command::new("sh").args(["-e", "-c", commands]).env("PATH", path).output().unwrap();
    assert!(ran.status.success(), "{commands}\n{}", String::from_utf8_lossy(&ran.stderr));
}

/// What `--fixes` prints on stdout, and how it ends.
fn fixes(project: &Project) -> (i32, String) {
    let arguments = ["preflight", "--env", "dev", "--secrets-file", "secret.json", "--fixes"];
    let ran = run(project.folder.path(), &arguments);
    (ran.code, ran.stdout)
}

#[test]
fn the_commands_are_the_fewest_and_mend_what_is_missing() {
    let _brokers = all_brokers();
    let mut project = Project::new("fixes");
    let (code, commands) = fixes(&project);
    assert_eq!(code, 3);
    // One for the group, one for the three topics; each may go over several lines.
    assert_eq!(commands.matches("kafka-acls ").count(), 2, "{commands}");
    assert!(commands.starts_with("kafka-acls --bootstrap-server "), "{commands}");
    paste(&commands);
    assert_eq!(project.preflight(&["--wait", "20s", "--strict"]), 0, "{}", project.output);
    assert_eq!(fixes(&project), (0, String::new()));
}

#[test]
fn a_deny_is_taken_away_before_what_is_missing_is_allowed() {
    let _brokers = all_brokers();
    let mut project = Project::new("undeny");
    paste(&fixes(&project).1);
    let case = &project.case;
    case.acls("add", "CLUSTER", "kafka-cluster", &["DESCRIBE"]);
    let offsets = format!("{}-dev-connect-offsets", case.group);
    let mut deny = case.acl("TOPIC", &offsets, &["WRITE"]);
    deny["permission"] = json!("DENY");
    let mut by_prefix = case.acl("TOPIC", &case.group, &["READ"]);
    by_prefix["permission"] = json!("DENY");
    by_prefix["pattern"] = json!("PREFIXED");
    bed().call("kafka/acls", &json!({ "add": [deny, by_prefix] }));
    let (code, commands) = fixes(&project);
    assert_eq!(code, 3);
    assert_eq!(commands.matches("--remove").count(), 2, "{commands}");
    assert_eq!(commands.matches("--add").count(), 0, "{commands}");
    paste(&commands);
    assert_eq!(project.preflight(&["--wait", "20s"]), 0, "{}", project.output);
}

#[test]
fn a_topic_with_the_wrong_policy_is_mended_by_its_command() {
    let _brokers = all_brokers();
    let mut project = Project::new("policy");
    paste(&fixes(&project).1);
    let offsets = format!("{}-dev-connect-offsets", project.case.group);
    bed().call(
        "kafka/topics",
        &json!({ "create": [{ "name": offsets, "partitions": 25, "configs": { "cleanup.policy": "delete" } }] }),
    );
    let (code, commands) = fixes(&project);
    assert!(code == 3 && commands.starts_with("kafka-configs "), "{commands}");
    paste(&commands);
    assert_eq!(project.preflight(&["--wait", "20s"]), 0, "{}", project.output);
}

#[test]
fn as_a_document_they_are_data() {
    let _brokers = all_brokers();
    let project = Project::new("data");
    let before = state(&project.case);
    let arguments = ["preflight", "--env", "dev", "--secrets-file", "secret.json", "--fixes", "--output", "json"];
    let ran = run(project.folder.path(), &arguments);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &document["schema"]), (3, &json!("confluent-ecs/preflight-fixes/v1")));
    assert_eq!(document["fixes"][0]["argv"][0], "kafka-acls");
    assert_eq!(state(&project.case), before);
}
