"""Part `connect`: real Connect workers, each started from the environment that a container would get.

The environment becomes a properties file by the image's own rule, values raw. What the image's start script or ECS would fill in at run
time is filled in here: the advertised host and port, and the listener, on 127.0.0.1; the bed's CA stands for the public ones. KAFKA_OPTS
count, and no other variable of the JVM's.
No facts. Actions: start, stop, log.
"""

import itertools
import re
import urllib.error
import urllib.request
from pathlib import Path

from . import training
from .context import BedError

PREFIX = "CONNECT_"
GIVEN_UP = "Uncaught exception in herder work thread"
SINGLE = re.compile("[^_]_[^_]")


def property_name(name):
    """The property that an image of Confluent Platform 8.1 or newer makes of a variable, its prefix taken off.

    The pattern doesn't overlap, so that of two single underscores around one letter only the first becomes a dot: as in the image."""
    dotted = SINGLE.sub(lambda match: match.group().replace("_", "."), name)
    return dotted.replace("___", "-").replace("__", "_").lower()


def properties(env):
    """The worker's properties from a container's environment; other variables than the worker's are left out, as in the image."""
    return {property_name(name[len(PREFIX) :]): str(value) for name, value in env.items() if name.startswith(PREFIX)}


class Connect:
    def __init__(self, ctx, name="connect", java=None, cluster=None):
        self.ctx, self.name, self.java, self.cluster = ctx, name, java, cluster
        self.folder = ctx.folder(name)
        self.workers = {}
        self._numbers = itertools.count(1)
        self.actions = {"start": self.start_worker, "stop": self.stop_worker, "log": self.log}

    def start(self):
        self.java = self.java or training.trained(self.ctx)
        self.cluster = self.cluster or self.ctx.part("kafka")
        return {}

    def stop(self):
        for worker in self.workers.values():
            worker.kill()

    def start_worker(self, asked):
        """{env, advertised?, seconds?} → {id, rest, properties, log}. `advertised` is the host that it tells the others. Returns when the worker says it is healthy; fails, with the end of its log, when
        it ends or isn't within `seconds` (300). `properties` and `log` are paths."""
        env = asked["env"]
        port = self.ctx.free_port()
        settings = properties(env) | {
            "listeners": f"http://127.0.0.1:{port}",
            "rest.advertised.host.name": asked.get("advertised", "127.0.0.1"),
            "rest.advertised.port": str(port),
        }
        # Looking at every class for plugins takes seconds; the bed's connectors all declare themselves.
        settings.setdefault("plugin.discovery", "service_load")
        name = f"{self.name}-{next(self._numbers)}"
        path = self.folder / f"{name}.properties"
        path.touch(mode=0o600)
        # As the image writes it: nothing is escaped, so what breaks there breaks here.
        path.write_text("".join(f"{key}={settings[key]}\n" for key in sorted(settings)))
        tls = self.cluster.facts["tls"]
        trust = {"javax.net.ssl.trustStore": tls["truststore"], "javax.net.ssl.trustStorePassword": tls["truststore_password"]}
        command = self.java.command(
            "org.apache.kafka.connect.cli.ConnectDistributed", path, kind="connect", heap="256m", properties=trust
        )
        # As the image's start script, which hands these options on to the JVM.
        command[1:1] = str(env.get("KAFKA_OPTS", "")).split()
        worker = self.workers[name] = self.ctx.spawn(name, command, env=self.java.environment)
        try:
            self.ctx.wait(name, lambda: _healthy(port, worker), float(asked.get("seconds", 300)), every=0.2, child=worker)
        except BedError as error:
            worker.kill()
            raise BedError(f"{error}\nIts errors:\n{_errors(worker.log)}") from None
        return {"id": name, "rest": f"http://127.0.0.1:{port}", "properties": str(path), "log": str(worker.log)}

    def stop_worker(self, asked):
        """{id} → {status}: ends a worker in good order, so that it leaves its group."""
        return {"status": self._worker(asked).stop(120)}

    def log(self, asked):
        """{id, lines?} → {log, alive}: the last lines of a worker's log."""
        worker = self._worker(asked)
        return {"log": worker.tail(int(asked.get("lines", 100))), "alive": worker.alive}

    def _worker(self, asked):
        if asked["id"] not in self.workers:
            raise BedError(f"no worker {asked['id']}; there are {', '.join(self.workers)}")
        return self.workers[asked["id"]]


def _healthy(port, worker):
    # A worker that has given up may linger for minutes in its own shutdown.
    if GIVEN_UP in worker.log.read_text(errors="replace"):
        raise BedError(f"{worker.name} gave up")
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def _errors(log: Path, most=30):
    """The lines that say why, which the end of a log rarely holds: each error with what follows it, and each cause."""
    found, error = [], False
    for line in log.read_text(errors="replace").splitlines():
        if " ERROR " in line or line.startswith("Caused by") or (error and not line.startswith(("[", "\tat "))):
            found.append(line)
        error = " ERROR " in line
    return "\n".join(found[:most])
