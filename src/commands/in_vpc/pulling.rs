//! May the task's execution role pull the task's image, and write its log? Judged from policies before anything is made; what can't be
//! read is told, and left to ECS.

use serde_json::{Value, json};

use crate::aws::{Account, CallError};
use crate::base::ecr_registry;
use crate::cloudformation::SUFFIX;
use crate::deploy::one_off::Known;
use crate::images::Reference;
use crate::preflight::{LOG_RIGHTS, LOGIN_RIGHT, May, PULL_RIGHTS, Read, RoleFacts, may};

/// A repository of ECR, of whatever account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct EcrRepository {
    pub(in crate::commands) owner: String,
    pub(in crate::commands) region: String,
    pub(in crate::commands) name: String,
}

impl EcrRepository {
    /// Where an image of ECR lies: ACCOUNT.dkr.ecr.REGION.…/NAME.
    pub(in crate::commands) fn of(image: &str) -> Option<Self> {
        let reference = Reference::parse(image).ok()?;
        let (owner, region) = ecr_registry(&reference.registry)?;
        Some(Self { owner: owner.to_owned(), region: region.to_owned(), name: reference.repository.clone() })
    }

    pub(super) fn arn(&self, partition: &str) -> String {
        format!("arn:{partition}:ecr:{}:{}:repository/{}", self.region, self.owner, self.name)
    }
}

/// What was found of a role: what it surely may not, and what could not be told.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) refused: Vec<String>,
    pub(super) open: Vec<String>,
}

impl Found {
    fn take(&mut self, may: May) {
        let (list, why) = match may {
            May::Yes => return,
            May::No(why) => (&mut self.refused, why),
            May::Open(why) => (&mut self.open, why),
        };
        list.push(why);
    }
}

/// A role that is there, with what it is given.
pub(super) async fn role_facts(account: &Account, name: &str, boundary: Option<String>) -> Result<RoleFacts, CallError> {
    let given = account.role_policies(name).await?;
    let (mut policies, mut unread) = (given.documents, Vec::new());
    for arn in given.managed {
        match managed(account, &arn).await {
            Ok(document) => policies.push(document),
            Err(why) => unread.push(format!("{arn}: {why}")),
        }
    }
    let boundary = match boundary {
        Some(arn) => Some((arn.clone(), managed(account, &arn).await)),
        None => None,
    };
    let (name_start, secrets) = (name.to_owned(), Vec::new());
    Ok(RoleFacts { kind: "execution", name_start, whole_name: true, policies, unread, boundary, secrets })
}

async fn managed(account: &Account, arn: &str) -> Read<Value> {
    match account.managed_policy(arn).await {
        Ok(Some(document)) => Ok(document),
        Ok(None) => Err("there is no such policy".to_owned()),
        Err(error) => Err(error.headline()),
    }
}

/// The copy of the service's execution role, which is given the right to pull.
pub(super) fn copy(known: &Known, repository: &str) -> RoleFacts {
    let policy = json!({ "Statement": [{ "Effect": "Allow", "Action": PULL_RIGHTS, "Resource": repository },
        { "Effect": "Allow", "Action": LOGIN_RIGHT, "Resource": "*" }] });
    RoleFacts {
        kind: "execution",
        name_start: known.stack.chars().take(20).collect(),
        whole_name: false,
        policies: vec![policy],
        unread: Vec::new(),
        boundary: None,
        secrets: Vec::new(),
    }
}

/// What keeps a role from pulling. `image`: the one that is named, where one is; else it is ours, whose repository lets the role in.
pub(super) async fn pulling(account: &Account, known: &Known, role: &RoleFacts, image: Option<&str>) -> Found {
    let mut found = Found::default();
    let (own, region) = (account.caller.account.as_str(), account.region.as_str());
    let repository = image.and_then(EcrRepository::of);
    if image.is_some() && repository.is_none() {
        return found;
    }
    found.take(may(own, region, role, LOGIN_RIGHT, "*", &Ok(None)));
    if let Some(repository) = repository {
        let policy = account.ecr_repository_policy(&repository.owner, &repository.region, &repository.name).await;
        let policy = policy.map_err(|error| error.headline());
        let arn = repository.arn(&known.partition);
        for action in PULL_RIGHTS {
            found.take(may(own, &repository.region, role, action, &arn, &policy));
        }
    }
    found
}

/// What the role needs, each right with what it is on.
pub(super) fn needed(account: &Account, known: &Known, image: Option<&str>, group: Option<&str>) -> String {
    let repository = image.and_then(EcrRepository::of);
    let mut needed = Vec::new();
    if image.is_none() || repository.is_some() {
        needed.push(format!("{LOGIN_RIGHT} on *"));
    }
    if let Some(repository) = repository {
        needed.push(format!("{} on {}", PULL_RIGHTS.join(", "), repository.arn(&known.partition)));
    }
    needed.push(format!("{} on {}", LOG_RIGHTS.join(", "), log(account, known, group)));
    needed.join("; ")
}

/// The ARN of the log group: of the one that is named, else of those that may be made.
fn log(account: &Account, known: &Known, group: Option<&str>) -> String {
    let made = format!("{}{SUFFIX}-*", known.stack);
    let (own, region) = (account.caller.account.as_str(), account.region.as_str());
    format!("arn:{}:logs:{region}:{own}:log-group:{}:*", known.partition, group.unwrap_or(&made))
}

/// What keeps a role from writing a log: of this group, else of one that is made.
pub(super) fn logging(account: &Account, known: &Known, role: &RoleFacts, group: Option<&str>) -> Found {
    let mut found = Found::default();
    let (own, region) = (account.caller.account.as_str(), account.region.as_str());
    let arn = log(account, known, group);
    for action in LOG_RIGHTS {
        found.take(may(own, region, role, action, &arn, &Ok(None)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::EcrRepository;

    #[test]
    fn where_an_image_of_ecr_lies_is_in_its_name() {
        let of = |image: &str| EcrRepository::of(image).map(|found| found.arn("aws"));
        let arn = |region: &str| Some(format!("arn:aws:ecr:{region}:111122223333:repository/tools/confluent-ecs"));
        assert_eq!(of("111122223333.dkr.ecr.eu-west-1.amazonaws.com/tools/confluent-ecs:1"), arn("eu-west-1"));
        assert_eq!(of("111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com/tools/confluent-ecs:1"), arn("us-gov-west-1"));
        assert_eq!(of("confluentinc/cp-kafka-connect:8.0.7"), None);
        assert_eq!(of("111122223333.dkr-ecr.eu-west-1.on.aws/tools/confluent-ecs:1"), arn("eu-west-1"));
        assert_eq!(of("public.ecr.aws/tools/confluent-ecs:1"), None);
    }
}
