confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations read,write,create,describe-configs \
  --topic orders-dev-connect-configs --cluster lkc-8m2q5z
confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations read,write,create,describe-configs \
  --topic orders-dev-connect-offsets --cluster lkc-8m2q5z
confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations read,write,create,describe-configs \
  --topic orders-dev-connect-status --cluster lkc-8m2q5z
confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations read --topic pay- --prefix --cluster lkc-8m2q5z
confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations write,create,describe --topic shop-dead --cluster lkc-8m2q5z
confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations read,write,create,describe --topic shop-orders \
  --cluster lkc-8m2q5z
confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations read --consumer-group connect-shop-out --cluster lkc-8m2q5z
confluent kafka acl create --allow --service-account sa-3kd9wq \
  --operations read --consumer-group orders-dev-connect --cluster lkc-8m2q5z
