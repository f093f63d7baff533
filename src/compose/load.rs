//! The driver: runs the stages in the reference's order, document by document, then over the whole.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::environment::{self, Setting, normalized};
use super::extends::Scope;
use super::field::{Extensions, Field, Reader};
use super::files::Files;
use super::interpolate::{self, Unset};
use super::map::Map;
use super::model::{Config, Model, Named, Network, Secret, Service, Volume};
use super::node::Step::{self, Key as K};
use super::node::{Node, Span, Value};
use super::options::{LoadOptions, Loaded};
use super::project::{NameOrigin, Project};
use super::report::Report;
use super::reset::Resets;
use super::template::Variables;
use super::touched::Touched;
use super::{canonical, consistency, defaults, merge, normalize, paths, profiles, schema, services_env, unique, validate, yaml};
use crate::base::{Code, Finding, Place};

/// No load reads more files than this, an included one counted each time.
const MAX_FILES: usize = 2_000;

/// Loads a project. All findings are in what comes back; the project only when none of them is an error.
pub fn load(options: &LoadOptions) -> Loaded {
    let mut loader = Loader {
        options,
        report: Report::new(Files::new(options.current_dir.clone())),
        unset: Unset::default(),
        documents: HashMap::new(),
        scopes: Vec::new(),
        base_files: HashMap::new(),
        contexts: 0,
        files_read: 0,
    };
    let project = loader.run();
    let Loader { unset, mut report, .. } = loader;
    unset.report(options.unset_is_blank, &mut report);
    let failed = report.has_errors();
    let (files, findings) = report.into_parts();
    let sources = files.sources();
    let project = project.filter(|_| !failed).map(|mut project| {
        project.texts = files;
        project
    });
    Loaded { project, findings, sources }
}

/// Folder and variables that files are read with; an include has its own.
pub(super) struct Context {
    pub(super) directory: PathBuf,
    pub(super) variables: Variables,
    /// Tells contexts apart.
    pub(super) number: usize,
}

impl Context {
    pub(super) fn home(&self) -> Option<&str> {
        self.variables.get("HOME").map(String::as_str)
    }

    fn base(&self) -> paths::Base<'_> {
        paths::Base { directory: &self.directory, home: self.home() }
    }
}

/// What a load holds while it runs.
pub(super) struct Loader<'o> {
    options: &'o LoadOptions,
    pub(super) report: Report,
    pub(super) unset: Unset,
    /// Files that were parsed for their name, until they are read.
    documents: HashMap<PathBuf, Vec<(Node, Resets)>>,
    pub(super) scopes: Vec<Scope>,
    /// Files with base services, by path and context.
    pub(super) base_files: HashMap<(PathBuf, usize), Option<usize>>,
    contexts: usize,
    files_read: usize,
}

impl Loader<'_> {
    fn run(&mut self) -> Option<Project> {
        let mut setting = environment::settle(self.options, &mut self.unset, &mut self.report)?;
        let (name, name_origin) = self.name(&setting)?;
        setting.variables.insert("COMPOSE_PROJECT_NAME".to_owned(), name.clone());
        let Setting { files, directory, variables, profiles } = setting;
        let context = self.context(directory, variables);
        let listed: Vec<(PathBuf, Option<Span>)> = files.iter().map(|file| (file.clone(), None)).collect();
        let mut root = self.load_model(&listed, &context, &[]);
        if root.is_empty() {
            if !self.report.has_errors() {
                let file = self.report.files.name(&files[0]);
                let what = if files[0] == Path::new(super::files::STDIN) { "standard input" } else { &*file };
                let finding = Finding::error(Code::NO_PROJECT, format!("{what} is empty: an empty compose file"));
                self.report.push(finding.at(Place::file(file.clone())));
            }
            return None;
        }
        normalize::project(&mut root, &name, &context.variables, &mut self.report);
        let mut project = self.typed(root, name, &context);
        project.name_origin = name_origin;
        project.files = files;
        profiles::split(&mut project, &profiles);
        consistency::check(&mut project, &mut self.report);
        services_env::environments(&mut project, &mut self.unset, &mut self.report);
        services_env::label_files(&mut project, &mut self.unset, &mut self.report);
        profiles::enable(&mut project, &profiles, &self.options.services);
        profiles::select(&mut project, &self.options.services, &mut self.report);
        services_env::environments(&mut project, &mut self.unset, &mut self.report);
        consistency::unique_container_names(&project, &mut self.report);
        Some(project)
    }

    /// A context for files of their own.
    pub(super) fn context(&mut self, directory: PathBuf, variables: Variables) -> Context {
        self.contexts += 1;
        Context { directory, variables, number: self.contexts }
    }

    /// Reads and merges files into one canonical tree with absolute paths.
    pub(super) fn load_model(&mut self, files: &[(PathBuf, Option<Span>)], context: &Context, chain: &[PathBuf]) -> Map {
        let mut root = Map::default();
        for (file, from) in files {
            self.load_file(file, *from, context, chain, &mut root);
        }
        defaults::set(&mut root, &mut self.report);
        validate::check(&mut root, &mut self.report);
        paths::resolve(&mut root, &context.base(), &mut self.report);
        normalize::resolve_lists(&mut root, &context.variables);
        root
    }

    fn load_file(&mut self, file: &Path, from: Option<Span>, context: &Context, chain: &[PathBuf], root: &mut Map) {
        let mut chain = chain.to_vec();
        chain.push(file.to_owned());
        for (document, resets) in self.read(file, from, &[K("include")]) {
            self.load_document(document, &resets, file, context, &chain, root);
        }
    }

    fn load_document(
        &mut self,
        mut document: Node,
        resets: &Resets,
        file: &Path,
        context: &Context,
        chain: &[PathBuf],
        root: &mut Map,
    ) {
        interpolate::document(&mut document, &context.variables, &mut self.unset, &mut self.report);
        let Some(mut document) = self.top_level(document) else { return };
        self.apply_includes(&mut document, resets, context, chain);
        resets.apply(root);
        self.apply_extends(&mut document, resets, file, context);
        self.merge_document(document, root, true);
    }

    /// A document is a mapping.
    fn top_level(&mut self, document: Node) -> Option<Map> {
        match document.value {
            Value::Map(map) => Some(*map),
            Value::Invalid => None,
            _ => {
                let message = format!("the top-level object must be a mapping; found {}", document.found());
                self.report.error(Code::WRONG_TYPE, document.span, &[], message);
                None
            }
        }
    }

    fn merge_document(&mut self, document: Map, root: &mut Map, validate: bool) {
        let touched = Touched::of(&document);
        let merged = merge::mappings(std::mem::take(root), document, &[], &mut self.report);
        *root = merged;
        let report = &mut self.report;
        touched.each(root, |section, name, entry| unique::entry(section, name, entry, report));
        if validate {
            schema::document(root, &touched, report);
            if let Some(version) = root.remove("version")
                && !version.is_invalid()
            {
                let message = "the attribute version is obsolete; it is passed over";
                report.warning(Code::DEPRECATED, version.span, &[K("version")], message).help = Some("remove it".to_owned());
            }
        }
        touched.each(root, |section, name, entry| canonical::entry(section, name, entry, report));
        touched.each(root, |section, name, entry| unique::entry(section, name, entry, report));
    }

    /// The services of a file that bases are taken from, and its tags.
    pub(super) fn load_base_file(
        &mut self,
        file: &Path,
        span: Span,
        path: &[Step<'_>],
        context: &Context,
    ) -> Option<(Map, Resets)> {
        let mut root = Map::default();
        let mut last = Resets::default();
        for (mut document, resets) in self.read(file, Some(span), path) {
            interpolate::document(&mut document, &context.variables, &mut self.unset, &mut self.report);
            let Some(document) = self.top_level(document) else { continue };
            resets.apply(&mut root);
            self.merge_document(document, &mut root, false);
            last = resets;
        }
        if root.is_empty() && self.report.has_errors() {
            return None;
        }
        let directory = file.parent().unwrap_or(Path::new("/"));
        paths::resolve(&mut root, &paths::Base { directory, home: context.home() }, &mut self.report);
        if let Some(Value::Map(services)) = root.remove("services").map(|services| services.value) {
            return Some((*services, last));
        }
        let message = format!("{} has no services section to extend from", self.report.files.name(file));
        self.report.error(Code::EXTENDS, span, path, message);
        None
    }

    /// The documents of a file with their tags. A file that is needed again is parsed again.
    fn read(&mut self, file: &Path, from: Option<Span>, path: &[Step<'_>]) -> Vec<(Node, Resets)> {
        self.files_read += 1;
        if self.files_read > MAX_FILES {
            if self.files_read == MAX_FILES + 1 {
                let message = format!("more than {MAX_FILES} files are read for one project");
                self.report.error(Code::TOO_LARGE, from.unwrap_or_default(), path, message);
            }
            return Vec::new();
        }
        match self.documents.remove(file) {
            Some(parsed) => parsed,
            None => self.parse(file, from, path),
        }
    }

    fn parse(&mut self, file: &Path, from: Option<Span>, path: &[Step<'_>]) -> Vec<(Node, Resets)> {
        let known = self.report.files.is_known(file);
        let (number, text) = match self.report.files.read(file) {
            Ok(Some(read)) => read,
            Ok(None) => {
                let name = self.report.files.name(file);
                let message = format!("there is no file {name}: no such file or directory");
                match from {
                    Some(span) => self.report.error(Code::UNREADABLE_FILE, span, path, message),
                    None => self.report.push(Finding::error(Code::UNREADABLE_FILE, message).at(Place::file(name))),
                };
                return Vec::new();
            }
            Err(finding) => {
                self.report.push(finding);
                return Vec::new();
            }
        };
        if known {
            const TREE_PER_BYTE: usize = 8;
            if !self.report.spend(text.len().saturating_mul(TREE_PER_BYTE), from.unwrap_or_default(), path) {
                return Vec::new();
            }
        } else {
            self.report.grant(text.len());
        }
        let documents = yaml::parse(&text, number, &mut self.report);
        let tagged = |mut document: Node| {
            let resets = Resets::collect(&mut document);
            (document, resets)
        };
        documents.into_iter().map(tagged).collect()
    }

    pub(super) fn refuse_remote(&mut self, reference: &str, span: Span, path: &[Step<'_>]) {
        let message = format!("{reference} is a remote file; confluent-ecs reads files of this computer only");
        self.report.error(Code::REMOTE, span, path, message).help = Some("fetch it first, and name the local copy".to_owned());
    }

    /// The project's name and who gave it: `-p`, `COMPOSE_PROJECT_NAME`, the last `name:` of the files, or the folder.
    fn name(&mut self, setting: &Setting) -> Option<(String, NameOrigin)> {
        let from_variable = setting.variables.get("COMPOSE_PROJECT_NAME").filter(|name| !name.is_empty());
        let typed = self.options.project_name.as_ref().filter(|name| !name.is_empty());
        if let Some(name) = typed.or(from_variable) {
            if normalized(name) != *name {
                let message = format!(
                    "invalid project name \"{name}\": it must consist of lower-case letters, digits, - and _, and begin with a letter or a digit"
                );
                self.report.push(Finding::error(Code::PROJECT_NAME, message));
                return None;
            }
            return Some((name.clone(), NameOrigin::Given));
        }
        let mut written: Option<(String, Span)> = None;
        for file in &setting.files {
            let documents = self.parse(file, None, &[]);
            for (document, _) in &documents {
                if let Some(node) = document.get("name")
                    && let Some(name) = node.written().filter(|name| !name.is_empty())
                {
                    written = Some((name, node.span));
                }
            }
            self.documents.insert(file.clone(), documents);
        }
        if let Some((name, span)) = written {
            let lookup = |name: &str| setting.variables.get(name).cloned();
            match super::template::substitute(&name, &lookup, &mut Vec::new()) {
                Ok(name) => {
                    let kept = normalized(&name);
                    if !kept.is_empty() {
                        return Some((kept, NameOrigin::File));
                    }
                    let message = format!("the project name must not be empty: nothing in \"{name}\" is allowed in one");
                    self.report.error(Code::PROJECT_NAME, span, &[K("name")], message).help =
                        Some("a name consists of lower-case letters, digits, - and _".to_owned());
                    return None;
                }
                Err(fault) => {
                    interpolate::explain(&fault, &name, span, &[K("name")], &mut self.report);
                    return None;
                }
            }
        }
        let folder = setting.directory.file_name().map(|name| normalized(&name.to_string_lossy())).unwrap_or_default();
        if folder.is_empty() {
            let finding = Finding::error(Code::PROJECT_NAME, "the project has no name: the project name must not be empty");
            self.report.push(finding.help("write name: in the compose file, or give one with -p"));
            return None;
        }
        Some((folder, NameOrigin::Folder))
    }

    /// Reads the typed model from the normalised tree.
    fn typed(&mut self, root: Map, name: String, context: &Context) -> Project {
        let mut reader = Reader { report: &mut self.report, path: Vec::new() };
        let services: Named<Service> = section(&root, "services", &mut reader);
        let networks: Named<Network> = section(&root, "networks", &mut reader);
        let volumes: Named<Volume> = section(&root, "volumes", &mut reader);
        let secrets: Named<Secret> = section(&root, "secrets", &mut reader);
        let configs: Named<Config> = section(&root, "configs", &mut reader);
        let models: Named<Model> = section(&root, "models", &mut reader);
        let extensions = Extensions::of(&root);
        let resources = root.get("Resources").cloned();
        Project {
            name,
            name_origin: NameOrigin::Folder,
            directory: context.directory.clone(),
            files: Vec::new(),
            services,
            disabled_services: Named::new(),
            networks,
            volumes,
            secrets,
            configs,
            models,
            extensions,
            resources,
            variables: context.variables.clone(),
            tree: Node::map(root, Span::default()),
            texts: Files::new(PathBuf::new()),
        }
    }
}

fn section<'n, T: Field>(root: &'n Map, name: &'static str, reader: &mut Reader<'_, 'n>) -> Named<T> {
    match root.get(name) {
        Some(node) if node.as_map().is_some() => reader.under(K(name), |reader| Field::read(node, reader)),
        _ => Named::new(),
    }
}
