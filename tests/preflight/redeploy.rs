//! A project's own workers, deployed by `up` and looked at again, from the command line in: they are no finding, somebody else's are.

use serde_json::{Value, json};

use super::others::worker;
use super::{Project, text};
use crate::support::bed::{all_brokers, bed};
use crate::support::program::run_with;

#[test]
fn a_redeploy_over_ones_own_workers_is_no_finding() {
    let _brokers = all_brokers();
    let mut project = Project::new("redeploy");
    let name = format!("{}-dev", project.case.group);
    let account = bed().call("aws/new_account", &json!({}));
    let secret = std::fs::read_to_string(project.folder.path().join("secret.json")).unwrap();
    bed().call(
        "aws/seed",
        &json!({
            "account": account["account"], "name": "shared", "tiers": ["public", "application"], "cluster": "kafka",
            "secrets": { format!("/kafka/self-managed/{name}/connect"): secret },
        }),
    );
    let variables: Vec<(String, String)> =
        account["env"].as_object().unwrap().iter().map(|(name, value)| (name.clone(), text(value))).collect();
    // The names that `init` chose, for a worker of the bed's.
    let group = format!("{name}-connect");
    let mut case = std::mem::replace(&mut project.case, super::Case::new("redeploy"));
    case.settings.insert("CONNECT_GROUP_ID".into(), group.clone());
    case.acls("add", "GROUP", &group, &["READ"]);
    for topic in ["CONFIG", "OFFSET", "STATUS"] {
        let kind = match topic {
            "CONFIG" => "configs",
            "OFFSET" => "offsets",
            _ => "status",
        };
        let named = format!("{group}-{kind}");
        case.acls("add", "TOPIC", &named, &["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"]);
        case.settings.insert(format!("CONNECT_{topic}_STORAGE_TOPIC"), named);
    }
    let run = |arguments: &[&str]| {
        let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        run_with(project.folder.path(), arguments, "", &variables)
    };
    let ran = run(&["up", "--env", "dev", "--yes", "--skip-preflight"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let members = || {
        let ran = run(&["preflight", "--env", "dev", "--only", "collisions", "--output", "json"]);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        report["checks"].as_array().unwrap().iter().find(|check| check["code"] == "CE409").unwrap().clone()
    };
    assert_eq!(members()["message"], "nobody is in it");

    let running = worker(&case, "10.250.0.9");
    let check = members();
    assert_eq!(check["status"], "failed", "{check:#}");
    assert!(text(&check["message"]).contains("http://10.250.0.9:"), "{check:#}");
    let own: Vec<String> = check["expected"].as_array().unwrap().iter().map(text).collect();
    assert_eq!(own.len(), 2, "{check:#}");
    bed().call("connect/stop", &json!({ "id": running["id"] }));

    let running = worker(&case, &own[0]);
    let check = members();
    assert_eq!(check["status"], "passed", "{check:#}");
    bed().call("connect/stop", &json!({ "id": running["id"] }));
}
