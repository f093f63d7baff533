//! The date of an HTTP header, in the one form that servers send (RFC 9110, section 5.6.7).

use time::{Date, Month, PrimitiveDateTime, Time};

use crate::base::Moment;

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn read(text: &str) -> Option<Moment> {
    let rest = text.trim().split_once(", ")?.1.strip_suffix(" GMT")?;
    let mut parts = rest.split(' ');
    let day = parts.next()?.parse().ok()?;
    let month = match parts.next()? {
        "Jan" => Month::January,
        "Feb" => Month::February,
        "Mar" => Month::March,
        "Apr" => Month::April,
        "May" => Month::May,
        "Jun" => Month::June,
        "Jul" => Month::July,
        "Aug" => Month::August,
        "Sep" => Month::September,
        "Oct" => Month::October,
        "Nov" => Month::November,
        "Dec" => Month::December,
        _ => return None,
    };
    let year = parts.next()?.parse().ok()?;
    let mut clock = parts.next()?.split(':').map(|part| part.parse::<u8>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let date = Date::from_calendar_date(year, month, day).ok()?;
    // A leap second is the last of its minute.
    let time = Time::from_hms(hour, minute, second.min(59)).ok()?;
    Some(Moment::from_millis(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp() * 1_000))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn the_date_of_the_rfc_is_read_and_others_are_not_guessed() {
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT").unwrap().to_string(), "1994-11-06T08:49:37.000Z");
        for other in
            ["", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 31 Feb 2026 08:49:37 GMT", "Sun, 06 Nov 1994 25:00:00 GMT"]
        {
            assert!(read(other).is_none(), "{other}");
        }
    }
}
