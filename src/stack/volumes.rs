//! What services mount → volumes of their task: folders on its own disk, or file systems of EFS that are there.

use super::build::Builder;
use super::family::Member;
use super::{Efs, Lookup, Mount, OutsideRule, Text, Volume, VolumeKind, logical, standing};
use crate::base::Code;
use crate::compose::VolumeMount;

/// The port of NFS.
const NFS: u16 = 2049;

impl Builder<'_> {
    /// The volumes of a family, and the mounts of each of its members.
    pub(super) fn volumes(&mut self, members: &[Member<'_>]) -> (Vec<Volume>, Vec<Vec<Mount>>) {
        let mut volumes: Vec<Volume> = Vec::new();
        let mut mounts = Vec::new();
        for member in members {
            let mut own = Vec::new();
            for (index, mount) in member.service.volumes.iter().enumerate() {
                let Some((name, kind)) = self.volume(member.name, index, mount) else { continue };
                let target = mount.target.as_deref().unwrap_or_default();
                if !target.starts_with('/') {
                    let message = format!("\"{target}\" is no folder of a container");
                    let finding = self.error(Code::VOLUME, &["services", member.name, "volumes", &index.to_string()], message);
                    finding.help = Some("it starts with /".to_owned());
                }
                own.push(Mount {
                    volume: name.clone(),
                    path: Text::from(mount.target.as_deref().unwrap_or_default()),
                    read_only: mount.read_only,
                });
                match volumes.iter_mut().find(|volume| volume.name == name) {
                    None => volumes.push(Volume { name, kind: reading(kind, mount.read_only) }),
                    Some(Volume { kind: VolumeKind::Efs(efs), .. }) => efs.read_only &= mount.read_only,
                    Some(_) => {}
                }
            }
            mounts.push(own);
        }
        self.lost_with_the_task(members, &volumes, &mounts);
        volumes.sort_by(|one, other| one.name.cmp(&other.name));
        (volumes, mounts)
    }

    fn volume(&mut self, service: &str, index: usize, mount: &VolumeMount) -> Option<(String, VolumeKind)> {
        let number = index.to_string();
        let path = ["services", service, "volumes", &number];
        let kind = mount.r#type.as_deref().unwrap_or("volume");
        let instead = match kind {
            "volume" => None,
            // Memory is no volume of the task.
            "tmpfs" => return None,
            "bind" => Some("Fargate has no folders of a host: build the files into the image, or use x-efs"),
            _ => Some("Fargate mounts volumes of the task and of EFS"),
        };
        if let Some(instead) = instead {
            self.warn(Code::NOT_ON_ECS, &path, format!("a {kind} mount can't be honoured: {instead}"));
            return None;
        }
        if mount.volume.as_ref().is_some_and(|options| options.subpath.is_some()) {
            self.warn(Code::NOT_ON_ECS, &path, "subpath can't be honoured: ECS mounts the whole volume");
        }
        let Some(source) = mount.source.as_deref().filter(|source| !source.is_empty()) else {
            return Some((task_name(&format!("{service}-{index}")), VolumeKind::Task));
        };
        Some((task_name(source), self.volume_kind(source)))
    }

    fn volume_kind(&mut self, source: &str) -> VolumeKind {
        let id = logical(source);
        if let Some(efs) = self.extensions.file_systems.get(source) {
            let lookup = match standing::looked_up(&efs.file_system) {
                Lookup::Id(arn) => Lookup::Id(file_system_id(&arn)),
                other => other,
            };
            return VolumeKind::Efs(Efs {
                id,
                file_system: lookup,
                access_point: efs.access_point.as_ref().map(|id| Text::from(&id.value)),
                root: efs.root.as_ref().map(|root| Text::from(&root.value)),
                iam: efs.iam,
                read_only: false,
                security_group: efs.security_group.as_ref().map(|id| Text::from(&id.value)),
            });
        }
        let Some(volume) = self.project.volumes.get(source) else { return VolumeKind::Task };
        // Docker's own integration with ECS: an external volume whose name is the file system's id.
        let name = volume.name.as_deref().filter(|name| volume.external && name.starts_with("fs-"));
        if let Some(name) = name {
            let file_system = Lookup::Id(Text::from(name));
            return VolumeKind::Efs(Efs {
                id,
                file_system,
                access_point: None,
                root: None,
                iam: false,
                read_only: false,
                security_group: None,
            });
        }
        let path = ["volumes", source];
        if volume.external {
            let message = format!("the volume {source} is external: ECS can't reach a volume of Docker's");
            let finding = self.error(Code::VOLUME, &path, message);
            finding.help = Some("add x-efs with Lookup: fs-…, or leave external out".to_owned());
        } else if let Some(driver) = volume.driver.as_deref().filter(|driver| !matches!(*driver, "" | "local")) {
            let message = format!("the volume driver {driver} can't be honoured: the volume lies on the task's own disk");
            self.warn(Code::NOT_ON_ECS, &["volumes", source, "driver"], message).help =
                Some("add x-efs with Lookup: fs-… for a file system that is there".to_owned());
        }
        VolumeKind::Task
    }

    /// A volume with a name is kept by Docker; on Fargate only containers of one task share it, as long as the task lives.
    fn lost_with_the_task(&mut self, members: &[Member<'_>], volumes: &[Volume], mounts: &[Vec<Mount>]) {
        for volume in volumes.iter().filter(|volume| volume.kind == VolumeKind::Task) {
            let users: Vec<usize> = mounts
                .iter()
                .enumerate()
                .filter(|(_, own)| own.iter().any(|mount| mount.volume == volume.name))
                .map(|(i, _)| i)
                .collect();
            let [only] = users.as_slice() else { continue };
            let Some(member) = members.get(*only) else { continue };
            let named = |mount: &VolumeMount| mount.source.as_deref().is_some_and(|source| task_name(source) == volume.name);
            let Some(index) = member.service.volumes.iter().position(named) else { continue };
            let index = index.to_string();
            let message = format!("the volume {} lies on the task's own disk: empty at its start, gone at its end", volume.name);
            let finding = self.warn(Code::VOLUME, &["services", member.name, "volumes", &index], message);
            finding.help = Some("to keep what is in it, add x-efs to the volume".to_owned());
        }
    }

    /// `volumes_from` of a container: those of others in its task.
    pub(super) fn mounts_of(&mut self, member: &Member<'_>, family: &[Member<'_>]) -> Vec<(String, bool)> {
        let mut mounts = Vec::new();
        for (index, written) in member.service.volumes_from.iter().enumerate() {
            let (name, mode) = written.split_once(':').unwrap_or((written, "rw"));
            if family.iter().any(|other| other.name == name) {
                mounts.push((name.to_owned(), mode == "ro"));
                continue;
            }
            let index = index.to_string();
            let message = format!("the volumes of {name} can't be honoured: it isn't in the same task");
            self.warn(Code::NOT_ON_ECS, &["services", member.name, "volumes_from", &index], message).help =
                Some("put both into one task with the label ecs.task.family".to_owned());
        }
        mounts
    }
}

/// Rules on the security groups of file systems, for the families that mount them.
pub(super) fn file_system_rules(families: &[super::Family]) -> Vec<OutsideRule> {
    let mut rules: Vec<OutsideRule> = Vec::new();
    for family in families {
        for volume in &family.volumes {
            let VolumeKind::Efs(Efs { security_group: Some(group), .. }) = &volume.kind else { continue };
            let rule = OutsideRule { behind: "Efs", group: group.clone(), family: family.name.clone(), port: NFS };
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
    rules
}

fn reading(kind: VolumeKind, read_only: bool) -> VolumeKind {
    match kind {
        VolumeKind::Efs(efs) => VolumeKind::Efs(Efs { read_only, ..efs }),
        VolumeKind::Task => VolumeKind::Task,
    }
}

/// The id at the end of an ARN.
fn file_system_id(text: &Text) -> Text {
    match text.literal().and_then(|text| text.rsplit_once('/')) {
        Some((_, id)) => Text::from(id),
        None => text.clone(),
    }
}

/// A name that a task definition takes for a volume.
fn task_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '_' { c } else { '-' }).collect()
}
