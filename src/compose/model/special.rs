//! Values that have a form of their own: limits, hosts, SSH keys and block devices.

use std::borrow::Cow;

use super::Named;
use crate::base::Code;
use crate::compose::field::{Extensions, Field, Reader, View, record};
use crate::compose::map::Map;
use crate::compose::node::{Node, Step, Value};
use crate::compose::out::Out;
use crate::compose::units::Bytes;

record! {
    /// Block device limits.
    BlkioConfig {
        weight: u64 = "weight",
        weight_device: Vec<WeightDevice> = "weight_device",
        device_read_bps: Vec<ThrottleDevice> = "device_read_bps",
        device_read_iops: Vec<ThrottleDevice> = "device_read_iops",
        device_write_bps: Vec<ThrottleDevice> = "device_write_bps",
        device_write_iops: Vec<ThrottleDevice> = "device_write_iops",
    }
}

/// A block device with its weight. Docker's JSON writes these keys with a capital.
#[derive(Debug, Clone, Default)]
pub struct WeightDevice {
    pub path: String,
    pub weight: u64,
}

/// A block device with a rate a second.
#[derive(Debug, Clone, Default)]
pub struct ThrottleDevice {
    pub path: String,
    pub rate: Bytes,
}

/// Reads `path` and one more key.
fn read_device<'n, T: Field>(node: &'n Node, key: &'static str, reader: &mut Reader<'_, 'n>) -> (String, T) {
    let there = |key| node.get(key).filter(|node| !matches!(node.value, Value::Null | Value::Invalid));
    let path = there("path").map(|path| reader.under(Step::Key("path"), |reader| Field::read(path, reader)));
    let value = there(key).map(|value| reader.under(Step::Key(key), |reader| Field::read(value, reader)));
    (path.unwrap_or_default(), value.unwrap_or_default())
}

fn write_device<'o>(path: &'o str, key: &'static str, value: Out<'o>, view: View) -> Out<'o> {
    let keys = match view {
        View::Json => ("Path", format!("{}{}", key[..1].to_uppercase(), &key[1..]).into()),
        View::Yaml => ("path", Cow::Borrowed(key)),
    };
    Out::Map(vec![(keys.0.into(), Out::text(path)), (keys.1, value)])
}

impl Field for WeightDevice {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let (path, weight) = read_device(node, "weight", reader);
        Self { path, weight }
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, view: View) -> Out<'_> {
        write_device(&self.path, "weight", self.weight.write(view), view)
    }
}

impl Field for ThrottleDevice {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let (path, rate) = read_device(node, "rate", reader);
        Self { path, rate }
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, view: View) -> Out<'_> {
        write_device(&self.path, "rate", self.rate.write(view), view)
    }
}

/// A limit of the process: one value, or a soft and a hard one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ulimit {
    Single(i64),
    Range { soft: i64, hard: i64 },
}

impl Default for Ulimit {
    fn default() -> Self {
        Self::Range { soft: 0, hard: 0 }
    }
}

impl Field for Ulimit {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let Some(map) = node.as_map() else {
            // Only a service's limits are cast, a build's are taken as they are.
            return Self::Single(node.as_i64().unwrap_or_else(|| {
                reader.wrong(Code::WRONG_TYPE, node, "a whole number");
                0
            }));
        };
        let mut limit = |key: &'static str| match map.get(key) {
            Some(value) if !matches!(value.value, Value::Null | Value::Invalid) => {
                reader.under(Step::Key(key), |reader| i64::read(value, reader))
            }
            _ => 0,
        };
        Self::Range { soft: limit("soft"), hard: limit("hard") }
    }

    fn unset(&self, _: View) -> bool {
        false
    }

    fn write(&self, view: View) -> Out<'_> {
        let (soft, hard) = match *self {
            Self::Single(limit) if limit != 0 => return Out::Int(limit),
            Self::Single(_) => (0, 0),
            Self::Range { soft, hard } => (soft, hard),
        };
        let shown = |limit: i64| view == View::Yaml || limit != 0;
        let limits = [("soft", soft), ("hard", hard)].into_iter().filter(|(_, limit)| shown(*limit));
        Out::Map(limits.map(|(key, limit)| (Cow::Borrowed(key), Out::Int(limit))).collect())
    }
}

/// Host names with their addresses, beyond what DNS knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtraHosts(Named<Vec<String>>);

impl std::ops::Deref for ExtraHosts {
    type Target = Named<Vec<String>>;

    fn deref(&self) -> &Named<Vec<String>> {
        &self.0
    }
}

impl Field for ExtraHosts {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let mut hosts: Named<Vec<String>> = Named::new();
        let mut add = |reader: &mut Reader<'_, 'n>, at: &Node, host: &str, addresses: Vec<String>| {
            if host.is_empty() || host.contains([':', '=']) {
                let message = format!("\"{host}\" is not a host name");
                reader.report.error(Code::WRONG_VALUE, at.span, &reader.path, message);
                return;
            }
            hosts.entry(host.to_owned()).or_default().extend(addresses.into_iter().map(|address| {
                // `[::1]` and `::1` are the same address.
                let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|bare| !bare.is_empty());
                bare.map(str::to_owned).unwrap_or(address)
            }));
        };
        if let Some(map) = node.as_map() {
            for (key, value) in map.iter() {
                let addresses = match &value.value {
                    Value::Seq(items) => items.iter().filter_map(Node::rendered).collect(),
                    Value::Null => vec![String::new()],
                    Value::Invalid => continue,
                    _ => value.rendered().into_iter().collect(),
                };
                reader.under(Step::Key(&key.text), |reader| add(reader, value, &key.text, addresses));
            }
        }
        for (index, item) in node.as_seq().unwrap_or_default().iter().enumerate() {
            let Some(text) = item.rendered() else { continue };
            reader.under(Step::Item(index), |reader| {
                if let Some((host, addresses)) = text.split_once('=').or_else(|| text.split_once(':')) {
                    add(reader, item, host, addresses.split(',').map(str::to_owned).collect());
                } else {
                    let message = format!("{} has no address: write it as host=address", item.found());
                    reader.report.error(Code::WRONG_VALUE, item.span, &reader.path, message);
                }
            });
        }
        Self(hosts)
    }

    fn unset(&self, _: View) -> bool {
        self.0.is_empty()
    }

    fn write(&self, _: View) -> Out<'_> {
        let mut lines: Vec<String> = self
            .0
            .iter()
            .flat_map(|(host, addresses)| addresses.iter().map(move |address| format!("{host}={address}")))
            .collect();
        lines.sort();
        Out::List(lines.into_iter().map(|line| Out::Text(line.into())).collect())
    }
}

/// SSH agent sockets and keys of a build, by id; without a path it is the agent of the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SshKeys(Named<Option<String>>);

impl std::ops::Deref for SshKeys {
    type Target = Named<Option<String>>;

    fn deref(&self) -> &Named<Option<String>> {
        &self.0
    }
}

impl Field for SshKeys {
    fn read<'n>(node: &'n Node, _: &mut Reader<'_, 'n>) -> Self {
        let entries = node.as_map().into_iter().flat_map(Map::iter);
        Self(entries.map(|(key, path)| (key.text.to_string(), path.rendered().filter(|path| !path.is_empty()))).collect())
    }

    fn unset(&self, _: View) -> bool {
        self.0.is_empty()
    }

    fn write(&self, _: View) -> Out<'_> {
        // Docker's own JSON is not valid here once there is a path; this is the form that both read back.
        let line = |(id, path): (&'_ String, &Option<String>)| match path {
            Some(path) => Out::Text(format!("{id}={path}").into()),
            None => Out::Text(id.clone().into()),
        };
        Out::List(self.0.iter().map(line).collect())
    }
}
