//! `volumes.*.x-efs`: a file system of EFS that is there.

use super::reader::{Item, Key, Placed, Reader};
use super::top::Wanted;

#[derive(Debug, Clone)]
pub struct Efs {
    pub file_system: Wanted,
    /// `fsap-…`.
    pub access_point: Option<Placed<String>>,
    /// The folder of the file system that is mounted.
    pub root: Option<Placed<String>>,
    /// The task role must be allowed in.
    pub iam: bool,
    /// The security group of its mount targets, which then gets a rule for the tasks.
    pub security_group: Option<Placed<String>>,
}

impl Reader<'_> {
    pub(super) fn efs(&mut self, item: &Item<'_>) -> Option<Efs> {
        let keys: &[Key] = &[
            &["Lookup", "Use"],
            &["AccessPoint", "AccessPointId"],
            &["RootDirectory"],
            &["SecurityGroup"],
            &["MacroParameters"],
        ];
        let fields = self.fields(item, keys, &["Properties", "Settings"])?;
        let Some(lookup) = fields.get("Lookup") else {
            let help = "add Lookup: fs-…, or Lookup with Tags; a file system is never made here, for it outlives the stack";
            self.wrong(item, "x-efs doesn't say which file system", help);
            return None;
        };
        let file_system = self.wanted(lookup)?;
        if let Wanted::Ids(ids) = &file_system {
            let is_file_system = |id: &str| id.starts_with("fs-") || id.contains(":file-system/fs-");
            if let Some(id) = ids.iter().find(|id| !is_file_system(&id.value)) {
                self.wrong(lookup, format!("\"{}\" is not the id of a file system", id.value), "it starts with fs-");
                return None;
            }
        }
        let access_point = match fields.get("AccessPoint") {
            Some(item) => Some(self.with_prefix(item, "fsap-", "an access point")?),
            None => None,
        };
        let security_group = match fields.get("SecurityGroup") {
            Some(item) => Some(self.with_prefix(item, "sg-", "a security group")?),
            None => None,
        };
        let root = fields.get("RootDirectory").and_then(|item| self.word(item));
        if let (Some(item), Some(_), Some(root)) = (fields.get("RootDirectory"), &access_point, &root)
            && root.value != "/"
        {
            self.wrong(item, "the access point says which folder is mounted", "leave RootDirectory out");
        }
        let mut iam = access_point.is_some();
        if let Some(short) = fields.get("MacroParameters") {
            let fields = self.fields(short, &[&["EnforceIamAuth"]], &["RootDirectoryCreateMode"])?;
            if let Some(flag) = fields.get("EnforceIamAuth").and_then(|item| self.flag(item)) {
                iam = flag.value;
            }
        }
        Some(Efs { file_system, access_point, root, iam, security_group })
    }

    fn with_prefix(&mut self, item: &Item<'_>, prefix: &str, what: &str) -> Option<Placed<String>> {
        let id = self.word(item)?;
        if id.value.starts_with(prefix) {
            return Some(id);
        }
        self.wrong(item, format!("\"{}\" is not the id of {what}", id.value), format!("it starts with {prefix}"));
        None
    }
}
