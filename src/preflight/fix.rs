//! What mends a gap, as data: an argument list, a setting, or advice where neither can be known.
//!
//! Grants follow the kind of cluster. All that one principal lacks on one resource becomes one command, and every check of that
//! resource carries it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::cluster::{ClusterFacts, Provider};
use super::report::Check;
use crate::kafka::Operation;
use crate::profile::{Pattern, Resource};

/// One step of the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Fix {
    /// To be run as it is, apart from what stands in `<angle brackets>`.
    Command {
        argv: Vec<String>,
    },
    /// Variables of the service to be set to a value.
    Setting {
        variables: Vec<String>,
        value: String,
    },
    Advice {
        text: String,
    },
}

impl Fix {
    pub(super) fn command<S: Into<String>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self::Command { argv: argv.into_iter().map(Into::into).collect() }
    }

    pub(super) fn advice(text: impl Into<String>) -> Self {
        Self::Advice { text: text.into() }
    }
}

/// A word as a POSIX shell reads it back.
pub fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) { word.to_owned() } else { format!("'{}'", word.replace('\'', r"'\''")) }
}

/// Rights that a principal lacks on a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    /// `None` where only its owner knows.
    pub(super) principal: Option<String>,
    pub(super) key_start: Option<String>,
    pub(super) resource: Resource,
    pub(super) name: String,
    pub(super) pattern: Pattern,
    pub(super) operations: BTreeSet<Operation>,
    /// Where the client starts from, for an administrator whose address is not known.
    pub(super) bootstrap: String,
}

type Key = (Option<String>, Resource, String, Pattern);

impl Grant {
    fn key(&self) -> Key {
        (self.principal.clone().or_else(|| self.key_start.clone()), self.resource, self.name.clone(), self.pattern)
    }
}

/// Turns the grants of all checks into fixes, those on one resource into one command.
pub(super) fn attach(checks: &mut [Check], cluster: &ClusterFacts) {
    let mut merged: BTreeMap<Key, Grant> = BTreeMap::new();
    for grant in checks.iter().filter_map(|check| check.grant.as_ref()) {
        let entry = merged.entry(grant.key()).or_insert_with(|| grant.clone());
        entry.operations.extend(&grant.operations);
    }
    for check in checks {
        if let Some(grant) = check.grant.as_ref().and_then(|grant| merged.get(&grant.key())) {
            check.fixes = fixes(grant, cluster);
        }
    }
}

fn fixes(grant: &Grant, cluster: &ClusterFacts) -> Vec<Fix> {
    match cluster.provider {
        Provider::ConfluentCloud => confluent(grant, cluster),
        Provider::Msk | Provider::SelfManaged => vec![kafka_acls(grant, cluster)],
        Provider::MskIam => Vec::new(),
    }
}

fn confluent(grant: &Grant, cluster: &ClusterFacts) -> Vec<Fix> {
    let id = cluster.id.clone().unwrap_or_else(|| "<lkc-…>".to_owned());
    let mut fixes = Vec::new();
    let account = if let Some(principal) = &grant.principal {
        principal.trim_start_matches("User:").to_owned()
    } else {
        let mut find = vec!["confluent", "api-key", "list", "--resource", &id];
        if let Some(environment) = &cluster.environment {
            find.extend(["--environment", environment]);
        }
        fixes.push(Fix::command(find));
        match &grant.key_start {
            Some(start) => format!("<owner of the key {start}…>"),
            None => "<sa-…>".to_owned(),
        }
    };
    let operations: Vec<&str> = grant.operations.iter().map(|operation| operation.as_str()).collect();
    let mut argv: Vec<String> =
        ["confluent", "kafka", "acl", "create", "--allow", "--service-account", &account].map(str::to_owned).into();
    argv.extend(["--operations".to_owned(), operations.join(",")]);
    match grant.resource {
        Resource::Topic => argv.extend(["--topic".to_owned(), grant.name.clone()]),
        Resource::Group => argv.extend(["--consumer-group".to_owned(), grant.name.clone()]),
        Resource::TransactionalId => argv.extend(["--transactional-id".to_owned(), grant.name.clone()]),
        Resource::Cluster => argv.push("--cluster-scope".to_owned()),
    }
    if grant.pattern == Pattern::Prefixed {
        argv.push("--prefix".to_owned());
    }
    argv.extend(["--cluster".to_owned(), id]);
    if let Some(environment) = &cluster.environment {
        argv.extend(["--environment".to_owned(), environment.clone()]);
    }
    fixes.push(Fix::Command { argv });
    fixes
}

fn kafka_acls(grant: &Grant, cluster: &ClusterFacts) -> Fix {
    let mut argv = administrator("kafka-acls", grant.bootstrap.as_str(), cluster);
    let principal = grant.principal.clone().unwrap_or_else(|| "<User:…>".to_owned());
    argv.extend(["--add".to_owned(), "--allow-principal".to_owned(), principal]);
    for operation in &grant.operations {
        argv.extend(["--operation".to_owned(), operation.kafka_name()]);
    }
    match grant.resource {
        Resource::Topic => argv.extend(["--topic".to_owned(), grant.name.clone()]),
        Resource::Group => argv.extend(["--group".to_owned(), grant.name.clone()]),
        Resource::TransactionalId => argv.extend(["--transactional-id".to_owned(), grant.name.clone()]),
        Resource::Cluster => argv.push("--cluster".to_owned()),
    }
    if grant.pattern == Pattern::Prefixed {
        argv.extend(["--resource-pattern-type".to_owned(), "prefixed".to_owned()]);
    }
    Fix::Command { argv }
}

/// The start of a command of Kafka's own tools, run by an administrator.
pub(super) fn administrator(tool: &str, bootstrap: &str, cluster: &ClusterFacts) -> Vec<String> {
    let bootstrap = cluster.bootstrap.as_deref().unwrap_or(bootstrap);
    let config = cluster.admin_config.as_deref().unwrap_or("<admin.properties>");
    [tool, "--bootstrap-server", bootstrap, "--command-config", config].map(str::to_owned).into()
}

/// The command that shows the cluster's true addresses.
pub(super) fn show_addresses(cluster: &ClusterFacts) -> Option<Fix> {
    let id = cluster.id.as_deref()?;
    match cluster.provider {
        Provider::ConfluentCloud => {
            let mut argv = vec!["confluent", "kafka", "cluster", "describe", id];
            if let Some(environment) = &cluster.environment {
                argv.extend(["--environment", environment]);
            }
            Some(Fix::command(argv))
        }
        Provider::Msk | Provider::MskIam => Some(Fix::command(["aws", "kafka", "get-bootstrap-brokers", "--cluster-arn", id])),
        Provider::SelfManaged => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Fix, Grant, fixes, shell};
    use crate::kafka::Operation;
    use crate::preflight::cluster::{ClusterFacts, Provider};
    use crate::profile::{Pattern, Resource};

    fn cluster(provider: Provider) -> ClusterFacts {
        ClusterFacts {
            provider,
            provider_name: String::new(),
            title: String::new(),
            id: Some("lkc-8m2q5z".into()),
            environment: None,
            bootstrap: None,
            admin_config: Some("admin.properties".into()),
            principals: std::collections::BTreeMap::new(),
            place: None,
        }
    }

    fn grant(principal: Option<&str>) -> Grant {
        Grant {
            principal: principal.map(str::to_owned),
            key_start: Some("ABCD".into()),
            resource: Resource::Topic,
            name: "connect-dev-offsets".into(),
            pattern: Pattern::Literal,
            operations: [Operation::Write, Operation::Read].into(),
            bootstrap: "broker:9092".into(),
        }
    }

    fn line(fix: &Fix) -> String {
        match fix {
            Fix::Command { argv } => argv.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_command_follows_the_kind_of_cluster() {
        let lines = |grant: &Grant, provider| fixes(grant, &cluster(provider)).iter().map(line).collect::<Vec<_>>();
        assert_eq!(
            lines(&grant(Some("User:sa-3kd9wq")), Provider::ConfluentCloud),
            [
                "confluent kafka acl create --allow --service-account sa-3kd9wq --operations read,write --topic connect-dev-offsets \
              --cluster lkc-8m2q5z"
            ]
        );
        assert_eq!(
            lines(&grant(None), Provider::ConfluentCloud),
            [
                "confluent api-key list --resource lkc-8m2q5z",
                "confluent kafka acl create --allow --service-account '<owner of the key ABCD…>' --operations read,write \
                 --topic connect-dev-offsets --cluster lkc-8m2q5z"
            ]
        );
        assert_eq!(
            lines(&grant(Some("User:connect")), Provider::SelfManaged),
            ["kafka-acls --bootstrap-server broker:9092 --command-config admin.properties --add --allow-principal User:connect \
              --operation Read --operation Write --topic connect-dev-offsets"]
        );
    }

    #[test]
    fn a_shell_reads_back_what_was_meant() {
        assert_eq!(shell("User:a"), "User:a");
        assert_eq!(shell("O'Neil $HOME"), r"'O'\''Neil $HOME'");
        assert_eq!(shell("*"), "'*'");
        assert_eq!(shell(""), "''");
    }
}
