//! Waits have limits of ours. A deadline is passed down, so that many small waits never add up to more than it.

use std::time::{Duration, Instant};

/// A moment after which we stop waiting.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

impl Deadline {
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// What is left; zero when it has passed.
    pub fn remaining(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    pub fn passed(&self) -> bool {
        self.remaining().is_zero()
    }

    /// The nearer of this deadline and one `limit` from now.
    #[must_use]
    pub fn at_most(&self, limit: Duration) -> Self {
        Self(self.0.min(Instant::now() + limit))
    }
}
