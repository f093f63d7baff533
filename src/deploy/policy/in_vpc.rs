//! What `preflight --in-vpc` needs beside: less, the more its flags name; and for what they name, the right to look at it.

use super::super::policy_rows::{IN_VPC, IN_VPC_REPOSITORY, IN_VPC_STACK, rows};
use super::{Names, Statements};
use crate::cloudformation::{Parts, Pulled, Template, There};

const ON_NAMED_IMAGE: &[&str] = &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetRepositoryPolicy"];
const ON_EXECUTION_ROLE: &[&str] = &["iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"];
const ON_ITS_POLICIES: &[&str] = &["iam:GetPolicy", "iam:GetPolicyVersion"];

/// What flags name for the task, as it would be typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InVpc {
    pub image: Option<NamedImage>,
    /// ARNs.
    pub execution_role: Option<String>,
    pub task_role: Option<String>,
    pub groups: bool,
    pub cluster: Option<String>,
    pub log_group: Option<String>,
}

/// Where an image lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedImage {
    Ecr { owner: String, region: String, repository: String },
    Elsewhere,
}

impl Statements {
    pub(super) fn in_vpc(&mut self, given: &InVpc, template: &Template, names: &Names) {
        let cluster = given.cluster.as_ref().map(|cluster| cluster.rsplit('/').next().unwrap_or(cluster).to_owned());
        let of_task = Names { cluster: cluster.unwrap_or_else(|| names.cluster.clone()), ..names.clone() };
        for grant in IN_VPC {
            self.add(grant, &of_task, None);
        }
        self.small_stack(given, template, names);
        if let Some(NamedImage::Ecr { owner, region, repository }) = &given.image {
            let arn = names.filled("arn:{p}:ecr:") + &format!("{region}:{owner}:repository/{repository}");
            self.allow([arn], Vec::new(), ON_NAMED_IMAGE);
        }
        if let Some(group) = &given.log_group {
            let streams = names.filled("arn:{p}:logs:{r}:{a}:log-group:") + group + ":log-stream:preflight/preflight/*";
            self.allow([streams], Vec::new(), &["logs:GetLogEvents"]);
            self.allow(["*".to_owned()], Vec::new(), &["logs:DescribeLogGroups"]);
        }
        let roles: Vec<&String> = given.execution_role.iter().chain(&given.task_role).collect();
        if !roles.is_empty() {
            let to_ecs = ("StringEquals", "iam:PassedToService".to_owned(), vec!["ecs-tasks.amazonaws.com".to_owned()]);
            self.allow(roles.into_iter().cloned(), vec![to_ecs], &["iam:PassRole"]);
        }
        if let Some(role) = &given.execution_role {
            self.allow([role.clone()], Vec::new(), ON_EXECUTION_ROLE);
            let policies = ["arn:{p}:iam::{a}:policy/*", "arn:{p}:iam::aws:policy/*"].map(|policy| names.filled(policy));
            self.allow(policies, Vec::new(), ON_ITS_POLICIES);
        }
        if let Some(role) = &given.task_role {
            self.allow([role.clone()], Vec::new(), &["iam:GetRole"]);
        }
    }

    /// What is not given is made: the names of what is in the small stack begin as those of the service's stack do, unless the files
    /// give the service's a name of their own, which the copy has not.
    fn small_stack(&mut self, given: &InVpc, template: &Template, names: &Names) {
        let there = There {
            execution_role: given.execution_role.is_some(),
            log_group: given.log_group.is_some(),
            cluster: given.cluster.is_some(),
            groups: given.groups,
            task_role: given.task_role.is_some(),
        };
        let pulled = if given.image.is_some() { Pulled::Elsewhere } else { Pulled::Repository { by: Vec::new() } };
        let parts: Vec<Parts> = template.services.iter().filter_map(|service| template.parts(&service.family)).collect();
        let Some(made) = template.stand_in(&parts, there, &pulled) else { return };
        let repository = if given.image.is_none() { IN_VPC_REPOSITORY } else { &[] };
        for grant in IN_VPC_STACK.iter().chain(repository) {
            self.add(grant, names, None);
        }
        let resources = template.resource_values();
        for (id, copy) in &made.template.overlaid {
            let Some(row) = rows().find(|row| copy["Type"] == row.kind) else { continue };
            let own = row.name.and_then(|name| resources.get(id).map(|resource| &resource["Properties"][name]));
            if own.is_some_and(|name| !name.is_null()) {
                row.grants.iter().for_each(|grant| self.add(grant, names, None));
            }
        }
    }
}
