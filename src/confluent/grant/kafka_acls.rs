//! Kafka's own `kafka-acls`, for clusters that keep ACLs themselves: self-managed ones, MSK with SCRAM or mutual TLS.

use super::{Admin, Bundle, On};
use crate::profile::{Operation, Pattern, Resource};

/// The start of a command of Kafka's own tools, run by an administrator.
pub fn kafka_tool(tool: &str, admin: &Admin) -> Vec<String> {
    let bootstrap = admin.bootstrap.as_deref().unwrap_or("<host:port>");
    let config = admin.config.as_deref().unwrap_or("<admin.properties>");
    [tool, "--bootstrap-server", bootstrap, "--command-config", config].map(str::to_owned).into()
}

/// Grants a bundle.
pub fn kafka_acls(bundle: &Bundle, admin: &Admin) -> Vec<String> {
    let mut argv = kafka_tool("kafka-acls", admin);
    argv.push("--add".to_owned());
    for holder in &bundle.holders {
        push(&mut argv, "--allow-principal", &holder.principal());
    }
    for operation in &bundle.operations {
        push(&mut argv, "--operation", kafka_name(*operation));
    }
    for on in &bundle.on {
        push_resource(&mut argv, on.resource, &on.name);
    }
    if bundle.on.iter().any(|on| on.pattern == Pattern::Prefixed) {
        push(&mut argv, "--resource-pattern-type", "prefixed");
    }
    argv
}

/// Shows every ACL that has a say over resources, wildcards and prefixes among them.
pub fn kafka_acls_list(on: &[On], admin: &Admin) -> Vec<String> {
    let mut argv = kafka_tool("kafka-acls", admin);
    argv.push("--list".to_owned());
    for on in on {
        push_resource(&mut argv, on.resource, &on.name);
    }
    push(&mut argv, "--resource-pattern-type", "match");
    argv
}

/// Takes an entry away that denies. `operation` is as Kafka writes it, `All` among them.
pub fn kafka_acls_undeny(principal: &str, host: &str, operation: &str, on: &On, admin: &Admin) -> Vec<String> {
    let mut argv = kafka_tool("kafka-acls", admin);
    argv.extend(["--remove".to_owned(), "--force".to_owned()]);
    push(&mut argv, "--deny-principal", principal);
    if host != "*" {
        push(&mut argv, "--deny-host", host);
    }
    push(&mut argv, "--operation", operation);
    push_resource(&mut argv, on.resource, &on.name);
    if on.pattern == Pattern::Prefixed {
        push(&mut argv, "--resource-pattern-type", "prefixed");
    }
    argv
}

/// Deletes a topic, or all that begin so: the tool takes a regular expression.
pub fn kafka_topic_deletion(name: &str, pattern: Pattern, admin: &Admin) -> Vec<String> {
    let mut argv = kafka_tool("kafka-topics", admin);
    argv.push("--delete".to_owned());
    let mut topic = name.replace('.', "\\.");
    if pattern == Pattern::Prefixed {
        topic.push_str(".*");
    }
    push(&mut argv, "--topic", &topic);
    argv
}

fn push_resource(argv: &mut Vec<String>, resource: Resource, name: &str) {
    match resource {
        Resource::Topic => push(argv, "--topic", name),
        Resource::Group => push(argv, "--group", name),
        Resource::TransactionalId => push(argv, "--transactional-id", name),
        Resource::Cluster => argv.push("--cluster".to_owned()),
    }
}

/// The tool takes what begins with a dash for an option, unless it is bound to its own.
fn push(argv: &mut Vec<String>, option: &str, value: &str) {
    if value.starts_with('-') {
        argv.push(format!("{option}={value}"));
    } else {
        argv.extend([option.to_owned(), value.to_owned()]);
    }
}

fn kafka_name(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "Read",
        Operation::Write => "Write",
        Operation::Create => "Create",
        Operation::Delete => "Delete",
        Operation::Describe => "Describe",
        Operation::Alter => "Alter",
        Operation::DescribeConfigs => "DescribeConfigs",
        Operation::AlterConfigs => "AlterConfigs",
        Operation::ClusterAction => "ClusterAction",
        Operation::IdempotentWrite => "IdempotentWrite",
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Reach, bundles, tests::grant};
    use super::{Admin, kafka_acls, kafka_acls_undeny};
    use crate::profile::{Operation, Pattern, Resource};

    fn admin() -> Admin {
        Admin { bootstrap: Some("b:9092".into()), config: Some("admin.properties".into()), ..Admin::default() }
    }

    #[test]
    fn one_command_holds_all_that_gets_the_same() {
        let grants = [
            grant("User:connect", Resource::Topic, "offsets", &[Operation::Write, Operation::Read]),
            grant("User:connect", Resource::Topic, "-odd", &[Operation::Write, Operation::Read]),
        ];
        let [bundle] = &bundles(grants, Reach::Operations)[..] else { panic!("one bundle") };
        assert_eq!(
            kafka_acls(bundle, &admin()).join(" "),
            "kafka-acls --bootstrap-server b:9092 --command-config admin.properties --add --allow-principal User:connect \
             --operation Read --operation Write --topic=-odd --topic offsets"
        );
    }

    #[test]
    fn a_deny_is_taken_away_as_it_stands() {
        let mut on = grant("", Resource::Topic, "connect-", &[]).on;
        on.pattern = Pattern::Prefixed;
        assert_eq!(
            kafka_acls_undeny("User:*", "10.0.0.1", "All", &on, &admin()).join(" "),
            "kafka-acls --bootstrap-server b:9092 --command-config admin.properties --remove --force --deny-principal User:* \
             --deny-host 10.0.0.1 --operation All --topic connect- --resource-pattern-type prefixed"
        );
    }
}
