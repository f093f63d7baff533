//! One registry over HTTP: its login, our limits, and repeats where they are safe.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::credentials::{CredentialSource, Credentials};
use super::error::{Kind, RegistryError};
use super::reference::is_local;
use crate::base::Secret;

const CONNECT: Duration = Duration::from_secs(5);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(20);
const REPEATS: u32 = 4;
/// Logins that are tried for one request: the first may have ended, the second be used up by requests beside it.
const CHALLENGES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A token is not used in the last moments of its life.
const MARGIN: Duration = Duration::from_secs(20);
/// What the specification gives a token that doesn't say.
const TOKEN_LIFE: u64 = 60;
const MOST_TEXT: usize = 64 * 1024;

/// A registry that is spoken with.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    /// As image names name it.
    registry: String,
    base: String,
    source: CredentialSource,
    login: Mutex<Login>,
}

#[derive(Debug, Default)]
struct Login {
    challenge: Option<Challenge>,
    /// By scope; Basic needs one only.
    headers: BTreeMap<String, (HeaderValue, Option<Instant>)>,
}

#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Http {
    pub(super) fn new(registry: &str, address: &str, source: CredentialSource) -> Result<Self, RegistryError> {
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(reqwest::redirect::Policy::limited(5))
            .user_agent(concat!("confluent-ecs/", env!("CARGO_PKG_VERSION")))
            .tcp_nodelay(true)
            .build()
            .map_err(|error| RegistryError::new(Kind::Broken, registry, "a connection", chain(&error)))?;
        let scheme = if is_local(address) { "http" } else { "https" };
        let base = format!("{scheme}://{address}/v2");
        Ok(Self { client, registry: registry.to_owned(), base, source, login: Mutex::default() })
    }

    pub(super) fn registry(&self) -> &str {
        &self.registry
    }

    /// `path` below the registry's own `/v2/`, or a whole address that it gave.
    pub(super) fn url(&self, path: &str) -> String {
        if path.contains("://") { path.to_owned() } else { format!("{}/{path}", self.base) }
    }

    /// Sends what may be sent twice, until it has an answer that is one: throttling, faults of the registry and of the network are
    /// waited out. Every status but those and a refused login is an answer.
    pub(super) async fn send(
        &self,
        what: &str,
        scope: &str,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let mut pause = FIRST_PAUSE;
        let mut repeats = 0;
        loop {
            let wait = match self.once(what, scope, &request).await {
                Ok(answer) if is_passing(answer.status()) && repeats < REPEATS => retry_after(&answer).unwrap_or(pause),
                Ok(answer) => return self.judged(what, answer).await,
                Err(error) if error.is_transient() && error.kind != Kind::Broken && repeats < REPEATS => pause,
                Err(error) => return Err(error),
            };
            tokio::time::sleep(wait.min(LONGEST_PAUSE)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            repeats += 1;
        }
    }

    /// Sends a body that streams, and so only once; the login must be known from a request before.
    pub(super) async fn send_once(&self, what: &str, scope: &str, request: RequestBuilder) -> Result<Response, RegistryError> {
        let request = match self.authorization(what, scope).await? {
            Some(header) => request.header(AUTHORIZATION, header),
            None => request,
        };
        let answer = request.send().await.map_err(|error| self.unsent(what, &error))?;
        self.judged(what, answer).await
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// One attempt; a challenge is met with a login.
    async fn once(
        &self,
        what: &str,
        scope: &str,
        request: &impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let attempt = |header: Option<HeaderValue>| {
            let built = request(&self.client);
            match header {
                Some(header) => built.header(AUTHORIZATION, header),
                None => built,
            }
        };
        let mut header = self.authorization(what, scope).await?;
        for _ in 0..CHALLENGES {
            let answer = attempt(header.clone()).send().await.map_err(|error| self.unsent(what, &error))?;
            let challenge = Challenge::of(answer.headers()).filter(|_| answer.status() == StatusCode::UNAUTHORIZED);
            let Some(challenge) = challenge else { return Ok(answer) };
            self.refused(challenge, scope, header.as_ref()).await;
            match self.authorization(what, scope).await? {
                Some(fresh) => header = Some(fresh),
                None => return Ok(answer),
            }
        }
        attempt(header).send().await.map_err(|error| self.unsent(what, &error))
    }

    /// Forgets a login that was refused, unless another request has put a newer one in its place.
    async fn refused(&self, challenge: Challenge, scope: &str, header: Option<&HeaderValue>) {
        let mut login = self.login.lock().await;
        let key = if challenge == Challenge::Basic { "" } else { scope };
        if login.headers.get(key).map(|(known, _)| known) == header {
            login.headers.remove(key);
        }
        login.challenge = Some(challenge);
    }

    /// The header for a scope; `None` while nobody has asked for one, or there is no login to answer with.
    async fn authorization(&self, what: &str, scope: &str) -> Result<Option<HeaderValue>, RegistryError> {
        let mut login = self.login.lock().await;
        let Some(challenge) = login.challenge.clone() else { return Ok(None) };
        let key = if challenge == Challenge::Basic { "" } else { scope };
        if let Some((header, ends)) = login.headers.get(key)
            && ends.is_none_or(|ends| Instant::now() + MARGIN < ends)
        {
            return Ok(Some(header.clone()));
        }
        let known = self.source.get(&self.registry).await;
        let known = known.map_err(|why| RegistryError::new(Kind::Unauthorized, &self.registry, what, why))?;
        let fresh = match (&challenge, known) {
            (Challenge::Basic, None) => return Ok(None),
            (Challenge::Basic, Some(Credentials::Password { username, password })) => Some((basic(&username, &password), None)),
            (Challenge::Basic, Some(Credentials::Identity(token))) => Some((basic("", &token), None)),
            (Challenge::Bearer { realm, service }, known) => {
                let token = self.token(what, scope, realm, service.as_deref(), known).await?;
                let life = Duration::from_secs(token.expires_in.unwrap_or(TOKEN_LIFE).max(TOKEN_LIFE));
                let word = token.token.or(token.access_token).unwrap_or_default();
                Some((bearer(&word), Some(Instant::now() + life)))
            }
        };
        let Some((Some(header), ends)) = fresh else {
            let why = "the login holds a character that a header can't carry";
            return Err(RegistryError::new(Kind::Unauthorized, &self.registry, what, why));
        };
        login.headers.insert(key.to_owned(), (header.clone(), ends));
        Ok(Some(header))
    }

    async fn token(
        &self,
        what: &str,
        scope: &str,
        realm: &str,
        service: Option<&str>,
        known: Option<Credentials>,
    ) -> Result<Given, RegistryError> {
        let refused = |kind, why: String| RegistryError::new(kind, &self.registry, what, why);
        let address = reqwest::Url::parse(realm).ok().filter(|url| {
            let local = url.host_str().is_some_and(is_local);
            url.scheme() == "https" || url.scheme() == "http" && local
        });
        // A login goes to nobody in the clear.
        let Some(address) = address else {
            return Err(refused(Kind::Foreign, format!("it sends logins to `{realm}`, which is no https address")));
        };
        let asked: Vec<(&str, &str)> =
            service.map(|service| ("service", service)).into_iter().chain([("scope", scope)]).collect();
        let request = match known {
            None => self.client.get(address).query(&asked),
            Some(Credentials::Password { username, password }) => {
                self.client.get(address).query(&asked).basic_auth(username, Some(password.expose()))
            }
            Some(Credentials::Identity(token)) => {
                let mut form = asked;
                form.extend([("grant_type", "refresh_token"), ("client_id", "confluent-ecs"), ("refresh_token", token.expose())]);
                self.client.post(address).form(&form)
            }
        };
        let answer = request.send().await.map_err(|error| self.unsent(what, &error))?;
        let status = answer.status();
        let text = text(answer).await.unwrap_or_default();
        if !status.is_success() {
            let kind = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Kind::Unauthorized,
                StatusCode::TOO_MANY_REQUESTS => Kind::RateLimited,
                _ => Kind::Broken,
            };
            return Err(refused(kind, format!("its token service answered {status}{}", said(&text))));
        }
        serde_json::from_str(&text)
            .map_err(|_| refused(Kind::Foreign, "its token service answered something else than a token".to_owned()))
    }

    /// What an answer is good for: refusals become errors, the rest is for the caller.
    async fn judged(&self, what: &str, answer: Response) -> Result<Response, RegistryError> {
        let status = answer.status();
        let kind = match status {
            StatusCode::UNAUTHORIZED => Kind::Unauthorized,
            StatusCode::FORBIDDEN => Kind::Denied,
            StatusCode::TOO_MANY_REQUESTS => Kind::RateLimited,
            status if status.is_server_error() => Kind::Broken,
            _ => return Ok(answer),
        };
        let text = text(answer).await.unwrap_or_default();
        Err(RegistryError::new(kind, &self.registry, what, format!("it answered {status}{}", said(&text))))
    }

    /// An answer that nobody expected.
    pub(super) async fn unexpected(&self, what: &str, answer: Response) -> RegistryError {
        let status = answer.status();
        let kind = if status == StatusCode::NOT_FOUND { Kind::NotFound } else { Kind::Foreign };
        let text = text(answer).await.unwrap_or_default();
        RegistryError::new(kind, &self.registry, what, format!("it answered {status}{}", said(&text)))
    }

    /// A request that got no answer.
    pub(super) fn unsent(&self, what: &str, error: &reqwest::Error) -> RegistryError {
        let kind = if error.is_timeout() {
            Kind::TimedOut
        } else if error.is_connect() || error.is_request() || error.is_body() {
            Kind::Unreachable
        } else {
            Kind::Broken
        };
        RegistryError::new(kind, &self.registry, what, chain(error))
    }
}

fn basic(username: &str, password: &Secret) -> Option<HeaderValue> {
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{username}:{}", password.expose()))))
}

fn bearer(token: &str) -> Option<HeaderValue> {
    sensitive(&format!("Bearer {token}"))
}

fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn is_passing(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error()
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// The text of an answer, up to a limit.
async fn text(mut answer: Response) -> Option<String> {
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        bytes.extend_from_slice(&piece);
        if bytes.len() > MOST_TEXT {
            break;
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// What a registry says in the specification's own form, as the end of a sentence.
fn said(text: &str) -> String {
    #[derive(Deserialize)]
    struct Refusal {
        errors: Vec<Item>,
    }
    #[derive(Deserialize)]
    struct Item {
        code: Option<String>,
        message: Option<String>,
    }
    let Ok(refusal) = serde_json::from_str::<Refusal>(text) else { return String::new() };
    let words = refusal.errors.first().map(|item| item.message.clone().or_else(|| item.code.clone()).unwrap_or_default());
    let words: String = words.unwrap_or_default().chars().filter(|c| !c.is_control()).take(300).collect();
    if words.is_empty() { String::new() } else { format!(": {words}") }
}

/// An error with all its causes; the address in it is left out, for it may hold a token of a storage service.
pub(super) fn chain(error: &reqwest::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        next = cause.source();
    }
    if parts.is_empty() {
        let what = if error.is_timeout() { "no answer in time" } else { "the request failed" };
        return what.to_owned();
    }
    parts.join(": ")
}
