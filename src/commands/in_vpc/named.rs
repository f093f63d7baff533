//! The parts that flags name for the task: looked at before anything is made or started.
//!
//! Comes in: the flags, the account, the subnets that the task will run in. Goes out: nothing, or all that doesn't fit, at once. Rules:
//! reads only; what the caller may not look at is told and left to ECS.

use std::collections::BTreeSet;

use serde_json::Value;

use super::image::Program;
use super::pulling::{self, EcrRepository};
use crate::aws::{Account, CallError, Named};
use crate::base::{Code, Error, Finding, Findings, Result, nearest};
use crate::cli::InVpcArgs;
use crate::commands::images;
use crate::deploy::one_off::Known;
use crate::images::Outcome;
use crate::ui::Ui;

/// Looks at everything that is named. `program` is the named image; which processor it is for is known afterwards.
pub(super) async fn must_fit(
    args: &InVpcArgs,
    account: &Account,
    known: &Known,
    subnets: &[String],
    program: Option<&mut Program>,
    ui: &mut Ui,
) -> Result<()> {
    let mut look = Look { account, findings: Findings::default(), ui };
    for (flag, arn) in [("execution-role", &args.parts.in_vpc_execution_role), ("task-role", &args.parts.in_vpc_task_role)] {
        if let Some(arn) = arn {
            let looked = look.role(flag, arn).await;
            look.unless_denied(flag, looked)?;
        }
    }
    if let Some(name) = &args.parts.in_vpc_cluster {
        let looked = look.cluster(name).await;
        look.unless_denied("cluster", looked)?;
    }
    if let Some(name) = &args.parts.in_vpc_log_group {
        let looked = look.log_group(name).await;
        look.unless_denied("log-group", looked)?;
    }
    if !args.parts.in_vpc_security_group.is_empty() {
        let looked = look.groups(&args.parts.in_vpc_security_group, subnets).await;
        look.unless_denied("security-group", looked)?;
    }
    let image = program.as_ref().map(|program| program.image.clone());
    if let Some(program) = program {
        look.image(program).await;
    }
    if !look.findings.has_errors() {
        let looked = look.rights(args, known, image.as_deref()).await;
        look.unless_denied("execution-role", looked)?;
    }
    if look.findings.has_errors() { Err(Error::Findings(look.findings)) } else { Ok(()) }
}

struct Look<'a> {
    account: &'a Account,
    findings: Findings,
    ui: &'a mut Ui,
}

impl Look<'_> {
    fn wrong(&mut self, flag: &str, message: String, help: String) {
        self.findings.push(Finding::error(Code::IN_VPC_PART, format!("--in-vpc-{flag}: {message}")).help(help));
    }

    fn unless_denied(&mut self, flag: &str, looked: std::result::Result<(), CallError>) -> Result<()> {
        match looked {
            Err(error) if error.may_pass() || error.is_about_credentials() => Err(error.into()),
            Err(error) => {
                self.ui.note(&format!("--in-vpc-{flag} was not looked at: {}", error.headline()));
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn role(&mut self, flag: &str, arn: &str) -> std::result::Result<(), CallError> {
        let parts: Vec<&str> = arn.splitn(6, ':').collect();
        let ["arn", _, "iam", _, owner, path] = parts[..] else {
            let name = if arn.contains(':') { "ROLE" } else { arn };
            let help = format!("aws iam get-role --role-name {name} --query Role.Arn shows it");
            self.wrong(flag, format!("{arn} is not the ARN of a role"), help);
            return Ok(());
        };
        let Some(name) = path.strip_prefix("role/").and_then(|path| path.rsplit('/').next()).filter(|name| !name.is_empty())
        else {
            self.wrong(flag, format!("{arn} is no role"), "name one as arn:aws:iam::ACCOUNT:role/NAME".to_owned());
            return Ok(());
        };
        let own = &self.account.caller.account;
        if owner != own {
            let message = format!("{arn} is a role of account {owner}, and ECS gives a task roles of its own account {own} only");
            self.wrong(flag, message, "name a role of this account, or run with credentials of the other".to_owned());
            return Ok(());
        }
        match self.account.role(name).await? {
            None => {
                let help = "aws iam list-roles --query 'Roles[].Arn' shows those that are there".to_owned();
                self.wrong(flag, format!("there is no role {name} in account {own}"), help);
            }
            Some(role) if role.arn != arn => {
                self.wrong(flag, format!("there is no role {arn}"), format!("did you mean {}?", role.arn));
            }
            Some(role) if role.trust.as_ref().is_some_and(|trust| !trusts_ecs(trust)) => {
                let help = "let its trust policy allow sts:AssumeRole for the service ecs-tasks.amazonaws.com".to_owned();
                self.wrong(flag, format!("ECS may not take the role {name}"), help);
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Whether the execution role may pull the image and write the log: the named one, else the copy that is made, whose rights we know,
    /// but not what a repository of another account says.
    async fn rights(&mut self, args: &InVpcArgs, known: &Known, image: Option<&str>) -> std::result::Result<(), CallError> {
        let account = self.account;
        if let Some(arn) = &args.parts.in_vpc_execution_role {
            let name = arn.rsplit('/').next().unwrap_or(arn);
            let boundary = account.role(name).await?.and_then(|role| role.boundary);
            let role = pulling::role_facts(account, name, boundary).await?;
            let group = args.parts.in_vpc_log_group.as_deref();
            let pull = pulling::pulling(account, known, &role, image).await;
            let log = pulling::logging(account, known, &role, group);
            // The first of each says enough: the help has them all.
            for why in pull.refused.into_iter().take(1).chain(log.refused.into_iter().take(1)) {
                let needed = pulling::needed(account, known, image, group);
                let help = format!("it needs {needed}; AWS's own policy AmazonECSTaskExecutionRolePolicy holds them");
                self.wrong("execution-role", format!("a task can't start as {name}: {why}"), help);
            }
            for why in pull.open.into_iter().take(1).chain(log.open.into_iter().take(1)) {
                self.ui.note(&format!("--in-vpc-execution-role: whether {name} can start a task is not sure: {why}"));
            }
        } else if let Some(repository) = image.and_then(EcrRepository::of) {
            let role = pulling::copy(known, &repository.arn(&known.partition));
            let pull = pulling::pulling(account, known, &role, image).await;
            for why in pull.refused.into_iter().take(1) {
                let help = format!("let its owner allow the pull to account {}, or copy the image", account.caller.account);
                self.wrong("image", why, help);
            }
            for why in pull.open.into_iter().take(1) {
                self.ui.note(&format!("--in-vpc-image: whether the task can pull it is not sure: {why}"));
            }
        }
        if let Some(repository) = image.and_then(EcrRepository::of).filter(|repository| repository.region != account.region) {
            let there = &repository.region;
            self.ui.note(&format!(
                "--in-vpc-image lies in {there}: the task needs a way out to it, for endpoints of ECR in a VPC lead to {} only",
                account.region
            ));
        }
        Ok(())
    }

    async fn cluster(&mut self, name: &str) -> std::result::Result<(), CallError> {
        if self.account.cluster(name).await?.is_some() {
            return Ok(());
        }
        let known = self.account.cluster_names().await.unwrap_or_default();
        let help = match nearest(name, known.iter().map(String::as_str)) {
            Some(near) => format!("did you mean {near}?"),
            None if known.is_empty() => "aws ecs list-clusters shows those that are there".to_owned(),
            None => format!("there are {}", known.join(", ")),
        };
        self.wrong("cluster", format!("there is no active cluster {name} in {}", self.account.region), help);
        Ok(())
    }

    async fn log_group(&mut self, name: &str) -> std::result::Result<(), CallError> {
        if !self.account.has_log_group(name).await? {
            let help = format!("aws logs create-log-group --log-group-name {name} makes it");
            self.wrong("log-group", format!("there is no log group {name} in {}", self.account.region), help);
        }
        Ok(())
    }

    async fn groups(&mut self, ids: &[String], subnets: &[String]) -> std::result::Result<(), CallError> {
        let wanted: Vec<&str> = ids.iter().map(String::as_str).collect();
        let subnets: Vec<&str> = subnets.iter().map(String::as_str).collect::<BTreeSet<_>>().into_iter().collect();
        let network = if subnets.is_empty() { Vec::new() } else { self.account.subnets(&[("subnet-id", &subnets)]).await? };
        let vpc = network.first().map(|subnet| subnet.vpc.clone());
        let another = |group: &Named| network.iter().map(|subnet| subnet.vpc.clone()).find(|vpc| *vpc != group.vpc);
        let found = self.account.security_groups(&[("group-id", &wanted)]).await?;
        for id in ids {
            if let Some(group) = found.iter().find(|group| group.id == *id) {
                if let Some(vpc) = another(group) {
                    let message = format!("{id} is of {}, and the task's subnets are in {vpc}", group.vpc);
                    self.wrong("security-group", message, groups_of(Some(&vpc)));
                }
                continue;
            }
            let named = self.account.security_groups(&[("group-name", &[id.as_str()])]).await?;
            let named = named.iter().find(|group| vpc.as_ref().is_none_or(|vpc| group.vpc == *vpc));
            let help = match named {
                Some(group) => format!("did you mean {}? It has that name", group.id),
                None => groups_of(vpc.as_deref()),
            };
            self.wrong("security-group", format!("there is no security group {id} in {}", self.account.region), help);
        }
        Ok(())
    }

    /// The image, and for which processor it is.
    async fn image(&mut self, program: &mut Program) {
        let own = if program.arm { "arm64" } else { "amd64" };
        let Some(checked) = images::looked_at_alone(self.account, &program.image, own).await else { return };
        let image = &program.image;
        let unseen = match checked.outcome {
            Outcome::Found(facts) if facts.runs_on("amd64") => {
                program.arm = false;
                return;
            }
            Outcome::Found(facts) if facts.runs_on("arm64") => {
                program.arm = true;
                return;
            }
            Outcome::Found(_) => {
                let help = "an image for linux/amd64 or linux/arm64 that holds confluent-ecs of this version".to_owned();
                self.wrong("image", format!("{image} has nothing that runs on Fargate"), help);
                return;
            }
            Outcome::Missing => {
                let help = "look at its tag; without the flag the program is pushed from here".to_owned();
                self.wrong("image", format!("its registry has no {image}"), help);
                return;
            }
            Outcome::NoName(why) | Outcome::Unasked(why) => why,
            Outcome::Failed(error) => error.to_string(),
        };
        self.ui.note(&format!("--in-vpc-image was not looked at, and taken for one of linux/{own}: {unseen}"));
    }
}

fn groups_of(vpc: Option<&str>) -> String {
    let filter = vpc.map(|vpc| format!(" --filters Name=vpc-id,Values={vpc}")).unwrap_or_default();
    format!("aws ec2 describe-security-groups{filter} --query 'SecurityGroups[].[GroupId,GroupName]' shows those that are there")
}

/// Whether ECS may take the role for a task, as far as a trust policy says without its conditions.
fn trusts_ecs(trust: &Value) -> bool {
    const ECS: &str = "ecs-tasks.amazonaws.com";
    let statements = match &trust["Statement"] {
        Value::Array(statements) => statements.as_slice(),
        one => std::slice::from_ref(one),
    };
    statements.iter().filter(|statement| statement["Effect"] == "Allow").any(|statement| match &statement["Principal"]["Service"]
    {
        Value::Array(services) => services.iter().any(|service| service == ECS),
        service => service == ECS,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::trusts_ecs;

    #[test]
    fn who_may_take_a_role_is_read_in_every_form() {
        let trust =
            |principal| json!({ "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }] });
        assert!(trusts_ecs(&trust(json!({ "Service": "ecs-tasks.amazonaws.com" }))));
        assert!(trusts_ecs(&trust(json!({ "Service": ["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"] }))));
        assert!(trusts_ecs(
            &json!({ "Statement": { "Effect": "Allow", "Principal": { "Service": "ecs-tasks.amazonaws.com" } } })
        ));
        assert!(!trusts_ecs(&trust(json!({ "Service": "lambda.amazonaws.com" }))));
        assert!(!trusts_ecs(&trust(json!("*"))));
    }
}
