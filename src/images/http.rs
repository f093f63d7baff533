//! One registry over HTTP: its login, our limits, and repeats where they are safe.
//!
//! Rules: the login is shown to the registry itself and to the token service that it names, and to nobody else that it sends us to.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::credentials::{CredentialSource, Credentials};
use super::error::{Kind, RegistryError};
use super::reference::is_local;
use crate::base::{AGENT, Secret};

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
            .user_agent(AGENT)
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
        let header = self.authorization(what, scope).await?;
        let answer = self.dispatch(what, request, header).await?;
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
        let mut header = self.authorization(what, scope).await?;
        for _ in 0..CHALLENGES {
            let answer = self.dispatch(what, request(&self.client), header.clone()).await?;
            // Whoever else asks for a login, as the storage that a blob is fetched from, gets none.
            let asks = answer.status() == StatusCode::UNAUTHORIZED && self.is_registry(answer.url());
            let challenge = Challenge::of(answer.headers()).filter(|_| asks);
            let Some(challenge) = challenge else { return Ok(answer) };
            self.refused(challenge, scope, header.as_ref()).await;
            match self.authorization(what, scope).await? {
                Some(fresh) => header = Some(fresh),
                None => return Ok(answer),
            }
        }
        self.dispatch(what, request(&self.client), header).await
    }

    /// Sends one request, with the login where it goes to the registry itself.
    async fn dispatch(&self, what: &str, request: RequestBuilder, login: Option<HeaderValue>) -> Result<Response, RegistryError> {
        let mut request = request.build().map_err(|error| self.unsent(what, &error))?;
        if let Some(login) = login.filter(|_| self.is_registry(request.url())) {
            request.headers_mut().insert(AUTHORIZATION, login);
        }
        self.client.execute(request).await.map_err(|error| self.unsent(what, &error))
    }

    /// Whether an address is the registry's: an upload may be sent elsewhere, and a blob come from elsewhere.
    fn is_registry(&self, url: &Url) -> bool {
        Url::parse(&self.base).is_ok_and(|base| base.origin() == url.origin())
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

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::Http;
    use crate::base::Secret;
    use crate::images::{CredentialSource, Credentials, Kind};

    /// A server that gives each request's head this answer; what it was asked.
    async fn server(answer: impl Fn(&str) -> String + Send + 'static) -> (String, Arc<Mutex<Vec<String>>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let kept = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
                let answer = format!("HTTP/1.1 {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", answer(&head));
                kept.lock().unwrap().push(head);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        (address, asked)
    }

    #[tokio::test]
    async fn the_login_goes_to_the_registry_and_to_nobody_that_it_sends_us_to() {
        const ASKS: &str = "401 Unauthorized\r\nwww-authenticate: Basic realm=\"any\"";
        let (other, asked) = server(|_| ASKS.to_owned()).await;
        let redirect = format!("307 Temporary Redirect\r\nlocation: http://{other}/blob");
        let (address, _) = server(move |head| match head.contains("authorization: basic") {
            false => ASKS.to_owned(),
            true if head.starts_with("get /v2/blob") => redirect.clone(),
            true => "202 Accepted".to_owned(),
        })
        .await;
        let login = || Credentials::Password { username: "u".to_owned(), password: Secret::new("p") };
        let source = CredentialSource::Renewed(Arc::new(move || Box::pin(async move { Ok(login()) })));
        let http = Http::new("registry", &address, source).unwrap();
        let url = http.url("uploads");
        let answer = http.send("an upload", "scope", |client| client.post(&url)).await.unwrap();
        assert_eq!(answer.status().as_u16(), 202);
        // An upload's address is elsewhere, and so is a blob: whoever is there may ask for the login and doesn't get it.
        let upload = format!("http://{other}/upload");
        let blob = http.url("blob");
        let refused = [
            http.send("an upload", "scope", |client| client.put(&upload)).await.unwrap_err(),
            http.send_once("an upload", "scope", http.client().patch(&upload)).await.unwrap_err(),
            http.send("a blob", "scope", |client| client.get(&blob)).await.unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.kind == Kind::Unauthorized), "{refused:?}");
        let asked = asked.lock().unwrap();
        assert_eq!(asked.len(), 3, "{asked:?}");
        assert!(asked.iter().all(|head| !head.contains("authorization:")), "{asked:?}");
    }
}
