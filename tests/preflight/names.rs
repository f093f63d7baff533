//! Names that lead elsewhere, or nowhere: the program in namespaces of its own, with the hosts and the resolver of the test and no network.

use std::process::Command;

use serde_json::Value;

use super::Project;
use crate::support::bed::all_brokers;

const PRIVATE: &str = "lkc-1abc.eu-west-1.aws.private.confluent.cloud:9092";
const ELSEWHERE: &str = "broker.example.org:9092";

/// What is wrong, as `CE301 failed public-address`, seen with these hosts, these sources of names (nsswitch), and these variables.
fn seen(bootstrap: &str, hosts: &str, sources: &str, variables: &[(&str, &str)]) -> (Vec<String>, Value) {
    // `init` would refuse a login that Confluent Cloud doesn't take.
    let project = Project::at("names", ELSEWHERE);
    let folder = project.folder.path();
    let environment = folder.join("envs/dev.yml");
    let text = std::fs::read_to_string(&environment).unwrap();
    assert!(text.contains(ELSEWHERE), "{text}");
    std::fs::write(&environment, text.replace(ELSEWHERE, bootstrap)).unwrap();
    let files =
        [("hosts", hosts), ("nsswitch.conf", sources), ("resolv.conf", "nameserver 192.0.2.1\noptions timeout:1 attempts:1\n")];
    let mounts = files.map(|(name, content)| {
        let file = folder.join(name);
        std::fs::write(&file, content).unwrap();
        format!("mount --bind '{}' \"$(readlink -f /etc/{name})\" && ", file.display())
    });
    let script = format!("{}exec \"$0\" \"$@\"", mounts.concat());
    let program = env!("CARGO_BIN_EXE_confluent-ecs");
    let arguments = ["preflight", "--env", "dev", "--secrets-file", "secret.json", "--only", "kafka", "--output", "json"];
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "--net", "sh", "-c", &script, program])
        .args(arguments)
        .current_dir(folder)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: this test needs user namespaces: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |check: &Value, key: &str| check[key].as_str().unwrap_or_default().to_owned();
    let mut found: Vec<String> = report["checks"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|check| !matches!(check["status"].as_str(), Some("passed" | "skipped")))
        .map(|check| format!("{} {} {}", text(check, "code"), text(check, "status"), text(check, "cause")))
        .collect();
    found.dedup();
    (found, report)
}

#[test]
fn names_that_lead_elsewhere_or_nowhere_have_their_own_causes() {
    let _brokers = all_brokers();
    let files = "hosts: files\n";
    let host = PRIVATE.split(':').next().unwrap();
    let at = |address: &str| format!("127.0.0.1 localhost\n{address} {host}\n{address} broker.example.com\n");
    let inside = [("ECS_CONTAINER_METADATA_URI_V4", "http://169.254.170.2/v4/x")];
    for (bootstrap, hosts, sources, variables, wanted) in [
        (PRIVATE, at("203.0.113.7"), files, &[][..], "CE301 failed public-address"),
        (PRIVATE, at("10.255.255.1"), files, &[], "CE302 unknown outside-vpc"),
        (PRIVATE, at("10.255.255.1"), files, &inside, "CE302 failed broker-unreachable"),
        (PRIVATE, String::new(), files, &[], "CE301 unknown outside-vpc"),
        (PRIVATE, String::new(), files, &inside, "CE301 failed name-not-found"),
        ("broker.example.com:9092", at("fd00::1"), files, &[], "CE302 unknown outside-vpc"),
        ("broker.example.com:9092", at("203.0.113.7"), files, &[], "CE302 failed broker-unreachable"),
        ("broker.example.com:9092", String::new(), files, &[], "CE301 failed name-not-found"),
        ("kafka.prod.internal:9092", String::new(), files, &[], "CE301 unknown outside-vpc"),
        ("kafka.prod.internal:9092", String::new(), files, &inside, "CE301 failed name-not-found"),
        // The one name server there is can't be reached.
        ("broker.example.com:9092", String::new(), "hosts: files dns\n", &[], "CE301 failed resolver-unavailable"),
    ] {
        let (found, report) = seen(bootstrap, &hosts, sources, variables);
        assert_eq!(found, [wanted], "{bootstrap} {hosts:?}\n{report:#}");
        let vantage = if variables.is_empty() { &["outside", "unknown"][..] } else { &["inside"] };
        assert!(vantage.contains(&report["vantage"].as_str().unwrap()), "{}", report["vantage"]);
        if wanted.contains("unknown") {
            assert_eq!(report["exit_code"], 0);
            let checks = report["checks"].as_array().unwrap();
            let check = checks.iter().find(|check| check["cause"] == "outside-vpc").unwrap();
            assert!(check["fixes"][0].to_string().contains("in the VPC"), "{check}");
        }
    }
}
