//! One blob from one registry into another, piece by piece, taken up where it broke.
//!
//! The bytes are hashed as they pass. The last piece is only handed on when the whole has the digest that was asked for, so that a
//! target never gets a blob that its source spoilt.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use reqwest::{Response, StatusCode};

use super::Digest;
use super::copy::Event;
use super::digest::Hasher;
use super::error::{Kind, RegistryError};
use super::registry::{Begun, Registry};

/// Attempts in a row without a byte of progress.
const FRUITLESS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// Where a blob comes from and goes to.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) from: Arc<Registry>,
    pub(super) from_repository: String,
    pub(super) to: Arc<Registry>,
    pub(super) to_repository: String,
    pub(super) report: Arc<dyn Fn(Event) + Send + Sync>,
}

/// Brings one blob over, to an upload where one has begun. The target must not have it.
pub(super) async fn carry(way: &Way, digest: &Digest, size: u64, begun: Option<String>) -> Result<(), RegistryError> {
    let mut upload = match begun {
        Some(upload) => upload,
        None => begin(way, digest).await?,
    };
    let mut offset = 0;
    let mut fruitless = 0;
    let passed = Arc::new(Mutex::new(Passed::default()));
    loop {
        let before = offset;
        // All of it may have arrived, and only the answer got lost.
        let sent = if offset == size {
            Ok(upload.clone())
        } else {
            way.to.send(&way.to_repository, &upload, offset, size, pieces(way, digest, size, offset, &passed)).await
        };
        let error = match sent {
            Ok(next) => match way.to.finish(&way.to_repository, &next, digest).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            Err(error) => error,
        };
        // Our own side knows better why a body ended early than the one that waited for it.
        let error = lock(&passed).failed.take().unwrap_or(error);
        fruitless += 1;
        if !error.is_transient() || fruitless > FRUITLESS {
            way.to.give_up(&way.to_repository, &upload).await;
            return Err(error);
        }
        tokio::time::sleep(PAUSE * fruitless).await;
        (offset, upload) = match way.to.arrived(&way.to_repository, &upload).await {
            Ok(Some((arrived, next))) if arrived <= size => (arrived, next),
            _ => (0, begin(way, digest).await?),
        };
        if offset > before {
            fruitless = 0;
        }
        (way.report)(Event::Resumed { digest: digest.clone(), at: offset, why: error.brief() });
    }
}

async fn begin(way: &Way, digest: &Digest) -> Result<String, RegistryError> {
    match way.to.begin(&way.to_repository, digest, None).await? {
        Begun::Upload(upload) => Ok(upload),
        Begun::Mounted => {
            let why = "it says that a layer is there which it said it lacks";
            Err(RegistryError::new(Kind::Foreign, way.to.name(), "an upload", why))
        }
    }
}

/// What has passed of a blob, over all attempts.
#[derive(Default)]
struct Passed {
    hasher: Hasher,
    /// Bytes from the start that are hashed.
    to: u64,
    failed: Option<RegistryError>,
}

/// A poisoned lock has no meaning here: the value is whole after every change.
fn lock(passed: &Mutex<Passed>) -> std::sync::MutexGuard<'_, Passed> {
    passed.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The state of a stream: where it is, and the answer that it reads from.
struct Reading {
    way: Way,
    digest: Digest,
    size: u64,
    at: u64,
    answer: Option<Response>,
    /// Read, and not handed on yet.
    pending: Option<Bytes>,
    fruitless: u32,
    passed: Arc<Mutex<Passed>>,
}

/// The bytes of a blob from `offset` on. Broken connections to the source are taken up again here; an error ends the stream and is
/// left where [`carry`] finds it.
fn pieces(
    way: &Way,
    digest: &Digest,
    size: u64,
    offset: u64,
    passed: &Arc<Mutex<Passed>>,
) -> impl Stream<Item = Result<Bytes, std::io::Error>> + Send + use<> {
    let start = Reading {
        way: way.clone(),
        digest: digest.clone(),
        size,
        at: offset,
        answer: None,
        pending: None,
        fruitless: 0,
        passed: Arc::clone(passed),
    };
    stream::try_unfold(start, |mut reading| async move {
        match reading.next().await {
            Ok(Some(piece)) => Ok(Some((piece, reading))),
            Ok(None) => Ok(None),
            Err(error) => {
                let text = error.to_string();
                lock(&reading.passed).failed = Some(error);
                Err(std::io::Error::other(text))
            }
        }
    })
}

impl Reading {
    async fn next(&mut self) -> Result<Option<Bytes>, RegistryError> {
        let what = format!("a layer of {}", self.way.from_repository);
        while self.at < self.size {
            let answer = match self.answer.take() {
                Some(answer) => answer,
                None => self.open(&what).await?,
            };
            if let Some(piece) = self.pending.take() {
                self.answer = Some(answer);
                return self.take(piece, &what).map(Some);
            }
            if let Some(piece) = self.read(answer, &what).await? {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    /// Asks the source from where we are. One that knows no ranges sends it all, and what we have is passed over.
    async fn open(&mut self, what: &str) -> Result<Response, RegistryError> {
        let mut answer = self.way.from.blob(&self.way.from_repository, &self.digest, self.at, what).await?;
        let mut ahead = if answer.status() == StatusCode::PARTIAL_CONTENT { 0 } else { self.at };
        while ahead > 0 {
            let Some(mut piece) = answer.chunk().await.map_err(|error| self.way.from.unsent(what, &error))? else { break };
            let known = piece.len().min(usize::try_from(ahead).unwrap_or(usize::MAX));
            ahead -= known as u64;
            let rest = piece.split_off(known);
            self.pending = Some(rest).filter(|rest| !rest.is_empty());
        }
        Ok(answer)
    }

    /// The next piece of an answer; `None`: it broke, and the next attempt goes on.
    async fn read(&mut self, mut answer: Response, what: &str) -> Result<Option<Bytes>, RegistryError> {
        let error = match answer.chunk().await {
            Ok(Some(piece)) if piece.is_empty() => {
                self.answer = Some(answer);
                return Ok(None);
            }
            Ok(Some(piece)) => {
                self.fruitless = 0;
                self.answer = Some(answer);
                return self.take(piece, what).map(Some);
            }
            Ok(None) => RegistryError::new(Kind::Unreachable, self.way.from.name(), what, "the connection ended early"),
            Err(error) => self.way.from.unsent(what, &error),
        };
        self.fruitless += 1;
        if self.fruitless > FRUITLESS {
            return Err(error);
        }
        tokio::time::sleep(PAUSE * self.fruitless).await;
        (self.way.report)(Event::Resumed { digest: self.digest.clone(), at: self.at, why: error.brief() });
        Ok(None)
    }

    /// Hashes what was not hashed before, and looks at the end that it is what was asked for.
    fn take(&mut self, piece: Bytes, what: &str) -> Result<Bytes, RegistryError> {
        let end = self.at + piece.len() as u64;
        if end > self.size {
            let message = format!("it is longer than the {} bytes that its manifest says", self.size);
            return Err(RegistryError::new(Kind::Corrupt, self.way.from.name(), what, message));
        }
        let mut passed = lock(&self.passed);
        if end > passed.to {
            let known = usize::try_from(passed.to.saturating_sub(self.at)).unwrap_or_default();
            passed.hasher.update(&piece[known..]);
            let fresh = end - passed.to;
            passed.to = end;
            (self.way.report)(Event::Advanced { digest: self.digest.clone(), bytes: fresh });
        }
        if end == self.size {
            let found = passed.hasher.clone().finish();
            if found != self.digest {
                return Err(self.way.from.corrupt(what, &self.digest, &found));
            }
        }
        self.at = end;
        Ok(piece)
    }
}

/// What came of looking for a layer in other repositories of the target.
pub(super) enum Mount {
    Done,
    /// It has to be sent; to this upload, where the registry has begun one instead.
    Send(Option<String>),
}

/// Takes a layer over from the first of these repositories that has it. That is a favour: where one isn't to be looked into, or the registry
/// doesn't do it, the layer is sent.
pub(super) async fn mount<'a>(way: &Way, digest: &Digest, repositories: impl Iterator<Item = &'a String>) -> Mount {
    for repository in repositories {
        if !matches!(way.to.has_blob(repository, digest).await, Ok(true)) {
            continue;
        }
        return match way.to.begin(&way.to_repository, digest, Some(repository)).await {
            Ok(Begun::Mounted) => Mount::Done,
            Ok(Begun::Upload(upload)) => Mount::Send(Some(upload)),
            Err(_) => Mount::Send(None),
        };
    }
    Mount::Send(None)
}
