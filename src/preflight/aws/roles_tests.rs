//! Policies of a role, its boundary, a secret and its key in; may the role read the secret out.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::facts::{AccountFacts, KeyAccess, RoleFacts, SecretAccess, Validated};
use super::{Obstacle, obstacle};
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
        policies: vec![policy],
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
