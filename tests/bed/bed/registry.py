"""The part `registry`: Debian's docker-registry on loopback, one open and one that wants Basic authentication.

Facts: `open` (host:port), `auth` (host:port), `user`, `password`. Plain HTTP, as every client allows it on 127.0.0.1. The user is AWS and
the password the one of the emulator's GetAuthorizationToken, so that the second one can play ECR.
Actions:
    new {"auth": true}   a registry of the test's own, empty: {"registry": host:port, "user", "password"}
    front {"registry", …}   a front before it that misbehaves, see registry_front.py: {"registry": host:port, "id"}
    seen {"id"}          what came to a front: {"requests": [{"method", "path", "range", "status", "sent"}]}
"""

import shutil

import bcrypt

from .context import BedError, can_connect
from .registry_front import open_front

USER, PASSWORD = "AWS", "ministack-auth-token"
CONFIG = """version: 0.1
log:
  level: warn
storage:
  filesystem:
    rootdirectory: {folder}
  delete:
    enabled: true
http:
  addr: 127.0.0.1:{port}
"""
AUTH = """auth:
  htpasswd:
    realm: bed
    path: {folder}/htpasswd
"""


class Registry:
    def __init__(self, ctx):
        self.ctx, self._children, self._fronts = ctx, [], []
        self.actions = {"new": self._new, "front": self._front, "seen": self._seen}

    def start(self):
        binary = shutil.which("docker-registry")
        if not binary:
            raise BedError("docker-registry is not installed: apt-get install docker-registry")
        self._binary = binary
        return {"open": self._run(False), "auth": self._run(True), "user": USER, "password": PASSWORD}

    def stop(self):
        for server, _ in self._fronts:
            server.shutdown()
            server.server_close()
        for child in self._children:
            child.stop(2)

    def _new(self, wanted):
        return {"registry": self._run(bool(wanted.get("auth"))), "user": USER, "password": PASSWORD}

    def _front(self, wanted):
        self._fronts.append(open_front(wanted["registry"], wanted, self.ctx.free_port()))
        return {"registry": f"127.0.0.1:{self._fronts[-1][0].server_port}", "id": len(self._fronts) - 1}

    def _seen(self, wanted):
        return {"requests": list(self._fronts[wanted["id"]][1])}

    def _run(self, auth):
        port = self.ctx.free_port()
        folder = self.ctx.folder(f"registry-{port}")
        config = CONFIG.format(folder=folder / "data", port=port)
        if auth:
            hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
            (folder / "htpasswd").write_text(f"{USER}:{hashed}\n")
            config += AUTH.format(folder=folder)
        (folder / "config.yml").write_text(config)
        environment = {"OTEL_TRACES_EXPORTER": "none"}
        child = self.ctx.spawn(f"registry-{port}", [self._binary, "serve", folder / "config.yml"], environment)
        self._children.append(child)
        self.ctx.wait("the registry", lambda: can_connect(port), 120, child)
        return f"127.0.0.1:{port}"
