//! `up`: preflight → plan → confirm → deploy → watch.

use super::images;
use super::preflight;
use super::project::{Ready, Request, load, placed};
use super::session::{Session, must_be_answerable};
use super::world::block_on;
use crate::aws::{Account, Parameter, Stack};
use crate::base::{Exit, Operation, Result};
use crate::cli::{Cli, UpArgs};
use crate::deploy::{self, Beginning, Ending, Preparation, Prepared, Storage, Wanted, What};
use crate::ui::Ui;

pub(super) fn run(cli: &Cli, args: &UpArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    ready.must_hold_something()?;
    must_be_answerable("up", cli, ui)?;
    if args.skip_preflight {
        ui.note("preflight skipped, as asked for: nothing is known of Kafka, network and secrets");
    } else if let Some(exit) = preflight::before_deploy(cli, args, ui)? {
        return Ok(exit);
    }
    block_on(async {
        let session = Session::begin("up", cli, name, &ready, &args.watching).await?;
        let session = session.kept_in(args.bucket.as_deref());
        up(&session, args, &ready, ui).await
    })
}

async fn up(session: &Session<'_>, args: &UpArgs, ready: &Ready, ui: &mut Ui) -> Result<Exit> {
    let (account, template) = (&session.account, &ready.template);
    images::must_be_pushed(account, ready, session.again(), ui).await?;
    let prepared = if let Some(name) = &args.change_set {
        taken_up(session, args, name, ui).await?
    } else {
        let free = match free_way(session, args, ui).await? {
            Way::Free(free) => free,
            Way::Ended(exit) => return Ok(exit),
        };
        if !goes_on_here(session, free.beginning, ui).await? {
            return Ok(session.end_early(Operation::Create, Ending::Declined, None, ui));
        }
        let current = free.current.as_ref();
        let bucket = match bucket(session, args, free.beginning.operation(), ui).await? {
            Place::Known(bucket) => bucket,
            Place::Declined(exit) => return Ok(exit),
        };
        let bucket = bucket.as_deref();
        let wanted =
            Wanted { template, parameters: &free.parameters, beginning: free.beginning, current, bucket, what: What::Files };
        match deploy::prepare(account, wanted, session.interrupted()).await? {
            Preparation::Ready(prepared) => *prepared,
            Preparation::NoChanges => {
                let operation = free.beginning.operation();
                return match &free.current {
                    Some(stack) => session.unchanged(stack, operation, ui).await,
                    None => Ok(session.end_early(operation, Ending::NoChanges, None, ui)),
                };
            }
            Preparation::Refused(refusal) => return Err(refusal.failure().into()),
        }
    };
    session.carry_out(&prepared, "deploy this?", ui).await
}

/// A stack that would be new here and was deployed elsewhere before: the credentials may be those of another account.
async fn goes_on_here(session: &Session<'_>, beginning: Beginning, ui: &mut Ui) -> Result<bool> {
    if !matches!(beginning, Beginning::Create { .. }) {
        return Ok(true);
    }
    let (account, stack) = (&session.account, &session.ready.template.stack_name);
    let last = deploy::journal::runs(&session.ready.project.directory).into_iter().find(|run| run.header.stack == *stack);
    let elsewhere = |run: &deploy::journal::Run| {
        run.header.operation != Operation::Delete
            && (&run.header.account, &run.header.region) != (&account.caller.account, &account.region)
    };
    let Some(run) = last.filter(elsewhere) else { return Ok(true) };
    ui.note(&format!(
        "{stack} was last deployed into {} {} (at {}); this is {} {}, which has no such stack",
        run.header.account, run.header.region, run.header.at, account.caller.account, account.region
    ));
    session.agreed("make it here, too?", ui).await
}

/// Where the template lies.
enum Place {
    /// In this bucket, or in the call.
    Known(Option<String>),
    Declined(Exit),
}

/// The bucket for a template that is too large for a call, made with consent where it isn't there.
async fn bucket(session: &Session<'_>, args: &UpArgs, operation: Operation, ui: &mut Ui) -> Result<Place> {
    let (account, template) = (&session.account, &session.ready.template);
    match deploy::storage(account, &template.to_json_minified(), args.bucket.as_deref()).await? {
        Storage::Inline => Ok(Place::Known(None)),
        Storage::Bucket(bucket) => Ok(Place::Known(Some(bucket))),
        Storage::NewBucket(bucket) => {
            ui.note(&format!(
                "the template is too large for a call; CloudFormation reads it from a bucket, and there is no {bucket} yet"
            ));
            let question = format!("make the bucket {bucket} (encrypted, versioned, closed to the public, TLS only)?");
            if !session.agreed(&question, ui).await? {
                return Ok(Place::Declined(session.end_early(operation, Ending::Declined, None, ui)));
            }
            account.make_bucket(&bucket).await?;
            ui.note(&format!("made the bucket {bucket}; it stays when the stack goes"));
            Ok(Place::Known(Some(bucket)))
        }
    }
}

/// The change set of an earlier plan, as long as it still fits the stack.
async fn taken_up(session: &Session<'_>, args: &UpArgs, name: &str, ui: &mut Ui) -> Result<Prepared> {
    let (account, template) = (&session.account, &session.ready.template);
    let current = account.stack(&template.stack_name).await?;
    let beginning = deploy::beginning(current.as_ref(), &template.tags, args.adopt)?;
    if let Some(stack) = &current
        && let Some(failure) = deploy::way_out(beginning, stack)
    {
        return Err(stands_in_the_way(account, beginning, stack, failure).await);
    }
    let prepared = deploy::take_up(account, current.as_ref(), &template.stack_name, name).await?;
    if !deploy::holds(account, &prepared, template).await? {
        ui.note(&format!("the compose files have changed since {name} was made: what it was made from is deployed"));
    }
    Ok(prepared)
}

async fn stands_in_the_way(
    account: &Account,
    beginning: Beginning,
    stack: &Stack,
    failure: crate::base::Failure,
) -> crate::base::Error {
    if beginning == Beginning::Busy { deploy::busy(account, stack).await.into() } else { failure.into() }
}

/// A stack for which a change set can be made.
struct Free {
    current: Option<Stack>,
    beginning: Beginning,
    parameters: Vec<Parameter>,
}

enum Way {
    Free(Box<Free>),
    /// The run has ended on the way there.
    Ended(Exit),
}

/// Brings the stack into a state in which a change set can be made: what an earlier run has left half done is brought to its end, with
/// consent. Everything that can be known to be missing is known before anything is touched.
async fn free_way(session: &Session<'_>, args: &UpArgs, ui: &mut Ui) -> Result<Way> {
    let (account, template) = (&session.account, &session.ready.template);
    // Each way out leads to a state in which a change set can be made, or ends the run; twice the same one is no way out.
    let mut taken = None;
    loop {
        let current = account.stack(&template.stack_name).await?;
        let beginning = deploy::beginning(current.as_ref(), &template.tags, args.adopt)?;
        let parameters = deploy::parameters(account, template, current.as_ref()).await;
        let parameters = parameters.map_err(|error| placed(error, &session.ready.project))?;
        let Some((stack, failure)) = current.as_ref().and_then(|stack| Some((stack, deploy::way_out(beginning, stack)?))) else {
            return Ok(Way::Free(Box::new(Free { current, beginning, parameters })));
        };
        if beginning == Beginning::Busy || taken.replace(beginning) == Some(beginning) {
            return Err(stands_in_the_way(account, beginning, stack, failure).await);
        }
        if let Some(exit) = take_way_out(session, beginning, stack, ui).await? {
            return Ok(Way::Ended(exit));
        }
    }
}

/// Takes the way out of a state, with consent. Gives the exit where the run ends with it.
async fn take_way_out(session: &Session<'_>, beginning: Beginning, stack: &Stack, ui: &mut Ui) -> Result<Option<Exit>> {
    let (name, status) = (&stack.name, &stack.status);
    let (said, question, operation) = match beginning {
        Beginning::DeleteFirst => {
            let what = if status.as_str() == "DELETE_FAILED" { "deletion" } else { "creation" };
            let said = format!("the {what} of {name} failed ({status}); what is left of it must be deleted first");
            (said, "delete what is left of it?", Operation::Delete)
        }
        Beginning::ContinueRollback => {
            let said = format!("the rollback of {name} failed half way ({status}); it must be brought to its end first");
            (said, "continue the rollback?", Operation::Update)
        }
        _ => {
            let said = format!("the last update of {name} failed and was left as it is ({status}); it must be rolled back first");
            (said, "roll it back?", Operation::Update)
        }
    };
    ui.note(&said);
    if let Some(reason) = &stack.reason {
        ui.note(&format!("  {reason}"));
    }
    if !session.agreed(question, ui).await? {
        return Ok(Some(session.end_early(operation, Ending::Declined, None, ui)));
    }
    let outcome = match beginning {
        Beginning::DeleteFirst => session.delete(stack, ui).await?,
        _ => session.roll_back(stack, beginning, ui).await?,
    };
    let wanted = if operation == Operation::Delete { Ending::Complete } else { Ending::TakenBack };
    Ok((outcome.ending != wanted).then(|| session.end(None, &outcome, ui)))
}
