//! `secrets put`, `check` and `list`, from the command line in, on the AWS bed. Every output is searched for the values.

use serde_json::{Value, json};

use crate::support::deployment::Deployment;
use crate::support::program::{Ran, run};

const PASSWORD: &str = "S3cret-\"quoted\\and'odd";
const NAME: &str = "/kafka/lkc-8m2q5z/shop-dev/connect";

/// A Connect project as `init` writes it, in an account with nothing in it.
fn connect() -> Deployment {
    let shop = Deployment::empty();
    for file in ["docker-compose.yml", "envs/dev.yml"] {
        std::fs::remove_file(shop.path().join(file)).unwrap();
    }
    let arguments = [
        "init",
        "connect",
        "--env",
        "dev",
        "-p",
        "shop",
        "--kafka",
        "confluent-cloud",
        "--bootstrap",
        "pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092",
        "--cluster",
        "lkc-8m2q5z",
    ];
    let ran = run(shop.path(), &arguments);
    assert_eq!(ran.code, 0, "{ran:?}");
    shop
}

fn put(shop: &Deployment, password: &str) -> Ran {
    let answers = format!("username=ABCDEFGH\npassword={password}\n");
    let ran = shop.run_with(&["secrets", "put", "connect", "--from", "-", "--yes"], &answers, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for value in [password, "ABCDEFGH"] {
        assert!(!ran.stdout.contains(value) && !ran.stderr.contains(value), "{ran:?}");
    }
    ran
}

fn checked(shop: &Deployment) -> (i32, Value) {
    let ran = shop.run(&["secrets", "check", "--output", "json"]);
    assert!(!ran.stdout.contains(PASSWORD) && !ran.stdout.contains("ABCDEFGH"), "{ran:?}");
    (ran.code, serde_json::from_str(&ran.stdout).unwrap())
}

#[test]
fn a_secret_is_stored_once_and_a_changed_one_leaves_the_old_version() {
    let shop = connect();
    let (code, before) = checked(&shop);
    assert_eq!((code, &before["secrets"][0]["state"]), (2, &"absent".into()));

    let first = put(&shop, PASSWORD);
    assert!(first.stderr.contains(&format!("new secret {NAME}")), "{first:?}");
    assert!(first.stderr.contains("+ added      CONNECT_SASL_JAAS_CONFIG"), "{first:?}");
    let (code, stored) = checked(&shop);
    assert_eq!((code, &stored["secrets"][0]["state"], &stored["secrets"][0]["faults"]), (0, &"stored".into(), &json!([])));

    let same = put(&shop, PASSWORD);
    assert!(same.stdout.contains("nothing was stored"), "{same:?}");
    assert_eq!(checked(&shop).1["secrets"][0]["version"], stored["secrets"][0]["version"]);

    let changed = put(&shop, "another");
    assert!(changed.stderr.contains("~ changed    CONNECT_SASL_JAAS_CONFIG"), "{changed:?}");
    assert!(changed.stdout.contains("AWSPREVIOUS"), "{changed:?}");
    assert_ne!(checked(&shop).1["secrets"][0]["version"], stored["secrets"][0]["version"]);

    let listed = shop.run(&["secrets", "list"]);
    assert!(listed.stdout.contains(NAME) && listed.stdout.contains("stored "), "{listed:?}");
}

#[test]
fn a_stored_secret_is_checked_key_by_key() {
    let shop = connect();
    let stored = json!({
        "CONNECT_SASL_JAAS_CONFIG": "x",
        "CONNECT_PRODUCER_SASL_JAAS_CONFIG": "x\n",
        "CONNECT_CONSUMER_SASL_JAAS_CONFIG": "",
        "CONNECT_ADMN_SASL_JAAS_CONFIG": "x",
        "LEFT_OVER": "x",
    });
    shop.seed(&json!({ "secrets": { NAME: stored.to_string() } }));
    let ran = shop.run(&["secrets", "check"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    for line in [
        "× CONNECT_ADMIN_SASL_JAAS_CONFIG is missing  (read by connect)",
        "× CONNECT_CONSUMER_SASL_JAAS_CONFIG is empty  (read by connect)",
        "× CONNECT_PRODUCER_SASL_JAAS_CONFIG begins or ends with a blank or a line break  (read by connect)",
        "× CONNECT_SASL_JAAS_CONFIG is not what its name says",
        "‼ CONNECT_ADMN_SASL_JAAS_CONFIG is read by nothing; did you mean CONNECT_ADMIN_SASL_JAAS_CONFIG?",
        "‼ LEFT_OVER is read by nothing",
    ] {
        assert!(ran.stdout.contains(line), "{line:?} is not in:\n{}", ran.stdout);
    }
}

#[test]
fn a_stored_text_that_is_no_json_is_told_without_quoting_it() {
    let shop = connect();
    shop.seed(&json!({ "secrets": { NAME: "hunter2 {" } }));
    let ran = shop.run(&["secrets", "check"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stdout.contains("it is not JSON") && !ran.stdout.contains("hunter2"), "{ran:?}");
}

#[test]
fn without_a_yes_nothing_is_stored() {
    let shop = connect();
    let ran = shop.run_with(&["secrets", "put", "connect", "--from", "-"], "username=a\npassword=b\n", &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("--yes"), "{ran:?}");
    assert_eq!(checked(&shop).1["secrets"][0]["state"], "absent");
}
