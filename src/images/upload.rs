//! Bytes of our own into a registry: a layer from its file, a configuration from memory; taken up where the connection broke.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt as _};
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};

use super::Digest;
use super::copy::Event;
use super::error::RegistryError;
use super::registry::{Begun, Registry};

/// Attempts in a row without a byte of progress.
const FRUITLESS: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);
const PIECE: usize = 256 * 1024;

/// Where the bytes are.
#[derive(Debug, Clone)]
pub(super) enum Source {
    File(PathBuf),
    Memory(Bytes),
}

/// One blob that is sent.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) digest: Digest,
    pub(super) size: u64,
    pub(super) source: Source,
}

/// Sends a blob, which the repository must lack.
pub(super) async fn send(
    to: &Registry,
    repository: &str,
    blob: &Blob,
    report: &Arc<dyn Fn(Event) + Send + Sync>,
) -> Result<(), RegistryError> {
    let Begun::Upload(mut upload) = to.begin(repository, &blob.digest, None).await? else { return Ok(()) };
    let mut offset = 0;
    let mut fruitless = 0;
    let told = Arc::new(AtomicU64::new(0));
    loop {
        let before = offset;
        // All of it may have arrived, and only the answer got lost.
        let sent = if offset == blob.size {
            Ok(upload.clone())
        } else {
            let pieces = told_of(pieces(blob.source.clone(), offset), blob, offset, &told, report);
            to.send(repository, &upload, offset, blob.size, pieces).await
        };
        let error = match sent {
            Ok(next) => match to.finish(repository, &next, &blob.digest).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            Err(error) => error,
        };
        fruitless += 1;
        if !error.is_transient() || fruitless > FRUITLESS {
            to.give_up(repository, &upload).await;
            return Err(error);
        }
        tokio::time::sleep(PAUSE * fruitless).await;
        (offset, upload) = match to.arrived(repository, &upload).await {
            Ok(Some((arrived, next))) if arrived <= blob.size => (arrived, next),
            _ => match to.begin(repository, &blob.digest, None).await? {
                Begun::Upload(upload) => (0, upload),
                Begun::Mounted => return Ok(()),
            },
        };
        if offset > before {
            fruitless = 0;
        }
        report(Event::Resumed { digest: blob.digest.clone(), at: offset, why: error.brief() });
    }
}

/// The same pieces; each is told of when it goes, but for what was told of before.
fn told_of<S>(
    pieces: S,
    blob: &Blob,
    offset: u64,
    told: &Arc<AtomicU64>,
    report: &Arc<dyn Fn(Event) + Send + Sync>,
) -> impl Stream<Item = std::io::Result<Bytes>> + Send + use<S>
where
    S: Stream<Item = std::io::Result<Bytes>> + Send,
{
    let (digest, told, report) = (blob.digest.clone(), Arc::clone(told), Arc::clone(report));
    let mut at = offset;
    pieces.inspect(move |piece| {
        let Ok(piece) = piece else { return };
        at += piece.len() as u64;
        let before = told.fetch_max(at, Ordering::Relaxed);
        if at > before {
            report(Event::Advanced { digest: digest.clone(), bytes: at - before });
        }
    })
}

/// The bytes from `offset` on, a piece at a time.
fn pieces(source: Source, offset: u64) -> impl Stream<Item = std::io::Result<Bytes>> + Send + use<> {
    enum State {
        Unopened(PathBuf),
        Open(File),
        Memory(Bytes),
    }
    let start = match source {
        Source::File(path) => State::Unopened(path),
        Source::Memory(bytes) => {
            let from = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
            State::Memory(bytes.slice(from..))
        }
    };
    stream::try_unfold(start, move |state| async move {
        let mut file = match state {
            State::Memory(bytes) if bytes.is_empty() => return Ok(None),
            State::Memory(bytes) => return Ok(Some((bytes, State::Memory(Bytes::new())))),
            State::Unopened(path) => {
                let mut file = File::open(path).await?;
                file.seek(SeekFrom::Start(offset)).await?;
                file
            }
            State::Open(file) => file,
        };
        let mut piece = Vec::with_capacity(PIECE);
        (&mut file).take(PIECE as u64).read_to_end(&mut piece).await?;
        Ok(if piece.is_empty() { None } else { Some((Bytes::from(piece), State::Open(file))) })
    })
}
