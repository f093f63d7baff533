"""What CloudFormation refuses before it does anything, and where a template may come from."""

import json
import secrets
import unittest

from .aws_support import IAM, AwsTest, template


def simple(**parameters):
    return {
        "Parameters": parameters,
        "Resources": {"Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "AWS::StackName"}}}},
    }


def given(**values):
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in values.items()]


class Refusals(AwsTest):
    def try_change_set(self, source, parameters=(), kind="CREATE", stack="connect", name="try", **more):
        arguments = {"TemplateBody": json.dumps(source), "Parameters": list(parameters), **more}
        return self.refused(self.cfn.create_change_set, StackName=stack, ChangeSetName=name, ChangeSetType=kind, **arguments)

    def test_roles_need_a_capability(self):
        source = template()
        self.assertEqual(
            self.try_change_set(source, self.parameters()),
            ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]"),
        )
        source["Resources"]["Role"]["Properties"]["RoleName"] = "worker"
        named = ("InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_NAMED_IAM]")
        self.assertEqual(self.try_change_set(source, self.parameters(), Capabilities=IAM), named)
        refusal = self.refused(
            self.cfn.create_stack, StackName="connect", TemplateBody=json.dumps(source), Parameters=self.parameters()
        )
        self.assertEqual(refusal, named)
        self.assertEqual(self.cfn.describe_stacks()["Stacks"], [])

    def test_parameters_that_do_not_exist_and_parameters_without_a_value(self):
        source = simple(A={"Type": "String"}, B={"Type": "String", "Default": "x"}, C={"Type": "String"})
        self.assertEqual(
            self.try_change_set(source, given(A="1", C="2", D="3", E="4")),
            ("ValidationError", "Parameters: [D, E] do not exist in the template"),
        )
        self.assertEqual(self.try_change_set(source, given(B="1")), ("ValidationError", "Parameters: [A, C] must have values"))
        self.assertEqual(self.cfn.describe_stacks()["Stacks"], [])

    def test_parameter_values(self):
        for spec, value, message in (
            ({"Type": "String", "AllowedValues": ["a", "b"]}, "c", "Parameter 'P' must be one of AllowedValues"),
            ({"Type": "String", "AllowedPattern": "[a-z]+"}, "A", "Parameter 'P' must match pattern [a-z]+"),
            (
                {"Type": "String", "AllowedPattern": "[a-z]+", "ConstraintDescription": "must be small"},
                "A",
                "Parameter 'P' must be small",
            ),
            ({"Type": "Number"}, "two", "Parameter 'P' must be a number."),
            ({"Type": "String", "MinLength": 3}, "ab", "Parameter 'P' must contain at least 3 characters"),
        ):
            self.assertEqual(self.try_change_set(simple(P=spec), given(P=value)), ("ValidationError", message))

    def test_ids_must_exist(self):
        told = "Parameter validation failed: parameter value {} for parameter name P does not exist"
        subnets = self.made["subnets"]["app"]
        for kind, value, wrong in (
            ("AWS::EC2::VPC::Id", "vpc-0", "vpc-0"),
            ("List<AWS::EC2::Subnet::Id>", f"{subnets[0]},subnet-0", "subnet-0"),
            ("AWS::EC2::SecurityGroup::Id", "sg-0", "sg-0"),
        ):
            self.assertEqual(self.try_change_set(simple(P={"Type": kind}), given(P=value)), ("ValidationError", told.format(wrong)))
        self.change_set(simple(P={"Type": "List<AWS::EC2::Subnet::Id>"}), parameters=given(P=",".join(subnets)))

    def test_a_rolled_back_stack_can_only_be_deleted(self):
        wrong = {
            "Type": "AWS::EC2::SecurityGroupIngress",
            "Properties": {"GroupId": "sg-0", "IpProtocol": "-1", "CidrIp": "10.0.0.0/8"},
        }
        source = {"Resources": {"Wrong": wrong}}
        stack = self.deploy(source, parameters=[])
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        told = ("ValidationError", f"Stack:{stack['StackId']} is in ROLLBACK_COMPLETE state and can not be updated.")
        self.assertEqual(self.try_change_set(source, kind="UPDATE"), told)
        self.assertEqual(self.refused(self.cfn.update_stack, StackName="connect", TemplateBody=json.dumps(source)), told)
        self.assertEqual(self.try_change_set(source, kind="CREATE")[0], "AlreadyExistsException")
        self.assertEqual(
            self.refused(self.cfn.create_stack, StackName="connect", TemplateBody=json.dumps(source))[0], "AlreadyExistsException"
        )

    def test_a_stack_in_progress_takes_no_second_update(self):
        self.aws("script", service="*", healthy=600)
        change_set = self.change_set(template())
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        refusal = self.try_change_set(template(), self.parameters(), "UPDATE", Capabilities=IAM)
        self.assertEqual(
            refusal, ("ValidationError", f"Stack:{change_set['StackId']} is in CREATE_IN_PROGRESS state and can not be updated.")
        )
        self.aws("release")
        self.settled()

    def test_a_stack_under_review_stays_the_same_for_a_second_change_set(self):
        first = self.change_set(simple(), parameters=[])
        second = self.change_set(simple(), parameters=[])
        self.assertEqual(first["StackId"], second["StackId"])
        self.assertEqual(self.stack()["StackId"], first["StackId"])
        self.assertEqual(len(self.cfn.list_change_sets(StackName=first["StackId"].split("/")[1])["Summaries"]), 2)
        self.assertEqual(self.try_change_set({"Resources": {"X": {"Type": "AWS::No::Such"}}})[0], "ValidationError")
        self.assertEqual(self.stack()["StackStatus"], "REVIEW_IN_PROGRESS")
        self.assertEqual(len(self.events()), 1)

    def test_executing_one_change_set_removes_the_others(self):
        first, second = self.change_set(simple(), parameters=[]), self.change_set(simple(), parameters=[])
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=first["ChangeSetName"])
        self.settled()
        code, _ = self.refused(self.cfn.describe_change_set, StackName="connect", ChangeSetName=second["ChangeSetName"])
        self.assertEqual(code, "ChangeSetNotFound")
        again = self.refused(self.cfn.execute_change_set, StackName="connect", ChangeSetName=first["ChangeSetName"])
        self.assertEqual(again[0], "InvalidChangeSetStatus")

    def test_a_change_set_is_found_by_the_stack_id(self):
        made = self.change_set(simple(), parameters=[])
        self.assertEqual(self.described(made["StackId"], made["ChangeSetName"])["ChangeSetId"], made["ChangeSetId"])


class Validation(AwsTest):
    def failed(self, change_set):
        self.assertEqual((change_set["Status"], change_set["ExecutionStatus"]), ("FAILED", "UNAVAILABLE"))
        answer = self.cfn.describe_events(ChangeSetName=change_set["ChangeSetId"], Filters={"FailedEvents": True})
        events = [event for event in answer["OperationEvents"] if event["EventType"] == "VALIDATION_ERROR"]
        self.assertEqual({event["ValidationFailureMode"] for event in events}, {"FAIL"})
        return {(event["ValidationName"], event["ValidationPath"], event["ValidationStatusReason"]) for event in events}

    def test_properties_against_the_schema(self):
        source = template()
        container = source["Resources"]["Task"]["Properties"]["ContainerDefinitions"][0]
        container.update(Surprise="x", HealthCheck={"Interval": 10}, StopTimeout=[1])
        source["Resources"]["Service"]["Properties"]["LaunchType"] = "FARGATTE"
        change_set = self.change_set(source)
        self.assertIn("[AWS::EarlyValidation::PropertyValidation]. To troubleshoot", change_set["StatusReason"])
        place = "/Resources/Task/Properties/ContainerDefinitions/0"
        self.assertEqual(
            {path for name, path, _ in self.failed(change_set) if name == "PROPERTY_VALIDATION"},
            {f"{place}/Surprise", f"{place}/StopTimeout", "/Resources/Service/Properties/LaunchType"},
        )

    def test_a_name_that_is_taken(self):
        self.client("logs").create_log_group(logGroupName="/mine")
        source = simple()
        source["Resources"]["Logs"]["Properties"]["LogGroupName"] = "/mine"
        change_set = self.change_set(source, parameters=[])
        self.assertIn("[AWS::EarlyValidation::ResourceExistenceCheck]", change_set["StatusReason"])
        reason = "Resource of type 'AWS::Logs::LogGroup' with identifier '/mine' already exists."
        self.assertEqual(self.failed(change_set), {("NAME_CONFLICT_VALIDATION", "/Resources/Logs", reason)})

    def test_a_good_template_passes(self):
        self.assertEqual(self.change_set(template())["Status"], "CREATE_COMPLETE")


class TemplateUrls(AwsTest):
    def setUp(self):
        self.bucket = f"templates-{secrets.token_hex(6)}"  # bucket names are everybody's
        self.SEED = {"bucket": self.bucket}
        super().setUp()
        self.put("a/t.json", simple())

    def put(self, key, source):
        self.client("s3").put_object(Bucket=self.bucket, Key=key, Body=json.dumps(source))

    def validate(self, url):
        return self.cfn.validate_template(TemplateURL=url)

    def test_both_address_styles(self):
        for host, path in (
            (f"{self.bucket}.s3.eu-west-1.amazonaws.com", ""), (f"{self.bucket}.s3.amazonaws.com", ""),
            (f"{self.bucket}.s3-eu-west-1.amazonaws.com", ""), ("s3.eu-west-1.amazonaws.com", f"/{self.bucket}"),
            ("s3.amazonaws.com", f"/{self.bucket}"),
        ):  # fmt: skip
            self.assertEqual(self.validate(f"https://{host}{path}/a/t.json")["Parameters"], [], host)

    def test_elsewhere_is_refused(self):
        told = self.refused(self.validate, url="https://example.com/t.json")
        self.assertEqual(told, ("ValidationError", "TemplateURL must be a supported URL."))
        code, message = self.refused(self.validate, url=f"https://{self.bucket}.s3.amazonaws.com/none.json")
        self.assertEqual((code, message.split("\n")[0]), ("ValidationError", "S3 error: The specified key does not exist."))

    def test_a_large_template_goes_by_url_only(self):
        large = {**simple(), "Metadata": {"Text": "x" * 52000}}
        code, _ = self.refused(self.cfn.validate_template, TemplateBody=json.dumps(large))
        self.assertEqual(code, "ValidationError")
        self.put("large.json", large)
        self.validate(f"https://{self.bucket}.s3.eu-west-1.amazonaws.com/large.json")


if __name__ == "__main__":
    unittest.main()
