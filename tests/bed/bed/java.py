"""The Java side of the bed: builds `kafka/` with Maven into the cache, once for each state of its files, and runs classes of it.

The build's folder is named by the hash of pom.xml and sources and holds
    lib/                   the bed's jar and every dependency
    bootstrap.checkpoint   what `kafka-storage format` writes first into a cluster's log, the same for every node
    <jvm>/<kind>.jsa       classes as a JVM holds them in memory, for the JVMs after it (training.py): half the time of a start
A file lock lets the second of two beds wait for the first one's build. Nothing is written into the checkout.
"""

import contextlib
import fcntl
import functools
import hashlib
import shutil
import time
from pathlib import Path

from .context import BedError

SOURCES = Path(__file__).parents[1] / "kafka"
BUILD_SECONDS, TRIES = 600, 3
UNUSED_DAYS = 14

# A test's JVM lives for a minute: the first compiler is enough, and one collector thread leaves the cores to the tests.
# What it has to say of itself goes to stderr: stdout belongs to the program.
FLAGS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData", "-Xlog:disable", "-Xlog:all=error:stderr"]


class Java:
    """A finished build. With `recording`, each JVM writes down at its end which classes it used."""

    def __init__(self, folder, recording=False):
        self.folder, self.recording = folder, recording
        # Sorted: an archive of shared classes is refused when the class path has another order.
        self.classpath = ":".join(str(jar) for jar in sorted((folder / "lib").glob("*.jar")))
        self.checkpoint = folder / "bootstrap.checkpoint"
        # An archive is for one JVM.
        program = Path(shutil.which("java")).resolve()
        name = hashlib.sha256(f"{program} {program.stat().st_mtime_ns}".encode()).hexdigest()[:8]
        self.archives = folder / name

    def command(self, main, *arguments, kind, heap="128m", properties=None):
        """A command line. Programs of one `kind` (broker, tool, connect) share an archive of classes."""
        archive = self.archives / f"{kind}.jsa"
        if self.recording:
            shared = [f"-XX:ArchiveClassesAtExit={archive}"]
        else:
            shared = [f"-XX:SharedArchiveFile={archive}"] if archive.exists() else []
        defined = [f"-D{key}={value}" for key, value in (properties or {}).items()]
        return ["java", f"-Xmx{heap}", *FLAGS, *shared, *defined, main, *arguments]

    @property
    def environment(self):
        # What a person's shell sets for their own JVMs must not reach ours.
        return {"CLASSPATH": self.classpath, "JAVA_TOOL_OPTIONS": None, "KAFKA_OPTS": None, "JDK_JAVA_OPTIONS": None}


@functools.lru_cache
def build(ctx):
    """The build for the sources as they are, made when the cache has none."""
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            raise BedError(f"{program} is not on PATH: the Kafka bed needs a JDK (17 or newer) and Maven")
    files = [SOURCES / "pom.xml", *sorted(path for path in (SOURCES / "src").rglob("*") if path.is_file())]
    digest = hashlib.sha256()
    for path in files:
        digest.update(str(path.relative_to(SOURCES)).encode() + b"\0" + path.read_bytes() + b"\0")
    folder = ctx.cache / "kafka" / digest.hexdigest()[:16]
    with locked(ctx):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            _compile(ctx, folder)
        (folder / "done").touch()
        _prune(folder.parent)
    return Java(folder)


@contextlib.contextmanager
def locked(ctx):
    """Holds the lock of the cache's Java part: of two beds that need the same work, one does it."""
    root = ctx.cache / "kafka"
    root.mkdir(exist_ok=True)
    with (root / "lock").open("w") as lock:

        def taken():
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                return False

        ctx.wait(f"{root / 'lock'}, which another bed holds", taken, 2 * BUILD_SECONDS)
        yield


def _prune(root):
    """Removes builds that no bed has asked for in a long time: each is 200 MB."""
    oldest = time.time() - UNUSED_DAYS * 86400
    for done in root.glob("*/done"):
        if done.stat().st_mtime < oldest:
            shutil.rmtree(done.parent, ignore_errors=True)


def _compile(ctx, folder):
    """Copies the sources, so that Maven's `target` is outside the checkout, then builds, collects and formats."""
    work = folder / "work"
    shutil.copytree(SOURCES, work)
    maven = ["mvn", "-q", "-B", "-ntp", "-Dstyle.color=never"]
    target = ["package", "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}", "-DincludeScope=runtime"]
    # What an earlier build downloaded is enough for this one, and then no network is asked.
    failure = _run(ctx, "maven-offline", [*maven, "-o", *target], work)
    for _ in range(TRIES if failure else 0):
        # Asks again for what it remembers as missing.
        failure = _run(ctx, "maven", [*maven, "-U", *target], work)
        if not failure:
            break
    if failure:
        raise BedError(f"Maven could not build the Kafka bed:\n{failure}")
    shutil.copy(work / "target" / "bed.jar", folder / "lib" / "bed.jar")
    _format(ctx, Java(folder), work)
    shutil.rmtree(work)


def _run(ctx, name, command, cwd, env=None):
    """Runs a program to its end, and with the bed at the latest. Nothing when it went well, else the end of what it said."""
    child = ctx.spawn(name, command, env=env, cwd=cwd)
    try:
        ctx.wait(name, lambda: not child.alive, BUILD_SECONDS)
    finally:
        child.kill()
    return child.tail() or f"{name} failed" if child.process.returncode else ""


def _format(ctx, java, work):
    """Lets Kafka's own tool format one node, and keeps the records that a cluster begins with. A bed then writes the few bytes of
    each node's meta.properties itself, and saves the start of three JVMs."""
    logs = work / "format"
    config = work / "format.properties"
    config.write_text(
        "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2\n"
        "controller.listener.names=CONTROLLER\ncontroller.quorum.voters=1@127.0.0.1:2\n"
        f"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT\nlog.dirs={logs}\n"
    )
    arguments = ["format", "--config", config, "--cluster-id", "AAAAAAAAAAAAAAAAAAAAAQ"]
    command = java.command("kafka.tools.StorageTool", *arguments, kind="tool")
    failure = _run(ctx, "kafka-storage", command, work, java.environment)
    if failure:
        raise BedError(f"kafka-storage format failed:\n{failure}")
    shutil.copy(logs / "bootstrap.checkpoint", java.checkpoint)
