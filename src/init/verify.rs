//! Reads staged files back, as every other verb will, and holds them against the typed values. A difference is a fault of ours: a value
//! that a template wrote so that YAML, Compose or the x- vocabulary takes it for something else.
//!
//! Of a project that was there before, only what is new is ours to answer for. What was asked for and can't work, as a setting that the
//! chosen image doesn't know, is told before anything is written.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::files::{Outcome, State};
use super::model::{Model, Tag};
use super::service::Service;
use crate::base::{Exit, Failure, Result, Severity};
use crate::compose::{self, LoadOptions, Project};
use crate::confluent::{self, settings, versions};
use crate::extensions::{self, Extensions};
use crate::profile::Catalogue;

/// Loads the staged project as it would stand in the folder, and compares.
pub fn verify(model: &Model, catalogue: &Catalogue, folder: &Path, staged: &Path, outcomes: &[Outcome]) -> Result<()> {
    let files = ["docker-compose.yml".into(), PathBuf::from("envs").join(format!("{}.yml", model.env))];
    let of = |file: &Path| outcomes.iter().find(|outcome| outcome.path == file);
    let [compose_file, env_file] = [of(&files[0]), of(&files[1])];
    if env_file.is_some_and(|outcome| outcome.state == State::Unchanged) {
        return Ok(());
    }
    let whole =
        |outcome: Option<&Outcome>| outcome.is_some_and(|outcome| matches!(outcome.state, State::Created | State::Replaced));
    let new = whole(compose_file) && whole(env_file);
    let variables = [("ENV_NAME", model.env.as_str()), ("AWS_REGION", "eu-west-1"), ("AWS_ACCOUNT_ID", "111122223333")];
    let options = LoadOptions {
        files: files.iter().map(|file| staged.join(file)).collect(),
        environment: variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        project_directory: Some(folder.to_owned()),
        current_dir: folder.to_owned(),
        ..LoadOptions::default()
    };
    let mut loaded = compose::load(&options);
    let Some(project) = &loaded.project else {
        let found: Vec<String> = loaded.findings.iter().map(|finding| finding.message.clone()).collect();
        return Err(if new { fault(&found.join("\n")) } else { present(&found.join("\n")) }.into());
    };
    let (extensions, findings) = extensions::read(project);
    if new {
        loaded.findings.extend(findings);
    }
    let counts = |severity: Severity| new || severity == Severity::Error;
    let found: Vec<String> =
        loaded.findings.iter().filter(|finding| counts(finding.severity)).map(|finding| finding.message.clone()).collect();
    if !new && !found.is_empty() {
        return Err(present(&found.join("\n")).into());
    }
    let merged = serde_json::to_value(project).map_err(|error| fault(&error.to_string()))?;
    let mut different = Vec::new();
    for service in &model.services {
        let added = |outcome: Option<&Outcome>| outcome.is_some_and(|outcome| outcome.added(&["services", &service.name]));
        if added(env_file) {
            different.extend(of_service(model, service, added(compose_file), &merged, &extensions));
        }
    }
    different.extend(of_secrets(model, env_file, &extensions));
    if new {
        let expected = of_project(model).into_iter();
        different.extend(expected.filter(|(at, value)| merged.pointer(at) != Some(value)).map(|(at, _)| at));
    }
    let wrong: Vec<String> = found.into_iter().chain(different).collect();
    if !wrong.is_empty() {
        return Err(fault(&wrong.join("\n")).into());
    }
    let added = |name: &str| env_file.is_some_and(|outcome| outcome.added(&["services", name]));
    let written: Vec<&str> = model.services.iter().map(|service| service.name.as_str()).filter(|name| added(name)).collect();
    let unfit = unfit(&written, catalogue, project, &extensions);
    if unfit.is_empty() {
        Ok(())
    } else {
        Err(Failure::usage("what is asked for doesn't go together").cause(unfit.join("\n")).into())
    }
}

/// What would be wrong with the services, though they are written as they were asked for.
fn unfit(written: &[&str], catalogue: &Catalogue, project: &Project, extensions: &Extensions) -> Vec<String> {
    let services = confluent::services(catalogue, project, extensions, &BTreeMap::new());
    let provider = extensions.kafka.as_ref().and_then(|kafka| kafka.provider.as_ref()).map(|provider| provider.value);
    let mut unfit = Vec::new();
    for service in services.iter().filter(|service| written.contains(&service.name)) {
        let described = &project.services[service.name];
        let missing = versions::no_such_line(service.component, service.image);
        unfit.extend(missing.map(|(message, help)| format!("{message}; {help}")));
        let found = settings::findings(&settings::Service {
            name: service.name,
            catalogue,
            component: service.component,
            image: service.image,
            environment: &service.environment,
            place: None,
            advertised_by_command: confluent::sets_address(described, service.component),
            own_start_script: confluent::has_own_start_script(described),
            provider,
        });
        let errors = found.iter().filter(|finding| finding.severity == Severity::Error);
        unfit.extend(errors.map(|finding| match &finding.help {
            Some(help) => format!("{}: {}; {help}", service.name, finding.message),
            None => format!("{}: {}", service.name, finding.message),
        }));
    }
    unfit
}

fn fault(cause: &str) -> Failure {
    Failure::fault("what init would write doesn't read back as it is meant").cause(cause)
}

fn present(cause: &str) -> Failure {
    let failure = Failure::new(Exit::Usage, "the project that is there can't be added to");
    failure.cause(cause).help("see all of it with  confluent-ecs config, and mend it first")
}

/// The places at which a service isn't what the model says. `whole`: both its parts are ours.
fn of_service(model: &Model, service: &Service, whole: bool, merged: &Value, extensions: &Extensions) -> Vec<String> {
    let text = |text: &str| Value::from(model.resolved(text));
    let at = |rest: &str| format!("/services/{}/{rest}", service.name);
    let found = |rest: &str| merged.pointer(&at(rest));
    let mut different = Vec::new();
    let mut check = |right: bool, rest: &str| {
        if !right {
            different.push(at(rest));
        }
    };
    let variables = |groups: &[super::service::Group]| -> Map<String, Value> {
        let variables = groups.iter().flat_map(|group| &group.variables);
        variables.map(|variable| (variable.name.clone(), resolved_more(model, &variable.value))).collect()
    };
    let own = variables(&service.env_groups);
    let read = found("environment").and_then(Value::as_object);
    if whole {
        let mut all = variables(&service.groups);
        all.extend(own);
        check(read == Some(&all), "environment");
        let image = service.env_image.as_ref().unwrap_or(&service.image);
        check(found("image") == Some(&text(image)), "image");
        let command: Vec<Value> = service.command.iter().map(|word| text(word)).collect();
        let expected = (!command.is_empty()).then(|| Value::from(command));
        check(found("command").filter(|command| !command.is_null()) == expected.as_ref(), "command");
        let check_words: Vec<Value> = service.health.test.iter().map(|word| text(word)).collect();
        check(found("healthcheck/test") == Some(&check_words.into()), "healthcheck/test");
        let myself = extensions.services.get(&service.name).is_some_and(|read| read.network.ingress.myself);
        check(myself == service.member, "x-network");
    } else {
        check(read.is_some_and(|read| own.iter().all(|(name, value)| read.get(name) == Some(value))), "environment");
    }
    let read = extensions.services.get(&service.name).map(|read| read.confluent.plugins.as_slice()).unwrap_or_default();
    let same = read.len() == service.plugins.len()
        && read.iter().zip(&service.plugins).all(|(read, jar)| read.written.value == jar.maven && read.sha256 == jar.sha256);
    check(same, "x-confluent/plugins");
    check(found("deploy/replicas") == Some(&service.replicas.into()), "deploy/replicas");
    different
}

fn resolved_more(model: &Model, text: &str) -> Value {
    let text = text.replace("${AWS_REGION}", "eu-west-1").replace("${AWS_ACCOUNT_ID}", "111122223333");
    Value::from(model.resolved(&text))
}

fn of_secrets(model: &Model, env_file: Option<&Outcome>, extensions: &Extensions) -> Vec<String> {
    let mut different = Vec::new();
    for secret in &model.secrets {
        if !env_file.is_some_and(|outcome| outcome.added(&["secrets", &secret.name])) {
            continue;
        }
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

/// Parts of a new project by JSON pointer, as they have to come out.
fn of_project(model: &Model) -> Vec<(String, Value)> {
    let text = |text: &str| Value::from(model.resolved(text));
    let mut section: Map<String, Value> =
        model.kafka.words().into_iter().map(|(key, value)| (key.to_owned(), text(value))).collect();
    if !model.kafka.principals.is_empty() {
        let principals: BTreeMap<&String, Value> =
            model.kafka.principals.iter().map(|who| (&who.client, text(&who.principal))).collect();
        section.insert("principals".to_owned(), json!(principals));
    }
    let tags = |tag: &Tag| {
        let pair = std::iter::once((model.resolved(&tag.key), text(&tag.value)));
        json!({ "Tags": [pair.collect::<Map<String, Value>>()] })
    };
    let lookup = json!({ "Lookup": { "VpcId": tags(&model.vpc_tag), "AppSubnets": tags(&model.subnet_tag) } });
    let mut expected = vec![
        ("/name".to_owned(), model.project.clone().into()),
        ("/x-kafka".to_owned(), section.into()),
        ("/x-vpc".to_owned(), lookup),
        ("/x-cluster".to_owned(), json!({ "Lookup": text(&model.ecs_cluster) })),
    ];
    if let Some(zone) = &model.namespace {
        expected.push(("/x-cloudmap".to_owned(), json!({ "internal": { "Name": text(zone) } })));
    }
    expected
}
