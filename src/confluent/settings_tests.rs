//! Each finding on settings, from the environment that causes it; and the environments that must be silent.

use super::{Service, findings};
use crate::base::{Code, Finding, Place, Secret};
use crate::confluent::{Environment, Text};
use crate::profile::Catalogue;

const IMAGE: &str = "confluentinc/cp-kafka-connect:8.0.7";
const LOGIN: &str = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\" password=\"p\";";

/// What a sound worker on Confluent Cloud has, with its logins from a secret.
fn sound() -> Environment {
    let mut environment: Environment = [
        ("CONNECT_BOOTSTRAP_SERVERS", "pkc-1.eu-west-1.aws.confluent.cloud:9092"),
        ("CONNECT_GROUP_ID", "g"),
        ("CONNECT_CONFIG_STORAGE_TOPIC", "c"),
        ("CONNECT_OFFSET_STORAGE_TOPIC", "o"),
        ("CONNECT_STATUS_STORAGE_TOPIC", "s"),
        ("CONNECT_KEY_CONVERTER", "org.apache.kafka.connect.storage.StringConverter"),
        ("CONNECT_VALUE_CONVERTER", "org.apache.kafka.connect.json.JsonConverter"),
        ("CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR", "3"),
        ("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR", "3"),
        ("CONNECT_STATUS_STORAGE_REPLICATION_FACTOR", "3"),
    ]
    .into_iter()
    .enumerate()
    .map(|(line, (name, value))| (name, plain(value, line)))
    .collect();
    for client in ["", "PRODUCER_", "CONSUMER_", "ADMIN_"] {
        environment.insert(format!("CONNECT_{client}SECURITY_PROTOCOL"), plain("SASL_SSL", 20));
        environment.insert(format!("CONNECT_{client}SASL_MECHANISM"), plain("PLAIN", 21));
        let name = format!("CONNECT_{client}SASL_JAAS_CONFIG");
        environment.insert(name.clone(), Text::secret("connect", Some(&name), Some(Secret::new(LOGIN)), None));
    }
    environment
}

fn plain(value: &str, line: usize) -> Text {
    Text::plain(value, Some(Place::new("docker-compose.yml", u32::try_from(line + 1).expect("line"), 7)))
}

fn check(environment: &Environment, image: &str) -> Vec<Finding> {
    let catalogue = Catalogue::builtin().expect("profiles");
    let service = Service {
        name: "connect",
        catalogue,
        component: catalogue.component("connect").expect("connect"),
        image,
        environment,
        place: None,
        advertised_by_command: true,
        own_start_script: false,
        provider: None,
    };
    findings(&service).iter().cloned().collect()
}

#[test]
fn a_sound_worker_is_left_in_peace() {
    assert_eq!(check(&sound(), IMAGE), []);
}

/// One change to the sound worker, the code that it must give, and words of its message or help.
#[test]
fn every_slip_is_found() {
    let cases: &[(&str, &str, Code, &str)] = &[
        ("CONNECT_GROUP_ID", "", Code::SETTING_MISSING, "CONNECT_GROUP_ID is missing"),
        (
            "CONNECT_VALUE_CONVERTER",
            "io.confluent.connect.avro.AvroConverter",
            Code::SETTING_MISSING,
            "VALUE_CONVERTER_SCHEMA_REGISTRY_URL",
        ),
        ("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR", "1", Code::REPLICATION_FACTOR, "Confluent Cloud takes 3"),
        ("CONNECT_OFFSET_STORAGE_REPLICATION_FACTOR", "three", Code::REPLICATION_FACTOR, "no number"),
        ("CONNECT_OFFSET_STORAGE_TOPCI", "o", Code::SETTING_MISSPELT, "did you mean CONNECT_OFFSET_STORAGE_TOPIC?"),
        ("CONNECT_PRODUCER_LINGR_MS", "5", Code::SETTING_MISSPELT, "did you mean CONNECT_PRODUCER_LINGER_MS?"),
        ("CONECT_REST_PORT", "8083", Code::SETTING_MISSPELT, "did you mean CONNECT_REST_PORT?"),
        ("CONNECT_CONSUMER_SECURITY_PROTOCOL", "PLAINTEXT", Code::CLIENT_WITHOUT_LOGIN, "the consumer speaks PLAINTEXT"),
        ("CONNECT_CONSUMER_SECURITY_PROTOCOL", "SASL-SSL", Code::UNKNOWN_PROTOCOL, "`SASL-SSL`"),
        ("CONNECT_PRODUCER_SASL_MECHANISM", "plain", Code::UNKNOWN_PROTOCOL, "did you mean PLAIN?"),
        ("CONNECT_PRODUCER_SASL_MECHANISM", "SCRAM-SHA-512", Code::LOGIN_MALFORMED, "the producer logs in with PlainLoginModule"),
        ("CONNECT_PRODUCER_SASL_MECHANISM", "SCRAM-SHA-512", Code::PORT_AND_PROTOCOL, "takes PLAIN and OAUTHBEARER"),
        ("CONNECT_SASL_JAAS_CONFIG", LOGIN, Code::PLAIN_CREDENTIAL, "VarName: CONNECT_SASL_JAAS_CONFIG"),
        ("CONNECTOR_DB_PASSWORD", "hunter2", Code::PLAIN_CREDENTIAL, "CONNECTOR_DB_PASSWORD"),
        ("CONNECT_SASL_JAAS_CONFIG", "PlainLoginModule required username=u", Code::LOGIN_MALFORMED, "the semicolon at the end"),
        ("CONNECT_BOOTSTRAP_SERVERS", "broker", Code::BOOTSTRAP_ADDRESS, "`broker` has no port"),
        ("CONNECT_BOOTSTRAP_SERVERS", "b-1.x.kafka.eu-west-1.amazonaws.com:9092", Code::PORT_AND_PROTOCOL, "speaks PLAINTEXT"),
        ("CONNECT_BOOTSTRAP_SERVERS", "b-1.x.kafka.eu-west-1.amazonaws.com:9096", Code::PORT_AND_PROTOCOL, "takes SCRAM-SHA-512"),
        (
            "CONNECT_SSL_TRUSTSTORE_CERTIFICATES",
            "x",
            Code::CLIENT_WITHOUT_LOGIN,
            "the producer has no ssl.truststore.certificates",
        ),
        ("CONNECT_PLUGIN_PATH", "C:\\", Code::VALUE_NOT_ESCAPED, "a backslash at the end"),
        ("CONNECT_CLIENT_ID", "a\nb", Code::VALUE_NOT_ESCAPED, "a line break"),
        ("CONNECT_CLIENT_ID", "é", Code::VALUE_NOT_ESCAPED, "ISO-8859-1"),
    ];
    for (name, value, code, words) in cases {
        let mut environment = sound();
        environment.insert(*name, plain(value, 40));
        let found = check(&environment, IMAGE);
        let hit = found.iter().find(|finding| finding.code == *code);
        let hit = hit.unwrap_or_else(|| panic!("{name}={value} gave {found:#?}"));
        let text = format!("{} {}", hit.message, hit.help.clone().unwrap_or_default());
        assert!(text.contains(words), "{name}={value}: {text}");
        assert!(!text.contains("hunter2"));
    }
}

#[test]
fn a_login_that_was_forgotten_is_named_by_its_variable() {
    let environment: Environment = sound()
        .iter()
        .filter(|(name, _)| !name.contains("PRODUCER_SASL_JAAS"))
        .map(|(name, text)| (name, text.clone()))
        .collect();
    let found = check(&environment, IMAGE);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].code, Code::CLIENT_WITHOUT_LOGIN);
    assert_eq!(found[0].path.as_deref(), Some("services.connect.environment.CONNECT_PRODUCER_SASL_JAAS_CONFIG"));
}

#[test]
fn what_the_newer_tool_breaks_is_found_where_it_runs() {
    let mut environment = sound();
    environment.insert("CONNECT_CONFIG_PROVIDERS_S_CLASS", plain("x", 40));
    assert_eq!(check(&environment, IMAGE), []);
    for image in ["cp-kafka-connect:8.3.1", "cp-kafka-connect:latest"] {
        let found = check(&environment, image);
        assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), [Code::NAME_BROKEN_BY_TOOL], "{image}");
    }
}

#[test]
fn a_secret_that_was_not_read_may_hold_what_is_missing() {
    let mut environment = Environment::default();
    environment.insert("CONNECT_SECURITY_PROTOCOL", plain("SASL_SSL", 1));
    environment.set_open();
    assert_eq!(check(&environment, IMAGE), []);
}

#[test]
fn an_address_of_its_own_is_found_unless_the_command_sets_it() {
    let catalogue = Catalogue::builtin().expect("profiles");
    let mut environment = sound();
    environment.insert("CONNECT_REST_ADVERTISED_HOST_NAME", plain("localhost", 30));
    let mut service = Service {
        name: "connect",
        catalogue,
        component: catalogue.component("connect").expect("connect"),
        image: IMAGE,
        environment: &environment,
        place: None,
        advertised_by_command: false,
        own_start_script: false,
        provider: Some("self-managed"),
    };
    let codes = |service: &Service<'_>| findings(service).iter().map(|finding| finding.code).collect::<Vec<_>>();
    assert_eq!(codes(&service), [Code::ADVERTISED_HOST]);
    service.advertised_by_command = true;
    assert_eq!(codes(&service), []);
    let environment = sound();
    service.environment = &environment;
    service.advertised_by_command = false;
    assert_eq!(codes(&service), [Code::SETTING_MISSING]);
}

#[test]
fn one_copy_is_a_warning_where_the_cluster_would_take_it() {
    let mut environment = sound();
    environment.insert("CONNECT_BOOTSTRAP_SERVERS", plain("kafka.internal:9093", 2));
    environment.insert("CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR", plain("1", 3));
    environment.insert("CONNECT_STATUS_STORAGE_REPLICATION_FACTOR", plain("2", 3));
    let found = check(&environment, IMAGE);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!((found[0].code, found[0].severity), (Code::REPLICATION_FACTOR, crate::base::Severity::Warning));
    assert_eq!(found[0].place.as_ref().map(ToString::to_string).as_deref(), Some("docker-compose.yml:4:7"));
}
