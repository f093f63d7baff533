//! What keeps a login that can be read from being one: a class that doesn't exist, an option that is missing or misspelt.
//!
//! Of Kafka's own modules all names are known; of others nothing is said, unless they are called as Kafka's and stand elsewhere.

use crate::base::{Code, Finding};
use crate::profile::{Credentials, Mechanism};

use super::Jaas;

/// Kafka's own classes for logins live here.
const PACKAGE: &str = "org.apache.kafka.common.security.";
/// A name that differs by more is another name.
const NEAR: f64 = 0.7;

/// `client` is the client's name; `mechanism` its own, where it is known.
pub(super) fn finding(jaas: &Jaas, client: &str, mechanism: Option<&Mechanism>, all: &[Mechanism]) -> Option<Finding> {
    unknown_class(jaas, client, mechanism, all).or_else(|| missing_option(jaas, client, mechanism?))
}

fn unknown_class(jaas: &Jaas, client: &str, mechanism: Option<&Mechanism>, all: &[Mechanism]) -> Option<Finding> {
    let module = jaas.module.as_str();
    if all.iter().any(|known| known.module == module) {
        return None;
    }
    let simple = |class: &str| class.rsplit('.').next().unwrap_or_default().to_owned();
    let certain = module.starts_with(PACKAGE) || !module.contains('.');
    let alike = all.iter().find(|known| simple(&known.module) == jaas.module_name());
    if !certain && alike.is_none() {
        return None;
    }
    let near = |known: &&Mechanism| (strsim::jaro_winkler(&known.module, module) * 1e6).round();
    let meant = mechanism.or(alike).or_else(|| all.iter().max_by(|a, b| near(a).total_cmp(&near(b))))?;
    let message = format!("the {client} logs in by {module}, a class that Kafka doesn't have");
    let make = if certain { Finding::error } else { Finding::warning };
    Some(make(Code::LOGIN_MALFORMED, message).help(format!("{} takes {}", meant.name, meant.module)))
}

fn missing_option(jaas: &Jaas, client: &str, mechanism: &Mechanism) -> Option<Finding> {
    if mechanism.credentials != Credentials::UsernamePassword || jaas.module != mechanism.module {
        return None;
    }
    let lacks = |name: &&str| jaas.option(name).is_none_or(|value| value.expose().is_empty());
    let missing = ["username", "password"].into_iter().find(lacks)?;
    let similar = |name: &&String| strsim::jaro_winkler(name, missing) >= NEAR && *name != missing;
    let help = match jaas.options.iter().map(|(name, _)| name).find(similar) {
        Some(written) => format!("did you mean {missing} instead of {written}?"),
        None => format!("write {missing}=\"…\" before the semicolon; `secrets compose` and `secrets put` do"),
    };
    Some(Finding::error(Code::LOGIN_MALFORMED, format!("the login of the {client} has no {missing}")).help(help))
}

#[cfg(test)]
mod tests {
    use super::finding;
    use crate::confluent::Jaas;
    use crate::profile::Catalogue;

    fn said(text: &str, mechanism: &str) -> Option<String> {
        let catalogue = Catalogue::builtin().unwrap();
        let kafka = catalogue.kafka();
        let finding = finding(&Jaas::parse(text).unwrap(), "worker", kafka.mechanism(mechanism), &kafka.mechanisms)?;
        Some(format!("{} {}", finding.message, finding.help.unwrap_or_default()))
    }

    #[test]
    fn a_login_that_is_none_says_why() {
        const SCRAM: &str = "org.apache.kafka.common.security.scram";
        for (text, part) in [
            (
                format!("{SCRAM}.ScramLogin required username=\"a\" password=\"b\";"),
                "takes org.apache.kafka.common.security.scram.ScramLoginModule",
            ),
            ("ScramLoginModule required username=\"a\" password=\"b\";".to_owned(), "a class that Kafka doesn't have"),
            (
                "org.kafka.scram.ScramLoginModule required username=\"a\" password=\"b\";".to_owned(),
                "a class that Kafka doesn't have",
            ),
            (
                format!("{SCRAM}.ScramLoginModule required username=\"a\" passwort=\"b\";"),
                "did you mean password instead of passwort?",
            ),
            (format!("{SCRAM}.ScramLoginModule required user=\"a\" password=\"b\";"), "has no username"),
            (format!("{SCRAM}.ScramLoginModule required username=\"a\";"), "write password=\"…\""),
            (format!("{SCRAM}.ScramLoginModule required username=\"a\" password=\"\";"), "has no password"),
        ] {
            let said = said(&text, "SCRAM-SHA-512").unwrap_or_default();
            assert!(said.contains(part) && !said.contains("\"b\""), "{part}: {said}");
        }
        for (text, mechanism) in [
            (format!("{SCRAM}.ScramLoginModule required username=\"a\" password=\"b\";"), "SCRAM-SHA-512"),
            ("com.example.VaultLoginModule required path=\"x\";".to_owned(), "PLAIN"),
            ("software.amazon.msk.auth.iam.IAMLoginModule required;".to_owned(), "AWS_MSK_IAM"),
        ] {
            assert_eq!(said(&text, mechanism), None);
        }
    }
}
