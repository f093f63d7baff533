//! The rules of the policy: scoped where a name is known, the whole of AWS only where AWS knows no resource.

use std::collections::BTreeSet;

use super::super::policy_rows::{Grant, IN_VPC, IN_VPC_REPOSITORY, IN_VPC_STACK, OWN, ROWS, rows};

/// Actions whose entry in AWS's service authorization reference has no resource type.
const KNOW_NO_RESOURCE: &[&str] = &[
    "acm:ListCertificates",
    "acm:RequestCertificate",
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:DescribeScalingPolicies",
    "application-autoscaling:DescribeScheduledActions",
    "cloudformation:DescribeStackDriftDetectionStatus",
    "cloudformation:ValidateTemplate",
    "ec2:DescribeAddresses",
    "ec2:DescribeAvailabilityZones",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeInstances",
    "ec2:DescribeInternetGateways",
    "ec2:DescribeNatGateways",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeRegions",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSecurityGroupRules",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
    "ec2:DescribeVpcEndpoints",
    "ec2:DescribeVpcs",
    "ecr:GetAuthorizationToken",
    "ecs:DeregisterTaskDefinition",
    "ecs:DescribeTaskDefinition",
    "ecs:ListClusters",
    "ecs:ListTaskDefinitions",
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

fn grants() -> impl Iterator<Item = &'static Grant> {
    let own = [OWN, IN_VPC, IN_VPC_STACK, IN_VPC_REPOSITORY].into_iter().flatten();
    own.chain(rows().flat_map(|row| row.grants))
}

#[test]
fn everything_is_allowed_only_where_aws_knows_no_resource() {
    for grant in grants().filter(|grant| grant.when.is_empty()) {
        let any = grant.on == ["*"];
        for action in grant.actions {
            assert_eq!(any, KNOW_NO_RESOURCE.contains(action), "{action} on {:?}", grant.on);
        }
    }
}

#[test]
fn rows_are_written_once_and_in_order() {
    assert!(ROWS.iter().all(|rows| rows.windows(2).all(|pair| pair[0].kind < pair[1].kind)));
    let kinds: BTreeSet<_> = rows().map(|row| row.kind).collect();
    assert_eq!(kinds.len(), rows().count());
    for grant in grants() {
        let actions: BTreeSet<_> = grant.actions.iter().collect();
        assert_eq!(actions.len(), grant.actions.len(), "{:?}", grant.actions);
        assert!(grant.actions.iter().all(|action| !action.contains('*')), "{:?}", grant.actions);
    }
}

/// Whatever the one room that talks to AWS can call, some stack's policy allows: its calls carry the names of their actions.
#[test]
fn every_call_that_the_program_can_make_is_allowed_by_a_row() {
    let mut allowed: BTreeSet<&str> = grants().flat_map(|grant| grant.actions).copied().collect();
    // And what hangs on a stack: lookups, secrets, repositories, policies, an MSK cluster.
    for file in [include_str!("policy.rs"), include_str!("policy/in_vpc.rs")] {
        allowed.extend(file.split('"').skip(1).step_by(2));
    }
    let room = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/aws");
    let mut missing = BTreeSet::new();
    for file in std::fs::read_dir(room).unwrap().map(|entry| entry.unwrap().path()) {
        if file.to_string_lossy().ends_with("_tests.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for literal in code.split('"').skip(1).step_by(2) {
            let action = literal.split_once(':').is_some_and(|(service, operation)| {
                let word = |text: &str, dash: bool| text.chars().all(|c| c.is_ascii_alphanumeric() || dash && c == '-');
                !service.is_empty() && word(service, true) && word(operation, false) && operation.starts_with(char::is_uppercase)
            });
            // It needs no leave; the other is the key of a condition.
            if action && !allowed.contains(literal) && !["sts:GetCallerIdentity", "aws:SecureTransport"].contains(&literal) {
                missing.insert(literal.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
