//! `x-vpc`: a VPC that is there, or one that this stack makes because the files ask for it.

use std::collections::BTreeMap;

use super::reader::{Item, Key, Placed, Reader};
use super::top::Wanted;
use super::values::Id;
use crate::base::{Code, Finding};

#[derive(Debug, Clone)]
pub struct Vpc {
    pub id: Option<Wanted>,
    /// By their usage: `AppSubnets`, `PublicSubnets`, `StorageSubnets`, and names of the user's own.
    pub subnets: BTreeMap<String, Wanted>,
    pub new: Option<NewVpc>,
}

/// Two zones with public subnets, subnets for tasks and subnets for storage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewVpc {
    /// The first address and the length.
    pub block: (u32, u32),
    pub nat: Nat,
    /// Services of AWS that are reached without leaving the VPC.
    pub endpoints: Vec<String>,
    pub flow_logs: bool,
    /// The boundary of the role that writes the flow logs.
    pub boundary: Option<Placed<String>>,
    /// What its machines are told of names and time, where the files say.
    pub dhcp: Option<Dhcp>,
}

/// `DHCPOptions`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dhcp {
    pub domain: Option<String>,
    pub name_servers: Vec<String>,
    pub time_servers: Vec<String>,
}

/// How tasks in the subnets without public addresses reach the internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nat {
    EachZone,
    One,
    None,
}

/// Services that tasks use most.
const ENDPOINTS: [&str; 32] = [
    "acm-pca",
    "application-autoscaling",
    "autoscaling",
    "cloudformation",
    "dynamodb",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "ecs-agent",
    "ecs-telemetry",
    "elasticfilesystem",
    "elasticloadbalancing",
    "events",
    "execute-api",
    "glue",
    "kafka",
    "kafka-fips",
    "kinesis-firehose",
    "kinesis-streams",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "s3",
    "secretsmanager",
    "sns",
    "sqs",
    "ssm",
    "ssmmessages",
    "sts",
];
/// The resolver of the VPC itself.
const AMAZON_DNS: &str = "AmazonProvidedDNS";
/// As many servers of a kind as DHCP options take.
const SERVERS: usize = 4;
/// What ECS Compose-X takes.
const BLOCK: &str = "100.127.254.0/24";
/// AWS allows a VPC from /16 to /28 and a subnet down to /28: the eighth part of the block.
const LENGTHS: std::ops::RangeInclusive<u32> = 16..=25;

impl Reader<'_> {
    pub(super) fn vpc(&mut self, item: &Item<'_>) -> Option<Vpc> {
        let fields = self.fields(item, &[&["Lookup", "Use"], &["Properties", "Create"]], &["RoleArn"])?;
        if let Some(properties) = fields.get("Properties") {
            if fields.get("Lookup").is_some() {
                self.wrong(item, "x-vpc looks a VPC up and makes one", "keep Lookup, or Properties");
                return None;
            }
            let new = self.new_vpc(properties)?;
            return Some(Vpc { id: None, subnets: BTreeMap::new(), new: Some(new) });
        }
        let Some(lookup) = fields.get("Lookup") else {
            self.wrong(item, "x-vpc doesn't say which VPC", "add Lookup with VpcId and AppSubnets");
            return None;
        };
        let mut vpc = Vpc { id: None, subnets: BTreeMap::new(), new: None };
        for (key, value) in self.entries(lookup)? {
            if key == "RoleArn" {
                self.wrong(&value, "RoleArn is not used: lookups run as who runs the deploy", "leave it out");
            } else if key == "VpcId" {
                let sound = self.ids(&value, Id::Vpc, false);
                vpc.id = sound.then(|| self.wanted(&value)).flatten().map(Wanted::without_arns);
            } else if self.ids(&value, Id::Subnet, false)
                && let Some(wanted) = self.wanted(&value)
            {
                vpc.subnets.insert(key.to_owned(), wanted.without_arns());
            }
        }
        Some(vpc)
    }

    fn dhcp(&mut self, item: &Item<'_>) -> Option<Dhcp> {
        let keys: &[Key] = &[&["DomainName"], &["DomainNameServers"], &["NtpServers"], &["Tags"]];
        let fields = self.fields(item, keys, &["NetbiosNameServers", "NetbiosNodeType"])?;
        let servers = |reader: &mut Self, key: &str, word: &str| -> Vec<String> {
            let Some(list) = fields.get(key) else { return Vec::new() };
            let mut servers = Vec::new();
            for item in reader.items(list) {
                let Some(server) = reader.word(&item) else { continue };
                if server.value != word && server.value.parse::<std::net::IpAddr>().is_err() {
                    reader.wrong(&item, format!("\"{}\" is no address of a server", server.value), "an IP address");
                }
                servers.push(server.value);
            }
            if servers.len() > SERVERS {
                reader.wrong(list, format!("{key} takes {SERVERS} servers, not {}", servers.len()), "keep the nearest");
            }
            servers
        };
        let name_servers = servers(self, "DomainNameServers", AMAZON_DNS);
        if let Some(list) = fields.get("DomainNameServers").filter(|_| !name_servers.iter().any(|server| server == AMAZON_DNS)) {
            let finding = Finding::warning(Code::WRONG_EXTENSION, "tasks won't find the names of Cloud Map with these servers");
            let finding = finding.at(self.place(list)).path(&list.path);
            self.findings.push(finding.help(format!("add {AMAZON_DNS}, unless your servers ask the VPC's resolver")));
        }
        Some(Dhcp {
            domain: fields.get("DomainName").and_then(|item| self.dns_name(item)).map(|name| name.value),
            name_servers,
            time_servers: servers(self, "NtpServers", ""),
        })
    }

    /// A service that isn't known may be a new one; one that is near to a known one is misspelt.
    fn endpoint(&mut self, name: &Placed<String>) {
        if ENDPOINTS.contains(&name.value.as_str()) {
            return;
        }
        let message = format!("there is no endpoint for {}", name.value);
        let finding = match crate::base::nearest(&name.value, ENDPOINTS) {
            Some(near) => Finding::error(Code::WRONG_EXTENSION, message).help(format!("did you mean {near}?")),
            None => Finding::warning(Code::WRONG_EXTENSION, format!("{} may have no endpoint", name.value))
                .help("`aws ec2 describe-vpc-endpoint-services` lists those that there are"),
        };
        self.findings.push(finding.at(name.place.clone()).path(&name.path));
    }

    fn new_vpc(&mut self, item: &Item<'_>) -> Option<NewVpc> {
        let keys: &[Key] = &[
            &["VpcCidr"],
            &["SingleNat"],
            &["DisableNat"],
            &["Endpoints"],
            &["EnableFlowLogs"],
            &["FlowLogsRoleBoundary"],
            &["DHCPOptions"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let mut flag = |key: &str| fields.get(key).and_then(|item| self.flag(item)).is_some_and(|flag| flag.value);
        let (single, without, flow_logs) = (flag("SingleNat"), flag("DisableNat"), flag("EnableFlowLogs"));
        let nat = match (single, without) {
            (true, true) => {
                self.wrong(item, "SingleNat and DisableNat contradict each other", "keep one of them");
                return None;
            }
            (true, false) => Nat::One,
            (false, true) => Nat::None,
            (false, false) => Nat::EachZone,
        };
        let written = match fields.get("VpcCidr") {
            Some(item) => self.word(item)?.value,
            None => BLOCK.to_owned(),
        };
        let block = super::ingress::block(&written, false).ok().and_then(|block| {
            let (address, length) = block.split_once('/')?;
            let address: std::net::Ipv4Addr = address.parse().ok()?;
            Some((address.to_bits(), length.parse().ok()?)).filter(|(_, length)| LENGTHS.contains(length))
        });
        let Some(block) = block else {
            let item = fields.get("VpcCidr").unwrap_or(item).clone();
            let help =
                format!("its first address and a length from /{} to /{}, as in 10.20.0.0/20", LENGTHS.start(), LENGTHS.end());
            self.wrong(&item, format!("\"{written}\" is no block of addresses for a VPC"), help);
            return None;
        };
        let mut endpoints = Vec::new();
        if let Some(item) = fields.get("Endpoints") {
            let fields = self.fields(item, &[&["AwsServices"]], &[])?;
            for entry in fields.get("AwsServices").map(|list| self.items(list)).unwrap_or_default() {
                let named = if entry.node.as_map().is_some() {
                    let fields = self.fields(&entry, &[&["service", "Service"]], &[])?;
                    fields.get("service").and_then(|name| self.word(name))
                } else {
                    self.word(&entry)
                };
                endpoints.extend(named.map(|name| {
                    self.endpoint(&name);
                    name.value
                }));
            }
        }
        endpoints.sort();
        endpoints.dedup();
        let boundary = fields.get("FlowLogsRoleBoundary").and_then(|item| self.word(item));
        let dhcp = fields.get("DHCPOptions").and_then(|item| self.dhcp(item));
        Some(NewVpc { block, nat, endpoints, flow_logs, boundary, dhcp })
    }
}
