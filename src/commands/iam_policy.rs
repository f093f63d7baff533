//! `iam-policy`: the least IAM policy that deploying this project needs. Needs no account.

use std::env;

use serde_json::json;

use super::in_vpc::EcrRepository;
use super::project::{Request, load};
use super::scram;
use crate::base::{Exit, Failure, Result};
use crate::cli::{IamPolicyArgs, InVpcParts, ProjectArgs};
use crate::deploy::{self, InVpc, NamedImage, Scope};
use crate::images::Reference;
use crate::ui::Ui;

/// What a policy may hold without its blanks, where it is a managed one.
const LONGEST: usize = 6_144;

pub(super) fn run(project: &ProjectArgs, args: &IamPolicyArgs, ui: &mut Ui) -> Result<Exit> {
    let request = Request { project, name: args.stack.name.as_deref(), account: None, touches_stack: false };
    let ready = load(&request, ui)?;
    let mut scope = scope(args)?;
    scope.scram_cluster = scram::is_wanted(&ready.extensions).then(|| scram::written_cluster(&ready.extensions));
    let policy = deploy::deployer_policy(&ready.stack, &ready.template, &scope);
    if ui.wants_json() {
        ui.json(
            &json!({ "schema": "confluent-ecs/iam-policy/v1", "stack": ready.template.stack_name, "policy": policy.document }),
        );
    } else {
        ui.json(&policy.document);
    }
    if scope.account.is_none() || scope.region.is_none() {
        ui.note("it holds in every account and region; narrow it with --account and --region, or AWS_ACCOUNT_ID and AWS_REGION");
    }
    for kind in &policy.unknown_types {
        ui.note(&format!("{kind} comes from your overlay: add what its handler needs"));
    }
    let length = policy.document.to_string().len();
    if length > LONGEST {
        ui.note(&format!("it has {length} characters, and a managed policy may have {LONGEST}: split it by its statements"));
    }
    Ok(Exit::Done)
}

/// What was typed, else AWS's own variables.
fn scope(args: &IamPolicyArgs) -> Result<Scope> {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let account = args.account.clone().or_else(|| variable("AWS_ACCOUNT_ID"));
    let region = args.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
    if let Some(account) = account.as_ref().filter(|id| id.len() != 12 || !id.chars().all(|c| c.is_ascii_digit())) {
        return Err(Failure::usage(format!("\"{account}\" is no AWS account: it has twelve digits")).into());
    }
    let is_region = |region: &str| region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if let Some(region) = region.as_ref().filter(|region| !is_region(region)) {
        return Err(Failure::usage(format!("\"{region}\" is no AWS region: one is eu-west-1")).into());
    }
    let in_vpc = if args.in_vpc { Some(in_vpc(&args.in_vpc_parts)?) } else { None };
    Ok(Scope { region, account, scram_cluster: None, in_vpc })
}

/// What the flags name. Nobody is asked whether it is there.
fn in_vpc(parts: &InVpcParts) -> Result<InVpc> {
    let role = |flag: &str, arn: &Option<String>| match arn {
        Some(arn) if !arn.starts_with("arn:") || !arn.contains(":role/") => {
            Err(Failure::usage(format!("--in-vpc-{flag}: {arn} is not the ARN of a role"))
                .help("name one as arn:aws:iam::ACCOUNT:role/NAME"))
        }
        arn => Ok(arn.clone()),
    };
    let image = match &parts.in_vpc_image {
        None => None,
        Some(image) => {
            Reference::parse(image).map_err(|why| Failure::usage("--in-vpc-image: the image's name is wrong").cause(why))?;
            let ecr = EcrRepository::of(image);
            let ecr = ecr.map(|EcrRepository { owner, region, name }| NamedImage::Ecr { owner, region, repository: name });
            Some(ecr.unwrap_or(NamedImage::Elsewhere))
        }
    };
    Ok(InVpc {
        image,
        execution_role: role("execution-role", &parts.in_vpc_execution_role)?,
        task_role: role("task-role", &parts.in_vpc_task_role)?,
        groups: !parts.in_vpc_security_group.is_empty(),
        cluster: parts.in_vpc_cluster.clone(),
        log_group: parts.in_vpc_log_group.clone(),
    })
}
