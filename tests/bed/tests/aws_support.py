"""What the tests of the AWS bed share: one bed a process, an account each, and a template with everything that a service needs."""

import atexit
import functools
import json
import time
import unittest

import boto3
from botocore.config import Config

from .support import PATIENCE, Bed

IAM = ["CAPABILITY_IAM"]


@functools.cache
def bed():
    made = Bed("aws", "registry", "schema_registry")
    atexit.register(made.close)
    return made


def until(probe, what="what was waited for"):
    """Calls `probe` until it returns something true, and returns that; fails when it never does."""
    end = time.monotonic() + PATIENCE
    while True:
        result = probe()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what}")
        time.sleep(0.05)


class AwsTest(unittest.TestCase):
    """A test with an account of its own, in which there are a VPC, a cluster and a namespace."""

    SEED = {"cluster": "apps", "tags": {"env": "test"}, "namespace": "internal.example"}

    def setUp(self):
        self.account = bed().call("aws/new_account")
        self.number = self.account["account"]
        self.made = self.aws("seed", **self.SEED)
        self.cfn, self.ecs = self.client("cloudformation"), self.client("ecs")

    def aws(self, action, **arguments):
        return bed().call(f"aws/{action}", account=self.number, **arguments)

    def client(self, name, faulty=False, attempts=1, timeout=PATIENCE, account=None):
        env = (account or self.account)["fault_env" if faulty else "env"]
        return boto3.client(
            name,
            endpoint_url=env["AWS_ENDPOINT_URL"],
            region_name=env["AWS_REGION"],
            aws_access_key_id=env["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=env["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=timeout, connect_timeout=60),
        )

    def refused(self, function, **arguments):
        """Code and message of the refusal of a call."""
        with self.assertRaises(Exception) as caught:
            function(**arguments)
        error = caught.exception.response["Error"]
        return error["Code"], error["Message"]

    # --- stacks

    def parameters(self, **more):
        values = {"Vpc": self.made["vpc"], "Subnets": ",".join(self.made["subnets"]["app"]), **more}
        return [{"ParameterKey": key, "ParameterValue": str(value)} for key, value in values.items()]

    def change_set(self, template, kind="CREATE", stack="connect", parameters=None, **more):
        name = f"cs-{time.time_ns()}"
        body = template if isinstance(template, str) else json.dumps(template)
        arguments = {
            "TemplateBody": body,
            "Parameters": self.parameters() if parameters is None else parameters,
            "Capabilities": IAM,
            **more,
        }
        self.cfn.create_change_set(StackName=stack, ChangeSetName=name, ChangeSetType=kind, **arguments)
        until(lambda: self.described(stack, name)["Status"] in ("CREATE_COMPLETE", "FAILED"), "the change set")
        return self.described(stack, name)

    def described(self, stack, name):
        return self.cfn.describe_change_set(StackName=stack, ChangeSetName=name)

    def deploy(self, template, kind="CREATE", stack="connect", parameters=None, **more):
        """Through a change set, to the end. Returns the stack."""
        change_set = self.change_set(template, kind, stack, parameters)
        self.assertEqual(change_set["Status"], "CREATE_COMPLETE", change_set.get("StatusReason"))
        self.cfn.execute_change_set(StackName=stack, ChangeSetName=change_set["ChangeSetName"], **more)
        return self.settled(stack)

    def settled(self, stack="connect"):
        def ended():
            described = self.stack(stack)
            return None if described["StackStatus"].endswith("_IN_PROGRESS") else described

        return until(ended, f"the end of {stack}'s operation")

    def stack(self, stack="connect"):
        return self.cfn.describe_stacks(StackName=stack)["Stacks"][0]

    def events(self, stack="connect", of=None):
        """(logical id, status, reason), oldest first; of one resource or of all."""
        pages = self.cfn.get_paginator("describe_stack_events").paginate(StackName=stack)
        events = [e for page in pages for e in page["StackEvents"]][::-1]
        found = [(e["LogicalResourceId"], e["ResourceStatus"], e.get("ResourceStatusReason", "")) for e in events]
        return found if of is None else [entry[1:] for entry in found if entry[0] == of]

    # --- services

    def service(self, name=None):
        arns = self.ecs.list_services(cluster="apps")["serviceArns"]
        chosen = [arn for arn in arns if name is None or name in arn]
        self.assertEqual(len(chosen), 1, arns)
        return self.ecs.describe_services(cluster="apps", services=chosen)["services"][0]

    def tasks(self, status="RUNNING"):
        arns = self.ecs.list_tasks(cluster="apps", desiredStatus=status)["taskArns"]
        return self.ecs.describe_tasks(cluster="apps", tasks=arns)["tasks"] if arns else []

    def messages(self, name=None):
        return [event["message"] for event in self.service(name)["events"]][::-1]


def template(breaker=False, maximum=200, minimum=100, **more):
    """A stack as the project makes it. `more` are further resources; one of None takes a resource out."""
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []}}},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Fn::Sub": "/ecs/${AWS::StackName}"}}},
        "Secret": {"Type": "AWS::SecretsManager::Secret", "Properties": {"SecretString": '{"KEY": "value"}'}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "connect", "VpcId": {"Ref": "Vpc"}}},
        "Task": {
            "Type": "AWS::ECS::TaskDefinition",
            "Properties": {
                "Family": {"Ref": "AWS::StackName"},
                "Cpu": "1024",
                "Memory": "2048",
                "NetworkMode": "awsvpc",
                "RequiresCompatibilities": ["FARGATE"],
                "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
                "ContainerDefinitions": [
                    {
                        "Name": "worker",
                        "Image": {"Ref": "Image"},
                        "StopTimeout": 120,
                        "PortMappings": [{"ContainerPort": 8083, "Name": "rest"}],
                        "Environment": [{"Name": "CONNECT_GROUP_ID", "Value": "connect"}],
                        "Secrets": [{"Name": "KEY", "ValueFrom": {"Fn::Sub": "${Secret}:KEY::"}}],
                        "HealthCheck": {"Command": ["CMD-SHELL", "true"], "Interval": 10, "StartPeriod": 120},
                        "DockerLabels": {"com.example.Secret-Version": "1"},
                        "Ulimits": [{"Name": "nofile", "SoftLimit": 65535, "HardLimit": 65535}],
                        "LogConfiguration": {
                            "LogDriver": "awslogs",
                            "Options": {
                                "awslogs-group": {"Ref": "Logs"},
                                "awslogs-stream-prefix": "ecs",
                                "awslogs-region": {"Ref": "AWS::Region"},
                            },
                        },
                    }
                ],
            },
        },
        "Service": {
            "Type": "AWS::ECS::Service",
            "Properties": {
                "Cluster": "apps",
                "TaskDefinition": {"Ref": "Task"},
                "DesiredCount": {"Ref": "Count"},
                "LaunchType": "FARGATE",
                "DeploymentConfiguration": {
                    "MaximumPercent": maximum,
                    "MinimumHealthyPercent": minimum,
                    "DeploymentCircuitBreaker": {"Enable": breaker, "Rollback": breaker},
                },
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {"Subnets": {"Ref": "Subnets"}, "SecurityGroups": [{"Ref": "Group"}]}
                },
            },
        },
    }
    resources.update(more)
    return {
        "Parameters": {
            "Vpc": {"Type": "AWS::EC2::VPC::Id"},
            "Subnets": {"Type": "List<AWS::EC2::Subnet::Id>"},
            "Count": {"Type": "Number", "Default": "2"},
            "Image": {"Type": "String", "Default": "confluentinc/cp-kafka-connect:7.9.0"},
        },
        "Resources": {name: resource for name, resource in resources.items() if resource},
        "Outputs": {"SecretRef": {"Value": {"Ref": "Secret"}}},
    }


def patched(source, resource, **properties):
    """The template with a resource's properties replaced; None takes one out."""
    made = json.loads(json.dumps(source))
    target = made["Resources"][resource]["Properties"]
    target.update(properties)
    made["Resources"][resource]["Properties"] = {key: value for key, value in target.items() if value is not None}
    return made
