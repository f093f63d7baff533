//! What CloudFormation allows in one template, checked before it is asked.

use super::Template;
use crate::base::{Code, Finding, Findings};

const RESOURCES: usize = 500;
const PARAMETERS: usize = 200;
/// Over S3; inline it is 51,200.
const BYTES: usize = 1_000_000;

/// Findings on a template that CloudFormation would refuse for its size. `bytes` is the length of the text that is sent.
pub fn check(template: &Template, bytes: usize) -> Findings {
    let added = template.overlaid.keys().filter(|id| !template.resources.contains_key(*id)).count();
    let resources = template.resources.len() + added;
    let measures =
        [("resources", resources, RESOURCES), ("parameters", template.parameters.len(), PARAMETERS), ("bytes", bytes, BYTES)];
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
        .chain(template.findings.iter().cloned())
        .collect()
}

/// The three services with the most resources. A resource is of the service whose name its id begins with; of two such names the longer
/// one is meant, as `S10` is no `S1`.
fn largest(template: &Template) -> String {
    let prefixes: Vec<&str> =
        template.services.iter().map(|service| service.service.strip_suffix("Service").unwrap_or(&service.service)).collect();
    let mut counts: Vec<(usize, &str)> = template.services.iter().map(|service| (0, service.family.as_str())).collect();
    for id in template.resources.keys() {
        let owner =
            prefixes.iter().enumerate().filter(|(_, prefix)| id.starts_with(**prefix)).max_by_key(|(_, prefix)| prefix.len());
        if let Some((index, _)) = owner {
            counts[index].0 += 1;
        }
    }
    counts.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    counts.iter().take(3).map(|(count, family)| format!("{family} ({count} resources)")).collect::<Vec<_>>().join(", ")
}
