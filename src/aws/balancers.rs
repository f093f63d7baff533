//! Load balancers that are there: their addresses and groups, their listeners, and the places of the listeners' rules.

use std::collections::BTreeSet;

use super::Tags;
use super::account::Account;
use super::endpoint::Api;
use super::error::CallError;
use super::network::own;
use super::signed::Call;
use super::xml::Element;

/// How many ARNs one call takes the tags of.
const TAGGED_AT_ONCE: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancer {
    pub arn: String,
    pub name: String,
    /// `application` or `network`.
    pub kind: String,
    pub dns_name: String,
    /// The hosted zone that its address is in.
    pub zone: String,
    pub vpc: String,
    pub security_groups: Vec<String>,
    pub tags: Tags,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    pub arn: String,
    pub port: u16,
    pub protocol: String,
    pub tags: Tags,
}

impl Account {
    /// The load balancers of this region that listeners can be added to, by name.
    pub async fn load_balancers(&self) -> Result<Vec<LoadBalancer>, CallError> {
        let items = self.pages("elasticloadbalancing:DescribeLoadBalancers", "", None, "LoadBalancers").await?;
        let mut found: Vec<LoadBalancer> = items
            .iter()
            .map(|item| LoadBalancer {
                arn: own(item, "LoadBalancerArn"),
                name: own(item, "LoadBalancerName"),
                kind: own(item, "Type"),
                dns_name: own(item, "DNSName"),
                zone: own(item, "CanonicalHostedZoneId"),
                vpc: own(item, "VpcId"),
                security_groups: item.list("SecurityGroups").iter().map(|group| group.own_text().to_owned()).collect(),
                tags: Tags::new(),
            })
            .filter(|balancer| matches!(balancer.kind.as_str(), "application" | "network"))
            .collect();
        found.sort_by(|a, b| (&a.name, &a.arn).cmp(&(&b.name, &b.arn)));
        let tags = self.tags_of(found.iter().map(|balancer| balancer.arn.as_str())).await?;
        for (balancer, tags) in found.iter_mut().zip(tags) {
            balancer.tags = tags;
        }
        Ok(found)
    }

    /// The listeners of a load balancer, by port.
    pub async fn listeners(&self, balancer: &str) -> Result<Vec<Listener>, CallError> {
        let of = Some(("LoadBalancerArn", balancer));
        let items = self.pages("elasticloadbalancing:DescribeListeners", balancer, of, "Listeners").await?;
        let mut found: Vec<Listener> = items
            .iter()
            .map(|item| Listener {
                arn: own(item, "ListenerArn"),
                port: item.text("Port").and_then(|port| port.parse().ok()).unwrap_or_default(),
                protocol: own(item, "Protocol"),
                tags: Tags::new(),
            })
            .collect();
        found.sort_by(|a, b| (a.port, &a.arn).cmp(&(b.port, &b.arn)));
        let tags = self.tags_of(found.iter().map(|listener| listener.arn.as_str())).await?;
        for (listener, tags) in found.iter_mut().zip(tags) {
            listener.tags = tags;
        }
        Ok(found)
    }

    /// The places that rules of a listener have; the last rule has none.
    pub async fn rule_priorities(&self, listener: &str) -> Result<BTreeSet<u32>, CallError> {
        let of = Some(("ListenerArn", listener));
        let items = self.pages("elasticloadbalancing:DescribeRules", listener, of, "Rules").await?;
        Ok(items.iter().filter_map(|rule| rule.text("Priority")?.parse().ok()).collect())
    }

    /// The tags of each, in their order.
    async fn tags_of(&self, arns: impl Iterator<Item = &str>) -> Result<Vec<Tags>, CallError> {
        let arns: Vec<&str> = arns.collect();
        let mut all = Vec::new();
        for some in arns.chunks(TAGGED_AT_ONCE) {
            let call = Call::form(Api::Elbv2, "elasticloadbalancing:DescribeTags", some.first().copied().unwrap_or_default());
            let answer = self.signed_xml(call.with_each("ResourceArns.member", some.iter().copied())).await?;
            let described = answer.child("DescribeTagsResult").map(|result| result.list("TagDescriptions")).unwrap_or_default();
            all.extend(some.iter().map(|arn| {
                let of_it = described.iter().find(|item| item.text("ResourceArn") == Some(*arn));
                of_it
                    .map(|item| item.list("Tags").iter().map(|tag| (own(tag, "Key"), own(tag, "Value"))).collect())
                    .unwrap_or_default()
            }));
        }
        Ok(all)
    }

    /// The items of every page of a describing call.
    async fn pages(
        &self,
        action: &'static str,
        subject: &str,
        of: Option<(&str, &str)>,
        list: &str,
    ) -> Result<Vec<Element>, CallError> {
        let result = format!("{}Result", action.rsplit(':').next().unwrap_or(action));
        let mut items = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let call = Call::form(Api::Elbv2, action, subject);
            let call = of.iter().fold(call, |call, (name, value)| call.with(*name, *value));
            let answer = self.signed_xml(next.iter().fold(call, |call, marker| call.with("Marker", marker))).await?;
            let Some(page) = answer.child(&result) else { return Ok(items) };
            items.extend_from_slice(page.list(list));
            match page.text("NextMarker") {
                Some(marker) if next.as_deref() != Some(marker) => next = Some(marker.to_owned()),
                _ => return Ok(items),
            }
        }
    }
}
