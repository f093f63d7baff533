//! The whole way of a credential and of a right, on real parts: `init`, `secrets compose` and `acl commands` as a user runs them, the
//! container's environment that comes of the first two, the image's rule, and a real Kafka Connect worker that logs in with it and holds
//! exactly the rights that the commands granted, which are run as they are printed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::bed::{all_brokers, bed, unique};
use crate::support::program::{run, run_with};
use crate::support::worker::{self, Worker, file_sink, file_source, records, text};

/// What breaks in one layer or another: JAAS quoting, Java properties, JSON, config providers, shells, other encodings.
const PASSWORD: &str = " \"a'b\\c;d=e#f$g${env:PATH}\t%h/*i\\u0041 ü€😀\n";

/// One way for a worker to be at a cluster.
struct Way {
    /// How `init` is told to log in.
    login: &'static [&'static str],
    listener: &'static str,
    authority: Option<&'static str>,
    /// The worker and each client inside it have accounts of their own.
    apart: bool,
    exactly_once: bool,
}

/// Runs the commands as a person would paste them, with Kafka's tools on the path.
fn pasted(commands: &str) {
    let tools = text(&bed().facts("kafka")["bin"]);
    let path = format!("{tools}:{}", std::env::var("PATH").unwrap());
    let output = Command::new("bash").args(["-euc", commands]).env("PATH", path).output().unwrap();
    assert!(output.status.success(), "{commands}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// Puts text behind a line of a file.
fn insert(file: &Path, after: &str, more: &str) {
    let before = fs::read_to_string(file).unwrap();
    assert_eq!(before.matches(after).count(), 1, "{after:?} in {}", file.display());
    fs::write(file, before.replace(after, &format!("{after}{more}"))).unwrap();
}

/// Our own client, with what is stored read back.
fn logs_in_as_well(folder: &Path, secret: &str) {
    let file = folder.join("secrets.json");
    fs::write(&file, secret).unwrap();
    let file = file.display().to_string();
    let ran = run(folder, &["preflight", "--env", "dev", "--only", "kafka", "--secrets-file", &file]);
    let logged_in = ran.stdout.contains("3 of 3 advertised brokers reached");
    assert!(ran.code == 0 && logged_in, "{}{}", ran.stdout, ran.stderr);
}

/// The administrator logs in with a password, and so on another listener than the clients.
fn administrator_elsewhere(folder: &Path, of_admin: &str, bootstrap: &str) {
    let file = folder.join("envs/dev.yml");
    let before = fs::read_to_string(&file).unwrap();
    let line = before.lines().find(|line| line.starts_with("  bootstrap: &bootstrap ")).unwrap();
    let after = before.replace(line, &format!("  bootstrap: '{of_admin}'"));
    fs::write(&file, after.replace("*bootstrap", &format!("'{bootstrap}'"))).unwrap();
}

/// Writes the project, grants, starts the worker, and sends lines from a file through a topic into another file, one of them into the
/// dead letter queue: with that the worker, a producer, a consumer and an admin client have all logged in and used every right.
fn carries_a_line(way: &Way) {
    let _brokers = all_brokers();
    let facts = bed().facts("kafka");
    let folder = tempfile::tempdir().unwrap();
    let project = unique("worker");
    let bootstrap = text(&facts["bootstrap"][way.listener]);
    // The administrator is on the same listener.
    let admin = folder.path().join("admin.properties").display().to_string();
    let trusted = way.authority.unwrap_or("ca");
    let config = fs::read_to_string(text(&facts["command_config"])).unwrap();
    fs::write(&admin, config.replace(&text(&facts["tls"]["ca"]), &text(&facts["tls"][trusted]))).unwrap();
    let mut arguments = vec!["init", "connect", "--env", "dev", "--kafka", "self-managed", "-p", &project];
    arguments.extend(way.login);
    arguments.extend(["--bootstrap", &bootstrap, "--admin-config", &admin]);
    let authority = way.authority.map(|name| text(&facts["tls"][name]));
    arguments.extend(authority.iter().flat_map(|file| ["--ca-file", file]));
    // The client's secret is as hostile as a password; blanks at its ends Kafka takes off itself.
    let secret = PASSWORD.trim();
    let endpoint = (way.listener == "OIDC").then(|| {
        let subject = unique("token");
        let wanted = json!({ "signed": true, "scope": "kafka", "subject": subject, "client": "worker", "secret": secret });
        (bed().call("token_endpoint/new", &wanted), subject)
    });
    let url = endpoint.as_ref().map(|(endpoint, _)| text(&endpoint["url"]));
    arguments.extend(url.iter().flat_map(|url| ["--token-endpoint", url, "--oauth-scope", "kafka"]));
    let init = run(folder.path(), &arguments);
    assert_eq!(init.code, 0, "{}", init.stderr);

    let (source, sink, topic) = (format!("{project}-in"), format!("{project}-out"), format!("{project}-lines"));
    let dead = format!("{project}-dead");
    let connectors = format!(
        "    x-confluent:\n      connectors:\n        {source}: {{ type: source, topics: [{topic}] }}\n        \
         {sink}: {{ type: sink, topics: [{topic}], dead-letters: {dead} }}\n"
    );
    insert(&folder.path().join("docker-compose.yml"), "\n  connect:\n", &connectors);
    if way.exactly_once {
        let setting = "      CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: enabled\n";
        insert(&folder.path().join("envs/dev.yml"), "\n    environment:\n", setting);
    }

    if ["SSL", "OIDC", "PLAINTEXT", "SASL_PLAINTEXT"].contains(&way.listener) {
        administrator_elsewhere(folder.path(), &text(&facts["bootstrap"]["SASL_SSL"]), &bootstrap);
    }

    // A name that shells, JAAS and ACL commands may trip over; and where the clients are apart, four plain ones.
    let mut answers = serde_json::Map::new();
    let mut principals = Vec::new();
    let names: &[&str] = if way.apart { &["worker", "producer", "consumer", "admin"] } else { &[""] };
    for client in names {
        if way.listener == "SSL" {
            let issued = bed().call("kafka/certificate", &json!({ "name": unique("worker") }));
            let pem = |file: &str| fs::read_to_string(text(&issued[file])).unwrap();
            answers.insert("certificate".to_owned(), pem("certificate").into());
            answers.insert("key".to_owned(), pem("key").into());
            principals.push(text(&issued["principal"]));
            continue;
        }
        if way.listener == "PLAINTEXT" {
            principals.push("User:ANONYMOUS".to_owned());
            continue;
        }
        if let Some((endpoint, subject)) = &endpoint {
            answers.insert("client-id".to_owned(), endpoint["client"].clone());
            answers.insert("client-secret".to_owned(), endpoint["secret"].clone());
            principals.push(format!("User:{subject}"));
            continue;
        }
        let name = if way.apart { unique(client) } else { unique("a, \"b\" = c") };
        let user = bed().call("kafka/user", &json!({ "name": name, "password": PASSWORD }));
        let prefix = if client.is_empty() { String::new() } else { format!("{client}.") };
        answers.insert(format!("{prefix}username"), user["name"].clone());
        answers.insert(format!("{prefix}password"), PASSWORD.into());
        let principal = text(&user["principal"]);
        principals.push(if client.is_empty() { principal } else { format!("{client}={principal}") });
    }
    let mut arguments = vec!["acl", "commands", "--env", "dev"];
    arguments.extend(principals.iter().flat_map(|principal| ["--principal", principal]));
    let commands = run(folder.path(), &arguments);
    assert_eq!((commands.code, commands.stderr.as_str()), (0, ""), "{commands:?}");
    pasted(&commands.stdout);

    // Where nobody logs in there is no secret.
    let secret = if answers.is_empty() {
        "{}".to_owned()
    } else {
        let compose = ["secrets", "compose", "connect", "--env", "dev", "--from", "-"];
        let composed = run_with(folder.path(), &compose, &json!(answers).to_string(), &[]);
        assert_eq!((composed.code, composed.stderr.as_str()), (0, ""), "{}", composed.stderr);
        composed.stdout
    };
    // Our own client logs in with the same, read back from what is stored: where it knows whom to trust.
    if way.authority.is_some() || way.listener.ends_with("PLAINTEXT") {
        logs_in_as_well(folder.path(), &secret);
    }
    let environment: BTreeMap<String, String> = worker::environment(folder.path(), &secret);
    let worker = Worker::start(&environment);

    let (from, to) = (folder.path().join("from.txt"), folder.path().join("to.txt"));
    fs::write(&from, "\"grüße\"\nno JSON\n").unwrap();
    worker.create(&source, &worker::file_source(&from, &topic));
    let mut config = worker::file_sink(&to, &topic);
    config["errors.tolerance"] = "all".into();
    config["errors.deadletterqueue.topic.name"] = dead.as_str().into();
    config["errors.deadletterqueue.topic.replication.factor"] = "3".into();
    worker.create(&sink, &config);
    worker.wait_for("the line", || fs::read_to_string(&to).unwrap_or_default() == "grüße\n");
    worker.wait_for("the dead letter", || worker::records(&dead) == 1);
    worker.stop();
}

#[test]
fn a_worker_logs_in_with_scram() {
    let login = &["--mechanism", "scram-sha-512"];
    carries_a_line(&Way { login, listener: "SASL_SSL", authority: None, apart: false, exactly_once: false });
}

#[test]
fn a_worker_trusts_a_private_authority_from_one_line_of_pem() {
    let (login, authority) = (&["--mechanism", "plain"], Some("otherca"));
    carries_a_line(&Way { login, listener: "OTHERCA", authority, apart: false, exactly_once: false });
}

/// Without TLS: quoting and escaping are all that stands between a password and the broker.
#[test]
fn a_worker_logs_in_without_encryption() {
    let login = &["--security", "sasl-plaintext", "--mechanism", "scram-sha-256"];
    carries_a_line(&Way { login, listener: "SASL_PLAINTEXT", authority: None, apart: false, exactly_once: false });
}

#[test]
fn a_worker_needs_no_login_where_the_cluster_asks_for_none() {
    let login = &["--security", "plaintext"];
    carries_a_line(&Way { login, listener: "PLAINTEXT", authority: None, apart: false, exactly_once: false });
}

/// The JVM is told of the endpoint, which it would not call else.
#[test]
fn a_worker_logs_in_with_a_token_of_a_token_endpoint() {
    let login = &["--mechanism", "oauthbearer"];
    carries_a_line(&Way { login, listener: "OIDC", authority: None, apart: false, exactly_once: false });
}

/// Certificate, key and authority stand in the environment, each as one line of PEM.
#[test]
fn a_worker_shows_a_certificate_from_its_secret() {
    let login = &["--security", "ssl", "--client-certificate"];
    carries_a_line(&Way { login, listener: "SSL", authority: Some("ca"), apart: false, exactly_once: false });
}

/// Four principals, each with what `acl commands` gives it and no more.
#[test]
fn a_worker_writes_exactly_once_with_an_account_for_each_client() {
    let login = &["--mechanism", "plain"];
    carries_a_line(&Way { login, listener: "SASL_SSL", authority: None, apart: true, exactly_once: true });
}

/// Certificate, key and authority, each PEM on one line: no file in the container, as on Fargate. `init` and `secrets compose` write them, and
/// the worker, a producer, a consumer and an admin client log in with them.
#[test]
fn a_worker_shows_a_certificate_from_one_line_of_pem() {
    let _brokers = all_brokers();
    let facts = bed().facts("kafka");
    let folder = tempfile::tempdir().unwrap();
    let project = unique("pem");
    let issued = bed().call("kafka/certificate", &json!({ "name": unique("worker") }));
    let (bootstrap, authority) = (text(&facts["bootstrap"]["SSL"]), text(&facts["tls"]["ca"]));
    let init = run(
        folder.path(),
        &[
            &["init", "connect", "--env", "dev", "-p", &project, "--kafka", "self-managed", "--security", "ssl"][..],
            &["--client-certificate", "--bootstrap", &bootstrap, "--ca-file", &authority],
        ]
        .concat(),
    );
    assert_eq!(init.code, 0, "{}", init.stderr);
    let read = |what: &str| fs::read_to_string(text(&issued[what])).unwrap();
    // As people keep them: with a line of their own before the first block.
    let answers = json!({ "certificate": format!("my certificate\n{}", read("certificate")), "key": read("key") });
    let compose = ["secrets", "compose", "connect", "--env", "dev", "--from", "-"];
    let composed = run_with(folder.path(), &compose, &answers.to_string(), &[]);
    assert_eq!((composed.code, composed.stderr.as_str()), (0, ""), "{}", composed.stderr);
    let environment: BTreeMap<String, String> = worker::environment(folder.path(), &composed.stdout);
    let (lines, sink) = (format!("{project}-lines"), format!("{project}-out"));
    let all = |resource: &str, name: &str| json!({ "principal": issued["principal"], "operation": ["ALL"], "resource": resource, "name": name });
    let topics = ["CONFIG", "OFFSET", "STATUS"].map(|kind| environment[&format!("CONNECT_{kind}_STORAGE_TOPIC")].clone());
    let mut acls: Vec<Value> = topics.iter().chain([&lines]).map(|topic| all("TOPIC", topic)).collect();
    acls.extend([all("GROUP", &environment["CONNECT_GROUP_ID"]), all("GROUP", &format!("connect-{sink}"))]);
    bed().call("kafka/acls", &json!({ "add": acls }));
    let worker = Worker::start(&environment);
    let (from, to) = (folder.path().join("from.txt"), folder.path().join("to.txt"));
    fs::write(&from, "grüße\n").unwrap();
    worker.create(&format!("{project}-in"), &file_source(&from, &lines));
    worker.wait_for("a record", || records(&lines) > 0);
    let mut config = file_sink(&to, &lines);
    config["value.converter"] = "org.apache.kafka.connect.storage.StringConverter".into();
    worker.create(&sink, &config);
    worker.wait_for("the line", || fs::read_to_string(&to).unwrap_or_default() == "grüße\n");
    worker.stop();
}
