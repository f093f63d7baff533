//! How a deploy is left and taken up again: Ctrl-C, a terminal that closes, a watch that is killed, and what somebody else began.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::deployment::{Deployment, Running, STORED, UP, ended, held, holds};

#[test]
fn ctrl_c_stops_the_watch_and_cancels_nothing() {
    let shop = Deployment::new();
    shop.script(&held());
    let deploy = shop.start_until(UP, "creating      worker service");
    deploy.signal("INT");
    let left = deploy.finish();
    ended(&left, 130);
    holds(
        &left.stderr,
        &["no longer watching; creating shop-dev goes on in AWS, nothing was cancelled", "next: confluent-ecs watch --env dev"],
    );
    let watch = shop.start_until(&["watch"], "taking up ");
    shop.release();
    let watched = watch.finish();
    ended(&watched, 0);
    holds(&watched.stderr, &["created       worker service"]);
    assert!(!watched.stderr.contains("created       worker log group"), "told twice:\n{}", watched.stderr);
    holds(&watched.stdout, &["shop-dev created in "]);
    // There is nothing more to take up.
    let nothing = shop.run(&["watch"]);
    ended(&nothing, 2);
    holds(&nothing.stderr, &["nothing is under way on shop-dev"]);
}

#[test]
fn a_watch_that_was_killed_is_taken_up_from_its_journal_and_tells_nothing_twice() {
    let shop = Deployment::new();
    shop.script(&json!({ "provisioning": 600, "logs": [format!("INFO token = {STORED}")] }));
    shop.start_until(UP, "creating      worker service").kill();
    let watch = shop.start_until(&["watch", "--output", "jsonl"], "taking up ");
    shop.release();
    let watched = watch.finish();
    ended(&watched, 0);
    let lines: Vec<Value> = watched.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = lines.last().unwrap();
    assert_eq!((&last["schema"], &last["ending"]), (&"confluent-ecs/watch/v1".into(), &"complete".into()));

    let journals = shop.journals();
    let [journal] = journals.as_slice() else { panic!("{journals:#?}") };
    assert_eq!((&journal[0]["event"], &journal[0]["stack"]), (&"run".into(), &"shop-dev".into()));
    assert_eq!((&journal.last().unwrap()["event"], &journal.last().unwrap()["ending"]), (&"ended".into(), &"complete".into()));
    let of_service: Vec<&Value> =
        journal.iter().filter(|line| line["logical"] == "WorkerService").map(|line| &line["status"]).collect();
    assert_eq!(of_service, ["CREATE_IN_PROGRESS", "CREATE_COMPLETE"]);
}

#[test]
fn what_somebody_else_began_can_be_watched_from_its_beginning() {
    let shop = Deployment::new();
    shop.script(&held());
    shop.start_until(UP, "creating      worker service").kill();
    std::fs::remove_dir_all(shop.path().join(".confluent-ecs")).unwrap();
    let mut watch = shop.start_until(&["watch"], "shop-dev creating in eu-west-1");
    watch.until("created       worker log group");
    shop.release();
    watch.until("created       worker service");
    ended(&watch.finish(), 0);
}

#[test]
fn a_terminal_that_is_closed_leaves_the_deploy_to_itself_and_one_with_nohup_lives_on() {
    let shop = Deployment::new();
    shop.script(&held());
    // Whoever runs the tests may have used nohup, too: here nobody has.
    let mut command = Command::new("env");
    command.arg("--default-signal=HUP").arg(assert_cmd::cargo::cargo_bin("confluent-ecs")).args(["--env", "dev"]).args(UP);
    command.current_dir(shop.path()).env_clear().envs(shop.variables()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut deploy = Running::start(&mut command);
    deploy.until("creating      worker service");
    deploy.signal("HUP");
    let left = deploy.finish();
    ended(&left, 130);
    holds(&left.stderr, &["no longer watching; creating shop-dev goes on in AWS"]);
    let ended_so = shop.journals().remove(0).pop().unwrap();
    assert_eq!((&ended_so["event"], &ended_so["ending"]), (&"ended".into(), &"detached".into()));

    let mut nohup = Command::new("nohup");
    nohup.arg(assert_cmd::cargo::cargo_bin("confluent-ecs")).args(["--env", "dev", "watch"]).current_dir(shop.path());
    nohup.env_clear().envs(shop.variables()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let mut watch = Running::start(&mut nohup);
    watch.until("taking up ");
    watch.signal("HUP");
    shop.release();
    let watched = watch.finish();
    ended(&watched, 0);
    assert_eq!(watched.stderr.matches("created       worker service").count(), 1, "{}", watched.stderr);
}

#[test]
fn a_restart_that_was_killed_is_taken_up_again() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    shop.script(&held());
    shop.start_until(&["restart", "--yes"], "shop-dev updating").kill();
    let watch = shop.start_until(&["watch"], "taking up ");
    shop.release();
    let watched = watch.finish();
    ended(&watched, 0);
    holds(&watched.stderr, &["worker 2 of 2 running"]);
    holds(&watched.stdout, &["worker: 2 of 2 tasks run "]);
}

#[test]
fn what_is_watched_is_what_goes_on_now_and_not_a_run_that_was_left_before() {
    let shop = Deployment::new();
    shop.script(&held());
    shop.start_until(UP, "creating      worker service").kill();
    shop.release();
    shop.until("CREATE_COMPLETE");
    // Somebody else, from another machine.
    shop.script(&held());
    shop.update_without_rollback("acme/worker:1", "acme/worker:2");
    let mut watch = shop.start_until(&["watch"], "-shop-dev-up is over, and something else is under way");
    watch.until("shop-dev updating in eu-west-1");
    shop.release();
    let watched = watch.finish();
    ended(&watched, 0);
    holds(&watched.stdout, &["shop-dev updated in "]);
}
