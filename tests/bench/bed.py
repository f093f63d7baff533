"""The test bed for a benchmark, and projects on it that `init` could have written."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
RIGHTS = {"GROUP": ["READ"], "TOPIC": ["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"]}


class Bed:
    def __init__(self, parts):
        self.parts = parts

    def __enter__(self):
        command = [str(TESTS / "bed" / "run"), "--parts", self.parts]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(300)

    def ask(self, what, **arguments):
        request = urllib.request.Request(f"{self.ready['control']}/{what}", json.dumps(arguments).encode())
        request.add_header("Authorization", f"Bearer {self.ready['token']}")
        with urllib.request.urlopen(request, timeout=900) as answer:
            return json.load(answer)


def project(bed, folder, facts, name, topics=()):
    """Worker, producer and consumer each have a user of their own, and all rights are granted. The secret is in `secret.json`."""
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
