//! CloudFormation's drift: what was changed past it.

use aws_sdk_cloudformation::types::{StackDriftDetectionStatus, StackResourceDriftStatus};
use serde::Serialize;

use super::account::{Account, call};
use super::error::{CallError, ErrorKind};

/// How far a detection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftDetection {
    Working,
    Done,
    /// Some resources could not be looked at; the others were.
    Incomplete(String),
}

/// A resource that is not as the template has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    pub logical: String,
    pub kind: String,
    /// It is not there any more.
    pub deleted: bool,
    /// The places that differ; their values stay out.
    pub properties: Vec<String>,
}

impl Account {
    /// Begins to look for drift; gives the detection's id.
    pub async fn detect_drift(&self, stack: &str) -> Result<String, CallError> {
        let request = self.cloudformation.detect_stack_drift().stack_name(stack);
        let answer = call!(self, "cloudformation:DetectStackDrift", stack, request.send())?;
        answer.stack_drift_detection_id().map(str::to_owned).ok_or_else(|| {
            self.named(CallError::local(ErrorKind::Other, "cloudformation:DetectStackDrift", "the answer has no id"))
        })
    }

    pub async fn drift_detection(&self, id: &str) -> Result<DriftDetection, CallError> {
        let request = self.cloudformation.describe_stack_drift_detection_status().stack_drift_detection_id(id);
        let answer = call!(self, "cloudformation:DescribeStackDriftDetectionStatus", id, request.send())?;
        Ok(match answer.detection_status().map(StackDriftDetectionStatus::as_str) {
            Some("DETECTION_COMPLETE") => DriftDetection::Done,
            Some("DETECTION_FAILED") => {
                DriftDetection::Incomplete(answer.detection_status_reason().unwrap_or("no reason is given").to_owned())
            }
            _ => DriftDetection::Working,
        })
    }

    /// What the last detection has found.
    pub async fn drifts(&self, stack: &str) -> Result<Vec<Drift>, CallError> {
        let mut token: Option<String> = None;
        let mut found = Vec::new();
        loop {
            let request = self
                .cloudformation
                .describe_stack_resource_drifts()
                .stack_name(stack)
                .stack_resource_drift_status_filters(StackResourceDriftStatus::Modified)
                .stack_resource_drift_status_filters(StackResourceDriftStatus::Deleted)
                .set_next_token(token.take());
            let answer = call!(self, "cloudformation:DescribeStackResourceDrifts", stack, request.send())?;
            found.extend(answer.stack_resource_drifts().iter().map(|drift| {
                Drift {
                    logical: drift.logical_resource_id().unwrap_or_default().to_owned(),
                    kind: drift.resource_type().unwrap_or_default().to_owned(),
                    deleted: drift.stack_resource_drift_status() == Some(&StackResourceDriftStatus::Deleted),
                    properties: drift
                        .property_differences()
                        .iter()
                        .filter_map(|difference| difference.property_path())
                        .map(|path| path.trim_start_matches('/').to_owned())
                        .collect(),
                }
            }));
            match answer.next_token().filter(|token| !token.is_empty()) {
                Some(next) => token = Some(next.to_owned()),
                None => return Ok(found),
            }
        }
    }
}
