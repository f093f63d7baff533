//! The vocabulary from files to types: both spellings alike, everything unknown or wrong found at its place.

use std::collections::BTreeMap;
use std::fs;

use super::{Cluster, Extensions, Wanted, read};
use crate::base::{Findings, Severity};
use crate::compose::{LoadOptions, Project, load};

/// A project of one file, loaded as `render` does.
pub(crate) fn project(text: &str) -> Project {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), format!("name: p\n{text}")).unwrap();
    let options = LoadOptions {
        files: vec!["compose.yml".into()],
        environment: BTreeMap::new(),
        current_dir: folder.path().to_owned(),
        ..LoadOptions::default()
    };
    let loaded = load(&options);
    loaded.project.unwrap_or_else(|| panic!("{}", lines(&loaded.findings)))
}

/// One line a finding: `12:5 error path: message; help`.
pub(crate) fn lines(findings: &Findings) -> String {
    let line = |finding: &crate::base::Finding| {
        let place = finding.place.as_ref().map(|place| format!("{}:{} ", place.line, place.column)).unwrap_or_default();
        let severity = if finding.severity == Severity::Error { "error" } else { "warning" };
        let help = finding.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
        format!("{place}{severity} {}: {}{help}", finding.path.as_deref().unwrap_or_default(), finding.message)
    };
    findings.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn sound(text: &str) -> Extensions {
    let (extensions, findings) = read(&project(text));
    assert!(findings.is_empty(), "{}", lines(&findings));
    extensions
}

/// A text without every part from `start` to `end`.
fn without(text: &str, start: &str, end: &str) -> String {
    let mut parts = text.split(start);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |out, part| out + part.split_once(end).map_or("", |(_, rest)| rest))
}

const SERVICE: &str = "services:\n  web:\n    image: i\n";

#[test]
fn old_and_new_spellings_mean_the_same() {
    let pairs = [
        (
            "    x-scaling:\n      target_scaling:\n        range: \"1-3\"\n        memory_target: 75\n",
            "    x-scaling:\n      Range: \"1-3\"\n      TargetScaling:\n        MemoryTarget: 75\n",
        ),
        (
            "    x-scaling:\n      range: \"2-4\"\n      target_scaling: { cpu_target: 50, disable_scale_in: true }\n",
            "    x-scaling:\n      Range: 2-4\n      TargetScaling: { CpuTarget: 50, DisableScaleIn: true }\n",
        ),
        (
            "    x-network:\n      Ingress:\n        Myself: True\n        ExtSources:\n          - Ipv4: 10.0.0.0/8\n            Name: ANY\n",
            "    x-network:\n      Ingress:\n        Myself: true\n        ExtSources:\n          - IPv4: 10.0.0.0/8\n            Name: ANY\n",
        ),
        ("    x-network: { is_public: true }\n", "    x-network: { AssignPublicIp: true }\n"),
        ("    x-logging: { retention: 14 }\n", "    x-logging: { RetentionInDays: 14 }\n"),
    ];
    // Where a value stands differs and nothing else may.
    let shape = |text: &str| {
        let shown = format!("{:?}", sound(&format!("{SERVICE}{text}")).services["web"]);
        without(&without(&shown, "Place {", "}"), "path: \"", "\"")
    };
    for (old, new) in pairs {
        assert_eq!(shape(old), shape(new));
    }
}

#[test]
fn namespaces_of_2020_are_those_of_today() {
    for (old, new) in [
        ("Lookup: dev.internal", "Name: dev.internal, Lookup: true"),
        ("Name: dev.internal, Use: ns-abcd012344", "ZoneName: dev.internal, Lookup: { NamespaceId: ns-abcd012344 }"),
    ] {
        let shape = |text: &str| {
            let namespaces = sound(&format!("{SERVICE}x-dns: {{ PrivateNamespace: {{ {text} }} }}\n")).namespaces;
            without(&without(&format!("{namespaces:?}"), "Place {", "}"), "path: \"", "\"")
        };
        assert_eq!(shape(old), shape(new));
    }
}

#[test]
fn an_arn_of_ec2_is_the_id_at_its_end() {
    let arn = |of: &str| format!("arn:aws:ec2:eu-west-1:111122223333:{of}");
    let extensions = sound(&format!(
        "{SERVICE}    x-network: {{ AdditionalSecurityGroups: {{ a: {{ Arn: '{}' }} }} }}\nx-vpc:\n  Lookup:\n    VpcId: {{ Arn: '{}' }}\n    AppSubnets: ['{}']\n",
        arn("security-group/sg-0a1b2c3d"),
        arn("vpc/vpc-0a1b2c3d"),
        arn("subnet/subnet-0a1b2c3d")
    ));
    let id = |wanted: &Wanted| match wanted {
        Wanted::Ids(ids) => ids[0].value.clone(),
        Wanted::Tags(_) => String::new(),
    };
    let vpc = extensions.vpc.unwrap();
    assert_eq!(vpc.id.as_ref().map(id).as_deref(), Some("vpc-0a1b2c3d"));
    assert_eq!(id(&vpc.subnets["AppSubnets"]), "subnet-0a1b2c3d");
    assert_eq!(id(&extensions.services["web"].network.groups[0].1), "sg-0a1b2c3d");
}

#[test]
fn the_blogs_lookups_are_read() {
    let extensions = sound(&format!(
        "{SERVICE}x-vpc:\n  Lookup:\n    VpcId:\n      Tags:\n        - Name: demo\n    AppSubnets:\n      Tags:\n        - vpc::usage: application\nx-cluster:\n  Lookup: main\n\
         x-dns:\n  PrivateNamespace:\n    Name: dev.lan.internal\nx-tags:\n  team: a\n"
    ));
    let vpc = extensions.vpc.unwrap();
    assert_eq!(vpc.id, Some(Wanted::Tags(vec![("Name".to_owned(), "demo".to_owned())])));
    assert_eq!(vpc.subnets["AppSubnets"], Wanted::Tags(vec![("vpc::usage".to_owned(), "application".to_owned())]));
    let Some(Cluster::Existing(Wanted::Ids(names))) = extensions.cluster else { panic!() };
    assert_eq!(names[0].value, "main");
    assert!(extensions.registers_all);
    assert_eq!(extensions.namespaces["PrivateNamespace"].name.value, "dev.lan.internal");
    assert_eq!(extensions.tags[0].0, "team");
}

#[test]
fn what_is_unknown_or_wrong_is_found_where_it_stands() {
    // Text after the service, and parts of the one finding: line and column of the whole file, then words.
    let table: &[(&str, &[&str])] = &[
        ("    x-scalling: { Range: 1-3 }\n", &["5:5 error services.web.x-scalling", "did you mean x-scaling?"]),
        ("    x-scaling: { Rnage: 1-3 }\n", &["5:18 error services.web.x-scaling.Rnage", "did you mean Range?"]),
        ("    x-scaling: { Range: \"3-1\", TargetScaling: { CpuTarget: 50 } }\n", &["5:25 error", "runs backwards", "\"1-3\""]),
        ("    x-scaling: { Range: many, TargetScaling: { CpuTarget: 50 } }\n", &["error", "\"many\" is not a range"]),
        ("    x-scaling: { Range: 1-3, TargetScaling: { MemoryTarget: 750 } }\n", &["5:61 error", "from 1 to 100"]),
        ("    x-network: { Ingress: { Myslef: true } }\n", &["x-network.Ingress.Myslef", "did you mean Myself?"]),
        ("    x-network: { Ingress: { Myself: maybe } }\n", &["error", "true or false"]),
        (
            "    x-network: { Ingress: { ExtSources: [ { IPv4: 10.0.0.1/8 } ] } }\n",
            &["ExtSources[0].IPv4", "bits beyond its length"],
        ),
        ("    x-network: { Ingress: { ExtSources: [ { IPv4: 10.0.0.0 } ] } }\n", &["is not a block of addresses"]),
        ("    x-network: { Ingress: { AwsSources: [ { Id: vpc-1 } ] } }\n", &["neither a security group nor a prefix list"]),
        (
            "    x-ecs: { CapacityProviderStrategy: [ { CapacityProvider: FARGATE_SPOTT, Weight: 1 } ] }\n",
            &["did you mean FARGATE_SPOT?"],
        ),
        ("    x-ecs: { CapacityProviderStrategy: [ { CapacityProvider: FARGATE } ] }\n", &["has a weight"]),
        ("    x-logging: { RetentionInDays: 15 }\n", &["for 15 days", "the next it knows is 30"]),
        ("    x-iam: { Policies: [ { PolicyName: a } ] }\n", &["lacks PolicyName or PolicyDocument"]),
        ("    x-whatever: 1\n", &["5:5 warning services.web.x-whatever", "has no meaning here"]),
        ("x-vpcs: {}\n", &["5:1 error x-vpcs", "did you mean x-vpc?"]),
        ("x-common: &a { b: 1 }\n", &["warning x-common", "anchor"]),
        ("x-vpc: { Properties: { VpcCidr: 10.0.0.0/16 }, Lookup: { VpcId: vpc-1 } }\n", &["looks a VPC up and makes one"]),
        ("x-vpc: { Lookup: { VpcId: {} } }\n", &["error x-vpc.Lookup.VpcId", "neither tags nor an id"]),
        ("x-cluster: { Lookupp: a }\n", &["did you mean Lookup?"]),
        ("x-cluster: { MacroParameters: { CreateExecLoggingBucket: true } }\n", &["keys and buckets outlive a stack"]),
        (
            "x-cluster: { MacroParameters: { CreateExecLoggingLogGroup: true, LogGroupRetentionInDays: 42 } }\n",
            &["for 42 days", "the next it knows is 60"],
        ),
        ("x-cluster: { Lookup: a, MacroParameters: { CreateExecLoggingLogGroup: true } }\n", &["is its owner's"]),
        (
            "x-cluster: { Properties: { Configuration: { ExecuteCommandConfiguration: { Logging: OVERRIDE } } } }\n",
            &["OVERRIDE says nowhere to log"],
        ),
        (
            "x-cluster: { Properties: { Configuration: { ExecuteCommandConfiguration: { KmsKeyId: alias/a } } } }\n",
            &["is not the ARN of a key"],
        ),
        ("x-dns: { PrivateNamespace: { Name: \"dev..internal\" } }\n", &["is not a DNS name"]),
        (
            "x-dns: { PrivateNamespace: { Name: a.internal, Lookup: b.internal } }\n",
            &["this is neither a.internal nor an id", "begins with ns-"],
        ),
        ("x-vpc: { Lookup: { VpcId: { Tags: { a: b }, Region: eu-west-1 } } }\n", &["in the region that is deployed to"]),
        (
            "x-elbv2: { lb: { Services: [ { name: 'web:web', port: 80 }, { name: 'web:web', port: 80 } ] } }\n",
            &["web:web stands here twice", "family:container:port"],
        ),
        ("x-kafka: { provider: confluent }\n", &["error x-kafka.provider", "one of: confluent-cloud"]),
        ("x-kafka: { boostrap: a:1 }\n", &["did you mean bootstrap?"]),
        (
            "x-elbv2: { lb: { Services: [ { name: web, port: 80, healthcheck: \"80:HTTP:4\" } ] } }\n",
            &["has 3 parts: too few parts", "port:protocol"],
        ),
        (
            "x-elbv2: { lb: { Services: [ { name: web, port: 80, healthcheck: \"80:HTTP:4:2:15:20:/:200\" } ] } }\n",
            &["not below the interval"],
        ),
        ("x-elbv2: { lb: { Services: [ { name: web, port: 80, healthcheck: \"80:HTPT\" } ] } }\n", &["protocol \"HTPT\""]),
        ("x-elbv2: { lb: { Services: [ { name: web } ] } }\n", &["has no port"]),
        ("x-elbv2: { lb: { Listeners: [ { Port: 443, Protocol: HTTPS } ] } }\n", &["needs a certificate"]),
        ("x-elbv2: { lb: { Listeners: [ { Port: 99999 } ] } }\n", &["from 1 to 65535"]),
        ("x-elbv2: { lb: { Propertis: {} } }\n", &["5:18 error x-elbv2.lb.Propertis", "did you mean Properties?"]),
        ("x-elbv2: { lb: { DnsAliases: [ { Names: [a.b] } ] } }\n", &["lacks Names or Route53Zone"]),
        ("secrets: { s: { x-secrets: { Nmae: a } } }\n", &["did you mean Name?"]),
        ("secrets: { s: { x-secrets: { Name: /kafka//x } } }\n", &["a part of the secret's name is empty"]),
        ("secrets: { s: { x-secrets: { Name: \"a b\" } } }\n", &["doesn't take \" \""]),
        ("secrets: { s: { x-secrets: { Name: a, VarName: 1A } } }\n", &["not the name of a variable"]),
        ("secrets: { s: { x-secrets: { Name: a, JsonKeys: [ { VarName: A } ] } } }\n", &["names no key of the secret"]),
        (
            "secrets: { s: { x-secrets: { Name: a, JsonKeys: [ { SecretKey: a, VarName: A }, { SecretKey: b, VarName: A } ] } } }\n",
            &["A takes two keys"],
        ),
        ("secrets: { s: { external: true, x-secret: { Name: a } } }\n", &["did you mean x-secrets?"]),
    ];
    for (text, wanted) in table {
        let used = if text.starts_with("secrets:") { "    secrets: [s]\n" } else { "" };
        let (_, findings) = read(&project(&format!("{SERVICE}{used}{text}")));
        let found = lines(&findings);
        for part in *wanted {
            assert!(found.contains(part), "{text}wanted {part}, found:\n{found}");
        }
    }
}

#[test]
fn a_new_certificate_is_written_in_two_ways() {
    let certificate =
        |text: &str| format!("{:?}", names(&sound(&format!("{SERVICE}x-acm: {{ c: {{ {text} }} }}\n")).certificates["c"]));
    let short = certificate("MacroParameters: { DomainNames: [a.example.com, b.example.com], HostedZoneId: Z0123456789ABC }");
    let long = certificate(
        "Properties: { DomainName: a.example.com, SubjectAlternativeNames: [b.example.com], ValidationMethod: DNS, \
         DomainValidationOptions: [ { DomainName: a.example.com, HostedZoneId: Z0123456789ABC } ] }",
    );
    assert_eq!(short, long);
}

fn names(certificate: &super::Certificate) -> (Vec<String>, String) {
    let super::Certificate::New { domains, zone } = certificate else { panic!() };
    (domains.iter().map(|domain| domain.value.clone()).collect(), zone.value.clone())
}

#[test]
fn two_spellings_of_one_key_are_a_contradiction() {
    let (_, findings) = read(&project(&format!("{SERVICE}    x-scaling: {{ Range: 1-2, range: 1-3 }}\n")));
    assert!(lines(&findings).contains("keep one"), "{}", lines(&findings));
}

#[test]
fn everything_wrong_is_found_in_one_run() {
    let text = format!("{SERVICE}    x-scaling: {{ Rnage: 1-3 }}\n    x-network: {{ Ingres: {{}} }}\nx-vpcs: {{}}\n");
    let (_, findings) = read(&project(&text));
    // The misspelt range is missed as well.
    assert_eq!(findings.iter().filter(|finding| finding.severity == Severity::Error).count(), 4, "{}", lines(&findings));
}

/// A service with these plugins.
fn with_plugins(items: &str) -> String {
    format!("{SERVICE}    x-confluent:\n      plugins:\n{items}")
}

#[test]
fn plugins_are_read_with_the_address_that_they_come_from() {
    let hash = "0123456789abcdef".repeat(4);
    let items = format!(
        "        - {{ hub: confluentinc/kafka-connect-s3:10.5.17, sha256: {hash} }}
        - {{ maven: 'io.debezium:debezium-connector-mysql:3.0.8.Final:plugin@tar.gz', sha256: 'sha256:{}' }}
        - {{ maven: 'org.postgresql:postgresql:42.7.4', repository: 'https://maven.example.com/releases/', sha256: {hash}, name: jdbc }}
        - {{ url: 'https://example.com/a/own-1.0.zip?version=1', sha256: {hash}, into: worker }}
        - {{ file: ./plugins/own.jar, sha256: {hash} }}
",
        hash.to_uppercase()
    );
    let read = sound(&with_plugins(&items));
    let shown: Vec<String> = read.services["web"]
        .confluent
        .plugins
        .iter()
        .map(|plugin| {
            let from = match &plugin.from {
                super::PluginSource::Url(url) => url,
                super::PluginSource::File(path) => path,
            };
            assert_eq!(plugin.sha256, hash);
            format!("{:?} {} {} {from}", plugin.into, plugin.name, plugin.file)
        })
        .collect();
    let hub = "https://hub-downloads.confluent.io/api/plugins/confluentinc/kafka-connect-s3/versions/10.5.17";
    let central = "https://repo1.maven.org/maven2/io/debezium/debezium-connector-mysql/3.0.8.Final";
    let other = "https://maven.example.com/releases/org/postgresql/postgresql/42.7.4";
    let file = "debezium-connector-mysql-3.0.8.Final-plugin.tar.gz";
    let expected = [
        format!(
            "Plugin confluentinc-kafka-connect-s3 confluentinc-kafka-connect-s3-10.5.17.zip {hub}/confluentinc-kafka-connect-s3-10.5.17.zip"
        ),
        format!("Plugin debezium-connector-mysql {file} {central}/{file}"),
        format!("Plugin jdbc postgresql-42.7.4.jar {other}/postgresql-42.7.4.jar"),
        "Worker own-1.0 own-1.0.zip https://example.com/a/own-1.0.zip?version=1".to_owned(),
        "Plugin own own.jar plugins/own.jar".to_owned(),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn a_plugin_that_is_not_pinned_or_comes_from_nowhere_is_found_at_its_line() {
    let hash = "0".repeat(64);
    let pinned = |item: &str| format!("{item}, sha256: '{hash}'");
    for (item, at, said) in [
        ("hub: a/b:1".to_owned(), "7:18", "a/b:1 is not pinned"),
        ("file: own.jar".to_owned(), "7:19", "this prints it: sha256sum own.jar"),
        ("url: 'https://x.org/a.jar'".to_owned(), "7:18", "curl -sSfL https://x.org/a.jar | sha256sum"),
        ("file: own.jar, sha256: 12".to_owned(), "7:36", "\"12\" is no SHA-256"),
        (pinned("hub: a/b:latest"), "7:18", "latest is another file whenever"),
        (pinned("maven: 'a:b:1-SNAPSHOT'"), "7:20", "1-SNAPSHOT is another file"),
        (pinned("hub: a-b:1"), "7:18", "write owner/name:version"),
        (pinned("maven: 'a:b'"), "7:20", "write group:artifact:version"),
        (pinned("maven: 'a:../b:1'"), "7:20", "write group:artifact:version"),
        (pinned("url: 'http://example.com/a.jar'"), "7:18", "begins with https://"),
        (pinned("url: 'https://ana:word@example.com/a.jar'"), "7:18", "holds a login"),
        (pinned("url: 'https://example.com/a.exe'"), "7:18", "no jar and no archive"),
        (pinned("file: ../own.jar"), "7:19", "is outside of the project"),
        (pinned("file: /own.jar"), "7:19", "is outside of the project"),
        (pinned("file: own.jar, url: 'https://x.org/a.jar'"), "7:19", "a plugin comes from one place"),
        (pinned("name: x"), "7:11", "write one of hub, maven, url and file"),
        (pinned("file: own.jar, name: a/b"), "7:34", "can't be the name of a folder"),
        (pinned("file: own.jar, into: wroker"), "7:34", "did you mean worker?"),
        (pinned("file: own.jar, repository: 'https://x.org'"), "7:40", "repository belongs to maven"),
        (pinned("fiel: own.jar"), "7:13", "did you mean file?"),
    ] {
        let (_, findings) = read(&project(&with_plugins(&format!("        - {{ {item} }}\n"))));
        let text = lines(&findings);
        assert!(text.contains(said) && text.contains(&format!("{at} error")), "{item}:\n{text}");
        assert!(!text.contains("word@"), "{text}");
    }
}
