//! Every component on every kind of cluster, from the command line in: golden files, nothing found in them by any stage, and nothing by
//! cfn-lint in what they render to.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use confluent_ecs::compose::{self, LoadOptions};
use confluent_ecs::profile::Catalogue;
use confluent_ecs::{confluent, extensions};

use crate::support::golden;
use crate::support::program::{run, run_with};

const COMPONENTS: [&str; 4] = ["connect", "schema-registry", "control-center", "control-center-legacy"];
const OWN: &str = "kafka-1.example.internal:9093,kafka-2.example.internal:9093";
const MSK: &str = "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/0a1b2c3d-1";

/// The kinds of cluster, each with every way to log in: a name and what is typed for it.
fn kinds() -> Vec<(&'static str, Vec<String>)> {
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let cloud = "--kafka confluent-cloud --bootstrap pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092 --cluster lkc-8m2q5z";
    let msk = |kind: &str, port: u16| {
        let host = "orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com";
        let group = "--kafka-security-group sg-0a1b2c3d4e5f60718";
        words(&format!("--kafka {kind} --bootstrap b-1.{host}:{port},b-2.{host}:{port} --cluster {MSK} {group}"))
    };
    let own = |rest: &str| words(&format!("--kafka self-managed --bootstrap {OWN} {rest}"));
    vec![
        ("confluent-cloud", words(cloud)),
        (
            "confluent-cloud-oauth",
            words(&format!(
                "{cloud} --mechanism oauthbearer --token-endpoint https://login.example.com/oauth2/token --identity-pool pool-a1b2 --oauth-scope kafka"
            )),
        ),
        ("msk-scram", msk("msk-scram", 9096)),
        ("msk-iam", msk("msk-iam", 9098)),
        ("msk-tls", msk("msk-tls", 9094)),
        ("self-managed-plain", own("--mechanism plain")),
        ("self-managed-scram-256", own("--mechanism scram-sha-256")),
        ("self-managed-scram-512-private-ca", own("--mechanism scram-sha-512 --ca-file ca.pem")),
        ("self-managed-sasl-plaintext", own("--security sasl-plaintext --mechanism scram-sha-512")),
        ("self-managed-ssl", own("--security ssl")),
        ("self-managed-mutual-tls", own("--security ssl --client-certificate --ca-file ca.pem")),
        ("self-managed-plaintext", own("--security plaintext")),
    ]
}

fn init(folder: &Path, components: &[&str], arguments: &[String]) -> String {
    let fixed = ["--env", "dev", "-p", "orders", "--vpc-tag", "Name=shared"];
    let all: Vec<&str> =
        ["init"].into_iter().chain(components.iter().copied()).chain(fixed).chain(arguments.iter().map(String::as_str)).collect();
    let ran = run(folder, &all);
    assert_eq!(ran.code, 0, "{all:?}: {ran:?}");
    ran.stderr
}

/// Nothing is wrong with the settings of any service, as far as they can be known without the secret.
fn settled(folder: &Path) {
    let variables = [("ENV_NAME", "dev"), ("AWS_REGION", "eu-west-1"), ("AWS_ACCOUNT_ID", "111122223333")];
    let options = LoadOptions {
        files: vec!["docker-compose.yml".into(), "envs/dev.yml".into()],
        environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        current_dir: folder.to_owned(),
        ..LoadOptions::default()
    };
    let project = compose::load(&options).project.unwrap();
    let (extensions, _) = extensions::read(&project);
    let catalogue = Catalogue::builtin().unwrap();
    let services = confluent::services(catalogue, &project, &extensions, &BTreeMap::new());
    assert_eq!(services.len(), project.services.len());
    for service in &services {
        let found = confluent::settings::findings(&confluent::settings::Service {
            name: service.name,
            catalogue,
            component: service.component,
            image: service.image,
            environment: &service.environment,
            place: None,
            advertised_by_command: confluent::sets_address(&project.services[service.name], service.component),
            own_start_script: confluent::has_own_start_script(&project.services[service.name]),
            provider: extensions.kafka.as_ref().and_then(|kafka| kafka.provider.as_ref()).map(|provider| provider.value),
        });
        let found: Vec<String> = found.iter().map(|finding| finding.message.clone()).collect();
        assert!(found.is_empty(), "{}: {found:#?}", service.name);
    }
}

/// Renders into `templates/NAME.yml`; nothing may be found.
fn rendered(folder: &Path, templates: &Path, name: &str) -> PathBuf {
    let ran = run(folder, &["render", "--env", "dev"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{name}");
    let path = templates.join(format!("{name}.yml"));
    fs::write(&path, ran.stdout).unwrap();
    path
}

fn lint(paths: &[PathBuf]) {
    let lint = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/lint");
    let output = Command::new(lint).args(paths).output().unwrap();
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_component_on_every_kind_of_cluster() {
    let templates = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (kind, arguments) in kinds() {
        for component in COMPONENTS {
            let name = format!("{kind}-{component}");
            let folder = tempfile::tempdir().unwrap();
            fs::write(folder.path().join("ca.pem"), include_str!("data/ca.pem")).unwrap();
            let notes = init(folder.path(), &[component], &arguments);
            let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
            // The same for every kind of cluster.
            golden::compare(&format!("init-matrix/docker-compose.{component}.yml"), &read("docker-compose.yml"));
            golden::compare(&format!("init-matrix/{name}.yml"), &read("envs/dev.yml"));
            golden::compare(&format!("init-matrix/{name}.notes.txt"), &notes);
            settled(folder.path());
            paths.push(rendered(folder.path(), templates.path(), &name));
        }
    }
    lint(&paths);
}

/// All at once and one after another come to the same, and another kind of registry for each.
#[test]
fn components_that_call_each_other() {
    let cloud = kinds().remove(0).1;
    let with = |more: &str| -> Vec<String> { cloud.iter().cloned().chain(more.split_whitespace().map(str::to_owned)).collect() };
    let url = "https://psrc-1a2b3.eu-west-1.aws.confluent.cloud";
    let cases: Vec<(&str, Vec<&str>, Vec<String>)> = vec![
        ("all", vec!["connect", "schema-registry", "control-center"], cloud.clone()),
        (
            "registry-on-confluent-cloud",
            vec!["connect", "control-center"],
            with(&format!("--registry confluent-cloud --registry-url {url}")),
        ),
        (
            "registry-self-hosted",
            vec!["connect"],
            with("--registry self-hosted --registry-url http://registry.example.internal:8081 --registry-login"),
        ),
        ("registry-glue", vec!["connect", "control-center"], with("--registry glue --image connect=example.com/connect-glue:1")),
        ("licence-and-spot", vec!["connect"], with("--license --spot --image connect=confluentinc/cp-server-connect:8.0.7")),
        (
            "three-accounts",
            vec!["connect"],
            with("--principal worker=sa-worker --principal producer=sa-producer --principal consumer=sa-consumer"),
        ),
        ("workflow", vec!["connect"], with("--github-actions")),
    ];
    let templates = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (name, components, arguments) in cases {
        let folder = tempfile::tempdir().unwrap();
        let notes = init(folder.path(), &components, &arguments);
        let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
        golden::compare(&format!("init-several/{name}.yml"), &read("envs/dev.yml"));
        golden::compare(&format!("init-several/{name}.notes.txt"), &notes);
        if arguments.contains(&"--github-actions".to_owned()) {
            golden::compare("init-several/workflow.github.yml", &read(".github/workflows/confluent-ecs-dev.yml"));
        }
        settled(folder.path());
        paths.push(rendered(folder.path(), templates.path(), name));
        if name == "all" {
            golden::compare("init-several/all.docker-compose.yml", &read("docker-compose.yml"));
            let template = fs::read_to_string(paths.last().unwrap()).unwrap();
            for rule in ["ConnectFromControlCenter8083", "SchemaRegistryFromConnect8081", "SchemaRegistryFromControlCenter8081"] {
                assert!(template.contains(rule), "{rule}");
            }
            let after = tempfile::tempdir().unwrap();
            for component in components {
                init(after.path(), &[component], &arguments);
            }
            let file = |folder: &Path, file: &str| -> serde_json::Value {
                let mut value: serde_yaml::Value = serde_yaml::from_str(&fs::read_to_string(folder.join(file)).unwrap()).unwrap();
                value.apply_merge().unwrap();
                serde_json::to_value(value).unwrap()
            };
            assert_eq!(file(after.path(), "docker-compose.yml"), file(folder.path(), "docker-compose.yml"));
            golden::compare(
                "init-several/one-after-another.yml",
                &fs::read_to_string(after.path().join("envs/dev.yml")).unwrap(),
            );
            settled(after.path());
            paths.push(rendered(after.path(), templates.path(), "one-after-another"));
        }
    }
    lint(&paths);
}

/// What is there stays as it is, letter by letter; what is new stands between.
#[test]
fn a_project_that_was_edited_is_added_to() {
    let cloud = kinds().remove(0).1;
    let folder = tempfile::tempdir().unwrap();
    init(folder.path(), &["connect"], &cloud);
    let path = |file: &str| folder.path().join(file);
    let edited = |file: &str, from: &str, to: &str| {
        let text = fs::read_to_string(path(file)).unwrap();
        assert!(text.contains(from), "{file}: {from}");
        fs::write(path(file), text.replace(from, to)).unwrap();
    };
    edited("docker-compose.yml", "StringConverter", "JsonConverter");
    edited("docker-compose.yml", "services:\n", "x-mine: &mine { a: 1 }\n\nservices:\n  sidecar:\n    image: busybox   # mine\n");
    edited("envs/dev.yml", "replicas: 2", "replicas: 5 # more\r");
    let before = |file: &str| -> Vec<String> { fs::read_to_string(path(file)).unwrap().lines().map(str::to_owned).collect() };
    let (compose, env) = (before("docker-compose.yml"), before("envs/dev.yml"));

    // Nothing of the cluster has to be said again.
    let ran = run(folder.path(), &["init", "schema-registry", "--env", "dev"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for file in ["docker-compose.yml", "envs/dev.yml"] {
        assert!(ran.stdout.contains(&format!("added to  {file}")), "{}", ran.stdout);
    }
    for (file, before) in [("docker-compose.yml", compose), ("envs/dev.yml", env)] {
        let after = fs::read_to_string(path(file)).unwrap();
        let mut after = after.lines();
        for line in &before {
            assert!(after.any(|new| new == line), "{file}: {line:?} is gone or moved");
        }
    }
    let again = run(folder.path(), &["init", "schema-registry", "--env", "dev"]);
    assert_eq!(again.stdout.matches("unchanged").count(), 4, "{}", again.stdout);

    // Another environment takes the components from docker-compose.yml, and leaves that alone.
    let compose = fs::read_to_string(path("docker-compose.yml")).unwrap();
    let prod: Vec<&str> = ["init", "--env", "prod"].into_iter().chain(cloud.iter().map(String::as_str)).collect();
    let ran = run(folder.path(), &prod);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(fs::read_to_string(path("docker-compose.yml")).unwrap(), compose);
    let prod = fs::read_to_string(path("envs/prod.yml")).unwrap();
    assert!(prod.contains("\n  connect:\n") && prod.contains("\n  schema-registry:\n"), "{prod}");

    // What says otherwise stops it, with the text.
    let ran = run(folder.path(), &["init", "schema-registry", "--env", "dev", "--bootstrap", "pkc-other.confluent.cloud:9092"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stdout.contains("# envs/dev.yml would have:\n# at x-kafka\nbootstrap: "), "{}", ran.stdout);
}

#[test]
fn what_cannot_be_added_to_safely_is_shown() {
    let cloud = kinds().remove(0).1;
    for text in ["services: {web: {image: i}}\n", "services: &s\n  web: {image: i}\n---\nservices: {}\n", "services: [\n"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("docker-compose.yml"), text).unwrap();
        let arguments: Vec<&str> =
            ["init", "connect", "--env", "dev", "-p", "orders"].into_iter().chain(cloud.iter().map(String::as_str)).collect();
        let ran = run(folder.path(), &arguments);
        assert_eq!(ran.code, 2, "{text}: {ran:?}");
        assert!(ran.stdout.contains("# docker-compose.yml would have:\n# at services\nconnect:\n"), "{}", ran.stdout);
        assert_eq!(fs::read_to_string(folder.path().join("docker-compose.yml")).unwrap(), text);
        assert!(!folder.path().join("envs").exists());
    }
}

/// REST Proxy, which isn't built in: one file, and every verb knows it.
#[test]
fn a_component_of_ones_own_is_one_file() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rest-proxy.yaml");
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(".confluent-ecs/profiles");
    fs::create_dir_all(&own).unwrap();
    fs::copy(&example, own.join("rest-proxy.yaml")).unwrap();
    let cloud = kinds().remove(0).1;
    init(folder.path(), &["rest-proxy", "schema-registry"], &cloud);
    let read = |file: &str| fs::read_to_string(folder.path().join(file)).unwrap();
    for (file, line) in [
        ("docker-compose.yml", "    image: confluentinc/cp-kafka-rest:8.0.7\n"),
        ("envs/dev.yml", "      KAFKA_REST_CLIENT_SECURITY_PROTOCOL: SASL_SSL\n"),
        ("envs/dev.yml", "      KAFKA_REST_SCHEMA_REGISTRY_URL: \"http://schema-registry.orders-${ENV_NAME:?}.internal:8081\"\n"),
    ] {
        assert!(read(file).contains(line), "{file} lacks {line}: {}", read(file));
    }
    let templates = tempfile::tempdir().unwrap();
    let template = rendered(folder.path(), templates.path(), "rest-proxy");
    assert!(fs::read_to_string(&template).unwrap().contains("KAFKAREST_HEAP_OPTS"), "its profile was not used");
    lint(&[template]);
    let answers = r#"{ "username": "u", "password": "p" }"#;
    let ran = run_with(folder.path(), &["secrets", "compose", "rest-proxy", "--env", "dev", "--from", "-"], answers, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("KAFKA_REST_CLIENT_SASL_JAAS_CONFIG"), "{}", ran.stdout);

    // What is wrong with the file is said by every verb, with its line.
    let text = fs::read_to_string(&example).unwrap().replace("\nsizing:\n", "\nsizin:\n");
    fs::write(own.join("rest-proxy.yaml"), text).unwrap();
    for arguments in [&["config", "--env", "dev"][..], &["render", "--env", "dev"], &["init", "rest-proxy", "--env", "dev"]] {
        let ran = run(folder.path(), arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {ran:?}");
        assert!(ran.stderr.starts_with(".confluent-ecs/profiles/rest-proxy.yaml:"), "{}", ran.stderr);
        assert!(ran.stderr.contains("error[CE143]: not a profile: unknown field `sizin`"), "{}", ran.stderr);
    }
    let elsewhere = run(folder.path(), &["config", "--env", "dev", "--profiles-dir", "nowhere"]);
    assert_eq!(elsewhere.code, 2);
    assert!(elsewhere.stderr.contains("--profiles-dir: nowhere is no folder"), "{}", elsewhere.stderr);
}

/// On a laptop the same files run with Docker, with credentials from a file instead of the secret.
#[test]
fn the_files_for_a_laptop_take_the_secrets_away() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path(), &["connect"], &kinds().remove(0).1);
    fs::create_dir_all(folder.path().join("secrets/dev")).unwrap();
    fs::write(folder.path().join("secrets/dev/connect.env"), "CONNECT_SASL_JAAS_CONFIG=a b=\"c\" $d\n").unwrap();
    let files = ["-f", "docker-compose.yml", "-f", "envs/dev.yml", "-f", "local.yml"];
    let arguments: Vec<&str> = ["config", "--format", "json"].into_iter().chain(files).collect();
    let ran = run_with(folder.path(), &arguments, "", &[("ENV_NAME", "dev")]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let project: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let connect = &project["services"]["connect"];
    assert_eq!(connect["environment"]["CONNECT_SASL_JAAS_CONFIG"], "a b=\"c\" $$d");
    assert!(connect.get("secrets").is_none_or(|secrets| secrets.as_array().is_none_or(Vec::is_empty)), "{connect:#}");
}
