//! The stored secrets of a project: what is there, and whether it has what the running configuration reads.
//!
//! Comes in: an account, the stack as decided, the keys that containers read. Goes out: facts by key. Rules: reads only; a value is
//! looked at in memory and goes nowhere.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::parameters::resolve;
use super::scram::ScramFacts;
use crate::aws::{Account, SecretFacts, Tags};
use crate::base::{Failure, Moment, Result, nearest};
use crate::confluent::secret::SecretDocument;
use crate::confluent::stored::{self, KeyFault};
use crate::stack::{ENV_TAG, PROJECT_TAG, SecretLookup, Stack};

/// What containers read of one secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reads {
    /// These keys of its JSON, each with the services that read it.
    Keys(BTreeMap<String, BTreeSet<String>>),
    /// All of it, as text: nothing is known of what must be in it.
    Whole,
}

/// What came of looking at one secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SecretState {
    /// Its name in the compose files.
    pub secret: String,
    /// Its name in Secrets Manager.
    pub name: String,
    #[serde(flatten)]
    pub presence: Presence,
    pub faults: Vec<FaultyKey>,
    /// How many keys containers read of it.
    pub read: usize,
    /// Of a secret that Amazon MSK reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scram: Option<ScramFacts>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Presence {
    Stored {
        version: String,
        changed: Option<Moment>,
    },
    /// There is no such secret, or nothing was ever stored in it.
    Absent,
    /// It is to be deleted and can't be read.
    ToBeDeleted {
        since: Moment,
    },
    /// Keys are read from it, and it is no JSON object.
    NotKeyed {
        why: String,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultyKey {
    pub key: String,
    pub fault: KeyFault,
    /// For a key that nothing reads: the missing one that is nearly the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meant: Option<String>,
    /// The services that read it.
    pub services: Vec<String>,
}

impl SecretState {
    /// Whether a task that reads it would not start, or not work.
    pub fn is_bad(&self) -> bool {
        !matches!(self.presence, Presence::Stored { .. })
            || self.scram.is_some_and(|scram| scram.is_bad())
            || self.faults.iter().any(|faulty| faulty.fault.is_error())
    }
}

/// What containers read of each secret, from the stack. A secret that is injected whole gets its keys from `expected`, where the
/// component is known.
pub fn reads(stack: &Stack, expected: &BTreeMap<String, Vec<String>>) -> BTreeMap<String, Reads> {
    let mut reads: BTreeMap<String, Reads> = BTreeMap::new();
    for container in stack.families.iter().flat_map(|family| &family.containers) {
        for source in container.secrets.values() {
            let keys: Vec<&String> = match (&source.key, expected.get(&source.secret)) {
                (Some(key), _) => vec![key],
                (None, Some(keys)) => keys.iter().collect(),
                (None, None) => Vec::new(),
            };
            let entry = reads.entry(source.secret.clone()).or_insert(Reads::Whole);
            for key in keys {
                if *entry == Reads::Whole {
                    *entry = Reads::Keys(BTreeMap::new());
                }
                if let Reads::Keys(known) = entry {
                    known.entry(key.clone()).or_default().insert(container.name.clone());
                }
            }
        }
    }
    reads
}

/// Looks at every secret of the stack.
pub async fn check_secrets(account: &Account, stack: &Stack, reads: &BTreeMap<String, Reads>) -> Result<Vec<SecretState>> {
    let mut states = Vec::new();
    for (secret, decided) in &stack.secrets {
        let read = match reads.get(secret) {
            Some(Reads::Keys(keys)) => keys.len(),
            _ => 0,
        };
        let mut state = SecretState {
            secret: secret.clone(),
            name: decided.lookup.words(),
            presence: Presence::Absent,
            faults: Vec::new(),
            read,
            scram: None,
        };
        if let Some(facts) = secret_by(account, &decided.lookup).await? {
            state.name.clone_from(&facts.name);
            match facts.deleted {
                Some(since) => state.presence = Presence::ToBeDeleted { since },
                None => fill(account, &facts, reads.get(secret), &mut state).await?,
            }
        }
        states.push(state);
    }
    Ok(states)
}

async fn fill(account: &Account, facts: &SecretFacts, reads: Option<&Reads>, state: &mut SecretState) -> Result<()> {
    let Some(stored) = account.secret(&facts.arn).await? else { return Ok(()) };
    state.presence = Presence::Stored { version: stored.version, changed: facts.changed };
    let Some(Reads::Keys(keys)) = reads else { return Ok(()) };
    match SecretDocument::parse(&stored.value) {
        Err(error) => state.presence = Presence::NotKeyed { why: error.to_string() },
        Ok(document) => {
            let wanted: BTreeSet<String> = keys.keys().cloned().collect();
            let missing: Vec<&str> = wanted.iter().map(String::as_str).filter(|key| document.get(key).is_none()).collect();
            state.faults = stored::check(&document, &wanted)
                .into_iter()
                .map(|(key, fault)| {
                    let near = || nearest(&key, missing.iter().copied()).map(str::to_owned);
                    let meant = if fault == KeyFault::Unused { near() } else { None };
                    let services = keys.get(&key).map(|services| services.iter().cloned().collect()).unwrap_or_default();
                    FaultyKey { key, fault, meant, services }
                })
                .collect();
        }
    }
    Ok(())
}

/// The secret that a lookup means; `None` when there is none. Two that carry the same tags are an error.
pub async fn secret_by(account: &Account, lookup: &SecretLookup) -> Result<Option<SecretFacts>> {
    match lookup {
        SecretLookup::Name(id) | SecretLookup::Arn(id) => Ok(account.secret_facts(&resolve(id, account)).await?),
        SecretLookup::Tags(tags) => {
            let mut found = account.secrets_tagged(&tags.iter().cloned().collect()).await?;
            if found.len() > 1 {
                let names = found.iter().map(|facts| facts.name.as_str()).collect::<Vec<_>>().join(", ");
                return Err(Failure::usage(format!("{} secrets are {}", found.len(), lookup.words()))
                    .cause(names)
                    .help("add a tag to the lookup that only one of them has, or write its name (Name: …)")
                    .into());
            }
            Ok(found.pop())
        }
    }
}

/// The tags that a secret of this stack carries.
pub fn secret_tags(stack: &Stack) -> Tags {
    let mut tags = Tags::from([(PROJECT_TAG.to_owned(), stack.project.clone())]);
    if let Some(env) = &stack.env {
        tags.insert(ENV_TAG.to_owned(), env.clone());
    }
    tags
}

/// A stored secret of the project, for listing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ListedSecret {
    pub name: String,
    /// Its name in the compose files, where they name it.
    pub secret: Option<String>,
    pub stored: bool,
    pub version: Option<String>,
    pub changed: Option<Moment>,
    pub to_be_deleted: bool,
}

/// The secrets that the files name, there or not, and those that carry the project's tags, by name.
pub async fn list_secrets(account: &Account, stack: &Stack) -> Result<Vec<ListedSecret>> {
    let mut listed: BTreeMap<String, ListedSecret> = BTreeMap::new();
    let mut add = |facts: SecretFacts, secret: Option<&String>| {
        let entry = listed.entry(facts.name.clone()).or_insert(ListedSecret {
            name: facts.name,
            secret: None,
            stored: facts.version.is_some(),
            version: facts.version,
            changed: facts.changed,
            to_be_deleted: facts.deleted.is_some(),
        });
        entry.secret = entry.secret.take().or_else(|| secret.cloned());
    };
    let mut absent = Vec::new();
    for (secret, decided) in &stack.secrets {
        match secret_by(account, &decided.lookup).await? {
            Some(facts) => add(facts, Some(secret)),
            None => absent.push((secret, decided)),
        }
    }
    for facts in account.secrets_tagged(&secret_tags(stack)).await? {
        add(facts, None);
    }
    for (secret, decided) in absent {
        let name = match &decided.lookup {
            SecretLookup::Name(id) | SecretLookup::Arn(id) => resolve(id, account),
            SecretLookup::Tags(_) => decided.lookup.words(),
        };
        let missing = ListedSecret {
            name: name.clone(),
            secret: Some(secret.clone()),
            stored: false,
            version: None,
            changed: None,
            to_be_deleted: false,
        };
        listed.insert(name, missing);
    }
    Ok(listed.into_values().collect())
}
