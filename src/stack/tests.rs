//! What the stack decides, from files: one test a rule.

use super::{Capacity, Cluster, Family, Identity, Ingress, Lookup, Peer, SecretLookup, Size, Stack, VpcSource, build};
use crate::extensions::{self, tests as files};
use crate::profile::Catalogue;

pub(super) fn decided(text: &str) -> (Stack, String) {
    let project = files::project(text);
    let (extensions, of_extensions) = extensions::read(&project);
    assert!(of_extensions.is_empty(), "{}", files::lines(&of_extensions));
    let identity = Identity { name: "p-dev".to_owned(), project: "p".to_owned(), env: Some("dev".to_owned()) };
    let (stack, findings) = build(&project, &extensions, Catalogue::builtin().unwrap(), &identity);
    (stack, files::lines(&findings))
}

pub(super) fn family<'s>(stack: &'s Stack, name: &str) -> &'s Family {
    stack.families.iter().find(|family| family.name == name).unwrap()
}

/// Who may reach a family on which ports, in few words.
pub(super) fn rules(ingress: &[Ingress]) -> Vec<(String, u16)> {
    let who = |peer: &Peer| match peer {
        Peer::Myself => "itself".to_owned(),
        Peer::Family(name) => name.clone(),
        Peer::Balancer(name) => format!("balancer {name}"),
        Peer::Cidr4(block) | Peer::Cidr6(block) => block.clone(),
        Peer::SecurityGroup(group) | Peer::PrefixList(group) => group.lookup.words(),
    };
    ingress.iter().map(|rule| (who(&rule.from), rule.port.number)).collect()
}

pub(super) const SIZE: &str = "    deploy: { resources: { limits: { cpus: '1', memory: 2G } } }\n";
const CONNECT: &str = "  connect:\n    image: confluentinc/cp-kafka-connect:8.0.7\n    environment: { CONNECT_BOOTSTRAP_SERVERS: 'a:9092', CONNECT_GROUP_ID: g, \
    CONNECT_CONFIG_STORAGE_TOPIC: c, CONNECT_OFFSET_STORAGE_TOPIC: o, CONNECT_STATUS_STORAGE_TOPIC: s, CONNECT_KEY_CONVERTER: k, CONNECT_VALUE_CONVERTER: v }\n";

#[test]
fn connect_gets_what_its_profile_knows() {
    let (stack, findings) =
        decided(&format!("services:\n{CONNECT}    deploy: {{ resources: {{ limits: {{ cpus: '2', memory: 4G }} }} }}\n"));
    assert_eq!(findings, "");
    let connect = family(&stack, "connect");
    assert_eq!(connect.size, Size { cpu: 2048, memory: 4096 });
    assert_eq!(connect.capacity, Capacity::Fargate);
    let deployment = &Catalogue::builtin().unwrap().component("connect").unwrap().deployment;
    let rollout = (connect.rollout.minimum_percent, connect.rollout.maximum_percent, connect.rollout.grace);
    let known = (deployment.minimum_percent.into(), deployment.maximum_percent.into(), Some(deployment.grace_period_seconds));
    assert_eq!(rollout, known);
    assert!(!connect.rollout.az_rebalancing);
    let container = &connect.containers[0];
    assert_eq!(container.stop_timeout, Some(120));
    let words: Vec<&str> = container.command.iter().flatten().filter_map(|word| word.literal()).collect();
    assert_eq!(words[..2], ["bash", "-c"]);
    assert_eq!(
        words[2],
        "export CONNECT_REST_ADVERTISED_HOST_NAME=$(hostname -i | cut -d' ' -f1); exec /etc/confluent/docker/run"
    );
    assert!(!words[2].contains("curl") && !words[2].contains("jq"));
    let check = container.health_check.as_ref().unwrap();
    let script = check.command.last().unwrap().literal().unwrap();
    assert!(script.contains("/dev/tcp/127.0.0.1/8083") && !script.contains("curl"), "{script}");
    assert!(check.start_period.is_some());
    let heap = container.environment["KAFKA_HEAP_OPTS"].literal().unwrap();
    let percent = Catalogue::builtin().unwrap().component("connect").unwrap().sizing.heap.percent_of_memory;
    assert_eq!(heap, format!("-Xms{0}m -Xmx{0}m", 4096 * u32::from(percent) / 100));
    // Workers forward requests to their leader.
    assert_eq!(rules(&connect.ingress), [("itself".to_owned(), 8083)]);
}

#[test]
fn a_command_is_wrapped_only_where_the_image_is_as_confluent_made_it() {
    let wrapped = |text: &str| {
        let (stack, findings) =
            decided(&format!("services:\n{}{SIZE}{text}", CONNECT.replace("confluentinc/cp-kafka-connect", "IMAGE")));
        (stack.families[0].containers[0].command.is_some(), findings)
    };
    let with = |image: &str, extra: &str| {
        let text = format!("services:\n{}{SIZE}{extra}", CONNECT.replace("confluentinc/", image));
        let (stack, findings) = decided(&text);
        let command = stack.families[0].containers[0].command.clone().unwrap_or_default();
        (command.iter().any(|word| word.to_string().contains("export ")), findings)
    };
    assert!(!wrapped("").0);
    assert!(with("confluentinc/", "").0);
    assert!(with("1.dkr.ecr.eu-west-1.amazonaws.com/mirror/confluentinc/", "").0);
    for (image, extra, word) in [
        ("own/", "", "its image is not Confluent's own"),
        ("confluentinc/", "    build: .\n", "Dockerfile of its own"),
        ("confluentinc/", "    command: /start\n", "start command of its own"),
        ("confluentinc/", "    entrypoint: /start\n", "start command of its own"),
    ] {
        let (wrapped, findings) = with(image, extra);
        assert!(!wrapped && findings.contains(word) && findings.contains("hostname -i"), "{image}{extra}: {findings}");
    }
    // A command that sets it needs no advice.
    let (_, findings) = with(
        "confluentinc/",
        "    command: [bash, -c, 'export CONNECT_REST_ADVERTISED_HOST_NAME=x; exec /etc/confluent/docker/run']\n",
    );
    assert!(!findings.contains("must set"), "{findings}");
}

#[test]
fn whoever_names_or_needs_a_service_may_reach_it() {
    let text = format!(
        "services:\n  api:\n    image: i\n    expose: ['9000', '9001']\n{SIZE}  by-need:\n    image: i\n    depends_on: [api]\n{SIZE}\
         \x20 by-value:\n    image: i\n    environment: {{ API: 'x http://api.dev.lan:9000/y' }}\n{SIZE}\
         \x20 by-command:\n    image: i\n    command: [run, '--at=api.dev.lan:9001']\n{SIZE}  stranger:\n    image: i\n    environment: {{ API: 'my-api:9000' }}\n{SIZE}\
         x-cloudmap: {{ lan: {{ Name: dev.lan }} }}\n"
    );
    let (stack, findings) = decided(&text);
    assert_eq!(findings, "");
    let names = |number| {
        let rules = rules(&family(&stack, "api").ingress);
        rules.into_iter().filter(|rule| rule.1 == number).map(|rule| rule.0).collect::<Vec<_>>()
    };
    assert_eq!(names(9000), ["by-need", "by-value"]);
    assert_eq!(names(9001), ["by-command", "by-need"]);
    assert_eq!(family(&stack, "api").registration.as_ref().unwrap().name, "api");
}

#[test]
fn a_name_that_leads_nowhere_is_found() {
    let text = format!(
        "services:\n  api:\n    image: i\n    expose: ['9000']\n{SIZE}  user:\n    image: i\n    environment:\n      A: http://api:9000\n      B: http://api.dev.lan:9999\n{SIZE}\
         x-cloudmap: {{ lan: {{ Name: dev.lan }} }}\n"
    );
    let (_, findings) = decided(&text);
    assert!(findings.contains("A names api, which is no name on ECS; write api.dev.lan"), "{findings}");
    assert!(findings.contains("B names port 9999 of api, which opens no such port; api opens 9000"), "{findings}");
}

#[test]
fn the_world_is_let_in_only_where_the_file_says_so_and_then_it_is_said() {
    let text = format!(
        "services:\n  web:\n    image: i\n    ports: ['8080:8080']\n{SIZE}    x-network:\n      Ingress:\n        ExtSources:\n          - IPv4: 0.0.0.0/0\n"
    );
    let (stack, findings) = decided(&text);
    assert_eq!(rules(&family(&stack, "web").ingress), [("0.0.0.0/0".to_owned(), 8080)]);
    assert!(findings.starts_with("10:19 warning") && findings.contains("open to the whole internet on port 8080"), "{findings}");
}

#[test]
fn a_secret_arrives_whole_or_by_its_keys() {
    let text = format!(
        "services:\n  web:\n    image: i\n    secrets: [whole, named, keyed]\n{SIZE}secrets:\n  whole:\n    x-secrets: {{ Name: /a }}\n\
         \x20 named:\n    x-secrets: {{ Name: /b, VarName: B }}\n  keyed:\n    x-secrets: {{ Name: /c, LinksTo: [EcsTaskRole], JsonKeys: [ {{ SecretKey: k, VarName: K }}, {{ SecretKey: l }} ] }}\n\
         \x20 unused:\n    x-secrets: {{ Name: /d }}\n"
    );
    let (stack, findings) = decided(&text);
    assert_eq!(findings, "");
    let secrets: Vec<(&str, &str, Option<&str>)> = stack.families[0].containers[0]
        .secrets
        .iter()
        .map(|(variable, source)| (variable.as_str(), source.secret.as_str(), source.key.as_deref()))
        .collect();
    assert_eq!(secrets, [("B", "named", None), ("K", "keyed", Some("k")), ("l", "keyed", Some("l")), ("whole", "whole", None)]);
    assert_eq!(stack.secrets["whole"].lookup, SecretLookup::Name("/a".into()));
    assert!(stack.secrets["keyed"].task_may_read && !stack.secrets["whole"].task_may_read);
    assert!(!stack.secrets.contains_key("unused"));
}

#[test]
fn a_secret_that_cannot_arrive_is_found() {
    let text = format!(
        "services:\n  web:\n    image: i\n    environment: {{ s: plain }}\n    secrets: [f, s]\n{SIZE}secrets:\n  f: {{ file: ./f }}\n  s: {{ x-secrets: {{ Name: /a }} }}\n"
    );
    let (_, findings) = decided(&text);
    assert!(findings.contains("f is not in Secrets Manager"), "{findings}");
    assert!(findings.contains("s is set in environment and by the secret s"), "{findings}");
}

#[test]
fn sizes_are_legal_or_found() {
    let sized = |cpus: &str, memory: &str| {
        let limits = format!("deploy: {{ resources: {{ limits: {{ cpus: '{cpus}', memory: {memory} }} }} }}");
        let (stack, findings) = decided(&format!("services:\n  web:\n    image: i\n    {limits}\n"));
        (stack.families[0].size, findings)
    };
    assert_eq!(sized("1", "2G"), (Size { cpu: 1024, memory: 2048 }, String::new()));
    let (size, findings) = sized("1", "1G");
    assert_eq!(size, Size { cpu: 1024, memory: 2048 });
    assert!(findings.contains("which Fargate doesn't have"), "{findings}");
    let (_, findings) = sized("64", "1G");
    assert!(findings.contains("error services.web.deploy.resources: web asks for 64 vCPU"), "{findings}");
}

#[test]
fn a_reservation_is_below_the_limit_or_left_out() {
    let reserved = |memory: &str| {
        let resources = format!("{{ limits: {{ cpus: '1', memory: 2G }}, reservations: {{ memory: {memory} }} }}");
        let (stack, findings) = decided(&format!("services:\n  web:\n    image: i\n    deploy: {{ resources: {resources} }}\n"));
        let container = &stack.families[0].containers[0];
        (container.memory, container.memory_reservation, findings)
    };
    assert_eq!(reserved("1G"), (Some(2048), Some(1024), String::new()));
    assert_eq!(reserved("2G"), (Some(2048), None, String::new()));
    assert!(reserved("3G").2.contains("reserves 3072 MiB, above its limit of 2048 MiB"));
}

#[test]
fn a_family_of_several_containers_is_one_task() {
    let half = "    deploy: { resources: { limits: { cpus: '0.5', memory: 1G } } }\n";
    let text = format!(
        "services:\n  app:\n    image: i\n    labels: {{ ecs.task.family: pair }}\n    depends_on: {{ init: {{ condition: service_completed_successfully }} }}\n{half}\
         \x20 init:\n    image: i\n    labels: {{ ecs.task.family: pair, ecs.depends.condition: SUCCESS }}\n{half}"
    );
    let (stack, findings) = decided(&text);
    assert_eq!(findings, "");
    let pair = family(&stack, "pair");
    assert_eq!(pair.size, Size { cpu: 1024, memory: 2048 });
    let essential: Vec<(&str, bool)> =
        pair.containers.iter().map(|container| (container.name.as_str(), container.essential)).collect();
    assert_eq!(essential, [("app", true), ("init", false)]);
    assert_eq!(pair.containers[0].depends_on, [("init".to_owned(), super::Condition::Success)]);
    assert!(pair.containers[1].labels.is_empty());
}

#[test]
fn what_ecs_cannot_honour_is_said() {
    let text = format!(
        "services:\n  web:\n    image: i\n    privileged: true\n    hostname: h\n    stop_grace_period: 5m\n    ports: ['80:8080']\n    volumes: ['data:/d']\n\
         \x20   ulimits: {{ nproc: 5 }}\n    depends_on: {{ db: {{ condition: service_healthy }} }}\n{SIZE}  db:\n    image: i\n{SIZE}volumes: {{ data: {{}} }}\n"
    );
    let (stack, findings) = decided(&text);
    for part in [
        "services.web.privileged",
        "services.web.hostname",
        "a stop_grace_period of 300 s",
        "not on 80",
        "services.web.volumes",
        "the limit nproc",
        "web can't wait for db",
    ] {
        assert!(findings.contains(part), "{part}:\n{findings}");
    }
    assert_eq!(family(&stack, "web").containers[0].stop_timeout, Some(120));
}

#[test]
fn a_health_check_must_be_one_that_ecs_takes() {
    let check = |check: &str| {
        decided(&format!("services:\n  web:\n    image: i\n    healthcheck: {{ test: [CMD, x], {check} }}\n{SIZE}")).1
    };
    assert_eq!(check("interval: 30s"), "");
    assert!(check("interval: 1s").contains("from 5 s to 300 s, not 1 s"));
    assert!(check("timeout: 1s").contains("from 2 s to 60 s"));
    assert!(check("retries: 11").contains("1 to 10 retries"));
    assert!(check("start_period: 10m").contains("not 600 s"));
}

#[test]
fn a_password_in_plain_sight_is_found() {
    let (_, findings) = decided(&format!(
        "services:\n  web:\n    image: i\n    environment: {{ DB_PASSWORD: hunter2, R: '{{{{resolve:ssm:x}}}}' }}\n{SIZE}"
    ));
    assert!(findings.contains("warning services.web.environment.DB_PASSWORD"), "{findings}");
    assert!(findings.contains("error services.web.environment.R"), "{findings}");
    assert!(!findings.contains("hunter2"));
}

#[test]
fn spot_is_as_written_but_never_where_the_profile_says_never() {
    let spot = "    x-ecs: { CapacityProviderStrategy: [ { CapacityProvider: FARGATE, Base: 1, Weight: 2 }, { CapacityProvider: FARGATE_SPOT, Weight: 1 } ] }\n";
    let (stack, findings) = decided(&format!("services:\n  web:\n    image: i\n{SIZE}{spot}"));
    assert_eq!(findings, "");
    let Capacity::Providers(providers) = &stack.families[0].capacity else { panic!() };
    assert_eq!((providers[0].base, providers[0].weight, providers[1].name.as_str()), (1, 2, "FARGATE_SPOT"));
}

#[test]
fn a_balancer_leads_to_a_container_that_listens() {
    let with = |service: &str, balancer: &str| {
        decided(&format!(
            "services:\n  web:\n    image: i\n{service}{SIZE}x-elbv2:\n  lb: {{ Listeners: [ {{ Port: 80, Protocol: HTTP, Targets: [ {{ name: 'web:web' }} ] }} ], {balancer} }}\n"
        ))
    };
    let ingress = "MacroParameters: { Ingress: { ExtSources: [ { IPv4: 10.0.0.0/8 } ] } }";
    let (stack, findings) =
        with("    ports: ['8080:8080']\n", &format!("Services: [ {{ name: 'web:web', port: 8080 }} ], {ingress}"));
    assert_eq!(findings, "");
    assert_eq!(rules(&family(&stack, "web").ingress), [("balancer lb".to_owned(), 8080)]);
    assert_eq!(rules(&stack.balancers[0].ingress), [("10.0.0.0/8".to_owned(), 80)]);
    assert!(stack.balancers[0].internet_facing);
    assert_eq!(stack.balancers[0].attributes["idle_timeout.timeout_seconds"].literal(), Some("300"));
    assert_eq!(stack.subnets.keys().collect::<Vec<_>>(), ["AppSubnets", "PublicSubnets"]);
    for (services, word) in [
        ("Services: [ { name: 'web:web', port: 9 } ]", "web doesn't open port 9; it opens 8080"),
        ("Services: [ { name: 'wbe:web', port: 8080 } ]", "did you mean web?"),
        ("Services: [ { name: 'web:wbe', port: 8080 } ]", "has no container wbe"),
        ("Services: [ { name: 'web:web', port: 8080, protocol: TCP } ]", "TCP doesn't go with an application load balancer"),
    ] {
        let (_, findings) = with("    ports: ['8080:8080']\n", &format!("{services}, {ingress}"));
        assert!(findings.contains(word), "{word}:\n{findings}");
    }
    let (_, findings) = with("    ports: ['8080:8080']\n", "Services: [ { name: 'web:web', port: 8080 } ]");
    assert!(findings.contains("nobody may reach the load balancer lb"), "{findings}");
}

#[test]
fn the_range_and_the_number_of_tasks_agree_or_it_is_said() {
    let text = "services:\n  web:\n    image: i\n    deploy: { replicas: 5, resources: { limits: { cpus: '1', memory: 2G } } }\n    x-scaling: { Range: 1-3, TargetScaling: { CpuTarget: 50 } }\n";
    let (stack, findings) = decided(text);
    assert!(findings.contains("starts with 5 tasks, outside of its range 1-3"), "{findings}");
    let scaling = stack.families[0].scaling.as_ref().unwrap();
    assert_eq!((scaling.minimum, scaling.maximum, scaling.cpu_percent), (1, 3, Some(50)));
}

#[test]
fn plain_services_keep_their_update_config() {
    let rollout = |update: &str| {
        let (stack, _) = decided(&format!(
            "services:\n  web:\n    image: i\n    deploy: {{ replicas: 4, {update} resources: {{ limits: {{ cpus: '1', memory: 2G }} }} }}\n"
        ));
        let rollout = stack.families[0].rollout;
        (rollout.minimum_percent, rollout.maximum_percent, rollout.az_rebalancing)
    };
    assert_eq!(rollout(""), (100, 200, true));
    assert_eq!(rollout("update_config: { parallelism: 1 },"), (75, 100, false));
    assert_eq!(rollout("update_config: { parallelism: 2, order: start-first },"), (100, 150, true));
    assert_eq!(rollout("update_config: { parallelism: 0 },"), (0, 100, false));
}

#[test]
fn lookups_are_needs_and_a_missing_one_is_found() {
    let vpc = "x-vpc: { Lookup: { VpcId: vpc-0a1b2c3d, PubSubnets: { Tags: { a: b } } } }\n";
    let (stack, findings) = decided(&format!("services:\n  web:\n    image: i\n{SIZE}{vpc}"));
    assert_eq!(stack.vpc, VpcSource::Existing(Lookup::Id("vpc-0a1b2c3d".into())));
    assert!(findings.contains("x-vpc doesn't say which subnets are AppSubnets"), "{findings}");
    let (stack, findings) = decided(&format!(
        "services:\n  web:\n    image: i\n{SIZE}x-cluster: {{ Lookup: 'arn:aws:ecs:eu-west-1:1:cluster/main' }}\n"
    ));
    let Cluster::Existing(cluster) = &stack.cluster else { panic!() };
    assert_eq!((cluster, findings.as_str()), (&Lookup::Id("main".into()), ""));
    assert_eq!(stack.vpc, VpcSource::Existing(Lookup::Unsaid));
}

#[test]
fn an_msk_clusters_group_lets_its_clients_in() {
    let rules = |kafka: &str| {
        let (stack, findings) =
            decided(&format!("services:\n{CONNECT}{SIZE}  web:\n    image: i\n{SIZE}x-kafka: {{ {kafka} }}\n"));
        let rules: Vec<(String, u16)> = stack.outside_rules.iter().map(|rule| (rule.family.clone(), rule.port)).collect();
        (rules, findings)
    };
    let connect = |port| vec![("connect".to_owned(), port)];
    assert_eq!(rules("security-group: sg-1, bootstrap: 'a:9096,b:9096'").0, connect(9096));
    let (found, findings) = rules("security-group: sg-1, provider: msk-iam");
    assert_eq!(found, connect(9098));
    assert_eq!(findings.matches("error").count(), 0, "{findings}");
    assert!(rules("security-group: sg-1").1.contains("on which port"));
    assert!(rules("security-group: kafka").1.contains("not the id of a security group"));
}

#[test]
fn tags_of_ours_and_of_aws_are_kept() {
    let (stack, findings) = decided(&format!(
        "services:\n  web:\n    image: i\n{SIZE}x-tags: {{ team: a, 'aws:x': b, 'confluent-ecs:env': c, bad: 'a,b' }}\n"
    ));
    assert!(findings.contains("AWS keeps tags that start with aws:") && findings.contains("is a tag of ours"), "{findings}");
    assert!(findings.contains("takes \",\" in a tag: bad"), "{findings}");
    let tags: Vec<(&str, String)> = stack.tags.iter().map(|(key, value)| (key.as_str(), value.to_string())).collect();
    assert_eq!(tags[0], ("confluent-ecs:env", "dev".to_owned()));
    assert_eq!(tags[1], ("confluent-ecs:project", "p".to_owned()));
    assert_eq!(tags[3], ("team", "a".to_owned()));
}

#[test]
fn arm64_and_disk_are_asked_for_or_found() {
    let (stack, findings) = decided(&format!(
        "services:\n  web:\n    image: i\n    platform: linux/arm64\n    labels: {{ ecs.ephemeral.storage: '100' }}\n{SIZE}"
    ));
    assert_eq!(
        (stack.families[0].architecture, stack.families[0].ephemeral_gib, findings.as_str()),
        (super::Architecture::Arm64, Some(100), "")
    );
    let (_, findings) = decided(&format!(
        "services:\n  web:\n    image: i\n    platform: windows/amd64\n    labels: {{ ecs.ephemeral.storage: '500' }}\n{SIZE}"
    ));
    assert!(findings.contains("doesn't run windows/amd64") && findings.contains("takes 21 to 200"), "{findings}");
}

#[test]
fn settings_fit_what_is_around_them() {
    let connect = |name: &str, image: &str, group: &str, more: &str| {
        CONNECT
            .replace("  connect:", &format!("  {name}:"))
            .replace(":8.0.7", image)
            .replace("GROUP_ID: g", &format!("GROUP_ID: {group}"))
            + SIZE
            + more
    };
    let check = "    healthcheck: { test: [CMD, curl, -f, 'http://localhost:8083/'] }\n";
    let (_, findings) = decided(&format!(
        "services:\n{}{}",
        connect("one", ":8.3.1", "g", check)
            .replace("CONNECT_VALUE_CONVERTER: v", "CONNECT_VALUE_CONVERTER: v, KAFKA_HEAP_OPTS: -Xmx3g"),
        connect("two", ":8.0.7", "h", "")
    ));
    for said in ["one and two share topic c, topic o, topic s", "heap of 3072 MiB", "the health check calls curl"] {
        assert!(findings.contains(said), "{said}: {findings}");
    }
    let (_, findings) =
        decided(&format!("services:\n{}{}", connect("one", ":8.0.7", "g", check), connect("two", ":8.0.7", "g", "")));
    assert!(findings.contains("they are one cluster") && !findings.contains("calls curl"), "{findings}");
    assert!(!findings.contains("error"), "{findings}");
}

#[test]
fn a_service_of_several_families_is_in_each() {
    let (stack, findings) = decided(&format!(
        "services:\n  one:\n    image: i\n    ports: ['80']\n{SIZE}  two:\n    image: i\n    ports: ['81']\n{SIZE}\
         \x20 proxy:\n    image: i\n    ports: ['90']\n    depends_on: [one]\n    labels: {{ ecs.task.family: 'one, two' }}\n    deploy: {{ resources: {{ limits: {{ cpus: '1', memory: 2G }} }} }}\n\
         \x20 client:\n    image: i\n    depends_on: [proxy]\n{SIZE}"
    ));
    assert_eq!(findings, "", "each finding once, and none here");
    let names = |name: &str| family(&stack, name).containers.iter().map(|container| container.name.clone()).collect::<Vec<_>>();
    assert_eq!(
        (names("one"), names("two")),
        (vec!["one".to_owned(), "proxy".to_owned()], vec!["proxy".to_owned(), "two".to_owned()])
    );
    assert_eq!(family(&stack, "two").size, Size { cpu: 2048, memory: 4096 });
    // Who depends on it may reach it in each of its tasks; the copy beside `one` needs no way to it, the other does.
    let client = |name: &str, port| rules(&family(&stack, name).ingress).contains(&("client".to_owned(), port));
    assert!(client("one", 90) && client("two", 90));
    assert_eq!(rules(&family(&stack, "one").ingress).iter().filter(|(from, _)| from == "two").count(), 2);
}

#[test]
fn the_most_disk_that_a_container_asks_for_is_the_tasks() {
    let labels = |first: &str, second: &str| {
        decided(&format!(
            "services:\n  a:\n    image: i\n    labels: {{ ecs.task.family: f, ecs.ephemeral.storage: {first} }}\n{SIZE}\
             \x20 b:\n    image: i\n    labels: {{ ecs.task.family: f, ecs.ephemeral.storage: {second} }}\n{SIZE}"
        ))
    };
    for (first, second, expected) in
        [("'30'", "'60'", Some(60)), ("60GB", "'30'", Some(60)), ("'20'", "10G", None), ("51200m", "'21'", Some(50))]
    {
        let (stack, findings) = labels(first, second);
        assert_eq!((stack.families[0].ephemeral_gib, findings.as_str()), (expected, ""), "{first} {second}");
    }
}
