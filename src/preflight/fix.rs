//! What mends a gap, as data: an argument list, policy statements, a setting, or advice where none can be known.
//!
//! What grants a right is made by [`grant`](crate::confluent::grant) in the words of the kind of cluster: all that one command
//! can hold becomes one command, and every check that it mends carries it.

use serde::{Deserialize, Serialize};

use super::acls::Book;
use super::cluster::{ClusterFacts, Provider};
use super::reasons;
use super::report::Check;
use super::shape::TopicConfig;
use crate::base::shell;
use crate::confluent::grant::{self, Admin, Bundle, Grant, Holder, On, Reach, Statement};
use crate::kafka::{AclEntry, AclOperation};

/// One step of the way out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Fix {
    /// To be run as it is, apart from what stands in `<angle brackets>`.
    Command {
        argv: Vec<String>,
    },
    /// Statements for the policy of the role that the clients run as.
    Policy {
        statements: Vec<Statement>,
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

/// What keeps a principal from a right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Gap {
    /// What is to be granted; nothing where an ALLOW is there.
    pub(super) grant: Grant,
    /// The entries that deny it, each with its place.
    pub(super) denials: Vec<(On, AclEntry)>,
    /// The ACLs were listed: there is no other entry that denies it.
    pub(super) listed: bool,
    /// Where the client starts from, for an administrator whose address is not known.
    pub(super) bootstrap: String,
}

/// Turns what all checks found missing into fixes, as few commands as grant it all.
pub(super) fn attach(checks: &mut [Check], cluster: &ClusterFacts, book: &Book) {
    let gaps: Vec<Option<Gap>> = checks.iter_mut().map(|check| reasons::read(check, book, cluster)).collect();
    let reach = match cluster.provider {
        Provider::ConfluentCloud => Reach::Resource,
        Provider::Msk | Provider::MskIam | Provider::SelfManaged => Reach::Operations,
    };
    let lacking = || gaps.iter().flatten().map(|gap| &gap.grant).filter(|grant| !grant.operations.is_empty()).cloned();
    let bundles = grant::bundles(lacking(), reach);
    let whole: Vec<Grant> = lacking().collect();
    for (check, gap) in checks.iter_mut().zip(&gaps) {
        if let Some(config) = &check.topic_config {
            check.fixes.push(topic_config(config, cluster));
        }
        let Some(gap) = gap else { continue };
        let mut fixes: Vec<Fix> = gap.denials.iter().map(|(on, entry)| undeny(on, entry, gap, cluster)).collect();
        let bundle = bundles.iter().find(|bundle| bundle.covers(&gap.grant.holder, &gap.grant.on));
        fixes.extend(bundle.iter().flat_map(|bundle| allow(gap, bundle, &whole, cluster)));
        if !gap.listed {
            // The same words for all that one command mends: they are read once.
            let on: Vec<On> = bundle.map_or_else(|| vec![gap.grant.on.clone()], |bundle| bundle.on.iter().cloned().collect());
            fixes.push(Fix::advice(beware(gap, &on, cluster)));
        }
        check.fixes = fixes;
    }
}

fn allow(gap: &Gap, bundle: &Bundle, whole: &[Grant], cluster: &ClusterFacts) -> Vec<Fix> {
    let admin = cluster.admin(&gap.bootstrap);
    match cluster.provider {
        Provider::ConfluentCloud => {
            let mut fixes = Vec::new();
            if !matches!(gap.grant.holder, Holder::Principal(_)) {
                fixes.push(Fix::Command { argv: key_owners(cluster) });
            }
            fixes.extend(grant::confluent_cli(bundle, &admin).into_iter().map(|argv| Fix::Command { argv }));
            fixes
        }
        Provider::Msk | Provider::SelfManaged => vec![Fix::Command { argv: grant::kafka_acls(bundle, &admin) }],
        Provider::MskIam => vec![Fix::Policy { statements: grant::msk_iam(whole, cluster.id.as_deref()) }],
    }
}

/// Takes away what denies, as it stands.
fn undeny(on: &On, entry: &AclEntry, gap: &Gap, cluster: &ClusterFacts) -> Fix {
    let admin = cluster.admin(&gap.bootstrap);
    let argv = match (cluster.provider, entry.operation) {
        (Provider::ConfluentCloud, AclOperation::One(operation)) => {
            grant::confluent_undeny(&Holder::Principal(entry.principal.clone()), operation.as_str(), on, &admin)
        }
        // Confluent's command line knows no operation `all` on Confluent Cloud.
        (_, AclOperation::All) => grant::kafka_acls_undeny(&entry.principal, &entry.host, "All", on, &admin),
        (_, AclOperation::One(operation)) => {
            grant::kafka_acls_undeny(&entry.principal, &entry.host, &operation.kafka_name(), on, &admin)
        }
    };
    Fix::Command { argv }
}

/// Nobody could list the ACLs. The ALLOW that is missing is the likely reason, a DENY the other one, and no ALLOW helps against that.
fn beware(gap: &Gap, on: &[On], cluster: &ClusterFacts) -> String {
    let admin = cluster.admin(&gap.bootstrap);
    let list = match cluster.provider {
        Provider::MskIam => {
            return "if it is missing still, a Deny in a policy of the role, its boundary or its organization stands over every Allow"
                .to_owned();
        }
        Provider::ConfluentCloud => grant::confluent_list(&gap.grant.on, &admin),
        Provider::Msk | Provider::SelfManaged => grant::kafka_acls_list(on, &admin),
    };
    let list: Vec<String> = list.iter().map(|word| shell(word)).collect();
    format!("if it is missing still, a DENY stands over every ALLOW until it is removed; this shows it: {}", list.join(" "))
}

/// Changes a setting of a topic.
fn topic_config(config: &TopicConfig, cluster: &ClusterFacts) -> Fix {
    let argv = if cluster.provider == Provider::ConfluentCloud {
        let mut argv: Vec<String> =
            ["confluent", "kafka", "topic", "update", &config.topic, "--config", &config.setting].map(str::to_owned).into();
        argv.extend(["--cluster".to_owned(), cluster.id.clone().unwrap_or_else(|| "<lkc-…>".to_owned())]);
        if let Some(environment) = &cluster.environment {
            argv.extend(["--environment".to_owned(), environment.clone()]);
        }
        argv
    } else {
        let mut argv = administrator("kafka-configs", &config.bootstrap, cluster);
        argv.extend(["--alter", "--entity-type", "topics"].map(str::to_owned));
        argv.extend([format!("--entity-name={}", config.topic), "--add-config".to_owned(), config.setting.clone()]);
        argv
    };
    Fix::Command { argv }
}

/// The command that says who owns which key.
fn key_owners(cluster: &ClusterFacts) -> Vec<String> {
    let id = cluster.id.as_deref().unwrap_or("<lkc-…>");
    let mut argv: Vec<String> = ["confluent", "api-key", "list", "--resource", id].map(str::to_owned).into();
    if let Some(environment) = &cluster.environment {
        argv.extend(["--environment".to_owned(), environment.clone()]);
    }
    argv
}

/// The start of a command of Kafka's own tools, run by an administrator.
pub(super) fn administrator(tool: &str, bootstrap: &str, cluster: &ClusterFacts) -> Vec<String> {
    grant::kafka_tool(tool, &cluster.admin(bootstrap))
}

impl ClusterFacts {
    /// Where an administrator finds the cluster; `bootstrap` is where the client does.
    pub fn admin(&self, bootstrap: &str) -> Admin {
        let bootstrap = self.bootstrap.clone().or_else(|| Some(bootstrap.to_owned()).filter(|text| !text.is_empty()));
        Admin { bootstrap, config: self.admin_config.clone(), cluster: self.id.clone(), environment: self.environment.clone() }
    }
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
    use std::collections::BTreeSet;

    use super::{Book, Fix, attach, shell};
    use crate::base::Code;
    use crate::confluent::grant::{Grant, Holder, On};
    use crate::preflight::cluster::{ClusterFacts, Provider};
    use crate::preflight::report::{Category, Check};
    use crate::preflight::rights::Right;
    use crate::profile::{Operation, Pattern, Resource};

    fn cluster(provider: Provider) -> ClusterFacts {
        ClusterFacts {
            private_names: Vec::new(),
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

    fn check(holder: Holder, topic: &str) -> Check {
        let mut check = Check::new(Code::TOPIC_RIGHTS, Category::KafkaAcls, topic, topic);
        let on = On { resource: Resource::Topic, name: topic.into(), pattern: Pattern::Literal };
        let missing: BTreeSet<Operation> = [Operation::Write, Operation::Read].into();
        let grant = Grant { holder, on, operations: missing.clone() };
        check.right = Some(Right { grant, missing, asked: topic.into(), bootstrap: "broker:9092".into(), cluster: None });
        check
    }

    fn lines(holder: &Holder, provider: Provider) -> Vec<String> {
        let mut checks = [check(holder.clone(), "offsets"), check(holder.clone(), "status")];
        attach(&mut checks, &cluster(provider), &Book::default());
        let line = |fix: &Fix| match fix {
            Fix::Command { argv } => argv.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" "),
            other => format!("{other:?}"),
        };
        let mut lines: Vec<String> = checks[0].fixes.iter().map(line).collect();
        // The last one says what to do where it doesn't help.
        assert!(lines.pop().is_some_and(|line| line.contains("Advice") && line.contains("missing still")));
        lines
    }

    #[test]
    fn the_command_follows_the_kind_of_cluster() {
        let known = Holder::Principal("User:sa-3kd9wq".into());
        assert_eq!(
            lines(&known, Provider::ConfluentCloud),
            ["confluent kafka acl create --allow --service-account sa-3kd9wq --operations read,write --topic offsets \
              --cluster lkc-8m2q5z"]
        );
        assert_eq!(
            lines(&Holder::KeyOwner("ABCD".into()), Provider::ConfluentCloud),
            [
                "confluent api-key list --resource lkc-8m2q5z",
                "confluent kafka acl create --allow --service-account '<owner of the key ABCD…>' --operations read,write \
                 --topic offsets --cluster lkc-8m2q5z"
            ]
        );
        assert_eq!(
            lines(&Holder::Principal("User:connect".into()), Provider::SelfManaged),
            ["kafka-acls --bootstrap-server broker:9092 --command-config admin.properties --add --allow-principal User:connect \
              --operation Read --operation Write --topic offsets --topic status"]
        );
        assert!(lines(&known, Provider::MskIam)[0].contains("kafka-cluster:WriteData"));
    }
}
