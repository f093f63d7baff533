"""The Kafka bed, seen with librdkafka: a client that shares no code with the brokers, as the product's own client does."""

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import unittest
from urllib.parse import quote

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient, NewTopic

from bed.connect import properties, property_name

from .support import PATIENCE, Bed, CallError, gone, within

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def settings(facts, listener, user=None, mechanism="PLAIN", broker=None):
    """librdkafka's settings for a listener of the bed (or one broker of it)."""
    protocol = listener if listener in ("SASL_PLAINTEXT", "SSL", "PLAINTEXT") else "SASL_SSL"
    config = {
        "bootstrap.servers": facts["brokers"][broker][listener] if broker else facts["bootstrap"][listener],
        "security.protocol": protocol,
        "socket.connection.setup.timeout.ms": 30000,
        "log.queue": False,
        "log_level": 0,
    }
    if protocol.endswith("SSL"):
        config["ssl.ca.location"] = facts["tls"]["ca"]
    if user:
        config |= {"sasl.mechanism": mechanism, "sasl.username": user["name"], "sasl.password": user["password"]}
    return config


def with_certificate(config, certificate):
    return config | {"ssl.certificate.location": certificate["certificate"], "ssl.key.location": certificate["key"]}


def token(key, region="us-east-1", host_region=None, action="kafka-cluster:Connect"):
    """A token for Amazon MSK as its signers make it, with the time at which it ends."""
    credentials = Credentials(key["access_key"], key["secret_key"], key.get("session_token"))
    request = AWSRequest("GET", f"https://kafka.{host_region or region}.amazonaws.com/?Action={quote(action)}")
    SigV4QueryAuth(credentials, "kafka-cluster", region, expires=900).add_auth(request)
    url = request.url + "&User-Agent=bed"
    return base64.urlsafe_b64encode(url.encode()).decode().rstrip("="), time.time() + 900


def metadata(config, topic=None, seconds=PATIENCE):
    """The cluster's metadata, or the first error that says why not."""
    errors = []
    producer = Producer(config | {"error_cb": errors.append})
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            return producer.list_topics(topic, timeout=0.4)
        except KafkaException:
            producer.poll(0)
            # That all brokers are down says nothing: what came before it does.
            for error in errors:
                if error.code() != KafkaError._ALL_BROKERS_DOWN:
                    raise KafkaException(error) from None
    raise KafkaException(KafkaError(KafkaError._TIMED_OUT))


def learned(config, expected):
    """The addresses that the brokers gave for themselves, when they are as expected or never will be. Not from `list_topics`: having learned them, librdkafka asks there."""
    found = set()

    def statistics(text):
        brokers = json.loads(text)["brokers"].values()
        found.update(broker["nodename"] for broker in brokers if broker["source"] == "learned" and broker["nodeid"] > 0)

    producer = Producer(config | {"stats_cb": statistics, "statistics.interval.ms": 50})
    until = time.monotonic() + PATIENCE
    while found != expected and time.monotonic() < until:
        producer.poll(0.1)
    return found


class Case(unittest.TestCase):
    def assert_refused(self, code, config, text=""):
        with self.assertRaises(KafkaException) as caught:
            metadata(config)
        error = caught.exception.args[0]
        self.assertEqual(error.code(), code, error)
        self.assertIn(text, error.str())

    def assert_kafka_error(self, code, future):
        with self.assertRaises(KafkaException) as caught:
            future.result(PATIENCE)
        self.assertEqual(caught.exception.args[0].code(), code, caught.exception)


def setUpModule():
    """One bed for the tests that share it."""
    began = time.monotonic()
    Shared.bed = Bed("kafka", "connect")
    unittest.addModuleCleanup(Shared.bed.close)
    Shared.facts = Shared.bed.call("kafka/start")
    print(f"\nKafka: {Shared.facts['seconds']} s; with the supervisor {time.monotonic() - began:.1f} s", file=sys.stderr)


class Shared(Case):
    bed = facts = None


class Kafka(Shared):
    def user(self, name, **more):
        return self.bed.call("kafka/user", name=name, **more)

    # Logins

    def test_every_mechanism_logs_in_on_every_listener_that_has_it(self):
        user = self.user("login")
        for listener in ("SASL_PLAINTEXT", "SASL_SSL"):
            for mechanism in MECHANISMS:
                with self.subTest(listener=listener, mechanism=mechanism):
                    self.assertEqual(len(metadata(settings(self.facts, listener, user, mechanism)).brokers), 3)
        self.assertEqual(len(metadata(settings(self.facts, "SCRAM512", user, "SCRAM-SHA-512")).brokers), 3)

    def test_a_password_may_hold_any_character(self):
        password = "a \"b\" 'c' \\d\\\\ $e ${f} ü;=#,\t!"
        user = self.user("odd", password=password)
        for mechanism in MECHANISMS:
            with self.subTest(mechanism=mechanism):
                self.assertEqual(len(metadata(settings(self.facts, "SASL_SSL", user, mechanism)).brokers), 3)

    def test_a_wrong_password_is_refused_by_every_mechanism(self):
        user = self.user("forgetful") | {"password": "wrong"}
        for mechanism in MECHANISMS:
            with self.subTest(mechanism=mechanism):
                self.assert_refused(KafkaError._AUTHENTICATION, settings(self.facts, "SASL_SSL", user, mechanism))

    def test_a_mechanism_that_the_listener_lacks_is_refused_with_those_it_has(self):
        config = settings(self.facts, "SCRAM512", self.user("mixed-up"), "PLAIN")
        self.assert_refused(KafkaError._AUTHENTICATION, config, "SCRAM-SHA-512")

    def test_a_user_has_only_the_mechanisms_that_were_asked_for(self):
        user = self.user("plain-only", mechanisms=["PLAIN"])
        self.assertEqual(len(metadata(settings(self.facts, "SASL_SSL", user)).brokers), 3)
        self.assert_refused(KafkaError._AUTHENTICATION, settings(self.facts, "SASL_SSL", user, "SCRAM-SHA-512"))

    def test_a_new_password_and_a_removal_count_at_once_on_every_broker(self):
        old = self.user("rotated")
        new = self.user("rotated")
        self.assertNotEqual(old["password"], new["password"])
        for broker in self.facts["brokers"]:
            for mechanism in MECHANISMS:
                with self.subTest(broker=broker, mechanism=mechanism):
                    metadata(settings(self.facts, "SASL_PLAINTEXT", new, mechanism, broker))
                    refused = settings(self.facts, "SASL_PLAINTEXT", old, mechanism, broker)
                    self.assert_refused(KafkaError._AUTHENTICATION, refused)
        self.bed.call("kafka/remove_user", name="rotated")
        for broker in self.facts["brokers"]:
            for mechanism in MECHANISMS:
                with self.subTest(broker=broker, mechanism=mechanism, removed=True):
                    refused = settings(self.facts, "SASL_PLAINTEXT", new, mechanism, broker)
                    self.assert_refused(KafkaError._AUTHENTICATION, refused)

    def test_a_token_signed_with_an_aws_key_logs_in_and_a_wrong_one_does_not(self):
        """Signed by botocore, which knows nothing of the broker's check."""
        config = settings(self.facts, "IAM") | {"sasl.mechanism": "OAUTHBEARER"}

        def login(key, **more):
            return metadata(config | {"oauth_cb": lambda _: token(key, **more)})

        key = self.bed.call("kafka/access_key", name="signed")
        passing = self.bed.call("kafka/access_key", name="passing", session=True)
        self.assertEqual(len(login(key).brokers), 3)
        self.assertEqual(len(login(passing).brokers), 3)
        for name, wrong, more in (
            ("signature", key | {"secret_key": "wrong"}, {}),
            ("access key", key | {"access_key": "AKIAUNKNOWN"}, {}),
            ("session token", passing | {"session_token": "wrong"}, {}),
            ("Connect", key, {"action": "kafka-cluster:Describe"}),
            ("region", key, {"host_region": "eu-west-1"}),
        ):
            with self.subTest(wrong=name), self.assertRaisesRegex(KafkaException, name):
                login(wrong, **more)

    # TLS

    def test_a_client_certificate_is_demanded_and_makes_the_principal(self):
        config = settings(self.facts, "SSL")
        self.assertEqual(len(metadata(with_certificate(config, self.facts["tls"]["client"])).brokers), 3)
        with self.assertRaises(KafkaException):
            metadata(config, seconds=3)
        stranger = self.bed.call("kafka/certificate", name="stranger", ca="otherca")
        with self.assertRaises(KafkaException):
            metadata(with_certificate(config, stranger), seconds=3)

        own = self.bed.call("kafka/certificate", name="own")
        self.bed.call("kafka/topics", create=[{"name": "certified"}])
        topic = metadata(with_certificate(config, own), "certified").topics["certified"]
        self.assertEqual(topic.error.code(), KafkaError.TOPIC_AUTHORIZATION_FAILED)
        acl = {"principal": own["principal"], "operation": "DESCRIBE", "resource": "TOPIC", "name": "certified"}
        self.bed.call("kafka/acls", add=[acl])
        self.assertIsNone(metadata(with_certificate(config, own), "certified").topics["certified"].error)

    def test_each_bad_certificate_is_refused_for_its_own_reason(self):
        user = self.user("careful")
        expired, unknown, mismatch = 10, 20, 64  # X509_V_ERR_…: CERT_HAS_EXPIRED, UNABLE_TO_GET_ISSUER_CERT_LOCALLY, IP_ADDRESS_MISMATCH
        for listener, reasons in (("EXPIRED", {expired}), ("OTHERCA", {19, unknown}), ("OTHERHOST", {mismatch})):
            with self.subTest(listener=listener):
                host, port = self.facts["brokers"]["1"][listener].split(":")
                context = ssl.create_default_context(cafile=self.facts["tls"]["ca"])
                with socket.create_connection((host, int(port)), timeout=PATIENCE) as raw:
                    with self.assertRaises(ssl.SSLCertVerificationError) as caught:
                        context.wrap_socket(raw, server_hostname=host)
                self.assertIn(caught.exception.verify_code, reasons, caught.exception)
                # librdkafka says "transport" or "SSL", as it happens; the text is the same.
                with self.assertRaisesRegex(KafkaException, "certificate verify failed"):
                    metadata(settings(self.facts, listener, user))
        other = settings(self.facts, "OTHERCA", user) | {"ssl.ca.location": self.facts["tls"]["otherca"]}
        self.assertEqual(len(metadata(other).brokers), 3)

    def test_bootstrap_can_work_where_the_advertised_brokers_do_not(self):
        user = self.user("lost")
        hang = self.bed.call("faults/start")["hang"]
        for listener, expected in (
            ("UNREACHABLE", {hang}),
            ("UNRESOLVABLE", {f"b{number}.bed.invalid:9092" for number in (1, 2, 3)}),
        ):
            with self.subTest(listener=listener):
                self.assertEqual(learned(settings(self.facts, listener, user), expected), expected)

    # Authorisation

    def test_an_acl_counts_on_every_broker_when_the_helper_returns(self):
        user = self.user("listed", mechanisms=["PLAIN"])
        self.bed.call("kafka/topics", create=[{"name": "listed"}])
        acl = {"principal": user["principal"], "operation": "DESCRIBE", "resource": "TOPIC", "name": "listed"}

        def answers():
            found = {}
            for broker in self.facts["brokers"]:
                error = metadata(settings(self.facts, "SASL_PLAINTEXT", user, broker=broker), "listed").topics["listed"].error
                found[broker] = error.code() if error else None
            return found

        denied = dict.fromkeys(self.facts["brokers"], KafkaError.TOPIC_AUTHORIZATION_FAILED)
        allowed = dict.fromkeys(self.facts["brokers"])
        for round in range(20):
            with self.subTest(round=round):
                self.assertEqual(answers(), denied)
                self.assertEqual(self.bed.call("kafka/acls", add=[acl]), {"added": 1, "removed": 0})
                self.assertEqual(answers(), allowed)
                self.assertEqual(self.bed.call("kafka/acls", remove=[acl]), {"added": 0, "removed": 1})

    def test_a_mistaken_acl_is_an_error(self):
        with self.assertRaisesRegex(CallError, "no field ops"):
            self.bed.call("kafka/acls", add=[{"principal": "User:x", "ops": ["READ"], "resource": "TOPIC", "name": "x"}])

    def test_without_a_login_nobody_may_do_anything_unless_an_acl_says_so(self):
        config = settings(self.facts, "PLAINTEXT")
        client = AdminClient(config)
        future = client.create_topics([NewTopic("anonymous", 1, 3)], operation_timeout=60)["anonymous"]
        self.assert_kafka_error(KafkaError.TOPIC_AUTHORIZATION_FAILED, future)
        acl = {"principal": "User:ANONYMOUS", "operation": "CREATE", "resource": "TOPIC", "name": "anonymous"}
        self.bed.call("kafka/acls", add=[acl])
        client.create_topics([NewTopic("anonymous", 1, 3)], operation_timeout=60)["anonymous"].result(PATIENCE)

    def test_the_topic_policy_demands_three_replicas(self):
        admin = AdminClient(settings(self.facts, "SASL_SSL", self.facts["admin"]))
        for only_validate in (True, False):
            with self.subTest(validate_only=only_validate):
                futures = admin.create_topics([NewTopic("two", 1, 2)], validate_only=only_validate)
                self.assert_kafka_error(KafkaError.POLICY_VIOLATION, futures["two"])
        for created in admin.create_topics([NewTopic("three", 1, 3), NewTopic("default", 1)]).values():
            created.result(PATIENCE)

    # The helper's other actions

    def test_the_state_shows_every_change_and_nothing_else(self):
        def state():
            return self.bed.call("kafka/state", prefix="state-")

        self.bed.call("kafka/coordinators")
        self.bed.call("kafka/topics", create=[{"name": "state-a", "partitions": 2, "configs": {"cleanup.policy": "compact"}}])
        first = state()
        self.assertEqual(first, state())
        self.assertEqual(first["topics"]["state-a"]["configs"], {"cleanup.policy": "compact"})
        self.assertEqual(first["topics"]["state-a"]["replicas"], 3)
        self.bed.call("kafka/produce", topic="state-a", records=[{"key": "k", "value": "v"}])
        second = state()
        self.assertEqual(sum(second["topics"]["state-a"]["end_offsets"]), 1)
        self.bed.call("kafka/commit", group="state-g", offsets=[{"topic": "state-a", "partition": 0, "offset": 0}])
        third = state()
        self.assertEqual(third["groups"]["state-g"]["offsets"], {"state-a-0": 0})
        self.assertEqual(third["topics"], second["topics"])
        transactional = settings(self.facts, "SASL_SSL", self.facts["admin"]) | {"transactional.id": "state-t"}
        epochs = []
        for _ in range(2):
            Producer(transactional).init_transactions(PATIENCE)
            epochs.append(state()["transactions"]["state-t"]["epoch"])
        self.assertEqual(epochs, [0, 1])
        self.bed.call("kafka/topics", delete=["state-a"])
        self.assertEqual(state()["topics"], {})

    def test_the_command_line_tools_run_as_a_person_types_them(self):
        command = [f"{self.facts['bin']}/kafka-acls", "--bootstrap-server", self.facts["bootstrap"]["SASL_SSL"]]
        command += ["--command-config", self.facts["command_config"]]
        change = ["--add", "--allow-principal", "User:typed", "--operation", "Read", "--topic", "typed"]
        for arguments in (change, ["--list", "--topic", "typed"]):
            ended = subprocess.run(command + arguments, capture_output=True, text=True, timeout=PATIENCE)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""), ended)
        self.assertIn("principal=User:typed", ended.stdout)
        for tool in ("kafka-topics", "kafka-configs", "kafka-consumer-groups"):
            ended = subprocess.run([f"{self.facts['bin']}/{tool}", "--version"], capture_output=True, text=True, timeout=PATIENCE)
            self.assertRegex(ended.stdout, r"^4\.\d+\.\d+", ended)


class Alone(Case):
    """Beds of their own: what these tests do would disturb others."""

    def test_a_broker_can_be_stopped_and_started_again(self):
        with Bed("kafka") as bed:
            facts = bed.call("kafka/start")
            # By one that stays: what is not there is an error to librdkafka, unless another has answered before it says so.
            admin = settings(facts, "SASL_SSL", facts["admin"], broker="1")
            bed.call("kafka/topics", create=[{"name": "kept"}])
            bed.call("kafka/stop_broker", broker=2)
            self.assertEqual(set(metadata(admin).brokers), {1, 3})
            bed.call("kafka/topics", delete=["kept"], create=[{"name": "also"}])
            bed.call("kafka/start_broker", broker=2)
            self.assertEqual(len(metadata(admin).brokers), 3)
            replicas = metadata(admin, "also").topics["also"].partitions[0]
            self.assertEqual(len(replicas.isrs), 3)

    def test_a_cluster_can_allow_what_no_acl_names(self):
        with Bed("kafka_open", "kafka_virgin") as bed:
            clients = {}
            for part in ("kafka_open", "kafka_virgin"):
                facts = bed.call(f"{part}/start")
                self.assertEqual(bed.call(f"{part}/state")["topics"], {})
                clients[part] = AdminClient(settings(facts, "SASL_SSL", bed.call(f"{part}/user", name="anyone")))
            clients["kafka_open"].create_topics([NewTopic("free", 1, 1)])["free"].result(PATIENCE)
            denied = clients["kafka_virgin"].create_topics([NewTopic("free", 1, 1)])["free"]
            self.assert_kafka_error(KafkaError.TOPIC_AUTHORIZATION_FAILED, denied)

    def test_two_beds_do_not_meet_and_neither_leaves_anything(self):
        with Bed("kafka") as one, Bed("kafka") as two:
            facts = [bed.call("kafka/start") for bed in (one, two)]
            self.assertNotEqual(facts[0]["cluster_id"], facts[1]["cluster_id"])
            one.call("kafka/topics", create=[{"name": "mine"}])
            self.assertEqual(two.call("kafka/state")["topics"], {})
            pids = [bed.pids() for bed in (one, two)]
            self.assertEqual([len(found) for found in pids], [4, 4])
            os.kill(one.ready["pid"], signal.SIGKILL)
            self.assertTrue(within(PATIENCE, lambda: all(map(gone, pids[0]))), "the killed bed has left a process")
            self.assertEqual(len(metadata(settings(facts[1], "SASL_SSL", facts[1]["admin"])).brokers), 3)
            began = time.monotonic()
            self.assertEqual(two.close(), 0)
            print(f"\nend of a bed: {time.monotonic() - began:.1f} s", file=sys.stderr)
            self.assertTrue(all(map(gone, pids[1])), "the bed has left a process")
            self.assertFalse(two.dir.exists())


class Environment(unittest.TestCase):
    def test_names_become_properties_by_the_image_s_rule(self):
        for name, expected in (
            ("BOOTSTRAP_SERVERS", "bootstrap.servers"),
            ("A__UNDERSCORE", "a_underscore"),
            ("A___DASH", "a-dash"),
            ("TOPIC_CREATION_ENABLE", "topic.creation.enable"),
            ("NAME__WITH_ALL___THREE", "name_with.all-three"),
            # The image's pattern does not overlap.
            ("CONFIG_PROVIDERS_S_CLASS", "config.providers.s_class"),
        ):
            self.assertEqual(property_name(name), expected)

    def test_only_the_worker_s_variables_count_and_values_stay_raw(self):
        env = {"CONNECT_GROUP_ID": 'a\\b "c"', "KAFKA_HEAP_OPTS": "-Xmx1G"}
        self.assertEqual(properties(env), {"group.id": 'a\\b "c"'})


class Worker(Shared):
    """A worker with exactly the ACLs that the documentation lists, and with one less."""

    def environment(self, group, user):
        jaas = "org.apache.kafka.common.security.scram.ScramLoginModule required "
        jaas += f'username="{user["name"]}" password="{user["password"]}";'
        env = {
            "CONNECT_BOOTSTRAP_SERVERS": self.facts["bootstrap"]["SASL_SSL"],
            "CONNECT_GROUP_ID": group,
            "CONNECT_KEY_CONVERTER": "org.apache.kafka.connect.json.JsonConverter",
            "CONNECT_VALUE_CONVERTER": "org.apache.kafka.connect.json.JsonConverter",
        }
        for kind in ("CONFIG", "OFFSET", "STATUS"):
            env[f"CONNECT_{kind}_STORAGE_TOPIC"] = f"{group}-{kind.lower()}"
        for client in ("", "PRODUCER_", "CONSUMER_"):
            env[f"CONNECT_{client}SECURITY_PROTOCOL"] = "SASL_SSL"
            env[f"CONNECT_{client}SASL_MECHANISM"] = "SCRAM-SHA-512"
            env[f"CONNECT_{client}SASL_JAAS_CONFIG"] = jaas
        return env

    def acls(self, group, user):
        who = {"principal": user["principal"]}
        return [{**who, "operation": "READ", "resource": "GROUP", "name": group}] + [
            {**who, "operation": ["READ", "WRITE", "CREATE"], "resource": "TOPIC", "name": f"{group}-{kind}"}
            for kind in ("config", "offset", "status")
        ]

    def test_it_starts_with_exactly_its_acls_and_leaves_its_group(self):
        user = self.bed.call("kafka/user", name="worker")
        self.bed.call("kafka/acls", add=self.acls("full", user))
        began = time.monotonic()
        worker = self.bed.call("connect/start", env=self.environment("full", user))
        print(f"\nConnect worker: {time.monotonic() - began:.1f} s", file=sys.stderr)
        group = self.bed.call("kafka/state", prefix="full")["groups"]["full"]
        self.assertEqual((group["state"], len(group["members"])), ("Stable", 1))
        self.bed.call("connect/stop", id=worker["id"])
        self.assertEqual(self.bed.call("kafka/state", prefix="full")["groups"].get("full", {}).get("members", []), [])
        self.assertFalse(self.bed.call("connect/log", id=worker["id"])["alive"])

    def test_without_one_of_them_it_fails_and_says_which(self):
        user = self.bed.call("kafka/user", name="poor-worker")
        for number, text in ((0, "GroupAuthorizationException"), (2, "poor-offset")):
            with self.subTest(missing=number):
                acls = self.acls("poor", user)
                self.bed.call("kafka/acls", add=acls[:number] + acls[number + 1 :])
                with self.assertRaisesRegex(CallError, text):
                    self.bed.call("connect/start", env=self.environment("poor", user))
                self.bed.call("kafka/acls", remove=[{"principal": user["principal"]}])


if __name__ == "__main__":
    unittest.main()
