//! HTTPS against a real server of TLS: every certificate fault has its own cause, and a good one shows its facts.

use std::fs;
use std::time::Duration;

use confluent_ecs::base::{Cause, Deadline, Secret};
use confluent_ecs::net::http::{Answer, Client, Request, url};
use confluent_ecs::net::tls::Settings;
use serde_json::json;

use crate::support::bed::bed;

fn ask(registry: &serde_json::Value, scheme: Option<&str>, trusted: bool) -> Result<Answer, confluent_ecs::base::Fault> {
    let text = |key: &str| registry[key].as_str().unwrap();
    let address = text("url").split_once("://").unwrap();
    let asked = url(&format!("{}://{}/subjects", scheme.unwrap_or(address.0), address.1)).unwrap();
    let authorities = trusted.then(|| fs::read_to_string(text("ca")).unwrap());
    let client = Client::new(&Settings { authorities, ..Settings::default() }).unwrap();
    let request = Request::get(asked).basic(text("user"), &Secret::new(text("password")));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(client.send(request, Deadline::after(Duration::from_secs(20))))
}

#[test]
fn https_is_judged_like_kafkas_tls() {
    let new = |kind: serde_json::Value| bed().call("schema_registry/new", &json!({ "tls": kind, "subjects": ["a"] }));
    let good = new(json!(true));
    let answer = ask(&good, None, true).unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "[\"a\"]"));
    assert!(answer.certificate.unwrap().issued_for().contains("127.0.0.1"));
    assert_eq!(answer.headers["content-type"], "application/vnd.schemaregistry.v1+json");
    for (registry, scheme, trusted, cause) in [
        (&good, None, false, Cause::TlsUntrusted),
        (&good, Some("http"), true, Cause::TlsListener),
        (&new(json!("expired")), None, true, Cause::TlsExpired),
        (&new(json!("other_host")), None, true, Cause::TlsHostname),
    ] {
        let fault = ask(registry, scheme, trusted).unwrap_err();
        assert_eq!(fault.cause, cause, "{fault}");
    }
}
