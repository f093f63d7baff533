//! How a run with `--in-vpc` ends before its time: a limit of ours, one Ctrl-C at each stage, two of them; and what a program reads
//! of it while it runs.

use std::io::{BufRead as _, Read as _};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::inside::{INSIDE, Inside, of, signal};
use super::{schema, text};
use crate::support::PATIENCE;
use crate::support::bed::{all_brokers, bed};
use crate::support::http::{Server, forward};
use crate::support::schema::fits_one;

/// Time enough for a machine that has other things to do, and little enough to be waited for.
const SHORT: [&str; 2] = ["--in-vpc-timeout", "4s"];

#[test]
fn every_wait_for_the_task_has_an_end() {
    let _brokers = all_brokers();
    let inside = Inside::new("limits");
    let run = |how: Value, more: &[&str]| {
        inside.behave(&how);
        let (ran, report) = inside.report(&[more, &["--skip", "config", "aws"]].concat());
        inside.is_clean();
        (ran, report)
    };
    // The small stack has its own limit: it is made before.
    let (made, _) = run(json!({}), &[]);
    assert_eq!(made.code, 0, "{}", made.stderr);
    for (state, advice) in [("PROVISIONING", "free addresses"), ("PENDING", "a way to ECR")] {
        let (ran, report) = run(json!({ "stuck": state }), &SHORT);
        assert_eq!(ran.code, 9, "{}", ran.stderr);
        let task = of(&report, "CE680")[0];
        assert!(text(&task["message"]).starts_with(&format!("it was still {state} after ")), "{task:#}");
        assert!(text(&task["fixes"][0]["text"]).contains(advice), "{task:#}");
        assert!(of(&report, "CE304").iter().all(|check| check["status"] == "skipped"), "{report:#}");
    }
    // It runs, and there is no log stream.
    inside.behave(&json!({}));
    bed().call("aws/one_off", &json!({ "account": inside.shop.account }));
    let (ran, report) = inside.report(&[&SHORT[..], &["--skip", "config", "aws"]].concat());
    assert_eq!(ran.code, 9, "{}", ran.stderr);
    assert!(text(&of(&report, "CE680")[0]["message"]).contains("it runs, and wrote no line for "), "{report:#}");
    assert!(text(&of(&report, "CE680")[0]["fixes"][0]["text"]).contains("CloudWatch Logs"), "{report:#}");
    inside.is_clean();
    // The report stops half way, and the task goes on.
    let (ran, report) = run(json!({ "mute": 6 }), &SHORT);
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let broken = of(&report, "CE681")[0];
    assert!(text(&broken["message"]).contains("broke off after"), "{broken:#}");
    assert!(text(&broken["evidence"]).contains("it was not done after 4 s"), "{broken:#}");
}

#[test]
fn a_stack_that_does_not_get_ready_is_waited_for_as_long_as_was_said() {
    let inside = Inside::new("slow");
    bed().call("aws/pace", &json!({ "account": inside.shop.account, "seconds": 120 }));
    let began = Instant::now();
    let ran = inside.run(&[&INSIDE[..], &["--in-vpc-timeout", "2s"]].concat());
    assert_eq!(ran.code, 8, "{}", ran.stderr);
    assert!(began.elapsed() < Duration::from_mins(1));
    for shown in ["-dev-preflight is not ready after 2 s", "describe-stack-events"] {
        assert!(ran.stderr.contains(shown), "{shown} is not in\n{}", ran.stderr);
    }
    // Once more while it is being made: told, not mixed up.
    let again = inside.run(&INSIDE);
    assert_ne!(again.code, 0);
    assert!(again.stderr.contains("CREATE_IN_PROGRESS") || again.stderr.contains("under way"), "{}", again.stderr);
    // Of the service's own stack other verbs tell; of this one they don't.
    let help = format!("describe-stack-events --stack-name {}-dev-preflight", inside.group);
    assert!(again.stderr.contains(&help) && !again.stderr.contains("`confluent-ecs status`"), "{}", again.stderr);
    assert!(inside.requests("RegisterTaskDefinition").is_empty());
}

#[test]
fn a_ctrl_c_while_the_stack_is_made_says_that_it_goes_on() {
    let inside = Inside::new("stackbreak");
    bed().call("aws/pace", &json!({ "account": inside.shop.account, "seconds": 120 }));
    let (mut program, mut lines) = inside.start_until(&[], "creating in");
    signal(&program, "-INT");
    assert_eq!(program.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("interrupted; the stack") && rest.contains("goes on being made"), "{rest}");
    assert!(!rest.contains("nothing was changed"), "{rest}");
}

#[test]
fn a_ctrl_c_while_the_image_is_pushed_leaves_the_stack_alone() {
    let inside = Inside::new("pushbreak");
    // Every upload is begun, and never answered.
    let registry = text(&bed().facts("registry")["open"]);
    let front = bed().call("registry/front", &json!({ "registry": registry, "hang": "/blobs/uploads/" }));
    bed().call("aws/seed", &json!({ "account": inside.shop.account, "tiers": [], "registry": front["registry"] }));
    let (mut program, mut lines) = inside.start_until(&[], "to send");
    signal(&program, "-INT");
    assert_eq!(program.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("the stack ") && rest.contains("stays for the next run"), "{rest}");
    assert!(inside.requests("RegisterTaskDefinition").is_empty());
}

#[test]
fn a_ctrl_c_while_the_task_is_pending_takes_it_away() {
    let inside = Inside::new("pendingbreak");
    inside.behave(&json!({ "stuck": "PENDING" }));
    let (mut program, mut lines) = inside.start_until(&[], "task pending");
    signal(&program, "-INT");
    assert_eq!(program.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("interrupted; no task is left of it; the stack"), "{rest}");
    inside.is_clean();
}

#[test]
fn a_second_ctrl_c_leaves_at_once_and_says_what_stays() {
    let inside = Inside::new("twice");
    inside.behave(&json!({ "stuck": "PENDING" }));
    // Whoever stops the task waits for an answer.
    let to = inside.endpoint();
    let server = Server::start(move |request| {
        if request.operation() == "StopTask" {
            std::thread::sleep(Duration::from_mins(2));
        }
        forward(request, &to)
    });
    let (mut program, mut lines) = inside.start_through(server.port, &[], "task pending");
    signal(&program, "-INT");
    let mut seen = String::new();
    while !seen.contains("Ctrl-C again") {
        assert!(lines.read_line(&mut seen).unwrap() > 0, "{seen}");
    }
    let began = Instant::now();
    signal(&program, "-INT");
    assert_eq!(program.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(10), "it was not left at once");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    let task = "aws ecs stop-task --cluster kafka --task arn:aws:ecs:eu-west-1:";
    let definition =
        format!("aws ecs deregister-task-definition --task-definition arn:aws:ecs:eu-west-1:{}:", inside.shop.account);
    for shown in ["left behind:", task, definition.as_str()] {
        assert!(rest.contains(shown), "{shown} is not in\n{rest}");
    }
    // The next run takes it away.
    inside.behave(&json!({ "fail": { "reason": "enough" } }));
    let (ran, _) = inside.report(&["--only", "kafka"]);
    assert!(ran.stderr.contains("took away what an earlier run left"), "{}", ran.stderr);
    inside.is_clean();
}

#[test]
fn a_ctrl_c_while_things_are_looked_at_ends_it_at_once() {
    let inside = Inside::new("lookbreak");
    let to = inside.endpoint();
    let server = Server::start(move |request| {
        if request.operation() == "GetRole" {
            std::thread::sleep(Duration::from_mins(2));
        }
        forward(request, &to)
    });
    let role = format!("arn:aws:iam::{}:role/any", inside.shop.account);
    let (mut program, mut lines) = inside.start_through(server.port, &["--in-vpc-execution-role", &role], "");
    let end = Instant::now() + PATIENCE;
    while !server.seen().iter().any(|request| request.operation() == "GetRole") {
        assert!(Instant::now() < end && program.try_wait().unwrap().is_none(), "the role was never looked at");
        std::thread::sleep(Duration::from_millis(50));
    }
    let began = Instant::now();
    signal(&program, "-INT");
    assert_eq!(program.wait().unwrap().code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(20), "it was not left at once");
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("interrupted; nothing was changed"), "{rest}");
}

#[test]
fn a_ctrl_c_before_ecs_has_answered_takes_the_task_away_all_the_same() {
    let inside = Inside::new("startbreak");
    inside.behave(&json!({ "stuck": "PENDING" }));
    let to = inside.endpoint();
    let server = Server::start(move |request| {
        let answer = forward(request, &to);
        if request.operation() == "RunTask" {
            std::thread::sleep(Duration::from_secs(3));
        }
        answer
    });
    let (mut program, mut lines) = inside.start_through(server.port, &[], "");
    let end = Instant::now() + PATIENCE;
    while inside.requests("RunTask").is_empty() {
        assert!(Instant::now() < end && program.try_wait().unwrap().is_none(), "no task was asked for");
        std::thread::sleep(Duration::from_millis(50));
    }
    signal(&program, "-INT");
    assert_eq!(program.wait().unwrap().code(), Some(130));
    let mut rest = String::new();
    lines.read_to_string(&mut rest).unwrap();
    assert!(rest.contains("interrupted; no task is left of it"), "{rest}");
    inside.is_clean();
}

#[test]
fn what_happens_comes_as_json_lines_and_the_report_is_the_last() {
    let _brokers = all_brokers();
    let inside = Inside::new("jsonl");
    let ran = inside.run(&[&INSIDE[..], &["--output", "jsonl"]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut lines: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    let report = lines.pop().unwrap();
    schema().validate(&report).unwrap();
    lines.iter().for_each(fits_one);
    let events: Vec<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let first = |event: &str| events.iter().position(|known| *known == event).unwrap_or_else(|| panic!("no {event}: {events:?}"));
    // The stack is made, then the task comes up, then checks end in it.
    assert!(first("started") < first("inside-task") && first("inside-task") < first("inside-check"), "{events:?}");
    let states: Vec<&str> =
        lines.iter().filter(|line| line["event"] == "inside-task").filter_map(|line| line["status"].as_str()).collect();
    // Whether its end is seen as well depends on when ECS is asked last.
    assert!(states.iter().rfind(|state| **state != "STOPPED") == Some(&"RUNNING"), "{states:?}");
    let login = lines.iter().find(|line| line["code"] == "CE304").unwrap();
    assert_eq!((&login["service"], &login["status"], &login["category"]), (&json!("connect"), &json!("passed"), &json!("kafka")));

    // As the first part of a deploy: its lines stand before those of the deploy, whose outcome is the last.
    let up = inside.run(&["up", "--env", "dev", "--in-vpc", "--in-vpc-binary", "program", "--yes", "--output", "jsonl"]);
    assert_eq!(up.code, 0, "{}", up.stderr);
    let lines: Vec<Value> =
        up.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    lines.iter().for_each(fits_one);
    let at = |event: &str| lines.iter().position(|line| line["event"] == event).unwrap_or_else(|| panic!("no {event}"));
    assert!(at("inside-check") < at("started"), "{}", up.stdout);
    assert_eq!(lines.last().unwrap()["schema"], "confluent-ecs/up/v1");
}
