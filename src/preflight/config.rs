//! The settings: what is wrong with them is found by `confluent`; here each finding becomes a check, and their absence one too.

use std::collections::BTreeMap;

use super::input::{Input, Service};
use super::report::{Category, Check, Origin, Status};
use super::runner::Plan;
use crate::base::{Code, Finding, Severity};
use crate::confluent;

pub(super) fn plan(input: &Input, plan: &mut Plan) {
    let mut files = Check::new(Code::UNREADABLE_FILE, Category::Config, "files", "compose files").passed("read");
    files.label = input.files.join(", ");
    plan.known(files);
    let mut numbers = Numbers::default();
    for finding in input.findings.iter() {
        let number = numbers.next(finding.code);
        let check = Check::new(finding.code, Category::Config, format!("{}/{number}", finding.code), "the project");
        plan.known(of_finding(check, finding));
    }
    for service in &input.services {
        for check in of_service(service) {
            plan.known(check);
        }
    }
}

/// Numbers findings of one code: several may have it.
#[derive(Default)]
struct Numbers(BTreeMap<Code, usize>);

impl Numbers {
    fn next(&mut self, code: Code) -> usize {
        *self.0.entry(code).and_modify(|count| *count += 1).or_insert(1)
    }

    fn has(&self, code: Code) -> bool {
        self.0.contains_key(&code)
    }
}

fn of_service(service: &Service) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut seen = Numbers::default();
    for finding in service.findings.iter() {
        let name = format!("{}/{}", finding.code, seen.next(finding.code));
        checks.push(of_finding(new(service, finding.code, &name), finding));
    }
    let properties = confluent::properties(&service.component, &service.image, &service.environment);
    if !seen.has(Code::SETTING_MISSING) && !properties.is_open() {
        let check = new(service, Code::SETTING_MISSING, "required").passed("every setting that the image requires");
        checks.push(check);
    }
    if !seen.has(Code::REPLICATION_FACTOR) {
        let values: Vec<&str> = service
            .component
            .replication_factors
            .iter()
            .filter_map(|name| properties.get(name)?.value.plain_text().map(str::trim))
            .collect();
        if let Some(first) = values.first().filter(|first| values.iter().all(|value| value == *first)) {
            let topics = if values.len() == 1 { "topic" } else { "topics" };
            let message = format!("replication factor {first} on {} internal {topics}", values.len());
            checks.push(new(service, Code::REPLICATION_FACTOR, "replication-factor").passed(message));
        }
    }
    checks
}

fn new(service: &Service, code: Code, name: &str) -> Check {
    let mut check =
        Check::new(code, Category::Config, format!("{}/{name}", service.name), format!("settings of {}", service.name));
    check.label.clone_from(&service.name);
    check.service = Some(service.name.clone());
    check
}

pub(super) fn of_finding(check: Check, finding: &Finding) -> Check {
    let status = match finding.severity {
        Severity::Error => Status::Failed,
        Severity::Warning => Status::Warned,
    };
    let mut check = check.ended(status, finding.message.clone());
    if let Some(path) = &finding.path {
        check.label.clone_from(path);
    }
    check.origin = finding.place.as_ref().map(Origin::from);
    check.fixes = finding.help.iter().map(super::fix::Fix::advice).collect();
    check
}
