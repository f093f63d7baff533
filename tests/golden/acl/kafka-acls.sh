kafka-acls --bootstrap-server pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092 \
  --command-config '<admin.properties>' --add --allow-principal User:sa-3kd9wq \
  --operation Read --operation Write --operation Create \
  --operation DescribeConfigs --topic orders-dev-connect-configs \
  --topic orders-dev-connect-offsets --topic orders-dev-connect-status
kafka-acls --bootstrap-server pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092 \
  --command-config '<admin.properties>' --add --allow-principal User:sa-3kd9wq \
  --operation Read --topic pay- --resource-pattern-type prefixed
kafka-acls --bootstrap-server pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092 \
  --command-config '<admin.properties>' --add --allow-principal User:sa-3kd9wq \
  --operation Write --operation Create --operation Describe --topic shop-dead
kafka-acls --bootstrap-server pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092 \
  --command-config '<admin.properties>' --add --allow-principal User:sa-3kd9wq \
  --operation Read --operation Write --operation Create --operation Describe \
  --topic shop-orders
kafka-acls --bootstrap-server pkc-q1w2e.eu-west-1.aws.confluent.cloud:9092 \
  --command-config '<admin.properties>' --add --allow-principal User:sa-3kd9wq \
  --operation Read --group connect-shop-out --group orders-dev-connect
