//! HTTP and HTTPS with limits of ours: one exchange, one answer, no redirect followed.
//!
//! Comes in: a request, trust settings (the same as for Kafka, judged by the same verifier), a deadline. Goes out: an [`Answer`] with
//! whatever status the server gave, or a [`Fault`] with its cause, for which the wire is asked again layer by layer (`failure`).
//!
//! Rules: an answer is read up to the request's limit and no further. A redirect is shown ([`Answer::location`]), because where a server
//! sends us is a finding, and credentials must not travel on. Proxies come from the environment (`HTTPS_PROXY`, `HTTP_PROXY`,
//! `ALL_PROXY`, `NO_PROXY`), as curl reads them. Credentials are never part of an error.

mod date;
mod failure;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper_util::client::proxy::matcher::Matcher;
pub use reqwest::header::HeaderMap;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, redirect};
use tokio::time::timeout;
pub use url::Url;

pub use failure::speaks_http;

use super::{Endpoint, tls};
use crate::base::{AGENT, Deadline, Fault, Moment, Secret};

/// No answer that we ask for is longer, unless the request says so.
const LONGEST_ANSWER: usize = 4 << 20;
/// The part of a deadline that the request itself may use; the rest is for finding out why it failed.
const SHARE: f64 = 0.75;

/// Reads an `http://` or `https://` URL; says what is wrong otherwise.
pub fn url(text: &str) -> Result<Url, String> {
    let text = text.trim();
    let url = Url::parse(text).map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => format!("`{}` has no scheme: write http:// or https:// in front", shown(text)),
        error => format!("`{}` is not a URL: {error}", shown(text)),
    })?;
    match (url.scheme(), url.has_host()) {
        ("http" | "https", true) => Ok(url),
        ("http" | "https", false) => Err(format!("`{}` names no host", shown(text))),
        (scheme, _) => Err(format!("`{}`: `{scheme}` is not http or https", shown(text))),
    }
}

/// A URL without the credentials that may stand in it.
fn shown(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest)
}

/// Where a URL leads: its host without brackets, and its port.
pub fn endpoint(url: &Url) -> Endpoint {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    Endpoint::new(host, url.port_or_known_default().unwrap_or(80))
}

/// A client: connections are kept and shared between its clones.
#[derive(Clone)]
pub struct Client {
    inner: reqwest::Client,
    tls: tls::Client,
    witness: Arc<tls::Witness>,
    proxies: Arc<Matcher>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client")
    }
}

/// One request.
#[derive(Clone)]
pub struct Request {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    limit: usize,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, endpoint(&self.url))
    }
}

/// What a server answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// As far as it was read.
    pub body: Vec<u8>,
    /// The answer was longer than the request allowed.
    pub cut: bool,
    /// Where a redirect leads.
    pub location: Option<Url>,
    /// The server's clock, and ours when its answer came.
    pub date: Option<Moment>,
    pub received: Moment,
    /// The certificate of the connection, where there was TLS.
    pub certificate: Option<tls::Certificate>,
    /// The proxy that the request went through.
    pub proxy: Option<Endpoint>,
    pub took: Duration,
}

impl Request {
    pub fn get(url: Url) -> Self {
        Self::new(Method::GET, url)
    }

    pub fn post(url: Url) -> Self {
        Self::new(Method::POST, url)
    }

    pub fn put(url: Url) -> Self {
        Self::new(Method::PUT, url)
    }

    fn new(method: Method, url: Url) -> Self {
        Self { method, url, headers: HeaderMap::new(), body: Vec::new(), limit: LONGEST_ANSWER }
    }

    /// A header; one that HTTP does not allow is left out.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        self.with(name.parse().ok(), value, false)
    }

    /// `Authorization: Basic`.
    #[must_use]
    pub fn basic(self, user: &str, password: &Secret) -> Self {
        let both = BASE64.encode(format!("{user}:{}", password.expose()));
        self.with(Some(AUTHORIZATION), &format!("Basic {both}"), true)
    }

    /// `Authorization: Bearer`.
    #[must_use]
    pub fn bearer(self, token: &Secret) -> Self {
        self.with(Some(AUTHORIZATION), &format!("Bearer {}", token.expose()), true)
    }

    /// A body with its media type.
    #[must_use]
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with(Some(CONTENT_TYPE), media_type, false)
    }

    /// A form, as a login page or a token endpoint takes it.
    #[must_use]
    pub fn form<'a>(self, fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.body("application/x-www-form-urlencoded", form)
    }

    /// How many bytes of the answer's body are read at most.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.limit = bytes;
        self
    }

    fn with(mut self, name: Option<HeaderName>, value: &str, sensitive: bool) -> Self {
        if let (Some(name), Ok(mut value)) = (name, HeaderValue::from_str(value)) {
            value.set_sensitive(sensitive);
            self.headers.insert(name, value);
        }
        self
    }
}

impl Answer {
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as text; what is not UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Seconds that the server's clock is ahead of ours; negative when it is behind. An answer out of a cache tells nothing.
    pub fn clock_ahead(&self) -> Option<i64> {
        if self.headers.contains_key("age") {
            return None;
        }
        // The header is cut to the second.
        Some((self.date?.millis() + 500 - self.received.millis()) / 1_000)
    }
}

impl Client {
    /// Reads authorities and keys. What is wrong with them is a sentence for the user's configuration.
    pub fn new(trust: &tls::Settings) -> Result<Self, String> {
        Self::build(trust, Matcher::from_system(), |builder| builder)
    }

    fn build(
        trust: &tls::Settings,
        proxies: Matcher,
        and: impl FnOnce(reqwest::ClientBuilder) -> reqwest::ClientBuilder,
    ) -> Result<Self, String> {
        let tls = tls::Client::new(trust)?;
        let (config, witness) = tls.for_http()?;
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .tls_info(true)
            .redirect(redirect::Policy::none())
            .referer(false)
            .http1_only()
            .user_agent(AGENT);
        let inner = and(builder).build().map_err(|error| format!("HTTP can't be set up: {error}"))?;
        Ok(Self { inner, tls, witness, proxies: Arc::new(proxies) })
    }

    /// Sends a request and reads its answer. Any status is an answer.
    pub async fn send(&self, request: Request, deadline: Deadline) -> Result<Answer, Fault> {
        let url = request.url.clone();
        let proxy = self.proxy_for(&url);
        let result = timeout(deadline.remaining().mul_f64(SHARE), self.exchange(request, proxy.clone())).await;
        let error = match result {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => Some(error),
            Err(_) => None,
        };
        let suspect = failure::Suspect { url: &url, proxy: proxy.as_ref(), error: error.as_ref(), tls: &self.tls };
        Err(suspect.fault(self.witness.certificate(), deadline).await)
    }

    async fn exchange(&self, request: Request, proxy: Option<Endpoint>) -> reqwest::Result<Answer> {
        let started = Instant::now();
        let url = request.url.clone();
        let sent = self.inner.request(request.method, request.url).headers(request.headers).body(request.body);
        let mut response = sent.send().await?;
        let received = Moment::now();
        let certificate = response
            .extensions()
            .get::<reqwest::tls::TlsInfo>()
            .and_then(reqwest::tls::TlsInfo::peer_certificate)
            .and_then(|der| tls::Certificate::read(&der.to_vec().into()));
        let mut body = Vec::new();
        let mut cut = false;
        while let Some(chunk) = response.chunk().await? {
            let room = request.limit - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() > room {
                cut = true;
                break;
            }
        }
        let headers = response.headers().clone();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Answer {
            status: response.status().as_u16(),
            location: text("location").filter(|_| response.status().is_redirection()).and_then(|to| url.join(to).ok()),
            date: text("date").and_then(date::read),
            received,
            headers,
            body,
            cut,
            certificate,
            proxy,
            took: started.elapsed(),
        })
    }

    /// The proxy that the environment sets for a URL.
    fn proxy_for(&self, url: &Url) -> Option<Endpoint> {
        let intercept = self.proxies.intercept(&url.as_str().parse().ok()?)?;
        let uri = intercept.uri();
        let port = uri.port_u16().unwrap_or(match uri.scheme_str() {
            Some("https") => 443,
            Some("http") | None => 80,
            Some(_) => 1080,
        });
        Some(Endpoint::new(uri.host()?.trim_matches(['[', ']']), port))
    }
}

#[cfg(test)]
mod tests;
