//! Load balancers' targets: what a target group says of each task behind it.

use super::account::Account;
use super::endpoint::Api;
use super::error::CallError;
use super::signed::Call;

/// One target of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetHealth {
    /// The task's address.
    pub id: String,
    /// `healthy`, `initial`, `unhealthy`, `draining`, `unused`.
    pub state: String,
    /// `Target.FailedHealthChecks`.
    pub reason: Option<String>,
    pub description: Option<String>,
}

impl Account {
    /// The targets of a group.
    pub async fn target_health(&self, group: &str) -> Result<Vec<TargetHealth>, CallError> {
        let call = Call::form(Api::Elbv2, "elasticloadbalancing:DescribeTargetHealth", group).with("TargetGroupArn", group);
        let answer = self.signed_xml(call).await?;
        let Some(result) = answer.child("DescribeTargetHealthResult") else { return Ok(Vec::new()) };
        let targets = result.list("TargetHealthDescriptions").iter().map(|found| {
            let health = |name: &str| found.child("TargetHealth").and_then(|health| health.text(name)).map(str::to_owned);
            TargetHealth {
                id: found.child("Target").and_then(|target| target.text("Id")).unwrap_or_default().to_owned(),
                state: health("State").unwrap_or_default(),
                reason: health("Reason"),
                description: health("Description"),
            }
        });
        Ok(targets.collect())
    }
}
