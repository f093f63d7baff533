//! What AWS says no to, or doesn't answer, while a task in the VPC is started, followed and taken away: told with its reason.

use serde_json::{Value, json};

use super::inside::{INSIDE, Inside, of};
use super::text;
use crate::support::bed::{all_brokers, bed};
use crate::support::http::{Reply, Server, forward};
use crate::support::program::Ran;

const KAFKA: [&str; 4] = ["--only", "kafka", "--output", "json"];

fn reported(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran:?}"))
}

#[test]
fn a_start_that_is_refused_says_by_whom_and_why() {
    let _brokers = all_brokers();
    let inside = Inside::new("refused");
    let account = inside.shop.account.clone();
    let road = text(&bed().facts("aws")["fault_endpoint"]);
    let run = |fault: Value| {
        let mut fault = fault;
        fault["account"] = account.clone().into();
        let fault = bed().call("aws/fault", &fault);
        let ran = inside.run_through(&road, &[&INSIDE[..], &KAFKA].concat());
        bed().call("aws/unfault", &json!({ "account": account, "id": fault["id"] }));
        inside.is_clean();
        let report = reported(&ran);
        (ran.code, of(&report, "CE680")[0].clone())
    };
    // An organization's policy: no policy of the account's own can mend it.
    let words = "User: arn:aws:iam::1:user/bed is not authorized to perform: ecs:RunTask on resource: x with an explicit deny in a service control policy";
    let denied =
        json!({ "service": "ecs", "operation": "RunTask", "kind": "error", "code": "AccessDeniedException", "message": words });
    let (code, task) = run(denied);
    assert_eq!((code, &task["status"]), (3, &json!("failed")), "{task:#}");
    assert!(text(&task["message"]).contains("explicit deny in a service control policy"), "{task:#}");
    assert!(text(&task["fixes"][0]["text"]).starts_with("the service control policy denies ecs:RunTask"), "{task:#}");
    // The definition is too large for ECS.
    let large = json!({ "service": "ecs", "operation": "RegisterTaskDefinition", "kind": "error", "code": "ClientException",
        "message": "Actual length: '70000'. Max allowed length is '65536' bytes." });
    let (_, task) = run(large);
    assert!(text(&task["message"]).contains("Max allowed length"), "{task:#}");
    // The credentials end while the task runs.
    let (_, task) = run(json!({ "service": "logs", "operation": "GetLogEvents", "kind": "expired_token" }));
    assert!(text(&task["message"]).contains("the AWS credentials have expired"), "{task:#}");
    assert!(text(&task["fixes"][0]["text"]).contains("aws sso login"), "{task:#}");
    // Throttled for a while: nobody sees more of it than time.
    let (code, task) = run(json!({ "service": "logs", "operation": "GetLogEvents", "kind": "throttling", "times": 7 }));
    assert_eq!((code, &task["status"]), (0, &json!("passed")), "{task:#}");
}

#[test]
fn a_failure_that_is_an_answer_is_told_in_its_own_words() {
    let _brokers = all_brokers();
    let inside = Inside::new("failures");
    let to = inside.endpoint();
    let server = Server::start(move |request| {
        if request.operation() == "RunTask" {
            let failure =
                json!({ "arn": "arn:aws:ecs:eu-west-1:1:cluster/kafka", "reason": "RESOURCE:ENI", "detail": "no room" });
            return Reply::json(200, &json!({ "tasks": [], "failures": [failure] }).to_string());
        }
        forward(request, &to)
    });
    let ran = inside.run_through(&format!("http://127.0.0.1:{}", server.port), &[&INSIDE[..], &KAFKA].concat());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let report = reported(&ran);
    assert!(text(&of(&report, "CE680")[0]["message"]).contains("RESOURCE:ENI: no room"), "{report:#}");
    inside.is_clean();
}

#[test]
fn a_task_whose_start_was_not_answered_is_looked_for_and_stopped() {
    let _brokers = all_brokers();
    let inside = Inside::new("unanswered");
    // It runs on by itself.
    bed().call("aws/one_off", &json!({ "account": inside.shop.account }));
    let to = inside.endpoint();
    let server = Server::start(move |request| {
        let answer = forward(request, &to);
        match request.operation() {
            "RunTask" => Reply::json(500, &json!({ "__type": "ServerException", "message": "try again" }).to_string()),
            _ => answer,
        }
    });
    let ran = inside.run_through(&format!("http://127.0.0.1:{}", server.port), &[&INSIDE[..], &KAFKA].concat());
    assert_eq!(ran.code, 9, "{}", ran.stderr);
    assert!(!inside.requests("RunTask").is_empty());
    inside.is_clean();
}
