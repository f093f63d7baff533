//! Secrets Manager: one stored secret, its facts, and new versions of it.

use aws_sdk_secretsmanager::primitives::DateTime;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry, Tag};

use super::account::{Account, call};
use super::error::{CallError, ErrorKind};
use super::{Tags, moment};
use crate::base::{Moment, Secret};

/// The stage that ECS reads when a reference names no version.
const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

/// A secret with its current value.
#[derive(Debug, Clone)]
pub struct StoredSecret {
    pub arn: String,
    pub name: String,
    pub version: String,
    pub value: Secret,
}

/// What is known of a secret without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    pub arn: String,
    pub name: String,
    pub description: Option<String>,
    /// The current version; `None` when nothing was ever stored.
    pub version: Option<String>,
    /// The version before it, which stays readable as AWSPREVIOUS.
    pub previous: Option<String>,
    pub kms_key: Option<String>,
    pub tags: Tags,
    pub created: Option<Moment>,
    pub changed: Option<Moment>,
    pub rotation: bool,
    /// Set when the secret is scheduled for deletion: its value can't be read any more.
    pub deleted: Option<Moment>,
}

/// What to store.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    pub name: &'a str,
    pub value: &'a Secret,
    /// For a secret that is made now; tags of one that exists are left alone.
    pub description: &'a str,
    pub tags: &'a Tags,
    pub kms_key: Option<&'a str>,
}

/// What was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub arn: String,
    pub version: String,
}

impl Account {
    /// The current value; `None` when there is no such secret, or nothing was ever stored in it.
    pub async fn secret(&self, id: &str) -> Result<Option<StoredSecret>, CallError> {
        let request = self.secrets.get_secret_value().secret_id(id);
        let answer = match call!(self, "secretsmanager:GetSecretValue", id, request.send()) {
            Ok(answer) => answer,
            Err(error) if error.is_code("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(text) = answer.secret_string() else {
            let message = "the secret holds bytes; ECS can only give a container a secret that is stored as text";
            return Err(self.named(CallError::local(ErrorKind::Invalid, "secretsmanager:GetSecretValue", message).about(id)));
        };
        Ok(Some(StoredSecret {
            arn: answer.arn().unwrap_or(id).to_owned(),
            name: answer.name().unwrap_or(id).to_owned(),
            version: answer.version_id().unwrap_or_default().to_owned(),
            value: Secret::new(text),
        }))
    }

    /// The facts of a secret; `None` when there is none of this name or ARN.
    pub async fn secret_facts(&self, id: &str) -> Result<Option<SecretFacts>, CallError> {
        let request = self.secrets.describe_secret().secret_id(id);
        let answer = match call!(self, "secretsmanager:DescribeSecret", id, request.send()) {
            Ok(answer) => answer,
            Err(error) if error.is_code("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let staged = |stage: &str| {
            let versions = answer.version_ids_to_stages()?;
            versions.iter().find(|(_, stages)| stages.iter().any(|s| s == stage)).map(|(version, _)| version.clone())
        };
        Ok(Some(SecretFacts {
            arn: answer.arn().unwrap_or(id).to_owned(),
            name: answer.name().unwrap_or(id).to_owned(),
            description: answer.description().map(str::to_owned),
            version: staged(CURRENT),
            previous: staged(PREVIOUS),
            kms_key: answer.kms_key_id().map(str::to_owned),
            tags: tags(answer.tags()),
            created: time(answer.created_date()),
            changed: time(answer.last_changed_date()),
            rotation: answer.rotation_enabled().unwrap_or_default(),
            deleted: time(answer.deleted_date()),
        }))
    }

    /// Every secret that has all of these tags, by name.
    pub async fn secrets_tagged(&self, wanted: &Tags) -> Result<Vec<SecretFacts>, CallError> {
        let mut request = self.secrets.list_secrets();
        for (key, value) in wanted {
            request = request
                .filters(Filter::builder().key(FilterNameStringType::TagKey).values(key).build())
                .filters(Filter::builder().key(FilterNameStringType::TagValue).values(value).build());
        }
        let mut found = self.listed(request).await?;
        // The filters match a key and a value of different tags, and match by prefix.
        found.retain(|secret| wanted.iter().all(|(key, value)| secret.tags.get(key) == Some(value)));
        Ok(found)
    }

    /// Every secret whose name starts so, by name.
    pub async fn secrets_under(&self, prefix: &str) -> Result<Vec<SecretFacts>, CallError> {
        let filter = Filter::builder().key(FilterNameStringType::Name).values(prefix).build();
        let mut found = self.listed(self.secrets.list_secrets().filters(filter)).await?;
        // Secrets Manager matches a name's prefix without looking at its case.
        found.retain(|secret| secret.name.starts_with(prefix));
        Ok(found)
    }

    async fn listed(
        &self,
        request: aws_sdk_secretsmanager::operation::list_secrets::builders::ListSecretsFluentBuilder,
    ) -> Result<Vec<SecretFacts>, CallError> {
        let mut found = Vec::new();
        let mut pages = request.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.named(CallError::of("secretsmanager:ListSecrets", error)))?;
            found.extend(page.secret_list().iter().map(listed_facts));
        }
        found.sort_by(|a: &SecretFacts, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Makes a secret with its first version. The SDK sends one request token with every repeat, so a repeated call makes one version.
    pub async fn create_secret(&self, new: &NewVersion<'_>) -> Result<Written, CallError> {
        let request = self
            .secrets
            .create_secret()
            .name(new.name)
            .description(new.description)
            .secret_string(new.value.expose())
            .set_kms_key_id(new.kms_key.map(str::to_owned))
            .set_tags(Some(new.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()));
        let answer = call!(self, "secretsmanager:CreateSecret", new.name, request.send())?;
        Ok(Written {
            arn: answer.arn().unwrap_or(new.name).to_owned(),
            version: answer.version_id().unwrap_or_default().to_owned(),
        })
    }

    /// Adds a version and makes it the current one; what was current stays as AWSPREVIOUS.
    pub async fn put_secret(&self, id: &str, value: &Secret) -> Result<Written, CallError> {
        let request = self.secrets.put_secret_value().secret_id(id).secret_string(value.expose());
        let answer = call!(self, "secretsmanager:PutSecretValue", id, request.send())?;
        Ok(Written { arn: answer.arn().unwrap_or(id).to_owned(), version: answer.version_id().unwrap_or_default().to_owned() })
    }
}

fn listed_facts(entry: &SecretListEntry) -> SecretFacts {
    let staged = |stage: &str| {
        let versions = entry.secret_versions_to_stages()?;
        versions.iter().find(|(_, stages)| stages.iter().any(|s| s == stage)).map(|(version, _)| version.clone())
    };
    SecretFacts {
        arn: entry.arn().unwrap_or_default().to_owned(),
        name: entry.name().unwrap_or_default().to_owned(),
        description: entry.description().map(str::to_owned),
        version: staged(CURRENT),
        previous: staged(PREVIOUS),
        kms_key: entry.kms_key_id().map(str::to_owned),
        tags: tags(entry.tags()),
        created: time(entry.created_date()),
        changed: time(entry.last_changed_date()),
        rotation: entry.rotation_enabled().unwrap_or_default(),
        deleted: time(entry.deleted_date()),
    }
}

fn tags(tags: &[Tag]) -> Tags {
    tags.iter().filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()))).collect()
}

fn time(at: Option<&DateTime>) -> Option<Moment> {
    at.map(moment)
}
