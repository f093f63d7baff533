"""The settings of the brokers: listeners, logins, certificates. Pure: from addresses and passwords to server.properties.

Every listener name is the one a test uses. From EXPIRED on, each is a real broker with one fault, or one peculiarity.
"""

from dataclasses import dataclass

PLAIN, SCRAM_256, SCRAM_512, OAUTHBEARER = "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"
AWS_MSK_IAM = "AWS_MSK_IAM"
# Those of a user with a password.
ALL_MECHANISMS = (PLAIN, SCRAM_256, SCRAM_512)

LOGIN_MODULES = {
    SCRAM_256: "org.apache.kafka.common.security.scram.ScramLoginModule",
    SCRAM_512: "org.apache.kafka.common.security.scram.ScramLoginModule",
    OAUTHBEARER: "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule",
    AWS_MSK_IAM: "bed.MskIam",
}
HANDLERS = {PLAIN: "bed.PlainUsers"}


@dataclass(frozen=True)
class Listener:
    protocol: str
    mechanisms: tuple = ()
    certificate: str = "server"
    client_certificate: bool = False
    # What the broker tells clients instead of its own address.
    advertised: str = ""
    # The one broker that tells so; every one where none is named.
    advertised_by: int = 0
    # Who checks tokens; Kafka's own, which takes unsigned ones, where nothing is named.
    tokens: str = ""


LISTENERS = {
    "SASL_PLAINTEXT": Listener("SASL_PLAINTEXT", ALL_MECHANISMS),
    "SASL_SSL": Listener("SASL_SSL", ALL_MECHANISMS),
    # As Amazon MSK's: no other mechanism is offered.
    "SCRAM512": Listener("SASL_SSL", (SCRAM_512,)),
    # As Amazon MSK's for IAM (SignedTokens.java).
    "IAM": Listener("SASL_SSL", (OAUTHBEARER, AWS_MSK_IAM), tokens="bed.SignedTokens"),
    # Takes tokens that the token endpoint has signed, with the keys in a file: what a Java client brings.
    "OIDC": Listener("SASL_SSL", (OAUTHBEARER,), tokens="org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler"),
    # Takes tokens that nobody has signed: the principal is the claim `sub`, and the time counts.
    "OAUTH": Listener("SASL_SSL", (OAUTHBEARER,)),
    "SSL": Listener("SSL", client_certificate=True),
    "PLAINTEXT": Listener("PLAINTEXT"),
    "EXPIRED": Listener("SASL_SSL", (PLAIN,), certificate="expired"),
    "NOTYET": Listener("SASL_SSL", (PLAIN,), certificate="notyet"),
    "OTHERCA": Listener("SASL_SSL", (PLAIN,), certificate="otherca"),
    "OTHERHOST": Listener("SASL_SSL", (PLAIN,), certificate="otherhost"),
    # Bootstrap works, and then no broker is where it says it is.
    "UNREACHABLE": Listener("SASL_SSL", (PLAIN,), advertised="{hang}"),
    # Port 1 is nobody's.
    "CLOSED": Listener("SASL_SSL", (PLAIN,), advertised="127.0.0.1:1"),
    "UNRESOLVABLE": Listener("SASL_SSL", (PLAIN,), advertised="b{id}.bed.invalid:9092"),
    "PARTLY": Listener("SASL_SSL", (PLAIN,), advertised="127.0.0.1:1", advertised_by=3),
    # An authority between that has ended, and one that is left out.
    "OLDCHAIN": Listener("SASL_SSL", (PLAIN,), certificate="oldchain"),
    "NOCHAIN": Listener("SASL_SSL", (PLAIN,), certificate="nochain"),
    # One broker of three is another thing than the others: it never answers, speaks no TLS, shows a certificate that nobody trusts.
    "MUTE": Listener("SASL_SSL", (PLAIN,), advertised="{silent}", advertised_by=3),
    "HALFCLEAR": Listener("SASL_SSL", (PLAIN,), advertised="127.0.0.1:{SASL_PLAINTEXT}", advertised_by=3),
    "HALFTRUSTED": Listener("SASL_SSL", (PLAIN,), advertised="127.0.0.1:{OTHERCA}", advertised_by=3),
    "HALFHOST": Listener("SASL_SSL", (PLAIN,), advertised="127.0.0.1:{OTHERHOST}", advertised_by=3),
    "HALFEXPIRED": Listener("SASL_SSL", (PLAIN,), advertised="127.0.0.1:{EXPIRED}", advertised_by=3),
    "HALFMUTUAL": Listener("SASL_SSL", (PLAIN,), advertised="127.0.0.1:{SSL}", advertised_by=3),
    # … or leads wherever the part `faults` is told to.
    "ASTRAY": Listener("SASL_SSL", (PLAIN,), advertised="{relay}", advertised_by=3),
    # Names of a private network that nobody here is in.
    "PRIVATE": Listener("SASL_SSL", (PLAIN,), advertised="b{id}.kafka.internal:9092"),
    # Nothing is wrong with these for Java: a certificate that signed itself, one with no name but the common one, one of version 1, as
    # `openssl x509 -req` makes it.
    "OWNSIGNED": Listener("SASL_SSL", (PLAIN,), certificate="ownsigned"),
    "NAMELESS": Listener("SASL_SSL", (PLAIN,), certificate="nameless", advertised="localhost:{NAMELESS}"),
    "VERSION1": Listener("SASL_SSL", (PLAIN,), certificate="version1", advertised="localhost:{VERSION1}"),
}

INTERNAL = "SASL_PLAINTEXT"
CONTROLLER = "CONTROLLER"
BROKER_USER, ADMIN_USER = "broker", "admin"


@dataclass(frozen=True)
class Node:
    id: int
    # Listener name (and CONTROLLER) to port.
    ports: dict
    folder: object


def server_properties(node, nodes, broker_password, certificates, truststore, faults, allow_everyone, authorizer, jwks):
    """The server.properties of one node. `certificates`: name to PEM keystore."""
    controllers = [other for other in nodes if CONTROLLER in other.ports]
    replicas = len(nodes)
    properties = {
        "process.roles": "broker,controller" if CONTROLLER in node.ports else "broker",
        "node.id": node.id,
        "controller.quorum.voters": ",".join(f"{c.id}@127.0.0.1:{c.ports[CONTROLLER]}" for c in controllers),
        "controller.listener.names": CONTROLLER,
        "inter.broker.listener.name": INTERNAL,
        "listeners": ",".join(f"{name}://127.0.0.1:{port}" for name, port in node.ports.items()),
        "advertised.listeners": ",".join(
            f"{name}://{_advertised(name, node, faults)}" for name in node.ports if name != CONTROLLER
        ),
        "listener.security.protocol.map": ",".join(
            [f"{CONTROLLER}:SASL_PLAINTEXT", *(f"{name}:{listener.protocol}" for name, listener in LISTENERS.items())]
        ),
        "sasl.mechanism.controller.protocol": PLAIN,
        "sasl.mechanism.inter.broker.protocol": PLAIN,
        "log.dirs": node.folder,
        # Authorisation. Nobody is super user without a login: an ANONYMOUS one would make every test of an ACL vacuous.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{ADMIN_USER};User:{BROKER_USER}",
        "allow.everyone.if.no.acl.found": str(allow_everyone).lower(),
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": 2 if replicas > 2 else 1,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": 2 if replicas > 2 else 1,
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": 2 if replicas > 2 else 1,
        # Small and quick: few partitions and threads, no waiting for members that don't come.
        "offsets.topic.num.partitions": 3,
        "transaction.state.log.num.partitions": 3,
        "share.coordinator.state.topic.num.partitions": 3,
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 1,
        "num.io.threads": 4,
        "background.threads": 2,
        "log.cleaner.dedupe.buffer.size": 4194304,
        "log.cleaner.io.buffer.size": 65536,
        "socket.request.max.bytes": 10485760,
        "controller.quorum.election.timeout.ms": 300,
        "controller.quorum.election.backoff.max.ms": 300,
        "controller.quorum.fetch.timeout.ms": 8000,
        # A machine that is busy elsewhere for some seconds is no broker that has died; one that is stopped says so itself.
        "broker.session.timeout.ms": 20000,
    }
    if not authorizer:
        for name in ("authorizer.class.name", "super.users", "allow.everyone.if.no.acl.found"):
            del properties[name]
    if replicas == 3:
        properties["create.topic.policy.class.name"] = "bed.TopicPolicy"
    login = f'org.apache.kafka.common.security.plain.PlainLoginModule required username="{BROKER_USER}" password="{broker_password}";'
    for name in node.ports:
        listener = LISTENERS.get(name, Listener("SASL_PLAINTEXT", (PLAIN,)))
        prefix = f"listener.name.{name.lower()}."
        if listener.mechanisms:
            properties[prefix + "sasl.enabled.mechanisms"] = ",".join(listener.mechanisms)
        for mechanism in listener.mechanisms:
            jaas = login if mechanism == PLAIN else LOGIN_MODULES[mechanism] + " required;"
            properties[f"{prefix}{mechanism.lower()}.sasl.jaas.config"] = jaas
            handler = listener.tokens if mechanism == OAUTHBEARER else HANDLERS.get(mechanism)
            if handler:
                properties[f"{prefix}{mechanism.lower()}.sasl.server.callback.handler.class"] = handler
        if name == "OIDC":
            properties[prefix + "sasl.oauthbearer.jwks.endpoint.url"] = jwks
        if listener.protocol.endswith("SSL"):
            properties[prefix + "ssl.keystore.type"] = "PEM"
            properties[prefix + "ssl.keystore.location"] = certificates[listener.certificate]
            properties[prefix + "ssl.truststore.type"] = "PEM"
            properties[prefix + "ssl.truststore.location"] = truststore
            properties[prefix + "ssl.client.auth"] = "required" if listener.client_certificate else "none"
    return "".join(f"{key}={value}\n" for key, value in properties.items())


def _advertised(name, node, faults):
    own = f"127.0.0.1:{node.ports[name]}"
    listener = LISTENERS[name]
    told = listener.advertised if listener.advertised_by in (0, node.id) else ""
    return (told or own).format(id=node.id, hang=faults["hang"], silent=faults["silent"], relay=faults["relay"], **node.ports)
