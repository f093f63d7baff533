//! Names of the files that become one in the template, which knows letters and digits only: each would take the other's place.

use std::collections::BTreeMap;

use super::build::Builder;
use super::{Balancer, Family, Namespace};
use crate::base::Code;

impl Builder<'_> {
    /// Each kind for itself: what one is, the end of its ids tells from the others.
    pub(super) fn one_name_each(&mut self, families: &[Family], balancers: &[Balancer], spaces: &BTreeMap<String, Namespace>) {
        let named = |name: &String, id: &String| (name.clone(), id.clone());
        let kinds: [(&str, Vec<(String, String)>); 6] = [
            ("secrets", self.secrets.iter().map(|(name, secret)| named(name, &secret.id)).collect()),
            ("x-acm", self.certificates.iter().map(|(name, certificate)| named(name, &certificate.id)).collect()),
            ("x-cloudmap", spaces.iter().map(|(name, space)| named(name, &space.id)).collect()),
            ("x-elbv2", balancers.iter().map(|balancer| named(&balancer.name, &balancer.id)).collect()),
            ("x-route53", self.zones.iter().map(|(name, zone)| named(name, &zone.id)).collect()),
            ("x-sns", self.topics.iter().map(|(name, topic)| named(name, &topic.id)).collect()),
        ];
        for (section, entries) in kinds {
            let mut first: BTreeMap<String, String> = BTreeMap::new();
            for (name, id) in entries {
                if let Some(other) = first.get(&id) {
                    let message = format!("{name} and {other} would both be {id} in the template");
                    self.error(Code::ONE_NAME, &[section, &name], message).help =
                        Some("give one of them another name".to_owned());
                }
                first.entry(id).or_insert(name);
            }
        }
        let mut groups: BTreeMap<&str, (&super::Lookup, &str)> = BTreeMap::new();
        for family in families {
            for group in &family.joined_groups {
                let (lookup, of) = groups.entry(&group.id).or_insert((&group.lookup, &family.name));
                if **lookup != group.lookup {
                    let message = format!("{} names another security group as {of} does by the same key", family.name);
                    let service = family.containers.first().map_or("", |container| container.name.as_str());
                    self.error(Code::ONE_NAME, &["services", service, "x-network"], message).help =
                        Some("give it another key in AdditionalSecurityGroups".to_owned());
                }
            }
        }
    }
}
