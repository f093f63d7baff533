//! `extends`: a service over a base service, in the same document or in another file.
//!
//! Rules: a base in another file brings its own relative paths, made absolute first, and nothing of that file's top level;
//! chains are followed, cycles are findings; `!reset` and `!override` of the extending document act on the base.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::files::{clean, is_remote};
use super::load::{Context, Loader};
use super::map::Map;
use super::merge;
use super::node::Step::{self, Key as K};
use super::node::{Node, Span, Value};
use super::paths::service_key;
use super::reset::Resets;
use super::{schema, spec};
use crate::base::{Code, nearest};

/// A longer chain is refused; each link is a step of recursion.
const MAX_CHAIN: usize = 256;

/// Services that may be a base: those of one document, or of one file.
pub(super) struct Scope {
    file: PathBuf,
    services: Map,
    resets: Resets,
    settled: HashSet<Box<str>>,
}

/// What `extends` asks for.
struct Base {
    service: String,
    file: Option<(String, Span)>,
    span: Span,
}

impl Loader<'_> {
    /// Settles `extends` of all services of a document.
    pub(super) fn apply_extends(&mut self, document: &mut Map, resets: &Resets, file: &Path, context: &Context) {
        let Some(services) = document.get_mut("services").and_then(Node::as_map_mut) else { return };
        if !services.iter().any(|(_, service)| service.get("extends").is_some()) {
            return;
        }
        let names: Vec<Box<str>> = services.keys().map(Into::into).collect();
        let scope = self.scopes.len();
        self.scopes.push(Scope {
            file: file.to_owned(),
            services: std::mem::take(services),
            resets: resets.clone(),
            settled: HashSet::new(),
        });
        for name in &names {
            self.settle_service(scope, name, context, &mut Vec::new());
        }
        let settled = std::mem::take(&mut self.scopes[scope].services);
        if let Some(services) = document.get_mut("services").and_then(Node::as_map_mut) {
            *services = settled;
        }
    }

    /// Merges a service over its base, in its scope.
    fn settle_service(&mut self, scope: usize, name: &str, context: &Context, chain: &mut Vec<(usize, Box<str>)>) {
        if self.scopes[scope].settled.contains(name) {
            return;
        }
        let Some(base) = self.take_extends(scope, name) else {
            self.scopes[scope].settled.insert(name.into());
            return;
        };
        chain.push((scope, name.into()));
        let extended = self.extend(scope, name, &base, context, chain);
        chain.pop();
        if extended.is_none() {
            self.mark_incomplete(scope, name, base.span);
        }
        self.scopes[scope].settled.insert(name.into());
    }

    /// A service without its base lacks what it may have got there; the key stays, so that nobody says what it lacks.
    fn mark_incomplete(&mut self, scope: usize, name: &str, span: Span) {
        if let Some(service) = self.scopes[scope].services.get_mut(name).and_then(Node::as_map_mut) {
            service.set("extends", Node::new(Value::Invalid, span));
        }
    }

    /// Takes the key `extends` out of a service and reads it.
    fn take_extends(&mut self, scope: usize, name: &str) -> Option<Base> {
        let mut extends = self.scopes[scope].services.get_mut(name)?.as_map_mut()?.remove("extends")?;
        let path = service_key(name, "extends");
        schema::check(&mut extends, &spec::EXTENDS_VALUE, &mut path.to_vec(), &mut self.report);
        if extends.is_invalid() {
            self.mark_incomplete(scope, name, extends.span);
            return None;
        }
        if let Some(service) = extends.as_str() {
            return Some(Base { service: service.to_owned(), file: None, span: extends.span });
        }
        let Some(service) = extends.get("service").and_then(Node::as_str) else {
            // The finding is made.
            self.mark_incomplete(scope, name, extends.span);
            return None;
        };
        let file = extends.get("file").and_then(|file| Some((file.as_str()?.to_owned(), file.span)));
        Some(Base { service: service.to_owned(), file, span: extends.get("service").map_or(extends.span, |node| node.span) })
    }

    fn extend(
        &mut self,
        scope: usize,
        name: &str,
        base: &Base,
        context: &Context,
        chain: &mut Vec<(usize, Box<str>)>,
    ) -> Option<()> {
        let path = service_key(name, "extends");
        let base_scope = match &base.file {
            None => scope,
            Some((file, span)) => self.base_scope(file, *span, &path, context)?,
        };
        let bases = &self.scopes[base_scope].services;
        if !bases.contains(&base.service) {
            let known = nearest(&base.service, bases.keys().filter(|known| *known != name)).map(str::to_owned);
            let file = self.report.files.name(&self.scopes[base_scope].file);
            let message = format!("service \"{name}\" can't extend service \"{}\": it is not found in {file}", base.service);
            self.report.error(Code::EXTENDS, base.span, &path, message).help =
                known.map(|known| format!("did you mean \"{known}\"?"));
            return None;
        }
        let link = (base_scope, Box::from(base.service.as_str()));
        if let Some(start) = chain.iter().position(|known| *known == link) {
            let circle = chain[start..].iter().chain([&link]);
            let names: Vec<String> = circle
                .map(|(scope, service)| format!("{service} in {}", self.report.files.name(&self.scopes[*scope].file)))
                .collect();
            let message = format!("circular reference: {}", names.join(" extends "));
            self.report.error(Code::CYCLE, base.span, &path, message);
            return None;
        }
        if chain.len() >= MAX_CHAIN {
            let message = format!("more than {MAX_CHAIN} services extend each other");
            self.report.error(Code::TOO_LARGE, base.span, &path, message);
            return None;
        }
        self.settle_service(base_scope, &base.service, context, chain);
        let source = self.scopes[base_scope].services.get(&base.service)?;
        let Some(base_map) = source.as_map() else {
            // In the same file the schema says so.
            if base_scope != scope && !source.is_null() && !source.is_invalid() {
                let message = format!("{} is {}; it must be a mapping", source.found(), source.kind());
                self.report.error(Code::WRONG_TYPE, source.span, &[K("services"), K(&base.service)], message);
            }
            return source.is_null().then_some(());
        };
        if base_map.get("extends").is_some_and(Node::is_invalid) || !self.report.spend(source.cost(), base.span, &path) {
            return None;
        }
        let mut source = source.clone();
        self.scopes[scope].resets.apply_below(["services", name], &mut source);
        let service = self.scopes[scope].services.get_mut(name)?;
        let over = std::mem::take(service);
        let merged = merge::merge(source, over, &[K("services"), K(name)], &mut self.report);
        if let Some(service) = self.scopes[scope].services.get_mut(name) {
            *service = merged;
        }
        Some(())
    }

    /// The services of another file, read once for each context.
    fn base_scope(&mut self, file: &str, span: Span, path: &[Step<'_>], context: &Context) -> Option<usize> {
        if is_remote(file) {
            self.refuse_remote(file, span, path);
            return None;
        }
        let file = clean(&context.directory.join(super::paths::expand_home(file, context.home())));
        let key = (file.clone(), context.number);
        if let Some(known) = self.base_files.get(&key) {
            return *known;
        }
        let loaded = self.load_base_file(&file, span, path, context);
        let scope = loaded.map(|(services, resets)| {
            self.scopes.push(Scope { file, services, resets, settled: HashSet::new() });
            self.scopes.len() - 1
        });
        self.base_files.insert(key, scope);
        scope
    }
}
