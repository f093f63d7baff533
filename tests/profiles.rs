//! `profiles`, from the command line in.

use serde_json::Value;

use crate::support::program::run;

#[test]
fn every_component_is_listed_and_can_be_shown() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["profiles", "list", "--output", "json"]);
    let list: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(list["schema"], "confluent-ecs/profiles-list/v1");
    let profiles = list["profiles"].as_array().unwrap();
    assert!(profiles.len() >= 4 && profiles.iter().any(|profile| profile["name"] == "connect"), "{list:#}");
    for profile in profiles {
        let name = profile["name"].as_str().unwrap();
        let text = run(folder.path(), &["profiles", "show", name]);
        assert!(text.code == 0 && text.stdout.contains(&format!("\nname: {name}\n")), "{name}: {text:?}");
        let shown = run(folder.path(), &["profiles", "show", name, "--output", "json"]);
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        for part in ["environment", "clients", "secret", "acls", "sizing", "settings"] {
            assert!(!shown["profile"][part].is_null(), "{name} has no {part}");
        }
    }
    let listed = run(folder.path(), &["profiles", "list"]);
    assert!(listed.stdout.starts_with("connect") && listed.stdout.contains("cp-server-connect"), "{}", listed.stdout);
}

#[test]
fn a_profile_is_found_by_an_image_and_a_wrong_name_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["profiles", "show", "confluentinc/cp-server-connect:8.0.7"]);
    assert!(ran.code == 0 && ran.stdout.contains("\nname: connect\n"));
    let ran = run(folder.path(), &["profiles", "show", "conect"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("did you mean connect?"), "{}", ran.stderr);
}
