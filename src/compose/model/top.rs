//! What a project has beside services: networks, volumes, secrets, configs and models.

use super::Named;
use crate::base::Code;
use crate::compose::field::{Extensions, Field, Reader, Scalar, Text, View, record};
use crate::compose::node::{Node, Step, Value};
use crate::compose::out::Out;

record! {
    /// A network of the project.
    Network {
        name: Text = "name",
        driver: Text = "driver",
        driver_opts: Named<String> = "driver_opts",
        ipam: Ipam = "ipam",
        external: bool = "external",
        internal: bool = "internal",
        attachable: bool = "attachable",
        labels: Named<String> = "labels",
        enable_ipv4: Option<bool> = "enable_ipv4",
        enable_ipv6: Option<bool> = "enable_ipv6",
    }
}

record! {
    Ipam {
        driver: Text = "driver",
        config: Vec<IpamPool> = "config",
        options: Named<String> = "options",
    }
}

record! {
    IpamPool {
        subnet: Text = "subnet",
        gateway: Text = "gateway",
        ip_range: Text = "ip_range",
        aux_addresses: Named<Scalar> = "aux_addresses",
    }
}

record! {
    /// A volume of the project.
    Volume {
        name: Text = "name",
        driver: Text = "driver",
        driver_opts: Named<String> = "driver_opts",
        external: bool = "external",
        labels: Named<String> = "labels",
    }
}

record! {
    /// A secret of the project, without its value. One with `x-secrets` needs no source.
    Secret {
        name: Text = "name",
        file: Text = "file",
        /// The variable that holds the value.
        environment: Text = "environment",
        external: bool = "external",
        labels: Named<String> = "labels",
        driver: Text = "driver",
        driver_opts: Named<String> = "driver_opts",
        template_driver: Text = "template_driver",
    }
}

record! {
    /// A config of the project.
    Config {
        name: Text = "name",
        file: Text = "file",
        /// The variable that holds the content.
        environment: Text = "environment",
        content: Text = "content",
        external: bool = "external",
        labels: Named<String> = "labels",
        driver: Text = "driver",
        driver_opts: Named<String> = "driver_opts",
        template_driver: Text = "template_driver",
    }
}

record! {
    /// A language model that services use.
    Model {
        name: Text = "name",
        model: Text = "model",
        context_size: i64 = "context_size",
        runtime_flags: Vec<String> = "runtime_flags",
    }
}
