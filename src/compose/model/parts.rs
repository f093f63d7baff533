//! The mappings inside a service.

use super::Named;
use crate::base::Code;
use crate::compose::field::{CommandLine, Extensions, Field, Reader, Scalar, Shown, Text, View, record};
use crate::compose::node::{Node, Step, Value};
use crate::compose::out::Out;
use crate::compose::units::Duration;

record! {
    /// A command that runs at a moment of the container's life.
    Hook {
        command: CommandLine = "command",
        image: Text = "image",
        user: Text = "user",
        privileged: bool = "privileged",
        working_dir: Text = "working_dir",
        environment: Named<Option<Scalar>> = "environment",
        per_replica: bool = "per_replica",
    }
}

record! {
    CredentialSpec {
        config: Text = "config",
        file: Text = "file",
        registry: Text = "registry",
    }
}

record! {
    /// What a service waits for before it starts.
    Dependency {
        /// `service_started`, `service_healthy` or `service_completed_successfully`.
        condition: Text = "condition",
        restart: bool = "restart",
        required: Shown<bool> = "required",
    }
}

record! {
    DeviceMapping {
        source: Text = "source",
        target: Text = "target",
        permissions: Text = "permissions",
    }
}

record! {
    Provider {
        r#type: Text = "type",
        options: ProviderOptions = "options",
    }
}

/// Options of a provider, each with one value or several. One without a value is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderOptions(Named<Vec<Scalar>>);

impl Field for ProviderOptions {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        let mut options: Named<Vec<Scalar>> = Field::read(node, reader);
        options.retain(|_, values| !values.is_empty());
        Self(options)
    }

    fn unset(&self, view: View) -> bool {
        self.0.unset(view)
    }

    fn write(&self, view: View) -> Out<'_> {
        self.0.write(view)
    }
}

record! {
    Healthcheck {
        /// Begins with `CMD`, `CMD-SHELL` or `NONE`.
        test: HealthcheckTest = "test",
        timeout: Option<Duration> = "timeout",
        interval: Option<Duration> = "interval",
        retries: Option<u64> = "retries",
        start_period: Option<Duration> = "start_period",
        start_interval: Option<Duration> = "start_interval",
        disable: bool = "disable",
    }
}

/// The test of a health check; a plain string is run by the shell.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthcheckTest(Vec<String>);

impl std::ops::Deref for HealthcheckTest {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl Field for HealthcheckTest {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        match node.as_str() {
            Some(line) => Self(vec!["CMD-SHELL".to_owned(), line.to_owned()]),
            None => Self(Vec::read(node, reader)),
        }
    }

    fn unset(&self, _: View) -> bool {
        self.0.is_empty()
    }

    fn write(&self, view: View) -> Out<'_> {
        self.0.write(view)
    }
}

record! {
    Logging {
        driver: Text = "driver",
        options: Named<String> = "options",
    }
}

record! {
    ServiceModel {
        endpoint_var: Text = "endpoint_var",
        model_var: Text = "model_var",
    }
}

record! {
    /// A network as a service uses it.
    ServiceNetwork {
        aliases: Vec<String> = "aliases",
        driver_opts: Named<String> = "driver_opts",
        gw_priority: i64 = "gw_priority",
        interface_name: Text = "interface_name",
        ipv4_address: Text = "ipv4_address",
        ipv6_address: Text = "ipv6_address",
        link_local_ips: Vec<String> = "link_local_ips",
        mac_address: Text = "mac_address",
        priority: i64 = "priority",
    }
}

record! {
    /// One port; ranges are spread out.
    Port {
        name: Text = "name",
        mode: Text = "mode",
        host_ip: Text = "host_ip",
        target: u64 = "target",
        /// A number or, with a single target, a range.
        published: Text = "published",
        protocol: Text = "protocol",
        app_protocol: Text = "app_protocol",
    }
}
