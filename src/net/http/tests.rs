//! HTTP against small servers of this process: each says one thing, and closes or keeps silent.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{Client, Matcher, Request, Url, endpoint, url};
use crate::base::{Cause, Deadline, Fault, Secret};
use crate::net::tcp::refusing;
use crate::net::tls;

/// A server that reads what comes first and then says its one line, or closes.
async fn server(says: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut peer, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _read = peer.read(&mut [0; 4096]).await;
                if says == b"(silence)" {
                    std::future::pending::<()>().await;
                }
                let _sent = peer.write_all(says).await;
            });
        }
    });
    address
}

fn client() -> Client {
    Client::build(&tls::Settings::default(), Matcher::builder().build(), reqwest::ClientBuilder::no_proxy).unwrap()
}

fn limit() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn at(scheme: &str, address: SocketAddr) -> Request {
    Request::get(url(&format!("{scheme}://{address}/a")).unwrap())
}

async fn fault(scheme: &str, says: &'static [u8]) -> Fault {
    client().send(at(scheme, server(says).await), limit()).await.unwrap_err()
}

#[test]
fn a_url_is_read_or_says_what_is_wrong() {
    assert_eq!(endpoint(&url(" https://[::1]/x ").unwrap()).to_string(), "[::1]:443");
    for (wrong, why) in [
        ("registry:8081", "`registry` is not http or https"),
        ("/subjects", "has no scheme"),
        ("ftp://registry", "`ftp` is not http or https"),
        ("http://user:pass@", "not a URL"),
    ] {
        let said = url(wrong).unwrap_err();
        assert!(said.contains(why) && !said.contains("pass"), "{said}");
    }
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit_and_a_redirect_is_shown() {
    let long = server(
        b"HTTP/1.1 302 Found\r\nLocation: /login\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 9\r\n\r\n123456789",
    )
    .await;
    let answer = client().send(at("http", long).at_most(4), limit()).await.unwrap();
    assert_eq!((answer.status, answer.text().as_str(), answer.cut), (302, "1234", true));
    assert_eq!(answer.location.as_ref().map(Url::path), Some("/login"));
    assert!(answer.clock_ahead().unwrap() < -86_400);
}

#[tokio::test]
async fn a_server_that_does_not_speak_http_is_told_by_its_first_words() {
    assert_eq!(fault("http", b"").await.cause, Cause::BrokerUnreachable);
    assert_eq!(fault("http", b"\0\0\0\x08abcdefgh").await.cause, Cause::NotKafka);
    assert_eq!(fault("http", &[21, 3, 3, 0, 2, 2, 40]).await.cause, Cause::TlsListener);
    assert_eq!(fault("https", b"HTTP/1.1 400 Bad Request\r\n\r\n").await.cause, Cause::PlaintextListener);
    assert_eq!(fault("https", b"").await.cause, Cause::BrokerUnreachable);
}

#[tokio::test]
async fn silence_ends_with_the_deadline() {
    let silent = server(b"(silence)").await;
    for scheme in ["http", "https"] {
        let fault = client().send(at(scheme, silent), Deadline::after(Duration::from_secs(1))).await.unwrap_err();
        assert_eq!(fault.cause, Cause::TimedOut, "{fault}");
    }
}

#[tokio::test]
async fn a_closed_port_and_an_unknown_name_have_their_layers_cause() {
    let (_taken, closed) = refusing();
    assert_eq!(client().send(at("https", closed), limit()).await.unwrap_err().cause, Cause::Refused);
    let nowhere = Request::get(url("http://no-such-host.invalid/").unwrap());
    let cause = client().send(nowhere, limit()).await.unwrap_err().cause;
    assert!(matches!(cause, Cause::NameNotFound | Cause::ResolverUnavailable), "{cause}");
}

#[tokio::test]
async fn a_proxy_is_used_and_named_and_its_password_is_not() {
    let with = |proxy: SocketAddr| {
        let proxy = format!("http://me:hunter2@{proxy}");
        Client::build(&tls::Settings::default(), Matcher::builder().all(proxy.as_str()).build(), |builder| {
            builder.proxy(reqwest::Proxy::all(&proxy).unwrap())
        })
        .unwrap()
    };
    let name = Request::get(url("http://registry.example/").unwrap());
    let proxy = server(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    let answer = with(proxy).send(name, limit()).await.unwrap();
    assert_eq!((answer.status, answer.proxy.unwrap().port), (204, proxy.port()));

    let secured = Request::get(url("https://registry.example/").unwrap()).basic("me", &Secret::new("hunter2"));
    let locked = server(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n").await;
    let fault = with(locked).send(secured.clone(), limit()).await.unwrap_err();
    assert_eq!(fault.cause, Cause::AccessDenied, "{fault}");
    let (_taken, closed) = refusing();
    let fault = with(closed).send(secured.clone(), limit()).await.unwrap_err();
    assert!(fault.cause == Cause::Refused && fault.message.contains("the proxy"), "{fault}");
    assert!(!format!("{fault} {secured:?}").contains("hunter2"));
}
