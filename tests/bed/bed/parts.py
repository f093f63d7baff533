"""The parts of the bed: name → (module, class, keyword arguments). A module is imported when its part is first asked for,
so that a part whose packages are missing doesn't take the others down."""

PARTS = {
    "faults": ("bed.faults", "Faults", {}),
    # Three brokers that deny what no ACL allows and demand a replication factor of 3, as Confluent Cloud does.
    "kafka": ("bed.kafka", "Kafka", {"name": "kafka"}),
    "connect": ("bed.connect", "Connect", {}),
    # As Amazon MSK's default: what has no ACL is allowed to everyone. One broker.
    "kafka_open": ("bed.kafka", "Kafka", {"name": "kafka_open", "size": 1, "allow_everyone": True}),
    # For tests that need a cluster without a group or a transaction yet. One broker.
    "kafka_virgin": ("bed.kafka", "Kafka", {"name": "kafka_virgin", "size": 1}),
    # Everybody may do everything. One broker.
    "kafka_free": ("bed.kafka", "Kafka", {"name": "kafka_free", "size": 1, "authorizer": False}),
    "aws": ("bed.aws.part", "Aws", {}),
    "registry": ("bed.registry", "Registry", {}),
    "schema_registry": ("bed.schema_registry", "SchemaRegistry", {}),
    "token_endpoint": ("bed.token_endpoint", "TokenEndpoint", {}),
}
