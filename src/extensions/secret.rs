//! `secrets.*.x-secrets`: a secret of Secrets Manager, and how it reaches a container.

use super::reader::{Item, Key, Placed, Reader};
use super::top::Wanted;
use crate::base::{Place, is_mark};

#[derive(Debug, Clone)]
pub struct SecretExtension {
    /// Its name or ARN in Secrets Manager.
    pub name: Option<Placed<String>>,
    pub lookup: Option<Wanted>,
    /// The variable that takes the whole of it.
    pub variable: Option<Placed<String>>,
    /// Keys of its JSON, each for a variable of its own.
    pub keys: Vec<JsonKey>,
    /// What runs in the task may read it too.
    pub task_may_read: bool,
    /// It stands in the container's environment, which is all that most want of it.
    pub in_environment: bool,
    /// Where the extension stands.
    pub place: Place,
}

#[derive(Debug, Clone)]
pub struct JsonKey {
    pub key: Placed<String>,
    pub variable: String,
}

impl Reader<'_> {
    pub(super) fn secret(&mut self, item: &Item<'_>) -> Option<SecretExtension> {
        let keys: &[Key] = &[&["Name"], &["Lookup"], &["VarName"], &["LinksTo"], &["JsonKeys"]];
        let fields = self.fields(item, keys, &[])?;
        let name = fields.get("Name").and_then(|name| self.secret_name(name));
        let lookup = fields.get("Lookup").and_then(|lookup| self.wanted(lookup));
        if fields.get("Name").is_none() && fields.get("Lookup").is_none() {
            self.wrong(item, "x-secrets doesn't say which secret", "add Name with the secret's name in Secrets Manager");
        }
        let variable = fields.get("VarName").and_then(|name| self.variable(name));
        let links = fields.get("LinksTo").map(|list| self.items(list)).unwrap_or_default();
        let (mut task_may_read, mut in_environment) = (false, links.is_empty());
        for role in links {
            let role = self.choice(&role, &["EcsExecutionRole", "EcsTaskRole"]);
            task_may_read |= role.as_ref().is_some_and(|role| role.value == "EcsTaskRole");
            in_environment |= role.is_none_or(|role| role.value == "EcsExecutionRole");
        }
        let mut json_keys: Vec<JsonKey> = Vec::new();
        for entry in fields.get("JsonKeys").map(|list| self.items(list)).unwrap_or_default() {
            let Some(key) = self.json_key(&entry) else { continue };
            if json_keys.iter().any(|other| other.variable == key.variable) {
                self.wrong(
                    &entry,
                    format!("{} takes two keys of the secret", key.variable),
                    "give each key a VarName of its own",
                );
            }
            json_keys.push(key);
        }
        // Whoever names the variables wants them, whatever roles are named.
        in_environment |= variable.is_some() || !json_keys.is_empty();
        Some(SecretExtension { name, lookup, variable, keys: json_keys, task_may_read, in_environment, place: self.place(item) })
    }

    /// What Secrets Manager takes as a name.
    fn secret_name(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let name = self.word(item)?;
        if name.value.starts_with("arn:") {
            return self.arn(item, "secretsmanager", "a secret");
        }
        if name.value.chars().count() > 512 {
            self.wrong(item, "the secret's name is too long", "512 characters at most");
            return None;
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c) || is_mark(c);
        if let Some(c) = name.value.chars().find(|c| !allowed(*c)) {
            let help = "letters, digits and /_+=.@- only";
            self.wrong(item, format!("Secrets Manager doesn't take \"{c}\" in a secret's name"), help);
            return None;
        }
        // What an empty variable leaves behind.
        if name.value.contains("//") || name.value.ends_with('/') {
            let help = "is a variable in it empty? write `${NAME:?}` to find out";
            self.wrong(item, format!("a part of the secret's name is empty: {}", name.value), help);
            return None;
        }
        Some(name)
    }

    fn json_key(&mut self, item: &Item<'_>) -> Option<JsonKey> {
        let keys: &[Key] = &[&["SecretKey", "Key"], &["VarName", "Name"], &["Transform"]];
        let fields = self.fields(item, keys, &[])?;
        let Some(key) = fields.get("SecretKey") else {
            self.wrong(item, "the entry names no key of the secret", "add SecretKey");
            return None;
        };
        let written = self.word(key)?;
        if written.value.contains(':') {
            self.wrong(key, "ECS can't read a key with a colon in its name", "rename the key in the secret");
            return None;
        }
        let transform =
            fields.get("Transform").and_then(|word| self.choice(word, &["capitalize", "title", "upper", "java_properties"]));
        let variable = match (fields.get("VarName"), transform) {
            (Some(name), _) => self.variable(name)?.value,
            (None, None) => written.value.clone(),
            (None, Some(transform)) => transformed(&written.value, transform.value),
        };
        Some(JsonKey { key: written, variable })
    }

    /// A name that a shell takes for a variable.
    pub(super) fn variable(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let name = self.word(item)?;
        if !is_variable(&name.value) {
            let help = "letters, digits and underscores, no digit first";
            self.wrong(item, format!("\"{}\" is not the name of a variable", name.value), help);
            return None;
        }
        Some(name)
    }
}

/// A name that a shell takes for a variable.
pub(crate) fn is_variable(name: &str) -> bool {
    let good = |(index, c): (usize, char)| c == '_' || c.is_ascii_alphabetic() || index > 0 && c.is_ascii_digit();
    !name.is_empty() && name.chars().enumerate().all(good)
}

fn transformed(key: &str, transform: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|c| c.to_uppercase().collect::<String>() + &letters.as_str().to_lowercase()).unwrap_or_default()
    };
    match transform {
        // ECS Compose-X means all of its letters by it.
        "upper" | "capitalize" => key.to_uppercase(),
        "java_properties" => key.to_uppercase().replace('.', "_"),
        _ => key.split_inclusive(|c: char| !c.is_alphanumeric()).map(capital).collect(),
    }
}
