//! What is called, by whom and on what: data for [`super::policy`].
//!
//! `on` are ARNs with the marks of `Names::filled`; `*` stands where the action knows no resource. A task definition can't be described
//! or deregistered by name, a target can't be looked at by name: that is AWS's choice, not ours.

/// Actions that are allowed together.
pub(super) struct Grant {
    pub(super) actions: &'static [&'static str],
    pub(super) on: &'static [&'static str],
    /// Operator, key, value.
    pub(super) when: &'static [(&'static str, &'static str, &'static str)],
}

/// A resource type, and what CloudFormation calls to make, change and remove one.
pub(super) struct Row {
    pub(super) kind: &'static str,
    /// The property by which the files may give it a physical name.
    pub(super) name: Option<&'static str>,
    pub(super) grants: &'static [Grant],
}

mod network;
mod reached;
mod running;

/// Every row, by the files that they stand in.
pub(super) fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.into_iter().flatten()
}

/// Sorted by type in each file.
pub(super) const ROWS: [&[Row]; 3] = [network::ROWS, reached::ROWS, running::ROWS];

const fn on(on: &'static [&'static str], actions: &'static [&'static str]) -> Grant {
    Grant { actions, on, when: &[] }
}

const fn row(kind: &'static str, name: Option<&'static str>, grants: &'static [Grant]) -> Row {
    Row { kind, name, grants }
}

const ANY: &[&str] = &["*"];
const STACK: &[&str] = &["arn:{p}:cloudformation:{r}:{a}:stack/{stack}/*"];
const SERVICE: &[&str] = &["arn:{p}:ecs:{r}:{a}:service/{cluster}/{stack}-*"];
const TASK: &[&str] = &["arn:{p}:ecs:{r}:{a}:task/{cluster}/*"];
const CLUSTER: &[&str] = &["arn:{p}:ecs:{r}:{a}:cluster/{cluster}"];
const LOG_GROUP: &[&str] = &["arn:{p}:logs:{r}:{a}:log-group:{stack}-*"];
const LOG_STREAM: &[&str] = &["arn:{p}:logs:{r}:{a}:log-group:{stack}-*:log-stream:*"];

/// What any stack of ours is asked and told.
const ON_STACK: &[&str] = &[
    "cloudformation:CancelUpdateStack",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:CreateChangeSet",
    "cloudformation:DeleteChangeSet",
    "cloudformation:DeleteStack",
    "cloudformation:DescribeChangeSet",
    "cloudformation:DescribeEvents",
    "cloudformation:DescribeStackEvents",
    "cloudformation:DescribeStackResourceDrifts",
    "cloudformation:DescribeStacks",
    "cloudformation:DetectStackDrift",
    "cloudformation:DetectStackResourceDrift",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:GetTemplate",
    "cloudformation:ListChangeSets",
    "cloudformation:ListStackResources",
    "cloudformation:RollbackStack",
    "cloudformation:TagResource",
    "cloudformation:UntagResource",
];

/// What our own verbs call, for every stack. `sts:GetCallerIdentity` needs no leave.
pub(super) const OWN: &[Grant] = &[
    on(STACK, ON_STACK),
    // The VPC, its subnets and groups: our lookups, and CloudFormation's own look at parameters of their types.
    on(ANY, &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "tag:GetResources"]),
    // What preflight looks at beside: the ways out, the images, CloudFormation's own reading.
    on(
        ANY,
        &["cloudformation:ValidateTemplate", "ec2:DescribeNatGateways", "ec2:DescribeRouteTables", "ec2:DescribeVpcEndpoints"],
    ),
    on(&["arn:{p}:ecr:{r}:{a}:repository/*"], &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]),
    on(ANY, &["ecr:GetAuthorizationToken", "ecs:DescribeTaskDefinition", "ecs:ListClusters", "secretsmanager:ListSecrets"]),
    on(CLUSTER, &["ecs:DescribeClusters"]),
    on(ANY, &["cloudformation:DescribeStackDriftDetectionStatus"]),
    on(SERVICE, &["ecs:DescribeServices", "ecs:UpdateService"]),
    on(TASK, &["ecs:DescribeTasks"]),
    Grant { actions: &["ecs:ListTasks"], on: ANY, when: &[("ArnLike", "ecs:cluster", "arn:{p}:ecs:{r}:{a}:cluster/{cluster}")] },
    on(LOG_STREAM, &["logs:GetLogEvents"]),
    on(LOG_GROUP, &["logs:FilterLogEvents"]),
    // The bucket for templates that are too large for a call, made and closed with consent.
    on(
        &["arn:{p}:s3:::confluent-ecs-{a}-{r}"],
        &[
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:ListBucket",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
        ],
    ),
    on(
        &["arn:{p}:s3:::confluent-ecs-{a}-{r}/confluent-ecs/{stack}/*"],
        &["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:PutObject"],
    ),
];

/// What `preflight --in-vpc` calls beside, whatever its flags name: its definition, its task, its log.
pub(super) const IN_VPC: &[Grant] = &[
    on(
        &["arn:{p}:ecs:{r}:{a}:task-definition/{stack}-preflight-*:*"],
        &["ecs:DeleteTaskDefinitions", "ecs:RegisterTaskDefinition", "ecs:RunTask", "ecs:TagResource"],
    ),
    on(ANY, &["ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions"]),
    on(CLUSTER, &["ecs:DescribeClusters"]),
    on(TASK, &["ecs:DescribeTasks", "ecs:StopTask", "ecs:TagResource"]),
    Grant { actions: &["ecs:ListTasks"], on: ANY, when: &[("ArnLike", "ecs:cluster", "arn:{p}:ecs:{r}:{a}:cluster/{cluster}")] },
];

/// … unless all is named: its own small stack.
pub(super) const IN_VPC_STACK: &[Grant] = &[on(&["arn:{p}:cloudformation:{r}:{a}:stack/{stack}-preflight/*"], ON_STACK)];

/// … unless an image is named: a repository of its own, as CloudFormation makes, changes and removes it, and the image in it.
pub(super) const IN_VPC_REPOSITORY: &[Grant] = &[on(
    &["arn:{p}:ecr:{r}:{a}:repository/{lower}-preflight-*"],
    &[
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:CreateRepository",
        "ecr:DeleteLifecyclePolicy",
        "ecr:DeleteRepository",
        "ecr:DeleteRepositoryPolicy",
        "ecr:DescribeRepositories",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetLifecyclePolicy",
        "ecr:GetRepositoryPolicy",
        "ecr:InitiateLayerUpload",
        "ecr:ListTagsForResource",
        "ecr:PutImage",
        "ecr:PutImageScanningConfiguration",
        "ecr:PutImageTagMutability",
        "ecr:PutLifecyclePolicy",
        "ecr:SetRepositoryPolicy",
        "ecr:TagResource",
        "ecr:UntagResource",
        "ecr:UploadLayerPart",
    ],
)];

/// Type, service principal, role: what a service makes for itself when an account has its first one.
pub(super) const SERVICE_LINKED: &[(&str, &str, &str)] = &[
    ("AWS::ECS::Service", "ecs.amazonaws.com", "AWSServiceRoleForECS"),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", "elasticloadbalancing.amazonaws.com", "AWSServiceRoleForElasticLoadBalancing"),
    (
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "ecs.application-autoscaling.amazonaws.com",
        "AWSServiceRoleForApplicationAutoScaling_ECSService",
    ),
];
