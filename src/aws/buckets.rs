//! S3: the bucket for templates that are too large for a call. Made as a bucket should be, or not at all.

use aws_sdk_s3::operation::head_bucket::HeadBucketError;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};
use sha2::{Digest, Sha256};

use super::account::{Account, OPERATION, call};
use super::error::{CallError, ErrorKind};

/// An object that a run has put into a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTemplate {
    pub url: String,
    bucket: String,
    key: String,
    /// Of what this run has put there; none where the same text lay there already.
    version: Option<String>,
    new: bool,
}

impl Account {
    /// Whether a bucket of this name is there, and this account's.
    pub async fn has_bucket(&self, bucket: &str) -> Result<bool, CallError> {
        let request = self.s3.head_bucket().bucket(bucket).expected_bucket_owner(&self.caller.account);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(HeadBucketError::is_not_found) => Ok(false),
            Err(error) => Err(self.named(CallError::of("s3:ListBucket", error).about(bucket))),
        }
    }

    /// Makes a bucket for templates: encrypted, versioned, closed to the public, open to TLS only. One that can't be made so is taken
    /// away again.
    pub async fn make_bucket(&self, bucket: &str) -> Result<(), CallError> {
        let mut request = self.s3.create_bucket().bucket(bucket);
        // The oldest region has no name here.
        if self.region != "us-east-1" {
            let place = BucketLocationConstraint::from(self.region.as_str());
            request =
                request.create_bucket_configuration(CreateBucketConfiguration::builder().location_constraint(place).build());
        }
        call!(self, "s3:CreateBucket", bucket, request.send())?;
        let closed = self.close_bucket(bucket).await;
        if closed.is_err() {
            let _empty = self.s3.delete_bucket().bucket(bucket).send().await;
        }
        closed
    }

    async fn close_bucket(&self, bucket: &str) -> Result<(), CallError> {
        let account = &self.caller.account;
        let unusable = |message: String| self.named(CallError::local(ErrorKind::Other, "s3:CreateBucket", message));
        let closed = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(true)
            .block_public_policy(true)
            .restrict_public_buckets(true)
            .build();
        let request = self.s3.put_public_access_block().bucket(bucket).expected_bucket_owner(account);
        call!(self, "s3:PutBucketPublicAccessBlock", bucket, request.public_access_block_configuration(closed).send())?;
        let default = ServerSideEncryptionByDefault::builder().sse_algorithm(ServerSideEncryption::Aes256);
        let default = default.build().map_err(|error| unusable(error.to_string()))?;
        let rule = ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build();
        let encrypted = ServerSideEncryptionConfiguration::builder().rules(rule).build();
        let encrypted = encrypted.map_err(|error| unusable(error.to_string()))?;
        let request = self.s3.put_bucket_encryption().bucket(bucket).expected_bucket_owner(account);
        call!(self, "s3:PutEncryptionConfiguration", bucket, request.server_side_encryption_configuration(encrypted).send())?;
        let versioned = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let request = self.s3.put_bucket_versioning().bucket(bucket).expected_bucket_owner(account);
        call!(self, "s3:PutBucketVersioning", bucket, request.versioning_configuration(versioned).send())?;
        let request = self.s3.put_bucket_policy().bucket(bucket).expected_bucket_owner(account);
        call!(self, "s3:PutBucketPolicy", bucket, request.policy(tls_only(bucket, partition(&self.region))).send()).map(drop)
    }

    /// Puts a template into a bucket, under a name that its text decides. The same text twice is stored once.
    pub async fn store_template(&self, bucket: &str, stack: &str, body: &str) -> Result<StoredTemplate, CallError> {
        let digest = Sha256::digest(body.as_bytes());
        let short = digest.iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        let key = format!("confluent-ecs/{stack}/{short}.template.json");
        let url = format!("https://{bucket}.s3.{}.{}/{key}", self.region, domain(&self.region));
        let stored = |version, new| StoredTemplate { url, bucket: bucket.to_owned(), key: key.clone(), version, new };
        let owner = &self.caller.account;
        let there = self.s3.head_object().bucket(bucket).key(&key).expected_bucket_owner(owner);
        if there.send().await.is_ok() {
            return Ok(stored(None, false));
        }
        let request = self
            .s3
            .put_object()
            .bucket(bucket)
            .key(&key)
            .expected_bucket_owner(owner)
            .content_type("application/json")
            .body(body.as_bytes().to_vec().into());
        let answer = call!(self, "s3:PutObject", bucket, request.send())?;
        Ok(stored(answer.version_id().map(str::to_owned), true))
    }

    /// Takes a template out of the bucket again, if this run has put it there.
    pub async fn remove_template(&self, template: &StoredTemplate) -> Result<(), CallError> {
        if !template.new {
            return Ok(());
        }
        let request = self
            .s3
            .delete_object()
            .bucket(&template.bucket)
            .key(&template.key)
            .set_version_id(template.version.clone())
            .expected_bucket_owner(&self.caller.account);
        call!(self, "s3:DeleteObject", template.bucket.as_str(), request.send()).map(drop)
    }
}

/// What was deployed and verified, kept beside the templates of a stack: one object a run, in the order of their names.
impl Account {
    pub async fn store_record(&self, bucket: &str, stack: &str, name: &str, body: &str) -> Result<(), CallError> {
        let request = self
            .s3
            .put_object()
            .bucket(bucket)
            .key(format!("{}{name}.json", records(stack)))
            .expected_bucket_owner(&self.caller.account)
            .content_type("application/json")
            .body(body.as_bytes().to_vec().into());
        call!(self, "s3:PutObject", bucket, request.send()).map(drop)
    }

    /// The keys of a stack's records, the newest first.
    pub async fn records(&self, bucket: &str, stack: &str) -> Result<Vec<String>, CallError> {
        let request = self.s3.list_objects_v2().bucket(bucket).prefix(records(stack)).expected_bucket_owner(&self.caller.account);
        let mut pages = request.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.named(CallError::of("s3:ListBucket", error).about(bucket)))?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        keys.sort();
        keys.reverse();
        Ok(keys)
    }

    pub async fn record(&self, bucket: &str, key: &str) -> Result<String, CallError> {
        let request = self.s3.get_object().bucket(bucket).key(key).expected_bucket_owner(&self.caller.account);
        let answer = call!(self, "s3:GetObject", bucket, request.send())?;
        let unreadable = |why: String| self.named(CallError::local(ErrorKind::Other, "s3:GetObject", why).about(bucket));
        let read = tokio::time::timeout(OPERATION, answer.body.collect()).await;
        let body = read.map_err(|_| unreadable(format!("{key} did not come in time")))?;
        let body = body.map_err(|error| unreadable(format!("{key}: {error}")))?.to_vec();
        String::from_utf8(body).map_err(|error| unreadable(format!("{key}: {error}")))
    }
}

fn records(stack: &str) -> String {
    format!("confluent-ecs/{stack}/verified/")
}

/// `aws`, `aws-cn`, `aws-us-gov`: the first part of an ARN after `arn:`.
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

fn domain(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

/// Nobody may come without TLS.
fn tls_only(bucket: &str, partition: &str) -> String {
    let arn = format!("arn:{partition}:s3:::{bucket}");
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [arn, format!("{arn}/*")],
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::{domain, partition, tls_only};

    #[test]
    fn names_follow_the_partition() {
        assert_eq!((partition("eu-west-1"), domain("eu-west-1")), ("aws", "amazonaws.com"));
        assert_eq!((partition("cn-north-1"), domain("cn-north-1")), ("aws-cn", "amazonaws.com.cn"));
        let policy: serde_json::Value = serde_json::from_str(&tls_only("b", "aws-us-gov")).unwrap();
        assert_eq!(policy["Statement"][0]["Resource"][1], "arn:aws-us-gov:s3:::b/*");
    }
}
