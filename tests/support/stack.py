"""Makes a stack of secrets on the AWS bed and reads a secret back: {"template", "parameters", "secret"} on stdin, its value on stdout."""

import json
import sys

import boto3

asked = json.load(sys.stdin)
cloudformation = boto3.client("cloudformation")
cloudformation.create_stack(StackName="secrets", TemplateBody=asked["template"], Parameters=asked["parameters"])
cloudformation.get_waiter("stack_create_complete").wait(StackName="secrets", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
print(boto3.client("secretsmanager").get_secret_value(SecretId=asked["secret"])["SecretString"])
