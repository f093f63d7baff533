"""See `40-inside-static`. The task's program is this file's second half, `task`: it fetches the image that the definition names, unpacks
its only layer, and runs the program of it in a network namespace of its own and a root folder of its own."""

import fcntl
import io
import json
import os
import secrets
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.request
from pathlib import Path

BED = Path(__file__).resolve().parents[1] / "bed"
MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def main():
    program = os.environ["CONFLUENT_ECS_STATIC"]
    command = [BED / "run", "--parts", "kafka,aws,registry", "--foreground"]
    bed = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        with tempfile.TemporaryDirectory(prefix="ce-inside-") as folder:
            checked(program, Bed(json.loads(bed.stdout.readline())), Path(folder))
    finally:
        bed.terminate()
        bed.wait(300)


class Bed:
    def __init__(self, ready):
        self.ready = ready
        self.facts = {part: self.ask(f"{part}/start") for part in ("kafka", "aws", "registry")}

    def ask(self, what, **arguments):
        headers = {"Authorization": f"Bearer {self.ready['token']}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.ready['control']}/{what}", json.dumps(arguments).encode(), headers)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)


def checked(program, bed, folder):
    kafka, registry = bed.facts["kafka"], bed.facts["registry"]["open"]
    bootstrap = kafka["bootstrap"]["SASL_SSL"]
    group = f"static-{secrets.token_hex(4)}"
    user = bed.ask("kafka/user", name=f"{group}-user")
    entry = {"principal": f"User:{user['name']}", "pattern": "PREFIXED", "name": group}
    rights = {"TOPIC": ["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"], "GROUP": ["READ"]}
    bed.ask("kafka/acls", add=[{**entry, "resource": kind, "operation": names} for kind, names in rights.items()])

    def run(*arguments, env=None):
        return subprocess.run([program, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=600)

    made = run("init", "connect", "--env", "dev", "-p", group, "--kafka", "self-managed", "--mechanism", "scram-sha-512",
               "--bootstrap", bootstrap, "--ca-file", kafka["tls"]["ca"], "--vpc-tag", "Name=shared", "--ecs-cluster", "kafka")  # fmt: skip
    assert made.returncode == 0, made.stderr
    account = bed.ask("aws/new_account")
    jaas = f'{MODULE} required username="{user["name"]}" password="{user["password"]}";'
    keys = [f"CONNECT_{client}SASL_JAAS_CONFIG" for client in ("", "PRODUCER_", "CONSUMER_", "ADMIN_")]
    bed.ask("aws/seed", account=account["account"], name="shared", tiers=["public", "application"], cluster="kafka",
            secrets={f"/kafka/self-managed/{group}-dev/connect": json.dumps(dict.fromkeys(keys, jaas))}, registry=registry)  # fmt: skip
    task = folder / "task"
    ports = ",".join(str(port) for broker in kafka["brokers"].values() for port in ports_of(broker))
    task.write_text(
        f"#!/bin/sh\nexport CE_FOLDER='{folder}' CE_PORTS='{ports}' CE_FAMILY='{group}-dev-preflight-connect' CE_AWS='{account['env']['AWS_ENDPOINT_URL']}'"
        f" CE_ACCOUNT='{account['account']}'\nexec '{sys.executable}' -B '{__file__}' task \"$@\"\n"
    )
    task.chmod(0o755)
    bed.ask("aws/one_off", account=account["account"], program=str(task))
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CONFLUENT_ECS_PACE": "4", "CONFLUENT_ECS_PATIENCE": "5", **account["env"]}
    ran = run("preflight", "--env", "dev", "--in-vpc", "--yes", "--output", "json", "--skip", "aws", env=env)
    assert user["password"] not in ran.stdout + ran.stderr, "a password was printed"
    report = json.loads(ran.stdout)
    states = {}
    for check in report["checks"]:
        states.setdefault(check["status"], []).append(check)
    for check in states.get("failed", []):
        print(f"{check['code']} {check['title']}: {check['message']}\n{check.get('evidence', '')}", file=sys.stderr)
    assert ran.returncode == 0 and report["vantage"] == "inside", ran.stderr
    passed = {check["code"] for check in states["passed"]}
    missing = {"CE211", "CE302", "CE303", "CE304", "CE305", "CE402", "CE680"} - passed
    assert not missing, f"{missing} did not pass"
    seen = json.loads((folder / "seen.json").read_text())
    print(f"the task ran {seen['files']} in a network with {seen['network']}: {len(states['passed'])} checks passed, none failed")


def ports_of(broker):
    return [int(address.rsplit(":", 1)[1]) for address in broker.values()]


# --- the task


def task(arguments):
    folder = Path(os.environ["CE_FOLDER"])
    ports = [int(port) for port in os.environ["CE_PORTS"].split(",")]
    own = {name: value for name, value in os.environ.items() if not name.startswith("CE_") and name not in ("PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE")}
    root = folder / "root"
    unpack(image(), root)
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())
    # Doors between the two networks: sockets in the file system know none.
    doors = folder / "doors"
    doors.mkdir(exist_ok=True)
    for port in ports:
        serve(unix(doors / str(port)), lambda port=port: socket.create_connection(("127.0.0.1", port)))
    outside = os.listdir("/sys/class/net")
    os.unshare(0x40000000) if hasattr(os, "unshare") else unshare()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1))  # SIOCSIFFLAGS, IFF_UP
    for port in ports:
        serve(inet(port), lambda port=port: knock(doors / str(port)))
    names = [name for _, name in socket.if_nameindex()]
    assert names == ["lo"], (names, outside)
    (folder / "seen.json").write_text(json.dumps({"files": files, "network": names}))
    child = subprocess.Popen(["/confluent-ecs", *arguments], env=own, preexec_fn=lambda: (os.chroot(root), os.chdir("/")))
    sys.exit(child.wait())


def unshare():
    import ctypes

    if ctypes.CDLL(None, use_errno=True).unshare(0x40000000) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def image():
    """The image of the newest definition: what ECS would pull."""
    account = os.environ["CE_ACCOUNT"]

    def ecs(operation, **body):
        headers = {
            "X-Amz-Target": f"AmazonEC2ContainerServiceV20141113.{operation}", "Content-Type": "application/x-amz-json-1.1",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={account}/20260101/eu-west-1/ecs/aws4_request",
        }  # fmt: skip
        request = urllib.request.Request(os.environ["CE_AWS"], json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    arn = ecs("ListTaskDefinitions", familyPrefix=os.environ["CE_FAMILY"], status="ACTIVE")["taskDefinitionArns"][-1]
    return ecs("DescribeTaskDefinition", taskDefinition=arn)["taskDefinition"]["containerDefinitions"][0]["image"]


def unpack(image, root):
    name, digest = image.split("@")
    registry, repository = name.split("/", 1)

    def get(path, accept="*/*"):
        with urllib.request.urlopen(urllib.request.Request(f"http://{registry}/v2/{repository}/{path}", headers={"Accept": accept})) as answer:
            return answer.read()

    manifest = json.loads(get(f"manifests/{digest}", MANIFEST))
    config = json.loads(get(f"blobs/{manifest['config']['digest']}"))
    assert config["config"]["Entrypoint"] == ["/confluent-ecs"] and len(manifest["layers"]) == 1, manifest
    with tarfile.open(fileobj=io.BytesIO(get(f"blobs/{manifest['layers'][0]['digest']}"))) as layer:
        layer.extractall(root, **({"filter": "tar"} if hasattr(tarfile, "tar_filter") else {}))


def unix(path):
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(64)
    return listener


def knock(path):
    door = socket.socket(socket.AF_UNIX)
    door.connect(str(path))
    return door


def inet(port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    return listener


def serve(listener, onward):
    """Whoever comes is led on. A thread keeps the network that it was made in."""

    def copy(one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def lead():
        while True:
            came, _ = listener.accept()
            try:
                on = onward()
            except OSError:
                came.close()
                continue
            threading.Thread(target=copy, args=(came, on), daemon=True).start()
            threading.Thread(target=copy, args=(on, came), daemon=True).start()

    threading.Thread(target=lead, daemon=True).start()


if __name__ == "__main__":
    task(sys.argv[2:]) if sys.argv[1:2] == ["task"] else main()
