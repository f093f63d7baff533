//! A service.

use std::ops::{Deref, DerefMut};

use super::Named;
use super::build::{Build, Develop};
use super::deploy::{Deploy, DeviceRequest};
use super::mounts::{FileMount, VolumeMount};
use super::parts::{
    CredentialSpec, Dependency, DeviceMapping, Healthcheck, Hook, Logging, Port, Provider, ServiceModel, ServiceNetwork,
};
use super::special::{BlkioConfig, ExtraHosts, Ulimit};
use crate::base::Code;
use crate::compose::field::{CommandLine, Extensions, Field, Reader, Scalar, Text, View, record};
use crate::compose::node::{Node, Step, Value};
use crate::compose::out::Out;
use crate::compose::units::{Bytes, Cpus, Duration};

record! {
    /// What a service may have; see [`Service`].
    ServiceKeys {
        profiles: Vec<String> = "profiles",
        annotations: Named<String> = "annotations",
        attach: Option<bool> = "attach",
        build: Option<Box<Build>> = "build",
        develop: Option<Box<Develop>> = "develop",
        blkio_config: Option<Box<BlkioConfig>> = "blkio_config",
        cap_add: Vec<String> = "cap_add",
        cap_drop: Vec<String> = "cap_drop",
        cgroup_parent: Text = "cgroup_parent",
        cgroup: Text = "cgroup",
        cpu_count: i64 = "cpu_count",
        cpu_percent: f32 = "cpu_percent",
        cpu_period: i64 = "cpu_period",
        cpu_quota: i64 = "cpu_quota",
        cpu_rt_period: i64 = "cpu_rt_period",
        cpu_rt_runtime: i64 = "cpu_rt_runtime",
        /// Zero is "not set".
        cpus: Cpus = "cpus",
        cpuset: Text = "cpuset",
        cpu_shares: i64 = "cpu_shares",
        command: CommandLine = "command",
        configs: Vec<FileMount> = "configs",
        container_name: Text = "container_name",
        credential_spec: Option<Box<CredentialSpec>> = "credential_spec",
        depends_on: Named<Dependency> = "depends_on",
        deploy: Option<Box<Deploy>> = "deploy",
        device_cgroup_rules: Vec<String> = "device_cgroup_rules",
        devices: Vec<DeviceMapping> = "devices",
        dns: Vec<String> = "dns",
        dns_opt: Vec<String> = "dns_opt",
        dns_search: Vec<String> = "dns_search",
        domainname: Text = "domainname",
        entrypoint: CommandLine = "entrypoint",
        provider: Option<Box<Provider>> = "provider",
        /// Resolved: `env_file` is in it. `None` is a variable that is declared but has no value anywhere.
        environment: Named<Option<Scalar>> = "environment",
        expose: Vec<String> = "expose",
        external_links: Vec<String> = "external_links",
        extra_hosts: ExtraHosts = "extra_hosts",
        group_add: Vec<String> = "group_add",
        gpus: Vec<DeviceRequest> = "gpus",
        hostname: Text = "hostname",
        healthcheck: Option<Box<Healthcheck>> = "healthcheck",
        image: Text = "image",
        init: Option<bool> = "init",
        ipc: Text = "ipc",
        isolation: Text = "isolation",
        /// Those that are not in `labels` yet: a service that is switched on by its name keeps them so, as in the reference.
        label_file: Vec<String> = "label_file",
        labels: Named<String> = "labels",
        links: Vec<String> = "links",
        logging: Option<Box<Logging>> = "logging",
        /// Zero is "not set", here and in the sizes below.
        mem_limit: Bytes = "mem_limit",
        mem_reservation: Bytes = "mem_reservation",
        memswap_limit: Bytes = "memswap_limit",
        mem_swappiness: Bytes = "mem_swappiness",
        mac_address: Text = "mac_address",
        models: Named<Option<ServiceModel>> = "models",
        network_mode: Text = "network_mode",
        networks: Named<Option<Box<ServiceNetwork>>> = "networks",
        oom_kill_disable: bool = "oom_kill_disable",
        oom_score_adj: i64 = "oom_score_adj",
        pid: Text = "pid",
        pids_limit: i64 = "pids_limit",
        platform: Text = "platform",
        ports: Vec<Port> = "ports",
        privileged: bool = "privileged",
        pull_policy: Text = "pull_policy",
        read_only: bool = "read_only",
        restart: Text = "restart",
        runtime: Text = "runtime",
        scale: Option<i64> = "scale",
        secrets: Vec<FileMount> = "secrets",
        security_opt: Vec<String> = "security_opt",
        shm_size: Bytes = "shm_size",
        stdin_open: bool = "stdin_open",
        stop_grace_period: Option<Duration> = "stop_grace_period",
        stop_signal: Text = "stop_signal",
        storage_opt: Named<Scalar> = "storage_opt",
        sysctls: Named<String> = "sysctls",
        tmpfs: Vec<String> = "tmpfs",
        tty: bool = "tty",
        ulimits: Named<Ulimit> = "ulimits",
        use_api_socket: bool = "use_api_socket",
        user: Text = "user",
        userns_mode: Text = "userns_mode",
        uts: Text = "uts",
        volumes: Vec<VolumeMount> = "volumes",
        volumes_from: Vec<String> = "volumes_from",
        working_dir: Text = "working_dir",
        pre_start: Vec<Hook> = "pre_start",
        post_start: Vec<Hook> = "post_start",
        pre_stop: Vec<Hook> = "pre_stop",
    }
}

/// A service: what runs, and how. It has some hundred keys, so it stands on the heap and is cheap to move.
#[derive(Debug, Clone, Default)]
pub struct Service(Box<ServiceKeys>);

impl Deref for Service {
    type Target = ServiceKeys;

    fn deref(&self) -> &ServiceKeys {
        &self.0
    }
}

impl DerefMut for Service {
    fn deref_mut(&mut self) -> &mut ServiceKeys {
        &mut self.0
    }
}

impl Field for Service {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        Self(Box::new(ServiceKeys::read(node, reader)))
    }

    fn unset(&self, view: View) -> bool {
        self.0.unset(view)
    }

    fn write(&self, view: View) -> Out<'_> {
        self.0.write(view)
    }
}

impl Service {
    /// How many containers the file asks for: `scale`, else `deploy.replicas`, else 1.
    pub fn replicas(&self) -> i64 {
        self.scale.or_else(|| self.deploy.as_ref()?.replicas).unwrap_or(1)
    }
}
