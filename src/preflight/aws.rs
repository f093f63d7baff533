//! The account: who asks, or why nobody could.

use super::input::Input;
use super::report::{Category, Check, Status};
use super::runner::Plan;
use crate::base::Code;

pub(super) fn plan(input: &Input, plan: &mut Plan) {
    let mut check = Check::new(Code::CALLER, Category::Aws, "caller", "who calls AWS");
    "caller".clone_into(&mut check.label);
    let check = match (&input.aws, &input.aws_keys) {
        (Some(aws), keys) => {
            let who = keys.as_ref().map_or("known to AWS", |keys| keys.caller.as_str());
            check.passed(format!("{who}, account {}, {}", aws.account, aws.region))
        }
        (None, Err(why)) => check.ended(Status::Skipped, why.clone()),
        (None, Ok(keys)) => check.passed(keys.caller.clone()),
    };
    plan.known(check);
}
