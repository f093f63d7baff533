//! The wire client and librdkafka against real brokers and against addresses that misbehave: each fault gives its own cause, in time.

use std::path::Path;
use std::time::{Duration, Instant};

use confluent_ecs::base::{Cause, Deadline, Fault, Secret};
use confluent_ecs::kafka::{self, Login, Mechanism, Operation, Protocol, Settings};
use confluent_ecs::net::{Endpoint, tls};
use serde_json::{Value, json};

use crate::support::bed::{all_brokers, bed, unique};

/// For what must come. A busy machine is no fault of a broker.
const LIMIT: Duration = Duration::from_mins(1);
/// For what never comes.
const IN_VAIN: Duration = Duration::from_secs(5);

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn read(path: &Value) -> String {
    std::fs::read_to_string(Path::new(path.as_str().unwrap())).unwrap()
}

fn first(list: &Value) -> Endpoint {
    Endpoint::parse(list.as_str().unwrap().split(',').next().unwrap()).unwrap()
}

/// A new user of the bed, who may do nothing yet.
fn user(name: &str) -> (String, Secret) {
    let user = bed().call("kafka/user", &json!({ "name": unique(name) }));
    (text(&user["name"]), Secret::new(text(&user["password"])))
}

fn settings(listener: &str, protocol: Protocol, login: impl Into<Option<Login>>) -> Settings {
    let facts = bed().facts("kafka");
    let authorities = protocol.has_tls().then(|| read(&facts["tls"]["ca"]));
    Settings {
        bootstrap: vec![first(&facts["bootstrap"][listener])],
        protocol,
        login: login.into(),
        tls: tls::Settings { authorities, ..tls::Settings::default() },
    }
}

fn login(mechanism: Mechanism, (username, password): (String, Secret)) -> Login {
    Login::password(mechanism, username, password)
}

/// Opens and says how it ended.
fn open(settings: &Settings) -> Result<(), Fault> {
    open_within(LIMIT, settings)
}

/// … and fails the test when it took longer than the limit and a margin.
fn open_within(limit: Duration, settings: &Settings) -> Result<(), Fault> {
    let started = Instant::now();
    let result = runtime().block_on(kafka::open(settings, &settings.bootstrap[0], Deadline::after(limit)));
    assert!(started.elapsed() < limit + Duration::from_secs(30), "{:?} took {:?}", result, started.elapsed());
    result.map(|_| ())
}

fn cause(settings: &Settings) -> Cause {
    let fault = open(settings).expect_err("this must fail");
    fault.cause
}

#[test]
fn every_mechanism_logs_in_over_both_protocols() {
    let _brokers = all_brokers();
    let credentials = user("all");
    for (listener, protocol) in [("SASL_PLAINTEXT", Protocol::SaslPlaintext), ("SASL_SSL", Protocol::SaslSsl)] {
        for mechanism in [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512] {
            let settings = settings(listener, protocol, login(mechanism, credentials.clone()));
            open(&settings).unwrap_or_else(|fault| panic!("{listener} {mechanism}: {fault}"));
            let id = runtime().block_on(kafka::login(&settings, Deadline::after(LIMIT))).unwrap();
            assert_eq!(id, text(&bed().facts("kafka")["cluster_id"]), "librdkafka {listener} {mechanism}");
        }
    }
}

#[test]
fn wrong_credentials_are_bad_credentials_with_every_mechanism() {
    let _brokers = all_brokers();
    let (name, _) = user("wrong");
    for (listener, protocol) in [("SASL_PLAINTEXT", Protocol::SaslPlaintext), ("SASL_SSL", Protocol::SaslSsl)] {
        for mechanism in [Mechanism::Plain, Mechanism::ScramSha256, Mechanism::ScramSha512] {
            for username in [name.clone(), unique("nobody")] {
                let settings = settings(listener, protocol, login(mechanism, (username, Secret::new("not-the-password"))));
                assert_eq!(cause(&settings), Cause::BadCredentials, "{listener} {mechanism}");
                let fault = runtime().block_on(kafka::login(&settings, Deadline::after(LIMIT))).unwrap_err();
                assert_eq!(fault.cause, Cause::BadCredentials, "librdkafka {fault}");
            }
        }
    }
}

#[test]
fn a_mechanism_that_is_not_offered_is_named_beside_those_that_are() {
    let _brokers = all_brokers();
    let fault = open(&settings("SCRAM512", Protocol::SaslSsl, login(Mechanism::Plain, user("m")))).unwrap_err();
    assert_eq!(fault.cause, Cause::MechanismNotOffered);
    assert!(fault.message.contains("SCRAM-SHA-512"), "{fault}");
    let on_plain_listener = settings("PLAINTEXT", Protocol::SaslPlaintext, login(Mechanism::Plain, user("m")));
    assert_eq!(cause(&on_plain_listener), Cause::MechanismNotOffered);
}

#[test]
fn a_listener_that_wants_sasl_says_so() {
    let _brokers = all_brokers();
    assert_eq!(cause(&settings("SASL_PLAINTEXT", Protocol::Plaintext, None)), Cause::SaslRequired);
    assert_eq!(cause(&settings("SASL_SSL", Protocol::Ssl, None)), Cause::SaslRequired);
    open(&settings("PLAINTEXT", Protocol::Plaintext, None)).unwrap();
}

#[test]
fn tls_faults_have_their_own_causes() {
    let _brokers = all_brokers();
    let sasl = |listener| settings(listener, Protocol::SaslSsl, login(Mechanism::Plain, user("tls")));
    assert_eq!(cause(&sasl("EXPIRED")), Cause::TlsExpired);
    assert_eq!(cause(&sasl("OTHERCA")), Cause::TlsUntrusted);
    assert_eq!(cause(&sasl("OTHERHOST")), Cause::TlsHostname);
    let mut unchecked = sasl("OTHERHOST");
    unchecked.tls.ignore_host_name = true;
    open(&unchecked).unwrap();
    let mut system = sasl("SASL_SSL");
    system.tls.authorities = None;
    assert_eq!(cause(&system), Cause::TlsUntrusted);
}

#[test]
fn tls_and_no_tls_are_told_apart_by_asking_again() {
    let _brokers = all_brokers();
    let plain = login(Mechanism::Plain, user("t"));
    assert_eq!(cause(&settings("SASL_PLAINTEXT", Protocol::SaslSsl, plain.clone())), Cause::PlaintextListener);
    assert_eq!(cause(&settings("PLAINTEXT", Protocol::Ssl, None)), Cause::PlaintextListener);
    assert_eq!(cause(&settings("SASL_SSL", Protocol::SaslPlaintext, plain)), Cause::TlsListener);
    assert_eq!(cause(&settings("SSL", Protocol::Plaintext, None)), Cause::TlsListener);
}

#[test]
fn a_client_certificate_is_asked_for() {
    let _brokers = all_brokers();
    let facts = bed().facts("kafka");
    let mut settings = settings("SSL", Protocol::Ssl, None);
    assert_eq!(cause(&settings), Cause::ClientCertificateRequired);
    let identity = |paths: &Value| Some((read(&paths["certificate"]), Secret::new(read(&paths["key"]))));
    settings.tls.identity = identity(&facts["tls"]["client"]);
    open(&settings).unwrap();
    runtime().block_on(kafka::login(&settings, Deadline::after(LIMIT))).unwrap();
    let foreign = bed().call("kafka/certificate", &json!({ "name": unique("foreign"), "ca": "otherca" }));
    settings.tls.identity = identity(&foreign);
    assert_eq!(cause(&settings), Cause::ClientCertificateRequired);
}

#[test]
fn addresses_that_misbehave_have_their_own_causes() {
    let facts = bed().facts("faults");
    for (address, plain, secured) in [
        ("hang", Cause::TimedOut, Cause::TimedOut),
        ("silent", Cause::TimedOut, Cause::TimedOut),
        ("refused", Cause::Refused, Cause::Refused),
        ("http", Cause::NotKafka, Cause::NotKafka),
        ("close", Cause::BrokerUnreachable, Cause::BrokerUnreachable),
    ] {
        for (protocol, expected) in [(Protocol::SaslPlaintext, plain), (Protocol::SaslSsl, secured)] {
            let mut settings = settings("SASL_SSL", protocol, login(Mechanism::Plain, ("u".to_owned(), Secret::new("p"))));
            settings.bootstrap = vec![first(&facts[address])];
            let limit = if expected == Cause::TimedOut { IN_VAIN } else { LIMIT };
            assert_eq!(open_within(limit, &settings).unwrap_err().cause, expected, "{address} {protocol}");
        }
    }
    let mut unknown = settings("SASL_SSL", Protocol::SaslSsl, login(Mechanism::Plain, ("u".to_owned(), Secret::new("p"))));
    unknown.bootstrap = vec![Endpoint::new("broker.bed.invalid", 9092)];
    assert_eq!(cause(&unknown), Cause::NameNotFound);
}

#[test]
fn rights_are_told_of_topics_and_groups_that_are_there_and_that_are_not() {
    let _brokers = all_brokers();
    let credentials = user("rights");
    let (there, missing, hidden, group) = (unique("there"), unique("missing"), unique("hidden"), unique("group"));
    bed().call("kafka/topics", &json!({ "create": [{ "name": there, "partitions": 2 }, { "name": hidden, "partitions": 1 }] }));
    let allow = |resource: &str, name: &str, operation: &str| json!({ "principal": format!("User:{}", credentials.0), "resource": resource, "name": name, "operation": operation });
    bed().call(
        "kafka/acls",
        &json!({ "add": [
            allow("TOPIC", &there, "READ"), allow("TOPIC", &there, "DESCRIBE_CONFIGS"), allow("TOPIC", &missing, "WRITE"),
            allow("TOPIC", &missing, "CREATE"), allow("GROUP", &group, "READ"),
        ] }),
    );
    let settings = settings("SASL_SSL", Protocol::SaslSsl, login(Mechanism::ScramSha512, credentials));
    let names = [there.clone(), missing.clone(), hidden.clone()];
    runtime().block_on(async {
        let deadline = Deadline::after(LIMIT);
        let mut connection = kafka::open(&settings, &settings.bootstrap[0], deadline).await.unwrap();
        let cluster = kafka::cluster(&mut connection, deadline).await.unwrap();
        assert_eq!(cluster.brokers.len(), 3);

        let topics = kafka::topics(&mut connection, &names, deadline).await.unwrap();
        let there_as_made = kafka::Existence::Exists { partitions: 2, replication: 3, absent: [].into(), leaderless: 0 };
        assert_eq!(topics[&there].existence, there_as_made);
        assert_eq!(topics[&there].rights.allows(Operation::Read), Some(true));
        assert_eq!(topics[&there].rights.allows(Operation::Write), Some(false));
        assert_eq!(topics[&missing].existence, kafka::Existence::Missing);
        assert_eq!(topics[&missing].rights.allows(Operation::Write), Some(true));
        assert_eq!(topics[&missing].rights.allows(Operation::Read), Some(false));
        assert_eq!(topics[&hidden].existence, kafka::Existence::Undisclosed);
        assert_eq!(topics[&hidden].rights.allows(Operation::Read), Some(false));

        let new =
            |name: &String, replication| kafka::NewTopic { name: name.clone(), partitions: 1, replication, compacted: true };
        let creations = kafka::creatable(&mut connection, &[new(&missing, 3), new(&hidden, 3)], deadline).await.unwrap();
        assert_eq!(creations[&missing], kafka::Creation::Allowed);
        assert_eq!(creations[&hidden], kafka::Creation::Denied);
        let refused = kafka::creatable(&mut connection, &[new(&missing, 1)], deadline).await.unwrap();
        assert!(matches!(&refused[&missing], kafka::Creation::Refused(why) if why.contains("replication factor")), "{refused:?}");

        let configs = kafka::configs(&mut connection, &names, deadline).await.unwrap();
        assert!(matches!(configs[&there], kafka::ConfigAccess::Allowed { .. }));
        assert_eq!(configs[&hidden], kafka::ConfigAccess::Denied);

        let mut connections = [&mut connection];
        let others = unique("others");
        let groups = kafka::groups(&mut connections, &[group.clone(), others.clone()], deadline).await.unwrap();
        assert_eq!(groups[&group].rights.allows(Operation::Read), Some(true), "{groups:?}");
        assert_eq!(groups[&others].rights.allows(Operation::Read), Some(false), "{groups:?}");
    });
}

/// Only Describe on a group: a heartbeat decides where no coordinator does.
#[test]
fn describe_on_a_group_is_not_read() {
    let _brokers = all_brokers();
    let credentials = user("describe");
    let group = unique("described");
    bed().call(
        "kafka/acls",
        &json!({ "add": [{ "principal": format!("User:{}", credentials.0), "resource": "GROUP", "name": group, "operation": "DESCRIBE" }] }),
    );
    let settings = settings("SASL_PLAINTEXT", Protocol::SaslPlaintext, login(Mechanism::Plain, credentials));
    runtime().block_on(async {
        let deadline = Deadline::after(LIMIT);
        let mut connection = kafka::open(&settings, &settings.bootstrap[0], deadline).await.unwrap();
        let answer = kafka::groups(&mut [&mut connection], std::slice::from_ref(&group), deadline).await.unwrap()[&group].clone();
        assert_eq!(answer.rights.allows(Operation::Read), Some(false), "{answer:?}");
        assert_eq!(answer.rights.allows(Operation::Describe), Some(true), "{answer:?}");
    });
}

/// Each right by itself, on ids that somebody uses and that nobody does; the one in use can still commit.
#[test]
fn rights_on_transactional_ids_are_told_and_nobody_is_fenced() {
    let _brokers = all_brokers();
    let credentials = user("transactions");
    // One beginning for all: what other tests do with transactions of theirs is not looked at.
    let own = unique("transactions");
    let names = ["used", "new", "described", "denied", "none"].map(|name| format!("{own}-{name}"));
    let [used, new, described, denied, none] = names.clone();
    let topic = unique("transactions");
    bed().call("kafka/topics", &json!({ "create": [{ "name": topic, "partitions": 1 }] }));
    bed().call("kafka/begin", &json!({ "id": used, "topic": topic }));
    let acl = |name: &str, operation: &str, permission: &str| json!({ "principal": format!("User:{}", credentials.0), "resource": "TRANSACTIONAL_ID", "name": name, "operation": operation, "permission": permission });
    bed().call(
        "kafka/acls",
        &json!({ "add": [
            acl(&used, "WRITE", "ALLOW"), acl(&new, "WRITE", "ALLOW"), acl(&described, "DESCRIBE", "ALLOW"),
            acl(&denied, "WRITE", "ALLOW"), acl(&denied, "DESCRIBE", "DENY"),
        ] }),
    );
    let transactions = || bed().call("kafka/state", &json!({ "prefix": own }))["transactions"].clone();
    let before = transactions();
    let settings = settings("SASL_SSL", Protocol::SaslSsl, login(Mechanism::ScramSha512, credentials));
    runtime().block_on(async {
        let deadline = Deadline::after(LIMIT);
        // Whichever broker is asked: the coordinator of an id or another one.
        for endpoint in &settings.bootstrap {
            let mut connection = kafka::open(&settings, endpoint, deadline).await.unwrap();
            let rights = kafka::transactional_ids(&mut connection, &names, deadline).await.unwrap();
            for (name, write, describe) in [
                (&used, true, true),
                (&new, true, true),
                (&described, false, true),
                (&denied, true, false),
                (&none, false, false),
            ] {
                let told = [Operation::Write, Operation::Describe].map(|operation| rights[name].allows(operation));
                assert_eq!(told, [Some(write), Some(describe)], "{name}: {rights:?}");
            }
        }
    });
    assert_eq!(before.as_object().unwrap().len(), 1);
    assert_eq!(transactions(), before);
    bed().call("kafka/end", &json!({ "id": used }));
}
