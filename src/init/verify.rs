//! Reads staged files back, as every other verb will, and holds them against the typed values. A difference is a fault of ours: a value
//! that a template wrote so that YAML, Compose or the x- vocabulary takes it for something else.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use super::model::Model;
use crate::base::{Failure, Result};
use crate::compose::{self, LoadOptions};
use crate::extensions::{self, Extensions};

/// Loads the staged project and compares. Nothing may be found wrong with it, not even a warning.
pub fn verify(model: &Model, staged: &Path) -> Result<()> {
    let options = LoadOptions {
        files: vec!["docker-compose.yml".into(), format!("envs/{}.yml", model.env).into()],
        environment: BTreeMap::from([("ENV_NAME".to_owned(), model.env.clone())]),
        current_dir: staged.to_owned(),
        ..LoadOptions::default()
    };
    let mut loaded = compose::load(&options);
    let mut different = Vec::new();
    if let Some(project) = &loaded.project {
        let (extensions, findings) = extensions::read(project);
        loaded.findings.extend(findings);
        let merged = serde_json::to_value(project).map_err(|error| fault(&error.to_string()))?;
        different = differences(model, &merged, &extensions);
    }
    let found = loaded.findings.iter().map(|finding| finding.message.clone());
    let wrong: Vec<String> = found.chain(different).collect();
    if wrong.is_empty() && loaded.project.is_some() { Ok(()) } else { Err(fault(&wrong.join("\n")).into()) }
}

fn fault(cause: &str) -> Failure {
    Failure::fault("what init would write doesn't read back as it is meant").cause(cause)
}

/// The places at which a merged project isn't what the model says.
fn differences(model: &Model, merged: &Value, extensions: &Extensions) -> Vec<String> {
    let expected = model.expected().into_iter();
    let mut different: Vec<String> =
        expected.filter(|(pointer, value)| merged.pointer(pointer) != Some(value)).map(|(pointer, _)| pointer).collect();
    for service in &model.services {
        if extensions.services.get(&service.name).is_none_or(|read| !read.network.ingress.myself) {
            different.push(format!("/services/{}/x-network", service.name));
        }
    }
    for secret in &model.secrets {
        let read = extensions.secrets.get(&secret.name);
        let name = read.and_then(|read| read.name.as_ref()).map(|name| name.value.clone());
        let keys = read.into_iter().flat_map(|read| &read.keys);
        let keys: Vec<(&str, &str)> = keys.map(|key| (key.key.value.as_str(), key.variable.as_str())).collect();
        let wanted: Vec<(&str, &str)> = secret.keys.iter().map(|key| (key.as_str(), key.as_str())).collect();
        if name != Some(model.resolved(&secret.stored_name)) || keys != wanted {
            different.push(format!("/secrets/{}/x-secrets", secret.name));
        }
    }
    different
}
