//! Policies of a role, its boundary, a secret and its key in; may the role read the secret out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::facts::{AccountFacts, FamilyFacts, KeyAccess, RoleFacts, SecretAccess, Validated};
use super::{Obstacle, obstacle, of_boundary, of_start};
use crate::aws::KmsKey;

const ACCOUNT: &str = "111122223333";
const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:/shop-AbCdEf";
const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

fn facts() -> AccountFacts {
    AccountFacts {
        account: ACCOUNT.into(),
        region: "eu-west-1".into(),
        lookups: Err(String::new()),
        families: Vec::new(),
        subnets: None,
        roads: Err(String::new()),
        secrets: BTreeMap::new(),
        images: Err(String::new()),
        cluster: None,
        validation: Validated::Yes,
    }
}

/// As the template makes it.
fn role() -> RoleFacts {
    let condition = json!({ "StringEquals": {
        "kms:EncryptionContext:SecretARN": [SECRET], "kms:ViaService": ["secretsmanager.eu-west-1.amazonaws.com"] } });
    let policy = json!({ "Statement": [
        { "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": [SECRET] },
        { "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": ["arn:aws:kms:eu-west-1:111122223333:key/*"], "Condition": condition },
    ] });
    RoleFacts {
        kind: "execution",
        name_start: "shop-dev-".into(),
        whole_name: false,
        policies: vec![policy],
        unread: Vec::new(),
        boundary: None,
        secrets: vec!["shop".into()],
    }
}

fn access(policy: Option<Value>, key: KeyAccess) -> SecretAccess {
    SecretAccess { arn: SECRET.into(), name: "/shop".into(), policy: Ok(policy), key }
}

fn key(state: &str, policy: Value) -> KeyAccess {
    let key = KmsKey { arn: KEY.into(), state: state.into(), by_aws: false };
    KeyAccess::Key { key, policy: Ok(Some(policy)) }
}

fn statement(effect: &str, principal: &str, action: &str) -> Value {
    json!({ "Statement": [{ "Sid": "One", "Effect": effect, "Principal": { "AWS": principal }, "Action": action, "Resource": "*" }] })
}

fn said(role: &RoleFacts, access: &SecretAccess) -> String {
    match obstacle(&facts(), role, access) {
        None => "passed".to_owned(),
        Some(Obstacle::Open(why)) => format!("open: {why}"),
        Some(Obstacle::Refused(why, _)) => why,
    }
}

#[test]
fn the_templates_own_role_reads_what_it_is_made_for() {
    let root = "arn:aws:iam::111122223333:root";
    assert_eq!(said(&role(), &access(None, KeyAccess::Default)), "passed");
    assert_eq!(said(&role(), &access(None, key("Enabled", statement("Allow", root, "kms:*")))), "passed");
    assert_eq!(said(&role(), &access(Some(statement("Allow", root, "secretsmanager:*")), KeyAccess::Default)), "passed");
    assert_eq!(said(&role(), &access(None, key("Enabled", statement("Allow", "*", "kms:Decrypt")))), "passed");
}

#[test]
fn each_of_the_four_may_refuse() {
    let root = "arn:aws:iam::111122223333:root";
    let good = || access(None, key("Enabled", statement("Allow", root, "kms:*")));
    let mut others = role();
    others.policies = vec![json!({ "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] })];
    let mut bounded = role();
    bounded.boundary =
        Some(("arn:b".into(), Ok(json!({ "Statement": [{ "Effect": "Allow", "Action": "s3:*", "Resource": "*" }] }))));
    let mut without_key = role();
    without_key.boundary = Some((
        "arn:b".into(),
        Ok(json!({ "Statement": [{ "Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*" }] })),
    ));
    let mut foreign = good();
    foreign.arn = SECRET.replace(ACCOUNT, "444455556666");
    let mut of_all = role();
    of_all.policies = vec![json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] })];
    for (role, access, part) in [
        (&others, good(), "no policy of the execution role allows secretsmanager:GetSecretValue"),
        (&bounded, good(), "the boundary arn:b does not allow secretsmanager:GetSecretValue"),
        (&without_key, good(), "the boundary arn:b does not allow kms:Decrypt"),
        (
            &role(),
            access(Some(statement("Deny", "*", "secretsmanager:GetSecretValue")), KeyAccess::Default),
            "the statement One in the policy of /shop denies",
        ),
        (&role(), access(None, key("PendingDeletion", statement("Allow", root, "kms:*"))), "is PendingDeletion"),
        (
            &role(),
            access(None, key("Enabled", statement("Allow", "arn:aws:iam::111122223333:role/admin", "kms:*"))),
            "neither lets the account's own policies decide",
        ),
        (&role(), access(None, key("Enabled", statement("Deny", "*", "kms:Decrypt"))), "denies kms:Decrypt"),
        (&role(), access(None, KeyAccess::Missing("1".into())), "does not exist"),
        (&of_all, foreign, "another account's"),
    ] {
        let said = said(role, &access);
        assert!(!said.starts_with("open") && said.contains(part), "{part}: {said}");
    }
}

#[test]
fn what_depends_on_the_running_task_is_open() {
    let mut policy = statement("Deny", "*", "secretsmanager:GetSecretValue");
    policy["Statement"][0]["Condition"] = json!({ "StringNotEquals": { "aws:SourceVpce": "vpce-1" } });
    let said_of = said(&role(), &access(Some(policy), KeyAccess::Default));
    assert!(said_of.starts_with("open") && said_of.contains("aws:SourceVpce"), "{said_of}");
    let unread = SecretAccess { policy: Err("AWS does not allow it".into()), ..access(None, KeyAccess::Default) };
    assert!(said(&role(), &unread).starts_with("open"));
}

fn family(repository: Option<&str>) -> FamilyFacts {
    FamilyFacts {
        name: "connect".into(),
        usage: String::new(),
        public_ip: false,
        count: 1,
        most: 1,
        running: 0,
        asks: BTreeSet::new(),
        pulls_elsewhere: None,
        providers: Vec::new(),
        log_group: LOG_GROUP.into(),
        repositories: repository.map(|arn| ("worker".to_owned(), arn.to_owned())).into_iter().collect(),
        roles: Vec::new(),
        place: None,
    }
}

const LOG_GROUP: &str = "arn:aws:logs:eu-west-1:111122223333:log-group:shop-dev-ConnectLogGroup-000000000000:*";
const REPOSITORY: &str = "arn:aws:ecr:eu-west-1:111122223333:repository/worker";

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": [resource] }] })
}

#[test]
fn a_task_starts_only_with_its_image_and_its_log() {
    let pull = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"];
    let with = |policies: Vec<Value>| RoleFacts { policies, ..role() };
    let log = allow(&["logs:CreateLogStream", "logs:PutLogEvents"], LOG_GROUP);
    let token = allow(&["ecr:GetAuthorizationToken"], "*");
    let said = |role: &RoleFacts, repository: Option<&str>| {
        let check = of_start(&facts(), &family(repository), role);
        format!("{:?} {}", check.status, check.message)
    };
    assert_eq!(said(&with(vec![log.clone()]), None), "Passed may write its log");
    let whole = with(vec![log.clone(), token.clone(), allow(&pull, REPOSITORY)]);
    assert_eq!(said(&whole, Some(REPOSITORY)), "Passed may write its log, and pull worker");
    let foreign = REPOSITORY.replace(ACCOUNT, "444455556666");
    let of_others = with(vec![log.clone(), token.clone(), allow(&pull, &foreign)]);
    assert!(said(&of_others, Some(&foreign)).starts_with("Unknown worker is a repository of another account"));
    let mut bounded = whole.clone();
    bounded.boundary = Some(("arn:b".into(), Ok(allow(&["logs:*", "ecr:Batch*"], "*"))));
    let unread = RoleFacts { unread: vec!["arn:p: AWS does not allow it".into()], ..with(vec![log.clone()]) };
    for (role, wanted) in [
        (with(Vec::new()), "Failed no policy of the execution role allows logs:CreateLogStream"),
        (
            with(vec![log.clone(), allow(&pull, REPOSITORY)]),
            "Failed no policy of the execution role allows ecr:GetAuthorizationToken",
        ),
        (
            with(vec![log, token, allow(&pull[..2], REPOSITORY)]),
            "Failed no policy of the execution role allows ecr:BatchGetImage",
        ),
        (bounded, "Failed the boundary arn:b does not allow ecr:GetAuthorizationToken"),
        (unread, "Unknown a policy of the execution role could not be read: arn:p"),
    ] {
        let said = said(&role, Some(REPOSITORY));
        assert!(said.starts_with(wanted), "{wanted}: {said}");
    }
}

#[test]
fn a_boundary_leaves_a_role_what_its_policies_name_or_says_what_not() {
    let cluster = "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/1";
    let mut task = RoleFacts { kind: "task", policies: vec![allow(&["kafka-cluster:Connect"], cluster)], ..role() };
    task.boundary = Some(("arn:b".into(), Ok(allow(&["kafka-cluster:*"], "*"))));
    assert_eq!(of_boundary(&facts(), &family(None), &task).message, "arn:b lets it do what its policies name");
    task.boundary = Some(("arn:b".into(), Ok(allow(&["s3:*"], "*"))));
    let said = of_boundary(&facts(), &family(None), &task).message;
    assert_eq!(said, "the boundary arn:b does not allow kafka-cluster:Connect");
}
