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

const fn on(on: &'static [&'static str], actions: &'static [&'static str]) -> Grant {
    Grant { actions, on, when: &[] }
}

const fn row(kind: &'static str, name: Option<&'static str>, grants: &'static [Grant]) -> Row {
    Row { kind, name, grants }
}

const ANY: &[&str] = &["*"];
const STACK: &[&str] = &["arn:{p}:cloudformation:{r}:{a}:stack/{stack}/*"];
const SERVICE: &[&str] = &["arn:{p}:ecs:{r}:{a}:service/{cluster}/{stack}-*"];
const DEPLOYMENT: &[&str] =
    &["arn:{p}:ecs:{r}:{a}:service/{cluster}/{stack}-*", "arn:{p}:ecs:{r}:{a}:service-deployment/{cluster}/{stack}-*"];
const TASK: &[&str] = &["arn:{p}:ecs:{r}:{a}:task/{cluster}/*"];
const TASK_DEFINITION: &[&str] = &["arn:{p}:ecs:{r}:{a}:task-definition/{stack}-*:*"];
const CLUSTER: &[&str] = &["arn:{p}:ecs:{r}:{a}:cluster/{cluster}"];
const NEW_CLUSTER: &[&str] = &["arn:{p}:ecs:{r}:{a}:cluster/{stack}-*"];
const ROLE: &[&str] = &["arn:{p}:iam::{a}:role/{stack20}*"];
const LOG_GROUP: &[&str] = &["arn:{p}:logs:{r}:{a}:log-group:{stack}-*"];
const SECURITY_GROUP: &[&str] = &["arn:{p}:ec2:{r}:{a}:security-group/*"];
const NEW_SECURITY_GROUP: &[&str] = &["arn:{p}:ec2:{r}:{a}:security-group/*", "arn:{p}:ec2:{r}:{a}:vpc/*"];
const GROUP_RULE: &[&str] = &["arn:{p}:ec2:{r}:{a}:security-group/*", "arn:{p}:ec2:{r}:{a}:security-group-rule/*"];
const BALANCER: &[&str] = &["arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/*/{stack5}*/*"];
const TARGET_GROUP: &[&str] = &["arn:{p}:elasticloadbalancing:{r}:{a}:targetgroup/{stack5}*/*"];
const LISTENER: &[&str] = &[
    "arn:{p}:elasticloadbalancing:{r}:{a}:listener/*/{stack5}*/*",
    "arn:{p}:elasticloadbalancing:{r}:{a}:loadbalancer/*/{stack5}*/*",
];
const LISTENER_RULE: &[&str] = &[
    "arn:{p}:elasticloadbalancing:{r}:{a}:listener/*/{stack5}*/*",
    "arn:{p}:elasticloadbalancing:{r}:{a}:listener-rule/*/{stack5}*/*",
];
const SCALABLE_TARGET: &[&str] = &["arn:{p}:application-autoscaling:{r}:{a}:scalable-target/*"];
const NAMESPACE: &[&str] = &["arn:{p}:servicediscovery:{r}:{a}:namespace/*"];
const DISCOVERY: &[&str] = &["arn:{p}:servicediscovery:{r}:{a}:namespace/*", "arn:{p}:servicediscovery:{r}:{a}:service/*"];
const HOSTED_ZONE: &[&str] = &["arn:{p}:route53:::hostedzone/*"];
const ALARM: &[&str] = &["arn:{p}:cloudwatch:{r}:{a}:alarm:{stack}-*"];
const TOPIC: &[&str] = &["arn:{p}:sns:{r}:{a}:{stack}-*"];
const CERTIFICATE: &[&str] = &["arn:{p}:acm:{r}:{a}:certificate/*"];
const FILE_SYSTEM: &[&str] = &["arn:{p}:elasticfilesystem:{r}:{a}:file-system/*"];
const ACCESS_POINT: &[&str] =
    &["arn:{p}:elasticfilesystem:{r}:{a}:access-point/*", "arn:{p}:elasticfilesystem:{r}:{a}:file-system/*"];

/// What our own verbs call, for every stack. `sts:GetCallerIdentity` needs no leave.
pub(super) const OWN: &[Grant] = &[
    on(
        STACK,
        &[
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
        ],
    ),
    // The VPC, its subnets and groups: our lookups, and CloudFormation's own look at parameters of their types.
    on(ANY, &["ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs", "tag:GetResources"]),
    // What preflight looks at beside: the ways out, the images, CloudFormation's own reading.
    on(
        ANY,
        &["cloudformation:ValidateTemplate", "ec2:DescribeNatGateways", "ec2:DescribeRouteTables", "ec2:DescribeVpcEndpoints"],
    ),
    on(ANY, &["ecr:GetAuthorizationToken"]),
    on(&["arn:{p}:ecr:{r}:{a}:repository/*"], &["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]),
    on(ANY, &["ecs:DescribeTaskDefinition", "ecs:ListClusters", "secretsmanager:ListSecrets"]),
    on(CLUSTER, &["ecs:DescribeClusters"]),
    on(ANY, &["cloudformation:DescribeStackDriftDetectionStatus"]),
    on(SERVICE, &["ecs:DescribeServices", "ecs:UpdateService"]),
    on(TASK, &["ecs:DescribeTasks"]),
    Grant { actions: &["ecs:ListTasks"], on: ANY, when: &[("ArnLike", "ecs:cluster", "arn:{p}:ecs:{r}:{a}:cluster/{cluster}")] },
    on(&["arn:{p}:logs:{r}:{a}:log-group:{stack}-*:log-stream:*"], &["logs:GetLogEvents"]),
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

pub(super) const ROWS: &[Row] = &[
    row(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        None,
        &[
            on(
                SCALABLE_TARGET,
                &[
                    "application-autoscaling:DeleteScheduledAction",
                    "application-autoscaling:DeregisterScalableTarget",
                    "application-autoscaling:PutScheduledAction",
                    "application-autoscaling:RegisterScalableTarget",
                ],
            ),
            on(ANY, &["application-autoscaling:DescribeScalableTargets", "application-autoscaling:DescribeScheduledActions"]),
        ],
    ),
    row(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        None,
        &[
            on(SCALABLE_TARGET, &["application-autoscaling:DeleteScalingPolicy", "application-autoscaling:PutScalingPolicy"]),
            on(ANY, &["application-autoscaling:DescribeScalingPolicies"]),
            // The alarms of target tracking.
            on(
                &["arn:{p}:cloudwatch:{r}:{a}:alarm:TargetTracking-service/{cluster}/*"],
                &["cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricAlarm"],
            ),
        ],
    ),
    row(
        "AWS::CertificateManager::Certificate",
        None,
        &[
            on(ANY, &["acm:RequestCertificate"]),
            on(
                CERTIFICATE,
                &[
                    "acm:AddTagsToCertificate",
                    "acm:DeleteCertificate",
                    "acm:DescribeCertificate",
                    "acm:ListTagsForCertificate",
                    "acm:RemoveTagsFromCertificate",
                    "acm:UpdateCertificateOptions",
                ],
            ),
            on(HOSTED_ZONE, &["route53:ChangeResourceRecordSets"]),
        ],
    ),
    row(
        "AWS::CloudWatch::Alarm",
        Some("AlarmName"),
        &[on(
            ALARM,
            &[
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:PutMetricAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
        )],
    ),
    row(
        "AWS::CloudWatch::CompositeAlarm",
        Some("AlarmName"),
        &[on(
            ALARM,
            &[
                "cloudwatch:DeleteAlarms",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:ListTagsForResource",
                "cloudwatch:PutCompositeAlarm",
                "cloudwatch:TagResource",
                "cloudwatch:UntagResource",
            ],
        )],
    ),
    row(
        "AWS::EC2::SecurityGroup",
        None,
        &[
            on(NEW_SECURITY_GROUP, &["ec2:CreateSecurityGroup"]),
            on(
                SECURITY_GROUP,
                &[
                    "ec2:CreateTags",
                    "ec2:DeleteSecurityGroup",
                    "ec2:DeleteTags",
                    "ec2:RevokeSecurityGroupEgress",
                    "ec2:RevokeSecurityGroupIngress",
                    "ec2:UpdateSecurityGroupRuleDescriptionsEgress",
                    "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
                ],
            ),
            on(GROUP_RULE, &["ec2:AuthorizeSecurityGroupEgress", "ec2:AuthorizeSecurityGroupIngress"]),
            on(ANY, &["ec2:DescribeInstances", "ec2:DescribeSecurityGroups"]),
        ],
    ),
    row(
        "AWS::EC2::SecurityGroupIngress",
        None,
        &[
            on(GROUP_RULE, &["ec2:AuthorizeSecurityGroupIngress"]),
            on(SECURITY_GROUP, &["ec2:RevokeSecurityGroupIngress", "ec2:UpdateSecurityGroupRuleDescriptionsIngress"]),
            on(ANY, &["ec2:DescribeSecurityGroupRules", "ec2:DescribeSecurityGroups"]),
        ],
    ),
    row(
        "AWS::ECS::Cluster",
        Some("ClusterName"),
        &[on(
            NEW_CLUSTER,
            &[
                "ecs:CreateCluster",
                "ecs:DeleteCluster",
                "ecs:DescribeClusters",
                "ecs:ListTagsForResource",
                "ecs:PutClusterCapacityProviders",
                "ecs:TagResource",
                "ecs:UntagResource",
                "ecs:UpdateCluster",
                "ecs:UpdateClusterSettings",
            ],
        )],
    ),
    row(
        "AWS::ECS::ClusterCapacityProviderAssociations",
        None,
        &[
            on(NEW_CLUSTER, &["ecs:DescribeClusters", "ecs:PutClusterCapacityProviders"]),
            on(&["arn:{p}:ecs:{r}:{a}:capacity-provider/*"], &["ecs:DescribeCapacityProviders"]),
        ],
    ),
    row(
        "AWS::ECS::Service",
        Some("ServiceName"),
        &[
            on(
                SERVICE,
                &[
                    "ecs:CreateService",
                    "ecs:DeleteService",
                    "ecs:DescribeServices",
                    "ecs:ListServiceDeployments",
                    "ecs:ListTagsForResource",
                    "ecs:TagResource",
                    "ecs:UntagResource",
                    "ecs:UpdateService",
                ],
            ),
            on(DEPLOYMENT, &["ecs:DescribeServiceDeployments", "ecs:StopServiceDeployment"]),
        ],
    ),
    row(
        "AWS::ECS::TaskDefinition",
        Some("Family"),
        &[
            on(
                TASK_DEFINITION,
                &["ecs:ListTagsForResource", "ecs:RegisterTaskDefinition", "ecs:TagResource", "ecs:UntagResource"],
            ),
            on(ANY, &["ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition"]),
            on(ROLE, &["iam:GetRole"]),
        ],
    ),
    row(
        "AWS::EFS::AccessPoint",
        None,
        &[on(
            ACCESS_POINT,
            &[
                "elasticfilesystem:CreateAccessPoint",
                "elasticfilesystem:DeleteAccessPoint",
                "elasticfilesystem:DescribeAccessPoints",
                "elasticfilesystem:ListTagsForResource",
                "elasticfilesystem:TagResource",
                "elasticfilesystem:UntagResource",
            ],
        )],
    ),
    row(
        "AWS::EFS::FileSystem",
        None,
        &[
            on(ANY, &["elasticfilesystem:CreateFileSystem"]),
            on(
                FILE_SYSTEM,
                &[
                    "elasticfilesystem:DeleteFileSystem",
                    "elasticfilesystem:DescribeBackupPolicy",
                    "elasticfilesystem:DescribeFileSystemPolicy",
                    "elasticfilesystem:DescribeFileSystems",
                    "elasticfilesystem:DescribeLifecycleConfiguration",
                    "elasticfilesystem:DescribeReplicationConfigurations",
                    "elasticfilesystem:ListTagsForResource",
                    "elasticfilesystem:PutBackupPolicy",
                    "elasticfilesystem:PutFileSystemPolicy",
                    "elasticfilesystem:PutLifecycleConfiguration",
                    "elasticfilesystem:TagResource",
                    "elasticfilesystem:UntagResource",
                    "elasticfilesystem:UpdateFileSystem",
                ],
            ),
        ],
    ),
    row(
        "AWS::EFS::MountTarget",
        None,
        &[on(
            FILE_SYSTEM,
            &[
                "elasticfilesystem:CreateMountTarget",
                "elasticfilesystem:DeleteMountTarget",
                "elasticfilesystem:DescribeMountTargetSecurityGroups",
                "elasticfilesystem:DescribeMountTargets",
                "elasticfilesystem:ModifyMountTargetSecurityGroups",
            ],
        )],
    ),
    row(
        "AWS::ElasticLoadBalancingV2::Listener",
        None,
        &[
            on(
                LISTENER,
                &[
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:CreateListener",
                    "elasticloadbalancing:DeleteListener",
                    "elasticloadbalancing:ModifyListener",
                    "elasticloadbalancing:ModifyListenerAttributes",
                    "elasticloadbalancing:RemoveTags",
                ],
            ),
            on(
                ANY,
                &[
                    "elasticloadbalancing:DescribeListenerAttributes",
                    "elasticloadbalancing:DescribeListeners",
                    "elasticloadbalancing:DescribeTags",
                ],
            ),
        ],
    ),
    row(
        "AWS::ElasticLoadBalancingV2::ListenerCertificate",
        None,
        &[
            on(LISTENER, &["elasticloadbalancing:AddListenerCertificates", "elasticloadbalancing:RemoveListenerCertificates"]),
            on(ANY, &["elasticloadbalancing:DescribeListenerCertificates"]),
        ],
    ),
    row(
        "AWS::ElasticLoadBalancingV2::ListenerRule",
        None,
        &[
            on(
                LISTENER_RULE,
                &[
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:CreateRule",
                    "elasticloadbalancing:DeleteRule",
                    "elasticloadbalancing:ModifyRule",
                    "elasticloadbalancing:RemoveTags",
                    "elasticloadbalancing:SetRulePriorities",
                ],
            ),
            on(ANY, &["elasticloadbalancing:DescribeRules", "elasticloadbalancing:DescribeTags"]),
        ],
    ),
    row(
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
        Some("Name"),
        &[
            on(
                BALANCER,
                &[
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:CreateLoadBalancer",
                    "elasticloadbalancing:DeleteLoadBalancer",
                    "elasticloadbalancing:ModifyLoadBalancerAttributes",
                    "elasticloadbalancing:RemoveTags",
                    "elasticloadbalancing:SetIpAddressType",
                    "elasticloadbalancing:SetSecurityGroups",
                    "elasticloadbalancing:SetSubnets",
                ],
            ),
            on(
                ANY,
                &[
                    "elasticloadbalancing:DescribeCapacityReservation",
                    "elasticloadbalancing:DescribeLoadBalancerAttributes",
                    "elasticloadbalancing:DescribeLoadBalancers",
                    "elasticloadbalancing:DescribeTags",
                ],
            ),
        ],
    ),
    row(
        "AWS::ElasticLoadBalancingV2::TargetGroup",
        Some("Name"),
        &[
            on(
                TARGET_GROUP,
                &[
                    "elasticloadbalancing:AddTags",
                    "elasticloadbalancing:CreateTargetGroup",
                    "elasticloadbalancing:DeleteTargetGroup",
                    "elasticloadbalancing:ModifyTargetGroup",
                    "elasticloadbalancing:ModifyTargetGroupAttributes",
                    "elasticloadbalancing:RemoveTags",
                ],
            ),
            on(
                ANY,
                &[
                    "elasticloadbalancing:DescribeTags",
                    "elasticloadbalancing:DescribeTargetGroupAttributes",
                    "elasticloadbalancing:DescribeTargetGroups",
                    "elasticloadbalancing:DescribeTargetHealth",
                ],
            ),
        ],
    ),
    row(
        "AWS::IAM::Role",
        Some("RoleName"),
        &[on(
            ROLE,
            &[
                "iam:DeleteRole",
                "iam:GetRole",
                "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies",
                "iam:ListRolePolicies",
                "iam:ListRoleTags",
                "iam:TagRole",
                "iam:UntagRole",
                "iam:UpdateAssumeRolePolicy",
                "iam:UpdateRole",
                "iam:UpdateRoleDescription",
            ],
        )],
    ),
    row(
        "AWS::Logs::LogGroup",
        Some("LogGroupName"),
        &[
            on(
                LOG_GROUP,
                &[
                    "logs:CreateLogGroup",
                    "logs:DeleteLogGroup",
                    "logs:DeleteRetentionPolicy",
                    "logs:GetDataProtectionPolicy",
                    "logs:ListTagsForResource",
                    "logs:PutRetentionPolicy",
                    "logs:TagResource",
                    "logs:UntagResource",
                ],
            ),
            on(ANY, &["logs:DescribeIndexPolicies", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies"]),
        ],
    ),
    row(
        "AWS::Route53::RecordSet",
        None,
        &[
            on(HOSTED_ZONE, &["route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets"]),
            on(&["arn:{p}:route53:::change/*"], &["route53:GetChange"]),
            on(ANY, &["route53:ListHostedZonesByName"]),
        ],
    ),
    row(
        "AWS::SNS::Subscription",
        None,
        &[
            on(TOPIC, &["sns:Subscribe"]),
            on(ANY, &["sns:GetSubscriptionAttributes", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"]),
        ],
    ),
    row(
        "AWS::SNS::Topic",
        Some("TopicName"),
        &[
            on(
                TOPIC,
                &[
                    "sns:CreateTopic",
                    "sns:DeleteTopic",
                    "sns:GetDataProtectionPolicy",
                    "sns:GetTopicAttributes",
                    "sns:ListSubscriptionsByTopic",
                    "sns:ListTagsForResource",
                    "sns:SetTopicAttributes",
                    "sns:Subscribe",
                    "sns:TagResource",
                    "sns:UntagResource",
                ],
            ),
            on(ANY, &["sns:Unsubscribe"]),
        ],
    ),
    row(
        "AWS::ServiceDiscovery::HttpNamespace",
        None,
        &[
            on(
                ANY,
                &[
                    "servicediscovery:CreateHttpNamespace",
                    "servicediscovery:ListTagsForResource",
                    "servicediscovery:TagResource",
                    "servicediscovery:UntagResource",
                ],
            ),
            on(
                DISCOVERY,
                &["servicediscovery:DeleteNamespace", "servicediscovery:GetNamespace", "servicediscovery:GetOperation"],
            ),
        ],
    ),
    row(
        "AWS::ServiceDiscovery::PrivateDnsNamespace",
        None,
        &[
            on(
                ANY,
                &[
                    "ec2:DescribeRegions",
                    "ec2:DescribeVpcs",
                    "route53:CreateHostedZone",
                    "route53:ListHostedZonesByName",
                    "servicediscovery:CreatePrivateDnsNamespace",
                    "servicediscovery:ListTagsForResource",
                    "servicediscovery:TagResource",
                    "servicediscovery:UntagResource",
                ],
            ),
            on(NAMESPACE, &["servicediscovery:UpdatePrivateDnsNamespace"]),
            on(
                DISCOVERY,
                &["servicediscovery:DeleteNamespace", "servicediscovery:GetNamespace", "servicediscovery:GetOperation"],
            ),
            on(HOSTED_ZONE, &["route53:ChangeResourceRecordSets", "route53:DeleteHostedZone", "route53:GetHostedZone"]),
        ],
    ),
    row(
        "AWS::ServiceDiscovery::Service",
        None,
        &[
            on(
                DISCOVERY,
                &[
                    "servicediscovery:CreateService",
                    "servicediscovery:DeleteService",
                    "servicediscovery:DeleteServiceAttributes",
                    "servicediscovery:GetNamespace",
                    "servicediscovery:GetOperation",
                    "servicediscovery:GetService",
                    "servicediscovery:GetServiceAttributes",
                    "servicediscovery:UpdateService",
                    "servicediscovery:UpdateServiceAttributes",
                ],
            ),
            on(
                ANY,
                &[
                    "servicediscovery:ListServices",
                    "servicediscovery:ListTagsForResource",
                    "servicediscovery:TagResource",
                    "servicediscovery:UntagResource",
                ],
            ),
        ],
    ),
];
