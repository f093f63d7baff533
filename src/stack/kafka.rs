//! The way to an MSK cluster: its security group lets in the families that are its clients, and where it asks IAM, their task roles hold
//! what `acl list` shows, and no more.

use super::build::Builder;
use std::collections::BTreeMap;

use super::{Family, Lookup, OutsideRule, Text};
use crate::base::{Code, is_mark};
use crate::confluent::grant::{Access, Holder, accesses, msk_rights};
use crate::confluent::{self, ConfluentService};
use crate::profile::Credentials;

/// The kind of cluster that asks IAM.
const IAM: &str = "msk-iam";
/// Whether a worker lets connectors write exactly once.
const EXACTLY_ONCE: &str = "exactly.once.source.support";

impl Builder<'_> {
    /// Puts the rights of its services into each family that logs in with its task role; gives the cluster that they are on.
    pub(super) fn kafka_rights(&mut self, families: &mut [Family]) -> Option<Lookup> {
        let (project, extensions, catalogue) = (self.project, self.extensions, self.catalogue);
        let services = confluent::services(catalogue, project, extensions, &BTreeMap::new());
        for service in &services {
            self.features(service);
            self.exactly_once(service);
        }
        let cluster = self.kafka_cluster();
        let mut any = false;
        for family in families {
            let of_family =
                |service: &&ConfluentService<'_>| family.containers.iter().any(|container| container.name == service.name);
            let by_role: Vec<&ConfluentService<'_>> =
                services.iter().filter(of_family).filter(|service| self.asks_iam(service)).collect();
            let mut grants = Vec::new();
            for service in by_role {
                any = true;
                for access in accesses(std::slice::from_ref(service), |_, _| Holder::Unknown) {
                    grants.extend(access.grants());
                    self.untold(service, &access);
                }
            }
            family.kafka_rights = msk_rights(&grants);
        }
        any.then(|| cluster.map_or(Lookup::Unsaid, Lookup::Id))
    }

    /// Whether the clients of a service come as the role of its task.
    fn asks_iam(&self, service: &ConfluentService<'_>) -> bool {
        let kafka = self.catalogue.kafka();
        let by_role = |client: &confluent::KafkaClient| {
            kafka.mechanism(client.mechanism()).is_some_and(|mechanism| mechanism.credentials == Credentials::None)
        };
        let provider = self.extensions.kafka.as_ref().and_then(|kafka| kafka.provider.as_ref());
        provider.is_some_and(|provider| provider.value == IAM) || service.clients.iter().any(by_role)
    }

    /// Rights whose names can't be told: the brokers would refuse what depends on them.
    fn untold(&mut self, service: &ConfluentService<'_>, access: &Access<'_>) {
        // What is set nowhere is found as a missing setting.
        let set = |name: &&str| service.properties.is_open() || service.properties.get(name).is_some();
        let mut names: Vec<&str> = access.unresolved().filter(set).collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return;
        }
        let message = format!(
            "the task role of {} gets no right that depends on {}: its value is in a secret",
            service.name,
            names.join(", ")
        );
        let finding = self.warn(Code::ROLE_RIGHTS, &["services", service.name, "environment"], message);
        finding.help = Some("set it in the environment: a name is no credential".to_owned());
    }

    /// A connector that writes exactly once on a worker that doesn't.
    fn exactly_once(&mut self, service: &ConfluentService<'_>) {
        let Some(extensions) = self.extensions.services.get(service.name) else { return };
        let setting = service.properties.get(EXACTLY_ONCE).map(|setting| &setting.value);
        let value = setting.and_then(|value| value.plain_text()).map(str::trim);
        // One from a secret may be anything.
        let unknown = service.properties.is_open() || setting.is_some_and(confluent::Text::is_secret);
        if unknown || value.is_some_and(|value| value.eq_ignore_ascii_case("enabled")) {
            return;
        }
        for connector in &extensions.confluent.connectors {
            let Some(wanted) = connector.exactly_once.as_ref().filter(|wanted| wanted.value) else { continue };
            let variable = confluent::variable_name(&service.component.environment, EXACTLY_ONCE);
            let is = value.map_or("not set".to_owned(), |value| format!("\"{value}\""));
            let message = format!(
                "the connector {} writes exactly once, and the worker does not let it: {variable} is {is}",
                connector.name.value
            );
            self.error_at(Code::CONTRADICTION, wanted, message).help =
                Some(format!("write {variable}: enabled at {}", service.name));
        }
    }

    /// Features that the component doesn't have.
    fn features(&mut self, service: &ConfluentService<'_>) {
        let Some(extensions) = self.extensions.services.get(service.name) else { return };
        let needs = confluent::feature_needs(service.component, &service.properties);
        let mut known: Vec<&str> = needs.iter().filter_map(|need| need.feature.as_deref()).collect();
        known.dedup();
        for feature in extensions.confluent.features.iter().filter(|feature| !known.contains(&feature.value.as_str())) {
            let message = format!("{} has no feature {} with rights of its own", service.component.title, feature.value);
            let help = match crate::base::nearest(&feature.value, known.iter().copied()) {
                Some(near) => format!("did you mean {near}?"),
                None if known.is_empty() => "leave it out: it has none".to_owned(),
                None => format!("there are {}", known.join(", ")),
            };
            self.error_at(Code::WRONG_EXTENSION, feature, message).help = Some(help);
        }
    }

    /// The cluster's ARN. What isn't one is a finding: policies and commands would name nothing.
    fn kafka_cluster(&mut self) -> Option<Text> {
        let kafka = self.extensions.kafka.as_ref()?;
        let cluster = kafka.cluster.as_ref()?;
        let provider = kafka.provider.as_ref().map(|provider| provider.value)?;
        let (fits, what): (bool, &str) = match provider {
            "confluent-cloud" => (cluster.value.starts_with("lkc-"), "the id of a cluster of Confluent Cloud, lkc-…"),
            "self-managed" => return None,
            _ => (is_msk_arn(&cluster.value), "the ARN of an MSK cluster, arn:aws:kafka:…:…:cluster/NAME/UUID"),
        };
        if !fits {
            self.error_at(Code::WRONG_EXTENSION, cluster, format!("\"{}\" is not {what}", cluster.value)).help =
                Some(if provider == "confluent-cloud" {
                    "`confluent kafka cluster list` shows it".to_owned()
                } else {
                    "`aws kafka list-clusters-v2` shows it".to_owned()
                });
            return None;
        }
        (provider == IAM).then(|| Text::from(&cluster.value))
    }

    pub(super) fn kafka_rules(&mut self, families: &[Family]) -> Vec<OutsideRule> {
        let extensions = self.extensions;
        let Some(kafka) = &extensions.kafka else { return Vec::new() };
        let Some(group) = &kafka.security_group else { return Vec::new() };
        if !group.value.starts_with("sg-") {
            let finding = self.error_at(Code::INGRESS, group, format!("\"{}\" is not the id of a security group", group.value));
            finding.help = Some("it starts with sg-".to_owned());
            return Vec::new();
        }
        // The addresses say the ports; else those of the provider's private listeners.
        let written = kafka.bootstrap.iter().flat_map(|servers| servers.value.split(','));
        let mut ports: Vec<u16> = written.filter_map(|server| server.rsplit_once(':')?.1.trim().parse().ok()).collect();
        if ports.is_empty() {
            let provider = kafka.provider.as_ref().and_then(|provider| self.catalogue.kafka().provider(provider.value));
            ports = provider
                .iter()
                .flat_map(|provider| &provider.listeners)
                .filter_map(|listener| listener.ports.first().copied())
                .collect();
        }
        if ports.is_empty() {
            let finding = self.error_at(Code::INGRESS, group, "nothing says on which port the cluster is reached");
            finding.help = Some("add x-kafka.bootstrap with host:port".to_owned());
        }
        ports.sort_unstable();
        ports.dedup();
        let clients = families
            .iter()
            .filter(|family| family.containers.iter().any(|container| self.components.contains_key(&container.name)));
        clients
            .flat_map(|family| {
                ports.iter().map(|port| OutsideRule {
                    behind: "Kafka",
                    group: Text::from(&group.value),
                    family: family.name.clone(),
                    port: *port,
                })
            })
            .collect()
    }
}

/// `arn:aws:kafka:REGION:ACCOUNT:cluster/NAME/UUID`; region and account may be what only a run knows.
fn is_msk_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, "kafka", region, account, cluster] = parts[..] else { return false };
    let marked = |part: &str| part.chars().any(is_mark);
    let number = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    let within: Vec<&str> = cluster.split('/').collect();
    arn == "arn"
        && partition.starts_with("aws")
        && (marked(region) || region.contains('-'))
        && (marked(account) || number)
        && matches!(within[..], ["cluster", name, uuid] if !name.is_empty() && !uuid.is_empty())
}
