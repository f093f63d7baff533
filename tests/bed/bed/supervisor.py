"""The bed's one long-lived process: a private folder, the control API, and the end of everything.

In: names of parts. Out: one line of JSON on stdout when the control API answers and the named parts run:
    {"control": "http://127.0.0.1:PORT", "token": …, "dir": …, "pid": …}
Control API: `POST /<part>/<action>` with a JSON object and `Authorization: Bearer <token>` → a JSON object; an error is
{"error": text} with status 500 (401 without the token, 404 for an unknown part or action). Every part has
    start   starts it, once; callers that come meanwhile wait for the same start; returns its facts. A start that failed stays failed
    stop    ends its processes through the part's own `stop`
unless the part defines an action of that name itself. `POST /bed/status` lists parts and processes.
The bed ends, with every process and its folder, when stdin ends, on SIGTERM and on SIGINT. If it is killed, its programs die with
it (child.py) and the next bed removes the folder.
"""

import fcntl
import importlib
import json
import os
import secrets
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from .context import BedError, Context
from .parts import PARTS

PREFIX = f"ceb-{os.getuid()}-"
LOCK = "lock"


class NotFound(Exception):
    pass


class Bed:
    """The parts of this bed and their states."""

    def __init__(self, ctx):
        self.ctx = ctx
        self._lock = threading.Lock()
        self._parts = {}  # name -> (part, future of its facts)
        ctx.part = self.part

    def part(self, name):
        """A started part, for another part that builds on it."""
        self.start(name)
        return self._parts[name][0]

    def start(self, name):
        with self._lock:
            entry = self._parts.get(name)
            if entry is None:
                future = Future()
                entry = self._parts[name] = (self._make(name), future)
                mine = True
            else:
                mine = False
        part, future = entry
        if mine:
            try:
                part.facts = part.start()
                future.set_result(part.facts)
            except BaseException as error:
                future.set_exception(error)
        return future.result()

    def _make(self, name):
        try:
            module, cls, options = PARTS[name]
        except KeyError:
            raise NotFound(f"no part named {name}; there are {', '.join(sorted(PARTS))}") from None
        return getattr(importlib.import_module(module), cls)(self.ctx, **options)

    def stop(self, name):
        with self._lock:
            part, _ = self._parts.pop(name, (None, None))
        if part is not None and hasattr(part, "stop"):
            part.stop()

    def call(self, name, action, arguments):
        if (name, action) == ("bed", "status"):
            children = [{"name": c.name, "pid": c.pid, "log": str(c.log)} for c in self.ctx.children()]
            return {"parts": sorted(self._parts), "processes": children}
        if name not in PARTS:
            raise NotFound(f"no part named {name}; there are {', '.join(sorted(PARTS))}")
        if action == "stop" and name not in self._parts:
            return {}
        facts = self.start(name)
        actions = getattr(self._parts[name][0], "actions", {})
        if action in actions:
            return actions[action](arguments) or {}
        if action == "start":
            return facts
        if action == "stop":
            self.stop(name)
            return {}
        raise NotFound(f"{name} has no action {action}; it has {', '.join(sorted(actions))}")

    def close(self):
        for name in list(self._parts):
            try:
                self.stop(name)
            except Exception:
                traceback.print_exc()


def _handler(bed, token):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not secrets.compare_digest(self.headers.get("Authorization", ""), f"Bearer {token}"):
                return self._answer(401, {"error": "the bearer token is missing or wrong"})
            name, _, action = self.path.strip("/").partition("/")
            try:
                answer = bed.call(name, action, json.loads(body or b"{}"))
            except NotFound as error:
                return self._answer(404, {"error": str(error)})
            except BedError as error:
                return self._answer(500, {"error": str(error)})
            except Exception as error:
                where = traceback.extract_tb(error.__traceback__)[-1]
                text = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
                return self._answer(500, {"error": text})
            return self._answer(200, answer)

        def _answer(self, status, answer):
            body = json.dumps(answer).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True  # the caller has gone: nobody to tell

        def log_message(self, *_):
            pass

    return Handler


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64


def _private_folder():
    """Makes this bed's folder; removes those that killed beds left. A living bed holds a lock on a file in its folder."""
    base = Path(tempfile.gettempdir())
    for entry in base.glob(PREFIX + "*"):
        try:
            info = entry.lstat()
            if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid():
                continue
            if (entry / LOCK).exists():
                with (entry / LOCK).open() as held:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(entry, ignore_errors=True)
            elif time.time() - info.st_mtime > 60:  # killed between making the folder and locking it
                shutil.rmtree(entry, ignore_errors=True)
        except OSError:
            continue  # alive, or being removed by another bed
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=base))
    # Locked first and named after, so that no other bed sees the file without its lock.
    lock = (folder / f"{LOCK}.new").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    (folder / f"{LOCK}.new").rename(folder / LOCK)
    return folder, lock


def _start_all(bed, names, ended):
    """Starts parts at the same time; returns the texts of those that failed, or nothing when the bed was told to end."""
    failed = []

    def start(name):
        try:
            bed.start(name)
        except Exception as error:
            failed.append(f"{name}: {error}")

    starters = [threading.Thread(target=start, args=(name,), daemon=True) for name in names]
    for starter in starters:
        starter.start()
    while not ended.is_set() and any(starter.is_alive() for starter in starters):
        ended.wait(0.05)
    return [] if ended.is_set() else failed


def run(names, foreground):
    """Runs a bed until it is told to end. Returns the exit status."""
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    if not (foreground or sys.stdin.isatty()):

        def watch():
            while os.read(0, 4096):
                pass
            ended.set()

        threading.Thread(target=watch, daemon=True).start()

    folder, lock = _private_folder()
    status, ctx, bed = 0, None, None
    try:
        ctx = Context(folder)
        bed = Bed(ctx)
        token = secrets.token_urlsafe(24)
        server = Server(("127.0.0.1", 0), _handler(bed, token))
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        failed = _start_all(bed, names, ended)
        if failed:
            print("\n".join(failed), file=sys.stderr)
            status = 1
        elif not ended.is_set():
            ready = {"control": f"http://127.0.0.1:{server.server_port}", "token": token, "dir": str(folder), "pid": os.getpid()}
            print(json.dumps(ready), flush=True)
            ended.wait()
        server.shutdown()
    finally:
        if bed:
            bed.close()
        if ctx:
            ctx.close()
        shutil.rmtree(folder, ignore_errors=True)
        lock.close()
    return status
