"""How long it takes from the start of `up` to the first event of the stack on the screen, on the test bed's AWS and real brokers: with
and without preflight, each time into an account where nothing is deployed.

    python3 first_event.py OUR-BINARY

The bed's AWS answers in moments; what is measured is our own time, and how many of its answers we wait for one after the other.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bed import Bed, project

LIMIT = 2.0
RUNS = 5
VPC = {
    "VpcId": {"Tags": [{"Name": "main"}]},
    "AppSubnets": {"Tags": [{"vpc::usage": "app"}]},
    "StorageSubnets": {"Tags": [{"vpc::usage": "storage"}]},
    "PublicSubnets": {"Tags": [{"vpc::usage": "public"}]},
}


def first_event(binary, arguments, folder, env):
    """Seconds to the first line of a resource, and to the end of the program, which must be a good one."""
    command = [binary, "up", "--yes", "--output", "jsonl", *arguments]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    seconds = None
    with process:
        for line in process.stdout:
            if seconds is None and json.loads(line).get("event") == "resource":
                seconds = time.monotonic() - began
        said = process.stderr.read()
    if process.returncode != 0 or seconds is None:
        sys.exit(f"{command} ended with {process.returncode}:\n{said[-3000:]}")
    return seconds


def main():
    binary = Path(sys.argv[1]).absolute()
    taken = {"--skip-preflight": [], "with preflight": []}
    with Bed("aws,kafka,registry") as bed, tempfile.TemporaryDirectory() as folder:
        path = project(bed, folder, bed.ask("kafka/start"), "first")
        file = path / "docker-compose.yml"
        document = json.loads(file.read_text())
        document |= {"x-vpc": {"Lookup": VPC}, "x-cluster": {"Lookup": "shop"}}
        # A registry that answers at once, with a 401: which one a project has, and how far away, is not what is measured.
        document["services"]["connect"]["image"] = f"{bed.ask('registry/start')['auth']}/confluentinc/cp-kafka-connect:8.0.7"
        file.write_text(json.dumps(document))
        secret = (path / "secret.json").read_text()
        for number in range(RUNS + 1):
            for how, seconds in taken.items():
                made = bed.ask("aws/new_account")
                bed.ask("aws/seed", account=made["account"], name="main", cluster="shop", secrets={"/first": secret})
                env = {"PATH": os.environ["PATH"], "HOME": folder} | made["env"]
                took = first_event(binary, [how] if how.startswith("--") else [], path, env)
                # The first ones warm the bed up.
                if number:
                    seconds.append(took)
    print(f"| first event of the stack after `up --yes` | median of {RUNS} | promised |")
    print("|---|---:|---:|")
    for how, seconds in taken.items():
        name = f"`{how}`" if how.startswith("--") else how
        print(f"| {name} | {statistics.median(seconds):.2f} s | under {LIMIT:.0f} s |")
    late = {how: seconds for how, seconds in taken.items() if statistics.median(seconds) > LIMIT}
    if late:
        sys.exit("\n".join(f"{how}: {', '.join(f'{s:.2f}' for s in seconds)} s" for how, seconds in late.items()))


main()
