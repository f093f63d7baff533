//! Values that ECS, CloudFormation and their neighbours refuse, most of them half-way through a deploy: each is found at its place, in words,
//! before anything is touched.

use crate::wrong_projects::{Wrong, hold, service, top};

const SCHEDULES_AND_SCALING: &[Wrong] = &[
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: §'cron(0 6 * * * *)', ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["one of the two days must be ?"],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: §'cron(99 6 ? * MON *)', ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["minutes can't be \"99\""],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: §'cron(0 6 ? * MOM-FRI *)', ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["day of the week can't be \"MOM-FRI\""],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: §rate(1 hours), ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["write rate(1 hour)"],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: §'at(2026-13-45T99:99:99)', ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["is no time"],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: rate(1 hour), Timezone: §Europe/Londn, ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["did you mean Europe/London?"],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { Schedule: rate(1 hour), StartTime: §tomorrow, ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["\"tomorrow\" is no time"],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ { ScheduledActionName: a, Schedule: rate(1 hour), ScalableTargetAction: { MinCapacity: 1 } }, { ScheduledActionName: §a, Schedule: rate(2 hours), ScalableTargetAction: { MinCapacity: 1 } } ] }",
        &["two actions are called a"],
    ),
    service(
        "x-scaling: { Range: 1-3, ScheduledActions: [ §{ Schedule: rate(1 hour), ScalableTargetAction: { MinCapacity: 5 } } ] }",
        &["over the most tasks of the range"],
    ),
    service("x-scaling: { Range: 1-3, TargetScaling: { CpuTarget: 50, ScaleInCooldown: §5m } }", &["a whole number"]),
];

const WHO_MAY_REACH_WHAT: &[Wrong] = &[
    service(
        "x-network: { Ingress: { AwsSources: [ { Type: SecurityGroup, Id: §sg-xyz } ] } }",
        &["is not the id of a security group"],
    ),
    service("x-network: { AdditionalSecurityGroups: { a: §sg-zz } }", &["is not the id of a security group"]),
    service(
        "x-network: { AdditionalSecurityGroups: §{ a: sg-0a1b2c31, b: sg-0a1b2c32, c: sg-0a1b2c33, d: sg-0a1b2c34, e: sg-0a1b2c35 } }",
        &["EC2 takes 4"],
    ),
    service("x-network: { x-cloudmap: { lan: { Name: §not a name } } }", &["is not a DNS name"]),
    service(
        "x-network: { x-ecs_connect: { MacroParameters: { x-cloudmap: lan, service_ports: { tcp_8080: { DnsName: §bad name } } } } }",
        &["is not a DNS name"],
    ),
    service(
        "x-network: { x-ecs_connect: { Properties: { Namespace: lan, Services: [ { PortName: tcp_8080 }, { PortName: §tcp_8080 } ] } } }",
        &["is offered twice"],
    ),
    top("x-dns: { PrivateNamespace: { Name: §wrong..two } }", &["is not a DNS name"]),
];

const RIGHTS: &[Wrong] = &[
    service(
        "x-iam: { Policies: [ { PolicyName: §bad name, PolicyDocument: { Version: '2012-10-17', Statement: [ { Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*' } ] } } ] }",
        &["can't be the name of a policy"],
    ),
    service(
        "x-iam: { Policies: [ { PolicyName: a, PolicyDocument: { Version: '2012-10-17', Statement: [ { Effect: Allow, Action: §GetObject, Resource: 'arn:aws:s3:::a/*' } ] } } ] }",
        &["an action is SERVICE:OPERATION"],
    ),
    service(
        "x-iam: { Policies: [ { PolicyName: a, PolicyDocument: { Version: '2012-10-17', Statement: [ { Effect: Allow, Action: 's3:GetObject', Resource: §a-bucket } ] } } ] }",
        &["a resource is an ARN"],
    ),
    service(
        "x-iam: { Policies: [ { PolicyName: a, PolicyDocument: { Version: '2012-10-17', Statement: [ { Effect: Allow, Principal: §'*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*' } ] } } ] }",
        &["names no principal"],
    ),
    service(
        "x-iam: { Policies: [ { PolicyName: a, PolicyDocument: { Version: §'2013-10-17', Statement: [ { Effect: Allow, Action: 's3:GetObject', Resource: 'arn:aws:s3:::a/*' } ] } } ] }",
        &["2012-10-17"],
    ),
    service("x-iam: { ManagedPolicyArns: §[a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11] }", &["takes 10 managed policies"]),
];

const CONTAINERS: &[Wrong] = &[
    service("tmpfs: [§'run:size=64m']", &["no folder of a container"]),
    service("tmpfs: [§'/run:size=lots']", &["\"lots\" is no size of a tmpfs", "size=64m"]),
    service("tmpfs: [§'/run:size=64m,noexce']", &["a tmpfs has no option noexce", "did you mean noexec?"]),
    service("expose: [§'5000/sctp']", &["5000 is of SCTP"]),
    service(
        "networks: { one: {}, §two: {} }\nnetworks: { one: { x-vpc: AppSubnets }, two: { x-vpc: Other } }",
        &["a task stands in one set of subnets: one is AppSubnets, two is Other"],
    ),
    service("environment: { §BUCKET: 's3://x-s3::docs::BucketName' }", &["x-s3::docs::BucketName is passed on as it stands"]),
    service("environment: { §WHERE: 'x-aws::AWS::Region' }", &["write ${AWS_REGION}"]),
    service("healthcheck: { test: [CMD, x], §timeout: 90s }", &["ECS takes timeout from 2 s to 60 s"]),
    service("healthcheck: { test: [CMD, x], §retries: 11 }", &["1 to 10 retries"]),
    service("ulimits: { §nofile: { soft: 65536, hard: 1024 } }", &["the soft limit 65536 is above the hard one"]),
    service("ulimits: { §nofile: 2000000 }", &["1048576 files at most"]),
    service("§working_dir: relative/path", &["no folder of a container"]),
    service("volumes: ['/data', §'data:relative' ]\nvolumes: { data: {} }", &["no folder of a container"]),
    service("logging: { driver: awslogs, options: { §awslogs-group: bad group name } }", &["512 letters"]),
    service("logging: { driver: awslogs, options: { §mode: sometimes } }", &["blocking or non-blocking"]),
    service("logging: { driver: awslogs, options: { mode: non-blocking, §max-buffer-size: lots } }", &["as in 25m"]),
    service("labels: { §ecs.depends.condition: COMPLETE }", &["nothing keeps it running"]),
    service("labels: { §ecs.task.family: bad family }", &["can't be the name of a task family"]),
    service("§platform: linux/arm64\n    x-ecs: { CpuArchitecture: X86_64 }", &["keep one of the two"]),
    service("§x-elbv2: { a: b }", &["it belongs at the top"]),
];

const LOAD_BALANCERS: &[Wrong] = &[
    top(
        "LB    Services: { 'web:web': { port: 8080, healthcheck: §'8080:HTTP:4:2:15:5:/:ok' } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["codes \"ok\""],
    ),
    top(
        "LB    Services: { §'web:web': { port: 8080, healthcheck: '8080:TCP:4:2:15:5' } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["asks with HTTP or HTTPS"],
    ),
    top(
        "LB    Services: { §'web:web': { port: 8080, healthcheck: '8080:HTTP:4:2:15:5:/:500' } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["takes codes from 200 to 499"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080, healthcheck: §{ HealthCheckTimeoutSeconds: 40 } } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["not below the interval of 30"],
    ),
    top(
        "LB    Services: { §'web:web': { port: 8080, healthcheck: { Matcher: { GrpcCode: '0' } } } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["GrpcCode goes with ProtocolVersion: GRPC"],
    ),
    top(
        "LB    Services: { §'web:web': { port: 8080, ProtocolVersion: GRPC } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["needs an HTTPS listener"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080, TargetGroupAttributes: { deregistration_delay.timeout_second: §'30' } } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["did you mean deregistration_delay.timeout_seconds?"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080, TargetGroupAttributes: { deregistration_delay.timeout_seconds: §'4000' } } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["a number from 0 to 3600"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080, TargetGroupAttributes: { stickiness.type: §source_ip } } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["sticks to no target"],
    ),
    top(
        "LB    Properties: { LoadBalancerAttributes: { idle_timeout.timeout_second: §60 } }\n    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["did you mean idle_timeout.timeout_seconds?"],
    ),
    top(
        "LB    Properties: { LoadBalancerAttributes: { idle_timeout.timeout_seconds: §6000 } }\n    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["a number from 1 to 4000"],
    ),
    top(
        "LB    Properties: { LoadBalancerAttributes: { deletion_protection.enabled: §sure } }\n    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["true or false"],
    ),
    top(
        "LB    Properties: { LoadBalancerAttributes: { access_logs.s3.enabled: §'true' } }\n    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["without a bucket"],
    ),
    top(
        "LB    Properties: { Name: §internal-lb }\n    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["may not begin with internal-"],
    ),
    top(
        "LB    Settings: { S3Logs: §Bad_Bucket }\n    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["a bucket's name"],
    ),
    top(
        "LB    Settings: { cross_zone: §false }\n    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["always serves every zone"],
    ),
    top(
        "LB    Properties: { Type: network }\n    Services: { 'web:web': { port: 8080, protocol: TCP } }\n    Listeners: { '80': { Protocol: UDP, Targets: [ { name: §'web:web' } ] } }",
        &["a UDP listener doesn't lead to web:web"],
    ),
    top(
        "LB    Properties: { Type: network }\n    Services: { §'web:web': { port: 8080, protocol: TCP, ProtocolVersion: HTTP2 } }\n    Listeners: { '80': { Protocol: TCP, Targets: [ { name: 'web:web' } ] } }",
        &["HTTP2 doesn't go with a network load balancer"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '443': §{ Protocol: HTTPS, Certificates: [], Targets: [ { name: 'web:web' } ] } }",
        &["needs a certificate"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '443': { Certificates: [ { CertificateArn: §'arn:aws:iam::111122223333:role/x' } ], Targets: [ { name: 'web:web' } ] } }",
        &["is not the ARN of a certificate"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '443': { SslPolicy: §ELBSecurityPolicy-2099, Certificates: [ { CertificateArn: 'arn:aws:acm:eu-west-1:111122223333:certificate/0a1b2c3d-0000-4000-8000-0123456789ab' } ], Targets: [ { name: 'web:web' } ] } }",
        &["there is no security policy"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { SslPolicy: §ELBSecurityPolicy-2016-08, Targets: [ { name: 'web:web' } ] } }",
        &["a listener without TLS"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { DefaultActions: [ { FixedResponse: { StatusCode: §302 } } ] }, '81': { Targets: [ { name: 'web:web' } ] } }",
        &["use Redirect"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { DefaultActions: [ { FixedResponse: { StatusCode: 404, ContentType: §text/markdown } } ] }, '81': { Targets: [ { name: 'web:web' } ] } }",
        &["text/plain"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { DefaultActions: [ { Redirect: { Protocol: §FTP } } ] }, '81': { Targets: [ { name: 'web:web' } ] } }",
        &["HTTP"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { DefaultActions: [ { Redirect: §{ StatusCode: HTTP_301 } } ] }, '81': { Targets: [ { name: 'web:web' } ] } }",
        &["leads back to itself"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web', Conditions: [ { Field: source-ip, SourceIpConfig: { Values: [§10.0.0.1/8] } } ] } ] } }",
        &["bits beyond its length"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web', Conditions: [ { Field: path-pattern, Values: [§api] } ] } ] } }",
        &["it starts with /"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web', Conditions: [ { Field: http-request-method, HttpRequestMethodConfig: { Values: [§get] } } ] } ] } }",
        &["in capitals"],
    ),
    top("x-elbv2: { lb: §{ Properties: {} } }", &["listens on nothing"]),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }\n    DnsAliases: [ { Names: §[], Route53Zone: Z0123456789ABC } ]",
        &["the alias has no names"],
    ),
];

const TOPICS_AND_ALARMS: &[Wrong] = &[
    top("x-sns: { t: { Properties: { TopicName: §bad name } } }", &["can't be the name of a topic"]),
    top(
        "x-sns: { t: { Properties: { Subscription: [ { Protocol: email, Endpoint: §nobody } ] } } }",
        &["nothing that email reaches"],
    ),
    top("x-sns: { t: { Properties: { Subscription: [ { Protocol: sqs, Endpoint: §my-queue } ] } } }", &["arn:aws:sqs:"]),
    top(
        "x-alarms: { a: { Properties: §{ MetricName: CPUUtilization } } }",
        &["the alarm lacks ComparisonOperator, EvaluationPeriods"],
    ),
    top(
        "x-alarms: { a: { Properties: { Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: §Avg, ComparisonOperator: GreaterThanThreshold, Threshold: 1, Period: 60, EvaluationPeriods: 1 } } }",
        &["\"Avg\" is not known here"],
    ),
    top(
        "x-alarms: { a: { Properties: { Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, ComparisonOperator: §GreaterThan, Threshold: 1, Period: 60, EvaluationPeriods: 1 } } }",
        &["\"GreaterThan\" is not known here"],
    ),
    top(
        "x-alarms: { a: { Properties: { Namespace: AWS/ECS, §MetricNam: CPUUtilization, Statistic: Average, ComparisonOperator: GreaterThanThreshold, Threshold: 1, Period: 60, EvaluationPeriods: 1 } } }",
        &["did you mean MetricName?"],
    ),
    top(
        "x-alarms: { a: { Properties: { Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, ComparisonOperator: GreaterThanThreshold, Threshold: §high, Period: 60, EvaluationPeriods: 1 } } }",
        &["where a number is wanted"],
    ),
    top(
        "x-alarms: { a: { Properties: { Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, ComparisonOperator: GreaterThanThreshold, Threshold: 1, Period: §45, EvaluationPeriods: 1 } } }",
        &["a multiple of 60"],
    ),
    top(
        "x-alarms: { a: { Properties: { Namespace: AWS/ECS, MetricName: CPUUtilization, Statistic: Average, ComparisonOperator: GreaterThanThreshold, Threshold: 1, Period: §300, EvaluationPeriods: 300 } } }",
        &["looks back"],
    ),
    top(
        "x-alarms: { §a: { MacroParameters: { CompositeExpression: ALARM(b) } }, b: { MacroParameters: { CompositeExpression: ALARM(a) } } }",
        &["a waits for itself"],
    ),
];

const STANDING_AND_STORAGE: &[Wrong] = &[
    top("x-vpc: { Lookup: { VpcId: §nope, AppSubnets: { Tags: { a: b } } } }", &["is not the id of a VPC"]),
    top("x-vpc: { Lookup: { VpcId: vpc-0a1b2c3d, AppSubnets: [§subnet-xyz] } }", &["is not the id of a subnet"]),
    top("x-vpc: { Properties: { Endpoints: { AwsServices: [§ecr.apii] } } }", &["did you mean ecr.api?"]),
    top("x-cluster: { Properties: { ClusterName: §bad name } }", &["can't be the name of a cluster"]),
    top("x-tags: [ §{ Key: a, Vaule: b } ]", &["write Key and Value"]),
    top("volumes: { data: { x-efs: { Lookup: fs-0a1b2c3d, RootDirectory: §x } } }", &["it starts with /"]),
    top("volumes: { data: { x-efs: { Lookup: fs-0a1b2c3d, AccessPoint: §ap-1 } } }", &["is not the id of an access point"]),
    top("secrets: { s: { x-secrets: { Name: §'arn:aws:s3:::b' } } }", &["is not the ARN of a secret"]),
    top(
        "x-acm: { c: { MacroParameters: { DomainNames: [§-bad.example.com], HostedZoneId: Z0123456789ABC } } }",
        &["is not a DNS name"],
    ),
];

const LATER: &[Wrong] = &[
    top("x-acm: { c: { Properties: §{ DomainName: a.example.com, ValidationMethod: DNS } } }", &["DomainValidationOptions"]),
    top(
        "x-acm: { c: { Properties: { DomainName: a.example.com, ValidationMethod: §EMAIL } } }",
        &["\"EMAIL\" is not known here"],
    ),
    service("cap_drop: [§FOO]", &["there is no capability FOO"]),
    top("x-kafka: { provider: self-managed, bootstrap: §'b:99999' }", &["is no address of a broker"]),
    top("x-sns: { t: { Properties: { FifoTopic: true, TopicName: §alerts } } }", &["it ends in .fifo"]),
    top(
        "x-sns: { t: { Properties: { FifoTopic: true, Subscription: [ { Protocol: §email, Endpoint: a@b.c } ] } } }",
        &["queues of SQS only"],
    ),
    top("x-sns: { t: { Services: { §wbe: { Access: Publish } } } }", &["did you mean web?"]),
    top("x-sns: { t: { Services: [ { name: web, access: §Subscribe } ] } }", &["Publish"]),
    top(
        "x-vpc: { Properties: { DHCPOptions: { DomainNameServers: [AmazonProvidedDNS, §dns] } } }",
        &["is no address of a server"],
    ),
    service(
        "x-logging: { §FireLens: { Shorthands: { ReplaceAwsLogs: true } } }",
        &["[CE152]", "a log router is a container of its own"],
    ),
];

#[test]
fn what_came_later() {
    hold(LATER.iter());
}

const RAW_CLOUDFORMATION: &[Wrong] = &[
    top("Resources: { T: { Type: §AWS::SNS::Topik } }", &["did you mean AWS::SNS::Topic?"]),
    top("Resources: { T: { Type: §SNS } }", &["is no type of a resource"]),
    top("Resources: { T: { Type: AWS::SNS::Topic, DeletionPolicy: §Keep } }", &["DeletionPolicy can't be Keep"]),
    top(
        "Resources: { T: { Type: AWS::SNS::Topic, Properties: { TopicName: §!GetAtt WebService.Nmae } } }",
        &["did you mean Name?"],
    ),
];

#[test]
fn schedules_and_scaling() {
    hold(SCHEDULES_AND_SCALING.iter());
}

#[test]
fn who_may_reach_what() {
    hold(WHO_MAY_REACH_WHAT.iter());
}

#[test]
fn rights() {
    hold(RIGHTS.iter());
}

#[test]
fn containers() {
    hold(CONTAINERS.iter());
}

#[test]
fn load_balancers() {
    hold(LOAD_BALANCERS.iter());
}

#[test]
fn topics_and_alarms() {
    hold(TOPICS_AND_ALARMS.iter());
}

#[test]
fn standing_and_storage() {
    hold(STANDING_AND_STORAGE.iter());
}

#[test]
fn raw_cloudformation() {
    hold(RAW_CLOUDFORMATION.iter());
}

/// The twelve mistakes that cfn-lint lets through, as somebody would make them in the files. (A password in plain environment, the world let
/// in and a policy for everything are what somebody may want: findings, but no errors.)
const UNSEEN_BY_CFN_LINT: &[Wrong] = &[
    top(
        "LB    Services: { §'web:wbe': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:wbe' } ] } }",
        &["web has no container wbe"],
    ),
    top(
        "LB    Services: { 'web:web': { port: §8081 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }",
        &["doesn't open port 8081"],
    ),
    top(
        "LB    Services: { 'web:web': { port: 8080 } }\n    Listeners: { '80': { Targets: [ { name: 'web:web' } ] } }\nResources: { §LbLoadBalancerWeb8080: { Properties: { TargetType: instance } } }",
        &["[CE181]"],
    ),
    service(
        "x-network: { x-ecs_connect: { Properties: { Namespace: lan, Services: [ { PortName: §http } ] } } }",
        &["no TCP port http"],
    ),
    top(
        "secrets: { s: { x-secrets: { Name: a } } }\nResources: { §WebTaskDefinition: { Properties: { ExecutionRoleArn: } } }",
        &["[CE183]"],
    ),
    top(
        "Resources: { §WebService: { Properties: { CapacityProviderStrategy: [ { CapacityProvider: FARGATE_SPOT, Weight: 1 } ] } } }",
        &["[CE184]"],
    ),
    top(
        "Resources: { §WebTaskDefinition: { Properties: { ContainerDefinitions: [ { Name: web, StopTimeout: 300 } ] } } }",
        &["[CE185]"],
    ),
    service("healthcheck: { test: [CMD, x], §interval: 2s }", &["ECS takes interval from 5 s"]),
    top(
        "secrets: { s: { x-secrets: { Name: a } } }\nResources: { §WebTaskDefinition: { Properties: { ContainerDefinitions: [ { Name: web, Secrets: [ { Name: s, ValueFrom: !Sub '$${SSecretArn}:KEY' } ] } ] } } }",
        &["[CE186]"],
    ),
    top(
        "Resources: { §WebTaskDefinition: { Properties: { ContainerDefinitions: [ { Name: web, Environment: [ { Name: DB_PASSWORD, Value: hunter2 } ] } ] } } }",
        &["[CE134]"],
    ),
];

#[test]
fn mistakes_that_cfn_lint_lets_through() {
    hold(UNSEEN_BY_CFN_LINT.iter());
}
