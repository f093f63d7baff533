//! ECR: its registry's login, repositories, and what a scan found.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_ecr::config::Region;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageIdentifier, ImageScanningConfiguration, ImageTagMutability, Tag,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::Tags;
use super::account::{Account, call};
use super::error::{CallError, ErrorKind};
use crate::base::Secret;

/// The login of an account's registry. AWS gives it for 12 hours.
#[derive(Debug, Clone)]
pub struct EcrLogin {
    /// `host[:port]`, as image names begin.
    pub registry: String,
    pub username: String,
    pub password: Secret,
    /// How long it still holds.
    pub life: Option<Duration>,
}

/// A repository that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrRepository {
    pub name: String,
    /// A tag never changes its image.
    pub immutable: bool,
    pub scans_on_push: bool,
}

/// What a scan found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcrScan {
    /// AWS's word: `COMPLETE`, `IN_PROGRESS`, `UNSUPPORTED_IMAGE`, …
    pub status: String,
    /// Findings by their severity, AWS's words.
    pub findings: BTreeMap<String, u32>,
}

impl Account {
    /// The login of the registry of the account's own region.
    pub async fn ecr_login(&self) -> Result<EcrLogin, CallError> {
        self.ecr_login_of(&self.region).await
    }

    /// A token is good for every registry that lets the caller in, and only in its own region.
    pub async fn ecr_login_of(&self, region: &str) -> Result<EcrLogin, CallError> {
        let action = "ecr:GetAuthorizationToken";
        let answer =
            call!(self, "ecr:GetAuthorizationToken", "the registry", self.ecr_in(region).get_authorization_token().send())?;
        let unusable = || self.named(CallError::local(ErrorKind::Other, action, "AWS answered without a login that can be read"));
        let data = answer.authorization_data().first().ok_or_else(unusable)?;
        let token = STANDARD.decode(data.authorization_token().unwrap_or_default()).ok();
        let token = token.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(unusable)?;
        let (username, password) = token.split_once(':').ok_or_else(unusable)?;
        let endpoint = data.proxy_endpoint().unwrap_or_default();
        let registry = endpoint.split_once("://").map_or(endpoint, |(_, host)| host).trim_end_matches('/');
        if registry.is_empty() {
            return Err(unusable());
        }
        let ends = data.expires_at().and_then(|at| SystemTime::try_from(*at).ok());
        let life = ends.map(|at| at.duration_since(SystemTime::now()).unwrap_or_default());
        Ok(EcrLogin { registry: registry.to_owned(), username: username.to_owned(), password: Secret::new(password), life })
    }

    fn ecr_in(&self, region: &str) -> aws_sdk_ecr::Client {
        if region == self.region {
            return self.ecr.clone();
        }
        aws_sdk_ecr::Client::from_conf(self.ecr.config().to_builder().region(Region::new(region.to_owned())).build())
    }

    /// The policy of a repository of whatever account and region; `None` where it has none, or is not there.
    pub async fn ecr_repository_policy(&self, owner: &str, region: &str, name: &str) -> Result<Option<Value>, CallError> {
        let request = self.ecr_in(region).get_repository_policy().registry_id(owner).repository_name(name);
        match call!(self, "ecr:GetRepositoryPolicy", name, request.send()) {
            Ok(answer) => Ok(answer.policy_text().and_then(|text| serde_json::from_str(text).ok())),
            Err(error) if error.is_code("RepositoryPolicyNotFoundException") || error.is_code("RepositoryNotFoundException") => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// `None`: there is no such repository.
    pub async fn ecr_repository(&self, name: &str) -> Result<Option<EcrRepository>, CallError> {
        let request = self.ecr.describe_repositories().repository_names(name);
        let answer = match call!(self, "ecr:DescribeRepositories", name, request.send()) {
            Ok(answer) => answer,
            Err(error) if error.is_code("RepositoryNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(answer.repositories().first().map(|found| EcrRepository {
            name: found.repository_name().unwrap_or(name).to_owned(),
            immutable: found.image_tag_mutability() == Some(&ImageTagMutability::Immutable),
            scans_on_push: found.image_scanning_configuration().is_some_and(ImageScanningConfiguration::scan_on_push),
        }))
    }

    /// Every repository of the account's registry, by name.
    pub async fn ecr_repositories(&self) -> Result<Vec<String>, CallError> {
        let mut found = Vec::new();
        let mut pages = self.ecr.describe_repositories().into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.named(CallError::of("ecr:DescribeRepositories", error)))?;
            found.extend(page.repositories().iter().filter_map(|found| found.repository_name().map(str::to_owned)));
        }
        found.sort();
        Ok(found)
    }

    /// Makes a repository: scanned on push, tags that never change, encrypted with ECR's key or the one given.
    pub async fn create_ecr_repository(&self, name: &str, kms_key: Option<&str>, tags: &Tags) -> Result<(), CallError> {
        let kind = if kms_key.is_some() { EncryptionType::Kms } else { EncryptionType::Aes256 };
        let encryption = EncryptionConfiguration::builder().encryption_type(kind).set_kms_key(kms_key.map(str::to_owned)).build();
        let encryption = encryption
            .map_err(|error| CallError::local(ErrorKind::Invalid, "ecr:CreateRepository", error.to_string()).about(name))?;
        let mut made = Vec::new();
        for (key, value) in tags {
            made.extend(Tag::builder().key(key).value(value).build().ok());
        }
        let request = self
            .ecr
            .create_repository()
            .repository_name(name)
            .image_tag_mutability(ImageTagMutability::Immutable)
            .image_scanning_configuration(ImageScanningConfiguration::builder().scan_on_push(true).build())
            .encryption_configuration(encryption)
            .set_tags(Some(made));
        match call!(self, "ecr:CreateRepository", name, request.send()) {
            Ok(_) => Ok(()),
            // Somebody else was quicker: it is there, which is what was wanted.
            Err(error) if error.is_code("RepositoryAlreadyExistsException") => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What ECR's scan says of an image; `None`: it was not scanned.
    pub async fn ecr_scan(&self, repository: &str, digest: &str) -> Result<Option<EcrScan>, CallError> {
        let image = ImageIdentifier::builder().image_digest(digest).build();
        let request = self.ecr.describe_image_scan_findings().repository_name(repository).image_id(image).max_results(1);
        let answer = match call!(self, "ecr:DescribeImageScanFindings", repository, request.send()) {
            Ok(answer) => answer,
            Err(error) if error.is_code("ScanNotFoundException") || error.is_code("ImageNotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let counts = answer.image_scan_findings().and_then(|findings| findings.finding_severity_counts());
        let findings = counts.into_iter().flatten();
        Ok(Some(EcrScan {
            status: answer
                .image_scan_status()
                .and_then(|status| status.status())
                .map_or("UNKNOWN", |word| word.as_str())
                .to_owned(),
            findings: findings
                .map(|(severity, count)| (severity.as_str().to_owned(), u32::try_from(*count).unwrap_or_default()))
                .collect(),
        }))
    }
}
