//! Amazon MSK's users: secrets that a cluster reads, each encrypted with a key of the account's own.

use serde_json::{Value, json};

use super::account::Account;
use super::endpoint::Api;
use super::error::{CallError, ErrorKind};
use super::names::text;
use super::signed::Call;

/// A key of KMS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub arn: String,
    /// The account's own, and not one that AWS keeps for a service.
    pub own: bool,
    pub enabled: bool,
}

impl Account {
    /// The ARNs of the secrets that a cluster takes its users from; `None` when there is no such cluster.
    pub async fn scram_secrets(&self, cluster: &str) -> Result<Option<Vec<String>>, CallError> {
        let mut found = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let segments = ["v1", "clusters", cluster, "scram-secrets"];
            let call = Call::get(Api::Kafka, "kafka:ListScramSecrets", cluster, &segments);
            let page = match self.signed_json(next.iter().fold(call, |call, token| call.with("nextToken", token))).await {
                Ok(page) => page,
                Err(error) if error.is_code("NotFoundException") => return Ok(None),
                Err(error) => return Err(error),
            };
            let list = page.get("secretArnList").and_then(Value::as_array);
            found.extend(list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
            match page.get("nextToken").and_then(Value::as_str) {
                Some(token) if next.as_deref() != Some(token) => next = Some(token.to_owned()),
                _ => return Ok(Some(found)),
            }
        }
    }

    /// Gives a cluster a secret to take a user from.
    pub async fn associate_scram_secret(&self, cluster: &str, secret: &str) -> Result<(), CallError> {
        let (action, segments) = ("kafka:BatchAssociateScramSecret", ["v1", "clusters", cluster, "scram-secrets"]);
        let call = Call::post(Api::Kafka, action, cluster, &segments, json!({ "secretArnList": [secret] }));
        let answer = self.signed_json(call).await?;
        // It answers with success, and says which it didn't take.
        match answer.get("unprocessedScramSecrets").and_then(Value::as_array).and_then(|refused| refused.first()) {
            None => Ok(()),
            Some(refused) => {
                let message = format!("{}: {}", text(refused, "errorCode"), text(refused, "errorMessage"));
                Err(self.named(CallError::local(ErrorKind::Invalid, action, message).about(secret)))
            }
        }
    }

    /// A key by its id, ARN or alias; `None` when there is none.
    pub async fn key(&self, id: &str) -> Result<Option<Key>, CallError> {
        let call = Call::json(Api::Kms, "kms:DescribeKey", id, json!({ "KeyId": id }));
        let answer = match self.signed_json(call).await {
            Ok(answer) => answer,
            Err(error) if error.is_code("NotFoundException") => return Ok(None),
            Err(error) => return Err(error),
        };
        let facts = answer.get("KeyMetadata").cloned().unwrap_or_default();
        Ok(Some(Key {
            arn: text(&facts, "Arn"),
            own: text(&facts, "KeyManager") == "CUSTOMER",
            enabled: facts.get("Enabled").and_then(Value::as_bool).unwrap_or_default(),
        }))
    }

    /// Makes a key that is known by an alias (`alias/…`); gives its ARN.
    pub async fn create_key(&self, alias: &str, description: &str, tags: &super::Tags) -> Result<String, CallError> {
        let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "TagKey": key, "TagValue": value })).collect();
        let body = json!({ "Description": description, "Tags": tags });
        let made = self.signed_json(Call::json(Api::Kms, "kms:CreateKey", alias, body)).await?;
        let facts = made.get("KeyMetadata").cloned().unwrap_or_default();
        let (id, arn) = (text(&facts, "KeyId"), text(&facts, "Arn"));
        let calls = [
            Call::json(Api::Kms, "kms:EnableKeyRotation", alias, json!({ "KeyId": id })),
            Call::json(Api::Kms, "kms:CreateAlias", alias, json!({ "AliasName": alias, "TargetKeyId": id })),
        ];
        for call in calls {
            self.signed_done(call).await?;
        }
        Ok(arn)
    }
}
