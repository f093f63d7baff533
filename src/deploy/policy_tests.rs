//! The rules of the policy: scoped where a name is known, the whole of AWS only where AWS knows no resource.

use std::collections::BTreeSet;

use super::super::policy_rows::{OWN, ROWS};

/// Actions whose entry in AWS's service authorization reference has no resource type.
const KNOW_NO_RESOURCE: &[&str] = &[
    "acm:ListCertificates",
    "acm:RequestCertificate",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudformation:DescribeStackDriftDetectionStatus",
    "cloudformation:ValidateTemplate",
    "ec2:DescribeInstances",
    "ec2:DescribeNatGateways",
    "ec2:DescribeRegions",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "ecs:ListClusters",
    "elasticfilesystem:CreateFileSystem",
    "elasticloadbalancing:DescribeCapacityReservation",
    "elasticloadbalancing:DescribeListenerAttributes",
    "elasticloadbalancing:DescribeListenerCertificates",
    "elasticloadbalancing:DescribeListeners",
    "elasticloadbalancing:DescribeLoadBalancerAttributes",
    "elasticloadbalancing:DescribeLoadBalancers",
    "elasticloadbalancing:DescribeRules",
    "elasticloadbalancing:DescribeTags",
    "elasticloadbalancing:DescribeTargetGroupAttributes",
    "elasticloadbalancing:DescribeTargetGroups",
    "elasticloadbalancing:DescribeTargetHealth",
    "logs:DescribeIndexPolicies",
    "logs:DescribeLogGroups",
    "logs:DescribeResourcePolicies",
    "route53:CreateHostedZone",
    "route53:ListHostedZonesByName",
    "secretsmanager:ListSecrets",
    "servicediscovery:CreateHttpNamespace",
    "servicediscovery:CreatePrivateDnsNamespace",
    "servicediscovery:ListServices",
    "servicediscovery:ListTagsForResource",
    "servicediscovery:TagResource",
    "servicediscovery:UntagResource",
    "sns:GetSubscriptionAttributes",
    "sns:SetSubscriptionAttributes",
    "sns:Unsubscribe",
    "tag:GetResources",
];

#[test]
fn everything_is_allowed_only_where_aws_knows_no_resource() {
    let grants = OWN.iter().chain(ROWS.iter().flat_map(|row| row.grants));
    for grant in grants.filter(|grant| grant.when.is_empty()) {
        let any = grant.on == ["*"];
        for action in grant.actions {
            assert_eq!(any, KNOW_NO_RESOURCE.contains(action), "{action} on {:?}", grant.on);
        }
    }
}

#[test]
fn rows_are_written_once_and_in_order() {
    assert!(ROWS.windows(2).all(|pair| pair[0].kind < pair[1].kind));
    for grant in OWN.iter().chain(ROWS.iter().flat_map(|row| row.grants)) {
        let actions: BTreeSet<_> = grant.actions.iter().collect();
        assert_eq!(actions.len(), grant.actions.len(), "{:?}", grant.actions);
        assert!(grant.actions.iter().all(|action| !action.contains('*')), "{:?}", grant.actions);
    }
}
