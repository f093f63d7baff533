//! What somebody meets who has just installed it: help, an empty folder, output that goes nowhere.

use std::fs::{self, OpenOptions};
use std::process::{Command, Stdio};

use crate::support::deployment::holds;
use crate::support::program::{run, run_with};

const PLAIN: &str = "name: shop\nservices:\n  worker:\n    image: acme/worker:1\n";

#[test]
fn help_begins_with_what_is_typed_first_and_says_how_to_begin() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["--help"]);
    assert_eq!(help.code, 0);
    let verbs: Vec<&str> = help.stdout.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next()).collect();
    assert_eq!(verbs[..4], ["init", "preflight", "plan", "up"], "{}", help.stdout);
    holds(&help.stdout, &["From an empty folder:\n  confluent-ecs init connect --env dev"]);
}

#[test]
fn the_flags_of_a_verb_stand_under_the_heading_that_they_belong_to() {
    let folder = tempfile::tempdir().unwrap();
    let help = run(folder.path(), &["up", "--help"]).stdout;
    let section = |heading: &str, next: &str| {
        let (_, rest) = help.split_once(&format!("\n{heading}:\n")).unwrap();
        rest.split_once(&format!("\n{next}:\n")).unwrap().0.to_owned()
    };
    let inside = section("Inside the VPC", "Watching");
    assert!(inside.contains("--in-vpc-timeout") && !inside.contains("--on-failing"), "{help}");
    assert!(section("Watching", "Project").contains("--on-failing"), "{help}");
}

#[test]
fn in_an_empty_folder_the_way_in_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for verb in [["config"].as_slice(), &["up", "--yes"], &["preflight"], &["secrets", "list"], &["status"]] {
        let ran = run(folder.path(), verb);
        assert_eq!(ran.code, 2, "{ran:?}");
        holds(
            &ran.stderr,
            &["error[CE125]: no configuration file provided", "`confluent-ecs init` writes one; -f names another"],
        );
        assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    }
    let empty = run_with(folder.path(), &["-f", "-", "config"], "", &[]);
    holds(&empty.stderr, &["standard input is empty"]);
}

#[test]
fn a_result_that_a_full_disk_cuts_short_is_no_success_and_a_reader_that_leaves_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), PLAIN).unwrap();
    let program = |arguments: &[&str], out: Stdio| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("confluent-ecs"));
        command.args(arguments).current_dir(folder.path()).env_clear().stdin(Stdio::null()).stdout(out);
        let ran = command.output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
    };
    let (code, said) = program(&["render", "-d", "compose.yml"], Stdio::null());
    assert_eq!(code, Some(2), "{said}");
    holds(&said, &["error: compose.yml is no folder"]);
    for verb in [["render"].as_slice(), &["config"], &["config", "--format", "json"], &["explain"], &["profiles", "list"]] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let (code, said) = program(verb, full.into());
        assert_eq!(code, Some(1), "{verb:?}: {said}");
        holds(&said, &["error: the result could not be written to standard output", "No space left on device"]);
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (code, said) = program(verb, writer.into());
        assert_eq!(code, Some(0), "{verb:?}: {said}");
    }
}
