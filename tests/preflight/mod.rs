//! Preflight against real brokers: each fault has its code and cause, in time, with no false alarm beside it and nothing changed.

mod account;
mod auth;
mod blog;
mod connection;
mod ends;
mod fixes;
mod inside;
mod inside_ends;
mod inside_iam;
mod inside_parts;
mod inside_pulling;
mod inside_refused;
mod inside_rights;
mod matrix;
mod names;
mod others;
mod own_stack;
mod quiet;
mod redeploy;
mod registry;
mod rights;
mod seconds;
mod urls;
mod verb;
mod versions;
mod wire;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use confluent_ecs::base::{Findings, Secret};
use confluent_ecs::confluent::{self, Environment, Jaas, Text};
use confluent_ecs::kafka::AwsKeys;
use confluent_ecs::preflight::{self, ClusterFacts, Input, OwnHost, Patience, Provider, Report, Selection, Service, Vantage};
use confluent_ecs::profile::Catalogue;
use serde_json::{Value, json};

use crate::support::bed::{bed, unique};
use crate::support::program::PATIENT;

const IMAGE: &str = "confluentinc/cp-kafka-connect:8.0.7";
/// The variable of Connect for a property.
fn variable_of(property: &str) -> String {
    let connect = Catalogue::builtin().unwrap().component("connect").unwrap();
    confluent::variable_name(&connect.environment, property)
}

/// A black hole costs under 6 s, whatever the number of brokers: the benchmark holds it to that. A busy machine is given more here.
const LONGEST: Duration = Duration::from_mins(1);
/// By how much the limits of a run are multiplied where nothing is to be waited for in vain: a busy machine is no fault of a broker.
const LONGER: u32 = 5;

/// For a run that is to find this: what is timed out is waited for in vain, and no longer than a user waits.
fn patience_for(found: &str) -> u32 {
    if found.ends_with("timed-out") { 1 } else { LONGER }
}

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
    connectors: Vec<confluent::Connector>,
    login: Option<(String, String)>,
    /// A login that is not a name and a password.
    jaas: Option<Jaas>,
    aws_keys: Result<AwsKeys, String>,
    /// Files of this machine in the container.
    files: BTreeMap<String, PathBuf>,
    own_hosts: BTreeMap<String, OwnHost>,
    cluster: ClusterFacts,
    patience: u32,
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
            connectors: Vec::new(),
            jaas: None,
            aws_keys: Err("no AWS credentials".into()),
            files: BTreeMap::new(),
            own_hosts: BTreeMap::new(),
            patience: LONGER,
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
                private_names: vec![".private.confluent.cloud".into()],
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
        case.grant();
        case
    }

    /// Every right that Connect needs, in one go.
    fn grant(&self) {
        let mut entries = vec![self.acl("GROUP", &self.group, &["READ"])];
        let operations = ["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"];
        entries.extend(self.topics().iter().map(|topic| self.acl("TOPIC", topic, &operations)));
        bed().call(&format!("{}/acls", self.part), &json!({ "add": entries }));
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

    /// A client certificate and its key, both from PEM files, in the settings themselves.
    fn certificate(&mut self, chain: &str, key: &str) -> &mut Self {
        let read = |path: &str| confluent::escape(&std::fs::read_to_string(path).unwrap());
        self.set("ssl.keystore.type", "PEM").set("ssl.keystore.certificate.chain", &read(chain));
        self.set("ssl.keystore.key", &read(key))
    }

    /// Something is there that never answers: the limits are those of a user.
    fn in_vain(&mut self) -> &mut Self {
        self.patience = 1;
        self
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
        let of_password = self.login.as_ref().map(|(user, password)| {
            let scram = self.settings["CONNECT_SASL_MECHANISM"].starts_with("SCRAM");
            let module = if scram { "scram.ScramLoginModule" } else { "plain.PlainLoginModule" };
            let module = format!("org.apache.kafka.common.security.{module}");
            Jaas::login(&module, &Secret::new(user.clone()), &Secret::new(password.clone()))
        });
        if let Some(jaas) = self.jaas.clone().or(of_password) {
            let jaas = jaas.compose();
            for client in ["", "producer.", "consumer.", "admin."] {
                let variable = variable_of(&format!("{client}sasl.jaas.config"));
                if self.settings.contains_key(&variable) {
                    continue;
                }
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
                connectors: self.connectors.clone(),
                findings: Findings::default(),
                place: None,
                files: self.files.clone(),
            }],
            secrets: Vec::new(),
            own: BTreeMap::new(),
            aws: None,
            account: None,
            aws_keys: self.aws_keys.clone(),
            as_task: false,
            own_hosts: self.own_hosts.clone(),
        }
    }

    fn run(&self) -> Report {
        self.selected(&Selection::default())
    }

    fn selected(&self, selection: &Selection) -> Report {
        self.judged(&self.input(), selection)
    }

    /// Runs with an input that was made from this case's, and holds the report against time, schema and secrecy.
    fn judged(&self, input: &Input, selection: &Selection) -> Report {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let started = Instant::now();
        let selection = Selection { patience: Patience::times(self.patience), ..selection.clone() };
        let report = runtime.block_on(preflight::run(input, &selection, Vantage::Outside)).closed(false);
        let took = started.elapsed();
        runtime.shutdown_background();
        assert!(took < LONGEST * self.patience, "took {took:?}");
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
        jsonschema::validator_for(&serde_json::from_str(include_str!("../schema/preflight.v1.json")).unwrap()).unwrap()
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
    bed().call(&format!("{}/state", case.part), &json!({ "prefix": case.group }))
}

/// The verb itself, on a project that `init` wrote.
struct Project {
    folder: tempfile::TempDir,
    case: Case,
    output: String,
}

impl Project {
    fn new(name: &str) -> Self {
        Self::at(name, &text(&bed().facts("kafka")["bootstrap"]["SASL_SSL"]))
    }

    /// … that starts from these servers.
    fn at(name: &str, bootstrap: &str) -> Self {
        let case = Case::new(name);
        let facts = bed().facts("kafka");
        let mut project = Self { folder: tempfile::tempdir().unwrap(), case, output: String::new() };
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
            bootstrap,
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
        command.envs([PATIENT]);
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
