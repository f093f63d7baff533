"""A stack's life in the emulator: what the documentation says a stack does, and what ministack alone didn't."""

import json
import unittest

from .aws_support import IAM, AwsTest, patched, until, template


class Life(AwsTest):
    def test_create_shows_events_as_they_come_and_waits_for_the_service(self):
        self.aws("script", service="connect-*", activating=600)
        change_set = self.change_set(template())
        self.assertEqual({c["ResourceChange"]["Action"] for c in change_set["Changes"]}, {"Add"})
        self.assertEqual(self.stack()["StackStatus"], "REVIEW_IN_PROGRESS")
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        initiated = ("CREATE_IN_PROGRESS", "Resource creation Initiated")
        until(lambda: initiated in self.events(of="Service"), "the service's creation")
        resources = self.cfn.describe_stack_resources(StackName="connect")["StackResources"]
        states = {r["LogicalResourceId"]: r["ResourceStatus"] for r in resources}
        self.assertEqual((states["Service"], states["Task"]), ("CREATE_IN_PROGRESS", "CREATE_COMPLETE"))
        self.assertEqual(self.service()["deployments"][0]["rolloutState"], "IN_PROGRESS")
        self.aws("release")
        self.assertEqual(self.settled()["StackStatus"], "CREATE_COMPLETE")
        self.assertEqual(self.events(of="Service"), [("CREATE_IN_PROGRESS", ""), initiated, ("CREATE_COMPLETE", "")])
        self.assertEqual(self.events()[1], ("connect", "CREATE_IN_PROGRESS", "User Initiated"))
        self.assertEqual(self.service()["runningCount"], 2)
        executed = self.described("connect", change_set["ChangeSetName"])
        until(lambda: self.described("connect", executed["ChangeSetName"])["ExecutionStatus"] == "EXECUTE_COMPLETE")

    def test_independent_resources_are_made_side_by_side(self):
        second = template()["Resources"]["Service"]
        self.aws("script", service="connect-*", healthy=600)
        change_set = self.change_set(template(Second=second))
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        initiated = ("CREATE_IN_PROGRESS", "Resource creation Initiated")
        for name in ("Service", "Second"):
            until(lambda name=name: initiated in self.events(of=name), f"{name}'s creation beside the other's")
        self.aws("release")
        self.assertEqual(self.settled()["StackStatus"], "CREATE_COMPLETE")

    def test_the_same_again_is_no_change(self):
        self.deploy(template())
        change_set = self.change_set(template(), "UPDATE")
        self.assertEqual((change_set["Status"], change_set["ExecutionStatus"]), ("FAILED", "UNAVAILABLE"))
        self.assertTrue(change_set["StatusReason"].startswith("The submitted information didn't contain changes."))

    def test_a_change_set_takes_time_and_cannot_be_executed_before(self):
        self.aws("pace", change_set=600)
        self.addCleanup(self.aws, "pace")
        self.cfn.create_change_set(
            StackName="connect", ChangeSetName="early", ChangeSetType="CREATE", TemplateBody=json.dumps(template()),
            Parameters=self.parameters(), Capabilities=IAM,
        )  # fmt: skip
        described = self.described("connect", "early")
        self.assertEqual((described["Status"], described["ExecutionStatus"]), ("CREATE_IN_PROGRESS", "UNAVAILABLE"))
        code, _ = self.refused(self.cfn.execute_change_set, StackName="connect", ChangeSetName="early")
        self.assertEqual(code, "InvalidChangeSetStatus")

    def test_an_update_says_what_replaces_and_cleans_up_after(self):
        self.deploy(template())
        first = self.service()["taskDefinition"]
        change_set = self.change_set(template(), "UPDATE", parameters=self.parameters(Image="connect:2"))
        changes = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"] for c in change_set["Changes"]}
        self.assertEqual((changes["Task"]["Replacement"], changes["Service"]["Replacement"]), ("True", "False"))
        detail = changes["Task"]["Details"][0]["Target"]
        self.assertEqual((detail["Name"], detail["RequiresRecreation"]), ("ContainerDefinitions", "Always"))
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        self.assertEqual(self.settled()["StackStatus"], "UPDATE_COMPLETE")
        told = self.events()
        self.assertIn(("connect", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ""), told)
        self.assertIn(("Task", "DELETE_COMPLETE", ""), told)
        self.assertNotIn("UPDATE_IN_PROGRESS", [status for name, status, _ in told if name == "Role"])
        self.assertEqual(self.ecs.describe_task_definition(taskDefinition=first)["taskDefinition"]["status"], "INACTIVE")
        self.assertEqual({t["taskDefinitionArn"] for t in self.tasks()}, {self.service()["taskDefinition"]})

    def test_another_cluster_replaces_the_service(self):
        self.deploy(template())
        self.ecs.create_cluster(clusterName="others")
        change_set = self.change_set(patched(template(), "Service", Cluster="others"), "UPDATE")
        change = next(c["ResourceChange"] for c in change_set["Changes"] if c["ResourceChange"]["LogicalResourceId"] == "Service")
        self.assertEqual(change["Replacement"], "True")
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        self.assertEqual(self.settled()["StackStatus"], "UPDATE_COMPLETE")
        counts = [len(self.ecs.list_services(cluster=name)["serviceArns"]) for name in ("apps", "others")]
        self.assertEqual(counts, [0, 1])

    def test_delete_takes_everything_along(self):
        stack = self.deploy(template())
        self.cfn.delete_stack(StackName="connect")
        until(lambda: self.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE", "the stack's end")
        self.assertEqual(self.ecs.list_services(cluster="apps")["serviceArns"], [])
        self.assertEqual(self.tasks(), [])
        self.assertEqual(self.events(stack["StackId"], of="connect")[-2], ("DELETE_IN_PROGRESS", "User Initiated"))

    def test_a_bucket_with_something_in_it_stays_and_fails_the_deletion(self):
        name = f"left-{self.number}"
        bucket = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
        stack = self.deploy(template(Left=bucket))
        s3 = self.client("s3")
        s3.put_object(Bucket=name, Key="one", Body=b"something")
        self.cfn.delete_stack(StackName="connect")
        until(lambda: self.stack(stack["StackId"])["StackStatus"] == "DELETE_FAILED", "the stack's failure")
        self.assertIn("The bucket you tried to delete is not empty", dict(self.events(of="Left"))["DELETE_FAILED"])
        s3.delete_object(Bucket=name, Key="one")
        self.cfn.delete_stack(StackName="connect")
        until(lambda: self.stack(stack["StackId"])["StackStatus"] == "DELETE_COMPLETE", "the stack's end")

    def test_delete_during_create_ends_it(self):
        # Nothing becomes healthy before it stops: the creation has no end of its own.
        self.aws("script", service="connect-*", stop={"after": 0.1})
        change_set = self.change_set(template())
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        until(lambda: self.ecs.list_services(cluster="apps")["serviceArns"], "the service")
        self.cfn.delete_stack(StackName="connect")
        until(lambda: self.stack(change_set["StackId"])["StackStatus"] == "DELETE_COMPLETE", "the stack's end")
        self.assertEqual(self.ecs.list_services(cluster="apps")["serviceArns"], [])

    def test_retain_keeps_the_log_group_but_not_when_the_create_fails(self):
        logs = {**template()["Resources"]["Logs"], "DeletionPolicy": "RetainExceptOnCreate"}
        self.deploy(template(Logs=logs))
        self.cfn.delete_stack(StackName="connect")
        groups = self.client("logs")
        until(lambda: not [s for s in self.cfn.describe_stacks()["Stacks"]], "the stack's end")
        self.assertEqual([g["logGroupName"] for g in groups.describe_log_groups()["logGroups"]], ["/ecs/connect"])
        self.deploy(patched(template(Logs=logs), "Task", Memory="3000"), stack="other")
        self.assertEqual([g["logGroupName"] for g in groups.describe_log_groups()["logGroups"]], ["/ecs/connect"])


class Failures(AwsTest):
    def test_a_failed_create_names_the_reason_cancels_the_others_and_leaves_nothing(self):
        self.aws("script", service="connect-*", stop={"in": "PENDING", "reason": "CannotPullContainerError: not found"})
        wrong = {"Type": "AWS::EC2::SecurityGroupIngress", "DependsOn": ["Task"],
                 "Properties": {"GroupId": "sg-0", "IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "CidrIp": "10.0.0.0/8"}}  # fmt: skip
        self.aws("pace", seconds=0.4)
        self.addCleanup(self.aws, "pace")
        stack = self.deploy(template(Wrong=wrong))
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        status, reason = self.events(of="Wrong")[-1]
        self.assertEqual(status, "CREATE_FAILED")
        self.assertRegex(
            reason,
            r'^Resource handler returned message: "The security group \'sg-0\' does not exist .*HandlerErrorCode: NotFound\)$',
        )
        self.assertIn(("CREATE_FAILED", "Resource creation cancelled"), self.events(of="Service"))
        rollback = dict(self.events(of="connect"))["ROLLBACK_IN_PROGRESS"]
        self.assertRegex(
            rollback,
            r"^The following resource\(s\) failed to create: \[(Wrong, Service|Service, Wrong)\]. Rollback requested by user.$",
        )
        self.assertEqual(self.events()[-1], ("connect", "ROLLBACK_COMPLETE", ""))
        self.assertEqual(self.ecs.list_services(cluster="apps")["serviceArns"], [])

    def test_a_service_that_never_stabilises_is_rolled_back_after_the_time_out(self):
        self.aws("script", service="connect-*", timeout=1.5, stop={"after": 0.1, "containers": {"*": {"exit_code": 1}}})
        stack = self.deploy(template())
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        failed = dict(self.events(of="Service"))["CREATE_FAILED"]
        self.assertRegex(
            failed,
            r'^Resource handler returned message: "Exceeded attempts to wait" \(RequestToken: [0-9a-f-]{36}, HandlerErrorCode: NotStabilized\)$',
        )

    def test_the_circuit_breaker_fails_a_create(self):
        self.aws("script", service="connect-*", stop={"after": 0.05})
        stack = self.deploy(template(breaker=True))
        self.assertEqual(stack["StackStatus"], "ROLLBACK_COMPLETE")
        self.assertIn("ECS Deployment Circuit Breaker was triggered", dict(self.events(of="Service"))["CREATE_FAILED"])

    def test_a_failed_update_restores_the_old_values(self):
        before = self.deploy(template(breaker=True))
        self.aws("script", service="connect-*", task_definition="connect:2", stop={"after": 0.05})
        stack = self.deploy(template(breaker=True), "UPDATE", parameters=self.parameters(Image="broken:1", Count=3))
        self.assertEqual(stack["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertEqual(stack["Parameters"], before["Parameters"])
        service = self.service()
        self.assertTrue(service["taskDefinition"].endswith("connect:1"))
        self.assertEqual((service["desiredCount"], service["runningCount"]), (2, 2))
        self.assertEqual(
            dict(self.events(of="connect"))["UPDATE_ROLLBACK_IN_PROGRESS"],
            "The following resource(s) failed to update: [Service]. ",
        )
        self.assertEqual([d["status"] for d in service["deployments"]], ["PRIMARY"])

    def test_an_update_rollback_that_fails_can_be_continued(self):
        self.deploy(template(breaker=True))
        self.aws("script", service="connect-*", stop={"after": 0.05}, timeout=1)
        self.aws("stop_tasks", service=self.service()["serviceName"])
        stack = self.deploy(template(breaker=True), "UPDATE", parameters=self.parameters(Image="broken:1"))
        self.assertEqual(stack["StackStatus"], "UPDATE_ROLLBACK_FAILED")
        self.assertIn("The following resource(s) failed to update: [Service]", stack["StackStatusReason"])
        self.aws("unscript")
        self.cfn.continue_update_rollback(StackName="connect")
        self.assertEqual(self.settled()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")

    def test_cancelling_an_update_rolls_it_back(self):
        self.deploy(template())
        self.aws("script", service="connect-*", task_definition="connect:2", stop={"after": 0.1})
        change_set = self.change_set(template(), "UPDATE", parameters=self.parameters(Image="broken:1"))
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        until(lambda: ("UPDATE_IN_PROGRESS", "") in self.events(of="Service"), "the service's update")
        self.cfn.cancel_update_stack(StackName="connect")
        self.assertEqual(self.settled()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertIn(("Service", "UPDATE_FAILED", "Resource update cancelled"), self.events())
        self.assertTrue(self.service()["taskDefinition"].endswith("connect:1"))

    def test_rollback_disabled_keeps_what_is_there(self):
        self.aws("script", service="connect-*", timeout=0.5, stop={"after": 0.1})
        stack = self.deploy(template(), DisableRollback=True)
        self.assertEqual(stack["StackStatus"], "CREATE_FAILED")
        self.assertEqual(stack["StackStatusReason"], "The following resource(s) failed to create: [Service]. ")
        self.assertEqual(len(self.ecs.list_services(cluster="apps")["serviceArns"]), 1)

    def test_an_unknown_property_fails_as_the_registry_says(self):
        source = json.dumps(patched(template(), "Service", Surprise="x"))
        self.cfn.create_stack(StackName="connect", TemplateBody=source, Parameters=self.parameters(), Capabilities=IAM)
        self.assertEqual(self.settled()["StackStatus"], "ROLLBACK_COMPLETE")
        reason = dict(self.events(of="Service"))["CREATE_FAILED"]
        told = "Properties validation failed for resource Service with message:\n#: extraneous key [Surprise] is not permitted"
        self.assertEqual(reason, told)


if __name__ == "__main__":
    unittest.main()
