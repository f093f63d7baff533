//! VPCs, subnets, security groups and file systems, as EC2 and EFS know them.

use serde_json::Value;

use super::Tags;
use super::account::Account;
use super::endpoint::Api;
use super::error::CallError;
use super::names::text;
use super::signed::Call;
use super::xml::Element;

/// A subnet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnet {
    pub id: String,
    pub vpc: String,
    pub zone: String,
    pub cidr: String,
    /// Addresses that are free now; each Fargate task takes one.
    pub free: u32,
    pub public_addresses: bool,
    pub tags: Tags,
}

/// A VPC or a security group: something of EC2's with an id, a name and tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    /// A security group's own name; a VPC's tag `Name`.
    pub name: Option<String>,
    pub vpc: String,
    pub tags: Tags,
}

/// An EFS file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSystem {
    pub id: String,
    pub arn: String,
    pub name: Option<String>,
    pub tags: Tags,
}

/// What EC2 is asked for: a filter's name (`vpc-id`, `tag:env`, `group-name`), and the values that fit.
pub type Filter<'a> = (&'a str, &'a [&'a str]);

impl Account {
    /// The subnets that fit all filters, by id.
    pub async fn subnets(&self, filters: &[Filter<'_>]) -> Result<Vec<Subnet>, CallError> {
        let mut found: Vec<_> = self
            .ec2("ec2:DescribeSubnets", filters, "subnetSet")
            .await?
            .iter()
            .map(|item| Subnet {
                id: own(item, "subnetId"),
                vpc: own(item, "vpcId"),
                zone: own(item, "availabilityZone"),
                cidr: own(item, "cidrBlock"),
                free: item.text("availableIpAddressCount").and_then(|count| count.parse().ok()).unwrap_or_default(),
                public_addresses: item.text("mapPublicIpOnLaunch") == Some("true"),
                tags: tags(item),
            })
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The VPCs that fit all filters, by id.
    pub async fn vpcs(&self, filters: &[Filter<'_>]) -> Result<Vec<Named>, CallError> {
        let items = self.ec2("ec2:DescribeVpcs", filters, "vpcSet").await?;
        let mut found: Vec<_> = items
            .iter()
            .map(|item| {
                let tags = tags(item);
                Named { id: own(item, "vpcId"), name: tags.get("Name").cloned(), vpc: own(item, "vpcId"), tags }
            })
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The security groups that fit all filters, by id.
    pub async fn security_groups(&self, filters: &[Filter<'_>]) -> Result<Vec<Named>, CallError> {
        let items = self.ec2("ec2:DescribeSecurityGroups", filters, "securityGroupInfo").await?;
        let mut found: Vec<_> = items
            .iter()
            .map(|item| Named {
                id: own(item, "groupId"),
                name: item.text("groupName").map(str::to_owned),
                vpc: own(item, "vpcId"),
                tags: tags(item),
            })
            .collect();
        found.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The EFS file systems of this region, by id.
    pub async fn file_systems(&self) -> Result<Vec<FileSystem>, CallError> {
        let mut found = Vec::new();
        let mut marker: Option<String> = None;
        loop {
            let call = Call::get(Api::Efs, "elasticfilesystem:DescribeFileSystems", "", &["2015-02-01", "file-systems"]);
            let page = self.signed_json(marker.iter().fold(call, |call, marker| call.with("Marker", marker))).await?;
            let systems = page.get("FileSystems").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            found.extend(systems.iter().map(|item| FileSystem {
                id: text(item, "FileSystemId"),
                arn: text(item, "FileSystemArn"),
                name: item.get("Name").and_then(Value::as_str).map(str::to_owned),
                tags: json_tags(item),
            }));
            match page.get("NextMarker").and_then(Value::as_str) {
                Some(next) if marker.as_deref() != Some(next) => marker = Some(next.to_owned()),
                _ => break,
            }
        }
        found.sort_by(|a: &FileSystem, b| a.id.cmp(&b.id));
        Ok(found)
    }

    /// The items of every page of one of EC2's describing calls. The answer's list is called `list`.
    pub(super) async fn ec2(&self, action: &'static str, filters: &[Filter<'_>], list: &str) -> Result<Vec<Element>, CallError> {
        let subject = filters.iter().map(|(name, values)| format!("{name}={}", values.join(","))).collect::<Vec<_>>().join(" ");
        let mut items = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut call = Call::form(Api::Ec2, action, &subject);
            for (number, (name, values)) in (1..).zip(filters) {
                call = call.with(format!("Filter.{number}.Name"), *name);
                call = call.with_each(&format!("Filter.{number}.Value"), values.iter().copied());
            }
            let page = self.signed_xml(next.iter().fold(call, |call, token| call.with("NextToken", token))).await?;
            items.extend_from_slice(page.list(list));
            match page.text("nextToken") {
                Some(token) if next.as_deref() != Some(token) => next = Some(token.to_owned()),
                _ => return Ok(items),
            }
        }
    }
}

pub(super) fn own(item: &Element, name: &str) -> String {
    item.text(name).unwrap_or_default().to_owned()
}

fn tags(item: &Element) -> Tags {
    item.list("tagSet").iter().map(|tag| (own(tag, "key"), own(tag, "value"))).collect()
}

fn json_tags(item: &Value) -> Tags {
    let list = item.get("Tags").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|tag| (text(tag, "Key"), text(tag, "Value"))).collect()
}
