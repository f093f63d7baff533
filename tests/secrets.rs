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

/// A Connect project for an MSK cluster with SCRAM, and that cluster.
fn msk() -> (Deployment, String) {
    let shop = Deployment::empty();
    for file in ["docker-compose.yml", "envs/dev.yml"] {
        std::fs::remove_file(shop.path().join(file)).unwrap();
    }
    let cluster = shop.seed(&json!({ "msk_cluster": "orders" }))["msk_cluster"].as_str().unwrap().to_owned();
    let bootstrap = "b-1.orders.ab12cd.c2.kafka.eu-west-1.amazonaws.com:9096";
    let fixed = ["init", "connect", "--env", "dev", "-p", "shop", "--kafka", "msk-scram", "--bootstrap", bootstrap];
    let ran = run(shop.path(), &[&fixed[..], &["--cluster", &cluster]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    (shop, cluster)
}

const OF_MSK: &str = "AmazonMSK_shop-dev-connect";

/// The stored text of a secret, and the key that it is encrypted with.
fn stored(shop: &Deployment, name: &str) -> (Value, String) {
    let call = |operation: &str| -> Value {
        let answer = shop.aws_json("secretsmanager", operation, &json!({ "SecretId": name }));
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1.trim()).unwrap()
    };
    let text = call("GetSecretValue")["SecretString"].as_str().unwrap_or_else(|| panic!("{name}")).to_owned();
    (serde_json::from_str(&text).unwrap(), call("DescribeSecret")["KmsKeyId"].as_str().unwrap_or_default().to_owned())
}

/// Both secrets come from one answer; a second run stores nothing; what differs afterwards is told by key.
#[test]
fn amazon_msk_gets_its_user_with_the_components_secret() {
    let (shop, cluster) = msk();
    let first = put(&shop, PASSWORD);
    for line in [
        &format!("new secret {OF_MSK}"),
        "  + added      password",
        &format!("{OF_MSK} is given to {cluster}"),
        "new KMS key alias/shop-dev-msk-scram",
    ] {
        assert!(first.stderr.contains(line), "{line}: {first:?}");
    }
    assert!(first.stdout.contains(&format!("{OF_MSK} stored, version ")), "{first:?}");
    let (user, key) = stored(&shop, OF_MSK);
    assert_eq!(user, json!({ "username": "ABCDEFGH", "password": PASSWORD }));
    assert!(key.starts_with("arn:aws:kms:"), "{key}");

    let (code, states) = checked(&shop);
    let of_msk = &states["secrets"][1];
    assert_eq!((code, &of_msk["name"], &of_msk["faults"]), (0, &OF_MSK.into(), &json!([])));
    assert_eq!(of_msk["scram"], json!({ "associated": true, "own_key": true }));
    assert!(put(&shop, PASSWORD).stdout.contains("nothing was stored"));

    // Another password reaches both, in one run.
    let changed = put(&shop, "another");
    assert!(
        changed.stderr.contains("  ~ changed    password") && changed.stderr.contains("  = unchanged  username"),
        "{changed:?}"
    );
    assert_eq!(stored(&shop, OF_MSK).0["password"], "another");
    assert_eq!(checked(&shop).0, 0);

    // Somebody changes one of them alone.
    shop.aws_json(
        "secretsmanager",
        "PutSecretValue",
        &json!({ "SecretId": OF_MSK, "SecretString": json!({ "username": "ABCDEFGH", "password": "theirs" }).to_string() }),
    );
    let (code, states) = checked(&shop);
    assert_eq!((code, &states["secrets"][1]["faults"][0]["fault"]), (2, &"differs".into()));
    let shown = shop.run(&["secrets", "check"]);
    assert!(shown.stdout.contains("  × password differs from the login"), "{shown:?}");
    assert!(!shown.stdout.contains("theirs") && !shown.stdout.contains("another"), "{shown:?}");
    // The same answer mends it.
    let mended = put(&shop, "another");
    assert!(
        mended.stdout.contains(&format!("{OF_MSK} stored")) && mended.stdout.contains("holds all of it already"),
        "{mended:?}"
    );
    assert_eq!(checked(&shop).0, 0);

    // Whoever deploys may do all of this, on this cluster and these secrets.
    let policy = shop.run(&["iam-policy", "--account", "111122223333", "--region", "eu-west-1"]).stdout;
    for part in [
        "kafka:BatchAssociateScramSecret",
        &cluster,
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:AmazonMSK_*",
        "arn:aws:kms:eu-west-1:111122223333:alias/shop-dev-msk-scram",
        "kms:CreateKey",
    ] {
        assert!(policy.contains(part), "{part}\n{policy}");
    }
}

/// Accounts of their own for clients are users of their own; a secret that somebody else gave the cluster is taken for its user.
#[test]
fn each_user_of_amazon_msk_is_a_secret() {
    let (shop, cluster) = msk();
    let wrong = shop.run_with(
        &["secrets", "put", "connect", "--from", "-", "--yes", "--kms-key", "alias/none"],
        "username=new\npassword=b\n",
        &[],
    );
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.stderr.contains("there is no key alias/none"), "{wrong:?}");

    let theirs = json!({ "username": "producer", "password": "old" }).to_string();
    let key: Value = {
        let answer = shop.aws_json("TrentService", "CreateKey", &json!({}));
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1.trim()).unwrap()
    };
    let key = key["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
    let made = json!({ "Name": "AmazonMSK_of-another-team", "SecretString": theirs, "KmsKeyId": key });
    let made = shop.aws_json("secretsmanager", "CreateSecret", &made);
    let arn: Value = serde_json::from_str(made.split_once("\r\n\r\n").unwrap().1.trim()).unwrap();
    shop.associate(&cluster, arn["ARN"].as_str().unwrap());

    let answers = "username=worker\npassword=one\nproducer.username=producer\nproducer.password=two\nconsumer.username=consumer\nconsumer.password=three\n";
    let alias = format!("alias/{}", "mine");
    shop.aws_json("TrentService", "CreateAlias", &json!({ "AliasName": alias, "TargetKeyId": key }));
    let arguments = ["secrets", "put", "connect", "--from", "-", "--yes", "--kms-key", &alias, "--output", "json"];
    let ran = shop.run_with(&arguments, answers, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let put: Value = serde_json::from_str(&ran.stdout).unwrap();
    let names: Vec<&str> = put["scram"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap()).collect();
    assert_eq!(names, [OF_MSK, "AmazonMSK_of-another-team", "AmazonMSK_shop-dev-connect-consumer"]);
    assert_eq!(stored(&shop, "AmazonMSK_of-another-team").0["password"], "two");
    assert_eq!(stored(&shop, "AmazonMSK_shop-dev-connect-consumer").0, json!({ "username": "consumer", "password": "three" }));
    assert_eq!(checked(&shop).0, 0);
}

/// What Amazon MSK can't read, and what it was never told of, is said.
#[test]
fn a_user_that_amazon_msk_cannot_have_is_told() {
    let (shop, _) = msk();
    put(&shop, PASSWORD);
    shop.aws_json("secretsmanager", "DeleteSecret", &json!({ "SecretId": OF_MSK, "ForceDeleteWithoutRecovery": true }));
    let (code, states) = checked(&shop);
    assert_eq!((code, &states["secrets"][1]["state"]), (2, &"absent".into()));
    let user = json!({ "username": "ABCDEFGH", "password": PASSWORD }).to_string();
    shop.aws_json("secretsmanager", "CreateSecret", &json!({ "Name": OF_MSK, "SecretString": user }));
    let (code, states) = checked(&shop);
    assert_eq!((code, &states["secrets"][1]["scram"]), (2, &json!({ "associated": false, "own_key": false })));
    let shown = shop.run(&["secrets", "check"]);
    for line in ["× is not encrypted with a key of the account's own", "× is not given to the cluster"] {
        assert!(shown.stdout.contains(line), "{shown:?}");
    }
}
