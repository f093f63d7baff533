//! Calls that we sign ourselves: a dozen small ones, nearly all of which only read, each of a service whose crate would cost minutes
//! to build.
//!
//! Comes in: a [`Call`]. Goes out: its answer as XML or JSON, or a [`CallError`] like that of every other call. Credentials, region and
//! endpoints are the SDK's own; time limits and repeats are those of `account`. Nothing that is sent or received is logged.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url, redirect};
use serde_json::Value;
use tokio::sync::Mutex;

use super::account::{ATTEMPT, ATTEMPTS, Account, CONNECT, LONGEST_PAUSE, OPERATION, READ};
use super::endpoint::{Api, Protocol};
use super::error::{CallError, ErrorKind, chain, without_credentials};
use super::xml::Element;
use crate::base::AGENT;

/// An answer that is longer is none that we asked for.
const LONGEST_ANSWER: usize = 32 << 20;
/// Credentials that end sooner than this are asked for again.
const MARGIN: Duration = Duration::from_mins(1);

/// One call, before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Call<'a> {
    api: Api,
    /// As IAM names it, which is also how the service does after the colon: `ec2:DescribeSubnets`.
    action: &'static str,
    subject: &'a str,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Form(Vec<(String, String)>),
    Json(Value),
    None,
}

impl<'a> Call<'a> {
    /// A call of a service that takes a form: EC2, Elastic Load Balancing, IAM.
    pub(super) fn form(api: Api, action: &'static str, subject: &'a str) -> Self {
        let version = match api.protocol() {
            Protocol::Query { version } => version,
            _ => "",
        };
        let body = vec![("Action".to_owned(), operation(action).to_owned()), ("Version".to_owned(), version.to_owned())];
        Self::new(api, action, subject, Method::POST, Body::Form(body))
    }

    /// A call of a service that takes JSON: ACM, Application Auto Scaling, Cloud Map, KMS.
    pub(super) fn json(api: Api, action: &'static str, subject: &'a str, body: Value) -> Self {
        Self::new(api, action, subject, Method::POST, Body::Json(body))
    }

    /// A call of a service that has paths: EFS, MSK, Route 53. Each segment is escaped here.
    pub(super) fn get(api: Api, action: &'static str, subject: &'a str, segments: &[&str]) -> Self {
        let mut call = Self::new(api, action, subject, Method::GET, Body::None);
        call.path = path(segments);
        call
    }

    /// The same with a body: what a service that has paths is told.
    pub(super) fn post(api: Api, action: &'static str, subject: &'a str, segments: &[&str], body: Value) -> Self {
        Self { path: path(segments), ..Self::new(api, action, subject, Method::POST, Body::Json(body)) }
    }

    fn new(api: Api, action: &'static str, subject: &'a str, method: Method, body: Body) -> Self {
        Self { api, action, subject, method, path: "/".to_owned(), query: Vec::new(), body }
    }

    /// One more field of the form, key of the JSON object, or parameter of the query.
    #[must_use]
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        match &mut self.body {
            Body::Form(fields) => fields.push((name, value)),
            Body::Json(Value::Object(object)) => drop(object.insert(name, Value::String(value))),
            Body::Json(_) | Body::None => self.query.push((name, value)),
        }
        self
    }

    /// A list as the query protocols number it: `SubnetId.1`, `SubnetId.2`.
    #[must_use]
    pub(super) fn with_each<'v>(self, name: &str, values: impl IntoIterator<Item = &'v str>) -> Self {
        (1..).zip(values).fold(self, |call, (number, value)| call.with(format!("{name}.{number}"), value))
    }
}

/// What signs and sends.
#[derive(Clone)]
pub(super) struct Signer {
    http: Client,
    config: SdkConfig,
    region: String,
    provider: SharedCredentialsProvider,
    credentials: Arc<Mutex<Option<Credentials>>>,
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("region", &self.region).finish_non_exhaustive()
    }
}

/// What came back.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Signer {
    /// An error is the TLS library's, which finds no root certificates.
    pub(super) fn new(config: &SdkConfig, region: &str, provider: SharedCredentialsProvider) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .connect_timeout(CONNECT)
            .read_timeout(READ)
            .timeout(ATTEMPT)
            .redirect(redirect::Policy::none())
            .user_agent(AGENT)
            .build()?;
        Ok(Self { http, config: config.clone(), region: region.to_owned(), provider, credentials: Arc::default() })
    }

    /// The endpoint for a service, whether the user named it, and the region to sign for.
    fn endpoint(&self, api: Api) -> (String, bool, String) {
        let fips = self.config.use_fips().unwrap_or_default();
        let dual_stack = self.config.use_dual_stack().unwrap_or_default();
        let (default, region) = api.default_endpoint(&self.region, fips, dual_stack);
        match api.configured(&self.config) {
            Some(configured) => (configured, true, region),
            None => (default, false, region),
        }
    }

    /// Sends a call, again where that may help: as the SDK's standard mode does it, with its pauses and its number of attempts.
    async fn send(&self, call: &Call<'_>) -> Result<Answer, CallError> {
        let (endpoint, configured, region) = self.endpoint(call.api);
        let mut attempt = 1;
        let repeated = async {
            loop {
                match self.send_once(call, &endpoint, &region).await {
                    Err(error) if error.may_pass() && attempt < ATTEMPTS => {
                        tokio::time::sleep(pause(attempt)).await;
                        attempt += 1;
                    }
                    answer => return answer,
                }
            }
        };
        let answer = match tokio::time::timeout(OPERATION, repeated).await {
            Ok(answer) => answer,
            Err(_) => Err(CallError::local(ErrorKind::TimedOut, call.action, "all attempts together took too long")),
        };
        answer.map_err(|error| CallError { endpoint: configured.then_some(endpoint), ..error })
    }

    async fn send_once(&self, call: &Call<'_>, endpoint: &str, region: &str) -> Result<Answer, CallError> {
        let wrong = |message: String| CallError::local(ErrorKind::Other, call.action, message);
        let url = url(endpoint, call).map_err(&wrong)?;
        let (body, mut headers) = encoded(call);
        let credentials = self.credentials(call.action).await?;
        for (name, value) in signature(call, &url, &headers, &body, region, &credentials).map_err(&wrong)? {
            headers.insert(name, value);
        }
        let unsent = |error: reqwest::Error| {
            let kind = if error.is_timeout() { ErrorKind::TimedOut } else { ErrorKind::Unreachable };
            CallError::local(kind, call.action, chain(&error.without_url()))
        };
        let mut response =
            self.http.request(call.method.clone(), url).headers(headers).body(body).send().await.map_err(unsent)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(unsent)? {
            if bytes.len() + chunk.len() > LONGEST_ANSWER {
                return Err(wrong(format!("the answer is longer than {LONGEST_ANSWER} bytes")));
            }
            bytes.extend_from_slice(&chunk);
        }
        let answer = Answer { status: status.as_u16(), headers, body: String::from_utf8_lossy(&bytes).into_owned() };
        if status.is_success() { Ok(answer) } else { Err(refusal(call, &answer)) }
    }

    /// The credentials, asked for again when they are about to end.
    async fn credentials(&self, action: &'static str) -> Result<Credentials, CallError> {
        let mut known = self.credentials.lock().await;
        let lasting = |credentials: &Credentials| credentials.expiry().is_none_or(|end| end > SystemTime::now() + MARGIN);
        if let Some(credentials) = known.as_ref().filter(|credentials| lasting(credentials)) {
            return Ok(credentials.clone());
        }
        let provided = self.provider.provide_credentials().await;
        let fresh = provided.map_err(|error| without_credentials(&error, action))?;
        Ok(known.insert(fresh).clone())
    }
}

impl Account {
    /// The answer of a service that speaks XML.
    pub(super) async fn signed_xml(&self, call: Call<'_>) -> Result<Element, CallError> {
        let answer = self.signed(&call).await?;
        Element::parse(&answer.body).map_err(|error| self.unreadable(&call, error))
    }

    /// The answer of a service that speaks JSON.
    pub(super) async fn signed_json(&self, call: Call<'_>) -> Result<Value, CallError> {
        let answer = self.signed(&call).await?;
        serde_json::from_str(&answer.body).map_err(|error| self.unreadable(&call, error.to_string()))
    }

    /// A call whose answer says nothing.
    pub(super) async fn signed_done(&self, call: Call<'_>) -> Result<(), CallError> {
        self.signed(&call).await.map(drop)
    }

    async fn signed(&self, call: &Call<'_>) -> Result<Answer, CallError> {
        self.signer.send(call).await.map_err(|error| self.named_as(error.about(call.subject)))
    }

    fn unreadable(&self, call: &Call<'_>, why: String) -> CallError {
        let message = format!("the answer can't be read: {why}");
        self.named_as(CallError::local(ErrorKind::Other, call.action, message).about(call.subject))
    }

    /// The caller's name; the endpoint is the service's own, and known to whoever made the error.
    fn named_as(&self, error: CallError) -> CallError {
        CallError { caller: Some(self.caller.arn.clone()), ..error }
    }
}

/// `DescribeSubnets` of `ec2:DescribeSubnets`.
fn operation(action: &str) -> &str {
    action.split_once(':').map_or(action, |(_, operation)| operation)
}

/// What no path or query has to escape, and nothing else: so the signature and the request line agree.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => drop(write!(out, "%{byte:02X}")),
        }
        out
    })
}

fn path(segments: &[&str]) -> String {
    segments.iter().fold(String::new(), |path, segment| path + "/" + &escaped(segment))
}

fn pairs(pairs: &[(String, String)]) -> String {
    pairs.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect::<Vec<_>>().join("&")
}

fn url(endpoint: &str, call: &Call<'_>) -> Result<Url, String> {
    let base = endpoint.trim_end_matches('/');
    let query = if call.query.is_empty() { String::new() } else { format!("?{}", pairs(&call.query)) };
    Url::parse(&format!("{base}{}{query}", call.path)).map_err(|error| format!("the endpoint `{endpoint}` is no URL: {error}"))
}

/// The body, and the headers that say what it is.
fn encoded(call: &Call<'_>) -> (String, HeaderMap) {
    let mut headers = HeaderMap::new();
    let body = match &call.body {
        Body::Form(fields) => {
            let kind = HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8");
            headers.insert(reqwest::header::CONTENT_TYPE, kind);
            pairs(fields)
        }
        Body::Json(body) => {
            let kind = match call.api.protocol() {
                Protocol::Json { .. } => "application/x-amz-json-1.1",
                _ => "application/json",
            };
            headers.insert(reqwest::header::CONTENT_TYPE, HeaderValue::from_static(kind));
            if let Protocol::Json { target } = call.api.protocol()
                && let Ok(target) = HeaderValue::from_str(&format!("{target}.{}", operation(call.action)))
            {
                headers.insert(HeaderName::from_static("x-amz-target"), target);
            }
            body.to_string()
        }
        Body::None => String::new(),
    };
    (body, headers)
}

/// The headers that sign a request.
fn signature(
    call: &Call<'_>,
    url: &Url,
    headers: &HeaderMap,
    body: &str,
    region: &str,
    credentials: &Credentials,
) -> Result<Vec<(HeaderName, HeaderValue)>, String> {
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(call.api.signing_name())
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?
        .into();
    let signed = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let request = SignableRequest::new(call.method.as_str(), url.as_str(), signed, SignableBody::Bytes(body.as_bytes()))
        .map_err(|error| error.to_string())?;
    let (instructions, _) = sign(request, &params).map_err(|error| chain(&error))?.into_parts();
    let (headers, _) = instructions.into_parts();
    headers
        .iter()
        .map(|header| {
            let mut value = HeaderValue::from_str(header.value()).map_err(|error| error.to_string())?;
            value.set_sensitive(header.sensitive());
            Ok((HeaderName::from_bytes(header.name().as_bytes()).map_err(|error| error.to_string())?, value))
        })
        .collect()
}

/// What AWS says no with: `Code` and `Message` in XML, `__type` and `message` in JSON, or a status alone.
fn refusal(call: &Call<'_>, answer: &Answer) -> CallError {
    let header = |name: &str| answer.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut request_id = header("x-amzn-requestid").or_else(|| header("x-amz-request-id"));
    let (mut code, mut message) = (None, None);
    if let Ok(root) = Element::parse(&answer.body) {
        let error = root.at(&["Errors", "Error"]).or_else(|| root.child("Error")).unwrap_or(&root);
        code = error.text("Code").map(str::to_owned);
        message = error.text("Message").or_else(|| error.text("message")).map(str::to_owned);
        request_id = request_id.or_else(|| root.text("RequestId").or_else(|| root.text("RequestID")).map(str::to_owned));
    } else if let Ok(Value::Object(object)) = serde_json::from_str(&answer.body) {
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        code = header("x-amzn-errortype").or_else(|| text("__type")).or_else(|| text("code"));
        message = text("message").or_else(|| text("Message"));
    }
    // `com.amazonaws.kms#NotFoundException`, and `NotFoundException:http://…` in the header.
    let code = code.map(|code| code.rsplit('#').next().unwrap_or_default().split(':').next().unwrap_or_default().to_owned());
    let message = message.unwrap_or_else(|| format!("HTTP status {}", answer.status));
    CallError::answered(call.action, answer.status, code, message, request_id)
}

/// The SDK's pause before attempt `attempt + 1`: a random part of 1, 2, 4, 8 s.
fn pause(attempt: u32) -> Duration {
    let whole = Duration::from_secs(1 << attempt.saturating_sub(1).min(6)).min(LONGEST_PAUSE);
    let random = u32::try_from(RandomState::new().hash_one(attempt) >> 32).unwrap_or(u32::MAX);
    whole.mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
#[path = "signed_tests.rs"]
mod tests;
