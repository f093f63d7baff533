//! How an image is built, and what `watch` does while developing.

use super::Named;
use super::mounts::FileMount;
use super::parts::Hook;
use super::special::{ExtraHosts, SshKeys, Ulimit};
use crate::base::Code;
use crate::compose::field::{Extensions, Field, Reader, Scalar, Shown, Text, View, record};
use crate::compose::node::{Node, Step, Value};
use crate::compose::out::Out;
use crate::compose::units::Bytes;

record! {
    /// How an image is built.
    Build {
        context: Text = "context",
        dockerfile: Text = "dockerfile",
        dockerfile_inline: Text = "dockerfile_inline",
        entitlements: Vec<String> = "entitlements",
        args: Named<Option<Scalar>> = "args",
        provenance: Text = "provenance",
        sbom: Text = "sbom",
        ssh: SshKeys = "ssh",
        labels: Named<String> = "labels",
        cache_from: Vec<String> = "cache_from",
        cache_to: Vec<String> = "cache_to",
        no_cache: bool = "no_cache",
        no_cache_filter: Vec<String> = "no_cache_filter",
        additional_contexts: Named<String> = "additional_contexts",
        pull: bool = "pull",
        extra_hosts: ExtraHosts = "extra_hosts",
        isolation: Text = "isolation",
        network: Text = "network",
        target: Text = "target",
        secrets: Vec<FileMount> = "secrets",
        shm_size: Bytes = "shm_size",
        tags: Vec<String> = "tags",
        ulimits: Named<Ulimit> = "ulimits",
        platforms: Vec<String> = "platforms",
        privileged: bool = "privileged",
    }
}

record! {
    /// What `watch` does while developing.
    Develop {
        watch: Vec<Trigger> = "watch",
    }
}

record! {
    /// One folder that is watched.
    Trigger {
        path: Shown<String> = "path",
        action: Shown<String> = "action",
        target: Text = "target",
        exec: Hook = "exec",
        include: Vec<String> = "include",
        ignore: Vec<String> = "ignore",
        initial_sync: bool = "initial_sync",
    }
}
