//! A moment in UTC, to the millisecond: what AWS's timestamps and our own events carry. Written as RFC 3339.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{Date, Month, OffsetDateTime, Time};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Moment(i64);

impl Moment {
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// Reads what [`Moment`] writes: `2026-11-23T00:00:00.042Z`.
    pub fn parse(text: &str) -> Option<Self> {
        let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
        let small = |from: usize, to: usize| number(from, to).and_then(|number| u8::try_from(number).ok());
        let month = Month::try_from(small(5, 7)?).ok()?;
        let date = Date::from_calendar_date(i32::from(number(0, 4)?), month, small(8, 10)?).ok()?;
        let time = Time::from_hms_milli(small(11, 13)?, small(14, 16)?, small(17, 19)?, number(20, 23)?).ok()?;
        let whole = text.len() == 24 && text.ends_with('Z');
        let at = OffsetDateTime::new_utc(date, time);
        whole.then(|| Self(at.unix_timestamp() * 1_000 + i64::from(at.millisecond())))
    }

    pub fn millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or_default())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(at) = OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000) else {
            return write!(f, "{}", self.0);
        };
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second, milli) = at.to_hms_milli();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milli:03}Z")
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| D::Error::custom(format!("\"{text}\" is no moment")))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Moment;

    #[test]
    fn is_written_as_rfc_3339() {
        assert_eq!(Moment::from_millis(1_795_392_000_042).to_string(), "2026-11-23T00:00:00.042Z");
        assert_eq!(Moment::default().to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn what_is_written_is_read_back() {
        for millis in [0, 42, 1_795_392_000_042] {
            let moment = Moment::from_millis(millis);
            assert_eq!(Moment::parse(&moment.to_string()), Some(moment));
        }
        for wrong in ["", "2026-11-23", "2026-13-23T00:00:00.042Z", "2026-11-23T00:00:00.042+01"] {
            assert_eq!(Moment::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_difference_is_never_negative() {
        let (early, late) = (Moment::from_millis(1_000), Moment::from_millis(3_500));
        assert_eq!(late.since(early), Duration::from_millis(2_500));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
