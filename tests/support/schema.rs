//! The JSON Schema of what the verbs of a stack write: every run of a test is held to it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Value, json};

const SCHEMA: &str = include_str!("../schema/deploy.v1.json");

/// Holds a standard output to it: one document, or one line after another. What is no JSON of these verbs is left alone.
#[track_caller]
pub(crate) fn fits(stdout: &str) {
    match serde_json::from_str::<Value>(stdout) {
        Ok(document) => fits_one(&document),
        Err(_) if stdout.starts_with('{') => {
            stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).for_each(|line| fits_one(&line));
        }
        Err(_) => {}
    }
}

/// Holds one document, or one line, to it.
#[track_caller]
pub(crate) fn fits_one(document: &Value) {
    let verb = document["schema"].as_str().and_then(|schema| schema.strip_prefix("confluent-ecs/")?.strip_suffix("/v1"));
    let kind = match verb {
        Some(known @ ("plan" | "status" | "logs" | "report")) => known,
        Some("up" | "down" | "scale" | "restart" | "rollback" | "watch") => "outcome",
        None if document.get("event").is_some() => "event",
        None if document.get("container").is_some() => "log_line",
        _ => return,
    };
    let wrong: Vec<String> =
        validators()[kind].iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(wrong.is_empty(), "{kind}: {}\n{document:#}", wrong.join("\n"));
}

fn validators() -> &'static BTreeMap<String, Validator> {
    static VALIDATORS: OnceLock<BTreeMap<String, Validator>> = OnceLock::new();
    VALIDATORS.get_or_init(|| {
        let schema: Value = serde_json::from_str(SCHEMA).unwrap();
        let kinds = schema["oneOf"].as_array().unwrap().iter();
        let names = kinds.map(|kind| kind["$ref"].as_str().unwrap().trim_start_matches("#/$defs/").to_owned());
        names
            .map(|name| {
                let one = json!({ "$ref": format!("#/$defs/{name}"), "$defs": schema["$defs"] });
                (name, jsonschema::validator_for(&one).unwrap())
            })
            .collect()
    })
}
