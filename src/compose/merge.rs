//! Merging two files: attribute by attribute, by one table of rules. The later value wins, scalars replace, mappings
//! merge, lists are appended, and an empty value (`ports:`) leaves what was there.

use super::map::Map;
use super::node::Step::{self, Item as I, Key as K};
use super::node::{Key, Node, Span, Value};
use super::report::Report;
use crate::base::Code;

/// How an attribute is merged where the general rule doesn't fit.
enum Rule {
    /// Mappings key by key, lists one after the other, anything else replaced.
    General,
    /// The later value alone, also when it is empty.
    Replace,
    /// Both as lists of `key=value`; what is the same key is settled by [`super::unique`].
    Entries,
    /// Both as lists; entries that are there already are not repeated.
    Hosts,
    /// Both as mappings by name.
    Names,
    /// As [`Rule::Names`], each name with its default condition.
    Dependencies,
    /// A string is the build's context.
    Build,
    /// Options merge only under one driver.
    Logging,
    /// Address pools by subnet.
    Pools,
}

#[allow(clippy::unnested_or_patterns, clippy::match_same_arms, reason = "one line a kind of path reads as a table")]
fn rule(path: &[Step<'_>]) -> Rule {
    match path {
        [K("services"), K(_), field @ ..] => match field {
            [K("command" | "entrypoint")] => Rule::Replace,
            [K("healthcheck"), K("test")] => Rule::Replace,
            [K("ulimits"), K(_)] => Rule::Replace,
            [K("annotations" | "dns" | "dns_opt" | "dns_search" | "env_file" | "label_file" | "environment")] => Rule::Entries,
            [K("labels" | "sysctls" | "tmpfs")] => Rule::Entries,
            [K("build"), K("args" | "additional_contexts" | "labels")] => Rule::Entries,
            [K("deploy"), K("labels")] => Rule::Entries,
            [K("volumes"), I(_), K("volume"), K("labels")] => Rule::Entries,
            [K("extra_hosts")] | [K("build"), K("extra_hosts")] => Rule::Hosts,
            [K("networks" | "models")] => Rule::Names,
            [K("depends_on")] => Rule::Dependencies,
            [K("build")] => Rule::Build,
            [K("logging")] => Rule::Logging,
            _ => Rule::General,
        },
        [K("networks" | "volumes"), K(_), K("labels")] => Rule::Entries,
        [K("networks"), K(_), K("ipam"), K("config")] => Rule::Pools,
        _ => Rule::General,
    }
}

/// Merges a later value over an earlier one.
pub(super) fn merge(base: Node, over: Node, path: &[Step<'_>], report: &mut Report) -> Node {
    if base.is_invalid() && !over.is_null() {
        return over;
    }
    if over.is_invalid() {
        return over;
    }
    match rule(path) {
        Rule::Replace => over,
        Rule::Entries => {
            let span = base.span;
            let mut entries = entries(base);
            entries.extend(self::entries(over));
            Node::seq(entries, span)
        }
        Rule::Hosts => {
            let span = base.span;
            let mut hosts = entries(base);
            for host in entries(over) {
                if !hosts.iter().any(|known| known.as_str() == host.as_str()) {
                    hosts.push(host);
                }
            }
            Node::seq(hosts, span)
        }
        Rule::Names => general(names(base, None), names(over, None), path, report),
        Rule::Dependencies => general(names(base, Some(dependency)), names(over, Some(dependency)), path, report),
        Rule::Build => general(build(base), build(over), path, report),
        Rule::Logging => {
            let driver = |node: &Node| node.get("driver").and_then(Node::written);
            match (driver(&base), driver(&over)) {
                (Some(before), Some(after)) if before != after => over,
                _ => general(base, over, path, report),
            }
        }
        Rule::Pools => pools(base, over, path, report),
        Rule::General => general(base, over, path, report),
    }
}

fn general(base: Node, over: Node, path: &[Step<'_>], report: &mut Report) -> Node {
    if over.is_null() {
        return base;
    }
    let (span, tag) = (base.span, base.tag);
    match (base.value, over.value) {
        (Value::Map(base), Value::Map(over)) => {
            Node { value: Value::Map(Box::new(mappings(*base, *over, path, report))), span, tag }
        }
        (Value::Seq(mut base), Value::Seq(over)) => {
            base.extend(over);
            Node { value: Value::Seq(base), span, tag }
        }
        (base @ (Value::Map(_) | Value::Seq(_)), over_value) => {
            let (before, after) = (Node::new(base, span), Node::new(over_value, over.span));
            let message = format!("{} cannot override {}", after.kind(), before.kind());
            let first = report.place(span);
            report.error(Code::MERGE_CONFLICT, over.span, path, message).help =
                Some(format!("it was written as {} at {first}", before.kind()));
            Node::new(Value::Invalid, over.span)
        }
        (_, value) => Node { value, span: over.span, tag: over.tag },
    }
}

/// Merges mapping over mapping; the order is that of the first, then what is new.
pub(super) fn mappings(mut base: Map, over: Map, path: &[Step<'_>], report: &mut Report) -> Map {
    for (key, node) in over.into_entries() {
        match base.get_mut(&key.text) {
            None => base.insert(key, node),
            Some(there) => {
                let before = std::mem::take(there);
                let mut steps: Vec<Step<'_>> = Vec::with_capacity(path.len() + 1);
                steps.extend_from_slice(path);
                steps.push(K(&key.text));
                *there = merge(before, node, &steps, report);
            }
        }
    }
    base
}

/// A mapping as a list of `key=value`, sorted; a single value as a list of one.
fn entries(node: Node) -> Vec<Node> {
    match node.value {
        Value::Seq(items) => items,
        Value::Str(_) => vec![node],
        Value::Map(map) => {
            let mut entries: Vec<Node> = Vec::with_capacity(map.len());
            for (key, value) in map.into_entries() {
                let line = |value: &Node| {
                    let text = value.rendered().unwrap_or_default();
                    Node::string(format!("{}={text}", key.text), value.span)
                };
                match &value.value {
                    Value::Null => entries.push(Node::string(&*key.text, key.span)),
                    Value::Invalid => entries.push(value),
                    Value::Seq(items) => entries.extend(items.iter().map(line)),
                    _ => entries.push(line(&value)),
                }
            }
            entries.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            entries
        }
        _ => Vec::new(),
    }
}

/// A list of names as a mapping; a mapping as it is.
fn names(node: Node, default: Option<fn(Span) -> Node>) -> Node {
    let span = node.span;
    match node.value {
        Value::Seq(items) => {
            let named = items.into_iter().filter_map(|item| {
                let value = default.map_or_else(|| Node::new(Value::Null, item.span), |default| default(item.span));
                item.as_str().map(|name| (Key { text: name.into(), span: item.span }, value))
            });
            Node::map(named.collect(), span)
        }
        value => Node { value, span, tag: node.tag },
    }
}

/// What `depends_on: [name]` means.
pub(super) fn dependency(span: Span) -> Node {
    let mut map = Map::default();
    map.set("condition", Node::string("service_started", span));
    map.set("required", Node::bool(true, span));
    Node::map(map, span)
}

fn build(node: Node) -> Node {
    if node.as_str().is_none() {
        return node;
    }
    let span = node.span;
    let mut map = Map::default();
    map.set("context", node);
    Node::map(map, span)
}

/// Every pool of the base meets every pool that comes over it. Pools of one subnet merge; others stand side by side, in
/// the order in which they are met. A pool that changes its subnet by a merge changes where it already stands, too.
fn pools(base: Node, over: Node, path: &[Step<'_>], report: &mut Report) -> Node {
    let (Value::Seq(base), span) = (base.value, base.span) else { return over };
    let Value::Seq(over) = over.value else { return Node::seq(base, span) };
    let originals = base.len();
    let mut all: Vec<Node> = base.into_iter().chain(over).collect();
    let mut listed: Vec<usize> = Vec::new();
    let subnet = |all: &[Node], pool: usize| all[pool].get("subnet").and_then(Node::written);
    for original in 0..originals {
        for pool in originals..all.len() {
            let known = |all: &[Node], like: usize| listed.iter().position(|known| subnet(all, *known) == subnet(all, like));
            if subnet(&all, pool) != subnet(&all, original) && known(&all, pool).is_none() {
                listed.push(pool);
                continue;
            }
            let (before, after) = (std::mem::take(&mut all[original]), all[pool].clone());
            all[original] = general(before, after, path, report);
            match known(&all, original) {
                Some(position) => listed[position] = original,
                None => listed.push(original),
            }
        }
    }
    Node::seq(listed.into_iter().map(|pool| all[pool].clone()).collect(), span)
}
