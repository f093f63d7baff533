//! What a container keeps in memory: `tmpfs`, short and as a mount. ECS wants a size of each, which counts as memory of the task; of
//! the options it takes the words that have no value.

use super::build::Builder;
use super::{Text, Tmpfs};
use crate::base::{Code, nearest};
use crate::compose::Service;

/// The options of a mount that ECS takes.
const OPTIONS: [&str; 31] = [
    "defaults",
    "ro",
    "rw",
    "suid",
    "nosuid",
    "dev",
    "nodev",
    "exec",
    "noexec",
    "sync",
    "async",
    "dirsync",
    "remount",
    "mand",
    "nomand",
    "atime",
    "noatime",
    "diratime",
    "nodiratime",
    "bind",
    "rbind",
    "unbindable",
    "runbindable",
    "private",
    "rprivate",
    "shared",
    "rshared",
    "slave",
    "rslave",
    "relatime",
    "strictatime",
];
/// What is open to every user, which is how a tmpfs begins.
const OPEN: u64 = 0o1777;
const MEBIBYTE: u64 = 1 << 20;

impl Builder<'_> {
    /// `memory`: the MiB that the container may use.
    pub(super) fn tmpfs(&mut self, name: &str, service: &Service, memory: u32) -> Vec<Tmpfs> {
        let mut mounts = Vec::new();
        for (index, written) in service.tmpfs.iter().enumerate() {
            let index = index.to_string();
            let path = ["services", name, "tmpfs", &index];
            let (folder, options) = written.split_once(':').unwrap_or((written, ""));
            let (mut size, mut words) = (None, Vec::new());
            for option in options.split(',').map(str::trim).filter(|option| !option.is_empty()) {
                match option.split_once('=') {
                    Some(("size", text)) => match mebibytes(text, memory) {
                        Some(mebibytes) => size = Some(mebibytes),
                        None => {
                            self.error(Code::VOLUME, &path, format!("\"{text}\" is no size of a tmpfs")).help =
                                Some("a number of bytes, or one with k, m or g, as in size=64m".to_owned());
                        }
                    },
                    Some(("mode", mode)) if u64::from_str_radix(mode, 8) == Ok(OPEN) => {}
                    Some((key, _)) => self.without_value(&path, key),
                    None if OPTIONS.contains(&option) => words.push(option.to_owned()),
                    None => {
                        let help = nearest(option, OPTIONS).map(|near| format!("did you mean {near}?"));
                        self.error(Code::VOLUME, &path, format!("a tmpfs has no option {option}")).help =
                            help.or_else(|| Some("ECS takes words like ro, noexec and nosuid".to_owned()));
                    }
                }
            }
            mounts.extend(self.in_memory(&path, folder, size, words, memory));
        }
        for (index, mount) in service.volumes.iter().enumerate().filter(|(_, mount)| mount.r#type.as_deref() == Some("tmpfs")) {
            let index = index.to_string();
            let path = ["services", name, "volumes", &index];
            let options = mount.tmpfs.as_ref();
            let bytes = options.map_or(0, |options| options.size.get());
            let size = u64::try_from(bytes).ok().filter(|bytes| *bytes > 0).map(rounded_up);
            if options.is_some_and(|options| options.mode != 0 && options.mode != OPEN) {
                self.without_value(&path, "mode");
            }
            let words = if mount.read_only { vec!["ro".to_owned()] } else { Vec::new() };
            let folder = mount.target.as_deref().unwrap_or_default();
            mounts.extend(self.in_memory(&path, folder, size, words, memory));
        }
        self.fits_in_memory(name, &mounts, memory);
        mounts.sort_by_key(|mount| mount.path.to_string());
        mounts
    }

    fn in_memory(&mut self, path: &[&str], folder: &str, size: Option<u32>, options: Vec<String>, memory: u32) -> Option<Tmpfs> {
        if !folder.starts_with('/') {
            self.error(Code::VOLUME, path, format!("\"{folder}\" is no folder of a container")).help =
                Some("it starts with /".to_owned());
            return None;
        }
        let mebibytes = size.unwrap_or_else(|| {
            // What Linux gives: half of the memory there is.
            let half = (memory / 2).max(1);
            let message = format!("the tmpfs {folder} has no size, which ECS wants: it gets {half} MiB, half of the memory");
            self.warn(Code::VOLUME, path, message).help =
                Some("say size=64m behind the folder, or tmpfs.size in the long form".to_owned());
            half
        });
        Some(Tmpfs { path: Text::from(folder), mebibytes, options })
    }

    /// ECS passes no option on that has a value.
    fn without_value(&mut self, path: &[&str], key: &str) {
        let message = format!("{key} of a tmpfs can't be honoured: on ECS it belongs to root and is open to every user");
        self.warn(Code::NOT_ON_ECS, path, message);
    }

    /// A tmpfs that fills takes the memory of what runs beside it.
    fn fits_in_memory(&mut self, name: &str, mounts: &[Tmpfs], memory: u32) {
        let all = mounts.iter().map(|mount| mount.mebibytes).fold(0, u32::saturating_add);
        if all > memory {
            let message =
                format!("the tmpfs of {name} may grow to {all} MiB, and it has {memory} MiB of memory: it is stopped then");
            let key = self.project.services.get(name).map_or("tmpfs", |it| if it.tmpfs.is_empty() { "volumes" } else { "tmpfs" });
            self.warn(Code::VOLUME, &["services", name, key], message).help =
                Some("make the sizes smaller, or ask for more memory".to_owned());
        }
    }
}

fn rounded_up(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX)
}

/// `64m`, a number of bytes, or a part of the memory as in `50%`.
fn mebibytes(text: &str, memory: u32) -> Option<u32> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent = percent.parse::<u32>().ok().filter(|percent| (1..=100).contains(percent))?;
        return u32::try_from(u64::from(memory) * u64::from(percent) / 100).ok().map(|part| part.max(1));
    }
    let lower = text.to_ascii_lowercase();
    let number = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match &lower[number.len()..] {
        "" | "b" => 1,
        "k" | "kb" => 1 << 10,
        "m" | "mb" => MEBIBYTE,
        "g" | "gb" => 1 << 30,
        _ => return None,
    };
    let bytes = number.parse::<u64>().ok().filter(|number| *number > 0)?.checked_mul(factor)?;
    Some(rounded_up(bytes))
}

#[cfg(test)]
mod tests {
    use super::mebibytes;

    #[test]
    fn sizes_are_read_as_docker_writes_them_and_rounded_up() {
        for (text, size) in [("64m", 64), ("1g", 1024), ("1", 1), ("1048577", 2), ("512K", 1), ("64MB", 64), ("25%", 512)] {
            assert_eq!(mebibytes(text, 2048), Some(size), "{text}");
        }
        for bad in ["", "m", "0", "-1m", "64x", "0%", "200%", "1.5g"] {
            assert_eq!(mebibytes(bad, 2048), None, "{bad}");
        }
    }
}
