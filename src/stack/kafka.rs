//! The way to an MSK cluster: its security group lets in the families that are its clients.

use super::build::Builder;
use super::{Family, OutsideRule, Text};
use crate::base::Code;

impl Builder<'_> {
    pub(super) fn kafka_rules(&mut self, families: &[Family]) -> Vec<OutsideRule> {
        let extensions = self.extensions;
        let Some(kafka) = &extensions.kafka else { return Vec::new() };
        if let Some(provider) = kafka.provider.as_ref().filter(|provider| provider.value == "msk-iam") {
            let message = "the task roles get no kafka-cluster: statements yet: the brokers would deny the services";
            let finding = self.warn_at(Code::UNRENDERED, provider, message);
            finding.help = Some("add them to each service with x-iam.Policies".to_owned());
        }
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
