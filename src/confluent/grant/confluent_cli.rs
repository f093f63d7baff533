//! Confluent's own command line, for Confluent Cloud. One command grants to one service account on one resource.

use super::{Admin, Bundle, Holder, On};
use crate::profile::{Pattern, Resource};

/// Grants a bundle of [`Reach::Resource`](super::Reach), one command for each holder and resource.
pub fn confluent_cli(bundle: &Bundle, admin: &Admin) -> Vec<Vec<String>> {
    let operations: Vec<&str> = bundle.operations.iter().map(|operation| operation.word()).collect();
    let mut commands = Vec::new();
    for holder in &bundle.holders {
        for on in &bundle.on {
            let mut argv: Vec<String> = ["confluent", "kafka", "acl", "create", "--allow"].map(str::to_owned).into();
            argv.extend(account(holder));
            argv.extend(["--operations".to_owned(), operations.join(",")]);
            push_place(&mut argv, on, admin);
            commands.push(argv);
        }
    }
    commands
}

/// Takes an entry away that denies.
pub fn confluent_undeny(holder: &Holder, operation: &str, on: &On, admin: &Admin) -> Vec<String> {
    let mut argv: Vec<String> = ["confluent", "kafka", "acl", "delete", "--deny"].map(str::to_owned).into();
    argv.extend(account(holder));
    argv.extend(["--operations".to_owned(), operation.to_owned()]);
    push_place(&mut argv, on, admin);
    argv.push("--force".to_owned());
    argv
}

/// Shows the ACLs on a resource.
pub fn confluent_list(on: &On, admin: &Admin) -> Vec<String> {
    let mut argv: Vec<String> = ["confluent", "kafka", "acl", "list"].map(str::to_owned).into();
    push_place(&mut argv, on, admin);
    argv
}

/// Deletes a topic. It takes whole names only: for those that begin so it shows what there is.
pub fn confluent_topic_deletion(name: &str, pattern: Pattern, admin: &Admin) -> Vec<String> {
    let mut argv: Vec<String> = ["confluent", "kafka", "topic"].map(str::to_owned).into();
    match pattern {
        Pattern::Literal => argv.extend(["delete".to_owned(), name.to_owned()]),
        Pattern::Prefixed => argv.push("list".to_owned()),
    }
    push_cluster(&mut argv, admin);
    argv
}

fn push_place(argv: &mut Vec<String>, on: &On, admin: &Admin) {
    let (option, named) = match on.resource {
        Resource::Topic => ("--topic", true),
        Resource::Group => ("--consumer-group", true),
        Resource::TransactionalId => ("--transactional-id", true),
        Resource::Cluster => ("--cluster-scope", false),
    };
    argv.push(option.to_owned());
    if named {
        argv.push(on.name.clone());
    }
    if on.pattern == Pattern::Prefixed {
        argv.push("--prefix".to_owned());
    }
    push_cluster(argv, admin);
}

fn push_cluster(argv: &mut Vec<String>, admin: &Admin) {
    argv.extend(["--cluster".to_owned(), admin.cluster.clone().unwrap_or_else(|| "<lkc-…>".to_owned())]);
    if let Some(environment) = &admin.environment {
        argv.extend(["--environment".to_owned(), environment.clone()]);
    }
}

/// A service account by its id; a user, an identity pool or anything else by its principal.
fn account(holder: &Holder) -> [String; 2] {
    match holder {
        Holder::Principal(principal) => match principal.strip_prefix("User:") {
            Some(id) if id.starts_with("sa-") => ["--service-account".to_owned(), id.to_owned()],
            _ => ["--principal".to_owned(), principal.clone()],
        },
        Holder::KeyOwner(start) => ["--service-account".to_owned(), format!("<owner of the key {start}…>")],
        Holder::Unknown => ["--service-account".to_owned(), "<sa-…>".to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bundle, Holder, Reach, bundles, tests::grant};
    use super::{Admin, confluent_cli};
    use crate::profile::{Operation, Resource};

    fn line(holder: Holder, environment: Option<&str>) -> String {
        let mut grant = grant("", Resource::Topic, "connect-dev-offsets", &[Operation::Write, Operation::Read]);
        grant.holder = holder;
        let found: Vec<Bundle> = bundles([grant], Reach::Resource);
        let admin = Admin { cluster: Some("lkc-8m2q5z".into()), environment: environment.map(str::to_owned), ..Admin::default() };
        confluent_cli(&found[0], &admin).iter().map(|argv| argv.join(" ")).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn a_service_account_is_named_by_its_id() {
        assert_eq!(
            line(Holder::Principal("User:sa-3kd9wq".into()), Some("env-1")),
            "confluent kafka acl create --allow --service-account sa-3kd9wq --operations read,write --topic connect-dev-offsets \
             --cluster lkc-8m2q5z --environment env-1"
        );
        assert!(line(Holder::Principal("User:pool-1".into()), None).contains(" --principal User:pool-1 "));
        assert!(line(Holder::KeyOwner("ABCD".into()), None).contains(" --service-account <owner of the key ABCD…> "));
    }
}
