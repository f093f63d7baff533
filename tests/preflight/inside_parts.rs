//! `--in-vpc` with parts that are there already, each named by its flag: alone, all together, and wrong.

use serde_json::{Value, json};

use super::inside::{INSIDE, Inside, of};
use super::text;
use crate::support::bed::{all_brokers, bed};

const LOGS: &str = "Logs_20140328";

/// What the account has beside the project's own: a role for each purpose, a group of the project's VPC and one of another, a cluster, a
/// log group, an image of the program.
pub(super) struct Parts {
    pub(super) inside: Inside,
    pub(super) execution_role: String,
    task_role: String,
    group: String,
    foreign: String,
    image: String,
}

impl Parts {
    pub(super) fn new(name: &str) -> Self {
        let inside = Inside::new(name);
        let shop = &inside.shop;
        let role = |name: &str, service: &str| {
            let trust = json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }] });
            let form = [("Action", "CreateRole"), ("RoleName", name), ("AssumeRolePolicyDocument", &trust.to_string())];
            shop.form("iam", "2010-05-08", &form);
            let starting = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Resource": "*",
                "Action": ["ecr:GetAuthorizationToken", "logs:CreateLogStream", "logs:PutLogEvents"] }] });
            let form = [
                ("Action", "PutRolePolicy"),
                ("RoleName", name),
                ("PolicyName", "starting"),
                ("PolicyDocument", &starting.to_string()),
            ];
            shop.form("iam", "2010-05-08", &form);
            format!("arn:aws:iam::{}:role/{name}", shop.account)
        };
        let execution_role = role("starts-tasks", "ecs-tasks.amazonaws.com");
        let task_role = role("checks", "ecs-tasks.amazonaws.com");
        role("of-lambda", "lambda.amazonaws.com");
        let group = |vpc: &str, name: &str| {
            let form = [("Action", "CreateSecurityGroup"), ("GroupName", name), ("GroupDescription", "a test's"), ("VpcId", vpc)];
            let answer = shop.form("ec2", "2016-11-15", &form);
            answer.split("<groupId>").nth(1).unwrap_or_else(|| panic!("{answer}")).split('<').next().unwrap().to_owned()
        };
        let other = bed().call("aws/seed", &json!({ "account": shop.account, "name": "other", "cidr": "10.7.0.0/16" }));
        let (own, foreign) = (group(&text(&shop.seeded["vpc"]), "let-in"), group(&text(&other["vpc"]), "elsewhere"));
        bed().call("aws/seed", &json!({ "account": shop.account, "tiers": [], "cluster": "checks" }));
        shop.aws(LOGS, "CreateLogGroup", &json!({ "logGroupName": "/checks" }));
        let registry = text(&bed().facts("registry")["open"]);
        let image = format!("{registry}/tools/confluent-ecs:{}", inside.group);
        crate::images::make(&registry, &format!("tools/confluent-ecs:{}", inside.group), &["arm64"], 1000);
        Self { inside, execution_role, task_role, group: own, foreign, image }
    }

    /// The flags with values that fit.
    pub(super) fn flags(&self) -> [(&str, &str); 6] {
        [
            ("--in-vpc-image", &self.image),
            ("--in-vpc-execution-role", &self.execution_role),
            ("--in-vpc-task-role", &self.task_role),
            ("--in-vpc-security-group", &self.group),
            ("--in-vpc-cluster", "checks"),
            ("--in-vpc-log-group", "/checks"),
        ]
    }

    fn stacks(&self) -> String {
        self.inside.shop.form("cloudformation", "2010-05-15", &[("Action", "DescribeStacks")])
    }

    fn repositories(&self) -> Value {
        self.inside.shop.aws("AmazonEC2ContainerRegistry_V20150921", "DescribeRepositories", &json!({}))["repositories"].clone()
    }
}

#[test]
fn with_everything_named_nothing_is_made() {
    let _brokers = all_brokers();
    let parts = Parts::new("named");
    let before = parts.repositories();
    let named: Vec<&str> = parts.flags().into_iter().flat_map(<[&str; 2]>::from).collect();
    let ran = parts.inside.run(&[&["preflight", "--env", "dev", "--in-vpc", "--output", "json"], named.as_slice()].concat());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
    assert_eq!(ran.code, 0, "{}\n{report:#}", ran.stderr);
    // Nobody was asked: there was nothing to ask about.
    assert!(!ran.stderr.contains("makes or changes the stack"), "{}", ran.stderr);
    assert!(!parts.stacks().contains("-preflight<"), "{}", parts.stacks());
    assert_eq!(parts.repositories(), before);
    let definition = &parts.inside.requests("RegisterTaskDefinition")[0];
    let container = &definition["containerDefinitions"][0];
    assert_eq!(
        (&definition["executionRoleArn"], &definition["taskRoleArn"]),
        (&json!(parts.execution_role), &json!(parts.task_role))
    );
    assert_eq!((&container["image"], &definition["runtimePlatform"]["cpuArchitecture"]), (&json!(parts.image), &json!("ARM64")));
    assert_eq!(container["logConfiguration"]["options"]["awslogs-group"], "/checks");
    let request = &parts.inside.requests("RunTask")[0];
    assert_eq!(request["cluster"], "checks");
    assert_eq!(request["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"], json!([parts.group]));
    // What others than the service's own were taken for is not proven.
    assert_eq!(of(&report, "CE682").len(), 3, "{report:#}");
    assert_eq!(of(&report, "CE680")[0]["message"], "ran with the service's subnets and secrets, and is gone again");
    assert_eq!(of(&report, "CE680")[0]["subject"]["name"], "checks");
    parts.inside.is_clean_in("checks");
}

#[test]
fn each_part_alone_takes_the_place_of_what_would_be_made() {
    let _brokers = all_brokers();
    let parts = Parts::new("alone");
    let made = ["PreflightRepository", "ConnectExecutionRole", "ConnectTaskRole", "ConnectSecurityGroup", "", "ConnectLogGroup"];
    for ((flag, value), not_made) in parts.flags().into_iter().zip(made) {
        let with: &[&str] = if flag == "--in-vpc-image" { &[] } else { &["--in-vpc-binary", "program"] };
        let arguments = [&["preflight", "--env", "dev", "--in-vpc", "--yes", "--only", "kafka", flag, value], with].concat();
        let ran = parts.inside.run(&arguments);
        assert_eq!(ran.code, 0, "{flag}: {}\n{}", ran.stdout, ran.stderr);
        let stack = format!("{}-dev-preflight", parts.inside.group);
        let query = [("Action", "ListStackResources"), ("StackName", stack.as_str())];
        let resources = parts.inside.shop.form("cloudformation", "2010-05-15", &query);
        let others = ["PreflightRepository", "ConnectExecutionRole", "ConnectTaskRole", "ConnectSecurityGroup"];
        for other in others.into_iter().filter(|other| *other != not_made) {
            assert!(resources.contains(&format!("<LogicalResourceId>{other}<")), "{flag} {other}: {resources}");
        }
        // The copy of the execution role may write into the copy of the log group, which is made with it.
        let gone = !resources.contains(&format!("<LogicalResourceId>{not_made}<"));
        assert!(gone || not_made == "ConnectLogGroup", "{flag}: {resources}");
        let (definition, request) = (parts.inside.requests("RegisterTaskDefinition"), parts.inside.requests("RunTask"));
        let taken = format!("{}{}", definition.last().unwrap(), request.last().unwrap());
        assert!(taken.contains(value), "{flag} {value}: {taken}");
        parts.inside.is_clean_in(if flag == "--in-vpc-cluster" { value } else { "kafka" });
    }
}

#[test]
fn everything_that_is_named_wrong_is_told_at_once_and_nothing_is_made() {
    let parts = Parts::new("misnamed");
    let own = &parts.inside.shop.account;
    let run = |flags: &[(&str, &str)]| {
        let flags: Vec<&str> = flags.iter().flat_map(|(flag, value)| [*flag, *value]).collect();
        let ran = parts.inside.run(&[&["preflight", "--env", "dev", "--in-vpc", "--yes"], flags.as_slice()].concat());
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        ran.stderr
    };
    let gone = format!("arn:aws:iam::{own}:role/gone");
    let lambda = format!("arn:aws:iam::{own}:role/of-lambda");
    let image = parts.image.replace("tools/", "tools/no-");
    let said = run(&[
        ("--in-vpc-image", &image),
        ("--in-vpc-execution-role", &gone),
        ("--in-vpc-task-role", &lambda),
        ("--in-vpc-security-group", &parts.foreign),
        ("--in-vpc-security-group", "sg-0123456789abcdef0"),
        ("--in-vpc-cluster", "cheks"),
        ("--in-vpc-log-group", "/cheks"),
    ]);
    let vpc = text(&parts.inside.shop.seeded["vpc"]);
    for shown in [
        format!("error[CE685]: --in-vpc-execution-role: there is no role gone in account {own}"),
        "error[CE685]: --in-vpc-task-role: ECS may not take the role of-lambda".to_owned(),
        "error[CE685]: --in-vpc-cluster: there is no active cluster cheks in eu-west-1".to_owned(),
        "did you mean checks?".to_owned(),
        "error[CE685]: --in-vpc-log-group: there is no log group /cheks".to_owned(),
        "aws logs create-log-group --log-group-name /cheks".to_owned(),
        format!("error[CE685]: --in-vpc-security-group: {} is of ", parts.foreign),
        format!("the task's subnets are in {vpc}"),
        "error[CE685]: --in-vpc-security-group: there is no security group sg-0123456789abcdef0".to_owned(),
        format!("error[CE685]: --in-vpc-image: its registry has no {image}"),
    ] {
        assert!(said.contains(&shown), "{shown} is not in\n{said}");
    }
    let binary = ("--in-vpc-binary", "program");
    for (flag, value, shown) in [
        ("--in-vpc-task-role", "checks", "checks is not the ARN of a role"),
        ("--in-vpc-task-role", "checks", "aws iam get-role --role-name checks --query Role.Arn"),
        ("--in-vpc-task-role", "arn:aws:iam::999999999999:role/checks", "is a role of account 999999999999"),
        ("--in-vpc-execution-role", &format!("arn:aws:iam::{own}:user/ana"), "is no role"),
        ("--in-vpc-security-group", "let-in", &format!("did you mean {}?", parts.group)),
    ] {
        let said = run(&[binary, (flag, value)]);
        assert!(said.contains(shown), "{shown} is not in\n{said}");
    }
    let said = run(&[("--in-vpc-image", "Not/A:good:name")]);
    assert!(said.contains("--in-vpc-image: the image's name is wrong"), "{said}");
    assert!(parts.inside.requests("RegisterTaskDefinition").is_empty());
    assert!(!parts.stacks().contains("-preflight<"), "{}", parts.stacks());
    // A flag of --in-vpc without it.
    let alone = parts.inside.run(&["preflight", "--env", "dev", "--in-vpc-cluster", "checks"]);
    assert!(alone.code == 2 && alone.stderr.contains("--in-vpc"), "{alone:?}");
    assert!(parts.inside.run(&[&INSIDE[..6], &["--in-vpc-image", &parts.image]].concat()).code == 2);
    assert!(parts.inside.run(&[&INSIDE[..6], &["--in-vpc-timeout", "0"]].concat()).stderr.contains("nothing is done in no time"));
    // What looks first and what doesn't look are not one.
    let up = parts.inside.run(&["up", "--env", "dev", "--in-vpc", "--skip-preflight", "--yes"]);
    assert!(up.code == 2 && up.stderr.contains("cannot be used with"), "{up:?}");
}

#[test]
fn a_network_that_is_not_found_is_told_before_anything_is_made() {
    let inside = Inside::new("nowhere");
    let file = inside.shop.project.folder.path().join("envs/dev.yml");
    let wrong = std::fs::read_to_string(&file).unwrap().replace("Name: shared", "Name: shred");
    std::fs::write(&file, wrong).unwrap();
    let ran = inside.run(&INSIDE);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("envs/dev.yml:") && ran.stderr.contains("Name=shred"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("makes or changes the stack"), "{}", ran.stderr);
}
