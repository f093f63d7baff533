"""The fault proxy: one account's requests fail as told, everybody else's don't."""

import time
import unittest

from botocore.exceptions import ClientError, ConnectionClosedError, ConnectionError, ReadTimeoutError

from .aws_support import AwsTest, until


class Faults(AwsTest):
    def setUp(self):
        super().setUp()
        self.through = self.client("cloudformation", faulty=True)
        self.addCleanup(self.aws, "unfault")

    def code(self, function, **arguments):
        with self.assertRaises(ClientError) as caught:
            function(**arguments)
        return caught.exception.response["Error"]["Code"], caught.exception.response["ResponseMetadata"]["HTTPStatusCode"]

    def test_nothing_happens_by_itself(self):
        self.assertEqual(self.through.describe_stacks()["Stacks"], [])
        self.assertEqual(self.client("ecs", faulty=True).describe_clusters(clusters=["apps"])["clusters"][0]["clusterName"], "apps")

    def test_throttling_for_a_number_of_requests(self):
        self.aws("fault", service="cloudformation", operation="DescribeStacks", kind="throttling", times=2)
        self.assertEqual(self.client("cloudformation", faulty=True, attempts=3).describe_stacks()["Stacks"], [])
        fired = [f for f in self.aws("faults", service="cloudformation", operation="DescribeStacks")["fired"] if f["action"]]
        self.assertGreaterEqual(len(fired), 2)

    def test_codes_of_both_protocols(self):
        ecs, s3 = self.client("ecs", faulty=True), self.client("s3", faulty=True)
        for kind, query, other, bucket in (
            ("throttling", ("Throttling", 400), ("ThrottlingException", 400), ("SlowDown", 503)),
            ("access_denied", ("AccessDenied", 403), ("AccessDeniedException", 400), ("AccessDenied", 403)),
            ("expired_token", ("ExpiredToken", 403), ("ExpiredTokenException", 400), ("ExpiredToken", 400)),
        ):
            for service in ("cloudformation", "ecs", "s3"):
                self.aws("fault", service=service, kind=kind)
            self.assertEqual(self.code(self.through.describe_stacks), query)
            self.assertEqual(self.code(ecs.list_clusters), other)
            self.assertEqual(self.code(s3.list_buckets), bucket)
            self.aws("unfault")
        self.assertEqual(self.through.describe_stacks()["Stacks"], [])

    def test_one_operation_only_and_one_account_only(self):
        self.aws("fault", service="cloudformation", operation="ListStacks", kind="access_denied")
        self.assertEqual(self.code(self.through.list_stacks), ("AccessDenied", 403))
        self.through.describe_stacks()
        other = Faults("test_nothing_happens_by_itself")
        other.setUp()
        other.through.list_stacks()
        other.doCleanups()
        self.assertEqual(self.code(self.through.list_stacks), ("AccessDenied", 403))

    def test_a_connection_that_is_reset(self):
        self.aws("fault", service="cloudformation", kind="reset")
        with self.assertRaises((ConnectionClosedError, ConnectionError)):
            self.through.describe_stacks()

    def test_silence_and_delay(self):
        self.aws("fault", service="cloudformation", kind="timeout", times=1)
        with self.assertRaises(ReadTimeoutError):
            self.client("cloudformation", faulty=True, timeout=0.5).describe_stacks()
        number = self.aws("fault", service="cloudformation", kind="latency", seconds=0.6)["id"]
        start = time.monotonic()
        self.through.describe_stacks()
        self.assertGreater(time.monotonic() - start, 0.5)
        self.aws("unfault", id=number)
        before = self.fired()
        self.assertGreater(before, 0)
        self.through.describe_stacks()
        self.assertEqual(self.fired(), before)

    def fired(self):
        """How many requests were treated so far."""
        return len([fired for fired in self.aws("faults", service="cloudformation")["fired"] if fired["action"]])

    def test_a_fault_with_a_beginning_and_an_end(self):
        def expired():
            try:
                self.through.describe_stacks()
                return False
            except ClientError as error:
                return error.response["Error"]["Code"] == "ExpiredToken"

        began = time.time()
        self.aws("fault", service="cloudformation", kind="expired_token", **{"after": 1.0, "for": 5.0})
        until(expired, "the beginning")
        self.assertGreaterEqual(time.time() - began, 1.0)
        until(lambda: not expired(), "the end")
        self.assertGreaterEqual(time.time() - began, 6.0)

    def test_a_wrong_kind_is_told(self):
        with self.assertRaisesRegex(Exception, "no fault of kind explosion; there are throttling"):
            self.aws("fault", kind="explosion")


if __name__ == "__main__":
    unittest.main()
