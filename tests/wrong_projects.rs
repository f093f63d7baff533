//! What deployers of compose files accept in silence or answer with a traceback: each is found at its place, in words, before anything is
//! touched, and ends with exit status 2.

use std::fs;

use crate::support::program::run_with;

/// A project that is right but for one thing. `§` stands before it and is taken out.
pub(crate) struct Wrong {
    /// Below the service `web`.
    service: &'static str,
    /// At the top.
    top: &'static str,
    words: &'static [&'static str],
}

pub(crate) const fn service(service: &'static str, words: &'static [&'static str]) -> Wrong {
    Wrong { service, top: "", words }
}

pub(crate) const fn top(top: &'static str, words: &'static [&'static str]) -> Wrong {
    Wrong { service: "", top, words }
}

/// A balancer that is right, but for what a row puts into it.
const BALANCER: &str = "x-elbv2:\n  lb:\n    MacroParameters: { Ingress: { ExtSources: [ { IPv4: 10.0.0.0/8 } ] } }\n";

/// An alarm that is right, but for what a row puts to it.
const ALARM: &str = "x-alarms:\n  busy:\n    Properties: { Namespace: n, MetricName: m, Statistic: Sum, ComparisonOperator: GreaterThanThreshold, \
    Threshold: 1, Period: 60, EvaluationPeriods: 1 }\n";

const SERVICE: &[Wrong] = &[
    // Misspelt at every level.
    service("§x-scalling: { Range: 1-3 }", &["unknown key x-scalling", "did you mean x-scaling?"]),
    service("x-scaling: { §Rnage: 1-3 }", &["unknown key Rnage", "did you mean Range?"]),
    service("x-scaling: { Range: 1-3, TargetScaling: { §CpuTraget: 50 } }", &["did you mean CpuTarget?"]),
    service("x-network: { §Ingres: {} }", &["did you mean Ingress?"]),
    service("x-network: { Ingress: { §Myslef: true } }", &["did you mean Myself?"]),
    service("x-network: { Ingress: { ExtSources: [ { §IPv5: 10.0.0.0/8 } ] } }", &["did you mean IPv4?"]),
    service("x-iam: { §Polices: [] }", &["did you mean Policies?"]),
    service(
        "x-iam: { Policies: [ { PolicyName: a, PolicyDocument: { Version: '2012-10-17', Statement: [ { §Efect: Allow, Action: a, Resource: b } ] } } ] }",
        &["did you mean Effect?"],
    ),
    service("x-ecs: { §CpuArchitectur: ARM64 }", &["did you mean CpuArchitecture?"]),
    service("x-logging: { §RetentionDays: 7 }", &["unknown key RetentionDays", "did you mean RetentionInDays?"]),
    service("x-alarms: { §Predefind: {} }", &["did you mean Predefined?"]),
    service("x-alarms: { Predefined: { §HighCpuUsageAndMaxScaleOut: {} } }", &["did you mean HighCpuUsageAndMaxScaledOut?"]),
    service("labels: { §ecs.task.famly: a }", &["did you mean ecs.task.family?"]),
    // Scaling.
    service(
        "x-scaling: { Range: §\"3-1\", TargetScaling: { CpuTarget: 50 } }",
        &["the range 3-1 runs backwards", "write \"1-3\""],
    ),
    service("x-scaling: { Range: §many, TargetScaling: { CpuTarget: 50 } }", &["\"many\" is not a range"]),
    service("x-scaling: { Range: 1-3, TargetScaling: { MemoryTarget: §750 } }", &["from 1 to 100"]),
    service("x-scaling: { Range: 1-3, TargetScaling: { CpuTarget: §0 } }", &["from 1 to 100"]),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: §daily, ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["\"daily\" is no schedule", "cron("],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: rate(1 hour), ScalableTargetAction: §{ MinCapacity: 3, MaxCapacity: 1 } } ] }",
        &["MinCapacity 3 is over MaxCapacity 1"],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: rate(1 hour), ScalableTargetAction: §{} } ] }",
        &["changes nothing"],
    ),
    // Network.
    service("x-network: { Ingress: { ExtSources: [ { IPv4: §10.0.0.1/8 } ] } }", &["bits beyond its length"]),
    service("x-network: { Ingress: { ExtSources: [ { IPv4: §10.0.0.0/33 } ] } }", &["is not a block of addresses", "at most 32"]),
    service("x-network: { Ingress: { AwsSources: [ { Id: §vpc-1 } ] } }", &["neither a security group nor a prefix list"]),
    service("x-network: { Ingress: { Services: [ { Name: §wbe } ] } }", &["there is no service wbe", "did you mean web?"]),
    service("x-network: { x-cloudmap: §nowhere }", &["there is no namespace nowhere"]),
    service(
        "x-network: { x-ecs_connect: { MacroParameters: { x-cloudmap: lan, service_ports: { §tcp_9000: { DnsName: w } } } } }",
        &["no TCP port tcp_9000", "tcp_8080"],
    ),
    service(
        "x-network: { x-ecs_connect: { MacroParameters: { x-cloudmap: §lna } } }",
        &["there is no namespace lna", "did you mean lan?"],
    ),
    service(
        "x-network: { x-cloudmap: lan, x-ecs_connect: { MacroParameters: { x-cloudmap: lan, service_ports: { tcp_8080: { CloudMapServiceName: §web } } } } }",
        &["web is a name in the namespace already"],
    ),
    service("networks: { §inner: {} }", &["inner"]),
    // What Fargate doesn't have.
    service("§cpus: 64", &["asks for 64 vCPU", "16 vCPU with 120 GB"]),
    service("§mem_limit: 200g", &["asks for 200 GB"]),
    service("§platform: windows/amd64", &["Fargate doesn't run windows/amd64"]),
    service("labels: { §ecs.ephemeral.storage: '500' }", &["takes 21 to 200"]),
    service("labels: { §ecs.ephemeral.storage: 12128GB }", &["takes 21 to 200"]),
    service(
        "labels: { ecs.task.family: pair }\n  zside:\n    image: example.com/side:1\n    §ports: ['8080']\n    labels: { ecs.task.family: pair }\n    deploy: { resources: { limits: { cpus: '1', memory: 2G } } }",
        &["zside and web both listen on port 8080 of one task"],
    ),
    service("labels: { §ecs.task.family: 'one,one' }", &["stands in the family one twice"]),
    service("labels: { §ecs.task.family: 'one,,two' }", &["can't be the name of a task family"]),
    service("labels: { §ecs.depends.condition: HELTHY }", &["is no condition of a container", "did you mean HEALTHY?"]),
    service("healthcheck: { test: [CMD, x], §interval: 1s }", &["ECS takes interval from 5 s to 300 s, not 1 s"]),
    service(
        "x-ecs: { CapacityProviderStrategy: [ { CapacityProvider: §FARGATE_SPOTT, Weight: 1 } ] }",
        &["did you mean FARGATE_SPOT?"],
    ),
    service("x-ecs: { CapacityProviderStrategy: §[ { CapacityProvider: FARGATE } ] }", &["no capacity provider has a weight"]),
    service("x-logging: { RetentionInDays: §15 }", &["doesn't keep logs for 15 days", "the next it knows is 30"]),
    service("x-iam: { ManagedPolicyArns: [ §'arn:aws:s3:::bucket' ] }", &["is no policy"]),
    service("x-alarms: { Predefined: { §HighCpuUsageAndMaxScaledOut: {} } }", &["can never fire", "add x-scaling"]),
    service(
        "x-scaling: { Range: 1-3, TargetScaling: { CpuTarget: 50 } }\n    x-alarms: { Predefined: { HighCpuUsageAndMaxScaledOut: { Topics: [ §x-sns::alrts ] } } }",
        &["there is no topic alrts in x-sns"],
    ),
    service("environment: { §PASSWORD: '{{resolve:secretsmanager:x}}' }", &["in the clear", "x-secrets"]),
    service("depends_on: [§bd]", &["bd"]),
    service("secrets: §[creds]", &["creds"]),
];

const TOP: &[Wrong] = &[
    top("secrets: { s: { x-secrets: { Name: §'/kafka/${CLUSTER_ID}/connect' } } }", &["CLUSTER_ID"]),
    top("secrets: { s: { x-secrets: { Name: §/kafka//connect } } }", &["a part of the secret's name is empty"]),
    top("secrets: { s: { x-secrets: { §Nmae: a } } }", &["did you mean Name?"]),
    top("secrets: { s: { x-secrets: { Name: a, VarName: §1A } } }", &["not the name of a variable"]),
    top(
        "secrets: { s: { x-secrets: { Name: a, JsonKeys: [ { SecretKey: a, VarName: A }, §{ SecretKey: b, VarName: A } ] } } }",
        &["A takes two keys of the secret"],
    ),
    top("volumes: { data: { x-efs: { Lookup: §efs-1 } } }", &["is not the id of a file system"]),
    top("volumes: { §data: { external: true } }", &["the volume data is external"]),
    top("networks: { inner: { §x-vcp: App } }", &["did you mean x-vpc?"]),
    top("§x-vpcs: {}", &["did you mean x-vpc?"]),
    top("x-vpc: { Lookup: { VpcId: §{} } }", &["neither tags nor an id"]),
    top("x-cluster: { §Lookupp: a }", &["did you mean Lookup?"]),
    top("x-dns: { PrivateNamespace: { Name: §\"dev..internal\" } }", &["is not a DNS name"]),
    top("x-tags: { 'aws:x': §b }", &["AWS keeps tags that start with aws:"]),
    top("x-kafka: { provider: §confluent }", &["one of: confluent-cloud"]),
    top("x-route53: { zone: §{ ZoneName: example.com } }", &["the hosted zone is not looked up"]),
    top(
        "x-sns: { t: { Properties: { Subscription: [ { Protocol: §mail, Endpoint: a@b.c } ] } } }",
        &["\"mail\" is not known here"],
    ),
    top(
        "x-alarms: { a: { MacroParameters: { CompositeExpression: §ALARM(nothing) } } }",
        &["there is no alarm nothing in x-alarms"],
    ),
    // Balancers.
    top("LB    §Propertis: {}", &["did you mean Properties?"]),
    top(
        "LB    Services: { §'wbe:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'wbe:web' } ] } }",
        &["there is no service wbe", "did you mean web?"],
    ),
    top(
        "LB    Services: { 'web:web': { port: §9 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["web doesn't open port 9; it opens 8080"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080, healthcheck: §'8080:HTTP:4:2' } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["4 parts: too few parts"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080, healthcheck: §'8080:HTTP:4:2:5:20:/' } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["a timeout of 20 that is not below the interval of 5"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: §'web:wbe' } ] } }",
        &["is none of the Services of lb"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '443': §{ Protocol: HTTPS, Targets: [ { name: 'web:web' } ] } }",
        &["the HTTPS listener needs a certificate"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '443': { Certificates: [ { x-acm: §wild } ], Targets: [ { name: 'web:web' } ] } }",
        &["there is no certificate wild in x-acm"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { §'80': { DefaultActions: [ { Redirect: HTTP_TO_HTTPS } ] }, '81': { Targets: [ { name: 'web:web' } ] } }",
        &["port 443, where lb doesn't listen"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web', access: §'not a path' } ] } }",
        &["is neither a host nor a path"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web', access: /a }, { name: §'web:web', access: /a } ] } }",
        &["go to another target already"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: §'web:web', AuthenticateCognitoConfig: { UserPoolArn: a, UserPoolClientId: b, UserPoolDomain: c } } ] } }",
        &["asks for a login on a listener without TLS"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '443': { Certificates: [ { Arn: 'arn:aws:acm:a:111122223333:certificate/b' } ], Targets: [ { name: 'web:web', AuthenticateOidcConfig: { Issuer: a, AuthorizationEndpoint: a, TokenEndpoint: a, UserInfoEndpoint: a, ClientId: a, ClientSecret: §hunter2 } } ] } }",
        &["the client's secret stands in the file", "{{resolve:secretsmanager:"],
    ),
    top(
        "LB    Properties: { Type: network }\n    Services: { 'web:web': { port: 8080, protocol: TCP } }\n    Listeners: { '80': { Protocol: TCP, Targets: [ { name: §'web:web', access: /a } ] } }",
        &["a network load balancer sees no hosts, paths or logins"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }\n    DnsAliases: [ { Names: [§web.example.org], Route53Zone: x-route53::public } ]\nx-route53: { public: { ZoneName: example.com, Lookup: true } }",
        &["doesn't lie in the hosted zone example.com"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }\n    DnsAliases: [ { Names: [web.example.org], Route53Zone: §x-route53::pulic } ]\nx-route53: { public: { ZoneName: example.com, Lookup: true } }",
        &["there is no hosted zone pulic", "did you mean public?"],
    ),
    // Names that CloudFormation can't tell apart.
    top(
        "x-elbv2:\n  front-a: { Services: { 'web:web': { port: 8080 } }, Listeners: { 80: { Targets: [ { name: 'web:web' } ] } } }\n  §front_a: { Services: { 'web:web': { port: 8080 } }, Listeners: { 80: { Targets: [ { name: 'web:web' } ] } } }",
        &["front_a and front-a would both be FrontALoadBalancer in the template"],
    ),
    top(
        "x-sns: { team-a: { Properties: {} }, §team_a: { Properties: {} } }",
        &["team_a and team-a would both be TeamATopic in the template"],
    ),
    service(
        "secrets: [db-creds, db_creds]\nsecrets:\n  db-creds: { x-secrets: { Name: /one } }\n  §db_creds: { x-secrets: { Name: /two } }",
        &["db_creds and db-creds would both be DbCreds in the template"],
    ),
    // A balancer that is there.
    top(
        "x-elbv2:\n  lb:\n    Lookup: { loadbalancer: { Tags: { Name: a } }, Listeners: { 443: { Targets: [ { name: §'web:web' } ] } } }\n    Services: { 'web:web': { port: 8080 } }",
        &["would get every request of a listener that is there", "Conditions, or access"],
    ),
    top(
        "x-elbv2:\n  lb:\n    Lookup: { loadbalancer: { §Tgas: { Name: a } }, Listeners: { 443: { Targets: [ { name: 'web:web', access: /a } ] } } }\n    Services: { 'web:web': { port: 8080 } }",
        &["unknown key Tgas", "did you mean Tags?"],
    ),
    top(
        "x-elbv2:\n  lb:\n    Lookup: a\n    MacroParameters: { timeout_seconds: §60 }\n    Listeners: { 80: { Targets: [ { name: 'web:web' } ] } }\n    Services: { 'web:web': { port: 8080 } }",
        &["would change a load balancer that is looked up"],
    ),
    top(
        "x-elbv2:\n  §lb:\n    Lookup: a\n    Listeners: { 80: { Protocol: TCP, Targets: [ { name: 'web:web' } ] } }\n    Services: { 'web:web': { port: 8080, protocol: TCP } }",
        &["nobody may reach web through the load balancer", "services.web.x-network.Ingress"],
    ),
    top(
        "x-elbv2:\n  lb:\n    Lookup: { loadbalancer: { Tags: { Name: a } }, Listeners: { §80: { Targets: [ { name: 'web:web' } ] } } }\n    Services: { 'web:web': { port: 8080, protocol: TCP } }",
        &["has no rules: a network load balancer's sends all to one"],
    ),
    // An alarm that scales.
    top(
        "ALARM    Services: { §web: { Scaling: { Steps: [ { LowerBound: 0, Count: 2 } ] } } }",
        &["web has no range in which an alarm could scale it"],
    ),
    top(
        "ALARM    Services: { web: { Scaling: { Steps: [ { LowerBound: 0, UpperBound: 10, Count: 2 }, §{ LowerBound: 20, Count: 3 } ] } } }",
        &["the step begins at 20, and the one before it ends at 10"],
    ),
    top("ALARM    Services: { §wbe: { Scaling: { Steps: [ { LowerBound: 0, Count: 2 } ] } } }", &["there is no service wbe"]),
    top("ALARM    Services: { web: { Scaling: §{ ScaleInCooldown: 60 } } }", &["the scaling has no steps"]),
    top(
        "x-alarms: { a: { MacroParameters: { CompositeExpression: 'ALARM(b)' }, Services: §{ web: { Scaling: { Steps: [ { LowerBound: 0, Count: 2 } ] } } } } }",
        &["a composite alarm can't scale a service"],
    ),
    // The overlay.
    top(
        "Resources: { §WebServce: { Properties: { Tags: [] } } }",
        &["there is no resource WebServce", "did you mean WebService?"],
    ),
    top("Resources: { WebService: { Type: §AWS::SNS::Topic } }", &["is of the type AWS::ECS::Service"]),
    top(
        "Resources: { T: { Type: AWS::SNS::Topic, Properties: { TopicName: { Ref: §WebServic } } } }",
        &["neither a resource nor a parameter WebServic", "did you mean WebService?"],
    ),
    top("Resources: { T: { Type: AWS::SNS::Topic, §Propertis: {} } }", &["did you mean Properties?"]),
];

/// The project with the row's part in it, and where the wrong thing stands.
fn project(row: &Wrong) -> (String, String) {
    let used = if row.top.starts_with("secrets:") { "    secrets: [s]\n" } else { "" };
    let used = if row.top.starts_with("networks:") { "    networks: [inner]\n" } else { used };
    let used = if row.top.starts_with("volumes:") { "    volumes: ['data:/data']\n" } else { used };
    let top = row.top.strip_prefix("LB").map_or(row.top.to_owned(), |rest| format!("{BALANCER}{rest}"));
    let top = top.strip_prefix("ALARM").map_or(top.clone(), |rest| format!("{ALARM}{rest}"));
    let size = if row.service.contains("cpus") || row.service.contains("mem_limit") {
        ""
    } else {
        "    deploy: { resources: { limits: { cpus: '1', memory: 2G } } }\n"
    };
    let service = if row.service.is_empty() { String::new() } else { format!("    {}\n", row.service) };
    let text = format!(
        "name: wrong\nservices:\n  web:\n    image: example.com/web:1\n    ports: ['8080:8080']\n{size}{used}{service}x-cloudmap: {{ lan: {{ Name: wrong.lan }} }}\n{top}\n"
    );
    // One namespace in each form would be two.
    let text = if row.top.starts_with("x-dns") { text.replace("x-cloudmap: { lan: { Name: wrong.lan } }\n", "") } else { text };
    let before = text.split('§').next().unwrap();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap().chars().count() + 1;
    (text.replace('§', ""), format!("compose.yml:{line}:{column}:"))
}

/// Each row's finding stands at its place with its words, ends the run with 2, and no template is printed.
#[track_caller]
pub(crate) fn hold<'r>(rows: impl Iterator<Item = &'r Wrong>) {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let (text, place) = project(row);
        fs::write(folder.path().join("compose.yml"), &text).unwrap();
        let ran = run_with(folder.path(), &["render"], "", &[]);
        let found = ran.stderr.lines().any(|line| line.starts_with(&place) && line.contains("error["));
        let worded = row.words.iter().all(|word| ran.stderr.contains(word));
        // No finding is without a place.
        let all_placed = ran.stderr.lines().all(|line| line.starts_with("compose.yml:"));
        if ran.code != 2 || !ran.stdout.is_empty() || !found || !worded || !all_placed || ran.stderr.contains("hunter2") {
            wrong.push(format!("{place} {:?} (exit status {})\n{text}\n{}", row.words, ran.code, ran.stderr));
        }
    }
    assert!(wrong.is_empty(), "{} of the rows:\n{}", wrong.len(), wrong.join("\n----\n"));
}

/// What is wrong with a target is not said again of its listener, which then leads nowhere.
#[test]
fn one_mistake_is_one_finding() {
    let rows = TOP.iter().filter(|row| row.top.contains("hunter2") || row.top.contains("not a path"));
    for row in rows {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("compose.yml"), project(row).0).unwrap();
        let ran = run_with(folder.path(), &["render"], "", &[]);
        assert_eq!(ran.stderr.matches("error[").count(), 1, "{}", ran.stderr);
    }
}

#[test]
fn each_is_found_at_its_place_and_nothing_is_touched() {
    assert!(SERVICE.len() + TOP.len() >= 60);
    hold(SERVICE.iter().chain(TOP));
}
