//! Reads trees of the vocabulary: spellings, types, unknown keys; a finding with its place for all that is wrong.

use std::collections::BTreeMap;

use crate::base::{Code, Finding, Findings, Place, nearest};
use crate::compose::{Node, Project, Span};

/// A value and where it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed<T> {
    pub value: T,
    pub place: Place,
    /// The path of its key.
    pub path: String,
}

/// A key of the vocabulary: its present spelling, then the older ones.
pub(super) type Key = &'static [&'static str];

/// A value of the tree on its way to a type.
#[derive(Debug, Clone)]
pub(super) struct Item<'n> {
    pub(super) node: &'n Node,
    pub(super) path: String,
    /// Where its key is written.
    key: Option<Span>,
}

impl<'n> Item<'n> {
    pub(super) fn new(node: &'n Node, path: impl Into<String>) -> Self {
        Self { node, path: path.into(), key: None }
    }
}

/// The values of a mapping by the present spelling of their keys.
#[derive(Debug, Default)]
pub(super) struct Fields<'n>(BTreeMap<&'static str, Item<'n>>);

impl<'n> Fields<'n> {
    pub(super) fn get(&self, key: &str) -> Option<&Item<'n>> {
        self.0.get(key)
    }
}

pub(super) struct Reader<'a> {
    pub(super) project: &'a Project,
    pub(super) findings: Findings,
}

impl<'a> Reader<'a> {
    pub(super) fn new(project: &'a Project) -> Self {
        Self { project, findings: Findings::default() }
    }

    pub(super) fn place(&self, item: &Item<'_>) -> Place {
        self.project.place_of(item.node)
    }

    /// Where the key of a value is written; of an item of a list, the item.
    pub(super) fn key_place(&self, item: &Item<'_>) -> Place {
        item.key.map_or_else(|| self.place(item), |span| self.project.place_at(span))
    }

    pub(super) fn placed<T>(&self, item: &Item<'_>, value: T) -> Placed<T> {
        Placed { value, place: self.place(item), path: item.path.clone() }
    }

    /// A value that is not what the vocabulary wants there.
    pub(super) fn wrong(&mut self, item: &Item<'_>, message: impl Into<String>, help: impl Into<String>) {
        let finding = Finding::error(Code::WRONG_EXTENSION, message).at(self.place(item)).path(&item.path).help(help);
        self.findings.push(finding);
    }

    /// The fields of a mapping. A key that is none of `keys` is a finding; so is one of `later`, which belongs to the
    /// vocabulary but is not rendered.
    pub(super) fn fields<'n>(&mut self, item: &Item<'n>, keys: &[Key], later: &[&'static str]) -> Option<Fields<'n>> {
        let entries = self.entries(item)?;
        let mut fields: BTreeMap<&'static str, Item<'n>> = BTreeMap::new();
        for (name, value) in entries {
            let place = self.key_place(&value);
            if let Some(key) = keys.iter().find(|key| key.contains(&name)) {
                if let Some(first) = fields.insert(key[0], value.clone()) {
                    let message = format!("{name} says again what {} says", last(&first.path));
                    let finding = Finding::error(Code::WRONG_EXTENSION, message).at(place).path(&value.path);
                    self.findings.push(finding.help("the two are spellings of the same key: keep one"));
                }
            } else if later.contains(&name) && is_empty(value.node) {
                // `Settings: {}` says nothing.
            } else if later.contains(&name) {
                let message = format!("{name} is not rendered: the template would be without it");
                let finding = Finding::error(Code::UNRENDERED, message).at(place).path(&value.path);
                self.findings.push(finding.help(instead(name)));
            } else {
                let spellings = keys.iter().flat_map(|key| key.iter().copied()).chain(later.iter().copied());
                let help = match nearest(name, spellings) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("known here: {}", keys.iter().map(|key| key[0]).collect::<Vec<_>>().join(", ")),
                };
                let message = format!("unknown key {name}");
                let finding = Finding::error(Code::UNKNOWN_EXTENSION, message).at(place).path(&value.path).help(help);
                self.findings.push(finding);
            }
        }
        Some(Fields(fields))
    }

    /// The entries of a mapping whose keys are names. Empty values are left out.
    pub(super) fn entries<'n>(&mut self, item: &Item<'n>) -> Option<Vec<(&'n str, Item<'n>)>> {
        let Some(map) = item.node.as_map() else {
            self.wrong(item, format!("{} where a mapping is wanted", item.node.found()), "write it as `key: value` lines");
            return None;
        };
        let entries = map
            .iter()
            .filter(|(_, node)| !node.is_null())
            .map(|(key, node)| (&*key.text, Item { node, path: format!("{}.{}", item.path, key.text), key: Some(key.span) }));
        Some(entries.collect())
    }

    /// The items of a list.
    pub(super) fn items<'n>(&mut self, item: &Item<'n>) -> Vec<Item<'n>> {
        let Some(nodes) = item.node.as_seq() else {
            self.wrong(item, format!("{} where a list is wanted", item.node.found()), "write it as `- item` lines");
            return Vec::new();
        };
        let items = nodes.iter().enumerate();
        items.map(|(index, node)| Item { node, path: format!("{}[{index}]", item.path), key: None }).collect()
    }

    pub(super) fn text(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let Some(text) = item.node.written() else {
            self.wrong(item, format!("{} where a text is wanted", item.node.found()), "write one value");
            return None;
        };
        Some(self.placed(item, text))
    }

    /// A text that may not be empty.
    pub(super) fn word(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let text = self.text(item)?;
        if text.value.trim().is_empty() {
            self.wrong(item, "nothing where a value is wanted", "write a value, or leave the key out");
            return None;
        }
        Some(text)
    }

    pub(super) fn texts(&mut self, item: &Item<'_>) -> Vec<Placed<String>> {
        self.items(item).iter().filter_map(|item| self.word(item)).collect()
    }

    /// One of these words, whatever their case; gives it as it is listed.
    pub(super) fn choice(&mut self, item: &Item<'_>, words: &[&'static str]) -> Option<Placed<&'static str>> {
        let text = self.word(item)?;
        if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(&text.value)) {
            return Some(self.placed(item, *word));
        }
        let help = match nearest(&text.value, words.iter().copied()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("one of: {}", words.join(", ")),
        };
        self.wrong(item, format!("\"{}\" is not known here", text.value), help);
        None
    }

    pub(super) fn flag(&mut self, item: &Item<'_>) -> Option<Placed<bool>> {
        let written = item.node.written().map(|text| text.to_ascii_lowercase());
        match (item.node.as_bool(), written.as_deref()) {
            (Some(value), _) => Some(self.placed(item, value)),
            (None, Some("true" | "yes" | "on")) => Some(self.placed(item, true)),
            (None, Some("false" | "no" | "off")) => Some(self.placed(item, false)),
            _ => {
                self.wrong(item, format!("{} where true or false is wanted", item.node.found()), "write true or false");
                None
            }
        }
    }

    pub(super) fn number(&mut self, item: &Item<'_>, range: std::ops::RangeInclusive<u32>) -> Option<Placed<u32>> {
        let text = item.node.written().unwrap_or_default();
        // `75.0` is 75.
        let whole = text.trim().strip_suffix(".0").unwrap_or(text.trim());
        match whole.parse::<u32>() {
            Ok(number) if range.contains(&number) => Some(self.placed(item, number)),
            _ => {
                let help = format!("a whole number from {} to {}", range.start(), range.end());
                self.wrong(item, format!("{} is out of range or no number", item.node.found()), help);
                None
            }
        }
    }

    pub(super) fn port(&mut self, item: &Item<'_>) -> Option<Placed<u16>> {
        let number = self.number(item, 1..=65_535)?;
        let value = u16::try_from(number.value).ok()?;
        Some(Placed { value, place: number.place, path: number.path })
    }

    /// Tags as people write them: a mapping, a list of one-entry mappings, or a list of `Key`/`Value` (once `name`/`value`).
    pub(super) fn tags(&mut self, item: &Item<'_>) -> Vec<(String, Placed<String>)> {
        let mut tags = Vec::new();
        if item.node.as_map().is_some() {
            for (key, value) in self.entries(item).unwrap_or_default() {
                tags.extend(self.text(&value).map(|text| (key.to_owned(), text)));
            }
            return tags;
        }
        for entry in self.items(item) {
            let Some(entries) = self.entries(&entry) else { continue };
            let named = |names: [&str; 3]| entries.iter().find(|(key, _)| names.contains(key)).map(|(_, value)| value.clone());
            match (named(["Key", "key", "name"]), named(["Value", "value", "value"])) {
                (Some(key), Some(value)) if entries.len() == 2 => {
                    if let (Some(key), Some(value)) = (self.word(&key), self.text(&value)) {
                        tags.push((key.value, value));
                    }
                }
                (Some(_), None) | (None, Some(_)) if entries.len() == 2 => {
                    let other = entries.iter().find(|(key, _)| !["Key", "key", "name", "Value", "value"].contains(key));
                    let written = other.map_or("", |(key, _)| *key);
                    self.wrong(&entry, format!("the tag has {written} beside one of Key and Value"), "write Key and Value");
                }
                _ => {
                    for (key, value) in entries {
                        tags.extend(self.text(&value).map(|text| (key.to_owned(), text)));
                    }
                }
            }
        }
        tags
    }
}

/// What to do where a key of the vocabulary is left out on purpose.
fn instead(key: &str) -> &'static str {
    match key {
        "RoleArn" => "leave it out: lookups run as who runs the deploy; take the role before, with AWS_PROFILE",
        "Region" => "leave it out: lookups look in the region that is deployed to",
        "PublicNamespace" => {
            "leave it out: tasks are registered with their private addresses; for names on the internet use x-elbv2 with DnsAliases"
        }
        "CreateCognitoClient" => "make the client where its user pool is made, and name both in AuthenticateCognitoConfig",
        "FireLens" => {
            "leave it out: logs go to CloudWatch Logs; a log router is a container of its own, in the same ecs.task.family"
        }
        "SecurityGroups" => "leave it out: the balancer has a group of its own, whose rules come from Ingress",
        "Subnets" | "SubnetMappings" => "write Settings.Subnets with a key of x-vpc.Lookup",
        "Services" => "leave it out: a listener of x-elbv2 names the certificate, as in Certificates with x-acm",
        "ForwardConfig" | "TargetGroupArn" => "leave DefaultActions out, and name the service under Targets",
        _ => "leave it out, and write that part under Resources as CloudFormation has it",
    }
}

fn is_empty(node: &Node) -> bool {
    node.as_map().is_some_and(crate::compose::Map::is_empty) || node.as_seq().is_some_and(<[Node]>::is_empty)
}

fn last(path: &str) -> &str {
    path.rsplit('.').next().unwrap_or(path)
}
