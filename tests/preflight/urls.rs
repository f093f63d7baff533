//! Other URLs: who answers there is told apart, on Control Center's way to Connect, and what is private or this stack's own is no failure.

use confluent_ecs::confluent::{Environment, Text};
use confluent_ecs::preflight::{Category, OwnHost, Report, Selection};
use confluent_ecs::profile::Catalogue;
use serde_json::{Value, json};

use super::{Case, LONGER, expect, patience_for, text, troubles};
use crate::support::bed::{all_brokers, bed};

const CONNECT: &str = "CONTROL_CENTER_CONNECT_DEV_CLUSTER";

/// A Control Center that is told this URL of a Connect cluster; only the URLs are asked.
fn told(variable: &str, url: &str, own: Option<(&str, OwnHost)>) -> Report {
    told_within(LONGER, variable, url, own)
}

fn told_within(patience: u32, variable: &str, url: &str, own: Option<(&str, OwnHost)>) -> Report {
    let mut case = Case::new("urls");
    case.patience = patience;
    case.own_hosts.extend(own.map(|(name, host)| (name.to_owned(), host)));
    let mut input = case.input();
    let service = &mut input.services[0];
    service.name = "control-center".into();
    service.component = Catalogue::builtin().unwrap().component("control-center").unwrap().clone();
    service.image = "confluentinc/cp-enterprise-control-center-next-gen:2.2.0".into();
    service.environment = [(variable, Text::plain(url, None))].into_iter().collect::<Environment>();
    case.judged(&input, &Selection { only: [Category::Urls].into(), ..Selection::default() })
}

fn server(wanted: &Value) -> String {
    text(&bed().call("schema_registry/new", wanted)["url"])
}

fn connect() -> Value {
    json!({ "version": "8.0.7-ccs", "commit": "abc", "kafka_cluster_id": "x" })
}

#[test]
fn who_answers_at_a_url_is_told_apart() {
    let _brokers = all_brokers();
    let with = |answer: Value| json!({ "open": true, "answers": { "/": answer, "/info": answer } });
    expect(&told(CONNECT, &server(&with(json!([200, connect()]))), None), &[]);
    expect(&told(CONNECT, &server(&json!({})), None), &[]);
    for (wanted, found) in [
        (json!({ "page": "<h1>Sign in</h1>" }), "CE506 failed not-kafka"),
        (json!({ "redirect": "https://login.example/sso" }), "CE506 failed not-kafka"),
        (with(json!([200, {}])), "CE506 failed not-kafka"),
        (with(json!([404, {}])), "CE506 failed not-kafka"),
        (with(json!([503, {}])), "CE506 failed broker-unreachable"),
        (with(json!([407, {}])), "CE506 failed access-denied"),
        (with(json!([429, {}])), "CE506 failed throttled"),
        (json!({ "delay": 30 }), "CE506 failed timed-out"),
    ] {
        expect(&told_within(patience_for(found), CONNECT, &server(&wanted), None), &[found]);
    }
    let ksql = json!({ "KsqlServerInfo": { "version": "8.0.7" } });
    expect(&told("CONTROL_CENTER_KSQL_DEV_URL", &server(&with(json!([200, ksql]))), None), &[]);
    expect(&told("CONTROL_CENTER_KSQL_DEV_URL", &server(&with(json!([200, connect()]))), None), &["CE506 failed not-kafka"]);
    let plain = server(&with(json!([200, connect()]))).replace("http://", "https://");
    expect(&told(CONNECT, &plain, None), &["CE506 failed plaintext-listener"]);
    let secured = server(&json!({ "tls": true })).replace("https://", "http://");
    expect(&told(CONNECT, &secured, None), &["CE506 failed tls-listener"]);
    let faults = bed().facts("faults");
    for (address, cause) in
        [("refused", "refused"), ("hang", "timed-out"), ("silent", "timed-out"), ("close", "broker-unreachable")]
    {
        let url = format!("http://{}", text(&faults[address]));
        expect(&told_within(patience_for(cause), CONNECT, &url, None), &[format!("CE506 failed {cause}").as_str()]);
    }
}

#[test]
fn what_is_private_is_unknown_and_what_is_ones_own_is_judged_by_its_wiring() {
    let _brokers = all_brokers();
    assert_eq!(troubles(&told(CONNECT, "http://connect.orders.internal:8083", None)), ["CE506 unknown outside-vpc"]);
    expect(&told(CONNECT, "http://no-such.bed.invalid:8083", None), &["CE506 failed name-not-found"]);
    let own = |lets_in: &str| OwnHost {
        service: "connect".into(),
        found: true,
        known_to: None,
        ports: [8083].into(),
        lets_in: [(lets_in.to_owned(), 8083)].into(),
    };
    let at = |host| told(CONNECT, "http://connect.orders.internal:8083", Some(("connect.orders.internal", host)));
    expect(&at(own("control-center")), &[]);
    expect(&at(own("registry")), &["CE505 failed"]);
}
