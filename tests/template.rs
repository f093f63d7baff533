//! What a template must get right, each rule by one test, from the command line in. The list is that of the design, in its order:
//!
//! | rule | test |
//! |---|---|
//! | ingress wherever A names B in depends_on, environment or command | `ingress_follows_every_way_of_naming_a_service` |
//! | workers and registries reach each other | `workers_and_registries_reach_each_other` |
//! | the world gets in only where the file says so, and then a finding; egress is open | `the_world_gets_in_only_where_the_file_says_so` |
//! | the task's own address through a command that execs, without curl and jq | `a_task_advertises_its_own_address` |
//! | `valueFrom` is `ARN:KEY::`; the role reads exactly those, and their key | `secrets_are_read_by_key_and_by_one_role` |
//! | the secret's version is a docker label alone | `the_version_of_a_secret_is_a_label_and_nothing_else` |
//! | health checks without curl, start period, stop timeout, heap | `checks_times_and_heap_are_the_components_own` |
//! | legal sizes; an illegal one is a finding | `an_illegal_size_is_a_finding_and_not_a_clamp` |
//! | deployment from the profile; plain services keep Compose's | `deployments_are_the_profiles_and_plain_services_keep_composes` |
//! | never Spot for a singleton | `a_singleton_never_runs_on_spot` |
//! | circuit breaker with rollback; the count is a parameter | `a_deploy_can_fail_and_never_resets_the_count` |
//! | FARGATE unless providers are named, then as written | `capacity_is_as_written` |
//! | one role pair a service, no `*` where a name is known, boundary | `roles_are_each_services_own_and_bounded` |
//! | MSK: statements of IAM, rule on the cluster's group | `msk_gets_its_rule_for_each_service`, `a_task_role_has_what_acl_list_shows` |
//! | HTTPS, idle timeout, grace | `balancers_speak_https_and_wait_long_enough` |
//! | a login in front where asked | `a_login_stands_in_front_where_it_is_asked_for` |
//! | names in Cloud Map and where asked in Service Connect, never App Mesh | `names_are_in_cloud_map`, `one_name_is_not_taken_twice` |
//! | no physical names, retained logs, tags, nothing made that nobody asked for | `nothing_is_made_or_named_that_nobody_asked_for` |
//! | identity is somebody's choice | `a_folders_name_is_no_identity` |
//! | limits, with the largest services | `a_stack_over_a_limit_names_its_largest_services`, `parameters_and_bytes_have_limits_too` |
//! | a stack without our tags is left alone | `deploy::` … `a_stack_of_somebody_else_is_left_alone` |

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::program::{Ran, run_with};

/// Where everything stands, in every project here.
const STANDING: &str = r#"
x-vpc:
  Lookup:
    VpcId: { Tags: [{ Name: main }] }
    AppSubnets: { Tags: [{ "vpc::usage": app }] }
    PublicSubnets: { Tags: [{ "vpc::usage": public }] }
x-cluster: { Lookup: main }
"#;

fn render(compose: &str) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), format!("name: shop\n{compose}{STANDING}")).unwrap();
    run_with(folder.path(), &["render", "--format", "json"], "", &[])
}

/// The template, and what was said beside it.
#[track_caller]
fn template(compose: &str) -> (Value, String) {
    let ran = render(compose);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (serde_json::from_str(&ran.stdout).unwrap(), ran.stderr)
}

/// The project that `init` wrote, for components with all that their profiles know.
fn of_init(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    let ran = run_with(&folder, &["render", "--env", "dev", "--format", "json"], "", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// Connect as its image wants it, with more keys for the service.
fn connect(more: &str) -> String {
    let mut text = String::from(
        "services:\n  connect:\n    image: confluentinc/cp-kafka-connect:8.0.7\n    ports: [\"8083\"]\n    environment:\n",
    );
    for (name, value) in [
        ("BOOTSTRAP_SERVERS", "kafka.example.com:9092"),
        ("GROUP_ID", "g"),
        ("CONFIG_STORAGE_TOPIC", "c"),
        ("OFFSET_STORAGE_TOPIC", "o"),
        ("STATUS_STORAGE_TOPIC", "s"),
        ("CONFIG_STORAGE_REPLICATION_FACTOR", "\"3\""),
        ("OFFSET_STORAGE_REPLICATION_FACTOR", "\"3\""),
        ("STATUS_STORAGE_REPLICATION_FACTOR", "\"3\""),
        ("KEY_CONVERTER", "org.apache.kafka.connect.json.JsonConverter"),
        ("VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter"),
    ] {
        let _ = writeln!(text, "      CONNECT_{name}: {value}");
    }
    text + "    deploy: { replicas: 2, resources: { limits: { cpus: \"1\", memory: 4G } } }\n" + more
}

fn resource<'t>(template: &'t Value, id: &str) -> &'t Value {
    let found = &template["Resources"][id]["Properties"];
    assert!(!found.is_null(), "no {id} in {:?}", template["Resources"].as_object().unwrap().keys().collect::<Vec<_>>());
    found
}

fn of_type<'t>(template: &'t Value, kind: &'t str) -> impl Iterator<Item = (&'t String, &'t Value)> {
    let all = template["Resources"].as_object().unwrap().iter();
    all.filter(move |(_, resource)| resource["Type"] == kind).map(|(id, resource)| (id, &resource["Properties"]))
}

fn container<'t>(template: &'t Value, id: &str) -> &'t Value {
    &resource(template, id)["ContainerDefinitions"][0]
}

#[test]
fn ingress_follows_every_way_of_naming_a_service() {
    let (template, _) = template(
        r#"
services:
  target: { image: acme/t:1, ports: ["9000"], x-network: { x-cloudmap: PrivateNamespace } }
  waits: { image: acme/w:1, depends_on: [target] }
  asks: { image: acme/a:1, environment: { CONTROL_CENTER_CONNECT_MAIN_CLUSTER: "http://target:9000" } }
  lists: { image: acme/l:1, environment: { CONNECT_CLUSTERS: "x:1,target:9000" } }
  full: { image: acme/f:1, environment: { A_SCHEMA_REGISTRY_URL: "http://target.lan.internal:9000" } }
  runs: { image: acme/r:1, command: ["serve", "--peer", "http://target:9000/x"] }
  stranger: { image: acme/s:1, environment: { URL: "http://target.example.com:9000" } }
x-cloudmap: { PrivateNamespace: { Name: lan.internal } }
"#,
    );
    for from in ["Waits", "Asks", "Lists", "Full", "Runs"] {
        let rule = resource(&template, &format!("TargetFrom{from}9000"));
        assert_eq!((&rule["FromPort"], &rule["ToPort"]), (&json!(9000), &json!(9000)), "{from}");
        assert_eq!(rule["SourceSecurityGroupId"]["Fn::GetAtt"][0], format!("{from}SecurityGroup"));
    }
    assert!(template["Resources"].get("TargetFromStranger9000").is_none());
}

#[test]
fn workers_and_registries_reach_each_other() {
    let registry = "  registry:\n    image: confluentinc/cp-schema-registry:8.0.7\n    ports: [\"8081\"]\n    environment:\n      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: SASL_SSL://kafka.example.com:9092\n    deploy: { resources: { limits: { cpus: \"1\", memory: 2G } } }\n";
    let ran = render(&connect(registry));
    let template: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    assert_eq!(resource(&template, "ConnectFromItself8083")["FromPort"], 8083);
    assert_eq!(resource(&template, "RegistryFromItself8081")["FromPort"], 8081);
}

#[test]
fn the_world_gets_in_only_where_the_file_says_so() {
    let (closed, _) = template("services:\n  web: { image: acme/w:1, ports: [\"80\"] }\n");
    for (id, group) in of_type(&closed, "AWS::EC2::SecurityGroup") {
        assert!(!group.to_string().contains("0.0.0.0/0"), "{id}");
        assert_eq!(group["SecurityGroupEgress"], Value::Null, "{id}: without rules of its own, a group lets everything out");
    }
    let (open, said) = template(
        "services:\n  web:\n    image: acme/w:1\n    ports: [\"80\"]\n    x-network: { Ingress: { ExtSources: [{ IPv4: 0.0.0.0/0, Name: all }] } }\n",
    );
    assert!(resource(&open, "WebSecurityGroup").to_string().contains("0.0.0.0/0"));
    assert!(said.contains("[CE166]"), "{said}");
}

#[test]
fn a_task_advertises_its_own_address() {
    for template in [template(&connect("")).0, of_init("init-self-managed-scram")] {
        let command = container(&template, "ConnectTaskDefinition")["Command"].to_string();
        assert!(command.contains("CONNECT_REST_ADVERTISED_HOST_NAME") && command.contains("exec "), "{command}");
        assert!(!command.contains("curl") && !command.contains("jq"), "{command}");
    }
}

const SECRETS: &str = "    secrets: [keyed]\nsecrets:\n  keyed:\n    x-secrets: { Name: /kafka/connect, JsonKeys: [{ SecretKey: JAAS, VarName: CONNECT_SASL_JAAS_CONFIG }] }\n";

#[test]
fn secrets_are_read_by_key_and_by_one_role() {
    let (template, _) = template(&connect(SECRETS));
    let secrets = &container(&template, "ConnectTaskDefinition")["Secrets"];
    let expected = json!([{ "Name": "CONNECT_SASL_JAAS_CONFIG", "ValueFrom": { "Fn::Sub": "${KeyedSecretArn}:JAAS::" } }]);
    assert_eq!(*secrets, expected);
    let policies = resource(&template, "ConnectExecutionRole")["Policies"].as_array().unwrap();
    let reading = &policies.iter().find(|policy| policy["PolicyName"] == "secrets").unwrap()["PolicyDocument"]["Statement"];
    assert_eq!(reading[0]["Action"], json!(["secretsmanager:GetSecretValue"]));
    assert_eq!(reading[0]["Resource"], json!([{ "Ref": "KeyedSecretArn" }]));
    assert_eq!(reading[1]["Action"], json!(["kms:Decrypt"]));
    let condition = &reading[1]["Condition"]["StringEquals"];
    assert_eq!(condition["kms:EncryptionContext:SecretARN"], json!([{ "Ref": "KeyedSecretArn" }]));
    assert!(!resource(&template, "ConnectTaskRole").to_string().contains("secretsmanager"));
}

#[test]
fn the_version_of_a_secret_is_a_label_and_nothing_else() {
    let (template, _) = template(&connect(SECRETS));
    assert_eq!(template["Parameters"]["KeyedSecretVersion"]["Default"], "");
    let mut definition = container(&template, "ConnectTaskDefinition").clone();
    let labels = definition.as_object_mut().unwrap().remove("DockerLabels").unwrap();
    assert_eq!(labels, json!({ "confluent-ecs.secret-version.keyed": { "Ref": "KeyedSecretVersion" } }));
    assert!(!definition.to_string().contains("SecretVersion"));
    assert!(!template["Resources"].to_string().replace(&labels.to_string(), "").contains("KeyedSecretVersion"));
}

#[test]
fn checks_times_and_heap_are_the_components_own() {
    let (template, _) = template(&connect(""));
    let definition = container(&template, "ConnectTaskDefinition");
    let check = definition["HealthCheck"].to_string();
    assert!(check.contains("/dev/tcp/") && !check.contains("curl"), "{check}");
    assert!(definition["HealthCheck"]["StartPeriod"].as_u64().unwrap() >= 60, "{check}");
    assert_eq!(definition["StopTimeout"], 120);
    let environment = definition["Environment"].as_array().unwrap();
    let heap = environment.iter().find(|variable| variable["Name"] == "KAFKA_HEAP_OPTS").unwrap();
    let megabytes: u64 = heap["Value"].as_str().unwrap().rsplit("-Xmx").next().unwrap().trim_end_matches('m').parse().unwrap();
    assert!((1024..4096).contains(&megabytes), "{heap}");
}

#[test]
fn an_illegal_size_is_a_finding_and_not_a_clamp() {
    let ran = render("services:\n  web: { image: acme/w:1, deploy: { resources: { limits: { cpus: \"64\", memory: 1G } } } }\n");
    assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
    assert!(ran.stderr.contains("[CE158]"), "{}", ran.stderr);
}

#[test]
fn deployments_are_the_profiles_and_plain_services_keep_composes() {
    let plain = "  web:\n    image: acme/w:1\n    stop_grace_period: 40s\n    deploy: { replicas: 4, update_config: { parallelism: 1 } }\n";
    let (template, _) = template(&connect(plain));
    let deployment = |id: &str| {
        let service = resource(&template, id);
        let configuration = &service["DeploymentConfiguration"];
        (configuration["MinimumHealthyPercent"].clone(), configuration["MaximumPercent"].clone())
    };
    let of_connect = deployment("ConnectService");
    assert!(of_connect == (json!(100), json!(200)) || of_connect == (json!(50), json!(100)), "{of_connect:?}");
    assert_eq!(resource(&template, "ConnectService")["AvailabilityZoneRebalancing"], "DISABLED");
    assert_eq!(deployment("WebService"), (json!(75), json!(100)));
    assert_eq!(container(&template, "WebTaskDefinition")["StopTimeout"], 40);
    // Whoever wrote the files; and what they say of it stands.
    let delay = |value: &str| json!({ "Name": "CONNECT_SCHEDULED_REBALANCE_MAX_DELAY_MS", "Value": value }).to_string();
    for template in [&template, &of_init("init-self-managed-scram")] {
        let environment = container(template, "ConnectTaskDefinition")["Environment"].to_string();
        assert!(environment.contains(&delay("60000")), "{environment}");
    }
    let own =
        connect("").replace("CONNECT_GROUP_ID: g", "CONNECT_GROUP_ID: g\n      CONNECT_SCHEDULED_REBALANCE_MAX_DELAY_MS: 5000");
    let environment = container(&self::template(&own).0, "ConnectTaskDefinition")["Environment"].to_string();
    assert!(environment.contains(&delay("5000")) && !environment.contains(&delay("60000")), "{environment}");
}

/// Control Center, two of which would share one identity.
const CONTROL_CENTER: &str = r#"services:
  console:
    image: confluentinc/cp-enterprise-control-center:7.9.2
    ports: ["9021"]
    environment:
      CONTROL_CENTER_BOOTSTRAP_SERVERS: kafka.example.com:9092
      CONTROL_CENTER_REPLICATION_FACTOR: "3"
    deploy: { resources: { limits: { cpus: "2", memory: 8G } } }
"#;

#[test]
fn a_singleton_never_runs_on_spot() {
    let ran = render(CONTROL_CENTER);
    let template: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let service = resource(&template, "ConsoleService");
    assert_eq!(service["DeploymentConfiguration"]["MinimumHealthyPercent"], 0);
    assert_eq!(service["DeploymentConfiguration"]["MaximumPercent"], 100);
    assert_eq!(service["AvailabilityZoneRebalancing"], "DISABLED");
    let spot = "    x-ecs: { CapacityProviderStrategy: [{ CapacityProvider: FARGATE_SPOT, Weight: 1 }] }\n";
    let ran = render(&format!("{CONTROL_CENTER}{spot}"));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("[CE162]"), "{}", ran.stderr);
}

#[test]
fn a_deploy_can_fail_and_never_resets_the_count() {
    let (template, _) = template(&connect("    x-scaling: { Range: 2-6, TargetScaling: { CpuTarget: 60 } }\n"));
    for (id, service) in of_type(&template, "AWS::ECS::Service") {
        let breaker = &service["DeploymentConfiguration"]["DeploymentCircuitBreaker"];
        assert_eq!((&breaker["Enable"], &breaker["Rollback"]), (&json!(true), &json!(true)), "{id}");
        let parameter = service["DesiredCount"]["Ref"].as_str().unwrap();
        assert_eq!(template["Parameters"][parameter]["Type"], "Number");
    }
    assert_eq!(template["Parameters"]["ConnectDesiredCount"]["Default"], "2");
}

#[test]
fn capacity_is_as_written() {
    let strategy = "    x-ecs: { CapacityProviderStrategy: [{ CapacityProvider: FARGATE, Base: 1, Weight: 2 }, { CapacityProvider: FARGATE_SPOT, Weight: 1 }] }\n";
    let (template, _) = template(&format!("services:\n  web: {{ image: acme/w:1 }}\n  spot:\n    image: acme/s:1\n{strategy}"));
    assert_eq!(resource(&template, "WebService")["LaunchType"], "FARGATE");
    let spot = resource(&template, "SpotService");
    assert_eq!(spot["LaunchType"], Value::Null);
    assert_eq!(spot["CapacityProviderStrategy"][0]["Base"], 1);
    assert_eq!(spot["CapacityProviderStrategy"][0]["Weight"], 2);
    assert_eq!(spot["CapacityProviderStrategy"][1]["CapacityProvider"], "FARGATE_SPOT");
}

#[test]
fn roles_are_each_services_own_and_bounded() {
    let boundary = "arn:aws:iam::111122223333:policy/boundary";
    let (template, _) = template(&format!(
        "services:\n  a:\n    image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/a:1\n    x-iam: {{ PermissionsBoundary: \"{boundary}\" }}\n  b: {{ image: acme/b:1 }}\n"
    ));
    assert_eq!(of_type(&template, "AWS::IAM::Role").count(), 4);
    for id in ["AExecutionRole", "ATaskRole"] {
        assert_eq!(resource(&template, id)["PermissionsBoundary"], boundary);
    }
    for (id, role) in of_type(&template, "AWS::IAM::Role") {
        let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(trust["Principal"]["Service"], "ecs-tasks.amazonaws.com", "{id}");
        for policy in role["Policies"].as_array().into_iter().flatten() {
            for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
                let any = statement["Resource"].as_array().is_some_and(|list| list.contains(&json!("*")));
                // The token is for the whole registry: the action knows no resource.
                assert!(!any || statement["Action"] == json!(["ecr:GetAuthorizationToken"]), "{id}: {statement}");
            }
        }
    }
}

#[test]
fn msk_gets_its_rule_for_each_service() {
    let kafka = "x-kafka:\n  provider: msk-scram\n  bootstrap: b-1.demo.abcdef.c2.kafka.eu-west-1.amazonaws.com:9096\n  cluster: arn:aws:kafka:eu-west-1:111122223333:cluster/demo/0a1b2c3d-0000-4000-8000-0123456789ab-2\n  security-group: sg-0a1b2c3d4e5f67890\n";
    let ran = render(&connect(kafka));
    let template: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let (_, rule) = of_type(&template, "AWS::EC2::SecurityGroupIngress")
        .find(|(_, rule)| rule["GroupId"] == "sg-0a1b2c3d4e5f67890")
        .unwrap_or_else(|| panic!("{}", ran.stderr));
    assert_eq!(rule["SourceSecurityGroupId"]["Fn::GetAtt"][0], "ConnectSecurityGroup");
}

/// MSK with IAM: the statements of the role are those that `acl commands` prints, neither more nor less.
#[test]
fn a_task_role_has_what_acl_list_shows() {
    let arn = "arn:aws:kafka:eu-west-1:111122223333:cluster/demo/0a1b2c3d-0000-4000-8000-0123456789ab-2";
    let kafka = format!(
        "x-kafka:\n  provider: msk-iam\n  bootstrap: b-1.demo.abcdef.c2.kafka.eu-west-1.amazonaws.com:9098\n  cluster: {arn}\n{STANDING}"
    );
    let mut text = connect("");
    for client in ["", "PRODUCER_", "CONSUMER_", "ADMIN_"] {
        for (name, value) in [
            ("SECURITY_PROTOCOL", "SASL_SSL"),
            ("SASL_MECHANISM", "AWS_MSK_IAM"),
            ("SASL_JAAS_CONFIG", "software.amazon.msk.auth.iam.IAMLoginModule required;"),
            ("SASL_CLIENT_CALLBACK_HANDLER_CLASS", "software.amazon.msk.auth.iam.IAMClientCallbackHandler"),
        ] {
            text = text.replace("    environment:\n", &format!("    environment:\n      CONNECT_{client}{name}: \"{value}\"\n"));
        }
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), format!("name: shop\n{text}{kafka}")).unwrap();
    let ran = run_with(folder.path(), &["render", "--format", "json"], "", &[]);
    let template: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let policies = resource(&template, "ConnectTaskRole")["Policies"].as_array().unwrap();
    let role = &policies.iter().find(|policy| policy["PolicyName"] == "kafka").unwrap()["PolicyDocument"]["Statement"];
    let ran = run_with(folder.path(), &["acl", "commands", "--for", "msk-iam"], "", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // The command holds the document; it begins at the first brace.
    let shown = ran.stdout.split_once('{').map(|(_, rest)| format!("{{{rest}")).unwrap_or_default();
    let end = shown.rfind('}').unwrap();
    let shown: Value = serde_json::from_str(&shown[..=end]).unwrap_or_else(|error| panic!("{error}\n{}", ran.stdout));
    let pairs = |statements: &Value| {
        let each = |value: &Value| match value {
            Value::Array(list) => list.iter().map(|item| item.as_str().unwrap().to_owned()).collect::<Vec<_>>(),
            one => vec![one.as_str().unwrap().to_owned()],
        };
        let mut pairs = std::collections::BTreeSet::new();
        for statement in statements.as_array().unwrap() {
            for resource in each(&statement["Resource"]) {
                pairs.extend(each(&statement["Action"]).into_iter().map(|action| (resource.clone(), action)));
            }
        }
        pairs
    };
    assert!(!pairs(role).is_empty());
    assert_eq!(pairs(role), pairs(&shown["Statement"]));
}

#[test]
fn balancers_speak_https_and_wait_long_enough() {
    let certificate = "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0000-4000-8000-0123456789ab";
    let (template, _) = template(&format!(
        r#"
services:
  web: {{ image: acme/w:1, ports: ["8080"] }}
x-elbv2:
  front:
    Properties: {{ Scheme: internal }}
    MacroParameters: {{ Ingress: {{ ExtSources: [{{ IPv4: 10.0.0.0/8, Name: office }}] }} }}
    Listeners:
      - {{ Port: 443, Protocol: HTTPS, Certificates: [{{ CertificateArn: "{certificate}" }}], Targets: [{{ name: "web:web" }}] }}
    Services:
      "web:web": {{ port: 8080, protocol: HTTP, healthcheck: "8080:HTTP:4:2:15:5:/:200" }}
"#
    ));
    let (_, listener) = of_type(&template, "AWS::ElasticLoadBalancingV2::Listener").next().unwrap();
    let parameter = "FrontLoadBalancerListener443CertificateArn";
    assert_eq!(listener["Certificates"], json!([{ "CertificateArn": { "Ref": parameter } }]));
    assert_eq!(template["Parameters"][parameter]["Default"], certificate);
    assert!(listener["SslPolicy"].as_str().is_some_and(|policy| policy.contains("TLS13")), "{listener}");
    let (_, balancer) = of_type(&template, "AWS::ElasticLoadBalancingV2::LoadBalancer").next().unwrap();
    let attributes = balancer["LoadBalancerAttributes"].as_array().unwrap();
    assert!(attributes.contains(&json!({ "Key": "idle_timeout.timeout_seconds", "Value": "300" })), "{attributes:?}");
    // What a balancer thinks of a new task is not listened to before it can answer.
    assert_eq!(resource(&template, "WebService")["HealthCheckGracePeriodSeconds"], 60);
    let front = "x-elbv2:\n  lb:\n    MacroParameters: { Ingress: { ExtSources: [{ IPv4: 10.0.0.0/8 }] } }\n    Services: { 'console:console': { port: 9021 } }\n    Listeners: { 80: { Targets: [{ name: 'console:console' }] } }\n";
    let ran = render(&format!("{CONTROL_CENTER}{front}"));
    let template: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    assert!(resource(&template, "ConsoleService")["HealthCheckGracePeriodSeconds"].as_u64().is_some_and(|grace| grace > 60));
}

#[test]
fn a_login_stands_in_front_where_it_is_asked_for() {
    let certificate = "arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0000-4000-8000-0123456789ab";
    let ran = render(&format!(
        r#"{CONTROL_CENTER}
x-elbv2:
  front:
    MacroParameters: {{ Ingress: {{ ExtSources: [{{ IPv4: 10.0.0.0/8, Name: office }}] }} }}
    Services: {{ "console:console": {{ port: 9021, protocol: HTTP }} }}
    Listeners:
      443:
        Certificates: [{{ CertificateArn: "{certificate}" }}]
        Targets:
          - name: console:console
            AuthenticateOidcConfig:
              Issuer: https://login.example.com
              AuthorizationEndpoint: https://login.example.com/authorize
              TokenEndpoint: https://login.example.com/token
              UserInfoEndpoint: https://login.example.com/userinfo
              ClientId: console
              ClientSecret: "{{{{resolve:secretsmanager:/oidc:SecretString:ClientSecret}}}}"
"#
    ));
    let template: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let (_, listener) = of_type(&template, "AWS::ElasticLoadBalancingV2::Listener").next().unwrap();
    let actions = listener["DefaultActions"].as_array().unwrap();
    assert_eq!((&actions[0]["Type"], &actions[0]["Order"]), (&json!("authenticate-oidc"), &json!(1)));
    assert_eq!((&actions[1]["Type"], &actions[1]["Order"]), (&json!("forward"), &json!(2)));
    assert_eq!(
        actions[0]["AuthenticateOidcConfig"]["ClientSecret"],
        "{{resolve:secretsmanager:/oidc:SecretString:ClientSecret}}"
    );
}

#[test]
fn names_are_in_cloud_map() {
    let (template, _) = template(
        "services:\n  web: { image: acme/w:1, ports: [\"80\"], x-network: { x-cloudmap: PrivateNamespace } }\nx-cloudmap: { PrivateNamespace: { Name: lan.internal } }\n",
    );
    assert_eq!(resource(&template, "WebDiscovery")["Name"], "web");
    assert_eq!(resource(&template, "WebService")["ServiceRegistries"][0]["RegistryArn"]["Fn::GetAtt"][0], "WebDiscovery");
    assert!(!template.to_string().contains("AppMesh"));
}

/// Cloud Map and Service Connect share the names of a namespace: who asks for one in Service Connect gets it, and one that nobody asked
/// for steps back.
#[test]
fn one_name_is_not_taken_twice() {
    let connected = |more: &str| {
        template(&format!(
            "services:\n  web:\n    image: acme/w:1\n    ports: [\"80\"]\n    x-network:\n      {more}\n      x-ecs_connect:\n        Properties:\n          Namespace: lan\n          Services: [{{ PortName: tcp_80, DiscoveryName: web, ClientAliases: [{{ DnsName: web, Port: 80 }}] }}]\nx-cloudmap: {{ lan: {{ Name: lan.internal }} }}\n"
        ))
        .0
    };
    let alone = connected("AssignPublicIp: false");
    assert_eq!(resource(&alone, "WebService")["ServiceConnectConfiguration"]["Services"][0]["DiscoveryName"], "web");
    assert!(alone["Resources"].get("WebDiscovery").is_none(), "nobody asked for the name in Cloud Map");
    let (both, _) = template(
        "services:\n  web:\n    image: acme/w:1\n    ports: [\"80\"]\n    x-network:\n      x-cloudmap: lan\n      x-ecs_connect: { MacroParameters: { x-cloudmap: lan, service_ports: { tcp_80: { DnsName: web } } } }\nx-cloudmap: { lan: { Name: lan.internal } }\n",
    );
    assert_eq!(resource(&both, "WebDiscovery")["Name"], "web");
    let offer = &resource(&both, "WebService")["ServiceConnectConfiguration"]["Services"][0];
    assert_eq!((&offer["DiscoveryName"], &offer["ClientAliases"][0]["DnsName"]), (&json!("web-80"), &json!("web")));
}

#[test]
fn nothing_is_made_or_named_that_nobody_asked_for() {
    let (template, _) = template(&format!("{}x-tags: {{ team: orders }}\n", connect(SECRETS)));
    let named = ["RoleName", "LogGroupName", "GroupName", "ServiceName", "Family", "ClusterName", "LoadBalancerName"];
    let untaggable = ["SecurityGroupIngress", "ScalableTarget", "ScalingPolicy", "Listener"];
    for (id, resource) in template["Resources"].as_object().unwrap() {
        let (kind, properties) = (resource["Type"].as_str().unwrap(), &resource["Properties"]);
        assert!(!named.iter().any(|name| properties.get(name).is_some()), "{id}: {properties}");
        for unwanted in ["EC2::VPC", "EC2::NatGateway", "EC2::Subnet", "SecretsManager", "ECS::Cluster"] {
            assert!(!kind.contains(unwanted), "{id} is a {kind}");
        }
        let tags = properties["Tags"].to_string();
        let tagged = ["confluent-ecs:project", "confluent-ecs:version", "team"].iter().all(|tag| tags.contains(tag));
        assert!(tagged || untaggable.iter().any(|name| kind.ends_with(name)), "{id}: {tags}");
        if kind == "AWS::Logs::LogGroup" {
            assert_eq!(
                (&resource["DeletionPolicy"], &properties["RetentionInDays"]),
                (&json!("RetainExceptOnCreate"), &json!(30))
            );
        }
    }
}

#[test]
fn a_folders_name_is_no_identity() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), format!("services: {{ web: {{ image: acme/w:1 }} }}{STANDING}")).unwrap();
    let ran = run_with(folder.path(), &["up", "--yes"], "", &[]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("has no name but its folder's"), "{}", ran.stderr);
    for named in [["render", "-n", "shop"], ["render", "-p", "shop"]] {
        assert_eq!(run_with(folder.path(), &named, "", &[]).code, 0);
    }
}

/// Services as they come, so many of them.
fn many(count: usize) -> String {
    (0..count).fold(String::from("services:\n"), |mut text, number| {
        let _ = writeln!(text, "  s{number}: {{ image: acme/s:1, ports: [\"80\"] }}");
        text
    })
}

#[test]
fn a_stack_over_a_limit_names_its_largest_services() {
    let ran = render(&format!(
        "{}  large:\n    image: acme/l:1\n    ports: [\"80\"]\n    x-scaling: {{ Range: 1-2, TargetScaling: {{ CpuTarget: 60 }} }}\n",
        many(90)
    ));
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("[CE189]") && ran.stderr.contains("CloudFormation takes 500"), "{}", ran.stderr);
    // s1 and s10 are not taken for one.
    assert!(
        ran.stderr.contains("the largest services are large (8 resources), s0 (6 resources), s1 (6 resources)"),
        "{}",
        ran.stderr
    );
    let (fits, _) = template(&many(80));
    assert!(fits["Resources"].as_object().unwrap().len() <= 500);
}

#[test]
fn parameters_and_bytes_have_limits_too() {
    // Two parameters a secret: its ARN and its version.
    let secrets: Vec<String> = (0..100).map(|number| format!("s{number}")).collect();
    let mut text = format!("services:\n  web:\n    image: acme/w:1\n    secrets: [{}]\nsecrets:\n", secrets.join(", "));
    for name in &secrets {
        let _ = writeln!(text, "  {name}: {{ x-secrets: {{ Name: /shop/{name} }} }}");
    }
    let ran = render(&text);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("[CE189]") && ran.stderr.contains("parameters; CloudFormation takes 200"), "{}", ran.stderr);
    let mut text = String::from("services:\n");
    for number in 0..60 {
        let _ = writeln!(text, "  s{number}:\n    image: acme/s:1\n    environment: {{ TEXT: {} }}", "x".repeat(18_000));
    }
    let ran = render(&text);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("[CE189]") && ran.stderr.contains("bytes; CloudFormation takes 1000000"), "{}", ran.stderr);
}
