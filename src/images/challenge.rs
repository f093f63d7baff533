//! How a registry wants its login: `WWW-Authenticate`, read.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User name and password with every request.
    Basic,
    /// A token from this address.
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    /// The challenge of an answer; a token where both are offered.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let texts = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok());
        let offered: Vec<Offered> = texts.flat_map(offered).collect();
        let mut bearer = offered.iter().filter(|one| one.scheme == "bearer");
        let bearer = bearer.find_map(|one| Some(Self::Bearer { realm: one.find("realm")?, service: one.find("service") }));
        bearer.or_else(|| offered.iter().any(|one| one.scheme == "basic").then_some(Self::Basic))
    }
}

/// One way to log in, as it is offered.
#[derive(Debug, Default)]
struct Offered {
    /// In small letters, as the names of the parameters are.
    scheme: String,
    parameters: Vec<(String, String)>,
}

impl Offered {
    fn find(&self, name: &str) -> Option<String> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

/// `Negotiate, Basic realm="a", Bearer realm="b",service=c` taken apart: a word before a blank begins the next one.
fn offered(text: &str) -> Vec<Offered> {
    let mut found: Vec<Offered> = Vec::new();
    for item in items(text) {
        let (before, value) = item.split_once('=').map_or((item.as_str(), None), |(before, value)| (before, Some(value)));
        let mut words = before.split_whitespace();
        let Some(first) = words.next() else { continue };
        let name = match (words.next(), value) {
            (None, Some(_)) => first,
            (name, _) => {
                found.push(Offered { scheme: first.to_ascii_lowercase(), parameters: Vec::new() });
                name.unwrap_or_default()
            }
        };
        if let (Some(last), Some(value)) = (found.last_mut(), value) {
            last.parameters.push((name.to_ascii_lowercase(), plain(value.trim())));
        }
    }
    found
}

/// The parts between commas. A quoted value may hold some.
fn items(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in text.chars() {
        if c == ',' && !quoted {
            parts.push(String::new());
            continue;
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    parts
}

/// A value without its quotes.
fn plain(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"') else { return value.to_owned() };
    let mut text = String::new();
    let mut escaped = false;
    for c in inner.strip_suffix('"').unwrap_or(inner).chars() {
        escaped = c == '\\' && !escaped;
        if !escaped {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, WWW_AUTHENTICATE};

    use super::Challenge;

    fn of(texts: &[&'static str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for text in texts {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_static(text));
        }
        Challenge::of(&headers)
    }

    #[test]
    fn challenges_are_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#;
        let bearer = Challenge::Bearer {
            realm: "https://auth.docker.io/token".to_owned(),
            service: Some("registry.docker.io".to_owned()),
        };
        assert_eq!(of(&[hub]), Some(bearer.clone()));
        assert_eq!(of(&["Basic realm=\"x\"", hub]), Some(bearer));
        assert_eq!(
            of(&[r#"basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com""#]),
            Some(Challenge::Basic)
        );
        assert_eq!(
            of(&["Bearer realm=https://x/token, service=y"]),
            Some(Challenge::Bearer { realm: "https://x/token".to_owned(), service: Some("y".to_owned()) })
        );
        // Several in one header, and one that is nothing to us before it.
        let bearer = Some(Challenge::Bearer { realm: "https://x/token?a=b,c".to_owned(), service: Some("y \"z\"".to_owned()) });
        assert_eq!(
            of(&[
                r#"Negotiate, Basic realm="bed, \"5\"", Bearer realm="https://x/token?a=b,c", service="y \"z\"",scope="r:a:pull""#
            ]),
            bearer
        );
        assert_eq!(of(&[r#"Negotiate, Basic realm="bed""#]), Some(Challenge::Basic));
        assert_eq!(of(&["Basic"]), Some(Challenge::Basic));
        assert_eq!(of(&["Negotiate"]), None);
        assert_eq!(of(&["Bearer"]), None);
    }
}
