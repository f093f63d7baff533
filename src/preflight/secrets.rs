//! The stored secrets: is every key there that a container reads? Names only, never a value.

use super::fix::Fix;
use super::input::{Input, Secret, SecretState};
use super::report::{Category, Check, Origin, Status, Subject};
use super::runner::Plan;
use crate::base::{Code, nearest};

pub(super) fn plan(input: &Input, plan: &mut Plan) {
    for secret in &input.secrets {
        plan.known(keys(secret, input.env.as_deref()));
        if secret.keys.is_empty() && matches!(secret.state, SecretState::Read(_)) {
            let message = "injected whole: this assumes that the image's start script makes variables of its keys";
            plan.known(new(secret, Code::SECRET_WHOLE, "whole").ended(Status::Warned, message));
        }
    }
}

fn new(secret: &Secret, code: Code, name: &str) -> Check {
    let id = format!("{}/{}/{name}", secret.service, secret.name);
    let shown = secret.stored_as.as_deref().unwrap_or(&secret.name);
    let mut check = Check::new(code, Category::Secrets, id, format!("keys of the secret {shown}"));
    shown.clone_into(&mut check.label);
    check.service = Some(secret.service.clone());
    check.subject = Some(Subject { kind: "secret".to_owned(), name: shown.to_owned(), pattern: None });
    check.origin = secret.place.as_ref().map(Origin::from);
    check
}

fn keys(secret: &Secret, env: Option<&str>) -> Check {
    let mut check = new(secret, Code::SECRET_KEYS, "keys");
    check.expected = secret.keys.keys().cloned().collect();
    let stored = match &secret.state {
        SecretState::Read(stored) => stored,
        SecretState::Unread(why) => return check.ended(Status::Skipped, why.clone()),
        SecretState::Broken(what) => {
            let mut check = check.ended(Status::Failed, what.clone());
            check.fixes = vec![put(secret, env)];
            return check;
        }
    };
    check.evidence = Some(stored.source.clone());
    check.missing = secret.keys.keys().filter(|key| !stored.keys.contains(*key)).cloned().collect();
    let spoilt: Vec<String> = stored
        .spoilt
        .iter()
        .filter(|(key, _)| secret.keys.is_empty() || secret.keys.contains_key(*key))
        .map(|(key, how)| format!("{key} {how}"))
        .collect();
    if check.missing.is_empty() && spoilt.is_empty() {
        let count = secret.keys.len();
        let message = match count {
            0 => format!("{} key{}", stored.keys.len(), if stored.keys.len() == 1 { "" } else { "s" }),
            1 => format!("has the key {} reads", secret.service),
            _ => format!("has all {count} keys {} reads", secret.service),
        };
        return check.passed(message);
    }
    let mut wrong = Vec::new();
    if !check.missing.is_empty() {
        let verb = if check.missing.len() == 1 { "is" } else { "are" };
        let unread = || stored.keys.iter().filter(|key| !secret.keys.contains_key(*key)).map(String::as_str);
        let near = |key: &String| Some(format!("{key} (there is {}, which nothing reads)", nearest(key, unread())?));
        let named: Vec<String> = check.missing.iter().map(|key| near(key).unwrap_or_else(|| key.clone())).collect();
        wrong.push(format!("{} {verb} missing", named.join(", ")));
    }
    wrong.extend(spoilt);
    let mut check = check.ended(Status::Failed, wrong.join("; "));
    check.why = Some("ECS doesn't start a task whose secret lacks a key, and a blank in a login is part of it".to_owned());
    check.fixes = vec![put(secret, env)];
    check
}

fn put(secret: &Secret, env: Option<&str>) -> Fix {
    let of_env = env.into_iter().flat_map(|env| ["--env", env]);
    Fix::command(["confluent-ecs", "secrets", "put", &secret.service].into_iter().chain(of_env))
}
