//! The commented files, from templates. Every value goes through the helper `q`, which quotes it for YAML of either version.

use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason, handlebars_helper};
use serde_json::Value;

use super::model::Model;
use crate::base::{Failure, Result, yaml};

pub(super) fn compose_file(model: &Model) -> Result<String> {
    render(include_str!("../../templates/docker-compose.yml.hbs"), model)
}

pub(super) fn env_file(model: &Model) -> Result<String> {
    render(include_str!("../../templates/env.yml.hbs"), model)
}

fn render(template: &str, model: &Model) -> Result<String> {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(handlebars::no_escape);
    handlebars.register_helper("q", Box::new(q));
    handlebars.register_helper("comment", Box::new(comment));
    handlebars
        .render_template(template, model)
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
