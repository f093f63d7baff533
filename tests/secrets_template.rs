//! `secrets template`: what it prints is created on the AWS bed, and what is then stored is read back and compared.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::deployment::Deployment;
use crate::support::golden;
use crate::support::program::{Ran, run, run_with};

const HOSTILE: &str = " \"a'b\\c;d=e#f$g${env:PATH}\t%h/*i\\u0041 ü€😀\n";

fn template(folder: &Path, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["secrets", "template"].into_iter().chain(arguments.iter().copied()).collect();
    let ran = run(folder, &all);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.stdout
}

/// cfn-lint, every finding fatal.
fn linted(text: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("template.yml");
    fs::write(&file, text).unwrap();
    let lint = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/lint");
    let output = Command::new(lint).arg(&file).output().unwrap();
    assert!(
        output.status.success(),
        "{}{}\n{text}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

fn init(kafka: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let fixed = ["init", "connect", "--env", "dev", "-p", "orders"];
    let arguments: Vec<&str> = fixed.into_iter().chain(kafka.iter().copied()).collect();
    let ran = run(folder.path(), &arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    folder
}

const SELF_MANAGED: [&str; 6] =
    ["--kafka", "self-managed", "--mechanism", "scram-sha-512", "--bootstrap", "kafka-1.example.internal:9093"];

#[test]
fn the_template_is_clean_in_both_forms() {
    let folder = init(&SELF_MANAGED);
    for (name, arguments) in [("json", &["--env", "dev"][..]), ("plain", &["--env", "dev", "--plain-parameters"][..])] {
        let text = template(folder.path(), arguments);
        golden::compare(&format!("secrets-template/{name}.yml"), &text);
        linted(&text);
    }
}

/// Creates a stack of a template on the emulator, and gives the secret's JSON.
fn created(deployment: &Deployment, template: &str, parameters: &Value, secret: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let venv = Command::new(root.join("tests/bed/venv")).output().unwrap();
    let output = assert_cmd::Command::new(String::from_utf8(venv.stdout).unwrap().trim())
        .arg(root.join("tests/support/stack.py"))
        .envs(deployment.variables())
        .write_stdin(json!({ "template": template, "parameters": parameters, "secret": secret }).to_string())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}\n{template}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn compose(folder: &Path, answers: &Value, more: &[&str]) -> Ran {
    let fixed = ["secrets", "compose", "connect", "--env", "dev", "--from", "-"];
    let all: Vec<&str> = fixed.into_iter().chain(more.iter().copied()).collect();
    run_with(folder, &all, &answers.to_string(), &[])
}

#[test]
fn a_hostile_password_arrives_as_it_was_composed() {
    let folder = init(&SELF_MANAGED);
    let answers = json!({ "username": "connect", "password": HOSTILE });
    let composed: Value = serde_json::from_str(&compose(folder.path(), &answers, &[]).stdout).unwrap();
    let file: Value = serde_json::from_str(&compose(folder.path(), &answers, &["--parameters"]).stdout).unwrap();
    assert_eq!(file[0]["ParameterKey"], "ConnectJson");
    let deployment = Deployment::empty();
    let stored =
        created(&deployment, &template(folder.path(), &["--env", "dev"]), &file, "/kafka/self-managed/orders-dev/connect");
    assert_eq!(stored, composed);
}

#[test]
fn plain_parameters_make_the_same_secret_and_refuse_what_would_break_it() {
    let folder = init(&SELF_MANAGED);
    let password = "a b!#%&'()*+,-./:;<=>?@[]^_`{|}~$x$";
    let text = template(folder.path(), &["--env", "dev", "--plain-parameters"]);
    let parameters = json!([
        { "ParameterKey": "ConnectUsername", "ParameterValue": "connect" },
        { "ParameterKey": "ConnectPassword", "ParameterValue": password },
    ]);
    let composed = compose(folder.path(), &json!({ "username": "connect", "password": password }), &[]);
    let deployment = Deployment::empty();
    let stored = created(&deployment, &text, &parameters, "/kafka/self-managed/orders-dev/connect");
    assert_eq!(stored, serde_json::from_str::<Value>(&composed.stdout).unwrap());

    let parsed: Value = serde_yaml::from_str(&text).unwrap();
    let pattern = parsed["Parameters"]["ConnectPassword"]["AllowedPattern"].as_str().unwrap();
    for (value, fits) in [
        (password, true),
        ("a\"b", false),
        ("a\\b", false),
        ("${env:A}", false),
        ("a\nb", false),
        (" a", false),
        ("a ", false),
        ("ü", false),
        ("", false),
    ] {
        assert_eq!(matches(pattern, value), fits, "{value:?}");
    }
}

/// Whether Python, whose patterns are Java's here, takes a value for a pattern.
fn matches(pattern: &str, value: &str) -> bool {
    let script = "import re,sys; sys.exit(0 if re.fullmatch(sys.argv[1], sys.argv[2]) else 1)";
    Command::new("python3").args(["-c", script, pattern, value]).status().unwrap().success()
}

#[test]
fn msk_gets_its_user_from_the_same_answer() {
    let folder = init(&SELF_MANAGED);
    let file = folder.path().join("envs/dev.yml");
    let arn = "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/0a1b2c3d-0000-1111-2222-333344445555-1";
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("provider: self-managed", &format!("provider: msk-scram\n  cluster: {arn}"));
    let text = text.replace("kafka-1.example.internal:9093", "b-1.orders.a1b2c3.c1.kafka.eu-west-1.amazonaws.com:9096");
    fs::write(&file, text).unwrap();
    for arguments in [&["--env", "dev"][..], &["--env", "dev", "--plain-parameters"][..]] {
        let text = template(folder.path(), arguments);
        linted(&text);
        let parsed: Value = serde_yaml::from_str(&text).unwrap();
        let resources = &parsed["Resources"];
        assert_eq!(resources["ConnectScramUser"]["Properties"]["Name"], "AmazonMSK_orders-dev-connect");
        assert_eq!(
            resources["ScramUsers"]["Properties"],
            json!({ "ClusterArn": arn, "SecretArnList": [{ "Ref": "ConnectScramUser" }] })
        );
        assert!(resources["ConnectScramUser"]["Properties"]["KmsKeyId"]["Fn::If"].is_array(), "{text}");
    }
    let answers = json!({ "username": "connect", "password": HOSTILE });
    let parameters: Value = serde_json::from_str(&compose(folder.path(), &answers, &["--parameters"]).stdout).unwrap();
    let apart = json!({ "username": "connect", "password": "a", "producer.username": "p", "producer.password": "b" });
    let refused = compose(folder.path(), &apart, &["--parameters"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("accounts of their own") && refused.stderr.contains("secrets put"), "{}", refused.stderr);
    let user: Value = serde_json::from_str(parameters[1]["ParameterValue"].as_str().unwrap()).unwrap();
    assert_eq!((&parameters[1]["ParameterKey"], &user), (&"ConnectScramUserJson".into(), &answers));

    // And on the bed: the key is made, both secrets are, and the cluster has the user.
    let deployment = Deployment::empty();
    let cluster = deployment.seed(&json!({ "msk_cluster": "orders" }))["msk_cluster"].as_str().unwrap().to_owned();
    let text = fs::read_to_string(&file).unwrap().replace(arn, &cluster);
    fs::write(&file, text).unwrap();
    let stored = created(&deployment, &template(folder.path(), &["--env", "dev"]), &parameters, "AmazonMSK_orders-dev-connect");
    assert_eq!(stored, user);
}

/// Secrets that are injected whole, as in the project of 2020: the keys are what the settings lack, those of interceptors among them.
const WHOLE: &str = r"
name: apps
services:
  console:
    image: confluentinc/cp-enterprise-control-center:7.9.8
    environment:
      CONTROL_CENTER_REPLICATION_FACTOR: 3
      CONTROL_CENTER_METRICS_TOPIC_REPLICATION: 3
      CONTROL_CENTER_SCHEMA_REGISTRY_BASIC_AUTH_CREDENTIALS_SOURCE: USER_INFO
      CONTROL_CENTER_STREAMS_SECURITY_PROTOCOL: SASL_SSL
      CONTROL_CENTER_STREAMS_SASL_MECHANISM: PLAIN
    secrets: [CONSOLE]
  connect:
    image: confluentinc/cp-kafka-connect:7.9.8
    environment:
      CONNECT_GROUP_ID: connect
      CONNECT_CONFIG_STORAGE_TOPIC: configs
      CONNECT_OFFSET_STORAGE_TOPIC: offsets
      CONNECT_STATUS_STORAGE_TOPIC: status
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
      CONNECT_CONSUMER_CONFLUENT_MONITORING_INTERCEPTOR_SECURITY_PROTOCOL: SASL_SSL
      CONNECT_CONSUMER_CONFLUENT_MONITORING_INTERCEPTOR_SASL_MECHANISM: PLAIN
    secrets: [CONNECT]
secrets:
  CONSOLE: { x-secrets: { Name: /kafka/console } }
  CONNECT: { x-secrets: { Name: /kafka/connect } }
";

#[test]
fn secrets_that_are_injected_whole_get_the_keys_that_are_lacking() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("docker-compose.yml"), WHOLE).unwrap();
    let text = template(folder.path(), &["--plain-parameters"]);
    linted(&text);
    let parsed: Value = serde_yaml::from_str(&text).unwrap();
    let keys = |id: &str| -> Vec<String> {
        // The second is the one without a licence.
        let text = parsed["Resources"][id]["Properties"]["SecretString"]["Fn::If"][2]["Fn::Sub"].as_str().unwrap();
        let json: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{id}: {error}\n{text}"));
        json.as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(
        keys("Console"),
        [
            "CONTROL_CENTER_BOOTSTRAP_SERVERS",
            "CONTROL_CENTER_STREAMS_SASL_JAAS_CONFIG",
            "CONTROL_CENTER_SCHEMA_REGISTRY_URL",
            "CONTROL_CENTER_SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO",
        ]
    );
    assert_eq!(
        keys("Connect"),
        [
            "CONNECT_BOOTSTRAP_SERVERS",
            "CONNECT_SASL_JAAS_CONFIG",
            "CONNECT_PRODUCER_SASL_JAAS_CONFIG",
            "CONNECT_CONSUMER_SASL_JAAS_CONFIG",
            "CONNECT_CONSUMER_CONFLUENT_MONITORING_INTERCEPTOR_SASL_JAAS_CONFIG",
            "CONNECT_PRODUCER_CONFLUENT_MONITORING_INTERCEPTOR_SASL_JAAS_CONFIG",
            "CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL",
            "CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO",
        ]
    );
}

/// The project of 2020 that the specification holds, where it is at hand: both secrets as valid JSON, with the keys that its authors wrote
/// into their own templates.
#[test]
fn the_blogs_secrets_have_the_keys_their_authors_meant() {
    let blog = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/examples/blog");
    if !blog.exists() {
        eprintln!("skipped: {} is not there", blog.display());
        return;
    }
    let variables = [("CLUSTER_ID", "lkc-8m2q5z"), ("ENV_NAME", "dev")];
    let files = ["-f", "docker-compose.yml", "-f", "envs/dev.yml", "-p", "apps"];
    let with = |arguments: &[&str], input: &str| {
        let ran = run_with(&blog, &[arguments, &files].concat(), input, &variables);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.stdout
    };
    let plain = with(&["secrets", "template", "--plain-parameters"], "");
    linted(&plain);
    linted(&with(&["secrets", "template"], ""));
    let template: Value = serde_yaml::from_str(&plain).unwrap();
    // As they stand in the authors' templates, one of them broken by a comma and one by a brace.
    let meant = |file: &str, license: bool| -> Vec<String> {
        let text = fs::read_to_string(blog.join(file)).unwrap();
        let keys =
            text.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\":").map(|(key, _)| key.to_owned()));
        let mut keys: Vec<String> = keys.filter(|key| license || !key.contains("LICENSE")).collect();
        keys.sort();
        keys.dedup();
        keys
    };
    let secrets = [
        ("controlcenter", "CcCreds", "control-center/control_center_secrets.yaml", true),
        ("connect", "ConnectCreds", "connect-cluster/connect-cluster_secrets.yaml", false),
    ];
    for (service, id, file, licensed) in secrets {
        let value = &template["Resources"][id]["Properties"]["SecretString"]["Fn::If"];
        let keys = |value: &Value| -> Vec<String> {
            let text = value["Fn::Sub"].as_str().unwrap();
            let json: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{id}: {error}\n{text}"));
            let mut keys: Vec<String> = json.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        assert_eq!(value[0], format!("Has{id}License"));
        assert_eq!(keys(&value[2]), meant(file, false), "{id} without a licence");
        if licensed {
            assert_eq!(keys(&value[1]), meant(file, true), "{id} with a licence");
        }
        // The finished JSON has the same keys, the licence only when it is given.
        let answers = |license: bool| {
            let mut answers = json!({ "username": "u", "password": HOSTILE, "registry.username": "r", "registry.password": HOSTILE,
                "registry.url": "https://psrc-1.example", (if service == "connect" { "CONNECT_BOOTSTRAP_SERVERS" } else { "CONTROL_CENTER_BOOTSTRAP_SERVERS" }): "pkc-1:9092" });
            if license {
                answers["license"] = "a-licence".into();
            }
            answers.to_string()
        };
        for license in [false, licensed] {
            let composed: Value =
                serde_json::from_str(&with(&["secrets", "compose", service, "--from", "-"], &answers(license))).unwrap();
            let mut keys: Vec<String> = composed.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            assert_eq!(keys, meant(file, license), "{service}");
            assert_eq!(composed["SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO"], format!("r:{HOSTILE}"), "no start script escapes it");
        }
    }
}
