//! What is done with a stack that stands: scale, restart, roll back, look, read its logs; from the command line in, on the AWS bed.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::bed::unique;
use crate::support::deployment::{Deployment, UP, document, ended, holds};

#[test]
fn a_service_is_scaled_by_its_parameter_and_its_logs_are_read() {
    let shop = Deployment::new();
    shop.script(&json!({ "logs": ["INFO up", "WARN password=hunter2 is weak"] }));
    ended(&shop.run(UP), 0);
    let wrong = shop.run(&["scale", "workr=3", "--yes"]);
    ended(&wrong, 2);
    holds(&wrong.stderr, &["the project has no service workr", "did you mean worker?"]);
    let scaled = shop.run(&["scale", "worker=3", "--yes"]);
    ended(&scaled, 0);
    holds(&scaled.stderr, &["1 in place", "worker service  (DesiredCount", "3 of 3 running", "the next `up` sets the counts"]);
    holds(&shop.run(&["status"]).stdout, &["3 of 3 running"]);
    ended(&shop.run(&["scale", "worker=3", "--yes"]), 0);

    let logs = shop.run(&["logs"]);
    ended(&logs, 0);
    assert_eq!(logs.stdout.matches("| INFO up").count(), 3, "{}", logs.stdout);
    holds(&logs.stdout, &["worker ", "| WARN password=******** is weak"]);
    let some = shop.run(&["logs", "worker", "--grep", "INFO", "--tail", "2", "--output", "jsonl"]);
    let lines: Vec<Value> = some.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["service"], &lines[0]["text"]), (&"worker".into(), &"INFO up".into()));
    ended(&shop.run(&["logs", "nobody"]), 2);
    assert_eq!(shop.run(&["logs", "--container", "worker"]).stdout, logs.stdout);
    holds(&shop.run(&["logs", "--container", "workr"]).stderr, &["the project has no container workr", "did you mean worker?"]);
}

#[test]
fn logs_are_followed_until_somebody_has_seen_enough() {
    let shop = Deployment::new();
    shop.script(&json!({ "logs": ["INFO up"] }));
    ended(&shop.run(UP), 0);
    let (mut program, mut lines) = shop.stream(&["logs", "--follow", "--since", "10m"]);
    assert_eq!(lines.by_ref().take(2).filter(|line| line.ends_with("| INFO up")).count(), 2);
    // What a new task writes comes without being asked for again.
    ended(&shop.run(&["scale", "worker=3", "--yes"]), 0);
    assert!(lines.next().unwrap().ends_with("| INFO up"));
    Command::new("kill").args(["-INT", &program.id().to_string()]).status().unwrap();
    assert_eq!(program.wait().unwrap().code(), Some(0));
}

#[test]
fn a_protected_stack_is_not_deleted() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let protect = |on: bool| {
        let query = "Action=UpdateTerminationProtection&Version=2010-05-15&StackName=shop-dev&EnableTerminationProtection=";
        shop.aws("cloudformation", &format!("{query}{on}"));
    };
    protect(true);
    let refused = shop.run(&["down", "--yes"]);
    ended(&refused, 2);
    holds(&refused.stderr, &["error CE608", "protected against deletion", "--no-enable-termination-protection"]);
    ended(&shop.run(&["status"]), 0);
    protect(false);
    ended(&shop.run(&["down", "--yes"]), 0);
}

#[test]
fn the_verbs_of_the_days_after_write_documents() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    for (verb, more) in [("scale", &["worker=1"][..]), ("restart", &[]), ("rollback", &[])] {
        let ran = shop.run(&[&[verb, "--yes", "--output", "json"], more].concat());
        ended(&ran, 0);
        let document = document(&ran);
        assert_eq!(document["schema"], format!("confluent-ecs/{verb}/v1"));
        assert_eq!((&document["ending"], &document["exit_code"]), (&"complete".into(), &0.into()));
    }
    // The way back was to two tasks.
    holds(&shop.run(&["status"]).stdout, &["2 of 2 running"]);
}

/// Lays x-scaling over the service.
fn scaled(shop: &Deployment) {
    let file = shop.path().join("docker-compose.yml");
    let project = fs::read_to_string(&file).unwrap();
    let scaling = "    x-scaling: { Range: 1-4, TargetScaling: { CpuTarget: 70 } }\n    deploy:";
    fs::write(&file, project.replace("    deploy:", scaling)).unwrap();
}

/// The bounds that Application Auto Scaling has now.
fn bounds(shop: &Deployment) -> (i64, i64) {
    let asked = json!({ "ServiceNamespace": "ecs" }).to_string();
    let answer = shop.aws_json("application-autoscaling", "DescribeScalableTargets", &asked.parse().unwrap());
    let found: Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let number = |name: &str| {
        let value = &found["ScalableTargets"][0][name];
        value.as_i64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("{answer}"))
    };
    (number("MinCapacity"), number("MaxCapacity"))
}

#[test]
fn a_service_that_scales_itself_gets_other_bounds() {
    let shop = Deployment::new();
    let refused = shop.run(&["scale", "worker=2-3", "--yes"]);
    ended(&refused, 2);
    holds(&refused.stderr, &["worker has no x-scaling, and so no bounds", "worker=3", "Range"]);
    scaled(&shop);
    ended(&shop.run(UP), 0);
    assert_eq!(bounds(&shop), (1, 4));

    // What scaling has chosen stays within them: 2 tasks.
    let wider = shop.run(&["scale", "worker=2-6", "--yes"]);
    ended(&wider, 0);
    holds(&wider.stderr, &["worker scalable target", "MinCapacity", "1 in place", "Range under x-scaling"]);
    assert!(!wider.stderr.contains("DesiredCount"), "{}", wider.stderr);
    assert_eq!(bounds(&shop), (2, 6));
    holds(&shop.run(&["status"]).stdout, &["2 of 2 running"]);

    let fixed = shop.run(&["scale", "worker=3", "--yes"]);
    ended(&fixed, 0);
    assert_eq!(bounds(&shop), (3, 3));
    holds(&shop.run(&["status"]).stdout, &["3 of 3 running"]);
    holds(&shop.run(&["scale", "worker=3", "--yes"]).stdout, &["nothing to change"]);

    // The files have the last word: their bounds, and the count that scaling has chosen.
    ended(&shop.run(UP), 0);
    assert_eq!(bounds(&shop), (1, 4));
    holds(&shop.run(&["status"]).stdout, &["3 of 3 running"]);
}

#[test]
fn another_machine_goes_back_by_what_the_bucket_has() {
    let shop = Deployment::new();
    let bucket = unique("templates");
    shop.make_bucket(&format!("/{bucket}"));
    let kept = [UP, &["--bucket", &bucket]].concat();
    ended(&shop.changed(&kept, "1"), 0);
    ended(&shop.changed(&kept, "2"), 0);
    fs::remove_dir_all(shop.path().join(".confluent-ecs")).unwrap();
    let nothing = shop.run(&["rollback", "--yes"]);
    ended(&nothing, 2);
    holds(&nothing.stderr, &["error CE609", "looked in .confluent-ecs/runs, and in the bucket confluent-ecs-"]);
    let back = shop.run(&["rollback", "--yes", "--bucket", &bucket]);
    ended(&back, 0);
    holds(&back.stderr, &["going back to what ", "worker task definition  (ContainerDefinitions"]);
    ended(&shop.changed(&["plan", "--detailed-exitcode"], "1"), 0);
}

#[test]
fn a_stack_goes_back_to_what_was_verified_before() {
    let shop = Deployment::new();
    let nothing = shop.run(&["rollback", "--yes"]);
    ended(&nothing, 2);
    ended(&shop.changed(UP, "1"), 0);
    let first = shop.run(&["rollback", "--yes"]);
    ended(&first, 2);
    holds(
        &first.stderr,
        &[
            "nothing else than what shop-dev has now is known to have been verified",
            "looked in .confluent-ecs/runs, and in the bucket confluent-ecs-",
        ],
    );
    ended(&shop.changed(UP, "2"), 0);
    ended(&shop.changed(&["plan", "--detailed-exitcode"], "2"), 0);
    let back = shop.run(&["rollback", "--yes"]);
    ended(&back, 0);
    holds(&back.stderr, &["going back to what ", "worker task definition  (ContainerDefinitions"]);
    ended(&shop.changed(&["plan", "--detailed-exitcode"], "1"), 0);
}

#[test]
fn an_update_that_is_under_way_is_cancelled() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    shop.script(&json!({ "provisioning": 600, "task_definition": "*:2" }));
    let arguments = [UP, &["--timeout", "3s"]].concat();
    ended(&shop.changed(&arguments, "2"), 8);
    let back = shop.run(&["rollback", "--yes"]);
    ended(&back, 0);
    holds(&back.stderr, &["an update of shop-dev is under way", "rolling back"]);
    holds(&back.stdout, &["shop-dev is back at what it was before"]);
    ended(&shop.changed(&["plan", "--detailed-exitcode"], "1"), 0);
}

#[test]
fn tasks_are_started_anew_and_with_a_new_secret_by_the_stack() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let restarted = shop.run(&["restart", "--yes"]);
    ended(&restarted, 0);
    holds(&restarted.stderr, &["worker 2 of 2 running", "ECS           worker: "]);
    assert!(!restarted.stderr.contains("changes to shop-dev"), "{}", restarted.stderr);
    holds(&restarted.stdout, &["worker: 2 of 2 tasks run "]);

    holds(&shop.run(&["status"]).stdout, &["secret /shop/worker  its newest version is deployed"]);
    shop.aws_json(
        "secretsmanager",
        "PutSecretValue",
        &json!({ "SecretId": "/shop/worker", "SecretString": "{\"TOKEN\": \"x\"}" }),
    );
    holds(
        &shop.run(&["status"]).stdout,
        &["secret /shop/worker  a newer version than the deployed one", "confluent-ecs restart --env dev"],
    );
    let restarted = shop.run(&["restart", "--yes"]);
    ended(&restarted, 0);
    holds(&restarted.stderr, &["changes to shop-dev", "tasks restart"]);
}

#[test]
fn what_was_changed_past_cloudformation_is_told_when_asked_for() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    holds(&shop.run(&["status", "--drift"]).stdout, &["nothing was changed past CloudFormation"]);
    shop.aws_json("ecs", "UpdateService", &json!({ "cluster": "shop", "service": shop.service(), "desiredCount": 1 }));
    holds(&shop.run(&["status", "--drift"]).stdout, &["worker service was changed past CloudFormation (DesiredCount)"]);
}

#[test]
fn a_container_of_several_services_is_no_service_to_scale() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects/every-key");
    let ran = crate::support::program::run_with(&folder, &["scale", "shipper=2", "--yes"], "", &[]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("shipper is a container of several services: api, console"), "{}", ran.stderr);
}
