//! The logs of a stack's services: where they are, and their lines with service, container and task.
//!
//! Rules: reads only; what looks like a credential is taken out of every line.

use serde::Serialize;

use crate::aws::{Account, CallError, LogLine};
use crate::base::{Failure, Moment, Result, nearest, redact};
use crate::cloudformation::DeployedService;

/// The log of a family, or of one of its containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSource {
    service: String,
    group: String,
    /// How the names of the streams begin: `family/` or `family/container/`.
    streams: String,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogEntry {
    #[serde(skip)]
    pub id: String,
    pub at: Moment,
    pub service: String,
    pub container: String,
    pub task: String,
    pub text: String,
}

/// The logs of all services, or of the one that is asked for: a family, or a compose service inside of one.
pub async fn log_sources(
    account: &Account,
    stack: &str,
    services: &[DeployedService],
    wanted: Option<&str>,
    container: Option<&str>,
) -> Result<Vec<LogSource>> {
    let chosen = choose(services, wanted, container)?;
    let Some(found) = account.stack(stack).await?.filter(|found| !found.status.is_deleted()) else {
        return Err(Failure::usage(format!("{stack} is not deployed")).help("deploy it with `confluent-ecs up`").into());
    };
    let resources = account.stack_resources(&found.id).await?;
    let physical = |logical: &str| {
        resources.iter().find(|resource| resource.logical == logical).and_then(|resource| resource.physical.clone())
    };
    Ok(chosen
        .into_iter()
        .filter_map(|(service, container)| {
            let container = container.map(|container| format!("{container}/")).unwrap_or_default();
            Some(LogSource {
                service: service.family.clone(),
                group: physical(&service.log_group)?,
                streams: format!("{}/{container}", service.family),
            })
        })
        .collect())
}

/// The families that are meant, each with the container that is meant.
fn choose<'a>(
    services: &'a [DeployedService],
    wanted: Option<&'a str>,
    container: Option<&'a str>,
) -> Result<Vec<(&'a DeployedService, Option<&'a str>)>> {
    let has = |service: &DeployedService, name: &str| service.containers.iter().any(|container| container == name);
    let unknown = |what: &str, name: &str, there: Vec<&str>| {
        let failure = Failure::usage(format!("the project has no {what} {name}"));
        match nearest(name, there.iter().copied()) {
            Some(near) => failure.help(format!("did you mean {near}?")),
            None => failure.help(format!("there are {}", there.join(", "))),
        }
    };
    let chosen: Vec<_> = match wanted {
        None => services.iter().map(|service| (service, container)).collect(),
        Some(name) => {
            let family = services.iter().find(|service| service.family == name).map(|service| (service, container));
            // One that stands in several is shown of all.
            let inside = services.iter().filter(|service| has(service, name)).map(|service| (service, container.or(Some(name))));
            let found: Vec<_> = family.map_or_else(|| inside.collect(), |family| vec![family]);
            if found.is_empty() {
                return Err(unknown("service", name, services.iter().map(|service| service.family.as_str()).collect()).into());
            }
            found
        }
    };
    let Some(name) = container else { return Ok(chosen) };
    let there = chosen.iter().flat_map(|(service, _)| service.containers.iter().map(String::as_str)).collect();
    let fitting: Vec<_> = chosen.into_iter().filter(|(service, _)| has(service, name)).collect();
    if fitting.is_empty() { Err(unknown("container", name, there).into()) } else { Ok(fitting) }
}

/// The lines of one log from a moment on, oldest first.
pub async fn log_entries(account: &Account, source: &LogSource, from: Moment) -> std::result::Result<Vec<LogEntry>, CallError> {
    let lines = account.log_lines(&source.group, Some(&source.streams), from).await?;
    Ok(lines.into_iter().map(|line| entry(source, line)).collect())
}

fn entry(source: &LogSource, line: LogLine) -> LogEntry {
    // `prefix/container/task`.
    let mut parts = line.stream.rsplit('/');
    let task = parts.next().unwrap_or_default().to_owned();
    let container = parts.next().unwrap_or_default().to_owned();
    LogEntry { id: line.id, at: line.at, service: source.service.clone(), container, task, text: redact(&line.text) }
}

#[cfg(test)]
mod tests {
    use super::choose;
    use crate::cloudformation::DeployedService;

    fn service(family: &str, containers: &[&str]) -> DeployedService {
        DeployedService {
            family: family.to_owned(),
            containers: containers.iter().map(|name| (*name).to_owned()).collect(),
            service: String::new(),
            task_definition: String::new(),
            log_group: String::new(),
            target_groups: Vec::new(),
            desired_count: String::new(),
            scalable_target: None,
            apis: Vec::new(),
        }
    }

    #[test]
    fn a_service_is_meant_by_its_family_or_by_a_container_in_it() {
        let services = [service("connect", &["connect", "agent"]), service("registry", &["schema-registry"])];
        let names = |wanted, container| {
            let chosen = choose(&services, wanted, container).map_err(|_| "refused")?;
            Ok::<_, &str>(chosen.into_iter().map(|(service, container)| (service.family.as_str(), container)).collect::<Vec<_>>())
        };
        assert_eq!(names(None, None), Ok(vec![("connect", None), ("registry", None)]));
        assert_eq!(names(Some("connect"), Some("agent")), Ok(vec![("connect", Some("agent"))]));
        assert_eq!(names(Some("schema-registry"), None), Ok(vec![("registry", Some("schema-registry"))]));
        assert_eq!(names(None, Some("agent")), Ok(vec![("connect", Some("agent"))]));
        assert_eq!(names(Some("conect"), None), Err("refused"));
        assert_eq!(names(Some("registry"), Some("agent")), Err("refused"));
    }
}
