//! Rights as Terraform: one resource over a map, an entry for each operation, as both providers of ACLs want it.
//!
//! Sources: confluentinc/confluent, `confluent_kafka_acl`; Mongey/kafka, `kafka_acl`; hashicorp/aws, `aws_iam_policy_document`.

use std::fmt::Write as _;

use super::{Admin, Bundle, Statement};
use crate::profile::{Pattern, Resource};

/// ACLs of Confluent Cloud.
pub fn terraform_confluent(name: &str, bundles: &[Bundle], admin: &Admin) -> String {
    let mut text = entries(name, bundles, |resource| match resource {
        Resource::Topic => "TOPIC",
        Resource::Group => "GROUP",
        Resource::TransactionalId => "TRANSACTIONAL_ID",
        Resource::Cluster => "CLUSTER",
    });
    let cluster = quoted(admin.cluster.as_deref().unwrap_or("<lkc-…>"));
    let _ = write!(
        text,
        "\nresource \"confluent_kafka_acl\" \"{name}\" {{\n  for_each = local.{name}_acls\n\n  kafka_cluster {{\n    id = {cluster}\n  }}\n  \
         resource_type = each.value.type\n  resource_name = each.value.name\n  pattern_type  = each.value.pattern\n  \
         principal     = each.value.principal\n  host          = \"*\"\n  operation     = each.value.operation\n  \
         permission    = \"ALLOW\"\n}}\n"
    );
    text
}

/// ACLs that Kafka keeps itself.
pub fn terraform_kafka(name: &str, bundles: &[Bundle]) -> String {
    let mut text = entries(name, bundles, |resource| match resource {
        Resource::Topic => "Topic",
        Resource::Group => "Group",
        Resource::TransactionalId => "TransactionalID",
        Resource::Cluster => "Cluster",
    });
    let _ = write!(
        text,
        "\nresource \"kafka_acl\" \"{name}\" {{\n  for_each = local.{name}_acls\n\n  resource_type                = each.value.type\n  \
         resource_name                = each.value.name\n  resource_pattern_type_filter = title(lower(each.value.pattern))\n  \
         acl_principal                = each.value.principal\n  acl_host                     = \"*\"\n  \
         acl_operation                = replace(title(lower(replace(each.value.operation, \"_\", \" \"))), \" \", \"\")\n  \
         acl_permission_type          = \"Allow\"\n}}\n"
    );
    text
}

/// The statements of a role.
pub fn terraform_iam(name: &str, statements: &[Statement]) -> String {
    let list = |words: &[String]| {
        words.iter().fold(String::new(), |mut text, word| {
            let _ = writeln!(text, "      {},", quoted(word));
            text
        })
    };
    let mut text = format!("data \"aws_iam_policy_document\" \"{name}\" {{\n");
    for statement in statements {
        let _ = write!(
            text,
            "  statement {{\n    actions = [\n{}    ]\n    resources = [\n{}    ]\n  }}\n",
            list(&statement.action),
            list(&statement.resource)
        );
    }
    text.push_str("}\n");
    text
}

fn entries(name: &str, bundles: &[Bundle], kind: impl Fn(Resource) -> &'static str) -> String {
    let mut text = format!("locals {{\n  {name}_acls = {{\n");
    for bundle in bundles {
        for holder in &bundle.holders {
            for on in &bundle.on {
                for operation in &bundle.operations {
                    let principal = holder.principal();
                    let pattern = if on.pattern == Pattern::Prefixed { "PREFIXED" } else { "LITERAL" };
                    let star = if on.pattern == Pattern::Prefixed { "*" } else { "" };
                    let cluster = if on.resource == Resource::Cluster { "kafka-cluster" } else { &on.name };
                    let key = format!("{principal} {operation} {} {cluster}{star}", on.resource);
                    let operation = operation.word().to_uppercase().replace('-', "_");
                    let _ = writeln!(
                        text,
                        "    {} = {{ principal = {}, operation = \"{operation}\", type = \"{}\", name = {}, pattern = \"{pattern}\" }}",
                        quoted(&key),
                        quoted(&principal),
                        kind(on.resource),
                        quoted(cluster)
                    );
                }
            }
        }
    }
    text.push_str("  }\n}\n");
    text
}

/// A string of Terraform's language, in which nothing is interpolated.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    let mut before = ' ';
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '{' if before == '$' || before == '%' => {
                out.push(before);
                out.push('{');
            }
            other => out.push(other),
        }
        before = c;
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::super::{Admin, Reach, bundles, tests::grant};
    use super::{quoted, terraform_confluent, terraform_kafka};
    use crate::profile::{Operation, Resource};

    #[test]
    fn every_operation_is_an_entry() {
        let grants = [grant("User:sa-1", Resource::Topic, "configs", &[Operation::Read, Operation::DescribeConfigs])];
        let found = bundles(grants, Reach::Operations);
        let text = terraform_confluent("connect", &found, &Admin { cluster: Some("lkc-1".into()), ..Admin::default() });
        for part in [
            "    \"User:sa-1 read topic configs\" = { principal = \"User:sa-1\", operation = \"READ\", type = \"TOPIC\", name = \"configs\", \
             pattern = \"LITERAL\" }\n",
            "operation = \"DESCRIBE_CONFIGS\"",
            "    id = \"lkc-1\"\n",
        ] {
            assert!(text.contains(part), "{text}");
        }
        assert!(terraform_kafka("connect", &found).contains("resource \"kafka_acl\" \"connect\""));
    }

    #[test]
    fn nothing_is_interpolated() {
        assert_eq!(quoted(r#"a"b\c${d}%{e}$f"#), r#""a\"b\\c$${d}%%{e}$f""#);
    }
}
