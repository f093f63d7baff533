//! The users of an MSK cluster with SCRAM: it takes them from secrets of their own, beside those that the components read.
//!
//! Comes in: an account, the users that the components log in as, the cluster. Goes out: what is there for each and what differs; or
//! it is stored, and the cluster is told. Rules: a value is looked at in memory and goes nowhere; the cluster is told last, of a secret
//! that is there.

use serde::Serialize;

use super::secrets::{FaultyKey, Presence, SecretState};
use crate::aws::{Account, NewVersion, SecretFacts, Tags};
use crate::base::{Failure, Result};
use crate::confluent::secret::{ScramUser, SecretDocument};
use crate::confluent::stored::{KeyChange, KeyFault, compare};

/// Where the users of one component belong.
#[derive(Debug, Clone)]
pub struct ScramPlace<'a> {
    /// The component's secret by its name in the compose files.
    pub secret: &'a str,
    /// What the names of secrets carry: project and environment.
    pub stack: &'a str,
    /// The cluster's ARN, where the files have it.
    pub cluster: Option<&'a str>,
}

/// What is known of a user's secret beside its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ScramFacts {
    /// Whether the cluster takes its user from it; unknown where the files don't name the cluster, or it can't be asked.
    pub associated: Option<bool>,
    /// Encrypted with a key of the account's own: Amazon MSK takes no other.
    pub own_key: bool,
}

impl ScramFacts {
    pub fn is_bad(&self) -> bool {
        self.associated == Some(false) || !self.own_key
    }
}

/// A user's secret as it is, and as it would be.
#[derive(Debug)]
pub struct ScramSecret {
    pub name: String,
    pub document: SecretDocument,
    pub stored: Option<SecretDocument>,
    facts: Option<SecretFacts>,
    /// Known to the cluster already.
    associated: bool,
}

impl ScramSecret {
    pub fn is_new(&self) -> bool {
        self.facts.is_none()
    }

    /// Whether its text has to be stored.
    pub fn changes(&self) -> bool {
        self.stored.as_ref().is_none_or(|stored| {
            let new = compare(Some(stored), &self.document);
            new.iter().any(|(_, change)| *change != KeyChange::Unchanged)
        })
    }

    /// Whether the cluster has to be told of it.
    pub fn to_associate(&self) -> bool {
        !self.associated
    }
}

/// What the users' secrets are now. One of them that the cluster has under another name is taken for it.
pub async fn scram_secrets(account: &Account, place: &ScramPlace<'_>, users: &[ScramUser]) -> Result<Vec<ScramSecret>> {
    let known = known(account, place).await?;
    let others = read(account, known.as_deref().unwrap_or_default()).await?;
    let mut secrets = Vec::new();
    for user in users {
        let theirs = others.iter().find(|(_, document)| user.is_said_by(document, "username"));
        let found = match theirs {
            Some((facts, document)) => Some((facts.clone(), Some(document.clone()))),
            None => by_name(account, &user.secret_name(place.stack, place.secret)).await?,
        };
        let (facts, stored) = found.map_or((None, None), |(facts, stored)| (Some(facts), stored));
        if let Some(at) = facts.as_ref().and_then(|facts| facts.deleted) {
            let name = facts.map(|facts| facts.name).unwrap_or_default();
            return Err(Failure::usage(format!("the secret {name} is to be deleted (asked for on {at})"))
                .help(format!("to keep it: aws secretsmanager restore-secret --secret-id {name}"))
                .into());
        }
        let associated = facts.as_ref().is_some_and(|facts| known.iter().flatten().any(|arn| *arn == facts.arn));
        let name = facts.as_ref().map_or_else(|| user.secret_name(place.stack, place.secret), |facts| facts.name.clone());
        secrets.push(ScramSecret { name, document: user.document(), stored, facts, associated });
    }
    Ok(secrets)
}

/// Stores a user's secret; gives its ARN, and the version where there is a new one.
pub async fn store_scram(
    account: &Account,
    secret: &ScramSecret,
    key: Option<&str>,
    description: &str,
    tags: &Tags,
) -> Result<(String, Option<String>)> {
    match &secret.facts {
        Some(facts) if !secret.changes() => Ok((facts.arn.clone(), None)),
        Some(facts) => {
            let merged = secret.stored.as_ref().map_or_else(|| secret.document.clone(), |old| old.with(&secret.document));
            let written = account.put_secret(&facts.arn, &merged.to_json()).await?;
            Ok((facts.arn.clone(), Some(written.version)))
        }
        None => {
            let value = secret.document.to_json();
            let new = NewVersion { name: &secret.name, value: &value, description, tags, kms_key: key };
            let written = account.create_secret(&new).await?;
            Ok((written.arn, Some(written.version)))
        }
    }
}

/// What is wrong with the secrets of these users, one state for each.
pub async fn scram_states(account: &Account, place: &ScramPlace<'_>, users: &[ScramUser]) -> Result<Vec<SecretState>> {
    let mut states = Vec::new();
    let cluster_told = known(account, place).await?.is_some();
    for (user, secret) in users.iter().zip(scram_secrets(account, place, users).await?) {
        let mut state = SecretState {
            secret: place.secret.to_owned(),
            name: secret.name.clone(),
            presence: Presence::Absent,
            faults: Vec::new(),
            read: 2,
            scram: None,
        };
        if let Some(facts) = &secret.facts {
            let version = facts.version.clone().unwrap_or_default();
            state.presence = Presence::Stored { version, changed: facts.changed };
            state.scram = Some(ScramFacts {
                associated: cluster_told.then_some(secret.associated),
                own_key: own_key(account, facts).await?,
            });
            match &secret.stored {
                None => state.presence = Presence::NotKeyed { why: "it is not JSON".to_owned() },
                Some(stored) => state.faults = differing(stored, user, place.secret),
            }
        }
        states.push(state);
    }
    Ok(states)
}

/// Where a user's secret says something else than the component's.
fn differing(stored: &SecretDocument, user: &ScramUser, secret: &str) -> Vec<FaultyKey> {
    let fault = |key: &str| {
        let fault = match stored.get(key) {
            None => KeyFault::Missing,
            Some(_) if user.is_said_by(stored, key) => return None,
            Some(_) => KeyFault::Differs,
        };
        Some(FaultyKey { key: key.to_owned(), fault, meant: None, services: vec![secret.to_owned()] })
    };
    ["username", "password"].into_iter().filter_map(fault).collect()
}

/// The secrets that the cluster has, by ARN; `None` where that can't be known.
async fn known(account: &Account, place: &ScramPlace<'_>) -> Result<Option<Vec<String>>> {
    let Some(cluster) = place.cluster else { return Ok(None) };
    Ok(account.scram_secrets(cluster).await?)
}

/// Those of the cluster's secrets that can be read.
async fn read(account: &Account, arns: &[String]) -> Result<Vec<(SecretFacts, SecretDocument)>> {
    let mut read = Vec::new();
    for arn in arns {
        // Another team's may be out of sight; then it is not ours.
        let Ok(Some(stored)) = account.secret(arn).await else { continue };
        let Ok(document) = SecretDocument::parse(&stored.value) else { continue };
        if let Some(facts) = account.secret_facts(arn).await? {
            read.push((facts, document));
        }
    }
    Ok(read)
}

async fn by_name(account: &Account, name: &str) -> Result<Option<(SecretFacts, Option<SecretDocument>)>> {
    let Some(facts) = account.secret_facts(name).await? else { return Ok(None) };
    if facts.deleted.is_some() {
        return Ok(Some((facts, None)));
    }
    let stored = account.secret(&facts.arn).await?;
    let document = stored.and_then(|stored| SecretDocument::parse(&stored.value).ok());
    Ok(Some((facts, document)))
}

/// Amazon MSK takes no secret that is encrypted with the key that AWS keeps for Secrets Manager.
async fn own_key(account: &Account, facts: &SecretFacts) -> Result<bool> {
    let Some(key) = facts.kms_key.as_deref().filter(|key| !key.ends_with("alias/aws/secretsmanager")) else {
        return Ok(false);
    };
    Ok(account.key(key).await?.is_none_or(|key| key.own))
}
