//! Schema registries: each fault of the way, the key and the registry itself has its own code and cause.

use confluent_ecs::preflight::OwnHost;
use serde_json::{Value, json};

use super::{Case, expect, patience_for, text, troubles};
use crate::support::bed::{all_brokers, bed};

fn new(wanted: &Value) -> Value {
    bed().call("schema_registry/new", wanted)
}

/// A case whose value converter asks this registry.
fn case(name: &str, registry: &Value, scheme: Option<&str>) -> Case {
    let mut case = Case::granted(name);
    let url = text(&registry["url"]);
    let url = scheme.map_or(url.clone(), |scheme| format!("{scheme}://{}", url.split_once("://").unwrap().1));
    let info = format!("{}:{}", text(&registry["user"]), text(&registry["password"]));
    for (name, value) in [("URL", url.as_str()), ("BASIC_AUTH_USER_INFO", &info)] {
        case.settings.insert(format!("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_{name}"), value.to_owned());
    }
    case.settings.insert("CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE".into(), "USER_INFO".into());
    if let Some(ca) = registry["ca"].as_str() {
        let pem = confluent_ecs::confluent::escape(&std::fs::read_to_string(ca).unwrap());
        case.settings.insert("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_SSL_TRUSTSTORE_TYPE".into(), "PEM".into());
        case.settings.insert("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_SSL_TRUSTSTORE_CERTIFICATES".into(), pem);
    }
    case
}

#[test]
fn a_registry_that_is_right_passes() {
    let _brokers = all_brokers();
    for tls in [false, true] {
        let registry = new(&json!({ "tls": tls, "subjects": ["a"] }));
        let report = case("registry", &registry, None).run();
        expect(&report, &[]);
        let of = |code: &str| report.checks.iter().find(|check| check.code.to_string() == code).unwrap().message.clone();
        assert_eq!([of("CE502"), of("CE503"), of("CE504")], ["accepted", "READWRITE", "BACKWARD"]);
        let asked = bed().call("schema_registry/requests", &json!({ "id": registry["id"] }));
        let first = &asked["requests"][0];
        assert!(first["path"] == "/" && first["user"].is_null(), "credentials went out before the registry was known: {asked}");
    }
}

#[test]
fn faults_of_a_registry_have_their_own_causes() {
    let _brokers = all_brokers();
    let with = |wanted: Value| new(&wanted);
    for (registry, scheme, found) in [
        (with(json!({ "tls": "expired" })), None, "CE501 failed tls-expired"),
        (with(json!({ "tls": "other_host" })), None, "CE501 failed tls-hostname"),
        (with(json!({ "tls": true })), Some("http"), "CE501 failed tls-listener"),
        (with(json!({})), Some("https"), "CE501 failed plaintext-listener"),
        (with(json!({ "page": "<h1>Sign in</h1>" })), None, "CE501 failed not-kafka"),
        (with(json!({ "redirect": "https://login.example/sso" })), None, "CE501 failed not-kafka"),
        (
            with(json!({ "open": true, "answers": { "/": [503, { "message": "down" }] } })),
            None,
            "CE501 failed broker-unreachable",
        ),
        (with(json!({ "open": true, "answers": { "/": [407, {}] } })), None, "CE501 failed access-denied"),
        (with(json!({ "open": true, "answers": { "/": [429, {}] } })), None, "CE501 failed throttled"),
        (with(json!({ "forbidden": ["/subjects"] })), None, "CE502 failed access-denied"),
        (with(json!({ "mode": "READONLY" })), None, "CE503 warned"),
        (with(json!({ "mode": "IMPORT" })), None, "CE503 warned"),
        // Another service that speaks JSON.
        (
            with(
                json!({ "open": true, "answers": { "/subjects": [404, { "error_code": 404, "message": "HTTP 404 Not Found" }] } }),
            ),
            None,
            "CE502 failed not-kafka",
        ),
        (with(json!({ "delay": 30 })), None, "CE501 failed timed-out"),
        (with(json!({ "forbidden": ["/mode"] })), None, "CE503 unknown"),
        (with(json!({ "forbidden": ["/config"] })), None, "CE504 unknown"),
        (with(json!({ "clock": 4_000 })), None, "CE308 failed clock-skew"),
    ] {
        let mut case = case("registry-fault", &registry, scheme);
        case.patience = patience_for(found);
        let report = case.run();
        assert_eq!(troubles(&report), [found], "{}", serde_json::to_string_pretty(&report).unwrap());
    }
    let mut untrusted = with(json!({ "tls": true }));
    untrusted["ca"] = Value::Null;
    expect(&case("registry-ca", &untrusted, None).run(), &["CE501 failed tls-untrusted"]);
    let faults = bed().facts("faults");
    for (address, cause) in
        [("refused", "refused"), ("hang", "timed-out"), ("silent", "timed-out"), ("close", "broker-unreachable")]
    {
        let nowhere = json!({ "url": format!("http://{}", text(&faults[address])), "user": "a", "password": "b" });
        let mut case = case("registry-way", &nowhere, None);
        case.patience = patience_for(cause);
        expect(&case.run(), &[format!("CE501 failed {cause}").as_str()]);
    }
}

#[test]
fn a_key_that_is_no_key_of_the_registry_is_named_as_what_it_is() {
    let _brokers = all_brokers();
    let registry = new(&json!({}));
    let mut wrong = registry.clone();
    wrong["password"] = json!("nobodys-secret");
    let report = case("registry-key", &wrong, None).run();
    expect(&report, &["CE502 failed bad-credentials"]);
    assert!(!serde_json::to_string(&report).unwrap().contains("nobodys-secret"));

    let mut case = case("registry-kafka-key", &registry, None);
    let (user, password) = (case.user.clone(), case.password.clone());
    let info = format!("{user}:{password}");
    case.settings.insert("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_BASIC_AUTH_USER_INFO".into(), info);
    let report = case.run();
    expect(&report, &["CE502 failed bad-credentials"]);
    let key = report.checks.iter().find(|check| check.code.to_string() == "CE502").unwrap();
    assert!(key.message.contains("the key of the Kafka cluster"), "{}", key.message);

    case.settings.remove("CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE");
    let report = case.run();
    expect(&report, &["CE502 failed bad-credentials"]);
    let key = report.checks.iter().find(|check| check.code.to_string() == "CE502").unwrap();
    assert!(key.message.contains("basic.auth.credentials.source is not USER_INFO"), "{}", key.message);
    let fix = serde_json::to_value(&key.fixes[0]).unwrap();
    assert_eq!(fix["variables"], json!(["CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE"]), "{fix}");
}

#[test]
fn what_this_stack_deploys_is_skipped_and_says_so() {
    let _brokers = all_brokers();
    let own = json!({ "url": "http://registry.orders.internal:8081", "user": "a", "password": "b" });
    let mut case = case("registry-own", &own, None);
    let registry = |lets_in: &[(&str, u16)]| OwnHost {
        service: "registry".into(),
        found: true,
        known_to: None,
        ports: [8081].into(),
        lets_in: lets_in.iter().map(|(client, port)| ((*client).to_owned(), *port)).collect(),
    };
    case.own_hosts.insert("registry.orders.internal".into(), registry(&[("control-center", 8081)]));
    expect(&case.run(), &["CE505 failed"]);
    case.own_hosts.insert("registry.orders.internal".into(), registry(&[("connect", 8081)]));
    let report = case.run();
    expect(&report, &[]);
    let skipped = report.checks.iter().find(|check| check.code.to_string() == "CE501").unwrap();
    assert!(skipped.message.starts_with("deployed by this stack"), "{}", skipped.message);
}
