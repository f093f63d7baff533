//! What stands at the top and is named by other keys: certificates (`x-acm`), hosted zones (`x-route53`), topics (`x-sns`).

use std::collections::BTreeMap;

use super::reader::{Item, Key, Placed, Reader};
use super::top::{Wanted, is_dns_name};
use crate::base::{Code, Finding};

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
    /// In order, and each message once.
    pub fifo: bool,
    /// Messages with the same content are one.
    pub deduplication: bool,
    /// Its own tags, besides those of the stack.
    pub tags: Vec<(String, Placed<String>)>,
    /// Protocol and endpoint.
    pub subscriptions: Vec<(String, String)>,
}

/// A service that publishes to a topic.
#[derive(Debug, Clone)]
pub struct TopicUser {
    pub service: Placed<String>,
    /// The variables that hold the topic's ARN.
    pub variables: Vec<String>,
}

const PROTOCOLS: [&str; 9] = ["http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

impl Reader<'_> {
    pub(super) fn certificate(&mut self, item: &Item<'_>) -> Option<Certificate> {
        let fields =
            self.fields(item, &[&["Lookup", "Use"], &["MacroParameters"], &["Properties"]], &["Services", "Settings"])?;
        if let Some(lookup) = fields.get("Lookup") {
            return self.wanted(lookup).map(Certificate::Existing);
        }
        if let Some(properties) = fields.get("Properties") {
            return self.certificate_properties(properties);
        }
        let Some(new) = fields.get("MacroParameters") else {
            self.wrong(item, "nothing says which certificate", "add Lookup with Arn or Tags, or MacroParameters to make one");
            return None;
        };
        let fields = self.fields(new, &[&["DomainNames"], &["HostedZoneId"]], &[])?;
        let domains = fields.get("DomainNames").map(|list| self.items(list)).unwrap_or_default();
        let domains: Vec<_> = domains.iter().filter_map(|item| self.dns_pattern(item)).collect();
        let zone = fields.get("HostedZoneId").and_then(|zone| self.word(zone));
        let (Some(zone), false) = (zone, domains.is_empty()) else {
            self.wrong(new, "a new certificate needs DomainNames and HostedZoneId", "HostedZoneId: x-route53::NAME");
            return None;
        };
        Some(Certificate::New { domains, zone })
    }

    /// CloudFormation's own words for a new certificate; its names are validated in one hosted zone.
    fn certificate_properties(&mut self, item: &Item<'_>) -> Option<Certificate> {
        let keys: &[Key] = &[&["DomainName"], &["SubjectAlternativeNames"], &["DomainValidationOptions"], &["ValidationMethod"]];
        let fields = self.fields(item, keys, &["CertificateTransparencyLoggingPreference", "KeyAlgorithm", "Tags"])?;
        if let Some(method) = fields.get("ValidationMethod") {
            self.choice(method, &["DNS"])?;
        }
        let mut domains: Vec<Placed<String>> =
            fields.get("DomainName").and_then(|name| self.dns_pattern(name)).into_iter().collect();
        for other in fields.get("SubjectAlternativeNames").map(|list| self.items(list)).unwrap_or_default() {
            domains.extend(self.dns_pattern(&other).filter(|other| !domains.iter().any(|name| name.value == other.value)));
        }
        let mut zones: Vec<Placed<String>> = Vec::new();
        for option in fields.get("DomainValidationOptions").map(|list| self.items(list)).unwrap_or_default() {
            let fields = self.fields(&option, &[&["DomainName"], &["HostedZoneId"]], &["ValidationDomain"])?;
            zones.extend(fields.get("HostedZoneId").and_then(|zone| self.word(zone)));
        }
        zones.dedup_by(|one, other| one.value == other.value);
        if fields.get("DomainName").is_none() || zones.is_empty() {
            let help = "and in DomainValidationOptions the HostedZoneId, as in HostedZoneId: x-route53::NAME";
            self.wrong(item, "a new certificate needs DomainName", help);
            return None;
        }
        if let [_, second, ..] = zones.as_slice() {
            let finding = Finding::error(Code::WRONG_EXTENSION, "the names of one certificate lie in several hosted zones");
            self.findings.push(finding.at(second.place.clone()).path(&second.path).help("make a certificate for each zone"));
            return None;
        }
        Some(Certificate::New { domains, zone: zones.remove(0) })
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

    /// `x-sns`: topics by their names; in 2020 they stood below `Topics`.
    pub(super) fn sns_topics(&mut self, item: &Item<'_>) -> BTreeMap<String, (Topic, Vec<TopicUser>)> {
        let mut topics = BTreeMap::new();
        for (name, value) in self.entries(item).unwrap_or_default() {
            if name == "Topics" {
                topics.extend(self.sns_topics(&value));
            } else if !name.starts_with("x-") {
                topics.extend(self.sns_topic(name, &value).map(|topic| (name.to_owned(), topic)));
            }
        }
        topics
    }

    fn sns_topic(&mut self, name: &str, item: &Item<'_>) -> Option<(Topic, Vec<TopicUser>)> {
        let keys: &[Key] = &[&["Properties"], &["Lookup", "Use"], &["Services"]];
        let fields = self.fields(item, keys, &["MacroParameters", "Settings"])?;
        let users = fields.get("Services").map(|services| self.topic_users(name, services)).unwrap_or_default();
        if let Some(lookup) = fields.get("Lookup") {
            return self.wanted(lookup).map(|wanted| (Topic::Existing(wanted), users));
        }
        let topic = match fields.get("Properties") {
            Some(properties) => self.new_topic(properties)?,
            None => NewTopic::default(),
        };
        Some((Topic::New(topic), users))
    }

    /// A mapping by service, or once a list with `name`.
    fn topic_users(&mut self, topic: &str, item: &Item<'_>) -> Vec<TopicUser> {
        let keys: &[Key] = &[&["Name", "name"], &["Access", "access"], &["ReturnValues"]];
        let mut users = Vec::new();
        let listed = item.node.as_seq().is_some();
        let entries: Vec<(Option<Placed<String>>, Item<'_>)> = if listed {
            self.items(item).into_iter().map(|item| (None, item)).collect()
        } else {
            let entries = self.entries(item).unwrap_or_default().into_iter();
            entries
                .map(|(name, item)| {
                    let name = Placed { value: name.to_owned(), place: self.key_place(&item), path: item.path.clone() };
                    (Some(name), item)
                })
                .collect()
        };
        for (name, entry) in entries {
            let Some(fields) = self.fields(&entry, keys, &[]) else { continue };
            let service = name.or_else(|| fields.get("Name").and_then(|item| self.word(item)));
            let Some(service) = service else {
                self.wrong(&entry, "the entry names no service", "add Name with a service of this project");
                continue;
            };
            if let Some(access) = fields.get("Access") {
                let _only = self.choice(access, &["Publish"]);
            }
            let mut variables = Vec::new();
            if let Some(values) = fields.get("ReturnValues") {
                let Some(fields) = self.fields(values, &[&["TopicArn"]], &["TopicName"]) else { continue };
                variables.extend(fields.get("TopicArn").and_then(|item| self.variable(item)).map(|name| name.value));
            }
            if variables.is_empty() {
                variables.push(topic.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect());
            }
            users.push(TopicUser { service, variables });
        }
        users
    }

    fn new_topic(&mut self, properties: &Item<'_>) -> Option<NewTopic> {
        let keys: &[Key] = &[
            &["TopicName"],
            &["DisplayName"],
            &["KmsMasterKeyId"],
            &["Subscription", "Subscriptions"],
            &["FifoTopic"],
            &["ContentBasedDeduplication"],
            &["Tags"],
        ];
        let fields = self.fields(properties, keys, &["DeliveryStatusLogging", "DataProtectionPolicy"])?;
        let mut topic = NewTopic::default();
        let mut flag = |key: &str| fields.get(key).and_then(|item| self.flag(item)).is_some_and(|flag| flag.value);
        (topic.fifo, topic.deduplication) = (flag("FifoTopic"), flag("ContentBasedDeduplication"));
        topic.name = fields.get("TopicName").and_then(|item| self.name(item, "a topic", "-_.", 256)).map(|name| name.value);
        if let (Some(item), Some(name)) = (fields.get("TopicName"), &topic.name) {
            let ends = name.strip_suffix(".fifo").is_some();
            if ends != topic.fifo || name.trim_end_matches(".fifo").contains('.') {
                let help = if topic.fifo { "it ends in .fifo" } else { "letters, digits, hyphens and underscores" };
                self.wrong(item, format!("\"{name}\" can't be the name of this topic"), help);
            }
        }
        if let Some(item) = fields.get("ContentBasedDeduplication").filter(|_| topic.deduplication && !topic.fifo) {
            self.wrong(item, "only a FIFO topic tells messages apart", "add FifoTopic: true");
        }
        let mut word = |key: &str| fields.get(key).and_then(|item| self.word(item));
        topic.display_name = word("DisplayName").map(|name| name.value);
        topic.key = word("KmsMasterKeyId");
        topic.tags = fields.get("Tags").map(|tags| self.tags(tags)).unwrap_or_default();
        for entry in fields.get("Subscription").map(|list| self.items(list)).unwrap_or_default() {
            let Some(fields) = self.fields(&entry, &[&["Protocol"], &["Endpoint"]], &[]) else { continue };
            let (Some(protocol), Some(endpoint)) = (fields.get("Protocol"), fields.get("Endpoint")) else {
                self.wrong(&entry, "the subscription lacks Protocol or Endpoint", "both are needed");
                continue;
            };
            let (Some(word), Some(text)) = (self.choice(protocol, &PROTOCOLS), self.word(endpoint)) else { continue };
            if let Some(help) = not_reached(word.value, &text.value) {
                self.wrong(endpoint, format!("\"{}\" is nothing that {} reaches", text.value, word.value), help);
            } else if topic.fifo && word.value != "sqs" {
                self.wrong(protocol, format!("a FIFO topic doesn't reach {}", word.value), "it reaches queues of SQS only");
            }
            topic.subscriptions.push((word.value.to_owned(), text.value));
        }
        Some(topic)
    }
}

pub(super) fn is_zone_id(text: &str) -> bool {
    text.len() > 8 && text.starts_with('Z') && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// What an endpoint of a protocol looks like, where this isn't one.
fn not_reached(protocol: &str, endpoint: &str) -> Option<String> {
    let phone = |text: &str| text.strip_prefix('+').is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()));
    let address = |text: &str| text.split_once('@').is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    let (fits, example) = match protocol {
        "email" | "email-json" => (address(endpoint), "an address, as in team@example.com".to_owned()),
        "http" | "https" => (endpoint.starts_with(&format!("{protocol}://")), format!("a URL that begins with {protocol}://")),
        "sms" => (phone(endpoint), "a number with its country, as in +441632960000".to_owned()),
        "application" => (super::values::is_arn(endpoint, "sns"), "the ARN of an endpoint, arn:aws:sns:…".to_owned()),
        service => (super::values::is_arn(endpoint, service), format!("an ARN that begins with arn:aws:{service}:")),
    };
    (!fits).then_some(example)
}
