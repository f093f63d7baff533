//! Why a request has no answer: the layers under HTTP are asked one by one, and what is left is HTTP's own.
//!
//! A library's message is not a diagnosis: "error sending request" is all of it. Only a refused certificate is taken from the failed
//! exchange itself, because through a proxy nobody else sees it.

use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use url::Url;

use super::endpoint;
use crate::base::{Cause, Deadline, Fault};
use crate::net::{Endpoint, connect, resolve, tls};

/// How long a server that took the connection may be silent when it is asked what it speaks.
const FIRST_WORDS: Duration = Duration::from_secs(2);

/// A request that failed.
pub(super) struct Suspect<'a> {
    pub(super) url: &'a Url,
    pub(super) proxy: Option<&'a Endpoint>,
    /// None: our own limit was over.
    pub(super) error: Option<&'a reqwest::Error>,
    pub(super) tls: &'a tls::Client,
}

/// What a server says to a request of HTTP.
enum Words {
    Silent,
    HungUp,
    Http,
    Tls,
    Other,
}

impl Suspect<'_> {
    pub(super) async fn fault(&self, certificate: Option<tls::Certificate>, deadline: Deadline) -> Fault {
        let target = endpoint(self.url);
        if let Some(rustls::Error::InvalidCertificate(refused)) = self.error.and_then(|error| find::<rustls::Error>(error)) {
            let mut fault = tls::certificate_fault(&target.host, refused, certificate.as_ref());
            if let Some(proxy) = self.proxy {
                fault.message =
                    format!("{} (seen through the proxy {proxy}, which may show a certificate of its own)", fault.message);
            }
            return fault;
        }
        match self.proxy {
            Some(proxy) => self.behind_proxy(proxy, deadline).await,
            None => self.direct(&target, deadline).await,
        }
    }

    async fn behind_proxy(&self, proxy: &Endpoint, deadline: Deadline) -> Fault {
        if let Err(fault) = reach(proxy, deadline).await {
            return Fault { message: format!("the proxy {proxy} can't be reached: {}", fault.message), ..fault };
        }
        let target = endpoint(self.url);
        let Some(error) = self.error else {
            return Fault::new(Cause::TimedOut, format!("no answer from {target} through the proxy {proxy} in time"));
        };
        let why = innermost(error);
        if why.contains("authorization required") {
            return Fault::new(Cause::AccessDenied, format!("the proxy {proxy} wants a login: put it into the proxy's URL"));
        }
        Fault::new(Cause::BrokerUnreachable, format!("the proxy {proxy} gave no way to {target}: {why}"))
    }

    async fn direct(&self, target: &Endpoint, deadline: Deadline) -> Fault {
        let (stream, addresses) = match reach(target, deadline).await {
            Ok(reached) => reached,
            Err(fault) => return fault,
        };
        let limit = deadline.at_most(FIRST_WORDS);
        if self.url.scheme() != "https" {
            return match ask(stream, target, limit).await {
                Words::Tls => speaks_tls(),
                // A server of TLS may also just hang up on plain words.
                Words::HungUp if self.does_tls(&addresses, target, deadline).await => speaks_tls(),
                words => self.remaining(&words),
            };
        }
        match self.tls.handshake(stream, &target.host, deadline).await {
            Ok(secured) => {
                let asked = secured.asked_for_identity;
                let words = ask(secured.stream, target, limit).await;
                if asked && !self.tls.has_identity() && matches!(words, Words::HungUp) {
                    return Fault::new(Cause::ClientCertificateRequired, "the server wants a client certificate and none is set");
                }
                self.remaining(&words)
            }
            Err(failure) if failure.talk == tls::Talk::Http => speaks_none(),
            Err(failure) if failure.closed || failure.talk == tls::Talk::Other => {
                let plain = match connect(&addresses, deadline).await {
                    Ok(again) => matches!(ask(again.stream, target, limit).await, Words::Http),
                    Err(_) => false,
                };
                if plain { speaks_none() } else { failure.fault }
            }
            Err(failure) => failure.fault,
        }
    }

    async fn does_tls(&self, addresses: &[SocketAddr], target: &Endpoint, deadline: Deadline) -> bool {
        let Ok(again) = connect(addresses, deadline).await else { return false };
        match self.tls.handshake(again.stream, &target.host, deadline).await {
            Ok(_) => true,
            Err(failure) => failure.talk == tls::Talk::Tls,
        }
    }

    /// Every layer under HTTP holds.
    fn remaining(&self, words: &Words) -> Fault {
        match (words, self.error) {
            (Words::Silent, _) => {
                Fault::new(Cause::TimedOut, "the server took the connection and then said nothing to a request of HTTP")
            }
            (Words::HungUp, _) => Fault::new(Cause::BrokerUnreachable, "the server hangs up on a request of HTTP"),
            (Words::Other | Words::Tls, _) => {
                Fault::new(Cause::NotKafka, "what answers there is not HTTP: another service listens on this port")
            }
            (Words::Http, None) => Fault::new(Cause::TimedOut, "the server did not answer the request in time"),
            (Words::Http, Some(error)) => {
                Fault::new(Cause::BrokerUnreachable, format!("the server broke the exchange off: {}", innermost(error)))
            }
        }
    }
}

fn speaks_tls() -> Fault {
    Fault::new(Cause::TlsListener, "the server speaks TLS: write https://")
}

fn speaks_none() -> Fault {
    Fault::new(Cause::PlaintextListener, "the server speaks HTTP without TLS: write http://")
}

async fn reach(target: &Endpoint, deadline: Deadline) -> Result<(tokio::net::TcpStream, Vec<SocketAddr>), Fault> {
    let found = resolve(&target.host, deadline).await?;
    let addresses: Vec<SocketAddr> = found.into_iter().map(|address| SocketAddr::new(address, target.port)).collect();
    let reached = connect(&addresses, deadline).await.map_err(|unreached| unreached.fault)?;
    Ok((reached.stream, addresses))
}

/// Does this stream speak HTTP? A server of it may wait for the end of a line that another protocol never sends.
pub async fn speaks_http(stream: impl AsyncRead + AsyncWrite + Unpin, target: &Endpoint, deadline: Deadline) -> bool {
    matches!(ask(stream, target, deadline).await, Words::Http)
}

/// Asks for nothing, in plain HTTP, and listens to the first words.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, target: &Endpoint, deadline: Deadline) -> Words {
    let exchange = async {
        let request = format!("HEAD / HTTP/1.1\r\nHost: {target}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let mut heard = [0_u8; 5];
        let mut length = 0;
        while length < heard.len() {
            match stream.read(&mut heard[length..]).await? {
                0 => break,
                read => length += read,
            }
        }
        Ok::<_, io::Error>(heard[..length].to_vec())
    };
    match timeout(deadline.remaining(), exchange).await {
        Err(_) => Words::Silent,
        Ok(Err(_)) => Words::HungUp,
        Ok(Ok(heard)) => match &heard[..] {
            [] => Words::HungUp,
            b"HTTP/" => Words::Http,
            [20..=23, 3, ..] => Words::Tls,
            _ => Words::Other,
        },
    }
}

/// The first error of a type in a chain, also where it hides inside an I/O error.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match hidden {
            Some(inner) => Some(inner as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// The text at the end of a chain: what really happened, without a URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let text = deepest.to_string();
    if std::ptr::addr_eq(deepest, std::ptr::from_ref(error)) { "no reason was given".to_owned() } else { text }
}
