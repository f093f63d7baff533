//! How fast AWS is asked, and how long is looked on after the end. One place for all of it, so that the tests, whose AWS takes moments
//! for what takes minutes, can run faster: `CONFLUENT_ECS_PACE` holds a number from 1 up, by which every pause is divided. Nothing but the
//! pauses changes with it.

use std::env;
use std::time::Duration;

const VARIABLE: &str = "CONFLUENT_ECS_PACE";

/// The pauses of a watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    /// Between two looks at first, when most happens.
    pub(super) fast: Duration,
    /// … and later: as often as is polite.
    pub(super) slow: Duration,
    /// Between two looks at a change set that is being made.
    pub(super) change_set: Duration,
    /// How long a service that had crashes is looked at after CloudFormation has called it stable.
    pub(super) settle: Duration,
    /// How long a target, or a component's interface, may take to its first good answer: ECS calls a service stable when its targets are
    /// registered and healthy, so this is for the moment in between.
    pub(super) register: Duration,
}

impl Pace {
    pub(super) fn of_environment() -> Self {
        Self::times(env::var(VARIABLE).ok().and_then(|text| text.parse().ok()).unwrap_or(1))
    }

    fn times(faster: u32) -> Self {
        let faster = faster.clamp(1, 20);
        Self {
            fast: Duration::from_secs(1) / faster,
            slow: Duration::from_secs(3) / faster,
            change_set: Duration::from_millis(500) / faster,
            settle: Duration::from_secs(20) / faster,
            register: Duration::from_secs(30) / faster,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn nothing_makes_it_slower_or_a_storm_of_calls() {
        assert_eq!(Pace::times(0), Pace::times(1));
        assert!(Pace::times(u32::MAX).fast.as_millis() >= 50);
    }
}
