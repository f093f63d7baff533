//! What was deployed and verified, kept for a later `rollback`: beside the run's journal, and in the bucket for templates where there is
//! one, so that another machine finds it too.
//!
//! Rules: what can't be kept is no reason to call a deploy failed; no bucket is made for it; no secret is in it, for none is in a template
//! or a parameter.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::journal::FOLDER;
use super::storage::our_bucket;
use crate::aws::{Account, CallError, Stack};
use crate::base::Moment;

const VERIFIED: &str = ".verified.json";
/// How many of a bucket's records are read to find another one than what the stack has now.
const LOOKED_AT: usize = 20;

/// What a run has deployed and verified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub at: Moment,
    pub run: String,
    pub stack: String,
    pub account: String,
    pub region: String,
    pub template: String,
    pub parameters: BTreeMap<String, String>,
}

/// What there is to go back to, and where it was looked for in vain.
#[derive(Debug)]
pub struct Kept {
    pub found: Option<Verified>,
    pub looked: Vec<String>,
}

impl Verified {
    fn is_of(&self, account: &Account, stack: &Stack) -> bool {
        self.stack == stack.name && self.account == account.caller.account && self.region == account.region
    }
}

/// Keeps what a stack has now, which was verified by this run. Says why not, where it is kept nowhere.
pub async fn keep(account: &Account, project: &Path, bucket: Option<&str>, stack_id: &str, run: &str) -> Result<(), String> {
    let verified = now(account, stack_id, run).await.map_err(|error| error.to_string())?;
    let here = keep_here(project, &verified).map_err(|error| format!("{FOLDER}: {error}"));
    let there = keep_there(account, bucket, &verified).await;
    match (here, there) {
        // Where a bucket was named, it was meant.
        (Ok(()), Ok(false)) if bucket.is_some() => {
            Err(format!("there is no bucket {} in this account", bucket.unwrap_or_default()))
        }
        (Ok(()), Err(error)) if bucket.is_some() => Err(error.to_string()),
        (Ok(()), _) | (Err(_), Ok(true)) => Ok(()),
        (Err(why), _) => Err(why),
    }
}

async fn now(account: &Account, stack_id: &str, run: &str) -> Result<Verified, CallError> {
    let template = account.stack_template(stack_id).await?;
    let stack = account.stack(stack_id).await?;
    Ok(Verified {
        at: Moment::now(),
        run: run.to_owned(),
        stack: stack.as_ref().map(|stack| stack.name.clone()).unwrap_or_default(),
        account: account.caller.account.clone(),
        region: account.region.clone(),
        template,
        parameters: stack.map(|stack| stack.parameters).unwrap_or_default(),
    })
}

fn keep_here(project: &Path, verified: &Verified) -> io::Result<()> {
    let path = project.join(FOLDER).join(format!("{}{VERIFIED}", verified.run));
    let text = serde_json::to_string(verified)?;
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())
}

/// Whether it is kept there; not where there is no bucket.
async fn keep_there(account: &Account, bucket: Option<&str>, verified: &Verified) -> Result<bool, CallError> {
    let bucket = bucket.map_or_else(|| our_bucket(account), str::to_owned);
    if !account.has_bucket(&bucket).await? {
        return Ok(false);
    }
    let text = serde_json::to_string(verified).unwrap_or_default();
    account.store_record(&bucket, &verified.stack, &verified.run, &text).await?;
    Ok(true)
}

/// The newest of what was verified on this stack that is another than what it has now (`template`).
pub async fn last_other(account: &Account, project: &Path, bucket: Option<&str>, stack: &Stack, template: &str) -> Kept {
    let other =
        |kept: &Verified| kept.is_of(account, stack) && (kept.template != template || kept.parameters != stack.parameters);
    let here = kept_here(project).into_iter().find(other);
    let mut looked = vec![FOLDER.to_owned()];
    let bucket = bucket.map_or_else(|| our_bucket(account), str::to_owned);
    let (there, said) = match kept_there(account, &bucket, &stack.name, other).await {
        Ok((found, true)) => (found, format!("the bucket {bucket}")),
        Ok((_, false)) => (None, format!("the bucket {bucket}, which isn't there")),
        Err(error) => (None, format!("the bucket {bucket} ({error})")),
    };
    looked.push(said);
    // The same run may be in both; the newest counts.
    let found = [here, there].into_iter().flatten().max_by_key(|kept| kept.at);
    Kept { found, looked }
}

/// What is kept beside the project's journals, the newest first.
fn kept_here(project: &Path) -> Vec<Verified> {
    let mut names: Vec<PathBuf> = fs::read_dir(project.join(FOLDER))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.to_string_lossy().ends_with(VERIFIED))
        .collect();
    names.sort();
    let read = |path: &PathBuf| serde_json::from_str(&fs::read_to_string(path).ok()?).ok();
    names.iter().rev().filter_map(read).collect()
}

/// … and whether there is such a bucket.
async fn kept_there(
    account: &Account,
    bucket: &str,
    stack: &str,
    other: impl Fn(&Verified) -> bool,
) -> Result<(Option<Verified>, bool), CallError> {
    if !account.has_bucket(bucket).await? {
        return Ok((None, false));
    }
    for key in account.records(bucket, stack).await?.iter().take(LOOKED_AT) {
        let text = account.record(bucket, key).await?;
        // One that another version wrote may not be readable; the one before it may.
        if let Some(kept) = serde_json::from_str(&text).ok().filter(&other) {
            return Ok((Some(kept), true));
        }
    }
    Ok((None, true))
}
