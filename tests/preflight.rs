//! Preflight against real brokers: each fault has its code and cause, in time, with no false alarm beside it and nothing changed.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use confluent_ecs::base::{Findings, Secret};
use confluent_ecs::confluent::{self, Environment, Jaas, Text};
use confluent_ecs::preflight::{self, ClusterFacts, Input, Provider, Report, Selection, Service, Vantage};
use confluent_ecs::profile::Catalogue;
use serde_json::{Value, json};

use crate::support::bed::{all_brokers, bed, brokers_alone, unique};

const IMAGE: &str = "confluentinc/cp-kafka-connect:8.0.7";
/// The variable of Connect for a property.
fn variable_of(property: &str) -> String {
    let connect = Catalogue::builtin().unwrap().component("connect").unwrap();
    confluent::variable_name(&connect.environment, property)
}

/// What the interface promises for a black hole: under 6 s, whatever the number of brokers.
const LONGEST: Duration = Duration::from_secs(6);

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A Connect service on the bed, with its own user, group and topics.
struct Case {
    /// The bed's cluster.
    part: &'static str,
    user: String,
    password: String,
    group: String,
    settings: BTreeMap<String, String>,
    login: Option<(String, String)>,
    cluster: ClusterFacts,
}

impl Case {
    /// Everything right, on SASL_SSL with SCRAM-SHA-512.
    fn new(name: &str) -> Self {
        Self::on("kafka", name)
    }

    fn on(part: &'static str, name: &str) -> Self {
        let facts = bed().facts(part);
        let group = unique(name);
        let user = bed().call(&format!("{part}/user"), &json!({ "name": format!("{group}-user") }));
        let (user, password) = (text(&user["name"]), text(&user["password"]));
        let mut case = Self {
            part,
            login: Some((user.clone(), password.clone())),
            user,
            password,
            group,
            settings: BTreeMap::new(),
            cluster: ClusterFacts {
                provider: Provider::SelfManaged,
                provider_name: "self-managed".into(),
                title: "a self-managed cluster".into(),
                id: None,
                environment: None,
                bootstrap: Some(text(&facts["bootstrap"]["SASL_SSL"])),
                admin_config: Some(text(&facts["command_config"])),
                principals: BTreeMap::new(),
                place: None,
            },
        };
        let group = case.group.clone();
        for (name, value) in [
            ("GROUP_ID", group.clone()),
            ("CONFIG_STORAGE_TOPIC", format!("{group}-configs")),
            ("OFFSET_STORAGE_TOPIC", format!("{group}-offsets")),
            ("STATUS_STORAGE_TOPIC", format!("{group}-status")),
            ("KEY_CONVERTER", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
            ("VALUE_CONVERTER", "org.apache.kafka.connect.storage.StringConverter".to_owned()),
        ] {
            case.settings.insert(format!("CONNECT_{name}"), value);
        }
        case.listener("SASL_SSL");
        case.set("security.protocol", "SASL_SSL").set("sasl.mechanism", "SCRAM-SHA-512");
        let authority = std::fs::read_to_string(text(&facts["tls"]["ca"])).unwrap();
        case.set("ssl.truststore.type", "PEM").set("ssl.truststore.certificates", &confluent::escape(&authority));
        case
    }

    /// The same with every right that Connect needs.
    fn granted(name: &str) -> Self {
        let case = Self::new(name);
        case.acls("add", "GROUP", &case.group, &["READ"]);
        for topic in case.topics() {
            case.acls("add", "TOPIC", &topic, &["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"]);
        }
        case
    }

    fn topics(&self) -> [String; 3] {
        ["configs", "offsets", "status"].map(|kind| format!("{}-{kind}", self.group))
    }

    fn acl(&self, resource: &str, name: &str, operations: &[&str]) -> Value {
        json!({ "principal": format!("User:{}", self.user), "resource": resource, "name": name, "operation": operations })
    }

    fn acls(&self, how: &str, resource: &str, name: &str, operations: &[&str]) {
        bed().call(&format!("{}/acls", self.part), &json!({ how: [self.acl(resource, name, operations)] }));
    }

    /// A property for each of the four clients.
    fn set(&mut self, property: &str, value: &str) -> &mut Self {
        for client in ["", "producer.", "consumer.", "admin."] {
            self.settings.insert(variable_of(&format!("{client}{property}")), value.to_owned());
        }
        self
    }

    fn listener(&mut self, name: &str) -> &mut Self {
        let servers = text(&bed().facts(self.part)["bootstrap"][name]);
        self.set("bootstrap.servers", &servers)
    }

    fn password(&mut self, password: &str) -> &mut Self {
        self.login = Some((self.user.clone(), password.to_owned()));
        self
    }

    fn input(&self) -> Input {
        let catalogue = Catalogue::builtin().unwrap();
        let component = catalogue.component("connect").unwrap();
        let mut environment: Environment =
            self.settings.iter().map(|(name, value)| (name.clone(), Text::plain(value.clone(), None))).collect();
        if let Some((user, password)) = &self.login {
            let scram = self.settings["CONNECT_SASL_MECHANISM"].starts_with("SCRAM");
            let module = if scram { "scram.ScramLoginModule" } else { "plain.PlainLoginModule" };
            let module = format!("org.apache.kafka.common.security.{module}");
            let jaas = Jaas::login(&module, &Secret::new(user.clone()), &Secret::new(password.clone())).compose();
            for client in ["", "producer.", "consumer.", "admin."] {
                let variable = variable_of(&format!("{client}sasl.jaas.config"));
                let value = Secret::new(confluent::escape(jaas.expose()));
                environment.insert(variable.clone(), Text::secret("connect", Some(&variable), Some(value), None));
            }
        }
        Input {
            project: "bed".into(),
            env: Some("test".into()),
            files: vec!["docker-compose.yml".into()],
            findings: Findings::default(),
            cluster: self.cluster.clone(),
            services: vec![Service {
                name: "connect".into(),
                component: component.clone(),
                image: IMAGE.into(),
                environment,
                findings: Findings::default(),
                place: None,
            }],
            secrets: Vec::new(),
            own: BTreeMap::new(),
            aws: None,
        }
    }

    fn run(&self) -> Report {
        self.selected(&Selection::default())
    }

    fn selected(&self, selection: &Selection) -> Report {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let started = Instant::now();
        let report = runtime.block_on(preflight::run(&self.input(), selection, Vantage::Outside)).closed(false);
        let took = started.elapsed();
        runtime.shutdown_background();
        assert!(took < LONGEST, "took {took:?}");
        let document = serde_json::to_value(&report).unwrap();
        if let Err(error) = schema().validate(&document) {
            panic!("{error} at {}\n{document:#}", error.instance_path());
        }
        let shown = document.to_string();
        for secret in [Some(&self.password), self.login.as_ref().map(|(_, password)| password)].into_iter().flatten() {
            assert!(!shown.contains(secret.as_str()), "the report holds a password");
        }
        report
    }
}

fn schema() -> &'static jsonschema::Validator {
    static SCHEMA: OnceLock<jsonschema::Validator> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        jsonschema::validator_for(&serde_json::from_str(include_str!("schema/preflight.v1.json")).unwrap()).unwrap()
    })
}

/// What did not pass and was not skipped: `CE304 failed bad-credentials`.
fn troubles(report: &Report) -> Vec<String> {
    let document = serde_json::to_value(report).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let mut found: Vec<String> = checks
        .iter()
        .filter(|check| !matches!(check["status"].as_str().unwrap(), "passed" | "skipped"))
        .map(|check| {
            let cause = check["cause"].as_str().map(|cause| format!(" {cause}")).unwrap_or_default();
            format!("{} {}{cause}", check["code"].as_str().unwrap(), check["status"].as_str().unwrap())
        })
        .collect();
    found.dedup();
    found
}

#[track_caller]
fn expect(report: &Report, wanted: &[&str]) {
    let shown = || serde_json::to_string_pretty(report).unwrap();
    assert_eq!(troubles(report), wanted, "{}", shown());
    let failed = report.checks.iter().filter(|check| check.status == preflight::Status::Failed);
    for check in failed {
        assert!(!check.fixes.is_empty(), "{} has no fix", check.id);
        assert!(check.why.is_some(), "{} has no reason", check.id);
    }
}

/// What the administrator sees of a case's things.
fn state(case: &Case) -> Value {
    bed().call("kafka/state", &json!({ "prefix": case.group }))
}

#[test]
fn what_is_right_passes_whatever_the_listener_and_mechanism() {
    let _brokers = all_brokers();
    let mut case = Case::granted("right");
    for (listener, protocol) in [("SASL_SSL", "SASL_SSL"), ("SASL_PLAINTEXT", "SASL_PLAINTEXT")] {
        for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
            case.listener(listener).set("security.protocol", protocol).set("sasl.mechanism", mechanism);
            let report = case.run();
            expect(&report, &[]);
            assert_eq!(report.exit_code, 0);
            assert_eq!(report.summary.skipped, 0, "{listener} {mechanism}");
            assert!(report.duration_ms < 3000, "{} ms", report.duration_ms);
        }
    }
}

#[test]
fn faults_of_the_login_have_their_own_causes() {
    let _brokers = all_brokers();
    let mut case = Case::granted("login");
    let wrong = "not-the-password-of-anybody";
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] {
        case.set("sasl.mechanism", mechanism).password(wrong);
        let report = case.run();
        expect(&report, &["CE304 failed bad-credentials"]);
        assert_eq!(report.exit_code, 3);
        case.login = Some((unique("nobody"), wrong.to_owned()));
        expect(&case.run(), &["CE304 failed bad-credentials"]);
    }
    let good = case.password.clone();
    case.password(&good).set("sasl.mechanism", "PLAIN").listener("SCRAM512");
    let report = case.run();
    expect(&report, &["CE304 failed mechanism-not-offered"]);
    let fix = serde_json::to_value(&report.checks.iter().find(|check| check.cause.is_some()).unwrap().fixes[0]).unwrap();
    assert_eq!(fix["value"], "SCRAM-SHA-512");
    assert_eq!(fix["variables"][0], "CONNECT_SASL_MECHANISM");
    case.set("security.protocol", "SSL").listener("SASL_SSL");
    expect(&case.run(), &["CE304 failed sasl-required"]);
    case.set("security.protocol", "PLAINTEXT").listener("SASL_PLAINTEXT");
    expect(&case.run(), &["CE304 failed sasl-required"]);
    case.set("security.protocol", "SASL_PLAINTEXT").listener("PLAINTEXT");
    expect(&case.run(), &["CE304 failed mechanism-not-offered"]);
}

#[test]
fn faults_of_tls_have_their_own_causes() {
    let _brokers = all_brokers();
    let mut case = Case::granted("tls");
    case.set("sasl.mechanism", "PLAIN");
    for (listener, cause) in [("EXPIRED", "tls-expired"), ("OTHERCA", "tls-untrusted"), ("OTHERHOST", "tls-hostname")] {
        case.listener(listener);
        expect(&case.run(), &[format!("CE303 failed {cause}").as_str()]);
    }
    case.listener("SASL_PLAINTEXT");
    expect(&case.run(), &["CE303 failed plaintext-listener"]);
    case.listener("SASL_SSL").set("security.protocol", "SASL_PLAINTEXT");
    expect(&case.run(), &["CE303 failed tls-listener"]);
    case.listener("SSL").set("security.protocol", "SSL");
    expect(&case.run(), &["CE303 failed client-certificate-required"]);
}

#[test]
fn faults_of_the_network_have_their_own_causes() {
    let _brokers = all_brokers();
    let faults = bed().facts("faults");
    let mut case = Case::new("network");
    for (address, trouble, exit) in [
        ("refused", "CE302 failed refused", 9),
        ("hang", "CE302 failed timed-out", 9),
        ("silent", "CE303 failed timed-out", 9),
        ("http", "CE303 failed not-kafka", 3),
        ("close", "CE303 failed broker-unreachable", 9),
    ] {
        case.set("bootstrap.servers", &text(&faults[address]));
        let report = case.run();
        expect(&report, &[trouble]);
        assert_eq!(report.exit_code, exit, "{address}");
        assert!(report.checks.iter().any(|check| check.status == preflight::Status::Skipped && check.message.contains("which")));
    }
    case.set("bootstrap.servers", "kafka.bed.invalid:9092");
    expect(&case.run(), &["CE301 failed name-not-found"]);
}

#[test]
fn brokers_that_are_not_where_they_say_are_found() {
    let _brokers = all_brokers();
    let mut case = Case::granted("advertised");
    case.set("sasl.mechanism", "PLAIN").listener("UNREACHABLE");
    let report = case.run();
    expect(&report, &["CE305 failed broker-unreachable"]);
    assert_eq!(report.exit_code, 9);
    case.listener("UNRESOLVABLE");
    expect(&case.run(), &["CE305 failed name-not-found"]);
}

#[test]
fn the_wrong_cluster_is_named() {
    let _brokers = all_brokers();
    let mut case = Case::granted("cluster");
    case.cluster.id = Some(text(&bed().facts("kafka")["cluster_id"]));
    expect(&case.run(), &[]);
    case.cluster.id = Some("lkc-8m2q5z".into());
    expect(&case.run(), &["CE306 failed wrong-cluster"]);
}

#[test]
fn a_missing_right_is_named_with_the_command_that_grants_it() {
    let _brokers = all_brokers();
    let case = Case::granted("rights");
    let [configs, offsets, status] = case.topics();
    bed().call(
        "kafka/topics",
        &json!({ "create": [{ "name": offsets, "partitions": 1, "configs": { "cleanup.policy": "compact" } }] }),
    );
    for (resource, name, operation, trouble, missing) in [
        ("GROUP", &case.group, "READ", "CE401 failed", "read"),
        ("TOPIC", &configs, "READ", "CE402 failed", "read"),
        ("TOPIC", &configs, "WRITE", "CE402 failed", "write"),
        ("TOPIC", &offsets, "READ", "CE402 failed", "read"),
        ("TOPIC", &offsets, "WRITE", "CE402 failed", "write"),
        ("TOPIC", &status, "CREATE", "CE402 failed", "create"),
        ("TOPIC", &status, "DESCRIBE_CONFIGS", "CE407 warned", "describe-configs"),
    ] {
        case.acls("remove", resource, name, &[operation]);
        let before = state(&case);
        let report = case.run();
        expect(&report, &[trouble]);
        assert_eq!(report.exit_code, if trouble.contains("failed") { 3 } else { 0 });
        let check = report.checks.iter().find(|check| !check.missing.is_empty()).unwrap();
        assert_eq!(check.missing, [missing], "{}", check.id);
        assert_eq!(check.ran_as.as_deref(), Some(format!("User:{}", case.user).as_str()));
        let fix = serde_json::to_value(&check.fixes[0]).unwrap();
        let argv: Vec<&str> = fix["argv"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        assert_eq!(argv[0], "kafka-acls");
        assert!(argv.windows(2).any(|pair| pair[0].starts_with("--") && pair[1] == name), "{argv:?}");
        assert_eq!(state(&case), before, "preflight changed the cluster");
        case.acls("add", resource, name, &[operation]);
    }
    // No right on the offsets topic, which is there, needs no create.
    case.acls("remove", "TOPIC", &offsets, &["CREATE"]);
    expect(&case.run(), &[]);
}

#[test]
fn nothing_granted_is_one_command_for_all_that_gets_the_same() {
    let _brokers = all_brokers();
    let case = Case::new("nothing");
    let before = state(&case);
    let report = case.run();
    assert_eq!(
        troubles(&report),
        ["CE401 failed", "CE402 failed", "CE402 unknown", "CE407 warned"],
        "{}",
        serde_json::to_string_pretty(&report).unwrap()
    );
    let mut commands: Vec<String> = report
        .checks
        .iter()
        .flat_map(|check| &check.fixes)
        .filter_map(|fix| serde_json::to_value(fix).unwrap()["argv"].as_array().map(|argv| json!(argv).to_string()))
        .collect();
    commands.sort();
    commands.dedup();
    // One for the group, one for the three topics.
    assert_eq!(commands.len(), 2, "{commands:#?}");
    let topic = commands.iter().find(|command| command.contains("-configs")).unwrap();
    for operation in ["Read", "Write", "Create", "DescribeConfigs"] {
        assert!(topic.contains(&format!("\"{operation}\"")), "{topic}");
    }
    assert_eq!(state(&case), before, "preflight changed the cluster");
}

/// A cluster without a group has no `__consumer_offsets`, and it must stay so: the whole of it is compared.
#[test]
fn a_cluster_that_nobody_has_used_stays_as_it_is() {
    let mut case = Case::on("kafka_virgin", "virgin");
    for topic in ["CONFIG", "OFFSET", "STATUS"] {
        case.settings.insert(format!("CONNECT_{topic}_STORAGE_REPLICATION_FACTOR"), "1".to_owned());
    }
    case.acls("add", "GROUP", &case.group, &["READ"]);
    for topic in case.topics() {
        case.acls("add", "TOPIC", &topic, &["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"]);
    }
    let before = bed().call("kafka_virgin/state", &json!({}));
    expect(&case.run(), &[]);
    case.acls("remove", "GROUP", &case.group, &["READ"]);
    expect(&case.run(), &["CE401 failed"]);
    case.acls("add", "GROUP", &case.group, &["READ"]);
    assert_eq!(bed().call("kafka_virgin/state", &json!({})), before, "preflight changed the cluster");
}

#[test]
fn a_deny_stands_over_an_allow() {
    let _brokers = all_brokers();
    let case = Case::granted("deny");
    let [_, offsets, _] = case.topics();
    let mut deny = case.acl("TOPIC", &offsets, &["WRITE"]);
    deny["permission"] = json!("DENY");
    bed().call("kafka/acls", &json!({ "add": [deny] }));
    let report = case.run();
    expect(&report, &["CE402 failed"]);
    assert_eq!(report.checks.iter().find(|check| !check.missing.is_empty()).unwrap().missing, ["write"]);
}

#[test]
fn a_topic_that_the_cluster_would_refuse_is_found_before_connect_asks() {
    let _brokers = all_brokers();
    let mut case = Case::granted("policy");
    case.settings.insert("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR".into(), "1".into());
    let report = case.run();
    assert_eq!(troubles(&report), ["CE403 failed"]);
    let check = report.checks.iter().find(|check| check.code.to_string() == "CE403").unwrap();
    assert!(check.message.contains("must be 3"), "{}", check.message);
}

#[test]
fn only_what_is_asked_for_is_shown_with_what_it_needs() {
    let _brokers = all_brokers();
    let mut case = Case::granted("only");
    let selection = Selection { only: [preflight::Category::KafkaAcls].into(), ..Selection::default() };
    let report = case.selected(&selection);
    assert!(report.checks.iter().all(|check| check.category == preflight::Category::KafkaAcls));
    expect(&report, &[]);
    case.password("somebody-elses-password");
    expect(&case.selected(&selection), &["CE304 failed bad-credentials"]);
}

#[test]
fn clients_of_one_principal_are_asked_once_and_others_by_themselves() {
    let _brokers = all_brokers();
    let case = Case::granted("clients");
    let report = case.run();
    let logins: Vec<_> = report.checks.iter().filter(|check| check.code.to_string() == "CE304").collect();
    assert_eq!(logins.len(), 1);
    assert_eq!(logins[0].clients, ["worker", "producer", "consumer", "admin"]);

    let mut other = Case::granted("others");
    other.settings.insert("CONNECT_PRODUCER_SASL_MECHANISM".into(), "SCRAM-SHA-256".into());
    let report = other.run();
    let logins: Vec<_> = report.checks.iter().filter(|check| check.code.to_string() == "CE304").collect();
    assert_eq!(logins.len(), 2);
    assert_eq!(logins[1].clients, ["producer"]);
}

#[test]
fn a_stopped_broker_is_missed() {
    let alone = brokers_alone();
    let mut case = Case::granted("stopped");
    case.listener("SASL_SSL");
    bed().call("kafka/stop_broker", &json!({ "broker": 3 }));
    let report = case.run();
    let found = troubles(&report);
    bed().call("kafka/start_broker", &json!({ "broker": 3 }));
    drop(alone);
    assert!(found.contains(&"CE302 warned refused".to_owned()), "{found:?}");
}

/// The verb itself, on a project that `init` wrote.
struct Project {
    folder: tempfile::TempDir,
    case: Case,
    output: String,
}

impl Project {
    fn new(name: &str) -> Self {
        let case = Case::new(name);
        let facts = bed().facts("kafka");
        let mut project = Self { folder: tempfile::tempdir().unwrap(), case, output: String::new() };
        let bootstrap = text(&facts["bootstrap"]["SASL_SSL"]);
        let (authority, config) = (text(&facts["tls"]["ca"]), text(&facts["command_config"]));
        let group = project.case.group.clone();
        let init = [
            "init",
            "connect",
            "--env",
            "dev",
            "-p",
            &group,
            "--kafka",
            "self-managed",
            "--mechanism",
            "scram-sha-512",
            "--bootstrap",
            &bootstrap,
            "--ca-file",
            &authority,
            "--admin-config",
            &config,
            "--vpc-tag",
            "Name=shared",
            "--ecs-cluster",
            "kafka",
        ];
        assert_eq!(project.run(&init), 0, "{}", project.output);
        project.store(&project.case.password.clone());
        project
    }

    /// A secrets file with a login for every client.
    fn store(&self, password: &str) {
        let module = "org.apache.kafka.common.security.scram.ScramLoginModule";
        let jaas = Jaas::login(module, &Secret::new(self.case.user.clone()), &Secret::new(password)).compose();
        let value = confluent::escape(jaas.expose());
        let keys = ["", "PRODUCER_", "CONSUMER_", "ADMIN_"].map(|client| format!("CONNECT_{client}SASL_JAAS_CONFIG"));
        let document: serde_json::Map<String, Value> = keys.into_iter().map(|key| (key, json!(value))).collect();
        std::fs::write(self.folder.path().join("secret.json"), json!(document).to_string()).unwrap();
    }

    fn run(&mut self, arguments: &[&str]) -> i32 {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_confluent-ecs"));
        command.current_dir(self.folder.path()).args(arguments).env_remove("GITHUB_ACTIONS").env("LC_ALL", "C.UTF-8");
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        self.output = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(!self.output.contains(&self.case.password), "a password was printed");
        output.status.code().unwrap()
    }

    fn preflight(&mut self, more: &[&str]) -> i32 {
        let mut arguments = vec!["preflight", "--env", "dev", "--secrets-file", "secret.json"];
        arguments.extend(more);
        self.run(&arguments)
    }
}

#[test]
fn the_fix_run_as_it_is_printed_makes_the_verb_pass() {
    let _brokers = all_brokers();
    let mut project = Project::new("verb");
    assert_eq!(project.preflight(&[]), 3, "{}", project.output);
    for shown in
        ["kafka-acls", "× ", "fix   kafka-acls --bootstrap-server", "next: run the fix, then  confluent-ecs preflight --env dev"]
    {
        assert!(project.output.contains(shown), "{shown} is not in\n{}", project.output);
    }
    assert_eq!(project.preflight(&["--output", "json"]), 3, "{}", project.output);
    let report: Value = serde_json::from_str(&project.output).unwrap();
    schema().validate(&report).unwrap();
    let tools = text(&bed().facts("kafka")["bin"]);
    let path = format!("{tools}:{}", std::env::var("PATH").unwrap());
    let mut done = std::collections::BTreeSet::new();
    for fix in report["checks"].as_array().unwrap().iter().flat_map(|check| check["fixes"].as_array().unwrap()) {
        let Some(argv) = fix["argv"].as_array().filter(|argv| done.insert(json!(argv).to_string())) else { continue };
        let words: Vec<&str> = argv.iter().map(|word| word.as_str().unwrap()).collect();
        let ran =
            std::process::Command::new(format!("{tools}/{}", words[0])).args(&words[1..]).env("PATH", &path).output().unwrap();
        assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
    }
    assert_eq!(done.len(), 2);
    assert_eq!(project.preflight(&["--wait", "20s"]), 0, "{}", project.output);
    assert!(project.output.contains(" passed in "), "{}", project.output);
    assert_eq!(project.preflight(&["--strict", "--only", "kafka-acls"]), 0, "{}", project.output);
}

#[test]
fn the_verb_ends_as_the_interface_says() {
    let _brokers = all_brokers();
    let mut project = Project::new("ends");
    project.store("a-password-of-nobody");
    assert_eq!(project.preflight(&["--short"]), 3, "{}", project.output);
    assert!(project.output.contains("bad-credentials") && !project.output.contains('✓'), "{}", project.output);
    assert!(!project.output.contains("a-password-of-nobody"), "a password was printed");

    std::fs::write(project.folder.path().join("secret.json"), r#"{"CONNECT_SASL_JAAS_CONFIG": ""}"#).unwrap();
    assert_eq!(project.preflight(&["--only", "secrets"]), 3, "{}", project.output);
    assert!(project.output.contains("CONNECT_ADMIN_SASL_JAAS_CONFIG") && project.output.contains("CE211"), "{}", project.output);

    assert_eq!(project.preflight(&["--only", "everything"]), 2, "{}", project.output);
    std::fs::write(project.folder.path().join("secret.json"), "{").unwrap();
    assert_eq!(project.preflight(&[]), 2, "{}", project.output);
    assert_eq!(project.run(&["preflight", "--env", "dev", "--secrets-file", "nowhere.json"]), 2, "{}", project.output);
}
