"""Scripted services: what a deployer sees of ECS while a service starts, crashes, flaps, rolls over and is rolled back."""

import unittest

from .aws_support import AwsTest, patched, until, template

CRASH = {"after": 0.1, "containers": {"*": {"exit_code": 1}}}


class Crashes(AwsTest):
    def begin(self, source, kind="CREATE", parameters=None):
        change_set = self.change_set(source, kind, parameters=parameters)
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])

    def test_a_crash_loop_with_its_cause(self):
        out_of_memory = "OutOfMemoryError: Container killed due to memory usage"
        self.aws(
            "script", service="connect-*", logs=["started {task}", "java.lang.OutOfMemoryError"],
            stop={"after": 0.1, "containers": {"worker": {"exit_code": 137, "reason": out_of_memory}}},
        )  # fmt: skip
        self.begin(template())
        stopped = until(lambda: [t for t in self.tasks("STOPPED") if t["lastStatus"] == "STOPPED"][1:], "stopped tasks")
        task = stopped[0]
        self.assertEqual(
            (task["stopCode"], task["stoppedReason"]), ("EssentialContainerExited", "Essential container in task exited")
        )
        container = task["containers"][0]
        self.assertEqual((container["name"], container["exitCode"], container["reason"]), ("worker", 137, out_of_memory))
        number = task["taskArn"].split("/")[-1]
        lines = self.client("logs").get_log_events(logGroupName="/ecs/connect", logStreamName=f"ecs/worker/{number}")["events"]
        self.assertEqual([line["message"] for line in lines], [f"started {number}", "java.lang.OutOfMemoryError"])
        impaired = "is unable to consistently start tasks successfully."
        until(lambda: any(impaired in text for text in self.messages()), "the impaired event")
        service = self.service()
        self.assertGreaterEqual(service["deployments"][0]["failedTasks"], 3)
        self.assertEqual(service["deployments"][0]["rolloutState"], "IN_PROGRESS")
        self.assertEqual(self.stack()["StackStatus"], "CREATE_IN_PROGRESS")

    def test_tasks_that_never_start(self):
        reason = "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secret from asm"
        self.aws("script", service="connect-*", stop={"in": "PENDING", "reason": reason})
        self.begin(template())
        task = until(lambda: [t for t in self.tasks("STOPPED") if t["lastStatus"] == "STOPPED"], "a stopped task")[0]
        self.assertEqual((task["stopCode"], task["stoppedReason"]), ("TaskFailedToStart", reason))
        self.assertNotIn("startedAt", task)
        self.assertNotIn("exitCode", task["containers"][0])

    def test_a_container_that_is_never_healthy(self):
        self.aws("script", service="connect-*", unhealthy=True)
        self.begin(template(breaker=True))
        self.assertEqual(self.settled()["StackStatus"], "ROLLBACK_COMPLETE")
        reasons = {task["stoppedReason"] for task in self.tasks("STOPPED")}
        self.assertIn("Task failed container health checks", reasons)

    def test_a_few_crashes_and_then_a_good_start(self):
        self.aws("script", service="connect-*", times=2, stop=CRASH)
        self.begin(template(breaker=True))
        self.assertEqual(self.settled()["StackStatus"], "CREATE_COMPLETE")
        self.assertEqual(self.service()["deployments"][0]["failedTasks"], 2)

    def test_flapping_tasks_never_trip_the_breaker(self):
        # Healthy for a moment, one after the other: the two are never healthy together, so the service isn't stable either.
        flap = {"activating": 0.2, "healthy": 0.05, "restart": 0.3, "stop": {"after": 0.2}}
        self.aws("script", service="connect-*", **flap)
        self.aws("script", service="connect-*", times=1, pending=0.4, **flap)
        self.begin(template(breaker=True))
        until(lambda: len(self.tasks("STOPPED")) > 8, "many crashes")
        primary = self.service()["deployments"][0]
        self.assertLess(primary["failedTasks"], 3)
        self.assertNotEqual(primary["rolloutState"], "FAILED")

    def test_service_events_as_scripted_and_at_once(self):
        text = "(service {service}) was unable to place a task. Reason: Capacity is unavailable at this time."
        self.aws("script", service="connect-*", pending=0.4, events=[{"after": 0.1, "message": text}])
        self.deploy(template())
        name = self.service()["serviceName"]
        self.assertIn(text.replace("{service}", name), self.messages())
        self.aws("event", service=name, message="(service {service}) said so")
        self.assertEqual(self.messages()[-1], f"(service {name}) said so")
        self.aws("log", service=name, lines=["one more"])
        streams = self.client("logs").describe_log_streams(logGroupName="/ecs/connect")["logStreams"]
        self.assertEqual(len(streams), 2)


class Deployments(AwsTest):
    def test_states_follow_each_other(self):
        # Longer than a look takes.
        self.aws("script", service="connect-*", provisioning=2, pending=2, activating=2)
        change_set = self.change_set(template())
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        seen = []

        def watched():
            for status in {task["lastStatus"] for task in self.tasks()} - set(seen):
                seen.append(status)
            return not self.stack()["StackStatus"].endswith("IN_PROGRESS")

        until(watched)
        self.assertEqual(seen, ["PROVISIONING", "PENDING", "ACTIVATING", "RUNNING"])
        self.assertEqual({task["healthStatus"] for task in self.tasks()}, {"HEALTHY"})

    def test_the_events_of_a_good_deployment(self):
        self.deploy(template())
        started, completed, steady = self.messages()
        name = self.service()["serviceName"]
        self.assertRegex(started, rf"^\(service {name}\) has started 2 tasks: \(task [0-9a-f]{{32}}\) \(task [0-9a-f]{{32}}\)\.$")
        self.assertRegex(completed, rf"^\(service {name}\) \(deployment ecs-svc/\d{{19}}\) deployment completed\.$")
        self.assertEqual(steady, f"(service {name}) has reached a steady state.")
        deployment = self.service()["deployments"][0]
        self.assertEqual(deployment["rolloutStateReason"], f"ECS deployment {deployment['id']} completed.")

    def counts(self, source, **script):
        """How many tasks ran at the same time while a stack was updated: the least and the most."""
        self.deploy(source)
        self.aws("script", service="connect-*", task_definition="connect:2", **script)
        change_set = self.change_set(source, "UPDATE", parameters=self.parameters(Image="new:1"))
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        seen = []

        def watched():
            arns = (
                self.ecs.list_tasks(cluster="apps")["taskArns"]
                + self.ecs.list_tasks(cluster="apps", desiredStatus="STOPPED")["taskArns"]
            )
            tasks = self.ecs.describe_tasks(cluster="apps", tasks=sorted(set(arns)))["tasks"]
            seen.append(sum(task["lastStatus"] != "STOPPED" for task in tasks))
            return not self.stack()["StackStatus"].endswith("IN_PROGRESS")

        until(watched)
        self.assertEqual(self.stack()["StackStatus"], "UPDATE_COMPLETE")
        return min(seen), max(seen)

    def test_rolling_with_double_capacity(self):
        least, most = self.counts(template(), activating=3)
        self.assertEqual(most, 4)
        self.assertGreaterEqual(least, 2)

    def test_one_at_a_time_never_runs_two(self):
        _, most = self.counts(patched(template(maximum=100, minimum=0), "Service", DesiredCount=1), activating=3)
        self.assertEqual(most, 1)

    def test_a_breaker_rollback_is_visible_while_it_happens(self):
        self.deploy(template(breaker=True))
        good = self.service()["taskDefinition"]
        self.aws("script", service="connect-*", task_definition="connect:2", rollback=600, stop=CRASH)
        change_set = self.change_set(template(breaker=True), "UPDATE", parameters=self.parameters(Image="broken:1"))
        self.cfn.execute_change_set(StackName="connect", ChangeSetName=change_set["ChangeSetName"])
        failed = until(lambda: [d for d in self.service()["deployments"] if d["rolloutState"] == "FAILED"], "the breaker")[0]
        self.assertEqual(failed["rolloutStateReason"], "ECS deployment circuit breaker: tasks failed to start.")
        primary = self.service()["deployments"][0]
        self.assertEqual((primary["status"], primary["taskDefinition"], primary["rolloutState"]), ("PRIMARY", good, "IN_PROGRESS"))
        self.assertRegex(
            primary["rolloutStateReason"], r"^ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/\d+\.$"
        )
        self.aws("release")
        self.assertEqual(self.settled()["StackStatus"], "UPDATE_ROLLBACK_COMPLETE")
        self.assertTrue(any("deployment failed: tasks failed to start." in text for text in self.messages()))

    def test_cloudformation_may_take_a_breaker_rollback_for_success(self):
        self.deploy(template(breaker=True))
        good = self.service()["taskDefinition"]
        self.aws("script", service="connect-*", breaker_is_success=True)
        self.aws("script", service="connect-*", task_definition="connect:2", breaker_is_success=True, stop=CRASH)
        stack = self.deploy(template(breaker=True), "UPDATE", parameters=self.parameters(Image="broken:1"))
        self.assertEqual(stack["StackStatus"], "UPDATE_COMPLETE")
        self.assertEqual(self.service()["taskDefinition"], good)
        wanted = self.cfn.describe_stack_resource(StackName="connect", LogicalResourceId="Task")["StackResourceDetail"][
            "PhysicalResourceId"
        ]
        self.assertNotEqual(wanted, good)

    def test_a_restart_rolls_the_tasks(self):
        self.deploy(template())
        before = {task["taskArn"] for task in self.tasks()}
        self.ecs.update_service(cluster="apps", service=self.service()["serviceName"], forceNewDeployment=True)
        until(lambda: len(self.service()["deployments"]) == 1 and self.service()["deployments"][0]["rolloutState"] == "COMPLETED"
        )
        self.assertFalse(before & {task["taskArn"] for task in self.tasks()})

    def test_running_tasks_can_be_stopped_from_outside(self):
        self.deploy(template())
        gone = self.aws(
            "stop_tasks",
            service=self.service()["serviceName"],
            count=1,
            code="SpotInterruption",
            reason="Your Spot Task was interrupted.",
        )
        task = self.ecs.describe_tasks(cluster="apps", tasks=gone["tasks"])["tasks"][0]
        self.assertEqual((task["desiredStatus"], task["stopCode"]), ("STOPPED", "SpotInterruption"))
        until(lambda: self.service()["runningCount"] == 2, "the replacement")

    def test_a_misspelt_script_is_told(self):
        with self.assertRaisesRegex(Exception, "a script has `service`"):
            self.aws("script", service="x", surprise=1)

    def test_stop_task_by_a_user(self):
        self.deploy(template())
        arn = self.tasks()[0]["taskArn"]
        self.ecs.stop_task(cluster="apps", task=arn, reason="by hand")
        task = self.ecs.describe_tasks(cluster="apps", tasks=[arn])["tasks"][0]
        self.assertEqual((task["stopCode"], task["stoppedReason"]), ("UserInitiated", "by hand"))
        until(lambda: self.service()["runningCount"] == 2, "the replacement")


if __name__ == "__main__":
    unittest.main()
