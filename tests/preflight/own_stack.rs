//! A project that deploys what its own clients start from: brokers, a registry behind a load balancer, workers in Service Connect. Nothing of
//! it can be asked yet; the wiring is judged in the template, and everything that would need an answer says why it has none.

use serde_json::Value;

use super::{schema, text};
use crate::support::program::run_with;

const PROJECT: &str = r#"
name: whole
x-cloudmap: { PrivateNamespace: { Name: whole.internal } }
x-route53: { zone: { ZoneName: example.com, Lookup: true } }
services:
  kafka:
    image: confluentinc/cp-kafka:8.0.7
    ports: ["9092:9092"]
    x-network: { x-cloudmap: PrivateNamespace }
    deploy: { resources: { limits: { cpus: "1", memory: 2G } } }
  registry:
    image: confluentinc/cp-schema-registry:8.0.7
    ports: ["8081:8081"]
    environment:
      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: PLAINTEXT://kafka.whole.internal:9092
      SCHEMA_REGISTRY_LISTENERS: http://0.0.0.0:8081
    deploy: { resources: { limits: { cpus: "1", memory: 2G } } }
    x-network:
      x-ecs_connect: { MacroParameters: { x-cloudmap: PrivateNamespace, service_ports: { tcp_8081: { DnsName: schemas } } } }
  connect:
    image: confluentinc/cp-kafka-connect:8.0.7
    ports: ["8083:8083"]
    environment:
      CONNECT_BOOTSTRAP_SERVERS: kafka.whole.internal:9092
      CONNECT_GROUP_ID: whole
      CONNECT_CONFIG_STORAGE_TOPIC: whole-configs
      CONNECT_OFFSET_STORAGE_TOPIC: whole-offsets
      CONNECT_STATUS_STORAGE_TOPIC: whole-status
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
      CONNECT_VALUE_CONVERTER: io.confluent.connect.avro.AvroConverter
      CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL: http://schemas:8081
    depends_on: [registry]
    deploy: { resources: { limits: { cpus: "1", memory: 2G } } }
    x-network:
      x-ecs_connect: { MacroParameters: { x-cloudmap: PrivateNamespace } }
x-elbv2:
  front:
    MacroParameters: { Ingress: { ExtSources: [{ IPv4: 10.0.0.0/8 }] } }
    Services: { "connect:connect": { port: 8083 } }
    Listeners: { "80": { Targets: [{ name: "connect:connect" }] } }
    DnsAliases: [{ Names: [workers.example.com], Route53Zone: "x-route53::zone" }]
x-vpc:
  Lookup:
    VpcId: { Tags: { Name: main } }
    AppSubnets: { Tags: { "vpc::usage": app } }
    PublicSubnets: { Tags: { "vpc::usage": public } }
x-cluster: { Lookup: { Tags: { env: dev } } }
"#;

/// The report of a project that is changed in places.
fn report(changes: &[(&str, &str)]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let mut project = PROJECT.to_owned();
    for (from, to) in changes {
        assert!(project.contains(from), "{from}");
        project = project.replace(from, to);
    }
    std::fs::write(folder.path().join("docker-compose.yml"), project).unwrap();
    let variables = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-west-1")];
    let arguments = ["preflight", "--output", "json", "--skip", "aws", "config"];
    let ran = run_with(folder.path(), &arguments, "", &variables);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    schema().validate(&report).unwrap();
    assert_eq!(i64::from(ran.code), report["exit_code"]);
    report
}

/// `CE505 failed` with its message, of what did not pass and was not skipped.
fn troubles(report: &Value) -> Vec<(String, String)> {
    let checks = report["checks"].as_array().unwrap().iter();
    let open = checks.filter(|check| !matches!(check["status"].as_str(), Some("passed" | "skipped")));
    open.map(|check| (format!("{} {}", text(&check["code"]), text(&check["status"])), text(&check["message"]))).collect()
}

#[test]
fn what_the_stack_deploys_is_skipped_with_that_reason_and_its_wiring_is_judged() {
    let report = report(&[]);
    assert_eq!(troubles(&report), [], "{report:#}");
    let of = |id: &str| {
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("{id}: {report:#}")).clone()
    };
    // The brokers, from both of their clients.
    for id in ["kafka/connect/worker/own/kafka.whole.internal:9092", "kafka/registry/kafkastore/own/kafka.whole.internal:9092"] {
        let check = of(id);
        assert_eq!(check["status"], "passed", "{check}");
        assert!(text(&check["message"]).contains("is kafka's, which opens 9092 and lets "), "{check}");
    }
    let skipped: Vec<String> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| check["service"] == "connect" && check["category"] == "kafka" && check["status"] == "skipped")
        .map(|check| format!("{} {}", text(&check["code"]), text(&check["message"])))
        .collect();
    for code in ["CE301", "CE302", "CE303", "CE304", "CE305", "CE306"] {
        assert!(skipped.iter().any(|line| line.starts_with(&format!("{code} deployed by this stack"))), "{code}: {skipped:#?}");
    }
    // Rights and collisions need an answer of those brokers.
    let rights = report["checks"].as_array().unwrap().iter().filter(|check| check["category"] == "kafka-acls");
    assert!(rights.clone().count() > 3 && rights.clone().all(|check| check["status"] == "skipped"), "{report:#}");
    // The registry, by a name of Service Connect.
    assert!(text(&of("schema-registry/connect/value-converter/own")["message"]).contains("schemas:8081 is registry's"));
}

#[test]
fn each_part_of_the_wiring_that_is_wrong_is_named() {
    let bootstrap = "CONNECT_BOOTSTRAP_SERVERS: kafka.whole.internal:9092";
    for (changes, wanted) in [
        // A port that the brokers don't open, and a name that nobody gave them.
        (vec![(bootstrap, "CONNECT_BOOTSTRAP_SERVERS: kafka.whole.internal:9093")], "kafka opens 9092, not 9093"),
        (
            vec![(bootstrap, "CONNECT_BOOTSTRAP_SERVERS: kafka:9092")],
            "kafka is kafka's name in the compose files, and no other task finds it",
        ),
        // A client that takes no part in Service Connect.
        (
            vec![("    x-network:\n      x-ecs_connect: { MacroParameters: { x-cloudmap: PrivateNamespace } }\n", "")],
            "schemas is a name in Service Connect, of which connect knows nothing",
        ),
        // A load balancer of this stack, on a port without a listener.
        (vec![("http://schemas:8081", "http://workers.example.com:8081")], "the load balancer front opens 80, not 8081"),
    ] {
        let report = report(&changes);
        let found = troubles(&report);
        assert!(found.iter().any(|(code, said)| code == "CE505 failed" && said.contains(wanted)), "{wanted}: {found:#?}");
        assert!(found.iter().all(|(code, _)| code == "CE505 failed"), "{wanted}: {found:#?}");
    }
}
