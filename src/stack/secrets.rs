//! Which secrets a container reads, whole or key by key, and how their names are looked up.

use std::collections::BTreeMap;

use super::build::Builder;
use super::{SecretLookup, SecretSource, StackSecret, Text, logical};
use crate::base::Code;
use crate::compose::Service;
use crate::extensions::{SecretExtension, Wanted, is_variable};

impl Builder<'_> {
    /// The variables of a service that a secret fills, and the secrets that it only may read itself. Notes each secret as one
    /// that the stack reads.
    pub(super) fn secret_variables(&mut self, name: &str, service: &Service) -> (BTreeMap<String, SecretSource>, Vec<String>) {
        let mut variables: BTreeMap<String, SecretSource> = BTreeMap::new();
        let mut read_by_itself = Vec::new();
        for (index, mount) in service.secrets.iter().enumerate() {
            let index = index.to_string();
            let path = ["services", name, "secrets", &index];
            let Some(source) = mount.source.as_deref() else { continue };
            let Some(extension) = self.extensions.secrets.get(source) else {
                let message = format!("{source} is not in Secrets Manager: ECS mounts no secret from a file or a variable");
                let finding = self.error(Code::SECRET_SOURCE, &path, message);
                finding.help = Some(format!("add `x-secrets: {{ Name: … }}` to secrets.{source}"));
                continue;
            };
            let Some(lookup) = lookup(extension) else { continue };
            let whole = extension.variable.as_ref().map_or(source, |variable| variable.value.as_str());
            let sources: Vec<(String, Option<String>)> = if extension.keys.is_empty() {
                vec![(whole.to_owned(), None)]
            } else {
                extension.keys.iter().map(|key| (key.variable.clone(), Some(key.key.value.clone()))).collect()
            };
            let secret = StackSecret { id: logical(source), lookup, task_may_read: extension.task_may_read };
            self.secrets.insert(source.to_owned(), secret);
            if !extension.in_environment {
                read_by_itself.push(source.to_owned());
                continue;
            }
            for (variable, key) in sources {
                if !is_variable(&variable) {
                    let message = format!("the container gets a variable called {variable}, which no shell can read");
                    let finding = self.warn(Code::SECRET_SOURCE, &path, message);
                    finding.help = Some("say a VarName in x-secrets, or with a key Transform: java_properties".to_owned());
                }
                if service.environment.get(&variable).is_some_and(Option::is_some) {
                    let message = format!("{variable} is set in environment and by the secret {source}: ECS takes one of them");
                    let finding = self.error(Code::SECRET_SOURCE, &["services", name, "environment", &variable], message);
                    finding.help = Some("keep it in the secret, where it isn't shown in the task definition".to_owned());
                }
                let new = SecretSource { secret: source.to_owned(), key };
                if let Some(other) = variables.insert(variable.clone(), new).filter(|other| other.secret != source) {
                    let message = format!("{variable} is set by the secrets {} and {source}", other.secret);
                    self.error(Code::SECRET_SOURCE, &path, message);
                }
            }
        }
        (variables, read_by_itself)
    }
}

fn lookup(extension: &SecretExtension) -> Option<SecretLookup> {
    let named = |name: &str| {
        let text = Text::from(name);
        if name.starts_with("arn:") { SecretLookup::Arn(text) } else { SecretLookup::Name(text) }
    };
    match (&extension.name, &extension.lookup) {
        (Some(name), _) => Some(named(&name.value)),
        (None, Some(Wanted::Tags(tags))) => Some(SecretLookup::Tags(tags.clone())),
        (None, Some(Wanted::Ids(ids))) => ids.first().map(|id| named(&id.value)),
        (None, None) => None,
    }
}
