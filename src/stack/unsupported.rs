//! Compose keys that ECS on Fargate can't honour, or that are not rendered yet: each is a finding, none is dropped in silence.

use super::build::Builder;
use crate::base::Code;
use crate::compose::Service;

/// What a key asks for that its service won't get: the key, whether it is set, and what happens instead.
type Rule = (&'static str, fn(&Service) -> bool, &'static str);

const RULES: &[Rule] = &[
    ("blkio_config", |s| s.blkio_config.is_some(), "Fargate sets no limits on block devices"),
    ("cap_add", |s| s.cap_add.iter().any(|cap| cap != "SYS_PTRACE"), "Fargate adds no capability but SYS_PTRACE"),
    ("cgroup", |s| set(s.cgroup.as_deref()), "Fargate has no control groups of one's own"),
    ("cgroup_parent", |s| set(s.cgroup_parent.as_deref()), "Fargate has no control groups of one's own"),
    ("configs", |s| !s.configs.is_empty(), "ECS mounts no configs: build the file into the image"),
    ("container_name", |s| set(s.container_name.as_deref()), "the container has the service's name"),
    ("cpu_period", |s| s.cpu_period != 0, "say CPUs with deploy.resources"),
    ("cpu_rt_period", |s| s.cpu_rt_period != 0, "Fargate has no real-time scheduler"),
    ("cpu_rt_runtime", |s| s.cpu_rt_runtime != 0, "Fargate has no real-time scheduler"),
    ("cpu_count", |s| s.cpu_count != 0, "say CPUs with deploy.resources"),
    ("cpu_percent", |s| s.cpu_percent != 0.0, "say CPUs with deploy.resources"),
    ("cpu_quota", |s| s.cpu_quota != 0, "say CPUs with deploy.resources"),
    ("cpu_shares", |s| s.cpu_shares != 0, "say CPUs with deploy.resources"),
    ("cpuset", |s| set(s.cpuset.as_deref()), "Fargate pins no CPUs"),
    ("credential_spec", |s| s.credential_spec.is_some(), "there is no credential specification on Linux"),
    ("device_cgroup_rules", |s| !s.device_cgroup_rules.is_empty(), "Fargate has no devices"),
    ("devices", |s| !s.devices.is_empty(), "Fargate has no devices"),
    ("dns", |s| !s.dns.is_empty(), "tasks use the VPC's resolver"),
    ("dns_opt", |s| !s.dns_opt.is_empty(), "tasks use the VPC's resolver"),
    ("dns_search", |s| !s.dns_search.is_empty(), "tasks use the VPC's resolver"),
    ("domainname", |s| set(s.domainname.as_deref()), "a task has the name that ECS gives it"),
    ("external_links", |s| !s.external_links.is_empty(), "there are no links: use names of Cloud Map"),
    ("extra_hosts", |s| !s.extra_hosts.is_empty(), "tasks have no hosts file of their own: use a hosted zone"),
    ("gpus", |s| !s.gpus.is_empty(), "Fargate has no GPUs"),
    ("group_add", |s| !s.group_add.is_empty(), "ECS adds no groups: do it in the image"),
    ("hostname", |s| set(s.hostname.as_deref()), "a task has the name that ECS gives it"),
    ("ipc", |s| set(s.ipc.as_deref()), "Fargate shares no memory between tasks"),
    ("links", |s| !s.links.is_empty(), "there are no links: use names of Cloud Map"),
    ("mac_address", |s| set(s.mac_address.as_deref()), "the task's network interface has its own"),
    ("isolation", |s| set(s.isolation.as_deref()), "Fargate isolates every task"),
    ("mem_swappiness", |s| s.mem_swappiness.get() != 0, "Fargate has no swap"),
    ("memswap_limit", |s| s.memswap_limit.get() != 0, "Fargate has no swap"),
    ("models", |s| !s.models.is_empty(), "ECS runs images only"),
    ("network_mode", |s| set(s.network_mode.as_deref()), "each task has a network interface of its own"),
    ("oom_kill_disable", |s| s.oom_kill_disable, "a container over its memory is stopped"),
    ("oom_score_adj", |s| s.oom_score_adj != 0, "a container over its memory is stopped"),
    ("pid", |s| set(s.pid.as_deref()), "processes are not shared with others"),
    ("pids_limit", |s| s.pids_limit > 0, "Fargate sets no limit on processes"),
    ("post_start", |s| !s.post_start.is_empty(), "ECS has no hooks: do it in the command"),
    ("pre_start", |s| !s.pre_start.is_empty(), "ECS has no hooks: do it in the command"),
    ("pre_stop", |s| !s.pre_stop.is_empty(), "ECS has no hooks: handle SIGTERM"),
    ("privileged", |s| s.privileged, "Fargate runs nothing privileged"),
    ("provider", |s| s.provider.is_some(), "ECS runs images only"),
    ("pull_policy", |s| set(s.pull_policy.as_deref()), "Fargate always pulls"),
    ("runtime", |s| set(s.runtime.as_deref()), "Fargate has one runtime"),
    ("security_opt", |s| !s.security_opt.is_empty(), "Fargate takes no security options"),
    ("shm_size", |s| s.shm_size.get() != 0, "Fargate's /dev/shm has a size of its own"),
    (
        "stop_signal",
        |s| s.stop_signal.as_deref().is_some_and(|signal| signal != "SIGTERM"),
        "ECS takes the signal from the image's STOPSIGNAL",
    ),
    ("storage_opt", |s| !s.storage_opt.is_empty(), "say disk space with the label ecs.ephemeral.storage"),
    ("use_api_socket", |s| s.use_api_socket, "Fargate has no engine to speak to"),
    ("userns_mode", |s| set(s.userns_mode.as_deref()), "Fargate has no user namespaces"),
    ("uts", |s| set(s.uts.as_deref()), "a task has a namespace of its own"),
];

fn set(text: Option<&str>) -> bool {
    text.is_some_and(|text| !text.is_empty())
}

impl Builder<'_> {
    /// `ends`: others in the task wait until it has ended, so that it may.
    pub(super) fn unsupported(&mut self, name: &str, service: &Service, ends: bool) {
        if service.restart.as_deref() == Some("no") && !ends {
            let message = "restart can't be honoured: ECS replaces every task that ends";
            self.warn(Code::NOT_ON_ECS, &["services", name, "restart"], message);
        }
        for (key, asked, instead) in RULES {
            if asked(service) {
                self.warn(Code::NOT_ON_ECS, &["services", name, key], format!("{key} can't be honoured: {instead}"));
            }
        }
        self.unsupported_deploy(name, service);
        if let Some(check) = service.healthcheck.as_ref().filter(|check| check.start_interval.is_some()) {
            debug_assert!(check.start_interval.is_some());
            let path = ["services", name, "healthcheck", "start_interval"];
            self.warn(Code::NOT_ON_ECS, &path, "start_interval can't be honoured: ECS checks at one interval");
        }
        if let Some(driver) =
            service.logging.as_ref().and_then(|logging| logging.driver.as_deref()).filter(|driver| *driver != "awslogs")
        {
            let message = format!("the log driver {driver} can't be honoured: logs go to CloudWatch Logs");
            self.warn(Code::NOT_ON_ECS, &["services", name, "logging", "driver"], message);
        }
        for (index, port) in service.ports.iter().enumerate() {
            let published = port.published.as_deref().unwrap_or_default();
            if set(port.host_ip.as_deref()) {
                let number = index.to_string();
                let message = "host_ip can't be honoured: who may reach a task is said with x-network.Ingress";
                self.warn(Code::NOT_ON_ECS, &["services", name, "ports", &number], message);
            }
            if !published.is_empty() && published != port.target.to_string() {
                let index = index.to_string();
                let message = format!("a task is reached on the container's own port {}, not on {published}", port.target);
                self.warn(Code::NOT_ON_ECS, &["services", name, "ports", &index], message);
            }
        }
    }

    fn unsupported_deploy(&mut self, name: &str, service: &Service) {
        let Some(deploy) = &service.deploy else { return };
        let mut asked = Vec::new();
        if deploy.mode.as_deref().is_some_and(|mode| mode != "replicated") {
            asked.push(("mode", "a service on Fargate has a number of tasks"));
        }
        if deploy.endpoint_mode.as_deref() == Some("vip") {
            asked.push(("endpoint_mode", "names lead to the tasks themselves"));
        }
        let placement = &deploy.placement;
        if !placement.constraints.is_empty() || !placement.preferences.is_empty() || placement.max_replicas_per_node > 0 {
            asked.push(("placement", "Fargate has no nodes; tasks are spread over the subnets' zones"));
        }
        if deploy.rollback_config.is_some() {
            asked.push(("rollback_config", "a failed deploy is rolled back as it was rolled out"));
        }
        if deploy.restart_policy.as_ref().and_then(|policy| policy.condition.as_deref()) == Some("none") {
            asked.push(("restart_policy", "ECS replaces every task that ends"));
        }
        for (key, instead) in asked {
            self.warn(Code::NOT_ON_ECS, &["services", name, "deploy", key], format!("{key} can't be honoured: {instead}"));
        }
        for (part, resource) in [("limits", &deploy.resources.limits), ("reservations", &deploy.resources.reservations)] {
            let Some(resource) = resource else { continue };
            let asked = [
                ("devices", !resource.devices.is_empty()),
                ("generic_resources", !resource.generic_resources.is_empty()),
                ("pids", resource.pids != 0),
            ];
            for (key, _) in asked.into_iter().filter(|(_, asked)| *asked) {
                let path = ["services", name, "deploy", "resources", part, key];
                self.warn(Code::NOT_ON_ECS, &path, format!("{key} can't be honoured: Fargate gives CPUs and memory"));
            }
        }
        let Some(update) = &deploy.update_config else { return };
        let action = update.failure_action.as_deref().unwrap_or_default();
        let rules = [
            ("failure_action", !action.is_empty() && action != "rollback", "a deploy that fails is rolled back"),
            ("delay", update.delay.nanoseconds() > 0, "ECS goes on when the new tasks are healthy"),
            ("monitor", update.monitor.nanoseconds() > 0, "the circuit breaker has its own measure"),
            ("max_failure_ratio", update.max_failure_ratio > 0.0, "the circuit breaker has its own measure"),
        ];
        for (key, asked, instead) in rules {
            if asked {
                let path = ["services", name, "deploy", "update_config", key];
                self.warn(Code::NOT_ON_ECS, &path, format!("{key} can't be honoured: {instead}"));
            }
        }
    }
}
