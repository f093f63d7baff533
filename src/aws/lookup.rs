//! What an account must supply, found by tags: VPCs, subnets, security groups and whatever else the tagging API knows.

use aws_sdk_resourcegroupstagging::types::TagFilter;

use super::Tags;
use super::account::Account;
use super::error::CallError;

/// What is looked for: a resource type as the tagging API names it (`ec2:vpc`), and the tags it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup<'a> {
    pub kind: &'a str,
    pub tags: &'a Tags,
}

/// One resource that has the tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub arn: String,
    /// What follows the last `/` of the ARN: `vpc-0a1b`.
    pub id: String,
    pub tags: Tags,
}

impl Account {
    /// Every resource of a type that has all the tags, by id. With no tags: every tagged one of the type.
    pub async fn find(&self, lookup: &Lookup<'_>) -> Result<Vec<Found>, CallError> {
        let filters = lookup.tags.iter().map(|(key, value)| TagFilter::builder().key(key).values(value).build()).collect();
        let request = self.tagging.get_resources().resource_type_filters(lookup.kind).set_tag_filters(Some(filters));
        let mut pages = request.into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(|error| self.named(CallError::of("tag:GetResources", error).about(lookup.kind)))?;
            let arn = item.resource_arn().unwrap_or_default().to_owned();
            found.push(Found {
                id: arn.rsplit('/').next().unwrap_or(&arn).to_owned(),
                tags: item.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect(),
                arn,
            });
        }
        found.sort_by(|a: &Found, b| a.id.cmp(&b.id));
        Ok(found)
    }
}
