//! Rights: what is missing is named with the command that grants it, and asking for it changes nothing.

use confluent_ecs::preflight::{self, Selection};
use serde_json::json;

use super::{Case, expect, state, troubles};
use crate::support::bed::{all_brokers, bed};

#[test]
fn a_missing_right_is_named_with_the_command_that_grants_it() {
    let _brokers = all_brokers();
    let case = Case::granted("rights");
    let [configs, offsets, status] = case.topics();
    bed().call(
        "kafka/topics",
        &json!({ "create": [{ "name": offsets, "partitions": 1, "configs": { "cleanup.policy": "compact" } }] }),
    );
    for (resource, name, operation, trouble, missing) in [
        ("GROUP", &case.group, "READ", "CE401 failed", "read"),
        ("TOPIC", &configs, "READ", "CE402 failed", "read"),
        ("TOPIC", &configs, "WRITE", "CE402 failed", "write"),
        ("TOPIC", &offsets, "READ", "CE402 failed", "read"),
        ("TOPIC", &offsets, "WRITE", "CE402 failed", "write"),
        ("TOPIC", &status, "CREATE", "CE402 failed", "create"),
        ("TOPIC", &status, "DESCRIBE_CONFIGS", "CE407 warned", "describe-configs"),
    ] {
        case.acls("remove", resource, name, &[operation]);
        let before = state(&case);
        let report = case.run();
        expect(&report, &[trouble]);
        assert_eq!(report.exit_code, if trouble.contains("failed") { 3 } else { 0 });
        let check = report.checks.iter().find(|check| !check.missing.is_empty()).unwrap();
        assert_eq!(check.missing, [missing], "{}", check.id);
        assert_eq!(check.ran_as.as_deref(), Some(format!("User:{}", case.user).as_str()));
        let fix = serde_json::to_value(&check.fixes[0]).unwrap();
        let argv: Vec<&str> = fix["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(argv[0], "kafka-acls");
        assert!(argv.windows(2).any(|pair| pair[0].starts_with("--") && pair[1] == name), "{argv:?}");
        assert_eq!(state(&case), before, "preflight changed the cluster");
        case.acls("add", resource, name, &[operation]);
    }
    // No right on the offsets topic, which is there, needs no create.
    case.acls("remove", "TOPIC", &offsets, &["CREATE"]);
    expect(&case.run(), &[]);
}

#[test]
fn nothing_granted_is_one_command_for_all_that_gets_the_same() {
    let _brokers = all_brokers();
    let case = Case::new("nothing");
    let before = state(&case);
    let report = case.run();
    assert_eq!(
        troubles(&report),
        ["CE401 failed", "CE402 failed", "CE402 unknown", "CE407 warned"],
        "{}",
        serde_json::to_string_pretty(&report).unwrap()
    );
    let mut commands: Vec<String> = report
        .checks
        .iter()
        .flat_map(|check| &check.fixes)
        .filter_map(|fix| serde_json::to_value(fix).unwrap()["argv"].as_array().map(|argv| json!(argv).to_string()))
        .collect();
    commands.sort();
    commands.dedup();
    // One for the group, one for the three topics.
    assert_eq!(commands.len(), 2, "{commands:#?}");
    let topic = commands.iter().find(|command| command.contains("-configs")).unwrap();
    for operation in ["Read", "Write", "Create", "DescribeConfigs"] {
        assert!(topic.contains(&format!("\"{operation}\"")), "{topic}");
    }
    assert_eq!(state(&case), before, "preflight changed the cluster");
}

/// A cluster without a group has no `__consumer_offsets`, and it must stay so: the whole of it is compared.
#[test]
fn a_cluster_that_nobody_has_used_stays_as_it_is() {
    let mut case = Case::on("kafka_virgin", "virgin");
    for topic in ["CONFIG", "OFFSET", "STATUS"] {
        case.settings.insert(format!("CONNECT_{topic}_STORAGE_REPLICATION_FACTOR"), "1".to_owned());
    }
    case.acls("add", "GROUP", &case.group, &["READ"]);
    for topic in case.topics() {
        case.acls("add", "TOPIC", &topic, &["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"]);
    }
    // Others may add ACLs at the same time; the topics, groups and transactions are nobody's.
    let whole = || {
        let mut whole = bed().call("kafka_virgin/state", &json!({}));
        whole["acls"] = bed().call("kafka_virgin/state", &json!({ "prefix": case.group }))["acls"].clone();
        whole
    };
    let before = whole();
    expect(&case.run(), &[]);
    case.acls("remove", "GROUP", &case.group, &["READ"]);
    expect(&case.run(), &["CE401 failed"]);
    case.acls("add", "GROUP", &case.group, &["READ"]);
    assert_eq!(whole(), before, "preflight changed the cluster");
}

#[test]
fn a_deny_stands_over_an_allow() {
    let _brokers = all_brokers();
    let case = Case::granted("deny");
    let [_, offsets, _] = case.topics();
    let mut deny = case.acl("TOPIC", &offsets, &["WRITE"]);
    deny["permission"] = json!("DENY");
    bed().call("kafka/acls", &json!({ "add": [deny] }));
    let report = case.run();
    expect(&report, &["CE402 failed"]);
    assert_eq!(report.checks.iter().find(|check| !check.missing.is_empty()).unwrap().missing, ["write"]);
}

#[test]
fn a_topic_that_the_cluster_would_refuse_is_found_before_connect_asks() {
    let _brokers = all_brokers();
    let mut case = Case::granted("policy");
    case.settings.insert("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR".into(), "1".into());
    let report = case.run();
    assert_eq!(troubles(&report), ["CE403 failed"]);
    let check = report.checks.iter().find(|check| check.code.to_string() == "CE403").unwrap();
    assert!(check.message.contains("must be 3"), "{}", check.message);
}

#[test]
fn only_what_is_asked_for_is_shown_with_what_it_needs() {
    let _brokers = all_brokers();
    let mut case = Case::granted("only");
    let selection = Selection { only: [preflight::Category::KafkaAcls].into(), ..Selection::default() };
    let report = case.selected(&selection);
    assert!(report.checks.iter().all(|check| check.category == preflight::Category::KafkaAcls));
    expect(&report, &[]);
    case.password("somebody-elses-password");
    expect(&case.selected(&selection), &["CE304 failed bad-credentials"]);
}
