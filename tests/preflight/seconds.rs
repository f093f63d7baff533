//! A second one of what there may be one of: registries and Control Centers, seen on real brokers by the groups that they form. Members of
//! the bed's say of themselves what theirs do.

use std::collections::BTreeMap;

use confluent_ecs::confluent::{Environment, Text};
use confluent_ecs::preflight::{Category, Input, Own, Report, Selection};
use confluent_ecs::profile::Catalogue;
use serde_json::{Value, json};

use super::{Case, expect, state, text};
use crate::support::bed::{all_brokers, bed};

/// The same user on the same cluster as another component with settings of its own.
fn of_component(case: &Case, name: &str, image: &str, settings: &BTreeMap<&str, String>) -> Input {
    let mut input = case.input();
    let service = &mut input.services[0];
    name.clone_into(&mut service.name);
    service.component = Catalogue::builtin().unwrap().component(name).unwrap().clone();
    image.clone_into(&mut service.image);
    service.environment =
        settings.iter().map(|(name, value)| ((*name).to_owned(), Text::plain(value.clone(), None))).collect::<Environment>();
    input
}

fn jaas(case: &Case) -> String {
    let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
    format!("{module} required username=\"{}\" password=\"{}\";", case.user, case.password)
}

fn collisions(case: &Case, input: &Input) -> Report {
    case.judged(input, &Selection { only: [Category::Collisions].into(), ..Selection::default() })
}

fn join(group: &str, protocol: [&str; 2], metadata: &str, client: &str) -> Value {
    let [kind, name] = protocol;
    bed().call(
        "kafka/join",
        &json!({ "group": group, "protocol_type": kind, "protocol": name, "metadata": metadata, "client": client }),
    )
}

fn leave(member: &Value) {
    bed().call("kafka/leave", &json!({ "id": member["id"] }));
}

fn message(report: &Report, code: &str) -> String {
    report.checks.iter().find(|check| check.code.to_string() == code).unwrap().message.clone()
}

/// What a registry says of itself in its group.
fn identity(host: &str) -> String {
    json!({ "version": 1, "host": host, "port": 8081, "master_eligibility": true, "scheme": "http" }).to_string()
}

#[test]
fn another_registry_is_seen_and_ones_own_is_none() {
    let _brokers = all_brokers();
    let case = Case::new("registries");
    let (group, topic) = (format!("{}-group", case.group), format!("{}_schemas", case.group));
    case.acls("add", "TOPIC", &topic, &["ALL"]);
    case.acls("add", "GROUP", "*", &["READ"]);
    let plain = text(&bed().facts("kafka")["bootstrap"]["SASL_PLAINTEXT"]);
    let settings = [
        ("SCHEMA_REGISTRY_HOST_NAME", "10.0.1.5".to_owned()),
        ("SCHEMA_REGISTRY_LISTENERS", "http://0.0.0.0:8081".to_owned()),
        ("SCHEMA_REGISTRY_SCHEMA_REGISTRY_GROUP_ID", group.clone()),
        ("SCHEMA_REGISTRY_KAFKASTORE_TOPIC", topic.clone()),
        ("SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS", plain),
        ("SCHEMA_REGISTRY_KAFKASTORE_SECURITY_PROTOCOL", "SASL_PLAINTEXT".to_owned()),
        ("SCHEMA_REGISTRY_KAFKASTORE_SASL_MECHANISM", "PLAIN".to_owned()),
        ("SCHEMA_REGISTRY_KAFKASTORE_SASL_JAAS_CONFIG", jaas(&case)),
    ];
    let mut input =
        of_component(&case, "schema-registry", "confluentinc/cp-schema-registry:8.0.7", &settings.into_iter().collect());
    let at = |address: &str| Own::Known([address.parse().unwrap()].into());
    input.own.insert("schema-registry".into(), at("10.0.1.5"));
    expect(&collisions(&case, &input), &[]);

    // The project's own, in its group: a redeploy is no finding.
    let own = join(&group, ["sr", "v0"], &identity("10.0.1.5"), "sr-1");
    let before = state(&case);
    let report = collisions(&case, &input);
    expect(&report, &[]);
    assert_eq!(message(&report, "CE409"), "1 member, this project's own");
    // The same group, and it is somebody else's.
    input.own.insert("schema-registry".into(), at("10.0.1.6"));
    let report = collisions(&case, &input);
    expect(&report, &["CE409 failed"]);
    assert!(message(&report, "CE409").contains("http://10.0.1.5:8081"), "{}", message(&report, "CE409"));
    assert_eq!(state(&case), before, "preflight disturbed a group");

    // Another group beside it, each with a topic of its own: two registries, as there may be.
    let other = join(&format!("{}-other", case.group), ["sr", "v0"], &identity("10.0.9.9"), "sr-1");
    input.own.insert("schema-registry".into(), at("10.0.1.5"));
    expect(&collisions(&case, &input), &[]);
    leave(&own);
    let report = collisions(&case, &input);
    expect(&report, &[]);
    assert!(message(&report, "CE410").contains(&format!("{}-other", case.group)), "{}", message(&report, "CE410"));
    // The topic is there and nobody of our group is: somebody else may write it.
    bed().call(
        "kafka/topics",
        &json!({ "create": [{ "name": topic, "partitions": 1, "configs": { "cleanup.policy": "compact" } }] }),
    );
    let report = collisions(&case, &input);
    expect(&report, &["CE410 warned"]);
    assert!(message(&report, "CE410").contains(&format!("{}-other", case.group)), "{}", message(&report, "CE410"));
    leave(&other);
    expect(&collisions(&case, &input), &[]);

    // Workers of Connect in the registry's group.
    let worker = join(&group, ["connect", "sessioned"], "", "connect-1");
    let report = collisions(&case, &input);
    expect(&report, &["CE409 failed"]);
    assert!(message(&report, "CE409").contains("of connect, not of sr"), "{}", message(&report, "CE409"));
    leave(&worker);
}

#[test]
fn a_second_control_center_of_the_same_id_is_seen() {
    let _brokers = all_brokers();
    let case = Case::new("center");
    let name = case.group.clone();
    let mut prefixed = case.acl("GROUP", &name, &["READ", "DESCRIBE", "DELETE"]);
    prefixed["pattern"] = json!("PREFIXED");
    bed().call("kafka/acls", &json!({ "add": [prefixed] }));
    let plain = text(&bed().facts("kafka")["bootstrap"]["SASL_PLAINTEXT"]);
    let settings = |id: &str| {
        [
            ("CONTROL_CENTER_BOOTSTRAP_SERVERS", plain.clone()),
            ("CONTROL_CENTER_NAME", name.clone()),
            ("CONTROL_CENTER_ID", id.to_owned()),
            ("CONTROL_CENTER_REPLICATION_FACTOR", "3".to_owned()),
            ("CONTROL_CENTER_STREAMS_SECURITY_PROTOCOL", "SASL_PLAINTEXT".to_owned()),
            ("CONTROL_CENTER_STREAMS_SASL_MECHANISM", "PLAIN".to_owned()),
            ("CONTROL_CENTER_STREAMS_SASL_JAAS_CONFIG", jaas(&case)),
        ]
        .into_iter()
        .collect::<BTreeMap<_, _>>()
    };
    for (component, image) in [
        ("control-center-legacy", "confluentinc/cp-enterprise-control-center:7.9.2"),
        ("control-center", "confluentinc/cp-enterprise-control-center-next-gen:2.2.0"),
    ] {
        let input = |id: &str, own: &str| {
            let mut input = of_component(&case, component, image, &settings(id));
            input.own.insert(component.into(), Own::Known(own.split_whitespace().map(|at| at.parse().unwrap()).collect()));
            input
        };
        expect(&collisions(&case, &input("1", "")), &[]);
        // Its application's id is name, version and id; its settings are read by a group of their own.
        let client = format!("{name}-7-9-2-1-0c0b9a-StreamThread-1-consumer");
        let members = [format!("{name}-7-9-2-1"), format!("{name}-7-9-2-1-command")]
            .map(|group| join(&group, ["consumer", "stream"], "", &client));
        let report = collisions(&case, &input("1", ""));
        expect(&report, &["CE409 failed"]);
        assert!(message(&report, "CE409").contains("2 members are not of this project"), "{}", message(&report, "CE409"));
        // The bed's members come from this machine: as the project's own task, they are no finding.
        expect(&collisions(&case, &input("1", "127.0.0.1")), &[]);
        // Another id is another Control Center.
        expect(&collisions(&case, &input("2", "")), &[]);
        members.iter().for_each(leave);
        expect(&collisions(&case, &input("1", "")), &[]);
    }
}
