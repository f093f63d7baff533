locals {
  kafka_acls = {
    "User:sa-3kd9wq read topic orders-dev-connect-configs" = { principal = "User:sa-3kd9wq", operation = "READ", type = "TOPIC", name = "orders-dev-connect-configs", pattern = "LITERAL" }
    "User:sa-3kd9wq write topic orders-dev-connect-configs" = { principal = "User:sa-3kd9wq", operation = "WRITE", type = "TOPIC", name = "orders-dev-connect-configs", pattern = "LITERAL" }
    "User:sa-3kd9wq create topic orders-dev-connect-configs" = { principal = "User:sa-3kd9wq", operation = "CREATE", type = "TOPIC", name = "orders-dev-connect-configs", pattern = "LITERAL" }
    "User:sa-3kd9wq describe-configs topic orders-dev-connect-configs" = { principal = "User:sa-3kd9wq", operation = "DESCRIBE_CONFIGS", type = "TOPIC", name = "orders-dev-connect-configs", pattern = "LITERAL" }
    "User:sa-3kd9wq read topic orders-dev-connect-offsets" = { principal = "User:sa-3kd9wq", operation = "READ", type = "TOPIC", name = "orders-dev-connect-offsets", pattern = "LITERAL" }
    "User:sa-3kd9wq write topic orders-dev-connect-offsets" = { principal = "User:sa-3kd9wq", operation = "WRITE", type = "TOPIC", name = "orders-dev-connect-offsets", pattern = "LITERAL" }
    "User:sa-3kd9wq create topic orders-dev-connect-offsets" = { principal = "User:sa-3kd9wq", operation = "CREATE", type = "TOPIC", name = "orders-dev-connect-offsets", pattern = "LITERAL" }
    "User:sa-3kd9wq describe-configs topic orders-dev-connect-offsets" = { principal = "User:sa-3kd9wq", operation = "DESCRIBE_CONFIGS", type = "TOPIC", name = "orders-dev-connect-offsets", pattern = "LITERAL" }
    "User:sa-3kd9wq read topic orders-dev-connect-status" = { principal = "User:sa-3kd9wq", operation = "READ", type = "TOPIC", name = "orders-dev-connect-status", pattern = "LITERAL" }
    "User:sa-3kd9wq write topic orders-dev-connect-status" = { principal = "User:sa-3kd9wq", operation = "WRITE", type = "TOPIC", name = "orders-dev-connect-status", pattern = "LITERAL" }
    "User:sa-3kd9wq create topic orders-dev-connect-status" = { principal = "User:sa-3kd9wq", operation = "CREATE", type = "TOPIC", name = "orders-dev-connect-status", pattern = "LITERAL" }
    "User:sa-3kd9wq describe-configs topic orders-dev-connect-status" = { principal = "User:sa-3kd9wq", operation = "DESCRIBE_CONFIGS", type = "TOPIC", name = "orders-dev-connect-status", pattern = "LITERAL" }
    "User:sa-3kd9wq read topic pay-*" = { principal = "User:sa-3kd9wq", operation = "READ", type = "TOPIC", name = "pay-", pattern = "PREFIXED" }
    "User:sa-3kd9wq write topic shop-dead" = { principal = "User:sa-3kd9wq", operation = "WRITE", type = "TOPIC", name = "shop-dead", pattern = "LITERAL" }
    "User:sa-3kd9wq create topic shop-dead" = { principal = "User:sa-3kd9wq", operation = "CREATE", type = "TOPIC", name = "shop-dead", pattern = "LITERAL" }
    "User:sa-3kd9wq describe topic shop-dead" = { principal = "User:sa-3kd9wq", operation = "DESCRIBE", type = "TOPIC", name = "shop-dead", pattern = "LITERAL" }
    "User:sa-3kd9wq read topic shop-orders" = { principal = "User:sa-3kd9wq", operation = "READ", type = "TOPIC", name = "shop-orders", pattern = "LITERAL" }
    "User:sa-3kd9wq write topic shop-orders" = { principal = "User:sa-3kd9wq", operation = "WRITE", type = "TOPIC", name = "shop-orders", pattern = "LITERAL" }
    "User:sa-3kd9wq create topic shop-orders" = { principal = "User:sa-3kd9wq", operation = "CREATE", type = "TOPIC", name = "shop-orders", pattern = "LITERAL" }
    "User:sa-3kd9wq describe topic shop-orders" = { principal = "User:sa-3kd9wq", operation = "DESCRIBE", type = "TOPIC", name = "shop-orders", pattern = "LITERAL" }
    "User:sa-3kd9wq read group connect-shop-out" = { principal = "User:sa-3kd9wq", operation = "READ", type = "GROUP", name = "connect-shop-out", pattern = "LITERAL" }
    "User:sa-3kd9wq read group orders-dev-connect" = { principal = "User:sa-3kd9wq", operation = "READ", type = "GROUP", name = "orders-dev-connect", pattern = "LITERAL" }
  }
}

resource "confluent_kafka_acl" "kafka" {
  for_each = local.kafka_acls

  kafka_cluster {
    id = "lkc-8m2q5z"
  }
  resource_type = each.value.type
  resource_name = each.value.name
  pattern_type  = each.value.pattern
  principal     = each.value.principal
  host          = "*"
  operation     = each.value.operation
  permission    = "ALLOW"
}
