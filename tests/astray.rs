//! What goes astray: stacks, services and folders that somebody else has changed, deleted or left half done; from the command line in, on
//! the AWS bed.

use std::fs;

use serde_json::json;

use crate::support::bed::unique;
use crate::support::deployment::{Deployment, UP, crash, document, ended, held, holds};
use crate::support::program::{Ran, run_with};

#[test]
fn a_stack_that_somebody_deletes_under_us_is_told_as_that() {
    let shop = Deployment::new();
    shop.script(&held());
    let deploy = shop.start_until(UP, "creating      worker service");
    shop.aws("cloudformation", "Action=DeleteStack&Version=2010-05-15&StackName=shop-dev");
    let failed = deploy.finish();
    ended(&failed, 6);
    holds(&failed.stderr, &["failed: creating shop-dev ended after", "the stack was deleted"]);
    // A run that was left, of a stack that is gone by now, has come to its end too.
    shop.start_until(UP, "creating      worker service").kill();
    shop.aws("cloudformation", "Action=DeleteStack&Version=2010-05-15&StackName=shop-dev");
    shop.until_said("does not exist");
    let watched = shop.run(&["watch", "--output", "json"]);
    ended(&watched, 6);
    assert_eq!(document(&watched)["status"], "DELETE_COMPLETE");
}

#[test]
fn an_update_that_failed_and_was_left_as_it_is_is_rolled_back_first() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let mut second = crash();
    second["task_definition"] = "*:2".into();
    shop.script(&second);
    shop.update_without_rollback("acme/worker:1", "acme/worker:2");
    shop.until("UPDATE_FAILED");
    let status = shop.run(&["status"]);
    ended(&status, 7);
    holds(&status.stdout, &["shop-dev: broken (UPDATE_FAILED", "× worker service: "]);
    let refused = shop.run(&["plan"]);
    ended(&refused, 7);
    holds(&refused.stderr, &["error CE603", "is in UPDATE_FAILED and can't be updated", "rolls it back first, when you agree"]);
    let up = shop.changed(UP, "2");
    ended(&up, 0);
    holds(
        &up.stderr,
        &["was left as it is (UPDATE_FAILED); it must be rolled back first", "rolled back   stack", "changes to shop-dev"],
    );
    holds(&up.stdout, &["shop-dev updated in "]);

    // `rollback` does the first half alone.
    second["task_definition"] = "*:4".into();
    shop.script(&second);
    shop.update_without_rollback("acme/worker:1", "acme/worker:3");
    shop.until("UPDATE_FAILED");
    let back = document(&shop.run(&["rollback", "--yes", "--output", "json"]));
    assert_eq!((&back["ending"], &back["status"]), (&"taken-back".into(), &"UPDATE_ROLLBACK_COMPLETE".into()));
}

#[test]
fn a_deletion_that_fails_says_what_is_in_its_way_and_goes_on_when_that_is_gone() {
    let shop = Deployment::new();
    let bucket = unique("left");
    let file = shop.path().join("docker-compose.yml");
    let project = fs::read_to_string(&file).unwrap();
    let resource = format!("Resources:\n  Left:\n    Type: AWS::S3::Bucket\n    Properties: {{ BucketName: {bucket} }}\n");
    fs::write(&file, project + &resource).unwrap();
    ended(&shop.run(UP), 0);
    shop.put_object(&format!("/{bucket}/one"));
    let stuck = shop.run(&["down", "--yes"]);
    ended(&stuck, 7);
    holds(
        &stuck.stderr,
        &[
            "stuck: deleting shop-dev failed after",
            "(DELETE_FAILED)",
            "× left: ",
            "The bucket you tried to delete is not empty",
            "next: confluent-ecs status --env dev",
        ],
    );
    let status = shop.run(&["status"]);
    ended(&status, 7);
    holds(&status.stdout, &["shop-dev: broken (DELETE_FAILED", "× left: "]);
    shop.remove_object(&format!("/{bucket}/one"));
    // What is left is in the way of the next creation, which clears it away first.
    let up = shop.run(UP);
    ended(&up, 0);
    holds(&up.stderr, &["the deletion of shop-dev failed (DELETE_FAILED); what is left of it must be deleted first"]);
    holds(&up.stdout, &["shop-dev created in "]);
}

#[test]
fn a_service_that_was_deleted_past_cloudformation_is_missed_by_every_verb() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    shop.aws_json("ecs", "DeleteService", &json!({ "cluster": "shop", "service": shop.service(), "force": true }));
    let missed = |ran: &Ran, code: i32| {
        ended(ran, code);
        holds(
            &format!("{}{}", ran.stdout, ran.stderr),
            &["ECS has no such service any more; it was deleted past CloudFormation"],
        );
    };
    let status = shop.run(&["status"]);
    missed(&status, 7);
    holds(&status.stdout, &["shop-dev: broken (CREATE_COMPLETE", "confluent-ecs down"]);
    let status = document(&shop.run(&["status", "--output", "json"]));
    assert_eq!((&status["verdict"], &status["services"][0]["gone"]), (&"broken".into(), &true.into()));
    missed(&shop.run(&["restart", "--yes"]), 7);
    // CloudFormation has nothing to change, and what was asked for doesn't run.
    missed(&shop.run(UP), 6);
    // Its cluster goes, too.
    shop.aws_json("ecs", "DeleteCluster", &json!({ "cluster": "shop" }));
    missed(&shop.run(&["status"]), 7);
    ended(&shop.run(&["logs"]), 0);
    let down = shop.run(&["down", "--yes"]);
    ended(&down, 0);
    assert_eq!(shop.run(&["status"]).code, 2);
}

#[test]
fn environments_in_one_folder_have_runs_of_their_own() {
    let shop = Deployment::new();
    let environments = shop.path().join("envs");
    for other in ["test", "prod"] {
        fs::copy(environments.join("dev.yml"), environments.join(format!("{other}.yml"))).unwrap();
    }
    ended(&shop.run(UP), 0);
    let of = |env: &str, arguments: &[&str]| run_with(shop.path(), &[&["--env", env], arguments].concat(), "", &shop.variables());
    ended(&of("prod", UP), 0);
    holds(&shop.run(&["report"]).stdout, &["-shop-dev-up.html"]);
    holds(&of("prod", &["report"]).stdout, &["-shop-prod-up.html"]);
    let none = of("test", &["report"]);
    ended(&none, 2);
    holds(&none.stderr, &["there is no run of shop-test to report", "the last ones: ", "-shop-prod-up"]);
    // Nor does one go back to what another has deployed.
    ended(&of("prod", &["rollback", "--yes"]), 2);
}

#[test]
fn a_folder_that_takes_no_journal_stops_nothing_and_the_bucket_still_knows_the_way_back() {
    let shop = Deployment::new();
    let bucket = unique("kept");
    shop.make_bucket(&format!("/{bucket}"));
    fs::write(shop.path().join(".confluent-ecs"), "no folder").unwrap();
    let kept = [UP, &["--bucket", &bucket]].concat();
    let first = shop.changed(&kept, "1");
    ended(&first, 0);
    holds(&first.stderr, &["no journal of this run is kept: .confluent-ecs/runs can't be written"]);
    ended(&shop.changed(&kept, "2"), 0);
    let back = shop.run(&["rollback", "--yes", "--bucket", &bucket]);
    ended(&back, 0);
    holds(&back.stderr, &["going back to what "]);
    ended(&shop.changed(&["plan", "--detailed-exitcode"], "1"), 0);
    // Without the bucket nothing is kept anywhere, and that is said.
    holds(&shop.changed(UP, "3").stderr, &["what was deployed could not be kept, and `rollback` may not find it"]);
}

#[test]
fn what_stays_in_kafka_is_named_with_the_commands_that_remove_it() {
    let shop = Deployment::new();
    let file = shop.path().join("docker-compose.yml");
    let project = fs::read_to_string(&file).unwrap();
    let connect = r"    image: confluentinc/cp-kafka-connect:8.0.7
    environment:
      CONNECT_BOOTSTRAP_SERVERS: kafka.example.com:9092
      CONNECT_GROUP_ID: shop
      CONNECT_CONFIG_STORAGE_TOPIC: shop.configs
      CONNECT_OFFSET_STORAGE_TOPIC: shop-offsets
      CONNECT_STATUS_STORAGE_TOPIC: shop-status
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
      CONNECT_VALUE_CONVERTER: org.apache.kafka.connect.storage.StringConverter
";
    let plain = "    image: acme/worker:1\n    environment: { LEVEL: \"${LEVEL:-1}\" }\n";
    let (own, cloud) = (
        "x-kafka: { provider: self-managed, admin-config: admin.properties }",
        "x-kafka: { provider: confluent-cloud, cluster: lkc-abc123, environment: env-xyz }",
    );
    fs::write(&file, format!("{}{own}\n", project.replace(plain, connect))).unwrap();
    ended(&shop.run(UP), 0);
    let down = shop.run_on_terminal(&["down"], &["n"]);
    ended(&down, 130);
    holds(
        &down.stdout,
        &[
            "stays log group ",
            "stays secret /shop/worker",
            r"stays topic shop.configs  (kafka-topics --bootstrap-server kafka.example.com:9092 --command-config admin.properties --delete --topic 'shop\.configs')",
            "stays topic shop-offsets",
            "stays topic shop-status",
            "stays ACLs and consumer groups in Kafka",
        ],
    );
    fs::write(&file, format!("{}{cloud}\n", project.replace(plain, connect))).unwrap();
    let down = document(&shop.run(&["down", "--yes", "--output", "json"]));
    assert_eq!(down["ending"], "complete");
    let stays = down["farewell"]["stays"].to_string();
    holds(&stays, &["confluent kafka topic delete shop.configs --cluster lkc-abc123 --environment env-xyz"]);
    holds(&down["farewell"]["goes"].to_string(), &["[\"AWS::ECS::Service\",1]"]);
}
