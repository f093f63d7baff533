//! A small HTTP server on a free port of 127.0.0.1: what a component answers, or a road to AWS on which some answers are recorded ones.
//! One request a connection; it ends with the test's process.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use tokio::net::TcpSocket;

/// What somebody asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// With its query.
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The operation of a call of AWS: `DescribeStacks`; empty where it has none.
    pub(crate) fn operation(&self) -> &str {
        if let Some(target) = self.header("x-amz-target") {
            return target.rsplit('.').next().unwrap_or_default();
        }
        self.field("Action")
    }

    /// A field of a form, as it was sent.
    pub(crate) fn field(&self, name: &str) -> &str {
        let mut fields = self.body.split('&').filter_map(|field| field.split_once('='));
        fields.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

/// What it gets.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self { status, kind: "application/json", body: body.to_owned() }
    }

    pub(crate) fn xml(status: u16, body: &str) -> Self {
        Self { status, kind: "text/xml", body: body.to_owned() }
    }

    pub(crate) fn html(status: u16) -> Self {
        Self { status, kind: "text/html", body: format!("<html><title>{status}</title></html>") }
    }
}

/// A port that refuses: it is taken, and nobody listens, so that no other test can get it meanwhile.
pub(crate) struct Refusing {
    pub(crate) address: SocketAddr,
    _taken: TcpSocket,
}

impl Refusing {
    pub(crate) fn new() -> Self {
        Self::at("127.0.0.1:0")
    }

    /// … of this address.
    pub(crate) fn at(address: &str) -> Self {
        let address: SocketAddr = address.parse().unwrap();
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.unwrap();
        socket.bind(address).unwrap();
        Self { address: socket.local_addr().unwrap(), _taken: socket }
    }
}

pub(crate) struct Server {
    pub(crate) port: u16,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    pub(crate) fn start(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (answer, told) = (Arc::new(answer), Arc::clone(&seen));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, told) = (Arc::clone(&answer), Arc::clone(&told));
                thread::spawn(move || serve(stream, &*answer, &told));
            }
        });
        Self { port, seen }
    }

    /// All that was asked so far.
    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }
}

/// A client that has gone is no fault of the test.
fn serve(mut stream: TcpStream, answer: &(dyn Fn(&Request) -> Reply + Send + Sync), seen: &Mutex<Vec<Request>>) {
    let Some(request) = read(&stream) else { return };
    seen.lock().unwrap().push(request.clone());
    let Reply { status, kind, body } = answer(&request);
    let _gone = write!(
        stream,
        "HTTP/1.1 {status} Said\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let mut request = Request { method: words.next()?.to_owned(), path: words.next()?.to_owned(), ..Request::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}

/// Hands a request on to another server, as it came.
pub(crate) fn forward(request: &Request, to: &str) -> Reply {
    let mut stream = TcpStream::connect(to).unwrap();
    write!(stream, "{} {} HTTP/1.1\r\n", request.method, request.path).unwrap();
    for (name, value) in request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("connection")) {
        write!(stream, "{name}: {value}\r\n").unwrap();
    }
    write!(stream, "Connection: close\r\n\r\n{}", request.body).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split_whitespace().nth(1).and_then(|status| status.parse().ok()).unwrap();
    let lower = head.to_ascii_lowercase();
    let kind = if lower.contains("json") { "application/x-amz-json-1.1" } else { "text/xml" };
    Reply { status, kind, body: if lower.contains("transfer-encoding: chunked") { unchunked(body) } else { body.to_owned() } }
}

fn unchunked(mut body: &str) -> String {
    let mut text = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size.trim(), 16).unwrap_or_default();
        if size == 0 {
            break;
        }
        text.push_str(&rest[..size]);
        body = rest[size..].trim_start_matches("\r\n");
    }
    text
}
