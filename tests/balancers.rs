//! Load balancers that are there: rules and listeners of this stack on what others have made, offline and on the AWS bed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::account::live_file;
use crate::render::lint;
use crate::support::deployment::Deployment;
use crate::support::golden;
use crate::support::program::run_with;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn project() -> PathBuf {
    root().join("tests/projects/existing-balancer")
}

#[test]
fn what_is_added_to_a_balancer_that_is_there() {
    let ran = run_with(&project(), &["render"], "", &[]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    golden::compare("render-existing-balancer/template.yml", &ran.stdout);
    lint(&[root().join("tests/golden/render-existing-balancer/template.yml")]);
    let template: Value = serde_yaml::from_str(&ran.stdout).unwrap();
    let property = |id: &str, path: &str| template["Resources"][id]["Properties"].pointer(path).cloned().unwrap_or(Value::Null);
    let of_kind = |kind: &str| {
        let resources = template["Resources"].as_object().unwrap().iter();
        resources.filter(|(_, resource)| resource["Type"] == kind).map(|(id, _)| id.clone()).collect::<Vec<_>>()
    };
    // Nothing of the balancers themselves is made; the listener of one's own beside it is.
    assert!(of_kind("AWS::ElasticLoadBalancingV2::LoadBalancer").is_empty());
    let listeners = of_kind("AWS::ElasticLoadBalancingV2::Listener");
    assert_eq!(listeners, ["PlainLoadBalancerListener9000", "SharedLoadBalancerListener8443"]);
    assert_eq!(property("SharedLoadBalancerListener8443", "/LoadBalancerArn/Ref"), "SharedLoadBalancerArn");
    let rules = of_kind("AWS::ElasticLoadBalancingV2::ListenerRule");
    assert_eq!(rules.len(), 2);
    for rule in &rules {
        assert_eq!(property(rule, "/ListenerArn/Ref"), "SharedLoadBalancerListener443Arn");
        assert_eq!(property(rule, "/Priority/Ref"), format!("{rule}Priority").as_str());
    }
    // The places are told without an account, in the order of the rules, and are the same every time.
    let place =
        |rule: &str| template["Parameters"][format!("{rule}Priority")]["Default"].as_str().unwrap().parse::<u32>().unwrap();
    assert_eq!(place(&rules[0]) + 1, place(&rules[1]));
    // The certificate stands beside those that the listener has.
    assert_eq!(
        property("SharedLoadBalancerListener443FurtherCertificate1", "/Certificates/0/CertificateArn/Ref"),
        "WebCertificate"
    );
    // Tasks let the balancer in by its own group; who comes through a network load balancer, the service says.
    assert_eq!(property("WebFromSharedLoadBalancer8080", "/SourceSecurityGroupId/Ref"), "SharedLoadBalancerSecurityGroupId");
    assert!(!template.to_string().contains("PlainLoadBalancerSecurityGroupId"));
    assert_eq!(property("AdminSecurityGroup", "/SecurityGroupIngress/0/CidrIp"), "10.0.0.0/16");
    // Names, addresses and metrics are those of the balancer.
    assert_eq!(
        property("SharedLoadBalancerAliasWebExampleCom", "/AliasTarget/HostedZoneId/Ref"),
        "SharedLoadBalancerHostedZoneId"
    );
    assert_eq!(template["Outputs"]["SharedLoadBalancerDnsName"]["Value"]["Ref"], "SharedLoadBalancerAddress");
    assert_eq!(property("FailingAlarm", "/Dimensions/0/Value/Fn::Select/1/Fn::Split/1/Ref"), "SharedLoadBalancerArn");
    // A service may use a target group when a rule leads to it.
    assert_eq!(template["Resources"]["WebService"]["DependsOn"], json!(["SharedLoadBalancerListener443Rule1"]));
}

/// An account in which others have the two balancers.
fn seeded() -> Value {
    let tags = |name: &str| json!([{ "Key": "Name", "Value": name }]);
    let group = json!({ "GroupName": "shared", "GroupDescription": "shared", "VpcId": "$vpc" });
    let balancer = json!({ "Name": "shared", "Type": "application", "Scheme": "internal", "SecurityGroups": ["$group"], "VpcId": "$vpc",
                           "Subnets": "$subnets", "Tags": tags("shared") });
    let answer = json!([{ "Type": "fixed-response", "FixedResponseConfig": { "StatusCode": "404" } }]);
    let listener = json!({ "LoadBalancerArn": "$shared", "Port": 443, "Protocol": "HTTPS", "DefaultActions": answer, "Tags": tags("https") });
    let resources = json!([
        ["group", "AWS::EC2::SecurityGroup", group],
        ["shared", "AWS::ElasticLoadBalancingV2::LoadBalancer", balancer],
        ["https", "AWS::ElasticLoadBalancingV2::Listener", listener],
        ["inner", "AWS::ElasticLoadBalancingV2::LoadBalancer", { "Name": "inner", "Type": "network", "Scheme": "internal", "Subnets": "$subnets", "VpcId": "$vpc" }],
    ]);
    let resources: Value = resources
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one[0].as_str().unwrap().to_owned(), json!({ "type": one[1], "properties": one[2] })))
        .collect::<serde_json::Map<_, _>>()
        .into();
    json!({ "name": "main", "cluster": "main", "hosted_zone": "example.com", "resources": resources,
            "order": ["group", "shared", "https", "inner"] })
}

#[test]
fn a_project_behind_balancers_of_others_lives() {
    live_file("existing-balancer", "docker-compose.yml", &seeded(), |_| Vec::new());
}

/// The project in an account, and what `render --resolve` fills in.
fn resolved(shop: &Deployment) -> Value {
    let ran = shop.run(&["render", "-n", "life", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = fs::read_to_string(shop.path().join("outputs/life.parameters.json")).unwrap();
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    list.iter().map(|entry| (entry["ParameterKey"].as_str().unwrap().to_owned(), entry["ParameterValue"].clone())).collect()
}

fn written(text: &str) -> Deployment {
    let shop = Deployment::empty();
    fs::write(shop.path().join("docker-compose.yml"), text).unwrap();
    fs::write(shop.path().join("envs/dev.yml"), "{}\n").unwrap();
    shop
}

#[test]
fn a_balancer_is_found_and_its_rules_keep_their_places() {
    let text = fs::read_to_string(project().join("docker-compose.yml")).unwrap();
    let shop = written(&text);
    let made = shop.seed(&seeded());
    let first = resolved(&shop);
    assert_eq!(first["SharedLoadBalancerArn"], made["resources"]["shared"]);
    assert_eq!(first["SharedLoadBalancerListener443Arn"], made["resources"]["https"]);
    assert_eq!(first["SharedLoadBalancerSecurityGroupId"], made["resources"]["group"]);
    assert_eq!(first["PlainLoadBalancerArn"], made["resources"]["inner"]);
    assert!(first["SharedLoadBalancerAddress"].as_str().is_some_and(|address| !address.is_empty()), "{first}");
    let places = |values: &Value| {
        ["1", "2"].map(|rule| values[format!("SharedLoadBalancerListener443Rule{rule}Priority")].as_str().unwrap().to_owned())
    };
    let ran = shop.run(&["up", "--skip-preflight", "-n", "life", "--yes"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // Deployed, the rules are among those of the listener, and stay where they are.
    assert_eq!(places(&resolved(&shop)), places(&first));
    let ran = shop.run(&["plan", "-n", "life", "--detailed-exitcode"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    // Rendered again, they stay where they are.
    let other = shop.run(&["render", "-n", "life", "-d", "again", "--resolve"]);
    assert_eq!(other.code, 0, "{}", other.stderr);
    let policy = shop.run(&["iam-policy", "-n", "life"]);
    assert_eq!(policy.code, 0, "{}", policy.stderr);
    for action in ["DescribeLoadBalancers", "DescribeListeners", "DescribeRules", "CreateRule", "SetRulePriorities"] {
        assert!(policy.stdout.contains(&format!("elasticloadbalancing:{action}")), "{action}");
    }
}

#[test]
fn a_balancer_that_is_not_there_or_there_twice_or_of_another_kind_is_said() {
    let text = fs::read_to_string(project().join("docker-compose.yml")).unwrap();
    for (right, wrong, said) in [
        (
            "Tags: { Name: shared }",
            "Tags: { Name: shraed }",
            "[CE220]: x-elbv2: there is no application load balancer tagged Name=shraed in eu-west-1; there is",
        ),
        ("Lookup: inner", "Lookup: iner", "[CE220]: x-elbv2: there is no network load balancer iner in eu-west-1; there is"),
        (
            "Lookup: inner",
            "Lookup: shared",
            "[CE223]: x-elbv2: the network load balancer shared can't be used: shared is of the kind application",
        ),
        (
            "Tags: { Name: https }",
            "Tags: { Name: http }",
            "[CE220]: x-elbv2: there is no listener tagged Name=http in shared; there is",
        ),
        (
            "        443:\n          Tags: { Name: https }",
            "        444:\n          Tags: { Name: https }",
            "[CE223]: x-elbv2: the listener tagged Name=https can't be used: it listens on 443, not on 444",
        ),
        (
            "        443:\n          Tags: { Name: https }",
            "        444:\n          Port: 444",
            "[CE220]: x-elbv2: there is no listener on port 444 in shared; there is",
        ),
    ] {
        assert!(text.contains(right), "{right}");
        let shop = written(&text.replacen(right, wrong, 1));
        shop.seed(&seeded());
        let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
        assert_eq!(ran.code, 2, "{wrong}");
        let line = ran.stderr.lines().find(|line| line.contains(said)).unwrap_or_else(|| panic!("{said}\n{}", ran.stderr));
        assert!(line.starts_with("docker-compose.yml:"), "{line}");
    }
    let shop = written(&text);
    let mut twice = seeded();
    twice["resources"]["second"] = json!({ "type": "AWS::ElasticLoadBalancingV2::LoadBalancer",
        "properties": { "Name": "second", "Type": "application", "Tags": [{ "Key": "Name", "Value": "shared" }] } });
    twice["order"].as_array_mut().unwrap().push("second".into());
    shop.seed(&twice);
    let ran = shop.run(&["render", "-d", "outputs", "--resolve"]);
    assert_eq!(ran.code, 2);
    let said =
        "error[CE222]: x-elbv2: there are 2 of the kind application load balancer tagged Name=shared in eu-west-1; they are ";
    assert!(ran.stderr.contains(said), "{}", ran.stderr);
}
