//! Where a template lies while CloudFormation reads it: in the call, or in a bucket when it is too large for one.

use crate::aws::Account;
use crate::base::{Code, Failure, Result};
use crate::cloudformation::Template;

/// CloudFormation takes a template of this many bytes in a call; a larger one must lie in a bucket.
const INLINE_LIMIT: usize = 51_200;

/// Where a template would lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    Inline,
    Bucket(String),
    /// In a bucket that isn't there yet.
    NewBucket(String),
}

/// Whether a text fits into a call.
pub(super) fn is_inline(body: &str) -> bool {
    body.len() <= INLINE_LIMIT
}

/// Decides where a template goes. `bucket` is what the user has named; without it there is one for the account and the region.
pub async fn storage(account: &Account, body: &str, bucket: Option<&str>) -> Result<Storage> {
    if is_inline(body) {
        return Ok(Storage::Inline);
    }
    if let Some(named) = bucket {
        if account.has_bucket(named).await? {
            return Ok(Storage::Bucket(named.to_owned()));
        }
        return Err(Failure::usage(format!("there is no bucket {named} in this account"))
            .code(Code::TEMPLATE_BUCKET)
            .help("name another one with --bucket, or leave it out: `up` offers to make one")
            .into());
    }
    let ours = our_bucket(account);
    Ok(if account.has_bucket(&ours).await? { Storage::Bucket(ours) } else { Storage::NewBucket(ours) })
}

/// The bucket for this account and region.
pub(super) fn our_bucket(account: &Account) -> String {
    format!("confluent-ecs-{}-{}", account.caller.account, account.region)
}

/// Why a run that makes no bucket can't go on.
pub fn needs_a_bucket(template: &Template, bucket: &str) -> Failure {
    let size = template.to_json_minified().len();
    Failure::usage(format!(
        "the template has {size} bytes; CloudFormation takes {INLINE_LIMIT} in a call, and more from a bucket"
    ))
    .code(Code::TEMPLATE_BUCKET)
    .cause(format!("it holds {} services, and there is no bucket {bucket}", template.services.len()))
    .help("name a bucket of yours in this region with --bucket")
    .help(format!("or run `up`: it offers to make {bucket} (encrypted, versioned, closed to the public, TLS only)"))
}
