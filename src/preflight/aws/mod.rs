//! The account: who asks, and whether it has what the tasks need before they run. Without one each check is skipped, with the reason.
//!
//! Comes in: what the account said ([`AccountFacts`]), read beforehand by small calls that change nothing. Goes out: checks. Pure.

mod facts;
mod network;
mod policy;
mod roles;

pub use facts::{AccountFacts, FamilyFacts, ImageFacts, ImageState, KeyAccess, Read, Roads, RoleFacts, SecretAccess, Validated};
pub use policy::resolved;
pub use roles::{LOG as LOG_RIGHTS, May, PULL as PULL_RIGHTS, TOKEN as LOGIN_RIGHT, may};

use std::collections::BTreeSet;

use super::config::of_finding;
use super::fix::Fix;
use super::input::Input;
use super::report::{Category, Check, Origin, Status};
use super::runner::Plan;
use crate::base::Code;

/// The checks that need an account, as they are shown where there is none.
const NEED_ACCOUNT: [(Code, &str, &str); 7] = [
    (Code::NOT_IN_ACCOUNT, "lookups", "lookups"),
    (Code::SUBNET_ROOM, "subnets", "subnets"),
    (Code::WAY_OUT, "way-out", "way out"),
    (Code::ROLE_READS, "role", "roles"),
    (Code::IMAGE_THERE, "image", "images"),
    (Code::PROVIDERS, "capacity", "capacity providers"),
    (Code::CHANGE_SET_REFUSED, "validation", "template validation"),
];

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
    let Some(facts) = &input.account else {
        let why = input.aws_keys.as_ref().err().map_or("AWS was not asked", String::as_str);
        for (code, id, label) in NEED_ACCOUNT {
            plan.known(Check::new(code, Category::Aws, id, label).ended(Status::Skipped, why));
        }
        return;
    };
    lookups(facts, plan);
    network::plan(facts, plan);
    roles::plan(facts, plan);
    images(facts, plan);
    providers(facts, plan);
    validation(facts, plan);
}

fn lookups(facts: &AccountFacts, plan: &mut Plan) {
    let check = |id: &str| Check::new(Code::NOT_IN_ACCOUNT, Category::Aws, id, "what the files look up in the account");
    let mut one = check("lookups");
    "lookups".clone_into(&mut one.label);
    match &facts.lookups {
        Err(why) => drop(plan.known(one.ended(Status::Unknown, why.clone()))),
        Ok((found, findings)) if findings.is_empty() => {
            plan.known(
                one.passed(format!("{found} thing{} of the account, each found once", if *found == 1 { "" } else { "s" })),
            );
        }
        Ok((_, findings)) => {
            for (number, finding) in (1..).zip(findings.iter()) {
                let mut check = of_finding(check(&format!("lookups/{number}")), finding);
                check.code = finding.code;
                check.why = Some("the deploy would stop before it has begun".to_owned());
                plan.known(check);
            }
        }
    }
}

fn images(facts: &AccountFacts, plan: &mut Plan) {
    let images = match &facts.images {
        Ok(images) => images,
        Err(why) => {
            plan.known(Check::new(Code::IMAGE_THERE, Category::Aws, "image", "images").ended(Status::Unknown, why.clone()));
            return;
        }
    };
    for image in images {
        let ImageFacts { image: name, architecture, .. } = image;
        let mut check = Check::new(Code::IMAGE_THERE, Category::Aws, format!("image/{name}"), format!("the image {name}"));
        "image".clone_into(&mut check.label);
        check.service = Some(image.services.join(", "));
        check.origin = image.place.as_ref().map(Origin::from);
        let services = image.services.join(" ");
        let push = format!("docker compose build {services} && docker compose push {services}");
        let (why, fix) = match &image.state {
            ImageState::There { digest } => {
                plan.known(check.passed(format!("{name}, for {architecture}, {digest}")));
                continue;
            }
            ImageState::Unasked(why) => {
                plan.known(check.ended(Status::Unknown, why.clone()));
                continue;
            }
            ImageState::NoName(why) => (why.clone(), "write a name as in confluentinc/cp-kafka-connect:8.0.7".to_owned()),
            ImageState::OtherPlugins => (
                format!("{name} holds other plugins than the files name"),
                "somebody has put another image there: take it out of ECR, then confluent-ecs images push".to_owned(),
            ),
            ImageState::Missing if image.plugins => (
                format!("the image with the plugins of {services} is not in ECR: {name}"),
                format!("confluent-ecs images push {services}"),
            ),
            ImageState::Missing if image.built => (format!("{name} is built by the project, and not pushed yet"), push),
            ImageState::Missing => {
                (format!("there is no {name}"), "look at the tag; `confluent-ecs images check` says more".to_owned())
            }
            ImageState::OtherPlatforms(platforms) => {
                let fix = if image.built {
                    format!("build it for linux/{architecture}: docker compose build with platforms: [linux/{architecture}]")
                } else {
                    "take an image for this processor, or another x-ecs.CpuArchitecture".to_owned()
                };
                (format!("{name} is for {}, and the task is linux/{architecture}", platforms.join(", ")), fix)
            }
        };
        let mut check = check.ended(Status::Failed, why);
        check.why = Some("ECS pulls the image when a task starts: without it, none does".to_owned());
        check.fixes = vec![Fix::advice(fix)];
        plan.known(check);
    }
}

fn providers(facts: &AccountFacts, plan: &mut Plan) {
    let mut check = Check::new(Code::PROVIDERS, Category::Aws, "capacity", "capacity providers of the cluster");
    "capacity providers".clone_into(&mut check.label);
    let wanted: BTreeSet<&str> = facts.families.iter().flat_map(|family| &family.providers).map(String::as_str).collect();
    let check = match &facts.cluster {
        _ if wanted.is_empty() => check.passed("none is named: the launch type is FARGATE"),
        None => check.ended(Status::Skipped, "deployed by this stack"),
        Some((_, Err(why))) => check.ended(Status::Unknown, why.clone()),
        Some((name, Ok(there))) => {
            let missing: Vec<&str> =
                wanted.iter().copied().filter(|wanted| !there.names.iter().any(|name| name == wanted)).collect();
            if missing.is_empty() {
                check.passed(format!("{} of {name}", wanted.into_iter().collect::<Vec<_>>().join(", ")))
            } else {
                let verb = if missing.len() == 1 { "is" } else { "are" };
                let mut check = check.ended(Status::Failed, format!("{} {verb} not associated with {name}", missing.join(", ")));
                check.why =
                    Some("ECS refuses a service whose strategy names a provider that its cluster doesn't have".to_owned());
                let mut argv: Vec<String> =
                    ["aws", "ecs", "put-cluster-capacity-providers", "--cluster", name].map(str::to_owned).into();
                argv.push("--capacity-providers".to_owned());
                argv.extend(there.names.iter().cloned().chain(missing.iter().map(|name| (*name).to_owned())));
                // The call replaces both lists: what is there is said again.
                argv.push("--default-capacity-provider-strategy".to_owned());
                if there.default_strategy.is_empty() {
                    argv.push("[]".to_owned());
                }
                argv.extend(there.default_strategy.iter().cloned());
                check.missing = missing.iter().map(|name| (*name).to_owned()).collect();
                check.fixes = vec![Fix::Command { argv }];
                check
            }
        }
    };
    plan.known(check);
}

fn validation(facts: &AccountFacts, plan: &mut Plan) {
    let mut check =
        Check::new(Code::CHANGE_SET_REFUSED, Category::Aws, "validation", "CloudFormation's own look at the template");
    "template validation".clone_into(&mut check.label);
    check.evidence = Some("cloudformation:ValidateTemplate".to_owned());
    plan.known(match &facts.validation {
        Validated::Yes => check.passed("CloudFormation takes the template"),
        Validated::Unasked(why) => check.ended(Status::Skipped, why.clone()),
        Validated::No(why) => {
            let mut check = check.ended(Status::Failed, format!("CloudFormation refuses the template: {why}"));
            check.why = Some("the deploy would stop before it has begun".to_owned());
            check.fixes = vec![Fix::advice("look at what `Resources` of the compose files adds, which is taken as it stands; the rest is a fault of this program")];
            check
        }
    });
}
