//! Policies of AWS, read as AWS reads them: does a statement hold for this action on this thing by this role? Yes, no, or it depends on
//! what can't be known before the task runs.
//!
//! The role is one that CloudFormation has yet to make: of its ARN the account and the start of its name are known.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What a role would ask.
#[derive(Debug, Clone)]
pub(super) struct Ask<'a> {
    pub(super) account: &'a str,
    /// The start of the role's name.
    pub(super) role: &'a str,
    /// That is the whole of it.
    pub(super) whole: bool,
    pub(super) action: &'a str,
    pub(super) resource: &'a str,
    /// Condition keys that are known, in small letters.
    pub(super) context: BTreeMap<&'static str, &'a str>,
}

/// What a set of policies says to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) allowed: bool,
    /// Allowed to the account: the role's own policies decide.
    pub(super) handed_on: bool,
    /// Allowed, if this condition holds.
    pub(super) allowed_if: Option<String>,
    /// The statement that denies.
    pub(super) denied: Option<String>,
    /// A statement that denies, if this condition holds.
    pub(super) denied_if: Option<String>,
}

/// Whether something holds; `Maybe` has what it depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holds {
    Yes,
    No,
    Maybe(String),
}

impl Holds {
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (Self::Maybe(on), _) | (_, Self::Maybe(on)) => Self::Maybe(on),
            _ => Self::Yes,
        }
    }
}

/// Policies of the role itself, or its boundary: they name no principal.
pub(super) fn of_role(documents: &[Value], ask: &Ask<'_>) -> Said {
    let mut said = Said::default();
    for statement in documents.iter().flat_map(statements) {
        read(statement, Holds::Yes, false, ask, &mut said);
    }
    said
}

/// What a policy allows by name, without conditions: an action on a thing. Patterns name nothing that could be asked about.
pub(super) fn named_rights(document: &Value) -> impl Iterator<Item = (&str, &str)> {
    let named = |text: &&str| !text.contains(['*', '?', '<']);
    let allows = statements(document).into_iter().filter(|statement| {
        statement["Effect"].as_str() == Some("Allow") && statement.get("Condition").is_none_or(Value::is_null)
    });
    allows.flat_map(move |statement| {
        let resources: Vec<&str> = texts(&statement["Resource"]).into_iter().filter(named).collect();
        let actions = texts(&statement["Action"]).into_iter().filter(named);
        actions.flat_map(move |action| resources.clone().into_iter().map(move |resource| (action, resource)))
    })
}

/// The policy of a secret or a key.
pub(super) fn of_resource(document: &Value, ask: &Ask<'_>) -> Said {
    let mut said = Said::default();
    for statement in statements(document) {
        let (whose, by_account) = principal(statement, ask);
        read(statement, whose, by_account, ask, &mut said);
    }
    said
}

fn read(statement: &Value, whose: Holds, by_account: bool, ask: &Ask<'_>, said: &mut Said) {
    let action = among(statement, "Action", ask.action, true);
    let resource = if statement.get("Resource").is_some() || statement.get("NotResource").is_some() {
        among(statement, "Resource", ask.resource, false)
    } else {
        true
    };
    if !action || !resource {
        return;
    }
    let name = statement["Sid"].as_str().map_or_else(|| "a statement".to_owned(), |sid| format!("the statement {sid}"));
    match (statement["Effect"].as_str(), whose.and(conditions(statement, ask))) {
        (Some("Deny"), Holds::Yes) => said.denied = said.denied.take().or(Some(name)),
        (Some("Deny"), Holds::Maybe(on)) => {
            said.denied_if = said.denied_if.take().or(Some(format!("{name} denies it, depending on {on}")));
        }
        (Some("Allow"), Holds::Yes) if by_account => said.handed_on = true,
        (Some("Allow"), Holds::Yes) => said.allowed = true,
        (Some("Allow"), Holds::Maybe(on)) => said.allowed_if = said.allowed_if.take().or(Some(on)),
        _ => {}
    }
}

fn statements(document: &Value) -> Vec<&Value> {
    match &document["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        Value::Null => Vec::new(),
        one => vec![one],
    }
}

fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `Action` or `Resource`, and their `Not…`.
fn among(statement: &Value, key: &str, wanted: &str, any_case: bool) -> bool {
    let fits = |pattern: &str| {
        if any_case { like(&pattern.to_lowercase(), &wanted.to_lowercase()) } else { like(pattern, wanted) }
    };
    match statement.get(format!("Not{key}")) {
        Some(others) => !texts(others).into_iter().any(fits),
        None => texts(&statement[key]).into_iter().any(fits),
    }
}

/// Is the role one of the principals? And only as one of its account.
fn principal(statement: &Value, ask: &Ask<'_>) -> (Holds, bool) {
    if let Some(others) = statement.get("NotPrincipal") {
        let (whose, _) = named(others, ask);
        let holds = match whose {
            Holds::Yes => Holds::No,
            Holds::No => Holds::Yes,
            maybe @ Holds::Maybe(_) => maybe,
        };
        return (holds, false);
    }
    named(&statement["Principal"], ask)
}

fn named(principal: &Value, ask: &Ask<'_>) -> (Holds, bool) {
    let names = if principal.is_string() { texts(principal) } else { texts(&principal["AWS"]) };
    let mut maybe = Holds::No;
    let mut by_account = false;
    for name in names {
        if name == "*" {
            return (Holds::Yes, false);
        }
        let parts: Vec<&str> = name.split(':').collect();
        if name == ask.account || (parts.get(4) == Some(&ask.account) && parts.last() == Some(&"root")) {
            by_account = true;
        }
        let role = parts.last().and_then(|last| last.strip_prefix("role/")).and_then(|path| path.rsplit('/').next());
        let of_account = parts.get(4) == Some(&ask.account);
        if ask.whole {
            if of_account && role == Some(ask.role) {
                return (Holds::Yes, false);
            }
        } else if of_account && role.is_some_and(|role| role.starts_with(ask.role)) {
            maybe = Holds::Maybe(format!("whether {name} is the role that the stack has"));
        }
    }
    if by_account { (Holds::Yes, true) } else { (maybe, false) }
}

/// All conditions of a statement.
fn conditions(statement: &Value, ask: &Ask<'_>) -> Holds {
    let empty = Map::new();
    let operators = statement["Condition"].as_object().unwrap_or(&empty);
    operators.iter().fold(Holds::Yes, |holds, (operator, keys)| {
        let keys = keys.as_object().unwrap_or(&empty);
        keys.iter().fold(holds, |holds, (key, values)| holds.and(condition(operator, key, values, ask)))
    })
}

fn condition(operator: &str, key: &str, values: &Value, ask: &Ask<'_>) -> Holds {
    let depends = || Holds::Maybe(format!("{operator} {key}"));
    let Some(known) = ask.context.get(key.to_lowercase().as_str()) else { return depends() };
    let bare = operator.rsplit(':').next().unwrap_or(operator);
    let bare = bare.strip_suffix("IfExists").unwrap_or(bare);
    let values: Vec<String> = match values {
        Value::Bool(flag) => vec![flag.to_string()],
        values => texts(values).into_iter().map(str::to_owned).collect(),
    };
    let equal = || values.iter().any(|value| value == known);
    let alike = || values.iter().any(|value| like(value, known));
    let holds = match bare {
        "StringEquals" => equal(),
        "StringNotEquals" => !equal(),
        "StringEqualsIgnoreCase" => values.iter().any(|value| value.eq_ignore_ascii_case(known)),
        "StringLike" | "ArnLike" | "ArnEquals" => alike(),
        "StringNotLike" | "ArnNotLike" | "ArnNotEquals" => !alike(),
        "Bool" => values.iter().any(|value| value.eq_ignore_ascii_case(known)),
        _ => return depends(),
    };
    if holds { Holds::Yes } else { Holds::No }
}

/// `*` stands for any number of characters, `?` for one.
fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == '*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && (pattern[p] == '?' || pattern[p] == text[t]) {
            p += 1;
            t += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// A value of a template with `Ref` and `Fn::Sub` filled in. What is not known stays in `<angle brackets>`.
pub fn resolved(value: &Value, known: &BTreeMap<String, String>) -> Value {
    let name = |name: &str| known.get(name).cloned().unwrap_or_else(|| format!("<{name}>"));
    match value {
        Value::Object(object) if object.len() == 1 => match object.iter().next() {
            Some((key, Value::String(text))) if key == "Ref" => name(text).into(),
            Some((key, Value::String(text))) if key == "Fn::Sub" => substituted(text, known).into(),
            Some((key, Value::Array(path))) if key == "Fn::GetAtt" => {
                name(&path.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(".")).into()
            }
            Some((key, value)) => Value::Object([(key.clone(), resolved(value, known))].into_iter().collect()),
            None => value.clone(),
        },
        Value::Object(object) => {
            object.iter().map(|(key, value)| (key.clone(), resolved(value, known))).collect::<Map<_, _>>().into()
        }
        Value::Array(values) => values.iter().map(|value| resolved(value, known)).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

fn substituted(text: &str, known: &BTreeMap<String, String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        let Some((name, after)) = after.split_once('}') else { break };
        match (name.strip_prefix('!'), known.get(name)) {
            (Some(literal), _) => out.extend(["${", literal, "}"]),
            (None, Some(value)) => out.push_str(value),
            (None, None) => out.extend(["<", name, ">"]),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Ask, Said, like, of_resource, of_role, resolved};

    fn ask<'a>() -> Ask<'a> {
        Ask {
            account: "111122223333",
            role: "shop-dev-",
            whole: false,
            action: "secretsmanager:GetSecretValue",
            resource: "arn:aws:secretsmanager:eu-west-1:111122223333:secret:/shop-AbCdEf",
            context: [("aws:principalaccount", "111122223333"), ("aws:securetransport", "true")].into(),
        }
    }

    #[test]
    fn stars_and_question_marks_stand_for_characters() {
        for (pattern, text) in
            [("*", ""), ("a*c", "abbc"), ("a?c", "abc"), ("*:secret:/shop-??????", "x:secret:/shop-AbCdEf"), ("a**", "a")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "a"), ("a?c", "ac"), ("a*c", "abb"), ("abc", "ab")] {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_role_may_what_a_statement_allows_and_none_denies() {
        let allow = json!({ "Statement": { "Effect": "Allow", "Action": "SecretsManager:Get*", "Resource": "*" } });
        assert!(of_role(std::slice::from_ref(&allow), &ask()).allowed);
        let other =
            json!({ "Statement": [{ "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": "arn:x" }] });
        assert!(!of_role(&[other], &ask()).allowed);
        let deny = json!({ "Statement": [{ "Sid": "No", "Effect": "Deny", "NotAction": "s3:*", "Resource": "*" }] });
        assert_eq!(of_role(&[allow, deny], &ask()).denied.as_deref(), Some("the statement No"));
    }

    #[test]
    fn a_role_that_is_there_is_named_by_its_whole_name() {
        let ask = Ask { role: "starts-tasks", whole: true, ..ask() };
        let policy = |role: &str| {
            json!({ "Statement": [{ "Effect": "Allow", "Action": "secretsmanager:*",
            "Principal": { "AWS": format!("arn:aws:iam::111122223333:role/{role}") } }] })
        };
        assert!(of_resource(&policy("path/starts-tasks"), &ask).allowed);
        assert_eq!(of_resource(&policy("starts-tasks-too"), &ask), Said::default());
    }

    #[test]
    fn a_resources_policy_is_for_whom_it_names() {
        let with = |principal: serde_json::Value, effect: &str, condition: serde_json::Value| {
            let statement = json!({ "Effect": effect, "Principal": principal, "Action": "secretsmanager:*", "Resource": "*", "Condition": condition });
            of_resource(&json!({ "Statement": [statement] }), &ask())
        };
        let none = || json!({});
        assert!(with(json!("*"), "Deny", none()).denied.is_some());
        assert!(with(json!({ "AWS": "arn:aws:iam::111122223333:root" }), "Allow", none()).handed_on);
        assert!(with(json!({ "AWS": ["444455556666"] }), "Deny", none()).denied.is_none());
        assert!(with(json!({ "AWS": "arn:aws:iam::111122223333:role/other" }), "Deny", none()).denied.is_none());
        assert!(with(json!({ "AWS": "arn:aws:iam::111122223333:role/shop-dev-Worker" }), "Deny", none()).denied_if.is_some());
        let by = |operator: &str, key: &str, value: &str| with(json!("*"), "Deny", json!({ operator: { key: value } }));
        assert!(by("Bool", "aws:SecureTransport", "false").denied.is_none());
        assert!(by("StringNotEquals", "aws:PrincipalAccount", "111122223333").denied.is_none());
        assert!(by("StringNotEquals", "aws:PrincipalAccount", "999999999999").denied.is_some());
        assert_eq!(
            by("StringNotEquals", "aws:SourceVpce", "vpce-1").denied_if.as_deref(),
            Some("a statement denies it, depending on StringNotEquals aws:SourceVpce")
        );
        let others = json!({ "Statement": { "Effect": "Deny", "NotPrincipal": { "AWS": "arn:aws:iam::111122223333:role/admin" },
            "Action": "*", "Resource": "*" } });
        assert!(of_resource(&others, &ask()).denied.is_some());
    }

    #[test]
    fn a_templates_expressions_are_filled_in() {
        let known = [("SecretArn".to_owned(), "arn:x".to_owned()), ("AWS::Region".to_owned(), "eu-west-1".to_owned())].into();
        let value = json!({ "a": [{ "Ref": "SecretArn" }], "b": { "Fn::Sub": "${AWS::Region}.${Other}.${!x}" }, "c": { "Fn::GetAtt": ["G", "Arn"] } });
        assert_eq!(resolved(&value, &known), json!({ "a": ["arn:x"], "b": "eu-west-1.<Other>.${x}", "c": "<G.Arn>" }));
    }
}
