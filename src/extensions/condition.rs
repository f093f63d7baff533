//! Which requests a rule of a listener takes, in CloudFormation's own words.

use super::reader::{Item, Key, Reader};

/// What a request must be like; all of it, and of each list one. Nothing: any request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    pub hosts: Vec<String>,
    pub paths: Vec<String>,
    pub methods: Vec<String>,
    pub sources: Vec<String>,
    /// A header's name and its values.
    pub headers: Vec<(String, Vec<String>)>,
    /// A parameter's key, if it matters, and its value.
    pub queries: Vec<(Option<String>, String)>,
}

impl Conditions {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

const FIELDS: [&str; 6] = ["host-header", "path-pattern", "http-request-method", "source-ip", "http-header", "query-string"];
/// What each of [`FIELDS`] is written below.
const CONFIGS: [(&str, &str); 6] = [
    ("HostHeaderConfig", FIELDS[0]),
    ("PathPatternConfig", FIELDS[1]),
    ("HttpRequestMethodConfig", FIELDS[2]),
    ("SourceIpConfig", FIELDS[3]),
    ("HttpHeaderConfig", FIELDS[4]),
    ("QueryStringConfig", FIELDS[5]),
];

impl Reader<'_> {
    /// CloudFormation's own conditions of a rule.
    pub(super) fn conditions(&mut self, item: &Item<'_>) -> Option<Conditions> {
        let mut conditions = Conditions::default();
        for entry in self.items(item) {
            let keys: &[Key] = &[
                &["Field"],
                &["Values"],
                &["HostHeaderConfig"],
                &["PathPatternConfig"],
                &["HttpRequestMethodConfig"],
                &["SourceIpConfig"],
                &["HttpHeaderConfig"],
                &["QueryStringConfig"],
            ];
            let fields = self.fields(&entry, keys, &[])?;
            let said = CONFIGS.iter().find(|(config, _)| fields.get(config).is_some()).map(|(_, field)| *field);
            let field = match (fields.get("Field"), said) {
                (Some(field), _) => self.choice(field, &FIELDS)?.value,
                (None, Some(field)) => field,
                (None, None) => {
                    self.wrong(&entry, "the condition has no Field", format!("one of {}", FIELDS.join(", ")));
                    return None;
                }
            };
            let config = CONFIGS.iter().find(|(_, of)| *of == field).and_then(|(config, _)| fields.get(config));
            let inner = match config {
                Some(config) => Some(self.fields(config, &[&["Values"], &["HttpHeaderName"]], &[])?),
                None => None,
            };
            let values = inner.as_ref().and_then(|fields| fields.get("Values")).or_else(|| fields.get("Values")).cloned();
            let Some(values) = values else {
                self.wrong(&entry, format!("the condition on {field} has no Values"), "say what the request must have");
                return None;
            };
            if field == "query-string" {
                for value in self.items(&values) {
                    let fields = self.fields(&value, &[&["Key"], &["Value"]], &[])?;
                    let key = fields.get("Key").and_then(|key| self.word(key)).map(|key| key.value);
                    let value = fields.get("Value").and_then(|value| self.word(value))?;
                    conditions.queries.push((key, value.value));
                }
                continue;
            }
            for item in self.items(&values) {
                self.condition_value(field, &item);
            }
            let words: Vec<String> = self.texts(&values).into_iter().map(|text| text.value).collect();
            match field {
                "host-header" => conditions.hosts.extend(words),
                "path-pattern" => conditions.paths.extend(words),
                "http-request-method" => conditions.methods.extend(words),
                "source-ip" => conditions.sources.extend(words),
                _ => {
                    let name = inner.as_ref().and_then(|fields| fields.get("HttpHeaderName")).and_then(|name| self.word(name));
                    let Some(name) = name else {
                        self.wrong(&entry, "the condition names no header", "add HttpHeaderConfig.HttpHeaderName");
                        return None;
                    };
                    conditions.headers.push((name.value, words));
                }
            }
        }
        Some(conditions)
    }

    fn condition_value(&mut self, field: &str, item: &Item<'_>) {
        let text = item.node.written().unwrap_or_default();
        let fault = match field {
            "source-ip" => super::ingress::block(&text, text.contains(':')).err().map(|help| ("a block of addresses", help)),
            "path-pattern" if !text.starts_with(['/', '*']) => {
                Some(("a path that a request can have", "it starts with /, as in /api/*".to_owned()))
            }
            "http-request-method" if text.is_empty() || !text.chars().all(|c| c.is_ascii_uppercase() || "-_".contains(c)) => {
                Some(("a method of HTTP", "write it in capitals, as in GET".to_owned()))
            }
            "host-header" if text.contains(['/', ':', ' ']) => {
                Some(("a host", "a name alone, as in api.example.com or *.example.com".to_owned()))
            }
            _ if text.len() > 128 => Some(("a value that a rule takes", "128 characters at most".to_owned())),
            _ => None,
        };
        if let Some((what, help)) = fault {
            self.wrong(item, format!("\"{text}\" is not {what}"), help);
        }
    }
}
