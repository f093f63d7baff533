//! Every kind of thing that the files can look up in an account, on the AWS bed: found, not found, found twice. A VPC that is there twice
//! is in `account`, load balancers and their listeners are in `balancers`.

use std::fs;

use serde_json::{Value, json};

use crate::support::deployment::Deployment;

/// One of each kind, by its tags where it has some, else by its name.
const PROJECT: &str = r#"name: shop
services:
  web:
    image: example.com/web:1
    ports: ["8080"]
    deploy: { resources: { limits: { cpus: "1", memory: 2G } } }
    secrets: [web, keys]
    volumes: ["files:/data"]
    x-network:
      x-cloudmap: lan
      AdditionalSecurityGroups: { shared: { Tags: { role: shared } } }
      Ingress:
        AwsSources:
          - { Type: SecurityGroup, Lookup: { Tags: { Name: bastion } }, Ports: [8080] }
          - { Type: PrefixList, Lookup: { Tags: { use: offices } }, Ports: [8080] }
secrets:
  web: { x-secrets: { Name: /shop/web } }
  keys: { x-secrets: { Lookup: { Tags: { holds: keys } } } }
volumes: { files: { x-efs: { Lookup: { Tags: { Name: files } } } } }
x-sns: { pager: { Lookup: { Tags: { Name: pager } }, Services: { web: { Access: Publish, ReturnValues: { TopicArn: PAGER } } } } }
x-acm: { cert: { Lookup: { Tags: { use: shop } } } }
x-route53: { zone: { ZoneName: shop.example.com, Lookup: true } }
x-cloudmap: { lan: { Name: lan.shop, Lookup: true } }
x-elbv2:
  front:
    MacroParameters: { Ingress: { ExtSources: [{ IPv4: 10.0.0.0/8 }] } }
    Services: { "web:web": { port: 8080 } }
    Listeners: { "443": { Certificates: [{ x-acm: cert }], Targets: [{ name: "web:web" }] } }
    DnsAliases: [{ Names: [web.shop.example.com], Route53Zone: "x-route53::zone" }]
x-vpc:
  Lookup:
    VpcId: { Tags: { Name: main } }
    AppSubnets: { Tags: { "vpc::usage": app } }
    PublicSubnets: { Tags: { "vpc::usage": public } }
x-cluster: { Lookup: { Tags: { env: dev } } }
"#;

/// What a lookup is changed to, and what is said then of it: kind, words, where it was looked for.
const MISSING: [(&str, &str, &str); 13] = [
    ("Tags: { Name: main }", "Tags: { Name: mian }", "x-vpc: there is no VPC tagged Name=mian in eu-west-1; there is"),
    ("usage\": app", "usage\": apps", "x-vpc: there is no subnet tagged vpc::usage=apps"),
    ("env: dev", "env: prod", "x-cluster: there is no ECS cluster tagged env=prod in eu-west-1; there is shop"),
    ("role: shared", "role: share", "there is no security group tagged role=share in"),
    ("Name: bastion", "Name: bastoin", "there is no security group tagged Name=bastoin in"),
    ("use: offices", "use: office", "there is no prefix list tagged use=office in eu-west-1; there is pl-"),
    ("Name: /shop/web", "Name: /shop/wbe", "there is no secret /shop/wbe in eu-west-1; there is"),
    ("holds: keys", "holds: key", "there is no secret tagged holds=key in eu-west-1; there is"),
    ("Name: files", "Name: file", "there is no EFS file system tagged Name=file in eu-west-1; there is fs-"),
    ("Name: pager", "Name: pagr", "there is no SNS topic tagged Name=pagr in eu-west-1; there is arn:aws:sns:"),
    ("use: shop", "use: shp", "there is no certificate tagged use=shp in eu-west-1; there is arn:aws:acm:"),
    ("ZoneName: shop.", "ZoneName: ", "there is no public hosted zone example.com in Route 53; there is"),
    ("Name: lan.shop", "Name: lan.shp", "there is no Cloud Map namespace lan.shp in eu-west-1; there is ns-"),
];

const TWICE: [&str; 9] = [
    "Cloud Map namespace lan.shop",
    "ECS cluster tagged env=dev",
    "security group tagged role=shared",
    "security group tagged Name=bastion",
    "prefix list tagged use=offices",
    "EFS file system tagged Name=files",
    "SNS topic tagged Name=pager",
    "certificate tagged use=shop",
    "public hosted zone shop.example.com",
];

fn tagged(kind: &str, more: &Value, tags: &Value, key: &str) -> Value {
    let mut properties = more.as_object().unwrap().clone();
    let tags = tags.as_object().unwrap().iter().map(|(key, value)| json!({ "Key": key, "Value": value }));
    properties.insert(key.to_owned(), tags.collect());
    json!({ "type": kind, "properties": properties })
}

/// What has no entry of its own in a seed.
fn resources(suffix: &str) -> Value {
    let group = |name: &str, tags: Value| {
        let name = format!("{name}{suffix}");
        tagged("AWS::EC2::SecurityGroup", &json!({ "GroupName": name, "GroupDescription": name, "VpcId": "$vpc" }), &tags, "Tags")
    };
    let topic = json!({ "TopicName": format!("pager{suffix}") });
    let certificate = json!({ "DomainName": "*.shop.example.com", "ValidationMethod": "DNS" });
    json!({
        format!("shared{suffix}"): group("shared", json!({ "role": "shared" })),
        format!("bastion{suffix}"): group("bastion", json!({ "Name": "bastion" })),
        format!("pager{suffix}"): tagged("AWS::SNS::Topic", &topic, &json!({ "Name": "pager" }), "Tags"),
        format!("files{suffix}"): tagged("AWS::EFS::FileSystem", &json!({}), &json!({ "Name": "files" }), "FileSystemTags"),
        format!("cert{suffix}"): tagged("AWS::CertificateManager::Certificate", &certificate, &json!({ "use": "shop" }), "Tags"),
        format!("keys{suffix}"): tagged("AWS::SecretsManager::Secret", &json!({ "Name": format!("/shop/keys{suffix}"), "SecretString": "{}" }), &json!({ "holds": "keys" }), "Tags"),
    })
}

fn seed(shop: &Deployment) -> Value {
    shop.seed(&json!({ "name": "main", "cluster": "shop", "cluster_tags": { "env": "dev" }, "namespace": "lan.shop",
        "hosted_zone": "shop.example.com", "secrets": { "/shop/web": "{}" }, "resources": resources(""),
        "prefix_lists": { "offices": { "use": "offices" } } }))
}

fn shop(project: &str) -> Deployment {
    let shop = Deployment::empty();
    fs::write(shop.path().join("docker-compose.yml"), project).unwrap();
    fs::write(shop.path().join("envs/dev.yml"), "{}\n").unwrap();
    shop
}

#[test]
fn one_of_every_kind_is_found() {
    let shop = shop(PROJECT);
    let made = seed(&shop);
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let text = fs::read_to_string(shop.path().join("outputs/shop-dev.parameters.json")).unwrap();
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    let found = |key: &str| list.iter().find(|entry| entry["ParameterKey"] == key).map(|entry| entry["ParameterValue"].clone());
    let of = |key: &str| Some(made["resources"][key].clone());
    assert_eq!(found("VpcId"), Some(made["vpc"].clone()));
    assert_eq!(found("ClusterName"), Some("shop".into()));
    assert_eq!(found("SharedSecurityGroupId"), of("shared"));
    assert_eq!(found("NameBastionSecurityGroupId"), of("bastion"));
    assert_eq!(found("UseOfficesPrefixListId"), Some(made["prefix_lists"]["offices"].clone()));
    assert_eq!(found("WebSecretArn"), Some(made["secrets"]["/shop/web"].clone()));
    assert_eq!(found("KeysSecretArn"), of("keys"));
    assert_eq!(found("FilesFileSystemId"), of("files"));
    assert_eq!(found("PagerTopicArn"), of("pager"));
    assert_eq!(found("CertCertificateArn"), of("cert"));
    assert_eq!(found("ZoneId"), Some(made["hosted_zone"].clone()));
    assert_eq!(found("LanNamespaceId"), Some(made["namespace"].clone()));
    assert!(list.iter().all(|entry| entry["ParameterValue"] != ""), "{text}");
}

#[test]
fn what_is_not_there_is_said_of_every_kind_in_one_run() {
    let wrong = MISSING.iter().fold(PROJECT.to_owned(), |text, (right, wrong, _)| {
        assert!(text.contains(right), "{right}");
        text.replace(right, wrong)
    });
    let shop = shop(&wrong);
    seed(&shop);
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 2);
    for (_, _, said) in MISSING {
        let line = ran.stderr.lines().find(|line| line.contains(said)).unwrap_or_else(|| panic!("{said}\n{}", ran.stderr));
        assert!(line.starts_with("docker-compose.yml:") && line.contains("error[CE220]"), "{line}");
    }
    assert_eq!(ran.stderr.matches("error[").count(), MISSING.len(), "{}", ran.stderr);
}

#[test]
fn what_is_there_twice_is_said_of_every_kind_in_one_run() {
    let shop = shop(PROJECT);
    let mut twice = resources("");
    twice.as_object_mut().unwrap().extend(resources("-2").as_object().unwrap().clone());
    shop.seed(&json!({ "name": "main", "cluster": "shop", "cluster_tags": { "env": "dev" }, "namespace": "lan.shop",
        "hosted_zone": "shop.example.com", "secrets": { "/shop/web": "{}" }, "resources": twice,
        "prefix_lists": { "offices": { "use": "offices" }, "others": { "use": "offices" } } }));
    shop.seed(&json!({ "name": "other", "cidr": "10.9.0.0/16", "cluster": "shop-2", "cluster_tags": { "env": "dev" },
        "hosted_zone": "shop.example.com", "namespace": "lan.shop" }));
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 2);
    for said in TWICE {
        let said = format!("there are 2 of the kind {said} in ");
        let line = ran.stderr.lines().find(|line| line.contains(&said)).unwrap_or_else(|| panic!("{said}\n{}", ran.stderr));
        assert!(line.contains("error[CE222]") && line.contains("; they are ") && line.contains("say which"), "{line}");
    }
    let secret = "error[CE222]: secrets.keys: there are 2 of the kind secret tagged holds=keys in eu-west-1; they are ";
    assert!(ran.stderr.contains(secret) && ran.stderr.contains("/shop/keys-2"), "{}", ran.stderr);
}

/// What is in another account can't be listed: an ARN is taken as it is, and CloudFormation judges it.
#[test]
fn an_arn_of_another_account_is_taken_as_it_is() {
    let shop =
        shop(&PROJECT.replace("Lookup: { Tags: { Name: pager } }", "Lookup: \"arn:aws:sns:eu-west-1:111122223333:on-call\""));
    seed(&shop);
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
}
