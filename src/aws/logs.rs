//! CloudWatch Logs: the last lines of one stream, and all lines of a group from a moment on.

use super::account::{Account, call};
use super::error::CallError;
use crate::base::Moment;

/// Lines that are taken at once; a busy service writes more than anybody reads.
const MOST_LINES: usize = 10_000;

/// A container's log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStream {
    pub container: String,
    pub group: String,
    pub stream: String,
}

/// One line of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub id: String,
    pub at: Moment,
    pub stream: String,
    pub text: String,
}

impl Account {
    /// Whether there is a log group of this name.
    pub async fn has_log_group(&self, name: &str) -> Result<bool, CallError> {
        // The shortest of the names that begin so comes first.
        let request = self.logs.describe_log_groups().log_group_name_prefix(name);
        let answer = call!(self, "logs:DescribeLogGroups", name, request.send())?;
        Ok(answer.log_groups().iter().any(|group| group.log_group_name() == Some(name)))
    }

    /// The lines of a group from a moment on, oldest first; of the streams whose names begin so, where that is said. Empty when the
    /// group is not there.
    pub async fn log_lines(&self, group: &str, streams: Option<&str>, from: Moment) -> Result<Vec<LogLine>, CallError> {
        let request = self
            .logs
            .filter_log_events()
            .log_group_name(group)
            .set_log_stream_name_prefix(streams.map(str::to_owned))
            .start_time(from.millis());
        let mut pages = request.into_paginator().send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = match page.map_err(|error| self.named(CallError::of("logs:FilterLogEvents", error).about(group))) {
                Ok(page) => page,
                Err(error) if error.is_code("ResourceNotFoundException") => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            lines.extend(page.events().iter().map(|event| LogLine {
                id: event.event_id().unwrap_or_default().to_owned(),
                at: Moment::from_millis(event.timestamp().unwrap_or_default()),
                stream: event.log_stream_name().unwrap_or_default().to_owned(),
                text: event.message().unwrap_or_default().trim_end_matches(['\r', '\n']).to_owned(),
            }));
            if lines.len() >= MOST_LINES {
                break;
            }
        }
        lines.sort_by_key(|line| line.at);
        Ok(lines)
    }

    /// The last lines, oldest first. Empty when the container never wrote one: then there is no stream either.
    pub async fn last_lines(&self, from: &LogStream, count: i32) -> Result<Vec<String>, CallError> {
        let request = self
            .logs
            .get_log_events()
            .log_group_name(&from.group)
            .log_stream_name(&from.stream)
            .limit(count)
            .start_from_head(false);
        match call!(self, "logs:GetLogEvents", from.group.as_str(), request.send()) {
            Ok(answer) => {
                let lines = answer.events().iter().filter_map(|event| event.message());
                Ok(lines.map(|line| line.trim_end_matches(['\r', '\n']).to_owned()).collect())
            }
            Err(error) if error.is_code("ResourceNotFoundException") => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
