//! What stands at the top and is named by other keys: certificates (`x-acm`), hosted zones (`x-route53`), topics (`x-sns`).

use super::reader::{Item, Key, Placed, Reader};
use super::top::{Wanted, is_dns_name};

/// `x-acm`: a certificate that is there, or one that this stack asks for.
#[derive(Debug, Clone)]
pub enum Certificate {
    /// By its ARN, its domain name or its tags.
    Existing(Wanted),
    /// Validated by records in a hosted zone.
    New { domains: Vec<Placed<String>>, zone: Placed<String> },
}

/// `x-route53`, and `x-dns.PublicZone` of 2020: a hosted zone that is there.
#[derive(Debug, Clone)]
pub struct HostedZone {
    /// Its domain.
    pub name: Option<Placed<String>>,
    /// `Z…`, where the files give it.
    pub id: Option<Placed<String>>,
    /// Answers inside a VPC only.
    pub private: bool,
}

/// `x-sns`: a topic that is there, or one that this stack makes.
#[derive(Debug, Clone)]
pub enum Topic {
    Existing(Wanted),
    New(NewTopic),
}

#[derive(Debug, Clone, Default)]
pub struct NewTopic {
    pub name: Option<String>,
    pub display_name: Option<String>,
    /// The key that it is encrypted with.
    pub key: Option<Placed<String>>,
    /// Protocol and endpoint.
    pub subscriptions: Vec<(String, String)>,
}

const PROTOCOLS: [&str; 9] = ["http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

impl Reader<'_> {
    pub(super) fn certificate(&mut self, item: &Item<'_>) -> Option<Certificate> {
        let fields = self.fields(item, &[&["Lookup", "Use"], &["MacroParameters"]], &["Properties", "Settings"])?;
        if let Some(lookup) = fields.get("Lookup") {
            return self.wanted(lookup).map(Certificate::Existing);
        }
        let Some(new) = fields.get("MacroParameters") else {
            self.wrong(item, "nothing says which certificate", "add Lookup with Arn or Tags, or MacroParameters to make one");
            return None;
        };
        let fields = self.fields(new, &[&["DomainNames"], &["HostedZoneId"]], &[])?;
        let domains = fields.get("DomainNames").map(|list| self.texts(list)).unwrap_or_default();
        let zone = fields.get("HostedZoneId").and_then(|zone| self.word(zone));
        let (Some(zone), false) = (zone, domains.is_empty()) else {
            self.wrong(new, "a new certificate needs DomainNames and HostedZoneId", "HostedZoneId: x-route53::NAME");
            return None;
        };
        Some(Certificate::New { domains, zone })
    }

    pub(super) fn hosted_zone(&mut self, item: &Item<'_>) -> Option<HostedZone> {
        let fields = self.fields(item, &[&["Name", "ZoneName"], &["Lookup", "Use"]], &["Properties", "MacroParameters"])?;
        let name = match fields.get("Name") {
            Some(item) => Some(self.dns_name(item)?),
            None => None,
        };
        let Some(lookup) = fields.get("Lookup") else {
            self.wrong(item, "the hosted zone is not looked up", "add Lookup: true; a zone is never made here");
            return None;
        };
        let mut zone = HostedZone { name, id: None, private: false };
        if lookup.node.as_map().is_some() {
            let fields = self.fields(lookup, &[&["HostedZoneId"], &["IsPrivateZone"]], &["RoleArn"])?;
            zone.private = fields.get("IsPrivateZone").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value);
            if let Some(item) = fields.get("HostedZoneId") {
                zone.id = Some(self.zone_id(item)?);
            }
        } else if lookup.node.as_bool().is_none() {
            let word = self.word(lookup)?;
            if is_zone_id(&word.value) {
                zone.id = Some(word);
            } else {
                zone.name = Some(self.dns_name(lookup)?);
            }
        }
        if zone.name.is_none() && zone.id.is_none() {
            self.wrong(item, "the hosted zone has no name", "add ZoneName, for example `ZoneName: example.com`");
            return None;
        }
        Some(zone)
    }

    fn zone_id(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let id = self.word(item)?;
        if is_zone_id(&id.value) {
            return Some(id);
        }
        self.wrong(item, format!("\"{}\" is not the id of a hosted zone", id.value), "it is Z with capitals and digits");
        None
    }

    pub(super) fn dns_name(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let name = self.word(item)?;
        if is_dns_name(&name.value) {
            return Some(name);
        }
        self.wrong(item, format!("\"{}\" is not a DNS name", name.value), "letters, digits and hyphens between dots");
        None
    }

    pub(super) fn sns_topic(&mut self, item: &Item<'_>) -> Option<Topic> {
        let fields = self.fields(item, &[&["Properties"], &["Lookup", "Use"]], &["Services", "MacroParameters", "Settings"])?;
        if let Some(lookup) = fields.get("Lookup") {
            return self.wanted(lookup).map(Topic::Existing);
        }
        let mut topic = NewTopic::default();
        if let Some(properties) = fields.get("Properties") {
            let later = ["FifoTopic", "ContentBasedDeduplication", "DeliveryStatusLogging", "DataProtectionPolicy", "Tags"];
            let keys: &[Key] = &[&["TopicName"], &["DisplayName"], &["KmsMasterKeyId"], &["Subscription", "Subscriptions"]];
            let fields = self.fields(properties, keys, &later)?;
            let mut word = |key: &str| fields.get(key).and_then(|item| self.word(item));
            topic.name = word("TopicName").map(|name| name.value);
            topic.display_name = word("DisplayName").map(|name| name.value);
            topic.key = word("KmsMasterKeyId");
            for entry in fields.get("Subscription").map(|list| self.items(list)).unwrap_or_default() {
                let Some(fields) = self.fields(&entry, &[&["Protocol"], &["Endpoint"]], &[]) else { continue };
                let (Some(protocol), Some(endpoint)) = (fields.get("Protocol"), fields.get("Endpoint")) else {
                    self.wrong(&entry, "the subscription lacks Protocol or Endpoint", "both are needed");
                    continue;
                };
                if let (Some(protocol), Some(endpoint)) = (self.choice(protocol, &PROTOCOLS), self.word(endpoint)) {
                    topic.subscriptions.push((protocol.value.to_owned(), endpoint.value));
                }
            }
        }
        Some(Topic::New(topic))
    }
}

pub(super) fn is_zone_id(text: &str) -> bool {
    text.len() > 8 && text.starts_with('Z') && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}
