//! Kinds of login beside name and password: tokens of a token endpoint, AWS credentials, client certificates from keystores.

use std::path::{Path, PathBuf};

use confluent_ecs::base::Secret;
use confluent_ecs::confluent::Jaas;
use confluent_ecs::kafka::AwsKeys;
use confluent_ecs::preflight::{Category, Selection};
use serde_json::{Value, json};

use super::{Case, expect, patience_for, text, troubles};
use crate::support::bed::{all_brokers, bed, unique};

const BEARER: &str = "org.apache.kafka.common.security.oauthbearer";

fn jaas(module: &str, options: &[(&str, &str)]) -> Jaas {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), Secret::new(*value))).collect();
    Jaas { module: module.to_owned(), options }
}

/// A case that asks a token endpoint; every right is granted to the endpoint's subject.
fn oidc(name: &str, endpoint: &Value) -> Case {
    let mut case = Case::granted(name);
    case.listener("OAUTH").set("sasl.mechanism", "OAUTHBEARER");
    case.set("sasl.login.callback.handler.class", &format!("{BEARER}.OAuthBearerLoginCallbackHandler"));
    case.set("sasl.oauthbearer.token.endpoint.url", &text(&endpoint["url"]));
    let (client, secret) = (text(&endpoint["client"]), text(&endpoint["secret"]));
    case.jaas = Some(jaas(
        &format!("{BEARER}.OAuthBearerLoginModule"),
        &[("clientId", &client), ("clientSecret", &secret), ("scope", "kafka"), ("extension_logicalCluster", "lkc-1")],
    ));
    case
}

fn endpoint(wanted: &Value) -> Value {
    bed().call("token_endpoint/new", wanted)
}

#[test]
fn a_token_of_a_token_endpoint_logs_in_and_is_asked_for_once() {
    let _brokers = all_brokers();
    let made = endpoint(&json!({ "scope": "kafka" }));
    let case = oidc("oidc", &made);
    // The subject of the token is the user of the case.
    let made = endpoint(&json!({ "scope": "kafka", "subject": case.user }));
    let case = Case { jaas: oidc("oidc-other", &made).jaas, ..case };
    let mut case = case;
    case.set("sasl.oauthbearer.token.endpoint.url", &text(&made["url"]));
    let report = case.run();
    expect(&report, &[]);
    let asked = bed().call("token_endpoint/requests", &json!({ "id": made["id"] }));
    assert_eq!(asked["requests"], json!([{ "grant": "client_credentials", "scope": "kafka", "client": true }]));
    let token = report.checks.iter().find(|check| check.code.to_string() == "CE307").unwrap();
    assert_eq!(token.evidence.as_deref(), Some(format!("a token for {}", case.user).as_str()));
    assert!(report.checks.iter().any(|check| check.code.to_string() == "CE308"), "the endpoint tells the time");
}

#[test]
fn faults_of_a_token_endpoint_have_their_own_causes() {
    let _brokers = all_brokers();
    for (wanted, trouble) in [
        (json!({ "scope": "other" }), "CE307 failed bad-credentials"),
        (json!({ "lifetime": -5 }), "CE307 failed bad-credentials"),
        (json!({ "answer": [403, { "error": "access_denied" }, "application/json"] }), "CE307 failed access-denied"),
        (json!({ "answer": [429, "", "text/plain"] }), "CE307 failed throttled"),
        (json!({ "answer": [503, "", "text/plain"] }), "CE307 failed broker-unreachable"),
        (json!({ "answer": [404, "no", "text/html"] }), "CE307 failed not-kafka"),
        (json!({ "answer": [200, "<h1>Sign in</h1>", "text/html"] }), "CE307 failed not-kafka"),
        (json!({ "redirect": "https://login.example/" }), "CE307 failed not-kafka"),
    ] {
        expect(&oidc("endpoint", &endpoint(&wanted)).run(), &[trouble]);
    }
    let mut wrong = endpoint(&json!({}));
    wrong["secret"] = json!("not-the-secret");
    let report = oidc("endpoint", &wrong).run();
    expect(&report, &["CE307 failed bad-credentials"]);
    assert!(!serde_json::to_string(&report).unwrap().contains("not-the-secret"));
    let faults = bed().facts("faults");
    for (address, cause) in [("refused", "refused"), ("silent", "timed-out"), ("close", "broker-unreachable")] {
        wrong["url"] = json!(format!("http://{}/token", text(&faults[address])));
        let mut case = oidc("endpoint", &wrong);
        case.patience = patience_for(cause);
        expect(&case.run(), &[format!("CE307 failed {cause}").as_str()]);
    }
}

#[test]
fn a_wrong_clock_is_told_from_a_wrong_token() {
    let _brokers = all_brokers();
    let case = oidc("clock", &endpoint(&json!({})));
    let made = endpoint(&json!({ "subject": case.user, "clock": -7200, "lifetime": 20_000 }));
    let mut case = Case { jaas: oidc("clock-other", &made).jaas, ..case };
    case.set("sasl.oauthbearer.token.endpoint.url", &text(&made["url"]));
    expect(&case.run(), &["CE308 failed clock-skew"]);
}

#[test]
fn a_token_that_nobody_signed_is_taken_where_the_brokers_take_it() {
    let _brokers = all_brokers();
    let mut case = Case::granted("unsecured");
    case.listener("OAUTH").set("sasl.mechanism", "OAUTHBEARER");
    let module = format!("{BEARER}.OAuthBearerLoginModule");
    case.jaas = Some(jaas(&module, &[("unsecuredLoginStringClaim_sub", &case.user)]));
    expect(&case.run(), &[]);
    case.listener("IAM");
    let found = troubles(&case.run());
    assert!(found.iter().any(|trouble| trouble.starts_with("CE304 failed")), "{found:?}");
    case.jaas = Some(jaas(&module, &[]));
    let report = case.run();
    let login = report.checks.iter().find(|check| check.code.to_string() == "CE304").unwrap();
    assert!(login.message.contains("sasl.login.callback.handler.class is not set"), "{}", login.message);
    expect(&report, &["CE304 failed bad-credentials"]);
    let fix = serde_json::to_value(&login.fixes[0]).unwrap();
    assert_eq!(fix["variables"][0], "CONNECT_SASL_LOGIN_CALLBACK_HANDLER_CLASS");
}

/// A case with AWS credentials that the bed's brokers know.
fn aws(name: &str, session: bool) -> Case {
    let mut case = Case::granted(name);
    let key = bed().call("kafka/access_key", &json!({ "name": case.user, "session": session }));
    case.aws_keys = Ok(AwsKeys {
        access_key: text(&key["access_key"]),
        secret_key: Secret::new(text(&key["secret_key"])),
        session_token: key["session_token"].as_str().map(Secret::new),
        expires: None,
        region: "eu-west-1".into(),
        caller: "arn:aws:sts::111122223333:assumed-role/deployer/ana".into(),
    });
    case.login = None;
    case.listener("IAM");
    case
}

#[test]
fn aws_credentials_log_in_by_both_mechanisms_of_msk() {
    let _brokers = all_brokers();
    for session in [false, true] {
        let mut case = aws("iam", session);
        for mechanism in ["AWS_MSK_IAM", "OAUTHBEARER"] {
            case.set("sasl.mechanism", mechanism);
            case.set("sasl.login.callback.handler.class", "software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler");
            let report = case.run();
            // What the caller may do is never credited to the task.
            let found = troubles(&report);
            assert!(found.iter().all(|trouble| trouble.starts_with("CE4") && trouble.ends_with(" unknown")), "{found:?}");
            let rights = report.checks.iter().filter(|check| check.category == confluent_ecs::preflight::Category::KafkaAcls);
            assert!(rights.clone().count() > 3);
            for check in rights {
                assert!(check.message.contains("the task's role is another"), "{}: {}", check.id, check.message);
            }
            let login = report.checks.iter().find(|check| check.code.to_string() == "CE304").unwrap();
            assert!(login.message.contains("deployer/ana; the task has a role of its own"), "{}", login.message);
            assert!(login.ran_as.as_deref().unwrap().contains("not the task's role"));
        }
    }
}

#[test]
fn refusals_of_aws_credentials_are_told_apart() {
    let _brokers = all_brokers();
    let mut case = aws("iam-refused", true);
    case.set("sasl.login.callback.handler.class", "software.amazon.msk.auth.iam.IAMOAuthBearerLoginCallbackHandler");
    let good = case.aws_keys.clone().unwrap();
    for mechanism in ["AWS_MSK_IAM", "OAUTHBEARER"] {
        case.set("sasl.mechanism", mechanism);
        case.aws_keys = Ok(AwsKeys { access_key: "AKIAUNKNOWN".into(), ..good.clone() });
        expect(&case.run(), &["CE304 failed access-denied"]);
        case.aws_keys = Ok(AwsKeys {
            session_token: Some(Secret::new("ended")),
            expires: Some(confluent_ecs::base::Moment::from_millis(1_000)),
            ..good.clone()
        });
        let report = case.run();
        expect(&report, &["CE304 failed bad-credentials"]);
        case.aws_keys = Err("AWS credentials have expired".into());
        let report = case.run();
        expect(&report, &[]);
        let login = report.checks.iter().find(|check| check.code.to_string() == "CE304").unwrap();
        assert!(login.message.contains("have expired"), "{}", login.message);
    }
}

fn keystore(case: &mut Case, kind: &str, file: &Path) {
    case.files.insert("/etc/kafka/secrets".into(), file.parent().unwrap().into());
    let inside = format!("/etc/kafka/secrets/{}", file.file_name().unwrap().to_str().unwrap());
    case.set("ssl.keystore.type", kind).set("ssl.keystore.location", &inside);
}

#[test]
fn a_client_certificate_is_read_from_a_keystore() {
    let _brokers = all_brokers();
    let facts = bed().facts("kafka");
    let name = unique("keystore");
    let issued = bed().call("kafka/certificate", &json!({ "name": name }));
    let mut case = Case::granted("keystore");
    case.login = None;
    case.listener("SSL").set("security.protocol", "SSL");
    let pkcs12 = PathBuf::from(text(&issued["pkcs12"]));
    let password = text(&issued["pkcs12_password"]);
    let with_rights = |case: &Case| {
        let principal = text(&issued["principal"]);
        let grant = |resource: &str, name: &str, operations: &[&str]| json!({ "principal": principal, "resource": resource, "name": name, "operation": operations });
        let mut add = vec![grant("GROUP", &case.group, &["READ"])];
        add.extend(case.topics().iter().map(|topic| grant("TOPIC", topic, &["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"])));
        bed().call("kafka/acls", &json!({ "add": add }));
    };
    with_rights(&case);
    keystore(&mut case, "PKCS12", &pkcs12);
    case.set("ssl.keystore.password", &password);
    let report = case.run();
    expect(&report, &[]);
    let login = report.checks.iter().find(|check| check.code.to_string() == "CE304").unwrap();
    assert_eq!(login.ran_as.as_deref(), Some(text(&issued["principal"]).as_str()));

    // A truststore of Java's, instead of PEM.
    case.settings.retain(|name, _| !name.contains("TRUSTSTORE"));
    let truststore = PathBuf::from(text(&facts["tls"]["truststore"]));
    case.files.insert("/etc/trust".into(), truststore.parent().unwrap().into());
    case.set("ssl.truststore.location", &format!("/etc/trust/{}", truststore.file_name().unwrap().to_str().unwrap()));
    case.set("ssl.truststore.password", &text(&facts["tls"]["truststore_password"]));
    expect(&case.run(), &[]);

    case.set("ssl.keystore.password", "not-the-password");
    let found = troubles(&case.run());
    assert_eq!(found, ["CE303 failed client-certificate-required"], "a keystore that can't be opened is none");
    case.set("ssl.keystore.location", "/opt/elsewhere/client.p12");
    assert_eq!(troubles(&case.run()), ["CE303 failed client-certificate-required"]);
    let pem = PathBuf::from(text(&issued["keystore_pem"]));
    keystore(&mut case, "PEM", &pem);
    expect(&case.run(), &[]);

    // Java's own format, as its own tool writes it; the truststore too.
    let folder = tempfile::tempdir().unwrap();
    let (jks, trust) = (folder.path().join("client.jks"), folder.path().join("trust.jks"));
    let keytool = |arguments: &[&str]| {
        let ran = std::process::Command::new("keytool").args(arguments).output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stdout));
    };
    let source = pkcs12.to_str().unwrap();
    keytool(
        &[
            &["-importkeystore", "-srckeystore", source, "-srcstoretype", "PKCS12", "-srcstorepass", &password][..],
            &["-destkeystore", jks.to_str().unwrap(), "-deststoretype", "JKS", "-deststorepass", "another-password"],
            &["-destkeypass", "another-password", "-noprompt"],
        ]
        .concat(),
    );
    let authority = text(&facts["tls"]["ca"]);
    keytool(&[
        "-importcert",
        "-file",
        &authority,
        "-keystore",
        trust.to_str().unwrap(),
        "-storetype",
        "JKS",
        "-storepass",
        "changeit",
        "-noprompt",
    ]);
    keystore(&mut case, "JKS", &jks);
    case.set("ssl.keystore.password", "another-password");
    case.files.insert("/etc/trust".into(), folder.path().into());
    case.set("ssl.truststore.location", "/etc/trust/trust.jks").set("ssl.truststore.password", "changeit");
    expect(&case.run(), &[]);
    case.set("ssl.keystore.password", "not-the-password");
    let report = case.run();
    assert_eq!(troubles(&report), ["CE303 failed client-certificate-required"]);
    assert!(serde_json::to_string(&report).unwrap().contains("its password is wrong"));
}

/// The key may stand in the settings encrypted, with its password beside it.
#[test]
fn a_key_in_the_settings_may_be_encrypted() {
    let _brokers = all_brokers();
    let name = unique("locked");
    let issued = bed().call("kafka/certificate", &json!({ "name": name }));
    let mut case = Case::granted("locked");
    case.login = None;
    case.listener("SSL").set("security.protocol", "SSL");
    case.certificate(&text(&issued["certificate"]), &text(&issued["locked_key"]));
    let only = Selection { only: [Category::Kafka].into(), ..Selection::default() };
    for (password, says) in [(None, "ssl.key.password is not set"), (Some("not-it"), "can't be opened with ssl.key.password")] {
        if let Some(password) = password {
            case.set("ssl.key.password", password);
        }
        let report = case.selected(&only);
        assert_eq!(troubles(&report), ["CE303 failed client-certificate-required"]);
        assert!(serde_json::to_string(&report).unwrap().contains(says), "{says}");
    }
    case.set("ssl.key.password", &text(&issued["pkcs12_password"]));
    expect(&case.selected(&only), &[]);
    // Somebody else's key.
    let other = bed().call("kafka/certificate", &json!({ "name": unique("locked") }));
    case.certificate(&text(&issued["certificate"]), &text(&other["key"]));
    let report = case.selected(&only);
    assert_eq!(troubles(&report), ["CE303 failed client-certificate-required"]);
    assert!(serde_json::to_string(&report).unwrap().contains("don't belong together"));
}
