//! The README, held to its word: every command in it runs, in its order, in an empty folder, as a user would type it.
//!
//! A block marked `sh` is run by bash. A line set in four blanks names a script of ours or shows what is run elsewhere (the demo, the
//! tests, `cargo install`): it must at least be there. What the demo printed stands between marks, and its commands must be the demo's.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::bed::bed;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn readme() -> String {
    fs::read_to_string(root().join("README.md")).unwrap()
}

/// The blocks between ```` ```kind ```` and ```` ``` ````.
fn blocks(text: &str, kind: &str) -> Vec<String> {
    let opening = format!("\n```{kind}\n");
    text.split(&opening).skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default().to_owned()).collect()
}

/// A user's account, cluster and password manager, with all rights that the project of the README needs.
fn world(folder: &Path) -> Vec<(String, String)> {
    let kafka = bed().facts("kafka");
    bed().facts("aws");
    let account = bed().call("aws/new_account", &json!({}));
    let number = &account["account"];
    bed().call("aws/seed", &json!({"account": number, "name": "shared", "tiers": ["public", "application"], "cluster": "kafka"}));
    let user = bed().call("kafka/user", &json!({"name": "readme"}));
    let topic = |name: &str| {
        json!({"principal": "User:readme", "resource": "topic", "name": format!("orders-dev-connect-{name}"),
               "operation": ["create", "read", "write", "describe_configs"]})
    };
    let group = json!({"principal": "User:readme", "resource": "group", "name": "orders-dev-connect", "operation": "read"});
    bed().call("kafka/acls", &json!({"add": [group, topic("configs"), topic("offsets"), topic("status")]}));

    let copy = |from: &serde_json::Value, to: &str| fs::copy(from.as_str().unwrap(), folder.join(to)).unwrap();
    copy(&kafka["tls"]["ca"], "ca.pem");
    copy(&kafka["command_config"], "admin.properties");
    let bin = folder.join(".bin");
    fs::create_dir(&bin).unwrap();
    let answers = format!("username=readme\npassword={}\n", user["password"].as_str().unwrap());
    fs::write(folder.join(".answers"), answers).unwrap();
    let pass = bin.join("pass");
    fs::write(&pass, format!("#!/bin/sh\ncat '{}'\n", folder.join(".answers").display())).unwrap();
    Command::new("chmod").args(["+x".as_ref(), pass.as_os_str()]).status().unwrap();

    let program = Path::new(env!("CARGO_BIN_EXE_confluent-ecs")).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap();
    let mut variables = vec![
        ("PATH".to_owned(), format!("{}:{program}:{path}", bin.display())),
        ("HOME".to_owned(), folder.display().to_string()),
        ("BOOTSTRAP".to_owned(), kafka["bootstrap"]["SASL_SSL"].as_str().unwrap().to_owned()),
    ];
    for (name, value) in account["env"].as_object().unwrap() {
        variables.push((name.clone(), value.as_str().unwrap().to_owned()));
    }
    variables
}

#[test]
fn every_command_of_the_readme_runs() {
    let folder = tempfile::tempdir().unwrap();
    let variables = world(folder.path());
    let blocks = blocks(&readme(), "sh");
    assert!(blocks.len() >= 4, "the README has lost its commands");
    for block in blocks {
        let output = Command::new("bash")
            .args(["-euo", "pipefail", "-c", &block])
            .current_dir(folder.path())
            .env_clear()
            .envs(variables.iter().cloned())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{block}\nended with {}:\n{said}", output.status);
    }
}

#[test]
fn what_the_readme_shows_of_the_demo_is_what_the_demo_runs() {
    let demo = fs::read_to_string(root().join("tests/demo")).unwrap();
    let shown = blocks(&readme(), "console").join("\n");
    // The fix is what preflight printed; the demo takes it from there.
    let commands: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("$ confluent-ecs ")).collect();
    assert!(commands.len() >= 7, "the README shows {} commands of the demo", commands.len());
    for command in commands {
        assert!(demo.contains(command), "the demo does not run: confluent-ecs {command}");
    }
}

#[test]
fn the_scripts_that_the_readme_names_are_there() {
    for line in readme().lines().filter_map(|line| line.strip_prefix("    tests/")) {
        let script = line.split_whitespace().next().unwrap_or_default();
        assert!(root().join("tests").join(script).is_file(), "tests/{script} is not there");
    }
}
