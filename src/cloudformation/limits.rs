//! What CloudFormation allows in one template, checked before it is asked.

use super::Template;
use crate::base::{Code, Finding, Findings};

const RESOURCES: usize = 500;
const PARAMETERS: usize = 200;
/// Over S3; inline it is 51,200.
const BYTES: usize = 1_000_000;

/// Findings on a template that CloudFormation would refuse for its size. `bytes` is the length of the text that is sent.
pub fn check(template: &Template, bytes: usize) -> Findings {
    let measures = [
        ("resources", template.resources.len(), RESOURCES),
        ("parameters", template.parameters.len(), PARAMETERS),
        ("bytes", bytes, BYTES),
    ];
    measures
        .into_iter()
        .filter(|(_, count, limit)| count > limit)
        .map(|(what, count, limit)| {
            Finding::error(
                Code::TEMPLATE_LIMIT,
                format!("the template has {count} {what}; CloudFormation takes {limit} in one stack"),
            )
            .help(format!("split the project into several with a `name:` each; the largest services are {}", largest(template)))
        })
        .collect()
}

/// The three services with the most resources.
fn largest(template: &Template) -> String {
    let mut counts: Vec<(usize, &str)> = template
        .services
        .iter()
        .map(|service| {
            let prefix = service.service.strip_suffix("Service").unwrap_or(&service.service);
            (template.resources.keys().filter(|id| id.starts_with(prefix)).count(), service.family.as_str())
        })
        .collect();
    counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    counts.iter().take(3).map(|(count, family)| format!("{family} ({count} resources)")).collect::<Vec<_>>().join(", ")
}
