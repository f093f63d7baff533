"""What a part of the bed gets, and what it must be.

A part is a class with
  `__init__(self, ctx, **options)`  cheap: nothing is started yet;
  `start(self) -> dict`             starts everything, waits until it works, returns facts that go into JSON. Called once;
  `stop(self)`                      ends what the part started; needs no grace, the bed's end kills every program anyway;
  `actions`                         dict: name → function(dict) -> dict. An action starts its part first. Actions run in
                                    threads, several at a time: a part that can't bear that takes a lock.
Rules: listen on 127.0.0.1 and on ports of `ctx.free_port()` only; write below `ctx.dir` only (downloads: `ctx.cache`); start
programs with `ctx.spawn` only; every wait goes through `ctx.wait`. An error that a person can mend is a `BedError`.
`ctx.part(name)` is another part, started, with what its start returned in `.facts`; it must not lead in a circle.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent


class BedError(Exception):
    """A fault of the bed or of its use, as one text for the caller."""


class Child:
    """One program of the bed. Its output is in the file `log`."""

    def __init__(self, name, process, log):
        self.name, self.process, self.log = name, process, log
        self.pid, self.stdin, self.stdout = process.pid, process.stdin, process.stdout

    @property
    def alive(self):
        return self.process.poll() is None

    def tail(self, lines=30):
        """The last lines of the log, for an error's text."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, grace=10.0):
        """TERM, `grace` seconds, then KILL. Returns the exit status."""
        self._signal(signal.SIGTERM)
        try:
            return self.process.wait(grace)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self):
        self._signal(signal.SIGKILL)
        return self.process.wait(60)

    def _signal(self, number):
        # The child leads a process group of its own, so its children get the signal as well.
        if self.alive:
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:
                pass


class Ports:
    """Free ports from a block that no other bed uses: the bed holds the block's first port for as long as it lives.
    The blocks lie below the ports that the kernel gives to outgoing connections."""

    SIZE = 1024

    def __init__(self):
        bases = list(range(10240, _first_ephemeral_port() - self.SIZE, self.SIZE))
        random.shuffle(bases)
        for base in bases:
            holder = socket.socket()
            try:
                holder.bind(("127.0.0.1", base))
                holder.listen(1)
            except OSError:
                holder.close()
                continue
            self._holder, self._base, self._next = holder, base, 0
            self._lock = threading.Lock()
            return
        raise BedError("no block of free ports on 127.0.0.1: are many test beds running?")

    def next(self):
        with self._lock:
            for _ in range(self.SIZE - 1):
                port = self._base + 1 + self._next % (self.SIZE - 1)
                self._next += 1
                with socket.socket() as probe:
                    try:
                        probe.bind(("127.0.0.1", port))
                        return port
                    except OSError:
                        continue
        raise BedError(f"all {self.SIZE} ports of this bed are in use")


def _first_ephemeral_port():
    try:
        first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        first = 32768
    return first if first > 16384 else 32768


class Context:
    """One bed's private folder, ports and programs, shared by its parts."""

    def __init__(self, directory):
        self.dir = Path(directory)
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.cache = Path(os.environ.get("CONFLUENT_ECS_CACHE") or Path(home) / "confluent-ecs")
        self.cache.mkdir(parents=True, exist_ok=True)
        self.logs = self.dir / "log"
        self.logs.mkdir()
        self.free_port = Ports().next
        self._children, self._lock, self._closed = [], threading.Lock(), False
        # A child dies with the thread that started it (see child.py), so all are started by one that lives as long as the bed.
        self._spawner = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")

    def folder(self, name):
        """A folder of the part's own, made at the first call."""
        path = self.dir / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def spawn(self, name, argv, env=None, cwd=None, pipes=False):
        """Starts a program; its output goes to `log/<name>.log`. `env` is added to the environment (None takes a variable away).
        With `pipes`, stdin and stdout belong to the caller and only stderr goes to the log. No secret in `argv`: all can read it."""
        merged = {**os.environ, **(env or {})}
        merged = {key: str(value) for key, value in merged.items() if value is not None}
        log = self.logs / f"{name}.log"
        command = [sys.executable, "-I", "-S", str(HERE / "child.py"), str(os.getpid()), *map(str, argv)]

        def start():
            with self._lock:
                if self._closed:
                    raise BedError(f"{name} was not started: the bed is ending")
                with log.open("ab") as output:
                    process = subprocess.Popen(
                        command,
                        stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                        stdout=subprocess.PIPE if pipes else output,
                        stderr=output,
                        env=merged,
                        cwd=cwd or self.dir,
                        start_new_session=True,
                    )
                child = Child(name, process, log)
                self._children = [c for c in self._children if c.alive] + [child]
                return child

        return self._spawner.submit(start).result()

    def wait(self, what, probe, seconds, child=None, every=0.05):
        """Calls `probe` until it returns something true, and returns that. Fails after `seconds`, and at once when `child` has
        ended, with the tail of its log. The probe itself must not block for long."""
        until = time.monotonic() + seconds
        while True:
            result = probe()
            if result:
                return result
            if child is not None and not child.alive:
                raise BedError(f"{what}: {child.name} ended with status {child.process.poll()}; its log ends with\n{child.tail()}")
            if time.monotonic() > until:
                tail = f"; the log of {child.name} ends with\n{child.tail()}" if child is not None else ""
                raise BedError(f"{what}: not within {seconds:g} s{tail}")
            time.sleep(every)

    def children(self):
        return [child for child in self._children if child.alive]

    def close(self):
        """Ends every program, without grace: what they wrote is thrown away with the folder."""
        with self._lock:
            self._closed = True
        children = self.children()
        for child in children:
            child._signal(signal.SIGKILL)
        for child in children:
            child.process.wait(60)
        self._spawner.shutdown()


def can_connect(port, host="127.0.0.1"):
    """A probe for `wait`: does something listen there?"""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False
