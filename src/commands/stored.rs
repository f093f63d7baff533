//! `secrets put`, `check` and `list`: the secrets in Secrets Manager.

use std::collections::BTreeMap;

use super::project::{Ready, Request, load};
use super::session::must_be_answerable;
use super::world::{block_on, connect};
use super::{answers, scram};
use crate::aws::{Account, NewVersion, SecretFacts};
use crate::base::{Exit, Failure, Result};
use crate::cli::{Cli, PutArgs};
use crate::confluent::secret::{ScramUser, SecretDocument, scram_users};
use crate::confluent::stored::{KeyChange, KeyFault, compare};
use crate::confluent::{self, ConfluentService};
use crate::deploy;
use crate::stack::SecretLookup;
use crate::ui::Ui;

pub(super) fn put(cli: &Cli, args: &PutArgs, ui: &mut Ui) -> Result<Exit> {
    let ready = load_for(cli, ui)?;
    let services = services(&ready);
    let secret = confluent::secret_of(&ready.project, &services, &args.answers.service)?;
    must_be_answerable("secrets put", cli, ui)?;
    let answers = answers::gather(&secret.structure, args.answers.from.as_deref(), ui)?;
    let composed = confluent::secret::compose(&secret.structure, &answers)?;
    let users = if scram::is_wanted(&ready.extensions) { scram_users(&secret.structure, &composed) } else { Vec::new() };
    block_on(store(
        cli,
        &ready,
        &New { secret: secret.name, composed: &composed, users: &users, key: args.kms_key.as_deref() },
        ui,
    ))
}

pub(super) fn check(cli: &Cli, ui: &mut Ui) -> Result<Exit> {
    let ready = load_for(cli, ui)?;
    let services = services(&ready);
    let wanted = deploy::reads(&ready.stack, &keys_of_whole(&services));
    let states = block_on(async {
        let account = connect().await?;
        let mut states = deploy::check_secrets(&account, &ready.stack, &wanted).await?;
        for state in &mut states {
            let own = services.iter().flat_map(|service| &service.secrets).filter(|secret| secret.name == state.secret);
            let others: Vec<String> = own.flat_map(|secret| secret.structure.key_names().1).collect();
            state.faults.retain(|faulty| faulty.fault != KeyFault::Unused || !others.contains(&faulty.key));
        }
        states.extend(scram::states(&account, &ready, &services).await?);
        Ok(states)
    })?;
    let exit = if states.iter().any(deploy::SecretState::is_bad) { Exit::Usage } else { Exit::Done };
    ui.secrets_checked(&states, exit as u8);
    Ok(exit)
}

pub(super) fn list(cli: &Cli, ui: &mut Ui) -> Result<Exit> {
    let ready = load_for(cli, ui)?;
    let listed = block_on(async { deploy::list_secrets(&connect().await?, &ready.stack).await })?;
    ui.secrets_listed(&listed);
    Ok(Exit::Done)
}

/// A secret's tags name the project: it must have a name of its own, as for a stack.
fn load_for(cli: &Cli, ui: &mut Ui) -> Result<Ready> {
    load(&Request { project: &cli.project, name: None, account: None, touches_stack: true }, ui)
}

fn services(ready: &Ready) -> Vec<ConfluentService<'_>> {
    confluent::services(ready.catalogue, &ready.project, &ready.extensions, &BTreeMap::new())
}

/// The keys that a secret which is injected whole must have, by the secret's name.
fn keys_of_whole(services: &[ConfluentService<'_>]) -> BTreeMap<String, Vec<String>> {
    services
        .iter()
        .flat_map(|service| &service.secrets)
        .filter(|secret| secret.whole)
        .map(|secret| (secret.name.to_owned(), secret.structure.key_names().0))
        .collect()
}

/// What is to be stored.
struct New<'a> {
    secret: &'a str,
    composed: &'a SecretDocument,
    /// The users that Amazon MSK reads from secrets of their own.
    users: &'a [ScramUser],
    key: Option<&'a str>,
}

async fn store(cli: &Cli, ready: &Ready, wanted: &New<'_>, ui: &mut Ui) -> Result<Exit> {
    let again = cli.project.again(None);
    let &New { secret, composed, .. } = wanted;
    let Some(decided) = ready.stack.secrets.get(secret) else {
        return Err(Failure::usage(format!("no service reads the secret {secret} from Secrets Manager")).into());
    };
    let account = connect().await?;
    let facts = deploy::secret_by(&account, &decided.lookup).await?;
    let name = match (&facts, &decided.lookup) {
        (Some(facts), _) => facts.name.clone(),
        (None, SecretLookup::Name(name)) => deploy::resolve(name, &account),
        (None, lookup) => {
            return Err(Failure::usage(format!("the secret {} is not there", lookup.words()))
                .cause("a secret that doesn't exist yet can only be made by its name")
                .help("write its Name under x-secrets")
                .into());
        }
    };
    if let Some(at) = facts.as_ref().and_then(|facts| facts.deleted) {
        return Err(Failure::usage(format!("the secret {name} is to be deleted (asked for on {at})"))
            .help(format!("to keep it: aws secretsmanager restore-secret --secret-id {name}"))
            .into());
    }
    let stored = current(&account, facts.as_ref(), &name, ui).await?;
    let new = stored.as_ref().map_or_else(|| composed.clone(), |stored| stored.with(composed));
    let changes = compare(stored.as_ref(), &new);
    let same = stored.is_some() && changes.iter().all(|(_, change)| *change == KeyChange::Unchanged);
    let mut scram = scram::Users::new(&account, ready, secret, wanted.users).await?;
    if same && scram.are_there() {
        ui.secret_put(&name, None, false, &scram.done, &again);
        return Ok(Exit::Done);
    }
    ui.secret_changes(&name, facts.is_none(), &changes);
    let key = scram.show(&account, wanted.key, ui).await?;
    if !cli.display.yes && !ui.confirm("store this?")? {
        ui.note("nothing was stored");
        return Ok(Exit::Interrupted);
    }
    // First those that the brokers read, so that no container gets a password which they don't know.
    scram.store(&account, key, ui).await?;
    if same {
        ui.secret_put(&name, None, false, &scram.done, &again);
        return Ok(Exit::Done);
    }
    let value = new.to_json();
    let written = if let Some(before) = &facts {
        unchanged_since(&account, before).await?;
        account.put_secret(&before.arn, &value).await?
    } else {
        let tags = deploy::secret_tags(&ready.stack);
        let description = format!("Read by {}, stored by confluent-ecs", ready.stack.name);
        let new = NewVersion { name: &name, value: &value, description: &description, tags: &tags, kms_key: None };
        account.create_secret(&new).await?
    };
    let had_previous = facts.is_some_and(|facts| facts.version.is_some());
    ui.secret_put(&name, Some(&written.version), had_previous, &scram.done, &again);
    Ok(Exit::Done)
}

/// What is stored now, by key. What is no JSON object is replaced as a whole, and that is said.
async fn current(account: &Account, facts: Option<&SecretFacts>, name: &str, ui: &mut Ui) -> Result<Option<SecretDocument>> {
    let Some(facts) = facts else { return Ok(None) };
    let Some(stored) = account.secret(&facts.arn).await? else { return Ok(None) };
    match SecretDocument::parse(&stored.value) {
        Ok(document) => Ok(Some(document)),
        Err(error) => {
            ui.note(&format!("what {name} holds now is replaced as a whole: {error}"));
            Ok(None)
        }
    }
}

/// Secrets Manager has no "only if nobody changed it meanwhile"; this is as near as one gets.
async fn unchanged_since(account: &Account, before: &SecretFacts) -> Result<()> {
    let now = account.secret_facts(&before.arn).await?;
    if now.is_some_and(|now| now.version == before.version) {
        return Ok(());
    }
    Err(Failure::usage(format!("the secret {} was changed by somebody else meanwhile", before.name))
        .cause("what was shown is no longer what would change; nothing was stored")
        .help("run the same command again")
        .into())
}
