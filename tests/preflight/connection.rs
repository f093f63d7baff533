//! The way to the cluster: each fault of DNS, TCP, TLS and login has its own cause, with no false alarm beside it.

use confluent_ecs::preflight;
use serde_json::json;

use super::{Case, LONGER, expect, patience_for, text, troubles};
use crate::support::PATIENCE;
use crate::support::bed::{all_brokers, bed, brokers_alone, unique};

#[test]
fn what_is_right_passes_whatever_the_listener_and_mechanism() {
    let _brokers = all_brokers();
    let mut case = Case::granted("right");
    for (listener, protocol) in [("SASL_SSL", "SASL_SSL"), ("SASL_PLAINTEXT", "SASL_PLAINTEXT")] {
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
            case.listener(listener).set("security.protocol", protocol).set("sasl.mechanism", mechanism);
            let report = case.run();
            expect(&report, &[]);
            assert_eq!(report.exit_code, 0);
            // Nobody asked AWS for anything.
            assert_eq!(report.summary.skipped, 8, "{listener} {mechanism}");
        }
    }
}

#[test]
fn faults_of_the_login_have_their_own_causes() {
    let _brokers = all_brokers();
    let mut case = Case::granted("login");
    let wrong = "not-the-password-of-anybody";
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        case.set("sasl.mechanism", mechanism).password(wrong);
        let report = case.run();
        expect(&report, &["CE304 failed bad-credentials"]);
        assert_eq!(report.exit_code, 3);
        case.login = Some((unique("nobody"), wrong.to_owned()));
        expect(&case.run(), &["CE304 failed bad-credentials"]);
    }
    let good = case.password.clone();
    case.password(&good).set("sasl.mechanism", "PLAIN").listener("SCRAM512");
    let report = case.run();
    expect(&report, &["CE304 failed mechanism-not-offered"]);
    let fix = serde_json::to_value(&report.checks.iter().find(|check| check.cause.is_some()).unwrap().fixes[0]).unwrap();
    assert_eq!(fix["value"], "SCRAM-SHA-512");
    assert_eq!(fix["variables"][0], "CONNECT_SASL_MECHANISM");
    case.set("security.protocol", "SSL").listener("SASL_SSL");
    expect(&case.run(), &["CE304 failed sasl-required"]);
    case.set("security.protocol", "PLAINTEXT").listener("SASL_PLAINTEXT");
    expect(&case.run(), &["CE304 failed sasl-required"]);
    case.set("security.protocol", "SASL_PLAINTEXT").listener("PLAINTEXT");
    expect(&case.run(), &["CE304 failed mechanism-not-offered"]);
}

#[test]
fn faults_of_tls_have_their_own_causes() {
    let _brokers = all_brokers();
    let mut case = Case::granted("tls");
    case.set("sasl.mechanism", "PLAIN");
    for (listener, cause) in
        [("EXPIRED", "tls-expired"), ("NOTYET", "tls-expired"), ("OTHERCA", "tls-untrusted"), ("OTHERHOST", "tls-hostname")]
    {
        case.listener(listener);
        expect(&case.run(), &[format!("CE303 failed {cause}").as_str()]);
    }
    case.listener("SASL_PLAINTEXT");
    expect(&case.run(), &["CE303 failed plaintext-listener"]);
    case.listener("SASL_SSL").set("security.protocol", "SASL_PLAINTEXT");
    expect(&case.run(), &["CE303 failed tls-listener"]);
    case.listener("SSL").set("security.protocol", "SSL");
    expect(&case.run(), &["CE303 failed client-certificate-required"]);
}

#[test]
fn faults_of_the_network_have_their_own_causes() {
    let _brokers = all_brokers();
    let faults = bed().facts("faults");
    let mut case = Case::new("network");
    for (address, trouble, exit) in [
        ("refused", "CE302 failed refused", 9),
        ("hang", "CE302 failed timed-out", 9),
        ("silent", "CE303 failed timed-out", 9),
        ("http", "CE303 failed not-kafka", 3),
        ("close", "CE303 failed broker-unreachable", 9),
    ] {
        case.set("bootstrap.servers", &text(&faults[address]));
        case.patience = patience_for(trouble);
        let report = case.run();
        expect(&report, &[trouble]);
        assert_eq!(report.exit_code, exit, "{address}");
        assert!(report.checks.iter().any(|check| check.status == preflight::Status::Skipped && check.message.contains("which")));
    }
    case.set("bootstrap.servers", "kafka.bed.invalid:9092");
    expect(&case.run(), &["CE301 failed name-not-found"]);
}

#[test]
fn brokers_that_are_not_where_they_say_are_found() {
    let _brokers = all_brokers();
    let mut case = Case::granted("advertised");
    case.set("sasl.mechanism", "PLAIN").listener("UNREACHABLE").in_vain();
    let report = case.run();
    expect(&report, &["CE305 failed broker-unreachable"]);
    assert_eq!(report.exit_code, 9);
    case.patience = LONGER;
    case.listener("CLOSED");
    expect(&case.run(), &["CE305 failed broker-unreachable"]);
    case.listener("UNRESOLVABLE");
    expect(&case.run(), &["CE305 failed name-not-found"]);
}

#[test]
fn the_wrong_cluster_is_named() {
    let _brokers = all_brokers();
    let mut case = Case::granted("cluster");
    case.cluster.id = Some(text(&bed().facts("kafka")["cluster_id"]));
    expect(&case.run(), &[]);
    case.cluster.id = Some("lkc-8m2q5z".into());
    expect(&case.run(), &["CE306 failed wrong-cluster"]);
}

#[test]
fn clients_of_one_principal_are_asked_once_and_others_by_themselves() {
    let _brokers = all_brokers();
    let case = Case::granted("clients");
    let report = case.run();
    let logins: Vec<_> = report.checks.iter().filter(|check| check.code.to_string() == "CE304").collect();
    assert_eq!(logins.len(), 1);
    assert_eq!(logins[0].clients, ["worker", "producer", "consumer", "admin"]);

    let mut other = Case::granted("others");
    other.settings.insert("CONNECT_PRODUCER_SASL_MECHANISM".into(), "SCRAM-SHA-256".into());
    let report = other.run();
    let logins: Vec<_> = report.checks.iter().filter(|check| check.code.to_string() == "CE304").collect();
    assert_eq!(logins.len(), 2);
    assert_eq!(logins[1].clients, ["producer"]);
}

#[test]
fn a_stopped_broker_is_missed() {
    let alone = brokers_alone();
    let mut case = Case::granted("stopped");
    case.listener("SASL_SSL");
    alone.stop(3);
    let report = case.run();
    let found = troubles(&report);
    assert!(found.contains(&"CE302 warned refused".to_owned()), "{found:?}");
}

/// With two of three brokers away nobody is left to make a topic: unknown, and why, with no right called missing.
#[test]
fn two_stopped_brokers_of_three_leave_no_controller() {
    let alone = brokers_alone();
    let case = Case::granted("two-stopped");
    alone.stop(3);
    alone.stop(2);
    // The controller that is left goes on answering for seconds, until it has missed the others.
    let mut report = case.run();
    let end = std::time::Instant::now() + PATIENCE;
    while troubles(&report).len() < 2 && std::time::Instant::now() < end {
        std::thread::sleep(std::time::Duration::from_millis(500));
        report = case.run();
    }
    let found = troubles(&report);
    assert_eq!(found, ["CE302 warned refused", "CE402 unknown broker-unreachable"], "{report:#?}");
    let creation = report.checks.iter().find(|check| check.code.to_string() == "CE402" && check.cause.is_some()).unwrap();
    assert!(creation.message.starts_with("the broker has no controller that could answer: 127.0.0.1:"), "{}", creation.message);
    assert!(report.checks.iter().all(|check| check.missing.is_empty()));
}

/// The one copy of a topic's partition was on a broker that is away.
#[test]
fn a_topic_without_a_leader_is_no_missing_right() {
    let alone = brokers_alone();
    let case = Case::granted("leaderless");
    let [configs, ..] = case.topics();
    let configuration = json!({ "cleanup.policy": "compact" });
    bed().call("kafka/topics", &json!({ "create": [{ "name": configs, "partitions": 1, "configs": configuration }] }));
    let folder = tempfile::tempdir().unwrap();
    let wanted = folder.path().join("wanted.json");
    let one_copy = json!({ "version": 1, "partitions": [{ "topic": configs, "partition": 0, "replicas": [3] }] });
    std::fs::write(&wanted, one_copy.to_string()).unwrap();
    let facts = bed().facts("kafka");
    let reassign = |step: &str| {
        std::process::Command::new(format!("{}/kafka-reassign-partitions", text(&facts["bin"])))
            .args(["--bootstrap-server", &text(&facts["bootstrap"]["SASL_SSL"])])
            .args([
                "--command-config",
                &text(&facts["command_config"]),
                "--reassignment-json-file",
                wanted.to_str().unwrap(),
                step,
            ])
            .output()
            .unwrap()
    };
    let begun = reassign("--execute");
    assert!(begun.status.success(), "{}", String::from_utf8_lossy(&begun.stdout));
    let is_done = || String::from_utf8_lossy(&reassign("--verify").stdout).contains("is complete");
    assert!((0..30).any(|_| is_done()), "the copies were not moved");
    bed().call("kafka/stop_broker", &json!({ "broker": 3 }));
    let report = case.run();
    bed().call("kafka/start_broker", &json!({ "broker": 3 }));
    drop(alone);
    assert_eq!(troubles(&report), ["CE302 warned refused", "CE408 failed broker-unreachable"], "{report:#?}");
    let topic = report.checks.iter().find(|check| check.code.to_string() == "CE408").unwrap();
    assert!(topic.message.contains("1 of 1 partitions have no leader"), "{}", topic.message);
    assert!(report.checks.iter().all(|check| check.missing.is_empty()));
}

/// The address of one broker leads to a broker of another cluster, as a wrong port mapping makes it.
#[test]
fn a_broker_that_leads_into_another_cluster_is_found() {
    let _brokers = all_brokers();
    let mut case = Case::granted("astray");
    let other = bed().facts("kafka_virgin");
    bed().call("kafka_virgin/user", &json!({ "name": case.user, "password": case.password }));
    let both = |facts: &serde_json::Value| std::fs::read_to_string(text(&facts["tls"]["ca"])).unwrap();
    let trusted = both(&bed().facts("kafka")) + &both(&other);
    case.set("ssl.truststore.certificates", &confluent_ecs::confluent::escape(&trusted));
    case.set("sasl.mechanism", "PLAIN").listener("ASTRAY");
    bed().call("faults/relay", &json!({ "to": text(&other["bootstrap"]["SASL_SSL"]) }));
    let report = case.run();
    expect(&report, &["CE305 failed wrong-cluster"]);
    let brokers = report.checks.iter().find(|check| check.cause.is_some()).unwrap();
    assert!(brokers.message.contains(&format!("into another cluster, {}", text(&other["cluster_id"]))), "{}", brokers.message);
    assert!(brokers.message.starts_with("2 of 3 advertised brokers reached; broker 3 at "), "{}", brokers.message);
}

/// What speaks TLS and no Kafka, and what speaks neither.
#[test]
fn another_service_on_the_port_is_no_kafka() {
    let _brokers = all_brokers();
    let registry = bed().call("schema_registry/new", &json!({ "tls": true }));
    let mut case = Case::new("other-service");
    let at = text(&registry["url"]).split_once("://").unwrap().1.to_owned();
    let authority = std::fs::read_to_string(text(&registry["ca"])).unwrap();
    case.set("bootstrap.servers", &at).set("ssl.truststore.certificates", &confluent_ecs::confluent::escape(&authority));
    expect(&case.run(), &["CE303 failed not-kafka"]);
}

#[test]
fn one_dead_server_of_the_list_is_missed_and_the_rest_goes_on() {
    let _brokers = all_brokers();
    let mut case = Case::granted("one-dead");
    let good = text(&bed().facts("kafka")["bootstrap"]["SASL_SSL"]);
    let refused = text(&bed().facts("faults")["refused"]);
    case.set("bootstrap.servers", &format!("{refused},{good}"));
    let report = case.run();
    assert_eq!(troubles(&report), ["CE302 warned refused"]);
    case.set("bootstrap.servers", &format!("no-such.bed.invalid:9092,{good}"));
    assert_eq!(troubles(&case.run()), ["CE301 warned name-not-found"]);
}

#[test]
fn a_list_with_brokers_of_two_clusters_is_found() {
    let _brokers = all_brokers();
    let mut case = Case::granted("two-clusters");
    let other = bed().facts("kafka_virgin");
    bed().call("kafka_virgin/user", &json!({ "name": case.user, "password": case.password }));
    let both = |facts: &serde_json::Value| std::fs::read_to_string(text(&facts["tls"]["ca"])).unwrap();
    let trusted = both(&bed().facts("kafka")) + &both(&other);
    case.set("ssl.truststore.certificates", &confluent_ecs::confluent::escape(&trusted));
    let own = text(&bed().facts("kafka")["bootstrap"]["SASL_SSL"]);
    case.set("bootstrap.servers", &format!("{own},{}", text(&other["bootstrap"]["SASL_SSL"])));
    expect(&case.run(), &["CE306 failed wrong-cluster"]);
}

#[test]
fn a_quota_that_holds_the_client_back_is_named() {
    let _brokers = all_brokers();
    let case = Case::granted("quota");
    let facts = bed().facts("kafka");
    let configs = |how: &[&str]| {
        let output = std::process::Command::new(format!("{}/kafka-configs", text(&facts["bin"])))
            .args([
                "--bootstrap-server",
                &text(&facts["bootstrap"]["SASL_SSL"]),
                "--command-config",
                &text(&facts["command_config"]),
            ])
            .args(["--alter", "--entity-type", "users", "--entity-name", &case.user])
            .args(how)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    configs(&["--add-config", "request_percentage=0.0001"]);
    // A quota reaches the brokers a moment after it was set.
    let end = std::time::Instant::now() + PATIENCE;
    let mut felt = false;
    while !felt && std::time::Instant::now() < end {
        let found = troubles(&case.run());
        assert!(found.iter().all(|trouble| trouble.ends_with("throttled")), "{found:?}");
        felt = !found.is_empty();
    }
    configs(&["--delete-config", "request_percentage"]);
    assert!(felt, "no quota was ever felt");
}

#[test]
fn blanks_in_a_password_are_named() {
    let _brokers = all_brokers();
    let mut case = Case::granted("blanks");
    let spoilt = format!("{}\n", case.password);
    case.password(&spoilt).set("sasl.mechanism", "PLAIN");
    let report = case.run();
    expect(&report, &["CE304 failed bad-credentials"]);
    let login = report.checks.iter().find(|check| check.cause.is_some()).unwrap();
    assert!(login.message.contains("has blanks or a line break around it"), "{}", login.message);
}
