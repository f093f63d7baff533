//! A real Connect worker in a container's environment, and its REST interface.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use confluent_ecs::compose::{self, LoadOptions};
use serde_json::{Value, json};

use super::PATIENCE;
use super::bed::bed;

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// The environment that ECS would give the container: what the files say, and the secret's keys, which have their variables' names.
pub(crate) fn environment(folder: &Path, secret: &str) -> BTreeMap<String, String> {
    let options = LoadOptions {
        files: vec!["docker-compose.yml".into(), "envs/dev.yml".into()],
        environment: BTreeMap::from([("ENV_NAME".to_owned(), "dev".to_owned())]),
        current_dir: folder.to_owned(),
        ..LoadOptions::default()
    };
    let project = serde_json::to_value(compose::load(&options).project.unwrap()).unwrap();
    let stored: Value = serde_json::from_str(secret).unwrap();
    let plain = project["services"]["connect"]["environment"].as_object().unwrap();
    plain.iter().chain(stored.as_object().unwrap()).map(|(name, value)| (name.clone(), text(value))).collect()
}

pub(crate) struct Worker {
    id: Value,
    address: String,
    log: String,
}

impl Worker {
    /// Starts one that becomes healthy.
    pub(crate) fn start(environment: &BTreeMap<String, String>) -> Self {
        Self::try_start(environment).unwrap_or_else(|error| panic!("{error}"))
    }

    pub(crate) fn try_start(environment: &BTreeMap<String, String>) -> Result<Self, String> {
        let started = bed().try_call("connect/start", &json!({ "env": environment }))?;
        let address = text(&started["rest"]).trim_start_matches("http://").to_owned();
        Ok(Self { id: started["id"].clone(), address, log: text(&started["log"]) })
    }

    pub(crate) fn stop(&self) {
        bed().call("connect/stop", &json!({ "id": self.id }));
    }

    /// A request to the REST interface; the status and the JSON of the answer.
    pub(crate) fn rest(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let head = format!(
            "{method} {path} HTTP/1.0\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}",
            self.address,
            body.len()
        );
        write!(stream, "{head}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_default();
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        (status, serde_json::from_str(body).unwrap_or(Value::Null))
    }

    /// Creates a connector; returns when it and its task run.
    pub(crate) fn create(&self, name: &str, config: &Value) {
        let (status, answer) = self.rest("POST", "/connectors", &json!({ "name": name, "config": config }));
        assert_eq!(status, 201, "{answer}\n{}", self.errors());
        self.wait_for(&format!("{name} to run"), || {
            let (connector, task) = self.states(name);
            assert!(task != "FAILED", "{name}: {:#}", self.rest("GET", &format!("/connectors/{name}/status"), &Value::Null).1);
            connector == "RUNNING" && task == "RUNNING"
        });
    }

    /// The states of a connector and of its first task.
    pub(crate) fn states(&self, name: &str) -> (String, String) {
        let (_, status) = self.rest("GET", &format!("/connectors/{name}/status"), &Value::Null);
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        (word(&status["connector"]["state"]), word(&status["tasks"][0]["state"]))
    }

    /// The lines of its log that say why.
    pub(crate) fn errors(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let says_why = |line: &&str| line.contains(" ERROR ") || line.contains("Exception") && !line.starts_with('\t');
        let lines: Vec<&str> = log.lines().filter(says_why).collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    pub(crate) fn wait_for(&self, what: &str, mut is_there: impl FnMut() -> bool) {
        let end = Instant::now() + PATIENCE;
        while !is_there() {
            assert!(Instant::now() < end, "waited in vain for {what}; the worker says\n{}", self.errors());
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}

/// Reads the lines of a file as text into a topic that it creates.
pub(crate) fn file_source(file: &Path, topic: &str) -> Value {
    json!({ "connector.class": "org.apache.kafka.connect.file.FileStreamSourceConnector", "tasks.max": "1", "file": file, "topic": topic,
        "value.converter": "org.apache.kafka.connect.storage.StringConverter",
        "topic.creation.default.replication.factor": "3", "topic.creation.default.partitions": "1" })
}

/// Writes the JSON of a topic into a file.
pub(crate) fn file_sink(file: &Path, topic: &str) -> Value {
    json!({ "connector.class": "org.apache.kafka.connect.file.FileStreamSinkConnector", "tasks.max": "1", "file": file, "topics": topic,
        "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false" })
}

/// How many records a topic of one partition holds.
pub(crate) fn records(topic: &str) -> u64 {
    let state = bed().call("kafka/state", &json!({ "prefix": topic }));
    state["topics"][topic]["end_offsets"].as_array().map_or(0, |offsets| offsets.iter().filter_map(Value::as_u64).sum())
}
