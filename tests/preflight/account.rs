//! The account's part, from the command line in, on the bed's AWS: each fault has its code, and what is right passes. Nothing is changed.

use serde_json::{Value, json};

use super::{Project, schema, text};
use crate::support::bed::{all_brokers, bed};
use crate::support::program::run_with;

pub(super) struct Shop {
    pub(super) project: Project,
    pub(super) account: String,
    pub(super) variables: Vec<(String, String)>,
    pub(super) seeded: Value,
    /// The name of its secret.
    secret: String,
}

impl Shop {
    pub(super) fn new(name: &str) -> Self {
        let project = Project::new(name);
        let made = bed().call("aws/new_account", &json!({}));
        let variables =
            made["env"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect::<Vec<_>>();
        let stored: Value =
            serde_json::from_str(&std::fs::read_to_string(project.folder.path().join("secret.json")).unwrap()).unwrap();
        let secret = format!("/kafka/self-managed/{}-dev/connect", project.case.group);
        let seeded = bed().call(
            "aws/seed",
            &json!({ "account": made["account"], "name": "shared", "tiers": ["public", "application"], "cluster": "kafka",
                "capacity_providers": ["FARGATE"], "secrets": { &secret: stored.to_string() } }),
        );
        let shop = Self { project, account: text(&made["account"]), variables, seeded, secret };
        // An image of the bed's own registry, which has it.
        let registry = text(&bed().facts("registry")["open"]);
        crate::images::make(&registry, "confluentinc/cp-kafka-connect:8.0.7", &["amd64"], 1000);
        shop.write("docker-compose.yml", |file| {
            file.replace("confluentinc/cp-kafka-connect", &format!("{registry}/confluentinc/cp-kafka-connect"))
        });
        shop
    }

    fn write(&self, file: &str, change: impl Fn(&str) -> String) {
        let path = self.project.folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        let changed = change(&text);
        assert_ne!(changed, text, "{file}: {text}");
        std::fs::write(path, changed).unwrap();
    }

    fn report(&self) -> (i32, Value) {
        let variables: Vec<(&str, &str)> = self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let arguments = ["preflight", "--env", "dev", "--only", "aws", "secrets", "--output", "json"];
        let ran = run_with(self.project.folder.path(), &arguments, "", &variables);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        schema().validate(&report).unwrap();
        assert!(!ran.stdout.contains(&self.project.case.password), "a password was printed");
        (ran.code, report)
    }

    /// What did not pass, each with its message.
    fn troubles(&self) -> Vec<(String, String)> {
        let (code, report) = self.report();
        let found: Vec<(String, String)> = report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| !matches!(check["status"].as_str(), Some("passed" | "skipped")))
            .map(|check| (format!("{} {}", text(&check["code"]), text(&check["status"])), text(&check["message"])))
            .collect();
        let failed = found.iter().any(|(what, _)| what.ends_with("failed"));
        assert_eq!(code, if failed { 3 } else { 0 }, "{found:?}");
        found
    }

    #[track_caller]
    fn expect(&self, code: &str, says: &str) {
        let found = self.troubles();
        assert!(found.len() == 1 && found[0].0 == code && found[0].1.contains(says), "{code} {says}: {found:#?}");
    }

    pub(super) fn aws(&self, service: &str, operation: &str, body: &Value) -> Value {
        let endpoint = self.variables.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL").unwrap().1.clone();
        let signed = format!("AWS4-HMAC-SHA256 Credential={}/20260101/eu-west-1/{service}/aws4_request", self.account);
        let target = match service {
            "kms" => "TrentService",
            other => other,
        };
        let output = std::process::Command::new("curl")
            .args([
                "--silent",
                "--max-time",
                "300",
                "-H",
                &format!("Authorization: {signed}"),
                "-H",
                &format!("X-Amz-Target: {target}.{operation}"),
            ])
            .args(["-H", "Content-Type: application/x-amz-json-1.1", "-d", &body.to_string(), &endpoint])
            .output()
            .unwrap();
        serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
    }

    /// A call of a service that takes a form; its answer as it is.
    pub(super) fn form(&self, service: &str, version: &str, fields: &[(&str, &str)]) -> String {
        let endpoint = self.variables.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL").unwrap().1.clone();
        let scope = if service == "iam" { "us-east-1/iam".to_owned() } else { format!("eu-west-1/{service}") };
        let signed = format!("Authorization: AWS4-HMAC-SHA256 Credential={}/20260101/{scope}/aws4_request", self.account);
        let mut curl = std::process::Command::new("curl");
        curl.args(["--silent", "--show-error", "--fail-with-body", "--max-time", "300", "-H", &signed, &endpoint]);
        curl.args(["--data-urlencode", &format!("Version={version}")]);
        for (name, value) in fields {
            curl.args(["--data-urlencode", &format!("{name}={value}")]);
        }
        let ran = curl.output().unwrap();
        let answer = String::from_utf8(ran.stdout).unwrap();
        assert!(ran.status.success(), "{answer}");
        answer
    }

    /// A managed policy of the account; its ARN.
    fn managed_policy(&self, name: &str, document: &Value) -> String {
        let document = document.to_string();
        self.form("iam", "2010-05-08", &[("Action", "CreatePolicy"), ("PolicyName", name), ("PolicyDocument", &document)]);
        format!("arn:aws:iam::{}:policy/{name}", self.account)
    }

    /// A key of KMS with this policy; its ARN.
    fn key(&self, policy: &Value) -> String {
        let key = self.aws("kms", "CreateKey", &json!({ "Policy": policy.to_string() }));
        text(&key["KeyMetadata"]["Arn"])
    }

    fn encrypt_with(&self, key: &str) {
        self.aws("secretsmanager", "UpdateSecret", &json!({ "SecretId": self.secret, "KmsKeyId": key }));
    }
}

fn policy(effect: &str, principal: &str, action: &str) -> Value {
    json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "One", "Effect": effect, "Principal": { "AWS": principal },
        "Action": action, "Resource": "*" }] })
}

#[test]
fn an_account_that_has_all_passes_and_each_check_says_what_it_saw() {
    let _brokers = all_brokers();
    let shop = Shop::new("account");
    let (code, report) = shop.report();
    assert_eq!((code, shop.troubles()), (0, Vec::new()), "{report:#}");
    let said = |code: &str| {
        let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["code"] == code);
        let said: Vec<String> = checks.map(|check| format!("{} {}", text(&check["status"]), text(&check["message"]))).collect();
        assert!(!said.is_empty(), "{code}: {report:#}");
        said.join("\n")
    };
    for (code, says) in [
        ("CE201", "passed arn:aws:"),
        ("CE211", "passed has all 4 keys connect reads"),
        ("CE220", "each found once"),
        ("CE221", "3 subnets in 3 zones, "),
        ("CE241", "passed through nat-"),
        ("CE242", &format!("passed may read {}", shop.secret)),
        ("CE242", "passed may write its log"),
        ("CE243", "for amd64, sha256:"),
        ("CE244", "passed none is named"),
        ("CE610", "passed CloudFormation takes the template"),
    ] {
        assert!(said(code).contains(says), "{code}: {}", said(code));
    }
}

#[test]
fn without_credentials_each_check_is_skipped_with_its_reason() {
    let _brokers = all_brokers();
    let project = Project::new("no-account");
    let variables = [("AWS_EC2_METADATA_DISABLED", "true"), ("AWS_REGION", "eu-west-1")];
    let arguments = ["preflight", "--env", "dev", "--only", "aws", "--output", "json"];
    let ran = run_with(project.folder.path(), &arguments, "", &variables);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    let checks = report["checks"].as_array().unwrap();
    let codes: Vec<String> = checks.iter().map(|check| text(&check["code"])).collect();
    assert_eq!(codes, ["CE201", "CE220", "CE221", "CE241", "CE242", "CE243", "CE244", "CE610"]);
    for check in checks {
        assert!(check["status"] == "skipped" && text(&check["message"]) == "no AWS credentials were found", "{check}");
    }
}

#[test]
fn what_an_account_lacks_is_found_before_the_deploy() {
    let _brokers = all_brokers();
    let shop = Shop::new("lacks");
    // A lookup that finds nothing; what hangs on it is skipped, not failed.
    shop.write("envs/dev.yml", |file| file.replace("Name: shared", "Name: shred"));
    let found = shop.troubles();
    assert!(found.iter().any(|(what, said)| what == "CE220 failed" && said.contains("tagged Name=shred")), "{found:#?}");
    shop.write("envs/dev.yml", |file| file.replace("Name: shred", "Name: shared"));
    // An image that isn't there, and one for another processor.
    let registry = text(&bed().facts("registry")["open"]);
    shop.write("docker-compose.yml", |file| file.replace("cp-kafka-connect:8.0.7", "cp-kafka-connect:8.0.99"));
    shop.expect("CE243 failed", "there is no");
    crate::images::make(&registry, "confluentinc/cp-kafka-connect:8.0.98", &["arm64"], 1000);
    shop.write("docker-compose.yml", |file| file.replace("cp-kafka-connect:8.0.99", "cp-kafka-connect:8.0.98"));
    shop.expect("CE243 failed", "the task is linux/amd64");
    shop.write("docker-compose.yml", |file| file.replace("cp-kafka-connect:8.0.98", "cp-kafka-connect:8.0.7"));
    // More tasks than addresses: a small network of its own.
    bed().call("aws/seed", &json!({ "account": shop.account, "name": "small", "cidr": "10.9.0.0/26", "tiers": ["public", "application"], "zones": 2 }));
    shop.write("envs/dev.yml", |file| file.replace("Name: shared", "Name: small"));
    shop.write("envs/dev.yml", |file| file.replace("replicas: 2", "replicas: 30"));
    let found = shop.troubles();
    assert!(found.iter().any(|(what, said)| what == "CE221 failed" && said.contains("free addresses needed")), "{found:#?}");
}

#[test]
fn a_secret_that_the_role_may_not_read_is_found() {
    let _brokers = all_brokers();
    let shop = Shop::new("unread");
    let root = format!("arn:aws:iam::{}:root", shop.account);
    let put = |policy: &Value| {
        let body = json!({ "SecretId": shop.secret, "ResourcePolicy": policy.to_string(), "BlockPublicPolicy": false });
        shop.aws("secretsmanager", "PutResourcePolicy", &body);
    };
    put(&policy("Deny", "*", "secretsmanager:GetSecretValue"));
    shop.expect("CE242 failed", "the statement One in the policy of");
    let mut depends = policy("Deny", "*", "secretsmanager:GetSecretValue");
    depends["Statement"][0]["Condition"] = json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } });
    put(&depends);
    shop.expect("CE242 unknown", "aws:SourceVpce");
    put(&policy("Allow", &root, "secretsmanager:GetSecretValue"));
    assert_eq!(shop.troubles(), []);
    // The key's policy.
    shop.encrypt_with(&shop.key(&policy("Allow", &format!("arn:aws:iam::{}:role/admin", shop.account), "kms:*")));
    shop.expect("CE242 failed", "neither lets the account's own policies decide");
    let good = shop.key(&policy("Allow", &root, "kms:*"));
    shop.encrypt_with(&good);
    assert_eq!(shop.troubles(), []);
    shop.aws("kms", "DisableKey", &json!({ "KeyId": good }));
    shop.expect("CE242 failed", "is Disabled");
}

#[test]
fn a_subnet_without_a_way_out_is_found() {
    let _brokers = all_brokers();
    let shop = Shop::new("closed");
    // The same names in another VPC, with nothing but the local route.
    bed().call("aws/seed", &json!({ "account": shop.account, "name": "closed", "tiers": ["application"] }));
    shop.write("envs/dev.yml", |file| file.replace("Name: shared", "Name: closed"));
    let found = shop.troubles();
    assert!(
        found.iter().any(|(what, said)| what == "CE241 failed" && said.contains("no route leads out of the VPC")),
        "{found:#?}"
    );
    assert!(shop.seeded["vpc"].is_string());
}

/// A service's own keys under `services.connect` of the environment's file.
fn service_key(shop: &Shop, text: &str) {
    shop.write("envs/dev.yml", |file| file.replacen("    deploy:\n", &format!("{text}    deploy:\n"), 1));
}

#[test]
fn a_capacity_provider_that_the_cluster_lacks_is_found_with_the_command_that_adds_it() {
    let _brokers = all_brokers();
    let shop = Shop::new("spot");
    service_key(
        &shop,
        "    x-ecs: { CapacityProviderStrategy: [{ CapacityProvider: FARGATE, Weight: 2 }, { CapacityProvider: FARGATE_SPOT, Weight: 1 }] }\n",
    );
    shop.expect("CE244 failed", "FARGATE_SPOT is not associated with kafka");
    let (_, report) = shop.report();
    let check = report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "CE244").unwrap().clone();
    let argv: Vec<String> = check["fixes"][0]["argv"].as_array().unwrap().iter().map(text).collect();
    assert!(
        argv.join(" ")
            .starts_with("aws ecs put-cluster-capacity-providers --cluster kafka --capacity-providers FARGATE FARGATE_SPOT"),
        "{argv:?}"
    );
    let body =
        json!({ "cluster": "kafka", "capacityProviders": ["FARGATE", "FARGATE_SPOT"], "defaultCapacityProviderStrategy": [] });
    shop.aws("ecs", "PutClusterCapacityProviders", &body);
    assert_eq!(shop.troubles(), []);
}

#[test]
fn a_boundary_that_takes_away_what_the_roles_need_is_found() {
    let _brokers = all_brokers();
    let shop = Shop::new("boundary");
    let allow = |actions: &[&str]| json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] });
    let all = shop.managed_policy("all", &allow(&["logs:*", "secretsmanager:*", "kms:*"]));
    let no_logs = shop.managed_policy("no-logs", &allow(&["secretsmanager:*", "kms:*"]));
    let no_secrets = shop.managed_policy("no-secrets", &allow(&["logs:*"]));
    service_key(&shop, &format!("    x-iam: {{ PermissionsBoundary: {all} }}\n"));
    assert_eq!(shop.troubles(), []);
    shop.write("envs/dev.yml", |file| file.replace(&all, &no_logs));
    shop.expect("CE242 failed", &format!("the boundary {no_logs} does not allow logs:CreateLogStream"));
    shop.write("envs/dev.yml", |file| file.replace(&no_logs, &no_secrets));
    let found = shop.troubles();
    assert!(
        !found.is_empty()
            && found
                .iter()
                .all(|(code, said)| code == "CE242 failed" && said.contains("does not allow secretsmanager:GetSecretValue")),
        "{found:#?}"
    );
    shop.write("envs/dev.yml", |file| file.replace(&no_secrets, "arn:aws:iam::111122223333:policy/nobodys"));
    let found = shop.troubles();
    assert!(
        !found.is_empty() && found.iter().all(|(code, said)| code == "CE242 unknown" && said.contains("could not be read")),
        "{found:#?}"
    );
}
