//! When a scheduled action runs: `cron(…)`, `rate(…)` or `at(…)` of Application Auto Scaling, and the time zone that it is read in.

/// One of the six fields of a cron expression: its name, its numbers, and the words that stand for them.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    words: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS: [Field; 6] = [
    Field { name: "minutes", least: 0, most: 59, words: &[] },
    Field { name: "hours", least: 0, most: 23, words: &[] },
    Field { name: "day of the month", least: 1, most: 31, words: &[] },
    Field { name: "month", least: 1, most: 12, words: &MONTHS },
    Field { name: "day of the week", least: 1, most: 7, words: &DAYS },
    Field { name: "year", least: 1970, most: 2199, words: &[] },
];
const DAY_OF_MONTH: usize = 2;
const DAY_OF_WEEK: usize = 4;

/// The names of the IANA database.
const TIMEZONES: &str = include_str!("timezones.txt");

/// What is wrong with a schedule, if anything is.
pub(super) fn fault(text: &str) -> Option<String> {
    let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(cron) = inner("cron") {
        return cron_fault(cron);
    }
    if let Some(rate) = inner("rate") {
        return rate_fault(rate);
    }
    match inner("at") {
        Some(time) if is_time(time) => None,
        Some(time) => Some(format!("{time} is no time: write at(2026-12-24T18:00:00)")),
        None => Some("write cron(minute hour day month weekday year), rate(5 minutes), or at(2026-12-24T18:00:00)".to_owned()),
    }
}

fn rate_fault(rate: &str) -> Option<String> {
    let words: Vec<&str> = rate.split_whitespace().collect();
    let [count, unit] = words[..] else { return Some("write a number and a unit, as in rate(5 minutes)".to_owned()) };
    let singular = unit.strip_suffix('s').unwrap_or(unit);
    match count.parse::<u32>() {
        Ok(count) if count > 0 && ["minute", "hour", "day"].contains(&singular) => {
            let right = if count == 1 { singular.to_owned() } else { format!("{singular}s") };
            (right != unit).then(|| format!("write rate({count} {right})"))
        }
        _ => Some("a number above 0 and minutes, hours or days, as in rate(5 minutes)".to_owned()),
    }
}

fn cron_fault(cron: &str) -> Option<String> {
    let written: Vec<&str> = cron.split_whitespace().collect();
    if written.len() != FIELDS.len() {
        let help = "six fields: minutes, hours, day of the month, month, day of the week, year";
        return Some(format!("it has {} fields and needs {help}", written.len()));
    }
    for (index, (field, text)) in FIELDS.iter().zip(&written).enumerate() {
        if !text.split(',').all(|part| fits(index, field, part)) {
            return Some(format!("{} can't be \"{text}\"", field.name));
        }
    }
    let any = |index: usize| written[index] == "?";
    match (any(DAY_OF_MONTH), any(DAY_OF_WEEK)) {
        (true, true) => Some("only one of the two days can be ?".to_owned()),
        (false, false) => Some("one of the two days must be ?, as in cron(0 6 ? * MON-FRI *)".to_owned()),
        _ => None,
    }
}

/// A number, a word, a range, a step, or one of the signs that some fields know.
fn fits(index: usize, field: &Field, part: &str) -> bool {
    let value = |text: &str| {
        let by_word = field.words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let number = text.parse().ok().filter(|_| text.chars().all(|c| c.is_ascii_digit()));
        by_word.and_then(|index| u32::try_from(index + 1).ok()).or(number).filter(|n| (field.least..=field.most).contains(n))
    };
    let day = matches!(index, DAY_OF_MONTH | DAY_OF_WEEK);
    if part == "*" || (day && matches!(part, "?" | "L")) {
        return true;
    }
    if let Some((start, step)) = part.split_once('/') {
        let steps = step.parse::<u32>().is_ok_and(|step| step > 0);
        return steps && (start == "*" || value(start).is_some() || is_range(start, value));
    }
    if index == DAY_OF_MONTH && (part == "LW" || part.strip_suffix('W').is_some_and(|day| value(day).is_some())) {
        return true;
    }
    if index == DAY_OF_WEEK {
        let last = part.strip_suffix('L').is_some_and(|day| value(day).is_some());
        let nth = part
            .split_once('#')
            .is_some_and(|(day, nth)| value(day).is_some() && nth.parse::<u32>().is_ok_and(|nth| (1..=5).contains(&nth)));
        if last || nth {
            return true;
        }
    }
    value(part).is_some() || is_range(part, value)
}

/// A range may run over the end of the week or the year.
fn is_range(text: &str, value: impl Fn(&str) -> Option<u32>) -> bool {
    text.split_once('-').is_some_and(|(from, to)| value(from).is_some() && value(to).is_some())
}

/// `2026-12-24T18:00:00`, also with a zone behind it.
pub(super) fn is_time(text: &str) -> bool {
    let Some((time, zone)) = text.split_at_checked(19) else { return false };
    let bytes = time.as_bytes();
    let at = |index: usize, byte: u8| bytes.get(index) == Some(&byte);
    let number = |from: usize, to: usize| time.get(from..to).and_then(|digits| digits.parse::<u32>().ok());
    let shape = at(4, b'-') && at(7, b'-') && at(10, b'T') && at(13, b':') && at(16, b':');
    let (Some(year), Some(month), Some(day)) = (number(0, 4), number(5, 7), number(8, 10)) else { return false };
    let (Some(hour), Some(minute), Some(second)) = (number(11, 13), number(14, 16), number(17, 19)) else { return false };
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    shape
        && (1..=12).contains(&month)
        && (1..=days).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && (zone.is_empty() || zone == "Z" || is_offset(zone))
}

fn is_offset(zone: &str) -> bool {
    let hours = zone.strip_prefix(['+', '-']).and_then(|rest| rest.split_once(':'));
    hours.is_some_and(|(hours, minutes)| {
        let two = |text: &str, most: u32| text.len() == 2 && text.parse::<u32>().is_ok_and(|n| n <= most);
        two(hours, 14) && two(minutes, 59)
    })
}

pub(super) fn is_timezone(name: &str) -> bool {
    timezones().any(|known| known == name)
}

pub(super) fn timezones() -> impl Iterator<Item = &'static str> + Clone {
    TIMEZONES.lines()
}

#[cfg(test)]
mod tests {
    use super::{fault, is_time, is_timezone};

    #[test]
    fn schedules_have_one_of_three_forms() {
        for good in [
            "cron(45 2 ? * MON-FRI *)",
            "cron(0/15 8-18 ? JAN,MAR MON *)",
            "cron(0 10 L * ? 2026-2028)",
            "cron(0 10 ? * 6#3 *)",
            "cron(0 10 15W * ? *)",
            "rate(1 hour)",
            "rate(5 minutes)",
            "at(2026-12-24T18:00:00)",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in [
            "cron(45 2 ? * MON-FRI)",
            "cron(0 6 * * * *)",
            "cron(0 6 ? * ? *)",
            "cron(99 6 ? * MON *)",
            "cron(0 6 ? * MOM-FRI *)",
            "cron(0 6 ? 13 MON *)",
            "cron(*/0 6 ? * MON *)",
            "rate(0 hours)",
            "rate(1 hours)",
            "rate(2 hour)",
            "rate(5 weeks)",
            "at(tomorrow)",
            "at(2026-13-01T00:00:00)",
            "at(2026-02-30T00:00:00)",
            "45 2 * * *",
            "",
        ] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn times_and_zones_are_real_ones() {
        assert!(is_time("2028-02-29T00:00:00Z") && is_time("2026-01-01T10:00:00+02:00"));
        assert!(!is_time("2026-02-29T00:00:00") && !is_time("tomorrow") && !is_time("2026-01-01 10:00:00"));
        assert!(is_timezone("Europe/London") && is_timezone("UTC") && !is_timezone("Europe/Londn"));
    }
}
