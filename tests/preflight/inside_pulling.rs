//! Who pulls the task's image: the service's own execution role where it can, else a copy; and whether it may, before anything is made.

use serde_json::{Value, json};

use super::inside::{INSIDE, Inside, of};
use super::inside_parts::Parts;
use super::text;
use crate::support::bed::{all_brokers, bed};

const ECR: &str = "AmazonEC2ContainerRegistry_V20150921";

/// Names the service's image anew.
fn image_is(inside: &Inside, image: &str) {
    let path = inside.shop.project.folder.path().join("docker-compose.yml");
    let mut file: serde_yaml::Value = serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    file["services"]["connect"]["image"] = image.into();
    file["services"]["connect"]["x-confluent"] = serde_yaml::from_str("{ component: connect }").unwrap();
    std::fs::write(path, serde_yaml::to_string(&file).unwrap()).unwrap();
}

fn deploy(inside: &Inside) {
    let up = inside.run(&["up", "--env", "dev", "--skip-preflight", "--yes"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
}

/// The task's execution role, and the small stack's template.
fn started(inside: &Inside) -> (String, Value) {
    let ran = inside.run(&[&INSIDE[..], &["--only", "kafka"]].concat());
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let role = text(&inside.requests("RegisterTaskDefinition").last().unwrap()["executionRoleArn"]);
    let stack = format!("{}-dev-preflight", inside.group);
    let answer = inside.shop.form("cloudformation", "2010-05-15", &[("Action", "GetTemplate"), ("StackName", &stack)]);
    let body = answer.split("<TemplateBody>").nth(1).unwrap().split("</TemplateBody>").next().unwrap();
    let template =
        body.replace("&quot;", "\"").replace("&#34;", "\"").replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&");
    (role, serde_json::from_str(&template).unwrap_or_else(|_| panic!("{template}")))
}

#[test]
fn the_services_own_execution_role_is_taken_where_it_can_pull() {
    let _brokers = all_brokers();
    let inside = Inside::new("ownrole");
    let account = inside.shop.account.clone();
    image_is(&inside, &format!("{account}.dkr.ecr.eu-west-1.amazonaws.com/confluentinc/cp-kafka-connect:8.0.7"));
    deploy(&inside);
    let (role, template) = started(&inside);
    assert!(role.starts_with(&format!("arn:aws:iam::{account}:role/{}-dev-ConnectExecutionRole", inside.group)), "{role}");
    // Only a repository is made, and it lets this very role in.
    let resources = template["Resources"].as_object().unwrap();
    assert_eq!(resources.keys().collect::<Vec<_>>(), ["PreflightRepository"], "{template:#}");
    let statement = &resources["PreflightRepository"]["Properties"]["RepositoryPolicyText"]["Statement"][0];
    assert_eq!(statement["Principal"], json!({ "AWS": [role] }), "{template:#}");
    assert_eq!(
        statement["Action"],
        json!(["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
    );
    // It writes into the service's own log.
    let definition = inside.requests("RegisterTaskDefinition").pop().unwrap();
    let group = text(&definition["containerDefinitions"][0]["logConfiguration"]["options"]["awslogs-group"]);
    assert!(group.contains(&inside.group) && group.contains("ConnectLogGroup") && !group.contains("-preflight"), "{group}");

    // The files give it more than the deployed one has: what is to be is checked, so a copy of that is made.
    let path = inside.shop.project.folder.path().join("envs/dev.yml");
    let mut file: serde_yaml::Value = serde_yaml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    file["services"]["connect"]["x-iam"] = serde_yaml::from_str("{ PermissionsBoundary: bound }").unwrap();
    std::fs::write(&path, serde_yaml::to_string(&file).unwrap()).unwrap();
    let (role, _) = started(&inside);
    assert!(role.contains("-dev-preflight-ConnectExecutionRole"), "{role}");
}

#[test]
fn an_execution_role_that_logs_in_to_no_ecr_is_copied() {
    let _brokers = all_brokers();
    let inside = Inside::new("copiedrole");
    deploy(&inside);
    let (role, template) = started(&inside);
    assert!(role.contains("-dev-preflight-ConnectExecutionRole"), "{role}");
    let policies = template["Resources"]["ConnectExecutionRole"]["Properties"]["Policies"].to_string();
    assert!(policies.contains("ecr:GetAuthorizationToken") && policies.contains("PreflightRepository"), "{policies}");
    assert!(template["Resources"]["PreflightRepository"]["Properties"]["RepositoryPolicyText"].is_null(), "{template:#}");
}

#[test]
fn a_named_role_is_let_into_the_repository_that_is_made_and_must_be_able_to_log_in() {
    let _brokers = all_brokers();
    let parts = Parts::new("letin");
    let inside = &parts.inside;
    let role = parts.execution_role.as_str();
    let ran = inside.run(&[&INSIDE[..], &["--only", "kafka", "--in-vpc-execution-role", role]].concat());
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let stack = format!("{}-dev-preflight", inside.group);
    let answer = inside.shop.form("cloudformation", "2010-05-15", &[("Action", "GetTemplate"), ("StackName", &stack)]);
    assert!(answer.contains("RepositoryPolicyText") && answer.contains(role), "{answer}");

    // Without the right to log in to ECR and to write, it starts nothing; that is told before anything is made.
    let form = [("Action", "DeleteRolePolicy"), ("RoleName", "starts-tasks"), ("PolicyName", "starting")];
    inside.shop.form("iam", "2010-05-08", &form);
    let before = inside.requests("RegisterTaskDefinition").len();
    let ran = inside.run(&[&INSIDE[..], &["--in-vpc-execution-role", role]].concat());
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    for shown in [
        "error[CE685]: --in-vpc-execution-role: a task can't start as starts-tasks: no policy of the execution role allows ecr:GetAuthorizationToken",
        "allows logs:CreateLogStream",
        "it needs ecr:GetAuthorizationToken on *; logs:CreateLogStream, logs:PutLogEvents on arn:aws:logs:eu-west-1:",
    ] {
        assert!(ran.stderr.contains(shown), "{shown} is not in\n{}", ran.stderr);
    }
    assert_eq!(inside.requests("RegisterTaskDefinition").len(), before);
}

#[test]
fn whether_a_named_image_of_ecr_can_be_pulled_is_looked_at_first() {
    let _brokers = all_brokers();
    let parts = Parts::new("pulled");
    let inside = &parts.inside;
    let own = inside.shop.account.clone();
    let run = |image: &str, more: &[&str]| {
        inside.run(
            &[&["preflight", "--env", "dev", "--in-vpc", "--yes", "--only", "kafka", "--in-vpc-image", image], more].concat(),
        )
    };
    let of_account = |account: &str, region: &str| format!("{account}.dkr.ecr.{region}.amazonaws.com/tools/confluent-ecs:1");

    // Of this account: the copy of the execution role is given exactly this repository.
    let ran = run(&of_account(&own, "eu-west-1"), &[]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    let stack = format!("{}-dev-preflight", inside.group);
    let answer = inside.shop.form("cloudformation", "2010-05-15", &[("Action", "GetTemplate"), ("StackName", &stack)]);
    let arn = format!("arn:aws:ecr:eu-west-1:{own}:repository/tools/confluent-ecs");
    assert!(answer.contains(&arn) && !answer.contains("PreflightRepository"), "{answer}");
    // A role that is named must have it, by itself or by the repository.
    let named = ["--in-vpc-execution-role", parts.execution_role.as_str()];
    let ran = run(&of_account(&own, "eu-west-1"), &named);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("allows ecr:BatchCheckLayerAvailability on {arn}")), "{}", ran.stderr);
    inside.shop.aws(ECR, "CreateRepository", &json!({ "repositoryName": "tools/confluent-ecs" }));
    let pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy"];
    let lets = |who: &str, actions: &[&str]| {
        json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": { "AWS": who }, "Action": actions }] })
        .to_string()
    };
    let set = |policy: &str| {
        inside.shop.aws(ECR, "SetRepositoryPolicy", &json!({ "repositoryName": "tools/confluent-ecs", "policyText": policy }))
    };
    set(&lets(&parts.execution_role, &pull));
    let ran = run(&of_account(&own, "eu-west-1"), &named);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);

    // Of another account, which decides by the repository's policy: unread, refused, allowed.
    let other = bed().call("aws/new_account", &json!({}));
    let owner = text(&other["account"]);
    let ran = run(&of_account(&owner, "eu-west-1"), &[]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("whether the task can pull it is not sure: the policy of "), "{}", ran.stderr);
    let theirs = |operation: &str, body: &Value| super::inside::aws_as(&owner, &inside.endpoint(), operation, body);
    theirs("CreateRepository", &json!({ "repositoryName": "tools/confluent-ecs" }));
    let root = format!("arn:aws:iam::{own}:root");
    theirs("SetRepositoryPolicy", &json!({ "repositoryName": "tools/confluent-ecs", "policyText": lets(&root, &pull[3..]) }));
    let ran = run(&of_account(&owner, "eu-west-1"), &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let refused = format!("its policy does not let account {own} do ecr:BatchCheckLayerAvailability");
    assert!(ran.stderr.contains("error[CE685]: --in-vpc-image: ") && ran.stderr.contains(&refused), "{}", ran.stderr);
    theirs("SetRepositoryPolicy", &json!({ "repositoryName": "tools/confluent-ecs", "policyText": lets(&root, &pull) }));
    let ran = run(&of_account(&owner, "eu-west-1"), &[]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(!ran.stderr.contains("is not sure"), "{}", ran.stderr);

    // Of another region: the way there is not that of this VPC's endpoints.
    let ran = run(&of_account(&own, "us-east-1"), &[]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("--in-vpc-image lies in us-east-1: the task needs a way out to it"), "{}", ran.stderr);
    let report: Value = serde_json::from_str(
        &inside
            .run(
                &[
                    &["preflight", "--env", "dev", "--in-vpc", "--yes", "--output", "json", "--only", "kafka", "--in-vpc-image"],
                    &[&*of_account(&own, "us-east-1")][..],
                ]
                .concat(),
            )
            .stdout,
    )
    .unwrap();
    assert_eq!(of(&report, "CE680")[0]["status"], "passed", "{report:#}");
}
