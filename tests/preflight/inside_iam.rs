//! `--in-vpc` on a cluster that lets in by IAM: it is the task's own role that logs in, with the credentials that ECS gives the container.

use serde_json::json;

use super::inside::{Inside, of};
use super::text;
use crate::support::bed::{all_brokers, bed};

/// The project's Connect logs in by IAM, and has no secret.
fn by_iam(inside: &Inside) {
    let path = inside.shop.project.folder.path().join("envs/dev.yml");
    let mut file: serde_yaml::Value = serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let service = file["services"]["connect"].as_mapping_mut().unwrap();
    service.remove("secrets");
    let environment = service["environment"].as_mapping_mut().unwrap();
    environment.insert("CONNECT_BOOTSTRAP_SERVERS".into(), text(&bed().facts("kafka")["bootstrap"]["IAM"]).into());
    for client in ["", "PRODUCER_", "CONSUMER_", "ADMIN_"] {
        let mut set = |name: &str, value: &str| environment.insert(format!("CONNECT_{client}{name}").into(), value.into());
        set("SASL_MECHANISM", "AWS_MSK_IAM");
        set("SASL_JAAS_CONFIG", "software.amazon.msk.auth.iam.IAMLoginModule required;");
        set("SASL_CLIENT_CALLBACK_HANDLER_CLASS", "software.amazon.msk.auth.iam.IAMClientCallbackHandler");
    }
    file.as_mapping_mut().unwrap().remove("secrets");
    // As on MSK, whose role is given its rights by the cluster's ARN.
    file["x-kafka"]["provider"] = "msk-iam".into();
    file["x-kafka"]["cluster"] = "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/0a1b2c3d-1".into();
    std::fs::write(path, serde_yaml::to_string(&file).unwrap()).unwrap();
}

#[test]
fn the_tasks_role_logs_in_with_the_credentials_of_its_container() {
    let _brokers = all_brokers();
    let inside = Inside::new("iamrole");
    by_iam(&inside);
    let key = bed().call("kafka/access_key", &json!({ "name": inside.shop.project.case.user, "session": true }));
    inside.behave(&json!({ "credentials": key }));
    let (ran, report) = inside.report(&["--only", "kafka", "kafka-acls"]);
    let login = of(&report, "CE304");
    assert!(!login.is_empty() && login.iter().all(|check| check["status"] == "passed"), "{report:#}");
    // Nothing is held back because somebody else's role was asked: it is the task's.
    assert!(login.iter().all(|check| text(&check["ran_as"]).contains("the task's role")), "{login:#?}");
    assert!(login.iter().all(|check| !text(&check["message"]).contains("a role of its own")), "{login:#?}");
    assert!(of(&report, "CE402").iter().all(|check| check["status"] == "passed"), "{report:#}");
    let secret = text(&key["secret_key"]);
    assert!(!ran.stdout.contains(&secret) && !ran.stderr.contains(&secret));

    // Keys that the cluster doesn't know, and no credentials at all.
    inside.behave(&json!({ "credentials": { "access_key": "AKIAUNKNOWN", "secret_key": secret } }));
    let (ran, report) = inside.report(&["--only", "kafka"]);
    assert_eq!(ran.code, 3, "{}\n{report:#}", ran.stderr);
    assert!(of(&report, "CE304").iter().any(|check| check["cause"] == "access-denied"), "{report:#}");
    // The address of the credentials is there, and says no: that is not the keys' fault.
    inside.behave(&json!({ "credentials": { "status": 403 } }));
    let (_, report) = inside.report(&["--only", "kafka"]);
    let login = of(&report, "CE304");
    let told = |words: &str| login.iter().any(|check| text(&check["message"]).contains(words));
    assert!(told("what gives the AWS credentials gave none") && told("403"), "{report:#}");
    inside.behave(&json!({}));
    let (ran, report) = inside.report(&["--only", "kafka"]);
    let login = of(&report, "CE304");
    assert!(login.iter().all(|check| check["status"] != "passed"), "{}\n{report:#}", ran.stderr);
    assert!(login.iter().any(|check| text(&check["message"]).contains("no AWS credentials were found")), "{report:#}");
}
