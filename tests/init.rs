//! `init`, from the command line in: golden projects, wrong input, and what a second run does.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::golden;
use crate::support::program::{run, run_with};
use crate::support::terminal;

const CLOUD: &[&str] = &[
    "init",
    "connect",
    "--env",
    "dev",
    "--kafka",
    "confluent-cloud",
    "--bootstrap",
    "pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092",
    "--cluster",
    "lkc-8m2q5z",
    "--principal",
    "sa-3kd9wq",
    "-p",
    "kafka-connect",
];
const FILES: [&str; 4] = ["docker-compose.yml", "envs/dev.yml", "local.yml", ".gitignore"];

/// A self-signed certificate of 2026; its key is gone.
const CA: &str = include_str!("data/ca.pem");

fn self_managed(mechanism: &str) -> Vec<&str> {
    let fixed = ["init", "connect", "--env", "dev", "--kafka", "self-managed", "-p", "orders", "--mechanism", mechanism];
    fixed.into_iter().chain(["--bootstrap", "kafka-1.example.internal:9093,kafka-2.example.internal:9093"]).collect()
}

fn msk(kind: &'static str, port: u16) -> Vec<&'static str> {
    let bootstrap: &'static str = match port {
        9094 => "b-1.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9094,b-2.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9094",
        9096 => "b-1.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9096,b-2.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9096",
        _ => "b-1.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9098,b-2.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9098",
    };
    let cluster = "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/0a1b2c3d-1";
    vec!["init", "connect", "--env", "dev", "-p", "orders", "--kafka", kind, "--bootstrap", bootstrap, "--cluster", cluster]
}

fn project(name: &str, arguments: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("ca.pem"), format!("the authority of Example\n{CA}")).unwrap();
    let ran = run(folder.path(), arguments);
    // Whose the certificates of a cluster of one's own are, nobody can tell: that is said.
    let noted = ran.stderr.is_empty() || ran.stderr.starts_with("note: Java trusts the brokers' certificates");
    assert!(ran.code == 0 && noted, "{ran:?}");
    for file in FILES {
        golden::compare(&format!("init-{name}/{file}"), &fs::read_to_string(folder.path().join(file)).unwrap());
    }
    golden::compare(&format!("init-{name}/stdout.txt"), &ran.stdout);
    folder
}

#[test]
fn confluent_cloud() {
    project("confluent-cloud", CLOUD);
}

#[test]
fn self_managed_with_scram() {
    let mut arguments = self_managed("scram-sha-512");
    arguments.extend(["--admin-config", "admin.properties", "--vpc-tag", "Name=shared", "--ecs-cluster", "kafka"]);
    project("self-managed-scram", &arguments);
}

#[test]
fn self_managed_with_a_private_authority() {
    let mut arguments = self_managed("plain");
    arguments.extend(["--ca-file", "ca.pem", "--principal", "worker=User:connect", "--subnet-tag", "tier=app"]);
    project("self-managed-private-ca", &arguments);
}

/// The component's file doesn't depend on the cluster: a second environment on another kind of cluster adds its own file only.
#[test]
fn another_environment_adds_only_what_differs() {
    let folder = project("confluent-cloud", CLOUD);
    let mut arguments = self_managed("scram-sha-512");
    arguments[3] = "prod";
    arguments.retain(|argument| !["-p", "orders"].contains(argument));
    let before = fs::read_to_string(folder.path().join("docker-compose.yml")).unwrap();
    let ran = run(folder.path(), &arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.stdout.starts_with("unchanged docker-compose.yml\nwrote     envs/prod.yml\nunchanged local.yml\n"),
        "{}",
        ran.stdout
    );
    assert_eq!(fs::read_to_string(folder.path().join("docker-compose.yml")).unwrap(), before);
}

#[test]
fn a_second_run_changes_nothing_and_an_edited_file_is_left_alone() {
    let folder = project("confluent-cloud", CLOUD);
    let again = run(folder.path(), CLOUD);
    assert_eq!(again.code, 0);
    assert_eq!(again.stdout.matches("unchanged").count(), 4, "{}", again.stdout);

    let path = folder.path().join("envs/dev.yml");
    let edited = fs::read_to_string(&path).unwrap().replace("replicas: 2", "replicas: 3");
    fs::write(&path, &edited).unwrap();
    let refused = run(folder.path(), CLOUD);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(
        refused.stdout.contains("# envs/dev.yml would have:\n# at services\nconnect:\n")
            && refused.stdout.contains("replicas: 2")
    );
    assert!(refused.stderr.contains("envs/dev.yml is there with another text") && refused.stderr.contains("--force"));
    assert_eq!(fs::read_to_string(&path).unwrap(), edited);

    let forced: Vec<&str> = CLOUD.iter().copied().chain(["--force"]).collect();
    let forced = run(folder.path(), &forced);
    assert_eq!(forced.code, 0);
    assert!(forced.stdout.contains("replaced  envs/dev.yml"), "{}", forced.stdout);
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 5, "something was left behind: {names:?}");
}

#[test]
fn the_result_can_be_had_as_json() {
    let folder = tempfile::tempdir().unwrap();
    let arguments: Vec<&str> = CLOUD.iter().copied().chain(["--output", "json"]).collect();
    let ran = run(folder.path(), &arguments);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["schema"], "confluent-ecs/init/v1");
    assert_eq!(document["files"][1]["path"], "envs/dev.yml");
    assert_eq!(document["files"][1]["state"], "created");
    assert_eq!(document["next"][1], "confluent-ecs preflight --env dev");
}

/// Arguments, and what the message must say. Each ends with exit 2, and nothing is written.
#[test]
fn wrong_input_is_named_all_at_once() {
    let cloud = |replaced: &[(&'static str, &'static str)], more: &[&'static str]| -> Vec<&'static str> {
        let swap = |word: &&'static str| replaced.iter().find(|(from, _)| from == word).map_or(*word, |(_, to)| *to);
        CLOUD.iter().map(swap).chain(more.iter().copied()).collect()
    };
    let own: Vec<&'static str> = self_managed("scram-sha-512");
    let with = |more: &[&'static str]| -> Vec<&'static str> { own.iter().copied().chain(more.iter().copied()).collect() };
    let cases: Vec<(Vec<&str>, &[&str])> = vec![
        (vec!["init"], &["missing: PROFILE, --env, --kafka, --bootstrap", "confluent-ecs init connect --env dev"]),
        (vec!["init", "connect", "--env", "dev", "--bootstrap", "a:9092"], &["missing: --kafka"]),
        (vec!["init", "connect", "--env", "dev", "--kafka", "confluent-cloud"], &["missing: --bootstrap, --cluster"]),
        (
            vec!["init", "connect", "--kafka", "self-managed"],
            &["missing: --env, --bootstrap, --mechanism", "init connect --env dev --kafka self-managed --bootstrap broker-1"],
        ),
        (
            vec!["init", "schema-registry", "--env", "prod", "--kafka", "msk-scram"],
            &["missing: --bootstrap", "init schema-registry --env prod --kafka msk-scram --bootstrap b-1.….amazonaws.com:9096"],
        ),
        (
            cloud(&[("connect", "conect"), ("dev", "Dev_1")], &[]),
            &["`conect` is not known; did you mean connect?", "--env: `Dev_1`", "init connect --env dev"],
        ),
        (cloud(&[("confluent-cloud", "confluent")], &[]), &["--kafka: `confluent` is not known"]),
        (cloud(&[("lkc-8m2q5z", "pkc-1")], &["--mechanism", "scram-sha-512"]), &["begin with lkc-", "one of plain, oauthbearer"]),
        (cloud(&[("kafka-connect", "9 lives")], &[]), &["the project's name (-p): `9 lives`"]),
        (
            cloud(&[("pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092", "https://pkc:443,broker,:1,b:0,b:x")], &[]),
            &[
                "`https://pkc:443` is a URL",
                "`broker` is not host:port",
                "`:1` is not host:port",
                "`b:0` is not host:port",
                "`b:x` is not host:port",
            ],
        ),
        (cloud(&[], &["--ca-file", "ca.pem"]), &["Confluent Cloud's certificates are known to Java"]),
        (cloud(&[], &["--admin-config", "x"]), &["--admin-config is for kafka-acls"]),
        (with(&["--ca-file", "missing.pem"]), &["--ca-file: missing.pem can't be read", "No such file"]),
        (with(&["--ca-file", "key.pem"]), &["key.pem holds a PRIVATE KEY"]),
        (with(&["--ca-file", "empty.pem"]), &["empty.pem holds no certificate"]),
        (with(&["--ca-file", "broken.pem"]), &["broken.pem holds a certificate that can't be read"]),
        (with(&["--kafka-environment", "env-1"]), &["--kafka-environment is for Confluent Cloud"]),
        (with(&["--principal", "wroker=User:a"]), &["did you mean worker?"]),
        (with(&["--vpc-tag", "dev"]), &["--vpc-tag: write KEY=VALUE"]),
        (with(&["--project-directory", "nowhere"]), &["nowhere is no folder"]),
        (self_managed("gssapi"), &["--mechanism: `gssapi` is not known; one of plain, scram-sha-256, scram-sha-512"]),
        (with(&["--security", "tls"]), &["--security: `tls` is not known"]),
        (with(&["--security", "plaintext"]), &["--mechanism: PLAINTEXT has no login of this kind"]),
        (with(&["--client-certificate"]), &["--client-certificate", "take --security ssl"]),
        (with(&["--registry", "project"]), &["the project has none", "init schema-registry"]),
        (with(&["--registry", "self-hosted"]), &["missing: --registry-url", "--registry self-hosted --registry-url https://…"]),
        (with(&["--ecs-cluster", "a b"]), &["--ecs-cluster takes a name"]),
        (
            cloud(&[("pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092", "pkc-q1w2e.eu-west-1.aws.confluent.cloud:9093")], &[]),
            &["Confluent Cloud has no port 9093; it is on 9092"],
        ),
        (with(&["--registry-url", "registry:8081"]), &["--registry-url takes a URL"]),
        (with(&["--token-endpoint", "https://a"]), &["go with --mechanism oauthbearer"]),
        (with(&["--kafka-security-group", "sg-1"]), &["--kafka-security-group takes the group of an MSK cluster"]),
        (with(&["--image", "conect=x"]), &["--image: write COMPONENT=IMAGE"]),
        (cloud(&[("connect", "control-center")], &["--spot"]), &["--spot: Control Center must not run on Spot"]),
        (
            cloud(&[], &["--mechanism", "oauthbearer"]),
            &["missing: --token-endpoint", "--mechanism oauthbearer --token-endpoint https://…"],
        ),
        (msk("msk-scram", 9098), &["port 9098 is that of Amazon MSK with IAM; Amazon MSK with SCRAM is on 9096, 9196, 20096"]),
    ];
    for (arguments, said) in cases {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", CA);
        write("key.pem", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
        write("empty.pem", "nothing\n");
        write("broken.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
        let ran = run(folder.path(), &arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        for words in said {
            assert!(ran.stderr.contains(words), "{arguments:?} doesn't say {words:?}:\n{}", ran.stderr);
        }
        assert!(!folder.path().join("docker-compose.yml").exists(), "{arguments:?} wrote");
    }
}

#[test]
fn what_an_image_lacks_for_the_registry_of_aws_is_told_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = msk("msk-scram", 9096);
    arguments.extend(["--registry", "glue"]);
    let ran = run(folder.path(), &arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("lacks schema-registry-kafkaconnect-converter"), "{ran:?}");
    let written = fs::read_to_string(folder.path().join("envs/dev.yml")).unwrap();
    assert!(written.contains("AWSKafkaAvroConverter") && written.contains("default-registry"), "{written}");
}

#[test]
fn a_worker_that_was_there_before_the_registry_is_told_how_to_use_it() {
    let folder = tempfile::tempdir().unwrap();
    let connect = msk("msk-scram", 9096);
    assert_eq!(run(folder.path(), &connect).code, 0);
    let before = fs::read_to_string(folder.path().join("docker-compose.yml")).unwrap();
    let registry: Vec<&str> = connect.iter().map(|word| if *word == "connect" { "schema-registry" } else { word }).collect();
    let ran = run(folder.path(), &registry);
    assert!(ran.code == 0 && ran.stderr.contains("connect was there before the registry"), "{ran:?}");
    assert!(ran.stderr.contains("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL: http://schema-registry.orders-"), "{ran:?}");
    let after = fs::read_to_string(folder.path().join("docker-compose.yml")).unwrap();
    assert!(before.lines().all(|line| after.contains(line)), "something was taken away:\n{after}");
}

#[test]
fn a_file_that_would_be_read_instead_stops_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), "services: {}\n").unwrap();
    let ran = run(folder.path(), CLOUD);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("compose.yml is there, and would be read instead"), "{}", ran.stderr);
    assert!(!folder.path().join("docker-compose.yml").exists());
}

/// The files mean the same to a reader of YAML 1.1, which many tools around CloudFormation are.
#[test]
fn other_readers_of_yaml_read_the_same() {
    let mut arguments = self_managed("plain");
    arguments.extend(["--ca-file", "ca.pem", "--principal", "worker=User:connect", "--subnet-tag", "tier=app"]);
    let folder = project("self-managed-private-ca", &arguments);
    let python = python();
    for file in &FILES[..2] {
        let script = "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
        let output = Command::new(&python).args(["-c", script]).arg(folder.path().join(file)).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let theirs: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let ours: serde_json::Value = serde_yaml::from_str(&fs::read_to_string(folder.path().join(file)).unwrap()).unwrap();
        assert_eq!(theirs, ours, "{file}");
    }
}

/// The bed's Python, which has PyYAML.
fn python() -> String {
    let venv = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/venv");
    let output = Command::new(venv).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The check asks a real HTTP server, with bash alone.
#[test]
fn the_health_check_tells_a_sound_worker_from_a_sick_one() {
    use std::io::{Read, Write};
    let catalogue = confluent_ecs::profile::Catalogue::builtin().unwrap();
    let connect = catalogue.component("connect").unwrap();
    for (answer, sound) in [("200 OK", true), ("503 Service Unavailable", false), ("500 Server Error", false)] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            let mut byte = [0];
            while !request.ends_with("\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
                request.push(char::from(byte[0]));
            }
            write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 2\r\n\r\n{{}}").unwrap();
            request
        });
        let command = confluent_ecs::confluent::health_command(connect, "cp-kafka-connect:8.0.7", port);
        let status = Command::new(&command[1]).args(&command[2..]).status().unwrap();
        assert_eq!(status.success(), sound, "{answer}");
        assert_eq!(server.join().unwrap(), "GET /health HTTP/1.0\r\nHost: localhost\r\n\r\n");
    }
    let nobody = confluent_ecs::confluent::health_command(connect, "cp-kafka-connect:8.0.7", 1);
    assert!(!Command::new(&nobody[1]).args(&nobody[2..]).stderr(std::process::Stdio::null()).status().unwrap().success());
}

#[test]
fn the_projects_name_comes_from_the_folder_when_nobody_gives_one() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("2 My_Kafka project");
    fs::create_dir(&folder).unwrap();
    let arguments: Vec<&str> = CLOUD[..CLOUD.len() - 2].to_vec();
    let ran = run_with(&folder, &arguments, "", &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(fs::read_to_string(folder.join("docker-compose.yml")).unwrap().contains("\nname: my-kafka-project\n"));
}

/// On a terminal, what is missing is asked for; the flags' answers are not.
#[test]
fn a_terminal_is_asked_for_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    // An answer that can't be right is asked for again, and not when all else has been answered.
    let answers = ["broker", "connect", "2", "dev", "5", "kafka", "kafka.example.internal:9093", "scram-sha-512"];
    let ran = terminal::run(folder.path(), &["init", "-p", "orders"], &answers);
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in ["`broker` is none of them", "`2` has to be lower-case letters", "`kafka` is not host:port"] {
        assert_eq!(ran.stdout.matches(said).count(), 1, "{said}: {}", ran.stdout);
    }
    for question in ["Which component?", "Name of the environment", "What kind of Kafka cluster?", "How do clients log in?"] {
        assert!(ran.stdout.contains(question), "{question}: {}", ran.stdout);
    }
    let text = fs::read_to_string(folder.path().join("envs/dev.yml")).unwrap();
    assert!(text.contains("CONNECT_SASL_MECHANISM: SCRAM-SHA-512") && text.contains("provider: self-managed"));
}

/// What can't work is told before anything is written, with the way out.
#[test]
fn what_does_not_go_together_is_told_and_not_written() {
    let own = ["init", "connect", "--env", "dev", "-p", "orders", "--kafka", "self-managed", "--bootstrap", "a:9093"];
    for (more, said) in [
        (
            &["--mechanism", "plain", "--image", "connect=confluentinc/cp-kafka-connect:7.2.1"][..],
            "EnvVarConfigProvider is known from 7.5 on",
        ),
        (
            &["--mechanism", "plain", "--ca-file", "ca.pem", "--image", "connect=confluentinc/cp-kafka-connect:6.0.9"],
            "ssl.truststore.type=PEM is known from 6.1 on",
        ),
        (&["--security", "ssl", "--mechanism", "plain"], "SSL has no login of this kind"),
        (&["--mechanism", "gssapi"], "`gssapi` is not known"),
        (&["--mechanism", "oauthbearer"], "--token-endpoint"),
        (&["--mechanism", "plain", "--registry", "project"], "the project has none"),
        (
            &["--mechanism", "plain", "--cluster", "x", "--kafka-environment", "env-1"],
            "--kafka-environment is for Confluent Cloud",
        ),
        (&["--security", "plaintext", "--ca-file", "ca.pem"], "without TLS nobody shows a certificate"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("ca.pem"), include_str!("data/ca.pem")).unwrap();
        let ran = run(folder.path(), &[&own[..], more].concat());
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{more:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{more:?}: {}", ran.stderr);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{more:?}: something was written");
    }
    let folder = tempfile::tempdir().unwrap();
    let msk =
        ["init", "connect", "--env", "dev", "--kafka", "msk-iam", "--bootstrap", "b-1.x.c2.kafka.eu-west-1.amazonaws.com:9098"];
    let ran = run(folder.path(), &[&msk[..], &["--cluster", "orders"]].concat());
    assert!(ran.code == 2 && ran.stderr.contains("`orders` is no ARN of a cluster"), "{ran:?}");
}

/// What is typed again counts: where the files say otherwise, nothing is written and what would stand there is shown.
#[test]
fn a_place_that_is_typed_again_must_be_the_one_that_stands_there() {
    let folder = tempfile::tempdir().unwrap();
    let first = [CLOUD, &["--vpc-tag", "Name=shared", "--ecs-cluster", "apps"]].concat();
    assert_eq!(run(folder.path(), &first).code, 0);
    let before = fs::read_to_string(folder.path().join("envs/dev.yml")).unwrap();
    assert_eq!(run(folder.path(), &first).code, 0);
    assert_eq!(run(folder.path(), CLOUD).code, 0);
    for (flag, value, shown) in [
        ("--vpc-tag", "Name=other", "Name: other"),
        ("--subnet-tag", "tier=app", "tier: app"),
        ("--ecs-cluster", "other", "other"),
    ] {
        let ran = run(folder.path(), &[CLOUD, &[flag, value]].concat());
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert_eq!(ran.code, 2, "{flag}: {said}");
        assert!(said.contains(shown) && said.contains("envs/dev.yml is there with another text"), "{flag}: {said}");
        assert_eq!(fs::read_to_string(folder.path().join("envs/dev.yml")).unwrap(), before);
    }
}
