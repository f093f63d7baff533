//! The least IAM policy that deploying a project needs: what our own verbs call, and what CloudFormation calls in the caller's name.
//!
//! Comes in: a stack and its template, and as much of region and account as is known. Goes out: a policy document. Rules: pure; no `*`
//! where a name is known; `*` as the whole resource only for actions that know no resource; the same bytes every time.
//!
//! What CloudFormation calls for a type is what the type's own schema lists under its handlers, less what our properties never ask for.
//! A physical name that CloudFormation makes begins with the stack's, cut where the service takes short names only.

mod in_vpc;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub use self::in_vpc::{InVpc, NamedImage};
use super::policy_rows::{Grant, OWN, SERVICE_LINKED, rows};
use crate::cloudformation::Template;
use crate::stack::{Lookup, Need, Part, PolicyName, SecretLookup, Stack, Text, VpcSource, url_suffix};

const ON_SECRETS: &[&str] = &[
    "secretsmanager:CreateSecret",
    "secretsmanager:DescribeSecret",
    "secretsmanager:GetResourcePolicy",
    "secretsmanager:GetSecretValue",
    "secretsmanager:PutSecretValue",
    "secretsmanager:TagResource",
];
const ON_REPOSITORIES: &[&str] = &[
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:CompleteLayerUpload",
    "ecr:CreateRepository",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload",
    "ecr:PutImage",
    "ecr:TagResource",
    "ecr:UploadLayerPart",
];

const ON_BALANCERS: &[&str] = &[
    "elasticloadbalancing:AddListenerCertificates",
    "elasticloadbalancing:AddTags",
    "elasticloadbalancing:CreateListener",
    "elasticloadbalancing:CreateRule",
    "elasticloadbalancing:DeleteListener",
    "elasticloadbalancing:DeleteRule",
    "elasticloadbalancing:ModifyListener",
    "elasticloadbalancing:ModifyRule",
    "elasticloadbalancing:RemoveListenerCertificates",
    "elasticloadbalancing:RemoveTags",
    "elasticloadbalancing:SetRulePriorities",
];

/// Where the policy holds. What is not known is `*` in its ARNs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope {
    pub region: Option<String>,
    pub account: Option<String>,
    /// The MSK cluster that takes its users from secrets, where the project has one: its ARN, or none where the files don't say it.
    pub scram_cluster: Option<Option<Text>>,
    /// What preflight in the VPC is given, where it may run there.
    pub in_vpc: Option<InVpc>,
}

/// A policy, and the types of an overlay that we know no handler of.
#[derive(Debug, Clone, PartialEq)]
pub struct DeployerPolicy {
    pub document: Value,
    pub unknown_types: Vec<String>,
}

/// Operator, key, values.
type Condition = (&'static str, String, Vec<String>);

/// Statements as they grow: what holds for the same resources under the same conditions becomes one.
#[derive(Default)]
struct Statements(BTreeMap<(BTreeSet<String>, Vec<Condition>), BTreeSet<String>>);

/// The policy for deploying a stack: `secrets`, `preflight`, `plan`, `up`, `status` and `down`.
pub fn deployer_policy(stack: &Stack, template: &Template, scope: &Scope) -> DeployerPolicy {
    let names = Names::new(stack, template, scope);
    let mut statements = Statements::default();
    for grant in OWN {
        statements.add(grant, &names, None);
    }
    if let Some(in_vpc) = &scope.in_vpc {
        statements.in_vpc(in_vpc, template, &names);
    }
    let mut unknown = BTreeSet::new();
    for resource in template.resource_values().into_values() {
        let kind = resource["Type"].as_str().unwrap_or_default();
        let Some(row) = rows().find(|row| row.kind == kind) else {
            unknown.insert(kind.to_owned());
            continue;
        };
        let own_name = row.name.map(|property| &resource["Properties"][property]).filter(|name| !name.is_null());
        for grant in row.grants {
            statements.add(grant, &names, own_name);
        }
    }
    for parameter in template.parameters.values() {
        let actions = looked_up_with(&parameter.need);
        if !actions.is_empty() {
            statements.allow(["*".to_owned()], Vec::new(), actions);
        }
    }
    statements.secrets(stack, &names);
    statements.images(stack, &names);
    statements.balancers(stack, &names);
    statements.roles(stack, &names);
    if let Some(cluster) = &scope.scram_cluster {
        statements.scram(cluster.as_ref(), &names);
    }
    for (service, role) in SERVICE_LINKED.iter().filter(|(kind, ..)| statements_for(template, kind)).map(|(_, s, r)| (s, r)) {
        let arn = names.filled(&format!("arn:{{p}}:iam::{{a}}:role/aws-service-role/{service}/{role}"));
        let condition = ("StringEquals", "iam:AWSServiceName".to_owned(), vec![(*service).to_owned()]);
        statements.allow([arn], vec![condition], &["iam:CreateServiceLinkedRole"]);
    }
    DeployerPolicy { document: statements.document(), unknown_types: unknown.into_iter().collect() }
}

fn statements_for(template: &Template, kind: &str) -> bool {
    template.resource_values().values().any(|resource| resource["Type"] == kind)
}

/// The calls that look a need up, where only some stacks have it.
fn looked_up_with(need: &Need) -> &'static [&'static str] {
    match need {
        Need::Certificate(_) => &["acm:ListCertificates"],
        Need::HostedZone { .. } => &["route53:ListHostedZonesByName"],
        Need::Namespace { .. } => &["servicediscovery:ListNamespaces"],
        Need::FileSystem(_) => &["elasticfilesystem:DescribeFileSystems"],
        Need::Topic(_) => &["sns:ListTopics"],
        Need::LoadBalancer { .. } => &["elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTags"],
        Need::Listener { .. } => &["elasticloadbalancing:DescribeListeners"],
        Need::RulePriority { .. } => &["elasticloadbalancing:DescribeRules"],
        _ => &[],
    }
}

/// What stands in the ARNs.
#[derive(Clone)]
struct Names {
    partition: &'static str,
    region: String,
    account: String,
    stack: String,
    cluster: String,
}

impl Names {
    fn new(stack: &Stack, template: &Template, scope: &Scope) -> Self {
        let any = |known: &Option<String>| known.clone().unwrap_or_else(|| "*".to_owned());
        let partition = match scope.region.as_deref().unwrap_or_default() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            region if region.starts_with("eusc-") => "aws-eusc",
            _ => "aws",
        };
        let mut names = Self {
            partition,
            region: any(&scope.region),
            account: any(&scope.account),
            stack: stack.name.clone(),
            cluster: "*".to_owned(),
        };
        let looked_up = template.parameters.values().find_map(|parameter| match &parameter.need {
            Need::Cluster(Lookup::Id(name)) => Some(names.text(name)),
            _ => None,
        });
        if let Some(cluster) = looked_up {
            // An ARN ends in the name.
            cluster.rsplit('/').next().unwrap_or(&cluster).clone_into(&mut names.cluster);
        }
        names
    }

    fn policy(&self, policy: &PolicyName) -> String {
        match policy {
            PolicyName::Arn(arn) => self.text(arn),
            PolicyName::Own(name) => self.filled("arn:{p}:iam::{a}:policy/") + &self.text(name),
        }
    }

    fn text(&self, text: &Text) -> String {
        text.parts()
            .iter()
            .map(|part| match part {
                Part::Literal(text) => text.as_str(),
                Part::AccountId => &self.account,
                Part::Region => &self.region,
                Part::UrlSuffix => url_suffix(&self.region),
            })
            .collect()
    }

    /// `{p}`artition, `{r}`egion, `{a}`ccount, `{cluster}`, and the stack's name, whole, in small letters, or cut to 20 or 5 characters.
    fn filled(&self, pattern: &str) -> String {
        let cut = |length: usize| self.stack.chars().take(length).collect::<String>();
        pattern
            .replace("{p}", self.partition)
            .replace("{r}", &self.region)
            .replace("{a}", &self.account)
            .replace("{cluster}", &self.cluster)
            .replace("{stack}", &self.stack)
            .replace("{lower}", &self.stack.to_lowercase())
            .replace("{stack20}", &cut(20))
            .replace("{stack5}", &cut(5))
    }
}

impl Statements {
    /// `own_name`: the files gave the resource a name, which then stands where the pattern has the stack's.
    fn add(&mut self, grant: &Grant, names: &Names, own_name: Option<&Value>) {
        let resources = grant.on.iter().map(|pattern| match (own_name, pattern.find("{stack")) {
            (Some(name), Some(_)) => {
                // A name that only CloudFormation knows is any.
                let name = name.as_str().unwrap_or("*");
                let pattern = pattern.replace("{stack}-*", name).replace("{stack20}*", name).replace("{stack5}*", name);
                names.filled(&pattern)
            }
            _ => names.filled(pattern),
        });
        let conditions =
            grant.when.iter().map(|(operator, key, value)| (*operator, (*key).to_owned(), vec![names.filled(value)]));
        self.allow(resources, conditions.collect(), grant.actions);
    }

    fn allow(&mut self, resources: impl IntoIterator<Item = String>, conditions: Vec<Condition>, actions: &[&str]) {
        let statement = self.0.entry((resources.into_iter().collect(), conditions)).or_default();
        statement.extend(actions.iter().map(|action| (*action).to_owned()));
    }

    /// Exactly the secrets that the stack reads; `secrets put` makes and fills them, and `preflight` reads them.
    fn secrets(&mut self, stack: &Stack, names: &Names) {
        let mut arns = BTreeSet::new();
        for secret in stack.secrets.values() {
            match &secret.lookup {
                // The six characters that Secrets Manager adds to a name.
                SecretLookup::Name(name) => {
                    arns.insert(
                        names.filled(&format!("arn:{{p}}:secretsmanager:{{r}}:{{a}}:secret:{}-??????", names.text(name))),
                    );
                }
                SecretLookup::Arn(arn) => {
                    arns.insert(names.text(arn));
                }
                SecretLookup::Tags(tags) => {
                    let conditions = tags.iter().map(|(key, value)| {
                        ("StringEquals", format!("aws:ResourceTag/{key}"), vec![names.text(&Text::from(value))])
                    });
                    let any = names.filled("arn:{p}:secretsmanager:{r}:{a}:secret:*");
                    self.allow([any], conditions.collect(), ON_SECRETS);
                }
            }
        }
        if stack.secrets.is_empty() {
            return;
        }
        if !arns.is_empty() {
            self.allow(arns, Vec::new(), ON_SECRETS);
        }
        // A key of the user's own, whichever it is: but only for what goes through Secrets Manager.
        let through = ("StringLike", "kms:ViaService".to_owned(), vec![names.filled("secretsmanager.{r}.amazonaws.com*")]);
        let keys = names.filled("arn:{p}:kms:{r}:{a}:key/*");
        self.allow([keys.clone()], vec![through], &["kms:Decrypt", "kms:GenerateDataKey"]);
        self.allow([keys], Vec::new(), &["kms:DescribeKey", "kms:GetKeyPolicy"]);
    }

    /// What `secrets put` does beside, where an MSK cluster reads its users from secrets: theirs, the key of the account's own that must
    /// encrypt them, and the cluster, which is told and makes its own grant on the key.
    fn scram(&mut self, cluster: Option<&Text>, names: &Names) {
        let secrets = names.filled("arn:{p}:secretsmanager:{r}:{a}:secret:AmazonMSK_*");
        self.allow([secrets], Vec::new(), ON_SECRETS);
        let any = || names.filled("arn:{p}:kafka:{r}:{a}:cluster/*");
        let cluster = cluster.map_or_else(any, |arn| names.text(arn));
        self.allow([cluster], Vec::new(), &["kafka:BatchAssociateScramSecret", "kafka:ListScramSecrets"]);
        let keys = || names.filled("arn:{p}:kms:{r}:{a}:key/*");
        let alias = names.filled("arn:{p}:kms:{r}:{a}:alias/{stack}-msk-scram");
        self.allow(["*".to_owned()], Vec::new(), &["kms:CreateKey", "kms:TagResource"]);
        self.allow([alias, keys()], Vec::new(), &["kms:CreateAlias"]);
        self.allow([keys()], Vec::new(), &["kms:EnableKeyRotation"]);
        let for_aws = ("Bool", "kms:GrantIsForAWSResource".to_owned(), vec!["true".to_owned()]);
        self.allow([keys()], vec![for_aws], &["kms:CreateGrant"]);
    }

    /// The repositories of the project's images in ECR: `images check` looks at them, `images push` makes and fills them.
    fn images(&mut self, stack: &Stack, names: &Names) {
        let containers = stack.families.iter().flat_map(|family| &family.containers);
        let repositories: BTreeSet<String> = containers
            .filter_map(|container| container.repository.as_ref())
            .map(|repository| {
                let [region, account, name] =
                    [&repository.region, &repository.account, &repository.name].map(|text| names.text(text));
                names.filled("arn:{p}:ecr:") + &format!("{region}:{account}:repository/{name}")
            })
            .collect();
        if !repositories.is_empty() {
            self.allow(repositories, Vec::new(), ON_REPOSITORIES);
        }
    }

    /// What the stack adds to load balancers that are there: listeners, rules and certificates, on those alone where their names are
    /// known.
    fn balancers(&mut self, stack: &Stack, names: &Names) {
        for existing in stack.balancers.iter().filter_map(|balancer| balancer.existing.as_ref()) {
            let text = match existing {
                Lookup::Id(id) => names.text(id),
                Lookup::Tags(_) | Lookup::Unsaid => "*".to_owned(),
            };
            // An ARN ends in KIND/NAME/ID.
            let name = text.split(":loadbalancer/").nth(1).and_then(|rest| rest.split('/').nth(1)).unwrap_or(&text);
            let of = |kind: &str, more: &str| {
                names.filled(&format!("arn:{{p}}:elasticloadbalancing:{{r}}:{{a}}:{kind}/*/{name}/{more}"))
            };
            let arns = [of("listener", "*"), of("listener-rule", "*"), of("loadbalancer", "*")];
            self.allow(arns, Vec::new(), ON_BALANCERS);
        }
    }

    /// The roles of the tasks: made only with the boundary that the files name, given only the policies that they name, and handed on
    /// to ECS alone.
    fn roles(&mut self, stack: &Stack, names: &Names) {
        let roles = || [names.filled("arn:{p}:iam::{a}:role/{stack20}*")];
        let flow_logs = match &stack.vpc {
            VpcSource::New(new) if new.flow_logs => Some(new.boundary.as_ref().map(|policy| named(&policy.value))),
            _ => None,
        };
        let of_families = stack.families.iter().map(|family| family.iam.boundary.clone());
        let boundaries: Option<BTreeSet<String>> =
            of_families.chain(flow_logs.clone()).map(|boundary| boundary.map(|policy| names.policy(&policy))).collect();
        let known_boundaries = boundaries.clone().unwrap_or_default();
        let bounded = boundaries
            .filter(|boundaries| !boundaries.is_empty())
            .map(|boundaries| ("StringEquals", "iam:PermissionsBoundary".to_owned(), boundaries.into_iter().collect()));
        let giving = ["iam:CreateRole", "iam:DeleteRolePolicy", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy"];
        self.allow(roles(), bounded.into_iter().collect(), &giving);
        let managed: BTreeSet<String> =
            stack.families.iter().flat_map(|family| &family.iam.managed_policies).map(|policy| names.policy(policy)).collect();
        // What they allow, for preflight to judge.
        let read: BTreeSet<String> = managed.iter().chain(&known_boundaries).cloned().collect();
        if !read.is_empty() {
            self.allow(read, Vec::new(), &["iam:GetPolicy", "iam:GetPolicyVersion"]);
        }
        if !managed.is_empty() {
            let only = ("ArnEquals", "iam:PolicyARN".to_owned(), managed.into_iter().collect());
            self.allow(roles(), vec![only], &["iam:AttachRolePolicy", "iam:DetachRolePolicy"]);
        }
        let to_ecs = ("StringEquals", "iam:PassedToService".to_owned(), vec!["ecs-tasks.amazonaws.com".to_owned()]);
        self.allow(roles(), vec![to_ecs], &["iam:PassRole"]);
        if flow_logs.is_some() {
            let to_logs = ("StringEquals", "iam:PassedToService".to_owned(), vec!["vpc-flow-logs.amazonaws.com".to_owned()]);
            self.allow(roles(), vec![to_logs], &["iam:PassRole"]);
        }
    }

    fn document(self) -> Value {
        let one_or_many = |values: Vec<String>| match <[String; 1]>::try_from(values) {
            Ok([only]) => Value::String(only),
            Err(values) => values.into(),
        };
        let statements: Vec<Value> = self
            .0
            .into_iter()
            .map(|((resources, conditions), actions)| {
                let mut statement = Map::new();
                statement.insert("Effect".to_owned(), "Allow".into());
                statement.insert("Action".to_owned(), one_or_many(actions.into_iter().collect()));
                statement.insert("Resource".to_owned(), one_or_many(resources.into_iter().collect()));
                if !conditions.is_empty() {
                    let mut operators: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
                    for (operator, key, values) in conditions {
                        operators.entry(operator).or_default().insert(key, one_or_many(values));
                    }
                    statement.insert("Condition".to_owned(), json!(operators));
                }
                Value::Object(statement)
            })
            .collect();
        json!({ "Version": "2012-10-17", "Statement": statements })
    }
}

/// A policy as the files write it: its ARN, or its name in this account.
fn named(policy: &str) -> PolicyName {
    let text = Text::from(policy);
    if policy.starts_with("arn:") { PolicyName::Arn(text) } else { PolicyName::Own(text) }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
