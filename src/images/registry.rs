//! One repository's operations, by the OCI distribution specification.

use std::io;

use bytes::Bytes;
use futures_util::stream::Stream;
use reqwest::header::{ACCEPT, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, LOCATION, RANGE};
use reqwest::{Response, StatusCode};

use super::Digest;
use super::credentials::CredentialSource;
use super::error::{Kind, RegistryError};
use super::http::{COMMIT, Http};
use super::manifest::{ACCEPTED, Manifest};
use super::reference::Reference;

/// No manifest is longer: registries refuse more than 4 MiB themselves.
const MOST_MANIFEST: usize = 4 * 1024 * 1024;
/// No configuration is longer.
pub(super) const MOST_CONFIG: usize = 8 * 1024 * 1024;
const HEADER_DIGEST: &str = "docker-content-digest";

/// A registry, asked for one login's sake.
#[derive(Debug)]
pub struct Registry {
    http: Http,
}

/// What came of asking to mount a blob, or to begin an upload.
#[derive(Debug)]
pub(super) enum Begun {
    /// It is there now.
    Mounted,
    /// It has to be sent to this address.
    Upload(String),
}

impl Registry {
    /// For images of this registry. Nothing is asked yet.
    pub fn of(reference: &Reference, source: CredentialSource) -> Result<Self, RegistryError> {
        Ok(Self { http: Http::new(&reference.registry, reference.address(), source)? })
    }

    /// `host[:port]`, as in image names.
    pub fn name(&self) -> &str {
        self.http.registry()
    }

    /// The digest that a name stands for; `None`: there is no such image. Costs no pull where pulls are counted.
    pub(super) async fn stands_for(&self, repository: &str, selector: &str) -> Result<Option<Digest>, RegistryError> {
        let what = format!("the manifest of {}", named(repository, selector));
        let url = self.http.url(&format!("{repository}/manifests/{selector}"));
        let answer = self.http.send(&what, &pull(repository), |client| client.head(&url).header(ACCEPT, ACCEPTED)).await?;
        match answer.status() {
            StatusCode::OK => {
                let stated = answer.headers().get(HEADER_DIGEST).and_then(|value| value.to_str().ok()).and_then(Digest::parse);
                match stated {
                    Some(digest) => Ok(Some(digest)),
                    // The header is optional; the manifest itself is not.
                    None => self.manifest(repository, selector).await.map(|manifest| Some(manifest.digest)),
                }
            }
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(self.http.unexpected(&what, answer).await),
        }
    }

    /// A manifest by tag or digest.
    pub(super) async fn manifest(&self, repository: &str, selector: &str) -> Result<Manifest, RegistryError> {
        let what = format!("the manifest of {}", named(repository, selector));
        let url = self.http.url(&format!("{repository}/manifests/{selector}"));
        let answer = self.http.send(&what, &pull(repository), |client| client.get(&url).header(ACCEPT, ACCEPTED)).await?;
        if answer.status() != StatusCode::OK {
            return Err(self.http.unexpected(&what, answer).await);
        }
        let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (media_type, stated) = (header(CONTENT_TYPE), header(reqwest::header::HeaderName::from_static(HEADER_DIGEST)));
        let bytes = self.whole(&what, answer, MOST_MANIFEST).await?;
        let manifest = Manifest::read(bytes, media_type.as_deref()).map_err(|unread| {
            let kind = if unread.is_manifest { Kind::Unusable } else { Kind::Foreign };
            RegistryError::new(kind, self.name(), &what, unread.why)
        })?;
        let wanted = Digest::parse(selector).or_else(|| stated.as_deref().and_then(Digest::parse));
        match wanted {
            Some(wanted) if wanted != manifest.digest => Err(self.corrupt(&what, &wanted, &manifest.digest)),
            _ => Ok(manifest),
        }
    }

    pub(super) fn corrupt(&self, what: &str, wanted: &Digest, found: &Digest) -> RegistryError {
        let message =
            format!("its bytes have the digest {found}, and not {wanted}: they were changed on their way, or at their source");
        RegistryError::new(Kind::Corrupt, self.name(), what, message)
    }

    /// A short blob, whole.
    pub(super) async fn short_blob(&self, repository: &str, digest: &Digest) -> Result<Vec<u8>, RegistryError> {
        let what = format!("the configuration of {repository}");
        let answer = self.blob(repository, digest, 0, &what).await?;
        let bytes = self.whole(&what, answer, MOST_CONFIG).await?;
        let found = Digest::of(&bytes);
        if found == *digest { Ok(bytes) } else { Err(self.corrupt(&what, digest, &found)) }
    }

    /// A blob from a byte on, as a stream. A registry that knows no ranges is read from the start and the stream says so by its status.
    pub(super) async fn blob(&self, repository: &str, digest: &Digest, from: u64, what: &str) -> Result<Response, RegistryError> {
        let url = self.http.url(&format!("{repository}/blobs/{digest}"));
        let request = |client: &reqwest::Client| {
            let request = client.get(&url);
            if from > 0 { request.header(RANGE, format!("bytes={from}-")) } else { request }
        };
        let answer = self.http.send(what, &pull(repository), request).await?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT => Ok(answer),
            // Some know of ranges only that they don't want them.
            StatusCode::RANGE_NOT_SATISFIABLE if from > 0 => {
                let answer = self.http.send(what, &pull(repository), |client| client.get(&url)).await?;
                if answer.status() == StatusCode::OK { Ok(answer) } else { Err(self.http.unexpected(what, answer).await) }
            }
            _ => Err(self.http.unexpected(what, answer).await),
        }
    }

    async fn whole(&self, what: &str, mut answer: Response, most: usize) -> Result<Vec<u8>, RegistryError> {
        let mut bytes = Vec::new();
        while let Some(piece) = answer.chunk().await.map_err(|error| self.http.unsent(what, &error))? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > most {
                let message = format!("it is longer than {} MiB", most / 1024 / 1024);
                return Err(RegistryError::new(Kind::Foreign, self.name(), what, message));
            }
        }
        Ok(bytes)
    }

    pub(super) fn unsent(&self, what: &str, error: &reqwest::Error) -> RegistryError {
        self.http.unsent(what, error)
    }

    pub(super) async fn has_blob(&self, repository: &str, digest: &Digest) -> Result<bool, RegistryError> {
        let what = format!("the list of what {repository} holds");
        let url = self.http.url(&format!("{repository}/blobs/{digest}"));
        let answer = self.http.send(&what, &push(repository), |client| client.head(&url)).await?;
        match answer.status() {
            StatusCode::OK => Ok(true),
            StatusCode::NOT_FOUND => Ok(false),
            _ => Err(self.http.unexpected(&what, answer).await),
        }
    }

    /// Begins an upload, or takes the blob over from another repository of the same registry, where the registry does that.
    pub(super) async fn begin(&self, repository: &str, digest: &Digest, from: Option<&str>) -> Result<Begun, RegistryError> {
        let what = format!("an upload into {repository}");
        let url = self.http.url(&format!("{repository}/blobs/uploads/"));
        let request = |client: &reqwest::Client| {
            let request = client.post(&url).header(CONTENT_LENGTH, 0);
            match from {
                Some(from) => request.query(&[("mount", digest.as_str()), ("from", from)]),
                None => request,
            }
        };
        let answer = self.http.send(&what, &push(repository), request).await.map_err(RegistryError::stored)?;
        match answer.status() {
            StatusCode::CREATED => Ok(Begun::Mounted),
            StatusCode::ACCEPTED => self.location(&what, &url, &answer).map(Begun::Upload),
            _ => Err(self.http.unexpected(&what, answer).await.stored()),
        }
    }

    /// Sends the bytes of a blob from `offset` on to an upload; gives the address to go on with.
    pub(super) async fn send<S>(
        &self,
        repository: &str,
        upload: &str,
        offset: u64,
        size: u64,
        pieces: S,
    ) -> Result<String, RegistryError>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + 'static,
    {
        let what = format!("a layer for {repository}");
        let request = |client: &reqwest::Client| {
            client
                .patch(upload)
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, size - offset)
                .header(CONTENT_RANGE, format!("{offset}-{}", size.saturating_sub(1)))
        };
        let answer = self.http.send_once(&what, &push(repository), request, pieces).await.map_err(RegistryError::stored)?;
        match answer.status() {
            StatusCode::ACCEPTED | StatusCode::NO_CONTENT | StatusCode::CREATED => self.location(&what, upload, &answer),
            _ => Err(self.http.unexpected(&what, answer).await.stored()),
        }
    }

    /// How many bytes of an upload have arrived, and where to go on; `None`: the registry has given it up.
    pub(super) async fn arrived(&self, repository: &str, upload: &str) -> Result<Option<(u64, String)>, RegistryError> {
        let what = format!("the upload into {repository}");
        let answer = self.http.send(&what, &push(repository), |client| client.get(upload)).await?;
        if answer.status() != StatusCode::NO_CONTENT {
            return Ok(None);
        }
        // `0-0` is what registries say both of one byte and of none; taking it for none costs a byte.
        let range = answer.headers().get(RANGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let last = range.rsplit('-').next().and_then(|last| last.parse::<u64>().ok()).unwrap_or_default();
        let arrived = if last == 0 { 0 } else { last + 1 };
        let next = self.location(&what, upload, &answer).unwrap_or_else(|_| upload.to_owned());
        Ok(Some((arrived, next)))
    }

    /// Ends an upload: the registry looks that the bytes are those of the digest. Where the answer gets lost, or somebody else has sent the
    /// same layer meanwhile, it is there all the same.
    pub(super) async fn finish(&self, repository: &str, upload: &str, digest: &Digest) -> Result<(), RegistryError> {
        let what = format!("a layer for {repository}");
        let request = |client: &reqwest::Client| {
            client
                .put(upload)
                .query(&[("digest", digest.as_str())])
                .header(CONTENT_TYPE, "application/octet-stream")
                .header(CONTENT_LENGTH, 0)
        };
        let error = match self.http.send_patiently(&what, &push(repository), COMMIT, request).await {
            Ok(answer) if matches!(answer.status(), StatusCode::CREATED | StatusCode::NO_CONTENT) => return Ok(()),
            Ok(answer) => self.http.unexpected(&what, answer).await,
            Err(error) => error,
        };
        if matches!(self.has_blob(repository, digest).await, Ok(true)) { Ok(()) } else { Err(error.stored()) }
    }

    /// Gives up an upload, so that the registry doesn't keep its pieces. What becomes of it changes nothing for us.
    pub(super) async fn give_up(&self, repository: &str, upload: &str) {
        let _ = self.http.send("", &push(repository), |client| client.delete(upload)).await;
    }

    /// Stores a manifest under a tag or its digest.
    pub(super) async fn put_manifest(&self, repository: &str, selector: &str, manifest: &Manifest) -> Result<(), RegistryError> {
        let what = format!("the manifest of {}", named(repository, selector));
        let url = self.http.url(&format!("{repository}/manifests/{selector}"));
        let request =
            |client: &reqwest::Client| client.put(&url).header(CONTENT_TYPE, &manifest.media_type).body(manifest.bytes.clone());
        let answer = self.http.send(&what, &push(repository), request).await.map_err(RegistryError::stored)?;
        // ECR sends no Location with it, against the specification; nothing here needs one.
        if !answer.status().is_success() {
            let error = self.http.unexpected(&what, answer).await.stored();
            let taken = error.message.contains("immutable") || error.message.contains("already exists");
            return Err(if taken { RegistryError { kind: Kind::TagTaken, ..error } } else { error });
        }
        let stated = answer.headers().get(HEADER_DIGEST).and_then(|value| value.to_str().ok()).and_then(Digest::parse);
        match stated {
            Some(stated) if stated != manifest.digest => Err(self.corrupt(&what, &manifest.digest, &stated)),
            _ => Ok(()),
        }
    }

    /// The address that an answer sends us to: by TLS, or by the same kind of connection to the same host. A registry behind a proxy may
    /// not know that it is spoken to by TLS, and what it is sent would then go on in the clear.
    fn location(&self, what: &str, asked: &str, answer: &Response) -> Result<String, RegistryError> {
        let text = answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let base = reqwest::Url::parse(asked).ok();
        let found = base.as_ref().filter(|_| !text.is_empty()).and_then(|base| base.join(text).ok());
        let same =
            |url: &reqwest::Url| base.as_ref().is_some_and(|base| base.scheme() == url.scheme() && base.host() == url.host());
        match found {
            Some(url) if url.scheme() == "https" || same(&url) => Ok(url.into()),
            Some(url) => {
                let host = url.host_str().unwrap_or("?");
                let message = format!("it sends uploads to {}://{host}, which is no https address", url.scheme());
                Err(RegistryError::new(Kind::Foreign, self.name(), what, message))
            }
            None => Err(RegistryError::new(Kind::Foreign, self.name(), what, "it says not where to send the upload")),
        }
    }
}

/// As image names are written.
fn named(repository: &str, selector: &str) -> String {
    format!("{repository}{}{selector}", if selector.contains(':') { '@' } else { ':' })
}

fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

fn push(repository: &str) -> String {
    format!("repository:{repository}:pull,push")
}
