//! The result of a load: the typed project, and the tree it was read from, which knows the place of every value.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::field::{Extensions, Field, View};
use super::files::Files;
use super::map::Map;
use super::model::{Config, Model, Named, Network, Secret, Service, Volume};
use super::node::{Node, Span, Step};
use super::out::Out;
use crate::base::{Place, Sources};

/// Who gave the project its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameOrigin {
    /// `-p` or `COMPOSE_PROJECT_NAME`.
    Given,
    /// `name:` in a compose file.
    File,
    /// Nobody: it is the folder's name.
    Folder,
}

/// A merged project. What the user wrote, with Compose's defaults and none of ours.
#[derive(Debug)]
pub struct Project {
    pub name: String,
    pub name_origin: NameOrigin,
    /// Relative paths of the files were resolved against it.
    pub directory: PathBuf,
    /// The compose files, as they were given.
    pub files: Vec<PathBuf>,
    /// What runs with the profiles that are on.
    pub services: Named<Service>,
    /// What doesn't.
    pub disabled_services: Named<Service>,
    pub networks: Named<Network>,
    pub volumes: Named<Volume>,
    pub secrets: Named<Secret>,
    pub configs: Named<Config>,
    pub models: Named<Model>,
    /// Top-level `x-` keys.
    pub extensions: Extensions,
    /// `Resources`, which is no key of Docker's: raw CloudFormation. `config` leaves it out.
    pub resources: Option<Node>,
    /// The variables that interpolation used: the environment over the env files.
    pub variables: BTreeMap<String, String>,
    pub(super) tree: Node,
    pub(super) texts: Files,
}

impl Project {
    /// Where a value was written: `["services", "connect", "environment", "CONNECT_GROUP_ID"]`; list items by their number.
    /// A value that nobody wrote (a default) has the place of the nearest mapping or list around it that someone did.
    pub fn place(&self, path: &[&str]) -> Place {
        let mut node = &self.tree;
        let mut span = node.span;
        for step in path {
            let next = match (node.as_map(), node.as_seq()) {
                (Some(map), _) => map.get(step),
                (_, Some(items)) => step.parse().ok().and_then(|index: usize| items.get(index)),
                _ => None,
            };
            let Some(next) = next else { break };
            node = next;
            if node.span != Span::default() {
                span = node.span;
            }
        }
        if span == Span::default() {
            // The root of several files stands in none of them.
            span = first_written(&self.tree).unwrap_or_default();
        }
        self.texts.place(span)
    }

    /// Where a key was written, as the name of a service.
    pub fn key_place(&self, path: &[&str]) -> Place {
        let written = path.split_last().and_then(|(last, parents)| {
            let mut node = &self.tree;
            for step in parents {
                node = node.get(step)?;
            }
            node.as_map()?.key(last).map(|key| key.span)
        });
        match written {
            Some(span) if span != Span::default() => self.texts.place(span),
            _ => self.place(path),
        }
    }

    /// Where a value of an extension was written.
    pub fn place_of(&self, node: &Node) -> Place {
        self.texts.place(node.span)
    }

    /// A place for a span, as those of keys in extensions.
    pub fn place_at(&self, span: Span) -> Place {
        self.texts.place(span)
    }

    /// The texts for the lines under findings.
    pub fn sources(&self) -> Sources {
        self.texts.sources()
    }

    /// A file's name as findings show it.
    pub fn shown(&self, path: &Path) -> String {
        self.texts.name(path).to_string()
    }

    /// The form that `config` prints, before `$` is doubled.
    pub(super) fn write(&self, view: View) -> Out<'_> {
        let mut out: Vec<(Cow<'_, str>, Out<'_>)> =
            vec![("name".into(), Out::text(&self.name)), ("services".into(), Out::Services(&self.services, view))];
        for (key, value, unset) in [
            ("networks", self.networks.write(view), self.networks.is_empty()),
            ("volumes", self.volumes.write(view), self.volumes.is_empty()),
            ("secrets", self.secrets.write(view), self.secrets.is_empty()),
            ("configs", self.configs.write(view), self.configs.is_empty()),
            ("models", self.models.write(view), self.models.is_empty() || view == View::Json),
        ] {
            if !unset {
                out.push((key.into(), value));
            }
        }
        self.extensions.write_into(&mut out);
        if view == View::Json {
            out.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Out::Map(out)
    }
}

impl serde::Serialize for Project {
    /// Docker's `config --format json`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(View::Json).serialize(serializer)
    }
}

/// Steps for a path of keys.
pub(super) fn keys<'a>(path: &[&'a str]) -> Vec<Step<'a>> {
    path.iter().map(|key| Step::Key(key)).collect()
}

/// The first thing that somebody wrote.
fn first_written(node: &Node) -> Option<Span> {
    let here = Some(node.span).filter(|span| *span != Span::default());
    let keys = || node.as_map().into_iter().flat_map(Map::iter);
    let of_keys = || keys().map(|(key, _)| key.span).find(|span| *span != Span::default());
    here.or_else(of_keys).or_else(|| keys().find_map(|(_, node)| first_written(node)))
}
