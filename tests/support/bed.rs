//! The test bed, seen from a test: started once per test process, ended by the end of the process.
//!
//! In: the name of a part's action and a JSON object. Out: the action's JSON object. `tests/bed/bed/supervisor.py` has the protocol, the
//! parts' own files their actions. A part starts at its first call; tests share it and keep apart by the names they choose (`unique`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use serde_json::{Value, json};

/// A first start on a machine downloads Kafka and builds; later ones take seconds.
const LIMIT: Duration = Duration::from_mins(30);

pub(crate) struct Bed {
    address: String,
    token: String,
    /// Its stdin is the bed's life line: the kernel closes it when this process ends, however it ends.
    _supervisor: Child,
}

/// The bed of this test process.
pub(crate) fn bed() -> &'static Bed {
    static BED: OnceLock<Bed> = OnceLock::new();
    BED.get_or_init(Bed::start)
}

/// A name that no other test of this process has: for topics, groups and users. Begins with `prefix`.
pub(crate) fn unique(prefix: &str) -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(1);
    format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// While a test holds this, no broker is stopped. Whoever asks the cluster for anything does: also a user is made on every broker.
pub(crate) fn all_brokers() -> RwLockReadGuard<'static, ()> {
    brokers().read().unwrap_or_else(PoisonError::into_inner)
}

/// For the test that stops brokers: no other test that minds is running.
pub(crate) fn brokers_alone() -> Alone {
    Alone { _brokers: brokers().write().unwrap_or_else(PoisonError::into_inner), stopped: Mutex::default() }
}

/// The brokers for one test alone. What it has stopped is started again at its end, also when it fails.
pub(crate) struct Alone {
    _brokers: RwLockWriteGuard<'static, ()>,
    stopped: Mutex<Vec<u8>>,
}

impl Alone {
    pub(crate) fn stop(&self, broker: u8) {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).push(broker);
        bed().call("kafka/stop_broker", &json!({ "broker": broker }));
    }

    /// Starts them again; returns when all replicas are in sync.
    pub(crate) fn restart(&self) {
        let stopped = std::mem::take(&mut *self.stopped.lock().unwrap_or_else(PoisonError::into_inner));
        if !stopped.is_empty() {
            bed().call("kafka/start_broker", &json!({ "brokers": stopped }));
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let stopped = std::mem::take(&mut *self.stopped.lock().unwrap_or_else(PoisonError::into_inner));
        if !stopped.is_empty() {
            let _best_effort = bed().try_call("kafka/start_broker", &json!({ "brokers": stopped }));
        }
    }
}

fn brokers() -> &'static RwLock<()> {
    static BROKERS: RwLock<()> = RwLock::new(());
    &BROKERS
}

impl Bed {
    fn start() -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/run");
        let mut supervisor = Command::new(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}", script.display()));
        let mut line = String::new();
        BufReader::new(supervisor.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        let ready: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("the test bed did not start; its stderr says why"));
        let text = |key: &str| ready[key].as_str().unwrap().to_owned();
        Self { address: text("control").trim_start_matches("http://").to_owned(), token: text("token"), _supervisor: supervisor }
    }

    /// Calls `part/action` and returns what it answers. An error fails the test with the bed's own text.
    pub(crate) fn call(&self, what: &str, arguments: &Value) -> Value {
        self.try_call(what, arguments).unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// As `call`, for an error that the test wants.
    pub(crate) fn try_call(&self, what: &str, arguments: &Value) -> Result<Value, String> {
        let (status, body) = self.post(what, &arguments.to_string()).map_err(|error| format!("the test bed: {error}"))?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| format!("the test bed answered {body:?}: {error}"))?;
        if status == 200 { Ok(answer) } else { Err(answer["error"].as_str().unwrap_or(&body).to_owned()) }
    }

    /// The facts of a part, which starts if it hasn't.
    pub(crate) fn facts(&self, part: &str) -> Value {
        self.call(&format!("{part}/start"), &json!({}))
    }

    fn post(&self, what: &str, body: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        write!(
            stream,
            "POST /{what} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            self.token,
            body.len()
        )?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
        match (status, answer.split_once("\r\n\r\n")) {
            (Some(status), Some((_, body))) => Ok((status, body.to_owned())),
            _ => Err(std::io::Error::other(format!("no HTTP answer: {answer:?}"))),
        }
    }
}
