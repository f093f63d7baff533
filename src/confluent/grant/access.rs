//! Everything that the principals of a project need, for `acl list` and `acl commands`.

use super::{Grant, Holder, On};
use crate::confluent::{AclNeed, ConfluentService, feature_needs};

/// What one principal needs for one service.
#[derive(Debug, Clone)]
pub struct Access<'a> {
    pub service: &'a str,
    /// The clients inside that log in as this principal.
    pub clients: Vec<&'a str>,
    pub holder: Holder,
    pub needs: Vec<AclNeed>,
    /// What only those need who use a feature, and that nobody asked for.
    pub if_used: Vec<AclNeed>,
}

/// The needs of services by principal; `holder` says who a service's client is to the broker.
pub fn accesses<'a>(services: &'a [ConfluentService<'a>], holder: impl Fn(&str, &str) -> Holder) -> Vec<Access<'a>> {
    let mut found: Vec<Access<'a>> = Vec::new();
    for service in services {
        let first = found.len();
        let needs = service.needs();
        let used = |need: &AclNeed| need.feature.as_ref().is_some_and(|feature| service.features.contains(feature));
        let unused = feature_needs(service.component, &service.properties).into_iter().filter(|need| !used(need));
        let unused: Vec<AclNeed> = unused.collect();
        for client in &service.clients {
            let of_client =
                |needs: &[AclNeed]| needs.iter().filter(|need| need.client == client.name).cloned().collect::<Vec<_>>();
            let (needs, if_used) = (of_client(&needs), of_client(&unused));
            let holder = holder(service.name, &client.name);
            if let Some(same) = found[first..].iter_mut().find(|access| access.holder == holder) {
                same.clients.push(&client.name);
                same.needs.extend(needs);
                same.if_used.extend(if_used);
            } else {
                found.push(Access { service: service.name, clients: vec![&client.name], holder, needs, if_used });
            }
        }
    }
    found
}

impl Access<'_> {
    /// As grants. A need whose name isn't known is none: [`Access::unresolved`] has them.
    pub fn grants(&self) -> impl Iterator<Item = Grant> {
        self.needs.iter().filter(|need| need.unresolved.is_empty()).map(|need| Grant {
            holder: self.holder.clone(),
            on: On { resource: need.resource, name: need.name.clone(), pattern: need.pattern },
            operations: need.operations.iter().copied().collect(),
        })
    }

    /// The properties without which a name can't be told.
    pub fn unresolved(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().flat_map(|need| &need.unresolved).map(String::as_str)
    }
}
