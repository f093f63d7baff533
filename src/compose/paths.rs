//! Relative paths → absolute ones, each against the folder of the file (or the project) that it was written in.

use std::path::{Path, PathBuf};

use super::files::clean;
use super::map::Map;
use super::node::Step::{self, Item as I, Key as K};
use super::node::{Node, Value};
use super::report::Report;
use crate::base::Code;

/// Where relative paths start, and where `~` leads.
#[derive(Debug, Clone)]
pub(super) struct Base<'b> {
    pub(super) directory: &'b Path,
    pub(super) home: Option<&'b str>,
}

/// Makes the paths of a whole tree absolute. Running it again changes nothing.
pub(super) fn resolve(root: &mut Map, base: &Base<'_>, report: &mut Report) {
    for (name, service) in entries(root, "services") {
        base.service(service, name, report);
    }
    for section in ["configs", "secrets"] {
        for (_, resource) in entries(root, section) {
            if let Some(file) = resource.as_map_mut().and_then(|map| map.get_mut("file")) {
                base.host_path(file);
            }
        }
    }
    for (_, volume) in entries(root, "volumes") {
        base.volume(volume);
    }
}

fn entries<'m>(root: &'m mut Map, section: &str) -> impl Iterator<Item = (&'m str, &'m mut Node)> {
    root.get_mut(section).and_then(Node::as_map_mut).into_iter().flat_map(Map::iter_mut).map(|(key, node)| (&*key.text, node))
}

impl Base<'_> {
    fn service(&self, service: &mut Node, name: &str, report: &mut Report) {
        let Some(service) = service.as_map_mut() else { return };
        if let Some(build) = service.get_mut("build").and_then(Node::as_map_mut) {
            if let Some(context) = build.get_mut("context") {
                self.context(context);
            }
            for (key, node) in build.iter_mut() {
                let Some(map) = node.as_map_mut() else { continue };
                for (_, value) in map.iter_mut() {
                    match &*key.text {
                        "additional_contexts" => self.context(value),
                        "ssh" => self.host_path(value),
                        _ => {}
                    }
                }
            }
        }
        for file in service.get_mut("env_file").and_then(Node::as_seq_mut).into_iter().flatten() {
            if let Some(path) = file.as_map_mut().and_then(|file| file.get_mut("path")) {
                self.path(path);
            }
        }
        for file in service.get_mut("label_file").and_then(Node::as_seq_mut).into_iter().flatten() {
            self.path(file);
        }
        if let Some(file) = service.get_mut("extends").and_then(|extends| extends.as_map_mut()?.get_mut("file"))
            && !file.as_str().is_some_and(super::files::is_remote)
        {
            self.path(file);
        }
        let triggers = service.get_mut("develop").and_then(|develop| develop.as_map_mut()?.get_mut("watch")?.as_seq_mut());
        for trigger in triggers.into_iter().flatten() {
            if let Some(path) = trigger.as_map_mut().and_then(|trigger| trigger.get_mut("path")) {
                self.path(path);
                if let Value::Str(text) = &mut path.value {
                    *text = resolve_link(text);
                }
            }
        }
        for (index, volume) in service.get_mut("volumes").and_then(Node::as_seq_mut).into_iter().flatten().enumerate() {
            let span = volume.span;
            let Some(mount) = volume.as_map_mut() else { continue };
            if mount.get("type").and_then(Node::as_str) != Some("bind") {
                continue;
            }
            if let Some(source) = mount.get_mut("source") {
                self.host_path(source);
            } else {
                let path = [K("services"), K(name), K("volumes"), I(index)];
                report.error(Code::MISSING_KEY, span, &path, "the bind mount has no source, the folder or file to mount");
                volume.value = Value::Invalid;
            }
        }
    }

    /// A folder, or what only a builder understands.
    fn context(&self, node: &mut Node) {
        const REMOTE: [&str; 6] = ["https://", "http://", "git://", "ssh://", "github.com/", "git@"];
        let Some(text) = node.as_str() else { return };
        let remote = text.contains("://") || text.starts_with("service:") || REMOTE.iter().any(|scheme| text.starts_with(scheme));
        if !remote {
            self.path(node);
        }
    }

    fn path(&self, node: &mut Node) {
        if let Value::Str(text) = &mut node.value
            && !text.is_empty()
        {
            *text = self.absolute(text);
        }
    }

    /// A path of the host that may be one of Windows.
    fn host_path(&self, node: &mut Node) {
        if let Value::Str(text) = &mut node.value
            && !is_windows_absolute(text)
        {
            *text = self.absolute(text);
        }
    }

    fn volume(&self, volume: &mut Node) {
        let is = |map: &Map, key: &str, word: &str| map.get(key).and_then(Node::as_str) == Some(word);
        let Some(map) = volume.as_map_mut().filter(|map| is(map, "driver", "local")) else { return };
        let Some(options) = map.get_mut("driver_opts").and_then(Node::as_map_mut).filter(|options| is(options, "o", "bind"))
        else {
            return;
        };
        if let Some(device) = options.get_mut("device") {
            self.host_path(device);
        }
    }

    /// An absolute path stays as it is; others are joined and cleaned.
    pub(super) fn absolute(&self, text: &str) -> String {
        let text = expand_home(text, self.home);
        if text.starts_with('/') {
            return text;
        }
        clean(&self.directory.join(text)).to_string_lossy().into_owned()
    }
}

/// `~` and `~/x` with the home folder.
pub(super) fn expand_home(text: &str, home: Option<&str>) -> String {
    match (text.strip_prefix('~'), home) {
        (Some(rest), Some(home)) => clean(&PathBuf::from(format!("{home}/{rest}"))).to_string_lossy().into_owned(),
        _ => text.to_owned(),
    }
}

/// `C:\x`, `C:/x` or `\\server\share`.
fn is_windows_absolute(path: &str) -> bool {
    let is_separator = |byte: u8| matches!(byte, b'\\' | b'/');
    match path.as_bytes() {
        [_, b':', third, ..] => is_separator(*third),
        [first, second, _, ..] => is_separator(*first) && is_separator(*second) && *first == b'\\',
        _ => false,
    }
}

/// The path with its first link followed.
fn resolve_link(text: &str) -> String {
    let mut walked = PathBuf::new();
    for component in Path::new(text).components() {
        walked.push(component);
        if walked.is_symlink() {
            let Ok(target) = walked.canonicalize() else { break };
            let rest = Path::new(text).strip_prefix(&walked).unwrap_or(Path::new(""));
            return clean(&target.join(rest)).to_string_lossy().into_owned();
        }
    }
    text.to_owned()
}

/// A container's path, cleaned by text.
pub(super) fn clean_text(path: &str) -> String {
    clean(Path::new(path)).to_string_lossy().into_owned()
}

/// The steps to a service's key, for findings.
pub(super) fn service_key<'p>(name: &'p str, key: &'p str) -> [Step<'p>; 3] {
    [K("services"), K(name), K(key)]
}
