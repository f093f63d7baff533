//! What looks like a credential in a line that somebody else wrote, such as a container's log, is taken out before the line is shown or
//! kept. The names stay: they say what was logged.
//!
//! Rules: pure; rather one word too many than a password. What names no credential passes unchanged.

/// Stands where something was taken out.
const MASK: &str = "********";

/// Ends of the names that credentials have in Confluent's, Kafka's and AWS's settings, in lower case without separators.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secretkey",
    "secretaccesskey",
    "apisecret",
    "clientsecret",
    "token",
    "sessiontoken",
    "accesstoken",
    "credentials",
    "basicauthuserinfo",
    "userinfo",
    "jaasconfig",
    "authorization",
    "licensekey",
    "license",
    "keystorekey",
    "privatekey",
];

/// The line without what looks like a credential.
pub fn redact(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((place, length, value)) = next(rest) {
        out.push_str(&rest[..place]);
        out.push_str(value);
        rest = &rest[place + length..];
    }
    out.push_str(rest);
    out
}

/// The next thing to take out: where it begins, how long it is, and what stands there instead.
fn next(text: &str) -> Option<(usize, usize, &'static str)> {
    [assigned(text), in_url(text), access_key(text)].into_iter().flatten().min_by_key(|(place, _, _)| *place)
}

/// `name=value`, `name: value`, `"name": "value"`, where the name is one of a credential.
fn assigned(text: &str) -> Option<(usize, usize, &'static str)> {
    for (place, c) in text.char_indices().filter(|(_, c)| matches!(c, '=' | ':')) {
        let before = text[..place].trim_end().trim_end_matches(['"', '\'', '\\']);
        let begin = before.rfind(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).map_or(0, |at| at + 1);
        let name: String = before[begin..].chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
        if !NAMES.iter().any(|wanted| name.ends_with(wanted)) {
            continue;
        }
        let after = &text[place + c.len_utf8()..];
        let blanks = after.len() - after.trim_start().len();
        let value = &after[blanks..];
        let length = if name.ends_with("jaasconfig") || name.ends_with("authorization") {
            // The whole rest is one value, with blanks and quotes in it.
            value.len()
        } else {
            value_length(value)
        };
        let already = value.starts_with(MASK) || value.is_empty() || value.starts_with("null") || value.starts_with("[hidden]");
        if length > 0 && !already {
            return Some((place + c.len_utf8() + blanks, length, MASK));
        }
    }
    None
}

/// To the closing quote, or to where an unquoted value ends.
fn value_length(value: &str) -> usize {
    let opening: String = value.chars().take_while(|c| matches!(c, '\\' | '"' | '\'')).take(2).collect();
    if let Some(quote) = opening.chars().last().filter(|c| matches!(c, '"' | '\'')) {
        let inside = &value[opening.len()..];
        let mut escaped = false;
        for (place, c) in inside.char_indices() {
            if c == quote && !escaped {
                return opening.len() + place + c.len_utf8();
            }
            escaped = c == '\\' && !escaped;
            // `\"…\"`: the closing quote is escaped as the opening one is.
            if opening.len() > 1 && c == '\\' {
                return opening.len() + place;
            }
        }
        return value.len();
    }
    value.find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '&' | '}' | ')')).unwrap_or(value.len())
}

/// `scheme://user:password@host`.
fn in_url(text: &str) -> Option<(usize, usize, &'static str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("://") {
        let begin = from + found + 3;
        let authority = &text[begin..];
        let end = authority.find(|c: char| c.is_whitespace() || "/\"'".contains(c)).unwrap_or(authority.len());
        if let Some(at) = authority[..end].rfind('@')
            && let Some(colon) = authority[..at].find(':')
            && &authority[colon + 1..at] != MASK
        {
            return Some((begin + colon + 1, at - colon - 1, MASK));
        }
        from = begin;
    }
    None
}

/// An AWS access key's id: not secret by itself, but half of a pair.
fn access_key(text: &str) -> Option<(usize, usize, &'static str)> {
    ["AKIA", "ASIA"].iter().find_map(|prefix| {
        let place = text.find(prefix)?;
        let key = &text[place..];
        let length = key.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit())).unwrap_or(key.len());
        let alone = !text[..place].ends_with(|c: char| c.is_ascii_alphanumeric());
        (length == 20 && alone).then_some((place, length, MASK))
    })
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn credentials_are_taken_out_and_their_names_stay() {
        for (line, left) in [
            ("ssl.key.password = hunter2", "ssl.key.password = ********"),
            ("export CONNECT_SASL_PASSWORD=hunter2; next", "export CONNECT_SASL_PASSWORD=********; next"),
            (r#"{"password": "hun\"ter2", "user": "ana"}"#, r#"{"password": ********, "user": "ana"}"#),
            (r#"{\"password\":\"hunter2\",\"a\":1}"#, r#"{\"password\":********\",\"a\":1}"#),
            (
                r#"sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="hunter2";"#,
                "sasl.jaas.config=********",
            ),
            ("basic.auth.user.info=ABCD:hunter2", "basic.auth.user.info=********"),
            ("GET https://ana:hunter2@registry.example.com/subjects", "GET https://ana:********@registry.example.com/subjects"),
            ("Authorization: Basic aHVudGVyMg==", "Authorization: ********"),
            ("using AKIAABCDEFGHIJKLMNOP now", "using ******** now"),
        ] {
            assert_eq!(redact(line), left);
            assert_eq!(redact(&redact(line)), left, "twice");
        }
    }

    #[test]
    fn a_line_without_a_credential_stays_as_it_is() {
        for line in [
            "ERROR org.apache.kafka.common.errors.SaslAuthenticationException: Authentication failed",
            "sasl.jaas.config = [hidden]",
            "ssl.key.password = null",
            "INFO Kafka version: 7.9.0-ccs",
            "no secret here, nor a password",
            "https://example.com:8443/a@b",
        ] {
            assert_eq!(redact(line), line);
        }
    }
}
