//! Which services are on: by profile, by name, and by what they depend on. What nobody uses is left out.

use std::collections::{BTreeSet, VecDeque};

use super::model::{Named, Service};
use super::project::Project;
use super::report::Report;
use crate::base::{Code, Finding, nearest};

/// Sets the services aside whose profiles are all off.
pub(super) fn split(project: &mut Project, profiles: &[String]) {
    let mut all = std::mem::take(&mut project.services);
    all.append(&mut project.disabled_services);
    for (name, service) in all {
        let list = if is_on(&service, profiles) { &mut project.services } else { &mut project.disabled_services };
        list.insert(name, service);
    }
}

fn is_on(service: &Service, profiles: &[String]) -> bool {
    service.profiles.is_empty() || profiles.iter().any(|profile| profile == "*" || service.profiles.contains(profile))
}

/// A service that is asked for by name switches its own profiles on.
pub(super) fn enable(project: &mut Project, profiles: &[String], names: &[String]) {
    if names.is_empty() {
        return;
    }
    let mut profiles = profiles.to_vec();
    for name in names {
        if let Some(service) = project.disabled_services.get(name) {
            profiles.extend(service.profiles.iter().cloned());
        }
    }
    split(project, &profiles);
}

/// Keeps the services that are asked for and what they depend on, then only the resources that these use.
pub(super) fn select(project: &mut Project, names: &[String], report: &mut Report) {
    if !names.is_empty() {
        let kept = closure(project, names, report);
        let mut services = Named::new();
        for (name, mut service) in std::mem::take(&mut project.services) {
            if kept.contains(&name) {
                service.depends_on.retain(|dependency, _| kept.contains(dependency));
                services.insert(name, service);
            } else {
                project.disabled_services.insert(name, service);
            }
        }
        project.services = services;
    }
    prune(project);
}

fn closure(project: &Project, names: &[String], report: &mut Report) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    let mut queue: VecDeque<&str> = VecDeque::new();
    for pattern in names {
        let mut matched = project.services.keys().filter(|name| matches(pattern, name)).peekable();
        if matched.peek().is_none() {
            let mut finding = Finding::error(Code::NO_SUCH_SERVICE, format!("no such service: {pattern}"));
            if let Some(known) = nearest(pattern, project.services.keys().map(String::as_str)) {
                finding = finding.help(format!("did you mean \"{known}\"?"));
            }
            report.push(finding);
        }
        queue.extend(matched.map(String::as_str));
    }
    while let Some(name) = queue.pop_front() {
        let Some(service) = project.services.get(name) else { continue };
        if !kept.insert(name.to_owned()) {
            continue;
        }
        for (dependency, options) in &service.depends_on {
            if options.required.0 && !project.services.contains_key(dependency) {
                let message = format!("no such service: {dependency}, which {name} depends on");
                let profiles = project.disabled_services.get(dependency).map(|service| service.profiles.join(", "));
                let finding = report.push(Finding::error(Code::NO_SUCH_SERVICE, message));
                finding.help = profiles.map(|profiles| format!("switch one of its profiles on: {profiles}"));
            }
            queue.push_back(dependency);
        }
    }
    kept
}

/// `*`, `?` and `[a-z]`, as a shell matches names.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Where the last star stands, and what it has taken so far.
    let (mut at, mut taken, mut star) = (0, 0, None);
    loop {
        match (pattern.get(at), name.get(taken)) {
            (None, None) => return true,
            (Some('*'), _) => {
                star = Some((at, taken));
                at += 1;
            }
            (Some(_), Some(c)) => match one(&pattern[at..], *c) {
                Some(length) => {
                    at += length;
                    taken += 1;
                }
                None => match star {
                    Some((back, from)) => {
                        star = Some((back, from + 1));
                        at = back + 1;
                        taken = from + 1;
                    }
                    None => return false,
                },
            },
            (None, Some(_)) => match star {
                Some((back, from)) => {
                    star = Some((back, from + 1));
                    at = back + 1;
                    taken = from + 1;
                }
                None => return false,
            },
            (Some(_), None) => return false,
        }
    }
}

/// How much of the pattern matches one character.
fn one(pattern: &[char], c: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', literal, ..] => (*literal == c).then_some(2),
        ['[', rest @ ..] => {
            let close = rest.iter().skip(1).position(|c| *c == ']')? + 1;
            let (negated, set) = match &rest[..close] {
                ['^', set @ ..] => (true, set),
                set => (false, set),
            };
            let mut found = false;
            let mut index = 0;
            while index < set.len() {
                if set.get(index + 1) == Some(&'-') && index + 2 < set.len() {
                    found |= (set[index]..=set[index + 2]).contains(&c);
                    index += 3;
                } else {
                    found |= set[index] == c;
                    index += 1;
                }
            }
            (found != negated).then_some(close + 2)
        }
        [literal, ..] => (*literal == c).then_some(1),
        [] => None,
    }
}

/// Leaves out what no service uses.
fn prune(project: &mut Project) {
    let mut networks = BTreeSet::new();
    let (mut volumes, mut secrets, mut configs, mut models) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for service in project.services.values() {
        networks.extend(service.networks.keys().cloned());
        models.extend(service.models.keys().cloned());
        volumes.extend(
            service
                .volumes
                .iter()
                .filter(|volume| volume.r#type.as_deref() == Some("volume"))
                .filter_map(|volume| volume.source.as_deref().map(str::to_owned)),
        );
        let built = service.build.iter().flat_map(|build| &build.secrets);
        secrets.extend(service.secrets.iter().chain(built).filter_map(|mount| mount.source.as_deref().map(str::to_owned)));
        configs.extend(service.configs.iter().filter_map(|mount| mount.source.as_deref().map(str::to_owned)));
    }
    project.networks.retain(|name, _| networks.contains(name));
    project.volumes.retain(|name, _| volumes.contains(name));
    project.secrets.retain(|name, _| secrets.contains(name));
    project.configs.retain(|name, _| configs.contains(name));
    project.models.retain(|name, _| models.contains(name));
}

/// A word that means yes.
pub(super) fn truth(word: &str) -> bool {
    matches!(word, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, name) in
            [("web", "web"), ("w*", "web"), ("*b", "web"), ("w?b", "web"), ("[a-w]eb", "web"), ("*-*-*", "a-b-c")]
        {
            assert!(matches(pattern, name), "{pattern}");
        }
        for (pattern, name) in [("we", "web"), ("w?", "web"), ("[^w]eb", "web"), ("*x", "web")] {
            assert!(!matches(pattern, name), "{pattern}");
        }
    }
}
