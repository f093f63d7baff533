//! Services → families: one task definition and one ECS service each. Services with the same `ecs.task.family` label are
//! containers of one task; every other service is a family of its own.

use std::collections::BTreeMap;

use super::build::Builder;
use super::{
    Architecture, Capacity, Condition, Container, Family, Group, Iam, Namespace, PolicyName, Port, Provider, Registration,
    Rollout, Scaling, ScheduledAction, Size, Text, logical, rollout, size, standing,
};
use crate::base::Code;
use crate::compose::Service;
use crate::confluent;
use crate::extensions::{self, ServiceExtensions};
use crate::profile::{Component, Spot};

/// Days that logs are kept unless the files say.
const RETENTION: u32 = 30;
/// Seconds between scalings unless the files say: the values of ECS Compose-X.
const SCALE_IN: u32 = 300;
const SCALE_OUT: u32 = 60;
/// GiB of a task's disk: what Fargate gives without being asked, and the most that it gives.
const DISK: u32 = 20;
const LARGEST_DISK: u32 = 200;

/// A service with what is known of it.
#[derive(Clone, Copy)]
pub(super) struct Member<'a> {
    pub(super) name: &'a str,
    pub(super) service: &'a Service,
    pub(super) extensions: &'a ServiceExtensions,
    pub(super) component: Option<&'a Component>,
}

impl<'a> Builder<'a> {
    pub(super) fn families(&mut self, namespaces: &BTreeMap<String, Namespace>) -> Vec<Family> {
        let mut grouped: BTreeMap<String, Vec<Member<'a>>> = BTreeMap::new();
        for (name, service) in &self.project.services {
            let Some(extensions) = self.extensions.services.get(name) else { continue };
            let component = self.component(service, extensions);
            self.components.extend(component.map(|component| (name.clone(), component)));
            for family in self.family_names(name, service) {
                grouped.entry(family).or_default().push(Member { name, service, extensions, component });
            }
        }
        let mut ids: BTreeMap<String, u32> = BTreeMap::new();
        let mut families = Vec::new();
        for (name, members) in grouped {
            // Two names may differ in characters that a logical id can't have.
            let id = logical(&name);
            let count = ids.entry(id.clone()).and_modify(|count| *count += 1).or_insert(1);
            let id = if *count > 1 { format!("{id}X{count}") } else { id };
            families.push(self.family(name, id, &members, namespaces));
        }
        families
    }

    /// The families that a service is a container of, each with its own copy: between commas in the label.
    fn family_names(&mut self, name: &str, service: &Service) -> Vec<String> {
        let Some(written) = label(service, "ecs.task.family").filter(|families| !families.trim().is_empty()) else {
            return vec![name.to_owned()];
        };
        let mut families: Vec<String> = Vec::new();
        for family in written.split(',').map(str::trim) {
            let path = label_path(name, service, "ecs.task.family");
            if !is_ecs_name(family) {
                let message = format!("\"{family}\" can't be the name of a task family");
                let finding = self.error(Code::FAMILY, &path, message);
                finding.help =
                    Some("at most 255 letters, digits, hyphens and underscores; a comma between two families".to_owned());
            } else if families.iter().any(|known| known == family) {
                let finding = self.error(Code::FAMILY, &path, format!("{name} stands in the family {family} twice"));
                finding.help = Some("name each family once".to_owned());
                continue;
            }
            families.push(family.to_owned());
        }
        families
    }

    /// What the image holds, by its name or by what the file says.
    fn component(&mut self, service: &Service, extensions: &ServiceExtensions) -> Option<&'a Component> {
        let catalogue = self.catalogue;
        let Some(named) = &extensions.confluent.component else {
            return service.image.as_deref().and_then(|image| confluent::recognise(catalogue, image));
        };
        let component = catalogue.component(&named.value);
        if component.is_none() {
            let known = catalogue.components().iter().map(|component| component.name.as_str());
            let help = match crate::base::nearest(&named.value, known.clone()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("known: {}", known.collect::<Vec<_>>().join(", ")),
            };
            self.error_at(Code::FAMILY, named, format!("\"{}\" is no component that we know", named.value)).help = Some(help);
        }
        component
    }

    fn policy_names(&mut self, members: &[Member<'_>]) {
        let mut taken: Vec<&str> = vec!["secrets", "execute-command", "file-systems", "kafka", "topics"];
        for member in members {
            for (name, _) in &member.extensions.iam.policies {
                if taken.contains(&name.as_str()) {
                    let message = format!("the task role of {} has another policy called {name}", member.name);
                    self.error(Code::FAMILY, &["services", member.name, "x-iam"], message).help =
                        Some("give it another PolicyName".to_owned());
                }
                taken.push(name);
            }
        }
    }

    fn family(&mut self, name: String, id: String, members: &[Member<'a>], namespaces: &BTreeMap<String, Namespace>) -> Family {
        for member in members {
            let ends =
                matches!(Self::awaited(member.name, member.service, members), Some(Condition::Complete | Condition::Success));
            if !is_ecs_name(member.name) {
                let message = format!("ECS can't call a container {}", member.name);
                let finding = self.error(Code::FAMILY, &["services", member.name], message);
                finding.help = Some("name the service with letters, digits, hyphens and underscores alone".to_owned());
            }
            self.unsupported(member.name, member.service, ends);
            self.labels_of_ours(member);
            self.settings(member);
        }
        self.policy_names(members);
        let asked: Vec<Asked> = members.iter().map(Asked::of).collect();
        let size = self.size(&name, members, &asked);
        let (volumes, mounts) = self.volumes(members);
        let mut containers: Vec<Container> =
            members.iter().zip(&asked).map(|(member, asked)| self.container(member, members, *asked, size)).collect();
        for (container, mounts) in containers.iter_mut().zip(mounts) {
            container.mounts = mounts;
        }
        let architecture = self.architecture(members);
        for (container, member) in containers.iter_mut().zip(members) {
            self.plugins(member, architecture, container);
        }
        self.something_stays(members, &containers);
        self.one_port_each(&containers);
        let main = main(members);
        let count = members.iter().map(|member| member.service.replicas()).max().unwrap_or(1);
        let count = u32::try_from(count).unwrap_or(0);
        let scaling = self.scaling(&name, members, count);
        let registration = self.registration(&name, members, &containers, namespaces);
        let connect = self.connect(&name, members, &containers, registration.as_ref(), namespaces);
        let ecs = |pick: fn(&ServiceExtensions) -> bool| members.iter().any(|member| pick(member.extensions));
        let rollout = match main {
            Some(member) => rollout::rollout(member.service, member.component),
            None => Rollout { minimum_percent: 100, maximum_percent: 200, az_rebalancing: false, grace: None },
        };
        Family {
            size,
            architecture,
            ephemeral_gib: self.ephemeral(members),
            count,
            scaling,
            rollout,
            capacity: self.capacity(members),
            execute_command: ecs(|extensions| extensions.ecs.execute_command),
            public_ip: ecs(|extensions| extensions.network.public_ip),
            subnets: self.usage(members),
            joined_groups: members
                .iter()
                .flat_map(|member| &member.extensions.network.groups)
                .map(|(name, wanted)| Group { id: logical(name), lookup: standing::looked_up(wanted), owner: None })
                .collect(),
            ingress: Vec::new(),
            registration,
            connect,
            volumes,
            publishes: Vec::new(),
            log_group: members.iter().find_map(|member| log_group(member.service)),
            log_retention_days: members
                .iter()
                .find_map(|member| member.extensions.retention.as_ref())
                .map_or(RETENTION, |days| days.value),
            iam: iam(members),
            kafka_rights: Vec::new(),
            name,
            id,
            containers,
        }
    }

    /// The smallest size of Fargate that holds the family.
    fn size(&mut self, family: &str, members: &[Member<'_>], asked: &[Asked]) -> Size {
        let cpu: u32 = asked.iter().filter_map(|asked| asked.cpu).fold(0, u32::saturating_add);
        let memory: u32 = asked.iter().filter_map(Asked::memory).fold(0, u32::saturating_add);
        let Some(first) = members.first() else { return size::LARGEST };
        let path: &[&str] = match first.service {
            service if service.deploy.is_some() => &["services", first.name, "deploy", "resources"],
            service if service.cpus.get() > 0.0 => &["services", first.name, "cpus"],
            service if service.mem_limit.get() > 0 => &["services", first.name, "mem_limit"],
            _ => &["services", first.name],
        };
        let wanted = match (cpu, memory) {
            (cpu, 0) => format!("{} vCPU", f64::from(cpu) / 1024.0),
            (0, memory) => format!("{} GB", f64::from(memory) / 1024.0),
            (cpu, memory) => Size { cpu, memory }.to_string(),
        };
        let Some(size) = size::smallest(cpu, memory) else {
            let message = format!("{family} asks for {wanted}; the largest task of Fargate has {}", size::LARGEST);
            self.error(Code::SIZE, path, message).help = Some("ask for less in deploy.resources, or split the family".to_owned());
            return size::LARGEST;
        };
        if cpu == 0 && memory == 0 {
            let message = format!("{family} says no size: it gets the smallest, {size}");
            self.warn(Code::SIZE, path, message).help = Some("say deploy.resources.limits with cpus and memory".to_owned());
        } else if (cpu != 0 && size.cpu != cpu) || (memory != 0 && size.memory != memory) {
            let message =
                format!("{family} asks for {wanted}, which Fargate doesn't have; the smallest task that holds it has {size}");
            self.warn(Code::SIZE, path, message).help =
                Some("ask for a size that Fargate has, to use what is paid for".to_owned());
        }
        size
    }

    /// A task whose containers all may end is nothing that a service can keep running.
    fn something_stays(&mut self, members: &[Member<'_>], containers: &[Container]) {
        if containers.iter().any(|container| container.essential) {
            return;
        }
        let Some(first) = members.first() else { return };
        let key = "ecs.depends.condition";
        let of_deploy = first.service.deploy.as_ref().is_some_and(|deploy| deploy.labels.contains_key(key));
        let path: &[&str] =
            if of_deploy { &["services", first.name, "deploy", "labels", key] } else { &["services", first.name, "labels", key] };
        let message = format!("every container of the task may end, {} too: nothing keeps it running", first.name);
        self.error(Code::FAMILY, path, message).help = Some("let one container of the family stay".to_owned());
    }

    /// The containers of a task share one network: only one of those that stay can listen on a port.
    fn one_port_each(&mut self, containers: &[Container]) {
        let mut taken: BTreeMap<Port, &str> = BTreeMap::new();
        for container in containers.iter().filter(|container| container.essential) {
            for port in &container.ports {
                let Some(first) = taken.insert(*port, &container.name) else { continue };
                let message = format!("{} and {first} both listen on port {} of one task", container.name, port.number);
                self.error(Code::PORT, &["services", &container.name, "ports"], message).help = Some(
                    "they share one network: let one of them listen on another port, or run in a task of its own".to_owned(),
                );
            }
        }
    }

    fn scaling(&mut self, family: &str, members: &[Member<'_>], count: u32) -> Option<Scaling> {
        let (member, scaling) = members.iter().find_map(|member| Some((member, member.extensions.scaling.as_ref()?)))?;
        if !(scaling.minimum..=scaling.maximum).contains(&count) {
            let message = format!(
                "{} starts with {count} tasks, outside of its range {}-{}",
                member.name, scaling.minimum, scaling.maximum
            );
            let finding = crate::base::Finding::warning(Code::SCALING, message).at(scaling.place.clone()).path(&scaling.path);
            self.findings.push(finding.help("make deploy.replicas and the range agree: scaling changes the number at once"));
        }
        let scaled = self.extensions.alarms.values().flat_map(|alarm| &alarm.scaled).map(|scaled| scaled.service.value.as_str());
        let by_alarm = scaled.into_iter().any(|name| name == family || members.iter().any(|member| member.name == name));
        if scaling.cpu.is_none() && scaling.memory.is_none() && scaling.schedule.is_empty() && !by_alarm {
            let message = "the range has neither a target nor a schedule: nothing will ever scale".to_owned();
            let finding = crate::base::Finding::warning(Code::SCALING, message).at(scaling.place.clone()).path(&scaling.path);
            self.findings.push(finding.help("add TargetScaling with CpuTarget or MemoryTarget"));
        }
        let schedule = scaling.schedule.iter().enumerate().map(|(index, action)| ScheduledAction {
            name: match &action.name {
                Some(name) if action.name_service => format!("{}-{}", member.name, name.value),
                Some(name) => name.value.clone(),
                None => format!("{}-{}", member.name, index + 1),
            },
            schedule: action.schedule.clone(),
            timezone: action.timezone.clone(),
            start: action.start.clone(),
            end: action.end.clone(),
            minimum: action.minimum,
            maximum: action.maximum,
        });
        Some(Scaling {
            minimum: scaling.minimum,
            maximum: scaling.maximum,
            memory_percent: scaling.memory,
            cpu_percent: scaling.cpu,
            scale_in_cooldown: scaling.scale_in_cooldown.unwrap_or(SCALE_IN),
            scale_out_cooldown: scaling.scale_out_cooldown.unwrap_or(SCALE_OUT),
            disable_scale_in: scaling.disable_scale_in,
            schedule: schedule.collect(),
        })
    }

    /// The family's name in Cloud Map. In the form of 2020 every family is registered; in the present one who asks for it, or
    /// all that open a port where there is one namespace and nobody asks.
    fn registration(
        &mut self,
        family: &str,
        members: &[Member<'_>],
        containers: &[Container],
        namespaces: &BTreeMap<String, Namespace>,
    ) -> Option<Registration> {
        let mut asked = members.iter().flat_map(|member| &member.extensions.network.cloudmap);
        if let Some(first) = asked.next() {
            if let Some(second) = asked.next() {
                self.error_at(Code::NAMESPACE, &second.namespace, "a service can be registered once only");
            }
            let wanted = first.namespace.value.strip_prefix("x-cloudmap::").unwrap_or(&first.namespace.value);
            let Some(namespace) = namespaces.get(wanted) else {
                let known = namespaces.keys().map(String::as_str).collect::<Vec<_>>();
                let help = match crate::base::nearest(wanted, known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None if known.is_empty() => "add the namespace to x-cloudmap at the top".to_owned(),
                    None => format!("x-cloudmap has {}", known.join(", ")),
                };
                self.error_at(Code::NAMESPACE, &first.namespace, format!("there is no namespace {wanted}")).help = Some(help);
                return None;
            };
            let name = first.name.as_ref().map_or(family, |name| name.value.as_str());
            let zone = format!(".{}", namespace.name);
            let name = name.strip_suffix(&zone).unwrap_or(name);
            let port = first.port.as_ref();
            if let Some(port) = port.filter(|port| !containers.iter().flat_map(|c| &c.ports).any(|p| p.number == port.value)) {
                let message = format!("{family} opens no port {}", port.value);
                self.error_at(Code::NAMESPACE, port, message).help = Some("name one of its ports, or leave Port out".to_owned());
            }
            let port = port.map(|port| port.value);
            return Some(Registration { namespace: wanted.to_owned(), name: name.to_owned(), port });
        }
        // A name that is asked for in Service Connect is not taken by one in Cloud Map that nobody asked for.
        let offers = members.iter().filter_map(|member| member.extensions.network.connect.as_ref()).flat_map(|it| &it.offers);
        let named = offers.filter_map(|offer| offer.discovery_name.as_ref()).any(|name| name.value == family);
        if named || members.iter().any(|member| member.extensions.network.unregistered) {
            return None;
        }
        let opens = containers.iter().any(|container| !container.ports.is_empty());
        let (key, _) = namespaces.iter().next().filter(|_| namespaces.len() == 1)?;
        (opens && (self.extensions.registers_all || self.nobody_asks_for_a_name)).then(|| Registration {
            namespace: key.clone(),
            name: family.to_owned(),
            port: None,
        })
    }

    fn capacity(&mut self, members: &[Member<'_>]) -> Capacity {
        let providers: Vec<&extensions::CapacityProvider> =
            members.iter().flat_map(|member| &member.extensions.ecs.providers).collect();
        if providers.is_empty() {
            return Capacity::Fargate;
        }
        for member in members {
            let Some(component) = member.component.filter(|component| component.deployment.spot == Spot::Never) else { continue };
            if let Some(spot) = providers.iter().find(|provider| provider.name.value == "FARGATE_SPOT") {
                let message = format!("{} must not run on Spot: it is one task with a state of its own", component.title);
                self.error_at(Code::CAPACITY, &spot.name, message).help = Some("use FARGATE".to_owned());
            }
        }
        // One strategy a service: of what several containers say of a provider, the most.
        let mut merged: Vec<Provider> = Vec::new();
        for provider in providers {
            if let Some(known) = merged.iter_mut().find(|known| known.name == provider.name.value) {
                known.base = known.base.max(provider.base);
                known.weight = known.weight.max(provider.weight);
            } else {
                let name = provider.name.value.clone();
                merged.push(Provider { name, base: provider.base, weight: provider.weight });
            }
        }
        if merged.iter().filter(|provider| provider.base > 0).count() > 1 {
            let message = "the services of the family give a Base to several capacity providers: ECS takes one";
            let name = members.first().map_or("", |member| member.name);
            self.error(Code::CAPACITY, &["services", name, "x-ecs"], message);
        }
        Capacity::Providers(merged)
    }

    fn architecture(&mut self, members: &[Member<'_>]) -> Architecture {
        if let Some(arm64) = members.iter().find_map(|member| member.extensions.ecs.arm64.as_ref()) {
            let written = if arm64.value { Architecture::Arm64 } else { Architecture::X86_64 };
            for member in members {
                let platform = member.service.platform.as_deref().unwrap_or_default();
                let of_arm = platform.starts_with("linux/arm64");
                if platform.starts_with("linux/") && of_arm != arm64.value {
                    let message = format!("platform says {platform}, CpuArchitecture another processor");
                    self.error(Code::CONTRADICTION, &["services", member.name, "platform"], message).help =
                        Some("keep one of the two".to_owned());
                }
            }
            return written;
        }
        for member in members {
            match member.service.platform.as_deref().filter(|platform| !platform.is_empty()) {
                None => {}
                Some("linux/amd64" | "linux/x86_64") => return Architecture::X86_64,
                Some("linux/arm64" | "linux/arm64/v8") => return Architecture::Arm64,
                Some(other) => {
                    let message = format!("Fargate doesn't run {other}");
                    let finding = self.error(Code::NOT_ON_ECS, &["services", member.name, "platform"], message);
                    finding.help = Some("linux/amd64 or linux/arm64".to_owned());
                }
            }
        }
        Architecture::default()
    }

    /// GiB of disk from the label `ecs.ephemeral.storage`, the most that a container asks for; Fargate gives 20 without being asked.
    fn ephemeral(&mut self, members: &[Member<'_>]) -> Option<u32> {
        let mut most = None;
        for member in members {
            let Some(text) = label(member.service, "ecs.ephemeral.storage") else { continue };
            if let Some(gib) = gibibytes(text).filter(|gib| *gib <= LARGEST_DISK) {
                most = most.max(Some(gib));
            } else {
                let message = format!("\"{text}\" is no size of a task's disk");
                let path = label_path(member.name, member.service, "ecs.ephemeral.storage");
                let finding = self.error(Code::SIZE, &path, message);
                finding.help = Some(format!("the label ecs.ephemeral.storage takes 21 to {LARGEST_DISK}, in GiB"));
            }
        }
        most.filter(|gib| *gib > DISK)
    }

    /// The usage of the subnets, by the network that a service stands in.
    fn usage(&mut self, members: &[Member<'_>]) -> String {
        let extensions = self.extensions;
        let networks = members.iter().flat_map(|member| member.service.networks.keys().map(|network| (member.name, network)));
        let mut usages = networks.filter_map(|(name, network)| Some((name, network, extensions.networks.get(network)?)));
        let Some((_, first, usage)) = usages.next() else { return standing::TASKS.to_owned() };
        if let Some((name, network, other)) = usages.find(|(_, _, other)| other.value != usage.value) {
            let message =
                format!("a task stands in one set of subnets: {first} is {}, {network} is {}", usage.value, other.value);
            self.error(Code::SUBNETS, &["services", name, "networks", network], message).help =
                Some("keep one network with x-vpc".to_owned());
        }
        usage.value.clone()
    }
}

/// What ECS takes as the name of a family or of a container.
fn is_ecs_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=255).contains(&name.len()) && name.chars().all(good)
}

/// What a container asks for: CPU units and MiB.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    pub(super) cpu: Option<u32>,
    pub(super) limit: Option<u32>,
    pub(super) reservation: Option<u32>,
}

impl Asked {
    fn of(member: &Member<'_>) -> Self {
        let service = member.service;
        let resources = service.deploy.as_ref().map(|deploy| &deploy.resources);
        let limits = resources.and_then(|resources| resources.limits.as_ref());
        let reservations = resources.and_then(|resources| resources.reservations.as_ref());
        let cpus = [limits.map(|limits| limits.cpus.get()), reservations.map(|kept| kept.cpus.get()), Some(service.cpus.get())];
        let cpu = cpus.into_iter().flatten().find(|cpus| *cpus > 0.0).map(units);
        let first = |sizes: [Option<i64>; 2]| sizes.into_iter().flatten().find(|bytes| *bytes > 0).map(mebibytes);
        let limit = first([limits.map(|limits| limits.memory.get()), Some(service.mem_limit.get())]);
        let reservation = first([reservations.map(|kept| kept.memory.get()), Some(service.mem_reservation.get())]);
        Self { cpu, limit, reservation }
    }

    pub(super) fn memory(&self) -> Option<u32> {
        self.limit.or(self.reservation)
    }
}

/// CPU units, of which a vCPU has 1024.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn units(cpus: f32) -> u32 {
    // Rust's cast stops at the ends of the range.
    (f64::from(cpus) * 1024.0).ceil() as u32
}

/// `60`, and `60GB` with the words that Compose has for sizes.
fn gibibytes(text: &str) -> Option<u32> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let per_gib: u32 = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "g" | "gb" | "gib" => 1,
        "m" | "mb" | "mib" => 1024,
        _ => return None,
    };
    digits.parse::<u32>().ok().map(|size| size.div_ceil(per_gib))
}

fn mebibytes(bytes: i64) -> u32 {
    u32::try_from(bytes.unsigned_abs().div_ceil(1 << 20)).unwrap_or(u32::MAX)
}

/// The member that the family is there for: one of Confluent's, else the first that opens a port, else the first.
fn main<'m, 'a>(members: &'m [Member<'a>]) -> Option<&'m Member<'a>> {
    let known = members.iter().find(|member| member.component.is_some());
    let serving = members.iter().find(|member| !member.service.ports.is_empty());
    known.or(serving).or(members.first())
}

fn iam(members: &[Member<'_>]) -> Iam {
    let each = || members.iter().map(|member| &member.extensions.iam);
    let named = |written: &extensions::Placed<String>| {
        let text = Text::from(&written.value);
        if written.value.starts_with("arn:") { PolicyName::Arn(text) } else { PolicyName::Own(text) }
    };
    Iam {
        managed_policies: once(each().flat_map(|iam| &iam.managed_policies).map(named)),
        policies: each().flat_map(|iam| iam.policies.clone()).collect(),
        boundary: each().find_map(|iam| iam.boundary.as_ref()).map(named),
    }
}

/// Each once, in their order.
fn once(policies: impl Iterator<Item = PolicyName>) -> Vec<PolicyName> {
    let mut kept = Vec::new();
    for policy in policies {
        if !kept.contains(&policy) {
            kept.push(policy);
        }
    }
    kept
}

/// The log group that the files ask for by name.
fn log_group(service: &Service) -> Option<Text> {
    let logging = service.logging.as_ref().filter(|logging| logging.driver.as_deref() == Some("awslogs"))?;
    logging.options.get("awslogs-group").filter(|name| !name.is_empty()).map(Text::from)
}

/// A label of the service or of its `deploy`.
pub(super) fn label<'s>(service: &'s Service, key: &str) -> Option<&'s str> {
    let deploy = service.deploy.as_ref().and_then(|deploy| deploy.labels.get(key));
    deploy.or_else(|| service.labels.get(key)).map(String::as_str)
}

/// Where a label stands.
fn label_path<'s>(name: &'s str, service: &Service, key: &'s str) -> Vec<&'s str> {
    if service.deploy.as_ref().is_some_and(|deploy| deploy.labels.contains_key(key)) {
        vec!["services", name, "deploy", "labels", key]
    } else {
        vec!["services", name, "labels", key]
    }
}

/// The condition that a container of a task must have come to, from the label on it.
pub(super) fn condition(service: &Service) -> Option<Condition> {
    match label(service, "ecs.depends.condition")?.to_ascii_uppercase().as_str() {
        "START" => Some(Condition::Start),
        "COMPLETE" => Some(Condition::Complete),
        "SUCCESS" => Some(Condition::Success),
        "HEALTHY" => Some(Condition::Healthy),
        _ => None,
    }
}

/// The labels that speak to us.
const LABELS: [&str; 4] = ["ecs.task.family", "ecs.depends.condition", "ecs.ephemeral.storage", "ecs.compute.platform"];
const CONDITIONS: [&str; 4] = ["START", "COMPLETE", "SUCCESS", "HEALTHY"];

impl Builder<'_> {
    /// Labels that begin with `ecs.` are meant for ECS: a misspelt one would be passed over in silence.
    fn labels_of_ours(&mut self, member: &Member<'_>) {
        let deploy = member.service.deploy.iter().flat_map(|deploy| deploy.labels.iter()).map(|entry| (true, entry));
        let own = member.service.labels.iter().map(|entry| (false, entry));
        for (of_deploy, (key, value)) in deploy.chain(own).filter(|(_, (key, _))| key.starts_with("ecs.")) {
            let place: Vec<&str> = if of_deploy {
                vec!["services", member.name, "deploy", "labels", key]
            } else {
                vec!["services", member.name, "labels", key]
            };
            if !LABELS.contains(&key.as_str()) {
                let help = match crate::base::nearest(key, LABELS) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("known are {}", LABELS.join(", ")),
                };
                self.error(Code::LABEL, &place, format!("the label {key} means nothing to ECS")).help = Some(help);
            } else if key == "ecs.depends.condition" && condition(member.service).is_none() {
                let help = match crate::base::nearest(value, CONDITIONS) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("one of {}", CONDITIONS.join(", ")),
                };
                self.error(Code::LABEL, &place, format!("\"{value}\" is no condition of a container")).help = Some(help);
            } else if key == "ecs.compute.platform" && !value.eq_ignore_ascii_case("fargate") {
                let message = format!("the tasks run on Fargate, not on {value}");
                self.error(Code::NOT_ON_ECS, &place, message).help = Some("leave the label out".to_owned());
            }
        }
    }
}
