//! The two roles of a family: one for ECS to start the task, one for what runs in it. Each may do what it must, to the
//! resources that it needs, and no more; `*` stands only where AWS knows no resource for an action.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expression::substitution;
use super::resource::{Policy, PolicyDocument, Role, Statement};
use super::{Builder, Expression};
use crate::base::is_mark;
use crate::stack::{Family, Repository, Text};

const VERSION: &str = "2012-10-17";

impl Builder<'_> {
    /// The role that ECS takes to pull the image, read the secrets and write the log.
    pub(super) fn execution_role(&mut self, family: &Family) -> Role {
        let mut policies = vec![policy(
            "logs",
            vec![allow(
                &["logs:CreateLogStream", "logs:PutLogEvents"],
                vec![Expression::attribute(format!("{}LogGroup", family.id), "Arn")],
            )],
        )];
        let secrets = self.secret_arns(family, false);
        if !secrets.is_empty() {
            policies.push(policy("secrets", read_secrets(&secrets)));
        }
        let repositories: BTreeSet<&Repository> =
            family.containers.iter().filter_map(|container| container.repository.as_ref()).collect();
        if !repositories.is_empty() {
            policies.push(policy("images", pull(&repositories)));
        }
        self.role(family, format!("Starts the tasks of {}: image, secrets, log", family.name), policies, &[])
    }

    /// The role of what runs in the task.
    pub(super) fn task_role(&mut self, family: &Family) -> Role {
        let mut policies = Vec::new();
        let secrets = self.secret_arns(family, true);
        if !secrets.is_empty() {
            policies.push(policy("secrets", read_secrets(&secrets)));
        }
        if family.execute_command {
            // These actions know no resource.
            let actions = [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ];
            policies.push(policy("execute-command", vec![allow(&actions, vec!["*".into()])]));
        }
        policies.extend(
            family
                .iam
                .policies
                .iter()
                .map(|(name, document)| Policy { policy_document: located(document), policy_name: name.clone() }),
        );
        self.role(family, format!("What runs in the tasks of {}", family.name), policies, &family.iam.managed_policies)
    }

    fn role(&mut self, family: &Family, description: String, policies: Vec<Policy>, managed: &[Text]) -> Role {
        Role {
            assume_role_policy_document: PolicyDocument {
                version: VERSION,
                statement: vec![Statement {
                    sid: None,
                    effect: "Allow",
                    principal: Some(BTreeMap::from([("Service", "ecs-tasks.amazonaws.com")])),
                    action: vec!["sts:AssumeRole"],
                    resource: Vec::new(),
                    // Without it, ECS could be made to take this role for somebody else's account.
                    condition: Some(BTreeMap::from([(
                        "StringEquals",
                        BTreeMap::from([("aws:SourceAccount", vec![Expression::reference("AWS::AccountId")])]),
                    )])),
                }],
            },
            description,
            managed_policy_arns: managed.iter().map(Expression::from).collect(),
            permissions_boundary: family.iam.boundary.as_ref().map(Expression::from),
            policies,
            tags: self.tags(None),
        }
    }

    /// The ARNs of the secrets that a family reads, each once. `by_task`: only those that the task itself may read too.
    fn secret_arns(&mut self, family: &Family, by_task: bool) -> Vec<Expression> {
        let stack = self.stack;
        let names: BTreeSet<&String> =
            family.containers.iter().flat_map(|container| container.secrets.values()).map(|source| &source.secret).collect();
        names
            .into_iter()
            .filter_map(|name| Some((name, stack.secrets.get(name)?)))
            .filter(|(_, secret)| !by_task || secret.task_may_read)
            .map(|(name, secret)| self.secret_arn(name, secret))
            .collect()
    }
}

/// A document of the user's, with the account and the region where it names them.
fn located(document: &Value) -> Value {
    match document {
        Value::String(text) if text.contains(is_mark) => {
            serde_json::to_value(Expression::from(&Text::from(text.as_str()))).unwrap_or_else(|_| document.clone())
        }
        Value::Array(items) => items.iter().map(located).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), located(value))).collect(),
        other => other.clone(),
    }
}

fn policy(name: &str, statement: Vec<Statement>) -> Policy {
    let document = PolicyDocument { version: VERSION, statement };
    Policy { policy_document: serde_json::to_value(document).unwrap_or(Value::Null), policy_name: name.to_owned() }
}

fn allow(actions: &[&'static str], resource: Vec<Expression>) -> Statement {
    Statement { sid: None, effect: "Allow", principal: None, action: actions.to_vec(), resource, condition: None }
}

/// Exactly these secrets, and the keys that they are encrypted with: any key, but only through Secrets Manager and only for
/// these secrets, which it names in the encryption context.
fn read_secrets(arns: &[Expression]) -> Vec<Statement> {
    let condition = BTreeMap::from([
        ("kms:EncryptionContext:SecretARN", arns.to_vec()),
        ("kms:ViaService", vec![Expression::sub("secretsmanager.${AWS::Region}.${AWS::URLSuffix}")]),
    ]);
    vec![
        allow(&["secretsmanager:GetSecretValue"], arns.to_vec()),
        Statement {
            condition: Some(BTreeMap::from([("StringEquals", condition)])),
            ..allow(&["kms:Decrypt"], vec![Expression::sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*")])
        },
    ]
}

fn pull(repositories: &BTreeSet<&Repository>) -> Vec<Statement> {
    let arns = repositories
        .iter()
        .map(|repository| {
            let [region, account, name] = [&repository.region, &repository.account, &repository.name].map(substitution);
            Expression::Sub(format!("arn:${{AWS::Partition}}:ecr:{region}:{account}:repository/{name}"))
        })
        .collect();
    vec![
        // The token is for the whole registry: the action knows no resource.
        allow(&["ecr:GetAuthorizationToken"], vec!["*".into()]),
        allow(&["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], arns),
    ]
}
