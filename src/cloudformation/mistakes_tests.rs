//! The twelve mistakes that cfn-lint misses, each planted in a template that has none.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{cut_short, in_value};
use crate::base::{Code, Place, Severity};

/// A service behind a balancer, with everything that the mistakes are about, right.
fn right() -> Value {
    json!({ "Resources": {
        "Task": { "Type": "AWS::ECS::TaskDefinition", "Properties": {
            "NetworkMode": "awsvpc",
            "ExecutionRoleArn": { "Fn::GetAtt": ["Role", "Arn"] },
            "ContainerDefinitions": [{
                "Name": "web",
                "PortMappings": [{ "ContainerPort": 8080, "Name": "http" }],
                "Secrets": [{ "Name": "A", "ValueFrom": { "Fn::Sub": "${SecretArn}:KEY::" } },
                            { "Name": "B", "ValueFrom": { "Ref": "SecretArn" } }],
                "Environment": [{ "Name": "LEVEL", "Value": "1" }],
                "StopTimeout": 120,
                "HealthCheck": { "Command": ["CMD", "true"], "Interval": 5, "Timeout": 2 }
            }]
        } },
        "Service": { "Type": "AWS::ECS::Service", "Properties": {
            "LaunchType": "FARGATE",
            "TaskDefinition": { "Ref": "Task" },
            "LoadBalancers": [{ "ContainerName": "web", "ContainerPort": 8080, "TargetGroupArn": { "Ref": "Group" } }],
            "ServiceConnectConfiguration": { "Services": [{ "PortName": "http" }] }
        } },
        "Group": { "Type": "AWS::ElasticLoadBalancingV2::TargetGroup", "Properties": { "TargetType": "ip" } },
        "Door": { "Type": "AWS::EC2::SecurityGroup", "Properties": { "SecurityGroupIngress": [{ "CidrIp": "10.0.0.0/8" }] } },
        "Role": { "Type": "AWS::IAM::Role", "Properties": { "Policies": [{ "PolicyDocument": { "Statement": [
            { "Effect": "Allow", "Action": ["ecr:GetAuthorizationToken"], "Resource": "*" },
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" }
        ] } }] } }
    } })
}

/// Every resource is the overlay's here.
fn overlaid() -> BTreeMap<String, Place> {
    let place = Place { file: "docker-compose.yml".into(), line: 7, column: 3 };
    ["Task", "Service", "Group", "Door", "Role"].into_iter().map(|id| (id.to_owned(), place.clone())).collect()
}

/// Plants a value, and gives the codes of what is found.
fn planted(pointer: &str, value: Value) -> Vec<Code> {
    let mut template = right();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    template.pointer_mut(&format!("/Resources{parent}")).unwrap()[key] = value;
    let findings = in_value(&template, &overlaid());
    for finding in findings.iter() {
        assert!(finding.place.is_some() && finding.path.is_some() && finding.help.is_some(), "{finding:?}");
    }
    findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn what_is_right_has_no_finding() {
    assert!(in_value(&right(), &overlaid()).is_empty());
}

#[test]
fn the_twelve_mistakes_that_cfn_lint_misses() {
    let container = "/Task/Properties/ContainerDefinitions/0";
    let world = json!([{ "CidrIp": "0.0.0.0/0" }]);
    let providers = json!([{ "CapacityProvider": "FARGATE_SPOT", "Weight": 1 }]);
    let password = json!([{ "Name": "DB_PASSWORD", "Value": "x" }]);
    let cut = json!([{ "Name": "A", "ValueFrom": { "Fn::Sub": "${SecretArn}:KEY" } }]);
    let star = json!([{ "PolicyDocument": { "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }] } }]);
    let cases = [
        ("/Service/Properties/LoadBalancers/0/ContainerName".to_owned(), json!("wep"), Code::BALANCER_TARGET),
        ("/Service/Properties/LoadBalancers/0/ContainerPort".to_owned(), json!(8081), Code::BALANCER_TARGET),
        ("/Group/Properties/TargetType".to_owned(), json!("instance"), Code::TARGET_TYPE),
        (
            "/Service/Properties/ServiceConnectConfiguration/Services/0/PortName".to_owned(),
            json!("grpc"),
            Code::SERVICE_CONNECT_PORT,
        ),
        ("/Task/Properties/ExecutionRoleArn".to_owned(), Value::Null, Code::EXECUTION_ROLE),
        ("/Service/Properties/CapacityProviderStrategy".to_owned(), providers, Code::LAUNCH),
        (format!("{container}/StopTimeout"), json!(180), Code::TASK_LIMIT),
        (format!("{container}/HealthCheck/Interval"), json!(3), Code::TASK_LIMIT),
        (format!("{container}/Secrets"), cut, Code::SECRET_REFERENCE),
        (format!("{container}/Environment"), password, Code::PLAIN_CREDENTIAL),
        ("/Door/Properties/SecurityGroupIngress".to_owned(), world, Code::WORLD_OPEN),
        ("/Role/Properties/Policies".to_owned(), star, Code::IAM_STAR),
    ];
    assert_eq!(cases.len(), 12);
    for (pointer, value, code) in cases {
        assert_eq!(planted(&pointer, value), [code], "{pointer}");
    }
}

/// An open balancer and a password that the compose files hold have their own findings already.
#[test]
fn what_the_files_say_is_not_found_twice() {
    let mut template = right();
    template["Resources"]["Door"]["Properties"]["SecurityGroupIngress"] = json!([{ "CidrIp": "0.0.0.0/0" }]);
    assert!(in_value(&template, &BTreeMap::new()).is_empty());
}

#[test]
fn a_policy_of_everything_is_a_warning() {
    let mut template = right();
    template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"] =
        json!({ "Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::b/*" });
    let findings = in_value(&template, &BTreeMap::new());
    let finding = findings.iter().next().unwrap();
    assert_eq!((finding.code, finding.severity), (Code::IAM_STAR, Severity::Warning));
    assert_eq!(finding.path.as_deref(), Some("Resources.Role.Properties.Policies[0].PolicyDocument.Statement[0]"));
}

#[test]
fn references_to_keys_are_told_from_whole_secrets() {
    let arn = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:/kafka/connect-AbCdEf";
    assert_eq!(cut_short(arn), None);
    assert_eq!(cut_short(&format!("{arn}:KEY::")), None);
    assert_eq!(cut_short(&format!("{arn}:KEY")).map(|(_, key)| key), Some("KEY"));
    assert_eq!(cut_short("${SecretArn}:KEY:").map(|(_, key)| key), Some("KEY"));
    assert_eq!(cut_short("${SecretArn}"), None);
    assert_eq!(cut_short("arn:aws:ssm:eu-west-1:111122223333:parameter/a"), None);
    assert_eq!(cut_short("arn:${AWS::Partition}:ssm:r:a:parameter/x"), None);
}
