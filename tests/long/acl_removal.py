"""Each right of Kafka Connect, taken away alone: what then fails or degrades in a real worker.

A project of `init`, with exactly-once on, a source, a sink and a dead letter queue, and an account for each client, so that no client
lives on another's rights. `acl list` says what they need. For each need, everything but that is granted on names of its own, and a
worker is started. It shows in one of these ways, the first that is seen:

    start    the worker doesn't become healthy
    request  the REST interface refuses the connector, or doesn't answer
    source, sink   the connector or its task doesn't run
    records  what the source reads doesn't arrive at the sink
    letters  what can't be converted isn't in the dead letter queue
    again    a task that starts again reads from the beginning: its offsets were never kept
    checked  a topic that isn't compacted is taken without a word, where with the right the worker says so and ends
    nothing  all works: the profile must not call this right proven

An operation that another one of the same need brings with it (a READ is a DESCRIBE too) can't be missed, and is left out. The worker's
own offsets are used without exactly-once only, so its rights on them are taken away there.

`--only TEXT` runs the needs whose line holds the text. Ends with 1 where the profile claims what isn't seen.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ["CONFLUENT_ECS"]
CLIENTS = ("worker", "producer", "consumer", "admin")
# On a machine of one's own. What must be seen is waited for as many times longer as the run with every right has shown it to need.
SECONDS, START, USUAL = 25, 40, 12
# Kafka's StandardAuthorizer: who may do one of these may describe.
DESCRIBING = {"read", "write", "delete", "alter"}


class Bed:
    def __init__(self):
        self.process = subprocess.Popen([ROOT / "tests/bed/run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ready = json.loads(self.process.stdout.readline())

    def call(self, what, **arguments):
        headers = {"Authorization": f"Bearer {self.ready['token']}"}
        request = urllib.request.Request(f"{self.ready['control']}/{what}", json.dumps(arguments).encode(), headers)
        try:
            with urllib.request.urlopen(request, timeout=900) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["error"]) from None

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(300)
        except subprocess.TimeoutExpired:
            self.process.kill()


def run(folder, *arguments, given=""):
    ran = subprocess.run([PROGRAM, *arguments], cwd=folder, input=given, capture_output=True, text=True, timeout=600)
    if ran.returncode:
        sys.exit(f"{' '.join(arguments)}: {ran.stderr}")
    return ran.stdout


class Project:
    """A project with names of its own, and its needs by client."""

    def __init__(self, bed, folder, name, exactly_once=True):
        self.exactly_once = exactly_once
        self.bed, self.folder, self.name = bed, folder, name
        facts = bed.call("kafka/start")
        run(folder, "init", "connect", "--env", "dev", "--kafka", "self-managed", "-p", name, "--mechanism", "plain",
            "--bootstrap", facts["bootstrap"]["SASL_SSL"])  # fmt: skip
        self.topic, self.dead = f"{name}-lines", f"{name}-dead"
        self._insert("docker-compose.yml", "\n  connect:\n", (
            "    x-confluent:\n      connectors:\n"
            f"        {name}-in: {{ type: source, topics: [{self.topic}] }}\n"
            f"        {name}-out: {{ type: sink, topics: [{self.topic}], dead-letters: {self.dead} }}\n"))  # fmt: skip
        if exactly_once:
            self._insert("envs/dev.yml", "\n    environment:\n", "      CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: enabled\n")
        answers, arguments = {}, []
        for client in CLIENTS:
            user = bed.call("kafka/user", name=f"{name}-{client}")
            answers |= {f"{client}.username": user["name"], f"{client}.password": user["password"]}
            arguments += ["--principal", f"{client}={user['principal']}"]
        listed = json.loads(run(folder, "acl", "list", "--env", "dev", "--output", "json", *arguments))
        self.needs = [(entry["principal"], need) for entry in listed["principals"] for need in entry["needs"]]
        composed = json.loads(run(folder, "secrets", "compose", "connect", "--env", "dev", "--from", "-", given=json.dumps(answers)))
        merged = json.loads(run(folder, "config", "--env", "dev", "--format", "json"))
        self.env = merged["services"]["connect"]["environment"] | composed
        # A request that is denied must show within the time that a run has.
        self.env |= {"CONNECT_REQUEST_TIMEOUT_MS": "8000", "CONNECT_DEFAULT_API_TIMEOUT_MS": "10000", "CONNECT_OFFSET_FLUSH_INTERVAL_MS": "1000"}

    def _insert(self, file, after, more):
        path = self.folder / file
        text = path.read_text()
        assert text.count(after) == 1, (file, after)
        path.write_text(text.replace(after, after + more))

    def place_of(self, need, other):
        """The number here of a need of another project."""

        def known(need, name):
            return need["client"], need["resource"], need["name"].replace(name, "…"), need["need"], *need["operations"]

        return [known(own, self.name) for _, own in self.needs].index(known(need, other.name))

    def grant(self, without=None):
        acls = []
        for number, (principal, need) in enumerate(self.needs):
            for operation in need["operations"]:
                if without == (number, operation):
                    continue
                acls.append({"principal": principal, "operation": operation.upper().replace("-", "_"), "name": need["name"],
                             "resource": need["resource"].upper().replace("-", "_"), "pattern": need["pattern"].upper()})  # fmt: skip
        self.bed.call("kafka/acls", add=acls)

    def watch(self, longer):
        """What is seen, and the worker's own words for it."""
        self.longer = longer
        try:
            worker = self.bed.call("connect/start", env=self.env, seconds=START * longer)
        except RuntimeError as error:
            return "start", words(str(error).splitlines())
        try:
            seen = self._carry(worker["rest"])
            return seen, words(pathlib.Path(worker["log"]).read_text(errors="replace").splitlines())
        finally:
            self.bed.call("connect/stop", id=worker["id"])

    def _carry(self, rest):
        source, sink = f"{self.name}-in", f"{self.name}-out"
        before, after = self.folder / "from.txt", self.folder / "to.txt"
        before.write_text('"a line"\nno JSON\n')
        files, string = "org.apache.kafka.connect.file.FileStream", "org.apache.kafka.connect.storage.StringConverter"
        configs = {
            source: {"connector.class": f"{files}SourceConnector", "file": str(before), "topic": self.topic, "value.converter": string,
                     "topic.creation.default.replication.factor": "3", "topic.creation.default.partitions": "1"},
            sink: {"connector.class": f"{files}SinkConnector", "file": str(after), "topics": self.topic,
                   "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
                   "errors.tolerance": "all", "errors.deadletterqueue.topic.name": self.dead,
                   "errors.deadletterqueue.topic.replication.factor": "3"},
        }  # fmt: skip
        for name, config in configs.items():
            try:
                request(f"{rest}/connectors", {"name": name, "config": {"tasks.max": "1", **config}}, SECONDS * self.longer)
            except (urllib.error.URLError, OSError) as error:
                return f"request ({error})"
            if not self.within(lambda: states(rest, name) == ("RUNNING", "RUNNING")):
                return f"{'source' if name == source else 'sink'} ({', '.join(states(rest, name))})"
        if not self.within(lambda: after.exists() and after.read_text() == "a line\n"):
            return f"records ({', '.join(states(rest, source) + states(rest, sink))})"

        def letters():
            topics = self.bed.call("kafka/state", prefix=self.dead)["topics"]
            return sum(topics.get(self.dead, {}).get("end_offsets", []))

        if not self.within(lambda: letters() == 1):
            return f"letters ({', '.join(states(rest, sink))})"
        if self.exactly_once:
            return "nothing"
        # Long enough for the offsets to be kept, were they; then the task starts again, and one more line comes.
        time.sleep(5 * self.longer)
        request(f"{rest}/connectors/{source}/restart?includeTasks=true", {}, SECONDS * self.longer)
        with before.open("a") as lines:
            lines.write('"more"\n')
        self.within(lambda: "more" in after.read_text())
        return "nothing" if after.read_text() == "a line\nmore\n" else f"again ({after.read_text()!r})"

    def within(self, is_so):
        return within(SECONDS * self.longer, is_so)

    def unchecked(self, topic, longer):
        """Whether a worker takes a topic that isn't compacted, and so would lose what it keeps there."""
        self.bed.call("kafka/topics", create=[{"name": topic, "partitions": 1, "replicas": 3, "configs": {"cleanup.policy": "delete"}}])
        try:
            worker = self.bed.call("connect/start", env=self.env, seconds=START * longer)
        except RuntimeError as error:
            return "nothing", words(str(error).splitlines())
        self.bed.call("connect/stop", id=worker["id"])
        return "checked", ""


def request(url, body=None, seconds=SECONDS):
    data = json.dumps(body).encode() if body is not None else None
    asked = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=seconds) as answer:
        return json.loads(answer.read() or "null")


def states(rest, name):
    try:
        status = request(f"{rest}/connectors/{name}/status")
    except (urllib.error.URLError, OSError):
        return "no status", ""
    tasks = status["tasks"]
    return status["connector"]["state"], tasks[0]["state"] if tasks else "no task"


def within(seconds, is_so):
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            return False
        time.sleep(0.3)
    return True


def words(lines):
    """The last exception that names what is missing, else the last error."""
    telling = [line for line in lines if "uthoriz" in line or "Access" in line]
    errors = telling or [line for line in lines if " ERROR " in line or "Exception" in line]
    return errors[-1].strip()[:220] if errors else ""


def main():
    only = sys.argv[2] if sys.argv[1:2] == ["--only"] else ""
    bed, wrong, count, longer = Bed(), [], 0, 10
    try:
        with tempfile.TemporaryDirectory() as root:

            def project(exactly_once=True):
                nonlocal count
                count += 1
                folder = pathlib.Path(root) / str(count)
                folder.mkdir()
                return Project(bed, folder, f"removal-{count}", exactly_once)

            for exactly_once in (False, True):
                whole = project(exactly_once)
                whole.grant()
                began = time.monotonic()
                seen, why = whole.watch(10)
                took = time.monotonic() - began
                print(f"with every right: {seen}, {took:.0f} s  {why if seen != 'nothing' else ''}", flush=True)
                if seen != "nothing":
                    return 1
            # Of the last run: the script itself waits in none that writes exactly once.
            longer = max(1, round(took / USUAL))
            # With the right to look, a worker refuses a topic that isn't compacted.
            one = project()
            one.grant()
            seen, why = one.unchecked(one.env["CONNECT_CONFIG_STORAGE_TOPIC"], longer)
            print(f"with every right, a topic that isn't compacted: {seen}  {why}", flush=True)
            if seen != "nothing":
                return 1
            for _, need in whole.needs:
                for operation in need["operations"]:
                    if operation == "describe" and DESCRIBING.intersection(need["operations"]):
                        continue
                    line = f"{need['client']} {operation} {need['resource']} {need['name'].replace(whole.name, '…')} [{need['need']}, {need['proof']}]"
                    if only not in line:
                        continue
                    # The worker's offsets: those of tasks that don't write exactly once.
                    own = need["client"] == "worker" and need["name"].endswith("-offsets") and operation in ("read", "write")
                    one = project(exactly_once=not own)
                    one.grant(without=(one.place_of(need, whole), operation))
                    if operation == "describe-configs":
                        seen, why = one.unchecked(need["name"].replace(whole.name, one.name), longer)
                    else:
                        seen, why = one.watch(longer)
                    print(f"without {line}: {seen}\n    {why}", flush=True)
                    if seen == "nothing" and need["proof"] == "worker-test":
                        wrong.append(line)
    finally:
        bed.stop()
    for line in wrong:
        print(f"the profile calls this proven, and nothing showed it: {line}")
    return 1 if wrong else 0


sys.exit(main())
