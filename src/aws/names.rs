//! What names and certificates an account has: ACM, Route 53, Cloud Map.

use serde_json::{Value, json};

use super::account::Account;
use super::endpoint::Api;
use super::error::CallError;
use super::signed::Call;

/// A certificate that a listener can use, or could if it were issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    pub arn: String,
    pub domain: String,
    pub alternatives: Vec<String>,
    /// `ISSUED`, or why it can't be used: `PENDING_VALIDATION`, `EXPIRED`, …
    pub status: String,
}

/// A hosted zone of Route 53.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Without the `/hostedzone/` before it.
    pub id: String,
    /// Without the dot at its end.
    pub name: String,
    pub private: bool,
}

/// A namespace of Cloud Map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace {
    pub id: String,
    pub arn: String,
    pub name: String,
    /// `DNS_PRIVATE`, `DNS_PUBLIC` or `HTTP`.
    pub kind: String,
}

impl Account {
    /// Every certificate of this region, by domain. ACM leaves out other keys than RSA's unless it is asked for them.
    pub async fn certificates(&self) -> Result<Vec<Certificate>, CallError> {
        let keys = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"];
        let body = json!({"Includes": {"keyTypes": keys}, "MaxItems": 1000});
        let pages = self.json_pages(Api::Acm, "acm:ListCertificates", "", body, "CertificateSummaryList").await?;
        let mut found: Vec<_> = pages
            .iter()
            .map(|item| Certificate {
                arn: text(item, "CertificateArn"),
                domain: text(item, "DomainName"),
                alternatives: texts(item, "SubjectAlternativeNameSummaries"),
                status: text(item, "Status"),
            })
            .collect();
        found.sort_by(|a, b| (&a.domain, &a.arn).cmp(&(&b.domain, &b.arn)));
        Ok(found)
    }

    /// The hosted zones from a name on, in the order of their names read from the right; without a name from the first on. There may
    /// be one public and several private ones of the same name. With 100 at most: what is not among them is not of this name.
    pub async fn hosted_zones(&self, from: Option<&str>) -> Result<Vec<HostedZone>, CallError> {
        let (action, segments) = ("route53:ListHostedZonesByName", ["2013-04-01", "hostedzonesbyname"]);
        let call = Call::get(Api::Route53, action, from.unwrap_or_default(), &segments).with("maxitems", "100");
        let root = self.signed_xml(from.iter().fold(call, |call, name| call.with("dnsname", *name))).await?;
        let zones = root.list("HostedZones").iter().map(|zone| HostedZone {
            id: zone.text("Id").unwrap_or_default().trim_start_matches("/hostedzone/").to_owned(),
            name: zone.text("Name").unwrap_or_default().trim_end_matches('.').to_lowercase(),
            private: zone.child("Config").and_then(|config| config.text("PrivateZone")) == Some("true"),
        });
        Ok(zones.collect())
    }

    /// The ARNs of every SNS topic of this region, in order.
    pub async fn topics(&self) -> Result<Vec<String>, CallError> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let call = Call::form(Api::Sns, "sns:ListTopics", "");
            let root = self.signed_xml(next.iter().fold(call, |call, token| call.with("NextToken", token))).await?;
            let Some(page) = root.child("ListTopicsResult") else { break };
            found.extend(page.list("Topics").iter().filter_map(|topic| topic.text("TopicArn").map(str::to_owned)));
            match page.text("NextToken") {
                Some(token) if next.as_deref() != Some(token) => next = Some(token.to_owned()),
                _ => break,
            }
        }
        found.sort();
        Ok(found)
    }

    /// Every Cloud Map namespace of this region, by name.
    pub async fn namespaces(&self) -> Result<Vec<Namespace>, CallError> {
        let body = json!({"MaxResults": 100});
        let pages = self.json_pages(Api::CloudMap, "servicediscovery:ListNamespaces", "", body, "Namespaces").await?;
        let mut found: Vec<_> = pages
            .iter()
            .map(|item| Namespace {
                id: text(item, "Id"),
                arn: text(item, "Arn"),
                name: text(item, "Name"),
                kind: text(item, "Type"),
            })
            .collect();
        found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        Ok(found)
    }

    /// The items of every page of a JSON call, which names the next page `NextToken`.
    pub(super) async fn json_pages(
        &self,
        api: Api,
        action: &'static str,
        subject: &str,
        body: Value,
        list: &str,
    ) -> Result<Vec<Value>, CallError> {
        let mut items = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let call = Call::json(api, action, subject, body.clone());
            let mut page = self.signed_json(next.iter().fold(call, |call, token| call.with("NextToken", token))).await?;
            if let Some(Value::Array(some)) = page.get_mut(list).map(Value::take) {
                items.extend(some);
            }
            // A service that repeats its token would go on for ever.
            match page.get("NextToken").and_then(Value::as_str) {
                Some(token) if next.as_deref() != Some(token) => next = Some(token.to_owned()),
                _ => return Ok(items),
            }
        }
    }
}

pub(super) fn text(item: &Value, key: &str) -> String {
    item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn texts(item: &Value, key: &str) -> Vec<String> {
    let list = item.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
