//! One registry over HTTP, on sockets of this machine: how long it is waited for, and who gets a login.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const PIECE: usize = 1 << 20;
const SHORT: Duration = Duration::from_secs(2);

/// What a registry does with a request: its head as it came.
type Answer = dyn Fn(&str) -> String + Send + Sync;

/// A registry that answers each request on a connection of its own, having taken its body with pauses. Gives its address and the
/// logins that came.
async fn registry(pause: Duration, answer: Arc<Answer>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let logins: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&logins);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, pause, Arc::clone(&answer), Arc::clone(&seen)));
        }
    });
    (address, logins)
}

async fn serve(mut stream: TcpStream, pause: Duration, answer: Arc<Answer>, logins: Arc<Mutex<Vec<String>>>) {
    let mut bytes = Vec::new();
    let mut piece = vec![0; PIECE];
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
            _ => return,
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let of = |name: &str| text.lines().find_map(|line| line.strip_prefix(name).map(|value| value.trim().to_owned()));
    let length: usize = of("content-length:").and_then(|value| value.parse().ok()).unwrap_or_default();
    let (mut taken, mut pauses) = (bytes.len() - head, 0);
    while taken < length {
        if taken / PIECE >= pauses {
            tokio::time::sleep(pause).await;
            pauses += 1;
        }
        match stream.read(&mut piece).await {
            Ok(read) if read > 0 => taken += read,
            _ => return,
        }
    }
    logins.lock().unwrap().push(of("authorization:").unwrap_or_default());
    let said = format!("HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", answer(&text));
    let _gone = stream.write_all(said.as_bytes()).await;
}

fn http(address: &str, source: CredentialSource) -> Http {
    Http { silence: SHORT, young: Duration::ZERO, ..Http::new(address, address, source).unwrap() }
}

fn run(work: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(work);
}

/// More than the machine's own buffers hold.
async fn sent(http: &Http, address: &str) -> Result<Response, RegistryError> {
    let pieces = stream::repeat_with(|| Ok(Bytes::from(vec![7; PIECE / 4]))).take(96);
    let request = |client: &Client| client.patch(format!("http://{address}/upload")).header("content-length", PIECE * 24);
    http.send_once("a layer", "s", request, pieces).await
}

#[test]
fn a_layer_may_take_as_long_as_it_gets_on() {
    run(async {
        let (address, _) = registry(Duration::from_millis(120), Arc::new(|_| "202 Accepted".to_owned())).await;
        let began = Instant::now();
        assert_eq!(sent(&http(&address, CredentialSource::Anonymous), &address).await.unwrap().status(), StatusCode::ACCEPTED);
        assert!(began.elapsed() > SHORT, "the registry took it too quickly for this test");
        let (address, _) = registry(Duration::from_hours(1), Arc::new(|_| "202 Accepted".to_owned())).await;
        let error = sent(&http(&address, CredentialSource::Anonymous), &address).await.unwrap_err();
        assert_eq!(error.kind, Kind::TimedOut, "{error}");
    });
}

#[test]
fn a_token_that_has_ended_is_renewed_and_goes_to_nobody_else() {
    run(async {
        let given = Arc::new(AtomicUsize::new(0));
        let renew = Arc::clone(&given);
        let source = CredentialSource::Renewed(Arc::new(move || {
            let password = Secret::new(format!("t{}", renew.fetch_add(1, Ordering::SeqCst)));
            Box::pin(async move { Ok(Credentials::Password { username: "AWS".to_owned(), password, life: None }) })
        }));
        // The first token has ended by the second request; ECR says that with 403.
        let first = STANDARD.encode("AWS:t0").to_ascii_lowercase();
        let asked = AtomicUsize::new(0);
        let (address, logins) = registry(
            Duration::ZERO,
            Arc::new(move |head| {
                let is_first = head.contains(&format!("basic {first}"));
                match asked.fetch_add(1, Ordering::SeqCst) {
                    0 => "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"".to_owned(),
                    1 => "200 OK".to_owned(),
                    _ if is_first => "403 Forbidden".to_owned(),
                    _ => "200 OK".to_owned(),
                }
            }),
        )
        .await;
        let http = http(&address, source);
        for _ in 0..2 {
            let answer = http.send("x", "s", |client| client.head(format!("http://{address}/v2/"))).await.unwrap();
            assert_eq!(answer.status(), StatusCode::OK);
        }
        assert_eq!((given.load(Ordering::SeqCst), logins.lock().unwrap().len()), (2, 4));
        // Where an upload goes to somebody else, it goes without the login.
        let (other, there) = registry(Duration::ZERO, Arc::new(|_| "202 Accepted".to_owned())).await;
        sent(&http, &other).await.unwrap();
        assert_eq!(*there.lock().unwrap(), [""]);
    });
}

#[test]
fn the_login_goes_to_the_registry_and_to_nobody_that_it_sends_us_to() {
    run(async {
        const ASKS: &str = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"any\"";
        let (other, asked) = registry(Duration::ZERO, Arc::new(|_| ASKS.to_owned())).await;
        let redirect = format!("307 Temporary Redirect\r\nLocation: http://{other}/blob");
        let (address, _) = registry(
            Duration::ZERO,
            Arc::new(move |head| match head.contains("authorization: basic") {
                false => ASKS.to_owned(),
                true if head.starts_with("get /v2/blob") => redirect.clone(),
                true => "202 Accepted".to_owned(),
            }),
        )
        .await;
        let login = || Credentials::Password { username: "u".to_owned(), password: Secret::new("p"), life: None };
        let http = http(&address, CredentialSource::Renewed(Arc::new(move || Box::pin(async move { Ok(login()) }))));
        let url = http.url("uploads");
        let answer = http.send("an upload", "scope", |client| client.post(&url)).await.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        // An upload's address is elsewhere, and so is a blob: whoever is there may ask for the login and doesn't get it.
        let upload = format!("http://{other}/upload");
        let blob = http.url("blob");
        let refused = [
            http.send("an upload", "scope", |client| client.put(&upload)).await.unwrap_err(),
            http.send_once("an upload", "scope", |client| client.patch(&upload), stream::empty()).await.unwrap_err(),
            http.send("a blob", "scope", |client| client.get(&blob)).await.unwrap_err(),
        ];
        assert!(refused.iter().all(|error| error.kind == Kind::Unauthorized), "{refused:?}");
        assert_eq!(*asked.lock().unwrap(), ["", "", ""]);
    });
}
