//! Lists in which an element stands for a key: of two with the same key the later one wins, at the place of the first.
//! It runs before and after the short syntaxes are written out, since a range of ports shows its members only then.

use std::collections::HashMap;

use super::node::Step::{self, Item as I, Key as K};
use super::node::{Node, Value};
use super::report::Report;
use super::volume_spec;
use crate::base::Code;

/// What makes two elements of a list the same.
#[derive(Clone, Copy)]
enum By {
    /// The text before `=`.
    Name,
    /// Where a volume is mounted.
    VolumeTarget,
    /// Where a device appears.
    DeviceTarget,
    /// Where a secret or config is mounted; by default under this folder.
    MountTarget(&'static str),
    /// The port as text.
    Expose,
    /// Host address, published port, target and protocol.
    Port,
    /// The file's path.
    Path,
}

/// The lists of an entry that have a key, in the order of their first keys.
const SERVICE: &[(&[&str], By)] = &[
    (&["annotations"], By::Name),
    (&["build", "args"], By::Name),
    (&["build", "additional_contexts"], By::Name),
    (&["build", "tags"], By::Name),
    (&["build", "labels"], By::Name),
    (&["cap_add"], By::Name),
    (&["cap_drop"], By::Name),
    (&["configs"], By::MountTarget("")),
    (&["deploy", "labels"], By::Name),
    (&["devices"], By::DeviceTarget),
    (&["dns"], By::Name),
    (&["dns_opt"], By::Name),
    (&["dns_search"], By::Name),
    (&["env_file"], By::Path),
    (&["environment"], By::Name),
    (&["expose"], By::Expose),
    (&["labels"], By::Name),
    (&["links"], By::Name),
    (&["networks", "*", "aliases"], By::Name),
    (&["networks", "*", "link_local_ips"], By::Name),
    (&["ports"], By::Port),
    (&["profiles"], By::Name),
    (&["secrets"], By::MountTarget("/run/secrets")),
    (&["sysctls"], By::Name),
    (&["tmpfs"], By::Name),
    (&["volumes"], By::VolumeTarget),
];
const NETWORK: &[(&[&str], By)] = &[(&["ipam", "options"], By::Name), (&["labels"], By::Name)];

/// Settles the lists of one entry.
pub(super) fn entry(section: &str, name: &str, entry: &mut Node, report: &mut Report) {
    let lists = match section {
        "services" => SERVICE,
        "networks" => NETWORK,
        _ => return,
    };
    let Some(map) = entry.as_map_mut() else { return };
    for (key, value) in map.iter_mut() {
        let first = lists.partition_point(|(keys, _)| *keys[0] < *key.text);
        for (keys, by) in lists[first..].iter().take_while(|(keys, _)| *keys[0] == *key.text) {
            descend(value, &keys[1..], *by, &mut vec![K(section), K(name), K(&key.text)], report);
        }
    }
}

fn descend<'n>(node: &'n mut Node, keys: &[&'n str], by: By, path: &mut Vec<Step<'n>>, report: &mut Report) {
    let [first, rest @ ..] = keys else {
        if let Some(items) = node.as_seq_mut() {
            settle(items, by, path, report);
        }
        return;
    };
    let Some(map) = node.as_map_mut() else { return };
    if *first == "*" {
        for (key, value) in map.iter_mut() {
            path.push(K(&key.text));
            descend(value, rest, by, path, report);
            path.pop();
        }
    } else if let Some(value) = map.get_mut(first) {
        path.push(K(first));
        descend(value, rest, by, path, report);
        path.pop();
    }
}

fn settle(items: &mut Vec<Node>, by: By, path: &[Step<'_>], report: &mut Report) {
    let mut key_of = |index: usize, item: &mut Node| match key(item, by) {
        Ok(key) => key,
        Err(missing) => {
            let mut path = path.to_vec();
            path.push(I(index));
            report.error(Code::MISSING_KEY, item.span, &path, missing);
            item.value = Value::Invalid;
            None
        }
    };
    if let [item] = items.as_mut_slice() {
        key_of(0, item);
        return;
    }
    let mut positions: HashMap<String, usize> = HashMap::with_capacity(items.len());
    let mut settled: Vec<Node> = Vec::with_capacity(items.len());
    for (index, mut item) in std::mem::take(items).into_iter().enumerate() {
        match key_of(index, &mut item) {
            // The schema says what is wrong with one that has no key.
            None => settled.push(item),
            Some(key) => {
                let position = *positions.entry(key).or_insert(settled.len());
                if position == settled.len() {
                    settled.push(item);
                } else {
                    settled[position] = item;
                }
            }
        }
    }
    *items = settled;
}

/// None when the element is of a type that has no key.
fn key(item: &Node, by: By) -> Result<Option<String>, &'static str> {
    let text = |key: &str| item.get(key).filter(|node| !node.is_null()).and_then(Node::written);
    // One that is no text is the schema's to say.
    if ["target", "path"].iter().any(|key| item.get(key).is_some_and(|node| !node.is_null()) && text(key).is_none()) {
        return Ok(None);
    }
    Ok(match (by, &item.value) {
        (By::Name, Value::Str(line)) => Some(line.split_once('=').map_or(line.as_str(), |(name, _)| name).to_owned()),
        (By::VolumeTarget, Value::Str(spec)) => volume_spec::parse(spec).ok().map(|volume| volume.target),
        (By::VolumeTarget, Value::Map(_)) => Some(text("target").ok_or("the volume has no target, where it is mounted")?),
        (By::DeviceTarget, Value::Str(spec)) => {
            let mut parts = spec.split(':');
            let source = parts.next().unwrap_or_default();
            Some(parts.next().unwrap_or(source).to_owned())
        }
        (By::DeviceTarget, Value::Map(_)) => Some(text("target").ok_or("the device has no target")?),
        (By::MountTarget(folder), Value::Str(source)) => Some(format!("{folder}/{source}")),
        (By::MountTarget(folder), Value::Map(_)) => {
            Some(text("target").unwrap_or_else(|| format!("{folder}/{}", text("source").unwrap_or_default())))
        }
        (By::Expose | By::Port, Value::Int(port, _)) => Some(port.to_string()),
        (By::Expose | By::Port | By::Path, Value::Str(line)) => Some(line.clone()),
        (By::Port, Value::Map(map)) => {
            let target = text("target").ok_or("the port has no target, the container's port")?;
            // A number and the same digits as text are different keys, as in the reference.
            let published = match map.get("published").map(|node| &node.value) {
                Some(Value::Str(published)) => published.clone(),
                Some(Value::Int(published, _)) => format!("#{published}"),
                _ => "none".to_owned(),
            };
            let host = text("host_ip").unwrap_or_else(|| "0.0.0.0".to_owned());
            let protocol = text("protocol").unwrap_or_else(|| "tcp".to_owned());
            Some(format!("{host}:{published}:{target}/{protocol}"))
        }
        (By::Path, Value::Map(_)) => Some(text("path").ok_or("the env file has no path")?),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::{NETWORK, SERVICE};

    #[test]
    fn lists_stand_in_the_order_of_their_first_keys() {
        for lists in [SERVICE, NETWORK] {
            assert!(lists.is_sorted_by_key(|(keys, _)| keys[0]));
        }
    }
}
