//! ECS Exec on a cluster that this stack makes: where what is typed is kept, and what a task must be allowed to keep it there.

use super::resource::{ClusterConfiguration, ExecLogConfiguration, ExecuteCommandConfiguration, LogGroup, Statement};
use super::roles::allow;
use super::{Builder, Expression, Properties, Resource};
use crate::stack::{Cluster, ExecLogging, Family, Text};

/// The log group of what is typed, where this stack makes it.
const GROUP: &str = "ClusterExecLogGroup";

impl Builder<'_> {
    pub(super) fn exec_configuration(&mut self, logging: &ExecLogging) -> ClusterConfiguration {
        if let Some(retention_in_days) = logging.new_group {
            let log = LogGroup { log_group_name: None, retention_in_days, tags: self.tags(None) };
            let resource = Resource { properties: Properties::LogGroup(log), depends_on: Vec::new(), retained: true };
            self.resources.insert(GROUP.to_owned(), resource);
        }
        let group = logging.new_group.map(|_| Expression::reference(GROUP));
        let group = group.or_else(|| logging.group.as_ref().map(|group| Text::from(&group.value)).as_ref().map(Expression::from));
        let text = |value: Option<&str>| value.map(|value| Expression::from(&Text::from(value)));
        let places = group.is_some() || logging.bucket.is_some();
        ClusterConfiguration {
            execute_command_configuration: ExecuteCommandConfiguration {
                kms_key_id: text(logging.key.as_ref().map(|key| key.value.as_str())),
                log_configuration: places.then(|| ExecLogConfiguration {
                    cloud_watch_encryption_enabled: logging.group_encrypted.then_some(true),
                    cloud_watch_log_group_name: group,
                    s3_bucket_name: text(logging.bucket.as_ref().map(|bucket| bucket.value.as_str())),
                    s3_encryption_enabled: logging.bucket_encrypted.then_some(true),
                    s3_key_prefix: text(logging.prefix.as_ref().map(|prefix| prefix.value.as_str())),
                }),
                logging: match (places, logging.off) {
                    (true, _) => "OVERRIDE",
                    (false, true) => "NONE",
                    (false, false) => "DEFAULT",
                },
            },
        }
    }

    /// What a task that people type into needs besides the channel.
    pub(super) fn exec_rights(&self, family: &Family) -> Vec<Statement> {
        let Cluster::New(cluster) = &self.stack.cluster else { return Vec::new() };
        let Some(logging) = cluster.exec.as_ref().filter(|_| family.execute_command) else { return Vec::new() };
        let mut rights = Vec::new();
        let text = |value: &str| super::expression::substitution(&Text::from(value));
        let group = match (&logging.new_group, &logging.group) {
            (Some(_), _) => Some(Expression::attribute(GROUP, "Arn")),
            (None, Some(name)) => Some(Expression::sub(format!(
                "arn:${{AWS::Partition}}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:{}:*",
                text(&name.value)
            ))),
            (None, None) => None,
        };
        if let Some(group) = group {
            let all = Expression::sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:*");
            rights.push(allow(&["logs:DescribeLogGroups"], vec![all]));
            rights.push(allow(&["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"], vec![group]));
        }
        if let Some(bucket) = &logging.bucket {
            let bucket = text(&bucket.value);
            let arn = |below: &str| vec![Expression::sub(format!("arn:${{AWS::Partition}}:s3:::{bucket}{below}"))];
            rights.push(allow(&["s3:GetBucketLocation", "s3:GetEncryptionConfiguration"], arn("")));
            let prefix = logging.prefix.as_ref().map(|prefix| format!("/{}", text(prefix.value.trim_matches('/'))));
            rights.push(allow(&["s3:PutObject"], arn(&format!("{}/*", prefix.unwrap_or_default()))));
        }
        if let Some(key) = &logging.key {
            rights.push(allow(&["kms:Decrypt", "kms:GenerateDataKey"], vec![Expression::from(&Text::from(&key.value))]));
        }
        rights
    }
}
