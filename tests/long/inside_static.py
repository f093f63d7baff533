"""See `40-inside-static`. The task's program is this file's second half, `task`: it fetches the image that the definition names, unpacks
its only layer, and runs the program of it in a network namespace and a root folder of its own, with what ECS adds: a name server, the
files that name it, and the address that hands out the role's credentials."""

import fcntl
import io
import json
import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

BED = Path(__file__).resolve().parents[1] / "bed"
MODULE = "org.apache.kafka.common.security.scram.ScramLoginModule"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CLIENTS = ("", "PRODUCER_", "CONSUMER_", "ADMIN_")
LOGIN = ("CE211", "CE302", "CE303", "CE304", "CE305", "CE402", "CE680")
# Where ECS hands out the credentials of a task's role ("Amazon ECS task IAM role").
HANDED_OUT = ("169.254.170.2", 80)


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
    port = {listener: address.rsplit(":", 1)[1] for listener, address in kafka["bootstrap"].items()}
    group = f"static-{secrets.token_hex(4)}"
    user = bed.ask("kafka/user", name=f"{group}-user")
    entry = {"principal": f"User:{user['name']}", "pattern": "PREFIXED", "name": group}
    rights = {"TOPIC": ["READ", "WRITE", "CREATE", "DESCRIBE_CONFIGS"], "GROUP": ["READ"]}
    bed.ask("kafka/acls", add=[{**entry, "resource": kind, "operation": names} for kind, names in rights.items()])

    def run(*arguments, env=None):
        return subprocess.run([program, *arguments], cwd=folder, env=env, capture_output=True, text=True, timeout=600)

    made = run("init", "connect", "--env", "dev", "-p", group, "--kafka", "self-managed", "--mechanism", "scram-sha-512",
               "--bootstrap", f"localhost:{port['SASL_SSL']}", "--ca-file", kafka["tls"]["ca"], "--vpc-tag", "Name=shared", "--ecs-cluster", "kafka")  # fmt: skip
    assert made.returncode == 0, made.stderr
    account = bed.ask("aws/new_account")
    jaas = f'{MODULE} required username="{user["name"]}" password="{user["password"]}";'
    keys = [f"CONNECT_{client}SASL_JAAS_CONFIG" for client in CLIENTS]
    bed.ask("aws/seed", account=account["account"], name="shared", tiers=["public", "application"], cluster="kafka",
            secrets={f"/kafka/self-managed/{group}-dev/connect": json.dumps(dict.fromkeys(keys, jaas))}, registry=registry)  # fmt: skip
    task = folder / "task"
    ports = ",".join(str(port) for broker in kafka["brokers"].values() for port in ports_of(broker))
    task.write_text(
        f"#!/bin/sh\nexport CE_FOLDER='{folder}' CE_PORTS='{ports}' CE_FAMILY='{group}-dev-preflight-connect' CE_AWS='{account['env']['AWS_ENDPOINT_URL']}'"
        f" CE_ACCOUNT='{account['account']}'\nexec '{sys.executable}' -B '{__file__}' task \"$@\"\n"
    )
    task.chmod(0o755)
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), "CONFLUENT_ECS_PACE": "4", "CONFLUENT_ECS_PATIENCE": "5", **account["env"]}

    def preflight(secret, code, **behaviour):
        """The checks, the last state of each by its code, and what the task saw; `secret` must be nowhere."""
        bed.ask("aws/one_off", account=account["account"], program=str(task), **behaviour)
        ran = run("preflight", "--env", "dev", "--in-vpc", "--yes", "--output", "json", "--skip", "aws", env=env)
        assert secret not in ran.stdout + ran.stderr, "a secret was printed"
        report = json.loads(ran.stdout)
        if ran.returncode != code:
            for check in report["checks"]:
                if check["status"] in ("failed", "unknown"):
                    print(f"{check['code']} {check['title']}: {check['message']}\n{check.get('evidence', '')}", file=sys.stderr)
        assert ran.returncode == code and report["vantage"] == "inside", ran.stderr
        seen = json.loads((folder / "seen.json").read_text())
        seen["asked"] = (folder / "asked").read_text().split()
        return report["checks"], seen

    # A password; the brokers' name is one that the task's name server knows.
    checks, seen = preflight(user["password"], 0)
    assert "localhost" in seen["asked"], seen
    print(f"the task ran {seen['files']} in a network with {seen['network']}: {by_code(checks, 'passed', LOGIN)} checks passed, none failed")

    # Names that no server knows, and a name server that fails: two causes, in the C library of this program too.
    for host, cause, code in (("unknown.bed.invalid", "name-not-found", 3), ("broken.bed.test", "resolver-unavailable", 9)):
        settings(folder, CONNECT_BOOTSTRAP_SERVERS=f"{host}:9092")
        checks, seen = preflight(user["password"], code)
        found = {check.get("cause") for check in checks if check["code"] == "CE301"}
        assert found == {cause}, found
        print(f"{host}: {cause}")

    # The task's role, whose credentials are where ECS has them, at an address and a port that no test outside can have.
    access = bed.ask("kafka/access_key", name=user["name"], session=True)
    by_iam(folder, f"localhost:{port['IAM']}")
    checks, seen = preflight(access["secret_key"], 0, credentials=access)
    assert "credentials" in seen["doors"], seen
    by_code(checks, "passed", ["CE304", "CE402"])
    print(f"IAM: the role's credentials came from {HANDED_OUT[0]}, and the brokers took them")


def by_code(checks, status, codes):
    """How many have this state; among them are these."""
    found = [check["code"] for check in checks if check["status"] == status]
    assert set(codes) <= set(found), f"{set(codes) - set(found)} did not come to {status}"
    return len(found)


def settings(folder, **values):
    path = folder / "envs" / "dev.yml"
    file = yaml.safe_load(path.read_text())
    file["services"]["connect"]["environment"].update(values)
    path.write_text(yaml.safe_dump(file, sort_keys=False))
    return path, file


def by_iam(folder, bootstrap):
    """The worker logs in by IAM, and has no secret."""
    path, file = settings(folder, CONNECT_BOOTSTRAP_SERVERS=bootstrap)
    for client in CLIENTS:
        file["services"]["connect"]["environment"] |= {
            f"CONNECT_{client}SASL_MECHANISM": "AWS_MSK_IAM",
            f"CONNECT_{client}SASL_JAAS_CONFIG": "software.amazon.msk.auth.iam.IAMLoginModule required;",
            f"CONNECT_{client}SASL_CLIENT_CALLBACK_HANDLER_CLASS": "software.amazon.msk.auth.iam.IAMClientCallbackHandler",
        }
    del file["services"]["connect"]["secrets"], file["secrets"]
    file["x-kafka"] |= {"provider": "msk-iam", "cluster": "arn:aws:kafka:eu-west-1:111122223333:cluster/orders/0a1b2c3d-1"}
    path.write_text(yaml.safe_dump(file, sort_keys=False))


def ports_of(broker):
    return [int(address.rsplit(":", 1)[1]) for address in broker.values()]


# --- the task


def task(arguments):
    folder = Path(os.environ["CE_FOLDER"])
    # Doors between the two networks: sockets in the file system know none.
    doors = {f"127.0.0.1:{port}": ("127.0.0.1", int(port)) for port in os.environ["CE_PORTS"].split(",")}
    own = {name: value for name, value in os.environ.items() if not name.startswith("CE_") and name not in ("PWD", "SHLVL", "_", "OLDPWD", "LC_CTYPE")}
    handed_out = own.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI", None)
    if handed_out:
        found = urllib.parse.urlsplit(handed_out)
        doors["{}:{}".format(*HANDED_OUT)] = (found.hostname, found.port)
        own["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = found.path
    root = folder / "root"
    shutil.rmtree(root, ignore_errors=True)
    unpack(image(), root)
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())
    # What ECS lays into every container.
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    (root / "etc/hosts").write_text("127.0.0.1 task\n")
    (root / "etc/hostname").write_text("task\n")
    place = folder / "doors"
    place.mkdir(exist_ok=True)
    for inside, outside in doors.items():
        serve(unix(place / inside), lambda outside=outside: socket.create_connection(outside))
    outside = os.listdir("/sys/class/net")
    os.unshare(0x40000000) if hasattr(os, "unshare") else unshare()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x1))  # SIOCSIFFLAGS, IFF_UP
        if handed_out:
            address = struct.pack("16sHH4s8x", b"lo:1", socket.AF_INET, 0, socket.inet_aton(HANDED_OUT[0]))
            fcntl.ioctl(any_socket, 0x8916, address)  # SIOCSIFADDR
    came = set()
    for inside in doors:
        host, port = inside.rsplit(":", 1)
        serve(inet(host, int(port)), lambda inside=inside, host=host: (came.add(host), knock(place / inside))[1])
    asked = folder / "asked"
    asked.write_text("")
    name_server(asked)
    names = [name for _, name in socket.if_nameindex()]
    assert names == ["lo"], (names, outside)
    child = subprocess.Popen(["/confluent-ecs", *arguments], env=own, preexec_fn=lambda: (os.chroot(root), os.chdir("/")))
    code = child.wait()
    seen = {"files": files, "network": names, "doors": ["credentials"] if HANDED_OUT[0] in came else []}
    (folder / "seen.json").write_text(json.dumps(seen))
    sys.exit(code)


def name_server(asked):
    """Answers every question for an address with 127.0.0.1, but knows nothing that is `.invalid` and fails on `broken.`; notes the names."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("127.0.0.1", 53))

    def answer():
        while True:
            query, whom = listener.recvfrom(512)
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += 1 + query[at]
            question = query[12 : at + 5]
            (kind,) = struct.unpack(">H", query[at + 1 : at + 3])
            code = 3 if labels[-1] == "invalid" else 2 if labels[0] == "broken" else 0
            record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + socket.inet_aton("127.0.0.1")
            records = [record] if kind == 1 and code == 0 else []
            with asked.open("a") as file:
                file.write(".".join(labels) + "\n")
            listener.sendto(query[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, len(records), 0, 0) + question + b"".join(records), whom)

    threading.Thread(target=answer, daemon=True).start()


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


def inet(host, port):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((host, port))
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
