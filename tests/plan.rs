//! `plan`, and `up` with what a plan has kept, from the command line in, on the AWS bed.

use std::fmt::Write as _;
use std::fs;

use serde_json::json;

use crate::images::make;
use crate::support::bed::{bed, unique};
use crate::support::deployment::{Deployment, UP, document, ended, holds};

/// The names of the stack's change sets that could be executed.
fn change_sets(shop: &Deployment) -> Vec<String> {
    let answer = shop.aws("cloudformation", "Action=ListChangeSets&Version=2010-05-15&StackName=shop-dev");
    let sets = answer.split("<member>").filter(|set| set.contains("<ExecutionStatus>AVAILABLE<"));
    sets.map(|set| set.split("<ChangeSetName>").nth(1).unwrap().split('<').next().unwrap().to_owned()).collect()
}

#[test]
fn a_first_plan_is_shown_and_nothing_of_it_stays() {
    let shop = Deployment::new();
    let plan = shop.run(&["plan"]);
    ended(&plan, 0);
    holds(&plan.stdout, &["new stack shop-dev", "  + new\n", "    worker service\n", "    worker task definition\n"]);
    assert!(plan.stdout.trim_end().ends_with(" new"), "{}", plan.stdout);
    holds(&shop.run(&["status"]).stdout, &["shop-dev: not deployed"]);
    let answer = shop.aws("cloudformation", "Action=DescribeStacks&Version=2010-05-15&StackName=shop-dev");
    holds(&answer, &["does not exist"]);

    ended(&shop.run(&["plan", "--detailed-exitcode"]), 5);
    let plan = document(&shop.run(&["plan", "--output", "json"]));
    assert_eq!(
        (&plan["schema"], &plan["verdict"], &plan["exit_code"]),
        (&"confluent-ecs/plan/v1".into(), &"changes".into(), &0.into())
    );
    assert_eq!(plan["counts"]["creates"], plan["changes"].as_array().unwrap().len());
    assert_eq!(plan["validations"], json!([]));
}

#[test]
fn a_plan_of_an_update_says_what_each_change_means_and_which_property_causes_it() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let none = shop.run(&["plan", "--detailed-exitcode"]);
    ended(&none, 0);
    assert_eq!(none.stdout, "shop-dev is up to date: nothing to change\n");
    assert_eq!(document(&shop.run(&["plan", "--output", "json"]))["verdict"], "none");

    let file = shop.path().join("docker-compose.yml");
    let project = fs::read_to_string(&file).unwrap();
    fs::write(&file, project.replace("replicas: 2", "replicas: 3")).unwrap();
    let plan = shop.changed(&["plan", "--detailed-exitcode"], "2");
    ended(&plan, 5);
    holds(
        &plan.stdout,
        &[
            "changes to shop-dev",
            "↻ tasks restart\n",
            "worker task definition  (ContainerDefinitions",
            "worker service  (",
            "TaskDefinition, by worker task definition",
            "2 with a restart of tasks",
        ],
    );
    assert_eq!(change_sets(&shop), Vec::<String>::new());
    // What it was before the plan it is after it.
    ended(&shop.run(&["status"]), 0);
}

#[test]
fn an_update_that_replaces_a_resource_says_so_before_and_does_it() {
    let shop = Deployment::new();
    let file = shop.path().join("docker-compose.yml");
    let project = fs::read_to_string(&file).unwrap();
    let logged = |name: &str| {
        let logging = format!("    logging: {{ driver: awslogs, options: {{ awslogs-group: {name} }} }}\n    deploy:");
        fs::write(&file, project.replace("    deploy:", &logging)).unwrap();
    };
    logged("/shop/one");
    ended(&shop.run(UP), 0);
    logged("/shop/two");
    let plan = shop.run(&["plan"]);
    ended(&plan, 0);
    holds(
        &plan.stdout,
        &["± replaced: the old one goes when the new one is there\n    worker log group  (LogGroupName", "1 replaced, "],
    );
    let up = shop.run(UP);
    ended(&up, 0);
    holds(&up.stderr, &["updated       worker log group", "updated       worker service"]);
    ended(&shop.run(&["plan", "--detailed-exitcode"]), 0);
}

#[test]
fn under_github_actions_a_plan_is_on_the_page_of_the_run() {
    let shop = Deployment::new();
    let page = shop.path().join("page.md");
    fs::write(&page, "before\n").unwrap();
    let variables = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", page.to_str().unwrap())];
    ended(&shop.run_with(&["plan"], "", &variables), 0);
    let page = fs::read_to_string(page).unwrap();
    holds(&page, &["before\n### plan: shop-dev\n\n```text\nnew stack shop-dev   AWS ", " new\n```\n"]);
}

#[test]
fn a_plan_that_is_kept_is_what_up_executes() {
    let shop = Deployment::new();
    let plan = document(&shop.run(&["plan", "--keep", "--output", "json"]));
    let name = plan["change_set"].as_str().unwrap().to_owned();
    assert_eq!(change_sets(&shop), [name.as_str()]);
    let taken: Vec<&str> = UP.iter().copied().chain(["--change-set", &name]).collect();
    let up = shop.changed(&taken, "2");
    ended(&up, 0);
    holds(&up.stderr, &["the compose files have changed since", "new stack shop-dev"]);
    holds(&up.stdout, &["shop-dev created in"]);
    // It was the plan's template: level 2 is still to come.
    ended(&shop.changed(&["plan", "--detailed-exitcode"], "1"), 0);
    ended(&shop.changed(&["plan", "--detailed-exitcode"], "2"), 5);
}

#[test]
fn a_plan_of_a_stack_that_has_moved_since_is_refused() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    let kept = shop.changed(&["plan", "--keep"], "2");
    ended(&kept, 0);
    let name = change_sets(&shop).remove(0);
    holds(&kept.stderr, &[&format!("next: confluent-ecs up --env dev --change-set {name}")]);
    ended(&shop.changed(UP, "3"), 0);
    let taken: Vec<&str> = UP.iter().copied().chain(["--change-set", &name]).collect();
    let refused = shop.changed(&taken, "2");
    ended(&refused, 2);
    holds(&refused.stderr, &["the stack shop-dev has moved since the plan was made", "changed by ", "make a new plan"]);

    let unknown: Vec<&str> = UP.iter().copied().chain(["--change-set", "nothing"]).collect();
    let refused = shop.run(&unknown);
    ended(&refused, 2);
    holds(&refused.stderr, &["there is no change set nothing for shop-dev", "plan --keep"]);
}

#[test]
fn a_plan_of_a_stack_that_is_at_work_or_another_project_s_is_refused() {
    let shop = Deployment::new();
    shop.script(&json!({ "provisioning": 600 }));
    ended(&shop.run(&["up", "--yes", "--skip-preflight", "--timeout", "2s"]), 8);
    let refused = shop.run(&["plan"]);
    ended(&refused, 8);
    holds(&refused.stderr, &["something else is at work on the stack shop-dev", "CREATE_IN_PROGRESS since ", "begun by "]);
    let other = shop.run(&["plan", "-p", "other", "-n", "shop-dev"]);
    ended(&other, 2);
    holds(&other.stderr, &["the stack shop-dev is not this project's"]);
}

/// A project whose template is too large for a call.
fn large(shop: &Deployment) {
    let mut project = String::from("name: shop\nservices:\n");
    for number in 0..12 {
        let environment: Vec<String> = (0..60).map(|key| format!("SETTING_{key}: \"{}\"", "x".repeat(60))).collect();
        let environment = environment.join(", ");
        let _ = writeln!(
            project,
            "  worker{number}:\n    image: acme/worker:1\n    environment: {{ {environment} }}\n    \
             deploy: {{ resources: {{ limits: {{ cpus: \"0.5\", memory: 1G }} }} }}"
        );
    }
    fs::write(shop.path().join("docker-compose.yml"), project).unwrap();
}

#[test]
fn a_large_template_goes_through_a_bucket_that_only_up_makes_and_only_with_consent() {
    let shop = Deployment::new();
    large(&shop);
    let refused = shop.run(&["plan"]);
    ended(&refused, 2);
    holds(
        &refused.stderr,
        &[
            "CloudFormation takes 51200 in a call, and more from a bucket",
            "--bucket",
            "run `up`: it offers to make confluent-ecs-",
        ],
    );
    let missing = shop.run(&["plan", "--bucket", "no-such-bucket-anywhere"]);
    ended(&missing, 2);
    holds(&missing.stderr, &["there is no bucket no-such-bucket-anywhere in this account"]);

    let up = shop.run(UP);
    ended(&up, 0);
    holds(&up.stderr, &["made the bucket confluent-ecs-", "created       worker11 service"]);
    let name = up.stderr.split("made the bucket ").nth(1).unwrap().split(';').next().unwrap().to_owned();
    let asked = |what: &str| shop.s3(&format!("/{name}?{what}"));
    holds(&asked("versioning"), &["<Status>Enabled</Status>"]);
    holds(&asked("encryption"), &["AES256"]);
    holds(&asked("policy"), &["aws:SecureTransport"]);
    holds(&asked("publicAccessBlock"), &["<BlockPublicAcls>true<", "<RestrictPublicBuckets>true<"]);
    // The template of the deploy stays; that of a plan goes with it.
    assert_eq!(asked("list-type=2").matches(".template.json</Key>").count(), 1);
    let plan = shop.changed(&["plan", "--adopt"], "2");
    ended(&plan, 0);
    let file = shop.path().join("docker-compose.yml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("memory: 1G", "memory: 2G")).unwrap();
    ended(&shop.run(&["plan", "--detailed-exitcode"]), 5);
    assert_eq!(asked("list-type=2").matches(".template.json</Key>").count(), 1);
}

#[test]
fn a_run_is_reported_as_one_page_with_a_chart() {
    let shop = Deployment::new();
    let none = shop.run(&["report"]);
    ended(&none, 2);
    holds(&none.stderr, &["there is no run of shop-dev to report", "nothing was deployed from this folder"]);
    let crash = json!({
        "stop": { "in": "RUNNING", "after": 0.2, "code": "EssentialContainerExited", "reason": "Essential container in task exited",
                  "containers": { "*": { "exit_code": 1 } } },
        "healthy": 30,
        "logs": ["ERROR <SaslAuthenticationException> & more"],
    });
    ended(&shop.crashes(&crash, "| ERROR <SaslAuthenticationException>"), 6);
    let reported = shop.run(&["report", "-o", "run.html"]);
    ended(&reported, 0);
    assert_eq!(reported.stdout, "wrote run.html\n");
    let page = fs::read_to_string(shop.path().join("run.html")).unwrap();
    holds(
        &page,
        &[
            "<h1>shop-dev: creating, failed and taken back in ",
            "What took how long",
            "<div class=name>worker service</div>",
            "class=\"bar bad",
            "ERROR &lt;SaslAuthenticationException&gt; &amp; more",
            "exit code 1",
        ],
    );
    assert!(!page.contains("<script"), "{page}");
}

#[test]
fn an_image_that_the_project_builds_and_nobody_has_pushed_is_not_deployed() {
    let shop = Deployment::new();
    let registry = bed().facts("registry")["open"].as_str().unwrap().to_owned();
    let file = shop.path().join("docker-compose.yml");
    let project = fs::read_to_string(&file).unwrap();
    let image = format!("{registry}/{}:1", unique("built"));
    fs::write(&file, project.replace("image: acme/worker:1", &format!("image: {image}\n    build: ."))).unwrap();
    let refused = shop.run(UP);
    ended(&refused, 2);
    holds(
        &refused.stderr,
        &[
            &format!("{image} is built by the project, and not in its registry"),
            "docker compose build worker && docker compose push worker",
        ],
    );
    holds(&refused.stderr, &["error CE607"]);
    holds(&shop.run(&["status"]).stdout, &["shop-dev: not deployed"]);

    // One for another processor than the task's is as good as none.
    let name = unique("built");
    make(&registry, &format!("{name}:1"), &["arm64"], 1_000);
    let other = format!("{registry}/{name}:1");
    fs::write(&file, project.replace("image: acme/worker:1", &format!("image: {other}\n    build: ."))).unwrap();
    let refused = shop.run(UP);
    ended(&refused, 2);
    holds(
        &refused.stderr,
        &[
            &format!("{other} is built by the project, and not in its registry for linux/amd64"),
            "DOCKER_DEFAULT_PLATFORM=linux/amd64 docker compose build worker && docker compose push worker",
        ],
    );

    // A registry that doesn't answer is no reason to refuse, and no reason to say nothing.
    let silent = "127.0.0.1:1/built:1";
    fs::write(&file, project.replace("image: acme/worker:1", &format!("image: {silent}\n    build: ."))).unwrap();
    let up = shop.run(UP);
    ended(&up, 0);
    holds(&up.stderr, &[&format!("image {silent}: whether it was pushed is not known: ")]);
}

#[test]
fn a_project_without_a_service_is_refused_before_anything_is_asked() {
    let shop = Deployment::new();
    let file = shop.path().join("docker-compose.yml");
    fs::write(&file, "name: shop\nservices:\n  worker: { image: acme/worker:1, profiles: [extra] }\n").unwrap();
    for verb in [&["plan"][..], UP] {
        let refused = shop.run(verb);
        ended(&refused, 2);
        holds(&refused.stderr, &["the project shop has no service: there is nothing to deploy", "--profile"]);
    }
    ended(&shop.run(&["down", "--yes"]), 0);
}
