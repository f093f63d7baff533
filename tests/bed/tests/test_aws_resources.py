"""The resource types and APIs that the emulator lacked or answered wrongly, each against the documented behaviour."""

import functools
import json
import unittest

from .aws_support import AwsTest, bed, patched, until, template

RULE = {"GroupId": {"Fn::GetAtt": ["Group", "GroupId"]}, "IpProtocol": "tcp", "FromPort": 8083, "ToPort": 8083}
SELF = {**RULE, "SourceSecurityGroupId": {"Fn::GetAtt": ["Group", "GroupId"]}, "Description": "workers"}


def ingress(**properties):
    return {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": properties}


class RepositoriesOfOthers(AwsTest):
    """"Private repository policies in Amazon ECR": who may read the policy of another account's repository is said by that policy."""

    def policy_as_read(self, *actions, principal=None):
        owner = bed().call("aws/new_account")
        ecr = self.client("ecr", account=owner)
        ecr.create_repository(repositoryName="tools/a")
        if actions:
            principal = principal or f"arn:aws:iam::{self.number}:root"
            statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": list(actions)}
            ecr.set_repository_policy(repositoryName="tools/a", policyText=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        return functools.partial(self.client("ecr").get_repository_policy, registryId=owner["account"], repositoryName="tools/a")

    def test_it_is_read_where_it_says_so(self):
        read = self.policy_as_read("ecr:BatchGetImage", "ecr:GetRepositoryPolicy")
        self.assertIn("ecr:BatchGetImage", read()["policyText"])

    def test_nobody_else_reads_it(self):
        for read in (
            self.policy_as_read(),
            self.policy_as_read("ecr:BatchGetImage"),
            self.policy_as_read("ecr:GetRepositoryPolicy", principal="arn:aws:iam::999988887777:root"),
        ):
            self.assertEqual(self.refused(read)[0], "AccessDeniedException")


class OneOffTasks(AwsTest):
    """"Ensuring idempotency" of the ECS API reference: what a client's token makes of a second RunTask."""

    def test_a_token_stands_for_one_request(self):
        container = {"name": "a", "image": "a:1", "essential": True}
        families = [self.ecs.register_task_definition(family=family, containerDefinitions=[container]) for family in ("one", "other")]
        one, other = [family["taskDefinition"]["taskDefinitionArn"] for family in families]

        def run(definition, token):
            return self.ecs.run_task(cluster="apps", taskDefinition=definition, clientToken=token)["tasks"][0]["taskArn"]

        self.assertEqual(run(one, "t1"), run(one, "t1"))
        self.assertNotEqual(run(one, "t1"), run(one, "t2"))
        self.assertEqual(self.refused(run, definition=other, token="t1")[0], "ConflictException")


class ScramSecrets(AwsTest):
    SEED = {"msk_cluster": "orders"}

    def setUp(self):
        super().setUp()
        self.cluster, self.kafka, self.secrets = self.made["msk_cluster"], self.client("kafka"), self.client("secretsmanager")

    def secret(self, name, **more):
        return self.secrets.create_secret(Name=name, SecretString='{"username":"u","password":"p"}', **more)["ARN"]

    def test_only_a_secret_that_msk_can_read_is_taken(self):
        key = self.client("kms").create_key()["KeyMetadata"]["KeyId"]
        good = self.secret("AmazonMSK_good", KmsKeyId=key)
        bad = {
            self.secret("other", KmsKeyId=key): "must begin with the prefix AmazonMSK_",
            self.secret("AmazonMSK_default"): "default AWS KMS key",
            good[:-6] + "aaaaaa": "doesn't exist",
        }
        answer = self.kafka.batch_associate_scram_secret(ClusterArn=self.cluster, SecretArnList=[good, *bad])
        refused = {entry["SecretArn"]: entry["ErrorMessage"] for entry in answer["UnprocessedScramSecrets"]}
        self.assertEqual(set(refused), set(bad))
        for arn, said in bad.items():
            self.assertIn(said, refused[arn])
        self.assertEqual(self.kafka.list_scram_secrets(ClusterArn=self.cluster)["SecretArnList"], [good])

    def test_the_resource_gives_and_takes_them(self):
        def template(name):
            secret = {"Name": name, "SecretString": "{}", "KmsKeyId": {"Fn::GetAtt": ["Key", "Arn"]}}
            batch = {"ClusterArn": self.cluster, "SecretArnList": [{"Ref": "User"}]}
            return {"Resources": {
                "Key": {"Type": "AWS::KMS::Key", "Properties": {}},
                "User": {"Type": "AWS::SecretsManager::Secret", "Properties": secret},
                "Users": {"Type": "AWS::MSK::BatchScramSecret", "Properties": batch},
            }}  # fmt: skip

        self.assertEqual(self.deploy(template("AmazonMSK_one"), parameters=[])["StackStatus"], "CREATE_COMPLETE")
        self.assertEqual(len(self.kafka.list_scram_secrets(ClusterArn=self.cluster)["SecretArnList"]), 1)
        self.cfn.delete_stack(StackName="connect")
        until(lambda: not self.kafka.list_scram_secrets(ClusterArn=self.cluster)["SecretArnList"], "the end of the association")
        failed = self.deploy(template("no-prefix"), stack="other", parameters=[])
        self.assertEqual(failed["StackStatus"], "ROLLBACK_COMPLETE")
        self.assertIn("AmazonMSK_", dict(self.events("other", "Users"))["CREATE_FAILED"])


class SecurityGroupRules(AwsTest):
    def group(self):
        groups = self.client("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [self.made["vpc"]]}])[
            "SecurityGroups"
        ]
        return next(g for g in groups if g["Description"] == "connect")

    def test_a_rule_of_the_group_itself(self):
        self.deploy(template(Self=ingress(**SELF)))
        resource = self.cfn.describe_stack_resource(StackName="connect", LogicalResourceId="Self")["StackResourceDetail"]
        self.assertRegex(resource["PhysicalResourceId"], r"^sgr-[0-9a-f]{17}$")
        group = self.group()
        rule = group["IpPermissions"][0]
        self.assertEqual((rule["FromPort"], rule["ToPort"], rule["UserIdGroupPairs"][0]["GroupId"]), (8083, 8083, group["GroupId"]))
        self.assertEqual(self.deploy(template(), "UPDATE")["StackStatus"], "UPDATE_COMPLETE")
        self.assertEqual(self.group()["IpPermissions"], [])

    def test_a_rule_that_is_there_already(self):
        stack = self.deploy(template(One=ingress(**SELF), Two={**ingress(**SELF), "DependsOn": "One"}))
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        self.assertIn("already exists", dict(self.events(of="Two"))["CREATE_FAILED"])

    def test_egress(self):
        rule = {"Type": "AWS::EC2::SecurityGroupEgress", "Properties": {**RULE, "CidrIp": "10.1.0.0/16"}}
        self.deploy(template(Out=rule))
        self.assertIn("10.1.0.0/16", [r["CidrIp"] for p in self.group()["IpPermissionsEgress"] for r in p["IpRanges"]])


class PaperTypes(AwsTest):
    """Types that exist as long as their stack has them; what they refer to must be there."""

    def physical(self, name):
        return self.cfn.describe_stack_resource(StackName="connect", LogicalResourceId=name)["StackResourceDetail"]["PhysicalResourceId"]

    def test_each_has_an_id_of_its_form_and_its_attributes(self):
        subnet = self.made["subnets"]["public"][0]
        self.deploy(template(
            Address={"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
            Gateway={"Type": "AWS::EC2::NatGateway",
                     "Properties": {"AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}, "SubnetId": subnet}},
            Options={"Type": "AWS::EC2::DHCPOptions", "Properties": {"DomainNameServers": ["AmazonProvidedDNS"]}},
            OptionsOfVpc={"Type": "AWS::EC2::VPCDHCPOptionsAssociation",
                          "Properties": {"DhcpOptionsId": {"Ref": "Options"}, "VpcId": self.made["vpc"]}},
            Both={"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": "FALSE"}},
        ))  # fmt: skip
        self.assertRegex(self.physical("Address"), r"^203\.0\.113\.\d+$")
        self.assertRegex(self.physical("Gateway"), r"^nat-[0-9a-f]{17}$")
        self.assertRegex(self.physical("Options"), r"^dopt-[0-9a-f]{17}$")
        self.assertEqual(self.physical("OptionsOfVpc"), self.physical("Options"))
        self.assertRegex(self.physical("Both"), r"^connect-Both-[0-9A-F]+$")
        self.assertEqual(self.deploy(template(), "UPDATE")["StackStatus"], "UPDATE_COMPLETE")

    def test_what_one_refers_to_must_be_there(self):
        gateway = {"Type": "AWS::EC2::NatGateway", "Properties": {"AllocationId": "eipalloc-0", "SubnetId": "subnet-0"}}
        self.assertEqual(self.deploy(template(Gateway=gateway))["StackStatus"], "ROLLBACK_COMPLETE")
        self.assertIn("The subnet ID 'subnet-0' does not exist", dict(self.events(of="Gateway"))["CREATE_FAILED"])


class Lookups(AwsTest):
    """The tagging API knows certificates and prefix lists too (API_GetResources); a seed makes one of any type."""

    def test_what_is_tagged_is_found(self):
        certificate = {"DomainName": "example.com", "ValidationMethod": "DNS", "Tags": [{"Key": "use", "Value": "shop"}]}
        made = self.aws("seed", prefix_lists={"offices": {"use": "shop"}}, cidr="10.7.0.0/16",
                        resources={"cert": {"type": "AWS::CertificateManager::Certificate", "properties": certificate}})  # fmt: skip
        found = self.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "use", "Values": ["shop"]}])
        arns = {mapping["ResourceARN"] for mapping in found["ResourceTagMappingList"]}
        list_arn = f"arn:aws:ec2:eu-west-1:{self.number}:prefix-list/{made['prefix_lists']['offices']}"
        self.assertEqual(arns, {made["resources"]["cert"], list_arn})


class TaskDefinitions(AwsTest):
    def test_everything_in_it_is_kept(self):
        self.deploy(template())
        definition = self.ecs.describe_task_definition(taskDefinition="connect")["taskDefinition"]
        secret = self.stack()["Outputs"][0]["OutputValue"]
        container = definition["containerDefinitions"][0]
        self.assertRegex(secret, r"^arn:aws:secretsmanager:eu-west-1:\d{12}:secret:")
        self.assertEqual(container["secrets"], [{"name": "KEY", "valueFrom": f"{secret}:KEY::"}])
        self.assertEqual(container["healthCheck"], {"command": ["CMD-SHELL", "true"], "interval": 10, "startPeriod": 120})
        self.assertEqual((container["stopTimeout"], container["dockerLabels"]), (120, {"com.example.Secret-Version": "1"}))
        self.assertEqual(container["portMappings"], [{"containerPort": 8083, "hostPort": 8083, "name": "rest", "protocol": "tcp"}])
        self.assertEqual(container["logConfiguration"]["options"]["awslogs-group"], "/ecs/connect")
        self.assertEqual(container["ulimits"], [{"name": "nofile", "softLimit": 65535, "hardLimit": 65535}])
        self.assertEqual((definition["cpu"], definition["memory"], definition["networkMode"]), ("1024", "2048", "awsvpc"))

    def failure(self, source):
        self.assertEqual(self.deploy(source)["StackStatus"], "ROLLBACK_COMPLETE")
        return dict(self.events(of="Task"))["CREATE_FAILED"]

    def test_sizes_that_fargate_does_not_have(self):
        self.assertIn("No Fargate configuration exists for given values.", self.failure(patched(template(), "Task", Memory="9000")))

    def test_secrets_need_an_execution_role(self):
        self.assertIn(
            "you must also specify a value for 'executionRoleArn'", self.failure(patched(template(), "Task", ExecutionRoleArn=None))
        )

    def test_tags_of_the_stack_reach_the_resources(self):
        self.cfn.create_stack(
            StackName="connect", TemplateBody=json.dumps(template()), Parameters=self.parameters(),
            Capabilities=["CAPABILITY_IAM"], Tags=[{"Key": "project", "Value": "kafka"}],
        )  # fmt: skip
        self.settled()
        found = self.client("resourcegroupstaggingapi").get_resources(TagFilters=[{"Key": "project", "Values": ["kafka"]}])
        kinds = {
            mapping["ResourceARN"].split(":")[2] + ":" + mapping["ResourceARN"].split(":")[5].split("/")[0]
            for mapping in found["ResourceTagMappingList"]
        }
        self.assertLessEqual(
            {"ecs:service", "ecs:task-definition", "ec2:security-group", "secretsmanager:secret", "logs:log-group"}, kinds
        )


class Services(AwsTest):
    BALANCER = {
        "Balancer": {"Type": "AWS::ElasticLoadBalancingV2::LoadBalancer", "Properties": {"Subnets": {"Ref": "Subnets"}, "Scheme": "internal"}},
        "Targets": {
            "Type": "AWS::ElasticLoadBalancingV2::TargetGroup",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "Port": 8083, "Protocol": "HTTP", "TargetType": "ip"},
        },
        "Listener": {
            "Type": "AWS::ElasticLoadBalancingV2::Listener",
            "Properties": {
                "LoadBalancerArn": {"Ref": "Balancer"}, "Port": 80, "Protocol": "HTTP",
                "DefaultActions": [{"Type": "forward", "TargetGroupArn": {"Ref": "Targets"}}],
            },
        },
    }  # fmt: skip
    BALANCED = [{"ContainerName": "worker", "ContainerPort": 8083, "TargetGroupArn": {"Ref": "Targets"}}]

    def test_registries_service_connect_and_deployment_configuration_are_kept(self):
        registry = {
            "Type": "AWS::ServiceDiscovery::Service",
            "Properties": {
                "Name": "connect",
                "DnsConfig": {"NamespaceId": self.made["namespace"], "DnsRecords": [{"Type": "A", "TTL": "10"}]},
            },
        }
        connect = {
            "Enabled": True,
            "Namespace": "internal.example",
            "Services": [{"PortName": "rest", "ClientAliases": [{"Port": 8083}]}],
        }
        source = patched(
            template(breaker=True, maximum=150, minimum=50, Registry=registry), "Service",
            ServiceRegistries=[{"RegistryArn": {"Fn::GetAtt": ["Registry", "Arn"]}}], ServiceConnectConfiguration=connect,
            HealthCheckGracePeriodSeconds=300, EnableExecuteCommand=True, PropagateTags="SERVICE", AvailabilityZoneRebalancing="DISABLED",
        )  # fmt: skip
        self.assertEqual(self.deploy(source)["StackStatus"], "CREATE_COMPLETE")
        service = self.service()
        self.assertIn(":service/srv-", service["serviceRegistries"][0]["registryArn"])
        self.assertEqual(service["deployments"][0]["serviceConnectConfiguration"]["services"][0]["portName"], "rest")
        config = service["deploymentConfiguration"]
        self.assertEqual((config["maximumPercent"], config["minimumHealthyPercent"]), (150, 50))
        self.assertEqual(config["deploymentCircuitBreaker"], {"enable": True, "rollback": True})
        self.assertEqual((service["healthCheckGracePeriodSeconds"], service["enableExecuteCommand"]), (300, True))
        self.assertEqual((service["propagateTags"], service["availabilityZoneRebalancing"]), ("SERVICE", "DISABLED"))
        self.assertEqual(service["networkConfiguration"]["awsvpcConfiguration"]["subnets"], self.made["subnets"]["app"])

    def test_the_desired_count_by_reference(self):
        self.deploy(template(), parameters=self.parameters(Count=3))
        self.assertEqual((self.service()["desiredCount"], len(self.tasks())), (3, 3))
        before = {task["taskArn"] for task in self.tasks()}
        self.deploy(template(), "UPDATE", parameters=self.parameters(Count=1))
        self.assertEqual(self.service()["runningCount"], 1)
        self.assertLess({task["taskArn"] for task in self.tasks()}, before)

    def test_behind_a_load_balancer(self):
        source = patched(template(**self.BALANCER), "Service", LoadBalancers=self.BALANCED)
        source["Resources"]["Service"]["DependsOn"] = ["Listener"]
        self.aws("script", service="connect-*", healthy=0.5)
        self.assertEqual(self.deploy(source)["StackStatus"], "CREATE_COMPLETE")
        group = self.service()["loadBalancers"][0]["targetGroupArn"]
        health = self.client("elbv2").describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        addresses = {
            detail["value"]
            for task in self.tasks()
            for detail in task["attachments"][0]["details"]
            if detail["name"] == "privateIPv4Address"
        }
        self.assertEqual({h["Target"]["Id"] for h in health}, addresses)
        self.assertEqual({h["TargetHealth"]["State"] for h in health}, {"healthy"})
        self.assertTrue(any(f"registered 2 targets in (target-group {group})" in text for text in self.messages()))

    def failure(self, source):
        self.assertEqual(self.deploy(source)["StackStatus"], "ROLLBACK_COMPLETE")
        return dict(self.events(of="Service"))["CREATE_FAILED"]

    def test_a_target_group_without_a_listener(self):
        source = patched(template(**{**self.BALANCER, "Listener": None}), "Service", LoadBalancers=self.BALANCED)
        self.assertIn("does not have an associated load balancer.", self.failure(source))

    def test_a_port_that_the_container_does_not_have(self):
        source = patched(template(**self.BALANCER), "Service", LoadBalancers=[{**self.BALANCED[0], "ContainerPort": 1}])
        self.assertIn("The container worker did not have a container port 1 defined.", self.failure(source))

    def test_a_task_definition_that_does_not_exist(self):
        told = self.failure(patched(template(), "Service", TaskDefinition="nothing:7"))
        self.assertRegex(told, r'"TaskDefinition not found. .*HandlerErrorCode: NotFound\)$')

    def test_a_cluster_that_does_not_exist(self):
        self.assertIn("Cluster not found.", self.failure(patched(template(), "Service", Cluster="nowhere")))

    def test_a_service_connect_port_that_does_not_exist(self):
        connect = {"Enabled": True, "Namespace": "internal.example", "Services": [{"PortName": "jmx"}]}
        self.assertIn(
            "'jmx' does not refer to any named PortMapping",
            self.failure(patched(template(), "Service", ServiceConnectConfiguration=connect)),
        )


class Scaling(AwsTest):
    TARGET = {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": {
            "MinCapacity": 1, "MaxCapacity": 4, "ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount",
            "ResourceId": {"Fn::Sub": "service/apps/${Service.Name}"},
            "ScheduledActions": [{"ScheduledActionName": "night", "Schedule": "cron(0 22 * * ? *)", "ScalableTargetAction": {"MaxCapacity": 1}}],
        },
    }  # fmt: skip
    POLICY = {
        "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
        "Properties": {
            "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling", "ScalingTargetId": {"Ref": "Target"},
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": "60", "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
            },
        },
    }  # fmt: skip

    def test_a_target_with_its_policy_and_schedule(self):
        self.assertEqual(self.deploy(template(Target=self.TARGET, Policy=self.POLICY))["StackStatus"], "CREATE_COMPLETE")
        scaling = self.client("application-autoscaling")
        resource = f"service/apps/{self.service()['serviceName']}"
        target = scaling.describe_scalable_targets(ServiceNamespace="ecs", ResourceIds=[resource])["ScalableTargets"][0]
        self.assertEqual((target["MinCapacity"], target["MaxCapacity"]), (1, 4))
        policy = scaling.describe_scaling_policies(ServiceNamespace="ecs", ResourceId=resource)["ScalingPolicies"][0]
        self.assertEqual(policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"], 60.0)
        actions = scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
        self.assertEqual([action["ScheduledActionName"] for action in actions], ["night"])
        physical = self.cfn.describe_stack_resource(StackName="connect", LogicalResourceId="Target")["StackResourceDetail"][
            "PhysicalResourceId"
        ]
        self.assertEqual(physical, f"{resource}|ecs:service:DesiredCount|ecs")
        larger = patched(template(Target=self.TARGET, Policy=self.POLICY), "Target", MaxCapacity=9)
        self.deploy(larger, "UPDATE")
        self.assertEqual(scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"][0]["MaxCapacity"], 9)
        self.deploy(template(), "UPDATE")
        self.assertEqual(scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"], [])

    def test_a_target_needs_its_service(self):
        scaling = self.client("application-autoscaling")
        code, message = self.refused(
            scaling.register_scalable_target, ServiceNamespace="ecs", ResourceId="service/apps/none",
            ScalableDimension="ecs:service:DesiredCount", MinCapacity=1, MaxCapacity=2,
        )  # fmt: skip
        self.assertEqual((code, message), ("ValidationException", "ECS service doesn't exist: service/apps/none"))


class Drift(AwsTest):
    def drifts(self):
        number = self.cfn.detect_stack_drift(StackName="connect")["StackDriftDetectionId"]

        def done():
            status = self.cfn.describe_stack_drift_detection_status(StackDriftDetectionId=number)
            return status if status["DetectionStatus"] == "DETECTION_COMPLETE" else None

        status = until(done, "the detection")["StackDriftStatus"]
        found = self.cfn.describe_stack_resource_drifts(StackName="connect")["StackResourceDrifts"]
        return status, {drift["LogicalResourceId"]: drift for drift in found if drift["StackResourceDriftStatus"] != "IN_SYNC"}

    def test_what_was_changed_behind_the_stacks_back(self):
        self.deploy(template(Self=ingress(**SELF)))
        self.assertEqual(self.drifts(), ("IN_SYNC", {}))
        self.ecs.update_service(cluster="apps", service=self.service()["serviceName"], desiredCount=1)
        ec2, group = self.client("ec2"), self.group_id()
        pair = {"UserIdGroupPairs": [{"GroupId": group}], "IpProtocol": "tcp", "FromPort": 8083, "ToPort": 8083}
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[pair])
        status, found = self.drifts()
        self.assertEqual((status, set(found)), ("DRIFTED", {"Service", "Self"}))
        difference = found["Service"]["PropertyDifferences"][0]
        self.assertEqual(
            (difference["PropertyPath"], difference["ExpectedValue"], difference["ActualValue"]), ("/DesiredCount", "2", "1")
        )
        self.assertEqual(found["Self"]["StackResourceDriftStatus"], "DELETED")

    def group_id(self):
        return self.cfn.describe_stack_resource(StackName="connect", LogicalResourceId="Group")["StackResourceDetail"][
            "PhysicalResourceId"
        ]


class Account(AwsTest):
    SEED = {"tags": {"env": "test"}, "cluster": "apps", "namespace": "internal.example", "hosted_zone": "example.com", "certificate": "c.example.com",
            "secrets": {"kafka/connect": "{}"}}  # fmt: skip

    def test_what_was_seeded_is_found(self):
        tagging = self.client("resourcegroupstaggingapi")

        def found(kind, **tags):
            filters = [{"Key": key, "Values": [value]} for key, value in tags.items()]
            answer = tagging.get_resources(TagFilters=filters, ResourceTypeFilters=[kind])
            return [mapping["ResourceARN"] for mapping in answer["ResourceTagMappingList"]]

        self.assertEqual(found("ec2:vpc", env="test"), [f"arn:aws:ec2:eu-west-1:{self.number}:vpc/{self.made['vpc']}"])
        app = {arn.split("/")[-1] for arn in found("ec2:subnet", **{"vpc::usage": "app"})}
        self.assertEqual(app, set(self.made["subnets"]["app"]))
        self.assertEqual(found("ecs:cluster", env="test"), [self.made["cluster"]])
        self.assertEqual(found("secretsmanager", env="test"), list(self.made["secrets"].values()))
        self.assertEqual(found("secretsmanager:secret", env="other"), [])
        self.assertEqual(self.ecs.describe_clusters(clusters=["apps"])["clusters"][0]["status"], "ACTIVE")
        zones = {subnet["AvailabilityZone"] for subnet in self.client("ec2").describe_subnets(SubnetIds=sorted(app))["Subnets"]}
        self.assertEqual(zones, {"eu-west-1a", "eu-west-1b", "eu-west-1c"})
        namespaces = self.client("servicediscovery").list_namespaces()["Namespaces"]
        self.assertEqual([namespace["Name"] for namespace in namespaces], ["internal.example"])
        self.assertEqual(
            self.client("acm").describe_certificate(CertificateArn=self.made["certificate"])["Certificate"]["Status"], "ISSUED"
        )

    def test_accounts_do_not_meet(self):
        other = Account("test_accounts_do_not_meet")
        other.SEED = {"cluster": "apps"}
        other.setUp()
        self.assertNotEqual(self.number, other.number)
        self.assertEqual(other.client("secretsmanager").list_secrets()["SecretList"], [])
        self.assertEqual(other.client("sts").get_caller_identity()["Account"], other.number)


if __name__ == "__main__":
    unittest.main()
