//! Whether what a project would run is there, and for the right processor. Comes in: the images of the tasks. Goes out: what their
//! registries say of each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;

use super::error::{Kind, RegistryError};
use super::facts::{ImageFacts, facts};
use super::{CredentialSource, Reference, Registry};
use crate::base::Place;

/// One image, all its requests and repeats together.
const LIMIT: Duration = Duration::from_secs(45);
const AT_ONCE: usize = 8;

/// An image that tasks run.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// As the compose files name it, the account filled in where it is known.
    pub image: String,
    pub services: Vec<String>,
    /// Docker's word for the task's processor: `amd64`, `arm64`.
    pub architecture: &'static str,
    /// It is built by the user, whose push has to come first.
    pub built: bool,
    /// It is put together by `images push`, from plugins with this hash.
    pub plugins: Option<String>,
    /// Why its registry can't be asked, where that is known before.
    pub unasked: Option<String>,
    /// Where the files name it, once for each service.
    pub places: Vec<Place>,
}

/// What was found of an image.
#[derive(Debug, Clone)]
pub struct Checked {
    pub wanted: Wanted,
    pub outcome: Outcome,
    /// What the registry itself found in it: severities and how many.
    pub scan: Option<Scan>,
    /// The image that the plugins were laid on is another one by now: the base by its digest of today.
    pub newer_base: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Scan {
    pub status: String,
    pub findings: BTreeMap<String, u32>,
}

#[derive(Debug, Clone)]
pub enum Outcome {
    Found(Box<ImageFacts>),
    Missing,
    /// The name itself is wrong.
    NoName(String),
    Failed(RegistryError),
    /// Nothing was asked; the sentence says why.
    Unasked(String),
}

/// How an image stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    Passed,
    Failed,
    Unknown,
}

impl Checked {
    pub fn standing(&self) -> Standing {
        match &self.outcome {
            Outcome::Found(facts) if facts.runs_on(self.wanted.architecture) && !self.holds_others() => Standing::Passed,
            Outcome::Unasked(_) => Standing::Unknown,
            _ => Standing::Failed,
        }
    }

    /// It is there, and holds other plugins than the files name.
    pub fn holds_others(&self) -> bool {
        let (Outcome::Found(facts), Some(wanted)) = (&self.outcome, &self.wanted.plugins) else { return false };
        facts.labels.get(super::PLUGINS_LABEL) != Some(wanted)
    }

    /// The image may be there: only the way to its registry failed.
    pub fn is_transient(&self) -> bool {
        matches!(&self.outcome, Outcome::Failed(error) if error.is_transient())
    }

    /// The same image by its digest, where it is named by a tag alone.
    pub fn pinned(&self) -> Option<String> {
        let Outcome::Found(facts) = &self.outcome else { return None };
        if self.wanted.plugins.is_some() {
            return None;
        }
        let reference = Reference::parse(&self.wanted.image).ok().filter(|reference| reference.digest.is_none())?;
        Some(reference.pinned(&facts.digest).to_string())
    }
}

/// Asks for every image, several at a time. `login` knows whose login a registry gets, or why it can't be asked.
pub async fn check(wanted: Vec<Wanted>, login: &(dyn Fn(&Reference) -> Result<CredentialSource, String> + Sync)) -> Vec<Checked> {
    let mut registries: BTreeMap<String, Arc<Registry>> = BTreeMap::new();
    let mut asked = Vec::new();
    for wanted in wanted {
        let begun = match &wanted.unasked {
            Some(why) => Err(Outcome::Unasked(why.clone())),
            None => begin(&wanted.image, login, &mut registries),
        };
        asked.push((wanted, begun));
    }
    let answers = stream::iter(asked).map(|(wanted, begun)| async move {
        let outcome = match begun {
            Ok((registry, reference)) => ask(&registry, &reference, wanted.architecture).await,
            Err(outcome) => outcome,
        };
        Checked { wanted, outcome, scan: None, newer_base: None }
    });
    answers.buffered(AT_ONCE).collect().await
}

fn begin(
    image: &str,
    login: &(dyn Fn(&Reference) -> Result<CredentialSource, String> + Sync),
    registries: &mut BTreeMap<String, Arc<Registry>>,
) -> Result<(Arc<Registry>, Reference), Outcome> {
    let reference = Reference::parse(image).map_err(Outcome::NoName)?;
    if let Some(known) = registries.get(&reference.registry) {
        return Ok((Arc::clone(known), reference));
    }
    let source = login(&reference).map_err(Outcome::Unasked)?;
    let registry = Arc::new(Registry::of(&reference, source).map_err(Outcome::Failed)?);
    registries.insert(reference.registry.clone(), Arc::clone(&registry));
    Ok((registry, reference))
}

async fn ask(registry: &Registry, reference: &Reference, architecture: &str) -> Outcome {
    match tokio::time::timeout(LIMIT, facts(registry, reference, architecture)).await {
        Ok(Ok(Some(facts))) => Outcome::Found(Box::new(facts)),
        Ok(Ok(None)) => Outcome::Missing,
        Ok(Err(error)) => Outcome::Failed(error),
        Err(_) => {
            let message = format!("no answer within {} seconds", LIMIT.as_secs());
            Outcome::Failed(RegistryError::new(Kind::TimedOut, registry.name(), reference.to_string(), message))
        }
    }
}
