//! `--in-vpc`, from the command line in, on the bed's AWS: the task is our own program, started with exactly the environment and secrets
//! that ECS would give it, and what it writes comes back through the log stream.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::account::Shop;
use super::{schema, text};
use crate::support::PATIENCE;
use crate::support::bed::{all_brokers, bed};
use crate::support::program::{Ran, run_with};

const ECS: &str = "AmazonEC2ContainerServiceV20141113";
pub(super) const INSIDE: [&str; 7] = ["preflight", "--env", "dev", "--in-vpc", "--in-vpc-binary", "program", "--yes"];

/// A project on the bed's Kafka, an account whose ECR is the bed's registry, and a program that an empty image could hold: what the
/// task really runs is the program under test.
pub(super) struct Inside {
    pub(super) shop: Shop,
    pub(super) group: String,
}

impl Inside {
    pub(super) fn new(name: &str) -> Self {
        let shop = Shop::new(name);
        let group = shop.project.case.group.clone();
        // init names group and topics after the project and its environment.
        let principal = format!("User:{}", shop.project.case.user);
        let allow = |resource: &str, operations: &[&str]| json!({ "principal": principal, "resource": resource, "name": group, "pattern": "PREFIXED", "operation": operations });
        let topics = ["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"];
        bed().call("kafka/acls", &json!({ "add": [allow("TOPIC", &topics), allow("GROUP", &["READ"])] }));
        let registry = text(&bed().facts("registry")["open"]);
        bed().call("aws/seed", &json!({ "account": shop.account, "tiers": [], "registry": registry }));
        let mut program = b"\x7fELF\x02\x01\x01".to_vec();
        program.resize(64, 0);
        program[18] = 62;
        program.extend(group.as_bytes());
        std::fs::write(shop.project.folder.path().join("program"), program).unwrap();
        let inside = Self { shop, group };
        inside.behave(&json!({}));
        inside
    }

    /// What becomes of the task, which is the program under test.
    pub(super) fn behave(&self, how: &Value) {
        let mut how = how.clone();
        how["account"] = self.shop.account.clone().into();
        how["program"] = env!("CARGO_BIN_EXE_confluent-ecs").into();
        bed().call("aws/one_off", &how);
    }

    pub(super) fn variables(&self) -> Vec<(&str, &str)> {
        let given = self.shop.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        given.chain([("CONFLUENT_ECS_PACE", "8")]).collect()
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_by(arguments, &self.variables())
    }

    /// Runs on another road to AWS.
    pub(super) fn run_through(&self, endpoint: &str, arguments: &[&str]) -> Ran {
        let mut variables = self.variables();
        variables.push(("AWS_ENDPOINT_URL", endpoint));
        self.run_by(arguments, &variables)
    }

    fn run_by(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let ran = run_with(self.shop.project.folder.path(), arguments, "", variables);
        let password = &self.shop.project.case.password;
        assert!(!ran.stdout.contains(password) && !ran.stderr.contains(password), "a password was printed");
        ran
    }

    pub(super) fn report(&self, more: &[&str]) -> (Ran, Value) {
        let arguments: Vec<&str> = INSIDE.iter().copied().chain(["--output", "json"]).chain(more.iter().copied()).collect();
        let ran = self.run(&arguments);
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        schema().validate(&report).unwrap();
        assert_eq!(report["vantage"], "inside");
        (ran, report)
    }

    /// Starts the verb and reads its standard error until a line holds this.
    pub(super) fn start_until(&self, more: &[&str], until: &str) -> (Child, BufReader<ChildStderr>) {
        self.started(more, &self.variables(), until)
    }

    /// … through a server of the test's own.
    pub(super) fn start_through(&self, port: u16, more: &[&str], until: &str) -> (Child, BufReader<ChildStderr>) {
        let endpoint = format!("http://127.0.0.1:{port}");
        let mut variables = self.variables();
        variables.push(("AWS_ENDPOINT_URL", &endpoint));
        self.started(more, &variables, until)
    }

    /// Host and port of the emulator.
    pub(super) fn endpoint(&self) -> String {
        let (_, endpoint) = self.shop.variables.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL").unwrap();
        endpoint.trim_start_matches("http://").to_owned()
    }

    fn started(&self, more: &[&str], variables: &[(&str, &str)], until: &str) -> (Child, BufReader<ChildStderr>) {
        let mut program = Command::new(env!("CARGO_BIN_EXE_confluent-ecs"))
            .args(INSIDE)
            .args(more)
            .current_dir(self.shop.project.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(program.stderr.take().unwrap());
        let mut seen = String::new();
        while !seen.contains(until) {
            if lines.read_line(&mut seen).unwrap() == 0 {
                program.wait().unwrap();
                panic!("{until:?} never came:\n{seen}");
            }
        }
        (program, lines)
    }

    /// The requests of a kind that ECS got.
    pub(super) fn requests(&self, operation: &str) -> Vec<Value> {
        let all = bed().call("aws/one_off_requests", &json!({ "account": self.shop.account }));
        all["requests"].as_array().unwrap().iter().filter(|request| request["operation"] == operation).cloned().collect()
    }

    fn running(&self, cluster: &str) -> Value {
        self.shop.aws(ECS, "ListTasks", &json!({ "cluster": cluster, "family": self.family() }))["taskArns"].clone()
    }

    fn family(&self) -> String {
        format!("{}-dev-preflight-connect", self.group)
    }

    /// Nothing is left: no definition that can be run, no task that runs. ECS sees the end of a task a moment after its last line.
    pub(super) fn is_clean(&self) {
        self.is_clean_in("kafka");
    }

    pub(super) fn is_clean_in(&self, cluster: &str) {
        let found = self.shop.aws(ECS, "ListTaskDefinitions", &json!({ "familyPrefix": self.family(), "status": "ACTIVE" }));
        assert_eq!(found["taskDefinitionArns"], json!([]));
        let end = Instant::now() + PATIENCE;
        while self.running(cluster) != json!([]) {
            assert!(Instant::now() < end, "{} runs", self.running(cluster));
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

/// A call of ECR's as another account.
pub(super) fn aws_as(account: &str, endpoint: &str, operation: &str, body: &Value) -> Value {
    let signed = format!("Authorization: AWS4-HMAC-SHA256 Credential={account}/20260101/eu-west-1/ecr/aws4_request");
    let target = format!("X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.{operation}");
    let arguments =
        ["--silent", "--max-time", "300", "-H", &signed, "-H", &target, "-H", "Content-Type: application/x-amz-json-1.1"];
    let output = Command::new("curl").args(arguments).args(["-d", &body.to_string(), endpoint]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or(Value::Null)
}

pub(super) fn of<'a>(report: &'a Value, code: &str) -> Vec<&'a Value> {
    report["checks"].as_array().unwrap().iter().filter(|check| check["code"] == code).collect()
}

pub(super) fn signal(program: &Child, name: &str) {
    assert!(Command::new("kill").args([name, &program.id().to_string()]).status().unwrap().success());
}

#[test]
fn the_task_is_asked_for_exactly_and_its_report_comes_back_as_if_it_were_local() {
    let _brokers = all_brokers();
    let inside = Inside::new("inside");
    let (ran, report) = inside.report(&[]);
    assert_eq!(ran.code, 0, "{}\n{report:#}", ran.stderr);
    for shown in ["AWS::ECR::Repository  PreflightRepository", "connect  task running", "connect  ✓ SASL"] {
        assert!(ran.stderr.contains(shown), "{shown} is not in\n{}", ran.stderr);
    }
    // The same checks as from here, in the same order, with places and identities.
    let login = of(&report, "CE304");
    assert_eq!((login[0]["status"].as_str(), login[0]["service"].as_str()), (Some("passed"), Some("connect")), "{report:#}");
    assert!(text(&login[0]["ran_as"]).contains(&inside.shop.project.case.user));
    assert_eq!(login[0]["origin"]["file"], "envs/dev.yml");
    assert_eq!(of(&report, "CE211")[0]["evidence"], "as ECS hands it to the task");
    assert!(!of(&report, "CE402").is_empty() && of(&report, "CE402").iter().all(|check| check["status"] == "passed"));
    assert_eq!(of(&report, "CE680")[0]["status"], "passed");
    assert_eq!(of(&report, "CE682").iter().map(|check| check["status"].as_str().unwrap()).collect::<Vec<_>>(), ["unknown"; 2]);

    let definition = &inside.requests("RegisterTaskDefinition")[0];
    let container = &definition["containerDefinitions"][0];
    let registry = text(&bed().facts("registry")["open"]);
    assert!(text(&container["image"]).starts_with(&format!("{registry}/")) && text(&container["image"]).contains("@sha256:"));
    assert_eq!(container["command"], json!(["preflight", "--inside"]));
    let secrets = container["secrets"].as_array().unwrap();
    let arn = text(inside.shop.seeded["secrets"].as_object().unwrap().values().next().unwrap());
    assert!(
        secrets
            .contains(&json!({ "name": "CONNECT_SASL_JAAS_CONFIG", "valueFrom": format!("{arn}:CONNECT_SASL_JAAS_CONFIG::") }))
    );
    let names: Vec<&str> =
        container["environment"].as_array().unwrap().iter().map(|entry| entry["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"CONNECT_GROUP_ID") && names.contains(&"CONFLUENT_ECS_INSIDE_PLAN"), "{names:?}");
    assert!(!definition.to_string().contains(&inside.shop.project.case.password));
    // A report is not to lose lines where the log is slow, as ECS's own default would have it.
    assert_eq!(container["logConfiguration"]["options"]["mode"], "blocking");

    let mut requests = inside.requests("RunTask");
    assert_eq!(requests.len(), 1);
    let request = requests.remove(0);
    let groups = request["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"].clone();
    assert!(text(&groups[0]).starts_with("sg-"), "{request:#}");
    let run = text(&request["startedBy"]);
    // Of this run, and of this task: a start that is repeated is the same.
    let token = text(&request["clientToken"]);
    assert!(token.ends_with(&format!("-{run}")) && token.len() <= 64, "{token}");
    let expected = json!({
        "operation": "RunTask",
        "cluster": "kafka",
        "taskDefinition": format!("arn:aws:ecs:eu-west-1:{}:task-definition/{}:1", inside.shop.account, inside.family()),
        "count": 1,
        "launchType": "FARGATE",
        "networkConfiguration": { "awsvpcConfiguration": {
            "subnets": inside.shop.seeded["subnets"]["application"], "securityGroups": groups, "assignPublicIp": "DISABLED" } },
        "startedBy": run,
        "clientToken": token,
        "enableExecuteCommand": false,
        "propagateTags": "TASK_DEFINITION",
        "tags": [
            { "key": "confluent-ecs:env", "value": "dev" },
            { "key": "confluent-ecs:preflight", "value": run },
            { "key": "confluent-ecs:project", "value": inside.group },
            { "key": "confluent-ecs:version", "value": env!("CARGO_PKG_VERSION") },
        ],
    });
    assert_eq!(sorted(&request), sorted(&expected), "{request:#}");

    let group = text(&container["logConfiguration"]["options"]["awslogs-group"]);
    let log = inside.shop.aws("Logs_20140328", "FilterLogEvents", &json!({ "logGroupName": group }));
    let lines = log["events"].as_array().unwrap();
    assert!(lines.len() > 10);
    assert!(!log.to_string().contains(&inside.shop.project.case.password), "a secret is in the log");
    inside.is_clean();

    // Once more: the stack and the image are there, and nothing is made again.
    let (again, _) = inside.report(&["--only", "kafka"]);
    assert_eq!(again.code, 0);
    assert!(!again.stderr.contains("makes or changes the stack"), "{}", again.stderr);
}

/// Object keys in order, and subnets too.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.iter().map(|(key, value)| (key.clone(), sorted(value))).collect();
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(values) => {
            let mut values: Vec<Value> = values.iter().map(sorted).collect();
            values.sort_by_key(Value::to_string);
            Value::Array(values)
        }
        other => other.clone(),
    }
}

#[test]
fn a_task_that_cannot_start_says_why_and_nothing_is_taken_for_passed() {
    let _brokers = all_brokers();
    let inside = Inside::new("unstarted");
    let reason = "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to \
                  retrieve secret from asm: There is a connection issue between the task and AWS Secrets Manager. i/o timeout";
    inside.behave(&json!({ "fail": { "reason": reason } }));
    let (ran, report) = inside.report(&["--skip", "config", "aws"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let task = of(&report, "CE680")[0];
    assert_eq!(task["status"], "failed");
    assert!(text(&task["message"]).contains("TaskFailedToStart: ResourceInitializationError"), "{task:#}");
    assert!(text(&task["why"]).contains("no way to Secrets Manager") && task["fixes"][0]["kind"] == "advice", "{task:#}");
    let others: Vec<&Value> = report["checks"].as_array().unwrap().iter().filter(|check| check["category"] != "aws").collect();
    assert!(!others.is_empty() && others.iter().all(|check| check["status"] == "skipped"), "{report:#}");
    inside.is_clean();

    // What ECS says of the log, of room, and of our own container that it killed.
    for (fail, why, fix, code) in [
        (
            json!({ "reason": "ResourceInitializationError: failed to validate logger args: : signal: killed" }),
            "no way to CloudWatch Logs",
            "endpoint for logs",
            3,
        ),
        (
            json!({ "reason": "Capacity is unavailable at this time. Please try again later or in a different availability zone" }),
            "no room",
            "more zones",
            9,
        ),
        (
            json!({ "code": "EssentialContainerExited", "reason": "Essential container in task exited",
            "containers": { "*": { "reason": "OutOfMemoryError: Container killed due to memory usage", "exit_code": 137 } } }),
            "preflight's own container",
            "--only",
            3,
        ),
        (
            json!({ "reason": "ResourceInitializationError: unable to pull secrets or registry auth: AccessDeniedException: Access to KMS is not allowed" }),
            "may not use the key",
            "a copy of it",
            3,
        ),
    ] {
        inside.behave(&json!({ "fail": fail }));
        let (ran, report) = inside.report(&["--only", "kafka"]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let task = of(&report, "CE680")[0];
        assert!(text(&task["why"]).contains(why) && text(&task["fixes"][0]["text"]).contains(fix), "{task:#}");
        inside.is_clean();
    }

    // A key that the secret lacks is told by ECS itself.
    inside.behave(&json!({}));
    let secret = inside.shop.seeded["secrets"].as_object().unwrap().values().next().unwrap();
    inside.shop.aws("secretsmanager", "PutSecretValue", &json!({ "SecretId": secret, "SecretString": "{}" }));
    let (ran, report) = inside.report(&["--only", "kafka"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(text(&of(&report, "CE680")[0]["message"]).contains("CONNECT_"), "{report:#}");
}

#[test]
fn a_report_that_breaks_off_or_comes_from_another_version_is_told() {
    let _brokers = all_brokers();
    let inside = Inside::new("brokenoff");
    inside.behave(&json!({ "lines": 6 }));
    let (ran, report) = inside.report(&["--skip", "config", "aws"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let broken = of(&report, "CE681")[0];
    assert!(text(&broken["message"]).contains("broke off after"), "{broken:#}");
    assert!(text(&broken["evidence"]).contains("exit code 137"), "{broken:#}");
    inside.is_clean();

    inside.behave(&json!({ "replace": [format!("version\\\":\\\"{}", env!("CARGO_PKG_VERSION")), "version\\\":\\\"9.9.9"] }));
    let (ran, report) = inside.report(&["--skip", "config", "aws"]);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(text(&of(&report, "CE681")[0]["message"]).contains("comes from confluent-ecs 9.9.9"), "{report:#}");
    inside.is_clean();
}

#[test]
fn a_ctrl_c_stops_the_task_and_what_a_killed_run_left_is_taken_away_by_the_next() {
    let _brokers = all_brokers();
    let inside = Inside::new("interrupted");
    bed().call("aws/one_off", &json!({ "account": inside.shop.account }));
    let (mut program, _lines) = inside.start_until(&[], "task running");
    signal(&program, "-INT");
    assert_eq!(program.wait().unwrap().code(), Some(130));
    inside.is_clean();

    let (mut program, lines) = inside.start_until(&[], "task running");
    signal(&program, "-KILL");
    program.wait().unwrap();
    drop(lines);
    assert_eq!(inside.running("kafka").as_array().map(Vec::len), Some(1));
    inside.behave(&json!({}));
    let (ran, _) = inside.report(&["--only", "kafka"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("took away what an earlier run left"), "{}", ran.stderr);
    inside.is_clean();
}

#[test]
fn a_program_that_needs_a_loader_is_refused_before_anything_is_made() {
    let _brokers = all_brokers();
    let inside = Inside::new("dynamic");
    // The tests' own build is linked with the C library.
    let ran = inside.run(&["preflight", "--env", "dev", "--in-vpc", "--yes"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("CE683") && ran.stderr.contains("--in-vpc-binary FILE"), "{}", ran.stderr);
    // Nobody to ask, and no yes.
    let ran = inside.run(&INSIDE[..6]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("there is nobody to ask"), "{}", ran.stderr);
    assert!(inside.requests("RegisterTaskDefinition").is_empty());
}

#[test]
fn two_services_have_a_task_each_with_secrets_roles_and_groups_of_their_own() {
    let _brokers = all_brokers();
    let inside = Inside::new("twotasks");
    let made = inside.run(&["init", "schema-registry", "--env", "dev"]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    // It logs in as the worker does, by a secret of its own, with a name that the worker has no right to.
    let worker: Value =
        serde_json::from_str(&std::fs::read_to_string(inside.shop.project.folder.path().join("secret.json")).unwrap()).unwrap();
    let secret = json!({ "SCHEMA_REGISTRY_KAFKASTORE_SASL_JAAS_CONFIG": worker["CONNECT_SASL_JAAS_CONFIG"] });
    let name = format!("/kafka/self-managed/{}-dev/schema-registry", inside.group);
    bed().call("aws/seed", &json!({ "account": inside.shop.account, "tiers": [], "secrets": { name: secret.to_string() } }));
    let (ran, report) = inside.report(&["--only", "secrets", "kafka"]);
    assert_eq!(ran.code, 0, "{}\n{report:#}", ran.stderr);
    for service in ["connect", "schema-registry"] {
        assert!(
            of(&report, "CE304").iter().any(|check| check["service"] == service && check["status"] == "passed"),
            "{report:#}"
        );
        assert!(
            of(&report, "CE680").iter().any(|check| check["service"] == service && check["status"] == "passed"),
            "{report:#}"
        );
    }
    let definitions = inside.requests("RegisterTaskDefinition");
    let [one, other] = &definitions[..] else { panic!("{definitions:#?}") };
    for role in ["executionRoleArn", "taskRoleArn"] {
        assert_ne!(one[role], other[role], "{definitions:#?}");
    }
    for definition in &definitions {
        let own = if text(&definition["family"]).ends_with("-connect") { "/connect-" } else { "/schema-registry-" };
        let secrets = definition["containerDefinitions"][0]["secrets"].as_array().unwrap();
        assert!(!secrets.is_empty() && secrets.iter().all(|secret| text(&secret["valueFrom"]).contains(own)), "{definition:#}");
    }
    let groups: Vec<Value> = inside
        .requests("RunTask")
        .iter()
        .map(|request| request["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"].clone())
        .collect();
    assert!(groups.len() == 2 && groups[0] != groups[1], "{groups:?}");
    inside.is_clean();
}

#[test]
fn up_looks_from_inside_and_afterwards_the_services_own_group_and_role_are_taken() {
    let _brokers = all_brokers();
    let inside = Inside::new("upinside");
    let ran = inside.run(&["up", "--env", "dev", "--in-vpc", "--in-vpc-binary", "program", "--yes"]);
    assert_eq!(ran.code, 0, "{}\n{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("connect  task running") && ran.stdout.contains("created in"), "{}\n{}", ran.stdout, ran.stderr);
    let first = inside.requests("RunTask").remove(0);
    let (ran, report) = inside.report(&["--skip", "collisions"]);
    assert_eq!(ran.code, 0, "{}\n{report:#}", ran.stderr);
    assert!(of(&report, "CE682").is_empty(), "{report:#}");
    let last = inside.requests("RunTask").pop().unwrap();
    let groups = |request: &Value| request["networkConfiguration"]["awsvpcConfiguration"]["securityGroups"].clone();
    assert_ne!(groups(&first), groups(&last));
    let down = inside.run(&["down", "--env", "dev", "--yes"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert!(down.stderr.contains("which preflight --in-vpc has made"), "{}", down.stderr);
    // It is named as long as it is there, also when there is nothing else.
    let down = inside.run(&["down", "--env", "dev", "--yes"]);
    assert_eq!(down.code, 0, "{}", down.stderr);
    assert!(down.stderr.contains("which preflight --in-vpc has made"), "{}", down.stderr);
}
