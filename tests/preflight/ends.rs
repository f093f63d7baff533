//! How the verb ends and what it prints where: exit codes, what is left out, annotations.

use serde_json::Value;

use super::{Project, text};
use crate::support::bed::{all_brokers, bed};
use crate::support::program::{Ran, run_with};

fn preflight(project: &Project, more: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut arguments = vec!["preflight", "--env", "dev", "--secrets-file", "secret.json"];
    arguments.extend(more);
    let ran = run_with(project.folder.path(), &arguments, "", variables);
    assert!(
        !ran.stdout.contains(&project.case.password) && !ran.stderr.contains(&project.case.password),
        "a password was printed"
    );
    ran
}

/// A project with every right but that to read the configuration of topics, without which Connect does.
fn almost(name: &str) -> Project {
    let project = Project::new(name);
    let group = format!("{}-dev-connect", project.case.group);
    project.case.acls("add", "GROUP", &group, &["READ"]);
    for kind in ["configs", "offsets", "status"] {
        project.case.acls("add", "TOPIC", &format!("{group}-{kind}"), &["READ", "WRITE", "CREATE"]);
    }
    project
}

#[test]
fn each_exit_code_has_its_reason() {
    let _brokers = all_brokers();
    let project = almost("exits");
    assert_eq!(preflight(&project, &[], &[]).code, 0);
    assert_eq!(preflight(&project, &["--strict"], &[]).code, 4);
    assert_eq!(preflight(&project, &["--strict", "--skip", "kafka-acls"], &[]).code, 0);
    let ran = preflight(&project, &["--short"], &[]);
    assert!(ran.stdout.contains("CE407") && !ran.stdout.contains("CE402"), "{}", ran.stdout);
    let ran = preflight(&project, &["--only", "kafka-acls", "--output", "json", "--strict"], &[]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &report["exit_code"]), (4, &4.into()));
    assert!(report["checks"].as_array().unwrap().iter().all(|check| check["category"] == "kafka-acls"), "{report:#}");
    // What may go away by itself.
    let path = project.folder.path().join("envs/dev.yml");
    let servers = text(&bed().facts("kafka")["bootstrap"]["SASL_SSL"]);
    let refused = text(&bed().facts("faults")["refused"]);
    let file = std::fs::read_to_string(&path).unwrap().replace(&servers, &refused);
    std::fs::write(&path, file).unwrap();
    let ran = preflight(&project, &["--wait", "3s"], &[]);
    assert_eq!(ran.code, 9, "{}", ran.stdout);
    assert!(ran.stderr.contains("trying again"), "{}", ran.stderr);
    assert_eq!(preflight(&project, &["--wait", "soon"], &[]).code, 2);
}

#[test]
fn findings_are_annotations_under_github_actions() {
    let _brokers = all_brokers();
    let project = almost("actions");
    let group = format!("{}-dev-connect", project.case.group);
    project.case.acls("remove", "GROUP", &group, &["READ"]);
    let summary = project.folder.path().join("summary.md");
    let ran = preflight(&project, &[], &[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())]);
    assert_eq!(ran.code, 3);
    let annotation = |level: &str, code: &str| {
        let start = format!("::{level} title={code},file=");
        ran.stderr.lines().any(|line| line.starts_with(&start) && line.contains(",line="))
    };
    let summary = std::fs::read_to_string(summary).unwrap();
    assert!(summary.starts_with("### preflight") && summary.contains("CE401") && summary.contains("1 failed"), "{summary}");
    assert!(annotation("error", "CE401") && annotation("warning", "CE407"), "{}", ran.stderr);
}
