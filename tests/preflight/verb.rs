//! The verb itself, on a project that `init` wrote.

use serde_json::{Value, json};

use super::{Project, schema, text};
use crate::support::bed::{all_brokers, bed};

#[test]
fn the_fix_run_as_it_is_printed_makes_the_verb_pass() {
    let _brokers = all_brokers();
    let mut project = Project::new("verb");
    assert_eq!(project.preflight(&[]), 3, "{}", project.output);
    for shown in
        ["kafka-acls", "× ", "fix   kafka-acls --bootstrap-server", "next: run the fix, then  confluent-ecs preflight --env dev"]
    {
        assert!(project.output.contains(shown), "{shown} is not in\n{}", project.output);
    }
    assert_eq!(project.preflight(&["--output", "json"]), 3, "{}", project.output);
    let report: Value = serde_json::from_str(&project.output).unwrap();
    schema().validate(&report).unwrap();
    let tools = text(&bed().facts("kafka")["bin"]);
    let path = format!("{tools}:{}", std::env::var("PATH").unwrap());
    let mut done = std::collections::BTreeSet::new();
    for fix in report["checks"].as_array().unwrap().iter().flat_map(|check| check["fixes"].as_array().unwrap()) {
        let Some(argv) = fix["argv"].as_array().filter(|argv| done.insert(json!(argv).to_string())) else { continue };
        let words: Vec<&str> = argv.iter().map(|word| word.as_str().unwrap()).collect();
        let ran =
            std::process::Command::new(format!("{tools}/{}", words[0])).args(&words[1..]).env("PATH", &path).output().unwrap();
        assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    assert_eq!(done.len(), 2);
    assert_eq!(project.preflight(&["--wait", "20s"]), 0, "{}", project.output);
    assert!(project.output.contains(" passed, 8 skipped in "), "{}", project.output);
    assert_eq!(project.preflight(&["--strict", "--only", "kafka-acls"]), 0, "{}", project.output);
}

#[test]
fn the_verb_ends_as_the_interface_says() {
    let _brokers = all_brokers();
    let mut project = Project::new("ends");
    project.store("a-password-of-nobody");
    assert_eq!(project.preflight(&["--short"]), 3, "{}", project.output);
    assert!(project.output.contains("bad-credentials") && !project.output.contains('✓'), "{}", project.output);
    assert!(!project.output.contains("a-password-of-nobody"), "a password was printed");

    std::fs::write(project.folder.path().join("secret.json"), r#"{"CONNECT_SASL_JAAS_CONFIG": ""}"#).unwrap();
    assert_eq!(project.preflight(&["--only", "secrets"]), 3, "{}", project.output);
    assert!(project.output.contains("CONNECT_ADMIN_SASL_JAAS_CONFIG") && project.output.contains("CE211"), "{}", project.output);

    assert_eq!(project.preflight(&["--only", "everything"]), 2, "{}", project.output);
    std::fs::write(project.folder.path().join("secret.json"), "{").unwrap();
    assert_eq!(project.preflight(&[]), 2, "{}", project.output);
    assert_eq!(project.run(&["preflight", "--env", "dev", "--secrets-file", "nowhere.json"]), 2, "{}", project.output);
}
