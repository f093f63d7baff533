//! How long anything may take. One place for all of it, so that who sits behind a slow line, and tests on a machine that is busy elsewhere,
//! can wait longer: `CONFLUENT_ECS_PATIENCE` holds a number from 1 up, by which every limit of a run is multiplied. Nothing but the limits
//! changes with it.

use std::env;
use std::time::Duration;

use serde::{Deserialize, Serialize};

const VARIABLE: &str = "CONFLUENT_ECS_PATIENCE";

/// By how much the limits are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience(u32);

impl Default for Patience {
    fn default() -> Self {
        Self::times(1)
    }
}

impl Patience {
    pub fn times(longer: u32) -> Self {
        Self(longer.clamp(1, 20))
    }

    pub fn of_environment() -> Self {
        Self::times(env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(1))
    }

    pub(super) fn of(self, limit: Duration) -> Duration {
        limit * self.0
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Patience;

    #[test]
    fn no_limit_becomes_shorter_or_endless() {
        let second = Duration::from_secs(1);
        assert_eq!(Patience::times(0).of(second), second);
        assert_eq!(Patience::default().of(second), second);
        assert!(Patience::times(u32::MAX).of(second) < Duration::from_mins(1));
    }
}
