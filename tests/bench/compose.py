"""`config` of a project of 10, 100 and 1,000 services: ours beside `ecs-compose-x config` of ECS Compose-X, in turn, one run.

    python3 compose.py OUR-BINARY ECS-COMPOSE-X

Prints a table and checks what the project promises: 1,000 services under 1 s, time and memory in proportion, at least 50 times faster.
Their `config` asks EC2 for its zones first; a stub on 127.0.0.1 answers that within a millisecond, so that nothing but their own work
is measured.
"""

import os
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from measure import alternate

SERVICE = """\
  service{number}:
    image: "${{REGISTRY:-registry.example.com}}/team/service{number}:1.{number}"
    ports: ["{port}:8080"]
    environment:
      SERVICE_NAME: service{number}
      STAGE: ${{ENV_NAME:-dev}}
      UPSTREAM: http://service{previous}:8080
      REPLICATION_FACTOR: "3"
    depends_on: [{depends}]
    deploy:
      replicas: 2
      resources:
        limits: {{cpus: "0.5", memory: 1G}}
        reservations: {{cpus: "0.25", memory: 512M}}
    healthcheck:
      test: ["CMD", "true"]
      interval: 30s
      retries: 3
    labels: {{team: kafka, number: "{number}"}}
"""


ZONES = """<?xml version="1.0" encoding="UTF-8"?>
<DescribeAvailabilityZonesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><availabilityZoneInfo>{}</availabilityZoneInfo>
</DescribeAvailabilityZonesResponse>""".format(
    "".join(f"<item><zoneName>eu-west-1{zone}</zoneName><zoneState>available</zoneState></item>" for zone in "abc")
)


class Ec2(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(ZONES)))
        self.end_headers()
        self.wfile.write(ZONES.encode())

    def log_message(self, *_):
        pass


def project(services):
    text = ["services:\n"]
    for number in range(services):
        depends = f"service{number - 1}" if number else ""
        text.append(SERVICE.format(number=number, previous=max(number - 1, 0), depends=depends, port=10000 + number))
    return "".join(text)


def main():
    ours, theirs = (Path(argument).absolute() for argument in sys.argv[1:3])
    ec2 = ThreadingHTTPServer(("127.0.0.1", 0), Ec2)
    threading.Thread(target=ec2.serve_forever, daemon=True).start()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "ENV_NAME": "dev",
        "PYTHONWARNINGS": "ignore",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{ec2.server_port}",
    }
    rows, failed = [], []
    with tempfile.TemporaryDirectory() as folder:
        for services in (10, 100, 1000):
            Path(folder, "docker-compose.yml").write_text(project(services))
            a, b = alternate(
                5 if services < 1000 else 3,
                ([ours, "-p", "bench", "-f", "docker-compose.yml", "config"], folder, env),
                ([theirs, "config", "-f", "docker-compose.yml", "-d", "out"], folder, env),
            )
            rows.append((services, a, b))
    print("| services | confluent-ecs | peak | ECS Compose-X 1.1.9 | peak | ratio |")
    print("|---:|---:|---:|---:|---:|---:|")
    for services, a, b in rows:
        print(f"| {services:,} | {a.seconds * 1000:,.1f} ms | {a.mebibytes:.0f} MiB | {b.seconds * 1000:,.0f} ms | {b.mebibytes:.0f} MiB | {b.seconds / a.seconds:,.0f} |")
        if b.seconds / a.seconds < 50:
            failed.append(f"{services} services: only {b.seconds / a.seconds:.0f} times faster")
    by_size = {services: a for services, a, _ in rows}
    if by_size[1000].seconds > 1:
        failed.append(f"1,000 services took {by_size[1000].seconds:.2f} s")
    # Ten times the services may cost ten times as much, and not more than a half above that.
    for unit in ("seconds", "mebibytes"):
        growth = getattr(by_size[1000], unit) / getattr(by_size[100], unit)
        if growth > 15:
            failed.append(f"from 100 to 1,000 services, {unit} grew {growth:.1f} times")
    if failed:
        sys.exit("\n".join(failed))


main()
