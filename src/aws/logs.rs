//! CloudWatch Logs: the last lines of one stream.

use super::account::{Account, call};
use super::error::CallError;

/// A container's log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogStream {
    pub container: String,
    pub group: String,
    pub stream: String,
}

impl Account {
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
