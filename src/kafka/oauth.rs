//! OAUTHBEARER: where a token comes from (OIDC's client credentials, or nobody), and how it is shown to a broker (RFC 7628).
//!
//! Comes in: a token endpoint with an id and a secret. Goes out: a [`Token`], asked for once and shared; or a fault with its cause. The
//! endpoint is asked as Apache Kafka's own client does: id and secret in the header, grant and scope in a form.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::base::{Cause, Deadline, Fault, Moment, Secret};
use crate::net::http::{self, Answer, Request, Url};
use crate::net::tls;

/// No token is longer.
const LONGEST_ANSWER: usize = 256 << 10;
/// How long an unsecured token lives where nothing else is said, in seconds; Kafka's default.
const UNSECURED_SECONDS: i64 = 3_600;

/// A token endpoint, and who we are to it.
pub struct Oidc {
    pub endpoint: Url,
    pub client_id: String,
    pub client_secret: Secret,
    pub scope: Option<String>,
    /// SASL extensions: Confluent Cloud's `logicalCluster` and `identityPoolId`.
    pub extensions: BTreeMap<String, String>,
    /// What the endpoint's certificate is judged by.
    pub trust: tls::Settings,
    token: OnceCell<Token>,
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oidc({} at {})", self.client_id, http::endpoint(&self.endpoint))
    }
}

/// A token, and what can be told of it.
#[derive(Debug, Clone)]
pub struct Token {
    value: Secret,
    /// Seconds from when it came.
    pub lifetime: Option<i64>,
    /// Whom it is for, where it is a JWT.
    pub subject: Option<String>,
    /// Seconds that the endpoint's clock is ahead of ours.
    pub clock_ahead: Option<i64>,
    pub certificate: Option<tls::Certificate>,
}

impl Oidc {
    pub fn new(endpoint: Url, client_id: impl Into<String>, client_secret: Secret) -> Self {
        Self {
            endpoint,
            client_id: client_id.into(),
            client_secret,
            scope: None,
            extensions: BTreeMap::new(),
            trust: tls::Settings::default(),
            token: OnceCell::new(),
        }
    }

    /// The token; the endpoint is asked the first time.
    pub async fn token(&self, deadline: Deadline) -> Result<&Token, Fault> {
        self.token.get_or_try_init(|| self.fetch(deadline)).await
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.endpoint == other.endpoint
            && self.client_id == other.client_id
            && self.client_secret.expose() == other.client_secret.expose()
            && self.scope == other.scope
            && self.extensions == other.extensions
            && self.trust.authorities == other.trust.authorities
    }

    async fn fetch(&self, deadline: Deadline) -> Result<Token, Fault> {
        let client = http::Client::new(&self.trust).map_err(|message| Fault::new(Cause::TlsUntrusted, message))?;
        let scope = self.scope.as_deref().map(|scope| ("scope", scope));
        let request = Request::post(self.endpoint.clone())
            .header("accept", "application/json")
            .basic(&self.client_id, &self.client_secret)
            .form([("grant_type", "client_credentials")].into_iter().chain(scope))
            .at_most(LONGEST_ANSWER);
        let answer = client.send(request, deadline).await?;
        self.read(&answer)
    }

    fn read(&self, answer: &Answer) -> Result<Token, Fault> {
        let body = answer.json().filter(Value::is_object);
        let text = |name: &str| body.as_ref().and_then(|body| body[name].as_str());
        if let (200, Some(value)) = (answer.status, text("access_token").filter(|value| !value.is_empty())) {
            let claims = claims(value);
            let claim = |name: &str| claims.as_ref().map(|claims| claims[name].clone());
            let received = answer.received.millis() / 1_000 + answer.clock_ahead().unwrap_or_default();
            let by_claim = claim("exp").and_then(|exp| exp.as_i64()).map(|exp| exp - received);
            return Ok(Token {
                value: Secret::new(value),
                lifetime: by_claim.or_else(|| body.as_ref().and_then(|body| body["expires_in"].as_i64())),
                subject: claim("sub").and_then(|sub| sub.as_str().map(str::to_owned)),
                clock_ahead: answer.clock_ahead(),
                certificate: answer.certificate.clone(),
            });
        }
        let host = http::endpoint(&self.endpoint).host;
        if let Some(to) = &answer.location {
            let to = http::endpoint(to).host;
            return Err(Fault::new(Cause::NotKafka, format!("{host} sends us on to {to}: that is a login page or a proxy")));
        }
        let said = [text("error"), text("error_description")].into_iter().flatten().collect::<Vec<_>>().join(": ");
        let said = self.harmless(&said);
        let said =
            if said.is_empty() { format!("status {}", answer.status) } else { format!("{said} (status {})", answer.status) };
        let (cause, message) = match (answer.status, text("error")) {
            (429, _) => (Cause::Throttled, format!("the token endpoint holds requests back: {said}")),
            (500.., _) => (Cause::BrokerUnreachable, format!("the token endpoint has a fault of its own: {said}")),
            (403, _) => (Cause::AccessDenied, format!("the token endpoint gives this client no token: {said}")),
            (_, Some("invalid_scope")) => (Cause::BadCredentials, format!("the token endpoint refused the scope: {said}")),
            (401, _) | (_, Some(_)) => {
                (Cause::BadCredentials, format!("the token endpoint refused client id and secret: {said}"))
            }
            (404 | 405, _) => (Cause::NotKafka, format!("there is no token endpoint at this path: {said}")),
            _ => (Cause::NotKafka, format!("the token endpoint answers without a token: {said}")),
        };
        Err(Fault::new(cause, message))
    }

    /// The endpoint's words: one line of them, without the secret that it was shown.
    fn harmless(&self, said: &str) -> String {
        let said: String = said.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect();
        match self.client_secret.expose() {
            "" => said,
            secret => said.replace(secret, "…"),
        }
    }
}

impl Token {
    /// The first message of the login.
    pub(super) fn message(&self, extensions: &BTreeMap<String, String>) -> Secret {
        message(&self.value, extensions)
    }
}

/// A token that the client writes for itself: what Kafka's client does where no handler is set. Only brokers that are set up for
/// development take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsecured {
    /// Claims that are texts, from `unsecuredLoginStringClaim_<name>`.
    pub claims: BTreeMap<String, String>,
    pub lifetime: Option<i64>,
    pub extensions: BTreeMap<String, String>,
}

impl Unsecured {
    pub fn subject(&self) -> Option<&str> {
        self.claims.get("sub").map(String::as_str)
    }

    pub(super) fn message(&self) -> Secret {
        let now = Moment::now().millis() / 1_000;
        let mut claims = json!({ "iat": now, "exp": now + self.lifetime.unwrap_or(UNSECURED_SECONDS) });
        for (name, value) in &self.claims {
            claims[name] = json!(value);
        }
        let encode = |value: &Value| BASE64URL.encode(value.to_string());
        let token = format!("{}.{}.", encode(&json!({ "alg": "none" })), encode(&claims));
        message(&Secret::new(token), &self.extensions)
    }
}

pub(super) fn message(token: &Secret, extensions: &BTreeMap<String, String>) -> Secret {
    let pairs = extensions.iter().map(|(name, value)| format!("{name}={value}"));
    let pairs: Vec<String> = [format!("auth=Bearer {}", token.expose())].into_iter().chain(pairs).collect();
    Secret::new(format!("n,,\u{1}{}\u{1}\u{1}", pairs.join("\u{1}")))
}

/// The claims of a JWT; `None` for a token that only its issuer can read.
fn claims(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else { return None };
    let bytes = BASE64URL.decode(claims.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok().filter(Value::is_object)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Unsecured, claims, message};
    use crate::base::Secret;

    #[test]
    fn a_token_is_shown_as_the_rfc_wants_it() {
        let extensions = BTreeMap::from([("logicalCluster".to_owned(), "lkc-1".to_owned())]);
        let shown = message(&Secret::new("abc"), &extensions);
        assert_eq!(shown.expose(), "n,,\u{1}auth=Bearer abc\u{1}logicalCluster=lkc-1\u{1}\u{1}");
    }

    #[test]
    fn claims_are_read_from_a_jwt_and_from_nothing_else() {
        let unsecured =
            Unsecured { claims: [("sub".to_owned(), "ana".to_owned())].into(), lifetime: Some(60), extensions: BTreeMap::new() };
        let shown = unsecured.message();
        let token = shown.expose().trim_start_matches("n,,\u{1}auth=Bearer ").trim_end_matches('\u{1}').to_owned();
        let claims_read = claims(&token).unwrap();
        assert_eq!(claims_read["sub"], "ana");
        assert_eq!(claims_read["exp"].as_i64().unwrap() - claims_read["iat"].as_i64().unwrap(), 60);
        for opaque in ["", "abc", "a.b", "a.b.c", "a.b.c.d"] {
            assert!(claims(opaque).is_none(), "{opaque}");
        }
    }
}
