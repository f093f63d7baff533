//! The x- keys of a service, and the labels that mean something to ECS.

use super::confluent::Confluent;
use super::ingress::Ingress;
use super::reader::{Item, Key, Placed, Reader};
use crate::base::Place;

/// All that a service says beyond Compose.
#[derive(Debug, Clone, Default)]
pub struct ServiceExtensions {
    pub scaling: Option<Scaling>,
    pub network: Network,
    pub ecs: Ecs,
    pub iam: Iam,
    /// `x-logging`: days to keep the logs.
    pub retention: Option<Placed<u32>>,
    pub confluent: Confluent,
}

/// `x-scaling`.
#[derive(Debug, Clone)]
pub struct Scaling {
    pub place: Place,
    pub path: String,
    pub minimum: u32,
    pub maximum: u32,
    pub cpu: Option<u32>,
    pub memory: Option<u32>,
    pub scale_in_cooldown: Option<u32>,
    pub scale_out_cooldown: Option<u32>,
    pub disable_scale_in: bool,
    pub schedule: Vec<ScheduledAction>,
}

#[derive(Debug, Clone)]
pub struct ScheduledAction {
    pub name: Option<String>,
    pub schedule: String,
    pub timezone: Option<String>,
    pub start: Option<String>,
    pub end: Option<String>,
    pub minimum: Option<u32>,
    pub maximum: Option<u32>,
}

/// `x-network`.
#[derive(Debug, Clone, Default)]
pub struct Network {
    pub ingress: Ingress,
    pub public_ip: bool,
    /// The namespaces that the service is registered in, each with its name there.
    pub cloudmap: Vec<CloudMap>,
    /// Ids of security groups that the tasks join.
    pub groups: Vec<Placed<String>>,
}

#[derive(Debug, Clone)]
pub struct CloudMap {
    /// A key of `x-cloudmap`.
    pub namespace: Placed<String>,
    /// `None`: the service's own name.
    pub name: Option<Placed<String>>,
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

/// The days that CloudWatch Logs knows.
const RETENTION: [u32; 23] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653, 3654];

impl Reader<'_> {
    pub(super) fn scaling(&mut self, item: &Item<'_>) -> Option<Scaling> {
        let keys: &[Key] =
            &[&["Range", "range"], &["TargetScaling", "target_scaling"], &["ScheduledActions", "scheduled_actions", "schedule"]];
        let fields = self.fields(item, keys, &[])?;
        let target_keys: &[Key] = &[
            &["MemoryTarget", "memory_target"],
            &["CpuTarget", "cpu_target"],
            &["ScaleInCooldown", "scale_in_cooldown"],
            &["ScaleOutCooldown", "scale_out_cooldown"],
            &["DisableScaleIn", "disable_scale_in"],
            // In 2020 the range stood here.
            &["Range", "range"],
        ];
        let target = match fields.get("TargetScaling") {
            Some(target) => Some(self.fields(target, target_keys, &[])?),
            None => None,
        };
        let inner = |key: &str| target.as_ref().and_then(|fields| fields.get(key));
        let Some(range) = fields.get("Range").or_else(|| inner("Range")) else {
            self.wrong(item, "scaling has no range", "add Range with the least and the most tasks, for example \"1-3\"");
            return None;
        };
        let (minimum, maximum) = self.range(range)?;
        let mut percent = |key: &str| inner(key).and_then(|item| self.number(item, 1..=100)).map(|number| number.value);
        let (cpu, memory) = (percent("CpuTarget"), percent("MemoryTarget"));
        let mut seconds = |key: &str| inner(key).and_then(|item| self.number(item, 0..=86_400)).map(|number| number.value);
        let (scale_in_cooldown, scale_out_cooldown) = (seconds("ScaleInCooldown"), seconds("ScaleOutCooldown"));
        let disable_scale_in = inner("DisableScaleIn").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value);
        let mut schedule = Vec::new();
        for action in fields.get("ScheduledActions").map(|list| self.items(list)).unwrap_or_default() {
            schedule.extend(self.scheduled(&action));
        }
        Some(Scaling {
            place: self.place(range),
            path: range.path.clone(),
            minimum,
            maximum,
            cpu,
            memory,
            scale_in_cooldown,
            scale_out_cooldown,
            disable_scale_in,
            schedule,
        })
    }

    /// `1-3`.
    fn range(&mut self, item: &Item<'_>) -> Option<(u32, u32)> {
        let text = self.word(item)?.value;
        let ends = text.split_once('-').map(|(least, most)| (least.trim().parse::<u32>(), most.trim().parse::<u32>()));
        let Some((Ok(least), Ok(most))) = ends else {
            self.wrong(item, format!("\"{text}\" is not a range"), "write the least and the most tasks, for example \"1-3\"");
            return None;
        };
        if least > most {
            self.wrong(item, format!("the range {text} runs backwards"), format!("write \"{most}-{least}\""));
            return None;
        }
        Some((least, most))
    }

    fn scheduled(&mut self, item: &Item<'_>) -> Option<ScheduledAction> {
        let keys: &[Key] = &[
            &["ScheduledActionName"],
            &["Schedule"],
            &["Timezone"],
            &["StartTime"],
            &["EndTime"],
            &["ScalableTargetAction"],
            &["MacroParameters"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let (Some(schedule), Some(action)) = (fields.get("Schedule"), fields.get("ScalableTargetAction")) else {
            self.wrong(item, "the scheduled action lacks Schedule or ScalableTargetAction", "both are needed");
            return None;
        };
        let schedule = self.word(schedule)?.value;
        let action = self.fields(action, &[&["MinCapacity"], &["MaxCapacity"]], &[])?;
        let mut number = |key: &str| action.get(key).and_then(|item| self.number(item, 0..=100_000)).map(|number| number.value);
        let (minimum, maximum) = (number("MinCapacity"), number("MaxCapacity"));
        let mut text = |key: &str| fields.get(key).and_then(|item| self.word(item)).map(|text| text.value);
        let [name, timezone, start, end] = ["ScheduledActionName", "Timezone", "StartTime", "EndTime"].map(&mut text);
        Some(ScheduledAction { name, schedule, timezone, start, end, minimum, maximum })
    }

    pub(super) fn network(&mut self, item: &Item<'_>) -> Network {
        let keys: &[Key] = &[
            &["Ingress", "ingress"],
            &["AssignPublicIp", "IsPublic", "is_public"],
            &["x-cloudmap", "x-dns"],
            &["AdditionalSecurityGroups"],
        ];
        let Some(fields) = self.fields(item, keys, &["x-ecs_connect", "UseCloudmap"]) else { return Network::default() };
        let mut network = Network {
            ingress: fields.get("Ingress").map(|item| self.ingress(item)).unwrap_or_default(),
            public_ip: fields.get("AssignPublicIp").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value),
            ..Network::default()
        };
        if let Some(item) = fields.get("x-cloudmap") {
            if item.node.as_map().is_none() {
                network.cloudmap.extend(self.word(item).map(|namespace| CloudMap { namespace, name: None }));
            } else {
                for (namespace, value) in self.entries(item).unwrap_or_default() {
                    let place = self.key_place(&value);
                    let Some(fields) = self.fields(&value, &[&["Port"], &["Name"]], &[]) else { continue };
                    let name = fields.get("Name").and_then(|name| self.word(name));
                    let namespace = Placed { value: namespace.to_owned(), place, path: value.path.clone() };
                    network.cloudmap.push(CloudMap { namespace, name });
                }
            }
        }
        if let Some(item) = fields.get("AdditionalSecurityGroups") {
            for (_, value) in self.entries(item).unwrap_or_default() {
                let Some(id) = self.word(&value) else { continue };
                if id.value.starts_with("sg-") {
                    network.groups.push(id);
                } else {
                    self.wrong(&value, format!("\"{}\" is not the id of a security group", id.value), "it starts with sg-");
                }
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
        for provider in fields.get("CapacityProviderStrategy").map(|list| self.items(list)).unwrap_or_default() {
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
            ecs.providers.push(CapacityProvider { name, base, weight });
        }
        if let Some(item) = fields.get("CapacityProviderStrategy").filter(|_| !ecs.providers.is_empty()) {
            if ecs.providers.iter().all(|provider| provider.weight == 0) {
                self.wrong(item, "no capacity provider has a weight: ECS would place no task", "give at least one a Weight");
            }
            if ecs.providers.iter().filter(|provider| provider.base > 0).count() > 1 {
                self.wrong(item, "ECS takes a Base for one capacity provider only", "keep one Base");
            }
        }
        ecs
    }

    pub(super) fn iam(&mut self, item: &Item<'_>) -> Iam {
        let keys: &[Key] =
            &[&["PermissionsBoundary", "boundary"], &["ManagedPolicyArns", "managed_policies"], &["Policies", "policies"]];
        let Some(fields) = self.fields(item, keys, &[]) else { return Iam::default() };
        let mut iam = Iam {
            managed_policies: fields.get("ManagedPolicyArns").map(|list| self.texts(list)).unwrap_or_default(),
            boundary: fields.get("PermissionsBoundary").and_then(|item| self.word(item)),
            policies: Vec::new(),
        };
        for policy in fields.get("Policies").map(|list| self.items(list)).unwrap_or_default() {
            let Some(fields) = self.fields(&policy, &[&["PolicyName", "name"], &["PolicyDocument", "document"]], &[]) else {
                continue;
            };
            let (Some(name), Some(document)) = (fields.get("PolicyName"), fields.get("PolicyDocument")) else {
                self.wrong(&policy, "the policy lacks PolicyName or PolicyDocument", "both are needed");
                continue;
            };
            let Some(name) = self.word(name) else { continue };
            if self.entries(document).is_some() {
                iam.policies.push((name.value, super::json(document.node)));
            }
        }
        iam
    }

    pub(super) fn retention(&mut self, item: &Item<'_>) -> Option<Placed<u32>> {
        let keys: &[Key] = &[&["RetentionInDays", "retention"]];
        let fields = self.fields(item, keys, &["FireLens", "CreateLogGroup"])?;
        let item = fields.get("RetentionInDays")?;
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
