//! The rules of a template that are this room's, on a stack made by hand.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Template, template};
use crate::base::ACCOUNT_MARK;
use crate::stack::{
    Answer, Architecture, Balancer, BalancerKind, Capacity, Cluster, Container, Family, Iam, Ingress, Listener, Lookup,
    Namespace, OutsideRule, Peer, PolicyName, Port, Protocol, Provider, Registration, Repository, Rollout, Scaling, SecretLookup,
    SecretSource, Size, Stack, StackSecret, TargetGroup, TargetHealthCheck, TargetMember, Text, VpcSource,
};

fn port(number: u16) -> Port {
    Port { number, protocol: Protocol::Tcp }
}

fn container(name: &str, ports: &[u16]) -> Container {
    Container {
        name: name.to_owned(),
        image: Text::from(format!("{ACCOUNT_MARK}.dkr.ecr.eu-west-1.amazonaws.com/a/{name}:1")),
        repository: Some(Repository { account: ACCOUNT_MARK.to_string().into(), region: "eu-west-1".into(), name: "a/x".into() }),
        layered: None,
        entrypoint: None,
        command: Some(vec!["echo ${HOME}".into()]),
        environment: BTreeMap::from([("B".to_owned(), "yes".into()), ("A".to_owned(), "1".into())]),
        topics: BTreeMap::new(),
        secrets: BTreeMap::new(),
        read_by_itself: Vec::new(),
        ports: ports.iter().copied().map(port).collect(),
        api: None,
        essential: true,
        health_check: None,
        stop_timeout: Some(120),
        labels: BTreeMap::new(),
        cpu: None,
        memory: None,
        memory_reservation: None,
        user: None,
        working_dir: None,
        read_only: false,
        init: false,
        tty: false,
        interactive: false,
        ulimits: Vec::new(),
        depends_on: Vec::new(),
        mounts: Vec::new(),
        tmpfs: Vec::new(),
        mounts_of: Vec::new(),
        capabilities_added: Vec::new(),
        capabilities_dropped: Vec::new(),
        sysctls: BTreeMap::new(),
        log_options: BTreeMap::new(),
        log_prefix: None,
    }
}

fn family(name: &str, id: &str, containers: Vec<Container>) -> Family {
    Family {
        name: name.to_owned(),
        id: id.to_owned(),
        containers,
        size: Size { cpu: 1024, memory: 2048 },
        architecture: Architecture::X86_64,
        ephemeral_gib: None,
        count: 2,
        scaling: None,
        rollout: Rollout { minimum_percent: 100, maximum_percent: 200, az_rebalancing: false, grace: Some(60) },
        capacity: Capacity::Fargate,
        execute_command: false,
        public_ip: false,
        subnets: "AppSubnets".to_owned(),
        joined_groups: Vec::new(),
        ingress: Vec::new(),
        registration: None,
        connect: None,
        log_retention_days: 30,
        log_group: None,
        volumes: Vec::new(),
        kafka_rights: Vec::new(),
        publishes: Vec::new(),
        iam: Iam::default(),
    }
}

fn stack() -> Stack {
    let mut connect = container("connect", &[8083]);
    connect.secrets = BTreeMap::from([
        ("KEYED".to_owned(), SecretSource { secret: "creds".to_owned(), key: Some("KEY".to_owned()) }),
        ("WHOLE".to_owned(), SecretSource { secret: "creds".to_owned(), key: None }),
    ]);
    let ingress = |from, number| Ingress { from, port: port(number), why: "because".to_owned() };
    let workers = Family {
        scaling: Some(Scaling {
            minimum: 1,
            maximum: 3,
            memory_percent: Some(75),
            cpu_percent: None,
            scale_in_cooldown: 300,
            scale_out_cooldown: 60,
            disable_scale_in: false,
            schedule: Vec::new(),
        }),
        ingress: vec![ingress(Peer::Myself, 8083), ingress(Peer::Family("web".to_owned()), 8083)],
        registration: Some(Registration { namespace: "lan".to_owned(), name: "connect".to_owned(), port: None }),
        ..family("connect", "Connect", vec![connect])
    };
    let web = Family {
        ingress: vec![ingress(Peer::Balancer("front".to_owned()), 8080)],
        ..family("web", "Web", vec![container("web", &[8080])])
    };
    let targets = TargetGroup {
        name: "web:web".to_owned(),
        id: "FrontLoadBalancerWeb8080".to_owned(),
        members: vec![TargetMember { family: "web".to_owned(), container: "web".to_owned(), port: 8080 }],
        port: 8080,
        protocol: "HTTP".to_owned(),
        version: None,
        health_check: TargetHealthCheck {
            path: Some("/".to_owned()),
            codes: Some("200".to_owned()),
            ..TargetHealthCheck::default()
        },
        attributes: BTreeMap::new(),
        tags: BTreeMap::new(),
    };
    Stack {
        name: "p-dev".to_owned(),
        project: "p".to_owned(),
        env: Some("dev".to_owned()),
        tags: BTreeMap::from([("team".to_owned(), "a".into())]),
        vpc: VpcSource::Existing(Lookup::Tags(vec![("Name".to_owned(), "demo".to_owned())])),
        subnets: BTreeMap::from([("AppSubnets".to_owned(), Lookup::Unsaid), ("PublicSubnets".to_owned(), Lookup::Unsaid)]),
        cluster: Cluster::Existing(Lookup::Id("default".into())),
        namespaces: BTreeMap::from([(
            "lan".to_owned(),
            Namespace {
                id: "LanNamespace".to_owned(),
                name: "dev.lan".into(),
                existing: false,
                namespace_id: None,
                description: None,
            },
        )]),
        secrets: BTreeMap::from([(
            "creds".to_owned(),
            StackSecret { id: "Creds".to_owned(), lookup: SecretLookup::Name("/kafka/x".into()), task_may_read: false },
        )]),
        families: vec![workers, web],
        certificates: BTreeMap::new(),
        zones: BTreeMap::new(),
        topics: BTreeMap::new(),
        alarms: Vec::new(),
        overlay: Vec::new(),
        msk_cluster: None,
        outside_rules: vec![OutsideRule { behind: "Kafka", group: "sg-1".into(), family: "connect".to_owned(), port: 9096 }],
        balancers: vec![Balancer {
            existing: None,
            name: "front".to_owned(),
            id: "FrontLoadBalancer".to_owned(),
            kind: BalancerKind::Application,
            physical_name: None,
            internet_facing: true,
            dual_stack: false,
            tags: BTreeMap::new(),
            aliases: Vec::new(),
            subnets: "PublicSubnets".to_owned(),
            attributes: BTreeMap::from([("idle_timeout.timeout_seconds".to_owned(), "300".into())]),
            ingress: vec![ingress(Peer::Cidr4("10.0.0.0/8".to_owned()), 80)],
            listeners: vec![Listener {
                existing: None,
                port: 80,
                protocol: "HTTP".to_owned(),
                certificates: Vec::new(),
                ssl_policy: None,
                alpn_policy: None,
                default: Some(Answer::Forward { targets: vec!["web:web".to_owned()], login: None }),
                rules: Vec::new(),
            }],
            targets: vec![targets],
        }],
    }
}

fn rendered(stack: &Stack) -> (Template, Value) {
    let template = template(stack);
    let value = serde_json::from_str(&template.to_json()).unwrap();
    (template, value)
}

#[test]
fn a_key_of_a_secret_ends_in_two_colons_and_its_version_is_only_a_label() {
    let (_, value) = rendered(&stack());
    let container = &value["Resources"]["ConnectTaskDefinition"]["Properties"]["ContainerDefinitions"][0];
    assert_eq!(
        container["Secrets"],
        json!([
            { "Name": "KEYED", "ValueFrom": { "Fn::Sub": "${CredsSecretArn}:KEY::" } },
            { "Name": "WHOLE", "ValueFrom": { "Ref": "CredsSecretArn" } }
        ])
    );
    assert_eq!(container["DockerLabels"], json!({ "confluent-ecs.secret-version.creds": { "Ref": "CredsSecretVersion" } }));
    assert_eq!(value["Parameters"]["CredsSecretVersion"]["Default"], "");
    let whole = value["Resources"].to_string();
    assert_eq!(whole.matches("CredsSecretVersion").count(), 1);
}

#[test]
fn the_execution_role_reads_exactly_the_secrets_and_decrypts_only_them() {
    let (_, value) = rendered(&stack());
    let role = |id: &str| value["Resources"][id]["Properties"]["Policies"].clone();
    let policies = role("ConnectExecutionRole");
    let secrets = &policies[1]["PolicyDocument"]["Statement"];
    assert_eq!(secrets[0]["Action"], json!(["secretsmanager:GetSecretValue"]));
    assert_eq!(secrets[0]["Resource"], json!([{ "Ref": "CredsSecretArn" }]));
    assert_eq!(secrets[1]["Condition"]["StringEquals"]["kms:EncryptionContext:SecretARN"], json!([{ "Ref": "CredsSecretArn" }]));
    assert_eq!(
        policies[2]["PolicyDocument"]["Statement"][1]["Resource"],
        json!([{ "Fn::Sub": "arn:${AWS::Partition}:ecr:eu-west-1:${AWS::AccountId}:repository/a/x" }])
    );
    // Who reads no secret may read none, and nobody's own role has more than what was asked for.
    assert!(!role("WebExecutionRole").to_string().contains("secretsmanager"));
    assert_eq!(role("ConnectTaskRole"), Value::Null);
    // `*` only for the one action that knows no resource.
    let stars = value["Resources"].to_string().matches("\"*\"").count();
    assert_eq!(stars, value["Resources"].to_string().matches("ecr:GetAuthorizationToken").count());
}

#[test]
fn groups_let_each_other_in_by_rules_of_their_own() {
    let (_, value) = rendered(&stack());
    let resources = &value["Resources"];
    let itself = &resources["ConnectFromItself8083"]["Properties"];
    assert_eq!(itself["GroupId"], itself["SourceSecurityGroupId"]);
    assert_eq!(
        resources["ConnectFromWeb8083"]["Properties"]["SourceSecurityGroupId"],
        json!({ "Fn::GetAtt": ["WebSecurityGroup", "GroupId"] })
    );
    assert_eq!(
        resources["WebFromFrontLoadBalancer8080"]["Properties"]["SourceSecurityGroupId"],
        json!({ "Fn::GetAtt": ["FrontLoadBalancerSecurityGroup", "GroupId"] })
    );
    assert_eq!(resources["FrontLoadBalancerSecurityGroup"]["Properties"]["SecurityGroupIngress"][0]["CidrIp"], "10.0.0.0/8");
    let kafka = &resources["KafkaFromConnect9096"]["Properties"];
    assert_eq!(kafka["GroupId"], "sg-1");
    assert_eq!(kafka["SourceSecurityGroupId"], json!({ "Fn::GetAtt": ["ConnectSecurityGroup", "GroupId"] }));
    assert!(resources["ConnectSecurityGroup"]["Properties"]["SecurityGroupEgress"].is_null());
}

#[test]
fn a_service_waits_for_its_listener_and_rolls_back_by_itself() {
    let (_, value) = rendered(&stack());
    let service = &value["Resources"]["WebService"];
    assert_eq!(service["DependsOn"], json!(["FrontLoadBalancerListener80"]));
    assert_eq!(service["Properties"]["HealthCheckGracePeriodSeconds"], 60);
    let deployment = &service["Properties"]["DeploymentConfiguration"];
    assert_eq!(deployment["DeploymentCircuitBreaker"], json!({ "Enable": true, "Rollback": true }));
    assert_eq!(service["Properties"]["LaunchType"], "FARGATE");
    assert_eq!(service["Properties"]["DesiredCount"], json!({ "Ref": "WebDesiredCount" }));
    // A grace period without a load balancer is refused by ECS.
    assert!(value["Resources"]["ConnectService"]["Properties"]["HealthCheckGracePeriodSeconds"].is_null());
}

#[test]
fn capacity_providers_stand_in_for_the_launch_type() {
    let mut stack = stack();
    let provider = |name: &str, base, weight| Provider { name: name.to_owned(), base, weight };
    stack.families[0].capacity = Capacity::Providers(vec![provider("FARGATE", 1, 2), provider("FARGATE_SPOT", 0, 1)]);
    let (_, value) = rendered(&stack);
    let service = &value["Resources"]["ConnectService"]["Properties"];
    assert!(service["LaunchType"].is_null());
    assert_eq!(service["CapacityProviderStrategy"][0], json!({ "Base": 1, "CapacityProvider": "FARGATE", "Weight": 2 }));
}

#[test]
fn the_boundary_is_on_both_roles_and_the_users_policies_on_the_task_only() {
    let mut stack = stack();
    let document = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*" }] });
    stack.families[0].iam = Iam {
        managed_policies: vec![PolicyName::Arn("arn:aws:iam::aws:policy/X".into())],
        policies: vec![("mine".to_owned(), document.clone())],
        boundary: Some(PolicyName::Arn(format!("arn:aws:iam::{ACCOUNT_MARK}:policy/boundary").into())),
    };
    let (_, value) = rendered(&stack);
    for role in ["ConnectExecutionRole", "ConnectTaskRole"] {
        let boundary = &value["Resources"][role]["Properties"]["PermissionsBoundary"];
        assert_eq!(*boundary, json!({ "Fn::Sub": "arn:aws:iam::${AWS::AccountId}:policy/boundary" }));
    }
    let task = &value["Resources"]["ConnectTaskRole"]["Properties"];
    assert_eq!(task["Policies"], json!([{ "PolicyDocument": document, "PolicyName": "mine" }]));
    assert_eq!(task["ManagedPolicyArns"], json!(["arn:aws:iam::aws:policy/X"]));
    assert!(value["Resources"]["ConnectExecutionRole"]["Properties"]["ManagedPolicyArns"].is_null());
}

/// Two stacks of one template must be able to stand side by side.
#[test]
fn nothing_has_a_physical_name() {
    let (_, value) = rendered(&stack());
    let text = value["Resources"].to_string();
    for name in ["LogGroupName", "RoleName", "ServiceName", "GroupName", "\"Family\"", "TargetGroupName"] {
        assert!(!text.contains(&format!("{name}\":")) && !text.contains(&format!("{name}:")), "{name}");
    }
    for resource in value["Resources"].as_object().unwrap().values() {
        let balancer = resource["Type"].as_str().unwrap().contains("ElasticLoadBalancingV2");
        assert!(!balancer || resource["Properties"]["Name"].is_null());
    }
}

#[test]
fn scaling_names_the_service_that_cloudformation_named() {
    let (template, value) = rendered(&stack());
    let target = &value["Resources"]["ConnectScalableTarget"]["Properties"];
    assert_eq!(target["ResourceId"], json!({ "Fn::Sub": "service/${ClusterName}/${ConnectService.Name}" }));
    assert_eq!(
        value["Resources"]["ConnectMemoryScaling"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]["TargetValue"],
        75
    );
    assert!(template.parameters["ConnectDesiredCount"].description.contains("scaling"));
}

#[test]
fn logs_outlive_the_stack_but_not_its_failed_creation() {
    let (_, value) = rendered(&stack());
    let group = &value["Resources"]["ConnectLogGroup"];
    assert_eq!(group["DeletionPolicy"], "RetainExceptOnCreate");
    assert_eq!(group["Properties"]["RetentionInDays"], 30);
    assert!(group["Properties"]["LogGroupName"].is_null());
}

#[test]
fn what_knows_tags_is_tagged() {
    let (_, value) = rendered(&stack());
    let untaggable = ["Listener", "SecurityGroupIngress", "ScalableTarget", "ScalingPolicy"];
    for (id, resource) in value["Resources"].as_object().unwrap() {
        let kind = resource["Type"].as_str().unwrap().rsplit("::").next().unwrap();
        let tagged = resource["Properties"]["Tags"].to_string().contains("{\"Key\":\"team\",\"Value\":\"a\"}");
        assert!(tagged || untaggable.contains(&kind), "{id}");
    }
}

#[test]
fn open_parameters_are_what_an_account_must_say() {
    let (template, _) = rendered(&stack());
    let open: Vec<&str> = template.open_parameters().map(|(name, _)| name).collect();
    assert_eq!(open, ["AppSubnets", "CredsSecretArn", "PublicSubnets", "VpcId"]);
}

#[test]
fn both_forms_hold_the_same_and_come_out_the_same_twice() {
    let (template, value) = rendered(&stack());
    let read: Value = serde_yaml::from_str(&template.to_yaml()).unwrap();
    assert_eq!(read, value);
    assert_eq!(template.to_yaml(), super::template(&stack()).to_yaml());
}

#[test]
fn a_template_over_a_limit_names_its_largest_services() {
    let (mut template, _) = rendered(&stack());
    assert!(super::check(&template, 10_000).is_empty());
    let resource = template.resources["WebService"].clone();
    for number in 0..500 {
        template.resources.insert(format!("Web{number}"), resource.clone());
    }
    let findings = super::check(&template, 10_000);
    let finding = findings.iter().next().unwrap();
    assert!(finding.help.as_deref().unwrap().contains("are web ("), "{finding:?}");
}
