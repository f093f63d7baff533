"""What preflight costs, on the test bed's real brokers: a passing run of three principals beside `kafka-acls --list` of Apache Kafka,
in turn and in one run; 300 topics; and a black hole.

    python3 preflight.py OUR-BINARY

The ratio is what counts: both talk to the same brokers on the same machine in the same minutes.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from measure import alternate

TESTS = Path(__file__).resolve().parent.parent
MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
LIMITS = {"passing": 1.5, "black hole": 6.0}
RIGHTS = {"GROUP": ["READ"], "TOPIC": ["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"]}


class Bed:
    def __enter__(self):
        command = [str(TESTS / "bed" / "run"), "--parts", "kafka"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(60)

    def ask(self, what, **arguments):
        request = urllib.request.Request(f"{self.ready['control']}/{what}", json.dumps(arguments).encode())
        request.add_header("Authorization", f"Bearer {self.ready['token']}")
        with urllib.request.urlopen(request, timeout=900) as answer:
            return json.load(answer)


def project(bed, folder, facts, name, topics=()):
    """A project that `init` could have written: worker, producer and consumer each with a user of its own, all rights granted."""
    users = {client: bed.ask("kafka/user", name=f"{name}-{client}") for client in ("worker", "producer", "consumer")}
    acls = [{"principal": users["worker"]["principal"], "resource": "GROUP", "name": name, "operation": RIGHTS["GROUP"]}]
    for topic in (f"{name}-configs", f"{name}-offsets", f"{name}-status"):
        acls.append({"principal": users["worker"]["principal"], "resource": "TOPIC", "name": topic, "operation": RIGHTS["TOPIC"]})
    for topic in topics:
        # The worker's user is the admin client's, too, which looks for topics and makes them.
        for client in ("producer", "worker"):
            acls.append({"principal": users[client]["principal"], "resource": "TOPIC", "name": topic, "operation": RIGHTS["TOPIC"]})
    bed.ask("kafka/acls", add=acls)
    ca = Path(facts["tls"]["ca"]).read_text().replace("\n", "\\n")
    environment = {
        "CONNECT_GROUP_ID": name,
        "CONNECT_CONFIG_STORAGE_TOPIC": f"{name}-configs",
        "CONNECT_OFFSET_STORAGE_TOPIC": f"{name}-offsets",
        "CONNECT_STATUS_STORAGE_TOPIC": f"{name}-status",
        "CONNECT_KEY_CONVERTER": "org.apache.kafka.connect.storage.StringConverter",
        "CONNECT_VALUE_CONVERTER": "org.apache.kafka.connect.storage.StringConverter",
    }
    secret = {}
    for client, prefix in (("worker", ""), ("producer", "PRODUCER_"), ("consumer", "CONSUMER_"), ("worker", "ADMIN_")):
        environment |= {
            f"CONNECT_{prefix}BOOTSTRAP_SERVERS": facts["bootstrap"]["SASL_SSL"],
            f"CONNECT_{prefix}SECURITY_PROTOCOL": "SASL_SSL",
            f"CONNECT_{prefix}SASL_MECHANISM": "SCRAM-SHA-512",
            f"CONNECT_{prefix}SSL_TRUSTSTORE_TYPE": "PEM",
            f"CONNECT_{prefix}SSL_TRUSTSTORE_CERTIFICATES": ca,
        }
        user = users[client]
        secret[f"CONNECT_{prefix}SASL_JAAS_CONFIG"] = f'{MODULE} required username="{user["name"]}" password="{user["password"]}";'
    service = {
        "image": "confluentinc/cp-kafka-connect:8.0.7",
        "environment": environment,
        "secrets": ["connect"],
        "ports": ["8083"],
    }
    if topics:
        connector = {"type": "source", "topics": list(topics)}
        service["x-confluent"] = {"connectors": {"bench": connector}}
    keys = [{"SecretKey": key, "VarName": key} for key in secret]
    document = {
        "name": name,
        "x-kafka": {"provider": "self-managed"},
        "services": {"connect": service},
        "secrets": {"connect": {"x-secrets": {"Name": f"/{name}", "JsonKeys": keys}}},
    }
    path = Path(folder) / name
    path.mkdir()
    # JSON is YAML.
    (path / "docker-compose.yml").write_text(json.dumps(document))
    descriptor = os.open(path / "secret.json", os.O_WRONLY | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(secret, file)
    return path


def timed(argv, cwd, env, expected):
    began = time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != expected:
        sys.exit(f"{argv} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-1000:]}")
    return time.monotonic() - began


def main():
    binary = Path(sys.argv[1]).absolute()
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"}
    failed = []
    with Bed() as bed, tempfile.TemporaryDirectory() as folder:
        facts = bed.ask("kafka/start")
        three = project(bed, folder, facts, "three")
        preflight = [binary, "preflight", "--secrets-file", "secret.json"]
        timed(preflight, three, env, 0)
        listing = [
            str(Path(facts["bin"]) / "kafka-acls"),
            *("--bootstrap-server", facts["bootstrap"]["SASL_SSL"], "--command-config", facts["command_config"], "--list"),
        ]
        ours, theirs = alternate(10, (preflight, three, env), (listing, three, env))
        many = [project(bed, folder, facts, f"many{count}", [f"many{count}-{n}" for n in range(count)]) for count in (1, 300)]
        few, hundreds = alternate(5, *((preflight, path, env) for path in many))
        hole = bed.ask("faults/start")["hang"]
        document = json.loads((three / "docker-compose.yml").read_text())
        for variable in list(document["services"]["connect"]["environment"]):
            if variable.endswith("BOOTSTRAP_SERVERS"):
                document["services"]["connect"]["environment"][variable] = ",".join([hole] * 9)
        (three / "docker-compose.yml").write_text(json.dumps(document))
        black = statistics.median(timed(preflight, three, env, 9) for _ in range(3))
    print("| preflight, on three brokers of Apache Kafka | median | promised |")
    print("|---|---:|---:|")
    print(f"| three principals, everything passes | {ours.seconds:.2f} s | under {LIMITS['passing']} s |")
    print(f"| `kafka-acls --list`, in turn with it | {theirs.seconds:.2f} s | |")
    print(f"| … the ratio | {theirs.seconds / ours.seconds:.1f} times as long | |")
    print(f"| a connector with one topic | {few.seconds:.2f} s | |")
    print(f"| … with 300 topics | {hundreds.seconds:.2f} s | not 300 round trips |")
    print(f"| nine servers in a black hole | {black:.2f} s | under {LIMITS['black hole']} s |")
    if ours.seconds > LIMITS["passing"]:
        failed.append(f"a passing run took {ours.seconds:.2f} s")
    if black > LIMITS["black hole"]:
        failed.append(f"a black hole took {black:.2f} s")
    if failed:
        sys.exit("\n".join(failed))


main()
