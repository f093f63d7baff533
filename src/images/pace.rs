//! Whether a body that streams still gets anywhere. A layer takes as long as the network needs, so a limit for the whole would be wrong on
//! one line or the other; what ends it is a time in which the other side takes nothing.

use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::stream::Stream;

/// When the other side took the last piece.
#[derive(Debug, Clone)]
pub(super) struct Pace(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    taken: Instant,
    /// The next piece is ours to give: where it comes from has limits of its own.
    is_ours: bool,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { taken: Instant::now(), is_ours: false })))
    }

    /// A stream that tells when a piece of it was taken.
    pub(super) fn of<S>(&self, inner: S) -> Paced<S> {
        Paced { inner: Box::pin(inner), pace: self.clone() }
    }

    /// Waits for `work` while the other side takes something every `silence`; `None`: it no longer does.
    pub(super) async fn within<T>(&self, silence: Duration, work: impl Future<Output = T>) -> Option<T> {
        let mut work = pin!(work);
        loop {
            let left = self.left(silence);
            tokio::select! {
                done = &mut work => return Some(done),
                () = tokio::time::sleep(left) => {
                    if self.left(silence).is_zero() {
                        return None;
                    }
                }
            }
        }
    }

    fn left(&self, silence: Duration) -> Duration {
        let state = self.state();
        if state.is_ours { silence } else { silence.saturating_sub(state.taken.elapsed()) }
    }

    /// A poisoned lock has no meaning here: the value is whole after every change.
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(super) struct Paced<S> {
    inner: Pin<Box<S>>,
    pace: Pace,
}

impl<S: Stream> Stream for Paced<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let polled = self.inner.as_mut().poll_next(context);
        *self.pace.state() = State { taken: Instant::now(), is_ours: polled.is_pending() };
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream::{self, StreamExt as _};

    use super::Pace;

    const SILENCE: Duration = Duration::from_millis(200);

    /// Takes pieces with a pause before each.
    async fn take(pace: &Pace, pauses: &[u64]) -> usize {
        let mut pieces = pace.of(stream::repeat(1).take(pauses.len()));
        let mut taken = 0;
        for pause in pauses {
            tokio::time::sleep(Duration::from_millis(*pause)).await;
            taken += pieces.next().await.unwrap_or_default();
        }
        taken
    }

    #[test]
    fn what_is_slow_is_waited_for_and_what_stands_still_is_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let pace = Pace::new();
            assert_eq!(pace.within(SILENCE, take(&pace, &[50; 10])).await, Some(10));
            let pace = Pace::new();
            assert_eq!(pace.within(SILENCE, take(&pace, &[10, 60_000])).await, None);
            // What we ourselves have not yet is no silence of the other side.
            let pace = Pace::new();
            let late = stream::once(tokio::time::sleep(SILENCE * 4));
            assert!(pace.within(SILENCE, async { pace.of(late).next().await }).await.is_some());
        });
    }
}
