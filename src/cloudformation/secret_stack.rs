//! Secrets → a template of their own: never part of the service stack, so that a deploy can't touch them.
//!
//! Comes in: secrets by name, each with how its value arrives. Goes out: a template as text. Values are NoEcho parameters: either the
//! finished JSON of one secret, or the single answers, which `Fn::Sub` puts in their places and whose patterns refuse what that would
//! break. Secrets are kept when the stack goes.

use serde_json::{Map, Value, json};

use super::Expression;
use crate::base::yaml;
use crate::stack::Text;

/// CloudFormation takes no longer value of a parameter.
pub const MOST_BYTES: usize = 4096;

/// A parameter of the template.
#[derive(Debug, Clone)]
pub struct Answer {
    pub id: String,
    pub description: String,
    /// What it may hold, as a regular expression and in words.
    pub allowed: (&'static str, &'static str),
    /// It may be left out.
    pub optional: bool,
}

/// How the value of a secret arrives.
#[derive(Debug, Clone)]
pub enum Content {
    /// As finished JSON, in one parameter.
    Json { parameter: String, description: String },
    /// From answers: text, and the numbers of parameters. Where a parameter that may be left out has a value, from other pieces.
    Answers { pieces: Vec<Piece>, with: Option<(String, Vec<Piece>)> },
}

#[derive(Debug, Clone)]
pub enum Piece {
    Literal(String),
    /// A parameter's id.
    Answer(String),
}

#[derive(Debug, Clone)]
pub struct NewSecret {
    pub id: String,
    pub name: Text,
    pub description: String,
    pub content: Content,
    /// Encrypted with a key of the account's own, as Amazon MSK asks for.
    pub customer_key: bool,
}

/// A stack of secrets.
#[derive(Debug, Clone)]
pub struct SecretStack {
    pub description: String,
    pub secrets: Vec<NewSecret>,
    pub answers: Vec<Answer>,
    /// The MSK cluster that takes its users from those secrets that have a customer key; an empty text asks for its ARN.
    pub msk_cluster: Option<String>,
    pub tags: Vec<(String, String)>,
}

const KEY: &str = "KmsKeyArn";
const MAKES_KEY: &str = "MakesKey";
const CLUSTER: &str = "MskClusterArn";

impl SecretStack {
    pub fn to_yaml(&self) -> String {
        yaml::to_string(&self.to_value())
    }

    fn to_value(&self) -> Value {
        let mut parameters = Map::new();
        let mut resources = Map::new();
        let mut outputs = Map::new();
        let mut conditions = Map::new();
        for answer in &self.answers {
            let (pattern, rule) = answer.allowed;
            let mut parameter = json!({ "Type": "String", "NoEcho": true, "Description": answer.description });
            if answer.optional {
                parameter["Default"] = "".into();
                parameter["AllowedPattern"] = format!("^$|{pattern}").into();
                let has = json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": answer.id }, ""] }] });
                conditions.insert(format!("Has{}", answer.id), has);
            } else {
                parameter["MinLength"] = 1.into();
                parameter["AllowedPattern"] = pattern.into();
            }
            parameter["ConstraintDescription"] = rule.into();
            parameters.insert(answer.id.clone(), parameter);
        }
        for secret in &self.secrets {
            if let Content::Json { parameter, description } = &secret.content {
                parameters.insert(
                    parameter.clone(),
                    json!({ "Type": "String", "NoEcho": true, "Description": description, "MaxLength": MOST_BYTES,
                            "AllowedPattern": r"^\{[\x20-\x7E]*\}$", "ConstraintDescription": "one JSON object in ASCII, on one line" }),
                );
            }
            resources.insert(secret.id.clone(), self.secret(secret));
            outputs.insert(
                format!("{}Arn", secret.id),
                json!({ "Description": format!("ARN of {}", secret.name), "Value": Expression::reference(&secret.id) }),
            );
        }
        if self.secrets.iter().any(|secret| secret.customer_key) {
            self.customer_key(&mut parameters, &mut conditions, &mut resources);
        }
        let mut template = Map::new();
        template.insert("AWSTemplateFormatVersion".to_owned(), "2010-09-09".into());
        template.insert("Description".to_owned(), self.description.clone().into());
        template.insert("Parameters".to_owned(), parameters.into());
        if !conditions.is_empty() {
            template.insert("Conditions".to_owned(), conditions.into());
        }
        template.insert("Resources".to_owned(), resources.into());
        template.insert("Outputs".to_owned(), outputs.into());
        template.into()
    }

    fn tags(&self) -> Value {
        self.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
    }

    fn secret(&self, secret: &NewSecret) -> Value {
        let value = match &secret.content {
            Content::Json { parameter, .. } => json!({ "Ref": parameter }),
            Content::Answers { pieces, with: None } => substituted(pieces),
            Content::Answers { pieces, with: Some((parameter, more)) } => {
                json!({ "Fn::If": [format!("Has{parameter}"), substituted(more), substituted(pieces)] })
            }
        };
        let mut properties = json!({
            "Name": Expression::from(&secret.name), "Description": secret.description, "SecretString": value, "Tags": self.tags(),
        });
        if secret.customer_key {
            properties["KmsKeyId"] = json!({ "Fn::If": [MAKES_KEY, { "Fn::GetAtt": ["ScramKey", "Arn"] }, { "Ref": KEY }] });
        }
        kept("AWS::SecretsManager::Secret", properties)
    }

    /// The key that Amazon MSK wants instead of AWS's own, and the association.
    fn customer_key(
        &self,
        parameters: &mut Map<String, Value>,
        conditions: &mut Map<String, Value>,
        resources: &mut Map<String, Value>,
    ) {
        parameters.insert(
            KEY.to_owned(),
            json!({ "Type": "String", "Default": "", "Description": "ARN of a symmetric KMS key of your own; empty makes one",
                    "AllowedPattern": "^(arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+)?$", "ConstraintDescription": "a key's ARN, not an alias" }),
        );
        conditions.insert(MAKES_KEY.to_owned(), json!({ "Fn::Equals": [{ "Ref": KEY }, ""] }));
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Sid": "Account", "Effect": "Allow", "Action": "kms:*", "Resource": "*",
            "Principal": { "AWS": { "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root" } } }] });
        let mut key = kept(
            "AWS::KMS::Key",
            json!({ "Description": "SCRAM secrets of Amazon MSK", "EnableKeyRotation": true, "KeyPolicy": policy, "Tags": self.tags() }),
        );
        key["Condition"] = MAKES_KEY.into();
        resources.insert("ScramKey".to_owned(), key);
        let Some(cluster) = &self.msk_cluster else { return };
        let arn = if cluster.is_empty() {
            parameters.insert(
                CLUSTER.to_owned(),
                json!({ "Type": "String", "Description": "ARN of the MSK cluster", "AllowedPattern": "^arn:[^:]+:kafka:[^:]+:[0-9]{12}:cluster/.+$",
                        "ConstraintDescription": "an MSK cluster's ARN" }),
            );
            Expression::reference(CLUSTER)
        } else {
            Expression::from(&Text::from(cluster.as_str()))
        };
        let secrets: Vec<Expression> =
            self.secrets.iter().filter(|secret| secret.customer_key).map(|secret| Expression::reference(&secret.id)).collect();
        resources.insert(
            "ScramUsers".to_owned(),
            json!({ "Type": "AWS::MSK::BatchScramSecret", "Properties": { "ClusterArn": arn, "SecretArnList": secrets } }),
        );
    }
}

fn substituted(pieces: &[Piece]) -> Value {
    let text = pieces.iter().map(|piece| match piece {
        Piece::Literal(text) => text.replace("${", "${!"),
        Piece::Answer(id) => format!("${{{id}}}"),
    });
    json!({ "Fn::Sub": text.collect::<String>() })
}

/// A resource that stays when its stack goes: what it holds can't be made again.
fn kept(kind: &str, properties: Value) -> Value {
    json!({ "Type": kind, "DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain", "Properties": properties })
}
