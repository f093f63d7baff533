//! The fold over recorded polls: a creation that fails, an update that rolls tasks over, a crash loop, a deletion.

use std::collections::BTreeMap;

use super::{Logs, ServiceKey, Watch, service_key};
use crate::aws::{Container, Deployment, Service, ServiceMessage, Stack, StackEvent, StackStatus, Task};
use crate::base::{Event, Moment, Operation, Progress};
use crate::deploy::Ending;

const STACK_ID: &str = "arn:aws:cloudformation:eu-west-1:111122223333:stack/demo-dev/4f5c";
const SERVICE_ARN: &str = "arn:aws:ecs:eu-west-1:111122223333:service/demo/demo-dev-ConnectService-x1";

fn at(second: i64) -> Moment {
    Moment::from_millis(second * 1_000)
}

/// `second logical type status reason`, with `-` for no reason; `stack` is the stack itself, `service` the ECS service.
fn events(lines: &[&str]) -> Vec<StackEvent> {
    lines
        .iter()
        .map(|line| {
            let mut words = line.splitn(4, ' ');
            let mut next = || words.next().unwrap();
            let (second, logical, status, reason) = (next(), next(), next(), next());
            let (kind, physical) = match logical {
                "stack" => ("AWS::CloudFormation::Stack", Some(STACK_ID)),
                "ConnectService" => ("AWS::ECS::Service", Some(SERVICE_ARN).filter(|_| reason != "-")),
                _ => ("AWS::IAM::Role", Some("role")),
            };
            StackEvent {
                id: line.to_string(),
                at: at(second.parse().unwrap()),
                logical: if logical == "stack" { "demo-dev" } else { logical }.to_owned(),
                kind: kind.to_owned(),
                physical: physical.map(str::to_owned),
                status: status.to_owned(),
                reason: Some(reason).filter(|reason| *reason != "-").map(str::to_owned),
                token: None,
            }
        })
        .collect()
}

fn watch(operation: Operation) -> Watch {
    let names = BTreeMap::from([("ConnectService".to_owned(), "connect".to_owned())]);
    Watch::new(operation, STACK_ID, None, names)
}

fn key() -> ServiceKey {
    service_key(SERVICE_ARN).unwrap()
}

fn service(running: i32, failed: i32, rollout: &str, messages: &[(&str, &str)]) -> Service {
    Service {
        arn: SERVICE_ARN.to_owned(),
        name: key().name,
        cluster: "demo".to_owned(),
        status: "ACTIVE".to_owned(),
        desired: 1,
        running,
        pending: 1 - running,
        task_definition: "arn:aws:ecs:eu-west-1:111122223333:task-definition/connect:2".to_owned(),
        deployments: vec![Deployment {
            id: "ecs-svc/1".to_owned(),
            status: "PRIMARY".to_owned(),
            task_definition: String::new(),
            desired: 1,
            running,
            pending: 1 - running,
            failed,
            rollout: Some(rollout.to_owned()),
            rollout_reason: None,
            created: None,
        }],
        messages: messages
            .iter()
            .map(|(id, text)| ServiceMessage { id: (*id).to_owned(), at: at(1), text: (*text).to_owned() })
            .collect(),
    }
}

fn task(id: &str, status: &str, stop: Option<(&str, &str)>, exit_code: Option<i32>) -> Task {
    Task {
        arn: format!("arn:aws:ecs:eu-west-1:111122223333:task/demo/{id}"),
        id: id.to_owned(),
        group: "service:demo-dev-ConnectService-x1".to_owned(),
        started_by: "ecs-svc/1".to_owned(),
        task_definition: "arn:aws:ecs:eu-west-1:111122223333:task-definition/connect:2".to_owned(),
        status: status.to_owned(),
        wanted: if stop.is_some() { "STOPPED" } else { "RUNNING" }.to_owned(),
        health: Some("UNKNOWN".to_owned()),
        zone: None,
        addresses: Vec::new(),
        created: Some(at(5)),
        started: None,
        stopped: stop.map(|_| at(20)),
        stop_code: stop.map(|(code, _)| code.to_owned()),
        stop_reason: stop.map(|(_, reason)| reason.to_owned()),
        containers: vec![Container {
            name: "connect".to_owned(),
            status: status.to_owned(),
            exit_code,
            reason: None,
            health: None,
            image: None,
        }],
    }
}

/// The stack, which nobody has deleted.
fn there() -> Stack {
    Stack {
        id: STACK_ID.to_owned(),
        name: "demo-dev".to_owned(),
        status: StackStatus::new("UPDATE_IN_PROGRESS"),
        reason: None,
        created: None,
        updated: None,
        outputs: Vec::new(),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        termination_protection: false,
    }
}

/// The event as a short line, for comparing.
fn short(event: &Event) -> String {
    match event {
        Event::Stack(change) => format!("stack {}", change.status),
        Event::Resource(change) => {
            format!("{} {} {:?} {}s", change.logical, change.status, change.progress, change.at.since(change.began).as_secs())
        }
        Event::Service(change) => format!("{} {}/{} failed {}", change.service, change.running, change.desired, change.failed),
        Event::Message(message) => format!("{}: {}", message.service, message.text),
        Event::Task(change) => format!("{} {} {}", change.service, change.task, change.status),
        Event::TaskStopped(stopped) => format!("{} {} stopped, failed {}", stopped.service, stopped.task, stopped.failed),
        other => format!("{other:?}"),
    }
}

fn shorts(events: &[Event]) -> Vec<String> {
    events.iter().map(short).collect()
}

#[test]
fn a_creation_tells_each_change_once_and_how_long_it_took() {
    let mut watch = watch(Operation::Create);
    let first = events(&["0 stack CREATE_IN_PROGRESS User Initiated", "1 Role CREATE_IN_PROGRESS -"]);
    let second = events(&[
        "2 Role CREATE_IN_PROGRESS Resource creation Initiated",
        "9 Role CREATE_COMPLETE -",
        "10 stack CREATE_COMPLETE -",
    ]);
    assert_eq!(
        shorts(&watch.stack(at(1), Some(&there()), &first)),
        ["stack CREATE_IN_PROGRESS", "Role CREATE_IN_PROGRESS Working 0s"]
    );
    assert_eq!(watch.ending(), None);
    assert_eq!(shorts(&watch.stack(at(10), Some(&there()), &second)), ["Role CREATE_COMPLETE Done 8s", "stack CREATE_COMPLETE"]);
    assert_eq!(watch.ending(), Some(Ending::Complete));
    assert_eq!(watch.last_event(), Some("10 stack CREATE_COMPLETE -"));
}

#[test]
fn what_failed_is_kept_through_the_rollback_and_the_cancelled_is_not_blamed() {
    let mut watch = watch(Operation::Create);
    let polled = events(&[
        "0 stack CREATE_IN_PROGRESS -",
        "1 Role CREATE_IN_PROGRESS -",
        "1 Other CREATE_IN_PROGRESS -",
        "3 Role CREATE_FAILED The policy is malformed",
        "3 Other CREATE_FAILED Resource creation cancelled",
        "4 stack ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Role]",
        "5 Role DELETE_IN_PROGRESS -",
        "6 Role DELETE_COMPLETE -",
        "7 stack ROLLBACK_COMPLETE -",
    ]);
    let news = watch.stack(at(8), Some(&there()), &polled);
    assert!(shorts(&news).contains(&"Other CREATE_FAILED Cancelled 2s".to_owned()));
    assert_eq!(watch.ending(), Some(Ending::RolledBack));
    let blamed: Vec<_> = watch.failures().iter().map(|failure| (failure.logical.as_str(), failure.progress)).collect();
    assert_eq!(blamed, [("Role", Progress::Failed)]);
}

#[test]
fn a_rollback_that_fails_needs_a_person() {
    let mut watch = watch(Operation::Update);
    watch.stack(at(0), Some(&there()), &events(&["0 stack UPDATE_IN_PROGRESS -", "4 stack UPDATE_ROLLBACK_IN_PROGRESS -"]));
    assert_eq!(watch.ending(), None);
    watch.stack(at(9), Some(&there()), &events(&["9 stack UPDATE_ROLLBACK_FAILED -"]));
    assert_eq!(watch.ending(), Some(Ending::Stuck));
}

#[test]
fn the_clean_up_after_an_update_still_belongs_to_it() {
    let mut watch = watch(Operation::Update);
    watch.stack(
        at(0),
        Some(&there()),
        &events(&["0 stack UPDATE_IN_PROGRESS -", "4 stack UPDATE_COMPLETE_CLEANUP_IN_PROGRESS -"]),
    );
    assert_eq!(watch.ending(), None);
    watch.stack(at(9), Some(&there()), &events(&["9 stack UPDATE_COMPLETE -"]));
    assert_eq!(watch.ending(), Some(Ending::Complete));
}

#[test]
fn a_crash_loop_is_told_with_its_last_lines_and_its_cause() {
    let mut watch = watch(Operation::Create);
    watch.stack(at(1), Some(&there()), &events(&["1 ConnectService CREATE_IN_PROGRESS Resource creation Initiated"]));
    assert_eq!(watch.services().collect::<Vec<_>>(), [&key()]);
    let started = service(0, 0, "IN_PROGRESS", &[("m1", "(service x) has started 1 tasks")]);
    assert_eq!(shorts(&watch.service(at(2), &started)), ["connect: (service x) has started 1 tasks", "connect 0/1 failed 0"]);
    assert!(watch.service(at(4), &started).is_empty());

    assert_eq!(
        shorts(&watch.tasks(at(4), &key(), &[task("t1", "PENDING", None, None)], &BTreeMap::new())),
        ["connect t1 PENDING"]
    );
    let crashed =
        [task("t1", "DEPROVISIONING", Some(("EssentialContainerExited", "Essential container in task exited")), Some(1))];
    assert_eq!(watch.wants_logs(&crashed).len(), 1);
    let lines = vec!["ERROR SaslAuthenticationException: Authentication failed".to_owned()];
    let logs = BTreeMap::from([("t1".to_owned(), Logs::from([("connect".to_owned(), lines.clone())]))]);
    let news = watch.tasks(at(21), &key(), &crashed, &logs);
    let [Event::TaskStopped(stopped)] = news.as_slice() else { panic!("{news:?}") };
    assert_eq!(stopped.containers[0].log, lines);
    assert_eq!(stopped.containers[0].exit_code, Some(1));
    assert!(stopped.diagnosis.as_ref().unwrap().cause.contains("user name or the password"));

    // Said once, also when ECS calls it STOPPED later.
    let stopped = [task("t1", "STOPPED", Some(("EssentialContainerExited", "Essential container in task exited")), Some(1))];
    assert!(watch.wants_logs(&stopped).is_empty());
    assert!(watch.tasks(at(30), &key(), &stopped, &BTreeMap::new()).is_empty());
    assert_eq!(watch.failed_tasks().len(), 1);
}

#[test]
fn what_was_there_before_an_update_is_no_news() {
    let mut watch = watch(Operation::Update);
    let old = service(1, 0, "COMPLETED", &[("m1", "(service x) has reached a steady state.")]);
    let tasks = [
        task("t0", "STOPPED", Some(("EssentialContainerExited", "Essential container in task exited")), Some(1)),
        task("t1", "RUNNING", None, None),
    ];
    watch.known("ConnectService", &old, &tasks);
    assert_eq!(shorts(&watch.service(at(2), &old)), ["connect 1/1 failed 0"]);
    assert!(watch.tasks(at(2), &key(), &tasks, &BTreeMap::new()).is_empty());

    let replaced = [task(
        "t1",
        "STOPPED",
        Some(("ServiceSchedulerInitiated", "Scaling activity initiated by (deployment ecs-svc/2)")),
        Some(143),
    )];
    assert_eq!(shorts(&watch.tasks(at(9), &key(), &replaced, &BTreeMap::new())), ["connect t1 stopped, failed false"]);
    assert!(watch.failed_tasks().is_empty());
}

/// What AWS would answer at one moment: the stack's events so far, its service and the service's tasks.
struct Poll {
    events: Vec<StackEvent>,
    service: Option<Service>,
    tasks: Vec<Task>,
}

/// One look of a watch at a poll.
fn look(watch: &mut Watch, second: i64, poll: &Poll) -> Vec<Event> {
    let from = match watch.last_event() {
        Some(last) => poll.events.iter().position(|event| event.id == last).map_or(0, |at| at + 1),
        None => 0,
    };
    let mut news = watch.stack(at(second), Some(&there()), &poll.events[from..]);
    if let Some(service) = &poll.service
        && watch.services().next().is_some()
    {
        news.extend(watch.service(at(second), service));
        news.extend(watch.tasks(at(second), &key(), &poll.tasks, &BTreeMap::new()));
    }
    news
}

#[test]
fn a_watch_that_is_taken_up_from_a_journal_tells_the_rest_and_nothing_twice() {
    let lines = [
        "0 stack CREATE_IN_PROGRESS User Initiated",
        "1 Role CREATE_IN_PROGRESS -",
        "2 Role CREATE_IN_PROGRESS Resource creation Initiated",
        "3 Role CREATE_COMPLETE -",
        "4 ConnectService CREATE_IN_PROGRESS Resource creation Initiated",
        "20 ConnectService CREATE_FAILED gave up",
        "21 stack ROLLBACK_IN_PROGRESS failed",
        "22 Role DELETE_IN_PROGRESS -",
        "23 Role DELETE_COMPLETE -",
        "24 stack ROLLBACK_COMPLETE -",
    ];
    let crashed = || Some(("EssentialContainerExited", "Essential container in task exited"));
    let message = |count: usize| service(0, 1, "IN_PROGRESS", &[("m1", "started"), ("m2", "started again")][..count]);
    let polls: Vec<Poll> = (1..=lines.len())
        .map(|count| Poll {
            events: events(&lines[..count]),
            service: (count >= 5).then(|| message(if count > 6 { 2 } else { 1 })),
            tasks: match count {
                ..6 => vec![task("t1", "PENDING", None, None)],
                6 => vec![task("t1", "DEPROVISIONING", crashed(), Some(1)), task("t2", "PENDING", None, None)],
                _ => vec![task("t1", "STOPPED", crashed(), Some(1)), task("t2", "STOPPED", crashed(), Some(1))],
            },
        })
        .collect();
    let whole = |cut: Option<usize>| {
        let mut watch = watch(Operation::Create);
        let mut told = Vec::new();
        for (second, poll) in polls.iter().enumerate() {
            if cut == Some(second) {
                // What a journal keeps of an event is what it reads back.
                let kept: Vec<Event> =
                    told.iter().map(|event| serde_json::from_str(&serde_json::to_string(event).unwrap()).unwrap()).collect();
                assert_eq!(kept, told);
                watch = self::watch(Operation::Create);
                if second >= 5 {
                    watch.found("ConnectService", SERVICE_ARN);
                }
                for event in &kept {
                    watch.recall(event);
                }
            }
            told.extend(look(&mut watch, i64::try_from(second).unwrap(), poll));
        }
        let blamed: Vec<String> = watch.failures().iter().map(|failure| failure.logical.clone()).collect();
        (shorts(&told), watch.ending(), blamed, watch.failed_tasks().len())
    };
    let straight = whole(None);
    assert_eq!((straight.1, straight.3), (Some(Ending::RolledBack), 2));
    for cut in 0..polls.len() {
        assert_eq!(whole(Some(cut)), straight, "cut before poll {cut}");
    }
}

#[test]
fn too_many_failed_tasks_ask_for_a_decision_again_and_again_until_it_is_taken_back() {
    let mut watch = watch(Operation::Create);
    watch.set_patience(2);
    watch.stack(at(1), Some(&there()), &events(&["1 ConnectService CREATE_IN_PROGRESS Resource creation Initiated"]));
    watch.service(at(2), &service(0, 0, "IN_PROGRESS", &[]));
    let mut asked = Vec::new();
    for number in 1..=6 {
        if number == 5 {
            watch.stack(at(3), Some(&there()), &events(&["3 stack ROLLBACK_IN_PROGRESS failed"]));
        }
        let tasks = [task(&format!("t{number}"), "STOPPED", Some(("TaskFailedToStart", "no")), None)];
        let news = watch.tasks(at(3), &key(), &tasks, &BTreeMap::new());
        asked.extend(news.iter().filter_map(|event| match event {
            Event::Failing(failing) => Some(failing.tasks),
            _ => None,
        }));
    }
    assert_eq!(asked, [2, 4]);
}

#[test]
fn a_stack_that_is_gone_ends_whatever_was_done_to_it() {
    for (operation, ending) in [(Operation::Create, Ending::RolledBack), (Operation::Delete, Ending::Complete)] {
        let mut watch = watch(operation);
        assert_eq!(shorts(&watch.stack(at(3), None, &[])), ["stack DELETE_COMPLETE"]);
        assert_eq!((watch.ending(), watch.status()), (Some(ending), Some("DELETE_COMPLETE")));
    }
}
