//! What the verbs that leave this machine share: a runtime, the account, and the first Ctrl-C.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

use crate::aws::Account;
use crate::base::{Deadline, Exit, Failure, Result};

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

/// Ctrl-C, or a polite request to end. From the moment this is made the first of them does not end the process by itself: who holds
/// this must ask. A second Ctrl-C does.
#[derive(Debug, Clone)]
pub(super) struct Interrupt(watch::Receiver<bool>);

impl Interrupt {
    /// Must be called inside the runtime.
    pub(super) fn listen() -> Self {
        let (tell, told) = watch::channel(false);
        tokio::spawn(async move {
            let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok();
            let terminated = async {
                match &mut terminate {
                    Some(terminate) => {
                        terminate.recv().await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                () = terminated => {}
            }
            tell.send_replace(true);
            // Who asks twice wants to be out, whatever is left behind.
            let _ = tokio::signal::ctrl_c().await;
            std::process::exit(i32::from(Exit::Interrupted as u8));
        });
        Self(told)
    }

    pub(super) fn happened(&self) -> bool {
        *self.0.borrow()
    }

    /// Ends when it happens.
    pub(super) async fn wait(&self) {
        let mut told = self.0.clone();
        if told.wait_for(|happened| *happened).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
