//! What a service mounts: volumes, secrets and configs.

use super::Named;
use crate::base::Code;
use crate::compose::field::{Extensions, Field, OptOut, Reader, Text, View, record};
use crate::compose::node::{Node, Step, Value};
use crate::compose::out::Out;
use crate::compose::units::{Bytes, FileMode};

record! {
    /// A secret or config as a service uses it.
    FileMount {
        source: Text = "source",
        target: Text = "target",
        uid: Text = "uid",
        gid: Text = "gid",
        mode: Option<FileMode> = "mode",
    }
}

record! {
    /// A volume, folder or tmpfs as a service uses it.
    VolumeMount {
        /// `bind`, `volume`, `tmpfs`, `cluster`, `npipe` or `image`.
        r#type: Text = "type",
        source: Text = "source",
        target: Text = "target",
        read_only: bool = "read_only",
        consistency: Text = "consistency",
        bind: Option<VolumeBind> = "bind",
        volume: Option<VolumeOptions> = "volume",
        tmpfs: Option<VolumeTmpfs> = "tmpfs",
        image: Option<VolumeImage> = "image",
    }
}

record! {
    VolumeBind {
        selinux: Text = "selinux",
        propagation: Text = "propagation",
        create_host_path: OptOut = "create_host_path",
        recursive: Text = "recursive",
    }
}

record! {
    VolumeOptions {
        labels: Named<String> = "labels",
        nocopy: bool = "nocopy",
        subpath: Text = "subpath",
    }
}

record! {
    VolumeTmpfs {
        size: Bytes = "size",
        mode: u64 = "mode",
    }
}

record! {
    VolumeImage {
        subpath: Text = "subpath",
    }
}
