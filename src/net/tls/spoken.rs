//! What a server speaks that took none of our own offers: OpenSSL asks once more, with every version and cipher that it has.
//!
//! Comes in: a fresh stream. Goes out: version and cipher, or nothing. The connection is thrown away: it is asked to know, not to be used, and
//! so nothing of the server is verified and nothing is shown to it.

use std::time::Duration;

use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

use crate::base::Deadline;

/// Version and cipher in the words of OpenSSL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// `TLSv1.1`
    pub version: String,
    pub cipher: String,
}

impl Spoken {
    /// A version that Java, too, has stopped to speak. Source: JDK-8202343; in every JDK of the images.
    pub fn is_outdated(&self) -> bool {
        matches!(self.version.as_str(), "SSLv3" | "TLSv1" | "TLSv1.1")
    }
}

/// Shakes hands with whatever the server takes.
pub async fn spoken(stream: TcpStream, host: &str, deadline: Deadline) -> Option<Spoken> {
    let stream = stream.into_std().ok()?;
    stream.set_nonblocking(false).ok()?;
    // Zero would mean for ever.
    let limit = Some(deadline.remaining().max(Duration::from_millis(1)));
    stream.set_read_timeout(limit).ok()?;
    stream.set_write_timeout(limit).ok()?;
    let host = host.to_owned();
    let asked = spawn_blocking(move || {
        let mut builder = SslConnector::builder(SslMethod::tls_client()).ok()?;
        builder.set_verify(SslVerifyMode::NONE);
        builder.set_cipher_list("ALL:@SECLEVEL=0").ok()?;
        builder.set_min_proto_version(Some(SslVersion::TLS1)).ok()?;
        let configuration = builder.build().configure().ok()?.verify_hostname(false);
        let secured = configuration.connect(&host, stream).ok()?;
        let cipher = secured.ssl().current_cipher()?.name().to_owned();
        Some(Spoken { version: secured.ssl().version_str().to_owned(), cipher })
    });
    asked.await.ok().flatten()
}
