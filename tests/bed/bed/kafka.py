"""Part `kafka`: a cluster of real brokers in KRaft mode, with its administrator and the command line tools of its version.

Facts:
  cluster_id   the cluster's id
  bootstrap    listener name → host:port,… of all brokers (brokers.py has the listeners)
  brokers      broker id → listener name → host:port
  controllers  host:port,… of all controllers, which serve no clients
  admin        name and password of the super user (PLAIN on SASL_SSL and SASL_PLAINTEXT)
  tls          paths: ca, otherca (trusts only the OTHERCA listener), ownsigned (trusts only that), truststore (the ca for Java, with
               truststore_password), and
               client: a client certificate's paths (tls.py) with its principal
  bin          a folder for PATH: kafka-acls, kafka-topics, kafka-configs, kafka-consumer-groups,
               kafka-reassign-partitions, kafka-console-consumer
  command_config   a file for their --command-config: the super user over SASL_SSL
  seconds      how long the start took
Actions are methods of `Kafka`; the text of each says what goes in and, after the arrow, what comes out. A change has reached every running broker when its
action returns.
"""

import base64
import itertools
import json
import os
import secrets
import threading
import time
import uuid
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from . import brokers, training
from .brokers import ADMIN_USER, ALL_MECHANISMS, BROKER_USER, CONTROLLER, LISTENERS, PLAIN, Node
from .context import BedError, can_connect
from .member import Member
from .tls import PKCS12_PASSWORD, Authority, own_signed
from .tokens import Issuer

START_SECONDS = 300
TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
}
TOOL = """#!/bin/sh
# {main} of the test bed's Kafka, as its own script would run it.
unset JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS
export CLASSPATH='{classpath}'
exec {command} "$@"
"""


class Kafka:
    def __init__(self, ctx, name, size=3, allow_everyone=False, authorizer=True, java=None):
        self.ctx, self.name, self.size, self.java = ctx, name, size, java
        self.allow_everyone, self.authorizer = allow_everyone, authorizer
        self.folder = ctx.folder(name)
        self.processes, self.admin = {}, None
        self._users, self._keys, self._users_lock = {}, {}, threading.Lock()
        self._scram_passwords, self._members = {}, []
        self.actions = {
            action.__name__: action
            for action in (
                *(self.user, self.remove_user, self.certificate, self.access_key, self.acls),
                *(self.topics, self.produce, self.commit, self.coordinators, self.state),
                *(self.begin, self.end, self.quota, self.join, self.leave),
                *(self.stop_broker, self.start_broker, self.log),
            )
        }

    # Start and stop

    def start(self):
        began = time.monotonic()
        self.java = self.java or training.trained(self.ctx)
        self._write_users({BROKER_USER: secrets.token_urlsafe(18), ADMIN_USER: secrets.token_urlsafe(18)})
        _write_private(self._keys_path, "{}")
        certificates, self._tls = self._make_certificates()
        self._issuer = Issuer(self.folder / "tls")
        faults = self.ctx.part("faults").facts
        self.nodes = [self._node(number) for number in range(1, self.size + 1)]
        # Formatting a node is this file and the records that every cluster begins with (java.py).
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        for node in self.nodes:
            node.folder.mkdir()
            meta = f"version=1\ncluster.id={cluster_id}\nnode.id={node.id}\n"
            (node.folder / "meta.properties").write_text(meta)
            (node.folder / "bootstrap.checkpoint").write_bytes(self.java.checkpoint.read_bytes())
            properties = brokers.server_properties(
                node, self.nodes, self._users[BROKER_USER], certificates, self._ca.path, faults, self.allow_everyone, self.authorizer,
                self._issuer.keys,
            )
            _write_private(self._properties(node), properties)
            self._spawn(node)
        self.admin = Administrator(self)
        self._wait_for_brokers(START_SECONDS)
        return self._facts(cluster_id, round(time.monotonic() - began, 1))

    def stop(self):
        if self.admin:
            self.admin.child.kill()
        for child in self.processes.values():
            child.kill()

    def _node(self, number):
        names = [*LISTENERS, CONTROLLER]
        return Node(number, {name: self.ctx.free_port() for name in names}, self.folder / f"log-{number}")

    def _properties(self, node):
        return self.folder / f"broker-{node.id}.properties"

    def _spawn(self, node):
        properties = {"bed.users": self._users_path, "bed.keys": self._keys_path, "bed.log": "INFO"}
        properties["org.apache.kafka.sasl.oauthbearer.allowed.urls"] = self._issuer.keys
        command = self.java.command("kafka.Kafka", self._properties(node), kind="broker", heap="256m", properties=properties)
        self.processes[node.id] = self.ctx.spawn(f"{self.name}-{node.id}", command, env=self.java.environment)

    def _wait_for_brokers(self, seconds):
        until = time.monotonic() + seconds
        for node in self.nodes:
            for name, port in node.ports.items():
                left = max(until - time.monotonic(), 0)
                self.ctx.wait(f"broker {node.id}, listener {name}", lambda p=port: can_connect(p), left, self.processes[node.id])
        self.admin.ask("ready", seconds=int(max(until - time.monotonic(), 1)))

    # Facts

    def _facts(self, cluster_id, seconds):
        folder = self._write_tools()
        listed = {
            str(node.id): {name: f"127.0.0.1:{port}" for name, port in node.ports.items() if name in LISTENERS}
            for node in self.nodes
        }
        bootstrap = {name: ",".join(broker[name] for broker in listed.values()) for name in LISTENERS}
        password = self._users[ADMIN_USER]
        config = self.folder / "admin.properties"
        _write_private(
            config,
            "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\nssl.truststore.type=PEM\n"
            f"ssl.truststore.location={self._ca.path}\n"
            "sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required "
            f'username="{ADMIN_USER}" password="{password}";\n',
        )
        return {
            "cluster_id": cluster_id,
            "bootstrap": bootstrap,
            "brokers": listed,
            "controllers": ",".join(f"127.0.0.1:{node.ports[CONTROLLER]}" for node in self.nodes),
            "admin": {"name": ADMIN_USER, "password": password},
            "tls": self._tls,
            "bin": str(folder),
            "command_config": str(config),
            "token_key": str(self._issuer.key),
            "seconds": seconds,
        }

    def _write_tools(self):
        folder = self.folder / "bin"
        folder.mkdir()
        for name, main in TOOLS.items():
            command = self.java.command(main, kind="tool", properties={"bed.log": "WARN"})
            script = folder / name
            script.write_text(TOOL.format(main=main, classpath=self.java.classpath, command=" ".join(command)))
            script.chmod(0o755)
        return folder

    def _make_certificates(self):
        folder = self.folder / "tls"
        self._ca = Authority(folder, "ca")
        self._other_ca = Authority(folder, "otherca")
        own = ("localhost", "127.0.0.1")
        issued = {
            "server": self._ca.issue("server", own),
            "expired": self._ca.issue("expired", own, days=(-30, -1)),
            "notyet": self._ca.issue("notyet", own, days=(1, 30)),
            "otherca": self._other_ca.issue("otherca-server", own),
            "otherhost": self._ca.issue("otherhost", ("kafka.example.com",)),
            "oldchain": Authority(folder, "oldchain-ca", self._ca, (-30, -1)).issue("oldchain", own),
            "nochain": Authority(folder, "nochain-ca", self._ca).issue("nochain", own, alone=True),
            "ownsigned": own_signed(folder, "ownsigned", own),
            "nameless": self._ca.issue("nameless", common_name="localhost"),
            "version1": self._ca.issue("version1", common_name="localhost", version_1=True),
        }
        client = self._ca.issue("client", client=True) | {"principal": "User:CN=client"}
        keystores = {name: paths["keystore_pem"] for name, paths in issued.items()}
        return keystores, {
            "ca": str(self._ca.path),
            "otherca": str(self._other_ca.path),
            "ownsigned": issued["ownsigned"]["certificate"],
            "truststore": self._ca.truststore(),
            "truststore_password": PKCS12_PASSWORD,
            "client": client,
        }

    # Users

    @property
    def _users_path(self):
        return self.folder / "users.json"

    @property
    def _keys_path(self):
        return self.folder / "keys.json"

    def _write_users(self, users):
        self._users = users
        _replace_private(self._users_path, json.dumps(users))

    def user(self, asked):
        """{name, password?, mechanisms?} → {name, password, principal}. Makes a user, or gives one a new password. Without
        `mechanisms`, it can log in by each."""
        name = asked["name"]
        password = asked.get("password") or secrets.token_urlsafe(18)
        mechanisms = asked.get("mechanisms") or list(ALL_MECHANISMS)
        unknown = set(mechanisms) - set(ALL_MECHANISMS)
        if unknown:
            raise BedError(f"no mechanism {', '.join(sorted(unknown))}; there are {', '.join(ALL_MECHANISMS)}")
        scram = [mechanism for mechanism in mechanisms if mechanism != PLAIN]
        if PLAIN in mechanisms:
            with self._users_lock:
                self._write_users(self._users | {name: password})
        if scram:
            self.admin.ask("scram", name=name, password=password, mechanisms=scram)
            for mechanism in scram:
                self._scram_passwords[name, mechanism] = password
        return {"name": name, "password": password, "principal": f"User:{name}"}

    def remove_user(self, asked):
        """{name}. Every later login fails; connections that are open stay so."""
        name = asked["name"]
        with self._users_lock:
            self._write_users({user: password for user, password in self._users.items() if user != name})
        for user, mechanism in list(self._scram_passwords):
            if user == name:
                password = self._scram_passwords.pop((user, mechanism))
                self.admin.ask("scram", name=name, password=password, mechanisms=[mechanism], remove=True)
        return {}

    def certificate(self, asked):
        """{name, ca?: "ca" | "otherca", days?: [first, last]} → a client certificate's paths (tls.py) and its principal."""
        authority = {"ca": self._ca, "otherca": self._other_ca}[asked.get("ca", "ca")]
        issued = authority.issue(asked["name"], days=tuple(asked.get("days", (-1, 90))), client=True)
        return issued | {"principal": f"User:CN={asked['name']}"}

    def access_key(self, asked):
        """{name, session?: true} → {access_key, secret_key, session_token?, principal}: an AWS key with which `name` may log in on the
        IAM listener, by a signed token as with Amazon MSK."""
        key = {"secret": secrets.token_urlsafe(30), "principal": asked["name"]}
        if asked.get("session"):
            key["session"] = base64.b64encode(secrets.token_bytes(48)).decode()
        name = "AKIA" + base64.b32encode(secrets.token_bytes(10)).decode()
        with self._users_lock:
            self._keys = self._keys | {name: key}
            _replace_private(self._keys_path, json.dumps(self._keys))
        answer = {"access_key": name, "secret_key": key["secret"], "principal": f"User:{asked['name']}"}
        return answer | ({"session_token": key["session"]} if "session" in key else {})

    # What the administrator does (Cluster.java)

    def acls(self, asked):
        """{add?: [acl], remove?: [acl]} → {added, removed}: how many. An ACL is {principal, operation, resource, name, host?,
        permission?, pattern?}, with kafka-acls' defaults: any host, ALLOW, LITERAL; `operation` may be a list. In `remove`, what
        is missing matches anything. Removals come first."""
        return self.admin.ask("acls", **asked)

    def topics(self, asked):
        """{create?: [{name, partitions?, replicas?, configs?}], delete?: [name]} → {partitions}. A topic that is there already is
        left as it is; one to be deleted need not be there."""
        return self.admin.ask("topics", **asked)

    def produce(self, asked):
        """{topic, records: [{key?, value?}]} → {produced}."""
        return self.admin.ask("produce", **asked)

    def commit(self, asked):
        """{group, offsets: [{topic, partition?, offset}]}. Makes the group, without members, if it isn't there."""
        return self.admin.ask("commit", **asked)

    def coordinators(self, asked):
        """{}. Makes __consumer_offsets and __transaction_state, which a new cluster lacks."""
        return self.admin.ask("coordinators", **asked)

    def state(self, asked):
        """{prefix?} → {topics, groups, transactions, acls}: all that a run might have changed, in one fixed order, to be compared with an
        earlier one (State.java). With `prefix`, what is named so."""
        # A topic that was made just now is known to some brokers before others.
        for tries_left in range(20, -1, -1):
            try:
                return self.admin.ask("state", **asked)
            except BedError as error:
                if "UnknownTopicOrPartitionException" not in str(error) or not tries_left:
                    raise
                time.sleep(0.25)

    def begin(self, asked):
        """{id, topic}. A producer with this transactional id opens a transaction, with a record in it, and stays so."""
        return self.admin.ask("begin", id_=asked["id"], topic=asked["topic"])

    def end(self, asked):
        """{id}. It commits; that fails where somebody has fenced it."""
        return self.admin.ask("end", id_=asked["id"])

    def quota(self, asked):
        """{user, quotas}: by name, as `request_percentage` or `controller_mutation_rate`; null takes one away."""
        return self.admin.ask("quota", **asked)

    def join(self, asked):
        """{group, protocol_type, protocol, metadata, client} → {id}. Somebody is in the group and stays there (member.py), with this
        text as what it says of itself; as the super user."""
        server = f"127.0.0.1:{self.nodes[0].ports[brokers.INTERNAL]}"
        login = (ADMIN_USER, self._users[ADMIN_USER])
        said = (asked["protocol_type"], asked["protocol"], asked.get("metadata", "").encode())
        self._members.append(Member(server, login, asked["group"], *said, asked["client"]))
        return {"id": len(self._members) - 1}

    def leave(self, asked):
        """{id}."""
        self._members[asked["id"]].leave()
        return {}

    # Faults

    def stop_broker(self, asked):
        """{broker}. Ends one broker in good order; returns when the others miss it. Every test of the cluster sees it."""
        number = int(asked["broker"])
        self._process(number).stop(120)
        return self.admin.ask("down", broker=number)

    def start_broker(self, asked):
        """{broker} or {brokers: […]}. Starts stopped brokers; returns when every replica is in sync again."""
        for number in map(int, asked.get("brokers") or [asked["broker"]]):
            if not self._process(number).alive:
                self._spawn(self.nodes[number - 1])
        self._wait_for_brokers(START_SECONDS)
        return {}

    def log(self, asked):
        """{broker, lines?} → {log}: the last lines of a broker's log."""
        return {"log": self._process(int(asked["broker"])).tail(int(asked.get("lines", 50)))}

    def _process(self, number):
        if number not in self.processes:
            raise BedError(f"no broker {number}; there are {sorted(self.processes)}")
        return self.processes[number]


class Administrator:
    """The resident Java process (kafka/src, bed.Admin), spoken to in lines of JSON."""

    SECONDS = 300

    def __init__(self, cluster):
        config = cluster.folder / "administrator.json"
        addresses = {str(node.id): f"127.0.0.1:{node.ports[brokers.INTERNAL]}" for node in cluster.nodes}
        login = {"username": ADMIN_USER, "password": cluster._users[ADMIN_USER]}
        _write_private(config, json.dumps({"brokers": addresses, **login}))
        command = cluster.java.command("bed.Admin", config, kind="tool", properties={"bed.log": "WARN"})
        self.child = cluster.ctx.spawn(f"{cluster.name}-admin", command, env=cluster.java.environment, pipes=True)
        self._lock, self._numbers, self._waiting = threading.Lock(), itertools.count(), {}
        threading.Thread(target=self._read, daemon=True).start()

    def ask(self, op, **arguments):
        future = Future()
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = future
            try:
                line = json.dumps({**arguments, "id": number, "op": op})
                self.child.stdin.write(line.encode() + b"\n")
                self.child.stdin.flush()
            except OSError:
                raise self._ended() from None
        try:
            return future.result(self.SECONDS)
        except FutureTimeout:
            raise BedError(f"{op}: the administrator did not answer within {self.SECONDS} s\n{self.child.tail()}") from None

    def _read(self):
        for line in self.child.stdout:
            answer = json.loads(line)
            future = self._waiting.pop(answer["id"])
            if "error" in answer:
                future.set_exception(BedError(answer["error"]))
            else:
                future.set_result(answer["result"])
        for future in list(self._waiting.values()):
            future.set_exception(self._ended())

    def _ended(self):
        return BedError(f"the administrator has ended; its log ends with\n{self.child.tail()}")


def _replace_private(path, text):
    """As `_write_private`; a reader sees the old text or the new one, never a part."""
    fresh = path.with_suffix(".new")
    _write_private(fresh, text)
    fresh.rename(path)


def _write_private(path, text):
    """A file with passwords in it: nobody else may read it, not even for the moment of its making."""
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
