//! The commented files, from templates. Every value goes through the helper `q`, which quotes it for YAML of either version.
//!
//! What belongs to one service is a piece of its own, without indentation: it stands in a new file or is put into one that is there.

use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason, handlebars_helper};
use serde::Serialize;
use serde_json::{Value, json};

use super::model::{Model, Secret};
use super::service::Service;
use crate::base::{Failure, Result, yaml};

/// The part of a service in docker-compose.yml.
pub(super) fn compose_service(service: &Service) -> Result<String> {
    render(include_str!("../../templates/compose-service.yml.hbs"), service)
}

/// The part of a service in the environment's file.
pub(super) fn env_service(service: &Service) -> Result<String> {
    #[derive(Serialize)]
    struct Named<'a> {
        #[serde(flatten)]
        service: &'a Service,
        names: String,
    }
    let names = service.host.as_deref().map(names).transpose()?.unwrap_or_default();
    let values = Named { service, names: indent(&names, 2) };
    render(include_str!("../../templates/env-service.yml.hbs"), &values)
}

/// What a service is called by, on ECS and in Docker: two keys of it.
pub(super) fn names(host: &str) -> Result<String> {
    render(include_str!("../../templates/env-names.yml.hbs"), &host)
}

pub(super) fn env_secret(secret: &Secret) -> Result<String> {
    render(include_str!("../../templates/env-secret.yml.hbs"), secret)
}

pub(super) fn local_service(name: &str) -> Result<String> {
    render(include_str!("../../templates/local-service.yml.hbs"), &name)
}

/// A lookup by one tag.
pub(super) fn tags(tag: &super::model::Tag) -> serde_json::Value {
    json!({ "Tags": [{ (tag.key.as_str()): tag.value }] })
}

/// `x-vpc` and `x-cluster`, each an entry of its own.
pub(super) fn places(model: &Model) -> [String; 2] {
    let vpc = json!({ "x-vpc": { "Lookup": { "VpcId": tags(&model.vpc_tag), "AppSubnets": tags(&model.subnet_tag) } } });
    [yaml::to_string(&vpc), yaml::to_string(&json!({ "x-cluster": { "Lookup": model.ecs_cluster } }))]
}

/// The namespace's entry in `x-cloudmap`.
pub(super) fn namespace(zone: &str) -> String {
    yaml::to_string(&json!({ "internal": { "Name": zone } }))
}

pub(super) fn compose_file(model: &Model) -> Result<String> {
    let services = pieces(&model.services, compose_service)?;
    render(include_str!("../../templates/docker-compose.yml.hbs"), &json!({ "project": model.project, "services": services }))
}

pub(super) fn env_file(model: &Model) -> Result<String> {
    #[derive(Serialize)]
    struct File<'a> {
        #[serde(flatten)]
        model: &'a Model,
        services: String,
        secrets: String,
        namespace: String,
    }
    let file = File {
        model,
        services: pieces(&model.services, env_service)?,
        secrets: pieces(&model.secrets, env_secret)?,
        namespace: model.namespace.as_deref().map(|zone| indent(&namespace(zone), 2)).unwrap_or_default(),
    };
    render(include_str!("../../templates/env.yml.hbs"), &file)
}

pub(super) fn local_file(model: &Model) -> Result<String> {
    let services = pieces(&model.secrets, |secret| local_service(&secret.name))?;
    render(include_str!("../../templates/local.yml.hbs"), &json!({ "env": model.env, "services": services }))
}

pub(super) fn workflow(model: &Model) -> Result<String> {
    render(include_str!("../../templates/workflow.yml.hbs"), &json!({ "env": model.env }))
}

/// Pieces one below the other, as entries of a mapping at the top.
fn pieces<T>(things: &[T], piece: impl Fn(&T) -> Result<String>) -> Result<String> {
    let pieces: Vec<String> = things.iter().map(piece).collect::<Result<_>>()?;
    Ok(indent(&pieces.concat(), 2))
}

/// Every line further in; without the line break at the end, which the template has.
fn indent(text: &str, columns: usize) -> String {
    text.lines().map(|line| format!("{:columns$}{line}", "")).collect::<Vec<_>>().join("\n")
}

fn render(template: &str, values: &impl Serialize) -> Result<String> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(handlebars::no_escape);
    handlebars.register_helper("q", Box::new(q));
    handlebars.register_helper("comment", Box::new(comment));
    handlebars
        .render_template(template, values)
        .map_err(|error| Failure::fault("a template of ours can't be rendered").cause(error).into())
}

handlebars_helper!(q: |value: Value| yaml::to_string(&value).trim_end_matches('\n').to_owned());

/// `{{comment text 6}}`: each line of a text as a comment, indented.
fn comment(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = helper.param(0).and_then(|param| param.value().as_str());
    let indent = helper.param(1).and_then(|param| param.value().as_u64()).and_then(|indent| usize::try_from(indent).ok());
    let (Some(text), Some(indent)) = (text, indent) else {
        return Err(RenderErrorReason::Other("comment takes a text and a number".to_owned()).into());
    };
    let lines: Vec<String> = text.lines().map(|line| format!("{:indent$}# {line}", "")).collect();
    out.write(&lines.join("\n"))?;
    Ok(())
}
