//! Where a new cluster keeps what people type into its containers: `Configuration.ExecuteCommandConfiguration`, or the short
//! `MacroParameters`.

use super::reader::{Item, Key, Placed, Reader};
use super::values::is_arn;
use crate::base::{Code, Finding};

/// The logging of ECS Exec.
#[derive(Debug, Clone, Default)]
pub struct ExecLogging {
    /// A log group that this stack makes, with the days that it keeps what was typed.
    pub new_group: Option<u32>,
    /// A log group that is there, and whether it is encrypted with the key.
    pub group: Option<Placed<String>>,
    pub group_encrypted: bool,
    /// A bucket that is there.
    pub bucket: Option<Placed<String>>,
    pub bucket_encrypted: bool,
    pub prefix: Option<Placed<String>>,
    /// The ARN of a key that is there, with which the session is encrypted too.
    pub key: Option<Placed<String>>,
    /// Nothing is kept.
    pub off: bool,
}

/// Days that a log group keeps what was typed unless the files say.
const RETENTION: u32 = 30;
/// What the short form would make, and a cluster that is looked up may have.
const NOT_MADE: [&str; 3] = ["CreateExecLoggingKmsKey", "CreateExecLoggingBucket", "AllowKmsKeyReuse"];

impl Reader<'_> {
    pub(super) fn exec_logging(&mut self, configuration: Option<&Item<'_>>, short: Option<&Item<'_>>) -> Option<ExecLogging> {
        let mut logging = match configuration {
            Some(item) => {
                let fields = self.fields(item, &[&["ExecuteCommandConfiguration"]], &["ManagedStorageConfiguration"])?;
                fields.get("ExecuteCommandConfiguration").and_then(|item| self.exec_configuration(item))
            }
            None => None,
        };
        let Some(item) = short else { return logging };
        let keys: &[Key] = &[
            &["CreateExecLoggingLogGroup"],
            &["LogGroupRetentionInDays"],
            &["CreateExecLoggingKmsKey"],
            &["CreateExecLoggingBucket"],
            &["AllowKmsKeyReuse"],
        ];
        let fields = self.fields(item, keys, &[])?;
        for key in NOT_MADE {
            let Some(item) = fields.get(key) else { continue };
            if self.flag(item).is_some_and(|flag| flag.value) {
                let message = format!("{key} is not rendered: keys and buckets outlive a stack");
                let finding = Finding::error(Code::UNRENDERED, message).at(self.key_place(item)).path(&item.path);
                let help = "name one that is there in Properties.Configuration.ExecuteCommandConfiguration";
                self.findings.push(finding.help(help));
            }
        }
        if fields.get("CreateExecLoggingLogGroup").and_then(|item| self.flag(item)).is_some_and(|flag| flag.value) {
            let days = fields.get("LogGroupRetentionInDays").and_then(|item| self.days(item));
            let logging = logging.get_or_insert_with(ExecLogging::default);
            if logging.group.is_some() {
                self.wrong(item, "the configuration names a log group already", "keep one of the two");
            }
            logging.new_group = Some(days.map_or(RETENTION, |days| days.value));
        }
        logging
    }

    /// CloudFormation's own words.
    fn exec_configuration(&mut self, item: &Item<'_>) -> Option<ExecLogging> {
        let fields = self.fields(item, &[&["KmsKeyId"], &["Logging"], &["LogConfiguration"]], &[])?;
        let mut logging = ExecLogging { key: fields.get("KmsKeyId").and_then(|key| self.kms_key(key)), ..ExecLogging::default() };
        if let Some(written) = fields.get("LogConfiguration") {
            let keys: &[Key] = &[
                &["CloudWatchLogGroupName"],
                &["CloudWatchEncryptionEnabled"],
                &["S3BucketName"],
                &["S3EncryptionEnabled"],
                &["S3KeyPrefix"],
            ];
            let fields = self.fields(written, keys, &[])?;
            logging.group = fields.get("CloudWatchLogGroupName").and_then(|name| self.name(name, "a log group", "._-/#", 512));
            logging.bucket = fields.get("S3BucketName").and_then(|name| self.name(name, "a bucket", ".-", 63));
            logging.prefix = fields.get("S3KeyPrefix").and_then(|prefix| self.word(prefix));
            let mut flag = |key: &str| fields.get(key).and_then(|item| self.flag(item)).is_some_and(|flag| flag.value);
            (logging.group_encrypted, logging.bucket_encrypted) =
                (flag("CloudWatchEncryptionEnabled"), flag("S3EncryptionEnabled"));
            for (prefix, of) in [("S3KeyPrefix", "S3BucketName"), ("S3EncryptionEnabled", "S3BucketName")] {
                if let Some(item) = fields.get(prefix).filter(|_| logging.bucket.is_none()) {
                    self.wrong(item, format!("{prefix} without a bucket"), format!("add {of}"));
                }
            }
            if let Some(item) =
                fields.get("CloudWatchEncryptionEnabled").filter(|_| logging.group_encrypted && logging.key.is_none())
            {
                self.wrong(item, "a log group is encrypted with a key, and there is none", "add KmsKeyId");
            }
        }
        // Without a place of their own, logs go where the container's do.
        let places = logging.group.is_some() || logging.bucket.is_some();
        let kind = fields.get("Logging").and_then(|item| self.choice(item, &["OVERRIDE", "DEFAULT", "NONE"]));
        let kind = kind.map(|kind| kind.value);
        logging.off = kind == Some("NONE");
        match (kind, fields.get("Logging")) {
            (Some("OVERRIDE"), Some(item)) if !places => {
                self.wrong(item, "OVERRIDE says nowhere to log", "add LogConfiguration with a log group or a bucket");
            }
            (Some("DEFAULT" | "NONE"), Some(item)) if places => {
                self.wrong(item, "LogConfiguration is used with OVERRIDE only", "write OVERRIDE, or leave LogConfiguration out");
            }
            _ => {}
        }
        Some(logging)
    }

    /// A key by its ARN, which the rights of the tasks need.
    fn kms_key(&mut self, item: &Item<'_>) -> Option<Placed<String>> {
        let key = self.word(item)?;
        if is_arn(&key.value, "kms") && key.value.contains(":key/") {
            return Some(key);
        }
        self.wrong(item, format!("\"{}\" is not the ARN of a key", key.value), "arn:aws:kms:REGION:ACCOUNT:key/ID");
        None
    }
}
