//! What stands in front of services and beside them: balancers, Service Connect, alarms, volumes.

use super::tests::{SIZE, decided, family, rules};
use super::{Answer, CertificateSource, Conditions, ConnectNamespace, Lookup, Reply, TopicSource, VolumeKind};

const INGRESS: &str = "    MacroParameters: { Ingress: { ExtSources: [ { IPv4: 10.0.0.0/8 } ] } }\n";

/// A service `web` on 8080, a service `api` on 9000, and a balancer before them.
fn before(balancer: &str) -> (super::Stack, String) {
    decided(&format!(
        "services:\n  web:\n    image: i\n    ports: ['8080:8080']\n{SIZE}  api:\n    image: i\n    ports: ['9000:9000']\n{SIZE}x-elbv2:\n  lb:\n{balancer}"
    ))
}

#[test]
fn requests_go_by_host_and_path_and_the_rest_gets_an_answer() {
    let services = "    Services: { web:web: { port: 8080 }, api:api: { port: 9000 } }\n";
    let (stack, findings) = before(&format!(
        "{INGRESS}{services}    Listeners: {{ '80': {{ Targets: [ {{ name: 'web:web', access: example.com:8443/app }}, {{ name: 'api:api', access: '/api/*' }} ] }} }}\n"
    ));
    assert_eq!(findings, "");
    let listener = &stack.balancers[0].listeners[0];
    // The port is none of the host's, and a folder means what is in it.
    let wanted = Conditions {
        hosts: vec!["example.com".to_owned()],
        paths: vec!["/app".to_owned(), "/app/*".to_owned()],
        ..Conditions::default()
    };
    assert_eq!(listener.rules[0].conditions, wanted);
    assert_eq!(listener.rules[1].conditions.paths, ["/api/*"]);
    assert_eq!(listener.rules[1].answer.targets(), ["api:api"]);
    let Some(Answer::Reply(Reply::Fixed { status, .. })) = &listener.default else { panic!("{:?}", listener.default) };
    assert_eq!(status, "404");
    // Whoever takes everything is asked last, wherever it is written.
    let (stack, findings) = before(&format!(
        "{INGRESS}{services}    Listeners: {{ '80': {{ Targets: [ {{ name: 'web:web', access: / }}, {{ name: 'api:api', access: /api }} ] }} }}\n"
    ));
    assert_eq!(findings, "");
    assert_eq!(stack.balancers[0].listeners[0].default.as_ref().unwrap().targets(), ["web:web"]);
}

#[test]
fn a_listener_with_a_certificate_speaks_tls() {
    let (stack, findings) = before(&format!(
        "{INGRESS}    Services: {{ web:web: {{ port: 8080 }} }}\n    Listeners: [ {{ Port: 443, Protocol: HTTP, Certificates: [ {{ x-acm: main }}, {{ Arn: 'arn:aws:acm:a:111122223333:certificate/b' }} ], Targets: [ {{ name: 'web:web' }} ] }} ]\n\
         x-acm: {{ main: {{ Lookup: {{ Tags: {{ a: b }} }} }} }}\n"
    ));
    assert_eq!(findings, "");
    let listener = &stack.balancers[0].listeners[0];
    assert_eq!((listener.protocol.as_str(), listener.certificates.len()), ("HTTPS", 2));
    assert!(listener.ssl_policy.as_deref().unwrap().contains("TLS13"));
    let source = |index: usize| stack.certificates[&listener.certificates[index]].source.clone();
    assert_eq!(source(0), CertificateSource::Existing(Lookup::Tags(vec![("a".to_owned(), "b".to_owned())])));
    assert_eq!(source(1), CertificateSource::Existing(Lookup::Id("arn:aws:acm:a:111122223333:certificate/b".into())));
}

#[test]
fn a_network_load_balancer_lets_in_who_may_reach_its_services() {
    let (stack, findings) = decided(&format!(
        "services:\n  web:\n    image: i\n    ports: ['8080:8080', '9000:9000/udp']\n    x-network: {{ Ingress: {{ ExtSources: [ {{ IPv4: 10.0.0.0/8, Ports: [8080] }} ] }} }}\n{SIZE}\
         x-elbv2:\n  nlb:\n    Properties: {{ Type: network, Scheme: internal }}\n    Services: {{ web:web:9000: {{ port: 9000, protocol: UDP, healthcheck: '8080:TCP' }} }}\n    Listeners: {{ '53': {{ Protocol: UDP, Targets: [ {{ name: 'web:web' }} ] }} }}\n"
    ));
    assert_eq!(findings, "");
    assert_eq!(rules(&stack.balancers[0].ingress), [("10.0.0.0/8".to_owned(), 53)]);
    assert_eq!(stack.balancers[0].ingress[0].port.protocol, super::Protocol::Udp);
    assert_eq!(stack.balancers[0].subnets, "AppSubnets");
    // Over UDP to the service, over TCP to ask whether it is well.
    let ports: Vec<_> = family(&stack, "web").ingress.iter().map(|rule| (rule.port.number, rule.port.protocol)).collect();
    assert!(ports.contains(&(9000, super::Protocol::Udp)) && ports.contains(&(8080, super::Protocol::Tcp)), "{ports:?}");
    assert!(!ports.contains(&(9000, super::Protocol::Tcp)), "{ports:?}");
}

#[test]
fn names_in_service_connect_lead_to_the_containers_port() {
    let connect = "x-network: { x-ecs_connect: { MacroParameters: { x-cloudmap: lan";
    let text = |client: &str| {
        format!(
            "services:\n  web:\n    image: i\n    ports: ['8080:8080']\n    {connect}, service_ports: {{ tcp_8080: {{ DnsName: web, IngressPortOverride: 15000 }} }} }} }} }}\n{SIZE}\
             \x20 client:\n    image: i\n    environment: {{ WEB: 'http://web:8080/x' }}\n{client}{SIZE}x-cloudmap: {{ lan: {{ Name: a.lan }} }}\n"
        )
    };
    let (stack, findings) = decided(&text(&format!("    {connect} }} }} }}\n")));
    assert_eq!(findings, "");
    let web = family(&stack, "web");
    let offer = &web.connect.as_ref().unwrap().offers[0];
    assert_eq!(web.connect.as_ref().unwrap().namespace, ConnectNamespace::Named("lan".to_owned()));
    // Cloud Map has the plain name already: nobody asks for one, and all are registered.
    assert_eq!((offer.discovery_name.as_str(), offer.port_name.as_str()), ("web-8080", "tcp_8080"));
    assert_eq!(rules(&web.ingress), [("client".to_owned(), 15_000)]);
    // Who isn't a client of the namespace knows no such name.
    let (_, findings) = decided(&text(""));
    assert!(findings.contains("WEB names web, which is no name on ECS; write web.a.lan"), "{findings}");
}

#[test]
fn a_volume_is_the_tasks_own_or_a_file_system() {
    let (stack, findings) = decided(&format!(
        "services:\n  app:\n    image: i\n    labels: {{ ecs.task.family: pair }}\n    volumes: ['shared:/a', 'files:/f:ro', 'alone:/c']\n{SIZE}\
         \x20 side:\n    image: i\n    labels: {{ ecs.task.family: pair }}\n    volumes: ['shared:/b:ro', 'files:/f']\n    volumes_from: ['app:ro']\n{SIZE}\
         volumes: {{ shared: {{}}, alone: {{}}, files: {{ x-efs: {{ Use: fs-0a1b2c3d, AccessPoint: fsap-0a1b2c3d, SecurityGroup: sg-0a1b2c3d }} }} }}\n"
    ));
    let pair = family(&stack, "pair");
    assert_eq!(pair.volumes.iter().map(|volume| volume.name.as_str()).collect::<Vec<_>>(), ["alone", "files", "shared"]);
    let VolumeKind::Efs(efs) = &pair.volumes[1].kind else { panic!() };
    assert!(efs.iam && !efs.read_only);
    assert_eq!(efs.file_system, Lookup::Id("fs-0a1b2c3d".into()));
    assert_eq!(pair.containers[1].mounts_of, [("app".to_owned(), true)]);
    assert_eq!((stack.outside_rules[0].behind, stack.outside_rules[0].port), ("Efs", 2049));
    // What containers share is meant to go with the task; what one has alone may be meant to stay.
    assert!(findings.contains("the volume alone lies on the task's own disk"), "{findings}");
    assert_eq!(findings.lines().count(), 1, "{findings}");
}

#[test]
fn alarms_have_the_range_and_the_topics_that_are_meant() {
    let alarm = |settings: &str| {
        decided(&format!(
            "services:\n  web:\n    image: i\n    deploy: {{ replicas: 2, resources: {{ limits: {{ cpus: '1', memory: 2G }} }} }}\n    x-scaling: {{ Range: 2-5, TargetScaling: {{ CpuTarget: 50 }} }}\n\
             \x20   x-alarms: {{ Predefined: [ {{ Name: HighRamUsageAndMaxScaledOut, Topics: [ {{ x-sns: a, NotifyOn: okay }} ], Settings: {{ {settings} }} }} ] }}\nx-sns: {{ a: {{ Lookup: {{ Tags: {{ k: v }} }} }}, b: {{ Properties: {{}} }} }}\n"
        ))
    };
    let (stack, findings) = alarm("");
    assert_eq!(findings, "");
    let ids: Vec<&str> = stack.alarms.iter().map(|alarm| alarm.id.as_str()).collect();
    assert_eq!(ids, ["WebHighRamUsageAlarm", "WebHighRamUsageAndMaxScaledOutAlarm", "WebScalingOutMaxedAlarm"]);
    let both = &stack.alarms[1];
    assert_eq!((both.on_alarm.len(), both.on_ok.as_slice()), (0, &["a".to_owned()][..]));
    assert!(matches!(stack.topics["a"].source, TopicSource::Existing(Lookup::Tags(_))));
    // A topic that is asked for is made, whoever may speak to it.
    assert!(matches!(stack.topics["b"].source, TopicSource::New(_)));
    assert!(alarm("RunningTaskCount: 9").1.contains("scaling stops at 5 tasks, it waits for 9"));
    assert!(alarm("EvaluationPeriods: 2, DatapointsToAlarm: 3").1.contains("3 of 2 datapoints"));
}

#[test]
fn several_containers_of_a_task_agree_on_what_a_service_has_once() {
    let (stack, findings) = decided(&format!(
        "services:\n  app:\n    image: i\n    labels: {{ ecs.task.family: pair }}\n    x-ecs: {{ CapacityProviderStrategy: [ {{ CapacityProvider: FARGATE, Base: 1, Weight: 1 }} ] }}\n    secrets: [own]\n{SIZE}\
         \x20 side:\n    image: i\n    labels: {{ ecs.task.family: pair, ecs.depends.condition: complete }}\n    restart: 'no'\n    x-ecs: {{ CapacityProviderStrategy: [ {{ CapacityProvider: FARGATE, Weight: 3 }}, {{ CapacityProvider: FARGATE_SPOT, Weight: 1 }} ] }}\n{SIZE}\
         secrets: {{ own: {{ x-secrets: {{ Name: /a, LinksTo: [EcsTaskRole] }} }} }}\n"
    ));
    assert_eq!(findings, "");
    let pair = family(&stack, "pair");
    let super::Capacity::Providers(providers) = &pair.capacity else { panic!() };
    let merged: Vec<(&str, u32, u32)> =
        providers.iter().map(|provider| (provider.name.as_str(), provider.base, provider.weight)).collect();
    assert_eq!(merged, [("FARGATE", 1, 3), ("FARGATE_SPOT", 0, 1)]);
    // One that others may outlive is not essential, and may end.
    assert!(pair.containers[0].essential && !pair.containers[1].essential);
    // A secret that only the task's own role reads stands in no variable.
    assert_eq!((pair.containers[0].secrets.len(), pair.containers[0].read_by_itself.as_slice()), (0, &["own".to_owned()][..]));
}

#[test]
fn a_container_of_two_families_stands_behind_a_balancer_once_for_each() {
    let services = "services:\n  proxy:\n    image: i\n    ports: ['80:80']\n    labels: { ecs.task.family: 'one,two' }\n";
    let (stack, findings) = decided(&format!(
        "{services}{SIZE}x-elbv2:\n  lb:\n{INGRESS}    Services: {{ 'one:proxy': {{ port: 80 }}, 'two:proxy': {{ port: 80 }} }}\n    \
         Listeners: {{ '80': {{ Targets: [ {{ name: 'one:proxy', access: /one }}, {{ name: 'two:proxy', access: /two }} ] }} }}\n"
    ));
    assert_eq!(findings, "");
    let ids: Vec<&str> = stack.balancers[0].targets.iter().map(|target| target.id.as_str()).collect();
    assert_eq!(ids, ["LbLoadBalancerOneProxy80", "LbLoadBalancerTwoProxy80"]);
    // Another family that is called as the container is.
    let web = services.replace("proxy", "web").replace("one,two", "web,other");
    let (stack, findings) = decided(&format!(
        "{web}{SIZE}x-elbv2:\n  lb:\n{INGRESS}    Services: {{ 'web:web': {{ port: 80 }}, 'other:web': {{ port: 80 }} }}\n    \
         Listeners: {{ '80': {{ Targets: [ {{ name: 'web:web', access: /one }}, {{ name: 'other:web', access: /two }} ] }} }}\n"
    ));
    assert_eq!(findings, "");
    let targets = &stack.balancers[0].targets;
    assert_ne!(targets[0].id, targets[1].id);
}

#[test]
fn a_short_health_check_may_have_codes_without_a_path() {
    for (check, healthy) in [("8080:HTTP:200,201,404", None), ("8080:HTTP:4:2:15:5:200,201,404", Some(4))] {
        let (stack, findings) = before(&format!(
            "{INGRESS}    Services: {{ web:web: {{ port: 8080, healthcheck: '{check}' }} }}\n    \
             Listeners: {{ '80': {{ Targets: [ {{ name: 'web:web' }} ] }} }}\n"
        ));
        assert_eq!(findings, "");
        let check = &stack.balancers[0].targets[0].health_check;
        assert_eq!((check.codes.as_deref(), check.path.as_deref(), check.healthy), (Some("200,201,404"), None, healthy));
    }
}

#[test]
fn a_condition_is_known_by_what_is_written_below_it() {
    let (stack, findings) = before(&format!(
        "{INGRESS}    Services: {{ web:web: {{ port: 8080 }} }}\n    Listeners: {{ '80': {{ Targets: [ {{ name: 'web:web', \
         Conditions: [ {{ PathPatternConfig: {{ Values: [/a] }} }}, {{ HttpRequestMethodConfig: {{ Values: [GET] }} }} ] }} ] }} }}\n"
    ));
    assert_eq!(findings, "");
    let wanted = Conditions { paths: vec!["/a".to_owned()], methods: vec!["GET".to_owned()], ..Conditions::default() };
    assert_eq!(stack.balancers[0].listeners[0].rules[0].conditions, wanted);
}

#[test]
fn what_lies_in_memory_gets_half_of_it_unless_it_says_a_size() {
    let (stack, findings) = decided(&format!(
        "services:\n  web:\n    image: i\n    tmpfs: [/run, '/tmp:size=25%,ro,mode=700']\n{SIZE}\
         \n  api:\n    image: i\n    volumes: [{{ type: tmpfs, target: /cache, tmpfs: {{ size: 9g }} }}]\n{SIZE}"
    ));
    let container = |name: &str| &stack.families.iter().find(|family| family.name == name).unwrap().containers[0];
    let mounts: Vec<(String, u32)> =
        container("web").tmpfs.iter().map(|mount| (mount.path.to_string(), mount.mebibytes)).collect();
    let memory = container("web").memory.unwrap();
    assert_eq!(mounts, [("/run".to_owned(), memory / 2), ("/tmp".to_owned(), memory / 4)]);
    assert_eq!(container("web").tmpfs[1].options, ["ro"]);
    for word in ["the tmpfs /run has no size", "mode of a tmpfs can't be honoured", "may grow to 9216 MiB"] {
        assert!(findings.contains(word), "{findings}");
    }
    assert!(!findings.contains("error"), "{findings}");
}
