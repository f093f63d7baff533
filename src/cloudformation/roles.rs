//! The two roles of a family: one for ECS to start the task, one for what runs in it. Each may do what it must, to the
//! resources that it needs, and no more; `*` stands only where AWS knows no resource for an action.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::expression::substitution;
use super::resource::{Policy, PolicyDocument, Role, Statement};
use super::{Builder, Expression, Parameter, ParameterType, written};
use crate::stack::{Efs, Family, Lookup, MskResource, Need, PolicyName, Repository, Text, TopicSource, Volume, VolumeKind};

const VERSION: &str = "2012-10-17";
const MSK_CLUSTER: &str = "MskClusterArn";

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
        if !family.kafka_rights.is_empty() {
            policies.push(policy("kafka", self.kafka_rights(family)));
        }
        if family.execute_command {
            // These actions know no resource.
            let actions = [
                "ssmmessages:CreateControlChannel",
                "ssmmessages:CreateDataChannel",
                "ssmmessages:OpenControlChannel",
                "ssmmessages:OpenDataChannel",
            ];
            let mut statements = vec![allow(&actions, vec!["*".into()])];
            statements.extend(self.exec_rights(family));
            policies.push(policy("execute-command", statements));
        }
        let file_systems: Vec<Statement> = family.volumes.iter().filter_map(|volume| self.mount_right(volume)).collect();
        if !file_systems.is_empty() {
            policies.push(policy("file-systems", file_systems));
        }
        if !family.publishes.is_empty() {
            policies.push(policy("topics", self.publish(family)));
        }
        policies.extend(
            family
                .iam
                .policies
                .iter()
                .map(|(name, document)| Policy { policy_document: written(document), policy_name: name.clone() }),
        );
        self.role(family, format!("What runs in the tasks of {}", family.name), policies, &family.iam.managed_policies)
    }

    /// What the task may do on the MSK cluster, by name.
    fn kafka_rights(&mut self, family: &Family) -> Vec<Statement> {
        let cluster = match &self.stack.msk_cluster {
            Some(Lookup::Id(arn)) => Some(arn),
            _ => None,
        };
        let mut statements = Vec::new();
        for right in &family.kafka_rights {
            let arns = right.on.iter().map(|on| match cluster {
                Some(arn) => msk_arn(arn, on),
                None => self.unsaid_msk_arn(on),
            });
            statements.push(allow(&right.actions, arns.collect()));
        }
        statements
    }

    /// The ARN of something in a cluster that only a parameter names.
    fn unsaid_msk_arn(&mut self, on: &MskResource) -> Expression {
        let cluster = self.parameter(MSK_CLUSTER, || Parameter {
            kind: ParameterType::String,
            description: "ARN of the MSK cluster, which x-kafka.cluster doesn't name".to_owned(),
            default: None,
            need: Need::MskCluster,
        });
        match &on.name {
            None => cluster,
            Some(name) => Expression::Replaced {
                parameter: MSK_CLUSTER.to_owned(),
                text: ":cluster/",
                by: format!(":{}/", on.kind),
                behind: format!("/{name}"),
            },
        }
    }

    fn role(&mut self, family: &Family, description: String, policies: Vec<Policy>, managed: &[PolicyName]) -> Role {
        Role {
            assume_role_policy_document: trusted("ecs-tasks.amazonaws.com"),
            description,
            managed_policy_arns: managed.iter().map(policy_arn).collect(),
            permissions_boundary: family.iam.boundary.as_ref().map(policy_arn),
            policies,
            tags: self.tags(None),
        }
    }

    /// To these topics, and with their keys where they may have one: only through SNS and only for these topics.
    fn publish(&mut self, family: &Family) -> Vec<Statement> {
        let arns = self.topic_arns(&family.publishes);
        let mut statements = vec![allow(&["sns:Publish"], arns.clone())];
        let stack = self.stack;
        let encrypted = family.publishes.iter().filter_map(|key| stack.topics.get(key)).any(|topic| match &topic.source {
            TopicSource::New(new) => new.key.is_some(),
            TopicSource::Existing(_) => true,
        });
        if encrypted {
            let condition = BTreeMap::from([
                ("kms:EncryptionContext:aws:sns:topicArn", arns),
                ("kms:ViaService", vec![Expression::sub("sns.${AWS::Region}.${AWS::URLSuffix}")]),
            ]);
            statements.push(Statement {
                condition: Some(BTreeMap::from([("StringEquals", condition)])),
                ..allow(
                    &["kms:Decrypt", "kms:GenerateDataKey"],
                    vec![Expression::sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*")],
                )
            });
        }
        statements
    }

    /// A file system that asks who mounts it: reading, and writing where a container does, through its access point only.
    fn mount_right(&mut self, volume: &Volume) -> Option<Statement> {
        let VolumeKind::Efs(efs) = &volume.kind else { return None };
        if !efs.iam {
            return None;
        }
        let Efs { access_point, read_only, .. } = efs;
        let id = match self.file_system(efs) {
            Expression::Ref(parameter) => format!("${{{parameter}}}"),
            _ => return None,
        };
        let arn = |resource: String| {
            Expression::sub(format!("arn:${{AWS::Partition}}:elasticfilesystem:${{AWS::Region}}:${{AWS::AccountId}}:{resource}"))
        };
        let mut actions = vec!["elasticfilesystem:ClientMount"];
        if !read_only {
            actions.push("elasticfilesystem:ClientWrite");
        }
        let condition = access_point.as_ref().map(|point| {
            let point = arn(format!("access-point/{}", substitution(point)));
            BTreeMap::from([("StringEquals", BTreeMap::from([("elasticfilesystem:AccessPointArn", vec![point])]))])
        });
        Some(Statement { condition, ..allow(&actions, vec![arn(format!("file-system/{id}"))]) })
    }

    /// The ARNs of the secrets that a family reads, each once. `by_task`: only those that the task itself may read too.
    fn secret_arns(&mut self, family: &Family, by_task: bool) -> Vec<Expression> {
        let stack = self.stack;
        let names: BTreeSet<&String> =
            family.containers.iter().flat_map(|container| container.secrets.values()).map(|source| &source.secret).collect();
        let own = family.containers.iter().flat_map(|container| &container.read_by_itself);
        let names: BTreeSet<&String> = if by_task { names.into_iter().chain(own).collect() } else { names };
        names
            .into_iter()
            .filter_map(|name| Some((name, stack.secrets.get(name)?)))
            .filter(|(_, secret)| !by_task || secret.task_may_read)
            .map(|(name, secret)| self.secret_arn(name, secret))
            .collect()
    }
}

/// The ARN of something in a cluster, from the cluster's.
fn msk_arn(cluster: &Text, on: &MskResource) -> Expression {
    if let Some(cluster) = cluster.literal() {
        return on.arn(cluster).into();
    }
    // What stands in braces is IAM's, and stays as it is.
    let name = on.name.as_ref().map(|name| name.replace("${", "${!"));
    Expression::sub(MskResource { name, ..on.clone() }.arn(&substitution(cluster)))
}

/// Who may take a role: a service of AWS, for this account. Without that, the service could be made to take it for somebody else's.
pub(super) fn trusted(service: &'static str) -> PolicyDocument {
    let account = BTreeMap::from([("aws:SourceAccount", vec![Expression::reference("AWS::AccountId")])]);
    PolicyDocument {
        version: VERSION,
        statement: vec![Statement {
            sid: None,
            effect: "Allow",
            principal: Some(BTreeMap::from([("Service", service)])),
            action: vec!["sts:AssumeRole"],
            resource: Vec::new(),
            condition: Some(BTreeMap::from([("StringEquals", account)])),
        }],
    }
}

/// A policy by its ARN; one of the account's own may be written by its name.
pub(super) fn policy_arn(policy: &PolicyName) -> Expression {
    match policy {
        PolicyName::Arn(arn) => arn.into(),
        PolicyName::Own(name) => {
            Expression::Sub(format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{}", substitution(name)))
        }
    }
}

pub(super) fn policy(name: &str, statement: Vec<Statement>) -> Policy {
    let document = PolicyDocument { version: VERSION, statement };
    Policy { policy_document: serde_json::to_value(document).unwrap_or(Value::Null), policy_name: name.to_owned() }
}

pub(super) fn allow(actions: &[&'static str], resource: Vec<Expression>) -> Statement {
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
