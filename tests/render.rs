//! `render`, from the command line in: golden files, cfn-lint, the same bytes always, and what stops it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::golden;
use crate::support::program::{Ran, run_with};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn projects() -> PathBuf {
    root().join("tests/projects")
}

fn golden_path(name: &str) -> PathBuf {
    root().join("tests/golden").join(name)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The program in a folder with only these variables.
fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
    run_with(folder, arguments, "", variables)
}

fn rendered(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> (String, String) {
    let ran = run(folder, variables, arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    (ran.stdout, ran.stderr)
}

/// No finding of cfn-lint, warnings included.
pub(crate) fn lint(paths: &[PathBuf]) {
    let output = Command::new(root().join("tests/bed/lint")).args(paths).output().unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

const CLUSTER: (&str, &str) = ("CLUSTER_ID", "lkc-8m2q5z");

#[test]
fn two_components_in_both_spellings() {
    let folder = projects().join("two-components");
    let mut paths = Vec::new();
    for env in ["dev", "prod"] {
        let (template, findings) = rendered(&folder, &[CLUSTER], &["render", "--env", env, "-p", "orders"]);
        golden::compare(&format!("render-two-components/{env}.template.yml"), &template);
        golden::compare(&format!("render-two-components/{env}.stderr.txt"), &findings);
        paths.push(golden_path(&format!("render-two-components/{env}.template.yml")));
        let (json, _) = rendered(&folder, &[CLUSTER], &["render", "--env", env, "-p", "orders", "--format", "json"]);
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(serde_yaml::from_str::<Value>(&template).unwrap(), json);
        assert_eq!(read_by_yaml_1_1(&template), json);
    }
    lint(&paths);
}

/// What PyYAML, which most tools around CloudFormation read with, makes of it.
fn read_by_yaml_1_1(text: &str) -> Value {
    let python = Command::new(root().join("tests/bed/venv")).output().unwrap();
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)";
    let ran = assert_cmd::Command::new(String::from_utf8(python.stdout).unwrap().trim())
        .args(["-c", script])
        .write_stdin(text)
        .output();
    let ran = ran.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// What `init` writes renders without a finding.
#[test]
fn the_project_that_init_writes() {
    let mut paths = Vec::new();
    for (name, project) in [("init-confluent-cloud", "kafka-connect"), ("init-self-managed-scram", "orders")] {
        let ran = run(&golden_path(name), &[], &["render", "--env", "dev"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let golden = format!("render-{name}/{project}-dev.template.yml");
        golden::compare(&golden, &ran.stdout);
        paths.push(golden_path(&golden));
    }
    lint(&paths);
}

/// What `preflight --in-vpc` makes while nothing of the service is there.
#[test]
fn the_small_stack_of_a_preflight_in_the_vpc() {
    let mut paths = Vec::new();
    for (name, project) in [("init-confluent-cloud", "kafka-connect"), ("init-self-managed-scram", "orders")] {
        let ran = run(&golden_path(name), &[], &["render", "--env", "dev", "--in-vpc"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let golden = format!("render-in-vpc/{project}-dev-preflight.template.yml");
        golden::compare(&golden, &ran.stdout);
        paths.push(golden_path(&golden));
    }
    let folder = projects().join("two-components");
    let (template, _) = rendered(&folder, &[CLUSTER], &["render", "--env", "dev", "-p", "orders", "--in-vpc"]);
    golden::compare("render-in-vpc/two-components.template.yml", &template);
    paths.push(golden_path("render-in-vpc/two-components.template.yml"));
    lint(&paths);
    // As files, under its own name; and nothing where nothing is known.
    let into = tempfile::tempdir().unwrap();
    let directory = into.path().to_str().unwrap();
    let ran = run(&golden_path("init-confluent-cloud"), &[], &["render", "--env", "dev", "--in-vpc", "-d", directory]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(into.path().join("kafka-connect-dev-preflight.template.yml").is_file());
    fs::write(into.path().join("compose.yml"), "name: plain\nservices:\n  web: { image: nginx:1 }\n").unwrap();
    let ran = run(into.path(), &[], &["render", "--in-vpc"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

/// `config` says what `render` will, and goes on: Docker takes the project as it is.
#[test]
fn config_tells_the_same_findings() {
    let folder = projects().join("two-components");
    let ran = run(&folder, &[CLUSTER], &["config", "--env", "dev", "-p", "orders"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    for code in ["CE127", "CE160", "CE166"] {
        assert!(ran.stderr.contains(code), "{code}\n{}", ran.stderr);
    }
    assert!(!ran.stderr.contains("error["), "{}", ran.stderr);
}

#[test]
fn the_same_bytes_from_any_folder_time_zone_and_locale() {
    let first = projects().join("two-components");
    let copy = tempfile::tempdir().unwrap();
    let second = copy.path().join("another_folder");
    fs::create_dir_all(second.join("envs")).unwrap();
    for file in ["docker-compose.yml", "envs/dev.yml"] {
        fs::copy(first.join(file), second.join(file)).unwrap();
    }
    let arguments = ["render", "--env", "dev", "-n", "orders-dev"];
    let (expected, _) = rendered(&first, &[CLUSTER], &arguments);
    let here = [CLUSTER, ("TZ", "Pacific/Auckland"), ("LC_ALL", "tr_TR.UTF-8"), ("LANG", "tr_TR.UTF-8")];
    for variables in [&here[..1], &here] {
        assert_eq!(rendered(&second, variables, &arguments).0, expected);
    }
}

/// Nothing in the template hangs on the order of a hash, the clock or a run's number.
#[test]
fn a_hundred_runs_give_the_same_bytes() {
    let folder = projects().join("two-components");
    let arguments = ["render", "--env", "prod", "-p", "orders"];
    let (first, _) = rendered(&folder, &[CLUSTER], &arguments);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..25).for_each(|_| assert_eq!(rendered(&folder, &[CLUSTER], &arguments).0, first)));
        }
    });
}

#[test]
fn files_are_written_whole_and_only_its_own() {
    let folder = projects().join("two-components");
    let out = tempfile::tempdir().unwrap();
    let directory = out.path().join("outputs");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("mine.yml"), "kept").unwrap();
    let shown = directory.to_str().unwrap();
    for _ in 0..2 {
        let (stdout, stderr) = rendered(&folder, &[CLUSTER], &["render", "--env", "dev", "-n", "orders-dev", "-d", shown]);
        assert_eq!(stdout, format!("{shown}/orders-dev.template.yml\n{shown}/orders-dev.parameters.json\n"));
        assert!(stderr.contains("VpcId"), "{stderr}");
    }
    let mut names: Vec<_> =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["mine.yml", "orders-dev.parameters.json", "orders-dev.template.yml"]);
    assert_eq!(fs::read_to_string(directory.join("mine.yml")).unwrap(), "kept");
    let parameters: Value =
        serde_json::from_str(&fs::read_to_string(directory.join("orders-dev.parameters.json")).unwrap()).unwrap();
    let value = |key: &str| {
        let list = parameters.as_array().unwrap();
        list.iter().find(|entry| entry["ParameterKey"] == key).map(|entry| entry["ParameterValue"].as_str().unwrap().to_owned())
    };
    assert_eq!(value("ClusterName").as_deref(), Some("main"));
    assert_eq!(value("ConnectDesiredCount").as_deref(), Some("3"));
    assert_eq!(value("VpcId").as_deref(), Some(""));
}

#[test]
fn an_account_that_is_set_is_written() {
    let folder = projects().join("two-components");
    let arguments = ["render", "--env", "dev", "-n", "orders-dev"];
    let (without, _) = rendered(&folder, &[CLUSTER], &arguments);
    assert!(without.contains("${AWS::AccountId}.dkr.ecr.${AWS::Region}.amazonaws.com/platform/cp-kafka-connect:7.9.2"));
    let account = [CLUSTER, ("AWS_ACCOUNT_ID", "111122223333"), ("AWS_REGION", "eu-west-1")];
    let (with, _) = rendered(&folder, &account, &arguments);
    assert!(
        with.contains("Image: 111122223333.dkr.ecr.eu-west-1.amazonaws.com/platform/cp-kafka-connect:7.9.2")
            || with.contains("Image: \"111122223333.dkr")
    );
}

/// The unset variable is found at both of its places, and nothing is rendered.
#[test]
fn a_variable_that_is_not_set_stops_it_at_every_place() {
    let Ran { code, stdout, stderr } = run(&projects().join("two-components"), &[], &["render", "--env", "dev", "-p", "orders"]);
    assert_eq!((code, stdout.as_str()), (2, ""), "{stderr}");
    for place in ["envs/dev.yml:32:13:", "envs/dev.yml:35:13:"] {
        assert!(stderr.contains(place) && stderr.contains("CLUSTER_ID"), "{place}\n{stderr}");
    }
}

#[test]
fn a_misspelt_environment_is_offered_the_near_one() {
    let ran = run(&projects().join("two-components"), &[CLUSTER], &["render", "--env", "prd"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("did you mean --env prod?"), "{}", ran.stderr);
}

#[test]
fn findings_of_every_stage_come_in_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = "name: p\nservices:\n  web:\n    x-scaling: { Range: 3-1 }\n    image: i\n    deploy: { resources: { limits: { cpus: '64' } } }\n    secrets: [s]\n\
        secrets: { s: { file: ./s } }\nx-vpcs: {}\n";
    fs::write(folder.path().join("compose.yml"), file).unwrap();
    let Ran { code, stderr, .. } = run(folder.path(), &[], &["render"]);
    assert_eq!(code, 2, "{stderr}");
    for place in ["compose.yml:4:25: error[CE151]", "compose.yml:6:", "compose.yml:7:", "compose.yml:9:1: error[CE150]"] {
        assert!(stderr.contains(place), "{place}\n{stderr}");
    }
}

/// The real project of 2020 that the specification holds, where the specification is at hand.
#[test]
fn the_blogs_files_as_they_stand() {
    let folder = root().join("../shared/examples/blog");
    if !folder.exists() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for env in ["dev", "stg"] {
        let file = format!("envs/{env}.yml");
        let name = format!("confluent-apps-{env}");
        let directory = out.path().to_str().unwrap();
        let variables = [CLUSTER, ("ENV_NAME", env)];
        let arguments = ["render", "-f", "docker-compose.yml", "-f", &file, "-d", directory, "-n", &name];
        let (_, findings) = rendered(&folder, &variables, &arguments);
        assert!(
            findings.contains("[CE166]") && findings.contains("0.0.0.0/0") || findings.contains("whole internet"),
            "{findings}"
        );
        let path = out.path().join(format!("{name}.template.yml"));
        let template: Value = serde_yaml::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let zone = format!("{env}.lan.internal");
        BLOG.hold(&template, env, &zone);
        paths.push(path);
    }
    lint(&paths);
}

/// What its authors meant, by the names that they gave.
struct Meant {
    /// Control Center's logical id, and its load balancer's.
    console: &'static str,
    balancer: &'static str,
    /// The variable and the parameter of each secret: Connect's and Control Center's.
    connect_secret: (&'static str, &'static str),
    console_secret: (&'static str, &'static str),
    /// How the secrets' names begin.
    secrets: &'static str,
    /// A tag of their own.
    tag: &'static str,
}

const BLOG: Meant = Meant {
    console: "Controlcenter",
    balancer: "ControlcenterLoadBalancer",
    connect_secret: ("CONNECT_CREDS", "ConnectCredsSecretArn"),
    console_secret: ("CC_CREDS", "CcCredsSecretArn"),
    secrets: "/kafka/lkc-8m2q5z/confluent.",
    tag: "costcentre",
};

/// The project that stands in for it where the specification is not at hand: the same words, other names.
const STAND_IN: Meant = Meant {
    console: "Console",
    balancer: "ConsoleLoadBalancer",
    connect_secret: ("WORKER_CREDS", "WorkerCredsSecretArn"),
    console_secret: ("CONSOLE_CREDS", "ConsoleCredsSecretArn"),
    secrets: "/kafka/lkc-8m2q5z/orders.",
    tag: "team",
};

#[test]
fn the_stand_in_means_what_the_blog_means() {
    let arguments = ["render", "--env", "dev", "-p", "orders", "--format", "json"];
    let (template, findings) = rendered(&projects().join("two-components"), &[CLUSTER], &arguments);
    assert!(findings.contains("[CE166]") && findings.contains("whole internet"), "{findings}");
    STAND_IN.hold(&serde_json::from_str(&template).unwrap(), "dev", "dev.orders.internal");
}

impl Meant {
    fn hold(&self, template: &Value, env: &str, zone: &str) {
        let Self { console, balancer, .. } = self;
        let property =
            |id: &str, path: &str| template["Resources"][id]["Properties"].pointer(path).cloned().unwrap_or(Value::Null);
        // Two services of the right sizes, each one task definition and one service.
        let of_kind = |kind: &str| {
            let resources = template["Resources"].as_object().unwrap();
            resources.values().filter(|resource| resource["Type"] == kind).count()
        };
        assert_eq!((of_kind("AWS::ECS::Service"), of_kind("AWS::ECS::TaskDefinition")), (2, 2));
        assert_eq!(property(&format!("{console}TaskDefinition"), "/Cpu"), "1024");
        assert_eq!(property(&format!("{console}TaskDefinition"), "/Memory"), "2048");
        assert_eq!(property("ConnectTaskDefinition", "/Cpu"), "2048");
        assert_eq!(property("ConnectTaskDefinition", "/Memory"), "4096");
        assert_eq!(template["Parameters"]["ConnectDesiredCount"]["Default"], "3");
        assert_eq!(property("PrivateNamespace", "/Name"), zone);
        assert_eq!(property("ConnectDiscovery", "/Name"), "connect");
        assert_eq!(property("ConnectDiscovery", "/DnsConfig/DnsRecords/0/Type"), "A");
        assert_eq!(property("ConnectService", "/ServiceRegistries/0/RegistryArn/Fn::GetAtt/0"), "ConnectDiscovery");
        assert_eq!(property("ConnectScalableTarget", "/MinCapacity"), 1);
        assert_eq!(property("ConnectScalableTarget", "/MaxCapacity"), 3);
        let tracking = "/TargetTrackingScalingPolicyConfiguration";
        assert_eq!(property("ConnectMemoryScaling", &format!("{tracking}/TargetValue")), 75);
        assert_eq!(
            property("ConnectMemoryScaling", &format!("{tracking}/PredefinedMetricSpecification/PredefinedMetricType")),
            "ECSServiceAverageMemoryUtilization"
        );
        // Open to the world, on port 80 alone, to 8080 of Control Center, with the health check that is written.
        assert_eq!(property(balancer, "/Scheme"), "internet-facing");
        assert_eq!(property(balancer, "/Type"), "application");
        let group = format!("{balancer}SecurityGroup");
        assert_eq!(property(&group, "/SecurityGroupIngress/0/CidrIp"), "0.0.0.0/0");
        assert_eq!(property(&group, "/SecurityGroupIngress/0/FromPort"), 80);
        assert_eq!(property(&group, "/SecurityGroupIngress/1"), Value::Null);
        assert_eq!(property(&format!("{balancer}Listener80"), "/Port"), 80);
        let target = format!("{balancer}{console}8080");
        assert_eq!(property(&format!("{balancer}Listener80"), "/DefaultActions/0/TargetGroupArn/Ref"), target.as_str());
        for (path, value) in [
            ("/Port", Value::from(8080)),
            ("/HealthCheckPort", "8080".into()),
            ("/HealthCheckProtocol", "HTTP".into()),
            ("/HealthyThresholdCount", 4.into()),
            ("/UnhealthyThresholdCount", 2.into()),
            ("/HealthCheckIntervalSeconds", 15.into()),
            ("/HealthCheckTimeoutSeconds", 5.into()),
            ("/HealthCheckPath", "/".into()),
            ("/Matcher/HttpCode", "200".into()),
            ("/TargetType", "ip".into()),
        ] {
            assert_eq!(property(&target, path), value, "{path}");
        }
        assert_eq!(property(&format!("{console}Service"), "/LoadBalancers/0/TargetGroupArn/Ref"), target.as_str());
        // Whole, each under the name that the start script splits.
        for (id, (variable, parameter)) in [("Connect", self.connect_secret), (console, self.console_secret)] {
            let secrets = property(&format!("{id}TaskDefinition"), "/ContainerDefinitions/0/Secrets");
            assert_eq!(secrets, serde_json::json!([{ "Name": variable, "ValueFrom": { "Ref": parameter } }]));
            assert!(template["Parameters"][parameter]["Description"].as_str().unwrap().contains(self.secrets));
        }
        // Connect's own ingress, and the way from Control Center, which the authors' tool forgot.
        assert_eq!(property("ConnectFromItself8083", "/FromPort"), 8083);
        assert_eq!(
            property(&format!("ConnectFrom{console}8083"), "/SourceSecurityGroupId/Fn::GetAtt/0"),
            format!("{console}SecurityGroup")
        );
        assert_eq!(property(&format!("{console}From{balancer}8080"), "/FromPort"), 8080);
        // The images start themselves.
        assert_eq!(property("ConnectTaskDefinition", "/ContainerDefinitions/0/Command"), Value::Null);
        let untaggable = ["Listener", "SecurityGroupIngress", "ScalableTarget", "ScalingPolicy"];
        for (id, resource) in template["Resources"].as_object().unwrap() {
            let kind = resource["Type"].as_str().unwrap().rsplit("::").next().unwrap();
            let tags = resource["Properties"]["Tags"].to_string();
            let tagged = tags.contains(self.tag) && tags.contains(&format!("\"environment\",\"Value\":\"{env}\""));
            assert!(tagged || untaggable.contains(&kind), "{id}: {tags}");
        }
    }
}

/// A project with every key of the vocabulary, and raw CloudFormation over it.
#[test]
fn every_key_of_the_vocabulary_is_rendered() {
    let folder = projects().join("every-key");
    let (template, findings) = rendered(&folder, &[], &["render"]);
    golden::compare("render-every-key/template.yml", &template);
    golden::compare("render-every-key/stderr.txt", &findings);
    lint(&[golden_path("render-every-key/template.yml")]);
    let template: Value = serde_yaml::from_str(&template).unwrap();
    let resource = |id: &str| template["Resources"][id].clone();
    let property = |id: &str, path: &str| resource(id)["Properties"].pointer(path).cloned().unwrap_or(Value::Null);
    // Who waits for what, and the order of a listener's rules.
    let waits = &resource("ApiService")["DependsOn"];
    assert_eq!(*waits, serde_json::json!(["FrontLoadBalancerListener443Rule1", "FrontLoadBalancerListener443Rule2"]));
    assert_eq!(property("FrontLoadBalancerListener443Rule1", "/Conditions/0/HostHeaderConfig/Values/0"), "api.example.com");
    assert_eq!(property("FrontLoadBalancerListener443Rule1", "/Conditions/1/PathPatternConfig/Values/1"), "/v1/*");
    assert_eq!(property("FrontLoadBalancerListener443", "/DefaultActions/0/Type"), "authenticate-oidc");
    assert_eq!(property("FrontLoadBalancerListener443", "/DefaultActions/1/Type"), "forward");
    assert_eq!(property("FrontLoadBalancerListener80", "/DefaultActions/0/RedirectConfig/StatusCode"), "HTTP_301");
    // One task of two containers, of which one prepares the other's folder and ends.
    let task = |path: &str| property("ConnectTaskDefinition", path);
    assert_eq!((task("/Cpu"), task("/Memory")), ("2048".into(), "6144".into()));
    assert_eq!(task("/EphemeralStorage/SizeInGiB"), 60);
    assert_eq!(task("/RuntimePlatform/CpuArchitecture"), "ARM64");
    assert_eq!(task("/ContainerDefinitions/0/DependsOn/0/Condition"), "SUCCESS");
    assert_eq!(task("/ContainerDefinitions/1/Essential"), false);
    assert_eq!(task("/ContainerDefinitions/0/MountPoints/0/SourceVolume"), "plugins");
    assert_eq!(task("/ContainerDefinitions/1/MountPoints/0/SourceVolume"), "plugins");
    assert_eq!(task("/Volumes/1/EFSVolumeConfiguration/TransitEncryption"), "ENABLED");
    // What lies in memory has a size.
    assert_eq!(
        property("ConsoleTaskDefinition", "/ContainerDefinitions/0/LinuxParameters/Tmpfs"),
        serde_json::json!([
            { "ContainerPath": "/run", "Size": 16 },
            { "ContainerPath": "/tmp", "MountOptions": ["noexec"], "Size": 64 }
        ])
    );
    // What is typed into a container is kept, and its task may keep it.
    let typed = property("Cluster", "/Configuration/ExecuteCommandConfiguration/LogConfiguration");
    assert_eq!(typed["CloudWatchLogGroupName"], serde_json::json!({ "Ref": "ClusterExecLogGroup" }));
    assert_eq!(typed["S3KeyPrefix"], "typed");
    assert_eq!(property("ClusterExecLogGroup", "/RetentionInDays"), 60);
    let role = property("ConnectTaskRole", "/Policies").to_string();
    for right in ["logs:DescribeLogStreams", "s3:::every-key-exec/typed/*", "kms:GenerateDataKey"] {
        assert!(role.contains(right), "{right}: {role}");
    }
    assert!(property("Cluster", "/Tags").to_string().contains("every key"));
    assert!(property("InnerLoadBalancerWorkersTargetGroup", "/Tags").to_string().contains("behind"));
    // The task role may mount through its access point only.
    let role = property("ConnectTaskRole", "/Policies").to_string();
    assert!(role.contains("elasticfilesystem:ClientWrite") && role.contains("access-point/fsap-0a1b2c3d4e5f60718"), "{role}");
    assert!(!role.contains("ClientRootAccess"), "{role}");
    // Service Connect beside Cloud Map, in one namespace, under two names.
    assert_eq!(property("ConnectDiscovery", "/Name"), "connect");
    assert_eq!(property("ConnectService", "/ServiceConnectConfiguration/Services/0/DiscoveryName"), "connect-8083");
    assert_eq!(property("ConnectService", "/ServiceConnectConfiguration/Services/0/ClientAliases/0/DnsName"), "connect");
    assert_eq!(property("ConnectFromConsole8083", "/FromPort"), 8083);
    // A sidecar of two tasks is in both.
    for task in ["ConsoleTaskDefinition", "ApiTaskDefinition"] {
        let names = property(task, "/ContainerDefinitions");
        assert!(names.as_array().unwrap().iter().any(|container| container["Name"] == "shipper"), "{task}");
    }
    // A topic that keeps its order, who publishes to it, and an alarm that scales.
    assert_eq!(property("EventsTopic", "/FifoTopic"), true);
    assert_eq!(property("ApiTaskDefinition", "/ContainerDefinitions/0/Environment/0/Value/Ref"), "EventsTopic");
    assert!(property("ApiTaskRole", "/Policies").to_string().contains("sns:Publish"));
    let steps = "/StepScalingPolicyConfiguration/StepAdjustments";
    assert_eq!(
        property("ConnectLagScaleOut", &format!("{steps}/1")),
        serde_json::json!({ "MetricIntervalLowerBound": 10000, "ScalingAdjustment": 6 })
    );
    assert_eq!(property("ConnectLagScaleIn", &format!("{steps}/0/ScalingAdjustment")), 0);
    assert_eq!(property("LagAlarm", "/AlarmActions/0/Ref"), "ConnectLagScaleOut");
    assert_eq!(property("LagAlarm", "/OKActions/0/Ref"), "ConnectLagScaleIn");
    // What the overlay says stands, and what it didn't name is still there.
    assert_eq!(property("FrontLoadBalancerListener443", "/SslPolicy"), "ELBSecurityPolicy-TLS13-1-3-2021-06");
    assert_eq!(property("LogArchive", "/BucketName/Fn::Sub"), "archive-${AWS::StackName}-${AWS::Region}");
    assert_eq!(property("Archiver", "/Value/Fn::GetAtt/1"), "Arn");
    assert!(findings.contains("[CE176]") && findings.contains("replaces FrontLoadBalancerListener443.Properties.SslPolicy"));
}

/// A VPC and a cluster are made where the files ask for them, and nothing of the account is asked for.
#[test]
fn a_vpc_that_is_asked_for_is_made() {
    let folder = projects().join("own-vpc");
    let (template, _) = rendered(&folder, &[], &["render"]);
    golden::compare("render-own-vpc/template.yml", &template);
    lint(&[golden_path("render-own-vpc/template.yml")]);
    let template: Value = serde_yaml::from_str(&template).unwrap();
    let blocks: Vec<&str> = ["App", "Storage", "Public"]
        .iter()
        .flat_map(|usage| [format!("{usage}Subnet1"), format!("{usage}Subnet2")])
        .map(|id| template["Resources"][id]["Properties"]["CidrBlock"].as_str().unwrap())
        .collect();
    assert_eq!(blocks, ["10.20.0.0/22", "10.20.4.0/22", "10.20.8.0/23", "10.20.10.0/23", "10.20.12.0/23", "10.20.14.0/23"]);
    assert_eq!(template["Parameters"].as_object().unwrap().keys().collect::<Vec<_>>(), ["WebDesiredCount"]);
    assert_eq!(template["Resources"]["DhcpOptions"]["Properties"]["DomainName"], "own-vpc.internal");
    // A task can't pull its image before there is a way out.
    let waits = template["Resources"]["WebService"]["DependsOn"].to_string();
    assert!(waits.contains("AppRoute1") && waits.contains("AppSubnet2RouteTable"), "{waits}");
}

/// The same project in the words of 2020, where there are any, is the same template.
#[test]
fn the_words_of_2020_make_the_same_template() {
    let (old, _) = rendered(&projects().join("old-words"), &[], &["render", "-f", "old.yml"]);
    let (new, _) = rendered(&projects().join("old-words"), &[], &["render", "-f", "new.yml"]);
    assert_eq!(old, new);
    golden::compare("render-old-words/template.yml", &old);
    lint(&[golden_path("render-old-words/template.yml")]);
}
