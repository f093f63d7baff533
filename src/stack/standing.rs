//! Where the stack stands: VPC, subnets, cluster, namespaces. Nothing of it is made but what the files ask for.

use std::collections::BTreeMap;

use super::build::Builder;
use super::{Lookup, Namespace, Text, logical};
use crate::base::{Code, Finding, nearest};
use crate::extensions::{Extensions, Wanted};

/// The usages that ECS Compose-X knows, and where tasks and balancers stand unless the files say otherwise.
pub(super) const TASKS: &str = "AppSubnets";
pub(super) const PUBLIC: &str = "PublicSubnets";

/// The cluster that every account may have.
const DEFAULT_CLUSTER: &str = "default";

pub(super) fn vpc(extensions: &Extensions) -> Lookup {
    extensions.vpc.as_ref().and_then(|vpc| vpc.id.as_ref()).map(looked_up).unwrap_or_default()
}

pub(super) fn cluster(extensions: &Extensions) -> Text {
    let name = extensions.cluster.as_ref().map_or(DEFAULT_CLUSTER, |name| name.value.as_str());
    // The name is needed, for scaling names the service by it.
    Text::from(name.rsplit_once(":cluster/").map_or(name, |(_, name)| name))
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
        let known = vpc.subnets.keys().map(String::as_str);
        let help = match nearest(usage, known.clone()) {
            Some(near) => format!("add {usage} to x-vpc.Lookup; did you mean {near}?"),
            None => format!("add {usage} to x-vpc.Lookup; it has {}", known.collect::<Vec<_>>().join(", ")),
        };
        let place = self.project.key_place(&["x-vpc"]);
        let finding = Finding::error(Code::SUBNETS, format!("x-vpc doesn't say which subnets are {usage}"));
        self.findings.push(finding.at(place).path("x-vpc.Lookup").help(help));
        Lookup::Unsaid
    }

    pub(super) fn namespaces(&mut self) -> BTreeMap<String, Namespace> {
        let namespaces = self.extensions.namespaces.iter().map(|(key, namespace)| {
            let id = logical(key);
            let id = if id.ends_with("Namespace") { id } else { format!("{id}Namespace") };
            let namespace = Namespace {
                id,
                name: Text::from(&namespace.name.value),
                existing: namespace.existing.is_some(),
                namespace_id: namespace.existing.as_ref().and_then(Option::as_ref).map(|id| Text::from(&id.value)),
            };
            (key.clone(), namespace)
        });
        namespaces.collect()
    }
}
