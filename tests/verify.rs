//! After CloudFormation has called a stack complete: whether a component answers on its own interface, from the command line in. The
//! stack is the AWS bed's; what listens in the place of its load balancer is a server of the test.

use std::fs;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::support::deployment::{Deployment, UP, document, ended, holds};
use crate::support::http::{Reply, Server};

/// A worker behind a load balancer that listens on this port.
fn worker_behind(port: u16) -> Deployment {
    let shop = Deployment::new();
    let project = format!(
        r#"
name: shop
services:
  connect:
    image: confluentinc/cp-kafka-connect:8.0.7
    ports: ["8083"]
    environment:
      LEVEL: "${{LEVEL:-1}}"
      CONNECT_BOOTSTRAP_SERVERS: kafka.example.com:9092
      CONNECT_GROUP_ID: shop
      CONNECT_CONFIG_STORAGE_TOPIC: shop-configs
      CONNECT_OFFSET_STORAGE_TOPIC: shop-offsets
      CONNECT_STATUS_STORAGE_TOPIC: shop-status
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
      CONNECT_VALUE_CONVERTER: org.apache.kafka.connect.storage.StringConverter
x-elbv2:
  front:
    Properties: {{ Scheme: internal }}
    MacroParameters: {{ Ingress: {{ ExtSources: [{{ IPv4: 10.0.0.0/8, Name: office }}] }} }}
    Listeners:
      - {{ Port: {port}, Protocol: HTTP, Targets: [{{ name: "connect:connect" }}] }}
    Services:
      "connect:connect": {{ port: 8083, protocol: HTTP, healthcheck: "8083:HTTP:4:2:15:5:/health:200" }}
"#
    );
    fs::write(shop.path().join("docker-compose.yml"), project).unwrap();
    shop
}

#[test]
fn a_worker_that_answers_on_its_own_interface_is_verified_and_one_that_answers_wrongly_is_not() {
    let says = Arc::new(Mutex::new(Reply::json(200, r#"{"status":"healthy","message":"Worker has completed startup"}"#)));
    let said = Arc::clone(&says);
    let worker = Server::start(move |_| said.lock().unwrap().clone());
    let shop = worker_behind(worker.port);
    let up = shop.run(UP);
    ended(&up, 0);
    holds(&up.stdout, &[&format!("✓ connect: Kafka Connect answers at http://localhost:{}/health\n", worker.port)]);
    assert_eq!(worker.seen()[0].path, "/health");

    // The stack is complete, its tasks and targets are healthy, and the worker says that it is not.
    *says.lock().unwrap() = Reply::json(500, r#"{"status":"unhealthy","message":"Worker was unable to handle this request"}"#);
    let wrong = shop.run_with(UP, "", &[("LEVEL", "2")]);
    ended(&wrong, 6);
    holds(
        &wrong.stderr,
        &[
            "CloudFormation calls it done, but it is not what was asked for",
            "✓ connect: 1 of 1 tasks run ",
            "/health with status 500: Worker was unable to handle this request",
            "more: confluent-ecs explain CE612",
        ],
    );
    holds(&shop.run(&["status"]).stdout, &["UPDATE_COMPLETE"]);

    // No task behind the balancer answers.
    *says.lock().unwrap() = Reply::html(503);
    let wrong = document(&shop.run_with(&[UP, &["--output", "json"]].concat(), "", &[("LEVEL", "3")]));
    assert_eq!((&wrong["ending"], &wrong["exit_code"], &wrong["code"]), (&"differs".into(), &6.into(), &"CE612".into()));
    let differences = wrong["differences"].to_string();
    holds(&differences, &["status 503: the load balancer gets no answer from its tasks"]);

    // A login in front is no answer of the worker, and no failure.
    *says.lock().unwrap() = Reply::html(401);
    let up = shop.run_with(UP, "", &[("LEVEL", "4")]);
    ended(&up, 0);
    holds(&up.stdout, &["and wants a login"]);
}

#[test]
fn what_can_t_be_reached_from_here_is_said_and_no_failure() {
    // Nothing listens there: what the bed calls the balancer's address refuses.
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let shop = worker_behind(port);
    let up = shop.run(UP);
    ended(&up, 0);
    holds(&up.stdout, &["– connect: Kafka Connect is not reachable from here through front, and was not asked: "]);
}

#[test]
fn what_a_proxy_on_the_way_says_is_not_taken_for_the_worker_s_answer() {
    let proxy = Server::start(|_| Reply::html(504));
    let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let shop = worker_behind(port);
    let proxy = format!("http://127.0.0.1:{}", proxy.port);
    let up = shop.run_with(UP, "", &[("HTTP_PROXY", &proxy), ("http_proxy", &proxy), ("NO_PROXY", "127.0.0.1")]);
    ended(&up, 0);
    holds(&up.stdout, &["– connect: Kafka Connect was not asked: the proxy on the way to http://localhost:"]);
}
