//! Who is behind an operation on a stack. CloudFormation keeps the name that a caller gave an operation with each of its events: ours
//! says who called, so that whoever comes second learns it.

use crate::aws::{Account, StackEvent};
use crate::base::Moment;

const PREFIX: &str = "confluent-ecs-by-";
/// CloudFormation takes 128 characters in all.
const LONGEST: usize = 80;

/// The name for an operation that begins now: letters, digits and hyphens, another one each time.
pub fn token(account: &Account) -> String {
    format!("{PREFIX}{}-{}", caller_name(&account.caller.arn), Moment::now().millis())
}

/// The last part of the caller's ARN, with what a token doesn't take as hyphens.
fn caller_name(arn: &str) -> String {
    let last = arn.rsplit(['/', ':']).next().unwrap_or_default();
    let name: String = last.chars().take(LONGEST).map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    if name.is_empty() { "unknown".to_owned() } else { name }
}

/// Who began an operation, by the event that it began with, as far as that tells.
pub(super) fn who(begun: &StackEvent) -> Option<String> {
    let token = begun.token.as_deref()?;
    if let Some((name, _)) = token.strip_prefix(PREFIX).and_then(|rest| rest.rsplit_once('-')) {
        return Some(name.to_owned());
    }
    // The console gives each operation a name of this form.
    if token.starts_with("Console-") {
        return Some("somebody in the AWS console".to_owned());
    }
    Some(format!("a caller that named it {token}"))
}

#[cfg(test)]
mod tests {
    use super::{PREFIX, caller_name, who};
    use crate::aws::StackEvent;
    use crate::base::Moment;

    fn begun(token: Option<&str>) -> Option<String> {
        who(&StackEvent {
            id: "1".to_owned(),
            at: Moment::default(),
            logical: "demo".to_owned(),
            kind: "AWS::CloudFormation::Stack".to_owned(),
            physical: None,
            status: "UPDATE_IN_PROGRESS".to_owned(),
            reason: None,
            token: token.map(str::to_owned),
        })
    }

    #[test]
    fn the_caller_is_in_the_token_and_read_back() {
        let name = caller_name("arn:aws:sts::111122223333:assumed-role/deployer/ana@example.com");
        assert_eq!(name, "ana-example-com");
        assert_eq!(begun(Some(&format!("{PREFIX}{name}-1234"))).as_deref(), Some("ana-example-com"));
        assert_eq!(caller_name(""), "unknown");
        assert!(caller_name(&"a".repeat(300)).len() <= 80);
    }

    #[test]
    fn other_callers_are_told_as_far_as_they_tell() {
        assert_eq!(begun(Some("Console-ExecuteChangeSet-1")).as_deref(), Some("somebody in the AWS console"));
        assert_eq!(begun(Some("pipeline-7")).as_deref(), Some("a caller that named it pipeline-7"));
        assert_eq!(begun(None), None);
    }
}
