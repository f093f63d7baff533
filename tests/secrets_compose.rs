//! `secrets compose`, from the command line in: finished JSON out, everything wrong named, and no value anywhere else.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::program::{Ran, run, run_with};
use crate::support::terminal;
use crate::support::tmux::Tmux;

const COMPOSE: [&str; 6] = ["secrets", "compose", "connect", "--env", "dev", "--from"];

/// A project of `init`.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixed = ["init", "connect", "--env", "dev", "--kafka", "self-managed", "--mechanism", "scram-sha-512", "-p", "orders"];
    let arguments: Vec<&str> = fixed.into_iter().chain(["--bootstrap", "kafka.example.internal:9093"]).collect();
    let ran = run(folder.path(), &arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    folder
}

fn compose(folder: &Path, answers: &str) -> Ran {
    let arguments: Vec<&str> = COMPOSE.into_iter().chain(["-"]).collect();
    run_with(folder, &arguments, answers, &[])
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn lines_json_and_a_file_give_the_same_document() {
    let folder = project();
    let lines = compose(folder.path(), "# the worker's account\nusername=connect\npassword=a=b \"c\"\n");
    assert_eq!((lines.code, lines.stderr.as_str()), (0, ""));
    let object = compose(folder.path(), r#"{ "username": "connect", "password": "a=b \"c\"" }"#);
    assert_eq!(lines.stdout, object.stdout);
    fs::write(folder.path().join("answers"), "username=connect\npassword=a=b \"c\"\n").unwrap();
    let file: Vec<&str> = COMPOSE.into_iter().chain(["answers"]).collect();
    assert_eq!(run(folder.path(), &file).stdout, lines.stdout);
    let login = r#"org.apache.kafka.common.security.scram.ScramLoginModule required username="connect" password="a=b \\"c\\"";"#;
    let document = json(&lines.stdout);
    let keys: Vec<(&str, &str)> =
        document.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value.as_str().unwrap())).collect();
    let names = ["CONNECT_SASL_JAAS_CONFIG", "CONNECT_PRODUCER_SASL_JAAS_CONFIG"];
    let more = ["CONNECT_CONSUMER_SASL_JAAS_CONFIG", "CONNECT_ADMIN_SASL_JAAS_CONFIG"];
    assert_eq!(keys, names.into_iter().chain(more).map(|name| (name, login)).collect::<Vec<_>>());
}

/// What is wrong, and what the message must say. Each ends with exit 2, prints nothing, and repeats no value.
#[test]
fn wrong_answers_are_named_without_their_values() {
    let folder = project();
    for (answers, said) in [
        ("", "missing: username, password"),
        ("username=hunter2\n", "missing: password"),
        ("usernam=hunter2\npassword=hunter2", "usernam is not asked for, did you mean username?"),
        ("username=hunter2\nusername=hunter2\npassword=x", "line 2: username is given twice"),
        ("hunter2", "line 1 has no `=`"),
        ("{\"username\": \"hunter2\", ", "it is not JSON (line 1, column"),
        ("{\"username\": 5, \"password\": \"hunter2\"}", "not a string: username"),
        ("username=hünter2\npassword=hunter2", "ASCII letters only"),
        ("username=\npassword=hunter2", "missing: username"),
    ] {
        let ran = compose(folder.path(), answers);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{answers}: {ran:?}");
        assert!(ran.stderr.contains(said), "{answers} doesn't say {said:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("unter2"), "{}", ran.stderr);
    }
}

#[test]
fn a_wrong_name_or_place_is_told() {
    let folder = project();
    for (arguments, said) in [
        (&["secrets", "compose", "conect", "--env", "dev", "--from", "-"][..], "did you mean connect?"),
        (&["secrets", "compose", "connect", "--env", "dev"], "missing: username, password"),
        (&["secrets", "compose", "connect", "--env", "dev", "--from", "nowhere"], "nowhere can't be read"),
        (&["secrets", "compose", "connect", "--env", "prod", "--from", "-"], "prod"),
    ] {
        let ran = run(folder.path(), arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{arguments:?} doesn't say {said:?}: {}", ran.stderr);
    }
}

/// The shape of the real project of 2020: an image in ECR under a name with variables, a secret that is injected whole, interceptors.
#[test]
fn a_secret_without_named_keys_gets_those_that_its_service_lacks() {
    let folder = tempfile::tempdir().unwrap();
    let text = r"
name: apps
services:
  connect:
    image: ${AWS_ACCOUNT_ID}.dkr.ecr.${AWS_DEFAULT_REGION}.amazonaws.com/confluentinc/cp-kafka-connect:5.5.1
    environment:
      CONNECT_GROUP_ID: connect
      CONNECT_CONFIG_STORAGE_TOPIC: connect-configs
      CONNECT_OFFSET_STORAGE_TOPIC: connect-offsets
      CONNECT_STATUS_STORAGE_TOPIC: connect-status
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.json.JsonConverter
      CONNECT_VALUE_CONVERTER: org.apache.kafka.connect.json.JsonConverter
      CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE: USER_INFO
      CONNECT_SECURITY_PROTOCOL: SASL_SSL
      CONNECT_SASL_MECHANISM: PLAIN
      CONNECT_PRODUCER_SECURITY_PROTOCOL: SASL_SSL
      CONNECT_PRODUCER_SASL_MECHANISM: PLAIN
      CONNECT_PRODUCER_CONFLUENT_MONITORING_INTERCEPTOR_SECURITY_PROTOCOL: SASL_SSL
      CONNECT_PRODUCER_CONFLUENT_MONITORING_INTERCEPTOR_SASL_MECHANISM: PLAIN
      CONNECT_CONSUMER_SECURITY_PROTOCOL: SASL_SSL
      CONNECT_CONSUMER_SASL_MECHANISM: PLAIN
    secrets: [CONNECT_CREDS]
secrets:
  CONNECT_CREDS:
    x-secrets: { Name: /kafka/lkc-1/connect }
";
    fs::write(folder.path().join("docker-compose.yml"), text).unwrap();
    let answers = "username=w\npassword=wp\nproducer.username=p\nproducer.password=pp\nregistry.username=r\nregistry.password=rp\n\
                   CONNECT_BOOTSTRAP_SERVERS=a:9092\nCONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL=https://r\n";
    let ran = run_with(folder.path(), &["secrets", "compose", "CONNECT_CREDS", "--from", "-"], answers, &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = json(&ran.stdout);
    let login = |name: &str, password: &str| {
        let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
        Value::from(format!("{module} required username=\"{name}\" password=\"{password}\";"))
    };
    assert_eq!(document["CONNECT_BOOTSTRAP_SERVERS"], "a:9092");
    assert_eq!(document["CONNECT_SASL_JAAS_CONFIG"], login("w", "wp"));
    assert_eq!(document["CONNECT_PRODUCER_SASL_JAAS_CONFIG"], login("p", "pp"));
    assert_eq!(document["CONNECT_PRODUCER_CONFLUENT_MONITORING_INTERCEPTOR_SASL_JAAS_CONFIG"], login("p", "pp"));
    assert_eq!(document["CONNECT_CONSUMER_SASL_JAAS_CONFIG"], login("w", "wp"));
    assert_eq!(document["CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL"], "https://r");
    assert_eq!(document["CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO"], "r:rp");
}

/// A password is typed without being shown, and values come onto a terminal only after a yes.
#[test]
fn a_terminal_is_asked_and_shows_no_value_by_itself() {
    let folder = project();
    let arguments = ["secrets", "compose", "connect", "--env", "dev"];
    let refused = terminal::run(folder.path(), &arguments, &["connect", "hunter2", "n"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stdout.contains("the values were not shown") && !refused.stdout.contains("hunter2"), "{}", refused.stdout);
    let shown = terminal::run(folder.path(), &arguments, &["connect", "hunter2", "y"]);
    assert_eq!((shown.code, shown.stdout.matches("hunter2").count()), (0, 4), "{shown:?}");
}

/// The terminal belongs to the user's shell, which need not put it right.
#[test]
fn ctrl_c_at_a_question_for_a_secret_leaves_a_terminal_that_shows_what_is_typed() {
    let folder = project();
    let program = assert_cmd::cargo::cargo_bin("confluent-ecs");
    let compose = format!("{} --env dev secrets compose connect", program.display());
    let look = r"stty -a | tr ' ' '\n' | grep -x -e echo -e -echo -e isig -e -isig | sort | tr '\n' ' '";
    let terminal = Tmux::start(folder.path(), &format!("{compose}; echo \"ended with $?\"; {look}"), &[], 100, 24);
    terminal.until("user name");
    terminal.press(&["connect", "Enter"]);
    terminal.until("(not shown):");
    terminal.press(&["hunter2", "C-c"]);
    let screen = terminal.until("exit status 0.");
    for said in ["interrupted before there was an answer", "ended with 130", "echo isig"] {
        assert!(screen.contains(said), "{said}: {screen}");
    }
    assert!(!screen.contains("hunter2") && !screen.contains("-echo"), "{screen}");
}
