//! Settings of Confluent's components in a project that somebody wrote by hand: each mistake is found by `render`, at its place, with its
//! code and in words; and the same project without it is left in peace.

use std::fs;

use crate::support::program::run_with;

/// A project without a mistake: the three components on Confluent Cloud, every login in a secret.
fn sound() -> String {
    let login = |variable: &str| {
        format!("      CONNECT_{variable}SECURITY_PROTOCOL: SASL_SSL\n      CONNECT_{variable}SASL_MECHANISM: PLAIN\n")
    };
    let clients = ["", "PRODUCER_", "CONSUMER_", "ADMIN_"];
    let logins: String = clients.iter().map(|client| login(client)).collect();
    let key = |client: &&str| format!("        - {{ SecretKey: {client}LOGIN, VarName: CONNECT_{client}SASL_JAAS_CONFIG }}\n");
    let keys = clients.iter().map(key).collect::<Vec<_>>().concat();
    format!(
        r#"name: shop
x-kafka: {{ provider: confluent-cloud, cluster: lkc-8m2q5z }}
services:
  worker:
    image: confluentinc/cp-kafka-connect:8.0.7
    secrets: [worker]
    x-confluent: {{ connectors: {{ in: {{ type: source, topics: [orders] }} }} }}
    deploy: {{ replicas: 2, resources: {{ limits: {{ cpus: "1", memory: 2G }} }} }}
    environment:
      CONNECT_BOOTSTRAP_SERVERS: pkc-1.eu-west-1.aws.confluent.cloud:9092
      CONNECT_GROUP_ID: shop
      CONNECT_CONFIG_STORAGE_TOPIC: shop-configs
      CONNECT_OFFSET_STORAGE_TOPIC: shop-offsets
      CONNECT_STATUS_STORAGE_TOPIC: shop-status
      CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR: 3
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
      CONNECT_VALUE_CONVERTER: io.confluent.connect.protobuf.ProtobufConverter
      CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL: https://psrc-1.eu-west-1.aws.confluent.cloud
      CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE: USER_INFO
{logins}  schemas:
    image: confluentinc/cp-schema-registry:8.0.7
    secrets: [schemas]
    deploy: {{ resources: {{ limits: {{ cpus: "1", memory: 2G }} }} }}
    environment:
      SCHEMA_REGISTRY_KAFKASTORE_BOOTSTRAP_SERVERS: pkc-1.eu-west-1.aws.confluent.cloud:9092
      SCHEMA_REGISTRY_KAFKASTORE_SECURITY_PROTOCOL: SASL_SSL
      SCHEMA_REGISTRY_KAFKASTORE_SASL_MECHANISM: PLAIN
      SCHEMA_REGISTRY_LISTENERS: http://0.0.0.0:8081
  console:
    image: confluentinc/cp-enterprise-control-center-next-gen:2.6.0
    secrets: [console]
    deploy: {{ resources: {{ limits: {{ cpus: "2", memory: 8G }} }} }}
    environment:
      CONTROL_CENTER_BOOTSTRAP_SERVERS: pkc-1.eu-west-1.aws.confluent.cloud:9092
      CONTROL_CENTER_REPLICATION_FACTOR: 3
      CONTROL_CENTER_STREAMS_SECURITY_PROTOCOL: SASL_SSL
      CONTROL_CENTER_STREAMS_SASL_MECHANISM: PLAIN
      CONTROL_CENTER_MODE_ENABLE: management
      CONTROL_CENTER_PROMETHEUS_ENABLE: "false"
secrets:
  worker:
    x-secrets:
      Name: /shop/worker
      JsonKeys:
{keys}        - {{ SecretKey: REGISTRY, VarName: CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO }}
  schemas:
    x-secrets: {{ Name: /shop/schemas, JsonKeys: [ {{ SecretKey: LOGIN, VarName: SCHEMA_REGISTRY_KAFKASTORE_SASL_JAAS_CONFIG }} ] }}
  console:
    x-secrets: {{ Name: /shop/console, JsonKeys: [ {{ SecretKey: LOGIN, VarName: CONTROL_CENTER_STREAMS_SASL_JAAS_CONFIG }} ] }}
"#
    )
}

/// What is changed in it, in pairs of what stands there and what somebody wrote; `§` stands before what is found.
struct Mistake {
    changes: &'static [(&'static str, &'static str)],
    code: &'static str,
    words: &'static [&'static str],
}

const fn mistake(
    code: &'static str,
    changes: &'static [(&'static str, &'static str)],
    words: &'static [&'static str],
) -> Mistake {
    Mistake { changes, code, words }
}

const WORKER: &str = "    image: confluentinc/cp-kafka-connect:8.0.7\n";
const GROUP: &str = "      CONNECT_GROUP_ID: shop\n";
const URL: &str = "      CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL: https://psrc-1.eu-west-1.aws.confluent.cloud\n";
const SOURCE: &str = "      CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE: USER_INFO\n";

const MISTAKES: &[Mistake] = &[
    // Names and values.
    mistake(
        "error[CE130]",
        &[(GROUP, ""), ("    environment:\n      CONNECT_B", "    §environment:\n      CONNECT_B")],
        &["CONNECT_GROUP_ID is missing"],
    ),
    mistake(
        "warning[CE132]",
        &[("CONNECT_GROUP_ID:", "CONNECT_GROUP_ID: shop\n      §CONNECT_GRUOP_ID:")],
        &["did you mean CONNECT_GROUP_ID?"],
    ),
    mistake(
        "warning[CE132]",
        &[(GROUP, "      CONNECT_GROUP_ID: shop\n      §CONECT_PLUGIN_PATH: /p\n")],
        &["did you mean CONNECT_PLUGIN_PATH?"],
    ),
    mistake(
        "warning[CE137]",
        &[
            (WORKER, "    image: confluentinc/cp-kafka-connect:8.2.3\n"),
            (GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECT_CONFIG_PROVIDERS_S_CLASS: x.Y\n"),
        ],
        &["config.providers.s_class", "at least two letters"],
    ),
    mistake(
        "error[CE131]",
        &[("CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR: 3", "§CONNECT_CONFIG_STORAGE_REPLICATION_FACTOR: 1")],
        &["Confluent Cloud takes 3 and nothing else"],
    ),
    mistake(
        "error[CE133]",
        &[
            ("        - { SecretKey: ADMIN_LOGIN, VarName: CONNECT_ADMIN_SASL_JAAS_CONFIG }\n", ""),
            ("      CONNECT_PRODUCER_SECURITY_PROTOCOL: SASL_SSL\n", ""),
            ("    environment:\n      CONNECT_B", "    §environment:\n      CONNECT_B"),
        ],
        &["the producer speaks PLAINTEXT, but the worker SASL_SSL", "CONNECT_PRODUCER_SECURITY_PROTOCOL"],
    ),
    mistake(
        "error[CE133]",
        &[
            ("        - { SecretKey: PRODUCER_LOGIN, VarName: CONNECT_PRODUCER_SASL_JAAS_CONFIG }\n", ""),
            ("    environment:\n      CONNECT_B", "    §environment:\n      CONNECT_B"),
        ],
        &["the producer has no login"],
    ),
    mistake(
        "warning[CE134]",
        &[(GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECTOR_DB_PASSWORD: hunter2\n")],
        &["holds a credential in plain text"],
    ),
    mistake(
        "error[CE135]",
        &[
            (
                "CONNECT_BOOTSTRAP_SERVERS: pkc-1.eu-west-1.aws.confluent.cloud:9092",
                "§CONNECT_BOOTSTRAP_SERVERS: pkc-1.eu-west-1.aws.confluent.cloud:9092",
            ),
            ("      CONNECT_SECURITY_PROTOCOL: SASL_SSL\n", "      CONNECT_SECURITY_PROTOCOL: SSL\n"),
        ],
        &["port 9092 of Confluent Cloud speaks SASL_SSL"],
    ),
    // One address for all.
    mistake(
        "warning[CE136]",
        &[
            (WORKER, "    image: acme/cp-kafka-connect:1\n"),
            (GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECT_REST_ADVERTISED_HOST_NAME: localhost\n"),
        ],
        &["would forward requests to themselves"],
    ),
    mistake(
        "error[CE136]",
        &[
            (WORKER, "    image: acme/cp-kafka-connect:1\n"),
            (
                GROUP,
                "      CONNECT_GROUP_ID: shop\n      §CONNECT_REST_ADVERTISED_HOST_NAME: internal-shop-1.eu-west-1.elb.amazonaws.com\n",
            ),
        ],
        &["a load balancer"],
    ),
    mistake(
        "warning[CE136]",
        &[
            (WORKER, "    image: acme/cp-kafka-connect:1\n"),
            (GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECT_REST_ADVERTISED_HOST_NAME: worker.shop.internal\n"),
        ],
        &["for each of 2 tasks"],
    ),
    // Registries.
    mistake(
        "error[CE148]",
        &[(URL, ""), ("CONNECT_VALUE_CONVERTER: io", "§CONNECT_VALUE_CONVERTER: io")],
        &["ProtobufConverter keeps its schemas in a registry", "CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL"],
    ),
    mistake(
        "error[CE130]",
        &[
            (URL, ""),
            ("protobuf.ProtobufConverter", "avro.AvroConverter"),
            ("    environment:\n      CONNECT_B", "    §environment:\n      CONNECT_B"),
        ],
        &["CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL is missing"],
    ),
    mistake(
        "error[CE148]",
        &[
            ("https://psrc-1", "psrc-1"),
            ("CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL", "§CONNECT_VALUE_CONVERTER_SCHEMA_REGISTRY_URL"),
        ],
        &["is no address of a registry"],
    ),
    mistake(
        "error[CE148]",
        &[
            ("        - { SecretKey: REGISTRY, VarName: CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO }\n", ""),
            ("CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE", "§CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE"),
        ],
        &["CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO is missing"],
    ),
    mistake(
        "error[CE148]",
        &[(SOURCE, ""), ("{ SecretKey: REGISTRY", "{ SecretKey: §REGISTRY")],
        &["is not looked at", "write CONNECT_VALUE_CONVERTER_BASIC_AUTH_CREDENTIALS_SOURCE: USER_INFO"],
    ),
    mistake(
        "error[CE148]",
        &[
            (SOURCE, ""),
            ("        - { SecretKey: REGISTRY, VarName: CONNECT_VALUE_CONVERTER_BASIC_AUTH_USER_INFO }\n", ""),
            ("    environment:\n      CONNECT_B", "    §environment:\n      CONNECT_B"),
        ],
        &["the registry on Confluent Cloud asks for a login"],
    ),
    // Versions.
    mistake(
        "error[CE149]",
        &[(
            "    image: confluentinc/cp-enterprise-control-center-next-gen:2.6.0",
            "    §image: confluentinc/cp-enterprise-control-center-next-gen:8.0.0",
        )],
        &["there is no Control Center 8.0"],
    ),
    mistake(
        "error[CE149]",
        &[(
            "    image: confluentinc/cp-enterprise-control-center-next-gen:2.6.0",
            "    §image: confluentinc/cp-enterprise-control-center:8.0.7",
        )],
        &["ended with 7.9", "next-gen"],
    ),
    mistake(
        "warning[CE149]",
        &[(
            "    image: confluentinc/cp-enterprise-control-center-next-gen:2.6.0",
            "    §image: confluentinc/cp-enterprise-control-center-next-gen:2.0.0",
        )],
        &["works with Confluent Platform 7.5 to 7.9", "take Control Center 2.6"],
    ),
    mistake(
        "warning[CE149]",
        &[("    image: confluentinc/cp-schema-registry:8.0.7", "    §image: confluentinc/cp-schema-registry:7.9.8")],
        &["different major versions"],
    ),
    mistake(
        "error[CE149]",
        &[("CONTROL_CENTER_MODE_ENABLE: management", "§CONTROL_CENTER_MODE_ENABLE: all")],
        &["CONTROL_CENTER_MODE_ENABLE is not management", "brokers that push them"],
    ),
    mistake(
        "error[CE149]",
        &[
            ("      CONTROL_CENTER_PROMETHEUS_ENABLE: \"false\"\n", ""),
            ("    environment:\n      CONTROL_CENTER_B", "    §environment:\n      CONTROL_CENTER_B"),
        ],
        &["CONTROL_CENTER_PROMETHEUS_ENABLE is not false"],
    ),
    mistake(
        "error[CE149]",
        &[(
            "secrets:\n  worker:\n",
            "  metrics:\n    §image: confluentinc/cp-enterprise-prometheus:2.5.1\n    deploy: { resources: { limits: { cpus: '1', memory: 2G } } }\nsecrets:\n  worker:\n",
        )],
        &["metrics is not of the version of console, which is 2.6.0"],
    ),
    mistake(
        "error[CE149]",
        &[
            (WORKER, "    image: confluentinc/cp-kafka-connect:7.2.1\n"),
            (GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: enabled\n"),
        ],
        &["is known from 7.3 on, and the image is of 7.2"],
    ),
    mistake(
        "error[CE149]",
        &[
            (WORKER, "    image: confluentinc/cp-kafka-connect:7.4.1\n"),
            (
                GROUP,
                "      CONNECT_GROUP_ID: shop\n      CONNECT_CONFIG_PROVIDERS: env\n      §CONNECT_CONFIG_PROVIDERS_ENV_CLASS: org.apache.kafka.common.config.provider.EnvVarConfigProvider\n",
            ),
        ],
        &["is known from 7.5 on"],
    ),
    mistake(
        "error[CE149]",
        &[(
            GROUP,
            "      CONNECT_GROUP_ID: shop\n      §CONNECT_SASL_LOGIN_CALLBACK_HANDLER_CLASS: org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler\n",
        )],
        &["is known up to 7.9 only", "write CONNECT_SASL_LOGIN_CALLBACK_HANDLER_CLASS"],
    ),
    // Values that the worker checks.
    mistake(
        "error[CE142]",
        &[(GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: 'true'\n")],
        &["`true`, which it doesn't know", "one of disabled, preparing, enabled"],
    ),
    mistake(
        "error[CE142]",
        &[(GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECT_OFFSET_STORAGE_PARTITIONS: 0\n")],
        &["offset.storage.partitions is 0", "write a number from 1"],
    ),
    mistake(
        "error[CE142]",
        &[(GROUP, "      CONNECT_GROUP_ID: shop\n      §CONNECT_SESSION_TIMEOUT_MS: 10s\n")],
        &["session.timeout.ms is no number: `10s`"],
    ),
    // Stores that Kafka's client refuses.
    mistake(
        "error[CE142]",
        &[(
            "      SCHEMA_REGISTRY_LISTENERS:",
            "      SCHEMA_REGISTRY_KAFKASTORE_SSL_TRUSTSTORE_CERTIFICATES: x\n      §SCHEMA_REGISTRY_KAFKASTORE_SSL_TRUSTSTORE_TYPE: pem\n      SCHEMA_REGISTRY_LISTENERS:",
        )],
        &["ssl.truststore.certificates takes PEM, and ssl.truststore.type is pem", "in capital letters"],
    ),
    mistake(
        "error[CE142]",
        &[(
            "      SCHEMA_REGISTRY_LISTENERS:",
            "      SCHEMA_REGISTRY_KAFKASTORE_SSL_TRUSTSTORE_CERTIFICATES: x\n      SCHEMA_REGISTRY_KAFKASTORE_SSL_TRUSTSTORE_TYPE: PEM\n      §SCHEMA_REGISTRY_KAFKASTORE_SSL_TRUSTSTORE_LOCATION: /x.pem\n      SCHEMA_REGISTRY_LISTENERS:",
        )],
        &["are both set"],
    ),
    mistake(
        "error[CE142]",
        &[(
            "      SCHEMA_REGISTRY_LISTENERS:",
            "      §SCHEMA_REGISTRY_KAFKASTORE_SSL_KEYSTORE_LOCATION: /x.jks\n      SCHEMA_REGISTRY_LISTENERS:",
        )],
        &["ssl.keystore.location is set, and ssl.keystore.password is not"],
    ),
    mistake(
        "error[CE142]",
        &[(
            "      SCHEMA_REGISTRY_LISTENERS:",
            "      §SCHEMA_REGISTRY_KAFKASTORE_SSL_ENABLED_PROTOCOLS: TLSv1,TLSv1.1\n      SCHEMA_REGISTRY_LISTENERS:",
        )],
        &["ssl.enabled.protocols allows TLSv1, TLSv1.1", "leave it out"],
    ),
    // Exactly once.
    mistake(
        "error[CE122]",
        &[("topics: [orders] }", "topics: [orders], exactly-once: §true }")],
        &["the worker does not let it", "write CONNECT_EXACTLY_ONCE_SOURCE_SUPPORT: enabled"],
    ),
    // A token endpoint that the JVM isn't told of.
    mistake(
        "error[CE133]",
        &[(
            "      CONNECT_SASL_MECHANISM: PLAIN\n",
            "      CONNECT_SASL_MECHANISM: OAUTHBEARER\n      §CONNECT_SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL: https://login.example/token\n",
        )],
        &["KAFKA_OPTS doesn't name the address", "allowed.urls=https://login.example/token"],
    ),
    // Names that are shared.
    mistake(
        "error[CE190]",
        &[
            ("CONNECT_STATUS_STORAGE_TOPIC: shop-status", "CONNECT_STATUS_STORAGE_TOPIC: shop-offsets"),
            ("    environment:\n      CONNECT_B", "    §environment:\n      CONNECT_B"),
        ],
        &["keeps two things in the topic shop-offsets"],
    ),
    // Image and task.
    mistake("error[CE191]", &[(GROUP, "      CONNECT_GROUP_ID: shop\n      §KAFKA_HEAP_OPTS: -Xmx2g\n")], &["2048 MiB"]),
    mistake(
        "error[CE192]",
        &[(
            "    image: confluentinc/cp-kafka-connect:8.0.7\n",
            "    image: confluentinc/cp-kafka-connect:8.3.1\n    healthcheck:\n      §test: [CMD, curl, -f, 'http://localhost:8083/']\n",
        )],
        &["calls curl"],
    ),
];

fn rendered(text: &str) -> crate::support::program::Ran {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("docker-compose.yml"), text).unwrap();
    run_with(folder.path(), &["render"], "", &[])
}

#[test]
fn a_sound_project_is_left_in_peace() {
    let ran = rendered(&sound());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn each_mistake_is_found_at_its_place() {
    let mut wrong = Vec::new();
    for mistake in MISTAKES {
        let mut text = sound();
        for (from, to) in mistake.changes {
            assert!(text.contains(from), "{from}");
            text = text.replacen(from, to, 1);
        }
        let before = text.split('§').next().unwrap();
        let line = before.matches('\n').count() + 1;
        let text = text.replace('§', "");
        let ran = rendered(&text);
        let place = format!("docker-compose.yml:{line}:");
        let found = ran.stderr.lines().any(|said| said.starts_with(&place) && said.contains(mistake.code));
        let worded = mistake.words.iter().all(|word| ran.stderr.contains(word));
        let exit = if mistake.code.starts_with("error") { 2 } else { 0 };
        if !found || !worded || ran.code != exit || ran.stderr.contains("hunter2") {
            wrong.push(format!("{place} {} {:?} (exit status {})\n{}", mistake.code, mistake.words, ran.code, ran.stderr));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), MISTAKES.len(), wrong.join("\n----\n"));
}

/// Two services with the names of one cluster, or of half of one.
#[test]
fn two_services_of_one_cluster_are_told() {
    let base = sound();
    let start = base.find("  worker:\n").unwrap();
    let end = base.find("  schemas:\n").unwrap();
    let twin = base[start..end].replace("  worker:\n", "  zweiter:\n");
    let with = |twin: &str| rendered(&format!("{}{twin}{}", &base[..end], &base[end..]));
    let same = with(&twin);
    assert!(same.code == 0 && same.stderr.contains("warning[CE190]") && same.stderr.contains("they are one cluster"), "{same:?}");
    let half = with(&twin.replace("GROUP_ID: shop", "GROUP_ID: other"));
    assert!(half.code == 2 && half.stderr.contains("share topic shop-configs"), "{half:?}");
    let apart = with(&twin.replace(": shop", ": other"));
    assert_eq!((apart.code, apart.stderr.as_str()), (0, ""), "{apart:?}");
}
