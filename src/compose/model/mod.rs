//! The merged project, typed. The names are those of the Compose Specification; defaults are Compose's, none are ours.
//!
//! Every record keeps its `x-` keys. The place of any value is asked by its path: [`Project::place`].

mod build;
mod deploy;
mod mounts;
mod parts;
mod service;
mod special;
mod top;

use std::collections::BTreeMap;

pub use build::{Build, Develop, Trigger};
pub use deploy::{
    Deploy, DeviceCount, DeviceRequest, DiscreteGenericResource, GenericResource, Placement, PlacementPreference, Resource,
    Resources, RestartPolicy, UpdateConfig,
};
pub use mounts::{FileMount, VolumeBind, VolumeImage, VolumeMount, VolumeOptions, VolumeTmpfs};
pub use parts::{
    CredentialSpec, Dependency, DeviceMapping, Healthcheck, HealthcheckTest, Hook, Logging, Port, Provider, ServiceModel,
    ServiceNetwork,
};
pub use service::{Service, ServiceKeys};
pub use special::{BlkioConfig, ExtraHosts, SshKeys, ThrottleDevice, Ulimit, WeightDevice};
pub use top::{Config, Ipam, IpamPool, Model, Network, Secret, Volume};

/// By name; the order is that of the names.
pub type Named<T> = BTreeMap<String, T>;
