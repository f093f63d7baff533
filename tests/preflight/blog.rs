//! A real project of 2020, which lies beside the checkout, as it stands: its two secrets from a file, the brokers of the bed.

use std::path::Path;

use serde_json::{Value, json};

use super::{Case, schema, text};
use crate::support::bed::{all_brokers, bed};
use crate::support::program::{Ran, run_with};

const MODULE: &str = "org.apache.kafka.common.security.plain.PlainLoginModule";

struct Blog {
    folder: tempfile::TempDir,
    connect: Case,
    control_center: Case,
}

impl Blog {
    fn new() -> Option<Self> {
        let there = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/examples/blog");
        if !there.is_dir() {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("envs")).unwrap();
        for file in ["docker-compose.yml", "envs/dev.yml"] {
            std::fs::copy(there.join(file), folder.path().join(file)).unwrap();
        }
        Some(Self { folder, connect: Case::new("blog-connect"), control_center: Case::new("blog-center") })
    }

    /// The secrets with the keys that the project's own templates give them, and the bed's authority.
    fn store(&self, password: &str) {
        let facts = bed().facts("kafka");
        let servers = text(&facts["bootstrap"]["SASL_SSL"]);
        let authority = std::fs::read_to_string(text(&facts["tls"]["ca"])).unwrap().replace('\n', "\\n");
        let login =
            |case: &Case, password: &str| format!("{MODULE} required username=\"{}\" password=\"{password}\";", case.user);
        let of = |prefixes: &[&str], login: String| {
            let mut document = serde_json::Map::new();
            for prefix in prefixes {
                for (name, value) in [
                    ("BOOTSTRAP_SERVERS", &servers),
                    ("SASL_JAAS_CONFIG", &login),
                    ("SSL_TRUSTSTORE_TYPE", &"PEM".to_owned()),
                    ("SSL_TRUSTSTORE_CERTIFICATES", &authority),
                ] {
                    document.insert(format!("{prefix}{name}"), json!(value));
                }
            }
            document
        };
        let connect = of(&["CONNECT_", "CONNECT_PRODUCER_", "CONNECT_CONSUMER_"], login(&self.connect, password));
        let mut center = of(&["CONTROL_CENTER_STREAMS_"], login(&self.control_center, &self.control_center.password));
        center.insert("CONTROL_CENTER_BOOTSTRAP_SERVERS".into(), json!(servers));
        let document = json!({ "CONNECT_CREDS": connect, "CC_CREDS": center });
        std::fs::write(self.folder.path().join("secrets.json"), document.to_string()).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let files = ["-f", "docker-compose.yml", "-f", "envs/dev.yml", "-n", "confluent-apps-dev"];
        let variables = [
            ("ENV_NAME", "dev"),
            ("AWS_ACCOUNT_ID", "111122223333"),
            ("AWS_DEFAULT_REGION", "eu-west-1"),
            ("CLUSTER_ID", "lkc-8m2q5z"),
        ];
        let ran = run_with(self.folder.path(), &[&files[..4], arguments].concat(), "", &variables);
        for case in [&self.connect, &self.control_center] {
            assert!(!ran.stdout.contains(&case.password) && !ran.stderr.contains(&case.password), "a password was printed");
        }
        ran
    }

    fn report(&self, more: &[&str]) -> (i32, Value) {
        let ran = self.run(&[&["preflight", "--secrets-file", "secrets.json", "--output", "json"], more].concat());
        let report: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"));
        schema().validate(&report).unwrap();
        (ran.code, report)
    }
}

#[test]
fn a_project_that_init_did_not_write_is_asked_as_it_stands() {
    let _brokers = all_brokers();
    let Some(blog) = Blog::new() else { return };
    blog.store("a-password-of-nobody");
    let of = |report: &Value, code: &str| -> Vec<(String, String)> {
        let checks = report["checks"].as_array().unwrap().iter().filter(|check| check["code"] == code);
        checks.map(|check| (text(&check["service"]), text(&check["status"]))).collect()
    };
    let (code, report) = blog.report(&[]);
    assert_eq!(code, 3, "{report:#}");
    let logins = of(&report, "CE304");
    assert!(logins.contains(&("connect".into(), "failed".into())), "{logins:?}");
    assert!(logins.contains(&("controlcenter".into(), "passed".into())), "{logins:?}");

    blog.store(&blog.connect.password);
    let (code, report) = blog.report(&[]);
    assert_eq!(code, 3, "{report:#}");
    for code in ["CE301", "CE302", "CE303", "CE304", "CE305"] {
        let found = of(&report, code);
        assert!(found.len() > 1 && found.iter().all(|(_, status)| status == "passed"), "{code}: {found:?}");
    }
    // Nothing is granted yet; what is printed grants it, and then nothing of it fails.
    assert!(of(&report, "CE402").iter().any(|(_, status)| status == "failed"), "{report:#}");
    let fixes = blog.run(&["preflight", "--secrets-file", "secrets.json", "--fixes"]);
    let facts = bed().facts("kafka");
    let path = format!("{}:{}", text(&facts["bin"]), std::env::var("PATH").unwrap());
    // The project names no file for an administrator's tools.
    let commands = fixes.stdout.replace("'<admin.properties>'", &text(&facts["command_config"]));
    let ran = std::process::Command::new("sh").args(["-e", "-c", &commands]).env("PATH", path).output().unwrap();
    assert!(ran.status.success(), "{commands}\n{}", String::from_utf8_lossy(&ran.stderr));
    // An ACL reaches the brokers a moment after it was made.
    let (_, report) = blog.report(&["--wait", "20s", "--skip", "collisions"]);
    let checks = report["checks"].as_array().unwrap();
    let failed: Vec<&Value> =
        checks.iter().filter(|check| check["category"] != "config" && check["status"] == "failed").collect();
    assert!(failed.is_empty(), "{failed:#?}");
}
