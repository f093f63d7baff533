//! What containers mount: folders of the task's own disk, file systems of EFS, and memory.

use super::{Lookup, Text};

/// A volume of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// Its name in the task definition.
    pub name: String,
    pub kind: VolumeKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VolumeKind {
    /// On the task's disk, gone with the task.
    Task,
    Efs(Efs),
}

/// A file system that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Efs {
    /// The start of its parameter's name.
    pub id: String,
    pub file_system: Lookup,
    pub access_point: Option<Text>,
    pub root: Option<Text>,
    /// The task role must be allowed in.
    pub iam: bool,
    /// No container writes to it.
    pub read_only: bool,
    /// The security group of its mount targets, which gets a rule for the tasks.
    pub security_group: Option<Text>,
}

/// Where a container finds a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    pub volume: String,
    pub path: Text,
    pub read_only: bool,
}

/// A folder that lies in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tmpfs {
    pub path: Text,
    /// The most that it may hold.
    pub mebibytes: u32,
    pub options: Vec<String>,
}
