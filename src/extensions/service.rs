//! The x- keys of a service, and the labels that mean something to ECS.

use super::alarm::PredefinedAlarm;
use super::confluent::Confluent;
use super::connect::Connect;
use super::ingress::Ingress;
use super::reader::{Item, Key, Placed, Reader};
use super::scaling::Scaling;
use super::top::Wanted;
use super::values::Id;

/// All that a service says beyond Compose.
#[derive(Debug, Clone, Default)]
pub struct ServiceExtensions {
    pub scaling: Option<Scaling>,
    pub network: Network,
    pub ecs: Ecs,
    pub iam: Iam,
    /// `x-logging`: days to keep the logs.
    pub retention: Option<Placed<u32>>,
    /// `x-alarms.Predefined`.
    pub alarms: Vec<PredefinedAlarm>,
    pub confluent: Confluent,
}

/// `x-network`.
#[derive(Debug, Clone, Default)]
pub struct Network {
    pub ingress: Ingress,
    pub public_ip: bool,
    /// The namespaces that the service is registered in, each with its name there.
    pub cloudmap: Vec<CloudMap>,
    /// `use_cloudmap: false` of 2020: not even where everything else is.
    pub unregistered: bool,
    pub connect: Option<Connect>,
    /// Security groups that the tasks join, each with the name that the file gives it.
    pub groups: Vec<(String, Wanted)>,
}

#[derive(Debug, Clone)]
pub struct CloudMap {
    /// A key of `x-cloudmap`.
    pub namespace: Placed<String>,
    /// `None`: the service's own name.
    pub name: Option<Placed<String>>,
    /// Shown to those who ask for the port as well as the address.
    pub port: Option<Placed<u16>>,
}

/// `x-ecs`.
#[derive(Debug, Clone, Default)]
pub struct Ecs {
    pub providers: Vec<CapacityProvider>,
    pub execute_command: bool,
    pub arm64: Option<Placed<bool>>,
}

#[derive(Debug, Clone)]
pub struct CapacityProvider {
    pub name: Placed<String>,
    pub base: u32,
    pub weight: u32,
}

/// `x-iam`.
#[derive(Debug, Clone, Default)]
pub struct Iam {
    pub managed_policies: Vec<Placed<String>>,
    /// Name and document.
    pub policies: Vec<(String, serde_json::Value)>,
    pub boundary: Option<Placed<String>>,
}

/// Security groups that a network interface takes besides the task's own.
const GROUPS: usize = 4;
/// Managed policies that a role takes, unless AWS was asked for more.
const MANAGED: usize = 10;
/// The days that CloudWatch Logs knows.
const RETENTION: [u32; 23] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, 3654];

impl Reader<'_> {
    pub(super) fn network(&mut self, item: &Item<'_>) -> Network {
        let keys: &[Key] = &[
            &["Ingress", "ingress"],
            &["AssignPublicIp", "IsPublic", "is_public"],
            &["x-cloudmap", "x-dns"],
            &["AdditionalSecurityGroups"],
            &["UseCloudmap", "use_cloudmap"],
            &["x-ecs_connect"],
        ];
        let Some(fields) = self.fields(item, keys, &[]) else { return Network::default() };
        let mut network = Network {
            ingress: fields.get("Ingress").map(|item| self.ingress(item)).unwrap_or_default(),
            public_ip: fields.get("AssignPublicIp").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value),
            unregistered: fields.get("UseCloudmap").and_then(|item| self.flag(item)).is_some_and(|flag| !flag.value),
            connect: fields.get("x-ecs_connect").and_then(|item| self.connect(item)),
            ..Network::default()
        };
        if let Some(item) = fields.get("x-cloudmap") {
            if item.node.as_map().is_none() {
                network.cloudmap.extend(self.word(item).map(|namespace| CloudMap { namespace, name: None, port: None }));
            } else {
                for (namespace, value) in self.entries(item).unwrap_or_default() {
                    let place = self.key_place(&value);
                    let Some(fields) = self.fields(&value, &[&["Port"], &["Name"]], &[]) else { continue };
                    let name = fields.get("Name").and_then(|name| self.dns_name(name));
                    let port = fields.get("Port").and_then(|port| self.port(port));
                    let namespace = Placed { value: namespace.to_owned(), place, path: value.path.clone() };
                    network.cloudmap.push(CloudMap { namespace, name, port });
                }
            }
        }
        if let Some(item) = fields.get("AdditionalSecurityGroups") {
            for (name, value) in self.entries(item).unwrap_or_default() {
                if self.ids(&value, Id::SecurityGroup, false) {
                    network.groups.extend(self.wanted(&value).map(|wanted| (name.to_owned(), wanted.without_arns())));
                }
            }
            if network.groups.len() > GROUPS {
                let message =
                    format!("a task joins {} security groups besides its own: EC2 takes {GROUPS}", network.groups.len());
                self.wrong(item, message, "put their rules together");
            }
        }
        network
    }

    pub(super) fn ecs(&mut self, item: &Item<'_>) -> Ecs {
        let keys: &[Key] =
            &[&["CapacityProviderStrategy"], &["EnableExecuteCommand"], &["CpuArchitecture"], &["OperatingSystemFamily"]];
        let Some(fields) = self.fields(item, keys, &[]) else { return Ecs::default() };
        let mut ecs = Ecs {
            execute_command: fields.get("EnableExecuteCommand").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value),
            ..Ecs::default()
        };
        if let Some(item) = fields.get("CpuArchitecture") {
            let word = self.choice(item, &["X86_64", "ARM64"]);
            ecs.arm64 = word.map(|word| Placed { value: word.value == "ARM64", place: word.place, path: word.path });
        }
        if let Some(item) = fields.get("OperatingSystemFamily") {
            let _only = self.choice(item, &["LINUX"]);
        }
        ecs.providers = fields.get("CapacityProviderStrategy").map(|list| self.strategy(list)).unwrap_or_default();
        ecs
    }

    /// A capacity provider strategy.
    pub(super) fn strategy(&mut self, item: &Item<'_>) -> Vec<CapacityProvider> {
        let mut providers = Vec::new();
        for provider in self.items(item) {
            let Some(fields) = self.fields(&provider, &[&["CapacityProvider"], &["Base"], &["Weight"]], &[]) else { continue };
            let Some(name) = fields.get("CapacityProvider") else {
                self.wrong(&provider, "the entry names no capacity provider", "add CapacityProvider: FARGATE or FARGATE_SPOT");
                continue;
            };
            let Some(name) = self.choice(name, &["FARGATE", "FARGATE_SPOT"]) else { continue };
            let mut number =
                |key: &str, most| fields.get(key).and_then(|item| self.number(item, 0..=most)).map_or(0, |number| number.value);
            let (base, weight) = (number("Base", 100_000), number("Weight", 1000));
            let name = Placed { value: name.value.to_owned(), place: name.place, path: name.path };
            if providers.iter().any(|other: &CapacityProvider| other.name.value == name.value) {
                self.wrong(&provider, format!("{} stands in the strategy twice", name.value), "keep one of the two");
                continue;
            }
            providers.push(CapacityProvider { name, base, weight });
        }
        if !providers.is_empty() && providers.iter().all(|provider| provider.weight == 0) {
            self.wrong(item, "no capacity provider has a weight: ECS would place no task", "give at least one a Weight");
        }
        if providers.iter().filter(|provider| provider.base > 0).count() > 1 {
            self.wrong(item, "ECS takes a Base for one capacity provider only", "keep one Base");
        }
        providers
    }

    pub(super) fn iam(&mut self, item: &Item<'_>) -> Iam {
        let keys: &[Key] = &[
            &["PermissionsBoundary", "boundary"],
            &["ManagedPolicyArns", "ManagedPolicies", "managed_policies"],
            &["Policies", "policies"],
        ];
        let Some(fields) = self.fields(item, keys, &[]) else { return Iam::default() };
        let managed = fields.get("ManagedPolicyArns").map(|list| self.items(list)).unwrap_or_default();
        let mut iam = Iam {
            managed_policies: managed.iter().filter_map(|item| self.policy(item)).collect(),
            boundary: fields.get("PermissionsBoundary").and_then(|item| self.policy(item)),
            policies: Vec::new(),
        };
        for policy in fields.get("Policies").map(|list| self.items(list)).unwrap_or_default() {
            let Some(fields) = self.fields(&policy, &[&["PolicyName", "name"], &["PolicyDocument", "document"]], &[]) else {
                continue;
            };
            let (Some(item), Some(document)) = (fields.get("PolicyName"), fields.get("PolicyDocument")) else {
                self.wrong(&policy, "the policy lacks PolicyName or PolicyDocument", "both are needed");
                continue;
            };
            let Some(name) = self.name(item, "a policy", "+=,.@_-", 128) else { continue };
            if iam.policies.iter().any(|(other, _)| *other == name.value) {
                self.wrong(item, format!("two policies are called {}", name.value), "give each a name of its own");
            }
            if self.document(document) {
                iam.policies.push((name.value, super::json(document.node)));
            }
        }
        iam.managed_policies.dedup_by(|one, other| one.value == other.value);
        if let (Some(list), true) = (fields.get("ManagedPolicyArns"), iam.managed_policies.len() > MANAGED) {
            let message = format!("a role takes {MANAGED} managed policies, not {}", iam.managed_policies.len());
            self.wrong(list, message, "write what they allow under Policies");
        }
        iam
    }

    /// A policy by its ARN, or by its name in this account.
    fn policy(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let policy = self.word(item)?;
        let name = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c));
        if (policy.value.starts_with("arn:") && policy.value.contains(":policy/")) || name(&policy.value) {
            return Some(policy);
        }
        let help = "arn:aws:iam::aws:policy/NAME, or the name of one of this account's own";
        self.wrong(item, format!("\"{}\" is no policy", policy.value), help);
        None
    }

    pub(super) fn retention(&mut self, item: &Item<'_>) -> Option<Placed<u32>> {
        let keys: &[Key] = &[&["RetentionInDays", "retention"], &["CreateLogGroup"]];
        let fields = self.fields(item, keys, &["FireLens"])?;
        if let Some(item) = fields.get("CreateLogGroup")
            && self.flag(item).is_some_and(|flag| !flag.value)
        {
            let help = "leave it out: a group that the task makes itself keeps its logs for ever";
            self.wrong(item, "the log group is always made by the stack", help);
        }
        self.days(fields.get("RetentionInDays")?)
    }

    /// How long CloudWatch Logs keeps a log: one of the numbers of days that it knows.
    pub(super) fn days(&mut self, item: &Item<'_>) -> Option<Placed<u32>> {
        let days = self.number(item, 1..=3654)?;
        if !RETENTION.contains(&days.value) {
            let next = RETENTION.iter().find(|known| **known > days.value).copied().unwrap_or(3653);
            self.wrong(
                item,
                format!("CloudWatch Logs doesn't keep logs for {} days", days.value),
                format!("the next it knows is {next}"),
            );
            return None;
        }
        Some(days)
    }
}
