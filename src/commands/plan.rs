//! `plan`: what a deploy would change, from a real change set that is taken away again unless it shall be kept.

use super::images;
use super::project::{Request, load, placed};
use super::world::{Interrupt, block_on, connect_unless};
use crate::base::{Error, Exit, Failure, Result};
use crate::cli::{Cli, PlanArgs};
use crate::deploy::{self, Preparation, Storage, Wanted, What};
use crate::ui::{Place, PlanView, Ui};

pub(super) fn run(cli: &Cli, args: &PlanArgs, ui: &mut Ui) -> Result<Exit> {
    let name = args.stack.name.as_deref();
    let ready = load(&Request { project: &cli.project, name, account: None, touches_stack: true }, ui)?;
    ready.must_hold_something()?;
    let template = &ready.template;
    block_on(async {
        let interrupt = Interrupt::listen();
        let account = connect_unless(&interrupt).await?;
        let current = account.stack(&template.stack_name).await?;
        let beginning = deploy::beginning(current.as_ref(), &template.tags, args.adopt)?;
        if let Some(stack) = &current
            && let Some(failure) = deploy::way_out(beginning, stack)
        {
            return Err(if stack.status.is_running() { deploy::busy(&account, stack).await } else { failure }.into());
        }
        let parameters = deploy::parameters(&account, template, current.as_ref()).await;
        let parameters = parameters.map_err(|error| placed(error, &ready.project))?;
        let bucket = match deploy::storage(&account, &template.to_json_minified(), args.bucket.as_deref()).await? {
            Storage::Inline => None,
            Storage::Bucket(bucket) => Some(bucket),
            Storage::NewBucket(bucket) => return Err(deploy::needs_a_bucket(template, &bucket).into()),
        };
        let bucket = bucket.as_deref();
        let wanted =
            Wanted { template, parameters: &parameters, beginning, current: current.as_ref(), bucket, what: What::Files };
        let again = cli.project.again(name);
        let place = Place { account: &account.caller.account, region: &account.region };
        let view = PlanView { place, stack: &template.stack_name, operation: beginning.operation(), again: &again };
        let mut prepared = match deploy::prepare(&account, wanted, interrupt.wait()).await? {
            Preparation::Ready(prepared) => prepared,
            Preparation::NoChanges => {
                ui.no_changes(&view);
                return Ok(Exit::Done);
            }
            Preparation::Refused(refusal) => {
                ui.refused_plan(&view, &refusal);
                return Err(refusal.failure().into());
            }
        };
        // The plan holds; the deploy would not.
        if let Err(Error::Failure(failure)) = images::must_be_pushed(&account, &ready, &again, ui).await {
            ui.note(&format!("{}; {}", failure.headline, failure.help.join("; ")));
        }
        let exit = if args.detailed_exitcode { Exit::Changes } else { Exit::Done };
        if args.keep && !interrupt.happened() {
            prepared.keep();
        }
        prepared.discard(&account).await?;
        if interrupt.happened() {
            return Err(Failure::new(Exit::Interrupted, "interrupted; nothing was changed").into());
        }
        ui.plan_result(&view, &prepared.plan, args.keep.then_some(prepared.name.as_str()), exit);
        Ok(exit)
    })
}
