//! What `secrets put` and `secrets check` do beside, for an MSK cluster with SCRAM: it reads its users from secrets of its own.

use std::collections::BTreeSet;

use super::project::Ready;
use crate::aws::Account;
use crate::base::{Failure, Result};
use crate::confluent::ConfluentService;
use crate::confluent::secret::{ScramUser, SecretDocument, scram_users};
use crate::confluent::stored::compare;
use crate::deploy::{self, ScramPlace, ScramSecret, SecretState};
use crate::extensions::Extensions;
use crate::stack::Text;
use crate::ui::{ScramPut, Ui};

/// Whether the cluster reads its users from secrets.
pub(super) fn is_wanted(extensions: &Extensions) -> bool {
    extensions.kafka.as_ref().and_then(|kafka| kafka.provider.as_ref()).is_some_and(|provider| provider.value == "msk-scram")
}

/// The cluster's ARN as the files have it.
pub(super) fn written_cluster(extensions: &Extensions) -> Option<Text> {
    let written = extensions.kafka.as_ref()?.cluster.as_ref()?;
    written.value.starts_with("arn:").then(|| Text::from(&written.value))
}

/// The same, as this account fills it in.
fn cluster(ready: &Ready, account: &Account) -> Option<String> {
    written_cluster(&ready.extensions).map(|cluster| deploy::resolve(&cluster, account))
}

/// The users of one component, on their way into secrets.
pub(super) struct Users {
    secrets: Vec<ScramSecret>,
    cluster: Option<String>,
    description: String,
    alias: String,
    tags: crate::aws::Tags,
    /// What became of them.
    pub(super) done: Vec<ScramPut>,
}

/// The key that new secrets are encrypted with.
pub(super) enum Key {
    /// No secret is new.
    None,
    There(String),
    /// To be made.
    New,
}

impl Users {
    pub(super) async fn new(account: &Account, ready: &Ready, secret: &str, users: &[ScramUser]) -> Result<Self> {
        let cluster = cluster(ready, account);
        let place = ScramPlace { secret, stack: &ready.stack.name, cluster: cluster.as_deref() };
        let secrets = if users.is_empty() { Vec::new() } else { deploy::scram_secrets(account, &place, users).await? };
        Ok(Self {
            secrets,
            cluster,
            description: format!("A user of Amazon MSK for {}, stored by confluent-ecs", ready.stack.name),
            alias: format!("alias/{}-msk-scram", ready.stack.name),
            tags: deploy::secret_tags(&ready.stack),
            done: Vec::new(),
        })
    }

    /// Whether the brokers have all of them already, as far as can be known.
    pub(super) fn are_there(&self) -> bool {
        self.secrets.iter().all(|secret| !secret.changes() && (self.cluster.is_none() || !secret.to_associate()))
    }

    /// Shows what would change, and finds the key for what is new.
    pub(super) async fn show(&self, account: &Account, wanted: Option<&str>, ui: &mut Ui) -> Result<Key> {
        for secret in self.secrets.iter().filter(|secret| secret.changes()) {
            ui.secret_changes(&secret.name, secret.is_new(), &compare(secret.stored.as_ref(), &secret.document));
        }
        if let Some(cluster) = &self.cluster {
            for secret in self.secrets.iter().filter(|secret| secret.to_associate()) {
                ui.note(&format!("{} is given to {cluster}", secret.name));
            }
        }
        if !self.secrets.iter().any(ScramSecret::is_new) {
            return Ok(Key::None);
        }
        let id = wanted.unwrap_or(&self.alias);
        let Some(key) = account.key(id).await? else {
            if wanted.is_some() {
                return Err(Failure::usage(format!("--kms-key: there is no key {id}")).into());
            }
            ui.note(&format!("new KMS key {id}: Amazon MSK reads no secret that AWS's own key encrypts"));
            return Ok(Key::New);
        };
        if !key.own || !key.enabled {
            let why = if key.own { "it is disabled" } else { "AWS keeps it, and Amazon MSK takes a key of your own only" };
            return Err(Failure::usage(format!("the key {id} can't encrypt a secret of Amazon MSK")).cause(why).into());
        }
        Ok(Key::There(key.arn))
    }

    /// Stores what changes, and tells the cluster of what it doesn't know.
    pub(super) async fn store(&mut self, account: &Account, key: Key, ui: &mut Ui) -> Result<()> {
        let key = match key {
            Key::None => None,
            Key::There(arn) => Some(arn),
            Key::New => Some(account.create_key(&self.alias, &self.description, &self.tags).await?),
        };
        for secret in &self.secrets {
            let (arn, version) = deploy::store_scram(account, secret, key.as_deref(), &self.description, &self.tags).await?;
            let mut associated = !secret.to_associate();
            match &self.cluster {
                Some(cluster) if !associated => {
                    account.associate_scram_secret(cluster, &arn).await?;
                    associated = true;
                }
                Some(_) => {}
                None => ui.note(&format!(
                    "the cluster is not told of {}: x-kafka.cluster doesn't say its ARN\n\
                     aws kafka batch-associate-scram-secret --cluster-arn CLUSTER --secret-arn-list {arn}",
                    secret.name
                )),
            }
            self.done.push(ScramPut { name: secret.name.clone(), version, associated });
        }
        Ok(())
    }
}

/// The secrets that the cluster reads, held against those that the components read.
pub(super) async fn states(account: &Account, ready: &Ready, services: &[ConfluentService<'_>]) -> Result<Vec<SecretState>> {
    let mut states = Vec::new();
    if !is_wanted(&ready.extensions) {
        return Ok(states);
    }
    let cluster = cluster(ready, account);
    let mut seen = BTreeSet::new();
    for secret in services.iter().flat_map(|service| &service.secrets).filter(|secret| seen.insert(secret.name)) {
        let Some(decided) = ready.stack.secrets.get(secret.name) else { continue };
        let facts = deploy::secret_by(account, &decided.lookup).await?.filter(|facts| facts.deleted.is_none());
        let Some(facts) = facts else { continue };
        let Some(stored) = account.secret(&facts.arn).await? else { continue };
        let Ok(document) = SecretDocument::parse(&stored.value) else { continue };
        let users = scram_users(&secret.structure, &document);
        let place = ScramPlace { secret: secret.name, stack: &ready.stack.name, cluster: cluster.as_deref() };
        states.extend(deploy::scram_states(account, &place, &users).await?);
    }
    Ok(states)
}
