//! The builder: what every step of [`build`](super::build) shares, and the order of the steps.

use std::collections::{BTreeMap, BTreeSet};

use super::tags::{ENV_TAG, PROJECT_TAG, VERSION_TAG};
use super::volumes::file_system_rules;
use super::{Balancer, Certificate, Family, Stack, StackSecret, Text, Topic, Zone, standing};
use crate::base::{Code, Finding, Findings, Severity, is_mark};
use crate::compose::Project;
use crate::extensions::{Extensions, Placed};
use crate::profile::{Catalogue, Component};

/// What the stack is called, and for which environment it is.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The CloudFormation stack's name.
    pub name: String,
    /// The project's, as the tags say it.
    pub project: String,
    pub env: Option<String>,
}

/// Project and knowledge → the stack, with all findings on the way. A stack that has an error among its findings is not for
/// deploying; it is there so that later steps can look on.
pub fn build(project: &Project, extensions: &Extensions, catalogue: &Catalogue, identity: &Identity) -> (Stack, Findings) {
    let mut builder = Builder {
        project,
        extensions,
        catalogue,
        findings: Findings::default(),
        secrets: BTreeMap::new(),
        certificates: BTreeMap::new(),
        zones: BTreeMap::new(),
        topics: BTreeMap::new(),
        components: BTreeMap::new(),
        nobody_asks_for_a_name: extensions.services.values().all(|service| service.network.cloudmap.is_empty()),
    };
    let tags = builder.tags(identity);
    let namespaces = builder.namespaces();
    let mut families = builder.families(&namespaces);
    let balancers = builder.balancers(&mut families);
    builder.publishers(&mut families);
    builder.wiring(&mut families, &namespaces);
    let msk_cluster = builder.kafka_rights(&mut families);
    let mut outside_rules = builder.kafka_rules(&families);
    outside_rules.extend(file_system_rules(&families));
    let alarms = builder.alarms(&families, &balancers);
    builder.one_name_each(&families, &balancers, &namespaces);
    let subnets = builder.subnets(&families, &balancers);
    let stack = Stack {
        name: identity.name.clone(),
        project: identity.project.clone(),
        env: identity.env.clone(),
        tags,
        vpc: standing::vpc(extensions),
        subnets,
        cluster: standing::cluster(extensions),
        namespaces,
        secrets: builder.secrets,
        families,
        balancers,
        certificates: builder.certificates,
        zones: builder.zones,
        topics: builder.topics,
        alarms,
        overlay: extensions.overlay.clone(),
        msk_cluster,
        outside_rules,
    };
    (stack, builder.findings)
}

pub(super) struct Builder<'a> {
    pub(super) project: &'a Project,
    pub(super) extensions: &'a Extensions,
    pub(super) catalogue: &'a Catalogue,
    pub(super) findings: Findings,
    /// The secrets that a container reads.
    pub(super) secrets: BTreeMap<String, StackSecret>,
    /// What listeners, names and alarms use.
    pub(super) certificates: BTreeMap<String, Certificate>,
    pub(super) zones: BTreeMap<String, Zone>,
    pub(super) topics: BTreeMap<String, Topic>,
    /// What a service's image holds, where we know it.
    pub(super) components: BTreeMap<String, &'a Component>,
    /// No service says where it wants to be registered.
    pub(super) nobody_asks_for_a_name: bool,
}

impl Builder<'_> {
    /// A finding about a value of the project, at the place it was written. More is added to what comes back, which stands
    /// in the findings when the borrow ends.
    pub(super) fn error(&mut self, code: Code, path: &[&str], message: impl Into<String>) -> &mut Finding {
        self.finding(Severity::Error, code, path, message.into())
    }

    pub(super) fn warn(&mut self, code: Code, path: &[&str], message: impl Into<String>) -> &mut Finding {
        self.finding(Severity::Warning, code, path, message.into())
    }

    fn finding(&mut self, severity: Severity, code: Code, path: &[&str], message: String) -> &mut Finding {
        let place = self.project.key_place(path);
        let finding = Finding { severity, ..Finding::error(code, message) }.at(place).path(shown(path));
        self.findings.add(finding)
    }

    /// A finding about a value of the x- vocabulary.
    pub(super) fn error_at<T>(&mut self, code: Code, at: &Placed<T>, message: impl Into<String>) -> &mut Finding {
        let finding = Finding::error(code, message).at(at.place.clone()).path(&at.path);
        self.findings.add(finding)
    }

    pub(super) fn warn_at<T>(&mut self, code: Code, at: &Placed<T>, message: impl Into<String>) -> &mut Finding {
        let finding = Finding::warning(code, message).at(at.place.clone()).path(&at.path);
        self.findings.add(finding)
    }

    /// The user's tags and ours. Ours can't be taken by another value: they are how a stack of ours is known.
    fn tags(&mut self, identity: &Identity) -> BTreeMap<String, Text> {
        let ours = [
            (PROJECT_TAG, Some(identity.project.as_str())),
            (ENV_TAG, identity.env.as_deref()),
            (VERSION_TAG, Some(env!("CARGO_PKG_VERSION"))),
        ];
        let mut tags: BTreeMap<String, Text> = BTreeMap::new();
        let extensions = self.extensions;
        for (key, value) in &extensions.tags {
            if key.trim().is_empty() {
                self.error_at(Code::TAG, value, "a tag has a key");
            } else if key.to_ascii_lowercase().starts_with("aws:") {
                self.error_at(Code::TAG, value, format!("AWS keeps tags that start with aws: to itself: {key}"));
            } else if ours.iter().any(|(known, _)| known == key) {
                self.error_at(Code::TAG, value, format!("{key} is a tag of ours: stacks are known by it"));
            } else if key.chars().count() > 128 || value.value.chars().count() > 256 {
                self.error_at(
                    Code::TAG,
                    value,
                    format!("the tag {key} is too long: 128 characters for the key, 256 for the value"),
                );
            } else if let Some(c) = key.chars().chain(value.value.chars()).find(|c| !in_tags(*c)) {
                let finding = self.error_at(Code::TAG, value, format!("not every service of AWS takes \"{c}\" in a tag: {key}"));
                finding.help = Some("letters, digits, blanks and + - = . _ : / @".to_owned());
            } else {
                tags.insert(key.clone(), Text::from(&value.value));
            }
        }
        tags.extend(ours.into_iter().filter_map(|(key, value)| Some((key.to_owned(), Text::from(value?)))));
        // AWS takes 50, and ECS adds two of its own.
        if let Some((_, last)) = extensions.tags.last().filter(|_| tags.len() > 45) {
            self.error_at(Code::TAG, last, format!("{} tags are too many: with AWS's own there may be 50", tags.len()));
        }
        tags
    }

    /// The subnets that something stands in, by their usage.
    fn subnets(&mut self, families: &[Family], balancers: &[Balancer]) -> BTreeMap<String, super::Lookup> {
        let used: BTreeSet<&str> = families
            .iter()
            .map(|family| family.subnets.as_str())
            .chain(balancers.iter().filter(|balancer| balancer.existing.is_none()).map(|balancer| balancer.subnets.as_str()))
            .collect();
        used.into_iter().map(|usage| (usage.to_owned(), self.subnet_lookup(usage))).collect()
    }
}

/// What every service of AWS takes in a tag.
fn in_tags(c: char) -> bool {
    c.is_alphanumeric() || " +-=._:/@".contains(c) || is_mark(c)
}

/// `services.connect.ports[0]`.
fn shown(path: &[&str]) -> String {
    let mut text = String::new();
    for step in path {
        if !text.is_empty() && step.chars().all(|c| c.is_ascii_digit()) {
            text.extend(["[", step, "]"]);
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(step);
        }
    }
    text
}
