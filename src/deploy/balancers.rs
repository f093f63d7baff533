//! Load balancers that are there, as the files look them up: which one, which of its listeners, and a place for each new rule.
//!
//! Comes in: a need. Goes out: its value or the [`Gap`]. Rules: a rule keeps the place that it has; a new one gets a place that no
//! rule of anybody has, behind those of its own stack.

use std::collections::BTreeSet;

use super::gap::{Candidate, Gap};
use super::lookup::{Key, Lookups, Value};
use crate::aws::{Listener, LoadBalancer, Stack};
use crate::base::Result;
use crate::stack::{BalancerFact, Lookup, Need};

/// The last place that a rule can have.
const LAST: u32 = 50_000;

type Told<T> = std::result::Result<T, Gap>;

impl Lookups<'_> {
    /// A fact of a load balancer, one of its listeners, or a place among the rules of one.
    pub(super) async fn of_balancer(&mut self, name: &str, need: &Need, current: Option<&Stack>) -> Result<Option<Value>> {
        Ok(match need {
            Need::LoadBalancer { lookup, network, fact } => {
                let found = self.load_balancer(lookup, *network).await?;
                Some(found.and_then(|balancer| self.fact(lookup, balancer, *fact)))
            }
            Need::Listener { balancer, network, port, lookup } => {
                let found = self.listener(balancer, *network, *port, lookup).await?;
                Some(found.map(|listener| listener.arn))
            }
            Need::RulePriority { balancer, port, lookup, index, count, first } => {
                // What isn't there is the listener's own finding.
                let Ok(listener) = self.listener(balancer, false, *port, lookup).await? else { return Ok(None) };
                let taken = match self.priorities.get(&listener.arn) {
                    Some(known) => known.clone(),
                    None => self.account.rule_priorities(&listener.arn).await?,
                };
                self.priorities.insert(listener.arn, taken.clone());
                let start = name.strip_suffix(&format!("{}Priority", index + 1)).unwrap_or(name);
                let kept = |number: usize| current?.parameters.get(&format!("{start}{number}Priority"))?.parse().ok();
                let kept: Vec<u32> = (1..=*count).map_while(kept).collect();
                places(&taken, &kept, *count, *first).get(*index).map(|place| Ok(place.to_string()))
            }
            _ => None,
        })
    }

    async fn load_balancer(&mut self, lookup: &Lookup, network: bool) -> Result<Told<LoadBalancer>> {
        let kind = if network { "network load balancer" } else { "application load balancer" };
        let wanted = self.wanted(kind, lookup, "x-elbv2");
        if self.load_balancers.is_none() {
            self.load_balancers = Some(self.account.load_balancers().await?);
        }
        let all = self.load_balancers.clone().unwrap_or_default();
        let key = self.key(lookup);
        let fits = |balancer: &&LoadBalancer| match &key {
            Key::Ids(ids) => ids.iter().any(|id| *id == balancer.arn || *id == balancer.name),
            Key::Tags(tags) => tags.iter().all(|(key, value)| balancer.tags.get(key) == Some(value)),
            Key::Unsaid => false,
        };
        let of_kind = |balancer: &&LoadBalancer| (balancer.kind == "network") == network;
        let shown = |balancer: &LoadBalancer| Candidate::named(&balancer.arn, &format!("{}, {}", balancer.name, balancer.kind));
        let found: Vec<&LoadBalancer> = all.iter().filter(fits).collect();
        if let (Some(other), None) = (found.first(), found.iter().copied().find(|balancer| of_kind(balancer))) {
            let help = format!("make the protocols of its listeners and targets those of its kind, {}", other.kind);
            return Ok(Err(wanted.unusable(&format!("{} is of the kind {}", other.name, other.kind), help)));
        }
        let candidates = found.iter().filter(|balancer| of_kind(balancer)).map(|balancer| shown(balancer)).collect();
        let arn = match wanted.one(candidates, &all.iter().map(shown).collect::<Vec<_>>()) {
            Ok(arn) => arn,
            Err(gap) => return Ok(Err(gap)),
        };
        let Some(balancer) = all.into_iter().find(|balancer| balancer.arn == arn) else { return Ok(Err(wanted.missing(&[]))) };
        let vpc = match self.vpc {
            Some(lookup) => self.vpc(lookup).await?.ok(),
            None => None,
        };
        if let Some(vpc) = vpc.filter(|vpc| !balancer.vpc.is_empty() && *vpc != balancer.vpc) {
            let why = format!("it is in {}, and the tasks are in {vpc}", balancer.vpc);
            return Ok(Err(wanted.unusable(&why, "name a load balancer of the same VPC")));
        }
        Ok(Ok(balancer))
    }

    fn fact(&self, lookup: &Lookup, balancer: LoadBalancer, fact: BalancerFact) -> Value {
        match fact {
            BalancerFact::Arn => Ok(balancer.arn),
            BalancerFact::DnsName => Ok(balancer.dns_name),
            BalancerFact::HostedZone => Ok(balancer.zone),
            // Whoever comes through it comes from each of its groups.
            BalancerFact::SecurityGroup => balancer.security_groups.into_iter().next().ok_or_else(|| {
                let wanted = self.wanted("load balancer", lookup, "x-elbv2");
                wanted.unusable("it has no security group that the tasks could let in", "give it one")
            }),
        }
    }

    async fn listener(&mut self, balancer: &Lookup, network: bool, port: u16, lookup: &Lookup) -> Result<Told<Listener>> {
        let of = match self.load_balancer(balancer, network).await? {
            Ok(of) => of,
            Err(gap) => return Ok(Err(gap)),
        };
        let all = match self.listeners.get(&of.arn) {
            Some(known) => known.clone(),
            None => self.account.listeners(&of.arn).await?,
        };
        self.listeners.insert(of.arn, all.clone());
        let mut wanted = self.wanted("listener", lookup, "x-elbv2");
        wanted.scope = of.name;
        if *lookup == Lookup::Unsaid {
            wanted.words = format!("on port {port}");
        }
        let key = self.key(lookup);
        let fits = |listener: &&Listener| match &key {
            Key::Ids(ids) => ids.contains(&listener.arn),
            Key::Tags(tags) => tags.iter().all(|(key, value)| listener.tags.get(key) == Some(value)),
            Key::Unsaid => listener.port == port,
        };
        let shown = |listener: &Listener| Candidate::named(&listener.arn, &format!("{} {}", listener.protocol, listener.port));
        let found: Vec<&Listener> = all.iter().filter(fits).collect();
        if let (Some(other), true) = (found.first(), found.iter().all(|listener| listener.port != port)) {
            let why = format!("it listens on {}, not on {port}", other.port);
            return Ok(Err(wanted.unusable(&why, format!("write {} as its port", other.port))));
        }
        let candidates = found.into_iter().filter(|listener| listener.port == port).map(shown).collect();
        let arn = match wanted.one(candidates, &all.iter().map(shown).collect::<Vec<_>>()) {
            Ok(arn) => arn,
            Err(gap) => return Ok(Err(gap)),
        };
        Ok(all.into_iter().find(|listener| listener.arn == arn).ok_or_else(|| wanted.missing(&[])))
    }
}

/// The places of a stack's rules, in their order: `kept` are those that they have now, `taken` all that any rule has.
fn places(taken: &BTreeSet<u32>, kept: &[u32], count: usize, first: u32) -> Vec<u32> {
    let in_order = kept.windows(2).all(|pair| pair[0] < pair[1]);
    let mut places: Vec<u32> = if in_order { kept.iter().take(count).copied().collect() } else { Vec::new() };
    let mut next = places.last().map_or(first, |last| last + 1);
    // Once from there on, and once from the beginning.
    for _ in 0..2 {
        while places.len() < count && next <= LAST {
            if !taken.contains(&next) {
                places.push(next);
            }
            next += 1;
        }
        if places.len() == count {
            break;
        }
        places.clear();
        next = 1;
    }
    places
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::places;

    #[test]
    fn rules_keep_their_places_and_new_ones_stand_behind_them() {
        let taken = |numbers: &[u32]| numbers.iter().copied().collect::<BTreeSet<u32>>();
        assert_eq!(places(&taken(&[]), &[], 3, 100), [100, 101, 102]);
        assert_eq!(places(&taken(&[100, 102]), &[], 3, 100), [101, 103, 104]);
        // Its own are among those that are taken.
        assert_eq!(places(&taken(&[7, 8, 9]), &[7, 8], 2, 100), [7, 8]);
        assert_eq!(places(&taken(&[7, 8, 9]), &[7, 8], 3, 100), [7, 8, 10]);
        assert_eq!(places(&taken(&[7, 8]), &[7, 8], 1, 100), [7]);
        assert_eq!(places(&taken(&[50_000]), &[], 2, 49_999), [1, 2]);
    }
}
