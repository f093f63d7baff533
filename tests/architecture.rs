//! Who may import whom: one table. And where the compiler's rules may be lifted: nowhere but in the files named here.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A room and the rooms that it may import. A room missing here fails the test.
const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("compose", &["base"]),
    ("extensions", &["base", "compose"]),
    ("profile", &["base"]),
    ("confluent", &["base", "compose", "extensions", "profile"]),
    ("init", &["base", "compose", "confluent", "extensions", "profile"]),
    ("aws", &["base"]),
    ("images", &["base"]),
    ("stack", &["base", "compose", "extensions", "profile", "confluent"]),
    ("cloudformation", &["base", "stack"]),
    ("net", &["base"]),
    ("deploy", &["aws", "base", "cloudformation", "confluent", "explain", "net", "stack"]),
    ("kafka", &["base", "net"]),
    ("preflight", &["aws", "base", "compose", "extensions", "profile", "confluent", "net", "kafka"]),
    ("explain", &["base"]),
    ("ui", &["base", "cli", "confluent", "deploy", "explain", "images", "init", "preflight", "profile"]),
    ("cli", &["base"]),
    (
        "commands",
        &[
            "aws",
            "base",
            "cli",
            "cloudformation",
            "compose",
            "confluent",
            "deploy",
            "explain",
            "extensions",
            "images",
            "init",
            "kafka",
            "net",
            "preflight",
            "profile",
            "stack",
            "ui",
        ],
    ),
];

/// What may be written in which places only: a text, and the start of the paths that may hold it.
const KEPT_PLACES: &[(&str, &[&str])] = &[
    ("io::stdout", &["ui/"]),
    ("io::stderr", &["ui/"]),
    ("println!", &["ui/"]),
    ("print!(", &["ui/"]),
    ("clippy::print_", &[]),
    ("clippy::unwrap", &[]),
    ("clippy::expect_used", &[]),
    ("clippy::panic", &[]),
    ("aws_sdk_", &["aws/"]),
    ("aws_config", &["aws/"]),
    ("aws_sigv4", &["aws/", "kafka/aws.rs"]),
    ("rdkafka::", &["kafka/"]),
    ("kafka_protocol", &["kafka/"]),
    ("reqwest::", &["net/http/", "aws/", "images/"]),
    (".expose()", EXPOSERS),
];

/// The rooms that hand a secret to whoever needs it: Secrets Manager, the broker, the composed secret itself.
const EXPOSERS: &[&str] = &[
    "base/secret.rs",
    "confluent/",
    "ui/secret.rs",
    "aws/secrets.rs",
    "images/",
    "kafka/",
    "net/http/",
    "net/tls/",
    "preflight/credentials.rs",
    "preflight/inside/",
    "preflight/registry.rs",
];

fn sources() -> Vec<(String, String)> {
    fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    files.sort();
    files
        .iter()
        .map(|path| (path.strip_prefix(&root).unwrap().to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()))
        .collect()
}

/// The code of a file: its comments and its unit tests left out.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn room(path: &str) -> Option<&str> {
    path.split_once('/').map(|(room, _)| room)
}

/// The rooms named after `crate::` in a file, also inside braces.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (index, _) in code.match_indices("crate::") {
        let rest = &code[index + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.extend(first_word(&std::mem::take(&mut name))),
                    _ if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            found.extend(first_word(&name));
        } else {
            found.extend(first_word(rest));
        }
    }
    found
}

fn first_word(text: &str) -> Option<String> {
    let word: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!word.is_empty() && word.chars().next().is_some_and(char::is_lowercase)).then_some(word)
}

#[test]
fn rooms_import_only_what_the_table_allows() {
    let table: BTreeMap<&str, BTreeSet<&str>> =
        ROOMS.iter().map(|(room, allowed)| (*room, allowed.iter().copied().collect())).collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        let Some(allowed) = table.get(room) else {
            wrong.push(format!("src/{path}: the room `{room}` is not in the table of tests/architecture.rs"));
            continue;
        };
        for import in imports(&code(&text)) {
            if import != room && !allowed.contains(import.as_str()) {
                wrong.push(format!("src/{path}: `{room}` may not import `{import}`"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_has_one_place_is_nowhere_else() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let code = code(&text);
        for (needle, places) in KEPT_PLACES {
            if code.contains(needle) && !places.iter().any(|place| path.starts_with(place)) {
                wrong.push(format!("src/{path}: `{needle}` belongs into {places:?} only"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_map_names_every_room() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    for (room, _) in ROOMS {
        assert!(map.contains(&format!("//! | `{room}` |")), "src/lib.rs does not show the room `{room}`");
    }
}

#[test]
fn files_stay_readable() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= 600, "src/{path} has over 600 lines");
        assert!(text.starts_with("//!"), "src/{path} does not open with what comes in and what goes out");
    }
}

#[test]
fn imports_are_found_in_braces_too() {
    let found = imports("use crate::{base::{Code, Place}, kafka};\nfn x() { crate::aws::call() }");
    assert_eq!(found.into_iter().collect::<Vec<_>>(), ["aws", "base", "kafka"]);
}
