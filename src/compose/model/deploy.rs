//! `deploy`: replicas, updates, resources and placement.

use super::Named;
use crate::base::Code;
use crate::compose::field::{Extensions, Field, Reader, Shown, Text, View, record};
use crate::compose::node::{Node, Step, Value};
use crate::compose::number;
use crate::compose::out::Out;
use crate::compose::units::{Bytes, Cpus, Duration};

record! {
    /// How a service is deployed.
    Deploy {
        mode: Text = "mode",
        replicas: Option<i64> = "replicas",
        labels: Named<String> = "labels",
        update_config: Option<Box<UpdateConfig>> = "update_config",
        rollback_config: Option<Box<UpdateConfig>> = "rollback_config",
        resources: Resources = "resources",
        restart_policy: Option<Box<RestartPolicy>> = "restart_policy",
        placement: Placement = "placement",
        endpoint_mode: Text = "endpoint_mode",
    }
}

record! {
    UpdateConfig {
        parallelism: Option<u64> = "parallelism",
        delay: Duration = "delay",
        failure_action: Text = "failure_action",
        monitor: Duration = "monitor",
        max_failure_ratio: f32 = "max_failure_ratio",
        order: Text = "order",
    }
}

record! {
    Resources {
        limits: Option<Box<Resource>> = "limits",
        reservations: Option<Box<Resource>> = "reservations",
    }
}

record! {
    /// Limits or reservations.
    Resource {
        /// Zero is "not set".
        cpus: Cpus = "cpus",
        memory: Bytes = "memory",
        pids: i64 = "pids",
        devices: Vec<DeviceRequest> = "devices",
        generic_resources: Vec<GenericResource> = "generic_resources",
    }
}

record! {
    GenericResource {
        discrete_resource_spec: Option<DiscreteGenericResource> = "discrete_resource_spec",
    }
}

record! {
    DiscreteGenericResource {
        kind: Shown<String> = "kind",
        value: Shown<i64> = "value",
    }
}

record! {
    RestartPolicy {
        condition: Text = "condition",
        delay: Option<Duration> = "delay",
        max_attempts: Option<u64> = "max_attempts",
        window: Option<Duration> = "window",
    }
}

record! {
    Placement {
        constraints: Vec<String> = "constraints",
        preferences: Vec<PlacementPreference> = "preferences",
        max_replicas_per_node: u64 = "max_replicas_per_node",
    }
}

record! {
    PlacementPreference {
        spread: Text = "spread",
    }
}

record! {
    /// A GPU or another device that is asked for by its capabilities.
    DeviceRequest {
        capabilities: Vec<String> = "capabilities",
        driver: Text = "driver",
        count: DeviceCount = "count",
        device_ids: Vec<String> = "device_ids",
        options: Named<String> = "options",
    }
}

/// How many devices; -1 is "all".
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DeviceCount(pub i64);

impl Field for DeviceCount {
    fn read<'n>(node: &'n Node, reader: &mut Reader<'_, 'n>) -> Self {
        match &node.value {
            Value::Str(text) if text.eq_ignore_ascii_case("all") => Self(-1),
            Value::Str(text) if number::decimal(text).is_none() => {
                reader.wrong(Code::WRONG_TYPE, node, "a whole number, or all");
                Self(0)
            }
            Value::Str(_) | Value::Int(..) => Self(i64::read(node, reader)),
            _ => {
                reader.wrong(Code::WRONG_TYPE, node, "a whole number, or all");
                Self(0)
            }
        }
    }

    fn unset(&self, _: View) -> bool {
        self.0 == 0
    }

    fn write(&self, _: View) -> Out<'_> {
        Out::Int(self.0)
    }
}
