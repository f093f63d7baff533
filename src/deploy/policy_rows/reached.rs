//! How it is reached and what it mounts: load balancers, certificates, names, file systems.

use super::{ANY, Row, on, row};

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
const NAMESPACE: &[&str] = &["arn:{p}:servicediscovery:{r}:{a}:namespace/*"];
const DISCOVERY: &[&str] = &["arn:{p}:servicediscovery:{r}:{a}:namespace/*", "arn:{p}:servicediscovery:{r}:{a}:service/*"];
const HOSTED_ZONE: &[&str] = &["arn:{p}:route53:::hostedzone/*"];
const CERTIFICATE: &[&str] = &["arn:{p}:acm:{r}:{a}:certificate/*"];
const FILE_SYSTEM: &[&str] = &["arn:{p}:elasticfilesystem:{r}:{a}:file-system/*"];
const ACCESS_POINT: &[&str] =
    &["arn:{p}:elasticfilesystem:{r}:{a}:access-point/*", "arn:{p}:elasticfilesystem:{r}:{a}:file-system/*"];

pub(super) const ROWS: &[Row] = &[
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
        "AWS::Route53::RecordSet",
        None,
        &[
            on(HOSTED_ZONE, &["route53:ChangeResourceRecordSets", "route53:GetHostedZone", "route53:ListResourceRecordSets"]),
            on(&["arn:{p}:route53:::change/*"], &["route53:GetChange"]),
            on(ANY, &["route53:ListHostedZonesByName"]),
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
