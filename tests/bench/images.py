"""`images push` of an image of 256 MiB for two processors, from one registry into another: ours beside `skopeo copy --all`, in turn.

    python3 images.py OUR-BINARY

Both read from an open registry of the test bed and write into one with a login that is new each time: Skopeo remembers where it has
seen a layer. Beside them, a plugin of 256 MiB from a server on loopback is fetched, made a layer and pushed. Prints a table and checks
what the project promises: not slower than Skopeo, under 64 MiB of memory.
"""

import gzip
import hashlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import zipfile
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from measure import once

ROOT = Path(__file__).resolve().parents[2]
LAYER, LAYERS, ROUNDS, LIMIT_MIB = 64 * 2**20, 2, 5, 64
PLUGIN = 256 * 2**20
PROJECT = """\
name: bench
services:
  big:
    image: {registry}/team/big:1
    deploy: {{ resources: {{ limits: {{ cpus: "0.5", memory: 1G }} }} }}
"""

LAID = """\
name: bench
services:
  connect:
    image: {registry}/confluentinc/cp-kafka-connect:8.0.7
    x-confluent:
      plugins:
        - {{ url: 'http://127.0.0.1:{port}/big.jar', sha256: {sha256}, name: big }}
    environment:
      CONNECT_BOOTSTRAP_SERVERS: kafka.example.com:9092
      CONNECT_GROUP_ID: bench
      CONNECT_CONFIG_STORAGE_TOPIC: bench-configs
      CONNECT_OFFSET_STORAGE_TOPIC: bench-offsets
      CONNECT_STATUS_STORAGE_TOPIC: bench-status
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
      CONNECT_VALUE_CONVERTER: org.apache.kafka.connect.storage.StringConverter
    deploy: {{ resources: {{ limits: {{ cpus: "0.5", memory: 1G }} }} }}
"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def image(folder, size):
    """An index of two processors, each with layers of its own, as an OCI layout."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)

    def blob(data, kind):
        name = hashlib.sha256(data).hexdigest()
        (blobs / name).write_bytes(data)
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{name}", "size": len(data)}

    manifests = []
    for architecture in ("amd64", "arm64"):
        layers = [blob(gzip.compress(os.urandom(size), 0), "layer.v1.tar+gzip") for _ in range(LAYERS)]
        config = {"os": "linux", "architecture": architecture, "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
        config = blob(json.dumps(config).encode(), "config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": config, "layers": layers}
        manifests.append(
            {**blob(json.dumps(manifest).encode(), "manifest.v1+json"), "platform": {"os": "linux", "architecture": architecture}}
        )
    index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": manifests}
    named = {**blob(json.dumps(index).encode(), "index.v1+json"), "annotations": {"org.opencontainers.image.ref.name": "big"}}
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [named]}))


def jar(path):
    """One file of bytes that nothing makes shorter; prints the jar's hash."""
    with zipfile.ZipFile(path, "w") as file, file.open("data.bin", "w", force_zip64=True) as entry:
        for _ in range(PLUGIN // 2**20):
            entry.write(os.urandom(2**20))
    with path.open("rb") as file:
        print(hashlib.file_digest(file, "sha256").hexdigest())


def main():
    if sys.argv[1] == "--make":
        # In a process of its own: a child's peak memory counts what its parent held when it was forked.
        return image(Path(sys.argv[2]), int(sys.argv[3]))
    if sys.argv[1] == "--jar":
        return jar(Path(sys.argv[2]))
    binary = Path(sys.argv[1]).absolute()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        bed = subprocess.Popen([ROOT / "tests/bed/run", "--parts", "registry,aws"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        try:
            (folder / "bed.json").write_bytes(bed.stdout.readline())
            measure(binary, folder)
        finally:
            bed.stdin.close()
            bed.wait(300)


def measure(binary, folder):
    def ask(what, **arguments):
        command = [ROOT / "tests/bed/ask", folder / "bed.json", what, json.dumps(arguments)]
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout)

    registries = ask("registry/start")
    account = ask("aws/new_account")
    plain = ["--src-tls-verify=false", "--dest-tls-verify=false"]

    def made(name, size):
        layout = folder / name.replace("/", "-").replace(":", "-")
        subprocess.run([sys.executable, __file__, "--make", layout, str(size)], check=True)
        command = ["skopeo", "copy", "--all", "--preserve-digests", plain[1], f"oci:{layout}:big", f"docker://{registries['open']}/{name}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    made("team/big:1", LAYER)
    made("confluentinc/cp-kafka-connect:8.0.7", 10_000)
    (folder / "docker-compose.yml").write_text(PROJECT.format(registry=registries["open"]))
    env = {"PATH": os.environ["PATH"], "HOME": str(folder), **account["env"]}
    login = ["--dest-creds", f"{registries['user']}:{registries['password']}"]
    runs = {"confluent-ecs": ([], []), "skopeo": ([], [])}
    for number in range(ROUNDS + 1):
        one, other = (ask("registry/new", auth=True)["registry"] for _ in range(2))
        ask("aws/seed", account=account["account"], registry=one)
        ours = [binary, "images", "push", "--yes"]
        theirs = ["skopeo", "copy", "--all", *plain, *login, f"docker://{registries['open']}/team/big:1", f"docker://{other}/team/big:1"]
        for (seconds, memory), command in zip(runs.values(), (ours, theirs)):
            took, peak = once(command, folder, env)
            # The first round warms the registries' files.
            if number:
                seconds.append(took)
                memory.append(peak)
    laid = plugin(binary, folder, env, account, registries["open"], ask)
    print(f"| copy of {2 * LAYERS * LAYER // 2**20} MiB, two processors | median of {ROUNDS} | peak memory |")
    print("|---|---:|---:|")
    medians = {name: (statistics.median(seconds), max(memory)) for name, (seconds, memory) in runs.items()}
    for name, (seconds, memory) in medians.items():
        print(f"| {name} | {seconds:.2f} s | {memory:.0f} MiB |")
    ratio = medians["confluent-ecs"][0] / medians["skopeo"][0]
    print(f"| ratio | {ratio:.2f} | |")
    print(f"| a plugin of {PLUGIN // 2**20} MiB, fetched, made a layer and pushed | {laid[0]:.2f} s | {laid[1]:.0f} MiB |")
    failed = []
    if laid[1] > LIMIT_MIB:
        failed.append(f"{laid[1]:.0f} MiB of memory for a plugin")
    if ratio > 1:
        failed.append(f"slower than skopeo: {ratio:.2f}")
    if medians["confluent-ecs"][1] > LIMIT_MIB:
        failed.append(f"{medians['confluent-ecs'][1]:.0f} MiB of memory")
    if failed:
        sys.exit("missed: " + "; ".join(failed))


def plugin(binary, folder, env, account, registry, ask):
    """Seconds and peak memory of a push with a large plugin."""
    files = folder / "files"
    files.mkdir()
    made = subprocess.run([sys.executable, __file__, "--jar", files / "big.jar"], check=True, capture_output=True, text=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=files))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    text = LAID.format(registry=registry, port=server.server_address[1], sha256=made.stdout.strip())
    (folder / "docker-compose.yml").write_text(text)
    ask("aws/seed", account=account["account"], registry=ask("registry/new", auth=True)["registry"])
    measured = once([binary, "images", "push", "--yes"], folder, env)
    server.shutdown()
    return measured


main()
