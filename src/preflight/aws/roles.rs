//! May the roles of a task read its secrets, pull its images, write its log? Judged from the policies that the template gives them, never by
//! trying: whoever runs this is somebody else.
//!
//! Four may say no: the role's own policies, its boundary, the secret's policy, the key's. What depends on something that only the running
//! task has is unknown.

use serde_json::Value;

use super::facts::{AccountFacts, FamilyFacts, KeyAccess, Read, RoleFacts, SecretAccess};
use super::policy::{self, Ask, Said, of_resource, of_role};
use crate::base::Code;
use crate::preflight::fix::Fix;
use crate::preflight::report::{Category, Check, Origin, Status, Subject};
use crate::preflight::runner::Plan;

const READ: &str = "secretsmanager:GetSecretValue";
const DECRYPT: &str = "kms:Decrypt";
/// What the execution role does with a log group and with a repository before anything runs.
pub const LOG: [&str; 2] = ["logs:CreateLogStream", "logs:PutLogEvents"];
pub const TOKEN: &str = "ecr:GetAuthorizationToken";
pub const PULL: [&str; 3] = ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"];

/// What keeps a role from reading.
enum Obstacle {
    /// It would be refused; and what to do.
    Refused(String, String),
    /// Nobody can tell.
    Open(String),
}

pub(super) fn plan(facts: &AccountFacts, plan: &mut Plan) {
    for family in &facts.families {
        for role in &family.roles {
            if role.kind == "execution" {
                plan.known(of_start(facts, family, role));
            }
            if role.boundary.is_some() {
                plan.known(of_boundary(facts, family, role));
            }
            for secret in &role.secrets {
                plan.known(of_secret(facts, family, role, secret));
            }
        }
    }
}

fn new(family: &FamilyFacts, role: &RoleFacts, id: &str, title: &str) -> Check {
    let id = format!("role/{}/{}/{id}", family.name, role.kind);
    let mut check = Check::new(Code::ROLE_READS, Category::Aws, id, format!("{} role of {}: {title}", role.kind, family.name));
    check.label = format!("{} role", role.kind);
    check.service = Some(family.name.clone());
    check.origin = family.place.as_ref().map(Origin::from);
    check
}

/// What ECS does as the execution role at every start of a task: images, then the log.
fn of_start(facts: &AccountFacts, family: &FamilyFacts, role: &RoleFacts) -> Check {
    let mut check = new(family, role, "start", "images and log");
    check.evidence = Some("the template's own policies".to_owned());
    let ask = |action, resource| ask(facts, role, action, resource);
    let on_log = LOG.iter().map(|action| ask(action, family.log_group.as_str()));
    let token = (!family.repositories.is_empty()).then(|| ask(TOKEN, "*"));
    let on_images = family.repositories.values().flat_map(|arn| PULL.iter().map(|action| ask(action, arn.as_str())));
    let own = on_log.chain(token).chain(on_images).find_map(|ask| of_role_itself(role, &ask));
    let foreign = || {
        let (name, _) = family.repositories.iter().find(|(_, arn)| is_foreign(arn, &facts.account))?;
        Some(Obstacle::Open(format!(
            "{name} is a repository of another account, whose own policy decides too, and can't be read"
        )))
    };
    let names: Vec<&str> = family.repositories.keys().map(String::as_str).collect();
    let pull = if names.is_empty() { String::new() } else { format!(", and pull {}", names.join(", ")) };
    ended(
        check,
        own.or_else(foreign),
        format!("may write its log{pull}"),
        "a task without its image or its log is stopped, again and again",
    )
}

/// A boundary takes away what the template's own policies give.
fn of_boundary(facts: &AccountFacts, family: &FamilyFacts, role: &RoleFacts) -> Check {
    let check = new(family, role, "boundary", "its permissions boundary");
    let given = role.policies.iter().flat_map(policy::named_rights);
    let obstacle = given.map(|(action, resource)| ask(facts, role, action, resource)).find_map(|ask| of_its_boundary(role, &ask));
    let arn = role.boundary.as_ref().map_or("", |(arn, _)| arn.as_str());
    ended(
        check,
        obstacle,
        format!("{arn} lets it do what its policies name"),
        "a right must stand in the policies and in the boundary",
    )
}

fn ended(check: Check, obstacle: Option<Obstacle>, good: String, why: &str) -> Check {
    match obstacle {
        None => check.passed(good),
        Some(Obstacle::Open(open)) => check.ended(Status::Unknown, open),
        Some(Obstacle::Refused(refused, fix)) => {
            let mut check = check.ended(Status::Failed, refused);
            check.why = Some(why.to_owned());
            check.fixes = vec![Fix::advice(fix)];
            check
        }
    }
}

fn ask<'a>(facts: &'a AccountFacts, role: &'a RoleFacts, action: &'a str, resource: &'a str) -> Ask<'a> {
    ask_in(&facts.account, &facts.region, role, action, resource)
}

fn ask_in<'a>(account: &'a str, region: &'a str, role: &'a RoleFacts, action: &'a str, resource: &'a str) -> Ask<'a> {
    Ask {
        account,
        role: &role.name_start,
        whole: role.whole_name,
        action,
        resource,
        context: [
            ("aws:principalaccount", account),
            ("aws:securetransport", "true"),
            ("aws:requestedregion", region),
            ("aws:principaltype", "AssumedRole"),
        ]
        .into(),
    }
}

/// May a role do something?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum May {
    Yes,
    /// Why not.
    No(String),
    /// What keeps it from being told.
    Open(String),
}

impl From<Obstacle> for May {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Refused(why, _) => Self::No(why),
            Obstacle::Open(why) => Self::Open(why),
        }
    }
}

/// Whether a role may do something on a thing. `own` is the thing's policy, where it has one: in the same account it may allow by itself,
/// in another it must.
pub fn may(account: &str, region: &str, role: &RoleFacts, action: &str, resource: &str, own: &Read<Option<Value>>) -> May {
    let ask = ask_in(account, region, role, action, resource);
    let of_role = of_role_itself(role, &ask);
    let foreign = is_foreign(resource, account);
    let said = match own {
        Ok(policy) => policy.as_ref().map(|policy| of_resource(policy, &ask)).unwrap_or_default(),
        Err(why) if foreign || of_role.is_some() => {
            return May::Open(format!("the policy of {resource} could not be read: {why}"));
        }
        Err(_) => Said::default(),
    };
    let name = resource.rsplit(':').next().unwrap_or(resource);
    if let Some(statement) = said.denied {
        return May::No(format!("{statement} in the policy of {name} denies {action}"));
    }
    if let Some(on) = said.denied_if {
        return May::Open(format!("in the policy of {name}, {on}"));
    }
    match (of_role, foreign) {
        (None, false) => May::Yes,
        (Some(_), false) if said.allowed => May::Yes,
        (Some(obstacle), _) => obstacle.into(),
        (None, true) if said.allowed || said.handed_on => May::Yes,
        (None, true) => match said.allowed_if {
            Some(on) => May::Open(format!("the policy of {name} allows {action}, depending on {on}")),
            None => May::No(format!("{name} is another account's, and its policy does not let account {account} do {action}")),
        },
    }
}

fn of_secret(facts: &AccountFacts, family: &FamilyFacts, role: &RoleFacts, secret: &str) -> Check {
    let mut check = new(family, role, secret, secret);
    check.evidence = Some("the template's own policies, and those of the secret and its key".to_owned());
    let access = match facts.secrets.get(secret) {
        Some(Ok(access)) => access,
        Some(Err(why)) => return check.ended(Status::Unknown, why.clone()),
        None => return check.ended(Status::Skipped, "the secret was not found"),
    };
    check.subject = Some(Subject { kind: "secret".to_owned(), name: access.name.clone(), pattern: None });
    let why = "ECS reads a task's secrets with its execution role before anything runs: a task that may not is stopped, again and again";
    ended(check, obstacle(facts, role, access), format!("may read {}", access.name), why)
}

fn obstacle(facts: &AccountFacts, role: &RoleFacts, access: &SecretAccess) -> Option<Obstacle> {
    let arn = access.arn.as_str();
    let through = format!("secretsmanager.{}.{}", facts.region, suffix(&facts.region));
    let ask = |action, resource| {
        let mut ask = ask(facts, role, action, resource);
        ask.context.extend([
            ("kms:calleraccount", facts.account.as_str()),
            ("kms:viaservice", through.as_str()),
            ("kms:encryptioncontext:secretarn", arn),
        ]);
        ask
    };
    let read = ask(READ, arn);
    of_role_itself(role, &read).or_else(|| of_secret_itself(facts, access, &read)).or_else(|| match &access.key {
        KeyAccess::Default if is_foreign(arn, &facts.account) => Some(Obstacle::Refused(
            format!("{} is another account's, and encrypted with a key that no other account may use", access.name),
            "encrypt the secret with a key of KMS whose policy lets this account use it".to_owned(),
        )),
        KeyAccess::Default => None,
        KeyAccess::Missing(id) => Some(Obstacle::Refused(
            format!("the key {id}, with which {} is encrypted, does not exist", access.name),
            format!("aws secretsmanager update-secret --secret-id {} --kms-key-id <key>", access.name),
        )),
        KeyAccess::Unread(why) => Some(Obstacle::Open(format!("the secret's key could not be looked at: {why}"))),
        KeyAccess::Key { key, .. } if key.by_aws => None,
        KeyAccess::Key { key, .. } if key.state != "Enabled" => Some(Obstacle::Refused(
            format!("the key of {} is {}", access.name, key.state),
            format!(
                "aws kms enable-key --key-id {}  (one that waits for its deletion: aws kms cancel-key-deletion first)",
                key.arn
            ),
        )),
        KeyAccess::Key { key, policy } => {
            let decrypt = ask(DECRYPT, key.arn.as_str());
            match policy {
                Err(why) => Some(Obstacle::Open(format!("the policy of the secret's key could not be read: {why}"))),
                Ok(policy) => {
                    of_key(policy.as_ref().map(|policy| of_resource(policy, &decrypt)), key.arn.as_str(), role, &decrypt)
                }
            }
        }
    })
}

/// The role's own policies, then its boundary.
fn of_role_itself(role: &RoleFacts, ask: &Ask<'_>) -> Option<Obstacle> {
    let kind = role.kind;
    let own = of_role(&role.policies, ask);
    if let Some(statement) = own.denied {
        let fix = "take the statement out of x-iam.Policies of the service";
        return Some(Obstacle::Refused(format!("{statement} of the {kind} role denies {}", ask.action), fix.to_owned()));
    }
    if !own.allowed {
        let why = format!("no policy of the {kind} role allows {} on {}", ask.action, ask.resource);
        let fix = format!("allow {} on {} in x-iam.Policies of the service", ask.action, ask.resource);
        return Some(match (own.allowed_if, role.unread.first()) {
            (Some(on), _) => Obstacle::Open(format!("the {kind} role may, depending on {on}")),
            (None, Some(unread)) => Obstacle::Open(format!("a policy of the {kind} role could not be read: {unread}")),
            (None, None) => Obstacle::Refused(why, fix),
        });
    }
    of_its_boundary(role, ask)
}

fn of_its_boundary(role: &RoleFacts, ask: &Ask<'_>) -> Option<Obstacle> {
    let (arn, boundary) = role.boundary.as_ref()?;
    let boundary = match boundary {
        Ok(document) => of_role(std::slice::from_ref(document), ask),
        Err(why) => return Some(Obstacle::Open(format!("the boundary {arn} could not be read: {why}"))),
    };
    let fix = format!(
        "let the boundary {arn} allow {} on {}, or take another one (x-iam.PermissionsBoundary)",
        ask.action, ask.resource
    );
    match boundary {
        Said { denied: Some(statement), .. } => {
            Some(Obstacle::Refused(format!("{statement} of the boundary {arn} denies {}", ask.action), fix))
        }
        Said { allowed: true, denied_if: None, .. } => None,
        Said { allowed: true, denied_if: Some(on), .. } => Some(Obstacle::Open(format!("of the boundary {arn}, {on}"))),
        Said { allowed_if: Some(on), .. } => {
            Some(Obstacle::Open(format!("the boundary {arn} allows {}, depending on {on}", ask.action)))
        }
        _ => Some(Obstacle::Refused(format!("the boundary {arn} does not allow {}", ask.action), fix)),
    }
}

/// The secret's own policy.
fn of_secret_itself(facts: &AccountFacts, access: &SecretAccess, ask: &Ask<'_>) -> Option<Obstacle> {
    let name = &access.name;
    let said = match &access.policy {
        Err(why) => return Some(Obstacle::Open(format!("the secret's own policy could not be read: {why}"))),
        Ok(policy) => policy.as_ref().map(|policy| of_resource(policy, ask)).unwrap_or_default(),
    };
    let show = format!("aws secretsmanager get-resource-policy --secret-id {name}");
    if let Some(statement) = said.denied {
        let why = format!("{statement} in the policy of {name} denies {} to everybody like this role", ask.action);
        return Some(Obstacle::Refused(why, format!("leave the role out of what the policy denies; this shows it: {show}")));
    }
    if let Some(on) = said.denied_if {
        return Some(Obstacle::Open(format!("in the policy of {name}, {on}")));
    }
    let foreign = is_foreign(&access.arn, &facts.account) && !said.allowed && !said.handed_on;
    foreign.then(|| {
        let why = format!("{name} is another account's, and its policy does not let this account read it");
        Obstacle::Refused(why, format!("let its owner allow {} to account {}: {show}", ask.action, facts.account))
    })
}

/// A key's policy allows by itself, or hands on to the role's policies; without either the role's don't count.
fn of_key(said: Option<Said>, key: &str, role: &RoleFacts, ask: &Ask<'_>) -> Option<Obstacle> {
    let show = format!("aws kms get-key-policy --key-id {key} --policy-name default");
    match said.unwrap_or_default() {
        Said { denied: Some(statement), .. } => {
            let why = format!("{statement} in the policy of the key {key} denies {}", ask.action);
            Some(Obstacle::Refused(why, format!("leave the role out of what the policy denies; this shows it: {show}")))
        }
        Said { denied_if: Some(on), .. } => Some(Obstacle::Open(format!("in the policy of the key {key}, {on}"))),
        Said { allowed: true, .. } => None,
        Said { handed_on: true, .. } => of_role_itself(role, ask),
        Said { allowed_if: Some(on), .. } => Some(Obstacle::Open(format!("the key {key} may be used, depending on {on}"))),
        _ => Some(Obstacle::Refused(
            format!(
                "the policy of the key {key} neither lets the account's own policies decide nor allows {} to the role",
                ask.action
            ),
            format!(
                "let the policy allow kms:* to arn:aws:iam::{}:root, so that the role's policies count; this shows it: {show}",
                ask.account
            ),
        )),
    }
}

/// The account stands in the fifth part of an ARN.
fn is_foreign(arn: &str, account: &str) -> bool {
    arn.split(':').nth(4).is_some_and(|owner| !owner.is_empty() && owner != account)
}

fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" }
}

#[cfg(test)]
#[path = "roles_tests.rs"]
mod tests;
