//! `explain`, from the command line in: pages, the list, a code that isn't there.

use serde_json::Value;

use crate::support::program::{run, run_with};

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_page_is_plain_text_within_eighty_columns() {
    let ran = run(folder().path(), &["explain", "ce402"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("CE402: rights on a topic\n\nWhat it means\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("      confluent-ecs acl commands --env dev\n"), "{}", ran.stdout);
    assert!(ran.stdout.lines().all(|line| line.chars().count() <= 80) && !ran.stdout.contains('\x1b'));
}

#[test]
fn the_same_as_json() {
    let ran = run(folder().path(), &["explain", "CE138", "--output", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((&document["schema"], &document["code"]), (&"confluent-ecs/explain/v1".into(), &"CE138".into()));
    assert_eq!(document["sections"][2]["heading"], "What to do");
    assert!(document["sections"][2]["blocks"][0]["text"].as_str().unwrap().contains("`\\uXXXX`"));
}

#[test]
fn an_unknown_code_offers_the_nearest() {
    let ran = run(folder().path(), &["explain", "CE4O2"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("there is no code CE4O2") && ran.stderr.contains("did you mean CE402?"), "{}", ran.stderr);
}

#[test]
fn without_a_code_all_are_listed() {
    let ran = run(folder().path(), &["explain"]);
    assert_eq!(ran.code, 0);
    assert!(ran.stdout.starts_with("configuration\n  CE101  a file can't be read\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\npermissions\n  CE401  "), "{}", ran.stdout);
}

/// Lines as programs wrote them (tests/data/logs): each file's first line names what must be found, in its order.
#[test]
fn logs_are_read_for_their_causes() {
    let logs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/logs");
    let mut seen = 0;
    for entry in std::fs::read_dir(logs).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let (wanted, log) = text.split_once('\n').unwrap();
        let ran = run_with(folder().path(), &["explain", "--output", "json"], log, &[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let found: Vec<&str> = document["causes"].as_array().unwrap().iter().map(|cause| cause["id"].as_str().unwrap()).collect();
        assert_eq!(found.join(" "), wanted.trim_start_matches("# "), "{}", path.display());
        seen += 1;
    }
    assert!(seen >= 3, "{seen} logs");
}

#[test]
fn a_cause_is_shown_with_its_line_and_without_secrets() {
    let log = "ok\nFATAL password=hunter2 SASL authentication error: Authentication failed\n\
               SASL authentication error: Authentication failed, sasl.jaas.config=x password=\"hunter2\"\n";
    let ran = run_with(folder().path(), &["explain"], log, &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout.starts_with("user name or password is refused  line 2, 2 times  R11\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("  fix    store it again") && ran.stdout.ends_with("1 cause in 3 lines\n"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("hunter2"), "{}", ran.stdout);
}

#[test]
fn a_log_without_a_known_cause_says_so() {
    let ran = run_with(folder().path(), &["explain"], "INFO all is well\n", &[]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "no cause that is known here in 1 line\n"));
    assert!(ran.stderr.contains("confluent-ecs preflight"));
}
