//! `profiles`, from the command line in.

use std::fs;
use std::path::Path;

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

/// A folder with REST Proxy as a profile of its own.
fn with_rest_proxy(change: impl Fn(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = folder.path().join(".confluent-ecs/profiles");
    fs::create_dir_all(&own).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/rest-proxy.yaml");
    fs::write(own.join("rest-proxy.yaml"), change(fs::read_to_string(example).unwrap())).unwrap();
    folder
}

#[test]
fn profiles_of_ones_own_are_among_them() {
    let folder = with_rest_proxy(|text| text);
    let inside = folder.path().join("sub/folder");
    fs::create_dir_all(&inside).unwrap();
    let named = folder.path().join(".confluent-ecs/profiles").display().to_string();
    let elsewhere = tempfile::tempdir().unwrap();
    for (from, more) in [(folder.path(), vec![]), (&inside, vec![]), (elsewhere.path(), vec!["--profiles-dir", &named])] {
        let ran = |arguments: &[&str]| run(from, &[arguments, &more].concat());
        let listed = ran(&["profiles", "list"]);
        assert!(listed.code == 0 && listed.stdout.contains("\nrest-proxy "), "{listed:?}");
        let shown = ran(&["profiles", "show", "confluentinc/cp-kafka-rest:8.0.7"]);
        assert!(shown.stdout.contains("\nname: rest-proxy\n"), "{shown:?}");
        let shown = ran(&["profiles", "show", "rest-proxy", "--output", "json"]);
        let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(shown["profile"]["start"]["port"], 8082);
        assert!(ran(&["profiles", "show", "rest-prxy"]).stderr.contains("did you mean rest-proxy?"));
    }
}

#[test]
fn a_typo_in_a_profile_of_ones_own_is_found_with_its_place() {
    for (from, to, place, said) in [
        ("title:", "titel:", ":7:1:", "unknown field `titel`"),
        ("memory: 1G", "memory: 1Q", "", "1Q is no size"),
        ("from: { jaas: proxy }", "from: { jaas: prox }", "", "no client prox"),
    ] {
        let folder = with_rest_proxy(|text| text.replacen(from, to, 1));
        for verb in [&["profiles", "list"][..], &["profiles", "show", "connect"], &["acl", "list", "-f", "none.yml"]] {
            let ran = run(folder.path(), verb);
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{verb:?}: {ran:?}");
            assert!(ran.stderr.contains(said) && ran.stderr.contains("CE143"), "{verb:?}: {}", ran.stderr);
            let file = ".confluent-ecs/profiles/rest-proxy.yaml";
            assert!(ran.stderr.contains(&format!("{file}{}", if place.is_empty() { ":" } else { place })), "{}", ran.stderr);
        }
    }
}
