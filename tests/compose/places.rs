//! Findings point at the line that the user wrote, through merging, `extends`, `include` and env files; and all of them
//! come in one run.

use std::fs;
use std::path::Path;

use confluent_ecs::compose::{LoadOptions, Loaded, load};

fn write(folder: &Path, files: &[(&str, &str)]) {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn options(folder: &Path, files: &[&str]) -> LoadOptions {
    LoadOptions {
        files: files.iter().map(Into::into).collect(),
        project_name: Some("p".to_owned()),
        current_dir: folder.to_owned(),
        unset_is_blank: true,
        ..LoadOptions::default()
    }
}

fn loaded(files: &[(&str, &str)], named: &[&str]) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    load(&options(folder.path(), named))
}

/// `place code path` of each finding.
fn findings(loaded: &Loaded) -> Vec<String> {
    let text = |finding: &confluent_ecs::base::Finding| {
        let place = finding.place.as_ref().map(ToString::to_string).unwrap_or_default();
        format!("{place} {} {}", finding.code, finding.path.as_deref().unwrap_or_default())
    };
    loaded.findings.iter().map(text).collect()
}

#[test]
fn everything_wrong_comes_in_one_run() {
    let compose = "\
services:
  web:
    image: [x]
    enviroment: {A: 1}
    ports:
      - http
      - target: 80
        publish: 8080
    stop_grace_period: 10 minutes
    mem_limit: lots
    depends_on: [nobody]
    volumes: [data:/d]
  other:
    restart: no
    image: ${1X}
";
    let found = findings(&loaded(&[("compose.yml", compose)], &["compose.yml"]));
    assert_eq!(
        found,
        [
            "compose.yml:3:12 CE110 services.web.image",
            "compose.yml:4:5 CE109 services.web.enviroment",
            "compose.yml:6:9 CE112 services.web.ports[0]",
            "compose.yml:8:9 CE109 services.web.ports[1].publish",
            "compose.yml:9:24 CE113 services.web.stop_grace_period",
            "compose.yml:10:16 CE113 services.web.mem_limit",
            "compose.yml:11:18 CE121 services.web.depends_on.nobody",
            "compose.yml:12:14 CE121 services.web.volumes[0]",
            "compose.yml:15:12 CE106 services.other.image",
        ]
    );
}

#[test]
fn a_mistake_in_one_file_does_not_hide_those_of_another() {
    let found = findings(&loaded(
        &[
            ("a.yml", "services: {web: {image: w, prots: []}}\n"),
            ("b.yml", "services:\n  web: {image: \"open\n"),
            ("c.yml", "servces: {}\n"),
        ],
        &["a.yml", "b.yml", "c.yml"],
    ));
    assert_eq!(found.len(), 3, "{found:#?}");
    assert!(
        found[0].starts_with("a.yml:1:28 CE109") && found[1].starts_with("b.yml:") && found[2].starts_with("c.yml:1:1 CE109")
    );
}

#[test]
fn a_value_keeps_its_file_through_merging_extends_and_include() {
    let files = [
        (
            "compose.yml",
            "include: [sub/inc.yml]\nservices:\n  web:\n    image: web\n    extends: {file: base/b.yml, service: base}\n",
        ),
        ("over.yml", "services:\n  web:\n    mem_limit: lots\n"),
        ("base/b.yml", "services:\n  base:\n    shm_size: huge\n"),
        ("sub/inc.yml", "services:\n  inc:\n    image: inc\n    healthcheck:\n      interval: soon\n"),
    ];
    let found = findings(&loaded(&files, &["compose.yml", "over.yml"]));
    assert_eq!(
        found,
        [
            "base/b.yml:3:15 CE113 services.web.shm_size",
            "over.yml:3:16 CE113 services.web.mem_limit",
            "sub/inc.yml:5:17 CE113 services.inc.healthcheck.interval",
        ]
    );
}

#[test]
fn an_unset_variable_is_named_once_with_its_first_place() {
    let compose = "services:\n  web:\n    image: web:$TAG\n    labels: {a: $TAG, b: $OTHER}\n";
    let blank = loaded(&[("compose.yml", compose)], &["compose.yml"]);
    assert!(blank.project.is_some());
    assert_eq!(findings(&blank), ["compose.yml:3:12 CE108 services.web.image", "compose.yml:4:26 CE108 services.web.labels.b"]);

    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[("compose.yml", compose)]);
    let strict = load(&LoadOptions { unset_is_blank: false, ..options(folder.path(), &["compose.yml"]) });
    assert!(strict.project.is_none() && strict.findings.has_errors());
    let fallbacks = [("TAG", "1"), ("OTHER", "2")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let given = load(&LoadOptions { unset_is_blank: false, fallbacks, ..options(folder.path(), &["compose.yml"]) });
    assert_eq!(given.project.unwrap().services["web"].image.as_deref(), Some("web:1"));
}

#[test]
fn the_model_knows_the_place_of_every_value() {
    let files = [
        (
            "compose.yml",
            "x-vpc:\n  Lookup: {VpcId: vpc-0a1b2c3d}\nservices:\n  web:\n    image: web\n    env_file: web.env\n    ports: [\"80:80\"]\n",
        ),
        ("over.yml", "services:\n  web:\n    environment:\n      - A=1\n    deploy: {replicas: 3}\n"),
        ("web.env", "# comment\nB=2\n"),
    ];
    let loaded = loaded(&files, &["compose.yml", "over.yml"]);
    let project = loaded.project.unwrap();
    let place = |path: &[&str]| project.place(path).to_string();
    assert_eq!(place(&["services", "web", "image"]), "compose.yml:5:12");
    assert_eq!(place(&["services", "web", "ports", "0", "target"]), "compose.yml:7:13");
    assert_eq!(place(&["services", "web", "environment", "A"]), "over.yml:4:9");
    assert_eq!(place(&["services", "web", "environment", "B"]), "web.env:2:1");
    assert_eq!(place(&["services", "web", "deploy", "replicas"]), "over.yml:5:24");
    assert_eq!(project.key_place(&["services", "web"]).to_string(), "compose.yml:4:3");
    let vpc = project.extensions.get("x-vpc").and_then(|vpc| vpc.get("Lookup")?.get("VpcId")).unwrap();
    assert_eq!(project.place_of(vpc).to_string(), "compose.yml:2:19");
    // Nobody wrote the default network: its place is the service that is in it.
    assert_eq!(place(&["services", "web", "networks", "default"]), "compose.yml:4:3");
}

#[test]
fn the_line_of_a_finding_is_there_also_when_the_file_is_no_text() {
    let loaded = loaded(&[("compose.yml", "services:\n  w: {image: \"a\u{1}b\"}\n")], &["compose.yml"]);
    let place = loaded.findings.iter().next().unwrap().place.clone().unwrap();
    assert_eq!(loaded.sources.line(&place), Some("  w: {image: \"a\u{1}b\"}"));
}

#[test]
fn yaml_that_ends_too_early_or_lacks_a_colon_is_told_where_it_went_wrong() {
    for (text, place, words) in [
        ("services:\n  web:\n    command: y\n    image x\n", "compose.yml:4:5", "at \"image x\""),
        ("services:\n  web:\n    command: y\n    image x\n\n    # a comment\n    user: z\n", "compose.yml:4:5", "expected ':'"),
        ("services:\n  web: {image: x\n\n", "compose.yml:2:17", "close every bracket"),
        ("services:\n  web:\n    image: x\n\rR", "compose.yml:5:1", "at \"R\""),
    ] {
        let loaded = loaded(&[("compose.yml", text)], &["compose.yml"]);
        let finding = loaded.findings.iter().next().unwrap();
        let found = finding.place.as_ref().unwrap();
        assert_eq!(found.to_string(), place, "{text}");
        let said = format!("{}; {}", finding.message, finding.help.as_deref().unwrap_or_default());
        assert!(said.contains(words), "{said}");
        assert!(loaded.sources.line(found).is_some(), "{text}");
    }
}

#[test]
fn remote_files_are_refused() {
    for reference in ["https://example.com/c.yml", "oci://example.com/c", "git@github.com:a/b.git"] {
        let include = format!("include: [\"{reference}\"]\nservices: {{w: {{image: w}}}}\n");
        assert_eq!(findings(&loaded(&[("compose.yml", &include)], &["compose.yml"])), ["compose.yml:1:11 CE119 include[0]"]);
        let extends = format!("services: {{w: {{image: w, extends: {{service: a, file: \"{reference}\"}}}}}}\n");
        let found = findings(&loaded(&[("compose.yml", &extends)], &["compose.yml"]));
        assert_eq!(found, ["compose.yml:1:54 CE119 services.w.extends"]);
    }
}

#[test]
fn a_secret_of_secrets_manager_needs_no_source() {
    let compose = "services: {w: {image: w, secrets: [s]}}\nsecrets: {s: {x-secrets: {Name: /a}}}\n";
    let loaded = loaded(&[("compose.yml", compose)], &["compose.yml"]);
    let project = loaded.project.unwrap();
    assert!(project.secrets["s"].extensions.contains("x-secrets"));
    assert!(loaded.findings.is_empty());
}
