//! `volumes.*.x-efs`: a file system of EFS that is there.

use super::reader::{Item, Key, Placed, Reader};
use super::top::Wanted;
use super::values::Id;

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
        if !self.ids(lookup, Id::FileSystem, false) {
            return None;
        }
        let file_system = self.wanted(lookup)?;
        let access_point = match fields.get("AccessPoint") {
            Some(item) => Some(self.id(item, Id::AccessPoint)?),
            None => None,
        };
        let security_group = match fields.get("SecurityGroup") {
            Some(item) => Some(self.id(item, Id::SecurityGroup)?),
            None => None,
        };
        let root = fields.get("RootDirectory").and_then(|item| self.word(item));
        if let (Some(item), Some(root)) = (fields.get("RootDirectory"), &root)
            && !root.value.starts_with('/')
        {
            self.wrong(item, format!("\"{}\" is no folder of a file system", root.value), "it starts with /");
        }
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
}
