//! `down`: shows what goes and what stays, asks, deletes, watches.

use std::collections::{BTreeMap, BTreeSet};

use super::acl::admin;
use super::project::{Ready, Request, load};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::base::{Code, Exit, Failure, Operation, Result, shell};
use crate::cli::{Cli, DownArgs};
use crate::confluent::{self, grant};
use crate::deploy::{self, Ending, Farewell, Outcome, Remains};
use crate::preflight::{self, Provider};
use crate::profile::Pattern;
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &DownArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    must_be_answerable("down", cli, ui)?;
    block_on(async {
        let session = Session::begin("down", cli, name, &ready, &args.watching).await?;
        down(&session, &ready, ui).await
    })
}

async fn down(session: &Session<'_>, ready: &Ready, ui: &mut Ui) -> Result<Exit> {
    let (account, template) = (&session.account, &ready.template);
    let name = &template.stack_name;
    let Some(stack) = account.stack(name).await?.filter(|stack| !stack.status.is_deleted()) else {
        let stays: Vec<Remains> = deploy::beside(account, name).await?.into_iter().collect();
        ui.stays(&stays);
        let farewell = Farewell {
            stack: name.clone(),
            region: account.region.clone(),
            account: account.caller.account.clone(),
            goes: Vec::new(),
            stays,
        };
        let outcome = Outcome::of(name, Operation::Delete, Ending::NoChanges);
        return Ok(session.end(None, &Outcome { farewell: Some(farewell), ..outcome }, ui));
    };
    // A stack that was planned and never made may have no tags yet, and has nothing in it.
    if !(stack.status.is_review() && stack.tags.is_empty()) {
        deploy::ours(&stack, &template.tags)?;
    }
    if stack.status.is_running() {
        return Err(deploy::busy(account, &stack).await.into());
    }
    if stack.termination_protection {
        let remedy = "aws cloudformation update-termination-protection --no-enable-termination-protection --stack-name";
        return Err(Failure::usage(format!("the stack {name} is protected against deletion"))
            .code(Code::PROTECTED)
            .cause("its termination protection is on")
            .help(format!("if it shall go: {remedy} {name}"))
            .into());
    }
    let farewell = deploy::farewell(account, &stack, &ready.stack, template, left_in_kafka(ready)).await?;
    ui.farewell(&farewell);
    let outcome = if session.agreed(&format!("delete {name}?"), ui).await? {
        session.delete(&stack, ui).await?
    } else {
        Outcome::of(name, Operation::Delete, Ending::Declined)
    };
    Ok(session.end(None, &Outcome { farewell: Some(farewell), ..outcome }, ui))
}

/// What the project's components have made in Kafka for themselves.
fn left_in_kafka(ready: &Ready) -> Vec<Remains> {
    let Ready { project, extensions, catalogue, .. } = ready;
    let services = confluent::services(catalogue, project, extensions, &BTreeMap::new());
    let cluster = preflight::cluster(extensions, catalogue.kafka(), &services);
    let admin = admin(&cluster, &services);
    let topics: BTreeSet<(String, Pattern)> =
        services.iter().flat_map(|service| confluent::own_topics(service.component, &service.properties)).collect();
    let mut left: Vec<Remains> = topics
        .iter()
        .map(|(name, pattern)| {
            let removal = if cluster.provider == Provider::ConfluentCloud {
                grant::confluent_topic_deletion(name, *pattern, &admin)
            } else {
                grant::kafka_topic_deletion(name, *pattern, &admin)
            };
            let what = match pattern {
                Pattern::Literal => format!("topic {name}"),
                Pattern::Prefixed => format!("topics that begin with {name}"),
            };
            Remains { what, removal: removal.iter().map(|word| shell(word)).collect::<Vec<_>>().join(" ") }
        })
        .collect();
    if !services.is_empty() {
        left.push(Remains {
            what: "ACLs and consumer groups in Kafka".to_owned(),
            removal: "`confluent-ecs acl list` shows them; the cluster's own tools remove them".to_owned(),
        });
    }
    left
}
