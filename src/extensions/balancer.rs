//! `x-elbv2`: load balancers. What they listen on is in [`super::listener`], what stands behind them in [`super::target`].

use std::collections::BTreeMap;

use super::ingress::Ingress;
use super::listener::Listener;
use super::reader::{Item, Key, Placed, Reader};
use super::target::Target;
use super::top::Wanted;
use crate::base::{Code, Finding, Place};

// The booleans are independent of each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone)]
pub struct Balancer {
    pub place: Place,
    pub path: String,
    /// It is there, and this stack adds to it.
    pub existing: Option<Wanted>,
    pub network: bool,
    pub internet_facing: bool,
    /// Its name in the account, only where the files ask for one.
    pub name: Option<String>,
    /// IPv6 as well.
    pub dual_stack: bool,
    /// The usage of the subnets it stands in, where the files say.
    pub subnets: Option<Placed<String>>,
    pub idle_timeout: Option<u32>,
    /// Other attributes by their keys.
    pub attributes: BTreeMap<String, Placed<String>>,
    /// Its own tags, besides those of the stack.
    pub tags: Vec<(String, Placed<String>)>,
    pub ingress: Ingress,
    pub listeners: Vec<Listener>,
    pub targets: Vec<Target>,
    /// One of them at least couldn't be read, and was said so.
    pub unread_targets: bool,
    pub aliases: Vec<Alias>,
}

/// Names in a hosted zone that lead to the balancer.
#[derive(Debug, Clone)]
pub struct Alias {
    pub names: Vec<Placed<String>>,
    /// `x-route53::NAME`, or the zone's id.
    pub zone: Placed<String>,
}

impl Reader<'_> {
    pub(super) fn balancer(&mut self, item: &Item<'_>) -> Option<Balancer> {
        let keys: &[Key] = &[
            &["Properties"],
            &["MacroParameters"],
            &["Settings"],
            &["Listeners"],
            &["Services"],
            &["TargetGroups"],
            &["DnsAliases"],
            &["Lookup", "Use"],
        ];
        let fields = self.fields(item, keys, &[])?;
        let mut balancer = Balancer {
            place: self.key_place(item),
            path: item.path.clone(),
            existing: None,
            network: false,
            internet_facing: true,
            name: None,
            dual_stack: false,
            subnets: None,
            idle_timeout: None,
            attributes: BTreeMap::new(),
            tags: Vec::new(),
            ingress: Ingress::default(),
            listeners: Vec::new(),
            targets: Vec::new(),
            unread_targets: false,
            aliases: Vec::new(),
        };
        if let Some(properties) = fields.get("Properties") {
            self.balancer_properties(properties, &mut balancer);
        }
        for key in ["MacroParameters", "Settings"] {
            if let Some(settings) = fields.get(key) {
                self.balancer_settings(settings, &mut balancer);
            }
        }
        if let Some(lookup) = fields.get("Lookup") {
            self.balancer_lookup(lookup, &mut balancer)?;
            for key in ["Properties", "MacroParameters", "Settings"] {
                if let Some(written) = fields.get(key) {
                    self.left_alone(written);
                }
            }
        }
        for (name, service) in self.named(fields.get("Services")) {
            let target = self.target(name, &service);
            balancer.unread_targets |= target.is_none();
            balancer.targets.extend(target);
        }
        for (name, group) in self.named(fields.get("TargetGroups")) {
            let target = name.and_then(|name| self.target_group(name, &group));
            balancer.unread_targets |= target.is_none();
            balancer.targets.extend(target);
        }
        for (index, target) in balancer.targets.iter().enumerate() {
            if balancer.targets[..index].iter().any(|other| other.name.value == target.name.value) {
                let finding = Finding::error(Code::WRONG_EXTENSION, format!("{} stands here twice", target.name.value));
                let finding = finding.at(target.name.place.clone()).path(&target.name.path);
                self.findings.push(finding.help("keep one; for two ports of a container, write family:container:port"));
            }
        }
        for (port, listener) in self.named(fields.get("Listeners")) {
            balancer.listeners.extend(self.listener(port, &listener));
        }
        for alias in fields.get("DnsAliases").map(|list| self.items(list)).unwrap_or_default() {
            balancer.aliases.extend(self.alias(&alias));
        }
        // What Properties don't say of one that is there, its targets do.
        balancer.network |= balancer.existing.is_some() && balancer.targets.iter().any(Target::is_of_network);
        let looked_up = balancer.listeners.iter().any(|listener| listener.existing.is_some());
        if fields.get("Listeners").is_none() && !looked_up {
            self.wrong(item, "the load balancer listens on nothing", "add Listeners, each with a port and Targets");
        }
        Some(balancer)
    }

    /// `Lookup`: which load balancer, and which of its listeners get rules of this stack.
    fn balancer_lookup(&mut self, item: &Item<'_>, balancer: &mut Balancer) -> Option<()> {
        let parts = ["loadbalancer", "LoadBalancer", "Listeners"];
        let in_parts = item.node.as_map().is_some_and(|map| map.iter().any(|(key, _)| parts.contains(&&*key.text)));
        if !in_parts {
            balancer.existing = Some(self.wanted(item)?);
            return Some(());
        }
        let fields = self.fields(item, &[&["loadbalancer", "LoadBalancer"], &["Listeners"]], &["RoleArn"])?;
        let Some(which) = fields.get("loadbalancer") else {
            self.wrong(item, "the lookup doesn't say which load balancer", "add loadbalancer with Tags, or with its Arn");
            return None;
        };
        balancer.existing = Some(self.wanted(which)?);
        for (port, listener) in self.named(fields.get("Listeners")) {
            balancer.listeners.extend(self.existing_listener(port, &listener));
        }
        Some(())
    }

    /// What a load balancer has that is there already is its owner's.
    fn left_alone(&mut self, item: &Item<'_>) {
        for (key, value) in self.entries(item).unwrap_or_default() {
            if !["Scheme", "Type"].contains(&key) {
                let help = "leave it out: its attributes, subnets and security groups are said where it is made";
                self.wrong(&value, format!("{key} would change a load balancer that is looked up"), help);
            }
        }
    }

    /// A list of mappings, or a mapping by name: both are written. In a mapping, `x-` keys hold anchors.
    pub(super) fn named<'n>(&mut self, item: Option<&Item<'n>>) -> Vec<(Option<Placed<String>>, Item<'n>)> {
        let Some(item) = item else { return Vec::new() };
        if item.node.as_seq().is_some() {
            return self.items(item).into_iter().map(|item| (None, item)).collect();
        }
        let entries = self.entries(item).unwrap_or_default();
        let named = |(name, item): (&str, Item<'n>)| {
            let name = Placed { value: name.to_owned(), place: self.key_place(&item), path: item.path.clone() };
            (Some(name), item)
        };
        entries.into_iter().filter(|(name, _)| !name.starts_with("x-")).map(named).collect()
    }

    fn balancer_properties(&mut self, item: &Item<'_>, balancer: &mut Balancer) {
        let later = ["SubnetMappings", "Subnets", "SecurityGroups"];
        let keys: &[Key] = &[&["Scheme"], &["Type"], &["LoadBalancerAttributes"], &["Name"], &["IpAddressType"], &["Tags"]];
        let Some(fields) = self.fields(item, keys, &later) else { return };
        if let Some(scheme) = fields.get("Scheme").and_then(|item| self.choice(item, &["internet-facing", "internal"])) {
            balancer.internet_facing = scheme.value == "internet-facing";
        }
        if let Some(kind) = fields.get("Type").and_then(|item| self.choice(item, &["application", "network"])) {
            balancer.network = kind.value == "network";
        }
        if let Some(kind) = fields.get("IpAddressType").and_then(|item| self.choice(item, &["ipv4", "dualstack"])) {
            balancer.dual_stack = kind.value == "dualstack";
        }
        if let Some(item) = fields.get("LoadBalancerAttributes") {
            balancer.attributes.extend(self.tags(item));
        }
        if let Some(item) = fields.get("Tags") {
            balancer.tags = self.tags(item);
        }
        let Some(item) = fields.get("Name") else { return };
        let Some(name) = self.word(item) else { return };
        let good = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let edges = name.value.starts_with('-') || name.value.ends_with('-') || name.value.starts_with("internal-");
        if name.value.len() > 32 || !name.value.chars().all(good) || edges {
            let help = "at most 32 letters, digits and hyphens, and it may not begin with internal-";
            self.wrong(item, format!("\"{}\" can't be the name of a load balancer", name.value), help);
        } else {
            balancer.name = Some(name.value);
        }
    }

    fn balancer_settings(&mut self, item: &Item<'_>, balancer: &mut Balancer) {
        let keys: &[Key] = &[
            &["Ingress"],
            &["Subnets"],
            &["timeout_seconds"],
            &["drop_invalid_header_fields"],
            &["desync_mitigation_mode"],
            &["cross_zone"],
            &["http2"],
            &["S3Logs"],
            &["NoAllocateEips"],
            &["RetainEips"],
        ];
        let Some(fields) = self.fields(item, keys, &[]) else { return };
        if let Some(ingress) = fields.get("Ingress") {
            balancer.ingress = self.ingress(ingress);
        }
        if let Some(subnets) = fields.get("Subnets") {
            balancer.subnets = self.word(subnets);
        }
        if let Some(seconds) = fields.get("timeout_seconds").and_then(|item| self.number(item, 1..=4000)) {
            balancer.idle_timeout = Some(seconds.value);
        }
        let switches = [
            ("drop_invalid_header_fields", "routing.http.drop_invalid_header_fields.enabled"),
            ("cross_zone", "load_balancing.cross_zone.enabled"),
            ("http2", "routing.http2.enabled"),
        ];
        for (key, attribute) in switches {
            if let Some(flag) = fields.get(key).and_then(|item| self.flag(item)) {
                let flag = Placed { value: flag.value.to_string(), place: flag.place, path: flag.path };
                balancer.attributes.insert(attribute.to_owned(), flag);
            }
        }
        let modes = ["defensive", "strictest", "monitor"];
        if let Some(mode) = fields.get("desync_mitigation_mode").and_then(|item| self.choice(item, &modes)) {
            let mode = Placed { value: mode.value.to_owned(), place: mode.place, path: mode.path };
            balancer.attributes.insert("routing.http.desync_mitigation_mode".to_owned(), mode);
        }
        // AWS gives the addresses, which is what NoAllocateEips: true asks for.
        for (key, wanted) in [("NoAllocateEips", true), ("RetainEips", false)] {
            let Some(item) = fields.get(key) else { continue };
            if self.flag(item).is_some_and(|flag| flag.value != wanted) {
                self.wrong(item, "addresses of one's own are not made: AWS gives the balancer its addresses", "leave it out");
            }
        }
        if let Some(item) = fields.get("S3Logs") {
            let Some(text) = self.word(item) else { return };
            let (bucket, prefix) = text.value.split_once(':').unwrap_or((&text.value, ""));
            let mut set = |key: &str, value: &str| {
                let value = Placed { value: value.to_owned(), place: text.place.clone(), path: text.path.clone() };
                balancer.attributes.insert(format!("access_logs.s3.{key}"), value);
            };
            set("enabled", "true");
            set("bucket", bucket);
            let prefix = prefix.trim_matches('/');
            if !prefix.is_empty() {
                set("prefix", prefix);
            }
        }
    }

    fn alias(&mut self, item: &Item<'_>) -> Option<Alias> {
        let fields = self.fields(item, &[&["Names"], &["Route53Zone"]], &[])?;
        let (Some(names), Some(zone)) = (fields.get("Names"), fields.get("Route53Zone")) else {
            self.wrong(item, "the alias lacks Names or Route53Zone", "both are needed");
            return None;
        };
        let zone = self.word(zone)?;
        let mut aliases = Vec::new();
        for item in self.items(names) {
            aliases.extend(self.dns_pattern(&item));
        }
        if names.node.as_seq().is_some_and(<[_]>::is_empty) {
            self.wrong(names, "the alias has no names", "write the names that lead to the balancer");
        }
        Some(Alias { names: aliases, zone })
    }
}
