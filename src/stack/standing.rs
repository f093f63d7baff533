//! Where the stack stands: VPC, subnets, cluster, namespaces. Nothing of it is made but what the files ask for.

use std::collections::BTreeMap;

use super::build::Builder;
use super::{Cluster, Lookup, Namespace, Text, VpcSource, logical};
use crate::base::{Code, Finding, nearest};
use crate::extensions::{self, Extensions, Wanted};

/// The usages that ECS Compose-X knows, and where tasks and balancers stand unless the files say otherwise.
pub(super) const TASKS: &str = "AppSubnets";
pub(super) const PUBLIC: &str = "PublicSubnets";

/// What a new VPC has.
const NEW: [&str; 3] = ["AppSubnets", "PublicSubnets", "StorageSubnets"];

/// The cluster that every account may have.
const DEFAULT_CLUSTER: &str = "default";

pub(super) fn vpc(extensions: &Extensions) -> VpcSource {
    let Some(vpc) = &extensions.vpc else { return VpcSource::Existing(Lookup::Unsaid) };
    match &vpc.new {
        Some(new) => VpcSource::New(new.clone()),
        None => VpcSource::Existing(vpc.id.as_ref().map(looked_up).unwrap_or_default()),
    }
}

pub(super) fn cluster(extensions: &Extensions) -> Cluster {
    match &extensions.cluster {
        None => Cluster::Existing(Lookup::Id(Text::from(DEFAULT_CLUSTER))),
        // The name is needed, for scaling names the service by it.
        Some(extensions::Cluster::Existing(wanted)) => Cluster::Existing(match looked_up(wanted) {
            Lookup::Id(id) => {
                let id = wanted_text(wanted).unwrap_or(id);
                Lookup::Id(id)
            }
            other => other,
        }),
        Some(extensions::Cluster::New(cluster)) => Cluster::New(cluster.clone()),
    }
}

/// The name of a cluster that is written as an ARN.
fn wanted_text(wanted: &Wanted) -> Option<Text> {
    let Wanted::Ids(ids) = wanted else { return None };
    ids.first()?.value.rsplit_once(":cluster/").map(|(_, name)| Text::from(name))
}

/// The start of a parameter's name for what is looked up by tags.
pub(super) fn lookup_id(lookup: &Lookup) -> String {
    match lookup {
        Lookup::Tags(tags) => tags.iter().map(|(key, value)| logical(&format!("{key} {value}"))).collect(),
        Lookup::Id(id) => logical(&id.to_string()),
        Lookup::Unsaid => String::new(),
    }
}

pub(super) fn looked_up(wanted: &Wanted) -> Lookup {
    match wanted {
        Wanted::Tags(tags) => Lookup::Tags(tags.clone()),
        Wanted::Ids(ids) => Lookup::Id(Text::from(ids.iter().map(|id| id.value.as_str()).collect::<Vec<_>>().join(","))),
    }
}

impl Builder<'_> {
    pub(super) fn subnet_lookup(&mut self, usage: &str) -> Lookup {
        let extensions = self.extensions;
        let Some(vpc) = &extensions.vpc else { return Lookup::Unsaid };
        if let Some(wanted) = vpc.subnets.get(usage) {
            return looked_up(wanted);
        }
        if vpc.new.is_some() && NEW.contains(&usage) {
            return Lookup::Unsaid;
        }
        let of_new = NEW.into_iter().filter(|_| vpc.new.is_some());
        let known = vpc.subnets.keys().map(String::as_str).chain(of_new);
        let help = match nearest(usage, known.clone()) {
            Some(near) => format!("add {usage} to x-vpc.Lookup; did you mean {near}?"),
            None if vpc.new.is_some() => format!("the new VPC has {}", NEW.join(", ")),
            None if vpc.subnets.is_empty() => format!("add {usage} to x-vpc.Lookup"),
            None => format!("add {usage} to x-vpc.Lookup; it has {}", known.collect::<Vec<_>>().join(", ")),
        };
        let place = self.project.key_place(&["x-vpc"]);
        let finding = Finding::error(Code::SUBNETS, format!("x-vpc doesn't say which subnets are {usage}"));
        self.findings.push(finding.at(place).path("x-vpc.Lookup").help(help));
        Lookup::Unsaid
    }

    pub(super) fn namespaces(&mut self) -> BTreeMap<String, Namespace> {
        let extensions = self.extensions;
        let mut seen: Vec<&str> = Vec::new();
        for namespace in extensions.namespaces.values() {
            if seen.contains(&namespace.name.value.as_str()) {
                let message = format!("two entries of x-cloudmap are the namespace {}", namespace.name.value);
                self.error_at(Code::NAMESPACE, &namespace.name, message).help = Some("keep one, and name that".to_owned());
            }
            seen.push(&namespace.name.value);
        }
        let namespaces = self.extensions.namespaces.iter().map(|(key, namespace)| {
            let id = logical(key);
            let id = if id.ends_with("Namespace") { id } else { format!("{id}Namespace") };
            let namespace = Namespace {
                id,
                name: Text::from(&namespace.name.value),
                existing: namespace.existing.is_some(),
                namespace_id: namespace.existing.as_ref().and_then(Option::as_ref).map(|id| Text::from(&id.value)),
                description: namespace.description.as_ref().map(Text::from),
            };
            (key.clone(), namespace)
        });
        namespaces.collect()
    }
}
