//! The Compose Specification as data: every key, and what it may hold. [`super::schema`] checks against it.

use super::shape::{BOOL, DATE, INT, List, Mapping, NULL, NUM, Names, STR, Shape, TextRule};

const STRING: Shape = Shape::STRING;
/// A boolean, or text that becomes one.
const FLAG: Shape = Shape::of(BOOL | STR);
/// A whole number, or text that becomes one.
const COUNT: Shape = Shape::of(INT | STR);
const NUMBER: Shape = Shape::of(NUM | STR);
const SIZE: Shape = COUNT;

static ITEMS: List = List { item: STRING, unique: false };
static UNIQUE_ITEMS: List = List { item: STRING, unique: true };
static UNIQUE_SCALARS: List = List { item: Shape::of(STR | NUM), unique: true };
const STRINGS: Shape = Shape::list(&ITEMS);
const UNIQUE: Shape = Shape::list(&UNIQUE_ITEMS);
const STRING_OR_LIST: Shape = Shape::list(&UNIQUE_ITEMS).or(STR);

static VALUES: Mapping = Mapping::named(Names::Any, Shape::of(STR | DATE | NUM | BOOL | NULL));
/// `KEY: value` or `- KEY=value`.
const LIST_OR_DICT: Shape = Shape::list(&UNIQUE_ITEMS).or_map(&VALUES);
static DRIVER_OPTIONS: Mapping = Mapping::named(Names::Any, Shape::of(STR | DATE | NUM));
static TEXTS: Mapping = Mapping::named(Names::Any, STRING.or(DATE));
static HOST_ADDRESSES: Mapping = Mapping::named(Names::Any, Shape::list(&ITEMS).or(STR));
const EXTRA_HOSTS: Shape = Shape::list(&UNIQUE_ITEMS).or_map(&HOST_ADDRESSES);
const COMMAND: Shape = Shape::list(&ITEMS).or(STR | NULL);

static PROJECT: Mapping = Mapping::keys(&[
    // Ours: raw CloudFormation. Docker knows no such key.
    ("Resources", Shape::ANY.or(NULL)),
    ("configs", Shape::map(&CONFIGS)),
    ("include", Shape::list(&INCLUDES)),
    ("models", Shape::map(&MODELS)),
    ("name", STRING.or(DATE)),
    ("networks", Shape::map(&NETWORKS)),
    ("secrets", Shape::map(&SECRETS)),
    ("services", Shape::map(&SERVICES)),
    ("version", STRING.or(DATE)),
    ("volumes", Shape::map(&VOLUMES)),
]);
/// A whole file.
pub(super) const ROOT: Shape = Shape::map(&PROJECT);

static INCLUDES: List = List { item: Shape::map(&INCLUDE).or(STR | NULL), unique: false };
static INCLUDE: Mapping = Mapping::keys(&[
    ("env_file", STRING_OR_LIST.or(NULL)),
    ("path", STRING_OR_LIST.or(NULL)),
    ("project_directory", Shape::of(STR | INT | NULL)),
])
.closed()
.open();
/// An entry of `include`.
pub(super) const INCLUDE_LIST: Shape = Shape::list(&INCLUDES);

static SERVICES: Mapping = Mapping::named(Names::Word, Shape::map(&SERVICE));
static MODELS: Mapping = Mapping::named(Names::Any, Shape::map(&MODEL));
static NETWORKS: Mapping = Mapping::named(Names::Any, Shape::map(&NETWORK).or(NULL));
static VOLUMES: Mapping = Mapping::named(Names::Word, Shape::map(&VOLUME).or(NULL));
static SECRETS: Mapping = Mapping::named(Names::Word, Shape::map(&SECRET));
static CONFIGS: Mapping = Mapping::named(Names::Word, Shape::map(&CONFIG));

static SERVICE: Mapping = Mapping::keys(&[
    ("annotations", LIST_OR_DICT),
    ("attach", FLAG),
    ("blkio_config", Shape::map(&BLKIO_CONFIG)),
    ("build", Shape::map(&BUILD).or(STR)),
    ("cap_add", UNIQUE),
    ("cap_drop", UNIQUE),
    ("cgroup", Shape::words(&["host", "private"])),
    ("cgroup_parent", STRING),
    ("command", COMMAND),
    ("configs", Shape::list(&FILE_MOUNTS)),
    ("container_name", STRING.text(TextRule::ContainerName)),
    ("cpu_count", COUNT.within(0, i64::MAX)),
    ("cpu_percent", COUNT.within(0, 100)),
    ("cpu_period", NUMBER),
    ("cpu_quota", NUMBER),
    ("cpu_rt_period", NUMBER),
    ("cpu_rt_runtime", NUMBER),
    ("cpu_shares", NUMBER),
    ("cpus", NUMBER),
    ("cpuset", STRING),
    ("credential_spec", Shape::map(&CREDENTIAL_SPEC)),
    ("depends_on", Shape::list(&UNIQUE_ITEMS).or_map(&DEPENDENCIES)),
    ("deploy", Shape::map(&DEPLOY).or(NULL)),
    ("develop", Shape::map(&DEVELOP).or(NULL)),
    ("device_cgroup_rules", UNIQUE),
    ("devices", Shape::list(&DEVICES)),
    ("dns", STRING_OR_LIST),
    ("dns_opt", UNIQUE),
    ("dns_search", STRING_OR_LIST),
    ("domainname", STRING),
    ("entrypoint", COMMAND),
    ("env_file", Shape::list(&ENV_FILES).or(STR)),
    ("environment", LIST_OR_DICT),
    ("expose", Shape::list(&UNIQUE_SCALARS)),
    ("extends", Shape::map(&EXTENDS).or(STR)),
    ("external_links", UNIQUE),
    ("extra_hosts", EXTRA_HOSTS),
    ("gpus", Shape { scalars: STR, words: &["all"], ..Shape::list(&GPUS) }),
    ("group_add", Shape::list(&UNIQUE_SCALARS)),
    ("healthcheck", Shape::map(&HEALTHCHECK)),
    ("hostname", STRING),
    ("image", STRING),
    ("init", FLAG),
    ("ipc", STRING),
    ("isolation", STRING),
    ("label_file", Shape::list(&ITEMS).or(STR)),
    ("labels", LIST_OR_DICT),
    ("links", UNIQUE),
    ("logging", Shape::map(&LOGGING)),
    ("mac_address", STRING),
    ("mem_limit", NUMBER),
    ("mem_reservation", SIZE),
    ("mem_swappiness", COUNT),
    ("memswap_limit", NUMBER),
    ("models", Shape::list(&UNIQUE_ITEMS).or_map(&SERVICE_MODELS)),
    ("network_mode", STRING),
    ("networks", Shape::list(&UNIQUE_ITEMS).or_map(&SERVICE_NETWORKS)),
    ("oom_kill_disable", FLAG),
    ("oom_score_adj", COUNT.within(-1000, 1000)),
    ("pid", Shape::of(STR | NULL)),
    ("pids_limit", NUMBER),
    ("platform", STRING),
    ("ports", Shape::list(&PORTS)),
    ("post_start", Shape::list(&HOOKS)),
    ("pre_start", Shape::list(&PRE_START_HOOKS)),
    ("pre_stop", Shape::list(&HOOKS)),
    ("privileged", FLAG),
    ("profiles", UNIQUE),
    ("provider", Shape::map(&PROVIDER)),
    ("pull_policy", STRING.text(TextRule::PullPolicy)),
    ("pull_refresh_after", STRING.or(DATE)),
    ("read_only", FLAG),
    ("restart", STRING),
    ("runtime", STRING),
    ("scale", COUNT),
    ("secrets", Shape::list(&FILE_MOUNTS)),
    ("security_opt", UNIQUE),
    ("shm_size", NUMBER),
    ("stdin_open", FLAG),
    ("stop_grace_period", Shape::DURATION),
    ("stop_signal", STRING),
    ("storage_opt", Shape::map(&STORAGE_OPTIONS)),
    ("sysctls", LIST_OR_DICT),
    ("tmpfs", STRING_OR_LIST),
    ("tty", FLAG),
    ("ulimits", Shape::map(&ULIMITS)),
    ("use_api_socket", Shape::of(BOOL)),
    ("user", STRING),
    ("userns_mode", STRING),
    ("uts", STRING),
    ("volumes", Shape::list(&VOLUME_MOUNTS)),
    ("volumes_from", UNIQUE),
    ("working_dir", STRING),
]);

static STORAGE_OPTIONS: Mapping = Mapping::named(Names::Any, Shape::ANY);

static BUILD: Mapping = Mapping::keys(&[
    ("additional_contexts", LIST_OR_DICT),
    ("args", LIST_OR_DICT),
    ("cache_from", STRINGS),
    ("cache_to", STRINGS),
    ("context", STRING),
    ("dockerfile", STRING),
    ("dockerfile_inline", STRING),
    ("entitlements", STRINGS),
    ("extra_hosts", EXTRA_HOSTS),
    ("isolation", STRING),
    ("labels", LIST_OR_DICT),
    ("network", STRING),
    ("no_cache", FLAG),
    ("no_cache_filter", STRING_OR_LIST),
    ("platforms", STRINGS),
    ("privileged", FLAG),
    ("provenance", FLAG.or(DATE)),
    ("pull", FLAG),
    ("sbom", FLAG.or(DATE)),
    ("secrets", Shape::list(&FILE_MOUNTS)),
    ("shm_size", SIZE),
    ("ssh", LIST_OR_DICT),
    ("tags", STRINGS),
    ("target", STRING),
    ("ulimits", Shape::map(&ULIMITS)),
]);

static BLKIO_CONFIG: Mapping = Mapping::keys(&[
    ("device_read_bps", Shape::list(&BLKIO_LIMITS)),
    ("device_read_iops", Shape::list(&BLKIO_LIMITS)),
    ("device_write_bps", Shape::list(&BLKIO_LIMITS)),
    ("device_write_iops", Shape::list(&BLKIO_LIMITS)),
    ("weight", COUNT),
    ("weight_device", Shape::list(&BLKIO_WEIGHTS)),
])
.closed();
static BLKIO_LIMIT: Mapping = Mapping::keys(&[("path", STRING), ("rate", SIZE)]).closed();
static BLKIO_LIMITS: List = List { item: Shape::map(&BLKIO_LIMIT), unique: false };
static BLKIO_WEIGHT: Mapping = Mapping::keys(&[("path", STRING), ("weight", COUNT)]).closed();
static BLKIO_WEIGHTS: List = List { item: Shape::map(&BLKIO_WEIGHT), unique: false };

static CREDENTIAL_SPEC: Mapping = Mapping::keys(&[("config", STRING), ("file", STRING), ("registry", STRING)]);

static DEPENDENCIES: Mapping = Mapping::named(Names::Word, Shape::map(&DEPENDENCY));
static DEPENDENCY: Mapping = Mapping::keys(&[
    ("condition", Shape::words(&["service_started", "service_healthy", "service_completed_successfully"])),
    ("required", Shape::of(BOOL)),
    ("restart", FLAG),
])
.requires(&["condition"]);

static DEPLOY: Mapping = Mapping::keys(&[
    ("endpoint_mode", STRING),
    ("labels", LIST_OR_DICT),
    ("mode", STRING),
    ("placement", Shape::map(&PLACEMENT)),
    ("replicas", COUNT),
    ("resources", Shape::map(&RESOURCES)),
    ("restart_policy", Shape::map(&RESTART_POLICY)),
    ("rollback_config", Shape::map(&UPDATE_CONFIG)),
    ("update_config", Shape::map(&UPDATE_CONFIG)),
]);
static UPDATE_CONFIG: Mapping = Mapping::keys(&[
    ("delay", Shape::DURATION),
    ("failure_action", STRING),
    ("max_failure_ratio", NUMBER),
    ("monitor", Shape::DURATION),
    ("order", Shape::words(&["start-first", "stop-first"])),
    ("parallelism", COUNT),
]);
static RESOURCES: Mapping = Mapping::keys(&[("limits", Shape::map(&LIMITS)), ("reservations", Shape::map(&RESERVATIONS))]);
static LIMITS: Mapping = Mapping::keys(&[("cpus", NUMBER), ("memory", STRING), ("pids", COUNT)]);
static RESERVATIONS: Mapping = Mapping::keys(&[
    ("cpus", NUMBER),
    ("devices", Shape::list(&DEVICE_REQUESTS)),
    ("generic_resources", Shape::list(&GENERIC_RESOURCES)),
    ("memory", STRING),
]);
static GENERIC_RESOURCES: List = List { item: Shape::map(&GENERIC_RESOURCE), unique: false };
static GENERIC_RESOURCE: Mapping = Mapping::keys(&[("discrete_resource_spec", Shape::map(&DISCRETE_RESOURCE))]);
static DISCRETE_RESOURCE: Mapping = Mapping::keys(&[("kind", STRING), ("value", NUMBER)]);
const DEVICE_REQUEST_KEYS: &[(&str, Shape)] =
    &[("capabilities", UNIQUE), ("count", COUNT), ("device_ids", UNIQUE), ("driver", STRING), ("options", LIST_OR_DICT)];
static DEVICE_REQUEST: Mapping = Mapping::keys(DEVICE_REQUEST_KEYS).requires(&["capabilities"]);
static DEVICE_REQUESTS: List = List { item: Shape::map(&DEVICE_REQUEST), unique: false };
static GPU: Mapping = Mapping::keys(DEVICE_REQUEST_KEYS).open();
static GPUS: List = List { item: Shape::map(&GPU), unique: false };
static RESTART_POLICY: Mapping =
    Mapping::keys(&[("condition", STRING), ("delay", Shape::DURATION), ("max_attempts", COUNT), ("window", Shape::DURATION)]);
static PLACEMENT: Mapping =
    Mapping::keys(&[("constraints", STRINGS), ("max_replicas_per_node", COUNT), ("preferences", Shape::list(&PREFERENCES))]);
static PREFERENCES: List = List { item: Shape::map(&PREFERENCE), unique: false };
static PREFERENCE: Mapping = Mapping::keys(&[("spread", STRING)]);

static DEVELOP: Mapping = Mapping::keys(&[("watch", Shape::list(&TRIGGERS))]);
static TRIGGERS: List = List { item: Shape::map(&TRIGGER), unique: false };
static TRIGGER: Mapping = Mapping::keys(&[
    ("action", Shape::words(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
    ("exec", Shape::map(&HOOK)),
    ("ignore", STRING_OR_LIST),
    ("include", STRING_OR_LIST),
    ("initial_sync", Shape::of(BOOL)),
    ("path", STRING),
    ("target", STRING),
])
.requires(&["path", "action"]);

static DEVICES: List = List { item: Shape::map(&DEVICE).or(STR), unique: false };
static DEVICE: Mapping = Mapping::keys(&[("permissions", STRING), ("source", STRING), ("target", STRING)]).requires(&["source"]);

static ENV_FILES: List = List { item: Shape::map(&ENV_FILE).or(STR), unique: false };
static ENV_FILE: Mapping =
    Mapping::keys(&[("format", STRING), ("path", STRING), ("required", FLAG)]).requires(&["path"]).closed();

static EXTENDS: Mapping = Mapping::keys(&[("file", STRING.or(NULL)), ("service", STRING)]).requires(&["service"]).closed().open();
/// The value of `extends`.
pub(super) const EXTENDS_VALUE: Shape = Shape::map(&EXTENDS).or(STR);

static HEALTHCHECK: Mapping = Mapping::keys(&[
    ("disable", FLAG),
    ("interval", Shape::DURATION),
    ("retries", NUMBER),
    ("start_interval", Shape::DURATION),
    ("start_period", Shape::DURATION),
    ("test", Shape::list(&ITEMS).or(STR)),
    ("timeout", Shape::DURATION),
]);

static LOGGING: Mapping = Mapping::keys(&[("driver", STRING), ("options", Shape::map(&LOG_OPTIONS))]);
static LOG_OPTIONS: Mapping = Mapping::named(Names::Any, Shape::of(STR | DATE | NUM | NULL));

static SERVICE_MODELS: Mapping = Mapping::named(Names::Any, Shape::map(&SERVICE_MODEL).or(NULL));
static SERVICE_MODEL: Mapping = Mapping::keys(&[("endpoint_var", STRING), ("model_var", STRING)]);

static SERVICE_NETWORKS: Mapping = Mapping::named(Names::Word, Shape::map(&SERVICE_NETWORK).or(NULL));
static SERVICE_NETWORK: Mapping = Mapping::keys(&[
    ("aliases", UNIQUE),
    ("driver_opts", Shape::map(&DRIVER_OPTIONS)),
    ("gw_priority", Shape::of(NUM)),
    ("interface_name", STRING),
    ("ipv4_address", STRING),
    ("ipv6_address", STRING),
    ("link_local_ips", UNIQUE),
    ("mac_address", STRING),
    ("priority", Shape::of(NUM)),
]);

static PORTS: List = List { item: Shape::map(&PORT).or(STR | NUM), unique: true };
static PORT: Mapping = Mapping::keys(&[
    ("app_protocol", STRING),
    ("host_ip", STRING),
    ("mode", STRING),
    ("name", STRING),
    ("protocol", STRING),
    ("published", COUNT),
    ("target", COUNT),
]);

static HOOKS: List = List { item: Shape::map(&HOOK), unique: false };
static HOOK: Mapping = Mapping::keys(&[
    ("command", COMMAND),
    ("environment", LIST_OR_DICT),
    ("privileged", FLAG),
    ("user", STRING),
    ("working_dir", STRING),
])
.requires(&["command"]);
static PRE_START_HOOKS: List = List { item: Shape::map(&PRE_START_HOOK), unique: false };
static PRE_START_HOOK: Mapping = Mapping::keys(&[
    ("command", COMMAND),
    ("environment", LIST_OR_DICT),
    ("image", STRING),
    ("per_replica", FLAG),
    ("privileged", FLAG),
    ("user", STRING),
    ("working_dir", STRING),
]);

static PROVIDER: Mapping = Mapping::keys(&[("options", Shape::map(&PROVIDER_OPTIONS)), ("type", STRING)]).requires(&["type"]);
static PROVIDER_OPTIONS: Mapping = Mapping::named(Names::Any, Shape::list(&PROVIDER_VALUES).or(STR | DATE | NUM | BOOL));
static PROVIDER_VALUES: List = List { item: Shape::of(STR | DATE | NUM | BOOL), unique: false };

static FILE_MOUNTS: List = List { item: Shape::map(&FILE_MOUNT).or(STR), unique: false };
static FILE_MOUNT: Mapping =
    Mapping::keys(&[("gid", STRING), ("mode", NUMBER), ("source", STRING), ("target", STRING), ("uid", STRING)]);

static ULIMITS: Mapping = Mapping::named(Names::Letters, Shape::map(&ULIMIT).or(INT | STR));
static ULIMIT: Mapping = Mapping::keys(&[("hard", COUNT), ("soft", COUNT)]).requires(&["soft", "hard"]);

static VOLUME_MOUNTS: List = List { item: Shape::map(&VOLUME_MOUNT).or(STR), unique: true };
static VOLUME_MOUNT: Mapping = Mapping::keys(&[
    ("bind", Shape::map(&VOLUME_BIND)),
    ("consistency", STRING),
    ("image", Shape::map(&VOLUME_IMAGE)),
    ("read_only", FLAG),
    ("source", STRING),
    ("target", STRING),
    ("tmpfs", Shape::map(&VOLUME_TMPFS)),
    ("type", Shape::words(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
    ("volume", Shape::map(&VOLUME_OPTIONS)),
])
.requires(&["type"]);
static VOLUME_BIND: Mapping = Mapping::keys(&[
    ("create_host_path", FLAG),
    ("propagation", STRING),
    ("recursive", Shape::words(&["enabled", "disabled", "writable", "readonly"])),
    ("selinux", Shape::words(&["z", "Z"])),
]);
static VOLUME_IMAGE: Mapping = Mapping::keys(&[("subpath", STRING)]);
static VOLUME_OPTIONS: Mapping = Mapping::keys(&[("labels", LIST_OR_DICT), ("nocopy", FLAG), ("subpath", STRING)]);
static VOLUME_TMPFS: Mapping = Mapping::keys(&[("mode", NUMBER), ("size", SIZE.within(0, i64::MAX))]);

static EXTERNAL: Mapping = Mapping::keys(&[("name", STRING)]);
static OPEN_EXTERNAL: Mapping = Mapping::keys(&[("name", STRING)]).open();

static NETWORK: Mapping = Mapping::keys(&[
    ("attachable", FLAG),
    ("driver", STRING),
    ("driver_opts", Shape::map(&DRIVER_OPTIONS)),
    ("enable_ipv4", FLAG),
    ("enable_ipv6", FLAG),
    ("external", Shape::map(&EXTERNAL).or(BOOL | STR)),
    ("internal", FLAG),
    ("ipam", Shape::map(&IPAM)),
    ("labels", LIST_OR_DICT),
    ("name", STRING),
]);
static IPAM: Mapping = Mapping::keys(&[("config", Shape::list(&POOLS)), ("driver", STRING), ("options", Shape::map(&TEXTS))]);
static POOLS: List = List { item: Shape::map(&POOL), unique: false };
static POOL: Mapping =
    Mapping::keys(&[("aux_addresses", Shape::map(&TEXTS)), ("gateway", STRING), ("ip_range", STRING), ("subnet", STRING)]);

static VOLUME: Mapping = Mapping::keys(&[
    ("driver", STRING),
    ("driver_opts", Shape::map(&DRIVER_OPTIONS)),
    ("external", Shape::map(&EXTERNAL).or(BOOL | STR)),
    ("labels", LIST_OR_DICT),
    ("name", STRING),
]);
static SECRET: Mapping = Mapping::keys(&[
    ("driver", STRING),
    ("driver_opts", Shape::map(&DRIVER_OPTIONS)),
    ("environment", STRING),
    ("external", Shape::map(&OPEN_EXTERNAL).or(BOOL | STR)),
    ("file", STRING),
    ("labels", LIST_OR_DICT),
    ("name", STRING),
    ("template_driver", STRING),
]);
static CONFIG: Mapping = Mapping::keys(&[
    ("content", STRING),
    ("environment", STRING),
    ("external", Shape::map(&OPEN_EXTERNAL).or(BOOL | STR)),
    ("file", STRING),
    ("labels", LIST_OR_DICT),
    ("name", STRING),
    ("template_driver", STRING),
]);
static MODEL: Mapping =
    Mapping::keys(&[("context_size", Shape::of(INT)), ("model", STRING), ("name", STRING), ("runtime_flags", STRINGS)])
        .requires(&["model"]);

#[cfg(test)]
mod tests {
    use super::ROOT;
    use crate::compose::shape::{Mapping, Shape};

    /// Every mapping that can be reached, once.
    fn collect(shape: &Shape, found: &mut Vec<&'static Mapping>) {
        if let Some(list) = shape.list {
            collect(&list.item, found);
        }
        let Some(mapping) = shape.map else { return };
        if found.iter().any(|known| std::ptr::eq(*known, mapping)) {
            return;
        }
        found.push(mapping);
        mapping
            .keys
            .iter()
            .map(|(_, shape)| shape)
            .chain(mapping.names.iter().map(|(_, shape)| shape))
            .for_each(|shape| collect(shape, found));
    }

    #[test]
    fn keys_stand_in_the_order_of_their_letters() {
        let mut mappings = Vec::new();
        collect(&ROOT, &mut mappings);
        assert!(mappings.len() > 40);
        for mapping in mappings {
            assert!(
                mapping.keys.is_sorted_by(|(one, _), (other, _)| one < other),
                "{:?}",
                mapping.keys.iter().map(|(key, _)| key).collect::<Vec<_>>()
            );
        }
    }
}
