//! `Ingress`: who may open connections, on a service's `x-network` and on a load balancer.

use std::net::IpAddr;

use super::reader::{Item, Key, Placed, Reader};
use super::top::Wanted;
use super::values::Id;

#[derive(Debug, Clone, Default)]
pub struct Ingress {
    /// The tasks of a service may reach each other.
    pub myself: bool,
    pub services: Vec<ServiceSource>,
    pub blocks: Vec<Block>,
    pub groups: Vec<AwsSource>,
}

/// Another service of the project.
#[derive(Debug, Clone)]
pub struct ServiceSource {
    pub name: Placed<String>,
    /// Empty: all ports.
    pub ports: Vec<u16>,
}

/// A block of addresses.
#[derive(Debug, Clone)]
pub struct Block {
    pub cidr: Placed<String>,
    pub v6: bool,
    /// The name or description of the user.
    pub why: Option<String>,
    pub ports: Vec<u16>,
}

impl Block {
    /// The whole internet.
    pub fn is_world(&self) -> bool {
        self.cidr.value.ends_with("/0")
    }

    /// Addresses that no one on the internet has.
    pub fn is_private(&self) -> bool {
        match self.cidr.value.split('/').next().and_then(|address| address.parse().ok()) {
            // Those between a provider and its customers (100.64.0.0/10) are nobody's either.
            Some(IpAddr::V4(address)) => {
                address.is_private() || (address.octets()[0] == 100 && (64..128).contains(&address.octets()[1]))
            }
            Some(IpAddr::V6(address)) => address.is_unique_local(),
            None => false,
        }
    }
}

/// A security group or a prefix list that is there.
#[derive(Debug, Clone)]
pub struct AwsSource {
    pub wanted: Wanted,
    pub prefix_list: bool,
    /// The account that a security group belongs to, where it is another.
    pub owner: Option<String>,
    pub ports: Vec<u16>,
    /// Where the source stands.
    pub at: Placed<()>,
}

impl Reader<'_> {
    pub(super) fn ingress(&mut self, item: &Item<'_>) -> Ingress {
        let keys: &[Key] =
            &[&["Myself", "myself"], &["Services", "services"], &["ExtSources", "ext_sources"], &["AwsSources", "aws_sources"]];
        let Some(fields) = self.fields(item, keys, &[]) else { return Ingress::default() };
        let mut ingress = Ingress::default();
        if let Some(flag) = fields.get("Myself") {
            ingress.myself = self.flag(flag).is_some_and(|flag| flag.value);
        }
        for source in fields.get("Services").map(|list| self.items(list)).unwrap_or_default() {
            if source.node.as_str().is_some() {
                ingress.services.extend(self.word(&source).map(|name| ServiceSource { name, ports: Vec::new() }));
                continue;
            }
            let Some(fields) = self.fields(&source, &[&["Name", "name"], &["Ports", "ports"]], &[]) else { continue };
            let Some(name) = fields.get("Name") else {
                self.wrong(&source, "the source names no service", "add Name with a service of this project");
                continue;
            };
            let ports = self.ports(fields.get("Ports"));
            ingress.services.extend(self.word(name).map(|name| ServiceSource { name, ports }));
        }
        for source in fields.get("ExtSources").map(|list| self.items(list)).unwrap_or_default() {
            self.blocks(&source, &mut ingress.blocks);
        }
        for source in fields.get("AwsSources").map(|list| self.items(list)).unwrap_or_default() {
            ingress.groups.extend(self.aws_source(&source));
        }
        ingress
    }

    fn blocks(&mut self, source: &Item<'_>, blocks: &mut Vec<Block>) {
        let keys: &[Key] = &[
            &["IPv4", "Ipv4", "ipv4"],
            &["IPv6", "Ipv6", "ipv6"],
            &["Name", "name", "Source_name", "source_name"],
            &["Description", "description"],
            &["Ports", "ports"],
            &["Protocol", "protocol"],
        ];
        let Some(fields) = self.fields(source, keys, &[]) else { return };
        let why = ["Description", "Name"].iter().find_map(|key| fields.get(key)).and_then(|item| self.text(item));
        let why = why.map(|text| text.value);
        let ports = self.ports(fields.get("Ports"));
        // The protocol is that of the port, which the service says. In 2020 it stood here too.
        if let Some(protocol) = fields.get("Protocol") {
            let _known = self.choice(protocol, &["tcp", "udp"]);
        }
        let before = blocks.len();
        for (key, v6) in [("IPv4", false), ("IPv6", true)] {
            let Some(item) = fields.get(key) else { continue };
            let Some(mut cidr) = self.word(item) else { continue };
            match block(&cidr.value, v6) {
                Ok(normal) => {
                    cidr.value = normal;
                    blocks.push(Block { cidr, v6, why: why.clone(), ports: ports.clone() });
                }
                Err(help) => self.wrong(item, format!("\"{}\" is not a block of addresses", cidr.value), help),
            }
        }
        if before == blocks.len() && fields.get("IPv4").is_none() && fields.get("IPv6").is_none() {
            self.wrong(source, "the source names no addresses", "add IPv4, for example `IPv4: 10.0.0.0/8`");
        }
    }

    fn aws_source(&mut self, source: &Item<'_>) -> Option<AwsSource> {
        let keys: &[Key] =
            &[&["Type", "type"], &["Id", "id"], &["Lookup"], &["AccountOwner"], &["Ports", "ports"], &["Name", "name"]];
        let fields = self.fields(source, keys, &[])?;
        let kind = match fields.get("Type") {
            Some(kind) => Some(self.choice(kind, &["SecurityGroup", "PrefixList"])?.value),
            None => None,
        };
        let (wanted, prefix_list) = match (fields.get("Id"), fields.get("Lookup")) {
            (Some(item), _) => {
                let id = self.word(item)?;
                let prefix_list = id.value.starts_with("pl-");
                if !prefix_list && !id.value.starts_with("sg-") {
                    let help = "the id of a security group starts with sg-, that of a prefix list with pl-";
                    self.wrong(item, format!("\"{}\" is neither a security group nor a prefix list", id.value), help);
                    return None;
                }
                let id = self.id(item, if prefix_list { Id::PrefixList } else { Id::SecurityGroup })?;
                if let Some(kind) = kind.filter(|kind| (*kind == "PrefixList") != prefix_list) {
                    self.wrong(item, format!("{} is not a {kind}", id.value), "make Type and Id agree, or leave Type out");
                    return None;
                }
                (Wanted::Ids(vec![id]), prefix_list)
            }
            (None, Some(lookup)) => (self.wanted(lookup)?, kind == Some("PrefixList")),
            (None, None) => {
                let help = "add Id with a security group (sg-…) or a prefix list (pl-…), or Lookup with Tags";
                self.wrong(source, "the source has no id", help);
                return None;
            }
        };
        let owner = match fields.get("AccountOwner") {
            Some(item) => {
                let account = self.word(item)?;
                let is_account = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
                if !is_account(&account.value) && !account.value.chars().all(crate::base::is_mark) {
                    self.wrong(item, format!("\"{}\" is not an account", account.value), "it has 12 digits");
                    return None;
                }
                Some(account.value)
            }
            None => None,
        };
        let ports = self.ports(fields.get("Ports"));
        Some(AwsSource { wanted, prefix_list, owner, ports, at: self.placed(source, ()) })
    }

    fn ports(&mut self, item: Option<&Item<'_>>) -> Vec<u16> {
        let items = item.map(|list| self.items(list)).unwrap_or_default();
        items.iter().filter_map(|item| self.port(item)).map(|port| port.value).collect()
    }
}

/// The block in the form that EC2 takes, or what is wrong with it.
pub(super) fn block(text: &str, v6: bool) -> Result<String, String> {
    let example = if v6 { "2001:db8::/32" } else { "10.0.0.0/8" };
    let (address, length) = text.split_once('/').ok_or_else(|| format!("write it with its length, as in {example}"))?;
    let address: IpAddr = address.parse().map_err(|_| format!("write it as in {example}"))?;
    if address.is_ipv6() != v6 {
        return Err(format!("it is of the other IP version; write it as in {example}"));
    }
    let bits = if v6 { 128 } else { 32 };
    let length: u32 =
        length.parse().ok().filter(|length| *length <= bits).ok_or_else(|| format!("the length is at most {bits}"))?;
    let (value, width) = match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let host_bits = width - length;
    let host = if host_bits == 128 { u128::MAX } else { (1_u128 << host_bits) - 1 };
    if value & host != 0 {
        return Err(format!("the address has bits beyond its length: EC2 wants the block's first address and /{length}"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::block;

    #[test]
    fn blocks_are_checked_as_ec2_does() {
        for good in ["0.0.0.0/0", "10.0.0.0/8", "192.0.2.7/32"] {
            assert_eq!(block(good, false).as_deref(), Ok(good));
        }
        assert!(block("::/0", true).is_ok());
        for bad in ["10.0.0.0", "10.0.0.1/8", "10.0.0.0/33", "300.0.0.0/8", "x", "::/0"] {
            assert!(block(bad, false).is_err(), "{bad}");
        }
    }
}
