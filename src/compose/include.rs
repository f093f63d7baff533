//! `include`: other projects' resources, each read with its own folder and env files and merged under what is written here.
//!
//! Rules: what the including document writes wins; of two includes the earlier one wins; variables of the including
//! project beat those of the included one's env files; top-level `x-` keys and the name stay behind.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::environment::read_env_file;
use super::files::{clean, is_remote};
use super::load::{Context, Loader};
use super::map::Map;
use super::merge;
use super::node::Step::{Item as I, Key as K};
use super::node::{Node, Span};
use super::reset::Resets;
use super::schema;
use super::spec;
use super::touched::SECTIONS;
use crate::base::Code;

/// Deeper nesting of includes is refused.
const MAX_NESTING: usize = 32;

/// One entry of the list.
struct Include {
    paths: Vec<(String, Span)>,
    directory: Option<String>,
    env_files: Vec<(String, Span)>,
}

impl Loader<'_> {
    /// Takes `include` out of a document and merges what it names under it.
    pub(super) fn apply_includes(&mut self, document: &mut Map, resets: &Resets, context: &Context, chain: &[PathBuf]) {
        let Some(mut list) = document.remove("include") else { return };
        if list.is_null() {
            return;
        }
        schema::check(&mut list, &spec::INCLUDE_LIST, &mut vec![K("include")], &mut self.report);
        for (index, entry) in list.as_seq().unwrap_or_default().iter().enumerate() {
            let include = read(entry);
            if let Some(imported) = self.load_include(&include, index, context, chain) {
                self.import(imported, document, resets);
            }
        }
    }

    fn load_include(&mut self, include: &Include, index: usize, context: &Context, chain: &[PathBuf]) -> Option<Map> {
        let at = [K("include"), I(index)];
        let mut files = Vec::new();
        for (path, span) in &include.paths {
            if is_remote(path) {
                self.refuse_remote(path, *span, &at);
                return None;
            }
            let file = clean(&context.directory.join(path));
            if let Some(start) = chain.iter().position(|known| *known == file) {
                let mut names: Vec<String> = chain[start..].iter().map(|file| self.report.files.name(file).to_string()).collect();
                names.push(self.report.files.name(&file).to_string());
                let message = format!("include goes in a circle: {} (an include cycle)", names.join(" -> "));
                self.report.error(Code::CYCLE, *span, &at, message);
                return None;
            }
            files.push((file, Some(*span)));
        }
        if let Some((_, span)) = include.paths.first().filter(|_| chain.len() > MAX_NESTING) {
            let message = format!("includes are nested more than {MAX_NESTING} deep");
            self.report.error(Code::TOO_LARGE, *span, &at, message);
            return None;
        }
        let directory = match (&include.directory, files.first()) {
            (Some(directory), _) => clean(&context.directory.join(directory)),
            (None, Some((first, _))) => first.parent().unwrap_or(Path::new("/")).to_owned(),
            // Without a file its env files are read all the same.
            (None, None) => context.directory.clone(),
        };
        let mut variables = context.variables.clone();
        self.include_variables(include, index, &directory, context, &mut variables);
        let inner = self.context(directory, variables);
        let mut included = self.load_model(&files, &inner, chain);
        included.remove("include");
        Some(included)
    }

    /// The included project's own variables, under those that are known.
    fn include_variables(
        &mut self,
        include: &Include,
        index: usize,
        directory: &Path,
        context: &Context,
        variables: &mut super::template::Variables,
    ) {
        let mut values = BTreeMap::new();
        if include.env_files.is_empty() {
            let default = directory.join(".env");
            if default.is_file() {
                read_env_file(&default, &mut values, &context.variables, &mut self.unset, &mut self.report);
            }
        }
        for (path, span) in include.env_files.iter().filter(|(path, _)| path != "/dev/null") {
            let file = clean(&context.directory.join(path));
            if file.is_dir() {
                let at = [K("include"), I(index), K("env_file")];
                let message = format!("{} is not a file but a folder", self.report.files.name(&file));
                self.report.error(Code::UNREADABLE_FILE, *span, &at, message);
            } else if file.exists() {
                read_env_file(&file, &mut values, &context.variables, &mut self.unset, &mut self.report);
            } else {
                let at = [K("include"), I(index), K("env_file")];
                let message = format!("couldn't find env file {}: no such file", self.report.files.name(&file));
                self.report.error(Code::UNREADABLE_FILE, *span, &at, message);
            }
        }
        for (name, assigned) in values {
            variables.entry(name).or_insert(assigned.value);
        }
    }

    /// Merges what is written in the document over what came from an include.
    fn import(&mut self, mut imported: Map, document: &mut Map, resets: &Resets) {
        for section in SECTIONS {
            let Some(source) = imported.remove(section) else { continue };
            let span = source.span;
            let super::node::Value::Map(source) = source.value else { continue };
            document.set_default(section, Node::map(Map::default(), span));
            let Some(target) = document.get_mut(section).and_then(Node::as_map_mut) else { continue };
            for (key, mut included) in source.into_entries() {
                match target.get_mut(&key.text) {
                    None => target.insert(key, included),
                    Some(local) => {
                        resets.apply_below([section, &key.text], &mut included);
                        let over = std::mem::take(local);
                        *local = merge::merge(included, over, &[K(section), K(&key.text)], &mut self.report);
                    }
                }
            }
        }
    }
}

fn read(entry: &Node) -> Include {
    let texts = |node: Option<&Node>| -> Vec<(String, Span)> {
        let list = node.map(|node| node.as_seq().unwrap_or(std::slice::from_ref(node))).unwrap_or_default();
        list.iter().filter_map(|item| Some((item.as_str()?.to_owned(), item.span))).collect()
    };
    Include {
        paths: texts(if entry.as_map().is_some() { entry.get("path") } else { Some(entry) }),
        directory: entry.get("project_directory").and_then(Node::written).filter(|text| !text.is_empty()),
        env_files: texts(entry.get("env_file")),
    }
}
