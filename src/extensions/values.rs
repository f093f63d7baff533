//! Values of AWS that have a form of their own: ids, ARNs, names. What CloudFormation would refuse in the middle of a deploy is found
//! here, at the place where it was written.

use super::reader::{Item, Placed, Reader};
use crate::base::is_mark;

/// The ids that the vocabulary takes: how one begins, and what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Id {
    Vpc,
    Subnet,
    SecurityGroup,
    PrefixList,
    FileSystem,
    AccessPoint,
}

impl Id {
    fn prefix(self) -> &'static str {
        match self {
            Self::Vpc => "vpc-",
            Self::Subnet => "subnet-",
            Self::SecurityGroup => "sg-",
            Self::PrefixList => "pl-",
            Self::FileSystem => "fs-",
            Self::AccessPoint => "fsap-",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Vpc => "a VPC",
            Self::Subnet => "a subnet",
            Self::SecurityGroup => "a security group",
            Self::PrefixList => "a prefix list",
            Self::FileSystem => "a file system",
            Self::AccessPoint => "an access point",
        }
    }

    /// EC2 has ids of 8 and of 17 hexadecimal digits; EFS's may have up to 40.
    fn is(self, text: &str) -> bool {
        let Some(digits) = text.strip_prefix(self.prefix()) else { return false };
        let length = match self {
            Self::FileSystem | Self::AccessPoint => (8..=40).contains(&digits.len()),
            _ => matches!(digits.len(), 8 | 17),
        };
        length && digits.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    }
}

impl Reader<'_> {
    /// An id, also where it stands at the end of an ARN.
    pub(super) fn id(&mut self, item: &Item<'_>, id: Id) -> Option<Placed<String>> {
        let mut found = self.word(item)?;
        if found.value.starts_with("arn:") {
            let last = found.value.rsplit('/').next().unwrap_or_default().to_owned();
            found.value = last;
        }
        if id.is(&found.value) {
            return Some(found);
        }
        let help = format!("it is {} with hexadecimal digits, as in {}0a1b2c3d4e5f60718", id.prefix(), id.prefix());
        self.wrong(item, format!("\"{}\" is not the id of {}", found.value, id.what()), help);
        None
    }

    /// Whether the values that a lookup names, if it names any, are ids of this kind; what a name can find is left alone.
    pub(super) fn ids(&mut self, item: &Item<'_>, id: Id, names: bool) -> bool {
        if item.node.as_seq().is_some() {
            // Each is looked at, for each its finding.
            return self.items(item).iter().filter(|item| !self.one_id(item, id, names)).count() == 0;
        }
        if item.node.as_map().is_some() {
            // Only the last key that is spelt so is looked at by `wanted` too.
            let keys = ["Identifier", "Id", "Arn"];
            let entries = self.entries(item).unwrap_or_default();
            let ids = entries.iter().filter(|(key, _)| keys.contains(key));
            return ids.filter(|(_, item)| !self.one_id(item, id, false)).count() == 0;
        }
        self.one_id(item, id, names)
    }

    fn one_id(&mut self, item: &Item<'_>, id: Id, names: bool) -> bool {
        let looks_like_one = item.node.written().is_some_and(|text| text.starts_with(id.prefix()) || text.starts_with("arn:"));
        (names && !looks_like_one) || self.id(item, id).is_some()
    }

    /// The ARN of something of a service, as `arn:aws:sns:eu-west-1:111122223333:topic`.
    pub(super) fn arn(&mut self, item: &Item<'_>, service: &str, what: &str) -> Option<Placed<String>> {
        let arn = self.word(item)?;
        if is_arn(&arn.value, service) {
            return Some(arn);
        }
        let help = format!("it begins with arn:aws:{service}:");
        self.wrong(item, format!("\"{}\" is not the ARN of {what}", arn.value), help);
        None
    }

    /// A name of these characters, besides letters and digits, and of this length at most.
    pub(super) fn name(&mut self, item: &Item<'_>, what: &str, more: &str, longest: usize) -> Option<Placed<String>> {
        let name = self.word(item)?;
        let good = |c: char| c.is_ascii_alphanumeric() || more.contains(c) || is_mark(c);
        if name.value.chars().count() <= longest && name.value.chars().all(good) {
            return Some(name);
        }
        let more: String = more.chars().flat_map(|c| [' ', c]).collect();
        let help = format!("at most {longest} letters, digits and{more}");
        self.wrong(item, format!("\"{}\" can't be the name of {what}", name.value), help);
        None
    }

    /// A DNS name that may begin with `*.`, and may end with a dot, which is taken away.
    pub(super) fn dns_pattern(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let mut name = self.word(item)?;
        if let Some(rest) = name.value.strip_suffix('.') {
            name.value = rest.to_owned();
        }
        let plain = name.value.strip_prefix("*.").unwrap_or(&name.value);
        if super::top::is_dns_name(plain) {
            return Some(name);
        }
        self.wrong(item, format!("\"{}\" is not a DNS name", name.value), "letters, digits and hyphens between dots");
        None
    }
}

/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`; region and account may be marks, or missing where the service has none.
pub(super) fn is_arn(text: &str, service: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, found, _, account, resource] = parts[..] else { return false };
    let digits = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    let account = account.is_empty() || account == "aws" || digits(account) || account.chars().all(is_mark);
    arn == "arn" && partition.starts_with("aws") && found == service && account && !resource.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{Id, is_arn};

    #[test]
    fn ids_have_a_prefix_and_digits() {
        for (id, text) in [
            (Id::Vpc, "vpc-0a1b2c3d"),
            (Id::SecurityGroup, "sg-0a1b2c3d4e5f60718"),
            (Id::FileSystem, "fs-0a1b2c3d4e5f60718"),
            (Id::PrefixList, "pl-3b927c52"),
        ] {
            assert!(id.is(text), "{text}");
        }
        for (id, text) in [(Id::Vpc, "vpc-1"), (Id::Vpc, "sg-0a1b2c3d"), (Id::Subnet, "subnet-xyz"), (Id::AccessPoint, "fsap-")] {
            assert!(!id.is(text), "{text}");
        }
    }

    #[test]
    fn an_arn_is_one_of_its_service() {
        assert!(is_arn("arn:aws:sns:eu-west-1:111122223333:alerts", "sns"));
        assert!(is_arn("arn:aws-cn:iam::aws:policy/X", "iam"));
        for bad in ["arn:aws:sns", "arn:aws:sqs:eu-west-1:111122223333:q", "alerts", "arn:aws:sns:eu-west-1:1:alerts"] {
            assert!(!is_arn(bad, "sns"), "{bad}");
        }
    }
}
