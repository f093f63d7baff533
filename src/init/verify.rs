//! Reads staged files back and holds them against the typed values. A difference is a fault of ours: a value that a template wrote
//! so that YAML or Compose takes it for something else.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::model::Model;
use crate::base::{Failure, Result};

/// Reads the staged project, merges it, and compares.
pub fn verify(model: &Model, staged: &Path) -> Result<()> {
    let fault = |cause: String| Failure::fault("what init would write doesn't read back as it is meant").cause(cause);
    let mut merged = Value::Null;
    for file in ["docker-compose.yml".to_owned(), format!("envs/{}.yml", model.env)] {
        let text = fs::read_to_string(staged.join(&file)).map_err(|error| fault(format!("{file}: {error}")))?;
        let read: Value = serde_yaml::from_str(&text).map_err(|error| fault(format!("{file}: {error}")))?;
        merge(&mut merged, model.interpolate(read));
    }
    let expected = model.expected().into_iter();
    let different: Vec<String> =
        expected.filter(|(pointer, value)| merged.pointer(pointer) != Some(value)).map(|(pointer, _)| pointer).collect();
    if different.is_empty() { Ok(()) } else { Err(fault(different.join("\n")).into()) }
}

fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                merge(base.entry(key).or_insert(Value::Null), value);
            }
        }
        (base, over) => *base = over,
    }
}
