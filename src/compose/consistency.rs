//! Checks of the typed project: references to what is not defined, settings that contradict each other, cycles.
//!
//! Only services that are on are checked, as in the reference; secrets are all checked.

use std::collections::{BTreeMap, HashMap};

use super::model::Service;
use super::node::{Node, Span, Step};
use super::project::{Project, keys};
use super::report::Report;
use crate::base::{Code, Finding, nearest};

/// Checks everything, and settles `scale` against `deploy.replicas`.
pub(super) fn check(project: &mut Project, report: &mut Report) {
    let misspelt = report.entries_with(Code::UNKNOWN_KEY, "services.");
    for (name, service) in &project.services {
        Check { project, name, service, misspelt: misspelt.contains(name), report }.all();
    }
    for (name, secret) in &project.secrets {
        let path = ["secrets", name];
        let has_source = secret.external || secret.file.is_some() || secret.environment.is_some();
        // Without any of these keys, or with a wrong value, the file was already found wrong.
        let written = ["driver", "external", "file", "environment"].map(|key| self::written(project, &["secrets", name, key]));
        let found_wrong = written.iter().all(Option::is_none) || written.iter().flatten().any(|node| node.is_invalid());
        if !has_source && !secret.extensions.contains("x-secrets") && !found_wrong {
            let message = format!("secret \"{name}\" must declare either file or environment");
            report.error(Code::MISSING_KEY, span(project, &path), &keys(&path), message);
        }
    }
    cycles(project, report);
    for service in project.services.values_mut() {
        if let (Some(scale), Some(deploy)) = (service.scale, &mut service.deploy) {
            deploy.replicas = Some(scale);
        }
    }
}

/// Two services can't have the same container name.
pub(super) fn unique_container_names(project: &Project, report: &mut Report) {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, service) in &project.services {
        let Some(container) = service.container_name.as_deref() else { continue };
        if let Some(other) = names.insert(container, name) {
            let path = ["services", name, "container_name"];
            let message = format!("the container name \"{container}\" is already in use by service {other}");
            report.error(Code::DUPLICATE_VALUE, span(project, &path), &keys(&path), message);
        }
    }
}

fn span(project: &Project, path: &[&str]) -> Span {
    let mut node = &project.tree;
    let mut span = Span::default();
    for step in path {
        let next = match (node.as_map(), node.as_seq()) {
            (Some(map), _) => {
                if let Some(key) = map.key(step).filter(|key| key.span != Span::default()) {
                    span = key.span;
                }
                map.get(step)
            }
            (_, Some(items)) => step.parse().ok().and_then(|index: usize| items.get(index)),
            _ => None,
        };
        let Some(next) = next else { break };
        node = next;
        if node.span != Span::default() && node.as_map().is_none() {
            span = node.span;
        }
    }
    span
}

/// What was written under keys.
fn written<'p>(project: &'p Project, path: &[&str]) -> Option<&'p Node> {
    path.iter().try_fold(&project.tree, |node, step| node.get(step))
}

struct Check<'c> {
    project: &'c Project,
    name: &'c str,
    service: &'c Service,
    /// One of its keys is not known, which may be the one that is missed.
    misspelt: bool,
    report: &'c mut Report,
}

impl Check<'_> {
    /// A finding about a value of the service; the path goes on from it.
    fn error(&mut self, code: Code, below: &[&str], message: String) -> &mut Finding {
        let path: Vec<&str> = ["services", self.name].iter().chain(below).copied().collect();
        let mut node = Some(&self.project.tree);
        let mut steps: Vec<Step<'_>> = Vec::with_capacity(path.len());
        for step in &path {
            // Digits may also be the name of a service or of a network.
            let items = node.and_then(Node::as_seq);
            let index = items.and_then(|_| step.parse().ok());
            steps.push(index.map_or(Step::Key(step), Step::Item));
            node = index.map_or_else(|| node?.get(step), |index| items?.get(index));
        }
        self.report.error(code, span(self.project, &path), &steps, message)
    }

    fn all(&mut self) {
        self.image();
        self.networks();
        self.healthcheck();
        self.dependencies();
        self.references();
        self.quantities();
        self.mounts();
    }

    fn undefined<'k>(&mut self, kind: &str, name: &str, known: impl Iterator<Item = &'k String>, below: &[&str]) {
        let help = nearest(name, known.map(String::as_str)).map(|known| format!("did you mean \"{known}\"?"));
        let message = format!("service \"{}\" refers to undefined {kind} {name}", self.name);
        let help = help.or_else(|| {
            let section = kind.rsplit(' ').next().unwrap_or(kind);
            Some(if name.is_empty() {
                format!("its source is empty: name one of the top-level {section}s")
            } else {
                format!("define it under the top-level {section}s")
            })
        });
        self.error(Code::UNDEFINED_REFERENCE, below, message).help = help;
    }

    fn image(&mut self) {
        let service = self.service;
        let node = self.project.tree.get("services").and_then(|all| all.get(self.name));
        if node.is_none_or(|node| node.is_invalid() || node.get("extends").is_some()) {
            return;
        }
        let there = |key| written(self.project, &["services", self.name, key]).is_some();
        if service.build.is_none() && service.image.is_none() && service.provider.is_none() {
            let written = ["build", "image", "provider"].into_iter().any(there);
            let empty = self.project.tree.get("services").and_then(|all| all.get(self.name)?.get("image")?.as_str()) == Some("");
            if empty || !(written || self.misspelt) {
                let message = format!("service \"{}\" has neither an image nor a build context specified", self.name);
                self.error(Code::MISSING_KEY, &[], message).help = Some("write image: or build:".to_owned());
            }
        }
        let Some(build) = &service.build else { return };
        if build.dockerfile_inline.is_some() && build.dockerfile.is_some() {
            self.error(
                Code::CONTRADICTION,
                &["build"],
                "dockerfile and dockerfile_inline exclude each other (mutually exclusive)".to_owned(),
            );
        }
        for (context, value) in &build.additional_contexts {
            let Some(target) = value.strip_prefix("service:") else { continue };
            let wrong = match self.project.services.get(target) {
                None => Some("unknown"),
                Some(other) if other.build.is_none() => Some("non-buildable"),
                Some(_) => None,
            };
            if let Some(wrong) = wrong {
                let message =
                    format!("service \"{}\" declares {wrong} service \"{target}\" as additional contexts {context}", self.name);
                self.error(Code::UNDEFINED_REFERENCE, &["build", "additional_contexts", context], message);
            }
        }
        if let Some(platform) = service.platform.as_deref()
            && !build.platforms.is_empty()
            && !build.platforms.iter().any(|known| known == platform)
        {
            let message = format!("build.platforms must include the service's platform \"{platform}\"");
            self.error(Code::CONTRADICTION, &["build", "platforms"], message);
        }
    }

    fn networks(&mut self) {
        let service = self.service;
        if service.network_mode.is_some() && !service.networks.is_empty() {
            let message = format!("service {} declares network_mode and networks, which are mutually exclusive", self.name);
            self.error(Code::CONTRADICTION, &["network_mode"], message);
        }
        for network in service.networks.keys() {
            if !self.project.networks.contains_key(network) {
                let known = self.project.networks.keys();
                self.undefined("network", network, known, &["networks", network]);
            }
        }
    }

    fn healthcheck(&mut self) {
        let Some(healthcheck) = &self.service.healthcheck else { return };
        if let Some(first) = healthcheck.test.first()
            && !matches!(first.as_str(), "CMD" | "CMD-SHELL" | "NONE")
        {
            let message = format!("healthcheck.test must start with \"CMD\", \"CMD-SHELL\" or \"NONE\"; found \"{first}\"");
            self.error(Code::WRONG_VALUE, &["healthcheck", "test"], message).help =
                Some("a test that is one string needs no such word: the shell runs it".to_owned());
        }
    }

    fn dependencies(&mut self) {
        for (dependency, options) in &self.service.depends_on {
            if self.project.services.contains_key(dependency) {
                continue;
            }
            let disabled = self.project.disabled_services.get(dependency);
            if disabled.is_some() && !options.required.0 {
                continue;
            }
            let message = format!("service \"{}\" depends on undefined service \"{dependency}\"", self.name);
            let help = match disabled {
                Some(other) => Some(format!("it is in the profiles {}, none of which is on", other.profiles.join(", "))),
                None => nearest(dependency, self.project.services.keys().filter(|name| *name != self.name).map(String::as_str))
                    .map(|known| format!("did you mean \"{known}\"?")),
            };
            let below = match self.implied_by(dependency) {
                Some(key) => vec![key],
                None => vec!["depends_on", dependency],
            };
            self.error(Code::UNDEFINED_REFERENCE, &below, message).help = help;
        }
    }

    /// The key that makes a service a dependency without naming it one.
    fn implied_by(&self, dependency: &str) -> Option<&'static str> {
        let service = self.service;
        let modes = [("network_mode", &service.network_mode), ("ipc", &service.ipc), ("pid", &service.pid)];
        let shares = |text: &str| text.strip_prefix("service:") == Some(dependency);
        modes.into_iter().find(|(_, mode)| mode.as_deref().is_some_and(shares)).map(|(key, _)| key)
    }

    fn references(&mut self) {
        let (project, service) = (self.project, self.service);
        for (index, volume) in service.volumes.iter().enumerate() {
            if volume.r#type.as_deref() == Some("volume")
                && let Some(source) = volume.source.as_deref()
                && !project.volumes.contains_key(source)
            {
                self.undefined("volume", source, project.volumes.keys(), &["volumes", &index.to_string()]);
            }
        }
        let mounts = [("secret", "secrets", &service.secrets), ("config", "configs", &service.configs)];
        for (kind, key, mounts) in mounts {
            let secrets = key == "secrets";
            for (index, mount) in mounts.iter().enumerate() {
                let source = mount.source.as_deref().unwrap_or_default();
                let known = if secrets { project.secrets.contains_key(source) } else { project.configs.contains_key(source) };
                let written = written(project, &["services", self.name, key]).and_then(|mounts| mounts.as_seq()?.get(index));
                if known || written.is_some_and(|mount| mount.is_invalid() || mount.get("source").is_some_and(Node::is_invalid)) {
                    continue;
                }
                let below = [key, &index.to_string()];
                if secrets {
                    self.undefined(kind, source, project.secrets.keys(), &below);
                } else {
                    self.undefined(kind, source, project.configs.keys(), &below);
                }
            }
        }
        for (index, mount) in service.build.iter().flat_map(|build| &build.secrets).enumerate() {
            let source = mount.source.as_deref().unwrap_or_default();
            if !project.secrets.contains_key(source) {
                self.undefined("build secret", source, project.secrets.keys(), &["build", "secrets", &index.to_string()]);
            }
        }
        for model in service.models.keys() {
            if !project.models.contains_key(model) {
                self.undefined("model", model, project.models.keys(), &["models", model]);
            }
        }
    }

    fn distinct(&mut self, key: &str, other: &str) {
        let message = format!("can't set distinct values on '{key}' and '{other}'");
        self.error(Code::CONTRADICTION, &[key], message).help = Some(format!("write only {other}"));
    }

    fn quantities(&mut self) {
        let service = self.service;
        let replicas = service.deploy.as_ref().and_then(|deploy| deploy.replicas);
        if let (Some(scale), Some(replicas)) = (service.scale, replicas)
            && scale != replicas
        {
            self.distinct("scale", "deploy.replicas");
        }
        for (key, path, value) in
            [("scale", &["scale"][..], service.scale), ("deploy.replicas", &["deploy", "replicas"], replicas)]
        {
            if value.is_some_and(|value| value < 0) {
                self.error(Code::WRONG_VALUE, path, format!("{key} must be greater than or equal to 0"));
            }
        }
        if let Some(deploy) = &service.deploy {
            if let Some(limits) = &deploy.resources.limits {
                #[allow(clippy::float_cmp, reason = "both come from the same digits or they differ")]
                if service.cpus.get() != 0.0 && limits.cpus.get() != service.cpus.get() {
                    self.distinct("cpus", "deploy.resources.limits.cpus");
                }
                if service.mem_limit.get() != 0 && limits.memory != service.mem_limit {
                    self.distinct("mem_limit", "deploy.resources.limits.memory");
                }
                if service.pids_limit != 0 && limits.pids != service.pids_limit {
                    self.distinct("pids_limit", "deploy.resources.limits.pids");
                }
            }
            if let Some(reservations) = &deploy.resources.reservations
                && service.mem_reservation.get() != 0
                && reservations.memory != service.mem_reservation
            {
                self.distinct("mem_reservation", "deploy.resources.reservations.memory");
            }
        }
        if service.replicas() > 1 && service.container_name.is_some() {
            let key = if service.scale.is_some() { "scale" } else { "deploy.replicas" };
            let message = format!("can't set container_name and {key} as container name must be unique");
            self.error(Code::CONTRADICTION, &["container_name"], message);
        }
        for (index, trigger) in service.develop.iter().flat_map(|develop| &develop.watch).enumerate() {
            if trigger.target.is_none() && !matches!(trigger.action.0.as_str(), "rebuild" | "restart" | "") {
                let message = "develop.watch: target is required for non-rebuild actions".to_owned();
                self.error(Code::MISSING_KEY, &["develop", "watch", &index.to_string()], message);
            }
        }
    }

    fn mounts(&mut self) {
        let service = self.service;
        let mut targets: HashMap<&str, String> = HashMap::new();
        let tmpfs = service.tmpfs.iter().map(|line| ("tmpfs", line.split(':').next().unwrap_or_default())).enumerate();
        let volumes = service.volumes.iter().map(|volume| ("volumes", volume.target.as_deref().unwrap_or_default())).enumerate();
        for (index, (key, target)) in tmpfs.chain(volumes) {
            if target.is_empty() {
                continue;
            }
            let place = format!("services.{}.{key}[{index}]", self.name);
            if let Some(other) = targets.get(target) {
                let message = format!("target {target} already mounted as {other}");
                self.error(Code::DUPLICATE_VALUE, &[key, &index.to_string()], message);
            } else {
                targets.insert(target, place);
            }
        }
    }
}

/// Every circle of `depends_on`, once.
fn cycles(project: &Project, report: &mut Report) {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        Open,
        Closed,
    }
    let mut states: HashMap<&str, State> = HashMap::new();
    for start in project.services.keys() {
        if states.contains_key(start.as_str()) {
            continue;
        }
        // The services on the way, each with the dependencies that are still to be followed.
        let dependencies = |name: &str| project.services.get(name).map(|service| service.depends_on.keys());
        let mut way: Vec<(&str, _)> = Vec::new();
        states.insert(start, State::Open);
        way.extend(dependencies(start).map(|next| (start.as_str(), next)));
        while let Some((name, following)) = way.last_mut() {
            let name = *name;
            let Some(next) = following.next() else {
                states.insert(name, State::Closed);
                way.pop();
                continue;
            };
            match states.get(next.as_str()) {
                Some(State::Closed) => {}
                Some(State::Open) => {
                    let from = way.iter().position(|(on_way, _)| *on_way == next).unwrap_or(0);
                    let mut circle: Vec<&str> = way[from..].iter().map(|(name, _)| *name).collect();
                    circle.push(next);
                    let path = ["services", name, "depends_on", next.as_str()];
                    let message = format!("dependency cycle detected: {}", circle.join(" -> "));
                    report.error(Code::CYCLE, span(project, &path), &keys(&path), message).help =
                        Some("take one of them out of depends_on".to_owned());
                }
                None => {
                    states.insert(next, State::Open);
                    way.extend(dependencies(next).map(|following| (next.as_str(), following)));
                }
            }
        }
    }
}
