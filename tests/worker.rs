//! The whole way of a credential, on real parts: `init` and `secrets compose` as a user runs them, the container's environment that comes
//! of both, the image's rule, and a real Kafka Connect worker that logs in with it, with exactly the rights that the profile lists.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use confluent_ecs::compose::{self, LoadOptions};
use confluent_ecs::confluent::{self, Environment, Text};
use confluent_ecs::profile::Catalogue;
use serde_json::{Value, json};

use crate::support::bed::{all_brokers, bed, unique};
use crate::support::program::{run, run_with};

/// What breaks in one layer or another: JAAS quoting, Java properties, JSON, config providers, shells, other encodings.
const PASSWORD: &str = " \"a'b\\c;d=e#f$g${env:PATH}\t%h/*i\\u0041 ü€😀\n";

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The environment that ECS would give the container: what the files say, and the secret's keys, which have their variables' names.
fn environment(folder: &Path, answers: &Value) -> BTreeMap<String, String> {
    let options = LoadOptions {
        files: vec!["docker-compose.yml".into(), "envs/dev.yml".into()],
        environment: BTreeMap::from([("ENV_NAME".to_owned(), "dev".to_owned())]),
        current_dir: folder.to_owned(),
        ..LoadOptions::default()
    };
    let project = serde_json::to_value(compose::load(&options).project.unwrap()).unwrap();
    let composed = run_with(folder, &["secrets", "compose", "connect", "--env", "dev", "--from", "-"], &answers.to_string(), &[]);
    assert_eq!((composed.code, composed.stderr.as_str()), (0, ""), "{}", composed.stderr);
    let stored: Value = serde_json::from_str(&composed.stdout).unwrap();
    let plain = project["services"]["connect"]["environment"].as_object().unwrap();
    plain.iter().chain(stored.as_object().unwrap()).map(|(name, value)| (name.clone(), text(value))).collect()
}

/// The rights that the profile lists for this environment, as the bed takes them.
fn rights(principal: &str, environment: &BTreeMap<String, String>) -> Vec<Value> {
    let connect = Catalogue::builtin().unwrap().component("connect").unwrap();
    let environment: Environment = environment.iter().map(|(name, value)| (name, Text::plain(value, None))).collect();
    let properties = confluent::properties(connect, "cp-kafka-connect:8.0.7", &environment);
    let shown = |word: &str| word.to_uppercase().replace('-', "_");
    confluent::acl_needs(connect, &properties)
        .iter()
        .map(|need| {
            assert!(need.unresolved.is_empty(), "{need:?}");
            let operations: Vec<String> = need.operations.iter().map(|operation| shown(operation.word())).collect();
            json!({ "principal": principal, "operation": operations, "resource": shown(need.resource.word()), "name": need.name })
        })
        .collect()
}

/// A request to the worker's REST interface; the status and the JSON of the answer.
fn rest(worker: &Value, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let address = text(&worker["rest"]).trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).unwrap();
    stream.set_read_timeout(Some(Duration::from_mins(1))).unwrap();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}",
        body.len()
    );
    write!(stream, "{head}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    (status, serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Waits until a connector and its task run.
fn running(worker: &Value, connector: &str) {
    let end = Instant::now() + Duration::from_secs(40);
    loop {
        let (_, status) = rest(worker, "GET", &format!("/connectors/{connector}/status"), &Value::Null);
        let task = &status["tasks"][0];
        if status["connector"]["state"] == "RUNNING" && task["state"] == "RUNNING" {
            return;
        }
        assert!(task["state"] != "FAILED" && Instant::now() < end, "{connector}: {status:#}\n{}", text(&worker["log"]));
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Writes the project, starts the worker, and sends a line from a file through a topic into another file: with that the worker, a
/// producer, a consumer and an admin client have all logged in.
fn carries_a_line(mechanism: &str, listener: &str, authority: Option<&str>) {
    let _brokers = all_brokers();
    let facts = bed().facts("kafka");
    let folder = tempfile::tempdir().unwrap();
    let project = unique("worker");
    let user = bed().call("kafka/user", &json!({ "name": unique("a, \"b\" = c"), "password": PASSWORD }));
    let principal = text(&user["principal"]);
    let bootstrap = text(&facts["bootstrap"][listener]);
    let mut arguments = vec!["init", "connect", "--env", "dev", "--kafka", "self-managed", "-p", &project];
    arguments.extend(["--mechanism", mechanism, "--bootstrap", &bootstrap]);
    let authority = authority.map(|name| text(&facts["tls"][name]));
    arguments.extend(authority.iter().flat_map(|file| ["--ca-file", file]));
    let init = run(folder.path(), &arguments);
    assert_eq!(init.code, 0, "{}", init.stderr);

    let environment = environment(folder.path(), &json!({ "username": user["name"], "password": PASSWORD }));
    bed().call("kafka/acls", &json!({ "add": rights(&principal, &environment) }));
    let worker = bed().call("connect/start", &json!({ "env": environment }));

    let (source, sink, topic) = (format!("{project}-source"), format!("{project}-sink"), format!("{project}-lines"));
    let who = |operation: &[&str], resource: &str, name: &str| json!({ "principal": principal, "operation": operation, "resource": resource, "name": name });
    let acls = [who(&["READ", "WRITE", "CREATE"], "TOPIC", &topic), who(&["READ"], "GROUP", &format!("connect-{sink}"))];
    bed().call("kafka/acls", &json!({ "add": acls }));
    let (from, to) = (folder.path().join("from.txt"), folder.path().join("to.txt"));
    fs::write(&from, "grüße\n").unwrap();
    let class = "org.apache.kafka.connect.file.FileStream";
    let converter = "org.apache.kafka.connect.storage.StringConverter";
    let source_config = json!({ "connector.class": format!("{class}SourceConnector"), "tasks.max": "1", "file": from, "topic": topic,
        "value.converter": converter, "topic.creation.default.replication.factor": "3", "topic.creation.default.partitions": "1" });
    let sink_config = json!({ "connector.class": format!("{class}SinkConnector"), "tasks.max": "1", "file": to, "topics": topic,
        "value.converter": converter });
    for (name, config) in [(&source, source_config), (&sink, sink_config)] {
        let (status, answer) = rest(&worker, "POST", "/connectors", &json!({ "name": name, "config": config }));
        assert_eq!(status, 201, "{answer}");
        running(&worker, name);
    }
    let end = Instant::now() + Duration::from_secs(30);
    while fs::read_to_string(&to).unwrap_or_default() != "grüße\n" {
        assert!(Instant::now() < end, "the line didn't arrive; the worker's log is {}", text(&worker["log"]));
        std::thread::sleep(Duration::from_millis(100));
    }
    bed().call("connect/stop", &json!({ "id": worker["id"] }));
}

#[test]
fn a_worker_logs_in_with_scram() {
    carries_a_line("scram-sha-512", "SASL_SSL", None);
}

#[test]
fn a_worker_trusts_a_private_authority_from_one_line_of_pem() {
    carries_a_line("plain", "OTHERCA", Some("otherca"));
}
