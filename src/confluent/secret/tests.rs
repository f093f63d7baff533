//! Structures, answers and documents; and a password through every layer.

use proptest::prelude::*;

use super::{Answers, Composition, DocumentError, Injected, JsonKey, SecretDocument, Structure, compose, structure};
use crate::base::{Error, Secret};
use crate::confluent::{Environment, Text, clients, properties};
use crate::profile::Catalogue;

const IMAGE: &str = "cp-kafka-connect:8.0.7";

fn structured(variables: &[(&str, &str)], keys: Option<&[&str]>) -> Structure {
    let catalogue = Catalogue::builtin().expect("profiles");
    let connect = catalogue.component("connect").expect("connect");
    let environment: Environment = variables.iter().map(|(name, value)| (*name, Text::plain(*value, None))).collect();
    let found = properties(connect, IMAGE, &environment);
    let keys: Option<Vec<JsonKey>> =
        keys.map(|keys| keys.iter().map(|key| JsonKey { secret_key: (*key).to_owned(), variable: (*key).to_owned() }).collect());
    let injected = keys.as_deref().map_or(Injected::Whole { own_script: false }, Injected::Keys);
    structure(catalogue, connect, &clients(connect, &found), &found, injected, &[("scope".to_owned(), "kafka".to_owned())])
}

fn sasl(mechanism: &str) -> Structure {
    let clients = ["", "PRODUCER_", "CONSUMER_", "ADMIN_"];
    let names: Vec<(String, &str)> = clients
        .iter()
        .flat_map(|client| {
            [(format!("CONNECT_{client}SECURITY_PROTOCOL"), "SASL_SSL"), (format!("CONNECT_{client}SASL_MECHANISM"), mechanism)]
        })
        .collect();
    let variables: Vec<(&str, &str)> = names.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let keys = [
        "CONNECT_SASL_JAAS_CONFIG",
        "CONNECT_PRODUCER_SASL_JAAS_CONFIG",
        "CONNECT_CONSUMER_SASL_JAAS_CONFIG",
        "CONNECT_ADMIN_SASL_JAAS_CONFIG",
        "CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO",
        "CONNECTOR_PASSWORD",
    ];
    structured(&variables, Some(&keys))
}

fn answers(pairs: &[(&str, &str)]) -> Answers {
    let mut answers = Answers::default();
    for (name, value) in pairs {
        answers.insert(*name, Secret::new(*value));
    }
    answers
}

#[test]
fn the_mechanism_decides_the_login_module() {
    for (mechanism, module) in [("PLAIN", "plain.PlainLoginModule"), ("SCRAM-SHA-512", "scram.ScramLoginModule")] {
        let keys = sasl(mechanism).keys;
        let Composition::Login { client, module: found, .. } = &keys[1].composition else { panic!("no login") };
        assert_eq!(
            (client.as_str(), found.as_str()),
            ("producer", format!("org.apache.kafka.common.security.{module}").as_str())
        );
    }
    let Composition::ClientCredentials { client, options, .. } = &sasl("OAUTHBEARER").keys[0].composition else {
        panic!("no client credentials")
    };
    assert_eq!((client.as_str(), options.len()), ("worker", 1));
    assert_eq!(sasl("GSSAPI").keys[0].composition, Composition::AsGiven { property: true });
}

#[test]
fn everything_missing_and_misspelt_is_told_at_once_without_a_value() {
    let given = answers(&[("usernam", "hunter2"), ("registry.username", "a:b"), ("registry.password", "x")]);
    let Err(Error::Failure(failure)) = compose(&sasl("PLAIN"), &given) else { panic!("composed") };
    let cause = failure.cause.expect("cause");
    for part in ["missing: username, password, CONNECTOR_PASSWORD", "did you mean username?", "holds a colon"] {
        assert!(cause.contains(part), "{cause}");
    }
    assert!(!cause.contains("hunter2"));
}

#[test]
fn scram_takes_ascii_names_only() {
    let mut given = answers(&[("username", "käthe"), ("password", "ü")]);
    for (name, value) in [("registry.username", "r"), ("registry.password", "s"), ("CONNECTOR_PASSWORD", "x")] {
        given.insert(name, Secret::new(value));
    }
    assert!(compose(&sasl("PLAIN"), &given).is_ok());
    let Err(Error::Failure(failure)) = compose(&sasl("SCRAM-SHA-512"), &given) else { panic!("composed") };
    assert!(failure.cause.is_some_and(|cause| cause.contains("ASCII letters only")));
}

#[test]
fn a_client_may_have_an_account_of_its_own() {
    let given = answers(&[
        ("username", "u"),
        ("password", "p"),
        ("producer.username", "pu"),
        ("producer.password", "pp"),
        ("registry.username", "r"),
        ("registry.password", "s"),
        ("CONNECTOR_PASSWORD", "ü\\"),
    ]);
    let document = compose(&sasl("PLAIN"), &given).expect("compose");
    let get = |key: &str| document.get(key).expect(key).expose().to_owned();
    assert!(get("CONNECT_SASL_JAAS_CONFIG").ends_with("PlainLoginModule required username=\"u\" password=\"p\";"));
    assert!(get("CONNECT_PRODUCER_SASL_JAAS_CONFIG").ends_with("username=\"pu\" password=\"pp\";"));
    assert_eq!(get("CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO"), "r:s");
    assert_eq!(get("CONNECTOR_PASSWORD"), "ü\\", "a variable that is no property is not escaped");
}

#[test]
fn a_secret_without_named_keys_brings_what_is_lacking() {
    let found = structured(
        &[
            ("CONNECT_BOOTSTRAP_SERVERS", "a:9092"),
            ("CONNECT_SECURITY_PROTOCOL", "SASL_SSL"),
            ("CONNECT_SASL_MECHANISM", "PLAIN"),
            ("CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE", "USER_INFO"),
        ],
        None,
    );
    let names: Vec<&str> = found.keys.iter().map(|key| key.name.as_str()).collect();
    assert!(names.contains(&"CONNECT_SASL_JAAS_CONFIG") && names.contains(&"CONNECT_GROUP_ID"));
    assert!(names.contains(&"CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO"));
    // The admin client takes the worker's login with the worker's other settings.
    assert!(!names.contains(&"CONNECT_ADMIN_SASL_JAAS_CONFIG"));
    assert!(!names.contains(&"CONNECT_BOOTSTRAP_SERVERS") && !names.contains(&"CONNECT_PRODUCER_SASL_JAAS_CONFIG"));
}

/// The interceptors of the real project of 2020: clients of their own, with the producer's and the consumer's logins.
#[test]
fn what_is_inside_of_a_client_logs_in_too() {
    let interceptor = "CONFLUENT_MONITORING_INTERCEPTOR_";
    let found = structured(
        &[
            ("CONNECT_PRODUCER_CONFLUENT_MONITORING_INTERCEPTOR_SECURITY_PROTOCOL", "SASL_SSL"),
            ("CONNECT_PRODUCER_CONFLUENT_MONITORING_INTERCEPTOR_SASL_MECHANISM", "PLAIN"),
        ],
        None,
    );
    let key = found.keys.iter().find(|key| key.variable == format!("CONNECT_PRODUCER_{interceptor}SASL_JAAS_CONFIG"));
    let Composition::Login { client, .. } = &key.expect("interceptor").composition else { panic!("no login") };
    assert_eq!(client, "producer");
}

#[test]
fn answers_are_read_from_lines_and_from_json() {
    let lines = Answers::parse(&Secret::new("# a comment\nusername=u\r\npassword= a=b \n\n")).expect("lines");
    assert_eq!(lines.get("username").expect("username").expose(), "u");
    assert_eq!(lines.get("password").expect("password").expose(), " a=b ");
    let json = Answers::parse(&Secret::new("{\"username\": \"u\", \"password\": \"a\\nb\"}")).expect("json");
    assert_eq!(json.get("password").expect("password").expose(), "a\nb");
    for wrong in ["nothing", "=x", "a=1\na=2", "{\"a\": 1}", "{", "{\"a\": \"hunter2\""] {
        let Err(Error::Failure(failure)) = Answers::parse(&Secret::new(wrong)) else { panic!("{wrong}") };
        assert!(!format!("{failure:?}").contains("hunter2"));
    }
}

#[test]
fn a_stored_secret_is_read_with_what_is_odd_about_it() {
    let document = SecretDocument::parse(&Secret::new("{\"a\": \"x\", \"b\": 5}")).expect("document");
    assert_eq!((document.keys().collect::<Vec<_>>(), document.odd.as_slice()), (vec!["a", "b"], &["b".to_owned()][..]));
    assert!(matches!(SecretDocument::parse(&Secret::new("plain text")), Err(DocumentError::NotJson { .. })));
    assert!(matches!(SecretDocument::parse(&Secret::new("[1]")), Err(DocumentError::NotAnObject)));
}

/// Answers → JAAS → properties → JSON → container's variable → the image's rule → JAAS: the password comes through.
fn survives(username: &str, password: &str) {
    let catalogue = Catalogue::builtin().expect("profiles");
    let connect = catalogue.component("connect").expect("connect");
    let given = answers(&[
        ("username", username),
        ("password", password),
        ("registry.username", "r"),
        ("registry.password", password),
        ("CONNECTOR_PASSWORD", password),
    ]);
    let stored = compose(&sasl("SCRAM-SHA-512"), &given).expect("compose").to_json();
    let document = SecretDocument::parse(&stored).expect("document");
    let environment: Environment =
        document.iter().map(|(key, value)| (key, Text::secret("connect", Some(key), Some(value.clone()), None))).collect();
    let found = properties(connect, IMAGE, &environment);
    for client in clients(connect, &found) {
        let jaas = client.jaas().expect("set").expect("valid");
        assert_eq!(jaas.username().expect("username").expose(), username);
        assert_eq!(jaas.password().expect("password").expose(), password);
    }
    let registry = found.get("value.converter.basic.auth.user.info").expect("user info").value.to_secret().expect("read");
    assert_eq!(registry.expose(), format!("r:{password}"));
    assert_eq!(document.get("CONNECTOR_PASSWORD").expect("given").expose(), password);
}

#[test]
fn a_quote_survives_every_layer() {
    survives("A", "\"");
}

proptest! {
    #[test]
    fn a_password_survives_every_layer(username in "[ -~]{1,12}", password in "[\"'\\\\$;=#:{}% \t\n\rA-Za-z0-9é😀]{1,20}|[^\0]{1,20}") {
        survives(&username, &password);
    }
}
