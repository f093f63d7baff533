//! The life of a stack, from the command line in, on the AWS bed. What the emulator does here is what AWS documents; the words of
//! stop reasons are scripted.

use std::fs;

use serde_json::{Value, json};

use crate::support::deployment::{Deployment, UP, crash, document, ended, held, holds};
use crate::support::program::{Ran, run_with};
use crate::support::schema::fits_one;
use crate::support::tmux::Tmux;

#[test]
fn a_stack_is_created_changed_looked_at_and_deleted() {
    let shop = Deployment::new();
    let created = shop.run(UP);
    ended(&created, 0);
    holds(&created.stdout, &["shop-dev created in ", "WorkerServiceName", "next: confluent-ecs status --env dev"]);
    holds(
        &created.stderr,
        &["new stack shop-dev", "creating      worker service", "created       worker service", "2 of 2 running"],
    );

    let again = shop.run(UP);
    ended(&again, 0);
    holds(&again.stdout, &["shop-dev is up to date"]);
    assert_eq!(again.stderr, "preflight skipped, as asked for: nothing is known of Kafka, network and secrets\n");

    let updated = shop.changed(UP, "2");
    ended(&updated, 0);
    holds(&updated.stderr, &["changes to shop-dev", "tasks restart", "worker task definition  (ContainerDefinitions)"]);
    holds(&updated.stdout, &["shop-dev updated in "]);

    let status = shop.run(&["status"]);
    ended(&status, 0);
    holds(&status.stdout, &["shop-dev: healthy (UPDATE_COMPLETE", "worker  2 of 2 running", "image acme/worker:1"]);
    let status = document(&shop.run(&["status", "--output", "json"]));
    assert_eq!(status["schema"], "confluent-ecs/status/v1");
    assert_eq!(status["services"][0]["running"], 2);

    let deleted = shop.run(&["down", "--yes"]);
    ended(&deleted, 0);
    holds(&deleted.stderr, &["goes", "stays log group", "stays secret /shop/worker", "deleted       worker service"]);
    ended(&shop.run(&["status"]), 2);
    holds(&shop.run(&["down", "--yes"]).stdout, &["shop-dev is not there: nothing to delete"]);
}

#[test]
fn json_is_the_whole_of_stdout() {
    let shop = Deployment::new();
    let arguments: Vec<&str> = UP.iter().copied().chain(["--output", "json"]).collect();
    let up = document(&shop.run(&arguments));
    assert_eq!((&up["schema"], &up["ending"], &up["exit_code"]), (&"confluent-ecs/up/v1".into(), &"complete".into(), &0.into()));
    assert_eq!(up["plan"]["operation"], "create");
    let down = document(&shop.run(&["down", "--yes", "--output", "json"]));
    assert_eq!((&down["operation"], &down["ending"]), (&"delete".into(), &"complete".into()));
}

#[test]
fn a_creation_that_fails_says_why_and_the_next_one_clears_it_away() {
    let shop = Deployment::new();
    let failed = shop.crashes(&crash(), "| ERROR org.apache.kafka.common.errors.SaslAuthenticationException");
    ended(&failed, 6);
    holds(
        &failed.stderr,
        &[
            "EssentialContainerExited: Essential container in task exited",
            "container worker: exit code 1",
            "| ERROR org.apache.kafka.common.errors.SaslAuthenticationException",
            "cause  the Kafka cluster refuses the user name or the password",
            "× worker service:",
            "failed: creating shop-dev failed after",
            "next: mend the cause, then  confluent-ecs preflight --env dev",
        ],
    );
    shop.bed("unscript", &json!({}));
    let next = shop.run(UP);
    ended(&next, 0);
    holds(&next.stderr, &["the creation of shop-dev failed (ROLLBACK_COMPLETE); what is left of it must be deleted first"]);
    holds(&next.stdout, &["shop-dev created in"]);
}

#[test]
fn an_update_that_fails_is_taken_back_and_what_failed_is_still_shown() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let mut second = crash();
    second["task_definition"] = "*:2".into();
    shop.script(&second);
    let failed = shop.changed(UP, "2");
    ended(&failed, 6);
    holds(&failed.stderr, &["rolling back", "container worker: exit code 1", "failed: updating shop-dev failed after"]);
    let status = shop.run(&["status"]);
    ended(&status, 6);
    holds(&status.stdout, &["shop-dev: rolled back (UPDATE_ROLLBACK_COMPLETE", "worker  2 of 2 running", "× worker service:"]);
}

#[test]
fn a_rollback_that_cloudformation_takes_for_success_is_a_failure() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let mut second = crash();
    second["task_definition"] = "*:2".into();
    second["breaker_is_success"] = true.into();
    shop.script(&json!({ "breaker_is_success": true }));
    shop.script(&second);
    let failed = shop.changed(UP, "2");
    ended(&failed, 6);
    holds(
        &failed.stderr,
        &["CloudFormation calls it done, but it is not what was asked for", "× worker", "container worker: exit code 1"],
    );
    // There is nothing to change then, and it stays a failure.
    let again = document(&shop.changed(&[UP, &["--output", "json"]].concat(), "2"));
    assert_eq!((&again["ending"], &again["exit_code"]), (&"differs".into(), &6.into()));
    holds(&again["differences"].to_string(), &["ECS has rolled it back"]);
}

#[test]
fn a_service_that_never_becomes_stable_is_told_and_our_wait_ends() {
    let shop = Deployment::new();
    shop.script(&json!({
        "provisioning": 600,
        "events": [{ "after": 0.5, "message": "(service {service}) was unable to place a task: no free addresses in the subnets." }],
    }));
    let waited = shop.run(&["up", "--yes", "--skip-preflight", "--timeout", "10s"]);
    ended(&waited, 8);
    holds(
        &waited.stderr,
        &[
            "worker: was unable to place a task: no free addresses",
            "0 of 2 running",
            "timed out: creating shop-dev is not done after",
            "it goes on in AWS",
            "next: confluent-ecs watch --env dev",
        ],
    );
    ended(&shop.run(&["status"]), 8);
    // A second deploy learns that the first is still at work.
    let second = shop.run(UP);
    ended(&second, 8);
    holds(&second.stderr, &["something else is at work on the stack shop-dev", "CREATE_IN_PROGRESS since "]);
}

#[test]
fn throttling_in_the_middle_is_ridden_out() {
    let shop = Deployment::new();
    shop.script(&held());
    let mut deploy = shop.start_until(UP, "creating      worker service");
    shop.bed("fault", &json!({ "service": "cloudformation", "operation": "DescribeStackEvents", "kind": "throttling" }));
    // After the SDK's own five attempts.
    deploy.until("waiting       AWS: AWS is throttling cloudformation:DescribeStackEvents");
    shop.bed("unfault", &json!({}));
    deploy.until("AWS answers again");
    shop.release();
    ended(&deploy.finish(), 0);
}

#[test]
fn a_network_that_drops_in_the_middle_is_ridden_out() {
    let shop = Deployment::new();
    shop.script(&held());
    let mut deploy = shop.start_until(UP, "creating      worker service");
    shop.bed("fault", &json!({ "kind": "reset" }));
    deploy.until("waiting       AWS: ");
    shop.bed("unfault", &json!({}));
    deploy.until("AWS answers again");
    shop.release();
    deploy.until("created       worker service");
    ended(&deploy.finish(), 0);
}

#[test]
fn credentials_that_expire_in_the_middle_end_the_watch_and_not_the_deploy() {
    let shop = Deployment::new();
    shop.script(&held());
    let deploy = shop.start_until(UP, "creating      worker service");
    shop.bed("fault", &json!({ "service": "cloudformation", "kind": "expired_token" }));
    let lost = deploy.finish();
    ended(&lost, 8);
    holds(
        &lost.stderr,
        &[
            "lost sight: creating shop-dev goes on in AWS",
            "the AWS credentials have expired",
            "get new ones",
            "next: confluent-ecs watch --env dev",
        ],
    );
}

#[test]
fn what_may_not_be_done_is_named() {
    let shop = Deployment::new();
    shop.bed("fault", &json!({ "service": "cloudformation", "operation": "CreateChangeSet", "kind": "access_denied" }));
    let ran = shop.run_faulty(UP);
    ended(&ran, 2);
    holds(
        &ran.stderr,
        &[
            "AWS does not allow cloudformation:CreateChangeSet on shop-dev",
            "to do    allow cloudformation:CreateChangeSet",
            "request ",
        ],
    );
}

#[test]
fn without_credentials_region_or_an_endpoint_the_way_out_is_named() {
    let shop = Deployment::empty();
    let run = |variables: &[(&str, &str)]| {
        let started = std::time::Instant::now();
        let ran = run_with(shop.path(), &["--env", "dev", "status"], "", variables);
        assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
        ran
    };
    let nothing = ("AWS_EC2_METADATA_DISABLED", "true");
    let none = run(&[nothing, ("AWS_REGION", "eu-west-1")]);
    ended(&none, 2);
    holds(&none.stderr, &["no AWS credentials were found", "aws sso login", "AWS_ACCESS_KEY_ID"]);
    let keys = [nothing, ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b")];
    let nowhere = run(&keys);
    ended(&nowhere, 2);
    holds(&nowhere.stderr, &["no AWS region is set", "set AWS_REGION"]);
    let unreachable = [keys.as_slice(), &[("AWS_REGION", "eu-west-1"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]].concat();
    let refused = run(&unreachable);
    ended(&refused, 9);
    holds(&refused.stderr, &["http://127.0.0.1:1 can't be reached", "AWS_ENDPOINT_URL"]);
}

#[test]
fn what_the_account_lacks_or_has_twice_is_said_at_once_and_nothing_is_made() {
    let shop = Deployment::empty();
    for cidr in ["10.0.0.0/16", "10.1.0.0/16"] {
        shop.seed(&json!({ "name": "main", "cidr": cidr, "cluster": "other" }));
    }
    let ran = shop.run(UP);
    ended(&ran, 2);
    holds(
        &ran.stderr,
        &[
            "error[CE222]: x-vpc: there are 2 of the kind VPC tagged Name=main in eu-west-1; they are vpc-",
            "error[CE220]: x-cluster: there is no ECS cluster shop in eu-west-1; there is ",
            "error[CE220]: secrets.worker: there is no secret /shop/worker in eu-west-1",
            "confluent-ecs secrets put",
        ],
    );
    ended(&shop.run(&["status"]), 2);
}

#[test]
fn of_two_deploys_that_begin_at_once_one_goes_on_and_the_other_learns_of_it() {
    let shop = Deployment::new();
    shop.script(&held());
    let (tell, ends) = std::sync::mpsc::channel();
    let mut runs: Vec<Ran> = std::thread::scope(|scope| {
        for tell in [tell.clone(), tell] {
            let shop = &shop;
            scope.spawn(move || tell.send(shop.run(UP)).unwrap());
        }
        // The deploy of the one that goes on lasts until the other one knows.
        let first = ends.recv().unwrap();
        shop.release();
        vec![first, ends.recv().unwrap()]
    });
    runs.sort_by_key(|run| run.code);
    ended(&runs[0], 0);
    assert!(matches!(runs[1].code, 2 | 8), "{runs:#?}");
    let told = ["something else is at work on the stack shop-dev", "the stack shop-dev has moved since the plan was made"];
    assert!(told.iter().any(|told| runs[1].stderr.contains(told)), "{runs:#?}");
    holds(&runs[1].stderr, &[" by ", "confluent-ecs explain CE60"]);
    // What the second one takes away is its own only.
    holds(&shop.run(&["status"]).stdout, &["shop-dev: healthy (CREATE_COMPLETE"]);
}

#[test]
fn the_first_event_is_on_the_screen_within_moments() {
    let shop = Deployment::new();
    let began = std::time::Instant::now();
    let (mut program, mut lines) = shop.stream(&[UP, &["--output", "jsonl"]].concat());
    assert!(lines.any(|line| line.starts_with("{\"event\":\"resource\"")));
    let took = began.elapsed();
    eprintln!("first event after {} ms", took.as_millis());
    // Two seconds are wanted, and on a quiet machine it is about one; here others may need the processors.
    assert!(took.as_secs() < 60, "{took:?}");
    assert!(lines.count() > 0 && program.wait().unwrap().success());
}

#[test]
fn without_anybody_to_ask_nothing_is_touched() {
    let shop = Deployment::new();
    for verb in ["up", "down"] {
        let ran = shop.run(&[verb]);
        ended(&ran, 2);
        holds(&ran.stderr, &["asks before it acts, and there is nobody to ask", "--yes"]);
    }
    holds(&shop.run(&["status"]).stdout, &["shop-dev: not deployed"]);
}

#[test]
fn a_stack_of_another_project_is_left_alone_until_it_is_adopted() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let other = |more: &[&str]| {
        let arguments: Vec<&str> = UP.iter().chain(&["-p", "other", "-n", "shop-dev"]).chain(more).copied().collect();
        shop.run(&arguments)
    };
    let refused = other(&[]);
    ended(&refused, 2);
    holds(
        &refused.stderr,
        &["the stack shop-dev is not this project's", "confluent-ecs:project: `shop`; this project's: `other`", "--adopt"],
    );
    ended(&shop.run(&["down", "--yes", "-p", "other", "-n", "shop-dev"]), 2);
    ended(&other(&["--adopt"]), 0);
}

#[test]
fn a_service_that_only_fails_is_stopped_or_cancelled_as_was_said() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let mut second = crash();
    second["task_definition"] = "*:2".into();
    // Longer than this test: no breaker of ECS's is quicker than us.
    second["restart"] = 600.into();
    shop.script(&second);
    let arguments = |what| [UP, &["--failing-tasks", "1", "--on-failing", what]].concat();
    let cancelled = shop.changed(&arguments("cancel"), "2");
    ended(&cancelled, 6);
    holds(&cancelled.stderr, &["failing       worker: 1 task has failed so far: the Kafka cluster refuses", "rolling back"]);

    let mut third = second.clone();
    third["task_definition"] = "*:3".into();
    shop.script(&third);
    let stopped = shop.changed(&arguments("stop"), "3");
    ended(&stopped, 6);
    holds(&stopped.stderr, &["worker: its count was set to 0, as asked for"]);
}

#[test]
fn on_a_terminal_a_deploy_is_a_tree_and_what_only_fails_is_asked_about() {
    let shop = Deployment::new();
    let mut script = crash();
    // Longer than an answer takes: no breaker of ECS's is quicker.
    script["restart"] = 600.into();
    shop.script(&script);
    let ran = shop.run_on_terminal(&["up", "--skip-preflight", "--failing-tasks", "1"], &["y", "s"]);
    ended(&ran, 6);
    holds(
        &ran.stdout,
        &[
            "deploy this? [y/N] y",
            "shop-dev  creating",
            "tasks  0 of 2 running",
            "of worker failed. What now?",
            "s  stop its tasks: set the count to 0",
            "worker: its count was set to 0, as asked for",
            // The last frame stays.
            "✓ task definition              created",
        ],
    );
}

#[test]
fn a_task_that_fails_is_on_the_screen_with_its_cause_one_look_after_ecs_says_so() {
    let shop = Deployment::new();
    // Of an update: the rollback of a creation takes the log group away, perhaps before it is read.
    ended(&shop.run(UP), 0);
    let mut second = crash();
    second["task_definition"] = "*:2".into();
    shop.script(&second);
    let file = shop.path().join("docker-compose.yml");
    std::fs::write(&file, std::fs::read_to_string(&file).unwrap().replace("LEVEL:-1", "LEVEL:-2")).unwrap();
    let arguments = [UP, &["--output", "jsonl"]].concat();
    let mut late = Vec::new();
    let (mut program, lines) = shop.stream(&arguments);
    for line in lines {
        let event: Value = serde_json::from_str(&line).unwrap();
        fits_one(&event);
        if event["event"] == "task-stopped" && event["failed"] == true {
            let seen = time::OffsetDateTime::now_utc();
            let cause = event["diagnosis"]["cause"].as_str();
            assert!(cause.is_some_and(|cause| cause.contains("refuses the user name")), "{event:#}");
            assert_eq!(event["diagnosis"]["code"], "CE304");
            late.push((event["at"].as_str().unwrap().to_owned(), seen));
        }
    }
    assert_eq!(program.wait().unwrap().code(), Some(6));
    assert!(!late.is_empty());
    for (at, seen) in late {
        let time: Vec<i64> = at[11..19].split(':').map(|part| part.parse().unwrap()).collect();
        let second = |time: &[i64]| time[0] * 3600 + time[1] * 60 + time[2];
        let seen = second(&[seen.hour().into(), seen.minute().into(), seen.second().into()]);
        // A look is due every second, and takes its time on a busy machine.
        assert!((seen - second(&time)).rem_euclid(86_400) <= 60, "at {at}, seen {seen}");
    }
}

#[test]
fn under_github_actions_a_deploy_is_on_the_page_of_the_run_and_a_failed_one_is_an_annotation() {
    let shop = Deployment::new();
    let page = shop.path().join("page.md");
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", page.to_str().unwrap())];
    shop.script(&crash());
    let failed = shop.run_with(UP, "", &variables);
    ended(&failed, 6);
    holds(&failed.stderr, &["::error title=CE611::failed: creating shop-dev failed after", "%0A  × worker service: "]);
    assert!(!failed.stderr.contains('\x1b'), "{}", failed.stderr);
    let summary = std::fs::read_to_string(&page).unwrap();
    holds(&summary, &["### up: shop-dev\n\n```text\nfailed: creating shop-dev failed after", "container worker: exit code 1"]);
    shop.bed("unscript", &json!({}));
    ended(&shop.run_with(UP, "", &variables), 0);
    let refused = shop.run_with(&[UP, &["-p", "other", "-n", "shop-dev"]].concat(), "", &variables);
    ended(&refused, 2);
    holds(&refused.stderr, &["::error title=CE601::the stack shop-dev is not this project's%0A"]);
    let summary = std::fs::read_to_string(&page).unwrap();
    holds(&summary, &["### up: shop-dev\n\n```text\nshop-dev created in ", "✓ worker: 2 of 2 tasks run "]);
}

/// A worker's project as `init` writes it, and its secret, for a cluster at this address.
fn worker_of(bootstrap: &str) -> Deployment {
    let shop = Deployment::empty();
    for file in ["docker-compose.yml", "envs/dev.yml"] {
        std::fs::remove_file(shop.path().join(file)).unwrap();
    }
    shop.seed(&json!({ "name": "main", "cluster": "shop" }));
    let init = ["init", "connect", "-p", "shop", "--kafka", "self-managed", "--mechanism", "plain", "--bootstrap", bootstrap];
    let lookups = ["--vpc-tag", "Name=main", "--subnet-tag", "vpc::usage=app", "--ecs-cluster", "shop"];
    ended(&shop.run(&[init.as_slice(), &lookups].concat()), 0);
    let put = ["secrets", "put", "connect", "--from", "-", "--yes"];
    ended(&shop.run_with(&put, "username=worker\npassword=worker\n", &[]), 0);
    shop
}

#[test]
fn preflight_comes_first_and_what_would_fail_is_not_deployed() {
    let shop = worker_of("127.0.0.1:1");
    let refused = shop.run(&["up", "--yes"]);
    ended(&refused, 9);
    holds(&refused.stdout, &["CE302", "127.0.0.1:1"]);
    holds(&refused.stderr, &["nothing was deployed; --skip-preflight deploys all the same"]);
    ended(&shop.run(&["status"]), 2);

    let skipped = shop.run(UP);
    ended(&skipped, 0);
    holds(&skipped.stderr, &["preflight skipped, as asked for"]);
}

#[test]
fn preflight_says_when_there_is_nothing_that_it_knows() {
    let shop = Deployment::new();
    let ran = shop.run(&["up", "--yes"]);
    ended(&ran, 0);
    holds(
        &ran.stderr,
        &["preflight: the project runs no component that is known here, nothing was checked", "created       worker service"],
    );
}

#[test]
fn what_preflight_could_not_tell_needs_consent() {
    // A private name that is not known here: no verdict.
    let shop = worker_of("kafka.shop.internal:9092");
    let strict = shop.run(&["up", "--yes", "--strict"]);
    ended(&strict, 4);
    holds(&strict.stdout, &["outside-vpc", " unknown"]);
    holds(&strict.stderr, &["nothing was deployed; --skip-preflight deploys all the same"]);
    ended(&shop.run(&["up"]), 2);
    ended(&shop.run(&["status"]), 2);

    // Somebody is asked, and may say no, or nothing at all.
    let declined = shop.run_on_terminal(&["up"], &["n"]);
    ended(&declined, 130);
    holds(&declined.stdout, &["could not be told; go on? [y/N] n", "nothing was deployed"]);
    let program = assert_cmd::cargo::cargo_bin("confluent-ecs");
    let terminal = Tmux::start(shop.path(), &format!("{} --env dev up", program.display()), &shop.variables(), 120, 50);
    terminal.until("could not be told; go on? [y/N]");
    terminal.press(&["C-c"]);
    terminal.until("exit status 130.");
    ended(&shop.run(&["status"]), 2);

    // --yes answers every question, and what could not be told is on the screen.
    let deployed = shop.run(&["up", "--yes"]);
    ended(&deployed, 0);
    holds(&deployed.stderr, &["outside-vpc", " unknown", "created       connect service"]);
    let agreed = shop.run_on_terminal(&["up"], &["y"]);
    ended(&agreed, 0);
    holds(&agreed.stdout, &["could not be told; go on? [y/N] y", "shop-dev is up to date"]);
}

/// Other credentials than last time: the stack would be a second one.
#[test]
fn a_stack_that_was_deployed_elsewhere_is_not_made_here_unseen() {
    let (before, here) = (Deployment::new(), Deployment::new());
    ended(&before.run(UP), 0);
    let runs = fs::read_dir(before.path().join(".confluent-ecs/runs")).unwrap();
    let folder = here.path().join(".confluent-ecs/runs");
    fs::create_dir_all(&folder).unwrap();
    for run in runs.flatten() {
        fs::copy(run.path(), folder.join(run.file_name())).unwrap();
    }
    let said = [format!("shop-dev was last deployed into {}", before.account), format!("this is {}", here.account)];
    let declined = here.run_on_terminal(&["up", "--skip-preflight"], &["n"]);
    holds(&format!("{}{}", declined.stdout, declined.stderr), &[&said[0], &said[1], "make it here, too?"]);
    let made = here.run(UP);
    ended(&made, 0);
    holds(&made.stderr, &[&said[0], "new stack shop-dev   AWS "]);
    // Now it stands here.
    let again = here.run(UP);
    ended(&again, 0);
    assert!(!again.stderr.contains("was last deployed into"), "{}", again.stderr);
}
