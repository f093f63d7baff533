//! One registry over HTTP: its login, our limits, and repeats where they are safe.
//!
//! Rules: the login is shown to the registry itself and to the token service that it names, and to nobody else that it sends us to.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::io;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::stream::Stream;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Body, Client, Request, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::credentials::{CredentialSource, Credentials};
use super::error::{Kind, RegistryError};
use super::pace::Pace;
use super::reference::is_local;
use crate::base::{AGENT, Secret};

const CONNECT: Duration = Duration::from_secs(5);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(20);
/// Between two pieces of what we send, and from the last one to its answer: what this machine's own buffers hold is on its way then.
const UPLOAD_SILENCE: Duration = Duration::from_mins(1);
/// For a registry to put a layer together and prove it.
pub(super) const COMMIT: Duration = Duration::from_mins(3);
const REPEATS: u32 = 4;
/// Logins that are tried for one request: the first may have ended, the second be used up by requests beside it.
const CHALLENGES: u32 = 3;
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A login that is younger than this has not ended.
const YOUNG: Duration = Duration::from_mins(1);
/// A token is not used in the last moments of its life.
const MARGIN: Duration = Duration::from_secs(20);
/// What the specification gives a token that doesn't say.
const TOKEN_LIFE: u64 = 60;
const MOST_TEXT: usize = 64 * 1024;
const REDIRECTS: usize = 5;

/// A registry that is spoken with.
#[derive(Debug)]
pub(super) struct Http {
    client: Client,
    /// Without a limit between two pieces of an answer: it would count while a layer is sent, which takes as long as it takes.
    sender: Client,
    silence: Duration,
    young: Duration,
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
    headers: BTreeMap<String, Authorization>,
}

#[derive(Debug, Clone)]
struct Authorization {
    header: HeaderValue,
    made: Instant,
    ends: Option<Instant>,
}

#[derive(Deserialize)]
struct Given {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Http {
    pub(super) fn new(registry: &str, address: &str, source: CredentialSource) -> Result<Self, RegistryError> {
        let builder =
            || Client::builder().connect_timeout(CONNECT).redirect(Policy::custom(onwards)).user_agent(AGENT).tcp_nodelay(true);
        let unmade = |error| RegistryError::new(Kind::Foreign, registry, "a connection", chain(&error));
        let client = builder().read_timeout(SILENCE).build().map_err(unmade)?;
        let sender = builder().build().map_err(unmade)?;
        let scheme = if is_local(address) { "http" } else { "https" };
        let base = format!("{scheme}://{address}/v2");
        Ok(Self {
            client,
            sender,
            silence: UPLOAD_SILENCE,
            young: YOUNG,
            registry: registry.to_owned(),
            base,
            source,
            login: Mutex::default(),
        })
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
                Err(error) if error.is_transient() && repeats < REPEATS => pause,
                Err(error) => return Err(error),
            };
            tokio::time::sleep(wait.min(LONGEST_PAUSE)).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            repeats += 1;
        }
    }

    /// Sends a body that streams, and so only once; the login must be known from a request before. It may take as long as something of it
    /// is taken from time to time.
    pub(super) async fn send_once<S>(
        &self,
        what: &str,
        scope: &str,
        request: impl Fn(&Client) -> RequestBuilder,
        pieces: S,
    ) -> Result<Response, RegistryError>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let known = self.authorization(what, scope).await?;
        let pace = Pace::new();
        let request = request(&self.sender).body(Body::wrap_stream(pace.of(pieces)));
        let work = self.attempt(what, request, known.as_ref());
        let Some(answer) = pace.within(self.silence, work).await else {
            let message = format!("nothing more was taken of it for {} seconds", self.silence.as_secs());
            return Err(RegistryError::new(Kind::TimedOut, &self.registry, what, message));
        };
        let answer = answer?;
        let status = answer.status();
        if !matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) || !self.is_own(answer.url()) {
            return self.judged(what, answer).await;
        }
        // A login that held when the layer was begun, and ended on the way.
        let challenge = Challenge::of(answer.headers());
        let error = match self.judged(what, answer).await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let ended = status == StatusCode::UNAUTHORIZED || self.source.renews() && error.message.contains("expired");
        if !ended || known.is_none() {
            return Err(error);
        }
        self.forget(challenge, scope, known.as_ref()).await;
        Err(RegistryError { kind: Kind::LoginEnded, ..error })
    }

    /// One attempt; a challenge is met with a login, and a refusal with a new one, where the old one may have ended.
    async fn once(
        &self,
        what: &str,
        scope: &str,
        request: &impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, RegistryError> {
        let mut known = self.authorization(what, scope).await?;
        for _ in 0..CHALLENGES {
            let answer = self.attempt(what, request(&self.client), known.as_ref()).await?;
            if !self.is_own(answer.url()) {
                return Ok(answer);
            }
            let challenge = match answer.status() {
                StatusCode::UNAUTHORIZED => Challenge::of(answer.headers()),
                // ECR says so of a token that has ended; to a HEAD it can't say why.
                StatusCode::FORBIDDEN if self.source.renews() && known.as_ref().is_some_and(|known| self.is_old(known)) => None,
                _ => return Ok(answer),
            };
            if challenge.is_none() && answer.status() == StatusCode::UNAUTHORIZED {
                return Ok(answer);
            }
            self.forget(challenge, scope, known.as_ref()).await;
            known = self.authorization(what, scope).await?;
            if known.is_none() {
                return Ok(answer);
            }
        }
        self.attempt(what, request(&self.client), known.as_ref()).await
    }

    /// Sends a request as it is. A login goes to the registry alone, wherever it sends us with a layer.
    async fn attempt(
        &self,
        what: &str,
        request: RequestBuilder,
        login: Option<&Authorization>,
    ) -> Result<Response, RegistryError> {
        let sent = async {
            let (client, request) = request.build_split();
            let mut request: Request = request?;
            if let Some(login) = login.filter(|_| self.is_own(request.url())) {
                request.headers_mut().insert(AUTHORIZATION, login.header.clone());
            }
            client.execute(request).await
        };
        sent.await.map_err(|error| self.unsent(what, &error))
    }

    fn is_own(&self, url: &Url) -> bool {
        let own = Url::parse(&self.base).ok();
        own.is_some_and(|own| own.origin() == url.origin())
    }

    fn is_old(&self, known: &Authorization) -> bool {
        known.made.elapsed() >= self.young
    }

    /// Forgets a login that was refused, unless another request has put a newer one in its place.
    async fn forget(&self, challenge: Option<Challenge>, scope: &str, known: Option<&Authorization>) {
        let mut login = self.login.lock().await;
        login.challenge = challenge.or(login.challenge.take());
        let key = if login.challenge == Some(Challenge::Basic) { "" } else { scope };
        let is_same = |held: &Authorization| known.is_some_and(|known| known.header == held.header);
        if login.headers.get(key).is_some_and(is_same) {
            login.headers.remove(key);
        }
    }

    /// The header for a scope; `None` while nobody has asked for one, or there is no login to answer with.
    async fn authorization(&self, what: &str, scope: &str) -> Result<Option<Authorization>, RegistryError> {
        let mut login = self.login.lock().await;
        let Some(challenge) = login.challenge.clone() else { return Ok(None) };
        let key = if challenge == Challenge::Basic { "" } else { scope };
        if let Some(known) = login.headers.get(key)
            && known.ends.is_none_or(|ends| Instant::now() + MARGIN < ends)
        {
            return Ok(Some(known.clone()));
        }
        let known = self.source.get(&self.registry).await;
        let known = known.map_err(|why| RegistryError::new(Kind::Unauthorized, &self.registry, what, why))?;
        let fresh = match (&challenge, known) {
            (Challenge::Basic, None) => return Ok(None),
            (Challenge::Basic, Some(Credentials::Password { username, password, life })) => {
                Some((basic(&username, &password), life.map(|life| Instant::now() + life)))
            }
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
        let fresh = Authorization { header, made: Instant::now(), ends };
        login.headers.insert(key.to_owned(), fresh.clone());
        Ok(Some(fresh))
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
        let address = Url::parse(realm).ok().filter(|url| {
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
            Some(Credentials::Password { username, password, .. }) => {
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

    /// For a request whose answer takes its time.
    pub(super) async fn send_patiently(
        &self,
        what: &str,
        scope: &str,
        limit: Duration,
        request: impl Fn(&Client) -> RequestBuilder,
    ) -> Result<Response, RegistryError> {
        // The client's own limit between two pieces would end it earlier.
        self.send(what, scope, |_| request(&self.sender).timeout(limit)).await
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
        } else if error.is_redirect() || error.is_builder() {
            Kind::Foreign
        } else {
            Kind::Unreachable
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
    while let Ok(Ok(Some(piece))) = tokio::time::timeout(SILENCE, answer.chunk()).await {
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

/// Nobody is followed out of TLS, but within this machine.
pub(super) fn onwards(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let local = attempt.url().host_str().is_some_and(is_local);
    if attempt.previous().len() > REDIRECTS {
        attempt.error("it is redirected in circles")
    } else if attempt.url().scheme() == "https" || local {
        attempt.follow()
    } else {
        attempt.error("it is redirected to an address without TLS")
    }
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
