//! A file of somebody else, brought here. Comes in: where it is and the digest that its bytes must have. Goes out: the bytes in a file of
//! ours, or a [`FetchError`]. Nothing is used before its digest is proven.
//!
//! A piece at a time is in memory; a connection that breaks is taken up where it broke; size and time have limits of ours.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use reqwest::header::RANGE;
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode};
use tokio::time::timeout;

use super::Digest;
use super::digest::Hasher;
use super::http::{chain, onwards};
use crate::base::AGENT;

const CONNECT: Duration = Duration::from_secs(5);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(20);
/// One file, all attempts together.
const WHOLE: Duration = Duration::from_mins(20);
/// Attempts in a row without a byte of progress.
const FRUITLESS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(500);
/// The largest connectors have 300 MiB.
const MOST: u64 = 2 * 1024 * 1024 * 1024;
const PIECE: usize = 256 * 1024;

/// Why a file isn't here.
#[derive(Debug)]
pub enum FetchError {
    /// Its source has no such file.
    Missing(String),
    /// Its source answers otherwise than with the file.
    Refused(String),
    /// No connection, or one that broke too often.
    Unreachable(String),
    /// It is longer than anything that is laid on an image.
    TooLong,
    /// Its bytes have another digest.
    Other { found: Digest },
    /// Our own disk.
    Disk(io::Error),
}

impl FetchError {
    /// Whether the same may have another end in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable(_))
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) => write!(f, "there is no such file: {what}"),
            Self::Refused(why) | Self::Unreachable(why) => f.write_str(why),
            Self::TooLong => write!(f, "it is longer than {} GiB", MOST >> 30),
            Self::Other { found } => write!(f, "its bytes have the digest {found}"),
            Self::Disk(error) => write!(f, "it can't be kept on this machine: {error}"),
        }
    }
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

/// What is told while bytes arrive: how many are here, and of how many, where the source says so.
pub type Arrived<'a> = &'a (dyn Fn(u64, Option<u64>) + Send + Sync);

/// Fetches what is at an address into the file `to`.
pub async fn fetch(url: &str, wanted: &Digest, to: &Path, arrived: Arrived<'_>) -> Result<(), FetchError> {
    let client = Client::builder()
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .redirect(Policy::custom(onwards))
        .user_agent(AGENT)
        .build()
        .map_err(|error| FetchError::Unreachable(chain(&error)))?;
    let mut file = File::create(to)?;
    let mut kept = Kept { hasher: Hasher::default(), at: 0 };
    let began = Instant::now();
    let mut fruitless = 0;
    loop {
        let before = kept.at;
        let attempt = once(&client, url, &mut file, &mut kept, arrived);
        // A source that sends a byte now and then is silent for no long time, and never ends.
        let error = match timeout(WHOLE.saturating_sub(began.elapsed()), attempt).await {
            Ok(Ok(())) => break,
            Ok(Err(error)) => error,
            Err(_) => return Err(FetchError::Unreachable(format!("it was not here after {} minutes", WHOLE.as_secs() / 60))),
        };
        fruitless = if kept.at > before { 0 } else { fruitless + 1 };
        if !error.is_transient() || fruitless > FRUITLESS {
            return Err(error);
        }
        tokio::time::sleep(PAUSE * (fruitless + 1)).await;
    }
    file.flush()?;
    proven(kept.hasher, wanted)
}

/// Copies a file of this machine into the file `to`, so that what is proven is what is used.
pub fn copied(from: &Path, wanted: &Digest, to: &Path) -> Result<(), FetchError> {
    let mut source = match File::open(from) {
        Ok(file) if file.metadata()?.is_file() => file,
        Ok(_) => return Err(FetchError::Refused(format!("{} is no file", from.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(FetchError::Missing(from.display().to_string())),
        Err(error) => return Err(FetchError::Refused(format!("{} can't be read: {error}", from.display()))),
    };
    let mut target = File::create(to)?;
    let mut hasher = Hasher::default();
    let mut piece = vec![0; PIECE];
    let mut at = 0;
    loop {
        let read = source.read(&mut piece)?;
        if read == 0 {
            break;
        }
        at += read as u64;
        if at > MOST {
            return Err(FetchError::TooLong);
        }
        hasher.update(&piece[..read]);
        target.write_all(&piece[..read])?;
    }
    proven(hasher, wanted)
}

fn proven(hasher: Hasher, wanted: &Digest) -> Result<(), FetchError> {
    let found = hasher.finish();
    if found == *wanted { Ok(()) } else { Err(FetchError::Other { found }) }
}

/// What has arrived.
struct Kept {
    hasher: Hasher,
    at: u64,
}

async fn once(client: &Client, url: &str, file: &mut File, kept: &mut Kept, arrived: Arrived<'_>) -> Result<(), FetchError> {
    let request = client.get(url);
    let request = if kept.at > 0 { request.header(RANGE, format!("bytes={}-", kept.at)) } else { request };
    let mut answer = request.send().await.map_err(|error| FetchError::Unreachable(chain(&error)))?;
    let status = answer.status();
    // Who knows no ranges sends it all, and what we have is passed over.
    let mut ahead = match status {
        StatusCode::OK => kept.at,
        StatusCode::PARTIAL_CONTENT => 0,
        StatusCode::NOT_FOUND | StatusCode::GONE => return Err(FetchError::Missing(url.to_owned())),
        StatusCode::TOO_MANY_REQUESTS => return Err(FetchError::Unreachable(format!("its source answered {status}"))),
        status if status.is_server_error() => return Err(FetchError::Unreachable(format!("its source answered {status}"))),
        status => return Err(FetchError::Refused(format!("its source answered {status}"))),
    };
    let whole = answer.content_length().map(|more| kept.at - ahead + more);
    if whole.is_some_and(|whole| whole > MOST) {
        return Err(FetchError::TooLong);
    }
    while let Some(piece) = answer.chunk().await.map_err(|error| FetchError::Unreachable(chain(&error)))? {
        let known = piece.len().min(usize::try_from(ahead).unwrap_or(usize::MAX));
        ahead -= known as u64;
        let fresh = &piece[known..];
        kept.at += fresh.len() as u64;
        if kept.at > MOST {
            return Err(FetchError::TooLong);
        }
        kept.hasher.update(fresh);
        file.write_all(fresh)?;
        arrived(kept.at, whole);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{FetchError, copied};
    use crate::images::Digest;

    #[test]
    fn a_file_of_this_machine_is_taken_with_its_digest_only() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("a.jar"), folder.path().join("kept"));
        fs::write(&from, "jar").unwrap();
        copied(&from, &Digest::of(b"jar"), &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"jar");
        let found = copied(&from, &Digest::of(b"another"), &to).unwrap_err();
        assert!(matches!(&found, FetchError::Other { found } if *found == Digest::of(b"jar")), "{found}");
        assert!(matches!(copied(&folder.path().join("none"), &Digest::of(b""), &to), Err(FetchError::Missing(_))));
        assert!(matches!(copied(folder.path(), &Digest::of(b""), &to), Err(FetchError::Refused(_))));
    }
}
