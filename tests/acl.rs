//! `acl`, from the command line in: who needs what and why, and the commands for each tool.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::support::golden;
use crate::support::program::run;

/// A project of `init` for Confluent Cloud, with a source and a sink.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let arguments = [
        "init",
        "connect",
        "--env",
        "dev",
        "--kafka",
        "confluent-cloud",
        "--cluster",
        "lkc-8m2q5z",
        "--principal",
        "sa-3kd9wq",
        "--bootstrap",
        "pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092",
        "-p",
        "orders",
    ];
    assert_eq!(run(folder.path(), &arguments).code, 0);
    let file = folder.path().join("docker-compose.yml");
    let text = fs::read_to_string(&file).unwrap().replace(
        "\n  connect:\n",
        "\n  connect:\n    x-confluent:\n      connectors:\n        shop-in: { type: source, topics: [shop-orders] }\n        \
         shop-out: { type: sink, topics: [shop-orders, pay-*], dead-letters: shop-dead }\n",
    );
    fs::write(file, text).unwrap();
    folder
}

fn acl(folder: &Path, arguments: &[&str]) -> String {
    let all: Vec<&str> = ["acl"].into_iter().chain(arguments.iter().copied()).chain(["--env", "dev"]).collect();
    let ran = run(folder, &all);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
    ran.stdout
}

#[test]
fn what_is_needed_is_listed_with_its_reasons() {
    golden::compare("acl/list.txt", &acl(project().path(), &["list"]));
}

#[test]
fn every_tool_gets_its_own_words() {
    let folder = project();
    for (tool, name) in [
        ("confluent-cli", "confluent-cli.sh"),
        ("kafka-acls", "kafka-acls.sh"),
        ("msk-iam", "msk-iam.json"),
        ("terraform", "terraform.tf"),
    ] {
        golden::compare(&format!("acl/{name}"), &acl(folder.path(), &["commands", "--for", tool]));
    }
    assert_eq!(acl(folder.path(), &["commands"]), acl(folder.path(), &["commands", "--for", "confluent-cli"]));
}

#[test]
fn the_same_as_data() {
    let folder = project();
    let listed: Value = serde_json::from_str(&acl(folder.path(), &["list", "--output", "json"])).unwrap();
    assert_eq!(listed["schema"], "confluent-ecs/acl-list/v1");
    assert_eq!(listed["principals"][0]["principal"], "User:sa-3kd9wq");
    assert_eq!(listed["principals"][0]["clients"].as_array().unwrap().len(), 4);
    let need =
        listed["principals"][0]["needs"].as_array().unwrap().iter().find(|need| need["name"] == "connect-shop-out").unwrap();
    assert_eq!((&need["connector"], &need["resource"]), (&"shop-out".into(), &"group".into()));
    let commands: Value = serde_json::from_str(&acl(folder.path(), &["commands", "--output", "json"])).unwrap();
    assert_eq!((&commands["schema"], &commands["for"]), (&"confluent-ecs/acl-commands/v1".into(), &"confluent-cli".into()));
    assert_eq!(commands["commands"][0]["argv"][0], "confluent");
}

/// Flags say what the files don't, and win.
#[test]
fn connectors_and_principals_may_be_typed() {
    let folder = project();
    let printed = acl(
        folder.path(),
        &[
            "commands",
            "--source",
            "extra=logs",
            "--sink",
            "shop-out=only-this",
            "--group",
            "shop-out=mine",
            "--principal",
            "producer=sa-2",
        ],
    );
    let printed = printed.replace(" \\\n  ", " ");
    for part in [
        "--operations write --topic logs",
        "--consumer-group mine",
        "--operations read --topic only-this",
        "--service-account sa-2",
    ] {
        assert!(printed.contains(part), "{part}: {printed}");
    }
    assert!(!printed.contains("shop-dead") && !printed.contains("pay-"), "{printed}");
}

#[test]
fn what_is_not_known_is_said_and_never_guessed() {
    let folder = project();
    let env = folder.path().join("envs/dev.yml");
    let text = fs::read_to_string(&env).unwrap();
    let without: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("consumer: sa-")).collect();
    fs::write(&env, without.join("\n")).unwrap();
    let ran = run(folder.path(), &["acl", "commands", "--env", "dev"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.contains("--service-account '<sa-…>'"), "{}", ran.stdout);
    assert!(ran.stderr.contains("who consumer is to the broker stands in <angle brackets>"), "{}", ran.stderr);
}

/// Arguments or files, and what the message must say; each ends with exit 2.
#[test]
fn wrong_input_is_named() {
    let folder = project();
    let cases: &[(&[&str], &str)] = &[
        (&["list", "conect"], "did you mean connect?"),
        (&["list", "--source", "x"], "`x` is not NAME=TOPIC"),
        (&["list", "--dead-letters", "nobody=x"], "there is no sink nobody"),
        (&["list", "--principal", "wroker=sa-1"], "did you mean worker?"),
        (&["list", "--with", "anything"], "is no feature of these components"),
    ];
    for (arguments, said) in cases {
        let all: Vec<&str> = ["acl"].into_iter().chain(arguments.iter().copied()).chain(["--env", "dev"]).collect();
        let ran = run(folder.path(), &all);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{arguments:?}: {ran:?}");
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
    }
    let wrong = "services:\n  connect:\n    image: confluentinc/cp-kafka-connect:8.0.7\n    x-confluent:\n      connectors:\n        \
                 a: { type: sorce, topics: [x] }\n        b: { type: sink }\n        c: { type: source, topics: ['a b'], dead-letters: d }\n        \
                 d: { topic: [x] }\n";
    fs::write(folder.path().join("wrong.yml"), wrong).unwrap();
    let ran = run(folder.path(), &["acl", "list", "-f", "wrong.yml", "-p", "wrong"]);
    assert_eq!(ran.code, 2);
    for said in [
        "wrong.yml:6:",
        "did you mean source?",
        "the sink names no topic",
        "\"a b\" can't be the name of a topic",
        "dead-letters belongs to a sink",
        "unknown key topic",
        "did you mean topics?",
    ] {
        assert!(ran.stderr.contains(said), "{said}: {}", ran.stderr);
    }
}

/// What `init` writes for an MSK cluster with IAM, with connectors and exactly-once.
fn of_msk(cluster: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let bootstrap = "b-1.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9098";
    let fixed = ["init", "connect", "schema-registry", "control-center", "--env", "dev", "-p", "orders", "--kafka", "msk-iam"];
    let all = [&fixed[..], &["--bootstrap", bootstrap, "--vpc-tag", "Name=shared"], cluster].concat();
    let ran = run(folder.path(), &all);
    assert_eq!(ran.code, 0, "{ran:?}");
    let file = folder.path().join("docker-compose.yml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace(
        "\n  connect:\n",
        "\n  connect:\n    x-confluent:\n      connectors:\n        \"in$1\": { type: source, topics: [shop-orders], exactly-once: true }\n        \
         out: { type: sink, topics: [shop-orders, pay-*], dead-letters: shop-dead }\n",
    );
    let text = text.replace("\n  control-center:\n", "\n  control-center:\n    x-confluent: { features: [topic-browser] }\n");
    fs::write(&file, text).unwrap();
    let file = folder.path().join("envs/dev.yml");
    let text = fs::read_to_string(&file).unwrap();
    let setting = "      CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: enabled\n      CONNECT_BOOTSTRAP_SERVERS:";
    fs::write(&file, text.replace("      CONNECT_BOOTSTRAP_SERVERS:", setting)).unwrap();
    folder
}

fn lint(template: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.yml");
    fs::write(&path, template).unwrap();
    let lint = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/lint");
    let output = std::process::Command::new(lint).arg(&path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn role_statements(template: &Value, role: &str) -> Value {
    let policies = template["Resources"][role]["Properties"]["Policies"].as_array().unwrap_or_else(|| panic!("{role}"));
    policies.iter().find(|policy| policy["PolicyName"] == "kafka").unwrap()["PolicyDocument"]["Statement"].clone()
}

/// The task role has the statements that `acl commands` prints, each and no more, and they are on names.
#[test]
fn task_roles_hold_what_msk_with_iam_asks_for() {
    let arn = "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/0a1b2c3d-1";
    let folder = of_msk(&["--cluster", arn]);
    let rendered = run(folder.path(), &["render", "--env", "dev"]);
    assert_eq!((rendered.code, rendered.stderr.as_str()), (0, ""), "{rendered:?}");
    lint(&rendered.stdout);
    let template: Value = serde_yaml::from_str(&rendered.stdout).unwrap();
    let printed: Value = serde_json::from_str(&acl(folder.path(), &["commands", "--output", "json"])).unwrap();
    assert_eq!(printed["for"], "msk-iam");
    for (index, role) in ["ConnectTaskRole", "ControlCenterTaskRole", "SchemaRegistryTaskRole"].into_iter().enumerate() {
        assert_eq!(role_statements(&template, role), printed["policies"][index]["statements"], "{role}");
    }
    let connect = role_statements(&template, "ConnectTaskRole").to_string();
    for part in [
        "\"kafka-cluster:Connect\"",
        ":topic/orders/0a1b2c3d-1/orders-dev-connect-configs\"",
        ":group/orders/0a1b2c3d-1/connect-out\"",
        ":topic/orders/0a1b2c3d-1/pay-*\"",
        ":transactional-id/orders/0a1b2c3d-1/orders-dev-connect-in${$}1-*\"",
        "kafka-cluster:WriteDataIdempotently",
    ] {
        assert!(connect.contains(part), "{part}: {connect}");
    }
    assert!(!connect.contains("/*\"") && !connect.contains("kafka-cluster:*"), "{connect}");
    assert!(role_statements(&template, "ControlCenterTaskRole").to_string().contains(":topic/orders/0a1b2c3d-1/*\""));
}

/// An ARN with the account's variables in it, and none at all: then it is a parameter, and everything hangs on that one.
#[test]
fn a_cluster_that_only_the_account_knows_is_filled_in_by_cloudformation() {
    let folder = of_msk(&["--cluster", "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/0a1b2c3d-1"]);
    let file = folder.path().join("envs/dev.yml");
    let text = fs::read_to_string(&file).unwrap();
    let line = text.lines().find(|line| line.starts_with("  cluster: ")).unwrap().to_owned();
    let rendered = |with: &str| {
        fs::write(&file, text.replace(&line, with)).unwrap();
        run(folder.path(), &["render", "--env", "dev"])
    };
    let marked = rendered("  cluster: arn:aws:kafka:${AWS_REGION}:${AWS_ACCOUNT_ID}:cluster/orders/0a1b2c3d-1");
    lint(&marked.stdout);
    let template: Value = serde_yaml::from_str(&marked.stdout).unwrap();
    let statements = role_statements(&template, "ConnectTaskRole").to_string();
    let topic = "{\"Fn::Sub\":\"arn:aws:kafka:${AWS::Region}:${AWS::AccountId}:topic/orders/0a1b2c3d-1/shop-dead\"}";
    assert!(statements.contains(topic), "{statements}");
    assert!(statements.contains("orders-dev-connect-in${!$}1-*"), "{statements}");

    let unsaid = rendered("");
    assert_eq!(unsaid.code, 0, "{unsaid:?}");
    lint(&unsaid.stdout);
    let template: Value = serde_yaml::from_str(&unsaid.stdout).unwrap();
    assert_eq!(template["Parameters"]["MskClusterArn"]["Type"], "String");
    let statements = role_statements(&template, "ConnectTaskRole").to_string();
    let topic =
        r#"{"Fn::Join":["",[{"Fn::Join":[":topic/",{"Fn::Split":[":cluster/",{"Ref":"MskClusterArn"}]}]},"/shop-dead"]]}"#;
    assert!(statements.contains(topic), "{statements}");

    let wrong = rendered("  cluster: orders");
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("\"orders\" is not the ARN of an MSK cluster") && wrong.stderr.contains("envs/dev.yml:"));
}

/// A name in a secret that is not read here can't be in a role: that is said where the service stands.
#[test]
fn a_name_in_a_secret_is_in_no_role_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let text = "name: apps\nservices:\n  connect:\n    image: confluentinc/cp-kafka-connect:8.0.7\n    environment:\n      \
        CONNECT_SASL_MECHANISM: AWS_MSK_IAM\n      CONNECT_SECURITY_PROTOCOL: SASL_SSL\n      CONNECT_CONFIG_STORAGE_TOPIC: configs\n    \
        secrets: [CREDS]\nsecrets:\n  CREDS: { x-secrets: { Name: /kafka/creds, JsonKeys: [{ SecretKey: G, VarName: CONNECT_GROUP_ID }] } }\n";
    fs::write(folder.path().join("docker-compose.yml"), text).unwrap();
    let ran = run(folder.path(), &["render"]);
    assert!(ran.stderr.contains("CE198") && ran.stderr.contains("no right that depends on group.id"), "{}", ran.stderr);
    assert!(ran.stderr.contains("docker-compose.yml:5:"), "{}", ran.stderr);
}
