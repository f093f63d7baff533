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
        let mut basic = None;
        for header in headers.get_all(WWW_AUTHENTICATE) {
            let Ok(text) = header.to_str() else { continue };
            let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
            if scheme.eq_ignore_ascii_case("basic") {
                basic = Some(Self::Basic);
            } else if scheme.eq_ignore_ascii_case("bearer") {
                let parameters = parameters(rest);
                let find = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
                if let Some(realm) = find("realm") {
                    return Some(Self::Bearer { realm, service: find("service") });
                }
            }
        }
        basic
    }
}

/// `a="b",c=d` taken apart. A quoted value may hold commas.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while let Some((key, after)) = rest.split_once('=') {
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((key.trim().to_ascii_lowercase(), value.to_owned()));
        rest = after.trim_start_matches([' ', ',']);
    }
    found
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
        assert_eq!(of(&["Negotiate"]), None);
        assert_eq!(of(&["Bearer"]), None);
    }
}
