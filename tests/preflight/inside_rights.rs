//! What `iam-policy --in-vpc` allows: every call that a run makes, as the bed's audit saw it, and no more than its flags leave to do.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::inside::INSIDE;
use super::inside_parts::Parts;
use super::text;
use crate::support::bed::{all_brokers, bed};

/// How the bed names a service, and how IAM does.
fn iam(service: &str) -> &str {
    match service {
        "tagging" | "resourcegroupstaggingapi" => "tag",
        "cloudwatchlogs" => "logs",
        other => other,
    }
}

fn policy(parts: &Parts, flags: &[&str]) -> Value {
    let arguments = [
        &["iam-policy", "--env", "dev", "--in-vpc", "--region", "eu-west-1", "--account"],
        &[&*parts.inside.shop.account][..],
        flags,
    ];
    let ran = parts.inside.run(&arguments.concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn list(value: &Value) -> Vec<String> {
    value.as_array().map_or_else(|| vec![text(value)], |list| list.iter().map(text).collect())
}

/// The resources that an action is allowed on.
fn on(policy: &Value, action: &str) -> BTreeSet<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements
        .filter(|statement| list(&statement["Action"]).contains(&action.to_owned()))
        .flat_map(|statement| list(&statement["Resource"]))
        .collect()
}

#[test]
fn every_call_of_a_run_in_the_vpc_is_allowed_and_flags_take_rights_away() {
    let _brokers = all_brokers();
    let parts = Parts::new("allowed");
    let (inside, account) = (&parts.inside, parts.inside.shop.account.clone());
    // A fault that changes nothing: it puts every request into the audit log.
    bed().call("aws/fault", &json!({ "account": account, "kind": "latency", "seconds": 0 }));
    let road = text(&bed().facts("aws")["fault_endpoint"]);
    let calls = |arguments: &[&str]| {
        let ran = inside.run_through(&road, arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}\n{}", ran.stdout, ran.stderr);
        let seen = bed().call("aws/faults", &json!({ "account": account }));
        let fired = seen["fired"].as_array().unwrap().iter();
        let calls = fired.map(|fired| format!("{}:{}", iam(fired["service"].as_str().unwrap()), text(&fired["operation"])));
        calls.filter(|call| call != "sts:GetCallerIdentity").collect::<BTreeSet<_>>()
    };
    let named: Vec<&str> = parts.flags().into_iter().flat_map(<[&str; 2]>::from).collect();
    let mut seen = BTreeSet::new();
    for flags in [&[][..], &named] {
        let command: &[&str] = if flags.is_empty() { &INSIDE } else { &["preflight", "--env", "dev", "--in-vpc", "--yes"] };
        let policy = policy(&parts, flags);
        // The log is of both runs: what the first did is not asked of the second's policy.
        let before = seen.clone();
        seen.extend(calls(&[command, flags].concat()));
        let missing: Vec<_> = seen.difference(&before).filter(|call| on(&policy, call).is_empty()).collect();
        assert!(missing.is_empty(), "{flags:?} not in the policy: {missing:?}\nseen: {seen:?}");
    }
    for call in ["ecs:RunTask", "ecs:DeleteTaskDefinitions", "iam:GetRole", "iam:ListRolePolicies", "logs:GetLogEvents"] {
        assert!(seen.contains(call), "{call} was not made: {seen:?}");
    }

    // Everything made: rights on what is made, none on what could have been named.
    let group = &inside.group;
    let made = policy(&parts, &[]);
    let repository = format!("arn:aws:ecr:eu-west-1:{account}:repository/{group}-dev-preflight-*");
    assert!(on(&made, "ecr:PutImage").contains(&repository) && on(&made, "ecr:UntagResource").contains(&repository), "{made:#}");
    let stack = format!("arn:aws:cloudformation:eu-west-1:{account}:stack/{group}-dev-preflight/*");
    assert!(on(&made, "cloudformation:ExecuteChangeSet").contains(&stack), "{made:#}");
    assert!(on(&made, "iam:ListAttachedRolePolicies").iter().all(|role| role.contains(group.as_str())), "{made:#}");
    // Everything named: no stack, no repository; each part may be looked at, and used.
    let all = policy(&parts, &named);
    assert!(!all.to_string().contains("-dev-preflight/*") && on(&all, "ecr:PutImage").is_empty(), "{all:#}");
    assert_eq!(on(&all, "ecs:StopTask"), [format!("arn:aws:ecs:eu-west-1:{account}:task/checks/*")].into());
    let role = &parts.execution_role;
    for action in ["iam:GetRole", "iam:GetRolePolicy", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies", "iam:PassRole"] {
        assert!(on(&all, action).contains(role), "{action}: {all:#}");
    }
    let streams = format!("arn:aws:logs:eu-west-1:{account}:log-group:/checks:log-stream:preflight/preflight/*");
    assert!(on(&all, "logs:GetLogEvents").contains(&streams), "{all:#}");
    // An image of another account and region.
    let image = "999988887777.dkr.ecr.us-east-1.amazonaws.com/tools/confluent-ecs:1";
    let foreign = policy(&parts, &["--in-vpc-image", image]);
    let arn = "arn:aws:ecr:us-east-1:999988887777:repository/tools/confluent-ecs".to_owned();
    assert!(
        ["ecr:BatchGetImage", "ecr:GetRepositoryPolicy"].iter().all(|action| on(&foreign, action).contains(&arn)),
        "{foreign:#}"
    );
    // What is typed wrong is told.
    let wrong = inside.run(&["iam-policy", "--env", "dev", "--in-vpc", "--in-vpc-execution-role", "checks"]);
    assert!(wrong.code == 2 && wrong.stderr.contains("--in-vpc-execution-role: checks is not the ARN of a role"), "{wrong:?}");
    assert_eq!(inside.run(&["iam-policy", "--env", "dev", "--in-vpc-cluster", "checks"]).code, 2);
}
