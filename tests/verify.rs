//! After CloudFormation has called a stack complete: whether a component answers on its own interface, from the command line in. The
//! stack is the AWS bed's; what listens in the place of its load balancer is a server of the test.

use std::fs;
use std::sync::{Arc, Mutex};

use crate::support::deployment::{Deployment, UP, document, ended, holds};
use crate::support::http::{Refusing, Reply, Server};

/// A component behind a load balancer that listens on this port.
struct Behind {
    service: &'static str,
    image: &'static str,
    environment: &'static str,
    /// Its own port, and the path of its health check.
    port: u16,
    path: &'static str,
}

const WORKER: Behind = Behind {
    service: "connect",
    image: "confluentinc/cp-kafka-connect:8.0.7",
    environment: r"
      CONNECT_BOOTSTRAP_SERVERS: kafka.example.com:9092
      CONNECT_GROUP_ID: shop
      CONNECT_CONFIG_STORAGE_TOPIC: shop-configs
      CONNECT_OFFSET_STORAGE_TOPIC: shop-offsets
      CONNECT_STATUS_STORAGE_TOPIC: shop-status
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
      CONNECT_VALUE_CONVERTER: org.apache.kafka.connect.storage.StringConverter",
    port: 8083,
    path: "/health",
};

const REGISTRY: Behind = Behind {
    service: "registry",
    image: "confluentinc/cp-schema-registry:8.0.7",
    environment: r"
      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: kafka.example.com:9092
      SCHEMA_REGISTRY_LISTENERS: http://0.0.0.0:8081",
    port: 8081,
    path: "/",
};

const CONTROL_CENTER: Behind = Behind {
    service: "control-center",
    image: "confluentinc/cp-enterprise-control-center-next-gen:2.6.0",
    environment: r#"
      CONTROL_CENTER_BOOTSTRAP_SERVERS: kafka.example.com:9092
      CONTROL_CENTER_REPLICATION_FACTOR: "3"
      CONTROL_CENTER_MODE_ENABLE: management
      CONTROL_CENTER_PROMETHEUS_ENABLE: "false""#,
    port: 9021,
    path: "/",
};

fn behind(component: &Behind, port: u16) -> Deployment {
    let shop = Deployment::new();
    let Behind { service, image, environment, port: own, path } = component;
    let project = format!(
        r#"
name: shop
services:
  {service}:
    image: {image}
    ports: ["{own}"]
    environment:
      LEVEL: "${{LEVEL:-1}}"{environment}
x-elbv2:
  front:
    Properties: {{ Scheme: internal }}
    MacroParameters: {{ Ingress: {{ ExtSources: [{{ IPv4: 10.0.0.0/8, Name: office }}] }} }}
    Listeners:
      - {{ Port: {port}, Protocol: HTTP, Targets: [{{ name: "{service}:{service}" }}] }}
    Services:
      "{service}:{service}": {{ port: {own}, protocol: HTTP, healthcheck: "{own}:HTTP:4:2:15:5:{path}:200" }}
"#
    );
    fs::write(shop.path().join("docker-compose.yml"), project).unwrap();
    shop
}

fn worker_behind(port: u16) -> Deployment {
    behind(&WORKER, port)
}

#[test]
fn a_registry_and_a_control_center_are_asked_on_their_own_interfaces_and_an_ill_one_is_a_failure() {
    let components = [
        (
            &REGISTRY,
            "Schema Registry",
            "{}",
            r#"{"error_code":50003,"message":"Error while forwarding the request to the leader"}"#,
        ),
        (
            &CONTROL_CENTER,
            "Control Center",
            "<html><title>Control Center</title></html>",
            "<html><title>Error 500</title></html>",
        ),
    ];
    for (component, title, well, ill) in components {
        let says = Arc::new(Mutex::new(Reply { status: 200, kind: "text/html", body: well.to_owned() }));
        let said = Arc::clone(&says);
        let server = Server::start(move |_| said.lock().unwrap().clone());
        let shop = behind(component, server.port);
        let up = shop.run(UP);
        ended(&up, 0);
        let address = format!("http://localhost:{}{}", server.port, component.path);
        holds(&up.stdout, &[&format!("✓ {}: {title} answers at {address}\n", component.service)]);
        assert!(server.seen().iter().all(|request| request.path == component.path));

        // Nothing is changed, and it is asked all the same.
        *says.lock().unwrap() = Reply { status: 500, kind: "application/json", body: ill.to_owned() };
        let unchanged = shop.run(UP);
        ended(&unchanged, 6);
        holds(&unchanged.stderr, &[&format!("× {}: {title} answers at {address} with status 500", component.service)]);
        if let Some(message) = ill.split("\"message\":\"").nth(1) {
            holds(&unchanged.stderr, &[message.trim_end_matches("\"}")]);
        }
        let changed = document(&shop.run_with(&[UP, &["--output", "json"]].concat(), "", &[("LEVEL", "2")]));
        assert_eq!((&changed["ending"], &changed["exit_code"]), (&"differs".into(), &6.into()), "{title}");
        assert_eq!(changed["status"], "UPDATE_COMPLETE");
    }
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
    let nobody = Refusing::new();
    let shop = worker_behind(nobody.address.port());
    let up = shop.run(UP);
    ended(&up, 0);
    holds(&up.stdout, &["– connect: Kafka Connect is not reachable from here through front, and was not asked: "]);
}

#[test]
fn what_a_proxy_on_the_way_says_is_not_taken_for_the_worker_s_answer() {
    let proxy = Server::start(|_| Reply::html(504));
    let nobody = Refusing::new();
    let shop = worker_behind(nobody.address.port());
    let proxy = format!("http://127.0.0.1:{}", proxy.port);
    let up = shop.run_with(UP, "", &[("HTTP_PROXY", &proxy), ("http_proxy", &proxy), ("NO_PROXY", "127.0.0.1")]);
    ended(&up, 0);
    holds(&up.stdout, &["– connect: Kafka Connect was not asked: the proxy on the way to http://localhost:"]);
}
