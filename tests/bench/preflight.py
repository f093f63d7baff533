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
from pathlib import Path

from bed import Bed, project
from measure import alternate

LIMITS = {"passing": 1.5, "black hole": 6.0}


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
    with Bed("kafka") as bed, tempfile.TemporaryDirectory() as folder:
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
