"""Starts a bed for the bed's own tests and calls it, as the Rust tests do."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

BED = Path(__file__).resolve().parents[1]


def gone(pid):
    """Has the process ended? A zombie whose parent was killed has."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


# How long what must happen may take: a machine may be busy elsewhere. Nothing waits that long for what has happened.
PATIENCE = 120


def within(seconds, probe):
    until = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


class CallError(Exception):
    def __init__(self, status, text):
        super().__init__(text)
        self.status, self.text = status, text


# The supervisor's own tests bring parts of their own: {name: [module, class, options]}.
WITH_MORE_PARTS = """
import json, sys
from bed import parts, supervisor
parts.PARTS.update(json.loads(sys.argv[1]))
sys.exit(supervisor.run(sys.argv[2:], False))
"""


class Bed:
    """A running bed. `with Bed("kafka") as bed: bed.call("kafka/…", …)`."""

    def __init__(self, *parts, more=None, env=None):
        command = [sys.executable, "-B", "-m", "bed", "run", "--parts", ",".join(parts)]
        if more:
            command = [sys.executable, "-B", "-c", WITH_MORE_PARTS, json.dumps(more), *parts]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(BED), **(env or {})},
        )
        line = self.process.stdout.readline()
        if not line:
            status = self.process.wait(PATIENCE)
            self._reap()
            raise RuntimeError(f"the bed ended with status {status}")
        self.ready = json.loads(line)
        self.dir = Path(self.ready["dir"])

    def call(self, what, token=None, **arguments):
        request = urllib.request.Request(
            f"{self.ready['control']}/{what}",
            json.dumps(arguments).encode(),
            {"Authorization": f"Bearer {token or self.ready['token']}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=600) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise CallError(error.code, json.load(error)["error"]) from None

    def pids(self):
        """Every process of the bed but the supervisor."""
        return [process["pid"] for process in self.call("bed/status")["processes"]]

    def close(self):
        """As a test run does: stdin ends. Returns the exit status."""
        self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE)
        finally:
            self._reap()

    def _reap(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.close()
        self._reap()
