//! A policy's document as IAM takes it on a role.

use super::reader::{Fields, Item, Key, Reader};
use crate::base::is_mark;

const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

impl Reader<'_> {
    /// Whether a policy's document has the form that IAM takes.
    pub(super) fn document(&mut self, item: &Item<'_>) -> bool {
        let Some(fields) = self.fields(item, &[&["Version"], &["Id"], &["Statement"]], &[]) else { return false };
        let mut good = true;
        if let Some(version) = fields.get("Version") {
            good &= self.choice(version, &VERSIONS).is_some();
        }
        let Some(statements) = fields.get("Statement") else {
            self.wrong(item, "the policy has no Statement", "add what it allows");
            return false;
        };
        let statements = if statements.node.as_seq().is_some() { self.items(statements) } else { vec![statements.clone()] };
        statements.iter().fold(good, |good, statement| self.statement(statement) && good)
    }

    fn statement(&mut self, statement: &Item<'_>) -> bool {
        let keys: &[Key] = &[
            &["Sid"],
            &["Effect"],
            &["Action"],
            &["NotAction"],
            &["Resource"],
            &["NotResource"],
            &["Condition"],
            &["Principal"],
            &["NotPrincipal"],
        ];
        let Some(fields) = self.fields(statement, keys, &[]) else { return false };
        let said = |one: &str, other: &str| fields.get(one).is_some() || fields.get(other).is_some();
        let missing = match () {
            () if fields.get("Effect").is_none() => Some("Effect"),
            () if !said("Action", "NotAction") => Some("Action"),
            () if !said("Resource", "NotResource") => Some("Resource"),
            () => None,
        };
        if let Some(missing) = missing {
            self.wrong(statement, format!("the statement has no {missing}"), "IAM needs Effect, Action and Resource");
            return false;
        }
        if let Some(principal) = fields.get("Principal").or_else(|| fields.get("NotPrincipal")) {
            self.wrong(principal, "a role's policy names no principal: it is the role's own", "leave it out");
            return false;
        }
        let effect = fields.get("Effect").is_none_or(|effect| self.choice(effect, &["Allow", "Deny"]).is_some());
        let actions =
            self.each(&fields, ["Action", "NotAction"], is_action, "an action is SERVICE:OPERATION, as in s3:GetObject");
        let arns =
            self.each(&fields, ["Resource", "NotResource"], is_resource, "a resource is an ARN, as in arn:aws:s3:::bucket/*");
        effect && actions && arns
    }

    /// Checks the one text or each of the list's; what is an expression of CloudFormation is taken for right.
    fn each(&mut self, fields: &Fields<'_>, keys: [&str; 2], fits: fn(&str) -> bool, help: &str) -> bool {
        let mut good = true;
        for item in keys.into_iter().filter_map(|key| fields.get(key)) {
            let items = if item.node.as_seq().is_some() { self.items(item) } else { vec![item.clone()] };
            for item in items {
                let Some(text) = item.node.written() else {
                    if item.node.as_map().is_none() {
                        self.wrong(&item, format!("{} where a text is wanted", item.node.found()), help);
                        good = false;
                    }
                    continue;
                };
                if !fits(&text) {
                    self.wrong(&item, format!("\"{text}\" is nothing that IAM knows"), help);
                    good = false;
                }
            }
        }
        good
    }
}

fn is_action(text: &str) -> bool {
    let part = |text: &str, more: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
    text == "*" || text.split_once(':').is_some_and(|(service, operation)| part(service, "-") && part(operation, "*?"))
}

/// Six parts, of which any may be a pattern.
fn is_resource(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let [arn, partition, service, _, account, resource] = parts[..] else { return text == "*" };
    let account_fits = account.is_empty()
        || account == "aws"
        || account.chars().any(|c| "*?".contains(c) || is_mark(c))
        || account.starts_with("${")
        || (account.len() == 12 && account.chars().all(|c| c.is_ascii_digit()));
    let partition_fits = partition.starts_with("aws") || partition == "*" || partition.starts_with("${");
    arn == "arn" && partition_fits && !service.is_empty() && account_fits && !resource.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{is_action, is_resource};

    #[test]
    fn actions_and_resources_have_the_forms_of_iam() {
        for good in ["*", "s3:GetObject", "s3:Get*", "kafka-cluster:Connect"] {
            assert!(is_action(good), "{good}");
        }
        for bad in ["GetObject", "s3:", ":x", "s3 GetObject", ""] {
            assert!(!is_action(bad), "{bad}");
        }
        for good in ["*", "arn:aws:s3:::a/*", "arn:*:s3:::a", "arn:aws:kafka:eu-west-1:111122223333:cluster/a/b"] {
            assert!(is_resource(good), "{good}");
        }
        for bad in ["a-bucket", "arn:aws:s3", "arn:aws:kafka:eu-west-1:12:cluster/a", "arn:aws:s3:::"] {
            assert!(!is_resource(bad), "{bad}");
        }
    }
}
