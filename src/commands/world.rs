//! What the verbs that leave this machine share: a runtime, the account, and the first Ctrl-C.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::aws::Account;
use crate::base::{Deadline, Exit, Failure, Result};
use crate::ui::Ui;

/// Region, credentials and caller together must be known within this.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// Runs an asynchronous verb. What it left running (a prompt that nobody answers) does not keep the process alive.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::fault("the runtime can't start").cause(error))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

pub(super) async fn connect() -> Result<Account> {
    Ok(Account::connect(Deadline::after(CONNECT_LIMIT)).await?)
}

/// As [`connect`], and ends at once when it is told to: nothing has been done by then.
pub(super) async fn connect_unless(interrupt: &Interrupt) -> Result<Account> {
    tokio::select! {
        account = connect() => account,
        () = interrupt.wait() => Err(Failure::new(Exit::Interrupted, "interrupted; nothing was changed").into()),
    }
}

/// Ctrl-C, a polite request to end, or a terminal that is closed. From the moment this is made the first of them does not end the
/// process by itself: who holds this must ask. One more than was [taken](Interrupt::take) does.
#[derive(Debug, Clone)]
pub(super) struct Interrupt {
    count: watch::Receiver<u32>,
    taken: Arc<AtomicU32>,
    stays: Stays,
}

/// What would be left behind, by who would leave it: each with the command that takes it away.
type Stays = Arc<Mutex<BTreeMap<String, Vec<String>>>>;

impl Interrupt {
    /// Must be called inside the runtime. What comes after it returns is heard: it registers by itself, and not when a task of its
    /// own first gets a turn.
    pub(super) fn listen() -> Self {
        let (tell, count) = watch::channel(0);
        let taken = Arc::new(AtomicU32::new(0));
        let allowed = Arc::clone(&taken);
        let mut interrupt = signal(SignalKind::interrupt()).ok();
        let mut terminate = signal(SignalKind::terminate()).ok();
        let mut hangup = if ignores_hangup() { None } else { signal(SignalKind::hangup()).ok() };
        let stays = Stays::default();
        let left = Arc::clone(&stays);
        tokio::spawn(async move {
            for count in 1_u32.. {
                tokio::select! {
                    () = next(&mut interrupt) => {}
                    () = next(&mut terminate) => {}
                    () = next(&mut hangup) => {}
                }
                // Who asks again, while nobody has taken the last one, wants to be out, whatever is left behind.
                if count > allowed.load(Ordering::SeqCst) + 1 {
                    let left = left.lock().unwrap_or_else(PoisonError::into_inner);
                    Ui::left_behind(left.values().flatten());
                    std::process::exit(i32::from(Exit::Interrupted as u8));
                }
                tell.send_replace(count);
            }
        });
        Self { count, taken, stays }
    }

    pub(super) fn happened(&self) -> bool {
        *self.count.borrow() > self.taken.load(Ordering::SeqCst)
    }

    /// What of `whose` stays where a second one ends the process at once; nothing: all of it is gone.
    pub(super) fn would_leave(&self, whose: &str, what: Vec<String>) {
        let mut stays = self.stays.lock().unwrap_or_else(PoisonError::into_inner);
        if what.is_empty() {
            stays.remove(whose);
        } else {
            stays.insert(whose.to_owned(), what);
        }
    }

    /// Takes what happened so far for answered: the next one is news again.
    pub(super) fn take(&self) {
        self.taken.store(*self.count.borrow(), Ordering::SeqCst);
    }

    /// Ends when it happens.
    pub(super) async fn wait(&self) {
        let mut count = self.count.clone();
        let taken = self.taken.load(Ordering::SeqCst);
        if count.wait_for(|count| *count > taken).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

/// Whoever starts a program with `nohup` wants it to live on when the terminal closes. Where the kernel doesn't tell, a closed terminal
/// ends the program as it ends others.
fn ignores_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_none_or(|mask| mask & 1 == 1)
}
