//! What runs and who may: services, their scaling, roles, logs, alarms.

use super::{ANY, LOG_GROUP, LOG_STREAM, Row, SERVICE, on, row};

const DEPLOYMENT: &[&str] =
    &["arn:{p}:ecs:{r}:{a}:service/{cluster}/{stack}-*", "arn:{p}:ecs:{r}:{a}:service-deployment/{cluster}/{stack}-*"];
const TASK_DEFINITION: &[&str] = &["arn:{p}:ecs:{r}:{a}:task-definition/{stack}-*:*"];
const NEW_CLUSTER: &[&str] = &["arn:{p}:ecs:{r}:{a}:cluster/{stack}-*"];
const ROLE: &[&str] = &["arn:{p}:iam::{a}:role/{stack20}*"];
const SCALABLE_TARGET: &[&str] = &["arn:{p}:application-autoscaling:{r}:{a}:scalable-target/*"];
const ALARM: &[&str] = &["arn:{p}:cloudwatch:{r}:{a}:alarm:{stack}-*"];
const TOPIC: &[&str] = &["arn:{p}:sns:{r}:{a}:{stack}-*"];

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
                    "logs:FilterLogEvents",
                    "logs:GetDataProtectionPolicy",
                    "logs:ListTagsForResource",
                    "logs:PutRetentionPolicy",
                    "logs:TagResource",
                    "logs:UntagResource",
                ],
            ),
            on(LOG_STREAM, &["logs:GetLogEvents"]),
            on(ANY, &["logs:DescribeIndexPolicies", "logs:DescribeLogGroups", "logs:DescribeResourcePolicies"]),
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
];
