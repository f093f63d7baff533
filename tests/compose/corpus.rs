//! Our own corpus. The answers are those of Docker Compose (compose-go at e70e961, after v2.13.0), taken by running it.

use std::fmt::Write;

use serde_json::Value;

use super::case::{self, Case};

/// What is wrong with a case's outcome.
fn judge(case: &Case) -> Result<(), String> {
    let answer = case.run("json");
    if let Some(expected) = &case.json {
        if answer.code != Some(0) {
            return Err(format!("exit {:?}: {}", answer.code, answer.stderr));
        }
        let found: Value = serde_json::from_str(&answer.stdout).map_err(|error| error.to_string())?;
        let mut differences = String::new();
        compare(expected, &found, "", &mut differences);
        return if differences.is_empty() { Ok(()) } else { Err(differences) };
    }
    if answer.code != Some(2) {
        return Err(format!("exit {:?} in place of 2: {}", answer.code, answer.stderr));
    }
    let said = answer.stderr.to_lowercase();
    let lacking: Vec<&String> = case.errors.iter().filter(|text| !said.contains(&text.to_lowercase())).collect();
    if lacking.is_empty() { Ok(()) } else { Err(format!("{lacking:?} is not in: {}", answer.stderr)) }
}

fn compare(expected: &Value, found: &Value, path: &str, out: &mut String) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                match found.get(key) {
                    Some(other) => compare(value, other, &format!("{path}.{key}"), out),
                    None => writeln!(out, "{path}.{key}: missing, expected {value}").unwrap(),
                }
            }
            for key in found.keys().filter(|key| !expected.contains_key(*key)) {
                writeln!(out, "{path}.{key}: not expected").unwrap();
            }
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            for (index, (value, other)) in expected.iter().zip(found).enumerate() {
                compare(value, other, &format!("{path}[{index}]"), out);
            }
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => {}
        _ if expected == found => {}
        _ => writeln!(out, "{path}: expected {expected}, found {found}").unwrap(),
    }
}

fn check(group: &str) {
    let cases = case::group(group);
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| judge(case).err().map(|error| format!("{}: {error}", case.name))).collect();
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

macro_rules! groups {
    ($($group:ident)*) => {
        $(#[test]
        fn $group() {
            check(stringify!($group));
        })*

        #[test]
        fn every_group_is_run() {
            assert_eq!(case::groups(), [$(stringify!($group)),*]);
        }
    };
}

groups! {
    build cast cli command corners deploy dotenv envfile extends include interp merge name networks ports profiles projects
    quantities reset schema secrets service validate volumes yaml
}
