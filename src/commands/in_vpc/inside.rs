//! What runs in the task: the plan and the task's own environment → checks → lines on standard output.

use std::env;
use std::time::Duration;

use tokio::sync::mpsc;

use super::PLAN;
use crate::aws::Account;
use crate::base::{Deadline, Exit, Result, Secret};
use crate::commands::world::block_on;
use crate::kafka::AwsKeys;
use crate::preflight::inside::{self, Message, Plan, Variables, Within, lines};
use crate::profile::Catalogue;
use crate::ui::Ui;

/// Region, credentials and caller must be known within this.
const AWS_LIMIT: Duration = Duration::from_secs(10);

pub(in crate::commands) fn run(ui: &mut Ui) -> Result<Exit> {
    let mut next = 0;
    let mut say = |ui: &mut Ui, message: &Message, within: Option<&Within>| {
        let mut message = serde_json::to_value(message).unwrap_or_default();
        if let Some(within) = within {
            within.without_secrets(&mut message);
        }
        for line in lines(&message.to_string(), &mut next) {
            ui.result(&format!("{line}\n"));
        }
    };
    let packed = env::var(PLAN).unwrap_or_default();
    let plan = match Plan::unpacked(&packed) {
        Ok(plan) => plan,
        Err(error) => {
            say(ui, &Message::Fault { why: error.to_string() }, None);
            return Ok(Exit::Fault);
        }
    };
    say(ui, &Message::Begin { run: plan.run.clone(), version: env!("CARGO_PKG_VERSION").to_owned() }, None);
    let has: Variables =
        env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), Secret::new(value.to_string_lossy()))).collect();
    block_on(async {
        let keys = if plan.wants_aws(&has) { keys().await } else { Err("no client logs in with AWS credentials".to_owned()) };
        let within = match plan.within(Catalogue::builtin()?, &has, keys) {
            Ok(within) => within,
            Err(error) => {
                say(ui, &Message::Fault { why: error.to_string() }, None);
                return Ok(Exit::Fault);
            }
        };
        let (tell, mut told) = mpsc::unbounded_channel();
        let running = inside::run(&within, move |message| drop(tell.send(message)));
        let mut running = Box::pin(running);
        let mut done = false;
        while !done {
            tokio::select! {
                _report = &mut running => done = true,
                Some(message) = told.recv() => say(ui, &message, Some(&within)),
            }
        }
        while let Ok(message) = told.try_recv() {
            say(ui, &message, Some(&within));
        }
        Ok(Exit::Done)
    })
}

/// The task's own credentials. Who they belong to only STS says, to which a closed subnet may have no way: the login needs no name.
async fn keys() -> std::result::Result<AwsKeys, String> {
    let (found, region, caller) = match Account::connect(Deadline::after(AWS_LIMIT)).await {
        Ok(account) => {
            let found = account.credentials().await.map_err(|error| error.to_string())?;
            (found, account.region.clone(), account.caller.arn.clone())
        }
        Err(error) if error.is_about_credentials() => return Err(error.to_string()),
        Err(_) => {
            let (found, region) =
                Account::credentials_alone(Deadline::after(AWS_LIMIT)).await.map_err(|error| error.to_string())?;
            (found, region, "the task's role".to_owned())
        }
    };
    Ok(AwsKeys {
        access_key: found.access_key,
        secret_key: found.secret_key,
        session_token: found.session_token,
        expires: found.expires,
        region,
        caller,
    })
}
