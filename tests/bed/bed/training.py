"""Teaches the JVMs of a build: a small cluster and a worker run once and leave behind which classes they used, in the form of memory
pages that later JVMs map. It halves the time and the work of every start after it, and is done once for a build and a JVM.
"""

from . import java

SECONDS = 300


def trained(ctx):
    """The build, with its archives."""
    built = java.build(ctx)
    with java.locked(ctx):
        done = built.archives / "done"
        if not done.exists():
            built.archives.mkdir(exist_ok=True)
            for archive in built.archives.glob("*.jsa"):
                archive.unlink()
            _train(ctx, java.Java(built.folder, recording=True))
            done.touch()
    return built


def _train(ctx, recording):
    from .connect import Connect
    from .kafka import Kafka

    cluster = Kafka(ctx, "training", size=1, java=recording)
    workers = Connect(ctx, "training-connect", recording, cluster)
    try:
        cluster.facts = cluster.start()
        user = cluster.user({"name": "worker"})
        principal = {"principal": user["principal"], "operation": "ALL", "name": "training"}
        cluster.actions["acls"]({"add": [{**principal, "resource": kind, "pattern": "PREFIXED"} for kind in ("TOPIC", "GROUP")]})
        cluster.actions["topics"]({"create": [{"name": "training"}]})
        workers.start_worker({"env": _environment(cluster.facts, user)})
        cluster.actions["state"]({})
        # In good order, for the archives are written at the end; the brokers last.
        for child in [*workers.workers.values(), cluster.admin.child, *cluster.processes.values()]:
            child.stop(SECONDS)
    finally:
        workers.stop()
        cluster.stop()


def _environment(facts, user):
    jaas = (
        "org.apache.kafka.common.security.plain.PlainLoginModule required "
        f'username="{user["name"]}" password="{user["password"]}";'
    )
    env = {
        "CONNECT_BOOTSTRAP_SERVERS": facts["bootstrap"]["SASL_SSL"],
        "CONNECT_GROUP_ID": "training",
        "CONNECT_KEY_CONVERTER": "org.apache.kafka.connect.json.JsonConverter",
        "CONNECT_VALUE_CONVERTER": "org.apache.kafka.connect.json.JsonConverter",
    }
    for kind in ("CONFIG", "OFFSET", "STATUS"):
        env[f"CONNECT_{kind}_STORAGE_TOPIC"] = f"training-{kind.lower()}"
        env[f"CONNECT_{kind}_STORAGE_REPLICATION_FACTOR"] = "1"
    for client in ("", "PRODUCER_", "CONSUMER_"):
        env[f"CONNECT_{client}SECURITY_PROTOCOL"] = "SASL_SSL"
        env[f"CONNECT_{client}SASL_MECHANISM"] = "PLAIN"
        env[f"CONNECT_{client}SASL_JAAS_CONFIG"] = jaas
    return env
