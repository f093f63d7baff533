//! Every limit of a task's course, and every end, by moments that are made up: nobody waits.

use std::time::{Duration, Instant};

use super::{Course, Ended, Happening, Late, Limits, token};
use crate::aws::{Container, Task};
use crate::base::Moment;

fn task(status: &str) -> Task {
    Task {
        arn: "arn:aws:ecs:eu-west-1:111122223333:task/kafka/1".to_owned(),
        id: "1".to_owned(),
        group: String::new(),
        started_by: String::new(),
        task_definition: String::new(),
        status: status.to_owned(),
        wanted: "RUNNING".to_owned(),
        health: None,
        zone: None,
        addresses: Vec::new(),
        created: None,
        started: None,
        stopped: None,
        stop_code: None,
        stop_reason: None,
        containers: Vec::new(),
    }
}

/// What happens at which second: ECS's word (none: ECS knows no task), and the lines.
fn course(looks: &[(u64, Option<&Task>, &[&str])], enough: &str) -> (Option<Ended>, Vec<Happening>) {
    let began = Instant::now();
    let mut course = Course::new(Limits::default(), began);
    let mut told = Vec::new();
    let mut ended = None;
    for (second, task, lines) in looks {
        assert_eq!(ended, None, "it ended before {second} s");
        let lines = lines.iter().map(|line| (*line).to_owned()).collect();
        let mut tell = |happening: Happening| {
            told.push(happening.clone());
            happening == Happening::Line(enough.to_owned())
        };
        ended = course.seen(began + Duration::from_secs(*second), *task, lines, &mut tell);
    }
    (ended, told)
}

fn late(looks: &[(u64, Option<&Task>, &[&str])]) -> String {
    let (Some(Ended::Late(late)), _) = course(looks, "") else { panic!("not late") };
    assert!(!late.advice().is_empty());
    late.to_string()
}

#[test]
fn two_tasks_of_a_run_are_two_starts_and_one_that_is_asked_for_again_is_one() {
    let run = "abcdefghijklmnopqrst-4194304-1795690000000-9999";
    let arn = |revision: u32| format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/shop-dev-preflight-connect:{revision}");
    let tokens = [token(run, &arn(1)), token(run, &arn(2)), token("other-1-2-3", &arn(1))];
    assert!(tokens[0] != tokens[1] && tokens[0] != tokens[2] && tokens.iter().all(|token| token.len() <= 64));
    assert!(tokens[0] == token(run, &arn(1)) && tokens[0].ends_with(run));
}

#[test]
fn a_task_that_does_not_come_to_run_is_waited_for_five_minutes() {
    let (provisioning, pending) = (task("PROVISIONING"), task("PENDING"));
    let looks: [(u64, Option<&Task>, &[&str]); 3] =
        [(1, Some(&provisioning), &[]), (299, Some(&provisioning), &[]), (300, Some(&provisioning), &[])];
    assert_eq!(late(&looks), "it was still PROVISIONING after 300 s");
    assert_eq!(late(&[(1, Some(&provisioning), &[]), (301, Some(&pending), &[])]), "it was still PENDING after 301 s");
    // ECS forgets nothing so soon; whoever hears so must not wait for ever.
    assert_eq!(late(&[(1, None, &[]), (300, None, &[])]), "ECS started it, and knew no such task after 300 s");
    let advice = |status: &str| Late::Start { status: status.to_owned(), after: Duration::ZERO }.advice();
    assert!(advice("PENDING").contains("Secrets Manager") && advice("PROVISIONING").contains("free addresses"));
}

#[test]
fn a_log_that_never_comes_and_one_that_stops_half_way_are_silence() {
    let running = task("RUNNING");
    let never: [(u64, Option<&Task>, &[&str]); 3] =
        [(10, Some(&running), &[]), (99, Some(&running), &[]), (100, Some(&running), &[])];
    assert_eq!(late(&never), "it runs, and wrote no line for 90 s");
    let half: [(u64, Option<&Task>, &[&str]); 4] =
        [(10, Some(&running), &[]), (80, Some(&running), &["a"]), (169, Some(&running), &[]), (171, Some(&running), &[])];
    assert_eq!(late(&half), "it runs, and wrote no line for 91 s");
}

#[test]
fn one_that_writes_for_ever_is_not_listened_to_for_ever() {
    let running = task("RUNNING");
    let looks: Vec<(u64, Option<&Task>, &[&str])> =
        (1..=15).map(|minute| (minute * 60, Some(&running), &["again"][..])).collect();
    assert_eq!(late(&looks), "it was not done after 900 s");
    let short = Limits::default().at_most(Duration::from_secs(20));
    assert_eq!([short.start, short.quiet, short.last_lines, short.overall].map(|limit| limit.as_secs()), [20, 20, 15, 20]);
    let long = Limits::default().at_most(Duration::from_mins(30));
    assert_eq!([long.start, long.quiet, long.last_lines, long.overall].map(|limit| limit.as_secs()), [600, 90, 15, 1800]);
}

#[test]
fn the_last_lines_of_one_that_stopped_are_waited_for_and_then_no_more() {
    let running = task("RUNNING");
    let stopped = Task {
        stop_code: Some("EssentialContainerExited".to_owned()),
        stop_reason: Some("Essential container in task exited".to_owned()),
        started: Some(Moment::from_millis(1)),
        containers: vec![Container {
            name: "preflight".to_owned(),
            status: "STOPPED".to_owned(),
            exit_code: Some(137),
            reason: Some("OutOfMemoryError: Container killed due to memory usage".to_owned()),
            health: None,
            image: None,
        }],
        ..task("STOPPED")
    };
    let looks: [(u64, Option<&Task>, &[&str]); 4] =
        [(1, Some(&running), &["a"]), (2, Some(&stopped), &[]), (16, Some(&stopped), &["last"]), (17, Some(&stopped), &[])];
    let (ended, told) = course(&looks, "");
    let Some(Ended::Stopped { reason, container, exit_code, diagnosis }) = ended else { panic!("{ended:?}") };
    assert_eq!((reason.as_str(), exit_code), ("EssentialContainerExited: Essential container in task exited", Some(137)));
    assert!(container.is_some_and(|container| container.starts_with("OutOfMemoryError")) && diagnosis.is_some());
    assert_eq!(told.len(), 4);
    // The whole report is enough, whatever ECS says of the task meanwhile.
    assert_eq!(course(&[(2, Some(&stopped), &["done"])], "done").0, Some(Ended::Enough));
    // One that never ran wrote nothing: nothing is waited for.
    let never = Task { started: None, ..stopped.clone() };
    assert!(matches!(course(&[(1, Some(&never), &[])], "").0, Some(Ended::Stopped { .. })));
    // ECS forgets a task that ran only when it is long over.
    assert_eq!(course(&[(1, Some(&running), &[]), (2, None, &[])], "").0, Some(Ended::Late(Late::Gone)));
}
