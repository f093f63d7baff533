"""`render` of a project of two services: ours beside `ecs-compose-x render` of ECS Compose-X, in turn, one run; then the largest stack that
CloudFormation takes, and a hundred runs that must give the same bytes.

    python3 render.py OUR-BINARY ECS-COMPOSE-X

Theirs looks up VPC, subnets, cluster and secrets while it renders, so it gets the AWS emulator of the test bed, with an account that has
them all. Ours asks nobody. The project is the one of tests/projects; it has the size and the keys of a real one.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from measure import alternate

TESTS = Path(__file__).resolve().parent.parent
PROJECT = TESTS / "projects" / "two-components"
CLUSTER = "lkc-bench1"
FASTER, MEBIBYTES, LARGEST_MS, RUNS = 100, 30, 100, 100
# Six resources a service, and nothing besides: 498 of the 500 that a stack may have.
SERVICES = 83
# Where ours takes the project as it is, and theirs wants something else: they look a cluster up through Cloud Control, which the emulator
# has not; named so, they take it as it is. A target needs a condition, a VPC subnets for storage.
THEIRS = [
    (r"x-cluster:\n  Lookup: main", "x-cluster:\n  Use: main"),
    (r"          - name: console:console\n", "          - name: console:console\n            access: /\n"),
    (r"    PublicSubnets:\n", "    StorageSubnets: { Tags: [{ 'vpc::usage': application }] }\n    PublicSubnets:\n"),
]
STANDING = """
x-vpc:
  Lookup:
    VpcId: { Tags: [{ Name: main }] }
    AppSubnets: { Tags: [{ "vpc::usage": app }] }
x-cluster: { Lookup: main }
"""


class Bed:
    """The emulator of the test bed, for as long as the block runs."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [TESTS / "bed" / "run", "--foreground", "--parts", "aws"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ready = json.loads(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(300)

    def ask(self, action, **arguments):
        headers = {"Authorization": f"Bearer {self.ready['token']}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.ready['control']}/aws/{action}", json.dumps(arguments).encode(), headers)
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)


def beside(ours, theirs, bed, folder):
    account = bed.ask("new_account")
    secrets = {f"/kafka/{CLUSTER}/orders.{name}": "{}" for name in ("connect", "console")}
    bed.ask("seed", account=account["account"], name="live", tiers=["public", "application"], cluster="main", secrets=secrets)
    env = {
        "PATH": os.environ["PATH"], "HOME": folder, "ENV_NAME": "prod", "CLUSTER_ID": CLUSTER, "PYTHONWARNINGS": "ignore",
        "AWS_ACCOUNT_ID": account["account"], **account["env"],
    }  # fmt: skip
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    text = Path(folder, "envs", "prod.yml").read_text()
    for pattern, wanted in THEIRS:
        text, found = re.subn(pattern, wanted, text)
        assert found == 1, pattern
    Path(folder, "envs", "theirs.yml").write_text(text)
    return alternate(
        7,
        ([ours, "-f", "docker-compose.yml", "-f", "envs/prod.yml", "render", "-n", "orders-prod", "-d", "ours"], folder, env),
        ([theirs, "render", "-f", "docker-compose.yml", "-f", "envs/theirs.yml", "-n", "orders-prod", "-d", "theirs"], folder, env),
    )


def largest(ours, folder, env):
    services = "".join(f'  s{number}: {{ image: "acme/s:1", ports: ["80"] }}\n' for number in range(SERVICES))
    Path(folder, "compose.yml").write_text(f"name: largest\nservices:\n{services}{STANDING}")
    template = subprocess.run([ours, "render", "--format", "json"], cwd=folder, env=env, capture_output=True, check=True).stdout
    resources = len(json.loads(template)["Resources"])
    (run,) = alternate(20, ([ours, "render"], folder, env))
    return run, resources


def same_bytes(ours, folder, env):
    """How many texts a hundred runs gave, half of them in another time zone and language."""
    elsewhere = {**env, "TZ": "Pacific/Auckland", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8"}
    here = {**env, "TZ": "UTC", "LC_ALL": "C"}
    seen = set()
    for number in range(RUNS):
        run = subprocess.run([ours, "render"], cwd=folder, env=(here, elsewhere)[number % 2], capture_output=True, check=True)
        seen.add(hashlib.sha256(run.stdout).hexdigest())
    return len(seen)


def main():
    ours, theirs = (Path(argument).absolute() for argument in sys.argv[1:3])
    env = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    failed = []
    with Bed() as bed, tempfile.TemporaryDirectory() as folder:
        a, b = beside(ours, theirs, bed, folder)
    ratio = b.seconds / a.seconds
    print("| `render` of two services | time, median of 7 | peak |")
    print("|---|---:|---:|")
    print(f"| confluent-ecs | {a.seconds * 1000:.1f} ms | {a.mebibytes:.0f} MiB |")
    print(f"| ECS Compose-X 1.1.9 | {b.seconds * 1000:,.0f} ms | {b.mebibytes:.0f} MiB |")
    print(f"| ratio | {ratio:,.0f} | {b.mebibytes / a.mebibytes:.0f} |")
    if ratio < FASTER:
        failed.append(f"render is only {ratio:.0f} times faster")
    if a.mebibytes > MEBIBYTES:
        failed.append(f"render took {a.mebibytes:.0f} MiB")
    with tempfile.TemporaryDirectory() as folder:
        run, resources = largest(ours, folder, env)
        texts = same_bytes(ours, folder, env)
    print(f"\nlargest stack: {resources} resources, {run.seconds * 1000:.1f} ms (median of 20), {run.mebibytes:.0f} MiB")
    print(f"{RUNS} runs in two time zones and languages: {texts} text")
    if run.seconds * 1000 > LARGEST_MS:
        failed.append(f"the largest stack took {run.seconds * 1000:.0f} ms")
    if not 490 <= resources <= 500:
        failed.append(f"the largest stack has {resources} resources")
    if texts != 1:
        failed.append(f"{RUNS} runs gave {texts} texts")
    if failed:
        sys.exit("\n".join(failed))


main()
