//! What an account is asked, on the AWS bed: the lookups behind the parameters, and the policy that the whole life of a stack needs.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::deployment::Deployment;

/// A project that looks up one thing of every kind that the files can name.
fn shop(standing: &str) -> Deployment {
    let shop = Deployment::empty();
    fs::write(shop.path().join("envs/dev.yml"), standing).unwrap();
    shop
}

const STANDING: &str = r#"
x-vpc:
  Lookup:
    VpcId: { Tags: [{ Name: main }] }
    AppSubnets: { Tags: [{ "vpc::usage": app }] }
x-cluster: { Lookup: shop }
"#;

fn seed(shop: &Deployment) -> Value {
    shop.seed(&json!({ "name": "main", "cluster": "shop", "secrets": { "/shop/worker": "{\"TOKEN\": \"x\"}" } }))
}

fn parameters(shop: &Deployment) -> Value {
    let text = fs::read_to_string(shop.path().join("outputs/shop-dev.parameters.json")).unwrap();
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    list.iter().map(|entry| (entry["ParameterKey"].as_str().unwrap().to_owned(), entry["ParameterValue"].clone())).collect()
}

#[test]
fn resolve_fills_the_parameter_file_and_leaves_the_template_as_it_is() {
    let shop = shop(STANDING);
    let made = seed(&shop);
    // Subnets of another VPC have the same tags, and are not meant.
    shop.seed(&json!({ "name": "other", "cidr": "10.9.0.0/16" }));
    let offline = shop.run(&["render"]);
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let found = parameters(&shop);
    assert_eq!(found["VpcId"], made["vpc"]);
    let subnets: BTreeSet<&str> = found["AppSubnets"].as_str().unwrap().split(',').collect();
    let expected: BTreeSet<&str> = made["subnets"]["app"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(subnets, expected);
    assert_eq!(found["ClusterName"], "shop");
    assert!(found["WorkerSecretArn"].as_str().unwrap().contains(":secret:/shop/worker-"), "{found}");
    assert!(!found["WorkerSecretVersion"].as_str().unwrap().is_empty());
    assert_eq!(found["WorkerDesiredCount"], "2");
    assert_eq!(fs::read_to_string(shop.path().join("outputs/shop-dev.template.yml")).unwrap(), offline.stdout);
    assert_eq!(shop.run(&["render", "--resolve"]).code, 2, "there is no file to fill");
}

#[test]
fn what_is_not_there_is_shown_with_what_there_is_all_at_once() {
    let shop = shop(&STANDING.replace("main", "mian").replace("Lookup: shop", "Lookup: shpo").replace(": app", ": apps"));
    let made = seed(&shop);
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 2);
    let vpc = made["vpc"].as_str().unwrap();
    for part in [
        "envs/dev.yml:2:1: error[CE220]: x-vpc: there is no VPC tagged Name=mian in eu-west-1",
        &format!("{vpc} (Name=main)"),
        "there is no subnet tagged vpc::usage=apps",
        "envs/dev.yml:6:1: error[CE220]: x-cluster: there is no ECS cluster shpo in eu-west-1; there is shop",
    ] {
        assert!(ran.stderr.contains(part), "{part}\n{}", ran.stderr);
    }
    assert!(!shop.path().join("outputs").exists(), "nothing is written");
}

#[test]
fn what_is_there_twice_is_shown_both_times() {
    let shop = shop(STANDING);
    let first = seed(&shop);
    let second = shop.seed(&json!({ "name": "main", "cidr": "10.8.0.0/16" }));
    let ran = shop.run(&["up", "--yes", "--skip-preflight"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("error[CE222]: x-vpc: there are 2 of the kind VPC tagged Name=main in eu-west-1"),
        "{}",
        ran.stderr
    );
    for made in [first, second] {
        assert!(ran.stderr.contains(made["vpc"].as_str().unwrap()), "{}", ran.stderr);
    }
}

#[test]
fn an_id_is_looked_at_too() {
    let shop = shop(STANDING);
    let made = seed(&shop);
    let by_id = STANDING.replace("{ Tags: [{ Name: main }] }", made["vpc"].as_str().unwrap());
    fs::write(shop.path().join("envs/dev.yml"), by_id).unwrap();
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(parameters(&shop)["VpcId"], made["vpc"]);
    let wrong = STANDING.replace("{ Tags: [{ Name: main }] }", "vpc-0123456789abcdef0");
    fs::write(shop.path().join("envs/dev.yml"), wrong).unwrap();
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("there is no VPC vpc-0123456789abcdef0 in eu-west-1; there is"), "{}", ran.stderr);
}

#[test]
fn a_secret_that_is_missing_is_shown_with_those_beside_it() {
    let shop = shop(STANDING);
    shop.seed(&json!({ "name": "main", "cluster": "shop", "secrets": { "/shop/wroker": "{}" } }));
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 2);
    let part =
        "secrets.worker: there is no secret /shop/worker in eu-west-1; there is /shop/wroker; correct the lookup, or store it";
    assert!(ran.stderr.contains(part), "{}", ran.stderr);
    assert_eq!(ran.stderr.matches("/shop/worker").count(), 1, "one finding for its ARN and its version: {}", ran.stderr);
}

#[test]
fn throttled_lookups_are_asked_again_and_refused_ones_say_what_to_allow() {
    let shop = shop(STANDING);
    seed(&shop);
    shop.bed("fault", &json!({ "service": "ec2", "kind": "throttling", "times": 2 }));
    let ran = shop.run_faulty(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let refusal = json!({ "service": "ec2", "operation": "DescribeVpcs", "kind": "error", "code": "UnauthorizedOperation", "status": 403,
                          "message": "You are not authorized to perform this operation." });
    shop.bed("fault", &refusal);
    let ran = shop.run_faulty(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("AWS does not allow ec2:DescribeVpcs on tag:Name=main"), "{}", ran.stderr);
}

/// How the bed names a service, and how IAM does.
fn iam(service: &str) -> &str {
    match service {
        "elbv2" => "elasticloadbalancing",
        "tagging" | "resourcegroupstaggingapi" => "tag",
        "efs" => "elasticfilesystem",
        "cloudwatchlogs" => "logs",
        other => other,
    }
}

fn policy(shop: &Deployment, more: &[&str]) -> Value {
    let arguments: Vec<&str> = ["iam-policy"].into_iter().chain(more.iter().copied()).collect();
    let ran = shop.run(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

fn allowed(policy: &Value) -> BTreeSet<String> {
    let each = |value: &Value| match value {
        Value::Array(list) => list.iter().map(|item| item.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    };
    policy["Statement"].as_array().unwrap().iter().flat_map(|statement| each(&statement["Action"])).collect()
}

/// Everything that the verbs call, as the bed's audit saw it, is in the policy.
#[test]
fn the_policy_covers_every_call_of_a_stacks_life() {
    let shop = shop(STANDING);
    seed(&shop);
    // A fault that changes nothing: it puts every request into the audit log.
    shop.bed("fault", &json!({ "kind": "latency", "seconds": 0 }));
    let mut calls = BTreeSet::new();
    for (arguments, code) in [
        (&["secrets", "list"][..], 0),
        (&["secrets", "check"], 0),
        (&["render", "-d", "outputs", "--resolve"], 0),
        (&["plan"], 0),
        (&["up", "--yes", "--skip-preflight"], 0),
        (&["up", "--yes", "--skip-preflight"], 0),
        (&["plan"], 0),
        (&["status"], 0),
        (&["logs"], 0),
        (&["scale", "worker=1", "--yes"], 0),
        (&["restart", "worker", "--yes"], 0),
        (&["up", "--yes", "--skip-preflight"], 0),
        (&["rollback", "--yes"], 0),
        (&["status", "--drift"], 0),
        (&["down", "--yes"], 0),
    ] {
        let ran = shop.run_faulty(arguments);
        assert_eq!(ran.code, code, "{arguments:?}\n{}", ran.stderr);
        // After each: the log is not endless.
        let seen = shop.bed("faults", &json!({}));
        let fired = seen["fired"].as_array().unwrap().iter();
        calls.extend(
            fired
                .map(|fired| format!("{}:{}", iam(fired["service"].as_str().unwrap()), fired["operation"].as_str().unwrap()))
                // IAM has no action of this name: S3 asks for the right to list.
                .map(|call| if call == "s3:HeadBucket" { "s3:ListBucket".to_owned() } else { call }),
        );
    }
    assert!(calls.contains("cloudformation:CreateChangeSet") && calls.contains("ec2:DescribeSubnets"), "{calls:?}");
    let allowed = allowed(&policy(&shop, &[]));
    let missing: Vec<_> = calls.iter().filter(|call| !allowed.contains(*call) && *call != "sts:GetCallerIdentity").collect();
    assert!(missing.is_empty(), "not in the policy: {missing:?}\nseen: {calls:?}");
}

#[test]
fn the_policy_names_what_it_is_for() {
    let shop = shop(STANDING);
    let text = policy(&shop, &["--account", "111122223333", "--region", "eu-west-1"]).to_string();
    for arn in [
        "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop-dev/*",
        "arn:aws:ecs:eu-west-1:111122223333:service/shop/shop-dev-*",
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:/shop/worker-??????",
        "arn:aws:iam::111122223333:role/shop-dev*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:shop-dev-*",
    ] {
        assert!(text.contains(arn), "{arn}\n{text}");
    }
    assert!(text.len() < 6144, "a managed policy takes 6,144 characters: {}", text.len());
    assert!(!text.contains("elasticloadbalancing") && !text.contains("application-autoscaling"), "{text}");
    assert!(!text.contains("ecs:RunTask"), "{text}");
    assert!(allowed(&policy(&shop, &["--in-vpc"])).contains("ecs:RunTask"));
    let with_image = Deployment::new();
    let compose = fs::read_to_string(with_image.path().join("docker-compose.yml")).unwrap();
    let mirrored = compose.replace("acme/worker:1", "111122223333.dkr.ecr.eu-west-1.amazonaws.com/acme/worker:1");
    fs::write(with_image.path().join("docker-compose.yml"), mirrored).unwrap();
    let mirrored = policy(&with_image, &[]);
    assert!(mirrored.to_string().contains("arn:aws:ecr:eu-west-1:111122223333:repository/acme/worker"), "{mirrored}");
    assert!(allowed(&mirrored).contains("ecr:PutImage") && !text.contains("ecr:PutImage"));
    let other = policy(&shop, &["--region", "cn-north-1"]).to_string();
    assert!(other.contains("arn:aws-cn:ecs:cn-north-1:*:service/shop/shop-dev-*"), "{other}");
    assert_eq!(shop.run(&["iam-policy", "--account", "1111"]).code, 2);
}

/// What the descriptions of a template's parameters say is looked up: what stands between `start` and `end`, each once.
fn wanted(template: &Value, start: &str, end: &str) -> BTreeSet<String> {
    let descriptions =
        template["Parameters"].as_object().unwrap().values().filter_map(|parameter| parameter["Description"].as_str());
    descriptions.filter_map(|text| Some(text.strip_prefix(start)?.split(end).next()?.to_owned())).collect()
}

/// Tags by key, from the words `key=value, key=value` of several descriptions.
fn tags(words: BTreeSet<String>) -> Vec<(String, String)> {
    let pairs = words.iter().flat_map(|words| words.split(", ")).filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// A project's files in an account that has what they look up.
fn deployed_from(compose: &str, environment: &str) -> Deployment {
    let shop = Deployment::empty();
    fs::write(shop.path().join("docker-compose.yml"), compose).unwrap();
    fs::write(shop.path().join("envs/dev.yml"), environment).unwrap();
    let ran = shop.run_with(&["render", "--format", "json", "-n", "life"], "", VARIABLES);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let template: Value = serde_json::from_str(&ran.stdout).unwrap();
    let secrets = wanted(&template, "ARN of the secret ", ", with");
    let secrets: serde_json::Map<String, Value> = secrets.into_iter().map(|name| (name, json!("{}"))).collect();
    let (of_vpc, of_subnets) = (tags(wanted(&template, "VPC tagged ", "\n")), tags(wanted(&template, "Subnets tagged ", "\n")));
    let (mut tiers, mut others) = (Vec::new(), serde_json::Map::new());
    for (key, value) in of_vpc.iter().chain(&of_subnets) {
        match key.as_str() {
            "vpc::usage" => tiers.push(value.clone()),
            "Name" => {}
            _ => drop(others.insert(key.clone(), value.clone().into())),
        }
    }
    if tiers.is_empty() {
        tiers.push("app".to_owned());
    }
    let name = of_vpc.iter().find(|(key, _)| key == "Name").map_or("vpc", |(_, value)| value);
    let cluster = &template["Parameters"]["ClusterName"]["Default"];
    shop.seed(&json!({ "name": name, "tags": others, "tiers": tiers, "cluster": cluster, "secrets": secrets }));
    shop
}

const VARIABLES: &[(&str, &str)] = &[("CLUSTER_ID", "lkc-8m2q5z")];

/// Creates, updates and deletes the stack of a project.
fn live(name: &str, compose: &str, environment: &str) {
    let shop = deployed_from(compose, environment);
    let run = |arguments: &[&str]| {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["-n", "life", "--yes"]).collect();
        let ran = shop.run_with(&arguments, "", VARIABLES);
        assert_eq!(ran.code, 0, "{name}: {arguments:?}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    assert!(run(&["up", "--skip-preflight"]).contains("life created in"), "{name}");
    let changed = match environment.split_once("\nx-tags:\n") {
        Some((before, after)) => format!("{before}\nx-tags:\n  round: two\n{after}"),
        None => format!("{environment}\nx-tags: {{ round: two }}\n"),
    };
    fs::write(shop.path().join("envs/dev.yml"), changed).unwrap();
    assert!(run(&["up", "--skip-preflight"]).contains("life updated in"), "{name}");
    assert!(run(&["down"]).contains("life deleted in"), "{name}");
}

/// Every project that has a golden template, as `init` writes them.
#[test]
fn every_golden_project_is_created_updated_and_deleted() {
    let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let folders = ["golden", "projects"].iter().flat_map(|folder| fs::read_dir(tests.join(folder)).unwrap());
    let mut projects = Vec::new();
    for folder in folders.map(|entry| entry.unwrap().path()) {
        let Ok(compose) = fs::read_to_string(folder.join("docker-compose.yml")) else { continue };
        let Ok(environments) = fs::read_dir(folder.join("envs")) else { continue };
        for file in environments.map(|entry| entry.unwrap().path()) {
            let environment = fs::read_to_string(&file).unwrap();
            projects.push((file.strip_prefix(&tests).unwrap().display().to_string(), compose.clone(), environment));
        }
    }
    assert!(projects.len() >= 5, "{projects:?}");
    // Two at a time: each waits for the bed more than it computes.
    std::thread::scope(|scope| {
        for some in [projects.iter().step_by(2).collect::<Vec<_>>(), projects.iter().skip(1).step_by(2).collect()] {
            scope.spawn(move || some.into_iter().for_each(|(name, compose, environment)| live(name, compose, environment)));
        }
    });
}

/// A project of one file, with what of an account it names by id put in place of its ids.
pub(crate) fn live_file(name: &str, file: &str, seed: &Value, ids: impl Fn(&Value) -> Vec<(&'static str, Value)>) {
    let shop = Deployment::empty();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/projects").join(name).join(file);
    let mut text = fs::read_to_string(path).unwrap();
    let made = shop.seed(seed);
    for (written, there) in ids(&made) {
        assert!(text.contains(written), "{name}: {written}");
        text = text.replace(written, there.as_str().unwrap());
    }
    let write = |text: &str| fs::write(shop.path().join("docker-compose.yml"), text).unwrap();
    fs::write(shop.path().join("envs/dev.yml"), "{}\n").unwrap();
    write(&text);
    let run = |arguments: &[&str]| {
        let ran = shop.run(&[arguments, &["-n", "life", "--yes"]].concat());
        assert_eq!(ran.code, 0, "{name}: {arguments:?}\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    };
    assert!(run(&["up", "--skip-preflight"]).contains("life created in"), "{name}");
    // In the form of the file's own: a list doesn't go over a mapping.
    let listed = text.split_once("\nx-tags:\n").is_none_or(|(_, tags)| tags.trim_start().starts_with('-'));
    let tag = if listed { "x-tags: [{ Key: round, Value: two }]\n" } else { "x-tags: { round: two }\n" };
    fs::write(shop.path().join("envs/dev.yml"), tag).unwrap();
    assert!(run(&["up", "--skip-preflight"]).contains("life updated in"), "{name}");
    assert!(run(&["down"]).contains("life deleted in"), "{name}");
}

#[test]
fn a_project_with_a_vpc_of_its_own_lives() {
    live_file("own-vpc", "docker-compose.yml", &json!({}), |_| Vec::new());
}

#[test]
fn a_project_in_the_words_of_2020_lives() {
    let secrets = json!({ "/old-words/web": "{\"user\": \"u\"}" });
    for file in ["old.yml", "new.yml"] {
        let group = json!({ "type": "AWS::EC2::SecurityGroup",
                            "properties": { "GroupName": "peer", "GroupDescription": "peer", "VpcId": "$vpc" } });
        let seed = json!({ "name": "main", "cluster": "main", "secrets": secrets, "resources": { "peer": group } });
        live_file("old-words", file, &seed, |made| {
            let subnet = |index: usize| made["subnets"]["app"][index].clone();
            // The longer ids first: one may begin with another.
            vec![
                ("sg-0a1b2c3d4e5f60718", made["resources"]["peer"].clone()),
                ("subnet-0a1b2c3d", subnet(0)),
                ("subnet-1a1b2c3d", subnet(1)),
                ("vpc-0a1b2c3d", made["vpc"].clone()),
            ]
        });
    }
}

#[test]
fn a_project_with_every_key_lives() {
    let group = |name: &str, tag: &str| {
        json!({ "type": "AWS::EC2::SecurityGroup",
                "properties": { "GroupName": name, "GroupDescription": name, "VpcId": "$vpc", "Tags": [{ "Key": "Name", "Value": tag }] } })
    };
    let topic = |name: &str| {
        let tags = json!([{ "Key": "Name", "Value": name }]);
        json!({ "type": "AWS::SNS::Topic", "properties": { "TopicName": name, "Tags": tags } })
    };
    let seed = json!({
        "name": "main", "tiers": ["public", "application", "console"], "hosted_zone": "example.com", "prefix_lists": { "offices": {} },
        "secrets": { "/every-key/connect": "{}", "/every-key/console": "{}", "/every-key/oidc": "{\"ClientSecret\": \"x\"}" },
        "resources": {
            "bastion": group("bastion", "bastion"), "shared": group("shared", "shared-clients"), "monitoring": group("monitoring", "m"),
            "storage": group("storage", "s"), "peer": group("peer", "p"), "pager": topic("pager"), "on-call": topic("on-call"),
            "files": { "type": "AWS::EFS::FileSystem", "properties": {} },
        },
    });
    live_file("every-key", "docker-compose.yml", &seed, |made| {
        let of = |key: &str| made["resources"][key].clone();
        vec![
            ("arn:aws:sns:eu-west-1:111122223333:on-call", of("on-call")),
            ("fs-0a1b2c3d4e5f60718", of("files")),
            ("sg-0f1e2d3c4b5a69788", of("monitoring")),
            ("sg-0123456789abcdef0", of("storage")),
            ("sg-0a1b2c3d4e5f60718", of("peer")),
            ("pl-0a1b2c3d4e5f60718", made["prefix_lists"]["offices"].clone()),
        ]
    });
}
